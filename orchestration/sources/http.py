"""HTTP for all vendors: dlt's REST client behind a session that retries politely and believes nothing it can't parse (polite.py).

Here belong single requests, listings and their faults; not what any vendor calls its pages.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import requests
from requests.auth import AuthBase

from orchestration.sources.base import ContractError, TransientSourceError
from orchestration.sources.polite import NotFound, Politeness, PoliteSession, Refused

__all__ = ["Bearer", "Http", "NotFound", "Politeness", "Refused"]

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

NextPage = Callable[[dict[str, Any]], Any]  # a page's body → the cursor of the next one, None after the last


# Sources are pulled in threads of their own. Two threads that import dlt at once, from two ends of its import cycles, can be given a
# half-made module: Python prefers that to a deadlock.
IMPORTING = threading.Lock()


class Bearer(AuthBase):
    """Authorization: Bearer <key>. Kept apart from the session's headers, so that a redirect to another host doesn't carry it."""

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Http:
    """One host: single requests and paged listings. `sleep` and `politeness` are there for tests."""

    def __init__(
        self,
        name: str,
        base_url: str,
        auth: AuthBase,
        *,
        headers: Mapping[str, str] | None = None,
        politeness: Politeness | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = name
        self._session = PoliteSession(name, base_url, politeness or Politeness(), sleep)
        self._base_url, self._auth, self._headers = base_url, auth, dict(headers or {})
        self._client: Any = None

    @property
    def client(self) -> Any:
        """dlt's RESTClient; imported on first use, because it costs a second of CPU."""
        if self._client is None:
            with IMPORTING:
                from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
                from dlt.sources.helpers.rest_client import RESTClient

            # A configuration of its own: dlt would otherwise look for .dlt folders and environment variables.
            config = RuntimeConfiguration()
            self._client = RESTClient(self._base_url, self._headers, auth=self._auth, session=self._session, config=config)
        return self._client

    def get(self, path: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        return self.client.get(path, params=params).json()

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self.client.post(path, json=body).json()

    def pages(self, path: str, params: dict[str, Any], *, rows: str, **paging: Any) -> Iterator[list[dict[str, Any]]]:
        """The lists under key `rows`, page by page; `paging` as for bodies()."""
        return (body[rows] for body in self.bodies(path, params, rows=rows, **paging))

    def bodies(
        self,
        path: str,
        params: dict[str, Any],
        *,
        rows: str,
        following: NextPage = lambda body: None,
        cursor: str = "cursor",
        only_first: tuple[str, ...] = (),
    ) -> Iterator[dict[str, Any]]:
        """The answers, page by page; `following(body)` is sent as parameter `cursor` to get the next one.

        Parameters in `only_first` go with the first request only. Raises ContractError if there is no list under `rows`,
        TransientSourceError if a cursor or a whole page comes twice: following it would never end, or skip what should have come.
        """
        with IMPORTING:
            from orchestration.sources.paging import WHOLE_BODY, FollowCursor

        where = f"{self.name}: GET {path}"
        seen_cursors = {str(params.get(cursor))}
        seen_pages: set[int] = set()
        paginator = FollowCursor(self._checked(following, rows, where), cursor, only_first)
        for page in self.client.paginate(path, params=dict(params), paginator=paginator, data_selector=WHOLE_BODY, hooks={"response": []}):
            body = page.response.json()
            fingerprint = _fingerprint(body[rows])
            if body[rows] and fingerprint in seen_pages:
                raise TransientSourceError(f"{where} gave the same page twice; run again later")
            if paginator.cursor is not None and str(paginator.cursor) in seen_cursors:
                raise TransientSourceError(f"{where} gave the same cursor twice; run again later")
            seen_pages.add(fingerprint)
            seen_cursors.add(str(paginator.cursor))
            yield body

    @staticmethod
    def _checked(following: NextPage, rows: str, where: str) -> NextPage:
        """`following` behind a look at the page: a renamed list must not pass for an empty one."""

        def check(body: dict[str, Any]) -> Any:
            if not isinstance(body.get(rows), list):
                raise ContractError(f"{where} answered without the list '{rows}'; has its API changed?")
            try:
                return following(body)
            except (KeyError, TypeError) as error:
                raise ContractError(f"{where} answered without {error}, which leads to the next page; has its API changed?") from None

        return check

    def close(self) -> None:
        self._session.close()


def _fingerprint(rows: list[Any]) -> int:
    return hash(tuple(str(row.get("id", row)) if isinstance(row, dict) else str(row) for row in rows))

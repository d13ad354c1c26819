"""The one paginator: dlt's, told by a function where the next cursor stands.

Apart from http.py because importing dlt costs a second of CPU, which only a pull should pay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dlt.common.jsonpath import compile_path
from dlt.sources.helpers.rest_client.paginators import BaseReferencePaginator
from requests import Request, Response

WHOLE_BODY = compile_path("$")  # parsed once: dlt would do it for every page, at 10 ms each


class FollowCursor(BaseReferencePaginator):
    """Sends `following(body)` as parameter `name` with the next request, until it is None."""

    def __init__(self, following: Callable[[dict[str, Any]], Any], name: str, only_first: tuple[str, ...]) -> None:
        super().__init__()
        self._following, self._name, self._only_first = following, name, only_first
        self.cursor: Any = None

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        self.cursor = self._next_reference = self._following(response.json())

    def update_request(self, request: Request) -> None:
        if self._has_next_page:
            request.params = {key: value for key, value in request.params.items() if key not in self._only_first}
            request.params[self._name] = self.cursor

"""One request, politely: retries, rate limits, timeouts, and the check of what came back.

Here belongs what makes one answer usable; listings are http.py's.
"""

from __future__ import annotations

import json
import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any

import requests

from orchestration.sources.base import SourceError, TransientSourceError

TRY_AGAIN = {408, 423, 425, 477}  # timeout, locked, too early, HubSpot moving an account


@dataclass(frozen=True)
class Politeness:
    """How long to keep trying. Waits are drawn from [0, base × 2ⁿ] (full jitter), so that clients don't come back in step."""

    tries: int = 6
    base_seconds: float = 0.5
    most_seconds: float = 30.0
    longest_retry_after: float = 300.0  # a host that asks for more than this is left alone until the next run
    waits_for_rate_limit: int = 20  # being told to wait is not a failure, but not forever either
    timeout: tuple[float, float] = (10.0, 60.0)  # connect, read


class Refused(SourceError):
    """The host understood and said no (4xx); trying again won't change it."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class NotFound(Refused):
    """The host doesn't know this path: an object type that the account or the fake doesn't have, or a record that is gone."""


class PoliteSession(requests.Session):
    """A session whose answers are all JSON objects with status 2xx; anything else was retried and is an error now."""

    def __init__(self, name: str, base_url: str, politeness: Politeness, sleep: Callable[[float], None]) -> None:
        super().__init__()
        # What requests would look up in the environment for every single request; and no .netrc beside the key that was given.
        self.trust_env = False
        self.proxies = requests.utils.get_environ_proxies(base_url)
        self.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        self.name = name
        self.politeness = politeness
        self.sleep = sleep

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send until there is an answer that can be used.

        Raises TransientSourceError when the tries are used up, Refused (404: NotFound) on what trying again won't mend.
        """
        where = f"{self.name}: {request.method} {request.path_url.partition('?')[0]}"
        kwargs = {**kwargs, "timeout": self.politeness.timeout, "stream": False}
        failures = told_to_wait = 0
        while True:
            problem, response = self._try(request, kwargs)
            if problem is None:
                return response
            asked = _retry_after(response) if response is not None else None
            if response is not None and response.status_code == 429:
                told_to_wait += 1
                out_of_patience = told_to_wait > self.politeness.waits_for_rate_limit
            else:
                failures += 1
                out_of_patience = failures >= self.politeness.tries
            if asked is not None and asked > self.politeness.longest_retry_after:
                raise TransientSourceError(f"{where} asks to wait {asked:.0f} s; run again later")
            if out_of_patience:
                raise TransientSourceError(f"{where} {problem}, {failures + told_to_wait} times in a row; run again later")
            self.sleep(asked if asked is not None else self._backoff(failures + told_to_wait))

    def _try(self, request: requests.PreparedRequest, kwargs: dict) -> tuple[str | None, requests.Response | None]:
        """One attempt: (None, response) if it can be used, (what is wrong, response or None) if it may be tried again."""
        where = f"{self.name}: {request.method} {request.path_url.partition('?')[0]}"
        try:
            response = super().send(request, **kwargs)
        except requests.Timeout:
            return "gave no answer in time", None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.exceptions.ContentDecodingError):
            return "could not be reached, or broke off", None
        except (requests.RequestException, ValueError, HTTPException) as error:  # its text may hold the URL, or a header
            raise SourceError(f"{where} could not be sent ({type(error).__name__}); check the base URL and the key") from None
        status = response.status_code
        if status == 429:
            return "answered 429 (too many requests)", response
        if status >= 500 or status in TRY_AGAIN:
            return f"answered {status}", response
        if 300 <= status < 400:
            return None, response  # requests follows it
        if status in (401, 403):
            raise Refused(f"{where} answered {status}{_reason(response)}: check the credentials and what they are allowed to read", status)
        if status == 404:
            raise NotFound(f"{where} answered 404{_reason(response)}: not there", status)
        if status >= 400:
            raise Refused(f"{where} answered {status}{_reason(response)}: the request was refused", status)
        return _parse(response), response

    def _backoff(self, attempt: int) -> float:
        return random.uniform(0, min(self.politeness.most_seconds, self.politeness.base_seconds * 2 ** (attempt - 1)))  # noqa: S311


def _parse(response: requests.Response) -> str | None:
    """None if the body is a JSON object (kept, so that it is parsed only once), else what is wrong with it."""
    try:
        body = json.loads(response.content)
    except ValueError:
        looks_like_html = response.content.lstrip()[:1] == b"<"
        return f"answered {response.status_code} with {'HTML' if looks_like_html else 'cut or broken JSON'}"
    if not isinstance(body, dict):
        return f"answered {response.status_code} with something other than a JSON object"
    response.json = lambda **_: body  # type: ignore[method-assign]
    return None


def _retry_after(response: requests.Response) -> float | None:
    """Seconds that the host asks to wait, from either form of the header; None if it doesn't say."""
    header = (response.headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"\d+(\.\d+)?", header):
        return float(header)
    try:
        return max(0.0, parsedate_to_datetime(header).timestamp() - time.time())
    except ValueError:
        return None


def _reason(response: requests.Response) -> str:
    """The host's own error code. Its sentences are left out: they may quote data or part of a key."""
    try:
        body = response.json()
    except ValueError:
        return ""
    error = body.get("error", body) if isinstance(body, dict) else None
    words = [error.get(key) for key in ("code", "type", "category")] if isinstance(error, dict) else [error]
    return next((f" ({word})" for word in words if isinstance(word, str) and re.fullmatch(r"[A-Za-z_]{1,40}", word)), "")

"""What the three vendors' facades share: requests, refusals, and records rendered once.

Not here: HTTP itself (server.py), any vendor's paths or shapes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
import pandas as pd

from orchestration.sources.demo.base import Versions


@dataclass
class Request:
    """One request, with its parameters as they came (a name may come several times)."""

    method: str
    path: str
    params: list[tuple[str, str]]
    body: Any = None

    def only(self, *allowed: str) -> dict[str, str]:
        """Parameters as a dictionary; one that nobody knows is refused, as is one that comes twice."""
        found: dict[str, str] = {}
        for name, value in self.params:
            if name not in allowed:
                raise Refusal(400, f"unknown parameter: {name}", param=name)
            if name in found:
                raise Refusal(400, f"parameter given twice: {name}", param=name)
            found[name] = value
        return found


class Refusal(Exception):
    """An answer that is not 200; each facade words it as its vendor does."""

    def __init__(self, status: int, message: str, param: str | None = None, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.headers = status, message, param, headers or {}


def whole(text: str, name: str, low: int, high: int) -> int:
    """A number within its limits, or 400."""
    if not text.isascii() or not text.lstrip("-").isdigit() or not low <= int(text) <= high:
        raise Refusal(400, f"{name} must be a whole number from {low} to {high}", param=name)
    return int(text)


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    return orjson.dumps(value)


def plain(column: pd.Series) -> list:
    """A column as Python values, None for what is missing."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return iso(column)
    values = column.astype(object).where(column.notna(), None)
    return values.tolist()


def iso(column: pd.Series, unit: str = "s") -> list[str | None]:
    """Times as ISO-8601 in UTC."""
    values = column.to_numpy().astype(f"datetime64[{unit}]")
    text = np.char.add(np.datetime_as_string(values, unit=unit), "Z").tolist()
    return [None if t == "NaTZ" else t for t in text]


def epoch(column: pd.Series) -> list[int | None]:
    """Times as seconds since 1970."""
    values = column.to_numpy().astype("datetime64[s]")
    return [None if missing else int(v) for v, missing in zip(values.astype("int64"), np.isnat(values), strict=True)]


@dataclass
class Records:
    """All versions of one kind of record, each rendered to JSON when it is first asked for."""

    versions: Versions
    ids: list[str]
    render: Callable[[int], Any]
    _rendered: dict[int, bytes] = field(default_factory=dict)

    def json(self, row: int) -> bytes:
        """One version as JSON."""
        found = self._rendered.get(row)
        if found is None:
            found = self._rendered[row] = dumps(self.render(row))
        return found

    def page(self, rows: Any) -> bytes:
        """Several versions as a JSON list."""
        return b"[" + b",".join([self.json(int(row)) for row in rows]) + b"]"


class Views:
    """Which versions are current, per table and clock; the last few are kept."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], Any] = {}

    def get(self, name: str, clock: int, make: Callable[[], Any]) -> Any:
        """The view under this name, made once for each position of the clock."""
        key = (name, clock)
        if key not in self._kept:
            if len(self._kept) > 200:
                self._kept.clear()
            self._kept[key] = make()
        return self._kept[key]

"""One type of HubSpot object: its versions, rendered with the properties that are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import dumps

DEFAULTS = ["createdate", "hs_createdate", "lastmodifieddate", "hs_lastmodifieddate", "hs_object_id"]


@dataclass
class Objects:
    """One type of object, all versions: properties as columns of text."""

    name: str
    versions: Versions
    properties: dict[str, list[str | None]]
    links: dict[str, list[str | None]]  # other type → id
    created: str  # name of the property with the time of creation, and of the last change
    changed: str
    archived: np.ndarray
    hidden: np.ndarray  # merged into another: gone from every list
    ids: list[str] = field(init=False)
    number: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.ids = self.properties.pop("id")  # type: ignore[assignment]
        self.number = np.array([int(i) for i in self.ids], dtype="int64")
        self._sortable: dict[str, np.ndarray] = {}
        self._rendered: dict[tuple, bytes] = {}

    def rows_at(self, clock: int, archived: bool) -> np.ndarray:
        """Versions current at the clock, in the recycle bin or not, by id."""
        rows = self.versions.rows_at(clock)
        rows = rows[(self.archived[rows] == archived) & ~self.hidden[rows]]
        return rows[np.argsort(self.number[rows], kind="stable")]

    def value(self, name: str, row: int) -> str | None:
        """One property."""
        return self.ids[row] if name == "hs_object_id" else self.properties[name][row] if name in self.properties else None

    def linked(self, other: str, row: int) -> str | None:
        """The associated record of another type."""
        return self.links[other][row] if other in self.links else None

    def operand(self, name: str, value: Any) -> Any:
        """A filter's value, comparable with `sortable`: times as milliseconds, ids as numbers, the rest as text."""
        text = str(value)
        if name == "hs_object_id":
            return int(text) if text.isdigit() else -1
        if self._is_time(name):
            return int(text) if text.lstrip("-").isdigit() else int(np.datetime64(text.rstrip("Z"), "ms").astype("int64"))
        return text

    def sortable(self, name: str, rows: np.ndarray) -> np.ndarray:
        """A property as an array to compare and to sort by."""
        if name == "hs_object_id":
            return self.number[rows]
        if name not in self._sortable:
            values = self.properties.get(name) or [None] * len(self.ids)
            if self._is_time(name):
                self._sortable[name] = np.array([v.rstrip("Z") if v else "1970-01-01" for v in values], dtype="datetime64[ms]").astype("int64")
            else:
                self._sortable[name] = np.array([v or "" for v in values], dtype=str)
        return self._sortable[name][rows]

    def _is_time(self, name: str) -> bool:
        return name in DEFAULTS or name in ("hs_timestamp", "closedate", "targeted_at", "responded_at", "achieved_at")

    def page(self, rows: np.ndarray, names: list[str] | None, links: tuple[str, ...]) -> bytes:
        """Records as a JSON list, with the properties and associations that were asked for."""
        wanted = tuple(dict.fromkeys([*(d for d in DEFAULTS if d in self.properties or d == "hs_object_id"), *(names or [])]))
        return b"[" + b",".join([self._json(int(row), wanted, links) for row in rows]) + b"]"

    def _json(self, row: int, wanted: tuple[str, ...], links: tuple[str, ...]) -> bytes:
        key = (row, wanted, links)
        if key not in self._rendered:
            record: dict[str, Any] = {
                "id": self.ids[row],
                "properties": {name: self.value(name, row) for name in wanted},
                "createdAt": self.properties[self.created][row],
                "updatedAt": self.properties[self.changed][row],
                "archived": bool(self.archived[row]),
            }
            if self.archived[row]:
                record["archivedAt"] = record["updatedAt"]
            found = {other: self._link(other, row) for other in links if self.linked(other, row) is not None}
            if found:
                record["associations"] = found
            self._rendered[key] = dumps(record)
        return self._rendered[key]

    def _link(self, other: str, row: int) -> dict:
        one, kind = {"companies": "company", "contacts": "contact"}.get(other, other), self.name.rstrip("s").replace("companie", "company")
        target = self.linked(other, row)
        return {"results": [{"id": target, "type": f"{kind}_to_{one}"}, {"id": target, "type": f"{kind}_to_{one}_unlabeled"}]}

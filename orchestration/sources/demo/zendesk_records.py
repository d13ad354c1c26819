"""One kind of Zendesk record: its versions as JSON, with what exports sort and filter by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import Records


@dataclass
class Export:
    """One kind of record: versions as JSON, with what exports sort and filter by."""

    name: str
    records: Records
    number: np.ndarray
    deleted: np.ndarray
    role: np.ndarray
    metric_set: Callable[[int], dict] = lambda row: {}
    changed: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.changed = self.records.versions.at

    def rows_at(self, clock: int) -> np.ndarray:
        """Versions current at the clock, deleted tickets included: exports show them."""
        return self.records.versions.rows_at(clock)


def make_export(
    name: str, versions: Versions, ids: list[str], render: Callable[[int], Any], deleted: Any = None, role: Any = None, **more: Any
) -> Export:
    n = len(ids)
    nothing = np.zeros(n, dtype=bool) if deleted is None else deleted
    return Export(
        name,
        Records(versions, ids, render),
        np.array([int(i) for i in ids], dtype="int64"),
        nothing,
        np.full(n, "") if role is None else role,
        **more,
    )


def as_int(value: str | None) -> int | None:
    return None if value is None else int(value)

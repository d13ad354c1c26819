"""One type of Stripe object: its versions as JSON, when it was created, the events that tell of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import Records


@dataclass
class Kind:
    """One type of object: its versions as JSON, when it was created, and the events that tell of it."""

    path: str
    object: str
    records: Records
    created: np.ndarray
    event_row: np.ndarray
    event_type: list[str]
    deleted: np.ndarray
    filters: dict[str, list] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    by_time: bool = True
    children: Callable[[str], list[dict]] = lambda id: []
    order: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.event_at = self.records.versions.at[self.event_row]
        names = {id: i for i, id in enumerate(sorted(set(self.records.ids)))}
        self._numbers = names
        self.order = np.array([names[id] for id in self.records.ids], dtype="int64")

    def number_of(self, id: str) -> int:
        """Place of an id among all ids, -1 if there is none."""
        return self._numbers.get(id, -1)


def make_kind(
    path: str,
    object: str,
    versions: Versions,
    ids: list[str],
    created: list,
    render: Callable[[int], dict],
    types: Callable[[int, bool], list[str]],
    **more: Any,
) -> Kind:
    """`types(row, is_first)` names the events that a version brought about."""
    first = np.ones(len(versions.key), dtype=bool)
    first[1:] = versions.key[1:] != versions.key[:-1]
    named = [(row, name) for row in range(len(first)) for name in types(row, bool(first[row]))]
    more.setdefault("deleted", np.zeros(len(first), dtype=bool))
    return Kind(
        path,
        object,
        Records(versions, ids, render),
        np.array(created, dtype="int64"),
        np.array([row for row, _ in named], dtype="int64"),
        [name for _, name in named],
        **more,
    )

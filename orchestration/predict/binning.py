"""Features as codes: a few ordered bins per number, a code per category, and a code of its own for "missing".

Here belongs where the edges lie and which code a value gets; not what a code is worth (additive.py). Steps instead of slopes: a missing,
infinite, extreme or never seen value needs no rule of its own, and what the model says about a feature is a table that people can read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from orchestration.predict.columns import Codes, Floats, Kind, as_labels, as_numbers, kind_of

MISSING = 0  # the code of a missing value, in every feature
MOST_BINS = 16
MOST_LEVELS, LEAST_ROWS = 50, 5  # categories with a code of their own, and the rows each has; the rarer ones share one


@dataclass(frozen=True)
class Bins:
    """How one feature becomes codes.

    Numbers and booleans: `edges` ascending, finite; code k + 1 for edges[k - 1] < value <= edges[k]. Categories: code k + 1 for levels[k],
    the code after the last for any other. `empty`: nothing was known in training, so nothing is in prediction.
    """

    name: str
    kind: Kind
    edges: tuple[float, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def size(self) -> int:
        """Codes there are, that of missing included."""
        return {"empty": 1, "category": len(self.levels) + 2}.get(self.kind, len(self.edges) + 2)

    @property
    def is_ordered(self) -> bool:
        return self.kind in ("number", "boolean")

    def encode(self, column: pd.Series) -> Codes:
        """Codes of a column's values, same length."""
        if self.kind == "empty":
            return np.zeros(len(column), dtype=np.intp)
        if self.kind == "category":
            return self._encode_labels(column)
        values = as_numbers(column)
        return np.where(np.isnan(values), MISSING, np.searchsorted(self.edges, values, side="left") + 1)

    def _encode_labels(self, column: pd.Series) -> Codes:
        positions, labels = as_labels(column)
        code_of = {level: code for code, level in enumerate(self.levels, start=1)}
        codes = np.array([code_of.get(label, len(self.levels) + 1) for label in labels] + [MISSING], dtype=np.intp)
        return codes[positions]  # position -1, a missing value, takes the last

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "kind": self.kind, "edges": list(self.edges), "levels": list(self.levels)}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> Bins:
        return cls(stored["name"], stored["kind"], tuple(map(float, stored["edges"])), tuple(map(str, stored["levels"])))


def fit_bins(column: pd.Series, *, most_levels: int = MOST_LEVELS, least_rows: int = LEAST_ROWS) -> Bins:
    """Bins for a training column. ValueError as in `kind_of`."""
    kind, name = kind_of(column), str(column.name)
    if kind == "empty":
        return Bins(name, kind)
    if kind == "category":
        positions, labels = as_labels(column)
        rows = pd.Series(labels, dtype=object)[positions[positions >= 0]].value_counts()
        often = sorted(rows.index[rows >= least_rows], key=lambda label: (-rows[label], label))[:most_levels]
        return Bins(name, kind, levels=tuple(sorted(often)))
    values = as_numbers(column)
    return Bins(name, kind, edges=equal_frequency_edges(values[~np.isnan(values)], MOST_BINS))


def equal_frequency_edges(values: Floats, most_bins: int) -> tuple[float, ...]:
    """Edges between at most `most_bins` bins of about equally many values. A value more frequent than that has a bin to itself.

    values: at least one, no NaN, may be infinite. Edges are finite and lie between two values that occur.
    """
    distinct, rows = np.unique(values, return_counts=True)
    if len(distinct) <= most_bins:
        return tuple(_between(distinct[:-1], distinct[1:]))
    heavy = np.flatnonzero(rows * most_bins > len(values))
    until = np.concatenate([[0], np.cumsum(rows)])
    first, cuts = 0, []
    while first < len(distinct) and len(cuts) < most_bins - 1:
        share = (len(values) - until[first]) / (most_bins - len(cuts))
        after = max(int(np.searchsorted(until, until[first] + share, side="right")) - 1, first + 1)
        next_heavy = heavy[np.searchsorted(heavy, first)] if len(heavy) and heavy[-1] >= first else len(distinct)
        first = first + 1 if next_heavy == first else min(after, int(next_heavy))
        cuts.append(first)
    cuts = [cut for cut in cuts if cut < len(distinct)]
    return tuple(_between(distinct[np.array(cuts) - 1], distinct[cuts]))


def _between(low: Floats, high: Floats) -> list[float]:
    largest = np.finfo(float).max
    low, high = np.clip(low, -largest, largest), np.clip(high, -largest, largest)
    middle = low / 2 + high / 2
    return np.where((low <= middle) & (middle < high), middle, low).tolist()

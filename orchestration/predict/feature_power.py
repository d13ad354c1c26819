"""How well one feature alone tells who churns, whatever kind it is and whatever the shape of its effect.

Here belongs measuring that, on rows that the feature's rates were not learned from; what follows from it: leakage.py.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestration.predict.binning import Bins, equal_frequency_edges, fit_bins
from orchestration.predict.columns import Codes, Floats, as_numbers, kind_of
from orchestration.predict.measures import Z95

BINS_EACH = 32  # among those who churned, and again among those who stayed
FOLDS = 5
ENOUGH = 10  # outcomes of each kind without which the later part of the snapshots cannot judge
SLACK_DAYS = 31  # snapshots are monthly: the first one after a window need not lie on the day it ends

Parts = list[tuple[Codes, Codes]]  # rows to learn from, rows to judge on


def single_aucs(features: pd.DataFrame, happened: Floats, parts: Parts) -> pd.Series:
    """`feature_auc` of each column, by name, best first."""
    found = {name: feature_auc(features[name], happened, parts) for name in features.columns}
    return pd.Series(found, name="auc", dtype=float).sort_values(ascending=False, kind="stable")


def feature_auc(column: pd.Series, happened: Floats, parts: Parts) -> float:
    """AUC of one feature, whatever the shape of its effect: rates per bin from the first rows of each part rank the second. 0.5: no use."""
    bins = _bins_by_outcome(column, happened)
    codes, total, weight = bins.encode(column), 0.0, 0.0
    for learn, judge in parts:
        rates = _rates(codes[learn], happened[learn], bins.size)
        gone = np.bincount(codes[judge], happened[judge], bins.size)
        stayed = np.bincount(codes[judge], 1 - happened[judge], bins.size)
        pairs = gone.sum() * stayed.sum()
        ranks, rank = np.unique(rates, return_inverse=True)
        gone, stayed = np.bincount(rank, gone, len(ranks)), np.bincount(rank, stayed, len(ranks))
        total += gone @ (np.cumsum(stayed) - stayed / 2)
        weight += pairs
    return float(total / weight) if weight else 0.5


def _bins_by_outcome(column: pd.Series, happened: Floats) -> Bins:
    """Edges among those who churned and among those who stayed: a leak sits where the two part, however rare churn is."""
    kind = kind_of(column)
    if kind not in ("number", "boolean"):
        return fit_bins(column, most_levels=10 * BINS_EACH)
    values = as_numbers(column)
    known = ~np.isnan(values)
    parts = [values[known & (happened == outcome)] for outcome in (0, 1)]
    edges = {edge for part in parts if len(part) for edge in equal_frequency_edges(part, BINS_EACH)}
    edges |= set(equal_frequency_edges(values[known], BINS_EACH))
    return Bins(str(column.name), kind, edges=tuple(sorted(edges)))


def _rates(codes: Codes, happened: Floats, size: int) -> Floats:
    rows, gone = np.bincount(codes, minlength=size), np.bincount(codes, happened, size)
    return (gone + happened.mean()) / (rows + 1)  # a code that nobody has gets the average


def parts_by_customer(customers: Codes) -> Parts:
    """Five folds of whole customers."""
    fold = np.random.default_rng(0).permutation(customers.max(initial=0) + 1)[customers] % FOLDS
    return [(np.flatnonzero(fold != each), np.flatnonzero(fold == each)) for each in range(FOLDS) if 0 < (fold == each).sum() < len(fold)]


def parts_by_time(happened: Floats, customers: Codes, days: NDArray[np.datetime64]) -> Parts:
    """The earlier half of the snapshots, then the later; by customer where either holds too few of an outcome."""
    later = days > np.sort(days)[(len(days) - 1) // 2]
    if all(min(happened[side].sum(), (1 - happened[side]).sum()) >= ENOUGH for side in (~later, later)):
        return [(np.flatnonzero(~later), np.flatnonzero(later))]
    return parts_by_customer(customers)


@dataclass(frozen=True)
class NextWindow:
    """Rows whose customer outlived the window and was seen at its end; whether it churned in the window after that.

    customers: codes of these rows'. chance: half the width of the 95 % interval of the AUC of a feature that says nothing about it.
    """

    rows: Codes
    churned: Floats
    customers: Codes
    chance: float


def next_window(happened: Floats, customers: Codes, days: NDArray[np.datetime64], label_days: int) -> NextWindow | None:
    """The window after each row's own; None where nobody, or everybody, churned in it."""
    order = np.lexsort((days, customers))
    number = days.astype(np.int64) - days.astype(np.int64).min()
    span = int(number.max()) + label_days + 1
    key = (customers * span + number)[order]
    place = np.searchsorted(key, customers * span + number + label_days)
    following = order[np.minimum(place, len(order) - 1)]
    gap = number[following] - number
    is_seen = (place < len(order)) & (customers[following] == customers) & (gap <= label_days + SLACK_DAYS)
    rows = np.flatnonzero(is_seen & (happened == 0))
    later = happened[following[rows]]
    if not 0 < later.sum() < len(later):
        return None
    _, seen = np.unique(customers[rows], return_inverse=True)
    gone, stayed = (len(np.unique(seen[later == outcome])) for outcome in (1, 0))
    return NextWindow(rows, later, seen, float(Z95 * np.sqrt((gone + stayed + 1) / (12 * gone * stayed))))  # Mann & Whitney (1947)

"""How sure an AUC is, and the difference of two on the same rows, when several rows belong to one customer.

Here belongs the analytic variance; intervals of other measures are resampled (resampling.py).

DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44: the variance from how each row ranks among those of the other outcome. With groups
Obuchowski (1997), Biometrics 53: the same from sums per customer, which for one row per customer is DeLong's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import expit, logit

from orchestration.predict.columns import Codes, Floats, group_codes
from orchestration.predict.measures import Z95, scored


@dataclass(frozen=True)
class Estimate:
    """A value and its 95 % interval; NaN where the data don't say."""

    value: float
    low: float
    high: float


def auc_interval(score: ArrayLike, churned: ArrayLike, groups: ArrayLike | None = None) -> Estimate:
    """AUC with its 95 % interval, symmetric on the logit scale. One row each; `groups`: the customer. ValueError as in `auc`.

    At an AUC of 0 or 1, where the variance says nothing, Newcombe's (2006) method 5, with customers as the numbers of rows.
    """
    values, happened, _ = scored(score, churned)
    customers = _customers(groups, len(values))
    area, shares = _placements(values, happened)
    if area in (0.0, 1.0):
        gone, stayed = (len(np.unique(customers[happened == outcome])) for outcome in (1, 0))
        return _at_the_edge(area, gone, stayed)
    half = Z95 * np.sqrt(_covariance(shares, shares, happened, customers)) / (area * (1 - area))
    return Estimate(area, float(expit(logit(area) - half)), float(expit(logit(area) + half)))


def auc_difference(score: ArrayLike, other: ArrayLike, churned: ArrayLike, groups: ArrayLike | None = None) -> Estimate:
    """AUC of `score` less AUC of `other`, on the same rows, with its 95 % interval. Constant scores (AUC 0.5) may be compared with."""
    first, happened, _ = scored(score, churned)
    second, _, _ = scored(other, churned)
    customers = _customers(groups, len(first))
    (area, shares), (other_area, other_shares) = _placements(first, happened), _placements(second, happened)
    half = Z95 * np.sqrt(_covariance(shares - other_shares, shares - other_shares, happened, customers))
    difference = area - other_area
    return Estimate(difference, float(difference - half), float(difference + half))


def _customers(groups: ArrayLike | None, rows: int) -> Codes:
    return group_codes(None if groups is None else np.asarray(groups), rows)


def _placements(score: Floats, churned: Floats) -> tuple[float, Floats]:
    """AUC, and per row the share of the other outcome's rows that it is ranked correctly against, less the AUC."""
    gone, stayed = churned == 1, churned == 0
    rows_gone, rows_stayed = gone.sum(), stayed.sum()
    if not rows_gone or not rows_stayed:
        raise ValueError("AUC needs customers who churned and customers who stayed")
    share = np.empty(len(score))
    ranks = _ranks(score)
    share[gone] = (ranks[gone] - _ranks(score[gone])) / rows_stayed
    share[stayed] = 1 - (ranks[stayed] - _ranks(score[stayed])) / rows_gone
    area = float(share[gone].mean())
    return area, share - area


def _ranks(score: Floats) -> Floats:
    """From 1; ties share the mean of theirs."""
    return pd.Series(score).rank().to_numpy()


def _covariance(first: Floats, second: Floats, churned: Floats, customers: Codes) -> float:
    """Obuchowski's estimate from sums per customer; 0 where there is one customer only of an outcome."""
    total, parts = customers.max() + 1, {}
    for outcome in (1, 0):
        rows = churned == outcome
        sums = [np.bincount(customers[rows], each[rows], total) for each in (first, second)]
        parts[outcome] = (*sums, len(np.unique(customers[rows])), rows.sum())
    (a_gone, b_gone, gone, rows_gone), (a_stayed, b_stayed, stayed, rows_stayed) = parts[1], parts[0]
    if gone < 2 or stayed < 2:
        return float("nan")
    own = gone / (gone - 1) * (a_gone @ b_gone) / rows_gone**2 + stayed / (stayed - 1) * (a_stayed @ b_stayed) / rows_stayed**2
    customers_seen = len(np.unique(customers))
    across = customers_seen / (customers_seen - 1) * (a_gone @ b_stayed + a_stayed @ b_gone) / (rows_gone * rows_stayed)
    return float(max(own + across, 0.0))


def _at_the_edge(area: float, gone: int, stayed: int) -> Estimate:
    pseudo = (gone + stayed) / 2

    def beyond(theta: float) -> float:
        spread = theta * (1 - theta) * (1 + (pseudo - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))) / (gone * stayed)
        return (1 - theta) - Z95 * np.sqrt(spread)

    least = float(brentq(beyond, 1e-9, 1 - 1e-9))
    return Estimate(area, least, 1.0) if area == 1.0 else Estimate(area, 0.0, 1 - least)

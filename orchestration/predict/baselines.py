"""What a churn model has to beat: everybody alike, and the health score alone.

Here belong the two baselines as probabilities, fitted on the training part like the model; not the comparison (evaluate.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from orchestration.predict.calibration import Line, fit_line
from orchestration.predict.columns import Floats, outcomes


@dataclass(frozen=True)
class BaseRate:
    """The churn rate of the training rows, for everybody."""

    rate: float

    def predict_proba(self, rows: int) -> Floats:
        return np.full(rows, self.rate)


@dataclass(frozen=True)
class HealthBaseline:
    """P(churn) from a score where higher = healthier: falls along `line` as the score rises; who has no score has a rate of their own."""

    line: Line
    without_score: float

    def predict_proba(self, health_score: ArrayLike) -> Floats:
        """P(churn), one per score; missing scores welcome. Keeps the order of the scores, so its AUC is theirs."""
        score = _floats(health_score)
        return np.where(np.isnan(score), self.without_score, self.line.probability(-np.nan_to_num(score)))


def fit_base_rate(churned: ArrayLike) -> BaseRate:
    """ValueError without rows."""
    happened = outcomes(churned)
    if not len(happened):
        raise ValueError("no rows to take a base rate from")
    return BaseRate(float(happened.mean()))


def fit_health_baseline(health_score: ArrayLike, churned: ArrayLike) -> HealthBaseline:
    """log-odds of churn = a − b × score, b >= 0, by maximum likelihood on the training rows that have a score.

    A score that points the wrong way gets b = 0, the base rate. Rows without a score get their own rate, shrunk by one row to that of all.
    ValueError for other lengths, infinite scores, and where the rows hold one outcome only.
    """
    score, happened = _floats(health_score), outcomes(churned)
    if len(score) != len(happened):
        raise ValueError(f"{len(score)} health scores and {len(happened)} outcomes: one of each per row")
    if not 0 < happened.sum() < len(happened):
        raise ValueError("a baseline needs customers who churned and customers who stayed")
    known, rate = ~np.isnan(score), float(happened.mean())
    without = (happened[~known].sum() + rate) / (np.count_nonzero(~known) + 1)
    if 0 < happened[known].sum() < np.count_nonzero(known):
        return HealthBaseline(fit_line(-score[known], happened[known]), float(without))
    return HealthBaseline(fit_line(np.zeros(len(score)), happened), float(without))


def _floats(score: ArrayLike) -> Floats:
    try:
        values = pd.Series(score).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise ValueError("health scores must be numbers or missing") from None
    if np.isinf(values).any():
        raise ValueError(f"{np.isinf(values).sum()} health scores are infinite")
    return values

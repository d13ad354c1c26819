"""How good probabilities are, in one number each: AUC, PR-AUC, Brier, log loss, calibration, lift.

Here belong point values on arrays; not how sure they are (auc_variance.py, resampling.py) or what is compared with what (evaluate.py).

All take what was predicted first and what happened second: 1-d and equally long, `churned` 0 / 1 or booleans, `weights` >= 0 (1 without).
Rows with equal predictions count as tied, never in the order they lie in. ValueError for gaps, other lengths and one outcome only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from orchestration.predict.columns import Codes, Floats, outcomes

DECILE = 0.1
BINS = 10
CERTAIN = 1e-15  # log loss takes no probability as nearer to 0 or 1: a certain error costs 34.5, not infinitely much
Z95 = 1.959963984540054


def scored(
    prediction: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None, *, probability: bool = False
) -> tuple[Floats, Floats, Floats]:
    """The three arrays as floats, or ValueError in words."""
    if isinstance(prediction, pd.Series) and isinstance(churned, pd.Series) and not prediction.index.equals(churned.index):
        raise ValueError("predictions and outcomes have different indexes: align them first")
    try:
        score = pd.Series(prediction).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError):
        raise ValueError("predictions must be numbers, one per row") from None
    happened = outcomes(churned)
    weight = np.ones(len(happened)) if weights is None else pd.Series(weights).to_numpy(dtype=float, na_value=np.nan)
    if not len(score) == len(happened) == len(weight):
        raise ValueError(f"{len(score)} predictions, {len(happened)} outcomes and {len(weight)} weights: one of each per row")
    if len(score) == 0:
        raise ValueError("no rows to judge")
    if np.isnan(score).any():
        raise ValueError(f"{np.isnan(score).sum()} of {len(score)} predictions are missing: leave out customers for whom the model abstained")
    if not np.isfinite(weight).all() or weight.min() < 0 or weight.sum() == 0:
        raise ValueError("weights must be finite, not negative and not all zero")
    if probability and (score.min() < 0 or score.max() > 1):
        raise ValueError(f"probabilities lie in [0, 1]; here from {score.min():g} to {score.max():g}")
    return score, happened, weight


class Ranking:
    """Rows from the highest score down, ties together: sorted once, measured under as many weightings as resampling asks for.

    The measures take weights in the order of the rows given, and are NaN where they leave only one outcome.
    """

    def __init__(self, score: Floats, churned: Floats) -> None:
        self.order = np.argsort(-score, kind="stable")
        self.churned = churned[self.order]
        ordered = score[self.order]
        self.starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])  # first row of each set of ties

    def _sums(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weight of those who churned and of all, per set of ties."""
        weight = weights[self.order]
        return np.add.reduceat(weight * self.churned, self.starts), np.add.reduceat(weight, self.starts)

    def auc(self, weights: Floats) -> float:
        gone, rows = self._sums(weights)
        stayed = rows - gone
        below = stayed.sum() - np.cumsum(stayed)
        return _ratio(gone @ (below + stayed / 2), gone.sum() * stayed.sum())

    def pr_auc(self, weights: Floats) -> float:
        gone, rows = self._sums(weights)
        precision = np.cumsum(gone) / np.maximum(np.cumsum(rows), 1e-300)
        return _ratio(gone @ precision, gone.sum())

    def lift(self, weights: Floats, share: float = DECILE) -> float:
        gone, rows = self._sums(weights)
        room = np.clip(share * rows.sum() - (np.cumsum(rows) - rows), 0, rows)  # ties at the cut are taken in part, at their own rate
        caught = gone @ np.divide(room, rows, out=np.zeros_like(rows), where=rows > 0)
        return _ratio(caught / share, gone.sum())


def _ratio(above: float, below: float) -> float:
    return float(above / below) if below > 0 else float("nan")


def _defined(value: float, name: str) -> float:
    if np.isnan(value):
        raise ValueError(f"{name} needs customers who churned and customers who stayed")
    return value


def auc(score: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Chance that one who churned has the higher score than one who stayed; ties count half (Mann–Whitney)."""
    values, happened, weight = scored(score, churned, weights)
    return _defined(Ranking(values, happened).auc(weight), "AUC")


def pr_auc(score: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Average precision: the precision at each score that somebody who churned has, averaged over them. A coin gets the base rate."""
    values, happened, weight = scored(score, churned, weights)
    return _defined(Ranking(values, happened).pr_auc(weight), "PR-AUC")


def top_decile_lift(score: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None, *, share: float = DECILE) -> float:
    """Churn rate among the `share` with the highest scores ÷ churn rate of all. 1: no better than picking at random."""
    if not 0 < share <= 1:
        raise ValueError(f"share lies in (0, 1], not {share:g}")
    values, happened, weight = scored(score, churned, weights)
    return _defined(Ranking(values, happened).lift(weight, share), "lift")


def brier(probability: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean squared difference between probability and outcome (Brier 1950); 0 is perfect."""
    values, happened, weight = scored(probability, churned, weights, probability=True)
    return float(np.average(squared_errors(values, happened), weights=weight))


def log_loss(probability: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Mean of −ln(the probability given to what happened); 0 is perfect."""
    values, happened, weight = scored(probability, churned, weights, probability=True)
    return float(np.average(log_losses(values, happened), weights=weight))


def squared_errors(probability: Floats, churned: Floats) -> Floats:
    return (probability - churned) ** 2


def log_losses(probability: Floats, churned: Floats) -> Floats:
    return -np.log(np.clip(np.where(churned == 1, probability, 1 - probability), CERTAIN, 1))


def quantile_bins(probability: Floats, weights: Floats, bins: int = BINS) -> Codes:
    """Per row, which of at most `bins` equally heavy bins it lies in, from 0 for the lowest; equal probabilities share one."""
    if bins < 1:
        raise ValueError(f"at least one bin, not {bins}")
    distinct, place = np.unique(probability, return_inverse=True)
    heavy = np.bincount(place, weights, len(distinct))
    middle = (np.cumsum(heavy) - heavy / 2) / heavy.sum()
    return np.minimum((middle * bins + 1e-9).astype(np.intp), bins - 1)[place]


def calibration_table(probability: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None, *, bins: int = BINS) -> pd.DataFrame:
    """Predicted against observed, in bins of equally many rows: one row per bin that has any, lowest probabilities first.

    Columns: bin (from 1), probability_from, probability_to, mean_predicted, observed, low, high (Wilson's 95 % interval of `observed`),
    n and events (rows; weights weigh means and interval only).
    """
    values, happened, weight = scored(probability, churned, weights, probability=True)
    place = quantile_bins(values, weight, bins)
    return pd.DataFrame([_bin(each, values[rows], happened[rows], weight[rows]) for each, rows in _rows_of(place) if weight[rows].sum() > 0])


def _rows_of(place: Codes) -> Iterator[tuple[int, Codes]]:
    for each in np.unique(place):
        yield int(each), np.flatnonzero(place == each)


def _bin(number: int, probability: Floats, churned: Floats, weights: Floats) -> dict[str, float]:
    observed = float(np.average(churned, weights=weights))
    low, high = wilson_interval(observed, weights.sum() ** 2 / np.sum(weights**2))
    return {
        "bin": number + 1,
        "probability_from": probability.min(),
        "probability_to": probability.max(),
        "mean_predicted": float(np.average(probability, weights=weights)),
        "observed": observed,
        "low": low,
        "high": high,
        "n": len(probability),
        "events": int(churned.sum()),
    }


def wilson_interval(share: float, n: float, z: float = Z95) -> tuple[float, float]:
    """Interval of a share of `n` rows (Wilson 1927): stays within [0, 1], also where none or all churned. `n` > 0."""
    if n <= 0 or not 0 <= share <= 1:
        raise ValueError(f"an interval needs n > 0 and a share in [0, 1], not n = {n:g} and {share:g}")
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)


def expected_calibration_error(probability: ArrayLike, churned: ArrayLike, weights: ArrayLike | None = None, *, bins: int = BINS) -> float:
    """Mean distance between predicted and observed over the bins of `calibration_table`, weighted by their rows. 0 is perfect."""
    values, happened, weight = scored(probability, churned, weights, probability=True)
    return calibration_error(quantile_bins(values, weight, bins), values - happened, weight)


def calibration_error(place: Codes, errors: Floats, weights: Floats) -> float:
    """The same from bins that are known already; `errors`: predicted less observed, per row."""
    return float(np.abs(np.bincount(place, weights * errors)).sum() / weights.sum())

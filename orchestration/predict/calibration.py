"""Probabilities that mean what they say: how far a model's log-odds have to be pulled towards the average, seen on rows it was not fitted to.

Here belongs the straight line between a score and the log-odds (Platt 1999), with a prior; not the rows it is fitted to (churn.py). A line,
because it keeps contributions additive and ranks as they are; isotonic steps were measured and lost at every number of events that matters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from orchestration.predict.columns import Floats

PRIOR_SLOPE, PRIOR_SPREAD = 1.0, 0.25  # of a penalised fit: with few events the out-of-fold slope wavers by more than it is off
MOST_STEPS = 50


@dataclass(frozen=True)
class Line:
    """log-odds = intercept + slope × score, slope >= 0."""

    intercept: float
    slope: float

    def probability(self, score: Floats) -> Floats:
        return expit(self.intercept + self.slope * score)


def fit_line(score: Floats, churned: Floats, *, dispersion: float = 1.0, prior_spread: float | None = None) -> Line:
    """Maximum likelihood, or the mode under a normal prior on the slope (mean 1, `prior_spread`).

    score: finite, one per row; churned: 0 or 1, both occurring; dispersion: rows per independent row. The slope is never negative: a score
    that points the wrong way is worth as much as none.
    """
    precision = 0.0 if prior_spread is None else dispersion / prior_spread**2
    centre, scale = float(score.mean()), float(score.std())
    if scale < 1e-12:
        return Line(float(logit(churned.mean())), 0.0)
    standard = (score - centre) / scale
    prior_slope, precision = PRIOR_SLOPE * scale, precision / scale**2
    slope, intercept = _newton(standard, churned, prior_slope, max(precision, 1e-6))
    if slope <= 0:
        return Line(float(logit(churned.mean())), 0.0)
    return Line(float(intercept - slope / scale * centre), float(slope / scale))


def _newton(score: Floats, churned: Floats, prior_slope: float, precision: float) -> tuple[float, float]:
    """Slope and intercept on a standardised score. Halving keeps a step from overshooting where the classes are nearly separate."""

    def loss(slope: float, intercept: float) -> float:
        line = intercept + slope * score
        return float(np.sum(np.logaddexp(0, line) - churned * line) + precision * (slope - prior_slope) ** 2 / 2)

    slope, intercept = 0.0, float(logit(churned.mean()))
    for _ in range(MOST_STEPS):
        chance = expit(intercept + slope * score)
        weight, residual = chance * (1 - chance), churned - chance
        matrix = np.array([[weight @ score**2 + precision, weight @ score], [weight @ score, weight.sum()]]) + 1e-9 * np.eye(2)
        gradient = np.array([residual @ score - precision * (slope - prior_slope), residual.sum()])
        step, before = np.linalg.solve(matrix, gradient), loss(slope, intercept)
        for _ in range(30):
            if loss(slope + step[0], intercept + step[1]) <= before:
                break
            step /= 2
        slope, intercept = slope + step[0], intercept + step[1]
        if np.abs(step).max() < 1e-10:
            break
    return slope, intercept

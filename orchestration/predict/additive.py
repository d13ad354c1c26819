"""Additive logistic regression on codes: what each code of each feature adds to the log-odds, as smooth as the data ask for.

Here belongs the numerical fit; not how values become codes (binning.py) or what customers are told (churn.py).

Neighbouring bins are penalised for differing, and far more for bending (differences of differences), so that a slope costs less than a
step; categories and missing values for differing from the average. How strongly, is estimated per feature by marginal likelihood, so
that a feature that says nothing fades out: Wood & Fasiolo (2017), A generalized Fellner-Schall method for smoothing parameter
optimization, Biometrics 73(4). The indicators of missing values share one penalty.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.special import expit, logit

from orchestration.predict.binning import MISSING
from orchestration.predict.columns import Codes, Floats

LEVEL = 0.02  # penalty on a feature's mean contribution, relative to that on its steps: the level belongs to the intercept
CURVATURE = 50.0  # penalty on a bend, relative to that on a step: most of what moves churn moves it steadily
PENALTIES = (1e-2, 1e5)  # bounds: a feature that separates the classes stays finite, one that says nothing is as good as gone
FIRST_PENALTY = 10.0
REVIVED = 100.0  # a feature that a fit to all rows let fade may come back in a fit to some
MOST_ROUNDS = 60
# When a fit is done, for a model and for one that only calibrates another: degrees of freedom that the last round may still move a
# feature by, and the largest change of a parameter in the last step, in log-odds.
EXACT, CLOSE = (0.02, 1e-7), (0.1, 1e-3)


@dataclass(frozen=True)
class Additive:
    """A fit: log-odds = intercept + Σ tables[feature][code]. Over the training rows each feature's contributions average 0.

    `freedom`: effective degrees of freedom of each feature (0: it says nothing); `penalties` of its blocks, as the fit used them.
    """

    intercept: float
    tables: tuple[Floats, ...]
    freedom: Floats
    penalties: Floats


class Design:
    """Training rows as codes, with what the fit needs of them.

    codes: per feature, the code of each row; sizes: how many codes it has; ordered: are they bins of a number.
    """

    def __init__(self, codes: Sequence[Codes], sizes: Sequence[int], ordered: Sequence[bool]) -> None:
        self.codes, self.sizes, self.ordered = list(codes), list(sizes), list(ordered)
        self.starts = 1 + np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.intp)  # parameter 0 is the intercept

    def places(self, feature: int) -> slice:
        return slice(self.starts[feature], self.starts[feature + 1])

    def score(self, theta: Floats) -> Floats:
        """Log-odds of each row."""
        total = np.full(len(self.codes[0]), theta[0])
        for feature, codes in enumerate(self.codes):
            total += theta[self.places(feature)][codes]
        return total

    def sums(self, weights: Floats) -> Floats:
        """Sum of `weights` over the rows of each parameter: Xᵀw."""
        return np.concatenate([[weights.sum()], *(np.bincount(codes, weights, size) for codes, size in zip(self.codes, self.sizes, strict=True))])

    def information(self, weights: Floats) -> Floats:
        """XᵀWX, from the two-way tables of all pairs of features."""
        matrix = np.diag(self.sums(weights))
        matrix[0, 1:] = matrix[1:, 0] = np.diag(matrix)[1:]
        for a, rows in enumerate(self.codes):
            for b in range(a + 1, len(self.codes)):
                cell = rows * self.sizes[b]
                cell += self.codes[b]
                table = np.bincount(cell, weights, self.sizes[a] * self.sizes[b]).reshape(self.sizes[a], self.sizes[b])
                matrix[self.places(a), self.places(b)], matrix[self.places(b), self.places(a)] = table, table.T
        return matrix

    def subset(self, rows: Codes) -> Design:
        return Design([codes[rows] for codes in self.codes], self.sizes, self.ordered)

    @cached_property
    def shares(self) -> list[Floats]:
        """Per feature, the share of the rows with each code."""
        return [np.bincount(codes, minlength=size) / len(codes) for codes, size in zip(self.codes, self.sizes, strict=True)]

    @cached_property
    def blocks(self) -> list[tuple[Codes, Floats]]:
        """What is penalised together: places of parameters and their penalty matrix (of full rank), features first, missing values last."""
        found = []
        for feature, (size, is_ordered) in enumerate(zip(self.sizes, self.ordered, strict=True)):
            places = self.starts[feature] + np.arange(1, size)
            if is_ordered:
                steps, bends = np.diff(np.eye(size - 1), axis=0), np.diff(np.eye(size - 1), n=2, axis=0)
                level = np.diag(LEVEL * (size - 1) * np.maximum(self.shares[feature][1:], 1e-6))
                found.append((places, steps.T @ steps + CURVATURE * bends.T @ bends + level))
            else:
                found.append((places, np.eye(size - 1)))
        return [*found, (self.starts[:-1] + MISSING, np.eye(len(self.sizes)))]

    def penalty(self, penalties: Floats) -> Floats:
        matrix = np.zeros((self.starts[-1], self.starts[-1]))
        for strength, (places, shape) in zip(penalties, self.blocks, strict=True):
            matrix[np.ix_(places, places)] = strength * shape
        return matrix


def fit_additive(design: Design, churned: Floats, *, dispersion: float = 1.0, start: Additive | None = None) -> Additive:
    """Fit to training rows that hold both outcomes.

    churned: 0 or 1 per row. dispersion: rows that say the same thing over again per one that is new; 1 = rows are independent. Snapshots of
    one customer are not, and a fit that takes them to be would believe in noise. start: a fit to about the same rows, to begin from: the
    penalties are found anew, because penalties that have seen a row flatter its prediction.
    """
    newton = _Newton(design, churned, dispersion, start)
    penalties = np.full(len(design.blocks), FIRST_PENALTY) if start is None else np.minimum(start.penalties, REVIVED)
    freedom, (settled, still) = np.zeros(len(penalties)), EXACT if start is None else CLOSE
    for _ in range(MOST_ROUNDS):
        change, spread = newton.step(penalties)
        before, freedom = freedom, np.empty_like(penalties)
        for block, (places, shape) in enumerate(design.blocks):
            freedom[block] = max(len(places) - penalties[block] * np.sum(spread[np.ix_(places, places)] * shape), 1e-9)
            size = newton.theta[places] @ shape @ newton.theta[places]
            # Fellner-Schall's own step (the ratio to the power 1) is safe but slow where a penalty grows without end.
            penalties[block] *= np.clip(freedom[block] / max(penalties[block] * size, 1e-12), 1 / 30, 30) ** 1.5
        penalties = np.clip(penalties, *PENALTIES)
        if np.abs(freedom - before).max() < settled and change < 0.01:
            break
    newton.converge(penalties, still)
    return _centred(design, newton.theta, freedom, penalties)


def _centred(design: Design, theta: Floats, freedom: Floats, penalties: Floats) -> Additive:
    intercept, tables = theta[0], []
    for feature, share in enumerate(design.shares):
        table = theta[design.places(feature)]
        average = share @ table
        intercept += average
        tables.append(np.where(share > 0, table - average, 0.0))  # of a code that never occurred nothing is known
    return Additive(float(intercept), tuple(tables), freedom[: len(design.sizes)], penalties)


class _Newton:
    """Penalised Newton steps, with halving, that renew the information matrix only when the parameters have moved."""

    STALE = 0.3  # log-odds: a larger move makes the information matrix too old

    def __init__(self, design: Design, churned: Floats, dispersion: float, start: Additive | None = None) -> None:
        self.design, self.churned, self.dispersion = design, churned, dispersion
        self.theta = np.zeros(design.starts[-1])
        self.theta[0] = logit(churned.mean())
        if start is not None:
            self.theta = np.concatenate([[start.intercept], *start.tables])
        self.score = design.score(self.theta)
        self._renew()

    def _renew(self) -> None:
        chance = expit(self.score)
        self.matrix, self.moved = self.design.information(chance * (1 - chance) / self.dispersion), 0.0

    def _loss(self, theta: Floats, score: Floats, penalty: Floats) -> float:
        deviance = np.sum(np.logaddexp(0, score) - self.churned * score)
        return float(deviance / self.dispersion + theta @ penalty @ theta / 2)

    def step(self, penalties: Floats) -> tuple[float, Floats]:
        """One step; the largest change of a parameter, and the parameters' covariance given the penalties (before the step)."""
        penalty = self.design.penalty(penalties)
        if self.moved > self.STALE:
            self._renew()
        spread = _inverse(self.matrix + penalty + 1e-9 * np.eye(len(penalty)))
        gradient = self.design.sums((self.churned - expit(self.score)) / self.dispersion) - penalty @ self.theta
        direction, before = spread @ gradient, self._loss(self.theta, self.score, penalty)
        for halving in range(12):
            theta = self.theta + direction / 2**halving
            score = self.design.score(theta)
            if self._loss(theta, score, penalty) <= before + 1e-9 * abs(before):
                break
        change = float(np.abs(theta - self.theta).max())
        self.moved += change
        self.theta, self.score = theta, score
        return change, spread

    def converge(self, penalties: Floats, least: float) -> None:
        for _ in range(MOST_ROUNDS):
            if self.step(penalties)[0] < least:
                return


def _inverse(matrix: Floats) -> Floats:
    """Of a symmetric positive definite matrix, by Cholesky: half the time of scipy.linalg.inv, which looks for its structure first."""
    factor, failed = dpotrf(matrix, lower=1)
    if failed:
        raise np.linalg.LinAlgError("the information matrix is not positive definite")
    lower, _ = dpotri(factor, lower=1, overwrite_c=1)
    inverse = lower + lower.T
    np.fill_diagonal(inverse, lower.diagonal())
    return inverse

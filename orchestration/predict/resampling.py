"""Intervals by drawing customers again: for measures without a variance of their own.

Here belongs the bootstrap over whole customers (Efron & Tibshirani 1993, ch. 8): snapshots of one customer go in and out together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from orchestration.predict.columns import Codes, Floats

RESAMPLES = 200
TAILS = (2.5, 97.5)


def draws(customers: Codes, resamples: int = RESAMPLES, random_state: int = 0) -> Iterator[Floats]:
    """Weights per row, `resamples` times: how often its customer was drawn, of as many draws as there are customers."""
    generator, total = np.random.default_rng(random_state), int(customers.max()) + 1
    for _ in range(resamples):
        yield np.bincount(generator.integers(0, total, total), minlength=total).astype(float)[customers]


def percentile_intervals(
    measures: Mapping[str, Callable[[Floats], float]], customers: Codes, *, resamples: int = RESAMPLES, random_state: int = 0
) -> dict[str, tuple[float, float]]:
    """95 % interval per measure (a function of weights per row), from the same draws; draws that leave it NaN don't count."""
    found = {name: [] for name in measures}
    for weights in draws(customers, resamples, random_state):
        for name, measure in measures.items():
            found[name].append(measure(weights))
    return {name: _ends(np.array(values)) for name, values in found.items()}


def _ends(values: Floats) -> tuple[float, float]:
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.percentile(values, TAILS)
    return float(low), float(high)


def mean_interval(values: Floats, customers: Codes, z: float) -> tuple[float, float]:
    """Interval of the mean of `values`, one per row, by the variance between customers' sums (Taylor linearisation). NaN for one customer."""
    sums = np.bincount(customers, values - values.mean())
    number = len(np.unique(customers))
    if number < 2:
        return float("nan"), float("nan")
    half = z * np.sqrt(number / (number - 1) * (sums @ sums)) / len(values)
    return float(values.mean() - half), float(values.mean() + half)

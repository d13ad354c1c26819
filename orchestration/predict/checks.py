"""What the models of this package ask of their input, and rows that are alike put together.

Here belongs turning whatever the caller has (lists, Series, decimals) into arrays of floats, or refusing it in one line; not what a
particular model needs beyond that.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

SAMPLE = 10_000


def numbers(name: str, values: ArrayLike, *, least: float = -np.inf) -> Floats:
    """`values` as floats of any shape; ValueError where one is missing, infinite, no number or below `least`."""
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers only, without gaps") from None
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds {np.count_nonzero(~np.isfinite(array))} missing or infinite values")
    if array.size and array.min() < least:
        raise ValueError(f"{name} must be at least {least:g}; the smallest is {array.min():g}")
    return array


def counts(name: str, values: ArrayLike) -> Floats:
    """`values` as floats; ValueError unless all are whole and none is negative."""
    array = numbers(name, values, least=0)
    if (array != np.rint(array)).any():
        raise ValueError(f"{name} holds counts: whole numbers only")
    return array


def number(name: str, value: float, *, least: float = -np.inf) -> float:
    """One number; ValueError otherwise."""
    array = numbers(name, value, least=least)
    if array.ndim:
        raise ValueError(f"{name} is one number")
    return float(array)


def together(**arrays: Floats) -> tuple[Floats, ...]:
    """Arrays of one shape, by broadcasting; ValueError where their shapes do not fit."""
    try:
        return np.broadcast_arrays(*arrays.values())
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        raise ValueError(f"one value per customer each, but the shapes are {shapes}") from None


def purchase_history(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> tuple[Floats, ...]:
    """Repeat purchases, time of the last one and time observed, both since the first purchase; ValueError where they contradict."""
    x, last, observed = together(frequency=counts("frequency", frequency), recency=numbers("recency", recency, least=0), T=numbers("T", T, least=0))
    if (last > observed).any():
        raise ValueError("recency is later than T: nobody buys after the end of the observation")
    if ((x == 0) & (last > 0)).any():
        raise ValueError("recency must be 0 where frequency is 0: it is the time of the last repeat purchase")
    return x, last, observed


def weighted_rows(weights: ArrayLike | None, *columns: Floats) -> tuple[list[Floats], Floats]:
    """Columns of one shape and the weight of each row (1 without `weights`), without the rows that weigh nothing."""
    shape = columns[0].shape
    weight = np.ones(shape) if weights is None else numbers("weights", weights, least=0)
    if len(shape) != 1 or weight.shape != shape:
        raise ValueError(f"one value and one weight per customer each, but the shapes are {shape} and {weight.shape}")
    if (weight > 0).all():
        return list(columns), weight
    return [column[weight > 0] for column in columns], weight[weight > 0]


def distinct(*columns: Floats) -> tuple[list[Floats], NDArray[np.intp]]:
    """The distinct rows of `columns`, as columns, and the row among them that each row given is equal to.

    Hashed, not sorted. Where a sample holds no two equal rows there is nothing to save, and the rows are returned as they are.
    """
    rows = len(columns[0])
    if rows > 10 * SAMPLE:
        some, places = distinct(*(column[:: rows // SAMPLE] for column in columns))
        if len(some[0]) == len(places):
            return list(columns), np.arange(rows)
    from pandas import factorize

    index = np.zeros(rows, dtype=np.intp)
    for column in columns:
        codes, values = factorize(column)
        index, _ = factorize(index * len(values) + codes)
    representative = np.empty(int(index.max(initial=-1)) + 1, dtype=np.intp)
    representative[index] = np.arange(rows)
    return [column[representative] for column in columns], index


def cells(weight: Floats, *columns: Floats) -> tuple[list[Floats], Floats]:
    """Sufficient statistics: the distinct rows and the sum of weights in each, so that cost follows cells, not customers."""
    rows, index = distinct(*columns)
    return rows, np.bincount(index, weight, minlength=len(rows[0]))

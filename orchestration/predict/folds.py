"""Training before, test after: which snapshots a model may learn from when it is judged as if it had been used at the time.

Here belong dates alone; not fitting or judging (evaluate.py). The outcome of a snapshot is known `label_days` later and trains nothing
before: a random split would put a customer's March into training and its April, with the same outcome, into the test.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestration.predict.columns import Codes

LABEL_DAYS = 90


@dataclass(frozen=True)
class Fold:
    """Positions of the rows to train on and to test on, and the dates of their snapshots, both ends inclusive."""

    number: int
    train: Codes
    test: Codes
    train_until: date
    test_from: date
    test_until: date


def as_days(dates: pd.Series | NDArray) -> NDArray[np.datetime64]:
    """Dates or times (of any zone: its own calendar) as days, NaT where missing. ValueError for what is no date."""
    given = pd.Series(np.asarray(dates))
    try:
        days = pd.to_datetime(given)
    except (ValueError, TypeError):
        days = given
    if pd.api.types.is_numeric_dtype(given.dtype) or not pd.api.types.is_datetime64_any_dtype(days.dtype):
        raise ValueError("snapshot dates, and the days on which values were known, must be dates: one per row")
    if days.dt.tz is not None:
        days = days.dt.tz_localize(None)
    return days.to_numpy().astype("datetime64[D]")


def snapshot_days(snapshot_dates: pd.Series | NDArray) -> NDArray[np.datetime64]:
    """Days of snapshots; ValueError where one is missing."""
    days = as_days(snapshot_dates)
    if np.isnat(days).any():
        raise ValueError(f"{np.count_nonzero(np.isnat(days))} of {len(days)} snapshot dates are missing")
    return days


def trainable(snapshot_dates: pd.Series | NDArray, as_of: date, *, label_days: int = LABEL_DAYS) -> NDArray[np.bool_]:
    """Per row, whether its outcome is known at the end of `as_of`: the latest `label_days` train nothing."""
    return snapshot_days(snapshot_dates) + np.timedelta64(label_days, "D") <= np.datetime64(as_of, "D")


def split_by_time(snapshot_dates: pd.Series | NDArray, *, folds: int, label_days: int = LABEL_DAYS) -> list[Fold]:
    """Expanding windows, oldest fold first: each trains on everything up to `label_days` before its first test snapshot.

    snapshot_dates: one per row, in any order; all rows must be ones whose outcome is known (`trainable`). The test sets are consecutive
    and share out, as evenly as whole snapshot dates allow, the later folds / (folds + 1) of the dates, or as many as have something to train on.
    ValueError where there is not a date for each fold.
    """
    if folds < 1 or label_days < 1:
        raise ValueError(f"folds and label_days must be at least 1, not {folds} and {label_days}")
    days = snapshot_days(snapshot_dates)
    dates = np.unique(days)
    lag = np.timedelta64(label_days, "D")
    usable = dates[dates >= dates[0] + lag] if len(dates) else dates
    tested = usable[-max(len(dates) * folds // (folds + 1), folds) :]
    if len(dates) == 0 or len(tested) < folds or tested[0] == dates[0]:
        raise ValueError(
            f"{folds} folds need as many snapshot dates at least {label_days} days after the first; there are {len(usable)} of {len(dates)} in all"
        )
    found = []
    for number, part in enumerate(np.array_split(tested, folds), start=1):
        train, test = np.flatnonzero(days + lag <= part[0]), np.flatnonzero((part[0] <= days) & (days <= part[-1]))
        found.append(Fold(number, train, test, days[train].max().item(), part[0].item(), part[-1].item()))
    return found

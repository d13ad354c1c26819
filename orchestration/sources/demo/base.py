"""What every part of the demo company shares: its calendar, ids, and records that change over time.

Not here: anything about one domain. Times are int64 seconds since 1970 (UTC) until a table is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

DAY = 86_400
EPOCH = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp())
NEVER = np.iinfo(np.int64).max // 2  # "has not happened and will not"
EXPONENT = {"USD": 2, "EUR": 2, "JPY": 0}  # decimals of a currency's minor unit

Frame = pd.DataFrame


@dataclass(frozen=True)
class Scope:
    """One block of the company: who is in it and which days it lives through."""

    seed: int
    block: int
    first: int  # global number of the block's first customer
    customers: int  # those that come before last_day
    days: int
    horizon: int

    @property
    def end(self) -> int:
        """Second at which the simulated world ends."""
        return EPOCH + (self.days + self.horizon) * DAY

    @property
    def offset(self) -> int:
        """Distance between the ids of two blocks."""
        return self.block * 10_000_000

    def rng(self, topic: str, part: int = 0) -> np.random.Generator:
        """A generator of its own for each topic, so that a change in one leaves the others as they were."""
        return np.random.default_rng([self.seed, self.block, int.from_bytes(topic.encode()[:7], "big"), part])


def seconds(moment: date | datetime) -> int:
    """Seconds of a UTC moment; a date means its first second, a naive time is UTC."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def end_of(day: date) -> int:
    """First second after `day`."""
    return seconds(day + timedelta(days=1))


def stamp(values: np.ndarray) -> np.ndarray:
    """Seconds to timestamps; NEVER becomes NaT."""
    values = np.asarray(values, dtype="int64")
    out = values.astype("datetime64[s]").astype("datetime64[us]")
    out[values >= NEVER] = np.datetime64("NaT")
    return out


def ids(prefix: str, numbers: np.ndarray, width: int = 0) -> pa.Array:
    """`prefix` and a number, as text; negative numbers give NULL."""
    numbers = np.asarray(numbers, dtype="int64")
    text = pa.array(numbers).cast(pa.string())
    if width:
        text = pc.utf8_lpad(text, width, "0")
    text = pc.binary_join_element_wise(prefix, text, "")
    return pc.if_else(pa.array(numbers >= 0), text, pa.scalar(None, pa.string()))


def text(prefix: str, scope: Scope, numbers: np.ndarray) -> np.ndarray:
    """Ids of this block as Python text; negative numbers are NULL."""
    numbers = np.asarray(numbers)
    return ids(prefix, np.where(numbers < 0, -1, numbers + scope.offset), 10).to_numpy(zero_copy_only=False)


def pick(values: list | np.ndarray, index: np.ndarray) -> np.ndarray:
    """values[index], with NULL where the index is negative."""
    chosen = np.asarray([*list(values), None], dtype=object)
    return chosen[np.where(index < 0, len(values), index)]


def add_months(start: np.ndarray, months: np.ndarray) -> np.ndarray:
    """`start` moved by whole months, keeping its day of month where the month is long enough (31 Jan → 29 Feb → 31 Mar)."""
    moment = np.asarray(start, dtype="int64").astype("datetime64[s]")
    day = moment.astype("datetime64[D]")
    first = moment.astype("datetime64[M]")
    in_month = (day - first.astype("datetime64[D]")).astype("int64")
    target = first + np.asarray(months, dtype="int64").astype("timedelta64[M]")
    length = ((target + np.timedelta64(1, "M")).astype("datetime64[D]") - target.astype("datetime64[D]")).astype("int64")
    clock = (moment - day.astype("datetime64[s]")).astype("int64")
    return target.astype("datetime64[s]").astype("int64") + np.minimum(in_month, length - 1) * DAY + clock


def office_hours(rng: np.random.Generator, days: np.ndarray) -> np.ndarray:
    """A random moment between 07:00 and 19:00 UTC of each day (days = whole days since FIRST_DAY)."""
    return EPOCH + np.asarray(days, dtype="int64") * DAY + rng.integers(7 * 3600, 19 * 3600, len(days))


@dataclass
class Versions:
    """A table with the history of every record: one row a version, ordered by key and time.

    `at` is the moment from which a version can be seen; `gone` marks the moment at which a record vanishes without trace.
    Columns that start with "_" are for the facades and never written to files.
    """

    frame: Frame
    key: np.ndarray
    at: np.ndarray
    gone: np.ndarray
    money: tuple[str, ...] = ()  # columns in minor units of the row's currency

    @classmethod
    def build(cls, frame: Frame, key: np.ndarray, at: np.ndarray, gone: np.ndarray | None = None, money: tuple[str, ...] = ()) -> Versions:
        """Sort by key and time. What would happen at NEVER is dropped."""
        key, at = np.asarray(key), np.asarray(at, dtype="int64")
        gone = np.zeros(len(frame), dtype=bool) if gone is None else np.asarray(gone)
        order = np.lexsort((at, key))
        order = order[at[order] < NEVER]
        return cls(frame.iloc[order].reset_index(drop=True), key[order], at[order], gone[order], money)

    def rows_at(self, until: int, since: int | None = None) -> np.ndarray:
        """Positions of the newest version of each live record seen before `until`; with `since`, only those seen from then on."""
        seen = self.at < until
        newest = seen.copy()
        newest[:-1] &= (self.key[1:] != self.key[:-1]) | ~seen[1:]
        newest &= ~self.gone
        if since is not None:
            newest &= self.at >= since
        return np.flatnonzero(newest)

    def view(self, until: int, since: int | None = None) -> Frame:
        """The records as they stand just before `until`."""
        return self.frame.iloc[self.rows_at(until, since)]


def join_versions(parts: list[Versions]) -> Versions:
    """The same table of several blocks as one; keys are moved apart."""
    if len(parts) == 1:
        return parts[0]
    shift = np.cumsum([0] + [int(p.key.max(initial=-1)) + 1 for p in parts[:-1]])
    frame = pd.concat([p.frame for p in parts], ignore_index=True)
    key = np.concatenate([p.key + s for p, s in zip(parts, shift, strict=True)])
    return Versions(frame, key, np.concatenate([p.at for p in parts]), np.concatenate([p.gone for p in parts]), parts[0].money)


def forward_fill(events: Frame, by: str, at: str, columns: list[str]) -> Frame:
    """Full states from partial events: each row takes what it does not say from the row before it (per `by`)."""
    events = events.sort_values([by, at], kind="stable").reset_index(drop=True)
    events[columns] = events.groupby(by, sort=False)[columns].ffill()
    last = ~events.duplicated([by, at], keep="last")
    return events[last].reset_index(drop=True)

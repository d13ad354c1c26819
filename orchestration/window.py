"""Which days a run covers.

Here belongs the arithmetic of run windows, pure and without I/O; not where the dates come from (cli.py, jobs.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


class WindowError(ValueError):
    """A range of days that cannot be run: one line for the person who asked for it."""


@dataclass(frozen=True)
class RunWindow:
    """The days of one run, both inclusive, and what it takes for granted.

    start..end are the days asked for; daily tables are computed from `compute_from` (start less the restatement window), because a
    day is settled only once that many days have passed. Nothing after `as_of` counts: it is `end`, or the newest day that was
    ever published if a backfill repeats older days.
    """

    start: date
    end: date
    as_of: date
    restatement_days: int

    @property
    def compute_from(self) -> date:
        return self.start - timedelta(days=self.restatement_days)

    @property
    def days(self) -> list[date]:
        return [self.start + timedelta(days=n) for n in range((self.end - self.start).days + 1)]


def make_window(
    start: date, end: date, *, newest: date | None, restatement_days: int, today: date | None = None, first: date | None = None
) -> RunWindow:
    """A window for start..end; `newest` is the as-of date of the published version, if there is one; `today` None: any later day can be run,
    `first` None: any earlier one.

    Days that were never run before `start` join the window: a daily table must have no hole.
    """
    if start > end:
        raise WindowError(f"the range starts on {start} and ends before that, on {end}: swap --from and --to")
    if today is not None and end > today:
        raise WindowError(f"{end} has not come: today is {today}. Is it mistyped? After a load of that day none before it would be pulled")
    if first is not None and start < first:
        raise WindowError(f"{start} is before {first}, the first day that can be run: set CSW_FIRST_PARTITION to an earlier day")
    if newest is not None:
        start = min(start, newest + timedelta(days=1))
    return RunWindow(start, end, max(end, newest or end), restatement_days)


def next_days(*, newest: date | None, yesterday: date) -> tuple[date, date]:
    """What a run without dates covers: everything since the newest published day, up to yesterday; at least yesterday again."""
    if newest is None or newest >= yesterday:
        return yesterday, yesterday
    return newest + timedelta(days=1), yesterday


def end_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment after `day` in `zone`, as UTC: 23, 24 or 25 hours after its start."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)


def today_in(zone: ZoneInfo, now: datetime | None = None) -> date:
    return (now or datetime.now(UTC)).astimezone(zone).date()


def yesterday_in(zone: ZoneInfo, now: datetime | None = None) -> date:
    return today_in(zone, now) - timedelta(days=1)

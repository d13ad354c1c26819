"""The days of the demo company's story, for those who only need to know when it plays."""

from __future__ import annotations

from datetime import date, timedelta

FIRST_DAY = date(2024, 1, 1)  # a leap year, so that 29 February and four DST days fall into the default span
HORIZON = 180  # days that the story goes on for after its last day, unseen until the clock reaches them


def last_day(days: int) -> date:
    """The day up to which a first run goes."""
    return FIRST_DAY + timedelta(days=days - 1)

"""Run windows: what a run covers, what it recomputes, and where its last day ends."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.window import WindowError, end_of_day, make_window, next_days, yesterday_in

DAYS = st.dates(date(2020, 1, 1), date(2030, 1, 1))


def test_a_daily_run_recomputes_the_restatement_window():
    window = make_window(date(2025, 3, 10), date(2025, 3, 10), newest=date(2025, 3, 9), restatement_days=3)
    assert (window.compute_from, window.end, window.as_of) == (date(2025, 3, 7), date(2025, 3, 10), date(2025, 3, 10))


def test_as_of_never_goes_back():
    window = make_window(date(2025, 1, 1), date(2025, 1, 31), newest=date(2025, 3, 9), restatement_days=3)
    assert (window.compute_from, window.end, window.as_of) == (date(2024, 12, 29), date(2025, 1, 31), date(2025, 3, 9))


def test_days_that_were_never_run_join_the_window():
    window = make_window(date(2025, 3, 20), date(2025, 3, 20), newest=date(2025, 3, 9), restatement_days=0)
    assert window.days[0] == date(2025, 3, 10)
    assert len(window.days) == 11


def test_a_range_that_ends_before_it_starts_is_refused():
    with pytest.raises(WindowError, match="swap --from and --to"):
        make_window(date(2025, 3, 2), date(2025, 3, 1), newest=None, restatement_days=3)


def test_a_missed_week_is_caught_up_in_one_run():
    assert next_days(newest=date(2025, 3, 1), yesterday=date(2025, 3, 8)) == (date(2025, 3, 2), date(2025, 3, 8))
    assert next_days(newest=None, yesterday=date(2025, 3, 8)) == (date(2025, 3, 8), date(2025, 3, 8))
    assert next_days(newest=date(2025, 3, 8), yesterday=date(2025, 3, 8)) == (date(2025, 3, 8), date(2025, 3, 8))


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2025, 3, 29), "Europe/Berlin", datetime(2025, 3, 29, 23, tzinfo=UTC)),
        (date(2025, 3, 30), "Europe/Berlin", datetime(2025, 3, 30, 22, tzinfo=UTC)),  # a day of 23 hours
        (date(2025, 10, 26), "Europe/Berlin", datetime(2025, 10, 26, 23, tzinfo=UTC)),  # a day of 25 hours
        (date(2024, 2, 28), "Asia/Kolkata", datetime(2024, 2, 28, 18, 30, tzinfo=UTC)),  # half-hour zone, before a leap day
        (date(2024, 2, 29), "UTC", datetime(2024, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_day_ends_at_midnight_of_its_zone(day, zone, end):
    assert end_of_day(day, ZoneInfo(zone)) == end


def test_yesterday_is_the_zones():
    now = datetime(2025, 5, 1, 2, tzinfo=UTC)
    assert yesterday_in(ZoneInfo("UTC"), now) == date(2025, 4, 30)
    assert yesterday_in(ZoneInfo("America/New_York"), now) == date(2025, 4, 29)


@given(DAYS, DAYS, st.one_of(st.none(), DAYS), st.integers(0, 60))
def test_a_window_covers_what_was_asked_and_leaves_no_hole(one, other, newest, restatement_days):
    start, end = min(one, other), max(one, other)
    window = make_window(start, end, newest=newest, restatement_days=restatement_days)
    assert window.start <= start
    assert window.end == end <= window.as_of
    assert window.days == sorted(set(window.days))
    assert newest is None or (window.start - newest).days <= 1

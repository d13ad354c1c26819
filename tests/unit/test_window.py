"""Run windows: what a run covers, what it recomputes, and where its last day ends."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from orchestration import cli
from orchestration.runs import PARTITION, RANGE_END, RANGE_START, window_of
from orchestration.settings import load_settings
from orchestration.window import WindowError, end_of_day, make_window, next_days, yesterday_in

OWN = {f"{domain}_sources": () for domain in ("crm", "billing", "support", "survey")} | {"product_sources": ("files",), "files_dir": "drop"}
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


def test_days_that_have_not_come_are_refused():
    today = date(2025, 3, 2)
    assert make_window(today, today, newest=None, restatement_days=3, today=today).end == today
    with pytest.raises(WindowError, match=r"2052-03-01 has not come: today is 2025-03-02\. Is it mistyped"):
        make_window(date(2025, 3, 1), date(2052, 3, 1), newest=None, restatement_days=3, today=today)


def test_a_mistyped_year_is_refused_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(cli, "load_settings", lambda: load_settings(_env_file=None, data_dir=tmp_path, **OWN))
    monkeypatch.setattr(cli, "_run", lambda *_, **__: pytest.fail("a run began"))
    result = CliRunner().invoke(cli.app, ["run", "--date", "2062-05-09"])
    assert isinstance(result.exception, WindowError)


@pytest.mark.parametrize("arguments", [["--date", "2024-01-09"], ["--from", "2024-01-09", "--to", "2024-03-01"], []])
def test_a_day_before_the_first_partition_is_refused_before_anything_runs(monkeypatch, tmp_path, arguments):
    """Dagster would say it in its own words, after everything was pulled. Without a date: a first day that has not come."""
    first = date(2024, 1, 10) if arguments else date(2124, 1, 10)
    monkeypatch.setattr(cli, "load_settings", lambda: load_settings(_env_file=None, data_dir=tmp_path, first_partition=first, **OWN))
    monkeypatch.setattr(cli, "_run", lambda *_, **__: pytest.fail("a run began"))
    result = CliRunner().invoke(cli.app, ["run", *arguments])
    assert isinstance(result.exception, WindowError)
    assert str(result.exception).endswith(f"is before {first}, the first day that can be run: set CSW_FIRST_PARTITION to an earlier day")


def test_the_first_partition_can_be_run():
    first = date(2024, 1, 10)
    assert make_window(first, first, newest=None, restatement_days=3, first=first).start == first


@pytest.mark.parametrize("tag", [{RANGE_START: "2024-05-01", RANGE_END: "2062-05-09"}, {PARTITION: "2062-05-09"}], ids=["range", "partition"])
def test_a_partition_that_has_not_come_is_refused_but_for_the_demo(tmp_path, tag):
    run = SimpleNamespace(tags=tag)
    with pytest.raises(WindowError, match="2062-05-09 has not come"):
        window_of(run, load_settings(_env_file=None, data_dir=tmp_path, **OWN))
    assert window_of(run, load_settings(_env_file=None, data_dir=tmp_path)).end == date(2062, 5, 9)


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

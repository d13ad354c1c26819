"""What is tried again when a source cannot be read: a try costs up to two minutes, so only what may pass by itself gets one."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest
from dagster import Failure

from orchestration.assets.raw import land
from orchestration.contracts import load_contracts
from orchestration.domains import DOMAINS, source_setting
from orchestration.lake_views import register_raw_views
from orchestration.landing import Lake
from orchestration.settings import load_settings
from orchestration.sources.base import TransientSourceError
from orchestration.window import make_window

DAY = date(2024, 5, 29)
NO_DOMAIN = {source_setting(domain).lower(): () for domain in DOMAINS}
NOT_UTF_8 = {"invoices.csv": b"invoice_id\xff,customer_id\n1,2\n"}


def landed(data_dir, **settings):
    settings = load_settings(data_dir=data_dir, **NO_DOMAIN | settings)
    lake = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts())
    return land(settings, lake, make_window(DAY, DAY, newest=None, restatement_days=settings.restatement_days), "run")


@pytest.mark.parametrize(
    ("files", "told"),
    [({}, "raw: files: no table for billing in the drop folder"), (NOT_UTF_8, "files: billing/invoices.csv: the header is not UTF-8")],
    ids=["while it is opened", "while it is pulled"],
)
def test_what_will_not_pass_by_itself_is_told_at_once(tmp_path, files, told):
    drop = tmp_path / "drop"
    (drop / "billing").mkdir(parents=True)
    for name, content in files.items():
        (drop / "billing" / name).write_bytes(content)
    with pytest.raises(Failure) as failed:
        landed(tmp_path / "data", files_dir=drop, billing_sources=("files",))
    assert failed.value.description.startswith(told)
    assert not failed.value.allow_retries


def test_a_server_that_does_not_answer_is_asked_again(tmp_path):
    with pytest.raises(TransientSourceError, match="sql: no PostgreSQL server answers"):
        landed(tmp_path, sql_dsn="postgresql://csw:canary@127.0.0.1:9/postgres", billing_sources=("sql",))


def test_a_fault_of_the_program_is_not_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Lake, "load", lambda *_, **__: 1 / 0)
    (tmp_path / "drop" / "billing").mkdir(parents=True)
    (tmp_path / "drop" / "billing" / "customers.csv").write_text("customer_id\n1\n")
    with pytest.raises(Failure, match="files: ZeroDivisionError: see the run in the Dagster page") as failed:
        landed(tmp_path / "data", files_dir=tmp_path / "drop", billing_sources=("files",))
    assert not failed.value.allow_retries


class TestDamage:
    """Three days of one drop folder: what each load says to do about damage is done, and works."""

    days = tuple(date(2024, 5, number) for number in (1, 2, 3))

    @pytest.fixture
    def settings(self, tmp_path):
        (tmp_path / "drop/billing/customers").mkdir(parents=True)
        settings = load_settings(data_dir=tmp_path / "data", files_dir=tmp_path / "drop", **NO_DOMAIN | {"billing_sources": ("files",)})
        for day in self.days:
            line = f"c{day.day},DE,{day}T00:00:00Z,{day}T00:00:00Z\n"
            (tmp_path / f"drop/billing/customers/{day}.csv").write_text(f"customer_id,country,created_at,updated_at\n{line}")
            assert self.run(settings, day) == 1
        return settings

    def run(self, settings, day, run_id=None):
        lake = self.lake(settings)
        landed = land(settings, lake, make_window(day, day, newest=None, restatement_days=3), run_id or f"run of {day}")
        return landed.get("own__customers", (0, 0))[0]

    def lake(self, settings):
        return Lake(settings.lake_dir, settings.quarantine_dir, load_contracts())

    def file(self, settings, day, pattern):
        (path,) = (settings.lake_dir / f"raw/files/customers/load_date={day}").glob(pattern)
        return path

    def test_a_damaged_newest_load_stops_the_next_day_and_is_replaced_when_its_day_is_run_again(self, settings):
        path = self.file(settings, self.days[2], "manifest.json")
        path.write_bytes(path.read_bytes()[:200])
        with pytest.raises(Failure) as failed:
            self.run(settings, date(2024, 5, 4))
        assert failed.value.description == (
            "files: manifest of files/customers/load_date=2024-05-03: it is damaged; run that day again, or restore the folder from a backup"
        )
        assert self.run(settings, self.days[2], "again") == 1
        assert self.lake(settings).verify() == []
        assert self.run(settings, date(2024, 5, 4)) == 0  # nothing new was dropped

    @pytest.mark.parametrize("pattern", ["manifest.json", "*.parquet", "state.json"])
    def test_an_older_day_is_pulled_again_if_it_is_damaged_and_only_then(self, settings, pattern):
        assert self.run(settings, self.days[1], "again") == 0
        path = self.file(settings, self.days[1], pattern)
        path.write_bytes(path.read_bytes()[:-20])
        assert len(self.lake(settings).verify()) == 1
        assert self.run(settings, self.days[0], "again") == 0
        assert self.run(settings, self.days[1], "mends") == 2  # the files that the first day had not read
        assert self.lake(settings).verify() == []
        with duckdb.connect() as connection:
            register_raw_views(connection, load_contracts(), settings.lake_dir, run_id="mends", first_day=self.days[1])
            assert connection.sql("select customer_id from raw_own.customers order by 1").fetchall() == [("c2",), ("c3",)]

    def test_a_full_load_accepts_the_shape_that_stopped_the_day(self, settings):
        for day in self.days:
            line = f"c{day.day},{day}T00:00:00Z,{day}T00:00:00Z\n"
            (settings.files_dir / f"billing/customers/{day}.csv").write_text(f"customer_id,created_at,updated_at\n{line}")
        day, lake = date(2024, 5, 4), self.lake(settings)
        with pytest.raises(Failure, match=r"column 'country', which was there on 2024-05-03, is gone.*csw run --full-load"):
            self.run(settings, day)
        window = make_window(day, day, newest=None, restatement_days=3)
        assert land(settings, lake, window, "full", full=True)["own__customers"] == (3, 0)
        assert self.run(settings, date(2024, 5, 5)) == 0
        with pytest.raises(Failure, match="a full load is of the newest day, or a later one: csw run --full-load --date 2024-05-05"):
            land(settings, lake, window, "late", full=True)


@pytest.mark.parametrize(
    ("days", "reconciled"),
    [
        (range(0, 36, 7), [7, 14, 21, 28, 35]),  # a weekly run
        ([n for n in range(21) if n % 7 not in (5, 6)], [7, 14]),  # no run at weekends
        ([0, 1, 2, 20, 21, 26, 27], [20, 27]),
        ([0, 7, 7, 8], [7, 7]),  # a day that is repeated replaces what it had landed, deletions too
    ],
    ids=["weekly", "weekdays", "after a gap", "repeated"],
)
def test_deletions_are_looked_for_when_it_is_long_ago_whatever_day_it_is(tmp_path, monkeypatch, days, reconciled):
    (drop := tmp_path / "drop" / "billing").mkdir(parents=True)
    (drop / "customers.csv").write_text("customer_id,created_at,updated_at\n1,2024-05-01T00:00:00Z,2024-05-01T00:00:00Z\n")
    settings = load_settings(data_dir=tmp_path / "data", files_dir=tmp_path / "drop", **NO_DOMAIN | {"billing_sources": ("files",)})
    lake, asked, load = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts()), [], Lake.load
    monkeypatch.setattr(Lake, "load", lambda self, *a, **how: asked.append(how["reconcile"]) or load(self, *a, **how))
    for number, after in enumerate(days):
        day = DAY + timedelta(days=after)
        land(settings, lake, make_window(day, day, newest=None, restatement_days=3), f"run {number}")
    assert [after for after, was_asked in zip(days, asked, strict=True) if was_asked] == reconciled


def test_a_load_of_a_day_that_has_not_come_is_no_reason_to_pull_nothing(tmp_path):
    (drop := tmp_path / "drop" / "billing").mkdir(parents=True)
    (drop / "customers.csv").write_text("customer_id,created_at,updated_at\n1,2024-05-01T00:00:00Z,2024-05-01T00:00:00Z\n")
    settings = load_settings(data_dir=tmp_path / "data", files_dir=tmp_path / "drop", **NO_DOMAIN | {"billing_sources": ("files",)})
    lake, mistyped = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts()), date(2062, 5, 9)
    land(settings, lake, make_window(mistyped, mistyped, newest=None, restatement_days=3), "run 1")
    with pytest.raises(Failure, match=r"newest load is of 2062-05-09, which has not come .* move load_date=2062-05-09"):
        land(settings, lake, make_window(DAY, DAY, newest=None, restatement_days=3), "run 2")

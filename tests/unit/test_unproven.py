"""What has not passed its raw gate does not count as landed: the load after it takes its place, whatever happens in between."""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from dagster import DagsterRun

from orchestration.assets.gates import landed_volume
from orchestration.assets.publication import required_gates, with_way_out
from orchestration.assets.raw import land
from orchestration.contracts import load_contracts
from orchestration.domains import DOMAINS, source_setting
from orchestration.gates import CheckResult, GateResult
from orchestration.lake_unproven import Unproven
from orchestration.landing import Lake
from orchestration.proofs import Proofs
from orchestration.publish import refusals
from orchestration.quality import QualityStore
from orchestration.runs import tags_for
from orchestration.settings import load_settings
from orchestration.volume import NO_CEILING
from orchestration.window import make_window
from tests.unit.lake_support import DAY, ORDERS, Shop, lake_in, load, order, quarantined, rows

NO_DOMAIN = {source_setting(domain).lower(): () for domain in DOMAINS}
LINES = replace(ORDERS, table="lines")
BOTH = {("shop", "orders"): ORDERS, ("shop", "lines"): LINES}
GATE = "own__usage_daily"
FAILED = CheckResult("rows", "volume", "critical", "failed", "2000 rows", "at most 800 rows")


def days(lake, table="orders"):
    return [manifest.load_date.day for manifest in lake.manifests("shop", table)]


def quarantined_folders(folder):
    return [path.name for path in (folder / "quarantine").glob("*/*/*")]


def all_but(*run_ids):
    return lambda manifest: manifest.run_id not in run_ids


def three_days(lake, **options):
    for number in range(3):
        records = [order(number), order("bad", quantity="many")] if number == 2 else [order(number)]
        load(lake, Shop(records), DAY + timedelta(days=number), run_id=f"r{number}", **options)


def test_the_next_load_goes_on_before_what_did_not_pass_and_takes_its_place(tmp_path, caplog):
    lake = lake_in(tmp_path)
    three_days(lake)
    assert len(quarantined(tmp_path)) == 1
    source = Shop([order(2), order(3)])
    with caplog.at_level(logging.WARNING):
        (manifest,) = load(lake, source, DAY + timedelta(days=3), run_id="r3", passed=all_but("r1", "r2"))
    assert source.windows["orders"].since == datetime(2024, 3, 10, tzinfo=UTC)  # the cursor of the 10th, less the overlap
    assert manifest.since == source.windows["orders"].since
    assert days(lake) == [10, 13]
    assert rows(tmp_path, "select id from raw_shop.orders order by id") == [("o0",), ("o2",), ("o3",)]
    assert quarantined_folders(tmp_path) == []
    assert lake.removed == {date(2024, 3, 11), date(2024, 3, 12)}
    assert "shop: this load takes the place of 2024-03-11, 2024-03-12, of which not all had passed their gates" in caplog.text
    assert lake.verify() == []


def test_what_lies_behind_a_load_that_passed_stays(tmp_path):
    lake = lake_in(tmp_path)
    three_days(lake)
    load(lake, Shop([order(3)]), DAY + timedelta(days=3), run_id="r3", passed=all_but("r1"))
    assert days(lake) == [10, 11, 12, 13]
    assert lake.removed == set()


def test_where_no_load_has_passed_everything_is_pulled_again(tmp_path):
    lake = lake_in(tmp_path)
    three_days(lake)
    source = Shop([order(1)])
    (manifest,) = load(lake, source, DAY + timedelta(days=3), run_id="r3", passed=lambda manifest: False)
    assert (source.windows["orders"].since, manifest.mode, days(lake)) == (None, "full", [13])


def test_a_day_behind_that_did_not_pass_is_pulled_again_from_before_it(tmp_path):
    """The day itself is replaced, as any day that is run again; what did not pass after it is the next load's."""
    lake = lake_in(tmp_path)
    three_days(lake)
    source = Shop([order(1)])
    load(lake, source, DAY + timedelta(days=2), run_id="again", passed=all_but("r1", "r2"))
    assert source.windows["orders"].since == datetime(2024, 3, 10, tzinfo=UTC)
    assert days(lake) == [10, 12]


def test_a_run_of_several_days_builds_on_its_own_loads(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(0)]), DAY, run_id="r0")
    for number in (1, 2, 3):
        source = Shop([order(number)])
        load(lake, source, DAY + timedelta(days=number), run_id="long", passed=all_but("long"))
        assert source.windows["orders"].since == datetime(2024, 3, 9 + number, tzinfo=UTC)
    assert days(lake) == [10, 11, 12, 13]
    load(lake, Shop([order(4)]), DAY + timedelta(days=4), run_id="next", passed=all_but("long"))
    assert days(lake) == [10, 14]


class Parts(Shop):
    """Orders with their lines: the lines come with the orders of their window."""

    tables = ("orders", "lines")

    def pull(self, windows):
        self.windows = dict(windows)
        for page in self.pages:
            yield "orders", page
            yield "lines", page


def test_all_tables_of_a_source_go_back_together(tmp_path):
    """Lines of an order come with it: were orders to go on from their own last load, the lines of the 12th would never come again."""
    lake = lake_in(tmp_path, BOTH)
    for number in range(3):
        load(lake, Parts([order(number)]), DAY + timedelta(days=number), run_id=f"r{number}")
    source = Parts([order(2)])
    load(lake, source, DAY + timedelta(days=3), run_id="r3", passed=lambda manifest: manifest.table == "orders" or manifest.run_id != "r2")
    assert {window.since for window in source.windows.values()} == {datetime(2024, 3, 11, tzinfo=UTC)}
    assert days(lake, "orders") == days(lake, "lines") == [10, 11, 13]


def test_a_table_that_is_no_longer_given_loses_what_did_not_pass_and_nothing_else(tmp_path):
    lake = lake_in(tmp_path, BOTH)
    for number in range(3):
        load(lake, Parts([order(number)]), DAY + timedelta(days=number), run_id=f"r{number}")
    source = Shop([order(3)])
    load(lake, source, DAY + timedelta(days=3), run_id="r3", passed=lambda manifest: manifest.table == "orders" or manifest.run_id != "r2")
    assert source.windows["orders"].since == datetime(2024, 3, 12, tzinfo=UTC)
    assert (days(lake, "orders"), days(lake, "lines")) == ([10, 11, 12, 13], [10, 11])


def test_deletions_are_found_against_what_stays(tmp_path):
    """The 11th says that o1 is gone, and does not pass. It goes, and the load that takes its place must find the deletion itself."""
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1), order(2)]), DAY, run_id="r0")
    load(lake, Shop(keys=[("o2",)]), DAY + timedelta(days=1), run_id="r1", reconcile=True)
    (manifest,) = load(lake, Shop(keys=[("o2",)]), DAY + timedelta(days=2), run_id="r2", reconcile=True, passed=all_but("r1"))
    assert manifest.tombstones == 1
    assert rows(tmp_path, "select id, _load_date from raw_shop.orders where _is_deleted") == [("o1", date(2024, 3, 12))]


def test_a_comparison_of_keys_that_did_not_pass_is_due_again(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1)]), DAY, run_id="r0")
    load(lake, Shop(keys=[("o1",)]), DAY + timedelta(days=7), run_id="r1", reconcile=True)
    told = {run_id: lake.reconciled_on("shop", ["orders"], before=DAY + timedelta(days=8), passed=all_but(run_id)) for run_id in ("none", "r1")}
    assert told == {"none": DAY + timedelta(days=7), "r1": DAY}


@pytest.mark.parametrize("step", range(1, 9))
@pytest.mark.parametrize("then", ["again", "next day"])
def test_a_run_that_dies_while_it_takes_their_place_leaves_what_the_next_one_mends(tmp_path, monkeypatch, step, then):
    lake, passed = lake_in(tmp_path), all_but("r1", "r2", "dies")
    three_days(lake)
    calls, rename = [], os.rename

    def dying(*args):
        calls.append(args)
        if len(calls) == step:
            raise KeyboardInterrupt
        rename(*args)

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", dying)
        try:
            load(lake, Shop([order(2), order(3), order("bad", quantity="many")]), DAY + timedelta(days=3), run_id="dies", passed=passed)
        except KeyboardInterrupt:
            assert len(calls) == step
    assert ("o0",) in rows(tmp_path, "select id from raw_shop.orders")
    source = Shop([order(2), order(3)])
    load(lake, source, DAY + timedelta(days=3 if then == "again" else 4), run_id="next", passed=passed)
    assert source.windows["orders"].since == datetime(2024, 3, 10, tzinfo=UTC)
    assert days(lake) == [10, 13 if then == "again" else 14]
    assert rows(tmp_path, "select id from raw_shop.orders order by id") == [("o0",), ("o2",), ("o3",)]
    assert quarantined_folders(tmp_path) == []


def test_what_could_not_be_removed_is_removed_when_the_run_tries_again(tmp_path, monkeypatch):
    lake, passed = lake_in(tmp_path), all_but("r2", "r3")
    three_days(lake)
    with monkeypatch.context() as patch:
        patch.setattr(Unproven, "remove", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            load(lake, Shop([order(3)]), DAY + timedelta(days=3), run_id="r3", passed=passed)
    assert days(lake) == [10, 11, 12, 13]
    load(lake, Shop(AssertionError("pulled again")), DAY + timedelta(days=3), run_id="r3", passed=passed)
    assert days(lake) == [10, 11, 13]


class TestProofs:
    def landed(self, tmp_path, run_id, day=DAY):
        return load(lake_in(tmp_path), Shop([order(1)]), day, run_id=run_id)[0]

    def said(self, tmp_path, run_id, outcome, severity="critical", asset="shop__orders"):
        result = GateResult(asset, "raw", f"raw/{asset}", outcome, severity, run_id=run_id)
        QualityStore(tmp_path).record_gates(run_id, "raw", [result])

    def passed(self, tmp_path, manifest):
        return Proofs(tmp_path).passed(manifest)

    @pytest.mark.parametrize(
        ("outcome", "severity", "passed"),
        [("passed", "critical", True), ("failed", "warning", True), ("failed", "critical", False), ("errored", "critical", False)],
    )
    def test_a_load_has_passed_when_its_gate_says_so(self, tmp_path, outcome, severity, passed):
        manifest = self.landed(tmp_path, "r1")
        self.said(tmp_path, "r1", outcome, severity)
        assert self.passed(tmp_path, manifest) == passed

    def test_where_nothing_is_recorded_everything_has(self, tmp_path):
        assert self.passed(tmp_path, self.landed(tmp_path, "r1"))

    def test_what_is_older_than_all_that_is_kept_has_and_what_is_younger_has_not(self, tmp_path):
        older = self.landed(tmp_path, "old")
        self.said(tmp_path, "r1", "passed")
        younger = self.landed(tmp_path, "killed", DAY + timedelta(days=1))
        assert (self.passed(tmp_path, older), self.passed(tmp_path, younger)) == (True, False)

    def test_the_very_first_load_has_not_when_its_run_ended_before_the_gate(self, tmp_path):
        Proofs(tmp_path).expect("r1", ["shop__orders", "shop__lines"])
        manifest = self.landed(tmp_path, "r1")
        assert not self.passed(tmp_path, manifest)
        self.said(tmp_path, "r1", "passed", asset="shop__lines")
        assert not self.passed(tmp_path, manifest)
        self.said(tmp_path, "r1", "passed")
        assert self.passed(tmp_path, manifest)

    def test_what_was_expected_is_kept_until_it_has_passed_and_something_is_published(self, tmp_path):
        for run_id, outcome in (("r1", "passed"), ("r2", None), ("r3", "failed")):
            Proofs(tmp_path).expect(run_id, ["shop__orders"])
            if outcome:
                self.said(tmp_path, run_id, outcome)
        assert Proofs(tmp_path).refused() == {"shop__orders": {"r2", "r3"}}
        assert QualityStore(tmp_path).runs() == ["r1", "r3"]  # a run that only expects has checked nothing
        Proofs(tmp_path).settle()
        assert Proofs(tmp_path).refused() == {}

    def test_a_damaged_record_says_nothing_and_stops_nothing(self, tmp_path, caplog):
        self.said(tmp_path, "r0", "passed")
        manifest = self.landed(tmp_path, "r1")
        self.said(tmp_path, "r1", "passed")
        path = tmp_path / "quality" / "run_id=r1" / "raw.gates.parquet"
        path.write_bytes(path.read_bytes()[:100])
        assert not self.passed(tmp_path, manifest)
        store = QualityStore(tmp_path)
        assert [file.parent.name for file in store.files()] == ["run_id=r0"]
        assert [result.run_id for result in store.gate_results(["r0", "r1"])] == ["r0"]
        assert "quality/run_id=r1/raw.gates.parquet is damaged and left out" in caplog.text


def run_of(run_id, **said):
    return DagsterRun(job_name="daily", run_id=run_id, tags=tags_for(DAY, DAY, **said))


class TestPublication:
    """Days of use as files: 100 rows each, and 2,000 on the 6th, which is too much."""

    day = date(2024, 5, 6)

    @pytest.fixture
    def settings(self, tmp_path):
        (tmp_path / "drop/product/usage_daily").mkdir(parents=True)
        return load_settings(data_dir=tmp_path / "data", files_dir=tmp_path / "drop", **NO_DOMAIN | {"product_sources": ("files",)})

    def run(self, settings, day, number, outcome, run_id=None):
        run_id = run_id or f"run of {day}"
        lines = "".join(f"{day},w1,u{user},f,1\n" for user in range(number))
        (settings.files_dir / f"product/usage_daily/{day}.csv").write_text("usage_date,workspace_id,user_id,feature,events\n" + lines)
        lake = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts())
        landed = land(settings, lake, make_window(day, day, newest=None, restatement_days=3), run_id)
        if outcome:
            checks = (FAILED,) if outcome == "failed" else ()
            QualityStore(settings.data_dir).record_gates(
                run_id, "raw", [GateResult(GATE, "raw", f"raw/{GATE}", outcome, checks=checks, run_id=run_id)]
            )
        return landed[GATE][0]

    def refused(self, settings, run_id):
        store = QualityStore(settings.data_dir)
        required = required_gates(settings, {"nodes": {}}, store)
        results = with_way_out(settings, store.gate_results(sorted(set(required.values()))), run_id)
        return [(result.name, result.outcome, result.reason) for result in refusals(results, required)]

    def test_what_did_not_pass_holds_back_until_a_load_that_holds_it_has_passed(self, settings):
        assert self.run(settings, date(2024, 5, 5), 100, "passed") == 100
        assert self.refused(settings, "run of 2024-05-05") == []
        assert self.run(settings, self.day, 2000, "failed") == 2000
        told = "rows: 2000 rows, expected at most 800 rows"
        assert self.refused(settings, f"run of {self.day}") == [(f"raw/{GATE}", "failed", told)]
        out = "; load: landed on 2024-05-06 and never passed: mend the source or the suite, then csw run --date 2024-05-06 pulls it again"
        assert self.refused(settings, "another") == [(f"raw/{GATE}", "failed", told + out)]
        assert self.run(settings, date(2024, 5, 7), 100, "failed") == 2100  # the file of the 6th is still there
        assert self.refused(settings, "run of 2024-05-07")
        (settings.files_dir / f"product/usage_daily/{self.day}.csv").unlink()
        assert self.run(settings, date(2024, 5, 8), 100, "passed") == 200
        assert self.refused(settings, "run of 2024-05-08") == []

    def test_a_day_that_was_mended_behind_the_newest_load_is_asked_for_until_it_passes(self, settings):
        days = [date(2024, 5, number) for number in (3, 4, 5)]
        for day in days:
            self.run(settings, day, 100, "passed")
        (settings.lake_dir / f"raw/files/usage_daily/load_date={days[1]}/part-00000.parquet").unlink()
        Proofs(settings.data_dir).expect("mends", [GATE])
        assert self.run(settings, days[1], 50, "failed", "mends") == 150  # all files that the day before had not read
        assert self.run(settings, self.day, 100, "passed") == 100 + 50
        ((name, outcome, reason),) = self.refused(settings, f"run of {self.day}")
        assert (name, outcome) == (f"raw/{GATE}", "failed")
        assert "load: landed on 2024-05-04 and never passed: mend the source or the suite, then csw run --date 2024-05-04" in reason
        assert self.run(settings, days[1], 50, "passed", "mends again") > 0
        assert self.refused(settings, f"run of {self.day}") == []

    def test_a_load_of_unusual_size_passes_when_a_person_says_so(self, settings):
        for number in range(1, 6):
            self.run(settings, date(2024, 5, number), 100, "passed")
        self.run(settings, self.day, 2000, None)
        lake = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts())
        contract, window = load_contracts()["own", "usage_daily"], make_window(self.day, self.day, newest=None, restatement_days=3)
        bounds = {
            accepted: landed_volume(settings, lake, contract, window, run_of(f"run of {self.day}", accept_volume=accepted))[0]
            for accepted in (False, True)
        }
        assert bounds[False] == {"rows_floor": 1, "rows_ceiling": 800, "rows_expected": 60}  # 8 times and 0.6 of the median of 100
        assert bounds[True] == {"rows_floor": 0, "rows_ceiling": NO_CEILING, "rows_expected": 0}

    @pytest.mark.parametrize("first", [True, False], ids=["the first run", "a later run"])
    def test_what_was_landed_by_a_run_that_died_is_pulled_again_with_the_next_day(self, settings, first):
        if not first:
            self.run(settings, date(2024, 5, 5), 100, "passed")
        Proofs(settings.data_dir).expect(f"run of {self.day}", [GATE])
        self.run(settings, self.day, 2000, None)
        ((name, outcome, reason),) = self.refused(settings, "another")
        assert (name, outcome) == (f"raw/{GATE}", "not_run")
        assert "evaluation not run (its run ended before); load: landed on 2024-05-06 and never passed" in reason
        assert self.run(settings, date(2024, 5, 7), 100, "passed") == 2100
        assert self.refused(settings, "run of 2024-05-07") == []

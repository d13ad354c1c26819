"""What the warehouse remembers of itself between runs."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from datetime import date

import pytest
import yaml
from dagster import DagsterEventType, DagsterInstance, build_resources

from orchestration.dbt_parsed import PROJECT_DIR
from orchestration.execution import FAILED, _result, execute, prepare_home
from orchestration.jobs import run_lock_resource
from orchestration.settings import load_settings
from orchestration.warehouse import (
    ROW_GROUP_SIZE,
    begin_run,
    built_otherwise,
    connect,
    discard,
    keeps_seeds,
    looks_at_all_days,
    mark_published,
    mark_seeds,
    remember_settings,
    run_lock,
    seal,
    why_unsound,
)


def test_seeds_are_there_only_as_long_as_their_files_and_the_warehouse_are_the_same(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    with connect(settings) as connection:
        assert not keeps_seeds(connection, "a")
        mark_seeds(connection, "a")
        assert keeps_seeds(connection, "a")
    discard(settings)
    with connect(settings) as connection:
        assert not keeps_seeds(connection, "a")


@pytest.mark.parametrize("content", ["", '{"main.a": 1', "[]"], ids=["empty", "cut", "another"])
def test_a_seal_that_cannot_be_read_is_an_unsound_warehouse(tmp_path, content):
    settings = load_settings(data_dir=tmp_path)
    with connect(settings) as connection:
        connection.execute("create table a as select 1 as b")
    seal(settings)
    assert why_unsound(settings) is None
    (tmp_path / "warehouse.seal.json").write_text(content)
    assert why_unsound(settings) in ("warehouse.seal.json is damaged", "the warehouse does not hold what the last run left in it")
    with run_lock(settings):
        assert not settings.warehouse_path.exists()


def test_a_run_has_the_warehouse_to_itself(tmp_path):
    with run_lock(load_settings(data_dir=tmp_path)), (tmp_path / ".lock").open("w") as another, pytest.raises(BlockingIOError):
        fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_gates_look_at_all_days_until_what_was_written_has_passed_once(tmp_path):
    with connect(load_settings(data_dir=tmp_path)) as warehouse:
        assert looks_at_all_days(warehouse, "bare")  # nobody kept count
        begin_run(warehouse, "first", anew=True)
        assert looks_at_all_days(warehouse, "first")
        begin_run(warehouse, "second", anew=False)  # the first was held back: its days never passed
        assert looks_at_all_days(warehouse, "second")
        mark_published(warehouse)
        begin_run(warehouse, "third", anew=False)
        assert not looks_at_all_days(warehouse, "third")
        begin_run(warehouse, "fourth", anew=False)
        assert looks_at_all_days(warehouse, "fourth")
        assert looks_at_all_days(warehouse, "a part of the marts")


@pytest.mark.parametrize(
    ("now", "said"),
    [
        ({}, None),
        ({"reporting_currency": "JPY"}, "CSW_REPORTING_CURRENCY was USD and is JPY"),
        ({"reporting_time_zone": "Asia/Tokyo"}, "CSW_REPORTING_TIME_ZONE was UTC and is Asia/Tokyo"),
        ({"health_history_days": 31}, "CSW_HEALTH_HISTORY_DAYS was 30 and is 31"),
        ({"health_history_days": 0}, "CSW_HEALTH_HISTORY_DAYS was 30 and is 0"),
        ({"health_history_days": 29}, None),  # what is older goes with the next run
        ({"restatement_days": 7}, None),
    ],
)
def test_days_that_were_built_with_other_settings_are_known_as_such(tmp_path, now, said):
    """They are kept, so days in two currencies would stand side by side."""
    settings = load_settings(data_dir=tmp_path, health_history_days=30)
    with connect(settings) as connection:
        connection.execute("create table a as select 1 as b")
    assert built_otherwise(settings) == "the warehouse was built by an older release"  # which remembered nothing
    with connect(settings) as connection:
        remember_settings(connection, settings)
    assert built_otherwise(settings.model_copy(update=now)) == said
    with connect(settings) as connection:
        connection.execute("update main.built_with set value = '0' where setting = 'layout'")
    assert built_otherwise(settings) == "the warehouse was built by another release"


@pytest.mark.parametrize("loaded", ["b", None])  # other files, or a part of the room
def test_a_load_that_failed_leaves_seeds_that_are_no_file_s(tmp_path, loaded):
    with connect(load_settings(data_dir=tmp_path)) as connection:
        mark_seeds(connection, "a")
        assert not keeps_seeds(connection, loaded)  # … it fails, and the files are put back
        assert not keeps_seeds(connection, "a")


def test_the_demo_begins_with_the_first_day_of_a_range(tmp_path, monkeypatch):
    begun = []

    def begin(_settings, day):
        begun.append(day)
        raise KeyboardInterrupt

    monkeypatch.setattr("orchestration.dbt_process.DbtProcess.begin", lambda self: None)
    monkeypatch.setattr("orchestration.connections.begin_demo", begin)
    with pytest.raises(KeyboardInterrupt):
        execute(load_settings(data_dir=tmp_path), date(2025, 6, 1), date(2025, 6, 3))
    assert begun == [date(2025, 6, 1)]


@dataclass
class _Event:
    step_key: str
    event_type: DagsterEventType

    @property
    def is_step_skipped(self) -> bool:
        return self.event_type is DagsterEventType.STEP_SKIPPED


@dataclass
class _Run:
    all_events: list[_Event]
    run_id: str = "run"
    success: bool = True


@pytest.mark.parametrize(("last", "code"), [(DagsterEventType.STEP_SUCCESS, 0), (DagsterEventType.STEP_SKIPPED, FAILED)])
def test_a_run_that_skipped_a_step_is_not_done(tmp_path, last, code):
    events = [_Event("staging", DagsterEventType.STEP_SUCCESS), _Event("marts", last)]
    found = _result(load_settings(data_dir=tmp_path), _Run(events))
    assert found.exit_code == code
    assert ("marts" in " ".join(found.reasons)) == (code == FAILED)


def test_a_killed_run_does_not_keep_its_place_in_the_pool(tmp_path, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))  # prepare_home sets both; the test puts them back
    monkeypatch.setenv("CSW_EVENT_LOG_DIR", str(tmp_path))
    settings = load_settings(data_dir=tmp_path)
    prepare_home(settings)
    with DagsterInstance.get() as instance:
        log = instance.event_log_storage
        log.initialize_concurrency_limit_to_default("warehouse")
        assert log.claim_concurrency_slot("warehouse", "killed", "staging").is_claimed
        assert not log.claim_concurrency_slot("warehouse", "next", "staging").is_claimed
        with build_resources({"run_lock": run_lock_resource(settings)}, instance=instance):
            assert log.claim_concurrency_slot("warehouse", "next", "staging").is_claimed


def test_all_who_write_the_warehouse_use_row_groups_of_one_size():
    profile = yaml.safe_load((PROJECT_DIR / "profiles.yml").read_text())["customer_success"]["outputs"]["duckdb"]
    assert profile["attach"][0]["options"] == {"row_group_size": ROW_GROUP_SIZE}

"""A run is dead when Dagster says that it is at work and nobody holds the data folder's lock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, build_sensor_context

from orchestration import dead_runs
from orchestration.dead_runs import dead_run_sensor, end_dead_runs
from orchestration.settings import load_settings
from orchestration.warehouse import run_lock

NOW = {"older_than": timedelta(0), "wait": 0.0}


@pytest.fixture
def settings(tmp_path):
    return load_settings(data_dir=tmp_path, webhook_url="http://127.0.0.1:9/hook")


@pytest.fixture
def told(monkeypatch):
    texts = []
    monkeypatch.setattr(dead_runs, "notify", lambda url, text: texts.append(text))
    return texts


@pytest.fixture
def instance():
    with DagsterInstance.ephemeral() as found:
        found.add_run(DagsterRun(job_name="daily", run_id="killed", status=DagsterRunStatus.STARTED))
        found.add_run(DagsterRun(job_name="daily", run_id="next", status=DagsterRunStatus.NOT_STARTED))
        found.add_run(DagsterRun(job_name="daily", run_id="done", status=DagsterRunStatus.SUCCESS))
        yield found


def statuses(instance) -> dict[str, str]:
    return {run.run_id: run.status.value for run in instance.get_runs()}


def test_a_run_that_nobody_works_at_is_ended_and_told(settings, instance, told):
    assert end_dead_runs(settings, instance, **NOW) == ["killed"]
    assert statuses(instance) == {"killed": "FAILURE", "next": "NOT_STARTED", "done": "SUCCESS"}
    assert "killed" in told[0] and "127.0.0.1" not in told[0]
    assert end_dead_runs(settings, instance, **NOW) == []


def test_while_somebody_is_at_work_nobody_is_dead(settings, instance, told):
    with run_lock(settings):
        assert end_dead_runs(settings, instance, **NOW) == []
    assert statuses(instance)["killed"] == "STARTED" and told == []


def test_a_run_that_is_just_starting_is_left_alone(settings, instance, told):
    assert end_dead_runs(settings, instance, wait=0.0) == []
    assert statuses(instance)["killed"] == "STARTED"


def test_a_run_that_just_ends_is_left_alone(settings, instance, told, monkeypatch):
    """It has let the lock go and not yet said how it ended."""
    monkeypatch.setattr(dead_runs.time, "sleep", lambda seconds: instance.report_run_canceled(instance.get_run_by_id("killed")))
    assert end_dead_runs(settings, instance, **NOW) == []
    assert statuses(instance)["killed"] == "CANCELED"


def test_the_sensor_says_what_it_did(settings, instance, told, monkeypatch):
    monkeypatch.setattr(dead_runs, "STARTING_TAKES", timedelta(0))
    monkeypatch.setattr(end_dead_runs, "__kwdefaults__", NOW)
    sensor = dead_run_sensor(settings)
    assert "killed" in sensor(build_sensor_context(instance=instance)).skip_message
    assert sensor(build_sensor_context(instance=instance)).skip_message == "no dead run"

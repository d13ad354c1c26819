"""A run that is killed in the middle: Dagster learns that it is dead, and the next run does its work."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from dagster import DagsterInstance

from orchestration.dead_runs import end_dead_runs
from orchestration.settings import load_settings

CSW = Path(sys.executable).with_name("csw")


def test_a_killed_run_is_ended_and_the_next_one_publishes(tmp_path, monkeypatch):
    environment = {**os.environ, "CSW_DATA_DIR": str(tmp_path), "CSW_DEMO_CUSTOMERS": "15", "CSW_DEMO_DAYS": "60"}
    environment.pop("DAGSTER_HOME", None)
    settings = load_settings(data_dir=tmp_path)
    run = subprocess.Popen([CSW, "run"], env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until_it_writes_the_warehouse(run, settings)
    os.killpg(run.pid, signal.SIGKILL)  # with all it started, as a machine that goes down would
    run.wait()
    until_its_lock_is_free(settings)

    monkeypatch.setenv("CSW_EVENT_LOG_DIR", str(settings.dagster_home / "history" / "runs"))
    with DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        (killed,) = instance.get_runs()
        assert killed.status.value == "STARTED"
        assert end_dead_runs(settings, instance, older_than=timedelta(0), wait=0.0) == [killed.run_id]
        assert instance.get_run_by_id(killed.run_id).status.value == "FAILURE"

    done = subprocess.run([CSW, "run"], env=environment, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "v0001" in done.stdout


def until_it_writes_the_warehouse(run, settings) -> None:
    deadline = time.monotonic() + 120
    while not settings.warehouse_path.exists() or settings.warehouse_path.stat().st_size < 1_000_000:
        assert run.poll() is None and time.monotonic() < deadline, "it ended before it could be killed"
        time.sleep(0.1)


def until_its_lock_is_free(settings) -> None:
    with (settings.data_dir / ".lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)

"""Runs whose process is gone (killed, power cut) are ended: Dagster believes that they are at work, and its queue would wait for them for ever.

Here belongs telling a dead run from one at work. The next run frees what a dead one held (jobs.py) and discards what it left (warehouse.py).
"""

from __future__ import annotations

import fcntl
import time
from datetime import UTC, datetime, timedelta

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from orchestration.sensors import notify
from orchestration.settings import Settings

STARTING_TAKES = timedelta(minutes=1)  # from a run's start to its hand on the lock: seconds
ENDING_TAKES = 2.0  # seconds from letting it go to saying how the run ended: less than one
EVERY_SECONDS = 60
WHAT_HAPPENED = "its process is gone (killed, or the machine stopped); the next run does its days"


def dead_run_sensor(settings: Settings) -> SensorDefinition:
    @sensor(
        name="end_dead_runs",
        description="Ends runs whose process is gone, so that the next one is not kept waiting, and tells the webhook.",
        minimum_interval_seconds=EVERY_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
    )
    def end(context: SensorEvaluationContext) -> SkipReason:
        ended = end_dead_runs(settings, context.instance)
        return SkipReason(f"ended: {', '.join(ended)}" if ended else "no dead run")

    return end


def end_dead_runs(settings: Settings, instance: DagsterInstance, *, older_than: timedelta = STARTING_TAKES, wait: float = ENDING_TAKES) -> list[str]:
    """Report as failed every run that is said to be at work although nobody holds the data folder's lock; returns their ids.

    A run holds the lock from before its first step to its end, or waits for one that does: while it is free, nobody is at work.
    """
    if not _said_to_be_at_work(instance, older_than):
        return []
    with (settings.data_dir / ".lock").open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return []
        time.sleep(wait)
        dead = _said_to_be_at_work(instance, older_than)
    for run in dead:
        instance.report_run_failed(run, WHAT_HAPPENED)
        if settings.webhook_url is not None:
            notify(settings.webhook_url.get_secret_value(), f"Customer Success Warehouse: run {run.run_id[:8]} failed: {WHAT_HAPPENED}")
    return [run.run_id for run in dead]


def _said_to_be_at_work(instance: DagsterInstance, older_than: timedelta):
    records = instance.get_run_records(RunsFilter(statuses=[DagsterRunStatus.STARTED], updated_before=datetime.now(UTC) - older_than))
    return [record.dagster_run for record in records]

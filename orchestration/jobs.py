"""The jobs: which assets a run takes, and how it is executed.

Here belongs the selection and the executor; schedules.py says when, sensors.py whom to tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dagster import AssetSelection, DailyPartitionsDefinition, InitResourceContext, ResourceDefinition, define_asset_job, in_process_executor

from orchestration.sensors import stop_hook
from orchestration.settings import Settings
from orchestration.warehouse import run_lock

DAILY_JOB = "daily"


def daily_partitions(settings: Settings) -> DailyPartitionsDefinition:
    """One partition a day of the reporting time zone; the newest is yesterday."""
    return DailyPartitionsDefinition(start_date=settings.first_partition.isoformat(), timezone=settings.reporting_time_zone)


def daily_job(settings: Settings):
    """Everything, in one process: a fresh process per step would pay for the imports every time, and lose dbt's warm start."""
    return define_asset_job(
        DAILY_JOB,
        selection=AssetSelection.all(),
        executor_def=in_process_executor,
        hooks={stop_hook(settings)},
        description="Pull, land, gate, transform, gate, publish: one day, or a range of days in one run.",
    )


def run_lock_resource(settings: Settings) -> ResourceDefinition:
    """The data folder's lock, held from before a run's first step. Whoever holds it knows that every other run in Dagster's pools is dead.

    A run that was killed keeps its place there, and the next would wait for it for ever.
    """

    @contextmanager
    def held(context: InitResourceContext) -> Iterator[None]:
        with run_lock(settings):
            log = context.instance.event_log_storage
            for run_id in log.get_concurrency_run_ids():
                log.free_concurrency_slots_for_run(run_id)
            yield

    return ResourceDefinition(held)

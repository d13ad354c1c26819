"""The jobs: which assets a run takes, and how it is executed.

Here belongs the selection and the executor; schedules.py says when, sensors.py whom to tell.
"""

from __future__ import annotations

from dagster import AssetSelection, DailyPartitionsDefinition, define_asset_job, in_process_executor

from orchestration.sensors import stop_hook
from orchestration.settings import Settings

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

"""The Dagster code location: assembly only.

Here belongs putting the parts together. Importing this module does no I/O: Dagster calls `defs` when it loads the location, tests
call `build_defs` with settings of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import Definitions, definitions

from orchestration.settings import Settings, load_settings


def build_defs(overrides: Mapping[str, Any] | None = None, *, settings: Settings | None = None) -> Definitions:
    """The code location for the settings of the environment; `overrides` replaces single ones, e.g. {"data_dir": tmp_path}."""
    from orchestration.assets.gates import gate_checks
    from orchestration.assets.predictions import prediction_assets
    from orchestration.assets.publication import publication_assets
    from orchestration.assets.raw import raw_assets, undelivered_specs
    from orchestration.assets.warehouse import warehouse_assets
    from orchestration.dbt_process import DbtProcess
    from orchestration.dead_runs import dead_run_sensor
    from orchestration.jobs import daily_job, daily_partitions, run_lock_resource
    from orchestration.schedules import daily_schedule

    settings = settings or load_settings(**(overrides or {}))
    dbt = DbtProcess(settings)
    partitions = daily_partitions(settings)
    job = daily_job(settings)
    return Definitions(
        assets=[
            raw_assets(settings, partitions),
            *undelivered_specs(settings),
            *warehouse_assets(settings, dbt, partitions),
            *prediction_assets(settings, partitions),
            *publication_assets(settings, dbt, partitions),
        ],
        asset_checks=gate_checks(settings),
        jobs=[job],
        schedules=[daily_schedule(settings, job)],
        sensors=[dead_run_sensor(settings)],
        resources={"run_lock": run_lock_resource(settings)},
    )


@definitions
def defs() -> Definitions:
    return build_defs()

"""One run in this process, through Dagster, so that it is recorded like any other.

Here belongs starting the job and reading how it ended; not what is printed (cli.py) nor what the steps do (assets/).
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.settings import REPO, Settings

if TYPE_CHECKING:
    from dagster import AssetKey, Definitions, JobDefinition

DONE, FAILED, HELD_BACK = 0, 1, 3
_built: tuple[Settings, Definitions] | None = None


class SelectionError(ValueError):
    """An asset selection that no run can follow: one line for the person who wrote it."""


@dataclass(frozen=True)
class RunResult:
    """How a run ended. `exit_code`: 0 done and published, 1 failed, 3 a gate held the publication back."""

    run_id: str
    exit_code: int
    reasons: list[str] = field(default_factory=list)


def prepare_home(settings: Settings) -> None:
    """The Dagster instance's folder, with the repo's dagster.yaml in it."""
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(REPO / "dagster.yaml", settings.dagster_home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = "1000"  # what a run plans (1,500 events) is stored together
    os.environ["CSW_EVENT_LOG_DIR"] = str(settings.dagster_home / "history" / "runs")


def execute(
    settings: Settings,
    start: date,
    end: date,
    *,
    select: str | None = None,
    full_refresh: bool = False,
    full_load: bool = False,
    accept_volume: bool = False,
) -> RunResult:
    """Run the days start..end (inclusive) as one run; `select` is a Dagster asset selection, default everything.

    `full_refresh` builds the warehouse anew from the lake; `full_load` pulls everything anew from the sources and accepts a changed shape;
    `accept_volume` lets loads have any number of rows, and tables be much smaller than they were. Raises SelectionError, before the run
    exists, when `select` is none or selects nothing.
    """
    _begin_beside(settings, start)
    from dagster import DagsterInstance

    from orchestration.gate_process import begin as begin_gates
    from orchestration.jobs import DAILY_JOB
    from orchestration.runs import tags_for

    prepare_home(settings)
    definitions = _definitions(settings)
    job = definitions.resolve_job_def(DAILY_JOB)
    selected = None if select is None else _selected(definitions, job, select)
    begin_gates()  # not before: until here all cores have work that the first step waits for
    with DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            tags=tags_for(start, end, full_refresh=full_refresh, full_load=full_load, accept_volume=accept_volume),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            asset_selection=selected,
            raise_on_error=False,
        )
        return _result(settings, result)


def _selected(definitions: Definitions, job: JobDefinition, select: str) -> list[AssetKey]:
    """The assets that the words mean. Never none: to Dagster that would be all of them."""
    from dagster import AssetSelection, DagsterError

    try:
        selection = AssetSelection.from_string(select)
    except DagsterError:
        told = "is no asset selection: write it like key:fct_renewals, key:fct_renewals+ (and what reads it) or group:marts"
        raise SelectionError(f"--select '{select}' {told}") from None
    try:
        selected = selection.resolve(definitions.resolve_asset_graph()) & job.asset_layer.executable_asset_keys
    except DagsterError:  # a bare name that no asset has
        selected = set()
    if not selected:
        raise SelectionError(f"--select '{select}' selects nothing that a run builds: make dev shows all assets")
    return sorted(selected)


def _begin_beside(settings: Settings, day: date) -> None:
    """What other processes can begin while this one imports Dagster: dbt's parse, the demo company.

    `day`: the first to be pulled. The demo drops files as it goes, and a later day's must not be there yet.
    """
    from orchestration.connections import begin_demo
    from orchestration.dbt_process import DbtProcess

    DbtProcess(settings).begin()
    begin_demo(settings, day)


def _definitions(settings: Settings) -> Definitions:
    """The code location, kept for a second run in this process."""
    global _built
    if _built is None or _built[0] != settings:
        from orchestration.definitions import build_defs

        _built = settings, build_defs(settings=settings)
    return _built[1]


def open_page(settings: Settings, port: int) -> None:
    """Replace this process by `dagster dev` on loopback, with this data folder's instance. The manifest is made first."""
    from orchestration.dbt import Dbt

    prepare_home(settings)
    Dbt(settings).manifest()
    dagster = str(Path(sys.executable).with_name("dagster"))
    os.chdir(settings.dagster_home)  # in the repo Dagster would warn that it does not read the dagster.yaml there
    os.execv(dagster, [dagster, "dev", "--module-name", "orchestration.definitions", "--host", "127.0.0.1", "--port", str(port)])


def _result(settings: Settings, result) -> RunResult:
    skipped = [event.step_key for event in result.all_events if event.is_step_skipped]
    if result.success and not skipped:
        return RunResult(result.run_id, DONE)
    if result.success:  # Dagster's word for a run in which nothing failed
        return RunResult(result.run_id, FAILED, [f"skipped, because what it reads was not built: {', '.join(skipped)}"])
    from orchestration.published import status

    told = status(settings.published_dir) or {}
    if told.get("run_id") == result.run_id and told.get("reason"):
        return RunResult(result.run_id, HELD_BACK if told["outcome"] == "held_back" else FAILED, told["reason"].splitlines())
    # Not even a step could tell why: Dagster's own words.
    reasons = [str(event.message) for event in result.all_events if event.is_failure][:3]
    return RunResult(result.run_id, FAILED, reasons)

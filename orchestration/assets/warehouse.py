"""The dbt rooms as Dagster steps: staging, intermediate, marts.

Here belongs what a dbt result means to Dagster (a materialization, a check, a failed step); not how dbt is invoked (dbt.py).
Each room is a step of its own, because a gate stands only between steps: a check inside one dbt step is seen when everything
downstream of it in that step is already built.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator

from dagster import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetExecutionContext,
    AssetsDefinition,
    BackfillPolicy,
    Failure,
    MaterializeResult,
    PartitionsDefinition,
)
from dagster_dbt import dbt_assets
from dagster_dbt.asset_utils import DAGSTER_DBT_UNIQUE_ID_METADATA_KEY

from orchestration import prediction_tables
from orchestration.contracts import load_contracts
from orchestration.dbt import Dbt
from orchestration.dbt_outcomes import NodeOutcome
from orchestration.gates import without_values
from orchestration.lake_views import register_raw_views
from orchestration.quality import QualityStore
from orchestration.runs import wants_full_refresh, window_of
from orchestration.settings import Settings
from orchestration.translator import ROOMS, RoomTranslator
from orchestration.warehouse import begin_run, built_otherwise, connect, discard, keeps_seeds, mark_seeds, remember_settings, runs_begun, unseal

log = logging.getLogger("csw")
SEEDS = "resource_type:seed"  # files of this repo, with tests of their own: loaded again when one has changed
SELECTIONS = {"staging": f"staging {SEEDS}", "intermediate": "intermediate", "marts": "marts"}
DONE = ("success", "pass")


def warehouse_assets(settings: Settings, dbt: Dbt, partitions: PartitionsDefinition) -> list[AssetsDefinition]:
    manifest = dbt.manifest()
    return [_room(room, settings, dbt, manifest, partitions) for room in ROOMS]


def _room(room: str, settings: Settings, dbt: Dbt, manifest: dict, partitions: PartitionsDefinition) -> AssetsDefinition:
    @dbt_assets(
        manifest=manifest,
        name=room,
        select=SELECTIONS[room],
        dagster_dbt_translator=RoomTranslator(),
        partitions_def=partitions,
        backfill_policy=BackfillPolicy.single_run(),
        pool="warehouse",
        required_resource_keys={"run_lock"},
    )
    def build(context: AssetExecutionContext):
        started = time.monotonic()
        window = window_of(context.run, settings)
        selection = _selection(context, room)
        # On Spark seeds are always loaded: the mark stands in DuckDB's file. Of a part of the room nobody knows which seeds it loads.
        seeds = dbt.seeds_digest() if SEEDS in selection and settings.target == "duckdb" else None
        as_before: Iterable[MaterializeResult | AssetCheckResult] = ()
        if room != "staging":
            _join_run(settings, context.run_id)
        elif _open_warehouse(settings, context.run_id, seeds, anew=wants_full_refresh(context.run), whole=not context.is_subset):
            selection.remove(SEEDS)
            as_before = _seeds_as_before(context)
        outcomes = []
        recorded = _recorder(context)
        for outcome in dbt.build(selection, window, run_id=context.run_id):
            outcomes.append(outcome)
            yield from recorded(outcome)
            yield from as_before  # with the first outcome, while dbt builds what comes next
        if settings.target == "spark":
            _show_what_spark_built(settings, room)
        QualityStore(settings.data_dir).record_dbt(context.run_id, room, outcomes, manifest)
        _raise_on_failure(room, outcomes)
        if SEEDS in selection and seeds:
            with connect(settings) as connection:
                mark_seeds(connection, seeds)
        models = sum(outcome.resource_type in ("model", "seed") for outcome in outcomes)
        tests = sum(outcome.resource_type == "test" for outcome in outcomes)
        log.info("%-13s %4d tables, %4d tests passed, %5.1f s", room, models, tests, time.monotonic() - started)

    return build


def _open_warehouse(settings: Settings, run_id: str, seeds: str | None, *, anew: bool, whole: bool) -> bool:
    """Make the warehouse ready for a run's first step; returns whether it already holds these seeds (by digest).

    Where there is none, dbt builds all days of all tables. A run of the whole room rebuilds one that was built otherwise.
    """
    anew = anew or runs_begun(settings) is None
    if not anew and whole and (reason := built_otherwise(settings)):
        log.warning("%s: the warehouse is rebuilt from the lake", reason)
        anew = True
    if anew:
        discard(settings)
    unseal(settings)
    if settings.target == "spark":
        _open_spark(settings, anew=anew)
    with connect(settings) as connection:
        begin_run(connection, run_id, anew=anew)
        if anew or whole:
            remember_settings(connection, settings)
        register_raw_views(connection, load_contracts(), settings.lake_dir)
        prediction_tables.register_views(connection, settings)
        return keeps_seeds(connection, seeds)


def _join_run(settings: Settings, run_id: str) -> None:
    """The same for the rooms after staging, which may be all that a run consists of."""
    begun = runs_begun(settings)
    if begun is None:
        raise Failure("there is no warehouse to add to: start a run of all tables (csw run), which builds it from the lake", allow_retries=False)
    if run_id in begun:
        return
    unseal(settings)
    with connect(settings) as connection:
        begin_run(connection, run_id, anew=False)


def _open_spark(settings: Settings, *, anew: bool) -> None:
    from orchestration import spark

    if anew:
        spark.discard(settings)
    spark.prepare(settings)


def _show_what_spark_built(settings: Settings, room: str) -> None:
    """Gates and publication read through DuckDB, whichever engine built the tables."""
    from orchestration import spark

    with connect(settings) as connection:
        spark.expose(settings, connection, ("seeds", room) if room == "staging" else (room,))


def _selection(context: AssetExecutionContext, room: str) -> list[str]:
    """dbt's selection for the selected assets: the room as a whole, or the tables by name."""
    if not context.is_subset:
        return SELECTIONS[room].split()
    return sorted(key.path[-1] for key in context.selected_asset_keys)


def _seeds_as_before(context: AssetExecutionContext) -> Iterator[MaterializeResult | AssetCheckResult]:
    """Seeds that are in the warehouse since an earlier run, which tested them: Dagster takes a step's downstream as skipped without them."""
    unchanged = {"unchanged": True}
    for key, group in context.assets_def.group_names_by_key.items():
        if group == "seeds":
            yield MaterializeResult(asset_key=key, metadata=unchanged)
    for spec in context.assets_def.check_specs:
        if context.assets_def.group_names_by_key[spec.asset_key] == "seeds":
            yield AssetCheckResult(asset_key=spec.asset_key, check_name=spec.name, passed=True, metadata=unchanged)


def _recorder(context: AssetExecutionContext) -> Callable[[NodeOutcome], Iterator[MaterializeResult | AssetCheckResult]]:
    """What to record of an outcome: a table's materialization, a test's check, or nothing."""
    checks = {spec.metadata[DAGSTER_DBT_UNIQUE_ID_METADATA_KEY]: spec for spec in context.assets_def.check_specs}
    selected = {key.path[-1]: key for key in context.selected_asset_keys}
    selected_checks = context.selected_asset_check_keys

    def recorded(outcome: NodeOutcome) -> Iterator[MaterializeResult | AssetCheckResult]:
        if outcome.resource_type in ("model", "seed") and outcome.status in DONE and outcome.name in selected:
            yield MaterializeResult(asset_key=selected[outcome.name], metadata={"seconds": outcome.seconds})
        spec = checks.get(outcome.unique_id)
        if outcome.resource_type == "test" and spec is not None and spec.key in selected_checks:
            yield AssetCheckResult(
                asset_key=spec.asset_key,
                check_name=spec.name,
                passed=outcome.status in DONE,
                severity=AssetCheckSeverity.WARN if outcome.status == "warn" else AssetCheckSeverity.ERROR,
                metadata={"failing rows": outcome.failures or 0},
            )

    return recorded


def _raise_on_failure(room: str, outcomes: list[NodeOutcome]) -> None:
    """Stop the run, naming what failed first; what was skipped only follows from it."""
    bad = [outcome for outcome in outcomes if outcome.status in ("error", "fail", "runtime error")]
    if bad:
        lines = [f"{outcome.resource_type} {outcome.name}: {_said(outcome)}" for outcome in bad[:10]]
        kind = "gate" if all(outcome.resource_type == "test" for outcome in bad) else "model"
        raise Failure(f"{room}: {len(bad)} failed\n  " + "\n  ".join(lines), metadata={"kind": kind}, allow_retries=False)


def _said(outcome: NodeOutcome) -> str:
    """One line for BI and the webhook, so without data."""
    return " ".join(without_values(outcome.message or outcome.status).split())[:300]

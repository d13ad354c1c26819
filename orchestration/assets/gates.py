"""The gates between the rooms: one blocking check per suite, one step per room.

Here belongs which rows a gate looks at and what Dagster is told; not how a suite is evaluated (gates.py) nor what is plausible
(volume.py). Raw gates look at what this run has landed, the others at the warehouse.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetKey,
    DagsterRun,
    multi_asset_check,
)

from orchestration import published
from orchestration.assets.raw import delivered
from orchestration.contracts import Contract, load_contracts
from orchestration.gate_process import Question, Room, evaluate
from orchestration.gates import CheckResult, GateResult, run_parameters, suite_meta, suites
from orchestration.lake_contents import LakeContents
from orchestration.lake_views import source_dirs
from orchestration.quality import QualityStore
from orchestration.runs import accepts_volume, window_of
from orchestration.settings import Settings
from orchestration.translator import raw_key
from orchestration.volume import ANY_VOLUME, TRAILING, Load, bounds_of_run, table_bounds
from orchestration.warehouse import looks_at_all_days, read
from orchestration.window import RunWindow

log = logging.getLogger("csw")
GATE = "gate"


def gate_checks(settings: Settings) -> list[AssetChecksDefinition]:
    return [_raw_gate(settings), _room_gate(settings, "intermediate"), _room_gate(settings, "marts")]


def _raw_gate(settings: Settings) -> AssetChecksDefinition:
    contracts = {raw_key(contract.vendor, contract.table): contract for contract in delivered(settings, load_contracts())}

    @multi_asset_check(name="raw_gate", specs=[_spec(key) for key in contracts], can_subset=True, required_resource_keys={"run_lock"})
    def raw_gate(context: AssetCheckExecutionContext):
        window = window_of(context.run, settings)
        lake = LakeContents(settings.lake_dir)
        questions, quarantine = [], {}
        with _report(settings, context, "raw") as results:
            for key in _selected(context):
                contract, table = contracts[key], key.path[-1]
                bounds, quarantined = landed_volume(settings, lake, contract, window, context.run)
                quarantine[table] = [_quarantine_check(quarantined)]
                landed = f"select * from raw_{contract.vendor}.{contract.table} where _run_id = '{context.run.run_id}' and not _is_deleted"
                questions.append(Question(table, landed, {**run_parameters(window.as_of), **bounds}))
            for result in evaluate(Room(settings, "raw", context.run.run_id, window.start), questions):
                results.append(result)
                yield _check_result(result)
            QualityStore(settings.data_dir).record_checks(context.run.run_id, "quarantine", quarantine)

    return raw_gate


def _room_gate(settings: Settings, room: str) -> AssetChecksDefinition:
    keys = [AssetKey([name]) for name in suites(room)]

    @multi_asset_check(
        name=f"{room}_gate", specs=[_spec(key) for key in keys], can_subset=True, pool="warehouse", required_resource_keys={"run_lock"}
    )
    def room_gate(context: AssetCheckExecutionContext):
        window = window_of(context.run, settings)
        before = _rows_before(settings, accept_volume=accepts_volume(context.run))
        questions = []
        with _report(settings, context, room) as results:
            first_day = _first_day(settings, context, window)
            for key in _selected(context):
                table = key.path[-1]
                part = _days_of(room, table, first_day)
                bounds = table_bounds(None if part else before.get(table))
                questions.append(Question(table, part or f"{room}.{table}", {**run_parameters(window.as_of), **bounds}))
            for result in evaluate(Room(settings, room, context.run.run_id), questions):
                results.append(result)
                yield _check_result(result)

    return room_gate


def _first_day(settings: Settings, context: AssetCheckExecutionContext, window: RunWindow) -> date | None:
    """The first day that gates look at; None: all there are."""
    with read(settings, "gates") as connection:
        return None if looks_at_all_days(connection, context.run.run_id) else window.compute_from


def _days_of(room: str, table: str, first_day: date | None) -> str | None:
    """The days of a daily table (meta.window names its date) that this run computed, as SQL; None: look at the whole table."""
    day = suite_meta(room, table).get("window")
    return f"select * from {room}.{table} where {day} >= date '{first_day}'" if day and first_day else None


def _rows_before(settings: Settings, *, accept_volume: bool) -> dict[str, int]:
    """Rows of each table in the version BI reads: what the new ones are held against, unless other domains are present or told not to."""
    last = published.current(settings.published_dir)
    if last is None or accept_volume or last.present_domains != settings.present_domains:
        return {}
    return last.tables


def _spec(key: AssetKey) -> AssetCheckSpec:
    return AssetCheckSpec(GATE, asset=key, blocking=True, description="The table's suite below expectations/.")


def _selected(context: AssetCheckExecutionContext) -> list[AssetKey]:
    return sorted(check.asset_key for check in context.selected_asset_check_keys)


def landed_volume(settings: Settings, lake: LakeContents, contract: Contract, window: RunWindow, run: DagsterRun) -> tuple[dict[str, int], int]:
    """Bounds for what this run landed of one table, from the loads before (several days and tenants add up), and rows in quarantine.

    No bounds when a person has said that whatever number comes is right.
    """
    loads, quarantined = [], 0
    for folder in source_dirs(contract.vendor, settings.lake_dir):
        manifests = lake.manifests(folder.name, contract.table, last=TRAILING + len(window.days), until=window.end)
        all_loads = [Load(manifest.load_date, manifest.rows, manifest.mode) for manifest in manifests]
        for load, manifest in zip(all_loads, manifests, strict=True):
            if manifest.run_id == run.run_id:
                loads.append((load, all_loads))
                quarantined += manifest.quarantined
    return ANY_VOLUME if accepts_volume(run) else bounds_of_run(loads), quarantined


def _quarantine_check(rows: int) -> CheckResult:
    """Rows in quarantine are missing from every table: they warn, by name, until they are mended at the source."""
    return CheckResult("rows_in_quarantine", "volume", "warning", "failed" if rows else "passed", f"{rows} rows", "0 rows", rows)


@contextmanager
def _report(settings: Settings, context: AssetCheckExecutionContext, room: str) -> Iterator[list[GateResult]]:
    """Collect the room's results, keep them, and say in one line each what is wrong."""
    started, results = time.monotonic(), []
    yield results
    results.sort(key=lambda result: result.asset)
    QualityStore(settings.data_dir).record_gates(context.run.run_id, room, results)
    bad = [result for result in results if result.outcome != "passed"]
    for result in bad:
        level, how = (logging.ERROR, result.outcome) if result.blocks else (logging.WARNING, "warns")
        log.log(level, "gate %s %s: %s", result.name, how, result.reason)
    blocking = sum(result.blocks for result in bad)
    warnings = f", {len(bad) - blocking} with warnings" if len(bad) > blocking else ""
    log.info("%-13s %4d gates, %d not passed%s, %.1f s", room, len(results), blocking, warnings, time.monotonic() - started)


def _check_result(result: GateResult) -> AssetCheckResult:
    return AssetCheckResult(
        asset_key=AssetKey([result.asset]),
        check_name=GATE,
        passed=result.outcome == "passed",
        severity=AssetCheckSeverity.ERROR if result.blocks or result.outcome == "passed" else AssetCheckSeverity.WARN,
        metadata={"outcome": result.outcome, "reason": result.reason or "–", "checks": len(result.checks)},
    )

"""The first step of a run: pull every source and land what it gives.

Here belongs which days are landed and that sources are pulled side by side; not how a source is read (sources/) nor what a
partition is (landing.py). The only step that is retried: the others would fail the same way again.
"""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import partial

from dagster import (
    AssetExecutionContext,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Backoff,
    Failure,
    Jitter,
    MaterializeResult,
    PartitionsDefinition,
    RetryPolicy,
    multi_asset,
)

from orchestration.connections import open_sources, source_specs
from orchestration.contracts import Contract, ContractFileError, Contracts, load_contracts
from orchestration.lake_manifest import LakeError, Manifest
from orchestration.lake_unproven import Passed
from orchestration.landing import Lake
from orchestration.proofs import Proofs
from orchestration.runs import accepts_volume, wants_full_load, window_of
from orchestration.settings import Settings
from orchestration.sources.base import Source, SourceError, TransientSourceError
from orchestration.translator import raw_key
from orchestration.warehouse import discard, runs_begun
from orchestration.window import RunWindow, WindowError, end_of_day, today_in

log = logging.getLogger("csw")
RETRIES = RetryPolicy(max_retries=3, delay=20, backoff=Backoff.EXPONENTIAL, jitter=Jitter.FULL)


def raw_assets(settings: Settings, partitions: PartitionsDefinition) -> AssetsDefinition:
    contracts = load_contracts()

    @multi_asset(
        name="raw",
        specs=[_spec(contract, "raw", "as landed: one row per version of a record.") for contract in delivered(settings, contracts)],
        partitions_def=partitions,
        backfill_policy=BackfillPolicy.single_run(),
        retry_policy=RETRIES,
        can_subset=True,
        required_resource_keys={"run_lock"},
    )
    def raw(context: AssetExecutionContext):
        with _retried_only_if_transient("raw"):
            window = window_of(context.run, settings)
        lake = Lake(settings.lake_dir, settings.quarantine_dir, contracts)
        Proofs(settings.data_dir).expect(context.run_id, [_name(contract) for contract in delivered(settings, contracts)])
        full, believe_deletions = wants_full_load(context.run), accepts_volume(context.run)
        landed = land(settings, lake, window, context.run_id, full=full, believe_deletions=believe_deletions)
        if lake.removed and runs_begun(settings):
            log.warning("the warehouse is rebuilt from the lake: a run may have built on the loads of %s", ", ".join(map(str, sorted(lake.removed))))
            discard(settings)
        for key in sorted(context.selected_asset_keys):
            rows, quarantined = landed.get(key.path[-1], (0, 0))
            yield MaterializeResult(asset_key=key, metadata={"dagster/row_count": rows, "quarantined rows": quarantined})

    return raw


def delivered(settings: Settings, contracts: Contracts) -> list[Contract]:
    """The contracts of all tables that the configured sources can deliver, each once."""
    wanted = {(spec.contract, domain) for spec in source_specs(settings) for domain in spec.domains}
    return [contract for contract in contracts.values() if (contract.vendor, contract.domain) in wanted]


def undelivered_specs(settings: Settings) -> list[AssetSpec]:
    """The tables that no configured source delivers. Staging reads them all the same, so the lineage shows them: apart from the others."""
    contracts = load_contracts()
    known = delivered(settings, contracts)
    return [
        _spec(contract, "unconfigured_sources", "which no configured source delivers.") for contract in contracts.values() if contract not in known
    ]


def land(
    settings: Settings, lake: Lake, window: RunWindow, run_id: str, *, full: bool = False, believe_deletions: bool = False
) -> dict[str, tuple[int, int]]:
    """Pull and land the days of the window (`full`: on the last one all there is); returns landed and quarantined rows by asset name.

    Raises TransientSourceError when another try may help, and Failure that allows none for everything else, already while a source is
    opened: each of Dagster's tries waits up to two minutes.
    """
    totals: dict[str, tuple[int, int]] = {}
    passed = Proofs(settings.data_dir).passed
    for day in _days_to_land(settings, window):
        with _retried_only_if_transient("raw"), open_sources(settings, day) as sources, ThreadPoolExecutor(max_workers=len(sources)) as pool:
            how = {"asked": day == window.end, "full": full, "believe_deletions": believe_deletions, "passed": passed}
            for manifests in pool.map(partial(_load, settings, lake, day, run_id, **how), sources):
                for manifest in manifests:
                    name = _name(manifest)
                    rows, quarantined = totals.get(name, (0, 0))
                    totals[name] = rows + manifest.rows, quarantined + manifest.quarantined
    return totals


def _days_to_land(settings: Settings, window: RunWindow) -> list[date]:
    """The demo lives day by day. A real source is pulled once: what it says now was not known on the days before."""
    return window.days if settings.is_demo else [window.end]


def _load(
    settings: Settings, lake: Lake, day: date, run_id: str, source: Source, *, asked: bool, full: bool, believe_deletions: bool, passed: Passed
) -> list[Manifest]:
    newest = _newest_load(lake, source)
    if newest is not None and day < newest and not settings.is_demo and newest > (today := today_in(settings.zone)):
        raise WindowError(
            f"{source.source_relation}: the newest load is of {newest}, which has not come (today is {today}), so nothing is pulled:"
            f" move load_date={newest} out of the folders of lake/raw/{source.source_relation}"
        )
    if newest is not None and day < newest and asked and full:
        raise WindowError(f"{source.source_relation}: a full load is of the newest day, or a later one: csw run --full-load --date {newest}")
    if newest is not None and day < newest and _may_stay(lake, source, day, passed, asked=asked):
        log.info("%-13s %s is already behind %s, the newest load: computed from the lake", source.source_relation, day, newest)
        return []
    started = time.monotonic()
    with _retried_only_if_transient(source.source_relation):
        reconcile = newest is not None and _reconciliation_is_due(settings, lake, day, run_id, source, passed)
        manifests = lake.load(
            source,
            load_date=day,
            until=end_of_day(day, settings.zone),
            run_id=run_id,
            full=asked and full,
            reconcile=reconcile,
            believe_deletions=believe_deletions,
            passed=passed,
        )
    rows = sum(manifest.rows for manifest in manifests)
    quarantined = sum(manifest.quarantined for manifest in manifests)
    note = f", {quarantined} rows in quarantine" if quarantined else ""
    log.info("%-13s %s: %d rows in %d tables%s, %.1f s", source.source_relation, day, rows, len(manifests), note, time.monotonic() - started)
    for warning in source.warnings:
        log.warning("%-13s %s", source.source_relation, warning)
    return manifests


def _reconciliation_is_due(settings: Settings, lake: Lake, day: date, run_id: str, source: Source, passed: Passed) -> bool:
    """By the loads before the day, so that a day which is repeated decides as it did the first time."""
    last = lake.reconciled_on(source.source_relation, source.tables, before=day, passed=passed, run_id=run_id)
    return last is None or (day - last).days >= settings.reconcile_days


@contextmanager
def _retried_only_if_transient(where: str) -> Iterator[None]:
    try:
        yield
    except (Failure, TransientSourceError):
        raise
    except (SourceError, LakeError, ContractFileError, WindowError) as error:
        told = str(error)
        raise Failure(told if told.startswith(where) else f"{where}: {told}", allow_retries=False) from error
    except Exception as error:
        # what it says may hold records, and this is told to BI and to the webhook
        raise Failure(f"{where}: {type(error).__name__}: see the run in the Dagster page", allow_retries=False) from error


def _newest_load(lake: Lake, source: Source) -> date | None:
    newest = [lake.newest_date(source.source_relation, table) for table in source.tables]
    return max((day for day in newest if day is not None), default=None)


def _may_stay(lake: Lake, source: Source, day: date, passed: Passed, *, asked: bool) -> bool:
    """Of days behind the newest load only one that a person asked for is looked at: reading files back takes as long as writing them."""
    doubts = lake.doubts(source, day, passed) if asked else []
    for doubt in doubts:
        log.warning("%s: this day is pulled again, as it is known today", doubt)
    return not doubts


def _name(of: Contract | Manifest) -> str:
    return raw_key(of.vendor, of.table).path[-1]


def _spec(contract: Contract, group: str, what: str) -> AssetSpec:
    return AssetSpec(
        raw_key(contract.vendor, contract.table),
        description=f"{contract.table} of {contract.vendor}, {what}",
        group_name=group,
        kinds={contract.vendor, "parquet"},
    )

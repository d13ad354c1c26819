"""The last step: hand everything that was built to publish.py, with every gate that has to have said yes.

Here belongs which tables and which gates a version consists of; not how a version is written (publish.py).
"""

import hashlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Failure,
    MaterializeResult,
    PartitionsDefinition,
    multi_asset,
)

from orchestration.assets.raw import delivered
from orchestration.connections import source_specs
from orchestration.contracts import Contract, load_contracts
from orchestration.dbt import Dbt
from orchestration.freshness import freshness_checks, late_rows, read_freshness
from orchestration.gates import CheckResult, GateResult, SuiteError, load_suite, not_run, suite_meta, suites
from orchestration.lake_contents import LakeContents
from orchestration.lake_manifest import Manifest
from orchestration.proofs import Proofs
from orchestration.publication_files import Table
from orchestration.publication_tables import Freshness
from orchestration.publish import PublicationRefused, publish
from orchestration.published import PublicationError, newest_as_of
from orchestration.quality import QualityStore
from orchestration.runs import window_of
from orchestration.settings import Settings
from orchestration.translator import FRESHNESS, raw_key, room_of
from orchestration.warehouse import connect, mark_published
from orchestration.window import RunWindow
from orchestration.worklist import send_digests

log = logging.getLogger("csw")
OWN = "own"  # the vendor of tables that a company drops as files or keeps in a database of its own
OWN_TABLES = ("dim_publication", "fct_data_quality_results")


def publication_assets(settings: Settings, dbt: Dbt, partitions: PartitionsDefinition) -> list[AssetsDefinition]:
    manifest = dbt.manifest()
    marts = sorted(node["name"] for node in _models(manifest) if room_of(node) == "marts")

    @multi_asset(
        name="publication",
        specs=[
            AssetSpec(name, deps=[AssetKey([mart]) for mart in marts], group_name="publication", kinds={"duckdb"}, freshness_policy=FRESHNESS)
            for name in OWN_TABLES
        ],
        partitions_def=partitions,
        backfill_policy=BackfillPolicy.single_run(),
        pool="warehouse",
        required_resource_keys={"run_lock"},
    )
    def publication(context: AssetExecutionContext):
        started = time.monotonic()
        store = QualityStore(settings.data_dir)
        window = window_of(context.run, settings)
        fresh = _look_at_freshness(settings, manifest, store, context.run_id, window)
        required = required_gates(settings, manifest, store)
        newest = newest_as_of(settings.published_dir)
        try:
            version = publish(
                settings.warehouse_path,
                settings.published_dir,
                run_id=context.run_id,
                as_of_date=window.as_of,
                tables=[Table.mart(name, *_primary_key(manifest, name), day=suite_meta("marts", name).get("window")) for name in marts],
                gate_results=with_way_out(settings, store.gate_results(sorted(set(required.values()))), context.run_id),
                required_gates=required,
                freshness=fresh,
                quality_files=store.files(),
                present_domains=settings.present_domains,
                needs={name: load_suite("marts", name).get("meta", {}).get("domains", []) for name in marts},
                definition=_definition(manifest),
                keep=settings.keep_versions,
                memory_limit=settings.memory_limit,
            )
        except (PublicationRefused, SuiteError) as error:
            raise Failure(str(error), metadata={"kind": "gate"}, allow_retries=False) from error
        except PublicationError as error:
            raise Failure(str(error), metadata={"kind": "publication"}, allow_retries=False) from error
        with connect(settings) as connection:
            mark_published(connection)
        Proofs(settings.data_dir).settle()
        log.info("published     %s, %d tables, %.1f s", version.version, len(version.tables), time.monotonic() - started)
        if newest is None or window.as_of > newest:  # a day that is run again has been told
            send_digests(settings)
        for name in OWN_TABLES:
            yield MaterializeResult(asset_key=name, metadata={"version": version.version, "dagster/row_count": version.tables[name]})

    return [publication]


def required_gates(settings: Settings, manifest: Mapping[str, Any], store: QualityStore) -> dict[str, str]:
    """Every gate that must have passed → the run whose materialization it must have passed on.

    That run is the last one that built the table (or landed it): a run of the downstream alone needs the gates of what it stands on.
    A table that no run has built is asked of `never`, which no result can answer. So is a raw table that a vendor has not delivered, for
    vendors have all their tables; of one's own tables those that were never dropped are no part of the version, and whatever reads them is empty.
    """
    proofs = Proofs(settings.data_dir)
    required = {}
    for contract, loads, unproven in _landed(settings, proofs):
        if loads:
            newest = max(unproven or loads, key=lambda load: load.committed_at)
            if unproven or proofs.is_recorded(newest):  # else it is older than what is kept of gates
                required[_raw_gate(contract)] = newest.run_id
        elif contract.vendor != OWN:
            required[_raw_gate(contract)] = "never"
    tables = [node["name"] for node in _models(manifest)]
    built = store.last_built(tables)
    gated = {room: set(suites(room)) for room in ("intermediate", "marts")}
    for node in _models(manifest):
        run_id = built.get(node["name"], "never")
        required[f"dbt/{node['name']}"] = run_id
        if room_of(node) == "marts" or node["name"] in gated.get(room_of(node), ()):
            required[f"{room_of(node)}/{node['name']}"] = run_id
    return required


def _landed(settings: Settings, proofs: Proofs) -> Iterator[tuple[Contract, list[Manifest], list[Manifest]]]:
    """Each raw table, its sources' newest loads, and the loads that have not passed its gate.

    Those are all since the last that did, and a day behind them that was pulled again because it was damaged.
    """
    lake, refused = LakeContents(settings.lake_dir), proofs.refused()
    for contract in delivered(settings, load_contracts()):
        of_sources = [spec.source_relation for spec in source_specs(settings) if spec.contract == contract.vendor]
        newest = [lake.newest_manifest(source, contract.table) for source in of_sources]
        unproven = [load for source in of_sources for load in lake.unproven(source, contract.table, proofs.passed)]
        if behind := refused[raw_key(contract.vendor, contract.table).path[-1]] - {load.run_id for load in unproven}:
            unproven += [load for source in of_sources for load in lake.manifests(source, contract.table) if load.run_id in behind]
        yield contract, [load for load in newest if load is not None], unproven


def with_way_out(settings: Settings, results: Sequence[GateResult], run_id: str) -> list[GateResult]:
    """`results`, and of loads that earlier runs left without a pass: what a person can do about it, for this run will not pull them again."""
    told = {(result.name, result.run_id): result for result in results}
    for contract, _, unproven in _landed(settings, Proofs(settings.data_dir)):
        earlier = [load for load in unproven if load.run_id != run_id]
        if earlier:
            newest = max(earlier, key=lambda load: load.committed_at)
            key = _raw_gate(contract), newest.run_id
            known = told.get(key) or not_run("raw", key[0].partition("/")[2], newest.run_id, "its run ended before")
            told[key] = replace(known, checks=(*known.checks, _way_out(earlier)))
    return list(told.values())


def _way_out(loads: Sequence[Manifest]) -> CheckResult:
    days = sorted({load.load_date for load in loads})
    again = "pulls it again" if len(days) == 1 else "pulls them again"
    observed = f"landed on {', '.join(map(str, days))} and never passed: mend the source or the suite, then csw run --date {days[-1]} {again}"
    return CheckResult("load", "volume", "critical", "failed", observed)


def _raw_gate(contract: Contract) -> str:
    return f"raw/{raw_key(contract.vendor, contract.table).path[-1]}"


def _look_at_freshness(settings: Settings, manifest: Mapping[str, Any], store: QualityStore, run_id: str, window: RunWindow) -> list[Freshness]:
    """How fresh the sources are and what came too late: recorded, told to BI, and never a reason to hold a version back."""
    found = read_freshness(settings.lake_dir, load_contracts(), settings.present_domains)
    store.record_checks(run_id, "freshness", freshness_checks(found, window.as_of))
    versions = {node["name"]: _primary_key(manifest, node["name"]) for node in _models(manifest) if room_of(node) == "staging"}
    keys = {table: [column for column in key if column != "known_from"] for table, key in versions.items()}
    with connect(settings) as connection:
        late = late_rows(connection, keys, compute_from=window.compute_from, as_of=window.as_of, restatement_days=settings.restatement_days)
    store.record_checks(run_id, "late_rows", late)
    return found


def _models(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def _primary_key(manifest: Mapping[str, Any], table: str) -> list[str]:
    """Columns of the table's primary_key test: the order in which it is written."""
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        if test.get("name") == "primary_key" and (node.get("attached_node") or "").endswith(f".{table}"):
            return list(test["kwargs"]["columns"])
    return []


def _definition(manifest: Mapping[str, Any]) -> str:
    """One short name for all models and seeds as they are: equal definitions, equal name."""
    checksums = sorted(f"{name}:{node['checksum']['checksum']}" for name, node in manifest["nodes"].items() if "checksum" in node)
    return hashlib.sha256("\n".join(checksums).encode()).hexdigest()[:12]

"""How fresh each source is, and what arrived too late to be counted on its day.

Here belongs reading both off the lake and the warehouse; a source being stale or late warns and never holds a publication back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.gates import CheckResult
from orchestration.lake_manifest import partition_dates, partition_name, read_manifest
from orchestration.publication_tables import STALE_AFTER_DAYS, Freshness

if TYPE_CHECKING:
    import duckdb

    from orchestration.contracts import Contracts

LOOK_BACK = 60  # loads without a row before a table counts as never having had one
# When something happened, in the staging tables: the first of these that a table has. The contract's own names (sources.md).
HAPPENED = ("occurred_at", "created_at", "issued_at", "attempted_at", "responded_at", "rated_at", "targeted_at", "started_at", "usage_date")


def read_freshness(lake_dir: Path, contracts: Contracts, domains: Sequence[str]) -> list[Freshness]:
    """The newest record per domain and source in the lake, from the manifests: no data file is opened."""
    newest: dict[tuple[str, str], datetime | None] = {}
    for table_dir in sorted(Path(lake_dir).glob("raw/*/*")):
        found = _newest_manifest_entry(table_dir)
        if found is None:
            continue
        vendor, at = found
        contract = contracts.get((vendor, table_dir.name))
        if contract is None or contract.domain not in domains:
            continue
        key = (contract.domain, table_dir.parent.name)
        newest[key] = max((each for each in (newest.get(key), at) if each is not None), default=None)
    return [Freshness(domain, source_relation, at) for (domain, source_relation), at in sorted(newest.items())]


def freshness_checks(freshness: Sequence[Freshness], as_of: date) -> dict[str, list[CheckResult]]:
    """One warning-level check per source and domain, by source relation."""
    checks: dict[str, list[CheckResult]] = {}
    for each in freshness:
        why = each.stale_since(as_of)
        seen = f"{each.freshest_record_at:%Y-%m-%d %H:%M}" if each.freshest_record_at else "no record"
        expected = f"a record within {STALE_AFTER_DAYS.get(each.domain, 7)} days of {as_of}"
        check = CheckResult(f"freshness({each.domain})", "freshness", "warning", "failed" if why else "passed", seen, expected)
        checks.setdefault(each.source_relation, []).append(check)
    return checks


def late_rows(
    con: duckdb.DuckDBPyConnection, keys: Mapping[str, Sequence[str]], *, compute_from: date, as_of: date, restatement_days: int
) -> dict[str, list[CheckResult]]:
    """Rows that this run landed for days already settled, per staging table, with the range to backfill.

    record_versions dates such a row to its load date less the restatement window and marks it `is_late`; so the late rows of a run
    are those from `compute_from` on. `keys` are the columns that tell the records of each staging table apart, source_relation among them.
    """
    columns: dict[str, list[str]] = {}
    for table, column in con.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'staging' order by table_name, column_index"
    ).fetchall():
        columns.setdefault(table, []).append(column)
    checks: dict[str, list[CheckResult]] = {}
    for table, names in columns.items():
        if {"is_late", "known_from", "source_relation"} <= set(names):
            found = _late_in(con, table, names, keys[table], compute_from)
            checks.update({table: [_late_check(*row, as_of=as_of, restatement_days=restatement_days) for row in found]} if found else {})
    if not checks:
        checks["staging"] = [CheckResult("late_rows", "freshness", "warning", "passed", "0 rows", f"within {restatement_days} days", 0)]
    return checks


def _late_in(
    con: duckdb.DuckDBPyConnection, table: str, names: Sequence[str], key: Sequence[str], compute_from: date
) -> list[tuple[str, int, date | None]]:
    """(source, rows, first day concerned). A record's first version concerns its creation, a later one the day of the change."""
    happened = next((name for name in HAPPENED if name in names), "known_from")
    changed = "updated_at" if "updated_at" in names else happened
    same_record = " and ".join(f'earlier."{column}" = late."{column}"' for column in key)
    return con.execute(
        f"""
        with late as (select * from staging."{table}" where is_late and known_from >= ?)
        select source_relation, count(*), min(cast(case when is_first then "{happened}" else "{changed}" end as date))
        from (
            select late.*, not exists (
                select 1 from staging."{table}" as earlier where {same_record} and earlier.known_from < late.known_from
            ) as is_first
            from late
        )
        group by source_relation
        order by source_relation
        """,
        [compute_from],
    ).fetchall()


def _late_check(source_relation: str, rows: int, since: date | None, *, as_of: date, restatement_days: int) -> CheckResult:
    until = as_of - timedelta(days=restatement_days + 1)
    days = (as_of - since).days if since else 0
    remedy = f"; concerns {since} to {max(since, until)}; to count them there: CSW_RESTATEMENT_DAYS={days} csw run --full-refresh" if since else ""
    return CheckResult(
        check_name=f"late_rows({source_relation})",
        kind="freshness",
        severity="warning",
        outcome="failed",
        observed=f"{rows} rows, from {since}",
        expected=f"within {restatement_days} days{remedy}",
        unexpected_rows=rows,
    )


def _newest_manifest_entry(table_dir: Path) -> tuple[str, datetime | None] | None:
    """(vendor, newest record) from the newest manifests of a table; None when nothing was ever loaded."""
    vendor = None
    for day in partition_dates(table_dir)[: -LOOK_BACK - 1 : -1]:
        manifest = read_manifest(table_dir / partition_name(day))
        vendor = manifest.vendor
        if manifest.max_cursor:
            at = datetime.fromisoformat(manifest.max_cursor)
            return vendor, at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    return (vendor, None) if vendor else None

"""The two tables that a publication writes about itself: dim_publication and fct_data_quality_results.

Here belongs their columns and rows; not when they are written (publish.py) nor how results are collected (quality.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.domains import DOMAINS

if TYPE_CHECKING:
    import duckdb

# Days without a new record after which a domain looks stale. People answer surveys more rarely than they use a product.
STALE_AFTER_DAYS = {"crm": 7, "billing": 7, "support": 7, "product": 3, "surveys": 30}

QUALITY_COLUMNS = {
    "run_id": "varchar",
    "checked_at": "timestamp",
    "asset": "varchar",
    "check_name": "varchar",
    "kind": "varchar",
    "severity": "varchar",
    "outcome": "varchar",
    "observed": "varchar",
    "expected": "varchar",
    "unexpected_rows": "bigint",
}
PUBLICATION_COLUMNS = {
    "version": "varchar",
    "run_id": "varchar",
    "published_at": "timestamp",
    "as_of_date": "date",
    "domain": "varchar",
    "source_relation": "varchar",
    "freshest_record_at": "timestamp",
    "is_stale": "boolean",
    "note": "varchar",
}


@dataclass(frozen=True)
class Freshness:
    """The newest record of one source in one domain (UTC, naive); None = it never delivered any."""

    domain: str
    source_relation: str
    freshest_record_at: datetime | None

    def stale_since(self, as_of: date) -> str | None:
        """Why this source looks stale on `as_of`; None when it does not."""
        if self.freshest_record_at is None:
            return "has delivered nothing yet"
        allowed = STALE_AFTER_DAYS.get(self.domain, 7)
        if self.freshest_record_at < datetime(as_of.year, as_of.month, as_of.day) + timedelta(days=1 - allowed):
            return f"no record since {self.freshest_record_at:%Y-%m-%d}, more than {allowed} days before {as_of}"
        return None


@dataclass(frozen=True)
class Context:
    """What the two tables are made from. `manifest`: version, run_id, published_at, as_of_date, present_domains."""

    manifest: Mapping[str, Any]
    freshness: tuple[Freshness, ...]
    quality_files: tuple[Path, ...]
    needs: Mapping[str, Sequence[str]]


def write(con: duckdb.DuckDBPyConnection, context: Context, rows_by_table: Mapping[str, int]) -> list[str]:
    """Create both tables in `pub.main`; returns their names."""
    con.execute(f"create table pub.main.dim_publication ({_columns(PUBLICATION_COLUMNS)})")
    marks = ", ".join("?" * len(PUBLICATION_COLUMNS))
    for row in publication_rows(context, rows_by_table):
        con.execute(f"insert into pub.main.dim_publication values ({marks})", [row[column] for column in PUBLICATION_COLUMNS])
    con.execute(f"create table pub.main.fct_data_quality_results ({_columns(QUALITY_COLUMNS)})")
    if context.quality_files:
        names = ", ".join(QUALITY_COLUMNS)
        con.execute(
            f"insert into pub.main.fct_data_quality_results select {names} from read_parquet(?) order by run_id, asset, check_name, kind",
            [[str(path) for path in context.quality_files]],
        )
    return ["dim_publication", "fct_data_quality_results"]


def publication_rows(context: Context, rows_by_table: Mapping[str, int]) -> list[dict[str, Any]]:
    """One row per domain and source, and one per domain that has no source."""
    manifest = context.manifest
    as_of = date.fromisoformat(manifest["as_of_date"])
    common = {
        "version": manifest["version"],
        "run_id": manifest["run_id"],
        "published_at": datetime.fromisoformat(manifest["published_at"]),
        "as_of_date": as_of,
    }
    rows = []
    for domain in DOMAINS:
        sources = sorted((each for each in context.freshness if each.domain == domain), key=lambda each: each.source_relation)
        for each in sources:
            why = each.stale_since(as_of)
            rows.append({**common, "domain": domain, "source_relation": each.source_relation,
                         "freshest_record_at": each.freshest_record_at, "is_stale": why is not None, "note": why})  # fmt: skip
        if domain not in manifest["present_domains"]:
            note = absence_note(domain, context.needs, rows_by_table)
            rows.append({**common, "domain": domain, "source_relation": None, "freshest_record_at": None, "is_stale": False, "note": note})
    return rows


def absence_note(domain: str, needs: Mapping[str, Sequence[str]], rows_by_table: Mapping[str, int]) -> str:
    """`domain absent: fct_tickets is empty`."""
    empty = [table for table, domains in sorted(needs.items()) if domain in domains and rows_by_table.get(table) == 0]
    if not empty:
        return "domain absent"
    return f"domain absent: {', '.join(empty)} {'is' if len(empty) == 1 else 'are'} empty"


def _columns(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())

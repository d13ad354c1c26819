"""Books through the real SQL: landed from the drop folder, then one dbt build of the ledger and everything that it stands on.

Here belongs how a test gets at the warehouse without a whole run (no GX, no publication); what is expected of it stands in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path

import duckdb

from orchestration.assets.raw import land
from orchestration.contracts import load_contracts
from orchestration.dbt import Dbt
from orchestration.dbt_outcomes import NodeOutcome
from orchestration.lake_views import register_raw_views
from orchestration.landing import Lake
from orchestration.settings import Settings, load_settings
from orchestration.warehouse import connect
from orchestration.window import make_window


def billing_settings(folder: Path, **more) -> Settings:
    """Billing alone, from files in folder/drop."""
    absent = {f"{domain}_sources": () for domain in ("crm", "support", "product", "survey")}
    return load_settings(data_dir=folder / "data", files_dir=folder / "drop", billing_sources=("files",), source_timezone="UTC", **absent, **more)


def build(settings: Settings, as_of: date, select: Iterable[str]) -> list[NodeOutcome]:
    """Land what is in the drop folder as of a day, build `select` and its tests. Returns what became of each node."""
    contracts = load_contracts()
    window = make_window(as_of, as_of, newest=None, restatement_days=settings.restatement_days)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    land(settings, Lake(settings.lake_dir, settings.quarantine_dir, contracts), window, "test")
    with connect(settings) as connection:
        register_raw_views(connection, contracts, settings.lake_dir)
    return Dbt(settings).build(select, window, run_id="test")


def ask(settings: Settings, sql: str) -> list[tuple]:
    connection = duckdb.connect(str(settings.warehouse_path), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()

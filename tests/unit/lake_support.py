"""A source that says what a test tells it to, and a lake in a temporary folder."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.contracts import Column, Contract
from orchestration.lake_views import register_raw_views
from orchestration.landing import Lake

ORDERS = Contract(
    vendor="shop",
    table="orders",
    domain="billing",
    columns=(
        Column("id", "string", required=True),
        Column("status", "string", required=True),
        Column("quantity", "bigint"),
        Column("amount", "decimal(18,4)"),
        Column("currency", "string", required=True),
        Column("weight", "double"),
        Column("is_paid", "boolean"),
        Column("due_on", "date"),
        Column("updated_at", "timestamp", required=True),
        Column("deleted", "boolean"),
    ),
    primary_key=("id",),
    updated_at="updated_at",
)
CONTRACTS = {("shop", "orders"): ORDERS}
DAY = date(2024, 3, 10)


class Shop:
    """Gives `pages` once for each pull, remembers the windows it was asked for."""

    vendor = "shop"
    tables = ("orders",)

    def __init__(self, *pages: Any, keys: list[tuple] | None = None, source_relation: str = "shop", time_zone: str | None = None) -> None:
        self.pages, self._keys, self.source_relation, self.time_zone = pages, keys, source_relation, time_zone
        self.windows: dict = {}
        self.warnings: list[str] = []

    def pull(self, windows):
        self.windows = dict(windows)
        for page in self.pages:
            if isinstance(page, Exception):
                raise page
            yield "orders", page

    def keys(self, table):
        return iter([self._keys]) if self._keys is not None else None

    def close(self):
        pass


def order(number: Any = 1, **values: Any) -> dict[str, Any]:
    """A good record, with all columns of the contract."""
    record = {
        "id": f"o{number}",
        "status": "open",
        "quantity": 2,
        "amount": "12.5",
        "currency": "usd",
        "weight": 0.5,
        "is_paid": False,
        "due_on": "2024-04-01",
        "updated_at": datetime(2024, 3, 9, 12, tzinfo=UTC),
        "deleted": None,
    }
    return record | values


def lake_in(folder: Path, contracts=CONTRACTS) -> Lake:
    return Lake(folder / "lake", folder / "quarantine", contracts)


def load(lake: Lake, source: Any, day: date = DAY, **options: Any):
    until = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    options.setdefault("run_id", f"run-{day}")
    return lake.load(source, load_date=day, until=until, **options)


def rows(folder: Path, sql: str, contracts=CONTRACTS, **views: Any) -> list[tuple]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        register_raw_views(connection, contracts, folder / "lake", **views)
        return connection.execute(sql).fetchall()


def quarantined(folder: Path, columns: str = "_reason") -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute(f"select {columns} from '{folder}/quarantine/*/*/load_date=*/*.parquet' order by all").fetchall()

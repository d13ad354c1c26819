"""The real SQL as of any day, without dbt between the days: compiled once with a placeholder for the day, then run as often as needed.

Here belongs how a test gets tables as of many days, from a copy of the lake that facts can be deleted from; what must hold of them stands
in the tests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from graphlib import TopologicalSorter

import duckdb

from orchestration.contracts import load_contracts
from orchestration.dbt import Dbt
from orchestration.lake_views import register_raw_views
from orchestration.settings import Settings
from orchestration.window import RunWindow

SOME_DAY = date(1234, 5, 6)  # that nothing else in the SQL is called


@dataclass(frozen=True)
class Model:
    name: str
    vendor: str | None
    relation: str
    is_view: bool
    sql: str


def compiled(settings: Settings, tables: Iterable[str]) -> list[Model]:
    """`tables` and the models that they stand on, in an order in which they can be built. Loads the seeds into the warehouse."""
    dbt, window = Dbt(settings), RunWindow(start=SOME_DAY, end=SOME_DAY, as_of=SOME_DAY, restatement_days=0)
    seeded = dbt.build(["resource_type:seed"], window, run_id="as-of", tests=False)
    assert seeded and all(outcome.status == "success" for outcome in seeded)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        register_raw_views(connection, load_contracts(), settings.lake_dir)
    arguments = ["compile", "--full-refresh", "--select", *(f"+{table}" for table in tables)]
    response = dbt._invoke([*arguments, "--vars", json.dumps(dbt.variables(window, "as-of"))], manifest=dbt._parse())
    assert response.success, response.exception
    nodes = {result.node.unique_id: result.node for result in response.result.results if result.node.resource_type == "model"}
    order = TopologicalSorter({name: [each for each in node.depends_on.nodes if each in nodes] for name, node in nodes.items()}).static_order()
    return [
        Model(node.name, _vendor(node.name), node.relation_name, node.config.materialized == "view", node.compiled_code)
        for node in map(nodes.get, order)
    ]


def _vendor(name: str) -> str | None:
    return name.split("__")[0].removeprefix("stg_") if name.startswith("stg_") else None


class Copy:
    """A warehouse in memory that holds the seeds and a copy of the lake: raw tables, not views of files."""

    def __init__(self, settings: Settings) -> None:
        name = settings.warehouse_path.stem  # as which the SQL knows the database
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("set TimeZone = 'UTC'")
        self.connection.execute(f"attach '{settings.warehouse_path}' as file (read_only)")
        self.connection.execute(f"attach ':memory:' as {name}")
        self.connection.execute(f"use {name}")
        self.contracts = list(load_contracts().values())
        self.raw = [f'raw_{contract.vendor}."{contract.table}"' for contract in self.contracts]
        seeds = self.connection.execute("select table_name from duckdb_tables() where database_name = 'file' and schema_name = 'seeds'").fetchall()
        for table in [*self.raw, *(f"seeds.{seed}" for (seed,) in seeds)]:
            self.connection.execute(f"create schema if not exists {table.partition('.')[0]}")
            self.connection.execute(f"create table {table} as from file.{table}")
        self.delivering = {contract.vendor for contract, table in zip(self.contracts, self.raw, strict=True) if self._has_rows(table)}
        self.made_once: set[str] = set()
        for schema in ("staging", "intermediate", "marts"):
            self.connection.execute(f"create schema {schema}")

    def forget_after(self, day: date, landed_until: date | None = None) -> int:
        """Delete every fact later than `day`, and what landed after `landed_until` (default: `day`); returns how many rows."""
        deleted = 0
        for contract, table in zip(self.contracts, self.raw, strict=True):
            dates = [column for column in (contract.updated_at, contract.created_at) if column]
            later = f"or cast(coalesce({', '.join(dates)}) as date) > $day" if dates else ""
            sql = f"delete from {table} where _load_date > $landed_until {later}"
            values = {"landed_until": landed_until or day} | ({"day": day} if dates else {})
            deleted += self.connection.execute(sql, values).fetchone()[0]
        return deleted

    def build(self, models: Iterable[Model], as_of: date) -> None:
        """All models as of a day. What is staged of vendors that never delivered is made once: it is empty on every day."""
        for model in models:
            if model.name in self.made_once:
                continue
            kind = "view" if model.is_view else "table"
            self.connection.execute(f"create or replace {kind} {model.relation} as {model.sql.replace(str(SOME_DAY), str(as_of))}")
            if model.vendor and model.vendor not in self.delivering:
                self.made_once.add(model.name)

    def rows(self, model: Model) -> list[tuple]:
        return self.connection.execute(f"from {model.relation} order by all").fetchall()

    def _has_rows(self, table: str) -> bool:
        return self.connection.execute(f"select exists (from {table})").fetchone()[0]

"""The same models on both engines: one small company, landed once, built by DuckDB and by Spark, every table compared row for row.

Needs Java 17 and pyspark, and says so; the default test command does without this folder.
"""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from orchestration import prediction_tables, spark
from orchestration.assets.raw import land
from orchestration.contracts import load_contracts
from orchestration.dbt import Dbt
from orchestration.domains import DOMAINS, source_setting
from orchestration.lake_views import register_raw_views
from orchestration.landing import Lake
from orchestration.settings import Settings, load_settings
from orchestration.sources.demo.company import DemoCompany
from orchestration.warehouse import connect
from orchestration.window import RunWindow, make_window
from tests.spark.compare import differences

CUSTOMERS, DAYS = 40, 150
EVERYTHING = ("resource_type:seed", "staging", "intermediate", "marts")
NOT_EMPTY = (
    "dim_customers", "dim_dates", "dim_plans", "fct_churn_risk", "fct_customer_clv", "fct_customer_health_daily", "fct_customer_mrr",
    "fct_mrr_movements", "fct_revenue", "fct_tickets", "rpt_cohort_retention", "rpt_mrr_reconciliation", "rpt_mrr_rule_comparison",
    "rpt_revenue_retention_monthly",
)  # fmt: skip
# Small data in a short-lived process: what costs here is planning, compiling and the catalog, not rows.
SMALL = {
    "spark.master": "local[2]",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Duser.timezone=UTC",
    "spark.ui.showConsoleProgress": "false",
}


pytestmark = pytest.mark.timeout(1800)  # the fixture builds all tables on both engines: eight minutes on two busy cores


def settings_for(root: Path, engine: str) -> Settings:
    sources = {source_setting(domain).lower(): ("files",) for domain in DOMAINS}
    # A zone with daylight saving time, west of UTC: days must begin where the reporting zone says on both engines.
    return load_settings(
        _env_file=None, data_dir=root / engine, files_dir=root / "files", target=engine, reporting_time_zone="America/New_York", **sources
    )


def window(day: date) -> RunWindow:
    return make_window(day, day, newest=None, restatement_days=3)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Settings]:
    """Two loads (so that there are versions), two engines. A node that fails fails here, with its message."""
    root = tmp_path_factory.mktemp("parity")
    engines = {engine: settings_for(root, engine) for engine in ("duckdb", "spark")}
    spark.session(engines["spark"], SMALL)  # first: without Java there is nothing to compare
    last = _land(engines["duckdb"], root)
    shutil.copytree(engines["duckdb"].lake_dir, engines["spark"].lake_dir)
    for settings in engines.values():
        if settings.target == "spark":
            spark.prepare(settings)
        with connect(settings) as connection:
            register_raw_views(connection, load_contracts(), settings.lake_dir)
            prediction_tables.register_views(connection, settings)
        outcomes = Dbt(settings).build(EVERYTHING, window(last), run_id="parity", tests=False)
        failed = [f"{outcome.name}: {outcome.message}" for outcome in outcomes if outcome.status != "success"]
        assert not failed, f"{settings.target} could not build\n" + "\n".join(failed)
    with connect(engines["spark"]) as connection:
        spark.expose(engines["spark"], connection)
    return engines


def _land(settings: Settings, root: Path) -> date:
    company = DemoCompany.generate(customers=CUSTOMERS, days=DAYS, seed=3)
    lake = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts())
    before = None
    for day in (company.last_day - timedelta(days=6), company.last_day):
        company.write_files(root / "files", until=day, since=before)
        land(settings, lake, window(day), run_id=f"load-{day}")
        before = day
    return company.last_day


def tables_of(settings: Settings, schema: str) -> list[str]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        found = connection.execute("select table_name from information_schema.tables where table_schema = ? order by 1", [schema])
        return [name for (name,) in found.fetchall()]


@pytest.mark.parametrize("schema", ["seeds", "staging", "intermediate", "marts"])
def test_every_table_is_equal_on_both_engines(built: dict[str, Settings], schema: str) -> None:
    left, right = built["duckdb"], built["spark"]
    tables = tables_of(left, schema)
    assert tables, f"nothing in {schema}"
    assert tables == tables_of(right, schema)
    found = differences(left.warehouse_path, right.warehouse_path, schema, tables)
    assert not found, "\n".join(f"{table}: {said}" for table, said in found.items())


def test_the_marts_are_not_empty(built: dict[str, Settings]) -> None:
    with duckdb.connect(str(built["spark"].warehouse_path), read_only=True) as connection:
        empty = [table for table in NOT_EMPTY if connection.execute(f"select count(*) from marts.{table}").fetchone()[0] == 0]
    assert not empty

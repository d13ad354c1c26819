"""The Spark engine: the same models, built by Spark in this process, read by everything else through DuckDB.

Here belongs the session, its raw views and the way back (views in warehouse.duckdb over the Parquet files that Spark wrote), so that
gates and publication work unchanged with CSW_TARGET=spark; not how dbt is invoked (dbt.py).

Tables and catalog (Derby) stand below `<CSW_DATA_DIR>/spark`. One session a process: dbt-spark's `session` method uses the one that
is there. Which cluster it runs on is Spark's own affair: `spark-defaults.conf` in SPARK_CONF_DIR or CSW_SPARK_MASTER, default local.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import warnings
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration import prediction_tables
from orchestration.contracts import Contract, Contracts, load_contracts
from orchestration.lake_manifest import LAKE_COLUMNS, contract_types, partition_dates, partition_name, read_manifest
from orchestration.lake_partition import heal_source
from orchestration.lake_views import source_dirs
from orchestration.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from pyspark.sql import SparkSession

JAVA = 17
ROOMS = ("seeds", "staging", "intermediate", "marts")
LAKE_TYPES = {"string": "string", "date32[day]": "date", "timestamp[us]": "timestamp", "bool": "boolean"}
CONF = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",  # timestamps are UTC everywhere; no session zone may move a date
    "spark.sql.ansi.enabled": "true",  # a bad cast or an overflow stops the run, as in DuckDB, instead of giving NULL
    "spark.sql.sources.default": "parquet",
    "spark.sql.sources.partitionOverwriteMode": "dynamic",  # insert_overwrite replaces the days of the run, not the table
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",  # INT96 would come back with another type
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",  # one calendar for all dates, DuckDB's
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.autoBroadcastJoinThreshold": "64m",
    "spark.sql.crossJoin.enabled": "true",
    "spark.sql.legacy.allowNonEmptyLocationInCTAS": "true",  # what a killed run left of a table is replaced
}


class SparkMissing(Exception):
    """Spark cannot run here: what is missing and how to get it."""


def session(settings: Settings, conf: Mapping[str, str] | None = None) -> SparkSession:
    """The process's Spark session, started on first use. Raises SparkMissing without Java 17 or pyspark."""
    _require()
    warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
    from pyspark.sql import SparkSession

    root = settings.data_dir / "spark"
    root.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.appName("customer-success-warehouse").enableHiveSupport()
    if master := os.environ.get("CSW_SPARK_MASTER"):
        builder = builder.master(master)
    places = {
        "spark.sql.warehouse.dir": str(root / "warehouse"),
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={root / 'catalog'};create=true",
        "spark.driver.extraJavaOptions": f"-Dderby.system.home={root} -Duser.timezone=UTC",
    }
    for name, value in {**CONF, **places, **(conf or {})}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    key = settings.pii_key.get_secret_value().replace("\\", "\\\\").replace("'", "\\'")
    spark.conf.set("csw.pii_key", key)  # what the macro keyed_hash reads, as a text in quotes: never part of a compiled statement
    return spark


def prepare(settings: Settings) -> None:
    """Session, rooms and raw views, before dbt builds anything."""
    spark = session(settings)
    for room in ROOMS:
        spark.sql(f"create schema if not exists {room}")
    register_raw_views(spark, load_contracts(), settings.lake_dir)
    prediction_tables.register_spark_views(spark, settings)


def discard(settings: Settings) -> None:
    """Forget all tables, so that the next build starts from the lake."""
    root = settings.data_dir / "spark"
    if not root.exists():
        return
    spark = session(settings)
    for database in spark.catalog.listDatabases():
        if database.name != "default":
            spark.sql(f"drop schema if exists {database.name} cascade")
    shutil.rmtree(root / "warehouse", ignore_errors=True)


def register_raw_views(spark: SparkSession, contracts: Contracts, lake_root: Path) -> None:
    """`raw_<vendor>.<table>` over what is committed in the lake, as lake_views.py does it for DuckDB."""
    raw = Path(lake_root) / "raw"
    for source_dir in sorted(raw.iterdir()) if raw.is_dir() else ():
        heal_source(source_dir)
    for vendor in sorted({contract.vendor for contract in contracts.values()}):
        spark.sql(f"create schema if not exists raw_{vendor}")
    for contract in contracts.values():
        spark.sql(f"create or replace view raw_{contract.vendor}.`{contract.table}` as {raw_view_sql(contract, lake_root)}")


def raw_view_sql(contract: Contract, lake_root: Path) -> str:
    """The SELECT of one raw table. Partitions of one source with one schema are read as one relation: a path with their dates."""
    days: dict[tuple[Path, tuple[tuple[str, str], ...]], list[str]] = defaultdict(list)
    for source_dir in source_dirs(contract.vendor, lake_root):
        folder = source_dir / contract.table
        for day in partition_dates(folder):
            manifest = read_manifest(folder / partition_name(day))
            if manifest.files:
                days[folder, tuple(sorted(manifest.schema.items()))].append(partition_name(day))
    if not days:
        return f"select {', '.join(_columns(contract, frozenset()))} where false"
    return "\nunion all\n".join(
        f"select {', '.join(_columns(contract, frozenset(dict(schema))))} from parquet.`{_glob(folder, names)}`"
        for (folder, schema), names in days.items()
    )


def expose(settings: Settings, connection: DuckDBPyConnection, rooms: Iterable[str] = ROOMS) -> None:
    """Give every table that Spark has built a view of the same name in the warehouse file, over its Parquet files."""
    spark = session(settings)
    for room in rooms:
        connection.execute(f'create schema if not exists "{room}"')
        for table in [row["tableName"] for row in spark.sql(f"show tables in {room}").collect()]:
            folder = settings.data_dir / "spark" / "warehouse" / f"{room}.db" / table
            fields = [(field.name, field.dataType.simpleString()) for field in spark.table(f"{room}.`{table}`").schema.fields]
            if _is_table(connection, room, table):  # left by a run on DuckDB
                connection.execute(f'drop table "{room}"."{table}"')
            connection.execute(f'create or replace view "{room}"."{table}" as {_duckdb_select(folder, fields)}')


def _require() -> None:
    try:
        import pyspark  # noqa: F401
    except ImportError:
        raise SparkMissing("CSW_TARGET=spark needs pyspark: make .venv/spark.done, or pip install -r requirements/spark.lock") from None
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(str(Path(home) / "bin" / "java")) if home else shutil.which("java")
    if java is None:
        raise SparkMissing(f"Spark needs Java {JAVA}, and no java was found: install openjdk-{JAVA}-jre-headless, or set JAVA_HOME")
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', said)
    if found is None or int(found[1]) < JAVA:
        raise SparkMissing(f"Spark needs Java {JAVA} or newer, but {java} is {found[1] if found else 'of no readable version'}: set JAVA_HOME")


def _columns(contract: Contract, landed: frozenset[str]) -> list[str]:
    """`landed`: the contract columns that the files hold; none = there are no files."""
    types = contract_types(contract)
    columns = [f"cast({f'`{name}`' if name in landed else 'null'} as {types[name]}) as `{name}`" for name in types]
    return columns + [f"cast({f'`{field.name}`' if landed else 'null'} as {LAKE_TYPES[str(field.type)]}) as `{field.name}`" for field in LAKE_COLUMNS]


def _glob(folder: Path, names: list[str]) -> str:
    """One path for some partitions of a table. Hadoop reads it as a pattern, so the folder's own special characters are escaped."""
    plain = re.sub(r"([\\\[\]{}*?])", r"\\\1", str(folder))
    return f"{plain}/{{{','.join(names)}}}/*.parquet" if len(names) > 1 else f"{plain}/{names[0]}/*.parquet"


def _is_table(connection: DuckDBPyConnection, schema: str, name: str) -> bool:
    found = "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?"
    return bool(connection.execute(found, [schema, name]).fetchone()[0])


def _duckdb_select(folder: Path, fields: list[tuple[str, str]]) -> str:
    """Spark's columns in DuckDB's types: its timestamps carry a zone (UTC), ours are naive; partition columns come from the path."""
    types = {"string": "varchar", "int": "integer"}
    if not any(folder.rglob("*.parquet")):
        empty = [f'cast(null as {types.get(kind, kind)}) as "{name}"' for name, kind in fields]
        return f"select {', '.join(empty)} where false"
    columns = [
        f"""timezone('UTC', "{name}") as "{name}\"""" if kind == "timestamp" else f'cast("{name}" as {types.get(kind, kind)}) as "{name}"'
        for name, kind in fields
    ]
    pattern = str(folder / "**" / "*.parquet").replace("'", "''")
    return f"select {', '.join(columns)} from read_parquet('{pattern}', hive_partitioning = true, hive_types_autocast = false)"

"""The tables that predictions are kept in: one Parquet file each, declared in the dbt sources YAML, seen by both engines as views.

Here belongs writing those files and the views over them; not what is predicted (predict/) nor when (assets/predictions.py).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.contracts import Contract, read_contracts
from orchestration.published import put_durably
from orchestration.settings import REPO, Settings

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    from pyspark.sql import SparkSession

SOURCES = REPO / "models" / "predictions" / "_predictions__sources.yml"
SCHEMA = "predictions"


@cache
def prediction_contracts() -> dict[str, Contract]:
    return {contract.table: contract for contract in read_contracts(SOURCES)}


def write(settings: Settings, table: str, frame: pd.DataFrame) -> int:
    """Replace a table by `frame`, whose columns must be the contract's; returns its rows. Raises ValueError when they are not."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    contract = prediction_contracts()[table]
    if set(frame.columns) != set(contract.column_names):
        odd = sorted(set(frame.columns) ^ set(contract.column_names))
        raise ValueError(f"predictions.{table}: columns {', '.join(odd)} are in the frame or in {SOURCES.name}, but not in both")
    path = _path(settings, table)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = pa.Table.from_pandas(frame[list(contract.column_names)], schema=contract.arrow_schema, preserve_index=False)
    unfinished = path.with_suffix(".new")
    pq.write_table(content, unfinished)
    put_durably(unfinished, path)
    return len(frame)


def register_views(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    connection.execute(f"create schema if not exists {SCHEMA}")
    for table, contract in prediction_contracts().items():
        connection.execute(f"create or replace view {SCHEMA}.{table} as {_select(contract, _path(settings, table))}")


def register_spark_views(spark: SparkSession, settings: Settings) -> None:
    spark.sql(f"create schema if not exists {SCHEMA}")
    for table, contract in prediction_contracts().items():
        path = _path(settings, table)
        kept = _columns_kept(path)
        columns = ", ".join(
            f"cast({column.name if column.name in kept else 'null'} as {column.data_type}) as {column.name}" for column in contract.columns
        )
        spark.sql(f"create or replace view {SCHEMA}.{table} as select {columns}" + (f" from parquet.`{path}`" if path.exists() else " where false"))


def _select(contract: Contract, path: Path) -> str:
    kept, quoted = _columns_kept(path), str(path).replace("'", "''")
    columns = (column.name if column.name in kept else f"cast(null as {column.duckdb_type}) as {column.name}" for column in contract.columns)
    return f"select {', '.join(columns)} " + (f"from read_parquet('{quoted}')" if kept else "where false")


def _columns_kept(path: Path) -> set[str]:
    """Of a file, none where there is none; one that an older release wrote lacks what has come since, until the next prediction."""
    import pyarrow.parquet as pq

    return set(pq.read_schema(path).names) if path.exists() else set()


def _path(settings: Settings, table: str) -> Path:
    return settings.data_dir / "predictions" / f"{table}.parquet"

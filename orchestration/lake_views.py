"""How DuckDB sees the lake: one view per raw table, over exactly the files that are committed.

Here belongs the SQL of those views; where they are created is warehouse.py's.

A view lists its files, from the manifests, instead of a glob: it cannot see what is still being written, a missing or cut file is
noticed before a model reads it, and DuckDB need not open 400 footers to unite their schemas, because the manifests know them.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.contracts import Contract, Contracts
from orchestration.lake_manifest import LAKE_COLUMNS, LakeError, contract_types, describe, partition_dates, partition_name, read_body
from orchestration.lake_partition import heal_source

FAMILIES = {"own": ("files", "sql")}  # whose contract is not called after the source
LAKE_TYPES = {"string": "varchar", "date32[day]": "date", "timestamp[us]": "timestamp", "bool": "boolean"}


def register_raw_views(
    connection: duckdb.DuckDBPyConnection, contracts: Contracts, lake_root: Path, *, run_id: str | None = None, first_day: date = date.min
) -> None:
    """Create or replace `raw_<vendor>.<table>` for every contract, over what is committed now. Heals after a killed run first.

    `run_id`: only over what this run has landed (gates look at nothing else), not before `first_day`.
    """
    raw = Path(lake_root) / "raw"
    for source_dir in sorted(raw.iterdir()) if raw.is_dir() else ():
        heal_source(source_dir)
    for vendor in sorted({contract.vendor for contract in contracts.values()}):
        connection.execute(f"create schema if not exists raw_{vendor}")
    for contract in contracts.values():
        connection.execute(
            f'create or replace view raw_{contract.vendor}."{contract.table}" as {raw_view_sql(contract, lake_root, run_id, first_day)}'
        )


def raw_view_sql(contract: Contract, lake_root: Path, run_id: str | None = None, first_day: date = date.min) -> str:
    """The SELECT of one raw table: all its partitions (or those of one run), of all sources of that vendor, in the contract's columns and types.

    Partitions that were written under an older contract are cast, their missing columns NULL. Nothing landed: no rows, same columns.
    Raises LakeError when a file is not there or not of the size that its manifest says.
    """
    files: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for source_dir in source_dirs(contract.vendor, lake_root):
        table_dir = source_dir / contract.table
        for folder, manifest in _partitions(table_dir, run_id, first_day):
            for entry in manifest["files"]:
                path = f"{folder}/{entry['name']}"
                _check_size(path, entry["bytes"])
                files[tuple(manifest["schema"].items())].append(path)
    if not files:
        return f"select {', '.join(_columns(contract, {}))} where false"
    parts = [f"select {', '.join(_columns(contract, dict(schema)))} from {_scan(paths)}" for schema, paths in files.items()]
    return "\nunion all\n".join(parts)


def _partitions(table_dir: Path, run_id: str | None, first_day: date) -> list[tuple[str, dict[str, Any]]]:
    """Folder and manifest of each partition since `first_day`, oldest first: all, or those of one run."""
    folders = [f"{table_dir}/{partition_name(day)}" for day in partition_dates(table_dir) if day >= first_day]
    found = [(folder, read_body(folder)) for folder in folders]
    return [(folder, manifest) for folder, manifest in found if run_id in (None, manifest["run_id"])]


def source_dirs(vendor: str, lake_root: Path) -> list[Path]:
    """Folders of all sources of a vendor: `stripe` and `stripe_eu`; for `own` those of `files` and `sql`."""
    raw = Path(lake_root) / "raw"
    if not raw.is_dir():
        return []
    names = FAMILIES.get(vendor, (vendor,))
    return sorted(folder for folder in raw.iterdir() if any(folder.name == name or folder.name.startswith(f"{name}_") for name in names))


def file_list(paths: Iterable[Path | str]) -> str:
    return "[" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths) + "]"


def _columns(contract: Contract, landed: dict[str, str]) -> list[str]:
    """`landed`: column → data type of the files; none = there are no files."""
    current = contract_types(contract)
    columns = []
    for column in contract.columns:
        name = f'"{column.name}"'
        if column.name not in landed:
            columns.append(f"cast(null as {column.duckdb_type}) as {name}")
        else:
            columns.append(name if landed[column.name] == current[column.name] else f"cast({name} as {column.duckdb_type}) as {name}")
    return columns + [field.name if landed else f"cast(null as {LAKE_TYPES[str(field.type)]}) as {field.name}" for field in LAKE_COLUMNS]


def _scan(paths: list[str]) -> str:
    return f"read_parquet({file_list(paths)}, hive_partitioning = false)"


def _check_size(path: str, expected: int) -> None:
    try:
        found = os.stat(path).st_size
    except FileNotFoundError:
        raise LakeError(f"{_place(path)} is gone from the lake; run that day again, or restore it from a backup") from None
    if found != expected:
        raise LakeError(
            f"{_place(path)} has {found} bytes, its manifest says {expected}: it is damaged; run that day again, or restore it from a backup"
        )


def _place(path: str) -> str:
    return f"{describe(Path(path).parent)}/{Path(path).name}"

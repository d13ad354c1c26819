"""Columns, types and keys of every raw table, read from the dbt sources YAML: declared once, there.

Here belongs reading those files into plain objects; not what is done with a row that does not fit (lake_validate.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from orchestration.domains import DOMAINS

if TYPE_CHECKING:
    import pyarrow as pa

STAGING_DIR = Path(__file__).resolve().parent.parent / "models" / "staging"
SIMPLE_TYPES = {  # as dbt writes it → as DuckDB does
    "string": "varchar",
    "int": "integer",
    "bigint": "bigint",
    "double": "double",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamp",
}
DECIMAL = re.compile(r"decimal\(\s*(\d+)\s*,\s*(\d+)\s*\)")


class ContractFileError(Exception):
    """A sources YAML that cannot be used: which file, which table, what is wrong with it."""


@dataclass(frozen=True)
class Column:
    """One column of a raw table. `data_type` as in the YAML: string, bigint, int, double, decimal(p,s), boolean, date, timestamp (UTC)."""

    name: str
    data_type: str
    required: bool = False
    pii: bool = False
    is_zone: bool = False  # holds an IANA name of a time zone
    is_exact: bool = False  # a decimal that is left empty rather than rounded
    open: str | None = None  # "end" or "start": an infinite time, or the first or last year that dates have, says the same as none

    @property
    def duckdb_type(self) -> str:
        return SIMPLE_TYPES.get(self.data_type, self.data_type)

    @property
    def arrow_type(self) -> pa.DataType:
        import pyarrow as pa

        if match := DECIMAL.fullmatch(self.data_type):
            return pa.decimal128(int(match[1]), int(match[2]))
        return {
            "string": pa.string(),
            "int": pa.int32(),
            "bigint": pa.int64(),
            "double": pa.float64(),
            "boolean": pa.bool_(),
            "date": pa.date32(),
            "timestamp": pa.timestamp("us"),
        }[self.data_type]


@dataclass(frozen=True)
class Contract:
    """What a raw table holds. `created_at` and `updated_at` name columns; a table need not have them."""

    vendor: str
    table: str
    domain: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    created_at: str | None = None
    updated_at: str | None = None
    optional: bool = False  # the vendor's plan or a fake server may lack the whole table

    @property
    def name(self) -> str:
        return f"{self.vendor}.{self.table}"

    @cached_property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @cached_property
    def arrow_schema(self) -> pa.Schema:
        """The contract's own columns; what the lake adds to them stands in lake_manifest.py."""
        import pyarrow as pa

        return pa.schema([(column.name, column.arrow_type) for column in self.columns])

    @property
    def deleted(self) -> str | None:
        """The column by which the source itself marks a record as deleted."""
        return "deleted" if any(column.name == "deleted" and column.data_type == "boolean" for column in self.columns) else None

    @property
    def time_column(self) -> str | None:
        """What tells how recent a record is. Only `updated_at` tells whether it has changed: no cursor without one."""
        return self.updated_at or self.created_at


Contracts: TypeAlias = Mapping[tuple[str, str], Contract]  # by (vendor, table)


def load_contracts(staging_dir: Path = STAGING_DIR) -> dict[tuple[str, str], Contract]:
    """All contracts below `models/staging`, by (vendor, table); read again only when a file has changed.

    Raises ContractFileError with one line that names file, table and what to mend.
    """
    paths = sorted(staging_dir.glob("*/_*__sources.yml"))
    if not paths:
        raise ContractFileError(f"no sources YAML below {staging_dir}: expected <vendor>/_<vendor>__sources.yml")
    return dict(_read_all(tuple((path, path.stat().st_mtime_ns) for path in paths)))


@lru_cache(maxsize=1)
def _read_all(files: tuple[tuple[Path, int], ...]) -> Contracts:
    contracts: dict[tuple[str, str], Contract] = {}
    for path, _ in files:
        for contract in read_contracts(path):
            key = (contract.vendor, contract.table)
            if key in contracts:
                raise ContractFileError(f"{path.name}: table {contract.name} is declared twice")
            contracts[key] = contract
    return contracts


def read_contracts(path: Path) -> list[Contract]:
    """The contracts of one sources YAML, in its order."""
    import yaml

    try:
        loaded = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ContractFileError(f"{path.name}{where}: not valid YAML ({getattr(error, 'problem', None) or error})") from None
    try:
        return [_contract(source["name"], table) for source in loaded["sources"] for table in source["tables"]]
    except ContractFileError as error:
        raise ContractFileError(f"{path.name}: {error}") from None
    except (KeyError, TypeError) as error:
        raise ContractFileError(f"{path.name}: a source or table lacks {error}; compare models/staging/own/_own__sources.yml") from None


def _contract(vendor: str, table: Mapping[str, Any]) -> Contract:
    where = f"table {vendor}.{table['name']}"
    meta = _meta(table)
    columns = tuple(_column(where, column) for column in table.get("columns") or ())
    names = [column.name for column in columns]
    if not columns:
        raise ContractFileError(f"{where} has no columns")
    if twice := {name for name in names if names.count(name) > 1}:
        raise ContractFileError(f"{where} declares column {', '.join(sorted(twice))} twice")
    if meta.get("domain") not in DOMAINS:
        raise ContractFileError(f"{where}: meta.domain must be one of {', '.join(DOMAINS)}, not {meta.get('domain')!r}")
    primary_key = meta.get("primary_key")
    if not primary_key or not isinstance(primary_key, list):
        raise ContractFileError(f"{where}: meta.primary_key must be a list of columns")
    for name in (*primary_key, meta.get("created_at"), meta.get("updated_at")):
        if name is not None and name not in names:
            raise ContractFileError(f"{where}: meta names column {name!r}, which is not among its columns")
    return Contract(
        vendor=vendor,
        table=table["name"],
        domain=meta["domain"],
        columns=columns,
        primary_key=tuple(primary_key),
        created_at=meta.get("created_at"),
        updated_at=meta.get("updated_at"),
        optional=bool(meta.get("optional", False)),
    )


def _column(where: str, column: Mapping[str, Any]) -> Column:
    name, data_type = column["name"], str(column.get("data_type", "")).lower().replace(" ", "")
    if name.startswith("_"):
        raise ContractFileError(f"{where}: column {name} starts with an underscore, which is kept for the lake's own columns")
    if data_type not in SIMPLE_TYPES and not DECIMAL.fullmatch(data_type):
        known = ", ".join([*SIMPLE_TYPES, "decimal(p,s)"])
        raise ContractFileError(f"{where}: column {name} has data_type {data_type or 'missing'!r}; use one of {known}")
    meta = _meta(column)
    flags = {"required": "required", "pii": "pii", "is_zone": "time_zone", "is_exact": "exact"}
    column = Column(name, data_type, **{flag: bool(meta.get(key, False)) for flag, key in flags.items()}, open=meta.get("open"))
    if column.open not in (None, "start", "end") or (column.open and (column.required or data_type not in ("date", "timestamp"))):
        raise ContractFileError(f"{where}: column {name} has meta.open {column.open!r}; it is start or end, of a date or timestamp that may be empty")
    if column.is_exact and (column.required or not DECIMAL.fullmatch(data_type)):
        raise ContractFileError(f"{where}: column {name} has meta.exact; it is for a decimal that may be empty")
    return column


def _meta(node: Mapping[str, Any]) -> Mapping[str, Any]:
    return (node.get("config") or {}).get("meta") or {}

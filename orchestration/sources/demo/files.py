"""Writes the company as Parquet files in the bring-your-own-tables contract, as known at the end of a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.contracts import load_contracts
from orchestration.domains import DOMAINS
from orchestration.sources.demo.base import EXPONENT, Frame, end_of
from orchestration.sources.demo.block import Block

TYPES = {
    "string": pa.string(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@cache
def contract() -> dict[tuple[str, str], dict[str, str]]:
    """(domain, table) → column → type, from the dbt sources YAML."""
    own = [each for each in load_contracts().values() if each.vendor == "own"]
    return {(each.domain, each.table): {column.name: column.data_type for column in each.columns} for each in own}


def decimal(minor: np.ndarray, exponent: np.ndarray) -> pa.Array:
    """Whole minor units as decimal(18,4), without going through floating point. Negative one with exponent -1 is NULL."""
    scaled = np.ascontiguousarray(minor.astype("int64") * 10 ** (4 - exponent))
    words = np.empty((len(scaled), 2), dtype="int64")
    words[:, 0], words[:, 1] = scaled, scaled >> 63
    return pa.Array.from_buffers(pa.decimal128(18, 4), len(scaled), [None, pa.py_buffer(words.tobytes())])


def to_arrow(frame: Frame, table: tuple[str, str], money: tuple[str, ...]) -> pa.Table:
    """A view in the contract's columns, order and types."""
    exponent = frame["currency"].map(EXPONENT).to_numpy(dtype="int64") if money else None
    columns = {}
    for name, kind in contract()[table].items():
        values = frame[name]
        if name in money:
            columns[name] = decimal(values.to_numpy(), exponent)
            if name == "acquisition_cost":  # not known before the first payment
                columns[name] = pa.array(columns[name].to_pylist(), type=pa.decimal128(18, 4), mask=(values < 0).to_numpy())
        elif kind.startswith("decimal"):
            columns[name] = decimal(values.to_numpy(), np.zeros(len(frame), dtype="int64"))
        elif kind == "timestamp":
            columns[name] = pa.array(values.astype("datetime64[us]").dt.tz_localize("UTC"), type=TYPES[kind])
        elif kind == "date":
            columns[name] = (
                pa.array([None] * len(frame), type=pa.date32())
                if values.isna().all()
                else pa.array(values.astype("datetime64[s]"), type=pa.timestamp("s")).cast(pa.date32())
            )
        else:
            columns[name] = pa.array(values if len(frame) else [], type=TYPES[kind], from_pandas=True)
    return pa.table(columns)


def write_files(blocks: Iterable[Block], out: Path, until: date, domains: Iterable[str] = DOMAINS, since: date | None = None) -> dict[str, int]:
    """Write `<domain>/<table>/<days>-<block>.parquet`; with `since` only what is new or changed after it. Returns rows per table."""
    domains = tuple(domains)
    unknown = set(domains) - set(DOMAINS)
    if unknown:
        raise ValueError(f"unknown domain {', '.join(sorted(unknown))}: choose from {', '.join(DOMAINS)}")
    rows: dict[str, int] = {}
    stem = f"{until}" if since is None else f"{since}_{until}"
    for block in blocks:
        name = f"{stem}-{block.scope.block:04d}"
        for domain in domains:
            for table, versions in block.tables[domain].items():
                if table.startswith("_"):
                    continue
                view = versions.view(end_of(until), None if since is None else end_of(since))
                rows[f"{domain}.{table}"] = rows.get(f"{domain}.{table}", 0) + len(view)
                if len(view) or (since is None and block.scope.block == 0):
                    _write(to_arrow(view, (domain, table), versions.money), out / domain / table / f"{name}.parquet")
        if "product" in domains:
            for month, batch in block.usage.batches(until, since):
                rows["product.usage_daily"] = rows.get("product.usage_daily", 0) + batch.num_rows
                _write(batch, out / "product" / "usage_daily" / f"{name}-{month}.parquet")
    return rows


def write_truth(truth: dict[str, Frame], out: Path, block: int) -> None:
    """The truth beside the files, one file a table and block."""
    for name, frame in truth.items():
        _write(pa.Table.from_pandas(frame, preserve_index=False), out / name / f"{block:04d}.parquet")


def _write(table: pa.Table, path: Path) -> None:
    """Through a name that no reader looks for, so that nobody sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    pq.write_table(table, part, compression="zstd", compression_level=1)
    part.replace(path)

"""Which reader a file needs, by its name. CSV and JSON lines have modules of their own; Parquet has types, so little is left to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.sources.file_csv import read_csv
from orchestration.sources.file_jsonl import read_jsonl
from orchestration.sources.file_rows import placed, plain_names

ROWS = 131_072


def format_of(path: str) -> str | None:
    """csv, jsonl or parquet, from the name; None = none of them."""
    name = path.lower().rpartition("/")[2].removesuffix(".gz")
    return next((kind for kind in READERS if name.endswith(f".{kind}")), None)


def read_parquet(handle: BinaryIO, name: str) -> Iterator[pa.Table]:
    """Columns as they are. The `line` of a row is its number in the file."""
    row_number = 1
    for batch in pq.ParquetFile(handle).iter_batches(batch_size=ROWS):
        table = pa.Table.from_batches([batch])
        table = table.rename_columns(plain_names(table.column_names, name))
        yield placed(table, np.arange(row_number, row_number + len(table)), name)
        row_number += len(table)


READERS: dict[str, Callable[[BinaryIO, str], Iterator[pa.Table]]] = {"csv": read_csv, "jsonl": read_jsonl, "parquet": read_parquet}

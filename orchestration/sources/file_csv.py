"""CSV → Arrow tables, in bounded memory. Every value stays text, for landing to cast, so that a bad one can be put aside with its line.

Arrow reads it rather than DuckDB, because it tells the line and the text of what it rejects.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from orchestration.sources.base import SourceError
from orchestration.sources.file_rows import BLOCK_BYTES, UNNAMED, is_utf8, placed, plain_names, rejected

DELIMITERS = ",;\t|"


def read_csv(handle: BinaryIO, name: str) -> Iterator[pa.Table]:
    """Columns as text, an unquoted empty value as NULL. Rows with too few or too many values come as rejects."""
    header, delimiter = _header(handle, name)
    rejects: list[pyarrow.csv.InvalidRow] = []
    reader = pyarrow.csv.open_csv(
        handle,
        read_options=pyarrow.csv.ReadOptions(column_names=header, skip_rows=1, use_threads=False, block_size=BLOCK_BYTES),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,  # they count as lines
            invalid_row_handler=lambda row: rejects.append(row) or "skip",
        ),
        convert_options=pyarrow.csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    row_number, extra_lines = 2, 0  # the header is line 1
    for batch in reader:
        skipped = np.array([row.number for row in rejects], dtype=np.int64)
        numbers = np.setdiff1d(np.arange(row_number, row_number + len(batch) + len(skipped)), skipped)[: len(batch)]
        if len(numbers):
            row_number = int(numbers[-1]) + 1
        due = [row for row in rejects if row.number < row_number]  # the reader may be ahead
        del rejects[: len(due)]
        lines, extra_lines = _physical_lines(numbers, _line_breaks(batch), due, extra_lines)
        yield from _rows(pa.Table.from_batches([batch]), lines[: len(numbers)], name)
        if due:
            yield _ragged(due, lines[len(numbers) :], name)
    if rejects:
        none = np.array([], dtype=np.int64)
        yield _ragged(rejects, _physical_lines(none, none, rejects, extra_lines)[0], name)


def _header(handle: BinaryIO, name: str) -> tuple[list[str], str]:
    first = handle.readline(BLOCK_BYTES)
    handle.seek(0)
    try:
        text = first.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError:
        raise SourceError(f"{name}: the header is not UTF-8; save the file as UTF-8") from None
    if "\r" in text:
        raise SourceError(f"{name}: its lines end with a carriage return alone, as on old Macs; save the file with line feeds")
    if not text.strip():
        raise SourceError(f"{name} has no header; its first line must name the columns")
    delimiter = max(DELIMITERS, key=text.count)
    return plain_names(next(csv.reader(io.StringIO(text), delimiter=delimiter)), name), delimiter


def _physical_lines(numbers: np.ndarray, breaks: np.ndarray, rejects: list[pyarrow.csv.InvalidRow], extra_lines: int) -> tuple[np.ndarray, int]:
    """Line on which each row starts, the rejects behind the others: its number, and one more for every line break within an earlier row."""
    numbers = np.concatenate([numbers, np.array([row.number for row in rejects], dtype=np.int64)])
    breaks = np.concatenate([breaks, np.array([row.text.count("\n") for row in rejects], dtype=np.int64)])
    order, earlier = np.argsort(numbers), np.empty_like(breaks)
    earlier[order] = np.cumsum(breaks[order]) - breaks[order]
    return numbers + extra_lines + earlier, extra_lines + int(breaks.sum())


def _line_breaks(batch: pa.RecordBatch) -> np.ndarray:
    """How many each row holds within its values."""
    breaks = np.zeros(len(batch), dtype=np.int64)
    for column in batch.columns:
        if pc.any(pc.match_substring(column, "\n")).as_py():
            breaks += pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy(zero_copy_only=False)
    return breaks


def _rows(table: pa.Table, lines: np.ndarray, name: str) -> Iterator[pa.Table]:
    """Without blank lines; rows that are not UTF-8 apart."""
    if table.column(0).null_count:
        blank = np.logical_and.reduce([column.is_null().to_numpy() for column in table.columns])
        table, lines = table.filter(pa.array(~blank)), lines[~blank]
    table = table.drop_columns([c for c in table.column_names if c.startswith(UNNAMED) and table.column(c).null_count == len(table)])
    try:
        table.validate(full=True)
    except pa.ArrowInvalid:
        table, lines, rejects = _split_undecodable(table, lines)
        yield rejected(rejects, name)
    yield placed(table, lines, name)


def _split_undecodable(table: pa.Table, lines: np.ndarray) -> tuple[pa.Table, np.ndarray, list[tuple[int, str, str]]]:
    rows = list(zip(*(column.cast(pa.binary()).to_pylist() for column in table.columns), strict=True))
    good = np.array([is_utf8(row) for row in rows], dtype=bool)
    rejects = [
        (int(line), ",".join((value or b"").decode("utf-8", "replace") for value in row), "not UTF-8")
        for row, line, is_good in zip(rows, lines, good, strict=True)
        if not is_good
    ]
    return table.filter(pa.array(good)), lines[good], rejects


def _ragged(rows: list[pyarrow.csv.InvalidRow], lines: np.ndarray, name: str) -> pa.Table:
    return rejected([(int(line), row.text, _why_ragged(row)) for row, line in zip(rows, lines, strict=True)], name)


def _why_ragged(row: pyarrow.csv.InvalidRow) -> str:
    lines, quotes = row.text.count("\n"), row.text.count('"')
    open_quote = f"; a quote that is not closed took the {lines} lines after it along" if lines and quotes % 2 else ""
    return f"{row.actual_columns} values, the header has {row.expected_columns}{open_quote}"

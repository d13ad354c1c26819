"""CSV, JSON lines and Parquet → Arrow tables, in bounded memory.

Here belongs reading: headers, lines, what cannot be read at all. Every value of CSV and JSON stays text, for landing to cast, so that a bad
one can be put aside with its line. Arrow reads CSV rather than DuckDB, because it tells the line and the text of what it rejects.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from orchestration.sources.base import SourceError, column_name

BLOCK_BYTES = 8 << 20  # also the longest row that can be read
ROWS = 131_072
DELIMITERS = ",;\t|"
UNNAMED = "column "


def format_of(path: str) -> str | None:
    """csv, jsonl or parquet, from the name; None = none of them."""
    name = path.lower().rpartition("/")[2].removesuffix(".gz")
    return next((kind for kind in READERS if name.endswith(f".{kind}")), None)


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
    row_number, extra_lines, told = 2, 0, 0  # the header is line 1
    for batch in reader:
        skipped = np.array([row.number for row in rejects], dtype=np.int64)
        skipped = skipped[skipped >= row_number]
        numbers = np.setdiff1d(np.arange(row_number, row_number + len(batch) + len(skipped)), skipped)[: len(batch)]
        lines, extra_lines = _physical_lines(batch, numbers, extra_lines)
        if len(numbers):
            row_number = int(numbers[-1]) + 1
        yield from _rows(pa.Table.from_batches([batch]), lines, name)
        if told < len(rejects):
            yield _ragged(rejects[told:], extra_lines, name)
            told = len(rejects)
    if told < len(rejects):
        yield _ragged(rejects[told:], extra_lines, name)


def read_jsonl(handle: BinaryIO, name: str) -> Iterator[pa.Table]:
    """One JSON object a line; columns as text, nested values as JSON."""
    connection = duckdb.connect(config={"threads": 1})
    try:
        line_number = 1
        while lines := handle.readlines(BLOCK_BYTES):
            yield from _json_pages(connection, lines, line_number, name)
            line_number += len(lines)
    finally:
        connection.close()


def read_parquet(handle: BinaryIO, name: str) -> Iterator[pa.Table]:
    """Columns as they are. The `line` of a row is its number in the file."""
    row_number = 1
    for batch in pq.ParquetFile(handle).iter_batches(batch_size=ROWS):
        table = pa.Table.from_batches([batch])
        table = table.rename_columns(_names(table.column_names, name))
        yield _placed(table, np.arange(row_number, row_number + len(table)), name)
        row_number += len(table)


READERS: dict[str, Callable[[BinaryIO, str], Iterator[pa.Table]]] = {"csv": read_csv, "jsonl": read_jsonl, "parquet": read_parquet}


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
    return _names(next(csv.reader(io.StringIO(text), delimiter=delimiter)), name), delimiter


def _name(column: str) -> str:
    """Headers are written by people: blanks around them and capitals do not make another column."""
    return column_name(column.strip().lower())


def _names(columns: list[str], file: str) -> list[str]:
    """One that has no name (a delimiter too many, an index) gets its place."""
    names = [_name(column) or f"{UNNAMED}{number}" for number, column in enumerate(columns, start=1)]
    if twice := sorted({column for column in names if names.count(column) > 1}):
        raise SourceError(f"{file}: column '{twice[0]}' is there twice; rename one of them")
    return names


def _physical_lines(batch: pa.RecordBatch, numbers: np.ndarray, extra_lines: int) -> tuple[np.ndarray, int]:
    """Line on which each row starts: its number, and one more for every line break within an earlier value."""
    breaks = np.zeros(len(batch), dtype=np.int64)
    for column in batch.columns:
        if pc.any(pc.match_substring(column, "\n")).as_py():
            breaks += pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy(zero_copy_only=False)
    total = np.cumsum(breaks)
    return numbers + extra_lines + total - breaks, extra_lines + (int(total[-1]) if len(total) else 0)


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
        yield _rejected(rejects, name)
    yield _placed(table, lines, name)


def _split_undecodable(table: pa.Table, lines: np.ndarray) -> tuple[pa.Table, np.ndarray, list[tuple[int, str, str]]]:
    rows = list(zip(*(column.cast(pa.binary()).to_pylist() for column in table.columns), strict=True))
    good = np.array([_is_utf8(row) for row in rows], dtype=bool)
    rejects = [
        (int(line), ",".join((value or b"").decode("utf-8", "replace") for value in row), "not UTF-8")
        for row, line, is_good in zip(rows, lines, good, strict=True)
        if not is_good
    ]
    return table.filter(pa.array(good)), lines[good], rejects


def _is_utf8(values: tuple[bytes | None, ...]) -> bool:
    try:
        for value in values:
            (value or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _json_pages(connection: duckdb.DuckDBPyConnection, lines: list[bytes], first: int, name: str) -> Iterator[pa.Table]:
    numbers, texts, undecodable = _decoded(lines, first)
    if undecodable:
        yield _rejected(undecodable, name)
    page = pa.table({"line": pa.array(texts, pa.string()), "number": pa.array(numbers, pa.int64())})
    connection.register("page", page)
    connection.execute(
        """
        create or replace temp table objects as
        select
            line,
            number,
            case when not json_valid(line) then 'not valid JSON' when json_type(line) <> 'OBJECT' then 'not a JSON object' end as reason
        from page
        where line <> ''
        """
    )
    connection.unregister("page")
    keys = connection.execute("select distinct unnest(json_keys(line)) as key from objects where reason is null order by key").fetchall()
    columns: dict[str, list[str]] = {}  # what is written in several ways (Id, ID) is one column
    for (key,) in keys:
        columns.setdefault(_name(key) or UNNAMED.strip(), []).append(key)
    for column, variants in columns.items():
        if len(variants) > 1:
            there = " + ".join(f"list_contains(json_keys(line), {_text(key)})::int" for key in variants)
            twice = _text(f"'{column}' is there twice")
            connection.execute(f"update objects set reason = case when {there} > 1 then {twice} end where reason is null")
    rejects = connection.execute("select number, line, reason from objects where reason is not null order by number").fetchall()
    if rejects:
        yield _rejected(rejects, name)
        connection.execute("delete from objects where reason is not null")
    if not columns:
        return
    places = {key: place for place, (key,) in enumerate(keys, start=1)}
    values = [f"coalesce({', '.join(f'v[{places[key]}]' for key in variants)})" for variants in columns.values()]
    selected = ", ".join(f'{value} as "{column.replace(chr(34), chr(34) * 2)}"' for value, column in zip(values, columns, strict=True))
    paths = "[" + ", ".join(_text(_path(key)) for (key,) in keys) + "]"
    rows = connection.sql(f"select number, {selected} from (select number, json_extract_string(line, {paths}) as v from objects order by number)")
    table = rows.to_arrow_table()
    lines_of_rows = table.column(0).to_numpy()
    yield _placed(table.remove_column(0), lines_of_rows, name).replace_schema_metadata({"sparse": "true"})


def _decoded(lines: list[bytes], first: int) -> tuple[list[int], list[str], list[tuple[int, str, str]]]:
    """Numbers and texts of the lines that are UTF-8, and the others as rejects."""
    if first == 1:
        lines = [lines[0].removeprefix(b"\xef\xbb\xbf"), *lines[1:]]
    try:
        return list(range(first, first + len(lines))), [line.decode().strip() for line in lines], []
    except UnicodeDecodeError:
        good = [_is_utf8((line,)) for line in lines]
    texts = [(number, line.decode("utf-8", "replace").strip()) for number, line in enumerate(lines, start=first)]
    sound = [text for text, is_good in zip(texts, good, strict=True) if is_good]
    rejects = [(*text, "not UTF-8") for text, is_good in zip(texts, good, strict=True) if not is_good]
    return [number for number, _ in sound], [text for _, text in sound], rejects


def _path(key: str) -> str:
    return "$." + json.dumps(key, ensure_ascii=False) if key else "/"  # the other syntax knows no empty key


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _placed(table: pa.Table, lines: np.ndarray, name: str) -> pa.Table:
    """With the place of each row, for the quarantine."""
    file = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(table), dtype=np.int32)), pa.array([name]))
    return table.append_column("_line", pa.array(lines, pa.int64())).append_column("_file", pa.chunked_array([file]))


def _ragged(rows: list[pyarrow.csv.InvalidRow], extra_lines: int, name: str) -> pa.Table:
    return _rejected([(row.number + extra_lines, row.text, _why_ragged(row)) for row in rows], name)


def _why_ragged(row: pyarrow.csv.InvalidRow) -> str:
    lines, quotes = row.text.count("\n"), row.text.count('"')
    open_quote = f"; a quote that is not closed took the {lines} lines after it along" if lines and quotes % 2 else ""
    return f"{row.actual_columns} values, the header has {row.expected_columns}{open_quote}"


def _rejected(rows: list[tuple[int, str, str]], name: str) -> pa.Table:
    columns: dict[str, Any] = {"_reason": pa.array([f"line: {reason}" for _, _, reason in rows]), "_raw": pa.array([raw for _, raw, _ in rows])}
    return _placed(pa.table(columns), np.array([line for line, _, _ in rows]), name)

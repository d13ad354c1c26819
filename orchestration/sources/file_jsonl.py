"""JSON lines → Arrow tables, in bounded memory. Every value stays text, for landing to cast, so that a bad one can be put aside with its line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO

import duckdb
import pyarrow as pa

from orchestration.sources.file_rows import BLOCK_BYTES, UNNAMED, is_utf8, placed, plain_name, rejected


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


def _json_pages(connection: duckdb.DuckDBPyConnection, lines: list[bytes], first: int, name: str) -> Iterator[pa.Table]:
    numbers, texts, undecodable = _decoded(lines, first)
    if undecodable:
        yield rejected(undecodable, name)
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
        columns.setdefault(plain_name(key) or UNNAMED.strip(), []).append(key)
    for column, variants in columns.items():
        if len(variants) > 1:
            there = " + ".join(f"list_contains(json_keys(line), {_text(key)})::int" for key in variants)
            twice = _text(f"'{column}' is there twice")
            connection.execute(f"update objects set reason = case when {there} > 1 then {twice} end where reason is null")
    rejects = connection.execute("select number, line, reason from objects where reason is not null order by number").fetchall()
    if rejects:
        yield rejected(rejects, name)
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
    yield placed(table.remove_column(0), lines_of_rows, name).replace_schema_metadata({"sparse": "true"})


def _decoded(lines: list[bytes], first: int) -> tuple[list[int], list[str], list[tuple[int, str, str]]]:
    """Numbers and texts of the lines that are UTF-8, and the others as rejects."""
    if first == 1:
        lines = [lines[0].removeprefix(b"\xef\xbb\xbf"), *lines[1:]]
    try:
        return list(range(first, first + len(lines))), [line.decode().strip() for line in lines], []
    except UnicodeDecodeError:
        good = [is_utf8((line,)) for line in lines]
    texts = [(number, line.decode("utf-8", "replace").strip()) for number, line in enumerate(lines, start=first)]
    sound = [text for text, is_good in zip(texts, good, strict=True) if is_good]
    rejects = [(*text, "not UTF-8") for text, is_good in zip(texts, good, strict=True) if not is_good]
    return [number for number, _ in sound], [text for _, text in sound], rejects


def _path(key: str) -> str:
    return "$." + json.dumps(key, ensure_ascii=False) if key else "/"  # the other syntax knows no empty key


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

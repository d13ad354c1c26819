"""Rows of an answer in the terminal or a pipe: a table, CSV or JSON lines.

Here belongs form, and safety against what stands in a value; which rows are asked for is summary.py's and worklist.py's.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections.abc import Sequence
from typing import Literal

from rich.console import Console
from rich.markup import escape
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from orchestration import published

Format = Literal["table", "csv", "json"]
NARROWEST = 12  # characters a column: a table that would have less on this screen shows each row as a block of its own
WIDEST = 1_000_000


def print_answer(console: Console, answer: published.Answer, format_: Format) -> None:
    """Rows as a table, as CSV that no spreadsheet takes for formulas, or as JSON lines."""
    columns, rows = answer.columns, answer.rows
    if format_ == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow([_inert(column) for column in columns])
        writer.writerows([[_inert(value) for value in row] for row in rows])
    elif format_ == "json":
        names = _distinct(columns)
        for row in rows:
            sys.stdout.write(json.dumps(dict(zip(names, map(_jsonable, row), strict=True)), default=str, allow_nan=False) + "\n")
    else:
        table = _result_table(columns, rows)
        if console.is_terminal and _width(console, table) > console.width < NARROWEST * len(columns):
            _print_blocks(console, columns, rows)
        else:
            print_table(console, table)


def print_table(console: Console, table: Table) -> None:
    """A table with nothing cut off: on a screen long values go on in the next line, in a pipe or a file a row is one line, however long."""
    if console.is_terminal:
        console.print(table)
    else:
        Console(file=console.file, width=max(1, _width(console, table)), emoji=False, color_system=None).print(table)


def printable(value: object) -> str:
    """Without control characters that could write over the terminal; None is nothing."""
    return "".join(character if character.isprintable() else " " for character in str(value if value is not None else ""))


def plain(value: object) -> str:
    """Text as text inside of markup."""
    return escape(printable(value))


def _result_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(printable(column)), overflow="fold")
    for row in rows:
        table.add_row(*[Text(printable(value)) for value in row])
    return table


def _print_blocks(console: Console, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    for number, row in enumerate(rows, start=1):
        block = Table(title=f"row {number}", title_justify="left", box=None, pad_edge=False, show_header=False)
        block.add_column(style="bold", overflow="fold")
        block.add_column(overflow="fold")
        for column, value in zip(columns, row, strict=True):
            block.add_row(Text(printable(column)), Text(printable(value)))
        console.print(block)


def _width(console: Console, table: Table) -> int:
    return Measurement.get(console, console.options.update(max_width=WIDEST), table).maximum


def _distinct(columns: Sequence[str]) -> list[str]:
    """A second column `a` becomes `a_1`, as in a table that DuckDB makes of the answer: JSON has each name once."""
    names: list[str] = []
    for column in columns:
        name, number = column, 0
        while name in names or (number and name in columns):
            number += 1
            name = f"{column}_{number}"
        names.append(name)
    return names


def _jsonable(value: object) -> object:
    """JSON has no NaN and no infinity, and only texts as keys."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _jsonable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(each) for each in value]
    return value


def _inert(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else value

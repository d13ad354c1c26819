"""Rows of an answer in the terminal or a pipe: a table, CSV or JSON lines.

Here belongs form, and safety against what stands in a value; which rows are asked for is summary.py's and worklist.py's.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from orchestration import published


def print_answer(console: Console, answer: published.Answer, format_: str) -> None:
    """Rows as a table, as CSV that no spreadsheet takes for formulas, or as JSON lines."""
    columns, rows = answer.columns, answer.rows
    if format_ == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow([_inert(column) for column in columns])
        writer.writerows([[_inert(value) for value in row] for row in rows])
    elif format_ == "json":
        for row in rows:
            sys.stdout.write(json.dumps(dict(zip(columns, row, strict=True)), default=str) + "\n")
    else:
        console.print(_result_table(columns, rows))


def _result_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*["" if value is None else plain(value) for value in row])
    return table


def _inert(value: object) -> object:
    """A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection)."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r", "\n") else value


def plain(value: object) -> str:
    """Text as text: no markup, no control characters that could write over the terminal."""
    shown = "".join(character if character.isprintable() else " " for character in str(value if value is not None else ""))
    return shown.replace("[", "\\[")

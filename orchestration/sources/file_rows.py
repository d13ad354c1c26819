"""What readers of files have in common: names of columns, the place of each row, and rows that cannot be read at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from orchestration.sources.base import SourceError, column_name

BLOCK_BYTES = 8 << 20  # also the longest row that can be read
UNNAMED = "column "


def plain_name(column: str) -> str:
    """Headers are written by people: blanks around them and capitals do not make another column."""
    return column_name(column.strip().lower())


def plain_names(columns: list[str], file: str) -> list[str]:
    """One that has no name (a delimiter too many, an index) gets its place."""
    names = [plain_name(column) or f"{UNNAMED}{number}" for number, column in enumerate(columns, start=1)]
    if twice := sorted({column for column in names if names.count(column) > 1}):
        raise SourceError(f"{file}: column '{twice[0]}' is there twice; rename one of them")
    return names


def is_utf8(values: tuple[bytes | None, ...]) -> bool:
    """Whether all values of a row are text."""
    try:
        for value in values:
            (value or b"").decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def placed(table: pa.Table, lines: np.ndarray, name: str) -> pa.Table:
    """With the place of each row, for the quarantine."""
    file = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(table), dtype=np.int32)), pa.array([name]))
    return table.append_column("_line", pa.array(lines, pa.int64())).append_column("_file", pa.chunked_array([file]))


def rejected(rows: list[tuple[int, str, str]], name: str) -> pa.Table:
    """Line, text and reason of what cannot be read, as a page for the quarantine."""
    columns: dict[str, Any] = {"_reason": pa.array([f"line: {reason}" for _, _, reason in rows]), "_raw": pa.array([raw for _, raw, _ in rows])}
    return placed(pa.table(columns), np.array([line for line, _, _ in rows]), name)

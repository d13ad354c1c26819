"""A table that grows by days as one Parquet file: months that did not change are taken over from an earlier file as they lie.

Here belongs how such a file is put together; which months differ is publication_files.py's to say. A row group holds days of one month, so a
file is made of other files' row groups and a footer that says where they lie now. Encoding all days again would be half of a publication.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MAGIC = b"PAR1"
OPTIONS = "format parquet, compression zstd, write_bloom_filter false"  # filters would lie apart from their row groups
OFFSETS = ("data_page_offset", "index_page_offset", "dictionary_page_offset")
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class _Piece:
    """Row groups of one file and that file's footer (Thrift objects of fastparquet's)."""

    path: Path
    footer: Any
    row_groups: list[Any]


def month_of(day: date) -> date:
    return day.replace(day=1)


def write_months(
    con: duckdb.DuckDBPyConnection,
    relation: str,
    day: str,
    months: Iterable[date],
    target: Path,
    *,
    last: Path | None = None,
    kept: Collection[date] = (),
) -> None:
    """Write `relation` into the file `target`. `months`: the first days of all months in which column `day` has rows.

    `last`: an earlier file of the same columns, which holds the same rows in the months `kept`. It may have been written in any way: what
    cannot be taken over is written anew. Raises duckdb.Error, OSError.
    """
    old = {month: piece for month, piece in (_months_in(last, day) if last else {}).items() if month in kept}
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".months-") as folder:
        pieces = [old.get(month) or _write_month(con, relation, day, month, Path(folder)) for month in sorted(months)]
        if len({_shape(piece) for piece in pieces}) > 1:  # another version of DuckDB wrote it
            pieces = [_write_month(con, relation, day, month, Path(folder)) for month in sorted(months)]
        if pieces:
            _join(pieces, target)
        else:
            con.execute(f"copy (from {relation}) to {literal(target)} ({OPTIONS})")


def _write_month(con: duckdb.DuckDBPyConnection, relation: str, day: str, month: date, folder: Path) -> _Piece:
    path, until = folder / f"{month}.parquet", month_of(month + timedelta(days=31))
    rows = f"from {relation} where \"{day}\" >= date '{month}' and \"{day}\" < date '{until}'"
    con.execute(f"copy ({rows}) to {literal(path)} ({OPTIONS})")
    footer = _footer(path)
    return _Piece(path, footer, footer.row_groups)


def _months_in(path: Path, day: str) -> dict[date, _Piece]:
    """The row groups of each month; nothing where one holds days of several months, or doesn't say of which."""
    footer = _footer(path)
    pieces: dict[date, _Piece] = {}
    for row_group in footer.row_groups:
        found = next(column.meta_data.statistics for column in row_group.columns if column.meta_data.path_in_schema == [day])
        ends = () if found is None else (found.min_value, found.max_value)
        months = {month_of(EPOCH + timedelta(days=struct.unpack("<i", end)[0])) if end else None for end in ends}
        if len(months) != 1 or None in months or any(getattr(column.meta_data, "bloom_filter_offset", None) for column in row_group.columns):
            return {}
        pieces.setdefault(months.pop(), _Piece(path, footer, [])).row_groups.append(row_group)
    return pieces


def _join(pieces: Iterable[_Piece], target: Path) -> None:
    """Copy the row groups one after the other, and say in the footer where each lies."""
    row_groups = []
    with target.open("wb") as out:
        out.write(MAGIC)
        for piece in pieces:
            with piece.path.open("rb") as source:
                for row_group in piece.row_groups:
                    start, size = _place(row_group)
                    source.seek(start)
                    _move(row_group, out.tell() - start)
                    out.write(source.read(size))
                    row_groups.append(row_group)
        footer = piece.footer
        footer.row_groups = row_groups
        footer.num_rows = sum(row_group.num_rows for row_group in row_groups)
        said = bytes(footer.to_bytes())
        out.write(said + struct.pack("<I", len(said)) + MAGIC)


def _place(row_group: Any) -> tuple[int, int]:
    """Where a row group begins, and how many bytes it has: its columns lie one after the other."""
    columns = [column.meta_data for column in row_group.columns]
    start = min(column.dictionary_page_offset or column.data_page_offset for column in columns)
    return start, sum(column.total_compressed_size for column in columns)


def _move(row_group: Any, distance: int) -> None:
    for column in row_group.columns:
        for name in OFFSETS:
            offset = getattr(column.meta_data, name)
            if offset is not None:
                setattr(column.meta_data, name, offset + distance)


def _shape(piece: _Piece) -> tuple[str, str]:
    return str(piece.footer.created_by), str(piece.footer.schema)


def _footer(path: Path) -> Any:
    from fastparquet import ParquetFile

    return ParquetFile(os.fspath(path)).fmd


def literal(path: Path) -> str:
    """A path, as SQL."""
    return "'" + os.fspath(path).replace("'", "''") + "'"

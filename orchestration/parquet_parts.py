"""A table that grows by days as one Parquet file: parts that did not change are taken over from an earlier file as they lie.

Here belongs how such a file is put together; what differs is publication_files.py's to say. A part is row groups of its own: of one month's
rows those whose bucket falls into one slice, so that neither a new day nor a customer whose whole past changed makes all of the file differ.
The file is made of other files' row groups and a footer that says where they lie now. Encoding all days again would be half of a publication.
"""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MAGIC = b"PAR1"
OPTIONS = "format parquet, compression zstd, write_bloom_filter false"  # filters would lie apart from their row groups
OFFSETS = ("data_page_offset", "index_page_offset", "dictionary_page_offset")
SLICE = "__slice"
BUCKETS = 256  # of a day's rows: one customer whose history changed replaces as small a part of all days
PART_ROWS = 32_768  # of a part at least, while the month has as many: smaller row groups compress and read worse
MOST_SLICES = 64  # DuckDB holds a file open for each


@dataclass(frozen=True, order=True)
class Part:
    """The rows of one month whose bucket modulo `slices` (a power of two) is `slice`."""

    month: date
    slices: int
    slice: int


@dataclass(frozen=True)
class Layout:
    """Which part each row group of a file belongs to, in their order."""

    parts: tuple[Part, ...] = ()

    @property
    def json(self) -> list[list[Any]]:
        return [[part.month.isoformat(), part.slices, part.slice] for part in self.parts]

    @classmethod
    def of(cls, json: Sequence[Sequence[Any]]) -> Layout:
        return cls(tuple(Part(date.fromisoformat(month), slices, number) for month, slices, number in json))


@dataclass(frozen=True)
class Earlier:
    """An earlier file of the same columns. It holds the same rows as now, but for `changes` (month, bucket)."""

    path: Path
    layout: Layout
    changes: Collection[tuple[date, int]]


@dataclass(frozen=True)
class _Piece:
    """Row groups of one file, which are one part, and that file's footer (Thrift objects of fastparquet's)."""

    path: Path
    footer: Any
    row_groups: list[Any]


def month_of(day: date) -> date:
    return day.replace(day=1)


def write_parts(
    con: duckdb.DuckDBPyConnection, relation: str, day: str, bucket: str, months: Mapping[date, int], target: Path, earlier: Earlier | None = None
) -> Layout:
    """Write `relation` into the file `target`. `months`: how many rows each month (its first day) has by column `day`.

    `bucket`: a row's bucket (0 to BUCKETS - 1), as SQL. What cannot be taken over from `earlier` is written anew. Raises duckdb.Error, OSError.
    """
    wanted = [Part(month, slices, number) for month, rows in months.items() for slices in [_slices(rows)] for number in range(slices)]
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".parts-") as folder:
        found = _taken_over(earlier, wanted)
        found |= _written(con, relation, day, bucket, [part for part in wanted if part not in found], Path(folder) / "changed")
        if len(_shapes(found)) > 1:  # another version of DuckDB wrote the earlier file
            found = _written(con, relation, day, bucket, wanted, Path(folder) / "all")
        if found:
            _join([piece for part in sorted(found) for piece in found[part]], target)
        else:
            con.execute(f"copy (from {relation}) to {literal(target)} ({OPTIONS})")
    return Layout(tuple(part for part in sorted(found) for piece in found[part] for _ in piece.row_groups))


def _slices(rows: int) -> int:
    """The largest power of two that leaves each slice PART_ROWS."""
    return min(MOST_SLICES, 1 << (max(1, rows // PART_ROWS).bit_length() - 1))


def _taken_over(earlier: Earlier | None, wanted: Collection[Part]) -> dict[Part, list[_Piece]]:
    """The wanted parts that the earlier file holds as they are now."""
    if earlier is None:
        return {}
    footer = _footer(earlier.path)
    if len(footer.row_groups) != len(earlier.layout.parts):
        return {}
    slices = {part.slices for part in wanted}
    kept = set(wanted) - {Part(month, count, bucket % count) for month, bucket in earlier.changes for count in slices}
    found: dict[Part, list[_Piece]] = {}
    for part, row_group in zip(earlier.layout.parts, footer.row_groups, strict=True):
        if part in kept:
            found.setdefault(part, []).append(_Piece(earlier.path, footer, [row_group]))
    return found


def _written(con: duckdb.DuckDBPyConnection, relation: str, day: str, bucket: str, parts: Iterable[Part], folder: Path) -> dict[Part, list[_Piece]]:
    """Parts as files of their own; none where there are no rows."""
    numbers: dict[tuple[date, int], list[int]] = {}
    for part in parts:
        numbers.setdefault((part.month, part.slices), []).append(part.slice)
    found: dict[Part, list[_Piece]] = {}
    for (month, slices), some in numbers.items():
        of_month, until, number = folder / f"{month}", month_of(month + timedelta(days=31)), f"({bucket}) % {slices}"
        of_month.mkdir(parents=True)
        where = f"\"{day}\" >= date '{month}' and \"{day}\" < date '{until}'"
        if len(some) < slices:
            where += f" and {number} in ({', '.join(map(str, some))})"
        rows = f"select *, {number} as {SLICE} from {relation} where {where}"
        con.execute(f"copy ({rows}) to {literal(of_month)} ({OPTIONS}, partition_by ({SLICE}))")
        for of_slice in of_month.iterdir():
            part = Part(month, slices, int(of_slice.name.removeprefix(f"{SLICE}=")))
            footers = {path: _footer(path) for path in sorted(of_slice.iterdir())}
            found[part] = [_Piece(path, footer, footer.row_groups) for path, footer in footers.items()]
    return found


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


def _shapes(found: Mapping[Part, list[_Piece]]) -> set[tuple[str, str]]:
    footers = {id(piece.footer): piece.footer for pieces in found.values() for piece in pieces}
    return {(str(footer.created_by), str(footer.schema)) for footer in footers.values()}


def _footer(path: Path) -> Any:
    from fastparquet import ParquetFile

    return ParquetFile(os.fspath(path)).fmd


def literal(path: Path) -> str:
    """A path, as SQL."""
    return "'" + os.fspath(path).replace("'", "''") + "'"

"""The files of a version: one DuckDB database and a Parquet file per table, copied from the warehouse and proved against it.

Here belongs how tables get into those files; not in which steps a version becomes one (publish.py) nor what is said about a run
(publication_tables.py). Tables that grow by days are most of a version, and a run changes few of their days: they are taken over from the
last version's database, and only what differs from the warehouse is replaced.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from orchestration import publication_tables as own
from orchestration.content_hash import content_hash
from orchestration.published import DATABASE, PublicationError, compare_counts

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
STORAGE_VERSION = "v1.2.0"  # the oldest client that shall open the file
BUCKETS = 256  # of a day's rows: one customer whose history changed replaces as small a part of all days


@dataclass(frozen=True)
class Table:
    """A table to publish. `relation` as seen where the warehouse is attached as `wh`; `key`: its primary key, empty = unknown.

    `day`: the column by whose days it grows. Such a table lies in the order of its days; any other is sorted by its key.
    """

    name: str
    relation: str
    key: tuple[str, ...] = ()
    day: str | None = None

    @classmethod
    def mart(cls, name: str, *key: str, day: str | None = None) -> Table:
        return cls(name, f'wh.marts."{name}"', key, day)

    @property
    def target(self) -> str:
        return f'pub.main."{self.name}"'

    @property
    def query(self) -> str:
        """All rows, in the order in which they are written. Sorting all days anew would be half of what copying them costs."""
        columns = ", ".join(f'"{column}" nulls last' for column in self.key) or "all"
        return f"select * from {self.relation}" + ("" if self.day else f" order by {columns}")

    @property
    def bucket(self) -> str:
        """Which of a day's buckets a row is in, as SQL."""
        others = [column for column in self.key if column != self.day]
        return f'hash("{others[0]}") % {BUCKETS}' if others else "0"


def build(
    warehouse_path: Path | None,
    building: Path,
    tables: Sequence[Table],
    context: own.Context,
    *,
    memory_limit: str,
    last: Path | None = None,
    checkpoint: Callable[[str], None] = lambda step: None,
) -> dict[str, dict[str, Any]]:
    """Write the files into `building`, which must not exist; returns rows and content hash of each table.

    Both are taken from the warehouse, so that proving means comparing with it. `last`: the last version's database, if tables may be taken
    over from it. Raises duckdb.Error.
    """
    import duckdb

    (building / "parquet").mkdir(parents=True)
    if last is not None:
        shutil.copyfile(last, building / DATABASE)
    with duckdb.connect(config={"temp_directory": str(building / ".spill"), "memory_limit": memory_limit}) as con:
        con.execute("set global TimeZone = 'UTC'")
        if warehouse_path is not None:
            con.execute(f"attach {_literal(warehouse_path)} as wh (read_only)")
        con.execute(f"attach {_literal(building / DATABASE)} as pub" + ("" if last else f" (storage_version '{STORAGE_VERSION}')"))
        taken_over = _drop_all_but(con, {table.name for table in tables if table.day})
        entries = _entries(con, {table.name: table.relation for table in tables})
        grown = {table.name for table in tables if table.name in taken_over and bring_up_to_date(con, table) is not None}
        anew = [f"create or replace table {table.target} as {table.query}" for table in tables if table.name not in grown]
        _side_by_side(con, lambda cursor, statement: cursor.execute(statement), anew)
        checkpoint("copied")
        written = own.write(con, context, {name: entry["rows"] for name, entry in entries.items()})
        entries |= _entries(con, {name: f"pub.main.{name}" for name in written})
        files = {name: _literal(building / "parquet" / f"{name}.parquet") for name in entries}
        exports = [f'copy pub.main."{name}" to {file} (format parquet, compression zstd)' for name, file in files.items()]
        _side_by_side(con, lambda cursor, statement: cursor.execute(statement), exports)
        checkpoint("exported")
        con.execute("checkpoint pub")
        con.execute("detach pub")
    shutil.rmtree(building / ".spill", ignore_errors=True)
    return dict(sorted(entries.items()))


def bring_up_to_date(con: duckdb.DuckDBPyConnection, table: Table) -> int | None:
    """Replace in `pub` what differs from the warehouse; returns the rows written, or None where writing all of them anew is the better way.

    Compared are hashes over all columns, by day and bucket. What they miss (one chance in 2^64 a row) proving would find.
    """
    columns = con.execute(f"describe {table.relation}").fetchall()
    if [column[:2] for column in columns] != [column[:2] for column in con.execute(f"describe {table.target}").fetchall()]:
        return None
    values = ", ".join(f'"{name}"' for name, *_ in columns)
    groups = (
        f'select "{table.day}" as day, {table.bucket} as bucket, count(*) as n, sum(cast(hash({values}) as hugeint)) as total, '
        f"bit_xor(hash({values})) as mixed from {{}} group by all"
    )
    con.execute(
        "create or replace temp table changed as select day, bucket, coalesce(ours.n, 0) as n "
        f"from ({groups.format(table.relation)}) as ours full join ({groups.format(table.target)}) as theirs using (day, bucket) "
        "where (ours.n, ours.total, ours.mixed) is distinct from (theirs.n, theirs.total, theirs.mixed)"
    )
    written = con.execute("select coalesce(sum(n), 0) from changed").fetchone()[0]
    if 2 * written > con.execute(f"select count(*) from {table.relation}").fetchone()[0]:
        return None
    # The days alone first: they tell DuckDB which parts of the table it need not read.
    where = f'"{table.day}" in (select day from changed) and ("{table.day}", {table.bucket}) in (select (day, bucket) from changed)'
    con.execute(f"delete from {table.target} where {where}")
    con.execute(f"insert into {table.target} select * from {table.relation} where {where}")
    return written


def prove(building: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Reopen what was written, read-only, and compare every table with the warehouse: rows and content. Raises PublicationError."""
    import duckdb

    compare_counts(building, {name: entry["rows"] for name, entry in entries.items()})
    with duckdb.connect(str(building / DATABASE), read_only=True) as con:
        found = _entries(con, {name: f'main."{name}"' for name in entries})
    for name, entry in entries.items():
        if found[name] != entry:
            raise PublicationError(f"table {name} reads back other than it was written")


def _drop_all_but(con: duckdb.DuckDBPyConnection, kept: set[str]) -> set[str]:
    """What `pub` holds of `kept`; everything else in it goes."""
    there = {name for (name,) in con.execute("select table_name from duckdb_tables() where database_name = 'pub'").fetchall()}
    for name in there - kept:
        con.execute(f'drop table pub.main."{name}"')
    return there & kept


def _entries(con: duckdb.DuckDBPyConnection, relations: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Rows and content of each relation, by its name."""

    def entry(cursor: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
        relation = relations[name]
        rows = cursor.execute(f"select count(*) from {relation}").fetchone()[0]
        return {"rows": rows, "content_hash": content_hash(cursor, relation)}

    return dict(zip(relations, _side_by_side(con, entry, relations), strict=True))


def _side_by_side(con: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection, str], T], items: Iterable[str]) -> list[T]:
    """What `work` returns for each, two at a time: with small tables DuckDB mostly plans, on one core."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda item: work(con.cursor(), item), items))


def _literal(path: Path) -> str:
    return "'" + os.fspath(path).replace("'", "''") + "'"

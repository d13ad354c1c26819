"""The files of a version: one DuckDB database and a Parquet file per table, copied from the warehouse and proved against it.

Here belongs how tables get into those files; not in which steps a version becomes one (publish.py), what is said about a run
(publication_tables.py) nor what is remembered for the next version (publication_days.py). Tables that grow by days are most of a version,
and a run changes few of their days: they are taken over from the last version's files, and only what differs from the warehouse is
replaced: buckets of a day's rows, in Parquet slices of a month's.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from orchestration import publication_tables as own
from orchestration.content_hash import SUMS, Content, content, row_hash
from orchestration.parquet_parts import BUCKETS, Earlier, literal, month_of, write_parts
from orchestration.publication_days import Known, as_published, known_of, write_down
from orchestration.published import DATABASE, Publication, PublicationError, compare_counts
from orchestration.warehouse import ROW_GROUP_SIZE

if TYPE_CHECKING:
    import duckdb

T = TypeVar("T")
STORAGE_VERSION = "v1.2.0"  # the oldest client that shall open the file
GROUPS = 16  # of a day's buckets: what is hashed together, so that a customer whose whole past changed makes one in 16 rows be looked at again


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
    def bucket(self) -> str:
        """Which of a day's buckets a row is in, as SQL."""
        others = [column for column in self.key if column != self.day]
        return f'hash("{others[0]}") % {BUCKETS}' if others else "0"

    @property
    def groups(self) -> tuple[str, ...]:
        """What its content is told apart by, as SQL."""
        return (f'"{self.day}"', f"({self.bucket}) % {GROUPS}") if self.day else ()

    @property
    def query(self) -> str:
        """All rows, in the order in which they are written. Sorting all days anew would be half of what copying them costs."""
        columns = ", ".join(f'"{column}" nulls last' for column in self.key) or "all"
        return f"select * from {self.relation}" + ("" if self.day else f" order by {columns}")


@dataclass(frozen=True)
class Changes:
    """What a table that grows got anew: how many rows, and in which buckets of which months."""

    rows: int
    buckets: frozenset[tuple[date, int]]


def build(
    warehouse_path: Path | None,
    building: Path,
    tables: Sequence[Table],
    context: own.Context,
    *,
    memory_limit: str,
    last: Publication | None = None,
    continued: bool = False,
    checkpoint: Callable[[str], None] = lambda step: None,
) -> dict[str, dict[str, Any]] | None:
    """Write the files into `building`, which must not exist; returns rows and content hash of each table.

    Both are taken from the warehouse, so that proving means comparing with it. `last`: the version from which Parquet may be taken over, and,
    if `continued`, the database: None comes back, and `building` is of no use, when too much differs from it, since old rows would only swell
    the new file. Raises duckdb.Error, OSError.
    """
    import duckdb

    (building / "parquet").mkdir(parents=True)
    continued = continued and last is not None
    if continued:
        shutil.copyfile(last.database, building / DATABASE)
    config = {"temp_directory": str(building / ".spill"), "memory_limit": memory_limit, "checkpoint_threshold": "4GB"}  # one checkpoint, at the end
    with duckdb.connect(config=config) as con:
        con.execute("set global TimeZone = 'UTC'")
        if warehouse_path is not None:
            con.execute(f"attach {literal(warehouse_path)} as wh (read_only)")
        storage = "" if continued else f"storage_version '{STORAGE_VERSION}', "
        con.execute(f"attach {literal(building / DATABASE)} as pub ({storage}row_group_size {ROW_GROUP_SIZE})")
        taken_over = _drop_all_but(con, {table.name for table in tables if table.day})
        contents = _contents(con, {table.name: (table.relation, table.groups) for table in tables})
        known = known_of(last) if last else {}
        changes: dict[str, Changes | None] = {}
        for table in tables:
            before = known.get(table.name)
            if table.name in taken_over:
                changes[table.name] = bring_up_to_date(con, table, contents[table.name], before and before.holds)
        if None in changes.values():
            return None
        anew = [f"create or replace table {table.target} as {table.query}" for table in tables if table.name not in changes]
        _side_by_side(con, lambda cursor, statement: cursor.execute(statement), anew)
        checkpoint("copied")
        written = own.write(con, context, {name: found.rows for name, found in contents.items()})
        contents |= _contents(con, {name: (f"pub.main.{name}", ()) for name in written})
        growing = {table.name: table for table in tables if table.day}
        said: dict[str, Known] = {}

        def export(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
            path = building / "parquet" / f"{name}.parquet"
            if name in growing:
                earlier = _earlier(last, growing[name], contents[name], known.get(name), changes.get(name))
                said[name] = _export_parts(cursor, growing[name], path, contents[name], earlier)
            else:
                cursor.execute(f'copy pub.main."{name}" to {literal(path)} (format parquet, compression zstd)')

        _side_by_side(con, export, contents)
        write_down(building, said)
        checkpoint("exported")
        con.execute("checkpoint pub")
        con.execute("detach pub")
    shutil.rmtree(building / ".spill", ignore_errors=True)
    return {name: _entry(found) for name, found in sorted(contents.items())}


def bring_up_to_date(con: duckdb.DuckDBPyConnection, table: Table, ours: Content, theirs: Content | None = None) -> Changes | None:
    """Replace in `pub`, which holds `theirs`, what differs from the warehouse, which holds `ours`; None where writing all anew is the better way.

    Compared is what rows hold (which run computed them again is no difference), in groups of a day's buckets, and where they differ by bucket.
    What hashes miss (one chance in 2^64 a row) proving would find, and also that `theirs` is not so.
    """
    columns = con.execute(f"describe {table.relation}").fetchall()
    if [column[:2] for column in columns] != [column[:2] for column in con.execute(f"describe {table.target}").fetchall()]:
        return None
    differing = ours.differing(theirs or content(con, table.target, table.groups))
    days, numbers = [day for day, _ in differing], [number for _, number in differing]
    con.execute("create or replace temp table differing as select unnest(?::date[]) as day, unnest(?::int[]) as number", [days, numbers])
    on_days = f'"{table.day}" in (select day from differing)'  # tells DuckDB which parts of a table it need not read
    in_groups = f"{on_days} and ({', '.join(table.groups)}) in (select (day, number) from differing)"
    sums = (
        f"select day, bucket, ({SUMS}) as sums "
        f'from (select "{table.day}" as day, {table.bucket} as bucket, {row_hash(ours.columns)} as h from {{}} where {in_groups}) group by all'
    )
    con.execute(
        "create or replace temp table changed as select day, bucket, coalesce(ours.sums[1], 0) as n "
        f"from ({sums.format(table.relation)}) as ours full join ({sums.format(table.target)}) as theirs using (day, bucket) "
        "where ours.sums is distinct from theirs.sums"
    )
    written = int(con.execute("select coalesce(sum(n), 0) from changed").fetchone()[0])
    if 2 * written > ours.rows:
        return None
    where = f'{on_days} and ("{table.day}", {table.bucket}) in (select (day, bucket) from changed)'
    con.execute(f"delete from {table.target} where {where}")
    con.execute(f"insert into {table.target} select * from {table.relation} where {where}")
    touched = con.execute("select distinct cast(date_trunc('month', day) as date), cast(bucket as int) from changed").fetchall()
    return Changes(written, frozenset(touched))


def prove(building: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Reopen what was written, read-only, and compare every table with the warehouse: rows and content. Raises PublicationError."""
    import duckdb

    compare_counts(building, {name: entry["rows"] for name, entry in entries.items()})
    with duckdb.connect(str(building / DATABASE), read_only=True) as con:
        found = _contents(con, {name: (f'main."{name}"', ()) for name in entries})
    for name, entry in entries.items():
        if _entry(found[name]) != entry:
            raise PublicationError(f"table {name} reads back other than it was written")


def _export_parts(con: duckdb.DuckDBPyConnection, table: Table, path: Path, holds: Content, earlier: Earlier | None) -> Known:
    """Write the Parquet file of a table that grows; returns what the next version needs to know of it."""
    months: dict[date, int] = {}
    for (day, _), (rows, *_) in holds.sums.items():
        months[month_of(day)] = months.get(month_of(day), 0) + rows
    layout = write_parts(con, table.target, table.day, table.bucket, months, path, earlier)
    return Known(holds, layout, table.bucket)


def _earlier(last: Publication | None, table: Table, holds: Content, known: Known | None, changes: Changes | None) -> Earlier | None:
    """The last version's Parquet file of a table that grows. Where rows were not compared, all buckets of a group that differs may have changed."""
    if last is None or known is None or known.bucket != table.bucket or known.holds.columns != holds.columns:
        return None
    path = as_published(last, f"parquet/{table.name}.parquet")
    groups = {(month_of(day), number) for day, number in holds.differing(known.holds)}
    touched = changes.buckets if changes else {(month, bucket) for month, number in groups for bucket in range(number, BUCKETS, GROUPS)}
    return Earlier(path, known.layout, touched) if path else None


def _drop_all_but(con: duckdb.DuckDBPyConnection, kept: set[str]) -> set[str]:
    """What `pub` holds of `kept`; everything else in it goes."""
    there = {name for (name,) in con.execute("select table_name from duckdb_tables() where database_name = 'pub'").fetchall()}
    for name in there - kept:
        con.execute(f'drop table pub.main."{name}"')
    return there & kept


def _contents(con: duckdb.DuckDBPyConnection, relations: Mapping[str, tuple[str, Sequence[str]]]) -> dict[str, Content]:
    """What each relation holds, in these groups, by its name."""
    found = _side_by_side(con, lambda cursor, name: content(cursor, *relations[name]), relations)
    return dict(zip(relations, found, strict=True))


def _entry(found: Content) -> dict[str, Any]:
    return {"rows": found.rows, "content_hash": found.hash}


def _side_by_side(con: duckdb.DuckDBPyConnection, work: Callable[[duckdb.DuckDBPyConnection, str], T], items: Iterable[str]) -> list[T]:
    """What `work` returns for each, two at a time: with small tables DuckDB mostly plans, on one core."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda item: work(con.cursor(), item), items))

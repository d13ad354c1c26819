"""The warehouse file: one writer, verified before it is trusted, rebuilt from the lake when it is not what was left behind.

Here belongs opening the file, the raw views and its own manifest; not what is in the tables (models/) nor what BI reads
(publish.py).
"""

from __future__ import annotations

import fcntl
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.parquet_parts import literal
from orchestration.published import write_durably
from orchestration.settings import Settings

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("csw")
# A table that has a row group is compressed as it is written, by all cores; a smaller one goes through the log, and once more when the file
# is closed. DuckDB's own 122,880 rows are more than most tables have. Who writes with another size merges or splits what is there.
ROW_GROUP_SIZE = 32_768  # as in dbt_project/profiles.yml
HISTORY, LONGEST = "health_history_days", 10**9  # 0 days = all
LAYOUT, LAYOUT_NUMBER = "layout", "2"  # one more with each release that gives a table of kept days another column, or one another meaning
_UNPUBLISHED = "main.unpublished_runs (run_id varchar, is_rebuild boolean)"


@contextmanager
def connect(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, open for writing for as long as the block lasts. UTC, so that no session zone moves a date."""
    import duckdb

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect(config={"temp_directory": f"{settings.warehouse_path}.tmp", "memory_limit": settings.memory_limit})
    try:
        connection.execute("set global TimeZone = 'UTC'")
        connection.execute(f"attach {literal(settings.warehouse_path)} as warehouse (row_group_size {ROW_GROUP_SIZE})")
        connection.execute("use warehouse")
        yield connection
    finally:
        connection.close()


@contextmanager
def read(settings: Settings, reader: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, read-only: several processes at once, as long as nobody writes. Each `reader` spills into a folder of its own."""
    import duckdb

    spill = f"{settings.warehouse_path}.{reader}.tmp"
    connection = duckdb.connect(str(settings.warehouse_path), read_only=True, config={"temp_directory": spill, "memory_limit": settings.memory_limit})
    try:
        connection.execute("set global TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()


@contextmanager
def run_lock(settings: Settings) -> Iterator[None]:
    """One run at a time per data folder. A second one waits: the kernel frees the lock of a run that was killed.

    A run that comes to its end, good or bad, leaves a sealed warehouse; one that is killed doesn't, and the next discards what it left.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with (settings.data_dir / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.info("another run is at work in %s: waiting for it", settings.data_dir)
            fcntl.flock(handle, fcntl.LOCK_EX)
        if reason := why_unsound(settings):
            log.warning("%s: the warehouse is rebuilt from the lake", reason)
            discard(settings)
        yield
        if settings.warehouse_path.exists():
            seal(settings)


def seal(settings: Settings) -> None:
    """Write down which tables the warehouse holds, and how many rows: DuckDB opens a cut WAL without a word."""
    with connect(settings) as connection:
        connection.execute("checkpoint")
        counts = _row_counts(connection)
    write_durably(_seal_path(settings), json.dumps(counts, indent=1))


def unseal(settings: Settings) -> None:
    """Before the first write of a run. A run that dies leaves no seal."""
    _seal_path(settings).unlink(missing_ok=True)


def why_unsound(settings: Settings) -> str | None:
    """Why the warehouse is not what the last finished run left, in words; None when it is, or when there is none."""
    import duckdb

    if not settings.warehouse_path.exists():
        return None
    path = _seal_path(settings)
    if not path.exists():
        return "the last run did not finish"
    try:
        with connect(settings) as connection:
            found = _row_counts(connection)
    except duckdb.Error as error:
        return f"the warehouse cannot be opened ({str(error).splitlines()[0]})"
    try:
        sealed = json.loads(path.read_text())
    except ValueError:
        return f"{path.name} is damaged"
    return None if found == sealed else "the warehouse does not hold what the last run left in it"


def discard(settings: Settings) -> None:
    for suffix in ("", ".wal"):
        Path(str(settings.warehouse_path) + suffix).unlink(missing_ok=True)
    unseal(settings)


def begin_run(connection: duckdb.DuckDBPyConnection, run_id: str, *, anew: bool) -> None:
    """Remember a run until something is published: what it writes has not passed its gates yet."""
    connection.execute(f"create table if not exists {_UNPUBLISHED}")
    connection.execute("insert into main.unpublished_runs values (?, ?)", [run_id, anew])


def runs_begun(settings: Settings) -> list[str] | None:
    """The runs that have begun since the last publication; None: there is no warehouse that a run has begun to build."""
    if not settings.warehouse_path.exists():
        return None
    with connect(settings) as connection:
        if not connection.execute("select count(*) from duckdb_tables() where table_name = 'unpublished_runs'").fetchone()[0]:
            return None
        return [run_id for (run_id,) in connection.execute("select run_id from main.unpublished_runs").fetchall()]


def built_otherwise(settings: Settings) -> str | None:
    """Why days that the warehouse keeps are not what this release and these settings would give, in words; None: they are.

    Daily tables keep what was computed in another currency or for another day's end, without columns that are new; days beyond a shorter
    history are not there.
    """
    with connect(settings) as connection:
        if not connection.execute("select count(*) from duckdb_tables() where table_name = 'built_with'").fetchone()[0]:
            return "the warehouse was built by an older release"
        before = dict(connection.execute("select setting, value from main.built_with").fetchall())
    now = _shaping(settings)
    if before[LAYOUT] != now[LAYOUT]:
        return "the warehouse was built by another release"
    changed = [name for name in ("reporting_currency", "reporting_time_zone") if now[name] != before[name]]
    if (int(now[HISTORY]) or LONGEST) > (int(before[HISTORY]) or LONGEST):
        changed.append(HISTORY)
    return ", ".join(f"CSW_{name.upper()} was {before[name]} and is {now[name]}" for name in changed) or None


def remember_settings(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    """With which settings the days are kept (built_otherwise)."""
    connection.execute("create or replace table main.built_with (setting varchar, value varchar)")
    connection.executemany("insert into main.built_with values (?, ?)", list(_shaping(settings).items()))


def mark_published(connection: duckdb.DuckDBPyConnection) -> None:
    """All that is in the warehouse has passed its gates."""
    connection.execute(f"create or replace table {_UNPUBLISHED}")


def looks_at_all_days(connection: duckdb.DuckDBPyConnection, run_id: str) -> bool:
    """Whether gates look at the whole of a table that grows by days: one was built anew, or an earlier run wrote days that never passed.

    Else the run's own days will do. dbt's tests ask the same (macro days_of_this_run).
    """
    if not connection.execute("select count(*) from duckdb_tables() where table_name = 'unpublished_runs'").fetchone()[0]:
        return True
    return bool(connection.execute("select count(*) from main.unpublished_runs where is_rebuild or run_id <> ?", [run_id]).fetchone()[0])


def keeps_seeds(connection: duckdb.DuckDBPyConnection, digest: str | None) -> bool:
    """Whether the seeds in the warehouse were loaded, and passed their tests, from files with this digest; None: from none.

    Where not, they are about to be loaded, and the mark goes first: a load that fails half-way leaves seeds that are no file's.
    """
    marked = connection.execute("select count(*) from duckdb_tables() where table_name = 'seeds_loaded'").fetchone()[0]
    kept = bool(marked) and connection.execute("select digest from main.seeds_loaded").fetchone()[0] == digest
    if not kept:
        connection.execute("drop table if exists main.seeds_loaded")
    return kept


def mark_seeds(connection: duckdb.DuckDBPyConnection, digest: str) -> None:
    connection.execute("create or replace table main.seeds_loaded as select ? as digest", [digest])


def _shaping(settings: Settings) -> dict[str, str]:
    return {LAYOUT: LAYOUT_NUMBER} | {name: str(getattr(settings, name)) for name in ("reporting_currency", "reporting_time_zone", HISTORY)}


def _seal_path(settings: Settings) -> Path:
    return settings.data_dir / "warehouse.seal.json"


def _row_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = connection.execute("select schema_name, table_name from duckdb_tables() where not internal and not temporary order by all").fetchall()
    return {f"{schema}.{table}": connection.execute(f'select count(*) from "{schema}"."{table}"').fetchone()[0] for schema, table in tables}

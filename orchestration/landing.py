"""The lake: append-only Parquet, one folder per source, table and load date, each with the manifest that is also the cursor. Only what
did not pass its gate is ever replaced (lake_unproven.py).

Here belongs the order of things in one load: read cursors, pull, check, write, reconcile, commit. How rows are judged stands in
lake_validate.py and lake_drift.py, how folders are swapped in lake_partition.py, what there is in lake_contents.py, how DuckDB reads it in
lake_views.py. No Dagster.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import duckdb

from orchestration.contracts import Contract, ContractFileError, Contracts
from orchestration.lake_contents import LakeContents
from orchestration.lake_manifest import LakeError, Manifest, partition_name, read_manifest, read_state, utc_now
from orchestration.lake_partition import heal, source_lock
from orchestration.lake_table import TableLoad
from orchestration.lake_unproven import Passed, Unproven, all_passed
from orchestration.lake_validate import Statements
from orchestration.sources.base import Source, SourceError

log = logging.getLogger("csw")
NEW_COLUMN = "new column "  # how lake_table.py begins such a warning
OVERLAP = timedelta(days=1)  # a source may show a change up to this long after the time it gives it
LOOK_BACK = timedelta(days=31)  # of a table of days that is read again: what arrives or changes later waits for the next reconciliation


@runtime_checkable
class RemembersState(Protocol):
    """A source whose cursor is not a time (files: which ones were read). What `state` says is kept beside the manifest."""

    def resume(self, states: dict[str, Any]) -> None: ...
    def state(self, table: str) -> Any: ...


@runtime_checkable
class RereadsTables(Protocol):
    """A source (sql) with tables in which nothing shows a change: it gives those again, and landing keeps what is new."""

    rereads: frozenset[str]


@runtime_checkable
class ReadsWhole(Protocol):
    """A source (HubSpot) with tables in which some changes show nowhere: when keys are compared, it gives those whole, and landing keeps
    what is new."""

    reads_whole: frozenset[str]


class Lake(LakeContents):
    """A lake that can be loaded; what is refused goes below `quarantine_root`, in folders like those of `root`."""

    def __init__(self, root: Path, quarantine_root: Path, contracts: Contracts, *, overlap: timedelta = OVERLAP) -> None:
        super().__init__(root)
        self.quarantine_root, self._contracts, self._overlap = Path(quarantine_root), contracts, overlap
        self.removed: set[date] = set()  # load dates of what had not passed its gate, of all loads by this object
        self._memory: duckdb.DuckDBPyConnection | None = None  # opened by the first load
        self._statements: dict[str, Statements] = defaultdict(dict)
        self._opening = threading.Lock()  # sources are loaded side by side

    def load(
        self,
        source: Source,
        *,
        load_date: date,
        until: datetime,
        run_id: str,
        full: bool = False,
        reconcile: bool = False,
        passed: Passed = all_passed,
        believe_deletions: bool = False,
        progress: Callable[[str, int], None] | None = None,
    ) -> list[Manifest]:
        """Pull what is new in `source` up to `until` and commit it as partitions of `load_date`, all tables of the source or none.

        The window starts at the newest cursor *before* `load_date`, less the overlap, so that repeating a day repeats its window; `full`
        starts at the beginning and accepts a changed shape. `reconcile` also compares keys and lands a tombstone for what is gone, and
        reads tables that show no changes, or not all, whole; `believe_deletions`: however many those are.
        A load that has not `passed` its gate is pulled again with this one, which takes its place. One that this run has already committed
        is not repeated. `progress(table, rows)` is called as rows arrive.

        Raises SourceError (ContractError on drift), LakeError when the disk refuses; either way nothing is committed.
        """
        with source_lock(self.source_dir(source.source_relation)):
            tables = {table: self._contract(source.vendor, table) for table in source.tables}
            for table in tables:
                heal(self.table_dir(source.source_relation, table))
                heal(self.quarantine_root / source.source_relation / table)
            refused = Unproven(self.source_dir(source.source_relation), tables, passed, load_date=load_date, run_id=run_id)
            done = self._already_committed(source.source_relation, tables, load_date, run_id)
            if done is not None:
                log.info("%s: already landed for %s by this run", source.source_relation, load_date)
            else:
                with self._loads(source, tables, refused.before, load_date=load_date, until=until, run_id=run_id, full=full) as loads:
                    try:
                        done = self._pull_and_commit(source, loads, reconcile=reconcile, believe=believe_deletions, progress=progress)
                    except OSError as error:
                        raise LakeError(
                            f"{source.source_relation}: cannot write the lake ({error.strerror or str(error).splitlines()[0]}); nothing was"
                            " committed: make room or mend the folder, and run again"
                        ) from error
            self._remove(refused, source.source_relation)
            return done

    def _remove(self, refused: Unproven, source_relation: str) -> None:
        try:
            removed = refused.remove(self.quarantine_root / source_relation)
        except OSError as error:
            what = f"{source_relation}: what did not pass its gate cannot be removed ({error.strerror})"
            raise LakeError(f"{what}; mend the folder and run again") from error
        if removed:
            self.removed |= set(removed)
            days = ", ".join(map(str, removed))
            log.warning("%s: this load takes the place of %s, of which not all had passed their gates", source_relation, days)

    def _pull_and_commit(
        self, source: Source, loads: dict[str, TableLoad], *, reconcile: bool, believe: bool, progress: Callable[[str, int], None] | None
    ) -> list[Manifest]:
        if isinstance(source, RemembersState):
            known = {table: load.previous for table, load in loads.items() if load.previous is not None and load.since is not None}
            source.resume({table: self._state_after(source.source_relation, previous) for table, previous in known.items()})
        for table, page in source.pull({table: load.window(whole=reconcile) for table, load in loads.items()}):
            if table not in loads:
                raise SourceError(f"{source.source_relation} gave rows of '{table}', which it was not asked for: a fault of its client")
            loads[table].add(page)
            if progress is not None:
                progress(table, len(page))
        for table, load in loads.items():
            load.flush()
            if reconcile:
                load.reconcile(source.keys(table), believe=believe)
        # All are sealed before the first is committed: what can fail, fails before anything shows.
        absent = getattr(source, "absent", ())
        states = {table: source.state(table) if isinstance(source, RemembersState) else None for table in loads}
        manifests = [load.seal(states[table], is_absent=table in absent) for table, load in loads.items()]
        for load in loads.values():
            load.commit()
        for line in _warning_lines(manifests):
            log.warning("%s", line)
        return manifests

    @contextlib.contextmanager
    def _loads(
        self, source: Source, tables: dict[str, Contract], before: date, *, load_date: date, until: datetime, run_id: str, full: bool
    ) -> Iterator[dict[str, TableLoad]]:
        connection = self._connection()
        started_at = utc_now()
        rereads = source.rereads if isinstance(source, RereadsTables) else ()
        reads_whole = source.reads_whole if isinstance(source, ReadsWhole) else ()
        loads = {
            table: TableLoad(
                contract,
                connection,
                home=self.table_dir(source.source_relation, table),
                quarantine_home=self.quarantine_root / source.source_relation / table,
                source_relation=source.source_relation,
                load_date=load_date,
                before=before,
                run_id=run_id,
                started_at=started_at,
                until=until,
                previous=(previous := self.newest_manifest(source.source_relation, table, before=before)),
                since=previous.cursor - self._overlap if previous and previous.cursor and not full else None,
                look_back=LOOK_BACK if table in rereads else None,
                hides_changes=table in reads_whole,
                zone=getattr(source, "time_zone", None),
                statements=self._statements[source.source_relation],
            )
            for table, contract in tables.items()
        }
        try:
            yield loads
        finally:
            for load in loads.values():
                load.abort()
            connection.close()

    def _already_committed(self, source_relation: str, tables: dict[str, Contract], load_date: date, run_id: str) -> list[Manifest] | None:
        """Manifests of a load that this run finished. One table of it missing: all are pulled again, for children come with their parent."""
        folders = [self.table_dir(source_relation, table) / partition_name(load_date) for table in tables]
        try:
            manifests = [read_manifest(folder) for folder in folders]
        except LakeError:
            return None
        return manifests if all(manifest.run_id == run_id for manifest in manifests) else None

    def _connection(self) -> duckdb.DuckDBPyConnection:
        """For the checks of one load, of its own. They are projections: there is nothing to optimize, and trying costs more than they do."""
        with self._opening:
            if self._memory is None:
                self._memory = duckdb.connect(config={"threads": 2})
        connection = self._memory.cursor()
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("pragma disable_optimizer")
        return connection

    def _contract(self, vendor: str, table: str) -> Contract:
        try:
            return self._contracts[vendor, table]
        except KeyError:
            raise ContractFileError(f"no contract for {vendor}.{table}: declare it in models/staging/{vendor}/_{vendor}__sources.yml") from None

    def _state_after(self, source_relation: str, load: Manifest) -> Any:
        return read_state(self.table_dir(source_relation, load.table) / partition_name(load.load_date))


def _warning_lines(manifests: list[Manifest]) -> Iterator[str]:
    """What a person should hear of a load: one line for all new columns of a source, the rest as it is. All of it stays in the manifests."""
    new_columns = []
    for manifest in manifests:
        for warning in manifest.warnings:
            if warning.startswith(NEW_COLUMN):
                new_columns.append(f"{manifest.table}.{warning.split(chr(39))[1]}")
            else:
                yield f"{manifest.source_relation}.{manifest.table}: {warning}"
    if new_columns:
        shown = ", ".join(new_columns[:3]) + (", …" if len(new_columns) > 3 else "")
        yield f"{manifests[0].source_relation}: {len(new_columns)} columns that the contract does not know are kept in _extra ({shown})"

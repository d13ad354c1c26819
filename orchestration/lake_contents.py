"""What a lake can be asked: how far each table has been pulled, which loads there are, what passed its gate, and what is damaged.

Here belongs reading, for all who ask; the order of things in one load stands in landing.py. Folders that a killed load has left are put
right before they are read. No Dagster.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path

from orchestration.lake_manifest import Manifest, describe, partition_dates, partition_name, read_manifest
from orchestration.lake_partition import heal_source
from orchestration.lake_unproven import Passed, Unproven, all_passed, unproven
from orchestration.lake_verify import Problem, verify_partition
from orchestration.sources.base import Source


class LakeContents:
    """`root` holds `raw/<source_relation>/<table>/load_date=…`."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)

    def cursor(self, source_relation: str, table: str, *, before: date | None = None) -> datetime | None:
        """How far the source has been asked for this table, in partitions before `before` (None = all); None = never, or refused."""
        newest = self.newest_manifest(source_relation, table, before=before)
        return newest.cursor if newest else None

    def newest_manifest(self, source_relation: str, table: str, *, before: date | None = None) -> Manifest | None:
        """Of the partitions before `before` (None = all); None = there is none."""
        folder = self.table_dir(source_relation, table)
        dates = [day for day in partition_dates(folder) if before is None or day < before]
        return read_manifest(folder / partition_name(dates[-1])) if dates else None

    def newest_date(self, source_relation: str, table: str) -> date | None:
        """The newest load date, whatever the state of its manifest."""
        return max(partition_dates(self.table_dir(source_relation, table)), default=None)

    def unproven(self, source_relation: str, table: str, passed: Passed) -> list[Manifest]:
        """The loads of one table after the last one that has passed its gate, newest first."""
        return unproven(self.table_dir(source_relation, table), passed)

    def reconciled_on(
        self, source_relation: str, tables: Iterable[str], *, before: date, passed: Passed = all_passed, run_id: str = ""
    ) -> date | None:
        """Load date up to which hard deletes were looked for in all of these tables that were ever loaded; None = in one of them never.

        As a load by `run_id` for `before` finds it: what has not `passed` its gate does not count.
        """
        before = Unproven(self.source_dir(source_relation), tables, passed, load_date=before, run_id=run_id).before
        loads = [self.newest_manifest(source_relation, table, before=before) for table in tables]
        dates = [load.reconciled_on for load in loads if load is not None]
        return min(dates) if dates and None not in dates else None

    def manifests(self, source_relation: str, table: str, *, last: int = 0, until: date | None = None) -> list[Manifest]:
        """Those of one table up to `until`, oldest load date first: all, or the `last` ones."""
        self._heal_idle_sources()
        folder = self.table_dir(source_relation, table)
        dates = [day for day in partition_dates(folder) if until is None or day <= until]
        return [read_manifest(folder / partition_name(day)) for day in dates[-last:]]

    def partitions(self) -> list[Path]:
        """Folders of all committed partitions."""
        self._heal_idle_sources()
        tables = [table_dir for source_dir in _folders(self.root / "raw") for table_dir in _folders(source_dir)]
        return [table_dir / partition_name(day) for table_dir in tables for day in partition_dates(table_dir)]

    def verify(self) -> list[Problem]:
        """What in the lake is not as its manifest says: files, sizes, rows, bytes, content. Reads every file once."""
        return [problem for folder in self.partitions() for problem in verify_partition(folder)]

    def doubts(self, source: Source, day: date, passed: Passed) -> list[Problem]:
        """Why one day's load of a source cannot stay as it is: damage, or a gate that it has not passed."""
        folders = [self.table_dir(source.source_relation, table) / partition_name(day) for table in source.tables]
        there = [folder for folder in folders if folder.is_dir()]
        damage = [problem for folder in there for problem in verify_partition(folder)]
        return damage or [Problem(describe(folder), "it never passed its gate") for folder in there if not passed(read_manifest(folder))]

    def source_dir(self, source_relation: str) -> Path:
        """Where the tables of one source lie."""
        return self.root / "raw" / source_relation

    def table_dir(self, source_relation: str, table: str) -> Path:
        """Where the partitions of one table lie."""
        return self.source_dir(source_relation) / table

    def _heal_idle_sources(self) -> None:
        for source_dir in _folders(self.root / "raw"):
            heal_source(source_dir)


def _folders(parent: Path) -> list[Path]:
    return sorted(entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith(".")) if parent.is_dir() else []

"""What has not passed its raw gate does not count as landed: the next load goes on from before it, and takes its place.

Here belongs which loads of a source those are and how they are removed; whether one has passed is the caller's to say (proofs.py).

The load that takes their place pulls their window again. Until it is committed they stay; a run that is killed between the two leaves
both, which is harmless (the same records twice), and the load after it removes them. Nothing is built on what is found here: publication
asks for the gate of every load after the last one that passed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from orchestration.lake_manifest import LakeError, Manifest, partition_dates, partition_name, read_manifest
from orchestration.lake_partition import NEW, sync

Passed = Callable[[Manifest], bool]


def all_passed(load: Manifest) -> bool:
    """For lakes of which nobody keeps what their gates said."""
    return True


def unproven(table_dir: Path, passed: Passed, *, before: date | None = None, run_id: str | None = None) -> list[Manifest]:
    """The loads of one table after the last one that has passed, newest first.

    `run_id`: what this run has landed was itself built on what had passed, and is gated with what it lands next.
    """
    found: list[Manifest] = []
    for day in reversed(partition_dates(table_dir)):
        if before is None or day < before:
            load = read_manifest(table_dir / partition_name(day))
            if load.run_id == run_id or passed(load):
                break
            found.append(load)
    return found


class Unproven:
    """Loads of one source before `load_date` that have not passed, as a load by `run_id` finds them.

    All `tables` go back to the same day, the one before the first load of any of them that did not pass: children come with their parents,
    and a window that only one of them pulls again would give half of what it should. Tables that the source no longer gives go back each
    by itself.
    """

    def __init__(self, source_dir: Path, tables: Iterable[str], passed: Passed, *, load_date: date, run_id: str) -> None:
        self._source_dir, self._load_date, self._run_id = source_dir, load_date, run_id
        each = {
            folder.name: unproven(folder, passed, before=load_date, run_id=run_id)
            for folder in sorted(source_dir.iterdir() if source_dir.is_dir() else ())
            if folder.is_dir() and not folder.name.startswith(".")
        }
        first = {table: loads[-1].load_date for table, loads in each.items() if loads}
        self.since = min((first[table] for table in tables if table in first), default=None)
        if self.since is not None:
            first |= dict.fromkeys(tables, self.since)
        self._first = first

    @property
    def before(self) -> date:
        """A load of this source builds on partitions older than this day."""
        return self.since or self._load_date

    def remove(self, quarantine_dir: Path) -> list[date]:
        """Remove them, their quarantine with them; returns their load dates."""
        removed = set()
        for table, first in self._first.items():
            home, quarantine = self._source_dir / table, quarantine_dir / table
            for day in {*partition_dates(home), *partition_dates(quarantine)}:
                if first <= day < self._load_date and _run_of(home / partition_name(day)) != self._run_id:
                    _remove(quarantine / partition_name(day))  # first: what is left of a kill is found by the partition
                    _remove(home / partition_name(day))
                    removed.add(day)
        return sorted(removed)


def _run_of(folder: Path) -> str | None:
    try:
        return read_manifest(folder).run_id
    except LakeError:
        return None


def _remove(folder: Path) -> None:
    """Out of sight in one step; what a kill leaves of it is waste, which the next load sweeps up."""
    if folder.is_dir():
        hidden = folder.with_name(NEW + folder.name)
        shutil.rmtree(hidden, ignore_errors=True)
        os.rename(folder, hidden)
        sync(folder.parent)
        shutil.rmtree(hidden)

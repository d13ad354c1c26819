"""Which loads count as landed: those whose rows the raw gate of their table has let pass.

Here belongs what the quality store knows of a load's gate, and what is taken for granted where it knows nothing; not what is done with a
load that has not passed (lake_unproven.py, assets/publication.py).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from orchestration.lake_manifest import Manifest
from orchestration.published import write_durably
from orchestration.quality import QualityStore

DUE = ".due"


class Proofs:
    """What was said until now: make a new one for each step. A run's record is read once, and only when one of its loads is asked for."""

    def __init__(self, data_dir: Path) -> None:
        self._store = QualityStore(data_dir)
        self._due = self._store.root / DUE
        self._said: dict[str, dict[str, bool]] = {}
        self._kept_since: float | None = None

    def expect(self, run_id: str, assets: Iterable[str]) -> None:
        """Before a run lands these tables: until their gates have spoken they have not passed, should the run be killed before."""
        self._due.mkdir(parents=True, exist_ok=True)
        write_durably(self._due / run_id, json.dumps(sorted(assets)))

    def passed(self, load: Manifest) -> bool:
        """Whether the gate has let this load pass.

        Where nothing is recorded of it: whether it is older than all that is recorded. A person may clear the store of old runs, or restore a
        lake without it, and what had long been published then must not be asked for again.
        """
        asset, said = f"{load.vendor}__{load.table}", self._of_run(load.run_id)
        return said[asset] if asset in said else load.committed_at.timestamp() < self._oldest_record()

    def is_recorded(self, load: Manifest) -> bool:
        return f"{load.vendor}__{load.table}" in self._of_run(load.run_id)

    def refused(self) -> dict[str, set[str]]:
        """Tables → runs since the last publication whose loads of them have not passed, whether the lake still holds those or not."""
        found = defaultdict(set)
        for path in self._due.glob("[!.]*"):
            for asset, passed in self._of_run(path.name).items():
                if not passed:
                    found[asset].add(path.name)
        return found

    def settle(self) -> None:
        """All that the lake holds has passed, or nothing would have been published: what was expected of runs until now is of no use."""
        for path in self._due.glob("*"):
            path.unlink()

    def _of_run(self, run_id: str) -> dict[str, bool]:
        if run_id not in self._said:
            self._said[run_id] = dict.fromkeys(self._expected(run_id), False) | self._store.raw_gates(run_id)
        return self._said[run_id]

    def _expected(self, run_id: str) -> list[str]:
        try:
            return json.loads((self._due / run_id).read_text())
        except (OSError, ValueError):
            return []

    def _oldest_record(self) -> float:
        if self._kept_since is None:
            self._kept_since = min((path.stat().st_mtime for path in self._store.raw_files()), default=float("inf"))
        return self._kept_since

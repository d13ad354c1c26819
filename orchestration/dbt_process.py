"""dbt in a process of its own, so that Dagster records what is built while dbt builds the next.

Here belongs only the crossing; dbt.py says how dbt is invoked. The process stays for as long as ours: one start-up and one parse a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from orchestration.companion import Companion, Tell
from orchestration.dbt import Dbt
from orchestration.dbt_outcomes import NodeOutcome
from orchestration.settings import Settings
from orchestration.window import RunWindow


def _handle(tell: Tell, settings: Settings, method: str, arguments: tuple, options: dict) -> None:
    if method == "build":
        Dbt(settings).build(*arguments, **options, tell=tell)
    else:
        tell(getattr(Dbt(settings), method)(*arguments, **options))


_process = Companion(_handle, "dbt")


class DbtProcess(Dbt):
    """The same as Dbt, from the other process. On Spark it stays in this one, which holds the Spark session."""

    def begin(self) -> None:
        """Start the process and let it parse, without waiting for it."""
        if not self._is_here:
            _process.begin(self._settings, "prepare", (), {})

    def prepare(self) -> None:
        if self._is_here:
            super().prepare()
        else:
            list(_process.ask(self._settings, "prepare", (), {}))

    def build(self, select: Iterable[str], window: RunWindow, *, run_id: str, tests: bool = True) -> Iterator[NodeOutcome]:
        """As Dbt.build, each outcome as soon as it is known."""
        if self._is_here:
            yield from super().build(select, window, run_id=run_id, tests=tests)
        else:
            yield from _process.ask(self._settings, "build", (list(select), window), {"run_id": run_id, "tests": tests})

    def generate_docs(self) -> Path:
        if self._is_here:
            return super().generate_docs()
        return next(iter(list(_process.ask(self._settings, "generate_docs", (), {}))))

    @property
    def _is_here(self) -> bool:
        return self._settings.target == "spark"

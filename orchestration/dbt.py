"""dbt in this process, parsed once (dbt_parsed.py; dbt_process.py puts it into another process).

Here belongs how dbt is invoked (arguments, variables, environment). Its results are read in dbt_outcomes.py; what they mean to Dagster
stands in assets/warehouse.py, what they mean to a gate in quality_dbt.py. dbt is imported on first use: it costs a second of CPU.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.dbt_outcomes import KEY_TEST, NodeOutcome, key_tests, outcome_of_event, outcome_of_result, with_key_tests
from orchestration.dbt_parsed import PROJECT_DIR, ParsedProject
from orchestration.settings import REPO, Settings
from orchestration.window import RunWindow

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


class DbtError(Exception):
    """dbt itself could not run (a model that does not compile, a profile that is wrong): the message is dbt's own."""


_parsed: dict[Path, Manifest] = {}  # by where it is kept: a second run in this process need not even read it


class Dbt:
    """One dbt project, parsed once, invoked as often as a run needs."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._target = settings.data_dir / "dbt"

    def manifest(self) -> dict[str, Any]:
        """The manifest as a dict, parsed anew only when a file of the project has changed since."""
        project = ParsedProject(self._settings)
        if not project.is_kept():
            self.prepare()
        return json.loads(project.json.read_text())

    def prepare(self) -> None:
        """Parse, if that is not done yet, and keep the manifest, if it is not there."""
        self._parse()

    def build(
        self,
        select: Iterable[str],
        window: RunWindow,
        *,
        run_id: str,
        tests: bool = True,
        tell: Callable[[NodeOutcome], None] | None = None,
    ) -> list[NodeOutcome]:
        """Seeds, models and data tests of `select`, in one `dbt build`. Unit tests belong to the test suite, not to a run.

        A test runs with the last of the layers it looks at (`buildable`): a reconciliation of staging with marts in the marts'
        step. Key tests run as part of building their table (macro check_primary_key) and are outcomes like the others. `tell` hears
        of each node when it is finished, in a thread of dbt's. Raises DbtError if dbt could not start; failed nodes are outcomes, not
        exceptions.
        """
        manifest = self._parse()
        if self._settings.target == "spark":
            from orchestration.spark import session

            session(self._settings)  # dbt-spark takes the session that it finds
        arguments = ["build", "--select", *select, "--indirect-selection", "buildable", "--exclude-resource-type", "unit_test"]
        arguments += ["--exclude", f"test_name:{KEY_TEST}"] if tests else ["--exclude-resource-type", "test"]
        arguments += ["--use-fast-test-edges", "--no-write-json", "--vars", json.dumps({**self.variables(window, run_id), "check_keys": tests})]
        keys = key_tests(manifest) if tests else {}
        outcomes: list[NodeOutcome] = []
        told: set[str] = set()

        def finished(outcome: NodeOutcome) -> None:
            if outcome.unique_id not in told:
                told.add(outcome.unique_id)
                for each in with_key_tests(outcome, keys.get(outcome.unique_id, ())):
                    outcomes.append(each)
                    if tell is not None:
                        tell(each)

        def on_event(event: Any) -> None:
            if event.info.name == "NodeFinished":
                finished(outcome_of_event(event.data))

        response = self._invoke(arguments, manifest=manifest, on_event=on_event)
        if response.exception is not None or response.result is None:
            raise DbtError(f"dbt build did not start: {response.exception}")
        for result in response.result.results:  # those that were skipped have no event
            finished(outcome_of_result(result))
        return outcomes

    def variables(self, window: RunWindow, run_id: str) -> dict[str, Any]:
        settings = self._settings
        return {
            "as_of_date": window.as_of.isoformat(),
            "start_date": window.compute_from.isoformat(),
            "end_date": window.end.isoformat(),
            "run_id": run_id,
            "restatement_days": settings.restatement_days,
            "health_history_days": settings.health_history_days,
            "reporting_time_zone": settings.reporting_time_zone,
            "reporting_currency": settings.reporting_currency,
            "mrr_rules": settings.mrr_rules,
            "mrr_rule_overrides": settings.mrr_rule_overrides,
            "present_domains": settings.present_domains,
        }

    def seeds_digest(self) -> str:
        """What the seeds are, by content."""
        digest = hashlib.sha256()
        for path in sorted((REPO / "seeds").iterdir()):
            digest.update(f"{path.name}\0".encode() + path.read_bytes())
        return digest.hexdigest()

    def generate_docs(self) -> Path:
        """The dbt docs site (static) from the present warehouse; returns its folder."""
        target = self._settings.docs_dir / "dbt"
        response = self._invoke(["docs", "generate", "--static"], target=target)
        if not response.success:
            raise DbtError(f"dbt docs could not be built: {response.exception or 'see the log in ' + str(self._target / 'logs')}")
        return target

    def _parse(self) -> Manifest:
        project = ParsedProject(self._settings)
        if project.json not in _parsed:
            _parsed[project.json] = project.read() if project.is_kept() else self._parse_anew()
        if not project.is_kept():
            project.keep(_parsed[project.json])
        return _parsed[project.json]

    def _parse_anew(self) -> Manifest:
        response = self._invoke(["parse", "--no-write-json", "--no-partial-parse"])
        if not response.success:
            raise DbtError(f"the dbt project does not parse: {response.exception}")
        return response.result

    def _invoke(self, arguments: list[str], *, manifest=None, target: Path | None = None, on_event: Callable[[Any], None] | None = None):
        from dbt.cli.main import dbtRunner

        self._target.mkdir(parents=True, exist_ok=True)
        self._export_environment()
        common = ["--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR), "--target", self._settings.target]
        common += ["--target-path", str(target or self._target), "--log-path", str(self._target / "logs"), "--quiet"]
        common += ["--log-level", "none", "--log-level-file", "none"]  # dbt's own formats every event, also those it doesn't write
        with _log_file(self._target / "logs" / "dbt.log") as note:
            try:
                return dbtRunner(manifest=manifest, callbacks=[note, *([on_event] if on_event else [])]).invoke([*arguments, *common])
            finally:
                _release_warehouse()

    def _export_environment(self) -> None:
        """What profiles.yml and the keyed-hash macro read: through the environment, so that no artifact holds the key."""
        os.environ["CSW_WAREHOUSE_PATH"] = str(self._settings.warehouse_path)
        os.environ["CSW_TARGET"] = self._settings.target
        os.environ["CSW_MEMORY_LIMIT"] = self._settings.memory_limit
        os.environ["CSW_ENGINE_THREADS"] = str(_engine_threads())
        os.environ["CSW_PII_KEY"] = self._settings.pii_key.get_secret_value()
        os.environ["CSW_DATA_DIR"] = str(self._settings.data_dir)


def _engine_threads() -> int:
    """DuckDB's threads: with the one that the second model at work brings, one a core. More of them cost a fifth more CPU for small queries."""
    import duckdb

    with duckdb.connect() as connection:
        cores = connection.execute("select current_setting('threads')").fetchone()[0]  # as DuckDB counts them
    return max(1, cores - 1)


@contextmanager
def _log_file(path: Path) -> Iterator[Callable[[Any], None]]:
    """Takes dbt's events and writes what a person may want to read later: everything but debug."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=10_000_000, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))

    def note(event: Any) -> None:
        if event.info.level != "debug" and event.info.msg.strip():
            handler.handle(logging.LogRecord("dbt", logging.INFO, "", 0, f"[{event.info.level}] {event.info.msg}", None, None))

    try:
        yield note
    finally:
        handler.close()


def _release_warehouse() -> None:
    """Close dbt-duckdb's connection, which it keeps for the whole process; opening the file for every node would cost more."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager._ENV = None

"""dbt in this process, parsed once (dbt_process.py puts it into another).

Here belongs how dbt is invoked (arguments, variables, environment, results). What the results mean to Dagster stands in
assets/warehouse.py, what they mean to a gate in quality.py. dbt is imported on first use: it costs a second of CPU.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import REPO, Settings
from orchestration.window import RunWindow

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT_DIR = REPO / "dbt_project"
SOURCES = ("models", "seeds", "dbt_project")


class DbtError(Exception):
    """dbt itself could not run (a model that does not compile, a profile that is wrong): the message is dbt's own."""


@dataclass(frozen=True)
class NodeOutcome:
    """What became of one dbt node in one invocation. `failures` counts failing rows of a test."""

    unique_id: str
    name: str
    resource_type: str
    status: str  # success, pass, fail, warn, error, skipped
    seconds: float
    failures: int | None
    message: str | None


_parsed: dict[str, Manifest] = {}  # by fingerprint of the project: a second run in this process need not parse again


class Dbt:
    """One dbt project, parsed once, invoked as often as a run needs."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._target = settings.data_dir / "dbt"

    @property
    def manifest_path(self) -> Path:
        return self._target / "manifest.json"

    def manifest(self) -> dict[str, Any]:
        """The manifest as a dict, parsed anew only when a file of the project has changed since."""
        if not self._is_current():
            self.prepare()
        return json.loads(self.manifest_path.read_text())

    def prepare(self) -> None:
        """Parse, if that is not done yet, and write the manifest, if it is not there."""
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
        step. `tell` hears of each node when it is finished, in a thread of dbt's. Raises DbtError if dbt could not start; failed
        nodes are outcomes, not exceptions.
        """
        manifest = self._parse()
        if self._settings.target == "spark":
            from orchestration.spark import session

            session(self._settings)  # dbt-spark takes the session that it finds
        arguments = ["build", "--select", *select, "--indirect-selection", "buildable", "--exclude-resource-type", "unit_test"]
        arguments += [] if tests else ["--exclude-resource-type", "test"]
        arguments += ["--no-write-json", "--vars", json.dumps(self.variables(window, run_id))]
        told: set[str] = set()

        def on_event(event: Any) -> None:
            if event.info.name == "NodeFinished" and tell is not None:
                told.add(event.data.node_info.unique_id)
                tell(_outcome_of_event(event.data))

        response = self._invoke(arguments, manifest=manifest, on_event=on_event)
        if response.exception is not None or response.result is None:
            raise DbtError(f"dbt build did not start: {response.exception}")
        outcomes = [_outcome(result) for result in response.result.results]
        for outcome in outcomes:
            if tell is not None and outcome.unique_id not in told:  # nodes that were skipped
                tell(outcome)
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
        fingerprint = _fingerprint(self._settings.target)
        if fingerprint not in _parsed:
            response = self._invoke(["parse", "--no-write-json"])
            if not response.success:
                raise DbtError(f"the dbt project does not parse: {response.exception}")
            _parsed[fingerprint] = response.result
        if not self._is_current():
            self._target.mkdir(parents=True, exist_ok=True)
            fresh = self.manifest_path.with_suffix(f".{os.getpid()}")  # whoever reads meanwhile finds the old one whole
            _parsed[fingerprint].write(str(fresh))
            os.replace(fresh, self.manifest_path)
            (self._target / "fingerprint").write_text(fingerprint)
        return _parsed[fingerprint]

    def _is_current(self) -> bool:
        mark = self._target / "fingerprint"
        return self.manifest_path.exists() and mark.exists() and mark.read_text() == _fingerprint(self._settings.target)

    def _invoke(self, arguments: list[str], *, manifest=None, target: Path | None = None, on_event: Callable[[Any], None] | None = None):
        from dbt.cli.main import dbtRunner

        self._target.mkdir(parents=True, exist_ok=True)
        self._export_environment()
        common = ["--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR), "--target", self._settings.target]
        common += ["--target-path", str(target or self._target), "--log-path", str(self._target / "logs"), "--quiet"]
        common += ["--log-level", "none", "--log-level-file", "info"]
        try:
            return dbtRunner(manifest=manifest, callbacks=[on_event] if on_event else None).invoke([*arguments, *common])
        finally:
            _release_warehouse()

    def _export_environment(self) -> None:
        """What profiles.yml and the keyed-hash macro read: through the environment, so that no artifact holds the key."""
        os.environ["CSW_WAREHOUSE_PATH"] = str(self._settings.warehouse_path)
        os.environ["CSW_TARGET"] = self._settings.target
        os.environ["CSW_MEMORY_LIMIT"] = self._settings.memory_limit
        os.environ["CSW_PII_KEY"] = self._settings.pii_key.get_secret_value()
        os.environ["CSW_DATA_DIR"] = str(self._settings.data_dir)


def _fingerprint(target: str) -> str:
    """Engine, and names, sizes and change times of the project's files: enough to know that nothing was edited."""
    digest = hashlib.sha256(target.encode())
    for root in SOURCES:
        for path in sorted((REPO / root).rglob("*")):
            if path.suffix in (".sql", ".yml", ".csv", ".md") and path.is_file():
                stat = path.stat()
                digest.update(f"{path.relative_to(REPO)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _release_warehouse() -> None:
    """Close dbt-duckdb's connection, which it keeps for the whole process; opening the file for every node would cost more."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager

    if DuckDBConnectionManager._ENV is not None:
        DuckDBConnectionManager._ENV.close()
        DuckDBConnectionManager._ENV = None


def _outcome(result) -> NodeOutcome:
    return NodeOutcome(
        unique_id=result.node.unique_id,
        name=result.node.name,
        resource_type=str(result.node.resource_type),
        status=str(result.status),
        seconds=float(result.execution_time or 0.0),
        failures=result.failures,
        message=result.message,
    )


def _outcome_of_event(data: Any) -> NodeOutcome:
    """The same from dbt's event NodeFinished, which comes before the results."""
    node, result = data.node_info, data.run_result
    return NodeOutcome(
        unique_id=node.unique_id,
        name=node.node_name,
        resource_type=node.resource_type,
        status=result.status,
        seconds=result.execution_time,
        failures=result.num_failures if result.status in ("pass", "warn", "fail") else None,  # the event says 0 for none
        message=result.message,
    )

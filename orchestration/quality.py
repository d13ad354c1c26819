"""What was checked, in every run, also in those that failed: the history behind fct_data_quality_results, csw status and Data Docs.

Here belongs keeping and reading results; what they say is decided in gates.py (suites) and quality_dbt.py (dbt). One small Parquet file
a run and room, written whole or not at all, below `<data>/quality/run_id=…/`: no database, so that nothing needs the warehouse open.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.gates import CheckResult, GateResult
from orchestration.publication_tables import QUALITY_COLUMNS
from orchestration.published import put_durably

if TYPE_CHECKING:
    from orchestration.settings import Settings

log = logging.getLogger("csw")
MAGIC = b"PAR1"  # how a Parquet file ends
# Besides the published columns: what it takes to read a gate's result back.
GATE_COLUMNS = {"layer": "varchar", "gate_outcome": "varchar", "gate_severity": "varchar"}
BUILDS = ("build", "contract")  # the checks that quality_dbt.py makes of a model itself, not of a test on it
RAW_GATES = "raw.gates.parquet"
HISTORY = 60  # runs whose results a published version carries


class QualityStore:
    """Results below `<data_dir>/quality`. Writing the same room of the same run again replaces what it said before."""

    def __init__(self, data_dir: Path) -> None:
        self.root = Path(data_dir) / "quality"

    def record_gates(self, run_id: str, room: str, results: Sequence[GateResult]) -> None:
        """Keep the outcomes of a room's suites."""
        self._write(run_id, f"{room}.gates", results)

    def record_dbt(self, run_id: str, room: str, outcomes: Sequence[Any], manifest: Mapping[str, Any]) -> list[GateResult]:
        """Keep what dbt's tests and contracts said in a room (`outcomes`: dbt.NodeOutcome), and return it as gates `dbt/<table>`."""
        from orchestration.quality_dbt import gates_from_dbt

        results = gates_from_dbt(outcomes, manifest, run_id)
        self._write(run_id, f"{room}.dbt", results)
        return results

    def record_checks(self, run_id: str, name: str, checks: Mapping[str, Sequence[CheckResult]]) -> None:
        """Keep checks that gate nothing (freshness, late rows), by asset."""
        results = [
            GateResult(asset=asset, layer=name, suite=name, outcome="passed", checks=tuple(of_asset), run_id=run_id)
            for asset, of_asset in checks.items()
        ]
        self._write(run_id, name, results)

    def runs(self) -> list[str]:
        """Run ids, oldest first, by when they last recorded something."""
        folders = [path for path in self.root.glob("run_id=*") if path.is_dir()]
        return [path.name.removeprefix("run_id=") for path in sorted(folders, key=lambda path: (path.stat().st_mtime_ns, path.name))]

    def last_built(self, tables: Iterable[str]) -> dict[str, str]:
        """The run that last set out to build each table; tables that no run ever did are left out.

        Set out, not succeeded: after a run that broke off half-way, what stands in the warehouse is a mix, and the gate of the table
        that failed or was skipped must be the one that counts.
        """
        wanted, found = set(tables), {}
        for run_id in reversed(self.runs()):
            for path in self._folder(run_id).glob("*.dbt.parquet"):
                rows = self._read(path, ["asset", "check_name"])
                found |= dict.fromkeys({row["asset"] for row in rows if row["check_name"] in BUILDS} & wanted, run_id)
            wanted -= found.keys()
            if not wanted:
                break
        return found

    def raw_gates(self, run_id: str) -> dict[str, bool]:
        """Raw tables whose gates have spoken in this run → whether they let its rows pass."""
        rows = self._read(self._folder(run_id) / RAW_GATES, ["asset", "gate_outcome", "gate_severity"])
        return {row["asset"]: not GateResult(row["asset"], "raw", "", row["gate_outcome"], row["gate_severity"]).blocks for row in rows}

    def raw_files(self) -> Iterator[Path]:
        """What raw gates have left, of all runs that are kept."""
        return self.root.glob(f"run_id=*/{RAW_GATES}")

    def files(self, last: int = HISTORY) -> list[Path]:
        """The Parquet files of the last runs, for a publication."""
        return [path for run_id in self.runs()[-last:] for path in sorted(self._folder(run_id).glob("*.parquet")) if _is_whole(path)]

    def rows(self, run_ids: Iterable[str]) -> list[dict[str, Any]]:
        """All checks of these runs, as dicts with the columns of fct_data_quality_results and of the gate they belong to."""
        return [row for run_id in run_ids for path in sorted(self._folder(run_id).glob("*.parquet")) for row in self._read(path)]

    def gate_results(self, run_ids: Iterable[str]) -> list[GateResult]:
        """The gates of these runs as they were recorded: what publish audits."""
        grouped: dict[tuple, list[dict]] = {}
        for row in self.rows(run_ids):
            grouped.setdefault((row["run_id"], row["layer"], row["asset"], row["gate_outcome"], row["gate_severity"]), []).append(row)
        return [
            GateResult(
                asset=asset, layer=layer, suite=f"{layer}/{asset}", outcome=outcome, severity=severity, run_id=run_id,
                checks=tuple(CheckResult(**{name: row[name] for name in CheckResult.__dataclass_fields__}) for row in rows),
            )
            for (run_id, layer, asset, outcome, severity), rows in grouped.items()
        ]  # fmt: skip

    def _folder(self, run_id: str) -> Path:
        return self.root / f"run_id={run_id}"

    def _read(self, path: Path, columns: list[str] | None = None) -> list[dict[str, Any]]:
        """The rows of one file; none when it is not there or damaged: what it said was not said then, and who asks for it fails closed."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(path).read(columns=columns).to_pylist() if path.exists() else []
        except (pa.ArrowException, OSError) as error:
            log.warning("%s is damaged and left out (%s): what was checked then is no longer known", _place(path), str(error).splitlines()[0])
            return []

    def _write(self, run_id: str, name: str, results: Sequence[GateResult]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        checked_at = datetime.now(UTC).replace(tzinfo=None)
        rows = [row for result in results for row in _rows(result, run_id, checked_at)]
        folder = self._folder(run_id)
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / f".{name}.new"
        pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), temporary)
        put_durably(temporary, folder / f"{name}.parquet")


def write_data_docs(settings: Settings) -> Path:
    """GX Data Docs of the last run's suites, as static pages; returns the page to open."""
    from orchestration.data_docs import build_data_docs

    store = QualityStore(settings.data_dir)
    runs = store.runs()
    return build_data_docs(store.gate_results(runs[-1:]), settings.docs_dir / "gx")


def _is_whole(path: Path) -> bool:
    """Whether a Parquet file ends as it should: one that was cut would stop whoever reads all of them at once."""
    with path.open("rb") as handle:
        handle.seek(0, os.SEEK_END)
        size = handle.tell()
        handle.seek(max(0, size - len(MAGIC)))
        if size > len(MAGIC) and handle.read() == MAGIC:
            return True
    log.warning("%s is damaged and left out: what was checked then is no longer known", _place(path))
    return False


def _place(path: Path) -> str:
    return "/".join(path.parts[-3:])


def _rows(result: GateResult, run_id: str, checked_at: datetime) -> list[dict[str, Any]]:
    # A gate without checks still has an outcome, and a reader must see it.
    checks = result.checks or (CheckResult("evaluation", "expectation", "critical", result.outcome),)
    return [
        {
            "run_id": run_id,
            "checked_at": checked_at,
            "asset": result.asset,
            **{name: getattr(check, name) for name in CheckResult.__dataclass_fields__},
            "layer": result.layer,
            "gate_outcome": result.outcome,
            "gate_severity": result.severity,
        }
        for check in checks
    ]


def _schema() -> Any:
    import pyarrow as pa

    types = {"varchar": pa.string(), "timestamp": pa.timestamp("us"), "bigint": pa.int64()}
    return pa.schema([(name, types[kind]) for name, kind in {**QUALITY_COLUMNS, **GATE_COLUMNS}.items()])

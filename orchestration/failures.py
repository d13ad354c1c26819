"""Why a run stopped, in words: for the terminal, the webhook and published/status.json.

Here belongs telling a gate's no from a failure; not whom to tell (sensors.py, cli.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from dagster import Failure
from dagster._core.errors import DagsterAssetCheckFailedError

from orchestration import published
from orchestration.quality import QualityStore
from orchestration.settings import Settings
from orchestration.window import RunWindow

PUBLICATION_STEP = "publication"
WAY_OUT = (
    "what this run landed does not count: mend the source or the suite and run again, or the next day, and it is pulled again"
    " (csw run --accept-volume if the number of rows is right)"
)


@dataclass(frozen=True)
class Stop:
    """What stopped a run. `outcome`: held_back (a gate said no) or failed (anything else)."""

    outcome: str
    reason: str
    gates: list[dict]


def explain(settings: Settings, run_id: str, step: str, error: BaseException | None) -> Stop:
    """One line for people (a few for several gates). Gates are read back from what the run has recorded."""
    kind = error.metadata.get("kind") if isinstance(error, Failure) else None
    by_gate = isinstance(error, DagsterAssetCheckFailedError) or (kind is not None and kind.value == "gate")
    blocking = [gate for gate in QualityStore(settings.data_dir).gate_results([run_id]) if gate.blocks] if by_gate else []
    if blocking and step != PUBLICATION_STEP:
        told = "\n".join(f"gate {gate.name} {gate.outcome.replace('_', ' ')}: {gate.reason}" for gate in blocking)
        if any(gate.layer == "raw" for gate in blocking):
            told += f"\n{WAY_OUT}"
    else:
        told = f"{step}: {_message(error)}" if not isinstance(error, Failure) else str(error.description)
    gates = [{"gate": gate.name, "outcome": gate.outcome, "severity": gate.severity, "reason": gate.reason} for gate in blocking]
    return Stop("held_back" if by_gate else "failed", told, gates)


def write_down(settings: Settings, run_id: str, window: RunWindow, step: str, stop: Stop) -> None:
    """Let BI and `csw status` see that the version they read is not the newest attempt, and why. Publishing writes its own, if it comes to that."""
    if step != PUBLICATION_STEP or (published.status(settings.published_dir) or {}).get("run_id") != run_id:
        published.write_status(
            settings.published_dir, outcome=stop.outcome, run_id=run_id, as_of_date=window.as_of, reason=stop.reason, gates=stop.gates
        )


def _message(error: BaseException | None) -> str:
    """The innermost cause in one line: Dagster wraps what a step raises."""
    while error is not None and error.__cause__ is not None:
        error = error.__cause__
    return " ".join(str(error).split())[:500] if error is not None and str(error) else f"{type(error).__name__}; see the run in the Dagster page"

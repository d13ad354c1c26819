"""What dbt found, as gates: one per table (`dbt/<table>`), from its data tests, its contract and whether it was built at all.

Here belongs reading dbt's outcomes and manifest; not running dbt (dbt.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from orchestration.gates import CheckResult, GateResult, Outcome, first_line, gate_of

OUTCOMES: dict[str, Outcome] = {
    "success": "passed",
    "pass": "passed",
    "warn": "failed",
    "fail": "failed",
    "rejected": "failed",
    "error": "errored",
    "runtime error": "errored",
    "skipped": "not_run",
}
RECONCILES = re.compile(r"reconcil|residual|adds?_up|sums?_to")


def gates_from_dbt(outcomes: Sequence[Any], manifest: Mapping[str, Any], run_id: str) -> list[GateResult]:
    """One gate per model or seed among `outcomes`, plus per table that only a test speaks about. An unknown status is an error."""
    nodes = manifest["nodes"]
    checks: dict[str, list[CheckResult]] = {}
    for outcome in outcomes:
        node = nodes.get(outcome.unique_id, {})
        if outcome.resource_type in ("model", "seed"):
            checks.setdefault(outcome.name, []).append(_built(outcome, node))
        elif outcome.resource_type == "test":
            checks.setdefault(_table_of(outcome, node, nodes), []).append(_tested(outcome, node))
    return [
        gate_of(GateResult(asset=table, layer="dbt", suite=f"dbt/{table}", outcome="not_run", run_id=run_id), of_table)
        for table, of_table in sorted(checks.items())
    ]


def _built(outcome: Any, node: Mapping[str, Any]) -> CheckResult:
    enforced = bool((node.get("config") or {}).get("contract", {}).get("enforced"))
    result = _outcome(outcome)
    expected = "columns and types as declared" if enforced else "built"
    return CheckResult(
        check_name="contract" if enforced else "build",
        kind="contract" if enforced else "data_test",
        severity="critical",
        outcome=result,
        observed=None if result == "passed" else first_line(outcome.message or outcome.status),
        expected=None if outcome.status == "rejected" else expected,  # the key test beside it says what was expected
    )


def _tested(outcome: Any, node: Mapping[str, Any]) -> CheckResult:
    result = _outcome(outcome)
    config = node.get("config") or {}
    warns = outcome.status == "warn" or str(config.get("severity", "error")).lower() == "warn"
    kind = (config.get("meta") or {}).get("kind") or ("reconciliation" if RECONCILES.search(outcome.name) else "data_test")
    observed = f"{outcome.failures} rows" if outcome.failures is not None else None
    return CheckResult(
        check_name=outcome.name,
        kind=kind,
        severity="warning" if warns and result == "failed" else "critical",
        outcome=result,
        observed=first_line(outcome.message or outcome.status) if result in ("errored", "not_run") else observed,
        expected="0 rows",
        unexpected_rows=outcome.failures,
    )


def _table_of(outcome: Any, node: Mapping[str, Any], nodes: Mapping[str, Any]) -> str:
    """The table a test is attached to; a singular test belongs to the last of the tables it reads, and reads it for all of them."""
    attached = node.get("attached_node")
    depends_on = [name for name in (node.get("depends_on") or {}).get("nodes", []) if name in nodes]
    table = nodes.get(attached or (depends_on[-1] if depends_on else ""), {})
    return table.get("name", outcome.name)


def _outcome(outcome: Any) -> Outcome:
    return OUTCOMES.get(str(outcome.status).lower(), "errored")

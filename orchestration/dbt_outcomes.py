"""What became of each node of a dbt invocation.

Here belongs reading dbt's results and events, and telling a table apart from the key tests that ran while it was built; not how dbt is
invoked (dbt.py) nor what an outcome means to a gate (quality_dbt.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

KEY_TEST = "primary_key"
BROKEN_KEY = re.compile(r"primary_key: (\d+) keys of \w+ are doubled or NULL \(([^)]*)\)")  # what the macro check_primary_key raises


@dataclass(frozen=True)
class NodeOutcome:
    """What became of one dbt node in one invocation. `failures` counts failing rows of a test."""

    unique_id: str
    name: str
    resource_type: str
    status: str  # success, pass, fail, warn, error, skipped; rejected: built, and not kept, because its key test failed
    seconds: float
    failures: int | None
    message: str | None


def key_tests(manifest: Manifest) -> dict[str, list[Any]]:
    """Model or seed → its key tests' nodes."""
    found: dict[str, list[Any]] = {}
    for node in manifest.nodes.values():
        metadata = getattr(node, "test_metadata", None)
        if metadata is not None and metadata.name == KEY_TEST:
            found.setdefault(node.attached_node, []).append(node)
    return found


def with_key_tests(outcome: NodeOutcome, tests: Iterable[Any]) -> list[NodeOutcome]:
    """A table's outcome, and those of the key tests that ran while it was built."""
    broken = {found[2]: found for found in BROKEN_KEY.finditer(outcome.message or "")} if outcome.status == "error" else {}
    outcomes = [replace(outcome, status="rejected", message="built and not kept: its key is broken") if broken else outcome]
    for test in tests:
        found = broken.get(", ".join(test.test_metadata.kwargs["columns"]))
        if found:
            status, failures, message = "fail", int(found[1]), found[0]
        else:
            # The first broken key ends the statement: of another key of the same table nothing is known then.
            status, failures, message = ("pass", 0, None) if outcome.status == "success" else ("skipped", None, None)
        outcomes.append(NodeOutcome(test.unique_id, test.name, "test", status, 0.0, failures, message))
    return outcomes


def outcome_of_result(result) -> NodeOutcome:
    return NodeOutcome(
        unique_id=result.node.unique_id,
        name=result.node.name,
        resource_type=str(result.node.resource_type),
        status=str(result.status),
        seconds=float(result.execution_time or 0.0),
        failures=result.failures,
        message=result.message,
    )


def outcome_of_event(data: Any) -> NodeOutcome:
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

"""When a whole pull is refused, because the source no longer gives what was agreed on, rather than a few bad rows put aside.

Here belong the rules of schema drift; not the judging of single rows (lake_validate.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from orchestration.contracts import Contract
from orchestration.lake_manifest import Manifest
from orchestration.lake_types import NO_ZONE, NOT_A
from orchestration.lake_validate import MISSING
from orchestration.sources.base import ContractError

ENOUGH_ROWS = 20  # below that a share says nothing
TYPE_CHANGE_SHARE = 0.2
ALWAYS_FILLED = 0.9


def check_drift(
    contract: Contract,
    *,
    rows: int,
    seen: set[str],
    filled: Mapping[str, int],
    failures: Counter[tuple[str, str]],
    previous: Manifest | None,
    is_sparse: bool,
) -> list[str]:
    """Raises ContractError, naming the column, when one that counts is gone, empty, or of another type; returns what is only suspicious.

    `rows` delivered (deletions aside), columns `seen` in them, `filled` values per column, `failures` of single rows per (column, what).
    `previous` is the newest manifest before this load, None in a full load: that accepts a new shape. `is_sparse`: records leave empty
    columns out, so that one which is not there may only be empty.
    """
    if rows == 0:
        return []
    for column in contract.columns:
        if column.required and column.name not in seen:
            raise _changed(contract, f"required column '{column.name}' is missing from all {rows} rows")
    for name in previous.columns_seen if previous and not is_sparse else ():
        if name in contract.column_names and name not in seen:
            raise _changed(contract, f"column '{name}', which was there on {previous.load_date}, is gone: renamed or removed", can_accept=True)
    if rows < ENOUGH_ROWS:
        return []
    failed: Counter[str] = Counter()
    for (name, what), count in failures.items():
        if what.startswith(NOT_A) or what == NO_ZONE:
            failed[name] += count
            if failed[name] > TYPE_CHANGE_SHARE * rows:
                mend = "; set CSW_SOURCE_TIMEZONE if all its times are of one zone" if what == NO_ZONE else ": its type has changed"
                raise _changed(contract, f"column '{name}' is {what} in {failed[name]} of {rows} rows{mend}")
    warnings = []
    for column in contract.columns:
        if failures[column.name, MISSING] >= rows:
            raise _changed(contract, f"required column '{column.name}' is empty in all {rows} rows")
        if not filled.get(column.name) and not failed[column.name] and any(filled.values()):
            share = previous.filled.get(column.name, 0.0) if previous else 0.0
            if share >= ALWAYS_FILLED:  # no proof: new invoices are unpaid, all of them
                warnings.append(f"column '{column.name}' is empty in all {rows} rows; before, {share:.0%} of them had a value")
    return warnings


def _changed(contract: Contract, what: str, *, can_accept: bool = False) -> ContractError:
    accept = ", or accept the new shape, once, with csw run --full-load" if can_accept else ""
    return ContractError(f"{contract.name}: {what}. Nothing of this pull was landed: mend it at the source{accept}")

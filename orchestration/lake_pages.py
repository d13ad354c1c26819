"""Pages as sources give them → Arrow tables under the source's own column names.

Here belongs making columns out of records, without judging a value; casting is lake_types.py's, judging lake_validate.py's.
Besides the contract's columns a page may carry the reserved ones below; whatever else it carries goes to `_extra`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from orchestration.contracts import Contract
from orchestration.sources.base import Page

EXTRA, IS_DELETED = "_extra", "_is_deleted"
REASON, LINE, FILE, RAW = "_reason", "_line", "_file", "_raw"  # by `files`: where a row stands, and why it could not be read at all
SPARSE = b"sparse"  # schema metadata of a page whose records leave out what is empty
RESERVED = {EXTRA: pa.string(), IS_DELETED: pa.bool_(), REASON: pa.string(), LINE: pa.int64(), FILE: pa.string(), RAW: pa.string()}


def to_arrow(page: Page, contract: Contract) -> pa.Table:
    """One page as a table. Records become columns of whatever type all their values share, text where they share none."""
    if isinstance(page, pa.RecordBatch):
        return pa.Table.from_batches([page])
    if isinstance(page, pa.Table):
        return page
    return _from_records(page, contract)


def _from_records(records: list[dict[str, Any]], contract: Contract) -> pa.Table:
    seen: set[str] = set().union(*records)
    shapes = {frozenset(record) for record in records if not record.get(IS_DELETED)}  # a tombstone brings its key alone
    columns: dict[str, pa.Array] = {}
    for column in contract.columns:
        if column.name in seen:
            values = [record.get(column.name) for record in records]
            columns[column.name] = _array(values, mixed_times=column.data_type in ("date", "timestamp"))
    for name, data_type in RESERVED.items():
        if name in seen and name != EXTRA:
            columns[name] = pa.array([record.get(name) for record in records], data_type)
    unknown = seen - set(contract.column_names) - set(RESERVED)
    if unknown or EXTRA in seen:
        columns[EXTRA] = pa.array([_extra(record, unknown) for record in records], pa.string())
    table = pa.table(columns) if columns else pa.table({REASON: pa.nulls(len(records), pa.string())})
    sometimes = seen - frozenset.intersection(*shapes) if shapes else seen
    return table.replace_schema_metadata({"unknown": json.dumps(sorted(unknown)), "sometimes": json.dumps(sorted(sometimes))})


def _extra(record: dict[str, Any], unknown: Iterable[str]) -> str | None:
    """What the contract does not know, as JSON; a source may bring an `_extra` of its own."""
    given = record.get(EXTRA)
    extra = {name: record[name] for name in unknown if name in record}
    if isinstance(given, dict):
        extra |= given
    elif given:
        extra["_extra"] = given
    return as_json(extra) if extra else None


def _array(values: list[Any], *, mixed_times: bool) -> pa.Array:
    """Arrow infers a type; but it reads dates, naive and aware times in one list as the first of them, so those become text."""
    if mixed_times and len({(type(value), getattr(value, "tzinfo", None) is not None) for value in values if value is not None}) > 1:
        return _text(values)
    try:
        array = pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeError):
        return _text(values)
    return _text(values) if pa.types.is_nested(array.type) else array


def _text(values: list[Any]) -> pa.Array:
    return pa.array([None if value is None else _as_text(value) for value in values], pa.string())


def _as_text(value: Any) -> str:
    if isinstance(value, bool | list | dict):
        return as_json(value)
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def as_json(value: Any) -> str:
    text = json.dumps(value, default=_as_text, sort_keys=True, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")

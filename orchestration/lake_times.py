"""What counts as a time: SQL for landing's checks.

Here belongs how texts and naive times become UTC, which years there are, and what says "since ever" and "never"; every other type, and what
becomes of a row, is lake_validate.py's.
"""

from __future__ import annotations

import pyarrow as pa
from pyarrow import types

from orchestration.contracts import Column

NAIVE = r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
ZONED = r"\d{4}-\d{1,2}-\d{1,2}[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)? ?(Z|UTC|[+-]\d\d(:?\d\d)?)"
FIRST_YEAR, LAST_YEAR = 1900, 2200  # beyond them lie typing errors, and what a driver makes of an infinite time
NO_SUCH_YEAR = f"year before {FIRST_YEAR} or after {LAST_YEAR}"
NO_START, NO_END = "0001-01-03", "9999-12-30"  # the first and last day that dates have, in whatever zone: how people write "since ever", "never"


def opened(column: Column, typed: str) -> str:
    """SQL of what lands of a value in the contract's type: nothing, where it says "since ever" or "never"."""
    if column.open is None:
        return typed
    kind, (nearer, bound) = column.data_type, ("least", NO_END) if column.open == "end" else ("greatest", NO_START)
    return f"nullif({nearer}({typed}, {kind} '{bound}'), {kind} '{bound}')"


def beyond(column: Column, typed: str) -> str:
    """SQL of whether a time lies where no record can; "since ever" and "never" are not beyond where they are allowed."""
    too_early = f"{typed} < {column.data_type} '{FIRST_YEAR}-01-01'"
    too_late = f"{typed} >= {column.data_type} '{LAST_YEAR + 1}-01-01'"
    if column.open == "start":
        too_early = f"{too_early} and {typed} > {column.data_type} '{NO_START}'"
    if column.open == "end":
        too_late = f"{too_late} and {typed} < {column.data_type} '{NO_END}'"
    return f"{too_early} or {too_late}"


def as_utc(raw: str, given: pa.DataType, zone: str | None) -> str:
    """As a UTC timestamp. A naive time counts only when its zone is known."""
    if types.is_timestamp(given) and given.tz is not None:
        return f"cast({raw} as timestamp)"
    naive = naive_text(raw) if types.is_string(given) else f"try_cast({raw} as timestamp)"
    in_zone = f"cast(timezone('{zone}', {naive}) as timestamp)" if zone else "cast(null as timestamp)"
    if types.is_string(given):
        return f"case when regexp_full_match({raw}, '{ZONED}') then cast(try_cast({raw} as timestamptz) as timestamp) else {in_zone} end"
    return in_zone if is_naive(given) else "cast(null as timestamp)"


def naive_text(raw: str) -> str:
    """As a timestamp, if nothing follows the time: a cast would take "10:00 PM" for ten in the morning, and "EST" for nothing."""
    return f"case when regexp_full_match({raw}, '{NAIVE}') then try_cast({raw} as timestamp) end"


def is_naive(given: pa.DataType) -> bool:
    return types.is_date(given) or (types.is_timestamp(given) and given.tz is None)

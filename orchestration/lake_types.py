"""How one column of a page becomes the contract's type, as SQL: the value, what is wrong with it, and whether it was rounded.

Here belongs one value; what makes a row bad stands in lake_validate.py, times in lake_times.py.
"""

from __future__ import annotations

import pyarrow as pa
from pyarrow import types

from orchestration.contracts import Column
from orchestration.lake_times import as_utc, is_naive, naive_text

PLAIN_DATE = r"\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?)?"
NOT_A, NO_ZONE = "not a", "time without a zone"


def typed_column(column: Column, given: pa.DataType | None, zone: str | None) -> str:
    """SQL of a page's column in the contract's type, NULL where it does not fit. `given` is its Arrow type, None if it is not there."""
    if given is None or types.is_null(given):
        return f"cast(null as {column.duckdb_type})"
    return _value(column, filled(column, given), given, zone)


def misfit(column: Column, given: pa.DataType | None, typed: str, zone: str | None) -> str | None:
    """SQL of what is wrong with the value that became `typed`; None when nothing can be."""
    if given is None or types.is_null(given) or column.data_type == "string" or _always_fits(column, given):
        return None
    raw = filled(column, given)
    wrong = text(f"{column.name}: {NOT_A} {column.data_type}")
    if column.data_type == "timestamp" and zone is None:
        naive = f"{naive_text(raw)} is not null" if types.is_string(given) else str(is_naive(given)).lower()
        wrong = f"case when {naive} then {text(f'{column.name}: {NO_ZONE}')} else {wrong} end"
    return f"case when {typed} is null and {raw} is not null then {wrong} end"


def loses_digits(column: Column, given: pa.DataType | None, typed: str) -> str | None:
    """SQL of whether a decimal that must be exact lost digits, beyond the noise that a float has; None when none can be."""
    if (
        not column.is_exact
        or given is None
        or given == column.arrow_type
        or not (types.is_string(given) or types.is_floating(given) or types.is_decimal(given))
    ):
        return None
    noise = 1e-6 if types.is_float32(given) or types.is_float16(given) else 1e-14
    value = f"try_cast({filled(column, given)} as double)"
    return f"coalesce(abs({value} - cast({typed} as double)) > greatest(1e-9, {noise} * abs({value})), false)"


def filled(column: Column, given: pa.DataType) -> str:
    """The raw value; empty text counts as none where no text is wanted, as does PostgreSQL's word for "never" where that is none."""
    raw = f"page.{quote(column.name)}"
    if not types.is_string(given) or column.data_type == "string":
        return raw
    filled = f"nullif(trim({raw}), '')"
    return f"nullif({filled}, '{'-' if column.open == 'start' else ''}infinity')" if column.open else filled


def _always_fits(column: Column, given: pa.DataType) -> bool:
    if column.data_type == "timestamp":
        return types.is_timestamp(given) and given.tz is not None
    return given == column.arrow_type and column.data_type != "double"  # NaN is a double, but no number


def _value(column: Column, raw: str, given: pa.DataType, zone: str | None) -> str:
    kind, target, nothing = column.data_type, column.duckdb_type, f"cast(null as {column.duckdb_type})"
    if _always_fits(column, given):
        return f"cast({raw} as timestamp)" if kind == "timestamp" else raw
    is_text, is_float = types.is_string(given), types.is_floating(given)
    is_number = types.is_integer(given) or is_float or types.is_decimal(given)
    tried = f"try_cast({raw} as {target})"
    if kind == "string":
        return raw if is_text else f"cast(to_json({raw}) as varchar)" if types.is_nested(given) else f"cast({raw} as varchar)"
    if kind == "timestamp":
        return as_utc(raw, given, zone)
    if kind == "date":
        if types.is_timestamp(given):
            return f"case when cast(cast({raw} as date) as timestamp) = cast({raw} as timestamp) then cast({raw} as date) end"
        return raw if types.is_date(given) else f"case when regexp_full_match({raw}, '{PLAIN_DATE}') then {tried} end" if is_text else nothing
    if kind == "boolean":
        if types.is_boolean(given):
            return raw
        return f"try_cast(lower({raw}) as boolean)" if is_text else f"case {raw} when 1 then true when 0 then false end" if is_number else nothing
    if not (is_text or is_number):
        return nothing
    if kind in ("bigint", "int"):  # a cast would round 12.5 in silence
        return tried if types.is_integer(given) else f"case when try_cast({raw} as double) = {tried} then {tried} end"
    if kind == "double":
        return f"case when isfinite({tried}) then {tried} end" if is_text or is_float else tried
    return tried


def quote(name: str) -> str:
    """A name of a column, as SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL."""
    return "'" + value.replace("'", "''") + "'"

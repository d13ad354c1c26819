"""A page against its contract, in one vectorised DuckDB query: typed rows on one side, rows to quarantine with a reason on the other.

Here belongs what makes a row bad, and the row hash; not where rows go (lake_partition.py) nor when a whole load is refused (lake_drift.py).
A reason names columns and what is wrong with them, never a value: values may be personal.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from zoneinfo import available_timezones

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from orchestration.contracts import Column, Contract
from orchestration.currencies import CURRENCIES
from orchestration.lake_pages import EXTRA, FILE, IS_DELETED, LINE, RAW, REASON, RESERVED, as_json
from orchestration.lake_times import NO_SUCH_YEAR, as_utc, beyond, is_naive, naive_text, opened

# The copy costs less than binding the statement twice does, which is the other way to get Arrow.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)

PLAIN_DATE = r"\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?)?"
NOT_A, NO_ZONE, MISSING = "not a", "time without a zone", "required, but missing"
UNKNOWN_CURRENCY, UNKNOWN_ZONE = "unknown currency", "not an IANA time zone"
ROW_HASH = "_row_hash"
INEXACT = "__inexact"
MARK = Column(IS_DELETED, "boolean")
BAD_SCHEMA = pa.schema([(REASON, pa.string()), (FILE, pa.string()), (LINE, pa.int64()), ("record", pa.string())])


# Parsed once and kept over the loads of one source: for small pages parsing is half the work. Not for two connections at a time.
Statements: TypeAlias = "dict[tuple[Contract, str | None, pa.Schema], duckdb.Statement]"


@dataclass
class Validator:
    """Checks pages of one table. `zone` is how naive times are read (None = refused).

    `failures` counts rows per (column, what is wrong), over all pages; `inexact` values per column that were left empty rather than rounded.
    """

    contract: Contract
    connection: duckdb.DuckDBPyConnection  # its TimeZone must be UTC
    zone: str | None
    statements: Statements = field(default_factory=dict)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    inexact: Counter[str] = field(default_factory=Counter)

    def check(self, page: pa.Table) -> tuple[pa.Table, pa.Table | None]:
        """(good rows: contract columns, `_is_deleted`, `_row_hash`, `_extra`; bad rows as BAD_SCHEMA, or None)."""
        page = _plain(page)
        key = (self.contract, self.zone, page.schema)
        if key not in self.statements:
            (self.statements[key],) = self.connection.extract_statements(statement(*key))
        self.connection.register("page", page)
        checked = self.connection.execute(self.statements[key]).to_arrow_table()
        self.connection.unregister("page")
        if INEXACT in checked.column_names:
            for entry in pc.value_counts(checked.column(INEXACT).drop_null()).to_pylist():
                self.inexact.update(dict.fromkeys(entry["values"].split("; "), entry["counts"]))
            checked = checked.drop_columns([INEXACT])
        reasons = checked.column(REASON)
        good = checked.drop_columns([REASON])
        if reasons.null_count == len(reasons):
            return good, None
        for entry in pc.value_counts(reasons.drop_null()).to_pylist():
            for part in entry["values"].split("; "):
                column, _, what = part.partition(": ")
                self.failures[column, what] += entry["counts"]
        is_bad = pc.is_valid(reasons)
        return good.filter(pc.invert(is_bad)), _bad_rows(page.filter(is_bad), reasons.drop_null(), self.connection)


def statement(contract: Contract, zone: str | None, schema: pa.Schema) -> str:
    """The SELECT that turns a registered `page` of this schema into the contract's types, plus `_reason` (NULL = a good row)."""
    inner, outer, reasons, hashed, inexact = [], [], [], [], []
    given = {name: schema.field(name).type for name in schema.names}
    for number, column in enumerate(contract.columns):
        typed = f"__v{number}"
        inner.append(f"{typed_column(column, given.get(column.name), zone)} as {typed}")
        missing = f"{typed} is null or trim({typed}) = ''" if column.data_type == "string" else f"{typed} is null"
        wrong = _misfit(column, given.get(column.name), typed, zone)
        if wrong:
            reasons.append(wrong)
        if column.required:
            excused = "" if column.name in contract.primary_key else "not __deleted and "
            empty = f"{_filled(column, given[column.name])} is null and " if wrong else ""  # a value that does not fit is not missing
            reasons.append(f"case when {excused}{empty}({missing}) then {_text(f'{column.name}: {MISSING}')} end")
        if _is_currency(column):
            unknown = f"length(trim({typed})) <> 3 or not contains({_text('|'.join(sorted(CURRENCIES)))}, upper(trim({typed})))"
            reasons.append(f"case when not ({missing}) and ({unknown}) then {_text(f'{column.name}: {UNKNOWN_CURRENCY}')} end")
        if column.is_zone:  # an engine that is asked for the time in a zone it does not know stops the run
            known = ", ".join(_text(zone) for zone in sorted(available_timezones() - {"localtime"}))
            reasons.append(f"case when not ({missing}) and {typed} not in ({known}) then {_text(f'{column.name}: {UNKNOWN_ZONE}')} end")
        if column.data_type in ("date", "timestamp") and column.name in given:
            reasons.append(f"case when {beyond(column, typed)} then {_text(f'{column.name}: {NO_SUCH_YEAR}')} end")
        landed = opened(column, typed)
        if rounded := _rounded(column, given.get(column.name), typed):
            landed = f"case when not ({rounded}) then {typed} end"
            inexact.append(f"case when {rounded} then {_text(column.name)} end")
        outer.append(f"{landed} as {_quote(column.name)}")
        hashed.append((column.name, landed))
    deletions = []
    if IS_DELETED in given:  # the sources' own mark; in a file it is text, as all else is
        deletions.append(f"coalesce({typed_column(MARK, given[IS_DELETED], zone)}, false)")
        if wrong := _misfit(MARK, given[IS_DELETED], typed_column(MARK, given[IS_DELETED], zone), zone):
            reasons.append(wrong)
    if contract.deleted in given:
        value = typed_column(next(c for c in contract.columns if c.name == contract.deleted), given[contract.deleted], zone)
        deletions.append(f"coalesce({value}, false)")
    inner.append(f"{' or '.join(deletions) or 'false'} as __deleted")
    # NULLs are skipped, so a column that the contract gains later leaves the hashes of older records as they are.
    parts = [f"{_text(name + '=')} || {typed}" for name, typed in sorted(hashed)] + ["case when __deleted then '_is_deleted' end"]
    found = f"nullif(concat_ws('; ', {', '.join(reasons)}), '')" if reasons else "cast(null as varchar)"
    outer += [
        f"__deleted as {IS_DELETED}",
        f"md5(concat_ws(chr(31), {', '.join(parts)})) as {ROW_HASH}",
        f"{_extra(contract, given)} as {EXTRA}",
        f"{f'coalesce({REASON}, {found})' if REASON in given else found} as {REASON}",  # what could not be read has no columns to judge
    ]
    if inexact:
        outer.append(f"nullif(concat_ws('; ', {', '.join(inexact)}), '') as {INEXACT}")
    return f"select {', '.join(outer)} from (select page.*, {', '.join(inner)} from page) as page"


def typed_column(column: Column, given: pa.DataType | None, zone: str | None) -> str:
    """SQL of a page's column in the contract's type, NULL where it does not fit. `given` is its Arrow type, None if it is not there."""
    if given is None or types.is_null(given):
        return f"cast(null as {column.duckdb_type})"
    return _value(column, _filled(column, given), given, zone)


def _misfit(column: Column, given: pa.DataType | None, typed: str, zone: str | None) -> str | None:
    """SQL of what is wrong with the value that became `typed`; None when nothing can be."""
    if given is None or types.is_null(given) or column.data_type == "string" or _always_fits(column, given):
        return None
    raw = _filled(column, given)
    wrong = _text(f"{column.name}: {NOT_A} {column.data_type}")
    if column.data_type == "timestamp" and zone is None:
        naive = f"{naive_text(raw)} is not null" if types.is_string(given) else str(is_naive(given)).lower()
        wrong = f"case when {naive} then {_text(f'{column.name}: {NO_ZONE}')} else {wrong} end"
    return f"case when {typed} is null and {raw} is not null then {wrong} end"


def _rounded(column: Column, given: pa.DataType | None, typed: str) -> str | None:
    """SQL of whether a decimal that must be exact lost digits, beyond the noise that a float has; None when none can be."""
    if (
        not column.is_exact
        or given is None
        or given == column.arrow_type
        or not (types.is_string(given) or types.is_floating(given) or types.is_decimal(given))
    ):
        return None
    noise = 1e-6 if types.is_float32(given) or types.is_float16(given) else 1e-14
    value = f"try_cast({_filled(column, given)} as double)"
    return f"coalesce(abs({value} - cast({typed} as double)) > greatest(1e-9, {noise} * abs({value})), false)"


def _filled(column: Column, given: pa.DataType) -> str:
    """The raw value; empty text counts as none where no text is wanted, as does PostgreSQL's word for "never" where that is none."""
    raw = f"page.{_quote(column.name)}"
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


def _is_currency(column: Column) -> bool:
    return column.data_type == "string" and (column.name == "currency" or column.name.endswith(("_currency", "_currency_code")))


def _extra(contract: Contract, given: dict[str, pa.DataType]) -> str:
    """Columns that the contract does not know, as one JSON object a row; NULL where they are all empty."""
    unknown = [name for name in given if name not in contract.column_names and name not in RESERVED]
    if not unknown:
        return _quote(EXTRA) if EXTRA in given else "cast(null as varchar)"
    packed = ", ".join(f"{_quote(name)} := {_quote(name)}" for name in unknown)
    any_value = " or ".join(f"{_quote(name)} is not null" for name in unknown)
    return f"case when {any_value} then cast(to_json(struct_pack({packed})) as varchar) end"


def _plain(page: pa.Table) -> pa.Table:
    """One plain text type instead of Arrow's many, so that one schema needs one statement."""
    for number, entry in enumerate(page.schema):
        if entry.name == FILE:
            continue  # no SQL reads it
        kind = entry.type.value_type if types.is_dictionary(entry.type) else entry.type
        if types.is_large_string(kind) or types.is_string_view(kind):
            kind = pa.string()
        if kind != entry.type:
            page = page.set_column(number, entry.name, page.column(number).cast(kind))
    return page.replace_schema_metadata(None)


def _bad_rows(rows: pa.Table, reasons: pa.ChunkedArray, connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """Bad rows as they came: as JSON, or as the raw text where they could not be read at all."""
    content = _records(rows.drop_columns([name for name in (REASON, LINE, FILE, RAW) if name in rows.column_names]), connection)
    raw = rows.column(RAW).to_pylist() if RAW in rows.column_names else [None] * len(rows)
    return pa.table(
        {
            REASON: reasons,
            FILE: rows.column(FILE).cast(pa.string()) if FILE in rows.column_names else pa.nulls(len(rows), pa.string()),
            LINE: rows.column(LINE) if LINE in rows.column_names else pa.nulls(len(rows), pa.int64()),
            "record": pa.array([text if text is not None else as_json(record) for text, record in zip(raw, content, strict=True)], pa.string()),
        },
        schema=BAD_SCHEMA,
    )


def _records(rows: pa.Table, connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    try:
        return rows.to_pylist()
    except (OverflowError, ValueError):  # a time beyond what Python knows: DuckDB can write it
        for number, entry in enumerate(rows.schema):
            if types.is_temporal(entry.type):
                texts = connection.from_arrow(pa.table({"value": rows.column(number)})).project("cast(value as varchar) as value")
                rows = rows.set_column(number, entry.name, texts.to_arrow_table().column(0))
        return rows.to_pylist()


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"

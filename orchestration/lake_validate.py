"""A page against its contract, in one vectorised DuckDB query: typed rows on one side, rows to quarantine with a reason on the other.

Here belongs what makes a row bad, and the row hash; not how a value is read (lake_types.py), where rows go (lake_partition.py) nor when a
whole load is refused (lake_drift.py).
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
from orchestration.lake_times import NO_SUCH_YEAR, beyond, opened
from orchestration.lake_types import filled, loses_digits, misfit, quote, text, typed_column

# The copy costs less than binding the statement twice does, which is the other way to get Arrow.
warnings.filterwarnings("ignore", message="Arrow output on a DB-API result", category=UserWarning)

MISSING = "required, but missing"
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
        wrong = misfit(column, given.get(column.name), typed, zone)
        if wrong:
            reasons.append(wrong)
        if column.required:
            excused = "" if column.name in contract.primary_key else "not __deleted and "
            empty = f"{filled(column, given[column.name])} is null and " if wrong else ""  # a value that does not fit is not missing
            reasons.append(f"case when {excused}{empty}({missing}) then {text(f'{column.name}: {MISSING}')} end")
        if _is_currency(column):
            unknown = f"length(trim({typed})) <> 3 or not contains({text('|'.join(sorted(CURRENCIES)))}, upper(trim({typed})))"
            reasons.append(f"case when not ({missing}) and ({unknown}) then {text(f'{column.name}: {UNKNOWN_CURRENCY}')} end")
        if column.is_zone:  # an engine that is asked for the time in a zone it does not know stops the run
            known = ", ".join(text(zone) for zone in sorted(available_timezones() - {"localtime"}))
            reasons.append(f"case when not ({missing}) and {typed} not in ({known}) then {text(f'{column.name}: {UNKNOWN_ZONE}')} end")
        if column.data_type in ("date", "timestamp") and column.name in given:
            reasons.append(f"case when {beyond(column, typed)} then {text(f'{column.name}: {NO_SUCH_YEAR}')} end")
        landed = opened(column, typed)
        if lost := loses_digits(column, given.get(column.name), typed):
            landed = f"case when not ({lost}) then {typed} end"
            inexact.append(f"case when {lost} then {text(column.name)} end")
        outer.append(f"{landed} as {quote(column.name)}")
        hashed.append((column.name, landed))
    deletions = []
    if IS_DELETED in given:  # the sources' own mark; in a file it is text, as all else is
        deletions.append(f"coalesce({typed_column(MARK, given[IS_DELETED], zone)}, false)")
        if wrong := misfit(MARK, given[IS_DELETED], typed_column(MARK, given[IS_DELETED], zone), zone):
            reasons.append(wrong)
    if contract.deleted in given:
        value = typed_column(next(c for c in contract.columns if c.name == contract.deleted), given[contract.deleted], zone)
        deletions.append(f"coalesce({value}, false)")
    inner.append(f"{' or '.join(deletions) or 'false'} as __deleted")
    # NULLs are skipped, so a column that the contract gains later leaves the hashes of older records as they are.
    parts = [f"{text(name + '=')} || {typed}" for name, typed in sorted(hashed)] + ["case when __deleted then '_is_deleted' end"]
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


def _is_currency(column: Column) -> bool:
    return column.data_type == "string" and (column.name == "currency" or column.name.endswith(("_currency", "_currency_code")))


def _extra(contract: Contract, given: dict[str, pa.DataType]) -> str:
    """Columns that the contract does not know, as one JSON object a row; NULL where they are all empty."""
    unknown = [name for name in given if name not in contract.column_names and name not in RESERVED]
    if not unknown:
        return quote(EXTRA) if EXTRA in given else "cast(null as varchar)"
    packed = ", ".join(f"{quote(name)} := {quote(name)}" for name in unknown)
    any_value = " or ".join(f"{quote(name)} is not null" for name in unknown)
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
            "record": pa.array([told if told is not None else as_json(record) for told, record in zip(raw, content, strict=True)], pa.string()),
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

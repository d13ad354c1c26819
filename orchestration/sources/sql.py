"""Any PostgreSQL database whose tables or views follow the bring-your-own-tables contract, through ADBC.

Here belong the queries and the stream of Arrow batches; landing casts and judges what is in them. One query a table, all of them in one
read-only transaction, so that they show one moment.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orchestration.contracts import Contract
from orchestration.sources.base import ContractError, Page, SourceError, TransientSourceError, Window, column_name

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_AND_LAST_DAY = ("0001-01-01", "9999-12-31")  # that landing's tools know of; beyond them nothing is told apart
BATCH_BYTES = 4 * 1024 * 1024  # of the wire format; ADBC streams a COPY, so no more than a batch is in memory
NAIVE = {"timestamp without time zone", "date"}
# What Arrow has a plain type for. Everything else (numeric, enums, uuid, json, arrays) is read as text, exactly as PostgreSQL writes it.
AS_IS = NAIVE | {"timestamp with time zone", "boolean", "text", "character varying", "double precision", "real"} | {"smallint", "integer", "bigint"}
COLUMNS = """
    select n.nspname, c.relname, a.attname, format_type(a.atttypid, null)
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname !~ '^pg_|^information_schema$'
    order by n.nspname, c.relname, a.attnum
"""


class Sql:
    """One database. A table of domain `billing` is read from schema `billing`, or from `schema` where one is given for all domains."""

    vendor = "own"

    def __init__(
        self,
        dsn: str,
        source_relation: str,
        contracts: Mapping[str, Contract],
        *,
        schema: str | None = None,
        time_zone: str | None = None,
    ) -> None:
        self._dsn, self._schema = dsn, schema
        self.source_relation = source_relation
        self.contracts = contracts
        self.time_zone = time_zone
        self.absent: set[str] = set()
        self.warnings: list[str] = []
        self._connection: Any = None

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Those of the contract that are there; SourceError if none is. Any of them may be absent, and is then named in `warnings`."""
        there = tuple(table for table in self.contracts if self._columns(table))
        self.absent = set(self.contracts) - set(there)
        if not there:
            expected = ", ".join(self._name(table) for table in list(self.contracts)[:3])
            raise SourceError(f"{self.source_relation}: none of the contract's tables is in the database; expected tables or views like {expected}")
        if self.absent:
            missing = ", ".join(self._name(table) for table in self.contracts if table in self.absent)
            self.warnings.append(f"{self.source_relation} has no {missing}: what depends on them stays empty")
        return there

    @property
    def rereads(self) -> frozenset[str]:
        """Tables without an update time: when something happened does not tell when it was entered or corrected."""
        return frozenset(table for table in self.tables if self.contracts[table].updated_at is None)

    def pull(self, windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
        for table, window in windows.items():
            self._refuse_naive_times(table)
            columns = ", ".join(_as_plain(name, kind) for name, kind in self._columns(table).items())
            query = f"select {columns} from {self._quoted(table)}{self._since(table, window.since)}"
            for batch in self._stream(table, query):
                yield table, batch

    def keys(self, table: str) -> Iterator[list[tuple]] | None:
        key, columns = self.contracts[table].primary_key, self._columns(table)
        if missing := [name for name in key if name not in columns]:
            raise ContractError(f"{self.source_relation}: {self._name(table)} has no column {', '.join(missing)}, which is its key")
        query = f"select {', '.join(_as_plain(name, columns[name]) for name in key)} from {self._quoted(table)}"
        return (list(zip(*(column.to_pylist() for column in batch.columns), strict=True)) for batch in self._stream(table, query))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _name(self, table: str) -> str:
        return f"{self._schema or self.contracts[table].domain}.{table}"

    def _quoted(self, table: str) -> str:
        return f"{_quote(self._schema or self.contracts[table].domain)}.{_quote(table)}"

    def _columns(self, table: str) -> dict[str, str]:
        """Column → PostgreSQL's name of its type; empty if there is no such table."""
        return self._catalog.get((self._schema or self.contracts[table].domain, table), {})

    @cached_property
    def _catalog(self) -> dict[tuple[str, str], dict[str, str]]:
        found: dict[tuple[str, str], dict[str, str]] = {}
        for batch in self._stream("the catalog", COLUMNS):
            for schema, table, column, kind in zip(*(values.to_pylist() for values in batch.columns), strict=True):
                found.setdefault((schema, table), {})[column] = kind
        return found

    def _refuse_naive_times(self, table: str) -> None:
        columns = self._columns(table)
        times = [column.name for column in self.contracts[table].columns if column.data_type == "timestamp" and columns.get(column.name) in NAIVE]
        if times and self.time_zone is None:
            raise ContractError(
                f"{self.source_relation}: {self._name(table)} has times without a zone ({', '.join(times)}):"
                " make them timestamptz, or set CSW_SOURCE_TIMEZONE to the zone that they are in"
            )

    def _since(self, table: str, since: datetime | None) -> str:
        """The condition for an incremental read, or none: without a column that shows changes a table is read whole.

        Where the time is part of the key (days of use), a record never moves to another day, and `since` may hold for it.
        """
        contract = self.contracts[table]
        cursor = contract.updated_at or (contract.created_at if contract.created_at in contract.primary_key else None)
        kind = self._columns(table).get(cursor or "")
        if since is None or cursor is None or kind not in NAIVE | {"timestamp with time zone"}:
            return ""
        zone = UTC if kind == "timestamp with time zone" else ZoneInfo(self.time_zone or "UTC")
        moment = since.astimezone(zone)
        literal = {"date": f"{moment:%Y-%m-%d}", "timestamp without time zone": f"{moment:%Y-%m-%d %H:%M:%S.%f}"}.get(kind, moment.isoformat())
        return f" where {_quote(cursor)} >= '{literal}'::{kind} or {_quote(cursor)} is null"

    def _stream(self, what: str, query: str) -> Iterator[pa.RecordBatch]:
        with self._told(what), self._open().cursor(adbc_stmt_kwargs={"adbc.postgresql.batch_size_hint_bytes": str(BATCH_BYTES)}) as cursor:
            cursor.execute(query)
            yield from cursor.fetch_record_batch()

    def _open(self) -> Any:
        """The connection, inside one read-only transaction with one view of the data."""
        if self._connection is None:
            import adbc_driver_postgresql.dbapi as postgres

            os.environ.setdefault("PGCONNECT_TIMEOUT", "15")  # libpq waits for ever otherwise
            try:
                self._connection = postgres.connect(self._dsn)
            except postgres.Error as error:
                raise self._unreachable(str(error)) from None
            with self._connection.cursor() as cursor:
                cursor.execute("set transaction isolation level repeatable read, read only")
        return self._connection

    def _unreachable(self, driver_says: str) -> SourceError:
        """Why there is no connection, in our words: the driver's may quote the DSN, and with it the password."""
        if "authentication failed" in driver_says or "no password supplied" in driver_says or "does not exist" in driver_says:
            return SourceError(f"{self.source_relation}: PostgreSQL refused user, password or database; check CSW_SQL_DSN")
        if "connection to server" in driver_says or "could not translate" in driver_says:
            return TransientSourceError(f"{self.source_relation}: no PostgreSQL server answers; check host and port in CSW_SQL_DSN, and that it runs")
        return SourceError(f"{self.source_relation}: CSW_SQL_DSN can't be read; write it like postgresql://user:password@host:5432/database")

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Driver errors as one line without their text, which may hold a value. A stream that breaks off raises OSError."""
        from adbc_driver_manager import dbapi

        try:
            yield
        except (dbapi.Error, OSError) as error:
            state = getattr(error, "sqlstate", None) or ""
            name = self._name(what) if what in self.contracts else what
            if state[:2] in ("08", "40", "53", "57") or "connection" in str(error):
                raise TransientSourceError(f"{self.source_relation}: the connection broke off while reading {name}; run again") from None
            code = f" (SQLSTATE {state})" if state else ""
            raise SourceError(f"{self.source_relation}: {name} can't be read{code}; try the same select as this user in psql") from None


def _as_plain(name: str, kind: str) -> str:
    column, called = _quote(name), _quote(column_name(name))
    if kind in NAIVE | {"timestamp with time zone"}:  # the driver makes of `infinity` a date long before all history
        first, last = (f"'{day}{'' if kind == 'date' else ' 00:00:00+00'}'::{kind}" for day in FIRST_AND_LAST_DAY)
        return f"case when {column} >= {last} then {last} when {column} < {first} then {first} else {column} end as {called}"
    return f"{column if kind in AS_IS else f'{column}::text'} as {called}"


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

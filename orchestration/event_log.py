"""Dagster's SQLite event log, without a new SQLAlchemy engine for every statement, nor a look at the schema for every event.

Here belongs that one thing. Dagster 1.13 makes an engine per connection, and with it an empty cache of compiled statements: a run of
some 200 tables and 350 checks spent a third of its CPU time in compiling the same few statements 10,000 times. Tables, files and
migrations stay Dagster's own, so that its page and its commands read what is written here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection

BUSY_SECONDS = 30


class CachedEngineEventLog(SqliteEventLogStorage):
    """One engine per database file for the life of the process."""

    def __init__(self, base_dir: str, inst_data=None):
        self._engines: dict[str, Engine] = {}
        self._open: dict[str, Connection] = {}
        self._known: set[tuple[str, str]] = set()
        super().__init__(base_dir, inst_data)
        self._db_lock = threading.RLock()

    @classmethod
    def from_config_value(cls, inst_data, config_value) -> CachedEngineEventLog:
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        return self._once_true("table", table_name, super().has_table)

    def has_asset_key_col(self, column_name: str) -> bool:
        return self._once_true("column", column_name, super().has_asset_key_col)

    def has_secondary_index(self, name: str) -> bool:
        return self._once_true("index", name, super().has_secondary_index)

    def _has_asset_key_col_on_connection(self, conn: Connection, column_name: str) -> bool:
        return self._once_true("column", column_name, lambda name: super(CachedEngineEventLog, self)._has_asset_key_col_on_connection(conn, name))

    def _once_true(self, kind: str, name: str, look: Callable[[str], bool]) -> bool:
        """Whether the index has it; what was there once stays. Dagster looks for every event."""
        if (kind, name) not in self._known and look(name):
            self._known.add((kind, name))
        return (kind, name) in self._known

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """In one transaction per file; Dagster's own takes up to three for each event."""
        with ExitStack() as stack:
            for shard in {INDEX_SHARD_NAME, *(event.run_id for event in events)}:
                self._open[shard] = stack.enter_context(self._connect(shard))
                stack.callback(self._open.pop, shard)
            super().store_event_batch(events)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard in self._open:
                yield self._open[shard]
                return
            engine = self._engine(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            engine = create_engine(self.conn_string_for_shard(shard), connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False})
            event.listen(engine, "connect", _settle_for_wal)
            self._engines[shard] = engine
        return self._engines[shard]


def _settle_for_wal(connection, _record) -> None:
    """In WAL mode `normal` loses at most the last events at a power cut, never the file; `full` waits for the disk 1,600 times a run."""
    connection.execute("pragma synchronous = normal")

"""Dagster's SQLite event log, without a new SQLAlchemy engine for every statement.

Here belongs that one thing. Dagster 1.13 makes an engine per connection, and with it an empty cache of compiled statements: a run of
some 200 tables and 350 checks spent a third of its CPU time in compiling the same few statements 10,000 times. Tables, files and
migrations stay Dagster's own, so that its page and its commands read what is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection

BUSY_SECONDS = 30


class CachedEngineEventLog(SqliteEventLogStorage):
    """One engine per database file for the life of the process."""

    def __init__(self, base_dir: str, inst_data=None):
        self._engines: dict[str, Engine] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data, config_value) -> CachedEngineEventLog:
        return cls(inst_data=inst_data, **config_value)

    def has_table(self, table_name: str) -> bool:
        """Whether the index has the table; what was there once stays. Dagster asks for every event, and opens the file to see."""
        if table_name not in self._tables and super().has_table(table_name):
            self._tables.add(table_name)
        return table_name in self._tables

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
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

"""Writing one partition: into a temporary folder beside it, then into place by a rename, manifest and data together.

Here belong files, fsync, renames and what heals after a crash; not what is in the rows.

A reader sees a partition whole or not at all. When a partition is replaced, the old one is first renamed to `.old-…`; a crash
before the new one is in place leaves only that, and `heal` puts it back. Everything else that starts with a dot is waste.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.contracts import Contract
from orchestration.lake_manifest import Manifest, forget_states, lake_schema, partition_name, write_manifest, write_state
from orchestration.lake_validate import BAD_SCHEMA, ROW_HASH

log = logging.getLogger("csw")
NEW, OLD = ".new-", ".old-"
BAD_PART = "rows.parquet"


class PartitionWriter:
    """One partition and its quarantine, being written. Either `seal` and then `commit`, or `abort`.

    Rows get `_loaded_at` one microsecond apart, so that of two rows of one key in one load the later one can be told.
    """

    def __init__(
        self, home: Path, quarantine_home: Path, contract: Contract, *, source_relation: str, load_date: date, run_id: str, started_at: datetime
    ) -> None:
        self.folder = home / partition_name(load_date)
        self.quarantine = quarantine_home / partition_name(load_date)
        self.schema = lake_schema(contract)
        self.rows = self.bad_rows = self.tombstones = 0
        self._parts: list[dict[str, Any]] = []  # as the manifest lists them
        self.digest = ContentHash()
        self._constants = {"_source_relation": source_relation, "_load_date": load_date, "_run_id": run_id}
        self._started_at = started_at.replace(tzinfo=None)
        self._part: pq.ParquetWriter | None = None
        self._bad: pq.ParquetWriter | None = None

    @property
    def new(self) -> Path:
        return self.folder.with_name(NEW + self.folder.name)

    @property
    def new_quarantine(self) -> Path:
        return self.quarantine.with_name(NEW + self.quarantine.name)

    def write(self, good: pa.Table) -> None:
        """`good` as Validator.check gives it."""
        if not len(good):
            return
        first = np.datetime64(self._started_at + timedelta(microseconds=self.rows), "us")
        columns: dict[str, Any] = {name: good.column(name) for name in good.column_names}
        columns |= {name: pa.repeat(pa.scalar(value, self.schema.field(name).type), len(good)) for name, value in self._constants.items()}
        columns["_loaded_at"] = pa.array(first + np.arange(len(good)).astype("timedelta64[us]"))
        table = pa.table([columns[name] for name in self.schema.names], schema=self.schema)
        if self._part is None:
            self._parts.append({"name": f"part-{len(self._parts):05}.parquet", "rows": 0})
            self._part = _open(self.new / self._parts[-1]["name"], self.schema)
        self._part.write_table(table)
        self._parts[-1]["rows"] += len(table)
        self.rows += len(table)
        self.tombstones += pc.sum(table.column("_is_deleted")).as_py()
        self.digest.update(table.column(ROW_HASH))

    def write_bad(self, bad: pa.Table) -> None:
        columns = [pa.repeat(pa.scalar(value, self.schema.field(name).type), len(bad)) for name, value in self._constants.items()]
        schema = pa.schema([*BAD_SCHEMA, *(self.schema.field(name) for name in self._constants)])
        if self._bad is None:
            self._bad = _open(self.new_quarantine / BAD_PART, schema)
        self._bad.write_table(pa.table([*bad.columns, *columns], schema=schema))
        self.bad_rows += len(bad)

    def finish_part(self) -> None:
        """What was written so far can be read; later rows go to another file."""
        if self._part is not None:
            self._part.close()
            self._part = None

    def close_files(self) -> list[dict[str, Any]]:
        """Everything on disk, and what the manifest says of the files."""
        self.finish_part()
        if self._bad is not None:
            self._bad.close()
            self._bad = None
            sync(self.new_quarantine / BAD_PART)
        for part in self._parts:
            path = self.new / part["name"]
            sync(path)
            part |= {"bytes": path.stat().st_size, "sha256": sha256(path)}
        return self._parts

    def seal(self, manifest: Manifest, state: Any = None) -> None:
        """`state`: what the source remembers; None: nothing."""
        self.new.mkdir(parents=True, exist_ok=True)
        if state is not None:
            sync(write_state(state, self.new))
        sync(write_manifest(manifest, self.new))

    def commit(self) -> None:
        """The quarantine first: a committed partition never counts bad rows that are nowhere."""
        if self.new_quarantine.exists():
            replace(self.new_quarantine, self.quarantine)
        replace(self.new, self.folder)
        forget_states(self.folder.parent)
        if not self.bad_rows and self.quarantine.exists():
            shutil.rmtree(self.quarantine)

    def abort(self) -> None:
        """Leave nothing behind. After a commit there is nothing left to undo."""
        for writer in (self._part, self._bad):
            if writer is not None:
                with suppress(OSError):  # a full disk refuses the footer too; the folder goes anyway
                    writer.close()
        self._part = self._bad = None
        for folder in (self.new, self.new_quarantine):
            shutil.rmtree(folder, ignore_errors=True)


def _open(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    coded = [name for name in schema.names if name not in (ROW_HASH, "_loaded_at")]  # these never repeat: a dictionary is wasted work
    return pq.ParquetWriter(path, schema, compression="zstd", compression_level=1, use_dictionary=coded)


class ContentHash:
    """A hash over a set of rows: the sum of their hashes, so the order in which a source gives them does not matter."""

    def __init__(self) -> None:
        self._sums = np.zeros(4, dtype=np.uint64)

    def update(self, row_hashes: pa.ChunkedArray) -> None:
        for chunk in row_hashes.chunks:
            fixed = chunk.cast(pa.binary()).cast(pa.binary(32))
            words = np.frombuffer(fixed.buffers()[1], dtype="<u8")[fixed.offset * 4 : (fixed.offset + len(fixed)) * 4]
            self._sums += words.reshape(-1, 4).sum(axis=0, dtype=np.uint64)

    def hexdigest(self) -> str:
        return hashlib.sha256(self._sums.astype("<u8").tobytes()).hexdigest()


@contextmanager
def source_lock(source_dir: Path, *, wait: bool = True) -> Iterator[bool]:
    """Nobody else lands this source meanwhile; the kernel frees it when its holder dies. Yields whether it was got."""
    source_dir.mkdir(parents=True, exist_ok=True)
    with (source_dir / ".lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                yield False
                return
            log.info("%s is being landed by another run: waiting for it", source_dir.name)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield True


def replace(new: Path, final: Path) -> None:
    """`new`, whose files are on the disk, takes the place of `final`. A crash between the two renames is what `heal` is for."""
    sync(new)
    old = final.with_name(OLD + final.name)
    if final.exists():
        os.rename(final, old)
    os.rename(new, final)
    sync(final.parent)
    if old.exists():
        shutil.rmtree(old)


def heal(table_dir: Path) -> None:
    """Undo what a killed run left half done. Only under the source's lock."""
    if not table_dir.is_dir():
        return
    for name in os.listdir(table_dir):
        if not name.startswith((NEW, OLD)):
            continue
        path, final = table_dir / name, table_dir / name.removeprefix(OLD)
        if name.startswith(OLD) and not final.exists():
            log.warning("%s/%s: put back, the run that was replacing it died", table_dir.name, final.name)
            os.rename(path, final)
        else:
            shutil.rmtree(path)


def heal_source(source_dir: Path) -> None:
    """Heal all tables of a source, unless it is being landed right now."""
    with source_lock(source_dir, wait=False) as mine:
        if mine:
            for table_dir in source_dir.iterdir():
                if table_dir.is_dir():
                    heal(table_dir)


def sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def sync(path: Path) -> None:
    """On the disk, not only in its cache; for a folder: the names in it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

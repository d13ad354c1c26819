"""The manifest of one partition: what was landed, and from where the next pull goes on.

Here belongs its content, its file and the reading back; not how a partition is written (lake_partition.py).
A manifest carries its own checksum, so that a cut or edited one is noticed before anything is built on it. What a source remembers (files: all
that it has read) stands in a file of its own beside it: it grows with every load, every run reads all manifests, and only the last one's
memory is ever asked for.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from orchestration.contracts import Contract

MANIFEST = "manifest.json"
STATE = "state.json"
STATES_KEPT = 8  # of a table: the next load needs the newest, a day that is run again the one before, a person who moved days away older ones
PARTITION = "load_date="
LAKE_COLUMNS = pa.schema(
    [
        ("_source_relation", pa.string()),
        ("_load_date", pa.date32()),
        ("_loaded_at", pa.timestamp("us")),
        ("_run_id", pa.string()),
        ("_row_hash", pa.string()),
        ("_is_deleted", pa.bool_()),
        ("_extra", pa.string()),
    ]
)


class LakeError(Exception):
    """The lake cannot be read or written: one line for people, with the place and what to do."""


@dataclass(frozen=True)
class Manifest:
    """One committed partition. Times are UTC. `cursor` is how far the source had been asked."""

    vendor: str
    source_relation: str
    table: str
    load_date: date
    run_id: str
    mode: str  # full, incremental, or changes: read again, and only what was new landed
    since: datetime | None  # start of the window that was pulled
    cursor: datetime | None  # the next window starts here, less the overlap; None: the source has refused this table ever since
    rows: int
    tombstones: int
    quarantined: int
    reasons: dict[str, int]  # what was wrong with quarantined rows → rows
    min_cursor: str | None  # least and greatest updated_at (or created_at) among the rows that the source gave
    max_cursor: str | None
    content_hash: str  # of the rows' hashes, whatever their order
    schema: dict[str, str]  # column → data type, as the contract was
    columns_seen: list[str]  # contract columns that every record brought, with a value or without
    extra_columns: list[str]  # columns that the contract does not know
    filled: dict[str, float]  # column → share of rows in which it held a value, in the latest pull that could tell
    warnings: list[str]
    files: list[dict[str, Any]]  # name, rows, bytes, sha256
    started_at: datetime
    committed_at: datetime
    reconciled_on: date | None = None  # load date up to which hard deletes were looked for; None in manifests of earlier releases


def lake_schema(contract: Contract) -> pa.Schema:
    """All columns of a partition's files: the contract's, then the lake's own."""
    return pa.schema([*contract.arrow_schema, *LAKE_COLUMNS])


def contract_types(contract: Contract) -> dict[str, str]:
    return {column.name: column.data_type for column in contract.columns}


def partition_name(load_date: date) -> str:
    return f"{PARTITION}{load_date.isoformat()}"


def write_manifest(manifest: Manifest, folder: Path) -> Path:
    return _write(folder / MANIFEST, {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(manifest).items()})


def write_state(state: Any, folder: Path) -> Path:
    """What a source wants to be told at the next load, as JSON can hold it."""
    return _write(folder / STATE, {"state": state})


def read_state(folder: Path) -> Any:
    """What the source remembered after this load; None where that is not kept. Raises LakeError when it is damaged."""
    kept_in = STATE if (folder / STATE).exists() else MANIFEST  # where earlier releases had it
    return _read(str(folder), kept_in).get("state")


def forget_states(table_dir: Path) -> None:
    """Remove what the source remembered after all but the last loads."""
    for day in reversed(partition_dates(table_dir)[:-STATES_KEPT]):
        try:
            os.unlink(f"{table_dir}/{partition_name(day)}/{STATE}")
        except OSError:
            return  # gone, as all before it are; what cannot be removed now is tried at the next load


def read_manifest(folder: Path) -> Manifest:
    """Raises LakeError when it is missing, cut or was changed."""
    body = read_body(str(folder))
    body.pop("state", None)
    try:
        for name in ("since", "cursor", "started_at", "committed_at"):
            body[name] = datetime.fromisoformat(body[name]) if body[name] else None
        for name in ("load_date", "reconciled_on"):
            body[name] = date.fromisoformat(body[name]) if body.get(name) else None
        return Manifest(**body)
    except (ValueError, KeyError, TypeError):
        raise LakeError(f"manifest of {describe(folder)} is of another version of this program; run that day again") from None


def read_body(folder: str) -> dict[str, Any]:
    """The manifest as plain values: a run reads one for every partition there is. Raises LakeError as `read_manifest` does."""
    return _read(folder, MANIFEST)


def _write(path: Path, body: Mapping[str, Any]) -> Path:
    """As JSON for people; the first line holds the checksum of all that follows, so that reading it back is cheap."""
    text = json.dumps(body, indent=1, sort_keys=True).removeprefix("{\n").encode()
    path.write_bytes(b'{"checksum": "%s",\n%s' % (hashlib.sha256(text).hexdigest().encode(), text))
    return path


def _read(folder: str, name: str) -> dict[str, Any]:
    try:
        with open(f"{folder}/{name}", "rb") as handle:
            head, _, text = handle.read().partition(b"\n")
        body = json.loads(b"{" + text)
        if json.loads(head.rstrip(b",") + b"}")["checksum"] != hashlib.sha256(text).hexdigest():
            raise ValueError("its checksum does not fit")
        return body
    except (OSError, ValueError, KeyError, TypeError) as error:
        reason = "it is missing" if isinstance(error, FileNotFoundError) else "it is damaged"
        raise LakeError(
            f"{name.removesuffix('.json')} of {describe(Path(folder))}: {reason}; run that day again, or restore the folder from a backup"
        ) from None


def partition_dates(table_dir: Path) -> list[date]:
    """Load dates of the committed partitions, oldest first. Temporary folders are no partitions."""
    try:
        names = os.listdir(table_dir)
    except (FileNotFoundError, NotADirectoryError):
        return []
    try:
        return sorted(date.fromisoformat(name.removeprefix(PARTITION)) for name in names if name.startswith(PARTITION))
    except ValueError as error:
        raise LakeError(f"{'/'.join(table_dir.parts[-2:])}: a folder is not called by a load date ({error}); move it away") from None


def describe(folder: Path) -> str:
    """A partition for people: source/table/load_date=…, without the machine's path."""
    return "/".join(folder.parts[-3:])


def utc_now() -> datetime:
    return datetime.now(UTC)

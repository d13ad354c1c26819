"""Write, audit, publish: all tables of a run become one new version, or BI keeps the one it has.

Here belongs the order of steps that makes a version whole at every moment: build in a hidden folder, prove it by reopening, rename it
to vNNNN, flip `current`. What a version is and how it is read stands in published.py; what its own two tables hold in
publication_tables.py. A process killed anywhere in between leaves whole versions only; the next publication sweeps up its leftovers.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration import publication_tables as own
from orchestration.content_hash import content_hash
from orchestration.gates import GateResult
from orchestration.published import (
    CURRENT,
    DATABASE,
    MANIFEST,
    Publication,
    PublicationError,
    compare_counts,
    current,
    file_sums,
    number,
    point_at,
    sync,
    versions,
    write_durably,
    write_status,
)

if TYPE_CHECKING:
    import duckdb

STORAGE_VERSION = "v1.2.0"  # the oldest client that shall open the file
LEFTOVERS = (".building-*", ".deleted-*", f".{CURRENT}.new")


class PublicationRefused(PublicationError):
    """A gate said no, or did not speak."""


@dataclass(frozen=True)
class Table:
    """A table to publish. `relation` as seen where the warehouse is attached as `wh`; `order_by`: its key, empty = all columns.

    `is_daily`: it grows day by day and lies in that order, which is how it is read; sorting all its days anew is half of what copying costs.
    """

    name: str
    relation: str
    order_by: tuple[str, ...] = ()
    is_daily: bool = False

    @classmethod
    def mart(cls, name: str, *order_by: str, is_daily: bool = False) -> Table:
        return cls(name, f'wh.marts."{name}"', order_by, is_daily)

    @property
    def query(self) -> str:
        """All rows, in the order in which they are written."""
        columns = ", ".join(f'"{column}" nulls last' for column in self.order_by) or "all"
        return f"select * from {self.relation}" + ("" if self.is_daily else f" order by {columns}")


def refusals(gate_results: Iterable[GateResult], required: Mapping[str, str]) -> list[GateResult]:
    """The gates that hold a publication back.

    `required`: gate name (`marts/dim_customers`) → run that materialized the table; only a result for that very run counts.
    A gate without such a result comes back as `not_run`. Any other gate of those runs that blocks counts too.
    """
    by_gate = {(result.name, result.run_id): result for result in gate_results}  # the last word counts, should a gate speak twice
    bad = [result for result in by_gate.values() if result.blocks and required.get(result.name, result.run_id) == result.run_id]
    for name, run_id in required.items():
        if (name, run_id) not in by_gate:
            layer, _, asset = name.partition("/")
            bad.append(GateResult(asset=asset, layer=layer, suite=name, outcome="not_run", run_id=run_id))
    return bad


def publish(
    warehouse_path: Path | None,
    published_root: Path,
    *,
    run_id: str,
    as_of_date: date,
    tables: Sequence[Table],
    gate_results: Iterable[GateResult],
    required_gates: Mapping[str, str],
    freshness: Sequence[own.Freshness] = (),
    quality_files: Sequence[Path] = (),
    present_domains: Sequence[str] = (),
    needs: Mapping[str, Sequence[str]] | None = None,
    definition: str | None = None,
    keep: int = 7,
    memory_limit: str = "4GB",
    checkpoint: Callable[[str], None] = lambda step: None,
) -> Publication:
    """Publish `tables` as one new version and let BI read it; nobody may have the warehouse open for writing.

    `quality_files`: Parquet files of the quality store, the last runs'. `needs`: domains each table is made from, to say why one is
    empty. `checkpoint` is called with each step's name as it ends (tests kill the process there). Raises PublicationRefused when a
    gate blocks, PublicationError when the version cannot be written or proved; either way BI keeps what it has and status.json says why.
    """
    results = list(gate_results)
    with _lock(published_root):
        _sweep(published_root)
        _refuse_or_pass(published_root, results, required_gates, run_id=run_id, as_of_date=as_of_date)
        version = _next_version(published_root)
        building = published_root / f".building-{version}"
        try:
            manifest = {
                "version": version,
                "run_id": run_id,
                "as_of_date": as_of_date.isoformat(),
                "published_at": datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"),
                "definition": definition,
                "storage_version": STORAGE_VERSION,
                "present_domains": list(present_domains),
                "gates": [_gate_entry(result) for result in results],
            }
            context = own.Context(manifest, tuple(freshness), tuple(quality_files), needs or {})
            manifest["tables"] = _build(warehouse_path, building, tables, context, memory_limit, checkpoint)
            _prove(building, manifest["tables"])
            checkpoint("proved")
            manifest["files"] = file_sums(building)
            write_durably(building / MANIFEST, json.dumps(manifest, indent=1))
            _sync_tree(building)
            checkpoint("written")
            building.rename(published_root / version)
            sync(published_root)
            checkpoint("renamed")
            point_at(published_root, version)
            checkpoint("flipped")
        except Exception as error:
            shutil.rmtree(building, ignore_errors=True)
            reason = f"version {version} could not be written: {str(error).strip().splitlines()[0]}"
            with suppress(OSError):  # a full disk has no room for a status either
                write_status(published_root, outcome="failed", run_id=run_id, as_of_date=as_of_date, reason=reason)
            raise PublicationError(f"{reason}; BI keeps {_kept(published_root)}") from error
        write_status(published_root, outcome="published", run_id=run_id, as_of_date=as_of_date)
        checkpoint("told")
        _retire(published_root, keep, checkpoint)
        return current(published_root)


def _refuse_or_pass(root: Path, results: list[GateResult], required: Mapping[str, str], *, run_id: str, as_of_date: date) -> None:
    bad = refusals(results, required)
    if not required:
        raise PublicationRefused("publication refused: no gate was asked for, and a version without gates is not published")
    if not bad:
        return
    said = ", ".join(f"{result.name} {result.outcome.replace('_', ' ')}" + (f" ({result.reason})" if result.reason else "") for result in bad)
    reason = f"publication refused by {len(bad)} gate{'s' if len(bad) > 1 else ''}: {said}"
    write_status(root, outcome="held_back", run_id=run_id, as_of_date=as_of_date, reason=reason, gates=[_gate_entry(result) for result in bad])
    raise PublicationRefused(f"{reason}; BI keeps {_kept(root)}")


def _build(
    warehouse_path: Path | None,
    building: Path,
    tables: Sequence[Table],
    context: own.Context,
    memory_limit: str,
    checkpoint: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Write database and Parquet files; rows and hashes are taken from the warehouse, so that proving means comparing with it."""
    import duckdb

    (building / "parquet").mkdir(parents=True)
    entries: dict[str, dict[str, Any]] = {}
    with duckdb.connect(config={"temp_directory": str(building / ".spill"), "memory_limit": memory_limit}) as con:
        con.execute("set TimeZone = 'UTC'")
        if warehouse_path is not None:
            con.execute(f"attach {_literal(warehouse_path)} as wh (read_only)")
        con.execute(f"attach {_literal(building / DATABASE)} as pub (storage_version '{STORAGE_VERSION}')")
        for table in sorted(tables, key=lambda table: table.name):
            entries[table.name] = {**_count(con, table.relation), "content_hash": content_hash(con, table.relation)}
            con.execute(f'create table pub.main."{table.name}" as {table.query}')
        checkpoint("copied")
        for name in own.write(con, context, {name: entry["rows"] for name, entry in entries.items()}):
            entries[name] = {**_count(con, f"pub.main.{name}"), "content_hash": content_hash(con, f"pub.main.{name}")}
        for name in entries:
            target = _literal(building / "parquet" / f"{name}.parquet")
            con.execute(f'copy pub.main."{name}" to {target} (format parquet, compression zstd)')
        checkpoint("exported")
        con.execute("checkpoint pub")
        con.execute("detach pub")
    shutil.rmtree(building / ".spill", ignore_errors=True)
    return dict(sorted(entries.items()))


def _prove(building: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Reopen what was written, read-only, and compare every table with the warehouse: rows and content."""
    import duckdb

    compare_counts(building, {name: entry["rows"] for name, entry in entries.items()})
    with duckdb.connect(str(building / DATABASE), read_only=True) as con:
        for name, entry in entries.items():
            if content_hash(con, f'main."{name}"') != entry["content_hash"]:
                raise PublicationError(f"table {name} reads back other than it was written")


def _retire(root: Path, keep: int, checkpoint: Callable[[str], None]) -> None:
    """Drop all but the newest `keep` versions (at least two) and the one BI reads. Readers that have a file open keep it."""
    reading = current(root)
    for publication in versions(root)[: -max(2, keep)]:
        if publication.version != reading.version:
            hidden = root / f".deleted-{publication.version}"
            publication.path.rename(hidden)  # first out of sight in one step: no version is ever half there
            checkpoint("retired")
            shutil.rmtree(hidden)


def _sweep(root: Path) -> None:
    for pattern in LEFTOVERS:
        for path in root.glob(pattern):
            path.unlink() if path.is_symlink() or path.is_file() else shutil.rmtree(path)


@contextmanager
def _lock(root: Path) -> Iterator[None]:
    """One publication at a time; the kernel frees the lock of a process that was killed."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _next_version(root: Path) -> str:
    taken = [number(path.name) for path in root.glob("v[0-9]*") if path.name[1:].isdigit()]
    return f"v{max(taken, default=0) + 1:04d}"


def _kept(root: Path) -> str:
    publication = current(root)
    return f"{publication.version} (as of {publication.as_of_date})" if publication else "nothing yet"


def _gate_entry(result: GateResult) -> dict[str, Any]:
    return {"gate": result.name, "run_id": result.run_id, "outcome": result.outcome, "severity": result.severity, "reason": result.reason}


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> dict[str, int]:
    return {"rows": con.execute(f"select count(*) from {relation}").fetchone()[0]}


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def _literal(path: Path) -> str:
    return "'" + os.fspath(path).replace("'", "''") + "'"

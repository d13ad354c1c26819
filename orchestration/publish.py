"""Write, audit, publish: all tables of a run become one new version, or BI keeps the one it has.

Here belongs the order of steps that makes a version whole at every moment: build in a hidden folder, prove it by reopening, rename it
to vNNNN, flip `current`. How its files are written stands in publication_files.py, what a version is and how it is read in published.py.
A process killed anywhere in between leaves whole versions only; the next publication sweeps up its leftovers.
"""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from orchestration import publication_tables as own
from orchestration.gates import GateResult
from orchestration.publication_files import STORAGE_VERSION, Table, build, prove
from orchestration.published import (
    CURRENT,
    MANIFEST,
    Publication,
    PublicationError,
    current,
    file_sums,
    number,
    point_at,
    sync,
    versions,
    write_durably,
    write_status,
)

log = logging.getLogger("csw")

LEFTOVERS = (".building-*", ".deleted-*", f".{CURRENT}.new")


class PublicationRefused(PublicationError):
    """A gate said no, or did not speak."""


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
            manifest["tables"] = _write(warehouse_path, building, tables, context, _last(published_root), memory_limit, checkpoint)
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


def _write(
    warehouse_path: Path | None,
    building: Path,
    tables: Sequence[Table],
    context: own.Context,
    last: Publication | None,
    memory_limit: str,
    checkpoint: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """Write and prove the files: from the last version's where that will do, else anew.

    A month's first database is written anew, so that no file gathers more than a month's scraps.
    """
    import duckdb

    options = {"memory_limit": memory_limit, "checkpoint": checkpoint}
    if last is not None:
        try:
            continued = last.manifest["as_of_date"][:7] == context.manifest["as_of_date"][:7]
            entries = build(warehouse_path, building, tables, context, last=last, continued=continued, **options)
            if entries is None:
                shutil.rmtree(building)
                entries = build(warehouse_path, building, tables, context, last=last, **options)
            prove(building, entries)
            return entries
        except (duckdb.Error, PublicationError, OSError) as error:  # OSError: its file is gone or cannot be read
            log.warning("%s cannot be continued (%s): all tables are written anew", last.version, str(error).strip().splitlines()[0])
        shutil.rmtree(building, ignore_errors=True)
    entries = build(warehouse_path, building, tables, context, **options)
    prove(building, entries)
    return entries


def _last(root: Path) -> Publication | None:
    """The version whose files may be taken over."""
    last = current(root)
    return last if last is not None and last.manifest.get("storage_version") == STORAGE_VERSION else None


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


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)

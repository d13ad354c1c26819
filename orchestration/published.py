"""The published versions: which there are, which one BI reads, and reading it.

Here belongs everything that opens or points at a version; writing one is publish.py. Layout below `published/`:
`v0001/ v0002/ …` (each `customer_success.duckdb`, `parquet/<table>.parquet`, `manifest.json`, and `days.json` for the next version to
compare with), `current` → the version BI reads, `status.json` = how the last attempt to publish ended. A published version never changes,
not even to say that it is stale: that, and which gate is the cause, stands in status.json.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

VERSION = re.compile(r"v\d{4,}")
DATABASE = "customer_success.duckdb"
MANIFEST = "manifest.json"
CURRENT = "current"
STATUS = "status.json"
SANDBOX = {"enable_external_access": "false", "lock_configuration": "true"}


class PublicationError(Exception):
    """Something about published versions that a person must know: one line."""


@dataclass(frozen=True)
class Publication:
    """One whole version. `tables`: rows by table."""

    version: str
    path: Path
    run_id: str
    as_of_date: date
    published_at: datetime
    tables: dict[str, int]
    manifest: dict[str, Any]

    @property
    def database(self) -> Path:
        return self.path / DATABASE

    @property
    def present_domains(self) -> list[str]:
        return list(self.manifest.get("present_domains", []))


@dataclass(frozen=True)
class Answer:
    columns: list[str]
    rows: list[tuple]


def versions(root: Path) -> list[Publication]:
    """All whole versions, oldest first. A folder without a readable manifest is no version."""
    if not root.is_dir():
        return []
    found = [_read(path) for path in root.iterdir() if VERSION.fullmatch(path.name) and path.is_dir()]
    return sorted((each for each in found if each is not None), key=lambda each: number(each.version))


def current(root: Path) -> Publication | None:
    """The version BI reads, by its own path: a reader that holds `current/…` open would keep the old file without knowing."""
    target = current_name(root)
    publication = _read(root / target) if target else None
    if target and publication is None:
        raise PublicationError(f"published/{CURRENT} points at {target}, which is not a whole version: csw versions, then csw rollback")
    return publication


def current_name(root: Path) -> str | None:
    """What BI is pointed at, whether it is a whole version or not; None before the first publication."""
    try:
        return Path(os.readlink(root / CURRENT)).name
    except OSError:
        return None


def newest_as_of(root: Path) -> date | None:
    """The newest day in any kept version: after a rollback the data itself has not gone back."""
    return max((each.as_of_date for each in versions(root)), default=None)


def rollback(root: Path, version: str) -> Publication:
    """Point BI at an older (or newer) kept version, once it has proved whole.

    Raises PublicationError when there is no such version or it no longer is what its manifest says.
    """
    kept = {each.version: each for each in versions(root)}
    if version not in kept:
        raise PublicationError(f"there is no version {version}: choose from {', '.join(kept) or 'none, nothing was published yet'}")
    verify(kept[version])
    point_at(root, version)
    chosen = kept[version]
    write_status(root, outcome="rolled_back", run_id=chosen.run_id, as_of_date=chosen.as_of_date, reason=f"BI was set back to {version}")
    return chosen


def verify(publication: Publication) -> None:
    """Compare every file, byte for byte, and every table's rows with the manifest: raises PublicationError with the first difference."""
    recorded = publication.manifest.get("files", {})
    found = file_sums(publication.path)
    for name in sorted(recorded.keys() | found.keys()):
        if recorded.get(name) != found.get(name):
            raise PublicationError(f"{publication.version} is damaged: {name} is not the file that was published")
    compare_counts(publication.path, publication.tables)


def compare_counts(folder: Path, rows_by_table: Mapping[str, int]) -> None:
    """Open a version as a reader would and count its tables, in the database and in Parquet. Raises PublicationError."""
    import duckdb

    try:
        with duckdb.connect(str(folder / DATABASE), read_only=True) as con:
            there = {name for (name,) in con.execute("select table_name from duckdb_tables() where schema_name = 'main'").fetchall()}
            for table, rows in rows_by_table.items():
                counted = con.execute(f'select count(*) from main."{table}"').fetchone()[0] if table in there else None
                parquet = folder / "parquet" / f"{table}.parquet"
                in_parquet = con.execute("select count(*) from read_parquet(?)", [str(parquet)]).fetchone()[0]
                if not counted == in_parquet == rows:
                    raise PublicationError(f"table {table} should have {rows} rows, the database has {counted}, its Parquet file {in_parquet}")
    except duckdb.Error as error:
        raise PublicationError(f"the database cannot be read: {str(error).splitlines()[0]}") from None


def file_sums(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below `folder` but the manifest, by relative path."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST)
    return {path.relative_to(folder).as_posix(): file_sum(path) for path in paths}


def file_sum(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def query(root: Path, sql: str, parameters: Sequence[object] = ()) -> Answer:
    """Run somebody's SQL against the version BI reads: read-only, without access to files, network or settings. `parameters`: for its `?`.

    Raises PublicationError when nothing is published yet or the SQL is wrong.
    """
    import duckdb

    publication = current(root)
    if publication is None:
        raise PublicationError("nothing is published yet: csw run")
    try:
        with duckdb.connect(str(publication.database), read_only=True, config=SANDBOX) as con:
            statements = con.extract_statements(sql)
            if not statements:
                raise PublicationError("there is nothing to ask in it: give one SELECT")
            # The opened file itself stays writable to COPY, and EXPLAIN ANALYZE runs what it explains.
            if len(statements) > 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise PublicationError("only one SELECT is answered (describe, summarize and show tables are, too)")
            result = con.execute(statements[0], list(parameters) or None)
            return Answer([column[0] for column in result.description or []], result.fetchall())
    except duckdb.Error as error:
        raise PublicationError(str(error).strip()) from None


def status(root: Path) -> dict[str, Any] | None:
    """How the last attempt ended: outcome (published, held_back, failed, rolled_back), run_id, as_of_date, reason, gates, at, current."""
    try:
        return json.loads((root / STATUS).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return None


def write_status(root: Path, *, outcome: str, run_id: str, as_of_date: date, reason: str | None = None, gates: list[dict] | None = None) -> None:
    """Say beside the versions how an attempt ended, for BI and csw status."""
    publication = current(root)
    content = {
        "outcome": outcome,
        "run_id": run_id,
        "as_of_date": as_of_date.isoformat(),
        "reason": reason,
        "gates": gates or [],
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "current": publication.version if publication else None,
        "current_as_of_date": publication.as_of_date.isoformat() if publication else None,
    }
    root.mkdir(parents=True, exist_ok=True)
    write_durably(root / STATUS, json.dumps(content, indent=1))


def point_at(root: Path, version: str) -> None:
    """Flip `current` in one rename: a reader sees the old version or the new one."""
    temporary = root / f".{CURRENT}.new"
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(version)
    os.replace(temporary, root / CURRENT)
    sync(root)


def number(version: str) -> int:
    return int(version[1:])


def write_durably(path: Path, text: str) -> None:
    """Replace a small file whole, and have it on disk before returning."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    put_durably(temporary, path)


def put_durably(unfinished: Path, path: Path) -> None:
    """Let a file that is whole take its place, and have both on disk before returning."""
    sync(unfinished)
    os.replace(unfinished, path)
    sync(path.parent)


def sync(path: Path) -> None:
    """fsync a file or a folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(path: Path) -> Publication | None:
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        return Publication(
            version=path.name,
            path=path,
            run_id=manifest["run_id"],
            as_of_date=date.fromisoformat(manifest["as_of_date"]),
            published_at=datetime.fromisoformat(manifest["published_at"]),
            tables={name: table["rows"] for name, table in manifest["tables"].items()},
            manifest=manifest,
        )
    except (OSError, ValueError, KeyError):
        return None

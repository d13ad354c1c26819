"""The drop folder: `<domain>/<table>.(csv|jsonl|parquet)`, or a folder `<domain>/<table>/` of such files; `.gz` after csv or jsonl is fine.

Here belongs which files there are and which of them are new; how each format is read stands in file_formats.py, whether a row is good
is landing's to say. `path` may be any fsspec address whose package is installed; without one it is a local folder.

A file is known by its size and time of change, and by its content when those differ; what was read stands beside the manifest. So an unchanged
file is not read again, and a changed one is read whole: for tables that grow, drop new files into a folder instead of appending to one.
A record goes away by a row whose `deleted` is true, not by leaving it out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import PurePosixPath
from typing import Any

from orchestration.contracts import Contract
from orchestration.sources.base import Page, SourceError, SourceSpec, TransientSourceError, Window
from orchestration.sources.file_formats import READERS, format_of

Stamp = dict[str, Any]  # size, mtime, sha256 of one file


def open_files(spec: SourceSpec, tables: Mapping[str, Contract]) -> Files:
    if spec.path is None:
        raise SourceError(f"{spec.source_relation} needs a folder; set {_variable(spec.source_relation)}")
    return Files(str(spec.path), spec.source_relation, tables, time_zone=spec.time_zone)


def _variable(source_relation: str) -> str:
    return f"CSW_{source_relation.upper()}_DIR"


class Files:
    """One drop folder. `tables` are the contracts it may deliver; it delivers those of which there are files.

    Raises SourceError when there is no such folder.
    """

    vendor = "own"

    def __init__(self, path: str, source_relation: str, tables: Mapping[str, Contract], *, time_zone: str | None = None) -> None:
        import fsspec

        self.source_relation, self.time_zone = source_relation, time_zone
        self.warnings: list[str] = []
        self._contracts = tables
        self._fs, self._root = fsspec.core.url_to_fs(str(path))
        self._states: dict[str, dict[str, Stamp]] = {}
        if not self._fs.isdir(self._root):
            name = PurePosixPath(self._root).name
            raise SourceError(f"{source_relation}: the drop folder {name}/ is not there; set {_variable(source_relation)} to a folder")

    @property
    def tables(self) -> tuple[str, ...]:
        return tuple(self._files)

    def resume(self, states: dict[str, Any]) -> None:
        """What earlier loads have read, by table. Without it, everything is read."""
        self._states = {table: dict(state or {}) for table, state in states.items()}

    def state(self, table: str) -> dict[str, Stamp]:
        return self._states.get(table, {})

    def pull(self, windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
        """Rows of files that are new or changed, in the order of their names. Times do not matter here, `resume` does."""
        for table in windows:
            known, now = self._states.get(table, {}), {}
            for path in self._files.get(table, ()):
                name = self._relative(path)
                stamp, is_new = self._stamp(path, known.get(name))
                if is_new:
                    yield from ((table, page) for page in self._read(path, name))
                    self._still_the_same(path, name, stamp)
                now[name] = stamp
            self._states[table] = now

    def keys(self, table: str) -> None:
        return None  # a drop is not a listing of all there is

    def close(self) -> None:
        pass

    @cached_property
    def _files(self) -> dict[str, list[str]]:
        """Files of each table that there is. Raises SourceError when there is nothing at all."""
        domains = sorted({contract.domain for contract in self._contracts.values()})
        found: dict[str, list[str]] = {}
        for domain_dir in self._listing(self._root):
            if PurePosixPath(domain_dir).name in domains:
                for entry in self._listing(domain_dir):
                    self._sort_in(entry, domain_dir, found)
        if not found:
            examples = ", ".join(f"{c.domain}/{name}.csv" for name, c in list(self._contracts.items())[:3])
            raise SourceError(f"{self.source_relation}: no table for {', '.join(domains)} in the drop folder; expected files like {examples}")
        return {table: found[table] for table in self._contracts if table in found}

    def _sort_in(self, entry: str, domain_dir: str, found: dict[str, list[str]]) -> None:
        domain, table = PurePosixPath(domain_dir).name, PurePosixPath(entry).name.partition(".")[0]
        contract = self._contracts.get(table)
        if contract is None or contract.domain != domain:
            self.warnings.append(f"{self._relative(entry)} is not a table of the {domain} contract: not read")
            return
        for path in sorted(self._fs.find(entry)) if self._fs.isdir(entry) else [entry]:
            if any(part.startswith((".", "_")) for part in PurePosixPath(self._relative(path)).parts):
                continue  # a file that is still being written, or a marker of the tool that wrote it
            if format_of(path) is None:
                self.warnings.append(f"{self._relative(path)} is neither csv, jsonl nor parquet: not read")
            else:
                found.setdefault(table, []).append(path)

    def _read(self, path: str, name: str) -> Iterator[Page]:
        kind = format_of(path)
        try:
            with self._fs.open(path, "rb", compression=None if kind == "parquet" else "infer") as handle:
                yield from READERS[kind](handle, name)
        except SourceError:
            raise
        except (OSError, ValueError, EOFError) as error:  # Arrow's own errors are ValueErrors and OSErrors
            why = str(error).splitlines()[0][:160]
            raise SourceError(f"{self.source_relation}: {name} cannot be read as {kind} ({why}); replace or remove it") from error

    def _stamp(self, path: str, known: Stamp | None) -> tuple[Stamp, bool]:
        """What identifies the file now, and whether its content is another than `known`."""
        stamp = self._outside(path)
        if known and {"size": known["size"], "mtime": known["mtime"]} == stamp:
            return known, False
        with self._fs.open(path, "rb") as handle:
            stamp["sha256"] = hashlib.file_digest(handle, "sha256").hexdigest()
        return stamp, known is None or known["sha256"] != stamp["sha256"]

    def _still_the_same(self, path: str, name: str, stamp: Stamp) -> None:
        if self._outside(path) != {"size": stamp["size"], "mtime": stamp["mtime"]}:
            raise TransientSourceError(f"{self.source_relation}: {name} changed while it was being read; write beside it and rename it into place")

    def _outside(self, path: str) -> Stamp:
        self._fs.invalidate_cache(path)
        info = self._fs.info(path)
        changed = next((info[key] for key in ("mtime", "LastModified", "last_modified", "etag", "ETag") if key in info), "")
        return {"size": info["size"], "mtime": str(changed)}

    def _listing(self, folder: str) -> list[str]:
        return [path for path in sorted(self._fs.ls(folder, detail=False)) if not PurePosixPath(path).name.startswith((".", "_"))]

    def _relative(self, path: str) -> str:
        return str(PurePosixPath(path).relative_to(self._root))

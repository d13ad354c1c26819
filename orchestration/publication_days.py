"""What a version says of its tables that grow by days, for the next one: days.json, beside the manifest.

Here belongs that file and when it is believed; not what the next version does with it (publication_files.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from orchestration.content_hash import Content
from orchestration.parquet_parts import Layout
from orchestration.published import Publication, file_sum

DAYS = "days.json"


@dataclass(frozen=True)
class Known:
    """Of one table: hashes by days, which parts its Parquet file is made of, and how its rows were told apart (SQL)."""

    holds: Content
    layout: Layout
    bucket: str


def write_down(building: Path, tables: Mapping[str, Known]) -> None:
    said = {name: {**known.holds.json, "bucket": known.bucket, "parts": known.layout.json} for name, known in tables.items()}
    (building / DAYS).write_text(json.dumps(said, sort_keys=True))


def known_of(version: Publication) -> dict[str, Known]:
    """By table name; nothing where the file is not the published one, or another release wrote it."""
    path = as_published(version, DAYS)
    try:
        said = json.loads(path.read_text()) if path else {}
        return {name: Known(Content.of(table), Layout.of(table["parts"]), table["bucket"]) for name, table in said.items()}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def as_published(version: Publication, name: str) -> Path | None:
    """A file of a version, if it still is the one that was published."""
    path = version.path / name
    return path if path.is_file() and file_sum(path) == version.manifest.get("files", {}).get(name) else None

"""Every partition against its manifest.

Here belongs finding what is damaged, and saying it for people; nothing is mended here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.lake_manifest import MANIFEST, STATE, LakeError, describe, read_manifest, read_state
from orchestration.lake_partition import ContentHash, sha256


@dataclass(frozen=True)
class Problem:
    partition: str  # source/table/load_date=…
    what: str

    def __str__(self) -> str:
        return f"{self.partition}: {self.what}"


def verify_partition(folder: Path) -> Iterator[Problem]:
    """What is wrong with one partition: nothing, as a rule."""
    where = describe(folder)
    try:
        manifest = read_manifest(folder)
        read_state(folder)
    except LakeError as error:
        yield Problem(where, str(error))
        return
    expected = {entry["name"]: entry for entry in manifest.files}
    found = {path.name for path in folder.iterdir()} - {MANIFEST, STATE}
    for name in sorted(found - set(expected)):
        yield Problem(where, f"{name} is not in the manifest")
    content, rows = ContentHash(), 0
    for name, entry in expected.items():
        path = folder / name
        if name not in found:
            yield Problem(where, f"{name} is missing")
            return
        if path.stat().st_size != entry["bytes"] or sha256(path) != entry["sha256"]:
            size, written = path.stat().st_size, entry["bytes"]
            why = f"{size} bytes, {written} were written" if size != written else "its content is not what was written"
            yield Problem(where, f"{name} is damaged: {why}")
            return
        try:
            for batch in pq.ParquetFile(path).iter_batches(columns=["_row_hash"]):
                content.update(pa.chunked_array([batch.column(0)]))
                rows += len(batch)
        except (pa.ArrowException, OSError) as error:
            yield Problem(where, f"{name} cannot be read: {str(error).splitlines()[0]}")
            return
    if rows != manifest.rows:
        yield Problem(where, f"{rows} rows, the manifest says {manifest.rows}")
    elif content.hexdigest() != manifest.content_hash:
        yield Problem(where, "the rows are not those that the manifest was written for")

"""The dbt project as parsed, kept for the next process: parsing takes half a minute, and neither data nor settings change its result.

Here belongs what is kept, where, and when it still holds; dbt.py parses. `python -m orchestration.dbt_parsed` parses during set-up.
"""

from __future__ import annotations

import hashlib
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.settings import REPO, Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

PROJECT_DIR = REPO / "dbt_project"
SOURCES = ("models", "seeds", "dbt_project")
PARTS = (".sql", ".yml", ".csv", ".md")


class ParsedProject:
    """dbt's manifest of the project's present files, as JSON (what Dagster reads) and as dbt's own objects.

    It lies in the project's target folder, for all data folders alike; in the data folder where the project may not be written to.
    """

    def __init__(self, settings: Settings) -> None:
        self._fingerprint = _fingerprint(settings.target)
        root = PROJECT_DIR if os.access(PROJECT_DIR, os.W_OK) else settings.data_dir / "dbt"
        self._folder = root / "target" / "parsed"

    @property
    def json(self) -> Path:
        return self._folder / f"{self._fingerprint}.json"

    @property
    def _objects(self) -> Path:
        return self._folder / f"{self._fingerprint}.msgpack"

    def is_kept(self) -> bool:
        return self.json.exists() and self._objects.exists()

    def read(self) -> Manifest:
        from dbt.contracts.graph.manifest import Manifest
        from dbt.parser.manifest import extended_mashumuro_decoder

        return Manifest.from_msgpack(self._objects.read_bytes(), decoder=extended_mashumuro_decoder)

    def keep(self, manifest: Manifest) -> None:
        """Write both, whole or not at all; what was kept of earlier files goes, unless a process that still runs may read it (a day)."""
        from dbt.parser.manifest import extended_mashumaro_encoder

        self._folder.mkdir(parents=True, exist_ok=True)
        fresh = self._folder / f".{os.getpid()}"
        fresh.write_bytes(manifest.to_msgpack(extended_mashumaro_encoder))
        os.replace(fresh, self._objects)
        manifest.write(str(fresh))
        os.replace(fresh, self.json)
        for path in self._folder.iterdir():
            if path.stem != self._fingerprint and path.stat().st_mtime < self.json.stat().st_mtime - 86_400:
                path.unlink(missing_ok=True)


def _fingerprint(target: str) -> str:
    """Engine, dbt's version, and names, sizes and change times of the project's files: enough to know that nothing was edited."""
    digest = hashlib.sha256(f"{target}|{version('dbt-core')}".encode())
    for root in SOURCES:
        folder = REPO / root
        for path in sorted(folder.rglob("*")):
            if path.suffix in PARTS and path.is_file() and "target" not in path.relative_to(folder).parts:
                stat = path.stat()
                digest.update(f"{path.relative_to(REPO)}|{stat.st_size}|{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:32]


if __name__ == "__main__":
    from orchestration.dbt import Dbt

    # Of the settings only the defaults: what somebody set wrong is told by the command that needs it.
    Dbt(Settings.model_construct(data_dir=PROJECT_DIR / "target")).prepare()

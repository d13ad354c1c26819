"""What of the house style sqlfluff cannot see: it lints the models as Jinja made them, and no macros.

Here belongs how SQL is written; what both engines understand stands in test_portable_sql.py. Each rule gives the places that break it.
"""

from __future__ import annotations

import re
from pathlib import Path

from orchestration.settings import REPO

LONGEST_LINE = 150
MODELS = REPO / "models"
PROJECT = REPO / "dbt_project"


def found(pattern: str, *folders: Path) -> list[str]:
    """Files below the folders in which the pattern occurs outside comments."""
    texts = {path: path.read_text() for folder in folders for path in sorted(folder.rglob("*.sql"))}
    assert texts, folders
    stripped = {path: re.sub(r"\{#.*?#\}|--[^\n]*", "", text, flags=re.S) for path, text in texts.items()}
    return [str(path.relative_to(REPO)) for path, text in stripped.items() if re.search(pattern, text, flags=re.I)]


def test_no_line_is_longer_than_can_be_read():
    lines = [
        (f"{path.relative_to(REPO)}:{number}", line)
        for folder in (MODELS, PROJECT)
        for path in folder.rglob("*.sql")
        for number, line in enumerate(path.read_text().splitlines(), 1)
    ]
    assert lines
    assert not [place for place, line in lines if len(line) > LONGEST_LINE]


def test_no_fan_out_is_hidden():
    """A join that doubles rows is put right where it is; who wants the groups of a table groups."""
    assert not found(r"\bselect\s+distinct\b", MODELS, PROJECT / "macros")


def test_staging_names_the_columns_that_it_gives():
    """A column that a source brings anew stops at staging until someone has said what it means."""
    assert not found(r"\w\.\*", MODELS / "staging")

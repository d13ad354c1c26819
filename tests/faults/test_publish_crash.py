"""What BI sees when a publication is killed, runs out of disk, or happens under a reader: one whole version, always."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from orchestration import published
from tests.faults.publisher import STEPS

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    build(path, "r0")
    return path


def build(path: Path, run_id: str) -> None:
    """Every table says which run built it, so that a mix would show."""
    with duckdb.connect(str(path)) as con:
        con.execute("create schema if not exists marts")
        con.execute(
            f"create or replace table marts.facts as select range as id, repeat('x', 20) || range as text, '{run_id}' as built_by from range(40000)"
        )
        con.execute(f"create or replace table marts.run as select '{run_id}' as built_by")


def start(warehouse: Path, root: Path, run_id: str, *more: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "tests.faults.publisher", str(warehouse), str(root), run_id, *more]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, timeout=120, check=False)


def seen_by_bi(root: Path) -> tuple[str, str]:
    """(version, run), after proving that the version is whole and from one run."""
    version = published.current(root)
    published.verify(version)
    answer = published.query(root, "select distinct built_by from facts union select built_by from run")
    assert len(answer.rows) == 1, "tables of two runs in one version"
    return version.version, answer.rows[0][0]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_leaves_a_whole_version_and_the_next_run_ends_right(step, warehouse, tmp_path):
    root = tmp_path / "published"
    for run_id in ("r1", "r2"):
        build(warehouse, run_id)
        assert start(warehouse, root, run_id).returncode == 0
    build(warehouse, "r3")
    died = start(warehouse, root, "r3", step)
    assert died.returncode == -signal.SIGKILL
    flipped = STEPS.index(step) >= STEPS.index("flipped")
    assert seen_by_bi(root) == (("v0003", "r3") if flipped else ("v0002", "r2"))
    for version in published.versions(root):
        published.verify(version)

    again = start(warehouse, root, "r3")
    assert again.returncode == 0, again.stderr
    assert seen_by_bi(root)[1] == "r3"
    assert published.status(root)["outcome"] == "published"
    assert len(published.versions(root)) == 2
    assert not [path.name for path in root.iterdir() if path.name.startswith((".building", ".deleted", ".current"))]


def test_no_room_for_the_new_version_leaves_the_old_one(warehouse, tmp_path):
    root = tmp_path / "published"
    assert start(warehouse, root, "r0").returncode == 0
    build(warehouse, "r1")
    full = start(warehouse, root, "r1", "", "200000")
    assert full.returncode == 1
    assert "BI keeps v0001" in full.stderr
    assert seen_by_bi(root) == ("v0001", "r0")
    assert published.status(root)["outcome"] == "failed"
    assert not list(root.glob(".building-*"))
    assert start(warehouse, root, "r1").returncode == 0
    assert seen_by_bi(root) == ("v0002", "r1")


def test_a_reader_with_the_file_open_is_undisturbed(warehouse, tmp_path):
    root = tmp_path / "published"
    assert start(warehouse, root, "r0").returncode == 0
    stop = tmp_path / "stop"
    script = (
        "import duckdb, os, sys, time\n"
        "con = duckdb.connect(sys.argv[1], read_only=True)\n"
        "print('open', flush=True)\n"
        "while not os.path.exists(sys.argv[2]):\n"
        "    assert con.execute('select count(*), min(built_by), max(built_by) from facts').fetchone() == (40000, 'r0', 'r0')\n"
        "    time.sleep(0.02)\n"
    )
    command = [sys.executable, "-c", script, str(root / "current" / published.DATABASE), str(stop)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline().strip() == "open"
        for run_id in ("r1", "r2", "r3"):  # keeps two: the version that is being read is retired under the reader
            build(warehouse, run_id)
            assert start(warehouse, root, run_id).returncode == 0
        assert not (root / "v0001").exists()
        assert seen_by_bi(root) == ("v0004", "r3")
        stop.touch()
        assert reader.wait(timeout=30) == 0


def test_two_publications_at_once_make_two_whole_versions(warehouse, tmp_path):
    root = tmp_path / "published"
    command = [sys.executable, "-m", "tests.faults.publisher", str(warehouse), str(root)]
    both = [subprocess.Popen([*command, run_id], cwd=REPO, env=os.environ) for run_id in ("r1", "r2")]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    assert [version.version for version in published.versions(root)] == ["v0001", "v0002"]
    assert seen_by_bi(root)[0] == "v0002"


def test_a_cut_file_is_noticed_before_bi_is_pointed_at_it(warehouse, tmp_path):
    root = tmp_path / "published"
    for run_id in ("r1", "r2"):
        assert start(warehouse, root, run_id).returncode == 0
    old = published.versions(root)[0]
    with old.database.open("r+b") as handle:
        handle.truncate(old.database.stat().st_size // 2)
    with pytest.raises(published.PublicationError, match="v0001 is damaged"):
        published.rollback(root, "v0001")
    assert published.current(root).version == "v0002"

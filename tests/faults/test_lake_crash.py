"""What the lake survives: death at every step of a commit, a full disk, damaged files, two runs at once (faults.md 1, 3, 4, 16)."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from orchestration.lake_manifest import LakeError
from orchestration.landing import Lake
from tests.faults.dying_loads import FIRST, SECOND, replace_day
from tests.unit.lake_support import DAY, Shop, lake_in, load, order, quarantined, rows

REPO = Path(__file__).resolve().parents[2]
CONTENT = "select id, status from raw_shop.orders order by id"
OLD = [(record["id"], record["status"]) for record in FIRST[:5]]
NEW = [(record["id"], record["status"]) for record in SECOND[:7]]


def waste(folder: Path) -> list[Path]:
    return [path for path in folder.rglob(".*") if path.name != ".lock"]


def test_death_at_any_step_leaves_the_old_day_or_the_new_one(tmp_path):
    subprocess.run([sys.executable, "-m", "tests.faults.dying_loads", str(tmp_path)], cwd=REPO, check=True, timeout=300)
    folders = sorted(tmp_path.iterdir(), key=lambda path: int(path.name))
    assert len(folders) > 10
    seen = []
    for folder in folders:
        content = rows(folder, CONTENT)
        assert content in (OLD, NEW), folder.name
        assert lake_in(folder).verify() == [], folder.name
        assert not waste(folder / "lake"), folder.name
        seen.append(content)
        replace_day(folder)  # the rerun
        assert rows(folder, CONTENT) == NEW
        assert quarantined(folder) == [("currency: unknown currency",), ("quantity: not a bigint",)]
        assert lake_in(folder).verify() == []
        assert not waste(folder)
    assert OLD in seen and NEW in seen


def test_death_within_the_pull_leaves_nothing(tmp_path):
    script = (
        "import os, signal, sys; from pathlib import Path; from tests.unit.lake_support import *\n"
        "def pages():\n"
        "    yield [order(n) for n in range(20_000)]\n"  # more than waits in memory: a part file has been begun
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "class Dying(Shop):\n"
        "    def pull(self, windows): return (('orders', page) for page in pages())\n"
        "load(lake_in(Path(sys.argv[1])), Dying())\n"
    )
    died = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=REPO, timeout=120)
    assert died.returncode == -signal.SIGKILL
    assert list(tmp_path.rglob("part-*.parquet")), "it died too early to prove anything"
    assert rows(tmp_path, CONTENT) == []
    assert lake_in(tmp_path).cursor("shop", "orders") is None
    load(lake_in(tmp_path), Shop([order(1)]))
    assert rows(tmp_path, CONTENT) == [("o1", "open")]
    assert not waste(tmp_path)


def test_a_full_disk_commits_nothing_and_says_so(tmp_path):
    """A process may write files of no more than 64 kB: the kernel refuses the rest, as it does on a full disk."""
    load(lake_in(tmp_path), Shop([order(1)]))
    script = (
        "import resource, sys, uuid; from pathlib import Path; from datetime import timedelta; from tests.unit.lake_support import *\n"
        "from orchestration.lake_manifest import LakeError\n"
        "lake = lake_in(Path(sys.argv[1]))\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))\n"
        "try:\n"
        "    load(lake, Shop([order(uuid.uuid4()) for n in range(20_000)]), DAY + timedelta(days=1))\n"
        "except LakeError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=REPO, timeout=120, capture_output=True, text=True)
    assert "cannot write the lake" in done.stdout and "nothing was committed" in done.stdout, done.stderr
    assert rows(tmp_path, CONTENT) == [("o1", "open")]
    assert lake_in(tmp_path).verify() == []
    assert not waste(tmp_path)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 65536


@pytest.mark.parametrize("file", ["part-00000.parquet", "manifest.json"])
@pytest.mark.parametrize("damage", ["cut", "one byte", "gone"])
def test_damage_is_found_before_anything_is_built_on_it(tmp_path, file, damage):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(number) for number in range(10)]))
    (folder,) = lake.partitions()
    path = folder / file
    content = bytearray(path.read_bytes())
    if damage == "cut":
        path.write_bytes(content[:-20])
    elif damage == "one byte":
        middle = len(content) // 2
        content[middle] = content[middle] ^ 1
        path.write_bytes(content)
    else:
        path.unlink()
    (problem,) = lake.verify()
    assert str(problem).startswith(f"shop/orders/load_date={DAY}: ")
    if (file, damage) != ("part-00000.parquet", "one byte"):  # that needs reading every byte: csw lake verify
        with pytest.raises(LakeError, match="run that day again"):
            rows(tmp_path, CONTENT)
    load(lake, Shop([order(1)]), run_id="again")  # and that is how it is mended
    assert lake.verify() == []
    assert rows(tmp_path, CONTENT) == [("o1", "open")]


def test_other_tampering_is_found(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1)]))
    (folder,) = lake.partitions()
    (folder / "part-00001.parquet").write_bytes(b"")
    assert [problem.what for problem in lake.verify()] == ["part-00001.parquet is not in the manifest"]
    (folder / "part-00001.parquet").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"rows": 2}))
    assert "it is damaged" in lake.verify()[0].what


def test_two_runs_at_once_wait_for_each_other(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from tests.unit.lake_support import *\n"
        "class Slow(Shop):\n"
        "    def pull(self, windows):\n"
        "        print('pulling', flush=True); time.sleep(3); yield 'orders', [order(1, status='first')]\n"
        "load(lake_in(Path(sys.argv[1])), Slow(), run_id='slow')\n"
    )
    slow = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=REPO, stdout=subprocess.PIPE, text=True)
    assert slow.stdout.readline() == "pulling\n"
    assert rows(tmp_path, CONTENT) == [], "a reader neither waits nor disturbs"
    started = time.monotonic()
    load(lake_in(tmp_path), Shop([order(1, status="second")]), DAY + timedelta(days=1))
    assert time.monotonic() - started > 1
    assert slow.wait(timeout=60) == 0
    assert rows(tmp_path, "select status from raw_shop.orders order by _load_date") == [("first",), ("second",)]


def test_tenants_are_locked_apart(tmp_path):
    holder = Lake(tmp_path / "lake", tmp_path / "quarantine", {})
    (holder.root / "raw" / "shop_eu").mkdir(parents=True)
    handle = os.open(holder.root / "raw" / "shop_eu" / ".lock", os.O_CREAT | os.O_RDWR)
    try:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX)
        load(lake_in(tmp_path), Shop([order(1)]))
        assert rows(tmp_path, CONTENT) == [("o1", "open")]
    finally:
        os.close(handle)

"""Importing is free: cheap, and without a look at files, environment or network. Dagster, `csw --help` and every test import often.

Each question is asked in a process of its own, because what pytest has imported already would hide the answer.
"""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from collections.abc import Sequence

import orchestration
from orchestration.settings import REPO

MOST_CPU_SECONDS = 4.0

CPU = """
import time
before = time.process_time()
import orchestration.definitions
print(time.process_time() - before)
"""

# Notes, while the modules named in argv are imported: files opened outside Python, its packages and our own modules; programs started;
# connections; and the environment read by our own code or asked for a setting of ours. What Python's own `platform` asks of the system
# (Dagster's cron parser wants to know whether it runs on 32 bits) is no I/O of ours, nor is a look for packages in an entry of sys.path;
# a default that switches a library's telemetry off is written, not read.
WITNESS = """
import importlib, json, os, platform, sys, zoneinfo

WATCHED = {"open", "socket.connect", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen", "os.system", "os.exec", "os.mkdir"}
REPO, modules = sys.argv[1], sys.argv[2:]
homes = tuple(os.path.realpath(path) + os.sep for path in (sys.prefix, sys.base_prefix, os.path.dirname(os.__file__), *zoneinfo.TZPATH))
ours = os.path.join(REPO, "orchestration") + os.sep
told = []

def note(what):
    if what not in told:
        told.append(what)

def within(function, *files):
    frame = sys._getframe(2)
    while frame:
        if frame.f_code.co_filename in files and function in (frame.f_code.co_name, None):
            return True
        frame = frame.f_back
    return False

def watch(event, arguments):
    if event not in WATCHED or arguments[0] in sys.path or within(None, platform.__file__):
        return
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path = os.path.realpath(os.fsdecode(arguments[0]))
        if not path.startswith(homes) and not (path.startswith(ours) and (path.endswith((".py", ".pyc")) or ".pyc." in path)):
            note(f"opens {path}")
    elif event != "open":
        note(f"{event} {arguments[:1]}")

read = type(os.environ).__getitem__

def watched_read(environment, name):
    frame = sys._getframe(1)
    while frame.f_code.co_filename in (os.__file__, "<frozen os>", "<frozen _collections_abc>"):
        frame = frame.f_back
    if name.startswith("CSW_") or frame.f_code.co_filename.startswith(ours) and not within("setdefault", os.__file__, "<frozen os>"):
        note(f"reads the environment: {name}")
    return read(environment, name)

type(os.environ).__getitem__ = watched_read
sys.addaudithook(watch)
for module in modules:
    importlib.import_module(module)
result = list(told)
print(json.dumps(result))
"""


def in_fresh_python(program: str, *arguments: str) -> str:
    # Without what tests before this one have set: a library that copies the whole environment would seem to ask for it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CSW_")}
    done = subprocess.run([sys.executable, "-c", program, *arguments], cwd=REPO, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def noted(modules: Sequence[str]) -> list[str]:
    return json.loads(in_fresh_python(WITNESS, str(REPO), *modules))


def all_modules() -> list[str]:
    return sorted(module.name for module in pkgutil.walk_packages(orchestration.__path__, "orchestration."))


def test_the_witness_sees_what_it_watches_for(tmp_path):
    """A module that does all of it, so that silence means something."""
    (tmp_path / "nosy.py").write_text(
        "import os, socket\nos.environ.get('CSW_STRIPE_API_KEY', os.environ.setdefault('CSW_STRIPE_API_KEY', ''))\n"
        "open('pyproject.toml').close()\n"
        "try:\n    socket.create_connection(('127.0.0.1', 9), timeout=0.1)\nexcept OSError:\n    pass\n"
    )
    told = json.loads(in_fresh_python(f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{WITNESS}", str(REPO), "nosy"))
    assert any(each == f"opens {REPO / 'pyproject.toml'}" for each in told)
    assert "reads the environment: CSW_STRIPE_API_KEY" in told
    assert any(each.startswith("socket.connect") for each in told)


def test_importing_the_code_location_touches_nothing():
    assert noted(["orchestration.definitions"]) == []


def test_importing_any_module_touches_nothing():
    assert noted(all_modules()) == []


def test_importing_the_code_location_is_cheap():
    seconds = min(float(in_fresh_python(CPU)) for _ in range(2))
    assert seconds < MOST_CPU_SECONDS


def test_the_code_location_does_without_what_costs_seconds():
    """They are imported where they are used."""
    costly = {"dbt", "great_expectations", "pandas", "pyspark", "sqlglot"}
    loaded = in_fresh_python("import json, sys, orchestration.definitions\nprint(json.dumps(list(sys.modules)))")
    assert not costly & set(json.loads(loaded))

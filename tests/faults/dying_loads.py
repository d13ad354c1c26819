"""Loads that are killed at every step: run as a process of its own, which forks one child for each step to die at.

`python -m tests.faults.dying_loads FOLDER` lands a first version of a day in FOLDER/1, FOLDER/2, …, and is killed (SIGKILL) while it
replaces it by the second: in folder n just before the n-th call of the operating system that makes something last. It stops after the
first folder in which the load outlives all its calls.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path

from tests.unit.lake_support import Shop, lake_in, load, order

FIRST = [order(number) for number in range(5)] + [order("bad", quantity="many")]
SECOND = [order(number, status="paid") for number in range(7)] + [order("bad", quantity="lots"), order("worse", currency="?")]


def replace_day(folder: Path) -> None:
    load(lake_in(folder), Shop(SECOND), run_id="second")


def _die_before_call(number: int) -> None:
    calls = 0

    def deadly(function):
        def call(*args, **kwargs):
            nonlocal calls
            calls += 1
            if calls == number:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for module, name in ((os, "rename"), (os, "fsync"), (os, "unlink"), (os, "rmdir"), (shutil, "rmtree")):
        setattr(module, name, deadly(getattr(module, name)))


def main(folder: Path) -> None:
    for number in range(1, 100):
        child = os.fork()
        if child == 0:
            load(lake_in(folder / str(number)), Shop(FIRST), run_id="first")
            _die_before_call(number)
            replace_day(folder / str(number))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

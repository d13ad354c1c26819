"""The process beside ours: answers as they come, errors as they were, and no process left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.companion import Companion, CompanionError
from orchestration.dbt import DbtError

_seen: list[str] = []


def handle(tell, what: str, *rest) -> None:
    _seen.append(what)
    if what == "count":
        for number in range(rest[0]):
            tell(number)
    elif what == "seen":
        tell(list(_seen))
    elif what == "pid":
        tell(os.getpid())
    elif what == "fail":
        tell("first")
        raise DbtError("the model does not compile")
    elif what == "die":
        os._exit(7)


@pytest.fixture
def companion():
    found = Companion(handle, "a test")
    yield found
    found.stop()


def test_answers_come_in_order_and_the_process_stays(companion):
    assert list(companion.ask("count", 3)) == [0, 1, 2]
    assert list(companion.ask("count", 0)) == []
    assert list(companion.ask("seen")) == [["count", "count", "seen"]]


def test_it_is_another_process(companion):
    assert list(companion.ask("pid")) != [os.getpid()]


def test_an_error_is_raised_where_it_was_asked_and_the_process_goes_on(companion):
    answers = companion.ask("fail")
    assert next(answers) == "first"
    with pytest.raises(DbtError, match="does not compile") as raised:
        next(answers)
    assert "in handle" in "".join(raised.value.__notes__)
    assert list(companion.ask("count", 1)) == [0]


def test_what_was_begun_is_not_asked_twice(companion):
    companion.begin("count", 2)
    assert list(companion.ask("count", 2)) == [0, 1]
    assert list(companion.ask("seen")) == [["count", "seen"]]


def test_another_question_lets_the_one_that_was_begun_end_first(companion):
    companion.begin("fail")
    assert list(companion.ask("count", 2)) == [0, 1]


def test_whoever_stops_listening_leaves_no_answers_for_the_next(companion):
    for answer in companion.ask("count", 10):
        if answer == 2:
            break
    assert list(companion.ask("count", 2)) == [0, 1]


def test_a_process_that_died_is_an_error_and_the_next_question_starts_another(companion):
    with pytest.raises(CompanionError, match=r"a test ended unexpectedly \(exit code 7\)"):
        list(companion.ask("die"))
    assert list(companion.ask("count", 1)) == [0]


def test_it_ends_when_its_parent_is_killed():
    code = "import test_companion as t; c = t.Companion(t.handle, 'x'); print(*c.ask('pid'), flush=True); import time; time.sleep(60)"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        pid = int(parent.stdout.readline())
        os.kill(pid, 0)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while _is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _is_alive(pid)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"  # a dead one that nobody has waited for

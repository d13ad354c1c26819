"""The gates of a room, in this process and in a second one at once: Great Expectations is Python, which uses one core at a time.

Here belongs who evaluates which gate and what both read from; what a gate says is gates.py's. Whoever is free takes the next one.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from orchestration.companion import Companion, Tell
from orchestration.contracts import load_contracts
from orchestration.gates import GateResult, Gates, SuiteError, blank_of, errored, load_suite
from orchestration.lake_views import register_raw_views
from orchestration.settings import Settings
from orchestration.warehouse import read

if TYPE_CHECKING:
    import duckdb

FEW = 4  # gates that are evaluated here before another process would have opened the room


@dataclass(frozen=True)
class Question:
    """The gate of `asset` on `relation` (`schema.table` or a SELECT), with the suite's parameters."""

    asset: str
    relation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Room:
    """Where gates of one layer look, and for which run, which has landed nothing before `first_day`."""

    settings: Settings
    layer: str
    run_id: str
    first_day: date = date.min

    @contextmanager
    def opened(self, reader: str) -> Iterator[Gates]:
        """Ready to answer. Each `reader` (process) spills what doesn't fit into memory into a folder of its own."""
        opened = _landed(self, reader) if self.layer == "raw" else read(self.settings, reader)
        with opened as connection, Gates(connection) as gates:
            yield gates

    def answer(self, gates: Gates, question: Question) -> GateResult:
        return gates.evaluate(
            self.layer,
            question.asset,
            question.relation,
            parameters=question.parameters,
            present_domains=self.settings.present_domains,
            run_id=self.run_id,
        )


def begin() -> None:
    """Start the second process and let it import what gates need, without waiting for it."""
    _process.begin("begin")


def evaluate(room: Room, questions: Sequence[Question]) -> Iterator[GateResult]:
    """One result per question, as they come. Raises when the room cannot be opened; a gate that goes wrong is the outcome `errored`."""
    waiting = deque(sorted(questions, key=lambda question: _checks(room.layer, question), reverse=True))
    answered: deque[GateResult] = deque()
    beside = threading.Thread(target=_answer_beside, args=(room, waiting, answered), name="gates beside")
    if len(questions) > FEW:
        beside.start()
    try:
        with room.opened("gates") as gates:
            while question := _next(waiting):
                yield room.answer(gates, question)
                while answered:
                    yield answered.popleft()
    finally:
        waiting.clear()
        if beside.is_alive():
            beside.join()
    yield from answered


def _answer_beside(room: Room, waiting: deque[Question], answered: deque[GateResult]) -> None:
    """The second process's share. If it dies, the gate that it had is `errored`; what waits is answered here."""
    question = None
    try:
        _ask("open", room)
        while question := _next(waiting):
            answered.append(_ask("answer", question))
        _ask("close")
    except Exception as error:  # noqa: BLE001  a gate that cannot speak has not passed
        _process.stop()
        if question:
            answered.append(errored(blank_of(room.layer, question.asset, room.run_id), error))


def _ask(*question: Any) -> Any:
    return next(iter(list(_process.ask(*question))), None)


def _next(waiting: deque[Question]) -> Question | None:
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _checks(layer: str, question: Question) -> int:
    """How much work a gate is, roughly; one that has no suite is soon done."""
    try:
        return len(load_suite(layer, question.asset)["expectations"])
    except SuiteError:
        return 0


@contextmanager
def _landed(room: Room, reader: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """What this run has landed, without the warehouse."""
    import duckdb

    settings = room.settings
    connection = duckdb.connect(config={"temp_directory": f"{settings.data_dir}/.{reader}.tmp", "memory_limit": settings.memory_limit})
    try:
        connection.execute("set global TimeZone = 'UTC'")
        register_raw_views(connection, load_contracts(), settings.lake_dir, run_id=room.run_id, first_day=room.first_day)
        yield connection
    finally:
        connection.close()


_opened = ExitStack()  # in the second process: the room that is open, and who answers in it
_here: tuple[Room, Gates] | None = None


def _handle(tell: Tell, what: str, *given: Any) -> None:
    global _here
    if what == "begin":
        import orchestration.gx_duckdb  # noqa: F401  seconds of import
    elif what == "open":
        [room] = given
        _here = room, _opened.enter_context(room.opened("gates_beside"))
    elif what == "answer":
        room, gates = _here
        tell(room.answer(gates, *given))
    else:
        _here = None
        _opened.close()


_process = Companion(_handle, "the gates")

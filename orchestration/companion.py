"""A second process that works while this one goes on.

Here belongs the process itself: starting it, asking it, its end with ours. What it does is the handler's (dbt_process.py,
sources/demo/process.py). Dagster's bookkeeping, dbt and the demo's servers are all Python: in one process they wait for each other,
however many cores there are.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize
from typing import Any

from orchestration.full_disk import keep_logging_quiet

SECONDS_TO_END = 5
Tell = Callable[[Any], None]


class CompanionError(Exception):
    """The process ended in the middle of its work: which one, and how."""


class Companion:
    """A process that runs `handler(tell, *arguments)` for each question; every `tell(answer)` reaches the one who asked, at once.

    It starts with the first question, keeps what its modules keep between questions, and ends with this process, even a killed one.
    `handler` must be importable by name, arguments and answers picklable. One question at a time.
    """

    def __init__(self, handler: Callable[..., None], name: str) -> None:
        self._handler, self._name = handler, name
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None
        self._begun: tuple | None = None
        self._lock = threading.Lock()

    def begin(self, *arguments: Any) -> None:
        """Ask without waiting: the next `ask` with the same arguments gets these answers; another one lets this question end first."""
        with self._lock:
            if self._begun is None:
                self._send(arguments)
                self._begun = arguments

    def ask(self, *arguments: Any) -> Iterator[Any]:
        """The answers as they come. Raises what the handler raised, or CompanionError when the process is gone."""
        with self._lock:
            if self._begun is not None and self._begun != arguments:
                for _ in self._answers(raising=False):
                    pass
            if self._begun is None:
                self._send(arguments)
            yield from self._answers()

    def stop(self) -> None:
        """End the process. The next question starts another."""
        if self._process is not None:
            self._process.terminate()
            self._process.join()
        self._process = self._connection = self._begun = None

    def _send(self, arguments: tuple) -> None:
        if self._process is None or not self._process.is_alive():
            context = get_context("spawn")  # a fork would copy the threads' locks as they happen to stand
            self._connection, theirs = context.Pipe()
            self._process = context.Process(target=_serve, args=(theirs, self._handler), name=self._name, daemon=True)
            self._process.start()
            theirs.close()
            # At our exit it ends by itself, before multiprocessing ends it by force: dbt's locks would be told as leaked.
            Finalize(self._process, _let_end, args=(self._process, self._connection), exitpriority=10)
        self._connection.send(arguments)

    def _answers(self, *, raising: bool = True) -> Iterator[Any]:
        self._begun, ended = None, False
        try:
            while not ended:
                kind, value = self._connection.recv()
                ended = kind != "answer"
                if kind == "error" and raising:
                    raise value
                if kind == "answer":
                    yield value
        except (EOFError, ConnectionError):
            self._process.join()
            raise CompanionError(f"the process of {self._name} ended unexpectedly (exit code {self._process.exitcode})") from None
        finally:
            if not ended:  # whoever asked went away: what is still to come must not answer the next question
                self.stop()


def relax_garbage_collection() -> None:
    """Dagster and dbt keep millions of objects for as long as they live: looking through them again and again takes a tenth of the time."""
    gc.set_threshold(50_000, 50, 100)


def _serve(connection: Connection, handler: Callable[..., None]) -> None:
    relax_garbage_collection()
    keep_logging_quiet()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to both; ours ends this one
    # After all other finalizers: taking the interpreter apart would only make DuckDB tell of objects that nobody freed.
    Finalize(None, os._exit, args=(0,), exitpriority=-100)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    lock = threading.Lock()

    def say(kind: str, value: Any = None) -> None:
        with lock:  # a handler may tell from several threads
            connection.send((kind, value))

    while True:
        try:
            arguments = connection.recv()
        except EOFError:
            return
        try:
            handler(lambda answer: say("answer", answer), *arguments)
        except Exception as error:  # noqa: BLE001  it is raised where it was asked
            say("error", _portable(error))
        else:
            say("end")


def _let_end(process: BaseProcess, connection: Connection) -> None:
    connection.close()
    process.join(timeout=SECONDS_TO_END)


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note; one that cannot be pickled as a RuntimeError of the same words."""
    try:
        found = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    except Exception:  # noqa: BLE001
        found = RuntimeError(f"{type(error).__name__}: {error}")
    found.add_note("".join(traceback.format_exception(error)))
    return found


def _end_with_parent() -> None:
    """A killed parent cannot end us; left alone, we would keep the warehouse's lock."""
    wait([parent_process().sentinel])
    os._exit(1)

"""Gates in two processes at once: the same results as in one, nothing left open, and a process that dies fails closed."""

from __future__ import annotations

from itertools import islice

import duckdb
import pytest

from orchestration import gate_process
from orchestration.companion import CompanionError
from orchestration.gate_process import Question, Room, evaluate
from orchestration.gates import Gates, suites
from orchestration.settings import load_settings

ASSETS = list(islice(suites("marts"), 8))


@pytest.fixture
def room(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create schema marts")
        for asset in ASSETS:
            connection.execute(f"create table marts.{asset} as select 1 as customer_id from range(3)")
        connection.execute(f"create or replace view marts.{ASSETS[0]}_view as select * from marts.{ASSETS[0]}")
    return Room(settings, "marts", "r1")


def questions() -> list[Question]:
    first = Question(ASSETS[0], f"marts.{ASSETS[0]}_view", {"rows_floor": 4})
    return [first, *(Question(asset, f"marts.{asset}", {"rows_floor": 2}) for asset in ASSETS[1:])]


def test_two_processes_say_what_one_says(room):
    with room.opened("alone") as gates:
        alone = [room.answer(gates, question) for question in questions()]
    assert sorted(evaluate(room, questions()), key=lambda result: result.asset) == alone
    assert {result.outcome for result in alone} <= {"failed", "errored"}
    with duckdb.connect(str(room.settings.warehouse_path)) as connection:  # nobody holds it any more
        connection.execute("create table marts.after as select 1 as x")


@pytest.mark.parametrize("layer", ["raw", "marts"])
def test_gates_read_in_utc_whatever_the_machine_s_zone(room, layer):
    with Room(room.settings, layer, "r1").opened("alone") as gates:  # GX asks through a cursor, which starts with the global settings
        assert gates._connection.cursor().execute("select current_setting('TimeZone')").fetchone() == ("UTC",)


def test_few_gates_need_no_second_process(room, monkeypatch):
    monkeypatch.setattr(gate_process, "_ask", lambda *_: pytest.fail("asked"))
    assert {result.asset for result in evaluate(room, questions()[: gate_process.FEW])} == set(ASSETS[: gate_process.FEW])


def test_the_gate_of_a_process_that_dies_is_errored_and_the_others_are_answered(room, monkeypatch):
    dead = []

    def ask(what, *given):
        if what == "answer":
            dead.append(given[0].asset)
            raise CompanionError("the process of the gates ended unexpectedly (exit code -9)")

    monkeypatch.setattr(gate_process, "_ask", ask)
    monkeypatch.setattr(Gates, "evaluate", lambda _, layer, asset, *__, **___: gate_process.blank_of(layer, asset, "r1"))
    results = {result.asset: result for result in evaluate(room, questions())}
    assert sorted(results) == sorted(ASSETS)
    [asset] = dead
    assert results[asset].outcome == "errored" and "exit code -9" in results[asset].reason and results[asset].blocks
    assert {result.outcome for name, result in results.items() if name != asset} == {"not_run"}


def test_a_room_that_cannot_be_opened_raises(tmp_path):
    with pytest.raises(duckdb.Error):
        list(evaluate(Room(load_settings(data_dir=tmp_path), "marts", "r1"), questions()))

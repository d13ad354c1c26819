"""What the warehouse remembers of itself between runs."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from dagster import DagsterEventType

from orchestration.execution import FAILED, _result
from orchestration.settings import load_settings
from orchestration.warehouse import connect, discard, has_seeds, mark_seeds


def test_seeds_are_there_only_as_long_as_their_files_and_the_warehouse_are_the_same(tmp_path):
    settings = load_settings(data_dir=tmp_path)
    with connect(settings) as connection:
        assert not has_seeds(connection, "a")
        mark_seeds(connection, "a")
        assert has_seeds(connection, "a")
        assert not has_seeds(connection, "b")
        mark_seeds(connection, "b")
        assert has_seeds(connection, "b")
    discard(settings)
    with connect(settings) as connection:
        assert not has_seeds(connection, "b")


@dataclass
class _Event:
    step_key: str
    event_type: DagsterEventType

    @property
    def is_step_skipped(self) -> bool:
        return self.event_type is DagsterEventType.STEP_SKIPPED


@dataclass
class _Run:
    all_events: list[_Event]
    run_id: str = "run"
    success: bool = True


@pytest.mark.parametrize(("last", "code"), [(DagsterEventType.STEP_SUCCESS, 0), (DagsterEventType.STEP_SKIPPED, FAILED)])
def test_a_run_that_skipped_a_step_is_not_done(tmp_path, last, code):
    events = [_Event("staging", DagsterEventType.STEP_SUCCESS), _Event("marts", last)]
    found = _result(load_settings(data_dir=tmp_path), _Run(events))
    assert found.exit_code == code
    assert ("marts" in " ".join(found.reasons)) == (code == FAILED)

"""What dbt's outcomes say: key tests run while their table is built, and are told apart from it; the parsed project is kept."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestration import dbt_parsed
from orchestration.dbt_outcomes import NodeOutcome, with_key_tests
from orchestration.dbt_parsed import ParsedProject
from orchestration.settings import Settings


def key_test(*columns: str) -> SimpleNamespace:
    name = f"primary_key_fct_x_{'_'.join(columns)}"
    return SimpleNamespace(unique_id=f"test.{name}", name=name, test_metadata=SimpleNamespace(name="primary_key", kwargs={"columns": list(columns)}))


KEYS = [key_test("id"), key_test("customer_id", "day")]


@pytest.mark.parametrize(
    ("status", "message", "table", "keys"),
    [
        ("success", "OK", "success", [("pass", 0), ("pass", 0)]),
        ("skipped", None, "skipped", [("skipped", None), ("skipped", None)]),
        ("error", "Runtime Error in model fct_x: out of memory", "error", [("skipped", None), ("skipped", None)]),
        (
            "error",
            "Runtime Error in model fct_x (x.sql)\n  Invalid Input Error: primary_key: 3 keys of fct_x are doubled or NULL (customer_id, day)",
            "rejected",
            [("skipped", None), ("fail", 3)],
        ),
    ],
)
def test_a_table_is_told_apart_from_the_key_tests_that_ran_while_it_was_built(status, message, table, keys):
    outcome = NodeOutcome("model.fct_x", "fct_x", "model", status, 1.0, None, message)
    own, *tests = with_key_tests(outcome, KEYS)
    assert (own.name, own.status) == ("fct_x", table)
    assert [(test.status, test.failures) for test in tests] == keys
    assert [test.unique_id for test in tests] == [test.unique_id for test in KEYS]


def test_the_parsed_project_is_kept_until_a_file_of_it_changes(tmp_path, monkeypatch):
    for folder in dbt_parsed.SOURCES:
        (tmp_path / folder).mkdir()
    model = tmp_path / "models" / "a.sql"
    model.write_text("select 1")
    monkeypatch.setattr(dbt_parsed, "REPO", tmp_path)
    monkeypatch.setattr(dbt_parsed, "PROJECT_DIR", tmp_path / "dbt_project")
    settings = Settings(data_dir=tmp_path / "data")

    project = ParsedProject(settings)
    assert not project.is_kept()
    project.keep(SimpleNamespace(to_msgpack=lambda _: b"", write=lambda path: Path(path).write_text("{}")))
    assert ParsedProject(settings).is_kept()
    assert ParsedProject(settings.model_copy(update={"target": "spark"})).is_kept() is False

    model.write_text("select 12")
    assert not ParsedProject(settings).is_kept()

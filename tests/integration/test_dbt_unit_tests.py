"""The unit tests that stand beside the models: numbers worked out by hand. dbt reads the types of their inputs from a built warehouse."""

from __future__ import annotations

import json
import shutil

from orchestration.dbt import Dbt
from orchestration.window import make_window
from tests.integration.conftest import DemoRun


def test_all_of_them_pass(demo: DemoRun, tmp_path):
    settings = demo.settings.model_copy(update={"data_dir": tmp_path})
    shutil.copyfile(demo.settings.warehouse_path, settings.warehouse_path)
    dbt, day = Dbt(settings), demo.company.last_day
    variables = dbt.variables(make_window(day, day, newest=None, restatement_days=3), "unit tests")
    manifest = dbt._parse()
    response = dbt._invoke(["test", "--select", "test_type:unit", "--no-write-json", "--vars", json.dumps(variables)], manifest=manifest)
    assert response.exception is None, response.exception
    results = response.result.results
    assert {result.node.unique_id for result in results} == set(manifest.unit_tests)
    assert not [(result.node.name, result.message) for result in results if result.status != "pass"]

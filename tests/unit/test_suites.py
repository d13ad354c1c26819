"""The suites below expectations/: one behind every table, about columns that exist, and each of them can be evaluated."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from pathlib import Path

import duckdb
import pytest
import yaml

from orchestration.contracts import load_contracts
from orchestration.gates import DEFAULT_PARAMETERS, EXPECTATIONS, Gates, load_suite, run_parameters, suites
from orchestration.lake_manifest import LAKE_COLUMNS

MODELS = Path(__file__).resolve().parents[2] / "models"
RAW = {f"{vendor}__{table}": contract for (vendor, table), contract in load_contracts().items()}
PARAMETERS = {**DEFAULT_PARAMETERS, **run_parameters(date(2024, 6, 30)), "rows_floor": 0}
VALUES = {"string": "'a'", "date": "date '2024-01-01'", "timestamp": "timestamp '2024-01-01'", "boolean": "false"}


def models(layer: str) -> set[str]:
    return {path.stem for path in (MODELS / layer).rglob("*.sql")}


@cache
def declared(layer: str) -> dict[str, dict[str, str]]:
    """Model → column → data type, from the YAML beside the models."""
    found = {}
    for path in (MODELS / layer).rglob("*.yml"):
        for model in (yaml.safe_load(path.read_text()) or {}).get("models", []):
            found[model["name"]] = {
                column["name"]: column.get("data_type") or type_of(model["name"], column["name"]) for column in model.get("columns", [])
            }
    return found


def type_of(model: str, column: str) -> str:
    """Unified tables take their types from the bring-your-own contract; they do not repeat them."""
    contract = RAW.get("own__" + model.partition("__")[2])
    types = {each.name: each.data_type for each in contract.columns} if contract else {}
    return types.get(column) or {"confidence": "double"}.get(column, "string")


def columns_of(layer: str, asset: str) -> dict[str, str]:
    if layer == "raw":
        return {column.name: column.data_type for column in RAW[asset].columns} | dict.fromkeys(LAKE_COLUMNS, "string")
    return declared(layer)[asset]


ALL = [(layer, asset) for layer in ("raw", "intermediate", "marts") for asset in suites(layer)]


def test_every_raw_table_and_every_mart_has_a_suite_and_no_suite_is_left_over():
    assert set(suites("raw")) == set(RAW)
    assert set(suites("marts")) == models("marts")
    assert set(suites("intermediate")) <= models("intermediate")


@pytest.mark.parametrize("layer, asset", ALL)
def test_a_suite_says_what_it_is_and_asserts_volume_first(layer, asset):
    suite = load_suite(layer, asset)
    assert suite["name"] == f"{layer}/{asset}"
    assert (suite["meta"]["layer"], suite["meta"]["asset"]) == (layer, asset)
    assert suite["meta"]["domains"]
    assert suite["expectations"][0]["type"] == "expect_table_row_count_to_be_between"
    assert suite["expectations"][0]["severity"] == "critical"
    assert all(each["severity"] in ("critical", "warning") for each in suite["expectations"])
    if suite["meta"].get("may_be_empty"):
        assert suite["meta"]["reason"]


@pytest.mark.parametrize("layer, asset", ALL)
def test_a_suite_speaks_of_columns_that_are_declared(layer, asset):
    names = set()
    for each in load_suite(layer, asset)["expectations"]:
        kwargs = each["kwargs"]
        names |= {kwargs[key] for key in ("column", "column_A", "column_B") if key in kwargs} | set(kwargs.get("column_list", ()))
    assert names <= set(columns_of(layer, asset))


@pytest.mark.parametrize("layer", ["raw", "intermediate", "marts"])
def test_every_suite_can_be_evaluated(layer):
    """On a table of one row with the declared columns and types: whatever it says of that row, it must be able to say it."""
    with duckdb.connect() as con, Gates(con) as gates:
        for asset in suites(layer):
            columns = columns_of(layer, asset)
            row = ", ".join(f'{VALUES.get(kind, f"cast(1 as {kind})")} as "{name}"' for name, kind in columns.items())
            result = gates.evaluate(layer, asset, f"select {row}", parameters=PARAMETERS)
            errors = [f"{check.check_name}: {check.observed}" for check in result.checks if check.outcome == "errored"]
            assert not errors, f"{layer}/{asset}"
            assert len(result.checks) == len(load_suite(layer, asset)["expectations"])


def test_suites_are_written_alike():
    for path in EXPECTATIONS.rglob("*.json"):
        assert path.read_text() == json.dumps(json.loads(path.read_text()), indent=2, ensure_ascii=False) + "\n", path.name

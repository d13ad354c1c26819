"""Gates: what passes, what blocks, and that nothing passes by accident."""

from __future__ import annotations

import dataclasses
from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import pytest
from dagster import Failure

from orchestration.assets.gates import _report
from orchestration.assets.warehouse import _raise_on_failure
from orchestration.data_docs import build_data_docs
from orchestration.dbt_outcomes import NodeOutcome
from orchestration.gates import CheckResult, GateResult, Gates, gate_of, run_parameters
from orchestration.settings import load_settings
from orchestration.volume import NO_CEILING, Load, bounds_of_run, load_bounds, table_bounds

CANARY = "canary@example.org"
ROWS = {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": {"$PARAMETER": "rows_floor"}}, "severity": "critical"}
USUAL = {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": {"$PARAMETER": "rows_expected"}}, "severity": "warning"}
KEY = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}, "severity": "critical"}
RANGE = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "amount", "min_value": 0}, "severity": "warning"}


@pytest.fixture(scope="module")
def con():
    connection = duckdb.connect()
    connection.execute("create schema marts")
    connection.execute(
        """
        create table marts.facts as
        select 'k' || range as id, range as amount, null::bigint as nothing, date '2024-01-01' + cast(range as int) as happened_on,
            case when range = 3 then 'canary@example.org' else 'x' end as email
        from range(10)
        """
    )
    connection.execute("create table marts.empty as select * from marts.facts where false")
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def gates(con):
    with Gates(con) as opened:
        yield opened


def suite(*expectations, **meta):
    return {"name": "s", "expectations": list(expectations), "meta": meta}


def test_a_suite_that_holds_passes_and_says_what_it_checked(gates):
    result = gates.evaluate("marts", "facts", "marts.facts", suite=suite(ROWS, KEY, RANGE), run_id="r1")
    assert (result.outcome, result.blocks, result.reason, result.name, result.run_id) == ("passed", False, "", "marts/facts", "r1")
    assert [check.kind for check in result.checks] == ["volume", "expectation", "expectation"]
    assert result.checks[0].observed == "10 rows"
    assert [check.unexpected_rows for check in result.checks[1:]] == [0, 0]


def test_a_critical_failure_blocks_and_counts_its_rows(gates):
    strict = {**RANGE, "kwargs": {"column": "amount", "min_value": 4}, "severity": "critical"}
    result = gates.evaluate("marts", "facts", "marts.facts", suite=suite(ROWS, strict))
    assert (result.outcome, result.severity, result.blocks) == ("failed", "critical", True)
    assert result.checks[1].unexpected_rows == 4
    assert result.reason == "column_values_to_be_between(amount): 4 of 10 rows, expected at least 4"


def test_a_warning_warns(gates):
    result = gates.evaluate("marts", "facts", "marts.facts", suite=suite(ROWS, {**RANGE, "kwargs": {"column": "amount", "min_value": 4}}))
    assert (result.outcome, result.severity, result.blocks) == ("failed", "warning", False)


@pytest.mark.parametrize(
    "what, expectations",
    [
        ("empty suite", []),
        ("a column that is not there, at warning level", [ROWS, {**RANGE, "kwargs": {"column": "gone", "min_value": 0}}]),
        ("an unknown expectation", [{"type": "expect_the_best", "kwargs": {}}]),
        ("a parameter that nobody gave", [{"type": ROWS["type"], "kwargs": {"min_value": {"$PARAMETER": "unheard_of"}}}]),
        ("SQL that does not bind", [{"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "select gone from {batch}"}}]),
    ],
)
def test_whatever_cannot_be_evaluated_is_an_error_and_blocks(gates, what, expectations):
    result = gates.evaluate("marts", "facts", "marts.facts", suite=suite(*expectations))
    assert (result.outcome, result.blocks) == ("errored", True), what
    assert result.reason


def test_a_missing_table_and_a_missing_suite_are_errors(gates):
    assert gates.evaluate("marts", "facts", "marts.nowhere", suite=suite(ROWS)).outcome == "errored"
    missing = gates.evaluate("marts", "never_heard_of", "marts.facts")
    assert missing.outcome == "errored"
    assert "expectations/marts/never_heard_of.json" in missing.reason


def test_no_rows_fail_though_gx_would_pass(gates):
    result = gates.evaluate("marts", "empty", "marts.empty", suite=suite(KEY, RANGE))
    assert (result.outcome, result.blocks) == ("failed", True)
    assert result.checks[0].kind == "volume"


@pytest.mark.parametrize(
    "layer, meta, parameters, domains, passes",
    [
        ("marts", {"domains": ["support"]}, {}, ["billing"], True),
        ("marts", {"domains": ["support"]}, {}, ["support"], False),
        ("marts", {"domains": ["support"]}, {"rows_floor": 500}, ["billing"], True),
        ("marts", {"may_be_empty": True, "reason": "nothing to decide"}, {}, None, True),
        ("marts", {"may_be_empty": True}, {"rows_floor": 500}, None, False),
        ("marts", {"may_be_empty": True, "may_shrink": True}, {"rows_floor": 500}, None, True),
        ("raw", {}, {"rows_floor": 0}, None, True),
        ("raw", {}, {"rows_floor": 1}, None, False),
        ("marts", {}, {"rows_floor": 0}, None, False),
    ],
)
def test_no_rows_are_fine_only_for_a_stated_reason(gates, layer, meta, parameters, domains, passes):
    result = gates.evaluate(layer, "empty", "marts.empty", suite=suite(KEY, **meta), parameters=parameters, present_domains=domains)
    assert result.outcome == ("passed" if passes else "failed")


def test_a_result_never_holds_a_value_of_a_failing_row(gates, con, caplog):
    con.execute(f"create or replace table marts.people as select '{CANARY}' as email, 'x' as id")
    bad = [
        ROWS,
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "email", "value_set": ["a"]}, "severity": "critical"},
        {"type": "expect_column_distinct_values_to_be_in_set", "kwargs": {"column": "email", "value_set": ["a"]}, "severity": "critical"},
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "email", "max_value": "a"}, "severity": "critical"},
        {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "select * from {batch}"}},
        {"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": "select cast(email as int) from {batch}"}},
    ]
    result = gates.evaluate("marts", "people", "marts.people", suite=suite(*bad))
    assert [check.outcome for check in result.checks[1:]].count("passed") == 0
    assert CANARY not in str(dataclasses.asdict(result)) + caplog.text + result.reason


@pytest.mark.parametrize(
    ("value", "wanted", "told"),
    [
        (CANARY, "int", "Could not convert string '…' to INT32"),
        (CANARY, "decimal(18,4)", "Could not convert string '…' to DECIMAL(18,4)"),
        (CANARY, "date", "invalid date field format: '…', expected format is (YYYY-MM-DD)"),
        (f"{CANARY}\nand more", "int", "Could not convert string '…' to INT32"),
        (f"O'Brien, {CANARY}", "int", "Could not convert string '…' to INT32"),
        (f'{{"{CANARY}', "json", "unexpected end of data."),
    ],
    ids=["string", "decimal", "date", "two lines", "apostrophe", "json"],
)
def test_an_error_of_the_engine_is_told_without_the_value(gates, con, value, wanted, told):
    con.execute("create or replace table marts.people as select ? as email", [value])
    by_relation = gates.evaluate("marts", "people", f"select cast(email as {wanted}) as email from marts.people", suite=suite(ROWS))
    query = f"select * from {{batch}} where cast(email as {wanted}) is null"
    by_check = gates.evaluate(
        "marts", "people", "marts.people", suite=suite({"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}})
    )
    with pytest.raises(duckdb.Error) as error:
        con.execute(f"select cast(email as {wanted}) from marts.people").fetchall()
    with pytest.raises(Failure) as failure:  # of a dbt model: BI and the webhook hear of it
        message = f"Runtime Error in model people (models/people.sql)\n  {error.value}"
        _raise_on_failure("marts", [NodeOutcome("model.csw.people", "people", "model", "error", 0.1, None, message)])
    for text in (by_relation.reason, by_check.reason, failure.value.description):
        assert told in text and "'…'" in text
        assert "canary" not in text and "Brien" not in text
    assert "model people: Runtime Error in model people (models/people.sql)" in failure.value.description


def test_an_error_about_a_name_keeps_the_name(gates):
    query = "select gone from {batch}"
    result = gates.evaluate(
        "marts", "facts", "marts.facts", suite=suite({"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}})
    )
    assert 'Referenced column "gone" not found' in result.reason


def test_parameters_reach_the_suite(gates):
    until = {"type": "expect_column_values_to_be_between", "kwargs": {"column": "happened_on", "max_value": {"$PARAMETER": "as_of_date"}}}
    for as_of, outcome in ((date(2024, 1, 10), "passed"), (date(2024, 1, 9), "failed")):
        assert gates.evaluate("marts", "facts", "marts.facts", suite=suite(until), parameters=run_parameters(as_of)).outcome == outcome
    assert gates.evaluate("marts", "facts", "marts.facts", suite=suite(USUAL), parameters={"rows_expected": 11}).severity == "warning"
    assert gates.evaluate("marts", "facts", "marts.facts", suite=suite(ROWS), parameters={"rows_floor": 11}).blocks


def test_the_same_table_is_looked_at_anew_each_time(gates, con):
    con.execute("create or replace table marts.moving as select 'a' as id")
    assert gates.evaluate("marts", "moving", "marts.moving", suite=suite(ROWS, KEY)).outcome == "passed"
    con.execute("insert into marts.moving values (null)")
    assert gates.evaluate("marts", "moving", "marts.moving", suite=suite(ROWS, KEY)).outcome == "failed"


def test_the_worst_check_decides():
    def outcome_of(*checks):
        result = gate_of(GateResult("t", "marts", "s", "not_run"), [CheckResult("c", "expectation", *each) for each in checks])
        return result.outcome, result.blocks

    assert outcome_of(("critical", "passed")) == ("passed", False)
    assert outcome_of(("critical", "passed"), ("warning", "failed")) == ("failed", False)
    assert outcome_of(("warning", "failed"), ("critical", "failed")) == ("failed", True)
    assert outcome_of(("warning", "errored"), ("critical", "passed")) == ("errored", True)
    assert outcome_of(("critical", "not_run"))[1]
    assert outcome_of() == ("errored", True)


# Volume. A daily table with 100 rows on weekdays and 40 at the weekend, after a first load of everything.
MONDAY = date(2024, 1, 1)


def history(days, rows=lambda day: 40 if day.weekday() >= 5 else 100, first=50_000):
    days_before = [MONDAY + timedelta(days=n) for n in range(days)]
    return [Load(day, first if n == 0 else rows(day), mode="full" if n == 0 else "incremental") for n, day in enumerate(days_before)]


def test_a_busy_table_has_a_floor_a_ceiling_and_an_expectation():
    before = history(36)
    weekday = load_bounds(Load(MONDAY + timedelta(days=36), 0), before)
    assert weekday == {"rows_floor": 1, "rows_ceiling": 800, "rows_expected": 60}
    saturday = load_bounds(Load(MONDAY + timedelta(days=40), 0), before)
    assert (saturday["rows_ceiling"], saturday["rows_expected"]) == (320, 24)
    burst = Load(MONDAY + timedelta(days=36), 5_000)
    assert load_bounds(burst, [*before, burst])["rows_ceiling"] == 800, "a load is no example for itself"


def test_ten_times_the_volume_is_above_the_ceiling_and_half_of_it_below_the_expectation():
    bounds = load_bounds(Load(MONDAY + timedelta(days=36), 0), history(36))
    assert bounds["rows_ceiling"] < 10 * 100
    assert bounds["rows_expected"] > 0.5 * 100


def test_data_docs_are_written_without_a_word(tmp_path, caplog):
    """Whatever handler the root logger has (dbt gives it one that prints), GX's notes about temporary folders don't reach it."""
    page = build_data_docs([GateResult("dim_plans", "marts", "marts/dim_plans", "passed")], tmp_path / "gx")
    assert page.is_file()
    assert not caplog.records


def test_without_a_baseline_everything_is_plausible():
    free = {"rows_floor": 0, "rows_ceiling": NO_CEILING, "rows_expected": 0}
    assert load_bounds(Load(MONDAY, 5), []) == free
    assert load_bounds(Load(MONDAY + timedelta(days=3), 0), history(3)) == free, "the first load is no example, two more are too few"
    assert load_bounds(Load(MONDAY + timedelta(days=30), 0), history(30, rows=lambda day: 3)) == free, "a quiet table may be silent"
    assert load_bounds(Load(MONDAY + timedelta(days=30), 9_999_999, mode="full"), history(30)) == free, "a full pull is not compared with days"


def test_a_monthly_peak_is_no_anomaly_the_second_time():
    before = history(45, rows=lambda day: 1_500 if day.day == 1 else 100)
    assert load_bounds(Load(date(2024, 3, 1), 0), before)["rows_ceiling"] == 4_500


def test_the_bounds_of_a_run_add_up_over_days_and_tenants():
    before = history(36)
    loads = [(Load(MONDAY + timedelta(days=36), 90), before), (Load(MONDAY + timedelta(days=37), 110), before)]
    assert bounds_of_run(loads) == {"rows_floor": 2, "rows_ceiling": 1_600, "rows_expected": 120}
    assert bounds_of_run([]) == {"rows_floor": 0, "rows_ceiling": NO_CEILING, "rows_expected": 0}


def test_a_table_does_not_lose_half_of_its_rows_overnight():
    assert table_bounds(1_000)["rows_floor"] == 500
    assert table_bounds(None)["rows_floor"] == 1
    assert table_bounds(0)["rows_floor"] == 1


def test_a_warning_is_told_as_one(tmp_path, caplog):
    """A reader who sees "failed" and a run that goes on would not know what to believe."""
    results = [
        GateResult("a", "marts", "marts/a", "failed", severity="critical"),
        GateResult("b", "marts", "marts/b", "failed", severity="warning"),
        GateResult("c", "marts", "marts/c", "passed"),
    ]
    settings, context = load_settings(data_dir=tmp_path), SimpleNamespace(run=SimpleNamespace(run_id="r"))
    with caplog.at_level("INFO", "csw"), _report(settings, context, "marts") as told:
        told.extend(results)
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(":")[0] for line in lines[:2]] == ["gate marts/a failed", "gate marts/b warns"]
    assert "3 gates, 1 not passed, 1 with warnings" in lines[2]

"""The terminal's line on churn risk: sums worked out by hand, the reason where there is no probability, nothing where nobody pays."""

from __future__ import annotations

import io

import duckdb
import pytest
from rich.console import Console

from orchestration.summary import _print_gates, _print_risk

CASES = {
    "two are high": (
        "(0.5, 'high', 500, null), (0.2, 'high', 40, null), (0.06, 'medium', 6.4, null), (null, null, null, 'a customer for fewer than 28 days')",
        "Risk       2 high, 540 of 546 USD MRR at risk in 90 days",
    ),
    "nobody is high": ("(0.06, 'medium', 6, null)", "Risk       0 high, 0 of 6 USD MRR at risk in 90 days"),
    "no model": ("(null, null, null, 'only 7 [customers] churned')", "Risk       not told: only 7 [customers] churned"),
    "nobody pays": ("", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_the_line_on_risk(case: str):
    rows, line = CASES[case]
    with duckdb.connect() as connection:
        connection.execute(
            "create table fct_churn_risk (churn_probability double, risk_band varchar, mrr_at_risk decimal(18,4), abstained_because varchar)"
        )
        if rows:
            connection.execute(f"insert into fct_churn_risk values {rows}")
        shown = io.StringIO()
        _print_risk(Console(file=shown, width=120), lambda sql: connection.execute(sql).fetchall(), "USD")
    assert shown.getvalue().strip() == line


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("('passed', 'critical'), ('passed', 'warning')", "2 passed, 0 failed"),
        ("('passed', 'critical'), ('failed', 'warning')", "1 passed, 0 failed, 1 warnings"),
        ("('passed', 'critical'), ('failed', 'critical'), ('errored', 'warning')", "1 passed, 1 failed, 1 errored"),
    ],
)
def test_a_warning_is_not_called_a_failure(rows: str, line: str):
    with duckdb.connect() as connection:
        connection.execute("create table fct_data_quality_results (outcome varchar, severity varchar, run_id varchar default 'r')")
        connection.execute(f"insert into fct_data_quality_results (outcome, severity) values {rows}")
        shown = io.StringIO()
        _print_gates(Console(file=shown, width=120), lambda sql: connection.execute(sql).fetchall(), "r")
    assert shown.getvalue().split(maxsplit=1)[1].strip() == line

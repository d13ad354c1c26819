"""What arrived too late to count on its day: which rows are told, since when, and how to count them after all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import pytest

from orchestration.freshness import late_rows

WINDOW = {"compute_from": date(2025, 6, 20), "as_of": date(2025, 6, 23), "restatement_days": 3}
KEYS = {
    "stg_own__accounts": ["source_relation", "account_id"],
    "stg_own__payments": ["source_relation", "payment_id"],
    "stg_hubspot__calls": ["source_relation", "touch_id"],
    "stg_stripe__invoice_lines": ["source_relation", "invoice_id", "invoice_line_id"],
}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """Staging tables with the columns that count here, in the order in which the models have them."""
    connection = duckdb.connect()
    connection.execute("create schema staging")
    versions = "source_relation varchar, known_from date, is_late boolean"
    connection.execute(f"create table staging.stg_own__accounts (account_id varchar, created_at timestamp, updated_at timestamp, {versions})")
    connection.execute(f"create table staging.stg_own__payments (payment_id varchar, attempted_at timestamp, {versions})")
    call = "touch_id varchar, occurred_at timestamp, created_at timestamp, updated_at timestamp"
    connection.execute(f"create table staging.stg_hubspot__calls ({call}, {versions})")
    line = "invoice_id varchar, invoice_line_id varchar, created_at timestamp, updated_at timestamp"
    connection.execute(f"create table staging.stg_stripe__invoice_lines ({line}, {versions})")
    connection.execute("create table staging.seed_of_something (name varchar)")
    yield connection
    connection.close()


def insert(con: duckdb.DuckDBPyConnection, table: str, *rows: tuple) -> None:
    con.executemany(f"insert into staging.{table} values ({', '.join('?' * len(rows[0]))})", rows)


def told(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple]]:
    return {table: [(check.check_name, check.observed) for check in checks] for table, checks in late_rows(con, KEYS, **WINDOW).items()}


def test_nothing_late_is_a_passed_check(con):
    insert(con, "stg_own__accounts", ("in_time", "2025-06-21", "2025-06-21", "files", "2025-06-21", False))
    (check,) = late_rows(con, KEYS, **WINDOW)["staging"]
    assert (check.severity, check.outcome, check.observed, check.expected) == ("warning", "passed", "0 rows", "within 3 days")


def test_a_new_record_concerns_its_creation_and_a_change_its_own_day(con):
    insert(con, "stg_own__accounts", ("new", "2025-06-05 08:00", "2025-06-22 09:00", "files", "2025-06-20", True))
    assert told(con) == {"stg_own__accounts": [("late_rows(files)", "1 rows, from 2025-06-05")]}
    insert(
        con,
        "stg_own__accounts",
        ("changed", "2024-01-01", "2024-01-01", "files", "2024-01-01", False),
        ("changed", "2024-01-01", "2025-06-03 09:00", "files", "2025-06-20", True),
    )
    assert told(con) == {"stg_own__accounts": [("late_rows(files)", "2 rows, from 2025-06-03")]}


def test_a_call_that_was_written_down_later_concerns_the_day_it_was_made(con):
    insert(con, "stg_hubspot__calls", ("call", "2025-06-18 08:00", "2025-06-23 09:00", "2025-06-23 09:00", "hubspot", "2025-06-20", True))
    assert told(con) == {"stg_hubspot__calls": [("late_rows(hubspot)", "1 rows, from 2025-06-18")]}


def test_what_an_earlier_run_has_told_is_not_told_again(con):
    insert(con, "stg_own__accounts", ("old", "2025-05-01", "2025-05-01", "files", "2025-06-19", True))
    assert set(late_rows(con, KEYS, **WINDOW)) == {"staging"}


def test_each_source_and_each_table_is_told_apart(con):
    insert(
        con,
        "stg_own__payments",
        ("p1", "2025-06-10", "files", "2025-06-20", True),
        ("p2", "2025-06-12", "files_eu", "2025-06-21", True),
        ("p3", "2025-06-11", "files_eu", "2025-06-22", True),
    )
    insert(con, "stg_own__accounts", ("a", "2025-06-01", "2025-06-01", "files", "2025-06-20", True))
    assert told(con) == {
        "stg_own__accounts": [("late_rows(files)", "1 rows, from 2025-06-01")],
        "stg_own__payments": [("late_rows(files)", "1 rows, from 2025-06-10"), ("late_rows(files_eu)", "2 rows, from 2025-06-11")],
    }


def test_a_record_is_all_of_its_key(con):
    """A new line of an invoice that was known before, and an id that another tenant has too, are new all the same."""
    insert(
        con,
        "stg_stripe__invoice_lines",
        ("in_1", "il_1", "2025-06-02", "2025-06-02", "stripe", "2025-06-02", False),
        ("in_1", "il_2", "2025-06-02", "2025-06-22", "stripe", "2025-06-20", True),
        ("in_1", "il_1", "2025-06-04", "2025-06-22", "stripe_eu", "2025-06-20", True),
    )
    assert told(con) == {
        "stg_stripe__invoice_lines": [("late_rows(stripe)", "1 rows, from 2025-06-02"), ("late_rows(stripe_eu)", "1 rows, from 2025-06-04")]
    }


def test_the_remedy_reaches_back_to_the_first_day_concerned(con):
    """Settled are the days up to the 19th. A window of 18 days, counted back from the 23rd, begins on the 5th."""
    insert(con, "stg_own__payments", ("p", "2025-06-05 23:59", "files", "2025-06-20", True))
    (check,) = late_rows(con, KEYS, **WINDOW)["stg_own__payments"]
    assert (check.kind, check.severity, check.outcome, check.unexpected_rows) == ("freshness", "warning", "failed", 1)
    assert check.expected == ("within 3 days; concerns 2025-06-05 to 2025-06-19; to count them there: CSW_RESTATEMENT_DAYS=18 csw run --full-refresh")

"""Tables that grow by days are taken over from the last version; what differs from the warehouse, and only that, is replaced."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from orchestration import publication_files, published
from orchestration.gates import GateResult
from orchestration.publication_files import Table, bring_up_to_date
from orchestration.publish import publish

DAYS = Table.mart("days", "customer_id", "as_of_date", day="as_of_date")
FACTS = Table.mart("facts", "id")
CUSTOMERS, FIRST, LAST = 100, date(2024, 4, 1), date(2024, 5, 20)


def fill(con, schema: str) -> None:
    days = f"range(timestamp '{FIRST}', timestamp '{LAST}' + interval 1 day, interval 1 day)"
    con.execute(
        f"create table {schema}.days as "
        "select 'c' || c.n as customer_id, cast(d.day as date) as as_of_date, (c.n * 31 + day(d.day)) % 101 as score, 'r1' as run_id "
        f"from range({CUSTOMERS}) as c(n) cross join {days} as d(day) order by 2, 1"
    )


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as wh; attach ':memory:' as pub; create schema wh.marts")
        fill(connection, "wh.marts")
        connection.execute("create table pub.main.days as from wh.marts.days")
        yield connection


def differing(con) -> int:
    ours, theirs = "select * from wh.marts.days", "select * from pub.main.days"
    return con.execute(f"select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours}))").fetchone()[0]


def test_nothing_is_written_where_nothing_differs(con):
    assert bring_up_to_date(con, DAYS) == 0


@pytest.mark.parametrize(
    "change",
    [
        "insert into wh.marts.days select customer_id, date '2024-05-21', score, 'r2' from wh.marts.days where as_of_date = '2024-05-20'",
        "update wh.marts.days set run_id = 'r2' where as_of_date >= '2024-05-17'",  # the same again, by another run
        "update wh.marts.days set score = 100 - score where customer_id = 'c7'",  # of one customer, all days
        "delete from wh.marts.days where customer_id = 'c7'",
        "update wh.marts.days set customer_id = 'c100' where customer_id = 'c7'",
        "update wh.marts.days set score = null where customer_id = 'c7' and as_of_date = '2024-04-02'",
        "insert into wh.marts.days from wh.marts.days where customer_id = 'c7'",  # doubled
        "delete from wh.marts.days where as_of_date < '2024-04-08'",  # past the retention
    ],
)
def test_what_differs_is_replaced(con, change):
    con.execute(change)
    assert differing(con) > 0
    written = bring_up_to_date(con, DAYS)
    assert differing(con) == 0
    assert written <= 5 * CUSTOMERS  # of 50 days


def test_most_of_a_table_is_better_written_anew(con):
    con.execute("update wh.marts.days set score = 1 - score where as_of_date < '2024-05-01'")
    assert bring_up_to_date(con, DAYS) is None


@pytest.mark.parametrize("change", ["alter table wh.marts.days add column tier varchar", "alter table wh.marts.days alter score type double"])
def test_other_columns_are_written_anew(con, change):
    con.execute(change)
    assert bring_up_to_date(con, DAYS) is None


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema marts; create table marts.facts as select 1 as id; create table marts.gone as select 1 as id")
        fill(connection, "marts")
    return path


def run(warehouse, root, as_of: date, *tables: Table):
    passed = GateResult("facts", "marts", "marts/facts", "passed", run_id="r1")
    return publish(warehouse, root, run_id="r1", as_of_date=as_of, tables=tables, gate_results=[passed], required_gates={"marts/facts": "r1"})


def next_day(warehouse) -> None:
    with duckdb.connect(str(warehouse)) as connection:
        today = "select customer_id, date '2024-05-21', score, 'r2' from marts.days where as_of_date = '2024-05-20'"
        connection.execute(f"insert into marts.days {today}; update marts.facts set id = 2")
        connection.execute("update marts.days set score = score + 1000 where as_of_date = '2024-05-19'")


@pytest.fixture
def brought(monkeypatch):
    found = []

    def spy(con, table):
        found.append(bring_up_to_date(con, table))
        return found[-1]

    monkeypatch.setattr(publication_files, "bring_up_to_date", spy)
    return found


def holds_the_warehouse(version, warehouse) -> bool:
    with duckdb.connect(str(version.database), read_only=True) as connection:
        connection.execute(f"attach '{warehouse}' as wh (read_only)")
        copies = {"days": "main.days", "parquet": f"read_parquet('{version.path}/parquet/days.parquet')"}
        return all(
            connection.execute(f"select count(*) from (from {a} except all from {b})").fetchone() == (0,)
            for copy in copies.values()
            for a, b in ((copy, "wh.marts.days"), ("wh.marts.days", copy))
        )


def test_the_next_version_of_a_month_begins_with_the_last(warehouse, tmp_path, brought):
    root = tmp_path / "published"
    run(warehouse, root, LAST, FACTS, DAYS, Table.mart("gone"))
    next_day(warehouse)
    second = run(warehouse, root, date(2024, 5, 21), FACTS, DAYS)
    assert brought == [2 * CUSTOMERS]
    assert holds_the_warehouse(second, warehouse)
    assert published.query(root, "from facts").rows == [(2,)]
    assert set(second.tables) == {"days", "facts", "dim_publication", "fct_data_quality_results"}
    with pytest.raises(published.PublicationError, match="gone"):
        published.query(root, "from gone")
    published.verify(second)

    june = run(warehouse, root, date(2024, 6, 1), FACTS, DAYS)
    assert brought == [2 * CUSTOMERS]
    assert holds_the_warehouse(june, warehouse)


@pytest.mark.parametrize("damage", ["gone", "cut", "other rows"])
def test_a_last_version_that_is_damaged_is_left_aside(warehouse, tmp_path, brought, damage, monkeypatch, caplog):
    root = tmp_path / "published"
    first = run(warehouse, root, LAST, FACTS, DAYS)
    if damage == "gone":
        first.database.unlink()
    elif damage == "cut":
        first.database.write_bytes(first.database.read_bytes()[:5000])
    else:  # rows that comparing misses: proving does not

        def miss(con, table):
            con.execute("delete from pub.main.days where customer_id = 'c7'")
            return 0

        monkeypatch.setattr(publication_files, "bring_up_to_date", miss)
    next_day(warehouse)
    with caplog.at_level("WARNING"):
        second = run(warehouse, root, date(2024, 5, 21), FACTS, DAYS)
    assert "v0001 cannot be continued" in caplog.text
    assert holds_the_warehouse(second, warehouse)

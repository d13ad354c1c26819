"""Tables that grow by days are taken over from the last version; what differs from the warehouse, and only that, is replaced."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from orchestration import parquet_parts, publication_days, publication_files, published
from orchestration.content_hash import content
from orchestration.gates import GateResult
from orchestration.publication_files import Changes, Table
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


def bring_up_to_date(con):
    return publication_files.bring_up_to_date(con, DAYS, content(con, DAYS.relation, DAYS.groups))


def differing(con) -> int:
    ours, theirs = "select * exclude (run_id) from wh.marts.days", "select * exclude (run_id) from pub.main.days"
    return con.execute(f"select count(*) from (({ours} except all {theirs}) union all ({theirs} except all {ours}))").fetchone()[0]


def test_nothing_is_written_where_nothing_differs(con):
    assert bring_up_to_date(con) == Changes(0, frozenset())


def test_the_same_again_by_another_run_is_no_difference(con):
    con.execute("update wh.marts.days set run_id = 'r2' where as_of_date >= '2024-05-17'")
    assert bring_up_to_date(con) == Changes(0, frozenset())


@pytest.mark.parametrize(
    "change",
    [
        "insert into wh.marts.days select customer_id, date '2024-05-21', score, 'r2' from wh.marts.days where as_of_date = '2024-05-20'",
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
    changes = bring_up_to_date(con)
    assert differing(con) == 0
    assert changes.rows <= 5 * CUSTOMERS  # of 50 days


def test_most_of_a_table_is_better_written_anew(con):
    con.execute("update wh.marts.days set score = 1 - score where as_of_date < '2024-05-01'")
    assert bring_up_to_date(con) is None


@pytest.mark.parametrize("change", ["alter table wh.marts.days add column tier varchar", "alter table wh.marts.days alter score type double"])
def test_other_columns_are_written_anew(con, change):
    con.execute(change)
    assert bring_up_to_date(con) is None


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

    original = publication_files.bring_up_to_date

    def spy(con, table, ours, theirs):
        changes = original(con, table, ours, theirs)
        found.append(changes and changes.rows)
        return changes

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

        def miss(con, table, ours, theirs):
            con.execute("delete from pub.main.days where customer_id = 'c7'")
            return Changes(0, frozenset())

        monkeypatch.setattr(publication_files, "bring_up_to_date", miss)
    next_day(warehouse)
    with caplog.at_level("WARNING"):
        second = run(warehouse, root, date(2024, 5, 21), FACTS, DAYS)
    assert "v0001 cannot be continued" in caplog.text
    assert holds_the_warehouse(second, warehouse)


def test_a_last_version_for_other_clients_is_left_aside(warehouse, tmp_path, brought):
    """Its storage would go on in every file that begins with it."""
    root = tmp_path / "published"
    manifest = run(warehouse, root, LAST, FACTS, DAYS).path / published.MANIFEST
    manifest.write_text(manifest.read_text().replace(f'"{publication_files.STORAGE_VERSION}"', '"v1.9.0"'))
    next_day(warehouse)
    assert holds_the_warehouse(run(warehouse, root, date(2024, 5, 21), FACTS, DAYS), warehouse)
    assert brought == []


def test_a_parquet_file_that_is_damaged_is_left_aside(warehouse, tmp_path):
    root = tmp_path / "published"
    parquet = run(warehouse, root, LAST, FACTS, DAYS).path / "parquet" / "days.parquet"
    content = bytearray(parquet.read_bytes())
    content[len(content) // 4] ^= 255
    parquet.write_bytes(content)
    next_day(warehouse)
    assert holds_the_warehouse(run(warehouse, root, date(2024, 5, 21), FACTS, DAYS), warehouse)


def test_months_without_a_change_are_taken_over_as_they_lie(warehouse, tmp_path, monkeypatch):
    root, written = tmp_path / "published", []
    original = parquet_parts._written

    def spy(con, relation, day, bucket, parts, folder):
        written.append([part.month for part in parts])
        return original(con, relation, day, bucket, parts, folder)

    monkeypatch.setattr(parquet_parts, "_written", spy)
    run(warehouse, root, LAST, FACTS, DAYS)
    assert written.pop() == [date(2024, 4, 1), date(2024, 5, 1)]
    next_day(warehouse)
    assert holds_the_warehouse(run(warehouse, root, date(2024, 5, 21), FACTS, DAYS), warehouse)
    assert written.pop() == [date(2024, 5, 1)]
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update marts.days set score = score + 1000 where as_of_date = '2024-04-30'")
    assert holds_the_warehouse(run(warehouse, root, date(2024, 6, 1), FACTS, DAYS), warehouse)  # a month's first database is written anew
    assert written.pop() == [date(2024, 4, 1)]


@pytest.mark.parametrize("said", [None, "{", '{"days": 7}', '{"days": {"columns": [], "sums": []}}', "days of another version"])
def test_hashes_of_days_that_are_missing_or_wrong_do_no_harm(warehouse, tmp_path, said):
    root = tmp_path / "published"
    kept = run(warehouse, root, LAST, FACTS, DAYS).path / publication_days.DAYS
    if said is None:
        kept.unlink()
    elif said.startswith("{"):
        kept.write_text(said)
    next_day(warehouse)
    if said == "days of another version":  # says of the old file what only the new one holds
        kept.write_text((run(warehouse, tmp_path / "elsewhere", date(2024, 5, 21), FACTS, DAYS).path / publication_days.DAYS).read_text())
    assert holds_the_warehouse(run(warehouse, root, date(2024, 5, 21), FACTS, DAYS), warehouse)


def test_a_table_that_is_written_anew_leaves_no_old_rows_in_the_file(warehouse, tmp_path):
    root = tmp_path / "published"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update marts.days set score = hash(customer_id, as_of_date) % 1000000")
    first = run(warehouse, root, LAST, FACTS, DAYS)
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("update marts.days set score = hash(score) % 1000000")
    second = run(warehouse, root, LAST, FACTS, DAYS)
    assert holds_the_warehouse(second, warehouse)
    assert second.database.stat().st_size <= 1.1 * first.database.stat().st_size

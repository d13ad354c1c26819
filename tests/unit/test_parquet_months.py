"""A file that takes over another one's months is read by every reader as if it had been written whole."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.parquet_months import month_of, write_months

FIRST = date(2023, 11, 1)
COLUMNS = 'day date, who varchar, amount decimal(18,4), share double, n bigint, is_on boolean, seen_at timestamp, "a name" varchar'
ROW = (
    "cast('2023-11-01' as date) + cast(d as int), 'c' || (i * 7919 % 1000), case when i % 5 > 0 then cast(i * 0.0001 as decimal(18,4)) end, "
    "i / 3.0, case when i % 7 > 0 then i + {extra} end, i % 2 = 0, timestamp '2024-01-01' + i * interval 1 hour, null"
)


def fill(con, days, extra: int = 0, rows: int = 3) -> None:
    con.execute(f"insert into t select {ROW.format(extra=extra)} from (select unnest(?::int[]) as d) as days, range({rows}) as r(i)", [list(days)])


def months(con) -> set[date]:
    return {month_of(day) for (day,) in con.execute("select distinct day from t").fetchall()}


def rows_in(con, path) -> list[tuple]:
    return con.execute(f"from read_parquet('{path}') order by all").fetchall()


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({COLUMNS})")
        yield connection


def test_every_reader_sees_the_same(con, tmp_path):
    """130,000 rows a month are two row groups each."""
    fill(con, range(60), rows=4_300)
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    write_months(con, "t", "day", months(con), first)
    con.execute("delete from t where day >= '2023-12-30'")
    fill(con, range(59, 75), extra=1, rows=4_300)
    write_months(con, "t", "day", months(con), second, last=first, kept=[FIRST])
    whole = con.execute("from t order by all").fetchall()
    assert rows_in(con, second) == whole
    assert pq.read_metadata(second).num_row_groups > len(months(con))
    table = pq.read_table(second)
    assert sorted(table.column("n").to_pylist(), key=str) == sorted((row[4] for row in whole), key=str)
    assert table.schema == pq.read_schema(first)
    assert len(pd.read_parquet(second)) == len(whole)
    for day in (FIRST + timedelta(days=3), date(2023, 12, 30), date(2024, 1, 5)):  # by statistics, readers leave row groups out
        expected = con.execute("select count(*), sum(n) from t where day = ?", [day]).fetchone()
        assert con.execute(f"select count(*), sum(n) from '{second}' where day = ?", [day]).fetchone() == expected
        assert ds.dataset(second).to_table(filter=ds.field("day") == day).num_rows == expected[0]


@settings(max_examples=40, deadline=None)
@given(
    runs=st.lists(st.tuples(st.sets(st.integers(0, 150), max_size=12), st.sets(st.integers(0, 5), max_size=3)), min_size=1, max_size=5),
)
def test_any_history_of_changes_reads_as_the_table(tmp_path_factory, runs):
    """Each run rewrites some days and loses some months; what it did not touch is taken over."""
    folder, last = tmp_path_factory.mktemp("months"), None
    with duckdb.connect() as con:
        con.execute(f"create table t ({COLUMNS})")
        for number, (days, lost) in enumerate(runs):
            before = months(con)
            gone = {month_of(FIRST + timedelta(days=31 * month)) for month in lost}
            con.execute("delete from t where list_contains(?::date[], cast(date_trunc('month', day) as date))", [sorted(gone)])
            con.execute("delete from t where list_contains(?::int[], day - date '2023-11-01')", [sorted(days)])
            fill(con, days, extra=number)
            touched = gone | {month_of(FIRST + timedelta(days=day)) for day in days}
            path = folder / f"{number}.parquet"
            write_months(con, "t", "day", months(con), path, last=last, kept=before - touched)
            assert rows_in(con, path) == con.execute("from t order by all").fetchall()
            last = path


def test_a_file_written_in_another_way_is_written_anew(con, tmp_path):
    fill(con, range(40))
    whole, other, target = tmp_path / "whole.parquet", tmp_path / "other.parquet", tmp_path / "target.parquet"
    con.execute(f"copy t to '{whole}'")  # one row group holds both months
    write_months(con, "t", "day", months(con), target, last=whole, kept=months(con))
    assert rows_in(con, target) == con.execute("from t order by all").fetchall()
    for said in (True, False):
        pq.write_table(pq.read_table(target), other, row_group_size=3, write_statistics=said)  # same rows, other writer, one month a group
        fill(con, [45])
        write_months(con, "t", "day", months(con), target, last=other, kept=[FIRST])
        assert rows_in(con, target) == con.execute("from t order by all").fetchall()


def test_an_empty_table_is_an_empty_file(con, tmp_path):
    target = tmp_path / "empty.parquet"
    write_months(con, "t", "day", months(con), target)
    assert rows_in(con, target) == []
    assert pq.read_schema(target).names[0] == "day"

"""A file that takes over another one's parts is read by every reader as if it had been written whole."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration import parquet_parts
from orchestration.parquet_parts import Earlier, Layout, Part, month_of, write_parts

FIRST = date(2023, 11, 1)
COLUMNS = 'day date, who varchar, amount decimal(18,4), share double, n bigint, is_on boolean, seen_at timestamp, "a name" varchar'
BUCKET = "hash(who) % 256"
ROW = (
    "cast('2023-11-01' as date) + cast(d as int), 'c' || (i * 7919 % 1000), case when i % 5 > 0 then cast(i * 0.0001 as decimal(18,4)) end, "
    "i / 3.0, case when i % 7 > 0 then i + {extra} end, i % 2 = 0, timestamp '2024-01-01' + i * interval 1 hour, null"
)


def fill(con, days, extra: int = 0, rows: int = 3) -> None:
    con.execute(f"insert into t select {ROW.format(extra=extra)} from (select unnest(?::int[]) as d) as days, range({rows}) as r(i)", [list(days)])


def months(con) -> dict[date, int]:
    return dict(con.execute("select cast(date_trunc('month', day) as date), count(*) from t group by all").fetchall())


def write(con, target, earlier=None) -> Layout:
    return write_parts(con, "t", "day", BUCKET, months(con), target, earlier)


def buckets(con, where: str, values: list | None = None) -> set[tuple[date, int]]:
    found = f"select distinct cast(date_trunc('month', day) as date), cast({BUCKET} as int) from t where {where}"
    return set(con.execute(found, values).fetchall())


def rows_in(con, path) -> list[tuple]:
    return con.execute(f"from read_parquet('{path}') order by all").fetchall()


@pytest.fixture
def con():
    with duckdb.connect() as connection:
        connection.execute(f"create table t ({COLUMNS})")
        yield connection


@pytest.fixture
def written(monkeypatch):
    """Parts that were not taken over."""
    found: list[Part] = []
    original = parquet_parts._written

    def spy(con, relation, day, bucket, parts, folder):
        found.extend(parts)
        return original(con, relation, day, bucket, parts, folder)

    monkeypatch.setattr(parquet_parts, "_written", spy)
    return found


def test_every_reader_sees_the_same(con, tmp_path, written):
    """130,000 rows a month are two slices. A day is added, and the past of one customer changes."""
    fill(con, range(60), rows=4_400)
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    layout = write(con, first)
    assert {part.slices for part in layout.parts} == {4} and len(set(layout.parts)) == 2 * 4
    written.clear()
    con.execute("update t set share = 7 where who = 'c3'")
    fill(con, [60], extra=1, rows=4_400)
    changes = buckets(con, "who = 'c3'") | buckets(con, "day = date '2023-12-31'")
    again = write(con, second, Earlier(first, layout, changes))
    touched = con.execute("select hash('c3') % 4").fetchone()[0]
    assert [part for part in written if part.month == FIRST] == [Part(FIRST, 4, touched)]
    assert set(again.parts) == set(layout.parts)
    whole = con.execute("from t order by all").fetchall()
    assert rows_in(con, second) == whole
    assert pq.read_metadata(second).num_row_groups == len(again.parts)
    table = pq.read_table(second)
    assert sorted(table.column("n").to_pylist(), key=str) == sorted((row[4] for row in whole), key=str)
    assert table.schema == pq.read_schema(first)
    assert table.schema.names == [column[0] for column in con.execute("describe t").fetchall()]
    assert len(pd.read_parquet(second)) == len(whole)
    for day in (FIRST + timedelta(days=3), date(2023, 12, 30), date(2023, 12, 31), date(2024, 1, 5)):  # by statistics, readers leave row groups out
        expected = con.execute("select count(*), sum(n) from t where day = ?", [day]).fetchone()
        assert con.execute(f"select count(*), sum(n) from '{second}' where day = ?", [day]).fetchone() == expected
        assert ds.dataset(second).to_table(filter=ds.field("day") == day).num_rows == expected[0]


@settings(max_examples=40, deadline=None)
@given(
    part_rows=st.sampled_from([1, 4, 50]),
    runs=st.lists(
        st.tuples(st.sets(st.integers(0, 150), max_size=12), st.sets(st.integers(0, 5), max_size=3), st.sets(st.integers(0, 2), max_size=1)),
        min_size=1,
        max_size=5,
    ),
)
def test_any_history_of_changes_reads_as_the_table(tmp_path_factory, part_rows, runs):
    """Each run rewrites some days, loses some months and changes all of somebody's past; what it did not touch is taken over."""
    folder, earlier = tmp_path_factory.mktemp("parts"), None
    with pytest.MonkeyPatch.context() as patch, duckdb.connect() as con:
        patch.setattr(parquet_parts, "PART_ROWS", part_rows)
        con.execute(f"create table t ({COLUMNS})")
        for number, (days, lost, people) in enumerate(runs):
            changed = "list_contains(?::date[], cast(date_trunc('month', day) as date)) or list_contains(?::int[], day - date '2023-11-01')"
            values = [sorted(month_of(FIRST + timedelta(days=31 * month)) for month in lost), sorted(days)]
            changes = buckets(con, changed, values)
            con.execute(f"delete from t where {changed}", values)
            fill(con, days, extra=number)
            for who in people:
                con.execute(f"update t set share = {number} where who = 'c' || ({who} * 7919 % 1000)")
                changes |= buckets(con, f"who = 'c' || ({who} * 7919 % 1000)")
            changes |= {(month_of(FIRST + timedelta(days=day)), bucket) for day in days for _, bucket in buckets(con, "true")}
            path = folder / f"{number}.parquet"
            layout = write(con, path, earlier and Earlier(earlier.path, earlier.layout, changes))
            assert rows_in(con, path) == con.execute("from t order by all").fetchall()
            earlier = Earlier(path, layout, ())


def test_what_is_not_laid_out_as_it_says_is_written_anew(con, tmp_path, written):
    fill(con, range(40))
    whole, target = tmp_path / "whole.parquet", tmp_path / "target.parquet"
    con.execute(f"copy t to '{whole}'")  # one row group holds both months
    layout = write(con, target)
    written.clear()
    write(con, target, Earlier(whole, layout, ()))
    assert rows_in(con, target) == con.execute("from t order by all").fetchall()
    assert len(written) == 2


def test_a_file_of_another_writer_is_written_anew(con, tmp_path):
    fill(con, range(40))
    target, other = tmp_path / "target.parquet", tmp_path / "other.parquet"
    layout = write(con, target)
    pq.write_table(pq.read_table(target), other, row_group_size=90)  # 30 days of three rows: as many row groups
    assert pq.read_metadata(other).num_row_groups == len(layout.parts)
    fill(con, [45])
    write(con, target, Earlier(other, layout, buckets(con, "day = date '2023-12-16'")))
    assert rows_in(con, target) == con.execute("from t order by all").fetchall()
    assert {pq.read_metadata(target).created_by} != {pq.read_metadata(other).created_by}


def test_a_month_that_got_large_is_cut_into_more_slices(con, tmp_path, written, monkeypatch):
    monkeypatch.setattr(parquet_parts, "PART_ROWS", 50)
    fill(con, range(10))
    first, second = tmp_path / "first.parquet", tmp_path / "second.parquet"
    layout = write(con, first)
    fill(con, range(10, 40), rows=5)
    write(con, second, Earlier(first, layout, buckets(con, "day > date '2023-11-10'")))
    assert {part.slices for part in written if part.month == FIRST} == {1, 2}
    assert rows_in(con, second) == con.execute("from t order by all").fetchall()


def test_an_empty_table_is_an_empty_file(con, tmp_path):
    target = tmp_path / "empty.parquet"
    assert write(con, target) == Layout()
    assert rows_in(con, target) == []
    assert pq.read_schema(target).names[0] == "day"

"""Bring-your-own tables from a real PostgreSQL cluster, through ADBC."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import adbc_driver_postgresql.dbapi as postgres
import duckdb
import pyarrow as pa
import pytest

from orchestration.contracts import load_contracts
from orchestration.landing import Lake
from orchestration.sources import ContractError, SourceError, SourceSpec, TransientSourceError, Window, open_source
from orchestration.sources.base import Source
from tests.servers import postgres_server

UNTIL = datetime(2026, 4, 1, tzinfo=UTC)
TABLES = """
    create schema billing;
    create schema product;
    create schema flat;
    create type billing.state as enum ('active', 'ended');
    create table billing.customers (
        customer_id uuid, name text, currency char(3), created_at timestamptz, updated_at timestamptz, vip boolean, labels text[]
    );
    insert into billing.customers values
        ('00000000-0000-0000-0000-000000000001', 'Ada', 'EUR', '2026-01-01 10:00+02', '2026-01-01 10:00+02', true, '{a,b}'),
        ('00000000-0000-0000-0000-000000000002', 'Bob''s "Bar"', 'USD', '2026-03-01 00:00Z', '2026-03-20 23:59:59.123456Z', null, null);
    create view billing.subscriptions as
        select 's1' as subscription_id, '1' as customer_id, 'active'::billing.state as status, 12.5000::numeric as unit_amount,
               '2026-01-01Z'::timestamptz as started_at, '2026-01-01Z'::timestamptz as updated_at;
    create table billing.invoices (invoice_id text, issued_at timestamp, updated_at timestamp);
    insert into billing.invoices values ('i1', '2026-03-10 12:00', '2026-03-10 12:00'), ('i2', '2026-03-29 02:30', '2026-03-29 23:30');
    create table product.usage_daily (usage_date date, workspace_id text, user_id text, feature text, events bigint);
    insert into product.usage_daily select date '2026-03-01' + n, 'w', 'u', 'f', n from generate_series(0, 9) n;
    create materialized view product.features as select 'f' as feature, true as is_core;
    create view billing.payments as select 1 / (n - 5000) as payment_id from generate_series(1, 20000) n;
    create table flat.customers as select customer_id::text, name, updated_at, created_at from billing.customers;
    create role reader login password 'reader';
    grant usage on schema billing to reader;
"""


@pytest.fixture(scope="module")
def dsn() -> Iterator[str]:
    with postgres_server() as address:
        with postgres.connect(address, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in TABLES.split(";\n"):
                if statement.strip():
                    cursor.execute(statement)
        yield address


def source(dsn: str, *domains: str, **more) -> Source:
    return open_source(SourceSpec(vendor="sql", domains=domains or ("billing", "product"), dsn=dsn, **more))


def pull(sql: Source, table: str, since: datetime | None = None) -> pa.Table:
    batches = [page for _, page in sql.pull({table: Window(since, UNTIL)})]
    sql.close()
    return pa.Table.from_batches(batches)


def test_tables_that_are_there_are_delivered_and_the_others_named(dsn: str):
    sql = source(dsn)
    assert set(sql.tables) == {"customers", "subscriptions", "invoices", "payments", "usage_daily", "features"}
    (warning,) = sql.warnings
    assert "billing.plans" in warning
    assert "product.workspaces" in warning
    assert "invoice_lines" in sql.absent
    sql.close()


def test_types_come_as_postgresql_has_them(dsn: str):
    table = pull(source(dsn), "customers")
    assert table.schema.field("updated_at").type == pa.timestamp("us", tz="UTC")
    ada, bob = table.to_pylist()
    assert ada["customer_id"] == "00000000-0000-0000-0000-000000000001"
    assert ada["created_at"] == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert (ada["currency"], ada["vip"], ada["labels"]) == ("EUR", True, "{a,b}")
    assert (bob["name"], bob["updated_at"].microsecond) == ('Bob\'s "Bar"', 123456)
    (subscription,) = pull(source(dsn), "subscriptions").to_pylist()
    assert (subscription["status"], subscription["unit_amount"]) == ("active", "12.5000")


def test_incremental_reads_start_at_the_cursor(dsn: str):
    changed = pull(source(dsn), "customers", since=datetime(2026, 3, 20, 23, 59, 59, 123456, tzinfo=UTC))
    assert changed.column("name").to_pylist() == ['Bob\'s "Bar"']
    days = pull(source(dsn), "usage_daily", since=datetime(2026, 3, 8, 13, tzinfo=UTC))
    assert days.column("usage_date").to_pylist() == [date(2026, 3, 8), date(2026, 3, 9), date(2026, 3, 10)]
    assert len(pull(source(dsn), "features", since=UNTIL)) == 1  # no column shows a change: read whole


def test_naive_times_are_refused_until_their_zone_is_known(dsn: str):
    with pytest.raises(ContractError, match=r"billing.invoices has times without a zone \(issued_at, updated_at\).*CSW_SOURCE_TIMEZONE"):
        pull(source(dsn), "invoices")
    berlin = source(dsn, time_zone="Europe/Berlin")
    assert berlin.time_zone == "Europe/Berlin"
    # 21:00 UTC is 23:00 in Berlin, after the clocks went forward that day
    changed = pull(berlin, "invoices", since=datetime(2026, 3, 29, 21, tzinfo=UTC))
    assert changed.column("invoice_id").to_pylist() == ["i2"]
    later = {"invoices": Window(datetime(2026, 3, 29, 22, tzinfo=UTC), UNTIL)}
    assert list(source(dsn, time_zone="Europe/Berlin").pull(later)) == []


def test_one_schema_for_all_domains(dsn: str):
    flat = source(dsn, "billing", schema="flat")
    assert flat.tables == ("customers",)
    assert len(pull(flat, "customers")) == 2


def test_keys(dsn: str):
    sql = source(dsn)
    keys = [key for page in sql.keys("usage_daily") for key in page]
    assert keys[0] == (date(2026, 3, 1), "w", "u", "f")
    assert len(keys) == 10
    sql.close()


def test_all_tables_show_one_moment(dsn: str):
    sql = source(dsn)
    assert len(list(sql.pull({"features": Window(None, UNTIL)}))) == 1
    with postgres.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("insert into billing.customers (name) values ('late')")
        names = [name for _, batch in sql.pull({"customers": Window(None, UNTIL)}) for name in batch.column("name").to_pylist()]
        cursor.execute("delete from billing.customers where name = 'late'")
    assert "late" not in names
    with pytest.raises(SourceError, match="SQLSTATE 25006"):
        list(sql._stream("a write", "delete from billing.customers"))
    sql.close()


def test_a_large_table_is_streamed(dsn: str):
    with postgres.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("create or replace view flat.usage_daily as select repeat('x', 500) as feature from generate_series(1, 100000)")
    sql = source(dsn, "product", schema="flat")
    before, peak, rows, batches = pa.total_allocated_bytes(), 0, 0, 0
    tracemalloc.start()
    for _, batch in sql.pull({"usage_daily": Window(None, UNTIL)}):
        rows, batches = rows + len(batch), batches + 1
        peak = max(peak, pa.total_allocated_bytes() - before, tracemalloc.get_traced_memory()[0], batch.nbytes)
    tracemalloc.stop()
    sql.close()
    assert (rows, batches > 5) == (100_000, True)
    assert peak < 20_000_000  # of 50 MB


@pytest.mark.parametrize("table", ["payments", "customers"])
def test_a_query_that_fails_is_one_line_without_values(dsn: str, table: str):
    sql = source(dsn if table == "payments" else dsn.replace("csw:canary-of-postgres", "reader:reader"))
    with pytest.raises(SourceError, match=f"billing.{table} can't be read") as error:
        pull(sql, table)
    assert "\n" not in str(error.value)


def test_no_connection_is_one_line_without_the_password(dsn: str):
    host = dsn.rpartition("@")[2]
    cases = {
        f"postgresql://csw:wrong-canary@{host}": (SourceError, "refused user, password or database"),
        f"postgresql://csw:can/ary@{host}": (SourceError, "can't be read"),
        "postgresql://csw:canary@127.0.0.1:9/postgres": (TransientSourceError, "no PostgreSQL server answers"),
    }
    for bad, (kind, words) in cases.items():
        with pytest.raises(kind, match=words) as error:
            assert source(bad).tables
        assert "canary" not in str(error.value)
        assert "\n" not in str(error.value)
        assert error.value.__cause__ is None


def test_a_database_without_any_table_says_what_is_expected(dsn: str):
    with pytest.raises(SourceError, match=r"expected tables or views like support\.organizations"):
        assert source(dsn, "support").tables


def test_time_passes_but_since_is_kept(dsn: str):
    """A NULL in the cursor column can't hide a row."""
    with postgres.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("insert into flat.customers (customer_id, name) values ('n', 'no time')")
    found = pull(source(dsn, "billing", schema="flat"), "customers", since=UNTIL + timedelta(days=1))
    assert found.column("customer_id").to_pylist() == ["n"]


def test_what_no_update_time_tells_of_is_found_all_the_same(dsn: str, tmp_path):
    """A call that is logged on Monday for Friday, a payment that settles, use of a day that is delivered late: an hour ago or not, they land."""

    def write(*statements: str) -> None:
        with postgres.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def landed(day: int, reconcile: bool = False) -> dict[str, int]:
        sql = open_source(SourceSpec(vendor="sql", domains=("crm", "billing", "product"), dsn=dsn, schema="late"))
        lake = Lake(tmp_path / "lake", tmp_path / "quarantine", load_contracts())
        manifests = lake.load(sql, load_date=date(2026, 3, day), until=datetime(2026, 3, day + 1, tzinfo=UTC), run_id=str(day), reconcile=reconcile)
        sql.close()
        return {manifest.table: manifest.rows for manifest in manifests}

    write(
        "drop schema if exists late cascade",
        "create schema late",
        "create table late.activities (activity_id text, account_id text, kind text, occurred_at timestamptz)",
        "create table late.payments (payment_id text, customer_id text, status text, amount numeric, currency text, attempted_at timestamptz)",
        "create table late.usage_daily (usage_date date, workspace_id text, user_id text, feature text, events bigint)",
        "create table late.accounts (account_id text, name text, created_at timestamptz, updated_at timestamptz)",
        "insert into late.activities values ('a1', 'x', 'call', '2026-03-01Z')",
        "insert into late.payments values ('p1', 'c', 'pending', 10, 'EUR', '2026-03-01Z')",
        "insert into late.usage_daily values ('2026-01-05', 'w', 'u', 'f', 1), ('2026-03-01', 'w', 'u', 'f', 1)",
        "insert into late.accounts values ('x', 'Acme', '2026-03-01Z', '2026-03-01Z')",
    )
    assert landed(10) == {"accounts": 1, "activities": 1, "payments": 1, "usage_daily": 2}
    write(
        "insert into late.activities values ('a2', 'x', 'business_review', '2026-03-06Z')",
        "update late.payments set status = 'succeeded'",
        "insert into late.usage_daily values ('2026-01-06', 'w', 'u', 'f', 5), ('2026-02-27', 'w', 'u', 'f', 9)",
    )
    assert landed(11) == {"accounts": 0, "activities": 1, "payments": 1, "usage_daily": 1}
    assert landed(12) == {"accounts": 0, "activities": 0, "payments": 0, "usage_daily": 0}
    assert landed(13, reconcile=True) == {"accounts": 0, "activities": 0, "payments": 0, "usage_daily": 1}  # the day that is older than a month


def test_an_infinite_time_is_none_where_it_says_never_and_no_date_anywhere(dsn: str, tmp_path):
    with postgres.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        for statement in (
            "drop schema if exists inf cascade",
            "create schema inf",
            "create table inf.subscriptions (subscription_id text, customer_id text, status text, started_at timestamptz, ended_at timestamptz,"
            " updated_at timestamptz)",
            "insert into inf.subscriptions values ('runs', 'c', 'active', '2026-01-01Z', 'infinity', '2026-01-01Z'),"
            " ('ended', 'c', 'ended', '2026-01-01Z', '2026-02-01Z', '2026-02-01Z'), ('no start', 'c', 'active', '-infinity', null, '2026-01-01Z'),"
            " ('roman', 'c', 'active', '0044-03-15 BC', null, '2026-01-01Z'), ('no change', 'c', 'active', '2026-01-01Z', null, 'infinity'),"
            " ('ended before', 'c', 'ended', '2026-01-01Z', '-infinity', '2026-01-01Z')",
            "create table inf.schedules (schedule_id text, time_zone text, weekday int, opens_at time, closes_at time, valid_from date,"
            " valid_to date)",
            "insert into inf.schedules values ('s', 'UTC', 1, '09:00', '17:00', '-infinity', 'infinity'),"
            " ('t', 'UTC', 1, '09:00', '17:00', 'infinity', null)",
        ):
            cursor.execute(statement)
    sql = open_source(SourceSpec(vendor="sql", domains=("billing", "support"), dsn=dsn, schema="inf"))
    lake = Lake(tmp_path / "lake", tmp_path / "quarantine", load_contracts())
    day = {"load_date": date(2026, 3, 1), "until": datetime(2026, 3, 2, tzinfo=UTC)}
    found = {manifest.table: manifest for manifest in lake.load(sql, **day, run_id="1")}
    assert (found["subscriptions"].rows, found["schedules"].rows) == (2, 1)
    assert found["subscriptions"].reasons == {
        f"{name}: year before 1900 or after 2200": n for name, n in (("started_at", 2), ("updated_at", 1), ("ended_at", 1))
    }
    assert found["schedules"].reasons == {"valid_from: year before 1900 or after 2200": 1}
    read = "read_parquet('{}/lake/raw/sql/{}/*/*.parquet')"
    ended = f"select subscription_id, ended_at from {read.format(tmp_path, 'subscriptions')} order by 1"
    assert duckdb.sql(ended).fetchall() == [("ended", datetime(2026, 2, 1)), ("runs", None)]
    assert duckdb.sql(f"select valid_from, valid_to from {read.format(tmp_path, 'schedules')}").fetchall() == [(None, None)]
    with postgres.connect(dsn, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("delete from inf.schedules where schedule_id = 't'")
    later = {"load_date": date(2026, 3, 2), "until": datetime(2026, 3, 3, tzinfo=UTC)}
    found = {manifest.table: manifest for manifest in lake.load(sql, **later, run_id="2", reconcile=True)}  # its keys are read alike
    sql.close()
    assert (found["schedules"].rows, found["schedules"].tombstones) == (0, 0)

"""The whole way once, over HTTP: what the pipeline finds is what the demo company did."""

from __future__ import annotations

import subprocess
import sys

import duckdb
import pytest

from orchestration import published
from orchestration.identity_truth import demo_agreement
from tests.integration.conftest import DemoRun

MARTS = {
    "dim_customers", "bridge_customer_identities", "fct_customer_mrr", "fct_mrr_movements", "rpt_revenue_retention_monthly",
    "fct_lifecycle_stages", "fct_customer_health_daily", "fct_customer_clv", "fct_tickets", "fct_success_worklist",
    "fct_data_quality_results", "dim_publication",
}  # fmt: skip


@pytest.fixture(scope="module")
def truth(demo: DemoRun) -> duckdb.DuckDBPyConnection:
    """Truth and result in one place: `t_…` is the truth's, `customer_of` says whose each of our customers truly is."""
    con = duckdb.connect()
    for name, frame in demo.company.truth.items():
        con.register(f"frame_{name}", frame)
        con.execute(f"create table t_{name} as select * from frame_{name}")
    con.execute(f"attach '{demo.settings.warehouse_path}' as wh (read_only)")
    con.execute(
        """
        create table nodes as
        select domain, customer_id, lower(source_id) as source_id from wh.intermediate.int_identities__nodes
        """
    )
    con.execute(
        """
        create table customer_of as
        select customer_id, any_value(customer) as customer, count(distinct customer) as owners
        from nodes join t_identities as t on nodes.domain = t.domain and nodes.source_id = lower(t.source_id)
        group by customer_id
        """
    )
    span = f"date '{demo.company.first_day}', date '{demo.company.last_day}', interval 1 day"
    con.execute(f"create table days as select unnest(generate_series({span}))::date as day")
    return con


def test_the_published_file_opens_read_only_in_another_process(demo: DemoRun):
    program = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True);"
        "print(*[name for (name,) in con.execute(\"select table_name from duckdb_tables() where schema_name = 'main'\").fetchall()])"
    )
    path = demo.settings.published_dir / "current" / "customer_success.duckdb"
    answer = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert set(answer.stdout.split()) >= MARTS
    assert all((path.parent / "parquet" / f"{name}.parquet").exists() for name in MARTS)
    assert (demo.settings.published_dir / "current").readlink().as_posix() == "v0001"


def test_mrr_equals_the_truth_to_the_cent_on_every_day(truth, demo: DemoRun):
    compared, different = truth.execute(
        """
        with found as (
            select customer_of.customer, m.currency, days.day, sum(m.mrr_amount) as mrr
            from wh.marts.fct_customer_mrr as m
            join customer_of using (customer_id)
            join days on days.day >= m.valid_from and (m.valid_to is null or days.day < m.valid_to)
            group by all
        ),
        true_mrr as (
            select t.customer, t.currency, days.day, sum(t.mrr) as mrr
            from t_mrr as t join days on days.day >= t.valid_from and (t.valid_to is null or days.day < t.valid_to)
            group by all
        )
        select count(*), count(*) filter (where abs(coalesce(found.mrr, 0) - coalesce(true_mrr.mrr, 0)) >= 0.005)
        from found full join true_mrr using (customer, currency, day)
        """
    ).fetchone()
    assert compared > 3_000
    assert different == 0


def test_movements_leave_no_residual_in_any_month(demo: DemoRun):
    months = demo.ask(
        """
        select segment_kind, segment, month,
            opening_mrr + new_mrr + reactivation_mrr + expansion_mrr + contraction_mrr + churned_mrr + fx_mrr - closing_mrr as residual
        from rpt_revenue_retention_monthly
        """
    )
    assert len(months) > 20
    assert [month for month in months if month[3] != 0] == []


def test_identities_are_precise_and_complete(demo: DemoRun):
    """Pairs of records of one customer: those we joined rightly, of those we joined, and of those that belong together."""
    found = demo_agreement(demo.settings, published.current(demo.settings.published_dir).database)
    assert found.right > 200
    assert found.precision >= 0.995
    assert found.recall >= 0.97


def test_stages_equal_the_truth_on_nearly_all_customer_days(truth, demo: DemoRun):
    """The truth knows everything but our own score, so the days of red health are handed to it."""
    red = truth.execute(
        """
        select customer, h.as_of_date as date
        from wh.marts.fct_customer_health_daily as h join customer_of using (customer_id)
        where h.health_band = 'red'
        """
    ).df()
    stages = demo.company.truth_stages(red)
    truth.register("true_stages", stages)
    days, agreed = truth.execute(
        """
        with ours as (
            select customer_of.customer, days.day, max(s.stage) as stage
            from wh.marts.fct_lifecycle_stages as s
            join customer_of using (customer_id)
            join days on days.day >= s.valid_from and (s.valid_to is null or days.day < s.valid_to)
            group by all
        ),
        theirs as (
            select customer, days.day, max(stage) as stage
            from true_stages as s join days on days.day >= s.valid_from and (s.valid_to is null or days.day < s.valid_to)
            group by all
        )
        select count(*), count(*) filter (where ours.stage = theirs.stage) from ours full join theirs using (customer, day)
        """
    ).fetchone()
    assert days > 3_000
    assert agreed / days >= 0.99


def test_every_gate_of_the_run_is_on_record(demo: DemoRun):
    kinds = dict(demo.ask("select kind, count(*) from fct_data_quality_results group by all"))
    assert kinds["expectation"] > 200
    assert kinds["data_test"] > 100
    assert kinds["contract"] > 5
    assert demo.ask("select * from fct_data_quality_results where outcome in ('errored', 'not_run')") == []


def test_the_publication_says_how_fresh_each_source_is(demo: DemoRun):
    sources = demo.ask("select domain, source_relation, freshest_record_at::date from dim_publication order by all")
    assert {(domain, source) for domain, source, _ in sources} == {
        ("billing", "stripe"), ("crm", "hubspot"), ("product", "files"), ("support", "zendesk"), ("surveys", "files"),
    }  # fmt: skip
    assert all(freshest is not None and freshest <= demo.company.last_day for _, _, freshest in sources)


def test_no_email_address_is_published(demo: DemoRun):
    found = []
    for table in sorted(MARTS - {"fct_data_quality_results"}):
        for column, kind, *_ in demo.ask(f"describe {table}"):
            if kind == "VARCHAR" and demo.ask(f"""select 1 from {table} where regexp_matches("{column}", '[^ @]+@[^ @]+[.][a-z]+') limit 1"""):
                found.append(f"{table}.{column}")
    assert found == []

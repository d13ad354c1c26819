"""Gates across published tables: customers that nobody knows, and reports that count otherwise than their facts, are found."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest
import yaml
from jinja2 import Environment

from orchestration.settings import REPO

GATES = REPO / "dbt_project/tests"
MODELS = {
    model["name"]: {column["name"]: column["data_type"].replace("string", "varchar") for column in model["columns"]}
    for path in (REPO / "models/marts").rglob("*.yml")
    for model in yaml.safe_load(path.read_text()).get("models", [])
}
TODAY = date(2025, 6, 24)


def rendered(gate: str) -> tuple[str, set[str]]:
    """The gate's SQL as dbt would compile it, and the tables that it reads."""
    reads: set[str] = set()
    jinja = Environment(extensions=["jinja2.ext.do"]).from_string((GATES / gate).read_text())
    sql = jinja.render(ref=lambda table: reads.add(table) or table, as_of_date=lambda: f"date '{TODAY}'")
    return sql, reads


@pytest.fixture
def con():
    """All marts as their contracts have them, with one customer."""
    with duckdb.connect() as con:
        for table, columns in MODELS.items():
            con.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        con.execute("insert into dim_customers (customer_id, first_paid_on, mrr_reporting_amount) values ('a', '2025-01-01', 100)")
        yield con


KNOWN, AGREE = "customers/assert_every_customer_is_known.sql", "reports/assert_reports_add_up_to_their_facts.sql"


def test_every_mart_with_customers_is_asked():
    with_customers = {table for table, columns in MODELS.items() if "customer_id" in columns}
    assert rendered(KNOWN)[1] == with_customers - {"fct_health_components_daily"}


def test_a_customer_that_nobody_knows_is_found_wherever_it_is_named(con):
    sql, tables = rendered(KNOWN)
    for table in tables - {"dim_customers"}:
        con.execute(f"insert into {table} (customer_id) values ('a'), (null)")
    assert con.execute(sql).fetchall() == []
    for table in tables - {"dim_customers"}:
        con.execute(f"insert into {table} (customer_id) values ('merged away'), ('merged away')")
    con.execute("insert into rpt_identity_review_queue (customer_id, other_customer_id) values ('a', 'gone')")
    expected = [(table, "merged away") for table in tables - {"dim_customers"}] + [("rpt_identity_review_queue", "gone")]
    assert sorted(con.execute(sql).fetchall()) == sorted(expected)


# Two tickets of March and June, a renewal kept with 90 of 120, one counted NPS answer of two.
SOUND = """
    insert into fct_tickets (ticket_id) values ('1'), ('2');
    insert into rpt_support_monthly (month, tickets_opened) values ('2025-03-01', 1), ('2025-06-01', 1);
    insert into fct_renewals (customer_id, arr_reporting_amount, renewed_arr_reporting_amount) values ('a', 120, 90), ('a', 120, null);
    insert into rpt_renewal_forecast (renewals, arr_reporting_amount, renewed_arr_reporting_amount) values (1, 120, 90), (1, 120, 0);
    insert into fct_winback (customer_id) values ('a');
    insert into rpt_winback_campaigns (targets) values (1);
    insert into rpt_cohort_retention (months_since, customers) values (0, 1), (1, 1);
    insert into fct_onboarding (customer_id) values ('a');
    insert into rpt_revenue_retention_monthly (month, segment_kind, closing_mrr)
        values ('2025-05-01', 'all', 80), ('2025-06-01', 'all', 100), ('2025-06-01', 'tier', 100);
    insert into fct_survey_responses (response_id, kind, is_counted) values ('1', 'nps', true), ('2', 'nps', false);
    insert into rpt_sentiment_monthly (segment_kind, nps_answers, csat_answers, ces_answers) values ('all', 1, 0, 0), ('tier', 1, 0, 0)
"""


def test_reports_that_agree_pass_and_so_do_empty_ones(con):
    sql, tables = rendered(AGREE)
    con.execute(SOUND)
    assert con.execute(sql).fetchall() == []
    for table in tables:
        con.execute(f"delete from {table}")
    assert con.execute(sql).fetchall() == []


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        ("insert into fct_tickets (ticket_id) values ('3')", ("tickets opened", 2, 3)),
        ("insert into fct_renewals (customer_id) values ('a')", ("renewals", 2, 3)),
        ("update rpt_renewal_forecast set arr_reporting_amount = 60.0001 where renewed_arr_reporting_amount = 0", ("ARR to renew", 180.0001, 240)),
        ("update fct_renewals set renewed_arr_reporting_amount = 80 where renewed_arr_reporting_amount = 90", ("ARR renewed", 90, 80)),
        ("delete from rpt_winback_campaigns", ("win-back targets", 0, 1)),
        ("insert into rpt_cohort_retention (months_since, customers) values (0, 1)", ("customers that ever paid", 2, 1)),
        ("delete from fct_onboarding", ("onboardings", 0, 1)),
        ("update dim_customers set mrr_reporting_amount = 99.9999", ("MRR today", 100, 99.9999)),
        ("update rpt_sentiment_monthly set nps_answers = 2 where segment_kind = 'tier'", ("nps answers, tier", 2, 1)),
        ("update rpt_sentiment_monthly set csat_answers = 1 where segment_kind = 'all'", ("csat answers, all", 1, 0)),
    ],
)
def test_a_report_that_counts_otherwise_is_found(con, edit, found):
    con.execute(SOUND)
    con.execute(edit)
    rows = con.execute(rendered(AGREE)[0]).fetchall()
    assert [(measure, float(reported), float(counted)) for measure, reported, counted in rows] == [found]

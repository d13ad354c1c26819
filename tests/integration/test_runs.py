"""Runs as a data engineer meets them: repeated, next day, held back by a gate, with some domains only."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from orchestration import published
from orchestration.execution import DONE, FAILED, HELD_BACK, execute
from orchestration.settings import load_settings
from orchestration.sources.demo.company import DemoCompany
from orchestration.warehouse import begin_run, connect, runs_begun, seal
from tests.integration.conftest import DemoRun

LAST_DAY = date(2024, 5, 29)  # 150 days from 2024-01-01
REVENUE = (
    "dim_customers", "dim_dates", "dim_plans", "fct_churn_events", "fct_churn_risk", "fct_customer_clv", "fct_customer_mrr",
    "fct_model_evaluations", "fct_mrr_movements", "fct_revenue", "rpt_churn_reasons", "rpt_cohort_retention", "rpt_mrr_reconciliation",
    "rpt_mrr_rule_comparison", "rpt_revenue_retention_monthly",
)  # fmt: skip
OWN = ("dim_publication", "fct_data_quality_results")
EMPTY_WITHOUT = {
    "crm": ("dim_owners", "fct_success_goals", "fct_winback"),
    "billing": ("fct_customer_mrr", "fct_mrr_movements", "fct_revenue", "fct_customer_health_daily", "fct_churn_risk", "fct_customer_clv"),
    "support": ("fct_tickets", "rpt_support_monthly"),
    "product": ("dim_features", "rpt_feature_adoption"),
    "surveys": ("fct_survey_responses", "rpt_sentiment_monthly"),
}
PAID_FOR = {  # figures that only billing knows, of tables that stand without it
    "dim_customers": ("mrr_reporting_amount", "first_paid_on", "health_score"),
    "dim_owners": ("mrr_reporting_amount", "paying_customers", "red_customers"),
    "dim_customer_segments": ("revenue_12m_amount", "rfm_label", "value_segment"),
    "rpt_feedback_themes": ("stated_arr_reporting_amount", "root_cause_arr_reporting_amount"),
}


def files_settings(folder, drop, *domains: str):
    names = {
        "crm": "crm_sources",
        "billing": "billing_sources",
        "support": "support_sources",
        "product": "product_sources",
        "surveys": "survey_sources",
    }
    sources = {setting: ("files",) if domain in domains else () for domain, setting in names.items()}
    return load_settings(data_dir=folder, files_dir=drop, **sources)


def published_rows(settings, sql: str) -> list[tuple]:
    return published.query(settings.published_dir, sql).rows


def hashes(settings) -> dict[str, str]:
    manifest = published.current(settings.published_dir).manifest
    return {name: table["content_hash"] for name, table in manifest["tables"].items() if name not in OWN}


def double_first_day(settings, table: str) -> None:
    """One row of the table's oldest day twice, as a fault long ago would have left it."""
    with connect(settings) as connection:
        connection.execute(f"insert into {table} select * from {table} order by as_of_date limit 1")
    seal(settings)


def drop_folder(tmp_path, *domains: str, customers: int = 30, until: date = LAST_DAY):
    days = (until - date(2023, 12, 31)).days
    DemoCompany.generate(customers=customers, days=days).write_files(tmp_path / "drop", until=until, domains=domains)
    return tmp_path / "drop"


def drop_billing(folder: Path, tables: dict[str, list[str]]) -> Path:
    """The tables' lines of CSV, headers first, as a drop folder of billing."""
    drop = folder / "drop"
    (drop / "billing").mkdir(parents=True)
    for table, lines in tables.items():
        (drop / "billing" / f"{table}.csv").write_text("\n".join(lines) + "\n")
    return drop


def test_running_a_day_again_changes_nothing_and_the_next_day_follows(demo: DemoRun, tmp_path):
    shutil.copytree(demo.settings.data_dir, tmp_path / "data", symlinks=True)
    settings = demo.settings.model_copy(update={"data_dir": tmp_path / "data"})
    before, day = hashes(settings), demo.company.last_day

    again = execute(settings, day, day)
    assert again.exit_code == DONE, again.reasons
    assert hashes(settings) == before

    tomorrow = date.fromordinal(day.toordinal() + 1)
    following = execute(settings, tomorrow, tomorrow)
    assert following.exit_code == DONE, following.reasons
    assert published.current(settings.published_dir).version == "v0003"
    assert published.current(settings.published_dir).as_of_date == tomorrow
    health = published.query(settings.published_dir, "select max(as_of_date) from fct_customer_health_daily").rows
    assert health == [(tomorrow,)]


def test_a_daily_tables_key_is_tested_on_the_days_of_the_run_and_whole_after_a_run_that_was_held_back(demo: DemoRun, tmp_path):
    shutil.copytree(demo.settings.data_dir, tmp_path / "data", symlinks=True)
    settings = demo.settings.model_copy(update={"data_dir": tmp_path / "data"})
    day = demo.company.last_day
    double_first_day(settings, "marts.fct_health_components_daily")
    passed = execute(settings, day, day)
    assert passed.exit_code == DONE, passed.reasons

    with connect(settings) as connection:
        begin_run(connection, "held back", anew=False)
    seal(settings)
    refused = execute(settings, day, day)
    assert refused.exit_code == HELD_BACK
    assert "gate dbt/fct_health_components_daily" in refused.reasons[0]
    assert "not kept: its key is broken; primary_key_fct_health_components_daily" in refused.reasons[0]
    assert published.current(settings.published_dir).version == "v0002"


def test_a_run_of_a_part_is_remembered_and_never_builds_on_what_a_killed_run_left(demo: DemoRun, tmp_path):
    shutil.copytree(demo.settings.data_dir, tmp_path / "data", symlinks=True)
    settings = demo.settings.model_copy(update={"data_dir": tmp_path / "data"})
    day = demo.company.last_day
    part = execute(settings, day, day, select='key:"fct_adoption_daily"')
    assert part.exit_code == DONE, part.reasons
    assert runs_begun(settings) == [part.run_id]  # until something is published, gates of later runs look at all days

    (settings.data_dir / "warehouse.seal.json").unlink()  # as a killed run leaves it
    refused = execute(settings, day, day, select='key:"fct_adoption_daily"')
    assert refused.exit_code == FAILED
    assert "start a run of all tables (csw run)" in refused.reasons[0]
    assert not settings.warehouse_path.exists()


def assert_nothing_made_up(ask, domains) -> None:
    """Without its source a table is empty and a figure NULL, never zero; dim_publication names the domain that lacks."""
    absent = dict(ask("select domain, note from dim_publication where source_relation is null"))
    assert set(absent) == set(EMPTY_WITHOUT) - set(domains)
    for domain, note in absent.items():
        for table in EMPTY_WITHOUT[domain]:
            assert ask(f"select count(*) from {table}") == [(0,)], table
            assert table in note
    if "billing" in absent:
        for table, columns in PAID_FOR.items():
            assert ask(f"select {', '.join(f'count({column})' for column in columns)} from {table}") == [(0,) * len(columns)], table
    assert ask("select count(*) > 0 from dim_customers") == [(True,)]
    assert ask("select check_name, asset, outcome from fct_data_quality_results where outcome <> 'passed' and severity <> 'warning'") == []


@pytest.mark.parametrize("domain", ["support", "product"])
def test_one_domain_alone_is_published_and_nothing_made_up(domain, tmp_path):
    settings = files_settings(tmp_path / "data", drop_folder(tmp_path, domain), domain)
    result = execute(settings, LAST_DAY, LAST_DAY)
    assert result.exit_code == DONE, result.reasons
    assert_nothing_made_up(partial(published_rows, settings), (domain,))


def test_tables_that_were_never_dropped_hold_nothing_back_and_what_they_feed_is_unknown(tmp_path):
    drop = drop_folder(tmp_path, "support", customers=15)
    for table in ("ticket_events", "satisfaction", "schedules", "holidays"):
        shutil.rmtree(drop / "support" / table)
    settings = files_settings(tmp_path / "data", drop, "support")
    result = execute(settings, LAST_DAY, LAST_DAY)
    assert result.exit_code == DONE, result.reasons
    ask = partial(published_rows, settings)
    assert ask("select count(*) > 10, count(reopens), count(is_escalated), count(first_reply_business_minutes) from fct_tickets") == [(True, 0, 0, 0)]
    assert ask("select count(*) > 0, sum(ratings), count(csat), count(tickets_escalated) from rpt_support_monthly") == [(True, 0, 0, 0)]
    assert ask("select count(*) from fct_survey_responses") == [(0,)]


def test_billing_alone_is_enough(tmp_path):
    last_day = date(2025, 2, 3)
    settings = files_settings(tmp_path / "data", drop_folder(tmp_path, "billing", customers=100, until=last_day), "billing")
    result = execute(settings, last_day, last_day)
    assert result.exit_code == DONE, result.reasons
    ask = partial(published_rows, settings)
    rows = {table: ask(f"select count(*) from {table}")[0][0] for table in (*REVENUE, "rpt_mrr_restatements", "fct_tickets")}
    assert {table: count for table, count in rows.items() if not count} == {"rpt_mrr_restatements": 0, "fct_tickets": 0}  # one load restates nothing
    assert ask("select count(*) > 10 from fct_customer_mrr where mrr_amount > 0") == [(True,)]
    assert ask("select count(*) > 10 from dim_customers where mrr_reporting_amount > 0") == [(True,)]
    assert ask("select * from rpt_mrr_reconciliation where is_blocking") == []
    assert ask("select count(*) from fct_churn_risk where churn_probability is null and abstained_because is null") == [(0,)]
    assert_nothing_made_up(ask, ("billing",))


def test_a_company_that_only_takes_orders_is_published(tmp_path):
    """Three customers, four orders of 500 each, no subscription and no deal: no MRR, no stage, no health, and nothing wrong."""
    days, customers = ("2025-03-01", "2025-04-01", "2025-05-01", "2025-06-01"), ("alder", "birch", "cedar")
    tables = {
        "customers": ["customer_id,name,domain,currency,created_at,updated_at"]
        + [f"{name},{name.title()} Ltd,{name}.com,USD,2025-01-01T00:00:00Z,2025-01-01T00:00:00Z" for name in customers],
        "invoices": ["invoice_id,customer_id,status,currency,total,amount_paid,issued_at,due_at,paid_at,updated_at"]
        + [f"i-{name}-{day},{name},paid,USD,500,500," + ",".join([f"{day}T10:00:00Z"] * 4) for name in customers for day in days],
        "invoice_lines": ["line_id,invoice_id,customer_id,kind,quantity,unit_amount,amount,currency"]
        + [f"l-{name}-{day},i-{name}-{day},{name},one_time,1,500,500,USD" for name in customers for day in days],
    }
    settings = files_settings(tmp_path / "data", drop_billing(tmp_path, tables), "billing")
    result = execute(settings, date(2025, 6, 24), date(2025, 6, 24))
    assert result.exit_code == DONE, result.reasons
    ask = partial(published_rows, settings)
    assert ask("select sum(reporting_amount) from fct_revenue") == [(6000,)]
    for table in ("fct_customer_mrr", "fct_mrr_movements", "fct_customer_health_daily", "fct_lifecycle_stages", "rpt_cohort_retention"):
        assert ask(f"select count(*) from {table}") == [(0,)], table
    # the usual gap is that of 31, 30 and 31 days: the last order, 23 days ago, is no silence
    assert set(ask("select activity_basis, frequency, is_active, revenue_12m_amount, revenue_3m_amount from dim_customer_segments")) == {
        ("orders", 4, True, 2000, 1500)
    }


def test_a_company_whose_only_customer_left_is_published(tmp_path):
    """Two months given away (a discount of 100 % that ends), one paid, its line without a subscription; then nobody pays. MRR is the 100 of March
    alone, 0 at the end of each other month; health has no day once nobody pays."""
    months, at = ("2025-01-01", "2025-02-01", "2025-03-01", "2025-04-01"), "T00:00:00Z"
    periods = list(enumerate(pairwise(months)))
    tables = {
        "customers": ["customer_id,name,currency,created_at,updated_at", f"alder,Alder Ltd,USD,{months[0]}{at},{months[0]}{at}"],
        "subscriptions": [
            "subscription_id,customer_id,status,quantity,unit_amount,currency,interval,discount_percent,discount_ends_at,started_at,ended_at,updated_at",
            f"s,alder,canceled,1,100,USD,month,100,{months[2]}{at},{months[0]}{at},{months[3]}{at},{months[3]}{at}",
        ],
        "invoices": ["invoice_id,customer_id,status,currency,total,amount_paid,issued_at,updated_at"]
        + [f"i{n},alder,paid,USD,{paid},{paid},{start}{at},{start}{at}" for n, (start, _) in periods for paid in [100 if n == 2 else 0]],
        "invoice_lines": [
            "line_id,invoice_id,customer_id,subscription_id,kind,quantity,unit_amount,amount,discount_amount,currency,period_start,period_end,interval"
        ]
        + [
            f"l{n},i{n},alder,{'' if n == 2 else 's'},recurring,1,100,100,{0 if n == 2 else 100},USD,{start}{at},{end}{at},month"
            for n, (start, end) in periods
        ],
    }
    settings = files_settings(tmp_path / "data", drop_billing(tmp_path, tables), "billing")
    result = execute(settings, date(2025, 4, 20), date(2025, 4, 20))
    assert result.exit_code == DONE, result.reasons
    ask = partial(published_rows, settings)
    assert ask("select mrr_amount, valid_from, valid_to from fct_customer_mrr") == [(100, date(2025, 3, 1), date(2025, 4, 1))]
    closing = "select month(month), closing_mrr from rpt_revenue_retention_monthly where segment_kind = 'all' and is_complete order by 1"
    assert ask(closing) == [(1, 0), (2, 0), (3, 100)]
    assert ask("select min(as_of_date), max(as_of_date) < date '2025-04-05' from fct_customer_health_daily") == [(date(2025, 3, 1), True)]


def test_a_gate_that_fails_leaves_the_published_version_alone(tmp_path):
    drop = drop_folder(tmp_path, "billing")
    settings = files_settings(tmp_path / "data", drop, "billing")
    assert execute(settings, LAST_DAY, LAST_DAY).exit_code == DONE
    before = (settings.published_dir / "current" / "manifest.json").read_bytes()

    bad = {"invoice_id": "inv_bad", "customer_id": "cus_bad", "status": "nonsense", "currency": "USD", "total": "10.00"}
    bad |= {"issued_at": "2024-05-30T10:00:00Z", "updated_at": "2024-05-30T10:00:00Z"}
    (drop / "billing" / "invoices").mkdir(exist_ok=True)
    (drop / "billing" / "invoices" / "bad.jsonl").write_text(json.dumps(bad) + "\n")
    day = date(2024, 5, 30)
    held = execute(settings, day, day)

    assert held.exit_code == HELD_BACK, held.reasons
    assert (settings.published_dir / "current" / "manifest.json").read_bytes() == before
    status = published.status(settings.published_dir)
    assert status["outcome"] == "held_back"
    assert "own__invoices" in status["reason"]

    # Whoever starts the downstream alone is refused as well: the gate has not passed on what was landed.
    alone = execute(settings, day, day, select='key:"dim_publication" or key:"fct_data_quality_results"')
    assert alone.exit_code == HELD_BACK, alone.reasons
    assert f"landed on {day} and never passed: mend the source or the suite, then csw run --date {day} pulls it again" in alone.reasons[0]
    assert (settings.published_dir / "current" / "manifest.json").read_bytes() == before

    # Mended at the source: the same command publishes. What came too late to count on its day is told, and holds nothing back.
    os.remove(drop / "billing" / "invoices" / "bad.jsonl")
    payer = published.query(settings.published_dir, "select min(source_id) from bridge_customer_identities").rows[0][0]
    late = {"payment_id": "pay_late", "customer_id": payer, "status": "failed", "amount": "10.00", "currency": "USD"}
    (drop / "billing" / "payments" / "late.jsonl").write_text(json.dumps(late | {"attempted_at": "2024-05-20T10:00:00Z"}) + "\n")
    mended = execute(settings, day, day)
    assert mended.exit_code == DONE, mended.reasons
    assert published.current(settings.published_dir).as_of_date == day
    told = "select asset, outcome, observed from fct_data_quality_results where check_name = 'late_rows(files)'"
    assert published.query(settings.published_dir, told).rows == [("stg_own__payments", "failed", "1 rows, from 2024-05-20")]


def test_a_source_that_cannot_be_read_fails_the_run_with_one_line(tmp_path):
    (tmp_path / "empty").mkdir()
    settings = files_settings(tmp_path / "data", tmp_path / "empty", "billing")
    result = execute(settings, LAST_DAY, LAST_DAY)
    assert result.exit_code == FAILED
    assert len(result.reasons) == 1
    assert "billing" in result.reasons[0]
    assert published.current(settings.published_dir) is None

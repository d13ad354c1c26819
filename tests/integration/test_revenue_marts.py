"""The revenue marts against what is true: what the demo company billed and whom it lost, and what a closed month has become since.

The second company is landed twice, at the end of 2024 and five weeks later. Beside it stand customers of our own, in the contract's tables,
about whom something is learned in between: what each must change of December is worked out by hand in RESTATED.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration import published
from orchestration.execution import DONE, execute
from orchestration.settings import Settings, load_settings
from orchestration.sources.demo.company import DemoCompany
from tests.integration.conftest import DemoRun

CLOSED, LATER = date(2024, 12, 31), date(2025, 2, 3)
DECEMBER = date(2024, 12, 1)
# One dollar customer each, paid by the month; what its MRR of 31 December was at first and is known to be now.
RESTATED = {
    "backdated_invoice": (0, 100),  # issued on 10 January for the month from 15 December
    "late_arrival": (0, 50),  # issued on 20 December, landed five weeks later
    "voided_invoice": (70, 0),
    "tombstone": (30, 0),  # invoice and line deleted at the source
    "subscription_end": (20, 0),  # turned out to have ended on 20 December
    "credit_note": (10, 6),  # 4 of 10, of 28 December
    "correction": (11, 12),
    "bridged_gap": (80, 0),  # paid to the 30th; the gap was within the grace days then, and no renewal ever came
}


def subscription(name: str, price: int, **more) -> dict:
    row = {"subscription_id": f"hand_{name}", "customer_id": f"hand_{name}", "status": "active", "quantity": "1", "unit_amount": str(price)}
    return row | {"currency": "USD", "interval": "month", "interval_count": 1, "started_at": at("2024-11-30"), "updated_at": at("2024-11-30")} | more


def invoice(name: str, price: int, issued: str, **more) -> dict:
    row = {"invoice_id": f"hand_{name}", "customer_id": f"hand_{name}", "subscription_id": f"hand_{name}", "status": "open", "currency": "USD"}
    return row | {"total": str(price), "issued_at": at(issued), "due_at": at("2025-06-01"), "updated_at": at(issued)} | more


def line(name: str, price: int, start: str, end: str, **more) -> dict:
    row = {"line_id": f"hand_{name}", "invoice_id": f"hand_{name}", "customer_id": f"hand_{name}", "subscription_id": f"hand_{name}"}
    row |= {"kind": "recurring", "quantity": "1", "unit_amount": str(price), "amount": str(price), "currency": "USD"}
    return row | {"period_start": at(start), "period_end": at(end), "interval": "month", "interval_count": 1} | more


def at(day: str) -> str:
    return f"{day}T10:00:00Z"


def drop(folder: Path, name: str, tables: dict[str, list[dict]]) -> None:
    for table, rows in tables.items():
        path = folder / "billing" / table / f"{name}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def drop_what_december_knew(folder: Path) -> None:
    there = {cause: then for cause, (then, _) in RESTATED.items() if then and cause != "bridged_gap"}
    customers = [{"customer_id": f"hand_{name}", "name": name, "currency": "USD"} for name in RESTATED]
    invoices = [invoice(name, price, "2024-12-10") for name, price in there.items()]
    lines = [line(name, price, "2024-12-10", "2025-01-10") for name, price in there.items()]
    drop(
        folder,
        "known",
        {
            "customers": [row | {"created_at": at("2024-11-30"), "updated_at": at("2024-11-30")} for row in customers],
            "subscriptions": [subscription(name, then or now) for name, (then, now) in RESTATED.items()],
            "invoices": [*invoices, invoice("bridged_gap", 80, "2024-11-30")],
            "invoice_lines": [*lines, line("bridged_gap", 80, "2024-11-30", "2024-12-30")],
        },
    )


def drop_what_was_learned_later(folder: Path) -> None:
    void = invoice("voided_invoice", 70, "2024-12-10", status="void", updated_at=at("2025-01-20"))
    note = {"credit_id": "hand_note", "kind": "credit_note", "customer_id": "hand_credit_note", "invoice_id": "hand_credit_note"}
    note |= {"line_id": "hand_credit_note", "amount": "4", "currency": "USD", "issued_at": at("2024-12-28")}
    drop(
        folder,
        "learned",
        {
            "invoices": [
                invoice("backdated_invoice", 100, "2025-01-10"),
                invoice("late_arrival", 50, "2024-12-20"),
                invoice("correction", 12, "2024-12-10", updated_at=at("2025-02-01")),
                void,
            ],
            "invoice_lines": [
                line("backdated_invoice", 100, "2024-12-15", "2025-01-15"),
                line("late_arrival", 50, "2024-12-20", "2025-01-20"),
                line("correction", 12, "2024-12-10", "2025-01-10"),
            ],
            "subscriptions": [
                subscription("subscription_end", 20, status="canceled", ended_at=at("2024-12-20"), updated_at=at("2025-01-25")),
            ],
            "credits": [note],
        },
    )
    for table, key in (("invoices", "invoice_id"), ("invoice_lines", "line_id")):
        path = folder / "billing" / table / "gone.parquet"
        duckdb.sql(f"copy (select 'hand_tombstone' as {key}, true as _is_deleted) to '{path}'")


@dataclass
class TwoClosings:
    """A company landed on the last day of December and again on 3 February; `closed` is what the first version said."""

    settings: Settings
    company: DemoCompany
    closed: dict[date, Decimal]

    def ask(self, sql: str) -> list[tuple]:
        return published.query(self.settings.published_dir, sql).rows

    def truth(self) -> duckdb.DuckDBPyConnection:
        """Truth beside the result (attached as wh): t_… are the truth's tables, customer_of says whose each customer is."""
        con = duckdb.connect()
        for name in ("churn_events", "identities", "mrr"):
            con.register(f"frame_{name}", self.company.truth[name])
            con.execute(f"create table t_{name} as select * from frame_{name}")
        con.execute(f"attach '{self.settings.warehouse_path}' as wh (read_only)")
        con.execute(
            """
            create table customer_of as
            select n.customer_id, any_value(t.customer) as customer
            from wh.intermediate.int_identities__nodes as n
            join t_identities as t on n.domain = t.domain and lower(n.source_id) = lower(t.source_id)
            group by all
            """
        )
        return con


@pytest.fixture(scope="module")
def closings(tmp_path_factory) -> TwoClosings:
    folder = tmp_path_factory.mktemp("closings")
    company = DemoCompany.generate(customers=120, days=(LATER - date(2024, 1, 1)).days + 1, horizon=0)
    company.write_files(folder / "drop", until=CLOSED, domains=("billing", "crm"))
    drop_what_december_knew(folder / "drop")
    sources = {"crm_sources": ("files",), "billing_sources": ("files",), "support_sources": (), "product_sources": (), "survey_sources": ()}
    settings = load_settings(data_dir=folder / "data", files_dir=folder / "drop", **sources)
    first = execute(settings, CLOSED, CLOSED)
    assert first.exit_code == DONE, first.reasons
    closing = "select month, closing_mrr from rpt_revenue_retention_monthly where segment_kind = 'all'"
    closed = dict(published.query(settings.published_dir, closing).rows)
    company.write_files(folder / "drop", until=LATER, domains=("billing", "crm"), since=CLOSED)
    drop_what_was_learned_later(folder / "drop")
    second = execute(settings, LATER, LATER)
    assert second.exit_code == DONE, second.reasons
    return TwoClosings(settings, company, closed)


def test_the_first_known_mrr_is_what_was_published_then(closings: TwoClosings):
    found = dict(closings.ask("select month, any_value(first_known_mrr) from rpt_mrr_restatements group by month"))
    assert found == {DECEMBER: closings.closed[DECEMBER]}


def test_what_was_learned_since_is_listed_by_cause(closings: TwoClosings):
    found = dict(closings.ask("select cause, amount from rpt_mrr_restatements"))
    assert found == {cause: now - then for cause, (then, now) in RESTATED.items()}


def test_causes_sum_to_what_the_month_has_become(closings: TwoClosings):
    closing = "select month, closing_mrr from rpt_revenue_retention_monthly where segment_kind = 'all' and is_complete"
    now = dict(closings.ask(closing))
    causes = dict(closings.ask("select month, sum(amount) from rpt_mrr_restatements group by month"))
    assert {month: now[month] - closings.closed[month] for month in closings.closed} == {month: causes.get(month, 0) for month in closings.closed}


def test_every_churn_is_a_true_one_with_its_day_amount_and_kind(closings: TwoClosings):
    con = closings.truth()
    lost = "select customer, cast(churned_on as date) as churned_on, any_value(kind) as kind, round(sum(mrr_lost), 2) as mrr"
    true = con.execute(f"{lost} from t_churn_events where churned_on <= ? group by all order by all", [LATER]).fetchall()
    ours = con.execute(
        """
        select customer, churned_on, churn_type, round(mrr_lost_amount, 2)::double
        from wh.marts.fct_churn_events join customer_of using (customer_id) order by all
        """
    ).fetchall()
    assert len(true) > 5
    assert ours == true


def test_reasons_are_those_that_were_given(closings: TwoClosings):
    con = closings.truth()
    stated, wrong = con.execute(
        """
        select
            count(e.root_cause),
            count(*) filter (
                where e.stated_reason <> t.stated_reason or e.root_cause <> t.root_cause
                or (e.root_cause is not null and t.root_cause is null) or (e.stated_reason is null) <> (e.interviewed_on is null)
            )
        from wh.marts.fct_churn_events as e
        join customer_of using (customer_id)
        join t_churn_events as t on t.customer = customer_of.customer and cast(t.churned_on as date) = e.churned_on
        """
    ).fetchone()
    assert stated > 2
    assert wrong == 0


def test_cohorts_keep_whom_the_truth_keeps(closings: TwoClosings):
    """Customers with MRR at the end of each month, by the month of their first; December's own customers of RESTATED are no part of the truth."""
    con = closings.truth()
    true = con.execute(
        """
        with first as (select customer, date_trunc('month', min(valid_from))::date as cohort from t_mrr group by all),
        months as (select unnest(generate_series(date '2024-01-01', date '2025-01-01', interval 1 month))::date as month)
        select cohort, date_diff('month', cohort, month), count(distinct t_mrr.customer) from t_mrr join first using (customer)
        join months on valid_from <= last_day(month) and (valid_to is null or valid_to > last_day(month))
        group by all order by all
        """
    ).fetchall()
    ours = con.execute(
        """
        select c.cohort_month, date_diff('month', c.cohort_month, s.month), count(distinct customer)
        from wh.intermediate.int_retention__cohorts as c
        join customer_of using (customer_id)
        join (select * from wh.intermediate.int_revenue__month_states join wh.intermediate.int_revenue__months using (month)) as s using (customer_id)
        where s.closing_mrr > 0 and s.is_complete group by all order by all
        """
    ).fetchall()
    assert len(true) > 50
    assert ours == true
    censored = closings.ask(
        "select retained_customers is null, months_since >= date_diff('month', cohort_month, date '2025-02-01') from rpt_cohort_retention"
    )
    assert all(unknown == late for unknown, late in censored)


def test_everything_billed_through_the_api_is_revenue(demo: DemoRun, tmp_path):
    """The company's own files say what was billed; what the pipeline made of Stripe's objects is the same, kind by kind, to the cent."""
    demo.company.write_files(tmp_path, until=demo.company.last_day, domains=("billing",))
    table = lambda name: f"read_parquet('{tmp_path}/billing/{name}/*.parquet')"  # noqa: E731
    billed = duckdb.sql(
        f"""
        select l.kind, l.currency, sum(l.amount) - sum(case when l.amount < 0 then -1 else 1 end * abs(coalesce(l.discount_amount, 0)))
        from {table("invoice_lines")} as l join {table("invoices")} as i using (invoice_id)
        where i.status in ('open', 'paid', 'uncollectible') group by all having sum(l.amount) <> 0
        union all
        select kind, currency, -sum(amount) from {table("credits")} group by all
        order by all
        """
    ).fetchall()
    booked = demo.ask("select kind, currency, sum(amount) from fct_revenue group by all having sum(amount) <> 0 order by all")
    assert {kind for kind, *_ in billed} >= {"recurring", "usage", "one_time", "tax", "credit_note"}
    assert booked == billed


def test_a_single_load_restates_nothing_and_the_calendar_covers_it(demo: DemoRun):
    assert demo.ask("select * from rpt_mrr_restatements") == []
    ((missing,),) = demo.ask("select count(*) from fct_revenue left join dim_dates on booked_on = date_day where date_day is null")
    assert missing == 0
    ((events,),) = demo.ask("select count(*) from fct_churn_events")
    ((stated,),) = demo.ask("select sum(churns) from rpt_churn_reasons where reason_kind = 'stated'")
    assert events == stated > 0

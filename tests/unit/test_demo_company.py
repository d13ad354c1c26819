"""The demo company: the same each time, consistent over time, and within its contract."""

from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.sources.demo.agreements import FULL
from orchestration.sources.demo.base import end_of
from orchestration.sources.demo.billing import _with_voided
from orchestration.sources.demo.company import DemoCompany, generate_to_files
from orchestration.sources.demo.files import contract

DAYS = 160


@pytest.fixture(scope="module")
def company() -> DemoCompany:
    return DemoCompany.generate(customers=60, days=DAYS, seed=5, horizon=40)


@pytest.fixture(scope="module")
def files(company: DemoCompany, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("files")
    company.write_files(out, company.last_day)
    return out


def scan(folder: Path, table: str) -> str:
    return f"read_parquet('{folder}/{table}/*.parquet', union_by_name=true)"


def content(folder: Path) -> dict[str, pa.Table]:
    return {f"{p.parent.parent.name}.{p.parent.name}.{p.name}": pq.read_table(p) for p in sorted(folder.rglob("*.parquet"))}


def test_the_same_arguments_give_the_same_company(company, files, tmp_path):
    DemoCompany.generate(customers=60, days=DAYS, seed=5, horizon=40).write_files(tmp_path, company.last_day)
    again, first = content(tmp_path), content(files)
    assert again.keys() == first.keys()
    assert all(again[name].equals(first[name]) for name in first)


def test_another_seed_gives_another(company):
    other = DemoCompany.generate(customers=60, days=DAYS, seed=6, horizon=40)
    assert other.truth["mrr"]["mrr"].sum() != company.truth["mrr"]["mrr"].sum()


def test_files_have_the_columns_and_types_of_the_contract(files):
    tables = {f"{p.parent.parent.name}/{p.parent.name}" for p in files.rglob("*.parquet")}
    assert tables == {f"{domain}/{table}" for domain, table in contract()}
    for (domain, table), columns in contract().items():
        schema = pq.read_schema(next((files / domain / table).glob("*.parquet")))
        assert schema.names == list(columns)
        assert all(not pa.types.is_timestamp(f.type) or f.type.tz == "UTC" for f in schema)


def test_primary_keys_are_unique(files):
    own = {"accounts": "account_id", "contacts": "contact_id", "activities": "activity_id", "opportunities": "opportunity_id"}
    keys = {f"crm/{table}": key for table, key in own.items()}
    keys |= {f"billing/{word}s": f"{word}_id" for word in ("customer", "subscription", "invoice", "payment", "credit")}
    keys |= {"billing/invoice_lines": "line_id", "support/tickets": "ticket_id", "support/ticket_events": "event_id"}
    keys |= {"product/usage_daily": "(usage_date, workspace_id, user_id, feature)", "surveys/responses": "response_id"}
    for table, key in keys.items():
        rows, distinct = duckdb.sql(f"select count(*), count(distinct {key}) from {scan(files, table)}").fetchall()[0]
        assert rows == distinct > 0, table


def test_lines_sum_to_the_totals_of_their_invoices(files):
    wrong = duckdb.sql(
        f"""
        with lines as (select invoice_id, sum(amount - discount_amount) as lines from {scan(files, "billing/invoice_lines")} group by 1)
        select invoice_id from {scan(files, "billing/invoices")} left join lines using (invoice_id) where total is distinct from lines
        """
    ).fetchall()
    assert wrong == []


def test_what_was_billed_twice_is_void_on_the_same_day():
    """Else a run of that day sees MRR twice, and rightly publishes nothing."""
    noon, late = 43_200, 86_400 - 90 - 1_200
    heads = pd.DataFrame({"inv": range(10_000), "role": FULL, "issued": [noon, late] * 5_000})
    both, _ = _with_voided(np.random.default_rng(1), heads, heads[["inv"]])
    mistaken = both[both["voided"]]
    assert 10 < len(mistaken) < 40
    assert set(mistaken["issued"]) == {noon + 90}


def test_payments_cover_what_invoices_say_was_paid(files):
    wrong = duckdb.sql(
        f"""
        with paid as (select invoice_id, sum(amount) as paid from {scan(files, "billing/payments")} where status = 'succeeded' group by 1)
        select invoice_id from {scan(files, "billing/invoices")} left join paid using (invoice_id) where amount_paid <> coalesce(paid, 0)
        """
    ).fetchall()
    assert wrong == []


def test_mrr_from_the_lines_is_the_truth_on_every_day(company, files):
    truth = company.truth["mrr"].assign(valid_to=lambda f: f["valid_to"].fillna("2100-01-01"))
    owners = company.truth["identities"].query("domain == 'billing'")
    connection = duckdb.connect()
    connection.register("truth", truth)
    connection.register("owners", owners)
    wrong = connection.sql(
        f"""
        with lines as (
            select
                lines.*, owners.customer,
                cast(period_start at time zone 'UTC' as date) as active_from,
                least(
                    cast(period_end at time zone 'UTC' as date),
                    coalesce(cast(ended_at at time zone 'UTC' as date), date '2100-01-01')
                ) as active_until,
                sign(amount) * lines.unit_amount * lines.quantity * (amount - discount_amount) / amount
                    / (case lines.interval when 'year' then 12 else lines.interval_count end) as rate
            from {scan(files, "billing/invoice_lines")} as lines
            join {scan(files, "billing/invoices")} as invoices using (invoice_id)
            join {scan(files, "billing/subscriptions")} as subscriptions on lines.subscription_id = subscriptions.subscription_id
            join owners on owners.source_id = lines.customer_id
            where kind = 'recurring' and amount <> 0 and invoices.status in ('open', 'paid', 'uncollectible')
        ),
        rates as (
            select customer, active_from, active_until, rate from lines
            union all
            select
                customer, greatest(active_from, cast(issued_at at time zone 'UTC' as date)), active_until,
                -rate * credits.amount / (lines.amount - discount_amount)
            from lines
            join {scan(files, "billing/credits")} as credits on lines.line_id = credits.line_id and credits.kind = 'credit_note'
        ),
        days as (select unnest(generate_series(date '2024-01-01', date '{company.last_day}', interval 1 day)) as day),
        found as (select customer, day, sum(rate) as mrr from rates join days on day >= active_from and day < active_until group by all),
        wanted as (select customer, day, mrr from truth join days on day >= valid_from and day < valid_to)
        select customer, day, found.mrr, wanted.mrr from found full join wanted using (customer, day)
        where abs(coalesce(found.mrr, 0) - coalesce(wanted.mrr, 0)) >= 0.005
        """
    ).fetchall()
    assert wrong == []


def test_daily_files_add_up_to_the_whole(company, tmp_path):
    """For each key the newest version wins: ten days in eleven drops are what one drop says."""
    begin = company.last_day - timedelta(days=10)
    company.write_files(tmp_path / "drops", begin)
    for n in range(10):
        company.write_files(tmp_path / "drops", begin + timedelta(days=n + 1), since=begin + timedelta(days=n))
    company.write_files(tmp_path / "whole", company.last_day)
    keys = {
        "crm/accounts": "account_id",
        "billing/subscriptions": "subscription_id",
        "billing/invoices": "invoice_id",
        "support/tickets": "ticket_id",
    }
    for table, key in keys.items():
        newest = f"select * from {scan(tmp_path / 'drops', table)} qualify row_number() over (partition by {key} order by updated_at desc) = 1"
        difference = duckdb.sql(f"(select * from ({newest}) except select * from {scan(tmp_path / 'whole', table)})").fetchall()
        assert difference == [], table
    usage = [
        duckdb.sql(f"select count(*), sum(events) from {scan(tmp_path / part, 'product/usage_daily')}").fetchall()[0] for part in ("drops", "whole")
    ]
    assert usage[0] == usage[1]


@pytest.mark.parametrize("table", ["accounts", "contacts", "opportunities", "success_goals"])
def test_what_is_known_only_grows(company, table):
    """No version seen at one moment is missing, or newer, in what a later moment knows."""
    versions = company.table("crm", table)
    early, late = versions.view(end_of(date(2024, 4, 1))), versions.view(end_of(date(2024, 5, 1)))
    key = early.columns[0]
    both = early.merge(late, on=key, suffixes=("", "_late"))
    assert len(both) and (both["updated_at"] <= both["updated_at_late"]).all()


def test_the_future_is_hidden(company):
    end = end_of(company.last_day)
    for domain, tables in company.blocks[0].tables.items():
        for name in tables:
            frame = company.table(domain, name).view(end)
            for column in (
                "updated_at",
                "closed_at",
                "paid_at",
                "solved_at",
                "ended_at",
                "achieved_at",
                "responded_at",
                "canceled_at",
                "occurred_at",
            ):
                if column in frame and frame[column].notna().any():
                    assert frame[column].max().timestamp() < end, (name, column)


def test_every_record_belongs_to_somebody(company, files):
    identities = company.truth["identities"]
    assert not identities.duplicated(["domain", "source_id"]).any()
    found = {
        "crm": ("crm/accounts", "account_id"),
        "billing": ("billing/customers", "customer_id"),
        "support": ("support/organizations", "organization_id"),
        "product": ("product/workspaces", "workspace_id"),
    }
    for domain, (table, key) in found.items():
        ids = {row[0] for row in duckdb.sql(f"select {key} from {scan(files, table)}").fetchall()}
        assert ids <= set(identities.query("domain == @domain")["source_id"]), domain


def test_stages_cover_each_day_once(company):
    stages = company.truth["stages"].sort_values(["customer", "valid_from"])
    following = stages.groupby("customer")["valid_from"].shift(-1)
    ended = stages["valid_to"].fillna("2100-01-01")
    assert (following.isna() | (ended <= following)).all()


def test_red_days_make_a_conflict_of_whoever_pays(company):
    customer = company.truth["stages"].query("stage == 'retention'").iloc[0]
    red = customer.to_frame().T.assign(date=customer["valid_from"])[["customer", "date"]]
    found = company.truth_stages(red).query("customer == @customer.customer and valid_from <= @customer.valid_from")
    assert found["stage"].iloc[-1] == "conflict"


def test_a_large_company_is_written_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr("orchestration.sources.demo.company.BLOCK", 20)
    assert generate_to_files(50, 60, tmp_path, seed=3, workers=1) == date(2024, 2, 29)
    written = duckdb.sql(
        f"select count(*), count(distinct account_id), count(distinct lower(trim(name))) from {scan(tmp_path, 'crm/accounts')}"
    ).fetchall()[0]
    assert written[0] == written[1] >= written[2] >= 45
    truth = duckdb.sql(f"select count(distinct customer) from read_parquet('{tmp_path}/truth/identities/*.parquet') where domain = 'crm'").fetchall()[
        0
    ]
    assert truth == (50,)


def test_nonsense_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        DemoCompany.generate(customers=0)

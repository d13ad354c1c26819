"""Ids that people have written down go on meaning the same customer, whatever is connected or found out later."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

from orchestration import published
from orchestration.execution import DONE, execute
from orchestration.sources.demo.company import DemoCompany
from tests.integration.test_runs import files_settings

FIRST = date(2024, 3, 30)
SECOND = FIRST + timedelta(days=1)


def drop_records(drop: Path, table: str, name: str, *records: dict) -> None:
    (drop / table).mkdir(parents=True, exist_ok=True)
    (drop / table / f"{name}.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def signed_up(day: date, customer: str, created: str, **said: str) -> dict:
    return {"customer_id": customer, "name": f"{customer} Inc.", "created_at": f"{created}T10:00:00Z", "updated_at": f"{day}T10:00:00Z"} | said


def test_customers_keep_their_ids_when_the_crm_is_connected_later(tmp_path):
    """Billing and support alone at first. The next day the CRM is there, which also tells that two who signed up apart are one company."""
    company, drop = DemoCompany.generate(customers=60, days=(SECOND - date(2023, 12, 31)).days), tmp_path / "drop"
    company.write_files(drop, until=FIRST, domains=("billing", "support"))
    apart = signed_up(FIRST, "solo_1", "2024-03-20"), signed_up(FIRST, "solo_2", "2024-03-19")
    drop_records(drop, "billing/customers", "apart", *apart)
    settings = files_settings(tmp_path / "data", drop, "billing", "support")
    first = execute(settings, FIRST, FIRST)
    assert first.exit_code == DONE, first.reasons

    def ask(sql: str) -> list[tuple]:
        return published.query(settings.published_dir, sql).rows

    own = "select source_id, own_customer_id from bridge_customer_identities where domain = 'billing'"
    named, before = dict(ask(own)), {customer for (customer,) in ask("select customer_id from dim_customers")}
    paying = {customer for (customer,) in ask("select customer_id from dim_customers where mrr_reporting_amount > 0")}
    assert len(paying) > 20 and {named["solo_1"], named["solo_2"]} <= before

    company.write_files(drop, until=SECOND, domains=("crm", "billing", "support"))
    joined = [signed_up(SECOND, customer, "2024-03-20", account_id="solo") for customer in ("solo_1", "solo_2")]
    drop_records(drop, "billing/customers", "joined", *joined)
    account = {"account_id": "solo", "name": "Solo Inc.", "created_at": "2023-01-01T10:00:00Z", "updated_at": f"{SECOND}T10:00:00Z"}
    drop_records(drop, "crm/accounts", "solo", account)
    settings = files_settings(tmp_path / "data", drop, "crm", "billing", "support")
    second = execute(settings, SECOND, SECOND)
    assert second.exit_code == DONE, second.reasons

    called = dict(ask("select own_customer_id, customer_id from bridge_customer_identities"))
    after = dict(ask("select customer_id, has_account from dim_customers"))
    one_company = {named["solo_1"], named["solo_2"]}
    assert {former: called[former] for former in before - one_company} == {former: former for former in before - one_company}
    assert sum(after[customer] for customer in paying) > 20  # the same ids, although they have an account now
    [solo] = {called[former] for former in one_company}
    assert solo in one_company and after[solo]
    assert one_company & after.keys() == {solo}

"""The vendors' clients against the demo's facades, over HTTP: everything fits its contract, and changes add up to the whole."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest

from orchestration.contracts import load_contracts
from orchestration.landing import Lake
from orchestration.sources import SourceSpec, Window, open_source
from orchestration.sources.base import DELETED, Source
from orchestration.sources.demo.company import DemoCompany
from orchestration.sources.http import Politeness

CONTRACTS = load_contracts()
VENDORS = {"hubspot": "crm", "stripe": "billing", "zendesk": "support"}
DAYS = 5


@pytest.fixture(scope="module")
def company() -> DemoCompany:
    return DemoCompany.generate(customers=40, days=200, seed=11)


@pytest.fixture(scope="module")
def server(company: DemoCompany) -> Iterator:
    with company.serve(clock=midnight(company, 0)) as running:
        yield running
        assert running.faults == []


def midnight(company: DemoCompany, days: int) -> datetime:
    """The end of the company's last day, `days` later."""
    return datetime.combine(company.last_day + timedelta(days=1 + days), time(), UTC)


def open_vendor(server, vendor: str) -> Source:
    given = server.credentials[vendor]
    spec = SourceSpec(
        vendor=vendor, domains=(VENDORS[vendor],), base_url=server.base_urls[vendor], now=datetime.fromtimestamp(server.clock, UTC), **given
    )
    source = open_source(spec, CONTRACTS)
    source.http._session.politeness = Politeness(base_seconds=0.01)
    return source


def pull(source: Source, since: datetime | None, until: datetime) -> dict[str, dict[tuple, dict]]:
    """The newest row of each key, by table."""
    found: dict[str, dict[tuple, dict]] = {table: {} for table in source.tables}
    for table, page in source.pull(dict.fromkeys(source.tables, Window(since, until))):
        assert page
        contract = source.contracts[table]
        for row in page:
            key = tuple(row[name] for name in contract.primary_key)
            before = found[table].get(key)
            if before is None or contract.updated_at is None or row[contract.updated_at] >= before[contract.updated_at]:
                found[table][key] = row
    return found


def state(rows: dict[tuple, dict], contract) -> dict[tuple, dict]:
    """Live rows without the time at which they were asked for."""
    live = {key: row for key, row in rows.items() if not (row.get(DELETED) or row.get("archived") or row.get("deleted"))}
    return {key: {name: row.get(name) for name in contract.column_names if name != "updated"} for key, row in live.items()}


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_whole_equals_the_start_plus_the_changes(company: DemoCompany, server, vendor: str):
    source = open_vendor(server, vendor)
    server.set_clock(midnight(company, 0))
    known = pull(source, None, midnight(company, 0))
    for day in range(1, DAYS + 1):
        server.set_clock(midnight(company, day))
        changes = pull(source, midnight(company, day - 2), midnight(company, day))
        for table, rows in changes.items():
            known[table] |= rows
            keys = source.keys(table)
            if keys is not None:
                live = {tuple(map(str, key)) for page in keys for key in page}
                for key in [key for key in known[table] if tuple(map(str, key)) not in live]:
                    known[table][key] = known[table][key] | {DELETED: True}
    whole = pull(source, None, midnight(company, DAYS))
    assert source.warnings == []
    for table, contract in source.contracts.items():
        assert state(known[table], contract) == state(whole[table], contract), f"{vendor}.{table}"
    source.close()


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_row_fits_its_contract(company: DemoCompany, server, vendor: str, tmp_path):
    server.set_clock(midnight(company, 0))
    lake = Lake(tmp_path / "lake", tmp_path / "quarantine", CONTRACTS)
    source = open_vendor(server, vendor)
    manifests = lake.load(source, load_date=company.last_day, until=midnight(company, 0), run_id="r1")
    assert {manifest.table for manifest in manifests} == set(source.tables)
    assert {manifest.table: manifest.quarantined for manifest in manifests if manifest.quarantined} == {}
    may_be_empty = {"disputes", "refunds", "credit_notes", "credit_note_lines", "tasks", "company_merges"}
    assert {manifest.table for manifest in manifests if not manifest.rows} <= may_be_empty
    source.close()

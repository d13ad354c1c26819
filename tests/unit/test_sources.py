"""The registry of sources."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from orchestration.sources import OPENERS, SourceError, SourceSpec, open_source
from orchestration.sources.base import moment

ADDRESS = {"base_url": "http://127.0.0.1:9", "api_key": "canary", "email": "a@example.test"}


@pytest.mark.parametrize(("vendor", "domain"), [("hubspot", "crm"), ("stripe", "billing"), ("zendesk", "support")])
def test_opening_asks_nobody_and_delivers_the_tables_of_its_domains(vendor: str, domain: str):
    source = open_source(SourceSpec(vendor=vendor, domains=(domain,), **ADDRESS))
    assert (source.vendor, source.source_relation) == (vendor, vendor)
    assert len(source.tables) >= 8
    assert open_source(SourceSpec(vendor=vendor, domains=("surveys",), **ADDRESS)).tables == ()
    source.close()


def test_a_tenant_is_a_source_of_its_own():
    assert open_source(SourceSpec(vendor="stripe", tenant="eu", domains=("billing",), **ADDRESS)).source_relation == "stripe_eu"


@pytest.mark.parametrize(
    ("vendor", "tenant", "words"),
    [
        ("stripe", None, "stripe needs api key; set CSW_STRIPE_API_KEY"),
        ("stripe", "eu", "stripe_eu needs api key; set CSW_STRIPE_EU_API_KEY"),
        ("zendesk", None, "zendesk needs email; set CSW_ZENDESK_EMAIL"),
        ("sql", None, "sql needs dsn; set CSW_SQL_DSN"),
        ("files", None, "files needs a folder; set CSW_FILES_DIR"),
        ("salesforce", None, "salesforce can't be read yet"),
        ("oracle", None, "'oracle' is not a source; choose from hubspot, salesforce, stripe, zendesk, files, sql"),
    ],
)
def test_what_is_missing_is_one_line(vendor: str, tenant: str | None, words: str):
    with pytest.raises(SourceError) as error:
        open_source(SourceSpec(vendor=vendor, tenant=tenant, domains=("billing",)))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_spec_shows_no_secret():
    spec = SourceSpec(vendor="sql", domains=("billing",), dsn="postgresql://u:canary@h/d", api_key="canary")
    assert "canary" not in repr(spec)
    assert "canary" not in str(spec.dsn)
    assert "canary" not in repr(vars(open_source(SourceSpec(vendor="stripe", domains=("billing",), **ADDRESS))))


def test_importing_the_clients_loads_neither_dlt_nor_a_driver():
    modules = ", ".join(f"orchestration.sources.{name}" for name in ("hubspot", "stripe", "zendesk", "sql", "http"))
    check = f"import sys, {modules}; print([m for m in ('dlt', 'dagster', 'adbc_driver_postgresql', 'duckdb', 'pyarrow') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_every_vendor_of_the_settings_has_its_place():
    from orchestration.domains import VENDORS

    assert {vendor for vendors in VENDORS.values() for vendor in vendors} - {"demo"} == set(OPENERS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T01:30:00+02:00", datetime(2026, 2, 28, 23, 30, tzinfo=UTC)),
        ("2026-03-01T01:30:00Z", datetime(2026, 3, 1, 1, 30, tzinfo=UTC)),
        ("2026-03-01T01:30:00", "2026-03-01T01:30:00"),
        ("soon", "soon"),
        ("", None),
        (None, None),
    ],
)
def test_a_time_without_a_zone_is_left_for_the_contract_to_judge(text, expected):
    """Read as this machine's, it would differ from machine to machine."""
    assert moment(text) == expected

"""Stripe's client against localstripe, a fake that we did not write: what was bought through its API is what arrives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from orchestration.sources import SourceError, SourceSpec, Window, open_source
from orchestration.sources.base import Source
from tests.servers import STRIPE_KEY, localstripe_server
from tests.shop import Shop


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with localstripe_server() as address:
        yield address


@pytest.fixture
def shop(base_url: str) -> Shop:
    requests.delete(f"{base_url}/_config/data", timeout=10).raise_for_status()
    shop = Shop(base_url)
    product = shop.post("products", name="Gold", type="service")["id"]
    shop.post("plans", id="silver", amount=2500, currency="eur", interval="month", product=product, nickname="Silver")
    shop.post("plans", id="gold", amount=96000, currency="eur", interval="year", product=product, nickname="Gold")
    return shop


@pytest.fixture
def stripe(shop: Shop) -> Iterator[Source]:
    source = open_source(SourceSpec(vendor="stripe", domains=("billing",), base_url=shop.base_url, api_key=STRIPE_KEY))
    yield source
    source.close()


def pull(source: Source, since: datetime | None = None) -> dict[str, dict[str, dict]]:
    """Rows by table and id, the newest of each."""
    until = datetime.now(UTC) + timedelta(seconds=2)
    found: dict[str, dict[str, dict]] = {table: {} for table in source.tables}
    for table, page in source.pull(dict.fromkeys(source.tables, Window(since, until))):
        for row in sorted(page, key=lambda row: row["updated"]):
            found[table][row["id"]] = row
    return found


def test_what_was_bought_arrives(shop: Shop, stripe: Source):
    ada, bob = shop.customer("ada"), shop.customer("bob")
    shop.post("coupons", id="half", duration="repeating", duration_in_months=3, percent_off=50)
    first = shop.post("subscriptions", customer=ada, items=[{"plan": "silver", "quantity": 3}])
    shop.post("subscriptions", customer=bob, items=[{"plan": "gold"}])
    found = pull(stripe)
    assert {row["name"] for row in found["customers"].values()} == {"ada", "bob"}
    assert found["customers"][ada]["metadata_account_id"] == "crm-ada"
    assert (found["plans"]["gold"]["amount"], found["plans"]["gold"]["interval"]) == (96000, "year")
    assert found["coupons"]["half"]["percent_off"] == 50
    sub = found["subscriptions"][first["id"]]
    assert (sub["customer_id"], sub["status"], sub["quantity"]) == (ada, "active", 3)
    (line,) = [row for row in found["invoice_lines"].values() if row["subscription_id"] == first["id"]]
    assert (line["amount"], line["unit_amount"], line["quantity"], line["interval"], line["price_id"]) == (7500, 2500, 3, "month", "silver")
    assert (line["period_end"] - line["period_start"]).days in range(28, 32)
    assert {row["status"] for row in found["invoices"].values()} == {"paid"}
    assert {row["amount"] for row in found["charges"].values()} >= {7500}
    assert sorted(stripe.absent) == ["credit_note_lines", "credit_notes", "disputes", "prices"]
    assert len(stripe.warnings) == 3


def test_later_pulls_go_through_the_events(shop: Shop, stripe: Source):
    ada = shop.customer("ada")
    first = shop.post("subscriptions", customer=ada, items=[{"plan": "silver"}])
    before = pull(stripe)
    since = datetime.now(UTC) - timedelta(minutes=1)

    shop.post(f"customers/{ada}", name="ada lovelace")
    upgraded = shop.post(f"subscriptions/{first['id']}", items=[{"id": first["items"]["data"][0]["id"], "plan": "gold"}])
    bob = shop.customer("bob")
    second = shop.post("subscriptions", customer=bob, items=[{"plan": "silver", "quantity": 2}])
    shop.delete(f"subscriptions/{first['id']}")
    after = pull(stripe, since)

    assert set(before["customers"]) == {ada}
    assert after["customers"][ada]["name"] == "ada lovelace"
    assert after["customers"][bob]["name"] == "bob"
    ended = after["subscriptions"][first["id"]]
    assert (ended["status"], ended["ended_at"] is not None) == ("canceled", True)
    assert after["subscriptions"][second["id"]]["status"] == "active"
    items = {row["id"]: row["price_id"] for row in after["subscription_items"].values()}
    assert items[upgraded["items"]["data"][0]["id"]] == "gold"
    assert any(row["subscription_id"] == second["id"] and row["amount"] == 5000 for row in after["invoice_lines"].values())
    # localstripe tells no event of a charge: it is reached through its invoice.
    assert any(row["customer_id"] == bob and row["amount"] == 5000 for row in after["charges"].values())


def test_deleted_customers_become_tombstones_and_leave_the_keys(shop: Shop, stripe: Source):
    ada, bob = shop.customer("ada"), shop.customer("bob")
    pull(stripe)
    shop.delete(f"customers/{ada}")
    after = pull(stripe, datetime.now(UTC) - timedelta(minutes=1))
    assert after["customers"][ada]["_is_deleted"] is True
    assert [key for page in stripe.keys("customers") for key in page] == [(bob,)]


def test_the_replaced_item_of_an_upgrade_is_found_by_its_missing_key(shop: Shop, stripe: Source):
    ada = shop.customer("ada")
    first = shop.post("subscriptions", customer=ada, items=[{"plan": "silver"}])
    old = first["items"]["data"][0]["id"]
    assert [key for page in stripe.keys("subscription_items") for key in page] == [(old,)]
    shop.post(f"subscriptions/{first['id']}", items=[{"id": old, "plan": "gold"}])
    assert (old,) not in [key for page in stripe.keys("subscription_items") for key in page]


def test_listings_longer_than_a_page(shop: Shop, stripe: Source):
    for number in range(120):
        shop.post("customers", name=f"c{number}")
    assert len(pull(stripe)["customers"]) == 120


def test_a_wrong_key_is_one_line_without_the_key(base_url: str):
    source = open_source(SourceSpec(vendor="stripe", domains=("billing",), base_url=base_url, api_key="wrong-canary"))
    with pytest.raises(SourceError, match="401") as error:
        pull(source)
    assert "canary" not in str(error.value)
    assert "\n" not in str(error.value)

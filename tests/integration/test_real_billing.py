"""Input that we did not write: what was sold through localstripe's own API is what a run with billing alone publishes.

Prices, seats and dates are worked out by hand here. localstripe stamps with the real clock, so the run is for the day on which it was
sold, read off the server; a start in the past is asked for (backdate_start_date). Its upgrades bill the new plan in full from the start
of the subscription and take the old one back, so the new price counts from there on.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest

from orchestration import published
from orchestration.execution import DONE, execute
from orchestration.settings import REPO, Settings, load_settings
from tests.servers import STRIPE_KEY, localstripe_server
from tests.shop import Shop

NEVER_PAID = {"trial", "sameday"}  # on trial; bought and cancelled on one day


def ledger(today: date) -> dict[str, list[tuple]]:
    """What each name pays a month from when until when, in which currency, by stretch of days. None = still."""
    earlier = ten_days_before(today)
    return {
        "seats": [(earlier, None, "50.00", "EUR")],  # 2 x 25.00
        "yearly": [(earlier, None, "80.00", "EUR")],  # 960.00 / 12
        "weekly": [(three_days_before(today), None, "43.3333", "EUR")],  # 10.00 x 52 / 12
        "tiers": [(earlier, None, "48.00", "EUR")],  # 12 x 4.00, the price of more than 10
        "yen": [(earlier, None, "6000", "JPY")],  # 2 x 3000, a currency without cents
        "taxed": [(earlier, None, "99.00", "USD")],  # 20 % tax on top is no revenue
        "upgrade": [(earlier, None, "60.00", "EUR")],  # 2 x 25.00, then 60.00
        "moreseats": [(earlier, None, "125.00", "EUR")],  # 2 x 25.00, then 5 x 25.00
        "toyearly": [(earlier, None, "80.00", "EUR")],  # 25.00, then 960.00 / 12
        "downgrade": [(earlier, None, "25.00", "EUR")],  # 60.00, then 25.00: nothing to pay, a balance kept
        "leaving": [(earlier, None, "75.00", "EUR")],  # 3 x 25.00, to the end of the period
        "left": [(earlier, today, "100.00", "EUR")],  # 4 x 25.00, cancelled at once
        "second": [(earlier, today, "25.00", "EUR"), (today, None, "75.00", "EUR")],  # and 2 x 25.00 from today
    }


def ten_days_before(today: date) -> date:
    return today - timedelta(days=10)


def three_days_before(today: date) -> date:
    return today - timedelta(days=3)


def buy(shop: Shop, since: date, name: str, plan: str, quantity: int = 1, **more) -> dict:
    """A new customer and its subscription, which began at noon of a day in the past."""
    noon = int(datetime(since.year, since.month, since.day, 12, tzinfo=UTC).timestamp())
    return shop.subscribe(shop.customer(name), plan, quantity, backdate_start_date=noon, **more)


def sell(shop: Shop, today: date) -> dict[str, dict]:
    """Everything that the ledger says, over the counter. Returns the plain subscriptions by customer."""
    earlier = partial(buy, shop, ten_days_before(today))
    product = shop.post("products", name="Service", type="service")["id"]
    for plan, amount, currency, interval in [
        ("silver", 2500, "eur", "month"),
        ("platinum", 6000, "eur", "month"),
        ("gold", 96000, "eur", "year"),
        ("tin", 1000, "eur", "week"),
        ("yen", 3000, "jpy", "month"),
        ("dollar", 9900, "usd", "month"),
    ]:
        shop.post("plans", id=plan, amount=amount, currency=currency, interval=interval, product=product)
    tiers = [{"up_to": 10, "unit_amount": 500, "flat_amount": 0}, {"up_to": "inf", "unit_amount": 400, "flat_amount": 0}]
    tiered = {"billing_scheme": "tiered", "tiers_mode": "volume", "tiers": tiers}
    shop.post("plans", id="tiers", currency="eur", interval="month", product=product, **tiered)
    vat = shop.post("tax_rates", display_name="VAT", inclusive=False, percentage=20)["id"]

    bought = {
        "seats": earlier("seats", "silver", 2),
        "yearly": earlier("yearly", "gold"),
        "weekly": buy(shop, three_days_before(today), "weekly", "tin"),
        "tiers": earlier("tiers", "tiers", 12),
        "yen": earlier("yen", "yen", 2),
        "taxed": earlier("taxed", "dollar", tax_rates=[vat]),
    }

    shop.bill(shop.change(earlier("upgrade", "silver", 2), "platinum"))
    shop.bill(shop.change(earlier("moreseats", "silver", 2), "silver", 5))
    shop.change(earlier("toyearly", "silver"), "gold")
    shop.bill(shop.change(earlier("downgrade", "platinum"), "silver"))

    shop.post(f"subscriptions/{earlier('leaving', 'silver', 3)['id']}", cancel_at_period_end=True)
    shop.delete(f"subscriptions/{earlier('left', 'silver', 4)['id']}")
    shop.subscribe(earlier("second", "silver")["customer"], "silver", 2)

    shop.subscribe(shop.customer("trial"), "gold", trial_period_days=14)
    shop.delete(f"subscriptions/{shop.subscribe(shop.customer('sameday'), 'dollar')['id']}")
    return bought


@dataclass
class Books:
    """What is published, by the customer's name."""

    ledger: dict[str, list[tuple]]
    movements: dict[str, list[tuple]]
    worth: dict[str, list[tuple]]


def run_and_read(settings: Settings, day: date) -> Books:
    result = execute(settings, day, day)
    assert result.exit_code == DONE, result.reasons

    def ask(table: str, columns: str, order_by: str) -> dict[str, list[tuple]]:
        rows = f"(select customer_id, {columns} from {table}) as asked"
        sql = f"select customer_name, asked.* from {rows} right join dim_customers using (customer_id) order by {order_by}"
        found: dict[str, list[tuple]] = {}
        for name, customer_id, *row in published.query(settings.published_dir, sql).rows:
            found.setdefault(name, []).extend([tuple(row)] if customer_id else [])
        return found

    return Books(
        ledger=ask("fct_customer_mrr", "valid_from, valid_to, mrr_amount, currency", "valid_from"),
        movements=ask("fct_mrr_movements", "movement, moved_on, mrr_before, mrr_after, mrr_change", "moved_on"),
        worth=ask("fct_mrr_movements", "movement, mrr_change_reporting, moved_on", "moved_on"),
    )


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with localstripe_server() as base_url:
        yield Shop(base_url)


@pytest.fixture(scope="module")
def today(shop: Shop) -> date:
    return shop.day()


@pytest.fixture(scope="module")
def settings(shop: Shop, tmp_path_factory) -> Settings:
    sources = {f"{domain}_sources": () for domain in ("crm", "support", "product", "survey")} | {"billing_sources": ("stripe",)}
    folder = tmp_path_factory.mktemp("shop")
    return load_settings(data_dir=folder, stripe_base_url=shop.base_url, stripe_api_key=STRIPE_KEY, **sources)


@pytest.fixture(scope="module")
def subscriptions(shop: Shop, today: date) -> dict[str, dict]:
    return sell(shop, today)


@pytest.fixture(scope="module")
def books(subscriptions: dict[str, dict], settings: Settings, today: date) -> Books:
    return run_and_read(settings, today)


def in_dollars(amount: Decimal, currency: str, day: date) -> Decimal:
    """At the newest rate of the seed up to the day."""
    with (REPO / "seeds" / "exchange_rates.csv").open() as file:
        rates = {row["valid_from"]: row["rate_to_usd"] for row in csv.DictReader(file) if row["currency"] == currency}
    return amount * (Decimal(rates[max(since for since in rates if since <= day.isoformat())]) if currency != "USD" else 1)


def recorded(bought: dict[str, list[tuple]]) -> dict[str, list[tuple]]:
    """The ledger as the published table has it."""
    rows = {name: [(since, until, Decimal(mrr), currency) for since, until, mrr, currency in rows] for name, rows in bought.items()}
    return rows | {name: [] for name in NEVER_PAID}


def test_the_ledger_is_what_was_bought(books: Books, today: date):
    assert books.ledger == recorded(ledger(today))


def test_the_movements_tell_how_it_came_to_that(books: Books, today: date):
    moved = {name: [("new", rows[0][0], 0, Decimal(rows[0][2]), Decimal(rows[0][2]))] for name, rows in ledger(today).items()}
    moved["left"].append(("churn", today, 100, 0, -100))
    moved["second"].append(("expansion", today, 25, 75, 50))
    assert books.movements == moved | {name: [] for name in NEVER_PAID}


def test_everything_is_worth_its_dollars(books: Books, today: date):
    first = {name: in_dollars(Decimal(rows[0][2]), rows[0][3], rows[0][0]) for name, rows in ledger(today).items()}
    worth = {name: [("new", amount)] for name, amount in first.items()}
    worth["left"].append(("churn", -first["left"]))
    worth["second"].append(("expansion", in_dollars(Decimal(50), "EUR", today)))
    for name, rows in worth.items():
        assert [movement for movement, *_ in books.worth[name]] == [movement for movement, _ in rows], name
        assert [amount for _, amount, _ in books.worth[name]] == pytest.approx([amount for _, amount in rows], abs=Decimal("0.0001")), name
        assert all(amount for _, amount, _ in books.worth[name]), name


def test_the_next_run_follows_what_changed_since(
    books: Books, shop: Shop, subscriptions: dict[str, dict], settings: Settings, today: date, monkeypatch
):
    """The first run lists everything; this one, of tomorrow, asks for events only. Midnight may have passed since then."""
    later, earlier = shop.day(), ten_days_before(today)
    shop.delete(f"subscriptions/{subscriptions['seats']['id']}")
    shop.bill(shop.change(subscriptions["yearly"], "gold", 3))
    buy(shop, earlier, "late", "silver")
    tomorrow = later + timedelta(days=1)
    monkeypatch.setattr("orchestration.runs.today_in", lambda zone: tomorrow)
    after = run_and_read(settings, tomorrow)

    changed = {
        "seats": [(earlier, later, "50.00", "EUR")],
        "yearly": [(earlier, None, "240.00", "EUR")],  # 3 x 960.00 / 12
        "late": [(earlier, None, "25.00", "EUR")],
    }
    assert after.ledger == recorded(ledger(today) | changed)
    assert after.movements == books.movements | {
        "seats": [*books.movements["seats"], ("churn", later, 50, 0, -50)],
        "yearly": [("new", earlier, 0, 240, 240)],
        "late": [("new", earlier, 0, 25, 25)],
    }


def test_nothing_is_sold_across_midnight(monkeypatch):
    """Two minutes are plenty for what is sold at one go."""
    clock = [datetime(2025, 3, 1, 23, 58, 30, tzinfo=UTC), datetime(2025, 3, 2, 0, 0, 1, tzinfo=UTC)]
    slept: list[float] = []
    monkeypatch.setattr(Shop, "now", lambda _: clock[len(slept)])
    monkeypatch.setattr(time, "sleep", slept.append)
    assert Shop("").day() == date(2025, 3, 2)
    assert slept == [91]

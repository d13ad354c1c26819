"""A seller's side of Stripe's API, at a server that a test started: who buys what, and who leaves."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime

import requests

from tests.servers import STRIPE_KEY

LONG_ENOUGH = timedelta(minutes=2)  # to sell whatever a test sells at one go


class Shop:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def post(self, path: str, **data) -> dict:
        answer = requests.post(f"{self.base_url}/v1/{path}", json=data, auth=(STRIPE_KEY, ""), timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def delete(self, path: str) -> dict:
        answer = requests.delete(f"{self.base_url}/v1/{path}", auth=(STRIPE_KEY, ""), timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    def now(self) -> datetime:
        """By the server's clock, which stamps all that is sold."""
        return parsedate_to_datetime(requests.get(self.base_url, timeout=10).headers["Date"])

    def day(self) -> date:
        """The server's day (UTC), on which what is sold next will fall: where midnight is too near for that, it is waited for."""
        now = self.now()
        left = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1) - now
        if left < LONG_ENOUGH:
            time.sleep(left.total_seconds() + 1)
            now = self.now()
        return now.date()

    def customer(self, name: str) -> str:
        """A new customer that can pay, by card."""
        customer = self.post("customers", name=name, email=f"{name}@{name}.test", metadata={"account_id": f"crm-{name}"})["id"]
        card = {"number": "4242424242424242", "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        method = self.post("payment_methods", type="card", card=card)["id"]
        self.post(f"payment_methods/{method}/attach", customer=customer)
        self.post(f"customers/{customer}", invoice_settings={"default_payment_method": method})
        return customer

    def subscribe(self, customer: str, plan: str, quantity: int = 1, **more) -> dict:
        """A new subscription with one item; `tax_rates` are the item's, anything else is the subscription's."""
        item = {"plan": plan, "quantity": quantity, "tax_rates": more.pop("tax_rates", [])}
        return self.post("subscriptions", customer=customer, items=[item], **more)

    def change(self, subscription: dict, plan: str, quantity: int = 1) -> dict:
        item = {"id": subscription["items"]["data"][0]["id"], "plan": plan, "quantity": quantity}
        return self.post(f"subscriptions/{subscription['id']}", items=[item])

    def bill(self, subscription: dict) -> None:
        """Invoice what is pending: localstripe does so by itself only when a change changes the billing interval."""
        invoice = self.post("invoices", customer=subscription["customer"], subscription=subscription["id"])
        self.post(f"invoices/{invoice['id']}/pay")

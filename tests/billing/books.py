"""The books of a made-up billing system: what is written down for the warehouse, and beside it what was agreed.

Here belongs keeping both in step: every record goes into a table of the bring-your-own contract, every agreement into a list of facts that
the oracle reads. Not which histories there are (histories.py), nor what MRR they amount to (oracle.py).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

EXPONENT = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}
MONTHS = {"month": Decimal(1), "quarter": Decimal(3), "year": Decimal(12), "week": Decimal(12) / 52, "day": Decimal(12) / 365}
COLUMNS = {
    "customers": "customer_id name currency created_at updated_at",
    "subscriptions": "subscription_id customer_id status currency interval interval_count discount_percent discount_ends_at started_at"
    " paused_at resumed_at cancel_requested_at canceled_at ended_at updated_at quantity unit_amount current_period_start current_period_end",
    "invoices": "invoice_id customer_id subscription_id status currency total amount_paid issued_at due_at paid_at updated_at",
    "invoice_lines": "line_id invoice_id customer_id subscription_id kind quantity unit_amount amount discount_amount currency period_start"
    " period_end interval interval_count is_proration",
    "payments": "payment_id invoice_id customer_id status amount currency attempted_at",
    "credits": "credit_id kind customer_id invoice_id line_id amount currency issued_at",
}


@dataclass(frozen=True)
class Rate:
    """What is agreed on the days start..end (half-open): a monthly rate after and before discounts. `converted_on` sets its exchange rate."""

    customer: str
    subscription: str
    currency: str
    start: date
    end: date
    net: Decimal
    full: Decimal
    is_lasting: bool
    converted_on: date


@dataclass
class Agreement:
    """When a subscription ended and that was asked for, and the stretches in which it was paused or unpaid (no end = still)."""

    ended_on: date | None = None
    requested_on: date | None = None
    paused: list[tuple[date, date | None]] = field(default_factory=list)
    unpaid: list[tuple[date, date | None]] = field(default_factory=list)


@dataclass(frozen=True)
class Terms:
    """Price of one unit for `count` intervals, and how many units."""

    currency: str
    unit_amount: Decimal
    quantity: int
    interval: str = "month"
    count: int = 1

    @property
    def amount(self) -> Decimal:
        return self.unit_amount * self.quantity

    def monthly(self, share: Decimal = Decimal(1)) -> Decimal:
        return self.amount * share / (MONTHS[self.interval] * self.count)


def money(amount: Decimal, currency: str) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-EXPONENT[currency]), ROUND_HALF_UP)


class Books:
    """Tables by name (rows as dicts) and the facts they stand for."""

    def __init__(self) -> None:
        self.tables: dict[str, list[dict]] = {name: [] for name in COLUMNS}
        self.rates: list[Rate] = []
        self.agreements: dict[tuple[str, str], Agreement] = {}

    def customer(self, name: str, currency: str, since: date) -> None:
        self._write("customers", customer_id=name, name=f"{name} Ltd", currency=currency, created_at=since, updated_at=since)

    def subscription(
        self, customer: str, name: str, terms: Terms, since: date, *, updated: date | None = None, status: str = "active", **more
    ) -> None:
        """One version of a subscription; `more` are its other columns. Its agreement is read from the same dates."""
        agreement = Agreement(more.get("ended_at"), more.get("cancel_requested_at"))
        if more.get("paused_at"):
            agreement.paused.append((more["paused_at"], more.get("resumed_at")))
        if status == "unpaid":
            agreement.unpaid.append((updated, None))
        self.agreements[customer, name] = agreement
        self._write(
            "subscriptions",
            subscription_id=name,
            customer_id=customer,
            status=status,
            currency=terms.currency,
            interval=terms.interval,
            interval_count=terms.count,
            unit_amount=terms.unit_amount,
            quantity=terms.quantity,
            started_at=since,
            updated_at=updated or since,
            **more,
        )

    def invoice(self, customer: str, subscription: str | None, currency: str, on: date, status: str = "paid") -> str:
        name = f"in_{len(self.tables['invoices'])}"
        paid = on if status == "paid" else None
        self._write(
            "invoices",
            invoice_id=name,
            customer_id=customer,
            subscription_id=subscription,
            status=status,
            currency=currency,
            issued_at=on,
            due_at=on + timedelta(days=14),
            paid_at=paid,
            updated_at=on,
            total=Decimal(0),
        )
        return name

    def line(
        self,
        invoice: str,
        terms: Terms,
        start: date,
        end: date,
        *,
        covered: Decimal = Decimal(1),
        sign: int = 1,
        percent: Decimal = Decimal(0),
        off: Decimal = Decimal(0),
        is_lasting: bool = False,
        kind: str = "recurring",
        counts: bool = True,
        is_proration: bool = False,
        sold_on: date | None = None,
    ) -> str:
        """One line over start..end at `covered` of the full price, less `percent` or an amount `off`. A credit: of what was `sold_on` a day."""
        bill = self._invoice(invoice)
        amount = sign * money(terms.amount * covered, terms.currency)
        discount = money(abs(amount) * percent / 100, terms.currency) if percent else off
        name = f"il_{len(self.tables['invoice_lines'])}"
        self._write(
            "invoice_lines",
            line_id=name,
            invoice_id=invoice,
            customer_id=bill["customer_id"],
            subscription_id=bill["subscription_id"],
            kind=kind,
            quantity=terms.quantity,
            unit_amount=terms.unit_amount,
            amount=amount,
            discount_amount=discount,
            currency=terms.currency,
            period_start=start,
            period_end=end,
            interval=terms.interval if kind == "recurring" else None,
            interval_count=terms.count if kind == "recurring" else None,
            is_proration=is_proration,
        )
        bill["total"] += amount - (1 if amount >= 0 else -1) * discount
        if bill["status"] == "paid":
            bill["amount_paid"] = max(bill["total"], Decimal(0))
        if kind == "recurring" and counts and covered and bill["status"] in ("open", "paid", "uncollectible"):
            share = (1 - percent / 100) if percent else (amount - off) / amount if off else Decimal(1)
            key = (bill["customer_id"], bill["subscription_id"] or "none", terms.currency)
            self.rates.append(Rate(*key, start, end, sign * terms.monthly(share), sign * terms.monthly(), is_lasting, sold_on or start))
        return name

    def credit_note(self, line: str, share: Decimal, on: date) -> None:
        """Gives back `share` of a line's net amount: it takes that share of its rate, from the day of the note."""
        row = self.tables["invoice_lines"][int(line.removeprefix("il_"))]
        amount = money((row["amount"] - row["discount_amount"]) * share, row["currency"])
        self._credit("credit_note", row, amount, on, line_id=line)
        taken = amount / (row["amount"] - row["discount_amount"])
        rate = next(
            each for each in reversed(self.rates) if each.start == row["period_start"] and each.subscription == (row["subscription_id"] or "none")
        )
        self.rates.append(
            Rate(
                rate.customer,
                rate.subscription,
                rate.currency,
                max(rate.start, on),
                rate.end,
                -taken * rate.net,
                -taken * rate.full,
                rate.is_lasting,
                rate.converted_on,
            )
        )

    def refund(self, line: str, amount: Decimal, on: date) -> None:
        self._credit("refund", self.tables["invoice_lines"][int(line.removeprefix("il_"))], amount, on)

    def save(self, folder: Path) -> None:
        """The tables as CSV files of the drop folder. One payment for whatever was paid."""
        for bill in self.tables["invoices"]:
            if bill.get("amount_paid", 0) > 0:
                paid = {
                    "payment_id": f"py_{bill['invoice_id']}",
                    "status": "succeeded",
                    "amount": bill["amount_paid"],
                    "attempted_at": bill["paid_at"],
                }
                self._write("payments", **paid, **{name: bill[name] for name in ("invoice_id", "customer_id", "currency")})
        (folder / "billing").mkdir(parents=True)
        for name, columns in COLUMNS.items():
            with (folder / "billing" / f"{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, columns.split(), restval="")
                writer.writeheader()
                writer.writerows(self.tables[name])

    def _credit(self, kind: str, row: dict, amount: Decimal, on: date, **more) -> None:
        same = {name: row[name] for name in ("customer_id", "invoice_id", "currency")}
        self._write("credits", credit_id=f"cr_{len(self.tables['credits'])}", kind=kind, amount=amount, issued_at=on, **same, **more)

    def _invoice(self, name: str) -> dict:
        return self.tables["invoices"][int(name.removeprefix("in_"))]

    def _write(self, table: str, **row) -> None:
        self.tables[table].append(row)

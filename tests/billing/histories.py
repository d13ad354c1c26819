"""Random billing histories: subscriptions that renew, change in mid-period, are discounted, paused, unpaid, credited, cancelled.

Here belongs what can happen and how often; how it is written down stands in books.py.
"""

from __future__ import annotations

import calendar
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.billing.books import Books, Terms

MONTHLY, YEARLY = ("month", 1), ("year", 1)
INTERVALS = [MONTHLY] * 8 + [YEARLY] * 2 + [("quarter", 1), ("month", 2), ("month", 6), ("week", 1), ("week", 2), ("day", 10), ("day", 30)]
CURRENCIES = ["USD"] * 4 + ["EUR"] * 2 + ["JPY", "KWD"]
PRICES = {"USD": (500, 20_000), "EUR": (500, 20_000), "JPY": (500, 30_000), "KWD": (1_500, 60_000)}
PLACES = {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3}


def random_books(random: Random, customers: int, first: date, as_of: date) -> Books:
    """`customers` payers (c0, c1, …) with one to three subscriptions each, nothing of which is later than `as_of`."""
    books = Books()
    for number in range(customers):
        name, currency = f"c{number}", random.choice(CURRENCIES)
        books.customer(name, currency, first)
        for index in range(random.choice((1, 1, 1, 2, 2, 3))):
            own = currency if random.random() < 0.9 else random.choice(CURRENCIES)
            History(books, random, name, f"{name}s{index}", own, as_of).write(first + timedelta(days=random.randrange(420)))
    return books


class History:
    """One subscription from its start to its end, or to as_of."""

    def __init__(self, books: Books, random: Random, customer: str, name: str, currency: str, as_of: date) -> None:
        self._books, self._random, self._as_of = books, random, as_of
        self._customer, self._name = customer, name
        least, most = PRICES[currency]
        price = Decimal(random.randrange(least, most)).scaleb(-PLACES[currency])
        interval, count = random.choice(INTERVALS)
        self._terms = Terms(currency, price, random.choice((1, 1, 2, 5, 12)), interval, count)
        self._percent, self._is_lasting, self._discounted_until = Decimal(0), False, as_of
        self._off = Decimal(0)

    def write(self, start: date) -> None:
        roll = self._random.random
        if roll() < 0.2:
            start = start.replace(day=calendar.monthrange(start.year, start.month)[1])
        columns = self._discount(start) | self._pause(start)
        if roll() < 0.1:
            self._trial(start)
        periods = self._random.randrange(1, 30)
        fate = self._random.choice(("runs", "runs", "runs", "lapses", "at_once", "at_period_end"))
        anchor, number, begins = start, 0, start
        while begins <= self._as_of:
            ends = add_interval(anchor, self._terms, number + 1)
            if fate != "runs" and periods <= 0:
                break
            if fate == "at_once" and periods == 1:
                columns |= self._leave(begins, ends, at_once=True)
                break
            if fate == "at_period_end" and periods == 1:
                columns |= self._leave(begins, ends, at_once=False)
                break
            changed_on = self._period(begins, ends)
            number, periods = number + 1, periods - 1
            if changed_on:
                anchor, number, begins = changed_on, 0, changed_on
            elif roll() < 0.04:
                anchor, number = ends + timedelta(days=self._random.randrange(1, 7)), 0
                begins = anchor
            else:
                begins = ends
        status, updated = "active", start
        if columns.get("ended_at"):
            status, updated = "canceled", columns["ended_at"]
        elif roll() < 0.05:
            status, updated = "unpaid", self._day(start, self._as_of)
        self._books.subscription(self._customer, self._name, self._terms, start, updated=updated, status=status, **columns)

    def _period(self, begins: date, ends: date) -> date | None:
        """Bills one period; returns the day on which another interval begins, if it does in mid-period."""
        roll, random = self._random.random, self._random
        off, self._off = self._off, Decimal(0)
        is_changed = roll() < 0.12 and (ends - begins).days > 6 and not off
        status = "paid" if is_changed else random.choices(("paid", "open", "uncollectible", "void", "draft"), (90, 4, 2, 3, 1))[0]
        if status == "draft" and (self._as_of - begins).days <= 4:
            status = "paid"
        invoice = self._invoice(begins, status)
        line = self._line(invoice, begins, ends, off=off)
        if roll() < 0.1:
            self._books.line(invoice, replace(self._terms, quantity=3), begins, ends, kind="usage")
        if roll() < 0.05:
            self._books.line(invoice, replace(self._terms, quantity=1), begins, ends, kind="one_time")
        if roll() < 0.03:
            self._books.refund(line, Decimal(1), self._day(begins, ends))
        if is_changed:
            return self._change(begins, ends)
        if roll() < 0.04 and status == "paid" and self._books.tables["invoices"][-1]["total"] > 10:
            on = self._day(begins, ends)
            if on <= self._as_of and self._percent < 100:
                self._books.credit_note(line, random.choice((Decimal("0.25"), Decimal("0.5"), Decimal(1))), on)
        return None

    def _change(self, begins: date, ends: date) -> date | None:
        """A proration pair: another quantity or price for the rest of the period, or another interval from the day on."""
        on = self._day(begins + timedelta(days=1), ends - timedelta(days=1))
        if on > self._as_of:
            return None
        rest = Decimal((ends - on).days) / (ends - begins).days
        invoice = self._invoice(on, "paid")
        self._line(invoice, on, ends, covered=rest, sign=-1, is_proration=True, priced_on=begins)
        kind = self._random.choice(("quantity", "quantity", "price", "interval"))
        if kind == "interval":
            self._terms = replace(
                self._terms,
                unit_amount=self._terms.unit_amount * 3,
                **{"interval": "year" if self._terms.interval != "year" else "month", "count": 1},
            )
            return on
        if kind == "quantity":
            self._terms = replace(self._terms, quantity=max(1, self._terms.quantity + self._random.choice((-3, -1, 2, 7))))
        else:
            self._terms = replace(self._terms, unit_amount=self._terms.unit_amount + self._random.choice((-1, 1)) * Decimal(1))
        self._line(invoice, on, ends, covered=rest, is_proration=True, priced_on=begins)
        return None

    def _leave(self, begins: date, ends: date, *, at_once: bool) -> dict:
        """The last period, cancelled in its midst (with the unused time credited, or not) or asked to end with it."""
        self._line(self._invoice(begins, "paid"), begins, ends)
        asked = self._day(begins, ends)
        if asked > self._as_of:
            return {}
        if not at_once:
            ended = {"ended_at": ends} if ends <= self._as_of else {}
            return {"cancel_requested_at": asked, "canceled_at": asked} | ended
        if self._random.random() < 0.5 and asked > begins:
            rest = Decimal((ends - asked).days) / (ends - begins).days
            self._line(self._invoice(asked, "paid"), asked, ends, covered=rest, sign=-1, is_proration=True, priced_on=begins)
        return {"cancel_requested_at": asked, "canceled_at": asked, "ended_at": asked}

    def _line(self, invoice: str, begins: date, ends: date, *, off: Decimal = Decimal(0), priced_on: date | None = None, **more) -> str:
        is_discounted = (priced_on or begins) < self._discounted_until
        percent = self._percent if is_discounted and not off else Decimal(0)
        sold_on = priced_on if more.get("sign") == -1 else None
        is_lasting = self._is_lasting and bool(percent)
        return self._books.line(invoice, self._terms, begins, ends, percent=percent, off=off, is_lasting=is_lasting, sold_on=sold_on, **more)

    def _invoice(self, on: date, status: str) -> str:
        return self._books.invoice(self._customer, self._name, self._terms.currency, on, status)

    def _discount(self, start: date) -> dict:
        roll = self._random.random()
        if roll < 0.12:
            self._percent, self._is_lasting, self._discounted_until = Decimal(self._random.choice((5, 10, 20, 50))), True, date.max
            return {"discount_percent": self._percent}
        if roll < 0.26:
            self._percent = Decimal(self._random.choice((10, 25, 40, 100)))
            self._discounted_until = start + timedelta(days=self._random.choice((31, 92, 200)))
            return {"discount_percent": self._percent, "discount_ends_at": self._discounted_until}
        if roll < 0.32:
            self._off = Decimal(self._random.randrange(1, 4))
        return {}

    def _pause(self, start: date) -> dict:
        if self._random.random() > 0.12:
            return {}
        paused = start + timedelta(days=self._random.randrange(5, 120))
        if paused > self._as_of:
            return {}
        resumed = paused + timedelta(days=self._random.choice((1, 3, 4, 20, 70)))
        return {"paused_at": paused} | ({"resumed_at": resumed} if resumed <= self._as_of and self._random.random() < 0.7 else {})

    def _trial(self, start: date) -> None:
        self._books.line(self._invoice(start - timedelta(days=14), "paid"), self._terms, start - timedelta(days=14), start, covered=Decimal(0))

    def _day(self, first: date, end: date) -> date:
        """A day from first up to the day before end."""
        return first + timedelta(days=self._random.randrange(max((end - first).days, 1)))


def add_interval(anchor: date, terms: Terms, times: int) -> date:
    """The day on which period number `times` after `anchor` begins; the 31st meets shorter months at their last day."""
    steps = terms.count * times
    if terms.interval in ("day", "week"):
        return anchor + timedelta(days=steps * (7 if terms.interval == "week" else 1))
    months = anchor.month - 1 + steps * {"month": 1, "quarter": 3, "year": 12}[terms.interval]
    year, month = anchor.year + months // 12, months % 12 + 1
    return date(year, month, min(anchor.day, calendar.monthrange(year, month)[1]))

"""MRR by brute force: every day of every customer, from what was agreed, as docs/metrics.md defines it.

Here belongs nothing of the warehouse's own way (no intervals, no windows): arrays with one number a day. Seconds for a thousand customers.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from orchestration.settings import REPO
from tests.billing.books import Agreement, Books, Rate

GRACE_DAYS = 3
NOISE = 0.005


@dataclass(frozen=True)
class Rules:
    """The rows of a preset that the ledger depends on."""

    nets_forever_only: bool = False
    unpaid_is_churn: bool = False
    paused_is_zero: bool = False


PRESETS = {"chartmogul": Rules(), "stripe": Rules(nets_forever_only=True, unpaid_is_churn=True), "profitwell": Rules(paused_is_zero=True)}


class Oracle:
    """Daily MRR of all customers on first..as_of (inclusive) under one preset."""

    def __init__(self, books: Books, first: date, as_of: date, rules: Rules) -> None:
        self.first, self.as_of, self._rules = first, as_of, rules
        self._days = (as_of - first).days + 1
        self._exchange = _exchange_rates()
        subscriptions: dict[tuple[str, str, str], list[Rate]] = defaultdict(list)
        for rate in books.rates:
            subscriptions[rate.customer, rate.currency, rate.subscription].append(rate)
        sums: dict[tuple[str, str], np.ndarray] = defaultdict(lambda: np.zeros((2, self._days)))
        for (customer, currency, name), rates in subscriptions.items():
            sums[customer, currency] += self._subscription(rates, books.agreements.get((customer, name), Agreement()))
        self.daily = {key: _bridged(np.where(values[0] < NOISE, 0, values), is_open_bridged=False) for key, values in sums.items()}

    def on(self, key: tuple[str, str], day: date) -> tuple[float, float]:
        """MRR of (customer, currency) on a day: in the currency, in dollars."""
        native, dollars = self.daily[key][:, (day - self.first).days]
        return float(native), float(dollars)

    def movements(self, key: tuple[str, str]) -> Iterator[tuple[date, str, float]]:
        """(day, movement, change in the currency), in the dictionary's order of cases."""
        before, ever = 0.0, False
        for n, after in enumerate(self.daily[key][0]):
            if abs(after - before) >= NOISE:
                came, went = before < NOISE, after < NOISE
                kind = ("reactivation" if ever else "new") if came else "churn" if went else "expansion" if after > before else "contraction"
                yield self.first + timedelta(days=n), kind, after - before
                before = after
            ever = ever or after >= NOISE

    def _subscription(self, rates: list[Rate], agreement: Agreement) -> np.ndarray:
        values = np.zeros((2, self._days))
        for rate in rates:
            end = min(rate.end, agreement.ended_on or rate.end)
            amount = float(rate.full if self._rules.nets_forever_only and not rate.is_lasting else rate.net)
            if end > rate.start:
                values[:, self._slice(rate.start, end)] += [[amount], [amount * self._in_dollars(rate.currency, rate.converted_on)]]
        suspended = np.zeros(self._days, bool)
        for start, end in (agreement.paused if self._rules.paused_is_zero else []) + (agreement.unpaid if self._rules.unpaid_is_churn else []):
            suspended[self._slice(start, end or self.as_of + timedelta(days=1))] = True
        values[:, suspended | (np.abs(values[0]) < NOISE)] = 0
        is_over = suspended[-1] or (agreement.ended_on is not None and agreement.ended_on <= self.as_of)
        return _bridged(values, is_open_bridged=not is_over)

    def _slice(self, start: date, end: date) -> slice:
        return slice(max((start - self.first).days, 0), max((end - self.first).days, 0))

    def _in_dollars(self, currency: str, day: date) -> float:
        if currency == "USD":
            return 1.0
        days, rates = self._exchange[currency]
        return rates[bisect_right(days, day) - 1]


def _bridged(values: np.ndarray, *, is_open_bridged: bool) -> np.ndarray:
    """Runs of up to GRACE_DAYS zeros carry on the value before them; one that lasts to the end only if told so."""
    values = values.copy()
    is_zero = values[0] == 0
    day = int(np.argmin(is_zero)) if not is_zero.all() else len(is_zero)
    while day < len(is_zero):
        if not is_zero[day]:
            day += 1
            continue
        until = day
        while until < len(is_zero) and is_zero[until]:
            until += 1
        if until - day <= GRACE_DAYS and (until < len(is_zero) or is_open_bridged):
            values[:, day:until] = values[:, day - 1 : day]
        day = until
    return values


def _exchange_rates() -> dict[str, tuple[list[date], list[float]]]:
    found: dict[str, tuple[list[date], list[float]]] = defaultdict(lambda: ([], []))
    with (REPO / "seeds" / "exchange_rates.csv").open() as file:
        for row in sorted(csv.DictReader(file), key=lambda each: each["valid_from"]):
            days, rates = found[row["currency"]]
            days.append(date.fromisoformat(row["valid_from"]))
            rates.append(float(row["rate_to_usd"]))
    return found

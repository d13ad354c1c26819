"""What was really agreed: subscriptions, their changes, pauses, failed payments and ends, month by month.

Everything in billing is written from this, and so is the MRR truth; neither is computed from the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.base import DAY, EPOCH, EXPONENT, NEVER, Frame, Scope, add_months
from orchestration.sources.demo.customers import Customers

HOUR = 3600
MONTHS = np.array(words.INTERVAL_MONTHS)
FOREVER = 999
FULL = "full"  # the invoice line of a whole period, as against trials and prorations
ADD_ON = 4


@dataclass
class Agreements:
    """`subs`: one row a subscription. `changes`: state (quantity, plan) from a moment on. `late`: invoices paid late, by period start."""

    subs: Frame
    changes: Frame
    late: Frame


@dataclass
class _Log:
    changes: list[Frame] = field(default_factory=list)
    late: list[Frame] = field(default_factory=list)

    def change(self, sub: np.ndarray, at: np.ndarray, quantity: np.ndarray, plan: np.ndarray, prorated: bool) -> None:
        self.changes.append(pd.DataFrame({"sub": sub, "at": at, "quantity": quantity, "plan": plan, "prorated": prorated}))


def price(currency: np.ndarray, plan: np.ndarray, interval: np.ndarray) -> np.ndarray:
    """Minor units for one seat and one interval."""
    table = np.array([[p * 10 ** EXPONENT[c] for p in words.SEAT_PRICE[c]] for c in EXPONENT])
    row = pd.Index(list(EXPONENT)).get_indexer(currency)
    return table[row, plan] * np.array(words.INTERVAL_FACTOR)[interval]


def make_agreements(scope: Scope, customers: Customers) -> Agreements:
    """First subscriptions, then add-ons and returns that depend on how the first went."""
    rng = scope.rng("agree")
    log = _Log()
    main = _first(scope, rng, customers.frame)
    main["sub"] = np.arange(len(main))
    _live(scope, rng, customers, main, log)
    back = _returns(rng, main)
    back["sub"] = len(main) + np.arange(len(back))
    _live(scope, rng, customers, back, log)
    extra = _add_ons(rng, main)
    extra["sub"] = len(main) + len(back) + np.arange(len(extra))
    _live(scope, rng, customers, extra, log)
    subs = pd.concat([main, back, extra], ignore_index=True)
    changes = pd.concat(log.changes, ignore_index=True)
    changes = changes[changes["at"].to_numpy() < subs["end"].to_numpy()[changes["sub"]]]
    late = pd.concat(log.late, ignore_index=True)
    return Agreements(subs, changes.sort_values(["sub", "at"], kind="stable").reset_index(drop=True), late)


def _first(scope: Scope, rng: np.random.Generator, who: Frame) -> Frame:
    n = len(who)
    signup = EPOCH + who["day"].to_numpy() * DAY + who["hour"].to_numpy()
    size = who["size"].to_numpy()
    converts = who["converts"].to_numpy()
    trial = (rng.random(n) < 0.28) | ~converts
    has_billing = converts | (rng.random(n) < 0.6)
    start = np.where(trial, signup + 14 * DAY, signup)
    plan = np.clip(np.round(1.35 + 0.8 * size + rng.normal(0, 0.5, n)), 0, 3).astype(int)
    interval = np.where(rng.random(n) < 0.62, 0, np.where(rng.random(n) < 0.4, 1, 2))
    seats = np.clip(np.round(np.exp(1.95 + 0.4 * size + rng.normal(0, 0.25, n))), 2, 40).astype(int)
    discounted = rng.random(n) < 0.24
    percent = rng.choice([10, 15, 20, 25, 50, 100], n, p=[0.25, 0.15, 0.3, 0.15, 0.1, 0.05])
    periods = rng.choice([1, 2, 3, 6], n, p=[0.2, 0.2, 0.4, 0.2])
    percent = np.where((percent == 100) & (interval > 0), 20, percent)  # a free month, not a free year
    periods = np.where(percent == 100, 1, periods)
    length = np.where((rng.random(n) < 0.2) & (percent < 50), FOREVER, periods * MONTHS[interval])
    subs = pd.DataFrame(
        {
            "cust": np.arange(n),
            "kind": "main",
            "trial_start": np.where(trial, signup, NEVER),
            "start": start,
            "currency": who["currency"].to_numpy(),
            "plan": plan,
            "interval": interval,
            "seats": seats,
            "percent": np.where(discounted, percent, 0),
            "discount_months": np.where(discounted, length, 0),
            "by_invoice": (size > 0.8) & (rng.random(n) < 0.7),
            "fee": rng.random(n) < 0.22,
            "limit": NEVER,
            "churn_scale": 1.0,
            "second_payer": False,
        }
    )
    # Who never converts lets the trial run out.
    subs["end"] = np.where(converts, NEVER, subs["start"])
    subs["ended_by"] = np.where(converts, "", "trial")
    return _blank(subs[has_billing & (signup < scope.end)].reset_index(drop=True))


def _returns(rng: np.random.Generator, main: Frame) -> Frame:
    gone = main[(main["ended_by"].isin(["voluntary", "involuntary"])).to_numpy() & (rng.random(len(main)) < 0.3)].copy()
    gap = np.where(gone["ended_by"] == "voluntary", rng.integers(12, 150, len(gone)), rng.integers(6, 45, len(gone)))
    back = gone.assign(
        kind="return",
        trial_start=NEVER,
        start=gone["end"] + gap * DAY + rng.integers(-20_000, 20_000, len(gone)),
        percent=0,
        discount_months=0,
        fee=False,
        seats=np.maximum(gone["seats"] - rng.integers(0, 3, len(gone)), 2),
        interval=0,
        end=NEVER,
        ended_by="",
        churn_scale=0.6,
        second_payer=rng.random(len(gone)) < 0.4,
    )
    return _blank(back.reset_index(drop=True))


def _add_ons(rng: np.random.Generator, main: Frame) -> Frame:
    chosen = main[(main["ended_by"] != "trial").to_numpy() & (rng.random(len(main)) < 0.11)].copy()
    start = chosen["start"] + rng.integers(40, 260, len(chosen)) * DAY + rng.integers(0, DAY, len(chosen))
    extra = chosen.assign(
        kind="addon",
        trial_start=NEVER,
        start=start,
        plan=ADD_ON,
        interval=0,
        percent=0,
        discount_months=0,
        fee=False,
        limit=chosen["end"],
        end=NEVER,
        ended_by="",
        churn_scale=1.6,
    )
    return _blank(extra[(add_months(extra["start"].to_numpy(), 1) <= extra["limit"].to_numpy())].reset_index(drop=True))


def _blank(subs: Frame) -> Frame:
    return subs.assign(cancel_requested=NEVER, unpaid_from=NEVER, paused=NEVER, resumed=NEVER, reason=-1)


def _live(scope: Scope, rng: np.random.Generator, customers: Customers, subs: Frame, log: _Log) -> None:
    """Walk all subscriptions through their months at once; fills in ends, pauses and failures, and logs changes."""
    n = len(subs)
    start, cust, length = subs["start"].to_numpy(), subs["cust"].to_numpy(), MONTHS[subs["interval"].to_numpy()]
    by_invoice, limit, is_extra = subs["by_invoice"].to_numpy(), subs["limit"].to_numpy(), (subs["kind"] == "addon").to_numpy()
    quantity, plan = subs["seats"].to_numpy().copy(), subs["plan"].to_numpy().copy()
    sub = subs["sub"].to_numpy()
    column = {c: subs[c].to_numpy().copy() for c in ["end", "cancel_requested", "unpaid_from", "paused", "resumed", "reason"]}
    ended_by = subs["ended_by"].to_numpy().astype(object)
    log.change(sub, start, quantity.copy(), plan.copy(), False)
    log.late.append(pd.DataFrame({"sub": np.empty(0, int), "at": np.empty(0, int), "days": np.empty(0, int)}))
    for month in range((scope.days + scope.horizon) // 28 + 2):
        begin, until = add_months(start, np.full(n, month)), add_months(start, np.full(n, month + 1))
        alive = (begin < column["end"]) & (begin < scope.end)
        if not alive.any():
            continue
        draw = rng.random((8, n))
        health = customers.mean_health(cust, until, 8)
        free = alive & (column["unpaid_from"] == NEVER) & ~((column["paused"] < until) & (column["resumed"] > begin))
        boundary = free & (month % length == 0)
        # Failed payments: most are recovered late, some end the subscription.
        fails = boundary & ~is_extra & (draw[0] < np.where(by_invoice, 0.16, 0.035) * np.exp(-0.5 * health))
        lost = fails & (month > 0) & (draw[1] < np.where(by_invoice, 0.03, 0.13))
        days_late = np.where(by_invoice, 3 + 90 * draw[2] ** 3, 3 + 4 * np.floor(draw[2] * 4)).astype(int)
        saved = fails & ~lost
        log.late.append(pd.DataFrame({"sub": sub[saved], "at": begin[saved], "days": days_late[saved]}))
        column["unpaid_from"][lost] = begin[lost]
        column["end"][lost] = (begin + np.where(by_invoice, 75 + 20 * draw[2], 21).astype(int) * DAY + 5 * HOUR)[lost]
        ended_by[lost] = "involuntary"
        free &= ~lost
        # Seats given back at a renewal: no proration.
        drop = boundary & ~lost & (month > 0) & (quantity > 3) & (draw[3] < 0.02 * length**0.5 * np.exp(-0.8 * health))
        quantity[drop] = np.maximum(quantity[drop] - 1 - (draw[4][drop] * quantity[drop] * 0.3).astype(int), 2)
        log.change(sub[drop], begin[drop], quantity[drop], plan[drop], False)
        # Changes in the middle of a period: proration. Never under a discount, whose share of a few cents nobody could tell again.
        open_ = free & (month >= subs["discount_months"].to_numpy()) & (column["cancel_requested"] == NEVER)
        up = open_ & (draw[5] < np.clip(0.045 * np.exp(0.45 * health), 0, 0.14))
        down = open_ & ~up & (quantity > 3) & (draw[5] > 1 - np.clip(0.012 * np.exp(-0.7 * health), 0, 0.08))
        better = up & (draw[6] < 0.15) & (plan < 3)
        quantity[up & ~better] += 1 + (draw[6][up & ~better] * 3).astype(int)
        plan[better] += 1
        quantity[down] -= 1 + (draw[6][down] > 0.7)
        moved = up | down
        at = begin + (2 * DAY + draw[7] * 22 * DAY).astype(int)
        log.change(sub[moved], at[moved], quantity[moved], plan[moved], True)
        # Cancellation takes effect at the end of the paid period.
        renews = free & ((month + 1) % length == 0)
        hazard = 0.006 * length**0.85 * subs["churn_scale"].to_numpy() * np.exp(-1.75 * health)
        leaves = renews & ((draw[1] < 1 - np.exp(-hazard)) | (add_months(until, length) > limit))
        notice = np.where(leaves, (1 + draw[2] * np.minimum(20, 15 * length)) * DAY, 0).astype(int)
        column["end"][leaves] = until[leaves]
        column["cancel_requested"][leaves] = np.maximum(until - notice, np.where(moved, at + HOUR, begin))[leaves]
        ended_by[leaves] = "voluntary"
        # Reasons lean on what went wrong: low health means product and support, otherwise price and change.
        lean = np.where(health < -0.3, (draw[3] * 8).astype(int), (draw[3] * 3).astype(int) * 2 + 1)
        column["reason"][leaves] = np.clip(lean, 0, len(words.REASONS) - 1)[leaves]
        # A pause of one to three months, from the next renewal.
        pauses = renews & ~leaves & (length == 1) & ~is_extra & (column["paused"] == NEVER) & (draw[4] < 0.006)
        column["paused"][pauses] = until[pauses] - 3 * HOUR
        column["resumed"][pauses] = add_months(until[pauses], (1 + draw[6][pauses] * 3).astype(int)) - 3 * HOUR
    for name, values in column.items():
        subs[name] = values
    subs["ended_by"] = ended_by

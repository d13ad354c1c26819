"""Invoices, lines, payments and credits that follow from the agreements, as the billing system writes them.

Amounts are minor units. Recurring lines carry unit price and quantity; prorations come in pairs (credit for unused time,
charge for the rest) on an invoice of their own, at the moment of the change.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.sources.demo.agreements import FULL, MONTHS, Agreements, price
from orchestration.sources.demo.base import DAY, EXPONENT, Frame, Scope, add_months
from orchestration.sources.demo.collection import VOIDED_AFTER, collect, give_credits

TAX_PERCENT = {"US": 8, "JP": 10, "GB": 20}
CREDIT_OF_UNUSED, CHARGE = "unused", "remaining"
ISSUED_AGAIN = 90  # seconds from an invoice to the same by mistake


@dataclass
class Ledger:
    """All billing facts of a block. `invoices.inv` is the row number that lines, payments and credits refer to."""

    invoices: Frame
    lines: Frame
    payments: Frame
    credits: Frame


def make_ledger(scope: Scope, who: Frame, agreements: Agreements) -> Ledger:
    """Issue every invoice up to the end of the world."""
    rng = scope.rng("ledger")
    regular = _periods(scope, agreements)
    prorated = _prorations(agreements, regular)
    lines = pd.concat([_trials(scope, agreements), regular, prorated], ignore_index=True)
    lines = lines[lines["issued"] < scope.end].reset_index(drop=True)
    heads = (
        lines.drop_duplicates(["sub", "issued"])
        .sort_values(["issued", "sub"], kind="stable")[["sub", "issued", "period_start", "period_end", "role"]]
        .reset_index(drop=True)
    )
    heads["inv"] = np.arange(len(heads))
    lines = lines.merge(heads[["sub", "issued", "inv"]], on=["sub", "issued"], how="left", validate="many_to_one")
    lines["kind"] = "recurring"
    lines = pd.concat([lines, _extras(rng, agreements.subs, heads)], ignore_index=True)
    heads, lines = _with_voided(rng, heads, lines)
    lines = pd.concat([lines, _tax(who, agreements.subs, heads, lines)], ignore_index=True)
    lines = lines.sort_values("inv", kind="stable").reset_index(drop=True)
    lines["line"] = np.arange(len(lines))
    heads["total"] = np.bincount(lines["inv"], lines["amount"] - lines["discount"], len(heads)).round().astype("int64")
    heads["currency"] = agreements.subs["currency"].to_numpy()[heads["sub"]]
    heads, payments = collect(scope, rng, agreements, heads)
    return Ledger(heads, lines, payments, give_credits(rng, agreements.subs, heads, lines))


def state_at(changes: Frame, sub: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Row of `changes` in force for each subscription and moment."""
    wide = np.int64(1) << 36
    return np.searchsorted(changes["sub"].to_numpy() * wide + changes["at"].to_numpy(), np.asarray(sub) * wide + at, side="right") - 1


def _periods(scope: Scope, agreements: Agreements) -> Frame:
    subs = agreements.subs
    length = MONTHS[subs["interval"].to_numpy()]
    last = np.minimum(subs["end"].to_numpy(), scope.end)
    most = ((last - subs["start"].to_numpy()) // (28 * DAY) + 2).clip(0) // length + 1
    row = np.repeat(np.arange(len(subs)), most)
    k = np.arange(len(row)) - np.repeat(np.cumsum(most) - most, most)
    begin = add_months(subs["start"].to_numpy()[row], k * length[row])
    keep = begin < last[row]
    row, k, begin = row[keep], k[keep], begin[keep]
    state = agreements.changes.iloc[state_at(agreements.changes, row, begin)]
    plan, quantity, interval = state["plan"].to_numpy(), state["quantity"].to_numpy(), subs["interval"].to_numpy()[row]
    unit = price(subs["currency"].to_numpy()[row], plan, interval)
    percent = np.where(k * length[row] < subs["discount_months"].to_numpy()[row], subs["percent"].to_numpy()[row], 0)
    return pd.DataFrame(
        {
            "sub": row,
            "issued": begin,
            "role": FULL,
            "plan": plan,
            "quantity": quantity,
            "unit": unit,
            "amount": unit * quantity,
            "discount": unit * quantity * percent // 100,
            "period_start": begin,
            "period_end": add_months(subs["start"].to_numpy()[row], (k + 1) * length[row]),
        }
    )


def _trials(scope: Scope, agreements: Agreements) -> Frame:
    """A trial opens with an invoice over nothing, as the vendor writes it."""
    subs = agreements.subs[(agreements.subs["trial_start"] < scope.end)]
    unit = price(subs["currency"].to_numpy(), subs["plan"].to_numpy(), subs["interval"].to_numpy())
    return pd.DataFrame(
        {
            "sub": subs["sub"].to_numpy(),
            "issued": subs["trial_start"].to_numpy(),
            "role": "trial",
            "plan": subs["plan"].to_numpy(),
            "quantity": subs["seats"].to_numpy(),
            "unit": unit,
            "amount": 0,
            "discount": 0,
            "period_start": subs["trial_start"].to_numpy(),
            "period_end": subs["start"].to_numpy(),
        }
    )


def _prorations(agreements: Agreements, regular: Frame) -> Frame:
    changes = agreements.changes
    after = np.flatnonzero(changes["prorated"].to_numpy())
    sub, at = changes["sub"].to_numpy()[after], changes["at"].to_numpy()[after]
    period = regular.sort_values(["sub", "issued"], kind="stable")
    at_row = period.rename(columns={"issued": "at"})
    home = period.iloc[state_at(at_row, sub, at)]
    begin, until = home["period_start"].to_numpy(), home["period_end"].to_numpy()
    interval = agreements.subs["interval"].to_numpy()[sub]
    currency = agreements.subs["currency"].to_numpy()[sub]
    share = (until - at) / (until - begin)
    parts = []
    for role, state, sign in ((CREDIT_OF_UNUSED, after - 1, -1), (CHARGE, after, 1)):
        plan, quantity = changes["plan"].to_numpy()[state], changes["quantity"].to_numpy()[state]
        unit = price(currency, plan, interval)
        parts.append(
            pd.DataFrame(
                {
                    "sub": sub,
                    "issued": at,
                    "role": role,
                    "plan": plan,
                    "quantity": quantity,
                    "unit": unit,
                    "amount": sign * np.round(unit * quantity * share).astype("int64"),
                    "discount": 0,
                    "period_start": at,
                    "period_end": until,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _extras(rng: np.random.Generator, subs: Frame, heads: Frame) -> Frame:
    """Set-up fees with the first invoice, metered use with some."""
    currency = subs["currency"].to_numpy()[heads["sub"]]
    unit = np.array([10 ** EXPONENT[c] for c in currency]) * np.where(currency == "JPY", 130, 1)
    full = (heads["role"] == FULL).to_numpy()
    first = full & ~heads["sub"].where(full).duplicated().to_numpy() & subs["fee"].to_numpy()[heads["sub"]]
    metered = full & (rng.random(len(heads)) < 0.08)
    metered_amount = (rng.integers(500, 25_000, len(heads)) * unit) // 100
    parts = []
    for kind, rows, amount in (("one_time", first, 500 * unit), ("usage", metered, metered_amount)):
        head = heads[rows]
        parts.append(
            pd.DataFrame(
                {
                    "sub": head["sub"],
                    "issued": head["issued"],
                    "role": kind,
                    "kind": kind,
                    "plan": -1,
                    "quantity": amount[rows] if kind == "usage" else 1,
                    "unit": 1 if kind == "usage" else amount[rows],
                    "amount": amount[rows],
                    "discount": 0,
                    "period_start": head["issued"],
                    "period_end": head["issued"],
                    "inv": head["inv"],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _with_voided(rng: np.random.Generator, heads: Frame, lines: Frame) -> tuple[Frame, Frame]:
    """Now and then an invoice was issued twice by mistake, and one of the two voided minutes later: on the same day, for MRR that is billed
    twice when the day is loaded holds the publication back, as it should.
    """
    same_day = heads["issued"].to_numpy() % DAY < DAY - ISSUED_AGAIN - VOIDED_AFTER
    twice = heads[(heads["role"] == FULL).to_numpy() & (rng.random(len(heads)) < 0.004) & same_day]
    copy = twice.assign(inv=len(heads) + np.arange(len(twice)), issued=twice["issued"] + ISSUED_AGAIN)
    again = lines.merge(pd.DataFrame({"inv": twice["inv"].to_numpy(), "new": copy["inv"].to_numpy()}), on="inv")
    again["inv"] = again.pop("new")
    heads = pd.concat([heads.assign(voided=False), copy.assign(voided=True)], ignore_index=True)
    return heads, pd.concat([lines, again], ignore_index=True)


def _tax(who: Frame, subs: Frame, heads: Frame, lines: Frame) -> Frame:
    net = np.bincount(lines["inv"], lines["amount"] - lines["discount"], len(heads)).round().astype("int64")
    cust = subs["cust"].to_numpy()[heads["sub"]]
    rate = who["country"].map(TAX_PERCENT).fillna(0).to_numpy()[cust] * (who["number"].to_numpy()[cust] % 4 == 0)
    tax = np.sign(net) * (np.abs(net) * rate.astype("int64") + 50) // 100
    rows = (rate > 0) & (net != 0)
    head = heads[rows]
    return pd.DataFrame(
        {
            "sub": head["sub"],
            "issued": head["issued"],
            "role": "tax",
            "kind": "tax",
            "plan": -1,
            "quantity": 1,
            "unit": tax[rows],
            "amount": tax[rows],
            "discount": 0,
            "period_start": head["issued"],
            "period_end": head["issued"],
            "inv": head["inv"],
        }
    )

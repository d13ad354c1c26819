"""The billing ledger as tables in the bring-your-own contract, with the history of each record."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import FOREVER, HOUR, MONTHS, Agreements, price
from orchestration.sources.demo.base import DAY, EPOCH, EXPONENT, NEVER, Frame, Scope, Versions, add_months, forward_fill, ids, pick, stamp
from orchestration.sources.demo.billing import FULL, Ledger, state_at
from orchestration.sources.demo.crm import Accounts
from orchestration.sources.demo.people import untidy

INTERVAL = np.array([i for i, _ in words.INTERVALS], dtype=object)
INTERVAL_COUNT = np.array([c for _, c in words.INTERVALS])


def text(prefix: str, scope: Scope, numbers: np.ndarray) -> np.ndarray:
    """Ids of this block as Python text; negative numbers are NULL."""
    numbers = np.asarray(numbers)
    return ids(prefix, np.where(numbers < 0, -1, numbers + scope.offset), 10).to_numpy(zero_copy_only=False)


def plan_id(currency: np.ndarray, plan: np.ndarray, interval: np.ndarray) -> np.ndarray:
    """One price of one product: `price_team_eur_m3`."""
    name = pick([f"price_{p}_" for p in words.PLANS], np.maximum(plan, 0))
    unit = pick(["_m1", "_m3", "_y1"], interval)
    return np.where(np.asarray(plan) < 0, None, name + np.array([c.lower() for c in currency], dtype=object) + unit)


def plan_rows() -> Frame:
    """The price list: the same for everyone, and from the beginning."""
    keys = [(c, p, i) for c in EXPONENT for p in range(len(words.PLANS)) for i in range(len(words.INTERVALS))]
    currency, plan, interval = (np.array(x) for x in zip(*keys, strict=True))
    return pd.DataFrame(
        {
            "plan_id": plan_id(currency, plan, interval),
            "product_id": pick([f"prod_{p}" for p in words.PLANS], plan),
            "product_name": pick(words.PLAN_NAMES, plan),
            "plan_name": pick(words.PLAN_NAMES, plan) + " " + pick(["monthly", "quarterly", "yearly"], interval),
            "interval": INTERVAL[interval],
            "interval_count": INTERVAL_COUNT[interval],
            "unit_amount": price(currency, plan, interval),
            "currency": currency,
        }
    )


@dataclass
class Payers:
    """Billing customers: most customers are one; some came back as a second."""

    frame: Frame  # payer, cust, created, account_id, email, name, domain, deleted_at
    of_sub: np.ndarray


def make_payers(scope: Scope, who: Frame, accounts: Accounts, agreements: Agreements, people: Frame) -> Payers:
    """Who pays, and what billing knows of them: the CRM's id mostly, else an e-mail, a domain, or a name only."""
    rng = scope.rng("payers")
    subs = agreements.subs
    key = subs["cust"].to_numpy() * 2 + subs["second_payer"].to_numpy()
    made = subs.assign(key=key, created=np.minimum(subs["trial_start"], subs["start"]) - 600).groupby("key")["created"].min()
    n, cust = len(made), made.index.to_numpy() // 2
    created = made.to_numpy()
    draw = rng.random(n)
    kin = who["family"].to_numpy()[cust]
    explicit = (draw < 0.84) | kin
    account = accounts.names[cust].copy()
    # Some were linked to the account that the CRM merged away later.
    copies = accounts.frame[(accounts.frame["merged_at"] < NEVER)].drop_duplicates("cust", keep="last")
    loser = np.full(len(who), -1)
    loser[copies["cust"]] = copies["acc"]
    old = (loser[cust] >= 0) & (rng.random(n) < 0.5)
    account[old] = accounts.names[loser[cust[old]]]
    account[~explicit] = None
    first = np.searchsorted(people["cust"].to_numpy(), cust)
    email = people["email"].to_numpy()[first + np.where(rng.random(n) < 0.8, 2, 1)].copy()
    shared_box = (draw > 0.95) & ~who["free_mail"].to_numpy()[cust] & ~kin
    email[shared_box] = "accounts.payable@" + who["domain"].to_numpy()[cust[shared_box]]
    nameless = draw > 0.993  # only name and country are left to go by
    email[nameless] = "billing" + who["number"].to_numpy()[cust[nameless]].astype(str).astype(object) + "@gmail.com"
    domain = np.where((rng.random(n) < 0.6) & ~who["free_mail"].to_numpy()[cust] & ~nameless, who["domain"].to_numpy()[cust], None)
    dead = (made.index.to_numpy() % 2 == 0) & np.isin(cust, subs["cust"].to_numpy()[subs["ended_by"] == "trial"]) & (rng.random(n) < 0.3)
    frame = pd.DataFrame(
        {
            "payer": np.arange(n),
            "cust": cust,
            "created": created,
            "account_id": account,
            "email": untidy(rng, email, 0.07),
            "name": untidy(rng, who["name"].to_numpy()[cust], 0.1),
            "domain": domain,
            "deleted_at": np.where(dead, created + rng.integers(40, 120, n) * DAY, NEVER),
            "edited_at": np.where(rng.random(n) < 0.15, created + rng.integers(10, 400, n) * DAY, NEVER),
        }
    )
    return Payers(frame, np.searchsorted(made.index.to_numpy(), key))


def customer_versions(scope: Scope, who: Frame, payers: Payers) -> Versions:
    """Billing customers: made, edited now and then, some deleted after a trial that led nowhere."""
    frame = payers.frame
    cust = frame["cust"].to_numpy()
    parts = []
    for at in (frame["created"].to_numpy(), frame["edited_at"].to_numpy(), frame["deleted_at"].to_numpy()):
        rows = np.flatnonzero((at < scope.end) & (at <= frame["deleted_at"].to_numpy()))
        part = frame.iloc[rows]
        parts.append(
            pd.DataFrame(
                {
                    "key": rows,
                    "at": at[rows],
                    "customer_id": text("cus_", scope, rows),
                    "account_id": part["account_id"].to_numpy(),
                    "name": part["name"].to_numpy(),
                    "email": part["email"].to_numpy(),
                    "domain": part["domain"].to_numpy(),
                    "country": who["country"].to_numpy()[cust[rows]],
                    "currency": who["currency"].to_numpy()[cust[rows]],
                    "created_at": stamp(part["created"]),
                    "updated_at": stamp(at[rows]),
                    "deleted": at[rows] >= part["deleted_at"].to_numpy(),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy())


def plan_versions(scope: Scope) -> Versions:
    """The price list never changes. Only the first block writes it."""
    frame = plan_rows() if scope.block == 0 else plan_rows().iloc[:0]
    return Versions.build(frame, np.arange(len(frame)), np.full(len(frame), EPOCH - 400 * DAY), money=("unit_amount",))


def subscription_versions(scope: Scope, agreements: Agreements, payers: Payers, ledger: Ledger) -> Versions:
    """Each subscription at each of its moments: trial, renewals, changes, arrears, pause, notice, end."""
    subs = agreements.subs
    n = len(subs)
    sub = np.arange(n)
    start, end, opened = subs["start"].to_numpy(), subs["end"].to_numpy(), np.minimum(subs["trial_start"], subs["start"]).to_numpy()
    trial = subs["trial_start"].to_numpy() < NEVER
    length = MONTHS[subs["interval"].to_numpy()]
    heads = ledger.invoices
    full = heads[(heads["role"] == FULL) & ~heads["voided"]]
    parts = [
        pd.DataFrame(
            {
                "sub": sub,
                "at": opened,
                "status": np.where(trial, "trialing", "active"),
                "period_start": opened,
                "period_end": np.where(trial, start, add_months(start, length)),
            }
        ),
        pd.DataFrame({"sub": full["sub"], "at": full["issued"], "period_start": full["period_start"], "period_end": full["period_end"]}),
        pd.DataFrame({"sub": sub[trial & (end > start)], "at": start[trial & (end > start)], "status": "active"}),
        pd.DataFrame({"sub": agreements.changes["sub"], "at": agreements.changes["at"]}),
    ]
    late = full[(full["paid"] > full["due_at"] + DAY) & (full["due"] > 0)]
    late = late[(late["due_at"] + HOUR < end[late["sub"]]) & ~late["by_invoice"]]
    parts.append(pd.DataFrame({"sub": late["sub"], "at": late["due_at"] + HOUR, "status": "past_due"}))
    saved = late[(late["paid"] < end[late["sub"]])]
    parts.append(pd.DataFrame({"sub": saved["sub"], "at": saved["paid"], "status": "active"}))
    for column, target in (("paused", "paused_at"), ("resumed", "resumed_at"), ("cancel_requested", "cancel_at")):
        at = subs[column].to_numpy()
        rows = (at < NEVER) & (at < end)
        parts.append(pd.DataFrame({"sub": sub[rows], "at": at[rows], target: at[rows]}))
    ended = end < NEVER
    by_itself = np.where(subs["cancel_requested"] < NEVER, subs["cancel_requested"], end)
    parts.append(pd.DataFrame({"sub": sub[ended], "at": end[ended], "status": "canceled", "cancel_at": by_itself[ended], "ended_at": end[ended]}))
    moments = pd.concat(parts, ignore_index=True)
    for column in ("paused_at", "resumed_at", "cancel_at", "ended_at"):
        moments[column] = moments[column].astype("Int64")
    moments = moments[(moments["at"] < scope.end) & (moments["at"].to_numpy() <= end[moments["sub"]])]
    state = forward_fill(moments, "sub", "at", ["status", "period_start", "period_end", "paused_at", "resumed_at", "cancel_at", "ended_at"])
    row, at = state["sub"].to_numpy(), state["at"].to_numpy()
    terms = agreements.changes.iloc[np.maximum(state_at(agreements.changes, row, np.maximum(at, start[row])), 0)]
    plan, interval, currency = terms["plan"].to_numpy(), subs["interval"].to_numpy()[row], subs["currency"].to_numpy()[row]
    percent, months = subs["percent"].to_numpy()[row], subs["discount_months"].to_numpy()[row]
    moment = lambda name: stamp(state[name].fillna(NEVER).to_numpy().astype("int64"))  # noqa: E731
    frame = pd.DataFrame(
        {
            "subscription_id": text("sub_", scope, row),
            "customer_id": text("cus_", scope, payers.of_sub[row]),
            "status": state["status"],
            "plan_id": plan_id(currency, plan, interval),
            "quantity": terms["quantity"].to_numpy(),
            "unit_amount": price(currency, plan, interval),
            "currency": currency,
            "interval": INTERVAL[interval],
            "interval_count": INTERVAL_COUNT[interval],
            "discount_percent": np.where(percent > 0, percent, np.nan),
            "discount_ends_at": stamp(np.where((percent > 0) & (months < FOREVER), add_months(start[row], np.minimum(months, 99)), NEVER)),
            "started_at": stamp(opened[row]),
            "trial_ends_at": stamp(np.where(trial[row], start[row], NEVER)),
            "paused_at": moment("paused_at"),
            "resumed_at": moment("resumed_at"),
            "cancel_requested_at": moment("cancel_at"),
            "canceled_at": moment("cancel_at"),
            "ended_at": moment("ended_at"),
            "current_period_start": moment("period_start"),
            "current_period_end": moment("period_end"),
            "updated_at": stamp(at),
            "_by_invoice": subs["by_invoice"].to_numpy()[row],
            "_discount_months": months,
            "_reason": pick([r for r, _ in words.REASONS], np.where(at >= end[row], subs["reason"].to_numpy()[row], -1)),
            "_ended_by": subs["ended_by"].to_numpy()[row],
        }
    )
    return Versions.build(frame, row, at, money=("unit_amount",))


def invoice_versions(scope: Scope, ledger: Ledger, payers: Payers) -> Versions:
    """Each invoice: issued, then paid, void or uncollectible."""
    heads = ledger.invoices
    tries = np.bincount(ledger.payments["inv"], minlength=len(heads))
    parts = []
    for column, status in (("issued", "open"), ("paid", "paid"), ("written_off", "uncollectible"), ("void_at", "void")):
        at = heads[column].to_numpy()
        rows = np.flatnonzero((at < scope.end) & ((status == "open") | (at < NEVER)))
        head = heads.iloc[rows]
        sub = head["sub"].to_numpy()
        paid = status == "paid"
        parts.append(
            pd.DataFrame(
                {
                    "key": rows,
                    "at": at[rows],
                    "invoice_id": text("in_", scope, rows),
                    "customer_id": text("cus_", scope, payers.of_sub[sub]),
                    "subscription_id": text("sub_", scope, sub),
                    "status": status,
                    "currency": head["currency"].to_numpy(),
                    "total": head["total"].to_numpy(),
                    "amount_paid": head["due"].to_numpy() if paid else 0,
                    "issued_at": stamp(head["issued"]),
                    "due_at": stamp(head["due_at"]),
                    "paid_at": stamp(at[rows] if paid else np.full(len(rows), NEVER)),
                    "updated_at": stamp(at[rows]),
                    "_attempts": np.where(paid, tries[rows], 0),
                    "_applied": head["applied"].to_numpy(),
                    "_due": head["due"].to_numpy(),
                    "_role": head["role"].to_numpy(),
                    "_by_invoice": head["by_invoice"].to_numpy(),
                    "_period_start": stamp(head["period_start"]),
                    "_period_end": stamp(head["period_end"]),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True).drop_duplicates(["key", "at"], keep="last")
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy(), money=("total", "amount_paid"))


def line_versions(scope: Scope, agreements: Agreements, ledger: Ledger, payers: Payers) -> Versions:
    """Invoice lines, final from the moment their invoice is issued."""
    line, heads = ledger.lines, ledger.invoices
    sub = line["sub"].to_numpy()
    issued = heads["issued"].to_numpy()[line["inv"]]
    interval, currency = agreements.subs["interval"].to_numpy()[sub], agreements.subs["currency"].to_numpy()[sub]
    recurring = (line["kind"] == "recurring").to_numpy()
    frame = pd.DataFrame(
        {
            "line_id": text("il_", scope, line["line"].to_numpy()),
            "invoice_id": text("in_", scope, line["inv"].to_numpy()),
            "customer_id": text("cus_", scope, payers.of_sub[sub]),
            "subscription_id": text("sub_", scope, sub),
            "plan_id": plan_id(currency, line["plan"].to_numpy(), interval),
            "kind": line["kind"].to_numpy(),
            "quantity": line["quantity"].to_numpy(),
            "unit_amount": line["unit"].to_numpy(),
            "amount": line["amount"].to_numpy(),
            "discount_amount": line["discount"].to_numpy(),
            "currency": currency,
            "period_start": stamp(line["period_start"]),
            "period_end": stamp(line["period_end"]),
            "interval": np.where(recurring, INTERVAL[interval], None),
            "interval_count": pd.array(np.where(recurring, INTERVAL_COUNT[interval], None), dtype="Int64"),
            "is_proration": np.isin(line["role"].to_numpy(), ["unused", "remaining"]),
            "_role": line["role"].to_numpy(),
        }
    )
    return Versions.build(frame, np.arange(len(line)), issued, money=("unit_amount", "amount", "discount_amount"))


def payment_versions(scope: Scope, ledger: Ledger, payers: Payers) -> Versions:
    """Attempts to collect."""
    pay = ledger.payments
    head = ledger.invoices.iloc[pay["inv"]]
    frame = pd.DataFrame(
        {
            "payment_id": text("ch_", scope, np.arange(len(pay))),
            "invoice_id": text("in_", scope, pay["inv"].to_numpy()),
            "customer_id": text("cus_", scope, payers.of_sub[head["sub"].to_numpy()]),
            "status": np.where(pay["ok"], "succeeded", "failed"),
            "amount": pay["amount"].to_numpy(),
            "currency": head["currency"].to_numpy(),
            "attempted_at": stamp(pay["at"]),
            "failure_code": pay["code"].to_numpy(),
        }
    )
    return Versions.build(frame, np.arange(len(pay)), pay["at"].to_numpy(), money=("amount",))


def charge_versions(scope: Scope, ledger: Ledger, payers: Payers) -> Versions:
    """Payments as the vendor keeps them: a charge remembers what was refunded and whether it is disputed."""
    base = payment_versions(scope, ledger, payers).frame.assign(amount_refunded=0, disputed=False)
    at = ledger.payments["at"].to_numpy()
    succeeded = ledger.payments[ledger.payments["ok"]].reset_index().set_index("inv")["index"]
    after = ledger.credits[
        ledger.credits["kind"].isin(["refund", "dispute"]) & ledger.credits["inv"].isin(succeeded.index) & (ledger.credits["at"] < scope.end)
    ]
    of_charge = succeeded.loc[after["inv"]].to_numpy()
    refund = (after["kind"] == "refund").to_numpy()
    later = base.iloc[of_charge].assign(amount_refunded=np.where(refund, after["amount"], 0), disputed=~refund)
    frame = pd.concat([base, later], ignore_index=True)
    return Versions.build(frame, np.concatenate([np.arange(len(base)), of_charge]), np.concatenate([at, after["at"].to_numpy()]), money=("amount",))


def credit_versions(scope: Scope, ledger: Ledger, payers: Payers) -> Versions:
    """Refunds, credit notes and disputes."""
    credit = ledger.credits
    head = ledger.invoices.iloc[credit["inv"]]
    succeeded = ledger.payments[ledger.payments["ok"]].reset_index().drop_duplicates("inv").set_index("inv")["index"]
    charge = text("ch_", scope, succeeded.reindex(credit["inv"]).fillna(-1).to_numpy().astype("int64"))
    prefix = credit["kind"].map({"refund": "re_", "credit_note": "cn_", "dispute": "dp_"}).to_numpy().astype(object)
    frame = pd.DataFrame(
        {
            "credit_id": prefix + text("", scope, credit["credit"].to_numpy()),
            "kind": credit["kind"].to_numpy(),
            "customer_id": text("cus_", scope, payers.of_sub[head["sub"].to_numpy()]),
            "invoice_id": text("in_", scope, credit["inv"].to_numpy()),
            "line_id": text("il_", scope, credit["line"].to_numpy()),
            "amount": credit["amount"].to_numpy(),
            "currency": head["currency"].to_numpy(),
            "issued_at": stamp(credit["at"]),
            "_charge_id": charge,
        }
    )
    return Versions.build(frame, np.arange(len(credit)), credit["at"].to_numpy(), money=("amount",))

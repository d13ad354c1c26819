"""The billing ledger as tables in the bring-your-own contract, with the history of each record."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import FOREVER, FULL, HOUR, MONTHS, Agreements, price
from orchestration.sources.demo.base import DAY, NEVER, Scope, Versions, add_months, forward_fill, pick, stamp, text
from orchestration.sources.demo.billing import Ledger, state_at
from orchestration.sources.demo.payers import Payers
from orchestration.sources.demo.price_list import INTERVAL, INTERVAL_COUNT, plan_id


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

"""How invoices were paid, or not, and what was given back."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo.agreements import FULL, HOUR, Agreements
from orchestration.sources.demo.base import DAY, NEVER, Frame, Scope

VOIDED_AFTER = 1_200  # seconds from a mistaken invoice to its end


def collect(scope: Scope, rng: np.random.Generator, agreements: Agreements, heads: Frame) -> tuple[Frame, Frame]:
    """When each invoice was paid, how often the card was tried, what was never paid."""
    subs, n = agreements.subs, len(heads)
    sub, issued, total = heads["sub"].to_numpy(), heads["issued"].to_numpy(), heads["total"].to_numpy()
    by_invoice = subs["by_invoice"].to_numpy()[sub]
    # A negative invoice is kept as credit and lowers the next regular one.
    credit = np.zeros(n, dtype="int64")
    full = np.flatnonzero((heads["role"] == FULL).to_numpy() & ~heads["voided"].to_numpy())
    full = full[np.lexsort((issued[full], sub[full]))]
    for row in np.flatnonzero(total < 0):
        wide = np.int64(1) << 36
        following = np.searchsorted(sub[full] * wide + issued[full], sub[row] * wide + issued[row], side="right")
        if following < len(full) and sub[full[following]] == sub[row]:
            credit[full[following]] -= total[row]
    heads["applied"] = np.minimum(credit, total.clip(0))
    due = np.where(heads["voided"], 0, (total - heads["applied"]).clip(0))
    late = agreements.late.rename(columns={"at": "issued"}).drop_duplicates(["sub", "issued"])
    days_late = heads[["sub", "issued"]].merge(late, on=["sub", "issued"], how="left")["days"].fillna(0).to_numpy().astype("int64")
    days_late[heads["voided"]] = 0
    prompt = np.where(by_invoice, rng.integers(5, 29, n) * DAY + rng.integers(0, DAY, n), HOUR + rng.integers(0, 300, n))
    due_at = np.where(by_invoice, issued + 30 * DAY, issued)
    paid = np.where(days_late > 0, due_at + days_late * DAY + HOUR, issued + prompt)
    paused = (issued >= subs["paused"].to_numpy()[sub]) & (issued < subs["resumed"].to_numpy()[sub])
    unpaid = (issued >= subs["unpaid_from"].to_numpy()[sub]) & (due > 0)
    paid = np.where(due == 0, issued, paid)
    paid = np.where(unpaid | (paused & (due > 0)) | heads["voided"], NEVER, paid)
    heads = heads.assign(due=due, due_at=due_at, paid=paid, by_invoice=by_invoice)
    # Collection that is paused marks the invoice uncollectible at once; one that nobody pays, when the subscription ends.
    heads["written_off"] = np.where(paused & (due > 0), issued + 60, np.where(unpaid, np.maximum(subs["end"].to_numpy()[sub], issued + HOUR), NEVER))
    heads["void_at"] = np.where(heads["voided"], issued + VOIDED_AFTER, NEVER)
    attempts = []
    tries = ~by_invoice & (due > 0) & ~paused & ~heads["voided"].to_numpy()
    for number, day in enumerate((0, 3, 7, 11, 15)):
        failed = tries & ((days_late > day) | (unpaid & (issued + day * DAY + HOUR < subs["end"].to_numpy()[sub])))
        attempts.append(_attempt(heads, failed, issued + day * DAY + HOUR, False, rng))
        if number == 0:
            attempts.append(_attempt(heads, (due > 0) & (paid < NEVER), paid, True, rng))
    payments = pd.concat(attempts, ignore_index=True).sort_values(["at", "inv"], kind="stable").reset_index(drop=True)
    return heads, payments[payments["at"] < scope.end].reset_index(drop=True)


def _attempt(heads: Frame, rows: np.ndarray, at: np.ndarray, ok: bool, rng: np.random.Generator) -> Frame:
    code = rng.choice(["card_declined", "insufficient_funds", "expired_card"], int(rows.sum()))
    return pd.DataFrame(
        {"inv": heads["inv"].to_numpy()[rows], "at": at[rows], "ok": ok, "amount": heads["due"].to_numpy()[rows], "code": None if ok else code}
    )


def give_credits(rng: np.random.Generator, subs: Frame, heads: Frame, lines: Frame) -> Frame:
    """Credit notes on recurring lines (lower MRR until the period ends), refunds and disputes (don't)."""
    n = len(heads)
    paid = heads["paid"].to_numpy()
    plain = (heads["role"] == FULL).to_numpy() & (paid < NEVER) & (heads["due"] > 20).to_numpy()
    draw = rng.random(n)
    line_of = lines[lines["role"] == FULL].drop_duplicates("inv").set_index("inv")
    noted = heads[plain & (draw < 0.008)]
    on = line_of.loc[noted["inv"]]
    share = rng.integers(5, 26, len(noted))
    begin, until = on["period_start"].to_numpy(), np.minimum(on["period_end"].to_numpy(), subs["end"].to_numpy()[on["sub"].to_numpy()])
    at = begin + ((until - begin) * rng.uniform(0.1, 0.8, len(noted))).astype("int64")
    amount = (on["amount"].to_numpy() - on["discount"].to_numpy()) * share // 100
    notes = pd.DataFrame(
        {"kind": "credit_note", "inv": noted["inv"].to_numpy(), "line": on["line"].to_numpy(), "amount": amount, "at": at, "until": until}
    )
    parts = [notes[(notes["amount"] > 0) & (notes["at"] > paid[notes["inv"]])]]
    for kind, rows in (("refund", plain & (draw > 0.993)), ("dispute", plain & (draw > 0.9915) & (draw <= 0.993) & ~heads["by_invoice"].to_numpy())):
        head = heads[rows]
        whole = rng.random(len(head)) < 0.5
        amount = np.where(whole | (kind == "dispute"), head["due"], head["due"] * rng.integers(10, 90, len(head)) // 100)
        at = head["paid"].to_numpy() + rng.integers(2, 120, len(head)) * DAY + rng.integers(0, DAY, len(head))
        parts.append(pd.DataFrame({"kind": kind, "inv": head["inv"].to_numpy(), "line": -1, "amount": amount, "at": at, "until": NEVER}))
    credits = pd.concat(parts, ignore_index=True).sort_values(["at", "inv"], kind="stable").reset_index(drop=True)
    return credits.assign(credit=np.arange(len(credits)))

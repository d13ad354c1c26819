"""Deals in the CRM: the first sale, every expansion, every yearly renewal."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import HOUR, MONTHS, Agreements, price
from orchestration.sources.demo.base import DAY, NEVER, Frame, Scope, Versions, add_months, ids, pick, stamp
from orchestration.sources.demo.crm import Accounts


def opportunity_versions(scope: Scope, who: Frame, accounts: Accounts, agreements: Agreements) -> Versions:
    """Deals: the first sale, every expansion, every yearly renewal. Lost ones carry a reason."""
    rng = scope.rng("deals")
    subs, changes = agreements.subs, agreements.changes
    parts = []

    def deals(kind: str, cust: np.ndarray, opened: np.ndarray, closed: np.ndarray, won: np.ndarray, amount: np.ndarray) -> None:
        parts.append(pd.DataFrame({"kind": kind, "cust": cust, "opened": opened, "closed": closed, "won": won, "amount": amount}))

    yearly = (
        price(subs["currency"].to_numpy(), subs["plan"].to_numpy(), subs["interval"].to_numpy())
        * subs["seats"].to_numpy()
        * (12 // MONTHS[subs["interval"].to_numpy()])
    )
    main = (subs["kind"] != "addon").to_numpy() & (subs["ended_by"] != "trial").to_numpy()
    first = subs[main]
    created = accounts.frame["created"].to_numpy()
    deals(
        "new",
        first["cust"].to_numpy(),
        np.where(first["kind"] == "main", created[first["cust"]] + DAY, first["start"] - 9 * DAY),
        first["start"].to_numpy() + HOUR,
        np.ones(len(first), bool),
        yearly[main],
    )
    paying = set(first["cust"])
    never = np.array([c for c in range(len(who)) if c not in paying], dtype=int)
    closes = created[never] + rng.integers(40, 160, len(never)) * DAY
    deals(
        "new",
        never,
        created[never] + DAY,
        np.where(rng.random(len(never)) < 0.6, closes, NEVER),
        np.zeros(len(never), bool),
        np.full(len(never), 500_000),
    )
    grown = np.flatnonzero(changes["prorated"].to_numpy() & (changes["quantity"].diff().fillna(0).to_numpy() > 0))
    sub = changes["sub"].to_numpy()[grown]
    at = changes["at"].to_numpy()[grown]
    deals("expansion", subs["cust"].to_numpy()[sub], at - rng.integers(6, 30, len(at)) * DAY, at, np.ones(len(at), bool), yearly[sub] // 10)
    annual = subs[main & (subs["interval"] == 2).to_numpy()]
    for year in (1, 2, 3):
        due = add_months(annual["start"].to_numpy(), np.full(len(annual), 12 * year))
        rows = due <= annual["end"].to_numpy()
        won = annual["end"].to_numpy() > due
        deals("renewal", annual["cust"].to_numpy()[rows], (due - 90 * DAY)[rows], due[rows], won[rows], yearly[annual["sub"].to_numpy()][rows])
    deal = pd.concat(parts, ignore_index=True).sort_values(["opened", "cust"], kind="stable").reset_index(drop=True)
    n = len(deal)
    names = ids("", 61_000_000_000 + scope.offset + np.arange(n)).to_numpy(zero_copy_only=False)
    opened, closed = deal["opened"].to_numpy(), deal["closed"].to_numpy()
    half = opened + ((np.minimum(closed, opened + 60 * DAY) - opened) * 0.5).astype("int64")
    lost_reason = pick([r for r, _ in words.REASONS], rng.integers(0, len(words.REASONS), n))
    out = []
    for at, stage in ((opened, "qualified"), (half, "proposal"), (closed, "closed")):
        rows = np.flatnonzero(at < scope.end)
        over = stage == "closed"
        won = deal["won"].to_numpy()[rows]
        out.append(
            pd.DataFrame(
                {
                    "key": rows,
                    "at": at[rows],
                    "opportunity_id": names[rows],
                    "account_id": accounts.names[deal["cust"].to_numpy()[rows]],
                    "kind": deal["kind"].to_numpy()[rows],
                    "stage": np.where(won, "closed_won", "closed_lost") if over else stage,
                    "amount": deal["amount"].to_numpy()[rows],
                    "currency": who["currency"].to_numpy()[deal["cust"].to_numpy()[rows]],
                    "created_at": stamp(opened[rows]),
                    "closed_at": stamp(at[rows] if over else np.full(len(rows), NEVER)),
                    "is_won": pd.array(won if over else [None] * len(rows), dtype="boolean"),
                    "loss_reason": np.where(won, None, lost_reason[rows]) if over else None,
                    "updated_at": stamp(at[rows]),
                }
            )
        )
    table = pd.concat(out, ignore_index=True)
    return Versions.build(table.drop(columns=["key", "at"]), table["key"].to_numpy(), table["at"].to_numpy(), money=("amount",))

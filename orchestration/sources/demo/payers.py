"""Who pays: customers of the billing system, and what it knows of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.sources.demo.agreements import Agreements
from orchestration.sources.demo.base import DAY, NEVER, Frame, Scope, Versions, stamp, text
from orchestration.sources.demo.crm import Accounts
from orchestration.sources.demo.people import untidy


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

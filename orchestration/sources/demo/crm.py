"""The CRM as its users keep it: accounts with duplicates, merges and gaps, contacts that come and go, deals, touches, goals, campaigns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import HOUR
from orchestration.sources.demo.base import DAY, EPOCH, EXPONENT, NEVER, Frame, Scope, Versions, ids, pick, stamp
from orchestration.sources.demo.customers import Customers
from orchestration.sources.demo.people import untidy

OWNER_EMAILS = [f"{o}@{words.OWNER_DOMAIN}" for o in words.OWNERS]


@dataclass
class Accounts:
    """Every CRM account: the first row of each customer is the one that stays. `acc` is its row number."""

    frame: Frame  # acc, cust, created, merged_at, merged_into (acc), deleted_at
    names: np.ndarray  # account ids as text


def make_accounts(scope: Scope, who: Frame) -> Accounts:
    """Primary accounts, then duplicates: most are merged (some along a chain), a few stay, a few are deleted."""
    rng = scope.rng("accounts")
    n = len(who)
    signup = EPOCH + who["day"].to_numpy() * DAY + who["hour"].to_numpy()
    primary = pd.DataFrame(
        {"cust": np.arange(n), "created": signup - rng.integers(5, 60, n) * DAY, "merged_at": NEVER, "merged_into": -1, "deleted_at": NEVER}
    )
    draw = rng.random(n)
    draw[who["family"].to_numpy()] = 1  # their shared domain is mess enough
    if n >= 20:  # a small company has some of each, too
        draw[np.argsort(draw[: n // 3], kind="stable")[:3]] = [0.001, 0.02, 0.03]
    twice = np.flatnonzero(draw < 0.065)
    copy = primary.iloc[twice].copy()
    copy["created"] += rng.integers(2, 80, len(copy)) * DAY
    merged = draw[twice] < 0.05
    copy.loc[merged, "merged_at"] = copy["created"][merged] + rng.integers(5, 90, int(merged.sum())) * DAY
    copy.loc[merged, "merged_into"] = copy["cust"][merged]
    dropped = draw[twice] > 0.06
    copy.loc[dropped, "deleted_at"] = copy["created"][dropped] + rng.integers(20, 200, int(dropped.sum())) * DAY
    # A chain: a third account that was merged into the second before that one was merged into the first.
    chained = np.flatnonzero(merged & (draw[twice] < 0.014))
    third = copy.iloc[chained].copy()
    third["merged_into"] = n + chained
    third["merged_at"] = copy["merged_at"].to_numpy()[chained] - 2 * DAY
    third["created"] += DAY
    frame = pd.concat([primary, copy, third], ignore_index=True)
    frame["acc"] = np.arange(len(frame))
    return Accounts(frame, ids("", 20_000_000_000 + scope.offset + frame["acc"].to_numpy()).to_numpy(zero_copy_only=False))


def account_versions(scope: Scope, who: Frame, accounts: Accounts, first_paid: np.ndarray) -> Versions:
    """History of the accounts: creation, enrichment, owner changes, merges, deletions."""
    rng = scope.rng("accver")
    frame = accounts.frame
    n, cust = len(frame), frame["cust"].to_numpy()
    is_copy = np.arange(n) >= len(who)
    created, end = frame["created"].to_numpy(), scope.end
    domain = who["domain"].to_numpy()[cust].copy()
    missing = who["free_mail"].to_numpy()[cust] | ((rng.random(n) < 0.07) & ~who["family"].to_numpy()[cust])
    domain[missing] = None
    filled_at = np.where(~missing & (rng.random(n) < 0.05), created + rng.integers(20, 200, n) * DAY, created)
    owner = who["owner"].to_numpy()[cust]
    moved = np.where(rng.random(n) < 0.3, created + rng.integers(30, max(scope.days, 40), n) * DAY, NEVER)
    new_owner = (owner + 1 + rng.integers(0, 5, n)) % len(words.OWNERS)
    paid = np.where(first_paid[cust] < NEVER, first_paid[cust], NEVER)
    cost = (np.exp(7.2 + 0.5 * who["size"].to_numpy()[cust]) // 10 * 10).astype("int64")
    currency = who["currency"].to_numpy()[cust]
    scale = np.array([10 ** EXPONENT[c] for c in currency]) * np.where(currency == "JPY", 130, 1)
    stop = np.minimum(frame["merged_at"].to_numpy(), frame["deleted_at"].to_numpy())
    moments = [
        created,
        np.where(filled_at > created, filled_at, NEVER),
        moved,
        np.where(is_copy, NEVER, paid + HOUR),
        frame["merged_at"].to_numpy(),
        frame["deleted_at"].to_numpy(),
    ]
    # A merge is a change of the account that stays, too; it remembers all that went into it, along chains.
    merged_into, lost = frame["merged_into"].to_numpy(), [[] for _ in range(n)]
    touched = np.full(n, NEVER)
    for loser in np.flatnonzero(merged_into >= 0)[::-1]:
        lost[merged_into[loser]] += [accounts.names[loser], *lost[loser]]
        touched[merged_into[loser]] = frame["merged_at"].to_numpy()[loser]
    merged_ids = np.array([";".join(one) or None for one in lost], dtype=object)
    moments.append(touched)
    parent = who["parent"].to_numpy()[cust]
    name = untidy(rng, who["name"].to_numpy()[cust], 0.06)
    name[is_copy] = untidy(rng, who["name"].to_numpy()[cust[is_copy]], 0.7)
    parts = []
    for at in moments:
        rows = np.flatnonzero((at < end) & (at <= stop))
        when = at[rows]
        at_merge = when >= frame["merged_at"].to_numpy()[rows]
        parts.append(
            pd.DataFrame(
                {
                    "acc": rows,
                    "at": when,
                    "account_id": accounts.names[rows],
                    "name": name[rows],
                    "domain": np.where(when >= filled_at[rows], domain[rows], None),
                    "parent_account_id": np.where(is_copy[rows], None, pick(accounts.names, parent[rows])),
                    "industry": who["industry"].to_numpy()[cust[rows]],
                    "country": who["country"].to_numpy()[cust[rows]],
                    "employees": who["employees"].to_numpy()[cust[rows]],
                    "owner_email": pick(OWNER_EMAILS, np.where(when >= moved[rows], new_owner[rows], owner[rows])),
                    "acquisition_cost": np.where(is_copy[rows] | (when < paid[rows]), -1, cost[rows] * scale[rows]),
                    "currency": currency[rows],
                    "merged_into_account_id": np.where(at_merge, pick(accounts.names, frame["merged_into"].to_numpy()[rows]), None),
                    "created_at": stamp(created[rows]),
                    "updated_at": stamp(when),
                    "deleted": when >= frame["deleted_at"].to_numpy()[rows],
                    "_merged_ids": np.where(when >= touched[rows], merged_ids[rows], None),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True).drop_duplicates(["acc", "at"], keep="last")
    return Versions.build(out.drop(columns=["acc", "at"]), out["acc"].to_numpy(), out["at"].to_numpy(), money=("acquisition_cost",))


def contact_versions(scope: Scope, accounts: Accounts, customers: Customers, people: Frame) -> Versions:
    """Contacts, sponsors who leave (more often where it goes badly), a late edit, a few erased for good."""
    rng = scope.rng("contact")
    known = people[people["in_crm"].to_numpy()].reset_index(drop=True)
    n, cust = len(known), known["cust"].to_numpy()
    created = accounts.frame["created"].to_numpy()[cust] + rng.integers(1, 30, n) * DAY
    life = scope.end - created
    decision = np.isin(known["role"].to_numpy(), ["executive_sponsor", "champion"])
    base = customers.mean_health(cust, np.full(n, scope.end), customers.health.shape[1] - 1)
    leaves = rng.random(n) < np.where(decision, 0.16 * np.exp(-0.6 * base), 0.05)
    left = np.where(leaves, created + (life * rng.uniform(0.1, 1, n)).astype("int64"), NEVER)
    edited = np.where(rng.random(n) < 0.25, created + (life * rng.uniform(0.02, 1, n)).astype("int64"), NEVER)
    erased = np.where(
        (rng.random(n) < 0.006) & (known["role"] == "user").to_numpy(), created + (life * rng.uniform(0.3, 1, n)).astype("int64"), NEVER
    )
    email = untidy(rng, known["email"].to_numpy(), 0.06)
    email[(rng.random(n) < 0.03) & (known["role"] == "user").to_numpy()] = None
    numbers = ids("", 51_000_000_000 + scope.offset + np.arange(n)).to_numpy(zero_copy_only=False)
    role = known["role"].to_numpy().copy()
    role[(rng.random(n) < 0.05) & ~decision] = None
    parts = []
    for at, gone in ((created, False), (edited, False), (left, False), (erased, True)):
        rows = np.flatnonzero((at < scope.end) & (at <= erased))
        when = at[rows]
        # Some edits reach the API only hours after the time they carry.
        seen = when + np.where(rng.random(len(rows)) < 0.01, rng.integers(600, 6 * HOUR, len(rows)), 0)
        parts.append(
            pd.DataFrame(
                {
                    "key": rows,
                    "seen": seen,
                    "gone": gone,
                    "contact_id": numbers[rows],
                    "account_id": accounts.names[cust[rows]],
                    "email": email[rows],
                    "full_name": known["full_name"].to_numpy()[rows],
                    "role": role[rows],
                    "active": when < left[rows],
                    "created_at": stamp(created[rows]),
                    "updated_at": stamp(when),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return Versions.build(out.drop(columns=["key", "seen", "gone"]), out["key"].to_numpy(), out["seen"].to_numpy(), out["gone"].to_numpy())

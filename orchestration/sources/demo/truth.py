"""What is true, to hold against what the pipeline finds: who is who, MRR, churn and its reasons.

MRR is added up from the agreements, never from invoice lines. Its rules are the default preset of docs: net of discounts,
an expired discount expands, past due and paused count, churn at the end of the paid period (or when an unpaid subscription
is ended), a credit note on a recurring line lowers the rate from its issue until the line's period ends.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import FOREVER, MONTHS, price
from orchestration.sources.demo.base import EXPONENT, NEVER, Frame, add_months, stamp, text
from orchestration.sources.demo.block import Block


def identities(block: Block) -> Frame:
    """Whose each record is: domain, source_relation, source_id, customer. A respondent is an account, else an e-mail."""
    who = block.who["customer"].to_numpy()
    tables = block.tables
    accounts, payers = block.accounts, block.payers.frame
    answers = tables["surveys"]["responses"].frame
    email = answers["email"].str.strip().str.lower()
    answerer = answers["account_id"].where(answers["account_id"].notna(), email)
    organizations, workspaces = tables["support"]["organizations"], tables["product"]["workspaces"]
    parts = [
        ("crm", "hubspot", accounts.names, accounts.frame["cust"].to_numpy()),
        ("billing", "stripe", text("cus_", block.scope, np.arange(len(payers))), payers["cust"].to_numpy()),
        ("support", "zendesk", organizations.frame["organization_id"].to_numpy(), organizations.key),
        ("product", "files", workspaces.frame["workspace_id"].to_numpy(), workspaces.key),
        ("surveys", "files", answerer.to_numpy(), answers["_cust"].to_numpy()),
    ]
    frames = [pd.DataFrame({"domain": d, "source_relation": s, "source_id": ids, "customer": who[cust]}) for d, s, ids, cust in parts]
    return pd.concat(frames, ignore_index=True).dropna(subset="source_id").drop_duplicates(["domain", "source_id"]).reset_index(drop=True)


def mrr_changes(block: Block) -> Frame:
    """Every change of every subscription's monthly rate: customer, currency, at (UTC), and the change in twelfths of a minor unit."""
    subs, changes = block.agreements.subs, block.agreements.changes
    start, end, percent = subs["start"].to_numpy(), subs["end"].to_numpy(), subs["percent"].to_numpy()
    months = subs["discount_months"].to_numpy()
    discount_ends = np.where(months < FOREVER, add_months(start, np.minimum(months, FOREVER)), NEVER)
    discount_ends = np.where(percent > 0, discount_ends, start)
    sold = changes[(changes["at"].to_numpy() < end[changes["sub"]])]
    # A moment is a new state of quantity and plan, or the end of the discount.
    expires = subs[(percent > 0) & (discount_ends < end)]
    moments = pd.concat(
        [sold[["sub", "at", "quantity", "plan"]], pd.DataFrame({"sub": expires["sub"], "at": discount_ends[expires["sub"]]})], ignore_index=True
    )
    moments = moments.sort_values(["sub", "at"], kind="stable").reset_index(drop=True)
    moments[["quantity", "plan"]] = moments.groupby("sub")[["quantity", "plan"]].ffill()
    moments = moments.drop_duplicates(["sub", "at"], keep="last")
    sub, at = moments["sub"].to_numpy(), moments["at"].to_numpy()
    interval = subs["interval"].to_numpy()[sub]
    unit = price(subs["currency"].to_numpy()[sub], moments["plan"].to_numpy().astype(int), interval)
    off = np.where(at < discount_ends[sub], percent[sub], 0)
    rate = unit * moments["quantity"].to_numpy().astype("int64") * (12 // MONTHS[interval]) * (100 - off) // 100
    before = np.where(np.r_[True, sub[1:] != sub[:-1]], 0, np.r_[0, rate[:-1]])
    last = np.r_[sub[1:] != sub[:-1], True] & (end[sub] < NEVER)
    credit = block.ledger.credits[block.ledger.credits["kind"] == "credit_note"]
    owner = block.ledger.invoices["sub"].to_numpy()[credit["inv"]]
    less = credit["amount"].to_numpy() * (12 // MONTHS[subs["interval"].to_numpy()[owner]])
    all_sub = np.concatenate([sub, sub[last], owner, owner])
    cust = subs["cust"].to_numpy()[all_sub]
    out = pd.DataFrame(
        {
            "customer": block.who["customer"].to_numpy()[cust],
            "currency": subs["currency"].to_numpy()[all_sub],
            "at": stamp(np.concatenate([at, end[sub[last]], credit["at"], credit["until"]])),
            "twelfths": np.concatenate([rate - before, -rate[last], -less, less]),
        }
    )
    return out[(out["twelfths"] != 0) & out["at"].notna()].sort_values(["customer", "at"], kind="stable").reset_index(drop=True)


def mrr_intervals(changes: Frame, time_zone: str = "UTC") -> Frame:
    """MRR per customer and currency as half-open dates; only stretches with revenue. valid_to NaT = still open at the end of the world."""
    day = changes["at"].dt.tz_localize("UTC").dt.tz_convert(time_zone).dt.tz_localize(None).dt.normalize()
    daily = changes.assign(day=day).groupby(["customer", "currency", "day"], as_index=False)["twelfths"].sum()
    daily = daily[daily["twelfths"] != 0]
    keys = ["customer", "currency"]
    total = daily.groupby(keys)["twelfths"].cumsum()
    out = daily[keys].assign(
        valid_from=daily["day"], valid_to=daily.groupby(keys)["day"].shift(-1), mrr=total / 12 / 10.0 ** daily["currency"].map(EXPONENT)
    )
    return out[total > 0].round({"mrr": 4}).reset_index(drop=True)


def churn_events(block: Block, intervals: Frame) -> Frame:
    """Each time a customer lost all revenue: when, how much, of its own will or not, and why."""
    latest = intervals.assign(next_from=intervals.groupby("customer")["valid_from"].shift(-1))
    ends = latest[latest["valid_to"].notna() & (latest["valid_to"] != latest["next_from"])]
    subs = block.agreements.subs
    subs = subs[(subs["ended_by"].isin(["voluntary", "involuntary"])) & (subs["kind"] != "addon")]
    cause = pd.DataFrame(
        {
            "customer": block.who["customer"].to_numpy()[subs["cust"]],
            "valid_to": pd.Series(stamp(subs["end"].to_numpy())).dt.normalize(),
            "kind": subs["ended_by"].to_numpy(),
            "stated_reason": [None if r < 0 else words.REASONS[r][0] for r in subs["reason"]],
            "root_cause": [None if r < 0 else words.REASONS[r][1] for r in subs["reason"]],
        }
    )
    out = ends.merge(cause.drop_duplicates(["customer", "valid_to"]), on=["customer", "valid_to"], how="left")
    return out.rename(columns={"valid_to": "churned_on", "mrr": "mrr_lost"})[
        ["customer", "currency", "churned_on", "mrr_lost", "kind", "stated_reason", "root_cause"]
    ]


def customers(block: Block) -> Frame:
    """The true customers."""
    who = block.who
    parent = np.append(who["customer"].to_numpy(), None)[who["parent"].to_numpy()]
    return (
        who[["customer", "name", "domain", "country", "currency", "employees"]]
        .assign(parent=parent, signed_up_on=stamp(block.customers.signup))
        .reset_index(drop=True)
    )


def truth(blocks: list[Block]) -> dict[str, Frame]:
    """All truth tables of some blocks."""
    found: dict[str, list[Frame]] = {}
    for block in blocks:
        changes = mrr_changes(block)
        intervals = mrr_intervals(changes)
        tables = {
            "customers": customers(block),
            "identities": identities(block),
            "mrr_changes": changes,
            "mrr": intervals,
            "churn_events": churn_events(block, intervals),
        }
        for name, frame in tables.items():
            found.setdefault(name, []).append(frame)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in found.items()}

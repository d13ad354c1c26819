"""What customer success does with customers: touches, success goals, campaigns. Also part of the CRM."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import HOUR, Agreements
from orchestration.sources.demo.base import DAY, EPOCH, NEVER, Frame, Scope, Versions, ids, office_hours, pick, stamp
from orchestration.sources.demo.crm import OWNER_EMAILS, Accounts
from orchestration.sources.demo.customers import Customers

NOTES = ["went well", "open questions on reports", "asked about pricing", "=cmd|' /C calc'!A0", "sponsor joined", None]


def span(scope: Scope, agreements: Agreements, n: int) -> tuple[np.ndarray, np.ndarray]:
    """First second and last second of each customer's time with us (NEVER, NEVER for those without a subscription)."""
    subs = agreements.subs
    begin, until = np.full(n, NEVER), np.zeros(n, dtype="int64")
    np.minimum.at(begin, subs["cust"], np.minimum(subs["trial_start"], subs["start"]))
    np.maximum.at(until, subs["cust"], np.minimum(subs["end"], scope.end))
    return begin, np.where(begin < NEVER, until, NEVER)


def activity_versions(scope: Scope, customers: Customers, accounts: Accounts, agreements: Agreements, people: Frame) -> Versions:
    """Kick-off, training, then check-ins at the pace of size and health, reviews each quarter, an exit interview at the end."""
    rng = scope.rng("touches")
    who = customers.frame
    n = len(who)
    begin, until = span(scope, agreements, n)
    began = begin < NEVER
    parts = []

    def touch(kind: str, cust: np.ndarray, at: np.ndarray, **more: object) -> None:
        keep = (at < until[cust] + (30 * DAY if kind == "exit_interview" else 0)) & (at < scope.end)
        parts.append(pd.DataFrame({"kind": kind, "cust": cust, "at": at, **more})[keep])

    all_ = np.flatnonzero(began)
    day = lambda moment: (moment - EPOCH) // DAY  # noqa: E731
    health = customers.mean_health(all_, begin[all_] + 56 * DAY)
    touch("kickoff", all_, office_hours(rng, day(begin[all_]) + rng.integers(1, 9, len(all_))))
    trained = rng.random(len(all_)) < 1 / (1 + np.exp(-(2.4 + 1.5 * health)))
    wait = np.clip(rng.normal(24 - 7 * health, 7), 6, 110).astype(int)
    touch("training", all_[trained], office_hours(rng, day(begin[all_[trained]]) + wait[trained]))
    # Regular touches: one Poisson number a customer and month.
    months = (scope.days + scope.horizon) // 30 + 1
    pace = np.exp(0.35 + 0.3 * who["size"].to_numpy())
    for kind, factor, every in (
        ("check_in", 0.24, 1),
        ("email", 0.3, 1),
        ("call", 0.14, 1),
        ("business_review", 0.3, 3),
        ("executive_review", 0.1, 3),
        ("interview", 0.04, 3),
    ):
        for month in range(0, months, every):
            middle = np.full(n, EPOCH + (month * 30 + 15) * DAY)
            warm = np.exp(0.75 * customers.mean_health(np.arange(n), middle, 6)) if kind != "interview" else 1.0
            number = rng.poisson(np.clip(pace * factor * warm, 0, 8)) * began
            cust = np.repeat(np.arange(n), number)
            at = office_hours(rng, month * 30 + rng.integers(0, 30 * every, len(cust)))
            keep = at > begin[cust] + 5 * DAY
            touch(kind, cust[keep], at[keep])
    gone = agreements.subs[(agreements.subs["ended_by"] == "voluntary") & (agreements.subs["kind"] != "addon")]
    gone = gone[(rng.random(len(gone)) < 0.8)]
    asked = gone["end"].to_numpy() - DAY * rng.integers(-10, 4, len(gone))
    keep = asked < scope.end
    touch("exit_interview", gone["cust"].to_numpy()[keep], asked[keep], reason=gone["reason"].to_numpy()[keep])
    touches = pd.concat(parts, ignore_index=True).sort_values(["at", "cust"], kind="stable").reset_index(drop=True)
    rows = len(touches)
    cust, at, kind = touches["cust"].to_numpy(), touches["at"].to_numpy(), touches["kind"].to_numpy()
    reason = touches["reason"].fillna(-1).to_numpy().astype(int)
    first = np.searchsorted(people["cust"].to_numpy(), cust)
    known = np.cumsum(people["in_crm"].to_numpy()) - 1
    contact = known[first + np.where(np.isin(kind, ["executive_review", "exit_interview"]), 0, 1)]
    # A touch is often entered later than it happened.
    entered = at + HOUR + np.where(rng.random(rows) < 0.03, rng.integers(1, 6, rows) * DAY, 0)
    frame = pd.DataFrame(
        {
            "activity_id": ids("", 71_000_000_000 + scope.offset + np.arange(rows)).to_numpy(zero_copy_only=False),
            "account_id": accounts.names[cust],
            "contact_id": np.where(rng.random(rows) < 0.8, ids("", 51_000_000_000 + scope.offset + contact).to_numpy(zero_copy_only=False), None),
            "kind": kind,
            "occurred_at": stamp(at),
            "direction": np.where(np.isin(kind, ["email", "call"]), np.where(rng.random(rows) < 0.35, "inbound", "outbound"), None),
            "owner_email": pick(OWNER_EMAILS, who["owner"].to_numpy()[cust]),
            "stated_reason": pick([r for r, _ in words.REASONS], reason),
            "root_cause": pick([r for _, r in words.REASONS], reason),
            "note": pick(NOTES, rng.integers(0, len(NOTES), rows) - (rng.random(rows) < 0) * 9),
            "_created_at": stamp(entered),
        }
    )
    return Versions.build(frame, np.arange(rows), entered)


def goal_versions(scope: Scope, customers: Customers, accounts: Accounts, agreements: Agreements) -> Versions:
    """One to three goals a customer, measured every six weeks until reached or given up."""
    rng = scope.rng("goals")
    who = customers.frame
    begin, until = span(scope, agreements, len(who))
    cust = np.repeat(np.flatnonzero(begin < NEVER), rng.integers(1, 4, int((begin < NEVER).sum())))
    n = len(cust)
    set_on = begin[cust] + rng.integers(5, 40, n) * DAY
    due = set_on + rng.integers(120, 300, n) * DAY
    what = rng.integers(0, len(words.OUTCOMES), n)
    names = ids("91", scope.offset + np.arange(n), 9).to_numpy(zero_copy_only=False)
    baseline, target = np.array([o[2] for o in words.OUTCOMES], float)[what], np.array([o[3] for o in words.OUTCOMES], float)[what]
    progress, achieved = np.zeros(n), np.full(n, NEVER)
    parts = []
    for step in range((scope.days + scope.horizon) // 42 + 1):
        at = set_on + step * 42 * DAY + (rng.integers(0, 5 * DAY, n) if step else 0)
        if step:
            gain = np.clip(0.13 + 0.13 * customers.mean_health(cust, at, 6) + rng.normal(0, 0.06, n), -0.05, 0.5)
            progress = np.where(achieved < NEVER, progress, np.clip(progress + gain, 0, 1))
        reached = (progress >= 1) & (achieved == NEVER)
        achieved[reached] = at[reached]
        rows = np.flatnonzero((at < scope.end) & (at < until[cust]) & (at <= achieved) & (at < due + 200 * DAY))
        done = achieved[rows] <= at[rows]
        parts.append(
            pd.DataFrame(
                {
                    "key": rows,
                    "at": at[rows],
                    "goal_id": names[rows],
                    "account_id": accounts.names[cust[rows]],
                    "outcome": pick([o[0] for o in words.OUTCOMES], what[rows]),
                    "metric": pick([o[1] for o in words.OUTCOMES], what[rows]),
                    "baseline": baseline[rows],
                    "target": target[rows],
                    "current_value": np.round(baseline[rows] + (target[rows] - baseline[rows]) * progress[rows], 2),
                    "due_on": stamp(due[rows]).astype("datetime64[D]").astype("datetime64[s]"),
                    "achieved_at": stamp(np.where(done, at[rows], NEVER)),
                    "value_realized": np.where(done, 200_000 + what[rows] * 50_000, 0),
                    "currency": "USD",
                    "updated_at": stamp(at[rows]),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy(), money=("value_realized",))


def campaign_versions(scope: Scope, customers: Customers, accounts: Accounts, agreements: Agreements) -> Versions:
    """Win-back after churn (with a control group), adoption and expansion each quarter."""
    rng = scope.rng("campaign")
    who, subs = customers.frame, agreements.subs
    begin, until = span(scope, agreements, len(who))
    lost = subs[np.isin(subs["ended_by"], ["voluntary", "involuntary"]) & (subs["kind"] == "main").to_numpy()]
    parts = [pd.DataFrame({"kind": "win_back", "cust": lost["cust"].to_numpy(), "at": lost["end"].to_numpy() + rng.integers(5, 30, len(lost)) * DAY})]
    for quarter in range(1, (scope.days + scope.horizon) // 91 + 1):
        moment = EPOCH + quarter * 91 * DAY + 10 * HOUR
        present = np.flatnonzero((begin + 90 * DAY < moment) & (until > moment))
        health = customers.mean_health(present, np.full(len(present), moment))
        for kind, chosen in (("adoption", health < -0.3), ("expansion", health > 0.6)):
            cust = present[chosen & (rng.random(len(present)) < 0.5)]
            parts.append(pd.DataFrame({"kind": kind, "cust": cust, "at": moment}))
    member = pd.concat(parts, ignore_index=True)
    member = member[member["at"] < scope.end]
    quarter = (member["at"].to_numpy() - EPOCH) // (91 * DAY)
    member["campaign"] = member["kind"].to_numpy().astype(object) + "-" + quarter.astype(str).astype(object)
    member = member.drop_duplicates(["campaign", "cust"]).reset_index(drop=True)
    n = len(member)
    control = (member["kind"] == "win_back").to_numpy() & (rng.random(n) < 0.2)
    at = member["at"].to_numpy()
    answers = np.where(~control & (rng.random(n) < 0.3), at + rng.integers(1, 20, n) * DAY, NEVER)
    parts = []
    for when, answered in ((at, False), (answers, True)):
        rows = np.flatnonzero(when < scope.end)
        parts.append(
            pd.DataFrame(
                {
                    "key": rows,
                    "at": when[rows],
                    "campaign_id": member["campaign"].to_numpy()[rows],
                    "campaign_name": np.char.capitalize(member["campaign"].to_numpy()[rows].astype(str)).astype(object),
                    "kind": member["kind"].to_numpy()[rows],
                    "account_id": accounts.names[member["cust"].to_numpy()[rows]],
                    "targeted_at": stamp(at[rows]),
                    "responded_at": stamp(when[rows] if answered else np.full(len(rows), NEVER)),
                    "cost": np.where(control[rows], 0, 4_500),
                    "currency": "USD",
                    "is_control": control[rows],
                    "_updated_at": stamp(when[rows]),
                    "_member_id": ids("", 95_000_000_000 + scope.offset + rows).to_numpy(zero_copy_only=False),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy(), money=("cost",))

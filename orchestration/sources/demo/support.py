"""The help desk: organizations, tickets with their events, ratings, opening hours. Who does badly asks more, and waits longer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import HOUR, Agreements
from orchestration.sources.demo.base import DAY, EPOCH, NEVER, Frame, Scope, Versions, ids, pick, stamp
from orchestration.sources.demo.crm import Accounts
from orchestration.sources.demo.customers import Customers
from orchestration.sources.demo.people import untidy
from orchestration.sources.demo.touches import span

PRIORITIES = ["low", "normal", "high", "urgent"]
AGENTS = 8


@dataclass
class Tickets:
    """`frame`: one row a ticket with all its moments (NEVER where it never came to that)."""

    frame: Frame


def make_tickets(scope: Scope, customers: Customers, agreements: Agreements, people: Frame) -> Tickets:
    """Draw tickets week by week from latent health, then how each one went."""
    rng = scope.rng("tickets")
    n = len(customers.frame)
    begin, until = span(scope, agreements, n)
    size = np.exp(0.35 * customers.frame["size"].to_numpy())
    cust, made = [], []
    for week in range((scope.days + scope.horizon) // 7 + 1):
        middle = np.full(n, EPOCH + (week * 7 + 3) * DAY)
        fresh = middle < begin + 60 * DAY
        rate = 0.11 * size * np.exp(-0.45 * customers.mean_health(np.arange(n), middle, 3)) * (1 + fresh)
        number = rng.poisson(np.clip(rate, 0, 4)) * ((middle > begin) & (middle < until))
        who = np.repeat(np.arange(n), number)
        cust.append(who)
        made.append(
            EPOCH
            + (week * 7 + rng.choice(7, len(who), p=[0.2, 0.2, 0.19, 0.18, 0.15, 0.04, 0.04])) * DAY
            + np.clip(rng.normal(13 * HOUR, 4 * HOUR, len(who)), 0, DAY - 1).astype(int)
        )
    cust, made = np.concatenate(cust), np.concatenate(made)
    order = np.lexsort((cust, made))
    cust, made = cust[order], made[order]
    keep = (made >= begin[cust]) & (made < until[cust])
    cust, made = cust[keep], made[keep]
    n = len(cust)
    health = customers.mean_health(cust, made, 4)
    draw = rng.random((8, n))
    priority = np.clip(np.searchsorted([0.25, 0.75, 0.94], draw[0] - 0.06 * health), 0, 3)
    reply = made + (np.exp(rng.normal(4.6, 1.1, n)) * 60 / (1 + 0.7 * priority)).astype(int)
    escalated = np.where((draw[1] < 0.035 * np.exp(-0.9 * health)), made + 2 * HOUR + (draw[2] * 4 * DAY).astype(int), NEVER)
    solved = (
        np.maximum(reply, np.where(escalated < NEVER, escalated, 0))
        + (np.exp(rng.normal(9.9 - 0.35 * health, 1.2, n))).astype(int)
        + np.where(escalated < NEVER, rng.integers(1, 12, n) * DAY, 0)
    )
    reopened = np.where((draw[3] < 0.07) & (escalated == NEVER), solved + HOUR + (draw[4] * 3 * DAY).astype(int), NEVER)
    again = np.where(reopened < NEVER, reopened + (np.exp(rng.normal(10, 1, n))).astype(int), NEVER)
    final = np.where(reopened < NEVER, again, solved)
    rated = np.where(draw[5] < 0.22, final + (draw[6] * 2 * DAY).astype(int) + 600, NEVER)
    score = np.clip(np.round(3.9 + 0.75 * health - 0.8 * (escalated < NEVER) + rng.normal(0, 0.8, n)), 1, 5).astype(int)
    first = np.searchsorted(people["cust"].to_numpy(), cust)
    people_of = np.bincount(people["cust"])[cust]
    person = first + 1 + (draw[7] * (people_of - 1)).astype(int)
    topic = rng.integers(0, len(words.SUBJECTS), n)
    return Tickets(
        pd.DataFrame(
            {
                "cust": cust,
                "made": made,
                "priority": priority,
                "reply": reply,
                "escalated": escalated,
                "solved": solved,
                "reopened": reopened,
                "again": again,
                "final": final,
                "closed": final + 4 * DAY,
                "rated": rated,
                "score": score,
                "person": person,
                "topic": topic,
                "erased": np.where(rng.random(n) < 0.004, final + 9 * DAY + rng.integers(0, 90, n) * DAY, NEVER),
                "no_org": rng.random(n) < 0.06,
                "agent": rng.integers(0, AGENTS, n),
                "channel": rng.integers(0, 4, n),
            }
        )
    )


def organization_versions(scope: Scope, who: Frame, accounts: Accounts, agreements: Agreements) -> Versions:
    """One organization a customer: with the CRM's id mostly, else by domain or name."""
    rng = scope.rng("orgs")
    begin, _ = span(scope, agreements, len(who))
    cust = np.flatnonzero(begin < NEVER)
    n = len(cust)
    created = begin[cust] + rng.integers(0, 5 * DAY, n)
    linked = (rng.random(n) < 0.8) | who["family"].to_numpy()[cust]
    no_domain = who["free_mail"].to_numpy()[cust] | (linked & (rng.random(n) < 0.12))
    edited = np.where(rng.random(n) < 0.1, created + rng.integers(5, 300, n) * DAY, NEVER)
    name, domain = untidy(rng, who["name"].to_numpy()[cust], 0.1), untidy(rng, np.where(no_domain, None, who["domain"].to_numpy()[cust]), 0.05)
    parts = []
    for at in (created, edited):
        rows = np.flatnonzero(at < scope.end)
        parts.append(
            pd.DataFrame(
                {
                    "key": cust[rows],
                    "at": at[rows],
                    "organization_id": organization_ids(scope, cust[rows]),
                    "account_id": np.where(linked[rows], accounts.names[cust[rows]], None),
                    "name": name[rows],
                    "domain": domain[rows],
                    "created_at": stamp(created[rows]),
                    "updated_at": stamp(at[rows]),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy())


def organization_ids(scope: Scope, cust: np.ndarray) -> np.ndarray:
    """Help desk numbers."""
    return ids("", 31_000_000_000 + scope.offset + cust).to_numpy(zero_copy_only=False)


def ticket_ids(scope: Scope, rows: np.ndarray) -> np.ndarray:
    """Tickets count from 1, as help desks do."""
    return ids("", scope.offset + 1 + rows).to_numpy(zero_copy_only=False)


def user_ids(scope: Scope, person: np.ndarray) -> np.ndarray:
    """Help desk users."""
    return ids("", 21_000_000_000 + scope.offset + person).to_numpy(zero_copy_only=False)


def user_versions(scope: Scope, tickets: Tickets, people: Frame) -> Versions:
    """Everybody who ever asked, from their first ticket on; and the agents. The contract has no such table, the vendor does."""
    t = tickets.frame.drop_duplicates("person")
    person = t["person"].to_numpy()
    askers = pd.DataFrame(
        {
            "user_id": user_ids(scope, person),
            "name": people["full_name"].to_numpy()[person],
            "email": people["email"].to_numpy()[person],
            "role": "end-user",
            "organization_id": np.where(t["no_org"], None, organization_ids(scope, t["cust"].to_numpy())),
            "created": t["made"].to_numpy() - 1,
        }
    )
    number = np.arange(AGENTS if scope.block == 0 else 0)
    agents = pd.DataFrame(
        {
            "user_id": ids("", 8000 + number).to_numpy(zero_copy_only=False),
            "name": pick([f"Agent {i}" for i in range(AGENTS)], number),
            "email": pick([f"agent{i}@{words.OWNER_DOMAIN}" for i in range(AGENTS)], number),
            "role": np.where(number == 0, "admin", "agent"),
            "organization_id": None,
            "created": EPOCH - 300 * DAY,
        }
    )
    out = pd.concat([agents, askers], ignore_index=True)
    at = out.pop("created").to_numpy().astype("int64")
    return Versions.build(out.assign(created_at=stamp(at), updated_at=stamp(at)), np.arange(len(out)), at)


def ticket_versions(scope: Scope, tickets: Tickets, people: Frame) -> Versions:
    """Each ticket at each of its moments, the deletion of a few included."""
    rng = scope.rng("ticketv")
    t = tickets.frame
    n = len(t)
    email = untidy(rng, people["email"].to_numpy()[t["person"]], 0.05)
    org = np.where(t["no_org"], None, organization_ids(scope, t["cust"].to_numpy()))
    touched = np.where(rng.random(n) < 0.05, t["closed"].to_numpy() + rng.integers(1, 30, n) * DAY, NEVER)  # a late edit of tags
    names = ticket_ids(scope, np.arange(n))
    parts = []
    for column, status in (
        ("made", "new"),
        ("reply", "open"),
        ("escalated", "open"),
        ("solved", "solved"),
        ("reopened", "open"),
        ("again", "solved"),
        ("closed", "closed"),
        ("touched", "closed"),
        ("erased", "deleted"),
    ):
        at = touched if column == "touched" else t[column].to_numpy()
        rows = np.flatnonzero((at < scope.end) & (at <= t["erased"].to_numpy()))
        when = at[rows]
        solved = np.where(
            when >= t["final"].to_numpy()[rows],
            t["final"].to_numpy()[rows],
            np.where((when >= t["solved"].to_numpy()[rows]) & (when < t["reopened"].to_numpy()[rows]), t["solved"].to_numpy()[rows], NEVER),
        )
        late = when >= touched[rows]
        parts.append(
            pd.DataFrame(
                {
                    "key": rows,
                    "at": when,
                    "ticket_id": names[rows],
                    "organization_id": org[rows],
                    "requester_email": email[rows],
                    "subject": pick(words.SUBJECTS, t["topic"].to_numpy()[rows]),
                    "priority": pick(PRIORITIES, np.where(when >= t["escalated"].to_numpy()[rows], 3, t["priority"].to_numpy()[rows])),
                    "status": status,
                    "channel": pick(["email", "web", "chat", "api"], t["channel"].to_numpy()[rows]),
                    "tags": pick(words.TAGS, t["topic"].to_numpy()[rows])
                    + np.where(when >= t["escalated"].to_numpy()[rows], " escalated", "")
                    + np.where(late, " reviewed", ""),
                    "assignee_id": np.where(
                        when >= t["reply"].to_numpy()[rows], ids("", 8000 + t["agent"].to_numpy()[rows]).to_numpy(zero_copy_only=False), None
                    ),
                    "created_at": stamp(t["made"].to_numpy()[rows]),
                    "solved_at": stamp(solved),
                    "updated_at": stamp(when),
                    "deleted": status == "deleted",
                    "_requester_id": user_ids(scope, t["person"].to_numpy()[rows]),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True).drop_duplicates(["key", "at"], keep="last")
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy())


def event_versions(scope: Scope, tickets: Tickets) -> Versions:
    """What happened to tickets, one row an event, numbered in the order of happening."""
    t = tickets.frame
    rng = scope.rng("tevents")
    n = len(t)
    between = t["reply"].to_numpy() + ((t["solved"].to_numpy() - t["reply"].to_numpy()) * rng.uniform(0.2, 0.9, (3, n))).astype(int)
    chatty = rng.random((3, n)) < 0.45
    priority = pick(PRIORITIES, t["priority"].to_numpy())
    agent = ids("", 8000 + t["agent"].to_numpy()).to_numpy(zero_copy_only=False)
    parts = []

    def event(kind: str, at: np.ndarray, actor: str, before: object = None, after: object = None, order: int = 0) -> None:
        rows = np.flatnonzero((at < scope.end) & (at < t["erased"].to_numpy()))
        value = lambda v: v[rows] if isinstance(v, np.ndarray) else v  # noqa: E731
        parts.append(
            pd.DataFrame(
                {
                    "ticket": rows,
                    "at": at[rows],
                    "order": order,
                    "kind": kind,
                    "actor_role": actor,
                    "from_value": value(before),
                    "to_value": value(after),
                },
                dtype=object,
            )
        )

    reply = t["reply"].to_numpy()
    event("assignment", reply - 30, "system", None, agent)
    event("public_agent_reply", reply, "agent", order=1)
    event("status_change", reply, "agent", "new", "open", order=2)
    for i in range(3):
        event(
            "public_customer_reply" if i % 2 == 0 else "public_agent_reply",
            np.where(chatty[i], between[i], NEVER),
            "end_user" if i % 2 == 0 else "agent",
        )
    escalated = t["escalated"].to_numpy()
    event("escalation", escalated, "agent", None, "escalated", order=1)
    event("priority_change", np.where(t["priority"].to_numpy() < 3, escalated, NEVER), "agent", priority, "urgent", order=2)
    event("status_change", t["solved"].to_numpy(), "agent", "open", "solved")
    event("public_customer_reply", t["reopened"].to_numpy(), "end_user", order=1)
    event("status_change", t["reopened"].to_numpy(), "end_user", "solved", "open", order=2)
    event("status_change", t["again"].to_numpy(), "agent", "open", "solved")
    event("status_change", t["closed"].to_numpy(), "system", "solved", "closed")
    out = pd.concat(parts, ignore_index=True)
    out = (
        out.astype({"ticket": "int64", "at": "int64", "order": "int64"}).sort_values(["at", "ticket", "order"], kind="stable").reset_index(drop=True)
    )
    frame = pd.DataFrame(
        {
            "event_id": ids("", 500_000_000_000 + scope.offset * 100 + np.arange(len(out))).to_numpy(zero_copy_only=False),
            "ticket_id": ticket_ids(scope, out["ticket"].to_numpy()),
            "occurred_at": stamp(out["at"]),
            "kind": out["kind"],
            "actor_role": out["actor_role"],
            "from_value": out["from_value"],
            "to_value": out["to_value"],
            "_agent": agent[out["ticket"]],
            "_order": out["order"].to_numpy(),
        }
    )
    return Versions.build(frame, np.arange(len(out)), out["at"].to_numpy())


def rating_versions(scope: Scope, tickets: Tickets) -> Versions:
    """What requesters thought of the answer, 1 to 5."""
    t = tickets.frame
    rows = np.flatnonzero((t["rated"].to_numpy() < scope.end) & (t["rated"].to_numpy() < t["erased"].to_numpy()))
    rows = rows[np.argsort(t["rated"].to_numpy()[rows], kind="stable")]
    part = t.iloc[rows]
    frame = pd.DataFrame(
        {
            "rating_id": ids("", 41_000_000_000 + scope.offset + np.arange(len(rows))).to_numpy(zero_copy_only=False),
            "ticket_id": ticket_ids(scope, rows),
            "score": part["score"].to_numpy(),
            "comment": pick(words.COMMENTS, part["topic"].to_numpy() % len(words.COMMENTS)),
            "rated_at": stamp(part["rated"]),
            "_requester_id": user_ids(scope, part["person"].to_numpy()),
        }
    )
    return Versions.build(frame, np.arange(len(rows)), part["rated"].to_numpy())


def schedule_versions(scope: Scope) -> tuple[Versions, Versions]:
    """Two desks, one each side of the Atlantic, and their holidays. Only the first block writes them."""
    rows = [
        {"schedule_id": str(desk), "time_zone": zone, "weekday": day, "opens_at": opens, "closes_at": closes, "valid_from": None, "valid_to": None}
        for desk, zone, opens, closes in ((1, "Europe/Berlin", "08:00", "18:00"), (2, "America/New_York", "09:00", "17:30"))
        for day in range(1, 6)
    ]
    holidays = [
        {"schedule_id": str(desk), "name": name, "starts_on": f"{year}-{day}", "ends_on": f"{year}-{day}"}
        for year in range(2024, 2029)
        for desk, name, day in (
            (1, "New Year", "01-01"),
            (1, "Labour Day", "05-01"),
            (1, "German Unity Day", "10-03"),
            (1, "Christmas", "12-25"),
            (2, "New Year", "01-01"),
            (2, "Independence Day", "07-04"),
            (2, "Christmas", "12-25"),
        )
    ]
    table, days = pd.DataFrame(rows), pd.DataFrame(holidays)
    for column in ("starts_on", "ends_on"):
        days[column] = days[column].astype("datetime64[s]")
    if scope.block:
        table, days = table.iloc[:0], days.iloc[:0]
    long_ago = EPOCH - 400 * DAY
    return Versions.build(table, np.arange(len(table)), np.full(len(table), long_ago)), Versions.build(
        days, np.arange(len(days)), np.full(len(days), long_ago)
    )

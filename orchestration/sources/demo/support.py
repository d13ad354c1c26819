"""The help desk: organizations, tickets with their events, ratings, opening hours. Who does badly asks more, and waits longer."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.base import DAY, NEVER, Frame, Scope, Versions, ids, pick, stamp
from orchestration.sources.demo.people import untidy
from orchestration.sources.demo.support_desk import organization_ids, user_ids
from orchestration.sources.demo.tickets import PRIORITIES, Tickets


def ticket_ids(scope: Scope, rows: np.ndarray) -> np.ndarray:
    """Tickets count from 1, as help desks do."""
    return ids("", scope.offset + 1 + rows).to_numpy(zero_copy_only=False)


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

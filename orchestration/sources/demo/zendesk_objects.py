"""The demo company's support tables as Zendesk objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import Records, iso, plain

ZONES = {"Europe/Berlin": "Berlin", "America/New_York": "Eastern Time (US & Canada)"}
TARGETS = {"urgent": (60, 480), "high": (240, 1440), "normal": (480, 2880), "low": (1440, 7200)}  # minutes: first reply, resolution
LONG_AGO = "2023-01-10T09:00:00Z"


@dataclass
class Export:
    """One kind of record: versions as JSON, with what exports sort and filter by."""

    name: str
    records: Records
    number: np.ndarray
    deleted: np.ndarray
    role: np.ndarray
    metric_set: Callable[[int], dict] = lambda row: {}
    changed: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.changed = self.records.versions.at

    def rows_at(self, clock: int) -> np.ndarray:
        """Versions current at the clock, deleted tickets included: exports show them."""
        return self.records.versions.rows_at(clock)


def build_exports(company: Any) -> dict[str, Export]:
    """All exports, by name."""
    tickets = company.table("support", "tickets")
    events = company.table("support", "ticket_events")
    return {
        "tickets": _tickets(tickets),
        "ticket_events": _events(events, tickets),
        "users": _users(company.table("support", "_users")),
        "organizations": _organizations(company.table("support", "organizations")),
        "satisfaction_ratings": _ratings(company.table("support", "satisfaction")),
    }


def _export(
    name: str, versions: Versions, ids: list[str], render: Callable[[int], Any], deleted: Any = None, role: Any = None, **more: Any
) -> Export:
    n = len(ids)
    nothing = np.zeros(n, dtype=bool) if deleted is None else deleted
    return Export(
        name,
        Records(versions, ids, render),
        np.array([int(i) for i in ids], dtype="int64"),
        nothing,
        np.full(n, "") if role is None else role,
        **more,
    )


def _int(value: str | None) -> int | None:
    return None if value is None else int(value)


def _tickets(versions: Versions) -> Export:
    f = versions.frame
    c = {
        name: plain(f[name])
        for name in ("ticket_id", "organization_id", "subject", "priority", "status", "channel", "tags", "assignee_id", "_requester_id")
    }
    created, updated, solved = iso(f["created_at"]), iso(f["updated_at"]), iso(f["solved_at"])

    def render(row: int) -> dict:
        return {
            "id": int(c["ticket_id"][row]),
            "url": f"/api/v2/tickets/{c['ticket_id'][row]}.json",
            "external_id": None,
            "via": {"channel": c["channel"][row], "source": {}},
            "created_at": created[row],
            "updated_at": updated[row],
            "generated_timestamp": int(versions.at[row]),
            "type": "question",
            "subject": c["subject"][row],
            "raw_subject": c["subject"][row],
            "priority": c["priority"][row],
            "status": c["status"][row],
            "requester_id": _int(c["_requester_id"][row]),
            "submitter_id": _int(c["_requester_id"][row]),
            "assignee_id": _int(c["assignee_id"][row]),
            "organization_id": _int(c["organization_id"][row]),
            "group_id": 61,
            "tags": c["tags"][row].split(),
            "satisfaction_rating": {"score": "unoffered"},
            "custom_fields": [],
            "brand_id": 71,
        }

    def metric_set(row: int) -> dict:
        id = int(c["ticket_id"][row])
        return {
            "id": 900_000_000_000 + id,
            "ticket_id": id,
            "created_at": created[row],
            "updated_at": updated[row],
            "solved_at": solved[row],
            "assignee_updated_at": None,
        }

    return _export("tickets", versions, c["ticket_id"], render, deleted=(f["status"] == "deleted").to_numpy(), metric_set=metric_set)


def _events(events: Versions, tickets: Versions) -> Export:
    """Audits: a change and a comment of the same moment are one event with several children. The first event of a ticket creates it."""
    f = events.frame
    c = {name: plain(f[name]) for name in ("event_id", "ticket_id", "kind", "actor_role", "from_value", "to_value", "_agent")}
    first = np.ones(len(tickets.key), dtype=bool)
    first[1:] = tickets.key[1:] != tickets.key[:-1]
    born = tickets.frame[first]
    b = {name: plain(born[name]) for name in ("ticket_id", "priority", "channel", "tags", "_requester_id")}
    requester, tags = dict(zip(b["ticket_id"], b["_requester_id"], strict=True)), dict(zip(b["ticket_id"], b["tags"], strict=True))
    # Events of one ticket and second belong to one audit; its number is that of its first child.
    order = np.lexsort((f["_order"].to_numpy(), events.at, f["ticket_id"].to_numpy().astype("int64")))
    ticket, at = f["ticket_id"].to_numpy().astype("int64")[order], events.at[order]
    opens = np.ones(len(order), dtype=bool)
    opens[1:] = (ticket[1:] != ticket[:-1]) | (at[1:] != at[:-1])
    groups = np.split(order, np.flatnonzero(opens)[1:]) if len(order) else []
    parts = [(tickets.at[first][i], None, i) for i in range(len(born))] + [(events.at[g[0]], g, -1) for g in groups]
    moments = np.array([p[0] for p in parts], dtype="int64")
    ids = [str(600_000_000_000 + int(b["ticket_id"][i])) if g is None else str(700_000_000_000 + int(c["event_id"][g[0]])) for _, g, i in parts]
    versions = Versions(f.iloc[:0], np.arange(len(parts)), moments, np.zeros(len(parts), dtype=bool))
    stamps = np.char.add(np.datetime_as_string(moments.astype("datetime64[s]")), "Z") if len(moments) else np.array([], dtype=str)

    def actor(row: int) -> int:
        role = c["actor_role"][row]
        return -1 if role == "system" else int(c["_agent"][row]) if role == "agent" else int(requester[c["ticket_id"][row]])

    def child(row: int) -> dict:
        kind, id, ticket = c["kind"][row], int(c["event_id"][row]), c["ticket_id"][row]
        shared = {"id": id, "via": "Web form", "via_reference_id": None}
        if kind.startswith("public_"):
            return shared | {
                "event_type": "Comment",
                "type": "Comment",
                "author_id": actor(row),
                "public": True,
                "comment_present": True,
                "comment_public": True,
            }
        if kind == "escalation":
            held = tags[ticket].split()
            return shared | {
                "event_type": "Change",
                "tags": [*held, "escalated"],
                "previous_value": held,
                "added_tags": ["escalated"],
                "removed_tags": [],
            }
        field_name = {"status_change": "status", "priority_change": "priority", "assignment": "assignee_id"}[kind]
        return shared | {"event_type": "Change", field_name: c["to_value"][row], "previous_value": c["from_value"][row]}

    def created(i: int) -> list[dict]:
        ticket = b["ticket_id"][i]
        shared = {"via": b["channel"][i], "via_reference_id": None}
        number = 600_000_000_000 + int(ticket) * 4
        fields = {"status": "new", "priority": b["priority"][i], "tags": b["tags"][i].split()}
        return [shared | {"id": number + n, "event_type": "Create", name: value} for n, (name, value) in enumerate(fields.items())] + [
            shared
            | {
                "id": number + 3,
                "event_type": "Comment",
                "type": "Comment",
                "author_id": int(b["_requester_id"][i]),
                "public": True,
                "comment_present": True,
                "comment_public": True,
            }
        ]

    def render(row: int) -> dict:
        _, group, i = parts[row]
        ticket = b["ticket_id"][i] if group is None else c["ticket_id"][group[0]]
        updater = int(b["_requester_id"][i]) if group is None else actor(int(group[0]))
        children = created(i) if group is None else [child(int(g)) for g in group]
        return {
            "id": int(ids[row]),
            "ticket_id": int(ticket),
            "timestamp": int(moments[row]),
            "created_at": str(stamps[row]),
            "updater_id": updater,
            "via": "Web form",
            "system": {},
            "metadata": {},
            "event_type": "Audit",
            "child_events": children,
        }

    return _export("ticket_events", versions, ids, render)


def _users(versions: Versions) -> Export:
    f = versions.frame
    c = {name: plain(f[name]) for name in ("user_id", "name", "email", "role", "organization_id")}
    created, updated = iso(f["created_at"]), iso(f["updated_at"])

    def render(row: int) -> dict:
        return {
            "id": int(c["user_id"][row]),
            "name": c["name"][row],
            "email": c["email"][row],
            "created_at": created[row],
            "updated_at": updated[row],
            "time_zone": "UTC",
            "iana_time_zone": "Etc/UTC",
            "phone": None,
            "role": c["role"][row],
            "organization_id": _int(c["organization_id"][row]),
            "active": True,
            "suspended": False,
            "verified": True,
            "tags": [],
        }

    return _export("users", versions, c["user_id"], render, role=np.array(c["role"], dtype=str))


def _organizations(versions: Versions) -> Export:
    f = versions.frame
    c = {name: plain(f[name]) for name in ("organization_id", "account_id", "name", "domain")}
    created, updated = iso(f["created_at"]), iso(f["updated_at"])

    def render(row: int) -> dict:
        return {
            "id": int(c["organization_id"][row]),
            "name": c["name"][row],
            "external_id": c["account_id"][row],
            "domain_names": [c["domain"][row]] if c["domain"][row] else [],
            "created_at": created[row],
            "updated_at": updated[row],
            "deleted_at": None,
            "group_id": None,
            "shared_tickets": False,
            "shared_comments": False,
            "tags": [],
            "organization_fields": {},
        }

    return _export("organizations", versions, c["organization_id"], render)


def _ratings(versions: Versions) -> Export:
    """Zendesk knows good and bad; 4 and 5 of the company's own scale are good."""
    f = versions.frame
    c = {name: plain(f[name]) for name in ("rating_id", "ticket_id", "score", "comment", "_requester_id")}
    rated = iso(f["rated_at"])
    score = np.where(f["score"].to_numpy() >= 4, "good", "bad")

    def render(row: int) -> dict:
        return {
            "id": int(c["rating_id"][row]),
            "url": f"/api/v2/satisfaction_ratings/{c['rating_id'][row]}.json",
            "assignee_id": None,
            "group_id": 61,
            "requester_id": _int(c["_requester_id"][row]),
            "ticket_id": int(c["ticket_id"][row]),
            "score": str(score[row]),
            "comment": c["comment"][row],
            "reason": None,
            "created_at": rated[row],
            "updated_at": rated[row],
        }

    return _export("satisfaction_ratings", versions, c["rating_id"], render, role=score.astype(str))


def schedules(company: Any) -> list[dict]:
    """Opening hours in minutes since Sunday 00:00, local time."""
    f = company.table("support", "schedules").frame
    found: dict[str, dict] = {}
    for row in f.to_dict("records"):
        zone = ZONES[row["time_zone"]]
        one = found.setdefault(
            row["schedule_id"],
            {
                "id": int(row["schedule_id"]),
                "name": f"Desk {zone}",
                "time_zone": zone,
                "intervals": [],
                "created_at": LONG_AGO,
                "updated_at": LONG_AGO,
            },
        )
        day = row["weekday"] % 7 * 1440
        one["intervals"].append({"start_time": day + _minutes(row["opens_at"]), "end_time": day + _minutes(row["closes_at"])})
    return list(found.values())


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def holidays(company: Any) -> dict[int, list[dict]]:
    """Days off, per schedule."""
    f = company.table("support", "holidays").frame
    found: dict[int, list[dict]] = {}
    for number, row in enumerate(f.to_dict("records")):
        days = {"start_date": str(row["starts_on"].date()), "end_date": str(row["ends_on"].date())}
        found.setdefault(int(row["schedule_id"]), []).append({"id": 4000 + number, "name": row["name"]} | days)
    return found


def sla_policies() -> list[dict]:
    """One policy for everybody."""
    metrics = [
        {"priority": p, "metric": m, "target": minutes, "business_hours": False}
        for p, pair in TARGETS.items()
        for m, minutes in zip(("first_reply_time", "requester_wait_time"), pair, strict=True)
    ]
    filters = {"all": [{"field": "type", "operator": "is", "value": "question"}], "any": []}
    return [
        {
            "id": 5001,
            "url": "/api/v2/slas/policies/5001.json",
            "title": "Standard",
            "description": None,
            "position": 1,
            "filter": filters,
            "policy_metrics": metrics,
            "created_at": LONG_AGO,
            "updated_at": LONG_AGO,
        }
    ]

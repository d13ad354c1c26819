"""The demo company's support tables as Zendesk objects."""

from __future__ import annotations

from typing import Any

import numpy as np

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import iso, plain
from orchestration.sources.demo.zendesk_events import event_export
from orchestration.sources.demo.zendesk_records import Export, as_int, make_export


def build_exports(company: Any) -> dict[str, Export]:
    """All exports, by name."""
    tickets = company.table("support", "tickets")
    events = company.table("support", "ticket_events")
    return {
        "tickets": _tickets(tickets),
        "ticket_events": event_export(events, tickets),
        "users": _users(company.table("support", "_users")),
        "organizations": _organizations(company.table("support", "organizations")),
        "satisfaction_ratings": _ratings(company.table("support", "satisfaction")),
    }


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
            "requester_id": as_int(c["_requester_id"][row]),
            "submitter_id": as_int(c["_requester_id"][row]),
            "assignee_id": as_int(c["assignee_id"][row]),
            "organization_id": as_int(c["organization_id"][row]),
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

    return make_export("tickets", versions, c["ticket_id"], render, deleted=(f["status"] == "deleted").to_numpy(), metric_set=metric_set)


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
            "organization_id": as_int(c["organization_id"][row]),
            "active": True,
            "suspended": False,
            "verified": True,
            "tags": [],
        }

    return make_export("users", versions, c["user_id"], render, role=np.array(c["role"], dtype=str))


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

    return make_export("organizations", versions, c["organization_id"], render)


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
            "requester_id": as_int(c["_requester_id"][row]),
            "ticket_id": int(c["ticket_id"][row]),
            "score": str(score[row]),
            "comment": c["comment"][row],
            "reason": None,
            "created_at": rated[row],
            "updated_at": rated[row],
        }

    return make_export("satisfaction_ratings", versions, c["rating_id"], render, role=score.astype(str))

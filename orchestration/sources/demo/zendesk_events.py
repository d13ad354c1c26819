"""What happened to tickets, as Zendesk's audits with their child events."""

from __future__ import annotations

import numpy as np

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import plain
from orchestration.sources.demo.zendesk_records import Export, make_export


def event_export(events: Versions, tickets: Versions) -> Export:
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

    return make_export("ticket_events", versions, ids, render)

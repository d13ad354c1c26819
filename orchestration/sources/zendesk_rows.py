"""Zendesk's records → flat rows of its contract. Pure functions; the requests are in zendesk.py.

Ids are numbers at Zendesk and text here, as everywhere. Free text of tickets beyond the subject stays at the source.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from orchestration.sources.base import at
from orchestration.sources.zendesk_zones import iana

Row = dict[str, Any]

LEFT_AT_SOURCE = {"url", "description", "raw_subject", "phone", "photo", "notes", "details", "signature", "body", "html_body", "plain_body"}
FIELDS = ("status", "priority", "assignee_id", "group_id", "tags")  # whose changes are kept
MINUTES_A_DAY = 24 * 60


def flat(o: Row, *, ids: tuple[str, ...] = ("id",), **more: Any) -> Row:
    """Plain values under their own names, ids as text, computed columns; lists and objects are left out unless computed."""
    kept = {name: value for name, value in o.items() if name not in LEFT_AT_SOURCE}
    row = {name: value for name, value in kept.items() if value is None or isinstance(value, str | int | float)}
    return row | {name: text(o.get(name)) for name in ids} | more


def text(value: Any) -> str | None:
    return None if value is None else str(value)


def joined(values: Any) -> str | None:
    return ",".join(map(str, values)) if isinstance(values, list) else text(values)


def ticket(o: Row, solved_at: Mapping[Any, str | None]) -> Row:
    return flat(
        o,
        ids=("id", "organization_id", "requester_id", "submitter_id", "assignee_id", "group_id", "brand_id"),
        channel=(o.get("via") or {}).get("channel"),
        tags=joined(o.get("tags")),
        satisfaction_score=(o.get("satisfaction_rating") or {}).get("score"),
        solved_at=solved_at.get(o["id"]),
        generated_timestamp=at(o.get("generated_timestamp")),
    )


def user(o: Row) -> Row:
    return flat(o, ids=("id", "organization_id"))


def organization(o: Row) -> Row:
    return flat(o, ids=("id", "external_id", "group_id"), domain_names=joined(o.get("domain_names")))


def rating(o: Row) -> Row:
    return flat(o, ids=("id", "ticket_id", "requester_id", "assignee_id", "group_id"))


def ticket_events(o: Row, roles: Mapping[str, str]) -> Iterator[Row]:
    """Comments and field changes of one ticket event. One child event may set several fields, and is several rows then.

    Two shapes are understood: the export's (`{"status": "open", "previous_value": "new"}`) and the audits'
    (`{"field_name": "status", "value": "open", "previous_value": "new"}`).
    """
    shared = dict.fromkeys(("field_name", "value", "previous_value", "public", "added_tags", "removed_tags")) | {
        "audit_id": text(o["id"]),
        "ticket_id": text(o["ticket_id"]),
        "created_at": o.get("created_at") or at(o.get("timestamp")),
        "channel": o["via"].get("channel") if isinstance(o.get("via"), dict) else text(o.get("via")),
    }
    for child in o.get("child_events") or []:
        kind = child.get("event_type") or child.get("type")
        author = text(child.get("author_id") or o.get("updater_id"))
        is_person = author not in (None, "-1", "0")  # else a trigger or automation did it
        role = roles.get(author or "", "end-user") if is_person else None
        row = shared | {"id": text(child["id"]), "event_type": kind, "author_id": author, "author_role": role}
        if kind == "Comment":
            yield row | {"public": child["public"] if "public" in child else child.get("comment_public")}
        elif kind in ("Create", "Change"):
            changes = _changes(child)
            for field, value in changes.items():
                id = row["id"] if len(changes) == 1 else f"{row['id']}-{field}"
                values = {"value": joined(value), "previous_value": joined(child.get("previous_value"))}
                yield row | {"id": id, "field_name": field} | values | _tags(field, value, child)


def _changes(child: Row) -> Row:
    if "field_name" in child:
        return {child["field_name"]: child.get("value")} if child["field_name"] in FIELDS else {}
    return {field: child[field] for field in FIELDS if field in child}


def _tags(field: str, value: Any, child: Row) -> Row:
    """Which tags came and went: as the export says it, else by comparing with the list before."""
    if field != "tags":
        return {}
    before, after = set(_as_list(child.get("previous_value"))), set(_as_list(value))
    added, removed = child.get("added_tags"), child.get("removed_tags")
    return {
        "added_tags": joined(added if added is not None else sorted(after - before)) or None,
        "removed_tags": joined(removed if removed is not None else sorted(before - after)) or None,
    }


def _as_list(value: Any) -> list[str]:
    return value if isinstance(value, list) else str(value or "").replace(",", " ").split()


def schedule(o: Row) -> Iterator[Row]:
    """One row per weekday and opening. Zendesk counts minutes from Sunday 00:00 and lets an interval run over midnight."""
    for interval in o.get("intervals") or []:
        start, end = interval["start_time"], interval["end_time"]
        while start < end:
            day, rest = divmod(start, MINUTES_A_DAY)
            until = min(end, (day + 1) * MINUTES_A_DAY)
            yield {
                "id": text(o["id"]),
                "name": o.get("name"),
                "time_zone": o["time_zone"],
                "iana_time_zone": iana(o["time_zone"]),
                "weekday": (day - 1) % 7 + 1,
                "start_time": _clock(rest),
                "end_time": _clock(until - day * MINUTES_A_DAY),
                "start_minute": start,
                "end_minute": until,
                "created_at": o.get("created_at"),
                "updated_at": o.get("updated_at"),
            }
            start = until


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def holiday(o: Row, schedule_id: Any) -> Row:
    days = {"start_date": o["start_date"], "end_date": o["end_date"]}
    return {"id": text(o["id"]), "schedule_id": text(schedule_id), "name": o.get("name")} | days


def sla_policy(o: Row) -> Iterator[Row]:
    for metric in o.get("policy_metrics") or []:
        seconds = metric.get("target_in_seconds")
        yield {
            "policy_id": text(o["id"]),
            "title": o.get("title"),
            "position": o.get("position"),
            "filter": json.dumps(o.get("filter"), sort_keys=True),
            "priority": metric["priority"],
            "metric": metric["metric"],
            "target": metric["target"] if metric.get("target") is not None else seconds and seconds // 60,
            "business_hours": metric.get("business_hours"),
            "created_at": o.get("created_at"),
            "updated_at": o.get("updated_at"),
        }

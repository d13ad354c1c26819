"""Meetings, calls, e-mails and tasks as HubSpot objects."""

from __future__ import annotations

import pandas as pd

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.hubspot_columns import as_text, make_objects, milliseconds, only, owner_ids
from orchestration.sources.demo.hubspot_records import Objects

MEETINGS = ["kickoff", "training", "check_in", "business_review", "executive_review", "interview", "exit_interview"]


def touches(name: str, versions: Versions) -> Objects:
    f = versions.frame
    n = len(f)
    properties: dict[str, list] = {
        "id": as_text(f["activity_id"]),
        "hs_timestamp": milliseconds(f["occurred_at"]),
        "hubspot_owner_id": owner_ids(f["owner_email"]),
        "stated_reason": as_text(f["stated_reason"]),
        "root_cause": as_text(f["root_cause"]),
        "hs_createdate": milliseconds(f["_created_at"]),
        "hs_lastmodifieddate": milliseconds(f["_created_at"]),
    }
    if name == "meetings":
        kind = [k.replace("_", " ").capitalize() for k in f["kind"]]
        properties |= {
            "hs_meeting_title": kind,
            "hs_activity_type": kind,
            "hs_meeting_start_time": properties["hs_timestamp"],
            "hs_meeting_end_time": milliseconds(f["occurred_at"] + pd.Timedelta(minutes=45)),
            "hs_meeting_outcome": ["COMPLETED"] * n,
            "hs_internal_meeting_notes": as_text(f["note"]),
        }
    elif name == "calls":
        properties |= {
            "hs_call_title": ["Call"] * n,
            "hs_call_direction": [d.upper() for d in f["direction"]],
            "hs_call_status": ["COMPLETED"] * n,
            "hs_call_duration": ["900000"] * n,
            "hs_call_body": as_text(f["note"]),
        }
    else:
        properties |= {
            "hs_email_subject": ["Following up"] * n,
            "hs_email_direction": [{"inbound": "INCOMING_EMAIL"}.get(d, "EMAIL") for d in f["direction"]],
            "hs_email_status": ["SENT"] * n,
        }
    return make_objects(name, versions, properties, {"companies": as_text(f["account_id"]), "contacts": as_text(f["contact_id"])})


def tasks(deals: Versions) -> Objects:
    """For every renewal that comes up a task to prepare it: open work, not a touch."""
    first = (deals.frame["kind"] == "renewal").to_numpy() & (deals.frame["stage"] == "qualified").to_numpy()
    versions = only(deals, first)
    f = versions.frame
    made = milliseconds(f["updated_at"])
    return make_objects(
        "tasks",
        versions,
        {
            "id": ["8" + i[1:] for i in f["opportunity_id"]],
            "hs_timestamp": milliseconds(f["updated_at"] + pd.Timedelta(days=30)),
            "hs_task_subject": ["Prepare renewal"] * len(f),
            "hs_task_type": ["TODO"] * len(f),
            "hs_task_status": ["NOT_STARTED"] * len(f),
            "hs_createdate": made,
            "hs_lastmodifieddate": made,
        },
        {"companies": as_text(f["account_id"])},
    )

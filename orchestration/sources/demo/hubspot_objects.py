"""The demo company's CRM tables as HubSpot objects: which property comes from which column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from orchestration.sources.demo.base import EXPONENT, Frame, Versions
from orchestration.sources.demo.crm import OWNER_EMAILS
from orchestration.sources.demo.facade import iso, plain
from orchestration.sources.demo.hubspot_records import Objects

MEETINGS = ["kickoff", "training", "check_in", "business_review", "executive_review", "interview", "exit_interview"]
OWNER_ID = {email: str(7000 + i) for i, email in enumerate(OWNER_EMAILS)}


def build_objects(company: Any) -> dict[str, Objects]:
    """All object types of the portal."""
    accounts, contacts, deals = company.table("crm", "accounts"), company.table("crm", "contacts"), company.table("crm", "opportunities")
    activities, goals, members = company.table("crm", "activities"), company.table("crm", "success_goals"), company.table("crm", "campaign_members")
    objects = {"companies": _companies(accounts), "contacts": _contacts(contacts), "deals": _deals(deals), "tasks": _tasks(deals)}
    kind = activities.frame["kind"]
    for name, kinds in (("meetings", MEETINGS), ("calls", ["call"]), ("emails", ["email"])):
        objects[name] = _touches(name, _only(activities, kind.isin(kinds).to_numpy()))
    objects["p_success_goals"] = _goals(goals)
    objects["p_campaign_members"] = _members(members)
    return objects


def _only(versions: Versions, rows: np.ndarray) -> Versions:
    return Versions(versions.frame[rows].reset_index(drop=True), versions.key[rows], versions.at[rows], versions.gone[rows], versions.money)


def _objects(
    name: str,
    versions: Versions,
    properties: dict[str, list],
    links: dict[str, list],
    created: str = "hs_createdate",
    archived: Any = None,
    hidden: Any = None,
    changed: str = "hs_lastmodifieddate",
) -> Objects:
    nothing = np.zeros(len(versions.frame), dtype=bool)
    return Objects(
        name, versions, properties, links, created, changed, nothing if archived is None else archived, nothing if hidden is None else hidden
    )


def _ms(column: pd.Series) -> list[str | None]:
    return iso(column, "ms")


def _text(column: pd.Series) -> list[str | None]:
    return [None if v is None else str(v) for v in plain(column)]


def _flag(column: pd.Series) -> list[str | None]:
    return [None if v is None else ("true" if v else "false") for v in plain(column)]


def _amount(frame: Frame, column: str) -> list[str | None]:
    places = frame["currency"].map(EXPONENT)
    return [None if v < 0 else (str(v) if p == 0 else f"{v // 100}.{v % 100:02d}") for v, p in zip(frame[column], places, strict=True)]


def _owners(column: pd.Series) -> list[str | None]:
    return [OWNER_ID.get(v) for v in column]


def _first_time(versions: Versions, column: str) -> pd.Series:
    return pd.Series(versions.frame[column].groupby(versions.key).transform("min"))


def _companies(versions: Versions) -> Objects:
    f = versions.frame
    return _objects(
        "companies",
        versions,
        {
            "id": _text(f["account_id"]),
            "name": _text(f["name"]),
            "domain": _text(f["domain"]),
            "hs_parent_company_id": _text(f["parent_account_id"]),
            "industry": _text(f["industry"]),
            "country": _text(f["country"]),
            "numberofemployees": _text(f["employees"]),
            "hubspot_owner_id": _owners(f["owner_email"]),
            "acquisition_cost": _amount(f, "acquisition_cost"),
            "currency": _text(f["currency"]),
            "lifecyclestage": [None if c < 0 else "customer" for c in f["acquisition_cost"]],
            "hs_merged_object_ids": _text(f["_merged_ids"]),
            "createdate": _ms(f["created_at"]),
            "hs_lastmodifieddate": _ms(f["updated_at"]),
        },
        {},
        "createdate",
        f["deleted"].to_numpy(dtype=bool),
        f["merged_into_account_id"].notna().to_numpy(),
    )


def _contacts(versions: Versions) -> Objects:
    f = versions.frame
    names = [n.split(" ", 1) for n in f["full_name"]]
    return _objects(
        "contacts",
        versions,
        {
            "id": _text(f["contact_id"]),
            "email": _text(f["email"]),
            "firstname": [n[0] for n in names],
            "lastname": [n[1] for n in names],
            "role": _text(f["role"]),
            "active": _flag(f["active"]),
            "createdate": _ms(f["created_at"]),
            "lastmodifieddate": _ms(f["updated_at"]),
        },
        {"companies": _text(f["account_id"])},
        "createdate",
        changed="lastmodifieddate",
    )


def _deals(versions: Versions) -> Objects:
    f = versions.frame
    closed = f["closed_at"].notna()
    return _objects(
        "deals",
        versions,
        {
            "id": _text(f["opportunity_id"]),
            "dealname": ["Deal " + i[-6:] for i in f["opportunity_id"]],
            "dealtype": [{"new": "newbusiness", "expansion": "existingbusiness"}.get(k, k) for k in f["kind"]],
            "pipeline": ["default"] * len(f),
            "dealstage": _text(f["stage"]),
            "amount": _amount(f, "amount"),
            "deal_currency_code": _text(f["currency"]),
            "closedate": _ms(f["closed_at"]),
            "hs_is_closed": _flag(closed),
            "hs_is_closed_won": _flag(f["is_won"].fillna(False)),
            "closed_lost_reason": _text(f["loss_reason"]),
            "createdate": _ms(f["created_at"]),
            "hs_lastmodifieddate": _ms(f["updated_at"]),
        },
        {"companies": _text(f["account_id"])},
        "createdate",
    )


def _touches(name: str, versions: Versions) -> Objects:
    f = versions.frame
    n = len(f)
    properties: dict[str, list] = {
        "id": _text(f["activity_id"]),
        "hs_timestamp": _ms(f["occurred_at"]),
        "hubspot_owner_id": _owners(f["owner_email"]),
        "stated_reason": _text(f["stated_reason"]),
        "root_cause": _text(f["root_cause"]),
        "hs_createdate": _ms(f["_created_at"]),
        "hs_lastmodifieddate": _ms(f["_created_at"]),
    }
    if name == "meetings":
        kind = [k.replace("_", " ").capitalize() for k in f["kind"]]
        properties |= {
            "hs_meeting_title": kind,
            "hs_activity_type": kind,
            "hs_meeting_start_time": properties["hs_timestamp"],
            "hs_meeting_end_time": _ms(f["occurred_at"] + pd.Timedelta(minutes=45)),
            "hs_meeting_outcome": ["COMPLETED"] * n,
            "hs_internal_meeting_notes": _text(f["note"]),
        }
    elif name == "calls":
        properties |= {
            "hs_call_title": ["Call"] * n,
            "hs_call_direction": [d.upper() for d in f["direction"]],
            "hs_call_status": ["COMPLETED"] * n,
            "hs_call_duration": ["900000"] * n,
            "hs_call_body": _text(f["note"]),
        }
    else:
        properties |= {
            "hs_email_subject": ["Following up"] * n,
            "hs_email_direction": [{"inbound": "INCOMING_EMAIL"}.get(d, "EMAIL") for d in f["direction"]],
            "hs_email_status": ["SENT"] * n,
        }
    return _objects(name, versions, properties, {"companies": _text(f["account_id"]), "contacts": _text(f["contact_id"])})


def _tasks(deals: Versions) -> Objects:
    """For every renewal that comes up a task to prepare it: open work, not a touch."""
    first = (deals.frame["kind"] == "renewal").to_numpy() & (deals.frame["stage"] == "qualified").to_numpy()
    versions = _only(deals, first)
    f = versions.frame
    made = _ms(f["updated_at"])
    return _objects(
        "tasks",
        versions,
        {
            "id": ["8" + i[1:] for i in f["opportunity_id"]],
            "hs_timestamp": _ms(f["updated_at"] + pd.Timedelta(days=30)),
            "hs_task_subject": ["Prepare renewal"] * len(f),
            "hs_task_type": ["TODO"] * len(f),
            "hs_task_status": ["NOT_STARTED"] * len(f),
            "hs_createdate": made,
            "hs_lastmodifieddate": made,
        },
        {"companies": _text(f["account_id"])},
    )


def _goals(versions: Versions) -> Objects:
    f = versions.frame
    return _objects(
        "p_success_goals",
        versions,
        {
            "id": _text(f["goal_id"]),
            "outcome": _text(f["outcome"]),
            "metric": _text(f["metric"]),
            "baseline": _text(f["baseline"]),
            "target": _text(f["target"]),
            "current_value": _text(f["current_value"]),
            "due_on": iso_day(f["due_on"]),
            "achieved_at": _ms(f["achieved_at"]),
            "value_realized": _amount(f, "value_realized"),
            "currency": _text(f["currency"]),
            "hs_createdate": _ms(_first_time(versions, "updated_at")),
            "hs_lastmodifieddate": _ms(f["updated_at"]),
        },
        {"companies": _text(f["account_id"])},
    )


def iso_day(column: pd.Series) -> list[str | None]:
    """Dates as text."""
    return [None if t is None else t[:10] for t in iso(column)]


def _members(versions: Versions) -> Objects:
    f = versions.frame
    return _objects(
        "p_campaign_members",
        versions,
        {
            "id": _text(f["_member_id"]),
            "campaign_id": _text(f["campaign_id"]),
            "campaign_name": _text(f["campaign_name"]),
            "kind": _text(f["kind"]),
            "targeted_at": _ms(f["targeted_at"]),
            "responded_at": _ms(f["responded_at"]),
            "cost": _amount(f, "cost"),
            "currency": _text(f["currency"]),
            "is_control": _flag(f["is_control"]),
            "hs_createdate": _ms(f["targeted_at"]),
            "hs_lastmodifieddate": _ms(f["_updated_at"]),
        },
        {"companies": _text(f["account_id"])},
    )

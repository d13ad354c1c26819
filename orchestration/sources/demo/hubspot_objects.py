"""The demo company's CRM tables as HubSpot objects: which property comes from which column."""

from __future__ import annotations

from typing import Any

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.hubspot_columns import as_amount, as_flag, as_text, first_time, iso_day, make_objects, milliseconds, only, owner_ids
from orchestration.sources.demo.hubspot_records import Objects
from orchestration.sources.demo.hubspot_touches import MEETINGS, tasks, touches


def build_objects(company: Any) -> dict[str, Objects]:
    """All object types of the portal."""
    accounts, contacts, deals = company.table("crm", "accounts"), company.table("crm", "contacts"), company.table("crm", "opportunities")
    activities, goals, members = company.table("crm", "activities"), company.table("crm", "success_goals"), company.table("crm", "campaign_members")
    objects = {"companies": _companies(accounts), "contacts": _contacts(contacts), "deals": _deals(deals), "tasks": tasks(deals)}
    kind = activities.frame["kind"]
    for name, kinds in (("meetings", MEETINGS), ("calls", ["call"]), ("emails", ["email"])):
        objects[name] = touches(name, only(activities, kind.isin(kinds).to_numpy()))
    objects["p_success_goals"] = _goals(goals)
    objects["p_campaign_members"] = _members(members)
    return objects


def _companies(versions: Versions) -> Objects:
    f = versions.frame
    return make_objects(
        "companies",
        versions,
        {
            "id": as_text(f["account_id"]),
            "name": as_text(f["name"]),
            "domain": as_text(f["domain"]),
            "hs_parent_company_id": as_text(f["parent_account_id"]),
            "industry": as_text(f["industry"]),
            "country": as_text(f["country"]),
            "numberofemployees": as_text(f["employees"]),
            "hubspot_owner_id": owner_ids(f["owner_email"]),
            "acquisition_cost": as_amount(f, "acquisition_cost"),
            "currency": as_text(f["currency"]),
            "lifecyclestage": [None if c < 0 else "customer" for c in f["acquisition_cost"]],
            "hs_merged_object_ids": as_text(f["_merged_ids"]),
            "createdate": milliseconds(f["created_at"]),
            "hs_lastmodifieddate": milliseconds(f["updated_at"]),
        },
        {},
        "createdate",
        f["deleted"].to_numpy(dtype=bool),
        f["merged_into_account_id"].notna().to_numpy(),
    )


def _contacts(versions: Versions) -> Objects:
    f = versions.frame
    names = [n.split(" ", 1) for n in f["full_name"]]
    return make_objects(
        "contacts",
        versions,
        {
            "id": as_text(f["contact_id"]),
            "email": as_text(f["email"]),
            "firstname": [n[0] for n in names],
            "lastname": [n[1] for n in names],
            "role": as_text(f["role"]),
            "active": as_flag(f["active"]),
            "createdate": milliseconds(f["created_at"]),
            "lastmodifieddate": milliseconds(f["updated_at"]),
        },
        {"companies": as_text(f["account_id"])},
        "createdate",
        changed="lastmodifieddate",
    )


def _deals(versions: Versions) -> Objects:
    f = versions.frame
    closed = f["closed_at"].notna()
    return make_objects(
        "deals",
        versions,
        {
            "id": as_text(f["opportunity_id"]),
            "dealname": ["Deal " + i[-6:] for i in f["opportunity_id"]],
            "dealtype": [{"new": "newbusiness", "expansion": "existingbusiness"}.get(k, k) for k in f["kind"]],
            "pipeline": ["default"] * len(f),
            "dealstage": as_text(f["stage"]),
            "amount": as_amount(f, "amount"),
            "deal_currency_code": as_text(f["currency"]),
            "closedate": milliseconds(f["closed_at"]),
            "hs_is_closed": as_flag(closed),
            "hs_is_closed_won": as_flag(f["is_won"].fillna(False)),
            "closed_lost_reason": as_text(f["loss_reason"]),
            "createdate": milliseconds(f["created_at"]),
            "hs_lastmodifieddate": milliseconds(f["updated_at"]),
        },
        {"companies": as_text(f["account_id"])},
        "createdate",
    )


def _goals(versions: Versions) -> Objects:
    f = versions.frame
    return make_objects(
        "p_success_goals",
        versions,
        {
            "id": as_text(f["goal_id"]),
            "outcome": as_text(f["outcome"]),
            "metric": as_text(f["metric"]),
            "baseline": as_text(f["baseline"]),
            "target": as_text(f["target"]),
            "current_value": as_text(f["current_value"]),
            "due_on": iso_day(f["due_on"]),
            "achieved_at": milliseconds(f["achieved_at"]),
            "value_realized": as_amount(f, "value_realized"),
            "currency": as_text(f["currency"]),
            "hs_createdate": milliseconds(first_time(versions, "updated_at")),
            "hs_lastmodifieddate": milliseconds(f["updated_at"]),
        },
        {"companies": as_text(f["account_id"])},
    )


def _members(versions: Versions) -> Objects:
    f = versions.frame
    return make_objects(
        "p_campaign_members",
        versions,
        {
            "id": as_text(f["_member_id"]),
            "campaign_id": as_text(f["campaign_id"]),
            "campaign_name": as_text(f["campaign_name"]),
            "kind": as_text(f["kind"]),
            "targeted_at": milliseconds(f["targeted_at"]),
            "responded_at": milliseconds(f["responded_at"]),
            "cost": as_amount(f, "cost"),
            "currency": as_text(f["currency"]),
            "is_control": as_flag(f["is_control"]),
            "hs_createdate": milliseconds(f["targeted_at"]),
            "hs_lastmodifieddate": milliseconds(f["_updated_at"]),
        },
        {"companies": as_text(f["account_id"])},
    )

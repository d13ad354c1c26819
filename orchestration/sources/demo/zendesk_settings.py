"""The help desk's settings as Zendesk gives them."""

from __future__ import annotations

from typing import Any

ZONES = {"Europe/Berlin": "Berlin", "America/New_York": "Eastern Time (US & Canada)"}


TARGETS = {"urgent": (60, 480), "high": (240, 1440), "normal": (480, 2880), "low": (1440, 7200)}  # minutes: first reply, resolution


LONG_AGO = "2023-01-10T09:00:00Z"


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

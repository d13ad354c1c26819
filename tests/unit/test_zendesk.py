"""Zendesk's client against answers in the shapes of its public documentation."""

from __future__ import annotations

from base64 import b64decode
from datetime import UTC, datetime
from zoneinfo import available_timezones

import pytest

from orchestration.sources import ContractError, SourceError, SourceSpec, Window, open_source, zendesk_rows
from orchestration.sources.base import TransientSourceError
from orchestration.sources.zendesk_zones import OTHERS, iana
from tests.servers import Answer, Request, scripted_server

SINCE, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
TICKET = {
    "id": 35436,
    "url": "https://company.zendesk.com/api/v2/tickets/35436.json",
    "subject": "Help",
    "raw_subject": "Help",
    "description": "The fire is very colorful. Call me: 555-0100",
    "status": "solved",
    "priority": "high",
    "type": "incident",
    "via": {"channel": "web", "source": {}},
    "requester_id": 20978392,
    "submitter_id": 20978392,
    "assignee_id": 235323,
    "organization_id": 509974,
    "group_id": None,
    "tags": ["enterprise", "other_tag"],
    "satisfaction_rating": {"id": 1234, "score": "good", "comment": "Great support!"},
    "created_at": "2026-03-02T22:55:29Z",
    "updated_at": "2026-03-05T05:38:32Z",
    "generated_timestamp": 1772690000,
}
EVENT = {
    "id": 926256957613,
    "ticket_id": 35436,
    "timestamp": 1772500000,
    "created_at": "2026-03-03T01:06:40Z",
    "updater_id": 235323,
    "via": "Web form",
    "event_type": "Audit",
    "child_events": [
        {"id": 1, "event_type": "Comment", "type": "Comment", "public": True, "author_id": 235323, "body": "Secret words", "via": {"channel": "web"}},
        {"id": 2, "event_type": "Change", "status": "solved", "previous_value": "open", "via": "Web form"},
        {"id": 3, "event_type": "Change", "tags": ["a", "escalated"], "added_tags": ["escalated"], "removed_tags": [], "previous_value": ["a"]},
        {"id": 4, "event_type": "Change", "subject": "New subject", "previous_value": "Help"},
        {"id": 5, "event_type": "Change", "field_name": "priority", "value": "urgent", "previous_value": "high"},
        {"id": 6, "event_type": "Create", "status": "new", "priority": "low", "subject": "Help"},
        {"id": 7, "event_type": "Notification", "subject": "mail"},
    ],
}
SCHEDULE = {
    "id": 360000001,
    "name": "Europe",
    "time_zone": "Copenhagen",
    "created_at": "2025-01-01T00:00:00Z",
    "updated_at": "2025-06-01T00:00:00Z",
    # Monday 9–17, Saturday 22 to Sunday 6, and Sunday 0–24
    "intervals": [{"start_time": 1980, "end_time": 2460}, {"start_time": 9960, "end_time": 10440}, {"start_time": 0, "end_time": 1440}],
}
POLICY = {
    "id": 36,
    "title": "Incidents",
    "position": 3,
    "filter": {"all": [{"field": "type", "operator": "is", "value": "incident"}], "any": []},
    "policy_metrics": [
        {"priority": "normal", "metric": "first_reply_time", "target": 30, "target_in_seconds": 1800, "business_hours": False},
        {"priority": "urgent", "metric": "first_reply_time", "target": 10, "business_hours": True},
    ],
    "created_at": "2025-03-17T22:50:26Z",
    "updated_at": "2025-03-17T22:50:26Z",
}
ANSWERS = {
    "/api/v2/users.json": {"users": [{"id": 235323, "role": "agent"}], "meta": {"has_more": False, "after_cursor": "x"}},
    "/api/v2/incremental/ticket_events.json": {"ticket_events": [EVENT], "end_time": 1772500000, "end_of_stream": True, "next_page": "…"},
    "/api/v2/business_hours/schedules.json": {"schedules": [SCHEDULE]},
    "/api/v2/business_hours/schedules/360000001/holidays.json": {
        "holidays": [{"id": 9, "name": "New Year", "start_date": "2026-12-30", "end_date": "2027-01-01"}]
    },
    "/api/v2/slas/policies.json": {"sla_policies": [POLICY], "next_page": None, "previous_page": None, "count": 1},
    "/api/v2/incremental/organizations.json": {
        "organizations": [{"id": 1, "name": "Acme", "external_id": None, "domain_names": ["acme.example", "acme.test"], "tags": []}],
        "end_time": 1772500000,
        "count": 1,
    },
    "/api/v2/satisfaction_ratings.json": {
        "satisfaction_ratings": [{"id": 62, "ticket_id": 35436, "requester_id": 7881, "score": "bad", "comment": "Slow", "reason": "speed"}],
        "meta": {"has_more": False},
    },
}


def documented(request: Request) -> Answer:
    return Answer(ANSWERS[request.path]) if request.path in ANSWERS else Answer({"error": "RecordNotFound"}, 404)


def open_zendesk(base_url: str):
    spec = SourceSpec(vendor="zendesk", domains=("support",), base_url=base_url, email="pipeline@example.test", api_key="canary")
    return open_source(spec)


def pull(answer, *tables: str, since: datetime | None = SINCE) -> tuple[dict[str, list[dict]], list[Request], list[str]]:
    with scripted_server(answer) as (base_url, requests):
        source = open_zendesk(base_url)
        found: dict[str, list[dict]] = {table: [] for table in tables}
        for table, page in source.pull({table: Window(since, UNTIL) for table in tables}):
            found[table] += page
        return found, requests, source.warnings


def test_tickets_are_exported_to_the_end_of_the_stream():
    def answer(request: Request) -> Answer:
        number = int(request.query.get("cursor", ["0"])[0])
        ticket = TICKET | {"id": 35436 + number}
        metrics = [{"ticket_id": ticket["id"], "solved_at": "2026-03-04T00:00:00Z", "reopens": 0}]
        # The last page has a cursor too: it is for the next export, not for this one.
        return Answer({"tickets": [ticket], "metric_sets": metrics, "after_cursor": str(number + 1), "end_of_stream": number == 2})

    found, requests, _ = pull(answer, "tickets")
    assert [row["id"] for row in found["tickets"]] == ["35436", "35437", "35438"]
    assert requests[0].query == {"start_time": [str(int(SINCE.timestamp()))], "per_page": ["1000"], "include": ["metric_sets"]}
    assert [request.query.get("cursor") for request in requests] == [None, ["1"], ["2"]]
    assert all("start_time" not in request.query for request in requests[1:])
    user = b64decode(requests[0].headers["Authorization"].split()[1]).decode()
    assert user == "pipeline@example.test/token:canary"


def test_a_ticket_is_flat_and_its_words_stay_at_the_source():
    row = zendesk_rows.ticket(TICKET, {35436: "2026-03-04T00:00:00Z"})
    names = ("organization_id", "group_id", "channel", "tags", "satisfaction_score", "solved_at")
    assert tuple(row[name] for name in names) == ("509974", None, "web", "enterprise,other_tag", "good", "2026-03-04T00:00:00Z")
    assert row["generated_timestamp"] == datetime.fromtimestamp(1772690000, UTC)
    assert "555-0100" not in str(row)


def test_ticket_events_are_flat_with_the_role_of_their_author():
    found, requests, _ = pull(documented, "ticket_events")
    rows = {row["id"]: row for row in found["ticket_events"]}
    assert list(rows) == ["1", "2", "3", "5", "6-status", "6-priority"]
    assert (rows["1"]["event_type"], rows["1"]["public"], rows["1"]["author_role"]) == ("Comment", True, "agent")
    assert (rows["2"]["field_name"], rows["2"]["previous_value"], rows["2"]["value"]) == ("status", "open", "solved")
    assert (rows["3"]["added_tags"], rows["3"]["removed_tags"]) == ("escalated", None)
    assert (rows["5"]["field_name"], rows["5"]["value"]) == ("priority", "urgent")
    assert (rows["6-priority"]["event_type"], rows["6-priority"]["value"]) == ("Create", "low")
    assert {row["created_at"] for row in rows.values()} == {"2026-03-03T01:06:40Z"}
    assert "Secret" not in str(found)
    assert sorted(requests[-1].query["role[]"]) == ["admin", "agent"]


def test_authors_who_are_not_agents_are_end_users_and_triggers_are_nobody():
    (change,) = zendesk_rows.ticket_events({"id": 1, "ticket_id": 2, "updater_id": 99, "child_events": [EVENT["child_events"][1]]}, {})
    assert change["author_role"] == "end-user"
    (change,) = zendesk_rows.ticket_events({"id": 1, "ticket_id": 2, "updater_id": -1, "child_events": [EVENT["child_events"][1]]}, {})
    assert change["author_role"] is None


def test_tags_are_compared_where_the_difference_is_not_given():
    child = {"id": 1, "type": "Change", "field_name": "tags", "value": ["b", "c"], "previous_value": "a b"}
    (row,) = zendesk_rows.ticket_events({"id": 1, "ticket_id": 2, "updater_id": 3, "child_events": [child]}, {})
    assert (row["added_tags"], row["removed_tags"]) == ("c", "a")


def test_time_based_exports_follow_the_end_time():
    def answer(request: Request) -> Answer:
        start = int(request.query["start_time"][0])
        if start >= 1000:
            return Answer({"organizations": [{"id": start}], "end_time": start, "count": 1, "end_of_stream": True})
        return Answer({"organizations": [{"id": start * 1000 + n} for n in range(1000)], "end_time": start + 500, "end_of_stream": False})

    found, requests, _ = pull(answer, "organizations", since=None)
    assert [request.query["start_time"] for request in requests] == [["1"], ["501"], ["1001"]]
    assert len(found["organizations"]) == 2001


def test_an_export_whose_time_stands_still_is_rejected():
    def answer(request: Request) -> Answer:
        rows = [{"id": n} for n in range(1000)]
        return Answer({"organizations": rows, "end_time": int(request.query["start_time"][0]), "end_of_stream": False})

    with pytest.raises(TransientSourceError, match="same cursor twice"):
        pull(answer, "organizations")


def test_an_export_that_lost_its_cursor_is_a_contract_error():
    with pytest.raises(ContractError, match="after_cursor"):
        pull(lambda request: Answer({"users": [], "end_of_stream": False}), "users")


def test_small_lists_and_settings():
    found, _, warnings = pull(documented, "organizations", "satisfaction_ratings", "holidays", "sla_policies")
    assert found["organizations"][0]["domain_names"] == "acme.example,acme.test"
    assert (found["satisfaction_ratings"][0]["score"], found["satisfaction_ratings"][0]["ticket_id"]) == ("bad", "35436")
    assert found["holidays"] == [{"id": "9", "schedule_id": "360000001", "name": "New Year", "start_date": "2026-12-30", "end_date": "2027-01-01"}]
    targets = {(row["priority"], row["target"], row["business_hours"]) for row in found["sla_policies"]}
    assert targets == {("normal", 30, False), ("urgent", 10, True)}
    assert warnings == []


def test_lists_are_read_to_their_end():
    """Ratings, and the agents by whom a comment is told from a customer's."""

    def answer(request: Request) -> Answer:
        number = int(request.query.get("page[after]", ["0"])[0])
        meta = {"meta": {"has_more": number < 2, "after_cursor": str(number + 1)}}
        if request.path == "/api/v2/users.json":
            return Answer({"users": [{"id": 235321 + number, "role": "admin"}]} | meta)
        if request.path == "/api/v2/satisfaction_ratings.json":
            return Answer({"satisfaction_ratings": [{"id": number, "ticket_id": 7, "score": "good"}]} | meta)
        return Answer({"ticket_events": [EVENT, EVENT | {"id": 1}], "end_time": 1772500000, "end_of_stream": True})

    found, requests, _ = pull(answer, "ticket_events", "satisfaction_ratings")
    assert [row["id"] for row in found["satisfaction_ratings"]] == ["0", "1", "2"]
    assert {row["author_role"] for row in found["ticket_events"]} == {"admin"}
    assert sum(request.path == "/api/v2/users.json" for request in requests) == 3  # once for all events
    asked = [request.query for request in requests if request.path == "/api/v2/satisfaction_ratings.json"]
    assert [query.get("page[after]") for query in asked] == [None, ["1"], ["2"]]
    assert {(query["start_time"][0], query["page[size]"][0]) for query in asked} == {(str(int(SINCE.timestamp())), "100")}


def test_opening_hours_are_split_by_weekday():
    found, _, _ = pull(documented, "schedules")
    hours = [(row["weekday"], row["start_time"], row["end_time"]) for row in found["schedules"]]
    # Monday; Saturday night, cut at midnight, its rest wrapping to Sunday; the whole of Sunday
    assert hours == [(1, "09:00", "17:00"), (6, "22:00", "24:00"), (7, "00:00", "06:00"), (7, "00:00", "24:00")]
    assert {row["iana_time_zone"] for row in found["schedules"]} == {"Europe/Copenhagen"}


def test_a_schedule_in_an_unknown_zone_is_named_and_has_no_iana_name():
    def answer(request: Request) -> Answer:
        return Answer({"schedules": [SCHEDULE | {"time_zone": "Atlantis"}]})

    found, _, warnings = pull(answer, "schedules")
    assert {row["iana_time_zone"] for row in found["schedules"]} == {None}
    assert warnings == ["zendesk: time zone 'Atlantis' of a schedule has no IANA name here"]


def test_settings_that_the_plan_lacks_are_warnings():
    def answer(request: Request) -> Answer:
        return Answer({"error": "Forbidden"}, 403)

    found, _, warnings = pull(answer, "schedules", "holidays", "sla_policies")
    assert found == {"schedules": [], "holidays": [], "sla_policies": []}
    assert len(warnings) == 3
    with pytest.raises(SourceError):
        pull(answer, "tickets")


def test_keys_are_for_settings_only():
    with scripted_server(documented) as (base_url, _):
        source = open_zendesk(base_url)
        assert list(source.keys("holidays")) == [[("360000001", "9")]]
        assert source.keys("tickets") is None


def test_time_zones():
    assert iana("Eastern Time (US & Canada)") == "America/New_York"
    assert iana("Berlin") == "Europe/Berlin"
    assert iana("Europe/Berlin") == "Europe/Berlin"
    assert iana("Atlantis") is None
    assert set(OTHERS.values()) <= available_timezones()

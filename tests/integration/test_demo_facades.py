"""The demo's HTTP facades by plain requests, held against their vendors' rules: auth, paging, refusals, time."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
import requests

from orchestration.sources.demo.company import DemoCompany
from orchestration.sources.demo.server import DemoServer


@pytest.fixture(scope="module")
def company() -> DemoCompany:
    return DemoCompany.generate(customers=50, days=150, seed=4, horizon=60)


@pytest.fixture
def server(company: DemoCompany) -> Iterator[DemoServer]:
    with company.serve(midnight(company, 0)) as running:
        running.rate_limit_every = 0
        yield running
        assert running.faults == []


def midnight(company: DemoCompany, days: int) -> datetime:
    return datetime.combine(company.last_day + timedelta(days=1 + days), time(), UTC)


def key(server: DemoServer, vendor: str) -> str:
    return server.credentials[vendor]["api_key"].get_secret_value()


def call(server: DemoServer, vendor: str, path: str, params=None, json=None, status: int = 200):
    auth = (f"{server.credentials['zendesk']['email']}/token", key(server, vendor)) if vendor == "zendesk" else None
    headers = {} if auth else {"Authorization": f"Bearer {key(server, vendor)}"}
    response = requests.request(
        "POST" if json else "GET", server.base_urls[vendor] + path, params=params, json=json, headers=headers, auth=auth, timeout=20
    )
    assert response.status_code == status, response.text
    return response.json()


def hubspot_list(server: DemoServer, kind: str, limit: int, **more) -> list[dict]:
    found, after = [], {}
    while True:
        body = call(server, "hubspot", f"/crm/v3/objects/{kind}", {"limit": limit, **more, **after})
        found += body["results"]
        if "paging" not in body:
            return found
        after = {"after": body["paging"]["next"]["after"]}


def stripe_list(server: DemoServer, kind: str, limit: int = 100, **more) -> list[dict]:
    found, after = [], {}
    while True:
        body = call(server, "stripe", f"/v1/{kind}", {"limit": limit, **more, **after})
        found += body["data"]
        if not body["has_more"]:
            return found
        after = {"starting_after": found[-1]["id"]}


@pytest.mark.parametrize("path", [("hubspot", "/crm/v3/objects/companies"), ("stripe", "/v1/customers"), ("zendesk", "/api/v2/users.json")])
def test_without_the_right_key_there_is_nothing(server, path):
    vendor, where = path
    assert requests.get(server.base_urls[vendor] + where, timeout=20).status_code == 401
    assert requests.get(server.base_urls[vendor] + where, headers={"Authorization": "Bearer wrong"}, timeout=20).status_code == 401


@pytest.mark.parametrize(
    "path", [("hubspot", "/crm/v3/objects/companies"), ("stripe", "/v1/invoices"), ("zendesk", "/api/v2/satisfaction_ratings.json")]
)
def test_an_unknown_parameter_is_refused(server, path):
    call(server, *path, {"no_such_thing": 1}, status=400)


@pytest.mark.parametrize(
    "asked",
    [
        ("hubspot", "/crm/v3/objects/companies", {"limit": 101}),
        ("hubspot", "/crm/v3/objects/companies", {"archived": "maybe"}),
        ("stripe", "/v1/invoices", {"limit": 0}),
        ("stripe", "/v1/invoices", {"starting_after": "in_none"}),
        ("stripe", "/v1/subscription_items", {}),
        ("zendesk", "/api/v2/incremental/tickets/cursor.json", {}),
        ("zendesk", "/api/v2/incremental/tickets/cursor.json", {"cursor": "!"}),
        ("zendesk", "/api/v2/incremental/users/cursor.json", {"start_time": 0, "include": "metric_sets"}),
    ],
)
def test_a_parameter_out_of_bounds_is_refused(server, asked):
    call(server, *asked, status=400)


@pytest.mark.parametrize(
    "path",
    [("hubspot", "/crm/v3/objects/dragons"), ("stripe", "/v1/invoices/in_none"), ("zendesk", "/api/v2/business_hours/schedules/99/holidays.json")],
)
def test_what_is_not_there_is_404(server, path):
    call(server, *path, status=404)


def test_small_pages_hold_the_same_as_large_ones(server):
    few, many = hubspot_list(server, "contacts", 7), hubspot_list(server, "contacts", 100)
    assert few == many and len({o["id"] for o in many}) == len(many) > 100
    few, many = stripe_list(server, "invoices", 9), stripe_list(server, "invoices", 100)
    assert few == many and len({o["id"] for o in many}) == len(many) > 100
    assert [o["created"] for o in many] == sorted((o["created"] for o in many), reverse=True)


def test_the_search_finds_what_changed_since(server, company):
    since = int((midnight(company, 0) - timedelta(days=30)).timestamp() * 1000)
    body = {
        "filterGroups": [{"filters": [{"propertyName": "hs_lastmodifieddate", "operator": "GTE", "value": str(since)}]}],
        "sorts": [{"propertyName": "hs_lastmodifieddate", "direction": "ASCENDING"}],
        "limit": 200,
    }
    found = call(server, "hubspot", "/crm/v3/objects/deals/search", json=body)
    listed = [o for o in hubspot_list(server, "deals", 100) if datetime.fromisoformat(o["updatedAt"]).timestamp() * 1000 >= since]
    assert {o["id"] for o in found["results"]} == {o["id"] for o in listed} and found["total"] == len(listed) > 0
    assert [o["updatedAt"] for o in found["results"]] == sorted(o["updatedAt"] for o in listed)
    call(server, "hubspot", "/crm/v3/objects/deals/search", json=body | {"after": "9900"}, status=400)


def test_a_merged_company_lives_on_in_the_one_that_stayed(server, company):
    accounts = company.blocks[0].accounts
    merged = accounts.frame[(accounts.frame["merged_at"] < midnight(company, 0).timestamp())]
    assert len(merged)
    companies = {o["id"]: o["properties"]["hs_merged_object_ids"] for o in hubspot_list(server, "companies", 100, properties="hs_merged_object_ids")}
    for _, row in merged.iterrows():
        assert accounts.names[row["acc"]] not in companies
        assert accounts.names[row["acc"]] in companies[accounts.names[row["cust"]]].split(";")


def test_lines_of_an_invoice_come_in_pages_too(server):
    invoice = max(stripe_list(server, "invoices"), key=lambda o: o["lines"]["total_count"])
    assert stripe_list(server, f"invoices/{invoice['id']}/lines", 1) == invoice["lines"]["data"]
    assert len(invoice["lines"]["data"]) > 1


def test_invoices_add_up(server):
    for o in stripe_list(server, "invoices"):
        lines = o["lines"]["data"]
        off = sum(part["amount"] for line in lines for part in line["discount_amounts"])
        tax = sum(part["amount"] for line in lines for part in line["tax_amounts"])
        assert o["total"] == sum(line["amount"] for line in lines) - off + tax
        assert o["subtotal"] == sum(line["amount"] for line in lines) and (o["tax"] or 0) == tax


def test_cancelled_subscriptions_are_listed_when_asked_for(server):
    live, every = stripe_list(server, "subscriptions"), stripe_list(server, "subscriptions", status="all")
    assert {o["id"] for o in live} == {o["id"] for o in every if o["status"] != "canceled"} and len(live) < len(every)


def test_events_tell_what_a_listing_shows(server, company):
    """The newest event of each object holds it as a listing does: today, and after the clock has moved."""
    for days in (0, 3):
        server.set_clock(midnight(company, days))
        events = stripe_list(server, "events", **{"created[gte]": int((midnight(company, days) - timedelta(days=5)).timestamp())})
        newest = {}
        for event in events:
            newest.setdefault(event["data"]["object"]["id"], event)
        listed = {
            o["id"]: o for o in stripe_list(server, "subscriptions", status="all") + stripe_list(server, "invoices") + stripe_list(server, "charges")
        }
        told = [e for e in newest.values() if e["data"]["object"]["id"] in listed]
        assert len(told) > 5 and all(listed[e["data"]["object"]["id"]] == e["data"]["object"] for e in told)


def test_the_ticket_export_ends_and_skips_nothing(server):
    small, params = [], {"start_time": 0, "per_page": 13, "include": "metric_sets"}
    while True:
        body = call(server, "zendesk", "/api/v2/incremental/tickets/cursor.json", params)
        assert len(body["metric_sets"]) == len(body["tickets"])
        small += body["tickets"]
        if body["end_of_stream"]:
            break
        params = {"cursor": body["after_cursor"], "per_page": 13, "include": "metric_sets"}
    whole = call(server, "zendesk", "/api/v2/incremental/tickets/cursor.json", {"start_time": 0})["tickets"]
    assert small == whole and len({t["id"] for t in whole}) == len(whole) > 20


def test_an_export_by_time_goes_on_where_it_ended(server):
    found, start = {}, 0
    while True:
        body = call(server, "zendesk", "/api/v2/incremental/ticket_events.json", {"start_time": start, "per_page": 50, "include": "comment_events"})
        found |= {e["id"]: e for e in body["ticket_events"]}
        if body["end_of_stream"]:
            break
        start = body["end_time"]
    whole = call(server, "zendesk", "/api/v2/incremental/ticket_events.json", {"start_time": 0})["ticket_events"]
    assert list(found.values()) == whole


def test_time_moves_on_and_shows_nothing_early(server, company):
    before = {o["id"]: o for o in hubspot_list(server, "deals", 100)}
    server.set_clock(midnight(company, 20))
    after = {o["id"]: o for o in hubspot_list(server, "deals", 100)}
    limit = midnight(company, 0).isoformat()[:19]
    assert all(o["updatedAt"] < limit for o in before.values()) and any(o["updatedAt"] > limit for o in after.values())
    assert all(after[id]["updatedAt"] >= o["updatedAt"] for id, o in before.items())
    server.set_clock(midnight(company, 0))
    assert {o["id"]: o for o in hubspot_list(server, "deals", 100)} == before


def test_now_and_then_one_is_told_to_wait(company):
    with company.serve(midnight(company, 0)) as server:
        server.rate_limit_every = 3
        answers = [
            requests.get(f"{server.base_urls['stripe']}/v1/plans", headers={"Authorization": f"Bearer {key(server, 'stripe')}"}, timeout=20)
            for _ in range(6)
        ]
    assert [a.status_code for a in answers] == [200, 200, 429, 200, 200, 429]
    assert answers[2].headers["Retry-After"] == "1" and answers[5].headers["Retry-After"].endswith("GMT")

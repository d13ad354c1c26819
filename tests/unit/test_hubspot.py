"""HubSpot's client against answers in the shapes of its public documentation, and a search that behaves like its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from pydantic import SecretStr

from orchestration.sources import SourceSpec, Window, open_source
from orchestration.sources.base import ContractError, SourceError
from tests.servers import Answer, Request, scripted_server

START = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = START + timedelta(days=30)
FULL = Window(None, UNTIL)

COMPANY = {
    "id": "7001",
    "properties": {
        "createdate": "2025-01-02T03:04:05.678Z",
        "domain": "acme.example",
        "hs_lastmodifieddate": "2026-02-01T10:00:00.000Z",
        "hs_merged_object_ids": "6900;6950",
        "hs_object_id": "7001",
        "industry": "",
        "name": "Acme",
        "numberofemployees": "250",
        "annualrevenue": None,
        "favourite_colour": "green",
    },
    "createdAt": "2025-01-02T03:04:05.678Z",
    "updatedAt": "2026-02-01T10:00:00.000Z",
    "archived": False,
}
DEAL = {
    "id": "9001",
    "properties": {"dealname": "Renewal", "createdate": "2026-01-01T00:00:00Z", "hs_lastmodifieddate": "2026-02-01T10:00:00Z"},
    "archived": False,
    "associations": {"companies": {"results": [{"id": "7002", "type": "deal_to_company_unlabeled"}, {"id": "7001", "type": "deal_to_company"}]}},
}
OWNER = {
    "id": "41629779",
    "email": "kim@vendor.example",
    "firstName": "Kim",
    "lastName": "Vo",
    "userId": 9586504,
    "createdAt": "2019-10-30T03:30:17.883Z",
    "updatedAt": "2025-12-07T16:50:06.678Z",
    "archived": False,
    "teams": [{"id": "1", "name": "CS", "primary": True}],
}


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Portal:
    """A portal with one kind of record: lists by id, searches as documented (filters, one sort, at most 200, 10,000 in all)."""

    def __init__(self, records: list[dict], page: int = 200) -> None:
        self.records, self.page = records, page
        self.searches = 0

    def __call__(self, request: Request) -> Answer:
        if request.path.endswith("/search"):
            return self.search(request.body)
        if request.path.startswith("/crm/v4/associations/"):
            linked = [{"toObjectId": 5, "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None}]}]
            primary = [{"toObjectId": 6, "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}]}]
            return Answer({"results": [{"from": {"id": one["id"]}, "to": linked + primary} for one in request.body["inputs"]]})
        archived = request.query["archived"] == ["true"]
        found = [one for one in self.records if one["archived"] is archived]
        start = int(request.query.get("after", ["0"])[0])
        following = {"paging": {"next": {"after": str(start + 100)}}} if start + 100 < len(found) else {}
        return Answer({"results": found[start : start + 100]} | following)

    def search(self, body: dict[str, Any]) -> Answer:
        self.searches += 1
        (group,) = body["filterGroups"]
        assert body["limit"] <= 200
        assert "after" not in body
        found = [one for one in self.records if not one["archived"] and all(holds(one, one_filter) for one_filter in group["filters"])]
        (sort,) = body["sorts"]
        found.sort(key=lambda one: value(one, sort["propertyName"]))
        page = found[: self.page]
        following = {"paging": {"next": {"after": str(self.page)}}} if len(found) > self.page else {}
        return Answer({"total": len(found), "results": page} | following)


def value(record: dict, name: str) -> int:
    if name == "hs_object_id":
        return int(record["id"])
    return milliseconds(record["properties"][name])


@cache
def milliseconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1000)


def holds(record: dict, one: dict) -> bool:
    left, right = value(record, one["propertyName"]), int(one["value"])
    return {"GTE": left >= right, "EQ": left == right, "GT": left > right}[one["operator"]]


def task(number: int, modified: datetime, **more: Any) -> dict:
    properties = {"hs_timestamp": iso(START), "hs_lastmodifieddate": iso(modified), "hs_task_subject": f"Task {number}"}
    return {"id": str(number), "properties": properties, "archived": False} | more


def pull(answer, windows: dict[str, Window], warnings: list[str] | None = None) -> dict[str, list[dict]]:
    with scripted_server(answer) as (base_url, _):
        source = open_source(SourceSpec(vendor="hubspot", domains=("crm",), base_url=base_url, api_key=SecretStr("k")))
        found: dict[str, list[dict]] = {table: [] for table in windows}
        for table, page in source.pull(windows):
            found[table] += page
        if warnings is not None:
            warnings += source.warnings
        source.close()
    return found


def test_companies_are_flat_and_bring_their_merges():
    def answer(request: Request) -> Answer:
        assert "hs_merged_object_ids" in request.query["properties"][0]
        return Answer({"results": [COMPANY] if request.query["archived"] == ["false"] else []})

    found = pull(answer, {"companies": FULL, "company_merges": FULL})
    (company,) = found["companies"]
    assert company["id"] == "7001"
    assert company["numberofemployees"] == "250"
    assert company["industry"] is None
    assert company["favourite_colour"] == "green"
    assert "hs_merged_object_ids" not in company
    assert found["company_merges"] == [
        {"merged_id": "6900", "into_id": "7001", "hs_lastmodifieddate": "2026-02-01T10:00:00.000Z"},
        {"merged_id": "6950", "into_id": "7001", "hs_lastmodifieddate": "2026-02-01T10:00:00.000Z"},
    ]


def test_the_primary_association_wins():
    def answer(request: Request) -> Answer:
        assert request.query["associations"] == ["companies"]
        return Answer({"results": [DEAL] if request.query["archived"] == ["false"] else []})

    (deal,) = pull(answer, {"deals": FULL})["deals"]
    assert deal["company_id"] == "7001"


LISTED = {"primary": "contact_to_company", "plain": "contact_to_company_unlabeled", "billing": "billing_contact_to_company", "board": "board member"}
LABELS = {"primary": ("HUBSPOT_DEFINED", "Primary"), "plain": ("HUBSPOT_DEFINED", None), "billing": ("USER_DEFINED", "Primary billing contact")}
LABELS |= {"board": ("USER_DEFINED", "Board member"), "renamed": ("HUBSPOT_DEFINED", "Contact with Primary Company")}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ({900: ["primary", "plain"], 100: ["billing", "plain"]}, "900"),
        ({900: ["plain", "primary"], 100: ["plain"], 50: ["board", "plain"]}, "900"),
        ({900: ["billing", "plain"], 100: ["plain"]}, "100"),  # none is marked: the oldest
        ({900: ["primary", "plain"]}, "900"),
    ],
)
def test_a_label_of_ones_own_is_not_the_primary_one(kinds: dict[int, list[str]], expected: str):
    """In a list, where a label shows as a type, as in a search, where it has a name of its own."""
    for renamed in (False, True):

        def answer(request: Request, renamed: bool = renamed) -> Answer:
            person = {"id": "501", "archived": False, "properties": {"lastmodifieddate": iso(START)}}
            if request.path.endswith("/search"):
                return Answer({"total": 1, "results": [person]})
            if request.path.startswith("/crm/v4/"):
                names = {id: [LABELS["renamed" if renamed and kind == "primary" else kind] for kind in some] for id, some in kinds.items()}
                to = [{"toObjectId": id, "associationTypes": [{"category": c, "label": label} for c, label in some]} for id, some in names.items()]
                return Answer({"results": [{"from": {"id": "501"}, "to": to}]})
            links = [{"id": str(id), "type": LISTED[kind]} for id, some in kinds.items() for kind in some]
            person["associations"] = {"companies": {"results": links}}
            return Answer({"results": [person] if request.query["archived"] == ["false"] else []})

        for window in (FULL, Window(START, UNTIL)):
            assert [one["company_id"] for one in pull(answer, {"contacts": window})["contacts"]] == [expected]


def test_ids_that_a_pull_has_listed_are_not_asked_for_again():
    """Tables with associations are read whole when keys are compared: that listing is the keys, too."""
    portal = Portal([task(number, START) for number in range(1, 251)] + [task(300, START, archived=True, archivedAt=iso(START))])
    with scripted_server(portal) as (base_url, requests):
        source = open_source(SourceSpec(vendor="hubspot", domains=("crm",), base_url=base_url, api_key=SecretStr("k")))
        assert source.reads_whole >= {"contacts", "deals", "tasks", "success_goals"}
        assert not source.reads_whole & {"companies", "company_merges", "owners"}
        assert sum(len(page) for _, page in source.pull({"tasks": FULL})) == 251
        asked = len(requests)
        assert [key for page in source.keys("tasks") for key in page] == [(str(number),) for number in range(1, 251)]
        assert len(requests) == asked
        assert len([key for page in source.keys("deals") for key in page]) == 250
        assert len(requests) > asked
        assert list(source.pull({"tasks": Window(UNTIL, UNTIL)})) == []
        portal.records.pop(0)
        assert len([key for page in source.keys("tasks") for key in page]) == 249  # what an earlier pull has listed is old
        source.close()


def test_owners_become_snake_case():
    def answer(request: Request) -> Answer:
        assert request.path == "/crm/v3/owners"
        return Answer({"results": [OWNER] if request.query["archived"] == ["false"] else []})

    (owner,) = pull(answer, {"owners": FULL})["owners"]
    assert {"id", "email", "first_name", "last_name", "created_at", "updated_at", "archived"} <= owner.keys()
    assert "teams" not in owner


def test_the_recycle_bin_comes_with_the_time_of_deletion():
    gone = task(2, START, archived=True, archivedAt=iso(START + timedelta(days=3)))
    long_gone = task(3, START, archived=True, archivedAt=iso(START - timedelta(days=30)))
    portal = Portal([task(1, START + timedelta(days=1)), gone, long_gone])
    found = pull(portal, {"tasks": Window(START, UNTIL)})["tasks"]
    assert [(one["id"], one["archived"]) for one in found] == [("1", False), ("2", True)]
    assert found[1]["hs_lastmodifieddate"] == iso(START + timedelta(days=3))


def test_search_pages_by_key_and_reads_associations():
    records = [task(number, START + timedelta(seconds=number // 7)) for number in range(1, 1001)]
    portal = Portal(records)
    found = pull(portal, {"tasks": Window(START, UNTIL)})["tasks"]
    assert sorted(int(one["id"]) for one in found) == list(range(1, 1001))
    assert {one["company_id"] for one in found} == {"6"}
    assert portal.searches <= 7


def test_more_than_a_page_with_one_timestamp_neither_loops_nor_skips():
    bulk = START + timedelta(hours=5)
    records = [task(number, START + timedelta(minutes=number)) for number in range(1, 51)]
    records += [task(number, bulk) for number in range(100, 700)]
    records += [task(number, bulk + timedelta(minutes=number)) for number in range(1000, 1050)]
    found = pull(Portal(records), {"tasks": Window(START, UNTIL)})["tasks"]
    assert sorted(int(one["id"]) for one in found) == sorted(int(one["id"]) for one in records)


def test_more_than_ten_thousand_changes_are_all_read():
    records = [task(number, START + timedelta(milliseconds=number)) for number in range(1, 10_401)]
    found = pull(Portal(records), {"tasks": Window(START, UNTIL)})["tasks"]
    assert len({one["id"] for one in found}) == 10_400


def test_a_record_that_moves_while_paging_pushes_none_behind():
    """A change takes a record from the page that was read to the end: with offsets, the one after it would be skipped."""
    records = [task(number, START + timedelta(seconds=number)) for number in range(1, 601)]
    portal = Portal(records)
    ordinary = portal.search

    def search(body: dict) -> Answer:
        answer = ordinary(body)
        if portal.searches == 1:
            for record in records[:50]:
                record["properties"]["hs_lastmodifieddate"] = iso(START + timedelta(days=1))
        return answer

    portal.search = search
    found = pull(portal, {"tasks": Window(START, UNTIL)})["tasks"]
    assert {int(one["id"]) for one in found} == set(range(1, 601))


def test_a_search_that_ignores_the_sort_is_rejected():
    records = [task(number, START + timedelta(days=20) - timedelta(minutes=number)) for number in range(1, 500)]
    portal = Portal(records)
    portal.search = lambda body: Answer({"results": records[:200], "paging": {"next": {"after": "200"}}})
    with pytest.raises(SourceError, match=r"unsorted|twice"):
        pull(portal, {"tasks": Window(START + timedelta(days=21), UNTIL)})


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_missing_custom_object_is_a_warning_and_a_missing_standard_one_an_error(status):
    def answer(request: Request) -> Answer:
        return Answer({"category": "VALIDATION_ERROR"}, status) if "p_success_goals" in request.path else Answer({"results": []})

    warnings: list[str] = []
    assert pull(answer, {"success_goals": FULL, "deals": FULL}, warnings) == {"success_goals": [], "deals": []}
    assert len(warnings) == 1
    assert "success_goals" in warnings[0]
    with pytest.raises(SourceError):
        pull(lambda request: Answer({}, status), {"deals": FULL})


def test_a_custom_object_that_stops_half_way_or_asks_for_another_key_is_not_missing():
    def half(request: Request) -> Answer:
        if "after" in request.query:
            return Answer({"category": "OBJECT_NOT_FOUND"}, 404)
        return Answer({"results": [task(1, START)], "paging": {"next": {"after": "100"}}})

    for answer in (half, lambda request: Answer({"category": "INVALID_AUTHENTICATION"}, 401)):
        with pytest.raises(SourceError):
            pull(answer, {"success_goals": FULL})


def test_a_search_without_results_is_not_an_empty_one():
    with pytest.raises(ContractError, match="without 'results'"):
        pull(lambda request: Answer({"records": []}), {"tasks": Window(START, UNTIL)})


def test_keys_are_the_live_records():
    portal = Portal([task(number, START) for number in range(1, 251)] + [task(999, START, archived=True)])
    with scripted_server(portal) as (base_url, _):
        source = open_source(SourceSpec(vendor="hubspot", domains=("crm",), base_url=base_url, api_key=SecretStr("k")))
        assert [key for page in source.keys("tasks") for key in page] == [(str(number),) for number in range(1, 251)]
        assert source.keys("company_merges") is None

"""HubSpot's CRM API, version 3, over the demo company: lists, search, associations, owners.

Shapes follow HubSpot's public reference. Property values are text, ids are text, times ISO-8601 with milliseconds.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from orchestration.sources.demo import words
from orchestration.sources.demo.base import DAY, EPOCH
from orchestration.sources.demo.facade import Refusal, Request, Views, dumps, whole
from orchestration.sources.demo.hubspot_objects import build_objects
from orchestration.sources.demo.hubspot_records import Objects

SEARCH_LIMIT = 10_000  # HubSpot gives no result beyond this
OPERATORS = {"EQ", "NEQ", "GT", "GTE", "LT", "LTE", "IN", "BETWEEN", "HAS_PROPERTY", "NOT_HAS_PROPERTY"}


class HubSpotFacade:
    """Answers requests as HubSpot would, for the company as it stands at the clock."""

    name = "hubspot"

    def __init__(self, company: Any, token: str) -> None:
        self.token = token
        self.views = Views()
        self.objects: dict[str, Objects] = build_objects(company)

    def authorized(self, headers: Any) -> bool:
        """A private app's token, as bearer."""
        return headers.get("Authorization") == f"Bearer {self.token}"

    def refuse(self, refusal: Refusal) -> bytes:
        """HubSpot's wording of an error."""
        category = {401: "INVALID_AUTHENTICATION", 404: "OBJECT_NOT_FOUND", 429: "RATE_LIMITS"}.get(refusal.status, "VALIDATION_ERROR")
        return dumps({"status": "error", "message": refusal.message, "correlationId": "00000000-0000-0000-0000-000000000000", "category": category})

    def answer(self, request: Request, clock: int) -> bytes:
        """The body of a 200, or a Refusal."""
        if request.path == "/crm/v3/owners" and request.method == "GET":
            return self._owners(request)
        if match := re.fullmatch(r"/crm/v3/objects/([a-z0-9_-]+)", request.path):
            return self._list(self._kind(match[1], request, "GET"), request, clock)
        if match := re.fullmatch(r"/crm/v3/objects/([a-z0-9_-]+)/search", request.path):
            return self._search(self._kind(match[1], request, "POST"), request, clock)
        if match := re.fullmatch(r"/crm/v3/objects/([a-z0-9_-]+)/(\d+)", request.path):
            return self._one(self._kind(match[1], request, "GET"), match[2], request, clock)
        if match := re.fullmatch(r"/crm/v4/associations/([a-z0-9_-]+)/([a-z0-9_-]+)/batch/read", request.path):
            return self._associations(self._kind(match[1], request, "POST"), match[2], request, clock)
        raise Refusal(404, "No such path")

    def _kind(self, name: str, request: Request, method: str) -> Objects:
        if name not in self.objects:
            raise Refusal(404, f"Unable to infer object type from: {name}")
        if request.method != method:
            raise Refusal(405, "Method not allowed")
        return self.objects[name]

    def _rows(self, objects: Objects, clock: int, archived: bool) -> np.ndarray:
        return self.views.get(f"{objects.name}/{archived}", clock, lambda: objects.rows_at(clock, archived))

    def _list(self, objects: Objects, request: Request, clock: int) -> bytes:
        asked = request.only("limit", "after", "properties", "propertiesWithHistory", "associations", "archived")
        limit = whole(asked.get("limit", "10"), "limit", 1, 100)
        rows = self._rows(objects, clock, _boolean(asked, "archived"))
        begin = 0
        if "after" in asked:
            begin = int(np.searchsorted(objects.number[rows], whole(asked["after"], "after", 0, 2**62), side="right"))
        page = rows[begin : begin + limit]
        results = objects.page(page, _names(asked.get("properties")), tuple(_names(asked.get("associations")) or ()))
        following = objects.ids[page[-1]] if begin + limit < len(rows) else None
        return b'{"results":' + results + _paging(following, request.path) + b"}"

    def _one(self, objects: Objects, id: str, request: Request, clock: int) -> bytes:
        asked = request.only("properties", "propertiesWithHistory", "associations", "archived", "idProperty")
        rows = self._rows(objects, clock, _boolean(asked, "archived"))
        found = rows[objects.number[rows] == int(id)]
        if not len(found):
            raise Refusal(404, "resource not found")
        return objects.page(found, _names(asked.get("properties")), tuple(_names(asked.get("associations")) or ()))[1:-1]

    def _search(self, objects: Objects, request: Request, clock: int) -> bytes:
        request.only()
        body = request.body if isinstance(request.body, dict) else {}
        if unknown := set(body) - {"filterGroups", "sorts", "properties", "limit", "after", "query"}:
            raise Refusal(400, f"Invalid input JSON: unknown field {sorted(unknown)[0]}")
        limit, begin = whole(str(body.get("limit", 10)), "limit", 1, 200), whole(str(body.get("after") or 0), "after", 0, 2**62)
        if begin + limit > SEARCH_LIMIT:
            raise Refusal(400, "The search results are limited to 10,000: narrow the filters")
        groups, sorts = body.get("filterGroups") or [], body.get("sorts") or []
        if len(groups) > 5 or any(len(group.get("filters", [])) > 6 for group in groups) or len(sorts) > 1:
            raise Refusal(400, "Too many filters or sorts")
        rows = self._rows(objects, clock, False)
        if groups:
            match = np.zeros(len(rows), dtype=bool)
            for group in groups:
                match |= np.logical_and.reduce([self._filter(objects, rows, one) for one in group.get("filters", [])] or [np.ones(len(rows), bool)])
            rows = rows[match]
        for sort in sorts:
            name, direction = (sort.get("propertyName"), sort.get("direction", "ASCENDING")) if isinstance(sort, dict) else (str(sort), "ASCENDING")
            order = np.argsort(objects.sortable(name, rows), kind="stable")
            rows = rows[order[::-1]] if direction == "DESCENDING" else rows[order]
        page = rows[begin : begin + limit]
        following = str(begin + limit) if begin + limit < len(rows) else None
        results = objects.page(page, body.get("properties"), ())
        return b'{"total":%d,"results":' % len(rows) + results + _paging(following, None) + b"}"

    def _filter(self, objects: Objects, rows: np.ndarray, one: dict) -> np.ndarray:
        name, operator = one.get("propertyName", ""), one.get("operator")
        if operator not in OPERATORS:
            raise Refusal(400, f"operator {operator} is not supported")
        if name not in objects.properties and name not in ("hs_object_id",):
            raise Refusal(400, f"Property '{name}' does not exist")
        values = objects.sortable(name, rows)
        missing = np.array([objects.value(name, row) in (None, "") for row in rows], dtype=bool) if operator.endswith("PROPERTY") else None
        if missing is not None:
            return ~missing if operator == "HAS_PROPERTY" else missing
        if operator == "IN":
            return np.isin(values, [objects.operand(name, v) for v in one.get("values", [])])
        against = objects.operand(name, one.get("value"))
        if operator == "BETWEEN":
            return (values >= against) & (values <= objects.operand(name, one.get("highValue")))
        compare = {"EQ": np.equal, "NEQ": np.not_equal, "GT": np.greater, "GTE": np.greater_equal, "LT": np.less, "LTE": np.less_equal}
        return compare[operator](values, against)

    def _associations(self, objects: Objects, other: str, request: Request, clock: int) -> bytes:
        request.only()
        asked = [str(one.get("id")) for one in (request.body or {}).get("inputs", [])]
        if not 0 < len(asked) <= 1000:
            raise Refusal(400, "inputs must hold 1 to 1000 ids")
        rows = self._rows(objects, clock, False)
        where = {objects.ids[row]: row for row in rows[np.isin(objects.number[rows], [int(a) for a in asked if a.isdigit()])]}
        results = []
        for id in asked:
            target = objects.linked(other, where[id]) if id in where else None
            if target is not None:
                kinds = [
                    {"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"},
                    {"category": "HUBSPOT_DEFINED", "typeId": 279, "label": None},
                ]
                results.append({"from": {"id": id}, "to": [{"toObjectId": int(target), "associationTypes": kinds}]})
        return dumps({"status": "COMPLETE", "results": results})

    def _owners(self, request: Request) -> bytes:
        asked = request.only("limit", "after", "archived", "email")
        limit = whole(asked.get("limit", "100"), "limit", 1, 500)
        begin = whole(asked.get("after", "0"), "after", 0, 2**62)
        owners = [] if _boolean(asked, "archived") else [_owner(i) for i in range(len(words.OWNERS))]
        owners = [o for o in owners if asked.get("email") in (None, o["email"])]
        following = str(begin + limit) if begin + limit < len(owners) else None
        return b'{"results":' + dumps(owners[begin : begin + limit]) + _paging(following, request.path) + b"}"


def _owner(number: int) -> dict:
    first, last = words.OWNERS[number].split(".")
    made = np.datetime_as_string(np.datetime64(EPOCH - 300 * DAY, "s").astype("datetime64[ms]")) + "Z"
    return {
        "id": str(7000 + number),
        "email": f"{words.OWNERS[number]}@{words.OWNER_DOMAIN}",
        "type": "PERSON",
        "firstName": first.capitalize(),
        "lastName": last.capitalize(),
        "userId": 900 + number,
        "createdAt": made,
        "updatedAt": made,
        "archived": False,
    }


def _boolean(asked: dict[str, str], name: str) -> bool:
    value = asked.get(name, "false")
    if value not in ("true", "false"):
        raise Refusal(400, f"{name} must be true or false", param=name)
    return value == "true"


def _names(text: str | None) -> list[str] | None:
    return [name.strip() for name in text.split(",") if name.strip()] if text else None


def _paging(after: str | None, path: str | None) -> bytes:
    if after is None:
        return b""
    following = {"after": after} | ({"link": f"{path}?after={after}"} if path else {})
    return b',"paging":' + dumps({"next": following})

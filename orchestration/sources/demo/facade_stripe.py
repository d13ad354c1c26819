"""Stripe's API (version 2024-06-20) over the demo company: lists, single objects, invoice lines, events of the last 30 days.

Shapes follow Stripe's public reference: minor units, epoch seconds, newest first, `starting_after` and `has_more`.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np

from orchestration.sources.demo.base import DAY
from orchestration.sources.demo.facade import Refusal, Request, Views, dumps, whole
from orchestration.sources.demo.stripe_catalogue import API_VERSION
from orchestration.sources.demo.stripe_objects import build_kinds
from orchestration.sources.demo.stripe_records import Kind

PAGING = ("limit", "starting_after", "ending_before")
TIMES = ("gt", "gte", "lt", "lte")
EVENTS_KEPT = 30 * DAY
CHILDREN = {"invoices": "lines", "credit_notes": "lines"}


class StripeFacade:
    """Answers requests as Stripe would, for the company as it stands at the clock."""

    name = "stripe"

    def __init__(self, company: Any, key: str) -> None:
        self.key = key
        self.views = Views()
        self.kinds: dict[str, Kind] = build_kinds(company)
        self._join_events()

    def _join_events(self) -> None:
        """All events of all kinds in the order in which they happened."""
        at = np.concatenate([k.event_at for k in self.kinds.values()])
        kind = np.concatenate([np.full(len(k.event_at), i) for i, k in enumerate(self.kinds.values())])
        number = np.concatenate([np.arange(len(k.event_at)) for k in self.kinds.values()])
        order = np.lexsort((number, kind, at))
        self.event_at, self.event_kind, self.event_number = at[order], kind[order], number[order]
        self._by_number = list(self.kinds.values())

    def authorized(self, headers: Any) -> bool:
        """The secret key, as bearer or as the user of basic authentication."""
        given = headers.get("Authorization") or ""
        if given.startswith("Basic "):
            try:
                return base64.b64decode(given[6:], validate=True).decode().partition(":")[0] == self.key
            except ValueError:
                return False
        return given == f"Bearer {self.key}"

    def refuse(self, refusal: Refusal) -> bytes:
        """Stripe's wording of an error."""
        error: dict[str, Any] = {"message": refusal.message, "type": "invalid_request_error"}
        if refusal.status == 429:
            error["code"] = "rate_limit"
        elif refusal.status == 404:
            error["code"] = "resource_missing"
        elif refusal.param and refusal.message.startswith("unknown"):
            error |= {"code": "parameter_unknown", "message": f"Received unknown parameter: {refusal.param}"}
        return dumps({"error": error | ({"param": refusal.param} if refusal.param else {})})

    def answer(self, request: Request, clock: int) -> bytes:
        """The body of a 200, or a Refusal."""
        if request.method != "GET":
            raise Refusal(405, "Method not allowed")
        if request.path == "/v1/events":
            return self._events(request, clock)
        match = re.fullmatch(r"/v1/([a-z_]+)(?:/([^/]+)(?:/([a-z_]+))?)?", request.path)
        kind = self.kinds.get(match[1]) if match else None
        if match is None or kind is None or (match[3] and CHILDREN.get(match[1]) != match[3]):
            raise Refusal(404, f"Unrecognized request URL (GET: {request.path})")
        if match[3]:
            return self._children(kind, match[2], request, clock)
        if match[2]:
            return self._one(kind, match[2], request, clock)
        return self._list(kind, request, clock)

    def _rows(self, kind: Kind, clock: int) -> np.ndarray:
        """Live objects, newest first."""

        def make() -> np.ndarray:
            rows = kind.records.versions.rows_at(clock)
            rows = rows[~kind.deleted[rows]]
            return rows[np.lexsort((kind.order[rows], kind.created[rows]))[::-1]]

        return self.views.get(kind.path, clock, make)

    def _list(self, kind: Kind, request: Request, clock: int) -> bytes:
        times = [f"created[{t}]" for t in TIMES] if kind.by_time else []
        asked = request.only(
            *PAGING, *kind.filters, *times, *(["created"] if kind.by_time else []), *(["status"] if kind.path == "subscriptions" else [])
        )
        rows = self._rows(kind, clock)
        for name in kind.filters:
            if name in asked:
                rows = rows[np.array([kind.filters[name][row] == asked[name] for row in rows], dtype=bool)]
            elif name in kind.required:
                raise Refusal(400, f"Missing required param: {name}.", param=name)
        if kind.path == "subscriptions":
            rows = self._by_status(kind, rows, asked.get("status"))
        rows = rows[_within(kind.created[rows], asked)]
        return self._page(rows, [kind.records.ids[row] for row in rows], asked, request.path, kind.records.page)

    def _by_status(self, kind: Kind, rows: np.ndarray, status: str | None) -> np.ndarray:
        """Stripe leaves cancelled subscriptions out unless asked."""
        states = kind.records.versions.frame["status"].to_numpy()[rows]
        if status == "all":
            return rows
        if status in (None, "ended"):
            return rows[(states == "canceled") == (status == "ended")]
        return rows[states == status]

    def _page(self, rows: np.ndarray, ids: list[str], asked: dict[str, str], url: str, render: Any) -> bytes:
        limit = whole(asked.get("limit", "10"), "limit", 1, 100)
        if "starting_after" in asked and "ending_before" in asked:
            raise Refusal(400, "Only one of starting_after and ending_before may be given", param="ending_before")
        cursor = asked.get("starting_after") or asked.get("ending_before")
        if cursor is not None and cursor not in ids:
            raise Refusal(400, f"No such object: '{cursor}'", param="starting_after")
        if "ending_before" in asked:
            end = ids.index(cursor)
            begin, has_more = max(end - limit, 0), end > limit
        else:
            begin = ids.index(cursor) + 1 if cursor else 0
            end, has_more = begin + limit, begin + limit < len(ids)
        return b'{"object":"list","data":' + render(rows[begin:end]) + b',"has_more":%s,"url":%s}' % (b"true" if has_more else b"false", dumps(url))

    def _one(self, kind: Kind, id: str, request: Request, clock: int) -> bytes:
        request.only()
        rows = kind.records.versions.rows_at(clock)
        found = [row for row in rows[kind.order[rows] == kind.number_of(id)] if kind.records.ids[row] == id]
        if not found:
            raise Refusal(404, f"No such {kind.object}: '{id}'", param="id")
        if kind.deleted[found[0]]:
            return dumps({"id": id, "object": kind.object, "deleted": True})
        return kind.records.json(int(found[0]))

    def _children(self, kind: Kind, id: str, request: Request, clock: int) -> bytes:
        asked = request.only(*PAGING)
        rows = self._rows(kind, clock)
        if not any(kind.records.ids[row] == id for row in rows[kind.order[rows] == kind.number_of(id)]):
            raise Refusal(404, f"No such {kind.object}: '{id}'", param="id")
        children = kind.children(id)
        ids = [child["id"] for child in children]
        return self._page(np.arange(len(ids)), ids, asked, request.path, lambda rows: dumps([children[i] for i in rows]))

    def _events(self, request: Request, clock: int) -> bytes:
        named = [value for name, value in request.params if name == "types[]"]
        request.params = [(name, value) for name, value in request.params if name != "types[]"]
        asked = request.only(*PAGING, "type", "created", *[f"created[{t}]" for t in TIMES])
        begin, end = np.searchsorted(self.event_at, [clock - EVENTS_KEPT, clock])
        rows = np.arange(begin, end)[::-1]
        rows = rows[_within(self.event_at[rows], asked)]
        wanted = set(named) | ({asked["type"]} if "type" in asked else set())
        if wanted:
            rows = np.array([r for r in rows if any(re.fullmatch(re.escape(w).replace(r"\*", ".*"), self._event_type(r)) for w in wanted)], dtype=int)
        return self._page(
            rows, [f"evt_{row:012d}" for row in rows], asked, "/v1/events", lambda page: b"[" + b",".join([self._event(int(r)) for r in page]) + b"]"
        )

    def _event_type(self, row: int) -> str:
        return self._by_number[self.event_kind[row]].event_type[self.event_number[row]]

    def _event(self, row: int) -> bytes:
        kind = self._by_number[self.event_kind[row]]
        subject = kind.records.json(int(kind.event_row[self.event_number[row]]))
        head = {
            "id": f"evt_{row:012d}",
            "object": "event",
            "api_version": API_VERSION,
            "created": int(self.event_at[row]),
            "livemode": False,
            "pending_webhooks": 0,
            "request": None,
            "type": self._event_type(row),
        }
        return dumps(head)[:-1] + b',"data":{"object":' + subject + b"}}"


def _within(times: np.ndarray, asked: dict[str, str]) -> np.ndarray:
    keep = np.ones(len(times), dtype=bool)
    compare = {
        "created[gt]": np.greater,
        "created[gte]": np.greater_equal,
        "created[lt]": np.less,
        "created[lte]": np.less_equal,
        "created": np.equal,
    }
    for name, operator in compare.items():
        if name in asked:
            keep &= operator(times, whole(asked[name], name, 0, 2**40))
    return keep

"""Zendesk's Support API over the demo company: incremental exports by cursor and by time, and the small lists.

Shapes follow Zendesk's public reference: ids are numbers, times ISO-8601, exports end with `end_of_stream`.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import numpy as np

from orchestration.sources.demo.facade import Refusal, Request, Views, dumps, whole
from orchestration.sources.demo.zendesk_objects import build_exports
from orchestration.sources.demo.zendesk_records import Export
from orchestration.sources.demo.zendesk_settings import holidays, schedules, sla_policies

EXPORT_LIMIT, LIST_LIMIT = 1000, 100


class ZendeskFacade:
    """Answers requests as Zendesk would, for the company as it stands at the clock."""

    name = "zendesk"

    def __init__(self, company: Any, email: str, token: str) -> None:
        self.basic = "Basic " + base64.b64encode(f"{email}/token:{token}".encode()).decode()
        self.bearer = f"Bearer {token}"
        self.views = Views()
        self.exports: dict[str, Export] = build_exports(company)
        self.schedules, self.holidays = schedules(company), holidays(company)

    def authorized(self, headers: Any) -> bool:
        """An API token with its owner's e-mail, or an OAuth token."""
        return headers.get("Authorization") in (self.basic, self.bearer)

    def refuse(self, refusal: Refusal) -> bytes:
        """Zendesk's wording of an error."""
        words = {401: "Couldn't authenticate you", 404: "RecordNotFound", 429: "APIRateLimitExceeded"}
        return dumps({"error": words.get(refusal.status, "InvalidRequest"), "description": refusal.message})

    def answer(self, request: Request, clock: int) -> bytes:
        """The body of a 200, or a Refusal."""
        if request.method != "GET":
            raise Refusal(405, "Method not allowed")
        path = request.path.removesuffix(".json")
        if match := re.fullmatch(r"/api/v2/incremental/(tickets|users)/cursor", path):
            return self._by_cursor(self.exports[match[1]], request, clock)
        if match := re.fullmatch(r"/api/v2/incremental/(tickets|users|organizations|ticket_events)", path):
            return self._by_time(self.exports[match[1]], request, clock)
        if match := re.fullmatch(r"/api/v2/(satisfaction_ratings|users|organizations|tickets)", path):
            return self._list(self.exports[match[1]], request, clock)
        if path == "/api/v2/business_hours/schedules":
            request.only()
            return dumps({"schedules": self.schedules})
        if match := re.fullmatch(r"/api/v2/business_hours/schedules/(\d+)/holidays", path):
            request.only()
            if int(match[1]) not in self.holidays:
                raise Refusal(404, "Not found")
            return dumps({"holidays": self.holidays[int(match[1])]})
        if path == "/api/v2/slas/policies":
            request.only()
            found = sla_policies()
            return dumps({"sla_policies": found, "count": len(found), "next_page": None, "previous_page": None})
        raise Refusal(404, "Not found")

    def _rows(self, export: Export, clock: int, key: str) -> np.ndarray:
        """Current versions; `key` is `changed` (exports: oldest change first) or `id` (lists)."""

        def make() -> np.ndarray:
            rows = export.rows_at(clock)
            return rows[np.lexsort((export.number[rows], export.changed[rows] if key == "changed" else export.number[rows]))]

        return self.views.get(f"{export.name}/{key}", clock, make)

    def _by_cursor(self, export: Export, request: Request, clock: int) -> bytes:
        asked = request.only("start_time", "cursor", "per_page", "include", "exclude_deleted", "support_type_scope")
        size = whole(asked.get("per_page", "1000"), "per_page", 1, EXPORT_LIMIT)
        rows = self._rows(export, clock, "changed")
        if "exclude_deleted" in asked and asked["exclude_deleted"] == "true":
            rows = rows[~export.deleted[rows]]
        if "cursor" in asked:
            try:
                time, _, number = base64.b64decode(asked["cursor"], validate=True).decode().partition("|")
                after = (int(time), int(number))
            except ValueError:
                raise Refusal(400, "Invalid cursor", param="cursor") from None
            changed, numbers = export.changed[rows], export.number[rows]
            begin = int(np.searchsorted(changed, after[0], side="left"))
            while begin < len(rows) and (changed[begin], numbers[begin]) <= after:
                begin += 1
        elif "start_time" in asked:
            begin = int(np.searchsorted(export.changed[rows], whole(asked["start_time"], "start_time", 0, 2**40), side="left"))
        else:
            raise Refusal(400, "start_time or cursor is required", param="start_time")
        page = rows[begin : begin + size]
        last = f"{export.changed[page[-1]]}|{export.number[page[-1]]}" if len(page) else None
        cursor = base64.b64encode(last.encode()).decode() if last else asked.get("cursor")
        sets = self._included(export, asked, page)
        tail = {
            "after_cursor": cursor,
            "after_url": f"{request.path}?cursor={cursor}" if cursor else None,
            "before_cursor": None,
            "before_url": None,
            "end_of_stream": begin + size >= len(rows),
        }
        return b'{"%s":' % export.name.encode() + export.records.page(page) + sets + b"," + dumps(tail)[1:]

    def _included(self, export: Export, asked: dict[str, str], page: np.ndarray) -> bytes:
        """Sideloads: metric sets of tickets; comment events are always in their events."""
        wanted = [name for name in asked.get("include", "").split(",") if name]
        known = {"tickets": {"metric_sets"}, "ticket_events": {"comment_events"}}.get(export.name, set())
        for name in wanted:
            if name not in known:
                raise Refusal(400, f"cannot include {name}", param="include")
        if "metric_sets" not in wanted:
            return b""
        return b',"metric_sets":' + dumps([export.metric_set(int(row)) for row in page])

    def _by_time(self, export: Export, request: Request, clock: int) -> bytes:
        asked = request.only("start_time", "per_page", "include")
        if "start_time" not in asked:
            raise Refusal(400, "start_time is required", param="start_time")
        size = whole(asked.get("per_page", "1000"), "per_page", 1, EXPORT_LIMIT)
        rows = self._rows(export, clock, "changed")
        changed = export.changed[rows]
        begin = int(np.searchsorted(changed, whole(asked["start_time"], "start_time", 0, 2**40), side="left"))
        end = min(begin + size, len(rows))
        # All records of the last second come together, or the next page would start with the same ones for ever.
        if begin < end:
            end = int(np.searchsorted(changed, changed[end - 1], side="right"))
        page = rows[begin:end]
        sets = self._included(export, asked, page)
        end_time = int(changed[end - 1]) if len(page) else None
        tail = {
            "count": len(page),
            "end_time": end_time,
            "end_of_stream": end >= len(rows),
            "next_page": f"{request.path}?start_time={end_time}" if end_time else None,
        }
        return b'{"%s":' % export.name.encode() + export.records.page(page) + sets + b"," + dumps(tail)[1:]

    def _list(self, export: Export, request: Request, clock: int) -> bytes:
        roles = {value for name, value in request.params if name == "role[]"}
        if roles and export.name != "users":
            raise Refusal(400, "unknown parameter: role[]", param="role[]")
        request.params = [(name, value) for name, value in request.params if name != "role[]"]
        more = {"satisfaction_ratings": ("start_time", "end_time", "score"), "users": ("role",)}.get(export.name, ())
        asked = request.only("page[size]", "page[after]", *more)
        size = whole(asked.get("page[size]", "100"), "page[size]", 1, LIST_LIMIT)
        rows = self._rows(export, clock, "id")
        rows = rows[~export.deleted[rows]]
        roles |= {asked["role"]} if "role" in asked else set()
        if roles:
            rows = rows[np.isin(export.role[rows], sorted(roles))]
        if "start_time" in asked:
            rows = rows[export.changed[rows] >= whole(asked["start_time"], "start_time", 0, 2**40)]
        if "end_time" in asked:
            rows = rows[export.changed[rows] < whole(asked["end_time"], "end_time", 0, 2**40)]
        if "score" in asked:
            rows = rows[export.role[rows] == asked["score"]]
        begin = (
            int(np.searchsorted(export.number[rows], whole(asked["page[after]"], "page[after]", 0, 2**62), side="right"))
            if "page[after]" in asked
            else 0
        )
        page = rows[begin : begin + size]
        has_more = begin + size < len(rows)
        meta = {
            "has_more": has_more,
            "after_cursor": str(export.number[page[-1]]) if len(page) else None,
            "before_cursor": str(export.number[page[0]]) if len(page) else None,
        }
        return b'{"%s":' % export.name.encode() + export.records.page(page) + b',"meta":' + dumps(meta) + b',"links":{"prev":null,"next":null}}'

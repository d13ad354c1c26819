"""Zendesk Support: incremental exports for what grows, plain lists for the few settings.

Here belong Zendesk's requests; the shape of its records is in zendesk_rows.py.

Requests: GET /api/v2/incremental/{tickets,users}/cursor.json?start_time|cursor&per_page (tickets: include=metric_sets);
/api/v2/incremental/{organizations,ticket_events}.json?start_time&per_page (ticket_events: include=comment_events);
/api/v2/satisfaction_ratings.json?start_time&page[size]&page[after]; /api/v2/users.json?role[]&page[size]&page[after];
/api/v2/business_hours/schedules.json and …/<id>/holidays.json; /api/v2/slas/policies.json.

The exports leave out the last minute, which the overlap of the next pull fetches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from orchestration.contracts import Contract
from orchestration.sources import zendesk_rows as rows
from orchestration.sources.base import Page, Window, skip_if_absent
from orchestration.sources.http import Http
from orchestration.sources.zendesk_zones import iana

EXPORT_PAGE, LIST_PAGE = 1000, 100
SETTINGS = ("schedules", "holidays", "sla_policies")


class Zendesk:
    """One Zendesk account."""

    vendor = "zendesk"

    def __init__(self, http: Http, source_relation: str, contracts: Mapping[str, Contract]) -> None:
        self.http = http
        self.source_relation = source_relation
        self.contracts = contracts
        self.tables = tuple(contracts)
        self.absent: set[str] = set()
        self.warnings: list[str] = []
        self._roles: dict[str, str] | None = None

    def pull(self, windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
        exports: dict[str, Callable[[int], Iterator[Page]]] = {
            "organizations": lambda start: self._by_time("organizations", start, rows.organization),
            "users": lambda start: self._by_cursor("users", start, lambda body: map(rows.user, body["users"])),
            "tickets": lambda start: self._by_cursor("tickets", start, _tickets, include="metric_sets"),
            "ticket_events": self._ticket_events,
            "satisfaction_ratings": self._ratings,
        }
        for table, export in exports.items():
            if table in windows:
                yield from ((table, page) for page in export(_epoch(windows[table].since)) if page)
        for table in SETTINGS:
            if table in windows:
                yield from ((table, page) for page in skip_if_absent(self, table, self._setting(table)) if page)

    def keys(self, table: str) -> Iterator[list[tuple]] | None:
        """Only what vanishes without a trace. Exports show deleted tickets, users and organizations as such, and no list of tickets is
        complete: it leaves out those that were archived."""
        if table in self.absent or table not in SETTINGS:
            return None
        key = self.contracts[table].primary_key
        return ([tuple(row[name] for name in key) for row in page] for page in self._setting(table))

    def close(self) -> None:
        self.http.close()

    def _by_cursor(self, name: str, start: int, flatten: Callable[[dict], Any], **more: str) -> Iterator[Page]:
        """A cursor-based export, to the end of the stream."""
        params = {"start_time": start, "per_page": EXPORT_PAGE, **more}

        def following(body: dict[str, Any]) -> str | None:
            return None if body.get("end_of_stream") else body["after_cursor"]

        path = f"/api/v2/incremental/{name}/cursor.json"
        for body in self.http.bodies(path, params, rows=name, following=following, cursor="cursor", only_first=("start_time",)):
            yield list(flatten(body))

    def _by_time(self, name: str, start: int, flatten: Callable[[dict], dict], **more: str) -> Iterator[Page]:
        """A time-based export: the next page starts at the end time of this one, where Zendesk may give some records again."""
        params = {"start_time": start, "per_page": EXPORT_PAGE, **more}

        def following(body: dict[str, Any]) -> int | None:
            is_last = body["end_of_stream"] if "end_of_stream" in body else len(body[name]) < EXPORT_PAGE
            return None if is_last else body["end_time"]

        for body in self.http.bodies(f"/api/v2/incremental/{name}.json", params, rows=name, following=following, cursor="start_time"):
            yield [flatten(o) for o in body[name]]

    def _ticket_events(self, start: int) -> Iterator[Page]:
        for page in self._by_time("ticket_events", start, lambda o: list(rows.ticket_events(o, self._agents())), include="comment_events"):
            yield [row for event in page for row in event]

    def _ratings(self, start: int) -> Iterator[Page]:
        for page in self._list("/api/v2/satisfaction_ratings.json", "satisfaction_ratings", start_time=start):
            yield [rows.rating(o) for o in page]

    def _agents(self) -> dict[str, str]:
        """Roles of agents and admins, who are few; everybody else is an end user."""
        if self._roles is None:
            pages = self._list("/api/v2/users.json", "users", **{"role[]": ["agent", "admin"]})
            self._roles = {str(user["id"]): user["role"] for page in pages for user in page}
        return self._roles

    def _setting(self, table: str) -> Iterator[list[dict]]:
        """Schedules, holidays and SLA policies: small, and read whole each time."""
        if table == "sla_policies":
            for page in self.http.pages("/api/v2/slas/policies.json", {}, rows="sla_policies"):
                yield [row for o in page for row in rows.sla_policy(o)]
            return
        for page in self.http.pages("/api/v2/business_hours/schedules.json", {}, rows="schedules"):
            if table == "schedules":
                unknown = [o["time_zone"] for o in page if iana(o["time_zone"]) is None]
                self.warnings += [f"{self.source_relation}: time zone '{zone}' of a schedule has no IANA name here" for zone in unknown]
                yield [row for o in page for row in rows.schedule(o)]
            for schedule in page if table == "holidays" else ():
                path = f"/api/v2/business_hours/schedules/{schedule['id']}/holidays.json"
                for holidays in self.http.pages(path, {}, rows="holidays"):
                    yield [rows.holiday(o, schedule["id"]) for o in holidays]

    def _list(self, path: str, name: str, **more: Any) -> Iterator[list[dict]]:
        def following(body: dict[str, Any]) -> str | None:
            meta = body.get("meta") or {}
            return meta["after_cursor"] if meta.get("has_more") else None

        return self.http.pages(path, {"page[size]": LIST_PAGE, **more}, rows=name, following=following, cursor="page[after]")


def _tickets(body: dict[str, Any]) -> list[dict]:
    solved_at = {metrics["ticket_id"]: metrics.get("solved_at") for metrics in body.get("metric_sets") or []}
    return [rows.ticket(o, solved_at) for o in body["tickets"]]


def _epoch(since: datetime | None) -> int:
    """The export wants a start; 1 is before anything."""
    return 1 if since is None else int(since.timestamp())

"""Stripe: everything once, then what `/v1/events` says has changed.

Here belong Stripe's requests; the shape of its objects is in stripe_rows.py.

Requests: GET /v1/<objects>?limit&starting_after (subscriptions: status=all), GET /v1/<objects>/<id>, the lists below an object where it
holds only their beginning, GET /v1/refunds?charge=, and GET /v1/events?created[gte]&created[lt]. No list is filtered by time: hosts
differ in what they accept there, and an object's own times don't show its changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from orchestration.contracts import Contract
from orchestration.sources import stripe_rows as rows
from orchestration.sources.base import DELETED, Page, Window, at, skip_if_absent
from orchestration.sources.http import Http, NotFound
from orchestration.sources.stripe_events import Changes, Key

EVENTS_ARE_KEPT = timedelta(days=29)  # Stripe keeps 30 days; older gaps are closed by a full listing
PAGE = 100


@dataclass(frozen=True)
class Child:
    """A list inside an object: its table, key in the object, row function, and where the rest of a long one is."""

    table: str
    key: str
    row: Callable[[dict, dict], dict]
    rest: Callable[[str], tuple[str, dict[str, Any]]]


@dataclass(frozen=True)
class Kind:
    """One type of object: table and path are the same word."""

    table: str
    row: Callable[..., dict]
    child: Child | None = None
    can_vanish: bool = True  # records that Stripe never deletes need no reconciliation


KINDS = {
    "product": Kind("products", rows.product),
    "price": Kind("prices", rows.price),
    "plan": Kind("plans", rows.plan),
    "coupon": Kind("coupons", rows.coupon),
    "customer": Kind("customers", rows.customer),
    "subscription": Kind(
        "subscriptions",
        rows.subscription,
        Child("subscription_items", "items", rows.subscription_item, lambda id: ("/v1/subscription_items", {"subscription": id})),
    ),
    "invoice": Kind(
        "invoices",
        rows.invoice,
        Child("invoice_lines", "lines", rows.invoice_line, lambda id: (f"/v1/invoices/{id}/lines", {})),
    ),
    "charge": Kind("charges", rows.charge, can_vanish=False),
    "refund": Kind("refunds", rows.refund, can_vanish=False),
    "credit_note": Kind(
        "credit_notes",
        rows.credit_note,
        Child("credit_note_lines", "lines", rows.credit_note_line, lambda id: (f"/v1/credit_notes/{id}/lines", {})),
        can_vanish=False,
    ),
    "dispute": Kind("disputes", rows.dispute, can_vanish=False),
}


class Stripe:
    """One Stripe account."""

    vendor = "stripe"

    def __init__(self, http: Http, source_relation: str, contracts: Mapping[str, Contract], *, now: datetime | None = None) -> None:
        self.http = http
        self._clock = now
        self.source_relation = source_relation
        self.contracts = contracts
        self.tables = tuple(contracts)
        self.warnings: list[str] = []
        self.absent: set[str] = set()

    def pull(self, windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
        """Listings of the types that need everything, then one pass over the events for the others."""
        kinds = {name: kind for name, kind in KINDS.items() if set(_tables(kind)) & set(windows)}
        now = self._clock or datetime.now(UTC)
        asked = {name: [windows[table] for table in _tables(kind) if table in windows] for name, kind in kinds.items()}
        listed = {name for name, each in asked.items() if any(_needs_listing(window, now) for window in each)}
        for name in listed:
            # An object's state in a listing is as of the listing, whatever times it carries itself: a change that left no trace
            # in them must still count as newer than what was known before. The last second of the window still belongs to its day.
            updated = min(now, asked[name][0].until - timedelta(seconds=1))
            for page in skip_if_absent(self, kinds[name].table, self._list(kinds[name]), also=_tables(kinds[name])):
                yield from self._rows(name, [(o, updated) for o in page], windows)
        changing = [window for name in kinds.keys() - listed for window in asked[name]]
        if changing:
            since, until = min(window.since for window in changing), max(window.until for window in changing)
            yield from self._changes(kinds.keys() - listed, since, until, windows)

    def keys(self, table: str) -> Iterator[list[tuple]] | None:
        for kind in KINDS.values():
            if kind.table == table and kind.can_vanish and table not in self.absent:
                return ([(o["id"],) for o in page] for page in self._list(kind))
            if kind.child and kind.child.table == table == "subscription_items":
                return ([(item["id"],) for o in page for item in self._children(kind.child, o) or ()] for page in self._list(kind))
        return None  # money that moved stays on record; lines go with their invoice

    def close(self) -> None:
        self.http.close()

    def _list(self, kind: Kind) -> Iterator[list[dict]]:
        return self._pages(f"/v1/{kind.table}", {"limit": PAGE} | ({"status": "all"} if kind.table == "subscriptions" else {}))

    def _pages(self, path: str, params: dict[str, Any]) -> Iterator[list[dict]]:
        def following(body: dict[str, Any]) -> str | None:
            return body["data"][-1]["id"] if body.get("has_more") and body["data"] else None

        return self.http.pages(path, params, rows="data", following=following, cursor="starting_after")

    def _children(self, child: Child, o: dict) -> list[dict] | None:
        """The whole list inside an object; the object itself holds the first ten or so. None: it is gone since we saw it."""
        held = o.get(child.key) or {"data": [], "has_more": True}
        found = list(held["data"])
        if held.get("has_more"):
            path, params = child.rest(o["id"])
            after = {"starting_after": found[-1]["id"]} if found else {}
            try:
                found += [one for page in self._pages(path, {**params, "limit": PAGE, **after}) for one in page]
            except NotFound:
                return None
        return found

    def _rows(
        self, name: str, objects: list[tuple[dict, datetime]], windows: Mapping[str, Window], changes: Changes | None = None
    ) -> Iterator[tuple[str, Page]]:
        """One page of objects as pages of their table and its child table; `changes` hears of the children that there are."""
        kind, parents, children = KINDS[name], [], []
        for o, updated in objects:
            parts = self._children(kind.child, o) if kind.child else []
            if parts is None:
                parents.append({"id": o["id"], "updated": updated, DELETED: True})
                continue
            if kind.child and changes is not None:
                changes.given((name, o["id"]), parts)
            parents.append((kind.row(o, parts) if name == "subscription" else kind.row(o)) | {"updated": updated})
            children += [kind.child.row(part, o) | {"updated": updated} for part in parts] if kind.child else []
        if parents and kind.table in windows:
            yield kind.table, parents
        if children and kind.child and kind.child.table in windows:
            yield kind.child.table, children

    def _changes(self, names: set[str], since: datetime, until: datetime, windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
        """Objects that events name, as of their newest event; deletions as tombstones."""
        changes = Changes(names)
        params = {"limit": PAGE, "created[gte]": int(since.timestamp()), "created[lt]": int(until.timestamp())}
        for page in self._pages("/v1/events", params):
            current: dict[str, list[tuple[dict, datetime]]] = {}
            gone: list[tuple[Key, dict | None, int]] = []
            for event in page:
                held, dropped = changes.take(event)
                gone += dropped
                for (name, _), o, when in held:
                    current.setdefault(name, []).append((o, at(when)))
            for name, objects in current.items():
                yield from self._rows(name, objects, windows, changes)
            yield from _tombstones(gone, windows)
        for (name, id), when in changes.to_read().items():
            yield from self._read(name, id, when, windows, changes)
        yield from _tombstones(changes.gone_after_all(), windows)
        for charge, when in changes.refunded_charges.items() if "refund" in names else ():
            for page in self._pages("/v1/refunds", {"charge": charge, "limit": PAGE}):
                yield from self._rows("refund", [(o, at(when)) for o in page], windows)

    def _read(self, name: str, id: str, when: int, windows: Mapping[str, Window], changes: Changes) -> Iterator[tuple[str, Page]]:
        try:
            o = self.http.get(f"/v1/{KINDS[name].table}/{id}")
        except NotFound:
            o = {"deleted": True}
        if o.get("deleted"):
            yield from _tombstones([((name, id), None, when)], windows)
        else:
            yield from self._rows(name, [(o, at(when))], windows, changes)


def _needs_listing(window: Window, now: datetime) -> bool:
    """By the age of its beginning: a short window of long ago (a day that is run again) has no events either."""
    return window.since is None or now - window.since > EVENTS_ARE_KEPT


def _tables(kind: Kind) -> tuple[str, ...]:
    return (kind.table, kind.child.table) if kind.child else (kind.table,)


def _tombstones(gone: list[tuple[Key, dict | None, int]], windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
    for (name, id), child, when in gone:
        kind = KINDS[name]
        table = kind.child.table if child and kind.child else kind.table
        key = {"id": child["id"]} | ({} if name == "subscription" else {f"{name}_id": id}) if child else {"id": id}
        if table in windows:
            yield table, [key | {"updated": at(when), DELETED: True}]

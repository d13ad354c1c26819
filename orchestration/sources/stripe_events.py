"""What a page of Stripe's events means: which objects are current as they stand, which must be read again, what is gone.

Here belongs the bookkeeping over events, without requests (stripe.py) and without the shape of objects (stripe_rows.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orchestration.sources.stripe_rows import ref

API_VERSION = "2024-06-20"  # the last one before subscription periods moved to the items and prices out of invoice lines

Key = tuple[str, str]  # (type, id)
Gone = tuple[Key, dict | None, int]  # (the object or the parent, its child that is gone, the event's time)
CHILDREN = {"subscription": "items", "invoice": "lines", "credit_note": "lines"}  # type → its list of children
HELD = 10  # children that an event holds at most


@dataclass
class Changes:
    """Objects of the types in `wanted` that events named so far, each with the time of its newest event.

    Only ids are kept, so memory grows with the number of changed objects, not with their size. Stripe lists the newest event first;
    on a host that lists the oldest first an object is simply given again, newer, later.
    """

    wanted: set[str]
    done: dict[Key, int] = field(default_factory=dict)
    unread: dict[Key, int] = field(default_factory=dict)
    refunded_charges: dict[str, int] = field(default_factory=dict)
    _related: dict[Key, int] = field(default_factory=dict)
    _doubtful: dict[Key, list[Gone]] = field(default_factory=dict)
    _given: dict[Key, set[str]] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> tuple[list[tuple[Key, dict, int]], list[Gone]]:
        """(objects that are current as the event holds them, objects and children that are gone); each with the event's time.

        A child that is gone comes as ((parent type, parent id), the child, time), an object as ((type, id), None, time).
        """
        o, when = event["data"]["object"], event["created"]
        name, id = o.get("object"), o.get("id")
        if name == "discount" and o.get("subscription"):
            self._read_later(("subscription", o["subscription"]), when)
        if event["type"] == "charge.refunded":
            self.refunded_charges[id] = max(when, self.refunded_charges.get(id, 0))
        if not id:  # a preview, such as invoice.upcoming
            return [], []
        for other in ("subscription", "charge") if name == "invoice" else ():
            if o.get(other):
                key = (other, ref(o[other]))
                self._related[key] = max(when, self._related.get(key, 0))
        if name not in self.wanted:
            return [], []
        gone: list[Gone] = [((name, id), child, when) for child in _dropped(name, event)]
        if gone and _is_cut(name, o):
            self._doubtful.setdefault((name, id), []).extend(gone)
            gone = []
        if when <= self.done.get((name, id), -1):
            return [], gone
        if event["type"] == f"{name}.deleted":
            self.done[name, id] = when
            gone += [((name, id), child, when) for child in _held(name, o)] + [((name, id), None, when)]
            return [], gone
        if event.get("api_version") != API_VERSION:
            self._read_later((name, id), when)
            return [], gone
        self.done[name, id] = when
        return [((name, id), o, when)], gone

    def to_read(self) -> dict[Key, int]:
        """What to request after the last event. Some hosts tell of an invoice but not of what it did to its subscription and charge:
        those are read too, unless an event named them."""
        for key, when in self._related.items():
            if key not in self.done:
                self._read_later(key, when)
        return {key: when for key, when in self.unread.items() if when > self.done.get(key, -1)}

    def given(self, parent: Key, children: list[dict]) -> None:
        """The whole list of an object. Kept of long lists, and where something may be gone."""
        if len(children) > HELD or parent in self._doubtful:
            self._given.setdefault(parent, set()).update(child["id"] for child in children)

    def gone_after_all(self) -> list[Gone]:
        """Of what an event did not hold, with a list too long to be held whole: what none of the whole lists had. To be asked last."""
        return [
            (parent, child, when)
            for parent, some in self._doubtful.items()
            for _, child, when in some
            if child is not None and child["id"] not in self._given.get(parent, ())
        ]

    def _read_later(self, key: Key, when: int) -> None:
        if key[0] in self.wanted:
            self.unread[key] = max(when, self.unread.get(key, 0))


def _held(name: str, o: dict) -> list[dict]:
    return [child for child in (o.get(CHILDREN.get(name, "")) or {}).get("data", []) if child.get("id")]


def _dropped(name: str, event: dict) -> list[dict]:
    """Children that an update took away: in the event's previous list, not in the object any more, as far as the event holds them."""
    before = (event["data"].get("previous_attributes") or {}).get(CHILDREN.get(name, ""))
    if not isinstance(before, dict):
        return []
    left = {child["id"] for child in _held(name, event["data"]["object"])}
    return [child for child in before.get("data", []) if child.get("id") and child["id"] not in left]


def _is_cut(name: str, o: dict) -> bool:
    """Whether the object holds less than its whole list: both lists of an event are then the first pages, of which one child pushes another."""
    return bool((o.get(CHILDREN.get(name, "")) or {"has_more": True}).get("has_more"))

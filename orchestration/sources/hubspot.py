"""HubSpot: lists for everything, search for what changed.

Here belong HubSpot's requests and the flattening of its records, which is the same for every object type.

Requests: GET /crm/v3/objects/<type>?limit&properties&associations&archived&after; POST /crm/v3/objects/<type>/search;
POST /crm/v4/associations/<from>/<to>/batch/read (search doesn't give associations); GET /crm/v3/owners?limit&archived&after.

An association that is made or changed later leaves no trace in its record: on the days on which keys are compared, tables with
associations are read whole (`reads_whole`), and landing keeps what differs.

The search is paged by key, never by its offset: each request asks again from the last time seen. So no result lies beyond the search's
limit of 10,000, and a record that is changed meanwhile moves ahead of us instead of pushing another one behind us.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from orchestration.contracts import Contract
from orchestration.sources.base import ContractError, Page, TransientSourceError, Window, moment, skip_if_absent
from orchestration.sources.http import Http

LIST_PAGE, SEARCH_PAGE, KEYS_AT_ONCE = 100, 200, 10_000
# A custom object is addressed by its name with this prefix.
CUSTOM = {"success_goals": "p_success_goals", "campaign_members": "p_campaign_members"}
ASSOCIATIONS = {"company_id": "companies", "contact_id": "contacts"}
OWN_FIELDS = {"id", "archived", *ASSOCIATIONS}  # of a record, everything else being a property
UNLABELED, OWN_LABEL = "_unlabeled", "HUBSPOT_DEFINED"
MERGED, MERGES = "hs_merged_object_ids", "company_merges"


class HubSpot:
    """One HubSpot portal."""

    vendor = "hubspot"

    def __init__(self, http: Http, source_relation: str, contracts: Mapping[str, Contract]) -> None:
        self.http = http
        self.source_relation = source_relation
        self.contracts = contracts
        self.tables = tuple(contracts)
        self.absent: set[str] = set()
        self.warnings: list[str] = []
        self.reads_whole = frozenset(table for table in contracts if self._associations(table))
        self._listed: dict[str, array[int]] = {}  # ids of tables that this pull has listed to the end

    def pull(self, windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
        self._listed.clear()
        for table in windows:
            if table == "owners":
                for archived in (False, True):
                    yield from (("owners", [_owner(o) for o in page]) for page in self._list("owners", archived) if page)
            elif table != MERGES:
                for page in self._object_pages(table, self._since(table, windows)):
                    yield table, [self._row(table, o) for o in page]
                    if table == "companies" and MERGES in windows and (merges := [m for o in page for m in _merges(o)]):
                        yield MERGES, merges

    def keys(self, table: str) -> Iterator[list[tuple]] | None:
        if table == MERGES or table in self.absent:
            return None
        if (ids := self._listed.get(table)) is not None:
            return ([(str(id),) for id in ids[start : start + KEYS_AT_ONCE]] for start in range(0, len(ids), KEYS_AT_ONCE))
        return ([(o["id"],) for o in page] for page in self._list(table, archived=False, properties=["hs_object_id"]))

    def close(self) -> None:
        self.http.close()

    @staticmethod
    def _since(table: str, windows: Mapping[str, Window]) -> datetime | None:
        """Merges come out of companies, so those go back as far as either table needs."""
        asked = [windows[name].since for name in ((table, MERGES) if table == "companies" else (table,)) if name in windows]
        return None if None in asked else min(asked)

    def _object_pages(self, table: str, since: datetime | None) -> Iterator[list[dict]]:
        """Records with associations; those in the recycle bin too, with the time of their deletion as their last change."""
        pages = self._all(table) if since is None else self._changed(table, since)
        yield from filter(None, skip_if_absent(self, table, pages))
        if table not in self.absent:
            for page in self._list(table, archived=True):
                if binned := [o for o in page if since is None or not _archived_before(o, since)]:
                    yield binned

    def _all(self, table: str) -> Iterator[list[dict]]:
        """The whole list, whose ids are kept for keys(): as numbers, eight bytes each."""
        ids = array("q")
        for page in self._list(table, archived=False):
            ids.extend(int(o["id"]) for o in page)
            yield page
        self._listed[table] = ids

    def _list(self, table: str, archived: bool, properties: list[str] | None = None) -> Iterator[list[dict]]:
        params: dict[str, Any] = {"limit": LIST_PAGE, "archived": str(archived).lower()}
        path = "/crm/v3/owners"
        if table != "owners":
            path = f"/crm/v3/objects/{CUSTOM.get(table, table)}"
            params["properties"] = ",".join(properties or self._properties(table))
            if properties is None and (associations := self._associations(table)):
                params["associations"] = ",".join(associations.values())
        return self.http.pages(path, params, rows="results", following=_after, cursor="after")

    def _changed(self, table: str, since: datetime) -> Iterator[list[dict]]:
        """Records changed at or after `since`, oldest change first.

        Each search starts at the last time that the one before it reached, less what it already gave. Where more than a page of records
        has that very time, they are read by id before the search moves on behind it.
        """
        modified = self.contracts[table].updated_at or ""
        start, given = _milliseconds(since), set()
        while True:
            found, has_more = self._search(table, [(modified, "GTE", start)], modified)
            if fresh := [o for o in found if o["id"] not in given]:
                yield self._with_associations(table, fresh)
            if not has_more:
                return
            last = self._modified(table, found[-1]) if found else start
            if last > start:
                start, given = last, {o["id"] for o in found if self._modified(table, o) == last}
                continue
            if last < start:
                raise TransientSourceError(f"{self.http.name}: search of {table} came back unsorted; run again later")
            yield from self._changed_at(table, modified, start, given | {o["id"] for o in found})
            start, given = start + 1, set()

    def _changed_at(self, table: str, modified: str, at: int, given: set[str]) -> Iterator[list[dict]]:
        """All records with one and the same time of change, by id."""
        last_id = "0"
        while True:
            filters = [(modified, "EQ", at), ("hs_object_id", "GT", last_id)]
            found, has_more = self._search(table, filters, "hs_object_id")
            if fresh := [o for o in found if o["id"] not in given]:
                yield self._with_associations(table, fresh)
            if not has_more:
                return
            if not found or int(found[-1]["id"]) <= int(last_id):
                raise TransientSourceError(f"{self.http.name}: search of {table} gave the same page twice; run again later")
            last_id = found[-1]["id"]

    def _search(self, table: str, filters: list[tuple[str, str, Any]], order: str) -> tuple[list[dict], bool]:
        body = {
            "filterGroups": [{"filters": [{"propertyName": p, "operator": o, "value": str(v)} for p, o, v in filters]}],
            "sorts": [{"propertyName": order, "direction": "ASCENDING"}],
            "properties": self._properties(table),
            "limit": SEARCH_PAGE,
        }
        answer = self.http.post(f"/crm/v3/objects/{CUSTOM.get(table, table)}/search", body)
        if not isinstance(answer.get("results"), list):
            raise ContractError(f"{self.http.name}: search of {table} answered without 'results'; has its API changed?")
        return answer["results"], _after(answer) is not None

    def _with_associations(self, table: str, records: list[dict]) -> list[dict]:
        """Search results with the associations that a list would have given."""
        for other in self._associations(table).values():
            path = f"/crm/v4/associations/{CUSTOM.get(table, table)}/{other}/batch/read"
            answer = self.http.post(path, {"inputs": [{"id": o["id"]} for o in records]})
            linked = {str(link["from"]["id"]): [one for to in link["to"] for one in _v3_links(to)] for link in answer.get("results", [])}
            for o in records:
                o.setdefault("associations", {})[other] = {"results": linked.get(o["id"], [])}
        return records

    def _properties(self, table: str) -> list[str]:
        names = [name for name in self.contracts[table].column_names if name not in OWN_FIELDS]
        return [*names, MERGED] if table == "companies" else names

    def _associations(self, table: str) -> dict[str, str]:
        return {column: other for column, other in ASSOCIATIONS.items() if column in self.contracts[table].column_names}

    def _modified(self, table: str, o: dict) -> int:
        value = moment(o["properties"].get(self.contracts[table].updated_at))
        if not isinstance(value, datetime):
            raise ContractError(f"{self.http.name}: a record of {table} has no readable {self.contracts[table].updated_at}")
        return _milliseconds(value)

    def _row(self, table: str, o: dict) -> dict:
        """One record, flat; a blank property is NULL."""
        row = {name: value or None for name, value in o["properties"].items() if name not in (MERGED, "hs_object_id")}
        row |= {"id": o["id"], "archived": bool(o.get("archived"))}
        row |= {column: _linked(o, other) for column, other in self._associations(table).items()}
        if o.get("archivedAt"):
            row[self.contracts[table].updated_at] = o["archivedAt"]
        return row


def _after(body: dict[str, Any]) -> str | None:
    return ((body.get("paging") or {}).get("next") or {}).get("after")


def _linked(o: dict, other: str) -> str | None:
    """The associated record: the primary one where it is marked, else the oldest, in whatever order they come.

    Every link has HubSpot's own type, `contact_to_company_unlabeled`; the primary one also has it without the end. Other types are labels
    that somebody made up.
    """
    links = ((o.get("associations") or {}).get(other) or {}).get("results") or []
    types = {str(link.get("type", "")) for link in links}
    primary = [link for link in links if f"{link.get('type', '')}{UNLABELED}" in types]
    return min((str(link["id"]) for link in primary or links), key=int, default=None)


def _v3_links(to: dict) -> Iterator[dict]:
    """As a list would have given them. HubSpot's own label is "Primary", in some portals "Contact with Primary Company"."""
    id, kinds = str(to["toObjectId"]), to.get("associationTypes", [])
    yield {"id": id, "type": f"linked{UNLABELED}"}
    if any(kind.get("category", OWN_LABEL) == OWN_LABEL and "primary" in (kind.get("label") or "").lower() for kind in kinds):
        yield {"id": id, "type": "linked"}


def _merges(company: dict) -> list[dict]:
    merged = re.findall(r"\d+", company["properties"].get(MERGED) or "")
    modified = company["properties"].get("hs_lastmodifieddate")
    return [{"merged_id": id, "into_id": company["id"], "hs_lastmodifieddate": modified} for id in merged if id != company["id"]]


def _owner(o: dict) -> dict:
    """An owner record has no properties; its camelCase becomes snake_case."""
    row = {re.sub(r"([A-Z])", r"_\1", name).lower(): value for name, value in o.items() if not isinstance(value, list | dict)}
    return row | {"id": str(o["id"])}


def _archived_before(o: dict, since: datetime) -> bool:
    archived_at = moment(o.get("archivedAt"))
    return isinstance(archived_at, datetime) and archived_at < since


def _milliseconds(value: datetime) -> int:
    return int(value.timestamp() * 1000)

"""Tables in which nothing shows a change: they are read again, and only what is new or changed lands."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from orchestration.contracts import Column, Contract
from tests.unit.lake_support import Shop, lake_in, load, rows

CALLS = Contract(
    vendor="shop",
    table="orders",
    domain="crm",
    columns=(Column("id", "string", required=True), Column("note", "string"), Column("held_at", "timestamp", required=True)),
    primary_key=("id",),
    created_at="held_at",
)
USE = Contract(
    vendor="shop",
    table="orders",
    domain="product",
    columns=(Column("day", "date", required=True), Column("user", "string", required=True), Column("events", "bigint")),
    primary_key=("day", "user"),
    created_at="day",
)
FIRST = date(2024, 5, 10)


class Rereading(Shop):
    rereads = frozenset({"orders"})


def of(contract: Contract) -> dict:
    return {("shop", "orders"): contract}


def call(number: int, note: str = "", held: int = 1) -> dict:
    return {"id": f"c{number}", "note": note, "held_at": datetime(2024, 5, held, tzinfo=UTC)}


def days_later(number: int) -> date:
    return FIRST + timedelta(days=number)


def landed(folder, contract: Contract, what: str = "id, note") -> list[tuple]:
    return rows(folder, f"select cast(_load_date - date '{FIRST}' as int), {what} from raw_shop.orders order by all", of(contract))


def test_what_was_entered_late_or_corrected_lands_and_nothing_else(tmp_path):
    lake = lake_in(tmp_path, of(CALLS))
    load(lake, Rereading([call(1), call(2)]), FIRST)
    source = Rereading([call(1), call(2, "corrected")], [call(3, held=2)])
    (manifest,) = load(lake, source, days_later(1))
    assert source.windows["orders"].since is None
    assert landed(tmp_path, CALLS) == [(0, "c1", ""), (0, "c2", ""), (1, "c2", "corrected"), (1, "c3", "")]
    assert (manifest.mode, manifest.rows, manifest.max_cursor) == ("changes", 2, "2024-05-02T00:00:00")
    (manifest,) = load(lake, Rereading([call(1), call(2, "corrected"), call(3, held=2)]), days_later(2))
    assert (manifest.rows, manifest.filled) == (0, {})


def test_a_correction_that_is_taken_back_and_a_record_that_returns_land_again(tmp_path):
    lake = lake_in(tmp_path, of(CALLS))
    for day, note in enumerate(("as it was", "corrected", "as it was")):
        load(lake, Rereading([call(1, note)]), days_later(day))
    assert [note for _, _, note in landed(tmp_path, CALLS)] == ["as it was", "corrected", "as it was"]
    load(lake, Rereading([call(2)], keys=[("c2",)]), days_later(3), reconcile=True)
    load(lake, Rereading([call(1, "as it was"), call(2)]), days_later(4))
    assert landed(tmp_path, CALLS, "id, _is_deleted")[-3:] == [(3, "c1", True), (3, "c2", False), (4, "c1", False)]


def test_a_key_that_is_there_twice_does_not_land_with_every_load(tmp_path):
    lake = lake_in(tmp_path, of(CALLS))
    for day in range(4):
        load(lake, Rereading([call(1, "one"), call(1, "other")]), days_later(day))
    assert len(landed(tmp_path, CALLS)) == 2


def test_a_day_that_is_repeated_and_a_full_load_compare_with_what_was_there_before(tmp_path):
    lake = lake_in(tmp_path, of(CALLS))
    load(lake, Rereading([call(1)]), FIRST)
    for run in ("a", "b"):
        load(lake, Rereading([call(1), call(2)]), days_later(1), run_id=run)
        assert landed(tmp_path, CALLS, "id") == [(0, "c1"), (1, "c2")]
    load(lake, Rereading([call(1), call(2)]), days_later(2), full=True)
    assert landed(tmp_path, CALLS, "id")[-2:] == [(2, "c1"), (2, "c2")]


def test_days_of_use_are_read_a_month_back_and_whole_when_reconciled(tmp_path):
    def use(day: date, events: int = 1) -> dict:
        return {"day": day, "user": "u", "events": events}

    lake = lake_in(tmp_path, of(USE))
    old, recent = date(2024, 3, 1), date(2024, 5, 1)
    load(lake, Rereading([use(old), use(recent)]), FIRST)
    source = Rereading([use(recent, 2), use(FIRST)])
    load(lake, source, days_later(1))
    assert source.windows["orders"].since == datetime(2024, 4, 9, tzinfo=UTC)  # 11 May, less a day of overlap, less 31 days
    assert landed(tmp_path, USE, "day, events")[2:] == [(1, recent, 2), (1, FIRST, 1)]
    source = Rereading([use(old, 3), use(recent, 2), use(FIRST)], keys=[(old, "u"), (recent, "u"), (FIRST, "u")])
    load(lake, source, days_later(2), reconcile=True)
    assert source.windows["orders"].since is None
    assert landed(tmp_path, USE, "day, events")[4:] == [(2, old, 3)]
    load(lake, Rereading([use(old, 3), use(recent, 2)]), days_later(3))  # a source that cannot filter gives more than it was asked for
    assert len(landed(tmp_path, USE, "day")) == 5


CONTACTS = Contract(
    vendor="shop",
    table="orders",
    domain="crm",
    columns=(Column("id", "string", required=True), Column("note", "string"), Column("changed_at", "timestamp", required=True)),
    primary_key=("id",),
    updated_at="changed_at",
)


class Hiding(Shop):
    reads_whole = frozenset({"orders"})


def contact(number: int, company: str) -> dict:
    return {"id": f"c{number}", "note": company, "changed_at": datetime(2024, 5, 1, tzinfo=UTC)}


def test_a_change_that_shows_nowhere_is_found_when_keys_are_compared(tmp_path):
    lake = lake_in(tmp_path, of(CONTACTS))
    load(lake, Hiding([contact(1, "acme"), contact(2, "acme")]), FIRST)
    source = Hiding([])
    (manifest,) = load(lake, source, days_later(1))
    assert (source.windows["orders"].since, manifest.mode) == (datetime(2024, 5, 10, tzinfo=UTC), "incremental")
    source = Hiding([contact(1, "acme"), contact(2, "zulu")], keys=[("c1",), ("c2",)])
    (manifest,) = load(lake, source, days_later(2), reconcile=True)
    assert (source.windows["orders"].since, manifest.mode, manifest.rows) == (None, "changes", 1)
    assert landed(tmp_path, CONTACTS) == [(0, "c1", "acme"), (0, "c2", "acme"), (2, "c2", "zulu")]

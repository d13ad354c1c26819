"""The lake: what is landed, what is put aside, what is refused, and where the next pull starts."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from orchestration.contracts import Column
from orchestration.lake_manifest import LakeError, read_body, read_manifest
from orchestration.sources.base import ContractError, SourceError
from tests.unit.lake_support import DAY, ORDERS, Shop, lake_in, load, order, quarantined, rows


def test_rows_arrive_in_the_contracts_types(tmp_path):
    (manifest,) = load(lake_in(tmp_path), Shop([order(1), order(2, amount=3, weight="1e1", quantity="7", is_paid="TRUE", due_on=date(2024, 2, 29))]))
    assert (manifest.rows, manifest.quarantined, manifest.mode) == (2, 0, "full")
    assert rows(tmp_path, "select id, quantity, amount, weight, is_paid, due_on, updated_at from raw_shop.orders order by id") == [
        ("o1", 2, Decimal("12.5000"), 0.5, False, date(2024, 4, 1), datetime(2024, 3, 9, 12)),
        ("o2", 7, Decimal("3.0000"), 10.0, True, date(2024, 2, 29), datetime(2024, 3, 9, 12)),
    ]
    assert rows(tmp_path, "select distinct _source_relation, _load_date, _run_id, _is_deleted, _extra from raw_shop.orders") == [
        ("shop", DAY, f"run-{DAY}", False, None)
    ]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"quantity": "12.5"}, "quantity: not a bigint"),
        ({"quantity": 12.5}, "quantity: not a bigint"),
        ({"quantity": 2**70}, "quantity: not a bigint"),
        ({"amount": "12,50"}, "amount: not a decimal(18,4)"),
        ({"weight": "nan"}, "weight: not a double"),
        ({"weight": float("inf")}, "weight: not a double"),
        ({"is_paid": "perhaps"}, "is_paid: not a boolean"),
        ({"is_paid": 2}, "is_paid: not a boolean"),
        ({"due_on": "2024-02-30"}, "due_on: not a date"),
        ({"due_on": datetime(2024, 2, 1, 5, tzinfo=UTC)}, "due_on: not a date"),
        ({"updated_at": "yesterday"}, "updated_at: not a timestamp"),
        ({"updated_at": 1710000000}, "updated_at: not a timestamp"),
        ({"updated_at": "2024-03-09T12:00:00"}, "updated_at: time without a zone"),
        ({"updated_at": datetime(2024, 3, 9, 12)}, "updated_at: time without a zone"),
        ({"updated_at": date(2024, 3, 9)}, "updated_at: time without a zone"),
        ({"updated_at": "2024-03-09 10:00 PM"}, "updated_at: not a timestamp"),
        ({"updated_at": "infinity"}, "updated_at: not a timestamp"),
        ({"updated_at": "20240-03-09T12:00:00Z"}, "updated_at: not a timestamp"),
        ({"updated_at": "1024-03-09T12:00:00Z"}, "updated_at: year before 1900 or after 2200"),
        ({"updated_at": datetime(9999, 12, 31, tzinfo=UTC)}, "updated_at: year before 1900 or after 2200"),
        ({"due_on": date(2201, 1, 1)}, "due_on: year before 1900 or after 2200"),
        ({"due_on": "0001-01-01"}, "due_on: year before 1900 or after 2200"),
        ({"updated_at": None}, "updated_at: required, but missing"),
        ({"id": "  "}, "id: required, but missing"),
        ({"currency": None}, "currency: required, but missing"),
        ({"currency": "XXX"}, "currency: unknown currency"),
        ({"currency": "US"}, "currency: unknown currency"),
        ({"currency": "", "weight": "heavy"}, "currency: required, but missing; weight: not a double"),
    ],
)
@pytest.mark.parametrize("beside", ["alone", "among others"])
def test_a_bad_row_goes_to_quarantine_with_its_reason_and_the_others_land(tmp_path, values, reason, beside):
    others = [order(number) for number in range(2, 5)] if beside == "among others" else []
    (manifest,) = load(lake_in(tmp_path), Shop([*others, order(1, **values)]))
    assert (manifest.rows, manifest.quarantined) == (len(others), 1)
    assert quarantined(tmp_path) == [(reason,)]
    assert manifest.reasons == dict.fromkeys(reason.split("; "), 1)
    assert json.loads(quarantined(tmp_path, "record")[0][0])["status"] == "open"


def test_a_time_zone_that_no_engine_knows_goes_to_quarantine(tmp_path):
    contract = replace(ORDERS, columns=(*ORDERS.columns, Column("zone", "string", is_zone=True)))
    zones = ["Europe/Berlin", "UTC", "Asia/Kolkata", None, "Foo/Bar", "Pacific Time (US & Canada)", "europe/berlin", "localtime"]
    (manifest,) = load(lake_in(tmp_path, {("shop", "orders"): contract}), Shop([order(number, zone=zone) for number, zone in enumerate(zones)]))
    assert (manifest.rows, manifest.quarantined) == (4, 4)
    assert manifest.reasons == {"zone: not an IANA time zone": 4}


@pytest.mark.parametrize(
    "text", ["2024-03-10T01:30:00+01:30", "2024-03-10 00:00:00Z", "2024-03-09T19:00:00.000-0500", "2024-03-10 00:00:00+00", "2024-03-10 00:00:00 UTC"]
)
def test_times_of_any_zone_become_utc(tmp_path, text):
    load(lake_in(tmp_path), Shop([order(1, updated_at=text)]))
    assert rows(tmp_path, "select updated_at from raw_shop.orders") == [(datetime(2024, 3, 10),)]


def test_naive_times_are_read_in_the_sources_zone_when_it_is_known(tmp_path):
    winter, summer = "2024-01-10T12:00:00", datetime(2024, 7, 10, 12)
    load(lake_in(tmp_path), Shop([order(1, updated_at=winter)], [order(2, updated_at=summer)], time_zone="Europe/Berlin"))
    assert rows(tmp_path, "select updated_at from raw_shop.orders order by id") == [(datetime(2024, 1, 10, 11),), (datetime(2024, 7, 10, 10),)]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-05-01 9:00", "2024-05-01T07:00:00"),
        ("2024-5-1T09:00:00.5", "2024-05-01T07:00:00.500000"),
        ("2024-05-01", "2024-04-30T22:00:00"),
        ("2024-5-1 9:00:00Z", "2024-05-01T09:00:00"),
        ("2024-05-01T09:00:00-07:00", "2024-05-01T16:00:00"),
        ("2024-05-01 09:00:00 UTC", "2024-05-01T09:00:00"),
        *(
            (f"2024-05-01 10:00{end}", None)
            for end in (" PM", ":00 AM", " EST", ":00 America/New_York", " foo", "+5", ":00 +02", "Z[Europe/Paris]", " BC")
        ),
        *((text, None) for text in ("infinity", "-infinity", "epoch", "24-05-01 10:00", "2024/05/01 10:00", "01.05.2024", "2024-05-01 25:00")),
    ],
)
def test_a_sources_zone_is_for_times_that_say_none(tmp_path, text, utc):
    load(lake_in(tmp_path), Shop([order(1, updated_at=text)], time_zone="Europe/Berlin"))
    assert [at.isoformat() for (at,) in rows(tmp_path, "select updated_at from raw_shop.orders")] == ([utc] if utc else [])
    assert quarantined(tmp_path) == [("updated_at: not a timestamp",)] if utc is None else True


@pytest.mark.parametrize("zone", [None, "Pacific/Auckland", "America/Los_Angeles"])
def test_since_ever_and_never_are_no_times(tmp_path, zone):
    """As people and PostgreSQL write them; in a column where that says something else than none, they are no date of a record."""
    bounds = (replace(Column("from_on", "date"), open="start"), replace(Column("to_at", "timestamp"), open="end"), Column("due_on", "date"))
    wider = {("shop", "orders"): replace(ORDERS, columns=tuple(c for c in ORDERS.columns if c.name != "due_on") + bounds)}
    z = "" if zone else "Z"
    records = [
        order(1, from_on="0001-01-01", to_at=f"9999-12-31T00:00:00{z}", due_on=None),
        order(2, from_on="-infinity", to_at="infinity", due_on=None),
        order(3, from_on="2024-01-01", to_at=f"2024-06-01T00:00:00{z}", due_on=None),
        order(4, from_on="9999-12-31", to_at=None, due_on=None),
        order(5, from_on=None, to_at=f"0001-01-01T00:00:00{z}", due_on=None),
        order(6, from_on=None, to_at=None, due_on="9999-12-31"),
    ]
    load(lake_in(tmp_path, wider), Shop(records, time_zone=zone))
    found = rows(tmp_path, "select id, from_on is null, to_at is null, _row_hash from raw_shop.orders order by id", wider)
    assert [row[:3] for row in found] == [("o1", True, True), ("o2", True, True), ("o3", False, False)]
    assert [reason for (reason,) in quarantined(tmp_path)] == [f"{name}: year before 1900 or after 2200" for name in ("due_on", "from_on", "to_at")]


def test_a_time_that_python_does_not_know_is_put_aside_as_it_is(tmp_path):
    far = pa.array([10**18], pa.int64()).cast(pa.timestamp("us", tz="UTC"))
    record = pa.Table.from_pylist([order(1, due_on=date(2024, 4, 1))])
    load(lake_in(tmp_path), Shop(record.set_column(record.column_names.index("updated_at"), "updated_at", far)))
    ((reason, content),) = quarantined(tmp_path, "_reason, record")
    assert reason == "updated_at: year before 1900 or after 2200"
    assert json.loads(content)["updated_at"].startswith("33658-09-27 01:46:40")


def test_arrow_pages_and_records_land_the_same(tmp_path):
    records = [order(number, due_on=date(2024, 4, 1), amount=Decimal("12.5"), deleted=False) for number in range(50)]
    (one,) = load(lake_in(tmp_path / "a"), Shop(records))
    (other,) = load(lake_in(tmp_path / "b"), Shop(pa.Table.from_pylist(records[30:]), pa.RecordBatch.from_pylist(records[:30])))
    assert one.content_hash == other.content_hash
    assert one.rows == other.rows == 50


def test_the_row_hash_depends_on_values_alone(tmp_path):
    """Not on the order of columns, the way a value is written, the run, or columns that the contract gains later."""
    load(lake_in(tmp_path / "a"), Shop([order(1, quantity=2, amount="12.50")]))
    load(lake_in(tmp_path / "b"), Shop([dict(reversed(order(1, quantity="2", amount=12.5).items()))]), date(2024, 3, 11))
    wider = {("shop", "orders"): replace(ORDERS, columns=(Column("note", "string"), *ORDERS.columns))}
    load(lake_in(tmp_path / "c", wider), Shop([order(1)]))
    hashes = {rows(tmp_path / name, "select _row_hash from raw_shop.orders")[0] for name in "abc"}
    assert len(hashes) == 1
    load(lake_in(tmp_path / "d"), Shop([order(1, quantity=3)]))
    assert rows(tmp_path / "d", "select _row_hash from raw_shop.orders")[0] not in hashes


def test_what_the_contract_does_not_know_is_kept_and_said_once(tmp_path):
    lake = lake_in(tmp_path)
    (first,) = load(lake, Shop([order(1, colour="red", size=None), order(2)]))
    assert first.warnings == [f"new column '{name}': not in the contract, kept in _extra" for name in ("colour", "size")]
    assert rows(tmp_path, "select id, _extra from raw_shop.orders order by id") == [("o1", '{"colour": "red", "size": null}'), ("o2", None)]
    (second,) = load(lake, Shop([order(1, colour="blue")]), DAY + timedelta(days=1))
    assert second.warnings == []


def test_the_window_starts_at_the_cursor_before_the_load_date_less_the_overlap(tmp_path):
    lake = lake_in(tmp_path)
    first, second, again = Shop([order(1)]), Shop([order(2)]), Shop([order(2), order(3)])
    load(lake, first)
    assert first.windows["orders"].since is None
    load(lake, second, DAY + timedelta(days=1))
    assert second.windows["orders"].since == datetime(2024, 3, 10, tzinfo=UTC)
    assert lake.cursor("shop", "orders") == datetime(2024, 3, 12, tzinfo=UTC)
    load(lake, again, DAY + timedelta(days=1), run_id="another")
    assert again.windows == second.windows
    assert rows(tmp_path, "select id, _run_id from raw_shop.orders where _load_date = '2024-03-11' order by id") == [
        ("o2", "another"),
        ("o3", "another"),
    ]
    full = Shop([order(1)])
    load(lake, full, DAY + timedelta(days=2), full=True)
    assert full.windows["orders"].since is None


def test_a_table_that_is_refused_keeps_its_cursor_so_that_nothing_is_missed_once_it_is_granted(tmp_path):
    lake = lake_in(tmp_path)

    def windows(number, *pages, refused):
        source = Shop(*pages)
        source.absent = {"orders"} if refused else set()
        (manifest,) = load(lake, source, DAY + timedelta(days=number))
        return source.windows["orders"].since, manifest.cursor

    def end(day):
        return datetime(2024, 3, day, tzinfo=UTC)

    assert windows(0, refused=True) == (None, None)
    assert windows(1, refused=True) == (None, None)
    assert windows(2, [order(1)], refused=False) == (None, end(13))
    assert windows(3, refused=True) == (end(12), end(13))
    assert windows(4, refused=True) == (end(12), end(13))
    assert windows(5, [order(2)], refused=False) == (end(12), end(16))


def test_a_source_clock_or_an_end_in_the_future_does_not_move_the_cursor_there(tmp_path):
    lake = lake_in(tmp_path)
    lake.load(Shop([order(1, updated_at=datetime(2999, 1, 1, tzinfo=UTC))]), load_date=DAY, until=datetime(2998, 1, 1, tzinfo=UTC), run_id="r")
    assert lake.cursor("shop", "orders") <= datetime.now(UTC)


def test_a_retry_of_a_run_does_not_pull_again_what_it_committed(tmp_path):
    lake = lake_in(tmp_path)
    first = load(lake, Shop([order(1)]))
    assert load(lake, Shop(AssertionError("pulled again"))) == first


def test_a_failed_pull_commits_nothing_and_leaves_nothing(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1)]))
    with pytest.raises(SourceError, match="gone"):
        load(lake, Shop([order(2)], SourceError("gone")), DAY + timedelta(days=1))
    assert lake.cursor("shop", "orders") == datetime(2024, 3, 11, tzinfo=UTC)
    assert not list(tmp_path.rglob(".new-*"))


def test_an_empty_answer_is_a_partition_without_rows(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1)]))
    (manifest,) = load(lake, Shop(), DAY + timedelta(days=1))
    assert (manifest.rows, manifest.files, manifest.columns_seen) == (0, [], sorted(ORDERS.column_names))
    assert rows(tmp_path, "select count(*) from raw_shop.orders") == [(1,)]


def test_of_two_rows_of_one_key_in_a_load_the_later_one_can_be_told(tmp_path):
    load(lake_in(tmp_path), Shop([order(1, status="a"), order(2)], [order(1, status="b")]))
    assert rows(tmp_path, "select arg_max(status, _loaded_at) from raw_shop.orders where id = 'o1'") == [("b",)]


class TestDrift:
    """Rules of faults.md 10, on top of single rows in quarantine."""

    many = tuple(order(number) for number in range(100))

    def refused(self, tmp_path, page, message):
        lake = lake_in(tmp_path)
        if not lake.manifests("shop", "orders"):
            load(lake, Shop([*self.many]))
        with pytest.raises(ContractError) as error:
            load(lake, Shop(page), DAY + timedelta(days=1))
        assert message in str(error.value)
        assert len(lake.manifests("shop", "orders")) == 1

    def test_a_column_that_is_gone_stops_the_load(self, tmp_path):
        self.refused(tmp_path, [{k: v for k, v in order(1).items() if k != "amount"}], "column 'amount', which was there on 2024-03-10, is gone")

    def test_a_required_column_that_is_gone_stops_the_load(self, tmp_path):
        self.refused(tmp_path, [{k: v for k, v in order(1).items() if k != "status"}], "required column 'status' is missing")

    def test_a_type_change_stops_the_load(self, tmp_path):
        changed = [order(n, quantity={"value": 1}) if n % 4 == 0 else order(n) for n in range(100)]
        self.refused(tmp_path, changed, "column 'quantity' is not a bigint in 25 of 100 rows: its type has changed")

    def test_a_required_column_that_is_empty_throughout_stops_the_load(self, tmp_path):
        self.refused(tmp_path, [order(n, status=None) for n in range(100)], "required column 'status' is empty in all 100 rows")

    def test_another_column_that_turned_empty_is_warned_of(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([*self.many]))
        (manifest,) = load(lake, Shop([order(n, weight=None) for n in range(100)]), DAY + timedelta(days=1))
        assert manifest.warnings == ["column 'weight' is empty in all 100 rows; before, 100% of them had a value"]

    def test_naive_times_throughout_name_the_setting(self, tmp_path):
        self.refused(tmp_path, [order(n, updated_at="2024-03-09 12:00") for n in range(100)], "set CSW_SOURCE_TIMEZONE")

    def test_a_full_load_accepts_the_new_shape(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([*self.many]))
        (manifest,) = load(lake, Shop([{k: v for k, v in order(1).items() if k != "amount"}]), DAY + timedelta(days=1), full=True)
        assert "amount" not in manifest.columns_seen

    def test_a_column_that_only_some_records_bring_may_stay_away(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([*self.many[1:], {k: v for k, v in order(1).items() if k != "amount"}]))
        (manifest,) = load(lake, Shop([{k: v for k, v in order(2).items() if k != "amount"}]), DAY + timedelta(days=1))
        assert manifest.rows == 1 and "amount" not in manifest.columns_seen

    def test_some_bad_values_do_not_stop_it(self, tmp_path):
        (manifest,) = load(lake_in(tmp_path), Shop([order(n, weight="x") if n < 20 else order(n) for n in range(100)]))
        assert (manifest.rows, manifest.quarantined) == (80, 20)

    def test_unknown_currencies_are_put_aside_however_many(self, tmp_path):
        (manifest,) = load(lake_in(tmp_path), Shop([order(n, currency="ZZZ") if n < 60 else order(n) for n in range(100)]))
        assert (manifest.rows, manifest.quarantined) == (40, 60)


class TestDeletes:
    def live(self, tmp_path):
        """Records that are there, in the order in which the macro record_versions reads the versions of one."""
        return rows(
            tmp_path,
            """
            select id
            from (
                select *, coalesce(updated_at, max(updated_at) over (partition by id order by _load_date)) as effective_at
                from raw_shop.orders
            )
            qualify row_number() over (partition by id order by effective_at desc nulls last, _load_date desc, _is_deleted desc) = 1
                and not _is_deleted
            order by id
            """,
        )

    def test_what_the_source_no_longer_lists_gets_a_tombstone(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1), order(2)]))
        (manifest,) = load(lake, Shop([order(3)], keys=[("o2",), ("o3",)]), DAY + timedelta(days=1), reconcile=True)
        assert (manifest.rows, manifest.tombstones, [file["rows"] for file in manifest.files]) == (2, 1, [1, 1])
        assert rows(tmp_path, "select id, status, updated_at from raw_shop.orders where _is_deleted") == [("o1", None, None)]
        assert self.live(tmp_path) == [("o2",), ("o3",)]
        (third,) = load(lake, Shop(keys=[("o2",), ("o3",)]), DAY + timedelta(days=2), reconcile=True)
        assert third.tombstones == 0

    def test_a_day_that_is_run_again_finds_its_deletions_again(self, tmp_path):
        """Its first load goes, and its tombstones with it: they are no reason not to land them."""
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1), order(2)]))
        for run_id in ("a", "b"):
            (manifest,) = load(lake, Shop(keys=[("o2",)]), DAY + timedelta(days=1), run_id=run_id, reconcile=True)
            assert manifest.tombstones == 1
        assert self.live(tmp_path) == [("o2",)]

    def test_what_came_with_this_load_and_is_listed_no_more_is_gone(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1), order(2)]))
        (manifest,) = load(lake, Shop([order(3)], keys=[("o1",), ("o2",)]), DAY + timedelta(days=1), reconcile=True)
        assert (manifest.rows, manifest.tombstones) == (2, 1)
        assert self.live(tmp_path) == [("o1",), ("o2",)]

    def test_a_record_that_came_back_can_go_again(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1), order(2)]))
        load(lake, Shop(keys=[("o2",)]), DAY + timedelta(days=1), reconcile=True)
        load(lake, Shop([order(1, updated_at="2024-03-12T05:00:00Z")]), DAY + timedelta(days=2))
        assert self.live(tmp_path) == [("o1",), ("o2",)]
        (manifest,) = load(lake, Shop(keys=[("o2",)]), DAY + timedelta(days=3), reconcile=True)
        assert manifest.tombstones == 1
        assert self.live(tmp_path) == [("o2",)]

    def test_a_tombstone_sorts_after_a_change_that_came_late_on_its_day(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1, updated_at="2024-03-12T05:00:00Z"), order(2)]))
        load(lake, Shop(keys=[("o2",)]), DAY + timedelta(days=1), reconcile=True)
        assert self.live(tmp_path) == [("o2",)]

    def test_a_record_that_was_missing_by_mistake_comes_back_with_a_full_load(self, tmp_path, caplog):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1), order(2)]))
        load(lake, Shop(keys=[("o2",)]), DAY + timedelta(days=1), reconcile=True)
        load(lake, Shop(keys=[("o1",), ("o2",)]), DAY + timedelta(days=2), reconcile=True)
        assert "1 records that were deleted are at the source again" in caplog.text
        load(lake, Shop([order(1), order(2)], keys=[("o1",), ("o2",)]), DAY + timedelta(days=3), full=True, reconcile=True)
        assert self.live(tmp_path) == [("o1",), ("o2",)]

    @pytest.mark.parametrize(("there", "listed"), [(100, 0), (100, 60), (2, 0)])
    def test_too_many_are_not_believed(self, tmp_path, there, listed):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(n) for n in range(there)]))
        with pytest.raises(ContractError, match="too many to be believed"):
            load(lake, Shop(keys=[(f"o{n}",) for n in range(listed)]), DAY + timedelta(days=1), reconcile=True)
        assert self.live(tmp_path) == sorted((f"o{n}",) for n in range(there))
        load(lake, Shop(keys=[(f"o{n}",) for n in range(listed)]), DAY + timedelta(days=1), reconcile=True, believe_deletions=True)
        assert len(self.live(tmp_path)) == listed

    def test_the_manifests_tell_when_keys_were_last_compared(self, tmp_path):
        lake = lake_in(tmp_path)
        assert lake.reconciled_on("shop", ["orders"], before=DAY) is None
        for day, reconcile, expected in ((0, False, 0), (1, False, 0), (9, True, 9), (10, False, 9)):
            (manifest,) = load(lake, Shop(keys=[]), DAY + timedelta(days=day), reconcile=reconcile)
            assert manifest.reconciled_on == DAY + timedelta(days=expected)
        assert lake.reconciled_on("shop", ["orders", "never loaded"], before=DAY + timedelta(days=9)) == DAY
        assert lake.reconciled_on("shop", ["orders"], before=DAY + timedelta(days=11)) == DAY + timedelta(days=9)
        forget = tmp_path / "lake/raw/shop/orders" / f"load_date={DAY + timedelta(days=10)}"  # as an earlier release wrote it
        manifest = read_manifest(forget)
        body = {name: value for name, value in read_body(str(forget)).items() if name != "reconciled_on"}
        text = json.dumps(body, indent=1, sort_keys=True).removeprefix("{\n").encode()
        (forget / "manifest.json").write_bytes(b'{"checksum": "%s",\n%s' % (hashlib.sha256(text).hexdigest().encode(), text))
        assert read_manifest(forget) == replace(manifest, reconciled_on=None)
        assert lake.reconciled_on("shop", ["orders"], before=DAY + timedelta(days=11)) is None

    def test_a_source_without_keys_is_not_reconciled(self, tmp_path):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1)]))
        (manifest,) = load(lake, Shop(), DAY + timedelta(days=1), reconcile=True)
        assert manifest.tombstones == 0

    @pytest.mark.parametrize("stub", [{"id": "o1", "_is_deleted": True}, {"id": "o1", "deleted": True}])
    def test_a_deletion_needs_nothing_but_the_key(self, tmp_path, stub):
        lake = lake_in(tmp_path)
        load(lake, Shop([order(1), order(2)]))
        (manifest,) = load(lake, Shop([stub]), DAY + timedelta(days=1))
        assert (manifest.rows, manifest.tombstones, manifest.quarantined) == (1, 1, 0)
        assert self.live(tmp_path) == [("o2",)]


def test_views_unite_tenants_but_not_other_vendors_and_survive_an_older_contract(tmp_path):
    older = replace(ORDERS, columns=tuple(replace(c, data_type="int") if c.name == "quantity" else c for c in ORDERS.columns if c.name != "weight"))
    load(lake_in(tmp_path, {("shop", "orders"): older}), Shop([order(1)]))
    assert rows(tmp_path, "select typeof(quantity), typeof(weight) from raw_shop.orders") == [("BIGINT", "DOUBLE")]
    load(lake_in(tmp_path), Shop([order(2)], source_relation="shop_eu"))
    (tmp_path / "lake" / "raw" / "shopping" / "orders").mkdir(parents=True)
    assert rows(tmp_path, "select id, quantity, weight, _source_relation from raw_shop.orders order by id") == [
        ("o1", 2, None, "shop"),
        ("o2", 2, 0.5, "shop_eu"),
    ]
    assert rows(tmp_path, "select column_type from (describe raw_shop.orders) where column_name = 'quantity'") == [("BIGINT",)]


def test_views_of_one_run_open_nothing_else(tmp_path):
    lake = lake_in(tmp_path)
    days = [DAY + timedelta(days=number) for number in range(4)]
    for day, run_id in zip(days, ["first", "second", "second", "third"], strict=True):
        load(lake, Shop([order(day.day)]), day, run_id=run_id)
    (tmp_path / f"lake/raw/shop/orders/load_date={DAY}/part-00000.parquet").unlink()
    assert rows(tmp_path, "select id from raw_shop.orders order by id", run_id="second", first_day=days[1]) == [("o11",), ("o12",)]
    assert rows(tmp_path, "select id from raw_shop.orders", run_id="third", first_day=days[3]) == [("o13",)]
    assert rows(tmp_path, "select id from raw_shop.orders", run_id="second", first_day=days[3]) == []
    with pytest.raises(LakeError, match="is gone from the lake"):
        rows(tmp_path, "select id from raw_shop.orders")


def test_a_view_over_nothing_is_empty_but_typed(tmp_path):
    described = rows(tmp_path, "select column_name, column_type from (describe raw_shop.orders)")
    load(lake_in(tmp_path), Shop([order(1)]))
    assert described == rows(tmp_path, "select column_name, column_type from (describe raw_shop.orders)")
    assert ("amount", "DECIMAL(18,4)") in described and ("_load_date", "DATE") in described


def test_strange_text_lands_unchanged(tmp_path):
    texts = ["=1+1", "'; drop table x; --", "{{ 1 }}", "\u202eabc", "x" * 1_000_000, 'a"b', "a\nb", "\x00z"]
    load(lake_in(tmp_path), Shop([order(number, status=text) for number, text in enumerate(texts)]))
    assert [text for (text,) in rows(tmp_path, "select status from raw_shop.orders order by id")] == texts


def test_a_manifest_of_another_version_and_a_folder_of_no_day_are_said(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1)]))
    (folder,) = lake.partitions()
    manifest = (folder / "manifest.json").read_bytes()
    text = json.dumps({**read_body(str(folder)), "of_the_future": 1}, indent=1).removeprefix("{\n").encode()
    (folder / "manifest.json").write_bytes(b'{"checksum": "%s",\n%s' % (hashlib.sha256(text).hexdigest().encode(), text))
    with pytest.raises(LakeError, match=f"manifest of shop/orders/load_date={DAY} is of another version of this program; run that day again"):
        load(lake, Shop(), DAY + timedelta(days=1))
    (folder / "manifest.json").write_bytes(manifest)
    (folder.parent / "load_date=copy").mkdir()
    with pytest.raises(LakeError, match=r"shop/orders: a folder is not called by a load date .*; move it away"):
        load(lake, Shop(), DAY + timedelta(days=1))


def test_a_partition_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    """Killing a process shows nothing of it: what was written is then still in the memory of the machine."""
    synced, fsync, rename, unsafe = set(), os.fsync, os.rename, []

    def into_place(new, final):
        unsafe.extend(path.name for path in new.iterdir() if path.stat().st_ino not in synced)
        rename(new, final)

    monkeypatch.setattr(os, "fsync", lambda handle: (synced.add(os.fstat(handle).st_ino), fsync(handle)))
    monkeypatch.setattr(os, "rename", into_place)
    load(lake_in(tmp_path), Shop([order(1), order("bad", quantity="many")]))
    for place in ("lake/raw", "quarantine"):
        (folder,) = (tmp_path / place / "shop/orders").iterdir()
        assert list(folder.iterdir()) and folder.parent.stat().st_ino in synced
    assert unsafe == []


def test_verify_finds_nothing_in_a_sound_lake(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1)]))
    load(lake, Shop(), DAY + timedelta(days=1))
    assert lake.verify() == []
    assert len(lake.partitions()) == 2


def test_verify_says_what_has_changed_in_a_file(tmp_path):
    lake = lake_in(tmp_path)
    load(lake, Shop([order(1)]))
    [path] = lake.root.rglob("*.parquet")
    content = path.read_bytes()
    path.write_bytes(b"x" + content[1:])
    assert [problem.what for problem in lake.verify()] == [f"{path.name} is damaged: its content is not what was written"]
    path.write_bytes(content[:-1])
    assert [problem.what for problem in lake.verify()] == [f"{path.name} is damaged: {len(content) - 1} bytes, {len(content)} were written"]


@pytest.mark.parametrize(
    ("price", "landed"),
    [
        ("0.00015", None),
        ("0.00004", None),
        ("1.5e-5", None),
        (0.00015, None),
        (Decimal("100000000.00015"), None),
        ("100000000.00015", None),
        ("33.333333333333336", None),
        ("0.0015000", "0.0015"),
        ("1E+2", "100"),
        (" 19.99 ", "19.99"),
        (0.1 + 0.2, "0.3"),  # the noise of a float is no digit
        ("0.30000000000000004", "0.3"),
        (123456789.12, "123456789.12"),
        (7, "7"),
        (-0.0001, "-0.0001"),
        (None, None),
    ],
)
def test_a_price_with_more_decimals_than_are_kept_is_left_empty(tmp_path, price, landed):
    """An amount is rounded; a price is multiplied, and what was rounded would be money."""
    contract = replace(ORDERS, columns=(*ORDERS.columns, Column("price", "decimal(18,4)", is_exact=True)))
    contracts = {("shop", "orders"): contract}
    (manifest,) = load(lake_in(tmp_path, contracts), Shop([order(1, price=price, amount="0.00015")]))
    expected = (None if landed is None else Decimal(landed), Decimal("0.0002"))
    assert rows(tmp_path, "select price, amount from raw_shop.orders", contracts) == [expected]
    assert (manifest.rows, manifest.quarantined) == (1, 0)
    told = ["price: left empty where it has more decimals than are kept (1)"] if landed is None and price is not None else []
    assert manifest.warnings == told


def test_a_price_that_is_no_number_goes_to_quarantine_and_floats_of_32_bits_are_prices(tmp_path):
    contract = replace(ORDERS, columns=(*ORDERS.columns, Column("price", "decimal(18,4)", is_exact=True)))
    contracts = {("shop", "orders"): contract}
    page = pa.Table.from_pylist([order(number) for number in range(3)]).append_column("price", pa.array([19.99, 0.1, 0.00015], pa.float32()))
    load(lake_in(tmp_path, contracts), Shop(page, [order(4, price="cheap")]))
    assert rows(tmp_path, "select price from raw_shop.orders order by id", contracts) == [(Decimal("19.99"),), (Decimal("0.1"),), (None,)]
    assert quarantined(tmp_path) == [("price: not a decimal(18,4)",)]

"""Stripe's client against answers in the shapes of its public documentation: what localstripe can't show (events of our API version,
long lists, deletions, the newer invoice shape)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestration.sources import SourceSpec, Window, open_source, stripe_rows
from orchestration.sources.stripe_events import API_VERSION, Changes
from tests.servers import Answer, Request, scripted_server

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
SINCE, UNTIL = NOON - timedelta(days=2), NOON + timedelta(hours=12)
T = int(NOON.timestamp())


def price(id: str = "price_gold", amount: int = 4900) -> dict:
    recurring = {"interval": "month", "interval_count": 1, "usage_type": "licensed"}
    return {"id": id, "object": "price", "currency": "usd", "product": "prod_1", "type": "recurring", "unit_amount": amount, "recurring": recurring}


def item(id: str, quantity: int = 1) -> dict:
    return {"id": id, "object": "subscription_item", "created": T - 900, "quantity": quantity, "price": price()}


def subscription(items: list[dict], **more) -> dict:
    return {
        "id": "sub_1",
        "object": "subscription",
        "customer": "cus_1",
        "status": "active",
        "created": T - 1000,
        "start_date": T - 1000,
        "currency": "usd",
        "current_period_start": T - 1000,
        "current_period_end": T + 1000,
        "items": {"object": "list", "data": items, "has_more": False},
        "metadata": {"account_id": "A-7"},
    } | more


def line(number: int) -> dict:
    return {
        "id": f"il_{number}",
        "object": "line_item",
        "type": "subscription",
        "amount": 4900,
        "currency": "usd",
        "quantity": 1,
        "period": {"start": T, "end": T + 100},
        "price": price(),
        "discount_amounts": [{"amount": 400, "discount": "di_1"}, {"amount": 90, "discount": "di_2"}],
        "tax_amounts": [{"amount": 31, "inclusive": False}],
        "proration": False,
        "subscription": "sub_1",
        "subscription_item": "si_1",
    }


def invoice(lines: list[dict], has_more: bool = False, **more) -> dict:
    return {
        "id": "in_1",
        "object": "invoice",
        "customer": "cus_1",
        "status": "paid",
        "currency": "usd",
        "created": T,
        "total": 4900,
        "customer_email": "jane@example.test",
        "hosted_invoice_url": "https://invoice.example/secret",
        "status_transitions": {"finalized_at": T, "paid_at": T + 60, "voided_at": None, "marked_uncollectible_at": None},
        "lines": {"object": "list", "data": lines, "has_more": has_more},
    } | more


def event(kind: str, o: dict, when: int = T, previous: dict | None = None, version: str | None = API_VERSION) -> dict:
    data = {"object": o} | ({"previous_attributes": previous} if previous else {})
    return {"id": f"evt_{kind}_{o['id']}_{when}", "object": "event", "type": kind, "created": when, "api_version": version, "data": data}


def account(events: list[dict] = (), lists: dict[str, list[dict]] | None = None, objects: dict[str, dict] | None = None):
    """An account: its events as they are given, lists by path, single objects by path. Anything else is 404."""

    def answer(request: Request) -> Answer:
        assert request.headers["Stripe-Version"] == API_VERSION
        if request.path in (objects or {}):
            return Answer(objects[request.path])
        rows = events if request.path == "/v1/events" else (lists or {}).get(request.path)
        if rows is None:
            return Answer({"error": {"type": "invalid_request_error"}}, 404)
        after = request.query.get("starting_after", [None])[0]
        start = next((number + 1 for number, row in enumerate(rows) if row["id"] == after), 0)
        page = rows[start : start + int(request.query["limit"][0])]
        return Answer({"object": "list", "data": page, "has_more": start + len(page) < len(rows)})

    return answer


def pull(answer, tables: list[str], since: datetime | None = SINCE, now: datetime = UNTIL) -> tuple[dict[str, list[dict]], list[Request], list[str]]:
    with scripted_server(answer) as (base_url, requests):
        source = open_source(SourceSpec(vendor="stripe", domains=("billing",), base_url=base_url, api_key="sk_test_1", now=now))
        found: dict[str, list[dict]] = {table: [] for table in tables}
        for table, page in source.pull({table: Window(since, UNTIL) for table in tables}):
            found[table] += page
        return found, requests, source.warnings


def test_an_event_of_our_version_is_used_as_it_is():
    change = event("customer.subscription.updated", subscription([item("si_1", 3)]))
    found, requests, _ = pull(account([change]), ["subscriptions", "subscription_items"])
    (sub,), (si,) = found["subscriptions"], found["subscription_items"]
    assert (sub["customer_id"], sub["quantity"], sub["metadata_account_id"], sub["updated"]) == ("cus_1", 3, "A-7", NOON)
    assert (si["subscription_id"], si["price_id"], si["unit_amount"], si["interval"], si["updated"]) == ("sub_1", "price_gold", 4900, "month", NOON)
    assert {request.path for request in requests} == {"/v1/events"}
    assert requests[0].query["created[gte]"] == [str(int(SINCE.timestamp()))]
    assert requests[0].query["created[lt]"] == [str(int(UNTIL.timestamp()))]


def test_the_newest_of_several_events_wins_whichever_way_they_are_listed():
    old = event("customer.subscription.created", subscription([item("si_1")], status="trialing"), T - 100)
    new = event("customer.subscription.updated", subscription([item("si_1")], status="active"), T)
    for events in ([new, old], [old, new]):
        found, _, _ = pull(account(events), ["subscriptions"])
        newest = max(found["subscriptions"], key=lambda row: row["updated"])
        assert (newest["status"], newest["updated"]) == ("active", NOON)


def test_an_event_of_another_version_is_read_again():
    answer = account(
        [event("invoice.paid", invoice([]), version="2017-08-15")],
        objects={"/v1/invoices/in_1": invoice([line(1)])},
    )
    found, _, _ = pull(answer, ["invoices", "invoice_lines"])
    assert found["invoices"][0]["updated"] == NOON
    assert found["invoice_lines"][0]["id"] == "il_1"


def test_items_that_an_update_took_away_become_tombstones():
    before = {"items": {"object": "list", "data": [item("si_1"), item("si_2")]}}
    change = event("customer.subscription.updated", subscription([item("si_2")]), previous=before)
    found, _, _ = pull(account([change]), ["subscriptions", "subscription_items"])
    assert [row for row in found["subscription_items"] if row.get("_is_deleted")] == [{"id": "si_1", "updated": NOON, "_is_deleted": True}]
    assert [row["id"] for row in found["subscription_items"] if not row.get("_is_deleted")] == ["si_2"]


def test_what_moved_off_the_first_page_of_a_long_list_is_not_gone():
    """An event holds ten of twelve. Before, si_1 to si_10 were the first ten; now si_0 stands in front, and si_99 was taken away."""
    items = [item(f"si_{number}") for number in range(12)]
    before = {"items": {"object": "list", "data": [*items[1:10], item("si_99"), items[10]], "has_more": True}}
    for version in (API_VERSION, "2017-08-15"):
        now = subscription(items[:10]) | {"items": {"object": "list", "data": items[:10], "has_more": True}}
        later = event("customer.subscription.updated", now, T + 60, version=version)
        moved = event("customer.subscription.updated", now, T, before, version=version)
        for events in ([moved], [later, moved], [moved, later]):
            answer = account(events, {"/v1/subscription_items": items}, {"/v1/subscriptions/sub_1": now})
            found, _, _ = pull(answer, ["subscriptions", "subscription_items"])
            assert {row["id"] for row in found["subscription_items"] if not row.get("_is_deleted")} == {one["id"] for one in items}
            assert [(row["id"], row["updated"]) for row in found["subscription_items"] if row.get("_is_deleted")] == [("si_99", NOON)]


def test_an_object_that_goes_while_its_list_is_read_is_gone():
    """A long draft is deleted between its event, or its place in a listing, and the request for the rest of its lines."""
    draft = invoice([line(number) for number in range(10)], has_more=True, id="in_gone", status="draft")
    stays = invoice([line(1)], id="in_ok")
    events = account([event("invoice.created", draft), event("invoice.created", stays)])
    listing = account(lists={"/v1/invoices": [draft, stays]})
    for answer, since, updated in ((events, SINCE, NOON), (listing, None, UNTIL - timedelta(seconds=1))):
        found, _, _ = pull(answer, ["invoices", "invoice_lines"], since)
        assert [row["id"] for row in found["invoices"] if not row.get("_is_deleted")] == ["in_ok"]
        assert [row for row in found["invoices"] if row.get("_is_deleted")] == [{"id": "in_gone", "updated": updated, "_is_deleted": True}]
        assert [(row["invoice_id"], row["id"]) for row in found["invoice_lines"]] == [("in_ok", "il_1")]


def test_deletions_become_tombstones_with_what_is_below_them():
    events = [
        event("customer.deleted", {"id": "cus_9", "object": "customer", "created": T - 5}),
        event("invoice.deleted", invoice([line(1)], status="draft")),
        event("customer.subscription.deleted", subscription([item("si_1")], status="canceled", ended_at=T)),
    ]
    found, _, _ = pull(account(events), ["customers", "invoices", "invoice_lines", "subscriptions"])
    assert found["customers"] == [{"id": "cus_9", "updated": NOON, "_is_deleted": True}]
    assert found["invoices"] == [{"id": "in_1", "updated": NOON, "_is_deleted": True}]
    assert found["invoice_lines"] == [{"id": "il_1", "invoice_id": "in_1", "updated": NOON, "_is_deleted": True}]
    (sub,) = found["subscriptions"]
    assert (sub["status"], sub["ended_at"]) == ("canceled", NOON)


def test_an_object_that_is_gone_when_read_again_is_a_tombstone():
    found, _, _ = pull(account([event("customer.updated", {"id": "cus_1", "object": "customer"}, version=None)]), ["customers"])
    assert found["customers"] == [{"id": "cus_1", "updated": NOON, "_is_deleted": True}]


def test_a_refund_is_found_through_its_charge():
    charge = {"id": "ch_1", "object": "charge", "status": "succeeded", "amount": 4900, "currency": "usd", "created": T - 50, "customer": "cus_1"}
    refund = {"id": "re_1", "object": "refund", "charge": "ch_1", "amount": 900, "currency": "usd", "created": T, "status": "succeeded"}
    answer = account([event("charge.refunded", charge)], {"/v1/refunds": [refund]})
    found, _, _ = pull(answer, ["charges", "refunds"])
    assert (found["charges"][0]["customer_id"], found["refunds"][0]["charge_id"]) == ("cus_1", "ch_1")


def test_what_an_invoice_did_is_read_where_no_event_tells_of_it():
    charge = {"id": "ch_1", "object": "charge", "amount": 4900, "currency": "usd", "created": T, "status": "succeeded"}
    paid = event("invoice.paid", invoice([line(1)], charge="ch_1", subscription="sub_1"))
    preview = event("invoice.upcoming", invoice([], subscription="sub_2") | {"id": ""})
    told = event("customer.subscription.updated", subscription([item("si_1")]), T - 5)
    found, requests, _ = pull(account([preview, paid, told], objects={"/v1/charges/ch_1": charge}), ["subscriptions", "invoices", "charges"])
    assert found["charges"][0]["updated"] == NOON
    assert [request.path for request in requests] == ["/v1/events", "/v1/charges/ch_1"]


def test_a_discount_event_reads_its_subscription_again():
    discount = {"id": "di_1", "object": "discount", "subscription": "sub_1", "customer": "cus_1", "start": T}
    coupon = {"id": "half", "percent_off": 50.0, "duration": "repeating"}
    now = subscription([item("si_1")], discount={"coupon": coupon, "start": T, "end": T + 3600})
    found, _, _ = pull(account([event("customer.discount.created", discount)], objects={"/v1/subscriptions/sub_1": now}), ["subscriptions"])
    (sub,) = found["subscriptions"]
    assert (sub["discount_coupon_id"], sub["discount_percent_off"], sub["discount_end"]) == ("half", 50.0, NOON + timedelta(hours=1))


@pytest.mark.parametrize(
    ("coupons", "percent", "amount"),
    [
        ([{"percent_off": 20.0}, {"percent_off": 10.0}], 28.0, None),  # 100 × 0.8 × 0.9 = 72
        ([{"percent_off": 5}, {"percent_off": 20}], 24.0, None),  # 35.00 × 0.95 × 0.80 = 26.60
        ([{"percent_off": 33.33}], 33.33, None),
        ([{"percent_off": 100}, {"percent_off": 50}], 100.0, None),
        ([{"amount_off": 500}, {"amount_off": 200}], None, 700),
        ([], None, None),
    ],
)
def test_each_of_several_discounts_is_taken_off_what_the_one_before_has_left(coupons: list[dict], percent: float | None, amount: int | None):
    given = stripe_rows.discounts({"discounts": [{"coupon": coupon} for coupon in coupons]})
    assert (given["discount_percent_off"], given["discount_amount_off"]) == (percent, amount)


def test_long_lists_of_lines_are_read_to_their_end():
    lines = [line(number) for number in range(250)]
    answer = account(lists={"/v1/invoices": [invoice(lines[:10], has_more=True)], "/v1/invoices/in_1/lines": lines})
    found, _, _ = pull(answer, ["invoices", "invoice_lines"], since=None)
    assert [row["id"] for row in found["invoice_lines"]] == [f"il_{number}" for number in range(250)]


def test_lines_carry_what_revenue_needs_and_no_contact_data():
    answer = account(lists={"/v1/invoices": [invoice([line(1)])]})
    found, _, _ = pull(answer, ["invoices", "invoice_lines"], since=None)
    (row,) = found["invoice_lines"]
    assert (row["amount"], row["discount_amount"], row["tax_amount"], row["tax_inclusive"]) == (4900, 490, 31, False)
    assert (row["interval"], row["interval_count"], row["usage_type"], row["customer_id"]) == ("month", 1, "licensed", "cus_1")
    assert (row["period_start"], row["invoice_created"]) == (NOON, NOON)
    assert found["invoices"][0]["paid_at"] == NOON + timedelta(minutes=1)
    assert "jane" not in str(found)
    assert "secret" not in str(found)


def test_the_newer_shape_of_invoice_lines_is_understood():
    newer = {
        "id": "il_1",
        "amount": -2450,
        "currency": "usd",
        "quantity": 2,
        "parent": {
            "type": "subscription_item_details",
            "subscription_item_details": {"subscription": "sub_1", "subscription_item": "si_1", "proration": True, "invoice_item": "ii_1"},
        },
        "pricing": {"price_details": {"price": "price_gold", "product": "prod_1"}, "unit_amount_decimal": "4900"},
        "period": {"start": T, "end": T + 1},
        "taxes": [{"amount": 12, "tax_behavior": "inclusive"}],
    }
    row = stripe_rows.invoice_line(newer, invoice([]))
    expected = ("subscription", "sub_1", "si_1", "ii_1", "price_gold", "prod_1", True, "4900", 12, True)
    names = ("type", "subscription_id", "subscription_item_id", "invoice_item_id", "price_id", "product_id", "proration", "unit_amount_decimal")
    assert tuple(row[name] for name in (*names, "tax_amount", "tax_inclusive")) == expected


def test_all_refunds_of_a_credit_note_are_named():
    several = [{"refund": "re_1", "amount_refunded": 60}, {"refund": {"id": "re_2"}, "amount_refunded": 40}, {"type": "payment_record_refund"}]
    expected = {"re_1": {"refund": "re_1"}, "re_1,re_2": {"refunds": several}, None: {"refund": None, "refunds": []}}
    for ids, given in expected.items():
        row = stripe_rows.credit_note({"id": "cn_1", "customer": "cus_1"} | given)
        assert (row["refund_id"], row["refund_ids"]) == (ids and "re_1", ids)


def test_tax_inside_a_price_is_told_apart_from_tax_on_top():
    """119.00 with 19.00 of tax inside and 1.00 on top; 59.50 of it credited, in the pinned and in the newer shape."""
    taxes = [{"amount": 1900, "inclusive": True}, {"amount": 100, "inclusive": False}]
    row = stripe_rows.invoice_line(line(1) | {"amount": 11900, "discount_amounts": [], "tax_amounts": taxes}, invoice([]))
    assert (row["tax_amount"], row["inclusive_tax_amount"]) == (2000, 1900)
    for taxes in ({"tax_amounts": [{"amount": 950, "inclusive": True}]}, {"taxes": [{"amount": 950, "tax_behavior": "inclusive"}]}):
        credited = stripe_rows.credit_note_line({"id": "cnli_1", "amount": 5950} | taxes, {"id": "cn_1"})
        assert (credited["amount"], credited["inclusive_tax_amount"]) == (5950, 950)
    assert stripe_rows.credit_note_line({"id": "cnli_1", "amount": 5950}, {"id": "cn_1"})["inclusive_tax_amount"] is None


def test_a_listing_counts_as_newer_than_what_was_known_before_it():
    """A change that left no time in the object must not lose against an older version that came through an event."""
    found, _, _ = pull(account(lists={"/v1/customers": [{"id": "cus_1", "object": "customer", "created": T - 10_000}]}), ["customers"], since=None)
    assert found["customers"][0]["updated"] == UNTIL - timedelta(seconds=1)


def test_a_gap_longer_than_events_are_kept_is_closed_by_a_listing():
    _, requests, _ = pull(account(lists={"/v1/customers": []}), ["customers"], since=UNTIL - timedelta(days=40))
    assert [request.path for request in requests] == ["/v1/customers"]


def test_a_day_of_long_ago_has_no_events_left():
    _, requests, _ = pull(account(lists={"/v1/customers": []}), ["customers"], now=SINCE + timedelta(days=30))
    assert [request.path for request in requests] == ["/v1/customers"]


def test_a_missing_object_type_is_a_warning_and_legacy_plans_come_instead():
    plan = {"id": "gold", "object": "plan", "amount": 5000, "currency": "usd", "interval": "year", "interval_count": 1, "product": "prod_1"}
    found, _, warnings = pull(account(lists={"/v1/plans": [plan]}), ["plans", "prices"], since=None)
    assert found["prices"] == []
    assert (found["plans"][0]["amount"], found["plans"][0]["interval"], found["plans"][0]["product_id"]) == (5000, "year", "prod_1")
    assert len(warnings) == 1
    assert "prices" in warnings[0]


def test_a_missing_type_that_every_account_has_is_an_error():
    with pytest.raises(Exception, match="404"):
        pull(account(), ["customers"], since=None)


def test_keys_fail_rather_than_end_early():
    with scripted_server(account(lists={"/v1/subscriptions": [subscription([item("si_1"), item("si_2")])]})) as (base_url, requests):
        source = open_source(SourceSpec(vendor="stripe", domains=("billing",), base_url=base_url, api_key="sk_test_1"))
        assert list(source.keys("subscription_items")) == [[("si_1",), ("si_2",)]]
        assert requests[0].query["status"] == ["all"]
        assert source.keys("charges") is None
        with pytest.raises(Exception, match="404"):
            list(source.keys("prices"))


def test_events_keep_only_ids():
    changes = Changes({"customer"})
    for number in range(1000):
        changes.take(event("customer.updated", {"id": f"cus_{number}", "object": "customer", "blob": "x" * 1000}, T - number))
    assert len(changes.done) == 1000
    assert "xxx" not in repr(changes)

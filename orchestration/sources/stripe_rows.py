"""Stripe's objects → flat rows of its contract. Pure functions; the requests are in stripe.py.

Three shapes of the API are understood, because hosts and old events don't all speak the pinned version: prices, the older plans, and
the newer `parent`/`pricing` blocks. What the contract doesn't name stays under Stripe's own name if it is a plain value (or metadata),
except contact data and links that open without a password: those are left at the source.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from orchestration.sources.base import at

Row = dict[str, Any]

LEFT_AT_SOURCE = {"object", "livemode", "url", "client_secret", "invoice_line_item"}
LEFT_AT_SOURCE |= {"phone", "customer_email", "customer_name", "customer_phone", "receipt_email"}
LEFT_AT_SOURCE |= {"receipt_url", "receipt_number", "hosted_invoice_url", "invoice_pdf", "pdf"}


def flat(o: Row, *, plain: str = "", times: str = "", refs: Iterable[str] = (), **more: Any) -> Row:
    """Fields copied, epoch seconds → UTC, references → `<name>_id`, computed columns, then the plain rest."""
    row: Row = {name: o.get(name) for name in plain.split()}
    row |= {name: at(o.get(name)) for name in times.split()}
    row |= {f"{name}_id": ref(o.get(name)) for name in refs}
    row |= more
    named = {*row, *(name.removesuffix("_id") for name in row), *LEFT_AT_SOURCE}
    row |= {name: value for name, value in o.items() if name not in named and isinstance(value, str | int | float | bool)}
    return row | ({"metadata": o["metadata"]} if o.get("metadata") else {})


def ref(value: Any) -> str | None:
    """The id of a reference, whether it was expanded or not."""
    return value.get("id") if isinstance(value, dict) else value


def dig(o: Any, path: str) -> Any:
    for part in path.split("."):
        o = o.get(part) if isinstance(o, dict) else None
    return o


def first(o: Row, *paths: str) -> Any:
    """The first of several places that holds something."""
    for path in paths:
        value = dig(o, path) if "." in path else o.get(path)
        if value is not None:
            return value
    return None


def total(parts: Iterable[Row] | None) -> int | None:
    return None if parts is None else sum(part.get("amount") or 0 for part in parts)


def inclusive_tax(taxes: Iterable[Row] | None) -> int | None:
    """The part of the taxes that a line's amount holds, in either shape (`inclusive`, `tax_behavior`)."""
    return None if taxes is None else total(tax for tax in taxes if tax.get("inclusive") or tax.get("tax_behavior") == "inclusive")


def price_columns(price: Row) -> Row:
    """Columns that a price and a plan share under the price's names."""
    return {
        "currency": price.get("currency"),
        "unit_amount": first(price, "unit_amount", "amount"),
        "unit_amount_decimal": first(price, "unit_amount_decimal", "amount_decimal"),
        "interval": first(price, "recurring.interval", "interval"),
        "interval_count": first(price, "recurring.interval_count", "interval_count"),
        "usage_type": first(price, "recurring.usage_type", "usage_type"),
    }


def customer(o: Row) -> Row:
    return flat(
        o,
        plain="id name email description currency balance delinquent",
        times="created",
        deleted=bool(o.get("deleted")),
        address_country=dig(o, "address.country"),
        metadata_account_id=dig(o, "metadata.account_id"),
        metadata_domain=dig(o, "metadata.domain"),
    )


def product(o: Row) -> Row:
    return flat(o, plain="id name description active", times="created", deleted=bool(o.get("deleted")))


def price(o: Row) -> Row:
    plain = "id nickname type billing_scheme active"
    return flat(o, plain=plain, times="created", refs=["product"], deleted=bool(o.get("deleted")), **price_columns(o))


def plan(o: Row) -> Row:
    plain = "id nickname billing_scheme currency amount amount_decimal interval interval_count usage_type active"
    return flat(o, plain=plain, times="created", refs=["product"], deleted=bool(o.get("deleted")))


def coupon(o: Row) -> Row:
    plain = "id name percent_off amount_off currency duration duration_in_months valid"
    return flat(o, plain=plain, times="created", deleted=bool(o.get("deleted")))


def discounts(o: Row) -> Row:
    """The columns of a subscription's discounts: `discount` (the first) and, where they are expanded, `discounts`. Of several percentages
    Stripe takes each off what the one before has left."""
    several = [one for one in o.get("discounts") or [] if isinstance(one, dict)]
    given = several or [one for one in [o.get("discount")] if isinstance(one, dict)]
    coupons = [one.get("coupon") if isinstance(one.get("coupon"), dict) else dig(one, "source.coupon") or {} for one in given]
    coupons = [one if isinstance(one, dict) else {"id": one} for one in coupons]
    percents = [Decimal(str(one["percent_off"])) for one in coupons if one.get("percent_off") is not None]
    amounts = [one["amount_off"] for one in coupons if one.get("amount_off") is not None]
    return {
        "discount_coupon_id": coupons[0].get("id") if coupons else None,
        "discount_percent_off": float(100 - 100 * math.prod(1 - percent / 100 for percent in percents)) if percents else None,
        "discount_amount_off": sum(amounts) if amounts else None,
        "discount_duration": coupons[0].get("duration") if coupons else None,
        "discount_start": at(given[0].get("start")) if given else None,
        "discount_end": at(given[0].get("end")) if given else None,
    }


def subscription(o: Row, items: list[Row]) -> Row:
    one = items[0] if items else {}
    quantities = [item["quantity"] for item in items if item.get("quantity") is not None]
    return flat(
        o,
        plain="id status currency collection_method cancel_at_period_end",
        times="start_date trial_start trial_end cancel_at canceled_at ended_at created",
        refs=["customer", "latest_invoice"],
        currency=first(o, "currency", "plan.currency") or first(one, "price.currency", "plan.currency"),
        current_period_start=at(first(o, "current_period_start") or one.get("current_period_start")),
        current_period_end=at(first(o, "current_period_end") or one.get("current_period_end")),
        cancellation_reason=dig(o, "cancellation_details.reason"),
        cancellation_feedback=dig(o, "cancellation_details.feedback"),
        cancellation_comment=dig(o, "cancellation_details.comment"),
        pause_behavior=dig(o, "pause_collection.behavior"),
        pause_resumes_at=at(dig(o, "pause_collection.resumes_at")),
        quantity=sum(quantities) if quantities else o.get("quantity"),
        metadata_account_id=dig(o, "metadata.account_id"),
        **discounts(o),
    )


def subscription_item(o: Row, parent: Row) -> Row:
    what = o.get("price") or o.get("plan") or {}
    return flat(
        o,
        plain="id quantity",
        times="current_period_start current_period_end created",
        subscription_id=parent["id"],
        price_id=ref(what),
        product_id=ref(what.get("product")),
        **price_columns(what),
    )


def invoice(o: Row) -> Row:
    changed = o.get("status_transitions") or {}
    return flat(
        o,
        plain="id number status billing_reason collection_method currency subtotal total amount_due amount_paid amount_remaining "
        "starting_balance ending_balance attempt_count",
        times="next_payment_attempt period_start period_end due_date created",
        refs=["customer"],
        subscription_id=ref(first(o, "subscription", "parent.subscription_details.subscription")),
        tax=o["tax"] if o.get("tax") is not None else total(first(o, "total_taxes", "total_tax_amounts")),
        total_discount_amount=total(o.get("total_discount_amounts")),
        **{name: at(changed.get(name)) for name in ("finalized_at", "paid_at", "voided_at", "marked_uncollectible_at")},
    )


def invoice_line(o: Row, parent: Row) -> Row:
    what = first(o, "price", "plan") or {"id": dig(o, "pricing.price_details.price"), "product": dig(o, "pricing.price_details.product")}
    kinds = {"subscription_item_details": "subscription", "invoice_item_details": "invoiceitem"}
    taxes = first(o, "taxes", "tax_amounts")
    details = dig(o, "parent.subscription_item_details") or dig(o, "parent.invoice_item_details") or {}
    prices = price_columns(what)
    return flat(
        o,
        plain="id description quantity amount",
        invoice_id=parent["id"],
        customer_id=ref(parent.get("customer")),
        subscription_id=ref(first(o, "subscription") or details.get("subscription")),
        subscription_item_id=ref(first(o, "subscription_item") or details.get("subscription_item")),
        invoice_item_id=ref(first(o, "invoice_item") or details.get("invoice_item")),
        type=first(o, "type") or kinds.get(dig(o, "parent.type")),
        price_id=ref(what),
        product_id=ref(what.get("product")),
        discount_amount=total(o.get("discount_amounts")),
        tax_amount=total(taxes),
        inclusive_tax_amount=inclusive_tax(taxes),
        tax_inclusive=None if taxes is None else any(tax.get("inclusive") or tax.get("tax_behavior") == "inclusive" for tax in taxes),
        period_start=at(dig(o, "period.start")),
        period_end=at(dig(o, "period.end")),
        proration=bool(first(o, "proration") or details.get("proration")),
        invoice_created=at(parent.get("created")),
        **prices
        | {"currency": first(o, "currency") or parent.get("currency")}
        | {"unit_amount_decimal": prices["unit_amount_decimal"] or dig(o, "pricing.unit_amount_decimal")},
    )


def charge(o: Row) -> Row:
    plain = "id status amount amount_refunded currency paid refunded disputed failure_code"
    return flat(o, plain=plain, times="created", refs=["customer", "invoice", "payment_intent"])


def refund(o: Row) -> Row:
    return flat(o, plain="id status reason amount currency", times="created", refs=["charge", "payment_intent"])


def dispute(o: Row) -> Row:
    return flat(o, plain="id status reason amount currency", times="created", refs=["charge", "payment_intent"])


def credit_note(o: Row) -> Row:
    """A note may be paid out in several refunds (`refunds`, where the API has it): all of them are named, the first one also by itself."""
    given = [ref(one) for one in (o.get("refund"), *(one.get("refund") for one in o.get("refunds") or [])) if one]
    plain = "id status type reason amount subtotal total currency"
    return flat(
        o,
        plain=plain,
        times="voided_at effective_at created",
        refs=["customer", "invoice"],
        refund_id=given[0] if given else None,
        refund_ids=",".join(dict.fromkeys(given)) or None,
    )


def credit_note_line(o: Row, parent: Row) -> Row:
    return flat(
        o,
        plain="id type quantity unit_amount amount discount_amount",
        credit_note_id=parent["id"],
        customer_id=ref(parent.get("customer")),
        invoice_id=ref(parent.get("invoice")),
        invoice_line_id=ref(o.get("invoice_line_item")),
        inclusive_tax_amount=inclusive_tax(first(o, "taxes", "tax_amounts")),
        currency=parent.get("currency"),
        created=at(parent.get("created")),
    )

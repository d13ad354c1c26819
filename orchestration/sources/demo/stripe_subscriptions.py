"""Subscriptions and their items as Stripe objects."""

from __future__ import annotations

from orchestration.sources.demo import stripe_catalogue as catalogue
from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import epoch, plain
from orchestration.sources.demo.stripe_records import Kind, make_kind

FEEDBACK = {
    "low_adoption": "unused",
    "product_gap": "missing_features",
    "business_change": "other",
    "support_quality": "customer_service",
    "sponsor_change": "other",
    "onboarding_failure": "too_complex",
}


def subscriptions_kind(versions: Versions) -> Kind:
    f = versions.frame
    c = {
        name: plain(f[name])
        for name in (
            "subscription_id",
            "customer_id",
            "status",
            "plan_id",
            "quantity",
            "currency",
            "discount_percent",
            "_by_invoice",
            "_discount_months",
            "_reason",
            "_ended_by",
        )
    }
    t = {name: epoch(f[name]) for name in f if name.endswith(("_at", "_start", "_end"))}

    def discount(row: int) -> dict | None:
        percent, ends = c["discount_percent"][row], t["discount_ends_at"][row]
        if percent is None or (ends is not None and versions.at[row] >= ends):
            return None
        coupon = catalogue.coupon(int(percent), int(c["_discount_months"][row]))
        start = t["trial_ends_at"][row] or t["started_at"][row]
        return {
            "id": f"di_{c['subscription_id'][row][4:]}",
            "object": "discount",
            "checkout_session": None,
            "coupon": coupon,
            "customer": c["customer_id"][row],
            "end": ends,
            "invoice": None,
            "invoice_item": None,
            "promotion_code": None,
            "start": start,
            "subscription": c["subscription_id"][row],
        }

    def render(row: int) -> dict:
        id, ended, asked = c["subscription_id"][row], t["ended_at"][row], t["canceled_at"][row]
        paused = t["paused_at"][row] is not None and t["resumed_at"][row] is None
        trial_end = t["trial_ends_at"][row]
        price = catalogue.price(c["plan_id"][row])
        leaving = asked is not None and ended is None
        why = "payment_failed" if c["_ended_by"][row] == "involuntary" else "cancellation_requested"
        reason = c["_reason"][row]
        found = discount(row)
        return {
            "id": id,
            "object": "subscription",
            "billing_cycle_anchor": trial_end or t["started_at"][row],
            "cancel_at": t["current_period_end"][row] if leaving else None,
            "cancel_at_period_end": leaving,
            "canceled_at": asked,
            "cancellation_details": {
                "comment": reason if ended else None,
                "feedback": FEEDBACK.get(catalogue.ROOT_CAUSE.get(reason, "")) if ended else None,
                "reason": why if asked else None,
            },
            "collection_method": "send_invoice" if c["_by_invoice"][row] else "charge_automatically",
            "created": t["started_at"][row],
            "currency": c["currency"][row].lower(),
            "current_period_end": t["current_period_end"][row],
            "current_period_start": t["current_period_start"][row],
            "customer": c["customer_id"][row],
            "days_until_due": 30 if c["_by_invoice"][row] else None,
            "discount": found,
            "discounts": [found["id"]] if found else [],
            "ended_at": ended,
            "items": {
                "object": "list",
                "data": [item(id, price, c["quantity"][row], t["started_at"][row])],
                "has_more": False,
                "total_count": 1,
                "url": f"/v1/subscription_items?subscription={id}",
            },
            "livemode": False,
            "metadata": {},
            "pause_collection": {"behavior": "mark_uncollectible", "resumes_at": None} if paused else None,
            "plan": catalogue.plan(price),
            "quantity": c["quantity"][row],
            "start_date": t["started_at"][row],
            "status": c["status"][row],
            "trial_end": trial_end,
            "trial_start": t["started_at"][row] if trial_end else None,
        }

    def types(row: int, first: bool) -> list[str]:
        return [
            "customer.subscription.created"
            if first
            else "customer.subscription.deleted"
            if c["status"][row] == "canceled"
            else "customer.subscription.updated"
        ]

    return make_kind(
        "subscriptions", "subscription", versions, c["subscription_id"], t["started_at"], render, types, filters={"customer": c["customer_id"]}
    )


def item(subscription: str, price: dict, quantity: int, created: int | None) -> dict:
    """The one item of a subscription."""
    return {
        "id": f"si_{subscription[4:]}",
        "object": "subscription_item",
        "created": created,
        "metadata": {},
        "plan": catalogue.plan(price),
        "price": price,
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def items_kind(versions: Versions) -> Kind:
    f = versions.frame
    ids, plans, quantity, created = f["subscription_id"].tolist(), f["plan_id"].tolist(), plain(f["quantity"]), epoch(f["started_at"])
    return make_kind(
        "subscription_items",
        "subscription_item",
        versions,
        ["si_" + id[4:] for id in ids],
        created,
        lambda row: item(ids[row], catalogue.price(plans[row]), quantity[row], created[row]),
        lambda row, first: [],
        filters={"subscription": ids},
        required=("subscription",),
        by_time=False,
    )

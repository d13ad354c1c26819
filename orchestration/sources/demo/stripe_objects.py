"""The demo company's billing tables as Stripe objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestration.sources.demo import stripe_catalogue as catalogue
from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import Records, epoch, plain
from orchestration.sources.demo.stripe_lines import credit_note_lines, invoice_lines

FEEDBACK = {
    "low_adoption": "unused",
    "product_gap": "missing_features",
    "business_change": "other",
    "support_quality": "customer_service",
    "sponsor_change": "other",
    "onboarding_failure": "too_complex",
}


@dataclass
class Kind:
    """One type of object: its versions as JSON, when it was created, and the events that tell of it."""

    path: str
    object: str
    records: Records
    created: np.ndarray
    event_row: np.ndarray
    event_type: list[str]
    deleted: np.ndarray
    filters: dict[str, list] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    by_time: bool = True
    children: Callable[[str], list[dict]] = lambda id: []
    order: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        self.event_at = self.records.versions.at[self.event_row]
        names = {id: i for i, id in enumerate(sorted(set(self.records.ids)))}
        self._numbers = names
        self.order = np.array([names[id] for id in self.records.ids], dtype="int64")

    def number_of(self, id: str) -> int:
        """Place of an id among all ids, -1 if there is none."""
        return self._numbers.get(id, -1)


def build_kinds(company: Any) -> dict[str, Kind]:
    """All object types of the account, by path."""
    customers, subscriptions, invoices = (
        company.table("billing", "customers"),
        company.table("billing", "subscriptions"),
        company.table("billing", "invoices"),
    )
    lines, charges, credits = company.table("billing", "invoice_lines"), company.table("billing", "_charges"), company.table("billing", "credits")
    kinds = [
        *(_fixed(path, object, rows) for path, object, rows in catalogue.fixed_objects(subscriptions.frame)),
        _customers(customers),
        _subscriptions(subscriptions),
    ]
    kinds += [_items(subscriptions), _invoices(invoices, lines), _charges(charges)]
    kinds += [_refunds(credits), _credit_notes(credits), _disputes(credits)]
    return {kind.path: kind for kind in kinds}


def _kind(
    path: str,
    object: str,
    versions: Versions,
    ids: list[str],
    created: list,
    render: Callable[[int], dict],
    types: Callable[[int, bool], list[str]],
    **more: Any,
) -> Kind:
    """`types(row, is_first)` names the events that a version brought about."""
    first = np.ones(len(versions.key), dtype=bool)
    first[1:] = versions.key[1:] != versions.key[:-1]
    named = [(row, name) for row in range(len(first)) for name in types(row, bool(first[row]))]
    more.setdefault("deleted", np.zeros(len(first), dtype=bool))
    return Kind(
        path,
        object,
        Records(versions, ids, render),
        np.array(created, dtype="int64"),
        np.array([row for row, _ in named], dtype="int64"),
        [name for _, name in named],
        **more,
    )


def _fixed(path: str, object: str, rows: list[dict]) -> Kind:
    """What never changes: products, prices, plans, coupons."""
    n = len(rows)
    made = np.full(n, catalogue.LONG_AGO)
    versions = Versions(catalogue.frame_of(rows), np.arange(n), made, np.zeros(n, dtype=bool))
    filters = {name: [row.get(name) for row in rows] for name in ("product", "currency", "type") if path in ("prices", "plans") and name in rows[0]}
    return _kind(
        path,
        object,
        versions,
        [row["id"] for row in rows],
        made.tolist(),
        lambda row: rows[row],
        lambda row, first: [f"{object}.created"],
        filters=filters,
    )


def _customers(versions: Versions) -> Kind:
    f = versions.frame
    c = {name: plain(f[name]) for name in ("customer_id", "account_id", "name", "email", "domain", "country", "currency")}
    created, deleted = epoch(f["created_at"]), f["deleted"].to_numpy(dtype=bool)

    def render(row: int) -> dict:
        metadata = {name: c[name][row] for name in ("account_id", "domain") if c[name][row]}
        return {
            "id": c["customer_id"][row],
            "object": "customer",
            "address": {"city": None, "country": c["country"][row], "line1": None, "line2": None, "postal_code": None, "state": None},
            "balance": 0,
            "created": created[row],
            "currency": c["currency"][row].lower(),
            "default_source": None,
            "delinquent": False,
            "description": None,
            "discount": None,
            "email": c["email"][row],
            "invoice_prefix": c["customer_id"][row][-8:],
            "livemode": False,
            "metadata": metadata,
            "name": c["name"][row],
            "phone": None,
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
        }

    def types(row: int, first: bool) -> list[str]:
        return ["customer.created" if first else "customer.deleted" if deleted[row] else "customer.updated"]

    return _kind("customers", "customer", versions, c["customer_id"], created, render, types, deleted=deleted, filters={"email": c["email"]})


def _subscriptions(versions: Versions) -> Kind:
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

    return _kind(
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


def _items(versions: Versions) -> Kind:
    f = versions.frame
    ids, plans, quantity, created = f["subscription_id"].tolist(), f["plan_id"].tolist(), plain(f["quantity"]), epoch(f["started_at"])
    return _kind(
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


def _invoices(versions: Versions, lines: Versions) -> Kind:
    f = versions.frame
    c = {
        name: plain(f[name])
        for name in (
            "invoice_id",
            "customer_id",
            "subscription_id",
            "status",
            "currency",
            "total",
            "amount_paid",
            "_applied",
            "_due",
            "_role",
            "_by_invoice",
            "_attempts",
        )
    }
    t = {name: epoch(f[name]) for name in ("issued_at", "due_at", "paid_at", "updated_at", "_period_start", "_period_end")}
    of_invoice = invoice_lines(lines)
    reasons = {"trial": "subscription_create", "full": "subscription_cycle"}
    first_of: dict[str, int] = {}
    for row, sub in enumerate(c["subscription_id"]):
        first_of[sub] = min(first_of.get(sub, 2**62), t["issued_at"][row])

    def render(row: int) -> dict:
        id, status, total, sub = c["invoice_id"][row], c["status"][row], c["total"][row], c["subscription_id"][row]
        held = of_invoice(id)
        tax = sum(one["amount"] for line in held for one in line["tax_amounts"])
        off = sum(one["amount"] for line in held for one in line["discount_amounts"])
        reason = "subscription_create" if t["issued_at"][row] == first_of[sub] else reasons.get(c["_role"][row], "subscription_update")
        issued, changed, due = t["issued_at"][row], t["updated_at"][row], c["_due"][row]
        open_amount = 0 if status in ("paid", "void") else due
        return {
            "id": id,
            "object": "invoice",
            "amount_due": due,
            "amount_paid": c["amount_paid"][row],
            "amount_remaining": open_amount,
            "attempt_count": c["_attempts"][row],
            "attempted": c["_attempts"][row] > 0,
            "auto_advance": False,
            "billing_reason": reason,
            "charge": None,
            "collection_method": "send_invoice" if c["_by_invoice"][row] else "charge_automatically",
            "created": issued,
            "currency": c["currency"][row].lower(),
            "customer": c["customer_id"][row],
            "default_tax_rates": [],
            "description": None,
            "discount": None,
            "discounts": [],
            "due_date": t["due_at"][row] if c["_by_invoice"][row] else None,
            "ending_balance": min(total, 0),
            "lines": {"object": "list", "data": held[:10], "has_more": len(held) > 10, "total_count": len(held), "url": f"/v1/invoices/{id}/lines"},
            "livemode": False,
            "metadata": {},
            "next_payment_attempt": None,
            "number": f"DEMO-{id[3:]}",
            "paid": status == "paid",
            "period_end": t["_period_end"][row] if reason == "subscription_update" else issued,
            "period_start": t["_period_start"][row] if reason == "subscription_update" else issued,
            "starting_balance": -c["_applied"][row],
            "status": status,
            "status_transitions": {
                "finalized_at": issued,
                "marked_uncollectible_at": changed if status == "uncollectible" else None,
                "paid_at": t["paid_at"][row],
                "voided_at": changed if status == "void" else None,
            },
            "subscription": sub,
            "subtotal": total - tax + off,
            "tax": tax or None,
            "total": total,
            "total_discount_amounts": [{"amount": off, "discount": f"di_{sub[4:]}"}] if off else [],
            "total_tax_amounts": [
                {"amount": tax, "inclusive": False, "tax_rate": "txr_demo", "taxability_reason": None, "taxable_amount": total - tax}
            ]
            if tax
            else [],
        }

    def types(row: int, first: bool) -> list[str]:
        later = {"paid": "invoice.paid", "uncollectible": "invoice.marked_uncollectible", "void": "invoice.voided"}
        opening = ["invoice.created", "invoice.finalized"] if first else []
        return [*opening, later[c["status"][row]]] if c["status"][row] in later else opening

    filters = {name: c[f"{name}_id"] for name in ("customer", "subscription")} | {"status": c["status"]}
    return _kind("invoices", "invoice", versions, c["invoice_id"], t["issued_at"], render, types, filters=filters, children=of_invoice)


def _charges(versions: Versions) -> Kind:
    f = versions.frame
    c = {
        name: plain(f[name])
        for name in ("payment_id", "invoice_id", "customer_id", "status", "amount", "currency", "failure_code", "amount_refunded", "disputed")
    }
    created = epoch(f["attempted_at"])

    def render(row: int) -> dict:
        id, amount, back, ok = c["payment_id"][row], c["amount"][row], c["amount_refunded"][row], c["status"][row] == "succeeded"
        return {
            "id": id,
            "object": "charge",
            "amount": amount,
            "amount_captured": amount if ok else 0,
            "amount_refunded": back,
            "captured": ok,
            "created": created[row],
            "currency": c["currency"][row].lower(),
            "customer": c["customer_id"][row],
            "description": None,
            "disputed": bool(c["disputed"][row]),
            "failure_code": c["failure_code"][row],
            "failure_message": None,
            "invoice": c["invoice_id"][row],
            "livemode": False,
            "metadata": {},
            "paid": ok,
            "payment_intent": f"pi_{c['invoice_id'][row][3:]}",
            "refunded": ok and back == amount,
            "status": c["status"][row],
        }

    def types(row: int, first: bool) -> list[str]:
        return [f"charge.{c['status'][row]}"] if first else ["charge.refunded"] if c["amount_refunded"][row] else ["charge.updated"]

    return _kind(
        "charges",
        "charge",
        versions,
        c["payment_id"],
        created,
        render,
        types,
        filters={"customer": c["customer_id"], "payment_intent": [f"pi_{i[3:]}" for i in c["invoice_id"]]},
    )


def _of_kind(versions: Versions, kind: str) -> Versions:
    rows = (versions.frame["kind"] == kind).to_numpy()
    return Versions(versions.frame[rows].reset_index(drop=True), versions.key[rows], versions.at[rows], versions.gone[rows], versions.money)


def _refunds(credits: Versions) -> Kind:
    versions = _of_kind(credits, "refund")
    return _money_back("refunds", "refund", versions, {"reason": "requested_by_customer", "status": "succeeded"}, "refund.created")


def _disputes(credits: Versions) -> Kind:
    versions = _of_kind(credits, "dispute")
    return _money_back(
        "disputes",
        "dispute",
        versions,
        {"reason": "product_not_received", "status": "needs_response", "is_charge_refundable": False},
        "charge.dispute.created",
    )


def _money_back(path: str, object: str, versions: Versions, fixed: dict, event: str) -> Kind:
    f = versions.frame
    c = {name: plain(f[name]) for name in ("credit_id", "invoice_id", "amount", "currency", "_charge_id")}
    created = epoch(f["issued_at"])

    def render(row: int) -> dict:
        return {
            "id": c["credit_id"][row],
            "object": object,
            "amount": c["amount"][row],
            "charge": c["_charge_id"][row],
            "created": created[row],
            "currency": c["currency"][row].lower(),
            "livemode": False,
            "metadata": {},
            "payment_intent": f"pi_{c['invoice_id'][row][3:]}",
            **fixed,
        }

    return _kind(path, object, versions, c["credit_id"], created, render, lambda row, first: [event], filters={"charge": c["_charge_id"]})


def _credit_notes(credits: Versions) -> Kind:
    versions = _of_kind(credits, "credit_note")
    f = versions.frame
    c = {name: plain(f[name]) for name in ("credit_id", "invoice_id", "customer_id", "line_id", "amount", "currency")}
    created = epoch(f["issued_at"])
    of_note = credit_note_lines(c)

    def render(row: int) -> dict:
        id, amount = c["credit_id"][row], c["amount"][row]
        held = of_note(id)
        return {
            "id": id,
            "object": "credit_note",
            "amount": amount,
            "created": created[row],
            "currency": c["currency"][row].lower(),
            "customer": c["customer_id"][row],
            "discount_amount": 0,
            "effective_at": created[row],
            "invoice": c["invoice_id"][row],
            "lines": {"object": "list", "data": held, "has_more": False, "url": f"/v1/credit_notes/{id}/lines"},
            "livemode": False,
            "memo": None,
            "metadata": {},
            "number": f"DEMO-CN-{id[3:]}",
            "out_of_band_amount": None,
            "reason": "order_change",
            "refund": None,
            "status": "issued",
            "subtotal": amount,
            "tax_amounts": [],
            "total": amount,
            "type": "post_payment",
            "voided_at": None,
        }

    filters = {"invoice": c["invoice_id"], "customer": c["customer_id"]}
    return _kind(
        "credit_notes",
        "credit_note",
        versions,
        c["credit_id"],
        created,
        render,
        lambda row, first: ["credit_note.created"],
        filters=filters,
        children=of_note,
    )

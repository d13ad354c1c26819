"""The demo company's billing tables as Stripe objects."""

from __future__ import annotations

from typing import Any

import numpy as np

from orchestration.sources.demo import stripe_catalogue as catalogue
from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import epoch, plain
from orchestration.sources.demo.stripe_lines import invoice_lines
from orchestration.sources.demo.stripe_money import charges_kind, credit_notes_kind, disputes_kind, refunds_kind
from orchestration.sources.demo.stripe_records import Kind, make_kind
from orchestration.sources.demo.stripe_subscriptions import items_kind, subscriptions_kind


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
        subscriptions_kind(subscriptions),
    ]
    kinds += [items_kind(subscriptions), _invoices(invoices, lines), charges_kind(charges)]
    kinds += [refunds_kind(credits), credit_notes_kind(credits), disputes_kind(credits)]
    return {kind.path: kind for kind in kinds}


def _fixed(path: str, object: str, rows: list[dict]) -> Kind:
    """What never changes: products, prices, plans, coupons."""
    n = len(rows)
    made = np.full(n, catalogue.LONG_AGO)
    versions = Versions(catalogue.frame_of(rows), np.arange(n), made, np.zeros(n, dtype=bool))
    filters = {name: [row.get(name) for row in rows] for name in ("product", "currency", "type") if path in ("prices", "plans") and name in rows[0]}
    return make_kind(
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

    return make_kind("customers", "customer", versions, c["customer_id"], created, render, types, deleted=deleted, filters={"email": c["email"]})


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
    return make_kind("invoices", "invoice", versions, c["invoice_id"], t["issued_at"], render, types, filters=filters, children=of_invoice)

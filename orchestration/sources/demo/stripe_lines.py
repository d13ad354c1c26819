"""Lines of invoices and credit notes as Stripe nests them. Tax is no line at Stripe: it is spread over the lines it was raised on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from orchestration.sources.demo import stripe_catalogue as catalogue
from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import epoch, plain

WORDS = {
    "full": "Subscription",
    "trial": "Trial period",
    "unused": "Unused time",
    "remaining": "Remaining time",
    "usage": "Metered use",
    "one_time": "Set-up",
}


def invoice_lines(lines: Versions) -> Callable[[str], list[dict]]:
    """A function from an invoice's id to its lines."""
    frame = lines.frame
    order = np.argsort(frame["invoice_id"].to_numpy().astype(str), kind="stable")
    f = frame.iloc[order]
    c = {
        name: plain(f[name])
        for name in (
            "line_id",
            "invoice_id",
            "subscription_id",
            "plan_id",
            "kind",
            "quantity",
            "unit_amount",
            "amount",
            "discount_amount",
            "currency",
            "is_proration",
            "_role",
        )
    }
    start, end = epoch(f["period_start"]), epoch(f["period_end"])
    places: dict[str, list[int]] = {}
    for row, id in enumerate(c["invoice_id"]):
        places.setdefault(id, []).append(row)

    def render(row: int, tax: int) -> dict:
        kind, sub, currency = c["kind"][row], c["subscription_id"][row], c["currency"][row].lower()
        price = catalogue.price(c["plan_id"][row] or {"usage": f"price_metered_{currency}", "one_time": f"price_setup_{currency}"}[kind])
        prorated, off, amount = bool(c["is_proration"][row]), c["discount_amount"][row], c["amount"][row]
        from_item = kind == "one_time" or prorated
        return {
            "id": c["line_id"][row],
            "object": "line_item",
            "amount": amount,
            "amount_excluding_tax": amount,
            "currency": currency,
            "description": WORDS[c["_role"][row]],
            "discount_amounts": [{"amount": off, "discount": f"di_{sub[4:]}"}] if off else [],
            "discountable": not prorated,
            "discounts": [],
            "invoice": c["invoice_id"][row],
            **({"invoice_item": f"ii_{c['line_id'][row][3:]}"} if from_item else {}),
            "livemode": False,
            "metadata": {},
            "period": {"end": end[row], "start": start[row]},
            "plan": catalogue.plan(price),
            "price": price,
            "proration": prorated,
            "proration_details": {"credited_items": None},
            "quantity": c["quantity"][row],
            "subscription": sub,
            "subscription_item": f"si_{sub[4:]}" if kind != "one_time" else None,
            "tax_amounts": [{"amount": tax, "inclusive": False, "tax_rate": "txr_demo", "taxability_reason": None, "taxable_amount": amount - off}]
            if tax
            else [],
            "tax_rates": [],
            "type": "invoiceitem" if from_item else "subscription",
        }

    def of_invoice(id: str) -> list[dict]:
        rows = places.get(id, [])
        taxes = sum(c["amount"][row] for row in rows if c["kind"][row] == "tax")
        real = [row for row in rows if c["kind"][row] != "tax"]
        return [
            render(row, tax) for row, tax in zip(real, _spread(taxes, [c["amount"][row] - c["discount_amount"][row] for row in real]), strict=True)
        ]

    return of_invoice


def _spread(tax: int, nets: list[int]) -> list[int]:
    """Whole minor units in proportion to the net amounts, adding up to the tax; the first line takes the remainder."""
    whole = sum(nets)
    if not tax or not whole:
        return [0] * len(nets)
    shares = [tax * net // whole for net in nets]
    shares[0] += tax - sum(shares)
    return shares


def credit_note_lines(c: dict[str, list[Any]]) -> Callable[[str], list[dict]]:
    """A function from a credit note's id to its lines: one, on the invoice line that it lowers."""
    rows = {id: row for row, id in enumerate(c["credit_id"])}

    def of_note(id: str) -> list[dict]:
        row = rows[id]
        amount = c["amount"][row]
        return [
            {
                "id": f"cnli_{id[3:]}",
                "object": "credit_note_line_item",
                "amount": amount,
                "amount_excluding_tax": amount,
                "description": "Goodwill",
                "discount_amount": 0,
                "discount_amounts": [],
                "invoice_line_item": c["line_id"][row],
                "livemode": False,
                "quantity": 1,
                "tax_amounts": [],
                "tax_rates": [],
                "type": "invoice_line_item",
                "unit_amount": amount,
                "unit_amount_decimal": str(amount),
            }
        ]

    return of_note

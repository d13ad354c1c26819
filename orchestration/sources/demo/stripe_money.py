"""Charges, refunds, disputes and credit notes as Stripe objects."""

from __future__ import annotations

from orchestration.sources.demo.base import Versions
from orchestration.sources.demo.facade import epoch, plain
from orchestration.sources.demo.stripe_lines import credit_note_lines
from orchestration.sources.demo.stripe_records import Kind, make_kind


def charges_kind(versions: Versions) -> Kind:
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

    return make_kind(
        "charges",
        "charge",
        versions,
        c["payment_id"],
        created,
        render,
        types,
        filters={"customer": c["customer_id"], "payment_intent": [f"pi_{i[3:]}" for i in c["invoice_id"]]},
    )


def _ofmake_kind(versions: Versions, kind: str) -> Versions:
    rows = (versions.frame["kind"] == kind).to_numpy()
    return Versions(versions.frame[rows].reset_index(drop=True), versions.key[rows], versions.at[rows], versions.gone[rows], versions.money)


def refunds_kind(credits: Versions) -> Kind:
    versions = _ofmake_kind(credits, "refund")
    return _money_back("refunds", "refund", versions, {"reason": "requested_by_customer", "status": "succeeded"}, "refund.created")


def disputes_kind(credits: Versions) -> Kind:
    versions = _ofmake_kind(credits, "dispute")
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

    return make_kind(path, object, versions, c["credit_id"], created, render, lambda row, first: [event], filters={"charge": c["_charge_id"]})


def credit_notes_kind(credits: Versions) -> Kind:
    versions = _ofmake_kind(credits, "credit_note")
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
    return make_kind(
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

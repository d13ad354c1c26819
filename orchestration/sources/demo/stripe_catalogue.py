"""What the demo company sells, as Stripe objects that never change: products, prices (and their older form, plans), coupons."""

from __future__ import annotations

from functools import cache

import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import FOREVER
from orchestration.sources.demo.base import DAY, EPOCH, EXPONENT, Frame
from orchestration.sources.demo.price_list import plan_rows

API_VERSION = "2024-06-20"
LONG_AGO = EPOCH - 400 * DAY
ROOT_CAUSE = dict(words.REASONS)


@cache
def _prices() -> dict[str, dict]:
    licensed = [
        _price(
            p["plan_id"], p["product_id"], p["plan_name"], p["currency"], int(p["unit_amount"]), (p["interval"], int(p["interval_count"]), "licensed")
        )
        for p in plan_rows().to_dict("records")
    ]
    metered = [_price(f"price_metered_{c.lower()}", "prod_metered", "Metered use", c, 1, ("month", 1, "metered")) for c in EXPONENT]
    set_up = [_price(f"price_setup_{c.lower()}", "prod_setup", "Set-up", c, setup_fee(c), None) for c in EXPONENT]
    return {p["id"]: p for p in licensed + metered + set_up}


def setup_fee(currency: str) -> int:
    """Minor units of the one-time fee."""
    return 500 * 10 ** EXPONENT[currency] * (130 if currency == "JPY" else 1)


def price(id: str) -> dict:
    """A price by id."""
    return _prices()[id]


def _price(id: str, product: str, nickname: str, currency: str, amount: int, every: tuple[str, int, str] | None) -> dict:
    recurring = None
    if every:
        recurring = {
            "aggregate_usage": None,
            "interval": every[0],
            "interval_count": every[1],
            "meter": None,
            "trial_period_days": None,
            "usage_type": every[2],
        }
    return {
        "id": id,
        "object": "price",
        "active": True,
        "billing_scheme": "per_unit",
        "created": LONG_AGO,
        "currency": currency.lower(),
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": nickname,
        "product": product,
        "recurring": recurring,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "recurring" if every else "one_time",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }


def plan(price: dict) -> dict | None:
    """The older form of a recurring price."""
    every = price["recurring"]
    if every is None:
        return None
    return {
        "id": price["id"],
        "object": "plan",
        "active": True,
        "aggregate_usage": None,
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": "per_unit",
        "created": LONG_AGO,
        "currency": price["currency"],
        "interval": every["interval"],
        "interval_count": every["interval_count"],
        "livemode": False,
        "metadata": {},
        "meter": None,
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": None,
        "transform_usage": None,
        "trial_period_days": None,
        "usage_type": every["usage_type"],
    }


def coupon(percent: int, months: int) -> dict:
    """A discount of so many per cent for so many months."""
    forever = months >= FOREVER
    return {
        "id": f"off{percent}_{'forever' if forever else f'{months}m'}",
        "object": "coupon",
        "amount_off": None,
        "created": LONG_AGO,
        "currency": None,
        "duration": "forever" if forever else "repeating",
        "duration_in_months": None if forever else months,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": f"{percent} % off",
        "percent_off": float(percent),
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
    }


def fixed_objects(subscriptions: Frame) -> list[tuple[str, str, list[dict]]]:
    """(path, object, rows) of all that never changes."""
    names = dict(zip([f"prod_{p}" for p in words.PLANS], words.PLAN_NAMES, strict=True)) | {"prod_metered": "Metered use", "prod_setup": "Set-up"}
    products = [
        {
            "id": id,
            "object": "product",
            "active": True,
            "created": LONG_AGO,
            "default_price": None,
            "description": None,
            "images": [],
            "livemode": False,
            "metadata": {},
            "name": name,
            "type": "service",
            "updated": LONG_AGO,
        }
        for id, name in names.items()
    ]
    prices = list(_prices().values())
    given = (
        subscriptions[subscriptions["discount_percent"].notna()][["discount_percent", "_discount_months"]]
        .drop_duplicates()
        .sort_values(["discount_percent", "_discount_months"])
    )
    coupons = [coupon(int(p), int(m)) for p, m in given.itertuples(index=False)] or [coupon(10, 3)]
    return [
        ("products", "product", products),
        ("prices", "price", prices),
        ("plans", "plan", [p for p in map(plan, prices) if p]),
        ("coupons", "coupon", coupons),
    ]


def frame_of(rows: list[dict]) -> Frame:
    """A frame with one row an object, so that they can stand among records with a history."""
    return pd.DataFrame({"id": [row["id"] for row in rows]})

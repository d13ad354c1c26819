"""The price list as a table: every plan in every interval and currency."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import price
from orchestration.sources.demo.base import DAY, EPOCH, EXPONENT, Frame, Scope, Versions, pick

INTERVAL = np.array([i for i, _ in words.INTERVALS], dtype=object)


INTERVAL_COUNT = np.array([c for _, c in words.INTERVALS])


def plan_id(currency: np.ndarray, plan: np.ndarray, interval: np.ndarray) -> np.ndarray:
    """One price of one product: `price_team_eur_m3`."""
    name = pick([f"price_{p}_" for p in words.PLANS], np.maximum(plan, 0))
    unit = pick(["_m1", "_m3", "_y1"], interval)
    return np.where(np.asarray(plan) < 0, None, name + np.array([c.lower() for c in currency], dtype=object) + unit)


def plan_rows() -> Frame:
    """The price list: the same for everyone, and from the beginning."""
    keys = [(c, p, i) for c in EXPONENT for p in range(len(words.PLANS)) for i in range(len(words.INTERVALS))]
    currency, plan, interval = (np.array(x) for x in zip(*keys, strict=True))
    return pd.DataFrame(
        {
            "plan_id": plan_id(currency, plan, interval),
            "product_id": pick([f"prod_{p}" for p in words.PLANS], plan),
            "product_name": pick(words.PLAN_NAMES, plan),
            "plan_name": pick(words.PLAN_NAMES, plan) + " " + pick(["monthly", "quarterly", "yearly"], interval),
            "interval": INTERVAL[interval],
            "interval_count": INTERVAL_COUNT[interval],
            "unit_amount": price(currency, plan, interval),
            "currency": currency,
        }
    )


def plan_versions(scope: Scope) -> Versions:
    """The price list never changes. Only the first block writes it."""
    frame = plan_rows() if scope.block == 0 else plan_rows().iloc[:0]
    return Versions.build(frame, np.arange(len(frame)), np.full(len(frame), EPOCH - 400 * DAY), money=("unit_amount",))

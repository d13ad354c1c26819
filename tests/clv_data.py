"""Customers to fit CLV models on: the public CDNOW sample, and customers simulated from the BG/NBD model's own story."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

END_OF_CALIBRATION = pd.Timestamp("1997-09-30")  # 39 weeks from 1 January 1997; the first purchases fell in the first 12


def cdnow() -> pd.DataFrame:
    """The 2,357 customers of Fader, Hardie and Lee (2005), in weeks: frequency, recency, T, monetary_value (mean of repeat purchases, 0 without).

    Purchases of one day are one. Read from the file that the package `lifetimes` ships, without importing the package.
    """
    package = importlib.util.find_spec("lifetimes")
    assert package and package.submodule_search_locations, "the dev dependencies are not installed: lifetimes brings the CDNOW file"
    file = Path(package.submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt"
    rows = pd.read_csv(file, sep=r"\s+", header=None, names=["master_id", "customer_id", "day", "items", "amount"])
    rows["day"] = pd.to_datetime(rows["day"], format="%Y%m%d")
    days = rows[rows["day"] <= END_OF_CALIBRATION].groupby(["customer_id", "day"], as_index=False)["amount"].sum()
    days["first"] = days.groupby("customer_id")["day"].transform("min")
    each = days.groupby("customer_id").agg(first=("first", "min"), last=("day", "max"), purchases=("day", "size"))
    repeats = days[days["day"] > days["first"]].groupby("customer_id")["amount"].mean()
    return pd.DataFrame(
        {
            "frequency": each["purchases"] - 1.0,
            "recency": (each["last"] - each["first"]).dt.days / 7,
            "T": (END_OF_CALIBRATION - each["first"]).dt.days / 7,
            "monetary_value": repeats.reindex(each.index).fillna(0.0),
        }
    )


def simulate(customers: int, *, r: float, alpha: float, a: float, b: float, T: tuple[float, float], ahead: float = 0, seed: int = 0):
    """frequency, recency, T and purchases in the `ahead` units after T, of customers observed for a uniform time; nothing is rounded."""
    random = np.random.default_rng(seed)
    rate = np.maximum(random.gamma(r, 1 / alpha, customers), 1e-300)
    dropout = random.beta(a, b, customers)
    observed = random.uniform(*T, customers)
    frequency, recency, later = np.zeros(customers), np.zeros(customers), np.zeros(customers)
    clock = np.zeros(customers)
    active = np.arange(customers)
    while len(active):
        clock[active] += random.exponential(1, len(active)) / rate[active]
        active = active[clock[active] <= observed[active] + ahead]
        now = active[clock[active] <= observed[active]]
        frequency[now] += 1
        recency[now] = clock[now]
        later[active[clock[active] > observed[active]]] += 1
        active = active[random.random(len(active)) > dropout[active]]
    return frequency, recency, observed, later

"""Simulated customers whose risk of churn is known, for the tests of the churn model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

SECTORS = np.array(["retail", "health", "media", "public", "energy"])


@dataclass(frozen=True)
class Sample:
    """features: as a warehouse would give them; risk: the P(churn) that drew churned."""

    features: pd.DataFrame
    churned: pd.Series
    risk: NDArray[np.float64]


def sample(rows: int, seed: int, *, base: float = -4.0) -> Sample:
    """Independent customers: non-linear effects, two numbers that say nothing, a score that is missing where customers are unhappy."""
    rng = np.random.default_rng(seed)
    use, seats, tenure, mood = rng.normal(size=rows), rng.lognormal(2, 1, rows).round(), rng.exponential(24, rows), rng.normal(size=rows)
    sector, sponsor = rng.integers(0, len(SECTORS), rows), rng.random(rows) < 0.6
    silent = rng.random(rows) < expit(1.5 * mood - 1)  # the unhappy don't answer
    log_odds = base - 1.2 * np.tanh(1.5 * use) + 0.9 * (tenure < 6) + 0.8 * mood + 0.7 * ~sponsor + np.array([0, 0.8, -0.6, 0, 0.4])[sector]
    log_odds += 0.8 * (np.abs(use) > 1.8)  # both extremes
    risk = expit(log_odds)
    features = pd.DataFrame(
        {
            "use": use,
            "seats": seats,
            "tenure_months": tenure,
            "nps": np.where(silent, np.nan, np.clip(np.round(7 - 2 * mood), 0, 10)),
            "has_sponsor": pd.array(np.where(rng.random(rows) < 0.1, None, sponsor), dtype="boolean"),
            "sector": SECTORS[sector],
            "noise": rng.normal(size=rows),
        }
    )
    return Sample(features, pd.Series(rng.random(rows) < risk), risk)


@dataclass(frozen=True)
class Panel:
    """Monthly snapshots of customers until they churn. churned: within 90 days after the snapshot."""

    features: pd.DataFrame
    churned: pd.Series
    snapshot_dates: pd.Series
    customer: pd.Series
    health_score: pd.Series


def panel(customers: int, months: int, seed: int) -> Panel:
    """Use and mood change slowly, so snapshots of one customer resemble each other; health sees use only, and with noise."""
    rng = np.random.default_rng(seed)
    use, mood, size = rng.normal(size=customers), rng.normal(size=customers), rng.normal(size=customers)
    gone_in = np.full(customers, np.iinfo(int).max)
    dates = pd.date_range("2023-01-31", periods=months + 3, freq="ME")
    seen = []
    for month in range(months + 3):
        use, mood = (0.9 * each + np.sqrt(1 - 0.81) * rng.normal(size=customers) for each in (use, mood))
        alive = np.flatnonzero(gone_in >= month)
        seen.append((month, alive, use[alive], mood[alive], size[alive]))
        leaves = rng.random(customers) < expit(-4.3 - 1.1 * use - 0.9 * mood + 0.6 * (size < -0.7))
        gone_in = np.where(leaves & (gone_in > month), month, gone_in)
    rows = pd.concat(
        pd.DataFrame({"month": month, "customer": alive, "use": use, "mood": mood, "size": size}) for month, alive, use, mood, size in seen[:months]
    ).reset_index(drop=True)
    churned = pd.Series(gone_in[rows["customer"]] <= rows["month"] + 2)
    health = (50 + 15 * rows["use"] + rng.normal(0, 15, len(rows))).clip(0, 100).where(rng.random(len(rows)) > 0.1)
    return Panel(rows[["use", "mood", "size"]], churned, pd.Series(dates[rows["month"]]), rows["customer"], health)

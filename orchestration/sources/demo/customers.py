"""Who the true customers are, and how they fare: the latent health that drives everything they do.

Not here: what any system knows about them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.base import DAY, EPOCH, Frame, Scope, ids, pick

LEAVING_WEEKS = 13
WARM_UP_WEEKS = 12  # health exists before the first day, so that the first weeks look like any other


@dataclass
class Customers:
    """True customers (one row each) and their weekly latent health, mean 0 and about 1 wide."""

    frame: Frame
    health: np.ndarray  # customers × weeks, float32
    cumulative: np.ndarray

    @property
    def signup(self) -> np.ndarray:
        """Second at which each customer signed up."""
        return EPOCH + self.frame["day"].to_numpy() * DAY + self.frame["hour"].to_numpy()

    def mean_health(self, who: np.ndarray, until: np.ndarray, weeks: int = 8) -> np.ndarray:
        """Mean health of customers `who` over the `weeks` before the second `until`."""
        last = np.clip((until - EPOCH) // (7 * DAY) + WARM_UP_WEEKS, weeks, self.health.shape[1])
        return (self.cumulative[who, last] - self.cumulative[who, last - weeks]) / weeks


def make_customers(scope: Scope) -> Customers:
    """Names, places, sizes, sign-up days and health. About a fifth as many come in the horizon as a growing company would see."""
    rng = scope.rng("customers")
    n = scope.customers
    later = round(n * 0.6 * scope.horizon / max(scope.days, 1))
    early = int(n * 0.4)
    day = np.concatenate(
        [
            rng.integers(0, max(min(60, scope.days // 3), 1), early),
            rng.integers(0, scope.days, n - early),
            rng.integers(scope.days, scope.days + max(scope.horizon, 1), later),
        ]
    )
    n += later
    number = scope.first + np.arange(n)
    country = rng.choice(len(words.COUNTRIES), n, p=words.COUNTRY_WEIGHTS)
    # A bijection on numbers spreads names without repeating one.
    space = len(words.FIRST) * len(words.SECOND) * len(words.THIRD)
    code = (number * 48_271 + 11 + scope.seed * 7919) % space
    first, second, third = code % len(words.FIRST), code // len(words.FIRST) % len(words.SECOND), code // (len(words.FIRST) * len(words.SECOND))
    round_ = number // space
    brand = np.char.add(np.array([w.capitalize() for w in words.FIRST])[first], np.array(words.SECOND)[second])
    brand = np.where(round_ > 0, np.char.add(brand, round_.astype(str)), brand).astype(object) + " " + np.array(words.THIRD, dtype=object)[third]
    tld = np.array([words.TLD[c] for c in words.COUNTRIES], dtype=object)[country]
    slug = np.array([b.lower().replace(" ", "-") for b in brand], dtype=object)
    suffix = np.array([words.SUFFIX[c] for c in words.COUNTRIES], dtype=object)[country]
    size = rng.normal(0, 1, n)
    frame = pd.DataFrame(
        {
            "customer": ids("C", number, 7).to_pandas(),
            "number": number,
            "brand": brand,
            "name": brand + " " + suffix,
            "domain": slug + "." + tld,
            "country": pick(words.COUNTRIES, country),
            "currency": pick([words.CURRENCY_OF[c] for c in words.COUNTRIES], country),
            "industry": pick(words.INDUSTRIES, rng.integers(0, len(words.INDUSTRIES), n)),
            "size": size,
            "employees": np.round(np.exp(4.2 + 1.2 * size)).astype(int) + 3,
            "day": day,
            "hour": rng.integers(0, DAY, n),
            "owner": (number * 5 + rng.integers(0, 3, n)) % len(words.OWNERS),
            "converts": rng.random(n) < 0.94,
            "free_mail": (rng.random(n) < 0.05) & (size < 0),
        }
    )
    odd = rng.random(n) < max(0.012, 4 / n)
    frame.loc[odd, "name"] = [words.ODD_NAMES[i % len(words.ODD_NAMES)].format(b) for i, b in enumerate(frame["name"][odd])]
    # A few are subsidiaries: customers of their own that share their parent's domain.
    parent = np.full(n, -1)
    child = np.flatnonzero(rng.random(n) < 0.015)
    child = child[child > n // 10]
    parent[child] = rng.integers(0, max(n // 10, 1), len(child))
    frame["parent"] = parent
    shared = child[~frame["free_mail"].to_numpy()[parent[child]]]
    frame.loc[shared, "domain"] = frame["domain"].to_numpy()[parent[shared]]
    frame.loc[np.union1d(child, parent[child]), "free_mail"] = False
    frame["family"] = np.isin(np.arange(n), np.union1d(child, parent[child]))
    return _with_health(scope, frame)


def wind_down(scope: Scope, customers: Customers, cust: np.ndarray, end: np.ndarray, willing: np.ndarray) -> Customers:
    """Who is about to leave shows it: use, touches and mood go down over the last weeks before `end`, more often where it was their wish."""
    rng = scope.rng("leaving")
    shows = rng.random(len(cust)) < np.where(willing, 0.85, 0.4)
    depth = rng.uniform(0.8, 2.4, len(cust)) * shows
    health = customers.health.copy()
    last = (end - EPOCH) // (7 * DAY) + WARM_UP_WEEKS
    for back in range(LEAVING_WEEKS):
        week = last - back
        seen = (week >= 0) & (week < health.shape[1])
        np.subtract.at(health, (cust[seen], week[seen]), (depth * (1 - back / LEAVING_WEEKS))[seen].astype("float32"))
    return Customers(customers.frame, health, _running_sum(health))


def _running_sum(health: np.ndarray) -> np.ndarray:
    total = np.cumsum(health, axis=1, dtype="float64").astype("float32")
    return np.concatenate([np.zeros((len(health), 1), dtype="float32"), total], axis=1)


def _with_health(scope: Scope, frame: Frame) -> Customers:
    rng = scope.rng("health")
    n, weeks = len(frame), WARM_UP_WEEKS + (scope.days + scope.horizon) // 7 + 2
    base = rng.normal(0.1, 0.75, n)
    health = np.empty((n, weeks), dtype="float32")
    state = rng.normal(0, 0.65, n)
    shock = np.zeros(n)
    for week in range(weeks):
        state = 0.965 * state + rng.normal(0, 0.17, n)
        # Now and then something goes wrong (a reorganisation, a failed release) and heals slowly.
        shock = 0.95 * shock - 1.6 * (rng.random(n) < 0.004)
        health[:, week] = base + state + shock
    return Customers(frame, health, _running_sum(health))

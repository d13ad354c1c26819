"""From customers' histories to their contractual lifetime values: which customers go into which fit, and how well that held before.

Here belongs segments, fallbacks, intervals and the holdout; the maths of a model is clv.py's. Data frames in, data frames out.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from orchestration.predict.clv import ShiftedBetaGeometric, contractual_clv, fit_sbg, interval

DAYS_A_MONTH = 30.4375
ALL = "all"


def survival_table(survived: np.ndarray, ages: np.ndarray) -> np.ndarray:
    """Survivors by cohort and month: row a holds the customers whose first payment lies a whole months back, shape (max age + 1, max age + 1).

    survived, ages: see `months_survived`. NaN where a cohort is not that old.
    """
    ages, stayed = ages.astype(int), np.minimum(survived, ages).astype(int)
    size = int(ages.max()) + 1
    ended = np.zeros((size, size + 1))
    np.add.at(ended, (ages, stayed + 1), 1)
    survivors = np.bincount(ages, minlength=size)[:, None] - np.cumsum(ended, axis=1)[:, :size]
    survivors[np.arange(size)[None, :] > np.arange(size)[:, None]] = np.nan
    return survivors[np.bincount(ages, minlength=size) > 0]


def fit_segments(paid: pd.DataFrame, *, as_of: date, minimum: int) -> dict[str, ShiftedBetaGeometric]:
    """One model a tier that has at least `minimum` customers and saw some leave, and one of all customers under 'all', if that can be fitted.

    paid: tier, first_paid_on, left_on (NaT = still there), one row a customer; what happened after `as_of` is not looked at.
    """
    seen = paid[pd.to_datetime(paid["first_paid_on"]) <= pd.Timestamp(as_of)]
    models = {}
    for segment, customers in [(ALL, seen), *seen.groupby("tier")]:
        if len(customers) < minimum:
            continue
        ages, survived = months_survived(customers, as_of)
        try:
            models[segment] = fit_sbg(survival_table(survived, ages))
        except ValueError:  # nobody left, or too young: says nothing of how long they stay
            continue
    return models


def contractual_estimates(paid: pd.DataFrame, *, as_of: date, annual_discount_rate: float, margin: float, minimum: int) -> pd.DataFrame:
    """Residual lifetime value of each customer that pays on `as_of`: customer_id, estimator, clv_amount, low, high, p_alive (NaN: it
    pays), fitted_on, fitted_n, is_fallback.

    paid: customer_id, tier, first_paid_on, left_on, paying_since, mrr_reporting_amount, acquisition_cost (NaN = unknown, counted as 0). A tier
    without a model of its own takes that of all customers; without that there are no rows. Who came back has renewed since it did: its first
    stay ended, and says nothing of this one. 95 % intervals are of the fit, not of one customer's fate.
    """
    models = fit_segments(paid, as_of=as_of, minimum=minimum)
    sizes = {ALL: len(paid), **paid["tier"].value_counts().to_dict()}
    rate = (1 + annual_discount_rate) ** (1 / 12) - 1
    payers = paid[paid["mrr_reporting_amount"].astype(float) > 0]
    parts = []
    for tier, customers in payers.groupby("tier"):
        segment = tier if tier in models else ALL
        if segment not in models:
            continue
        renewals = whole_months(customers["paying_since"], pd.Timestamp(as_of))
        mrr = customers["mrr_reporting_amount"].astype(float).to_numpy()
        cost = customers["acquisition_cost"].astype(float).fillna(0).to_numpy()

        def ahead(model, renewals=renewals, mrr=mrr):
            return contractual_clv(model, renewals, mrr, discount_rate=rate, margin=margin)

        # What was spent is certain: it moves the interval and does not widen it. Nobody is worth more than who never leaves.
        low, high = interval(ahead, models[segment])
        high = np.minimum(high, (1 + rate) / rate * mrr * margin)
        parts.append(
            pd.DataFrame(
                {
                    "customer_id": customers["customer_id"].to_numpy(),
                    "estimator": "contractual",
                    "clv_amount": ahead(models[segment]) - cost,
                    "low": low - cost,
                    "high": high - cost,
                    "p_alive": np.nan,
                    "fitted_on": ALL if segment == ALL else f"tier: {tier}",
                    "fitted_n": sizes[segment],
                    "is_fallback": segment == ALL,
                }
            )
        )
    columns = ["customer_id", "estimator", "clv_amount", "low", "high", "p_alive", "fitted_on", "fitted_n", "is_fallback"]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)


def holdout_error(paid: pd.DataFrame, held_out: pd.DataFrame, *, as_of: date, minimum: int) -> pd.DataFrame:
    """What the models, as they were fitted on the holdout's eve, expected of it against what came: segment, expected, actual, error, customers.

    held_out: customer_id, held_out_from, paying_since, mrr_before, revenue_after. error = expected / actual − 1, of each tier and of all. No rows
    when nothing could be fitted before. Day by day, today included, as revenue_after: each customer decides at the ends of its own months.
    """
    if held_out.empty:
        return pd.DataFrame(columns=["segment", "expected", "actual", "error", "customers"])
    cut = pd.Timestamp(held_out["held_out_from"].iloc[0])
    eve = cut - pd.Timedelta(days=1)
    models = fit_segments(paid, as_of=eve.date(), minimum=minimum)
    joined = held_out.merge(paid[["customer_id", "tier"]], on="customer_id")
    starts, start_of = np.unique(_days(joined["paying_since"]), return_inverse=True)
    renewed = _months_between(starts[:, None], _days(pd.date_range(eve, as_of))[None, :])
    expected = np.full(len(joined), np.nan)
    for tier, rows in joined.groupby("tier").indices.items():
        if (model := models.get(tier, models.get(ALL))) is None:
            continue
        there = model.survival(np.arange(renewed.max() + 1))[renewed]
        months = there[:, 1:].sum(axis=1) / there[:, 0] / DAYS_A_MONTH
        expected[rows] = joined["mrr_before"].astype(float).to_numpy()[rows] * months[start_of[rows]]
    joined = joined.assign(expected=expected, actual=joined["revenue_after"].astype(float)).dropna(subset=["expected"])
    parts = [(ALL, joined), *joined.groupby("tier")]
    rows = [(segment, part["expected"].sum(), part["actual"].sum(), len(part)) for segment, part in parts if len(part)]
    frame = pd.DataFrame(rows, columns=["segment", "expected", "actual", "customers"])
    return frame.assign(error=frame["expected"] / frame["actual"].where(frame["actual"] > 0) - 1)


def months_survived(customers: pd.DataFrame, as_of: date) -> tuple[np.ndarray, np.ndarray]:
    """Whole months since the first payment, and at how many ends of such a month the customer stayed, as known on `as_of`.

    Who leaves on the day on which its k-th month ends has paid k months and renewed k − 1 times: it is the evening before that counts.
    """
    ages = whole_months(customers["first_paid_on"], pd.Timestamp(as_of))
    left = pd.to_datetime(customers["left_on"])
    has_left = left.notna() & (left <= pd.Timestamp(as_of))
    last_paid = (left - pd.Timedelta(days=1)).where(has_left, pd.Timestamp(as_of))
    return ages, np.where(has_left, whole_months(customers["first_paid_on"], last_paid), ages)


def whole_months(first: pd.Series, last: pd.Series | pd.Timestamp) -> np.ndarray:
    """Months of the calendar that are over from one day to another, at least 0. From the 31st on a shorter month ends on its last day."""
    return _months_between(_days(first), _days(last))


def _days(when: pd.Series | pd.DatetimeIndex | pd.Timestamp) -> np.ndarray:
    return pd.to_datetime(when).to_numpy().astype("datetime64[D]")


def _months_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    start_month, end_month = start.astype("datetime64[M]"), end.astype("datetime64[M]")
    is_short = end - end_month.astype("datetime64[D]") < start - start_month.astype("datetime64[D]")
    is_month_end = (end + 1).astype("datetime64[M]") > end_month
    return np.maximum((end_month - start_month).astype(int) - (is_short & ~is_month_end), 0)

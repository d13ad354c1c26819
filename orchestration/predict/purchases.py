"""From order histories to the lifetime values of customers who buy without a contract.

Here belongs which customers go into the fits and in what units; the maths is clv.py's. Data frames in, data frames out.
"""

from __future__ import annotations

import pandas as pd

from orchestration.predict.clv import discounted_clv, fit_bg_nbd, fit_gamma_gamma, interval

DAYS_A_WEEK = 7
WEEKS_A_MONTH = 52 / 12
COLUMNS = ["customer_id", "estimator", "clv_amount", "low", "high", "p_alive", "fitted_on", "fitted_n", "is_fallback"]


def transactional_estimates(orders: pd.DataFrame, *, horizon_months: int, annual_discount_rate: float, margin: float, minimum: int) -> pd.DataFrame:
    """What each customer is expected to bring over the horizon: the columns of `contractual_estimates`; no rows under `minimum` customers.

    orders: customer_id, repeat_orders (days with an order after the first), recency_days (first to last order), age_days (first order to
    now), mean_order_amount (of the repeat orders, NaN without one). Fitted on all of them: order histories are too short to split.
    """
    if len(orders) < minimum:
        return pd.DataFrame(columns=COLUMNS)
    frequency = orders["repeat_orders"].to_numpy(float)
    recency, age = orders["recency_days"].to_numpy(float) / DAYS_A_WEEK, orders["age_days"].to_numpy(float) / DAYS_A_WEEK
    amount = orders["mean_order_amount"].astype(float).fillna(0).to_numpy()
    repeated = frequency > 0
    try:
        buying = fit_bg_nbd(frequency, recency, age)
        spending = fit_gamma_gamma(frequency[repeated], amount[repeated])
        rate = (1 + annual_discount_rate) ** (1 / 12) - 1

        def value(buying, spending):
            return discounted_clv(
                buying, spending, frequency, recency, age, amount,
                periods=horizon_months, discount_rate=rate, margin=margin, period_length=WEEKS_A_MONTH,
            )  # fmt: skip

        expected, (low, high) = value(buying, spending), interval(value, buying, spending)
    except ValueError:  # hardly anybody ever came back: there is nothing to learn from
        return pd.DataFrame(columns=COLUMNS)
    return pd.DataFrame(
        {
            "customer_id": orders["customer_id"].to_numpy(),
            "estimator": "transactional",
            "clv_amount": expected,
            "low": low,
            "high": high,
            "p_alive": buying.probability_alive(frequency, recency, age),
            "fitted_on": "all",
            "fitted_n": len(orders),
            "is_fallback": False,
        }
    )

"""Which customers go into which lifetime fit, and what is expected of them: numbers worked out by hand where they can be."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from orchestration.predict.clv import fit_bg_nbd
from orchestration.predict.lifetimes import ALL, contractual_estimates, fit_segments, holdout_error, months_survived, survival_table, whole_months
from orchestration.predict.purchases import transactional_estimates

TODAY = date(2025, 6, 30)
ENDS = ["clv_amount", "low", "high"]


def customers(n: int, monthly_churn: float, *, tier: str = "smb", seed: int = 7, mrr: float = 100.0) -> pd.DataFrame:
    """`n` customers that started on any day of the last 30 months, all with the same chance to leave at any end of a month that they paid."""
    rng = np.random.default_rng(seed)
    first = [pd.Timestamp(TODAY) - pd.Timedelta(days=int(age)) for age in rng.integers(1, 913, n)]
    left = [start + pd.DateOffset(months=int(stay)) for start, stay in zip(first, rng.geometric(monthly_churn, n), strict=True)]
    gone = [day <= pd.Timestamp(TODAY) for day in left]
    return pd.DataFrame(
        {
            "customer_id": [f"{tier}{i}" for i in range(n)],
            "tier": tier,
            "first_paid_on": first,
            "left_on": [day if is_gone else pd.NaT for day, is_gone in zip(left, gone, strict=True)],
            "paying_since": [pd.NaT if is_gone else day for day, is_gone in zip(first, gone, strict=True)],
            "mrr_reporting_amount": [0.0 if is_gone else mrr for is_gone in gone],
            "acquisition_cost": np.nan,
        }
    )


def test_a_survival_table_keeps_cohorts_apart_and_knows_nothing_of_the_future():
    # Two customers of 3 months: one stayed, one left after a whole month. One of 1 month that stayed. One of 1 month that left in its first.
    table = survival_table(np.array([3, 1, 1, 0]), np.array([3, 3, 1, 1]))
    np.testing.assert_array_equal(table, [[2, 1, np.nan, np.nan], [2, 2, 1, 1]])


@pytest.mark.parametrize(
    ("first", "last", "months"),
    [
        ("2025-01-15", "2025-02-14", 0),
        ("2025-01-15", "2025-02-15", 1),
        ("2025-02-01", "2025-02-28", 0),  # short as it is, February is a month
        ("2025-02-01", "2025-03-01", 1),
        ("2025-01-31", "2025-02-27", 0),
        ("2025-01-31", "2025-02-28", 1),  # who began on the 31st renews on the last day of a shorter month
        ("2025-01-31", "2025-03-30", 1),
        ("2025-01-31", "2025-03-31", 2),
        ("2024-02-29", "2025-02-28", 12),
        ("2025-01-15", "2025-01-14", 0),
    ],
)
def test_whole_months_are_those_of_the_calendar(first, last, months):
    assert whole_months(pd.Series([first]), pd.Timestamp(last)).tolist() == [months]


def test_who_leaves_when_a_month_ends_did_not_renew_then():
    """Today 30 June. From 31 March: renewed 30 April, 31 May and 30 June: 3. Left on 30 April: paid one month and never renewed, 0; on 31 May 1.
    From 1 February: left on 1 March after 28 days, 0, and on 1 April, 1. Left in the middle of the third month: 2. Who leaves tomorrow is there."""
    paid = pd.DataFrame(
        [
            ("2025-03-31", None, 3, 3),
            ("2025-03-31", "2025-04-30", 3, 0),
            ("2025-03-31", "2025-05-31", 3, 1),
            ("2025-03-31", "2025-06-30", 3, 2),
            ("2025-02-01", "2025-03-01", 4, 0),
            ("2025-02-01", "2025-04-01", 4, 1),
            ("2025-02-01", "2025-04-12", 4, 2),
            ("2025-02-01", "2025-07-01", 4, 4),
            ("2025-06-30", "2025-06-30", 0, 0),
        ],
        columns=["first_paid_on", "left_on", "age", "survived"],
    )
    ages, survived = months_survived(paid, TODAY)
    assert ages.tolist() == paid["age"].tolist() and survived.tolist() == paid["survived"].tolist()


def a_tenth_leaves_each_month() -> pd.DataFrame:
    """1,000 customers from the first of each month of a year, of whom a tenth leaves at each end of a month, February's as March's."""
    rows = []
    for start in pd.date_range("2024-07-01", "2025-06-01", freq="MS"):
        there = [round(1000 * 0.9**month) for month in range(13)]
        for month in range(12):
            rows += [(start, start + pd.DateOffset(months=month + 1))] * (there[month] - there[month + 1])
        rows += [(start, pd.NaT)] * there[12]
    paid = pd.DataFrame(rows, columns=["first_paid_on", "left_on"])
    return paid.assign(tier="smb", customer_id=[f"c{i}" for i in range(len(paid))])


def test_one_in_ten_that_leaves_each_month_is_one_in_ten():
    """Ahead of a customer lie, at 10 % a year: Σ 0.9^k ÷ (1 + d)^(k−1) from k = 1 on = 0.9 × (1 + d) ÷ (1 + d − 0.9) = 8.40 periods."""
    rate = 1.1 ** (1 / 12) - 1
    assert 0.9 * (1 + rate) / (0.1 + rate) == pytest.approx(8.40, abs=0.005)
    model = fit_segments(a_tenth_leaves_each_month(), as_of=TODAY, minimum=30)[ALL]
    assert model.derl(np.array([0, 6]), rate) == pytest.approx([8.40, 8.40], rel=0.01)


@pytest.mark.parametrize(("cut", "months"), [("2025-05-31", 0.9199), ("2025-06-01", 0.8871), ("2025-04-11", 2.3721)])
def test_what_was_expected_of_the_holdout_by_hand(cut, months):
    """All renew on the first, 0.9 of them. From 31 May to today, 30 June: 1 day and 30 × 0.9 = 28 days of 30.4375 = 0.9199 months. From 1 June,
    the renewal itself ahead: 27 days = 0.8871. From 11 April: 20 + 31 × 0.9 + 30 × 0.81 = 72.2 days = 2.3721."""
    paid = a_tenth_leaves_each_month()
    there = paid[(paid["first_paid_on"] < cut) & ~(paid["left_on"] < cut)]
    held_out = there[["customer_id"]].assign(
        held_out_from=pd.Timestamp(cut), paying_since=there["first_paid_on"], mrr_before=100.0, revenue_after=1.0
    )
    found = holdout_error(paid, held_out, as_of=TODAY, minimum=30).set_index("segment").loc[ALL]
    assert found["expected"] / len(there) == pytest.approx(100 * months, rel=0.003)


def test_who_left_after_the_day_of_the_fit_had_not_left_then():
    paid = customers(400, 0.05)
    cut = TODAY - timedelta(days=200)
    known = paid[pd.to_datetime(paid["first_paid_on"]) <= pd.Timestamp(cut)]
    later = known.assign(left_on=known["left_on"].where(pd.to_datetime(known["left_on"]) <= pd.Timestamp(cut)))
    then, now = fit_segments(paid, as_of=cut, minimum=30)[ALL], fit_segments(later, as_of=cut, minimum=30)[ALL]
    assert (then.alpha, then.beta) == (now.alpha, now.beta)


def test_a_constant_churn_gives_the_value_of_a_perpetuity():
    paid = customers(4000, 0.05)
    estimates = contractual_estimates(paid, as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30)
    rate, stay = 1.1 ** (1 / 12) - 1, 0.95
    by_hand = 0.8 * 100 * stay * (1 + rate) / (1 + rate - stay)  # the sum of stay^k / (1 + d)^(k-1) over k from 1 on
    assert estimates["clv_amount"].median() == pytest.approx(by_hand, rel=0.05)
    assert (estimates["low"] <= estimates["clv_amount"]).all() and (estimates["clv_amount"] <= estimates["high"]).all()
    assert set(estimates["fitted_on"]) == {"tier: smb"} and not estimates["is_fallback"].any()
    assert len(estimates) == (paid["mrr_reporting_amount"] > 0).sum()


def test_the_interval_is_of_what_lies_ahead_and_the_cost_is_taken_off_both_ends():
    """Certain is the cost; and nobody is worth more than who never leaves: (1 + d) ÷ d × 100 × 80 % = 10,112.43 at 10 % a year, less the cost."""
    few = customers(3000, 0.05)
    lot = contractual_estimates(few, as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30).set_index("customer_id")
    who, worth = lot.index[0], lot["clv_amount"].iloc[0]
    for cost in (100.0, worth - 1, worth, 2 * worth):
        paid = few.assign(acquisition_cost=np.where(few["customer_id"] == who, cost, np.nan))
        costly = contractual_estimates(paid, as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30).set_index("customer_id").loc[who]
        assert costly[ENDS].tolist() == pytest.approx((lot.loc[who, ENDS] - cost).tolist(), abs=1e-6)
    assert 0 < lot.loc[who, "low"] < worth < lot.loc[who, "high"] < 10_112.43

    loyal = pd.concat([customers(60, 0.0001), customers(1, 0.0001).assign(left_on=pd.Timestamp("2025-05-31"), mrr_reporting_amount=0.0)])
    loyal["acquisition_cost"] = 112.43
    highs = contractual_estimates(loyal, as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30)
    assert highs["high"].max() == pytest.approx(10_000.0, abs=0.01) and (highs["clv_amount"] <= highs["high"]).all()


def test_who_came_back_is_worth_what_a_new_customer_is():
    """Half leave fast, so whoever stays is worth more with each renewal. Paid January 2023 alone and again since yesterday: 0 renewals, as who
    is new since yesterday; not 29, as who has paid since January 2023. Held out: back for 3 months on the eve is as a customer of 3."""
    rng = np.random.default_rng(3)
    first = [pd.Timestamp(TODAY) - pd.Timedelta(days=int(age)) for age in rng.integers(1, 913, 600)]
    left = [day + pd.DateOffset(months=int(k)) for day, k in zip(first, rng.geometric(np.maximum(rng.beta(0.5, 2, 600), 0.002)), strict=True)]
    paid = pd.DataFrame({"customer_id": [f"c{i}" for i in range(600)], "first_paid_on": first, "left_on": left, "mrr_reporting_amount": 0.0})
    paid["left_on"] = paid["left_on"].where(paid["left_on"] <= pd.Timestamp(TODAY))
    known = pd.DataFrame(
        [("back", "2023-01-01", "2023-02-01", "2025-06-29"), ("new", "2025-06-29", None, "2025-06-29"), ("loyal", "2023-01-01", None, "2023-01-01")],
        columns=["customer_id", "first_paid_on", "left_on", "paying_since"],
    ).assign(mrr_reporting_amount=100.0)
    days = ["first_paid_on", "left_on", "paying_since"]
    paid = pd.concat([paid, known.assign(**{day: pd.to_datetime(known[day]) for day in days})], ignore_index=True)
    paid = paid.assign(tier="smb", acquisition_cost=np.nan)
    worth = contractual_estimates(paid, as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30).set_index("customer_id")[ENDS]
    assert worth.loc["back"].tolist() == worth.loc["new"].tolist()
    assert worth.loc["loyal", "clv_amount"] > 2 * worth.loc["back", "clv_amount"]

    same = pd.DataFrame({"customer_id": ["back", "loyal"], "held_out_from": pd.Timestamp("2025-03-01"), "mrr_before": 100.0, "revenue_after": 300.0})
    told = [
        holdout_error(paid, same.assign(paying_since=pd.to_datetime(since)), as_of=TODAY, minimum=30)["expected"].iloc[0]
        for since in (["2024-11-20", "2024-11-20"], ["2024-11-20", "2023-01-01"])
    ]
    assert told[0] < told[1] < 800


def test_a_small_tier_borrows_from_all_and_says_so():
    paid = pd.concat([customers(500, 0.05), customers(29, 0.05, tier="enterprise", seed=8)], ignore_index=True)
    estimates = contractual_estimates(paid, as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30)
    small = estimates[estimates["customer_id"].str.startswith("enterprise")]
    assert len(small) and small["is_fallback"].all() and set(small["fitted_on"]) == {"all"} and set(small["fitted_n"]) == {529}


def test_where_nobody_left_there_is_no_estimate():
    paid = customers(100, 0.05).assign(left_on=pd.NaT, paying_since=pd.Timestamp(TODAY), mrr_reporting_amount=100.0)
    assert contractual_estimates(paid, as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30).empty
    assert contractual_estimates(paid.head(0), as_of=TODAY, annual_discount_rate=0.10, margin=0.8, minimum=30).empty


def test_the_holdout_is_met_where_the_world_stays_as_it_was():
    """Today counts, in what was expected as in what came: it has been paid for."""
    paid = customers(6000, 0.04)
    cut = pd.Timestamp(TODAY) - pd.Timedelta(days=40)
    first, until = pd.to_datetime(paid["first_paid_on"]), pd.to_datetime(paid["left_on"]).fillna(pd.Timestamp(TODAY) + pd.Timedelta(days=1))
    there = (first < cut) & (until >= cut)
    came = 100 * (until - cut).dt.days / 30.4375
    held_out = paid[["customer_id"]].assign(held_out_from=cut, paying_since=first, mrr_before=100.0, revenue_after=came)[there]
    errors = holdout_error(paid, held_out, as_of=TODAY, minimum=30).set_index("segment")
    assert abs(errors.loc["all", "error"]) < 0.01 and errors.loc["all", "customers"] == there.sum()


def test_orders_are_valued_only_where_there_are_enough_of_them():
    rng = np.random.default_rng(3)
    n = 600
    age = rng.integers(200, 700, n)
    orders = pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)], "age_days": age})
    rate = rng.gamma(1.0, 0.02, n)
    orders["repeat_orders"] = rng.poisson(rate * age)
    orders["recency_days"] = np.where(orders["repeat_orders"] > 0, (age * orders["repeat_orders"] / (orders["repeat_orders"] + 1)).astype(int), 0)
    orders["mean_order_amount"] = np.where(orders["repeat_orders"] > 0, rng.gamma(6, 10, n), np.nan)
    options = {"horizon_months": 60, "annual_discount_rate": 0.10, "margin": 0.8}
    values = transactional_estimates(orders, minimum=30, **options)
    assert len(values) == n and values["clv_amount"].between(0, np.inf).all()
    # With 1 ÷ (1 + a ÷ (b + x − 1) · ((α + T) ÷ (α + tx))^(r + x)), in weeks; nobody is let go before a repeat order.
    fit = fit_bg_nbd(orders["repeat_orders"].to_numpy(float), orders["recency_days"].to_numpy() / 7, orders["age_days"].to_numpy() / 7)
    x, last, age_in_weeks = orders.loc[orders["repeat_orders"] > 0, ["repeat_orders", "recency_days", "age_days"]].iloc[0] / [1, 7, 7]
    gone = fit.a / (fit.b + x - 1) * ((fit.alpha + age_in_weeks) / (fit.alpha + last)) ** (fit.r + x)
    assert values.loc[np.flatnonzero(orders["repeat_orders"] > 0)[0], "p_alive"] == pytest.approx(1 / (1 + gone))
    assert (values.loc[(orders["repeat_orders"] == 0).to_numpy(), "p_alive"] == 1).all()
    often, never = orders["repeat_orders"] > 10, orders["repeat_orders"] == 0
    assert values.loc[often.to_numpy(), "clv_amount"].median() > values.loc[never.to_numpy(), "clv_amount"].median()
    assert transactional_estimates(orders.head(29), minimum=30, **options).empty

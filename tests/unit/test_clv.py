"""Lifetime value: purchases or renewals times money, discounted, with an interval."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma

from orchestration.predict.clv import (
    BgNbd,
    GammaGamma,
    ShiftedBetaGeometric,
    contractual_clv,
    discounted_clv,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_sbg,
    interval,
)
from orchestration.predict.gamma_gamma import _likelihood
from tests.clv_data import simulate

BUYING, SPENDING = BgNbd(0.243, 4.414, 0.793, 2.426), GammaGamma(6.25, 3.74, 15.44)
few = settings(max_examples=20, deadline=None)


def spending(customers: int, p: float, q: float, v: float, seed: int):
    random = np.random.default_rng(seed)
    frequency = random.geometric(0.4, customers).astype(float)
    scale = random.gamma(q, 1 / v, customers)
    return frequency, random.gamma(p * frequency) / scale / frequency, p / scale


def test_clv_is_the_discounted_sum_of_the_periods():
    """Two months of 52/12 weeks at 1 %: 0.3 × value × ((Y₁ − 0)/1.01 + (Y₂ − Y₁)/1.01²)."""
    history = ([2, 0, 7], [30.43, 0, 20], [38.86, 10, 21])
    first, second = (BUYING.conditional_expected_purchases(month * 52 / 12, *history) for month in (1, 2))
    value = SPENDING.conditional_expected_value(history[0], [20, np.nan, 50])
    by_hand = 0.3 * value * (first / 1.01 + (second - first) / 1.01**2)
    clv = discounted_clv(BUYING, SPENDING, *history, [20, np.nan, 50], periods=2, discount_rate=0.01, margin=0.3, period_length=52 / 12)
    assert clv == pytest.approx(by_hand, rel=1e-12)
    # The first customer: 0.159 purchases in the first month and 0.152 in the second, 22.74 each.
    assert clv[0] == pytest.approx(0.3 * 22.736 * (0.15933 / 1.01 + 0.15216 / 1.0201), rel=1e-4)


@few
@given(st.integers(0, 40), st.floats(0, 1), st.floats(0.1, 200), st.floats(0.01, 1000), st.integers(1, 60))
def test_clv_without_discount_is_purchases_times_value(x, share, T, mean, periods):
    recency = share * T if x else 0.0
    clv = discounted_clv(BUYING, SPENDING, x, recency, T, mean, periods=periods, discount_rate=0, margin=1)
    expected = BUYING.conditional_expected_purchases(periods, x, recency, T) * SPENDING.conditional_expected_value(x, mean)
    assert clv == pytest.approx(expected, rel=1e-9)
    assert discounted_clv(BUYING, SPENDING, x, recency, T, mean, periods=periods, discount_rate=0.02, margin=0.5) <= clv / 2


def test_contractual_clv_by_hand():
    """DERL 7.530 × 100 a year × 80 % − 150 = 452.40."""
    model = ShiftedBetaGeometric(0.668, 3.806)
    assert contractual_clv(model, 7, 100, discount_rate=0.10, margin=0.8, acquisition_cost=150) == pytest.approx(452.40, abs=0.01)
    assert contractual_clv(model, [0, 7], [[100], [200]], discount_rate=0.10, margin=0.8).shape == (2, 2)


def test_expected_value_lies_between_the_customers_own_mean_and_everybodys():
    """6.25 × 15.44 ÷ 2.74 = 35.22 without a repeat purchase; after two of 20 on average 6.25 × (15.44 + 40) ÷ 15.24 = 22.74."""
    everybody = SPENDING.conditional_expected_value(0, None)
    assert SPENDING.conditional_expected_value(2, 20) == pytest.approx(22.74, abs=0.005)
    assert everybody == pytest.approx(6.25 * 15.44 / 2.74)
    values = SPENDING.conditional_expected_value([1, 2, 5, 100, 10**7], 80)
    assert (np.diff([everybody, *values, 80]) > 0).all()
    assert values[-1] == pytest.approx(80, rel=1e-6)


def test_without_a_finite_mean_there_is_no_value():
    heavy = GammaGamma(2, 0.9, 10)
    assert heavy.conditional_expected_value([0, 1], [0, 5]) == pytest.approx([np.inf, 2 * 15 / 1.9])
    with pytest.raises(ValueError, match="no finite mean"):
        discounted_clv(BUYING, heavy, 0, 0, 5, 0, periods=1, discount_rate=0, margin=1)


def test_the_gamma_gamma_likelihood_is_that_of_the_story():
    """Integrated over every scale ν: the mean of x purchases is gamma (px, νx), ν is gamma (q, v)."""
    p, q, v, x, mean = 3.0, 2.5, 20.0, 4, 31.0
    expected = quad(lambda nu: gamma.pdf(mean, p * x, scale=1 / (nu * x)) * gamma.pdf(nu, q, scale=1 / v), 0, np.inf)[0]
    value, _, _ = _likelihood(np.array([4.0]), np.array([mean]), np.ones(1))(np.log([p, q, v]))
    assert value == pytest.approx(np.log(expected), rel=1e-7)


def test_gamma_gamma_derivatives_are_those_of_the_likelihood():
    frequency, mean, _ = spending(200, 3, 2.5, 20, seed=0)
    likelihood, point, step = _likelihood(frequency, mean, np.arange(1.0, 201)), np.log([2.0, 3.0, 15.0]), 1e-5
    _, gradient, hessian = likelihood(point)
    for each, direction in enumerate(np.eye(3) * step):
        above, below = likelihood(point + direction), likelihood(point - direction)
        assert gradient[each] == pytest.approx((above[0] - below[0]) / (2 * step), abs=1e-7)
        assert hessian[each] == pytest.approx((above[1] - below[1]) / (2 * step), abs=1e-7)


def test_spending_comes_back_within_its_errors():
    frequency, mean, own = spending(20_000, 6, 4, 15, seed=2)
    fit = fit_gamma_gamma(frequency, mean)
    for name, true in {"p": 6, "q": 4, "v": 15}.items():
        assert abs(fit.parameters[name] - true) < 3 * fit.standard_errors[name]
    off = own - fit.conditional_expected_value(frequency, mean)
    assert abs(off.mean()) < 4 * off.std() / np.sqrt(len(off))
    assert off.var() < (own - mean).var()


@few
@given(st.integers(0, 10**6), st.floats(1e-4, 1e6))
def test_the_currency_moves_v_alone_and_weights_are_repetition(seed, currency):
    frequency, mean, _ = spending(150, 5, 4, 15, seed)
    times = np.random.default_rng(seed).integers(0, 4, 150)
    fit = fit_gamma_gamma(frequency, mean, weights=times)
    other = fit_gamma_gamma(np.repeat(frequency, times)[::-1], np.repeat(mean * currency, times)[::-1])
    assert other.log_likelihood == pytest.approx(fit.log_likelihood - times.sum() * np.log(currency), rel=1e-8, abs=1e-6)
    assert other.conditional_expected_value(3, 9 * currency) == pytest.approx(currency * fit.conditional_expected_value(3, 9), rel=1e-4)


def test_what_a_warehouse_hands_over_is_taken():
    """Decimals, Series with any index, and NULL for the mean of those who never bought again."""
    frequency = pd.Series([0, 2, 1, 0, 3, 1], index=list("fedcba"))
    mean = pd.Series([None, Decimal("20.50"), Decimal("9.99"), None, Decimal("31.00"), Decimal("5.25")])
    fit = fit_gamma_gamma(frequency, mean)
    assert fit.customers == 4
    assert fit.conditional_expected_value(frequency, mean).shape == (6,)


@pytest.mark.parametrize(
    ("frequency", "mean", "message"),
    [
        ([1, 2, 3, 4], [5, 5, 0, 5], "above 0 where frequency is"),
        ([1, 2, 3, 4], [5, 5, -1, 5], "above 0 where frequency is"),
        ([1, 2, 3, 4], [5, 5, np.nan, 5], "monetary_value holds 1 missing"),
        ([1, 2, -3, 4], [5, 5, 5, 5], "frequency must be at least 0"),
        ([1, 2, 0, 0], [5, 5, 5, 5], "at least 4 customers with repeat purchases, not 2"),
        ([1, 2, 3, 4], [5, 5, 5], "one value per customer each"),
        ([1, 2, 3, 4], ["a", "b", "c", "d"], "numbers only"),
    ],
)
def test_impossible_spending_is_refused(frequency, mean, message):
    with pytest.raises(ValueError, match=message):
        fit_gamma_gamma(frequency, mean)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"periods": 0}, "periods must be at least 1"),
        ({"periods": 1.5}, "whole number"),
        ({"margin": 80}, "margin is a share"),
        ({"margin": -0.1}, "margin must be at least 0"),
        ({"discount_rate": -0.1}, "discount_rate must be at least 0"),
    ],
)
def test_impossible_horizons_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        discounted_clv(BUYING, SPENDING, 1, 1, 2, 5, **{"periods": 1, "discount_rate": 0.1, "margin": 0.5} | change)


def test_intervals_cover_the_truth_as_often_as_they_say():
    truth = ShiftedBetaGeometric(0.7, 3.8)
    chances, covered, samples = -np.diff([*truth.survival(np.arange(9)), 0]), 0, 200
    for seed in range(samples):
        left = np.random.default_rng(seed).multinomial(2000, chances)
        low, high = interval(lambda model: model.derl(3, 0.1), fit_sbg(2000 - np.cumsum([0, *left[:-1]])), level=0.9)
        covered += low <= truth.derl(3, 0.1) <= high
    assert 0.84 <= covered / samples <= 0.96


def test_ten_times_the_customers_are_about_three_times_as_sure():
    percent = np.array([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1])
    hundred, thousand = (interval(lambda model: model.derl(7, 0.1), fit_sbg(percent * times)) for times in (1, 10))
    assert hundred == pytest.approx((6.03, 9.40), abs=0.005)
    assert thousand == pytest.approx((7.02, 8.08), abs=0.005)
    assert np.log(hundred[1] / hundred[0]) == pytest.approx(np.sqrt(10) * np.log(thousand[1] / thousand[0]))


def test_the_interval_of_a_parameter_is_that_of_its_standard_error():
    fit = fit_sbg([1000, 631, 468, 382, 326])
    low, high = interval(lambda model: model.alpha, fit)
    assert np.log(high / low) / 2 == pytest.approx(1.959964 * fit.standard_errors["alpha"] / fit.alpha, rel=1e-6)


def test_an_interval_takes_the_uncertainty_of_both_models():
    frequency, recency, T, _ = simulate(2000, r=0.6, alpha=8.0, a=0.9, b=2.5, T=(20, 80), seed=5)
    mean = np.where(frequency > 0, 20.0, 0) * np.random.default_rng(0).uniform(0.5, 2, 2000)
    buying, money = fit_bg_nbd(frequency, recency, T), fit_gamma_gamma(frequency, mean)

    def value(buying, money):
        return discounted_clv(buying, money, frequency[:50], recency[:50], T[:50], mean[:50], periods=12, discount_rate=0.01, margin=0.5)

    low, high = interval(value, buying, money)
    narrow, wide = interval(lambda buying: value(buying, money), buying)
    assert low.shape == (50,)
    assert (low < narrow).all()
    assert (wide < high).all()
    assert (narrow < value(buying, money)).all()


def test_no_interval_without_a_fit():
    with pytest.raises(ValueError, match="BgNbd has no covariance"):
        interval(lambda model: model.r, BUYING)
    with pytest.raises(ValueError, match="level is a share"):
        interval(lambda model: model.alpha, fit_sbg([100, 60, 40, 30]), level=95)
    assert all(np.isnan(error) for error in BUYING.standard_errors.values())

"""Survival under a contract: what the two models say at any size, and that fitting them finds the maximum."""

from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import betaln, hyp2f1

from orchestration.predict.clv import BetaDiscreteWeibull, ShiftedBetaGeometric, fit_bdw, fit_sbg
from orchestration.predict.gamma_ratio import log_gamma_ratio, log_gamma_ratio_slopes
from orchestration.predict.survival_fit import _likelihood, _log_retention_bdw, _log_retention_sbg

parameter = st.floats(-7, 7).map(np.exp)
clock = st.floats(-1.5, 1.5).map(np.exp)
few = settings(max_examples=20, deadline=None)


@st.composite
def survival_tables(draw):
    """Customers left after 0, 1, … periods, from any rates of churn."""
    customers, rates = draw(st.integers(50, 5000)), draw(st.lists(st.floats(0.01, 0.6), min_size=4, max_size=30))
    random = np.random.default_rng(draw(st.integers(0, 10**6)))
    table = [customers]
    for rate in rates:
        table.append(int(random.binomial(table[-1], 1 - rate)))
    assume(table[3] > 0)
    return np.array(table)


def simulated(model, customers, periods, seed):
    left = np.random.default_rng(seed).multinomial(customers, -np.diff([*model.survival(np.arange(periods + 1)), 0]))
    return customers - np.cumsum([0, *left[:-1]])


@settings(max_examples=60, deadline=None)
@given(parameter, parameter, clock)
def test_survival_falls_from_one_towards_zero(alpha, beta, c):
    for model in (ShiftedBetaGeometric(alpha, beta), BetaDiscreteWeibull(alpha, beta, c)):
        survival = model.survival(np.arange(500))
        assert survival[0] == 1
        assert survival.min() >= 0
        assert (np.diff(survival) <= 1e-15).all()
        rates = model.retention_rate(np.arange(1, 500))
        assert (rates >= 0).all()
        assert (rates <= 1 + 1e-15).all()
        assert np.exp(np.log(rates[:50]).sum()) == pytest.approx(survival[50], rel=1e-9, abs=1e-300)


@few
@given(parameter, parameter, st.integers(0, 10**6))
def test_shifted_beta_geometric_in_closed_form(alpha, beta, t):
    model = ShiftedBetaGeometric(alpha, beta)
    assert model.retention_rate(t + 1) == pytest.approx((beta + t) / (alpha + beta + t), rel=1e-9)
    assert model.survival(t) == pytest.approx(np.exp(betaln(alpha, beta + t) - betaln(alpha, beta)), rel=1e-5)


@few
@given(parameter, parameter, st.integers(0, 2000), st.floats(1e-4, 0.5))
def test_a_weibull_clock_of_one_is_the_simpler_model(alpha, beta, renewals, rate):
    simple, weibull = ShiftedBetaGeometric(alpha, beta), BetaDiscreteWeibull(alpha, beta, 1)
    t = np.arange(1, 100)
    assert (simple.survival(t) == weibull.survival(t)).all()
    assert (simple.retention_rate(t) == weibull.retention_rate(t)).all()
    assert simple.derl(renewals, rate) == weibull.derl(renewals, rate)


@few
@given(parameter, parameter, clock, st.integers(0, 3000), st.floats(1e-3, 2))
def test_a_residual_lifetime_is_a_renewal_and_the_lifetime_after_it(alpha, beta, c, renewals, rate):
    for model in (ShiftedBetaGeometric(alpha, beta), BetaDiscreteWeibull(alpha, beta, c)):
        now, then = model.derl([renewals, renewals + 1], rate)
        assert now == pytest.approx(model.retention_rate(renewals + 1) * (1 + then / (1 + rate)), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize(("alpha", "beta"), [(0.668, 3.806), (0.704, 1.182), (3.3, 41.0), (0.02, 0.6)])
def test_residual_lifetime_is_the_published_hypergeometric(alpha, beta):
    t, rate = np.array([[0], [1], [7], [60]]), np.array([0.001, 0.008, 0.1, 0.5])
    closed = (beta + t) / (alpha + beta + t) * hyp2f1(1, beta + t + 1, alpha + beta + t + 1, 1 / (1 + rate))
    assert ShiftedBetaGeometric(alpha, beta).derl(t, rate) == pytest.approx(closed, rel=1e-10)


def test_residual_lifetime_by_hand():
    """α = β = 1: S(t) = 1/(1+t). After one renewal at 100 %: 2/3 + 2/4 ÷ 2 + 2/5 ÷ 4 + … = 2 Σ 1/((3+s) 2ˢ)."""
    expected = 2 * (8 * (np.log(2) - 1 / 2 - 1 / 8))
    assert ShiftedBetaGeometric(1, 1).derl(1, 1.0) == pytest.approx(expected, rel=1e-12)
    assert BetaDiscreteWeibull(1, 1, 1).derl([[1], [1]], [1.0, 1.0]) == pytest.approx(np.full((2, 2), expected), rel=1e-12)


@settings(max_examples=8, deadline=None)
@given(survival_tables())
def test_fits_are_at_the_maximum(table):
    """No other search finds a higher point, and the richer model is never below the simpler."""
    simple, weibull = fit_sbg(table), fit_bdw(table)
    assert weibull.log_likelihood >= simple.log_likelihood - 1e-9 * table[0]
    for fit, retention in ((simple, _log_retention_sbg), (weibull, _log_retention_bdw)):
        likelihood = _likelihood(-np.diff(table), table[1:], table[0], retention(len(table) - 1))
        downhill = partial(_downhill, likelihood)
        bounds = [(-10, 10), (-10, 10), (-2.3, 2.3)][: len(fit.parameters)]
        found = minimize(downhill, np.full(len(bounds), 0.5), jac=True, method="L-BFGS-B", bounds=bounds)
        assert fit.log_likelihood >= -(found.fun + 1e-7) * table[0]


def _downhill(likelihood, point):
    value, gradient, _ = likelihood(point)
    return -value, -gradient


@few
@given(survival_tables(), st.integers(2, 50))
def test_a_multiple_of_the_customers_is_the_same_model(table, times):
    fit, many = fit_sbg(table), fit_sbg(table * times)
    assert many.log_likelihood == pytest.approx(fit.log_likelihood * times, rel=1e-9)
    assert many.survival([1, 5, 20]) == pytest.approx(fit.survival([1, 5, 20]), rel=1e-4)


@pytest.mark.parametrize(("retention", "point"), [(_log_retention_sbg, [0.7, 3.0]), (_log_retention_bdw, [0.7, 3.0, 1.4])])
def test_derivatives_are_those_of_the_likelihood(retention, point):
    left, stayed = np.array([9.0, 7, 0, 12, 3]), np.array([80.0, 60, 55, 20, 11])
    likelihood, step = _likelihood(left, stayed, 100, retention(5)), 1e-5
    _, gradient, hessian = likelihood(np.log(point))
    for each, direction in enumerate(np.eye(len(point)) * step):
        above, below = likelihood(np.log(point) + direction), likelihood(np.log(point) - direction)
        assert gradient[each] == pytest.approx((above[0] - below[0]) / (2 * step), abs=1e-7)
        assert hessian[each] == pytest.approx((above[1] - below[1]) / (2 * step), abs=1e-7)


@pytest.mark.parametrize("truth", [ShiftedBetaGeometric(0.7, 3.8), BetaDiscreteWeibull(0.6, 2.0, 1.5)])
def test_parameters_come_back_and_errors_are_their_spread(truth):
    fit = fit_sbg if isinstance(truth, ShiftedBetaGeometric) else fit_bdw
    fits = [fit(simulated(truth, 20_000, 12, seed)) for seed in range(60)]
    for name, true in truth.parameters.items():
        estimates = np.log([getattr(each, name) for each in fits])
        claimed = np.median([each.standard_errors[name] / getattr(each, name) for each in fits])
        assert abs(estimates.mean() - np.log(true)) < 4 * claimed / np.sqrt(60)
        assert claimed == pytest.approx(estimates.std(), rel=0.3)


def test_cohorts_of_any_age_add_up():
    """Two halves of one cohort are the cohort; a cohort cut short says what it saw and no more."""
    table = np.array([1000.0, 631, 468, 382, 326])
    assert fit_sbg([table / 2, table / 2]).log_likelihood == pytest.approx(fit_sbg(table).log_likelihood)
    young = np.array([1000.0, 631, 468, np.nan, np.nan])
    both = fit_sbg([table, young])
    assert both.customers == 2000
    left, stayed = np.array([738.0, 326, 86, 56]), np.array([1262.0, 936, 382, 326])
    by_hand = stayed @ np.log(both.retention_rate(np.arange(1, 5))) + left @ np.log1p(-both.retention_rate(np.arange(1, 5)))
    assert both.log_likelihood == pytest.approx(by_hand)


def test_a_constant_rate_of_churn_has_a_limit_not_an_error():
    fit = fit_sbg(10_000 * 0.9 ** np.arange(8))
    assert fit.at_limit
    assert fit.retention_rate([1, 20]) == pytest.approx(0.9, abs=0.001)
    assert all(np.isnan(fit.standard_errors[name]) for name in fit.at_limit)


@pytest.mark.parametrize(
    ("survivors", "message"),
    [
        ([100, 80, 85], "grow from one period"),
        ([100, -1, -2], "at least 0"),
        ([100, np.nan, 50], "missing"),
        ([[100, np.nan, 50]], "gap"),
        ([[np.nan, 90, 50]], "gap"),
        ([100, 90], "at least 2 renewals"),
        ([], "one row"),
        (5, "one row"),
        ([0, 0, 0], "at least 2 renewals"),
        ([9, 9, 9, 9], "nobody ever left"),
        ([[5, 4, 3], [5, 4]], "numbers only"),
        (["many", "few"], "numbers only"),
    ],
)
def test_impossible_tables_are_refused(survivors, message):
    with pytest.raises(ValueError, match=message):
        fit_sbg(survivors)
    with pytest.raises(ValueError, match=message.replace("2 renewals", "3 renewals")):
        fit_bdw(survivors)


def test_impossible_questions_are_refused():
    model = ShiftedBetaGeometric(1, 1)
    with pytest.raises(ValueError, match="t must be at least 0"):
        model.survival(-1)
    with pytest.raises(ValueError, match="t must be at least 1"):
        model.retention_rate(0)
    with pytest.raises(ValueError, match=r"discount_rate must be at least 0\.0001"):
        model.derl(1, 0)
    with pytest.raises(ValueError, match="whole numbers"):
        model.derl(1.5, 0.1)
    with pytest.raises(ValueError, match="c must be positive"):
        BetaDiscreteWeibull(1, 1, 0)


@pytest.mark.parametrize(("z", "a"), [(0.5, 4), (29.5, 5), (31.0, 3), (1e6, 2000), (1e10, 7), (1e15, 12)])
def test_gamma_ratios_are_the_products_they_stand_for(z, a):
    """Γ(z+a)/Γ(z) = z (z+1) … (z+a−1) for whole a."""
    factors = z + np.arange(a)
    first, second = log_gamma_ratio_slopes(np.array([z]), a)
    assert log_gamma_ratio(np.array([z]), a)[0] == pytest.approx(np.log(factors).sum(), rel=1e-13)
    assert first[0] == pytest.approx((1 / factors).sum(), rel=1e-12)
    assert second[0] == pytest.approx(-(1 / factors**2).sum(), rel=1e-12)

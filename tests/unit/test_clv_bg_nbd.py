"""BG/NBD: the likelihood is that of the model's story, the search finds its maximum, and what follows from it holds at any size."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import roots_genlaguerre, roots_jacobi
from scipy.stats import beta

from orchestration.predict.bg_nbd_likelihood import bg_nbd_likelihood
from orchestration.predict.bg_nbd_purchases import _term_by_term, purchases_while_active
from orchestration.predict.checks import cells, distinct
from orchestration.predict.clv import BgNbd, fit_bg_nbd
from tests.clv_data import simulate

TRUTH = {"r": 0.6, "alpha": 8.0, "a": 0.9, "b": 2.5}
few = settings(max_examples=20, deadline=None)


@pytest.fixture(scope="module")
def simulated():
    return simulate(20_000, **TRUTH, T=(20, 80), ahead=40, seed=1)


@pytest.fixture(scope="module")
def model(simulated):
    return fit_bg_nbd(*simulated[:3])


@pytest.mark.parametrize(("x", "last", "observed"), [(0, 0, 5), (1, 2, 5), (3, 4.5, 6)])
def test_the_likelihood_is_that_of_the_story(x, last, observed):
    """Integrated over every rate λ and dropout probability p: x purchases at λ, staying after all but the last, then still active or not."""
    r, alpha, a, b = 0.8, 3.0, 1.4, 2.2

    dropout, dropout_weight = roots_jacobi(30, b - 1, a - 1)
    scaled_rate, rate_weight = roots_genlaguerre(100, r - 1)
    p, rate = (1 + dropout[:, None]) / 2, scaled_rate / alpha
    still_active = (1 - p) ** x * rate**x * np.exp(-rate * observed)
    dropped_out = p * (1 - p) ** (x - 1) * rate**x * np.exp(-rate * last) if x else 0
    expected = np.log(dropout_weight @ (still_active + dropped_out) @ rate_weight / dropout_weight.sum() / rate_weight.sum())
    value, _, _ = bg_nbd_likelihood(*np.atleast_2d([float(x), last, observed, 1.0]).T)(np.log([r, alpha, a, b]))
    assert value == pytest.approx(expected, rel=1e-9)


def test_derivatives_are_those_of_the_likelihood():
    frequency, recency, T, _ = simulate(300, **TRUTH, T=(5, 50), seed=3)
    likelihood = bg_nbd_likelihood(frequency, recency, T, np.arange(1.0, 301))
    point, step = np.log([0.3, 5.0, 1.5, 0.7]), 1e-5
    _, gradient, hessian = likelihood(point)
    for each, direction in enumerate(np.eye(4) * step):
        above, below = likelihood(point + direction), likelihood(point - direction)
        assert gradient[each] == pytest.approx((above[0] - below[0]) / (2 * step), abs=1e-8)
        assert hessian[each] == pytest.approx((above[1] - below[1]) / (2 * step), abs=1e-8)


def test_parameters_come_back_within_their_errors(model):
    for name, true in TRUTH.items():
        assert abs(model.parameters[name] - true) < 3 * model.standard_errors[name]


def test_standard_errors_are_the_spread_of_the_estimates():
    fits = [fit_bg_nbd(*simulate(3000, **TRUTH, T=(40, 80), seed=seed)[:3]) for seed in range(120)]
    for name in TRUTH:
        spread = np.std(np.log([getattr(fit, name) for fit in fits]))
        claimed = np.median([fit.standard_errors[name] / getattr(fit, name) for fit in fits])
        assert claimed == pytest.approx(spread, rel=0.25)


def test_expected_purchases_come_true(model, simulated):
    frequency, recency, T, later = simulated
    expected = model.conditional_expected_purchases(40, frequency, recency, T)
    bands = np.digitize(expected, np.quantile(expected, [0.25, 0.5, 0.75, 0.9]))
    for band in range(5):
        inside = bands == band
        error = later[inside].std() / np.sqrt(inside.sum())
        assert abs(later[inside].mean() - expected[inside].mean()) < 4 * error


def test_who_bought_again_had_been_alive(model, simulated):
    frequency, recency, T, later = simulated
    alive = model.probability_alive(frequency, recency, T)
    assert later[alive < 0.05].sum() < 0.01 * later.sum()
    assert alive[later > 0].mean() > alive[later == 0].mean() + 0.1


@pytest.mark.parametrize("kinds", [1, 300, 10**9])
@pytest.mark.parametrize("rows", [0, 1, 200_000])
def test_cells_hold_every_row_and_its_weight(rows, kinds):
    """Few kinds of rows collapse; where all differ they stay as they are."""
    first, second = np.random.default_rng(0).integers(0, kinds, (2, rows)).astype(float)
    distinct_rows, index = distinct(first, second)
    assert (distinct_rows[0][index] == first).all()
    assert (distinct_rows[1][index] == second).all()
    collapsed, weight = cells(np.full(rows, 2.0), first, second)
    assert weight.sum() == 2 * rows
    if kinds < rows:
        assert len(set(zip(*collapsed, strict=True))) == len(weight) <= kinds**2


@few
@given(st.integers(0, 10**6))
def test_weights_are_repetition_and_order_is_none(seed):
    random = np.random.default_rng(seed)
    history = np.array(simulate(200, **TRUTH, T=(20, 80), seed=seed)[:3])
    times = random.integers(0, 4, 200)
    assume(history[0][times > 0].any())
    weighted = fit_bg_nbd(*history, weights=times)
    repeated = fit_bg_nbd(*random.permutation(np.repeat(history, times, axis=1), axis=1))
    assert weighted.log_likelihood == pytest.approx(repeated.log_likelihood, rel=1e-9)
    assert weighted.customers == repeated.customers == times.sum()
    assert weighted.conditional_expected_purchases(10, 2, 5, 20) == pytest.approx(repeated.conditional_expected_purchases(10, 2, 5, 20), rel=1e-4)


@few
@given(st.integers(0, 10**6), st.floats(1e-3, 1e3))
def test_the_unit_of_time_moves_alpha_alone(seed, unit):
    history = np.array(simulate(1000, **TRUTH, T=(20, 80), seed=seed)[:3])
    fit, other = fit_bg_nbd(*history), fit_bg_nbd(history[0], history[1] * unit, history[2] * unit)
    assume(not fit.at_limit)
    assert (other.r, other.alpha, other.a, other.b) == pytest.approx((fit.r, fit.alpha * unit, fit.a, fit.b), rel=1e-4)
    assert other.log_likelihood == pytest.approx(fit.log_likelihood - history[0].sum() * np.log(unit), rel=1e-9)


parameter = st.floats(-7, 7).map(np.exp)


@settings(max_examples=100, deadline=None)
@given(parameter, parameter, parameter, parameter, st.integers(0, 5000), st.floats(0, 1), st.floats(0, 1e4), st.floats(0, 1e6))
def test_predictions_are_possible_ones(r, alpha, a, b, x, share, T, t):
    model = BgNbd(r, alpha, a, b)
    recency = share * T if x else 0.0
    assert 0 <= model.probability_alive(x, recency, T) <= 1
    soon, late = model.conditional_expected_purchases([t, 2 * t + 1], x, recency, T)
    if_nobody_left = (r + x) * (2 * t + 1) / (alpha + T)
    assert 0 <= soon <= late * (1 + 1e-9) + 1e-12
    assert late <= if_nobody_left * (1 + 1e-6)


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(-1.5, 4), st.floats(-1.5, 4), st.integers(0, 3000), st.floats(-6, 4))
def test_purchases_are_the_integral_over_dropout(log_r, log_a, log_b, x, log_s):
    """E[(1 − (1+ps)^−(r+x)) / p] over p ~ beta(a, b+x): who drops out with probability p at each purchase, at a gamma rate."""
    r, a, b, s = np.exp([log_r, log_a, log_b, log_s])
    mode = np.clip((a - 1) / (a + b + x - 2), 1e-9, 1 - 1e-9) if a > 1 and b + x > 1 else a / (a + b + x)

    def of_one(p):
        return -np.expm1(-(r + x) * np.log1p(p * s)) / p * beta.pdf(p, a, b + x)

    width = np.sqrt(a * (b + x) / (a + b + x + 1)) / (a + b + x)
    edges = np.unique(np.clip([0, mode - 8 * width, mode - width, mode, mode + width, mode + 8 * width, 1], 0, 1))
    expected = sum(quad(of_one, low, high, limit=200)[0] for low, high in pairwise(edges))
    assert purchases_while_active(np.array([s]), np.array([float(x)]), r, a, b)[0] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("a", [1 - 1e-7, 1 - 1e-13, 1.0, 1 + 1e-13, 1 + 1e-7])
def test_nothing_happens_at_a_equal_to_one(a):
    s, x = np.array([0.01, 1.0, 100.0]), np.array([0.0, 3.0, 0.0])
    around = (purchases_while_active(s, x, 0.5, 0.999, 2.0) + purchases_while_active(s, x, 0.5, 1.001, 2.0)) / 2
    assert purchases_while_active(s, x, 0.5, a, 2.0) == pytest.approx(around, rel=1e-5)


@pytest.mark.parametrize("off", [-1e-10, -1e-14, 0, 1e-16, 1e-14, 1e-12, 1e-9])
@pytest.mark.parametrize(("r", "a"), [(0.5, 1.5), (0.3, 2.3), (0.7, 0.7), (1.0, 1.0)])
def test_nothing_happens_at_r_minus_a_next_to_a_whole_number(r, a, off):
    """There SciPy's ₂F₁ is off by up to 1 %."""
    s, x = np.array([0.01, 1.0, 30.0, 1000.0]), np.array([3.0, 0.0, 3.0, 0.0])
    around = (purchases_while_active(s, x, r - 1e-4, a, 2.0) + purchases_while_active(s, x, r + 1e-4, a, 2.0)) / 2
    assert purchases_while_active(s, x, r * (1 + off), a, 2.0) == pytest.approx(around, rel=1e-6)


def test_nothing_happens_at_a_plus_b_equal_to_one():
    s, x = np.array([0.01, 1.0, 100.0]), np.zeros(3)
    assert purchases_while_active(s, x, 0.5, 0.4, 0.6) == pytest.approx(purchases_while_active(s, x, 0.5, 0.4, 0.6 + 1e-9), rel=1e-7)


def test_terms_take_over_where_the_closed_form_overflows():
    """With so long a time ahead everybody drops out, after E[1/p] purchases, p ~ beta(2,000, 7,000)."""
    expected = purchases_while_active(np.array([2.0, 1e6]), np.array([5000.0, 5000.0]), 1.0, 2000.0, 2000.0)
    assert np.isfinite(expected).all()
    mean_of_one_over_p = (2000 + 7000 - 1) / (2000 - 1)
    assert expected == pytest.approx(mean_of_one_over_p, rel=1e-9)


@pytest.mark.parametrize(("r", "a", "b", "x", "s"), [(0.2, 1.4, 2, 0, 1e5), (3, 2.5, 9, 40, 7), (0.5, 1.8, 0.4, 4000, 300), (11, 30, 80, 2, 0.01)])
def test_term_by_term_is_the_closed_form(r, a, b, x, s):
    ahead, purchases = np.array([float(s)]), np.array([float(x)])
    closed = purchases_while_active(ahead, purchases, r, a, b)
    assert _term_by_term(ahead, r + purchases, a, b + purchases) == pytest.approx(closed, rel=1e-9)


def test_customers_who_never_drop_out_have_a_limit_not_an_error():
    random = np.random.default_rng(0)
    rate = random.gamma(2, 0.1, 2000)
    T = random.uniform(20, 60, 2000)
    frequency = random.poisson(rate * T).astype(float)
    recency = np.where(frequency > 0, T * random.beta(np.maximum(frequency, 1), 1), 0)
    fit = fit_bg_nbd(frequency, recency, T)
    assert "a" in fit.at_limit or fit.a / (fit.a + fit.b) < 0.01
    assert (fit.r, fit.alpha) == pytest.approx((2, 10), rel=0.15)
    assert fit.expected_purchases(10) == pytest.approx(2, rel=0.05)
    assert all(np.isnan(fit.standard_errors[name]) for name in fit.at_limit)


def test_arrays_in_arrays_out_scalars_in_scalars_out(model):
    assert np.ndim(model.probability_alive(2, 3.0, 9.0)) == 0
    assert model.conditional_expected_purchases([[1], [2]], [0, 1, 2], [0, 1, 2.0], 5).shape == (2, 3)
    assert model.expected_purchases([0, 1, 2]).shape == (3,)
    assert model.expected_purchases(0) == 0
    assert model.conditional_expected_purchases(1, [], [], []).shape == (0,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recency": 99.0}, "recency is later than T"),
        ({"frequency": -1}, "frequency must be at least 0"),
        ({"frequency": 1.5}, "whole numbers"),
        ({"frequency": 0}, "recency must be 0 where frequency is 0"),
        ({"recency": np.nan}, "recency holds . missing or infinite"),
        ({"T": np.inf}, "T holds . missing or infinite"),
        ({"T": None}, "T holds . missing or infinite"),
        ({"T": "long"}, "T must hold numbers"),
        ({"recency": -1.0}, "recency must be at least 0"),
    ],
)
def test_impossible_histories_are_refused(model, change, message):
    history = {"frequency": 1, "recency": 2.0, "T": 9.0} | change
    with pytest.raises(ValueError, match=message):
        model.probability_alive(**history)
    with pytest.raises(ValueError, match=message):
        fit_bg_nbd(*([value] * 9 for value in history.values()))


def test_too_little_is_refused():
    with pytest.raises(ValueError, match="at least 5 customers, not 3"):
        fit_bg_nbd([1, 0, 2], [1, 0, 2], [3, 3, 3])
    with pytest.raises(ValueError, match="at least 5 customers, not 0"):
        fit_bg_nbd([], [], [])
    with pytest.raises(ValueError, match="nobody bought a second time"):
        fit_bg_nbd(np.zeros(9), np.zeros(9), np.ones(9))
    with pytest.raises(ValueError, match="no time has passed"):
        fit_bg_nbd(np.ones(9), np.zeros(9), np.zeros(9))
    with pytest.raises(ValueError, match="one value per customer each"):
        fit_bg_nbd(np.ones(9), np.ones(9), np.ones(8))
    with pytest.raises(ValueError, match="weights must be at least 0"):
        fit_bg_nbd(np.ones(9), np.ones(9), np.ones(9), weights=np.full(9, -1))
    with pytest.raises(ValueError, match="alpha must be positive"):
        BgNbd(1, -1, 1, 1)
    with pytest.raises(ValueError, match="t must be at least 0"):
        BgNbd(1, 1, 1, 1).expected_purchases(-1)

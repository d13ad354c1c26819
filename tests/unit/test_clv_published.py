"""CLV models against what their authors published."""

import numpy as np
import pytest

from orchestration.predict.clv import BgNbd, GammaGamma, ShiftedBetaGeometric, fit_bdw, fit_bg_nbd, fit_gamma_gamma, fit_sbg
from tests.clv_data import cdnow

# Fader and Hardie (2007), Table 1: % of customers surviving 0, 1, … years.
HIGH_END = np.array([100, 86.9, 74.3, 65.3, 59.3, 55.1, 51.7, 49.1])
REGULAR = np.array([100, 63.1, 46.8, 38.2, 32.6, 28.9, 26.2, 24.1])


@pytest.fixture(scope="module")
def customers():
    return cdnow()


@pytest.mark.parametrize(("percent", "alpha", "beta"), [(HIGH_END, 0.668, 3.806), (REGULAR, 0.704, 1.182)])
def test_shifted_beta_geometric(percent, alpha, beta):
    model = fit_sbg(percent)
    assert (model.alpha, model.beta) == pytest.approx((alpha, beta), abs=6e-4)
    thousand = fit_sbg(percent * 10)
    assert (thousand.alpha, thousand.beta) == pytest.approx((model.alpha, model.beta), rel=1e-7)
    assert thousand.standard_errors["alpha"] == pytest.approx(model.standard_errors["alpha"] / np.sqrt(10), rel=1e-6)


def test_projection_of_the_next_five_years():
    assert fit_sbg(HIGH_END).survival(np.arange(8, 13)) * 100 == pytest.approx([46.0, 43.6, 41.4, 39.5, 37.8], abs=0.051)


def test_five_years_as_in_the_spreadsheet_guide():
    """Fader and Hardie (2014), A Spreadsheet-Literate Non-Statistician's Guide to the Beta-Geometric Model."""
    model = fit_sbg([1000, 631, 468, 382, 326])
    assert (model.alpha, model.beta) == pytest.approx((0.764, 1.296), abs=6e-4)


def test_discounted_expected_residual_lifetime():
    assert ShiftedBetaGeometric(0.668, 3.806).derl(7, 0.10) == pytest.approx(7.530, abs=6e-4)
    assert fit_sbg(HIGH_END).derl(7, 0.10) == pytest.approx(7.530, rel=1e-3)


@pytest.mark.parametrize(("percent", "published"), [(HIGH_END, (0.259, 1.722, 1.584)), (REGULAR, (0.523, 0.894, 1.196))])
def test_beta_discrete_weibull(percent, published):
    """Fader, Hardie, Liu, Davin and Steenburgh (2018): the same customers, fitted on the first five years of the table."""
    model = fit_bdw(percent[:5])
    assert (model.alpha, model.beta, model.c) == pytest.approx(published, rel=0.002)


def test_the_weibull_clock_projects_high_end_better():
    """39.4 % were left after twelve years (Fader and Hardie 2007); from five years the simpler model says 30.7 %, this one 38.9 %."""
    assert fit_sbg(HIGH_END[:5]).survival(12) == pytest.approx(0.307, abs=5e-4)
    assert fit_bdw(HIGH_END[:5]).survival(12) == pytest.approx(0.389, abs=5e-4)


def test_the_cdnow_sample_is_the_published_one(customers):
    bought_again = customers["frequency"] > 0
    assert (len(customers), bought_again.sum(), customers["frequency"].sum()) == (2357, 946, 2457)
    assert customers.loc[bought_again, "monetary_value"].mean() == pytest.approx(35.08, abs=0.005)


def test_bg_nbd_on_cdnow(customers):
    """Fader, Hardie and Lee (2005), Table 2."""
    model = fit_bg_nbd(customers["frequency"], customers["recency"], customers["T"])
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=6e-4)
    assert model.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert model.conditional_expected_purchases(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=6e-4)
    assert model.at_limit == ()
    assert model.customers == 2357


def test_conditional_expectation_at_the_published_parameters():
    model = BgNbd(0.243, 4.414, 0.793, 2.426)
    assert model.conditional_expected_purchases(39, 2, 30.43, 38.86) == pytest.approx(1.226, abs=1e-3)
    assert model.probability_alive(2, 30.43, 38.86) == pytest.approx(1 / (1 + 0.793 / 3.426 * (43.274 / 34.844) ** 2.243))  # = 0.727


def test_gamma_gamma_on_cdnow(customers):
    """Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value."""
    model = fit_gamma_gamma(customers["frequency"], customers["monetary_value"])
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=6e-3)
    assert model.customers == 946


def test_mean_value_of_a_purchase_at_the_published_parameters():
    assert GammaGamma(6.25, 3.74, 15.44).conditional_expected_value(0, np.nan) == pytest.approx(35.2, abs=0.05)

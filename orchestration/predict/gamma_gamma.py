"""Gamma-Gamma: what a purchase of a customer is worth on average, from the few that were seen.

Here belongs fitting the model and what it says about customers; not how often they buy (bg_nbd.py).

Source: Fader, Hardie and Lee (2005), RFM and CLV: Using Iso-Value Curves for Customer Base Analysis, Journal of Marketing Research 42(4);
Fader and Hardie (2013), The Gamma-Gamma Model of Monetary Value (brucehardie.com/notes/025). The value of a purchase varies around the
customer's own mean, gamma (p, ν); ν varies across customers, gamma (q, v); both independently of how often they buy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln, zeta

from orchestration.predict.checks import Floats, cells, counts, numbers, together, weighted_rows
from orchestration.predict.maximum_likelihood import FittedModel, Likelihood, maximise

MINIMUM_CUSTOMERS = 4  # one more than there are parameters; what is enough to be trusted is the caller's rule


@dataclass(frozen=True)
class GammaGamma(FittedModel):
    """A Gamma-Gamma model. `v` is in the currency of the data; the others have no unit."""

    p: float
    q: float
    v: float

    def conditional_expected_value(self, frequency: ArrayLike, monetary_value: ArrayLike) -> Floats:
        """Expected mean value of a customer's purchases, given `frequency` of them with the mean `monetary_value`.

        Between the customer's own mean and everybody's, the nearer to their own the more purchases were seen; everybody's without any
        (`monetary_value` is then not looked at, and may be missing). Infinite where q is too small for a mean to exist. Arrays that
        broadcast; ValueError as in `fit_gamma_gamma`.
        """
        x, mean = _spending(frequency, monetary_value)
        existing = self.p * x + self.q - 1
        with np.errstate(divide="ignore"):
            return np.where(existing > 0, self.p * (self.v + x * mean) / np.maximum(existing, 0), np.inf)[()]


def fit_gamma_gamma(frequency: ArrayLike, monetary_value: ArrayLike, weights: ArrayLike | None = None) -> GammaGamma:
    """The Gamma-Gamma model of highest likelihood.

    frequency: purchases behind the mean, by convention the repeat purchases, as in `fit_bg_nbd`; customers with none say nothing and are
    left out. monetary_value: their mean value, in one currency. weights: how many customers each row stands for. All of shape (customers,).

    ValueError: negative, fractional or missing counts, values of 0 or less, or fewer than 4 customers with purchases.
    """
    (x, mean), weight = weighted_rows(weights, *_spending(frequency, monetary_value))
    bought = x > 0
    (x, mean), weight = cells(weight[bought], x[bought], mean[bought])
    customers = weight.sum()
    if customers < MINIMUM_CUSTOMERS:
        raise ValueError(f"Gamma-Gamma needs at least {MINIMUM_CUSTOMERS} customers with repeat purchases, not {customers:g}")
    unit = np.exp(weight @ np.log(mean) / customers)  # the geometric mean: a few large values do not move it
    maximum = maximise(_likelihood(x, mean / unit, weight), [(3.0, 3.0, 1.0), (1.0, 1.5, 1.0), (30.0, 10.0, 0.3)])
    return GammaGamma.from_maximum(maximum, customers=customers, scale={"v": unit}, constant=-float(customers) * np.log(unit))


def _spending(frequency: ArrayLike, monetary_value: ArrayLike) -> tuple[Floats, ...]:
    """Both of one shape, with 1 for the mean that customers without purchases do not have."""
    try:
        given = np.asarray(monetary_value, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("monetary_value must hold numbers only") from None
    x, given = together(frequency=counts("frequency", frequency), monetary_value=given)
    mean = numbers("monetary_value", np.where(x > 0, given, 1.0))
    if (mean <= 0).any():
        raise ValueError("monetary_value must be above 0 where frequency is: the model has no free or refunded purchases")
    return x, mean


def _likelihood(x: Floats, mean: Floats, weight: Floats) -> Likelihood:
    """The mean log-likelihood of (log p, log q, log v), equation (1a) of Fader and Hardie (2013), with its derivatives.

    For each customer ln Γ(px+q) − ln Γ(px) − ln Γ(q) + q ln v + px ln(x·mean) − ln(mean) − (px+q) ln(x·mean+v).
    """
    customers = weight.sum()
    times, index = np.unique(x, return_inverse=True)
    weight_of_times = np.bincount(index, weight, minlength=len(times))
    spent = x * mean
    log_spent, log_mean = weight @ (x * np.log(spent)), weight @ np.log(mean)

    def likelihood(log_parameters: Floats) -> tuple[float, Floats, Floats]:
        p, q, v = parameters = np.exp(log_parameters)
        own, both = p * times, p * times + q
        log_total, inverse = np.log(spent + v), 1 / (spent + v)
        sum_log, sum_x_log = weight @ log_total, (weight * x) @ log_total
        sum_inverse, sum_x_inverse = weight @ inverse, (weight * x) @ inverse
        sum_square, sum_x_square = weight @ inverse**2, (weight * x) @ inverse**2
        value = weight_of_times @ (gammaln(both) - gammaln(own)) + customers * (q * np.log(v) - gammaln(q))
        value += p * log_spent - log_mean - p * sum_x_log - q * sum_log
        gradient = np.array(
            [
                (weight_of_times * times) @ (digamma(both) - digamma(own)) + log_spent - sum_x_log,
                weight_of_times @ digamma(both) + customers * (np.log(v) - digamma(q)) - sum_log,
                customers * q / v - p * sum_x_inverse - q * sum_inverse,
            ]
        )
        pp = (weight_of_times * times**2) @ (zeta(2, both) - zeta(2, own))
        pq = (weight_of_times * times) @ zeta(2, both)
        qq = weight_of_times @ zeta(2, both) - customers * zeta(2, q)
        qv = customers / v - sum_inverse
        vv = p * sum_x_square + q * sum_square - customers * q / v**2
        gradient = parameters * gradient
        hessian = np.array([[pp, pq, -sum_x_inverse], [pq, qq, qv], [-sum_x_inverse, qv, vv]])
        hessian = np.outer(parameters, parameters) * hessian + np.diag(gradient)
        return float(value / customers), gradient / customers, hessian / customers

    return likelihood

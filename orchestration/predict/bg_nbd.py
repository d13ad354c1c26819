"""BG/NBD: how often customers without a contract buy, and whether they still do.

Here belongs fitting the model and what it says about customers; not its likelihood (bg_nbd_likelihood.py), the numerics of its
expectation (bg_nbd_purchases.py) or money (gamma_gamma.py).

Source: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way: An Alternative to the Pareto/NBD Model, Marketing Science 24(2).
While active, customers buy at random at a rate of their own, gamma (r, α) across customers; after each repeat purchase they drop out with a
probability of their own, beta (a, b) across customers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit

from orchestration.predict.bg_nbd_likelihood import bg_nbd_likelihood
from orchestration.predict.bg_nbd_purchases import purchases_while_active
from orchestration.predict.checks import Floats, cells, counts, distinct, numbers, purchase_history, together, weighted_rows
from orchestration.predict.maximum_likelihood import FittedModel, maximise

MINIMUM_CUSTOMERS = 5  # one more than there are parameters; what is enough to be trusted is the caller's rule


@dataclass(frozen=True)
class BgNbd(FittedModel):
    """A BG/NBD model. `alpha` is in the unit of time of the data; the others have none."""

    r: float
    alpha: float
    a: float
    b: float

    def expected_purchases(self, t: ArrayLike) -> Floats:
        """Repeat purchases expected of a new customer in `t` units of time since the first purchase. Shape of `t`."""
        return self.expected_purchases_if_active(t, 0, 0)

    def conditional_expected_purchases(self, t: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Purchases expected in the `t` units of time after T, given the history. Arrays that broadcast; ValueError as in `fit_bg_nbd`."""
        return self.probability_alive(frequency, recency, T) * self.expected_purchases_if_active(t, frequency, T)

    def probability_alive(self, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Floats:
        """Probability of still being active at T, in [0, 1]; 1 without a repeat purchase: the model lets customers go only after one."""
        x, last, observed = purchase_history(frequency, recency, T)
        waited = np.log(self.alpha + observed) - np.log(self.alpha + last)
        log_odds = np.log(self.a) - np.log(self.b + np.maximum(x - 1, 0)) + (self.r + x) * waited
        return np.where(x == 0, 1.0, expit(-log_odds))[()]

    def expected_purchases_if_active(self, t: ArrayLike, frequency: ArrayLike, T: ArrayLike) -> Floats:
        """Purchases expected in the `t` units of time after T of a customer known to be active at T. Arrays that broadcast.

        Computed once per distinct (t, frequency, T).
        """
        arrays = together(t=numbers("t", t, least=0), frequency=counts("frequency", frequency), T=numbers("T", T, least=0))
        (ahead, x, observed), index = distinct(*(array.ravel() for array in arrays))
        expected = purchases_while_active(ahead / (self.alpha + observed), x, self.r, self.a, self.b)
        return expected[index].reshape(arrays[0].shape)[()]


def fit_bg_nbd(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, weights: ArrayLike | None = None) -> BgNbd:
    """The BG/NBD model of highest likelihood.

    frequency: repeat purchases (the first one is not counted; purchases of one moment are one). recency: time of the last repeat purchase,
    T: end of the observation, both since the first purchase in one unit, e.g. weeks; recency 0 without a repeat purchase. weights: how
    many customers each row stands for. All of shape (customers,).

    ValueError: recency > T, negative, fractional or missing values, fewer than 5 customers, or nobody who bought again.
    """
    (x, last, observed), weight = weighted_rows(weights, *purchase_history(frequency, recency, T))
    customers = weight.sum()
    if customers < MINIMUM_CUSTOMERS:
        raise ValueError(f"BG/NBD needs at least {MINIMUM_CUSTOMERS} customers, not {customers:g}")
    if not x.any():
        raise ValueError("BG/NBD cannot be fitted: nobody bought a second time")
    if not observed.any():
        raise ValueError("BG/NBD cannot be fitted: no time has passed since the first purchases (T is 0 throughout)")
    (x, last, observed), weight = cells(weight, x, last, observed)
    unit = weight @ observed / customers
    rate = weight @ x / customers
    starts = [(0.5, 0.5 / rate, 1.0, 3.0), (2.0, 2.0 / rate, 0.3, 0.3), (1.0, 1.0 / rate, 0.1, 5.0)]
    maximum = maximise(bg_nbd_likelihood(x, last / unit, observed / unit, weight), np.clip(starts, 1e-4, 1e4))
    return BgNbd.from_maximum(maximum, customers=customers, scale={"alpha": unit}, constant=-float(weight @ x) * np.log(unit))

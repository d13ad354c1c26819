"""Survival under a contract: the shifted-beta-geometric and the beta-discrete-Weibull distribution.

Here belongs what the two models say; not how they are fitted (survival_fit.py).

Sources: Fader and Hardie (2007), How to Project Customer Retention, Journal of Interactive Marketing 21(1); Fader and Hardie (2010),
Customer-Base Valuation in a Contractual Setting: The Perils of Ignoring Heterogeneity, Marketing Science 29(1); Fader, Hardie, Liu, Davin and
Steenburgh (2018), "How to Project Customer Retention" Revisited: The Role of Duration Dependence, Journal of Interactive Marketing 43.
Each customer leaves at a renewal with a probability of their own, beta (α, β) across customers; under the second model it also depends on
how long they have stayed: it rises with c > 1, falls with c < 1.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from orchestration.predict.checks import Floats, counts, distinct, numbers, together
from orchestration.predict.gamma_ratio import log_gamma_ratio
from orchestration.predict.maximum_likelihood import FittedModel

LEAST_RATE = 1e-4  # a period: below it the sum over all future periods takes too many to be a sum
NEGLIGIBLE = 1e-13


class SurvivalModel(FittedModel, ABC):
    """What both models offer. Time is counted in periods of the contract: 0 is the start, t the t-th renewal."""

    @abstractmethod
    def log_survival(self, t: Floats) -> Floats:
        """ln S(t), for t ≥ 0."""

    def survival(self, t: ArrayLike) -> Floats:
        """Share of customers that are still there after `t` periods, in [0, 1], 1 at t = 0. Shape of `t`."""
        return np.exp(self.log_survival(numbers("t", t, least=0)))[()]

    def retention_rate(self, t: ArrayLike) -> Floats:
        """Share of those there after t − 1 periods that renew for the t-th, t ≥ 1. Shape of `t`."""
        period = numbers("t", t, least=1)
        return np.exp(self.log_survival(period) - self.log_survival(period - 1))[()]

    def derl(self, renewals: ArrayLike, discount_rate: ArrayLike) -> Floats:
        """Discounted expected residual lifetime, in periods, just before the decision about the next renewal.

        renewals: how often the customer has renewed so far; discount_rate: a period, 0.0001 or more. The next payment, if it comes, is not
        discounted: Σₛ S(renewals + 1 + s) / S(renewals) / (1 + d)^s, s = 0, 1, …. Summed, because the closed form of the
        shifted-beta-geometric (Fader and Hardie 2010, equation 6: a ₂F₁) is lost to rounding after many renewals, and the other has none.
        Arrays that broadcast.
        """
        t, rate = together(renewals=counts("renewals", renewals), discount_rate=numbers("discount_rate", discount_rate, least=LEAST_RATE))
        (tenure, each_rate), index = distinct(t.ravel(), rate.ravel())
        periods = (-np.log(NEGLIGIBLE) / np.log1p(each_rate)).astype(int) + 1
        log_survival = self.log_survival(np.arange((tenure + periods).max(initial=0) + 1))
        lifetime = np.empty(len(tenure))
        for each, (start, ahead) in enumerate(zip(tenure.astype(int), periods, strict=True)):
            later = log_survival[start + 1 : start + ahead + 1] - log_survival[start]
            lifetime[each] = np.exp(later - np.log1p(each_rate[each]) * np.arange(ahead)).sum()
        return lifetime[index].reshape(t.shape)[()]


@dataclass(frozen=True)
class ShiftedBetaGeometric(SurvivalModel):
    """Retention rises with tenure only because those who leave easily have left: S(t) = B(α, β+t) / B(α, β)."""

    alpha: float
    beta: float

    def log_survival(self, t: Floats) -> Floats:
        return log_gamma_ratio(np.array(self.beta), self.alpha) - log_gamma_ratio(self.beta + t, self.alpha)


@dataclass(frozen=True)
class BetaDiscreteWeibull(SurvivalModel):
    """A shifted-beta-geometric whose clock runs as t^c: S(t) = B(α, β+t^c) / B(α, β); with c = 1 it is one."""

    alpha: float
    beta: float
    c: float

    def log_survival(self, t: Floats) -> Floats:
        return log_gamma_ratio(np.array(self.beta), self.alpha) - log_gamma_ratio(self.beta + t**self.c, self.alpha)

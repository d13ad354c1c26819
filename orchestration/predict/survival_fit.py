"""Fitting the two survival models to a survival table.

Here belongs the table, its checks and the likelihood; not what the models say (survival.py).

A survival table is reduced to how many left and how many stayed at each renewal: each renewal is a draw with the model's retention rate,
so cohorts of any age add up, and the cost follows the number of periods.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, zeta

from orchestration.predict.checks import Floats, numbers
from orchestration.predict.gamma_ratio import log_gamma_ratio, log_gamma_ratio_slopes
from orchestration.predict.maximum_likelihood import LIMIT, Likelihood, maximise
from orchestration.predict.survival import BetaDiscreteWeibull, ShiftedBetaGeometric

# Of log-parameters: the log retention rate of each period, shape (periods,), its gradient (parameters, periods) and Hessian.
LogRetention = Callable[[Floats], tuple[Floats, Floats, Floats]]

LIMIT_C = np.log(10)  # a clock that runs as t¹⁰ is as good as a date on which everybody leaves


def fit_sbg(survivors: ArrayLike) -> ShiftedBetaGeometric:
    """The shifted-beta-geometric of highest likelihood.

    survivors: customers left after 0, 1, 2, … periods, shape (periods,); or one such row a cohort, shape (cohorts, periods), NaN where a
    cohort is not that old. Percentages give the same parameters, with standard errors as of a hundred customers.

    ValueError: survivors that grow, are negative or missing, fewer than two renewals seen, or nobody who ever left.
    """
    left, stayed, customers = _renewals(survivors, least_periods=2)
    churn = left.sum() / (left.sum() + stayed.sum())
    likelihood = _likelihood(left, stayed, customers, _log_retention_sbg(len(left)))
    odds = np.clip(1 / churn - 1, 1e-3, 1e3)
    maximum = maximise(likelihood, [(1, odds), (10, 10 * odds), (0.1, 0.1 * odds)])
    return ShiftedBetaGeometric.from_maximum(maximum, customers=customers)


def fit_bdw(survivors: ArrayLike) -> BetaDiscreteWeibull:
    """The beta-discrete-Weibull of highest likelihood, never lower than the shifted-beta-geometric's. Input and errors as in `fit_sbg`, but
    at least three renewals."""
    left, stayed, customers = _renewals(survivors, least_periods=3)
    simpler = fit_sbg(survivors)
    likelihood = _likelihood(left, stayed, customers, _log_retention_bdw(len(left)))
    maximum = maximise(likelihood, [(simpler.alpha, simpler.beta, 1.0), (1.0, 1.0, 1.5), (1.0, 1.0, 0.5)], limits=(LIMIT, LIMIT, LIMIT_C))
    return BetaDiscreteWeibull.from_maximum(maximum, customers=customers)


def _renewals(survivors: ArrayLike, *, least_periods: int) -> tuple[Floats, Floats, float]:
    """Who left and who stayed at each renewal, and how many there were at the start."""
    try:
        given = np.asarray(survivors, dtype=float)
    except (TypeError, ValueError):
        raise ValueError("survivors must hold numbers only, in rows of equal length") from None
    if given.ndim not in (1, 2) or given.size == 0:
        raise ValueError("survivors is one row of counts, or one row a cohort")
    table = np.atleast_2d(given)
    seen = ~np.isnan(table) if given.ndim == 2 else np.ones(table.shape, dtype=bool)
    numbers("survivors", table[seen], least=0)
    if not seen[:, 0].all() or (seen[:, 1:] & ~seen[:, :-1]).any():
        raise ValueError("survivors has a gap: a cohort is known from period 0 up to its age")
    before, after = table[:, :-1], np.where(seen, table, 0)[:, 1:]
    lost = np.where(seen[:, 1:], before - after, 0)
    if (lost < 0).any():
        raise ValueError("survivors grow from one period to the next: nobody comes back in a survival table")
    left, stayed = lost.sum(axis=0), after.sum(axis=0)
    renewals = np.flatnonzero(left + stayed)
    if len(renewals) < least_periods:
        raise ValueError(f"at least {least_periods} renewals must have been seen, not {len(renewals)}")
    if not left.any():
        raise ValueError("nobody ever left: there is nothing to fit")
    periods = renewals[-1] + 1
    return left[:periods], stayed[:periods], float(table[:, 0].sum())


def _likelihood(left: Floats, stayed: Floats, customers: float, log_retention: LogRetention) -> Likelihood:
    """Σₜ stayedₜ ln rₜ + leftₜ ln(1 − rₜ), a customer."""

    def likelihood(log_parameters: Floats) -> tuple[float, Floats, Floats]:
        log_rate, slopes, bends = log_retention(log_parameters)
        log_rate = np.minimum(log_rate, -1e-100)  # where rounding hides the last trace of churn
        odds = np.exp(log_rate) / -np.expm1(log_rate)
        value = stayed @ log_rate + left @ np.log(-np.expm1(log_rate))
        pull = stayed - left * odds
        hessian = bends @ pull - (slopes * (left * odds * (1 + odds))) @ slopes.T
        return float(value / customers), slopes @ pull / customers, hessian / customers

    return likelihood


def _log_retention_sbg(periods: int) -> LogRetention:
    t = np.arange(periods)

    def log_retention(log_parameters: Floats) -> tuple[Floats, Floats, Floats]:
        alpha, beta = np.exp(log_parameters)
        either = alpha + beta + t
        by_alpha, by_beta = -alpha / either, beta * (1 / (beta + t) - 1 / either)
        both = alpha * beta / either**2
        alpha_twice = by_alpha + (alpha / either) ** 2
        beta_twice = by_beta - (beta / (beta + t)) ** 2 + (beta / either) ** 2
        log_rate = np.log1p(by_alpha)
        return log_rate, np.stack([by_alpha, by_beta]), np.array([[alpha_twice, both], [both, beta_twice]])

    return log_retention


def _log_retention_bdw(periods: int) -> LogRetention:
    """Differences of ln S(t) = ln B(α, β+τ) − ln B(α, β), τ = t^c, from one period to the next."""
    t = np.arange(periods + 1.0)
    log_t = np.log(np.maximum(t, 1))  # 0 at t = 0, where τ = 0 whatever c is

    def log_retention(log_parameters: Floats) -> tuple[Floats, Floats, Floats]:
        alpha, beta, c = np.exp(log_parameters)
        clock = np.where(t > 0, np.exp(c * log_t), 0)
        faster = clock * c * log_t  # derivative of τ in ln c; the second is faster · (1 + c ln t)
        later, start = beta + clock, np.array([beta])
        slope, bend = log_gamma_ratio_slopes(later, alpha)
        slope_start, bend_start = log_gamma_ratio_slopes(start, alpha)
        in_alpha = digamma(alpha + beta) - digamma(alpha + later)
        alpha_twice = zeta(2, alpha + beta) - zeta(2, alpha + later)
        slopes = np.stack([alpha * in_alpha, beta * (slope_start - slope), -faster * slope])
        aa = alpha**2 * alpha_twice + slopes[0]
        ab = alpha * beta * alpha_twice
        ac = -alpha * faster * zeta(2, alpha + later)
        bb = beta**2 * (bend_start - bend) + slopes[1]
        bc = -beta * faster * bend
        cc = -(faster**2) * bend - faster * (1 + c * log_t) * slope
        bends = np.array([[aa, ab, ac], [ab, bb, bc], [ac, bc, cc]])
        return -np.diff(log_gamma_ratio(later, alpha)), np.diff(slopes), np.diff(bends)

    return log_retention

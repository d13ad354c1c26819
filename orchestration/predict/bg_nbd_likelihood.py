"""The likelihood of the BG/NBD model with its first and second derivatives, on distinct cells.

Here belongs equation (6) of Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2); not the search
for its maximum (maximum_likelihood.py) or what follows from it (bg_nbd.py).
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln, zeta

from orchestration.predict.checks import Floats
from orchestration.predict.maximum_likelihood import Likelihood

BLOCK = 16_384  # cells at a time: what is in between stays in the processor's cache, and memory does not grow


def bg_nbd_likelihood(frequency: Floats, recency: Floats, T: Floats, weight: Floats) -> Likelihood:
    """The mean log-likelihood of (log r, log α, log a, log b) over cells of `weight` customers each.

    A customer with x > 0 repeat purchases, the last at t, observed until T, has the log-likelihood
        ln Γ(r+x) − ln Γ(r) + r ln α + ln B(a, b+x) − ln B(a, b) + ln[(α+T)^−(r+x) + a/(b+x−1) · (α+t)^−(r+x)],
    one without any r ln α − r ln(α+T). What depends on x alone is summed once per distinct x.
    """
    customers = weight.sum()
    never, again = frequency == 0, frequency > 0
    observed_once, weight_once = T[never], weight[never]
    times, time_index = np.unique(frequency[again], return_inverse=True)
    weight_of_times = np.bincount(time_index, weight[again], minlength=len(times))
    repeaters = (recency[again], T[again], weight[again], time_index)

    def likelihood(log_parameters: Floats) -> tuple[float, Floats, Floats]:
        r, alpha, a, b = parameters = np.exp(log_parameters)
        gradient, hessian = np.zeros(4), np.zeros((4, 4))
        inverse = 1 / (alpha + observed_once)
        gradient[0] = customers * np.log(alpha) - weight_once @ np.log(alpha + observed_once)
        value = r * gradient[0]
        hessian[0, 1] = customers / alpha - weight_once @ inverse
        gradient[1] = r * hessian[0, 1]
        hessian[1, 1] = r * (weight_once @ inverse**2 - customers / alpha**2)
        for part in (_counts(times, weight_of_times, r, a, b), _timing(times, repeaters, r, alpha, a, b)):
            value, gradient, hessian = value + part[0], gradient + part[1], hessian + part[2]
        hessian = np.triu(hessian) + np.triu(hessian, 1).T
        gradient = parameters * gradient
        hessian = np.outer(parameters, parameters) * hessian + np.diag(gradient)
        return float(value / customers), gradient / customers, hessian / customers

    return likelihood


def _counts(x: Floats, weight: Floats, r: float, a: float, b: float) -> tuple[float, Floats, Floats]:
    """What depends on the number of repeat purchases alone: value, gradient and upper Hessian in (r, α, a, b)."""

    def change(function, at: float) -> float:
        return float(weight @ (function(at + x) - function(at)))

    def trigamma(at):
        return zeta(2, at)

    value = change(gammaln, r) + change(gammaln, b) - change(gammaln, a + b)
    both, both_again = -change(digamma, a + b), -change(trigamma, a + b)
    gradient = np.array([change(digamma, r), 0, both, both + change(digamma, b)])
    hessian = np.zeros((4, 4))
    hessian[0, 0] = change(trigamma, r)
    hessian[2, 2] = hessian[2, 3] = both_again
    hessian[3, 3] = both_again + change(trigamma, b)
    return value, gradient, hessian


def _timing(times: Floats, repeaters: tuple, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats, Floats]:
    """What depends on when repeat purchases fell: value, gradient and upper Hessian in (r, α, a, b).

    With d = the log-odds of having dropped out at the last purchase and q = 1/(1+e^−d), each cell adds −(r+x) ln(α+T) + ln(1+e^d); odds
    are kept as logarithms, so that thousands of purchases neither over- nor underflow.
    """
    value, gradient, hessian = 0.0, np.zeros(4), np.zeros((4, 4))
    dropout = 1 / (b + (times - 1))
    log_odds = np.log(a) + np.log(dropout)
    recency, observed, weight, time_index = repeaters
    for start in range(0, len(weight), BLOCK):
        block = slice(start, start + BLOCK)
        w, index = weight[block], time_index[block]
        k, u = r + times[index], dropout[index]
        at_end, at_last = alpha + observed[block], alpha + recency[block]
        log_end = np.log(at_end)
        log_ratio = log_end - np.log(at_last)
        end, last = 1 / at_end, 1 / at_last
        d = log_odds[index] + k * log_ratio
        small = np.exp(-np.abs(d))
        q = np.where(d >= 0, 1.0, small) / (1 + small)
        wq = w * q
        value += w @ (np.maximum(d, 0) + np.log1p(small) - k * log_end)
        slopes = np.stack([log_ratio, k * (end - last), np.full(len(k), 1 / a), -u])  # of d, in r, α, a, b
        gradient += slopes @ wq
        gradient[0] -= w @ log_end
        gradient[1] -= w @ (k * end)
        hessian += (slopes * (wq * (1 - q))) @ slopes.T
        hessian[0, 1] += wq @ (end - last) - w @ end
        hessian[1, 1] += w @ (k * end**2) - wq @ (k * (end**2 - last**2))
        hessian[2, 2] -= wq.sum() / a**2
        hessian[3, 3] += wq @ u**2
    return float(value), gradient, hessian

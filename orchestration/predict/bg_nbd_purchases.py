"""How many purchases the BG/NBD model expects of a customer who is active, for any parameters and any horizon.

Here belongs the numerics of one expectation; not whose it is or whether they are active (bg_nbd.py).

The published forms (Fader, Hardie and Lee 2005, equations 9 and 10) overflow for customers with many purchases, and are 0/0 at a = 1 and
at a + b = 1. Euler's transformation of ₂F₁ takes x out of all but one parameter:
    E = (a+b+x−1)/(a−1) · [1 − (1+s)^(1−a) · ₂F₁(a+b−1−r, a−1; a+b+x−1; s/(1+s))],    s = t/(α+T).
"""

from __future__ import annotations

import numpy as np
from scipy.special import betainc, gammaln, hyp2f1

from orchestration.predict.checks import Floats

NEAR_ONE = 1e-5  # how close to a = 1 the formula loses more digits than a chord over it
TERMS = 100_000  # of the sum at most, and in memory at a time


def purchases_while_active(s: Floats, x: Floats, r: float, a: float, b: float) -> Floats:
    """Expected purchases in the next s·(α+T) units of time, given x repeat purchases and being active; `s` and `x` of one shape."""
    if abs(a - 1) < NEAR_ONE:
        share = (a - 1 + NEAR_ONE) / (2 * NEAR_ONE)
        return (1 - share) * _closed_form(s, x, r, 1 - NEAR_ONE, b) + share * _closed_form(s, x, r, 1 + NEAR_ONE, b)
    return _closed_form(s, x, r, a, b)


def _closed_form(s: Floats, x: Floats, r: float, a: float, b: float) -> Floats:
    k, c = r + x, a + b + x - 1
    c = np.where(np.abs(c) < 1e-12, 1e-12, c)
    # ₂F₁ grows with (1+s) to the power of the form's own exponent: of the two forms the one with less of it stays in range.
    euler = a - 1 <= k
    first, second, power = np.where(euler, a + b - 1 - r, k), np.where(euler, a - 1, b + x), np.where(euler, a - 1, k)
    with np.errstate(over="ignore", invalid="ignore"):
        expected = c / (a - 1) * (1 - np.exp(-power * np.log1p(s)) * hyp2f1(first, second, c, s / (1 + s)))
    beyond = ~np.isfinite(expected)
    if beyond.any():
        expected[beyond] = _term_by_term(s[beyond], k[beyond], a, (b + x)[beyond])
    return np.maximum(expected, 0)


def _term_by_term(s: Floats, k: Floats, a: float, b: Floats) -> Floats:
    """Σₙ P(not dropped out before the n-th purchase) · P(time for n purchases), all terms positive.

    Slow, and needed only where both forms are out of range: many purchases and a ≫ 1, where dropping out ends the sum soon.
    """
    total = np.zeros_like(s)
    many = max(1, TERMS // len(s))
    for first in range(0, TERMS, many):
        n = np.arange(first, first + many)[:, None]
        staying = np.exp(gammaln(b + n) - gammaln(b) + gammaln(a + b) - gammaln(a + b + n))
        terms = staying * betainc(n + 1, k, s / (1 + s))
        total += terms.sum(axis=0)
        if (terms[-1] * n[-1] <= 1e-12 * total).all():
            break
    return total

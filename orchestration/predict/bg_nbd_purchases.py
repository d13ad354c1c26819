"""How many purchases the BG/NBD model expects of a customer who is active, for any parameters and any horizon.

Here belongs the numerics of one expectation; not whose it is or whether they are active (bg_nbd.py).

The published forms (Fader, Hardie and Lee 2005, equations 9 and 10) overflow for customers with many purchases, and are 0/0 at a = 1 and
at a + b = 1. Euler's transformation of ₂F₁ takes x out of all but one parameter:
    E = (a+b+x−1)/(a−1) · [1 − (1+s)^(1−a) · ₂F₁(a+b−1−r, a−1; a+b+x−1; s/(1+s))],    s = t/(α+T).
The expectation itself is smooth everywhere, so where the formula or SciPy's ₂F₁ (at r − a next to a whole number) loses its digits, a chord
over the gap takes its place.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import betaincc, hyp2f1

from orchestration.predict.checks import Floats
from orchestration.predict.gamma_ratio import log_gamma_ratio

GAP = 1e-5  # to either side of where digits are lost
TERMS, LAST_TERM, PANELS = 20_000, 1e16, 600  # summed one by one; integrated up to; in so many pieces of 5 % each


def purchases_while_active(s: Floats, x: Floats, r: float, a: float, b: float) -> Floats:
    """Expected purchases in the next s·(α+T) units of time, given x repeat purchases and being active; `s` and `x` of one shape."""
    if abs(a - 1) < GAP:
        return _chord(lambda near: _beside_whole_numbers(s, x, r, near, b), a, 1.0)
    return _beside_whole_numbers(s, x, r, a, b)


def _beside_whole_numbers(s: Floats, x: Floats, r: float, a: float, b: float) -> Floats:
    whole = a + np.rint(r - a)
    if abs(r - whole) < GAP:
        return _chord(lambda near: _closed_form(s, x, near, a, b), r, whole)
    return _closed_form(s, x, r, a, b)


def _chord(function: Callable[[float], Floats], at: float, middle: float) -> Floats:
    """`function(at)`, from its values at both ends of the gap around `middle`."""
    share = (at - middle + GAP) / (2 * GAP)
    return (1 - share) * function(middle - GAP) + share * function(middle + GAP)


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

    Slow (up to a tenth of a second a row), and needed only where both forms are out of range. From some term on the sum is an integral over ln n.
    """
    panels = np.linspace(np.log(TERMS - 0.5), np.log(LAST_TERM), PANELS + 1)
    nodes, node_weights = np.polynomial.legendre.leggauss(8)
    half = (panels[1] - panels[0]) / 2
    later = np.exp(((panels[:-1] + half)[:, None] + half * nodes).ravel())
    n = np.concatenate([np.arange(TERMS), later])
    weight = np.concatenate([np.ones(TERMS), np.tile(half * node_weights, PANELS) * later])
    total = np.empty_like(s)
    for row in range(len(s)):
        staying = np.exp(log_gamma_ratio(np.array(b[row]), a) - log_gamma_ratio(b[row] + n, a))
        counts = staying > 1e-20
        total[row] = weight[counts] @ (staying[counts] * betaincc(k[row], n[counts] + 1, 1 / (1 + s[row])))
    return total

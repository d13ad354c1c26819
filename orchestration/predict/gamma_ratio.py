"""ln Γ(z + a) − ln Γ(z) and its derivatives, also where subtracting the two would leave nothing but rounding.

Here belongs this one piece of numerics, which the survival models need: at z = 10¹⁰ and a = 10⁴ the plain difference is off by 10⁻⁵.
From z = 30 on, Stirling's series is used, subtracted term by term; its next term is below double precision.
"""

from __future__ import annotations

import numpy as np
from scipy.special import digamma, gammaln, zeta

from orchestration.predict.checks import Floats

LARGE = 30.0


def log_gamma_ratio(z: Floats, a: float) -> Floats:
    """ln Γ(z + a) − ln Γ(z), for z > 0 and a > 0. Shape of `z`."""
    large, small, ratio, fallen = _split(z, a)
    series = (large - 0.5) * ratio + a * (np.log(large + a) - 1)
    series -= fallen(1) / 12 - fallen(3) / 360 + fallen(5) / 1260 - fallen(7) / 1680
    return np.where(z > LARGE, series, gammaln(small + a) - gammaln(small))


def log_gamma_ratio_slopes(z: Floats, a: float) -> tuple[Floats, Floats]:
    """Its first and second derivative in z: ψ(z + a) − ψ(z) and ψ′(z + a) − ψ′(z)."""
    _, small, ratio, fallen = _split(z, a)
    first = ratio + fallen(1) / 2 + fallen(2) / 12 - fallen(4) / 120 + fallen(6) / 252 - fallen(8) / 240
    second = -(fallen(1) + fallen(2) / 2 + fallen(3) / 6 - fallen(5) / 30 + fallen(7) / 42 - fallen(9) / 30)
    return (
        np.where(z > LARGE, first, digamma(small + a) - digamma(small)),
        np.where(z > LARGE, second, zeta(2, small + a) - zeta(2, small)),
    )


def _split(z: Floats, a: float):
    """The two ranges, each filled up so that both can be computed throughout; ln(1 + a/z); and n ↦ z⁻ⁿ − (z+a)⁻ⁿ."""
    large, small = np.maximum(z, LARGE), np.minimum(z, LARGE)
    ratio = np.log1p(a / large)
    return large, small, ratio, lambda n: -np.expm1(-n * ratio) * large**-n

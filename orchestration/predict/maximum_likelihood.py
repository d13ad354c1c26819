"""Maximum likelihood for positive parameters: Newton's method on their logarithms, and the covariance that comes with it.

Here belongs what every model fitted in this package shares: the climb and what a fitted model carries; not any model's likelihood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Self

import numpy as np

from orchestration.predict.checks import Floats

Likelihood = Callable[[Floats], tuple[float, Floats, Floats]]  # of log-parameters: mean log-likelihood, its gradient, its Hessian

LIMIT = 10.0  # a parameter beyond e^±10 (in the data's own scale) cannot be told from its limit
LONGEST, SHORTEST = 2.0, 1e-9  # step in any log-parameter: a factor of seven, and no step at all
STEPS = 200
GAIN = 1e-13  # of the mean log-likelihood, expected from the next step: below it nothing is left to climb
ROUNDING = 1e-9  # an expected gain that rounding may hide, along a ridge that is all but level
FLAT = 1e-12  # curvature, relative to the steepest, along which the data say nothing


@dataclass(frozen=True)
class Maximum:
    """Where a likelihood is highest: log-parameters, the inverse of the negative Hessian there (NaN where flat), and what is at a limit."""

    point: Floats
    value: float
    covariance: Floats
    at_limit: tuple[int, ...]


@dataclass(frozen=True)
class FittedModel:
    """What every fitted model carries beside its parameters, the positional fields of its class.

    log_covariance: covariance of the log-parameters, from the observed information; None for a model made from stored parameters.
    at_limit: parameters that ran to the end of their range, where the data want an even simpler model; they have no standard error.
    """

    log_likelihood: float = field(default=np.nan, kw_only=True)
    customers: float = field(default=np.nan, kw_only=True)
    at_limit: tuple[str, ...] = field(default=(), kw_only=True)
    log_covariance: Floats | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, value in self.parameters.items():
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive and finite, not {value}")

    @classmethod
    def parameter_names(cls) -> tuple[str, ...]:
        return tuple(each.name for each in fields(cls) if not each.kw_only)

    @property
    def parameters(self) -> dict[str, float]:
        return {name: getattr(self, name) for name in self.parameter_names()}

    @property
    def standard_errors(self) -> dict[str, float]:
        """By the delta method from those of the log-parameters; NaN where there is none."""
        if self.log_covariance is None:
            return dict.fromkeys(self.parameter_names(), np.nan)
        log_errors = np.sqrt(np.diag(self.log_covariance))
        return {name: float(value * error) for (name, value), error in zip(self.parameters.items(), log_errors, strict=True)}

    def moved(self, name: str, factor: float) -> Self:
        """The same model with one parameter multiplied: how a result depends on it."""
        return replace(self, **{name: getattr(self, name) * factor})

    @classmethod
    def from_maximum(cls, maximum: Maximum, *, customers: float, scale: dict[str, float] | None = None, constant: float = 0.0) -> Self:
        """Parameters in the caller's units: `scale` multiplies, `constant` is added to the log-likelihood that was left out."""
        names = cls.parameter_names()
        values = {name: float(value * (scale or {}).get(name, 1.0)) for name, value in zip(names, np.exp(maximum.point), strict=True)}
        return cls(
            **values,
            log_likelihood=float(maximum.value * customers + constant),
            customers=float(customers),
            at_limit=tuple(names[each] for each in maximum.at_limit),
            log_covariance=maximum.covariance / customers,
        )


def maximise(likelihood: Likelihood, starts: Sequence[Sequence[float]], limits: Sequence[float] | None = None) -> Maximum:
    """The highest point found from `starts` (parameters, not logarithms); later ones are tried only while the best is at a limit.

    limits: how far each log-parameter may go from 0, else LIMIT. ValueError if no climb ends.
    """
    limit = np.full(len(starts[0]), LIMIT) if limits is None else np.asarray(limits)
    best: Maximum | None = None
    for start in starts:
        found = _climb(likelihood, np.log(start), limit)
        if found and (best is None or found.value > best.value):
            best = found
        if best and not best.at_limit:
            break
    if best is None:
        raise ValueError("the likelihood has no maximum that can be reached: the data do not fit this model")
    return best


def _climb(likelihood: Likelihood, point: Floats, limit: Floats) -> Maximum | None:
    """Newton's steps, each cut where the first parameter meets its limit; that one then stays there and the others go on.

    None where they lead nowhere.
    """
    value, gradient, hessian = likelihood(point)
    free = np.abs(point) < limit - SHORTEST
    gain = np.inf
    for _ in range(STEPS):
        step = np.zeros_like(point)
        step[free] = _newton(gradient[free], hessian[np.ix_(free, free)])
        gain = gradient @ step / 2
        if gain < GAIN:
            break
        step *= min(1.0, LONGEST / np.abs(step).max())
        room = np.where(step == 0, np.inf, (limit - np.sign(step) * point) / np.where(step == 0, 1.0, np.abs(step)))
        step *= min(1.0, room.min())
        while (higher := likelihood(point + step))[0] <= value and np.abs(step).max() > SHORTEST:
            step /= 4
        if higher[0] <= value:
            break
        point, (value, gradient, hessian) = point + step, higher
        free &= np.abs(point) < limit - SHORTEST
    return _maximum(point, value, hessian, free) if gain < ROUNDING else None


def _newton(gradient: Floats, hessian: Floats) -> Floats:
    """Newton's step, uphill also where the likelihood is not concave."""
    curvature, axes = np.linalg.eigh(-hessian)
    curvature = np.abs(curvature)
    return axes @ (axes.T @ gradient / np.maximum(curvature, max(FLAT * curvature.max(initial=0), 1e-300)))


def _maximum(point: Floats, value: float, hessian: Floats, free: np.ndarray) -> Maximum:
    covariance = np.full(hessian.shape, np.nan)
    curvature, axes = np.linalg.eigh(-hessian[np.ix_(free, free)])
    if (curvature > FLAT * np.abs(curvature).max(initial=0)).all():
        covariance[np.ix_(free, free)] = axes / curvature @ axes.T
    return Maximum(point, value, covariance, tuple(np.flatnonzero(~free).tolist()))

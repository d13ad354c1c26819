"""Customer lifetime value: the models, and what they are put together to.

Here belongs the public face of the CLV maths, pure and without I/O: arrays in, arrays out, scalars allowed everywhere. Each model has a
module of its own; which customers go into which fit, and where results are kept, is decided elsewhere.

    who buys without a contract   fit_bg_nbd × fit_gamma_gamma → discounted_clv
    who renews a contract         fit_sbg or fit_bdw           → contractual_clv
    how sure that is              interval(lambda model: contractual_clv(model, …), model)

Every fitted model has its parameters, `.standard_errors` (observed information, by the delta method from log-parameters), `.log_likelihood`,
`.customers` and `.at_limit`: the parameters that ran to the end of their range, as they do where customers do not differ or never drop out.
Predictions of such a model hold; the parameter itself has no standard error. Fits cost by distinct cells, not by customers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from orchestration.predict.bg_nbd import BgNbd, fit_bg_nbd
from orchestration.predict.checks import Floats, distinct, number, numbers, purchase_history
from orchestration.predict.gamma_gamma import GammaGamma, fit_gamma_gamma
from orchestration.predict.survival import BetaDiscreteWeibull, ShiftedBetaGeometric, SurvivalModel
from orchestration.predict.survival_fit import fit_bdw, fit_sbg
from orchestration.predict.uncertainty import interval

__all__ = [
    "BetaDiscreteWeibull",
    "BgNbd",
    "GammaGamma",
    "ShiftedBetaGeometric",
    "contractual_clv",
    "discounted_clv",
    "fit_bdw",
    "fit_bg_nbd",
    "fit_gamma_gamma",
    "fit_sbg",
    "interval",
]


def discounted_clv(
    bg_nbd: BgNbd,
    gamma_gamma: GammaGamma,
    frequency: ArrayLike,
    recency: ArrayLike,
    T: ArrayLike,
    monetary_value: ArrayLike,
    *,
    periods: int,
    discount_rate: float,
    margin: float,
    period_length: float = 1.0,
) -> Floats:
    """Residual lifetime value of customers without a contract: what they are expected to bring from T on, over a horizon.

    Σᵢ (E[Y(i·L)] − E[Y((i−1)·L)]) / (1+d)ⁱ · E[value of a purchase] · margin over i = 1 … periods: purchases of a period are discounted as if
    they all came at its end. Acquisition cost lies in the past and is not taken off.

    frequency, recency, T, monetary_value: as in the two fits; arrays that broadcast. periods: the horizon; period_length L: how long one is in
    the unit of T (with T in weeks, 52/12 makes periods months). discount_rate: a period. margin: share of revenue kept, 0 to 1.

    Result in the currency of `monetary_value`. ValueError as in the fits, and where the mean value of a purchase is infinite (q ≤ 1).
    """
    last_period = number("periods", periods, least=1)
    if last_period != int(last_period):
        raise ValueError("periods is a whole number")
    rate, length = number("discount_rate", discount_rate, least=0), number("period_length", period_length, least=0)
    x, last, observed = purchase_history(frequency, recency, T)
    value = gamma_gamma.conditional_expected_value(x, monetary_value)
    if np.isinf(value).any():
        raise ValueError(f"purchases have no finite mean value under this model (q = {gamma_gamma.q:.3g}): the horizon cannot be valued")
    (cell_x, cell_T), index = distinct(x.ravel(), observed.ravel())
    purchases = np.zeros(len(cell_x))
    for period in range(1, int(last_period) + 1):
        # Σ (Yᵢ − Yᵢ₋₁) vⁱ with each Y once: all but the last are discounted by vⁱ − vⁱ⁺¹.
        weight = (1 + rate) ** -period - (0 if period == last_period else (1 + rate) ** -(period + 1))
        purchases += weight * bg_nbd.expected_purchases_if_active(period * length, cell_x, cell_T)
    active = bg_nbd.probability_alive(x, last, observed)
    return active * purchases[index].reshape(x.shape)[()] * value * _share("margin", margin)


def contractual_clv(
    model: SurvivalModel,
    renewals: ArrayLike,
    net_mrr: ArrayLike,
    *,
    discount_rate: ArrayLike,
    margin: float,
    acquisition_cost: ArrayLike = 0.0,
) -> Floats:
    """Residual lifetime value of customers under contract: DERL × net MRR × margin − acquisition cost.

    renewals: how often each has renewed so far; net_mrr: what one period pays, net of discounts (MRR where a period is a month);
    discount_rate: a period, e.g. 1.1^(1/12) − 1 for 10 % a year; margin: share of revenue kept, 0 to 1; acquisition_cost: 0 to look ahead only.
    Arrays that broadcast; result in the currency of `net_mrr`. The period being used is paid for and not counted.
    """
    paid = numbers("net_mrr", net_mrr, least=0)
    spent = numbers("acquisition_cost", acquisition_cost, least=0)
    return model.derl(renewals, discount_rate) * paid * _share("margin", margin) - spent


def _share(name: str, value: float) -> float:
    share = number(name, value, least=0)
    if share > 1:
        raise ValueError(f"{name} is a share, 0 to 1, not {share:g}")
    return share

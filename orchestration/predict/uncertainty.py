"""How sure an estimate is: from the covariance of the fitted parameters to an interval of anything computed from them.

Here belongs the delta method, for any function of any fitted models; not the functions.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from orchestration.predict.checks import Floats
from orchestration.predict.maximum_likelihood import FittedModel

NUDGE = 1e-3  # of a log-parameter: slopes are good to a millionth


def interval(estimate: Callable[..., ArrayLike], *models: FittedModel, level: float = 0.95) -> tuple[Floats, Floats]:
    """The ends of the interval of `estimate(*models)`, each of its shape.

    estimate: a function of the models, positive or 0 (where it is 0, so are both ends). The interval is symmetric in the estimate's
    logarithm and covers what the parameters could be as well; not how far a single customer may end up from the expectation. Models
    fitted apart are taken as independent, parameters at a limit as known. NaN where the data do not determine the parameters;
    ValueError for a model without covariance, e.g. one made from stored parameters.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is a share between 0 and 1, not {level:g}")
    value = np.asarray(estimate(*models), dtype=float)
    positive = np.where(value > 0, value, 1.0)
    variance = np.zeros(value.shape)
    for place, model in enumerate(models):
        if model.log_covariance is None:
            raise ValueError(f"{type(model).__name__} has no covariance: it was not fitted here")

        def moved(name: str, by: float, place: int = place, model: FittedModel = model) -> Floats:
            changed = (*models[:place], model.moved(name, np.exp(by)), *models[place + 1 :])
            return np.log(np.where(value > 0, np.asarray(estimate(*changed), dtype=float), 1.0) / positive)

        names = model.parameter_names()
        free = [each for each, name in enumerate(names) if name not in model.at_limit]
        slopes = np.array([(moved(names[each], NUDGE) - moved(names[each], -NUDGE)) / (2 * NUDGE) for each in free])
        covariance = model.log_covariance[np.ix_(free, free)]
        variance += np.einsum("i...,ij,j...->...", slopes, covariance, slopes) if free else 0
    half = ndtri((1 + level) / 2) * np.sqrt(variance)
    return (value * np.exp(-half))[()], (value * np.exp(half))[()]

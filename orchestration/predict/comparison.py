"""May a new model take the place of the one in use?

Here belongs the decision on rows that both have predicted, in words; not where the two come from.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from orchestration.predict.auc_variance import Estimate, auc_difference
from orchestration.predict.columns import Floats, group_codes
from orchestration.predict.folds import LABEL_DAYS
from orchestration.predict.measures import Z95, log_losses, scored
from orchestration.predict.resampling import mean_interval


@dataclass(frozen=True)
class FoldPredictions:
    """What one model said about the latest fold.

    predictions: one row per snapshot, its index naming customer and snapshot; columns probability, churned, and customer where customers
    have several snapshots. trained_until: last snapshot that the model learned from, fold_from: first of the fold; with both, a model that
    has seen outcomes from within the fold is refused as an unfair comparison.
    """

    version: str
    predictions: pd.DataFrame
    trained_until: date | None = None
    fold_from: date | None = None
    label_days: int = LABEL_DAYS

    def __post_init__(self) -> None:
        lacking = [name for name in ("probability", "churned") if name not in self.predictions.columns]
        if lacking:
            raise ValueError(f"predictions of model {self.version} lack {', '.join(lacking)}")
        if self.predictions.index.has_duplicates:
            raise ValueError(f"predictions of model {self.version} have rows twice in their index")
        if self.trained_until and self.fold_from and (self.fold_from - self.trained_until).days < self.label_days:
            raise ValueError(
                f"model {self.version} learned from snapshots until {self.trained_until}, whose outcomes lie within the fold from {self.fold_from}"
            )


@dataclass(frozen=True)
class Decision:
    """`is_better`: put the candidate into use. `reason` says why, for people. Differences: candidate less current, 95 % interval."""

    is_better: bool
    reason: str
    log_loss_difference: Estimate
    auc_difference: Estimate

    def __bool__(self) -> bool:
        return self.is_better


def better_than(current_evaluation: FoldPredictions, candidate_evaluation: FoldPredictions) -> Decision:
    """Whether the candidate replaces the current model: on the same rows its log loss must be lower, and its AUC not clearly worse.

    Log loss decides because it is proper: no model gains by saying anything but its true probabilities, and it judges ranks and levels
    at once. Clearly worse in AUC: the whole 95 % interval of the difference lies below 0. ValueError where the rows or outcomes differ.
    """
    old, new = current_evaluation.predictions, candidate_evaluation.predictions
    if len(old) != len(new) or not old.index.isin(new.index).all():
        raise ValueError(f"the models were judged on different rows ({len(old)} and {len(new)}): compare them on the same fold")
    new = new.loc[old.index]
    before, happened, _ = scored(old["probability"], old["churned"], probability=True)
    after, same, _ = scored(new["probability"], new["churned"], probability=True)
    if (happened != same).any():
        raise ValueError(f"the models were judged by different outcomes in {np.count_nonzero(happened != same)} rows")
    customers = group_codes(old["customer"] if "customer" in old.columns else None, len(old))

    gain = log_losses(after, happened) - log_losses(before, happened)
    loss = Estimate(float(gain.mean()), *mean_interval(gain, customers, Z95))
    area = auc_difference(after, before, happened, customers) if 0 < happened.sum() < len(happened) else Estimate(*[float("nan")] * 3)
    levels = (float(log_losses(after, happened).mean()), float(log_losses(before, happened).mean()))
    is_better, why = _verdict(loss, area)
    reason = f"{'in use from now' if is_better else 'kept out'}: {why}. {_figures(candidate_evaluation, current_evaluation, levels, loss, area)}, "
    return Decision(is_better, reason + _basis(happened, customers), loss, area)


def _verdict(loss: Estimate, area: Estimate) -> tuple[bool, str]:
    if loss.value == 0:
        return False, "no different from the current model"
    if loss.value > 0:
        return False, f"worse than the current model, {'clearly' if loss.low > 0 else 'though within chance'}"
    if area.high < 0:
        return False, "ranks customers clearly worse than the current model, though its log loss is lower"
    return True, f"better than the current model, {'clearly' if loss.high < 0 else 'though within chance'}"


def _figures(candidate: FoldPredictions, current: FoldPredictions, levels: tuple[float, float], loss: Estimate, area: Estimate) -> str:
    return (
        f"Log loss {levels[0]:.4f} ({candidate.version}) against {levels[1]:.4f} ({current.version}), difference {_spelled(loss)}; "
        f"AUC difference {_spelled(area)}"
    )


def _spelled(estimate: Estimate) -> str:
    return "not defined" if np.isnan(estimate.value) else f"{estimate.value:+.4f} (95 % {estimate.low:+.4f} to {estimate.high:+.4f})"


def _basis(happened: Floats, customers: np.ndarray) -> str:
    return f"on {len(happened):,} snapshots of {len(np.unique(customers)):,} customers, {int(happened.sum()):,} of them before churn"

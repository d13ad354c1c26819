"""How good a churn model is: against its baselines, on months that it had not seen.

Here belongs the judgement, and the names that callers use. The steps have modules of their own: measures.py (values), auc_variance.py and
resampling.py (intervals), folds.py (dates), baselines.py, comparison.py (a new model against the current one).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from orchestration.predict.auc_variance import Estimate, auc_difference, auc_interval
from orchestration.predict.baselines import BaseRate, HealthBaseline, fit_base_rate, fit_health_baseline
from orchestration.predict.churn import ChurnModel, TooFewEvents, fit_churn_model
from orchestration.predict.columns import Codes, Floats, check_features, group_codes, outcomes
from orchestration.predict.comparison import Decision, FoldPredictions, better_than
from orchestration.predict.folds import LABEL_DAYS, Fold, split_by_time, trainable
from orchestration.predict.leakage import check_leakage
from orchestration.predict.measures import (
    DECILE,
    Z95,
    Ranking,
    auc,
    brier,
    calibration_error,
    calibration_table,
    expected_calibration_error,
    log_loss,
    log_losses,
    pr_auc,
    quantile_bins,
    scored,
    squared_errors,
    top_decile_lift,
    wilson_interval,
)
from orchestration.predict.resampling import RESAMPLES, mean_interval, percentile_intervals

__all__ = [
    "Backtest", "BaseRate", "Decision", "Estimate", "Fold", "FoldPredictions", "HealthBaseline", "auc", "auc_difference", "auc_interval",
    "backtest", "better_than", "brier", "calibration_table", "evaluate", "evaluate_ranking", "expected_calibration_error", "fit_base_rate",
    "fit_health_baseline", "log_loss", "pr_auc", "split_by_time", "top_decile_lift", "trainable", "wilson_interval",
]  # fmt: skip

MODEL = "churn_model"
BASELINES = ("base_rate", "health_score")
ALL_FOLDS = 0  # the number under which the test rows of all folds are judged together


def evaluate(
    probability: ArrayLike,
    churned: ArrayLike,
    *,
    baselines: Mapping[str, ArrayLike],
    groups: ArrayLike | None = None,
    model: str = MODEL,
    resamples: int = RESAMPLES,
    random_state: int = 0,
) -> pd.DataFrame:
    """One row per model (the model, then each baseline) and metric: model, metric, value, low, high, n, events.

    probability, churned, and each of `baselines` (name → P(churn) of the same rows): 1-d, no gaps. groups: the customer of each row;
    intervals (95 %) then allow for snapshots of one customer saying the same thing. n and events are rows.
    Metrics: auc, pr_auc, brier, log_loss, expected_calibration_error, top_decile_lift; and for the model auc_over_<baseline>, the
    difference with its paired interval. What rows with one outcome cannot say is NaN. ValueError as in the measures.
    """
    values, happened, _ = scored(probability, churned, probability=True)
    customers = group_codes(None if groups is None else np.asarray(groups), len(values))
    others = {name: scored(each, happened, probability=True)[0] for name, each in baselines.items()}
    if model in others:
        raise ValueError(f"a baseline has the model's name, {model!r}")
    rows = [
        {"model": name, "metric": metric, **vars(estimate)}
        for name, each in {model: values, **others}.items()
        for metric, estimate in _metrics(each, happened, customers, resamples, random_state).items()
    ]
    if 0 < happened.sum() < len(happened):
        for name, each in others.items():
            rows.append({"model": model, "metric": f"auc_over_{name}", **vars(auc_difference(values, each, happened, customers))})
    return pd.DataFrame(rows).assign(n=len(happened), events=int(happened.sum()))


def evaluate_ranking(
    score: ArrayLike,
    churned: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    metrics: Collection[str] = ("auc", "pr_auc", "top_decile_lift"),
    resamples: int = RESAMPLES,
    random_state: int = 0,
) -> pd.DataFrame:
    """What a score that is no probability is worth (higher = more at risk): one row per metric, columns metric, value, low, high, n, events.

    Intervals as in `evaluate`, stretched to their value where few churned. ValueError as in the measures.
    """
    values, happened, _ = scored(score, churned)
    customers = group_codes(None if groups is None else np.asarray(groups), len(values))
    ranking, once = Ranking(values, happened), np.ones(len(happened))
    resampled = {"pr_auc": ranking.pr_auc, "top_decile_lift": partial(ranking.lift, share=DECILE)}
    resampled = {name: measure for name, measure in resampled.items() if name in metrics}
    found = {"auc": auc_interval(values, happened, customers)} if "auc" in metrics else {}
    ends = percentile_intervals(resampled, customers, resamples=resamples, random_state=random_state) if resampled else {}
    for name, (low, high) in ends.items():
        value = resampled[name](once)
        found[name] = Estimate(value, min(low, value), max(high, value))
    rows = [{"metric": name, **vars(estimate)} for name, estimate in found.items()]
    return pd.DataFrame(rows).assign(n=len(happened), events=int(happened.sum()))


def _metrics(probability: Floats, happened: Floats, customers: Codes, resamples: int, random_state: int) -> dict[str, Estimate]:
    ranking, place = Ranking(probability, happened), quantile_bins(probability, np.ones(len(happened)))
    resampled = {
        "pr_auc": ranking.pr_auc,
        "expected_calibration_error": partial(calibration_error, place, probability - happened),
        "top_decile_lift": partial(ranking.lift, share=DECILE),
    }
    once = np.ones(len(happened))
    values = {name: measure(once) for name, measure in resampled.items()}
    ends = percentile_intervals(resampled, customers, resamples=resamples, random_state=random_state)
    # Noise can only add to a mean distance, so draws lie too high: mirrored at the value, not below 0 (the basic bootstrap).
    error, (low, high) = values["expected_calibration_error"], ends["expected_calibration_error"]
    ends["expected_calibration_error"] = (max(2 * error - high, 0.0), max(2 * error - low, error))
    losses = {"brier": squared_errors(probability, happened), "log_loss": log_losses(probability, happened)}
    both = 0 < happened.sum() < len(happened)
    return {
        "auc": auc_interval(probability, happened, customers) if both else Estimate(*[float("nan")] * 3),
        "pr_auc": Estimate(values["pr_auc"], *ends["pr_auc"]),
        **{name: Estimate(float(loss.mean()), *mean_interval(loss, customers, Z95)) for name, loss in losses.items()},
        **{name: Estimate(values[name], *ends[name]) for name in ("expected_calibration_error", "top_decile_lift")},
    }


@dataclass(frozen=True)
class Backtest:
    """What the model would have been worth, had it been in use.

    evaluations: `evaluate`'s columns after `fold`; fold 0 is all of them judged together, so that there even the base rate ranks, by fold.
    predictions: one row per test row of a fold that had a model, in the index of the features: fold, snapshot_date, customer, churned,
    churn_model, base_rate, health_score (all three P(churn)). abstained: fold → why there was no model. folds: their dates and rows.
    models: fold → the model that was tested there.
    """

    evaluations: pd.DataFrame
    predictions: pd.DataFrame
    abstained: dict[int, str]
    folds: list[Fold]
    models: dict[int, ChurnModel]
    label_days: int = LABEL_DAYS

    def latest(self) -> FoldPredictions:
        """The newest fold with a model, as `better_than` takes it. ValueError where every fold abstained."""
        if not self.models:
            raise ValueError("no fold has a model: " + "; ".join(self.abstained.values()))
        fold = next(each for each in reversed(self.folds) if each.number in self.models)
        rows = self.predictions[self.predictions["fold"] == fold.number].rename(columns={MODEL: "probability"})
        version = self.models[fold.number].metadata["version"]
        return FoldPredictions(version, rows[["probability", "churned", "customer"]], fold.train_until, fold.test_from, self.label_days)


def backtest(
    features: pd.DataFrame,
    churned: pd.Series | NDArray,
    snapshot_dates: pd.Series | NDArray,
    health_score: pd.Series | NDArray,
    groups: pd.Series | NDArray,
    *,
    folds: int = 3,
    label_days: int = LABEL_DAYS,
    random_state: int = 0,
    known_on: pd.DataFrame | pd.Series | None = None,
    vouched: Collection[str] = (),
    **options: Any,
) -> Backtest:
    """Fit on the past, judge on what came after, fold by fold (`split_by_time`); model and baselines learn from the same rows.

    One row per customer and snapshot in all arguments; only snapshots whose outcome is known. health_score: higher = healthier, may be
    missing. groups: the customer. known_on, vouched: see `check_leakage`, which runs first, on all rows. options: `minimum_events` of
    `fit_churn_model`. A fold with too few events abstains and says why. ValueError as in these.
    """
    check_features(features)
    happened, customers, score = outcomes(churned, features), np.asarray(groups), np.asarray(health_score)
    if len(score) != len(features):
        raise ValueError(f"features has {len(features)} rows and health_score {len(score)}")
    check_leakage(features, happened, snapshot_dates=snapshot_dates, groups=customers, known_on=known_on, vouched=vouched, label_days=label_days)
    parts, models, abstained, tested = split_by_time(snapshot_dates, folds=folds, label_days=label_days), {}, {}, []
    for fold in parts:
        train, test = fold.train, fold.test
        try:
            # All rows have been checked: among the few who churned in the first months, anything may part them by chance.
            fitted = fit_churn_model(
                features.iloc[train], happened[train], random_state=random_state, groups=customers[train], vouched=list(features.columns), **options
            )
        except TooFewEvents as too_few:
            abstained[fold.number] = str(too_few)
            continue
        models[fold.number] = fitted
        columns = {
            "fold": fold.number,
            "snapshot_date": np.asarray(snapshot_dates)[test],
            "customer": customers[test],
            "churned": happened[test].astype(bool),
            MODEL: fitted.predict_proba(features.iloc[test]),
            "base_rate": fit_base_rate(happened[train]).predict_proba(len(test)),
            "health_score": fit_health_baseline(score[train], happened[train]).predict_proba(score[test]),
        }
        tested.append(pd.DataFrame(columns, index=features.index[test]))
    predictions = pd.concat(tested) if tested else pd.DataFrame(columns=["fold", "snapshot_date", "customer", "churned", MODEL, *BASELINES])
    return Backtest(_evaluations(predictions, random_state), predictions, abstained, parts, models, label_days)


def _evaluations(predictions: pd.DataFrame, random_state: int) -> pd.DataFrame:
    judged = [(ALL_FOLDS, predictions)] if len(predictions) else []
    judged += [(int(number), rows) for number, rows in predictions.groupby("fold")]
    tables = [
        evaluate(
            rows[MODEL], rows["churned"], baselines={name: rows[name] for name in BASELINES}, groups=rows["customer"], random_state=random_state
        ).assign(fold=number)
        for number, rows in judged
    ]
    columns = ["fold", "model", "metric", "value", "low", "high", "n", "events"]
    return pd.concat(tables, ignore_index=True)[columns] if tables else pd.DataFrame(columns=columns)

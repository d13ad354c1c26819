"""Churn risk: an additive scorecard, from features to a calibrated probability and the features that drive it.

Here belongs what callers of the model see: fitting, predicting, explaining, storing. The steps have modules of their own: columns.py (what
comes in), binning.py (codes), additive.py (the fit), calibration.py, leakage.py (features that know the future). How good a model is:
evaluate.py.

A model is a table per feature: what each bin, category or missing value adds to the log-odds of churn, against the average training row.
So drivers are exact, contributions add up to the prediction, and a stored model is JSON that people can read and no code.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy.special import expit
from threadpoolctl import threadpool_limits

from orchestration.predict.additive import Additive, Design, fit_additive
from orchestration.predict.binning import Bins, fit_bins
from orchestration.predict.calibration import PRIOR_SPREAD, Line, fit_line
from orchestration.predict.columns import Codes, Floats, check_features, group_codes, listed, outcomes
from orchestration.predict.leakage import refuse_answers

FORMAT = "churn-scorecard/1"
MINIMUM_EVENTS = 30  # from here on the model beat the base rate out of sample in each of 24 simulations; at 15 it lost in one of four
FOLDS = 5  # for calibration
DECIMALS = 9  # of a contribution: the last bits of a fit depend on the machine, the model's version must not


class TooFewEvents(ValueError):
    """Too few customers churned to learn from: abstain. `.events` and `.minimum` say by how much."""

    def __init__(self, events: int, minimum: int) -> None:
        super().__init__(f"only {events} customers churned in the training rows, at least {minimum} are needed: no model")
        self.events, self.minimum = events, minimum


@dataclass(frozen=True)
class ChurnModel:
    """A fitted scorecard: log-odds = intercept + Σ tables[feature][code of its value]; `metadata` says where it comes from."""

    intercept: float
    bins: tuple[Bins, ...]
    tables: tuple[Floats, ...]
    metadata: dict[str, Any]

    def predict_proba(self, features: pd.DataFrame) -> Floats:
        """P(churn), one per row of `features`, in [0, 1]. Columns in any order; those that the model doesn't know are ignored.

        A category never seen in training counts like the rare ones, any other value that never occurred like the average.
        ValueError names missing columns, and those that changed from number to text.
        """
        return expit(self.intercept + self.contributions(features).to_numpy().sum(axis=1))

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """What each feature adds to each row's log-odds, against the average training row: rows as given, a column per feature.

        Row sums plus `intercept` are the log-odds of `predict_proba`. ValueError as there.
        """
        check_features(features)
        missing = [each.name for each in self.bins if each.name not in features.columns]
        if missing:
            raise ValueError(f"features lacks columns that the model was fitted with: {listed(missing)}")
        added = np.empty((len(features), len(self.bins)))
        for place, (bins, table) in enumerate(zip(self.bins, self.tables, strict=True)):
            added[:, place] = table[bins.encode(features[bins.name])]
        return pd.DataFrame(added, index=features.index, columns=[each.name for each in self.bins])

    def drivers(self, features: pd.DataFrame, top: int = 3) -> pd.DataFrame:
        """The features that move each customer furthest from the average, either way: one row per row of `features`, in its index.

        Columns driver_1, effect_1, … driver_`top`, effect_`top`, largest effect first; equal ones in the order of training columns.
        driver: name of the feature; effect: log-odds against the average training row, positive = more risk. None and NaN where
        fewer features have any effect. ValueError as in `predict_proba`.
        """
        if top < 1:
            raise ValueError(f"top is a number of drivers, at least 1, not {top}")
        added = self.contributions(features)
        effects, names = added.to_numpy(), added.columns.to_numpy(dtype=object)
        order = np.argsort(-np.abs(effects), axis=1, kind="stable")[:, :top]
        sizes = np.take_along_axis(effects, order, axis=1)
        found = {}
        for rank in range(top):
            has_effect = sizes[:, rank] != 0 if rank < sizes.shape[1] else np.zeros(len(added), dtype=bool)
            at = min(rank, sizes.shape[1] - 1)
            found[f"driver_{rank + 1}"] = pd.Series(np.where(has_effect, names[order[:, at]], None), index=added.index, dtype=object)
            found[f"effect_{rank + 1}"] = np.where(has_effect, sizes[:, at], np.nan)
        return pd.DataFrame(found, index=added.index)

    def to_dict(self) -> dict[str, Any]:
        """The whole model as what JSON knows; `from_dict` reads it."""
        return {"format": FORMAT, **_parameters(self.intercept, self.bins, self.tables), "metadata": self.metadata}

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ChurnModel:
        """A stored model. ValueError for another format, and for parameters that are not those the stored version was given for."""
        if stored.get("format") != FORMAT:
            raise ValueError(f"a churn model in format {stored.get('format')!r}; this version reads {FORMAT!r}: retrain")
        bins = tuple(Bins.from_dict(each) for each in stored["features"])
        tables = tuple(np.array(each["effects"], dtype=float) for each in stored["features"])
        model = cls(float(stored["intercept"]), bins, tables, dict(stored["metadata"]))
        version = _version(model.intercept, bins, tables)
        if version != model.metadata["version"]:
            raise ValueError(f"the stored churn model {model.metadata['version']} was changed: its content is {version}")
        return model


def fit_churn_model(
    features: pd.DataFrame,
    churned: pd.Series | NDArray,
    *,
    random_state: int = 0,
    groups: pd.Series | NDArray | None = None,
    minimum_events: int = MINIMUM_EVENTS,
    vouched: Collection[str] = (),
) -> ChurnModel:
    """A calibrated model of P(churn). The same for the same input and `random_state`, which deals customers to folds for calibration.

    features: one row per customer and snapshot; numbers, booleans, text, categories, missing values as they come; no dates.
    churned: True / 1 or False / 0 per row, a Series in the index of `features` or an array.
    groups: the customer of each row. Pass it wherever customers have several snapshots: they are not independent, and a fit that takes
    them to be follows noise. Events are then customers who churned, not rows.
    vouched: features that may separate the classes (almost) perfectly because somebody knows why.
    TooFewEvents below `minimum_events`; LeakageError for a feature that is the outcome itself; ValueError for anything else that is wrong.
    """
    check_features(features)
    happened, customers = outcomes(churned, features), group_codes(groups, len(features))
    rows_gone, gone = int(happened.sum()), len(np.unique(customers[happened == 1]))
    if rows_gone in (0, len(happened)):
        raise (TooFewEvents(0, minimum_events) if rows_gone == 0 else ValueError("every row churned: there is nobody to compare them with"))
    if gone < minimum_events:
        raise TooFewEvents(gone, minimum_events)
    refuse_answers(features, happened, customers, vouched)

    bins = tuple(fit_bins(features[name]) for name in features.columns)
    codes = [each.encode(features[each.name]) for each in bins]
    design = Design(codes, [each.size for each in bins], [each.is_ordered for each in bins])
    repeats = rows_gone / gone
    with threadpool_limits(limits=1):  # matrices this small are slower on many threads, and differ in their last bits
        fit = fit_additive(design, happened, dispersion=repeats)
        line = fit_line(
            _out_of_fold(design, happened, customers, fit, repeats, random_state), happened, dispersion=repeats, prior_spread=PRIOR_SPREAD
        )
    intercept = round(line.intercept + line.slope * fit.intercept, DECIMALS)
    tables = tuple(np.round(line.slope * table, DECIMALS) + 0.0 for table in fit.tables)
    about = _about(features, happened, customers, design, bins, tables, fit, line)
    return ChurnModel(intercept, bins, tables, {"version": _version(intercept, bins, tables), **about, "random_state": random_state})


def _out_of_fold(design: Design, happened: Floats, customers: Codes, fit: Additive, repeats: float, random_state: int) -> Floats:
    """Each row's log-odds from a fit that has not seen its customer. Who churned is dealt evenly to the folds."""
    shuffled = np.random.default_rng(random_state).permutation(customers.max() + 1)
    ever = np.bincount(customers, happened, len(shuffled)) > 0
    fold_of = np.empty(len(shuffled), dtype=np.intp)
    for kind in (True, False):
        alike = shuffled[ever[shuffled] == kind]
        fold_of[alike] = np.arange(len(alike)) % FOLDS
    fold, score = fold_of[customers], np.empty(len(happened))
    for each in range(FOLDS):
        held, rest = np.flatnonzero(fold == each), np.flatnonzero(fold != each)
        part = fit_additive(design.subset(rest), happened[rest], dispersion=repeats, start=fit)
        score[held] = design.subset(held).score(np.concatenate([[part.intercept], *part.tables]))
    return score


def _parameters(intercept: float, bins: tuple[Bins, ...], tables: tuple[Floats, ...]) -> dict[str, Any]:
    return {"intercept": intercept, "features": [{**each.to_dict(), "effects": table.tolist()} for each, table in zip(bins, tables, strict=True)]}


def _version(intercept: float, bins: tuple[Bins, ...], tables: tuple[Floats, ...]) -> str:
    content = json.dumps([FORMAT, _parameters(intercept, bins, tables)], sort_keys=True, allow_nan=False)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _about(
    features: pd.DataFrame,
    happened: Floats,
    customers: Codes,
    design: Design,
    bins: tuple[Bins, ...],
    tables: tuple[Floats, ...],
    fit: Additive,
    line: Line,
) -> dict[str, Any]:
    """What is worth knowing about a model; `spread` of a feature is the standard deviation of its contributions, log-odds."""
    described = [
        {
            "name": each.name,
            "kind": each.kind,
            "missing_share": round(float(features[each.name].isna().mean()), 6),
            "degrees_of_freedom": round(float(fit.freedom[place]), 3),
            "spread": round(float(np.sqrt(design.shares[place] @ tables[place] ** 2)), 6),
        }
        for place, each in enumerate(bins)
    ]
    return {
        "n": len(happened),
        "events": int(happened.sum()),
        "customers": len(np.unique(customers)),
        "churned_customers": len(np.unique(customers[happened == 1])),
        "base_rate": round(float(happened.mean()), DECIMALS),
        "features": described,
        "calibration": {"kind": "sigmoid", "slope": round(line.slope, DECIMALS), "intercept": round(line.intercept, DECIMALS), "folds": FOLDS},
        "libraries": {"python": platform.python_version(), "numpy": np.__version__, "pandas": pd.__version__, "scipy": scipy.__version__},
    }

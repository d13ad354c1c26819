"""Features that only the future knows: found by their dates, by building them again without the future, or by being too good to be true.

Here belongs refusing them, naming each; not fitting (churn.py). The first two checks are proof, where the caller has what they need. The
third is suspicion: an outcome copied with much noise looks like an honest feature, so it does not replace the other two.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from orchestration.predict.columns import Codes, Floats, as_labels, as_numbers, check_features, group_codes, kind_of, listed, outcomes
from orchestration.predict.feature_power import NextWindow, feature_auc, next_window, parts_by_customer, parts_by_time, single_aucs
from orchestration.predict.folds import LABEL_DAYS, as_days, snapshot_days

CERTAIN_AUC = 0.995  # of one feature alone: the outcome itself under another name
IMPLAUSIBLE_AUC = 0.90  # of one feature alone: whole churn models seldom reach it
STRONG_AUC = 0.75  # from here on a feature is asked about the window after its own
MEMORY = 0.2  # of what it knows about its own window: less is no state of a customer


class LeakageError(ValueError):
    """Features know what happened after the snapshot; `.features` names them."""

    def __init__(self, leaking: Mapping[str, str], what: str = "too good to be known on the snapshot date") -> None:
        named = listed(f"{name!r} ({why})" for name, why in leaking.items())
        super().__init__(f"{what}: {named}. Take it out, or name it in vouched=… if it was known then")
        self.features = tuple(leaking)


def check_leakage(
    features: pd.DataFrame,
    churned: pd.Series | NDArray,
    *,
    snapshot_dates: pd.Series | NDArray | None = None,
    groups: pd.Series | NDArray | None = None,
    known_on: pd.DataFrame | pd.Series | None = None,
    vouched: Collection[str] = (),
    label_days: int = LABEL_DAYS,
) -> pd.Series:
    """AUC of each feature alone, by name, best first; LeakageError for features that are too good and not vouched for.

    The AUC is taken on later snapshots than the feature's rates were learned from (with snapshot_dates, one a row), else on other customers
    (`groups`). Too good is 0.995, whatever else; a strong one (0.75) that provably says next to nothing about the window after its own,
    because a state of a customer lasts and an answer ends with its question; and one of 0.9 that does not prove the opposite, if only for
    want of dates, groups or events. known_on: see `check_known_on`. vouched: features that somebody has checked and stands for.
    """
    check_features(features)
    happened, customers = outcomes(churned, features), group_codes(groups, len(features))
    days = None if snapshot_dates is None else snapshot_days(snapshot_dates)
    if days is not None and len(days) != len(features):
        raise ValueError(f"features has {len(features)} rows and snapshot_dates {len(days)}")
    if known_on is not None:
        if days is None:
            raise ValueError("known_on is compared with snapshot_dates: pass both")
        check_known_on(features, known_on, days)
    found = single_aucs(features, happened, parts_by_customer(customers) if days is None else parts_by_time(happened, customers, days))
    following = None if days is None or groups is None else next_window(happened, customers, days, label_days)
    leaking = {name: why for name, value in found.items() if name not in vouched and (why := _suspicion(features[name], value, following))}
    if leaking:
        raise LeakageError(leaking)
    return found


def refuse_answers(features: pd.DataFrame, churned: Floats, customers: Codes, vouched: Collection[str] = ()) -> None:
    """LeakageError for features that are the outcome under another name: what a fit can see for itself, without dates."""
    found = single_aucs(features, churned, parts_by_customer(customers))
    leaking = {name: f"AUC {value:.3f} alone" for name, value in found.items() if value >= CERTAIN_AUC and name not in vouched}
    if leaking:
        raise LeakageError(leaking)


def _suspicion(column: pd.Series, auc: float, following: NextWindow | None) -> str:
    """Why a feature of this AUC is not believed; empty if it is."""
    if auc >= CERTAIN_AUC:
        return f"AUC {auc:.3f} alone"
    if auc < STRONG_AUC:
        return ""
    alone = f"AUC {auc:.3f} alone"
    if following is None:
        return alone if auc >= IMPLAUSIBLE_AUC else ""
    beyond = feature_auc(column.iloc[following.rows], following.churned, parts_by_customer(following.customers))
    # The very strong must prove that they last, the strong are taken at their word until the opposite is proven.
    doubt = -following.chance if auc >= IMPLAUSIBLE_AUC else following.chance
    return f"{alone}, {beyond:.3f} for the window after its own" if beyond + doubt - 0.5 < MEMORY * (auc - 0.5) else ""


def check_known_on(features: pd.DataFrame, known_on: pd.DataFrame | pd.Series, snapshot_dates: pd.Series | NDArray) -> None:
    """LeakageError for features with a value that became known after its row's snapshot.

    known_on: the day each value was known: a frame with a column per feature, in the rows of `features`, or one Series for all features.
    snapshot_dates: one date per row. A day counts as a whole; a value without a day is refused too.
    """
    if len(known_on) != len(features) or len(snapshot_dates) != len(features):
        raise ValueError(f"known_on has {len(known_on)} rows, snapshot_dates {len(snapshot_dates)} and features {len(features)}")
    if isinstance(known_on, pd.Series):
        known_on = pd.DataFrame(dict.fromkeys(features.columns, known_on))
    undated = [name for name in features.columns if name not in known_on.columns]
    if undated:
        raise ValueError(f"known_on has no column for {listed(undated)}")
    snapshots, late = as_days(snapshot_dates), {}
    for name in features.columns:
        days = as_days(known_on[name])
        wrong = features[name].notna().to_numpy() & ~(days <= snapshots)  # NaT <= anything is false
        if wrong.any():
            late[name] = f"{np.count_nonzero(wrong)} rows"
    if late:
        raise LeakageError(late, "known only after the snapshot date, or on no known day")


def check_rebuilt(features: pd.DataFrame, rebuilt: pd.DataFrame) -> None:
    """LeakageError for features that come out differently when every fact after the snapshot is deleted before they are built.

    features: as built; rebuilt: the same rows and columns, built without the future. Numbers may differ by a billionth.
    """
    if not features.index.equals(rebuilt.index) or set(features.columns) != set(rebuilt.columns):
        raise ValueError("rebuilt must have the rows, in the same order, and the columns of features")
    changed = {name: np.count_nonzero(_differs(features[name], rebuilt[name])) for name in features.columns}
    leaking = {name: f"{rows} rows" for name, rows in changed.items() if rows}
    if leaking:
        raise LeakageError(leaking, "changed when what happened after the snapshot was deleted")


def _differs(left: pd.Series, right: pd.Series) -> NDArray[np.bool_]:
    if {kind_of(left), kind_of(right)} <= {"number", "boolean", "empty"}:
        return ~np.isclose(as_numbers(left), as_numbers(right), rtol=1e-9, atol=1e-9, equal_nan=True)
    texts = []
    for column in (left, right):
        positions, labels = as_labels(column)
        texts.append(np.array([*labels, None], dtype=object)[positions])
    return texts[0] != texts[1]

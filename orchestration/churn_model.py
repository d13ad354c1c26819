"""The churn model from month to month: trained anew on the first run of a month, kept in use while no better one comes.

Here belongs which snapshots train it and when one model replaces another; the maths is in predict/churn.py and predict/evaluate.py, what
is kept of past months in churn_store.py.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.churn_store import Entry, entries, has_said, said, say, store

if TYPE_CHECKING:
    import pandas as pd

    from orchestration.predict.churn import ChurnModel
    from orchestration.predict.evaluate import Backtest

log = logging.getLogger("csw")
NOT_FEATURES = ("customer_id", "as_of_date", "definition_version", "has_churned")
KNOWN_AFTER = 4  # months: the 90 days and the grace days are over then, so that a month's model is the same whichever day trains it
FEWEST_TO_TEST = 10  # churns in a backtest's training rows: fewer than a model in use needs, so a test can only look worse than it is
# Looked at, and known on the day: read as known on it (int_predictions__commitments), which is proved by rebuilding past days without their
# future. Yearly contracts end on their day, and notice comes before the end, so both are too good for the suspicion of predict/leakage.py.
VOUCHED = ("may_leave_in_90d", "is_cancellation_requested")
DRIVERS = ("driver_1", "effect_1", "driver_2", "effect_2", "driver_3", "effect_3")
SCORES = ("customer_id", "churn_probability", *DRIVERS, "model_version", "abstained_because")
EVALUATIONS = ("model", "model_version", "segment", "metric", "value", "low", "high", "observations", "events", "note")


@dataclass(frozen=True)
class Risk:
    """What a run says of churn: `scores` and `evaluations` as the prediction tables want them; was a model trained, and what came of it."""

    scores: pd.DataFrame
    evaluations: pd.DataFrame
    version: str | None
    trained: bool
    note: str


def churn_risk(folder: Path, snapshots: pd.DataFrame, as_of: date, *, minimum_days: int, anew: bool = False) -> Risk:
    """Score today's snapshots, after training a model if this month has none yet, or `anew` asks for one.

    snapshots: int_predictions__churn_snapshots. Customers of fewer than `minimum_days` train nothing and get no probability. A run whose
    month has been trained for, or that goes back in time, takes the model in use; so does one whose training was refused because a feature
    seems to know the future, and without one it abstains: the note names the feature. ValueError when a stored model is not what was stored.
    """
    import pandas as pd

    kept, month = entries(folder), as_of.strftime("%Y-%m")
    days = pd.to_datetime(snapshots["as_of_date"])
    firsts, is_old = snapshots[days.dt.day == 1], snapshots["tenure_days"] >= minimum_days
    _say_what_was_missed(folder, firsts, as_of, kept, minimum_days)
    trained = anew or not kept or kept[-1].month < month
    if trained:
        kept = [entry for entry in kept if entry.month < month]
        is_known = firsts["has_churned"].notna() & (days[firsts.index] <= pd.Timestamp(as_of.replace(day=1)) - pd.DateOffset(months=KNOWN_AFTER))
        kept.append(_train(folder, firsts[is_old[firsts.index] & is_known].reset_index(drop=True), month, kept))
        store(folder, kept)
        log.info("churn model   %s", kept[-1].note)
    latest = kept[-1]
    scores = _scores(snapshots[days == pd.Timestamp(as_of)], latest, minimum_days)
    if as_of.day == 1 and latest.model:
        say(folder, as_of, scores)
    version = latest.model["metadata"]["version"] if latest.model else None
    return Risk(scores, pd.DataFrame(latest.evaluations, columns=list(EVALUATIONS)), version, trained, latest.note)


def _say_what_was_missed(folder: Path, firsts: pd.DataFrame, as_of: date, kept: list[Entry], minimum_days: int) -> None:
    """The firsts of a month since the last run get what the model in use said of them: it is older than each, and so a fair rival."""
    if not kept or not kept[-1].model:
        return
    for day, rows in firsts.groupby("as_of_date"):
        day = _date(day)
        if day < as_of and day.strftime("%Y-%m") > kept[-1].month and not has_said(folder, day):
            say(folder, day, _scores(rows, kept[-1], minimum_days))


def _train(folder: Path, known: pd.DataFrame, month: str, kept: list[Entry]) -> Entry:
    """The model for a month: a new one, or the one in use where training did worse on the latest fold than what was said at the time.

    known: the snapshots of firsts of a month whose outcome is known.
    """
    from orchestration.predict.churn import TooFewEvents, fit_churn_model
    from orchestration.predict.evaluate import backtest
    from orchestration.predict.leakage import LeakageError

    features, churned = known.drop(columns=list(NOT_FEATURES)), known["has_churned"].astype(bool)
    in_use = kept[-1] if kept and kept[-1].model else None
    try:
        model = fit_churn_model(features, churned, groups=known["customer_id"], vouched=VOUCHED)
    except TooFewEvents as too_few:
        return _again(in_use, month, str(too_few)) if in_use else Entry(month, str(too_few))
    except LeakageError as leak:
        return _refused(in_use, month, leak)
    except ValueError as error:
        if len(known) and 0 < churned.sum() < len(known):
            raise
        return _again(in_use, month, str(error)) if in_use else Entry(month, f"nothing to learn from yet: {error}")
    try:
        score, days = known["score_points"].astype(float), known["as_of_date"]
        tested = backtest(features, churned, days, score, known["customer_id"], vouched=VOUCHED, minimum_events=FEWEST_TO_TEST)
    except LeakageError as leak:
        return _refused(in_use, month, leak)
    except ValueError as error:  # too few months for folds
        tested, note = None, f"not tested on later months: {error}"
    else:
        note = "; ".join(tested.abstained.values())
    if in_use and tested is not None and tested.models and (why := _worse(tested, said(folder))):
        return _again(in_use, month, why)
    version = model.metadata["version"]
    about = f"model {version}: {int(churned.sum())} churns in {len(known)} snapshots up to {_date(known['as_of_date'].max())}"
    return Entry(month, f"{about}; {note}" if note else about, model.to_dict(), _evaluated(tested, version, about))


def _worse(tested: Backtest, published: pd.DataFrame) -> str | None:
    """Why training anew is kept out: on the latest fold it does worse than the probabilities that were published on those days.

    Judged is the fold's own model, which had not seen the fold; the model to be put into use has. None where nobody knows: nothing was
    published of those days, or nobody or everybody churned.
    """
    import pandas as pd

    from orchestration.predict.evaluate import FoldPredictions, better_than

    candidate = tested.latest()
    rows = tested.predictions.loc[candidate.predictions.index, ["snapshot_date", "customer", "churned"]]
    rows = rows.assign(as_of_date=pd.to_datetime(rows["snapshot_date"])).reset_index(names="row")
    both = rows.merge(published, left_on=["as_of_date", "customer"], right_on=["as_of_date", "customer_id"]).set_index("row")
    if not 0 < both["churned"].sum() < len(both):
        return None
    then = both.rename(columns={"churn_probability": "probability"})[["probability", "churned", "customer"]]
    current = FoldPredictions(", ".join(both["model_version"].unique()), then)
    decision = better_than(current, FoldPredictions(candidate.version, candidate.predictions.loc[both.index]))
    return None if decision or decision.log_loss_difference.value == 0 else decision.reason


def _refused(in_use: Entry | None, month: str, leak: ValueError) -> Entry:
    """A suspicion about one feature is no reason to publish nothing of anything: what was learned before, or nothing, and why."""
    why = f"refused: {leak}"
    return _again(in_use, month, why) if in_use else Entry(month, why)


def _again(in_use: Entry, month: str, why: str) -> Entry:
    note = f"the model in use stays: {why}"
    return Entry(month, note, in_use.model, [{**row, "note": note} for row in in_use.evaluations])


def _evaluated(tested: Backtest | None, version: str, note: str) -> list[dict[str, Any]]:
    """All folds together, as rows of fct_model_evaluations."""
    if tested is None:
        return []
    rows = tested.evaluations[tested.evaluations["fold"] == 0].astype(object)
    bins = calibration_rows(tested.predictions) if len(rows) else []
    return [
        {
            "model": "churn_risk" if row.model == "churn_model" else f"churn_risk_{row.model}",
            "model_version": version,
            "segment": "all",
            "metric": row.metric,
            **{name: None if getattr(row, name) != getattr(row, name) else float(getattr(row, name)) for name in ("value", "low", "high")},
            "observations": int(row.n),
            "events": int(row.events),
            "note": note,
        }
        for row in rows.itertuples()
    ] + [{"model": "churn_risk", "model_version": version, "segment": "all", **row, "note": note} for row in bins]


def calibration_rows(predictions: pd.DataFrame) -> list[dict[str, Any]]:
    """The calibration table, two metrics a tenth of the rows: what was predicted on average, and the share that churned with its interval."""
    from orchestration.predict.evaluate import calibration_table

    rows = []
    for each in calibration_table(predictions["churn_model"], predictions["churned"]).itertuples():
        counted = {"observations": int(each.n), "events": int(each.events)}
        rows.append({"metric": f"calibration_bin_{each.bin}_predicted", "value": float(each.mean_predicted), "low": None, "high": None, **counted})
        ends = {"value": float(each.observed), "low": float(each.low), "high": float(each.high)}
        rows.append({"metric": f"calibration_bin_{each.bin}_observed", **ends, **counted})
    return rows


def _scores(today: pd.DataFrame, latest: Entry, minimum_days: int) -> pd.DataFrame:
    import pandas as pd

    from orchestration.predict.churn import ChurnModel

    scores = pd.DataFrame(dict.fromkeys(SCORES), index=today.index)
    scores["customer_id"] = today["customer_id"]
    if latest.model is None:
        return scores.assign(abstained_because=latest.note)
    model: ChurnModel = ChurnModel.from_dict(latest.model)
    features = today.drop(columns=list(NOT_FEATURES))
    said_of_all = {"churn_probability": model.predict_proba(features), "model_version": model.metadata["version"], **model.drivers(features)}
    is_new = ~(today["tenure_days"] >= minimum_days)
    scores = scores.assign(**said_of_all)
    scores.loc[is_new, ["churn_probability", *DRIVERS]] = None
    scores.loc[is_new, "abstained_because"] = f"a customer for fewer than {minimum_days} days"
    return scores


def _date(day: Any) -> date:
    import pandas as pd

    return pd.Timestamp(day).date()

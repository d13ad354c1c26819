"""The churn model from month to month: trained anew on the first run of a month, kept in use while no better one comes.

Here belongs which snapshots train it, where models are kept and when one replaces another; the maths is in predict/churn.py and
predict/evaluate.py. Models are JSON below CSW_DATA_DIR/models/churn: state, like published versions, and never read as code.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from orchestration.predict.churn import ChurnModel
    from orchestration.predict.evaluate import Backtest

log = logging.getLogger("csw")
NOT_FEATURES = ("customer_id", "as_of_date", "has_churned")
KEEP = 24  # models
FEWEST_TO_TEST = 20  # churns in a backtest's training rows: fewer than a model in use needs, so a test can only look worse than it is
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


@dataclass
class Entry:
    """One month's training. `model` None: there were too few churns. `evaluations` as rows of EVALUATIONS."""

    month: str
    note: str
    trained_until: str | None = None
    model: dict[str, Any] | None = None
    evaluations: list[dict[str, Any]] = field(default_factory=list)


def churn_risk(folder: Path, snapshots: pd.DataFrame, as_of: date) -> Risk:
    """Score today's snapshots, after training a model if this month has none yet.

    snapshots: int_predictions__churn_snapshots. A run whose month has been trained for, or that goes back in time, uses the model in use.
    Raises ValueError when a feature knows the future (LeakageError) or a stored model is not what was stored.
    """
    import pandas as pd

    entries, month = _entries(folder), as_of.strftime("%Y-%m")
    trained = not entries or entries[-1].month < month
    if trained:
        entries.append(_train(snapshots, as_of, month, entries))
        _store(folder, entries)
        log.info("churn model   %s", entries[-1].note)
    latest = entries[-1]
    today = snapshots[pd.to_datetime(snapshots["as_of_date"]) == pd.Timestamp(as_of)]
    version = latest.model["metadata"]["version"] if latest.model else None
    return Risk(_scores(today, latest), pd.DataFrame(latest.evaluations, columns=list(EVALUATIONS)), version, trained, latest.note)


def _train(snapshots: pd.DataFrame, as_of: date, month: str, entries: list[Entry]) -> Entry:
    """The model for a month: a new one, or the one in use where the new one did worse on the months that both had not seen."""
    import pandas as pd

    from orchestration.predict.churn import TooFewEvents, fit_churn_model
    from orchestration.predict.evaluate import backtest

    days = pd.to_datetime(snapshots["as_of_date"])
    known = snapshots[snapshots["has_churned"].notna() & (days.dt.day == 1)].reset_index(drop=True)
    features, churned = known.drop(columns=list(NOT_FEATURES)), known["has_churned"].astype(bool)
    in_use = next((entry for entry in reversed(entries) if entry.model), None)
    try:
        model = fit_churn_model(features, churned, groups=known["customer_id"])
    except TooFewEvents as too_few:
        return Entry(month, str(too_few)) if in_use is None else _again(in_use, month, str(too_few))
    except ValueError as error:
        if len(known) and 0 < churned.sum() < len(known):
            raise
        return Entry(month, f"nothing to learn from yet: {error}")
    try:
        score = known["score_points"].astype(float)
        tested = backtest(features, churned, known["as_of_date"], score, known["customer_id"], minimum_events=FEWEST_TO_TEST)
    except ValueError as error:  # too few months for folds
        tested, note = None, f"not tested on later months: {error}"
    else:
        note = "; ".join(tested.abstained.values())
    if tested is not None and tested.models and (why := _worse(tested, features, entries)):
        return _again(in_use or entries[-1], month, why)
    version, until = model.metadata["version"], max(pd.to_datetime(known["as_of_date"])).date()
    said = f"model {version}: {int(churned.sum())} churns in {len(known)} snapshots up to {until}"
    return Entry(month, f"{said}; {note}" if note else said, until.isoformat(), model.to_dict(), _evaluated(tested, version, said))


def _worse(tested: Backtest, features: pd.DataFrame, entries: list[Entry]) -> str | None:
    """Why the new way of training is kept out: on the latest fold it does worse than the model that was in use when the fold began."""
    from orchestration.predict.churn import ChurnModel
    from orchestration.predict.evaluate import FoldPredictions, better_than

    candidate = tested.latest()
    then = [each for each in entries if each.model and date.fromisoformat(each.trained_until) + timedelta(days=90) <= candidate.fold_from]
    if not then:
        return None
    model = ChurnModel.from_dict(then[-1].model)
    rows = candidate.predictions
    predicted = rows.assign(probability=model.predict_proba(features.loc[rows.index]))
    current = FoldPredictions(model.metadata["version"], predicted, date.fromisoformat(then[-1].trained_until), candidate.fold_from)
    decision = better_than(current, candidate)
    return None if decision or decision.log_loss_difference.value == 0 else decision.reason


def _again(in_use: Entry, month: str, why: str) -> Entry:
    return Entry(month, f"the model in use stays: {why}", in_use.trained_until, in_use.model, [{**row, "note": why} for row in in_use.evaluations])


def _evaluated(tested: Backtest | None, version: str, note: str) -> list[dict[str, Any]]:
    """All folds together, as rows of fct_model_evaluations."""
    if tested is None:
        return []
    rows = tested.evaluations[tested.evaluations["fold"] == 0].astype(object)
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
    ]


def _scores(today: pd.DataFrame, latest: Entry) -> pd.DataFrame:
    import pandas as pd

    from orchestration.predict.churn import ChurnModel

    scores = pd.DataFrame(dict.fromkeys(SCORES), index=today.index)
    scores["customer_id"] = today["customer_id"]
    if latest.model is None:
        return scores.assign(abstained_because=latest.note)
    model: ChurnModel = ChurnModel.from_dict(latest.model)
    features = today.drop(columns=list(NOT_FEATURES))
    drivers = model.drivers(features)
    return scores.assign(churn_probability=model.predict_proba(features), model_version=model.metadata["version"], **dict(drivers.items()))


def _entries(folder: Path) -> list[Entry]:
    path = folder / "models.json"
    return [Entry(**entry) for entry in json.loads(path.read_text())] if path.exists() else []


def _store(folder: Path, entries: list[Entry]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / "models.json.new"
    unfinished.write_text(json.dumps([vars(entry) for entry in entries[-KEEP:]], indent=1))
    unfinished.replace(folder / "models.json")

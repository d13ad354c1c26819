"""The churn model from month to month: when it is trained, what keeps a worse one out, who gets no probability, what it refuses."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from orchestration.churn_model import VOUCHED, calibration_rows, churn_risk
from orchestration.churn_store import entries, said, say
from orchestration.predict.churn import ChurnModel
from tests.unit.churn_support import panel

LAST = date(2024, 7, 1)  # of 18 firsts of a month from February 2023 on


@pytest.fixture(scope="module")
def history() -> pd.DataFrame:
    """Snapshots on the first of each month with what came of them, as if it were all known."""
    seen = panel(450, 18, seed=21)
    rows = seen.features.assign(score_points=seen.health_score, customer_id=[f"c{each}" for each in seen.customer], tenure_days=400)
    return rows.assign(definition_version="v1", as_of_date=seen.snapshot_dates + pd.Timedelta(days=1), has_churned=seen.churned.astype(object))


def known_on(history: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """The snapshots as int_predictions__churn_snapshots holds them on a day: its own too, and outcomes only where 93 days have passed."""
    past = history[history["as_of_date"] <= pd.Timestamp(as_of)]
    today = past[past["as_of_date"] == past["as_of_date"].max()].assign(as_of_date=pd.Timestamp(as_of))
    rows = pd.concat([past, today]).drop_duplicates(["customer_id", "as_of_date"], keep="first", ignore_index=True)
    return rows.assign(has_churned=rows["has_churned"].where(rows["as_of_date"] + pd.Timedelta(days=93) <= pd.Timestamp(as_of), None))


def run(folder: Path, history: pd.DataFrame, as_of: date, **options):
    return churn_risk(folder, known_on(history, as_of), as_of, **{"minimum_days": 28, **options})


def test_a_model_is_trained_by_the_first_run_of_a_month_and_on_demand(history, tmp_path):
    first = run(tmp_path, history, date(2024, 5, 20))
    assert first.trained and first.version and first.scores["churn_probability"].between(0, 1).all()
    again = run(tmp_path, history, date(2024, 5, 21))
    assert (again.trained, again.version, len(entries(tmp_path))) == (False, first.version, 1)
    later = run(tmp_path, history, date(2024, 6, 2))
    assert later.trained and later.version != first.version  # it learned from the snapshots of one month more
    asked = run(tmp_path, history, date(2024, 6, 3), anew=True)
    assert (asked.trained, asked.version, [entry.month for entry in entries(tmp_path)]) == (True, later.version, ["2024-05", "2024-06"])
    metrics = later.evaluations.set_index(["model", "metric"])["value"]
    assert metrics["churn_risk", "auc"] > max(metrics["churn_risk_base_rate", "auc"], metrics["churn_risk_health_score", "auc"])


def test_a_months_model_is_the_same_whichever_day_trains_it(history, tmp_path):
    on_the_first, late = run(tmp_path / "a", history, date(2024, 6, 1)), run(tmp_path / "b", history, date(2024, 6, 29))
    assert on_the_first.version == late.version
    assert on_the_first.note == late.note
    assert known_on(history, date(2024, 6, 29))["has_churned"].notna().sum() > known_on(history, date(2024, 6, 1))["has_churned"].notna().sum()


def test_the_calibration_table_is_among_the_evaluations(history, tmp_path):
    """20 rows with risks of 0.05, 0.10, … 1: the first tenth said 0.075 and nobody left, the last 0.975 and both did: 1, Wilson 0.342 to 1."""
    rows = pd.DataFrame({"churn_model": np.arange(1, 21) / 20, "churned": np.arange(20) >= 10})
    told = pd.DataFrame(calibration_rows(rows)).set_index("metric")
    assert list(told.index) == [f"calibration_bin_{each}_{what}" for each in range(1, 11) for what in ("predicted", "observed")]
    assert told.loc["calibration_bin_1_predicted", ["value", "observations", "events"]].tolist() == pytest.approx([0.075, 2, 0])
    assert told.loc["calibration_bin_1_observed", ["value", "low", "high"]].tolist() == pytest.approx([0, 0, 0.658], abs=5e-4)
    assert told.loc["calibration_bin_10_observed", ["value", "low", "high"]].tolist() == pytest.approx([1, 0.342, 1], abs=5e-4)
    assert told.loc["calibration_bin_10_predicted", "value"] == pytest.approx(0.975)

    published = run(tmp_path, history, date(2024, 6, 2)).evaluations
    published = published[published["metric"].str.startswith("calibration_bin_")]
    assert len(published) == 20 and set(published["model"]) == {"churn_risk"} and not published.duplicated("metric").any()


def published(history: pd.DataFrame, probability) -> pd.DataFrame:
    return history.assign(churn_probability=probability, model_version="in-use")[["as_of_date", "customer_id", "churn_probability", "model_version"]]


def publish(folder: Path, rows: pd.DataFrame) -> None:
    for day, scores in rows.groupby("as_of_date"):
        say(folder, day.date(), scores)


@pytest.mark.parametrize("knew", ["much", "nothing"])
def test_what_was_published_on_the_latest_fold_decides(history, tmp_path, knew):
    """The model in use is the same in both cases, so what it would say of the fold today is, too: only what it did say then differs."""
    before = run(tmp_path, history, date(2024, 6, 1))
    good = np.where(history["has_churned"].astype(bool), 0.6, 0.02)
    publish(tmp_path, published(history[history["as_of_date"] < "2024-06-01"], good[history["as_of_date"] < "2024-06-01"] if knew == "much" else 0.5))
    after = run(tmp_path, history, LAST)
    assert after.trained
    if knew == "much":
        assert after.version == before.version == after.scores["model_version"].unique().item()
        assert after.note.startswith("the model in use stays: kept out: worse than the current model, clearly. Log loss ")
        assert "(in-use)" in after.note and set(after.evaluations["note"]) == {after.note}
    else:
        assert after.version != before.version
        assert "stays" not in after.note


def test_without_anything_published_the_new_model_comes_into_use(history, tmp_path):
    before = run(tmp_path, history, date(2024, 6, 2))
    assert said(tmp_path).empty
    assert run(tmp_path, history, date(2024, 7, 4)).version != before.version


def test_firsts_of_a_month_without_a_run_get_what_the_model_in_use_said(history, tmp_path):
    """Trained on 20 March, then no run until 3 June: April, May and June are its months; March began before it was there."""
    model = run(tmp_path, history, date(2024, 3, 20)).version
    later = run(tmp_path, history, date(2024, 6, 3))
    kept = said(tmp_path)
    assert sorted(kept["as_of_date"].dt.date.unique()) == [date(2024, 4, 1), date(2024, 5, 1), date(2024, 6, 1)]
    assert set(kept["model_version"]) == {model} and later.version != model
    before = kept.copy()
    run(tmp_path, history, date(2024, 6, 4))
    pd.testing.assert_frame_equal(said(tmp_path), before)


def test_who_is_a_customer_for_too_short_gets_no_probability_and_teaches_nothing(history, tmp_path):
    newest = history["as_of_date"].max()
    some = history.assign(tenure_days=np.where(history["as_of_date"] == newest, np.where(history["use"] > 0, 28, 27), 400))
    scores = run(tmp_path / "a", some, LAST).scores
    told = scores["churn_probability"].notna()
    assert 0 < told.sum() < len(scores)
    assert (told == (history.loc[history["as_of_date"] == newest, "use"] > 0).to_numpy()).all()
    assert set(scores.loc[~told, "abstained_because"]) == {"a customer for fewer than 28 days"}
    assert scores.loc[~told, ["driver_1", "effect_1"]].isna().all(axis=None) and scores.loc[told, "abstained_because"].isna().all()

    young = pd.concat([history, history.assign(customer_id="n" + history["customer_id"], tenure_days=27, use=-history["use"])], ignore_index=True)
    assert run(tmp_path / "b", young, LAST).version == run(tmp_path / "c", history, LAST).version


def test_with_too_few_churns_there_is_no_model_and_the_reason_is_told(history, tmp_path):
    few = history[history["customer_id"].isin([f"c{n}" for n in range(40)])]
    risk = run(tmp_path, few, LAST)
    assert risk.version is None and risk.scores["churn_probability"].isna().all() and risk.evaluations.empty
    assert risk.scores["abstained_because"].str.fullmatch(r"only \d+ customers churned in the training rows, at least 30 are needed: no model").all()
    assert risk.trained and not run(tmp_path, few, LAST).trained


def test_with_too_few_churns_left_the_model_in_use_stays(history, tmp_path):
    model = run(tmp_path, history, date(2024, 6, 1)).version
    after = run(tmp_path, history[history["customer_id"].isin([f"c{n}" for n in range(40)])], LAST)
    assert after.version == model and after.note.startswith("the model in use stays: only ")


@pytest.mark.parametrize("wrong", [0.0, 0.1])
def test_a_feature_that_only_the_future_knows_trains_nothing_and_is_named(history, tmp_path, wrong):
    answer = history["has_churned"].astype(bool) ^ (np.random.default_rng(1).random(len(history)) < wrong)
    planted = history.assign(planted=answer.astype(float))
    risk = run(tmp_path / "a", planted, LAST)
    assert risk.trained and risk.version is None and risk.evaluations.empty and risk.scores["churn_probability"].isna().all()
    assert risk.note.startswith("refused: too good to be known on the snapshot date: 'planted' (AUC ")
    assert set(risk.scores["abstained_because"]) == {risk.note} and entries(tmp_path / "a")[-1].model is None

    before = run(tmp_path / "b", history, date(2024, 6, 1))
    after = run(tmp_path / "b", planted, LAST)
    assert after.version == before.version and after.note.startswith("the model in use stays: refused: ") and "'planted'" in after.note
    assert set(after.evaluations["note"]) == {after.note} and after.scores["churn_probability"].notna().all()


def test_how_bound_a_customer_is_and_its_notice_are_vouched_for(history, tmp_path):
    """Yearly contracts: who leaves is billed to the end of the year and gives notice before it, and few others are so near to theirs. Too good
    for the suspicion, and known on the day all the same."""
    churned, rng = history["has_churned"].astype(bool), np.random.default_rng(2)
    bound = history.assign(
        may_leave_in_90d=churned | (rng.random(len(history)) < 0.1), is_cancellation_requested=churned & (rng.random(len(history)) < 0.9)
    )
    risk = run(tmp_path, bound, LAST)
    assert risk.version and "refused" not in risk.note and risk.scores["churn_probability"].notna().all()
    assert set(VOUCHED) == {"may_leave_in_90d", "is_cancellation_requested"} <= set(risk.scores[["driver_1", "driver_2"]].to_numpy().ravel())


def test_a_stored_model_that_somebody_changed_is_refused(history, tmp_path):
    run(tmp_path, history, date(2024, 6, 1))
    path = tmp_path / "models.json"
    stored = json.loads(path.read_text())
    assert ChurnModel.from_dict(stored[-1]["model"]).metadata["customers"] > 300
    stored[-1]["model"]["intercept"] += 0.1
    path.write_text(json.dumps(stored))
    with pytest.raises(ValueError, match="was changed"):
        run(tmp_path, history, date(2024, 6, 2))

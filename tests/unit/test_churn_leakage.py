"""Features that only the future knows are refused by name; strong ones that are honest are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from orchestration.predict.churn import fit_churn_model
from orchestration.predict.evaluate import backtest
from orchestration.predict.feature_power import next_window
from orchestration.predict.leakage import LeakageError, check_known_on, check_leakage, check_rebuilt
from tests.unit.churn_support import panel, sample


@pytest.fixture(scope="module")
def seen():
    return panel(1_200, 14, seed=11)


def flipped(churned: pd.Series, share: float, seed: int = 0) -> np.ndarray:
    return np.where(np.random.default_rng(seed).random(len(churned)) < share, ~churned, churned)


ANSWERS = {
    "the outcome": lambda y, rng: y,
    "the outcome with measurement noise": lambda y, rng: y + rng.normal(0, 0.1, len(y)),
    "the outcome turned round": lambda y, rng: 1 - y.astype(int),
    "a reason that only leavers give": lambda y, rng: np.where(y, rng.choice(["price", "missing feature"], len(y)), None),
    "a date of leaving that only leavers have": lambda y, rng: np.where(y, rng.integers(0, 90, len(y)), np.nan),
    "a band in the middle": lambda y, rng: np.where(y, rng.uniform(0.4, 0.6, len(y)), rng.choice([0.1, 0.2, 0.8, 0.9], len(y))),
}


@pytest.mark.parametrize("kind", ANSWERS)
def test_a_fit_refuses_the_answer_under_another_name(kind, seen):
    planted = seen.features.assign(planted=ANSWERS[kind](seen.churned, np.random.default_rng(3)))
    with pytest.raises(LeakageError, match=r"'planted' \(AUC (0.99|1.00)") as refusal:
        fit_churn_model(planted, seen.churned, groups=seen.customer)
    assert refusal.value.features == ("planted",)


@pytest.mark.parametrize("share", [0.02, 0.1, 0.2])
def test_a_noisy_answer_is_refused_too(share, seen):
    planted = seen.features.assign(planted=flipped(seen.churned, share), mood_twice=2 * seen.features["mood"])
    with pytest.raises(LeakageError, match="'planted'") as refusal:
        check_leakage(planted, seen.churned, snapshot_dates=seen.snapshot_dates, groups=seen.customer)
    assert refusal.value.features == ("planted",)


def test_few_customers_are_no_excuse_for_an_implausible_feature():
    """Too few to prove that it does not last; from 0.9 on it would have to prove that it does."""
    few = panel(150, 12, seed=12)
    planted = few.features.assign(planted=flipped(few.churned, 0.05))
    with pytest.raises(LeakageError, match=r"'planted' \(AUC 0.9.* for the window after its own"):
        check_leakage(planted, few.churned, snapshot_dates=few.snapshot_dates, groups=few.customer)
    with pytest.raises(LeakageError, match=r"'planted' \(AUC 0.9.. alone\)"):
        check_leakage(planted, few.churned, groups=few.customer)


def test_a_backtest_refuses_it_before_anything_is_fitted(seen):
    planted = seen.features.assign(planted=flipped(seen.churned, 0.1))
    with pytest.raises(LeakageError, match="Take it out, or name it in vouched"):
        backtest(planted, seen.churned, seen.snapshot_dates, seen.health_score, seen.customer)


def test_what_parts_the_customers_of_one_fold_is_judged_on_all_rows(seen):
    """A feature that happens to part the rows of the first months, as one may where ten customers churned, and says nothing later."""
    early = seen.snapshot_dates <= seen.snapshot_dates.min() + pd.Timedelta(days=160)
    chance = seen.features.assign(chance=np.where(early, seen.churned, np.random.default_rng(5).random(len(seen.churned)) < 0.1))
    tested = backtest(chance, seen.churned, seen.snapshot_dates, seen.health_score, seen.customer, minimum_events=10)
    assert sorted(tested.models) == [1, 2, 3] and not tested.abstained


def test_honest_features_pass_with_their_auc(seen):
    found = check_leakage(seen.features, seen.churned, snapshot_dates=seen.snapshot_dates, groups=seen.customer)
    assert found.index[0] == "use"
    assert 0.6 < found["use"] < 0.75
    assert found["size"] < found["mood"] < found["use"]


def test_a_strong_feature_that_is_a_state_passes():
    """Contracts of a year, and whoever leaves does so at renewal: the days until renewal are strong, honest, and say something about
    the window after their own as well."""
    rng = np.random.default_rng(4)
    customers, months = 800, 12
    renews_in = (rng.integers(0, 365, customers)[:, None] - 30 * np.arange(months)[None, :]) % 365
    term = (rng.integers(0, 365, customers)[:, None] + 30 * np.arange(months)[None, :]) // 365
    leaves = rng.random((customers, term.max() + 1)) < 0.4
    churned = (renews_in < 90) & np.take_along_axis(leaves, term, axis=1)
    rows, month = np.indices(churned.shape).reshape(2, -1)
    dates = pd.Timestamp("2024-01-01") + pd.to_timedelta(30 * month, unit="D")
    found = check_leakage(pd.DataFrame({"renews_in": renews_in.ravel()}), churned.ravel(), snapshot_dates=dates, groups=rows)
    assert 0.85 < found["renews_in"] < 0.95


def test_the_window_after_its_own_by_hand():
    """Customer 7 is seen on days 0, 90 and 180 and leaves after; 8 on days 0 and 130, too late to say; 9 leaves at once and is back on day 100."""
    days = np.datetime64("2025-01-01") + np.array([180, 0, 90, 0, 130, 0, 100])
    found = next_window(np.array([1, 0, 0, 0, 0, 1, 0.0]), np.array([7, 7, 7, 8, 8, 9, 9]), days, 90)
    assert found.rows.tolist() == [1, 2]
    assert found.churned.tolist() == [0, 1]
    assert next_window(np.array([0, 0.0]), np.array([7, 7]), days[:2], 90) is None


def test_who_is_vouched_for_may_separate_the_classes_perfectly():
    some = sample(2_000, seed=6)
    planted = some.features.assign(planted=some.churned)
    model = fit_churn_model(planted, some.churned, vouched=["planted"])
    probability = model.predict_proba(planted)
    assert probability[some.churned].min() > 0.8
    assert probability[~some.churned].max() < 0.1
    assert set(model.drivers(planted, top=1)["driver_1"]) == {"planted"}


def test_a_value_known_after_its_snapshot_is_refused():
    features = pd.DataFrame({"tickets": [1, 2, None], "nps": [9.0, None, 3.0]})
    snapshots = pd.Series(pd.to_datetime(["2025-01-31", "2025-01-31", "2025-02-28"]))
    fine = pd.DataFrame({"tickets": ["2025-01-31", "2025-01-30", None], "nps": ["2024-12-01", "2025-06-01", "2025-02-28"]})
    check_known_on(features, fine, snapshots)  # the NPS of June is not there, so it cannot leak
    check_known_on(features, pd.Series(["2025-01-31T23:59:00", "2025-01-01T00:00:00", "2025-02-01T00:00:00"]), snapshots)
    with pytest.raises(LeakageError, match=r"'tickets' \(1 rows\)") as refusal:
        check_known_on(features, fine.assign(tickets=["2025-01-31", "2025-02-01", None]), snapshots)
    assert refusal.value.features == ("tickets",)
    with pytest.raises(LeakageError, match=r"'nps' \(1 rows\)"):
        check_known_on(features, fine.assign(nps=[None, None, "2025-02-28"]), snapshots)
    with pytest.raises(ValueError, match="no column for nps"):
        check_known_on(features, fine[["tickets"]], snapshots)
    with pytest.raises(ValueError, match="pass both"):
        check_leakage(features, [1, 0, 1], known_on=fine)


def test_a_feature_that_changes_without_the_future_is_refused():
    built = pd.DataFrame({"tickets": [1, 2, 3], "plan": ["a", None, "b"], "nps": [None, 8.0, 9.0]}, index=["x", "y", "z"])
    check_rebuilt(built, built[["nps", "plan", "tickets"]].astype({"tickets": "Float64", "plan": "category"}))
    with pytest.raises(LeakageError, match=r"'tickets' \(2 rows\), 'plan' \(1 rows\)") as refusal:
        check_rebuilt(built, built.assign(tickets=[1, 1, None], plan=["a", "a", "b"]))
    assert refusal.value.features == ("tickets", "plan")
    with pytest.raises(ValueError, match="must have the rows"):
        check_rebuilt(built, built.iloc[::-1])

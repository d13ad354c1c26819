"""Measures, intervals, folds and comparisons: small numbers worked out by hand, and properties that must hold for all."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from orchestration.predict.auc_variance import auc_difference, auc_interval
from orchestration.predict.baselines import fit_base_rate, fit_health_baseline
from orchestration.predict.comparison import FoldPredictions, better_than
from orchestration.predict.evaluate import backtest, evaluate
from orchestration.predict.folds import split_by_time, trainable
from orchestration.predict.measures import (
    auc,
    brier,
    calibration_table,
    expected_calibration_error,
    log_loss,
    pr_auc,
    top_decile_lift,
    wilson_interval,
)
from orchestration.predict.resampling import draws, mean_interval, percentile_intervals
from tests.unit.churn_support import panel

# Two share 0.8: one churned, one stayed.
PROBABILITY, CHURNED = [0.9, 0.8, 0.8, 0.3, 0.2], [1, 1, 0, 0, 1]
MEASURES = [auc, pr_auc, brier, log_loss, expected_calibration_error, top_decile_lift]


def test_auc_by_hand():
    # Pairs of who churned (0.9, 0.8, 0.2) with who stayed (0.8, 0.3): 1 + 1, ½ + 1, 0 + 0 of 6.
    assert auc(PROBABILITY, CHURNED) == pytest.approx(3.5 / 6)
    assert auc([0.4] * 5, CHURNED) == 0.5
    assert auc([3, 2, 1], [True, False, False]) == 1.0


def test_pr_auc_by_hand():
    # Precision 1 of 1 at 0.9, 2 of 3 at 0.8 (both of the tie), 3 of 5 at 0.2.
    assert pr_auc(PROBABILITY, CHURNED) == pytest.approx((1 + 2 / 3 + 3 / 5) / 3)
    assert pr_auc([0.4] * 5, CHURNED) == pytest.approx(3 / 5)


def test_brier_and_log_loss_by_hand():
    assert brier(PROBABILITY, CHURNED) == pytest.approx((0.01 + 0.04 + 0.64 + 0.09 + 0.64) / 5)
    assert log_loss(PROBABILITY, CHURNED) == pytest.approx(-np.log([0.9, 0.8, 0.2, 0.7, 0.2]).mean())
    assert log_loss([0.0, 1.0], [1, 1]) == pytest.approx(34.5388 / 2, rel=1e-4)


def test_lift_by_hand():
    # 20 customers, 4 churned (20 %). The top 2 hold 1 of them: 50 % ÷ 20 %.
    score = np.arange(20, 0, -1)
    churned = np.isin(score, [20, 10, 5, 1])
    assert top_decile_lift(score, churned) == pytest.approx(2.5)
    # One alone at the top stayed, then four share a score, of whom two churned: the tenth is 1 × 0 + 1 × ½ of 2 = 25 %, ÷ 20 %.
    tied = np.array([9, 8, 8, 8, 8] + [1] * 15)
    assert top_decile_lift(tied, [0, 1, 1, 0, 0] + [1, 1] + [0] * 13) == pytest.approx(1.25)
    assert top_decile_lift(score, churned, share=1) == pytest.approx(1)


def test_calibration_by_hand():
    probability, churned = [0.1, 0.1, 0.2, 0.2, 0.6, 0.6, 0.8, 0.8], [0, 0, 0, 1, 1, 0, 1, 1]
    table = calibration_table(probability, churned, bins=2)
    assert table["mean_predicted"].tolist() == pytest.approx([0.15, 0.7])
    assert table["observed"].tolist() == pytest.approx([0.25, 0.75])
    assert table[["bin", "n", "events"]].to_numpy().tolist() == [[1, 4, 1], [2, 4, 3]]
    assert table[["probability_from", "probability_to"]].to_numpy().tolist() == [[0.1, 0.2], [0.6, 0.8]]
    assert table[["low", "high"]].iloc[0].tolist() == pytest.approx(wilson_interval(0.25, 4))
    assert expected_calibration_error(probability, churned, bins=2) == pytest.approx((0.10 + 0.05) / 2)


def test_equal_probabilities_share_a_bin():
    table = calibration_table([0.3] * 7 + [0.5] * 3, [0] * 5 + [1] * 5)
    assert table["n"].tolist() == [7, 3]
    assert expected_calibration_error([0.3] * 10, [1, 1, 1] + [0] * 7) == pytest.approx(0)


def test_wilson_intervals_by_hand():
    # Newcombe (1998), table I, cases 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    assert wilson_interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson_interval(15 / 148, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson_interval(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson_interval(1 / 29, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@st.composite
def judged(draw):
    rows = draw(st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=2, max_size=40))
    score, churned = (np.array(each) for each in zip(*rows, strict=True))
    churned[:2] = (True, False)
    return score / 8, churned


@given(judged(), st.permutations(range(40)))
@settings(max_examples=60, deadline=None)
def test_properties_of_all_measures(rows, order):
    score, churned = rows
    place = np.array([each for each in order if each < len(score)])
    for measure in MEASURES:
        assert measure(score[place], churned[place]) == pytest.approx(measure(score, churned))
        twice = np.arange(len(score)) % 2 + 1
        assert measure(score, churned, twice) == pytest.approx(measure(np.repeat(score, twice), np.repeat(churned, twice)))
    assert auc(np.exp(3 * score) - 5, churned) == pytest.approx(auc(score, churned))
    assert auc(-score, churned) == pytest.approx(1 - auc(score, churned))
    assert auc(score, ~churned) == pytest.approx(1 - auc(score, churned))
    assert pr_auc(score**3, churned) == pytest.approx(pr_auc(score, churned))
    assert top_decile_lift(score + 1, churned) == pytest.approx(top_decile_lift(score, churned))
    interval = auc_interval(score, churned)
    assert interval.value == pytest.approx(auc(score, churned))
    assert np.isnan(interval.low) or -1e-12 <= interval.low <= interval.value + 1e-12 <= interval.high + 2e-12


@pytest.mark.parametrize("measure", MEASURES)
def test_measures_refuse_in_words(measure):
    with pytest.raises(ValueError, match="2 of 3 predictions are missing"):
        measure([0.1, None, np.nan], [1, 0, 1])
    with pytest.raises(ValueError, match="1 of 3 outcomes are missing"):
        measure([0.1, 0.2, 0.3], [1, None, 0])
    with pytest.raises(ValueError, match="booleans, or 0 and 1"):
        measure([1, 0, 1], [0.1, 0.2, 0.3])  # the wrong way round
    with pytest.raises(ValueError, match="2 predictions, 3 outcomes"):
        measure([0.1, 0.2], [1, 0, 1])
    with pytest.raises(ValueError, match="weights must be finite"):
        measure([0.1, 0.2], [1, 0], [1, -1])
    with pytest.raises(ValueError, match="different indexes"):
        measure(pd.Series([0.1, 0.2]), pd.Series([1, 0], index=[1, 0]))
    with pytest.raises(ValueError, match="no rows"):
        measure([], [])


def test_measures_refuse_what_they_cannot_say():
    with pytest.raises(ValueError, match="who churned and customers who stayed"):
        auc([0.1, 0.2], [0, 0])
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]; here from 0.1 to 1.2"):
        brier([0.1, 1.2], [0, 1])


def test_auc_interval_by_hand():
    # Churned 3 and 2, stayed 2 and 1. Placements 1 and ¾ of each kind: variance 1/32 ÷ 2 + 1/32 ÷ 2 = 1/32.
    found = auc_interval([3, 2, 2, 1], [1, 1, 0, 0])
    half = 1.959964 * np.sqrt(1 / 32) / (0.875 * 0.125)
    assert (found.value, found.low, found.high) == pytest.approx((0.875, expit(np.log(7) - half), expit(np.log(7) + half)))
    repeated = auc_interval(np.repeat([3, 2, 2, 1], 5), np.repeat([1, 1, 0, 0], 5), groups=np.repeat(["a", "b", "c", "d"], 5))
    assert vars(repeated) == pytest.approx(vars(found))  # snapshots that only repeat their customer are no evidence


def test_auc_interval_of_customers_with_both_outcomes_by_hand():
    """Placements less 0.875: +⅛ for 3 and 1, −⅛ for both 2. What lies with one customer adds up before it is squared."""
    score, churned = [3, 2, 2, 1], [1, 1, 0, 0]
    half = 1.959964 * np.sqrt(1 / 32 + 1 / 32) / (0.875 * 0.125)
    together = auc_interval(score, churned, groups=["a", "b", "b", "a"])
    assert (together.low, together.high) == pytest.approx((expit(np.log(7) - half), expit(np.log(7) + half)))
    against = auc_interval(score, churned, groups=["a", "b", "a", "b"])
    assert (against.low, against.high) == pytest.approx((0.875, 0.875))


def test_a_perfect_auc_is_not_certain():
    few, many = (auc_interval(np.arange(2 * n), np.arange(2 * n) >= n) for n in (5, 200))
    assert few.value == few.high == many.value == 1.0
    assert 0.5 < few.low < 0.9 < many.low < 1
    worst = auc_interval(-np.arange(10), np.arange(10) >= 5)
    assert (worst.low, worst.high) == pytest.approx((0.0, 1 - few.low))


def test_intervals_cover_when_snapshots_of_a_customer_resemble_each_other():
    """300 panels: the true AUC lies within the interval for 95 %, give or take, when customers are known, and for far fewer when not."""
    rng, hits, blind, paired = np.random.default_rng(0), 0, 0, 0
    customer = np.repeat(np.arange(120), 6)
    true = 0.7602  # P(X + 1 > Y) for independent X, Y of variance 1: Φ(1 / √2)
    for _ in range(300):
        ever = rng.random(120) < 0.3
        churned = ever[customer]
        lasting = rng.normal(size=(2, 120))[:, customer]
        first, second = np.sqrt(0.7) * lasting + np.sqrt(0.3) * rng.normal(size=(2, 720)) + churned
        known, unknown = auc_interval(first, churned, customer), auc_interval(first, churned)
        difference = auc_difference(first, second, churned, customer)
        hits += known.low <= true <= known.high
        blind += unknown.low <= true <= unknown.high
        paired += difference.low <= 0 <= difference.high
    assert 0.92 <= hits / 300 <= 0.98
    assert 0.92 <= paired / 300 <= 0.98
    assert blind / 300 < 0.75


def test_the_difference_of_a_score_with_itself_is_nothing():
    found = auc_difference(PROBABILITY, PROBABILITY, CHURNED)
    assert (found.value, found.low, found.high) == (0, 0, 0)
    assert auc_difference(PROBABILITY, [0.5] * 5, CHURNED).value == pytest.approx(3.5 / 6 - 0.5)


def test_the_interval_of_a_mean_by_hand():
    # Customers' sums around the mean 3: −4 and 4. Variance 2 ÷ 1 × 32 ÷ 16 = 4.
    low, high = mean_interval(np.array([1.0, 1.0, 5.0, 5.0]), np.array([0, 0, 1, 1]), z=1)
    assert (low, high) == pytest.approx((1.0, 5.0))


def test_customers_are_drawn_again_whole():
    customers = np.repeat(np.arange(400), 3)
    for weights in draws(customers, 3):
        assert weights.sum() == 1_200
        assert (weights.reshape(-1, 3) == weights[::3, None]).all()
    values = np.random.default_rng(5).normal(size=400)[customers]
    drawn = percentile_intervals({"mean": lambda weights: np.average(values, weights=weights)}, customers, resamples=1_000)["mean"]
    assert drawn == pytest.approx(mean_interval(values, customers, 1.96), abs=0.02)


MONTHS = pd.date_range("2024-01-31", periods=12, freq="ME")


def test_folds_by_hand():
    """Twelve months, two folds: the later 8 months are tested, 4 each; training ends 90 days before."""
    first, second = split_by_time(np.tile(MONTHS, 2), folds=2)
    assert (first.test_from, first.test_until, first.train_until) == (date(2024, 5, 31), date(2024, 8, 31), date(2024, 2, 29))
    assert (second.test_from, second.test_until, second.train_until) == (date(2024, 9, 30), date(2024, 12, 31), date(2024, 6, 30))
    assert first.train.tolist() == [0, 1, 12, 13]
    assert second.test.tolist() == [8, 9, 10, 11, 20, 21, 22, 23]


@given(st.lists(st.dates(date(2023, 1, 1), date(2025, 12, 31)), min_size=1, max_size=60), st.integers(1, 5), st.integers(1, 120))
@settings(max_examples=80, deadline=None)
def test_no_fold_learns_from_an_outcome_of_its_test(dates, folds, label_days):
    try:
        found = split_by_time(dates, folds=folds, label_days=label_days)
    except ValueError as refusal:
        assert "folds need as many snapshot dates" in str(refusal)
        return
    assert len(found) == folds
    days, tested = np.array(dates, dtype="datetime64[D]"), []
    for fold in found:
        assert len(fold.train) and len(fold.test)
        assert days[fold.train].max() + label_days <= days[fold.test].min()
        assert set(days[fold.test]) == {each for each in days if fold.test_from <= each.item() <= fold.test_until}
        tested += fold.test.tolist()
    assert len(tested) == len(set(tested))
    assert [fold.test_from for fold in found] == sorted(fold.test_from for fold in found)
    assert all(set(one.train) <= set(two.train) for one, two in pairwise(found))


def test_folds_refuse_in_words():
    with pytest.raises(ValueError, match="4 folds need as many snapshot dates at least 90 days after the first; there are 3 of 6"):
        split_by_time(MONTHS[:6], folds=4)
    with pytest.raises(ValueError, match="1 of 2 snapshot dates are missing"):
        split_by_time([date(2024, 1, 1), None], folds=1)
    with pytest.raises(ValueError, match="must be dates"):
        split_by_time([1, 2, 3], folds=1)


def test_the_latest_90_days_train_nothing():
    found = trainable([date(2025, 1, 1), date(2025, 3, 2), date(2025, 3, 3)], as_of=date(2025, 5, 31))
    assert found.tolist() == [True, True, False]


def test_the_health_score_as_a_baseline():
    rng = np.random.default_rng(0)
    score = rng.uniform(0, 100, 4_000)
    churned = rng.random(4_000) < expit(1 - 0.06 * score)
    known = np.where(np.arange(4_000) % 10 == 0, np.nan, score)
    baseline = fit_health_baseline(known, churned)
    assert (baseline.line.intercept, baseline.line.slope) == (pytest.approx(1, abs=0.25), pytest.approx(0.06, abs=0.006))
    assert auc(baseline.predict_proba(score), churned) == pytest.approx(auc(-score, churned))
    assert baseline.predict_proba([None])[0] == pytest.approx(churned[::10].mean(), abs=0.01)
    assert np.ptp(fit_health_baseline(-score, churned).predict_proba(score)) == 0  # points the wrong way: worth nothing
    assert fit_health_baseline([None] * 4, [1, 0, 0, 0]).predict_proba([50, None]).tolist() == pytest.approx([0.25, 0.25])
    assert fit_base_rate(churned).predict_proba(2).tolist() == [churned.mean()] * 2
    with pytest.raises(ValueError, match="2 health scores and 3 outcomes"):
        fit_health_baseline([1, 2], [0, 1, 0])


def test_evaluate_says_what_the_measures_say():
    rng = np.random.default_rng(1)
    risk = rng.beta(1, 12, 3_000)
    churned, customer = rng.random(3_000) < risk, np.arange(3_000) // 3
    rough = np.clip(risk + rng.normal(0, 0.1, 3_000), 0, 1)
    found = evaluate(risk, churned, baselines={"base_rate": np.full(3_000, churned.mean()), "rough": rough}, groups=customer)
    assert list(found.columns) == ["model", "metric", "value", "low", "high", "n", "events"]
    assert set(found["n"]) == {3_000}
    assert set(found["events"]) == {churned.sum()}
    at = found.set_index(["model", "metric"])
    for name, measure in {"auc": auc, "pr_auc": pr_auc, "brier": brier, "log_loss": log_loss, "top_decile_lift": top_decile_lift}.items():
        assert at.loc[("churn_model", name), "value"] == pytest.approx(measure(risk, churned))
    assert at.loc[("base_rate", "auc"), ["value", "low", "high"]].tolist() == [0.5, 0.5, 0.5]
    assert at.loc[("churn_model", "auc_over_base_rate"), "low"] > 0
    assert at.loc[("churn_model", "auc_over_rough"), "value"] == pytest.approx(auc(risk, churned) - auc(rough, churned))
    assert (found["low"] <= found["value"] + 1e-12).all()
    assert (found["value"] <= found["high"] + 1e-12).all()
    pd.testing.assert_frame_equal(
        found, evaluate(risk, churned, baselines={"base_rate": np.full(3_000, churned.mean()), "rough": rough}, groups=customer)
    )


def test_evaluate_of_a_fold_in_which_nobody_churned():
    found = evaluate([0.1, 0.2, 0.1], [0, 0, 0], baselines={"base_rate": [0.1, 0.1, 0.1]}).set_index(["model", "metric"])
    assert found.loc[("churn_model", "brier"), "value"] == pytest.approx(0.02)
    assert found.loc[("churn_model", ["auc", "pr_auc", "top_decile_lift"]), :][["value", "low", "high"]].isna().all(axis=None)
    assert ("churn_model", "auc_over_base_rate") not in found.index


@pytest.fixture(scope="module")
def seen():
    return panel(1_500, 16, seed=21)


@pytest.fixture(scope="module")
def tested(seen):
    return backtest(seen.features, seen.churned, seen.snapshot_dates, seen.health_score, seen.customer, folds=2)


def test_a_backtest_beats_both_baselines_out_of_time(tested):
    found = tested.evaluations.set_index(["fold", "model", "metric"])
    assert found.loc[(0, "churn_model", "auc_over_base_rate"), "low"] > 0
    assert found.loc[(0, "churn_model", "auc_over_health_score"), "low"] > 0
    assert found.loc[(0, "churn_model", "log_loss"), "value"] < found.loc[(0, "health_score", "log_loss"), "value"]
    assert found.loc[(0, "churn_model", "expected_calibration_error"), "value"] <= 0.03
    assert found.index.get_level_values("fold").unique().tolist() == [0, 1, 2]
    assert tested.abstained == {}
    assert tested.predictions.index.is_unique
    assert tested.predictions["fold"].value_counts().to_dict() == {fold.number: len(fold.test) for fold in tested.folds}


def test_outcomes_after_the_cut_change_no_model(seen, tested):
    """The outcomes of the last fold, and of the 90 days before it, turned round: the model that predicts it stays the same."""
    late = seen.snapshot_dates > pd.Timestamp(tested.folds[-1].train_until)
    spoiled = seen.churned.where(~late, np.random.default_rng(0).random(len(late)) < 0.2)
    again = backtest(seen.features, spoiled, seen.snapshot_dates, seen.health_score, seen.customer, folds=2)
    versions = [{number: each.metadata["version"] for number, each in found.models.items()} for found in (again, tested)]
    assert versions[0] == versions[1]


def test_a_fold_with_too_few_events_abstains_and_says_so(seen):
    found = backtest(seen.features, seen.churned, seen.snapshot_dates, seen.health_score, seen.customer, folds=2, minimum_events=350)
    assert list(found.abstained) == [1]
    assert "at least 350 are needed" in found.abstained[1]
    assert found.predictions["fold"].unique().tolist() == [2]
    nothing = backtest(seen.features, seen.churned, seen.snapshot_dates, seen.health_score, seen.customer, folds=2, minimum_events=10**6)
    assert len(nothing.evaluations) == len(nothing.predictions) == 0
    with pytest.raises(ValueError, match="no fold has a model"):
        nothing.latest()


def on_fold(version: str, probability: np.ndarray, churned: np.ndarray, **dates: date) -> FoldPredictions:
    rows = pd.DataFrame({"probability": probability, "churned": churned, "customer": np.arange(len(churned)) // 3})
    return FoldPredictions(version, rows.rename(index=lambda row: f"snapshot {row}"), **dates)


@pytest.fixture
def rivals():
    rng = np.random.default_rng(9)
    risk = rng.beta(1, 9, 6_000)
    churned = rng.random(6_000) < risk
    return on_fold("good", risk, churned), on_fold("poor", expit(np.log(risk / (1 - risk)) + rng.normal(0, 1.5, 6_000)), churned)


def test_a_worse_model_is_kept_out_and_says_so(rivals):
    good, poor = rivals
    decision = better_than(good, poor)
    assert not decision
    assert decision.reason.startswith("kept out: worse than the current model, clearly. Log loss ")
    assert "(poor) against" in decision.reason
    assert "on 6,000 snapshots of 2,000 customers" in decision.reason
    assert decision.log_loss_difference.low > 0 > decision.auc_difference.high


def test_a_better_model_comes_into_use(rivals):
    good, poor = rivals
    shuffled = FoldPredictions("good", good.predictions.sample(frac=1, random_state=1))  # rows are matched by name
    decision = better_than(poor, shuffled)
    assert decision.is_better
    assert decision.reason.startswith("in use from now: better than the current model, clearly.")
    assert decision.log_loss_difference.value == pytest.approx(-better_than(good, poor).log_loss_difference.value)


def test_the_same_model_changes_nothing(rivals):
    good, _ = rivals
    assert better_than(good, good).reason.startswith("kept out: no different from the current model.")


def test_levels_alone_do_not_excuse_worse_ranks():
    """A candidate whose probabilities have the right level but whose ranks are clearly worse stays out."""
    rng = np.random.default_rng(2)
    risk = rng.beta(1, 9, 6_000)
    churned = rng.random(6_000) < risk
    current, flat = on_fold("too high", np.sqrt(risk), churned), on_fold("flat", np.full(6_000, churned.mean()), churned)
    assert better_than(current, flat).reason.startswith("kept out: ranks customers clearly worse")


def test_an_unfair_comparison_is_refused(rivals):
    good, poor = rivals
    with pytest.raises(ValueError, match="different rows"):
        better_than(good, FoldPredictions("part", poor.predictions.iloc[1:]))
    with pytest.raises(ValueError, match="different outcomes in 1 rows"):
        changed = poor.predictions.copy()
        changed.loc["snapshot 0", "churned"] ^= True
        better_than(good, FoldPredictions("changed", changed))
    with pytest.raises(ValueError, match="learned from snapshots until 2025-03-31, whose outcomes lie within the fold from 2025-05-31"):
        on_fold("early", np.array([0.1]), np.array([0]), trained_until=date(2025, 3, 31), fold_from=date(2025, 5, 31))
    with pytest.raises(ValueError, match="lack probability"):
        FoldPredictions("x", pd.DataFrame({"churned": [0]}))


def test_the_latest_fold_of_a_backtest_can_be_compared(tested):
    latest = tested.latest()
    assert latest.version == tested.models[2].metadata["version"]
    flat = FoldPredictions("base rate", latest.predictions.assign(probability=0.05))
    assert better_than(flat, latest).is_better


def test_another_window_keeps_its_own_distance(seen):
    rows = seen.snapshot_dates < pd.Timestamp("2023-09-01")
    features, churned, dates, health, customer = (
        each[rows] for each in (seen.features, seen.churned, seen.snapshot_dates, seen.health_score, seen.customer)
    )
    found = backtest(features, churned, dates, health, customer, folds=1, label_days=30)
    assert (found.folds[0].test_from - found.folds[0].train_until).days < 90
    assert found.latest().version == found.models[1].metadata["version"]

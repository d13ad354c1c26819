"""The churn model: what it takes, what it says, what it refuses; against simulated customers whose risk is known."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import logit

from orchestration.predict.binning import Bins, equal_frequency_edges, fit_bins
from orchestration.predict.calibration import fit_line
from orchestration.predict.churn import ChurnModel, TooFewEvents, fit_churn_model
from orchestration.predict.measures import auc, calibration_table, expected_calibration_error, log_loss
from tests.unit.churn_support import panel, sample


@pytest.fixture(scope="module")
def train():
    return sample(6_000, seed=1)


@pytest.fixture(scope="module")
def unseen():
    return sample(20_000, seed=2)


@pytest.fixture(scope="module")
def model(train):
    return fit_churn_model(train.features, train.churned)


def test_probabilities_mean_what_they_say_out_of_sample(model, unseen):
    probability = model.predict_proba(unseen.features)
    assert probability.shape == (20_000,)
    assert expected_calibration_error(probability, unseen.churned) <= 0.01
    table = calibration_table(probability, unseen.churned)
    assert ((table["low"] <= table["mean_predicted"]) & (table["mean_predicted"] <= table["high"])).sum() >= 8
    assert np.abs(probability - unseen.risk).mean() < 0.03


def test_ranks_nearly_as_well_as_the_risk_itself(model, unseen):
    best = auc(unseen.risk, unseen.churned)  # which sees the moods that the model has to guess
    assert best - 0.05 < auc(model.predict_proba(unseen.features), unseen.churned) <= best + 0.01


def test_what_is_missing_is_not_zero_and_not_average(model, unseen):
    """The unhappy don't answer: a missing score must raise the risk, to the rate that those rows really have."""
    silent = unseen.features["nps"].isna()
    assert model.contributions(unseen.features)["nps"][silent].iloc[0] > 0.3
    assert model.predict_proba(unseen.features[silent]).mean() == pytest.approx(unseen.churned[silent].mean(), abs=0.01)
    assert model.predict_proba(unseen.features[~silent]).mean() == pytest.approx(unseen.churned[~silent].mean(), abs=0.01)


def test_few_events_are_pulled_towards_the_average_and_keep_their_level(train):
    few = fit_churn_model(train.features.head(800), train.churned.head(800))
    assert few.metadata["events"] < 80
    assert few.metadata["calibration"]["slope"] < 0.9
    assert few.predict_proba(train.features.head(800)).mean() == pytest.approx(train.churned.head(800).mean(), rel=0.03)


def test_finds_an_effect_at_both_ends_of_a_feature(model):
    row = sample(1, seed=3).features
    low, middle, upper, high = (model.predict_proba(row.assign(use=use))[0] for use in (-2.2, 0.0, 1.3, 2.6))
    assert low > middle > upper
    assert high > upper


def test_contributions_add_up_to_the_prediction_and_average_zero(model, train):
    added = model.contributions(train.features)
    assert list(added.columns) == list(train.features.columns)
    np.testing.assert_allclose(added.sum(axis=1) + model.intercept, logit(model.predict_proba(train.features)), atol=1e-9)
    np.testing.assert_allclose(added.mean(), 0, atol=1e-8)


def test_a_feature_that_says_nothing_moves_nobody(model):
    about = {each["name"]: each for each in model.metadata["features"]}
    assert about["noise"]["spread"] < 0.08 < 0.4 < about["use"]["spread"]
    assert about["noise"]["degrees_of_freedom"] < 2.5


def test_labels_that_mean_nothing_give_everybody_about_the_base_rate(train):
    shuffled = np.random.default_rng(0).permutation(train.churned)
    probability = fit_churn_model(train.features, shuffled).predict_proba(train.features)
    assert np.abs(probability - shuffled.mean()).max() < 0.05


@pytest.fixture
def by_hand():
    """Two features: use in three bins, sector with two levels."""
    features = [
        {"name": "use", "kind": "number", "edges": [1.0, 5.0], "levels": [], "effects": [0.25, 1.5, 0.0, -0.75]},
        {"name": "sector", "kind": "category", "edges": [], "levels": ["media", "retail"], "effects": [0.0, -1.0, 0.75, 0.5]},
    ]
    bins = tuple(Bins.from_dict(each) for each in features)
    return ChurnModel(-2.0, bins, tuple(np.array(each["effects"]) for each in features), {"version": "by hand"})


def test_drivers_by_hand(by_hand):
    features = pd.DataFrame(
        {"use": [0.5, 5.0, 6.0, None, 1.0], "sector": ["media", "retail", "retail", None, "unheard of"]}, index=["a", "b", "c", "d", "e"]
    )
    drivers = by_hand.drivers(features, top=3)
    assert list(drivers.columns) == ["driver_1", "effect_1", "driver_2", "effect_2", "driver_3", "effect_3"]
    assert list(drivers.index) == ["a", "b", "c", "d", "e"]
    assert drivers["driver_1"].tolist() == ["use", "sector", "use", "use", "use"]  # c: as large as sector's, so the first column
    assert drivers["effect_1"].tolist() == [1.5, 0.75, -0.75, 0.25, 1.5]
    assert drivers["driver_2"].tolist() == ["sector", None, "sector", None, "sector"]
    np.testing.assert_array_equal(drivers["effect_2"], [-1.0, np.nan, 0.75, np.nan, 0.5])
    assert drivers["driver_3"].isna().all()
    assert drivers["effect_3"].isna().all()
    np.testing.assert_allclose(by_hand.predict_proba(features)[:2], [1 / (1 + np.exp(1.5)), 1 / (1 + np.exp(1.25))])


def test_drivers_of_nobody_and_impossible_numbers_of_them(by_hand):
    nobody = pd.DataFrame({"use": [], "sector": []})
    assert by_hand.drivers(nobody, top=1).shape == (0, 2)
    assert by_hand.predict_proba(nobody).shape == (0,)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        by_hand.drivers(nobody, top=0)


def test_the_order_of_columns_and_columns_of_others_do_not_matter(model, unseen):
    rows = unseen.features.head(50)
    turned = rows[rows.columns[::-1]].assign(customer_name="somebody")
    np.testing.assert_array_equal(model.predict_proba(turned), model.predict_proba(rows))


def test_values_that_training_never_saw(model, unseen):
    row = unseen.features.head(1)
    extreme = [model.predict_proba(row.assign(use=use))[0] for use in (np.inf, 1e300, 9.0)]
    assert extreme[0] == extreme[1] == extreme[2]
    assert model.contributions(row.assign(sector="agriculture"))["sector"].tolist() == [0.0]
    assert model.contributions(row.assign(use=None))["use"].tolist() == [0.0]  # never missing in training: nothing is known of it
    assert np.isfinite(model.predict_proba(row.assign(use=None, seats=None, tenure_months=None, nps=None, has_sponsor=None, sector=None)))


def test_columns_without_information_are_carried_and_say_nothing(train):
    features = train.features[["use"]].assign(
        nothing=None, nowhere=np.nan, always=3, everywhere="DE", sometimes=np.where(np.arange(len(train.churned)) % 2, 3.0, np.nan)
    )
    features.loc[:5, "use"] = [np.inf, -np.inf, np.inf, 1e308, -1e308, np.nan]
    model = fit_churn_model(features, train.churned)
    added = model.contributions(features)
    assert (added[["nothing", "nowhere", "always", "everywhere"]] == 0).all(axis=None)
    assert added["sometimes"].abs().max() < 0.1
    assert [each["kind"] for each in model.metadata["features"]] == ["number", "empty", "empty", "number", "category", "number"]
    assert np.isfinite(model.predict_proba(features.assign(nothing="a value at last"))).all()


def test_the_dtype_of_a_column_does_not_matter(train):
    rows = 3_000
    seats = train.features["seats"].head(rows).where(np.arange(rows) % 7 > 0)
    flag, sector = train.features["has_sponsor"].head(rows), train.features["sector"].head(rows).where(np.arange(rows) % 11 > 0)
    frames = [
        {"seats": seats, "flag": flag, "sector": sector},
        {
            "seats": seats.map(lambda value: None if np.isnan(value) else Decimal(int(value))).astype(object),
            "flag": flag.astype(object).where(flag.notna(), None),
            "sector": sector.astype(object).where(sector.notna(), None),
        },
        {"seats": seats.astype("Int64"), "flag": flag.astype("float"), "sector": sector.astype("category")},
        {
            "seats": seats.astype(pd.ArrowDtype(pa.decimal128(18, 4))),
            "flag": flag.astype(pd.ArrowDtype(pa.bool_())),
            "sector": sector.astype(pd.ArrowDtype(pa.string())),
        },
    ]
    versions = {
        json.dumps([each.to_dict()["intercept"], [table.tolist() for table in each.tables]])
        for each in (fit_churn_model(pd.DataFrame(frame), train.churned.head(rows)) for frame in frames)
    }
    assert len(versions) == 1


def test_only_the_order_of_a_numbers_values_matters(train):
    straight = fit_churn_model(train.features[["use", "noise"]], train.churned)
    bent = train.features[["use", "noise"]].assign(use=np.exp(train.features["use"]))
    np.testing.assert_allclose(fit_churn_model(bent, train.churned).predict_proba(bent), straight.predict_proba(train.features), atol=1e-9)


def test_the_same_input_gives_the_same_model(train, model):
    again = fit_churn_model(train.features.copy(), train.churned.to_numpy().astype(int))
    assert again.to_dict() == model.to_dict()
    other = fit_churn_model(train.features, train.churned, random_state=7)
    assert other.metadata["random_state"] == 7
    assert np.corrcoef(other.predict_proba(train.features), model.predict_proba(train.features))[0, 1] > 0.9999


def test_repeated_snapshots_of_a_customer_are_not_new_evidence(train):
    """Each row three times, as snapshots of its customer: what the model says must be what it says from each row once."""
    features, churned = train.features.head(2_500), train.churned.head(2_500)
    once = fit_churn_model(features, churned)
    thrice, outcome = pd.concat([features] * 3, ignore_index=True), pd.concat([churned] * 3, ignore_index=True)
    grouped = fit_churn_model(thrice, outcome, groups=np.tile(np.arange(2_500), 3))
    assert grouped.metadata["events"] == 3 * once.metadata["events"]
    assert grouped.metadata["churned_customers"] == once.metadata["events"]
    np.testing.assert_allclose(grouped.predict_proba(features), once.predict_proba(features), atol=2e-3)
    with pytest.raises(TooFewEvents):
        fit_churn_model(thrice, outcome, groups=np.tile(np.arange(2_500), 3), minimum_events=once.metadata["events"] + 1)


def test_knowing_the_customer_of_each_snapshot_predicts_better():
    seen, later = panel(500, 14, seed=5), panel(3_000, 2, seed=6)
    noise = np.random.default_rng(1).normal(size=(500, 8))[seen.customer]  # lasts, as a customer's traits do
    features = seen.features.join(pd.DataFrame(noise).add_prefix("trait_"))
    unseen = later.features.join(pd.DataFrame(np.random.default_rng(2).normal(size=(len(later.features), 8))).add_prefix("trait_"))
    loss = {
        name: log_loss(fit_churn_model(features, seen.churned, groups=groups).predict_proba(unseen), later.churned)
        for name, groups in (("known", seen.customer), ("ignored", None))
    }
    assert loss["known"] < loss["ignored"]


def test_a_stored_model_says_the_same_and_admits_no_change(model, unseen):
    stored = json.loads(json.dumps(model.to_dict(), allow_nan=False))
    again = ChurnModel.from_dict(stored)
    np.testing.assert_array_equal(again.predict_proba(unseen.features), model.predict_proba(unseen.features))
    pd.testing.assert_frame_equal(again.drivers(unseen.features.head(100)), model.drivers(unseen.features.head(100)))
    assert again.metadata == model.metadata
    stored["features"][0]["effects"][1] += 0.1
    with pytest.raises(ValueError, match="was changed"):
        ChurnModel.from_dict(stored)
    with pytest.raises(ValueError, match=r"churn-scorecard/0.*retrain"):
        ChurnModel.from_dict({**stored, "format": "churn-scorecard/0"})


def test_metadata_says_where_a_model_comes_from(model, train):
    about = model.metadata
    assert (about["n"], about["events"], about["random_state"]) == (6_000, train.churned.sum(), 0)
    assert [(each["name"], each["kind"]) for each in about["features"]][3:6] == [
        ("nps", "number"),
        ("has_sponsor", "boolean"),
        ("sector", "category"),
    ]
    assert about["calibration"]["kind"] == "sigmoid"
    assert 0.7 < about["calibration"]["slope"] < 1.2
    assert about["libraries"]["numpy"] == np.__version__


BAD = {
    "lengths differ": (lambda f, y: (f, y[:-1]), "features has 400 rows and churned 399"),
    "indexes differ": (lambda f, y: (f, y[::-1]), "different indexes"),
    "a missing outcome": (lambda f, y: (f, y.astype("boolean").mask(y.index == 3)), "1 of 400 outcomes are missing"),
    "no outcome": (lambda f, y: (f, y.map({True: "yes", False: "no"})), "booleans, or 0 and 1"),
    "nobody churned": (lambda f, y: (f, y & False), "only 0 customers churned"),
    "everybody churned": (lambda f, y: (f, y | True), "every row churned"),
    "a column twice": (lambda f, y: (f[["use", "seats", "use"]], y), "columns twice: use"),
    "a row twice": (lambda f, y: (f.set_axis([0, *range(399)]), y.set_axis([0, *range(399)])), "rows twice in its index, e.g. 0"),
    "no columns": (lambda f, y: (f[[]], y), "no columns"),
    "nameless columns": (lambda f, y: (f.rename(columns={"use": 7}), y), "text as column names, not 7"),
    "no frame": (lambda f, y: (f.to_numpy(), y), "must be a DataFrame"),
    "a date": (lambda f, y: (f.assign(signed_on=pd.Timestamp("2024-01-01")), y), "'signed_on' holds dates"),
    "a date as an object": (lambda f, y: (f.assign(signed_on=pd.Timestamp("2024-01-01").date()), y), "'signed_on' holds dates"),
    "a list": (lambda f, y: (f.assign(plans=[["a"]] * 400), y), "'plans' holds values of type list"),
}


@pytest.mark.parametrize("case", BAD)
def test_refuses_in_words(case, train):
    spoil, words = BAD[case]
    with pytest.raises(ValueError, match=words):
        fit_churn_model(*spoil(train.features.head(400), train.churned.head(400)))


def test_abstains_below_the_minimum_of_events(train):
    few = train.churned.head(400) & (train.churned.head(400).cumsum() <= 29)
    with pytest.raises(TooFewEvents, match="only 29 customers churned in the training rows, at least 30") as refusal:
        fit_churn_model(train.features.head(400), few)
    assert (refusal.value.events, refusal.value.minimum) == (29, 30)
    assert fit_churn_model(train.features.head(400), few, minimum_events=29).metadata["events"] == 29


def test_prediction_names_what_it_lacks(model, unseen):
    rows = unseen.features.head(5)
    with pytest.raises(ValueError, match="lacks columns that the model was fitted with: use, nps"):
        model.predict_proba(rows.drop(columns=["use", "nps"]))
    with pytest.raises(ValueError, match="'use' was a number when the model was fitted and is text"):
        model.drivers(rows.assign(use="a lot"))
    with pytest.raises(ValueError, match="rows twice"):
        model.predict_proba(pd.concat([rows, rows]))


def test_edges_by_hand():
    assert equal_frequency_edges(np.array([1.0, 2.0, 2.0, 4.0]), 16) == (1.5, 3.0)
    assert equal_frequency_edges(np.array([5.0, 5.0]), 16) == ()
    assert equal_frequency_edges(np.arange(1.0, 9.0), 4) == (2.5, 4.5, 6.5)
    assert equal_frequency_edges(np.array([-np.inf, 0.0, np.inf]), 2)[0] < 0
    # Nine zeros of twelve have a bin to themselves, and the others still get two.
    assert equal_frequency_edges(np.array([0.0] * 9 + [1.0, 2.0, 3.0, 4.0]), 3) == (0.5, 2.5)


def test_codes_by_hand():
    bins = Bins("use", "number", edges=(1.0, 5.0))
    assert bins.encode(pd.Series([1.0, 1.1, 5.0, np.inf, -np.inf, np.nan])).tolist() == [1, 2, 2, 3, 1, 0]
    sector = fit_bins(pd.Series(["a", "b", "b", "c", None], name="sector"), most_levels=2, least_rows=1)
    assert sector.levels == ("a", "b")
    assert sector.encode(pd.Series(["b", "c", "d", None, "a"])).tolist() == [2, 3, 3, 0, 1]
    assert fit_bins(pd.Series(["a"] * 5 + ["b"] * 4, name="sector")).levels == ("a",)
    numbered = fit_bins(pd.Series([1, 2, 1], dtype="category", name="plan"), least_rows=1)
    assert numbered.encode(pd.Series([2.0, None, 1.0])).tolist() == [2, 0, 1]


def test_a_calibration_line_by_hand():
    """Two scores, 1 of 4 churned at 0 and 3 of 4 at 1: log-odds −ln 3 and ln 3, so slope 2 ln 3."""
    score, churned = np.repeat([0.0, 1.0], 4), np.array([1, 0, 0, 0, 1, 1, 1, 0.0])
    line = fit_line(score, churned)
    assert (line.intercept, line.slope) == (pytest.approx(-np.log(3), abs=1e-4), pytest.approx(2 * np.log(3), abs=1e-4))
    assert 1 < fit_line(score, churned, prior_spread=0.25).slope < line.slope
    assert fit_line(-score, churned).slope == 0
    assert fit_line(-score, churned).probability(score) == pytest.approx(np.full(8, 0.5))

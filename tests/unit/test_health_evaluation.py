"""The health score judged by who left: figures worked out by hand, and which days, customers and version are judged."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from orchestration.churn_model import EVALUATIONS
from orchestration.health_evaluation import FEWEST, health_evaluation

COLUMNS = ["customer_id", "as_of_date", "score_points", "has_churned", "definition_version", "tier"]
MARCH, APRIL = date(2024, 3, 1), date(2024, 4, 1)
# Left with 30 and 50, stayed with 50 and 80.
FOUR = [
    ("a", MARCH, 3000, True, "v1", "smb"),
    ("b", MARCH, 5000, True, "v1", "smb"),
    ("c", MARCH, 5000, False, "v1", "smb"),
    ("d", MARCH, 8000, False, "v1", "enterprise"),
]


def judged(rows: list[tuple]) -> pd.DataFrame:
    return health_evaluation(pd.DataFrame(rows, columns=COLUMNS))


def test_four_customers_by_hand():
    """AUC: of the pairs 30/50, 30/80, 50/50, 50/80 three are right and one is tied: 3.5 ÷ 4. PR-AUC: precision 1 at 30, 2 of 3 at 50. Lift: the top
    tenth is a part of the one with 30, all of it gone, where half of all are."""
    found = judged(FOUR)
    assert tuple(found.columns) == EVALUATIONS
    assert dict(zip(found["metric"], found["value"], strict=True)) == pytest.approx({"auc": 0.875, "pr_auc": 5 / 6, "top_decile_lift": 2.0})
    assert (found["observations"] == 4).all() and (found["events"] == 2).all()
    assert (found["model"] == "health_score").all() and (found["model_version"] == "v1").all() and (found["segment"] == "all").all()
    assert ((found["low"] <= found["value"]) & (found["value"] <= found["high"])).all()


def test_only_firsts_of_a_month_with_a_known_outcome_and_a_score_count():
    others = [
        ("e", date(2024, 3, 2), 100, False, "v1", "smb"),  # no first of a month: today, say
        ("f", APRIL, 100, None, "v1", "smb"),  # nobody knows yet
        ("g", MARCH, None, True, "v1", "smb"),  # too little was known for a score
    ]
    found = judged(FOUR + others)
    assert found.drop(columns="note").equals(judged(FOUR).drop(columns="note"))
    assert found["note"][0] == "score on firsts of a month from 2024-03-01 to 2024-03-01, churn within 90 days; 1 of 5 had no score"


def test_a_version_is_judged_by_the_days_since_it_is_in_force():
    """v2 is not judged before somebody left under it, and then not by the days of v1."""
    stayed = [("c", APRIL, 9000, False, "v2", "smb")]
    assert (judged(FOUR + stayed)["model_version"] == "v1").all()
    found = judged([*FOUR, *stayed, ("b", APRIL, 9500, True, "v2", "smb")])
    assert (found["model_version"] == "v2").all() and (found["observations"] == 2).all()
    assert found.set_index("metric")["value"]["auc"] == 0.0


def test_a_tier_has_an_auc_of_its_own_from_ten_customers_that_left_on():
    """Ten, not ten snapshots of one."""
    left = [(f"l{number}", MARCH, 4000 + number, True, "v1", "smb") for number in range(FEWEST)]
    stayed = [(f"s{number}", MARCH, 6000 + number, False, "v1", "smb") for number in range(FEWEST)]
    again = [("x", date(2024, month, 1), 1000, True, "v1", "enterprise") for month in range(1, 12)] + [("y", MARCH, 9000, False, "v1", "enterprise")]
    assert set(judged(left[1:] + stayed + again)["segment"]) == {"all"}
    found = judged(left + stayed + again)
    assert list(found[found["segment"] == "tier: smb"][["metric", "value", "observations"]].itertuples(index=False, name=None)) == [("auc", 1.0, 20)]


@pytest.mark.parametrize("rows", [[], FOUR[:2], FOUR[2:]])
def test_without_both_outcomes_nothing_is_said(rows):
    found = judged(rows)
    assert found.empty and tuple(found.columns) == EVALUATIONS

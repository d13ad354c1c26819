"""What the health score foretold: the score of past days against who left in the 90 days after, as rows of fct_model_evaluations.

Here belongs which days, customers and version of the score are judged; the measures are in predict/. Nothing is fitted here, and nothing
that is found here goes back into the score: its weights and thresholds are seeds that people write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestration.churn_model import EVALUATIONS

if TYPE_CHECKING:
    import pandas as pd

MODEL = "health_score"
FEWEST = 10  # customers of a tier who left, for an AUC of its own: below, its interval says nothing


def health_evaluation(snapshots: pd.DataFrame) -> pd.DataFrame:
    """AUC, PR-AUC and lift of the score for all customers, and its AUC by tier, since tiers have weights of their own: columns EVALUATIONS.

    snapshots: int_predictions__churn_snapshots. Judged are the firsts of a month whose 90 days are over, under the newest version of the weights
    under which somebody left and somebody stayed: a version is never judged by days before it was in force, which who wrote it may
    have looked at. No rows before there is such a version.
    """
    import pandas as pd

    known = snapshots[snapshots["has_churned"].notna() & (pd.to_datetime(snapshots["as_of_date"]).dt.day == 1)]
    scored = known[known["score_points"].notna()]
    outcomes = scored.groupby("definition_version").agg(last=("as_of_date", "max"), outcomes=("has_churned", "nunique"))
    judged = outcomes[outcomes["outcomes"] == 2].sort_values("last")
    if judged.empty:
        return pd.DataFrame(columns=list(EVALUATIONS))
    version = judged.index[-1]
    known, scored = (rows[rows["definition_version"] == version] for rows in (known, scored))
    first, last = pd.to_datetime(scored["as_of_date"]).agg(["min", "max"]).dt.date
    note = f"score on firsts of a month from {first} to {last}, churn within 90 days; {len(known) - len(scored)} of {len(known)} had no score"
    found = [_measured(scored, "all", ("auc", "pr_auc", "top_decile_lift"))]
    for tier, rows in scored.groupby("tier"):
        left = rows.loc[rows["has_churned"].astype(bool), "customer_id"]
        if left.nunique() >= FEWEST and len(left) < len(rows):
            found.append(_measured(rows, f"tier: {tier}", ("auc",)))
    return pd.concat(found).assign(model=MODEL, model_version=version, note=note).reset_index(drop=True)[list(EVALUATIONS)]


def _measured(rows: pd.DataFrame, segment: str, metrics: tuple[str, ...]) -> pd.DataFrame:
    from orchestration.predict.evaluate import evaluate_ranking

    risk, churned = -rows["score_points"].astype(float), rows["has_churned"].astype(bool)
    found = evaluate_ranking(risk, churned, groups=rows["customer_id"], metrics=metrics)
    return found.rename(columns={"n": "observations"}).assign(segment=segment)

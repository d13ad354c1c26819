"""What the models of predict/ are asked on a run: frames from the warehouse in, frames for the prediction tables out.

Here belongs which table goes into which model, and keeping the churn model from month to month; not the maths (predict/) nor Dagster
(assets/predictions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from orchestration import prediction_tables
from orchestration.churn_model import Risk, churn_risk
from orchestration.health_evaluation import health_evaluation
from orchestration.settings import Settings
from orchestration.warehouse import connect

if TYPE_CHECKING:
    import pandas as pd

READS = ("churn_snapshots", "paid_months", "held_out", "orders")


def predict(settings: Settings, as_of: date, *, anew: bool = False) -> tuple[Risk, dict[str, int]]:
    """Ask all models as of a day and replace the prediction tables; returns what the churn model said, and rows by table.

    `anew` trains the churn model even if this month has one. Reads the intermediate room, opens the warehouse twice. Raises ValueError
    when a stored churn model was changed.
    """
    frames, rules = read(settings)
    folder, minimum_days = settings.data_dir / "models" / "churn", int(rules["risk_minimum_days"])
    risk = churn_risk(folder, frames["churn_snapshots"], as_of, minimum_days=minimum_days, anew=anew)
    estimates, errors = lifetimes(frames, rules, as_of)
    evaluations = together(risk.evaluations, health_evaluation(frames["churn_snapshots"]), errors)
    tables = {"churn_scores": risk.scores, "clv_estimates": estimates, "model_evaluations": evaluations}
    rows = {name: prediction_tables.write(settings, name, frame.assign(as_of_date=as_of)) for name, frame in tables.items()}
    with connect(settings) as connection:
        prediction_tables.register_views(connection, settings)
    if settings.target == "spark":
        from orchestration import spark

        prediction_tables.register_spark_views(spark.session(settings), settings)
    return risk, rows


def together(*frames: pd.DataFrame) -> pd.DataFrame:
    """All rows of frames with the same columns; empty ones add nothing, not even their types."""
    import pandas as pd

    return pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)


def read(settings: Settings) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """What the intermediate room holds for the models, and the seed prediction_rules."""
    with connect(settings) as connection:
        frames = {name: connection.execute(f"select * from intermediate.int_predictions__{name} order by all").df() for name in READS}
        rules = dict(connection.execute("select rule, value from seeds.prediction_rules").fetchall())
    return frames, rules


def lifetimes(frames: Mapping[str, pd.DataFrame], rules: Mapping[str, float], as_of: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Lifetime values of all customers by all models that apply, and how well the contractual one would have done on the last quarter."""
    import pandas as pd

    from orchestration.predict.lifetimes import contractual_estimates, holdout_error
    from orchestration.predict.purchases import transactional_estimates

    minimum = int(rules["clv_minimum_customers"])
    common = {"annual_discount_rate": rules["annual_discount_rate"], "margin": rules["gross_margin"], "minimum": minimum}
    estimates = [
        contractual_estimates(frames["paid_months"], as_of=as_of, **common),
        transactional_estimates(frames["orders"], horizon_months=int(rules["clv_horizon_months"]), **common),
    ]
    errors = holdout_error(frames["paid_months"], frames["held_out"], as_of=as_of, minimum=minimum)
    evaluations = pd.DataFrame(
        {
            "model": "contractual_clv",
            "model_version": None,
            "segment": errors["segment"].where(errors["segment"] == "all", "tier: " + errors["segment"]),
            "metric": "holdout_revenue_error",
            "value": errors["error"],
            "low": None,
            "high": None,
            "observations": errors["customers"],
            "events": None,
            "note": None,
        }
    )
    return together(*estimates), evaluations

"""The step between the intermediate and the marts room: what fitted models say, written to tables that marts join.

Here belongs reading and writing those tables and when a model is trained anew; the maths is pure and stands in predict/.
"""

import json
import logging
import time
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, AssetSpec, BackfillPolicy, MaterializeResult, PartitionsDefinition, multi_asset

from orchestration import prediction_tables
from orchestration.runs import window_of
from orchestration.settings import Settings
from orchestration.translator import raw_key
from orchestration.warehouse import connect

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger("csw")
READS = ("churn_snapshots", "paid_months", "held_out", "orders")
CHURN_MODEL = AssetKey(["churn_model"])


def prediction_assets(settings: Settings, partitions: PartitionsDefinition) -> list[AssetsDefinition]:
    deps = [AssetKey([f"int_predictions__{name}"]) for name in READS] + [AssetKey(["prediction_rules"])]
    keys = {name: raw_key(prediction_tables.SCHEMA, name) for name in prediction_tables.prediction_contracts()}

    @multi_asset(
        name="predictions",
        specs=[
            AssetSpec(CHURN_MODEL, deps=deps, group_name="predictions", kinds={"python"}, skippable=True, description="Trained anew once a month."),
            *(AssetSpec(key, deps=deps, group_name="predictions", kinds={"python", "parquet"}) for key in keys.values()),
        ],
        partitions_def=partitions,
        backfill_policy=BackfillPolicy.single_run(),
        pool="warehouse",
        required_resource_keys={"run_lock"},
    )
    def predictions(context: AssetExecutionContext):
        started = time.monotonic()
        as_of = window_of(context.run, settings).as_of
        frames, rules = _read(settings)
        risk = _churn(settings, frames["churn_snapshots"], as_of)
        if risk["trained"]:
            yield MaterializeResult(asset_key=CHURN_MODEL, metadata={"model": risk["version"] or "none", "note": risk["note"] or "–"})
        estimates, errors = _lifetimes(frames, rules, as_of)
        import pandas as pd

        tables = {
            "churn_scores": risk["scores"],
            "clv_estimates": estimates,
            "model_evaluations": pd.concat([risk["evaluations"], errors], ignore_index=True),
        }
        for name, frame in tables.items():
            rows = prediction_tables.write(settings, name, frame.assign(as_of_date=as_of))
            yield MaterializeResult(asset_key=keys[name], metadata={"dagster/row_count": rows})
        with connect(settings) as connection:
            prediction_tables.register_views(connection, settings)
        if settings.target == "spark":
            from orchestration import spark

            prediction_tables.register_spark_views(spark.session(settings), settings)
        log.info("predictions   %4d risks, %d lifetime values, %.1f s", len(risk["scores"]), len(estimates), time.monotonic() - started)

    return [predictions]


def _read(settings: Settings) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """What the intermediate room holds for the models, and the seed prediction_rules."""
    with connect(settings) as connection:
        frames = {name: connection.execute(f"select * from intermediate.int_predictions__{name} order by all").df() for name in READS}
        rules = dict(connection.execute("select rule, value from seeds.prediction_rules").fetchall())
    return frames, rules


def _lifetimes(frames: Mapping[str, pd.DataFrame], rules: Mapping[str, float], as_of: date) -> tuple[pd.DataFrame, pd.DataFrame]:
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
    return pd.concat([each for each in estimates if len(each)] or estimates[:1], ignore_index=True), evaluations

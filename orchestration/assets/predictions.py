"""The step between the intermediate and the marts room: what fitted models say, written to tables that marts join.

Here belongs reading and writing those tables and when a model is trained anew; the maths is pure and stands in predict/.
"""

import logging
import time

from dagster import AssetExecutionContext, AssetKey, AssetsDefinition, AssetSpec, BackfillPolicy, MaterializeResult, PartitionsDefinition, multi_asset

from orchestration import prediction_tables, predictions
from orchestration.churn_model import churn_risk
from orchestration.runs import window_of
from orchestration.settings import Settings
from orchestration.translator import raw_key
from orchestration.warehouse import connect

log = logging.getLogger("csw")
CHURN_MODEL = AssetKey(["churn_model"])


def prediction_assets(settings: Settings, partitions: PartitionsDefinition) -> list[AssetsDefinition]:
    deps = [AssetKey([f"int_predictions__{name}"]) for name in predictions.READS] + [AssetKey(["prediction_rules"])]
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
    def predict(context: AssetExecutionContext):
        started = time.monotonic()
        as_of = window_of(context.run, settings).as_of
        frames, rules = predictions.read(settings)
        risk = churn_risk(settings.data_dir / "models" / "churn", frames["churn_snapshots"], as_of)
        if risk.trained:
            yield MaterializeResult(asset_key=CHURN_MODEL, metadata={"model": risk.version or "none", "note": risk.note})
        estimates, errors = predictions.lifetimes(frames, rules, as_of)
        tables = {
            "churn_scores": risk.scores,
            "clv_estimates": estimates,
            "model_evaluations": predictions.together(risk.evaluations, errors),
        }
        for name, frame in tables.items():
            rows = prediction_tables.write(settings, name, frame.assign(as_of_date=as_of))
            yield MaterializeResult(asset_key=keys[name], metadata={"dagster/row_count": rows})
        with connect(settings) as connection:
            prediction_tables.register_views(connection, settings)
        if settings.target == "spark":
            from orchestration import spark

            prediction_tables.register_spark_views(spark.session(settings), settings)
        log.info("predictions   %4d risks, %d lifetime values, %.1f s", len(risk.scores), len(estimates), time.monotonic() - started)

    return [predict]

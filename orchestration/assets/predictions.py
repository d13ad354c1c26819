"""The step between the intermediate and the marts room: what fitted models say, written to tables that marts join.

Here belongs reading and writing those tables and when a model is trained anew; the maths is pure and stands in predict/.
"""

import logging
import time

from dagster import (
    AssetExecutionContext,
    AssetKey,
    AssetsDefinition,
    AssetSpec,
    BackfillPolicy,
    Failure,
    MaterializeResult,
    PartitionsDefinition,
    multi_asset,
)

from orchestration import prediction_tables, predictions
from orchestration.runs import window_of
from orchestration.settings import Settings
from orchestration.translator import raw_key

log = logging.getLogger("csw")
CHURN_MODEL = AssetKey(["churn_model"])
TRAINED = "Trained anew by the first run of a month, and whenever it is selected alone; materialized then, not every day."


def prediction_assets(settings: Settings, partitions: PartitionsDefinition) -> list[AssetsDefinition]:
    deps = [AssetKey([f"int_predictions__{name}"]) for name in predictions.READS] + [AssetKey(["prediction_rules"])]
    keys = {name: raw_key(prediction_tables.SCHEMA, name) for name in prediction_tables.prediction_contracts()}

    @multi_asset(
        name="predictions",
        specs=[
            AssetSpec(CHURN_MODEL, deps=deps, group_name="predictions", kinds={"python"}, skippable=True, description=TRAINED),
            *(AssetSpec(key, deps=deps, group_name="predictions", kinds={"python", "parquet"}) for key in keys.values()),
        ],
        can_subset=True,
        partitions_def=partitions,
        backfill_policy=BackfillPolicy.single_run(),
        pool="warehouse",
        required_resource_keys={"run_lock"},
    )
    def predict(context: AssetExecutionContext):
        started, chosen = time.monotonic(), set(context.selected_asset_keys)
        try:
            risk, rows = predictions.predict(settings, window_of(context.run, settings).as_of, anew=chosen == {CHURN_MODEL})
        except ValueError as error:
            raise Failure(f"predictions: {error}", allow_retries=False) from error
        if risk.trained and CHURN_MODEL in chosen:
            yield MaterializeResult(asset_key=CHURN_MODEL, metadata={"model": risk.version or "none", "note": risk.note})
        for name, count in rows.items():
            if keys[name] in chosen:
                yield MaterializeResult(asset_key=keys[name], metadata={"dagster/row_count": count})
        log.info("predictions   %4d risks, %d lifetime values, %.1f s", rows["churn_scores"], rows["clv_estimates"], time.monotonic() - started)

    return [predict]

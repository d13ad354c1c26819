"""How dbt's nodes look in Dagster: key = table name, group = room, kinds, owners' freshness.

Here belongs naming; nothing runs here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from dagster import AssetKey, AssetSpec, FreshnessPolicy
from dagster_dbt import DagsterDbtTranslator

ROOMS = ("staging", "intermediate", "marts")
# A daily table that is a day and a half old has missed a run.
FRESHNESS = FreshnessPolicy.time_window(fail_window=timedelta(hours=36), warn_window=timedelta(hours=30))


def raw_key(vendor: str, table: str) -> AssetKey:
    return AssetKey([f"{vendor}__{table}"])


class RoomTranslator(DagsterDbtTranslator):
    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            return raw_key(dbt_resource_props["source_name"], dbt_resource_props["name"])
        return AssetKey([dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return room_of(dbt_resource_props)

    def get_asset_spec(self, manifest, unique_id, project) -> AssetSpec:
        spec = super().get_asset_spec(manifest, unique_id, project)
        if room_of(self.get_resource_props(manifest, unique_id)) == "marts":
            return spec.replace_attributes(freshness_policy=FRESHNESS)
        return spec


def room_of(properties: Mapping[str, Any]) -> str:
    """seeds, raw, predictions, staging, intermediate or marts: a seed's and a source's by their type, a model's by its first folder."""
    kind = properties["resource_type"]
    if kind == "seed":
        return "seeds"
    if kind == "source":
        return "predictions" if properties["source_name"] == "predictions" else "raw"
    return next((part for part in properties["fqn"] if part in ROOMS), "marts")

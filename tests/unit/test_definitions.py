"""The code location as Dagster sees it: every asset in a room with a name, and a daily run that takes all that can be built."""

from __future__ import annotations

import pytest

from orchestration.definitions import build_defs
from orchestration.jobs import DAILY_JOB

BILLING_ALONE = {f"{domain}_sources": () for domain in ("crm", "support", "product", "survey")} | {"billing_sources": ("stripe",)}


@pytest.fixture(scope="module")
def billing_alone(tmp_path_factory):
    return build_defs({"data_dir": tmp_path_factory.mktemp("definitions"), "stripe_api_key": "key", **BILLING_ALONE})


def test_every_asset_stands_in_a_group(billing_alone):
    graph = billing_alone.resolve_asset_graph()
    groups = {key.to_user_string(): graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert set(groups.values()) == {"raw", "unconfigured_sources", "seeds", "staging", "intermediate", "predictions", "marts", "publication"}
    assert {groups["stripe__invoices"], groups["stg_hubspot__companies"]} == {"raw", "staging"}
    assert {groups["hubspot__companies"], groups["own__accounts"], groups["own__invoices"]} == {"unconfigured_sources"}


def test_a_run_takes_whatever_can_be_built_and_nothing_else(billing_alone):
    graph = billing_alone.resolve_asset_graph()
    taken = billing_alone.resolve_job_def(DAILY_JOB).asset_layer.executable_asset_keys
    assert taken == graph.materializable_asset_keys
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys() - taken} == {"unconfigured_sources"}

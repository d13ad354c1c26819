"""What each layer of the warehouse may read, and what each of its models must bring: read off dbt's manifest, so it cannot be forgotten.

Each rule gives the models that break it, with what is wrong: an empty list is a pass.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestration.contracts import SIMPLE_TYPES
from orchestration.dbt import PROJECT_DIR, Dbt
from orchestration.publication_tables import PUBLICATION_COLUMNS, QUALITY_COLUMNS
from orchestration.settings import REPO, load_settings

MAY_READ = {
    "staging": {"source", "seed"},
    "intermediate": {"staging", "intermediate", "seed"},
    "marts": {"intermediate", "marts", "seed", "predictions"},
}
NAMES = {
    "staging": r"stg_[a-z]+__[a-z0-9_]+",
    "intermediate": r"int_[a-z]+(_[a-z]+)*__[a-z0-9_]+",
    "marts": r"(dim|fct|rpt|bridge)_[a-z0-9_]+",
}
MOST_LINES = 120


@pytest.fixture(scope="module")
def manifest(tmp_path_factory) -> dict:
    return Dbt(load_settings(data_dir=tmp_path_factory.mktemp("layers"))).manifest()


@pytest.fixture(scope="module")
def models(manifest) -> list[dict]:
    return of_kind(manifest, "model")


def of_kind(manifest: dict, kind: str) -> list[dict]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == kind]


def layer_of(unique_id: str, manifest: dict) -> str:
    """staging, intermediate or marts for a model, else what kind of node it is: source, seed; or predictions, which models write."""
    kind = unique_id.partition(".")[0]
    if kind == "source" and unique_id.split(".")[2] == "predictions":
        return "predictions"
    return manifest["nodes"][unique_id]["fqn"][1] if kind == "model" else kind


def in_repo(node: dict) -> Path:
    return (PROJECT_DIR / node["original_file_path"]).resolve()


def test_every_model_stands_in_a_layer_and_is_named_after_it(models):
    odd = [model["name"] for model in models if not re.fullmatch(NAMES.get(model["fqn"][1], "nothing"), model["name"])]
    assert not odd
    misplaced = [model["name"] for model in models if model["fqn"][1] != "marts" and re.match(r"[a-z]+_(.+?)__", model["name"])[1] != model["fqn"][2]]
    assert not misplaced, "stg_<vendor>__ stands in staging/<vendor>, int_<topic>__ in intermediate/<topic>"


def test_every_layer_reads_only_what_it_may(manifest, models):
    broken = [
        f"{model['name']} reads {parent}"
        for model in models
        for parent in model["depends_on"]["nodes"]
        if layer_of(parent, manifest) not in MAY_READ[model["fqn"][1]]
    ]
    assert not broken


def test_staging_reads_one_table_of_its_own_vendor(models):
    """A change of one vendor stops at that vendor's staging; what ties tables together comes after it."""
    broken = []
    for model in (each for each in models if each["fqn"][1] == "staging"):
        read = {tuple(source) for source in model["sources"]}
        if len(read) != 1 or next(iter(read))[0] != model["fqn"][2]:
            broken.append(f"{model['name']} reads {sorted(read)}")
    assert not broken


def test_every_model_and_every_column_is_described(models):
    blank = [model["name"] for model in models if not model["description"].strip() or not model["columns"]]
    blank += [f"{model['name']}.{column['name']}" for model in models for column in model["columns"].values() if not column["description"].strip()]
    assert not blank


def test_every_seed_and_every_source_with_its_columns_is_described(manifest):
    """Raw columns keep the vendor's names: what they mean stands in the sources YAML and nowhere else."""
    described = [*of_kind(manifest, "seed"), *manifest["sources"].values()]
    blank = [node["name"] for node in described if not node["description"].strip() or not node["columns"]]
    blank += [f"{node['name']}.{column['name']}" for node in described for column in node["columns"].values() if not column["description"].strip()]
    assert not blank


def test_what_a_version_says_of_itself_is_described_as_it_is_written(manifest):
    """These two are no models: publication_tables.py makes them, and only this file's YAML tells BI what their columns mean."""
    described = {
        source["name"]: {column["name"]: SIMPLE_TYPES[column["data_type"]] for column in source["columns"].values()}
        for source in manifest["sources"].values()
        if source["source_name"] == "publication"
    }
    assert described == {"dim_publication": PUBLICATION_COLUMNS, "fct_data_quality_results": QUALITY_COLUMNS}
    assert not [node["name"] for node in manifest["nodes"].values() if any("publication" in name for name in node["depends_on"].get("nodes", []))]


def test_every_model_and_every_seed_has_a_primary_key_of_declared_columns(manifest, models):
    """A key of a column that is not there would be found out too, but only in a run."""
    owners = {node["unique_id"]: node for node in [*models, *of_kind(manifest, "seed")]}
    without, unknown = set(owners), []
    for test in of_kind(manifest, "test"):
        metadata = test.get("test_metadata") or {}
        if metadata.get("name") == "primary_key":
            owner = owners[test["attached_node"]]
            without.discard(owner["unique_id"])
            unknown += [f"{owner['name']}.{column}" for column in metadata["kwargs"]["columns"] if column not in owner["columns"]]
    assert not without
    assert not unknown


def test_every_mart_has_an_enforced_contract_a_suite_and_a_run(models):
    marts = [model for model in models if model["fqn"][1] == "marts"]
    assert not [mart["name"] for mart in marts if not mart["config"]["contract"]["enforced"]], "no enforced contract"
    assert not [mart["name"] for mart in marts if not (REPO / "expectations/marts" / f"{mart['name']}.json").is_file()], "no suite"
    assert not [mart["name"] for mart in marts if "run_id" not in mart["columns"]], "no run_id"


def test_a_mart_stands_with_its_description(models):
    """One YAML file beside each mart, of the same name: who changes one sees the other."""
    assert not [model["name"] for model in models if model["fqn"][1] == "marts" and not in_repo(model).with_suffix(".yml").is_file()]


def test_no_model_outgrows_what_can_be_read_at_once(models):
    """Past this length a model wants an intermediate model with a name."""
    lengths = {model["name"]: len(in_repo(model).read_text().splitlines()) for model in models}
    assert not {name: lines for name, lines in lengths.items() if lines > MOST_LINES}

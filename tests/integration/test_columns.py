"""What is described is what is there: the columns of every built table against its YAML. Contracts hold marts to it; this holds all models."""

from __future__ import annotations

from orchestration.dbt import Dbt


def test_every_real_column_is_described_and_no_other(demo):
    manifest = Dbt(demo.settings).manifest()
    with demo.warehouse() as warehouse:
        rows = warehouse.execute("select table_schema, table_name, column_name from information_schema.columns").fetchall()
    real: dict[tuple[str, str], set[str]] = {}
    for schema, table, column in rows:
        real.setdefault((schema, table), set()).add(column)
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    differing = {
        model["name"]: sorted(real.get((model["schema"], model["name"]), set()) ^ set(model["columns"]))
        for model in models
        if real.get((model["schema"], model["name"])) != set(model["columns"])
    }
    assert models
    assert not differing

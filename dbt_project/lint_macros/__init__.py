"""What a macro call looks like to sqlfluff: a call of a function of the same name, or a select where the macro writes a query.

Here belongs what the models call while they are linted; not what the macros do. dbt itself could expand them (the dbt templater), but
then three quarters of what is parsed is one macro over and over: 350 s of CPU instead of 70. Macros are found by their files, so a
new one needs nothing here unless it writes a query or returns something else than SQL.

sqlfluff loads this module for each file and puts its public names into Jinja's context (library_path in pyproject.toml).
"""

import ast
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

PROJECT = Path(__file__).resolve().parents[1]
MACROS = {path.stem: path.read_text() for path in (PROJECT / "macros").glob("*.sql")}
VARS = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]


def as_function(name: str) -> Callable[..., str]:
    return lambda *arguments: f"{name}({', '.join(str(each) for each in arguments)})"


class Functions:
    """A package of macros, such as dbt: all that it may hold."""

    def __getattr__(self, name: str) -> Callable[..., str]:
        return as_function(name)


def as_select(columns: list[str], relation: str) -> str:
    return f"select {', '.join(columns)} from {relation}"


for _text in MACROS.values():
    for _name in re.findall(r"\{%-?\s*macro\s+(\w+)", _text):
        globals()[_name] = as_function(_name)

dbt = Functions()
adapter = SimpleNamespace(get_relation=lambda *_: None)
target = SimpleNamespace(type="duckdb", schema="main")
flags = SimpleNamespace(FULL_REFRESH=False)
execute = True


def config(**_: Any) -> str:
    return ""


def is_incremental() -> bool:
    return True


def ref(model: str) -> str:
    return f"warehouse.{model}"  # with a schema: many a CTE has the name of what it imports


def var(name: str, default: Any = None) -> Any:
    return VARS.get(name, default)


def health_components() -> dict[str, list[str]]:
    found = ast.literal_eval(re.search(r"return\((\{.*?\})\)", MACROS["health"], flags=re.S)[1])
    return {component: found[component][:2] for component in list(found)[:2]}  # what loops over them looks alike for all


def from_minor_units(amount: str) -> str:
    return f"from_minor_units({amount}, currencies.minor_unit_exponent)"  # the macro leans on that join


def unit_price(amount: str, amount_decimal: str) -> str:
    return f"unit_price({amount}, {amount_decimal}, currencies.minor_unit_exponent)"


def days_of_this_run(day: str, run_id: str | None = None) -> str:
    return f"{day} >= cast('2025-06-20' as date)"


def followed_pointers() -> str:
    return "\n\n".join(f"pointers_{n} as (\n    select record_key, points_at from pointers_{n - 1}\n)," for n in range(1, 6))


def multiply_money(amount: str, quantity: str) -> str:
    return f"multiply_money({amount}, {quantity})"


def record_versions(vendor: str, table: str, **_: Any) -> str:
    return as_select(["*"], f"{vendor}.{table}")


def unify(staging_models: list[str], columns: list[str], keep_deleted: bool = False) -> str:
    return as_select(columns, ref(staging_models[0]))


def sum_intervals(relation: str, keys: list[str], amounts: list[str]) -> str:
    return as_select([*keys, "valid_from", "valid_to", *amounts], relation)


def health_days_to_publish() -> str:
    return as_select(["*"], ref("int_health__daily"))


def health_days_before(days_ago: int) -> str:
    return as_select(["*"], ref("int_health__daily"))


def health_override_columns() -> dict[str, str]:
    return {"override_band": "overrides.band", "override_expires_on": "overrides.expires_on"}


def anchor_records(domain: str, earlier: list[str]) -> str:
    return as_select(["cluster_id"], ref(earlier[0]))

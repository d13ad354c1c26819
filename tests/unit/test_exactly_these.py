"""The dbt test of seeds of rules: a rule that is missing, or that there is not, is found."""

from __future__ import annotations

import re

import duckdb
import pytest
from jinja2 import Template

from orchestration.settings import REPO

SOURCE = (REPO / "dbt_project/macros/tests/exactly_these.sql").read_text()
BODY = re.search(r"\{% test [^%]*%\}(.*)\{% endtest %\}", SOURCE, re.DOTALL).group(1)


@pytest.mark.parametrize(
    ("rules", "problems"),
    [
        (["a", "b"], []),
        (["a", "b", "b"], []),  # doubled rows are the primary key's
        (["a"], [("b", "missing")]),
        (["a", "b", "c"], [("c", "unknown")]),
        (["B", "a"], [("B", "unknown"), ("b", "missing")]),
        ([], [("a", "missing"), ("b", "missing")]),
    ],
)
def test_the_values_are_exactly_these(rules, problems):
    sql = Template(BODY).render(model="rules", column_name="rule", values=["a", "b"])
    with duckdb.connect() as con:
        con.execute("create table rules (rule varchar)")
        con.executemany("insert into rules values (?)", [[rule] for rule in rules]) if rules else None
        assert sorted(con.execute(sql).fetchall()) == problems

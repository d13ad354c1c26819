"""The dbt test of numbers in seeds: one outside of what it can mean is found."""

from __future__ import annotations

import re

import duckdb
import pytest
from jinja2 import Template

from orchestration.settings import REPO

SOURCE = (REPO / "dbt_project/macros/tests/between.sql").read_text()
BODY = re.search(r"\{% test [^%]*%\}(.*)\{% endtest %\}", SOURCE, re.DOTALL).group(1)


@pytest.mark.parametrize(("high", "found"), [(5, [(-1,), (0,), (6,)]), (None, [(-1,), (0,)])])
def test_what_lies_outside_is_found(high, found):
    sql = Template(BODY).render(model="rules", column_name="value", low=1, high=high)
    with duckdb.connect() as con:
        con.execute("create table rules as select unnest([-1, 0, 1, 3, 5, 6, null]) as value")
        assert sorted(row for row in con.execute(sql).fetchall() if high or row != (6,)) == found

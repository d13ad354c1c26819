"""Versions of seed health_weights that the publication must not build on: each is found, and the one that is delivered is sound."""

from __future__ import annotations

import re

import duckdb
import pytest

from orchestration.settings import REPO

SQL = (REPO / "dbt_project/tests/health/assert_every_weights_version_is_whole.sql").read_text()


@pytest.fixture
def con():
    """The seeds as they are delivered, and a second version of the weights from 1 April that is as sound."""
    with duckdb.connect() as con:
        for seed in ("health_weights", "tiers"):
            con.execute(f"create table {seed} as from read_csv('{REPO}/seeds/{seed}.csv')")
        con.execute("insert into health_weights select 'health-2', date '2025-04-01', tier, component, weight from health_weights")
        yield con


def found(con) -> list[tuple]:
    rows = con.execute(re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", SQL)).fetchall()
    return sorted((version, tier) for version, tier, *_ in rows)


def test_whole_versions_pass(con):
    assert found(con) == []


@pytest.mark.parametrize(
    ("edit", "tiers"),
    [
        ("update health_weights set valid_from = '2025-04-02' where component = 'commercial' and tier = 'smb' and", 4),
        ("update health_weights set valid_from = '2025-04-02' where tier = 'smb' and", 4),
        ("delete from health_weights where component = 'engagement' and tier = 'smb' and", 1),
        ("update health_weights set weight = -1 where component = 'usage' and tier = 'smb' and", 1),
        ("update health_weights set weight = 0 where tier = 'smb' and", 1),
    ],
)
def test_a_version_that_is_not_whole_is_found(con, edit, tiers):
    """One that does not begin on one day is none in any tier: what reads a version asks for its day."""
    con.execute(f"{edit} definition_version = 'health-2'")
    rows = found(con)
    assert len(rows) == tiers and ("health-2", "smb") in rows
    assert {version for version, _ in rows} == {"health-2"}

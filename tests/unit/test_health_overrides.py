"""Rows of seed health_overrides that the publication must not build on: each is found, with one reason, and a sound one is not."""

from __future__ import annotations

import re

import duckdb
import pytest

from orchestration.settings import REPO

SQL = (REPO / "dbt_project/tests/health/assert_health_overrides_are_whole.sql").read_text()
SOUND = {
    "customer_id": "c1",
    "set_on": "2025-03-01",
    "expires_on": "2025-04-01",
    "band": "yellow",
    "outlook": None,
    "author": "jo@x.example",
    "reason": "a merger",
}


def problems(*rows: dict) -> list[str]:
    with duckdb.connect() as con:
        con.execute("create table health_bands as from (values ('red'), ('yellow'), ('green')) as bands (band)")
        con.execute(
            "create table health_overrides (customer_id varchar, set_on date, expires_on date, band varchar, outlook varchar, author varchar, "
            "reason varchar)"
        )
        con.executemany("insert into health_overrides values (?, ?, ?, ?, ?, ?, ?)", [list(row.values()) for row in rows])
        return [row[-1] for row in con.execute(re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", SQL)).fetchall()]


def test_sound_overrides_pass():
    """The second begins on the day on which the first expires; another customer may have one on the same days."""
    second = SOUND | {"set_on": "2025-04-01", "expires_on": "2025-05-01", "band": None, "outlook": "dormant"}
    assert problems(SOUND, second, SOUND | {"customer_id": "c2"}) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"customer_id": None}, "no customer_id"),
        ({"customer_id": "c1 "}, "spaces around it"),
        ({"set_on": None}, "no set_on"),
        ({"expires_on": None}, "no override holds for ever"),
        ({"expires_on": "2025-03-01"}, "expires_on is not after set_on"),
        ({"band": "orange"}, "a band that is not in health_bands"),
        ({"band": None}, "neither band nor outlook"),
        ({"outlook": "fine"}, "an outlook that there is not"),
        ({"author": None}, "the author is not an e-mail address"),
        ({"author": "Jo"}, "the author is not an e-mail address"),
        ({"reason": " "}, "no reason"),
        ({"reason": "as al@x.example says"}, "the reason holds an e-mail address"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(wrong, said):
    (problem,) = problems(SOUND | wrong)
    assert said in problem


def test_two_that_hold_on_the_same_day_are_found():
    later = SOUND | {"set_on": "2025-03-31", "expires_on": "2025-05-01"}
    assert problems(SOUND, later) == ["another override of the customer begins before it expires"]

"""Rows of seed identity_overrides that the publication must not build on: each is found, with one reason, and a sound one is not."""

from __future__ import annotations

import re

import duckdb
import pytest

from orchestration.settings import REPO

SQL = (REPO / "dbt_project/tests/identities/assert_identity_overrides_are_whole.sql").read_text()
COLUMNS = ("left_domain", "left_source_relation", "left_source_id", "right_domain", "right_source_relation", "right_source_id", "decision", "reason")
SOUND = ("crm", "hubspot", "a1", "crm", "hubspot", "a2", "link", "one company")


def row(**changed: str | None) -> tuple:
    return tuple({**dict(zip(COLUMNS, SOUND, strict=True)), **changed}.values())


def problems(*rows: tuple) -> list[str]:
    with duckdb.connect() as con:
        con.execute(f"create table identity_overrides ({', '.join(f'{column} varchar' for column in COLUMNS)})")
        con.executemany("insert into identity_overrides values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
        return [found[-1] for found in con.execute(re.sub(r"\{\{ ref\('(\w+)'\) \}\}", r"\1", SQL)).fetchall()]


def test_sound_decisions_pass():
    """a3 follows a2, which follows a1; a payer is linked to one account and kept apart from another; a4 stands apart from two."""
    chain = row(left_source_id="a2", right_source_id="a3")
    payer = {"right_domain": "billing", "right_source_relation": "stripe", "right_source_id": "p1"}
    others = row(**payer), row(**payer, left_source_id="a9", decision="keep_apart")
    apart = (row(left_source_id=left, right_source_id="a4", decision="keep_apart") for left in ("a1", "a2"))
    assert problems(row(), chain, *others, *apart) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"left_domain": "CRM"}, "left_domain is none"),
        ({"right_domain": None}, "right_domain is none"),
        ({"left_source_relation": " "}, "the left record is not named in full"),
        ({"right_source_id": None}, "the right record is not named in full"),
        ({"right_source_id": "a1 "}, "both sides are one record"),
        ({"reason": " "}, "no reason"),
    ],
)
def test_what_is_wrong_with_a_row_is_said(wrong, said):
    assert problems(row(**wrong)) == [said]


@pytest.mark.parametrize("decision", ["link", "keep_apart"])
def test_a_pair_that_is_decided_twice_is_found_in_either_order(decision):
    again = row(left_source_id="a2", right_source_id="a1", decision=decision)
    assert problems(row(), again) == ["the pair is decided twice"] * 2


def test_one_that_would_follow_two_is_found():
    """Silently, one of the two decisions would not hold."""
    (first, second) = problems(row(), row(left_source_id="a0"))
    assert first == second and first.startswith("the right record follows two")

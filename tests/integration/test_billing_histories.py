"""A thousand random billing histories through the real SQL in one build, under all three presets, against a day-by-day oracle.

Each history is one customer of one warehouse. The oracle reads what was agreed, not what was billed (tests/billing).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

import pytest

from orchestration.settings import Settings
from tests.billing.books import Books
from tests.billing.histories import random_books
from tests.billing.oracle import PRESETS, Oracle
from tests.billing.warehouse import ask, billing_settings, build

FIRST, AS_OF, CUSTOMERS, SEED = date(2024, 1, 1), date(2025, 6, 17), 1_000, 20_240_101
LEDGER = ["+rpt_mrr_rule_comparison", "+rpt_mrr_reconciliation", "+fct_customer_mrr", "+fct_mrr_movements", "+rpt_revenue_retention_monthly"]
# The ledger of a preset: its own rows for customers whom a rule concerns, what is in force for all others.
OF_PRESET = """
    select mine.customer_id as id, nodes.source_id as customer, held.*
    from intermediate.int_revenue__rule_steps as steps
    cross join intermediate.int_identities__nodes as nodes
    inner join (select distinct customer_id, is_rule_dependent from intermediate.int_revenue__ruled_lines where rule_set = 0) as mine
        on nodes.customer_id = mine.customer_id
    inner join intermediate.{table} as held
        on held.customer_id = mine.customer_id
            and held.rule_set = case when mine.is_rule_dependent then steps.rule_set else 0 end
    where steps.preset = '{preset}' and steps.step = 6 and nodes.domain = 'billing'
"""


@dataclass
class Built:
    settings: Settings
    books: Books
    outcomes: list


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Built:
    folder = tmp_path_factory.mktemp("histories")
    books = random_books(Random(SEED), CUSTOMERS, FIRST, AS_OF)
    books.save(folder / "drop")
    settings = billing_settings(folder)
    return Built(settings, books, build(settings, AS_OF, LEDGER))


@pytest.fixture(scope="module", params=list(PRESETS))
def oracle(request, built: Built) -> tuple[str, Oracle]:
    return request.param, Oracle(built.books, FIRST - timedelta(days=31), AS_OF, PRESETS[request.param])


def month_ends() -> list[date]:
    firsts = [date(2024 + n // 12, n % 12 + 1, 1) for n in range(1, 18)]
    return [first - timedelta(days=1) for first in firsts] + [AS_OF]


def test_every_gate_holds(built: Built):
    bad = [(outcome.name, outcome.status, outcome.message) for outcome in built.outcomes if outcome.status not in ("success", "pass", "warn")]
    assert not bad
    assert {"assert_every_rule_set_adds_up", "assert_causes_explain_the_presets"} <= {outcome.name for outcome in built.outcomes}


def test_mrr_is_what_was_agreed_on_every_months_last_day(built: Built, oracle: tuple[str, Oracle]):
    preset, expected = oracle
    rows = ask(built.settings, OF_PRESET.format(table="int_revenue__ruled_intervals", preset=preset))
    held = defaultdict(list)
    for _, customer, _, _, currency, start, end, native, dollars in rows:
        held[customer, currency].append((start, end or date.max, float(native), float(dollars)))
    wrong = []
    for key in expected.daily:
        for day in month_ends():
            found = next(((native, dollars) for start, end, native, dollars in held[key] if start <= day < end), (0.0, 0.0))
            agreed = expected.on(key, day)
            if any(abs(a - b) > 0.0101 for a, b in zip(found, agreed, strict=True)):
                wrong.append((key, day, found, agreed))
    assert not wrong, f"{len(wrong)} of {len(expected.daily)} x {len(month_ends())}: {wrong[:5]}"


def test_movements_are_what_happened(built: Built, oracle: tuple[str, Oracle]):
    preset, expected = oracle
    rows = ask(built.settings, OF_PRESET.format(table="int_revenue__ruled_movements", preset=preset))
    found: dict[tuple, float] = defaultdict(float)
    for _, customer, _, _, currency, moved_on, movement, _, _, change, _ in rows:
        if movement != "fx":
            found[customer, currency, moved_on, movement] += float(change)
    happened = {(*key, day, kind): change for key in expected.daily for day, kind, change in expected.movements(key) if abs(change) > 0.02}
    missing = {key: (found.get(key), change) for key, change in happened.items() if abs(found.get(key, 0.0) - change) > 0.0101}
    added = {key: change for key, change in found.items() if abs(change) > 0.02 and key not in happened}
    assert not missing and not added, f"missing {len(missing)}: {list(missing.items())[:4]}; added {len(added)}: {list(added.items())[:4]}"


def test_opening_and_movements_are_the_closing(built: Built, oracle: tuple[str, Oracle]):
    """Not by the gates' own SQL: month by month in exact decimals, in both currencies."""
    preset, _ = oracle
    closing: dict[tuple, list[tuple]] = defaultdict(list)
    for _, customer, _, _, currency, start, end, native, dollars in ask(
        built.settings, OF_PRESET.format(table="int_revenue__ruled_intervals", preset=preset)
    ):
        closing[customer, currency].append((start, end or date.max, native, dollars))
    moved: dict[tuple, list[tuple]] = defaultdict(list)
    for _, customer, _, _, currency, day, _, _, _, native, dollars in ask(
        built.settings, OF_PRESET.format(table="int_revenue__ruled_movements", preset=preset)
    ):
        moved[customer, currency].append((day, native, dollars))
    for key, ledger in closing.items():
        for day in month_ends():
            held = next(((native, dollars) for start, end, native, dollars in ledger if start <= day < end), (Decimal(0), Decimal(0)))
            summed = [sum((row[n] for row in moved[key] if row[0] <= day), Decimal(0)) for n in (1, 2)]
            assert list(held) == summed, (key, day)

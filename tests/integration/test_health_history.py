"""The daily health over runs: an override that a person enters, changes and takes back, and days past the retention. Neither computes a score again.

dbt alone builds the health models, on a copy of the demo's warehouse.
"""

from __future__ import annotations

import shutil
from datetime import date, timedelta

import duckdb
import pytest

from orchestration.content_hash import NOT_CONTENT, content_hash
from orchestration.dbt import Dbt
from orchestration.settings import Settings
from orchestration.window import make_window
from tests.integration.conftest import DemoRun

DAILY = "marts.fct_customer_health_daily"
OVERRIDE = [f"override_{name}" for name in ("band", "outlook", "reason", "author_hash", "set_on", "expires_on")]
SHOWN = f"select as_of_date, override_band, override_expires_on, health_band from {DAILY} where override_expires_on is not null order by as_of_date"


@pytest.fixture
def copied(demo: DemoRun, tmp_path) -> tuple[Settings, date]:
    settings = demo.settings.model_copy(update={"data_dir": tmp_path})
    shutil.copy(demo.settings.warehouse_path, settings.warehouse_path)
    return settings, demo.company.last_day


def build(settings: Settings, day: date, *models: str) -> None:
    """An ordinary run of the day, of these models."""
    window = make_window(day, day, newest=day, restatement_days=settings.restatement_days)
    assert window.compute_from > day - timedelta(days=10)
    outcomes = Dbt(settings).build(models, window, run_id="again", tests=False)
    assert outcomes and all(outcome.status == "success" for outcome in outcomes), outcomes


def ask(settings: Settings, sql: str) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        return connection.execute(sql).fetchall()


def held(settings: Settings, relation: str, *without: str) -> str:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return content_hash(connection, relation, exclude=(*NOT_CONTENT, *without))


def test_an_edited_override_reaches_past_days_and_no_score(copied):
    settings, day = copied
    computed, untouched = held(settings, DAILY, *OVERRIDE), held(settings, DAILY)
    ((customer,),) = ask(settings, f"select customer_id from {DAILY} group by all having count(*) > 100 order by all limit 1")
    begins, ends = day - timedelta(days=60), day - timedelta(days=50)
    row = f"'{customer}', date '{begins}', date '{{}}', 'green', null, 'jo@x.example', 'they told us'"

    ask(settings, f"insert into seeds.health_overrides values ({row.format(ends)})")
    build(settings, day, "fct_customer_health_daily")
    shown = ask(settings, SHOWN)
    assert [days for days, *_ in shown] == [begins + timedelta(days=number) for number in range(10)]
    assert {(band, until) for _, band, until, _ in shown} == {("green", ends)}
    assert held(settings, DAILY, *OVERRIDE) == computed

    ask(settings, f"update seeds.health_overrides set expires_on = date '{begins + timedelta(days=1)}'")
    build(settings, day, "fct_customer_health_daily")
    assert [days for days, *_ in ask(settings, SHOWN)] == [begins]

    ask(settings, "delete from seeds.health_overrides")
    build(settings, day, "fct_customer_health_daily")
    assert held(settings, DAILY) == untouched


def test_days_past_the_retention_are_dropped_and_the_others_stay(copied):
    settings, day = copied
    kept = [
        f"(select * from marts.{table} where as_of_date > date '{day}' - 60)"
        for table in ("fct_customer_health_daily", "fct_health_components_daily", "fct_adoption_daily")
    ]
    before, oldest = [held(settings, each) for each in kept], ask(settings, f"select min(as_of_date) from {DAILY}")
    health = ("intermediate.health", "marts.health", "fct_adoption_daily")

    build(settings.model_copy(update={"health_history_days": 0}), day, *health)
    assert ask(settings, f"select min(as_of_date) from {DAILY}") == oldest

    build(settings.model_copy(update={"health_history_days": 60}), day, *health)
    for table in ("fct_customer_health_daily", "fct_health_components_daily", "fct_adoption_daily"):
        assert ask(settings, f"select min(as_of_date) from marts.{table}") == [(day - timedelta(days=59),)]
    assert ask(settings, "select min(as_of_date) from intermediate.int_health__daily") == [(day - timedelta(days=150),)]
    assert [held(settings, each) for each in kept] == before


BOOKS = ["main.int_health__daily__identities", "main.fct_health_components_daily__identities"]


@pytest.mark.parametrize("lost", [*BOOKS, "intermediate.int_health__daily"])
def test_what_is_lost_is_computed_anew(copied, lost):
    """A warehouse in which nothing says on which identities its days rest, or of which the store is gone."""
    settings, day = copied
    tables = ("intermediate.int_health__daily", DAILY, "marts.fct_health_components_daily", "marts.fct_adoption_daily")
    before = {table: held(settings, table) for table in tables}
    customers = "select count(*) from intermediate.int_identities__customers"
    ask(settings, f"drop table {lost}")
    build(settings, day, "intermediate.health", "marts.health", "fct_adoption_daily")
    assert {table: held(settings, table) for table in tables} == before
    for table in tables:
        assert ask(settings, f"select count(identity_fingerprint) from main.{table.partition('.')[2]}__identities") == ask(settings, customers)

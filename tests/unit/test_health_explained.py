"""`csw health explain`: a score that was worked out by hand, taken apart again; who is meant, and days that are not there."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.gates import CheckResult, GateResult
from orchestration.health_explained import explain
from orchestration.publication_files import Table
from orchestration.publish import publish
from orchestration.published import PublicationError
from orchestration.settings import load_settings

TODAY, BEFORE = date(2024, 5, 1), date(2024, 4, 3)
# Then (40 × 80 + 40 × 90 + 20 × 70) ÷ 100 = 82; now, without sentiment, (40 × 50 + 40 × 90) ÷ 80 = 70. Of those that both days
# have it was (3,200 + 3,600) ÷ 80 = 85: −15 by what it did, and so +3 by data.
OVERRIDE = "'green', 'grow', 'moved to a\x1b[2J new office', '0123456789abcdef', date '2024-04-20', date '2024-06-01'"
NO_OVERRIDE = "null, null, null, null, null, null"
DAYS = f"""
    ('c1', date '{TODAY}', 70, 'yellow', 8, 0.8, 'renew', -1, -12, null, -15, 3, 0, null, {OVERRIDE}, 'smb', 'v1'),
    ('c1', date '{BEFORE}', 82, 'green', 9, 1, 'renew', null, null, null, null, null, null, null, {NO_OVERRIDE}, 'smb', 'v1'),
    ('c2', date '{TODAY}', null, null, null, 0.4, null, null, null, null, null, null, null, 'no data for support, sentiment', {NO_OVERRIDE},
        'smb', 'v1'),
    ('c6', date '{TODAY}', 70, 'yellow', 8, 0.8, 'renew', null, -20, null, 0, -20, 0, null, {NO_OVERRIDE}, 'smb', 'v1'),
    ('c7', date '{TODAY}', 25, 'red', 3, 0.8, 'churn_likely', null, -21, null, -7, -14, 0, null, {NO_OVERRIDE}, 'smb', 'v1')
"""
COMPONENTS = f"""
    ('c1', date '{TODAY}', 'usage', 50, 40, 25, 25, -7, true), ('c1', date '{TODAY}', 'support', 90, 40, 45, 5, 9, true),
    ('c1', date '{TODAY}', 'sentiment', null, 20, null, null, -14, false), ('c1', date '{BEFORE}', 'usage', 80, 40, 32, 8, null, null),
    ('c1', date '{BEFORE}', 'support', 90, 40, 36, 4, null, null), ('c1', date '{BEFORE}', 'sentiment', 70, 20, 14, 6, null, null),
    ('c2', date '{TODAY}', 'usage', 50, 40, null, null, null, null), ('c2', date '{TODAY}', 'support', null, 40, null, null, null, null),
    ('c6', date '{TODAY}', 'usage', 50, 40, 25, 25, -20, false), ('c6', date '{TODAY}', 'support', 90, 40, 45, 5, 0, true),
    ('c6', date '{BEFORE}', 'usage', 90, 40, 45, 5, null, null), ('c6', date '{BEFORE}', 'support', 90, 40, 45, 5, null, null),
    ('c7', date '{TODAY}', 'usage', 50, 40, 25, 25, -7, true), ('c7', date '{TODAY}', 'sentiment', null, 20, null, null, -14, false)
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    settings = load_settings(data_dir=tmp_path_factory.mktemp("health"))
    warehouse = settings.data_dir / "small.duckdb"
    number = "decimal(18,4)"
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create schema marts")
        con.execute("create table marts.dim_customers (customer_id varchar, customer_name varchar)")
        con.execute("insert into marts.dim_customers values ('c1', 'Acme'), ('c2', 'Acme Labs'), ('c3', 'Bolt'), ('c4', null), ('c5', 'Sly\x1b[2J')")
        con.execute("insert into marts.dim_customers values ('c6', 'Crate'), ('c7', 'Dune')")
        con.execute("create table marts.bridge_customer_identities (customer_id varchar, own_customer_id varchar)")
        con.execute(
            "insert into marts.bridge_customer_identities select customer_id, customer_id from marts.dim_customers union all values ('c2', 'former')"
        )
        con.execute(
            f"create table marts.fct_customer_health_daily (customer_id varchar, as_of_date date, health_score {number}, health_band varchar, "
            f"health_score_10 int, coverage {number}, outlook varchar, change_7d {number}, change_28d {number}, change_90d {number}, "
            f"change_from_behaviour {number}, change_from_data {number}, change_from_configuration {number}, unscored_because varchar, "
            "override_band varchar, override_outlook varchar, override_reason varchar, override_author_hash varchar, override_set_on date, "
            "override_expires_on date, tier varchar, definition_version varchar)"
        )
        con.execute(f"insert into marts.fct_customer_health_daily values {DAYS}")
        con.execute(
            "create table marts.fct_health_components_daily (customer_id varchar, as_of_date date, component varchar, "
            f"component_score {number}, weight {number}, score_contribution {number}, score_lost {number}, change_28d {number}, "
            "has_same_measures boolean)"
        )
        con.execute(f"insert into marts.fct_health_components_daily values {COMPONENTS}")
        con.execute(
            "create table marts.fct_adoption_daily (customer_id varchar, as_of_date date, active_users_28d bigint, features_28d bigint, "
            f"licence_use {number}, use_trend {number})"
        )
        con.execute(f"insert into marts.fct_adoption_daily values ('c1', '{TODAY}', 3, 6, 0.25, null), ('c1', '{BEFORE}', 12, 6, 1, 0.9)")
    names = ("bridge_customer_identities", "dim_customers", "fct_adoption_daily", "fct_customer_health_daily", "fct_health_components_daily")
    gate = GateResult("all", "marts", "marts/all", "passed", run_id="r1", checks=(CheckResult("volume", "volume", "critical", "passed", "8"),))
    publish(
        warehouse,
        settings.published_dir,
        run_id="r1",
        as_of_date=TODAY,
        tables=[Table.mart(name) for name in names],
        gate_results=[gate],
        required_gates={"marts/all": "r1"},
    )
    return settings


def test_what_the_components_moved_adds_up_to_the_change(settings):
    told = explain(settings, "c1")
    assert [(each.name, each.change) for each in told.components] == [("sentiment", -14), ("support", 9), ("usage", -7)]
    assert sum(each.change for each in told.components) == told.day["change_28d"] == Decimal(-12)
    assert [each.why for each in told.components] == [
        "lost its data",
        "others came, went or weigh otherwise",
        "score -30.00",
    ]


def test_a_score_that_moved_by_what_is_known_is_not_said_to_have_fallen_by_what_was_done(settings):
    assert {each.name: each.why for each in explain(settings, "c6").components} == {"usage": "score -40.00, measures came or went", "support": ""}


def test_a_day_that_is_no_longer_kept_is_not_taken_for_one_without_data(settings):
    told = explain(settings, "c7")
    assert [(each.name, each.change, each.why) for each in told.components] == [
        ("sentiment", -14, "no data"),
        ("usage", -7, "the day 28 days before is not kept"),
    ]


def test_without_a_score_on_both_days_nothing_is_said_of_change(settings):
    assert [each.why for each in explain(settings, "c1", BEFORE).components] == ["", "", ""]
    assert {each.name: each.why for each in explain(settings, "c2").components} == {"usage": "", "support": "no data"}


@pytest.mark.parametrize(("meant", "found"), [("c1", "c1"), ("former", "c2"), ("acme", "c1"), ("Labs", "c2")])
def test_a_customer_is_meant_by_id_of_today_or_before_by_name_or_by_a_part_of_it(settings, meant, found):
    assert explain(settings, meant).customer_id == found


@pytest.mark.parametrize(
    ("customer", "day", "said"),
    [
        ("cme", None, r"'cme' can be 2 customers: Acme \(c1\), Acme Labs \(c2\)"),
        ("x' or '1'='1", None, "there is no customer"),
        ("Bolt", None, "Bolt has no health: it has not paid"),
        ("sly", None, r"^Sly \[2J has no health"),
        ("Acme", date(2024, 4, 4), "Acme has no health on 2024-04-04: it has from 2024-04-03 to 2024-05-01"),
    ],
)
def test_what_is_not_there_is_said_in_a_line(settings, customer, day, said):
    with pytest.raises(PublicationError, match=said):
        explain(settings, customer, day)


def test_the_command_shows_score_parts_change_and_cause(settings, monkeypatch):
    monkeypatch.setenv("CSW_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "160")
    shown = CliRunner().invoke(app, ["health", "explain", "Acme"]).stdout
    assert "Score    70.00, yellow (8 of 10), outlook renew" in shown
    assert "Data     80% of the weights; weights of smb, version v1" in shown
    assert "Change   -1.00 in 7 days, -12.00 in 28 days\n" in shown
    assert "Why      -15.00 what it did, +3.00 data that came or went, +0.00 other weights (28 days)" in shown
    assert "Use      active users 12 → 3, seats in use 1.00 → 0.25, trend of events 0.90 → unknown\n" in shown
    assert "Drivers  usage -25.00, support -5.00 (points below 100)\n" in shown
    rows = [line.split() for line in shown.splitlines()]
    assert ["usage", "50.00", "40.00", "25.00", "32.00", "-7.00", "score", "-30.00"] in rows
    assert "no score: no data for support, sentiment" in CliRunner().invoke(app, ["health", "explain", "Labs", "--date", "2024-05-01"]).stdout


def test_a_persons_word_is_shown_as_it_is_published(settings, monkeypatch):
    """On its days only; who said so is a hash, and a reason cannot write over the terminal."""
    monkeypatch.setenv("CSW_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "100")
    shown = CliRunner().invoke(app, ["health", "explain", "Acme"]).stdout
    assert "Override band green, outlook grow from 2024-04-20 until 2024-06-01 by 0123456789ab: moved to a [2J new office\n" in shown
    assert "Override" not in CliRunner().invoke(app, ["health", "explain", "Acme", "--date", str(BEFORE)]).stdout

"""Single rules of recurring revenue can be overridden; a wrong one is one line that says what is valid, and the seed agrees."""

import csv

import pytest

from orchestration.metric_rules import CHOICES, DAYS, parse_overrides
from orchestration.settings import REPO, ConfigError, load_settings


def test_overrides_are_json_in_the_seeds_spelling():
    assert parse_overrides('{"churn_timing": "Request", "auto_churn_days": 60}') == {"auto_churn_days": "60", "churn_timing": "request"}
    assert parse_overrides("") == {} == parse_overrides({})
    assert parse_overrides({"auto_churn_days": "never"}) == {"auto_churn_days": "never"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("churn_timing=request", 'write it as JSON, like {"churn_timing": "request"}'),
        ('["churn_timing"]', "write it as JSON"),
        ('{"churn": "request"}', "'churn' is no rule; choose from discounts, past_due, paused, churn_timing"),
        ('{"churn_timing": "now"}', "churn_timing is period_end or request, not 'now'"),
        ('{"auto_churn_days": 0}', "auto_churn_days is a number of days from 1 to 3650 or never, not '0'"),
        ('{"grace_days": "never"}', "grace_days is a number of days from 0 to 31, not 'never'"),
        ('{"grace_days": 1.5}', "not '1.5'"),
    ],
)
def test_a_wrong_override_is_one_line(monkeypatch, tmp_path, text, expected):
    monkeypatch.setenv("CSW_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CSW_MRR_RULE_OVERRIDES", text)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    message = str(caught.value)
    assert message.startswith("CSW_MRR_RULE_OVERRIDES: ") and expected in message and "\n" not in message


def test_every_value_of_the_seed_is_valid_and_every_rule_is_seeded():
    with (REPO / "seeds" / "metric_rules.csv").open() as file:
        rows = list(csv.DictReader(file))
    known = {**CHOICES, **DAYS}
    for row in rows:
        if row["rule"] in known:
            assert parse_overrides({row["rule"]: row["value"]}) == {row["rule"]: row["value"]}
        else:
            assert row["preset"] == "house"
    presets = {row["preset"] for row in rows} - {"house"}
    by_preset = {(row["preset"], row["rule"]) for row in rows}
    assert by_preset >= {(preset, rule) for preset in presets for rule in (*CHOICES, "auto_churn_days")}
    assert {rule for preset, rule in by_preset if preset == "house"} >= {"grace_days", "draft_grace_days"}

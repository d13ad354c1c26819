"""A wrong setting stops at once with one line that names it; a secret is never shown."""

import pytest

from orchestration.settings import BUILT_IN_PII_KEY, ConfigError, load_settings


def refused(monkeypatch, **environment: str) -> str:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    return str(caught.value)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch, tmp_path):
    import os

    for name in list(os.environ):
        if name.startswith("CSW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CSW_DATA_DIR", str(tmp_path))


def test_everything_is_the_demo_by_default(tmp_path):
    settings = load_settings()
    assert settings.is_demo
    assert settings.present_domains == ["crm", "billing", "support", "product", "surveys"]
    assert settings.warehouse_path == tmp_path / "warehouse.duckdb"


def test_an_empty_list_makes_a_domain_absent(monkeypatch, tmp_path):
    monkeypatch.setenv("CSW_FILES_DIR", str(tmp_path))
    for domain in ("CRM", "SUPPORT", "PRODUCT", "SURVEY"):
        monkeypatch.setenv(f"CSW_{domain}_SOURCES", "")
    monkeypatch.setenv("CSW_BILLING_SOURCES", " Files ")
    settings = load_settings()
    assert settings.present_domains == ["billing"]
    assert not settings.is_demo


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"CSW_CRM_SOURCES": "stripe"}, "CSW_CRM_SOURCES: 'stripe' is not a source for crm; choose from hubspot"),
        ({"CSW_CRM_SOURCES": "salesforce"}, "not built yet"),
        ({"CSW_BILLING_SOURCES": "stripe"}, "needs CSW_STRIPE_API_KEY; set it"),
        ({"CSW_BILLING_SOURCES": "stripe:eu"}, "needs CSW_STRIPE_EU_API_KEY; set it"),
        ({"CSW_SURVEY_SOURCES": "files"}, "CSW_SURVEY_SOURCES names 'files', which needs CSW_FILES_DIR"),
        ({"CSW_STRIPE_API_KEY": "sk_live_canary\nX: y"}, "CSW_STRIPE_API_KEY: it holds a line break or another character that cannot be sent"),
        ({"CSW_HUBSPOT_API_KEY": "pat-canary…"}, "CSW_HUBSPOT_API_KEY: it holds a line break or another character that cannot be sent"),
        ({"CSW_WEBHOOK_URL": "https://h.example/canary\tx"}, "CSW_WEBHOOK_URL: it holds a line break"),
        (
            {"CSW_BILLING_SOURCES": "stripe:eu", "CSW_STRIPE_EU_API_KEY": "sk_canary…"},
            "CSW_STRIPE_EU_API_KEY holds a character that cannot be sent; copy it again",
        ),
        (
            {"CSW_BILLING_SOURCES": "sql", "CSW_SQL_DSN": "postgres//bob:canary@127.0.0.1:1/db"},
            "CSW_SQL_DSN can't be read; write it like postgresql://user:password@host:5432/database",
        ),
        ({"CSW_BILLING_SOURCES": "sql:eu", "CSW_SQL_EU_DSN": "postgresql://bob:canary@h:port/db"}, "CSW_SQL_EU_DSN can't be read"),
        ({"CSW_REPORTING_TIME_ZONE": "Mars/Base"}, "CSW_REPORTING_TIME_ZONE: 'Mars/Base' is not a time zone"),
        ({"CSW_REPORTING_CURRENCY": "dollar"}, "CSW_REPORTING_CURRENCY: this is no currency code of ISO 4217; write it like EUR (it is 'dollar')"),
        ({"CSW_REPORTING_CURRENCY": "XXQ"}, "CSW_REPORTING_CURRENCY: this is no currency code of ISO 4217"),
        ({"CSW_MEMORY_LIMIT": "4 GB"}, "CSW_MEMORY_LIMIT: write it like 4GB or 800MB (it is '4 GB')"),
        ({"CSW_CRM_SOURCES": "hubspott"}, "choose from hubspot, files, sql, demo"),
        ({"CSW_BILLING_SOURCES": "stripe:"}, "CSW_BILLING_SOURCES: 'stripe:' is not a source; write it like stripe, or stripe:eu"),
        ({"CSW_BILLING_SOURCES": "stripe:a b"}, "CSW_BILLING_SOURCES: 'stripe:a b' is not a source"),
        ({"CSW_CRM_SOURCES": "demo:eu"}, "CSW_CRM_SOURCES: 'demo:eu' is not a source"),
        ({"CSW_STRIPE_BASE_URL": "api.stripe.com/canary"}, "CSW_STRIPE_BASE_URL: it is no address of the web; write it like https://"),
        ({"CSW_ZENDESK_BASE_URL": "https://"}, "CSW_ZENDESK_BASE_URL: it is no address"),
        ({"CSW_WEBHOOK_URL": "hooks.example/canary"}, "CSW_WEBHOOK_URL: it is no address"),
        ({"CSW_DIGEST_WEBHOOK_URL": "https://h:port/canary"}, "CSW_DIGEST_WEBHOOK_URL: it is no address"),
        (
            {"CSW_BILLING_SOURCES": "stripe:eu", "CSW_STRIPE_EU_API_KEY": "sk", "CSW_STRIPE_EU_BASE_URL": "canary"},
            "CSW_STRIPE_EU_BASE_URL is no address of the web",
        ),
        ({"CSW_RESTATEMENT_DAYS": "-1"}, "CSW_RESTATEMENT_DAYS"),
        ({"CSW_MRR_RULES": "mine"}, "'chartmogul', 'stripe' or 'profitwell'"),
        ({"CSW_SCHEDULE": "nonsense"}, "CSW_SCHEDULE: this is no cron schedule of five fields; write it like 0 5 * * *"),
        ({"CSW_SCHEDULE": "* * * * * *"}, "CSW_SCHEDULE"),
        ({"CSW_SCHEDULE": "0 0 31 2 *"}, "CSW_SCHEDULE"),
        ({f"CSW_{domain}_SOURCES": "" for domain in ("CRM", "BILLING", "SUPPORT", "PRODUCT", "SURVEY")}, "name at least one source"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(monkeypatch, environment, expected):
    message = refused(monkeypatch, **environment)
    assert expected in message
    assert "canary" not in message
    assert len(message.splitlines()) == 1


def test_a_secret_may_end_with_the_line_break_of_its_file(monkeypatch):
    monkeypatch.setenv("CSW_STRIPE_API_KEY", "sk_live_x\r\n")
    monkeypatch.setenv("CSW_SQL_DSN", " postgresql://bob:pässwörd@h/db\n")
    settings = load_settings()
    assert settings.credential("stripe", "api_key") == "sk_live_x"
    assert settings.credential("sql", "dsn") == "postgresql://bob:pässwörd@h/db"


ADDRESSES = {
    "postgresql://bob:x@h:5432/db": True,
    "postgres://h": True,
    "postgresql:///db?host=/var/run/postgresql": True,
    "postgresql://bob:a%2Fb?c@h1:1,[::1]:2,h3/db?sslmode=require": True,
    "host=h port=5432 user=bob password='it''s' dbname=db": False,
    r"host=h port = 5432 user=bob password='it\'s port=x' dbname=db": True,
    "service=reporting": True,
    "postgres//bob:x@h:1/db": False,
    "mysql://bob:x@h:1/db": False,
    "postgresql://bob:x@h:port/db": False,
    "postgresql://bob:x@h:65536/db": False,
    "postgresql://bob:x@h:0/db": False,
    "postgresql://bob:a/b@h:1/db": False,
    "postgresql://bob:100%@h:1/db": False,
    "host=h port=port": False,
    "db": False,
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_is_taken_where_the_driver_could_read_it(address):
    from orchestration.domains import is_postgres_address

    assert is_postgres_address(address) == ADDRESSES[address]


@pytest.mark.parametrize("schedule", ["0 5 * * *", "*/15 8-18 * * mon-fri", "0 0 29 2 *", "0 5 * * 1#2", "@daily"])
def test_a_schedule_that_is_taken_is_one_that_dagster_takes(monkeypatch, schedule):
    from dagster._utils.schedules import is_valid_cron_schedule

    monkeypatch.setenv("CSW_SCHEDULE", schedule)
    assert is_valid_cron_schedule(load_settings().schedule)


def test_a_setting_that_is_set_to_nothing_is_not_set(monkeypatch, tmp_path):
    """An empty PII key would be a hash with no key. Not so the sources: there nothing means that the domain is absent."""
    from orchestration.settings import Settings

    untouched = load_settings()
    for name in Settings.model_fields:
        if not name.endswith("_sources") and name != "data_dir":
            monkeypatch.setenv(f"CSW_{name.upper()}", " " if name == "pii_key" else "")
    assert load_settings() == untouched
    assert load_settings().pii_key.get_secret_value() == BUILT_IN_PII_KEY
    monkeypatch.setenv("CSW_CRM_SOURCES", "")
    assert load_settings().present_domains == ["billing", "support", "product", "surveys"]


def test_nothing_in_the_environment_leaves_what_the_file_says(monkeypatch, tmp_path):
    (tmp_path / ".env").write_text("CSW_PII_KEY=ours\nCSW_FILES_DIR=\nCSW_SURVEY_SOURCES=\n")
    monkeypatch.setenv("CSW_PII_KEY", "")
    settings = load_settings(_env_file=tmp_path / ".env")
    assert settings.pii_key.get_secret_value() == "ours"
    assert settings.files_dir is None
    assert "surveys" not in settings.present_domains


def test_two_wrong_settings_are_two_lines(monkeypatch):
    message = refused(monkeypatch, CSW_MRR_RULES="mine", CSW_RESTATEMENT_DAYS="soon")
    assert len(message.splitlines()) == 2


def test_secrets_are_not_shown(monkeypatch):
    monkeypatch.setenv("CSW_STRIPE_API_KEY", "sk_canary_1")
    monkeypatch.setenv("CSW_SQL_DSN", "postgresql://me:canary_2@db/x")
    settings = load_settings()
    assert "canary" not in repr(settings)
    assert "canary" not in refused(monkeypatch, CSW_MRR_RULES="mine")
    assert settings.credential("stripe", "api_key") == "sk_canary_1"


def test_a_tenant_has_its_own_credentials(monkeypatch):
    monkeypatch.setenv("CSW_STRIPE_API_KEY", "main")
    monkeypatch.setenv("CSW_STRIPE_EU_API_KEY", "europe")
    monkeypatch.setenv("CSW_BILLING_SOURCES", "stripe,stripe:eu")
    settings = load_settings()
    assert settings.sources("billing") == ("stripe", "stripe:eu")
    assert settings.credential("stripe:eu", "api_key") == "europe"
    assert settings.credential("stripe:eu", "base_url") == "https://api.stripe.com"
    monkeypatch.setenv("CSW_STRIPE_EU_BASE_URL", "")
    assert settings.credential("stripe:eu", "base_url") == "https://api.stripe.com"
    monkeypatch.setenv("CSW_STRIPE_EU_API_KEY", " ")
    assert "needs CSW_STRIPE_EU_API_KEY; set it" in refused(monkeypatch)


def test_every_setting_is_in_the_example():
    from orchestration.settings import REPO, Settings

    example = (REPO / ".env.example").read_text()
    missing = [name for name in Settings.model_fields if f"#CSW_{name.upper()}=" not in example]
    assert not missing

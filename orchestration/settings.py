"""What can be set, where it comes from, and how a wrong value is reported.

Here belong the names, types and defaults of settings (environment variables with the prefix CSW_, or `.env`), and nothing that
uses them: clients get plain arguments. Secrets are SecretStr, so that no repr, log line or traceback shows them.
"""

from __future__ import annotations

import os
import re
from datetime import date
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from orchestration.currencies import CURRENCIES
from orchestration.domains import (
    DOMAINS,
    VENDORS,
    credential_variable,
    is_postgres_address,
    is_sendable,
    is_source_name,
    is_web_address,
    needed_credentials,
    source_setting,
)
from orchestration.metric_rules import parse_overrides

REPO = Path(__file__).resolve().parent.parent
# Keeps the demo's hashes equal on every machine. check-config warns as long as real data would be hashed with it.
BUILT_IN_PII_KEY = "customer-success-warehouse"

# A secret file ends with a line break: what sends it on would refuse it, and say it.
_SENT = ("hubspot_api_key", "stripe_api_key", "zendesk_email", "zendesk_api_key", "sql_dsn", "webhook_url", "digest_webhook_url")

SourceList = Annotated[tuple[str, ...], NoDecode]


class ConfigError(Exception):
    """A setting that is wrong: one line for each, naming the setting and how to mend it."""


class Settings(BaseSettings):
    """All settings. Field `x` is environment variable `CSW_X`; paths become absolute."""

    model_config = SettingsConfigDict(env_prefix="CSW_", env_file=REPO / ".env", extra="ignore", frozen=True)

    data_dir: Path = REPO / "data"
    target: Literal["duckdb", "spark"] = "duckdb"
    memory_limit: str = "4GB"

    crm_sources: SourceList = ("demo",)
    billing_sources: SourceList = ("demo",)
    support_sources: SourceList = ("demo",)
    product_sources: SourceList = ("demo",)
    survey_sources: SourceList = ("demo",)

    files_dir: Path | None = None
    sql_dsn: SecretStr | None = None
    sql_schema: str | None = None
    source_timezone: str | None = None
    hubspot_api_key: SecretStr | None = None
    hubspot_base_url: str = "https://api.hubapi.com"
    stripe_api_key: SecretStr | None = None
    stripe_base_url: str = "https://api.stripe.com"
    zendesk_email: str | None = None
    zendesk_api_key: SecretStr | None = None
    zendesk_base_url: str | None = None

    reporting_time_zone: str = "UTC"
    reporting_currency: str = "USD"
    restatement_days: int = Field(default=3, ge=0, le=366)
    mrr_rules: Literal["chartmogul", "stripe", "profitwell"] = "chartmogul"
    mrr_rule_overrides: Annotated[dict[str, str], NoDecode] = {}
    reconcile_days: int = Field(default=7, ge=1, le=366)
    health_history_days: int = Field(default=1100, ge=0)
    keep_versions: int = Field(default=7, ge=2, le=1000)
    pii_key: SecretStr = SecretStr(BUILT_IN_PII_KEY)
    webhook_url: SecretStr | None = None
    digest_webhook_url: SecretStr | None = None
    first_partition: date = date(2024, 1, 1)
    schedule: str = "0 5 * * *"

    demo_customers: int = Field(default=500, ge=1, le=20_000)
    demo_days: int = Field(default=540, ge=60, le=3_650)
    demo_seed: int = 7

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, _WithoutEmpty(env_settings), _WithoutEmpty(dotenv_settings), file_secret_settings

    @field_validator("crm_sources", "billing_sources", "support_sources", "product_sources", "survey_sources", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("mrr_rule_overrides", mode="before")
    @classmethod
    def _known_rules(cls, value: object) -> dict[str, str]:
        return parse_overrides(value)

    @field_validator(*_SENT, mode="before")
    @classmethod
    def _without_line_ends(cls, value: object, info: ValidationInfo) -> object:
        secret = value.get_secret_value() if isinstance(value, SecretStr) else value
        if isinstance(secret, str) and not is_sendable(info.field_name, secret := secret.strip()):
            raise ValueError("it holds a line break or another character that cannot be sent; copy it again")
        return secret

    @field_validator("data_dir", "files_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value.expanduser().resolve() if value is not None else None

    @field_validator("data_dir")
    @classmethod
    def _can_be_a_folder(cls, value: Path) -> Path:
        there = next(path for path in (value, *value.parents) if path.exists())
        if not there.is_dir():
            raise ValueError(f"{there} is a file; set it to a folder")
        return value

    @field_validator("memory_limit")
    @classmethod
    def _a_size(cls, value: str) -> str:
        if not re.fullmatch(r"[1-9]\d*(MB|GB)", value):
            raise ValueError("write it like 4GB or 800MB")
        return value

    @field_validator("reporting_currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        if value not in CURRENCIES:
            raise ValueError("this is no currency code of ISO 4217; write it like EUR")
        return value

    @field_validator("hubspot_base_url", "stripe_base_url", "zendesk_base_url", "webhook_url", "digest_webhook_url")
    @classmethod
    def _an_address(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        address = value.get_secret_value() if isinstance(value, SecretStr) else value
        if address is not None and not is_web_address(address):
            raise ValueError("it is no address of the web; write it like https://example.com")
        return value

    @field_validator("reporting_time_zone", "source_timezone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f"'{value}' is not a time zone of the IANA database; write it like Europe/Berlin")
        return value

    @field_validator("schedule")
    @classmethod
    def _known_schedule(cls, value: str) -> str:
        from croniter import croniter  # what Dagster's own parser is made from; Dagster itself would cost every command a second

        # strict: a day that never comes (31 February) is none; names like @daily are not looked through
        if not croniter.is_valid(value, strict=not value.startswith("@")) or len(croniter.expand(value)[0]) != 5:
            raise ValueError("this is no cron schedule of five fields; write it like 0 5 * * * (minute, hour, day of the month, month, weekday)")
        return value

    @model_validator(mode="after")
    def _sources_are_usable(self) -> Settings:
        for domain in DOMAINS:
            for name in self.sources(domain):
                vendor = name.partition(":")[0]
                if vendor not in VENDORS[domain]:
                    known = ", ".join(each for each in VENDORS[domain] if each != "salesforce")
                    raise ValueError(f"CSW_{source_setting(domain)}: '{vendor}' is not a source for {domain}; choose from {known}")
                if vendor == "salesforce":
                    raise ValueError("CSW_CRM_SOURCES: 'salesforce' is not built yet; use hubspot, files or sql")
                if not is_source_name(name) or name.startswith("demo:"):
                    told = "is not a source; write it like stripe, or stripe:eu for a second account (letters, digits, _ and -)"
                    raise ValueError(f"CSW_{source_setting(domain)}: '{name}' {told}")
                for needed in needed_credentials(name):
                    if self.credential(name, needed) is None:
                        raise ValueError(f"CSW_{source_setting(domain)} names '{name}', which needs {credential_variable(name, needed)}; set it")
                    if not is_sendable(needed, self.credential(name, needed)):
                        raise ValueError(f"{credential_variable(name, needed)} holds a character that cannot be sent; copy it again")
                    if needed == "dsn" and not is_postgres_address(self.credential(name, needed)):
                        told = "can't be read; write it like postgresql://user:password@host:5432/database"
                        raise ValueError(f"{credential_variable(name, needed)} {told}")
                address = self.credential(name, "base_url")
                if address is not None and not is_web_address(address):
                    raise ValueError(f"{credential_variable(name, 'base_url')} is no address of the web; write it like https://example.com")
        if not any(self.sources(domain) for domain in DOMAINS):
            raise ValueError("every CSW_…_SOURCES is empty: name at least one source, for example CSW_BILLING_SOURCES=files")
        return self

    def sources(self, domain: str) -> tuple[str, ...]:
        """Names (`vendor` or `vendor:tenant`) of the sources of one domain; empty = the domain is absent."""
        return getattr(self, source_setting(domain).lower())

    def credential(self, name: str, what: str) -> str | None:
        """A source's own value, e.g. ('stripe:eu', 'api_key') is CSW_STRIPE_EU_API_KEY; without a tenant CSW_STRIPE_API_KEY."""
        vendor, _, tenant = name.partition(":")
        value = os.environ.get(credential_variable(name, what), "").strip() or None if tenant else getattr(self, f"{vendor}_{what}", None)
        if value is None and tenant and what in ("base_url", "schema"):
            value = getattr(self, f"{vendor}_{what}", None)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        return str(value) if value not in (None, "") else None

    @property
    def present_domains(self) -> list[str]:
        return [domain for domain in DOMAINS if self.sources(domain)]

    @property
    def is_demo(self) -> bool:
        """Time is the demo's own as soon as one domain comes from it."""
        return any("demo" in self.sources(domain) for domain in DOMAINS)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.reporting_time_zone)

    @property
    def lake_dir(self) -> Path:
        return self.data_dir / "lake"

    @property
    def quarantine_dir(self) -> Path:
        return self.data_dir / "quarantine"

    @property
    def warehouse_path(self) -> Path:
        return self.data_dir / "warehouse.duckdb"

    @property
    def published_dir(self) -> Path:
        return self.data_dir / "published"

    @property
    def docs_dir(self) -> Path:
        return self.data_dir / "docs"

    @property
    def dagster_home(self) -> Path:
        return self.data_dir / "dagster"


class _WithoutEmpty(PydanticBaseSettingsSource):
    """The environment or `.env` without what is set to nothing there, which counts as not set: an empty PII key would hash with no key at all.

    Only an empty list of sources means something: the domain is absent. (env_ignore_empty of pydantic-settings would drop that, too.)
    """

    def __init__(self, source: PydanticBaseSettingsSource) -> None:
        super().__init__(source.settings_cls)
        self._source = source

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[object, str, bool]:
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, object]:
        return {name: value for name, value in self._source().items() if name.endswith("_sources") or not isinstance(value, str) or value.strip()}


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and `.env`.

    Raises ConfigError with one line per wrong setting: its name, what is wrong, how to mend it.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        raise ConfigError("\n".join(_line(problem) for problem in error.errors(include_url=False))) from None


def _line(problem: dict) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return message
    name = "CSW_" + str(problem["loc"][0]).upper()
    shown = "" if any(word in name for word in ("KEY", "DSN", "URL")) else f" (it is {problem['input']!r})"
    return f"{name}: {message}{shown}"

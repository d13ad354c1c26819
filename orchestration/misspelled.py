"""Variables that look like settings and are none: a mistyped name would leave the default, and say nothing."""

from __future__ import annotations

import os
from difflib import get_close_matches

from dotenv import dotenv_values

from orchestration.domains import DOMAINS, credential_variable
from orchestration.settings import REPO, Settings

# Set by the product for its own processes, or by tests.
_INTERNAL = {"CSW_EVENT_LOG_DIR", "CSW_WAREHOUSE_PATH", "CSW_ENGINE_THREADS", "CSW_SPARK_MASTER"}


def unknown_settings(settings: Settings) -> dict[str, str | None]:
    """Names with CSW_ in the environment and `.env` that nothing reads, each with the setting that may be meant."""
    known = {f"CSW_{field.upper()}" for field in Settings.model_fields}
    for name in {name for domain in DOMAINS for name in settings.sources(domain)}:
        known |= {credential_variable(name, what) for what in ("api_key", "base_url", "dir", "dsn", "email", "schema")}
    there = {name.upper() for name in (*os.environ, *dotenv_values(REPO / ".env"))}
    unknown = sorted(name for name in there - known - _INTERNAL if name.startswith("CSW_"))
    return {name: next(iter(get_close_matches(name, sorted(known), 1)), None) for name in unknown}

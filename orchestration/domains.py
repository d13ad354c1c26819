"""The domains of data, the vendors that can deliver each, and what the settings of a source are called. Names only."""

from __future__ import annotations

DOMAINS = ("crm", "billing", "support", "product", "surveys")
VENDORS = {
    "crm": ("hubspot", "salesforce", "files", "sql", "demo"),
    "billing": ("stripe", "files", "sql", "demo"),
    "support": ("zendesk", "files", "sql", "demo"),
    "product": ("files", "sql", "demo"),
    "surveys": ("files", "sql", "demo"),
}
_NEEDED = {
    "files": ("dir",),
    "sql": ("dsn",),
    "stripe": ("api_key",),
    "hubspot": ("api_key",),
    "zendesk": ("api_key", "base_url", "email"),
}


def needed_credentials(name: str) -> tuple[str, ...]:
    """What a source (`vendor` or `vendor:tenant`) cannot do without."""
    return _NEEDED.get(name.partition(":")[0], ())


def is_sendable(what: str, credential: str) -> bool:
    """Whether a credential is one line, and a key or an address holds only what a header of a request can."""
    return credential.isprintable() and (not what.endswith(("api_key", "email")) or all(ord(character) < 256 for character in credential))


def source_setting(domain: str) -> str:
    """crm → CRM_SOURCES; the one irregular plural is surveys → SURVEY_SOURCES."""
    return f"{domain.removesuffix('s') if domain == 'surveys' else domain}_sources".upper()


def credential_variable(name: str, what: str) -> str:
    """The environment variable of a source's value: ('stripe:eu', 'api_key') → CSW_STRIPE_EU_API_KEY."""
    return "CSW_" + "_".join((*name.split(":"), what)).upper()

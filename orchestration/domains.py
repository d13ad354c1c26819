"""The domains of data, the vendors that can deliver each, and what the settings of a source are called. Names only."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

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
# What libpq reads: an address (the password ends at the first @, and holds no /; hosts may be several), or pairs like host=h port=5432.
_HOST = r"(?:\[[^\]]+\]|[^:/?,\[\]]*)(?::\d*)?"
_ADDRESS = re.compile(rf"postgres(?:ql)?://(?:[^@/]*@)?({_HOST}(?:,{_HOST})*)(?:[/?].*)?")
_PAIR = r"(\w+)\s*=\s*('(?:\\.|[^'\\])*'|[^\s']\S*)(?:\s+|$)"


def needed_credentials(name: str) -> tuple[str, ...]:
    """What a source (`vendor` or `vendor:tenant`) cannot do without."""
    return _NEEDED.get(name.partition(":")[0], ())


def is_sendable(what: str, credential: str) -> bool:
    """Whether a credential is one line, and a key or an address holds only what a header of a request can."""
    return credential.isprintable() and (not what.endswith(("api_key", "email")) or all(ord(character) < 256 for character in credential))


def is_web_address(address: str) -> bool:
    """Whether a request could be sent there: not whether anybody answers."""
    try:
        parts = urlsplit(address)
        return parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0 and not re.search(r"\s", address)
    except ValueError:  # a port or a host in brackets that is none
        return False


def is_source_name(name: str) -> bool:
    """Whether it is a vendor, or vendor:tenant with a tenant that can stand in a variable's and in a folder's name."""
    return re.fullmatch(r"\w+(:[a-z0-9_-]+)?", name) is not None


def is_postgres_address(dsn: str) -> bool:
    """Whether PostgreSQL's driver could read it, found without loading the driver: not whether anybody answers there."""
    if address := _ADDRESS.fullmatch(dsn):
        ports = re.findall(r":(\d+)(?=,|$)", address[1])
        return not re.search(r"%(?![0-9A-Fa-f]{2})", dsn) and all(_is_port(port) for port in ports)
    if not re.fullmatch(rf"\s*(?:{_PAIR})+", dsn):
        return False
    ports = [value.strip("'") for name, value in re.findall(_PAIR, dsn) if name == "port"]
    return all(_is_port(port) for several in ports for port in several.split(",") if port)


def _is_port(port: str) -> bool:
    return port.isdecimal() and 0 < int(port) < 65_536


def source_setting(domain: str) -> str:
    """crm → CRM_SOURCES; the one irregular plural is surveys → SURVEY_SOURCES."""
    return f"{domain.removesuffix('s') if domain == 'surveys' else domain}_sources".upper()


def credential_variable(name: str, what: str) -> str:
    """The environment variable of a source's value: ('stripe:eu', 'api_key') → CSW_STRIPE_EU_API_KEY."""
    return "CSW_" + "_".join((*name.split(":"), what)).upper()

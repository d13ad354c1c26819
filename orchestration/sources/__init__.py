"""Clients of the systems that the pipeline reads: pure, one module a vendor, without Dagster and without settings.

Here belongs the registry: which client serves which vendor. A new vendor is a module, a contract (models/staging/<vendor>) and an entry
here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from orchestration.sources.base import ContractError, Page, Source, SourceError, SourceSpec, TransientSourceError, Window

if TYPE_CHECKING:
    from orchestration.contracts import Contract, Contracts

__all__ = ["ContractError", "Page", "Source", "SourceError", "SourceSpec", "TransientSourceError", "Window", "open_source"]

Tables = Mapping[str, "Contract"]  # the contracts of the tables that a source is to deliver


def open_source(spec: SourceSpec, contracts: Contracts | None = None) -> Source:
    """The client for `spec`, opened but not yet asked anything.

    `contracts` are all contracts by (vendor, table) (read from the YAML if not given); the source delivers those of its domains.
    Raises SourceError in one line if the vendor is unknown or something that it needs is missing.
    """
    from orchestration.contracts import load_contracts

    opener = OPENERS.get(spec.vendor)
    if opener is None:
        raise SourceError(f"'{spec.vendor}' is not a source; choose from {', '.join(OPENERS)}")
    everything = load_contracts() if contracts is None else contracts
    return opener(spec, {table: c for (vendor, table), c in everything.items() if vendor == spec.contract and c.domain in spec.domains})


def _stripe(spec: SourceSpec, tables: Tables) -> Source:
    from orchestration.sources.http import Bearer, Http
    from orchestration.sources.stripe import Stripe
    from orchestration.sources.stripe_events import API_VERSION

    auth = Bearer(_needed(spec, "api_key").get_secret_value())
    http = Http(_title(spec), spec.base_url or "https://api.stripe.com", auth, headers={"Stripe-Version": API_VERSION})
    return Stripe(http, spec.source_relation, tables, now=spec.now)


def _hubspot(spec: SourceSpec, tables: Tables) -> Source:
    from orchestration.sources.http import Bearer, Http
    from orchestration.sources.hubspot import HubSpot

    auth = Bearer(_needed(spec, "api_key").get_secret_value())
    return HubSpot(Http(_title(spec), spec.base_url or "https://api.hubapi.com", auth), spec.source_relation, tables)


def _zendesk(spec: SourceSpec, tables: Tables) -> Source:
    from requests.auth import HTTPBasicAuth

    from orchestration.sources.http import Http
    from orchestration.sources.zendesk import Zendesk

    auth = HTTPBasicAuth(f"{_needed(spec, 'email')}/token", _needed(spec, "api_key").get_secret_value())
    return Zendesk(Http(_title(spec), _needed(spec, "base_url"), auth), spec.source_relation, tables)


def _files(spec: SourceSpec, tables: Tables) -> Source:
    from orchestration.sources.files import open_files

    return open_files(spec, tables)


def _sql(spec: SourceSpec, tables: Tables) -> Source:
    from orchestration.sources.sql import Sql

    dsn = _needed(spec, "dsn").get_secret_value()
    return Sql(dsn, spec.source_relation, tables, schema=spec.schema, time_zone=spec.time_zone)


def _salesforce(spec: SourceSpec, tables: Tables) -> Source:
    raise SourceError("salesforce can't be read yet: until its client is built, bring its tables through 'files' or 'sql'")


OPENERS: dict[str, Callable[[SourceSpec, Tables], Source]] = {
    "hubspot": _hubspot,
    "salesforce": _salesforce,  # its place: orchestration/sources/salesforce.py and models/staging/salesforce
    "stripe": _stripe,
    "zendesk": _zendesk,
    "files": _files,
    "sql": _sql,
}


def _title(spec: SourceSpec) -> str:
    return spec.source_relation.capitalize()


def _needed(spec: SourceSpec, name: str):
    value = getattr(spec, name)
    if value is None:
        variable = "_".join(part for part in ("CSW", spec.vendor, spec.tenant, name) if part).upper()
        raise SourceError(f"{spec.source_relation} needs {name.replace('_', ' ')}; set {variable}")
    return value

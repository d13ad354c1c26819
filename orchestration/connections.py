"""From settings to open sources.

Here belongs which clients a run needs and what they are given, the demo company's servers included; not what is done with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from pydantic import SecretStr

from orchestration.settings import Settings
from orchestration.sources import open_source
from orchestration.sources.base import Source, SourceSpec
from orchestration.window import WindowError, end_of_day

DEMO_VENDORS = {"crm": "hubspot", "billing": "stripe", "support": "zendesk", "product": "files", "surveys": "files"}


def source_specs(settings: Settings) -> list[SourceSpec]:
    """One spec per vendor and tenant, with all the domains that it serves; the demo's under the vendors it plays."""
    return [*_real_specs(settings), *_demo_specs(settings)]


@contextmanager
def open_sources(settings: Settings, day: date) -> Iterator[list[Source]]:
    """All configured sources, as they are at the end of `day`. The demo's servers run as long as the block does."""
    sources = [open_source(spec) for spec in _real_specs(settings)]
    try:
        demo_domains = [domain for domain in settings.present_domains if "demo" in settings.sources(domain)]
        if not demo_domains:
            yield sources
            return
        with _demo(settings, demo_domains, day) as demo_sources:
            yield [*sources, *demo_sources]
    finally:
        for source in sources:
            source.close()


def check_sources(settings: Settings) -> None:
    """Open every configured source without pulling: raises SourceError with what is missing."""
    for spec in _real_specs(settings):
        open_source(spec).close()


def _real_specs(settings: Settings) -> list[SourceSpec]:
    domains: dict[str, list[str]] = defaultdict(list)
    for domain in settings.present_domains:
        for name in settings.sources(domain):
            if name != "demo":
                domains[name].append(domain)
    return [_spec(settings, name, tuple(served)) for name, served in domains.items()]


def _spec(settings: Settings, name: str, domains: tuple[str, ...]) -> SourceSpec:
    vendor, _, tenant = name.partition(":")
    key, dsn = settings.credential(name, "api_key") if vendor not in ("files", "sql") else None, None
    if vendor == "sql":
        dsn = settings.credential(name, "dsn")
    return SourceSpec(
        vendor=vendor,
        domains=domains,
        tenant=tenant or None,
        base_url=settings.credential(name, "base_url") if vendor not in ("files", "sql") else None,
        email=settings.credential(name, "email") if vendor == "zendesk" else None,
        api_key=SecretStr(key) if key else None,
        dsn=SecretStr(dsn) if dsn else None,
        schema=settings.credential(name, "schema") if vendor == "sql" else None,
        path=Path(settings.credential(name, "dir")) if vendor == "files" else None,
        time_zone=settings.source_timezone,
    )


def _demo_specs(settings: Settings) -> list[SourceSpec]:
    """What the demo plays, without addresses: enough to know the tables."""
    served: dict[str, list[str]] = defaultdict(list)
    for domain in settings.present_domains:
        if "demo" in settings.sources(domain):
            served[DEMO_VENDORS[domain]].append(domain)
    return [SourceSpec(vendor=vendor, domains=tuple(domains)) for vendor, domains in served.items()]


@contextmanager
def _demo(settings: Settings, domains: list[str], day: date) -> Iterator[list[Source]]:
    """The vendors that the demo plays, as they answer at the end of `day`; product and surveys come as dropped files."""
    company = demo_company(settings)
    last = company.last_day + timedelta(days=company.horizon)
    if not company.first_day <= day <= last:
        raise WindowError(f"the demo company's story runs from {company.first_day} to {last}: {day} is not in it")
    with company.serve(clock=end_of_day(day, settings.zone)) as server:
        sources = []
        for spec in _demo_specs(settings):
            if spec.vendor == "files":
                spec = replace(spec, path=_drop(settings, company, spec.domains, day))
            else:
                spec = replace(spec, base_url=server.base_urls[spec.vendor], **server.credentials[spec.vendor])
            sources.append(open_source(spec))
        yield sources


def demo_company(settings: Settings):
    return _generate(settings.demo_customers, settings.demo_days, settings.demo_seed)


@lru_cache(maxsize=1)
def _generate(customers: int, days: int, seed: int):
    from orchestration.sources.demo import DemoCompany

    return DemoCompany.generate(customers=customers, days=days, seed=seed)


def demo_next_day(settings: Settings, newest: date | None) -> date:
    """The day that a demo run without a date covers: first all of its history, then one more day each time."""
    return newest + timedelta(days=1) if newest else demo_company(settings).last_day


def _drop(settings: Settings, company, domains: tuple[str, ...], day: date) -> Path:
    """The demo's drop folder, brought up to `day`: new files for what is new."""
    folder = settings.data_dir / "demo"
    mark = folder / "until"
    until = date.fromisoformat(mark.read_text()) if mark.exists() else None
    if until is None or until < day:
        company.write_files(folder, until=day, since=until, domains=domains)
        mark.write_text(day.isoformat())
    return folder

"""From settings to open sources.

Here belongs which clients a run needs and what they are given, the demo company's servers included; not what is done with them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from orchestration.settings import Settings
from orchestration.sources import open_source
from orchestration.sources.base import Source, SourceSpec
from orchestration.sources.demo.calendar import FIRST_DAY, HORIZON, last_day
from orchestration.window import WindowError, end_of_day

if TYPE_CHECKING:
    from orchestration.sources.demo.process import DemoRequest

DEMO_VENDORS = {"crm": "hubspot", "billing": "stripe", "support": "zendesk", "product": "files", "surveys": "files"}


def source_specs(settings: Settings) -> list[SourceSpec]:
    """One spec per vendor and tenant, with all the domains that it serves; the demo's under the vendors it plays."""
    return [*_real_specs(settings), *_demo_specs(settings)]


@contextmanager
def open_sources(settings: Settings, day: date) -> Iterator[list[Source]]:
    """All configured sources, as they are at the end of `day`."""
    sources = [open_source(spec) for spec in _real_specs(settings)]
    try:
        demo_domains = [domain for domain in settings.present_domains if "demo" in settings.sources(domain)]
        if demo_domains:
            sources.extend(_demo(settings, demo_domains, day))
        yield sources
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


def begin_demo(settings: Settings, day: date) -> None:
    """Let the demo company get ready for `day`, if one of the sources is the demo, without waiting for it."""
    domains = [domain for domain in settings.present_domains if "demo" in settings.sources(domain)]
    if domains:
        from orchestration.sources.demo.process import demo_process

        demo_process.begin(_demo_request(settings, domains, day))


def _demo(settings: Settings, domains: list[str], day: date) -> Iterator[Source]:
    """The vendors that the demo plays, as they answer at the end of `day`; product and surveys come as dropped files."""
    from orchestration.sources.demo.process import demo_process

    request = _demo_request(settings, domains, day)
    [answer] = demo_process.ask(request)
    for spec in _demo_specs(settings):
        if spec.vendor == "files":
            yield open_source(replace(spec, path=request.folder))
        else:
            yield open_source(replace(spec, base_url=answer.base_urls[spec.vendor], now=request.clock, **answer.credentials[spec.vendor]))


def _demo_request(settings: Settings, domains: list[str], day: date) -> DemoRequest:
    from orchestration.sources.demo.process import DemoRequest

    last = last_day(settings.demo_days) + timedelta(days=HORIZON)
    if not FIRST_DAY <= day <= last:
        raise WindowError(f"the demo company's story runs from {FIRST_DAY} to {last}: {day} is not in it")
    return DemoRequest(
        customers=settings.demo_customers,
        days=settings.demo_days,
        seed=settings.demo_seed,
        clock=end_of_day(day, settings.zone),
        folder=settings.data_dir / "demo",
        domains=tuple(domain for domain in domains if DEMO_VENDORS[domain] == "files"),
        day=day,
    )


def demo_next_day(settings: Settings, newest: date | None) -> date:
    """The day that a demo run without a date covers: first all of its history, then one more day each time."""
    return newest + timedelta(days=1) if newest else last_day(settings.demo_days)

"""The demo company in a process of its own, as its vendors would be: it answers while the pipeline asks.

Here belongs bringing it to a moment; what it says is company.py's, the addresses it listens at are server.py's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from orchestration.companion import Companion, Tell


@dataclass(frozen=True)
class DemoRequest:
    """Which company, and what it shows: the APIs up to `clock` (UTC), `domains` as files in `folder` up to the end of `day`."""

    customers: int
    days: int
    seed: int
    clock: datetime
    folder: Path
    domains: tuple[str, ...]
    day: date


@dataclass(frozen=True)
class DemoAnswer:
    """By vendor: where it listens, and what its client must show."""

    base_urls: dict[str, str]
    credentials: dict[str, dict[str, Any]]


_now: dict[tuple[int, int, int], Any] = {}  # the company that is served, in the process that serves it


def _show(tell: Tell, request: DemoRequest) -> None:
    company, server = _served(request)
    server.set_clock(request.clock)
    if request.domains:
        _drop(company, request)
    tell(DemoAnswer(server.base_urls, server.credentials))


demo_process = Companion(_show, "the demo company")


def _served(request: DemoRequest):
    from orchestration.sources.demo.company import DemoCompany

    key = (request.customers, request.days, request.seed)
    if key not in _now:
        for _, other in _now.values():
            other.__exit__()
        _now.clear()
        company = DemoCompany.generate(customers=request.customers, days=request.days, seed=request.seed)
        _now[key] = company, company.serve(clock=request.clock).__enter__()
    return _now[key]


def _drop(company: Any, request: DemoRequest) -> None:
    """The drop folder, brought up to the day: new files for what is new."""
    mark = request.folder / "until"
    until = date.fromisoformat(mark.read_text()) if mark.exists() else None
    if until is None or until < request.day:
        company.write_files(request.folder, until=request.day, since=until, domains=request.domains)
        mark.write_text(request.day.isoformat())

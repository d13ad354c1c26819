"""One whole run of a small demo company, shared by the tests that look at what came out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import duckdb
import pytest

from orchestration import published
from orchestration.execution import RunResult, execute
from orchestration.settings import Settings, load_settings
from orchestration.sources.demo.calendar import last_day
from orchestration.sources.demo.company import DemoCompany

SMALL = {"demo_customers": 60, "demo_days": 200}


@lru_cache(maxsize=2)
def _company(customers: int, days: int, seed: int) -> DemoCompany:
    return DemoCompany.generate(customers=customers, days=days, seed=seed)


@dataclass
class DemoRun:
    settings: Settings
    result: RunResult

    @property
    def company(self):
        return _company(self.settings.demo_customers, self.settings.demo_days, self.settings.demo_seed)

    @contextmanager
    def warehouse(self) -> Iterator[duckdb.DuckDBPyConnection]:
        connection = duckdb.connect(str(self.settings.warehouse_path), read_only=True)
        try:
            yield connection
        finally:
            connection.close()

    def ask(self, sql: str) -> list[tuple]:
        return published.query(self.settings.published_dir, sql).rows


def run_demo(folder: Path, **overrides) -> DemoRun:
    settings = load_settings(data_dir=folder, **{**SMALL, **overrides})
    last = last_day(settings.demo_days)
    return DemoRun(settings, execute(settings, last, last))


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> DemoRun:
    run = run_demo(tmp_path_factory.mktemp("demo"))
    assert run.result.exit_code == 0, run.result.reasons
    return run

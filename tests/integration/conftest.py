"""One whole run of a small demo company, shared by the tests that look at what came out of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from orchestration import published
from orchestration.connections import demo_company
from orchestration.execution import RunResult, execute
from orchestration.settings import Settings, load_settings

SMALL = {"demo_customers": 60, "demo_days": 200}


@dataclass
class DemoRun:
    settings: Settings
    result: RunResult

    @property
    def company(self):
        return demo_company(self.settings)

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
    last_day = demo_company(settings).last_day
    return DemoRun(settings, execute(settings, last_day, last_day))


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> DemoRun:
    run = run_demo(tmp_path_factory.mktemp("demo"))
    assert run.result.exit_code == 0, run.result.reasons
    return run

"""A company that has only some of the five domains: each pair of them, and each alone, through `files` (`make test-domains`).

Fifteen whole runs are more than CI has time for; support, product and billing alone are in tests/integration.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations
from pathlib import Path

import pytest

from orchestration import published
from orchestration.domains import DOMAINS
from orchestration.execution import DONE, execute
from orchestration.sources.demo.company import DemoCompany
from tests.integration.test_runs import assert_nothing_made_up, files_settings

LAST_DAY = date(2024, 10, 26)  # 300 days from 2024-01-01


@pytest.fixture(scope="module")
def drop(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drop")
    DemoCompany.generate(customers=40, days=300).write_files(folder, until=LAST_DAY)
    return folder


@pytest.mark.parametrize("domains", [*combinations(DOMAINS, 1), *combinations(DOMAINS, 2)], ids="-".join)
def test_any_one_or_two_domains_are_published(domains, drop, tmp_path):
    settings = files_settings(tmp_path, drop, *domains)
    result = execute(settings, LAST_DAY, LAST_DAY)
    assert result.exit_code == DONE, result.reasons
    assert_nothing_made_up(lambda sql: published.query(settings.published_dir, sql).rows, domains)

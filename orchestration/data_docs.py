"""GX Data Docs: the suites and how they ended, as static pages, rendered by GX itself.

Here belongs turning kept results back into GX's; they carry counts only, so the pages hold no customer data either.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orchestration.gates import CheckResult, GateResult, SuiteError, load_suite

SITE = "gates"
COUNTED = re.compile(r"(\d+) of (\d+) rows")  # as gx_checks.py writes it


def build_data_docs(results: Sequence[GateResult], out_dir: Path) -> Path:
    """Write the pages of these gates (of one run) below `out_dir`; returns index.html. dbt's gates have no suite and are left out."""
    context = _new_context()
    from great_expectations.core import RunIdentifier
    from great_expectations.data_context.types.resource_identifiers import ExpectationSuiteIdentifier, ValidationResultIdentifier

    shutil.rmtree(out_dir, ignore_errors=True)
    out_dir.mkdir(parents=True)
    context.add_data_docs_site(
        SITE,
        {
            "class_name": "SiteBuilder",
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(out_dir)},
            "show_how_to_buttons": False,
        },
    )
    at = datetime.now(UTC)
    for result in results:
        suite = _suite_of(result)
        if suite is None:
            continue
        run = RunIdentifier(run_name=result.run_id or "run", run_time=at)
        identifier = ExpectationSuiteIdentifier(name=suite.name)
        context.suites.add(suite)
        key = ValidationResultIdentifier(expectation_suite_identifier=identifier, run_id=run, batch_identifier=result.asset)
        context.validation_results_store.set(key, _validation(result, suite, run, at))
    context.build_data_docs(site_names=[SITE])
    return out_dir / "index.html"


def _new_context() -> Any:
    """GX as gx_duckdb imports it: that module has to come before GX itself, or GX imports what we never reach, and warns."""
    from orchestration.gx_duckdb import new_context

    return new_context()


def _suite_of(result: GateResult) -> Any | None:
    from great_expectations.core import ExpectationSuite

    try:
        suite = load_suite(result.layer, result.asset)
    except SuiteError:
        return None
    return ExpectationSuite(name=result.suite.replace("/", "."), expectations=suite["expectations"], meta=suite.get("meta"))


def _validation(result: GateResult, suite: Any, run: Any, at: datetime) -> Any:
    """GX's result for a gate. A gate that saw no rows or raised has one check for the whole suite: it stands for each expectation."""
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult

    configurations = suite.expectation_configurations
    checks = list(result.checks)
    if len(checks) != len(configurations):
        checks = [checks[0]] * len(configurations) if checks else []
    evaluated = [
        ExpectationValidationResult(
            success=check.outcome == "passed",
            expectation_config=configuration,
            result=_numbers(check),
            exception_info={
                "raised_exception": check.outcome in ("errored", "not_run"),
                "exception_message": check.observed,
                "exception_traceback": None,
            },
        )
        for check, configuration in zip(checks, configurations, strict=False)
    ]
    passed = sum(1 for each in evaluated if each.success)
    share = 100 * passed / len(evaluated) if evaluated else None
    return ExpectationSuiteValidationResult(
        success=result.outcome == "passed",
        results=evaluated,
        suite_name=suite.name,
        statistics={
            "evaluated_expectations": len(evaluated),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(evaluated) - passed,
            "success_percent": share,
        },
        meta={"run_id": run, "validation_time": at, "outcome": result.outcome, "asset": result.asset},
    )


def _numbers(check: CheckResult) -> dict[str, Any]:
    """What GX's pages show of a check: its share of failing rows where rows were counted, else what was observed."""
    counted = COUNTED.fullmatch(check.observed or "")
    if counted is None:
        return {"observed_value": check.observed or check.outcome}
    unexpected, rows = int(counted[1]), int(counted[2])
    percent = 100 * unexpected / rows if rows else 0.0
    return {"element_count": rows, "unexpected_count": unexpected, "unexpected_percent": percent, "partial_unexpected_list": []}

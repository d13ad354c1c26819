"""From GX's results to checks: which failed, which only raised, how many rows, in words without data.

Here belongs reading GX's results; not what outcome a gate has from its checks (gates.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orchestration.gates import NO_CEILING, CheckResult, Outcome, SuiteError, first_line

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult

    from orchestration.gx_duckdb import SuiteEngine

ROW_COUNT = "expect_table_row_count_to_be_between"
ROWS_OF_A_QUERY = "unexpected_rows_expectation"
COLUMNS = ("column", "column_list", "column_set", "column_A", "column_B")
POSITION = "position"


def checks_from(engine: SuiteEngine, suite: Mapping[str, Any], query: str, values: dict[str, Any], rows: int) -> list[CheckResult]:
    """All checks of a suite, in its order.

    Failing rows are counted in a second pass, over what failed: without counts the first pass costs little more than half.
    """
    expectations = suite["expectations"]
    verdicts = _validate(engine, expectations, range(len(expectations)), query, values, counts=False)
    failed = [n for n, verdict in verdicts.items() if not verdict.success and not _error(verdict)]
    counted = _validate(engine, expectations, failed, query, values, counts=True) if failed else {}
    return [_check(each, values, verdicts[n], counted.get(n), rows) for n, each in enumerate(expectations)]


def _validate(
    engine: SuiteEngine, expectations: Sequence[dict], positions: Sequence[int], query: str, values: dict[str, Any], *, counts: bool
) -> dict[int, ExpectationValidationResult]:
    """Results by position in the suite; GX returns those that raised first. Raises SuiteError if one is missing."""
    numbered = [{**expectations[n], "meta": {POSITION: n}} for n in positions]
    results = engine.validate({"expectations": numbered}, query, values, counts=counts)
    by_position = {result.expectation_config.meta[POSITION]: result for result in results}
    if missing := [expectations[n]["type"] for n in positions if n not in by_position]:
        raise SuiteError(f"GX gave no result for {', '.join(missing)}")
    return by_position


def _check(
    expectation: Mapping[str, Any],
    values: Mapping[str, Any],
    verdict: ExpectationValidationResult,
    counted: ExpectationValidationResult | None,
    rows: int,
) -> CheckResult:
    kwargs = {key: _value(value, values) for key, value in expectation.get("kwargs", {}).items()}
    is_volume = expectation["type"] == ROW_COUNT
    outcome: Outcome = "passed" if verdict.success else "failed"
    observed, unexpected = f"{rows} rows" if is_volume else None, None
    if error := _error(verdict):
        outcome, observed = "errored", error
    elif counted is not None and not is_volume:
        observed, unexpected = _observed(expectation, counted.result or {}, rows)
    elif verdict.success and "mostly" not in kwargs and not is_volume:
        unexpected = 0
    return CheckResult(
        check_name=_name(expectation, kwargs),
        kind="volume" if is_volume else expectation.get("meta", {}).get("kind", "expectation"),
        severity="warning" if expectation.get("severity") == "warning" else "critical",
        outcome=outcome,
        observed=observed,
        expected=_expected(expectation, kwargs),
        unexpected_rows=unexpected,
    )


def _name(expectation: Mapping[str, Any], kwargs: Mapping[str, Any]) -> str:
    if name := expectation.get("meta", {}).get("name"):
        return str(name)
    columns: list[str] = []
    for key in COLUMNS:
        value = kwargs.get(key)
        columns += [value] if isinstance(value, str) else list(value or ())
    kind = expectation["type"].removeprefix("expect_")
    return f"{kind}({', '.join(columns)})" if columns else kind


def _expected(expectation: Mapping[str, Any], kwargs: Mapping[str, Any]) -> str | None:
    """The bound or set in words, from the suite alone."""
    parts = []
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low is not None:
        parts.append(f"{'above' if kwargs.get('strict_min') else 'at least'} {low}")
    if high is not None and high != NO_CEILING:
        parts.append(f"{'below' if kwargs.get('strict_max') else 'at most'} {high}")
    if "value_set" in kwargs:
        parts.append(f"one of {', '.join(str(value) for value in kwargs['value_set'])}")
    if "mostly" in kwargs:
        parts.append(f"in {kwargs['mostly']:.1%} of rows")
    return ", ".join(parts) or expectation.get("description") or None


def _observed(expectation: Mapping[str, Any], result: Mapping[str, Any], rows: int) -> tuple[str | None, int | None]:
    """Counts, and a single aggregate when it is a number or a date; lists and strings may be somebody's data and are dropped."""
    value = result.get("observed_value")
    unexpected = value if expectation["type"] == ROWS_OF_A_QUERY else result.get("unexpected_count")
    if isinstance(unexpected, int):
        return f"{unexpected} of {rows} rows", unexpected
    if isinstance(value, (int, float, Decimal, date, datetime)):
        return str(value), None
    return None, None


def _value(value: Any, values: Mapping[str, Any]) -> Any:
    return values.get(value["$PARAMETER"]) if isinstance(value, Mapping) and "$PARAMETER" in value else value


def _error(verdict: ExpectationValidationResult) -> str | None:
    """The first exception's message, one line. GX gives one exception, or one for each metric that failed."""
    info = verdict.exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    for entry in entries:
        raised = entry.get("raised_exception") if isinstance(entry, Mapping) else getattr(entry, "raised_exception", True)
        if raised:
            message = entry.get("exception_message") if isinstance(entry, Mapping) else getattr(entry, "exception_message", None)
            return first_line(message or "raised")
    return None

"""Gates: one suite of expectations behind each table, evaluated in DuckDB, failing closed.

Here belongs what a gate's outcome is and how a suite becomes one; not how GX is driven (gx_duckdb.py), where results are kept
(quality.py) or what a failed gate stops (publish.py, assets/). GX itself says "success" for an empty suite, for no rows and for an
all-null column, and "no success" for failing data, an exception and a mere warning alike: all of that is told apart here.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import duckdb

log = logging.getLogger("csw")

EXPECTATIONS = Path(__file__).resolve().parent.parent / "expectations"
NO_CEILING = 10**15
# A suite may refer to these; a caller that knows better (volume.py, the run) overrides them.
DEFAULT_PARAMETERS: dict[str, Any] = {"rows_floor": 1, "rows_ceiling": NO_CEILING, "rows_expected": 0}

KIND_OF_ERROR, ABOUT_NAMES = re.compile(r"\b(\w+) Error: "), ("Binder", "Catalog", "Parser")
STATEMENT = re.compile(r"\n\s*(?:LINE \d+: |\[SQL: )")  # where DuckDB, or SQLAlchemy, begins to show it

Outcome = Literal["passed", "failed", "errored", "not_run"]
WORST_FIRST: tuple[Outcome, ...] = ("errored", "not_run", "failed")
Severity = Literal["critical", "warning"]


class SuiteError(Exception):
    """A suite file that cannot be used: which, and what is wrong."""


@dataclass(frozen=True)
class CheckResult:
    """One check, as a row of fct_data_quality_results. Counts and bounds only: never a value from a failing row."""

    check_name: str
    kind: str  # expectation, data_test, contract, volume, freshness, reconciliation
    severity: Severity
    outcome: Outcome
    observed: str | None = None
    expected: str | None = None
    unexpected_rows: int | None = None


@dataclass(frozen=True)
class GateResult:
    """What one gate says about one materialization: that of `asset` by run `run_id`."""

    asset: str
    layer: str
    suite: str
    outcome: Outcome
    severity: Severity = "critical"
    checks: tuple[CheckResult, ...] = ()
    run_id: str | None = None

    @property
    def name(self) -> str:
        """`layer/asset`, which is also the path of the suite below expectations/."""
        return f"{self.layer}/{self.asset}"

    @property
    def blocks(self) -> bool:
        """Everything but a pass or a mere warning."""
        return self.outcome != "passed" and not (self.outcome == "failed" and self.severity == "warning")

    @property
    def reason(self) -> str:
        """One line: which checks did not pass. Empty when all did."""
        return "; ".join(_sentence(check) for check in self.checks if check.outcome != "passed")


def load_suite(layer: str, asset: str, root: Path = EXPECTATIONS) -> dict[str, Any]:
    """The suite behind `asset`. Raises SuiteError when there is none or it is not JSON."""
    path = root / layer / f"{asset}.json"
    try:
        suite = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SuiteError(f"{asset} has no gate: write expectations/{layer}/{asset}.json") from None
    except json.JSONDecodeError as error:
        raise SuiteError(f"expectations/{layer}/{asset}.json, line {error.lineno}: not valid JSON ({error.msg})") from None
    if not isinstance(suite, dict) or not isinstance(suite.get("expectations"), list):
        raise SuiteError(f"expectations/{layer}/{asset}.json: not a suite; it needs a list 'expectations'")
    return suite


def suite_meta(layer: str, asset: str, root: Path = EXPECTATIONS) -> Mapping[str, Any]:
    """`meta` of a suite; empty when the suite cannot be read (evaluating it will say so)."""
    try:
        return load_suite(layer, asset, root).get("meta") or {}
    except SuiteError:
        return {}


def suites(layer: str, root: Path = EXPECTATIONS) -> list[str]:
    """Assets that have a suite in this layer."""
    return sorted(path.stem for path in (root / layer).glob("*.json"))


class Gates:
    """Evaluates gates on one open DuckDB connection. Use as a context manager; the connection stays the caller's."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, *, root: Path = EXPECTATIONS) -> None:
        self._connection = connection
        self._root = root
        self._engine = None

    def __enter__(self) -> Gates:
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine is not None:
            self._engine.close()

    def evaluate(
        self,
        layer: str,
        asset: str,
        relation: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        present_domains: Iterable[str] | None = None,
        run_id: str | None = None,
        suite: Mapping[str, Any] | None = None,
    ) -> GateResult:
        """The gate of `asset` on `relation` (`schema.table` or a SELECT). Never raises: what goes wrong is the outcome `errored`.

        `suite` replaces the file below expectations/ (tests). `present_domains` None = all.
        """
        blank = blank_of(layer, asset, run_id)
        try:
            suite = suite if suite is not None else load_suite(layer, asset, self._root)
            if not suite["expectations"]:
                raise SuiteError(f"expectations/{layer}/{asset}.json has no expectation: an empty suite gates nothing")
            values = {**DEFAULT_PARAMETERS, **(parameters or {})}
            query = relation if relation.lstrip().lower().startswith(("select", "with")) else f"select * from {relation}"
            query = self._copied(query, relation)
            rows = self._connection.execute(f"select count(*) from ({query}) as gated").fetchone()[0]
            if rows == 0:
                return gate_of(blank, [_no_rows(suite.get("meta") or {}, values, layer, present_domains)])
            return gate_of(blank, self._checks(suite, query, values, rows))
        except Exception as error:  # noqa: BLE001 - a gate that cannot speak has not passed
            return errored(blank, error)

    def _copied(self, query: str, relation: str) -> str:
        """The same rows, in memory unless they are a table already: each expectation would compute a view anew."""
        schema, _, table = relation.partition(".")
        is_table = "select count(*) from duckdb_tables() where schema_name = ? and table_name = ?"
        if self._connection.execute(is_table, [schema, table]).fetchone()[0]:
            return query
        self._connection.execute("attach if not exists ':memory:' as gated_copy (read_write)")
        self._connection.execute(f"create or replace table gated_copy.main.gated as {query}")
        return "select * from gated_copy.main.gated"

    def _checks(self, suite: Mapping[str, Any], query: str, values: dict[str, Any], rows: int) -> list[CheckResult]:
        from orchestration.gx_checks import checks_from
        from orchestration.gx_duckdb import SuiteEngine

        if self._engine is None:
            self._engine = SuiteEngine(self._connection)
        return checks_from(self._engine, suite, query, values, rows)


def _no_rows(meta: Mapping[str, Any], values: Mapping[str, Any], layer: str, present: Iterable[str] | None) -> CheckResult:
    """No rows are fine only for a stated reason; everything else in the suite would pass on nothing."""
    domains, floor = set(meta.get("domains") or ()), values["rows_floor"]
    reason = None
    if domains and present is not None and not domains & set(present):
        reason = f"no source for {', '.join(sorted(domains))}"
    elif meta.get("may_be_empty") and (floor <= 1 or meta.get("may_shrink")):
        reason = str(meta.get("reason") or "may be empty")
    elif layer == "raw" and floor == 0:
        reason = "nothing new is usual here"
    outcome: Outcome = "passed" if reason else "failed"
    expected = f"0 rows: {reason}" if reason else f"at least {max(1, floor)} rows"
    return CheckResult("rows", "volume", "critical", outcome, observed="0 rows", expected=expected)


def gate_of(blank: GateResult, checks: Sequence[CheckResult]) -> GateResult:
    """`blank` with the outcome that follows from its checks: the worst of them."""
    if not checks:
        return replace(blank, outcome="errored")
    bad = [check for check in checks if check.outcome != "passed"]
    if not bad:
        return replace(blank, outcome="passed", checks=tuple(checks))
    outcome: Outcome = next((each for each in WORST_FIRST if any(check.outcome == each for check in bad)), "errored")
    severity: Severity = "warning" if outcome == "failed" and all(check.severity == "warning" for check in bad) else "critical"
    return replace(blank, outcome=outcome, severity=severity, checks=tuple(checks))


def errored(blank: GateResult, error: Exception) -> GateResult:
    """The result for a gate whose evaluation went wrong: the error's first line, without data."""
    line = f"{type(error).__name__}: {first_line(error)}"
    return gate_of(blank, [CheckResult("evaluation", "expectation", "critical", "errored", observed=line)])


def blank_of(layer: str, asset: str, run_id: str | None) -> GateResult:
    """The result before anything is known."""
    return GateResult(asset=asset, layer=layer, suite=f"{layer}/{asset}", outcome="not_run", run_id=run_id)


def not_run(layer: str, asset: str, run_id: str | None, why: str) -> GateResult:
    """The result for a gate that was never reached, so that it is seen as such and not as absent."""
    check = CheckResult("evaluation", "expectation", "critical", "not_run", observed=why)
    return replace(blank_of(layer, asset, run_id), checks=(check,))


def run_parameters(as_of: date) -> dict[str, Any]:
    """What every suite may say about time: `as_of_date`, and `as_of_end`, by which that day is over in every time zone (UTC)."""
    return {"as_of_date": as_of, "as_of_end": datetime(as_of.year, as_of.month, as_of.day) + timedelta(hours=36)}


def _sentence(check: CheckResult) -> str:
    if check.outcome in ("errored", "not_run"):
        return f"{check.check_name} {check.outcome.replace('_', ' ')} ({check.observed})"
    wanted = f", expected {check.expected}" if check.expected else ""
    return f"{check.check_name}: {check.observed or 'failed'}{wanted}"


def first_line(message: object) -> str:
    """The first line of an error, without what it quotes."""
    lines = without_values(message).splitlines()
    return lines[0][:300] if lines else "no message"


def without_values(message: object) -> str:
    """An error without what it quotes.

    DuckDB puts the value that it could not convert between quotes, of either kind, as it is: it may hold quotes and line breaks itself, so all
    from the first quote to the last one goes. What it says about names is kept, for those errors hold no values. Python's quotes come in pairs.
    """
    text = str(message).strip()
    kind = KIND_OF_ERROR.search(text)
    if kind is None or kind[1] in ABOUT_NAMES:
        return re.sub("'[^']*'" if kind else "'[^']*'|\"[^\"]*\"", "'…'", text)
    text = STATEMENT.split(text)[0]
    quotes = [place for place, character in enumerate(text) if character in "'\""]
    if not quotes:
        return text
    after = text[quotes[-1] + 1 :].partition("\n")[0] if len(quotes) > 1 else ""
    return f"{text[: quotes[0]]}'…'{after}"

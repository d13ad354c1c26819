"""Great Expectations on a DuckDB connection, with the computation pushed down into DuckDB.

Here belongs what makes GX work with this database and cheaply, and nothing about gates: suites, severities and outcomes are in
gates.py, which imports this module only when it evaluates (importing GX costs seconds of CPU).

GX fetches rows after the connection went back to SQLAlchemy's pool; DuckDB drops a pending result at the rollback that this
implies, so with the stock dialect every metric fails. The dialect below buffers each (small) result as soon as it is there.
"""

from __future__ import annotations

import atexit
import itertools
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import LazyLoader, find_spec, module_from_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any

import duckdb_engine
import sqlalchemy
from duckdb_engine import ConnectionWrapper, Dialect
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg2 import PGExecutionContext_psycopg2
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy

if TYPE_CHECKING:
    import duckdb

os.environ["GX_ANALYTICS_ENABLED"] = "false"  # read while GX is imported: nothing phones home


def _load_lazily(name: str) -> None:
    """Let a package's module be loaded when somebody asks for something in it; `from package import module` alone does not."""
    package, _, attribute = name.rpartition(".")
    if name not in sys.modules:
        spec = find_spec(name)
        spec.loader = LazyLoader(spec.loader)
        module = sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(module)
        setattr(sys.modules[package], attribute, module)


# What GX imports and hardly anybody reaches: PySpark for its data frames (a second of CPU and a warning about pandas, where it is
# installed), altair for the histogram of one expectation about distributions (two seconds), SciPy's statistics for its measure (one).
_load_lazily("scipy.stats")
_unused = {name: stand_in for name, stand_in in {"pyspark": None, "altair": ModuleType("altair")}.items() if name not in sys.modules}
sys.modules.update(_unused)  # type: ignore[arg-type]
try:
    import great_expectations
    from great_expectations.core import ExpectationSuite, ExpectationValidationResult
    from great_expectations.core.batch import Batch, LegacyBatchDefinition
    from great_expectations.core.id_dict import IDDict
    from great_expectations.data_context.types.base import ProgressBarsConfig
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine
    from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
    from great_expectations.expectations.expectation import Expectation
    from great_expectations.validator.validator import Validator
finally:
    for _name in _unused:
        del sys.modules[_name]

# This one logger of GX's is set to INFO, so its notes about temporary folders reach whatever handler the root logger has (dbt gives it one).
logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.NOTSET)


class _BufferedContext(PGExecutionContext_psycopg2):
    def post_exec(self) -> None:
        super().post_exec()
        if self.cursor.description is not None:
            rows = self.cursor.fetchall()
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(self.cursor, initial_buffer=rows)


class BufferedDuckDB(Dialect):
    """duckdb_engine's dialect, with results that outlive the connection's return to the pool."""

    driver = "buffered"
    execution_ctx_cls = _BufferedContext
    supports_statement_cache = False


registry.register("duckdb.buffered", __name__, "BufferedDuckDB")


class _Described(sqlalchemy.TextClause):
    """A query that says which columns it has. GX would run it whole, and fetch every row of it, to read their names."""

    inherit_cache = False
    selected_columns: dict[str, sqlalchemy.Column]


class _DescribedData(SqlAlchemyBatchData):
    """Takes such a query as it is."""

    def _generate_selectable_from_selectable(self, selectable, *_):
        return selectable


@atexit.register
def _let_go_of_duckdb() -> None:
    """SQLAlchemy's registries outlive the interpreter, and through duckdb_engine DuckDB's own, which then prints pages about leaks."""
    for name in [name for name in sys.modules if name.startswith(duckdb_engine.__name__)]:
        vars(sys.modules[name]).clear()


_context = None


def context() -> Any:
    """GX's ephemeral context: one a process, nothing on disk, no progress bars."""
    global _context
    if _context is None:
        _context = new_context()
    return _context


def new_context() -> Any:
    """Another ephemeral context, for who fills its stores (Data Docs)."""
    fresh = great_expectations.get_context(mode="ephemeral")
    fresh.variables.progress_bars = ProgressBarsConfig(globally=False)
    return fresh


@contextmanager
def _configurations_once() -> Iterator[None]:
    """GX makes an expectation's configuration anew whenever it looks at one of its arguments: seventy times each, a fifth of the work.

    While one suite is validated they don't change, so each is made once. The expectation is kept beside it: its id stays its own.
    """
    made: dict[int, tuple[Expectation, Any]] = {}
    plain = Expectation.configuration

    def configuration(expectation: Expectation) -> Any:
        if id(expectation) not in made:
            made[id(expectation)] = (expectation, plain.fget(expectation))
        return made[id(expectation)][1]

    Expectation.configuration = property(configuration)
    try:
        yield
    finally:
        Expectation.configuration = plain


class SuiteEngine:
    """Validates suites on one DuckDB connection, which stays the caller's; `close` lets go of it.

    It builds GX's batch and validator directly. Through data sources, assets and batch definitions the same suite costs twice
    the CPU, because every asset saves the context's configuration and every batch is fetched twice.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._pool = sqlalchemy.create_engine("duckdb+buffered://", creator=lambda: ConnectionWrapper(connection.cursor()))
        self._engine = SqlAlchemyExecutionEngine(engine=self._pool, create_temp_table=False)
        self._numbers = itertools.count()

    def validate(self, suite: dict, query: str, parameters: dict[str, Any], *, counts: bool) -> list[ExpectationValidationResult]:
        """One result per expectation, in no particular order. `counts`: also count the failing rows, which costs more.

        Raises whatever GX raises for a suite that it cannot read; an error inside one expectation is in its exception_info.
        """
        # GX caches metrics by batch id, and the same table may be checked again after it has changed: never reuse an id.
        name = f"batch_{next(self._numbers)}"
        data = _DescribedData(self._engine, selectable=self._described(query), create_temp_table=False)
        batch = Batch(data=data, batch_definition=LegacyBatchDefinition("warehouse", "gates", name, IDDict({})))
        validator = Validator(execution_engine=self._engine, batches=[batch], data_context=context())
        configurations = ExpectationSuite(name=name, expectations=suite["expectations"]).expectation_configurations
        configurations = validator.process_expectations_for_validation(configurations, parameters)
        kind = "BASIC" if counts else "BOOLEAN_ONLY"
        with _configurations_once():
            return validator.graph_validate(configurations, runtime_configuration={"result_format": {"result_format": kind}})

    def close(self) -> None:
        self._pool.dispose()
        del self._pool, self._engine, self._connection

    def _described(self, query: str) -> _Described:
        described = _Described(query)
        columns = self._connection.execute(f"describe {query}").fetchall()
        described.selected_columns = {name: sqlalchemy.Column(name) for name, *_ in columns}
        return described

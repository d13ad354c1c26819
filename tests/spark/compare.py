"""Two warehouses, table by table and row by row: everything equal, floating point numbers to 1e-9."""

from __future__ import annotations

import math
from pathlib import Path

import duckdb

FLOATS = ("DOUBLE", "FLOAT")
PER_RUN = ("run_id", "published_at", "checked_at")


def differences(left: Path, right: Path, schema: str, tables: list[str], tolerance: float = 1e-9) -> dict[str, str]:
    """What differs, by table; empty when nothing does. Reads both warehouses in one connection, right and left read-only."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach '{left}' as l (read_only)")
        connection.execute(f"attach '{right}' as r (read_only)")
        found = {table: _table(connection, schema, table, tolerance) for table in tables}
    return {table: said for table, said in found.items() if said}


def _table(connection: duckdb.DuckDBPyConnection, schema: str, table: str, tolerance: float) -> str:
    columns = [_columns(connection, f'{side}.{schema}."{table}"') for side in "lr"]
    if columns[0] != columns[1]:
        only = sorted(set(columns[0].items()) ^ set(columns[1].items()))
        return f"columns differ: {only}"
    exact = [name for name, kind in columns[0].items() if kind not in FLOATS and name not in PER_RUN]
    floats = [name for name, kind in columns[0].items() if kind in FLOATS]
    # Floats are rounded for the order only, and come last in it: two that differ in their last bit still meet.
    order = ", ".join([f'"{name}"' for name in exact] + [f'round("{name}", 6)' for name in floats]) or "1"
    listed = ", ".join(f'"{name}"' for name in exact + floats)
    rows = [connection.execute(f'select {listed} from {side}.{schema}."{table}" order by {order}').fetchall() for side in "lr"]
    if len(rows[0]) != len(rows[1]):
        return f"{len(rows[0])} rows against {len(rows[1])}"
    different = [(one, other) for one, other in zip(*rows, strict=True) if not _same(one, other, len(exact), tolerance)]
    if different:
        names = exact + floats
        cells = [f"{name}: {a!r} ≠ {b!r}" for name, a, b in zip(names, *different[0], strict=True) if a != b]
        return f"{len(different)} of {len(rows[0])} rows differ, such as {', '.join(cells)}"
    return ""


def _columns(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """Types by name. How wide a whole number is differs between the engines where no contract says so: it counts as one type."""
    found = connection.execute(f"describe {relation}").fetchall()
    return {name: "BIGINT" if kind in ("INTEGER", "HUGEINT") else kind for name, kind, *_ in found}


def _same(one: tuple, other: tuple, exact: int, tolerance: float) -> bool:
    if one[:exact] != other[:exact]:
        return False
    return all(
        a == b if a is None or b is None else math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
        for a, b in zip(one[exact:], other[exact:], strict=True)
    )

"""What a table holds, as one short string: equal for equal rows, in whatever order they lie.

Here belongs the hash alone; publish.py writes it into manifests, the parity tests compare runs with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

# Who computed a row and when says nothing about what it holds.
NOT_CONTENT = ("run_id", "published_at", "checked_at")
DECIMALS = 9  # of a float: the last bits of a sum depend on the order of its terms


def content_hash(con: duckdb.DuckDBPyConnection, relation: str, exclude: Iterable[str] = NOT_CONTENT) -> str:
    """Hash over column names, types and rows of `relation` (a table or a parenthesised SELECT), inside DuckDB, in one scan.

    The same for any order of rows and of columns. Comparable between files that one version of DuckDB wrote or reads.
    """
    left_out = set(exclude)
    described = con.execute(f"describe select * from {relation}").fetchall()
    columns = sorted((name, kind) for name, kind, *_ in described if name not in left_out)
    values = ", ".join(_value(name, kind) for name, kind in columns) or "0"
    rows, total, mixed = con.execute(
        f"select count(*), coalesce(sum(cast(h as hugeint)), 0), coalesce(bit_xor(h), 0) from (select hash({values}) as h from {relation})"
    ).fetchone()
    return hashlib.sha256(f"{columns}|{rows}|{total}|{mixed}".encode()).hexdigest()[:32]


def _value(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"(round({quoted}, {DECIMALS}) + 0.0)" if kind in ("DOUBLE", "FLOAT") else quoted

"""What a table holds, as one short string: equal for equal rows, in whatever order they lie.

Here belongs the hash alone; publish.py writes it into manifests, the parity tests compare runs with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

# Who computed a row and when says nothing about what it holds.
NOT_CONTENT = ("run_id", "published_at", "checked_at")
SUMS = "count(*), sum(cast(h as hugeint)), bit_xor(h)"  # of rows' hashes: equal for equal rows, in whatever order
DECIMALS = 9  # of a float: the last bits of a sum depend on the order of its terms


Group = tuple[date, int] | tuple[()]


@dataclass(frozen=True)
class Content:
    """What rows hold. `sums`: count, sum and exclusive-or of their hashes, by day and number (one entry, (), where nobody asked for groups)."""

    columns: tuple[tuple[str, str], ...]
    sums: dict[Group, tuple[int, int, int]]

    @property
    def rows(self) -> int:
        return sum(rows for rows, _, _ in self.sums.values())

    @property
    def hash(self) -> str:
        total = sum(total for _, total, _ in self.sums.values())
        mixed = reduce(xor, (mixed for _, _, mixed in self.sums.values()), 0)
        return hashlib.sha256(f"{list(self.columns)}|{self.rows}|{total}|{mixed}".encode()).hexdigest()[:32]

    @property
    def json(self) -> dict[str, Any]:
        """For Content.of; of content in groups."""
        return {"columns": self.columns, "sums": [[day.isoformat(), number, *sums] for (day, number), sums in sorted(self.sums.items())]}

    @classmethod
    def of(cls, json: dict[str, Any]) -> Content:
        sums = {(date.fromisoformat(day), number): (rows, total, mixed) for day, number, rows, total, mixed in json["sums"]}
        return cls(tuple(map(tuple, json["columns"])), sums)

    def differing(self, other: Content) -> list[Group]:
        """Groups of which the two do not hold the same rows, in order."""
        return sorted(group for group in self.sums.keys() | other.sums.keys() if self.sums.get(group) != other.sums.get(group))


def content_hash(con: duckdb.DuckDBPyConnection, relation: str, exclude: Iterable[str] = NOT_CONTENT) -> str:
    """Hash over column names, types and rows of `relation` (a table or a parenthesised SELECT), inside DuckDB, in one scan.

    The same for any order of rows and of columns. Comparable between files that one version of DuckDB wrote or reads.
    """
    return content(con, relation, exclude=exclude).hash


def content(con: duckdb.DuckDBPyConnection, relation: str, groups: Sequence[str] = (), exclude: Iterable[str] = NOT_CONTENT) -> Content:
    """As content_hash, and apart for each group: a day and a number, both as SQL and never NULL. Still one scan."""
    left_out = set(exclude)
    described = con.execute(f"describe select * from {relation}").fetchall()
    columns = tuple(sorted((name, kind) for name, kind, *_ in described if name not in left_out))
    by = "".join(f"{group} as group_{place}, " for place, group in enumerate(groups))
    found = con.execute(
        f"select {''.join(f'group_{place}, ' for place, _ in enumerate(groups))}{SUMS} "
        f"from (select {by}{row_hash(columns)} as h from {relation})" + (" group by all" if groups else "")
    ).fetchall()
    return Content(columns, {tuple(group): (rows, total or 0, mixed or 0) for *group, rows, total, mixed in found})


def row_hash(columns: Iterable[tuple[str, str]]) -> str:
    """What a row holds in these columns (name, type), as SQL."""
    values = ", ".join(_value(name, kind) for name, kind in columns) or "0"
    return f"hash({values})"


def _value(name: str, kind: str) -> str:
    quoted = '"' + name.replace('"', '""') + '"'
    return f"(round({quoted}, {DECIMALS}) + 0.0)" if kind in ("DOUBLE", "FLOAT") else quoted

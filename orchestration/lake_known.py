"""Which rows of a pull the lake has already: for tables that are read again because nothing in them shows what has changed.

Here belongs the comparison by row hash; which tables are read again stands in sources/sql.py, how far back in landing.py.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.contracts import Contract
from orchestration.lake_manifest import partition_dates, partition_name
from orchestration.lake_validate import ROW_HASH
from orchestration.lake_views import file_list

# Half of the MD5: that a changed row is taken for one of ten million known ones has a chance of 1 to 2 × 10^12.
SHORT_HASH = f"cast('0x' || left({ROW_HASH}, 16) as ubigint)"


class KnownRows:
    """The newest state of each record in the partitions before `before`, as sorted hashes: 8 bytes a record.

    `since`: the pull brings nothing older by the table's own time (Contract.created_at), so nothing older is read from the lake either,
    unless a page proves otherwise. The newest state is all that the newest load of a record brought: a table whose key is not unique does
    not land again with each load.
    """

    def __init__(self, contract: Contract, connection: duckdb.DuckDBPyConnection, *, home: Path, before: date, since: date | None) -> None:
        self._contract, self._since = contract, since
        self._files = [path for day in partition_dates(home) if day < before for path in sorted((home / partition_name(day)).glob("*.parquet"))]
        self._connection = connection.cursor()  # the load's own does without the optimizer, which is worth its cost here
        self._hashes: np.ndarray | None = None  # read when the first page comes

    def without(self, good: pa.Table) -> pa.Table:
        """The rows that are new or changed, in their order."""
        if not self._files or not len(good):
            return good
        if self._since is not None and self._begins_before(good):
            self._since = self._hashes = None
        if self._hashes is None:
            self._hashes = self._read()
        if not len(self._hashes):
            return good
        hashes = self._connection.from_arrow(good.select([ROW_HASH])).project(SHORT_HASH).fetchnumpy().popitem()[1]
        places = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return good.filter(pa.array(self._hashes[places] != hashes))

    def close(self) -> None:
        self._connection.close()

    def _begins_before(self, good: pa.Table) -> bool:
        earliest = pc.min(good.column(self._contract.created_at)).as_py()
        return earliest is not None and (earliest if type(earliest) is date else earliest.date()) < self._since

    def _read(self) -> np.ndarray:
        key = ", ".join(f'"{name}"' for name in self._contract.primary_key)
        recent = "true" if self._since is None else f"\"{self._contract.created_at}\" >= date '{self._since}'"
        newest = self._connection.execute(
            f"""
            select {SHORT_HASH} as hash
            from read_parquet({file_list(self._files)}, union_by_name = true, hive_partitioning = false)
            where {recent}
            qualify _load_date = max(_load_date) over (partition by {key})
            """
        ).fetchnumpy()["hash"]
        return np.sort(np.asarray(newest, dtype=np.uint64))

"""Hard deletes: which records the lake has and the source no longer does.

Here belongs the comparison of keys and the guard against a source that answers with too few; not the writing of tombstones.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.contracts import Contract
from orchestration.lake_manifest import partition_dates, partition_name
from orchestration.lake_pages import to_arrow
from orchestration.lake_times import opened
from orchestration.lake_types import typed_column
from orchestration.lake_views import file_list
from orchestration.sources.base import ContractError

log = logging.getLogger("csw")
SUSPICIOUS_SHARE, SUSPICIOUS_KEYS = 0.3, 20


def tombstones(
    contract: Contract,
    connection: duckdb.DuckDBPyConnection,
    keys: Iterator[list[tuple]],
    *,
    home: Path,
    before: date,
    new: Path,
    believe: bool = False,
) -> pa.Table | None:
    """A page of deletions (key and `_is_deleted`), or None when nothing is gone.

    Compares `keys`, all that the source has, with the newest state in partitions older than `before` and in the files of `new`.
    A tombstone has no time of its own: it counts from its load date, after whatever had been known of the record until then (the same
    order as in the macro record_versions).

    Raises ContractError when more than 30 % of the records (and more than 20) would vanish, or all of them: then it is the answer
    that is wrong, unless a person has said that it is to be believed.
    """
    files = [path for day in partition_dates(home) if day < before for path in (home / partition_name(day)).glob("*.parquet")]
    files += sorted(new.glob("*.parquet"))
    if not files:
        return None
    key = ", ".join(f'"{name}"' for name in contract.primary_key)
    changed_at = f'coalesce("{contract.updated_at}", max("{contract.updated_at}") over (partition by {key} order by _load_date))'
    effective_at = changed_at if contract.updated_at else "null"
    _collect(contract, connection, keys)
    connection.execute(
        f"""
        create or replace temp table in_lake as
        select {key}, coalesce(_is_deleted, false) as is_deleted
        from (
            select {key}, _is_deleted, _load_date, _loaded_at, {effective_at} as effective_at
            from read_parquet({file_list(files)}, union_by_name = true, hive_partitioning = false)
        )
        qualify row_number() over (
            partition by {key} order by effective_at desc nulls last, _load_date desc, _is_deleted desc, _loaded_at desc
        ) = 1
        """
    )
    same = " and ".join(f'l."{name}" is not distinct from k."{name}"' for name in contract.primary_key)
    live, gone, back, listed = connection.execute(
        f"""
        select
            count(*) filter (not l.is_deleted),
            count(*) filter (not l.is_deleted and not l.is_listed),
            count(*) filter (l.is_deleted and l.is_listed),
            (select count(*) from at_source)
        from (select l.is_deleted, exists (select 1 from at_source as k where {same}) as is_listed from in_lake as l) as l
        """
    ).fetchall()[0]
    if back:
        log.warning("%s: %s records that were deleted are at the source again; csw run --full-load brings them back", contract.name, back)
    if not gone:
        return None
    if not believe and ((gone > SUSPICIOUS_KEYS and gone > SUSPICIOUS_SHARE * live) or (listed == 0 and gone > 1)):
        raise ContractError(
            f"{contract.name}: the source lists {listed} keys, so {gone} of {live} records would count as deleted. That is too many to be"
            " believed; nothing was landed, and each load asks again. If they are gone, run once with --accept-volume"
        )
    return connection.sql(
        f"""
        select {key}, true as _is_deleted
        from in_lake as l
        where not l.is_deleted and not exists (select 1 from at_source as k where {same})
        order by all
        """
    ).to_arrow_table()


def _collect(contract: Contract, connection: duckdb.DuckDBPyConnection, keys: Iterator[list[tuple]]) -> None:
    columns = [column for name in contract.primary_key for column in contract.columns if column.name == name]
    connection.execute(f"create or replace temp table at_source ({', '.join(f'{chr(34)}{c.name}{chr(34)} {c.duckdb_type}' for c in columns)})")
    for some in keys:
        page = to_arrow([dict(zip(contract.primary_key, key, strict=True)) for key in some], contract)
        given = {name: page.schema.field(name).type for name in page.schema.names}
        connection.register("page", page)
        values = ", ".join(opened(column, typed_column(column, given.get(column.name), "UTC")) for column in columns)
        connection.execute(f"insert into at_source select {values} from page")
        connection.unregister("page")

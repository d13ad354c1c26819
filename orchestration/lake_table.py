"""One table's part in one load: pages in, a sealed partition out.

Here belongs what is kept between pages: buffer, columns seen, counts, range of the cursor. Which tables are loaded, and when they are
committed, is landing.py's.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.contracts import Contract
from orchestration.lake_drift import ENOUGH_ROWS, check_drift
from orchestration.lake_known import KnownRows
from orchestration.lake_manifest import Manifest, contract_types, utc_now
from orchestration.lake_pages import RESERVED, SPARSE, to_arrow
from orchestration.lake_partition import PartitionWriter
from orchestration.lake_reconcile import tombstones
from orchestration.lake_validate import Statements, Validator
from orchestration.sources.base import Page, Window

RECORDS_AT_ONCE = 16_384  # Python objects are large
ROWS_AT_ONCE = 131_072


class TableLoad:
    """Memory stays bounded: at most ROWS_AT_ONCE rows wait to be checked and written. `before`: it builds on partitions older than that."""

    def __init__(
        self,
        contract: Contract,
        connection: duckdb.DuckDBPyConnection,
        *,
        home: Path,
        quarantine_home: Path,
        source_relation: str,
        load_date: date,
        before: date,
        run_id: str,
        started_at: datetime,
        until: datetime,
        previous: Manifest | None,
        since: datetime | None,
        look_back: timedelta | None,
        hides_changes: bool,
        zone: str | None,
        statements: Statements,
    ) -> None:
        self.contract, self.previous, self.since, self.until = contract, previous, since, until
        self._connection, self._home, self._before, self._load_date, self._run_id = connection, home, before, load_date, run_id
        self._source_relation, self._started_at = source_relation, started_at
        self._look_back, self._known = look_back, None  # look_back: the table shows no changes, so it is read again
        self._hides_changes = hides_changes  # it shows most, so it is read again only when it is read whole
        self._validator = Validator(contract, connection, zone, statements)
        self._writer = PartitionWriter(
            home, quarantine_home, contract, source_relation=source_relation, load_date=load_date, run_id=run_id, started_at=started_at
        )
        self._records: list[dict[str, Any]] = []
        self._pages: list[pa.Table] = []
        self._seen: set[str] = set()
        self._sometimes: set[str] = set()  # columns that some records lacked
        self._unknown: set[str] = set()
        self._filled: Counter[str] = Counter()
        self._live_rows = 0
        self._is_sparse = False
        # A load from the start holds all there is, and nothing that is gone.
        self._reconciled_on = load_date if since is None else previous.reconciled_on if previous else None
        self._range: tuple[str, str] | None = None

    def window(self, *, whole: bool) -> Window:
        """What to ask the source for. A table that is read again: the days of its key some weeks back, all else (and if `whole`) from the start."""
        is_reread = self._look_back is not None or (whole and self._hides_changes)
        if self.since is None or not is_reread:
            return Window(self.since, self.until)
        days = self.contract.created_at if self.contract.created_at in self.contract.primary_key else None
        since = self.since - self._look_back if self._look_back is not None and days and not whole else None
        self._known = KnownRows(
            self.contract,
            self._connection,
            home=self._home,
            before=self._before,
            since=since.date() - timedelta(days=1) if since else None,  # the source may count its days in another zone
        )
        return Window(since, self.until)

    def add(self, page: Page) -> None:
        if isinstance(page, list):
            self._records.extend(page)
            if len(self._records) >= RECORDS_AT_ONCE:
                self.flush()
            return
        table = to_arrow(page, self.contract)
        self._is_sparse |= SPARSE in (table.schema.metadata or {})
        if self._pages and self._pages[0].schema != table.schema:
            self.flush()
        self._pages.append(table)
        if sum(map(len, self._pages)) >= ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        """Check and write what waits."""
        if self._records:
            self._take(to_arrow(self._records, self.contract))
            self._records = []
        if self._pages:
            self._take(pa.concat_tables(self._pages))
            self._pages = []

    def reconcile(self, keys: Iterator[list[tuple]] | None, *, believe: bool = False) -> None:
        """Land a tombstone for every record that the lake has and the source no longer does. None: the source has no list of its keys."""
        self._reconciled_on = self._load_date
        if keys is None:
            return
        self._writer.finish_part()
        with self._connection.cursor() as joins:  # these are worth optimizing
            joins.execute("set TimeZone = 'UTC'")
            gone = tombstones(self.contract, joins, keys, home=self._home, before=self._before, new=self._writer.new, believe=believe)
        if gone is not None:
            self._write(self._validator.check(gone)[0])

    def seal(self, state: Any, *, is_absent: bool = False) -> Manifest:
        """All on disk under a temporary name, with its manifest and what the source remembers. Raises ContractError on drift.

        `is_absent`: the source refused this table, so it has not been asked any further than before.
        """
        failures = self._validator.failures
        suspicions = check_drift(
            self.contract,
            rows=self._live_rows,
            seen=self._seen,
            filled=self._filled,
            failures=failures,
            previous=self.previous if self.since is not None else None,
            is_sparse=self._is_sparse,
        )
        before = self.previous
        filled = {name: self._filled[name] / self._live_rows for name in self.contract.column_names} if self._live_rows >= ENOUGH_ROWS else None
        new_columns = sorted(self._unknown - set(before.extra_columns if before else ()))
        files = self._writer.close_files()
        manifest = Manifest(
            vendor=self.contract.vendor,
            source_relation=self._source_relation,
            table=self.contract.table,
            load_date=self._load_date,
            run_id=self._run_id,
            mode="full" if self.since is None else "changes" if self._known else "incremental",
            since=self.since,
            cursor=min(self.until, self._started_at) if not is_absent else before.cursor if before else None,
            rows=self._writer.rows,
            tombstones=self._writer.tombstones,
            quarantined=self._writer.bad_rows,
            reasons={f"{name}: {what}" if what else name: count for (name, what), count in failures.most_common()},
            min_cursor=self._range[0] if self._range else None,
            max_cursor=self._range[1] if self._range else None,
            content_hash=self._writer.digest.hexdigest(),
            schema=contract_types(self.contract),
            columns_seen=sorted(self._seen - self._sometimes) if self._live_rows or not before else before.columns_seen,
            extra_columns=sorted(self._unknown | set(before.extra_columns if before else ())),
            filled=filled or (before.filled if before else {}),
            warnings=[f"new column '{name}': not in the contract, kept in _extra" for name in new_columns]
            + [f"{name}: left empty where it has more decimals than are kept ({count})" for name, count in sorted(self._validator.inexact.items())]
            + suspicions,
            files=files,
            started_at=self._started_at,
            committed_at=utc_now(),
            reconciled_on=self._reconciled_on,
        )
        self._writer.seal(manifest, state)
        return manifest

    def commit(self) -> None:
        self._writer.commit()

    def abort(self) -> None:
        self._writer.abort()
        if self._known is not None:
            self._known.close()

    def _take(self, page: pa.Table) -> None:
        metadata = page.schema.metadata or {}
        given = set(page.column_names)
        self._unknown |= set(json.loads(metadata.get(b"unknown", b"[]"))) | (given - set(self.contract.column_names) - set(RESERVED))
        good, bad = self._validator.check(page)
        live = len(good) - pc.sum(good.column("_is_deleted")).as_py() if len(good) else 0
        bad_count = len(bad) if bad is not None else 0
        if "_reason" in given:
            bad_count -= len(page) - page.column("_reason").null_count  # never read, so they tell nothing of columns
        if live + bad_count:
            self._live_rows += live + bad_count
            columns = given & set(self.contract.column_names)
            self._sometimes |= set(json.loads(metadata.get(b"sometimes", b"[]"))) | (columns ^ self._seen if self._seen else set())
            self._seen |= columns
        self._write(good)
        if bad is not None:
            self._writer.write_bad(bad)

    def _write(self, good: pa.Table) -> None:
        self._writer.write(self._known.without(good) if self._known is not None else good)
        for name in self.contract.column_names:
            self._filled[name] += len(good) - good.column(name).null_count
        column = self.contract.time_column
        if column and len(good) > good.column(column).null_count:
            least, greatest = (value.as_py().isoformat() for value in pc.min_max(good.column(column)).values())
            self._range = (min(least, self._range[0]), max(greatest, self._range[1])) if self._range else (least, greatest)

"""How right the identities are: pairs of records held against a truth. The only definition of precision and recall of identities.

Here belongs counting, set-based in DuckDB, and getting the demo company's truth ready for it; showing it is summary_identities.py's.
A truth covers records that do not exist yet (the demo's story goes on) and may lack some that do; only records in both are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.settings import Settings

if TYPE_CHECKING:
    import duckdb

# An address that serves as an id is published as its keyed hash (dbt's macro keyed_hash), so the truth's is hashed likewise.
HASHED = "sha256($key || '|outer|' || sha256($key || '|inner|' || lower(source_id)))"


@dataclass(frozen=True)
class Agreement:
    """Records that are found and in the truth, records that only are found, and pairs: joined rightly, joined, belonging together."""

    records: int
    unknown: int
    right: int
    joined: int
    belonging: int

    @property
    def precision(self) -> float | None:
        """Of the pairs that were joined, those that are one customer's. None when nothing was joined."""
        return self.right / self.joined if self.joined else None

    @property
    def recall(self) -> float | None:
        """Of the pairs that are one customer's, those that were joined. None when no two records are."""
        return self.right / self.belonging if self.belonging else None


def agreement(connection: duckdb.DuckDBPyConnection) -> Agreement:
    """Compare `found` (domain, source_relation, source_id, customer_id) with `truth` (…, customer), one row a record each."""
    counted = connection.execute(
        """
        with records as (
            select found.customer_id, truth.customer, count(*) as records
            from found
            join truth
                on found.domain = truth.domain
                and found.source_relation = truth.source_relation
                and lower(found.source_id) = lower(truth.source_id)
            group by all
        ),
        joined as (select sum(records) as records from records group by customer_id),
        belonging as (select sum(records) as records from records group by customer)
        select
            (select coalesce(sum(records), 0) from records),
            (select count(*) from found),
            (select coalesce(sum(records * (records - 1)), 0) // 2 from records),
            (select coalesce(sum(records * (records - 1)), 0) // 2 from joined),
            (select coalesce(sum(records * (records - 1)), 0) // 2 from belonging)
        """
    ).fetchone()
    records, found, right, joined, belonging = map(int, counted)
    return Agreement(records, found - records, right, joined, belonging)


def demo_agreement(settings: Settings, database: Path) -> Agreement:
    """A published database against the truth of the demo company that the settings describe; a second for each thousand customers."""
    import duckdb

    from orchestration.sources.demo.company import true_identities

    with duckdb.connect() as connection:
        quoted = str(database).replace("'", "''")
        connection.execute(f"attach '{quoted}' as published (read_only)")
        connection.execute("create view found as from published.main.bridge_customer_identities")
        connection.execute("create table truth (domain varchar, source_relation varchar, source_id varchar, customer varchar)")
        for block in true_identities(settings.demo_customers, settings.demo_days, settings.demo_seed):
            connection.register("block", block)
            connection.execute(
                f"""
                insert into truth
                select domain, source_relation, case when contains(source_id, '@') then {HASHED} else source_id end, customer
                from block
                """,
                {"key": settings.pii_key.get_secret_value()},
            )
            connection.unregister("block")
        return agreement(connection)

"""What a source is: the one protocol that landing pulls through, and how it fails.

Here belong the protocol, its errors and what all clients share; not HTTP (http.py), not a vendor's shapes, not settings, no Dagster.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from pydantic import SecretStr

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.contracts import Contract

# Flat records under the contract's column names, or Arrow. A time is an aware datetime (UTC), money an int or Decimal.
# What the contract doesn't know stays in the record under the vendor's name: landing puts it into `_extra`.
# A record with `_is_deleted: True` needs its primary key only: it is a hard delete, landed as a tombstone.
Page: TypeAlias = "list[dict[str, Any]] | pa.RecordBatch | pa.Table"

DELETED = "_is_deleted"
# In these a client speaks to landing; a column of the source's may be called so, too.
KEPT_NAMES = frozenset({"_extra", "_reason", "_line", "_file", "_raw"})


def column_name(name: str) -> str:
    """The name of a source's own column in a page: `_line` becomes `_line_`."""
    return f"{name}_" if name in KEPT_NAMES else name


class SourceError(Exception):
    """A source cannot be read: one line for people, with what, where and what to do. Never a secret or a record's content."""


class TransientSourceError(SourceError):
    """A fault that may pass by itself (server error, timeout, rate limit): the run may be tried again."""


class ContractError(SourceError):
    """The source answers, but not in the shape that was agreed on: trying again won't help."""


@dataclass(frozen=True)
class Window:
    """The time that one pull of one table covers: changes in [since, until), UTC; `since` None = everything.

    `since` is already moved back by the overlap. A source may give more than the window (a record's newest state), never less.
    """

    since: datetime | None
    until: datetime


class Source(Protocol):
    """One vendor and tenant. Not thread-safe: one source, one thread; several sources side by side."""

    vendor: str  # whose contract: 'hubspot', 'stripe', 'zendesk', or 'own' for files and sql
    source_relation: str  # 'stripe', or 'stripe_eu' for tenant eu
    tables: tuple[str, ...]  # contract tables of the configured domains that it delivers
    warnings: list[str]  # what a person should know though the pull succeeded

    def pull(self, windows: Mapping[str, Window]) -> Iterator[tuple[str, Page]]:
        """Changes of the tables named in `windows`, lazily, a page at a time, tables interleaved. Child tables come with their parent."""
        ...

    def keys(self, table: str) -> Iterator[list[tuple]] | None:
        """All live primary keys (in the contract's order), in pages, to find hard deletes; None = this table can't be reconciled.

        A failure is raised, never an early end: what is missing here counts as deleted.
        """
        ...

    def close(self) -> None: ...


class Client(Source, Protocol):
    """A source that finds out while pulling which of its tables the vendor doesn't have."""

    contracts: Mapping[str, Contract]  # of `tables`
    absent: set[str]


@dataclass(frozen=True)
class SourceSpec:
    """What it takes to open a source, as plain values, so that clients know nothing of settings."""

    vendor: str  # as in settings: hubspot, stripe, zendesk, files, sql
    domains: tuple[str, ...]
    tenant: str | None = None
    base_url: str | None = None
    email: str | None = None
    api_key: SecretStr | str | None = field(default=None, repr=False)
    dsn: SecretStr | str | None = field(default=None, repr=False)
    schema: str | None = None
    path: Path | None = None
    time_zone: str | None = None  # for naive times; None = they are refused
    now: datetime | None = None  # by the vendor's clock where that is not ours (the demo company lives in its own time)

    def __post_init__(self) -> None:
        for name in ("api_key", "dsn"):
            if isinstance(value := getattr(self, name), str):
                object.__setattr__(self, name, SecretStr(value))

    @property
    def source_relation(self) -> str:
        return f"{self.vendor}_{self.tenant}" if self.tenant else self.vendor

    @property
    def contract(self) -> str:
        return "own" if self.vendor in ("files", "sql") else self.vendor


def skip_if_absent(source: Client, table: str, pages: Iterator[Any], also: tuple[str, ...] = ()) -> Iterator[Any]:
    """`pages`, or nothing and a warning where the vendor refuses the first one and the contract says that it may lack this table.

    `also` are tables that come out of the same pages. 400 and 403 are how some hosts put "there is no such thing on your plan".
    """
    begun = False
    try:
        for page in pages:
            begun = True
            yield page
    except SourceError as error:
        if begun or not source.contracts[table].optional or getattr(error, "status", None) not in (400, 403, 404):
            raise
        source.absent |= {table, *also}
        source.warnings.append(f"{source.source_relation} gives no {table}, the table stays empty: {error}")


def at(seconds: float | None) -> datetime | None:
    """Seconds since 1970 → aware UTC datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def moment(text: Any) -> Any:
    """ISO-8601 with a zone → aware UTC datetime; anything else unchanged, for the contract check to judge."""
    if not isinstance(text, str) or not text:
        return text or None
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        return text
    return value.astimezone(UTC) if value.tzinfo else text

"""Columns of the demo company's tables as the text that HubSpot's properties are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from orchestration.sources.demo.base import EXPONENT, Frame, Versions
from orchestration.sources.demo.crm import OWNER_EMAILS
from orchestration.sources.demo.facade import iso, plain
from orchestration.sources.demo.hubspot_records import Objects

OWNER_ID = {email: str(7000 + i) for i, email in enumerate(OWNER_EMAILS)}


def only(versions: Versions, rows: np.ndarray) -> Versions:
    """Some rows of a table, with their history."""
    return Versions(versions.frame[rows].reset_index(drop=True), versions.key[rows], versions.at[rows], versions.gone[rows], versions.money)


def make_objects(
    name: str,
    versions: Versions,
    properties: dict[str, list],
    links: dict[str, list],
    created: str = "hs_createdate",
    archived: Any = None,
    hidden: Any = None,
    changed: str = "hs_lastmodifieddate",
) -> Objects:
    """One type of object; nothing archived or hidden unless said."""
    nothing = np.zeros(len(versions.frame), dtype=bool)
    return Objects(
        name, versions, properties, links, created, changed, nothing if archived is None else archived, nothing if hidden is None else hidden
    )


def milliseconds(column: pd.Series) -> list[str | None]:
    """Times as HubSpot writes them."""
    return iso(column, "ms")


def as_text(column: pd.Series) -> list[str | None]:
    """Values as text."""
    return [None if v is None else str(v) for v in plain(column)]


def as_flag(column: pd.Series) -> list[str | None]:
    """Truth values as text."""
    return [None if v is None else ("true" if v else "false") for v in plain(column)]


def as_amount(frame: Frame, column: str) -> list[str | None]:
    """Minor units as text in whole units; NULL where negative (not known yet)."""
    places = frame["currency"].map(EXPONENT)
    return [None if v < 0 else (str(v) if p == 0 else f"{v // 100}.{v % 100:02d}") for v, p in zip(frame[column], places, strict=True)]


def owner_ids(column: pd.Series) -> list[str | None]:
    """Ids of owners, from their e-mails."""
    return [OWNER_ID.get(v) for v in column]


def first_time(versions: Versions, column: str) -> pd.Series:
    """The earliest value of each record's versions."""
    return pd.Series(versions.frame[column].groupby(versions.key).transform("min"))


def iso_day(column: pd.Series) -> list[str | None]:
    """Dates as text."""
    return [None if t is None else t[:10] for t in iso(column)]

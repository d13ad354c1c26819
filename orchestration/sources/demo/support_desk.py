"""Who asks and who answers, and when the desk is open."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import Agreements
from orchestration.sources.demo.base import DAY, EPOCH, NEVER, Frame, Scope, Versions, ids, pick, stamp
from orchestration.sources.demo.crm import Accounts
from orchestration.sources.demo.people import untidy
from orchestration.sources.demo.tickets import AGENTS, Tickets
from orchestration.sources.demo.touches import span


def organization_versions(scope: Scope, who: Frame, accounts: Accounts, agreements: Agreements) -> Versions:
    """One organization a customer: with the CRM's id mostly, else by domain or name."""
    rng = scope.rng("orgs")
    begin, _ = span(scope, agreements, len(who))
    cust = np.flatnonzero(begin < NEVER)
    n = len(cust)
    created = begin[cust] + rng.integers(0, 5 * DAY, n)
    linked = (rng.random(n) < 0.8) | who["family"].to_numpy()[cust]
    no_domain = who["free_mail"].to_numpy()[cust] | (linked & (rng.random(n) < 0.12))
    edited = np.where(rng.random(n) < 0.1, created + rng.integers(5, 300, n) * DAY, NEVER)
    name, domain = untidy(rng, who["name"].to_numpy()[cust], 0.1), untidy(rng, np.where(no_domain, None, who["domain"].to_numpy()[cust]), 0.05)
    parts = []
    for at in (created, edited):
        rows = np.flatnonzero(at < scope.end)
        parts.append(
            pd.DataFrame(
                {
                    "key": cust[rows],
                    "at": at[rows],
                    "organization_id": organization_ids(scope, cust[rows]),
                    "account_id": np.where(linked[rows], accounts.names[cust[rows]], None),
                    "name": name[rows],
                    "domain": domain[rows],
                    "created_at": stamp(created[rows]),
                    "updated_at": stamp(at[rows]),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy())


def organization_ids(scope: Scope, cust: np.ndarray) -> np.ndarray:
    """Help desk numbers."""
    return ids("", 31_000_000_000 + scope.offset + cust).to_numpy(zero_copy_only=False)


def user_ids(scope: Scope, person: np.ndarray) -> np.ndarray:
    """Help desk users."""
    return ids("", 21_000_000_000 + scope.offset + person).to_numpy(zero_copy_only=False)


def user_versions(scope: Scope, tickets: Tickets, people: Frame) -> Versions:
    """Everybody who ever asked, from their first ticket on; and the agents. The contract has no such table, the vendor does."""
    t = tickets.frame.drop_duplicates("person")
    person = t["person"].to_numpy()
    askers = pd.DataFrame(
        {
            "user_id": user_ids(scope, person),
            "name": people["full_name"].to_numpy()[person],
            "email": people["email"].to_numpy()[person],
            "role": "end-user",
            "organization_id": np.where(t["no_org"], None, organization_ids(scope, t["cust"].to_numpy())),
            "created": t["made"].to_numpy() - 1,
        }
    )
    number = np.arange(AGENTS if scope.block == 0 else 0)
    agents = pd.DataFrame(
        {
            "user_id": ids("", 8000 + number).to_numpy(zero_copy_only=False),
            "name": pick([f"Agent {i}" for i in range(AGENTS)], number),
            "email": pick([f"agent{i}@{words.OWNER_DOMAIN}" for i in range(AGENTS)], number),
            "role": np.where(number == 0, "admin", "agent"),
            "organization_id": None,
            "created": EPOCH - 300 * DAY,
        }
    )
    out = pd.concat([agents, askers], ignore_index=True)
    at = out.pop("created").to_numpy().astype("int64")
    return Versions.build(out.assign(created_at=stamp(at), updated_at=stamp(at)), np.arange(len(out)), at)


def schedule_versions(scope: Scope) -> tuple[Versions, Versions]:
    """Two desks, one each side of the Atlantic, and their holidays. Only the first block writes them."""
    rows = [
        {"schedule_id": str(desk), "time_zone": zone, "weekday": day, "opens_at": opens, "closes_at": closes, "valid_from": None, "valid_to": None}
        for desk, zone, opens, closes in ((1, "Europe/Berlin", "08:00", "18:00"), (2, "America/New_York", "09:00", "17:30"))
        for day in range(1, 6)
    ]
    holidays = [
        {"schedule_id": str(desk), "name": name, "starts_on": f"{year}-{day}", "ends_on": f"{year}-{day}"}
        for year in range(2024, 2029)
        for desk, name, day in (
            (1, "New Year", "01-01"),
            (1, "Labour Day", "05-01"),
            (1, "German Unity Day", "10-03"),
            (1, "Christmas", "12-25"),
            (2, "New Year", "01-01"),
            (2, "Independence Day", "07-04"),
            (2, "Christmas", "12-25"),
        )
    ]
    table, days = pd.DataFrame(rows), pd.DataFrame(holidays)
    for column in ("starts_on", "ends_on"):
        days[column] = days[column].astype("datetime64[s]")
    if scope.block:
        table, days = table.iloc[:0], days.iloc[:0]
    long_ago = EPOCH - 400 * DAY
    return Versions.build(table, np.arange(len(table)), np.full(len(table), long_ago)), Versions.build(
        days, np.arange(len(days)), np.full(len(days), long_ago)
    )

"""The true lifecycle stage of every customer on every day, by the precedence of docs, from the company's own facts.

Red health is the pipeline's own judgement, so the days of red health are handed in; everything else is computed here on a grid
of customers × days, in another way than the pipeline's intervals.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import MONTHS
from orchestration.sources.demo.base import DAY, EPOCH, NEVER, Frame, add_months
from orchestration.sources.demo.billing import state_at
from orchestration.sources.demo.block import Block

THRESHOLDS = {
    "won_back_days": 90,
    "past_due_days": 60,
    "renewal_days": 90,
    "onboarding_days": 90,
    "onboarding_features": 3,
    "expansion_days": 60,
    "adoption_seat_use": 0.6,
    "adoption_features": 3,
}
WINDOW = 28  # days of use that count


class Grid:
    """Customers × days of one block; stretches of days are filled in as half-open ranges."""

    def __init__(self, block: Block) -> None:
        self.block = block
        self.shape = (len(block.who), block.scope.days + block.scope.horizon)

    def day(self, seconds: np.ndarray) -> np.ndarray:
        """Day number of a moment; what never happens lies beyond the grid."""
        return np.where(np.asarray(seconds) >= NEVER, self.shape[1], (np.asarray(seconds, dtype="int64") - EPOCH) // DAY)

    def fill(self, cust: np.ndarray, begin: np.ndarray, until: np.ndarray) -> np.ndarray:
        """True on the days from `begin` to before `until`, for each customer and stretch."""
        begin, until = np.clip(begin, 0, self.shape[1]), np.clip(until, 0, self.shape[1])
        keep = begin < until
        steps = np.zeros((self.shape[0], self.shape[1] + 1), dtype="int32")
        np.add.at(steps, (np.asarray(cust)[keep], begin[keep]), 1)
        np.add.at(steps, (np.asarray(cust)[keep], until[keep]), -1)
        return np.cumsum(steps, axis=1)[:, :-1] > 0


def stages(block: Block, mrr: Frame, red: np.ndarray | None = None, thresholds: Mapping[str, float] | None = None) -> np.ndarray:
    """Stage of each customer on each day (None = none), as an array of text. `red`: customers × days; `mrr`: truth intervals."""
    limit = THRESHOLDS | dict(thresholds or {})
    grid = Grid(block)
    amount = _amounts(grid, mrr)
    paying = amount > 0
    ever = np.maximum.accumulate(paying, axis=1)
    features, use, seats = _use(grid)
    onboarding, first = _onboarding(grid, paying, features, limit)
    adopting = (features < limit["adoption_features"]) | (use < limit["adoption_seat_use"] * seats)
    conflict = _escalated(grid) | _past_due(grid, limit) | (np.zeros(grid.shape, bool) if red is None else red)
    return np.select(
        [
            ever & ~paying,
            paying & _returned(grid, paying, first, limit),
            paying & conflict,
            paying & _renewing(grid, limit),
            paying & onboarding,
            paying & _expanded(grid, amount, limit),
            paying & adopting,
            paying,
            ~ever & _open_deal(grid),
        ],
        ["churned", "won_back", "conflict", "renewal", "onboarding", "expansion", "adoption", "retention", "prospect"],
        default="",
    )


def as_intervals(block: Block, found: np.ndarray) -> Frame:
    """Stages as half-open dates per customer; valid_to NaT = still so on the last day of the grid."""
    change = np.ones(found.shape, dtype=bool)
    change[:, 1:] = found[:, 1:] != found[:, :-1]
    row, begin = np.nonzero(change)
    until = np.append(begin[1:], 0)
    open_ = np.append(row[1:] != row[:-1], True)
    days = (np.datetime64(EPOCH, "s") + np.stack([begin, until]).astype("timedelta64[D]")).astype("datetime64[us]")
    out = pd.DataFrame({"customer": block.who["customer"].to_numpy()[row], "stage": found[row, begin], "valid_from": days[0], "valid_to": days[1]})
    out.loc[open_, "valid_to"] = pd.NaT
    return out[out["stage"] != ""].reset_index(drop=True)


def red_grid(block: Block, customers: pd.Series, dates: pd.Series) -> np.ndarray:
    """Days of red health as a grid."""
    grid = Grid(block)
    place = pd.Index(block.who["customer"]).get_indexer(customers)
    day = (pd.to_datetime(dates).to_numpy().astype("datetime64[s]").astype("int64") - EPOCH) // DAY
    keep = (place >= 0) & (day >= 0) & (day < grid.shape[1])
    red = np.zeros(grid.shape, dtype=bool)
    red[place[keep], day[keep]] = True
    return red


def _amounts(grid: Grid, mrr: Frame) -> np.ndarray:
    place = pd.Index(grid.block.who["customer"]).get_indexer(mrr["customer"])
    mrr, place = mrr[place >= 0], place[place >= 0]
    begin = (mrr["valid_from"].to_numpy().astype("datetime64[s]").astype("int64") - EPOCH) // DAY
    until = mrr["valid_to"].fillna(pd.Timestamp(2200, 1, 1)).to_numpy().astype("datetime64[s]").astype("int64")
    amount = np.zeros((grid.shape[0], grid.shape[1] + 1))
    until = np.clip((until - EPOCH) // DAY, 0, grid.shape[1])
    keep = begin < until
    np.add.at(amount, (place[keep], begin[keep]), mrr["mrr"].to_numpy()[keep])
    np.add.at(amount, (place[keep], until[keep]), -mrr["mrr"].to_numpy()[keep])
    return np.round(np.cumsum(amount, axis=1)[:, :-1], 3)


def _returned(grid: Grid, paying: np.ndarray, first: np.ndarray, limit: Mapping[str, float]) -> np.ndarray:
    starts = paying.copy()
    starts[:, 1:] &= ~paying[:, :-1]
    cust, day = np.nonzero(starts)
    later = day > first[cust]
    return grid.fill(cust[later], day[later], day[later] + int(limit["won_back_days"]) + 1)


def _expanded(grid: Grid, amount: np.ndarray, limit: Mapping[str, float]) -> np.ndarray:
    grown = np.zeros(grid.shape, dtype=bool)
    grown[:, 1:] = (amount[:, :-1] > 0) & (amount[:, 1:] > amount[:, :-1] + 0.005)
    cust, day = np.nonzero(grown)
    return grid.fill(cust, day, day + int(limit["expansion_days"]) + 1)


def _escalated(grid: Grid) -> np.ndarray:
    t = grid.block.tickets.frame
    t = t[t["escalated"] < NEVER]
    return grid.fill(t["cust"].to_numpy(), grid.day(t["escalated"]), grid.day(t["final"]))


def _past_due(grid: Grid, limit: Mapping[str, float]) -> np.ndarray:
    heads, subs = grid.block.ledger.invoices, grid.block.agreements.subs
    heads = heads[(heads["total"] > 0) & ~heads["voided"]]
    settled = np.minimum(heads["paid"], heads["written_off"])
    return grid.fill(subs["cust"].to_numpy()[heads["sub"]], grid.day(heads["due_at"]) + int(limit["past_due_days"]), grid.day(settled))


def _renewing(grid: Grid, limit: Mapping[str, float]) -> np.ndarray:
    """The last days of each paid year, unless the subscription was ended within it."""
    subs = grid.block.agreements.subs
    yearly = subs[(MONTHS[subs["interval"]] >= 12) & (subs["ended_by"] != "trial")]
    renewing = np.zeros(grid.shape, dtype=bool)
    for year in range(grid.shape[1] // 365 + 1):
        term = [add_months(yearly["start"].to_numpy(), np.full(len(yearly), 12 * (year + n))) for n in (0, 1)]
        # A year that is given away is not up for renewal.
        runs = (yearly["end"].to_numpy() >= term[1]) & ~((yearly["percent"] == 100) & (12 * year < yearly["discount_months"])).to_numpy()
        begin, until = grid.day(term[0][runs]), grid.day(term[1][runs])
        renewing |= grid.fill(yearly["cust"].to_numpy()[runs], np.maximum(until - int(limit["renewal_days"]), begin), until)
    return renewing


def _open_deal(grid: Grid) -> np.ndarray:
    deals = grid.block.tables["crm"]["opportunities"]
    f = deals.frame[~pd.Series(deals.key).duplicated(keep="last").to_numpy()]
    cust = pd.Index(grid.block.accounts.names).get_indexer(f["account_id"])
    seconds = lambda column: column.fillna(pd.Timestamp(2200, 1, 1)).to_numpy().astype("datetime64[s]").astype("int64")  # noqa: E731
    return grid.fill(cust, grid.day(seconds(f["created_at"])), grid.day(seconds(f["closed_at"])))


def _onboarding(grid: Grid, paying: np.ndarray, features: np.ndarray, limit: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Days between the first payment and the day on which kick-off, training and enough features have come together."""
    ends = grid.shape[1]
    first = np.where(paying.any(axis=1), paying.argmax(axis=1), ends)
    ready = first.copy()
    touches = grid.block.tables["crm"]["activities"].frame
    for kind in ("kickoff", "training"):
        held = touches[touches["kind"] == kind]
        day = np.full(grid.shape[0], ends)
        cust = pd.Index(grid.block.accounts.names).get_indexer(held["account_id"])
        np.minimum.at(day, cust, grid.day(held["occurred_at"].to_numpy().astype("datetime64[s]").astype("int64")))
        ready = np.maximum(ready, day)
    enough = (features >= limit["onboarding_features"]) & paying & (np.arange(ends)[None, :] >= ready[:, None])
    complete = np.where(enough.any(axis=1), enough.argmax(axis=1), ends)
    return grid.fill(np.arange(grid.shape[0]), first, np.minimum(complete, first + int(limit["onboarding_days"]))), first


def _use(grid: Grid) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features and users active in the last 28 days, and seats, for each customer and day."""
    usage = grid.block.usage
    names = pd.Index(usage.users.to_pylist())
    touched = np.zeros((len(words.FEATURES), *grid.shape), dtype=bool)
    active = np.zeros((len(names), grid.shape[1]), dtype=bool)
    for month in range((grid.shape[1] + 30) // 28 + 1):
        if not usage.exists(month):
            break
        table, _ = usage.month(month)
        day = table["usage_date"].to_numpy().astype("datetime64[s]").astype("int64")
        user = table["user_id"].combine_chunks().indices.to_numpy()
        day = (day - EPOCH) // DAY
        touched[table["feature"].combine_chunks().indices.to_numpy(), usage.cust[user], day] = True
        active[user, day] = True
    features = sum(_recent(one).astype("int32") for one in touched)
    users = np.zeros(grid.shape, dtype="int32")
    np.add.at(users, usage.cust, _recent(active).astype("int32"))
    return np.asarray(features), users, _seats(grid)


def _recent(days: np.ndarray) -> np.ndarray:
    """True where any of the last 28 days is."""
    total = np.cumsum(days, axis=1, dtype="int32")
    total[:, WINDOW:] -= total[:, :-WINDOW].copy()
    return total > 0


def _seats(grid: Grid) -> np.ndarray:
    """Seats of the largest subscription that runs on the day."""
    subs, changes = grid.block.agreements.subs, grid.block.agreements.changes
    seats = np.zeros(grid.shape)
    days = np.arange(grid.shape[1])
    begin, until = grid.day(subs["start"]), grid.day(subs["end"])
    for sub in np.flatnonzero((subs["ended_by"] != "trial").to_numpy()):
        alive = days[max(begin[sub], 0) : until[sub]]
        held = changes["quantity"].to_numpy()[state_at(changes, np.full(len(alive), sub), EPOCH + (alive + 1) * DAY - 1)]
        cust = subs["cust"].iat[sub]
        seats[cust, alive] = np.maximum(seats[cust, alive], held)
    return seats

"""The product: workspaces, and who used which feature on which day. Made a month at a time, so memory stays small at any size."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import Agreements
from orchestration.sources.demo.base import DAY, EPOCH, NEVER, Frame, Scope, Versions, ids, stamp
from orchestration.sources.demo.calendar import FIRST_DAY
from orchestration.sources.demo.crm import Accounts
from orchestration.sources.demo.customers import Customers
from orchestration.sources.demo.people import untidy
from orchestration.sources.demo.touches import span

FEATURE_PULL = np.array([0.85, 0.45, 0.30, 0.22, 0.20, 0.14, 0.26, 0.10, 0.16, 0.06])  # chance that an active user touches it
FEATURE_RESERVE = np.array([-3.0, -1.3, -0.9, -0.5, -0.3, 0.1, -0.8, 0.7, 0.3, 1.0])
SCHEMA = pa.schema(
    [
        ("usage_date", pa.date32()),
        ("workspace_id", pa.dictionary(pa.int32(), pa.string())),
        ("user_id", pa.dictionary(pa.int32(), pa.string())),
        ("feature", pa.dictionary(pa.int32(), pa.string())),
        ("events", pa.int64()),
        ("minutes", pa.float64()),
    ]
)


class Usage:
    """Daily use of a block, drawn on demand. Every month has random numbers of its own: the same rows whichever months are asked for."""

    def __init__(self, scope: Scope, customers: Customers, agreements: Agreements) -> None:
        self.scope, self.customers = scope, customers
        who = customers.frame
        rng = scope.rng("users")
        begin, until = span(scope, agreements, len(who))
        cust = np.flatnonzero(begin < NEVER)
        # Users: about as many as the most seats ever bought; they join over the first weeks, and as seats are added.
        seats = np.zeros(len(who), dtype=int)
        main = agreements.changes["plan"].to_numpy() < 4
        np.maximum.at(
            seats, agreements.subs["cust"].to_numpy()[agreements.changes["sub"].to_numpy()[main]], agreements.changes["quantity"].to_numpy()[main]
        )
        number = np.clip(rng.binomial(seats[cust], 0.93), 2, 14)
        self.cust = np.repeat(cust, number)
        self.place = np.arange(len(self.cust)) - np.repeat(np.cumsum(number) - number, number)
        n = len(self.cust)
        self.joined = begin[self.cust] + np.where(self.place == 0, 0, rng.integers(0, 45, n) * DAY)
        self.until = until[self.cust]
        self.gaps = self._gaps(agreements)
        self.habit = np.clip(rng.normal(-0.7, 1.15, n), -3.5, 1.3) + 0.8 * (self.place == 0)
        self.taste = np.exp(rng.normal(0, 0.45, (n, len(words.FEATURES))))
        self.taste[rng.random((n, len(words.FEATURES))) < 0.3] = 0.02
        # How well a customer must do before a feature catches on there.
        self.reserve = rng.normal(FEATURE_RESERVE, 0.8, (len(who), len(words.FEATURES)))
        self.workspaces = text_ids("ws_", scope, cust)
        self.workspace_index = np.searchsorted(cust, self.cust).astype("int32")
        self.users = text_ids("usr_", scope, np.arange(n))

    def _gaps(self, agreements: Agreements) -> np.ndarray:
        """Per customer the span (from, to) between leaving and coming back, when nobody uses the product."""
        subs = agreements.subs
        gap = np.full((len(self.customers.frame), 2), NEVER)
        back = subs[subs["kind"] == "return"]
        main = subs[subs["kind"] == "main"].set_index("cust")["end"]
        gap[back["cust"], 0] = main.loc[back["cust"]].to_numpy()
        gap[back["cust"], 1] = back["start"].to_numpy()
        return gap

    def month(self, number: int) -> tuple[pa.Table, np.ndarray]:
        """Rows of one calendar month of the company (0 = January 2024) and, for each, the day (since FIRST_DAY) on which it is reported."""
        first, last = _month_days(number, self.scope.days + self.scope.horizon)
        rng = self.scope.rng("usage", number)
        middle = np.full(len(self.cust), EPOCH + (first + 1) * DAY)
        here = np.flatnonzero((self.joined < EPOCH + last * DAY) & (self.until > EPOCH + first * DAY))
        days = np.arange(first, last)
        weekday = (days + FIRST_DAY.weekday()) % 7
        pace = np.where(weekday < 5, 0.0, -2.2)
        level = np.stack([self.customers.mean_health(self.cust[here], middle[here] + w * 7 * DAY, 2) for w in range(5)])
        week = np.minimum((days - first) // 7, 4)
        logit = -0.95 + self.habit[here][:, None] + 1.1 * level[week].T + pace[None, :]
        noon = EPOCH + days * DAY + DAY // 2
        gap = self.gaps[self.cust[here]]
        present = (noon >= self.joined[here][:, None]) & (noon < self.until[here][:, None]) & ~((noon >= gap[:, :1]) & (noon < gap[:, 1:]))
        active = present & (rng.random(logit.shape, dtype="float32") < 1 / (1 + np.exp(-logit)))
        row, column = np.nonzero(active)
        user = here[row]
        breadth = np.exp(0.28 * level[week[column], row])
        caught_on = 1 / (1 + np.exp(-4 * (level[week[column], row][:, None] - self.reserve[self.cust[user]])))
        likely = np.minimum(FEATURE_PULL * self.taste[user] * breadth[:, None] * caught_on, 0.95)
        touched = rng.random(likely.shape, dtype="float32") < likely
        touched[:, 0] |= ~touched.any(axis=1)
        item, feature = np.nonzero(touched)
        order = np.argsort(days[column[item]], kind="stable")
        item, feature = item[order], feature[order]
        who, day = user[item], days[column[item]]
        events = 1 + rng.poisson(3 * np.exp(0.3 * level[week[column[item]], row[item]]))
        minutes = np.round(events * rng.uniform(0.4, 3.5, len(events)), 1)
        reported = day + np.where(rng.random(len(day)) < 0.004, rng.integers(1, 7, len(day)), 0)
        dictionary = lambda index, values: pa.DictionaryArray.from_arrays(pa.array(index.astype("int32")), values)  # noqa: E731
        table = pa.table(
            [
                pa.array(day + EPOCH // DAY, type=pa.int32()).cast(pa.date32()),
                dictionary(self.workspace_index[who], self.workspaces),
                dictionary(who, self.users),
                dictionary(feature, pa.array(words.FEATURES)),
                pa.array(events, type=pa.int64()),
                pa.array(minutes),
            ],
            schema=SCHEMA,
        )
        return table, reported

    def exists(self, number: int) -> bool:
        """Whether a month begins before the end of the world."""
        return _month_days(number, self.scope.days + self.scope.horizon)[0] < self.scope.days + self.scope.horizon

    def batches(self, until: date, since: date | None = None) -> Iterator[tuple[str, pa.Table]]:
        """Month by month what is reported by the end of `until` (and after `since`)."""
        last = (until - FIRST_DAY).days
        after = -1 if since is None else (since - FIRST_DAY).days
        for number in range(max(_month_number(FIRST_DAY + timedelta(days=max(after - 7, 0))), 0), _month_number(until) + 1):
            if not self.exists(number):
                return
            table, reported = self.month(number)
            rows = (reported <= last) & (reported > after)
            if rows.any():
                yield f"{2024 + number // 12}-{number % 12 + 1:02d}", table if rows.all() else table.filter(pa.array(rows))


def _month_number(day: date) -> int:
    return (day.year - FIRST_DAY.year) * 12 + day.month - 1


def _month_days(number: int, end: int) -> tuple[int, int]:
    """First day and day after the last of a month, as days since FIRST_DAY, cut at the end of the world."""
    begin = date(2024 + number // 12, number % 12 + 1, 1)
    until = date(2024 + (number + 1) // 12, (number + 1) % 12 + 1, 1)
    return (begin - FIRST_DAY).days, min((until - FIRST_DAY).days, end)


def text_ids(prefix: str, scope: Scope, numbers: np.ndarray) -> pa.Array:
    """Ids of this block."""
    return ids(prefix, scope.offset + numbers, 8)


def workspace_versions(scope: Scope, who: Frame, accounts: Accounts, agreements: Agreements) -> Versions:
    """One workspace a customer: with the CRM's id mostly, else by domain."""
    rng = scope.rng("spaces")
    begin, _ = span(scope, agreements, len(who))
    cust = np.flatnonzero(begin < NEVER)
    n = len(cust)
    linked = (rng.random(n) < 0.86) | who["family"].to_numpy()[cust] | who["free_mail"].to_numpy()[cust]
    renamed = np.where(rng.random(n) < 0.08, begin[cust] + rng.integers(5, 300, n) * DAY, NEVER)
    domain = np.where((~linked | (rng.random(n) < 0.7)) & ~who["free_mail"].to_numpy()[cust], who["domain"].to_numpy()[cust], None)
    parts = []
    for at in (begin[cust], renamed):
        rows = np.flatnonzero(at < scope.end)
        parts.append(
            pd.DataFrame(
                {
                    "key": cust[rows],
                    "at": at[rows],
                    "workspace_id": text_ids("ws_", scope, cust[rows]).to_numpy(zero_copy_only=False),
                    "account_id": np.where(linked[rows], accounts.names[cust[rows]], None),
                    "name": untidy(rng, who["brand"].to_numpy()[cust[rows]], 0.2),
                    "domain": domain[rows],
                    "created_at": stamp(begin[cust[rows]]),
                    "updated_at": stamp(at[rows]),
                }
            )
        )
    out = pd.concat(parts, ignore_index=True)
    return Versions.build(out.drop(columns=["key", "at"]), out["key"].to_numpy(), out["at"].to_numpy())


def feature_versions(scope: Scope) -> Versions:
    """What the product can do. Only the first block writes it."""
    frame = pd.DataFrame({"feature": words.FEATURES, "is_core": words.CORE})
    frame = frame if scope.block == 0 else frame.iloc[:0]
    return Versions.build(frame, np.arange(len(frame)), np.full(len(frame), EPOCH - 400 * DAY))

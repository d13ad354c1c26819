"""Requests for help: how many, and how each one went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import HOUR, Agreements
from orchestration.sources.demo.base import DAY, EPOCH, NEVER, Frame, Scope, seconds
from orchestration.sources.demo.customers import Customers
from orchestration.sources.demo.touches import span

PRIORITIES = ["low", "normal", "high", "urgent"]


AGENTS = 8
CLOCK_CHANGES = [
    *("2024-03-10T07:30", "2024-03-31T01:30", "2024-10-27T00:30", "2024-10-27T01:30", "2024-11-03T05:30", "2024-11-03T06:30"),
    *("2025-03-09T07:30", "2025-03-30T01:30", "2025-10-26T00:30", "2025-11-02T05:30"),
]


@dataclass
class Tickets:
    """`frame`: one row a ticket with all its moments (NEVER where it never came to that)."""

    frame: Frame


def make_tickets(scope: Scope, customers: Customers, agreements: Agreements, people: Frame) -> Tickets:
    """Draw tickets week by week from latent health, then how each one went."""
    rng = scope.rng("tickets")
    n = len(customers.frame)
    begin, until = span(scope, agreements, n)
    size = np.exp(0.35 * customers.frame["size"].to_numpy())
    cust, made = [], []
    for week in range((scope.days + scope.horizon) // 7 + 1):
        middle = np.full(n, EPOCH + (week * 7 + 3) * DAY)
        fresh = middle < begin + 60 * DAY
        rate = 0.11 * size * np.exp(-0.55 * customers.mean_health(np.arange(n), middle, 3)) * (1 + fresh)
        number = rng.poisson(np.clip(rate, 0, 4)) * ((middle > begin) & (middle < until))
        who = np.repeat(np.arange(n), number)
        cust.append(who)
        made.append(
            EPOCH
            + (week * 7 + rng.choice(7, len(who), p=[0.2, 0.2, 0.19, 0.18, 0.15, 0.04, 0.04])) * DAY
            + np.clip(rng.normal(13 * HOUR, 4 * HOUR, len(who)), 0, DAY - 1).astype(int)
        )
    cust, made = np.concatenate(cust), np.concatenate(made)
    # In the hours that clocks skip or repeat, on either side of the Atlantic, somebody always asks.
    for moment in [seconds(datetime.fromisoformat(text)) for text in CLOCK_CHANGES]:
        near = np.flatnonzero((np.abs(made - moment) < 7 * DAY) & (begin[cust] < moment) & (until[cust] > moment))
        made[near[:1]] = moment
    order = np.lexsort((cust, made))
    cust, made = cust[order], made[order]
    keep = (made >= begin[cust]) & (made < until[cust])
    cust, made = cust[keep], made[keep]
    n = len(cust)
    health = customers.mean_health(cust, made, 4)
    draw = rng.random((8, n))
    priority = np.clip(np.searchsorted([0.25, 0.75, 0.94], draw[0] - 0.06 * health), 0, 3)
    reply = made + (np.exp(rng.normal(4.6, 1.1, n)) * 60 / (1 + 0.7 * priority)).astype(int)
    escalated = np.where((draw[1] < 0.04 * np.exp(-1.1 * health)), made + 2 * HOUR + (draw[2] * 4 * DAY).astype(int), NEVER)
    solved = (
        np.maximum(reply, np.where(escalated < NEVER, escalated, 0))
        + (np.exp(rng.normal(10.9 - 0.7 * health, 1.5, n))).astype(int)
        + np.where(escalated < NEVER, rng.integers(1, 12, n) * DAY, 0)
    )
    reopened = np.where((draw[3] < 0.07) & (escalated == NEVER), solved + HOUR + (draw[4] * 3 * DAY).astype(int), NEVER)
    again = np.where(reopened < NEVER, reopened + (np.exp(rng.normal(10, 1, n))).astype(int), NEVER)
    final = np.where(reopened < NEVER, again, solved)
    rated = np.where(draw[5] < 0.22, final + (draw[6] * 2 * DAY).astype(int) + 600, NEVER)
    score = np.clip(np.round(3.9 + 0.75 * health - 0.8 * (escalated < NEVER) + rng.normal(0, 0.8, n)), 1, 5).astype(int)
    first = np.searchsorted(people["cust"].to_numpy(), cust)
    people_of = np.bincount(people["cust"])[cust]
    person = first + 1 + (draw[7] * (people_of - 1)).astype(int)
    topic = rng.integers(0, len(words.SUBJECTS), n)
    return Tickets(
        pd.DataFrame(
            {
                "cust": cust,
                "made": made,
                "priority": priority,
                "reply": reply,
                "escalated": escalated,
                "solved": solved,
                "reopened": reopened,
                "again": again,
                "final": final,
                "closed": final + 4 * DAY,
                "rated": rated,
                "score": score,
                "person": person,
                "topic": topic,
                "erased": np.where(rng.random(n) < 0.004, final + 9 * DAY + rng.integers(0, 90, n) * DAY, NEVER),
                "no_org": rng.random(n) < 0.06,
                "agent": rng.integers(0, AGENTS, n),
                "channel": rng.integers(0, 4, n),
            }
        )
    )

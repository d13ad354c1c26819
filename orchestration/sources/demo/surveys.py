"""Surveys: NPS each quarter, CSAT and CES in between. Some answers carry the account, the others only an e-mail."""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.agreements import Agreements
from orchestration.sources.demo.base import DAY, EPOCH, Frame, Scope, Versions, ids, office_hours, pick, stamp
from orchestration.sources.demo.crm import Accounts
from orchestration.sources.demo.customers import Customers
from orchestration.sources.demo.people import untidy
from orchestration.sources.demo.touches import span


def response_versions(scope: Scope, customers: Customers, accounts: Accounts, agreements: Agreements, people: Frame) -> Versions:
    """Answers of up to three people a customer and wave; who does badly answers less and lower."""
    rng = scope.rng("surveys")
    who = customers.frame
    begin, until = span(scope, agreements, len(who))
    first = np.searchsorted(people["cust"].to_numpy(), np.arange(len(who)))
    size = np.bincount(people["cust"].to_numpy(), minlength=len(who))
    parts = []
    for wave in range((scope.days + scope.horizon) // 30 + 1):
        kind = "nps" if wave % 3 == 1 else ("csat" if wave % 3 == 2 else "ces")
        middle = np.full(len(who), EPOCH + (wave * 30 + 15) * DAY)
        present = np.flatnonzero((begin + 30 * DAY < middle) & (until > middle))
        health = customers.mean_health(present, middle[present], 5)
        answers = rng.binomial(3, np.clip((0.42 if kind == "nps" else 0.18) + 0.07 * health, 0.03, 0.9))
        cust, health = np.repeat(present, answers), np.repeat(health, answers)
        n = len(cust)
        noise = rng.normal(0, 1, n)
        score = {
            "nps": np.clip(np.round(7.2 + 1.9 * health + 1.4 * noise), 0, 10),
            "csat": np.clip(np.round(3.8 + 0.75 * health + 0.7 * noise), 1, 5),
            "ces": np.clip(np.round(5.0 + 0.9 * health + 0.9 * noise), 1, 7),
        }[kind]
        person = first[cust] + (rng.random(n) * size[cust]).astype(int)
        parts.append(
            pd.DataFrame({"kind": kind, "cust": cust, "score": score, "person": person, "at": office_hours(rng, wave * 30 + rng.integers(0, 30, n))})
        )
    out = pd.concat(parts, ignore_index=True).drop_duplicates(["kind", "person", "at"])
    out = out[(out["at"] < scope.end) & (out["at"].to_numpy() > begin[out["cust"]])].sort_values(["at", "cust"], kind="stable").reset_index(drop=True)
    n, cust = len(out), out["cust"].to_numpy()
    email = people["email"].to_numpy()[out["person"]]
    named = (rng.random(n) < 0.72) | who["family"].to_numpy()[cust]
    nobody = rng.random(n) < 0.002  # an answer that nobody can place
    theme = rng.integers(0, len(words.THEMES), n)
    frame = pd.DataFrame(
        {
            "response_id": ids("rsp_", scope.offset + np.arange(n), 8).to_numpy(zero_copy_only=False),
            "kind": out["kind"],
            "account_id": np.where(named & ~nobody, accounts.names[cust], None),
            "email": np.where(nobody, None, untidy(rng, email, 0.08)),
            "score": out["score"].to_numpy(),
            "comment": pick(words.COMMENTS, rng.integers(0, len(words.COMMENTS), n)),
            "theme": pick(words.THEMES, theme),
            "responded_at": stamp(out["at"]),
            "_cust": cust,
        }
    )
    return Versions.build(frame, np.arange(n), out["at"].to_numpy())

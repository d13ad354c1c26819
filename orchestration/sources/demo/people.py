"""The people at each customer: who decides, who pays, who uses. Systems know some of them, under e-mails written in their own way."""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd

from orchestration.sources.demo import words
from orchestration.sources.demo.base import Frame, Scope

ROLES = ["executive_sponsor", "champion", "billing", "user"]


def _ascii(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.replace("ø", "o")) if c.isascii() and c.isalpha()).lower()


def make_people(scope: Scope, who: Frame) -> Frame:
    """One row a person: cust, role, full_name, email, in_crm; the first three of each customer hold the three named roles."""
    rng = scope.rng("people")
    count = 5 + rng.integers(0, 4, len(who))
    cust = np.repeat(np.arange(len(who)), count)
    place = np.arange(len(cust)) - np.repeat(np.cumsum(count) - count, count)
    given, family = rng.integers(0, len(words.GIVEN), len(cust)), rng.integers(0, len(words.FAMILY), len(cust))
    local = np.array([_ascii(g) for g in words.GIVEN], dtype=object)[given] + "." + np.array([_ascii(f) for f in words.FAMILY], dtype=object)[family]
    number = who["number"].to_numpy()[cust].astype(str).astype(object)
    free, kin = who["free_mail"].to_numpy()[cust], who["family"].to_numpy()[cust]
    # Free-mail and family addresses carry a number, so that no two customers share one by chance.
    twin = pd.Series(place).groupby([cust, local]).cumcount().to_numpy()
    local = local + np.where(free | kin, number, "") + np.where(twin > 0, (twin + 1).astype(str).astype(object), "")
    host = np.where(free, np.array(words.FREE_MAIL, dtype=object)[rng.integers(0, len(words.FREE_MAIL), len(cust))], who["domain"].to_numpy()[cust])
    return pd.DataFrame(
        {
            "cust": cust,
            "place": place,
            "role": np.array(ROLES, dtype=object)[np.minimum(place, 3)],
            "full_name": np.array(words.GIVEN, dtype=object)[given] + " " + np.array(words.FAMILY, dtype=object)[family],
            "email": local + "@" + host,
            "in_crm": (place < 3) | (rng.random(len(cust)) < 0.85),
        }
    )


def untidy(rng: np.random.Generator, text: np.ndarray, share: float = 0.08) -> np.ndarray:
    """The same text as people type it: upper case here, a space there."""
    out = np.array(text, dtype=object)
    draw = rng.random(len(out))
    for low, change in ((0.0, str.upper), (0.4, lambda s: f" {s}"), (0.7, lambda s: f"{s} "), (0.85, str.title)):
        rows = np.flatnonzero((draw >= share * low) & (draw < share * {0.0: 0.4, 0.4: 0.7, 0.7: 0.85, 0.85: 1.0}[low]))
        out[rows] = [change(s) if isinstance(s, str) else s for s in out[rows]]
    return out

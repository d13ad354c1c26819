"""The demo company as others use it: generate, write files, serve, and ask for the truth."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from datetime import date, datetime
from functools import cached_property, partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from orchestration.domains import DOMAINS
from orchestration.sources.demo.base import Frame, Scope, Versions, join_versions
from orchestration.sources.demo.block import Block
from orchestration.sources.demo.calendar import FIRST_DAY, HORIZON
from orchestration.sources.demo.calendar import last_day as last_day_of
from orchestration.sources.demo.files import write_files, write_truth
from orchestration.sources.demo.truth import identities, truth
from orchestration.sources.demo.truth_stages import as_intervals, red_grid, stages

if TYPE_CHECKING:
    from orchestration.sources.demo.server import DemoServer

BLOCK = 2_000  # customers a block; memory grows with this, not with the company


def scopes(customers: int, days: int, seed: int, horizon: int) -> Iterator[Scope]:
    """The company cut into blocks."""
    for block, first in enumerate(range(0, customers, BLOCK)):
        yield Scope(seed=seed, block=block, first=first * 3, customers=min(BLOCK, customers - first), days=days, horizon=horizon)


class DemoCompany:
    """A simulated B2B software company: what is true, and what its systems say. The same arguments give the same company, byte for byte."""

    def __init__(self, customers: int, days: int, seed: int, horizon: int) -> None:
        self.first_day: date = FIRST_DAY
        self.horizon = horizon
        self.last_day: date = last_day_of(days)
        self.blocks = [Block(scope) for scope in scopes(customers, days, seed, horizon)]

    @classmethod
    def generate(cls, customers: int = 500, days: int = 540, seed: int = 7, horizon: int = HORIZON) -> DemoCompany:
        """`customers` arrive within `days` days from 2024-01-01; events go on for `horizon` days more, unseen until the clock reaches them."""
        if customers < 1 or days < 1 or horizon < 0:
            raise ValueError("customers and days must be at least 1, horizon at least 0")
        return cls(customers, days, seed, horizon)

    def write_files(self, out: Path, until: date, domains: tuple[str, ...] = DOMAINS, since: date | None = None) -> dict[str, int]:
        """The bring-your-own-tables contract as Parquet, as known at the end of `until` (UTC); with `since` only what is new or changed after it."""
        return write_files(self.blocks, Path(out), until, domains, since)

    @cached_property
    def truth(self) -> dict[str, Frame]:
        """customers, identities, mrr, mrr_changes, churn_events, stages: see truth.py and truth_stages.py.

        Dates are UTC; what happens beyond `last_day` is in it too. `stages` knows nothing of red health: see `truth_stages`.
        """
        found = truth(self.blocks)
        return found | {"stages": self._stages(found["mrr"], None, None)}

    def truth_stages(self, red_days: Frame | None = None, thresholds: Mapping[str, float] | None = None) -> Frame:
        """Stage intervals (customer, stage, valid_from, valid_to), given the days of red health: a frame of customer and date.

        Customers are the truth's keys. `thresholds` replace those of truth_stages.THRESHOLDS.
        """
        return self._stages(self.truth["mrr"], red_days, thresholds)

    def _stages(self, mrr: Frame, red_days: Frame | None, thresholds: Mapping[str, float] | None) -> Frame:
        parts = []
        for block in self.blocks:
            red = None if red_days is None else red_grid(block, red_days["customer"], red_days["date"])
            parts.append(as_intervals(block, stages(block, mrr, red, thresholds)))
        return pd.concat(parts, ignore_index=True)

    def table(self, domain: str, name: str) -> Versions:
        """One table of the whole company, with the history of each record."""
        return join_versions([block.tables[domain][name] for block in self.blocks])

    def serve(self, clock: datetime) -> DemoServer:
        """The vendors' APIs on loopback, showing what happened before `clock` (UTC). A context manager."""
        from orchestration.sources.demo.server import DemoServer

        return DemoServer(self, clock)


def true_identities(customers: int, days: int, seed: int, horizon: int = HORIZON) -> Iterator[Frame]:
    """Whose each record is (truth.identities) in the company of DemoCompany.generate, block by block: a large one need not fit into memory."""
    for scope in scopes(customers, days, seed, horizon):
        yield identities(Block(scope))


def generate_to_files(customers: int, days: int, out: Path, seed: int = 7, workers: int | None = None) -> date:
    """A company of any size, block by block, straight to files; the truth beside it in OUT/truth. Returns its last day.

    Blocks are made side by side by `workers` processes (default: one a core); each needs some 400 MB.
    """
    if customers < 1 or days < 1:
        raise ValueError("customers and days must be at least 1")
    work = list(scopes(customers, days, seed, horizon=0))
    last_day = last_day_of(days)
    write = partial(_write_block, out=Path(out), last_day=last_day)
    workers = min(workers or os.cpu_count() or 1, len(work))
    if workers == 1:
        for scope in work:
            write(scope)
        return last_day
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for _ in pool.map(write, work):
            pass
    return last_day


def _write_block(scope: Scope, out: Path, last_day: date) -> None:
    block = Block(scope)
    write_files([block], out, last_day)
    write_truth(truth([block]), out / "truth", scope.block)

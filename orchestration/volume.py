"""How many rows are plausible: bounds for a load from the loads before it, and for a table from its last published version.

Here belongs the arithmetic, pure; the bounds reach the suites as parameters `rows_floor`, `rows_ceiling` (critical) and
`rows_expected` (warning), and the suites compare.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from statistics import median

from orchestration.gates import NO_CEILING

BUSY = 20  # rows a day from which an empty load means that something broke, not that nothing happened
TRAILING = 56  # loads that make up the baseline: eight weeks of days
ENOUGH = 3  # loads without which there is no baseline
CEILING = 8  # times the baseline: "ten times the volume" must lie above it even where the baseline wavers
SPIKE = 3  # times the largest load before: a monthly billing run is no anomaly the second time
EXPECTED = 0.6  # of the baseline: "half the volume" must lie below it
KEPT = 0.5  # of the rows of the last published version: history does not shrink by half overnight
ANY_VOLUME = {"rows_floor": 0, "rows_ceiling": NO_CEILING, "rows_expected": 0}  # for a load: nothing at all may be fine


@dataclass(frozen=True)
class Load:
    """Rows that one load brought. `mode` as in its manifest: all there is, what the source says has changed, or what was found to be new."""

    load_date: date
    rows: int
    mode: str = "incremental"


def load_bounds(load: Load, earlier: Iterable[Load]) -> dict[str, int]:
    """Bounds for one load of one table of one source. Without a baseline only `nothing at all` is certain to be fine.

    Compared with loads of the same kind; the very first load (all history at once) is no example for a day. Days of the week
    differ, so where there are enough loads of the same weekday those are the baseline.
    """
    before = sorted((each for each in earlier if each.load_date < load.load_date), key=lambda each: each.load_date)
    alike = [each for each in before[1:] if each.mode == load.mode][-TRAILING:]
    if len(alike) < ENOUGH:
        return ANY_VOLUME
    same_day = [each.rows for each in alike if each.load_date.weekday() == load.load_date.weekday()]
    usual = median(same_day if len(same_day) >= ENOUGH else [each.rows for each in alike])
    if usual < BUSY:
        return ANY_VOLUME
    largest = max(each.rows for each in alike)
    return {
        "rows_floor": 1,
        "rows_ceiling": ceil(max(CEILING * usual, SPIKE * largest)),
        "rows_expected": ceil(EXPECTED * usual),
    }


def bounds_of_run(loads: Sequence[tuple[Load, Sequence[Load]]]) -> dict[str, int]:
    """Bounds for all that one run landed of a table: the sum over its loads (several days, several tenants)."""
    bounds = [load_bounds(load, earlier) for load, earlier in loads]
    total = {name: sum(each[name] for each in bounds) for name in ("rows_floor", "rows_ceiling", "rows_expected")}
    return {**total, "rows_ceiling": min(total["rows_ceiling"], NO_CEILING) if bounds else NO_CEILING}


def table_bounds(published_rows: int | None) -> dict[str, int]:
    """Bounds for a built table, from the rows it has in the published version; None = never published."""
    return {"rows_floor": max(1, ceil(KEPT * (published_rows or 0))), "rows_ceiling": NO_CEILING, "rows_expected": 0}

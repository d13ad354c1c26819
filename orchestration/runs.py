"""What one run knows about itself: its window and switches, carried from step to step in the run's tags.

Here belongs reading and writing those tags; not what the steps do with them. Tags, not partition context, because asset checks
have none.
"""

from __future__ import annotations

from datetime import date

from dagster import DagsterRun

from orchestration.published import newest_as_of
from orchestration.settings import Settings
from orchestration.window import RunWindow, make_window, today_in

PARTITION = "dagster/partition"
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
FULL_REFRESH = "csw/full_refresh"
FULL_LOAD = "csw/full_load"
ACCEPT_VOLUME = "csw/accept_volume"


def tags_for(start: date, end: date, *, full_refresh: bool = False, full_load: bool = False, accept_volume: bool = False) -> dict[str, str]:
    tags = {RANGE_START: start.isoformat(), RANGE_END: end.isoformat()}
    if full_refresh:
        tags[FULL_REFRESH] = "true"
    if full_load:
        tags[FULL_LOAD] = "true"
    if accept_volume:
        tags[ACCEPT_VOLUME] = "true"
    return tags


def window_of(run: DagsterRun, settings: Settings) -> RunWindow:
    """The run's window, from its partition or partition range.

    Raises ValueError when it was launched without a partition: the page and the schedule always give one; WindowError for days to come.
    """
    first = run.tags.get(RANGE_START) or run.tags.get(PARTITION)
    last = run.tags.get(RANGE_END) or run.tags.get(PARTITION)
    if not first or not last:
        raise ValueError("this run has no day: launch it for a partition (a day), or with csw run")
    newest, today = newest_as_of(settings.published_dir), None if settings.is_demo else today_in(settings.zone)
    return make_window(date.fromisoformat(first), date.fromisoformat(last), newest=newest, restatement_days=settings.restatement_days, today=today)


def wants_full_refresh(run: DagsterRun) -> bool:
    return run.tags.get(FULL_REFRESH) == "true"


def wants_full_load(run: DagsterRun) -> bool:
    """Whether everything is pulled anew from the sources, in whatever shape they have now."""
    return run.tags.get(FULL_LOAD) == "true"


def accepts_volume(run: DagsterRun) -> bool:
    """Whether a person has said that loads may have any number of rows, and tables be much smaller than in the published version."""
    return run.tags.get(ACCEPT_VOLUME) == "true"

"""N daily runs = one run over the range = a full rebuild: every mart, row for row.

Run as a program (`make parity`) for 60 days; tests/scale/test_parity.py calls it for fewer. Landing, dbt and predictions are the pipeline's own;
gates and publication are left out, because they change no mart.
"""

from __future__ import annotations

import argparse
import tempfile
from datetime import date, timedelta
from pathlib import Path

import duckdb

from orchestration import prediction_tables, predictions
from orchestration.assets.raw import land
from orchestration.assets.warehouse import SEEDS, SELECTIONS
from orchestration.content_hash import content_hash
from orchestration.contracts import load_contracts
from orchestration.dbt import Dbt
from orchestration.lake_views import register_raw_views
from orchestration.landing import Lake
from orchestration.settings import Settings, load_settings
from orchestration.sources.demo.calendar import last_day
from orchestration.translator import ROOMS
from orchestration.warehouse import connect, discard
from orchestration.window import RunWindow, make_window

Hashes = dict[str, str]


def parity(folder: Path, *, days: int, customers: int, history: int) -> tuple[Hashes, Hashes, Hashes]:
    """Content hashes of all marts after `days` daily runs, after one range run, and after a rebuild from the daily runs' lake.

    Data tests run where each of the three ends: on the way they would cost half of the time.
    """
    daily = load_settings(data_dir=folder / "daily", demo_customers=customers, demo_days=history)
    ranged = daily.model_copy(update={"data_dir": folder / "range"})
    first = last_day(history)
    last = first + timedelta(days=days)

    newest = None
    dbt = Dbt(daily)
    for number in range(days + 1):
        day = first + timedelta(days=number)
        window = make_window(day, day, newest=newest, restatement_days=daily.restatement_days)
        _land(daily, window)
        _build(daily, dbt, window, seeds=newest is None, tests=day == last)
        newest = day
    after_daily_runs = _hashes(daily)

    dbt = Dbt(ranged)
    begin = make_window(first, first, newest=None, restatement_days=ranged.restatement_days)
    _land(ranged, begin)
    _build(ranged, dbt, begin, tests=False)
    window = make_window(first + timedelta(days=1), last, newest=first, restatement_days=ranged.restatement_days)
    _land(ranged, window)
    _build(ranged, dbt, window, seeds=False)
    after_range = _hashes(ranged)

    discard(daily)
    _build(daily, Dbt(daily), make_window(last, last, newest=last, restatement_days=daily.restatement_days))
    return after_daily_runs, after_range, _hashes(daily)


def _land(settings: Settings, window: RunWindow) -> None:
    land(settings, Lake(settings.lake_dir, settings.quarantine_dir, load_contracts()), window, f"land-{window.end}")


def _build(settings: Settings, dbt: Dbt, window: RunWindow, *, seeds: bool = True, tests: bool = True) -> None:
    with connect(settings) as connection:
        register_raw_views(connection, load_contracts(), settings.lake_dir)
        prediction_tables.register_views(connection, settings)
    for room in ROOMS:
        if room == "marts":
            predictions.predict(settings, window.as_of)
        selection = [each for each in SELECTIONS[room].split() if seeds or each != SEEDS]
        outcomes = dbt.build(selection, window, run_id=f"build-{window.end}", tests=tests)
        bad = [f"{outcome.name}: {outcome.message}" for outcome in outcomes if outcome.status not in ("success", "pass")]
        if bad:
            raise AssertionError(f"{window.end} {room}: {bad[:5]}")


def _hashes(settings: Settings) -> Hashes:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        marts = connection.execute("select table_name from duckdb_tables() where schema_name = 'marts' order by 1").fetchall()
        return {name: content_hash(connection, f"marts.{name}") for (name,) in marts}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--customers", type=int, default=60)
    parser.add_argument("--history", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        daily, ranged, rebuilt = parity(Path(folder), days=options.days, customers=options.customers, history=options.history)
    different = sorted(name for name in daily if not daily[name] == ranged.get(name) == rebuilt.get(name))
    print(f"{options.days} daily runs, one range run and a rebuild on {date.today()}: {len(daily)} marts, {len(different)} differ {different}")
    raise SystemExit(bool(different))


if __name__ == "__main__":
    main()

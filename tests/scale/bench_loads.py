"""What a daily run costs after many daily loads (`make bench`): each leaves a partition of every table, and the next runs open them all.

Two companies with the same history are landed, one in a few loads and one in many, without building anything in between. Then the next days of
both are run in turn, and the medians are compared.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from datetime import timedelta
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from orchestration.assets.raw import land
from orchestration.contracts import load_contracts
from orchestration.landing import Lake
from orchestration.settings import load_settings
from orchestration.sources.demo.calendar import last_day
from orchestration.sources.demo.company import DemoCompany
from orchestration.window import make_window
from tests.scale.bench_size import Cost, environment, run_day

DAYS, DAYS_MORE, FEW = 540, 3, 5


class Company:
    """A simulated company in a folder of its own, of which all but the last `loads` days were landed at once."""

    def __init__(self, folder: Path, customers: int, loads: int):
        self._folder, self._newest = folder, last_day(DAYS) - timedelta(days=loads)
        self._company = DemoCompany.generate(customers=customers, days=DAYS + 1 + DAYS_MORE)
        self._company.write_files(folder / "drop", until=self._newest)
        self._land()
        for _ in range(loads):
            self._wait_a_day()
            self._land()
        print(f"  {loads} loads, first run {self.next_day()}", flush=True)

    def next_day(self) -> Cost:
        self._wait_a_day()
        return run_day(self._folder, self._newest)

    def _wait_a_day(self) -> None:
        since, self._newest = self._newest, self._newest + timedelta(days=1)
        self._company.write_files(self._folder / "drop", until=self._newest, since=since)

    def _land(self) -> None:
        os.environ.update(environment(self._folder))
        settings = load_settings()
        lake = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts())
        window = make_window(self._newest, self._newest, newest=None, restatement_days=settings.restatement_days)
        land(settings, lake, window, f"landed-{self._newest}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=100)
    parser.add_argument("--loads", type=int, default=500)
    options = parser.parse_args()
    print(f"{options.customers} customers, {DAYS} days")
    with tempfile.TemporaryDirectory() as folder:
        few, many = (Company(Path(folder) / str(loads), options.customers, loads) for loads in (FEW, options.loads))
        pairs = [(few.next_day(), many.next_day()) for _ in range(DAYS_MORE)]
        manifests = sum(path.stat().st_size for path in (Path(folder) / str(options.loads)).rglob("lake/raw/*/*/*/manifest.json"))
    for loads, costs in zip((FEW, options.loads), zip(*pairs, strict=True), strict=True):
        cpu = [cost.cpu for cost in costs]
        print(f"  next days after {loads:4} loads: {', '.join(f'{each:.1f}' for each in cpu)} s CPU, median {median(cpu):.1f} s")
    print(f"  manifests of {options.loads} loads: {manifests / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()

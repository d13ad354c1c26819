"""What a daily run costs at size, and whether it grows with the history behind it (`make bench`).

Two simulated companies are written as files and loaded, one with a short and one with a long history; then the next days of both are run in
turn, so that a machine that is slow for a while is slow for both, and the medians are compared (of two runs of one day, CPU differs by a tenth).
Limits (issue 4, 10,000 customers who use the product in 20 million rows of 540 days): that day costs at most 1.2 times as much CPU after
540 days as after 60; no run needs 6 GiB. A simulated company of that size makes 12 million rows: some of its users are written twice.
"Not SQL" is what the same day costs for a company of 20 customers, where DuckDB has next to nothing to do.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median

import duckdb
import pyarrow.parquet as pq

from orchestration.domains import DOMAINS, source_setting
from orchestration.sources.demo.calendar import last_day
from orchestration.sources.demo.company import DemoCompany

BIN = Path(sys.executable).parent
SMALLEST, DAYS_MORE, SAMPLED_EVERY = 20, 3, 0.25  # customers; days; seconds


@dataclass(frozen=True)
class Cost:
    """CPU and wall time in seconds, peak resident memory of all its processes together in MiB."""

    cpu: float
    wall: float
    peak: float

    def __str__(self) -> str:
        return f"{self.cpu:8.1f} s CPU {self.wall:8.1f} s wall {self.peak:8.0f} MiB"


class Company:
    """A simulated company in a folder of its own: so many days are loaded at first, then one more at a time."""

    def __init__(self, folder: Path, customers: int, days: int, twice: float):
        self._folder, self._drop, self._twice = folder, folder / "drop", twice
        self._newest = last_day(days)
        self._company = DemoCompany.generate(customers=customers, days=days + DAYS_MORE)
        rows = sum(self._company.write_files(self._drop, until=self._newest).values())
        usage, more = _write_users_twice(self._drop, f"{self._newest}-*", twice)
        print(f"  {customers} customers, {days} days, {rows + more:,} rows of which {usage:,} of usage")
        print(f"    first load {run_day(folder, self._newest)}", flush=True)

    def next_day(self) -> Cost:
        since, self._newest = self._newest, self._newest + timedelta(days=1)
        self._company.write_files(self._drop, until=self._newest, since=since)
        _write_users_twice(self._drop, f"{since}_*", self._twice)
        cost = run_day(self._folder, self._newest)
        print(f"    next day   {cost}", flush=True)
        return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--twice", type=float, default=0.68, help="share of users who are written twice, under another name")
    parser.add_argument("--days", type=int, default=540)
    parser.add_argument("--short", type=int, default=60, help="days of the short history")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        none = Company(Path(folder) / "none", SMALLEST, options.short, options.twice).next_day()
        short = Company(Path(folder) / "short", options.customers, options.short, options.twice)
        long = Company(Path(folder) / "long", options.customers, options.days, options.twice)
        pairs = [(short.next_day().cpu, long.next_day().cpu) for _ in range(DAYS_MORE)]
    before, after = (median(costs) for costs in zip(*pairs, strict=True))
    print(f"the day after {options.days} days costs {after / before:.2f} times the CPU of the day after {options.short} (medians; limit 1.2)")
    print(f"not SQL: {none.cpu / after:.0%} of the CPU of the day after {options.days}")


def _write_users_twice(drop: Path, files: str, share: float) -> tuple[int, int]:
    """Give a share of the users in these files of usage a double. Returns how many rows there are then, and how many of them were added."""
    rows = before = 0
    for path in (drop / "product" / "usage_daily").glob(f"{files}.parquet"):
        before += pq.read_metadata(path).num_rows
        part = path.with_suffix(".part")
        again = f"select * replace (user_id || '-2' as user_id) from '{path}' where hash(user_id) % 1000 < {1000 * share:.0f}"
        duckdb.sql(f"copy (from '{path}' union all {again}) to '{part}' (format parquet)")
        part.replace(path)
        rows += pq.read_metadata(path).num_rows
    return rows, rows - before


def environment(folder: Path) -> dict[str, str]:
    """Settings of a company whose files lie in `folder`/drop."""
    paths = {"CSW_DATA_DIR": str(folder / "data"), "CSW_FILES_DIR": str(folder / "drop"), "CSW_PII_KEY": "bench"}
    return paths | {f"CSW_{source_setting(domain)}": "files" for domain in DOMAINS}


def run_day(folder: Path, day: date) -> Cost:
    """One `csw run`, in a process of its own. SystemExit with what it said when it fails."""
    before, started, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0.0
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([str(BIN / "csw"), "run", "--date", str(day)], env={**os.environ, **environment(folder)}, stdout=said, stderr=said)
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            time.sleep(SAMPLED_EVERY)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"csw run --date {day} ended with {process.returncode}:\n{said.read()[-3000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(cpu, time.monotonic() - started, peak / 2**20)


def _resident(pid: int) -> float:
    """Bytes that a process and all it started hold in memory (Linux; elsewhere 0). Pages that they share are counted in each."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = [child for thread in Path(f"/proc/{pid}/task").iterdir() for child in (thread / "children").read_text().split()]
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident(int(child)) for child in children)


if __name__ == "__main__":
    main()

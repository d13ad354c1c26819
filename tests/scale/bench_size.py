"""What a daily run costs at size, and whether it grows with the history behind it (`make bench`).

A simulated company is written as files and loaded twice, with a short and with a long history; after each load one more day is run.
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

import duckdb
import pyarrow.parquet as pq

from orchestration.sources.demo.calendar import last_day
from orchestration.sources.demo.company import DemoCompany

BIN = Path(sys.executable).parent
DOMAINS = ("CRM", "BILLING", "SUPPORT", "PRODUCT", "SURVEY")
SMALLEST, SAMPLED_EVERY = 20, 0.25  # customers; seconds


@dataclass(frozen=True)
class Cost:
    """CPU and wall time in seconds, peak resident memory of all its processes together in MiB."""

    cpu: float
    wall: float
    peak: float

    def __str__(self) -> str:
        return f"{self.cpu:8.1f} s CPU {self.wall:8.1f} s wall {self.peak:8.0f} MiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--twice", type=float, default=0.68, help="share of users who are written twice, under another name")
    parser.add_argument("--days", type=int, default=540)
    parser.add_argument("--short", type=int, default=60, help="days of the short history")
    options = parser.parse_args()
    print(f"{options.customers} customers")
    _, none = _load_and_next_day(SMALLEST, options.short, options.twice)
    _, short = _load_and_next_day(options.customers, options.short, options.twice)
    _, long = _load_and_next_day(options.customers, options.days, options.twice)
    print(f"the day after {options.days} days costs {long.cpu / short.cpu:.2f} times the CPU of the day after {options.short} (limit 1.2)")
    print(f"not SQL: {none.cpu / long.cpu:.0%} of the CPU of the day after {options.days}")


def _load_and_next_day(customers: int, days: int, twice: float) -> tuple[Cost, Cost]:
    newest = last_day(days)
    with tempfile.TemporaryDirectory() as folder:
        drop = Path(folder) / "drop"
        company = DemoCompany.generate(customers=customers, days=days + 1)
        rows = sum(company.write_files(drop, until=newest).values())
        usage, more = _write_users_twice(drop, f"{newest}-*", twice)
        first = _run(Path(folder), newest)
        company.write_files(drop, until=newest + timedelta(days=1), since=newest)
        _write_users_twice(drop, f"{newest}_*", twice)
        del company
        following = _run(Path(folder), newest + timedelta(days=1))
    print(f"  {customers} customers, {days} days, {rows + more:,} rows of which {usage:,} of usage")
    print(f"    first load {first}\n    next day   {following}", flush=True)
    return first, following


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


def _run(folder: Path, day: date) -> Cost:
    environment = {**os.environ, "CSW_DATA_DIR": str(folder / "data"), "CSW_FILES_DIR": str(folder / "drop"), "CSW_PII_KEY": "bench"}
    environment |= {f"CSW_{domain}_SOURCES": "files" for domain in DOMAINS}
    before, started, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic(), 0.0
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen([str(BIN / "csw"), "run", "--date", str(day)], env=environment, stdout=said, stderr=said)
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

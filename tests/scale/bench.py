"""What a daily run costs beside a bare `dbt build` of the same models (`make bench`).

CPU time of whole processes, so that both pay their start-up; a ratio from one machine and one sitting, because machines are noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from orchestration.dbt import PROJECT_DIR, Dbt
from orchestration.settings import load_settings
from orchestration.sources.demo.calendar import last_day
from orchestration.window import make_window

BIN = Path(sys.executable).parent


def cpu_of(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """CPU and wall seconds of a command; stops the benchmark when it fails."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:2])} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, default=20)
    parser.add_argument("--days", type=int, default=90)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), demo_customers=options.customers, demo_days=options.days)
        environment = {"CSW_DATA_DIR": folder, "CSW_DEMO_CUSTOMERS": str(options.customers), "CSW_DEMO_DAYS": str(options.days)}
        first = cpu_of([str(BIN / "csw"), "run"], environment)
        daily = cpu_of([str(BIN / "csw"), "run"], environment)
        day = last_day(options.days) + timedelta(days=1)
        window = make_window(day, day, newest=day, restatement_days=settings.restatement_days)
        variables = json.dumps(Dbt(settings).variables(window, "bench"))
        bare = [str(BIN / "dbt"), "build", "--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR), "--quiet"]
        bare += ["--exclude-resource-type", "unit_test", "--target-path", f"{folder}/bare", "--log-path", f"{folder}/bare", "--vars", variables]
        warehouse = {"CSW_WAREHOUSE_PATH": str(settings.warehouse_path), "CSW_PII_KEY": settings.pii_key.get_secret_value()}
        cpu_of(bare, warehouse)  # parses
        dbt = cpu_of(bare, warehouse)
    print(f"smallest demo: {options.customers} customers, {options.days} days")
    for name, (cpu, wall) in (("first run", first), ("daily run", daily), ("bare dbt build", dbt)):
        print(f"  {name:15} {cpu:6.1f} s CPU {wall:6.1f} s wall")
    print(f"  a daily run costs {daily[0] / dbt[0]:.2f} times the CPU of a bare dbt build (limit 2.5)")


if __name__ == "__main__":
    main()

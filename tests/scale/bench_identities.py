"""How long a million source records take to find their customers: `python tests/scale/bench_identities.py`.

Two kinds of company (identity_companies.py), each built by dbt in a process of its own: one with all five systems, and one that has only
billing, where every name is compared with others, a fifth of them begin with "The " and a twentieth are "Customer" and a number. Time and
memory are of the whole process, its start included; building the tables that are read, and loading the seeds, is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import duckdb

from orchestration.dbt import PROJECT_DIR, Dbt
from orchestration.settings import load_settings
from orchestration.sources.demo.calendar import last_day
from orchestration.window import make_window
from tests.scale.bench import cpu_of
from tests.scale.identity_companies import SHAPES, make_companies

RECORDS = 1_000_000
LIMIT = 60
SEEDS = ["identity_evidence", "identity_overrides", "free_mail_domains", "shared_domains"]
MODELS = ["int_identities__*", "bridge_customer_identities", "rpt_identity_review_queue"]


def dbt(folder: Path, *arguments: str) -> tuple[float, float]:
    """CPU and wall seconds of one dbt process on the warehouse in `folder`."""
    settings = load_settings(data_dir=folder)
    window = make_window(last_day(540), last_day(540), newest=None, restatement_days=settings.restatement_days)
    command = [str(Path(sys.executable).parent / "dbt"), *arguments, "--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)]
    variables = json.dumps(Dbt(settings).variables(window, "bench"))
    command += ["--target-path", str(folder / "dbt"), "--log-path", str(folder / "dbt"), "--vars", variables]
    return cpu_of(command, {"CSW_WAREHOUSE_PATH": str(settings.warehouse_path), "CSW_PII_KEY": settings.pii_key.get_secret_value()})


def seconds_by_model(folder: Path) -> list[tuple[float, str]]:
    """What dbt says each model took, slowest first."""
    results = json.loads((folder / "dbt" / "run_results.json").read_text())["results"]
    return sorted(((each["execution_time"], each["unique_id"].split(".")[-1]) for each in results), reverse=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--kind", choices=list(SHAPES), help="only this one")
    options = parser.parse_args()
    for kind in [options.kind] if options.kind else SHAPES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            make_companies(folder / "warehouse.duckdb", options.records, SHAPES[kind])
            dbt(folder, "seed", "--select", *SEEDS)
            cpu, wall = dbt(folder, "run", "--select", *MODELS)
            slowest = seconds_by_model(folder)[:5]
            with duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True) as connection:
                records = connection.execute("select count(*) from intermediate.int_identities__nodes").fetchone()[0]
                customers = connection.execute("select count(*) from intermediate.int_identities__customers").fetchone()[0]
                reasons = connection.execute("select reason, count(*) from marts.rpt_identity_review_queue group by 1 order by 1").fetchall()
        memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024**2
        print(f"{kind}: {records:,} records of {customers:,} customers")
        print(
            f"  {wall:.1f} s wall (at most {LIMIT} on two idle cores), {cpu:.1f} s CPU; other processes of the machine: {os.getloadavg()[0]:.1f} load"
        )
        print(f"  largest process so far {memory:.1f} GB; slowest: {', '.join(f'{model} {seconds:.1f} s' for seconds, model in slowest)}")
        print(f"  to review: {', '.join(f'{count:,} {reason}' for reason, count in reasons) or 'nothing'}")


if __name__ == "__main__":
    main()

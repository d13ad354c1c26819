"""What the health score foretells in a demo company that it was not made on (`make bench`): fct_model_evaluations of one whole run.

Its weights and thresholds were written while looking at the demo's default seed, so that company proves nothing; this one has another. The AUC
must reach 0.75.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from orchestration import published
from orchestration.execution import execute
from orchestration.settings import load_settings
from orchestration.sources.demo.calendar import last_day

SEED, LEAST_AUC = 20261, 0.75
FOUND = """
    select model, segment, metric, value, low, high, observations, events
    from fct_model_evaluations
    where model = 'health_score' or metric = 'auc'
    order by model <> 'health_score', model, segment, metric
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=SEED, help="of the demo company; a seed is unseen once")
    parser.add_argument("--customers", type=int, default=500)
    parser.add_argument("--days", type=int, default=540)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(data_dir=Path(folder), demo_customers=options.customers, demo_days=options.days, demo_seed=options.seed)
        last = last_day(options.days)
        result = execute(settings, last, last)
        if result.exit_code:
            raise SystemExit("\n".join(result.reasons))
        rows = published.query(settings.published_dir, FOUND).rows
    print(f"demo company of seed {options.seed}, {options.customers} customers, {options.days} days")
    for model, segment, metric, value, low, high, observations, events in rows:
        interval = "" if low is None else f" (95 % {low:.3f} to {high:.3f})"
        print(f"  {model:24} {segment:16} {metric:16} {value:.3f}{interval}, {observations} snapshots, {events} before churn")
    found = {(model, segment, metric): value for model, segment, metric, value, *_ in rows}
    reached = found.get(("health_score", "all", "auc"), 0.0)
    print(f"  AUC of the health score {reached:.3f} (at least {LEAST_AUC})")
    raise SystemExit(reached < LEAST_AUC)


if __name__ == "__main__":
    main()

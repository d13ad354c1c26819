"""A process that publishes, for tests that kill it: `python publisher.py WAREHOUSE ROOT RUN_ID [die-at-step] [file-size-limit]`."""

from __future__ import annotations

import os
import resource
import signal
import sys
from datetime import date
from pathlib import Path

from orchestration.gates import GateResult
from orchestration.publication_files import Table
from orchestration.publish import publish

STEPS = ("copied", "exported", "proved", "written", "renamed", "flipped", "told", "retired")


def main(warehouse: str, root: str, run_id: str, die_at: str = "", limit: str = "") -> None:
    def checkpoint(step: str) -> None:
        if step == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    publish(
        Path(warehouse),
        Path(root),
        run_id=run_id,
        as_of_date=date(2024, 5, 1),
        tables=[Table.mart("facts", "id"), Table.mart("run")],
        gate_results=[GateResult("facts", "marts", "marts/facts", "passed", run_id=run_id)],
        required_gates={"marts/facts": run_id},
        keep=2,
        checkpoint=checkpoint,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

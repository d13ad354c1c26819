"""What the churn model leaves behind: the models of past months, and what they said of the first of each month.

Here belongs reading and writing it, below CSW_DATA_DIR/models/churn; it is state, like published versions, and never read as code. What
trains a model and which one is in use: churn_model.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.published import put_durably, write_durably

if TYPE_CHECKING:
    import pandas as pd

KEEP = 24  # models, and days of which it is kept what was said
SAID = ("customer_id", "churn_probability", "model_version")


@dataclass
class Entry:
    """One month's training. `model` None: too few churns, or a refused feature. `evaluations`: rows of fct_model_evaluations."""

    month: str
    note: str
    model: dict[str, Any] | None = None
    evaluations: list[dict[str, Any]] = field(default_factory=list)


def entries(folder: Path) -> list[Entry]:
    """Oldest first; the last one's model is in use."""
    path = folder / "models.json"
    return [Entry(**entry) for entry in json.loads(path.read_text())] if path.exists() else []


def store(folder: Path, kept: list[Entry]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(folder / "models.json", json.dumps([vars(entry) for entry in kept[-KEEP:]], indent=1))


def has_said(folder: Path, day: date) -> bool:
    return _said_on(folder, day).exists()


def say(folder: Path, day: date, scores: pd.DataFrame) -> None:
    """Keep what was said of a day: `scores` with the columns SAID; who got no probability is left out."""
    path = _said_on(folder, day)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".new")
    scores.loc[scores["churn_probability"].notna(), list(SAID)].to_parquet(unfinished, index=False)
    put_durably(unfinished, path)
    for old in sorted(path.parent.glob("*.parquet"))[:-KEEP]:
        old.unlink()


def said(folder: Path) -> pd.DataFrame:
    """All that is kept: as_of_date and SAID."""
    import pandas as pd

    days = [pd.read_parquet(path).assign(as_of_date=pd.Timestamp(path.stem)) for path in sorted((folder / "said").glob("*.parquet"))]
    return pd.concat(days, ignore_index=True) if days else pd.DataFrame(columns=["as_of_date", *SAID])


def _said_on(folder: Path, day: date) -> Path:
    return folder / "said" / f"{day.isoformat()}.parquet"

"""The tables that predictions are kept in, as views."""

from __future__ import annotations

import os
from datetime import date

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration import prediction_tables
from orchestration.churn_store import Entry, say, store
from orchestration.settings import load_settings


def test_a_file_of_an_older_release_lacks_what_has_come_since(tmp_path):
    """Its columns are read as they are, p_alive is NULL; a table without a file is empty."""
    (tmp_path / "predictions").mkdir()
    pq.write_table(pa.table({"customer_id": ["a"], "clv_amount": [80.0]}), tmp_path / "predictions" / "clv_estimates.parquet")
    connection = duckdb.connect()
    prediction_tables.register_views(connection, load_settings(data_dir=tmp_path))
    assert connection.sql("select customer_id, clv_amount, p_alive, typeof(p_alive) from predictions.clv_estimates").fetchall() == [
        ("a", 80.0, None, "DOUBLE")
    ]
    assert connection.sql("select * from predictions.churn_scores").fetchall() == []


def test_what_is_kept_is_on_the_disk_before_it_takes_its_place(tmp_path, monkeypatch):
    """A machine that goes down between the two would leave an empty file, and no run could read it."""
    synced, fsync, placed, replace = set(), os.fsync, [], os.replace
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.add(os.fstat(handle).st_ino), fsync(handle)))
    monkeypatch.setattr(os, "replace", lambda old, new: (placed.append((new, os.stat(old).st_ino in synced)), replace(old, new)))
    settings = load_settings(data_dir=tmp_path)
    empty = pd.DataFrame(columns=list(prediction_tables.prediction_contracts()["churn_scores"].column_names))
    prediction_tables.write(settings, "churn_scores", empty)
    store(tmp_path, [Entry("2024-05", "nothing to learn from yet")])
    say(tmp_path, date(2024, 5, 1), pd.DataFrame({"customer_id": ["a"], "churn_probability": [0.5], "model_version": ["v"]}))
    assert [(os.path.basename(new), was_synced) for new, was_synced in placed] == [
        ("churn_scores.parquet", True),
        ("models.json", True),
        ("2024-05-01.parquet", True),
    ]

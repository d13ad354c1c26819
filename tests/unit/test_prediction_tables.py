"""The tables that predictions are kept in, as views."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration import prediction_tables
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

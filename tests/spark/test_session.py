"""The Spark engine without Spark: what it says when it cannot run, and the SQL of its views."""

from pathlib import Path

import duckdb
import pytest

from orchestration import spark
from orchestration.contracts import Column, Contract

PLANS = Contract(
    "stripe", "plans", "billing", (Column("id", "string", required=True), Column("amount", "bigint"), Column("made", "timestamp")), ("id",)
)


def test_without_java_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(spark.SparkMissing, match="needs Java 17"):
        spark._require()


def test_an_old_java_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(spark.SparkMissing, match=r"Java 17 or newer.* is 11"):
        spark._require()


def test_a_table_that_never_landed_is_empty_and_typed(tmp_path: Path) -> None:
    said = spark.raw_view_sql(PLANS, tmp_path)
    assert "cast(null as string) as `id`, cast(null as bigint) as `amount`, cast(null as timestamp) as `made`" in said
    assert "cast(null as date) as `_load_date`" in said and said.endswith("where false")


def test_the_days_of_a_table_are_one_path(tmp_path: Path) -> None:
    folder = Path("/lake [1]/raw/stripe/plans")
    assert spark._glob(folder, ["load_date=2025-01-01"]) == r"/lake \[1\]/raw/stripe/plans/load_date=2025-01-01/*.parquet"
    both = spark._glob(folder, ["load_date=2025-01-01", "load_date=2025-01-02"])
    assert both == r"/lake \[1\]/raw/stripe/plans/{load_date=2025-01-01,load_date=2025-01-02}/*.parquet"


def test_duckdb_reads_what_spark_wrote_in_its_own_types(tmp_path: Path) -> None:
    fields = [("n", "int"), ("amount", "decimal(18,4)"), ("made_at", "timestamp"), ("day", "date")]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'America/New_York'")  # whatever zone the reader has
        empty = connection.execute(f"describe {spark._duckdb_select(tmp_path / 'none', fields)}").fetchall()
        assert [kind for _, kind, *_ in empty] == ["INTEGER", "DECIMAL(18,4)", "TIMESTAMP", "DATE"]
        folder = tmp_path / "t" / "day=2025-06-01"
        folder.mkdir(parents=True)
        row = "1 as n, 2.5::decimal(18,4) as amount, timestamptz '2025-06-01 12:00:00+00' as made_at"
        connection.execute(f"copy (select {row}) to '{folder / 'part.parquet'}' (format parquet)")
        found = connection.execute(f"select n, amount, made_at, day from ({spark._duckdb_select(tmp_path / 't', fields)})").fetchall()
    assert [str(value) for value in found[0]] == ["1", "2.5000", "2025-06-01 12:00:00", "2025-06-01"]

"""Publishing: what a version holds, who may stop it, and what is kept."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from types import SimpleNamespace

import duckdb
import pytest

from orchestration import publication_files, published
from orchestration.content_hash import content_hash
from orchestration.gates import CheckResult, GateResult
from orchestration.publication_files import Table
from orchestration.publication_tables import Freshness
from orchestration.publish import PublicationRefused, publish, refusals
from orchestration.published import PublicationError
from orchestration.quality import QualityStore

AS_OF = date(2024, 5, 1)
GOOD = GateResult("facts", "marts", "marts/facts", "passed", run_id="r1", checks=(CheckResult("volume", "volume", "critical", "passed", "3 rows"),))
BAD = replace(GOOD, outcome="failed", checks=(CheckResult("null(id)", "expectation", "critical", "failed", "2 of 3 rows", None, 2),))
REQUIRED = {"marts/facts": "r1"}


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("create schema marts")
        con.execute(
            "create table marts.facts as select * from (values (2, 1.50::decimal(18,4), null), (1, 2.25, 'a'), (3, 0, 'b')) as t(id, amount, name)"
        )
        con.execute("create table marts.fct_tickets (ticket_id varchar, run_id varchar)")
    return path


@pytest.fixture
def root(tmp_path):
    return tmp_path / "published"


def run(warehouse, root, **changes):
    given = {
        "run_id": "r1",
        "as_of_date": AS_OF,
        "tables": [Table.mart("facts", "id"), Table.mart("fct_tickets")],
        "gate_results": [GOOD],
        "required_gates": REQUIRED,
        "freshness": [Freshness("billing", "stripe", datetime(2024, 4, 30, 12)), Freshness("crm", "hubspot", datetime(2024, 3, 1))],
        "present_domains": ["billing", "crm"],
        "needs": {"facts": ["billing"], "fct_tickets": ["support"]},
    }
    return publish(warehouse, root, **given | changes)


def test_a_version_is_a_file_for_older_clients_parquet_and_a_manifest(warehouse, root):
    version = run(warehouse, root)
    assert version.version == "v0001"
    assert os.readlink(root / "current") == "v0001"
    assert version.tables == {"dim_publication": 5, "facts": 3, "fct_data_quality_results": 0, "fct_tickets": 0}
    assert int.from_bytes(version.database.read_bytes()[12:20], "little") <= 65, "storage newer than DuckDB 1.2 reads"
    assert published.query(root, "select id, amount, name from facts").rows[0][0] == 1, "rows lie in the order of the key"
    with duckdb.connect() as con:
        copy = con.execute(f"select * from read_parquet('{version.path}/parquet/facts.parquet')").fetchall()
    assert copy == published.query(root, "select * from facts").rows
    manifest = json.loads((root / "current" / "manifest.json").read_text())
    assert (manifest["run_id"], manifest["as_of_date"]) == ("r1", "2024-05-01")
    assert manifest["gates"] == [{"gate": "marts/facts", "run_id": "r1", "outcome": "passed", "severity": "critical", "reason": ""}]
    assert set(manifest["tables"]["facts"]) == {"rows", "content_hash"}
    assert published.status(root)["outcome"] == "published"


def test_the_same_content_has_the_same_hash_in_every_version(warehouse, root):
    first = run(warehouse, root)
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create or replace table marts.facts as select * from marts.facts order by id desc")
    second = run(warehouse, root, run_id="r2", gate_results=[replace(GOOD, run_id="r2")], required_gates={"marts/facts": "r2"})
    assert first.manifest["tables"]["facts"] == second.manifest["tables"]["facts"]
    with duckdb.connect(str(warehouse)) as con:
        con.execute("update marts.facts set amount = amount + 0.0001 where id = 2")
    third = run(warehouse, root)
    assert first.manifest["tables"]["facts"] != third.manifest["tables"]["facts"]


def test_dim_publication_says_how_fresh_each_source_is_and_what_is_absent(warehouse, root):
    run(warehouse, root)
    rows = published.query(root, "select domain, source_relation, is_stale, note from dim_publication order by domain").rows
    assert rows == [
        ("billing", "stripe", False, None),
        ("crm", "hubspot", True, "no record since 2024-03-01, more than 7 days before 2024-05-01"),
        ("product", None, False, "domain absent"),
        ("support", None, False, "domain absent: fct_tickets is empty"),
        ("surveys", None, False, "domain absent"),
    ]


@pytest.mark.parametrize(
    ("domain", "newest", "is_stale"),
    [
        ("billing", datetime(2024, 4, 25), False),
        ("billing", datetime(2024, 4, 24, 23, 59), True),
        ("product", datetime(2024, 4, 29), False),
        ("product", datetime(2024, 4, 28, 23, 59), True),
        ("surveys", datetime(2024, 4, 2), False),
        ("surveys", datetime(2024, 4, 1, 23, 59), True),
        ("support", None, True),
    ],
)
def test_a_source_is_stale_after_as_many_days_without_a_record_as_its_domain_has(domain, newest, is_stale):
    """The 1st of May and the six, two or 29 days before it."""
    assert (Freshness(domain, "x", newest).stale_since(AS_OF) is not None) == is_stale


@pytest.mark.parametrize(
    "results, required, gates",
    [
        ([BAD], REQUIRED, ["marts/facts"]),
        ([replace(GOOD, outcome="errored")], REQUIRED, ["marts/facts"]),
        ([replace(GOOD, outcome="not_run")], REQUIRED, ["marts/facts"]),
        ([], REQUIRED, ["marts/facts"]),
        ([GOOD], {"marts/facts": "r2"}, ["marts/facts"]),
        ([GOOD], {**REQUIRED, "raw/stripe__invoices": "r1"}, ["raw/stripe__invoices"]),
        ([GOOD, replace(BAD, asset="other")], REQUIRED, ["marts/other"]),
        ([BAD, GOOD], REQUIRED, []),
        ([replace(BAD, severity="warning")], REQUIRED, []),
        ([replace(BAD, run_id="r0"), GOOD], REQUIRED, []),
    ],
)
def test_only_a_pass_on_this_very_materialization_counts(results, required, gates):
    assert [result.name for result in refusals(results, required)] == gates


def test_a_refusal_leaves_what_bi_reads_and_says_why(warehouse, root):
    run(warehouse, root)
    before = {path: path.read_bytes() for path in (root / "v0001").rglob("*") if path.is_file()}
    with pytest.raises(PublicationRefused, match=r"marts/facts failed \(null\(id\): 2 of 3 rows\); BI keeps v0001 \(as of 2024-05-01\)"):
        run(warehouse, root, run_id="r2", as_of_date=date(2024, 5, 2), gate_results=[replace(BAD, run_id="r2")], required_gates={"marts/facts": "r2"})
    assert published.current(root).version == "v0001"
    assert {path: path.read_bytes() for path in (root / "v0001").rglob("*") if path.is_file()} == before
    status = published.status(root)
    assert (status["outcome"], status["run_id"], status["as_of_date"]) == ("held_back", "r2", "2024-05-02")
    assert (status["current"], status["current_as_of_date"]) == ("v0001", "2024-05-01")
    assert status["gates"][0]["gate"] == "marts/facts"
    with pytest.raises(PublicationRefused, match="no gate"):
        run(warehouse, root, required_gates={})


def test_the_first_version_can_be_refused(warehouse, root):
    with pytest.raises(PublicationRefused, match=r"BI keeps nothing yet$"):
        run(warehouse, root, gate_results=[BAD])
    assert (published.status(root)["outcome"], published.status(root)["current"]) == ("held_back", None)


def test_a_table_that_is_not_there_fails_the_publication_and_nothing_else(warehouse, root):
    run(warehouse, root)
    with pytest.raises(PublicationError, match=r"v0002 could not be written.*BI keeps v0001"):
        run(warehouse, root, tables=[Table.mart("nowhere")])
    assert published.status(root)["outcome"] == "failed"
    assert [path.name for path in root.iterdir() if path.name.startswith(".b")] == []


def test_a_disk_that_takes_nothing_at_all_is_told_as_such(warehouse, root, monkeypatch):
    """Neither the folder for the version nor the status."""
    run(warehouse, root)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("orchestration.publish.build", full)
    monkeypatch.setattr("orchestration.publish.write_status", full)
    with pytest.raises(PublicationError, match=r"v0002 could not be written: .*No space left on device; BI keeps v0001"):
        run(warehouse, root)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        ("update facts set amount = amount + 1 where id = 1", "table facts reads back other than it was written"),
        ("delete from facts where id = 1", "table facts should have 3 rows, the database has 2, its Parquet file 3"),
        ("copy (from facts limit 2) to '{parquet}'", "table facts should have 3 rows, the database has 3, its Parquet file 2"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_a_version_that_does_not_read_back_as_it_was_written_is_not_published(warehouse, root, monkeypatch, damage, why, is_first):
    if not is_first:
        run(warehouse, root)

    def damaged(warehouse_path, building, *args, **options):
        entries = publication_files.build(warehouse_path, building, *args, **options)
        with duckdb.connect(str(building / "customer_success.duckdb")) as con:
            con.execute(damage.format(parquet=building / "parquet/facts.parquet"))
        return entries

    monkeypatch.setattr("orchestration.publish.build", damaged)
    with pytest.raises(PublicationError, match=why):
        run(warehouse, root)
    assert [each.version for each in published.versions(root)] == ([] if is_first else ["v0001"])


def test_a_version_is_on_the_disk_before_bi_reads_it(warehouse, root, monkeypatch):
    """Killing a process shows nothing of it: what was written is then still in the memory of the machine."""
    synced, fsync, replace, unsafe = set(), os.fsync, os.replace, []

    def flip(old, new):
        if os.path.basename(new) == "current":
            unsafe.append([str(path) for path in [*(root / "v0001").rglob("*"), root / "v0001", root] if path.stat().st_ino not in synced])
        replace(old, new)

    monkeypatch.setattr(os, "fsync", lambda handle: (synced.add(os.fstat(handle).st_ino), fsync(handle)))
    monkeypatch.setattr(os, "replace", flip)
    run(warehouse, root)
    assert unsafe == [[]]


def test_one_publication_at_a_time(warehouse, root):
    steps = []

    def another(step):
        with (root / ".lock").open("w") as handle, pytest.raises(BlockingIOError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        steps.append(step)

    run(warehouse, root, checkpoint=another)
    assert steps == ["copied", "exported", "proved", "written", "renamed", "flipped", "told"]


def test_old_versions_go_but_never_the_one_bi_reads(warehouse, root):
    for _ in range(3):
        run(warehouse, root, keep=2)
    assert [each.version for each in published.versions(root)] == ["v0002", "v0003"]
    published.rollback(root, "v0002")
    assert published.current(root).version == "v0002"
    assert published.status(root)["outcome"] == "rolled_back"
    run(warehouse, root, keep=2)
    assert [each.version for each in published.versions(root)] == ["v0003", "v0004"]
    assert published.current(root).version == "v0004"
    with pytest.raises(PublicationError, match="choose from v0003, v0004"):
        published.rollback(root, "v0001")


def test_as_of_dates(warehouse, root):
    assert published.current(root) is None
    assert published.newest_as_of(root) is None
    run(warehouse, root)
    run(warehouse, root, as_of_date=date(2024, 5, 2))
    published.rollback(root, "v0001")
    assert published.current(root).as_of_date == date(2024, 5, 1)
    assert published.newest_as_of(root) == date(2024, 5, 2)


@pytest.mark.parametrize(
    "sql",
    [
        "create table x as select 1",
        "copy facts to '/tmp/out.csv'",
        "select * from read_text('/etc/hostname')",
        "attach '/tmp/other.duckdb'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "install httpfs",
        "drop table facts",
        "select nonsense from",
        "copy (select 1 as a) to '{database}' (format csv, use_tmp_file false)",
        "copy (select 1 as a) to '{database}.wal' (format csv, use_tmp_file false)",
        "explain analyze copy (select 1 as a) to '{database}' (format csv, use_tmp_file false)",
        "select 1; copy (select 1 as a) to '{database}' (format csv, use_tmp_file false)",
        "pragma database_list",
        "checkpoint",
    ],
)
def test_somebodys_sql_reads_the_version_and_nothing_else(sql, warehouse, root):
    run(warehouse, root)
    with pytest.raises(PublicationError):
        published.query(root, sql.format(database=published.current(root).database.resolve()))
    assert [path.name for path in published.current(root).path.glob("*.duckdb*")] == ["customer_success.duckdb"]
    assert published.query(root, "select count(*) as n from facts") == published.Answer(["n"], [(3,)])


@pytest.mark.parametrize("sql", ["from facts", "describe facts", "summarize facts", "show tables", "with a as (select 1) select * from a;"])
def test_whatever_only_reads_is_answered(sql, warehouse, root):
    run(warehouse, root)
    assert published.query(root, sql).rows


def test_a_question_is_answered_while_bi_reads(warehouse, root):
    """DuckDB lets several processes in as long as none of them could write."""
    script = "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", script, str(run(warehouse, root).database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout.readline() == "open\n"
        assert published.query(root, "select count(*) from facts").rows == [(3,)]


def test_nothing_published_is_said_in_one_line(root):
    with pytest.raises(PublicationError, match="nothing is published yet"):
        published.query(root, "select 1")
    assert published.current(root) is None
    assert published.versions(root) == []


def test_the_quality_history_of_the_last_runs_is_published(warehouse, root, tmp_path):
    store = QualityStore(tmp_path)
    store.record_gates("r0", "marts", [replace(BAD, run_id="r0")])
    store.record_gates("r1", "marts", [GOOD])
    run(warehouse, root, quality_files=store.files())
    rows = published.query(root, "select run_id, asset, check_name, kind, outcome, unexpected_rows from fct_data_quality_results").rows
    assert rows == [("r0", "facts", "null(id)", "expectation", "failed", 2), ("r1", "facts", "volume", "volume", "passed", None)]
    assert store.gate_results(["r1"]) == [GOOD]
    assert store.gate_results(["r0"])[0].blocks


def test_what_dbt_found_becomes_gates(tmp_path):
    nodes = {
        "model.csw.facts": {"name": "facts", "config": {"contract": {"enforced": True}}},
        "model.csw.other": {"name": "other", "config": {}},
        "test.csw.key": {"attached_node": "model.csw.facts", "config": {"severity": "ERROR"}},
        "test.csw.soft": {"attached_node": "model.csw.facts", "config": {"severity": "warn"}},
        "test.csw.residual": {"depends_on": {"nodes": ["model.csw.facts", "model.csw.other"]}, "config": {}},
    }
    outcome = lambda name, kind, status, failures=None, message=None: SimpleNamespace(  # noqa: E731
        unique_id=f"{kind}.csw.{name}", name=name, resource_type=kind, status=status, failures=failures, message=message
    )
    store = QualityStore(tmp_path)
    outcomes = [
        outcome("facts", "model", "success"),
        outcome("other", "model", "error", message="Conversion Error: Could not convert string 'someone@example.org' to INT32"),
        outcome("key", "test", "pass", 0),
        outcome("soft", "test", "warn", 3),
        outcome("residual", "test", "skipped"),
    ]
    results = {result.name: result for result in store.record_dbt("r1", "marts", outcomes, {"nodes": nodes})}
    assert [(check.check_name, check.kind, check.severity, check.outcome) for check in results["dbt/facts"].checks] == [
        ("contract", "contract", "critical", "passed"),
        ("key", "data_test", "critical", "passed"),
        ("soft", "data_test", "warning", "failed"),
    ]
    assert not results["dbt/facts"].blocks
    assert (results["dbt/other"].outcome, results["dbt/other"].blocks) == ("errored", True)
    assert results["dbt/other"].checks[1].kind == "reconciliation"
    assert "someone@example.org" not in str(results)
    store.record_dbt("r2", "marts", [outcome("facts", "model", "skipped")], {"nodes": nodes})
    assert store.last_built(["facts", "other", "never"]) == {"facts": "r2", "other": "r1"}


def test_content_hash_sees_content_and_nothing_else():
    with duckdb.connect() as con:
        base = "(select 1 as a, 'x' as b, 0.1::double + 0.2::double as c, 'r1' as run_id)"
        same = "(select 'r2' as run_id, 'x' as b, 0.3::double as c, 1 as a)"
        assert content_hash(con, base) == content_hash(con, same)
        for other in (
            "(select 1 as a, 'y' as b, 0.3::double as c)",
            "(select 1::bigint as a, 'x' as b, 0.3::double as c)",
            "(select 1 as a, 'x' as bb, 0.3::double as c)",
            "(select 1 as a, null as b, 0.3::double as c)",
            f"(select * from {base} union all select * from {base})",
            f"(select * from {base} where false)",
        ):
            assert content_hash(con, base) != content_hash(con, other), other

"""The command line where it is used wrongly: one line, the right exit code, and nothing begun. Answers with nothing lost on the way out."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from datetime import date

import duckdb
import pytest
from rich.console import Console
from typer.testing import CliRunner

from orchestration.answers import print_answer
from orchestration.cli import app, main
from orchestration.gates import CheckResult, GateResult
from orchestration.publication_files import Table
from orchestration.publish import publish
from orchestration.published import Answer, write_status
from orchestration.settings import REPO, load_settings


@pytest.fixture
def settings(tmp_path, monkeypatch):
    for name in list(os.environ):
        if name.startswith("CSW_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CSW_DATA_DIR", str(tmp_path / "data"))
    return load_settings()


@pytest.fixture
def published(settings):
    """Two versions of one small table."""
    settings.data_dir.mkdir()
    warehouse = settings.data_dir / "small.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create schema marts; create table marts.dim_dates as select 1 as day")
    for run_id in ("r1", "r2"):
        checks = (CheckResult("volume", "volume", "critical", "passed", "1"),)
        gate = GateResult("work", "marts", "marts/work", "passed", run_id=run_id, checks=checks)
        publish(
            warehouse, settings.published_dir, run_id=run_id, as_of_date=date(2024, 5, 1), tables=[Table.mart("dim_dates", "day")],
            gate_results=[gate], required_gates={"marts/work": run_id},
        )  # fmt: skip
    return settings


def refused(arguments: list[str], monkeypatch, capsys) -> tuple[int, str]:
    """Exit code, and the one line, of a command that must not do anything."""
    monkeypatch.setattr(sys, "argv", ["csw", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1, said.err
    return ended.value.code, said.err.strip()


@pytest.mark.parametrize(
    ("select", "told"),
    [
        ("(((", "--select '(((' is no asset selection: write it like key:fct_renewals"),
        ("", "--select '' is no asset selection"),
        ("nosuch", "--select 'nosuch' selects nothing that a run builds"),
        ("key:nosuch", "--select 'key:nosuch' selects nothing that a run builds"),
        ("key:own__invoices", "selects nothing that a run builds"),  # of a source that is not configured
    ],
)
def test_a_selection_of_nothing_is_not_a_selection_of_everything(settings, monkeypatch, capsys, select, told):
    from orchestration import execution

    monkeypatch.setattr(execution, "_begin_beside", lambda *_: None)
    code, line = refused(["run", "--date", "2024-05-01", "--select", select], monkeypatch, capsys)
    assert (code, told in line) == (2, True), line
    assert not settings.published_dir.exists()


def test_a_range_that_ends_before_it_begins_starts_nothing(settings, monkeypatch, capsys):
    code, line = refused(["run", "--from", "2025-02-01", "--to", "2025-01-01"], monkeypatch, capsys)
    assert (code, line) == (2, "the range starts on 2025-02-01 and ends before that, on 2025-01-01: swap --from and --to")
    assert not settings.data_dir.exists()


def test_check_config_looks_for_the_drop_folder(settings, monkeypatch, tmp_path):
    for domain in ("CRM", "SUPPORT", "PRODUCT", "SURVEY"):
        monkeypatch.setenv(f"CSW_{domain}_SOURCES", "")
    monkeypatch.setenv("CSW_BILLING_SOURCES", "files")
    monkeypatch.setenv("CSW_FILES_DIR", str(tmp_path / "nope"))
    told = CliRunner().invoke(app, ["check-config"])
    assert "the settings are fine" not in told.output
    assert str(told.exception) == "files: the drop folder nope/ is not there; set CSW_FILES_DIR to a folder"
    (tmp_path / "nope").mkdir()
    assert "the settings are fine" in CliRunner().invoke(app, ["check-config"]).output


def test_check_config_names_what_looks_like_a_setting_and_is_none(settings, monkeypatch):
    """CSW_SURVEYS_SOURCES= would leave the demo's surveys beside a company's own data."""
    told = CliRunner().invoke(app, ["check-config"]).output
    assert "is not a setting" not in told
    monkeypatch.setenv("CSW_SURVEYS_SOURCES", "")
    monkeypatch.setenv("CSW_STRIPE_EU_API_KEY", "sk_canary")
    told = CliRunner().invoke(app, ["check-config"]).output
    assert "CSW_SURVEYS_SOURCES is not a setting and changes nothing; is CSW_SURVEY_SOURCES meant?" in told
    assert "CSW_STRIPE_EU_API_KEY is not a setting and changes nothing" in told  # no source is called stripe:eu
    assert "canary" not in told
    monkeypatch.setenv("CSW_BILLING_SOURCES", "stripe:eu")
    assert "CSW_STRIPE_EU_API_KEY" not in CliRunner().invoke(app, ["check-config"]).output


@pytest.mark.parametrize("below", ["", "/below"])
def test_a_file_in_the_way_of_a_folder_is_named(settings, monkeypatch, capsys, tmp_path, below):
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("CSW_DATA_DIR", f"{tmp_path}/file{below}")
    code, line = refused(["run", "--date", "2024-05-01"], monkeypatch, capsys)
    assert code == 1
    assert line.startswith(f"CSW_DATA_DIR: {tmp_path}/file is a file; set it to a folder")
    made = CliRunner().invoke(app, ["demo", "generate", "--out", f"{tmp_path}/file{below}", "--customers", "1", "--days", "1"])
    assert made.exit_code == (1 if below else 2)
    assert "Traceback" not in made.output
    assert "file" in made.output
    assert (tmp_path / "file").read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named(settings, monkeypatch, capsys, tmp_path):
    """Not by rights, which the superuser of a test has all: by a folder that no one can make anything in."""
    monkeypatch.setattr("orchestration.execution._begin_beside", lambda *_: None)
    monkeypatch.setenv("CSW_DATA_DIR", "/proc/nothing")
    for arguments in (["run", "--date", "2024-05-01"], ["dev"], ["docs"]):
        code, line = refused(arguments, monkeypatch, capsys)
        assert code == 1
        assert line == "CSW_DATA_DIR: /proc/nothing cannot be written or read (No such file or directory); set it to a folder of yours"
    monkeypatch.setenv("CSW_DATA_DIR", str(tmp_path / "theirs" / "data"))
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)
    told = CliRunner().invoke(app, ["check-config"])
    assert str(told.exception) == f"CSW_DATA_DIR: {tmp_path} cannot be written; set it to a folder of yours"


@pytest.mark.parametrize("sql", ["", ";", "-- nothing"])
def test_an_empty_question_is_told_to_be(published, sql):
    told = CliRunner().invoke(app, ["query", "--", sql])
    assert str(told.exception) == "there is nothing to ask in it: give one SELECT"


def test_a_format_that_is_none_is_wrong_usage(published):
    assert CliRunner().invoke(app, ["query", "select 1", "--format", "xml"]).exit_code == 2
    assert json.loads(CliRunner().invoke(app, ["query", "select 1 as a", "--format", "json"]).stdout) == {"a": 1}


def test_before_the_first_publication_versions_say_what_to_do(settings):
    assert CliRunner().invoke(app, ["versions"]).stdout == "nothing is published yet: csw run\n"


def test_status_tells_all_times_alike(published):
    write_status(published.published_dir, outcome="failed", run_id="abcdef123", as_of_date=date(2024, 5, 2), reason="no [network]")
    shown = CliRunner().invoke(app, ["status"]).stdout
    assert re.search(r"published \d{4}-\d\d-\d\d \d\d:\d\d UTC\n", shown)
    assert re.search(r"failed for 2024-05-02 \(run abcdef12, \d{4}-\d\d-\d\d \d\d:\d\d UTC\)\n +no \[network\]", shown)


def test_versions_are_listed_when_the_one_that_bi_reads_is_broken(published):
    assert "→ v0002" in " ".join(CliRunner().invoke(app, ["versions"]).stdout.split())
    (published.published_dir / "v0002" / "manifest.json").write_text("{")
    told = CliRunner().invoke(app, ["versions"])
    assert told.exit_code == 0
    assert "v0001" in told.stdout
    assert "→" not in told.stdout
    assert "BI is pointed at v0002, which is not a whole version: csw rollback to one of these" in told.stdout
    assert "BI now reads v0001" in CliRunner().invoke(app, ["rollback", "v0001"]).stdout


def shown(answer: Answer, format_: str, capsys, **console) -> str:
    out = io.StringIO()
    print_answer(Console(file=out, emoji=False, **console), answer, format_)
    return out.getvalue() + capsys.readouterr().out


def test_json_has_every_column_and_no_number_that_is_none(capsys):
    answer = Answer(["a", "a", "a_1", "b"], [(1, float("nan"), [float("inf"), 2.5], {date(2024, 5, 1): float("-inf")})])
    line = shown(answer, "json", capsys)
    assert json.loads(line, parse_constant=pytest.fail) == {"a": 1, "a_2": None, "a_1": [None, 2.5], "b": {"2024-05-01": None}}


def test_text_is_no_markup_in_cells_or_headings(capsys):
    answer = Answer(["[/]", "[bold]x", "\\[red]"], [("[/b]", ":wave:", "\\[red]\x1b[2J")])
    lines = shown(answer, "table", capsys, width=80).splitlines()
    assert lines[0].split() == ["[/]", "[bold]x", "\\[red]"]
    assert lines[1].split() == ["[/b]", ":wave:", "\\[red]", "[2J"]


LONG = Answer(["asset", "observed"], [("fct_" + "x" * 60, "y" * 70)])
WIDE = Answer([f"column_{n}" for n in range(10)], [tuple(f"value_{n}_of_the_row" for n in range(10))])


@pytest.mark.parametrize("answer", [LONG, WIDE], ids=["long", "wide"])
def test_a_table_loses_nothing_on_a_screen_or_in_a_pipe(answer, capsys):
    piped = shown(answer, "table", capsys, width=80).splitlines()
    assert len(piped) == 2
    assert piped[1].split() == list(answer.rows[0])
    screen = shown(answer, "table", capsys, width=80, force_terminal=True, color_system=None)
    assert "…" not in screen
    assert max(map(len, screen.splitlines())) <= 80
    if answer is WIDE:  # a row is a block, a column a line
        assert [line.split() for line in screen.splitlines()[1:]] == [list(pair) for pair in zip(answer.columns, answer.rows[0], strict=True)]
    else:
        assert screen.count("x") == 60
        assert screen.count("y") == 70


def test_the_owner_in_the_readme_is_one_of_the_demo():
    from orchestration.sources.demo.crm import OWNER_EMAILS

    assert re.search(r"csw worklist --owner (\S+)", (REPO / "README.md").read_text())[1] in OWNER_EMAILS


def test_csv_is_as_it_was(capsys):
    assert list(csv.reader(io.StringIO(shown(LONG, "csv", capsys)))) == [LONG.columns, list(LONG.rows[0])]


def test_a_terminal_without_a_width_gets_an_answer(published):
    command = [sys.executable, "-m", "orchestration.cli", "query", "select 42 as answer"]
    ran = subprocess.run(command, cwd=REPO, env=os.environ | {"COLUMNS": "0"}, capture_output=True, text=True)
    assert ran.stdout.split() == ["answer", "42"]


def test_a_terminal_that_is_not_utf_8_gets_an_answer(published):
    command = [sys.executable, "-m", "orchestration.cli", "query", "select 'ł€ü' as answer"]
    ran = subprocess.run(command, cwd=REPO, env=os.environ | {"PYTHONIOENCODING": "latin-1"}, capture_output=True, encoding="latin-1")
    assert ran.stdout.split() == ["answer", "??ü"]

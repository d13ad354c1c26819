"""The worklist as people get it: whose rows, what a spreadsheet or a chat could make of a text, and a webhook that is off, well or dead."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import duckdb
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.gates import CheckResult, GateResult
from orchestration.publication_files import Table
from orchestration.publish import publish
from orchestration.published import Answer, PublicationError
from orchestration.settings import REPO, load_settings
from orchestration.worklist import DIGEST_ITEMS, digest_texts, owner_hash, read_worklist, send_digests

AS_OF = date(2024, 5, 1)
JO, KIM = "jo@maker.example", "kim@maker.example"
NAMES = ["Acme", '=cmd|"/c calc"!A1', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"]


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("CSW_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CSW_PII_KEY", "k")
    monkeypatch.delenv("CSW_DIGEST_WEBHOOK_URL", raising=False)
    return load_settings()


@pytest.fixture
def listed(settings):
    """A published version: jo has two customers with one item each, kim the others, and the last has no owner; c0 is first."""
    owners = [owner_hash(settings, JO)] * 2 + [owner_hash(settings, KIM)] * (len(NAMES) - 3) + [None]
    warehouse = settings.data_dir / "small.duckdb"
    with duckdb.connect(str(warehouse)) as con:
        con.execute("create schema marts")
        con.execute("create table marts.dim_customers (customer_id varchar, customer_name varchar, owner_email_hash varchar)")
        con.execute(
            "create table marts.fct_success_worklist (worklist_id varchar, customer_id varchar, as_of_date date, reason varchar, play varchar, "
            "owner_email_hash varchar, channel varchar, due_on date, value_at_risk decimal(18,4), urgency bigint, rank bigint, evidence varchar)"
        )
        for place, (name, owner) in enumerate(zip(NAMES, owners, strict=True)):
            con.execute("insert into marts.dim_customers values (?, ?, ?)", [f"c{place}", name, owner])
            con.execute(
                "insert into marts.fct_success_worklist values (?, ?, ?, 'use_fell', 'Call them', ?, 'call', ?, ?, 3, ?, 'Use is 42 %')",
                [f"w{place}", f"c{place}", AS_OF, owner, date(2024, 4, 30 if place % 2 else 29), 1000 - place, place + 1],
            )
    gate = GateResult("work", "marts", "marts/work", "passed", run_id="r1", checks=(CheckResult("volume", "volume", "critical", "passed", "8"),))
    tables = [Table.mart("dim_customers", "customer_id"), Table.mart("fct_success_worklist", "worklist_id")]
    publish(warehouse, settings.published_dir, run_id="r1", as_of_date=AS_OF, tables=tables, gate_results=[gate], required_gates={"marts/work": "r1"})
    return settings


def customers(answer: Answer) -> list[str]:
    return [row[answer.columns.index("customer_id")] for row in answer.rows]


def test_the_hash_of_an_address_is_the_one_that_is_published(settings):
    """The macro's own text, with the key as it gets it."""
    macro = (REPO / "dbt_project/macros/keyed_hash.sql").read_text()
    expression = re.search(r"default__keyed_hash\(column\) -%}(.*?){%- endmacro", macro, re.DOTALL)[1].replace("{{ column }}", f"'{JO}'")
    with duckdb.connect() as con:
        con.execute("set variable pii_key = 'k'")
        assert con.execute(f"select {expression}").fetchone()[0] == owner_hash(settings, " Jo@Maker.example ")


def test_the_list_is_read_by_owner_best_first(listed):
    assert customers(read_worklist(listed)) == [f"c{place}" for place in range(len(NAMES))]
    assert customers(read_worklist(listed, "JO@maker.example")) == ["c0", "c1"]
    assert customers(read_worklist(listed, owner_hash(listed, JO)[:6])) == ["c0", "c1"]
    assert customers(read_worklist(listed, "nobody")) == ["c7"]


@pytest.mark.parametrize("owner", ["pat@maker.example", "abc", "", "x' or '1'='1", "000000000000"])
def test_an_owner_that_nobody_is_is_said_to_be(listed, owner):
    with pytest.raises(PublicationError, match=r"no owner is called|0 owners are meant"):
        read_worklist(listed, owner)


def test_csv_holds_nothing_that_a_spreadsheet_would_run(listed):
    result = CliRunner().invoke(app, ["worklist", "--format", "csv"])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(io.StringIO(result.stdout_bytes.decode(), newline="")))
    assert [row["customer_name"] for row in rows] == ["Acme", *[f"'{name}" for name in NAMES[1:]]]
    assert not [value for row in rows for value in row.values() if value[:1] in set("=+-@\t\r\n")]
    assert (rows[0]["rank"], rows[0]["value_at_risk"], rows[0]["evidence"]) == ("1", "1000.0000", "Use is 42 %")


def test_json_lines_hold_texts_as_they_are_and_one_owner_alone(listed):
    result = CliRunner().invoke(app, ["worklist", "--owner", JO, "--format", "json"])
    assert [json.loads(line)["customer_name"] for line in result.stdout.splitlines()] == NAMES[:2]


def test_the_table_and_wrong_usage(listed):
    shown = CliRunner().invoke(app, ["worklist", "--owner", JO]).stdout
    assert "2 to do, value at risk in USD" in shown
    assert "Acme" in shown
    assert CliRunner().invoke(app, ["worklist", "--format", "xml"]).exit_code == 2


@contextmanager
def webhook(answer: bytes = b"HTTP/1.0 200 OK\r\n\r\n"):
    """A server that notes what it is told and answers with these bytes: (address, what was told)."""
    told = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"])
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", told
    finally:
        server.shutdown()
        server.server_close()


def with_webhook(settings, url: str):
    return settings.model_copy(update={"digest_webhook_url": SecretStr(url)})


def test_each_owner_gets_a_digest_and_nobody_is_named_by_address(listed):
    with webhook() as (url, told):
        assert send_digests(with_webhook(listed, url)) == 3
    assert sorted(text.splitlines()[0] for text in told) == sorted(
        [
            f"Worklist of {owner_hash(listed, JO)} as of 2024-05-01: 2 to do, 2 overdue",
            f"Worklist of {owner_hash(listed, KIM)} as of 2024-05-01: 5 to do, 5 overdue",
            "Worklist of nobody as of 2024-05-01: 1 to do, 1 overdue",
        ]
    )
    assert "1. Acme: use fell, 1,000 USD, due 2024-04-29. Call them (Use is 42 %)" in "\n".join(told)
    assert JO not in "\n".join(told)


def test_no_digest_is_sent_or_read_unless_it_is_asked_for(settings):
    """Nothing is published here: reading would raise, or warn."""
    with webhook() as (url, told):
        assert send_digests(settings.model_copy(update={"webhook_url": SecretStr(url)})) == 0
    assert told == []


@pytest.mark.parametrize("answer", [b"HTTP/1.0 500 No\r\n\r\n", b"what?\r\n\r\n", b""], ids=["an error", "no HTTP", "silence"])
def test_a_dead_webhook_is_tried_once_and_raises_nothing(listed, caplog, answer):
    with webhook(answer) as (url, told):
        assert send_digests(with_webhook(listed, url)) == 0
    assert len(told) == 1
    assert "CSW_DIGEST_WEBHOOK_URL" in caplog.text
    assert "/hook" not in caplog.text


def test_a_list_that_cannot_be_read_is_a_warning(settings, caplog):
    assert send_digests(with_webhook(settings, "http://127.0.0.1:9/hook")) == 0
    assert "no digest was sent: nothing is published yet" in caplog.text


def item(place: int, **changes) -> dict:
    given = {
        "rank": place,
        "customer_name": f"Customer {place}",
        "customer_id": f"c{place}",
        "reason": "code_red",
        "value_at_risk": 5,
        "play": "Call",
    }
    return given | {"due_on": date(2024, 5, 1), "as_of_date": AS_OF, "evidence": "Silent", "owner_email_hash": "ab" * 32} | changes


def texts(*items: dict) -> list[str]:
    return digest_texts(Answer(list(items[0]), [tuple(each.values()) for each in items]), "USD")


def test_a_digest_has_a_bound_and_says_how_to_read_on():
    (text,) = texts(*[item(place) for place in range(1, DIGEST_ITEMS + 3)])
    assert len(text.splitlines()) == 1 + DIGEST_ITEMS + 1
    assert text.splitlines()[0].endswith("12 to do, 0 overdue")
    assert text.splitlines()[-1] == "and 2 more: csw worklist --owner abababababab"


def test_a_text_of_a_source_calls_nobody_links_nowhere_and_shows_no_address():
    (text,) = texts(item(1, customer_name="<!channel> <http://x.example|Jo> jo@x.example\n2. Fake"))
    assert text.splitlines()[1].startswith("1. &lt;!channel&gt; &lt;(link)|Jo&gt; (address) 2. Fake: code red, 5 USD")
    assert len(text.splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Acme http://evil.example/x?y", "Acme (link)"),
        ("(HTTPS://evil.example)", "((link)"),
        ("see www.evil.example now", "see (link) now"),
        ("[Acme](ftp://evil.example)", "[Acme]((link)"),
        ("@channel @here", "@\u200bchannel @\u200bhere"),
        ("Booking.com, U.S. 1.5", "Booking.\u200bcom, U.S. 1.5"),
    ],
)
def test_a_bare_address_of_a_site_and_a_call_stay_words(name, told):
    (text,) = texts(item(1, customer_name=name, evidence=name))
    assert text.splitlines()[1].startswith(f"1. {told}: code red")
    assert text.endswith(f"Call ({told})")


def test_a_play_may_have_a_link():
    (text,) = texts(item(1, play="Follow https://wiki.example/plays"))
    assert "https://wiki.example/plays" in text


@pytest.mark.parametrize(("newest", "told"), [(None, 1), (date(2024, 4, 30), 1), (AS_OF, 0), (date(2024, 5, 2), 0)])
def test_a_publication_tells_owners_of_a_new_day_only(settings, monkeypatch, newest, told):
    from dagster import DailyPartitionsDefinition, ResourceDefinition, materialize

    from orchestration.assets import publication

    sent = []
    monkeypatch.setattr(publication, "required_gates", lambda *_: {})
    monkeypatch.setattr(publication, "_look_at_freshness", lambda *_: [])
    monkeypatch.setattr(publication, "newest_as_of", lambda _: newest)
    monkeypatch.setattr(publication, "publish", lambda *_, **__: SimpleNamespace(version="v0001", tables=dict.fromkeys(publication.OWN_TABLES, 1)))
    monkeypatch.setattr(publication, "send_digests", sent.append)
    dbt = SimpleNamespace(manifest=lambda: {"nodes": {}})
    assets = publication.publication_assets(settings, dbt, DailyPartitionsDefinition("2024-01-01"))
    lock = {"run_lock": ResourceDefinition.hardcoded_resource(None)}
    assert materialize(assets, partition_key=AS_OF.isoformat(), resources=lock).success
    assert len(sent) == told

"""The drop folder: which files are read, when again, and what becomes of lines that cannot be read."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.contracts import load_contracts
from orchestration.lake_manifest import LakeError
from orchestration.sources import file_csv
from orchestration.sources.base import SourceError, SourceSpec, TransientSourceError
from orchestration.sources.files import Files, open_files
from tests.unit.lake_support import DAY, lake_in, load, quarantined, rows

CONTRACTS = {key: contract for key, contract in load_contracts().items() if key[0] == "own"}
CUSTOMERS = "customer_id,name,currency,created_at,updated_at\n"
AT = "2024-01-01T00:00:00Z"


def source(folder, *domains: str, **options) -> Files:
    tables = {table: contract for (_, table), contract in CONTRACTS.items() if contract.domain in (domains or ("billing", "product"))}
    return Files(str(folder / "drop"), "files", tables, **options)


def drop(folder, name: str, content: str | bytes) -> None:
    path = folder / "drop" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def customer(number: int, name: str = "Acme") -> str:
    return f"c{number},{name},USD,2024-01-01T00:00:00Z,2024-03-01T00:00:00Z\n"


def land(folder, day: date = DAY, *domains: str, run_id: str | None = None, **options):
    opened = source(folder, *domains, **options)
    return {manifest.table: manifest for manifest in load(lake_in(folder, CONTRACTS), opened, day, run_id=run_id or f"run-{day}")}


def read(folder, sql: str):
    return rows(folder, sql, CONTRACTS)


@pytest.mark.parametrize("form", ["csv", "csv.gz", "semicolons", "bom", "crlf", "jsonl", "jsonl.gz", "parquet", "folder"])
def test_every_form_lands_the_same(tmp_path, form):
    text = CUSTOMERS + customer(1) + customer(2, '"Bolt, ""Inc"""')
    records = [
        {"customer_id": f"c{n}", "name": name, "currency": "USD", "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-03-01T00:00:00Z"}
        for n, name in ((1, "Acme"), (2, 'Bolt, "Inc"'))
    ]
    lines = "".join(json.dumps(record) + "\n" for record in records)
    if form == "csv":
        drop(tmp_path, "billing/customers.csv", text)
    elif form == "csv.gz":
        drop(tmp_path, "billing/customers.csv.gz", gzip.compress(text.encode()))
    elif form == "semicolons":
        drop(
            tmp_path,
            "billing/customers.csv",
            (CUSTOMERS + customer(1)).replace(",", ";") + 'c2;"Bolt, ""Inc""";USD;2024-01-01T00:00:00Z;2024-03-01T00:00:00Z\n',
        )
    elif form == "bom":
        drop(tmp_path, "billing/customers.csv", b"\xef\xbb\xbf" + text.replace("customer_id,name", " Customer_ID ,NAME").encode())
    elif form == "crlf":
        drop(tmp_path, "billing/customers.csv", text.replace("\n", "\r\n"))
    elif form == "jsonl":
        drop(tmp_path, "billing/customers.jsonl", lines)
    elif form == "jsonl.gz":
        drop(tmp_path, "billing/customers.jsonl.gz", gzip.compress(lines.encode()))
    elif form == "parquet":
        times = {name: datetime.fromisoformat(records[0][name]) for name in ("created_at", "updated_at")}
        drop(tmp_path, "billing/customers.parquet", b"")
        pq.write_table(pa.Table.from_pylist([record | times for record in records]), tmp_path / "drop/billing/customers.parquet")
    else:
        drop(tmp_path, "billing/customers/2024/a.csv", CUSTOMERS + customer(1))
        drop(tmp_path, "billing/customers/b.jsonl", lines.splitlines()[1])
    manifest = land(tmp_path)["customers"]
    assert (manifest.rows, manifest.quarantined) == (2, 0)
    assert read(tmp_path, "select customer_id, name, currency, created_at, email from raw_own.customers order by all") == [
        ("c1", "Acme", "USD", datetime(2024, 1, 1), None),
        ("c2", 'Bolt, "Inc"', "USD", datetime(2024, 1, 1), None),
    ]
    assert read(tmp_path, "select count(distinct _row_hash) from raw_own.customers") == [(2,)]


def test_bad_csv_lines_are_put_aside_with_file_line_and_text(tmp_path):
    broken = [
        CUSTOMERS,
        customer(1, '"Two\nlines"'),  # lines 2 and 3
        "c2,too short\n",  # 4
        "\n",  # 5, blank
        customer(3).replace("USD", "US$"),  # 6
        customer(4).replace("Z", ""),  # 7
        "c5,a,USD,2024-01-01T00:00:00Z,2024-03-01T00:00:00Z,too long\n",  # 8
        customer(6),
        ",nobody,USD,2024-01-01T00:00:00Z,2024-03-01T00:00:00Z\n",  # 10
    ]
    drop(tmp_path, "billing/customers.csv", "".join(broken).encode() + b"c7,\xff\xfe,USD,2024-01-01T00:00:00Z,2024-03-01T00:00:00Z\n")
    manifest = land(tmp_path)["customers"]
    assert manifest.rows == 2
    assert quarantined(tmp_path, "_line, _file, _reason") == [
        (4, "billing/customers.csv", "line: 2 values, the header has 5"),
        (6, "billing/customers.csv", "currency: unknown currency"),
        (7, "billing/customers.csv", "created_at: time without a zone; updated_at: time without a zone"),
        (8, "billing/customers.csv", "line: 6 values, the header has 5"),
        (10, "billing/customers.csv", "customer_id: required, but missing"),
        (11, "billing/customers.csv", "line: not UTF-8"),
    ]
    assert ("c2,too short",) in quarantined(tmp_path, "record")


@pytest.mark.parametrize("block", [64, 100, 200, 8 << 20])
def test_every_row_of_a_csv_knows_its_line_however_it_is_read(monkeypatch, block):
    """Values of several lines stand before and behind rows that cannot be read, and in one of them; a block ends anywhere."""
    monkeypatch.setattr(file_csv, "BLOCK_BYTES", block)
    odd = {10: '10,"a\nb\nc"', 20: "20,x,y", 21: "21", 30: '30,"a\nb",y', 40: '40,"a\nb\nc"', 45: "45,x,y", 59: '59,"a\nb",y'}
    rows = [odd.get(number, f"{number},n{number}") for number in range(60)]
    expected = {number: 2 + sum(1 + row.count("\n") for row in rows[:number]) for number in range(60)}
    good, bad = {}, {}
    for page in file_csv.read_csv(io.BytesIO("\n".join(["id,note", *rows, ""]).encode()), "f.csv"):
        for row in page.to_pylist():
            if "_reason" in row:
                bad[int(row["_raw"].partition(",")[0])] = row["_line"]
            else:
                good[int(row["id"])] = row["_line"]
    assert sorted(bad) == [20, 21, 30, 45, 59]
    assert good | bad == expected


def test_bad_json_lines_are_put_aside_with_their_number(tmp_path):
    good = '{"customer_id": "c1", "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z", "vip": {"since": 2020}}'
    drop(tmp_path, "billing/customers.jsonl", f'{good}\n{{"customer_id": \n\n[1, 2]\n{good.replace("c1", "c2").replace("-01-01T", "-13-01T", 1)}\n')
    assert land(tmp_path)["customers"].rows == 1
    assert quarantined(tmp_path, "_line, _reason") == [
        (2, "line: not valid JSON"),
        (4, "line: not a JSON object"),
        (5, "created_at: not a timestamp"),
    ]
    assert json.loads(read(tmp_path, "select _extra from raw_own.customers")[0][0]) == {"vip": '{"since":2020}'}


def test_json_that_is_not_utf_8_is_put_aside_as_csv_is(tmp_path):
    record = '{"customer_id": "%s", "name": "Müller", "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}\n'
    drop(
        tmp_path, "billing/customers.jsonl", b"\xef\xbb\xbf" + (record % "c1").encode() + (record % "c2").encode("latin-1") + (record % "c3").encode()
    )
    assert land(tmp_path)["customers"].rows == 2
    assert quarantined(tmp_path, "_line, _reason") == [(2, "line: not UTF-8")]
    assert "c2" in quarantined(tmp_path, "record")[0][0]
    assert read(tmp_path, "select customer_id, name from raw_own.customers order by 1") == [("c1", "Müller"), ("c3", "Müller")]


def test_capitals_and_blanks_are_forgiven_in_json_as_in_headers(tmp_path):
    times = '"created_at": "2024-01-01T00:00:00Z", "Updated_At ": "2024-01-01T00:00:00Z"'
    lines = [
        f'{{"Customer_ID": "c1", {times}}}',
        f'{{"customer_id": "c2", "number": 7, {times}}}',
        f'{{"customer_id": "c3", "Customer_Id": "x", {times}}}',
    ]
    drop(tmp_path, "billing/customers.jsonl", "\n".join(lines))
    assert land(tmp_path)["customers"].rows == 2
    assert read(tmp_path, "select customer_id, _extra from raw_own.customers order by 1") == [("c1", None), ("c2", '{"number":"7"}')]
    assert quarantined(tmp_path, "_line, _reason") == [(3, "line: 'customer_id' is there twice")]


@pytest.mark.parametrize(
    ("name", "content", "extra"),
    [
        ("customers.csv", f"customer_id,created_at,updated_at,,\nc1,{AT},{AT},,\n", None),
        ("customers.csv", f",customer_id,created_at,updated_at\n0,c1,{AT},{AT}\n", '{"column 1":"0"}'),
        ("customers.jsonl", f'{{"": 5, "customer_id": "c1", "created_at": "{AT}", "updated_at": "{AT}"}}', '{"column":"5"}'),
        (
            "customers.csv",
            f"customer_id,_reason,_file,_line,created_at,updated_at\nc1,churned,f,5,{AT},{AT}\n",
            '{"_reason_":"churned","_file_":"f","_line_":"5"}',
        ),
        ("customers.csv", f"customer_id,_extra,vip,created_at,updated_at\nc1,e,x,{AT},{AT}\n", '{"_extra_":"e","vip":"x"}'),
        (
            "customers.jsonl",
            f'{{"_raw": 1, "_line": 2, "customer_id": "c1", "created_at": "{AT}", "updated_at": "{AT}"}}',
            '{"_line_":"2","_raw_":"1"}',
        ),
        (
            "customers.csv",
            f"customer_id,_load_date,_run_id,created_at,updated_at\nc1,2020-01-01,r,{AT},{AT}\n",
            '{"_load_date":"2020-01-01","_run_id":"r"}',
        ),
    ],
)
def test_columns_without_a_name_or_with_one_of_ours_are_kept_apart(tmp_path, name, content, extra):
    drop(tmp_path, f"billing/{name}", content)
    manifest = land(tmp_path)["customers"]
    assert (manifest.rows, manifest.quarantined) == (1, 0)
    assert read(tmp_path, "select _extra from raw_own.customers") == [(extra,)]


def test_a_mark_of_deletion_is_read_in_any_format(tmp_path):
    marks = ["true", "FALSE", "", "perhaps"]
    records = "".join(f"c{number},{mark},{AT},{AT}\n" for number, mark in enumerate(marks))
    drop(tmp_path, "billing/customers.csv", f"customer_id,_is_deleted,created_at,updated_at\n{records}")
    assert land(tmp_path)["customers"].tombstones == 1
    assert read(tmp_path, "select customer_id, _is_deleted from raw_own.customers order by 1") == [("c0", True), ("c1", False), ("c2", False)]
    assert quarantined(tmp_path, "_line, _reason") == [(5, "_is_deleted: not a boolean")]


def test_a_quote_that_is_not_closed_is_named(tmp_path):
    drop(tmp_path, "billing/customers.csv", CUSTOMERS + customer(1) + customer(2, '"Acme') + customer(3) + customer(4))
    assert land(tmp_path)["customers"].rows == 1
    ((line, reason),) = quarantined(tmp_path, "_line, _reason")
    assert (line, reason) == (3, "line: 2 values, the header has 5; a quote that is not closed took the 2 lines after it along")


def test_json_records_may_leave_out_what_is_empty_but_csv_columns_must_stay(tmp_path):
    line = '{"customer_id": "c1", "created_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"'
    drop(tmp_path, "billing/customers/a.jsonl", line + ', "email": "a@b.example"}\n')
    land(tmp_path)
    drop(tmp_path, "billing/customers/b.jsonl", line + "}\n")
    assert land(tmp_path, DAY + timedelta(days=1))["customers"].rows == 1
    drop(tmp_path, "billing/customers/c.csv", CUSTOMERS + customer(1))
    assert land(tmp_path, DAY + timedelta(days=2))["customers"].rows == 1
    drop(tmp_path, "billing/customers/d.csv", (CUSTOMERS + customer(1)).replace("name,", "").replace("Acme,", ""))
    with pytest.raises(SourceError, match="column 'name', which was there on 2024-03-12, is gone"):
        land(tmp_path, DAY + timedelta(days=3))


def test_json_numbers_keep_their_digits(tmp_path):
    line = '{"invoice_id": "i1", "customer_id": 9007199254740993, "status": "paid", "currency": "EUR", "total": 12345678901.2345, '
    drop(tmp_path, "billing/invoices.jsonl", line + '"issued_at": "2024-01-01T00:00:00Z", "updated_at": "2024-01-01T00:00:00Z"}\n')
    land(tmp_path)
    assert read(tmp_path, "select customer_id, total from raw_own.invoices") == [("9007199254740993", Decimal("12345678901.2345"))]


def test_naive_times_count_when_their_zone_is_set(tmp_path):
    drop(tmp_path, "billing/customers.csv", CUSTOMERS + customer(1).replace("Z", ""))
    land(tmp_path, time_zone="Asia/Kolkata")
    assert read(tmp_path, "select created_at from raw_own.customers") == [(datetime(2023, 12, 31, 18, 30),)]


def test_only_new_and_changed_files_are_read(tmp_path):
    drop(tmp_path, "billing/customers/a.csv", CUSTOMERS + customer(1))
    assert land(tmp_path)["customers"].rows == 1
    assert land(tmp_path, DAY + timedelta(days=1))["customers"].rows == 0
    drop(tmp_path, "billing/customers/b.csv", CUSTOMERS + customer(2) + customer(3))
    assert land(tmp_path, DAY + timedelta(days=2))["customers"].rows == 2
    drop(tmp_path, "billing/customers/a.csv", CUSTOMERS + customer(1, "Renamed"))
    assert land(tmp_path, DAY + timedelta(days=3))["customers"].rows == 1
    os.utime(tmp_path / "drop/billing/customers/b.csv", (1, 1))
    assert land(tmp_path, DAY + timedelta(days=4))["customers"].rows == 0, "touched, but the same"
    assert read(tmp_path, "select name, _load_date - date '2024-03-10' from raw_own.customers where customer_id = 'c1' order by 2") == [
        ("Acme", 0),
        ("Renamed", 3),
    ]


def test_repeating_a_day_reads_again_what_that_day_had_read(tmp_path):
    drop(tmp_path, "billing/customers/a.csv", CUSTOMERS + customer(1))
    land(tmp_path)
    drop(tmp_path, "billing/customers/b.csv", CUSTOMERS + customer(2))
    for run_id in ("one", "two"):
        (manifest,) = load(lake_in(tmp_path, CONTRACTS), source(tmp_path), DAY + timedelta(days=1), run_id=run_id)
        assert manifest.rows == 1
    (manifest,) = load(lake_in(tmp_path, CONTRACTS), source(tmp_path), DAY + timedelta(days=1), run_id="three", full=True)
    assert manifest.rows == 2


def test_what_was_read_is_kept_apart_from_manifests_and_for_the_last_loads_only(tmp_path):
    """Every run reads all manifests: were all files named in each of them, a day would cost more with every day before it."""
    days = [DAY + timedelta(days=number) for number in range(12)]
    for number, day in enumerate(days):
        drop(tmp_path, f"billing/customers/a-file-with-a-name-{number}.csv", CUSTOMERS + customer(number))
        assert land(tmp_path, day)["customers"].rows == 1
    folders = [tmp_path / f"lake/raw/files/customers/load_date={day}" for day in days]
    assert not any("a-file-with-a-name" in (folder / "manifest.json").read_text() for folder in folders)
    assert [(folder / "state.json").exists() for folder in folders] == [False] * 4 + [True] * 8
    assert lake_in(tmp_path, CONTRACTS).verify() == []
    (folders[-1] / "state.json").unlink()  # then everything is read again
    assert land(tmp_path, days[-1] + timedelta(days=1))["customers"].rows == 12


def test_what_was_read_is_found_where_earlier_releases_kept_it(tmp_path):
    drop(tmp_path, "billing/customers/a.csv", CUSTOMERS + customer(1))
    land(tmp_path)
    folder = tmp_path / f"lake/raw/files/customers/load_date={DAY}"
    state = json.loads((folder / "state.json").read_text())["state"]
    (folder / "state.json").unlink()
    text = json.dumps({**json.loads((folder / "manifest.json").read_text()), "state": state}, indent=1).removeprefix("{\n")
    body = text.partition("\n")[2]  # without the checksum's line
    (folder / "manifest.json").write_text(f'{{"checksum": "{hashlib.sha256(body.encode()).hexdigest()}",\n{body}')
    assert lake_in(tmp_path, CONTRACTS).verify() == []
    assert land(tmp_path, DAY + timedelta(days=1))["customers"].rows == 0


def test_a_damaged_memory_of_what_was_read_is_said(tmp_path):
    drop(tmp_path, "billing/customers/a.csv", CUSTOMERS + customer(1))
    land(tmp_path)
    path = tmp_path / f"lake/raw/files/customers/load_date={DAY}/state.json"
    path.write_text(path.read_text().replace("a.csv", "b.csv"))
    message = f"state of files/customers/load_date={DAY}: it is damaged; run that day again"
    assert [problem.what.startswith(message) for problem in lake_in(tmp_path, CONTRACTS).verify()] == [True]
    with pytest.raises(LakeError, match=message):
        land(tmp_path, DAY + timedelta(days=1))
    land(tmp_path, run_id="again")
    assert land(tmp_path, DAY + timedelta(days=1))["customers"].rows == 0


def test_tables_of_other_domains_and_strange_files_are_left_alone_and_named(tmp_path):
    drop(tmp_path, "billing/customers.csv", CUSTOMERS + customer(1))
    drop(tmp_path, "billing/custmers.csv", "typo\n")
    drop(tmp_path, "billing/plans.xlsx", b"PK")
    drop(tmp_path, "billing/.customers.csv.part", "half")
    drop(tmp_path, "crm/accounts.csv", "account_id\n1\n")
    opened = source(tmp_path, "billing")
    assert opened.tables == ("customers",)
    assert opened.warnings == [
        "billing/custmers.csv is not a table of the billing contract: not read",
        "billing/plans.xlsx is neither csv, jsonl nor parquet: not read",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("billing/readme.txt", "x", "no table for billing, product in the drop folder; expected files like billing/customers.csv"),
        ("billing/customers.csv", "", "has no header"),
        ("billing/customers.csv", "a,b,a\n1,2,3\n", "column 'a' is there twice"),
        ("billing/customers.csv", "a,b\r1,2\r", "its lines end with a carriage return alone"),
        ("billing/customers.csv", b"\xff\xfea\x00\n", "not UTF-8"),
        ("billing/customers.csv.gz", "not gzip", "cannot be read as csv"),
        ("billing/customers.parquet", "PAR1 cut", "cannot be read as parquet"),
        ("billing/customers.csv", "customer_id,name\nc1,x\n", "required column 'created_at' is missing"),
    ],
)
def test_what_cannot_be_read_at_all_stops_with_one_line(tmp_path, name, content, message):
    drop(tmp_path, name, content)
    with pytest.raises(SourceError) as error:
        land(tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value) and str(tmp_path) not in str(error.value)


def test_a_missing_folder_names_the_setting(tmp_path):
    with pytest.raises(SourceError, match="CSW_FILES_DIR"):
        land(tmp_path)
    with pytest.raises(SourceError, match="CSW_FILES_DIR"):
        open_files(SourceSpec(vendor="files", domains=("billing",)), {})


def test_a_file_that_changes_while_it_is_read_is_tried_again_later(tmp_path):
    drop(tmp_path, "billing/customers.csv", CUSTOMERS + customer(1))
    opened = source(tmp_path)
    pages = opened.pull({"customers": None})
    next(pages)
    drop(tmp_path, "billing/customers.csv", CUSTOMERS + customer(1) + customer(2))
    with pytest.raises(TransientSourceError, match="changed while it was being read"):
        list(pages)


def test_usage_in_parquet_lands_without_conversion(tmp_path):
    days = [date(2024, 3, 1) + timedelta(days=n % 9) for n in range(1000)]
    table = pa.table(
        {
            "usage_date": days,
            "workspace_id": pa.array([f"w{n % 7}" for n in range(1000)]).dictionary_encode(),
            "user_id": [str(n) for n in range(1000)],
            "feature": ["export"] * 1000,
            "events": pa.array(range(1000), pa.int16()),
            "minutes": pa.array([1.5] * 1000, pa.float32()),
        }
    )
    (tmp_path / "drop/product").mkdir(parents=True)
    pq.write_table(table, tmp_path / "drop/product/usage_daily.parquet")
    manifest = land(tmp_path)["usage_daily"]
    assert (manifest.rows, manifest.min_cursor, manifest.max_cursor) == (1000, "2024-03-01", "2024-03-09")
    assert read(tmp_path, "select sum(events), sum(minutes), count(distinct workspace_id) from raw_own.usage_daily") == [(499500, 1500.0, 7)]
    assert manifest.started_at.tzinfo == UTC

"""What is tried again when a source cannot be read: a try costs up to two minutes, so only what may pass by itself gets one."""

from __future__ import annotations

from datetime import date

import pytest
from dagster import Failure

from orchestration.assets.raw import land
from orchestration.contracts import load_contracts
from orchestration.landing import Lake
from orchestration.settings import load_settings
from orchestration.sources.base import TransientSourceError
from orchestration.window import make_window

DAY = date(2024, 5, 29)
NO_DOMAIN = {f"{domain}_sources": () for domain in ("crm", "billing", "support", "product", "survey")}
NOT_UTF_8 = {"invoices.csv": b"invoice_id\xff,customer_id\n1,2\n"}


def landed(data_dir, **settings):
    settings = load_settings(data_dir=data_dir, **NO_DOMAIN | settings)
    lake = Lake(settings.lake_dir, settings.quarantine_dir, load_contracts())
    return land(settings, lake, make_window(DAY, DAY, newest=None, restatement_days=settings.restatement_days), "run")


@pytest.mark.parametrize(
    ("files", "told"),
    [({}, "raw: files: no table for billing in the drop folder"), (NOT_UTF_8, "files: billing/invoices.csv: the header is not UTF-8")],
    ids=["while it is opened", "while it is pulled"],
)
def test_what_will_not_pass_by_itself_is_told_at_once(tmp_path, files, told):
    drop = tmp_path / "drop"
    (drop / "billing").mkdir(parents=True)
    for name, content in files.items():
        (drop / "billing" / name).write_bytes(content)
    with pytest.raises(Failure) as failed:
        landed(tmp_path / "data", files_dir=drop, billing_sources=("files",))
    assert failed.value.description.startswith(told)
    assert not failed.value.allow_retries


def test_a_server_that_does_not_answer_is_asked_again(tmp_path):
    with pytest.raises(TransientSourceError, match="sql: no PostgreSQL server answers"):
        landed(tmp_path, sql_dsn="postgresql://csw:canary@127.0.0.1:9/postgres", billing_sources=("sql",))


def test_a_fault_of_the_program_is_not_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(Lake, "load", lambda *_, **__: 1 / 0)
    (tmp_path / "drop" / "billing").mkdir(parents=True)
    (tmp_path / "drop" / "billing" / "customers.csv").write_text("customer_id\n1\n")
    with pytest.raises(Failure, match="files: ZeroDivisionError: division by zero") as failed:
        landed(tmp_path / "data", files_dir=tmp_path / "drop", billing_sources=("files",))
    assert not failed.value.allow_retries

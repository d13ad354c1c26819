"""`csw status --identities` on a published version made by hand, and precision and recall worked out by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from rich.console import Console

from orchestration import summary_identities
from orchestration.identity_truth import Agreement, agreement, demo_agreement
from orchestration.settings import Settings, load_settings
from orchestration.sources.demo import company
from orchestration.summary_identities import print_agreement, print_identities
from orchestration.worklist import owner_hash

# c1: an account and its payer; c2: a merged pair of accounts and nothing else; c3: a payer alone; c4: a payer and a respondent, by name.
BRIDGE = """
    ('c1', 'crm', 'hubspot', 'a1', 'anchor', 1.0), ('c1', 'billing', 'stripe', 'b1', 'foreign_id', 0.99),
    ('c2', 'crm', 'hubspot', 'a2', 'anchor', 1.0), ('c2', 'crm', 'hubspot', 'a3', 'merge', 1.0),
    ('c3', 'billing', 'stripe', 'b3', 'anchor', 1.0),
    ('c4', 'billing', 'stripe', 'b4', 'anchor', 1.0), ('c4', 'surveys', 'files', {hashed}, 'name_country', 0.9)
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch) -> Settings:
    made = load_settings(data_dir=tmp_path)
    folder = made.published_dir / "v0001"
    folder.mkdir(parents=True)
    manifest = {"run_id": "r", "as_of_date": "2025-06-26", "published_at": "2025-06-27T01:00:00", "tables": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (made.published_dir / "current").symlink_to("v0001")
    with duckdb.connect(str(folder / "customer_success.duckdb")) as connection:
        connection.execute(
            "create table bridge_customer_identities "
            "(customer_id varchar, domain varchar, source_relation varchar, source_id varchar, evidence varchar, confidence double)"
        )
        hashed = f"'{owner_hash(made, 'ann@x.com')}'"
        connection.execute(f"insert into bridge_customer_identities values {BRIDGE.format(hashed=hashed)}")
        connection.execute("create table rpt_identity_review_queue as select unnest(['similar_name', 'shared_domain', 'shared_domain']) as reason")
    truth = [("crm", "hubspot", "a1", "X"), ("billing", "stripe", "b1", "X"), ("billing", "stripe", "b3", "X"), ("billing", "stripe", "b4", "Y")]
    truth += [("surveys", "files", "Ann@X.com", "Y"), ("crm", "hubspot", "a2", "Z"), ("crm", "hubspot", "not yet", "Z")]
    frame = pd.DataFrame(truth, columns=["domain", "source_relation", "source_id", "customer"])
    monkeypatch.setattr(company, "true_identities", lambda *_: iter([frame]))
    return made


def shown(settings: Settings) -> list[str]:
    out = io.StringIO()
    print_identities(Console(file=out, width=100), settings)
    return [" ".join(line.split()) for line in out.getvalue().splitlines() if line.strip()]


def test_the_page(settings: Settings):
    # Truth: X has 3 records (3 pairs), Y has 2 (1), Z has 1 that is published; joined: a1-b1 and b4-ann, both rightly. a3 is unknown to it.
    assert shown(settings) == [
        "BI reads v0001, as of 2025-06-26",
        "Records",
        "domain evidence records with another system's share confidence",
        "crm anchor 2 1 50.0% 1.00",
        "merge 1 0 0.0% 1.00",
        "billing anchor 2 1 50.0% 1.00",
        "foreign id 1 1 100.0% 0.99",
        "surveys name country 1 1 100.0% 0.90",
        "Customers 4, of them 2 known to more than one system, 2 without a CRM account",
        "Confidence mean 0.963 of 3 links, lowest 0.90; 1 below 0.95",
        "To decide 3: 2 shared domain, 1 similar name",
        "Precision 1.0000 2 of 2 pairs of records that were joined belong together",
        "Recall 0.5000 2 of 4 pairs of records that belong together were joined",
        "6 records held against the demo's truth; 1 more it does not know",
    ]


def test_without_the_demo_there_is_no_truth(settings: Settings, monkeypatch):
    own = dict.fromkeys(("crm_sources", "support_sources", "product_sources", "survey_sources"), ())
    monkeypatch.setattr(summary_identities, "demo_agreement", lambda *_: pytest.fail("the demo was asked"))
    assert shown(settings.model_copy(update={**own, "billing_sources": ("stripe",)}))[-1].startswith("Truth none to hold them against")


def test_nothing_is_published_yet(tmp_path: Path):
    assert shown(load_settings(data_dir=tmp_path)) == ["nothing is published yet: csw run"]


def test_it_reads_while_a_run_writes_the_warehouse(settings: Settings):
    with duckdb.connect(str(settings.warehouse_path)) as run:
        run.execute("create table t as select 1")
        assert len(shown(settings)) == 14


def test_an_address_is_only_known_under_the_key_it_was_published_with(settings: Settings):
    database = settings.published_dir / "v0001" / "customer_success.duckdb"
    assert demo_agreement(settings, database).unknown == 1
    other = settings.model_copy(update={"pii_key": type(settings.pii_key)("another key")})
    assert demo_agreement(other, database).unknown == 2


def test_pairs_are_counted_within_customers():
    """c1 holds three records of X and one of Y: 6 pairs joined, 3 rightly. X has a fourth record elsewhere: 6 pairs, and Y's two: 1."""
    found = [("c1", "1"), ("c1", "2"), ("c1", "3"), ("c1", "4"), ("c2", "5"), ("c3", "6"), ("c3", "unknown")]
    true = [("1", "X"), ("2", "X"), ("3", "X"), ("4", "Y"), ("5", "X"), ("6", "Y")]
    with duckdb.connect() as connection:
        connection.execute("create table found as select 'crm' as domain, 's' as source_relation, '' as source_id, '' as customer_id limit 0")
        connection.executemany("insert into found values ('crm', 's', $2, $1)", found)
        connection.execute("create table truth as select 'crm' as domain, 's' as source_relation, '' as source_id, '' as customer limit 0")
        connection.executemany("insert into truth values ('crm', 's', $1, $2)", true)
        connection.execute("insert into truth values ('crm', 's_eu', '1', 'Q'), ('billing', 's', '1', 'Q')")
        told = agreement(connection)
    assert told == Agreement(records=6, unknown=1, right=3, joined=6, belonging=7)
    assert (told.precision, told.recall) == (0.5, 3 / 7)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (Agreement(0, 5, 0, 0, 0), "Truth no published record is in the demo's: it was made with other settings"),
        (Agreement(2, 0, 0, 0, 1), "Precision 0 of 0 pairs of records that were joined belong together"),
    ],
)
def test_nothing_to_divide_by(told: Agreement, line: str):
    out = io.StringIO()
    print_agreement(Console(file=out, width=100), told)
    assert " ".join(out.getvalue().splitlines()[0].split()) == line

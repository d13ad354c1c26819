"""The sources YAML as contracts: what is read, and what a malformed file says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.contracts import ContractFileError, load_contracts, read_contracts

TABLE = """
version: 2
sources:
  - name: shop
    tables:
      - name: orders
        config: {meta: {domain: billing, primary_key: [id], created_at: made_at}}
        columns:
          - {name: id, data_type: string, config: {meta: {required: true}}}
          - {name: amount, data_type: "decimal(18, 4)"}
          - {name: made_at, data_type: timestamp, config: {meta: {pii: true}}}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "shop" / "_shop__sources.yml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_a_table_is_read_with_its_types_and_keys(tmp_path):
    write(tmp_path, TABLE)
    contract = load_contracts(tmp_path)["shop", "orders"]
    assert (contract.domain, contract.primary_key, contract.created_at, contract.updated_at) == ("billing", ("id",), "made_at", None)
    assert [(column.name, column.required, column.pii) for column in contract.columns] == [
        ("id", True, False),
        ("amount", False, False),
        ("made_at", False, True),
    ]
    assert contract.arrow_schema == pa.schema([("id", pa.string()), ("amount", pa.decimal128(18, 4)), ("made_at", pa.timestamp("us"))])


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("domain: billing", "domain: sales", "shop.orders: meta.domain must be one of"),
        ("primary_key: [id]", "primary_key: [key]", "meta names column 'key', which is not among its columns"),
        ("primary_key: [id], ", "", "meta.primary_key must be a list"),
        ("data_type: timestamp", "data_type: datetime", "column made_at has data_type 'datetime'; use one of string"),
        ("name: amount", "name: id", "declares column id twice"),
        ("name: amount", "name: _amount", "starts with an underscore"),
        ("{meta: {pii: true}}", "{meta: {exact: true}}", "column made_at has meta.exact; it is for a decimal"),
        ("tables:", "tabels:", "lacks 'tables'"),
        ("sources:", "sources: [", "not valid YAML"),
    ],
)
def test_a_malformed_file_says_where_and_what(tmp_path, before, after, message):
    path = write(tmp_path, TABLE.replace(before, after, 1))
    with pytest.raises(ContractFileError) as error:
        read_contracts(path)
    assert message in str(error.value)
    assert path.name in str(error.value)


def test_no_file_at_all_is_an_error(tmp_path):
    with pytest.raises(ContractFileError, match="no sources YAML"):
        load_contracts(tmp_path)


def test_the_projects_own_contracts_are_sound():
    contracts = load_contracts()
    assert {vendor for vendor, _ in contracts} >= {"own", "hubspot", "stripe", "zendesk"}
    for contract in contracts.values():
        for name in contract.primary_key:
            assert name in contract.column_names

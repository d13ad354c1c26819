"""Made-up companies for bench_identities: the tables that the identity models read, for as many records as are asked for.

Here belongs what those companies look like. Everything is a function of a company's number, so that each run makes the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb


@dataclass(frozen=True)
class Shape:
    """What a company of this kind has. `records_each`: records a company brings; of a hundred names `the` begin with "The ", `numbered` are
    one word and a number."""

    records_each: float
    has_crm: bool
    the: int
    numbered: int


SHAPES = {
    "five systems": Shape(records_each=4.88, has_crm=True, the=5, numbered=0),
    "billing alone": Shape(records_each=1.0, has_crm=False, the=20, numbered=5),
}

# Syllables make names that are spread as names are: some common beginnings and a long tail.
COMPANIES = """
with drawn as (
    select
        n,
        ['Ba', 'Ce', 'Di', 'Fo', 'Gu', 'Ha', 'Je', 'Ki', 'Lo', 'Mu', 'Na', 'Pe', 'Ro', 'Su', 'Ta', 'Vi', 'Wo', 'Bri', 'Cla'][1 + draw(n, 1, 19)]
            || ['lan', 'mer', 'nix', 'pol', 'ras', 'sen', 'tor', 'ven', 'wex', 'bel', 'cor', 'den', 'fin', 'gal', 'hol', 'kar'][1 + draw(n, 2, 16)]
            || ['do', 'ra', 'ti', 'mo', 'ne', 'la', 'xi', 'va', '', '', '', ''][1 + draw(n, 3, 12)] as word,
        ['Ar', 'Bor', 'Can', 'Dur', 'El', 'Fer', 'Gor', 'Hil', 'Is', 'Jor', 'Kem', 'Lin', 'Mor', 'Nor', 'Os', 'Pry', 'Ran', 'Sel'][1 + draw(n, 4, 18)]
            || ['bach', 'ham', 'ley', 'mann', 'ni', 'quist', 'son', 'stein', 'ton', 'ucci', 'ville', 'wood', 'yev', 'zak'][1 + draw(n, 5, 14)]
            || ['', ' Works', ' Foods', ' Labs', ' Media', ' Energy', ' Motors', ' Health', ' Tools', ' Paper'][1 + draw(n, 13, 10)] as trade,
        ['Inc.', 'Ltd', 'GmbH', '', 'LLC', 'S.A.'][1 + draw(n, 6, 6)] as form,
        draw(n, 7, 100) as kind
    from (select range as n from range({companies}))
)
select
    n,
    case
        when kind < {the} then 'The ' || word || ' ' || trade
        when kind < {the} + 2 then 'Acme ' || trade || ' ' || word
        when kind < {the} + 2 + {numbered} then 'Customer ' || n
        else word || ' ' || trade || ' ' || form
    end as name,
    ['US', 'DE', 'GB', 'FR', 'JP', 'NL'][1 + draw(n, 8, 6)] as country,
    case draw(n, 9, 10) when 0 then null when 1 then 'myshopify.com' else lower(word) || n || '.com' end as domain,
    case when draw(n, 10, 10) < 3 then 'gmail.com' else lower(word) || n || '.com' end as mail_domain,
    timestamp '2022-01-01' + to_minutes(draw(n, 11, 1000000)) as created_at,
    draw(n, 12, 100) as habit
from drawn
"""

# Of thirty accounts two stand twice, and three are merged one into the next, of which one is known by nothing but that.
TABLES = {
    "int_crm__accounts": """
        select 'a' || n as account_id, name, domain, case when n % 40 = 0 then 'a' || (n // 2) end as parent_account_id, 'Software' as industry,
            country, 50 as employees, 'owner' || n % 30 || '@us.com' as owner_email, 0 as acquisition_cost, 'USD' as currency, created_at
        from (from companies where n % 30 <> 7 union all by name select * replace (n + {companies} as n) from companies where n % 30 in (3, 4))
        where {has_crm}
    """,
    "int_crm__account_merges": """
        select 'a' || n as account_id, 'a' || (n + 1) as merged_into_account_id from companies where n % 30 in (5, 6, 7) and {has_crm}
    """,
    "int_crm__contacts": """
        select 'a' || n as account_id, 'person' || k || '.' || n || '@' || mail_domain as email from companies, range(3) as people(k) where {has_crm}
    """,
    "int_billing__customer_records": """
        select 'b' || n as customer_id, case when habit < 70 and {has_crm} then 'a' || n end as account_id,
            case when draw(n, 20, 20) = 0 then replace(name, 'a', 'e') else name end as name,
            case when habit < 90 then 'person1.' || n || '@' || mail_domain end as email,
            case when habit > 80 or not {has_crm} then domain end as domain, country, 'USD' as currency, created_at, false as is_deleted
        from companies where n % 10 < 9 or not {has_crm}
    """,
    "int_billing__invoices": "select 'b' || n as customer_id, created_at as issued_at from companies, range(12) where n % 10 < 9 or not {has_crm}",
    "int_support__organizations": """
        select 'o' || n as organization_id, case when habit between 20 and 80 then 'a' || n end as account_id, name, domain, created_at
        from companies where n % 10 < 6 and {has_crm}
    """,
    "int_support__tickets": """
        select 'o' || n as organization_id, 'person' || k || '.' || n || '@' || mail_domain as requester_email
        from companies, range(4) as tickets(k) where n % 10 < 6 and {has_crm}
    """,
    "int_product__workspaces": """
        select 'w' || n as workspace_id, case when habit > 20 then 'a' || n end as account_id, name, domain, created_at
        from companies where n % 10 between 2 and 7 and {has_crm}
    """,
    "int_surveys__responses": """
        select case when habit < 25 then 'a' || n end as account_id, 'person' || k || '.' || n || '@' || mail_domain as email,
            created_at as responded_at
        from companies, range(2) as answers(k) where {has_crm}
    """,
}
SYSTEMS = {"int_crm": "'hubspot'", "int_billing": "case when customer_id like '%7' then 'stripe_eu' else 'stripe' end", "int_support": "'zendesk'"}


def make_companies(path: Path, records: int, shape: Shape) -> None:
    """A new DuckDB file with the tables in its schema `intermediate`."""
    values = {"companies": int(records / shape.records_each), "the": shape.the, "numbered": shape.numbered, "has_crm": shape.has_crm}
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema intermediate")
        connection.execute("create temporary macro draw(n, purpose, many) as cast(hash(n, purpose) % many as int)")
        connection.execute(f"create temporary table companies as {COMPANIES.format(**values)}")
        for name, sql in TABLES.items():
            system = SYSTEMS.get(name.split("__")[0], "'files'")
            connection.execute(
                f"create table intermediate.{name} as select *, {system} as source_relation, date '2024-01-01' as first_landed_on, "
                f"date '2024-01-01' as known_from, true as is_current from ({sql.format(**values)})"
            )

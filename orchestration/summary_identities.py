"""`csw status --identities`: which records found their customers, by what, what a person should decide, and how right it is.

Here belongs the layout of that page. Every figure is of the published version; only precision and recall need something beside it, the
demo company's truth (identity_truth.py).
"""

from __future__ import annotations

from functools import partial
from itertools import groupby

from rich.console import Console
from rich.table import Table

from orchestration import published
from orchestration.identity_truth import Agreement, demo_agreement
from orchestration.settings import Settings

DOUBTFUL = 0.95  # below the confidence of a company domain, only a name ties the record

# Linked: its customer has a record of another domain too. One pass over the records, so a million take a moment.
RECORDS = """
with customers as (
    select customer_id, count(distinct domain) > 1 as is_linked from bridge_customer_identities group by customer_id
)
select domain, evidence, count(*), count(*) filter (where is_linked), avg(confidence)
from bridge_customer_identities join customers using (customer_id)
group by domain, evidence
order by list_position(['crm', 'billing', 'support', 'product', 'surveys'], domain), avg(confidence) desc, evidence
"""
CUSTOMERS = """
select count(*), count(*) filter (where domains > 1), count(*) filter (where not has_account)
from (
    select count(distinct domain) as domains, bool_or(domain = 'crm') as has_account from bridge_customer_identities group by customer_id
)
"""
CONFIDENCE = f"""
select count(*), avg(confidence), min(confidence), count(*) filter (where confidence < {DOUBTFUL})
from bridge_customer_identities where evidence <> 'anchor'
"""
REVIEW = "select reason, count(*) from rpt_identity_review_queue group by reason order by count(*) desc, reason"


def print_identities(console: Console, settings: Settings) -> None:
    """The whole page; one line when nothing is published."""
    version = published.current(settings.published_dir)
    if version is None:
        console.print("nothing is published yet: csw run")
        return
    console.print(f"[bold]BI reads[/]    {version.version}, as of {version.as_of_date}", highlight=False)
    ask = partial(_ask, settings)
    print_records(console, ask)
    print_customers(console, ask)
    if not settings.is_demo:
        console.print("[bold]Truth[/]       none to hold them against: the demo company is not a source", highlight=False)
        return
    with console.status(f"asking the demo company of {settings.demo_customers:,} customers whose each record truly is"):
        told = demo_agreement(settings, version.database)
    print_agreement(console, told)


def print_records(console: Console, ask) -> None:
    """Records by domain and evidence."""
    table = Table(title="\nRecords", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("domain", "evidence", "records", "with another system's", "share", "confidence"):
        table.add_column(name, justify="left" if name in ("domain", "evidence") else "right")
    for domain, kinds in groupby(ask(RECORDS), key=lambda row: row[0]):
        for at, (_, evidence, records, linked, confidence) in enumerate(kinds):
            shown = (f"{records:,}", f"{linked:,}", f"{linked / records:.1%}", f"{confidence:.2f}")
            table.add_row("" if at else domain, evidence.replace("_", " "), *shown)
    console.print(table)


def print_customers(console: Console, ask) -> None:
    """How many customers there are, how sure the links are, and what waits for a decision."""
    customers, linked, without_account = ask(CUSTOMERS)[0]
    said = f"{customers:,}, of them {linked:,} known to more than one system, {without_account:,} without a CRM account"
    console.print(f"\n[bold]Customers[/]   {said}", highlight=False)
    links, mean, lowest, doubtful = ask(CONFIDENCE)[0]
    if links:
        said = f"mean {mean:.3f} of {links:,} links, lowest {lowest:.2f}; {doubtful:,} below {DOUBTFUL}"
        console.print(f"[bold]Confidence[/]  {said}", highlight=False)
    reasons = ask(REVIEW)
    said = ", ".join(f"{count:,} {reason.replace('_', ' ')}" for reason, count in reasons)
    open_items = sum(count for _, count in reasons)
    console.print(f"[bold]To decide[/]   {f'[yellow]{open_items:,}[/]: {said}' if reasons else 'nothing'}", highlight=False)


def print_agreement(console: Console, told: Agreement) -> None:
    """Precision and recall, and on how much they stand."""
    if not told.records:
        console.print("[bold]Truth[/]       no published record is in the demo's: it was made with other settings", highlight=False)
        return
    for name, value, pairs, what in (
        ("Precision", told.precision, told.joined, "that were joined belong together"),
        ("Recall", told.recall, told.belonging, "that belong together were joined"),
    ):
        shown = "" if value is None else f"{value:.4f}  "
        console.print(f"[bold]{name:9}[/]   {shown}{told.right:,} of {pairs:,} pairs of records {what}", highlight=False)
    unknown = f"; {told.unknown:,} more it does not know" if told.unknown else ""
    console.print(f"            {told.records:,} records held against the demo's truth{unknown}", highlight=False)


def _ask(settings: Settings, sql: str) -> list[tuple]:
    return published.query(settings.published_dir, sql).rows

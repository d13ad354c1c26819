"""What the terminal shows: after a run, on `csw status`, `csw versions`, `csw query`, `csw worklist`.

Here belongs layout; every figure is read from the published version, so that the terminal and BI can never disagree.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from rich.console import Console
from rich.table import Table

from orchestration import published
from orchestration.answers import Format, plain, print_answer, print_table
from orchestration.settings import Settings

BANDS = (("green", "green"), ("yellow", "yellow"), ("red", "red"))
MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churned", "fx")


def print_summary(console: Console, settings: Settings, run_id: str) -> None:
    """The state of the customer base in one screen, from the version that BI reads now."""
    version = published.current(settings.published_dir)
    ask = partial(_ask, settings)
    console.rule(f"[bold]{version.version}[/] as of {version.as_of_date}", style="green")
    _print_revenue(console, ask, settings.reporting_currency)
    _print_health(console, ask)
    _print_risk(console, ask, settings.reporting_currency)
    _print_worklist(console, ask, settings.reporting_currency)
    _print_gates(console, ask, run_id)
    folder = settings.published_dir / "current"
    console.print(f"\n[bold]For BI[/]     {folder / 'customer_success.duckdb'}", soft_wrap=True, highlight=False)
    console.print(f"           {folder / 'parquet'}", soft_wrap=True, highlight=False)
    console.print('[bold]Next[/]       csw query "from fct_success_worklist order by rank limit 20"', highlight=False)
    console.print("           make dev (the Dagster page)   make docs (every column, every gate)   csw status", highlight=False)


def _print_revenue(console: Console, ask, currency: str) -> None:
    months = ask(
        """
        select * from (
            select
                month, opening_customers, closing_customers, churned_customers, opening_mrr, new_mrr, reactivation_mrr, expansion_mrr,
                contraction_mrr, churned_mrr, fx_mrr, closing_mrr, logo_churn_rate, gross_mrr_churn_rate, nrr_12m, grr_12m
            from rpt_revenue_retention_monthly
            where segment_kind = 'all'
            order by month desc
            limit 4
        ) order by month
        """
    )
    if not months:
        console.print("no revenue: no billing source is set (CSW_BILLING_SOURCES)", style="yellow")
        return
    table = Table(title=f"MRR, {currency}", title_justify="left", box=None, pad_edge=False, header_style="bold")
    table.add_column("")
    for month in months:
        table.add_column(f"{month[0]:%b %Y}", justify="right", min_width=11)
    amounts = zip(("opening", *MOVEMENTS, "closing"), zip(*[month[4:12] for month in months], strict=True), strict=True)
    for name, values in amounts:
        table.add_row(name, *map(_money, values), style="bold" if name == "closing" else None)
    table.add_row("customers", *[f"{month[2]:,}" for month in months])
    for name, place in (("logo churn", 12), ("gross MRR churn", 13), ("NRR, 12 months", 14), ("GRR, 12 months", 15)):
        table.add_row(name, *[_share(month[place]) for month in months])
    console.print(table)


def _print_health(console: Console, ask) -> None:
    counts = dict(ask("select health_band, count(*) from dim_customers where health_band is not null group by all"))
    without = ask("select count(*) from dim_customers where health_band is null and mrr_amount > 0")[0][0]
    parts = [f"[{style}]{counts.get(band, 0)} {band}[/]" for band, style in BANDS]
    console.print(f"\n[bold]Health[/]     {'   '.join(parts)}   {without} paying without a score", highlight=False)


def _print_risk(console: Console, ask, currency: str) -> None:
    scored, high, at_risk, high_at_risk, why = ask(
        """
        select
            count(churn_probability),
            count(*) filter (where risk_band = 'high'),
            sum(mrr_at_risk),
            sum(mrr_at_risk) filter (where risk_band = 'high'),
            any_value(abstained_because)
        from fct_churn_risk
        """
    )[0]
    if scored:
        shown = f"[red]{high:,} high[/], {_money(high_at_risk or 0)} of {_money(at_risk)} {currency} MRR at risk in 90 days"
        console.print(f"[bold]Risk[/]       {shown}", highlight=False)
    elif why:
        console.print(f"[bold]Risk[/]       not told: {plain(why)}", soft_wrap=True, highlight=False)


def _print_worklist(console: Console, ask, currency: str) -> None:
    rows = ask(
        """
        select w.rank, c.customer_name, w.reason, w.value_at_risk, w.due_on, w.evidence
        from fct_success_worklist as w left join dim_customers as c using (customer_id)
        order by w.rank limit 5
        """
    )
    if not rows:
        console.print("[bold]Worklist[/]   nothing to do")
        return
    _print_worklist_table(console, rows, f"\nTop of the worklist, value at risk in {currency}")


def print_worklist(console: Console, answer: published.Answer, format_: Format, currency: str) -> None:
    """`csw worklist`: the table shows what fits a screen; CSV and JSON have every column."""
    if format_ != "table":
        print_answer(console, answer, format_)
    elif not answer.rows:
        console.print("nothing to do")
    else:
        places = [answer.columns.index(name) for name in ("rank", "customer_name", "reason", "value_at_risk", "due_on", "evidence")]
        rows = [[row[place] for place in places] for row in answer.rows]
        _print_worklist_table(console, rows, f"{len(rows)} to do, value at risk in {currency}")


def _print_worklist_table(console: Console, rows: Sequence[Sequence[object]], title: str) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name, justify in (("#", "right"), ("customer", "left"), ("reason", "left"), ("value", "right"), ("due", "left"), ("why", "left")):
        table.add_column(name, justify=justify, overflow="fold", max_width=28 if name == "customer" and console.is_terminal else None)
    for rank, customer, reason, value, due, evidence in rows:
        table.add_row(str(rank), plain(customer), reason.replace("_", " "), _money(value), f"{due:%d %b}" if due else "", plain(evidence))
    print_table(console, table)


def _print_gates(console: Console, ask, run_id: str) -> None:
    """A published version has no failed gate but those that only warn; csw status lists them."""
    outcomes = dict(
        ask(
            "select case when outcome = 'failed' and severity = 'warning' then 'warnings' else outcome end, count(*) "
            f"from fct_data_quality_results where run_id = '{run_id}' group by all"
        )
    )
    counts = [f"{outcomes.pop('passed', 0)} passed", f"{outcomes.pop('failed', 0)} failed", *(f"{n} {kind}" for kind, n in sorted(outcomes.items()))]
    style = "yellow" if len(counts) > 2 or not counts[1].startswith("0") else "green"
    console.print(f"\n[bold]Gates[/]      [{style}]{', '.join(counts)}[/]", highlight=False)


def print_status(console: Console, settings: Settings) -> None:
    """What BI reads, how the last attempt ended and why, and how fresh each source is."""
    version, last = published.current(settings.published_dir), published.status(settings.published_dir)
    if version is None:
        console.print("nothing is published yet: csw run")
    else:
        console.print(f"[bold]BI reads[/]   {version.version}, as of {version.as_of_date}, published {version.published_at:%Y-%m-%d %H:%M} UTC")
    if last is not None:
        style = "green" if last["outcome"] == "published" else "red"
        how, at = last["outcome"].replace("_", " "), f"{datetime.fromisoformat(last['at']):%Y-%m-%d %H:%M} UTC"
        console.print(f"[bold]Last run[/]   [{style}]{how}[/] for {last['as_of_date']} (run {last['run_id'][:8]}, {at})")
        if last.get("reason"):
            console.print(f"           {plain(last['reason'])}", soft_wrap=True)
    if version is None:
        return
    ask = partial(_ask, settings)
    table = Table(title="\nSources", title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in ("domain", "source", "freshest record", "stale", "note"):
        table.add_column(name)
    for domain, source, freshest, stale, note in ask(
        "select domain, source_relation, freshest_record_at, is_stale, note from dim_publication order by domain, source_relation"
    ):
        shown = f"{freshest:%Y-%m-%d %H:%M}" if freshest else ""
        table.add_row(domain, source or "", shown, "[red]yes[/]" if stale else "", plain(note))
    print_table(console, table)
    _print_gates(console, ask, version.run_id)
    for asset, check, outcome, severity, observed in ask(
        f"""
        select asset, check_name, outcome, severity, observed
        from fct_data_quality_results
        where run_id = '{version.run_id}' and outcome <> 'passed'
        order by all limit 20
        """
    ):
        console.print(f"           {severity} {outcome}: {asset} {check} {plain(observed)}", soft_wrap=True, highlight=False)


def print_versions(console: Console, settings: Settings) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("", "version", "as of", "published", "run", "tables", "rows"):
        table.add_column(name, justify="right" if name in ("tables", "rows") else "left")
    current, kept = published.current_name(settings.published_dir), published.versions(settings.published_dir)
    if not kept and not current:
        console.print("nothing is published yet: csw run")
        return
    for version in kept:
        mark = "→" if version.version == current else ""
        rows = f"{sum(version.tables.values()):,}"
        table.add_row(
            mark,
            version.version,
            str(version.as_of_date),
            f"{version.published_at:%Y-%m-%d %H:%M}",
            version.run_id[:8],
            str(len(version.tables)),
            rows,
        )
    print_table(console, table)
    if current and current not in [version.version for version in kept]:
        console.print(f"BI is pointed at {plain(current)}, which is not a whole version: csw rollback to one of these", style="red", soft_wrap=True)


def print_query(console: Console, settings: Settings, sql: str, format_: Format) -> None:
    """Rows of one SELECT as a table, CSV or JSON lines."""
    print_answer(console, published.query(settings.published_dir, sql), format_)


def _ask(settings: Settings, sql: str) -> list[tuple]:
    return published.query(settings.published_dir, sql).rows


def _money(value) -> str:
    return "" if value is None else f"{value:,.0f}"


def _share(value) -> str:
    return "" if value is None else f"{float(value):.1%}"

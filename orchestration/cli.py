"""The command `csw`: what Dagster's own commands don't give.

Here belongs the command line (arguments, exit codes, one line per error); the work is done elsewhere and imported when needed, so
that `csw --help` answers at once. Exit codes: 0 done and published; 1 failed; 2 wrong usage; 3 a gate held the publication back.
"""

from __future__ import annotations

import os
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from orchestration.answers import Format
from orchestration.domains import DOMAINS
from orchestration.settings import BUILT_IN_PII_KEY, ConfigError, Settings, load_settings
from orchestration.terminal import console, fail, say_error, show_progress

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__.splitlines()[0])
lake_app = typer.Typer(no_args_is_help=True, help="The landed Parquet files.")
demo_app = typer.Typer(no_args_is_help=True, help="The demo company.")
health_app = typer.Typer(no_args_is_help=True, help="The health score.")
app.add_typer(lake_app, name="lake")
app.add_typer(demo_app, name="demo")
app.add_typer(health_app, name="health")


def main() -> None:
    """Entry point: every expected error is one clear line, without a traceback."""
    from orchestration.companion import CompanionError, relax_garbage_collection
    from orchestration.contracts import ContractFileError
    from orchestration.dbt import DbtError
    from orchestration.execution import SelectionError
    from orchestration.full_disk import is_full_disk, keep_logging_quiet
    from orchestration.lake_manifest import LakeError
    from orchestration.published import PublicationError
    from orchestration.sources.base import SourceError
    from orchestration.window import WindowError

    relax_garbage_collection()
    keep_logging_quiet()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # a terminal that is not UTF-8 shows ? for what it has not
    try:
        app()
    except SelectionError as error:
        say_error(str(error))
        sys.exit(2)
    except (ConfigError, SourceError, WindowError, PublicationError, DbtError, LakeError, ContractFileError, CompanionError) as error:
        say_error(str(error))
        sys.exit(1)
    except Exception as error:
        settings = load_settings()
        if is_full_disk(error):
            say_error(_disk_is_full(settings))
        elif isinstance(error, OSError) and str(error.filename or "").startswith(str(settings.data_dir)):
            say_error(f"CSW_DATA_DIR: {settings.data_dir} cannot be written or read ({error.strerror}); set it to a folder of yours")
        else:
            raise
        sys.exit(1)


def _disk_is_full(settings: Settings) -> str:
    return f"the disk of {settings.data_dir} is full or cannot be written: free space and run again"


@app.command()
def run(
    date_: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="One day.")] = None,
    from_: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day of a range.")] = None,
    to: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day of a range.")] = None,
    select: Annotated[str | None, typer.Option(help="Dagster asset selection; default: everything.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Build the warehouse anew from the lake.")] = False,
    full_load: Annotated[bool, typer.Option("--full-load", help="Pull all there is from the sources anew, in whatever shape it is now.")] = False,
    accept_volume: Annotated[bool, typer.Option("--accept-volume", help="Loads of any size; tables and sources may have lost much.")] = False,
) -> None:
    """Pull, land, gate, transform, gate and publish one day or a range of days. Without a date: all that is due, up to yesterday."""
    settings = load_settings()
    if (from_ is None) != (to is None) or (date_ is not None and from_ is not None):
        fail("give either --date D, or both --from A and --to B, or none of them", code=2)
    if from_ is not None and to is not None and from_ > to:
        fail(f"the range starts on {from_.date()} and ends before that, on {to.date()}: swap --from and --to", code=2)
    start, end = _days(settings, date_ or from_, date_ or to)
    show_progress()
    switches = {"full_refresh": full_refresh, "full_load": full_load, "accept_volume": accept_volume}
    _print_summary(settings, _run(settings, start, end, select=select, **switches))


def _run(settings: Settings, start: date, end: date, **options) -> str:
    """One run; returns its id. Ends the program, with the reasons and the exit code, when it was not published."""
    from orchestration.execution import DONE, FAILED, execute
    from orchestration.full_disk import is_told_in

    result = execute(settings, start, end, **options)
    if result.exit_code == DONE:
        return result.run_id
    for reason in result.reasons:
        say_error(reason, style="red")
    if result.exit_code == FAILED and any(is_told_in(reason) for reason in result.reasons):
        say_error(_disk_is_full(settings))
    kept = "BI keeps the last published version; csw status says more"
    what = "the run failed" if result.exit_code == FAILED else "a gate held the publication back"
    fail(f"{what}: {kept} (run {result.run_id[:8]})", code=result.exit_code)


def _print_summary(settings: Settings, run_id: str) -> None:
    from orchestration.summary import print_summary

    print_summary(console(), settings, run_id)


def _days(settings: Settings, start: datetime | None, end: datetime | None) -> tuple[date, date]:
    from orchestration.published import newest_as_of
    from orchestration.window import make_window, next_days, today_in, yesterday_in

    today = None if settings.is_demo else today_in(settings.zone)
    if start is not None and end is not None:
        days = start.date(), end.date()
    elif not settings.is_demo:
        days = next_days(newest=newest_as_of(settings.published_dir), yesterday=yesterday_in(settings.zone))
    else:
        from orchestration.connections import demo_next_day

        day = demo_next_day(settings, newest_as_of(settings.published_dir))
        days = day, day
    # What cannot be run is told before anything begins.
    make_window(*days, newest=None, restatement_days=0, today=today, first=settings.first_partition)
    return days


@app.command()
def status(
    identities: Annotated[bool, typer.Option("--identities", help="Instead: which records found their customers, and by what.")] = False,
) -> None:
    """The published version, how the last run ended, freshness of each source, and gates that did not pass."""
    if identities:
        from orchestration.summary_identities import print_identities

        print_identities(console(), load_settings())
    else:
        from orchestration.summary import print_status

        print_status(console(), load_settings())


@app.command()
def versions() -> None:
    """All published versions that are kept; the one BI reads is marked."""
    from orchestration.summary import print_versions

    print_versions(console(), load_settings())


@app.command()
def rollback(version: Annotated[str, typer.Argument(help="For example v0007; see csw versions.")]) -> None:
    """Let BI read an older version again, at once."""
    from orchestration.published import rollback as roll_back

    settings = load_settings()
    now = roll_back(settings.published_dir, version)
    console().print(f"BI now reads {now.version} (as of {now.as_of_date}). The next successful run publishes a newer one.")


@app.command()
def query(
    sql: Annotated[str, typer.Argument(help="One SELECT against the published tables, all in schema main.")],
    format_: Annotated[Format, typer.Option("--format")] = "table",
) -> None:
    """Ask the published version: read-only, without access to files or network."""
    from orchestration.summary import print_query

    print_query(console(), load_settings(), sql, format_)


@app.command()
def worklist(
    owner: Annotated[str | None, typer.Option(help="Whose: an e-mail, a published hash (6 characters of it do), or nobody.")] = None,
    format_: Annotated[Format, typer.Option("--format")] = "table",
) -> None:
    """What to do next, best first, from the published version: for everybody, or for one owner."""
    from orchestration.summary import print_worklist
    from orchestration.worklist import read_worklist

    settings = load_settings()
    print_worklist(console(), read_worklist(settings, owner), format_, settings.reporting_currency)


@app.command("check-config")
def check_config() -> None:
    """Say what is set and whether it can work; nothing is pulled."""
    settings = load_settings()
    for domain in DOMAINS:
        console().print(f"{domain:9} {', '.join(settings.sources(domain)) or '(absent)'}", highlight=False)
    console().print(f"data      {settings.data_dir}", highlight=False, soft_wrap=True)
    console().print(f"reporting {settings.reporting_currency}, {settings.reporting_time_zone}, rules: {settings.mrr_rules}", highlight=False)
    if not settings.is_demo and settings.pii_key.get_secret_value() == BUILT_IN_PII_KEY:
        console().print("[yellow]CSW_PII_KEY is not set: e-mail hashes use the built-in key, which anybody can read; set one of your own[/]")
    from orchestration.connections import check_sources
    from orchestration.misspelled import unknown_settings

    there = next(path for path in (settings.data_dir, *settings.data_dir.parents) if path.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        raise ConfigError(f"CSW_DATA_DIR: {there} cannot be written; set it to a folder of yours")
    for name, meant in unknown_settings(settings).items():
        console().print(f"[yellow]{name} is not a setting and changes nothing{f'; is {meant} meant?' if meant else ''}[/]", soft_wrap=True)
    check_sources(settings)
    console().print("the settings are fine")


@app.command()
def dev(port: Annotated[int, typer.Option(min=1024, max=65535)] = 3000) -> None:
    """The Dagster page with schedule, partitions, asset graph and checks, on loopback only."""
    from orchestration.execution import open_page

    open_page(load_settings(), port)


@app.command()
def docs() -> None:
    """Write the dbt docs and the GX Data Docs as static pages."""
    from orchestration.dbt import Dbt
    from orchestration.quality import write_data_docs

    settings = load_settings()
    console().print(f"dbt docs      {Dbt(settings).generate_docs() / 'static_index.html'}", soft_wrap=True)
    console().print(f"GX Data Docs  {write_data_docs(settings)}", soft_wrap=True)


@health_app.command("explain")
def health_explain(
    customer: Annotated[str, typer.Argument(help="Its id, its name, or a part of the name that no other has.")],
    date_: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="The day; default: the published one.")] = None,
) -> None:
    """The score of one customer on one day: its parts, what has changed in 28 days, and why."""
    from orchestration.health_explained import explain, print_explanation

    print_explanation(console(), explain(load_settings(), customer, date_.date() if date_ else None))


@lake_app.command("verify")
def lake_verify() -> None:
    """Check every landed partition against its manifest."""
    from orchestration.lake_contents import LakeContents

    lake = LakeContents(load_settings().lake_dir)
    problems = lake.verify()
    for problem in problems:
        say_error(str(problem), style="red")
    if problems:
        advice = "for each of those days, csw run --date D --full-refresh pulls it again as its source knows it today"
        fail(f"{len(problems)} partitions are not what their manifests say: restore them from a backup, or, {advice}")
    console().print(f"{len(lake.partitions())} partitions are what their manifests say")


@demo_app.command("run")
def demo_run() -> None:
    """The demo company's first run, over all its history, and then one more ordinary daily run."""
    settings = load_settings()
    if not settings.is_demo:
        fail("sources of your own are set: csw run pulls them; unset CSW_CRM_SOURCES, CSW_BILLING_SOURCES, … for the demo company", code=2)
    show_progress()
    for _ in range(2):
        run_id = _run(settings, *_days(settings, None, None))
    _print_summary(settings, run_id)


@demo_app.command("generate")
def demo_generate(
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the files, in the bring-your-own-tables contract.")],
    customers: Annotated[int, typer.Option(min=1, max=1_000_000)] = 500,
    days: Annotated[int, typer.Option(min=1, max=3_650)] = 540,
    seed: Annotated[int, typer.Option()] = 7,
) -> None:
    """Write a simulated company as files, with its truth beside it in OUT/truth."""
    from orchestration.sources.demo.company import generate_to_files

    try:
        last_day = generate_to_files(customers=customers, days=days, out=out.expanduser().resolve(), seed=seed)
    except OSError as error:
        fail(f"the files cannot be written: {error.filename or out}: {error.strerror}")
    console().print(f"{customers} customers, {days} days up to {last_day}, in {out}", soft_wrap=True)


if __name__ == "__main__":
    main()

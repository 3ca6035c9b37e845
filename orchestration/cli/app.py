"""The commands of ``csp``. Each reads the settings, does one thing and reports what it did.

Dagster and dbt are imported only by the commands that run them.
"""

import sys
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from orchestration.cli.console import new_console, styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.stopped import describe, ended_by_sigterm
from orchestration.config.quarter_texts import quarter_of_text
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import load_settings
from orchestration.warehouse.permissions import close_new_files

app = typer.Typer(
    help="Quarterly refreshes of the Community Safety Partnership warehouse.",
    invoke_without_command=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
_DAYS = ["%Y-%m-%d", "%d/%m/%Y", "%d %B %Y", "%d %b %Y"]
Json = Annotated[
    bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")
]
Quarter = Annotated[
    str | None,
    typer.Argument(help="Quarter: 2018-04-01, 'Q1 2018/19', or any day or month of it."),
]


def _print_versions(asked: bool) -> None:
    if asked:
        from orchestration.cli.versions import versions

        for name, version in versions().items():
            typer.echo(f"{name} {version}")
        raise typer.Exit


@app.callback()
def overview(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_versions,
            is_eager=True,
            help="Print the versions of csp and of what it runs on.",
        ),
    ] = False,
) -> None:
    """Quarterly refreshes of the Community Safety Partnership warehouse.

    Without a command: where things are, and what to do next.
    """
    if context.invoked_subcommand is None:
        from orchestration.cli.overview import show_overview

        show_overview(load_settings(), new_console())


def main() -> None:
    """Run the command line; print what stopped it as one message, without a traceback."""
    close_new_files()
    received: list[int] = []
    try:
        with ended_by_sigterm() as received:
            _run()
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - no traceback reaches a user
        said, code = describe(error, terminated=bool(received))
        with suppress(OSError):
            new_console(stderr=True).print(styled("[bold red]Stopped.[/] {}", said))
        sys.exit(code)


def _run() -> None:
    """Run the command that the arguments name; an interrupt is reported as any other error."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == ExitCode.INTERRUPTED and isinstance(ended.__context__, BaseException):
            raise ended.__context__.__cause__ or KeyboardInterrupt from None
        raise


def _quarter(text: str) -> date:
    """Return the quarter that an argument names; print how it was read, if it could be another."""
    quarter = quarter_of_text(text)
    label = quarter_label(quarter)
    if text.strip().upper() not in (quarter.isoformat(), label.upper()):
        new_console(stderr=True).print(f"Quarter '{text}': {label} ({quarter}).")
    return quarter


@app.command()
def refresh(
    quarter: Quarter = None,
    to: Annotated[
        str | None, typer.Option(help="Last quarter of a range, all of it in one run.")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Build every mart, even if nothing changed.")
    ] = False,
    even_if_empty: Annotated[
        bool,
        typer.Option(
            "--even-if-empty",
            help="Build a quarter for which nothing has landed; the release says so.",
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the outcome as JSON; messages go to stderr.")
    ] = False,
) -> None:
    """Run the quarterly refresh, from the landing zone to the exports.

    Without QUARTER: the latest quarter for which more than reference data has landed. A quarter
    without a delivery is refused.
    """
    from orchestration.cli.refresh import run_refresh

    settings = load_settings()
    console = new_console(stderr=as_json)
    chosen = _quarter(quarter) if quarter else None
    if to is not None and chosen is None:
        raise typer.BadParameter("name the first quarter as well: csp refresh 2018-01-01 --to ...")
    last = _quarter(to) if to else None
    code = run_refresh(
        settings,
        chosen,
        console,
        last=last,
        full=full,
        even_if_empty=even_if_empty,
        as_json=as_json,
    )
    raise typer.Exit(code)


@app.command()
def land(
    source: Annotated[str, typer.Argument(help="Source, such as police_uk_street.")],
    quarter: Annotated[str, typer.Argument(help="First day of the quarter it is delivered for.")],
    files: Annotated[list[Path], typer.Argument(help="The delivered files.")],
    note: Annotated[str, typer.Option(help="A note on the delivery.")] = "",
    synthetic: Annotated[
        bool, typer.Option("--synthetic", help="The figures are made up, not real.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Confirm that the given files replace existing ones.")
    ] = False,
    whole: Annotated[
        bool, typer.Option("--whole", help="The given files are the whole delivery.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check/--no-check", help="Check the delivery as it lands; very large files take long."
        ),
    ] = True,
    covers: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="FROM TO",
            help="Periods that the delivery covers: days, months or quarters.",
        ),
    ] = None,
) -> None:
    """Add files to a quarter's delivery in the landing zone, with their checksums.

    A file that takes another's place is named; --replace, or a yes at the terminal, confirms it.
    The delivery is then checked as by `csp check`. It lands even where it would be refused.
    """
    from orchestration.cli.land import land_download, parse_covers
    from orchestration.ingest.landing.receipt import Receipt

    if Path(quarter).is_file():
        raise typer.BadParameter(
            f"the quarter comes before the files: csp land {source} QUARTER FILES"
        )
    receipt = Receipt(
        source=source,
        quarter=_quarter(quarter),
        received_at=datetime.now().replace(microsecond=0),
        nature="synthetic" if synthetic else "real",
        note=note,
        covers=parse_covers(*covers) if covers else None,
    )
    land_download(
        load_settings(), source, files, receipt, new_console(),
        replace=replace, whole=whole, check=check,
    )  # fmt: skip


@app.command()
def fetch(
    source: Annotated[str, typer.Argument(help="Source, such as police_uk_street.")],
    quarter: Annotated[
        str | None, typer.Option(help="Quarter to fetch for; the last closed one if not given.")
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First quarter of a range, up to --to.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option(help="Last quarter of the range; the last closed one if not given."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace files that were not fetched, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Fetch what is new of a public source from its publisher, and land it.

    Nothing lands where no row differs from what has landed. A fetch that was interrupted continues.
    """
    from orchestration.cli.fetch import fetch_source, wanted_quarters

    if (quarter and (first or to)) or (to and not first):
        raise typer.BadParameter("give --quarter, or --from with or without --to")
    quarters = wanted_quarters(
        _quarter(quarter) if quarter else None,
        _quarter(first) if first else None,
        _quarter(to) if to else None,
        datetime.now().date(),
    )
    console = new_console()
    fetch_source(load_settings(), source, quarters, console, replace=replace, as_json=as_json)


@app.command()
def new_partnership(
    names: Annotated[
        list[str],
        typer.Argument(help="A partnership or district by name or GSS code, or several districts."),
    ],
    folder: Annotated[
        Path | None,
        typer.Option(help="New folder for everything; the first name here if not given."),
    ] = None,
    called: Annotated[str, typer.Option("--name", help="Name of the partnership.")] = "",
    quarter: Annotated[
        str | None, typer.Option(help="Last quarter; the last closed one if not given.")
    ] = None,
    quarters: Annotated[
        int, typer.Option(min=1, max=80, help="Quarters of recorded crime, the last one included.")
    ] = 12,
    open_pack: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the pack in the browser.")
    ] = True,
) -> None:
    """Set up a partnership from its name: fetch public data, refresh, and open the pack.

    Run again with the same folder, it continues where it stopped.
    """
    from orchestration.cli.new_partnership import Wanted, new_partnership
    from orchestration.config.partnership_lookup import slug_of
    from orchestration.config.quarters import last_closed_quarter

    last = _quarter(quarter) if quarter else last_closed_quarter(datetime.now().date())
    place = (folder or Path(slug_of(called or names[0]))).absolute()
    wanted = Wanted(tuple(names), place, last, quarters, called, open_pack)
    raise typer.Exit(new_partnership(load_settings(), wanted, new_console()))


@app.command()
def check(
    source: Annotated[str, typer.Argument(help="Source, such as police_uk_street.")],
    files: Annotated[list[Path], typer.Argument(help="The files, all of one delivery.")],
    report: Annotated[
        Path, typer.Option(help="Folder for the error report (XLSX and CSV).")
    ] = Path(),
    as_json: Json = False,
) -> None:
    """Check a delivery before it is handed over: the same checks and report as a load.

    Ends with code 0 where it would be loaded, with or without warnings, and 4 where refused.
    """
    from orchestration.cli.check import check_files

    code = check_files(load_settings(), source, files, report, new_console(), as_json=as_json)
    raise typer.Exit(code)


@app.command()
def export(
    quarter: Quarter = None,
    to: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="New or empty folder to write into.")
    ] = None,
    partnership: Annotated[
        list[str] | None,
        typer.Option(help="Partnership, by its csp; may be repeated. All if not given."),
    ] = None,
    restricted: Annotated[
        bool,
        typer.Option("--restricted", help="True counts of people, for those who may see them."),
    ] = False,
) -> None:
    """Write the exports of a published quarter, or its restricted edition, to another folder.

    With --restricted: pack and workbook with the true counts of people, of the quarter whose tables
    the warehouse holds. Every page says so, and only you can open the files.
    """
    from orchestration.cli.export import export_to_folder

    if to is None:
        raise typer.BadParameter("name the folder to write into: csp export --to FOLDER")
    chosen = _quarter(quarter) if quarter else None
    export_to_folder(
        load_settings(), chosen, partnership or (), to, new_console(), restricted=restricted
    )


texts_app = typer.Typer(
    help="The analyst's own text in the pack: its check, new files, its figures.",
    no_args_is_help=True,
)
app.add_typer(texts_app, name="texts")


@texts_app.command("check")
def check_texts(
    csp: Annotated[
        str | None, typer.Option(help="Partnership, by its csp. All if not given.")
    ] = None,
    quarter: Annotated[
        str | None, typer.Option(help="Quarter of the release; the current one if not given.")
    ] = None,
) -> None:
    """Check the texts with the figures of a release: file, line, value, rule, what to do.

    Ends with code 5 where a text has an error, such as a number that the release contradicts.
    """
    from orchestration.cli.texts import check_texts as run_check

    chosen = _quarter(quarter) if quarter else None
    raise typer.Exit(run_check(load_settings(), csp, chosen, new_console()))


@texts_app.command("new")
def new_texts(
    csp: Annotated[str, typer.Argument(help="Partnership, by its csp, such as northshire.")],
    quarter: Annotated[str, typer.Argument(help="Quarter that the texts are written for.")],
) -> None:
    """Write a file for each part of a partnership's pack; one that exists is left as it is."""
    from orchestration.cli.texts import new_texts as write_files

    write_files(load_settings(), csp, _quarter(quarter), new_console())


@texts_app.command("figures")
def show_figures(
    csp: Annotated[str, typer.Argument(help="Partnership, by its csp, such as northshire.")],
    quarter: Annotated[
        str | None, typer.Option(help="Quarter of the release; the current one if not given.")
    ] = None,
) -> None:
    """List the figures that a text may insert, with their present values."""
    from orchestration.cli.texts import show_figures as print_figures

    chosen = _quarter(quarter) if quarter else None
    print_figures(load_settings(), csp, chosen, new_console())


@app.command()
def status(
    on: Annotated[
        datetime | None,
        typer.Option(formats=_DAYS, help="Day to look at; today if not given."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is due, late, refused, loaded and published, and why."""
    from orchestration.cli.json_output import print_json
    from orchestration.cli.status import show_status, status_output

    today, given = (on or datetime.now()).date(), on is not None
    if as_json:
        print_json(status_output(load_settings(), today, given=given))
    else:
        show_status(load_settings(), new_console(), today, given=given)


@app.command()
def doctor(
    as_json: Json = False,
) -> None:
    """Check the installation: versions, disk, permissions, lock, keys, Dagster's home, releases.

    Changes nothing. Ends with code 1 where there is a fault; a warning leaves it 0.
    """
    from orchestration.cli.doctor import show_health

    raise typer.Exit(show_health(load_settings(), new_console(), as_json=as_json))


@app.command()
def history(
    source: Annotated[str, typer.Argument(help="Source, such as police_uk_street.")],
    quarter: Annotated[
        str | None, typer.Option(help="Only the deliveries for this quarter.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List every version of a source's deliveries: files, rows, and what replaced it."""
    from orchestration.cli.history import history_output, show_history
    from orchestration.cli.json_output import print_json

    chosen = _quarter(quarter) if quarter else None
    if as_json:
        print_json(history_output(load_settings(), source, chosen))
    else:
        show_history(load_settings(), source, chosen, new_console())


@app.command()
def sources() -> None:
    """List every source: what it is, who supplies it, how often, and what has landed of it."""
    from orchestration.cli.sources import show_sources

    show_sources(load_settings(), new_console())


@app.command("describe")
def describe_source(
    source: Annotated[str, typer.Argument(help="Source, such as police_uk_street.")],
) -> None:
    """Show what a file of a source must hold, where it goes and what is checked in it."""
    from orchestration.cli.sources import show_description

    show_description(load_settings(), source, new_console())


@app.command()
def accept(
    source: Annotated[str, typer.Argument(help="Source, such as police_uk_street.")],
    quarter: Annotated[str, typer.Argument(help="First day of the delivery's quarter.")],
    rule: Annotated[str, typer.Argument(help="Rule in brackets, such as volume or revision-drop.")],
    reason: Annotated[str, typer.Option(help="Why it is in order; stored in the warehouse.")],
    period: Annotated[
        datetime | None,
        typer.Option(formats=_DAYS, help="Only this period; without it, the whole delivery."),
    ] = None,
) -> None:
    """Accept an anomaly that a refresh found in a delivery, with a reason."""
    from orchestration.cli.accept import accept_anomalies

    day = period.date() if period else None
    console = new_console()
    accept_anomalies(load_settings(), source, _quarter(quarter), rule, day, reason, console)


@app.command()
def purge(
    before: Annotated[
        str, typer.Option("--before", help="Quarter; earlier deliveries are purged.")
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be deleted.")
    ] = False,
    landing: Annotated[
        bool, typer.Option("--landing", help="Delete the delivered files as well.")
    ] = False,
) -> None:
    """Remove rows about persons whose period is over, and prove that none is left.

    Quarters earlier than QUARTER can not be refreshed afterwards; their releases are kept.
    """
    from orchestration.cli.purge import run_purge

    console = new_console()
    run_purge(load_settings(), _quarter(before), console, dry_run=dry_run, landing=landing)


@app.command()
def releases(as_json: Json = False) -> None:
    """List the published releases, the current one and those that were superseded."""
    from orchestration.cli.json_output import print_json
    from orchestration.cli.releases import releases_output, show_releases

    if as_json:
        print_json(releases_output(load_settings()))
    else:
        show_releases(load_settings(), new_console())


@app.command()
def rollback(
    quarter: Annotated[str, typer.Argument(help="Quarter whose release becomes the current one.")],
    reason: Annotated[str, typer.Option(help="Why; it is recorded.")],
    build: Annotated[
        str | None, typer.Option(help="One build of the quarter, as `csp releases` names it.")
    ] = None,
) -> None:
    """Make an earlier release the current one, until a differing one is published.

    Rolling back to the newest release ends a rollback.
    """
    from orchestration.cli.rollback import make_current

    console = new_console()
    make_current(load_settings(), _quarter(quarter), build, reason, console)


@app.command()
def trace(
    table: Annotated[str, typer.Argument(help="A mart or report, such as crime_monthly.")],
    key: Annotated[list[str], typer.Argument(help="column=value; as many as identify one row.")],
    csv: Annotated[
        Path | None, typer.Option("--csv", help="CSV file for the positions of all rows.")
    ] = None,
) -> None:
    """Show the deliveries, files and rows behind a figure."""
    from orchestration.cli.trace import show_trace

    show_trace(load_settings(), table, key, csv, new_console())


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="A query; it cannot change anything.")],
    published: Annotated[
        bool, typer.Option("--published", help="Query the published database instead.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print all rows as CSV.")] = False,
) -> None:
    """Run an SQL query on the warehouse (read-only)."""
    from orchestration.cli.sql import ask

    ask(load_settings(), query, published=published, as_csv=csv, console=new_console())


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(help="Where to; under CSP_HOME if not given.")
    ] = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Delete all but this many of those under CSP_HOME.")
    ] = None,
) -> None:
    """Copy the restricted warehouse, with a manifest, and verify the copy."""
    from orchestration.cli.backup import make_backup

    make_backup(load_settings(), file, keep, new_console())


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="The backup; its manifest is beside it.")],
) -> None:
    """Verify a backup and replace the warehouse with it; the replaced file is kept."""
    from orchestration.cli.restore import restore_backup

    restore_backup(load_settings(), file, new_console())


@app.command()
def migrate(
    to: Annotated[
        Literal["lake", "file"],
        typer.Option(help="Where to: the lake that the settings name, or the file."),
    ],
) -> None:
    """Copy the restricted warehouse into a lake, or back into a file, and verify the copy."""
    from orchestration.cli.migrate import run_migration

    run_migration(load_settings(), to, new_console())


@app.command()
def docs() -> None:
    """Build dbt's documentation (models, columns, tests, lineage) as one static page."""
    from orchestration.cli.docs import build_docs
    from orchestration.cli.prepare import prepare as make_ready

    settings = load_settings()
    make_ready(settings)
    typer.echo(f"Open {build_docs(settings)} in a browser.")


@app.command()
def audit(
    misprints: Annotated[
        bool, typer.Option("--misprints", help="List the misprints with the true values.")
    ] = False,
    findings: Annotated[
        bool, typer.Option("--findings", help="List the inconsistencies and their answers.")
    ] = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write every printed number to this file.")
    ] = None,
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", help="Bring this document, docs/audit.md, up to date."),
    ] = None,
) -> None:
    """Compare every number that the assessment printed with the computed one.

    Ends with code 5 where a number is neither reproduced nor explained.
    """
    from orchestration.cli.audit import show_audit, write_csv, write_markdown

    settings = load_settings()
    console = new_console()
    code = show_audit(settings, misprints=misprints, findings=findings, console=console)
    if csv:
        console.print(f"{write_csv(settings, csv):,} printed numbers written to {csv}.")
    if markdown:
        write_markdown(settings, markdown)
        console.print(f"Written into {markdown}.")
    raise typer.Exit(code)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port; 3000 or a free one if not given.")
    ] = None,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Nobody can start or stop a run in it.")
    ] = False,
    no_daemon: Annotated[
        bool, typer.Option("--no-daemon", help="Only the UI: the daemon runs elsewhere.")
    ] = False,
) -> None:
    """Serve the Dagster UI and run its schedule, sensors and queue, until stopped.

    It answers its own pages and programs only, under the names localhost and CSP_UI_HOSTS.
    """
    from orchestration.cli.serve import serve_ui

    settings = load_settings()
    code = serve_ui(settings, host, port, read_only=read_only, daemon=not no_daemon)
    raise typer.Exit(code)


@app.command()
def prepare() -> None:
    """Parse the dbt project and set up Dagster's home, if either has changed."""
    from orchestration.cli.prepare import prepare as make_ready

    changed = make_ready(load_settings())
    typer.echo("Prepared." if changed else "Nothing to prepare.")


@app.command()
def contracts(
    check: Annotated[
        bool, typer.Option("--check", help="Only check whether the dbt sources are up to date.")
    ] = False,
) -> None:
    """Write each source's dbt YAML from its contract."""
    from orchestration.cli.contracts import check_sources, write_sources

    typer.echo(check_sources() if check else write_sources())


@app.command("new-source")
def new_source(
    name: Annotated[str, typer.Argument(help="Name of the source, such as ambulance_incidents.")],
    counts: Annotated[
        Literal["people", "offences", "places"], typer.Option(help="What its rows are about.")
    ] = "people",
    reader: Annotated[
        bool, typer.Option("--reader", help="Files are workbooks or another format, not plain CSV.")
    ] = False,
) -> None:
    """Write the folder of a new source: contract, staging model, sample, reader if asked for.

    It loads, builds and passes every test at once; the contract is then edited to the real extract.
    """
    from orchestration.cli.new_source import make_source
    from orchestration.ingest.scaffold.new_source import NewSource

    make_source(NewSource(name, counts, reader), new_console())

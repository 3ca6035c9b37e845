"""What ``csp refresh`` prints when it has ended: sources, checks, warnings, outputs."""

from collections.abc import Sequence
from datetime import date

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.history import print_anomaly
from orchestration.cli.json_output import NumbersChanged
from orchestration.cli.refresh_answer import refused_now
from orchestration.cli.refresh_changes import print_changes
from orchestration.cli.refresh_outcome import EXPORTS, RELEASE, Ran, loads_of
from orchestration.cli.refresh_range import print_quarters
from orchestration.cli.report_paths import print_report
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import CspError
from orchestration.ingest.checking.anomalies import listed_anomalies
from orchestration.ingest.checking.configured_words import vocabulary_of_file
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.shown_texts import ShownTexts
from orchestration.transform.build_state import last_warnings
from orchestration.warehouse.connection import connect, warehouse_name
from orchestration.warehouse.refresh_record import RefreshRecord

_SHOWN_FAULTS = 10


def print_done(
    settings: Settings,
    quarters: Sequence[date],
    ran: Ran,
    numbers: NumbersChanged | None,
    console: Console,
) -> None:
    """Print the summary of a refresh that succeeded; ``numbers`` is what it changed."""
    _print_sources(settings, quarters, ran, console)
    print_quarters(quarters, ran.releases, ran.exports, console)
    if len(quarters) > 1:
        console.print(f"As at the last of them, {quarter_label(quarters[-1])}:")
    _print_checks(ran, console)
    _print_warnings(settings, console)
    _print_outputs(settings, quarters, ran, console)
    if numbers:
        print_changes(numbers, console)


def print_unchanged(settings: Settings, record: RefreshRecord, ran: Ran, console: Console) -> None:
    """Print the summary of a refresh that was not run, since nothing has changed since ``record``.

    ``ran`` is what the recorded run reported.
    """
    _print_sources(settings, record.quarters, ran, console)
    _print_warnings(settings, console)
    _print_outputs(settings, record.quarters, ran, console)
    console.print(
        f"Compared with the refresh that ended at {record.ended_at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{record.read.landed_files:,} files that have landed, texts, partnerships, corrections, "
        f"settings, program and packages, and {record.left.files:,} files of the warehouse, the "
        "releases and the exports. Nothing was run; `csp refresh --full` builds everything."
    )


def _print_sources(settings: Settings, quarters: Sequence[date], ran: Ran, console: Console) -> int:
    """Print what came of each source; return how many deliveries are refused now."""
    loads = loads_of(ran)
    if not loads:
        return 0
    table = ShownTable(
        ("Source", "New", "Rows loaded", "Rows refused", "Unchanged", "Rows in all"), "Deliveries"
    )
    for source, load in sorted(loads.items()):
        table.add(
            source,
            *(
                load[name]
                for name in (
                    "deliveries_new",
                    "rows_loaded",
                    "rows_refused",
                    "deliveries_unchanged",
                    "dagster/row_count",
                )
            ),
        )
    print_table(table, console)
    for source, load in sorted(loads.items()):
        for warning in load["warnings"]:
            console.print(styled("[yellow]Warning:[/] {}, {}", source, warning))
    _print_anomalies(settings, ran, console)
    return _print_refusals(settings, quarters, ran, console)


def _print_anomalies(settings: Settings, ran: Ran, console: Console) -> None:
    """Print the anomalies that are not accepted, if the run got as far as looking for them."""
    resolved = ran.metadata.get("control/in_force")
    if resolved is None:
        return
    if resolved["corrections_applied"]:
        console.print(f"Corrections applied: {resolved['corrections_applied']} (corrections.toml).")
    with connect(settings, read_only=True) as connection:
        open_ones = [one for one in listed_anomalies(connection) if one.reason is None]
    for one in open_ones[:_SHOWN_FAULTS]:
        print_anomaly(one, console)
    if len(open_ones) > _SHOWN_FAULTS:
        console.print(f"{len(open_ones) - _SHOWN_FAULTS} more: `csp status` lists them.")
    if open_ones:
        console.print("`csp accept` records that one is in order, and why.")


def _print_refusals(
    settings: Settings, quarters: Sequence[date], ran: Ran, console: Console
) -> int:
    """Print what is refused of the run's quarters, and of earlier ones what it loaded itself."""
    of_run = [quarters[0], quarters[-1], ran.began_at]
    refused = refused_now(settings, quarters[-1])
    with connect(settings, read_only=True) as connection:
        quarantined = connection.execute(
            "select deliveries.source, deliveries.quarter, files.file_name, files.number, "
            "refused.line, refused.column_name, refused.message, refused.rule "
            "from quarantine.refused_rows as refused "
            "inner join control.deliveries as deliveries using (delivery_id) "
            "left join (select *, row_number() over (partition by delivery_id order by file_id) "
            "as number from control.files) as files using (file_id) "
            "where deliveries.state = 'loaded' "
            "and (deliveries.quarter between ? and ? or deliveries.loaded_at >= ?) "
            "order by deliveries.quarter, deliveries.source, files.file_name, refused.line limit ?",
            [*of_run, _SHOWN_FAULTS],
        ).fetchall()
        partly = connection.execute(
            "select source, quarter, version from control.deliveries "
            "where quarter between ? and ? or loaded_at >= ? "
            "qualify row_number() over (partition by source, quarter order by version desc) = 1 "
            "and state = 'loaded' and rows_refused > 0 order by quarter, source",
            of_run,
        ).fetchall()
    for one in refused:
        console.print(
            styled(
                "[bold red]Refused:[/] {} {} (version {}). {}",
                one.source,
                one.quarter,
                one.version,
                one.reason,
            )
        )
        print_report(settings, one.source, one.quarter, one.version, console)
    if refused:
        console.print("The rows stay out, and the previous version, if any, stays in force.")
    contracts, vocabulary = load_contracts(), vocabulary_of_file(settings.partnerships)
    for source, delivered, name, number, line, column, message, rule in quarantined:
        texts = ShownTexts(contracts[source], vocabulary, delivered)
        file = texts.numbered_file(name, number) if name else "the delivery"
        where = quarantined_place(source, file, line, column)
        console.print(
            styled("[yellow]In quarantine:[/] {}: {} {}", where, message, f"[rule: {rule}]")
        )
    for source, delivered, version in partly:
        print_report(settings, source, delivered, version, console)
    return len(refused)


def quarantined_place(source: str, file: str, line: int | None, column: str | None) -> str:
    """Return where a refused row is; a fault of the whole line is in no column."""
    line_text = "" if line is None else f", line {line}"
    return f"{source}, {file}{line_text}" + (f", column '{column}'" if column else "")


def _print_checks(ran: Ran, console: Console) -> None:
    total = sum(ran.checks.values())
    if not total:
        return
    said = f"Checks: {ran.checks['passed']} of {total} passed"
    if ran.checks["warn"]:
        said += f", {ran.checks['warn']} warn"
    console.print(said + ("." if total == ran.checks["passed"] + ran.checks["warn"] else ":"))
    for name in ran.failed_checks:
        console.print(styled("  [red]not passed:[/] {}", name))
    if stood := _standing(ran):
        console.print(
            f"{len(stood)} models and their checks are unchanged since {max(stood)} UTC and were "
            "not built again (--full builds them)."
        )


def _print_warnings(settings: Settings, console: Console) -> None:
    with connect(settings, read_only=True) as connection:
        warnings = last_warnings(connection)
    for warning in warnings:
        console.print(styled("[yellow]Warning:[/] {}.", warning))


def print_stopped(settings: Settings, quarters: Sequence[date], ran: Ran, console: Console) -> None:
    """Print what stopped the run, also where it left a warehouse that cannot be opened."""
    refused = 0
    try:
        refused = _print_sources(settings, quarters, ran, console)
    except CspError as error:
        console.print(styled("[yellow]The outcome of the deliveries cannot be shown:[/] {}", error))
    _print_checks(ran, console)
    _print_failures(ran, refused, console)
    if ran.releases:
        print_quarters(quarters, ran.releases, ran.exports, console)
    else:
        console.print(styled("[bold]Nothing was published:[/] the previous release is unchanged."))


def _print_failures(ran: Ran, refused: int, console: Console) -> None:
    for one in ran.failures:
        if one.words:
            console.print(styled("[bold red]Stopped[/] at {}: {}", one.step, one.words))
    if refused:
        console.print("Correct what was refused, land it again with `csp land`, and refresh again.")


def _standing(ran: Ran) -> list[str]:
    """Return when each model that was not built again had been built; empty where all were."""
    times = (about.get("csp/unchanged_since") for about in ran.metadata.values())
    return [str(time).replace("T", " ") for time in times if time]


def _print_text_warnings(warnings: Sequence[str], console: Console) -> None:
    for warning in warnings[:_SHOWN_FAULTS]:
        console.print(styled("[yellow]Warning:[/] {}", warning))
    if len(warnings) > _SHOWN_FAULTS:
        console.print(f"{len(warnings) - _SHOWN_FAULTS} more: `csp texts check` lists them.")


def _print_outputs(
    settings: Settings, quarters: Sequence[date], ran: Ran, console: Console
) -> None:
    release, exported = ran.metadata.get(RELEASE, {}), ran.metadata.get(EXPORTS, {})
    _print_text_warnings(exported.get("warnings", ()), console)
    new = sum(load.get("deliveries_new", 0) for load in ran.metadata.values())
    written = [*ran.releases.values(), *ran.exports.values()]
    if not new and not any(one.get("changed") for one in written):
        about = " to ".join(
            quarter_label(one) for one in dict.fromkeys([quarters[0], quarters[-1]])
        )
        console.print(
            styled(
                "[bold green]Nothing has changed[/] since the last refresh of {}: every mart is "
                "the same.",
                about,
            )
        )
    if (up_to := str(release.get("data_up_to", ""))) and up_to < quarters[-1].isoformat():
        console.print(
            styled(
                "[yellow]Warning:[/] the data of this release go up to {}, before {}.",
                up_to,
                quarter_label(quarters[-1]),
            )
        )
    if release.get("synthetic"):
        console.print(
            styled("[yellow]The release contains synthetic data and is marked as synthetic.[/]")
        )
    table = ShownTable(("Output", "Where"), "Outputs")
    table.add("For BI (read-only)", settings.published / "csp.duckdb")
    table.add("This release", release.get("path"))
    table.add(f"Exports ({exported.get('partnerships')} partnerships)", exported.get("path"))
    table.add("Restricted warehouse", warehouse_name(settings))
    print_table(table, console)

"""``csp refresh``: runs Dagster's job in this process, shows its progress, and sums up."""

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.history import print_anomaly
from orchestration.cli.json_output import (
    NumbersChanged,
    print_json,
)
from orchestration.cli.prepare import prepare
from orchestration.cli.refresh_answer import answer, refused_now
from orchestration.cli.refresh_changes import numbers_changed, print_changes
from orchestration.cli.refresh_outcome import (
    EXPORTS,
    RELEASE,
    Failure,
    Ran,
    code_of_run,
    loads_of,
    note,
    reported,
)
from orchestration.cli.refresh_progress import RefreshProgress, refresh_progress
from orchestration.cli.refresh_range import print_quarters, quarters_between
from orchestration.cli.report_paths import print_report
from orchestration.cli.status import landed_to
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import CspError, EmptyQuarterError, LandingError, QuarterError
from orchestration.ingest.checking.anomalies import listed_anomalies
from orchestration.ingest.checking.configured_words import vocabulary_of_file
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.shown_texts import ShownTexts
from orchestration.ingest.landing.arrival_calendar import refuse_empty_quarters
from orchestration.transform.build_state import last_warnings
from orchestration.warehouse.backup import REPAIRED
from orchestration.warehouse.connection import connect

_SHOWN_FAULTS = 10


def run_refresh(
    settings: Settings,
    quarter: date | None,
    console: Console,
    *,
    last: date | None = None,
    full: bool = False,
    even_if_empty: bool = False,
    as_json: bool = False,
) -> ExitCode:
    """Refresh ``quarter`` (or the latest that has landed) and print a summary.

    ``last`` makes it a range: each quarter from ``quarter`` on, oldest first, in one run. ``full``
    builds every mart, though nothing that they read may have changed. ``even_if_empty`` builds a
    quarter for which nothing has landed. ``as_json`` prints the outcome as JSON on standard output
    too, so ``console`` should write elsewhere.

    Returns the exit code. A refused delivery of the quarters stops the refresh. One of an earlier
    quarter is reported each time until it is corrected or removed.
    Raises :class:`QuarterError` where ``last`` comes before ``quarter``.
    """
    chosen = quarter or landed_to(settings, load_contracts())
    if chosen is None:
        raise LandingError(
            f"Nothing has landed in {settings.raw}. Land a delivery with `csp land` first."
        )
    quarters = list(quarters_between(chosen, last or chosen))
    if not even_if_empty:
        _refuse_empty(settings, quarters)
    names = [f"{quarter_label(one)} ({one})" for one in dict.fromkeys([quarters[0], quarters[-1]])]
    console.print(f"Refreshing {' to '.join(names)}")
    with refresh_progress(console) as progress:
        progress.preparing()
        prepare(settings, lambda said: progress.note(styled("[yellow]{}{}[/]", REPAIRED, said)))
        # Dagster is imported only where it is run.
        from orchestration.dagster.assets.ingest import EVEN_IF_EMPTY
        from orchestration.dagster.assets.transform import FULL_TAG

        tags = {FULL_TAG: full, EVEN_IF_EMPTY: even_if_empty}
        ran = _run(quarters, progress, [tag for tag, given in tags.items() if given])
    numbers = _numbers(ran)
    if ran.success:
        _print_done(settings, quarters, ran, numbers, console)
    else:
        _print_stopped(settings, quarters, ran, console)
    if as_json:
        print_json(answer(settings, quarters, ran, numbers))
    return code_of_run(ran)


def _numbers(ran: Ran) -> NumbersChanged | None:
    """Return what the last quarter's release changed; None where it is as it was."""
    release = ran.metadata.get(RELEASE)
    if not ran.success or release is None or not release["changed"]:
        return None
    return numbers_changed(Path(str(release["path"])))


def _print_done(
    settings: Settings,
    quarters: Sequence[date],
    ran: Ran,
    numbers: NumbersChanged | None,
    console: Console,
) -> None:
    _print_sources(settings, quarters, ran, console)
    print_quarters(quarters, ran.releases, ran.exports, console)
    if len(quarters) > 1:
        console.print(f"As at the last of them, {quarter_label(quarters[-1])}:")
    _print_checks(ran, console)
    _print_warnings(settings, console)
    _print_outputs(settings, quarters, ran, console)
    if numbers:
        print_changes(numbers, console)


def _refuse_empty(settings: Settings, quarters: Sequence[date]) -> None:
    """Refuse quarters for which nothing has landed before anything is loaded.

    The run looks as well. A warehouse that cannot be read now is its matter: it waits or repairs.
    """
    try:
        refuse_empty_quarters(settings, quarters)
    except EmptyQuarterError:
        raise
    except CspError:
        return


# --- running ---------------------------------------------------------------------------------


def _run(quarters: Sequence[date], progress: RefreshProgress, tags: Sequence[str]) -> Ran:
    import dagster as dg

    from orchestration.dagster.jobs import PROGRESS_LOGGER, REFRESH_JOB
    from orchestration.dagster.partitions import range_tags
    from orchestration.dagster.resources import STARTED_BY
    from orchestration.dagster.run_launcher import CUT_SHORT, end_dead_runs, marked_as_running
    from orchestration.definitions import warehouse

    # dagster-dbt logs beside the run's own log, which has all of it.
    logging.getLogger("dagster.builtin").propagate = False
    definitions = warehouse()
    job = definitions.resolve_job_def(REFRESH_JOB)
    for quarter in quarters:
        _check_partition(job, quarter)
    run_id = str(uuid4())
    with dg.DagsterInstance.get() as instance, marked_as_running(instance, run_id):
        for dead in end_dead_runs(instance):
            progress.note(styled("[yellow]Cut short:[/] run {}. {}", dead[:8], CUT_SHORT))
        progress.begin(len(job.graph.nodes))
        result = job.execute_in_process(
            partition_key=quarters[0].isoformat() if len(quarters) == 1 else None,
            instance=instance,
            run_id=run_id,
            raise_on_error=False,
            run_config={"loggers": {PROGRESS_LOGGER: {}}},
            tags={
                STARTED_BY: "csp refresh",
                **(range_tags(quarters) if len(quarters) > 1 else {}),
                **dict.fromkeys(tags, "true"),
            },
        )
        ran = reported(result, quarters[-1])
        for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.RUN_CANCELED):
            words = entry.get_dagster_event().message or "cancelled"
            ran.failures.append(Failure("the run", words, ExitCode.LOCKED))
        if not ran.success:
            # What a step reported before it failed is in Dagster's records, not in the result.
            kind = dg.DagsterEventType.ASSET_MATERIALIZATION
            for entry in instance.all_logs(run_id, of_type=kind):
                told = entry.get_dagster_event().step_materialization_data.materialization
                note(ran, told, quarters[-1].isoformat())
    return ran


def _check_partition(job: Any, quarter: date) -> None:
    keys = job.partitions_def.get_partition_keys()
    if quarter.isoformat() not in keys:
        raise QuarterError(
            f"{quarter_label(quarter)} ({quarter}) cannot be refreshed: quarters run from "
            f"{keys[0]} (CSP_FIRST_QUARTER) to the last that has ended, {keys[-1]}."
        )


# --- what is said ----------------------------------------------------------------------------


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
    return _print_refusals(settings, quarters, console)


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


def _print_refusals(settings: Settings, quarters: Sequence[date], console: Console) -> int:
    refused = refused_now(settings, quarters[-1])
    with connect(settings, read_only=True) as connection:
        quarantined = connection.execute(
            "select deliveries.source, deliveries.quarter, files.file_name, files.number, "
            "refused.line, refused.column_name, refused.message, refused.rule "
            "from quarantine.refused_rows as refused "
            "inner join control.deliveries as deliveries using (delivery_id) "
            "left join (select *, row_number() over (partition by delivery_id order by file_id) "
            "as number from control.files) as files using (file_id) "
            "where deliveries.state = 'loaded' and deliveries.quarter between ? and ? "
            "order by deliveries.quarter, deliveries.source, files.file_name, refused.line limit ?",
            [quarters[0], quarters[-1], _SHOWN_FAULTS],
        ).fetchall()
        partly = connection.execute(
            "select source, quarter, version from control.deliveries where quarter between ? and ? "
            "qualify row_number() over (partition by source, quarter order by version desc) = 1 "
            "and state = 'loaded' and rows_refused > 0 order by quarter, source",
            [quarters[0], quarters[-1]],
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
        where = f"{source}, {file}, line {line}, column '{column}'"
        console.print(
            styled("[yellow]In quarantine:[/] {}: {} {}", where, message, f"[rule: {rule}]")
        )
    for source, delivered, version in partly:
        print_report(settings, source, delivered, version, console)
    return len(refused)


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


def _print_stopped(
    settings: Settings, quarters: Sequence[date], ran: Ran, console: Console
) -> None:
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
    table.add("Restricted warehouse", settings.warehouse)
    print_table(table, console)

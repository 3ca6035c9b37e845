"""``csp refresh``: runs Dagster's job in this process, shows its progress, and sums up."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from orchestration.cli.console import styled
from orchestration.cli.history import print_anomaly
from orchestration.cli.prepare import prepare
from orchestration.cli.refresh_range import print_quarters, quarters_between
from orchestration.cli.status import landed_to
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import CspError, EmptyQuarterError, LandingError, QuarterError
from orchestration.ingest.checking.anomalies import listed_anomalies
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.shown_texts import ShownTexts, Vocabulary
from orchestration.ingest.landing.arrival_calendar import refuse_empty_quarters
from orchestration.transform.build_state import last_warnings
from orchestration.warehouse.backup import REPAIRED
from orchestration.warehouse.connection import connect

_SHOWN_FAULTS = 10
_RELEASE, _EXPORTS = "published/csp", "exports/partnerships"


@dataclass
class _Ran:
    """What the run reported of itself: ``metadata`` by asset, as at the last of its quarters, and
    ``releases`` and ``exports`` by the first day of each quarter that has them."""

    success: bool
    run_id: str
    checks: Counter[str] = field(default_factory=Counter)
    failed_checks: list[str] = field(default_factory=list)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[tuple[str, str]] = field(default_factory=list)
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)


def run_refresh(
    settings: Settings,
    quarter: date | None,
    console: Console,
    *,
    last: date | None = None,
    full: bool = False,
    even_if_empty: bool = False,
) -> int:
    """Refresh ``quarter`` (or the latest that has landed) and print a summary.

    ``last`` makes it a range: each quarter from ``quarter`` on, oldest first, in one run. ``full``
    builds every mart, though nothing that they read may have changed. ``even_if_empty`` builds a
    quarter for which nothing has landed.

    Returns the exit code: 0, or 1 where the refresh stopped. A refused delivery of the quarters
    stops it. One of an earlier quarter is reported each time until it is corrected or removed.
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
    prepare(settings, lambda said: console.print(styled("[yellow]{}{}[/]", REPAIRED, said)))
    # Dagster is imported only where it is run.
    from orchestration.dagster.assets.ingest import EVEN_IF_EMPTY
    from orchestration.dagster.assets.transform import FULL_TAG

    tags = {FULL_TAG: full, EVEN_IF_EMPTY: even_if_empty}
    ran = _run(settings, quarters, console, [tag for tag, given in tags.items() if given])
    if not ran.success:
        _print_stopped(settings, quarters, ran, console)
        return 1
    _print_sources(settings, quarters, ran, console)
    print_quarters(quarters, ran.releases, ran.exports, console)
    if len(quarters) > 1:
        console.print(f"As at the last of them, {quarter_label(quarters[-1])}:")
    _print_checks(ran, console)
    _print_warnings(settings, console)
    _print_outputs(settings, quarters, ran, console)
    return 0


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


def _run(
    settings: Settings, quarters: Sequence[date], console: Console, tags: Sequence[str]
) -> _Ran:
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
            console.print(styled("[yellow]Cut short:[/] run {}. {}", dead[:8], CUT_SHORT))
        with _progress(console, len(job.graph.nodes)):
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
        ran = _report(result, quarters[-1])
        if not ran.success:
            # What a step reported before it failed is in Dagster's records, not in the result.
            kind = dg.DagsterEventType.ASSET_MATERIALIZATION
            for entry in instance.all_logs(run_id, of_type=kind):
                told = entry.get_dagster_event().step_materialization_data.materialization
                _note(ran, told, quarters[-1].isoformat())
    return ran


def _check_partition(job: Any, quarter: date) -> None:
    keys = job.partitions_def.get_partition_keys()
    if quarter.isoformat() not in keys:
        raise QuarterError(
            f"{quarter_label(quarter)} ({quarter}) cannot be refreshed: quarters run from "
            f"{keys[0]} (CSP_FIRST_QUARTER) to the last that has ended, {keys[-1]}."
        )


@contextmanager
def _progress(console: Console, steps: int) -> Iterator[None]:
    """Show each step of the run as Dagster logs it."""
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
        TimeElapsedColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    )  # fmt: skip
    handler = _StepHandler(progress, steps)
    logger = logging.getLogger("csp.progress")
    logger.addHandler(handler)
    try:
        with progress:
            yield
    finally:
        logger.removeHandler(handler)


class _StepHandler(logging.Handler):
    def __init__(self, progress: Progress, steps: int) -> None:
        super().__init__()
        self._progress = progress
        self._task = progress.add_task("starting", total=steps)

    def emit(self, record: logging.LogRecord) -> None:
        said = str(getattr(record, "dagster_meta", {}).get("orig_message", ""))
        if said.startswith(REPAIRED):
            self._progress.console.print(styled("[yellow]{}[/]", said))
        event = getattr(record, "dagster_event", None)
        kind = getattr(event, "event_type_value", None)
        if event is not None and kind == "STEP_START":
            self._progress.update(self._task, description=str(event.step_key))
        elif kind in {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"}:
            self._progress.advance(self._task)


# --- what happened ---------------------------------------------------------------------------


def _report(result: Any, last: date) -> _Ran:
    ran = _Ran(result.success, result.run_id)
    for event in result.all_events:
        if event.is_step_failure:
            ran.failures.append((event.step_key, _words(event.step_failure_data.error)))
        elif event.event_type_value == "PIPELINE_FAILURE" and event.job_failure_data.error:
            words = _words(event.job_failure_data.error)
            if words not in [said for _, said in ran.failures]:
                ran.failures.append(("the run", words))
        elif event.is_step_materialization:
            _note(ran, event.step_materialization_data.materialization, last.isoformat())
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            _count_check(ran, event.asset_check_evaluation_data)
    return ran


def _note(ran: _Ran, materialization: Any, last: str) -> None:
    key, quarter = "/".join(materialization.asset_key.path), materialization.partition
    metadata = _plain_metadata(materialization.metadata)
    if quarter in (None, last):
        ran.metadata[key] = metadata
    if key == _RELEASE:
        ran.releases[quarter] = metadata
    elif key == _EXPORTS:
        ran.exports[quarter] = metadata


def _plain_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.value for name, value in metadata.items()}


def _count_check(ran: _Ran, check: Any) -> None:
    outcome = "passed" if check.passed else check.severity.value.lower()
    ran.checks[outcome] += 1
    # Warnings are printed below.
    if outcome not in ("passed", "warn"):
        said = check.description or check.check_name.replace("_", " ")
        ran.failed_checks.append(f"{'/'.join(check.asset_key.path)}: {said}")


def _words(error: Any) -> str:
    """Return the message of a foreseeable fault, or say that the fault was not foreseen."""
    foreseen = {one.__name__ for one in _subclasses(CspError)}
    cause = error
    while cause is not None:
        if cause.cls_name in foreseen:
            return str(cause.message).split(": ", 1)[1].strip()
        if cause.cls_name == "DagsterAssetCheckFailedError":
            return ""
        cause = cause.cause
    root = error
    while root.cause is not None:
        root = root.cause
    return (
        f"Unexpected error: {str(root.message).strip()} Dagster's UI (`make dev`) shows all of it "
        "under this run. Report it."
    )


def _subclasses(kind: type) -> Iterator[type]:
    for one in kind.__subclasses__():
        yield one
        yield from _subclasses(one)


# --- what is said ----------------------------------------------------------------------------


def _print_sources(
    settings: Settings, quarters: Sequence[date], ran: _Ran, console: Console
) -> int:
    """Print what came of each source; return how many deliveries are refused now."""
    loads = {
        key.removeprefix("raw/"): metadata
        for key, metadata in ran.metadata.items()
        if key.startswith("raw/")
    }
    if not loads:
        return 0
    table = Table(Column("Source", no_wrap=True), *(
        Column(heading, justify="right") for heading in
        ("New", "Rows loaded", "Rows refused", "Unchanged", "Rows in all")
    ), title="Deliveries")  # fmt: skip
    for source, load in sorted(loads.items()):
        table.add_row(
            source,
            *(
                f"{load[name]:,}"
                for name in (
                    "deliveries_new",
                    "rows_loaded",
                    "rows_refused",
                    "deliveries_unchanged",
                    "dagster/row_count",
                )
            ),
        )
    console.print(table)
    for source, load in sorted(loads.items()):
        for warning in load["warnings"]:
            console.print(styled("[yellow]Warning:[/] {}, {}", source, warning))
    _print_anomalies(settings, ran, console)
    return _print_refusals(settings, quarters, console)


def _print_anomalies(settings: Settings, ran: _Ran, console: Console) -> None:
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
    with connect(settings, read_only=True) as connection:
        refused = connection.execute(
            "select delivery_id, source, quarter, version, reason from control.deliveries "
            "where quarter <= ? qualify row_number() over (partition by source, quarter "
            "order by version desc) = 1 and state = 'refused' order by source, quarter",
            [quarters[-1]],
        ).fetchall()
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
    for _, source, delivered, version, reason in refused:
        console.print(
            styled(
                "[bold red]Refused:[/] {} {} (version {}). {}", source, delivered, version, reason
            )
        )
    if refused:
        console.print("The rows stay out, and the previous version, if any, stays in force.")
    contracts, vocabulary = load_contracts(), Vocabulary.with_names()
    for source, delivered, name, number, line, column, message, rule in quarantined:
        texts = ShownTexts(contracts[source], vocabulary, delivered)
        file = texts.numbered_file(name, number) if name else "the delivery"
        where = f"{source}, {file}, line {line}, column '{column}'"
        console.print(
            styled("[yellow]In quarantine:[/] {}: {} {}", where, message, f"[rule: {rule}]")
        )
    return len(refused)


def _print_checks(ran: _Ran, console: Console) -> None:
    total = sum(ran.checks.values())
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
    settings: Settings, quarters: Sequence[date], ran: _Ran, console: Console
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


def _print_failures(ran: _Ran, refused: int, console: Console) -> None:
    for step, words in ran.failures:
        if words:
            console.print(styled("[bold red]Stopped[/] at {}: {}", step, words))
    if refused:
        console.print("Correct what was refused, land it again with `csp land`, and refresh again.")


def _standing(ran: _Ran) -> list[str]:
    """Return when each model that was not built again had been built; empty where all were."""
    times = (about.get("csp/unchanged_since") for about in ran.metadata.values())
    return [str(time).replace("T", " ") for time in times if time]


def _print_outputs(
    settings: Settings, quarters: Sequence[date], ran: _Ran, console: Console
) -> None:
    release, exported = ran.metadata.get(_RELEASE, {}), ran.metadata.get(_EXPORTS, {})
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
    elif len(quarters) == 1 and (changed := release.get("changed_tables")):
        console.print(f"Published with changes: {', '.join(changed)}.")
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
    table = Table("Output", "Where", title="Outputs")
    table.add_row("For BI (read-only)", str(settings.published / "csp.duckdb"))
    table.add_row("This release", str(release.get("path")))
    table.add_row(
        f"Exports ({exported.get('partnerships')} partnerships)", str(exported.get("path"))
    )
    table.add_row("Restricted warehouse", str(settings.warehouse))
    console.print(table)

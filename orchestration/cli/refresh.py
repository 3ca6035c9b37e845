"""``csp refresh``: runs Dagster's job in this process, shows its progress, and sums up."""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.json_output import NumbersChanged, print_json
from orchestration.cli.prepare import prepare
from orchestration.cli.recorded_run import ran_before, record_run
from orchestration.cli.refresh_answer import answer
from orchestration.cli.refresh_changes import numbers_changed
from orchestration.cli.refresh_outcome import RELEASE, Failure, Ran, code_of_run, note, reported
from orchestration.cli.refresh_progress import RefreshProgress, refresh_progress
from orchestration.cli.refresh_range import quarters_between
from orchestration.cli.refresh_summary import print_done, print_stopped, print_unchanged
from orchestration.cli.status import landed_to
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.config.without_pandas import without_pandas
from orchestration.errors import CspError, EmptyQuarterError, LandingError, QuarterError
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.arrival_calendar import refuse_empty_quarters
from orchestration.warehouse.backup import REPAIRED
from orchestration.warehouse.connection import warehouse_writer
from orchestration.warehouse.refresh_record import (
    RefreshRecord,
    standing_record,
    state_to_record,
)


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
    too, so ``console`` should write elsewhere. Where nothing that the last refresh read or left
    has changed, the answer is given from its record, and nothing is run.

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
    once = len(quarters) == 1 and not even_if_empty
    if once and not full and (record := _standing(settings, quarters)):
        return _answered(settings, record, console, as_json)
    if not even_if_empty:
        _refuse_empty(settings, quarters)
    read = state_to_record(settings) if once else None
    tags = {"full": full, "even_if_empty": even_if_empty}
    ran = _refreshed(settings, quarters, console, [tag for tag, given in tags.items() if given])
    if read:
        record_run(settings, quarters, ran, read)
    numbers = _numbers(ran)
    if ran.success:
        print_done(settings, quarters, ran, numbers, console)
    else:
        print_stopped(settings, quarters, ran, console)
    if as_json:
        print_json(answer(settings, quarters, ran, numbers))
    return code_of_run(ran)


def _answered(
    settings: Settings, record: RefreshRecord, console: Console, as_json: bool
) -> ExitCode:
    ran = ran_before(record)
    with without_pandas():
        print_unchanged(settings, record, ran, console)
        if as_json:
            print_json(answer(settings, record.quarters, ran, None, record))
    return ExitCode.DONE


def _standing(settings: Settings, quarters: Sequence[date]) -> RefreshRecord | None:
    """Return the record that answers; a warehouse that is being written is for a run to report."""
    return None if warehouse_writer(settings) else standing_record(settings, quarters)


def _refreshed(
    settings: Settings, quarters: Sequence[date], console: Console, ways: Sequence[str]
) -> Ran:
    names = [f"{quarter_label(one)} ({one})" for one in dict.fromkeys([quarters[0], quarters[-1]])]
    console.print(f"Refreshing {' to '.join(names)}")
    with refresh_progress(console) as progress:
        progress.preparing()
        prepare(settings, lambda said: progress.note(styled("[yellow]{}{}[/]", REPAIRED, said)))
        # Dagster is imported only where it is run.
        from orchestration.dagster.assets.ingest import EVEN_IF_EMPTY
        from orchestration.dagster.assets.transform import FULL_TAG

        tags = {"full": FULL_TAG, "even_if_empty": EVEN_IF_EMPTY}
        return _run(quarters, progress, [tags[way] for way in ways])


def _numbers(ran: Ran) -> NumbersChanged | None:
    """Return what the last quarter's release changed; None where it is as it was."""
    release = ran.metadata.get(RELEASE)
    if not ran.success or release is None or not release["changed"]:
        return None
    return numbers_changed(Path(str(release["path"])))


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
    run_id, began_at = str(uuid4()), datetime.now(UTC).replace(tzinfo=None, microsecond=0)
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
        ran.began_at = began_at
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

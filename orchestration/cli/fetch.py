"""``csp fetch``: fetches what a publisher has that is new, and lands it."""

from collections.abc import Sequence
from datetime import date

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.json_output import FetchedQuarter, FetchedRows, FetchOutput, print_json
from orchestration.cli.refresh_range import quarters_between
from orchestration.config.quarters import last_closed_quarter, quarter_label
from orchestration.config.settings import Settings
from orchestration.errors import CspError
from orchestration.feeds.fetching import Fetch, FetchOutcome, since_text


def fetch_source(
    settings: Settings,
    source: str,
    quarters: Sequence[date],
    console: Console,
    *,
    replace: bool = False,
    as_json: bool = False,
) -> None:
    """Fetch a source for each quarter, print what has landed, and what is missing and why.

    Raises :class:`FeedError` where a quarter cannot be fetched; those before it have landed.
    """
    fetch = Fetch(settings, source)
    done: list[FetchOutcome] = []
    for quarter in quarters:
        try:
            outcome = fetch.for_quarter(quarter, replace=replace)
        except CspError:
            if done and not as_json:
                console.print(
                    f"Stopped at {quarter_label(quarter)}; the quarters before it are done."
                )
            raise
        done.append(outcome)
        if not as_json:
            _show(outcome, console)
    if as_json:
        print_json(FetchOutput(source=source, quarters=[_quarter(one) for one in done]))


def wanted_quarters(
    quarter: date | None, first: date | None, last: date | None, today: date
) -> list[date]:
    """Return the quarters that are asked for; the last one that has closed, where none is."""
    if first is not None:
        return list(quarters_between(first, last or last_closed_quarter(today)))
    return [quarter or last_closed_quarter(today)]


def _show(outcome: FetchOutcome, console: Console) -> None:
    label = quarter_label(outcome.quarter)
    if outcome.files:
        console.print(
            styled("[bold]{} for {} ({}):[/]", outcome.source, label, outcome.quarter.isoformat())
        )
        for one in outcome.files:
            console.print(f"  {one}.")
    else:
        console.print(since_text(outcome))
    for note in outcome.notes:
        console.print(styled("  [yellow]Note:[/] {}", note))
    console.print(f"  {outcome.requests:,} requests, {outcome.received:,} bytes received.")
    if outcome.landed:
        console.print(f"`csp refresh {outcome.quarter}` loads it.")


def _quarter(outcome: FetchOutcome) -> FetchedQuarter:
    return FetchedQuarter(
        quarter=outcome.quarter,
        landed=outcome.landed,
        files=[
            FetchedRows(
                name=one.name,
                rows=one.rows,
                rows_before=one.rows_before,
                rows_differ=one.rows_differ,
                rows_revised=one.rows_revised,
                landed=one.landed,
            )
            for one in outcome.files
        ],
        unchanged=list(outcome.unchanged),
        unchanged_since=outcome.since,
        notes=list(outcome.notes),
        requests=outcome.requests,
        bytes=outcome.received,
    )

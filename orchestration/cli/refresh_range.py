"""``csp refresh QUARTER --to QUARTER``: the outcome of each quarter of a range."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.config.quarters import next_quarter, quarter_label
from orchestration.errors import QuarterError


def quarters_between(first: date, last: date) -> Iterator[date]:
    """Yield the quarters from ``first`` to ``last``, both included.

    Raises :class:`QuarterError` where ``last`` comes before ``first``.
    """
    if last < first:
        raise QuarterError(
            f"{quarter_label(last)} comes before {quarter_label(first)}. Name the older one first."
        )
    quarter = first
    while quarter <= last:
        yield quarter
        quarter = next_quarter(quarter)


def print_quarters(
    quarters: Sequence[date],
    releases: Mapping[str, Mapping[str, Any]],
    exports: Mapping[str, Mapping[str, Any]],
    console: Console,
) -> None:
    """Print a line for each quarter of a range: its release and exports, or that it has none.

    ``releases`` and ``exports`` hold what the run says of each, by the quarter's first day. Of a
    run of one quarter there is nothing to say, unless it stopped between the two.
    """
    if len(quarters) == 1 and all(one.isoformat() in exports for one in quarters):
        return
    for quarter in quarters:
        key = quarter.isoformat()
        label = f"{quarter_label(quarter)} ({key})"
        release = releases.get(key)
        if release is None:
            console.print(
                styled(
                    "[bold]{} was not published:[/] its previous release, if any, is unchanged.",
                    label,
                )
            )
            continue
        changed = len(release["changed_tables"])
        said = f"published, tables changed: {changed}" if release["changed"] else "unchanged"
        console.print(
            styled("[bold green]{}:[/] {}. {}", label, said, release["path"]), soft_wrap=True
        )
        for words in release.get("warnings", ()):
            console.print(styled("  [yellow]Warning:[/] {}", words))
        if key not in exports:
            console.print(
                styled("[bold]The exports of {} were not completed;[/] refresh it again.", label)
            )

"""``csp refresh QUARTER --to QUARTER``: a range of quarters, oldest first.

The warehouse holds one quarter's view at a time, and each release is built from it; so a range is a
refresh of each quarter in turn, and each of them is complete before the next begins.
"""

from collections.abc import Callable, Iterator
from datetime import date

from rich.console import Console

from orchestration.errors import QuarterError
from orchestration.quarters import next_quarter, quarter_label


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


def run_range(first: date, last: date, refresh: Callable[[date], int], console: Console) -> int:
    """Refresh each quarter of a range; stop at the first that stops, and say what is left.

    ``refresh`` returns the exit code of one quarter's refresh. Returns 0, or 1 where it stopped.
    """
    quarters = list(quarters_between(first, last))
    for done, quarter in enumerate(quarters):
        if refresh(quarter):
            left = ", ".join(one.isoformat() for one in quarters[done:])
            console.print(
                f"[bold red]Stopped[/] at {quarter_label(quarter)}; {done} of {len(quarters)} "
                f"quarters are done. Left: {left}."
            )
            return 1
    console.print(f"[bold green]Refreshed[/] {len(quarters)} quarters.")
    return 0

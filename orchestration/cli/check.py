"""``csp check``: checks a delivery before it is handed over."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Column, Table

from orchestration.config.settings import Settings
from orchestration.errors import LandingError
from orchestration.ingest.checking.contract import contract_of
from orchestration.ingest.checking.delivery_check import check
from orchestration.ingest.checking.supplier_report import (
    HEADINGS,
    report_rows,
    summary,
    write_report,
)

_SHOWN = 20
_SHOWN_COLUMNS = ("Severity", "File", "Sheet", "Row", "Column", "What is wrong", "How to fix it")


def check_files(
    settings: Settings, source: str, paths: Sequence[Path], report: Path, console: Console
) -> int:
    """Check a delivery, print and write its error report; return the exit code.

    Writes ``<source>-error-report.csv`` and ``.xlsx`` into ``report`` where anything is wrong.
    Raises :class:`LandingError` for an unknown source, and for an unusable file or folder.
    """
    contract = contract_of(source)
    outcome = check(settings, contract, paths)
    rows = list(report_rows(contract, outcome))
    if rows:
        console.print(_table(rows))
        if len(rows) > _SHOWN:
            console.print(f"... and {len(rows) - _SHOWN:,} more in the report.")
        try:
            written = write_report(report, f"{source}-error-report", contract, outcome)
        except OSError as error:
            raise LandingError(
                f"The report cannot be written to {report} ({error.strerror}). "
                "Name another folder with --report."
            ) from error
        console.print(f"Report: {', '.join(str(path) for path in written)}", soft_wrap=True)
    console.print(summary(outcome), style="bold red" if outcome.state == "refused" else "bold")
    return 1 if outcome.state == "refused" else 0


def _table(rows: Sequence[tuple[str | int | None, ...]]) -> Table:
    places = [HEADINGS.index(heading) for heading in _SHOWN_COLUMNS]
    table = Table(*(Column(heading, overflow="fold") for heading in _SHOWN_COLUMNS))
    for row in rows[:_SHOWN]:
        cells = ("" if row[place] is None else str(row[place]) for place in places)
        table.add_row(*cells)
    return table

"""The line that names the error report to send to a supplier, for every command that has one.

``csp status`` needs no more of the checks, whose import takes seconds.
"""

from datetime import date

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.config.settings import Settings
from orchestration.ingest.checking.supplier_report import report_path


def print_report(
    settings: Settings, source: str, quarter: date, version: int, console: Console
) -> None:
    """Name the error report of a delivery that a load refused, or loaded without some rows."""
    if path := report_path(settings.supplier_reports, source, quarter, version):
        said = styled("Report to send to the supplier of {} {}: {}", source, quarter, path)
        console.print(said, soft_wrap=True)

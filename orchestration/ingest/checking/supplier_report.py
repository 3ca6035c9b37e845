"""The supplier's error report: what is wrong with one delivery, where, and how to fix it.

A report goes back to the supplier as XLSX and CSV. It is the same to the byte for the same
delivery, shows of a source about people only what is harmless (``shown_texts``), and no cell of it
is ever run as a formula.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from pathlib import Path

from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.remedies import SEVERITIES, remedy_of
from orchestration.ingest.checking.rule_codes import code_of
from orchestration.ingest.checking.shown_texts import ShownTexts, Vocabulary
from orchestration.ingest.loading.outcomes import Outcome

HEADINGS = (
    "Severity",
    "File",
    "Sheet",
    "Row",
    "Column",
    "Value found",
    "What is wrong",
    "How to fix it",
    "Rule",
    "Code",
)
_WIDTHS = (16, 34, 16, 8, 26, 26, 60, 60, 28, 8)
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")

Cell = str | int | None


def file_report(reports: Path, contract: Contract, outcome: Outcome) -> list[Path]:
    """Write the report of a delivery with faults under ``reports``, by source and quarter.

    Returns ``<source>/<quarter>/v<version>.csv`` and ``.xlsx``; nothing where nothing is wrong.
    """
    if not (outcome.faults or outcome.warnings):
        return []
    folder = reports / outcome.source / outcome.quarter.isoformat()
    return write_report(folder, f"v{outcome.version}", contract, outcome)


def write_report(folder: Path, name: str, contract: Contract, outcome: Outcome) -> list[Path]:
    """Write ``<name>.csv`` and ``<name>.xlsx`` into ``folder``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = list(report_rows(contract, outcome))
    contents = {
        folder / f"{name}.csv": _csv(rows),
        folder / f"{name}.xlsx": _workbook(rows, contract, outcome),
    }
    for path, content in contents.items():
        scratch = path.with_name(f".{path.name}")
        scratch.write_bytes(content)
        scratch.replace(path)
    return list(contents)


def report_rows(contract: Contract, outcome: Outcome) -> Iterator[tuple[Cell, ...]]:
    """Yield a row under ``HEADINGS`` for each fault: what refuses the delivery comes first."""
    texts = ShownTexts(contract, Vocabulary.with_names())
    faults = texts.faults([*outcome.faults, *outcome.warnings])
    for severity, said in SEVERITIES.items():
        for fault in faults:
            if fault.severity == severity:
                yield (
                    said,
                    fault.file,
                    fault.sheet,
                    fault.line,
                    fault.column,
                    fault.value,
                    fault.message,
                    remedy_of(fault, contract),
                    fault.rule,
                    code_of(fault.rule),
                )


def summary(outcome: Outcome) -> str:
    """Return a sentence on the outcome of a delivery."""
    if outcome.state == "refused":
        return (
            f"Refused: nothing of the delivery is loaded ({outcome.rows_delivered:,} rows were "
            "read)."
        )
    if outcome.rows_refused:
        return (
            f"Loaded: {outcome.rows_loaded:,} of {outcome.rows_delivered:,} rows; "
            f"{outcome.rows_refused:,} refused and left out."
        )
    warned = " There are warnings." if outcome.warnings else ""
    return f"Loaded: all {outcome.rows_loaded:,} rows.{warned}"


def _csv(rows: Sequence[tuple[Cell, ...]]) -> bytes:
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(HEADINGS)
    table.writerows([_plain(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8-sig")


def _plain(cell: Cell) -> Cell:
    """Return a cell that no spreadsheet program takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_SIGNS) else cell


def _workbook(rows: Sequence[tuple[Cell, ...]], contract: Contract, outcome: Outcome) -> bytes:
    import xlsxwriter

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        # The day of the quarter, not of the writing, so that the same report has the same bytes.
        book.set_properties(
            {
                "title": f"Error report: {contract.title}",
                "created": datetime.combine(outcome.quarter, time()),
            }
        )
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        title = book.add_format({"bold": True, "font_size": 14})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("Error report")
        sheet.write_string(0, 0, f"Error report: {contract.title}", title)
        sheet.write_string(1, 0, summary(outcome))
        for place, (heading, width) in enumerate(zip(HEADINGS, _WIDTHS, strict=True)):
            sheet.set_column(place, place, width)
            sheet.write_string(3, place, heading, bold)
        for line, row in enumerate(rows, start=4):
            for place, cell in enumerate(row):
                if isinstance(cell, int):
                    sheet.write_number(line, place, cell, wrapped)
                elif cell is not None:
                    sheet.write_string(line, place, cell, wrapped)
        sheet.freeze_panes(4, 0)
        sheet.autofilter(3, 0, max(3 + len(rows), 4), len(HEADINGS) - 1)
    return stream.getvalue()

"""The supplier's error report: what is wrong with one delivery, where, and how to fix it.

A report goes back to the supplier as XLSX and CSV. It is the same to the byte for the same
delivery, shows of a source about people only what is harmless (``shown_texts``), and no cell of it
is ever run as a formula.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
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


@dataclass
class RuleGroup:
    """The faults of a delivery that break one rule, as the report shows them.

    Of rows they are of one column; of the whole delivery of all ``columns`` that break the rule.
    ``places`` are the first of them: file, sheet and row. ``message`` and ``value`` are those of
    the first.
    """

    severity: str
    rule: str
    code: str
    columns: list[str]
    message: str
    value: str | None
    remedy: str
    count: int = 0
    places: list[tuple[str | None, str | None, int | None]] = field(default_factory=list)


def grouped(rows: Iterable[tuple[Cell, ...]], shown_places: int = 3) -> list[RuleGroup]:
    """Group the rows of a report by severity, rule and, of rows, column, in the report's order.

    Of each group the first ``shown_places`` places are kept.
    """
    groups: dict[tuple[Cell, Cell, Cell], RuleGroup] = {}
    for severity, file, sheet, line, column, value, message, remedy, rule, code in rows:
        is_whole = severity == SEVERITIES["submission"]
        key = (severity, rule, None if is_whole else column)
        if key not in groups:
            groups[key] = RuleGroup(
                str(severity), str(rule), str(code), [], str(message), _text(value),
                str(remedy),
            )  # fmt: skip
        group = groups[key]
        group.count += 1
        if column is not None and str(column) not in group.columns:
            group.columns.append(str(column))
        place = (_text(file), _text(sheet), line if isinstance(line, int) else None)
        if len(group.places) < shown_places and place not in group.places:
            group.places.append(place)
    return list(groups.values())


def _text(cell: Cell) -> str | None:
    return None if cell is None else str(cell)


def remove_report(folder: Path, name: str) -> None:
    """Remove a report of this name, such as one on a delivery that has been corrected since."""
    for suffix in (".csv", ".xlsx"):
        (folder / f"{name}{suffix}").unlink(missing_ok=True)


def report_path(reports: Path, source: str, quarter: date, version: int) -> Path | None:
    """Return the workbook that a load wrote for the supplier of a delivery, or None.

    ``reports`` is the folder of all reports, as for :func:`file_report`.
    """
    path = reports / source / quarter.isoformat() / f"v{version}.xlsx"
    return path if path.is_file() else None


def summary(outcome: Outcome, *, checked: bool = False) -> str:
    """Return a sentence on the outcome of a delivery, or of one that was only ``checked``."""
    read = f"({outcome.rows_delivered:,} rows were read)."
    if outcome.state == "refused" and checked:
        return f"Would be refused: nothing of the delivery would be loaded {read}"
    if outcome.state == "refused":
        return f"Refused: nothing of the delivery is loaded {read}"
    loaded = "Would be loaded" if checked else "Loaded"
    if outcome.rows_refused:
        return (
            f"{loaded}: {outcome.rows_loaded:,} of {outcome.rows_delivered:,} rows; "
            f"{outcome.rows_refused:,} refused and left out."
        )
    warned = " There are warnings." if outcome.warnings else ""
    return f"{loaded}: all {outcome.rows_loaded:,} rows.{warned}"


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

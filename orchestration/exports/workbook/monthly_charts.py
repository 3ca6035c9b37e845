"""Charts of monthly series in the workbook, which the spreadsheet program draws from the cells.

A cell without a value holds a marker, which a program would draw as 0. So each unbroken run of
values is a series of its own, and a gap remains a gap.
"""

from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

from orchestration.exports.charts.monthly_series import runs
from orchestration.exports.report_definition.row_selection import Row
from orchestration.exports.workbook.sheet_table import SheetTable
from orchestration.releases.report_metadata import ControlChart

_LINES = (
    ("offences", "Offences", {"color": "#12436D", "width": 2}),
    ("xmr_centre", "Average", {"color": "#505A5F", "width": 1.25, "dash_type": "dash"}),
    ("xmr_lower", "Lower limit", {"color": "#B35900", "width": 1.25, "dash_type": "square_dot"}),
    ("xmr_upper", "Upper limit", {"color": "#B35900", "width": 1.25, "dash_type": "square_dot"}),
)
_X_AXIS = {"num_format": "yyyy", "major_unit": 365.25, "major_gridlines": {"visible": False}}
_FIRST_DAY = date(1899, 12, 30)
"""The day from which spreadsheet programs count days."""

_WIDTH, _HEIGHT = 760, 340
_ROWS = 18
"""Rows of a sheet that a chart covers, with a row between it and the next."""


def has_monthly_charts(sheet: SheetTable) -> bool:
    """Say whether a sheet has a chart: a monthly series with a month that has a value."""
    return bool(_areas(sheet))


def add_monthly_charts(workbook: Any, worksheet: Any, sheet: SheetTable, header: int) -> None:
    """Put the chart of each area beside the table whose header row is ``header``."""
    for number, (first, rows) in enumerate(_areas(sheet)):
        chart = _chart(workbook, sheet, rows, header + 1 + first)
        worksheet.insert_chart(
            header + _ROWS * number,
            len(sheet.fields) + 1,
            chart,
            {
                "description": f"Line chart of {sheet.exhibit.subject.lower()} by month in "
                f"{rows[0]['area_name']}, with average and control limits. Its figures are in the "
                "table of this worksheet.",
                "object_position": 2,
            },
        )


def _areas(sheet: SheetTable) -> list[tuple[int, list[Row]]]:
    """Return the rows of each area that follow each other, with the position of the first."""
    if not isinstance(sheet.exhibit.chart, ControlChart):
        return []
    found = []
    grouped = groupby(enumerate(sheet.rows), key=lambda one: one[1]["area_code"])
    for _, group in grouped:
        placed = list(group)
        rows = [row for _, row in placed]
        if any(row["offences"] is not None for row in rows):
            found.append((placed[0][0], rows))
    return found


def _chart(workbook: Any, sheet: SheetTable, rows: Sequence[Row], first: int) -> Any:
    chart = workbook.add_chart({"type": "scatter", "subtype": "straight"})
    columns = [field.column for field in sheet.fields]
    without_legend, count = [], 0
    for column, name, line in _LINES:
        values = [None if row[column] is None else float(str(row[column])) for row in rows]
        for number, run in enumerate(runs(values)):
            place = (first + run.start, first + run.stop - 1)
            chart.add_series(
                {
                    "name": name,
                    "categories": _cells(sheet, columns.index("month"), *place),
                    "values": _cells(sheet, columns.index(column), *place),
                    "line": line,
                    "marker": {"type": "none"},
                }
            )
            without_legend += [count] if number else []
            count += 1
    title = f"{sheet.exhibit.subject} in {rows[0]['area_name']} by month"
    chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
    chart.set_x_axis({**_X_AXIS, **_span(rows)})
    chart.set_y_axis({"name": "Offences a month", "min": 0, "major_gridlines": {"visible": True}})
    chart.set_legend({"position": "bottom", "delete_series": without_legend})
    chart.set_size({"width": _WIDTH, "height": _HEIGHT})
    return chart


def _span(rows: Sequence[Row]) -> dict[str, int]:
    """Return the axis from the first day of the first year to the last one of the last."""
    years = [month.year for row in rows if isinstance(month := row["month"], date)]
    return {
        "min": (date(min(years), 1, 1) - _FIRST_DAY).days,
        "max": (date(max(years) + 1, 1, 1) - _FIRST_DAY).days,
    }


def _cells(sheet: SheetTable, column: int, first: int, last: int) -> list[object]:
    return [sheet.exhibit.label, first, column, last, column]

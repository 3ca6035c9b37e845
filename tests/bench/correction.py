"""A corrected delivery: a survey's workbook without one of its responses, landed in its place."""

import subprocess
import sys
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import xlsxwriter
from python_calamine import CalamineWorkbook

SOURCE, QUARTER, SHEET = "community_survey", "2018-10-01", "Responses"
_FIRST_RESPONSE = 20
"""A row below the heading of the sheet."""


def land_correction(raw: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """Land the last quarter's survey again in ``raw`` without one response of its first file.

    ``folder`` takes the corrected file; ``environment`` is that of the command line.
    """
    landed = sorted((raw / SOURCE / QUARTER).glob("*.xlsx"))
    folder.mkdir()
    corrected = folder / landed[0].name
    _write_without(landed[0], corrected, _FIRST_RESPONSE)
    files = [corrected, *landed[1:]]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "orchestration.cli", "land", SOURCE, QUARTER,
         *map(str, files), "--synthetic", "--replace"],
        env=dict(environment), check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip


def _write_without(given: Path, target: Path, left_out: int) -> None:
    read = CalamineWorkbook.from_path(str(given))
    with xlsxwriter.Workbook(str(target)) as book:
        days = book.add_format({"num_format": "yyyy-mm-dd"})
        for name in read.sheet_names:
            rows = read.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if name == SHEET:
                del rows[left_out]
            sheet = book.add_worksheet(name)
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if isinstance(cell, date):
                        day = datetime(cell.year, cell.month, cell.day)
                        sheet.write_datetime(row, column, day, days)
                    elif cell != "":
                        sheet.write(row, column, cell)

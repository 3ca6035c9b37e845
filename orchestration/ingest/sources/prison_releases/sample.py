"""Synthetic sample of a prison's returns on accommodation, half-year by half-year, as workbooks.

No figure counts a real person. The tables are in `sample_releases.csv` and `sample_need.csv`,
with margins set to what the assessment states of HMP Peterborough: 333 released from January to
June 2017, of whom 59 % without accommodation, and 313 with 33 % in the half-year after; with no
fixed abode 63 men into the force area, and 22 women of whom 7 into it; 335 of 559 assessed with a
need. No fixed abode is modelled as a part of no accommodation, beside no address arranged, which is
one way in which all of these can be true together. Tables of 2018 are made up.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import xlsxwriter

from orchestration.ingest.landing.receipt import SampleDelivery

PRISON = "HMP Peterborough"
RELEASE_HEADER = (
    "Local authority of release",
    "Code",
    "Sex",
    "Settled accommodation",
    "Temporary accommodation",
    "No address arranged",
    "No fixed abode",
    "Not recorded",
    "Total released",
)
NEED_HEADER = ("Prison", "Sex", "Assessed", "With accommodation need")
COUNTS = ("settled", "temporary", "no_address", "no_fixed_abode", "not_recorded")
SYNTHETIC = "SYNTHETIC DATA: no figure in this workbook counts a real person"
# The quarter that each half-year's return belongs to, and when it came. Each belongs to the quarter
# that the half-year ends in, but for the first of 2018, which came too late for its own.
QUARTERS = {
    "2017-01-01": (date(2017, 4, 1), datetime(2017, 9, 4, 9)),
    "2017-07-01": (date(2017, 10, 1), datetime(2018, 2, 26, 9)),
    "2018-01-01": (date(2018, 7, 1), datetime(2018, 10, 22, 9)),
    "2018-07-01": (date(2018, 10, 1), datetime(2019, 2, 25, 9)),
}
NOTES = {
    2017: "with margins set to what the assessment states. No figure counts a real person.",
    2018: "all of them made up. No figure counts a real person.",
}

Facts = Sequence[dict[str, str]]
Cells = Sequence[str | int | date]


def deliveries() -> Iterator[SampleDelivery]:
    """Yield a delivery for each half-year; a year's second brings its assessments too."""
    for start, group in groupby(_facts("sample_releases.csv"), itemgetter("period_start")):
        releases = list(group)
        quarter, received_at = QUARTERS[start]
        first_day = date.fromisoformat(start)
        sheets = {"Releases": _releases(releases)}
        if first_day.month == 7:
            sheets["Accommodation need"] = _need(first_day.year)
        yield SampleDelivery(
            source="prison_releases",
            quarter=quarter,
            received_at=received_at,
            nature="synthetic",
            note=(
                "Synthetic: made figures in the layout of a prison's return, "
                + NOTES[first_day.year]
            ),
            files={f"hmp-peterborough-accommodation-{start}.xlsx": _workbook(sheets)},
        )


def _releases(facts: Facts) -> list[Cells]:
    rows: list[Cells] = [
        (f"{PRISON}: accommodation of sentenced residents on release",),
        (SYNTHETIC,),
        ("Prison", PRISON),
        ("Released from", date.fromisoformat(facts[0]["period_start"])),
        ("Released to", date.fromisoformat(facts[0]["period_end"])),
        (),
        RELEASE_HEADER,
    ]
    for fact in facts:
        counts = [int(fact[name]) for name in COUNTS]
        rows.append([fact["area_name"], fact["area_code"], fact["sex"], *counts, sum(counts)])
    return rows


def _need(year: int) -> list[Cells]:
    rows: list[Cells] = [
        ("Prisoners assessed, and those with an accommodation need",),
        (SYNTHETIC,),
        ("Assessed from", date(year, 1, 1)),
        ("Assessed to", date(year, 12, 31)),
        (),
        NEED_HEADER,
    ]
    for fact in _facts("sample_need.csv"):
        if fact["year"] == str(year):
            counts = int(fact["assessed"]), int(fact["with_need"])
            rows.append([fact["prison"], fact["sex"], *counts])
    return rows


def _workbook(sheets: dict[str, list[Cells]]) -> bytes:
    """Return the sheets as a workbook whose bytes depend on its content alone."""
    stream = io.BytesIO()
    workbook = xlsxwriter.Workbook(stream, {"in_memory": True})
    workbook.set_properties({"created": datetime(2018, 1, 1)})
    day = workbook.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = workbook.add_worksheet(name)
        for line, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(line, place, datetime(*cell.timetuple()[:3]), day)
                elif cell != "":
                    sheet.write(line, place, cell)
    workbook.close()
    return stream.getvalue()


def _facts(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))

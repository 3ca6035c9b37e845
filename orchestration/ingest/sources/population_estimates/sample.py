"""Sample of the population estimates: real figures for the force area, in their own layouts.

The figures are in `sample_*.csv` beside this module: the Office for National Statistics' mid-year
estimates (edition of mid-2019) and the county research group's of mid-2016 as printed in the
assessment's Table 5.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import xlwt

from orchestration.ingest.landing.receipt import SampleDelivery

Row = Sequence[str | int]


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one delivery of both estimators."""
    yield SampleDelivery(
        source="population_estimates",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 14, 9),
        nature="real",
        note=(
            "Excerpt: real estimates for the United Kingdom, England, Cambridgeshire, its six "
            "districts and sixteen others. The ONS workbook has the publisher's layout, with "
            "mid-2001 to mid-2017 as given in the mid-2019 edition; the research group's file "
            "holds mid-2016, rounded to ten, as printed in the assessment's Table 5. "
            "Source: Office for National Statistics, Open Government Licence v3.0; county "
            "research group."
        ),
        files={
            "ukmidyearestimates2017.xls": _ons_workbook(),
            "research-group-population-2016.csv": _research_group_csv(),
        },
    )


def district_names() -> dict[str, str]:
    """Return the name of each district of the ONS workbook, by code."""
    return {
        row["area_code"]: row["area_name"]
        for row in _facts("sample_ons_mid_year.csv")
        if row["geography"] in ("Unitary Authority", "Non-metropolitan District")
    }


def populations(mid_year: int) -> dict[str, int]:
    """Return the ONS estimate of each area in a mid-year, by code."""
    return {
        row["area_code"]: int(row["population"])
        for row in _facts("sample_ons_mid_year.csv")
        if row["mid_year"] == str(mid_year)
    }


def _ons_workbook() -> bytes:
    workbook = xlwt.Workbook(encoding="utf-8")
    for name, rows in _ons_sheets().items():
        sheet = workbook.add_sheet(name)
        for row_number, row in enumerate(rows):
            for column_number, value in enumerate(row):
                if value != "":
                    sheet.write(row_number, column_number, value)
    stream = io.BytesIO()
    workbook.save(stream)
    return stream.getvalue()


def _ons_sheets() -> dict[str, list[Row]]:
    """Return the sheets as rows of cells; names keep the publisher's stray spaces."""
    return {
        "Contents ": [
            *[()] * 6,
            ("", "Contents", "Mid-year population estimates to mid-2017, excerpt"),
            *[()] * 3,
            ("", "Terms and conditions ", "Terms and conditions "),
            (),
            ("", "MYE5", "Population and density of local authorities"),
        ],
        "Terms and conditions ": [
            ("Contents",),
            *[()] * 4,
            ("Terms and conditions ",),
            (),
            ("Figures: Office for National Statistics, Open Government Licence v3.0.",),
        ],
        "Notes and definitions": [
            ("Contents",),
            *[()] * 5,
            ("", "Notes and definitions"),
            (),
            (1, "An excerpt in the layout of the published workbook, for some areas only."),
        ],
        "MYE 5": _density_sheet(),
    }


def _density_sheet() -> list[Row]:
    """Return sheet MYE 5: header in the fifth row, newest estimate first, densities between."""
    areas = [list(rows) for _, rows in groupby(_facts("sample_ons_mid_year.csv"), _area_code)]
    years = [row["mid_year"] for row in areas[0]]
    header = ["Code", "Name", "Geography1", "Area (sq km)"]
    for year in years:
        header += [f"Estimated Population mid-{year}", f"{year} people per sq. km"]
    body: list[Row] = [_density_row(rows) for rows in areas]
    return [
        ("Contents",),
        (),
        ("MYE5: Population and density of some areas, mid-2001 to mid-2017",),
        (),
        header,
        *body,
        (),
        ("1. Kind of area: country, county, unitary authority or district.",),
    ]


def _density_row(rows: Sequence[dict[str, str]]) -> Row:
    first = rows[0]
    cells: list[str | int] = [first["area_code"], first["area_name"], first["geography"]]
    cells.append(int(first["area_sq_km"]))
    for row in rows:
        cells += [int(row["population"]), int(row["people_per_sq_km"])]
    return cells


def _research_group_csv() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["Area code", "Area name", "Mid-year", "Population"])
    for row in _facts("sample_research_group.csv"):
        writer.writerow([row["area_code"], row["area_name"], 2016, row["population"]])
    return text.getvalue().encode()


def _area_code(row: dict[str, str]) -> str:
    return row["area_code"]


def _facts(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))

"""A small good delivery of each source as a grid of cells, and writers back into its own format."""

import csv
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from python_calamine import CalamineWorkbook

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import Column, Contract, load_contracts
from orchestration.ingest.landing.receipt import RECEIPT_NAME

Grid = list[list[Any]]
LINES = 120
"""Rows kept of a long table: enough that one wrong row is within the limit of most contracts."""


@dataclass(frozen=True)
class Good:
    """A good delivery of one file: its sheets, where its table is, and what its columns are."""

    contract: Contract
    name: str
    kind: str
    sheets: dict[str, Grid]
    sheet: str
    header: int
    columns: dict[str, str]
    """Column of the contract that each heading of the table is read into."""
    cells: tuple[str, ...] = ()
    """Headings whose every cell becomes a row of its own; none where a line is a row."""

    @property
    def grid(self) -> Grid:
        return self.sheets[self.sheet]

    @property
    def headings(self) -> list[str]:
        return [str(cell) for cell in self.grid[self.header]]

    @property
    def body(self) -> Grid:
        return self.grid[self.header + 1 :]

    @property
    def shown_sheet(self) -> str | None:
        return None if self.kind == "csv" else self.sheet

    @property
    def rows(self) -> int:
        """Rows of the raw table that the delivery gives."""
        lines = len(self.body)
        if self.source == "dwelling_stock":
            lines = sum(
                sum(1 for row in grid[_header(grid, "Local Authority") + 1 :] if any(row))
                for name, grid in self.sheets.items()
                if name.isdigit()
            )
        return lines * max(len(self.cells), 1)

    @property
    def source(self) -> str:
        return self.contract.source

    def column(self, heading: str) -> Column:
        (found,) = (c for c in self.contract.columns if c.name == self.columns[heading])
        return found

    def place(self, heading: str) -> int:
        return self.headings.index(heading)

    def line(self, row: int) -> int:
        """Line of the file (or row of the sheet) of a row of the body."""
        return self.header + 2 + row

    def bytes(self, edit: Callable[[Grid], Grid] | None = None) -> bytes:
        """Return the file, its table's grid changed by ``edit``."""
        grid = [list(row) for row in self.grid]
        return WRITERS[self.kind](self.sheets | {self.sheet: edit(grid) if edit else grid})


def good_deliveries() -> list[Good]:
    """Return a good delivery of each source, and of each format where a source has two."""
    contracts = load_contracts()
    named = _named(contracts)
    others = contracts.keys() - {good.source for good in named}
    return [*named, *(_of_its_sample(contracts[source]) for source in sorted(others))]


def _named(contracts: dict[str, Contract]) -> list[Good]:
    """Return those whose file, sheet or headings have to be said."""
    return [
        _csv(contracts, "police_uk_street", "2018-04-01/2018-04-*.csv"),
        _csv(contracts, "police_uk_stop_and_search", "2018-10-01/*.csv"),
        _csv(contracts, "police_charges", "2018-04-01/*.csv"),
        _csv(contracts, "police_offender_counts", "2018-04-01/*.csv"),
        _csv(contracts, "probation_caseload", "2018-04-01/*.csv"),
        _csv(contracts, "iom_cohort", "2018-04-01/*.csv"),
        _csv(contracts, "supported_accommodation", "2018-04-01/*.csv"),
        _csv(contracts, "youth_offending", "2018-04-01/cambridgeshire*.csv"),
        replace(
            _csv(contracts, "area_lookups", "2018-04-01/Lower*.csv"),
            columns={
                "LSOA11CD": "area_code",
                "LSOA11NM": "area_name",
                "LAD17CD": "district_code",
                "LAD17NM": "district_name",
            },
        ),
        replace(
            _csv(contracts, "population_estimates", "2018-04-01/*.csv"),
            columns={
                "Area code": "area_code",
                "Area name": "area_name",
                "Mid-year": "mid_year",
                "Population": "population",
            },
        ),
        replace(
            _csv(contracts, "deprivation_indices", "2018-04-01/*.csv"),
            columns={
                "LSOA code (2011)": "small_area_code",
                **{
                    heading: column.name
                    for heading, column in contracts["deprivation_indices"].by_header.items()
                },
            },
        ),
        replace(
            _csv(contracts, "population_by_age", "2018-04-01/*.csv"),
            columns={
                "GEOGRAPHY_CODE": "area_code",
                "GEOGRAPHY_NAME": "area_name",
                "DATE_NAME": "mid_year",
                "GENDER_NAME": "sex",
                "C_AGE_NAME": "age",
                "OBS_VALUE": "population",
            },
        ),
        _workbook(
            contracts,
            "community_survey",
            "2018-01-01/*.xlsx",
            "Responses",
            "Response ID",
        ),
        _workbook(contracts, "oasys_assessments", "2017-01-01/*crc*.xlsx", "OASys extract", "CRN"),
        _recorded_crime(contracts),
        _prison(contracts),
        _dwellings(contracts),
        _population(contracts),
    ]


def _of_its_sample(contract: Contract) -> Good:
    """Return the first file of a source's sample: its table starts with the contract's headings."""
    paths = [
        path
        for path in sorted((PROJECT / "raw" / contract.source).glob("*-*-*/*"))
        if path.name != RECEIPT_NAME
    ]
    assert paths, f"{contract.source} has no delivery under raw/: run `make sample`"
    path = str(paths[0].relative_to(PROJECT / "raw" / contract.source))
    if contract.layout != "reader":
        return _csv({contract.source: contract}, contract.source, path)
    first = next(column.header for column in contract.columns if column.header)
    book = CalamineWorkbook.from_path(str(paths[0]))
    sheet = next(
        name
        for name in book.sheet_names
        if any(first in row for row in book.get_sheet_by_name(name).to_python())
    )
    return _workbook({contract.source: contract}, contract.source, path, sheet, first)


def _sample(contract: Contract, pattern: str) -> Path:
    return sorted((PROJECT / "raw" / contract.source).glob(pattern))[0]


def _csv(contracts: dict[str, Contract], source: str, pattern: str) -> Good:
    contract = contracts[source]
    path = _sample(contract, pattern)
    with path.open(encoding="utf-8-sig", newline="") as handle:
        grid = list(csv.reader(handle))[: LINES + 1]
    columns = {heading: column.name for heading, column in contract.by_header.items()}
    return Good(contract, path.name, "csv", {"": grid}, "", 0, columns)


def _workbook(
    contracts: dict[str, Contract], source: str, pattern: str, sheet: str, first: str
) -> Good:
    contract = contracts[source]
    path = _sample(contract, pattern)
    book = CalamineWorkbook.from_path(str(path))
    sheets = {
        name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
        for name in book.sheet_names
    }
    header = _header(sheets[sheet], first)
    sheets[sheet] = sheets[sheet][: header + 1 + LINES]
    held = {str(cell) for cell in sheets[sheet][header]}
    columns = {
        heading: column.name for heading, column in contract.by_header.items() if heading in held
    }
    return Good(contract, path.name, path.suffix[1:], sheets, sheet, header, columns)


def _recorded_crime(contracts: dict[str, Contract]) -> Good:
    source, pattern = "recorded_crime_by_csp", "2018-04-01/*.ods"
    names = CalamineWorkbook.from_path(str(_sample(contracts[source], pattern))).sheet_names
    tables = [name for name in names if name[:2] == "20"]
    made = _workbook(contracts, source, pattern, tables[0], "Financial Year")
    return replace(
        made,
        sheets={name: grid for name, grid in made.sheets.items() if name not in tables[1:]},
        columns={
            "Police Force": "police_force",
            "CSP Name": "csp_name",
            "Offence Group": "offence_group",
            "Offence Subgroup": "offence_subgroup",
            "Offence Code": "offence_code",
            "Offence Count": "offences",
        },
    )


def _prison(contracts: dict[str, Contract]) -> Good:
    made = _workbook(
        contracts,
        "prison_releases",
        "2017-04-01/*.xlsx",
        "Releases",
        "Local authority of release",
    )
    kinds = made.headings[3:-1]
    return replace(made, columns=made.columns | dict.fromkeys(kinds, "people"), cells=tuple(kinds))


def _dwellings(contracts: dict[str, Contract]) -> Good:
    made = _workbook(contracts, "dwelling_stock", "2018-04-01/*.ods", "2016", "DCLG code")
    tenures = made.headings[3:]
    return replace(
        made,
        columns={"Area": "area_name"} | dict.fromkeys(tenures, "dwellings"),
        cells=tuple(tenures),
    )


def _population(contracts: dict[str, Contract]) -> Good:
    made = _workbook(contracts, "population_estimates", "2018-04-01/*.xls", "MYE 5", "Code")
    body = [row for row in made.body if str(row[0])[:1] in "EK" and row[4] != ""]
    grid = made.grid[: made.header + 1] + body
    estimates = [one for one in made.headings if one.startswith("Estimated")]
    return replace(
        made,
        sheets=made.sheets | {made.sheet: grid},
        columns={"Code": "area_code", "Name": "area_name"} | dict.fromkeys(estimates, "population"),
        cells=tuple(estimates),
    )


def _header(grid: Grid, first: str) -> int:
    return next(number for number, row in enumerate(grid) if first in row)


# --- writers ---------------------------------------------------------------------------------


def csv_bytes(grid: Grid, end: str = "\r\n", separator: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=end, delimiter=separator).writerows(grid)
    return text.getvalue().encode()


def xlsx_bytes(
    sheets: dict[str, Grid],
    hidden: tuple[str, ...] = (),
    touch: Callable[[Any, str], None] | None = None,
) -> bytes:
    """Write an XLSX; ``touch`` gets each worksheet with its name when its cells are in."""
    import xlsxwriter

    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, grid in sheets.items():
            sheet = book.add_worksheet(name)
            for line, row in enumerate(grid):
                for place, cell in enumerate(row):
                    if isinstance(cell, date | datetime):
                        sheet.write_datetime(line, place, cell, day)
                    elif isinstance(cell, str) and cell:
                        sheet.write_string(line, place, cell)
                    elif cell != "":
                        sheet.write_number(line, place, cell)
            if touch:
                touch(sheet, name)
            if name in hidden:
                sheet.hide()
    return stream.getvalue()


def _xls_bytes(sheets: dict[str, Grid]) -> bytes:
    import xlwt

    book = xlwt.Workbook()
    for name, grid in sheets.items():
        sheet = book.add_sheet(name)
        for line, row in enumerate(grid):
            for place, cell in enumerate(row):
                if cell != "":
                    sheet.write(line, place, cell)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


_ODS = (
    '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
    "<office:body><office:spreadsheet>{}</office:spreadsheet></office:body>"
    "</office:document-content>"
)
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def _ods_bytes(sheets: dict[str, Grid]) -> bytes:
    tables = "".join(
        f'<table:table table:name="{escape(name)}">'
        + "".join(
            f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in grid
        )
        + "</table:table>"
        for name, grid in sheets.items()
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", _ODS_TYPE)
        archive.writestr("content.xml", _ODS.format(tables))
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"'
            f'><manifest:file-entry manifest:full-path="/" manifest:media-type="{_ODS_TYPE}"/>'
            "</manifest:manifest>",
        )
    return stream.getvalue()


def _ods_cell(cell: Any) -> str:
    if cell == "":
        return "<table:table-cell/>"
    if isinstance(cell, float | int):
        return f'<table:table-cell office:value-type="float" office:value="{cell!r}"/>'
    return (
        '<table:table-cell office:value-type="string">'
        f"<text:p>{escape(str(cell))}</text:p></table:table-cell>"
    )


WRITERS: dict[str, Callable[[dict[str, Grid]], bytes]] = {
    "csv": lambda sheets: csv_bytes(sheets[""]),
    "xlsx": xlsx_bytes,
    "xls": _xls_bytes,
    "ods": _ods_bytes,
}

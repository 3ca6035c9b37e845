"""Files in the suppliers' layouts: a CSV by any contract, and the workbooks as they are issued."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from orchestration.ingest.checking.contract import Contract
from tests.corpus.good import WRITERS, Grid
from tests.valid_extracts.cells import Row

KINDS = (
    "Settled accommodation",
    "Temporary accommodation",
    "No address arranged",
    "No fixed abode",
    "Not recorded",
)


@dataclass(frozen=True)
class Extract:
    """One file of a delivery, before it is written."""

    source: str
    quarter: date
    name: str
    sheets: dict[str, Grid]

    def write(self, raw: Path) -> None:
        folder = raw / self.source / self.quarter.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        kind = self.name.rsplit(".", 1)[1]
        (folder / self.name).write_bytes(WRITERS[kind](self.sheets))


def quarter_last_day(quarter: date) -> date:
    year, month = divmod(quarter.year * 12 + quarter.month - 1 + 3, 12)
    return date(year, month + 1, 1) - timedelta(days=1)


def csv_extract(contract: Contract, quarter: date, name: str, rows: list[Row]) -> Extract:
    """Return a CSV with the contract's headings in its order."""
    columns = [column for column in contract.columns if column.header]
    grid: Grid = [[str(column.header) for column in columns]]
    for row in rows:
        grid.append([_text(row.get(column.name), column.date_format) for column in columns])
    return Extract(contract.source, quarter, name, {"": grid})


def _text(value: Any, date_format: str) -> str:
    if value is None:
        return ""
    # strftime does not pad years before 1000, which no column here has.
    return value.strftime(date_format) if isinstance(value, date) else str(value)


def assessments_workbook(
    contract: Contract, quarter: date, name: str, whole: Row, rows: list[Row]
) -> Extract:
    """Return OASys: provider, date and force above the header, then a row a person."""
    labels = {"Provider": "provider", "Snapshot date": "snapshot_date"}
    labels["Police force area"] = "police_force"
    columns = [one for one in contract.columns if one.header and one.header not in labels]
    grid: Grid = [[label, whole[column]] for label, column in labels.items()]
    grid += [[""], [str(column.header) for column in columns]]
    grid += [[_cell(row[column.name]) for column in columns] for row in rows]
    return Extract(contract.source, quarter, name, {"OASys extract": grid})


def survey_workbook(
    contract: Contract, quarter: date, name: str, whole: Row, rows: list[Row]
) -> Extract:
    """Return a survey's wave: title and period above the header, then a row a response."""
    columns = [column for column in contract.columns if column.header]
    wave = whole["wave_start"]
    grid: Grid = [[whole["survey"]], ["Survey period", wave, quarter_last_day(wave)], [""]]
    grid.append([str(column.header) for column in columns])
    grid += [[_cell(row[column.name]) for column in columns] for row in rows]
    return Extract(contract.source, quarter, name, {"Responses": grid})


def prison_workbook(
    quarter: date, name: str, whole: Row, releases: list[Row], need: list[Row]
) -> Extract:
    """Return a prison's return: Releases, and Accommodation need where there is any."""
    grid: Grid = [
        [f"{whole['prison']}: accommodation on release"],
        ["Prison", whole["prison"]],
        ["Released from", whole["period_start"]],
        ["Released to", whole["period_end"]],
        [""],
        ["Local authority of release", "Code", "Sex", *KINDS, "Total released"],
    ]
    for row in releases:
        counts = [row[kind] for kind in KINDS]
        grid.append([row["area_name"], _cell(row["area_code"]), row["sex"], *counts, sum(counts)])
    sheets = {"Releases": grid}
    if need:
        sheets["Accommodation need"] = [
            ["Accommodation need of prisoners"],
            ["Assessed from", whole["need_start"]],
            ["Assessed to", whole["need_end"]],
            [""],
            ["Prison", "Sex", "Assessed", "With accommodation need"],
            *[[row["prison"], row["sex"], row["assessed"], row["with_need"]] for row in need],
        ]
    return Extract("prison_releases", quarter, name, sheets)


def ons_workbook(quarter: date, name: str, years: list[int], rows: list[Row]) -> Extract:
    """Return the ONS mid-year workbook, latest year first."""
    headings = [f"Estimated Population mid-{year}" for year in years]
    grid: Grid = [["MYE5: Population estimates"], [""], ["Code", "Name", "Geography1", *headings]]
    grid += [
        [
            row["area_code"],
            row["area_name"],
            "District",
            *[row["populations"][year] for year in years],
        ]
        for row in rows
    ]
    return Extract("population_estimates", quarter, name, {"MYE 5": grid})


def dwellings_workbook(
    quarter: date, name: str, years: dict[int, list[Row]], tenures: list[str]
) -> Extract:
    """Return Live Table 100, a sheet a year."""
    sheets: dict[str, Grid] = {"Cover": [["Live Table 100"]]}
    for year, rows in years.items():
        grid: Grid = [[f"Table 100, {year}"], [""]]
        grid.append(["DCLG code", "Current ONS code", "Area", *map(str.title, tenures)])
        for row in rows:
            cells = [row[tenure] for tenure in tenures]
            grid.append([_cell(row["la_code"]), _cell(row["area_code"]), row["area_name"], *cells])
        sheets[str(year)] = grid
    return Extract("dwelling_stock", quarter, name, sheets)


def recorded_crime_workbook(quarter: date, year: str, rows: Grid) -> Extract:
    """Return the counts by partnership, a sheet a financial year."""
    headings = [
        "Financial Year", "Financial Quarter", "Police Force", "CSP Name", "Offence Group",
        "Offence Subgroup", "Offence Code", "Offence Count",
    ]  # fmt: skip
    sheets: dict[str, Grid] = {"Notes": [["Counts"]], year.replace("/", "_"): [headings, *rows]}
    return Extract("recorded_crime_by_csp", quarter, "prc-csp-tables.ods", sheets)


def _cell(value: Any) -> Any:
    return "" if value is None else value

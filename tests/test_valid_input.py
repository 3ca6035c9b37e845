"""Every optional column blank and every allowed value once: all models hold and parts add up.

Rows are made from the contracts alone, so that a new column or value is tried without a line here.
Disclosure control of sparse tables has tests of its own.
"""

import csv
import io
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from orchestration.config.settings import Settings
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.transform.dbt_runner import run_dbt
from tests.support import Ground

pytestmark = pytest.mark.slow

QUARTER = "2019-01-01"
FORCE = "Cambridgeshire Constabulary"
DISTRICT = "E07000011"
MONTHS = [f"{month:02d}/2018" for month in range(4, 13)] + [
    f"{month:02d}/2019" for month in (1, 2, 3)
]
PLACES = [DISTRICT, "E07000012", "E99999999", "W06000001", "Out of county", "No geographic data"]

PATHWAYS = [
    title for title in load_contracts()["oasys_assessments"].by_header if title[0].isdigit()
]
BASE: dict[str, Callable[[int], dict[str, str]]] = {
    "police_charges": lambda n: {
        "Force": FORCE,
        "Nominal Ref": f"N{1_000_000 + n}",
        "PNC ID": f"2001/{n:07d}A",
        "Offence Ref": f"CF{1_000_000 + n}",
        "Charge Date": f"15/{MONTHS[n % 12]}",
        "Offence Date": f"14/{MONTHS[n % 12]}",
        "HO Offence Code": "46",
        "Offence Group": "Theft and Handling",
        "Sex": "M",
        "Date Of Birth": "05/05/1990",
        "Self-Defined Ethnicity": "W1",
        "Residence LA Code": DISTRICT,
    },
    "probation_caseload": lambda n: {
        "CRN": f"E{200_000 + n}",
        "PNC ID": f"2001/{n:07d}A",
        "Provider": "CRC",
        "Snapshot date": "28/02/2019",
        "Police force area": FORCE,
        "District of residence": DISTRICT,
        "Date of birth": "01/02/1980",
        "Sex": "Male",
        "Ethnicity": "W1",
        "Order type": "Licence",
        "Main offence": "Theft",
        "OGRS3 score": "50",
        "Accommodation status": "Settled",
        "Disability": "No",
        "Mental health": "No",
        "Suicide or self-harm": "No",
        "Area classification": "Rural Tenants",
        "First release date": "01/02/2019",
    },
    "youth_offending": lambda n: {
        "Youth offending service": ("Cambridgeshire", "Peterborough")[n % 2],
        "Young person ID": f"{100_000 + n}",
        "Sex": "M",
        "Date of birth": "15/03/2003",
        "Ethnicity": "W1",
        "District of residence": DISTRICT,
        "Registered on": f"05/{(1, 4, 7, 10)[n // 2 % 4]:02d}/2018",
        "First offence date": "02/01/2018",
        "First offence code": "105/01",
        "First offence": "Common assault",
        "Offence category": "Violence against the person",
        "Substantive outcome": "Youth caution",
        "First-time entrant": "Y",
        "Accommodation need": "Identified",
    },
    "iom_cohort": lambda n: {
        "Reported by": FORCE,
        "Snapshot date": "31/03/2019",
        "PNC ID": f"2001/{n:07d}A",
        "Nominal": f"35NOM/{100_000 + n}",
        "Sex": "M",
        "Date of birth": "01/01/1990",
        "Ethnicity": "W1",
        "District of residence": DISTRICT,
        "Lead agency": "Police",
        "Status": "Community",
        "Accommodation": "Settled",
        "Index offence code": "028/03",
        "Index offence group": "Burglary",
        "Serious acquisitive": "Y",
    },
    "oasys_assessments": lambda n: {
        "CRN": f"E{200_000 + n}",
        "PNC ID": "",
        "District of residence": DISTRICT,
        "Sex": "Male",
        "Main offence": "Theft",
        "Assessment completed": "2018-06-01",
        **{title: "Identified" for title in PATHWAYS},
    },
}
FIXED = {"Provider", "Force", "Reported by", "Police force area", "Youth offending service"}
"""Headings that say whose row it is; other values of them are other tests."""


def rows_of(contract: Contract) -> Iterator[dict[str, str]]:
    """Yield plain rows, optional columns blank one by one and all together, every allowed value."""
    number = count()
    base = BASE[contract.source]

    def row(**changed: str) -> dict[str, str]:
        return {**base(next(number)), **changed}

    columns = [
        column
        for column in contract.columns
        if column.header and column.header in base(0) and column.header not in FIXED
    ]
    optional = [str(column.header) for column in columns if not column.required]
    for _ in range(24):
        yield row()
    for header in optional:
        yield row(**{header: ""})
    yield row(**dict.fromkeys(optional, ""))
    for column in columns:
        for value in column.allowed or ():
            yield row(**{str(column.header): value})
    (area,) = (column for column in columns if column.name == contract.area)
    for place in PLACES:
        if not area.pattern or place.startswith("E") or "Out of" in area.pattern:
            yield row(**{str(area.header): place})


def csv_of(rows: list[dict[str, str]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def assessments_of(rows: list[dict[str, str]]) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("OASys extract")
        above = [["Provider", "CRC"], ["Snapshot date", "2019-02-28"], ["Police force area", FORCE]]
        body = [list(rows[0]), *(list(row.values()) for row in rows)]
        for line, cells in enumerate([*above, [], *body]):
            for place, cell in enumerate(cells):
                if cell:
                    sheet.write_string(line, place, cell)
    return stream.getvalue()


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, dict[str, int]]:
    """A warehouse of all the rows, and how many rows each source has."""
    folder: Path = tmp_path_factory.mktemp("valid")
    ground = Ground(Settings(home=folder / "var", raw=folder / "raw"))
    counts = {}
    for source in BASE:
        rows = list(rows_of(load_contracts()[source]))
        counts[source] = len(rows)
        content: dict[str, str | bytes] = (
            {"a.xlsx": assessments_of(rows)}
            if source == "oasys_assessments"
            else {"a.csv": csv_of(rows)}
        )
        ground.put(source, QUARTER, content)
    for source in load_contracts():
        ground.load(source, QUARTER)
    ground.resolve(QUARTER)
    # Every model and every test of the data: one that fails raises, with what it says.
    run_dbt(ground.settings, ["build", "--exclude-resource-type", "unit_test"])
    return ground, counts


def test_every_valid_row_is_loaded(refreshed: tuple[Ground, dict[str, int]]) -> None:
    ground, counts = refreshed
    loaded = dict(ground.query("select source, rows_loaded from control.deliveries"))
    assert loaded == counts


PARTS: list[tuple[str, str, str, str, str]] = [
    ("probation_caseload", "marts.probation_profile", "people", "dimension", "true"),
    (
        "oasys_assessments",
        "marts.need_pathways",
        "caseload",
        "pathway",
        "sex <> 'All' and offence_group <> 'All'",
    ),
    ("oasys_assessments", "marts.need_complexity", "offenders", "cohort", "true"),
    ("iom_cohort", "marts.iom_cohort", "people", "dimension", "true"),
    (
        "youth_offending",
        "marts.youth_offenders",
        "young_people",
        "dimension",
        "cohort = 'registered' and period_type = 'calendar_year' and period_label = '2018'",
    ),
    ("police_charges", "marts.offender_profile", "offenders", "dimension", "true"),
]


@pytest.mark.parametrize(("source", "mart", "column", "by", "where"), PARTS)
def test_parts_add_up_to_all_rows(
    refreshed: tuple[Ground, dict[str, int]],
    source: str,
    mart: str,
    column: str,
    by: str,
    where: str,
) -> None:
    ground, counts = refreshed
    # The force area of offenders counts its residents; every other one counts everybody.
    wholes = ["area_type <> 'force'", *(["area_type = 'force'"] * (source != "police_charges"))]
    for within in wholes:
        sums: list[tuple[Any, ...]] = ground.query(
            f"select {by}, sum({column})::bigint from {mart} "
            f"where {within} and {where} group by all"
        )
        assert sums
        assert {total for _, total in sums} == {counts[source]}, (within, sums)


def test_a_blank_sex_has_a_group_of_its_own(refreshed: tuple[Ground, dict[str, int]]) -> None:
    ground, _ = refreshed
    groups = ground.query(
        "select distinct offender_group from reports.table_6_acquisitive_pathways"
    )
    assert ("Not recorded",) in groups

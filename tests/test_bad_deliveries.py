"""Bad input is met, not crashed on: faults name file, place and rule, and nothing is loaded."""

from pathlib import Path
from typing import Any

import pytest

from tests.support import (
    STREET_HEADER,
    Ground,
    messages,
    month_file,
    research_group_file,
    street_file,
    street_row,
)

NAME = "2018-04-cambridgeshire-street.csv"
RAW = "raw.police_uk_street"


def _good_version_stands(ground: Ground) -> None:
    assert ground.query(f"select count(*), max(_delivery_id) from {RAW}") == [(10, 1)]
    assert ground.query("select version, state from control.deliveries order by version") == [
        (1, "loaded"),
        (2, "refused"),
    ]
    ground.resolve()
    assert ground.value("select delivery_id from control.in_force") == 1


BROKEN_STREET: dict[str, tuple[Any, ...]] = {
    "truncated in a row": (
        month_file()[:-40],
        "is whole",
        ["line 11", "cut short", "9 of 12 columns", "column 'Crime type'"],
    ),
    "no header": (
        "".join(month_file().splitlines(keepends=True)[1:]),
        "has a header",
        ["line 1", "Crime ID"],
    ),
    "renamed column": (
        month_file().replace("Crime type", "Crime category"),
        "has every column",
        ["line 1", "'Crime type' is missing", "'Crime category'"],
    ),
    "column dropped": (
        month_file().replace("LSOA code,", "", 1),
        "has every column",
        ["'LSOA code' is missing"],
    ),
    "column twice": (
        month_file().replace("LSOA name", "LSOA code", 1),
        "columns are named once",
        ["LSOA code"],
    ),
    "empty": ("", "not empty", ["0 bytes"]),
    "header only": (STREET_HEADER + "\r\n", "has rows", ["nothing below"]),
    "a workbook by another name": (b"PK\x03\x04rest", "is a CSV", ["zip archive or an Excel"]),
    "UTF-16": (month_file().encode("utf-16"), "is UTF-8", ["UTF-16"]),
    "Latin-1": (
        month_file().replace("Synthetic Street", "Rue Frédéric", 1).encode("latin-1"),
        "is UTF-8",
        ["line 2", "0xe9"],
    ),
    "binary zeros": (
        month_file().encode()[:-500] + b"\x00" * 300 + b"\r\n",
        "is UTF-8",
        ["binary zeros"],
    ),
    "unclosed quote": (
        month_file().replace("On or near", '"On or near', 1),
        "quotes are closed",
        ["line 2", "swallow"],
    ),
    "a value over two lines": (
        month_file().replace("On or near Synthetic", '"On or near\r\nSynthetic"', 1),
        "every line is a row",
        ["several lines"],
    ),
    "mostly out of the domain": (
        street_file(street_row(crime_type="Jaywalking", number=one) for one in range(10)),
        "few rows are wrong",
        ["10 of 10 rows", "line 2", "column 'Crime type'", "'Jaywalking'"],
    ),
    "old Mac line ends": (
        month_file().replace("\r\n", "\r"),
        "has line ends",
        ["carriage return"],
    ),
}


@pytest.mark.parametrize("case", BROKEN_STREET)
def test_broken_street_file_is_refused_and_previous_version_remains(
    ground: Ground, case: str
) -> None:
    content, rule, words = BROKEN_STREET[case]
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file()})
    ground.load("police_uk_street")
    ground.put("police_uk_street", "2018-04-01", {NAME: content})

    report = ground.load("police_uk_street")

    (outcome,) = report.outcomes
    assert outcome.state == "refused"
    assert outcome.rows_loaded == 0
    assert outcome.rows_delivered == outcome.rows_refused
    said = " ".join(messages(report))
    for word in [NAME, f"[rule: {rule}]", *words]:
        assert word in said
    _good_version_stands(ground)


def test_a_month_twice_is_refused(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"a.csv": month_file(), "b.csv": month_file()})
    (said,) = messages(ground.load("police_uk_street"))
    assert "2018-04 " in said
    assert "a.csv, b.csv" in said
    assert ground.value(f"select count(*) from {RAW}") == 0


def test_another_quarters_files_are_refused(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-01-01", {NAME: month_file("2018-01")})
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file("2018-01")})
    ground.load("police_uk_street", as_at="2018-01-01")
    (said,) = messages(ground.load("police_uk_street"))
    assert "2018-01-01" in said and "[rule: is new]" in said


def test_the_same_files_for_two_quarters_at_once_are_refused(ground: Ground) -> None:
    for quarter in ("2018-01-01", "2018-04-01"):
        ground.put("police_uk_street", quarter, {NAME: month_file("2018-01")})
    states = [outcome.state for outcome in ground.load("police_uk_street").outcomes]
    assert states == ["loaded", "refused"]


def test_a_file_of_another_kind_is_refused(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {NAME: month_file(), "notes.docx": "hello"})
    (said,) = messages(ground.load("police_uk_street"))
    assert "notes.docx" in said
    assert "*.csv" in said


def test_one_bad_delivery_does_not_stop_the_others(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-01-01", {NAME: month_file("2018-01")})
    ground.put("police_uk_street", "2018-04-01", {NAME: ""})
    states = {
        one.quarter.isoformat(): one.state for one in ground.load("police_uk_street").outcomes
    }
    assert states == {"2018-01-01": "loaded", "2018-04-01": "refused"}


def test_few_wrong_rows_go_to_quarantine_and_the_rest_is_loaded(ground: Ground) -> None:
    rows = [street_row(number=number) for number in range(1, 401)]
    rows[10] = street_row(crime_type="Jaywalking")
    rows[20] = street_row(longitude="east")
    rows[30] = "only,three,columns"
    ground.put("police_uk_street", "2018-04-01", {NAME: street_file(rows)})

    (outcome,) = ground.load("police_uk_street").outcomes

    assert outcome.state == "loaded"
    assert (outcome.rows_delivered, outcome.rows_loaded, outcome.rows_refused) == (400, 397, 3)
    found = ground.query(
        "select line, column_name, value, rule from quarantine.refused_rows order by line"
    )
    assert found == [
        (12, "Crime type", "Jaywalking", "is a known value"),
        (22, "Longitude", "east", "is a number"),
        (32, None, None, "is a row of the table"),
    ]


def test_lines_are_the_files_own_though_rows_were_refused(ground: Ground) -> None:
    rows = [street_row(number=number) for number in range(1, 1001)]
    for number in (1, 2, 500):
        rows[number - 1] = street_row(crime_type="Jaywalking", number=number)
    rows[699] = "broken"
    ground.put("police_uk_street", "2018-04-01", {NAME: street_file(rows)})
    ground.load("police_uk_street")
    # The sample's crime identifier is the row's number, and row n is in line n + 1.
    wrong = ground.value(
        "select count(*) from raw.police_uk_street_lines "
        "where ('0x' || crime_id[-8:])::bigint + 1 <> _line"
    )
    assert wrong == 0
    assert ground.value("select max(_line) from raw.police_uk_street_lines") == 1001


def test_unknown_column_is_loaded_without_it_and_reported(ground: Ground) -> None:
    lines = month_file().splitlines()
    wider = "\r\n".join([lines[0] + ",Weather", *(line + ",rain" for line in lines[1:])]) + "\r\n"
    ground.put("police_uk_street", "2018-04-01", {NAME: wider})
    (outcome,) = ground.load("police_uk_street").outcomes
    assert outcome.state == "loaded"
    assert outcome.rows_loaded == 10
    assert "'Weather'" in str(outcome.warnings[0])


def test_reordered_columns_are_read_by_name(ground: Ground) -> None:
    lines = [line.split(",") for line in month_file().splitlines()]
    turned = "".join(",".join(reversed(line)) + "\n" for line in lines)
    ground.put("police_uk_street", "2018-04-01", {NAME: turned})
    ground.load("police_uk_street")
    assert ground.query(f"select distinct crime_type, lsoa_code from {RAW}") == [
        ("Shoplifting", "E01018058")
    ]


def _sample_file(source: str) -> Path:
    from orchestration.config.settings import PROJECT

    folder = PROJECT / "raw" / source / "2018-04-01"
    return next(path for path in sorted(folder.iterdir()) if path.suffix in {".ods", ".xls"})


@pytest.mark.parametrize("source", ["dwelling_stock", "population_estimates"])
@pytest.mark.parametrize("case", ["zero bytes", "cut short", "not a workbook", "password"])
def test_unusable_workbook_is_refused(ground: Ground, source: str, case: str) -> None:
    path = _sample_file(source)
    whole = path.read_bytes()
    content = {
        "zero bytes": b"",
        "cut short": whole[: len(whole) // 2],
        "not a workbook": b"this is text\n" * 50,
        # An encrypted OOXML or BIFF workbook is an OLE container with an EncryptedPackage.
        "password": (Path(__file__).parent / "golden" / "password_protected.xlsx").read_bytes(),
    }[case]
    ground.put(source, "2018-04-01", {path.name: content})
    report = ground.load(source)
    (outcome,) = report.outcomes
    assert outcome.state == "refused"
    assert path.name in messages(report)[0]
    rule = "not empty" if case == "zero bytes" else "can be opened"
    if case != "password":
        assert f"[rule: {rule}]" in messages(report)[0]
    else:
        assert "password" in messages(report)[0]
    assert ground.value(f"select count(*) from raw.{source}") == 0


def test_wrong_sheet_name_is_refused_and_the_sheets_listed(ground: Ground) -> None:
    import xlwt

    book = xlwt.Workbook()
    book.add_sheet("Estimates").write(0, 0, "Code")
    path = ground.put("population_estimates", "2018-04-01", {"x.xls": b""}) / "x.xls"
    book.save(str(path))
    (said,) = messages(ground.load("population_estimates"))
    assert "x.xls" in said
    assert "'MYE5'" in said
    assert "'Estimates'" in said


RESEARCH = {
    "renamed column": ("Population", "People", "'Population' is missing"),
    "a word for a number": ("98340", '"about 98,000"', "This must be a number."),
    "a decimal comma": ("98340", '"98,34"', "'98,34'"),
    "a code that is none": ("E07000010", "Fenland!", "does not have the right form"),
    "missing value": ("98340", "", "A value is needed here"),
    "an area twice": ("E07000011", "E07000010", "are in an earlier row"),
}


@pytest.mark.parametrize("case", RESEARCH)
def test_broken_research_group_file_is_refused(ground: Ground, case: str) -> None:
    old, new, words = RESEARCH[case]
    content = research_group_file().replace(old, new, 1)
    ground.put("population_estimates", "2018-04-01", {"research.csv": content})
    report = ground.load("population_estimates")
    assert report.outcomes[0].state == "refused"
    said = " ".join(messages(report))
    assert words in said
    assert "research.csv" in said
    assert "line " in said


def test_changed_file_breaks_its_receipt(ground: Ground) -> None:
    folder = ground.put("police_uk_street", "2018-04-01", {NAME: month_file()})
    from datetime import date, datetime

    from orchestration.ingest.landing.receipt import Receipt

    receipt = Receipt(
        source="police_uk_street",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 1),
        nature="synthetic",
        note="",
    )
    receipt.with_files(folder).write(folder)
    (folder / NAME).write_text(month_file(rows=9))
    (said,) = messages(ground.load("police_uk_street"))
    assert "[rule: matches its receipt]" in said
    assert "csp land" in said

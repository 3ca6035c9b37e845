"""Files as people have them: headings, dates, markers, sheets and rows that nobody agreed."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.ingest.checking.contract import contract_of
from orchestration.ingest.checking.delivery_check import check_in
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.loading.outcomes import Outcome
from orchestration.ingest.reading.date_cells import day_of, period_of
from orchestration.ingest.reading.source_reading import figure
from tests.support import STREET_HEADER, street_row
from tests.test_workbook_cells import QUESTIONS, check
from tests.workbooks import WRITERS, Raw, ods, xlsx

# --- headings


@pytest.mark.parametrize(
    "written",
    [
        "Other public sector",
        "other  public\nsector ",
        "Other public\u00a0sector",
        "\ufeffOTHER PUBLIC SECTOR",
        "Other public sector [note 4, 5]",
        "Other public sector [note 4][note 5]",
        "Other public sector (note 3)",
        "Other public sector [see Note 12]",
        "Other public sector\u00b9",
        "Other public sector2",
        "Other public sector1,2",
        "Otherpublic sector*",
    ],
)
def test_a_heading_is_known_however_it_is_written(written: str) -> None:
    known = ["Total", "Other public sector"]
    assert known_headings([written, "Total2019"], known) == ["Other public sector", "Total2019"]


def test_a_number_that_belongs_to_a_heading_stays() -> None:
    assert known_headings(["LSOA11CD", "LSOA1"], ["LSOA11CD", "LSOA21CD"]) == ["LSOA11CD", "LSOA1"]


def _street(header: str, rows: int = 5, separator: str = ",") -> bytes:
    lines = [header, *(street_row(number=number) for number in range(1, rows + 1))]
    return "".join(f"{line.replace(',', separator)}\r\n" for line in lines).encode()


@pytest.mark.parametrize(
    "header",
    [
        STREET_HEADER.lower(),
        STREET_HEADER.replace("Crime type", "Crime  Type "),
        STREET_HEADER.replace("LSOA code", "LSOA\u00a0code"),
        f"\ufeff{STREET_HEADER}",
    ],
)
def test_headings_of_a_bulk_csv_are_matched_the_same_way(tmp_path: Path, header: str) -> None:
    outcome = check(tmp_path, "police_uk_street", a_csv=_street(header))
    assert (outcome.rows_loaded, outcome.faults, outcome.warnings) == (5, [], [])


def test_a_column_of_a_bulk_csv_without_a_heading_is_said(tmp_path: Path) -> None:
    content = _street(STREET_HEADER).replace(b"\r\n", b",\r\n")
    outcome = check(tmp_path, "police_uk_street", a_csv=content)
    assert outcome.rows_loaded == 5
    assert ["Column 13 has no heading" in str(one) for one in outcome.warnings] == [True]


PLACES = "Snapshot date,District,Scheme,Provider,Town,Client group,Kind,Places"
PLACE = "30/06/2018,E07000010,Foyer,Luminus,Wisbech,Homeless people,supported place,5"


def _places(*rows: str, header: str = PLACES) -> bytes:
    return "".join(f"{line}\r\n" for line in (header, *rows)).encode()


def test_headings_of_a_keyed_csv_are_matched_the_same_way(tmp_path: Path) -> None:
    header = PLACES.replace("Client group", '"client\r\ngroup"').replace("Town", " TOWN")
    outcome = check(tmp_path, "supported_accommodation", a_csv=_places(PLACE, header=header))
    assert (outcome.rows_loaded, outcome.faults, outcome.warnings) == (1, [], [])


@pytest.mark.parametrize(
    ("separator", "said"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vert")]
)
@pytest.mark.parametrize("source", ["police_uk_street", "supported_accommodation"])
def test_another_separator_is_said(tmp_path: Path, source: str, separator: str, said: str) -> None:
    street = source == "police_uk_street"
    content = _street(STREET_HEADER, 5, separator) if street else _places(PLACE)
    outcome = check(tmp_path, source, a_csv=content.replace(b",", separator.encode()))
    assert outcome.state == "refused"
    assert f"separated by {said}" in str(outcome.faults[0])


def test_windows_letters_are_refused_and_never_garbled(tmp_path: Path) -> None:
    content = _places(PLACE.replace("Foyer", "Caf\u00e9")).decode().encode("cp1252")
    outcome = check(tmp_path, "supported_accommodation", a_csv=content)
    assert outcome.state == "refused"
    assert outcome.faults[0].rule == "is UTF-8"


def test_values_without_a_heading_and_empty_lines_are_said(tmp_path: Path) -> None:
    header, row = f"{PLACES},,", f"{PLACE},extra,"
    content = _places(row, ",,,,,,,,,", ",,,,,,,,,", header=header)
    outcome = check(tmp_path, "supported_accommodation", a_csv=content)
    assert outcome.rows_loaded == outcome.rows_delivered == 1
    said = " ".join(map(str, outcome.warnings))
    assert "Column 9 has no heading and holds 1 values" in said
    assert "2 lines hold commas and no value" in said
    assert "Column 10" not in said


# --- dates

MIDNIGHTS = [
    "30/06/2018",
    "30/06/2018 00:00:00",
    "30/06/2018 00:00",
    "30/06/2018 0:00",
    "30/06/2018 12:00:00 AM",
    "2018-06-30",
    "2018-06-30 00:00:00.000",
    "2018-06-30T00:00:00",
    "2018-06-30T00:00:00Z",
    "2018-06-30T00:00:00.000+01:00",
]


def _loaded_days(source: str, column: str, folder: Path, **files: bytes) -> tuple[Outcome, Any]:
    paths = []
    for name, content in files.items():
        paths.append(folder / ".".join(name.rsplit("_", 1)))
        paths[-1].write_bytes(content)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        outcome = check_in(connection, contract_of(source), paths)
        days = connection.execute(f"select distinct {column} from raw.{source}").fetchall()
    return outcome, days


@pytest.mark.parametrize("written", MIDNIGHTS)
def test_a_day_with_a_time_of_midnight_is_the_day(tmp_path: Path, written: str) -> None:
    content = _places(PLACE.replace("30/06/2018", written))
    outcome, days = _loaded_days(
        "supported_accommodation", "snapshot_date", tmp_path, a_csv=content
    )
    assert (outcome.faults, outcome.warnings) == ([], [])
    assert days == [(date(2018, 6, 30),)]


@pytest.mark.parametrize(
    "written",
    ["43281", "31/02/2018", "30/06/18", "2018/06/30", "30/06/2018 25 o'clock", "06/30/2018",
     "29/06/2018 23:00:00", "2018-06-29T23:00:00Z", "2018-06-29T23:30:00Z", "29/06/2018 11:00 PM"],
)  # fmt: skip
def test_what_is_no_day_or_may_be_the_next_one_is_refused(tmp_path: Path, written: str) -> None:
    content = _places(PLACE.replace("30/06/2018", written))
    outcome = check(tmp_path, "supported_accommodation", a_csv=content)
    assert outcome.state == "refused"
    assert ("is a date like" in str(outcome.faults)) != ("is one day" in str(outcome.faults))


def test_a_time_of_day_is_said(tmp_path: Path) -> None:
    content = _places(PLACE.replace("30/06/2018", "30/06/2018 14:07"))
    outcome, days = _loaded_days(
        "supported_accommodation", "snapshot_date", tmp_path, a_csv=content
    )
    assert days == [(date(2018, 6, 30),)]
    (warning,) = outcome.warnings
    assert (warning.rule, warning.value) == ("has no time of day", "30/06/2018 14:07")


def test_the_months_of_a_bulk_csv_may_be_days_at_midnight(tmp_path: Path) -> None:
    months = ["2018-04", "2018-04-01", "2018-04-01 00:00:00", "2018-04-01T00:00:00"]
    rows = [street_row(month, number=number) for number, month in enumerate(months, start=1)]
    content = "".join(f"{line}\r\n" for line in [STREET_HEADER, *rows]).encode()
    outcome, days = _loaded_days("police_uk_street", "month", tmp_path, a_csv=content)
    assert (outcome.rows_loaded, days) == (4, [(date(2018, 4, 1),)])
    for wrong in ("2018-04-15", "Apr-18", "2018-04-01 09:00"):
        bad = "".join(f"{line}\r\n" for line in [STREET_HEADER, street_row(wrong)]).encode()
        assert check(tmp_path, "police_uk_street", a_csv=bad).state == "refused"


@pytest.mark.parametrize(
    ("cells", "period"),
    [
        ([date(2018, 4, 1), datetime(2018, 6, 30)], (date(2018, 4, 1), date(2018, 6, 30))),
        (["01/04/2018", "30/06/2018"], (date(2018, 4, 1), date(2018, 6, 30))),
        (["01/04/2018 00:00:00", "30 June 2018"], (date(2018, 4, 1), date(2018, 6, 30))),
        (["01/04/2018 to 30/06/2018"], (date(2018, 4, 1), date(2018, 6, 30))),
        (["1 April 2018 \u2013 30th June 2018"], (date(2018, 4, 1), date(2018, 6, 30))),
        (["2018-04-01 - 2018-06-30"], (date(2018, 4, 1), date(2018, 6, 30))),
        (["April to June 2018"], (date(2018, 4, 1), date(2018, 6, 30))),
        (["Apr 2018 - Jun 2018"], (date(2018, 4, 1), date(2018, 6, 30))),
        (["October 2018 to March 2019"], (date(2018, 10, 1), date(2019, 3, 31))),
        (["", "Q1 2018/19", None], (date(2018, 4, 1), date(2018, 6, 30))),
        (["Q4 2018-19"], (date(2019, 1, 1), date(2019, 3, 31))),
        (["April to June"], None),
        (["December to February 2019"], None),
        (["Q1 2018/20"], None),
        (["01/04/2018"], None),
        ([datetime(2018, 4, 1, 9), date(2018, 6, 30)], None),
        (["spring 2018"], None),
    ],
)
def test_a_period_above_a_table_is_read(cells: list[Any], period: Any) -> None:
    assert period_of(cells) == period


def test_a_day_above_a_table_is_read() -> None:
    assert day_of("30/11/2018 00:00:00") == day_of("30-Nov-2018") == date(2018, 11, 30)
    assert [day_of(one) for one in (43434.0, "43434", "30/11/18", "30/11/2018 14:07", None)] == (
        [None] * 5
    )


def _survey(period: list[Any], day: Any = date(2018, 10, 5), title: str = "A survey") -> bytes:
    answers: list[Any] = [70_000_001, day, "Wisbech", "36-45", "Female", "PE13", "Safe", "Not much"]
    grid = [[title], period, [], QUESTIONS, [*answers, "Parking", "Parking", None]]
    return xlsx({"Responses": grid})


@pytest.mark.parametrize(
    "period",
    [
        ["Survey period", "01/10/2018", "31/12/2018"],
        ["Survey  Period:", "01/10/2018 to 31/12/2018"],
        ["Survey period: October to December 2018"],
        ["SURVEY PERIOD", "", "Q3 2018/19"],
        ["Survey period", datetime(2018, 10, 1), datetime(2018, 12, 31)],
    ],
)
@pytest.mark.parametrize("day", ["05/10/2018", "05/10/2018 00:00:00", datetime(2018, 10, 5, 14, 7)])
def test_a_survey_is_read_by_its_period_and_days(
    tmp_path: Path, period: list[Any], day: Any
) -> None:
    outcome, waves = _loaded_days(
        "community_survey", "wave_start, response_date", tmp_path, a_xlsx=_survey(period, day)
    )
    assert outcome.faults == []
    assert waves == [(date(2018, 10, 1), date(2018, 10, 5))]


def test_a_serial_number_is_a_day_only_where_its_cell_is_formatted_as_one(tmp_path: Path) -> None:
    period = ["Survey period", "Q3 2018/19"]
    assert check(tmp_path, "community_survey", a_xlsx=_survey(period, 43_378)).state == "refused"
    assert check(tmp_path, "community_survey", b_xlsx=_survey(period)).rows_loaded == 1


def test_the_title_of_a_survey_is_read_without_its_extra_spaces(tmp_path: Path) -> None:
    content = _survey(["Survey period", "Q3 2018/19"], title=" A\u00a0 survey\n")
    _, titles = _loaded_days("community_survey", "survey", tmp_path, a_xlsx=content)
    assert titles == [("A survey",)]


# --- markers


@pytest.mark.parametrize(
    ("cell", "read"),
    [
        (5654.0, ("5654", None)),
        ("5,654 [r]", ("5654", "[r]")),
        ("5654[R]", ("5654", "[r]")),
        ("1,234", ("1234", None)),
        ("12,345.5 (p)", ("12345.5", "[p]")),
        ("[x]", (None, "[x]")),
        ("..", (None, "..")),
        ("\u2026", (None, "..")),
        (":", (None, ":")),
        ("\u2013", (None, "-")),
        ("N/A", (None, "n/a")),
        ("1,23", ("1,23", None)),
        ("12 people", ("12 people", None)),
        ("#N/A", ("#N/A", None)),
        (None, (None, None)),
    ],
)
def test_a_number_and_its_marker_are_read_apart(cell: Any, read: tuple[Any, Any]) -> None:
    assert figure(cell) == read


TENURES = ["Local Authority", "Private Registered Provider", "Other public sector [note 4, 5]"]
DWELLINGS = ["DCLG code", "Current\nONS code", "Area", *TENURES, "Private sector", "Total"]
FENLAND = ["D0515", "E07000010", "Fenland", 2, 5562, 9, 37_000, 42_573]


def _dwellings(kind: str = "ods", /, _more: Any = None, **sheets: list[list[Any]]) -> bytes:
    named = {name.removeprefix("_"): [["Table 100"], [], *rows] for name, rows in sheets.items()}
    return WRITERS[kind]((_more or {}) | named)


def test_a_value_is_kept_with_its_marker_and_a_marker_alone_is_null(tmp_path: Path) -> None:
    row = ["D0515", "E07000010", "Fenland", "2 [r]", "5,562 [p]", "[x]", "..", 42_573]
    for kind in ("ods", "xlsx"):
        (tmp_path / kind).mkdir()
        outcome, rows = _loaded_days(
            "dwelling_stock",
            "tenure, dwellings, marker",
            tmp_path / kind,
            **{f"a_{kind}": _dwellings(kind, _2016=[DWELLINGS, row])},
        )
        assert outcome.faults == []
        assert {one[0]: one[1:] for one in rows} == {
            "local authority": (2, "[r]"),
            "private registered provider": (5562, "[p]"),
            "other public sector": (None, "[x]"),
            "private sector": (None, ".."),
            "total": (42_573, None),
        }


def _population(*rows: list[Any], kind: str = "xlsx", **sheets: Any) -> bytes:
    table = [
        ["MYE5: Population estimates"],
        [],
        ["Code", "Name", "Geography", "Area (sq km)", "Estimated Population mid-2022"],
        ["E07000008", "Cambridge", "District", 40.7, 146_995],
        *rows,
    ]
    return WRITERS[kind]({"MYE5": table} | sheets)


def test_an_estimate_keeps_its_marker_and_a_marker_alone_is_refused(tmp_path: Path) -> None:
    row = ["E07000010", "Fenland", "District", 546.5, "103,040 [r]"]
    _, rows = _loaded_days(
        "population_estimates", "area_code, population, marker", tmp_path, a_xlsx=_population(row)
    )
    assert ("E07000010", 103_040, "[r]") in rows
    alone = check(tmp_path, "population_estimates", b_xlsx=_population([*row[:4], "[x]"]))
    assert alone.state == "refused"
    assert "'[x]'" in str(alone.faults)


# --- what is in the file


@pytest.mark.parametrize("name", ["2016", "2016 (revised)", "2016 [note 2]", "2016r", " 2016 "])
def test_a_sheet_is_of_the_year_in_its_name(tmp_path: Path, name: str) -> None:
    content = ods({name: [["Table 100"], DWELLINGS, FENLAND]})
    outcome, days = _loaded_days("dwelling_stock", "stock_date", tmp_path, a_ods=content)
    assert (outcome.rows_loaded, outcome.warnings) == (5, [])
    assert days == [(date(2016, 3, 31),)]


def test_two_sheets_of_a_year_are_refused_by_name(tmp_path: Path) -> None:
    table = [["Table 100"], DWELLINGS, FENLAND]
    outcome = check(tmp_path, "dwelling_stock", a_ods=ods({"2016": table, "2016 (revised)": table}))
    assert outcome.state == "refused"
    assert "'2016', '2016 (revised)'" in str(outcome.faults[0])


@pytest.mark.parametrize("name", ["2016-17", "Table 2017", "Seventeen"])
def test_a_sheet_of_dwellings_by_another_name_is_refused(tmp_path: Path, name: str) -> None:
    table = [["Table 100"], DWELLINGS, FENLAND]
    outcome = check(tmp_path, "dwelling_stock", a_ods=ods({"2016": table, name: table}))
    assert outcome.state == "refused"
    assert outcome.faults[0].sheet == name


def test_a_sheet_that_is_none_of_ours_is_said_with_its_rows(tmp_path: Path) -> None:
    more = {
        "Cover": [["x"]],
        "Notes": [["[x]", "Not available"]],
        "Odd": [["a"], ["b"]],
        "Sheet3": [],
    }
    for source, content in {
        "dwelling_stock": ods({"2016": [DWELLINGS, FENLAND], **more}),
        "population_estimates": _population(kind="ods", **more, **{"MYE2 - Persons": [["x"]]}),
    }.items():
        (warning,) = check(tmp_path, source, a_ods=content).warnings
        assert (warning.sheet, warning.rule) == ("Odd", "has no unknown sheet")
        assert "2 rows" in warning.message


def test_a_blank_cell_of_a_district_is_refused_and_never_a_row_without_value(
    tmp_path: Path,
) -> None:
    row = ["J0540", "E06000031", "Peterborough UA", 4, None, *FENLAND[5:]]
    outcome = check(tmp_path, "dwelling_stock", a_ods=_dwellings(_2016=[DWELLINGS, FENLAND, row]))
    fault = next(one for one in outcome.faults if one.severity == "record")
    assert (fault.sheet, fault.line, fault.column) == ("2016", 5, "Private Registered Provider")


@pytest.mark.parametrize(
    "row",
    [
        ["E07000010", "Fenland", "District", 546.5, None],
        ["E07000010", None, None, None, None],
        [None, "Fenland", None, None, 101_000],
    ],
)
@pytest.mark.parametrize("kind", ["xls", "xlsx", "ods"])
def test_a_row_without_its_value_or_code_is_counted(
    tmp_path: Path, kind: str, row: list[Any]
) -> None:
    content = _population(row, ["E07000011", "Hunts", "District", 1, 183_210], kind=kind)
    outcome = check(tmp_path, "population_estimates", **{f"a_{kind}": content})
    assert (outcome.rows_delivered, outcome.state) == (3, "refused")
    assert next(one for one in outcome.faults if one.severity == "record").line == 5


def test_notes_below_a_table_are_said_by_their_row(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[], ["1. A note."], [None, None, "Source: ONS"]]
    outcome = check(tmp_path, "population_estimates", a_xlsx=_population(*rows))
    (warning,) = outcome.warnings
    assert (outcome.rows_loaded, warning.line) == (1, 6)
    assert "Rows 6, 7" in warning.message


def test_rows_after_a_blank_one_and_a_second_table_are_counted(tmp_path: Path) -> None:
    after = _population([], ["E07000010", "Fenland", "District", 1, 103_040])
    assert check(tmp_path, "population_estimates", a_xlsx=after).rows_loaded == 2
    second = [[], ["Code", "Name", "Geography", "Area (sq km)", "Estimated Population mid-2022"]]
    outcome = check(tmp_path, "population_estimates", b_xlsx=_population(*second))
    assert outcome.state == "refused"
    assert any(one.line == 6 for one in outcome.faults)


@pytest.mark.parametrize("kind", ["xlsx", "ods"])
def test_hidden_rows_are_read_and_said(tmp_path: Path, kind: str) -> None:
    grid = [["T"], DWELLINGS, FENLAND, ["", "E07000011", "Hunts", 1, 2, 3, 4, 10]]
    content = WRITERS[kind]({"2016": grid}, hidden_rows=[3])
    outcome = check(tmp_path, "dwelling_stock", **{f"a_{kind}": content})
    assert outcome.rows_loaded == 10
    assert [(one.rule, one.line) for one in outcome.warnings] == [("has no hidden rows", 4)]


def test_hidden_columns_and_columns_without_a_heading_are_said(tmp_path: Path) -> None:
    grid = [DWELLINGS, [*FENLAND, "extra"]]
    outcome = check(tmp_path, "dwelling_stock", a_xlsx=xlsx({"2016": grid}, hidden_columns=[3]))
    assert outcome.rows_loaded == 5
    said = {one.rule: one.column for one in outcome.warnings}
    assert said == {"every column has a heading": "I", "has no hidden columns": "D"}


def test_a_row_outside_the_columns_of_a_table_is_said(tmp_path: Path) -> None:
    grid: list[list[Any]] = [["A survey"], ["Survey period", "Q3 2018/19"], QUESTIONS]
    answers: list[Any] = [
        70_000_001,
        date(2018, 10, 5),
        "Wisbech",
        "36-45",
        "Female",
        "PE13",
        "Safe",
    ]
    grid += [[*answers, "Not much", "Parking", "Parking"], [None] * 12 + ["checked by hand"]]
    outcome = check(tmp_path, "community_survey", a_xlsx=xlsx({"Responses": grid}))
    assert outcome.rows_loaded == 1
    assert [(one.rule, one.line) for one in outcome.warnings] == [
        ("has nothing beside its table", 5)
    ]


def test_an_error_elsewhere_in_a_workbook_does_not_hide_a_row(tmp_path: Path) -> None:
    error = Raw('<c r="{r}" t="e"><v>#N/A</v></c>')
    content = _population([error, "Fenland", "District", 1, 103_040])
    outcome = check(tmp_path, "population_estimates", a_xlsx=content)
    assert outcome.state == "refused"
    assert any(one.value == "#N/A" and one.line == 5 for one in outcome.faults)


# --- editions


@pytest.mark.parametrize("kind", ["xls", "xlsx", "ods"])
@pytest.mark.parametrize("sheet", ["MYE5", "MYE 5", "mye5"])
def test_the_table_of_densities_is_read_in_every_format(
    tmp_path: Path, kind: str, sheet: str
) -> None:
    table = [
        ["MYE5: Population estimates and density"],
        ["This worksheet contains one table"],
        ["Code", "Name", "Geography1", "Area (sq km)", "Estimated Population\nmid-2022",
         "2022 people per sq. km", "Estimated Population mid-20211", "2021 people per sq. km"],
        ["E07000010", "Fenland", "District", 546, 103_040, 188, 102_140, 187],
    ]  # fmt: skip
    content = WRITERS[kind]({"Contents": [["x"]], sheet: table})
    outcome, rows = _loaded_days(
        "population_estimates", "mid_year, population", tmp_path, **{f"a_{kind}": content}
    )
    assert outcome.warnings == []
    assert sorted(rows) == [(date(2021, 6, 30), 102_140), (date(2022, 6, 30), 103_040)]


def test_the_table_of_persons_by_age_is_read_by_its_title(tmp_path: Path) -> None:
    table = [
        ["MYE2: Population estimates: Persons by single year of age, mid-2022"],
        ["Code", "Name", "Geography", "All ages", 0, 1, 89, "90+"],
        ["E07000010", "Fenland", "District", 103_040, 1, 2, 3, 4],
    ]
    outcome, rows = _loaded_days(
        "population_estimates",
        "mid_year, population",
        tmp_path,
        a_xlsx=xlsx({"MYE2 - Persons": table, "MYE2 - Males": table}),
    )
    assert (outcome.warnings, rows) == ([], [(date(2022, 6, 30), 103_040)])


def test_an_unknown_edition_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    content = xlsx({"MYEB1": [["ladcode23", "sex", "age", "population_2022"]]})
    outcome = check(tmp_path, "population_estimates", a_xlsx=content)
    (fault,) = outcome.faults
    assert fault.rule == "is of a known edition"
    assert all(word in fault.message for word in ("'MYE5'", "'MYE2 - Persons'", "'MYEB1'"))


def test_a_workbook_by_the_name_of_another_kind_is_read_by_its_content(tmp_path: Path) -> None:
    outcome = check(tmp_path, "population_estimates", a_xls=_population(kind="xlsx"))
    assert outcome.rows_loaded == 1

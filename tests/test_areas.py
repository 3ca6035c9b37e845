"""The hierarchy of areas: what is read of it, what an area was on a day, and what followed it."""

import csv
import io
import re
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.config.settings import PROJECT
from tests.area_hierarchy import (
    CHANGES,
    HISTORY,
    Hierarchy,
    build,
    change_row,
    compiled,
    history_row,
    table,
)
from tests.support import Ground, csv_rows, messages

FIRST_SHEET, LAST_SHEET = 2010, 2025
"""Years of the sheets of Live Table 100 that have GSS codes."""

NATIONAL = "Lower_Layer_Super_Output_Area_2011_to_Ward_2017_Lookup_in_England_and_Wales.csv"


@pytest.fixture(scope="module")
def sql(sample: Ground) -> dict[str, str]:
    return compiled(sample.settings.dbt_state / "target")


# --- the Code History Database -------------------------------------------------------------------

HISTORY_ROWS = [
    history_row("E12000006", "East of England", "01/01/2009", parent="E92000001"),
    history_row("E12000009", "South West", "01/01/2009", parent="E92000001"),
    history_row("E10000029", "Suffolk", "01/04/1974", parent="E12000006"),
    history_row("E10000027", "Somerset", "01/04/1974", "31/03/2023", "E12000009"),
    history_row("E07000201", "Forest Heath", "01/04/1974", "31/03/2019", "E10000029"),
    history_row("E07000204", "St Edmundsbury", "01/04/1974", "31/03/2019", "E10000029"),
    history_row("E07000245", "West Suffolk", "01/04/2019", parent="E10000029"),
    history_row("E07000190", "Taunton Deane", "01/04/1974", "31/03/2019", "E10000027"),
    history_row("E07000191", "West Somerset", "01/04/1974", "31/03/2019", "E10000027"),
    history_row("E07000246", "Somerset West and Taunton", "01/04/2019", "31/03/2023", "E10000027"),
    history_row("E07000187", "Mendip", "01/04/1974", "31/03/2023", "E10000027"),
    history_row("E06000066", "Somerset", "01/04/2023", parent="E12000009"),
    history_row("E07000100", "St Albans", "01/04/1974", "31/03/2012"),
    history_row("E07000240", "St Albans", "01/04/2012"),
    history_row("E06000048", "Northumberland", "01/04/2009", "31/03/2013"),
    history_row("E06000057", "Northumberland", "01/04/2013"),
    history_row("E08000020", "Gateshead", "01/04/1974", "31/03/2013"),
    history_row("E08000037", "Gateshead", "01/04/2013"),
    history_row("E07000112", "Shepway", "01/04/1974", "31/03/2018"),
    history_row("E07000112", "Folkestone and Hythe", "01/04/2018", "30/06/2021"),
    history_row("E07000112", "Folkestone and Hythe", "01/07/2021"),
    history_row("E05007001", "Eastgate", "01/05/2003", "31/03/2019", "E07000204"),
    history_row("E05012001", "Eastgate", "01/04/2019", parent="E07000245"),
]
OTHER_KINDS = [
    history_row("E00000001", "", "01/02/2004"),
    history_row("S12000036", "City of Edinburgh", "01/04/1996"),
    history_row("E14000530", "A constituency", "06/05/2010"),
]
CHANGE_ROWS = [
    change_row("E07000245", "West Suffolk", "E07000201", "Forest Heath", "01/04/2019"),
    change_row("E07000245", "West Suffolk", "E07000204", "St Edmundsbury", "01/04/2019"),
    change_row("E07000246", "Somerset West and Taunton", "E07000190", "Taunton Deane",
               "01/04/2019"),
    change_row("E07000246", "Somerset West and Taunton", "E07000191", "West Somerset",
               "01/04/2019"),
    change_row("E06000066", "Somerset", "E07000246", "Somerset West and Taunton", "01/04/2023"),
    change_row("E06000066", "Somerset", "E07000187", "Mendip", "01/04/2023"),
    change_row("E07000240", "St. Albans", "E07000100", "St Albans", "01/04/2012"),
    change_row("E06000057", "Northumberland", "E06000048", "Northumberland", "01/04/2013"),
    change_row("E06000057", "Northumberland", "E08000020", "Gateshead", "01/04/2013"),
    change_row("E08000037", "Gateshead", "E08000020", "Gateshead", "01/04/2013"),
    change_row("E07000112", "Folkestone and Hythe", "E07000112", "Shepway", "01/04/2018"),
    change_row("E05012001", "Eastgate", "E05007001", "Eastgate", "01/04/2019"),
    change_row("00GG01", "", "E05006654", "", "01/04/2009"),
]  # fmt: skip
SERVED = [
    ("E07000245", "West Suffolk"), ("E06000066", "Somerset"), ("E07000240", "St Albans"),
    ("E06000057", "Northumberland"), ("E08000037", "Gateshead"),
    ("E07000112", "Folkestone and Hythe"),
]  # fmt: skip
FILES = {
    "ChangeHistory.csv": table(HISTORY, [*HISTORY_ROWS, *OTHER_KINDS]),
    "Changes.csv": table(CHANGES, CHANGE_ROWS),
}
LINE = "LSOA11CD,LSOA11NM,WD17CD,WD17NM,WD17NMW,LAD17CD,LAD17NM,FID"
SMALL_AREAS = [
    "E01030001,Forest Heath 001A,E05007999,Manor,,E07000201,Forest Heath,1",
    "E01030002,St Edmundsbury 001A,E05007001,Eastgate,,E07000204,St Edmundsbury,2",
    "E01029001,Taunton Deane 001A,E05006001,Comeytrowe,,E07000190,Taunton Deane,3",
]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, sql: dict[str, str]) -> Hierarchy:
    lookup = "\n".join([LINE, *SMALL_AREAS, ""])
    files: Mapping[str, str] = {**FILES, "lookup.csv": lookup}
    return build(tmp_path_factory.mktemp("history"), sql, SERVED, {"2018-04-01": files})


def test_kinds_of_the_hierarchy_are_read_and_the_rest_counted(ground: Ground) -> None:
    ground.put("area_lookups", "2018-04-01", {**FILES, "Equivalents.csv": "GEOGCD,GEOGCDO\nE,1\n"})
    report = ground.load("area_lookups")
    assert messages(report) == []
    said = [str(warning) for outcome in report.outcomes for warning in outcome.warnings]
    assert [re.sub(r"\. Small areas.*", "", text) for text in said] == [
        "Equivalents.csv: 1 file of codes in other registers is left out: no source reads them yet "
        "(Equivalents.csv). [rule: is read by a source]",
        "ChangeHistory.csv, line 25: 3 rows of other kinds of areas are left out",
        "Changes.csv, line 14: 1 row of other kinds of areas is left out",
    ]
    assert ground.query(
        "select area_code, area_name, first_day, last_day, parent_code from raw.area_lookups "
        "where kind = 'code_history' and area_code in ('E07000201', 'E07000245') order by 1"
    ) == [
        ("E07000201", "Forest Heath", date(1974, 4, 1), date(2019, 3, 31), "E10000029"),
        ("E07000245", "West Suffolk", date(2019, 4, 1), None, "E10000029"),
    ]
    assert ground.query(
        "select part_code, area_code, first_day from raw.area_lookups "
        "where kind = 'code_change' and part_code = 'E08000020' order by 2"
    ) == [
        ("E08000020", "E06000057", date(2013, 4, 1)),
        ("E08000020", "E08000037", date(2013, 4, 1)),
    ]


@pytest.mark.parametrize(
    ("written", "read"),
    [("01/04/2019", date(2019, 4, 1)), ("01/04/2019 00:00", date(2019, 4, 1)),
     ("01/04/2019 00:00:00", date(2019, 4, 1)), ("", None), ("n/a", None)],
)  # fmt: skip
def test_days_are_read_in_every_form(ground: Ground, written: str, read: date | None) -> None:
    line = f"E07000245,West Suffolk,,,,{written},,E10000029,E07,LGBC,live,1,1,0,1"
    ground.put("area_lookups", "2018-04-01", {"ChangeHistory.csv": f"{HISTORY}\n{line}\n"})
    assert messages(ground.load("area_lookups")) == []
    assert ground.query("select first_day from raw.area_lookups") == [(read,)]


def test_a_day_in_another_form_is_refused_with_its_place(ground: Ground) -> None:
    line = "E07000245,West Suffolk,,,,2019-13-01,,E10000029,E07,LGBC,live,1,1,0,1"
    ground.put("area_lookups", "2018-04-01", {"ChangeHistory.csv": f"{HISTORY}\n{line}\n"})
    said = messages(ground.load("area_lookups"))[0]
    assert said.startswith("ChangeHistory.csv, line 2, column 'OPER_DATE'")
    assert "dd/mm/yyyy" in said and "2019-13-01" in said


def test_an_older_edition_in_windows_1252_is_read(ground: Ground) -> None:
    line = history_row("W06000001", "Ynys M\u00f4n", "01/04/1996", parent="W92000004")
    content = f"{HISTORY}\r\n{line}\r\n".encode("cp1252")
    ground.put("area_lookups", "2018-04-01", {"ChangeHistory.csv": content})
    assert messages(ground.load("area_lookups")) == []
    assert ground.query("select area_name from raw.area_lookups") == [("Ynys M\u00f4n",)]


def test_an_area_that_the_database_gives_twice_for_a_day_is_reported(ground: Ground) -> None:
    lines = [HISTORY_ROWS[0], HISTORY_ROWS[0]]
    ground.put("area_lookups", "2018-04-01", {"ChangeHistory.csv": table(HISTORY, lines)})
    report = ground.load("area_lookups")
    assert messages(report) == []
    (said,) = [str(one) for outcome in report.outcomes for one in outcome.warnings]
    assert said.startswith("ChangeHistory.csv, line 3: 1 row that repeats an area and its day is")
    assert ground.query("select count(*) from raw.area_lookups") == [(1,)]


def test_the_published_archive_is_landed_as_it_is(ground: Ground) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        for name, content in FILES.items():
            made.writestr(name, content)
        made.writestr("Equivalents.csv", "GEOGCD,GEOGNM,GEOGCDO\r\nE07000245,West Suffolk,1\r\n")
    ground.put("area_lookups", "2018-04-01", {"Code_History_Database.zip": archive.getvalue()})
    assert messages(ground.load("area_lookups")) == []
    assert ground.query(
        "select kind, count(*) from raw.area_lookups group by kind order by kind"
    ) == [("code_change", 12), ("code_history", 23)]


def test_districts_follow_each_other_by_the_database(history: Hierarchy) -> None:
    assert history.rows(
        "select predecessor_code, successor_code, changed_on::varchar, evidence "
        "from intermediate.int_district_changes__listed "
        "where evidence = 'code history' order by 1"
    ) == [
        ("E06000048", "E06000057", "2013-04-01", "code history"),
        ("E07000100", "E07000240", "2012-04-01", "code history"),
        ("E07000187", "E06000066", "2023-04-01", "code history"),
        ("E07000190", "E07000246", "2019-04-01", "code history"),
        ("E07000191", "E07000246", "2019-04-01", "code history"),
        ("E07000201", "E07000245", "2019-04-01", "code history"),
        ("E07000204", "E07000245", "2019-04-01", "code history"),
        ("E07000246", "E06000066", "2023-04-01", "code history"),
        ("E08000020", "E08000037", "2013-04-01", "code history"),
    ]
    # Codes that the database does not end are those of the list.
    assert history.rows(
        "select evidence, count(*) from intermediate.int_district_changes__listed "
        "group by evidence order by evidence"
    ) == [("code history", 9), ("list of changes", 50 - 9)]


@pytest.mark.slow
def test_a_district_split_in_two_has_no_successor(tmp_path: Path, sql: dict[str, str]) -> None:
    """Nor one of the list of changes: the database knows better."""
    changes = [
        change_row("E07000901", "North Heath", "E07000201", "Forest Heath", "01/04/2019"),
        change_row("E07000902", "South Heath", "E07000201", "Forest Heath", "01/04/2019"),
    ]
    files = {"Changes.csv": table(CHANGES, changes)}
    made = build(tmp_path, sql, [("E07000901", "North Heath")], {"2018-04-01": files})
    assert (
        made.rows(
            "select * from intermediate.int_district_changes__listed "
            "where predecessor_code = 'E07000201'"
        )
        == []
    )
    assert made.rows("select successor_code, change_type from marts.area_changes") == [
        ("E07000901", "split")
    ]


def test_areas_have_the_days_of_the_database(history: Hierarchy) -> None:
    assert history.rows(
        "select area_code, area_name, first_day::varchar, last_day::varchar, first_day_from "
        "from marts.areas where area_code in ('E07000112', 'E07000246', 'E10000027', 'E05007001') "
        "order by area_code, first_day"
    ) == [
        ("E05007001", "Eastgate", "2003-05-01", "2019-03-31", "code history"),
        ("E07000112", "Shepway", "1974-04-01", "2018-03-31", "code history"),
        ("E07000112", "Folkestone and Hythe", "2018-04-01", None, "code history"),
        ("E07000246", "Somerset West and Taunton", "2019-04-01", "2023-03-31", "code history"),
        ("E10000027", "Somerset", "1974-04-01", "2023-03-31", "code history"),
    ]


def test_changes_have_their_kind(history: Hierarchy) -> None:
    assert history.rows(
        "select predecessor_code, successor_code, change_type from marts.area_changes "
        "where evidence = 'code history' order by 1, 2"
    ) == [
        ("E05007001", "E05012001", "recode"),
        ("E06000048", "E06000057", "boundary change"),
        ("E07000100", "E07000240", "recode"),
        ("E07000112", "E07000112", "rename"),
        ("E07000187", "E06000066", "merger"),
        ("E07000190", "E07000246", "merger"),
        ("E07000191", "E07000246", "merger"),
        ("E07000201", "E07000245", "merger"),
        ("E07000204", "E07000245", "merger"),
        ("E07000246", "E06000066", "merger"),
        ("E08000020", "E06000057", "boundary change"),
        ("E08000020", "E08000037", "boundary change"),
    ]


@pytest.mark.parametrize(
    ("area", "parent_type", "day", "parents"),
    [
        ("E01030001", "district", date(2018, 5, 1), ["E07000201"]),
        ("E01030001", "district", date(2019, 3, 31), ["E07000201"]),
        ("E01030001", "district", date(2019, 4, 1), ["E07000245"]),
        ("E01030001", "district", None, ["E07000245"]),
        ("E01029001", "district", date(2018, 5, 1), ["E07000190"]),
        ("E01029001", "district", date(2020, 1, 1), ["E07000246"]),
        ("E01029001", "district", None, ["E06000066"]),
        ("E01029001", "county", date(2020, 1, 1), ["E10000027"]),
        ("E01029001", "county", None, []),
        ("E01029001", "region", None, ["E12000009"]),
        ("E01029001", "partnership", None, ["somerset"]),
        ("E01029001", "force", date(2018, 5, 1), ["E23000099"]),
        ("E01029001", "nation", None, ["E92000001"]),
        ("E05007001", "district", date(2018, 5, 1), ["E07000204"]),
        ("E05012001", "county", None, ["E10000029"]),
        ("E01030002", "ward", date(2018, 5, 1), ["E05007001"]),
        ("E07000187", "county", date(2018, 5, 1), ["E10000027"]),
        ("E10000029", "region", None, ["E12000006"]),
    ],
)
def test_what_an_area_lay_in_on_a_day_and_today(
    history: Hierarchy, area: str, parent_type: str, day: date | None, parents: list[str]
) -> None:
    assert history.parent_on(area, parent_type, day) == parents


def test_a_database_that_agrees_with_the_lookups_gives_no_warning(history: Hierarchy) -> None:
    assert history.faults() == {}


def test_example_queries_answer_both_questions(sample: Ground, history: Hierarchy) -> None:
    page = (PROJECT / "docs" / "areas.md").read_text().split("## Areas on a day and today")[1]
    on_a_day, today, changes = re.findall(r"```sql\n(.*?)```", page, re.DOTALL)
    with duckdb.connect(sample.settings.published / "csp.duckdb", read_only=True) as connection:
        levels = [
            ("county", "E10000003"), ("district", "E07000010"), ("force", "E23000023"),
            ("nation", "E92000001"), ("partnership", "fenland"), ("region", "E12000006"),
            ("ward", "E05009491"),
        ]  # fmt: skip
        assert connection.execute(on_a_day).fetchall() == levels
        assert [row[:2] for row in connection.execute(today).fetchall()] == levels
        assert connection.execute(changes).fetchall()
    # The same queries of a small area whose district was merged since.
    merged = [query.replace("E01018058", "E01029001") for query in (on_a_day, today)]
    assert ("district", "E07000190") in history.rows(merged[0])
    assert ("district", "E06000066", "Somerset") in history.rows(merged[1])
    assert ("county", "E10000027") in history.rows(merged[0])
    assert not [row for row in history.rows(merged[1]) if row[0] == "county"]


# --- lookups of several editions -----------------------------------------------------------------


def lookup(year: int, *rows: tuple[str, str, str]) -> str:
    """Return a lookup of small areas of 2011: small area, district and its name."""
    lines = [f'{area},{area} name,{code},"{name}"' for area, code, name in rows]
    return "\n".join([f"LSOA11CD,LSOA11NM,LAD{year}CD,LAD{year}NM", *lines, ""])


@pytest.mark.slow
def test_without_a_database_the_list_of_changes_gives_the_days(
    tmp_path: Path, sql: dict[str, str]
) -> None:
    """One lookup of 2017, a force that the partnerships file names by today's districts."""
    files = {"lookup.csv": "\n".join([LINE, *SMALL_AREAS, ""])}
    made = build(tmp_path, sql, SERVED[:2], {"2018-04-01": files})
    assert made.rows(
        "select area_code, first_day::varchar, first_day_from, last_day::varchar, last_day_from "
        "from marts.areas where area_code in ('E07000201', 'E07000246') order by 1"
    ) == [
        ("E07000201", "2017-01-01", "editions of lookups", "2019-03-31", "list of changes"),
        ("E07000246", "2019-04-01", "list of changes", "2023-03-31", "list of changes"),
    ]
    assert made.parent_on("E01029001", "district", date(2018, 5, 1)) == ["E07000190"]
    assert made.parent_on("E01029001", "district", date(2021, 5, 1)) == ["E07000246"]
    assert made.parent_on("E01029001", "district", None) == ["E06000066"]
    assert made.parent_on("E01030002", "ward", date(2018, 5, 1)) == ["E05007001"]


@pytest.mark.slow
def test_two_editions_say_which_district_followed(tmp_path: Path, sql: dict[str, str]) -> None:
    """One district is merged, one split, one is not wholly in the later edition."""
    earlier = lookup(
        17,
        ("E01000001", "E07000801", "One"), ("E01000002", "E07000801", "One"),
        ("E01000003", "E07000802", "Two"),
        ("E01000004", "E07000803", "Three"), ("E01000005", "E07000803", "Three"),
        ("E01000006", "E07000804", "Four"), ("E01000007", "E07000804", "Four"),
        ("E01000008", "E07000805", "Five"),
    )  # fmt: skip
    later = lookup(
        20,
        ("E01000001", "E07000901", "Merged"), ("E01000002", "E07000901", "Merged"),
        ("E01000003", "E07000901", "Merged"),
        ("E01000004", "E07000902", "Left"), ("E01000005", "E07000903", "Right"),
        ("E01000006", "E07000904", "Part"),
        ("E01000008", "E07000805", "Five"),
    )  # fmt: skip
    made = build(
        tmp_path, sql, [("E07000901", "Merged"), ("E07000805", "Five")],
        {"2018-04-01": {"a.csv": earlier}, "2020-04-01": {"b.csv": later}},
    )  # fmt: skip
    assert made.rows(
        "select predecessor_code, predecessor_name, successor_code, successor_name, changed_on "
        "from intermediate.int_district_changes__listed where evidence = 'editions of lookups' "
        "order by 1"
    ) == [
        ("E07000801", "One", "E07000901", "Merged", None),
        ("E07000802", "Two", "E07000901", "Merged", None),
    ]
    assert made.rows(
        "select area_code, first_day::varchar, last_day::varchar, last_day_from from marts.areas "
        "where area_type = 'district' order by 1"
    ) == [
        ("E07000801", "2017-01-01", "2019-12-31", "editions of lookups"),
        ("E07000802", "2017-01-01", "2019-12-31", "editions of lookups"),
        ("E07000805", "2017-01-01", None, None),
        ("E07000901", "2020-01-01", None, None),
    ]
    assert made.parent_on("E01000003", "district", date(2019, 12, 31)) == ["E07000802"]
    assert made.parent_on("E01000003", "district", None) == ["E07000901"]
    assert made.rows("select change_type, count(*) from marts.area_changes group by 1") == [
        ("merger", 2)
    ]


@pytest.mark.slow
def test_a_later_edition_moves_a_small_area_between_districts(
    tmp_path: Path, sql: dict[str, str]
) -> None:
    one = lookup(17, ("E01000001", "E07000805", "Five"), ("E01000002", "E07000806", "Six"))
    two = lookup(20, ("E01000001", "E07000806", "Six"), ("E01000002", "E07000806", "Six"),
                 ("E01000003", "E07000805", "Five"))  # fmt: skip
    made = build(
        tmp_path, sql, [("E07000805", "Five"), ("E07000806", "Six")],
        {"2018-04-01": {"a.csv": one}, "2020-04-01": {"b.csv": two}},
    )  # fmt: skip
    assert made.parent_on("E01000001", "district", date(2019, 12, 31)) == ["E07000805"]
    assert made.parent_on("E01000001", "district", date(2020, 1, 1)) == ["E07000806"]
    assert made.parent_on("E01000001", "district", None) == ["E07000806"]


@pytest.mark.slow
def test_small_areas_of_2011_end_where_those_of_2021_are_known(
    tmp_path: Path, sql: dict[str, str]
) -> None:
    between = "LSOA11CD,LSOA11NM,LSOA21CD,LSOA21NM,CHGIND,LAD22CD,LAD22NM\n" + "\n".join(
        [
            "E01000001,Five 001A,E01000001,Five 001A,U,E07000805,Five",
            "E01000002,Five 001B,E01033001,Five 001E,S,E07000805,Five",
            "E01000002,Five 001B,E01033002,Five 001F,S,E07000805,Five",
            "E01000003,Five 001C,E01033003,Five 001G,M,E07000805,Five",
            "E01000004,Five 001D,E01033003,Five 001G,M,E07000805,Five",
            "",
        ]
    )
    made = build(tmp_path, sql, [("E07000805", "Five")], {"2022-04-01": {"a.csv": between}})
    assert made.rows(
        "select area_code, first_day::varchar, last_day::varchar from marts.areas "
        "where area_type = 'small area' order by 1"
    ) == [
        ("E01000001", "2011-01-01", None),
        ("E01000002", "2011-01-01", "2020-12-31"),
        ("E01000003", "2011-01-01", "2020-12-31"),
        ("E01000004", "2011-01-01", "2020-12-31"),
        ("E01033001", "2021-01-01", None),
        ("E01033002", "2021-01-01", None),
        ("E01033003", "2021-01-01", None),
    ]
    assert made.rows(
        "select predecessor_code, successor_code, change_type from marts.area_changes order by 1, 2"
    ) == [
        ("E01000002", "E01033001", "split"),
        ("E01000002", "E01033002", "split"),
        ("E01000003", "E01033003", "merger"),
        ("E01000004", "E01033003", "merger"),
    ]


@pytest.mark.slow
def test_larger_areas_beside_districts_are_read(tmp_path: Path, sql: dict[str, str]) -> None:
    header = (
        "LSOA21CD,LSOA21NM,WD22CD,WD22NM,LAD22CD,LAD22NM,CTY22CD,CTY22NM,CSP22CD,CSP22NM,"
        "PFA22CD,PFA22NM,RGN22CD,RGN22NM,CTRY22CD,CTRY22NM"
    )
    lines = [
        "E01018058,Fenland 008A,E05005300,Medworth,E07000010,Fenland,E10000003,Cambridgeshire,"
        "E22000044,Fenland,E23000023,Cambridgeshire,E12000006,East of England,E92000001,England",
        "E01015600,Peterborough 001A,E05010000,Barnack,E06000031,Peterborough,E99999999,"
        "(pseudo) England (UA/MD/LB),E22000042,Peterborough,E23000023,Cambridgeshire,E12000006,"
        "East of England,E92000001,England",
    ]
    made = build(
        tmp_path, sql, [("E07000010", "Fenland"), ("E06000031", "Peterborough")],
        {"2022-04-01": {"a.csv": "\n".join([header, *lines, ""])}},
    )  # fmt: skip
    assert made.rows(
        "select parent_type, parent_code from marts.area_parents "
        "where area_code = 'E01018058' and last_day is null order by 1"
    ) == [
        ("county", "E10000003"),
        ("district", "E07000010"),
        ("force", "E23000099"),
        ("nation", "E92000001"),
        ("partnership", "fenland"),
        ("partnership area", "E22000044"),
        ("region", "E12000006"),
        ("ward", "E05005300"),
    ]
    assert made.parent_on("E06000031", "county", None) == []
    assert made.rows(
        "select area_type, area_name from marts.areas where area_code in "
        "('E10000003', 'E12000006', 'E05005300', 'E22000044') order by 1"
    ) == [
        ("county", "Cambridgeshire"),
        ("partnership area", "Fenland"),
        ("region", "East of England"),
        ("ward", "Medworth"),
    ]


# --- disagreements -------------------------------------------------------------------------------

FEN = [("E07000010", "Fenland"), ("E07000011", "Huntingdonshire")]


@pytest.mark.slow
def test_lookups_that_disagree_are_reported_with_both_values(
    tmp_path: Path, sql: dict[str, str]
) -> None:
    one = "LSOA11CD,LSOA11NM,LAD22CD,LAD22NM\nE01000001,A,E07000010,Fenland\n"
    two = (
        "LSOA21CD,LSOA21NM,LAD22CD,LAD22NM,RGN22CD,RGN22NM\n"
        "E01000001,A,E07000011,Huntingdonshire,E12000006,East\n"
    )
    names = "LAD22CD,LAD22NM,RGN22CD,RGN22NM\nE07000010,Fenlands,E12000006,East of England\n"
    region = "LAD22CD,LAD22NM,PFA22CD,PFA22NM,RGN22CD\nE07000010,Fenland,E23000023,F,E12000005\n"
    made = build(
        tmp_path, sql, FEN,
        {"2022-04-01": {"a.csv": one, "b.csv": two, "c.csv": names, "d.csv": region}},
    )  # fmt: skip
    said = made.faults()
    assert sorted(said) == ["other_names", "other_parents"]
    assert (
        "E07000010 is 'Fenland' in the lookup from districts to forces, edition of 2022"
        in said["other_names"]
        or "E07000010 is 'Fenland' in the district list" in said["other_names"]
    )
    assert "'Fenlands' in the district list, edition of 2022" in said["other_names"]
    assert "'East' in the lookup of small areas of 2021, edition of 2022" in said["other_names"]
    assert (
        "E01000001 is in the district E07000010 by the lookup of small areas of 2011, edition of "
        "2022 and in the district E07000011 by the lookup of small areas of 2021, edition of 2022"
        in said["other_parents"]
    )
    assert "E12000005 by the lookup from districts to forces" in said["other_parents"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "other",
    ["St. Albans", "ST ALBANS", "Saint Albans", "St Albans UA", "St Albans (UA)",
     "City of St Albans", "St Albans, City of"],
)  # fmt: skip
def test_another_spelling_is_no_disagreement(
    tmp_path: Path, sql: dict[str, str], other: str
) -> None:
    one = "LSOA11CD,LSOA11NM,LAD22CD,LAD22NM\nE01000001,A,E07000240,St Albans\n"
    two = f'LAD22CD,LAD22NM\nE07000240,"{other}"\n'
    made = build(
        tmp_path, sql, [("E07000240", "St Albans")], {"2022-04-01": {"a.csv": one, "b.csv": two}}
    )
    assert made.faults() == {}


@pytest.mark.slow
def test_the_database_is_compared_with_lookups_and_list(
    tmp_path: Path, sql: dict[str, str]
) -> None:
    history_lines = [
        history_row("E07000201", "Forest Heath", "01/04/1974", "30/04/2019", "E10000029"),
        history_row("E07000245", "West Suffolk", "01/05/2019", parent="E10000029"),
    ]
    changes = [change_row("E07000245", "West Suffolk", "E07000201", "Forest Heath", "01/05/2019")]
    names = "LAD17CD,LAD17NM,CTY17CD,CTY17NM\nE07000201,Forest Heat,E10000028,Staffordshire\n"
    files = {
        "ChangeHistory.csv": table(HISTORY, history_lines),
        "Changes.csv": table(CHANGES, changes),
        "names.csv": names,
    }
    made = build(tmp_path, sql, SERVED[:1], {"2018-04-01": files})
    assert made.faults() == {
        "other_days": "The lookups in force disagree on days of changes (1): E07000201 is "
        "followed by E07000245 on 1 April 2019 in the list of changes and by E07000245 on 1 May "
        "2019 in the Code History Database. Ask the supplier which is right, or land a newer "
        "lookup (csp land area_lookups)",
        "other_names": "The lookups in force disagree on names of areas (1): E07000201 is 'Forest "
        "Heat' in the district list, edition of 2017 and 'Forest Heath' in the Code History "
        "Database. Ask the supplier which is right, or land a newer lookup (csp land area_lookups)",
        "other_parents": "The lookups in force disagree on what areas lie in (1): E07000201 is "
        "in the county E10000028 by the district list, edition of 2017 and in E10000029 by the "
        "Code History Database. Ask the supplier which is right, or land a newer lookup (csp land "
        "area_lookups)",
    }


@pytest.mark.slow
def test_a_newer_database_replaces_the_older_as_a_whole(
    tmp_path: Path, sql: dict[str, str]
) -> None:
    """What the newer one no longer has, such as a wrong day, is no longer in force."""
    wrong = history_row("E07000245", "West Suffolk", "01/03/2019")
    right = history_row("E07000245", "West Suffolk", "01/04/2019")
    made = build(
        tmp_path, sql, SERVED[:1],
        {
            "2018-04-01": {"ChangeHistory.csv": table(HISTORY, [wrong])},
            "2018-07-01": {"ChangeHistory.csv": table(HISTORY, [right])},
        },
    )  # fmt: skip
    assert made.rows(
        "select first_day::varchar from marts.areas where area_code = 'E07000245'"
    ) == [("2019-04-01",)]


@pytest.mark.slow
def test_a_parent_that_no_row_describes_is_an_area_without_name_and_days(
    tmp_path: Path, sql: dict[str, str]
) -> None:
    """As in an excerpt of the database: what an area lies in is among the areas all the same."""
    files = {"ChangeHistory.csv": table(HISTORY, [HISTORY_ROWS[6]])}
    made = build(tmp_path, sql, SERVED[:1], {"2018-04-01": files})
    assert made.parent_on("E07000245", "county", None) == ["E10000029"]
    assert made.rows(
        "select area_name, first_day, last_day from marts.areas where area_code = 'E10000029'"
    ) == [(None, None, None)]


# --- real files ----------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.real
def test_the_national_lookup_loads_with_wards(real_data: Path, ground: Ground) -> None:
    content = (real_data / "lookups" / NATIONAL).read_bytes()
    ground.put("area_lookups", "2018-04-01", {NATIONAL: content})
    assert messages(ground.load("area_lookups")) == []
    assert ground.query(
        "select count(*), count(ward_code), count(ward_name), count(distinct ward_code), "
        "count(distinct district_code) from raw.area_lookups"
    ) == [(34_753, 34_753, 34_753, 8_269, 348)]


@pytest.mark.slow
@pytest.mark.real
def test_later_edition_of_the_national_lookup_says_what_followed(
    real_data: Path, tmp_path: Path, sql: dict[str, str]
) -> None:
    """From the real lookup of 2017 an edition of 2020 is made, in which districts have merged."""
    with (real_data / "lookups" / NATIONAL).open(encoding="utf-8-sig", newline="") as stream:
        rows = [(row["LSOA11CD"], row["LAD17CD"], row["LAD17NM"]) for row in csv.DictReader(stream)]
    merged = {"E07000008": "E07000998", "E07000012": "E07000998"}
    halves = {"E07000011"}
    later = []
    for number, (area, code, name) in enumerate(rows):
        if code in halves:
            later.append((area, f"E0700099{number % 2}", f"Half {number % 2}"))
        elif code in merged:
            later.append((area, merged[code], "Cambridge and South"))
        else:
            later.append((area, code, name))
    made = build(
        tmp_path, sql, [("E07000998", "Cambridge and South"), ("E07000010", "Fenland")],
        {"2018-04-01": {"a.csv": lookup(17, *rows)}, "2020-04-01": {"b.csv": lookup(20, *later)}},
    )  # fmt: skip
    assert made.rows(
        "select predecessor_code, predecessor_name, successor_code "
        "from intermediate.int_district_changes__listed where evidence = 'editions of lookups' "
        "order by 1"
    ) == [
        ("E07000008", "Cambridge", "E07000998"),
        ("E07000012", "South Cambridgeshire", "E07000998"),
    ]
    assert made.rows("select count(*) < 2000 from marts.areas") == [(True,)]


@pytest.mark.real
def test_the_list_of_changes_meets_the_codes_of_live_table_100(
    real_data: Path, ground: Ground
) -> None:
    """A predecessor is in the sheets up to its last year, its successor in those since."""
    content = (real_data / "housing" / "Live_Table_100.ods").read_bytes()
    ground.put("dwelling_stock", "2018-04-01", {"Live_Table_100.ods": content})
    assert messages(ground.load("dwelling_stock")) == []
    found = ground.query(
        "select distinct area_code, area_name, year(stock_date) from raw.dwelling_stock "
        "where area_code similar to 'E0[6-9].*' and dwellings is not null"
    )
    years: dict[str, set[int]] = {}
    names: dict[str, set[str]] = {}
    for code, name, year in found:
        years.setdefault(code, set()).add(year)
        names.setdefault(code, set()).add(_plain(name))
    changes = csv_rows(PROJECT / "dbt_project" / "seeds" / "district_changes.csv")
    assert len(changes) == 50
    later = [row for row in changes if row["changed_on"] >= f"{LAST_SHEET}-04-01"]
    assert {row["predecessor_name"] for row in later} == {"Barnsley", "Sheffield"}
    listed = [row for row in changes if row not in later]
    for row in listed:
        before, since = row["predecessor_code"], row["successor_code"]
        # A sheet is of 31 March. Two codes of April 2012 came into use a sheet late.
        late = row["changed_on"] == "2012-04-01"
        year = int(row["changed_on"][:4]) + late
        assert (max(years[before]), min(years[since])) == (year, year + 1), row
        assert _plain(row["predecessor_name"]) in names[before], row
        assert _plain(row["successor_name"]) in names[since], row
    # And the list is whole: no other district ends or begins.
    ended = {code for code, held in years.items() if max(held) < LAST_SHEET}
    begun = {code for code, held in years.items() if min(held) > FIRST_SHEET}
    assert ended == {row["predecessor_code"] for row in listed}
    assert begun == {row["successor_code"] for row in listed}


def _plain(name: str) -> str:
    return re.sub(r"\W|UA$", "", name.replace("&", "and")).lower()

"""Services, prisons, towns and number formats that the partnerships file names."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.config.partnerships import load_partnerships
from orchestration.errors import SettingsError
from orchestration.ingest.checking.configured_values import refuse_unknown_columns
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.rules import NUMBER_FORM_RULE
from orchestration.warehouse.control_schema import ensure_control
from tests.support import Ground

NORFOLK = """
[[force_areas]]
code = "E23000024"
name = "Norfolk"
force = "Norfolk Constabulary"

[[force_areas.partnerships]]
csp = "breckland"
name = "Breckland"
district_code = "E07000143"
district_name = "Breckland"
"""
SERVICE = """
[[force_areas.youth_offending_services]]
name = "Norfolk"
districts = ["E07000143", "E07000146"]
"""
PRISONS = """
[[force_areas.prisons]]
name = "HMP Norwich"

[[force_areas.prisons]]
name = "HMP Bure"
group = "Other prisons of Norfolk"
"""


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect()
    ensure_control(made)
    return made


def load(connection: duckdb.DuckDBPyConnection, folder: Path, content: str) -> None:
    path = folder / "partnerships.toml"
    path.write_text(content)
    load_partnerships(connection, path)


def held(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[Any, ...]]:
    return connection.sql(f"select * from control.partnership_{table} order by all").fetchall()


def test_services_and_prisons_are_those_of_the_file_and_of_no_earlier_one(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    load(connection, tmp_path, NORFOLK + SERVICE + PRISONS)
    assert held(connection, "youth_services") == [
        ("Norfolk", "E07000143"),
        ("Norfolk", "E07000146"),
    ]
    assert held(connection, "prisons") == [
        ("HMP Bure", "Other prisons of Norfolk", "E23000024"),
        ("HMP Norwich", "HMP Norwich", "E23000024"),
    ]
    load(connection, tmp_path, NORFOLK)
    assert held(connection, "youth_services") == held(connection, "prisons") == []


def test_a_district_of_two_services_is_refused_in_words(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    other = SERVICE.replace('"Norfolk"', '"Breckland"')
    with pytest.raises(SettingsError, match=r"Norfolk.*Breckland.*E07000143"):
        load(connection, tmp_path, NORFOLK + SERVICE + other)


def test_a_service_without_districts_is_refused_in_words(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = NORFOLK + SERVICE.replace('"E07000143", "E07000146"', "")
    with pytest.raises(SettingsError, match="does not list partnerships"):
        load(connection, tmp_path, content)


SUFFOLK = """
[[force_areas]]
code = "E23000025"
name = "Suffolk"
force = "Suffolk Constabulary"

[[force_areas.partnerships]]
csp = "babergh"
name = "Babergh"
district_code = "E07000200"
district_name = "Babergh"
"""


def town(name: str, district: str = "E07000143", *small_areas: str) -> str:
    areas = f"small_areas = {list(small_areas)}\n" if small_areas else ""
    return f'[[force_areas.towns]]\nname = "{name}"\ndistrict_code = "{district}"\n{areas}'


def survey(title: str, district: str = "E07000143") -> str:
    return f'[[force_areas.surveys]]\ntitle = "{title}"\ndistricts = ["{district}"]\n'


def number_format(**changes: str) -> str:
    values = {
        "source": "police_charges",
        "column": "nominal_ref",
        "pattern": "36-[0-9]{7}",
        "form": "36, a hyphen and seven digits, such as 36-1234567",
    } | changes
    return "[[force_areas.number_formats]]\n" + "".join(
        f"{key} = '{value}'\n" for key, value in values.items()
    )


def test_towns_stand_in_the_order_of_the_file(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    others = SUFFOLK + town("Sudbury", "E07000200")
    content = NORFOLK + town("Watton") + town("St. Peter's", "E07000143", "E01026664") + others
    load(connection, tmp_path, content)
    assert held(connection, "towns") == [
        ("St. Peter's", "E07000143:st-peter-s", "E07000143", 2),
        ("Sudbury", "E07000200:sudbury", "E07000200", 1),
        ("Watton", "E07000143:watton", "E07000143", 1),
    ]
    assert held(connection, "small_areas") == [("E07000143:st-peter-s", "E01026664")]
    load(connection, tmp_path, NORFOLK)
    assert held(connection, "towns") == held(connection, "small_areas") == []


def test_towns_of_one_name_are_told_apart_by_their_surveys(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    own, other = NORFOLK + town("Newport"), SUFFOLK + town("Newport", "E07000200")
    named = survey("Safer Norfolk"), survey("Safer Babergh", "E07000200")
    for faulty in (own + other, own + named[0] + other):
        with pytest.raises(SettingsError, match="Newport of E07000143, Newport of E07000200"):
            load(connection, tmp_path, faulty)
    load(connection, tmp_path, own + named[0] + other + named[1])
    assert held(connection, "surveys") == [
        ("Safer Babergh", "E07000200"),
        ("Safer Norfolk", "E07000143"),
    ]
    assert len(held(connection, "towns")) == 2


def test_a_number_format_is_of_the_force_and_its_services_or_of_one(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    one = number_format(source="youth_offending", column="yos_reference", given_by="Norfolk")
    load(connection, tmp_path, NORFOLK + SERVICE + number_format() + one)
    assert [row[:3] for row in held(connection, "number_formats")] == [
        ("police_charges", "nominal_ref", "Norfolk"),
        ("police_charges", "nominal_ref", "Norfolk Constabulary"),
        ("youth_offending", "yos_reference", "Norfolk"),
    ]


FAULTS = {
    "a town in a district that is not listed": (
        town("Watton", "E07000999"),
        "The town 'Watton' of Norfolk is in the district E07000999, which the file does not list.",
    ),
    "a town in another force area": (
        town("Sudbury", "E07000200"),
        "The town 'Sudbury' of Norfolk is in the district E07000200, which the file has under "
        "another force area.",
    ),
    "a town twice": (
        town("Watton") + town("St Peter") + town("watton") + town("St. Peter"),
        "The district E07000143 has a town more than once (Watton, watton). Name each town once; "
        "signs between its words do not count. The district E07000143 has a town more than once "
        "(St Peter, St. Peter).",
    ),
    "a survey of a district that is not listed": (
        survey("Safer Norfolk", "E07000200"),
        "The survey 'Safer Norfolk' of Norfolk lists the district E07000200, which the file does "
        "not have under that force area.",
    ),
    "a survey twice": (
        survey("Safer Norfolk") + survey("safer norfolk"),
        "The survey 'safer norfolk' is named more than once (Norfolk, Norfolk).",
    ),
    "a town without a letter": (town("&"), "The town '&' of Norfolk has no letter or digit."),
    "a small area twice": (
        town("Watton", "E07000143", "E01026664") + town("Attleborough", "E07000143", "E01026664"),
        "The small area E01026664 is listed more than once (Watton, Attleborough).",
    ),
    "a small area that is none": (
        town("Watton", "E07000143", "E07000143"),
        "force_areas[1].towns[1].small_areas[1] is 'E07000143'. It must be a list of codes of "
        "small areas (LSOA), such as E01000001.",
    ),
    "a service in another force area": (
        SERVICE.replace("E07000146", "E07000200"),
        "The youth offending service 'Norfolk' of Norfolk lists the district E07000200, which the "
        "file has under another force area.",
    ),
    "a prison twice": (
        PRISONS + PRISONS,
        "The prison 'HMP Norwich' is named more than once (Norfolk, Norfolk).",
    ),
    "a pattern that is none": (
        number_format(pattern="[0-9"),
        "The number format of police_charges.nominal_ref under Norfolk has the pattern '[0-9', "
        "which is no regular expression.",
    ),
    "a number format twice": (
        number_format() + number_format(),
        "The number format of police_charges.nominal_ref under Norfolk is given more than once.",
    ),
    "a number format of nobody": (
        number_format(given_by="Suffolk Constabulary"),
        "is given by 'Suffolk Constabulary', which is neither the force nor a youth offending "
        "service of the force area.",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_a_place_is_said_with_its_remedy(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, fault: str
) -> None:
    content, words = FAULTS[fault]
    with pytest.raises(SettingsError) as error:
        load(connection, tmp_path, NORFOLK + content + SUFFOLK)
    assert words in str(error.value)


def test_a_service_of_two_force_areas_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    again = SERVICE.replace('"E07000143", "E07000146"', '"E07000200"')
    with pytest.raises(SettingsError, match="named under Norfolk and Suffolk"):
        load(connection, tmp_path, NORFOLK + SERVICE + SUFFOLK + again)


def test_all_faults_of_places_are_said_at_once(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    some = [content for content, words in FAULTS.values() if "[1]" not in words]
    with pytest.raises(SettingsError) as error:
        load(connection, tmp_path, NORFOLK + "".join(some) + SUFFOLK)
    assert str(error.value).count("Correct") >= 5
    assert "Watton" in str(error.value) and "HMP Norwich" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"source": "police_chargs"}, "source 'police_chargs', which does not exist"),
        ({"column": "nominal"}, "column 'nominal' of 'police_charges', which has no such column"),
        ({"source": "community_survey", "column": "town"}, "whose rows name no force"),
    ],
)
def test_a_number_format_of_an_unknown_column_is_refused(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, changes: dict[str, str], words: str
) -> None:
    load(connection, tmp_path, NORFOLK + number_format(**changes))
    with pytest.raises(SettingsError, match=re.escape(words)):
        refuse_unknown_columns(connection, load_contracts())


IOM_HEADER = (
    "Reported by,Snapshot date,PNC ID,Nominal,Sex,Date of birth,Ethnicity,District of residence,"
    "Lead agency,Status,Accommodation,Index offence code,Index offence group,Serious acquisitive"
)


@pytest.mark.parametrize(
    ("force", "is_judged"), [("Norfolk Constabulary", True), ("Suffolk Constabulary", False)]
)
def test_a_force_is_held_to_its_own_numbers_alone(
    ground: Ground, force: str, is_judged: bool
) -> None:
    path = ground.settings.home.parent / "partnerships.toml"
    path.write_text(NORFOLK + number_format(source="iom_cohort", column="nominal_id") + SUFFOLK)
    own = Ground(ground.settings.model_copy(update={"partnerships": path}))
    rows = [
        f"{force},30/06/2018,2001/{number:07d}A,35NOM/{number:06d},M,01/01/1990,W1,E07000143,"
        "Police,Community,Settled,028/03,Burglary,Y"
        for number in range(20)
    ]
    text = "\r\n".join([IOM_HEADER, *rows, ""])
    own.put("iom_cohort", "2018-04-01", {"iom-2018-06-30.csv": text})
    (outcome,) = own.load("iom_cohort").outcomes
    assert (outcome.state, outcome.rows_loaded) == ("loaded", 20)
    said = [one for one in outcome.warnings if one.rule == NUMBER_FORM_RULE]
    assert bool(said) is is_judged
    for one in said:
        assert "that 'Norfolk Constabulary' gives its numbers" in one.message
        assert one.column == "Nominal"

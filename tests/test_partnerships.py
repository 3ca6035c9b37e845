"""The partnerships file is checked as a whole before anything is built from it."""

import os
from pathlib import Path

import duckdb
import pytest

from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import CONFIG
from orchestration.errors import SettingsError
from orchestration.warehouse.control_schema import ensure_control

FORCE = '[[force_areas]]\ncode = "E23000025"\nname = "Suffolk"\nforce = "Suffolk Constabulary"\n'


def district(code: str = "E07000200", name: str = "Babergh", csp: str = "babergh") -> str:
    return (
        f'[[force_areas.partnerships]]\ncsp = "{csp}"\nname = "{csp.title()} CSP"\n'
        f'district_code = "{code}"\ndistrict_name = "{name}"\n'
    )


def other(code: str = "E07000203", name: str = "Mid Suffolk") -> str:
    return f'[[force_areas.other_districts]]\ndistrict_code = "{code}"\ndistrict_name = "{name}"\n'


def several(more: str = "") -> str:
    """A partnership that lists two districts."""
    return (
        '[[force_areas.partnerships]]\ncsp = "county"\nname = "County CSP"\n'
        f"{more}[[force_areas.partnerships.districts]]\n"
        'district_code = "E07000200"\ndistrict_name = "Babergh"\n'
        "[[force_areas.partnerships.districts]]\n"
        'district_code = "E07000202"\ndistrict_name = "Ipswich"\n'
    )


def load(path: Path) -> tuple[int, list[tuple[object, ...]]]:
    with duckdb.connect() as connection:
        ensure_control(connection)
        number = load_partnerships(connection, path)
        return number, connection.execute("from control.partnership_areas order by all").fetchall()


@pytest.fixture
def refused(tmp_path: Path):
    """Return a function that loads a text and returns what is said against it."""

    def said(text: str | bytes) -> str:
        path = tmp_path / "partnerships.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(SettingsError) as error:
            load(path)
        assert str(error.value).startswith(f"{path} does not list partnerships as it should.")
        return str(error.value)

    return said


def test_the_sample_file_lists_six_partnerships() -> None:
    number, rows = load(CONFIG / "partnerships.toml")
    assert number == len(rows) == 6


def test_a_byte_order_mark_and_spaces_around_a_value_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "partnerships.toml"
    text = (
        FORCE.replace('"Suffolk Constabulary"', '" Suffolk Constabulary "') + district() + other()
    )
    path.write_text(text, encoding="utf-8-sig")
    number, rows = load(path)
    assert number == 1
    assert rows == [
        ("", "", "E07000203", "Mid Suffolk", "E23000025", "Suffolk Constabulary", "Suffolk", None),
        ("babergh", "Babergh CSP", "E07000200", "Babergh", "E23000025", "Suffolk Constabulary",
         "Suffolk", "E07000200"),
    ]  # fmt: skip


def test_a_repeated_csp_of_one_name_is_a_partnership_of_several_districts(tmp_path: Path) -> None:
    path = tmp_path / "partnerships.toml"
    path.write_text(
        FORCE
        + district(csp="western-suffolk")
        + district("E07000203", "Mid Suffolk", csp="western-suffolk")
        + district("E07000202", "Ipswich", csp="ipswich")
    )
    number, rows = load(path)
    assert number == 2
    assert [(row[0], row[2], row[7]) for row in rows] == [
        ("ipswich", "E07000202", "E07000202"),
        ("western-suffolk", "E07000200", "western-suffolk"),
        ("western-suffolk", "E07000203", "western-suffolk"),
    ]


def test_a_partnership_lists_its_districts_and_may_have_a_code(tmp_path: Path) -> None:
    path = tmp_path / "partnerships.toml"
    path.write_text(FORCE + several('code = "E22000999"\n') + other())
    number, rows = load(path)
    assert number == 1
    assert [(row[0], row[2], row[3], row[7]) for row in rows] == [
        ("", "E07000203", "Mid Suffolk", None),
        ("county", "E07000200", "Babergh", "E22000999"),
        ("county", "E07000202", "Ipswich", "E22000999"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (FORCE + district() + other("E07000200", "Babergh"),
         "District E07000200 is named more than once (babergh of Suffolk, other_districts of"),
        (FORCE + district() + district(csp="again"), "District E07000200 is named more than once"),
        (FORCE + district() + FORCE + district("E07000203", "Mid Suffolk", "mid-suffolk"),
         "code 'E23000025' is that of several force areas"),
        (FORCE + district() + other(name="babergh"),
         "Districts E07000200 and E07000203 have the same name, 'babergh'"),
        (FORCE + district("E10000029", "Suffolk"), "E10000029', a county or a part of London"),
        (FORCE + district("E0700020"), "It must be the GSS code of a district"),
        (FORCE + district(csp="../x"), "force_areas[1].partnerships[1].csp is '../x'. It must be "
         "lower-case letters and digits"),
        (FORCE + district(csp="Babergh"), "csp is 'Babergh'"),
        (FORCE + district(csp="a" * 61), "at most 60 characters"),
        (FORCE + district(name="  "), "district_name is '  '"),
        (FORCE + district(name="Ba\\u0007bergh"), "without control characters"),
        (FORCE + several('district_code = "E07000203"\n'),
         "partnerships[1] has district_code or district_name, and districts as well"),
        (FORCE + '[[force_areas.partnerships]]\ncsp = "none"\nname = "None"\n',
         "partnerships[1] needs district_code and district_name, or several districts"),
        (FORCE + several() + district("E07000202", "Ipswich", csp="ipswich"),
         "District E07000202 is named more than once (county of Suffolk, ipswich of Suffolk)"),
        (FORCE + several() + district("E07000203", "Mid Suffolk", csp="county")
         .replace("County CSP", "Another CSP"),
         "csp 'county' has several names (Another CSP, County CSP)"),
        (FORCE + several() + FORCE.replace("Suffolk", "Norfolk").replace("25", "24")
         + several().replace("200", "300").replace("202", "302"),
         "csp 'county' has districts in several force areas (Norfolk, Suffolk)"),
        (FORCE + several('code = "E22000999"\n')
         + several('code = "E22000999"\n').replace("ounty", "ity").replace("07000", "07001"),
         "have the same code, E22000999"),
        (FORCE + several('code = "E2200"\n'), "code is 'E2200'. It must be the GSS code"),
        (FORCE + several('code = "E22000999"\n')
         + several('code = "E22000998"\n').replace("07000", "07001").replace("Babergh", "A")
         .replace("Ipswich", "B"), "csp 'county' has several codes (E22000998, E22000999)"),
        (FORCE + district() + 'colour = "red"\n',
         "force_areas[1].partnerships[1].colour is no key of the file"),
        (FORCE.replace('force = "Suffolk Constabulary"\n', "") + district(),
         "force_areas[1].force is missing"),
        (FORCE + "[force_areas.partnerships]\n", "must be a table of its own, in double brackets"),
        (FORCE + "partnerships = []\n", "It lists no partnership."),
        (FORCE + district(csp="nul"), "csp is the name of a device on Windows"),
        (FORCE + district(csp="b\u0430bergh"), "It must be lower-case letters and digits"),
        (FORCE + district(name="B\u0430bergh"),
         "district_name holds a letter that is not Latin and may look like one (U+0430"),
        (FORCE + district(name="Babergh\u200b"), "without control characters"),
        (FORCE.replace("Suffolk Constabulary", "X 2016/9912399Q") + district(),
         "force_areas[1].force holds what looks like an identifier"),
        (FORCE + district(name="B" * 201), "at most 200 characters"),
        (FORCE + district().replace('"Babergh"', "7"), "district_name is 7"),
        (FORCE + district() + "x = " + "9" * 5000 + "\n", "a value in it is too large"),
        (FORCE + district() + "x = " + "[" * 5000 + "\n", "The file is not TOML"),
        ("", "force_areas is missing"),
        ("[[force_areas]\n", "The file is not TOML"),
        (b'name = "Caf\xe9"\n', "Byte 12 is not UTF-8"),
    ],
)  # fmt: skip
def test_a_fault_is_said_with_its_place(refused, text: str | bytes, words: str) -> None:
    assert words in refused(text)


def test_every_fault_is_said_at_once(refused) -> None:
    said = refused(FORCE + district(csp="A") + district("X1", "Mid Suffolk", "mid"))
    assert "partnerships[1].csp" in said and "partnerships[2].district_code" in said


def test_what_is_no_file_of_a_reasonable_size_is_not_read(refused, tmp_path: Path) -> None:
    assert "at most" in refused("#" * 2_000_000)
    fifo = tmp_path / "fifo.toml"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path):
        with pytest.raises(SettingsError, match="not a regular file"):
            load(path)


def test_names_are_in_one_form(tmp_path: Path) -> None:
    path = tmp_path / "partnerships.toml"
    path.write_text(FORCE + district(name="Ynys\u00a0  Mo\u0302n"), encoding="utf-8")
    _, ((_, _, _, name, *_),) = load(path)
    assert name == "Ynys M\u00f4n"


def test_a_file_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")

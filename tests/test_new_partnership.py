"""``csp new-partnership``: from a name to the first pack, out of a mirror of the publishers."""

import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.cli.console import new_console
from orchestration.cli.new_partnership import Wanted, new_partnership
from orchestration.config.partnership_lookup import (
    Member,
    PartnershipLookupError,
    find_partnership,
    force_of,
    partnerships_text,
    read_members,
    slug_of,
)
from orchestration.config.partnerships import load_partnerships
from orchestration.config.settings import Settings
from orchestration.errors import SettingsError
from orchestration.ingest.checking.known_places import POLICE_FORCES
from orchestration.warehouse.control_schema import ensure_control
from tests.feed_mirror import DISTRICTS, FORCES, MONTHS, TYPES, offences, write_mirror

Run = Callable[..., subprocess.CompletedProcess[str]]
HEADINGS = "LAD23CD,LAD23NM,CSP23CD,CSP23NM,PFA23CD,PFA23NM,ObjectId"
MEMBERS = [
    Member(code, name, csp, csp_name, force, FORCES[force][0])
    for code, name, csp, csp_name, force in DISTRICTS
]
# The police force areas of England and Wales, as the Office for National Statistics names them.
FORCE_AREAS = (
    "Metropolitan Police", "Cumbria", "Lancashire", "Merseyside", "Greater Manchester", "Cheshire",
    "Northumbria", "Durham", "North Yorkshire", "West Yorkshire", "South Yorkshire", "Humberside",
    "Cleveland", "West Midlands", "Staffordshire", "West Mercia", "Warwickshire", "Derbyshire",
    "Nottinghamshire", "Lincolnshire", "Leicestershire", "Northamptonshire", "Cambridgeshire",
    "Norfolk", "Suffolk", "Bedfordshire", "Hertfordshire", "Essex", "Thames Valley", "Hampshire",
    "Surrey", "Kent", "Sussex", "London, City of", "Devon & Cornwall", "Avon and Somerset",
    "Gloucestershire", "Wiltshire", "Dorset", "North Wales", "Gwent", "South Wales", "Dyfed-Powys",
)  # fmt: skip


def lookup(folder: Path, *rows: str, name: str = "lookup.csv", headings: str = HEADINGS) -> Path:
    file = folder / name
    file.write_text("\ufeff" + "\r\n".join([headings, *rows, ""]), encoding="utf-8")
    return file


def served(text: str, folder: Path) -> list[tuple[str, ...]]:
    """Return what the warehouse makes of a partnerships file."""
    file = folder / "partnerships.toml"
    file.write_text(text, encoding="utf-8")
    with duckdb.connect() as connection:
        ensure_control(connection)
        load_partnerships(connection, file)
        return connection.execute(
            "select csp, district_code from control.partnership_areas where csp <> '' order by all"
        ).fetchall()


@pytest.mark.parametrize(
    ("asked", "slug", "districts"),
    [
        (["Fenland"], "fenland", ["E07000010"]),
        (["  fenLAND "], "fenland", ["E07000010"]),
        (["E07000010"], "fenland", ["E07000010"]),
        (["Western Suffolk"], "western-suffolk", ["E07000200", "E07000203"]),
        (["E22000261"], "western-suffolk", ["E07000200", "E07000203"]),
        (["Mid Suffolk"], "western-suffolk", ["E07000200", "E07000203"]),
        (["Ipswich", "Babergh"], "ipswich-and-babergh", ["E07000200", "E07000202"]),
        (["Westminster"], "westminster", ["E09000033"]),
        (["Powys"], "powys", ["W06000023"]),
    ],
)
def test_a_partnership_is_found_by_name_code_or_district(
    asked: list[str], slug: str, districts: list[str], tmp_path: Path
) -> None:
    found = find_partnership(asked, MEMBERS)
    assert found.slug == slug
    assert sorted(one.district_code for one in found.districts) == districts
    force = force_of(found.force_name, POLICE_FORCES)
    text = partnerships_text(found, MEMBERS, force)
    assert served(text, tmp_path) == [(slug, code) for code in districts]
    # The rest of the force is named, or its figures would lack it.
    for code, *_, area in DISTRICTS:
        assert (code in text) == (area == found.force_code)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (["Fenlnd"], "Did you mean Fenland?"),
        (["E07999999"], "E07999999"),
        ([""], "No partnership or district"),
        (["Fenland", "Ipswich"], "2 police force areas (Cambridgeshire, Suffolk)"),
    ],
)
def test_what_cannot_be_found_is_said(asked: list[str], words: str) -> None:
    with pytest.raises(PartnershipLookupError) as caught:
        find_partnership(asked, MEMBERS)
    assert words in str(caught.value)


def test_districts_of_one_name_are_told_apart_by_code() -> None:
    twins = [
        Member("E07000001", "Newport", "E22000001", "Newport", "E23000024", "Norfolk"),
        Member("W06000022", "Newport", "W22000018", "Newport", "W15000002", "Gwent"),
    ]
    with pytest.raises(PartnershipLookupError, match=r"E07000001 \(Norfolk\), W06000022"):
        find_partnership(["Newport"], twins)
    assert find_partnership(["W06000022"], twins).force_name == "Gwent"


def test_a_name_of_ones_own_names_the_folder_and_the_partnership() -> None:
    found = find_partnership(["Babergh", "Mid Suffolk"], MEMBERS, "Safer West & South")
    assert (found.slug, found.name, found.code) == ("safer-west-south", "Safer West & South", None)
    assert slug_of("  King's Lynn  ") == "king-s-lynn"


@pytest.mark.parametrize("area", FORCE_AREAS)
def test_every_police_force_area_has_its_force(area: str) -> None:
    assert len(FORCE_AREAS) == 43
    force = force_of(area, POLICE_FORCES)
    assert set(area.replace(",", "").casefold().split()) <= set(force.casefold().split())


def test_the_newest_lookup_is_read(tmp_path: Path) -> None:
    older = lookup(tmp_path, "E07000010,Fenland,E22000030,Old,E23000023,Cambridgeshire,1",
                   name="z.csv", headings=HEADINGS.replace("23", "18"))  # fmt: skip
    newer = lookup(tmp_path, "E07000010,Fenland,E22000031,Fenland,E23000023,Cambridgeshire,1")
    other = lookup(tmp_path, "E01000001,A", name="names.csv", headings="LSOA11CD,LSOA11NM")
    odd = tmp_path / "odd.csv"
    odd.write_bytes(b"\xff\xfe\x00")
    members = read_members([older, newer, other, odd])
    assert [one.partnership_name for one in members] == ["Fenland"]


@pytest.mark.parametrize(
    ("rows", "headings", "words"),
    [
        (["E07000010,Fenland,,Fenland,E23000023,C,1"], HEADINGS, "line 2: 'CSP23CD' is empty"),
        (["E07000010,Fenland"], HEADINGS, "line 2: 'CSP23CD' is empty"),
        (["E07000010"], "LAD23CD", "No lookup from districts"),
        ([], "", "No lookup from districts"),
    ],
)
def test_a_lookup_that_cannot_be_used_is_refused(
    tmp_path: Path, rows: list[str], headings: str, words: str
) -> None:
    with pytest.raises(PartnershipLookupError) as caught:
        read_members([lookup(tmp_path, *rows, headings=headings)])
    assert words in str(caught.value)


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    wanted = Wanted(("Fenland",), tmp_path, date(2018, 10, 1), 2)
    with pytest.raises(SettingsError, match="is not empty"):
        new_partnership(Settings(feed_mirror=tmp_path), wanted, new_console())
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_folder_of_another_partnership_is_refused(tmp_path: Path) -> None:
    (tmp_path / "raw/area_lookups/2018-10-01").mkdir(parents=True)
    rows = [",".join([*one[:4], one[4], FORCES[one[4]][0], "1"]) for one in DISTRICTS]
    lookup(tmp_path / "raw/area_lookups/2018-10-01", *rows)
    text = partnerships_text(find_partnership(["Powys"], MEMBERS), MEMBERS, "Dyfed-Powys Police")
    (tmp_path / "partnerships.toml").write_text(text, encoding="utf-8")
    wanted = Wanted(("Fenland",), tmp_path, date(2018, 10, 1), 2)
    with pytest.raises(SettingsError, match="serves powys, not fenland"):
        new_partnership(Settings(feed_mirror=tmp_path), wanted, new_console())
    assert (tmp_path / "partnerships.toml").read_text(encoding="utf-8") == text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "slug", "districts"),
    [
        ("Western Suffolk", "western-suffolk", ["E07000200", "E07000203"]),
        pytest.param("Fenland", "fenland", ["E07000010"], marks=pytest.mark.campaign),
        pytest.param("Westminster", "westminster", ["E09000033"], marks=pytest.mark.campaign),
        pytest.param("Powys", "powys", ["W06000023"], marks=pytest.mark.campaign),
    ],
)
def test_a_name_becomes_a_pack(
    tmp_path: Path, csp: Run, name: str, slug: str, districts: list[str]
) -> None:
    write_mirror(tmp_path / "mirror")
    folder = tmp_path / "new"
    command = ("new-partnership", name, "--folder", str(folder), "--quarter", "2018-10-01",
               "--quarters", "2", "--no-open")  # fmt: skip
    done = csp(*command, CSP_FEED_MIRROR=str(tmp_path / "mirror"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    exports = folder / "var/exports/2018-10-01"
    assert [path.name for path in exports.iterdir()] == [slug]
    assert (exports / slug / "pack.html").is_file()
    with duckdb.connect(folder / "var/published/csp.duckdb", read_only=True) as published:
        counted = published.execute(
            "select area_code, crime_type, strftime(period_start, '%Y-%m'), offences, "
            "rate_per_1000 from marts.crime_trends where period_type = 'month' and area_type = "
            f"'district' and csp = '{slug}' and crime_type in {TYPES}"
        ).fetchall()
    expected = {
        (code, crime_type, month): offences(code, crime_type, month)
        for code in districts
        for crime_type in TYPES
        for month in MONTHS
    }
    assert {(code, kind, month): count for code, kind, month, count, _ in counted} == expected
    assert all(rate is not None for *_, rate in counted)
    for missing in ("police_charges", "youth_offending"):
        assert f"csp land {missing} QUARTER FILES" in done.stdout
    assert "csp land police_uk_street" not in done.stdout

    again = csp(*command, CSP_FEED_MIRROR=str(tmp_path / "mirror"))
    assert again.returncode == 0, again.stdout
    assert "police_uk_street: 0 files landed" in again.stdout
    assert "Nothing was run" in " ".join(again.stdout.split())


@pytest.mark.slow
def test_what_the_mirror_lacks_is_named_and_the_rest_goes_on(tmp_path: Path, csp: Run) -> None:
    write_mirror(tmp_path / "mirror", MONTHS[3:])
    for host in ("www.gov.uk", "www.nomisweb.co.uk"):
        (tmp_path / "mirror" / host).rename(tmp_path / host)
    folder = tmp_path / "new"
    done = csp("new-partnership", "Powys", "--folder", str(folder), "--quarter", "2018-10-01",
               "--quarters", "1", "--no-open",
               CSP_FEED_MIRROR=str(tmp_path / "mirror"))  # fmt: skip
    said = " ".join(done.stdout.split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Not fetched: dwelling_stock" in said
    assert "Not fetched: population_estimates" in said
    assert "www.nomisweb.co.uk" in said
    assert "csp fetch population_estimates" in said
    with duckdb.connect(folder / "var/published/csp.duckdb", read_only=True) as published:
        rates = published.execute(
            "select count(*), count(rate_per_1000), count(offences) from marts.crime_trends "
            "where csp = 'powys' and period_type = 'month'"
        ).fetchone()
    assert rates is not None
    assert rates[0] > 0
    assert rates[1] == 0, "no population, no rate"
    assert rates[2] > 0


def test_no_lookup_no_partnership(tmp_path: Path, csp: Run) -> None:
    (tmp_path / "mirror").mkdir()
    done = csp("new-partnership", "Powys", "--folder", str(tmp_path / "new"), "--no-open",
               CSP_FEED_MIRROR=str(tmp_path / "mirror"))  # fmt: skip
    assert done.returncode != 0
    assert "Put the file that the publisher serves there" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stdout + done.stderr

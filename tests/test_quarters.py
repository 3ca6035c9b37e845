"""The quarters after the assessment, and another district's partnership, from landing to exports.

What is expected is counted in the landing zone by Python's own readers, not by the warehouse.
"""

import csv
import json
import re
import shutil
from collections import Counter
from datetime import date
from pathlib import Path

import duckdb
import pytest
import python_calamine

from orchestration.config.settings import CONFIG, PROJECT, Settings
from tests.support import Ground, made_once, refresh

RAW = PROJECT / "raw"
FENLAND, HUNTINGDONSHIRE = "E07000010", "E07000011"
FORCE = "E23000023"
LATER = "2018-10-01"
LSOA = "Lower_Layer_Super_Output_Area_2011_to_Ward_2017_Lookup_in_England_and_Wales.csv"
HUNTINGDONSHIRE_ALONE = """
[[force_areas]]
code = "E23000023"
name = "Cambridgeshire and Peterborough"
force = "Cambridgeshire Constabulary"

[[force_areas.partnerships]]
csp = "huntingdonshire"
name = "Huntingdonshire Community Safety Partnership"
district_code = "E07000011"
district_name = "Huntingdonshire"
"""
OTHERS = {
    "E07000008": "Cambridge",
    "E07000009": "East Cambridgeshire",
    "E07000010": "Fenland",
    "E07000012": "South Cambridgeshire",
    "E06000031": "Peterborough",
}

pytestmark = pytest.mark.slow


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def shoplifting(quarter: str, month: str, district: str) -> int:
    """Count a month's shoplifting in a district, as one delivery has it."""
    district_of = {
        row["LSOA11CD"]: row["LAD17CD"] for row in rows_of(RAW / "area_lookups/2018-04-01" / LSOA)
    }
    path = RAW / "police_uk_street" / quarter / f"{month}-cambridgeshire-street.csv"
    return sum(
        row["Crime type"] == "Shoplifting" and district_of.get(row["LSOA code"]) == district
        for row in rows_of(path)
    )


def answers(quarter: str, name: str, question: str) -> dict[str, Counter[str]]:
    """Count the answers of a survey workbook by town."""
    book = python_calamine.CalamineWorkbook.from_path(RAW / "community_survey" / quarter / name)
    cells = book.get_sheet_by_name("Responses").to_python(skip_empty_area=False)
    start = next(place for place, row in enumerate(cells) if row[0] == "Response ID")
    town, asked = cells[start].index(TOWN), cells[start].index(question)
    found: dict[str, Counter[str]] = {}
    for row in cells[start + 1 :]:
        found.setdefault(str(row[town]), Counter())[str(row[asked])] += 1
    return found


TOWN = "Which town do you live in or nearest to?"
FEEL_SAFE = "How safe do you feel where you live?"


def places_of_huntingdonshire() -> str:
    """Return the lines of the sample's file on services, prisons and Huntingdonshire's towns."""
    text = (CONFIG / "partnerships.toml").read_text(encoding="utf-8")
    blocks = [one for one in text.split("\n\n") if one.startswith("[[force_areas.")]
    kept = [one for one in blocks if not one.startswith("[[force_areas.partnerships]]")]
    return "\n".join(one for one in kept if ".towns]]" not in one or HUNTINGDONSHIRE in one)


def as_at(quarter: str, folder: Path) -> tuple[Ground, str]:
    done = refresh(folder / "var", RAW, *([quarter] if quarter else []))
    assert done.returncode == 0, done.stdout + done.stderr
    return Ground(Settings(home=folder / "var", raw=RAW)), " ".join(done.stdout.split())


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> tuple[Ground, str]:
    """The sample refreshed without a quarter, and what was said."""
    folder = made_once(tmp_path_factory, "later", _refreshed)
    said = (folder / "said.txt").read_text(encoding="utf-8")
    return Ground(Settings(home=folder / "var", raw=RAW)), said


def _refreshed(folder: Path) -> None:
    _, said = as_at("", folder)
    (folder / "said.txt").write_text(said, encoding="utf-8")


@pytest.fixture(scope="module")
def alone(
    later: tuple[Ground, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Ground, str]:
    """The same for a partnerships file that names Huntingdonshire's alone."""
    folder = tmp_path_factory.mktemp("alone")
    shutil.copytree(later[0].settings.home, folder / "var")
    shutil.rmtree(folder / "var/exports")
    others = "".join(
        f'[[force_areas.other_districts]]\ndistrict_code = "{code}"\ndistrict_name = "{name}"\n'
        for code, name in OTHERS.items()
    )
    listed = HUNTINGDONSHIRE_ALONE + others + places_of_huntingdonshire()
    (folder / "one.toml").write_text(listed, encoding="utf-8")
    done = refresh(folder / "var", RAW, LATER, CSP_PARTNERSHIPS=str(folder / "one.toml"))
    assert done.returncode == 0, done.stdout + done.stderr
    return Ground(Settings(home=folder / "var", raw=RAW)), done.stdout


# --- the quarters after the assessment


def test_refresh_without_a_quarter_is_of_the_last_that_landed(later: tuple[Ground, str]) -> None:
    ground, said = later
    assert "Q3 2018/19 (2018-10-01)" in said
    assert ground.value("select as_at from control.refresh").isoformat() == LATER


def test_late_correction_revises_an_earlier_month(
    sample: Ground, later: tuple[Ground, str]
) -> None:
    query = (
        "select offences, deliveries from reports.figure_10_shoplifting "
        "where csp = 'fenland' and month = '2018-06-01'"
    )
    first = shoplifting("2018-04-01", "2018-06", FENLAND)
    again = shoplifting(LATER, "2018-06", FENLAND)
    assert again == first + 7
    assert sample.query(query) == [(first, "police_uk_street 2018-04-01 v1")]
    assert later[0].query(query) == [(again, "police_uk_street 2018-10-01 v1")]


def test_misprint_is_a_warning_in_words(later: tuple[Ground, str]) -> None:
    ground, said = later
    share = 100 * (1071 - 1017) / 1071
    assert (
        "Warning: Huntingdonshire, 2018: the count of known offenders that the force supplied "
        f"lies {share:.1f} % below the offenders in its own charges; ask the force which is right"
    ) in said
    # The true counts of people stay out of what is said.
    assert "1071" not in said.replace(",", "") and "1017" not in said.replace(",", "")
    assert "Warning: Fenland" not in said
    table_1 = "select offenders from reports.table_1_offender_rates where period_label = '2018' "
    assert ground.value(table_1 + f"and area_code = '{HUNTINGDONSHIRE}'") == 1017


def test_missing_wave_is_a_gap_and_nothing_is_compared_across_it(
    later: tuple[Ground, str],
) -> None:
    rows = later[0].query(
        "select period_start::varchar, bool_and(safe is null and base is null), "
        "list(distinct status), list(distinct previous_status), "
        "bool_and(safe_previous is null), count(*) from reports.table_7_feel_safe "
        "where csp = 'fenland' and period_start >= '2018-07-01' group by all order by all"
    )
    assert rows == [
        ("2018-07-01", True, ["[x]"], [None], False, 4),
        ("2018-10-01", False, [None], ["[x]"], True, 4),
    ]


def test_late_return_of_the_prison_fills_the_half_year(
    sample: Ground, later: tuple[Ground, str]
) -> None:
    query = (
        "select period_label from reports.figure_7_males_released "
        "where area_type = 'force' order by period_start"
    )
    before = [("January to June 2017",), ("July to December 2017",)]
    assert sample.query(query) == before
    after = [("January to June 2018",), ("July to December 2018",)]
    assert later[0].query(query) == before + after


@pytest.mark.parametrize(
    ("table", "latest"),
    [
        ("table_1_offender_rates", "2018"),
        ("table_2_offending_frequency", "2017/18"),
        ("figure_2_offender_profile", "2017/18"),
        ("table_3_oasys_pathways", "November 2018"),
        ("table_4_need_complexity", "November 2018"),
        ("figure_3_juvenile_offenders", "2018"),
        ("figure_4_first_time_entrants", "2017/18"),
        ("figure_5_nps_profile", "November 2018"),
        ("figure_6_accommodation_need", "November 2018"),
        ("table_8_crime_asb_problem", "October to December 2018"),
    ],
)
def test_each_report_ends_with_its_latest_whole_period(
    later: tuple[Ground, str], table: str, latest: str
) -> None:
    columns = {name for (name,) in later[0].query(
        f"select column_name from duckdb_columns() where table_name = '{table}'"
    )}  # fmt: skip
    order = "period_start" if "period_start" in columns else "period_end"
    shown = later[0].query(
        f"select arg_max(period_label, {order}) from reports.{table} where csp = 'fenland'"
    )
    assert shown == [(latest,)]


# --- another district's partnership


def test_another_partnership_has_its_own_tables(
    later: tuple[Ground, str], alone: tuple[Ground, str]
) -> None:
    ground, _ = alone
    districts = {
        row[0]
        for row in ground.query(
            "select area_code from marts.dim_area where area_type = 'district' and csp is not null"
        )
    }
    assert districts == {HUNTINGDONSHIRE}
    for name in ("table_7_feel_safe", "table_3_oasys_pathways", "figure_10_shoplifting"):
        query = f"select * from reports.{name} where csp = 'huntingdonshire' order by all"
        mine = ground.query(query)
        assert mine and mine == later[0].query(query)
        assert ground.query(f"select 1 from reports.{name} where csp = 'fenland'") == []


def test_its_survey_is_that_of_its_towns(alone: tuple[Ground, str]) -> None:
    name = "community-survey-huntingdonshire-2018-10-to-2018-12.xlsx"
    counted = answers(LATER, name, FEEL_SAFE)
    expected = {}
    for town, found in counted.items():
        base = sum(count for answer, count in found.items() if answer)
        expected[town] = (int(100 * found["Safe"] / base + 0.5), base)
    assert set(expected) == {"Huntingdon", "Ramsey", "St Ives", "St Neots"}
    shown = alone[0].query(
        "select area_name, safe, base from reports.table_7_feel_safe "
        "where period_start = '2018-10-01' order by row_order"
    )
    assert {town: (safe, base) for town, safe, base in shown} == expected


def test_its_force_is_the_whole_force(alone: tuple[Ground, str], later: tuple[Ground, str]) -> None:
    counts = rows_of(RAW / "police_offender_counts" / LATER / "known-offenders-2018.csv")
    (whole,) = (int(row["Known Offenders"]) for row in counts if row["Area Code"] == FORCE)
    query = (
        "select offenders, population, rate_per_1000 from reports.table_1_offender_rates "
        f"where area_code = '{FORCE}' and period_label = '2018'"
    )
    ((offenders, population, rate),) = alone[0].query(query)
    assert offenders == whole
    assert rate == pytest.approx(round(1000 * whole / population, 1))
    assert alone[0].query(query) == later[0].query(query)


def test_its_exports_hold_nothing_of_fenland_but_where_districts_are_compared(
    alone: tuple[Ground, str],
) -> None:
    folder = alone[0].settings.home / "exports" / LATER
    assert [path.name for path in folder.iterdir()] == ["huntingdonshire"]
    manifest = json.loads((folder / "huntingdonshire/manifest.json").read_text())
    for source in manifest["sources"]:
        # What a source says of itself may name any district.
        source.pop("note")
    assert "Fenland" not in json.dumps(manifest)
    own = Counter[str]()
    for path in folder.rglob("*.csv"):
        for row in rows_of(path):
            if row.get("csp"):
                own[row["csp"]] += 1
    assert set(own) == {"huntingdonshire"}
    month = rows_of(next(folder.rglob("figure_10_shoplifting.csv")))
    (june,) = (
        row for row in month if row["month"] == "2018-06-01" and row["csp"] == "huntingdonshire"
    )
    assert int(june["offences"]) == shoplifting(LATER, "2018-06", HUNTINGDONSHIRE)


# --- a quarter without deliveries


def test_a_quarter_without_deliveries_is_refused_and_nothing_is_replaced(
    later: tuple[Ground, str], tmp_path: Path
) -> None:
    shutil.copytree(later[0].settings.home, tmp_path / "var")
    current = tmp_path / "var/published/csp.duckdb"
    before = current.read_bytes()
    done = refresh(tmp_path / "var", RAW, "2026-07-01")
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert "Nothing has landed for Q2 2026/27 (2026-07-01)" in said
    assert "The last quarter before it with a delivery is Q3 2018/19 (2018-10-01)" in said
    assert current.read_bytes() == before
    assert not (tmp_path / "var/published/2026-07-01").exists()
    ranged = refresh(tmp_path / "var", RAW, "2018-10-01", "--to", "2019-04-01")
    assert ranged.returncode == 1
    assert "Nothing has landed for Q4 2018/19 (2019-01-01), Q1 2019/20 (2019-04-01)" in " ".join(
        ranged.stderr.split()
    )
    assert current.read_bytes() == before


@pytest.mark.slow
def test_a_quarter_built_without_deliveries_says_so(
    later: tuple[Ground, str], tmp_path: Path
) -> None:
    shutil.copytree(later[0].settings.home, tmp_path / "var")
    done = refresh(tmp_path / "var", RAW, "2026-07-01", "--even-if-empty")
    assert done.returncode == 0, done.stdout
    assert "the data of this release go up to 2018-12-31, before Q2 2026/27" in done.stdout
    release = duckdb.connect(tmp_path / "var/published/2026-07-01/csp.duckdb", read_only=True)
    with release:
        assert release.execute(
            "select deliveries_of_quarter, data_up_to from main.release"
        ).fetchall() == [(0, date(2018, 12, 31))]
    page = (tmp_path / "var/exports/2026-07-01/fenland/pack.html").read_text(encoding="utf-8")
    assert (
        '<p class="warning" role="note">Data up to December 2018; this pack is for Q2 2026/27. '
        "Nothing had landed for Q2 2026/27" in page
    )


def test_pack_and_release_say_up_to_when_their_data_go(later: tuple[Ground, str]) -> None:
    home = later[0].settings.home
    page = (home / "exports/2018-10-01/fenland/pack.html").read_text(encoding="utf-8")
    assert "<p>Data up to December 2018.</p>" in page
    # The stock of March 2016 is older than the quarter; shoplifting is not.
    assert re.search(r"<li>Data up to March 20\d\d; this pack is for Q3 2018/19\.</li>", page)
    assert "<li>Data up to December 2018.</li>" in page
    with duckdb.connect(home / "published/csp.duckdb", read_only=True) as release:
        ((tables,),) = release.execute(
            "select count(distinct table_name) from main.data_up_to"
        ).fetchall()
        ((figures,),) = release.execute(
            "select count(distinct table_name) from main.data_dictionary "
            "where table_schema in ('marts', 'reports') and (column_name = 'status' "
            # No figure of a place is missing, and none is compared with earlier releases.
            "or column_name = 'small_area_code' and table_name <> 'small_areas' "
            "or column_name = 'place_code') "
            # Rows of the whole country, by names and not by areas; and no figures of a period.
            "and table_name not in ('recorded_crime_by_csp', 'similar_areas')"
        ).fetchall()
        ((up_to, delivered),) = release.execute(
            "select data_up_to, deliveries_of_quarter from main.release"
        ).fetchall()
    assert (tables, up_to) == (figures, date(2018, 12, 31))
    assert delivered >= 8

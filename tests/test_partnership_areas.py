"""Partnerships of several districts, and districts that were recoded or merged, on real lookups.

Each case is one whole refresh: the real lookup of 2017, extracts of every source that the
contracts allow (tests/valid_extracts/cases.py), and rows that are written here, whose figures are
computed by hand. Every mart is compared, cell by cell, with the second computation.
"""

import math
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from tests.joins import join_faults
from tests.test_valid_extracts import check_loaded_whole, check_markers, drawn
from tests.valid_extracts.cases import DWELLINGS_OF, LOOKUP, OFFENDERS_OF, Case, zones_of
from tests.valid_extracts.forces import (
    AVON_AND_SOMERSET,
    CAMBRIDGESHIRE,
    GWENT,
    HERTFORDSHIRE,
    LONDON,
    SUFFOLK,
    Partnership,
)
from tests.valid_extracts.recomputed.compare import COUNTS, KEYS, Table, differences, marts_of
from tests.valid_extracts.recomputed.everything import recompute
from tests.valid_extracts.recomputed.landed import Landed
from tests.valid_extracts.refreshed import prepared_home, refreshed, settings_of
from tests.valid_extracts.zones import Zone

_REAL = os.environ.get("CSP_REAL_DATA")
_SHOWN = 30
_DRAWS = 6
"""The first landing zone drawn is the plainest; the last of so many is used."""

CASES = {
    "east and west suffolk": Case(
        as_at=date(2019, 7, 1),
        force=SUFFOLK.serving(
            Partnership(
                "western-suffolk",
                "Western Suffolk Community Safety Partnership",
                ("E07000200", "E07000203", "E07000245"),
            ),
            Partnership(
                "east-suffolk", "East Suffolk Community Safety Partnership", ("E07000244",)
            ),
        ),
        # The lookup of 2017 has the four districts before the mergers.
        crimes={
            "E01029925": 3,  # Forest Heath
            "E01030091": 2,  # St Edmundsbury
            "E01029870": 1,  # Babergh
            "E01030152": 4,  # Suffolk Coastal
            "E01030223": 5,  # Waveney
        },
        populations={
            2019: {
                "E07000200": 92_000, "E07000202": 137_000, "E07000203": 104_000,
                "E07000244": 249_000, "E07000245": 179_000,
            },
            2018: {
                "E07000200": 91_000, "E07000202": 136_000, "E07000203": 103_000,
                "E07000205": 129_000, "E07000201": 65_000, "E07000204": 113_000,
            },
            # Waveney is missing: East Suffolk is not known, and nor is the force area.
            2007: {
                "E07000200": 86_000, "E07000202": 121_000, "E07000203": 94_000,
                "E07000205": 124_000, "E07000201": 60_000, "E07000204": 103_000,
            },
        },
        offenders={
            "E07000200": 50, "E07000203": 60, "E07000201": 110, "E07000204": 120, "E07000205": 20,
        },
        dwellings={
            "E07000200": (3_400, 800, 0), "E07000203": (3_200, 900, 5),
            "E07000201": (0, 3_000, 10), "E07000204": (1, 5_000, 0), "E07000206": (4_500, 900, 0),
        },
        expected={
            # 3 + 2 of 179,000; 110 + 120 of 60,000 + 103,000; 3,010 + 5,001.
            "E07000245": {"offences": 5, "population": 179_000, "rate": 0.0279,
                          "offenders": 230, "offender_rate": 1.4110, "dwellings": 8_011},
            # 5 + 1 + 0 of 179,000 + 92,000 + 104,000; 230 + 50 + 60 of 163,000 + 86,000 + 94,000;
            # 8,011 + 4,200 + 4,105.
            "western-suffolk": {"offences": 6, "population": 375_000, "rate": 0.0160,
                                "offenders": 340, "offender_rate": 0.9913, "dwellings": 16_316},
            "E07000244": {"offences": 9, "population": 249_000, "rate": 0.0361,
                          "offenders": None, "offender_rate": None, "dwellings": None},
            "E23000025": {"offences": 15, "population": 761_000, "rate": 0.0197,
                          "offenders": None, "offender_rate": None, "dwellings": None},
        },
    ),
    "somerset 2023": Case(
        as_at=date(2023, 7, 1),
        force=AVON_AND_SOMERSET.serving(
            Partnership("safer-somerset", "Safer Somerset Partnership", ("E06000066",)),
            Partnership(
                "bristol-and-south-gloucestershire",
                "Bristol and South Gloucestershire Partnership",
                ("E06000023", "E06000025"),
                "E22900001",
            ),
        ),
        editions=(2019,),
        crimes={
            "E01029018": 1,  # Mendip
            "E01029085": 2,  # Sedgemoor
            "E01029153": 3,  # South Somerset
            "E01029256": 4,  # Taunton Deane, then Somerset West and Taunton
            "E01029322": 5,  # West Somerset, then Somerset West and Taunton
            "E01014485": 7,  # Bristol
        },
        populations={
            # Of 2023 there is no estimate yet.
            2022: {
                "E07000187": 116_000, "E07000188": 126_000, "E07000189": 173_000,
                "E07000246": 158_000, "E06000022": 195_000, "E06000023": 479_000,
                "E06000024": 219_000, "E06000025": 294_000,
            },
            2007: {
                "E07000187": 108_000, "E07000188": 112_000, "E07000189": 160_000,
                "E07000190": 109_000, "E07000191": 35_000, "E06000023": 420_000,
                "E06000025": 260_000,
            },
        },
        offenders={
            "E07000187": 100, "E07000188": 101, "E07000189": 102, "E07000190": 103,
            "E07000191": 104, "E06000023": 900,
        },
        dwellings={
            "E07000187": (0, 6_000, 0), "E07000188": (4_000, 2_000, 0),
            "E07000189": (0, 9_000, 1), "E07000190": (6_000, 1_000, 0), "E07000191": (0, 2_000, 2),
            "E06000023": (28_000, 7_000, 0), "E06000025": (0, 12_000, 0),
        },
        expected={
            # 1 + 2 + 3 + 4 + 5 of 116,000 + 126,000 + 173,000 + 158,000.
            "E06000066": {"offences": 15, "population": 573_000, "rate": 0.0262,
                          "offenders": 510, "offender_rate": 0.9733, "dwellings": 30_003},
            "E22900001": {"offences": 7, "population": 773_000, "rate": 0.0091,
                          "offenders": None, "offender_rate": None, "dwellings": 47_000},
        },
    ),
    "recode of st albans": Case(
        as_at=date(2013, 4, 1),
        quarters=1,
        force=HERTFORDSHIRE.serving(
            Partnership("st-albans", "St Albans Partnership", ("E07000240",)),
            Partnership(
                "stevenage-and-hatfield", "Stevenage and Hatfield", ("E07000241", "E07000243")
            ),
        ),
        editions=(2011,),
        crimes={"E01023664": 8, "E01023665": 3, "E01023908": 2, "E01023289": 1},
        populations={
            2012: {"E07000240": 141_000, "E07000241": 112_000, "E07000101": 85_000},
            2007: {"E07000100": 132_000, "E07000104": 106_000, "E07000101": 80_000},
        },
        offenders={"E07000100": 264, "E07000104": 53, "E07000243": 26},
        dwellings={
            "E07000100": (5_000, 1_500, 3), "E07000104": (9_000, 2_000, 0),
            "E07000101": (8_000, 1_000, 0),
        },
        expected={
            "E07000240": {"offences": 11, "population": 141_000, "rate": 0.0780,
                          "offenders": 264, "offender_rate": 2.0, "dwellings": 6_503},
            "stevenage-and-hatfield": {"offences": 2, "population": 197_000, "rate": 0.0102,
                                       "offenders": 79, "offender_rate": 0.4247,
                                       "dwellings": 20_000},
        },
    ),
    "two districts": Case(
        as_at=date(2019, 1, 1),
        force=CAMBRIDGESHIRE.serving(
            Partnership("fens", "Fens Partnership", ("E07000009", "E07000010"), "E22900002"),
            Partnership("cambridge", "Cambridge Partnership", ("E07000008",)),
        ),
        crimes={"E01018058": 6, "E01018059": 1, "E01018011": 5, "E01018218": 9},
        populations={
            # The estimate of mid-2019 lies after the quarter.
            2019: {"E07000009": 1, "E07000010": 1, "E07000008": 1},
            2018: {"E07000009": 90_000, "E07000010": 102_000, "E07000008": 125_000},
            2007: {"E07000009": 79_000, "E07000010": 91_000},
        },
        offenders={"E07000009": 70, "E07000010": 100, "E07000008": 0},
        dwellings={"E07000009": (0, 5_000, 0), "E07000010": (2, 5_562, 9)},
        expected={
            "E07000010": {"offences": 7, "population": 102_000, "rate": 0.0686,
                          "offenders": 100, "offender_rate": 1.0989, "dwellings": 5_573},
            # 7 + 5 of 102,000 + 90,000; 100 + 70 of 91,000 + 79,000; 5,573 + 5,000.
            "E22900002": {"offences": 12, "population": 192_000, "rate": 0.0625,
                          "offenders": 170, "offender_rate": 1.0, "dwellings": 10_573},
        },
    ),
    "county of five districts": Case(
        as_at=date(2020, 4, 1),
        force=SUFFOLK.serving(
            Partnership(
                "suffolk",
                "Suffolk Community Safety Partnership",
                ("E07000200", "E07000202", "E07000203", "E07000244", "E07000245"),
                "E10000029",
            )
        ),
        editions=(2019,),
        crimes={
            "E01029925": 1, "E01030091": 2, "E01030152": 3, "E01030223": 4, "E01029870": 5,
            "E01030037": 6, "E01029958": 7,
        },
        populations={
            # Ipswich has no estimate of 2020 yet: that of 2019 is added to the others'.
            2020: {
                "E07000200": 92_500, "E07000203": 104_500, "E07000244": 250_000,
                "E07000245": 179_500,
            },
            2019: {
                "E07000200": 92_000, "E07000202": 137_000, "E07000203": 104_000,
                "E07000244": 249_000, "E07000245": 179_000,
            },
            2007: {
                "E07000200": 86_000, "E07000202": 121_000, "E07000203": 94_000,
                "E07000205": 124_000, "E07000206": 118_000, "E07000201": 60_000,
                "E07000204": 103_000,
            },
        },
        offenders={
            "E07000200": 1, "E07000202": 2, "E07000203": 3, "E07000205": 4, "E07000206": 5,
            "E07000201": 6, "E07000204": 7, "E23000025": 353,
        },
        dwellings={
            "E07000200": (1, 0, 0), "E07000202": (2, 0, 0), "E07000203": (3, 0, 0),
            "E07000205": (4, 0, 0), "E07000206": (5, 0, 0), "E07000201": (6, 0, 0),
            "E07000204": (7, 0, 0),
        },
        expected={
            # 1 to 7 add up to 28. 92,500 + 137,000 + 104,500 + 250,000 + 179,500.
            "E10000029": {"offences": 28, "population": 763_500, "rate": 0.0367,
                          "offenders": 28, "offender_rate": 0.0397, "dwellings": 28},
            "E23000025": {"offences": 28, "population": 763_500, "rate": 0.0367,
                          "offenders": 353, "offender_rate": 0.5, "dwellings": 28},
            "E07000244": {"offences": 7, "population": 250_000, "rate": 0.0280,
                          "offenders": 9, "offender_rate": 0.0372, "dwellings": 9},
        },
    ),
    "london borough": Case(
        as_at=date(2018, 10, 1),
        quarters=1,
        force=LONDON.serving(
            Partnership("tower-hamlets", "Tower Hamlets Partnership", ("E09000030",))
        ),
        # The City of London has a force of its own.
        crimes={"E01004197": 20, "E01004198": 11, "E01003479": 4, "E01000001": 2},
        populations={
            2018: {"E09000030": 310_000, "E09000025": 352_000},
            2007: {"E09000030": 230_000},
        },
        offenders={"E09000030": 115, "E09000025": 200},
        dwellings={"E09000030": (12_000, 30_000, 0)},
        expected={
            "E09000030": {"offences": 31, "population": 310_000, "rate": 0.1,
                          "offenders": 115, "offender_rate": 0.5, "dwellings": 42_000},
            "E23000001:outside": {"offences": 2, "population": None, "rate": None},
            "E23000001": {"offences": 37, "population": None, "rate": None,
                          "offenders": None, "offender_rate": None, "dwellings": None},
        },
    ),
    "welsh county": Case(
        as_at=date(2018, 7, 1),
        force=GWENT.serving(
            Partnership(
                "sir-fynwy", "Partneriaeth Diogelwch Cymunedol Sir Fynwy", ("W06000021",)
            ),
            Partnership(
                "caerffili-a-chasnewydd",
                "Partneriaeth Tŷ-du, Caerffili a Chasnewydd",
                ("W06000018", "W06000022"),
            ),
        ),
        crimes={"W01001542": 2, "W01001325": 3, "W01001600": 6, "W01001435": 1},
        populations={
            2018: {
                "W06000018": 181_000, "W06000019": 70_000, "W06000020": 93_000,
                "W06000021": 94_000, "W06000022": 153_000,
            },
            2007: {"W06000018": 172_000, "W06000021": 88_000, "W06000022": 142_000},
        },
        offenders={"W06000018": 157, "W06000021": 44, "W06000022": 157},
        dwellings={"W06000018": (10_800, 3_000, 0), "W06000022": (0, 9_800, 0)},
        expected={
            "W06000021": {"offences": 2, "population": 94_000, "rate": 0.0213,
                          "offenders": 44, "offender_rate": 0.5, "dwellings": None},
            "caerffili-a-chasnewydd": {"offences": 9, "population": 334_000, "rate": 0.0269,
                                       "offenders": 314, "offender_rate": 1.0,
                                       "dwellings": 23_600},
            "W15000002": {"offences": 12, "population": 591_000, "rate": 0.0203,
                          "offenders": None, "offender_rate": None, "dwellings": None},
        },
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """A case after its refresh."""

    case: Case
    zone: Zone
    folder: Path
    warehouse: Path
    published: Path
    marts: Mapping[str, Table]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared_home(tmp_path_factory.mktemp("prepared"))


_NIGHTLY = {
    "county of five districts", "london borough", "welsh county", "east and west suffolk",
    "somerset 2023", "two districts",
}  # fmt: skip
"""Each case is a whole refresh; the nightly run has all of them."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.campaign] if name in _NIGHTLY else [])
        for name in CASES
    ],
)
def done(
    request: pytest.FixtureRequest, prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Done]:
    """One whole refresh of each case."""
    assert _REAL
    case, folder = CASES[request.param], tmp_path_factory.mktemp("case")
    zones: list[Zone] = []

    @drawn(zones_of(case, Path(_REAL)), 1, _DRAWS)
    def draw(zone: Zone) -> None:
        zones.append(zone)

    draw()
    zones[-1].write(folder)
    lookup = Path(_REAL) / LOOKUP
    landed = folder / "raw" / "area_lookups" / zones[-1].world.quarters[0].isoformat()
    landed.mkdir(parents=True, exist_ok=True)
    shutil.copy(lookup, landed / lookup.name)
    own = settings_of(folder, prepared)
    result = refreshed(own, case.as_at)
    assert result.code == 0, result.said
    yield Done(
        case,
        zones[-1],
        folder,
        own.warehouse,
        own.published / "csp.duckdb",
        marts_of(own.warehouse),
    )
    shutil.rmtree(folder)


pytestmark = [pytest.mark.slow, pytest.mark.real]


def test_every_mart_is_what_the_second_computation_gives(done: Done) -> None:
    check_loaded_whole(done.warehouse)
    check_markers(done.warehouse)
    computed = recompute(Landed.of(done.folder, done.case.as_at))
    lines = [
        line for name in done.marts for line in differences(name, done.marts[name], computed[name])
    ]
    assert not lines, f"{len(lines)} differences\n" + "\n".join(lines[:_SHOWN])
    cells = {name: sum(map(len, table.values())) for name, table in computed.items()}
    print(f"{sum(cells.values())} cells compared: {cells}")


def test_the_figures_are_those_known_by_hand(done: Done) -> None:
    found = {area: _figures(done, area) for area in done.case.expected}
    assert found == {
        area: {**dict.fromkeys(found[area]), **wanted}
        for area, wanted in done.case.expected.items()
    }


def test_every_table_joins_its_dimensions(done: Done) -> None:
    assert join_faults(done.published) == []


def _figures(done: Done, area: str) -> dict[str, Any]:
    """Return the figures written by hand: of the last month, of offenders, of dwellings."""
    month = done.case.last_month
    crime = (
        done.marts["crime_monthly"].get((month, area, "Shoplifting"))
        or (done.marts["shoplifting_trends"][area, "month", month])
    )
    year = (area, "calendar_year", date(OFFENDERS_OF, 1, 1))
    stock = (area, "all social", date(DWELLINGS_OF, 3, 31))
    offenders = done.marts["offender_rates"].get(year, {})
    return {
        "offences": crime["offences"],
        "population": crime["population"],
        "rate": _rounded(crime["rate_per_1000"]),
        "offenders": offenders.get("offenders"),
        "offender_rate": _rounded(offenders.get("rate_per_1000")),
        "dwellings": done.marts["social_housing_stock"].get(stock, {}).get("dwellings"),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


# --- the equation of a partnership ----------------------------------------------------------


def test_a_partnership_is_the_sum_of_its_districts_in_every_mart(done: Done) -> None:
    (force,) = Landed.of(done.folder, done.case.as_at).forces
    compared: dict[str, int] = defaultdict(int)
    for name, table in done.marts.items():
        place = KEYS[name].split().index("area_code")
        for key, row in table.items():
            districts = force.partnerships.get(key[place])
            # Of a scheme, a district has a row for each town.
            if not districts or (name == "supported_accommodation" and key[2] != "All schemes"):
                continue
            parts = [table.get((*key[:place], one, *key[place + 1 :])) for one in districts]
            for count in set(COUNTS) & row.keys():
                values = [0 if part is None else part[count] for part in parts]
                wanted = None if None in values else sum(values)
                assert _equal(row[count], wanted), (name, key, count, row[count], values)
                compared[name] += 1
    if force.partnerships:
        without = {"survey_perceptions", "survey_responses", "prison_accommodation_need"}
        every = KEYS.keys() - without
        # Releases have rows only for years that the returns cover whole.
        assert every - {"prison_release_accommodation"} <= compared.keys() <= every


def _equal(found: float | None, wanted: float | None) -> bool:
    if found is None or wanted is None:
        return found is wanted
    return math.isclose(found, wanted, rel_tol=1e-9)


_REPORTS = {
    "figure_2_offender_profile": ("period_start dimension category", "offenders"),
    "figure_3_juvenile_offenders": ("period_type period_start", "juvenile_offenders"),
    "figure_4_first_time_entrants": ("period_type period_start", "first_time_entrants"),
    "figure_5_nps_profile": ("cohort period_end dimension category", "people"),
    "figure_6_accommodation_need": ("cohort period_end", "offenders_with_need"),
    "page_age_and_sex": ("period_start age_group", "women"),
    "page_prison_releases": ("prison period_start", "released"),
    "figure_10_shoplifting": ("month", "offences"),
    "figure_11_burglary": ("month", "offences"),
    "table_1_offender_rates": ("period_type period_start", "offenders"),
    "table_2_offending_frequency": ("period_start number_of_offences", "offenders"),
    "table_3_oasys_pathways": ("cohort period_end pathway", "offenders"),
    "table_4_need_complexity": ("cohort period_end assessed_needs", "offenders"),
}
"""What tells the cells of an area apart in each report, and the column that counts."""

_PRINTED = {
    "Gender": "sex",
    "Age Group": "age group",
    "Ethnicity": "ethnicity",
    "Offence category": "first offence category",
}
"""Dimensions as the report prints them, with the mart's names."""

Cells = dict[tuple[Any, ...], dict[str, float | None]]


def _cells(database: Path, report: str) -> Cells:
    """Return the count of each area of a report, by what else tells its cells apart."""
    key, count = _REPORTS[report]
    columns = key.split()
    found: Cells = defaultdict(dict)
    with duckdb.connect(database, read_only=True) as connection:
        rows = connection.execute(
            f"select {', '.join(columns)}, area_code, {count} from reports.{report}"
        ).fetchall()
    for *others, area, value in rows:
        assert area not in found[tuple(others)], (report, others, area)
        found[tuple(others)][area] = value
    return found


def test_the_reports_have_the_counts_of_the_second_computation(done: Done) -> None:
    computed = recompute(Landed.of(done.folder, done.case.as_at))
    for report, mart in (("figure_10_shoplifting", "shoplifting_trends"),
                         ("figure_11_burglary", "burglary_trends")):  # fmt: skip
        for (month,), areas in _cells(done.warehouse, report).items():
            for area, count in areas.items():
                assert count == computed[mart][area, "month", month]["offences"], (report, area)
    rates = _cells(done.warehouse, "table_1_offender_rates")
    for (kind, start), areas in rates.items():
        for area, count in areas.items():
            assert count == computed["offender_rates"][area, kind, start]["offenders"], area
    profile = _cells(done.warehouse, "figure_2_offender_profile")
    for (start, dimension, category), areas in profile.items():
        for area, count in areas.items():
            if dimension == "All":
                wanted = computed["offender_profile"][area, start, "sex", "Male"]["all_offenders"]
            else:
                key = (area, start, _PRINTED[dimension], category)
                wanted = computed["offender_profile"][key]["offenders"]
            assert count == wanted, (area, start, dimension, category)
    assert rates and profile


def test_what_is_published_of_a_partnership_is_the_sum_of_its_districts(done: Done) -> None:
    (force,) = Landed.of(done.folder, done.case.as_at).forces
    compared = 0
    for report in _REPORTS:
        for key, areas in _cells(done.published, report).items():
            for partnership, districts in force.partnerships.items():
                values = [areas.get(one) for one in districts]
                if areas.get(partnership) is not None and None not in values:
                    assert areas[partnership] == sum(values), (report, key, areas)  # type: ignore[arg-type]
                    compared += 1
    assert compared or not force.partnerships


def test_no_hidden_count_follows_from_partnership_and_districts(done: Done) -> None:
    """Solve the equations of each published cell: its partnerships and the force over districts.

    A hidden count follows if the equations leave it one value, which is linear algebra. The true
    counts are used for one thing only: to know which equations hold (a force may report its own
    total).
    """
    (force,) = Landed.of(done.folder, done.case.as_at).forces
    hidden = 0
    for report in _REPORTS:
        published, true = _cells(done.published, report), _cells(done.warehouse, report)
        for key, areas in published.items():
            if not areas.keys() <= true[key].keys():
                continue  # rows that were put together ("5 or more") have a key of their own
            unknown = [one for one, value in areas.items() if value is None and true[key][one]]
            equations = [
                {whole: -1, **dict.fromkeys(districts, 1)}
                for whole, districts in force.sums.items()
                if {whole, *districts} <= areas.keys()
                and None not in (true[key][one] for one in (whole, *districts))
                and true[key][whole] == sum(true[key][one] or 0 for one in districts)
            ]
            hidden += len(unknown)
            assert not determined(equations, unknown), (report, key, areas)
    assert hidden


def determined(equations: list[dict[str, int]], unknown: list[str]) -> list[str]:
    """Return the unknown cells to which the equations, all else being known, leave one value."""
    matrix = np.array([[one.get(cell, 0) for cell in unknown] for one in equations], dtype=float)
    if not matrix.size:
        return []
    rank = np.linalg.matrix_rank(matrix)
    return [
        cell
        for place, cell in enumerate(unknown)
        if np.linalg.matrix_rank(np.vstack([matrix, np.eye(len(unknown))[place]])) == rank
    ]

"""Extracts about places: crime, lookups, populations, dwellings, prisons, schemes, surveys."""

from datetime import date, timedelta

from hypothesis import strategies as st

from orchestration.config.quarters import quarter_of
from orchestration.ingest.checking.contract import Contract
from tests.valid_extracts.cells import Draw, Row, filled, pools, values
from tests.valid_extracts.forces import Force
from tests.valid_extracts.layouts import (
    KINDS,
    Extract,
    csv_extract,
    dwellings_workbook,
    ons_workbook,
    prison_workbook,
    quarter_last_day,
    recorded_crime_workbook,
    survey_workbook,
)
from tests.valid_extracts.people import drawn_quarters, shifted
from tests.valid_extracts.predecessors import in_year
from tests.valid_extracts.world import ELSEWHERE, World, short_name

_NEW_TYPES = date(2013, 5, 1)
_FIRST_TYPES = date(2011, 9, 1)
_OLD_NAMES = {"Violent crime", "Public disorder and weapons"}
_NEW_NAMES = {
    "Bicycle theft",
    "Possession of weapons",
    "Public order",
    "Theft from the person",
    "Violence and sexual offences",
}
_MONTHS_OF_ALL = 30
_LISTED = 0.95
_POPULATIONS = [1, 999, 34_567, 100_000, 215_000]
_TENURES = [
    "local authority",
    "private registered provider",
    "other public sector",
    "private sector",
    "total",
]


# --- areas and crime -------------------------------------------------------------------------


def lookups(draw: Draw, world: World) -> list[Extract]:
    """Return the lookups, delivered with the first quarter: without them nothing has a place.

    An edition has the districts of its year: those before a merger, or since.
    """
    years = draw(st.lists(st.sampled_from([2011, 2017, 2019, 2023]), min_size=1, unique=True))
    return [
        Extract(
            "area_lookups",
            world.quarters[0],
            f"LSOA_2011_to_LAD_{year}.csv",
            {"": lookup_of(world, year)},
        )
        for year in years
    ]


def lookup_of(world: World, year: int) -> list[list[str]]:
    """Return the lookup of small areas to the districts of a year."""
    short = f"LAD{year % 100}"
    grid = [["LSOA11CD", "LSOA11NM", f"{short}CD", f"{short}NM", "FID"]]
    for number, (code, district) in enumerate(world.small_areas.items(), start=1):
        of_year = in_year(district, year)
        name = world.name_of(of_year)
        grid.append([code, f"{name} {number:03d}A", of_year, name, str(number)])
    return grid


def street_crime(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return a file a month and force; months may be missing, and come again corrected."""
    extracts = []
    for force in world.forces:
        back = _MONTHS_OF_ALL if world.every else draw(st.sampled_from([1, 3, 13, 15, 26]))
        missing = draw(st.lists(st.integers(0, back - 1), max_size=2))
        held = pools(draw, contract)
        months = [shifted(world.as_at, 2 - number) for number in range(back)]
        wanted = [
            month
            for number, month in enumerate(months)
            if number not in missing and month >= _FIRST_TYPES
        ]
        for month in wanted:
            extracts.append(_street_file(world, contract, force, month, held, quarter_of(month)))
        again = [month for month in wanted if quarter_of(month) < world.as_at]
        if again and draw(st.booleans()):
            month = draw(st.sampled_from(again))
            extracts.append(_street_file(world, contract, force, month, held, world.as_at))
    return extracts


def _street_file(
    world: World,
    contract: Contract,
    force: Force,
    month: date,
    held: dict[str, list[object]],
    quarter: date,
) -> Extract:
    places = list(world.small_areas)
    types = [one for one in held["crime_type"] if _published(str(one), month)]
    rows = []
    for _ in range(world.chance.choice([40, 60] if world.every else [1, 2, 5, 12])):
        row = filled(held, world.chance)
        row |= {
            "month": month,
            "reported_by": force.name,
            "falls_within": force.name,
            "crime_type": world.chance.choice([*types, "Shoplifting", "Burglary"]),
            "lsoa_code": world.chance.choice([*places, None]),
        }
        rows.append(row)
        if world.chance.random() < 0.1:
            rows.append(dict(row))
    name = f"{month:%Y-%m}-{short_name(force.name).split('-')[0]}-street.csv"
    return csv_extract(contract, quarter, name, rows)


def _published(name: str, month: date) -> bool:
    """Say whether the publisher used a crime type in a month of September 2011 or later."""
    return name not in (_NEW_NAMES if month < _NEW_TYPES else _OLD_NAMES)


# --- populations and dwellings ---------------------------------------------------------------


def populations(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return ONS mid-year estimates, old or new, and the research group's of a year or two."""
    extracts = []
    latest = world.as_at.year - draw(st.integers(0, 4))
    years = list(range(latest, latest - draw(st.integers(1, 4)), -1))
    listed = [one for one in world.districts if world.chance.random() < _LISTED]
    if draw(st.integers(0, 5)) and listed:
        # A workbook for each year: it may have other districts than the next.
        for year in years:
            codes = [code for district in listed for code in world.listed(district)]
            rows = [
                {
                    "area_code": code,
                    "area_name": world.name_of(code),
                    "populations": {year: world.chance.choice(_POPULATIONS)},
                }
                for code in [*codes, ELSEWHERE[0]]
            ]
            name = f"ukmidyearestimates-{year}.xls"
            extracts.append(ons_workbook(world.quarters[0], name, [year], rows))
    if draw(st.booleans()):
        year = latest - draw(st.integers(-1, 2))
        grid = [["Area code", "Area name", "Mid-year", "Population"]]
        grid += [
            [code, world.name_of(code), str(year), str(world.chance.choice([10, 98_340, 136_240]))]
            for district in world.districts
            if world.chance.random() < 0.9
            for code in world.listed(district)
        ]
        if len(grid) > 1:
            name = "research-group-population.csv"
            extracts.append(
                Extract(
                    "population_estimates", draw(st.sampled_from(world.quarters)), name, {"": grid}
                )
            )
    return extracts


def dwellings(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return Live Table 100: every tenure of a district, some cells with a marker."""
    extracts = []
    markers = next(column for column in contract.columns if column.name == "marker").allowed or ()
    for quarter in drawn_quarters(draw, world):
        first = min(2013, quarter.year)
        years = draw(
            st.lists(st.integers(first, quarter.year), min_size=1, max_size=3, unique=True)
        )
        hidden = draw(st.sampled_from([0.0, 0.0, 0.1]))
        sheets = {}
        for year in sorted(years):
            rows = []
            listed = [one for one in world.districts if world.chance.random() < _LISTED]
            codes = [code for district in listed for code in world.listed(district)]
            for number, code in enumerate(codes):
                row: Row = {
                    "la_code": f"Q{number:04d}",
                    "area_code": code,
                    "area_name": world.name_of(code),
                }
                for tenure in _TENURES:
                    whole = world.chance.choice([0, 3, 9, 10, 5_189])
                    row[tenure] = whole + (0.25 if tenure in ("private sector", "total") else 0)
                    if world.chance.random() < hidden:
                        row[tenure] = world.chance.choice(markers)
                rows.append(row)
            if rows:
                sheets[year] = rows
        if sheets:
            extracts.append(dwellings_workbook(quarter, "Live_Table_100.ods", sheets, _TENURES))
    return extracts


def recorded_crime(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return the Home Office's table: each district as a partnership, some counts negative."""
    extracts = []
    for quarter in drawn_quarters(draw, world):
        start = quarter.year - (quarter.month < 4)
        year, number = f"{start}/{(start + 1) % 100:02d}", (quarter.month - 4) % 12 // 3 + 1
        rows = [
            [year, number, force.name, world.name_of(code), group, group, offence]
            for force in world.forces
            for code in force.districts
            for offence, group in (("46", "Theft offences"), ("34A", "Robbery"))
            if world.chance.random() < _LISTED
        ]
        counts = [world.chance.choice([-1, 0, 3, 4_821]) for _ in rows]
        if rows:
            grid = [[*row, count] for row, count in zip(rows, counts, strict=True)]
            extracts.append(recorded_crime_workbook(quarter, year, grid))
    return extracts


def schemes(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return a council's list each, of places that it may not know."""
    extracts = []
    for quarter in drawn_quarters(draw, world):
        held = pools(draw, contract)
        held["scheme"] = held["scheme"][:3]
        # A scheme is run by one organisation for one group of people.
        about = {
            scheme: {
                name: filled(held, world.chance)[name] for name in ("provider", "client_group")
            }
            for scheme in held["scheme"]
        }
        councils = draw(st.lists(st.sampled_from(world.codes), min_size=1, max_size=6, unique=True))
        rows, seen = [], set()
        for _ in range(draw(st.integers(1, 15))):
            row = filled(held, world.chance)
            row |= {"snapshot_date": quarter_last_day(quarter)} | about[row["scheme"]]
            row["district_code"] = world.chance.choice(councils)
            key = tuple(row[name] for name in contract.key)
            if key not in seen:
                seen.add(key)
                rows.append(row)
        extracts.append(csv_extract(contract, quarter, "supported-accommodation.csv", rows))
    return extracts


def prisons(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return a force's return of each half-year, to the quarter in which it came."""
    extracts = []
    for force, quarter in [
        (force, quarter) for force in world.forces for quarter in drawn_quarters(draw, world)
    ]:
        own = list(force.prisons)
        first = shifted(quarter, -3) if quarter.month in (4, 10) else shifted(quarter, -6)
        whole = {
            "prison": own[0],
            "period_start": first,
            "period_end": shifted(first, 6) - timedelta(days=1),
            "need_start": date(quarter.year - 1, 1, 1),
            "need_end": date(quarter.year - 1, 12, 31),
        }
        places: list[str | None] = [*world.codes, ELSEWHERE[0], None]
        going = world.chance.sample(places, draw(st.integers(1, len(places))))
        releases = [
            {
                "area_name": world.label_of(code) if code else "Not recorded",
                "area_code": code,
                "sex": sex,
            }
            | {kind: world.chance.choice([0, 0, 1, 2, 11]) for kind in KINDS}
            for code in going
            for sex in draw(st.sampled_from([["Male"], ["Female"], ["Male", "Female"]]))
        ]
        need = []
        for prison in draw(
            st.lists(st.sampled_from(own), min_size=int(world.every), max_size=4, unique=True)
        ):
            for sex in ["Male", "Female"][: world.chance.choice([1, 2])]:
                assessed = world.chance.choice([0, 1, 40])
                some = world.chance.randint(0, assessed)
                need.append({"prison": prison, "sex": sex, "assessed": assessed, "with_need": some})
        name = f"prison-{short_name(own[0])}-{first}.xlsx"
        extracts.append(prison_workbook(quarter, name, whole, releases, need))
    return extracts


def surveys(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return a district's wave of each quarter; respondents skip questions, towns may be empty."""
    extracts = []
    towns = {code: own for force in world.forces for code, own in force.towns.items()}
    if not towns:
        return []
    asked = draw(st.lists(st.sampled_from(list(towns)), max_size=2, unique=True))
    issues = next(one for one in contract.columns if one.name == "issues_experienced")
    for district in asked:
        for quarter in drawn_quarters(draw, world):
            held = pools(draw, contract, without={"issues_experienced", "response_id"})
            ticked = draw(st.lists(values(issues), min_size=1, max_size=3))
            rows = []
            for number in range(draw(st.sampled_from([1, 4, 30, 120]))):
                row = filled(held, world.chance)
                row |= {
                    "response_id": str(60_000_000 + number),
                    "response_date": quarter + timedelta(days=world.chance.choice([0, 45, 89])),
                    "town": world.chance.choice(towns[district]),
                    "issues_experienced": world.chance.choice([*ticked, None]),
                }
                rows.append(row)
            whole = {"survey": f"{world.name_of(district)} survey", "wave_start": quarter}
            name = f"survey-{short_name(world.name_of(district))}.xlsx"
            extracts.append(survey_workbook(contract, quarter, name, whole, rows))
    return extracts

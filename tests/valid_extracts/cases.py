"""Seven landing zones on the real lookups: mergers, recodes, a county, a borough, a Welsh county.

Of each, the test itself writes a month of crime, the populations, a year of offenders and a year of
dwellings, of which it knows the figures by hand. Everything else is drawn.
"""

import csv
import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from orchestration.config.quarters import quarters_before
from orchestration.ingest.checking.contract import load_contracts
from tests.valid_extracts.cells import Draw, Row
from tests.valid_extracts.forces import Force
from tests.valid_extracts.layouts import (
    Extract,
    csv_extract,
    dwellings_workbook,
    ons_workbook,
)
from tests.valid_extracts.people import shifted
from tests.valid_extracts.places import lookup_of
from tests.valid_extracts.predecessors import earlier
from tests.valid_extracts.world import ELSEWHERE, World, populate
from tests.valid_extracts.zones import Zone, everything

LOOKUP = "lookups/Lower_Layer_Super_Output_Area_2011_to_Ward_2017_Lookup_in_England_and_Wales.csv"
OFFENDERS_OF, DWELLINGS_OF = 2007, 2011
"""Years of the offenders and dwellings that are written by hand; no drawn extract is of them."""
_EACH = 3
"""Small areas of a district in which drawn crimes are recorded."""
_PEOPLE = 60


@dataclass(frozen=True)
class Case:
    """A force with its partnerships, and what the test writes itself."""

    as_at: date
    force: Force
    crimes: Mapping[str, int]
    """Shoplifting of the last month by small area."""
    populations: Mapping[int, Mapping[str, int]]
    """ONS estimates by year and code."""
    offenders: Mapping[str, int]
    dwellings: Mapping[str, tuple[int, int, int]]
    """Of the council, of private registered providers, of other public bodies."""
    expected: Mapping[str, Mapping[str, Any]]
    """Figures of areas, computed by hand."""
    quarters: int = 2
    """Quarters in which each source delivers. The protection of many districts takes longest."""
    editions: tuple[int, ...] = ()
    """Years of the lookups that are landed beside the real one of 2017."""

    @property
    def last_month(self) -> date:
        return shifted(self.as_at, 2)


@st.composite
def zones_of(draw: Draw, case: Case, real: Path) -> Zone:
    """Draw the landing zone of a case: every source delivers in each of the quarters."""
    quarters = [quarters_before(case.as_at, back) for back in reversed(range(case.quarters))]
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    world = World(case.as_at, quarters, [case.force], chance, every=True)
    world.small_areas.update(_real_areas(world, case, real / LOOKUP))
    populate(world, world.districts, _PEOPLE)
    drawn = [
        one
        for one in everything(draw, world)
        if one.source not in ("population_estimates", "community_survey")
        and not (one.source == "police_uk_street" and f"{case.last_month:%Y-%m}" in one.name)
    ]
    first = quarters[0]
    lookups = [
        Extract("area_lookups", first, f"LSOA_2011_to_LAD_{year}.csv", {"": lookup_of(world, year)})
        for year in case.editions
    ]
    written = [
        _street(case),
        *_populations(world, case),
        _offenders(world, case),
        _dwellings(world, case),
    ]
    return Zone(world, [*drawn, *lookups, *written])


def _real_areas(world: World, case: Case, lookup: Path) -> dict[str, str]:
    """Return some small areas of each district as the real lookup has it, and those written of."""
    codes = {*world.codes, *ELSEWHERE}
    by_district: dict[str, list[str]] = defaultdict(list)
    found = {}
    with lookup.open(encoding="utf-8-sig", newline="") as handle:
        for line in csv.DictReader(handle):
            area, district = line["LSOA11CD"], line["LAD17CD"]
            if area in case.crimes:
                found[area] = district
            elif district in codes:
                by_district[district].append(area)
    for district, areas in by_district.items():
        found |= dict.fromkeys(sorted(areas)[:_EACH], district)
    for district in world.districts:
        assert {district, *earlier(district)} & {*by_district}, f"{district} is in no lookup"
    return found


def _street(case: Case) -> Extract:
    contract = load_contracts()["police_uk_street"]
    rows: list[Row] = [
        {
            "crime_id": f"{number:02d}{area}".lower().rjust(64, "0").replace("w", "a"),
            "month": case.last_month,
            "reported_by": case.force.name,
            "falls_within": case.force.name,
            "longitude": 0.5,
            "latitude": 52.0,
            "location": "On or near Synthetic Street",
            "lsoa_code": area,
            "lsoa_name": None,
            "crime_type": "Shoplifting",
        }
        for area, count in case.crimes.items()
        for number in range(count)
    ]
    name = f"{case.last_month:%Y-%m}-written-by-hand-street.csv"
    return csv_extract(contract, case.as_at, name, rows)


def _populations(world: World, case: Case) -> list[Extract]:
    return [
        ons_workbook(
            world.quarters[0],
            f"ukmidyearestimates-{year}.xls",
            [year],
            [
                {"area_code": code, "area_name": world.name_of(code), "populations": {year: count}}
                for code, count in counts.items()
            ],
        )
        for year, counts in case.populations.items()
    ]


def _offenders(world: World, case: Case) -> Extract:
    rows: list[Row] = [
        {
            "force": case.force.name,
            "area_code": code,
            "area_name": world.name_of(code),
            "calendar_year": date(OFFENDERS_OF, 1, 1),
            "offenders": count,
        }
        for code, count in case.offenders.items()
    ]
    contract = load_contracts()["police_offender_counts"]
    return csv_extract(contract, case.as_at, "known-offenders-written-by-hand.csv", rows)


def _dwellings(world: World, case: Case) -> Extract:
    tenures = ["local authority", "private registered provider", "other public sector"]
    rows: list[Row] = [
        {
            "la_code": f"H{number:04d}",
            "area_code": code,
            "area_name": world.label_of(code),
            **dict(zip(tenures, counts, strict=True)),
            "private sector": 50_000,
            "total": 50_000 + sum(counts),
        }
        for number, (code, counts) in enumerate(case.dwellings.items())
    ]
    tenures += ["private sector", "total"]
    return dwellings_workbook(
        case.as_at, "Live_Table_100_of_2011.ods", {DWELLINGS_OF: rows}, tenures
    )

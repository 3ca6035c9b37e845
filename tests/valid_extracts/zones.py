"""A whole landing zone in one draw.

Not drawn, as of 28 November 2026, though a contract allows it:

- Q1 2018/19 itself, of which the audit holds every printed number against the extracts;
- districts of a yearly count that add up to more than their force (a misprint);
- a person of whom two rows say two births, sexes or ethnicities, or one reference with two PNC
  identifiers;
- rows of another force in a caseload, services and prisons that no reference list has;
- late rows of a period that another delivery covers.
"""

from pathlib import Path

from hypothesis import assume
from hypothesis import strategies as st

from orchestration.ingest.checking.contract import Contract, load_contracts
from tests.valid_extracts import people, places
from tests.valid_extracts.cells import Draw, rows_by_contract
from tests.valid_extracts.layouts import Extract, csv_extract
from tests.valid_extracts.world import World, draw_world

OF_THE_WORLD = {
    "area_lookups", "community_survey", "dwelling_stock", "iom_cohort", "oasys_assessments",
    "police_charges", "police_offender_counts", "police_uk_street", "population_estimates",
    "prison_releases", "probation_caseload", "recorded_crime_by_csp", "supported_accommodation",
    "youth_offending",
}  # fmt: skip
"""Sources whose rows are about the people and places of the world. Any other is drawn from its
contract alone."""


class Zone:
    """A landing zone that every contract allows."""

    def __init__(self, world: World, extracts: list[Extract]) -> None:
        self.world = world
        self.extracts = extracts

    def write(self, folder: Path) -> None:
        """Write ``raw/`` and ``partnerships.toml`` into the folder."""
        for extract in self.extracts:
            extract.write(folder / "raw")
        (folder / "partnerships.toml").write_text(self.world.partnerships(), encoding="utf-8")

    def __repr__(self) -> str:
        """Name the files with their rows, which is what a failure shows."""
        files = "\n".join(
            f"  {one.source}/{one.quarter}/{one.name}: "
            + ", ".join(f"{name or 'rows'} {len(grid)}" for name, grid in one.sheets.items())
            for one in self.extracts
        )
        return f"landing zone as at {self.world.as_at}\n{files}"


@st.composite
def landing_zones(draw: Draw) -> Zone:
    """Draw a landing zone; each source may be missing, sparse, late or revised."""
    contracts = load_contracts()
    world = draw_world(draw)
    wanted = draw(st.sets(st.sampled_from(sorted(OF_THE_WORLD - {"area_lookups"})), min_size=4))
    extracts = places.lookups(draw, world)
    for source in sorted(wanted - {"oasys_assessments"}):
        extracts += _drawn(draw, world, source, contracts)
    for source in sorted(set(contracts) - OF_THE_WORLD):
        extracts += by_contract(draw, world, contracts[source])
    # A quarter for which nothing but reference data has landed is refused.
    assume(
        any(
            one.quarter == world.as_at and contracts[one.source].counts != "reference"
            for one in extracts
        )
    )
    return Zone(world, extracts)


def everything(draw: Draw, world: World) -> list[Extract]:
    """Draw an extract of every source about the world's people and places, but for lookups."""
    contracts = load_contracts()
    extracts = []
    for source in sorted(OF_THE_WORLD - {"area_lookups", "oasys_assessments"}):
        extracts += _drawn(draw, world, source, contracts)
    return extracts


def _drawn(draw: Draw, world: World, source: str, contracts: dict[str, Contract]) -> list[Extract]:
    if source == "probation_caseload":
        return people.probation(draw, world, contracts)
    drawing = {
        "police_charges": people.charges,
        "police_offender_counts": people.offender_counts,
        "iom_cohort": people.cohort,
        "youth_offending": people.young_people,
        "police_uk_street": places.street_crime,
        "population_estimates": places.populations,
        "dwelling_stock": places.dwellings,
        "recorded_crime_by_csp": places.recorded_crime,
        "supported_accommodation": places.schemes,
        "prison_releases": places.prisons,
        "community_survey": places.surveys,
    }[source]
    return drawing(draw, world, contracts[source])


def by_contract(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return a delivery of a source that nothing here knows; none where it has its own reader."""
    if contract.layout == "reader":
        return []
    rows = rows_by_contract(draw, contract)
    return [csv_extract(contract, world.as_at, f"{contract.source}.csv", rows)]

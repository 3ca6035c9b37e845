"""Disclosure control at the scale of a county, on a smaller one: safe, and attacked with teeth."""

from dataclasses import replace

import pytest

from orchestration.disclosure.attack_verdict import Finding, examine
from orchestration.disclosure.heuristic_suppression import LARGE
from orchestration.disclosure.protection import protect
from orchestration.disclosure.table_model import Protection, publication
from tests.bench.county import County, make_county


@pytest.fixture(scope="module")
def county() -> County:
    """Twenty tables of two kinds of people in two periods."""
    return make_county(seed=2, kinds=2, periods=2, districts=5)


@pytest.fixture(scope="module")
def protected(county: County) -> Protection:
    return protect(county.tables)


def test_a_county_is_the_same_each_time(county: County) -> None:
    assert make_county(seed=2, kinds=2, periods=2, districts=5) == county
    assert make_county(seed=3, kinds=2, periods=2, districts=5) != county
    assert county.printed_in == 20
    assert county.cells == 2_252


@pytest.mark.slow
def test_nothing_in_a_protected_county_can_be_found(county: County, protected: Protection) -> None:
    assert len(county.tables.cells) > LARGE
    verdict = examine(protected)
    assert verdict.findings == ()
    assert verdict.narrowest == 4
    assert 0 <= protected.gap < 0.15
    must = {key for key, cell in county.tables.cells.items() if cell.sensitive and cell.printed}
    assert must <= protected.hidden | {
        key for key, cell in protected.tables.cells.items() if not cell.printed
    }


@pytest.mark.slow
def test_a_leak_in_a_protected_county_is_found(protected: Protection) -> None:
    """A total that was hidden for a district's sake is revealed; its last part follows from it."""
    cells = protected.tables.cells
    sexes = ("men 25 to 34", "women 25 to 34", "25 to 34")
    places = [
        [f"national 0/district {number}/{category}" for category in sexes] for number in range(5)
    ]
    few, other, both = next(
        [women, men, both] for men, women, both in places if 1 < cells[women].value < 5
    )
    hidden = protected.hidden | {few}
    told = {key: (cells[key].value,) * 2 for key in (other, both)}
    published = publication(Protection(protected.tables, hidden))
    seen = replace(published, bounds={**published.bounds, **told})
    found = examine(Protection(protected.tables, hidden), seen).findings
    assert Finding(few, "it can be worked out exactly") in found

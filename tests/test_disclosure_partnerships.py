"""Disclosure control knows that a partnership is the sum of its districts."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.disclosure.declarations import Declaration, Row
from orchestration.disclosure.protection import protect
from orchestration.disclosure.rounding_cube import Taken, cube_of, rounded_inner, shown_values
from orchestration.disclosure.rounding_declarations import RoundedDeclaration
from orchestration.disclosure.table_assembly import (
    Wholes,
    assembled,
    protected_rows,
    with_wholes,
)

NAME = "reports.known"
DECLARED = Declaration.model_validate(
    {"counts": [{"column": "people", "cell": "people {area_code}", "areas": "exact"}]}
)
FORCE = {"D1": "F", "D2": "F", "D3": "F"}
KNOWN = Wholes(FORCE, {"D1": "P", "D2": "P"})
COUNTS = {"D1": 3, "D2": 30, "D3": 6, "P": 33, "F": 39}
"""D1 must be hidden, and D3 is the cheapest to hide beside it."""
_MOST = 45


def published(wholes: Wholes, counts: dict[str, int]) -> dict[str, int | None]:
    """Protect the counts; return what is shown of each area, None where it is hidden."""
    rows: list[Row] = [
        with_wholes({"area_code": area, "people": people, "status": None}, wholes)
        for area, people in counts.items()
    ]
    protection = protect(assembled({NAME: rows}, {NAME: DECLARED}))
    shown = protected_rows(NAME, rows, DECLARED, protection)
    return {row["area_code"]: row["people"] for row in shown}


def possible(shown: dict[str, int | None], area: str) -> set[int]:
    """Try every count of every district; return those of an area that fit what is shown."""
    found = set()
    for first, second, third in product(range(_MOST), repeat=3):
        counts = {"D1": first, "D2": second, "D3": third}
        counts |= {"P": first + second, "F": first + second + third}
        if all(shown[one] in (None, counts[one]) for one in counts):
            found.add(counts[area])
    return found


def test_a_hidden_district_does_not_follow_from_its_partnership() -> None:
    shown = published(KNOWN, COUNTS)
    assert shown["D1"] is None
    for area in (one for one, count in shown.items() if count is None):
        assert COUNTS[area] in possible(shown, area)
        assert len(possible(shown, area)) >= 5, area


def test_without_the_equation_the_hidden_district_would_follow() -> None:
    """The check above can fail: this is what the disclosure control without it publishes."""
    rows = {area: count for area, count in COUNTS.items() if area != "P"}
    shown = published(Wholes(FORCE), rows) | {"P": COUNTS["P"]}
    assert shown["D1"] is None
    assert possible(shown, "D1") == {3}


@pytest.mark.parametrize("counts", [(1, 0, 8), (4, 4, 0), (2, 9, 1), (0, 3, 30), (7, 8, 3)])
def test_no_count_below_five_follows(counts: tuple[int, int, int]) -> None:
    first, second, third = counts
    everything = {"D1": first, "D2": second, "D3": third}
    everything |= {"P": first + second, "F": first + second + third}
    shown = published(KNOWN, everything)
    for area, count in everything.items():
        if 0 < count < 5:
            assert shown[area] is None
            assert len(possible(shown, area)) > 1


# --- rounded tables --------------------------------------------------------------------------

ROUNDED = RoundedDeclaration.model_validate(
    {
        "method": "rounded",
        "counts": [
            {
                "column": "people",
                "cell": "people {area_code} {sex}",
                "sums": [
                    {"sex": "All"},
                    {"area_code": "{partnership_code}"},
                    {"area_code": "{force_code}"},
                ],
                "control": ["area_code"],
            }
        ],
    }
)


@given(st.lists(st.integers(0, 12), min_size=6, max_size=6))
@settings(max_examples=40, deadline=None)
def test_a_rounded_partnership_is_the_sum_of_its_rounded_districts(values: list[int]) -> None:
    inner = dict(zip(product(FORCE, ("Men", "Women")), values, strict=True))
    people: dict[tuple[str, str], int] = {}
    for (area, sex), count in inner.items():
        wholes = (area, KNOWN.partnerships.get(area), FORCE[area])
        for key in product(filter(None, wholes), (sex, "All")):
            people[key] = people.get(key, 0) + count
    rows: list[Row] = [
        with_wholes({"area_code": area, "sex": sex, "people": count, "status": None}, KNOWN)
        for (area, sex), count in people.items()
    ]
    cube = cube_of({NAME: rows}, {NAME: ROUNDED})
    rounded = rounded_inner(cube, Taken(), {}, b"of a test")
    assert rounded.keys() == {f"people {area} {sex}" for area, sex in inner}
    shown = shown_values(cube, Taken(), rounded)
    for sex in ("Men", "Women", "All"):
        first, second, both = (shown[f"people {area} {sex}"] for area in ("D1", "D2", "P"))
        assert both == (first or 0) + (second or 0)

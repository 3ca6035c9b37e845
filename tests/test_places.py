"""Recorded crime is placed rightly or not at all, whatever lookups have been landed."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.places import World, compiled, counts, faults, placed
from tests.support import Ground

MONTH = date(2018, 10, 1)
FEN, HUNTS = ("E07000010", "Fenland", "F"), ("E07000011", "Huntingdonshire", "F")


@pytest.fixture(scope="module")
def sql(sample: Ground) -> dict[str, str]:
    return compiled(sample)


def lookup(year: int, code: str, name: str, district: str, title: str | None = None):
    """A row of a lookup from small areas of 2011 to districts of a year."""
    return ("lsoa_2011", 2011, year, code, name, district, title)


def crimes(*places: tuple[str | None, str | None, int], month: date = MONTH):
    return [(month, code, name) for code, name, number in places for _ in range(number)]


def known() -> World:
    """Two districts, wholly known, with a stray in a neighbour."""
    return World(
        districts=[FEN, HUNTS],
        lookups=[
            lookup(2017, "E01000001", "Fenland 001A", "E07000010", "Fenland"),
            lookup(2017, "E01000002", "Huntingdonshire 001A", "E07000011", "Huntingdonshire"),
            lookup(2017, "E01000003", "Bedford 001A", "E06000055", "Bedford"),
        ],
        crimes=crimes(
            ("E01000001", "Fenland 001A", 5),
            ("E01000002", "Huntingdonshire 001A", 7),
            ("E01000003", "Bedford 001A", 1),
            (None, None, 2),
        ),
    )


def test_what_the_lookups_know_is_counted(sql: dict[str, str]) -> None:
    made = placed(sql, known())
    assert counts(made) == {
        (MONTH, "E07000010"): 5,
        (MONTH, "E07000011"): 7,
        (MONTH, "F:unlocated"): 2,
        (MONTH, "F:outside"): 1,
    }
    assert faults(made) == {}
    assert faults(made, "int_partnerships__faults") == {}


def test_no_lookup_at_all_leaves_every_district_unknown(sql: dict[str, str]) -> None:
    made = placed(sql, replace(known(), lookups=[]))
    assert counts(made) == {
        (MONTH, "E07000010"): None,
        (MONTH, "E07000011"): None,
        (MONTH, "F:unlocated"): 2,
        (MONTH, "F:outside"): None,
        (MONTH, "F:unplaced"): 13,
    }
    said = faults(made)["no_small_areas"]
    assert "No lookup of small areas is in force" in said and "csp land area_lookups" in said


def test_a_partial_lookup_leaves_its_district_unknown_in_the_months_concerned(
    sql: dict[str, str],
) -> None:
    later = date(2018, 11, 1)
    world = replace(
        known(),
        months=[MONTH, later],
        crimes=[
            *known().crimes,
            *crimes(("E01000009", "Fenland 002A", 3)),
            *crimes(("E01000001", "Fenland 001A", 4), month=later),
        ],
    )
    made = placed(sql, world)
    found = counts(made)
    assert found[MONTH, "E07000010"] is None
    assert found[MONTH, "E07000011"] == 7
    assert found[MONTH, "F:outside"] == 1
    assert found[MONTH, "F:unplaced"] == 8
    assert found[later, "E07000010"] == 4
    assert (later, "F:unplaced") not in found
    said = faults(made)["unplaced_rows"]
    assert "Fenland (E07000010), October 2018: 3 of 8 rows" in said and "E01000009" in said


def test_a_small_area_without_a_name_may_lie_anywhere(sql: dict[str, str]) -> None:
    world = replace(known(), crimes=[*known().crimes, *crimes(("E01000009", None, 1))])
    found = counts(placed(sql, world))
    assert found[MONTH, "E07000010"] is None and found[MONTH, "E07000011"] is None
    assert found[MONTH, "F:outside"] is None
    assert found[MONTH, "F:unplaced"] == 14


def test_another_districts_name_is_outside_though_no_lookup_has_the_code(
    sql: dict[str, str],
) -> None:
    world = replace(known(), crimes=[*known().crimes, *crimes(("E01000009", "Exeter 015G", 3))])
    found = counts(placed(sql, world))
    assert found[MONTH, "F:outside"] == 4
    assert found[MONTH, "E07000010"] == 5


SUFFOLK = World(
    districts=[
        ("E07000245", "West Suffolk", "F"),
        ("E07000244", "East Suffolk", "F"),
        ("E07000202", "Ipswich", "F"),
    ],
    lookups=[
        lookup(2017, "E01000001", "Forest Heath 001A", "E07000201", "Forest Heath"),
        lookup(2017, "E01000002", "Waveney 001A", "E07000206", "Waveney"),
        lookup(2017, "E01000003", "Ipswich 001A", "E07000202", "Ipswich"),
    ],
    lists=[(2018, "E07000201", "Forest Heath"), (2018, "E07000202", "Ipswich")],
    crimes=crimes(
        ("E01000001", "Forest Heath 001A", 36),
        ("E01000002", "Waveney 001A", 35),
        ("E01000003", "Ipswich 001A", 30),
    ),
)

# The same of districts that merged after everything that is known here was published.
MERGED = replace(
    SUFFOLK,
    districts=[
        ("E06000901", "New West", "F"),
        ("E06000902", "New East", "F"),
        ("E07000202", "Ipswich", "F"),
    ],
)


def test_a_district_and_what_became_part_of_it_are_not_both_named(sql: dict[str, str]) -> None:
    world = replace(SUFFOLK, districts=[*SUFFOLK.districts, ("E07000206", "Waveney", "F")])
    said = faults(placed(sql, world), "int_partnerships__faults")
    assert set(said) == {"both_named"}
    assert "Waveney (E07000206) is part of East Suffolk (E07000244)" in said["both_named"]


@pytest.mark.parametrize(
    ("end", "rules"), [(date(2019, 3, 31), set()), (date(2019, 6, 30), {"ceased"})]
)
def test_a_district_that_has_ceased_is_named_once_it_has(
    sql: dict[str, str], end: date, rules: set[str]
) -> None:
    world = replace(
        SUFFOLK,
        districts=[("E07000206", "Waveney", "F"), ("E07000202", "Ipswich", "F")],
        quarter_end=end,
    )
    said = faults(placed(sql, world), "int_partnerships__faults")
    assert set(said) == rules
    if rules:
        assert (
            "Waveney (E07000206) is part of East Suffolk (E07000244) since 1 April 2019"
            in said["ceased"]
        )


def test_districts_that_no_lookup_knows_are_unknown_and_named(sql: dict[str, str]) -> None:
    made = placed(sql, MERGED)
    assert counts(made) == {
        (MONTH, "E06000901"): None,
        (MONTH, "E06000902"): None,
        (MONTH, "E07000202"): 30,
        (MONTH, "F:unlocated"): 0,
        (MONTH, "F:outside"): None,
        (MONTH, "F:unplaced"): 71,
    }
    said = faults(made)["no_small_areas"]
    assert "has small areas of E06000901 (New West), E06000902 (New East)" in said
    names = faults(made, "int_partnerships__faults")["unknown_codes"]
    assert "E06000902 (New East)" in names and "nearest by name" in names


LISTED = World(
    districts=[("E07000244", "East Suffolk", "F"), ("E07000202", "Ipswich", "F")],
    lookups=[
        lookup(2017, "E01000001", "Suffolk Coastal 001A", "E07000205", "Suffolk Coastal"),
        lookup(2017, "E01000002", "Waveney 001A", "E07000206", "Waveney"),
        lookup(2017, "E01000003", "Ipswich 001A", "E07000202", "Ipswich"),
        lookup(2017, "E01000004", "Bedford 001A", "E06000055", "Bedford"),
    ],
    crimes=crimes(
        ("E01000001", "Suffolk Coastal 001A", 3),
        ("E01000002", "Waveney 001A", 4),
        ("E01000003", "Ipswich 001A", 5),
        ("E01000004", "Bedford 001A", 1),
    ),
)


def test_a_lookup_of_the_districts_that_were_merged_places_their_rows(sql: dict[str, str]) -> None:
    made = placed(sql, LISTED)
    assert counts(made) == {
        (MONTH, "E07000244"): 7,
        (MONTH, "E07000202"): 5,
        (MONTH, "F:unlocated"): 0,
        (MONTH, "F:outside"): 1,
    }
    assert faults(made) == {}


def test_a_lookup_of_one_of_the_districts_that_were_merged_does_not_know_the_whole(
    sql: dict[str, str],
) -> None:
    made = placed(sql, replace(LISTED, lookups=LISTED.lookups[1:]))
    found = counts(made)
    assert found[MONTH, "E07000244"] is None
    assert (found[MONTH, "E07000202"], found[MONTH, "F:unplaced"]) == (5, 8)


def test_a_partnership_is_unknown_where_a_district_of_it_is(sql: dict[str, str]) -> None:
    both = {"E07000244": "coast", "E07000202": "coast"}
    assert counts(placed(sql, replace(LISTED, partnerships=both)))[MONTH, "coast"] == 12
    partly = replace(LISTED, partnerships=both, lookups=LISTED.lookups[1:])
    found = counts(placed(sql, partly))
    assert found[MONTH, "E07000202"] == 5
    assert found[MONTH, "coast"] is None


def test_a_lookup_of_a_later_edition_places_what_the_older_one_does_not(
    sql: dict[str, str],
) -> None:
    later = [
        lookup(2019, "E01000001", "Forest Heath 001A", "E06000901", "New West"),
        lookup(2019, "E01000002", "Waveney 001A", "E06000902", "New East"),
    ]
    made = placed(sql, replace(MERGED, lookups=[*MERGED.lookups, *later]))
    found = counts(made)
    assert (found[MONTH, "E06000901"], found[MONTH, "E06000902"]) == (36, 35)
    assert found[MONTH, "F:outside"] == 0
    assert faults(made) == {}


def test_the_series_of_a_district_that_has_ceased_ends(sql: dict[str, str]) -> None:
    """What lies there since is in the force's remainder, for its successor is not named."""
    last, first = date(2019, 3, 1), date(2019, 4, 1)
    rows = [
        *crimes(("E01000002", "Waveney 001A", 5), month=last),
        *crimes(("E01000002", "Waveney 001A", 3), month=first),
    ]
    world = replace(
        SUFFOLK,
        districts=[("E07000206", "Waveney", "F"), ("E07000202", "Ipswich", "F")],
        crimes=rows,
        months=[last, first],
        quarter_end=date(2019, 6, 30),
    )
    found = counts(placed(sql, world))
    assert (found[last, "E07000206"], found[first, "E07000206"]) == (5, None)
    assert found[first, "F:unplaced"] == 3
    assert (last, "F:unplaced") not in found


def test_a_later_edition_of_a_few_areas_does_not_make_the_others_outside(
    sql: dict[str, str],
) -> None:
    few = lookup(2019, "E01000009", "Waveney 002A", "E06000902", "New East")
    some = lookup(2019, "E01000008", "Forest Heath 002A", "E06000901", "New West")
    world = replace(
        MERGED,
        lookups=[*MERGED.lookups, few, some],
        crimes=[*MERGED.crimes, *crimes(("E01000009", "Waveney 002A", 5))],
    )
    made = placed(sql, world)
    found = counts(made)
    assert found[MONTH, "E06000902"] is None and found[MONTH, "E06000901"] is None
    assert found[MONTH, "F:unplaced"] == 76
    assert "New East (E06000902), October 2018: 35 of 40 rows" in faults(made)["unplaced_rows"]


def test_editions_disagree_and_the_one_that_serves_counts(sql: dict[str, str]) -> None:
    lookups = [
        *known().lookups,
        ("lsoa_2021", 2021, 2022, "E01000001", "Fenland 001A", "E07000011", "Huntingdonshire"),
        # Beyond the forces served, nothing is judged.
        ("lsoa_2021", 2021, 2022, "E01000003", "Bedford 001A", "E06000056", "Elsewhere"),
    ]
    made = placed(sql, replace(known(), lookups=lookups))
    assert counts(made)[MONTH, "E07000011"] == 12
    said = faults(made)["disputed_small_areas"]
    assert said.startswith("The lookups in force disagree on 1 small areas")
    assert "E01000001 is in E07000010 by the edition of 2017, E07000011 by the edition of 2022" in (
        said
    )


def test_an_area_split_over_two_districts_is_not_placed(sql: dict[str, str]) -> None:
    parts = [
        (2022, "E01000009", "E01000090", "E07000010"),
        (2022, "E01000009", "E01000091", "E07000011"),
        (2022, "E01000008", "E01000080", "E07000010"),
        (2022, "E01000008", "E01000081", "E07000010"),
    ]
    world = replace(
        known(),
        parts=parts,
        crimes=[
            *known().crimes,
            *crimes(("E01000008", "Fenland 002A", 2), ("E01000091", "Huntingdonshire 002B", 1)),
        ],
    )
    made = placed(sql, world)
    assert counts(made)[MONTH, "E07000010"] == 7
    assert counts(made)[MONTH, "E07000011"] == 8
    split = replace(world, crimes=[*world.crimes, *crimes(("E01000009", "Fenland 003A", 4))])
    made = placed(sql, split)
    found = counts(made)
    assert found[MONTH, "E07000010"] is None and found[MONTH, "E07000011"] is None
    assert found[MONTH, "F:outside"] == 1
    assert "so its rows are not placed" in faults(made)["disputed_small_areas"]


def test_a_force_whose_rows_lie_in_unnamed_districts_is_not_whole(sql: dict[str, str]) -> None:
    world = replace(
        known(),
        districts=[FEN],
        crimes=crimes(
            ("E01000001", "Fenland 001A", 50),
            ("E01000002", "Huntingdonshire 001A", 100),
            ("E01000003", "Bedford 001A", 1),
        ),
    )
    made = placed(sql, world)
    assert counts(made)[MONTH, "E07000010"] == 50
    assert made.execute(
        "select is_whole from intermediate.int_force_districts__named"
    ).fetchall() == [(False,)]
    said = faults(made)["unnamed_districts"]
    assert "100 of the force's 151 rows lie in Huntingdonshire (E07000011) (100 rows)" in said
    assert "Bedford" not in said
    completed = replace(
        world,
        forces=[
            (2018, "E07000010", "Fenland", "F"),
            (2018, "E07000011", "Huntingdonshire", "F"),
            (2018, "E06000055", "Bedford", "G"),
        ],
    )
    made = placed(sql, completed)
    assert counts(made)[MONTH, "E07000011"] == 100
    assert faults(made) == {}


def test_names_and_forces_of_the_partnerships_file_are_compared(sql: dict[str, str]) -> None:
    world = replace(
        known(),
        districts=[("E07000010", "Fenlands", "F"), HUNTS],
        forces=[(2018, "E07000011", "Huntingdonshire", "G")],
    )
    said = faults(placed(sql, world), "int_partnerships__faults")
    assert "E07000010 is 'Fenlands' in the file and 'Fenland' in the lookups" in said["other_names"]
    assert "E07000011 (Huntingdonshire) is under F" in said["other_forces"]


# --- any world -------------------------------------------------------------------------------

OLD = {"O1": "Mere", "O2": "Marsh", "O3": "Moor", "O4": "Down", "O5": "Heath"}
NEW = {"O1": "Mere", "N2": "Wetland", "O4": "Down", "N5": "Heathland"}
SUCCESSOR = {"O1": "O1", "O2": "N2", "O3": "N2", "O4": "O4", "O5": "N5"}
SERVED = ("O1", "N2")
"""Of the force: Mere, unchanged, and Wetland, which succeeded Marsh and Moor in 2019."""

SMALL_AREAS_2011 = {
    f"E0101{place}{number}": (district, f"{OLD[district]} 00{number}A")
    for place, district in enumerate(OLD)
    for number in range(1, 5)
}
# Of each district's four, one was split: its two parts have new codes and today's district's name.
SMALL_AREAS_2021 = {
    code: (SUCCESSOR[district], name.replace(OLD[district], NEW[SUCCESSOR[district]]))
    for code, (district, name) in SMALL_AREAS_2011.items()
    if not code.endswith("4")
} | {
    f"E0103{place}{part}": (SUCCESSOR[district], f"{NEW[SUCCESSOR[district]]} 00{place}{part}")
    for place, district in enumerate(OLD)
    for part in "BC"
}
TRUTH = {code: SUCCESSOR[district] for code, (district, _) in SMALL_AREAS_2011.items()} | {
    code: district for code, (district, _) in SMALL_AREAS_2021.items()
}

ROWS_2017 = [
    lookup(2017, code, name, district, OLD[district])
    for code, (district, name) in SMALL_AREAS_2011.items()
]
ROWS_2022 = [
    ("lsoa_2021", 2021, 2022, code, name, district, NEW[district])
    for code, (district, name) in SMALL_AREAS_2021.items()
]


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any part of the lookups of 2017 and 2022, and rows in any small areas of either year."""
    lookups = [
        row for rows in (ROWS_2017, ROWS_2022) for row in draw(st.lists(st.sampled_from(rows)))
    ]
    years = st.sampled_from([SMALL_AREAS_2011, SMALL_AREAS_2021])
    places = draw(
        st.lists(
            st.one_of(
                years.flatmap(lambda areas: st.sampled_from(sorted(areas.items()))).map(
                    lambda found: (found[0], found[1][1])
                ),
                st.sampled_from(sorted(TRUTH)).map(lambda code: (code, None)),
                st.just((None, None)),
            ),
            max_size=25,
        )
    )
    return World(
        districts=[(code, NEW[code], "F") for code in SERVED],
        lookups=sorted(set(lookups)),
        # A list of each year, without which a name that nobody knows is all there is to go by.
        lists=[(2018, code, name) for code, name in OLD.items()],
        crimes=[(MONTH, code, name) for code, name in places],
    )


def test_a_predecessor_that_no_lookup_has_may_be_one_of_a_merged_district(
    sql: dict[str, str],
) -> None:
    """Marsh became Wetland, by the lookups; that Moor did too, they do not say."""
    marsh = "E010111"
    world = World(
        districts=[(code, NEW[code], "F") for code in SERVED],
        lookups=[
            lookup(2017, marsh, "Marsh 001A", "O2", "Marsh"),
            ("lsoa_2021", 2021, 2022, marsh, "Wetland 001A", "N2", "Wetland"),
        ],
        lists=[(2018, code, name) for code, name in OLD.items()],
        crimes=[(MONTH, "E010121", "Moor 001A")],
    )
    assert counts(placed(sql, world))[MONTH, "N2"] is None


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(world=worlds())
def test_a_count_is_right_or_unknown_whatever_is_landed(sql: dict[str, str], world: World) -> None:
    found = counts(placed(sql, world))
    true = Counter(
        "F:unlocated" if code is None else TRUTH[code] if TRUTH[code] in SERVED else "F:outside"
        for _, code, _ in world.crimes
    )
    assert sum(number or 0 for number in found.values()) == len(world.crimes)
    for area in (*SERVED, "F:unlocated", "F:outside"):
        assert found[MONTH, area] in (None, true[area]), area
    assert found[MONTH, "F:unlocated"] == true["F:unlocated"]


@settings(max_examples=20, deadline=None)
@given(world=worlds())
def test_nothing_is_unknown_where_all_lookups_are_landed(sql: dict[str, str], world: World) -> None:
    found = counts(placed(sql, replace(world, lookups=[*ROWS_2017, *ROWS_2022])))
    codes = [code for _, code, _ in world.crimes if code]
    merged = any(SMALL_AREAS_2011.get(code, ("",))[0] in ("O2", "O3") and code.endswith("4")
                 for code in codes)  # fmt: skip
    assert found[MONTH, "O1"] == sum(TRUTH[code] == "O1" for code in codes)
    if not merged and not any(code.endswith("4") for code in codes):
        assert None not in found.values()

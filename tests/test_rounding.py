"""Controlled small-count rounding: the rounding itself, the cubes, and the attack on them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.disclosure import release_rounding, rounding_step
from orchestration.disclosure.confidence_limits import wilson
from orchestration.disclosure.declarations import Row
from orchestration.disclosure.release_protection import disclose
from orchestration.disclosure.release_rounding import SWITCHED_OFF
from orchestration.disclosure.rounded_rows import rounded_rows
from orchestration.disclosure.rounding_attack import Rounding, safe_rounding
from orchestration.disclosure.rounding_cube import (
    Changes,
    Cube,
    Taken,
    cube_of,
    rounded_inner,
    shown_values,
)
from orchestration.disclosure.rounding_declarations import (
    RoundedCount,
    RoundedDeclaration,
    rounded_declarations,
)
from orchestration.disclosure.rounding_error import RoundingError
from orchestration.disclosure.rounding_system import Beside
from orchestration.disclosure.small_count_rounding import (
    InnerCount,
    possible_values,
    round_counts,
)
from orchestration.disclosure.table_assembly import Wholes, with_wholes
from orchestration.disclosure.table_model import Cell, Publication, Relation
from orchestration.errors import DisclosureError
from orchestration.publish.published_tables import ROUNDED_NOTE
from tests.support import Ground

SECRET = b"of a test"
NAME = "marts.known"
FORCES = Wholes({"D1": "F", "D2": "F"})
NOTHING = Beside({}, frozenset(), Publication({}, (), (), ()))

DECLARED = RoundedDeclaration.model_validate(
    {
        "method": "rounded",
        "counts": [
            {
                "column": "people",
                "cell": "people {area_code} {sex} {need}",
                "sums": [{"sex": "All"}, {"need": "All"}, {"area_code": "{force_code}"}],
                "control": ["area_code"],
            }
        ],
    }
)

counts = st.lists(st.integers(0, 40), min_size=1, max_size=40)


def inner(values: Sequence[int], group: str = "g", step: int | None = None) -> list[InnerCount]:
    return [
        InnerCount(f"c{place}", value, f"seed {place}", group, step)
        for place, value in enumerate(values)
    ]


@given(counts)
@settings(max_examples=60, deadline=None)
def test_only_counts_of_one_to_four_change_and_become_none_or_five(values: list[int]) -> None:
    rounded = round_counts(inner(values), SECRET)
    for count in inner(values):
        shown = rounded[count.key]
        assert shown in ((0, 5) if 0 < count.value < 5 else (count.value,))
        least, greatest = possible_values(shown, None)
        assert least <= count.value <= greatest


@given(counts, st.sampled_from((5, 10, 40)))
@settings(max_examples=60, deadline=None)
def test_counts_with_a_step_become_a_multiple_of_it_beside_them(
    values: list[int], step: int
) -> None:
    rounded = round_counts(inner(values, step=step), SECRET)
    for count in inner(values):
        shown = rounded[count.key]
        assert shown % step == 0
        assert abs(shown - count.value) < step
        least, greatest = possible_values(shown, step)
        assert least <= count.value <= greatest


@given(counts, st.sampled_from((None, 5, 10)))
@settings(max_examples=60, deadline=None)
def test_the_total_of_a_group_is_less_than_its_step_off(
    values: list[int], step: int | None
) -> None:
    rounded = round_counts(inner(values, step=step), SECRET)
    assert abs(sum(rounded.values()) - sum(values)) < (step or 5)


@given(counts, st.integers(0, 39), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_a_change_elsewhere_changes_at_most_two_counts_of_its_group(
    values: list[int], place: int, other: int
) -> None:
    place %= len(values)
    before = round_counts(inner(values), SECRET)
    after = round_counts(inner([*values[:place], other, *values[place + 1 :]]), SECRET)
    changed = [key for key in before if key != f"c{place}" and before[key] != after[key]]
    assert len(changed) <= 2


@given(counts)
@settings(max_examples=30, deadline=None)
def test_order_and_other_groups_change_nothing(values: list[int]) -> None:
    others = [replace(count, key=f"x{count.key}", group="h") for count in inner(values)]
    alone = round_counts(inner(values), SECRET)
    together = round_counts([*others, *reversed(inner(values))], SECRET)
    assert {key: together[key] for key in alone} == alone


def test_the_same_people_are_rounded_alike_in_every_period() -> None:
    def of(period: str) -> dict[str, int]:
        return {
            key.split()[1]: value
            for key, value in round_counts(
                [
                    InnerCount(f"{period} {place}", 1 + place % 4, f"people {place}", f"g {period}")
                    for place in range(40)
                ],
                SECRET,
            ).items()
        }

    assert of("2018-03-31") == of("2018-06-30")


def test_another_secret_rounds_otherwise() -> None:
    values = [1 + place % 4 for place in range(60)]
    assert round_counts(inner(values), SECRET) != round_counts(inner(values), b"another")


def test_counts_go_up_as_often_as_they_are_near_to_five() -> None:
    for value in (1, 2, 3, 4):
        ups = sum(
            round_counts([InnerCount("c", value, f"s{n}", f"g{n}")], SECRET)["c"] == 5
            for n in range(2000)
        )
        assert ups / 2000 == pytest.approx(value / 5, abs=0.05)


def test_a_whole_is_no_less_than_its_part_and_a_part_no_more_than_its_whole() -> None:
    whole = round_counts([InnerCount("w", 6, "s", step=5, at_least=10)], SECRET)
    part = round_counts([InnerCount("p", 3, "s", at_most=0)], SECRET)
    assert (whole, part) == ({"w": 10}, {"p": 0})


def rows(cells: Mapping[tuple[str, str, str], int]) -> list[Row]:
    """A cube of areas, sexes and needs with all its totals."""
    found: dict[tuple[str, str, str], int] = {}
    for (area, sex, need), value in cells.items():
        for key in [(a, s, n) for a in (area, "F") for s in (sex, "All") for n in (need, "All")]:
            found[key] = found.get(key, 0) + value
    return [
        with_wholes({"area_code": a, "sex": s, "need": n, "people": value, "status": None}, FORCES)
        for (a, s, n), value in found.items()
    ]


def cells(values: Sequence[int]) -> dict[tuple[str, str, str], int]:
    places = [(a, s, n) for a in ("D1", "D2") for s in ("Men", "Women") for n in ("x", "y", "z")]
    return dict(zip(places, values, strict=True))


twelve = st.lists(st.integers(0, 15), min_size=12, max_size=12)


def made(values: Sequence[int]) -> Cube:
    return cube_of({NAME: rows(cells(values))}, {NAME: DECLARED})


@given(twelve)
@settings(max_examples=25, deadline=None)
def test_a_rounded_cube_adds_up_and_its_totals_say_no_more(values: list[int]) -> None:
    cube = made(values)
    rounded = rounded_inner(cube, Taken(), {}, SECRET)
    shown = shown_values(cube, Taken(), rounded)
    assert rounded.keys() == {f"people {a} {s} {n}" for a, s, n in cells(values)}
    for whole, ways in cube.wholes.items():
        for parts in ways.values():
            assert shown[whole] == sum(shown[part] or 0 for part in parts)


@given(twelve)
@settings(max_examples=15, deadline=None)
def test_nothing_small_is_known_beside_exact_totals(values: list[int]) -> None:
    """An independent look: all ways of filling a cube of one area, by trying them."""
    cube = made(values)
    exact = {key: cube.values[key] for key in ("people D1 All All", "people D2 All All")}
    kept = {key: value for key, value in exact.items() if value >= 5 or not value}
    taken = Taken(kept)
    beside = Beside(
        {key: Cell(key, value) for key, value in kept.items()},
        frozenset(),
        Publication({key: (value, value) for key, value in kept.items()}, (), (), ()),
    )
    found = safe_rounding(cube, taken, beside, {}, SECRET)
    assert not found.findings
    for area in ("D1", "D2"):
        keys = [key for key in found.inner if f" {area} " in key]
        possible = _possible(cube, keys, found, kept.get(f"people {area} All All"))
        for key in keys:
            if 0 < cube.values[key] < 5:
                seen = possible[key]
                assert len(seen) > 1
                assert min(seen) == 0 or max(seen) >= 5


def _possible(
    cube: Cube, keys: Sequence[str], found: Rounding, total: int | None
) -> dict[str, set[int]]:
    """Return what each count can be, by adding up intervals one count after another."""
    bounds = {}
    for key in keys:
        shown = found.inner[key]
        step = found.changes.step(cube, key)
        bounds[key] = (0, 60) if shown is None else possible_values(shown, step)
    seen: dict[str, set[int]] = {}
    for key in keys:
        reach = {0}
        for other in keys:
            if other != key:
                low, high = bounds[other]
                reach = {sum_ + value for sum_ in reach for value in range(low, high + 1)}
        low, high = bounds[key]
        seen[key] = {
            value for value in range(low, high + 1) if total is None or total - value in reach
        }
    return seen


@given(twelve, st.integers(0, 11), st.integers(1, 6), st.binary(min_size=4, max_size=4))
@settings(max_examples=40, deadline=None)
def test_nothing_small_is_known_from_a_build_and_its_correction(
    values: list[int], place: int, more: int, secret: bytes
) -> None:
    """An independent look at two builds of which one count was corrected, with exact totals."""
    revised = [*values[:place], values[place] + more, *values[place + 1 :]]
    old, new = made(values), made(revised)
    totals = [_exact_totals(cube) for cube in (old, new)]
    first = safe_rounding(old, Taken(totals[0]), _exactly(totals[:1]), {}, secret)
    assert first.build is not None
    beside = replace(_exactly(totals), earlier=(first.build,))
    second = safe_rounding(new, Taken(totals[1]), beside, {}, secret)
    assert not second.findings
    (corrected,) = [key for key in first.inner if old.values[key] != new.values[key]]
    for area in ("D1", "D2"):
        keys = [key for key in first.inner if f" {area} " in key]
        total = f"people {area} All All"
        seen = _possible_in_both(
            {key: [_bounds(cube, one, key) for cube, one in ((old, first), (new, second))]
             for key in keys},
            corrected,
            [known.get(total) for known in totals],
        )  # fmt: skip
        for key in keys:
            if key != corrected and 0 < old.values[key] < 5:
                assert len(seen[key]) > 1
                assert min(seen[key]) == 0 or max(seen[key]) >= 5


def _exact_totals(cube: Cube) -> dict[str, int]:
    known = {key: cube.values[key] for key in ("people D1 All All", "people D2 All All")}
    return {key: value for key, value in known.items() if value >= 5 or not value}


def _exactly(totals: Sequence[Mapping[str, int]]) -> Beside:
    """The protected tables: the totals of the last build, and those of the one before it."""
    cells = {key: Cell(key, value) for key, value in totals[-1].items()}
    for key, value in totals[0].items():
        name = key if key not in cells else f"{key} (before 1)"
        if cells.get(key, Cell(key, -1)).value != value:
            cells[name] = Cell(name, value)
    bounds = {key: (cell.value, cell.value) for key, cell in cells.items()}
    return Beside(cells, frozenset(), Publication(bounds, (), (), ()))


def _bounds(cube: Cube, found: Rounding, key: str) -> tuple[int, int]:
    shown = found.inner[key]
    return (0, 60) if shown is None else possible_values(shown, found.changes.step(cube, key))


def _possible_in_both(
    bounds: Mapping[str, Sequence[tuple[int, int]]],
    corrected: str,
    totals: Sequence[int | None],
) -> dict[str, set[int]]:
    """Return what each count can be that has not changed, by trying all sums of the others."""
    same = {
        key: range(max(one[0] for one in pairs), min(one[1] for one in pairs) + 1)
        for key, pairs in bounds.items()
        if key != corrected
    }
    own = bounds.get(corrected, ((0, 0), (0, 0)))
    seen: dict[str, set[int]] = {}
    for key, values in same.items():
        reach = {0}
        for other, open_values in same.items():
            if other != key:
                reach = {sum_ + value for sum_ in reach for value in open_values}
        seen[key] = {
            value for value in values
            if any(
                all(total is None or least <= total - sum_ - value <= most
                    for total, (least, most) in zip(totals, own, strict=True))
                for sum_ in reach
            )
        }  # fmt: skip
    return seen


def test_a_lone_small_count_beside_an_exact_total_is_not_left_open() -> None:
    """Rounding alone would give it away: the other count is exact, and so is the total."""
    values = [30, 0, 0, 3, 0, 0, 20, 20, 20, 20, 20, 20]
    cube = made(values)
    total = {"people D1 All All": 33}
    beside = Beside(
        {key: Cell(key, value) for key, value in total.items()},
        frozenset(),
        Publication({"people D1 All All": (33, 33)}, (), (), ()),
    )
    found = safe_rounding(cube, Taken(total), beside, {}, SECRET)
    assert found.rounds > 0
    assert "people D1 Men x" in found.changes.broad | found.changes.hidden


def test_what_a_protected_table_prints_or_hides_has_the_same_value() -> None:
    cube = made([3, 7, 9, 2, 8, 6, 9, 9, 9, 9, 9, 9])
    taken = Taken({"people D2 All All": 54}, frozenset({"people D1 All All"}))
    shown = shown_values(cube, taken, rounded_inner(cube, taken, {}, SECRET))
    assert shown["people D2 All All"] == 54
    assert shown["people D1 All All"] is None


def test_totals_hold_a_hidden_count_in_tens_where_most_of_them_is_shown() -> None:
    cube = made([13, 7, 9, 2, 8, 6, 90, 90, 90, 90, 90, 90])
    hidden = "people D1 Men x"
    rounded = rounded_inner(cube, Taken(), {}, SECRET, Changes(hidden={hidden}))
    assert rounded[hidden] in (10, 20)
    shown = shown_values(cube, Taken(), rounded, {hidden})
    assert shown[hidden] is None
    others = [shown[key] or 0 for key in rounded if key != hidden]
    assert shown["people F All All"] == sum(others) + rounded[hidden]
    # Of a man in D1 more than half may be the hidden count's.
    assert shown["people D1 All x"] is None
    lost = shown_values(cube, Taken(), {**rounded, hidden: None}, {hidden})
    assert lost["people F All All"] is None
    assert lost["people F Women All"] is not None


def test_rows_carry_proportions_of_the_rounded_counts_and_say_what_is_few() -> None:
    declared = RoundedDeclaration.model_validate(
        {
            "method": "rounded",
            "counts": [
                {"column": "people", "cell": "people {area_code}"},
                {"column": "all_people", "cell": "all {area_code}", "broad": True},
            ],
            "proportions": [
                {"value": "share", "of": "people", "base": "all_people", "lower": "lower"}
            ],
        }
    )
    row = {"share": 0.1, "lower": 0.0, "status": None, "force_code": "F"}
    given_rows = [
        {**row, "area_code": "A", "people": 3, "all_people": 31},
        {**row, "area_code": "B", "people": 2, "all_people": 9},
        {**row, "area_code": "C", "people": 2, "all_people": 9},
    ]
    values = {"people A": 5, "all A": 30, "people B": 0, "all B": 10, "people C": None, "all C": 10}
    first, second, third = rounded_rows(given_rows, declared, values)
    assert (first["people"], first["all_people"], first["status"]) == (5, 30, None)
    assert first["share"] == pytest.approx(5 / 30)
    assert first["lower"] == pytest.approx(wilson(5, 30).lower)
    (looser, *_) = rounded_rows(given_rows, declared, values, (), lambda key: 4)
    assert looser["lower"] == pytest.approx(wilson(1, 34).lower)
    assert (second["share"], second["lower"], second["status"]) == (0.0, None, "[u]")
    assert (third["people"], third["share"], third["status"]) == (None, None, "[c]")


def test_a_column_of_numbers_that_is_not_declared_is_refused() -> None:
    node = {
        "resource_type": "model",
        "schema": "marts",
        "name": "known",
        "config": {"meta": {"csp": {"publish": True, "disclosure": DECLARED.model_dump()}}},
        "columns": {
            "people": {"data_type": "bigint"},
            "status": {"data_type": "varchar"},
            "true_people": {"data_type": "bigint"},
        },
    }
    with pytest.raises(DisclosureError, match="true_people"):
        rounded_declarations({"nodes": {"n": node}})
    del node["columns"]["true_people"]  # type: ignore[attr-defined]
    assert rounded_declarations({"nodes": {"n": node}}) == {NAME: DECLARED}


def test_a_part_that_no_row_has_is_nobody() -> None:
    declared = RoundedDeclaration.model_validate(
        {
            "method": "rounded",
            "counts": [
                {"column": "people", "cell": "people {need}"},
                {
                    "column": "assessed",
                    "cell": "assessed",
                    "made_of": ["people Identified", "people Not identified"],
                },
            ],
        }
    )
    row = {"need": "Not identified", "people": 7, "assessed": 7, "status": None}
    cube = cube_of({NAME: [row]}, {NAME: declared})
    shown = shown_values(cube, Taken(), rounded_inner(cube, Taken(), {}, SECRET))
    assert shown == {"people Not identified": 7, "assessed": 7}


def test_parts_that_do_not_add_up_are_refused() -> None:
    wrong = [
        {**row, "people": 99} if row["area_code"] == "F" else row for row in rows(cells([5] * 12))
    ]
    with pytest.raises(DisclosureError):
        cube_of({NAME: wrong}, {NAME: DECLARED})


COMPARED = RoundedDeclaration.model_validate(
    {
        "method": "rounded",
        "counts": [
            {"column": "people", "cell": "people {area_code}"},
            {"column": "all_people", "cell": "all {area_code}"},
        ],
        "comparison": {
            "of": "people", "base": "all_people", "compared": "compared", "lower": "lower",
            "difference": "difference", "upper": "upper",
        },
    }
)  # fmt: skip


@pytest.mark.parametrize(("off", "verdict"), [(0, "higher"), (4, "similar")])
def test_areas_differ_only_where_they_do_whatever_was_rounded_away(off: int, verdict: str) -> None:
    row = with_wholes(
        {
            "people": 20,
            "all_people": 60,
            "status": None,
            "area_code": "D1",
            "area_type": "district",
        },
        FORCES,
    )
    values = {"people D1": 20, "all D1": 60, "people F": 120, "all F": 600}
    (made_row,) = rounded_rows([row], COMPARED, values, (), lambda key: off)
    assert made_row["compared"] == verdict
    assert made_row["difference"] == pytest.approx(20 / 60 - 100 / 540)
    assert made_row["lower"] < made_row["difference"] < made_row["upper"]
    (few,) = rounded_rows([row], COMPARED, {**values, "all D1": None}, (), lambda key: off)
    assert few["compared"] is None


@given(twelve, st.binary(min_size=4, max_size=4))
@settings(max_examples=60, deadline=None)
def test_counts_and_totals_of_a_group_are_no_further_off_than_is_said(
    values: list[int], secret: bytes
) -> None:
    cube = made(values)
    changes = Changes(hidden={"people D2 Men y"})
    rounded = rounded_inner(cube, Taken(), {}, secret, changes)
    error = RoundingError(cube, Taken(), rounded, changes)
    for key in rounded:
        assert abs(rounded[key] - cube.values[key]) <= error.of(key) <= 9
    # An area's counts are rounded together; of the force's no more is known than of two areas.
    shown = shown_values(cube, Taken(), rounded)
    assert abs((shown["people D1 All All"] or 0) - sum(values[:6])) <= 4
    assert error.of("people D1 All All") <= 4
    assert error.of("people F All All") <= 11
    assert RoundingError(cube, Taken({"people D1 Men x": 3}), {}, changes).of("people F Men x") == 0


def test_differences_and_margins_are_of_the_counts_as_they_are_shown() -> None:
    declared = RoundedDeclaration.model_validate(
        {
            "method": "rounded",
            "counts": [
                {"column": "responses", "cell": "now {area_code}", "broad": True},
                {"column": "before", "cell": "before {area_code}", "broad": True},
            ],
            "differences": [
                {"value": "gap", "of": "responses", "less": "before", "percent": "gap_percent"}
            ],
            "margins": [{"value": "margin", "base": "responses"}],
        }
    )
    # What is true of each row is 1 everywhere: nothing of it may be left.
    row = {"responses": 1, "before": 1, "gap": 1, "gap_percent": 1.0, "margin": 1.0, "status": None}
    given_rows = [{**row, "area_code": area} for area in "ABC"]
    given_rows.append({**row, "area_code": "D", "before": None})
    values = {
        "now A": 100, "before A": 80, "now B": 100, "before B": 15, "now C": None, "before C": 80,
        "now D": 10,
    }  # fmt: skip
    first, second, third, fourth = rounded_rows(given_rows, declared, values, (), lambda key: 4)
    assert (first["gap"], first["gap_percent"], first["status"]) == (20, 25.0, None)
    limits = wilson(48, 96)
    assert first["margin"] == pytest.approx(50 * (limits.upper - limits.lower))
    assert (second["gap"], second["gap_percent"], second["status"]) == (85, None, "[u]")
    assert (third["gap"], third["gap_percent"], third["margin"], third["status"]) == (
        None, None, None, "[c]",
    )  # fmt: skip
    # Without a wave before there is no difference; of few responses there is no margin.
    assert (fourth["gap"], fourth["gap_percent"], fourth["margin"]) == (None, None, None)
    assert fourth["status"] == "[u]"


def test_two_tables_may_divide_one_whole_in_two_ways() -> None:
    def declared(kind: str) -> RoundedDeclaration:
        return RoundedDeclaration.model_validate(
            {
                "method": "rounded",
                "plain": ["row"],
                "counts": [
                    {"column": "people", "cell": f"{kind} {{row}}", "divides": "everyone"},
                    {"column": "everyone", "cell": "everyone"},
                ],
            }
        )

    def rows(*counts: int) -> list[dict[str, object]]:
        return [
            {"row": number, "people": count, "everyone": 30, "status": None}
            for number, count in enumerate(counts)
        ]

    made = cube_of(
        {"by_age": rows(10, 20), "by_sex": rows(7, 8, 15)},
        {"by_age": declared("age"), "by_sex": declared("sex")},
    )
    assert sorted(map(len, made.divided.values())) == [2, 3]


# --- the sample ------------------------------------------------------------------------------

ROUNDED = {
    "marts.need_pathways": ("assessed", "not_assessed", "identified"),
    "marts.need_complexity": ("offenders",),
    "marts.probation_profile": ("people", "caseload"),
    "marts.youth_offenders": ("young_people",),
    "marts.iom_cohort": ("people", "people_all"),
    "marts.prison_accommodation_need": ("with_need", "assessed"),
    "marts.offender_age_and_sex": ("offenders",),
    "marts.survey_responses": ("responses",),
    "reports.page_age_and_sex": ("men", "women"),
    "reports.table_4_need_complexity": ("offenders",),
    "reports.figure_5_nps_profile": ("people",),
    "reports.figure_6_prison_and_youth_need": ("with_need", "assessed"),
}


@pytest.fixture
def release(sample: Ground) -> duckdb.DuckDBPyConnection:
    """The published sample with the restricted one beside it."""
    connection = duckdb.connect()
    connection.execute(f"attach '{sample.settings.published / 'csp.duckdb'}' as csp (read_only)")
    connection.execute(f"attach '{sample.settings.warehouse}' as restricted (read_only)")
    return connection


@pytest.mark.parametrize(("table", "columns"), ROUNDED.items())
def test_published_counts_are_rounded_or_as_a_report_table_prints_them(
    release: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]
) -> None:
    for column in columns:
        ((small, exact, rows),) = release.execute(
            f"select count(*) filter ({column} between 1 and 4), "
            f"count(*) filter ({column} % 5 <> 0), count(*) from csp.{table}"
        ).fetchall()
        assert rows
        assert small == 0, column
        # What is no multiple of 5 is taken over from a protected table.
        assert exact < rows / 3, column
    # The restricted side has such counts: the test above could fail.
    assert release.execute(
        "select count(*) from restricted.marts.need_pathways where identified between 1 and 4"
    ).fetchone() != (0,)


def test_needs_are_near_the_truth_and_as_table_3_prints_or_hides_them(
    release: duckdb.DuckDBPyConnection,
) -> None:
    rows = release.execute(
        "select shown.identified, printed.offenders, printed.status from csp.marts.need_pathways "
        "as shown inner join csp.reports.table_3_oasys_pathways as printed "
        "using (cohort, period_end, area_code, pathway) "
        "where shown.sex = 'All' and shown.offence_group = 'All'"
    ).fetchall()
    assert len(rows) == 100
    assert all(shown == printed for shown, printed, _ in rows)
    ((off, far),) = release.execute(
        "select max(abs(shown.identified - truth.identified)), "
        "avg(abs(shown.identified - truth.identified) / truth.identified) "
        "filter (truth.identified >= 20) "
        "from csp.marts.need_pathways as shown inner join restricted.marts.need_pathways as truth "
        "using (cohort, period_end, area_code, sex, offence_group, pathway) "
        "where shown.cohort = 'NPS' and truth.area_type <> 'force' and truth.sex = 'All' "
        "and truth.offence_group = 'All'"
    ).fetchall()
    assert off <= 15
    assert far <= 0.06


def test_table_and_mart_show_one_value_for_one_count(
    release: duckdb.DuckDBPyConnection,
) -> None:
    differing = release.execute(
        "select count(*), count(*) filter (mart.offenders is distinct from report.offenders) "
        "from csp.marts.need_complexity as mart "
        "inner join csp.reports.table_4_need_complexity as report "
        "on mart.cohort = report.cohort and mart.period_end = report.period_end "
        "and mart.area_code = report.area_code and mart.complexity = report.assessed_needs"
    ).fetchall()
    assert differing == [(120, 0)]


def test_frequencies_ages_and_responses_have_the_values_of_the_tables_that_print_them(
    release: duckdb.DuckDBPyConnection,
) -> None:
    """Of the rows that Table 2 has by themselves: it may print some of them as one."""
    for mart, report, on, column in (
        (
            "offending_frequency", "table_2_offending_frequency",
            "report.number_of_offences = mart.offences_band", "offenders",
        ),
        (
            "offender_age_and_sex", "figure_2_offender_profile",
            "mart.sex = 'All' and report.dimension = 'Age Group' "
            "and report.category = mart.age_group", "offenders",
        ),
        (
            "offender_age_and_sex", "figure_2_offender_profile",
            "mart.age_group = 'All' and report.dimension = 'Gender' "
            "and report.category = mart.sex", "offenders",
        ),
        (
            "prison_release_accommodation", "page_prison_releases",
            "mart.prison = report.prison", "no_accommodation",
        ),
    ):  # fmt: skip
        ((rows, differing),) = release.execute(
            f"select count(*), count(*) filter (mart.{column} is distinct from report.{column}) "
            f"from csp.marts.{mart} as mart inner join csp.reports.{report} as report "
            f"on mart.area_code = report.area_code and mart.period_start = report.period_start "
            f"and {on}"
        ).fetchall()
        assert rows and not differing, (mart, rows, differing)
    ((rows, differing),) = release.execute(
        "select count(*), count(*) filter (mart.responses is distinct from answers.responses) "
        "from csp.marts.survey_responses as mart "
        "inner join csp.marts.survey_perceptions as answers using (area_code, period_start)"
    ).fetchall()
    assert rows and not differing


def test_readers_are_told_the_method(release: duckdb.DuckDBPyConnection) -> None:
    notes = release.execute(
        "select note from csp.main.published_tables where table_name = 'need_pathways'"
    ).fetchall()
    assert [ROUNDED_NOTE in note for (note,) in notes] == [True]


def test_what_nothing_can_change_is_found_in_the_end() -> None:
    """A count that protected tables alone give away is no matter of rounding, but is not missed."""
    cube = made([9] * 12)
    cells_beside = {"a": Cell("a", 3), "b": Cell("b", 9), "t": Cell("t", 12)}
    published = Publication(
        {"a": (1, 1_000_000), "b": (9, 9), "t": (12, 12)},
        (Relation((("t", 1), ("a", -1), ("b", -1))),),
        (),
        ("a",),
    )
    found = safe_rounding(
        cube, Taken(), Beside(cells_beside, frozenset({"a"}), published), {}, SECRET
    )
    assert [finding.key for finding in found.findings] == ["a"]
    assert set(found.inner.values()) == {None}


def test_rounded_tables_are_withheld_where_the_settings_say_so() -> None:
    counts = RoundedCount(column="people", cell="people {area}")
    declared = {"marts.cohort": RoundedDeclaration(method="rounded", counts=(counts,))}
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema marts; create schema intermediate")
        connection.execute(
            "create table intermediate.int_areas__listed (area_code varchar, force_code varchar, "
            "partnership_code varchar, area_type varchar)"
        )
        connection.execute(
            "create table marts.cohort as select 'A' as area, 7 as people, null::varchar as status"
        )
        outcome = disclose(
            connection, date(2018, 4, 1), {}, [], declared, b"secret", publish_rounded=False
        )
        assert outcome.withheld == {"marts.cohort": SWITCHED_OFF}
        assert (outcome.tables, outcome.rounded_tables) == (0, 0)
        assert connection.execute("select count(*) from protected.cohort").fetchall() == [(0,)]
        assert connection.execute(
            "select table_name, reason from control.withheld_tables"
        ).fetchall() == [("marts.cohort", SWITCHED_OFF)]


def test_a_rounding_is_kept_until_its_input_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = RoundedCount(column="people", cell="people {area}")
    declared = {"marts.cohort": RoundedDeclaration(method="rounded", counts=(counts,))}
    ran: list[int] = []
    real = release_rounding.round_tables

    def counted(*given: Any, **named: Any) -> Any:
        ran.append(1)
        return real(*given, **named)

    monkeypatch.setattr(rounding_step, "round_tables", counted)
    with duckdb.connect(":memory:") as connection:
        connection.execute("create schema marts; create schema intermediate")
        connection.execute(
            "create table intermediate.int_areas__listed (area_code varchar, force_code varchar, "
            "partnership_code varchar, area_type varchar)"
        )
        connection.execute(
            "create table marts.cohort as select 'A' as area, 7 as people, null::varchar as status"
        )

        def again(secret: bytes = b"secret") -> Any:
            outcome = disclose(connection, date(2018, 4, 1), {}, [], declared, secret)
            shown = connection.execute("from protected.cohort").fetchall()
            return outcome.rounded_tables, shown

        first = again()
        assert again() == first and len(ran) == 1
        connection.execute("update marts.cohort set people = 12")
        again()
        assert len(ran) == 2
        again(b"another")
        assert len(ran) == 3

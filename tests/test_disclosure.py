"""Protection and attack on made-up tables: random linked ones, and small ones by brute force."""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orchestration.disclosure import protection as engine
from orchestration.disclosure.attack import Interval, attack, attack_from_within
from orchestration.disclosure.attack_verdict import Verdict, examine, fault_of
from orchestration.disclosure.exact_suppression import Effort, information
from orchestration.disclosure.protection import protect, with_draws
from orchestration.disclosure.table_model import (
    MANY,
    OPEN,
    Cell,
    Merge,
    MergedCell,
    MergeOption,
    PrintedRatio,
    Protection,
    Publication,
    Ratio,
    Relation,
    Rule,
    Tables,
    multiple,
    publication,
    tables,
    total,
    with_known,
)
from orchestration.errors import DisclosureError

COUNTS = st.one_of(st.integers(0, 6), st.integers(0, 30), st.sampled_from([0, 1, 40, 200]))


class Linked:
    """Tables of areas by several dimensions: they share the areas' totals, which add up."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.values: dict[str, int] = {}
        self.open: set[str] = set()
        self.relations: list[Relation] = []
        self.ratios: list[Ratio] = []
        self.merges: list[Merge] = []

    def sum(self, whole: str, parts: Sequence[str]) -> None:
        self.values[whole] = sum(self.values[part] for part in parts)
        self.relations.append(total(whole, parts))

    def made(self) -> Tables:
        offences = replace(self.rule, threshold=0)
        cells = [
            Cell(key, value, offences if key in self.open else self.rule)
            for key, value in self.values.items()
        ]
        return tables(cells, self.relations, self.ratios, self.merges)


@st.composite
def linked_tables(draw: st.DrawFn) -> Tables:
    threshold = draw(st.sampled_from([3, 5, 5, 10]))
    release = Linked(
        Rule(
            threshold,
            hide_zeros=draw(st.booleans()),
            rounding_base=draw(st.sampled_from([1, 1, 1, 5])),
        )
    )
    areas = [f"area {n}" for n in range(draw(st.integers(1, 4)))]
    first = [f"a{n}" for n in range(draw(st.integers(2, 4)))]
    for area in areas:
        for category in first:
            release.values[f"{area}/{category}"] = draw(COUNTS)
        release.sum(area, [f"{area}/{category}" for category in first])
        release.ratios += [Ratio(f"{area}/{category}", area) for category in first]
        _second_table(draw, release, area)
    for category in first:
        release.sum(f"all/{category}", [f"{area}/{category}" for area in areas])
    release.sum("all", areas)
    if draw(st.booleans()):
        _offences(draw, release, areas[0], first)
    return release.made()


def _second_table(draw: st.DrawFn, release: Linked, area: str) -> None:
    """Another dimension of the same people: the area's total cut at random places."""
    whole = release.values[area]
    cuts = sorted(draw(st.lists(st.integers(0, whole), min_size=1, max_size=3)))
    ends = [0, *cuts, whole]
    keys = []
    for number, (low, high) in enumerate(itertools.pairwise(ends)):
        keys.append(f"{area}/b{number}")
        release.values[keys[-1]] = high - low
    release.relations.append(total(area, keys))


def _offences(draw: st.DrawFn, release: Linked, area: str, categories: Sequence[str]) -> None:
    """The first area's categories are numbers of offences; their last rows may be merged."""
    products = []
    for times, category in enumerate(categories, 1):
        key = f"{area}/{category}/offences"
        release.values[key] = times * release.values[f"{area}/{category}"]
        release.open.add(key)
        release.relations.append(multiple(key, f"{area}/{category}", times))
        products.append(key)
    release.sum(f"{area}/offences", products)
    release.open.add(f"{area}/offences")
    if draw(st.booleans()):
        members = [f"{area}/{category}" for category in categories[-2:]]
        option = MergeOption(
            "last two",
            (
                MergedCell(f"{area}/last two", tuple(members)),
                MergedCell(f"{area}/last two/offences", tuple(f"{m}/offences" for m in members)),
            ),
        )
        release.merges.append(Merge("tail", (option,)))


def _stands(release: Tables) -> tuple[Protection, Verdict]:
    protection = protect(release)
    verdict = examine(protection)
    assert verdict.findings == ()
    printed = protection.tables.cells
    assert all(
        key in protection.hidden or not printed[key].printed
        for key, cell in release.cells.items()
        if cell.sensitive
    )
    return protection, verdict


def _agrees_with_the_whole_attack(protection: Protection, verdict: Verdict) -> None:
    """The examination ends early where an interval is wide enough: the whole attack says so too."""
    printed = protection.tables.cells
    exact = attack(publication(protection))
    for key, interval in exact.items():
        seen = verdict.intervals[key]
        assert interval.least <= printed[key].value <= _end(interval)
        assert interval.least <= seen.least <= _end(seen) <= _end(interval)
        assert fault_of(printed[key], key in protection.hidden, interval) is None
    widths = [interval.width for key, interval in exact.items() if key in protection.hidden]
    assert verdict.narrowest == min(widths, default=None)


def _end(interval: Interval) -> int:
    return MANY if interval.greatest is None else interval.greatest


_SETTINGS = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}


@hypothesis_settings(max_examples=15, **_SETTINGS)  # type: ignore[arg-type]
@given(linked_tables())
def test_no_hidden_count_of_random_linked_tables_can_be_found(release: Tables) -> None:
    _agrees_with_the_whole_attack(*_stands(release))


@pytest.mark.slow
@hypothesis_settings(max_examples=1000, **_SETTINGS)  # type: ignore[arg-type]
@given(linked_tables())
def test_no_hidden_count_of_a_thousand_linked_tables_can_be_found(release: Tables) -> None:
    _stands(release)


@pytest.mark.slow
@hypothesis_settings(max_examples=25, **_SETTINGS)  # type: ignore[arg-type]
@given(linked_tables())
def test_what_large_groups_are_protected_by_is_safe_and_its_bound_no_more_than_the_least(
    release: Tables,
) -> None:
    """Made for groups too large for the exact method, and here compared with it on small ones."""
    least = protect(release)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "LARGE", 1)
        patch.setattr(engine, "_WORTH_PROCESSES", 1_000)
        hasty = protect(release)
    assert examine(hasty).findings == ()
    assert hasty.bound <= least.cost
    assert least.gap > 0 or hasty.cost >= least.cost


# Brute force: every choice of cells, against every set of counts up to a limit.

THREE = Rule(3)
LIMIT = 9


def square(values: Sequence[int], rule: Rule = THREE) -> Tables:
    """A two by two table with its totals."""
    a, b, c, d = values
    counts = {
        "x11": a, "x12": b, "x21": c, "x22": d,
        "r1": a + b, "r2": c + d, "c1": a + c, "c2": b + d, "t": a + b + c + d,
    }  # fmt: skip
    return tables(
        (Cell(key, value, rule) for key, value in counts.items()),
        (
            total("r1", ["x11", "x12"]),
            total("r2", ["x21", "x22"]),
            total("c1", ["x11", "x21"]),
            total("c2", ["x12", "x22"]),
            total("t", ["r1", "r2"]),
        ),
    )


def all_squares(keys: Sequence[str]) -> np.ndarray:
    rows = []
    for a, b, c, d in itertools.product(range(LIMIT), repeat=4):
        counts = {
            "x11": a, "x12": b, "x21": c, "x22": d,
            "r1": a + b, "r2": c + d, "c1": a + c, "c2": b + d, "t": a + b + c + d,
        }  # fmt: skip
        rows.append([counts[key] for key in keys])
    return np.array(rows)


def a_row(values: Sequence[int]) -> Tables:
    """Categories c0, c1, … with their total."""
    cells = {f"c{place}": Cell(f"c{place}", value) for place, value in enumerate(values)}
    relation = total("all", list(cells))
    return Tables({**cells, "all": Cell("all", sum(values))}, (relation,))


def test_who_repeats_the_choice_for_all_candidates_leaves_none_out() -> None:
    """c0 and c1 are hidden and add up to 10; c2 (7) and c3 (12) are shown, and so is the total."""

    def repeated(secret: bytes) -> set[int]:
        """What c0 can be if the choice is to hide c0 and c1, as was seen."""
        return {
            first
            for first in range(1, 10)
            if protect(with_draws(a_row([first, 10 - first, 7, 12]), secret)).hidden == {"c0", "c1"}
        }

    # Whoever is sure of what each count costs leaves out 1 and 2: then 7 were cheaper than 8 and 9.
    assert repeated(b"") == {3, 4, 6, 7}
    drawn = [repeated(str(number).encode()) for number in range(40)]
    for candidate in (1, 2, 3, 4, 6, 7, 8, 9):
        assert sum(candidate in seen for seen in drawn) >= 5, candidate


def test_a_draw_is_the_same_in_every_period() -> None:
    one, other = (
        with_draws(Tables({key: Cell(key, 3)}), b"secret").cells[key].draw
        for key in ("released 2018-04-01 D1 Women", "released 2018-07-01 D1 Women")
    )
    assert one == other
    cells = {f"c{n}": Cell(f"c{n}", 9) for n in range(90)}
    drawn = [cell.draw for cell in with_draws(Tables(cells), b"secret").cells.values()]
    assert set(drawn) == set(range(5))


def brute_force_cost(release: Tables, worlds: np.ndarray, keys: Sequence[str]) -> int:
    """The least information that any safe choice loses, by trying all."""
    cells = [release.cells[key] for key in keys]
    truth = np.array([cell.value for cell in cells])
    must = [n for n, cell in enumerate(cells) if cell.sensitive]
    free = [n for n, cell in enumerate(cells) if not cell.sensitive and cell.value]
    costs = [information(cell) for cell in cells]
    choices = sorted(_subsets(free), key=lambda chosen: sum(costs[n] for n in (*must, *chosen)))
    for chosen in choices:
        hidden = {*must, *chosen}
        shown = [n for n in range(len(keys)) if n not in hidden]
        fits = (worlds[:, shown] == truth[shown]).all(axis=1)
        fits &= (worlds[:, sorted(hidden)] >= 1).all(axis=1)
        if _all_safe(worlds[fits], truth, must):
            return sum(costs[n] for n in hidden)
    raise AssertionError("no choice is safe")


def _subsets(places: Sequence[int]) -> Iterator[tuple[int, ...]]:
    for size in range(len(places) + 1):
        yield from itertools.combinations(places, size)


def _all_safe(worlds: np.ndarray, truth: np.ndarray, sensitive: Iterable[int]) -> bool:
    lone = [n for n in sensitive if truth[n] == 1]
    for knows in (None, *lone):
        seen = worlds if knows is None else worlds[worlds[:, knows] == 1]
        for place in sensitive:
            if place == knows:
                continue
            least, greatest = seen[:, place].min(), seen[:, place].max()
            if greatest < THREE.threshold or greatest - least < THREE.threshold - 1:
                return False
    return True


def test_no_more_is_lost_than_by_brute_force() -> None:
    keys = sorted(square((0, 0, 0, 0)).cells)
    worlds = all_squares(keys)
    for values in [
        (1, 4, 3, 4), (1, 1, 3, 4), (2, 0, 4, 3), (2, 2, 2, 2), (0, 2, 4, 4), (2, 0, 0, 4),
        (3, 4, 2, 3), (1, 2, 3, 4), (0, 2, 2, 0), (2, 3, 3, 0),
    ]:  # fmt: skip
        release = square(values)
        protection = protect(release)
        assert protection.gap == 0
        assert protection.cost == brute_force_cost(release, worlds, keys), values


def test_giving_up_early_is_safe_and_tells_the_gap() -> None:
    release = square((1, 4, 3, 4), Rule(4))
    hasty = protect(release, Effort(rounds=1))
    best = protect(release)
    assert examine(hasty).safe
    assert hasty.cost >= best.cost == best.bound >= hasty.bound
    assert hasty.gap > 0


def test_a_group_that_needs_more_work_than_it_may_have_is_hidden_whole() -> None:
    release = square((1, 4, 3, 0), Rule(4))
    whole = protect(release, Effort(work=0))
    assert whole.hidden == {key for key, cell in release.cells.items() if cell.value}
    assert whole.bound == 0 < protect(release).cost < whole.cost
    assert examine(whole).safe


def test_what_cannot_be_hidden_any_more_is_reported_without_its_value() -> None:
    release = tables(
        [
            Cell("sex/men", 3),
            Cell("sex/women", 41, fixed=True),
            Cell("everybody", 44, fixed=True),
        ],
        [total("everybody", ["sex/men", "sex/women"])],
    )
    with pytest.raises(DisclosureError, match="sex/men cannot be protected") as told:
        protect(release)
    assert not any(number in str(told.value) for number in ("3", "41", "44"))


def test_what_an_earlier_release_printed_is_hidden_no_more() -> None:
    """Another cell is taken to go with the sensitive one; a revised count is a new count."""
    release = tables(
        [Cell("all", 20), Cell("few", 3), Cell("some", 6), Cell("most", 11)],
        [total("all", ["few", "some", "most"])],
    )
    assert protect(release).hidden == {"few", "some"}
    later = with_known(release, {"some": 6, "most": 12})
    assert protect(later).hidden == {"few", "most"}
    assert not examine(Protection(later, frozenset({"few", "some"}))).safe
    with pytest.raises(DisclosureError, match="few must be hidden, but an earlier release"):
        protect(with_known(release, {"few": 3}))


def test_tables_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="do not add up to all"):
        tables([Cell("all", 9), Cell("one", 4), Cell("other", 6)], [total("all", ["one", "other"])])


def test_nothing_sensitive_nothing_hidden() -> None:
    assert protect(square((5, 9, 0, 7))).hidden == frozenset()


def test_a_singleton_learns_no_other_count() -> None:
    """A row of 1, 4 and others: who is the 1 must not learn that the 4 is below 5."""
    release = tables(
        [Cell("all", 40), Cell("one", 1), Cell("four", 4), Cell("six", 6), Cell("rest", 29)],
        [total("all", ["one", "four", "six", "rest"])],
    )
    protection = protect(release)
    assert examine(protection).safe
    seen = attack_from_within(
        publication(protection), {"one": 1}, {"four"}, lambda key, interval: False
    )
    greatest = seen["one"]["four"].greatest
    assert greatest is None or greatest >= 5
    careless = Protection(release, frozenset({"one", "four"}))
    assert not examine(careless).safe


def test_zeros_are_hidden_where_the_policy_says_so() -> None:
    release = square((0, 9, 9, 9), Rule(5, hide_zeros=True))
    protection = protect(release)
    assert "x11" in protection.hidden
    assert publication(protection).bounds["x11"] == (0, MANY)
    assert examine(protection).safe


def test_rounded_counts_are_known_to_their_base() -> None:
    release = square((12, 13, 14, 15), Rule(3, rounding_base=5))
    assert publication(protect(release)).bounds["x12"] == (13, 17)


def test_a_quotient_is_hidden_with_its_count() -> None:
    release = tables(
        [Cell("all", 40), Cell("few", 3), Cell("some", 12), Cell("most", 25)],
        [total("all", ["few", "some", "most"])],
        [
            Ratio("few", "all"),
            Ratio("some", "all"),
            Ratio("most", "all"),
            Ratio("few", 9_800, 1000),
        ],
    )
    protection = protect(release)
    shown = {printed.ratio.numerator for printed in publication(protection).ratios}
    assert shown == {"some", "most"} - protection.hidden


def test_a_rate_with_a_known_population_gives_the_count() -> None:
    rate = PrintedRatio(Ratio("offenders", 98_340, 1_000, 2), 4)
    found = attack(Publication({"offenders": (1, MANY)}, (), (rate,), ("offenders",)))
    assert found["offenders"] == Interval(4, 4)


def test_only_whole_numbers_expose_a_count() -> None:
    """3a + 5b = 11 has one answer in whole people, and many in fractions."""
    published = Publication(
        {"all": (11, 11), "a": (0, MANY), "b": (0, MANY)},
        (Relation((("all", 1), ("a", -3), ("b", -5))),),
        (),
        ("a", "b"),
    )
    assert attack(published) == {"a": Interval(2, 2), "b": Interval(1, 1)}
    release = tables([Cell("all", 11, OPEN), Cell("a", 2), Cell("b", 1)], published.relations)
    protection = protect(release)
    assert "all" in protection.hidden
    assert examine(protection).safe


def test_what_contradicts_itself_is_refused() -> None:
    published = Publication(
        {"all": (9, 9), "a": (1, 3), "b": (1, 3)}, (total("all", ["a", "b"]),), (), ("a", "b")
    )
    with pytest.raises(DisclosureError, match="contradicts itself"):
        attack(published)

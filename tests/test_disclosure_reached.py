"""The attack's short cuts: counts moved near one first, and what earlier attacks reached."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.disclosure import attack as engine
from orchestration.disclosure.attack import Interval, Reached, attack
from orchestration.disclosure.table_model import Publication, Relation, total

KEYS = [f"{row}{column}" for row in "abc" for column in "123"]
MOST = 4
TIMES = dict(zip(KEYS, (1, 2, 3, 2, 3, 1, 3, 1, 2), strict=True))
"""With a sum of so many times each, fractions reach further than whole numbers."""

nine = st.lists(st.integers(0, MOST), min_size=9, max_size=9)


def square(values: Mapping[str, int], most: int = MOST) -> Publication:
    """Counts of none to ``most`` whose sums by row, by column and weighted are printed."""
    sums = [[key for key in KEYS if mark in key] for mark in "abc123"]
    known = {f"sum {number}": sum(values[key] for key in keys) for number, keys in enumerate(sums)}
    relations = [total(f"sum {number}", keys) for number, keys in enumerate(sums)]
    known["weighted"] = _weighted(values[key] for key in KEYS)
    relations.append(Relation((("weighted", 1), *((key, -TIMES[key]) for key in KEYS))))
    return Publication(
        {key: (0, most) for key in KEYS} | {key: (value, value) for key, value in known.items()},
        tuple(relations),
        (),
        tuple(KEYS),
    )


def _weighted(values: Iterable[int]) -> int:
    return sum(times * value for times, value in zip(TIMES.values(), values, strict=True))


def tried(values: Mapping[str, int], most: int = MOST) -> dict[str, Interval]:
    """Return the intervals by trying all squares with these sums."""
    of = [values[key] for key in KEYS]
    rows = [sum(of[3 * row : 3 * row + 3]) for row in range(3)]
    lines = [
        [line for line in itertools.product(range(most + 1), repeat=3) if sum(line) == wanted]
        for wanted in rows
    ]
    columns = [sum(of[column::3]) for column in range(3)]
    worlds = [
        [*first, *second, *third]
        for first, second, third in itertools.product(*lines)
        if [sum(ones) for ones in zip(first, second, third, strict=True)] == columns
        and _weighted([*first, *second, *third]) == _weighted(of)
    ]
    seen = dict(zip(KEYS, zip(*worlds, strict=True), strict=True))
    return {key: Interval(min(found), max(found)) for key, found in seen.items()}


@given(nine)
@settings(max_examples=40, deadline=None)
def test_moving_a_few_counts_first_changes_no_interval(values: list[int]) -> None:
    named = dict(zip(KEYS, values, strict=True))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_NEARBY", 6)
        found = attack(square(named))
    assert found == tried(named)


def test_moving_a_few_counts_can_be_all_that_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    named = dict(zip(KEYS, (1, 2, 2, 3, 2, 3, 3, 0, 0), strict=True))
    monkeypatch.setattr(engine, "_NEARBY", 4)
    moved = []
    real = engine._System._nearby

    def counted(self: Any, place: int, sense: int) -> Any:
        moved.append(real(self, place, sense))
        return moved[-1]

    monkeypatch.setattr(engine._System, "_nearby", counted)
    assert attack(square(named)) == tried(named)
    assert any(point is not None for point in moved)


@given(nine, nine)
@settings(max_examples=30, deadline=None)
def test_what_was_reached_before_hides_nothing_in_other_counts(
    values: list[int], others: list[int]
) -> None:
    """The same counts with other sums: what does not fit them is no witness."""
    reached: Reached = {}
    for given_values in (values, others, values):
        named = dict(zip(KEYS, given_values, strict=True))
        truth = tried(named)

        def enough(key: str, interval: Interval) -> bool:
            return interval.width >= 2

        found = attack(square(named), enough=enough, reached=reached)
        for key, interval in found.items():
            assert enough(key, interval) == enough(key, truth[key])
            assert truth[key].least <= interval.least
            assert (interval.greatest or 0) <= (truth[key].greatest or 0)


def test_what_was_reached_is_not_searched_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    published, reached = square(dict.fromkeys(KEYS, 2)), Reached()

    def enough(key: str, interval: Interval) -> bool:
        return interval.width >= 2

    first = attack(published, enough=enough, reached=reached)
    monkeypatch.setattr(engine._System, "_start", lambda *given: pytest.fail("searched"))
    monkeypatch.setattr(engine._System, "_reach", lambda *given: pytest.fail("searched"))
    again = attack(published, enough=enough, reached=reached)
    assert again.keys() == first.keys()
    assert all(enough(key, interval) for key, interval in again.items())

"""How far a rounded count can be from the truth, as far as the method says: no count tells more."""

from collections import defaultdict
from collections.abc import Mapping
from math import ceil, sqrt

from orchestration.disclosure.rounding_cube import COARSE, Changes, Cube, Taken
from orchestration.disclosure.small_count_rounding import possible_values


class RoundingError:
    """By how much each count of a cube may be more or less than it is shown.

    An inner count may be one less than what it is rounded to a multiple of off, and so may the
    total of a group of counts that are rounded together. Of a sum of several, whose errors are
    independent of each other, it is the root of the sum of their squares.
    """

    def __init__(
        self,
        cube: Cube,
        taken: Taken,
        rounded: Mapping[str, int | None],
        changes: Changes,
        threshold: int = 5,
    ) -> None:
        self._cube, self._taken = cube, taken
        self._group_off = threshold - 1
        self._inner = {
            key: off
            for key, shown in rounded.items()
            if (off := _off(cube, changes, key, shown, threshold))
        }
        self._groups = self._controlled(rounded, changes)
        self._found: dict[str, int] = {}

    def of(self, key: str) -> int:
        """Return by how much the count may be off; 0 of one that a protected table prints."""
        if key not in self._found:
            self._found[key] = 0 if key in self._taken else self._of_sum(key)
        return self._found[key]

    def _controlled(
        self, rounded: Mapping[str, int | None], changes: Changes
    ) -> dict[str, frozenset[str]]:
        """Return the groups whose total is near the truth, with their counts that are not exact."""
        members: dict[str, list[str]] = defaultdict(list)
        for key in self._inner:
            if key in self._cube.groups and key not in changes.hidden:
                members[self._cube.groups[key]].append(key)
        return {
            group: frozenset(keys)
            for group, keys in members.items()
            if abs(sum((rounded[key] or 0) - self._cube.values[key] for key in keys))
            <= self._group_off
        }

    def _of_sum(self, key: str) -> int:
        terms = {
            term: times
            for term, times in self._cube.terms(key).items()
            if times and term in self._inner
        }
        squares = 0.0
        for group in {self._cube.groups.get(term, "") for term in terms}:
            together = self._groups.get(group, frozenset())
            sizes = {terms.get(term, 0) for term in together}
            if len(together) > 1 and len(sizes) == 1 and 0 not in sizes:
                squares += (self._group_off * sizes.pop()) ** 2
                terms = {term: times for term, times in terms.items() if term not in together}
        squares += sum((self._inner[term] * times) ** 2 for term, times in terms.items())
        return ceil(sqrt(squares))


def _off(cube: Cube, changes: Changes, key: str, shown: int | None, threshold: int) -> int:
    if key in changes.hidden or shown is None:
        return COARSE - 1
    if cube.values[key] == 0 and not cube.may_hold(key):
        return 0
    least, most = possible_values(shown, changes.step(cube, key, threshold), threshold)
    return max(shown - least, most - shown)

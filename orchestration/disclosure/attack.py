"""The attack: what anybody can work out about the hidden counts from what is published.

Takes a :class:`~orchestration.disclosure.model.Publication` and nothing else: printed numbers,
markers, percentages and rates at their printed precision, sums, and what earlier releases or
sentences printed. For each count that is not printed it computes the least and the greatest whole
number that it can be, by integer programming over everything that hangs together with it (Geurts
1992; Fischetti and Salazar 2001). Shares no code with the engine.

Each answer comes with a witness: counts that fit everything printed, checked in whole-number
arithmetic. Where the search for the extreme is given up after :data:`NODES` steps, the answer is
the most extreme witness found, an interval that can only be too narrow, so that giving up never
makes a release look safe.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from orchestration.disclosure.model import MANY, PrintedRatio, Publication
from orchestration.errors import DisclosureError

NODES = 20_000
"""Steps of branch and bound after which the search for an extreme value is given up."""


@dataclass(frozen=True)
class Interval:
    """Least and greatest value that a count can have; ``greatest`` is none without a limit."""

    least: int
    greatest: int | None

    @property
    def width(self) -> float:
        """Greatest less least."""
        return float("inf") if self.greatest is None else self.greatest - self.least


@dataclass(frozen=True)
class _Row:
    """Sum of coefficient times count lies between ``low`` and ``high`` (none: no limit)."""

    terms: Mapping[str, int]
    low: int | None
    high: int | None


Enough = Callable[[str, Interval], bool]
"""Says of a count and an interval within its true one whether the search may stop there."""


def attack(published: Publication, asked: Collection[str] | None = None) -> dict[str, Interval]:
    """Return the interval of each count ``asked`` for (all that are not printed by default).

    Raises :class:`DisclosureError` where what is printed contradicts itself, so that no counts fit.
    """
    wanted = sorted(published.asked if asked is None else asked)
    bounds = dict(published.bounds)
    systems = _systems(published, bounds, wanted)
    found = {key: _interval(*bounds[key]) for key in wanted}
    for system in systems:
        found.update(system.intervals([key for key in system.keys if key in found]))
    return found


def attack_from_within(
    published: Publication, contributors: Mapping[str, int], asked: Collection[str], enough: Enough
) -> dict[str, dict[str, Interval]]:
    """Return what each of ``contributors``, who knows one count, works out about the others.

    ``contributors`` are the counts known, one at a time, with their values. Intervals end where
    they are ``enough``: they may then be too narrow, never too wide.
    """
    bounds = dict(published.bounds)
    systems = _systems(published, bounds, sorted(asked))
    seen: dict[str, dict[str, Interval]] = {}
    for system in systems:
        others = [key for key in system.keys if key in asked]
        for key in system.keys:
            if key in contributors:
                seen[key] = system.intervals(
                    [other for other in others if other != key], (key, contributors[key]), enough
                )
    return seen


def _systems(
    published: Publication, bounds: dict[str, tuple[int, int]], wanted: Iterable[str]
) -> "list[_System]":
    """Narrow ``bounds`` by what is plain, and return the groups that are left to be solved."""
    rows = _tightened(bounds, _rows(published))
    return [_System(keys, bounds, part) for keys, part in _parts(bounds, rows, wanted)]


def _interval(least: int, greatest: int) -> Interval:
    return Interval(least, None if greatest >= MANY else greatest)


def _rows(published: Publication) -> list[_Row]:
    rows = []
    for relation in published.relations:
        terms: dict[str, int] = {}
        for key, coefficient in relation.terms:
            terms[key] = terms.get(key, 0) + coefficient
        rows.append(_Row(terms, 0, 0))
    for printed in published.ratios:
        rows.extend(_ratio_rows(printed))
    return rows


def _ratio_rows(printed: PrintedRatio) -> list[_Row]:
    """A printed quotient u of last place 1/p: (2u - 1) base <= 2 p scale count < (2u + 1) base."""
    ratio = printed.ratio
    factor = 2 * ratio.scale * 10**ratio.decimals
    lower, upper = 2 * printed.units - 1, 2 * printed.units + 1
    count, base = ratio.numerator, ratio.denominator
    if isinstance(base, int):
        return [_Row({count: factor}, lower * base, upper * base - 1)]
    return [
        _Row({count: factor, base: -lower}, 0, None),
        _Row({count: factor, base: -upper}, None, -1),
    ]


def _tightened(bounds: dict[str, tuple[int, int]], rows: Sequence[_Row]) -> list[_Row]:
    """Narrow ``bounds`` by rows with one unknown count, repeatedly; return the rows that remain."""
    left = list(rows)
    while True:
        open_rows = []
        for row in left:
            unknown = [key for key in row.terms if bounds[key][0] != bounds[key][1]]
            if len(unknown) > 1:
                open_rows.append(row)
            else:
                _settle(bounds, row, unknown)
        if len(open_rows) == len(left):
            return open_rows
        left = open_rows


def _settle(bounds: dict[str, tuple[int, int]], row: _Row, unknown: Sequence[str]) -> None:
    rest = sum(c * bounds[key][0] for key, c in row.terms.items() if key not in unknown)
    low = None if row.low is None else row.low - rest
    high = None if row.high is None else row.high - rest
    if not unknown:
        if (low is not None and low > 0) or (high is not None and high < 0):
            raise DisclosureError(_CONTRADICTION.format(", ".join(sorted(row.terms))))
        return
    (key,) = unknown
    least, greatest = bounds[key]
    factor = row.terms[key]
    if factor < 0:
        factor, low, high = -factor, _negative(high), _negative(low)
    if low is not None:
        least = max(least, -(-low // factor))
    if high is not None:
        greatest = min(greatest, high // factor)
    if least > greatest:
        raise DisclosureError(_CONTRADICTION.format(key))
    bounds[key] = (least, greatest)


def _negative(number: int | None) -> int | None:
    return None if number is None else -number


_CONTRADICTION = (
    "What would be published contradicts itself, so that no counts fit it. Where: {}. Look for a "
    "total that is not the sum of its parts, or a percentage of another base."
)


def _parts(
    bounds: Mapping[str, tuple[int, int]], rows: Iterable[_Row], wanted: Iterable[str]
) -> list[tuple[list[str], list[_Row]]]:
    """Return the groups of unknown counts that hang together and hold one that is wanted."""
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        while leader.setdefault(key, key) != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    placed = []
    for row in rows:
        unknown = [key for key in row.terms if bounds[key][0] != bounds[key][1]]
        placed.append((row, unknown[0]))
        for key in unknown[1:]:
            leader[find(key)] = find(unknown[0])
    groups: dict[str, tuple[set[str], list[_Row]]] = {}
    for row, key in placed:
        keys, part = groups.setdefault(find(key), (set(), []))
        keys.update(key for key in row.terms if bounds[key][0] != bounds[key][1])
        part.append(row)
    asked = set(wanted)
    return [(sorted(keys), part) for _, (keys, part) in sorted(groups.items()) if keys & asked]


class _System:
    """The unknown counts of one group and the rows between them, held in a solver."""

    def __init__(
        self, keys: Sequence[str], bounds: Mapping[str, tuple[int, int]], rows: Sequence[_Row]
    ) -> None:
        self.keys = list(keys)
        self._place = place = {key: index for index, key in enumerate(keys)}
        self._low = np.array([bounds[key][0] for key in keys], dtype=np.int64)
        self._high = np.array([bounds[key][1] for key in keys], dtype=np.int64)
        self._matrix = np.zeros((len(rows), len(keys)), dtype=np.int64)
        self._row_low = np.full(len(rows), np.iinfo(np.int64).min, dtype=np.int64)
        self._row_high = np.full(len(rows), np.iinfo(np.int64).max, dtype=np.int64)
        for number, row in enumerate(rows):
            rest = sum(c * bounds[key][0] for key, c in row.terms.items() if key not in place)
            for key, coefficient in row.terms.items():
                if key in place:
                    self._matrix[number, place[key]] = coefficient
            if row.low is not None:
                self._row_low[number] = row.low - rest
            if row.high is not None:
                self._row_high[number] = row.high - rest
        self._solver = self._loaded()
        self._witnesses = np.zeros((0, len(keys)), dtype=np.int64)

    def _loaded(self) -> Any:
        solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in (
            ("output_flag", False),
            ("threads", 1),
            ("random_seed", 0),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 0.5),
            ("mip_max_nodes", NODES),
        ):
            solver.setOptionValue(option, value)
        for low, high in zip(self._low, self._high, strict=True):
            solver.addVar(float(low), float(high))
        infinite = highspy.kHighsInf
        limits = np.iinfo(np.int64)
        for row, low, high in zip(self._matrix, self._row_low, self._row_high, strict=True):
            (columns,) = np.nonzero(row)
            solver.addRow(
                -infinite if low == limits.min else float(low),
                infinite if high == limits.max else float(high),
                len(columns),
                columns.astype(np.int32),
                row[columns].astype(float),
            )
        return solver

    def intervals(
        self,
        asked: Sequence[str],
        known: tuple[str, int] | None = None,
        enough: Enough | None = None,
    ) -> dict[str, Interval]:
        """Return the interval of each count asked for, to one who knows ``known`` besides."""
        if known is None:
            return {key: self._interval_of(key, enough) for key in asked}
        place = self._place[known[0]]
        free, witnesses = (self._low[place], self._high[place]), self._witnesses
        self._bind(place, known[1], known[1])
        self._witnesses = fitting = witnesses[witnesses[:, place] == known[1]]
        found = {key: self._interval_of(key, enough) for key in asked}
        self._bind(place, *free)
        self._witnesses = np.vstack([witnesses, self._witnesses[len(fitting) :]])
        return found

    def _bind(self, place: int, low: int, high: int) -> None:
        self._low[place], self._high[place] = low, high
        self._solver.changeColBounds(place, float(low), float(high))

    def _interval_of(self, key: str, enough: Enough | None) -> Interval:
        place = self._place[key]
        # The first sense is upwards: most often that alone is enough.
        for sense, bound in ((-1, self._high), (1, self._low)):
            seen = self._seen(place)
            if seen and enough and enough(key, _interval(*seen)):
                return _interval(*seen)
            if not seen or seen[sense < 0] != bound[place]:
                self._witnesses = np.vstack([self._witnesses, self._extreme(place, sense)])
        seen = self._seen(place)
        assert seen is not None
        return _interval(*seen)

    def _seen(self, place: int) -> tuple[int, int] | None:
        """Return the least and greatest value among witnesses."""
        column = self._witnesses[:, place]
        return (int(column.min()), int(column.max())) if len(column) else None

    def _extreme(self, place: int, sense: int) -> NDArray[np.int64]:
        """Return counts that fit and of which ``place`` is least (sense 1) or greatest (-1)."""
        solver = self._solver
        solver.changeColCost(place, float(sense))
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            raise DisclosureError(_CONTRADICTION.format(", ".join(self.keys[:5])))
        furthest = np.ceil(solver.getInfo().objective_function_value - 1e-6)
        witness = self._fitting(solver)
        solver.changeColCost(place, 0.0)
        if witness is None or furthest < sense * witness[place]:
            whole = self._whole(place, sense)
            if whole is not None and (
                witness is None or sense * whole[place] < sense * witness[place]
            ):
                witness = whole
        if witness is None:
            raise DisclosureError(_CONTRADICTION.format(", ".join(self.keys[:5])))
        return witness

    def _whole(self, place: int, sense: int) -> NDArray[np.int64] | None:
        """The same over whole numbers, where fractions would reach further."""
        everything = np.arange(len(self.keys), dtype=np.int32)
        solver = self._loaded()
        solver.changeColsIntegrality(
            len(everything), everything, np.full(len(everything), 1, dtype=np.uint8)
        )
        solver.changeColCost(place, float(sense))
        solver.run()
        return self._fitting(solver)

    def _fitting(self, solver: Any) -> NDArray[np.int64] | None:
        """Return the solver's point as whole numbers, if those fit exactly."""
        point: NDArray[np.int64] = np.rint(np.array(solver.getSolution().col_value)).astype(
            np.int64
        )
        if len(point) != len(self.keys):
            return None
        if (point < self._low).any() or (point > self._high).any():
            return None
        sums = self._matrix @ point
        if (sums < self._row_low).any() or (sums > self._row_high).any():
            return None
        return point

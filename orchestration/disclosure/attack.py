"""The attack: what anybody can work out about the hidden counts from what is published.

Takes a :class:`~orchestration.disclosure.table_model.Publication` and nothing else: printed
numbers, markers, percentages and rates at their printed precision, sums, and what earlier releases
or sentences printed. For each count that is not printed it computes the least and the greatest
whole number that it can be, by integer programming over everything that is linked with it (Geurts
1992; Fischetti and Salazar 2001). Shares no code with the protection.

Each answer comes with a witness: counts that fit everything printed, checked in whole-number
arithmetic. Where the search for the extreme is given up after :data:`NODES` steps, the answer is
the most extreme witness found, an interval that can only be too narrow, so that giving up never
makes a release look safe.

If the caller says which interval is wide enough, counts are first moved many at a time. From one
set of counts that fits, a linear problem moves as many as it can. The move splits into parts that
no row links, and each part in whole numbers makes another set that fits. That set is a witness for
every count in it, to every contributor whose count it does not move. A count without such a witness
is searched to its extremes: in a large group first by moving the counts around it only, whose
witnesses fit the whole group, and among all counts where that reaches neither enough nor as far as
fractions do.
"""

import os
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components

from orchestration.disclosure.table_model import MANY, PrintedRatio, Publication
from orchestration.errors import UnpublishableCountError

NODES = 20_000
"""Steps of branch and bound after which the search for an extreme value is given up."""

_MOVES = 40
_STEP = 12.0
_PENALTY = 0.01
_BASE = 2 * MANY  # more than any count


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


_Open = tuple[_Row, list[str]]
"""A row and the counts in it that are not known."""

_PUSHES = 12
_FEW_LACKING = 20
_ROUGHLY = 0.1
"""Share of the best by which a push among whole numbers may fall short: it proves nothing."""

_NEARBY = 600
"""Counts around one that are moved first where there are more: a tenth of the work for all."""

_LARGE = 1000
"""Counts from which on a search among whole numbers is quicker if the solver simplifies it."""

_OF_A_ROW = 16
"""Counts of a row that are taken among them."""

_NEARBY_NODES = 200

_Found = TypeVar("_Found")

Enough = Callable[[str, Interval], bool]
"""Says of a count and an interval within its true one whether the search may stop there."""

Reached = dict[tuple[str, ...], NDArray[np.int64]]
"""Sets of counts that attacks have reached, a row each, by the keys of the counts.

A later attack begins with those of them that fit what is printed then.
"""


def attack(
    published: Publication,
    asked: Collection[str] | None = None,
    enough: Enough | None = None,
    reached: Reached | None = None,
) -> dict[str, Interval]:
    """Return the interval of each count ``asked`` for (all that are not printed by default).

    With ``enough``, the search for a count stops at an interval that is: it may then be too narrow,
    never too wide. What is ``reached`` is taken from there, and left there.
    Raises :class:`UnpublishableCountError` where what is printed contradicts itself, so that no
    counts fit.
    """
    wanted = sorted(published.asked if asked is None else asked)
    bounds = dict(published.bounds)
    systems = _systems(published, bounds, wanted)
    found = {key: _interval(*bounds[key]) for key in wanted}

    def work(system: _System) -> dict[str, Interval]:
        here = [key for key in system.keys if key in found]
        if reached is not None:
            system.recall(reached)
        if enough and (lacking := system.lacking(here, enough)):
            system.spread(lacking, {}, enough)
            system.push(lacking, enough)
        intervals = system.intervals(here, enough=enough)
        if reached is not None:
            system.remember(reached)
        return intervals

    for intervals in _beside_each_other(work, systems):
        found.update(intervals)
    return found


def attack_from_within(
    published: Publication,
    contributors: Mapping[str, int],
    asked: Collection[str],
    enough: Enough,
    pairs: Collection[tuple[str, str]] | None = None,
) -> dict[str, dict[str, Interval]]:
    """Return what each of ``contributors``, who knows one count, works out about the others.

    ``contributors`` are the counts known, one at a time, with their values. Intervals end where
    they are ``enough``: they may then be too narrow, never too wide. With ``pairs``, a contributor
    and a count each, only these are searched for.
    """
    bounds = dict(published.bounds)
    systems = _systems(published, bounds, sorted(asked))

    def work(system: _System) -> dict[str, dict[str, Interval]]:
        others = [key for key in system.keys if key in asked]
        here = {key: contributors[key] for key in system.keys if key in contributors}
        shown = system.spread(others, here, enough, pairs) if here else {}
        seen = {}
        for key, value in here.items():
            wide = shown.get(key, {})
            rest = [
                other
                for other in others
                if other != key and other not in wide and (pairs is None or (key, other) in pairs)
            ]
            seen[key] = wide | system.intervals(rest, (key, value), enough)
        return seen

    return {
        key: intervals
        for seen in _beside_each_other(work, systems)
        for key, intervals in seen.items()
    }


def _beside_each_other(
    work: "Callable[[_System], _Found]", systems: "Sequence[_System]"
) -> list[_Found]:
    """Return what ``work`` finds in each system; the solver lets other threads run meanwhile."""
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        return list(threads.map(work, systems))


def _systems(
    published: Publication, bounds: dict[str, tuple[int, int]], wanted: Iterable[str]
) -> "list[_System]":
    """Narrow ``bounds`` by what is plain, and return the groups that are left to be solved."""
    rows = _tightened(bounds, _rows(published))
    return [_System(keys, bounds, part) for keys, part in _parts(rows, wanted)]


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


def _tightened(bounds: dict[str, tuple[int, int]], rows: Sequence[_Row]) -> list[_Open]:
    """Narrow ``bounds`` by rows with one unknown count, repeatedly; return the rows that remain."""
    opened = {key for key, (least, greatest) in bounds.items() if least != greatest}
    left = [(row, [key for key in row.terms if key in opened]) for row in rows]
    while True:
        open_rows = []
        for row, before in left:
            unknown = [key for key in before if key in opened]
            if len(unknown) > 1:
                open_rows.append((row, unknown))
                continue
            _settle(bounds, row, unknown)
            opened.difference_update(key for key in unknown if bounds[key][0] == bounds[key][1])
        if len(open_rows) == len(left):
            return open_rows
        left = open_rows


def _settle(bounds: dict[str, tuple[int, int]], row: _Row, unknown: Sequence[str]) -> None:
    rest = sum(c * bounds[key][0] for key, c in row.terms.items() if key not in unknown)
    low = None if row.low is None else row.low - rest
    high = None if row.high is None else row.high - rest
    if not unknown:
        if (low is not None and low > 0) or (high is not None and high < 0):
            raise _contradiction(sorted(row.terms))
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
        raise _contradiction([key])
    bounds[key] = (least, greatest)


def _negative(number: int | None) -> int | None:
    return None if number is None else -number


_CONTRADICTION = (
    "What would be published contradicts itself, so that no counts fit it. Where: {}. Look for a "
    "total that is not the sum of its parts, or a percentage of another base."
)


def _contradiction(keys: Sequence[str]) -> UnpublishableCountError:
    return UnpublishableCountError(_CONTRADICTION.format(", ".join(keys)), keys[0])


def _parts(rows: Iterable[_Open], wanted: Iterable[str]) -> list[tuple[list[str], list[_Row]]]:
    """Return the groups of linked unknown counts that hold one that is wanted."""
    leader: dict[str, str] = {}

    def find(key: str) -> str:
        while leader.setdefault(key, key) != key:
            leader[key] = leader[leader[key]]
            key = leader[key]
        return key

    placed = list(rows)
    for _, (first, *others) in placed:
        for key in others:
            leader[find(key)] = find(first)
    groups: dict[str, tuple[set[str], list[_Row]]] = {}
    for row, unknown in placed:
        keys, part = groups.setdefault(find(unknown[0]), (set(), []))
        keys.update(unknown)
        part.append(row)
    asked = set(wanted)
    return [(sorted(keys), part) for _, (keys, part) in sorted(groups.items()) if keys & asked]


def _solver(
    matrix: csr_matrix,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    row_low: NDArray[np.float64],
    row_high: NDArray[np.float64],
    *,
    whole: bool = False,
) -> Any:
    """Return a solver that holds these counts and rows, ``whole`` for one among whole numbers."""
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.5),
        ("mip_max_nodes", NODES),
        # Most problems are small and many: it would take longer than they do.
        ("presolve", "off"),
        ("mip_heuristic_run_feasibility_jump", False),
    ):
        solver.setOptionValue(option, value)
    rows, columns = matrix.shape
    solver.addVars(columns, low.astype(float), high.astype(float))
    solver.addRows(
        rows, row_low, row_high, matrix.nnz, matrix.indptr[:-1].astype(np.int32),
        matrix.indices.astype(np.int32), matrix.data.astype(float),
    )  # fmt: skip
    if whole:
        _make_whole(solver, columns)
    return solver


def _make_whole(solver: Any, columns: int) -> None:
    """Let a solver search among whole numbers from now on."""
    everything = np.arange(columns, dtype=np.int32)
    solver.changeColsIntegrality(columns, everything, np.ones(columns, dtype=np.uint8))
    if columns > _LARGE:
        solver.setOptionValue("presolve", "on")


class _System:
    """The unknown counts of one group and the rows between them, held in a solver."""

    def __init__(
        self, keys: Sequence[str], bounds: Mapping[str, tuple[int, int]], rows: Sequence[_Row]
    ) -> None:
        self.keys = list(keys)
        self._place = place = {key: index for index, key in enumerate(keys)}
        self._low = np.array([bounds[key][0] for key in keys], dtype=np.int64)
        self._high = np.array([bounds[key][1] for key in keys], dtype=np.int64)
        self._row_low = np.full(len(rows), np.iinfo(np.int64).min, dtype=np.int64)
        self._row_high = np.full(len(rows), np.iinfo(np.int64).max, dtype=np.int64)
        entries: list[tuple[int, int, int]] = []
        for number, row in enumerate(rows):
            rest = sum(c * bounds[key][0] for key, c in row.terms.items() if key not in place)
            terms = sorted((place[key], c) for key, c in row.terms.items() if key in place)
            entries += [(number, column, c) for column, c in terms if c]
            if row.low is not None:
                self._row_low[number] = row.low - rest
            if row.high is not None:
                self._row_high[number] = row.high - rest
        told = np.array(entries, dtype=np.int64).reshape(len(entries), 3)
        self._matrix = csr_matrix(
            (told[:, 2], (told[:, 0], told[:, 1])), shape=(len(rows), len(keys))
        )
        self.by_count = csc_matrix(self._matrix)
        self._solver = self._loaded()
        self._witnesses = np.zeros((0, len(keys)), dtype=np.int64)

    def _loaded(self) -> Any:
        rows = np.arange(self._matrix.shape[0])
        return _solver(self._matrix, self._low, self._high, *self._sides(rows, 0))

    def _sides(
        self, rows: NDArray[np.int64], sums: NDArray[np.int64] | int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the limits of rows less ``sums``, as a solver takes them."""
        limits, infinite = np.iinfo(np.int64), highspy.kHighsInf
        low, high = self._row_low[rows], self._row_high[rows]
        return (
            np.where(low == limits.min, -infinite, low - sums * 1.0),
            np.where(high == limits.max, infinite, high - sums * 1.0),
        )

    def recall(self, reached: Reached) -> None:
        """Take as witnesses what was reached before and fits."""
        points = reached.get(tuple(self.keys))
        if points is None:
            return
        sums = (self._matrix @ points.T).T
        fitting = (points >= self._low).all(axis=1) & (points <= self._high).all(axis=1)
        fitting &= (sums >= self._row_low).all(axis=1) & (sums <= self._row_high).all(axis=1)
        self._witnesses = points[fitting]

    def remember(self, reached: Reached) -> None:
        """Leave the witnesses for later attacks."""
        reached[tuple(self.keys)] = self._witnesses

    def lacking(self, asked: Sequence[str], enough: Enough) -> list[str]:
        """Return the counts that no witnesses show to be enough."""
        seen = self._seen_enough(asked, enough)
        return [key for key in asked if key not in seen]

    def spread(
        self,
        asked: Sequence[str],
        contributors: Mapping[str, int],
        enough: Enough,
        pairs: Collection[tuple[str, str]] | None = None,
    ) -> dict[str, dict[str, Interval]]:
        """Return the intervals that moves of many counts show to be enough, by contributor.

        Without contributors the moves are kept as witnesses for whoever asks next.
        """
        start = self._start(contributors)
        if start is None:
            return {}
        spread = _Spread(
            self, start, [self._place[key] for key in asked],
            [self._place[key] for key in contributors], enough,
        )  # fmt: skip
        if pairs is not None:
            spread.leave_out_all_but(pairs)
        points = spread.moved()
        if contributors:
            return spread.shown()
        self._witnesses = np.vstack([self._witnesses, *points])
        return {}

    def push(self, asked: Sequence[str], enough: Enough) -> None:
        """Keep as witnesses what is furthest out in several directions, of many counts at once.

        One search for each end of each count is costly where moves show little: where sums over
        many counts leave no part of a move whole.
        """
        draws = np.random.Generator(np.random.PCG64(0))
        lacking, solver = [self._place[key] for key in asked], self._solver
        for _ in range(_PUSHES):
            lacking = [place for place in lacking if not self._seen_is(place, enough)]
            if len(lacking) < _FEW_LACKING:
                return
            point = self._pushed(solver, lacking, draws.choice([-1.0, 1.0], len(lacking)))
            if point is None and solver is self._solver:
                # Fractions reach further here: search among whole numbers from now on.
                solver = self._whole_solver()
                solver.setOptionValue("mip_rel_gap", _ROUGHLY)
            elif point is None:
                return
            else:
                self._witnesses = np.vstack([self._witnesses, point])

    def _pushed(
        self, solver: Any, places: Sequence[int], costs: NDArray[np.float64]
    ) -> NDArray[np.int64] | None:
        chosen = np.array(places, dtype=np.int32)
        solver.changeColsCost(len(chosen), chosen, costs)
        solver.run()
        point = self._fitting(solver)
        solver.changeColsCost(len(chosen), chosen, np.zeros(len(chosen)))
        return point

    def _seen_is(self, place: int, enough: Enough) -> bool:
        seen = self._seen(place)
        return seen is not None and enough(self.keys[place], _interval(*seen))

    def _start(self, contributors: Mapping[str, int]) -> NDArray[np.int64] | None:
        """Return counts that fit, with all contributors' as they know them; none if none found."""
        if not contributors and len(self._witnesses):
            point: NDArray[np.int64] | None = self._witnesses[0]
            return point
        solver = self._loaded()
        for key, value in contributors.items():
            place = self._place[key]
            if not self._low[place] <= value <= self._high[place]:
                return None
            solver.changeColBounds(place, float(value), float(value))
        solver.run()
        point = self._fitting(solver)
        if point is None:
            _make_whole(solver, len(self.keys))
            solver.run()
            point = self._fitting(solver)
        return point

    @property
    def limits(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Least and greatest value of each count."""
        return self._low, self._high

    @property
    def matrix(self) -> csr_matrix:
        """The rows' coefficients."""
        return self._matrix

    def fits(self, point: NDArray[np.int64]) -> bool:
        """Whether whole counts are within all bounds and rows."""
        if (point < self._low).any() or (point > self._high).any():
            return False
        sums = self._matrix @ point
        return not ((sums < self._row_low).any() or (sums > self._row_high).any())

    def equalities(self) -> NDArray[np.bool_]:
        """Return which rows are equations."""
        equal: NDArray[np.bool_] = self._row_low == self._row_high
        return equal

    def movable(self, start: NDArray[np.int64]) -> Any:
        """Return a solver of what may be added to and taken from ``start``, side by side."""
        matrix = self._matrix.tocoo()
        rows, columns = self._matrix.shape
        both = csr_matrix(
            (
                np.concatenate([matrix.data, -matrix.data]),
                (
                    np.concatenate([matrix.row, matrix.row]),
                    np.concatenate([matrix.col, matrix.col + columns]),
                ),
            ),
            shape=(rows, 2 * columns),
        )
        nothing = np.zeros(2 * columns, dtype=np.int64)
        return _solver(both, nothing, nothing, *self._sides(np.arange(rows), self._matrix @ start))

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
        found = self._seen_enough(asked, enough) if enough else {}
        rest = [key for key in asked if key not in found]
        found |= {key: self._interval_of(key, enough) for key in rest}
        self._bind(place, *free)
        self._witnesses = np.vstack([witnesses, self._witnesses[len(fitting) :]])
        return found

    def _seen_enough(self, asked: Sequence[str], enough: Enough) -> dict[str, Interval]:
        """Return the intervals that witnesses show to be enough already."""
        if not len(self._witnesses):
            return {}
        places = [self._place[key] for key in asked]
        columns = self._witnesses[:, places]
        ends = zip(columns.min(axis=0).tolist(), columns.max(axis=0).tolist(), strict=True)
        seen = {key: _interval(*pair) for key, pair in zip(asked, ends, strict=True)}
        return {key: interval for key, interval in seen.items() if enough(key, interval)}

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
                self._reach(place, sense, enough)
        seen = self._seen(place)
        assert seen is not None
        return _interval(*seen)

    def _seen(self, place: int) -> tuple[int, int] | None:
        """Return the least and greatest value among witnesses."""
        column = self._witnesses[:, place]
        return (int(column.min()), int(column.max())) if len(column) else None

    def _reach(self, place: int, sense: int, enough: Enough | None) -> None:
        """See to a witness in which ``place`` is least (sense 1) or greatest (-1), or enough."""
        solver = self._solver
        solver.changeColCost(place, float(sense))
        solver.run()
        if solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible:
            raise _contradiction(self.keys[:5])
        furthest = np.ceil(solver.getInfo().objective_function_value - 1e-6)
        witness = self._fitting(solver)
        solver.changeColCost(place, 0.0)
        if witness is None or furthest < sense * witness[place]:
            # No whole number is beyond what fractions reach: where one is there, that is all.
            if (seen := self._seen(place)) and sense * seen[sense < 0] <= furthest:
                return
            near = self._nearby(place, sense)
            if near is not None:
                self._witnesses = np.vstack([self._witnesses, near])
                if sense * near[place] <= furthest or (enough and self._seen_is(place, enough)):
                    return
            whole = self._whole(place, sense)
            if whole is not None and (
                witness is None or sense * whole[place] < sense * witness[place]
            ):
                witness = whole
        if witness is None:
            raise _contradiction(self.keys[:5])
        self._witnesses = np.vstack([self._witnesses, witness])

    def _nearby(self, place: int, sense: int) -> NDArray[np.int64] | None:
        """Return how far a count gets from the furthest witness if only counts around it move.

        None where there is no witness, or where these are all counts anyway.
        """
        if len(self.keys) <= _NEARBY or not len(self._witnesses):
            return None
        start = self._witnesses[(sense * self._witnesses[:, place]).argmin()]
        around = self._around(place)
        part = self.by_count[:, around]
        rows = np.unique(part.indices)
        part = csr_matrix(part)[rows]
        others = self._matrix[rows] @ start - part @ start[around]
        solver = _solver(
            part, self._low[around], self._high[around], *self._sides(rows, others), whole=True
        )
        solver.setOptionValue("mip_max_nodes", _NEARBY_NODES)
        solver.changeColCost(int(np.searchsorted(around, place)), float(sense))
        solver.run()
        values = np.rint(np.array(solver.getSolution().col_value)).astype(np.int64)
        if len(values) != len(around):
            return None
        point: NDArray[np.int64] = start.copy()
        point[around] = values
        return point if self.fits(point) else None

    def _around(self, place: int) -> NDArray[np.int64]:
        """Return the counts nearest to one in rows; of a long row those in the fewest others."""
        matrix, by_count = self._matrix, self.by_count
        rows_of = np.diff(by_count.indptr)
        found, seen, waiting = {place}, set[int](), deque([place])
        while waiting and len(found) < _NEARBY:
            one = waiting.popleft()
            rows = set(by_count.indices[by_count.indptr[one] : by_count.indptr[one + 1]].tolist())
            for row in sorted(rows - seen):
                terms = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
                order = np.argsort(rows_of[terms], kind="stable")[:_OF_A_ROW]
                fresh = [other for other in terms[order].tolist() if other not in found]
                found.update(fresh)
                waiting.extend(fresh)
            seen |= rows
        return np.array(sorted(found), dtype=np.int64)

    def _whole(self, place: int, sense: int) -> NDArray[np.int64] | None:
        """The same over whole numbers, where fractions would reach further."""
        solver = self._whole_solver()
        solver.changeColCost(place, float(sense))
        solver.run()
        return self._fitting(solver)

    def _whole_solver(self) -> Any:
        """Return a solver that searches among whole numbers."""
        solver = self._loaded()
        _make_whole(solver, len(self.keys))
        return solver

    def _fitting(self, solver: Any) -> NDArray[np.int64] | None:
        """Return the solver's point as whole numbers, if those fit exactly."""
        point: NDArray[np.int64] = np.rint(np.array(solver.getSolution().col_value)).astype(
            np.int64
        )
        return point if len(point) == len(self.keys) and self.fits(point) else None


class _Spread:
    """How far moves from one set of counts show others to reach, by who looks on.

    A row for each count asked for. A column for each contributor, whose count stays; a single one
    for outsiders where there are none.
    """

    def __init__(
        self,
        system: _System,
        start: NDArray[np.int64],
        asked: Sequence[int],
        contributors: Sequence[int],
        enough: Enough,
    ) -> None:
        self._system, self._start, self._enough = system, start, enough
        self._asked = np.array(asked, dtype=np.int64)
        self._contributors = np.array(contributors, dtype=np.int64)
        size = len(start)
        self._row_of = np.full(size, -1, dtype=np.int64)
        self._row_of[self._asked] = np.arange(len(asked))
        self._column_of = np.full(size, -1, dtype=np.int64)
        self._column_of[self._contributors] = np.arange(len(contributors))
        self._least = np.repeat(start[self._asked][:, None], max(1, len(contributors)), axis=1)
        self._greatest = self._least.copy()
        self._done = np.zeros(self._least.shape, dtype=bool)
        self._judge(np.arange(len(asked)), ~self._done)
        self._settle_own()
        self._solver = system.movable(start)
        self._everything = np.arange(2 * size, dtype=np.int32)
        self._points: list[NDArray[np.int64]] = [start]

    def leave_out_all_but(self, pairs: Collection[tuple[str, str]]) -> None:
        """Ask of these contributors and counts only."""
        keys = self._system.keys
        for column, place in enumerate(self._contributors):
            for row, other in enumerate(self._asked):
                self._done[row, column] |= (keys[place], keys[other]) not in pairs

    def _settle_own(self) -> None:
        """What equals a contributor's own count is known to them: nothing will widen it."""
        matrix, size = self._system.matrix, len(self._start)
        pairs = [
            matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            for row in np.flatnonzero((np.diff(matrix.indptr) == 2) & self._system.equalities())
            if matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]].sum() == 0
        ]
        ends = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
        links = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(size, size))
        _, label = connected_components(links, directed=False)
        self._tied = np.zeros(self._least.shape, dtype=bool)
        if len(self._contributors):
            self._tied = label[self._asked][:, None] == label[self._contributors][None, :]

    def moved(self) -> list[NDArray[np.int64]]:
        """Move until little more is shown; return the sets of counts that were reached."""
        draws = np.random.Generator(np.random.PCG64(0))
        stale = 0
        for number in range(_MOVES):
            lacking = self._lacking()
            if not lacking.any() or stale >= 4:
                break
            still = self._contributors[:0]
            if len(self._contributors):
                chosen = (draws.random(len(self._contributors)) < 0.5) & lacking.any(axis=0)
                still = self._contributors[chosen]
                lacking = lacking[:, chosen]
            before = self._lacking().sum()
            self._move(np.flatnonzero(lacking.any(axis=1)), still, upwards=number % 3 != 2)
            stale = stale + 1 if self._lacking().sum() > 0.98 * before else 0
        return self._points

    def shown(self) -> dict[str, dict[str, Interval]]:
        """Return the intervals that are enough, and those of counts equal to one's own."""
        keys, found = self._system.keys, {}
        enough = ~self._lacking()
        for column, place in enumerate(self._contributors):
            rows = np.flatnonzero(enough[:, column] & (self._asked != place))
            found[keys[place]] = {
                keys[self._asked[row]]: _interval(
                    int(self._least[row, column]), int(self._greatest[row, column])
                )
                for row in rows
            }
        return found

    def _lacking(self) -> NDArray[np.bool_]:
        """Return the counts and contributors whose interval is not yet wide enough."""
        lacking: NDArray[np.bool_] = ~(self._done | self._tied)
        return lacking

    def _judge(self, rows: NDArray[np.int64], changed: NDArray[np.bool_]) -> None:
        """Ask of the intervals that have changed whether they are enough, of equal ones once."""
        for row, wider in zip(rows, changed & ~self._done[rows], strict=True):
            columns = np.flatnonzero(wider)
            # Both ends as one number, because numbers are compared faster than pairs.
            ends = self._least[row, columns] * _BASE + self._greatest[row, columns]
            different, which = np.unique(ends, return_inverse=True)
            key = self._system.keys[self._asked[row]]
            told = [
                self._enough(key, _interval(*divmod(pair, _BASE))) for pair in different.tolist()
            ]
            self._done[row, columns] = np.array(told, dtype=bool)[which]

    def _move(self, rows: NDArray[np.int64], still: NDArray[np.int64], upwards: bool) -> None:
        size, places = len(self._start), self._asked[rows]
        low, high = self._system.limits
        rise, fall = (high - self._start).astype(float), (self._start - low).astype(float)
        (rise if upwards else fall)[places] = np.minimum((rise if upwards else fall)[places], _STEP)
        rise[still] = fall[still] = 0.0
        cost = np.full(2 * size, _PENALTY)
        cost[places + (0 if upwards else size)] -= 1.0
        solver = self._solver
        limits = np.concatenate([rise, fall])
        solver.changeColsBounds(2 * size, self._everything, np.zeros(2 * size), limits)
        solver.changeColsCost(2 * size, self._everything, cost)
        solver.run()
        values = np.array(solver.getSolution().col_value)
        if len(values) == 2 * size:
            self._learn(values[:size] - values[size:])

    def _learn(self, move: NDArray[np.float64]) -> None:
        """Take a move apart, and keep each part that is whole and leads to counts that fit."""
        moving = np.flatnonzero(np.abs(move) > 1e-6)
        if not moving.size:
            return
        label = self._parted(moving)
        amounts = np.rint(move[moving]).astype(np.int64)
        order = np.argsort(label, kind="stable")
        for members in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
            point = self._start.copy()
            point[moving[members]] += amounts[members]
            if self._system.fits(point):
                if not len(self._contributors):
                    self._points.append(point)
                self._take(moving[members], point)

    def _parted(self, moving: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return for each of the counts that move the number of the part that it belongs to."""
        by_count, size = self._system.by_count, len(moving)
        starts = by_count.indptr[moving]
        ends = np.concatenate([[0], np.cumsum(by_count.indptr[moving + 1] - starts)])
        terms = np.arange(ends[-1]) + np.repeat(starts - ends[:-1], np.diff(ends))
        # Counts and rows are the nodes: a row links the counts in it.
        nodes = size + by_count.shape[0]
        pointers = np.concatenate([ends, np.full(nodes - size, ends[-1])])
        links = csr_matrix(
            (np.ones(len(terms)), size + by_count.indices[terms], pointers), shape=(nodes, nodes)
        )
        _, label = connected_components(links, directed=False)
        parted: NDArray[np.int64] = label[:size]
        return parted

    def _take(self, places: NDArray[np.int64], point: NDArray[np.int64]) -> None:
        places = places[point[places] != self._start[places]]
        rows = self._row_of[places]
        rows = rows[rows >= 0]
        values = point[self._asked[rows]][:, None]
        looking = np.ones(self._least.shape[1], dtype=bool)
        columns = self._column_of[places]
        looking[columns[columns >= 0]] = False
        least, greatest = self._least[rows], self._greatest[rows]
        self._least[rows] = np.where(looking, np.minimum(least, values), least)
        self._greatest[rows] = np.where(looking, np.maximum(greatest, values), greatest)
        changed = (self._least[rows] != least) | (self._greatest[rows] != greatest)
        self._judge(rows[changed.any(axis=1)], changed[changed.any(axis=1)])

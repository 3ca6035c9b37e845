"""Exact cell suppression for one group of linked cells.

The method is that of Fischetti and Salazar (2001): a master problem chooses which further cells to
hide at least cost; for each sensitive count the greatest and least value that an attacker could
give it is computed; where the rule requires more, the dual solution gives an inequality that every
safe choice obeys, and the master is solved again. Linear programming speaks of fractions of a
person, so a choice that passes is proved again in whole numbers, by witnesses: sets of counts that
fit everything printed. Where only whole numbers expose a count, the inequality is "one more cell
outside this set", for as large an unsafe set as can be found.

All numbers are deviations from the true counts, so a cell that is shown deviates by zero.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

from orchestration.disclosure.table_model import MANY, Cell, Relation
from orchestration.errors import UnpublishableCountError

Mask = NDArray[np.bool_]
Counts = NDArray[np.int64]

_NEAR = 1e-6
WHOLE = 20  # linear problems that one in whole numbers costs
_WITNESSES = 400  # sets of counts that fit and are kept
_SCANNED = 200  # cells of witnesses that are looked at in the time of one in a linear problem


@dataclass(frozen=True)
class Effort:
    """How hard to try, in steps of the solver and never in seconds, so that answers repeat.

    After ``rounds`` of the master, ``nodes`` of its branch and bound in one of them, or
    ``iterations`` of the simplex in all, the choice is repaired and thinned out greedily. It is
    still safe, and its gap to the proved bound is reported. A group that needs more than ``work``
    in all (see :class:`Work`) is hidden whole.
    """

    rounds: int = 80
    nodes: int = 1_000
    iterations: int = 100_000
    large_rounds: int = 2
    work: int = 12_000_000


class WorkSpentError(Exception):
    """A group needs more work than it may have."""


class Work:
    """Counts what a group costs, in cells that the solver looks at, and ends it at a limit.

    Never in seconds, so that the same tables end the same way on every machine.
    """

    def __init__(self, limit: int) -> None:
        self.left = limit

    def spend(self, cells: int) -> None:
        """Take so many cells off what is left; raise :class:`WorkSpentError` at the end of it."""
        self.left -= cells
        if self.left < 0:
            raise WorkSpentError


@dataclass(frozen=True)
class Choice:
    """Which cells of a group to mark; what that loses, and the least that any safe choice loses."""

    hidden: frozenset[str]
    cost: int
    bound: int


def information(cell: Cell) -> int:
    """Return what showing a count is worth: 10 for a cell, and 1 for each doubling of its count."""
    return cell.weight * (10 + cell.value.bit_length())


def worth(cell: Cell) -> int:
    """Return what hiding a count costs: its information, and its secret draw.

    Who knows this program could otherwise repeat the choice for all counts that may be hidden, and
    leave out those for which it would have been another.
    """
    return information(cell) + cell.draw


def unprotectable(cell: Cell) -> UnpublishableCountError:
    """Return the fault of a count that no choice can protect."""
    return UnpublishableCountError(
        f"{cell.key} cannot be protected: what cannot be hidden any more (a sentence, an earlier "
        "release) gives it away. Merge categories, or do not publish its table.",
        cell.key,
    )


def everything(cells: Sequence[Cell]) -> Choice:
    """Return the choice that hides every count that may be hidden, with nothing proved of it."""
    hidden = [
        cell for cell in cells if cell.printed and (_always_hidden(cell) or _may_be_hidden(cell))
    ]
    return Choice(frozenset(cell.key for cell in hidden), sum(map(information, hidden)), 0)


@dataclass(frozen=True)
class ProtectionLevel:
    """What a sensitive count needs, against an attacker who knows the count at ``knows``."""

    place: int
    reach: int
    span: int
    marked: bool
    knows: int | None


def suppress(cells: Sequence[Cell], relations: Iterable[Relation], effort: Effort) -> Choice:
    """Choose the cells to mark so that every sensitive count meets its rule at least cost.

    Raises :class:`DisclosureError` naming the first cell that no choice can protect.
    """
    group = Group(cells, relations, effort.work)
    if not group.levels:
        return group.choice(group.must, 0)
    master = Master(group.costs, group.optional, effort.nodes)
    hidden, bound = group.must, group.cost(group.must)
    for _ in range(effort.rounds):
        cuts = group.violated(hidden)
        if not cuts:
            return group.choice(hidden, group.cost(hidden))
        trial = hidden.copy()
        # Going on greedily finds many cheap inequalities for one solving of the master.
        while cuts:
            for coefficients, need in cuts:
                master.require(coefficients, need, group.must)
                satisfy(group, trial, coefficients, need)
            cuts = group.violated(trial, fractions_only=True)
        solved = master.solve()
        if solved is None:
            raise group.unprotectable()
        hidden, bound = group.must | solved[0], max(bound, solved[1] + group.cost(group.must))
        if master.iterations > effort.iterations:
            break
    return group.choice(_repaired(group, hidden), bound)


class Group:
    """Cells, their equations, and the protection levels of the counts."""

    def __init__(self, cells: Sequence[Cell], relations: Iterable[Relation], work: int) -> None:
        self.work = Work(work)
        self.cells = sorted(cells, key=lambda cell: cell.key)
        place = {cell.key: number for number, cell in enumerate(self.cells)}
        self.values = np.array([cell.value for cell in self.cells], dtype=np.int64)
        self.costs = np.array(
            [worth(cell) if cell.printed else 0 for cell in self.cells], dtype=np.int64
        )
        self.must = np.array([_always_hidden(cell) for cell in self.cells])
        self.optional = np.array([_may_be_hidden(cell) for cell in self.cells]) & ~self.must
        marked = [cell.least_if_dark for cell in self.cells]
        shown = np.array([cell.range_if_shown for cell in self.cells], dtype=np.int64)
        self.down = self.values - np.array(marked, dtype=np.int64)
        self.slack_down = self.values - shown[:, 0]
        self.slack_up = shown[:, 1] - self.values
        self.up = MANY - self.values
        self.matrix = _matrix(place, relations)
        self.prober = Prober(self)
        self._own: dict[tuple[int, int], bool] = {}
        self._witnesses = np.zeros((_WITNESSES, len(self.cells)), dtype=np.int64)
        self._seen, self._kept = 1, 0

    @cached_property
    def columns(self) -> csc_matrix:
        """The equations' coefficients, cell by cell."""
        return csc_matrix(self.matrix)

    @cached_property
    def levels(self) -> "list[ProtectionLevel]":
        """Each sensitive count's protection level, against outsiders and each singleton."""
        return _protection_levels(self.cells)

    def cost(self, hidden: Mask) -> int:
        """Return what a choice costs."""
        return int(self.costs[hidden].sum())

    def choice(self, hidden: Mask, bound: int) -> Choice:
        """Return a choice by keys; what is printed nowhere carries no marker."""
        keys = frozenset(
            cell.key for cell, dark in zip(self.cells, hidden, strict=True) if dark and cell.printed
        )
        return Choice(keys, self.cost(hidden), bound)

    def unprotectable(self) -> UnpublishableCountError:
        """Return the fault of the first count that stays open with everything hidden."""
        everything = self.must | self.optional
        exposed = (d for d in self.levels if self._fault(everything, d) is not None)
        found = next(exposed, None)
        return unprotectable(self.cells[found.place if found else 0])

    def violated(
        self, hidden: Mask, fractions_only: bool = False
    ) -> list[tuple[NDArray[np.float64], float]]:
        """Return inequalities that every safe choice obeys and ``hidden`` does not.

        ``fractions_only`` leaves out what only whole numbers expose, which takes longer to find.
        """
        outsiders = [level for level in self.levels if level.knows is None]
        faults = [self._fault(hidden, level, fractions_only) for level in outsiders]
        if not any(faults):
            insiders = [level for level in self.levels if level.knows is not None]
            faults = [self._fault(hidden, level, fractions_only) for level in insiders]
        # Attackers who know different counts are often held off by one and the same inequality.
        return list({(cut[0].tobytes(), cut[1]): cut for cut in faults if cut}.values())

    def safe(self, hidden: Mask) -> bool:
        """Whether every level is met."""
        return all(self._met(hidden, level) or self._own_affair(level) for level in self.levels)

    def _fault(
        self, hidden: Mask, level: ProtectionLevel, fractions_only: bool = False
    ) -> tuple[NDArray[np.float64], float] | None:
        if self._witnessed(hidden, level) or self._own_affair(level):
            return None
        if level.marked and (cut := self._linear_cut(hidden, level)) is not None:
            return cut
        if fractions_only or self._met(hidden, level):
            return None
        return self._combinatorial_cut(hidden, level)

    def _own_affair(self, level: ProtectionLevel) -> bool:
        """Whether what a contributor learns follows from their own count and nothing published.

        The only person of an area knows its every category. The same holds where the protection
        level would fail for them even if nothing but the zeros were shown.
        """
        if level.knows is None:
            return False
        pair = (level.place, level.knows)
        if pair not in self._own:
            nothing_shown = self.must | (self.values > 0) | self.optional
            self._own[pair] = not self._met(nothing_shown, level)
        return self._own[pair]

    def _witnessed(self, hidden: Mask, level: ProtectionLevel) -> bool:
        """Whether witnesses found before meet the level already."""
        known = self._witnesses[: self._seen]
        self.work.spend(known.size // _SCANNED)
        beyond = (known > self.slack_up) | (known < -self.slack_down)
        fits = ~(beyond & ~hidden).any(axis=1)
        if level.knows is not None:
            fits &= known[:, level.knows] == 0
        seen = known[fits, level.place]
        return self._enough(level, int(seen.max()), int(-seen.min()))

    def _enough(self, level: ProtectionLevel, above: int, below: int) -> bool:
        if not level.marked and below >= self.values[level.place]:
            return True
        return above >= level.reach and above + below >= level.span

    def _linear_cut(
        self, hidden: Mask, level: ProtectionLevel
    ) -> tuple[NDArray[np.float64], float] | None:
        """Return the dual inequality where even fractions do not meet the level."""
        above = self._probe(hidden, level, -1)
        if above.value < level.reach - _NEAR:
            return self.bounding(above.duals), float(level.reach)
        if self._witnessed(hidden, level):
            return None
        below = self._probe(hidden, level, 1)
        if above.value + below.value < level.span - _NEAR:
            return self.bounding(above.duals) + self.bounding(below.duals), float(level.span)
        return None

    def bounding(self, duals: NDArray[np.float64]) -> NDArray[np.float64]:
        """How much of the level each cell, if hidden, can contribute at most."""
        steep = np.where(np.abs(duals) < _NEAR, 0.0, duals)
        bounding: NDArray[np.float64] = np.maximum(-steep, 0) * self.up + (
            np.maximum(steep, 0) * self.down
        )
        return bounding

    def _probe(self, hidden: Mask, level: ProtectionLevel, sense: int) -> "Probe":
        probe = self.prober.linear(hidden, level.place, sense, level.knows)
        self._remember(hidden, level, probe.point)
        return probe

    def _met(self, hidden: Mask, level: ProtectionLevel) -> bool:
        """Whether whole numbers meet the level: proved by witnesses, or refuted by search."""
        if self._witnessed(hidden, level):
            return True
        # A count that no table prints is safe where it may be none.
        senses = (-1, 1) if level.marked else (1, -1)
        reached = {}
        for sense in senses:
            reached[sense] = int(np.floor(self._probe(hidden, level, sense).value + _NEAR))
            if self._witnessed(hidden, level):
                return True
        if not self._enough(level, reached[-1], reached[1]):
            # Not even fractions of a person get so far.
            return False
        for sense in senses:
            point = self.prober.whole(hidden, level.place, sense, level.knows)
            self._remember(hidden, level, point)
            if self._witnessed(hidden, level):
                return True
        return False

    def _remember(self, hidden: Mask, level: ProtectionLevel, point: NDArray[np.float64]) -> None:
        """Keep a point as a witness, if it fits in whole numbers exactly."""
        if len(point) != len(self.values):
            return
        whole = np.rint(point).astype(np.int64)
        low, high = self.prober.limits(hidden, level.knows)
        if (whole < low).any() or (whole > high).any() or (self.matrix @ whole).any():
            return
        # The latest ones; the first, which moves nothing, stays.
        if self._seen < _WITNESSES:
            self._seen += 1
        place = 1 + self._kept % (_WITNESSES - 1)
        self._witnesses[place], self._kept = whole, self._kept + 1

    def _combinatorial_cut(
        self, hidden: Mask, level: ProtectionLevel
    ) -> tuple[NDArray[np.float64], float]:
        """Return "one more cell outside": of the largest unsafe set that greed finds."""
        unsafe = hidden.copy()
        for place in np.argsort(self.costs, kind="stable"):
            if self.optional[place] and not unsafe[place]:
                unsafe[place] = True
                if self._met(unsafe, level):
                    unsafe[place] = False
        outside = (self.optional & ~unsafe).astype(np.float64)
        return outside, 1.0


def _always_hidden(cell: Cell) -> bool:
    return not cell.fixed and (not cell.printed or cell.small)


def _may_be_hidden(cell: Cell) -> bool:
    return not (cell.fixed or cell.stays) and (cell.value > 0 or cell.rule.hide_zeros)


def _matrix(place: Mapping[str, int], relations: Iterable[Relation]) -> csr_matrix:
    """Equations over the group's cells; a cell outside it is known and does not deviate."""
    entries: list[tuple[int, int, int]] = []
    rows = 0
    for relation in relations:
        row: dict[int, int] = {}
        for key, coefficient in relation.terms:
            if key in place:
                row[place[key]] = row.get(place[key], 0) + coefficient
        terms = [(rows, column, factor) for column, factor in sorted(row.items()) if factor]
        entries += terms
        rows += bool(terms)
    numbers = np.array(entries, dtype=np.int64).reshape(len(entries), 3)
    shape = (rows, len(place))
    return csr_matrix((numbers[:, 2], (numbers[:, 0], numbers[:, 1])), shape=shape)


def _protection_levels(cells: Sequence[Cell]) -> list[ProtectionLevel]:
    """Return each sensitive count's protection level, against outsiders and each singleton."""
    lone = [number for number, cell in enumerate(cells) if cell.value == 1 and _is_marked(cell)]
    levels = []
    for knows in [None, *lone]:
        for number, cell in enumerate(cells):
            if cell.sensitive and number != knows:
                threshold = cell.rule.threshold
                levels.append(
                    ProtectionLevel(
                        number, threshold - cell.value, threshold - 1, cell.shows_marker, knows
                    )
                )
    return levels


def _is_marked(cell: Cell) -> bool:
    return cell.shows_marker and cell.sensitive


@dataclass(frozen=True)
class Probe:
    """The furthest deviation (not negative), the point that reaches it, and the reduced costs."""

    value: float
    point: NDArray[np.float64]
    duals: NDArray[np.float64]


class Prober:
    """The attacker's problem over a group, in a solver that is changed and asked again."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._places = np.arange(len(group.values), dtype=np.int32)
        self._solver = self._loaded()

    def _loaded(self) -> Any:
        solver = quiet_solver()
        nothing = np.zeros(len(self._places))
        solver.addVars(len(nothing), nothing, nothing)
        add_equations(solver, self._group.matrix)
        return solver

    def limits(self, hidden: Mask, knows: int | None) -> tuple[Counts, Counts]:
        """Return the least and greatest deviation of each cell under a choice."""
        group = self._group
        low = np.where(hidden, -group.down, -group.slack_down)
        high = np.where(hidden, group.up, group.slack_up)
        if knows is not None:
            low[knows] = high[knows] = 0
        return low, high

    def linear(self, hidden: Mask, place: int, sense: int, knows: int | None) -> Probe:
        """Deviate ``place`` as far down (sense 1) or up (-1) as fractions allow."""
        self._group.work.spend(len(self._places))
        solver = self._solver
        low, high = self.limits(hidden, knows)
        solver.changeColsBounds(
            len(self._places), self._places, low.astype(float), high.astype(float)
        )
        solver.changeColCost(place, float(sense))
        solver.run()
        solution = solver.getSolution()
        probe = Probe(
            -solver.getInfo().objective_function_value,
            np.array(solution.col_value),
            np.array(solution.col_dual),
        )
        solver.changeColCost(place, 0.0)
        if knows is not None:
            probe.duals[knows] = 0.0
        return probe

    def whole(self, hidden: Mask, place: int, sense: int, knows: int | None) -> NDArray[np.float64]:
        """Return the point that deviates furthest in whole numbers; empty where none was found."""
        self._group.work.spend(WHOLE * len(self._places))
        solver = self._loaded()
        low, high = self.limits(hidden, knows)
        solver.changeColsBounds(
            len(self._places), self._places, low.astype(float), high.astype(float)
        )
        solver.changeColsIntegrality(
            len(self._places), self._places, np.ones(len(self._places), dtype=np.uint8)
        )
        solver.changeColCost(place, float(sense))
        solver.run()
        return np.array(solver.getSolution().col_value)


class Master:
    """Which further cells to hide at least cost, given the inequalities found so far."""

    def __init__(self, costs: Counts, optional: Mask, nodes: int, near: float = 0.0) -> None:
        (self._places,) = np.nonzero(optional)
        self._size = len(optional)
        self._solver = quiet_solver()
        self._solver.setOptionValue("mip_max_nodes", nodes)
        self._solver.setOptionValue("mip_rel_gap", near)
        # The masters are small and many: what pays on a large problem only costs here.
        for costly in ("mip_heuristic_run_rins", "mip_heuristic_run_rens", "mip_allow_restart"):
            self._solver.setOptionValue(costly, False)
        self._solver.setOptionValue("mip_heuristic_effort", 0.0)
        for number, place in enumerate(self._places):
            self._solver.addVar(0.0, 1.0)
            self._solver.changeColCost(number, float(costs[place]))
            self._solver.changeColIntegrality(number, highspy.HighsVarType.kInteger)
        self._possible = True
        self.iterations = 0

    def require(self, coefficients: NDArray[np.float64], need: float, must: Mask) -> None:
        """Add an inequality; what is hidden anyway is taken off what is needed."""
        rest = need - float(coefficients[must].sum())
        if rest <= _NEAR:
            rest = _NEAR
        scaled = np.minimum(coefficients[self._places], rest) / rest
        (columns,) = np.nonzero(scaled > _NEAR)
        if not len(columns):
            self._possible = False
            return
        self._solver.addRow(
            1.0, highspy.kHighsInf, len(columns), columns.astype(np.int32), scaled[columns]
        )

    def solve(self) -> tuple[Mask, int] | None:
        """Return the chosen cells and the proved bound; none where nothing satisfies all."""
        if not self._possible:
            return None
        self._solver.run()
        self.iterations += max(0, self._solver.getInfo().simplex_iteration_count)
        values = np.array(self._solver.getSolution().col_value)
        if len(values) != len(self._places) or (
            self._solver.getModelStatus() == highspy.HighsModelStatus.kInfeasible
        ):
            return None
        chosen = np.zeros(self._size, dtype=bool)
        chosen[self._places[values > 0.5]] = True
        bound = int(np.ceil(self._solver.getInfo().mip_dual_bound - _NEAR))
        return chosen, bound


def add_equations(solver: Any, matrix: csr_matrix) -> None:
    """Add a row to the solver for each row of the matrix, each equal to zero."""
    rows = matrix.shape[0]
    nothing = np.zeros(rows)
    solver.addRows(
        rows, nothing, nothing, matrix.nnz, matrix.indptr[:-1].astype(np.int32),
        matrix.indices.astype(np.int32), matrix.data.astype(float),
    )  # fmt: skip


def quiet_solver() -> Any:
    """Return a solver that says nothing and gives the same answer each time.

    It is asked many small things in turn: what pays on a large problem only costs here.
    """
    solver: Any = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in (
        ("output_flag", False),
        ("threads", 1),
        ("random_seed", 0),
        ("mip_rel_gap", 0.0),
        ("mip_abs_gap", 0.99),
        ("presolve", "off"),
        ("mip_heuristic_run_feasibility_jump", False),
    ):
        solver.setOptionValue(option, value)
    return solver


def _repaired(group: Group, hidden: Mask) -> Mask:
    """Hide more until safe, taking what helps most for what it loses; then show what may be."""
    repaired = hidden.copy()
    while cuts := group.violated(repaired):
        for coefficients, need in cuts:
            satisfy(group, repaired, coefficients, need)
    for place in np.argsort(-group.costs, kind="stable"):
        if repaired[place] and group.optional[place]:
            repaired[place] = False
            if not group.safe(repaired):
                repaired[place] = True
    return repaired


def satisfy(group: Group, hidden: Mask, coefficients: NDArray[np.float64], need: float) -> None:
    """Hide, in ``hidden``, what helps an inequality most for what it loses, until it holds."""
    worth = np.minimum(coefficients, need) / np.maximum(group.costs, 1)
    for place in np.argsort(-worth, kind="stable"):
        if coefficients[hidden].sum() >= need - _NEAR:
            return
        if group.optional[place] and not hidden[place] and coefficients[place] > _NEAR:
            hidden[place] = True
    if coefficients[hidden].sum() < need - _NEAR:
        raise group.unprotectable()

"""Cell suppression for a group of cells that is too large to be solved exactly in one piece.

The inequalities, the safety and the proved bound are those of ``exact_suppression``. The proof of
the protection levels and the choice differ. A thousand linked cells have a hundred thousand
protection levels, one for each sensitive count and each singleton. So they are proved many at a
time: one linear problem moves as many counts at once as it can, its answer splits into independent
parts, and each part in whole numbers is a witness for every count that it moves, against every
contributor whose count it does not move. Only levels without a witness are checked one by one.
The master is solved to within :data:`NEAR_BEST`. After so many rounds the best safe choice is
taken, with its gap to the proved bound.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from orchestration.disclosure.exact_suppression import (
    WHOLE,
    Choice,
    Counts,
    Effort,
    Group,
    Mask,
    Master,
    add_equations,
    quiet_solver,
    satisfy,
    unprotectable,
)
from orchestration.disclosure.table_model import Cell, Relation
from orchestration.errors import UnpublishableCountError

LARGE = 400
"""Cells of a group from which on it is solved here."""

NEAR_BEST = 0.005
"""How near to its best a master is solved, of its own cost."""

_NEAR = 1e-6
_PENALTY = 0.02
_SPLITS = 24
_STALE = 3
_NODES = 20
_FEW = 8  # levels that are asked one by one
_IN_VAIN = 6  # questions in vain after which counts are moved together again


class Cut(NamedTuple):
    """Coefficients of the cells, if hidden, and what they must add up to.

    What is not ``proved`` is no more than a help.
    """

    coefficients: NDArray[np.float64]
    need: float
    proved: bool = True


def suppress_in_parts(
    cells: Sequence[Cell], relations: Sequence[Relation], effort: Effort
) -> Choice:
    """Choose as ``exact_suppression.suppress`` does, for a large group."""
    group = Group(cells, relations, effort.work)
    proofs = _Proofs(group)
    if not proofs.asks:
        return group.choice(group.must, 0)
    master = Master(group.costs, group.optional, effort.nodes, NEAR_BEST)
    pool = list(_plain_cuts(group))
    fresh, bound = pool, group.cost(group.must)
    best = group.must | group.optional
    # Singletons need little more than outsiders, and are many: they come last.
    for _ in range(effort.large_rounds):
        for cut in fresh:
            if cut.proved:
                master.require(cut.coefficients, cut.need, group.must)
        solved = master.solve()
        if solved is None:
            raise proofs.unprotectable()
        bound = max(bound, solved[1] + group.cost(group.must))
        trial, fresh = proofs.repaired(group.must | solved[0], outsiders_only=True)
        pool += fresh
        trial, more = proofs.repaired(_thinned(group, trial, pool), outsiders_only=True)
        pool += more
        fresh = [*fresh, *more]
        best = min(best, trial, key=group.cost)
        if not fresh:
            break
    best, _ = proofs.repaired(best)
    while (idle := proofs.idle(best)).any():
        shown = best & ~idle
        best, _ = proofs.repaired(shown)
        if (best & idle).any():
            break
    return group.choice(best, min(bound, group.cost(best)))


def _thinned(group: Group, hidden: Mask, cuts: "Sequence[Cut]") -> Mask:
    """Show again what no inequality needs, the dearest first."""
    thinned = hidden.copy()
    worth = np.zeros((len(cuts), len(hidden)))
    for number, cut in enumerate(cuts):
        worth[number] = np.minimum(cut.coefficients, cut.need) / cut.need
    sums = worth[:, hidden].sum(axis=1)
    for place in np.argsort(-group.costs, kind="stable"):
        if thinned[place] and group.optional[place]:
            rest = sums - worth[:, place]
            if (rest >= np.minimum(sums, 1.0) - _NEAR).all():
                thinned[place], sums = False, rest
    return thinned


def _plain_cuts(group: Group) -> Iterator[Cut]:
    """Yield what each equation alone requires of the cells beside a sensitive count."""
    if group.slack_down.any() or group.slack_up.any():
        return
    matrix = group.matrix
    outsiders = {place: None for place, cell in enumerate(group.cells) if cell.sensitive}
    for row in range(matrix.shape[0]):
        places = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
        factors = matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]
        for at, place in enumerate(places):
            cell = group.cells[place]
            if place not in outsiders or not cell.shows_marker:
                continue
            opposite = factors * factors[at] < 0
            scale = np.abs(factors / factors[at])
            up, down = group.up[places], group.down[places]
            reach, span = cell.rule.threshold - cell.value, cell.rule.threshold - 1
            for worth, need in (
                (np.where(opposite, up, down), reach),
                (up + down, span),
            ):
                coefficients = np.zeros(len(group.cells))
                coefficients[places] = scale * worth
                coefficients[place] = 0.0
                if coefficients[group.must].sum() < need - _NEAR:
                    yield Cut(coefficients, float(need))


@dataclass(frozen=True)
class _Witness:
    """Whole deviations that fit all equations: where, and by how much."""

    places: NDArray[np.int64]
    amounts: Counts


class _Proofs:
    """Which levels of a group are met in whole numbers under a choice, and which are not.

    Demands are a table: a row for each sensitive count, a first column for outsiders and one for
    each singleton. ``_above`` and ``_below`` hold how far witnesses move the row's count.
    """

    def __init__(self, group: Group) -> None:
        self._group = group
        cells = group.cells
        self._rows = np.array([n for n, cell in enumerate(cells) if cell.sensitive], dtype=np.int64)
        lone = [n for n, c in enumerate(cells) if c.value == 1 and c.shows_marker and c.sensitive]
        self._lone = np.array(lone, dtype=np.int64)
        self._row_of = np.full(len(cells), -1, dtype=np.int64)
        self._row_of[self._rows] = np.arange(len(self._rows))
        self._column_of = np.full(len(cells), -1, dtype=np.int64)
        self._column_of[self._lone] = np.arange(len(self._lone)) + 1
        some = [cells[n] for n in self._rows]
        self._reach = np.array([c.rule.threshold - c.value for c in some], dtype=np.int64)
        self._span = np.array([c.rule.threshold - 1 for c in some], dtype=np.int64)
        self._marked = np.array([c.shows_marker for c in some], dtype=bool)
        self._values = np.array([c.value for c in some], dtype=np.int64)
        self._alone = np.maximum(self._reach, self._span)
        self._own = self._tied()
        self._witnesses: list[_Witness] = []
        self._hidden = group.must
        self._above = self._below = np.zeros((0, 0), dtype=np.int64)
        self._mover = _Mover(group)
        self._choose(group.must)

    @property
    def asks(self) -> bool:
        """Whether there is any level."""
        return len(self._rows) > 0

    def _tied(self) -> Mask:
        """Return whose count is the contributor's own: the same count by equations of two."""
        matrix, size = self._group.matrix, len(self._group.cells)
        pairs = [
            matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
            for row in np.flatnonzero(np.diff(matrix.indptr) == 2)
            if set(matrix.data[matrix.indptr[row] : matrix.indptr[row + 1]]) == {1, -1}
        ]
        ends = np.array(pairs, dtype=np.int64).reshape(len(pairs), 2)
        links = csr_matrix((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(size, size))
        _, label = connected_components(links, directed=False)
        own = np.zeros((len(self._rows), len(self._lone) + 1), dtype=bool)
        own[:, 1:] = label[self._rows][:, None] == label[self._lone][None, :]
        return own

    def repaired(self, hidden: Mask, outsiders_only: bool = False) -> tuple[Mask, list[Cut]]:
        """Hide more than ``hidden`` until every level is met; return also what required it.

        Where it is a draft, ``outsiders_only``, fractions of a person will do.
        """
        self._choose(hidden, outsiders_only)
        cuts = self._repair(0, fractions_only=outsiders_only)
        if outsiders_only:
            return self._hidden.copy(), cuts
        self._split()
        while (columns := np.flatnonzero(self._unmet().any(axis=0))).size:
            cuts += self._repair(int(columns[0]))
        return self._hidden.copy(), cuts

    def _repair(self, column: int, fractions_only: bool = False) -> list[Cut]:
        """Meet the levels against one attacker."""
        cuts: list[Cut] = []
        fault = self._linear_fault if fractions_only else self._fault
        while True:
            if len(self._rows_unmet(column)) > _FEW:
                self._move_many(column)
            rows = self._rows_unmet(column)
            before = len(cuts)
            in_vain = 0
            for number, row in enumerate(rows):
                if not self._is_unmet(row, column):
                    continue
                if cut := fault(int(row), column):
                    cuts.append(cut)
                    self._satisfy(cut)
                    continue
                in_vain += 1
                # What was hidden since has met many levels, which one move may show.
                if in_vain % _IN_VAIN == 0 and len(rows) - number > _FEW:
                    self._move(self._rows_unmet(column), self._knows(column), upwards=True)
            if not rows.size or (fractions_only and len(cuts) == before):
                return cuts

    def idle(self, hidden: Mask) -> Mask:
        """Return the cells hidden for others' sake that no whole numbers move: idly hidden."""
        self._choose(hidden)
        idle: Mask = hidden & self._group.optional
        for witness in self._witnesses:
            if self._fits(witness):
                idle[witness.places] = False
        while idle.any():
            before = idle.sum()
            for upwards in (True, False):
                self._stir(idle, np.flatnonzero(idle), upwards)
            if idle.sum() == before:
                break
        for place in np.flatnonzero(idle):
            for upwards in (True, False):
                if idle[place]:
                    self._stir(idle, np.array([place]), upwards, whole=True)
        return idle

    def _stir(
        self, idle: Mask, places: NDArray[np.int64], upwards: bool, whole: bool = False
    ) -> None:
        """Move ``places`` by one, and take off ``idle`` what has moved."""
        some, nowhere = (places, np.ones_like(places)), (places[:0], places[:0])
        up, down = (some, nowhere) if upwards else (nowhere, some)
        point = self._mover.moved(self._hidden, self._lone[:0], up, down, whole)
        for witness in _whole_parts(self._group, point):
            if self._within(witness) and self._fits(witness):
                idle[witness.places] = False

    def _satisfy(self, cut: Cut) -> None:
        possible = self._group.must | self._group.optional
        if cut.coefficients[possible].sum() < cut.need - _NEAR:
            raise self.unprotectable()
        satisfy(self._group, self._hidden, cut.coefficients, cut.need)

    def _choose(self, hidden: Mask, outsiders_only: bool = False) -> None:
        size = (len(self._rows), 1 if outsiders_only else len(self._lone) + 1)
        wider = not (self._hidden & ~hidden).any()
        self._hidden = hidden.copy()
        if wider and self._above.shape == size:
            return
        self._above, self._below = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for witness in self._witnesses:
            if self._fits(witness):
                self._applied(witness)

    def _fits(self, witness: _Witness) -> bool:
        group, places = self._group, witness.places
        shown = ~self._hidden[places]
        beyond = (witness.amounts > group.slack_up[places]) | (
            witness.amounts < -group.slack_down[places]
        )
        return not (shown & beyond).any()

    def _applied(self, witness: _Witness) -> bool:
        """Take a witness into account; return whether it moved a count further than any before."""
        rows = self._row_of[witness.places]
        amounts = witness.amounts[rows >= 0][:, None]
        rows = rows[rows >= 0]
        above, below = amounts, -amounts
        if (attackers := self._above.shape[1]) > 1:
            columns = self._column_of[witness.places]
            free = np.ones(attackers, dtype=bool)
            free[columns[columns >= 0]] = False
            above, below = np.where(free, above, 0), np.where(free, below, 0)
        further = (above > self._above[rows]) & (self._above[rows] < self._alone[rows][:, None])
        lower = (below > self._below[rows]) & (self._below[rows] < self._alone[rows][:, None])
        self._above[rows] = np.maximum(self._above[rows], above)
        self._below[rows] = np.maximum(self._below[rows], below)
        return bool(further.any() or lower.any())

    def _unmet(self, columns: slice = slice(None)) -> Mask:
        """Return which levels are not met, against some attackers or all."""
        above, below = self._above[:, columns], self._below[:, columns]
        met = (above >= self._reach[:, None]) & (above + below >= self._span[:, None])
        met |= ~self._marked[:, None] & (below >= self._values[:, None])
        unmet: Mask = ~(met | self._own[:, : self._above.shape[1]][:, columns])
        return unmet

    def _rows_unmet(self, column: int) -> NDArray[np.int64]:
        """Return the counts whose level against one attacker is not met."""
        return np.flatnonzero(self._unmet(slice(column, column + 1)))

    def _is_unmet(self, row: int, column: int) -> bool:
        above, below = self._above[row, column], self._below[row, column]
        met = above >= self._reach[row] and above + below >= self._span[row]
        met = met or (not self._marked[row] and below >= self._values[row])
        return not (met or self._own[row, column])

    def _learn(self, point: NDArray[np.float64]) -> None:
        """Keep the parts of a point that are whole numbers and fit."""
        for witness in _whole_parts(self._group, point):
            if self._within(witness) and self._fits(witness) and self._applied(witness):
                self._witnesses.append(witness)

    def _within(self, witness: _Witness) -> bool:
        group, places = self._group, witness.places
        return bool(
            (witness.amounts <= group.up[places]).all()
            and (witness.amounts >= -group.down[places]).all()
        )

    def _move_many(self, column: int) -> None:
        """Move all counts at once that are not proved against one attacker, up and then down."""
        still = self._knows(column)
        for upwards in (True, False, True):
            while (rows := self._rows_unmet(column)).size:
                self._move(rows, still, upwards)
                if len(rows) == len(self._rows_unmet(column)):
                    break

    def _split(self) -> None:
        """Hold half of the singletons fixed and move the rest, for one half and another."""
        draws = np.random.Generator(np.random.PCG64(0))
        stale = 0
        for number in range(_SPLITS):
            unmet = self._unmet(slice(1, None))
            before = unmet.sum()
            if not before or stale >= _STALE:
                return
            still = (draws.random(len(self._lone)) < 0.5) & unmet.any(axis=0)
            rows = np.flatnonzero(unmet[:, still].any(axis=1))
            self._move(rows, self._lone[still], upwards=number % 4 != 3)
            stale = stale + 1 if self._unmet(slice(1, None)).sum() > 0.95 * before else 0

    def _move(self, rows: NDArray[np.int64], still: NDArray[np.int64], upwards: bool) -> None:
        # A count that is printed nowhere is safe where it may be none, so it moves the other way.
        down = self._marked[rows] ^ upwards
        point = self._mover.moved(
            self._hidden, still,
            (self._rows[rows][~down], self._alone[rows][~down]),
            (self._rows[rows][down], self._values[rows][down]),
        )  # fmt: skip
        self._learn(point)

    def _fault(self, row: int, column: int) -> Cut | None:
        """Return an inequality for one level, or none where it is met after all."""
        cut = self._linear_fault(row, column)
        if cut is None:
            if not self._is_unmet(row, column) or self._whole_met(row, column):
                return None
            cut = self._beside(row)
        if column and self._is_own_affair(row, column):
            self._own[row, column] = True
            return None
        return cut

    def _knows(self, column: int) -> NDArray[np.int64]:
        return self._lone[column - 1 : column] if column else self._lone[:0]

    def _linear_fault(self, row: int, column: int) -> Cut | None:
        """Return the dual inequality where even fractions do not meet a level."""
        group, place = self._group, int(self._rows[row])
        knows = int(self._lone[column - 1]) if column else None
        above = group.prober.linear(self._hidden, place, -1, knows)
        reach, span = float(self._reach[row]), float(self._span[row])
        cut: tuple[NDArray[np.float64], float] | None = None
        if above.value < reach - _NEAR:
            cut = group.bounding(above.duals) / reach, 1.0
            if self._marked[row]:
                return Cut(*cut)
        self._learn(above.point)
        if not self._is_unmet(row, column):
            return None
        below = group.prober.linear(self._hidden, place, 1, knows)
        self._learn(below.point)
        if cut is None and above.value + below.value < span - _NEAR:
            cut = (group.bounding(above.duals) + group.bounding(below.duals)) / span, 1.0
        if cut is None or self._marked[row]:
            return Cut(*cut) if cut else None
        if below.value > self._values[row] - _NEAR:
            return None
        # One way or the other will do for a count that no table prints.
        either = np.maximum(cut[0], group.bounding(below.duals) / float(self._values[row]))
        return Cut(either, 1.0)

    def _whole_met(self, row: int, column: int) -> bool:
        """Search for a witness in whole numbers, in so many steps."""
        place, still = self._rows[row : row + 1], self._knows(column)
        nowhere = self._rows[:0], self._values[:0]
        ways = [((place, self._alone[row : row + 1]), nowhere)]
        if not self._marked[row]:
            ways.append((nowhere, (place, self._values[row : row + 1])))
        for up, down in ways:
            self._learn(self._mover.moved(self._hidden, still, up, down, whole=True))
        return not self._is_unmet(row, column)

    def _is_own_affair(self, row: int, column: int) -> bool:
        """Whether a contributor learns as much where nothing is shown but the zeros."""
        standing = self._hidden, self._above, self._below
        self._hidden = self._group.must | self._group.optional
        self._above, self._below = self._above.copy(), self._below.copy()
        own = self._linear_fault(row, column) is not None
        self._hidden, self._above, self._below = standing
        return own

    def _beside(self, row: int) -> Cut:
        """Return "one more cell beside the count", which proves nothing, but helps."""
        matrix = self._group.matrix
        inside = np.zeros(len(self._group.cells), dtype=np.int64)
        inside[self._rows[row]] = 1
        open_cells = self._group.optional & ~self._hidden
        while True:
            reached = np.asarray(abs(matrix).T @ (abs(matrix) @ inside)) > 0
            if (reached & open_cells).any() or (reached == (inside > 0)).all():
                return Cut((reached & open_cells).astype(np.float64), 1.0, proved=False)
            inside = reached.astype(np.int64)

    def unprotectable(self) -> UnpublishableCountError:
        """Return the fault of a count that stays open with everything hidden."""
        self._choose(self._group.must | self._group.optional)
        self._move_many(0)
        rows = self._rows_unmet(0)
        faulty = [row for row in rows if self._fault(int(row), 0) is not None]
        place = self._rows[faulty[0]] if faulty else 0
        return unprotectable(self._group.cells[place])


class _Mover:
    """The problem of moving many counts at once, with as little else moved as may be."""

    def __init__(self, group: Group) -> None:
        self._group = group
        size = len(group.cells)
        self._all = np.arange(2 * size, dtype=np.int32)
        self._solver = self._loaded()
        self._whole = self._loaded()
        self._whole.changeColsIntegrality(2 * size, self._all, np.ones(2 * size, dtype=np.uint8))
        self._whole.setOptionValue("mip_max_improving_sols", 1)
        self._whole.setOptionValue("mip_max_nodes", _NODES)

    def _loaded(self) -> Any:
        nothing = np.zeros(len(self._all))
        solver = quiet_solver()
        solver.addVars(len(nothing), nothing, nothing)
        add_equations(solver, _beside(self._group.matrix))
        return solver

    def moved(
        self,
        hidden: Mask,
        still: NDArray[np.int64],
        up: tuple[NDArray[np.int64], Counts],
        down: tuple[NDArray[np.int64], Counts],
        whole: bool = False,
    ) -> NDArray[np.float64]:
        """Return the deviations that move most: places up and down, each at most so far.

        In ``whole`` numbers they are moved just so far, in the first way that is found.
        """
        group, size = self._group, len(self._group.cells)
        group.work.spend((2 * WHOLE if whole else 2) * size)
        rise = np.where(hidden, group.up, group.slack_up)
        fall = np.where(hidden, group.down, group.slack_down)
        rise[up[0]] = np.minimum(rise[up[0]], up[1])
        fall[down[0]] = np.minimum(fall[down[0]], down[1])
        rise[still] = fall[still] = 0
        cost = np.full(2 * size, _PENALTY)
        cost[up[0]] -= 1.0
        cost[size + down[0]] -= 1.0
        least = np.zeros(2 * size)
        if whole:
            least[up[0]], least[size + down[0]] = up[1], down[1]
        solver = self._whole if whole else self._solver
        limits = np.maximum(least, np.concatenate([rise, fall]).astype(float))
        solver.changeColsBounds(2 * size, self._all, least, limits)
        solver.changeColsCost(2 * size, self._all, cost)
        solver.run()
        if not solver.getInfo().primal_solution_status:
            return np.zeros(size)
        values = np.array(solver.getSolution().col_value)
        moved: NDArray[np.float64] = values[:size] - values[size:]
        return moved


def _beside(matrix: csr_matrix) -> csr_matrix:
    """Return a matrix with its opposite at its right."""
    rows, columns = matrix.shape
    told = matrix.tocoo()
    return csr_matrix(
        (
            np.concatenate([told.data, -told.data]),
            (np.concatenate([told.row, told.row]), np.concatenate([told.col, told.col + columns])),
        ),
        shape=(rows, 2 * columns),
    )


def _whole_parts(group: Group, point: NDArray[np.float64]) -> Iterator[_Witness]:
    """Yield the parts of a point that no equation ties together, where they are whole and fit."""
    if len(point) != len(group.cells):
        return
    moving = np.flatnonzero(np.abs(point) > _NEAR)
    if not moving.size:
        return
    whole = np.rint(point[moving]).astype(np.int64)
    # Cells and equations are the nodes, terms the edges; the terms of some cells, end to end.
    columns, size = group.columns, len(moving)
    starts = columns.indptr[moving]
    ends = np.concatenate([[0], np.cumsum(columns.indptr[moving + 1] - starts)])
    cell = np.repeat(np.arange(size), np.diff(ends))
    terms = np.arange(ends[-1]) + (starts - ends[:-1])[cell]
    rows = columns.indices[terms]
    nodes = size + columns.shape[0]
    pointers = np.concatenate([ends, np.full(nodes - size, ends[-1])])
    edges = csr_matrix((np.ones(len(rows)), size + rows, pointers), shape=(nodes, nodes))
    _, label = connected_components(edges, directed=False)
    sums = np.bincount(rows, columns.data[terms] * whole[cell], nodes - size)
    wrong = set(label[size:][sums != 0].tolist())
    label = label[:size]
    order = np.argsort(label, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(label[order])) + 1):
        if int(label[members[0]]) not in wrong:
            yield _Witness(moving[members], whole[members])

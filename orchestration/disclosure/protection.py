"""The protection: which cells to hide and to merge, over all linked tables of a release.

Cells that are linked, through sums or through tables that share a cell, form a group; groups are
independent of each other and are solved one at a time (``exact_suppression``). Where a table
declares that adjacent categories may be merged, each way of merging is tried in the groups where
something must be hidden, and taken where it loses less than hiding does.

Lost information is what the cells that are no longer shown were worth (``worth``): 10 a cell, and 1
for each doubling of its count, times the weight that its table declares, and a secret draw of up to
4, so that nobody can repeat the choice.
"""

import multiprocessing
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import product

from orchestration.disclosure.exact_suppression import (
    Choice,
    Effort,
    WorkSpentError,
    everything,
    suppress,
    worth,
)
from orchestration.disclosure.heuristic_suppression import LARGE, suppress_in_parts
from orchestration.disclosure.small_count_rounding import draw, without_dates
from orchestration.disclosure.table_model import (
    Cell,
    Merge,
    MergeOption,
    Protection,
    Relation,
    Tables,
    with_merge,
)
from orchestration.errors import DisclosureError, UnpublishableCountError

MOST_COMBINATIONS = 256
"""Ways of merging a group's tables that are all tried; above that, one table is tried at a time."""

MOST_PROCESSES = 4
"""Processes at once, for each holds a solver."""

_WORTH_PROCESSES = 3
"""Large groups from which on the start of further processes pays."""

_MOST_DRAWN = 4
"""The greatest secret draw: more than what most counts of one table differ in worth."""

_Picks = tuple[MergeOption | None, ...]


@dataclass(frozen=True)
class _Solved:
    tables: Tables
    hidden: frozenset[str]
    merged: Mapping[str, MergeOption]
    cost: int
    bound: int


def protect(given: Tables, effort: Effort | None = None) -> Protection:
    """Return the protection of all tables that loses least.

    Raises :class:`DisclosureError` where a count cannot be protected, naming its key and no value.
    """
    effort = effort or Effort()
    if known := sorted(cell.key for cell in given.cells.values() if cell.fixed and cell.sensitive):
        raise UnpublishableCountError(
            f"{known[0]} must be hidden, but an earlier release or a sentence has published it.",
            known[0],
        )
    solved = _solve_groups(given, effort)
    cells: dict[str, Cell] = dict(given.cells)
    relations = dict.fromkeys(given.relations)
    merged: dict[str, MergeOption] = {}
    hidden: set[str] = set()
    for one in solved:
        cells.update(one.tables.cells)
        relations.update(dict.fromkeys(one.tables.relations))
        merged.update(one.merged)
        hidden |= one.hidden
    made = replace(given, cells=cells, relations=tuple(relations))
    # What earlier releases give away and is small is not printed once more.
    hidden |= {key for key, cell in cells.items() if cell.small and cell.printed}
    return Protection(
        made,
        frozenset(hidden),
        merged,
        sum(one.cost for one in solved),
        sum(one.bound for one in solved),
    )


def with_draws(given: Tables, secret: bytes) -> Tables:
    """Return the tables with the secret draw of each count; without a secret there is none.

    The draw follows from the count's name without its dates, so that it is the same in every period
    and build.
    """
    if not secret:
        return given
    cells = {
        key: replace(cell, draw=int(draw(secret, f"cost {without_dates(key)}") * (_MOST_DRAWN + 1)))
        for key, cell in given.cells.items()
    }
    return replace(given, cells=cells)


def hide_neighbours(protection: Protection, keys: Collection[str]) -> Protection:
    """Return the protection with every count hidden that is in a sum with one of ``keys``.

    For counts that the attack worked out all the same: what they add up to, and what they add up
    with, is then not shown either. Counts that an earlier release printed stay as they are.
    """
    cells = protection.tables.cells
    near = {
        key
        for relation in protection.tables.relations
        if any(key in keys for key, _ in relation.terms)
        for key, _ in relation.terms
    }
    more = {
        key for key in (near | set(keys)) - protection.hidden if key in cells and _hides(cells[key])
    }
    return replace(
        protection,
        hidden=protection.hidden | more,
        cost=protection.cost + sum(worth(cells[key]) for key in more),
    )


def _hides(cell: Cell) -> bool:
    """Whether a count may be marked: it is printed, by no earlier release, and is no shown zero."""
    return cell.printed and not cell.fixed and (cell.value > 0 or cell.rule.hide_zeros)


def _solve_groups(given: Tables, effort: Effort) -> list[_Solved]:
    """Solve each group; where one cannot be protected, its kept counts may be hidden as well."""
    known: dict[tuple[Cell, ...], _Solved] = {}
    while True:
        waiting = list(groups(given))
        fresh = [group for group in waiting if _members(group) not in known]
        refused: set[str] = set()
        for group, found in zip(fresh, _each_solved(fresh, effort), strict=True):
            if isinstance(found, _Solved):
                known[_members(group)] = found
                continue
            kept = {cell.key for cell in _members(group) if cell.stays}
            if not kept:
                raise found
            refused |= kept
        if not refused:
            return [known[_members(group)] for group in waiting]
        given = _let_go(given, refused)


def _members(group: Tables) -> tuple[Cell, ...]:
    return tuple(group.cells.values())


def _each_solved(waiting: Sequence[Tables], effort: Effort) -> Iterator[_Solved | DisclosureError]:
    """Solve groups, the large ones beside each other; in order, whatever the order of work."""
    large = [group for group in waiting if len(group.cells) >= LARGE]
    if len(large) < _WORTH_PROCESSES:
        yield from (_tried(group, effort) for group in waiting)
        return
    # Processes that start anew: a copy of this one would have its threads and files half open.
    count = min(os.cpu_count() or 1, MOST_PROCESSES, len(large))
    with ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as workers:
        begun = {
            number: workers.submit(_tried, group, effort)
            for number, group in enumerate(waiting)
            if len(group.cells) >= LARGE
        }
        for number, group in enumerate(waiting):
            yield begun[number].result() if number in begun else _tried(group, effort)


def _tried(group: Tables, effort: Effort) -> _Solved | DisclosureError:
    try:
        return _solve_group(group, effort)
    except DisclosureError as error:
        return error


def _let_go(given: Tables, keys: Collection[str]) -> Tables:
    cells = {
        key: replace(cell, kept=False) if key in keys else cell for key, cell in given.cells.items()
    }
    return replace(given, cells=cells)


def groups(given: Tables) -> Iterator[Tables]:
    """Yield the linked groups that hold a sensitive count, in order of their keys."""
    linked = _linked(given)
    members: dict[str, list[Cell]] = {}
    for key, cell in sorted(given.cells.items()):
        if _moves(cell) or key in linked:
            members.setdefault(linked.leader(key), []).append(cell)
    relations: dict[str, list[Relation]] = {}
    for relation in given.relations:
        for leader in sorted({linked.leader(key) for key, _ in relation.terms if key in linked}):
            relations.setdefault(leader, []).append(relation)
    merges: dict[str, list[Merge]] = {}
    for merge in given.merges:
        merges.setdefault(linked.leader(merge.options[0].cells[0].members[0]), []).append(merge)
    for leader, cells in members.items():
        if any(cell.sensitive for cell in cells):
            chosen = tuple(relations.get(leader, ()))
            named = {cell.key: cell for cell in cells}
            for relation in chosen:
                named.update({key: given.cells[key] for key, _ in relation.terms})
            yield Tables(named, chosen, (), tuple(merges.get(leader, ())))


def _linked(given: Tables) -> "_Links":
    linked = _Links()
    for relation in given.relations:
        linked.join([key for key, _ in relation.terms if _moves(given.cells[key])])
    for merge in given.merges:
        linked.join([key for option in merge.options for c in option.cells for key in c.members])
    return linked


class _Links:
    """Which keys are linked."""

    def __init__(self) -> None:
        self._leader: dict[str, str] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._leader

    def leader(self, key: str) -> str:
        while self._leader.setdefault(key, key) != key:
            self._leader[key] = self._leader[self._leader[key]]
            key = self._leader[key]
        return key

    def join(self, keys: Sequence[str]) -> None:
        for key in keys:
            one, other = sorted((self.leader(keys[0]), self.leader(key)))
            self._leader[other] = one


def _moves(cell: Cell) -> bool:
    """Whether a count can be anything but what is printed."""
    low, high = cell.range_if_shown
    if cell.fixed:
        return low != high
    hideable = not cell.stays and (cell.value > 0 or cell.rule.hide_zeros)
    return hideable or not cell.printed or low != high


def _solve_group(group: Tables, effort: Effort) -> _Solved:
    best: _Solved | None = None
    refused: DisclosureError | None = None
    for picks in _combinations(group.merges):
        lost = _lost_by(group, picks)
        if best is not None and lost >= best.cost:
            continue
        try:
            candidate = _solved(group, picks, lost, effort)
        except DisclosureError as error:
            refused = refused or error
            continue
        if best is None or candidate.cost < best.cost:
            best = candidate
    if best is None:
        raise refused or DisclosureError("A group of cells cannot be protected.")
    return best


def _combinations(merges: Sequence[Merge]) -> Iterable[_Picks]:
    """Yield ways of merging, no merging first."""
    ways: list[tuple[MergeOption | None, ...]] = [(None, *merge.options) for merge in merges]
    count = 1
    for way in ways:
        count *= len(way)
    if count <= MOST_COMBINATIONS:
        return product(*ways)
    nothing: _Picks = (None,) * len(ways)
    single = [
        (*nothing[:place], option, *nothing[place + 1 :])
        for place, way in enumerate(ways)
        for option in way[1:]
    ]
    return [nothing, *single]


def _lost_by(group: Tables, picks: _Picks) -> int:
    """What merging alone loses: the worth of the members, less that of the merged cell."""
    made = _merged(group, picks)
    gone = [
        key for key, cell in group.cells.items() if cell.printed and not made.cells[key].printed
    ]
    new = [cell for key, cell in made.cells.items() if key not in group.cells]
    return sum(worth(group.cells[key]) for key in gone) - sum(map(worth, new))


def _merged(group: Tables, picks: _Picks) -> Tables:
    for option in picks:
        if option is not None:
            group = with_merge(group, option)
    return group


def _solved(group: Tables, picks: _Picks, lost: int, effort: Effort) -> _Solved:
    made = _merged(group, picks)
    # What is shown whatever is chosen is of the group: a contributor may learn nothing from it.
    cells = list(made.cells.values())
    solve = suppress if sum(map(_moves, cells)) < LARGE else suppress_in_parts
    choice: Choice
    try:
        choice = solve(cells, made.relations, effort)
    except WorkSpentError:
        # The attack judges whether that is enough.
        choice = everything(cells)
    merged = {
        merge.name: option
        for merge, option in zip(group.merges, picks, strict=True)
        if option is not None
    }
    return _Solved(made, choice.hidden, merged, choice.cost + lost, choice.bound + lost)

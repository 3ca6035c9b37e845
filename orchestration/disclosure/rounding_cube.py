"""The cubes behind rounded tables: inner counts, what adds up to what, and the rounded values.

Only true counts of the restricted side and the protected report tables go in; what comes out is the
value that each count is shown with, and the links between counts that the attack must know.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from orchestration.disclosure.declarations import Row, told
from orchestration.disclosure.rounding_declarations import (
    Naming,
    RoundedCount,
    RoundedDeclaration,
    Told,
    fits,
)
from orchestration.disclosure.small_count_rounding import (
    InnerCount,
    round_counts,
    without_dates,
)
from orchestration.errors import DisclosureError

Terms = Mapping[str, int]
"""Inner counts with the times that each is counted."""

COARSE = 10
"""The multiple to which a hidden count is rounded in the totals that hold it."""

_LEAST_OPEN = 4
"""Categories of a whole of which at least so many are rounded, or none."""

_COLUMNS, _CATEGORIES = "columns", "categories"
"""Ways of adding up that are not over a column."""


@dataclass
class Cube:
    """All counts of the rounded tables by key.

    ``wholes`` are the parts of each total, by what they are summed over; ``divided`` the parts of
    wholes that are not made from them; ``less`` the two counts of a difference and the least that
    it is shown with; ``held`` a count and the whole that holds it; ``balances`` two sums that are
    equal, each by its side.
    """

    values: dict[str, int] = field(default_factory=dict)
    broad: set[str] = field(default_factory=set)
    groups: dict[str, str] = field(default_factory=dict)
    wholes: dict[str, dict[str, dict[str, None]]] = field(default_factory=dict)
    divided: dict[tuple[str, str], dict[str, None]] = field(default_factory=dict)
    less: dict[str, tuple[str, str, str | None]] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    balances: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    _terms: dict[str, Terms] = field(default_factory=dict)

    @property
    def inner(self) -> list[str]:
        """The counts that are made of no others."""
        return list(self.inner_keys)

    @cached_property
    def whole_of(self) -> dict[str, str]:
        """The whole that each category divides; asked for once the cube is whole."""
        return {part: whole for (whole, _), parts in self.divided.items() for part in parts}

    @cached_property
    def inner_keys(self) -> dict[str, None]:
        """The same, to look up; asked for once the cube is whole."""
        made = self.wholes.keys() | self.less.keys()
        return dict.fromkeys(key for key in self.values if key not in made)

    def may_hold(self, key: str) -> bool:
        """Whether readers must allow for people in a count of none: where its whole has any.

        That nobody is in a whole is given to the attack.
        """
        return self.values.get(self.held.get(key) or self.whole_of.get(key, ""), 0) > 0

    def terms(self, key: str) -> Terms:
        """Return the inner counts that a count is the sum of."""
        if key not in self._terms:
            self._terms[key] = self._expanded(key)
        return self._terms[key]

    def _expanded(self, key: str) -> Terms:
        if key in self.wholes:
            ways = [self._sum(parts) for parts in self.wholes[key].values()]
            if any(way != ways[0] for way in ways):
                raise DisclosureError(
                    f"{key} is declared as the sum of different inner counts. Declare it as broad, "
                    "and its categories with `divides`."
                )
            return ways[0]
        if key in self.less:
            whole, part, _ = self.less[key]
            found = Counter(self.terms(whole))
            found.subtract(self.terms(part))
            return found
        return {key: 1}

    def _sum(self, parts: Iterable[str]) -> Terms:
        found: Counter[str] = Counter()
        for part in parts:
            found.update(self.terms(part))
        return found


def cube_of(
    contents: Mapping[str, Sequence[Row]], declared: Mapping[str, RoundedDeclaration]
) -> Cube:
    """Return the cube of all ``contents``, rows as ``with_wholes`` gives them.

    Raises :class:`DisclosureError` where two tables disagree about a count, or parts do not add up.
    """
    return joined(collected(name, rows, declared[name]) for name, rows in contents.items())


def collected(name: str, rows: Sequence[Row], declared: RoundedDeclaration) -> Cube:
    """Return what the rows of a table name, before it is known that all sums hold.

    Raises :class:`DisclosureError` where two rows disagree about a count.
    """
    cube, columns = Cube(), ColumnKeys(declared)
    both = [(row, told(row)) for row in rows]
    for naming in columns.namings:
        for row, names in both:
            if row[naming.count.column] is not None and naming.has(names):
                _add(cube, name, _Named(row, names), naming, columns)
    return cube


def joined(cubes: Iterable[Cube]) -> Cube:
    """Return the cube of what several tables name, as :func:`collected`.

    Raises :class:`DisclosureError` where two tables disagree about a count, or parts do not add up.
    """
    whole = Cube()
    for cube in cubes:
        _join(whole, cube)
    _check(whole)
    return whole


def _join(cube: Cube, more: Cube) -> None:
    for key, value in more.values.items():
        if cube.values.setdefault(key, value) != value:
            raise DisclosureError(f"Two tables show different counts of one thing: {key}.")
    cube.broad |= more.broad
    for key, group in more.groups.items():
        cube.groups.setdefault(key, group)
    for key, ways in more.wholes.items():
        known = cube.wholes.setdefault(key, {})
        for over, parts in ways.items():
            # A sum of columns is whole in each row; over a column, every row adds a part.
            known[over] = dict(parts) if over == _COLUMNS else known.get(over, {}) | parts
    for whole, parts in more.divided.items():
        cube.divided[whole] = cube.divided.get(whole, {}) | parts
    cube.less |= more.less
    cube.held |= more.held
    for name, sides in more.balances.items():
        known_sides = cube.balances.setdefault(name, {})
        for side, counts in sides.items():
            known_sides[side] = known_sides.get(side, {}) | counts


@dataclass(frozen=True, slots=True)
class _Named:
    """A row, with its values as they are and as they are written in names."""

    values: Row
    names: Told


class ColumnKeys:
    """The names of a row's counts, by column."""

    def __init__(self, declared: RoundedDeclaration) -> None:
        self.namings = [Naming(count) for count in declared.counts]
        self._columns: dict[str, list[Naming]] = defaultdict(list)
        for naming in self.namings:
            self._columns[naming.count.column].append(naming)

    def key(self, column: str, row: Told) -> str:
        """Return the name of the row's count in a column. Raises :class:`DisclosureError`."""
        for naming in self._columns[column]:
            if naming.has(row):
                return naming.key(row)
        raise DisclosureError(f"No count of {column} is declared for a row that another names.")


def _add(cube: Cube, name: str, row: _Named, naming: Naming, columns: ColumnKeys) -> None:
    count = naming.count
    key, value = naming.key(row.names), int(row.values[count.column])
    if cube.values.setdefault(key, value) != value:
        raise DisclosureError(f"{name} shows different counts of one thing: {key}.")
    if count.broad:
        cube.broad.add(key)
    if count.control:
        group = " ".join(row.names[column] for column in count.control)
        cube.groups.setdefault(key, f"{count.column} {group}")
    _add_sums(cube, key, row, naming, columns)
    _add_bounds(cube, name, key, row, count, columns)


def _add_sums(cube: Cube, key: str, row: _Named, naming: Naming, columns: ColumnKeys) -> None:
    """Add what the count is made of and what is made of it."""
    count = naming.count
    for over, whole in naming.wholes(row.names):
        cube.wholes.setdefault(whole, {}).setdefault(over, {})[key] = None
    if count.sum_of or count.made_of:
        parts = [columns.key(column, row.names) for column in count.sum_of]
        parts += [template.format_map(row.names) for template in count.made_of]
        cube.wholes.setdefault(key, {})[_COLUMNS] = dict.fromkeys(parts)
    if count.less:
        whole, part = (columns.key(column, row.names) for column in count.less)
        least = columns.key(count.at_least, row.names) if count.at_least else None
        cube.less[key] = (whole, part, least)
    into = count.into
    if into and row.values[into.column] is not None and fits(row.names, into.where):
        whole = columns.key(into.column, row.names)
        cube.wholes.setdefault(whole, {}).setdefault(_CATEGORIES, {})[key] = None


def _add_bounds(
    cube: Cube, name: str, key: str, row: _Named, count: RoundedCount, columns: ColumnKeys
) -> None:
    """Add what readers know of the count beside the sums that it is shown as."""
    if count.part_of:
        cube.held[key] = columns.key(count.part_of, row.names)
    if count.within:
        cube.held[key] = count.within.format_map(row.names)
    if count.divides and (whole := columns.key(count.divides, row.names)) != key:
        # Two tables may divide one whole in two ways.
        by = " ".join((name, count.column, *(row.names[column] for column in count.by)))
        cube.divided.setdefault((whole, by), {})[key] = None
    for balance in count.balances:
        if fits(row.names, balance.where):
            sides = cube.balances.setdefault(balance.name.format_map(row.names), {})
            times = int(row.values[balance.times]) if balance.times else 1
            sides.setdefault(balance.side, {})[key] = times


def _check(cube: Cube) -> None:
    """Drop what names a count that no row has; check that all sums hold."""
    values = cube.values
    # A difference is made where nothing finer is: its totals add up from the finer ones.
    for key in cube.wholes.keys() & cube.less.keys():
        del cube.less[key]
    # A part that no row has is a category that nobody is in.
    cube.wholes = {
        whole: kept
        for whole, ways in cube.wholes.items()
        if whole in values and (kept := _with_rows(ways, values))
    }
    cube.divided = {names: parts for names, parts in cube.divided.items() if names[0] in values}
    cube.held = {
        part: whole for part, whole in cube.held.items() if whole in values and whole != part
    }
    cube.balances = {name: sides for name, sides in cube.balances.items() if _even(cube, sides)}
    for whole, ways in cube.wholes.items():
        for parts in ways.values():
            _check_sum(cube, whole, parts)
    for (whole, _), parts in cube.divided.items():
        _check_sum(cube, whole, parts)


def _with_rows(
    ways: Mapping[str, Mapping[str, None]], values: Collection[str]
) -> dict[str, dict[str, None]]:
    """Return the ways of adding up with the parts that there are."""
    kept = {
        over: dict.fromkeys(part for part in parts if part in values)
        for over, parts in ways.items()
    }
    return {over: parts for over, parts in kept.items() if parts}


def _even(cube: Cube, sides: Mapping[str, Mapping[str, int]]) -> bool:
    """Whether there are several sums, and they are equal."""
    sums = {
        sum(cube.values[key] * times for key, times in terms.items()) for terms in sides.values()
    }
    return len(sides) > 1 and len(sums) == 1


def _check_sum(cube: Cube, whole: str, parts: Collection[str]) -> None:
    if sum(cube.values[part] for part in parts) != cube.values[whole]:
        raise DisclosureError(f"The parts do not add up to {whole}, as is declared.")


@dataclass(frozen=True)
class Taken:
    """What the protected tables do with counts that rounded tables show too.

    ``shown`` are the counts that they print, by key; ``hidden`` those that they do not.
    """

    shown: Mapping[str, int] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()

    def __contains__(self, key: object) -> bool:
        return key in self.shown or key in self.hidden


@dataclass
class Changes:
    """What the attack asks to be rounded otherwise than drawn.

    ``up`` and ``down`` are counts whose draw is set aside, ``broad`` counts that are rounded
    whatever their size. ``hidden`` are not shown; totals hold them rounded to :data:`COARSE`.
    ``lost`` are hidden, and no total that holds them is shown.
    """

    up: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    broad: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)

    def step(self, cube: Cube, key: str, threshold: int = 5) -> int | None:
        """Return the multiple that a count is rounded to whatever its size, if any."""
        if key in self.hidden:
            return COARSE
        return threshold if key in cube.broad or key in self.broad else None


def first_changes(cube: Cube, taken: Taken, threshold: int = 5) -> Changes:
    """Return what is rounded besides small counts, before any attack.

    Where all categories but one or two of a whole are shown as they are, the others follow from any
    other division of that whole. So the least of them are made broad, until enough are open.
    """
    changes = Changes()
    for parts in cube.divided.values():
        mine = [part for part in parts if part in cube.inner_keys and part not in taken]
        plain = sorted(
            (part for part in mine if cube.values[part] >= threshold and part not in cube.broad),
            key=lambda part: (cube.values[part], part),
        )
        lacking = _LEAST_OPEN - (len(mine) - len(plain))
        changes.broad.update(plain[: max(0, lacking)])
    return changes


def rounded_inner(
    cube: Cube,
    taken: Taken,
    seeds: Mapping[str, str],
    secret: bytes,
    changes: "Changes | None" = None,
    threshold: int = 5,
) -> dict[str, int]:
    """Return the rounded value of each inner count that no protected table has."""
    changes = changes or Changes()
    mine = [key for key in cube.inner if key not in taken]
    least: dict[str, int] = defaultdict(int)
    whole_of: dict[str, str] = {}
    for part, whole in cube.held.items():
        terms = cube.terms(whole)
        if part in cube.inner_keys and len(terms) == 1:
            (whole_of[part],) = terms
            if cube.values[part] >= threshold and part not in cube.broad:
                held = -(-cube.values[part] // threshold) * threshold
                least[whole_of[part]] = max(least[whole_of[part]], held)
    shown: dict[str, int] = dict(taken.shown)
    for keys in _wholes_first(mine, whole_of):
        counts = [
            _inner(
                cube,
                key,
                seeds,
                changes,
                threshold,
                at_least=least[key],
                at_most=shown.get(whole_of.get(key, "")),
            )
            for key in keys
        ]
        shown |= round_counts(counts, secret, threshold)
    return {key: shown[key] for key in mine}


def _wholes_first(
    mine: Collection[str], whole_of: Mapping[str, str]
) -> tuple[list[str], list[str], list[str]]:
    """Return the counts in the order in which they are rounded: what holds others comes first."""
    holding = set(whole_of.values())
    return (
        [key for key in mine if key in holding and key not in whole_of],
        [key for key in mine if key in holding and key in whole_of],
        [key for key in mine if key not in holding],
    )


def _inner(
    cube: Cube,
    key: str,
    seeds: Mapping[str, str],
    changes: "Changes",
    threshold: int,
    *,
    at_least: int = 0,
    at_most: int | None = None,
) -> InnerCount:
    step = changes.step(cube, key, threshold)
    if key in changes.up:
        at_least, at_most = cube.values[key], None
    elif key in changes.down:
        at_least, at_most = 0, cube.values[key]
    seed = seeds.get(key) or without_dates(key)
    # A coarser count would take the others of its group further from the truth.
    group = key if key in changes.hidden else cube.groups.get(key, key)
    return InnerCount(key, cube.values[key], seed, group, step, at_least, at_most)


def shown_values(
    cube: Cube,
    taken: Taken,
    inner: Mapping[str, int | None],
    hidden: Collection[str] = frozenset(),
) -> dict[str, int | None]:
    """Return the value that each count is shown with; none where it is not shown.

    ``inner`` are the rounded inner counts, none where no total holds them either. ``hidden`` are
    those that only totals hold: one that they may be more than half of is not shown.
    """
    values = _summed(cube, {**inner, **taken.shown, **dict.fromkeys(taken.hidden)})

    def tells(key: str, found: int) -> bool:
        if key in taken:
            return True
        held = sum(abs(times) for term, times in cube.terms(key).items() if term in hidden)
        return key not in hidden and 2 * held * (COARSE - 1) <= found

    return {
        key: None if found is None or not tells(key, found) else found
        for key, found in values.items()
    }


def _summed(cube: Cube, known: Mapping[str, int | None]) -> dict[str, int | None]:
    """Return the value of each count that follows from the known ones; none where one lacks."""
    values: dict[str, int | None] = {}

    def value(key: str) -> int | None:
        if key in known:
            return known[key]
        if key not in values:
            values[key] = made(key)
        return values[key]

    def made(key: str) -> int | None:
        if key in cube.less:
            whole, part, least = cube.less[key]
            found = [value(whole), value(part), value(least) if least else 0]
            if None in found:
                return None
            first, second, third = (int(one or 0) for one in found)
            return max(first - second, third, 0)
        for way in cube.wholes.get(key, {}).values():
            parts = [value(part) for part in way]
            if None not in parts:
                return sum(part or 0 for part in parts)
        terms = [(value(inner), times) for inner, times in cube.terms(key).items()]
        if any(inner is None for inner, _ in terms):
            return None
        return max(0, sum((inner or 0) * times for inner, times in terms))

    return {key: value(key) for key in cube.values}

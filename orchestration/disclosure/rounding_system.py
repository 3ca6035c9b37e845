"""What a reader knows of rounded counts, as one system of cells, bounds and sums for the attack.

The present build goes in, with the protected tables beside it, and every earlier build that was
published: of each a reader knows the same. A count that has not changed since is one cell, about
which all builds tell something. A count that was revised is a cell of its own in the earlier
builds, with the sums that it was part of then.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from orchestration.disclosure.earlier_releases import version_name
from orchestration.disclosure.published_rounding import PublishedRounding
from orchestration.disclosure.rounding_cube import Changes, Cube, Taken, Terms
from orchestration.disclosure.small_count_rounding import possible_values
from orchestration.disclosure.table_model import (
    MANY,
    OPEN,
    Cell,
    Publication,
    Relation,
    Rule,
)


@dataclass(frozen=True)
class Beside:
    """The protected tables: their cells and hidden keys (restricted), and what readers see.

    ``earlier`` are the roundings of the builds that were published, oldest first.
    """

    cells: Mapping[str, Cell]
    hidden: frozenset[str]
    published: Publication
    earlier: Sequence[PublishedRounding] = ()


@dataclass
class System:
    """Counts and sums that one attack is given.

    ``open`` are the cells of rounded counts, and of those of a whole who are not in a count of it
    (``rests``). ``names`` are the cells of the present inner counts, and ``key_of`` the inner count
    behind any cell. ``controls`` are the totals of groups that are known already.
    """

    cells: dict[str, Cell]
    bounds: dict[str, tuple[int, int]]
    relations: list[Relation]
    open: dict[str, None] = field(default_factory=dict)
    rests: dict[str, None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    key_of: dict[str, str] = field(default_factory=dict)
    controls: set[tuple[tuple[str, ...], int]] = field(default_factory=set)
    by_key: dict[str, list[Relation]] = field(default_factory=lambda: defaultdict(list))

    def _free(self, key: str) -> str:
        """Return the name of a cell of a count that there is not yet."""
        number = 0
        while (name := version_name(key, number)) in self.cells:
            number += 1
        return name

    def find(self, key: str, value: int) -> str | None:
        """Return the cell of a count of this value; none where there is none."""
        number = 0
        while (name := version_name(key, number)) in self.cells:
            if self.cells[name].value == value:
                return name
            number += 1
        return None

    def add(self, key: str, value: int, bounds: tuple[int, int], rule: Rule) -> str:
        """Add what is known of a count to its cell, and return the cell's name."""
        name = self.find(key, value) or self._free(key)
        if name not in self.cells:
            self.cells[name] = Cell(name, value, rule, printed=False)
        least, most = self.bounds.get(name, (0, MANY))
        self.bounds[name] = (max(least, bounds[0]), min(most, bounds[1]))
        self.open[name] = None
        return name


@dataclass(frozen=True)
class _Build:
    """A build as the system takes it, with the counts of its groups that were rounded together.

    ``revised`` are the counts that were others then; none for the present build. ``label`` tells
    its cells of no count from those of other builds.
    """

    rounding: PublishedRounding
    groups: Mapping[str, Sequence[str]]
    revised: frozenset[str] | None = None
    label: str = ""

    def tells(self, keys: Iterable[str]) -> bool:
        """Whether a sum of these counts says something that the present build does not."""
        return self.revised is None or not self.revised.isdisjoint(keys)


@dataclass(frozen=True)
class EarlierBuilds:
    """All that earlier builds tell, put together once for many attacks.

    ``unchanged`` are the least and greatest values that they leave open together for the counts
    that are as they were; ``builds`` have the rest of each. ``links`` are the sums that every build
    is read with, and the counts in each; ``rests`` the counts that a whole holds without being
    made of them, with the whole and the inner counts that it is made of.
    """

    unchanged: Mapping[str, tuple[int, int]]
    builds: Sequence[_Build]
    links: Sequence[tuple[Relation, Sequence[str]]]
    rests: Sequence[tuple[str, str, Terms]]


def earlier_builds(beside: Beside, cube: Cube) -> EarlierBuilds:
    """Put the roundings of published builds together, oldest first, beside the present counts."""
    unchanged: dict[str, tuple[int, int]] = {}
    builds = []
    seen: set[tuple[object, ...]] = set()
    for number, told in enumerate(beside.earlier):
        revised = frozenset(
            key for key, value in told.values.items() if cube.values.get(key, value) != value
        )
        for key, (least, most) in told.bounds.items():
            if key in cube.values and key not in revised:
                low, high = unchanged.get(key, (0, MANY))
                unchanged[key] = (max(least, low), min(most, high))
        groups = {
            _as_rounded(told, group, keys): (group, keys)
            for group, keys in _members(told.groups, cube.values).items()
        }
        fresh = dict(pair for same, pair in groups.items() if same not in seen)
        builds.append(_Build(told, fresh, revised, f" (build {number})"))
        seen |= groups.keys()
    links = [(link, [key for key, _ in link.terms]) for link in _links(cube, beside.cells)]
    rests = [
        (held, whole, cube.terms(whole))
        for held, whole in cube.held.items()
        if held not in cube.wholes
    ]
    return EarlierBuilds(unchanged, builds, links, rests)


def _as_rounded(told: PublishedRounding, group: str, keys: Sequence[str]) -> tuple[object, ...]:
    """Return how a group was rounded: most builds have it as the one before."""
    return (group, *((key, told.values[key], told.shown[key], told.bounds[key]) for key in keys))


def system_of(
    cube: Cube,
    taken: Taken,
    beside: Beside,
    inner: Mapping[str, int],
    changes: Changes,
    rule: Rule,
    earlier: EarlierBuilds,
) -> System:
    """Put the rounded tables, the protected ones and all earlier builds into one system."""
    system = System(
        dict(beside.cells), dict(beside.published.bounds), list(beside.published.relations)
    )
    present = rounding_as_shown(cube, inner, changes, rule.threshold)
    build = _Build(present, _members(present.groups, cube.values))
    system.names = _add_build(system, cube, build, earlier, rule)
    for key in taken.hidden & cube.inner_keys.keys():
        system.open[key] = None
    for key, pair in earlier.unchanged.items():
        system.key_of.setdefault(system.add(key, cube.values[key], pair, rule), key)
    for build in earlier.builds:
        _add_build(system, cube, build, earlier, rule)
    system.relations = list(dict.fromkeys(system.relations))
    for relation in system.relations:
        for key, _ in relation.terms:
            system.by_key[key].append(relation)
    return system


def rounding_as_shown(
    cube: Cube, inner: Mapping[str, int], changes: Changes, threshold: int = 5
) -> PublishedRounding:
    """Return what readers know of the rounded counts of a build."""
    bounds = {}
    for key, shown in inner.items():
        if key in changes.lost:
            bounds[key] = (0, MANY)
        elif cube.values[key] == 0 and not cube.may_hold(key):
            bounds[key] = (0, 0)
        else:
            bounds[key] = possible_values(shown, changes.step(cube, key, threshold), threshold)
    groups = {
        key: cube.groups[key] for key in inner if key in cube.groups and key not in changes.hidden
    }
    return PublishedRounding(cube.values, dict(inner), bounds, groups, changes)


def _add_build(
    system: System,
    cube: Cube,
    build: _Build,
    earlier: EarlierBuilds,
    rule: Rule,
) -> dict[str, str]:
    """Add what a build tells, and return the names of its inner cells by key."""
    told = build.rounding
    names = {
        key: system.add(key, told.values[key], pair, rule)
        for key, pair in told.bounds.items()
        if key in cube.values and (build.revised is None or key in build.revised)
    }
    for key, name in names.items():
        system.key_of.setdefault(name, key)

    def name_of(key: str) -> str | None:
        if key in names:
            return names[key]
        return system.find(key, told.values[key]) if key in told.values else None

    for link, keys in earlier.links:
        if build.tells(keys):
            _add_link(system, link, name_of)
    for held, whole, terms in earlier.rests:
        if build.tells((held, *terms)):
            _add_rest(system, build, held, whole, terms, name_of, rule)
    for group, keys in build.groups.items():
        _add_control(system, build, group, keys, name_of, rule)
    return names


def _members(groups: Mapping[str, str], there: Collection[str]) -> dict[str, list[str]]:
    """Return the counts of each group that there are in the present build too."""
    found: dict[str, list[str]] = defaultdict(list)
    for key, group in groups.items():
        if key in there:
            found[group].append(key)
    return found


def _add_link(system: System, link: Relation, name_of: Callable[[str], str | None]) -> None:
    """Add a sum by the names of its counts, if the build has all of them."""
    terms = {name_of(key): times for key, times in link.terms}
    known = {name: times for name, times in terms.items() if name is not None}
    if len(known) == len(link.terms):
        system.relations.append(Relation(tuple(known.items())))


def _links(cube: Cube, known: Collection[str]) -> Iterator[Relation]:
    """Yield the sums of inner counts that a reader knows: of totals of the protected tables."""
    for key in cube.values:
        if key in known and (key in cube.wholes or key in cube.less):
            yield _relation({key: 1}, cube.terms(key))
    for (whole, _), parts in cube.divided.items():
        yield _relation(
            _known(cube, known, {whole: 1}), _known(cube, known, dict.fromkeys(parts, 1))
        )
    for sides in cube.balances.values():
        first, *others = sides.values()
        for other in others:
            yield _relation(_known(cube, known, first), _known(cube, known, other))


def _known(cube: Cube, known: Collection[str], counts: Mapping[str, int]) -> Mapping[str, int]:
    """Return a sum of counts as one of protected and of inner counts."""
    terms: dict[str, int] = defaultdict(int)
    for key, times in counts.items():
        inner = {key: 1} if key in known else cube.terms(key)
        for part, often in inner.items():
            terms[part] += times * often
    return terms


def _relation(whole: Mapping[str, int], parts: Mapping[str, int]) -> Relation:
    terms: dict[str, int] = dict(whole)
    for key, times in parts.items():
        terms[key] = terms.get(key, 0) - times
    return Relation(tuple((key, times) for key, times in terms.items() if times))


def _add_rest(
    system: System,
    build: _Build,
    held: str,
    whole: str,
    terms: Terms,
    name_of: Callable[[str], str | None],
    rule: Rule,
) -> None:
    """Those of a whole who are not in a count of it: printed nowhere, and not below zero."""
    values = build.rounding.values
    if held not in values or whole not in values:
        return
    parts = {key: name_of(key) for key in (held, *terms)}
    value = values[whole] - values[held]
    if value < 0 or None in parts.values():
        return
    rest = system.add(f"{whole} without {held}", value, (0, MANY), rule)
    system.rests[rest] = None
    system.key_of.setdefault(rest, next(iter(terms)))
    made = {str(parts[key]): times for key, times in terms.items()}
    system.relations.append(_relation(made, {str(parts[held]): 1, rest: 1}))


def _add_control(
    system: System,
    build: _Build,
    group: str,
    keys: Collection[str],
    name_of: Callable[[str], str | None],
    rule: Rule,
) -> None:
    """The total of a group is known to be less than the threshold off."""
    told = build.rounding
    loose = [key for key in keys if told.bounds[key][0] != told.bounds[key][1]]
    shown = sum(told.shown[key] for key in loose)
    true = sum(told.values[key] for key in loose)
    off = rule.threshold - 1
    if len(loose) < 2 or abs(true - shown) > off:
        return
    together = tuple(sorted(name for key in loose if (name := name_of(key)) is not None))
    if (together, shown) in system.controls:
        return
    system.controls.add((together, shown))
    slack, limit = f"{group} off by{build.label}", f"{group} at most{build.label}"
    system.cells[slack] = Cell(slack, shown + off - true, OPEN, printed=False)
    system.bounds[slack] = (0, 2 * off)
    system.cells[limit] = Cell(limit, shown + off, OPEN)
    system.bounds[limit] = (shown + off, shown + off)
    terms = dict.fromkeys(together, 1) | {slack: 1}
    system.relations.append(_relation({limit: 1}, terms))

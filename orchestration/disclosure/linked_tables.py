"""Which tables are rounded together: those whose counts have a name in common, or are linked.

Tables that share no count, no sum, no group and no equation of the protected tables say nothing
about each other. Each set of linked tables is rounded and attacked by itself, so that a corrected
survey leaves the rounding of the offenders as it is.

Pure functions: nothing here reads or writes anything.
"""

import hashlib
from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestration.disclosure.connected import connected
from orchestration.disclosure.earlier_releases import PublishedModel, present_name
from orchestration.disclosure.rounding_cube import Cube
from orchestration.disclosure.rounding_system import Beside
from orchestration.disclosure.table_model import PrintedRatio, Publication, Relation, Tables

Names = Collection[int]
"""Names of counts, sums and groups, each as a number that follows from it."""


def number_of(name: str) -> int:
    """Return the number of a name. Two names with one number only link more tables."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "little")


def as_bytes(names: Names) -> bytes:
    """Return numbers as bytes, for :func:`from_bytes`."""
    return array("Q", sorted(names)).tobytes()


def from_bytes(written: bytes) -> frozenset[int]:
    """Return the numbers that :func:`as_bytes` wrote."""
    numbers = array("Q")
    numbers.frombytes(written)
    return frozenset(numbers)


def names_in(cube: Cube) -> frozenset[int]:
    """Return all that a table names: counts, what they add up to, groups, balances.

    ``cube`` is what :func:`rounding_cube.collected` gives of the table.
    """
    return frozenset(number_of(one) for one in _named(cube))


def _named(cube: Cube) -> Iterator[str]:
    yield from cube.values
    for whole, ways in cube.wholes.items():
        yield whole
        for parts in ways.values():
            yield from parts
    for (whole, _), parts in cube.divided.items():
        yield whole
        yield from parts
    for first, second, third in cube.less.values():
        yield from filter(None, (first, second, third))
    yield from cube.held.values()
    for name, sides in cube.balances.items():
        yield f"balance {name}"
        for counts in sides.values():
            yield from counts
    yield from (f"group {group}" for group in cube.groups.values())


def linked(names: Mapping[str, Names], links: Iterable[Names]) -> list[tuple[str, ...]]:
    """Return the tables in sets that share no name. Each of ``links`` has names that go together.

    Tables are in alphabetical order, and so are the sets.
    """
    tables: list[Iterable[str | int]] = [(table, *own) for table, own in names.items()]
    sets = connected([*tables, *links])
    found = (tuple(sorted(one for one in together if isinstance(one, str))) for together in sets)
    return sorted(filter(None, found))


@dataclass(frozen=True)
class ProtectedLinks:
    """The counts of the protected tables in sets that equations or printed quotients link.

    ``set_of`` has the number of the set of each count, by the name of the present count.
    """

    sets: Sequence[frozenset[str]]
    set_of: Mapping[str, int]

    def beside(self, names: Names) -> frozenset[str]:
        """Return the counts that are, or are linked with, one of ``names``."""
        touched = {place for key, place in self.set_of.items() if number_of(key) in names}
        return frozenset().union(*(self.sets[place] for place in touched))


def protected_links(beside: Beside) -> ProtectedLinks:
    """Return how the counts of the protected tables are linked, earlier builds included."""
    alone = ([present_name(key)] for key in beside.cells)
    together = _together(beside.published.relations, beside.published.ratios)
    linked_keys = ([present_name(key) for key in keys] for keys in together)
    sets = [frozenset(keys) for keys in connected([*alone, *linked_keys])]
    return ProtectedLinks(sets, {key: place for place, keys in enumerate(sets) for key in keys})


def _together(relations: Iterable[Relation], ratios: Iterable[PrintedRatio]) -> Iterator[list[str]]:
    for relation in relations:
        yield [key for key, _ in relation.terms]
    for printed in ratios:
        named = (printed.ratio.numerator, printed.ratio.denominator)
        yield [key for key in named if isinstance(key, str)]


def narrowed(beside: Beside, counts: Collection[str]) -> Beside:
    """Return the protected tables as far as ``counts`` are concerned, named as at present."""
    cells = {key: cell for key, cell in beside.cells.items() if present_name(key) in counts}
    published = beside.published
    return Beside(
        cells,
        frozenset(key for key in beside.hidden if key in cells),
        Publication(
            {key: pair for key, pair in published.bounds.items() if key in cells},
            tuple(one for one in published.relations if one.terms[0][0] in cells),
            tuple(one for one in published.ratios if one.ratio.numerator in cells),
            tuple(key for key in published.asked if key in cells),
        ),
        beside.earlier,
    )


def counts_digest(model: PublishedModel, counts: Collection[str]) -> str:
    """Return a digest of what a build of the protected tables shows and hides of these ``counts``.

    How they add up is left out: once a build was published, equations that tell nothing more are
    dropped from the next one, which shows the same.
    """
    told = sorted((key, one) for key, one in model.counts.items() if key in counts)
    return hashlib.sha256(repr(told).encode()).hexdigest()


def links_digest(own: Tables, counts: Collection[str]) -> str:
    """Return a digest of how these ``counts`` of the protected tables add up and are divided."""
    told = (
        sorted(one.terms for one in own.relations if one.terms[0][0] in counts),
        sorted(repr(one) for one in own.ratios if one.numerator in counts),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()

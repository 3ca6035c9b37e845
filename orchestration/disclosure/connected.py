"""What is linked, directly or through others."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing", bound=Hashable)


def connected(links: Iterable[Iterable[Thing]]) -> list[set[Thing]]:
    """Return the sets of things that are linked; each of ``links`` has things that go together."""
    above: dict[Thing, Thing] = {}

    def top(thing: Thing) -> Thing:
        while above.setdefault(thing, thing) != thing:
            above[thing] = above[above[thing]]
            thing = above[thing]
        return thing

    for link in links:
        first: Thing | None = None
        for thing in link:
            if first is None:
                first = top(thing)
            else:
                above[top(thing)] = first
    found: dict[Thing, set[Thing]] = defaultdict(set)
    for thing in above:
        found[top(thing)].add(thing)
    return list(found.values())

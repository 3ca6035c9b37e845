"""The attack on rounded tables, beside the protected ones and everything that links them.

A reader of a rounded inner count knows an interval: 0 means 0 to 4, 5 for 1 to 5, a broad
count for anything less than the threshold away. Here these intervals, the group totals that the
control keeps near the truth, the counts that the protected tables print or hide, and every declared
sum go into one system, and the least and greatest value of each count is computed, by an outsider
and by each person who is the only one in a count. The attack is given more than readers have: it
knows which counts of 0 are true.

Where a count can be worked out, counts beside it are rounded whatever their size; where that does
not help, they are hidden. This is repeated until nothing is found.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestration.disclosure.attack import Interval, Reached, attack, attack_from_within
from orchestration.disclosure.attack_verdict import BELOW, Finding, fault_of
from orchestration.disclosure.published_rounding import PublishedRounding, changes_before
from orchestration.disclosure.rounding_cube import (
    Changes,
    Cube,
    Taken,
    first_changes,
    rounded_inner,
)
from orchestration.disclosure.rounding_system import (
    Beside,
    EarlierBuilds,
    System,
    earlier_builds,
    rounding_as_shown,
    system_of,
)
from orchestration.disclosure.small_count_rounding import without_dates
from orchestration.disclosure.table_model import MANY, PEOPLE, Publication, Relation, Rule

MOST_ROUNDS = 14
"""How often counts are rounded otherwise, before all that are linked with a finding are lost."""

_FEW = 6
"""Open counts of a sum up to which one of them may give another away to those who know it."""

_MOST_LINKED = 600
"""Linked open counts up to which the attack is repeated for each person who is alone in one."""

_MOST_TRIES = 3
"""How often counts beside a count are made broad, before it is hidden."""

_LOST_AFTER = 6
"""How often something else is tried for a count, before no total holds it."""

_ASKED_OF_EARLIER = 3
"""The round from which on it is left out what earlier builds give away by themselves."""

_AT_A_TIME = 3
"""Counts beside a count that are changed the first time."""


@dataclass(frozen=True)
class Rounding:
    """The rounded inner counts (none where lost), and what the attack found in the end.

    ``build`` is what readers know then; none where something was found. ``given_away`` counts what
    earlier builds tell by themselves, which no rounding takes back.
    """

    inner: Mapping[str, int | None]
    changes: Changes = field(default_factory=Changes)
    findings: tuple[Finding, ...] = ()
    rounds: int = 0
    build: PublishedRounding | None = None
    given_away: int = 0


def safe_rounding(
    cube: Cube,
    taken: Taken,
    beside: Beside,
    seeds: Mapping[str, str],
    secret: bytes,
    rule: Rule = PEOPLE,
) -> Rounding:
    """Return a rounding that the attack finds nothing in."""
    changes = _first_changes(cube, taken, beside, rule)
    tries: dict[str, int] = defaultdict(int)
    found: Collection[Finding] = ()
    before: Mapping[str, tuple[int, int]] = {}
    away: frozenset[str] = frozenset()
    earlier = earlier_builds(beside, cube)
    seeds = {key: seeds.get(key) or without_dates(key) for key in cube.inner}
    reached: Reached = {}
    for number in range(MOST_ROUNDS):
        inner = rounded_inner(cube, taken, seeds, secret, changes, rule.threshold)
        system = system_of(cube, taken, beside, inner, changes, rule, earlier)
        if number == _ASKED_OF_EARLIER and beside.earlier:
            away = _given_away(cube, taken, beside, inner, rule, earlier)
        found = _findings(system, beside, _beside_changes(system, before, found), away, reached)
        before = system.bounds
        if not found:
            kept = {key: None if key in changes.lost else inner[key] for key in inner}
            build = rounding_as_shown(cube, inner, changes, rule.threshold)
            return Rounding(kept, changes, (), number, build, len(away))
        if number == MOST_ROUNDS - 2:
            linked = set().union(*_rings(system, {finding.key for finding in found}))
            _lose(changes, cube, _inner_of(system, linked), rule.threshold)
            continue
        for finding in found:
            _change(finding, cube, system, inner, changes, tries)
    return Rounding(dict.fromkeys(inner), changes, tuple(found), MOST_ROUNDS, None, len(away))


def _first_changes(cube: Cube, taken: Taken, beside: Beside, rule: Rule) -> Changes:
    """Return the changes before any attack: those of earlier builds, and what is known to help."""
    mine = [key for key in cube.inner if key not in taken]
    changes = changes_before(beside.earlier, cube.values, mine)
    changes.broad |= first_changes(cube, taken, rule.threshold).broad
    return changes


def _given_away(
    cube: Cube,
    taken: Taken,
    beside: Beside,
    inner: Mapping[str, int],
    rule: Rule,
    earlier: EarlierBuilds,
) -> frozenset[str]:
    """Return the cells that earlier builds tell by themselves: found with nothing rounded shown."""
    nothing = Changes(hidden=set(inner), lost=set(inner))
    alone = system_of(cube, taken, beside, inner, nothing, rule, earlier)
    return frozenset(finding.key for finding in _findings(alone, beside, ()))


def _change(
    finding: Finding,
    cube: Cube,
    system: System,
    inner: Mapping[str, int],
    changes: Changes,
    tries: dict[str, int],
) -> None:
    """Round something otherwise, so that a count that was found is found no more.

    A count that can be shown to be small is first rounded to the other side. Then counts in a sum
    with it are made broad, then it and counts beside it are hidden, and in the end lost.
    """
    key = system.key_of.get(finding.key, finding.key)
    tries[key] += 1
    threshold = system.cells[finding.key].rule.threshold
    if key in inner and tries[key] == 1 and finding.fault == BELOW and cube.values[key] % threshold:
        (changes.down if inner[key] > cube.values[key] else changes.up).add(key)
        return
    near = _near(system, finding.key, cube, changes.lost | {key})
    plain = [
        other
        for other in near
        if changes.step(cube, other, threshold) is None and cube.values[other] >= threshold
    ]
    few = _AT_A_TIME * tries[key]
    if plain and tries[key] <= _MOST_TRIES:
        changes.broad.update(plain[: few * tries[key]])
    elif key in inner and key not in changes.hidden:
        _hide(changes, cube, [key], threshold)
    elif key in inner and key not in changes.lost and tries[key] > _LOST_AFTER:
        changes.lost.add(key)
    elif beside := [other for other in near if other not in changes.hidden]:
        # A count that is hidden already is found through those beside it, small ones first.
        _hide(changes, cube, beside[:few], threshold)
    else:
        _lose(changes, cube, near[:few], threshold)


def _near(system: System, name: str, cube: Cube, but: Collection[str]) -> list[str]:
    """Return the nearest inner counts ``but`` those, the small ones first.

    Nearest are those in a sum with a cell or its count; where there is none, those in a sum with
    what is in a sum with it, and so on.
    """
    names = {name, system.names.get(system.key_of.get(name, name), name)}
    for ring in _rings(system, names):
        if inner := _inner_of(system, ring) - set(but):
            return sorted(inner, key=lambda key: (cube.values[key], key))
    return []


def _rings(system: System, names: Collection[str]) -> Iterator[set[str]]:
    """Yield the cells in a sum with these, then those in a sum with the open ones of them, ..."""
    seen, ring = set(names), set(names)
    while ring:
        found = {
            other for one in ring for relation in system.by_key[one] for other, _ in relation.terms
        }
        yield found - seen
        ring = {one for one in found - seen if _is_open(system, one)}
        seen |= found


def _inner_of(system: System, cells: Collection[str]) -> set[str]:
    """Return the inner counts of the present build among cells."""
    return {key for name in cells if system.names.get(key := system.key_of.get(name, "")) == name}


def _hide(changes: Changes, cube: Cube, keys: Iterable[str], threshold: int) -> None:
    """Hide counts; totals hold the small ones as none, for more would show that there are any."""
    for key in keys:
        changes.hidden.add(key)
        if cube.values[key] < threshold:
            changes.up.discard(key)
            changes.down.add(key)


def _lose(changes: Changes, cube: Cube, keys: Collection[str], threshold: int) -> None:
    """Hide counts, and show no total that holds them."""
    _hide(changes, cube, keys, threshold)
    changes.lost.update(keys)


def _beside_changes(
    system: System, before: Mapping[str, tuple[int, int]], found: Collection[Finding]
) -> Collection[str]:
    """Return what was found before, and what is in a sum with a count that is shown otherwise now.

    Nothing before there was an attack.
    """
    if not before:
        return ()
    changed = [key for key, pair in system.bounds.items() if before.get(key) != pair]
    return {finding.key for finding in found} | {
        other for key in changed for relation in system.by_key[key] for other, _ in relation.terms
    }


def _findings(
    system: System,
    beside: Beside,
    first: Collection[str],
    away: Collection[str] = frozenset(),
    reached: Reached | None = None,
) -> list[Finding]:
    """Return what the attack finds: in the counts ``first``, or else in all of them.

    Nothing is asked about what is given ``away`` without this build. Only where it finds nothing
    from outside, it is repeated from within. ``reached`` is what earlier rounds have: what still
    fits shows again that a count is wide open, and is not searched for anew.
    """
    cells, hidden = system.cells, beside.hidden
    asked = [
        key
        for key in {**dict.fromkeys(beside.published.asked), **system.open}
        if system.bounds[key][0] != system.bounds[key][1] or cells[key].sensitive
    ]
    published = Publication(
        system.bounds,
        tuple(system.relations),
        beside.published.ratios,
        tuple(sorted(asked)),
    )

    def clear(key: str, interval: Interval) -> bool:
        return fault_of(cells[key], key in hidden, interval) is None

    wanted = [key for key in asked if (cells[key].sensitive or key in hidden) and key not in away]
    near = [key for key in wanted if key in first]
    found: dict[str, str] = {}
    reached = {} if reached is None else reached
    for keys in (near, wanted):
        found = {
            key: fault
            for key, interval in attack(published, keys, clear, reached).items()
            if (fault := fault_of(cells[key], key in hidden, interval))
        }
        if found:
            break
    else:
        found = _found_from_within(system, published, beside, wanted)
    return [Finding(key, fault) for key, fault in sorted(found.items())]


def _linked_open_counts(system: System) -> dict[str, int]:
    """Return for each open count how many are linked with it, itself included."""
    opened = {key for key, (least, most) in system.bounds.items() if least != most}
    beside: dict[str, list[list[str]]] = defaultdict(list)
    for relation in system.relations:
        together = [key for key, _ in relation.terms if key in opened]
        for key in together:
            beside[key].append(together)
    sizes: dict[str, int] = {}
    for first in beside:
        if first in sizes:
            continue
        linked, waiting = {first}, [first]
        while waiting:
            for together in beside[waiting.pop()]:
                fresh = [key for key in together if key not in linked]
                linked.update(fresh)
                waiting.extend(fresh)
        sizes |= dict.fromkeys(linked, len(linked))
    return sizes


def _is_open(system: System, key: str) -> bool:
    return system.bounds[key][0] != system.bounds[key][1]


def _loose(system: System, relation: Relation) -> int:
    return sum(_is_open(system, key) for key, _ in relation.terms)


def _found_from_within(
    system: System, published: Publication, beside: Beside, wanted: Collection[str]
) -> dict[str, str]:
    """Return what each person who is alone in a count works out about others.

    Whoever is counted knows that a count of 0 beside them is one of 1 to 4. Of rounded counts they
    may not know more: an exact value is a finding. People know themselves without any table: what
    follows from the sums alone, with nothing but the zeros shown, is none. Asked for are the counts
    that are with one's own in a sum of few open counts, where not too many are linked.
    """
    cells, hidden = system.cells, beside.hidden

    def fault(key: str, interval: Interval) -> str | None:
        if key in hidden:
            return fault_of(cells[key], True, interval)
        known = interval.width == 0 and interval.least > 0
        return "it can be worked out exactly" if known and cells[key].sensitive else None

    def clear(key: str, interval: Interval) -> bool:
        return fault(key, interval) is None

    shown = hidden | {key for key in system.open if key not in system.rests}
    sizes = _linked_open_counts(system)
    lone = {
        key: 1
        for key in wanted
        if cells[key].value == 1 and key in shown and sizes.get(key, 0) <= _MOST_LINKED
    }
    sensitive = {key for key in wanted if cells[key].sensitive}
    pairs = {
        (own, other)
        for own in lone
        for relation in system.by_key[own]
        if _loose(system, relation) <= _FEW
        for other, _ in relation.terms
        if other in sensitive and other != own
    }
    others = {other for _, other in pairs}
    learnt = [
        (own, other, found)
        for own, seen in attack_from_within(published, lone, others, clear, pairs).items()
        for other, interval in seen.items()
        if (own, other) in pairs and (found := fault(other, interval))
    ]
    if not learnt:
        return {}
    bounds = {
        key: (0, 0) if cell.value == 0 else (int(cell.printed), MANY) for key, cell in cells.items()
    }
    bare = attack_from_within(
        Publication(bounds, published.relations, (), ()),
        {own: 1 for own, _, _ in learnt},
        {other for _, other, _ in learnt},
        clear,
        {(own, other) for own, other, _ in learnt},
    )
    return {
        other: f"{found} by somebody who is counted elsewhere"
        for own, other, found in learnt
        if own not in bare or clear(other, bare[own][other])
    }

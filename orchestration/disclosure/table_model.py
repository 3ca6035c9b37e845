"""The table model: cells, how they add up, what is printed, and the rule that protects them.

A release is one :class:`Tables`: every count of every table once, under a key that names the
universe, measure, period and categories, so that two tables that print the same count share its
cell. Linear relations link cells (a total and its parts, a hierarchy of areas, offences as a
multiple of offenders).

**The rule.** A count of people from 1 to below the threshold is *sensitive* (a count of none too,
where the zero policy hides it). What the rule requires of a hidden sensitive count, given
everything that is published:

- its greatest possible value is at least the threshold, so that nobody can know whether it
  was sensitive or is hidden for another's sake. This is the upper protection level of cell
  suppression: the value reached must itself be one that could be published (Hundepool et al.,
  *Handbook on Statistical Disclosure Control*, 2nd edition, chapter 4);
- the possible values span at least the threshold less one (with 5: 1 to 5, or 3 to 7), so that
  the count cannot be narrowed down. This is a sliding protection level (Fischetti and Salazar
  2001);
- both hold against a singleton too: a person who is the only one in a hidden count, knows it, and
  subtracts themself.

A count that is hidden for another's sake must not be a single value: otherwise hiding it would be
idle. A category merged into a wider one, or a count that is printed nowhere, must not be shown to
hold anybody while it is sensitive: its least possible value is 0, or it meets the levels above.

Counts of none are printed where the zero policy is ``shown`` (the default, as in the guidance of
the Office for National Statistics for tables in which an empty category is no secret), so a marker
then says "at least one", and the attack uses that.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

MANY = 1_000_000
"""No count of a release is as great: an attacker's outer bound, and so "without limit"."""


@dataclass(frozen=True)
class Rule:
    """What must be hidden: counts of 1 to below ``threshold`` (0: nothing is sensitive).

    ``hide_zeros`` makes counts of none sensitive too. With ``rounding_base`` above 1 every printed
    count is rounded to its nearest multiple, halves up, and known no better than that; quotients
    of rounded counts are not printed.
    """

    threshold: int = 5
    hide_zeros: bool = False
    rounding_base: int = 1


PEOPLE = Rule()
"""Counts of people unless a table says otherwise."""

OPEN = Rule(threshold=0)
"""Counts that are no secret in themselves, such as offences; hidden for others' sake only."""


@dataclass(frozen=True)
class Cell:
    """One count: ``key`` names it, ``value`` is the truth (restricted side only).

    ``printed`` is false for a count that no table prints but that can be worked out; ``fixed`` is
    true where readers know it already (a sentence, an earlier release), so that no marker hides
    it. ``weight`` multiplies the information that hiding it loses, and a secret ``draw`` is added
    to it. ``kept`` asks that it be hidden
    only where nothing else protects the counts that are linked with it. ``marked_before`` says that
    an earlier release marks it, so that it is known to hold somebody whether it is printed now or
    not. ``readable`` says that earlier releases give it away: it is marked where the rule asks for
    that, but nothing protects it any more. With ``marked_below`` it is marked below that, and
    protected by the lower ``rule`` of the earlier releases that have narrowed it down.
    """

    key: str
    value: int
    rule: Rule = PEOPLE
    printed: bool = True
    fixed: bool = False
    weight: int = 1
    draw: int = 0
    kept: bool = False
    marked_before: bool = False
    readable: bool = False
    marked_below: int = 0

    @property
    def sensitive(self) -> bool:
        """Whether the rule asks for the count to be protected."""
        return self._below(self.rule.threshold) and not self.readable

    @property
    def small(self) -> bool:
        """Whether the count is to be marked."""
        return self._below(max(self.rule.threshold, self.marked_below))

    def _below(self, threshold: int) -> bool:
        if self.value == 0:
            return self.rule.hide_zeros and threshold > 0
        return self.value < threshold

    @property
    def least_if_marked(self) -> int:
        """The least value that a reader of a marker must allow for."""
        return 0 if self.rule.hide_zeros else 1

    @property
    def stays(self) -> bool:
        """Whether it is to be shown, unless its group cannot be protected so."""
        return self.kept and self.printed and not self.fixed and not self.small

    @property
    def shows_marker(self) -> bool:
        """Whether a reader who does not see the count sees a marker of it, now or earlier."""
        return self.printed or self.marked_before

    @property
    def least_if_dark(self) -> int:
        """The least value that a reader who does not see the count must allow for."""
        return self.least_if_marked if self.shows_marker else 0

    @property
    def range_if_shown(self) -> tuple[int, int]:
        """Least and greatest value that the printed number leaves possible."""
        base = self.rule.rounding_base
        if base <= 1:
            return self.value, self.value
        shown = (2 * self.value + base) // (2 * base) * base
        return max(0, shown - base // 2), shown + (base - 1) // 2


@dataclass(frozen=True)
class Relation:
    """A linear equation between cells: the sum of coefficient times count is zero."""

    terms: tuple[tuple[str, int], ...]


def total(whole: str, parts: Iterable[str]) -> Relation:
    """``whole`` is the sum of ``parts``."""
    return Relation(((whole, 1), *((part, -1) for part in parts)))


def multiple(result: str, cell: str, times: int) -> Relation:
    """``result`` is ``times`` as many as ``cell``: offences of those who committed so many."""
    return Relation(((result, 1), (cell, -times)))


class ContradictionError(ValueError):
    """Tables contradict one another about the count that ``key`` names."""

    def __init__(self, message: str, key: str) -> None:
        super().__init__(message)
        self.key = key


@dataclass(frozen=True)
class Ratio:
    """A printed quotient: ``scale`` times ``numerator`` over ``denominator``, to ``decimals``.

    The denominator is a cell's key or a known number (a population). Halves are rounded up.
    """

    numerator: str
    denominator: str | int
    scale: int = 100
    decimals: int = 0


@dataclass(frozen=True)
class PrintedRatio:
    """A quotient as a reader sees it: ``units`` is the printed number in its last decimal place."""

    ratio: Ratio
    units: int


@dataclass(frozen=True)
class MergedCell:
    """A cell that replaces ``members``, adjacent categories put together."""

    key: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class MergeOption:
    """One way of merging categories, with the label that readers see ("8 or more")."""

    label: str
    cells: tuple[MergedCell, ...]


@dataclass(frozen=True)
class Merge:
    """The ways in which a table's adjacent categories may be merged; not merging is always one."""

    name: str
    options: tuple[MergeOption, ...]


@dataclass(frozen=True)
class Tables:
    """All tables of a release together; ``known_ratios`` are what earlier releases print."""

    cells: Mapping[str, Cell]
    relations: tuple[Relation, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    merges: tuple[Merge, ...] = ()
    known_ratios: tuple[PrintedRatio, ...] = ()


def tables(
    cells: Iterable[Cell],
    relations: Iterable[Relation] = (),
    ratios: Iterable[Ratio] = (),
    merges: Iterable[Merge] = (),
) -> Tables:
    """Return the tables made of these. Raises :class:`ContradictionError` where they disagree.

    Two cells of one key must be equal, relations must hold between the true counts, and every key
    that is mentioned must have a cell.
    """
    found: dict[str, Cell] = {}
    for cell in cells:
        if found.setdefault(cell.key, cell) != cell:
            raise ContradictionError(f"{cell.key} is declared twice and differently", cell.key)
    made = Tables(found, tuple(relations), tuple(ratios), tuple(merges))
    for relation in made.relations:
        _check_relation(found, relation)
    return made


def _check_relation(cells: Mapping[str, Cell], relation: Relation) -> None:
    keys = [key for key, _ in relation.terms]
    if missing := [key for key in keys if key not in cells]:
        raise ContradictionError(f"no cell {missing[0]}", keys[0])
    if sum(coefficient * cells[key].value for key, coefficient in relation.terms):
        raise ContradictionError(f"the parts do not add up to {keys[0]}", keys[0])


def with_merge(given: Tables, option: MergeOption) -> Tables:
    """Return ``given`` with an option carried out: its cells printed in place of their members."""
    cells = dict(given.cells)
    relations = list(given.relations)
    for merged in option.cells:
        members = [cells[key] for key in merged.members]
        for member in members:
            cells[member.key] = replace(member, printed=False)
        value = sum(member.value for member in members)
        rule, weight = members[0].rule, max(member.weight for member in members)
        # An earlier release may have printed or marked the same merged row.
        known = cells.get(merged.key, Cell(merged.key, value))
        cells[merged.key] = replace(known, rule=rule, weight=weight, printed=True)
        relations.append(total(merged.key, merged.members))
    return replace(given, cells=cells, relations=tuple(dict.fromkeys(relations)))


def with_known(given: Tables, known: Mapping[str, int]) -> Tables:
    """Return ``given`` with the counts fixed that earlier releases printed and that still hold.

    A count that was revised since is a new one: what was printed of it gives the old one away only.
    """
    cells = {
        key: replace(cell, fixed=cell.fixed or known.get(key) == cell.value)
        for key, cell in given.cells.items()
    }
    return replace(given, cells=cells)


@dataclass(frozen=True)
class Protection:
    """The decision: the keys marked, the merges made, and how good the choice is.

    ``tables`` are those with the chosen merges carried out. ``cost`` is the information lost (see
    ``protection``) and ``bound`` the least that any safe choice loses, as far as was proved.
    """

    tables: Tables
    hidden: frozenset[str]
    merged: Mapping[str, MergeOption] = field(default_factory=dict)
    cost: int = 0
    bound: int = 0

    @property
    def gap(self) -> float:
        """How much worse than the best the choice may be, from 0 (proved best)."""
        return (self.cost - self.bound) / self.cost if self.cost else 0.0


@dataclass(frozen=True)
class Publication:
    """What anybody can read: each count's least and greatest value, and how counts are linked.

    A printed count has equal bounds (or a rounding interval), a marker the bounds of the marker,
    a count printed nowhere 0 and :data:`MANY`. ``asked`` are the counts that are not printed.
    """

    bounds: Mapping[str, tuple[int, int]]
    relations: tuple[Relation, ...]
    ratios: tuple[PrintedRatio, ...]
    asked: tuple[str, ...]


def publication(protection: Protection) -> Publication:
    """Return what readers of the protected tables would know: a quotient goes with its counts."""
    made = protection.tables
    bounds: dict[str, tuple[int, int]] = {}
    for key, cell in made.cells.items():
        if cell.fixed:
            bounds[key] = cell.range_if_shown
        elif not cell.printed or key in protection.hidden:
            bounds[key] = (cell.least_if_dark, MANY)
        else:
            bounds[key] = cell.range_if_shown
    dark = {key for key, cell in made.cells.items() if not cell.printed} | protection.hidden
    # A quotient of true counts would undo their rounding: readers divide the rounded ones.
    quiet = dark | {key for key, (low, high) in bounds.items() if low != high}
    printed = [
        PrintedRatio(ratio, units)
        for ratio in made.ratios
        if ratio.numerator not in quiet
        and ratio.denominator not in quiet
        and (units := printed_units(made.cells, ratio)) is not None
    ]
    printed += made.known_ratios
    return Publication(bounds, made.relations, tuple(printed), tuple(sorted(dark)))


def printed_units(cells: Mapping[str, Cell], ratio: Ratio) -> int | None:
    """Return the printed quotient in its last decimal place; none where it divides by zero."""
    base = (
        ratio.denominator if isinstance(ratio.denominator, int) else cells[ratio.denominator].value
    )
    if base == 0:
        return None
    units: int = ratio.scale * 10**ratio.decimals * cells[ratio.numerator].value
    return (2 * units + base) // (2 * base)

"""Turns rows and their declarations into the table model, and back into rows to be shown."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from orchestration.disclosure.declarations import (
    STATUS,
    Count,
    Declaration,
    Row,
    Tail,
    Whole,
    groups_of,
    named,
    text,
)
from orchestration.disclosure.table_model import (
    Cell,
    ContradictionError,
    Merge,
    MergedCell,
    MergeOption,
    Protection,
    Relation,
    Rule,
    Tables,
    tables,
    total,
)
from orchestration.errors import UnpublishableCountError

MARKER = "[c]"
OR_MORE = " or more"
PARTNERSHIPS = "districts of the partnership"
"""Name of the sum over the districts of a partnership, which holds for every count."""

Contents = Mapping[str, Sequence[Row]]
"""Rows by the full name of their table."""


@dataclass(frozen=True)
class Wholes:
    """The areas that districts add up to: force areas, and partnerships of several districts.

    ``forces`` gives the force area of each district, ``partnerships`` the partnership of each that
    is one of several.
    """

    forces: Mapping[str, str]
    partnerships: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def force_of(self) -> Mapping[str, str]:
        """The force area of each partnership of several districts."""
        return {whole: self.forces[code] for code, whole in self.partnerships.items()}


def with_wholes(row: Row, wholes: Wholes) -> Row:
    """Return a row with the areas that it adds up to, which templates may name.

    ``partnership_code`` is the partnership of several districts and ``force_code`` the force area;
    a partnership's row has neither, for its districts add up to the force. Other places of a force
    have its code, a colon and a word; what is no place of a force (``all``) has none.
    ``compared_with`` is the force area of a partnership too.
    """
    code = text(row.get("area_code"))
    if force := wholes.force_of.get(code):
        return {**row, "partnership_code": None, "force_code": None, "compared_with": force}
    place, _, beyond = code.partition(":")
    forces = wholes.forces
    found = forces.get(code) or (None if beyond == "all" else forces.get(place, place))
    partnership = wholes.partnerships.get(code)
    return {**row, "partnership_code": partnership, "force_code": found, "compared_with": found}


@dataclass
class _Sum:
    whole: str
    part: bool
    reported: bool
    terms: dict[str, int] = field(default_factory=dict)


def assembled(contents: Contents, declared: Mapping[str, Declaration]) -> Tables:
    """Return the table model of all ``contents`` together, rows as :func:`with_wholes` gives them.

    Raises :class:`UnpublishableCountError` where two
    tables disagree about a count, or parts do not add up to the total that they are declared of.
    """
    building = _Building()
    for name, rows in contents.items():
        building.add(name, rows, declared[name])
    return building.finished()


class _Building:
    def __init__(self) -> None:
        self._cells: dict[str, Cell] = {}
        self._sums: dict[tuple[str, str], _Sum] = {}
        self._relations: list[Relation] = []
        self._merges: list[Merge] = []
        self._bounds: dict[str, tuple[str, str]] = {}
        self._open = Declaration(counts=()).open_rule

    def add(self, name: str, rows: Sequence[Row], declared: Declaration) -> None:
        for row in rows:
            for count in declared.counts:
                if count.speaks_of(row):
                    self._add_count(name, row, count, declared)
        if declared.tail:
            self._merges += _tail_merges(name, rows, declared, declared.tail)

    def _add_count(self, name: str, row: Row, count: Count, declared: Declaration) -> None:
        key = named(count.cell, row)
        rule = declared.open_rule if count.open else declared.rule
        value = int(row[count.column])
        kept = count.kept is not None and value >= count.kept
        self._print(name, Cell(key, value, rule, kept=kept))
        for whole in count.adds_to:
            if whole.takes(row):
                self._part(key, row, whole)
        if (partnership := row.get("partnership_code")) is not None:
            wider = named(count.cell, {**row, "area_code": partnership})
            if wider != key:
                self._part(key, row, Whole(cell=wider, by=PARTNERSHIPS, part=True))
        if count.areas and row["force_code"] not in (None, row["area_code"]):
            wider = named(count.cell, {**row, "area_code": row["force_code"]})
            reported = count.areas == "reported"
            part = count.areas == "part" or reported
            self._part(key, row, Whole(cell=wider, by="areas", part=part, reported=reported))
        if count.product:
            self._multiply(key, row, count)
        for wider in count.within:
            self._bound(key, named(wider, row), rule)

    def _print(self, name: str, cell: Cell) -> None:
        standing = self._cells.setdefault(cell.key, cell)
        if standing.value != cell.value:
            raise UnpublishableCountError(
                f"{name} and another table print different counts of one thing: {cell.key}.",
                cell.key,
            )
        stricter = max(standing.rule, cell.rule, key=lambda rule: rule.threshold)
        kept = standing.kept or cell.kept
        self._cells[cell.key] = replace(standing, rule=stricter, kept=kept)

    def _part(self, key: str, row: Row, whole: Whole) -> None:
        wider, by = named(whole.cell, row), named(whole.by, row)
        found = self._sums.setdefault((wider, by), _Sum(wider, whole.part, whole.reported))
        found.terms[key] = int(row[whole.times]) if whole.times else 1

    def _bound(self, key: str, wider: str, rule: Rule) -> None:
        # The remainder is not printed, but it counts people too: those who are not of the part.
        rest = f"{key} short of {wider}"
        self._cells.setdefault(rest, Cell(rest, 0, rule, printed=False))
        self._bounds[rest] = (key, wider)

    def _multiply(self, key: str, row: Row, count: Count) -> None:
        assert count.product is not None
        times = int(row[count.product.times])
        other = named(count.product.cell, row)
        terms = [(key, 1), (other, -times)]
        if count.product.at_least is not None and times >= count.product.at_least:
            excess = f"{key} beyond"
            # Its value is set once the other count is known, whatever the order of columns.
            self._cells.setdefault(excess, Cell(excess, 0, self._open, printed=False))
            terms.append((excess, -1))
        self._relations.append(Relation(tuple(terms)))

    def finished(self) -> Tables:
        for (_, by), found in self._sums.items():
            # Not every count of a district has a row of its partnership.
            if by != PARTNERSHIPS or found.whole in self._cells:
                self._close(found, by)
        for relation in self._relations:
            self._settle_excess(relation)
        for rest, (key, wider) in self._bounds.items():
            self._settle_rest(rest, key, wider)
        relations = dict.fromkeys(self._relations)
        try:
            return tables(self._cells.values(), relations, (), self._merges)
        except ContradictionError as error:
            raise UnpublishableCountError(
                f"The tables to be published disagree: {error}.", error.key
            ) from error

    def _close(self, found: _Sum, by: str) -> None:
        """Make the relation of a total: one that is printed nowhere, and a remainder, are added."""
        reached = sum(times * self._cells[key].value for key, times in found.terms.items())
        terms = [(found.whole, 1), *((key, -times) for key, times in sorted(found.terms.items()))]
        if found.whole not in self._cells:
            self._cells[found.whole] = Cell(found.whole, reached, self._open, printed=False)
        elif found.part and reached != self._cells[found.whole].value:
            # Where nothing is left over, readers will have seen that the parts add up.
            rest = f"{found.whole} not printed by {by}"
            rule = self._cells[found.whole].rule
            left = self._cells[found.whole].value - reached
            if left < 0 and found.reported:
                # Two counts that contradict each other: nothing follows from one for the other.
                return
            if left < 0:
                raise UnpublishableCountError(
                    f"The parts by {by} are more than {found.whole}.", found.whole
                )
            self._cells[rest] = Cell(rest, left, rule, printed=False)
            terms.append((rest, -1))
        self._relations.append(Relation(tuple(terms)))

    def _settle_rest(self, rest: str, key: str, wider: str) -> None:
        if wider not in self._cells:
            del self._cells[rest]
            return
        left = self._cells[wider].value - self._cells[key].value
        if left < 0:
            raise UnpublishableCountError(
                f"{key} counts more than {wider}, of which it is a part.", key
            )
        self._cells[rest] = replace(self._cells[rest], value=left)
        self._relations.append(Relation(((wider, 1), (key, -1), (rest, -1))))

    def _settle_excess(self, relation: Relation) -> None:
        *_, (last, factor) = relation.terms
        if not last.endswith(" beyond") or factor != -1:
            return
        others = relation.terms[:-1]
        value = sum(times * self._cells[key].value for key, times in others)
        self._cells[last] = replace(self._cells[last], value=value)


def _tail_merges(
    name: str, rows: Sequence[Row], declared: Declaration, tail: Tail
) -> Iterator[Merge]:
    for group, places in groups_of(rows, tail.by).items():
        lists = _tail_lists(rows, places, tail)
        options = []
        for start in range(1, max(map(len, lists), default=0) - 1):
            first = rows[max(lists, key=len)[start]]
            cells = [
                cell
                for ordered in lists
                if len(ordered) > start + 1
                for cell in _merged_cells(rows, ordered[start:], declared)
            ]
            options.append(MergeOption(f"{first[tail.label]}{OR_MORE}", tuple(cells)))
        if options:
            yield Merge(f"{name} {' '.join(group)}", tuple(options))


def _tail_lists(rows: Sequence[Row], places: Sequence[int], tail: Tail) -> list[list[int]]:
    """Return the rows that may be merged, a list for each area, in their order."""
    lists: dict[tuple[str, ...], list[int]] = {}
    for number in places:
        if text(rows[number][tail.label]) not in (*tail.unless, tail.total):
            key = tuple(text(rows[number][column]) for column in tail.within)
            lists.setdefault(key, []).append(number)
    return [
        sorted(numbers, key=lambda number: int(rows[number][tail.order]))
        for numbers in lists.values()
    ]


def _merged_cells(
    rows: Sequence[Row], members: Sequence[int], declared: Declaration
) -> Iterator[MergedCell]:
    for count in declared.counts:
        if all(count.speaks_of(rows[n]) for n in members):
            keys = tuple(named(count.cell, rows[n]) for n in members)
            yield MergedCell(f"{keys[0]}{OR_MORE}", keys)


def with_earlier(given: Tables, known: Mapping[str, int]) -> Tables:
    """Return ``given`` with what earlier releases printed and still holds: counts and merged rows.

    ``known`` are counts by key; a merged row has the key of its first member and :data:`OR_MORE`.
    """
    cells = {
        key: replace(cell, fixed=True, readable=True) if known.get(key) == cell.value else cell
        for key, cell in given.cells.items()
    }
    relations = list(given.relations)
    for merge in given.merges:
        for merged in (cell for option in merge.options for cell in option.cells):
            value = sum(cells[key].value for key in merged.members)
            if known.get(merged.key) == value:
                rule = cells[merged.members[0]].rule
                cells[merged.key] = Cell(
                    merged.key, value, rule, printed=False, fixed=True, readable=True
                )
                relations.append(total(merged.key, merged.members))
    return replace(given, cells=cells, relations=tuple(relations))


def protected_rows(
    name: str, rows: Sequence[Row], declared: Declaration, protection: Protection
) -> list[dict[str, Any]]:
    """Return the rows of a table as they may be shown: hidden cells empty, merged rows as one."""
    shown = [dict(row) for row in rows]
    hidden_rows = {
        number
        for number, row in enumerate(rows)
        for count in declared.counts
        if count.speaks_of(row) and _hide(shown[number], row, count, protection)
    }
    dropped: set[int] = set()
    if declared.tail:
        for group, places in groups_of(rows, declared.tail.by).items():
            option = protection.merged.get(f"{name} {' '.join(group)}")
            if option:
                gone = _merge(rows, shown, places, declared, option, protection)
                dropped |= gone
                hidden_rows |= gone
    _hide_together(rows, shown, declared, hidden_rows)
    return [row for number, row in enumerate(shown) if number not in dropped]


def _hide(shown: dict[str, Any], row: Row, count: Count, protection: Protection) -> bool:
    if named(count.cell, row) not in protection.hidden:
        return False
    for column in (count.column, *count.companions):
        _empty(shown, column)
    for status in filter(None, (STATUS, count.marker)):
        shown[status] = _marked(row[status])
    return True


def _empty(shown: dict[str, Any], column: str) -> None:
    """Hide a cell; where it has a status of its own, that says so too."""
    own = f"{column}_{STATUS}"
    if shown[column] is not None and own in shown:
        shown[own] = _marked(shown[own])
    shown[column] = None


def _marked(status: str | None) -> str:
    """Add the marker to the shorthand that a row carries already, such as [b]."""
    return status if status and MARKER in status else " ".join(filter(None, (status, MARKER)))


def _merge(
    rows: Sequence[Row],
    shown: list[dict[str, Any]],
    places: Sequence[int],
    declared: Declaration,
    option: MergeOption,
    protection: Protection,
) -> set[int]:
    """Let the first merged row of each area replace the others; return the rows to remove."""
    tail = declared.tail
    assert tail is not None
    gone: set[int] = set()
    for ordered in _tail_lists(rows, places, tail):
        labels = [f"{rows[number][tail.label]}{OR_MORE}" for number in ordered]
        if option.label not in labels[:-1]:
            continue
        members = ordered[labels.index(option.label) :]
        _stand_for(rows, shown, members, declared, tail, option.label, protection)
        _share(rows, shown[members[0]], places, tail)
        gone |= set(members[1:])
    return gone


def _stand_for(
    rows: Sequence[Row],
    shown: list[dict[str, Any]],
    members: Sequence[int],
    declared: Declaration,
    tail: Tail,
    label: str,
    protection: Protection,
) -> None:
    first = shown[members[0]]
    first[tail.label] = label
    first[STATUS] = rows[members[0]][STATUS]
    for count in declared.counts:
        if all(count.speaks_of(rows[number]) for number in members):
            key = f"{named(count.cell, rows[members[0]])}{OR_MORE}"
            first[count.column] = sum(int(rows[number][count.column]) for number in members)
            if key in protection.hidden:
                first[count.column] = None
                first[STATUS] = _marked(first[STATUS])


def _share(rows: Sequence[Row], first: dict[str, Any], places: Sequence[int], tail: Tail) -> None:
    """Form a merged row's percentages anew, of its own area's total."""
    totals = [
        rows[number]
        for number in places
        if text(rows[number][tail.label]) == tail.total
        and all(rows[number][column] == first[column] for column in tail.within)
    ]
    for share, of in tail.shares.items():
        base = int(totals[0][of]) if totals else 0
        value = first[of]
        first[share] = None if value is None or not base else (200 * value + base) // (2 * base)


def _hide_together(
    rows: Sequence[Row],
    shown: list[dict[str, Any]],
    declared: Declaration,
    hidden_rows: set[int],
) -> None:
    for together in declared.together:
        for places in groups_of(rows, together.by).values():
            if hidden_rows & set(places):
                for number in places:
                    for column in together.columns:
                        _empty(shown[number], column)


def ordinary_labels(rows: Sequence[Row], declared: Declaration) -> dict[str, str]:
    """Return the label of each count's row, where a table's last rows may be merged."""
    if not declared.tail:
        return {}
    return {
        named(count.cell, row): text(row[declared.tail.label])
        for row in rows
        for count in declared.counts
        if count.speaks_of(row)
    }

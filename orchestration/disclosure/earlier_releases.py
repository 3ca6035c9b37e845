"""What earlier releases have given away, as part of the table model of the next one.

Every build that was ever published stays with its readers, so all of them are attacked together: a
later quarter's beside the earlier one's, a corrected quarter's beside the one that it replaced. Of
each build the warehouse keeps a :class:`PublishedModel`, with true counts. :func:`with_releases`
adds these to the tables that are about to be published. A count that has not changed since is one
cell with the present one, whether it was shown or hidden. A count that was revised becomes a cell
of its own, with the equations of its build.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestration.disclosure.table_model import (
    Cell,
    PrintedRatio,
    Protection,
    Publication,
    Ratio,
    Relation,
    Rule,
    Tables,
)

_BEFORE = " (before "


def version_name(key: str, number: int) -> str:
    """Return the cell of a count as it is (0), or as it was in earlier builds before a revision."""
    return f"{key}{_BEFORE}{number})" if number else key


def present_name(name: str) -> str:
    """Return the present name of a cell's count, whichever version of it the cell is."""
    return name.split(_BEFORE)[0]


@dataclass(frozen=True)
class PublishedCount:
    """A count of a published build: its true value, and whether it is ``shown`` or ``marked``.

    One that is neither is printed nowhere in the build, but its equations name it.
    """

    value: int
    shown: bool
    marked: bool
    rule: Rule


@dataclass(frozen=True)
class PublishedModel:
    """A published build: its counts by key, how they add up, and the quotients that tell more.

    Restricted: it holds the counts that the build hides.
    """

    counts: Mapping[str, PublishedCount]
    relations: tuple[Relation, ...]
    ratios: tuple[PrintedRatio, ...]

    def as_json(self) -> str:
        """Return the model as text, for :func:`from_json`."""
        return json.dumps(
            {
                "counts": {
                    key: [
                        one.value, one.shown, one.marked, one.rule.threshold, one.rule.hide_zeros,
                    ]
                    for key, one in self.counts.items()
                },
                "relations": [relation.terms for relation in self.relations],
                "ratios": [
                    [
                        one.ratio.numerator, one.ratio.denominator, one.ratio.scale,
                        one.ratio.decimals, one.units,
                    ]
                    for one in self.ratios
                ],
            },
            separators=(",", ":"),
        )  # fmt: skip


def from_json(text: str) -> PublishedModel:
    """Return the model that :meth:`PublishedModel.as_json` wrote."""
    told = json.loads(text)
    return PublishedModel(
        {
            key: PublishedCount(value, shown, marked, Rule(threshold, hide_zeros))
            for key, (value, shown, marked, threshold, hide_zeros) in told["counts"].items()
        },
        tuple(
            Relation(tuple((key, factor) for key, factor in terms)) for terms in told["relations"]
        ),
        tuple(PrintedRatio(Ratio(*ratio), units) for *ratio, units in told["ratios"]),
    )


def published_model(own: Tables, protection: Protection, published: Publication) -> PublishedModel:
    """Return what is kept of a build: ``own`` are its tables without those of earlier ones.

    ``published`` is what was written of it.
    """
    made = protection.tables
    merged = {
        cell.key: cell.members for option in protection.merged.values() for cell in option.cells
    }
    names = [*own.cells, *(key for key in merged if key not in own.cells)]
    replaced = {member for members in merged.values() for member in members}
    counts = {}
    for key in names:
        cell = made.cells[key]
        dark = key in protection.hidden
        is_printed = cell.printed and key not in replaced
        counts[key] = PublishedCount(cell.value, is_printed and not dark, dark, cell.rule)
    held = counts.keys()
    return PublishedModel(
        counts,
        tuple(one for one in made.relations if all(key in held for key, _ in one.terms)),
        tuple(one for one in published.ratios if _keys_of(one) <= held),
    )


def _keys_of(printed: PrintedRatio) -> set[str]:
    return {
        key for key in (printed.ratio.numerator, printed.ratio.denominator) if isinstance(key, str)
    }


@dataclass
class _Joining:
    cells: dict[str, Cell]
    relations: dict[Relation, None]
    ratios: dict[PrintedRatio, None] = field(default_factory=dict)
    versions: dict[str, list[str]] = field(default_factory=dict)

    def name_of(self, key: str, count: PublishedCount) -> str:
        """Return the cell of a published count: the present one where it has not changed."""
        names = self.versions.setdefault(key, [key])
        for name in names:
            cell = self.cells.get(name)
            if cell is not None and cell.value == count.value:
                break
        else:
            name = key if key not in self.cells else version_name(key, len(names))
            if name not in names:
                names.append(name)
            self.cells[name] = Cell(name, count.value, count.rule, printed=False)
        cell = self.cells[name]
        fixed = cell.fixed or count.shown
        self.cells[name] = replace(
            cell,
            fixed=fixed,
            marked_before=cell.marked_before or count.marked,
            readable=cell.readable or fixed,
        )
        return name

    def add(self, model: PublishedModel) -> None:
        names = {key: self.name_of(key, count) for key, count in model.counts.items()}
        for relation in model.relations:
            terms = tuple((names[key], factor) for key, factor in relation.terms)
            self.relations[Relation(terms)] = None
        for printed in model.ratios:
            of = printed.ratio.denominator
            ratio = replace(
                printed.ratio,
                numerator=names[printed.ratio.numerator],
                denominator=names[of] if isinstance(of, str) else of,
            )
            self.ratios[replace(printed, ratio=ratio)] = None


@dataclass(frozen=True)
class GivenAway:
    """What builds give away by themselves, by the names of cells.

    ``lowered`` are the lower thresholds that still protect a count: those that it was published
    under. Nothing protects the ``readable`` ones.
    """

    lowered: Mapping[str, int] = field(default_factory=dict)
    readable: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.lowered or self.readable)

    def marked(self, cell: Cell) -> Cell:
        """Return a cell with what is given away of it."""
        if cell.key in self.readable:
            return replace(cell, readable=True)
        if cell.key not in self.lowered or cell.fixed:
            return cell
        rule = replace(cell.rule, threshold=self.lowered[cell.key])
        return replace(cell, rule=rule, marked_below=cell.rule.threshold)


NOTHING = GivenAway()


def given_away(
    given: Tables, models: Sequence[PublishedModel], found: Callable[[Tables], frozenset[str]]
) -> GivenAway:
    """Return what ``models`` give away without ``given``; ``found`` is the attack on tables.

    A count may be protected by the rule that it was published under, and not by a stricter one.
    """
    open_now = found(_alone(given, models, NOTHING))
    published = {
        key: min(model.counts[key].rule.threshold for model in models if key in model.counts)
        for key in {key for model in models for key in model.counts}
    }
    lowered = {}
    for name in open_now:
        key = present_name(name)
        cell = given.cells.get(key)
        if cell is not None and published.get(key, 0) < cell.rule.threshold:
            lowered[name] = published[key]
    partly = GivenAway(lowered, open_now - lowered.keys())
    return replace(partly, readable=partly.readable | found(_alone(given, models, partly)))


def with_releases(
    given: Tables, models: Iterable[PublishedModel], away: GivenAway = NOTHING
) -> Tables:
    """Return ``given`` with all that published builds, oldest first, tell beside it.

    ``away`` is what these builds give away by themselves.
    """
    options = [cell for merge in given.merges for one in merge.options for cell in one.cells]
    joining = _Joining(dict(given.cells), dict.fromkeys(given.relations))
    for merged in options:
        value = sum(given.cells[key].value for key in merged.members)
        rule = given.cells[merged.members[0]].rule
        joining.cells.setdefault(merged.key, Cell(merged.key, value, rule, printed=False))
    for model in models:
        joining.add(model)
    joining.cells = {key: away.marked(cell) for key, cell in joining.cells.items()}
    _drop_idle(joining, given, [merged.key for merged in options])
    return replace(
        given,
        cells=joining.cells,
        relations=tuple(joining.relations),
        known_ratios=tuple(joining.ratios),
    )


def _drop_idle(joining: _Joining, given: Tables, merged: Sequence[str]) -> None:
    """Take off the merged rows that no release has, and equations of which nothing is unknown."""
    for relation in list(joining.relations):
        if all(joining.cells[key].fixed for key, _ in relation.terms):
            del joining.relations[relation]
    named = {key for relation in joining.relations for key, _ in relation.terms}
    for key in merged:
        cell = joining.cells[key]
        if key not in named and key not in given.cells and not (cell.fixed or cell.marked_before):
            del joining.cells[key]


def _alone(given: Tables, models: Iterable[PublishedModel], away: GivenAway) -> Tables:
    """Return what published builds tell without ``given``, under the same names of cells."""
    cells = {key: replace(cell, printed=False) for key, cell in given.cells.items()}
    return with_releases(replace(given, cells=cells, relations=()), models, away)

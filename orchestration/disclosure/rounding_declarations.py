"""What a model declares about counts that are rounded: ``disclosure`` with ``method: rounded``.

A count is named by a template over the row's columns, as in ``declarations``. Two tables whose
templates give the same name show the same count and have the same value; where a table that is
protected by suppression prints or hides it, the rounded tables take that over.

Cubes are declared by their totals: ``sums: [{sex: All}]`` says that the row with ``sex`` All, and
all else equal, is the sum over this column. A value may name columns of the row in braces.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from orchestration.disclosure import ROUNDED
from orchestration.disclosure.declarations import (
    NO_VALUE,
    STATUS,
    refuse_unknown_columns,
    validated,
)
from orchestration.disclosure.table_model import PEOPLE
from orchestration.errors import DisclosureError

LEAST_BASE = 20
"""Fewer people than this have no limits and no comparison."""

_NUMBERS = ("BIGINT", "INTEGER", "DOUBLE", "HUGEINT", "DECIMAL", "FLOAT")


Told = Mapping[str, str]
"""A row whose values are as they are written in names (:func:`declarations.told`)."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Name(_Declared):
    """Another name of a count, in the rows where the columns of ``where`` have these values."""

    cell: str
    where: Mapping[str, tuple[str, ...]]


class Into(_Declared):
    """The column that the row's count is a part of, in the rows where ``where`` fits."""

    column: str
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class Balance(_Declared):
    """Two sums that are equal: each is made of the counts that name it, ``times`` (a column) each.

    ``side`` tells them apart. Where the true sums differ, nothing follows from one for the other.
    """

    name: str
    side: str
    times: str | None = None
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class RoundedCount(_Declared):
    """A column of counts.

    ``instead`` are names that come before ``cell``, the first that fits. ``broad`` says that its
    inner counts are rounded whatever their size, for other tables divide them.

    It is the sum of the columns ``sum_of``, or of the names ``made_of``; or the difference of the
    two columns ``less``, but not below the column ``at_least``. ``sums`` are its totals, ``into``
    is the column that it is a part of. ``part_of`` is the column of a whole that holds it,
    ``within`` the name of one; ``divides`` the column of a whole which the categories add up to, by
    ``by``. ``control`` are the columns of a group whose total stays near the truth.

    ``follows`` are columns that are made of the count and of numbers that are no secret: they are
    shown where a protected table prints the count.
    """

    column: str
    cell: str
    instead: tuple[Name, ...] = ()
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    unless: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    broad: bool = False
    sums: tuple[Mapping[str, str], ...] = ()
    sum_of: tuple[str, ...] = ()
    made_of: tuple[str, ...] = ()
    less: tuple[str, str] | None = None
    at_least: str | None = None
    into: Into | None = None
    part_of: str | None = None
    within: str | None = None
    divides: str | None = None
    by: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    balances: tuple[Balance, ...] = ()
    follows: tuple[str, ...] = ()


class Naming:
    """The names of a declared count in the rows of its table, which are given as ``told``."""

    def __init__(self, count: RoundedCount) -> None:
        self.count = count

    def has(self, row: Told) -> bool:
        """Whether the row has this count, with a value or without."""
        count = self.count
        return fits(row, count.where) and not (
            count.unless and any(row[column] in values for column, values in count.unless.items())
        )

    def key(self, row: Told) -> str:
        """Return the name of the row's count."""
        for name in self.count.instead:
            if fits(row, name.where):
                return name.cell.format_map(row)
        return self.count.cell.format_map(row)

    def wholes(self, row: Told) -> Iterator[tuple[str, str]]:
        """Yield what the row's count is summed over, and the name of the sum."""
        for changed in self.count.sums:
            first = next(iter(changed))
            whole = changed[first].format_map(row)
            if row[first] != whole and whole != NO_VALUE:
                other = {column: value.format_map(row) for column, value in changed.items()}
                yield first, self.key({**row, **other})


def fits(row: Told, where: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether the row has one of the values in each column."""
    for column, values in where.items():  # noqa: SIM110 - asked millions of times
        if row[column] not in values:
            return False
    return True


class Proportion(_Declared):
    """A share: ``value`` is ``scale`` times the column ``of`` over the column ``base``."""

    value: str
    of: str
    base: str
    lower: str | None = None
    upper: str | None = None
    scale: int = 1
    decimals: int | None = None
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)


class Rate(_Declared):
    """A rate: ``value`` is ``scale`` times the count ``of`` over the column ``population``.

    ``marker`` is the column that says why a row has no rate.
    """

    value: str
    of: str
    population: str
    marker: str
    lower: str | None = None
    upper: str | None = None
    scale: int = 1000

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it writes."""
        named = (self.value, self.lower, self.upper, self.marker)
        return tuple(column for column in named if column)


class Comparison(_Declared):
    """An area beside the rest of the force's, which does not hold it.

    ``of`` and ``base`` are columns of counts; the rest is the force's less the area's.
    """

    of: str
    base: str
    compared: str
    rest: str | None = None
    difference: str | None = None
    lower: str | None = None
    upper: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it writes."""
        named = (self.compared, self.rest, self.difference, self.lower, self.upper)
        return tuple(column for column in named if column)


class Difference(_Declared):
    """The column ``of`` less the column ``less``, as both are shown; ``percent`` of the latter."""

    value: str
    of: str
    less: str
    percent: str | None = None


class Margin(_Declared):
    """Half the width of the limits of a half of the column ``base``, in percentage points."""

    value: str
    base: str


class RoundedDeclaration(_Declared):
    """All that a table declares; ``plain`` are its columns of numbers that are no counts.

    ``emptied`` are columns that are not shown.
    """

    method: Literal["rounded"]
    threshold: int = PEOPLE.threshold
    counts: tuple[RoundedCount, ...]
    proportions: tuple[Proportion, ...] = ()
    rates: tuple[Rate, ...] = ()
    differences: tuple[Difference, ...] = ()
    margins: tuple[Margin, ...] = ()
    comparison: Comparison | None = None
    plain: tuple[str, ...] = ()
    emptied: tuple[str, ...] = ()

    @property
    def columns(self) -> set[str]:
        """The columns that are written anew, or emptied."""
        made = {count.column for count in self.counts} | set(self.emptied)
        made |= {column for count in self.counts for column in count.follows}
        for share in self.proportions:
            made |= {column for column in (share.value, share.lower, share.upper) if column}
        for rate in self.rates:
            made |= set(rate.columns)
        for gap in self.differences:
            made |= {column for column in (gap.value, gap.percent) if column}
        made |= {margin.value for margin in self.margins}
        if self.comparison:
            made |= set(self.comparison.columns)
        return made


def rounded_declarations(manifest: Mapping[str, Any]) -> dict[str, RoundedDeclaration]:
    """Return what each published model that is rounded declares, by ``schema.name``.

    Raises :class:`DisclosureError` for one that cannot be understood, or that has a column of
    numbers about which it says nothing.
    """
    found = {}
    for node in manifest["nodes"].values():
        meta = ((node.get("config") or {}).get("meta") or {}).get("csp") or {}
        declared = meta.get("disclosure") or {}
        if node["resource_type"] != "model" or not meta.get("publish"):
            continue
        if declared.get("method") == ROUNDED:
            found[f"{node['schema']}.{node['name']}"] = _parsed(node, declared)
    return dict(sorted(found.items()))


def _parsed(node: Mapping[str, Any], declared: object) -> RoundedDeclaration:
    made = validated(node, declared, RoundedDeclaration)
    refuse_unknown_columns(node, {*made.columns, *made.plain, STATUS})
    numbers = {
        name
        for name, column in (node.get("columns") or {}).items()
        if str(column.get("data_type") or "").upper().startswith(_NUMBERS)
    }
    if silent := sorted(numbers - made.columns - set(made.plain)):
        raise DisclosureError(
            f"{node['name']}: its `disclosure` says nothing about {', '.join(silent)}. Declare "
            "each as a count, as made of counts, or under `plain`."
        )
    return made

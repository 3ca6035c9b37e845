"""What a model declares about its counts, in ``config.meta.csp.disclosure`` of its YAML.

A count is named by a template over the row's columns, ``offenders {period_start} {area_code}``; two
tables whose templates give the same name print the same count. ``adds_to`` names the total of which
it is a part, ``areas`` says that districts add up to the force area (``exact``: with nobody
elsewhere; ``part``: with people of no listed area besides; ``reported``: likewise, but as a
supplier reports both, so that the districts may add up to more). A table that cannot be declared so
has ``publish: false``.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestration.disclosure.table_model import PEOPLE, Rule
from orchestration.errors import DisclosureError

Row = Mapping[str, Any]
Kind = TypeVar("Kind", bound=BaseModel)

STATUS = "status"
"""Column that carries the marker; every table of people has it."""

NO_VALUE = "none"
"""How a missing value is written in names."""


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Whole(_Declared):
    """The total that a count is part of.

    Parts of one whole that are counted apart (by sex, by age) differ in ``by``. With ``times``, a
    column, each part counts so many times. ``part`` says that not all parts are printed. Rows may
    be chosen as for the count itself.
    """

    cell: str
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    unless: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    by: str = ""
    times: str | None = None
    part: bool = False
    reported: bool = False

    def takes(self, row: Row) -> bool:
        """Whether the row's count is one of the parts."""
        return _chosen(row, self.where, self.unless)


class Product(_Declared):
    """The count is ``times`` (a column) as many as ``cell``; from ``at_least`` on, that or more."""

    cell: str
    times: str
    at_least: int | None = None


class Share(_Declared):
    """A printed share of the count: over another count (``of``) or a known number (``per``)."""

    column: str
    of: str | None = None
    per: str | None = None
    scale: int = 100
    decimals: int = 0


class Count(_Declared):
    """A column of counts, in the rows where the columns of ``where`` have one of their values.

    ``open`` says that it is no secret in itself; ``kept`` that, from so many on, it is hidden only
    where nothing else protects the counts that are linked with it. ``within`` names the counts that
    it cannot exceed (those with a need, of those assessed): how many they have more is a number of
    people too, and falls under the same rule. ``hides`` are the columns that go with
    it: percentages, rates, limits. ``marker`` is a second status column in which it is marked.
    """

    column: str
    cell: str
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    unless: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    open: bool = False
    kept: int | None = None
    within: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    marker: str | None = None
    adds_to: tuple[Whole, ...] = ()
    areas: Literal["exact", "part", "reported"] | None = None
    product: Product | None = None
    shares: tuple[Share, ...] = ()

    @property
    def companions(self) -> tuple[str, ...]:
        """The columns that are empty where the count is hidden."""
        return (*self.hides, *(share.column for share in self.shares))

    def speaks_of(self, row: Row) -> bool:
        """Whether the row prints this count."""
        return row[self.column] is not None and self.belongs_to(row)

    def belongs_to(self, row: Row) -> bool:
        """Whether the row is one that has this count, printed or not."""
        return _chosen(row, self.where, self.unless)


class Together(_Declared):
    """Columns that give a total away, and so are printed only where a whole group is.

    Rows that agree in the columns of ``by`` are a group.
    """

    columns: tuple[str, ...]
    by: tuple[str, ...]


class Tail(_Declared):
    """The last rows may be merged: 6, 7, 8 or more become "6 or more", in every area alike.

    ``within`` are the columns of a list of rows, ``by`` those of the lists that are merged alike;
    ``label`` is the column of the category and ``order`` that of its place. The row labelled
    ``total`` and those of ``unless`` are left alone. ``shares`` are whole percentages, and the
    column of which each is the share in the total row.
    """

    by: tuple[str, ...]
    within: tuple[str, ...]
    label: str
    order: str
    unless: tuple[str, ...] = ()
    total: str
    shares: Mapping[str, str] = Field(default_factory=dict)


class Declaration(_Declared):
    """All that a table declares."""

    threshold: int = PEOPLE.threshold
    hide_zeros: bool = False
    counts: tuple[Count, ...]
    together: tuple[Together, ...] = ()
    tail: Tail | None = None

    @property
    def rule(self) -> Rule:
        """The rule for its counts of people."""
        return Rule(self.threshold, self.hide_zeros)

    @property
    def open_rule(self) -> Rule:
        """The rule for its counts that are no secret in themselves."""
        return Rule(0, self.hide_zeros)


def declarations(manifest: Mapping[str, Any]) -> dict[str, Declaration]:
    """Return what each model that is published under protection declares, by ``schema.name``.

    Raises :class:`DisclosureError` for one that cannot be understood.
    """
    found = {}
    for node in manifest["nodes"].values():
        meta = ((node.get("config") or {}).get("meta") or {}).get("csp") or {}
        if node["resource_type"] != "model" or not meta.get("publish"):
            continue
        if "disclosure" in meta and "method" not in meta["disclosure"]:
            found[f"{node['schema']}.{node['name']}"] = _parsed(node, meta["disclosure"])
    return dict(sorted(found.items()))


def _parsed(node: Mapping[str, Any], declared: object) -> Declaration:
    made = validated(node, declared, Declaration)
    refuse_unknown_columns(node, _named(made))
    return made


def validated(node: Mapping[str, Any], declared: object, kind: type[Kind]) -> Kind:
    """Return what a model declares under ``disclosure``, as the kind of declaration that it is.

    Raises :class:`DisclosureError` for one that cannot be understood.
    """
    try:
        return kind.model_validate(declared)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            for fault in error.errors()
        )
        raise DisclosureError(
            f"{node['name']}: its `disclosure` cannot be used: {faults}"
        ) from error


def refuse_unknown_columns(node: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise :class:`DisclosureError` where a declaration names what is no column of its model."""
    if unknown := sorted(set(names) - set(node.get("columns") or {})):
        raise DisclosureError(
            f"{node['name']}: its `disclosure` names {', '.join(unknown)}, no column of it."
        )


def _named(declared: Declaration) -> set[str]:
    names = {STATUS}
    for count in declared.counts:
        names |= {count.column, *count.companions, *count.where, *count.unless}
        names |= {count.marker} if count.marker else set()
    for together in declared.together:
        names |= {*together.columns, *together.by}
    if declared.tail:
        names |= {
            *declared.tail.by,
            *declared.tail.within,
            declared.tail.label,
            declared.tail.order,
        }
    return names


def _chosen(
    row: Row, where: Mapping[str, tuple[str, ...]], unless: Mapping[str, tuple[str, ...]]
) -> bool:
    within = all(text(row[column]) in values for column, values in where.items())
    return within and not any(text(row[column]) in values for column, values in unless.items())


def named(template: str, row: Row) -> str:
    """Return the name that a template gives a row."""
    return template.format_map(told(row))


def text(value: object) -> str:
    """Return a value of a row as it is written in a name."""
    if isinstance(value, str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    return NO_VALUE if value is None else str(value)


def told(row: Row) -> dict[str, str]:
    """Return a row with its values as they are written in names."""
    return {column: text(value) for column, value in row.items()}


def groups_of(rows: Sequence[Row], by: Sequence[str]) -> dict[tuple[str, ...], list[int]]:
    """Return the numbers of the rows that agree in the columns ``by``."""
    found: dict[tuple[str, ...], list[int]] = {}
    for number, row in enumerate(rows):
        found.setdefault(tuple(text(row[column]) for column in by), []).append(number)
    return found

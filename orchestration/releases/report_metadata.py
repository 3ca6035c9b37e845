"""How the pack and the workbook show a report table: the schema of ``config.meta.csp.report``.

A report model declares it in its dbt YAML, publishing checks it and writes it to
``main.report_metadata``, and the exports read it there. ``docs/report_metadata.md`` describes every
field. The order of the sections is here, and so are the printed diagrams, which have no table.
"""

import re
from collections.abc import Mapping
from string import Formatter
from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Form = Literal["text", "count", "percent", "rate", "limit", "share", "year", "month", "months"]
"""How a value is written: a share is from 0 to 1 and is written as a percentage; months are counts
separated by commas, drawn as blocks in the pack."""

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "numbers": "Numbers in contact with the criminal justice system",
        "offenders": "Offenders known to the police",
        "youth": "Youth offenders",
        "probation": "National Probation Service cohort",
        "needs": "Offender needs",
        "accommodation_need": "Accommodation as an offender need",
        "accommodation": "Addressing accommodation need",
        "scanning": "Scanning of all crime types",
        "places": "Places",
        "shoplifting": "Shoplifting",
        "burglary": "Burglary",
        "survey": "Community survey",
        "appendix_c": "Appendix C: offender pathways",
        "audit": "Audit of the assessment as printed",
    }
)
"""The sections of the report in order, and their titles."""

_LABEL = re.compile(r"[^\[\]:*?/\\']{1,31}")
"""A label is the name of a sheet, for which spreadsheet programs have these rules."""

_ON_NULL = re.compile(r"; (?:null|empty)\b[^.;]*|\s+(?:Null|Empty)\b[^.]*\.")
"""What the description of a column says of its empty cells."""

_CONTROL_CHART_COLUMNS = (
    "area_code", "area_name", "month", "offences", "seasonally_adjusted", "xmr_centre",
    "xmr_lower", "xmr_upper", "xmr_signal", "xmr_is_restart", "missing_because", "status",
)  # fmt: skip

_MAP_COLUMNS = (
    "area_code", "small_area_code", "small_area_name", "offences", "row_order", "band", "verdict",
    "boundary", "period_label",
)  # fmt: skip

_TITLE_NAMES = frozenset({"place", "force", "periods"})
"""Names in braces in a chart's title that are not columns."""


Reference = tuple[str, str]
"""A field, and a column of the model that it names."""


def _references(named: Mapping[str, tuple[str, ...]]) -> list[Reference]:
    return [(field, name) for field, names in named.items() for name in names if name]


def _names_in_braces(text: str) -> list[str]:
    return [name for _, name, _, _ in Formatter().parse(text) if name is not None]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReportColumn(_Declared):
    """A column as it is shown.

    ``status_column`` names the column with the shorthand that explains an empty cell;
    ``show_marker`` shows the shorthand that qualifies a full one, too. ``in_brackets`` names a
    column that follows the value in brackets in the pack. ``note`` is the key of a note. ``metric``
    is the metric that it shows, from which publishing takes heading, form and note where the column
    declares none.
    """

    column: str
    heading: str
    form: Form = "text"
    status_column: str = "status"
    show_marker: bool = False
    in_brackets: str = ""
    note: str = ""
    metric: str = ""


class CrossTable(_Declared):
    """The table of the pack with one row for each ``rows`` value and one column for each
    ``columns`` value.

    ``cells`` names the columns of a cell, the second in brackets. ``row_order`` and
    ``column_order`` name the columns that give the order; ``group`` heads groups of rows.
    """

    rows: str
    columns: str
    cells: tuple[str, ...] = Field(min_length=1, max_length=2)
    heading: str
    row_order: str = ""
    column_order: str = ""
    group: str = ""

    @property
    def references(self) -> list[Reference]:
        """The columns of the model that it names, each with the field that does."""
        single = ("rows", "columns", "row_order", "column_order", "group")
        return _references(
            {name: (getattr(self, name),) for name in single} | {"cells": self.cells}
        )


class ControlChart(_Declared):
    """A line of months with its control limits, for each area of the partnership."""

    kind: Literal["control"]

    @property
    def references(self) -> list[Reference]:
        """The columns of the model that it draws."""
        return _references({"kind": _CONTROL_CHART_COLUMNS})


class CrimeMap(_Declared):
    """A map of the small areas of each district by offences, from the column ``boundary``.

    Small areas are shaded by their ``band`` among those of the force, and hot spots outlined.
    """

    kind: Literal["map"]
    title: str
    subtitle: str

    @property
    def references(self) -> list[Reference]:
        """The columns of the model that it draws, and those that its words name."""
        return _references({"kind": _MAP_COLUMNS}) + [
            (field, name)
            for field in ("title", "subtitle")
            for name in _names_in_braces(getattr(self, field))
            if name not in _TITLE_NAMES
        ]


class FunnelChart(_Declared):
    """A funnel plot, one point for each row, for each area of the partnership.

    ``own`` says of a row whether it is of the area itself and ``label`` names it; ``value`` is
    drawn by ``across``. ``centre`` is the value of all rows together, and ``warning`` and
    ``limits`` are its lower and upper limits, those of ``limits`` the wider ones.
    """

    kind: Literal["funnel"]
    title: str
    subtitle: str
    label: str
    own: str
    across: str
    value: str
    centre: str
    warning: tuple[str, str]
    limits: tuple[str, str]

    @property
    def references(self) -> list[Reference]:
        """The columns of the model that it names, each with the field that does."""
        single = ("label", "own", "across", "value", "centre")
        return _references(
            {name: (getattr(self, name),) for name in single}
            | {"warning": self.warning, "limits": self.limits}
        ) + [
            (field, name)
            for field in ("title", "subtitle")
            for name in _names_in_braces(getattr(self, field))
            if name not in _TITLE_NAMES
        ]


class BarChart(_Declared):
    """A chart of bars, one for each row that is drawn, for each area of the partnership.

    ``areas`` chooses rows by area, ``where`` and ``unless`` by the values of columns, and
    ``latest`` those with the greatest value of a column. ``value`` is drawn and ``label`` names
    the bar, under the ``group`` columns. ``ranked`` sorts by value, ``order`` by columns.
    ``count_of`` names a count and its base, which follow the value in brackets; ``lower`` and
    ``upper`` are the limits of an interval.
    """

    kind: Literal["bars", "panels", "pairs", "intervals"]
    value: str
    label: str
    title: str
    subtitle: str
    areas: Literal["all", "districts", "own", "own_and_force"] = "all"
    where: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    unless: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    latest: str = ""
    group: tuple[str, ...] = ()
    ranked: bool = False
    order: tuple[str, ...] = ()
    count_of: tuple[str, str] | None = None
    lower: str = ""
    upper: str = ""

    @property
    def references(self) -> list[Reference]:
        """The columns of the model that it names, each with the field that does."""
        single = ("value", "label", "latest", "lower", "upper")
        return _references(
            {name: (getattr(self, name),) for name in single}
            | {"where": tuple(self.where), "unless": tuple(self.unless)}
            | {"group": self.group, "order": self.order, "count_of": self.count_of or ()}
            | {"areas": ("area_code",)}
        ) + [
            (field, name)
            for field in ("title", "subtitle")
            for name in _names_in_braces(getattr(self, field))
            if name not in _TITLE_NAMES
        ]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            _names_in_braces(f"{self.title} {self.subtitle}")
        except ValueError as error:
            raise ValueError(f"the braces of title or subtitle do not pair ({error})") from error
        if self.ranked and self.order:
            raise ValueError("ranked and order exclude each other; remove one")
        if (self.kind == "intervals") != bool(self.lower and self.upper):
            raise ValueError("lower and upper are needed with kind intervals, and only there")
        if self.kind == "panels" and not self.group:
            raise ValueError("group is needed with kind panels: each group is a panel")
        if self.kind == "pairs" and self.areas != "own_and_force":
            raise ValueError("kind pairs needs areas: own_and_force")
        return self


class ColumnNote(_Declared):
    """A note on columns: its own words, then the descriptions of the columns that it names."""

    text: str
    descriptions_of: tuple[str, ...] = ()

    def words(self, meanings: Mapping[str, str]) -> str:
        """Return the note for a table whose columns mean ``meanings``.

        What a description says of null is for those who query: a shown cell has a marker.
        """
        said = (meanings[name] for name in self.descriptions_of if name in meanings)
        return _ON_NULL.sub("", " ".join([self.text, *said]))


class ReportMetadata(_Declared):
    """What a report model declares of how it is shown.

    ``columns`` are those of the workbook and, without ``cross_table``, of the pack. The pack shows
    rows with the greatest ``latest`` among those in which ``latest_with`` has a value, the
    ``first_rows`` or ``last_rows`` of them in the order of the columns ``order_by``, and of the
    partnership's own areas only where ``own_areas_only``; the workbook shows all rows, in the order
    of ``workbook_order_by`` where that is given. ``areas`` says which rows a partnership gets: its
    own areas and its force, or every area of the force. ``subject`` names the table where the
    release does not hold it, and ``absent_because`` then says why; ``empty_because`` says why a
    period has rows without a figure, such as "not surveyed". A release sets ``withheld`` where it
    holds the table without rows, and gives the reason.
    """

    section: str
    position: int
    label: str
    subject: str
    columns: tuple[ReportColumn, ...] = Field(min_length=1)
    areas: Literal["own", "force"] = "own"
    cross_table: CrossTable | None = None
    latest: str = ""
    latest_with: str = ""
    first_rows: int = Field(default=0, ge=0)
    last_rows: int = Field(default=0, ge=0)
    order_by: tuple[str, ...] = ()
    workbook_order_by: tuple[str, ...] = ()
    own_areas_only: bool = False
    landscape: bool = False
    chart: (
        Annotated[ControlChart | BarChart | CrimeMap | FunnelChart, Field(discriminator="kind")]
        | None
    ) = None
    notes: Mapping[str, ColumnNote] = Field(default_factory=dict)
    absent_because: str = Field(default="not in the release", pattern=r".*[^.]$")
    empty_because: str = Field(default="no figures", pattern=r".*[^.]$")
    withheld: bool = False

    @property
    def references(self) -> list[Reference]:
        """The columns of the model that it names, each with the field that does."""
        found = _references(
            {
                "latest": (self.latest,),
                "latest_with": (self.latest_with,),
                "order_by": self.order_by,
                "workbook_order_by": self.workbook_order_by,
            }
        )
        for number, one in enumerate(self.columns):
            found.append((f"columns.{number}.column", one.column))
            if one.status_column != "status":
                found.append((f"columns.{number}.status_column", one.status_column))
        for part, declared in (("cross_table", self.cross_table), ("chart", self.chart)):
            if declared:
                found += [(f"{part}.{field}", name) for field, name in declared.references]
        for key, note in self.notes.items():
            found += _references({f"notes.{key}.descriptions_of": note.descriptions_of})
        return found

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for fault in self._faults():
            raise ValueError(fault)
        return self

    def _faults(self) -> list[str]:
        shown = [column.column for column in self.columns]
        headings = [column.heading for column in self.columns]
        faults = []
        if self.section not in SECTIONS:
            faults.append(
                f"field section is {self.section!r}; it must be one of {', '.join(SECTIONS)}"
            )
        if not _LABEL.fullmatch(self.label):
            faults.append(
                f"field label is {self.label!r}; a sheet's name has at most 31 characters, none of "
                "[ ] : * ? / \\ '"
            )
        if twice := sorted({one for one in headings if headings.count(one) > 1}):
            faults.append(f"field columns has the heading {', '.join(twice)} twice")
        for column in self.columns:
            if column.note and column.note not in self.notes:
                faults.append(
                    f"field columns: note of {column.column} is {column.note!r}, not in notes"
                )
        for part, name in self._needed():
            if name not in shown:
                faults.append(f"field {part} names '{name}', which is not in columns")
        if self.latest_with and not self.latest:
            faults.append("field latest_with needs the field latest")
        return faults

    def _needed(self) -> list[tuple[str, str]]:
        """Return the columns that must be among those shown, each with the field that needs it."""
        needed = [("in_brackets", one.in_brackets) for one in self.columns if one.in_brackets]
        if self.cross_table:
            needed += [("cross_table.cells", name) for name in self.cross_table.cells]
        if isinstance(self.chart, BarChart):
            needed.append(("chart.value", self.chart.value))
            needed += [("chart.count_of", name) for name in self.chart.count_of or ()]
        return needed


class Exhibit(ReportMetadata):
    """A table or figure of the report; ``table`` is its table, empty for a printed diagram."""

    table: str = ""
    columns: tuple[ReportColumn, ...] = ()

    @property
    def slug(self) -> str:
        """Name for files and links, such as ``table_1_offender_rates``."""
        return self.table or self.label.lower().replace(" ", "_")


DIAGRAMS: tuple[Exhibit, ...] = (
    Exhibit(
        section="numbers",
        position=1,
        label="Figure 1",
        subject="Numbers known to the criminal justice system",
        absent_because="none of the tables that it is drawn from has a number for this partnership",
    ),
    Exhibit(
        section="accommodation",
        position=1,
        label="Figure 9",
        subject="The cycle of offending where accommodation is a need",
        absent_because="a diagram without figures",
    ),
)
"""The figures of an assessment that have no table."""

"""The figures that a text may insert by name, from a partnership's rows of the report tables.

``<table>.<column>`` is the partnership's own figure of the latest period; ``subjects.toml`` gives
short names. Pure functions of rows. A hidden or missing figure is its marker, never 0.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from orchestration.disclosure.confidence_limits import ratio
from orchestration.errors import did_you_mean
from orchestration.exports.charts.chart_text import SHORTHAND, month_name
from orchestration.exports.errors import ExportError
from orchestration.exports.findings.comparable_periods import BASES, comparable_before
from orchestration.exports.report_definition.row_selection import Place, Row
from orchestration.exports.report_definition.table_layout import (
    figure_columns,
    is_about,
    marker,
    value_text,
)
from orchestration.exports.texts.references import Reference
from orchestration.exports.texts.subjects import ShortName, Subject
from orchestration.releases.report_metadata import Exhibit, Form, ReportColumn

_PERIODS = ("month", "period_end", "period_start", "stock_year")
"""Columns that order a table's periods, the first that it has."""

_NUMERIC: frozenset[Form] = frozenset({"count", "percent", "rate", "limit", "share"})
_CHANGE = ReportColumn(column="change", heading="Change", form="text")
_MOST_CHOICES = 6


class UnknownFigureError(ExportError):
    """A name is not that of one figure; the message gives the nearest, or how to choose one."""


@dataclass(frozen=True)
class Figure:
    """A figure as a text shows it.

    ``value`` is none where it is hidden or missing, and ``marker`` then says which. ``exact`` is
    the number as it is written without "about"; ``rounded`` says that it is made of rounded counts.
    """

    name: str
    label: str
    period: str
    value: float | None
    exact: str
    is_percent: bool
    marker: str = ""
    rounded: bool = False
    area: str = ""

    @property
    def shown(self) -> str:
        """The figure in a sentence: about 120, or [c] (confidential)."""
        if self.value is None:
            return f"{self.marker} ({SHORTHAND[self.marker]})"
        return f"about {self.exact}" if self.rounded else self.exact


@dataclass(frozen=True)
class FigureCatalogue:
    """The figures of a partnership in one release.

    ``rows`` has the partnership's rows of each report table that is shown, ``rounded_to`` the
    multiple of each table whose inner counts are rounded. ``place`` is the area that the figures
    are of.
    """

    exhibits: Sequence[Exhibit]
    rows: Mapping[str, Sequence[Row]]
    rounded_to: Mapping[str, int]
    place: Place
    subjects: Sequence[Subject]

    def figure(self, reference: Reference) -> Figure:
        """Return the figure that a reference names.

        Raises :class:`UnknownFigureError` where it names none, or one of several.
        """
        if not reference.where and (short := self._short(reference.text)) is not None:
            return short
        table, _, column = self._full_name(reference.text).partition(".")
        exhibit, field = self._column(table, column)
        if exhibit is None or field is None:
            raise UnknownFigureError(self._unknown(reference.text))
        chosen = self._chosen(exhibit, reference.where)
        if len(chosen) > 1:
            raise UnknownFigureError(_several(reference, chosen, exhibit))
        if not chosen:
            raise UnknownFigureError(
                f'No row of {exhibit.label} is that of "{reference}". Choose by other values.'
            )
        return self._of_row(reference.text, exhibit, field, chosen[0])

    def short_figures(self) -> list[Figure]:
        """Return every figure with a short name that the release has, in order."""
        return [figure for _, figure in self.figures_by_subject()]

    def figures_by_subject(self) -> Iterator[tuple[Subject, Figure]]:
        """Yield each figure with a short name, beside its subject."""
        for subject in self.subjects:
            for name in self._names(subject):
                if (figure := self._short(name)) is not None:
                    yield subject, figure

    def table_figures(self) -> list[Figure]:
        """Return every figure ``<table>.<column>`` that one row gives, in order of the report."""
        return [
            self._of_row(f"{exhibit.table}.{field.column}", exhibit, field, chosen[0])
            for exhibit in self.exhibits
            if len(chosen := self._chosen(exhibit, ())) == 1
            for field in _numeric(exhibit, chosen[0])
        ]

    def tables_of_rows(self) -> list[tuple[str, list[str], list[str]]]:
        """Return the tables with several own rows: name, columns of figures, columns to choose by.

        A table whose rows are of towns is among them.
        """
        found = []
        for exhibit in self.exhibits:
            rows = self._chosen(exhibit, ())
            if not rows:
                rows = _latest(self.rows.get(exhibit.table, ()), exhibit)
            if rows and (len(rows) > 1 or not self._chosen(exhibit, ())):
                figures = [field.column for field in _numeric(exhibit, rows[0])]
                found.append((exhibit.table, figures, list(_choices(rows, exhibit))))
        return found

    def known(self, subject: Subject) -> list[Figure]:
        """Return every number of the subject's table, of any area and period, where known."""
        exhibit = self._exhibit(subject.table)
        if exhibit is None:
            return []
        figures = [
            self._of_row(f"{exhibit.table}.{field.column}", exhibit, field, row)
            for row in self.rows.get(exhibit.table, ())
            for field in _numeric(exhibit, row)
        ]
        return [figure for figure in figures if figure.value is not None]

    def latest_periods(self, subject: Subject) -> frozenset[str]:
        """Return the periods of the subject's latest rows as text."""
        exhibit = self._exhibit(subject.table)
        if exhibit is None:
            return frozenset()
        own = self.place.own(self.rows.get(exhibit.table, ()))
        return frozenset(period_text(row) for row in _latest(own, exhibit))

    # --- short names -------------------------------------------------------------------------

    def _names(self, subject: Subject) -> Iterator[str]:
        for name, short in subject.figures.items():
            yield f"{subject.name}.{name}"
            if short.before:
                yield from (f"{subject.name}.{name}_before", f"{subject.name}.change_percent")
                yield f"{subject.name}.change"

    def _full_name(self, name: str) -> str:
        """Return the table and column of a short name; any other name as it is."""
        for subject in self.subjects:
            for own, short in subject.figures.items():
                if name == f"{subject.name}.{own}":
                    return f"{subject.table}.{short.column}"
        return name

    def _short(self, name: str) -> Figure | None:
        """Return the figure of a short name; none where it is not one, or the table is absent."""
        of_subject = next((one for one in self.subjects if name.startswith(f"{one.name}.")), None)
        exhibit = self._exhibit(of_subject.table) if of_subject else None
        if of_subject is None or exhibit is None:
            return None
        rest = name.removeprefix(f"{of_subject.name}.")
        for own, short in of_subject.figures.items():
            field = next((one for one in exhibit.columns if one.column == short.column), None)
            rows = self._latest_own(exhibit, short.column)
            if field is None or len(rows) != 1:
                continue
            if rest == own:
                return self._of_row(name, exhibit, field, rows[0])
            if short.before and rest == f"{own}_before":
                return self._before(name, exhibit, field, rows[0], short)
            if short.before and rest in ("change", "change_percent"):
                return self._change(name, exhibit, short, rows[0])
        return None

    def _latest_own(self, exhibit: Exhibit, column: str) -> list[Row]:
        """Return the area's own rows of the latest period that have a column."""
        own = self.place.own(self.rows.get(exhibit.table, ()))
        rows = _latest(own, exhibit)
        return [row for row in rows if column in row]

    def _before(
        self, name: str, exhibit: Exhibit, field: ReportColumn, row: Row, short: ShortName
    ) -> Figure:
        earlier = self._earlier(exhibit, row, short)
        if earlier is None:
            now = self._of_row(name, exhibit, field, row)
            return replace(now, value=None, exact="", marker="[b]", period="", rounded=False)
        return self._of_row(name, exhibit, field, earlier)

    def _change(self, name: str, exhibit: Exhibit, short: ShortName, row: Row) -> Figure:
        """Return a change in per cent, or as a phrase where the name ends with ``change``."""
        field = next(one for one in exhibit.columns if one.column == short.column)
        earlier = self._earlier(exhibit, row, short)
        label = f"{exhibit.label}: {field.heading}, change"
        period = period_text(row)
        if earlier is None:
            return Figure(name, label, period, None, "", True, "[b]", area=self.place.name)
        period = f"{period} against {period_text(earlier)}"
        now, before = _number(row, short.column), _number(earlier, short.column)
        if now is None or not before:
            hidden = row if now is None else earlier
            sign = marker(hidden, field) if hidden.get(short.column) is None else "[z]"
            return Figure(name, label, period, None, "", True, sign, area=self.place.name)
        change = 100 * (now - before) / before
        exact = _signed(change)
        if name.endswith(".change"):
            exact = _worded(change, _verdict(row, earlier, short))
        rounded = exhibit.table in self.rounded_to and not name.endswith(".change")
        return Figure(name, label, period, change, exact, True, "", rounded, self.place.name)

    def _earlier(self, exhibit: Exhibit, row: Row, short: ShortName) -> Row | None:
        """Return the row that a figure is compared with: like with like, or none."""
        rows = self.place.own(self.rows.get(exhibit.table, ()))
        comparable = comparable_before(row, rows, BASES[exhibit.table])
        known = [one for one in comparable if one.get(short.column) is not None]
        if short.before == "year":
            month = row["month"]
            if not isinstance(month, date):
                return None
            wanted = month.replace(year=month.year - 1)
            return next((one for one in known if one["month"] == wanted), None)
        return known[-1] if known else None

    # --- columns of tables -------------------------------------------------------------------

    def _exhibit(self, table: str) -> Exhibit | None:
        return next((one for one in self.exhibits if one.table == table and table), None)

    def _column(self, table: str, column: str) -> tuple[Exhibit | None, ReportColumn | None]:
        exhibit = self._exhibit(table)
        fields = exhibit.columns if exhibit and self.rows.get(table) else ()
        field = next((one for one in fields if one.column == column), None)
        return exhibit, field if field and field.form in _NUMERIC else None

    def _chosen(self, exhibit: Exhibit, where: Sequence[tuple[str, str]]) -> list[Row]:
        """Return the rows of the values given; else own rows, and those of the latest period."""
        rows = list(self.rows.get(exhibit.table, ()))
        named = {name for name, _ in where}
        if not named & {"area_name", "area_code"}:
            rows = self.place.own(rows)
        for name, value in where:
            rows = [row for row in rows if name in row and value in _texts(row[name])]
        dated = {*_PERIODS, "period_label", "month_label"} & named
        return rows if dated else _latest(rows, exhibit)

    def _of_row(self, name: str, exhibit: Exhibit, field: ReportColumn, row: Row) -> Figure:
        value = _number(row, field.column)
        is_percent = field.form in ("percent", "share")
        multiple = self.rounded_to.get(exhibit.table)
        rounded = value is not None and (
            is_about(value, multiple) if field.form == "count" else multiple is not None
        )
        exact = value_text(row[field.column], field.form) if value is not None else ""
        return Figure(
            name=name,
            label=f"{exhibit.label}: {field.heading}",
            period=period_text(row),
            value=100 * value if value is not None and field.form == "share" else value,
            exact=exact,
            is_percent=is_percent,
            marker="" if value is not None else marker(row, field),
            rounded=rounded,
            area=str(row.get("area_name") or self.place.name),
        )

    def _unknown(self, name: str) -> str:
        names = [one.name for one in (*self.short_figures(), *self.table_figures())]
        return (
            f'This release has no figure "{name}".{did_you_mean(name.replace(".", "_"), names)} '
            "`csp texts figures` lists the names."
        )


def period_text(row: Row) -> str:
    """Return the period of a row as people write it: April 2018, 2017/18, 2016."""
    if isinstance(month := row.get("month"), date):
        return month_name(month)
    found = row.get("period_label") or row.get("stock_year")
    return str(found) if found is not None else ""


def _latest(rows: Sequence[Row], exhibit: Exhibit) -> list[Row]:
    """Return the rows of the latest period; ``latest_with`` as in :class:`Exhibit`.

    A series that continues without figures ends with the last period that has one.
    """
    column = next((one for one in _PERIODS if rows and one in rows[0]), None)
    if column is None:
        return list(rows)
    needed = [exhibit.latest_with] if exhibit.latest_with else []
    if exhibit.last_rows:
        needed = figure_columns(exhibit)
    dated = [
        str(row[column])
        for row in rows
        if not needed or any(row.get(name) is not None for name in needed)
    ]
    last = max(dated or [str(row[column]) for row in rows])
    return [row for row in rows if str(row[column]) == last]


def _numeric(exhibit: Exhibit, row: Row) -> list[ReportColumn]:
    return [one for one in exhibit.columns if one.form in _NUMERIC and one.column in row]


def _texts(value: object) -> tuple[str, ...]:
    """Return how a text may write a value of a column: as stored, and a month by its name."""
    if isinstance(value, date):
        return str(value), month_name(value)
    return (str(value),)


def _several(reference: Reference, rows: Sequence[Row], exhibit: Exhibit) -> str:
    """Say by which columns one of several rows is chosen, with the first values of each."""
    choices = []
    for column, values in _choices(rows, exhibit).items():
        listed = ", ".join(f'"{one}"' for one in values[:_MOST_CHOICES])
        choices.append(f"{column} = {listed}{', …' if len(values) > _MOST_CHOICES else ''}")
    return (
        f'"{reference}" is one of {len(rows)} rows of {exhibit.label}. Add a value to choose one: '
        f"{'; '.join(choices)}."
    )


def _choices(rows: Sequence[Row], exhibit: Exhibit) -> dict[str, list[str]]:
    """Return the shown columns in which rows differ, each with its values."""
    words = {one.column for one in exhibit.columns if one.form not in _NUMERIC}
    found = {}
    for column in rows[0]:
        values = list(dict.fromkeys(str(row[column]) for row in rows if row[column] is not None))
        if column in words and len(values) > 1 and "status" not in column:
            found[column] = values
    return found


def _number(row: Row, column: str) -> float | None:
    value = row.get(column)
    return float(value) if isinstance(value, int | float) else None


def _verdict(row: Row, earlier: Row, short: ShortName) -> str:
    """Say whether a change is more than chance: higher, lower or unclear."""
    counts = [_number(one, short.counted) for one in (row, earlier)]
    exposures = [_number(one, short.per) if short.per else 1.0 for one in (row, earlier)]
    count, before = counts
    exposure, exposure_before = exposures
    if count is None or before is None or not exposure or not exposure_before:
        return "unclear"
    limits = ratio(count, before, exposure, exposure_before)
    return limits.verdict(1.0) if limits else "unclear"


def _worded(change: float, verdict: str) -> str:
    size = re.sub(r"^[+\N{MINUS SIGN}]", "", _signed(change))
    if verdict == "higher":
        return f"rose by {size}"
    if verdict == "lower":
        return f"fell by {size}"
    return f"did not clearly change ({_signed(change)})"


def _signed(percent: float) -> str:
    """Write a change in per cent: +5%, 0%, a minus sign for a fall."""
    text = f"{percent:+.0f}%"
    return "0%" if text in ("+0%", "-0%") else text.replace("-", "\N{MINUS SIGN}")

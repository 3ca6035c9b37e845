"""Which earlier figure a figure may be compared with: pure functions of a table's rows.

Like with like: the same series (area, kind of period, source, basis), periods that do not overlap,
and no break in series between them. Every comparison over time that a finding makes takes its
earlier row from here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType

from orchestration.exports.report_definition.row_selection import Row

BREAK = "[b]"


@dataclass(frozen=True)
class Basis:
    """How the rows of a table are compared over time.

    Rows are of one ``series`` where these columns agree and none is empty. A break in any row of
    the same ``kind`` (the columns in which a break is looked for) separates what lies before it
    from what lies after. The period of a row is from ``start`` to ``end``; where there is no
    ``end`` it is the calendar month of ``start``. ``months`` is how many months up to then the
    figure covers, where it covers more than its row's own period (a rolling sum).
    """

    series: tuple[str, ...]
    kind: tuple[str, ...]
    start: str = "period_start"
    end: str = "period_end"
    months: int = 0

    def period(self, row: Row) -> tuple[date, date]:
        """Return the first and the last day that the row's figure covers."""
        start = _day(row, self.start)
        end = _day(row, self.end) if self.end else _month_end(start)
        return (_months_back(start, self.months - 1) if self.months else start), end


_YEARS_OF_YOUTH = Basis(("area_code", "period_type"), ("area_code", "period_type"))
_TWELVE_MONTHS = Basis(("area_code",), ("area_code",), "month", "", 12)

BASES: Mapping[str, Basis] = MappingProxyType(
    {
        "table_1_offender_rates": Basis(
            ("area_code", "comparison_basis"), ("area_code", "period_type")
        ),
        "figure_3_juvenile_offenders": _YEARS_OF_YOUTH,
        "figure_4_first_time_entrants": _YEARS_OF_YOUTH,
        "figure_10_shoplifting": _TWELVE_MONTHS,
        "figure_11_burglary": _TWELVE_MONTHS,
    }
)
"""The tables of which a finding compares rows with earlier ones, and how."""


def comparable_before(row: Row, rows: Sequence[Row], basis: Basis) -> list[Row]:
    """Return the rows that ``row`` may be compared with, the earliest first."""
    series = _values(row, basis.series)
    if None in series:
        return []
    start, end = basis.period(row)
    found = [
        other
        for other in rows
        if _values(other, basis.series) == series
        and basis.period(other)[1] < start
        and not _breaks_between(basis.period(other)[0], end, row, rows, basis)
    ]
    return sorted(found, key=lambda other: basis.period(other)[1])


def latest(rows: Sequence[Row], basis: Basis) -> Row | None:
    """Return the row whose period ends last; none of no rows."""
    return max(rows, key=lambda row: basis.period(row)[1], default=None)


def is_break(row: Row) -> bool:
    """Say whether the series breaks at the row; a missing or hidden figure does not hide it."""
    return BREAK in str(row.get("status") or "") or bool(row.get("break_reason"))


def _breaks_between(first: date, last: date, row: Row, rows: Sequence[Row], basis: Basis) -> bool:
    """Say whether a series of the same kind breaks after ``first`` and up to ``last``."""
    kind = _values(row, basis.kind)
    return any(
        is_break(other)
        and _values(other, basis.kind) == kind
        and first < _day(other, basis.start) <= last
        for other in rows
    )


def _values(row: Row, columns: Sequence[str]) -> tuple[object, ...]:
    return tuple(row.get(column) for column in columns)


def _day(row: Row, column: str) -> date:
    value = row[column]
    if not isinstance(value, date):
        raise TypeError(f"{column} of a compared row is not a date: {value!r}")
    return value


def _months_back(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _month_end(day: date) -> date:
    return _months_back(day, -1) - timedelta(days=1)

"""A month series as it is drawn: every calendar month has a place, whether it has a value or not.

Pure functions on data; nothing here knows about a drawing library.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from orchestration.exports.report_definition.row_selection import Row

Value = float | None
"""A figure, or none where there is none. Never 0 for missing."""


@dataclass(frozen=True)
class MonthlySeries:
    """Offences a month in one area, with its control limits; all tuples have one length.

    ``months`` are consecutive first days of months. A month without a row, or without a file, has
    ``None``.
    """

    area_name: str
    months: tuple[date, ...]
    offences: tuple[Value, ...]
    adjusted: tuple[Value, ...]
    """Offences without their season, where the series is adjusted."""
    centre: tuple[Value, ...]
    lower: tuple[Value, ...]
    upper: tuple[Value, ...]
    signals: tuple[str | None, ...]
    statuses: tuple[str | None, ...]
    restarts: tuple[bool, ...]
    """Where limits are drawn anew after a sustained shift."""
    missing_because: tuple[str | None, ...]
    """Why a month has no offences, where the release says it."""


def monthly_series(rows: Iterable[Row]) -> MonthlySeries:
    """Return the series of one area from rows of a figure's report.

    Rows have ``area_name``, ``month`` (first day), ``offences``, ``seasonally_adjusted``,
    ``xmr_centre``, ``xmr_lower``, ``xmr_upper``, ``xmr_signal``, ``xmr_is_restart``,
    ``missing_because`` and ``status``. Months between the first and the last that have no row are
    put in without values. Raises ValueError where a month comes twice, or there is no row at all.
    """
    by_month: dict[date, Row] = {}
    for row in rows:
        month = row["month"]
        if not isinstance(month, date) or month in by_month:
            raise ValueError(f"A month series has no month, or one twice: {month}.")
        by_month[month] = row
    if not by_month:
        raise ValueError("A month series needs at least one month.")
    months = months_between(min(by_month), max(by_month))
    found = [by_month.get(month, {}) for month in months]
    return MonthlySeries(
        area_name=str(next(iter(by_month.values()))["area_name"]),
        months=tuple(months),
        offences=tuple(_number(row.get("offences")) for row in found),
        adjusted=tuple(_number(row.get("seasonally_adjusted")) for row in found),
        centre=tuple(_number(row.get("xmr_centre")) for row in found),
        lower=tuple(_number(row.get("xmr_lower")) for row in found),
        upper=tuple(_number(row.get("xmr_upper")) for row in found),
        signals=tuple(_text(row.get("xmr_signal")) for row in found),
        statuses=tuple(_text(row.get("status")) for row in found),
        restarts=tuple(bool(row.get("xmr_is_restart")) for row in found),
        missing_because=tuple(_text(row.get("missing_because")) for row in found),
    )


def months_between(first: date, last: date) -> list[date]:
    """Return the first day of every month from ``first`` to ``last``."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    start = first.year * 12 + first.month - 1
    return [date((start + step) // 12, (start + step) % 12 + 1, 1) for step in range(count)]


def stretches_by_reason(reasons: Mapping[date, str]) -> dict[str, list[tuple[date, date]]]:
    """Return the first and last month of each stretch of missing months, by their reason.

    ``reasons`` are those of the missing months. Stretches and reasons are in the order of time.
    """
    found: dict[str, list[tuple[date, date]]] = {}
    before: date | None = None
    for month in sorted(reasons):
        stretches = found.setdefault(reasons[month], [])
        follows = before and len(months_between(before, month)) == 2
        if stretches and follows and stretches[-1][1] == before:
            stretches[-1] = (stretches[-1][0], month)
        else:
            stretches.append((month, month))
        before = month
    return found


def runs(values: Sequence[Value]) -> list[range]:
    """Return the positions of each unbroken run of values; a gap ends a run."""
    return _stretches([value is not None for value in values])


def gaps(values: Sequence[Value]) -> list[range]:
    """Return the positions of each stretch without values."""
    return _stretches([value is None for value in values])


def steps(values: Sequence[Value]) -> list[range]:
    """Return the positions of each run of one and the same value, such as a segment's limit."""
    found = []
    for run in runs(values):
        start = run.start
        for place in run:
            if values[place] != values[start]:
                found.append(range(start, place))
                start = place
        found.append(range(start, run.stop))
    return found


def restarts(series: MonthlySeries) -> list[int]:
    """Return the positions at which limits are drawn anew after a sustained shift."""
    return [place for place, restart in enumerate(series.restarts) if restart]


def _stretches(wanted: Sequence[bool]) -> list[range]:
    found = []
    start = None
    for place, hit in enumerate([*wanted, False]):
        if hit and start is None:
            start = place
        elif not hit and start is not None:
            found.append(range(start, place))
            start = None
    return found


def _number(value: object) -> Value:
    return None if value is None else float(value)  # type: ignore[arg-type]


def _text(value: object) -> str | None:
    return None if value is None else str(value)

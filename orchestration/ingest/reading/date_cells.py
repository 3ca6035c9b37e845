"""Days and periods in a workbook, as date cells or as text.

The contract's rules read the values of a table's rows. This module reads the cells above a table,
which no column describes.
"""

import re
from collections.abc import Sequence
from datetime import date, datetime

from orchestration.config.quarters import parse_quarter, quarter_end
from orchestration.errors import QuarterError
from orchestration.ingest.reading.source_reading import Cell, text_of

_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %B %Y", "%d %b %Y", "%d-%b-%Y")
_MIDNIGHT = re.compile(r"(?:T| +)0?0:00(?::00(?:\.0+)?)?(?:Z|\+00:?00)?$")
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\b", re.IGNORECASE)
_BETWEEN = re.compile(r"\s+(?:to|until|and|-|\u2013|\u2014)\s+|\s*[\u2013\u2014]\s*", re.IGNORECASE)
_MONTH_FORMATS = ("%B %Y", "%b %Y")


def day_of(cell: Cell) -> date | None:
    """Return the day that a cell gives, or None. A time beside it must be midnight."""
    if isinstance(cell, datetime):
        return cell.date() if cell.time() == datetime.min.time() else None
    if isinstance(cell, date):
        return cell
    text = _ORDINAL.sub("", _MIDNIGHT.sub("", text_of(cell) or ""))
    for form in _FORMATS:
        try:
            day = datetime.strptime(text, form).date()
        except ValueError:
            continue
        return day if day.year >= 1900 else None
    return None


def period_of(cells: Sequence[Cell]) -> tuple[date, date] | None:
    """Return the first and last day that cells beside a label give, or None.

    They are two days, or one text: two days or two months with "to" between them, or a quarter.
    """
    held = [cell for cell in cells if text_of(cell)]
    if len(held) == 1 and isinstance(held[0], str):
        text = text_of(held[0]) or ""
        held = list(_BETWEEN.split(text))
        if len(held) == 1:
            return _quarter(text)
        if len(held) == 2 and (months := _months(*held)):
            return months
    days = [day_of(cell) for cell in held]
    if len(days) == 2 and days[0] and days[1]:
        return days[0], days[1]
    return None


def _quarter(text: str) -> tuple[date, date] | None:
    if not text.upper().startswith("Q"):
        return None
    try:
        first = parse_quarter(text.replace("-", "/"))
    except QuarterError:
        return None
    return first, quarter_end(first)


def _months(first: str, last: str) -> tuple[date, date] | None:
    """Return the period from one month to another; the first is of the last one's year."""
    ends = _month(last)
    starts = (_month(first) or _month(f"{first} {ends.year}")) if ends else None
    if not (starts and ends and starts <= ends):
        return None
    after = date(ends.year + ends.month // 12, ends.month % 12 + 1, 1)
    return starts, date.fromordinal(after.toordinal() - 1)


def _month(text: str) -> date | None:
    for form in _MONTH_FORMATS:
        try:
            return datetime.strptime(text.strip(), form).date()
        except ValueError:
            continue
    return None

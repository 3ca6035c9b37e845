"""The periods in a file's name: ``charges-2018-04-to-2018-06.csv``, ``survey_2018-Q3.xlsx``.

A name may hold several periods, one of which is the day of the extract, and ``2011-12`` is a month
as well as a financial year. So all readings are returned, and the rows decide among them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePath

_YEAR = r"(?:19|20)[0-9]{2}"
_MONTH = r"(?:0[1-9]|1[0-2])"
_POINT = rf"({_YEAR})(?:-({_MONTH})(?:-([0-3][0-9]))?)?"
_RANGE = re.compile(rf"(?<![0-9]){_POINT}-to-{_POINT}(?![0-9])")
_QUARTER = re.compile(rf"(?<![0-9])({_YEAR})-?q([1-4])(?![0-9])")
_YEARS = re.compile(rf"(?<![0-9])({_YEAR})-({_YEAR})(?![0-9])")
_FINANCIAL = re.compile(rf"(?<![0-9])({_YEAR})-([0-9]{{2}})(?![0-9]|-[0-9])")
_ONE = re.compile(rf"(?<![0-9]){_POINT}(?![0-9]|-[0-9]{{1,2}}(?![0-9]))")


@dataclass(frozen=True)
class Span:
    """Days from ``first`` to ``last``, both included."""

    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Say whether a day is one of them."""
        return self.first <= day <= self.last

    def __str__(self) -> str:
        return f"{self.first} to {self.last}" if self.first != self.last else str(self.first)


def named_spans(name: str) -> list[Span]:
    """Return what a file's name may say that it is of, without repeats; none where nothing."""
    text = re.sub(r"[^0-9a-z]+", "-", PurePath(name).stem.lower())
    return list(dict.fromkeys(_spans(text)))


def _spans(text: str) -> Iterator[Span]:
    for found in _RANGE.finditer(text):
        first, last = _point(*found.groups()[:3]), _point(*found.groups()[3:])
        if first and last and first.first <= last.last:
            yield Span(first.first, last.last)
    rest = _RANGE.sub(" ", text)
    for found in _QUARTER.finditer(rest):
        month = 3 * int(found[2]) - 2
        yield Span(date(int(found[1]), month, 1), _month_end(int(found[1]), month + 2))
    for found in _YEARS.finditer(rest):
        if found[1] <= found[2]:
            yield Span(date(int(found[1]), 1, 1), date(int(found[2]), 12, 31))
    for found in _FINANCIAL.finditer(rest):
        if int(found[2]) == (int(found[1]) + 1) % 100:
            yield Span(date(int(found[1]), 4, 1), date(int(found[1]) + 1, 3, 31))
    for found in _ONE.finditer(_QUARTER.sub(" ", _YEARS.sub(" ", rest))):
        one = _point(*found.groups())
        if one:
            yield one


def _point(year: str, month: str | None, day: str | None) -> Span | None:
    """Return the days of a year, a month or a day; none where there is no such day."""
    if month is None:
        return Span(date(int(year), 1, 1), date(int(year), 12, 31))
    if day is None:
        return Span(date(int(year), int(month), 1), _month_end(int(year), int(month)))
    try:
        one = date(int(year), int(month), int(day))
    except ValueError:
        return None
    return Span(one, one)


def _month_end(year: int, month: int) -> date:
    following = date(year + month // 12, month % 12 + 1, 1)
    return following - timedelta(days=1)

"""Quarters, months and days as people write them.

``parse_quarter`` of :mod:`quarters` reads what files and folders must say. Here belongs what a
person may type: any day or month of the quarter, and its name in every usual spelling. A text with
two meanings, such as 2018Q4, is refused with both of them, so that no wrong quarter is refreshed.
"""

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import date

from orchestration.config.quarters import financial_year, quarter_end, quarter_label, quarter_of
from orchestration.errors import QuarterError

Days = tuple[date, date]
"""First and last day of a period."""

_DASHES = re.compile(r"\s*[\u2010-\u2015\u2212]\s*")
_MONTHS = {
    name.lower()[:letters]: number
    for number, name in enumerate(calendar.month_name)
    if number
    for letters in (3, 4, len(name))
}
_YEARS = r"(?:fy\s*)?(?P<year>(?:\d\d)?\d\d)\s*[/-]\s*(?P<next>(?:\d\d)?\d\d)"
_NUMBER = r"q(?:uarter)?\s*(?P<number>\d)"
_YEAR = r"(?:fy\s*)?(?P<year>(?:\d\d)?\d\d)"
_MONTH = r"(?P<month>[a-z]{3,9})\.?"
_CENTURY = 2000
"""Of a year of two digits."""

_EARLIEST, _LATEST = 1900, 2100
"""Years that a quarter can be of."""


def quarter_of_text(text: str) -> date:
    """Return the first day of the quarter that a person names, by any day or month of it as well.

    Takes 2018-04-01, 2018/04/01, 01/04/2018 (day first), 1 April 2018, 2018-04, Apr 2018, April to
    June 2018, Q1 2018/19, Q1 18-19 and 2018-19 Q1. Raises :class:`QuarterError` for anything else,
    which names the nearest quarters, and for 2018Q1, which could be of the calendar year.
    """
    first, last = period_of_text(text)
    if quarter_of(first) != quarter_of(last):
        quarters = (quarter_of(first), quarter_of(last))
        raise QuarterError(f"'{text}' is of more than one quarter. {_choices(quarters)}")
    return quarter_of(first)


def period_of_text(text: str) -> Days:
    """Return the first and last day of a day, month or quarter that a person names.

    Raises :class:`QuarterError` as :func:`quarter_of_text` does.
    """
    plain = _DASHES.sub("-", " ".join(text.split())).lower().strip(" '\"")
    for pattern, read in _FORMS:
        if found := re.fullmatch(pattern, plain, re.ASCII):
            return read(text.strip(), found)
    raise _unknown(text.strip(), plain)


# --- forms -----------------------------------------------------------------------------------


def _day(text: str, found: re.Match[str]) -> Days:
    year, month = _full_year(found["year"]), _month_number(text, found["month"])
    try:
        day = date(year, month, int(found["day"]))
    except ValueError as error:
        raise _no_such(text, year, month) from error
    _refuse_far(text, year)
    return day, day


def _month_of_year(text: str, found: re.Match[str]) -> Days:
    year, month = _full_year(found["year"]), _month_number(text, found["month"])
    if not 1 <= month <= 12:
        raise _no_such(text, year, month)
    _refuse_far(text, year)
    return date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])


def _months_of_year(text: str, found: re.Match[str]) -> Days:
    year = _full_year(found["year"])
    first, last = _month_number(text, found["from"]), _month_number(text, found["month"])
    if last < first:
        raise _unknown(text, found["year"])
    return date(year, first, 1), date(year, last, calendar.monthrange(year, last)[1])


def _quarter_of_financial_year(text: str, found: re.Match[str]) -> Days:
    year, following, number = (
        _full_year(found["year"]), _full_year(found["next"]), int(found["number"])
    )  # fmt: skip
    _refuse_far(text, year)
    if following % 100 != (year + 1) % 100 or (len(found["next"]) == 4 and following != year + 1):
        raise QuarterError(
            f"'{text}' is not a financial year: {year} is followed by {year + 1}. "
            f"{_choices(_of_financial_year(year))}"
        )
    if not 1 <= number <= 4:
        raise QuarterError(
            f"'{text}' is not a quarter: a year has four. {_choices(_of_financial_year(year))}"
        )
    first = _of_financial_year(year)[number - 1]
    return first, quarter_end(first)


def _quarter_of_either_year(text: str, found: re.Match[str]) -> Days:
    """Refuse a quarter of one year: the calendar's, the financial one's, or by its last year."""
    year, number = _full_year(found["year"]), int(found["number"])
    _refuse_far(text, year)
    if not 1 <= number <= 4:
        raise QuarterError(f"'{text}' is not a quarter: a year has four. {_choices(_near(year))}")
    calendar_one = date(year, 3 * number - 2, 1)
    financial_one = _of_financial_year(year)[number - 1]
    raise QuarterError(
        f"'{text}' has two meanings: quarter {number} of the calendar year {year} is "
        f"{_named(calendar_one)}, and of the financial year {financial_year(financial_one)} it is "
        f"{_named(financial_one)}. Give one of them by its date or its name."
    )


def _month_or_financial_year(text: str, found: re.Match[str]) -> Days:
    """Read 2018/04 as a month; refuse 2018/19, a whole year, and 2011/12, which could be either."""
    year, second = int(found["year"]), int(found["month"])
    if second != (year + 1) % 100:
        return _month_of_year(text, found)
    quarters = _of_financial_year(year)
    if 1 <= second <= 12:
        raise QuarterError(
            f"'{text}' has two meanings: a month, of {_named(quarter_of(date(year, second, 1)))}, "
            f"and a financial year. {_choices(quarters)}"
        )
    raise QuarterError(f"'{text}' is a financial year, not a quarter. {_choices(quarters)}")


_FORMS: tuple[tuple[str, Callable[[str, re.Match[str]], Days]], ...] = (
    # Days, the year first or the day first, as in the UK.
    (r"(?P<year>\d{4})([-/.])(?P<month>\d\d?)\2(?P<day>\d\d?)", _day),
    (r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)", _day),
    (r"(?P<day>\d\d?)([-/.])(?P<month>\d\d?)\2(?P<year>\d{4})", _day),
    (rf"(?P<day>\d\d?)(?:st|nd|rd|th)?[\s-]{_MONTH},?[\s-](?P<year>\d{{4}})", _day),
    (rf"{_MONTH}\s(?P<day>\d\d?)(?:st|nd|rd|th)?,?\s(?P<year>\d{{4}})", _day),
    # Months.
    (r"(?P<year>\d{4})-(?P<month>0[1-9]|1[0-2])", _month_of_year),
    (r"(?P<year>\d{4})[-/](?P<month>\d\d)", _month_or_financial_year),
    (r"(?P<month>\d\d?)[-/](?P<year>\d{4})", _month_of_year),
    (rf"{_MONTH}[\s-](?P<year>\d{{4}})", _month_of_year),
    (rf"(?P<year>\d{{4}})[\s-]{_MONTH}", _month_of_year),
    (rf"(?P<from>[a-z]{{3,9}})\.?\s?(?:-|to)\s?{_MONTH}\s(?P<year>\d{{4}})", _months_of_year),
    # Quarters of a financial year, and of a year that may be either.
    (rf"{_NUMBER}[\s,of-]*{_YEARS}", _quarter_of_financial_year),
    (rf"{_YEARS}[\s,-]*{_NUMBER}", _quarter_of_financial_year),
    (rf"{_NUMBER}[\s,/of-]*{_YEAR}", _quarter_of_either_year),
    (rf"{_YEAR}[\s,/-]*{_NUMBER}", _quarter_of_either_year),
)


def _full_year(digits: str) -> int:
    return int(digits) if len(digits) == 4 else _CENTURY + int(digits)


def _month_number(text: str, month: str) -> int:
    if month.isdigit():
        return int(month)
    if month not in _MONTHS:
        raise QuarterError(
            f"'{text}' names no month. Write it as in 'Apr 2018' or '2018-04', or give a quarter's "
            "first day, such as 2018-04-01."
        )
    return _MONTHS[month]


# --- answers ---------------------------------------------------------------------------------


def _of_financial_year(year: int) -> list[date]:
    return [date(year, 4, 1), date(year, 7, 1), date(year, 10, 1), date(year + 1, 1, 1)]


def _near(year: int) -> list[date]:
    return [date(year, month, 1) for month in (1, 4, 7, 10)]


def _named(quarter: date) -> str:
    first, last = f"{quarter:%B}", f"{quarter_end(quarter):%B %Y}"
    return f"{first} to {last} ({quarter}, {quarter_label(quarter)})"


def _choices(quarters: Iterable[date]) -> str:
    known = sorted(set(quarters))
    return f"The nearest: {', '.join(f'{one} ({quarter_label(one)})' for one in known)}."


def _no_such(text: str, year: int, month: int) -> QuarterError:
    _refuse_far(text, year)
    near = [quarter_of(date(year, month, 1))] if 1 <= month <= 12 else _near(year)
    first = " Numbers are read day first." if re.match(r"\d\d?\D", text) else ""
    return QuarterError(f"There is no such day as '{text}'.{first} {_choices(near)}")


def _refuse_far(text: str, year: int) -> None:
    if not _EARLIEST <= year <= _LATEST:
        raise QuarterError(f"'{text}' is of the year {year}. Give a year with four digits.")


def _unknown(text: str, plain: str) -> QuarterError:
    """Return what to say of a text that names no quarter: the quarters of its year, where any."""
    said = f"'{text}' is not a quarter."
    years = re.fullmatch(_YEARS, plain, re.ASCII)
    if years and int(years["next"]) % 100 == (int(years["year"]) + 1) % 100:
        near = _of_financial_year(_full_year(years["year"]))
        return QuarterError(f"{said} {_choices(near)}")
    if year := re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", plain, re.ASCII):
        return QuarterError(f"{said} {_choices(_near(int(year[0])))}")
    return QuarterError(
        f"{said} Give its first day, such as 2018-04-01, or its name, such as 'Q1 2018/19'."
    )

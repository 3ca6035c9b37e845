"""Quarters of the UK financial year, each named by its first day.

``2018-04-01`` is Q1 2018/19: it runs to 30 June 2018. The key is the Dagster partition, the
landing folder and the release.
"""

import re
from datetime import date, timedelta

from orchestration.errors import QuarterError

_LABEL = re.compile(r"^Q([1-4])\s+(\d{4})/(\d{2})$", re.IGNORECASE)
_FIRST_MONTHS = (1, 4, 7, 10)


def parse_quarter(text: str) -> date:
    """Return the first day of the quarter that ``text`` names.

    Takes ``2018-04-01`` or ``Q1 2018/19``. Raises :class:`QuarterError` for anything else.
    """
    text = text.strip()
    if label := _LABEL.match(text):
        number, year, following = (int(part) for part in label.groups())
        if following != (year + 1) % 100:
            raise QuarterError(f"'{text}' is not a financial year: {year} is followed by another.")
        return date(year + 1, 1, 1) if number == 4 else date(year, 1 + 3 * number, 1)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.day != 1 or day.month not in _FIRST_MONTHS:
        raise QuarterError(
            f"'{text}' is not a quarter. Give its first day, such as 2018-04-01, "
            "or its name, such as 'Q1 2018/19'."
        )
    return day


def quarter_of(day: date) -> date:
    """Return the first day of the quarter that holds ``day``."""
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


def next_quarter(quarter: date) -> date:
    """Return the first day of the quarter after ``quarter``."""
    return quarter_of(quarter + timedelta(days=100))


def quarters_before(quarter: date, count: int) -> date:
    """Return the first day of the quarter ``count`` quarters before ``quarter``."""
    months = quarter.year * 12 + quarter.month - 1 - 3 * count
    return date(months // 12, months % 12 + 1, 1)


def quarter_end(quarter: date) -> date:
    """Return the last day of ``quarter``."""
    return next_quarter(quarter) - timedelta(days=1)


def last_closed_quarter(today: date) -> date:
    """Return the latest quarter that had ended before ``today``."""
    return quarter_of(quarter_of(today) - timedelta(days=1))


def financial_year(quarter: date) -> str:
    """Return the UK financial year of ``quarter``, such as ``2018/19``."""
    start = quarter.year if quarter.month >= 4 else quarter.year - 1
    return f"{start}/{(start + 1) % 100:02d}"


def quarter_label(quarter: date) -> str:
    """Return the name of ``quarter``, such as ``Q1 2018/19``."""
    number = (quarter.month - 4) // 3 % 4 + 1
    return f"Q{number} {financial_year(quarter)}"

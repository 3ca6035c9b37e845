"""A range of quarters is refreshed oldest first, and stops where a quarter stops."""

from datetime import date
from io import StringIO

import pytest
from rich.console import Console

from orchestration.cli.ranges import quarters_between, run_range
from orchestration.errors import QuarterError

FIRST, LAST = date(2017, 10, 1), date(2018, 7, 1)
ALL = [date(2017, 10, 1), date(2018, 1, 1), date(2018, 4, 1), date(2018, 7, 1)]


def test_range_holds_both_ends() -> None:
    assert list(quarters_between(FIRST, LAST)) == ALL
    assert list(quarters_between(FIRST, FIRST)) == [FIRST]
    with pytest.raises(QuarterError, match="Name the older one first"):
        list(quarters_between(LAST, FIRST))


def test_range_runs_in_order_and_stops_where_one_stops() -> None:
    said = StringIO()
    console = Console(file=said, width=200)
    ran: list[date] = []

    def refresh(quarter: date) -> int:
        ran.append(quarter)
        return int(quarter == date(2018, 4, 1))

    assert run_range(FIRST, date(2018, 1, 1), refresh, console) == 0
    assert ran == ALL[:2]
    ran.clear()
    assert run_range(FIRST, LAST, refresh, console) == 1
    assert ran == ALL[:3]
    assert "2 of 4 quarters are done. Left: 2018-04-01, 2018-07-01." in said.getvalue()

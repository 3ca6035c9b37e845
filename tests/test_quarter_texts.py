"""Quarters as people write them: accepted, or answered with the nearest; never a wrong one."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.land import parse_covers
from orchestration.config.quarter_texts import period_of_text, quarter_of_text
from orchestration.config.quarters import (
    financial_year,
    quarter_end,
    quarter_label,
    quarter_of,
)
from orchestration.errors import LandingError, QuarterError

DAYS = st.dates(date(1990, 1, 1), date(2098, 12, 31))


@given(DAYS)
def test_any_day_or_month_of_a_quarter_names_it(day: date) -> None:
    quarter = quarter_of(day)
    for form in (
        "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y",
        "%d %b %Y", "%d %B %Y", "%d-%b-%Y", "%B %d, %Y", "%Y-%m", "%m/%Y", "%b %Y", "%B %Y",
        "%Y %b",
    ):  # fmt: skip
        assert quarter_of_text(day.strftime(form)) == quarter, form
    short = f"{day.day}/{day.month}/{day.year}"
    assert quarter_of_text(short) == quarter


@given(DAYS)
def test_a_financial_quarter_has_every_usual_spelling(day: date) -> None:
    quarter = quarter_of(day)
    year, number = financial_year(quarter), quarter_label(quarter)[1]
    start, end = year.split("/")
    texts = [f"Q{number} {start}{sign}{end}" for sign in ("/", "-", "\u2013", " / ")]
    texts += [
        f"q{number} {start}/{end}",
        f"Q{number} FY{start}/{end}",
        f"Quarter {number}, {start}-{end}",
        f"{start}/{end} Q{number}",
        f"{start}-{end}Q{number}",
        f"Q{number} {start}/{int(start) + 1}",
    ]
    if int(start) >= 2000 and int(start) < 2099:
        texts.append(f"Q{number} {start[2:]}/{end}")
    for text in texts:
        assert quarter_of_text(text) == quarter, text


@given(DAYS)
def test_a_quarter_of_one_year_is_refused_with_both_meanings(day: date) -> None:
    number = (day.month - 1) // 3 + 1
    calendar_one = quarter_of(day)
    financial_one = quarter_of(calendar_one + timedelta(days=100))
    for text in (f"{day.year}Q{number}", f"{day.year}-Q{number}", f"Q{number} {day.year}"):
        with pytest.raises(QuarterError) as refused:
            quarter_of_text(text)
        for one in (calendar_one, financial_one):
            assert f"({one}, {quarter_label(one)})" in str(refused.value), text


@pytest.mark.parametrize(
    ("text", "quarter"),
    [
        ("Sept 2018", "2018-07-01"),
        ("1st April 2018", "2018-04-01"),
        ("Oct-Dec 2018", "2018-10-01"),
        ("October to December 2018", "2018-10-01"),
        ("2018/04", "2018-04-01"),
        ("2011-12", "2011-10-01"),
        (" Q1  2018/19 ", "2018-04-01"),
    ],
)
def test_other_spellings(text: str, quarter: str) -> None:
    assert quarter_of_text(text).isoformat() == quarter


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("2018", ["2018-01-01 (Q4 2017/18)", "2018-10-01 (Q3 2018/19)"]),
        ("2018/19", ["2018-04-01 (Q1 2018/19)", "2019-01-01 (Q4 2018/19)"]),
        ("2018-19", ["2018-04-01 (Q1 2018/19)"]),
        ("18/19", ["2018-04-01 (Q1 2018/19)"]),
        ("2011/12", ["two meanings", "2011-10-01", "2012-01-01"]),
        ("Q5 2018/19", ["a year has four", "2018-04-01 (Q1 2018/19)"]),
        ("Q1 2018/20", ["2018 is followed by 2019", "2018-04-01 (Q1 2018/19)"]),
        ("2018-02-30", ["2018-01-01 (Q4 2017/18)"]),
        ("04/13/2018", ["day first", "2018-04-01"]),
        ("Aug-Nov 2018", ["more than one quarter", "2018-07-01", "2018-10-01"]),
        ("Septembre 2018", ["no month"]),
        ("2018-1", ["2018-01-01"]),
        ("1/4/18", ["such as 2018-04-01"]),
        ("last", ["such as 2018-04-01"]),
        ("", ["such as 2018-04-01"]),
        ("0018-04-01", ["four digits"]),
        ("9999-12-31", ["four digits"]),
    ],
)
def test_what_names_no_quarter_is_answered_with_the_nearest(text: str, named: list[str]) -> None:
    with pytest.raises(QuarterError) as refused:
        quarter_of_text(text)
    for one in named:
        assert one in str(refused.value)


@given(st.text(st.sampled_from("0123456789/-. qQfyapr"), max_size=14))
def test_any_text_is_a_quarter_or_an_answer(text: str) -> None:
    try:
        quarter = quarter_of_text(text)
    except QuarterError as refused:
        assert "'" in str(refused)
    else:
        assert quarter == quarter_of(quarter)


def test_what_a_delivery_covers_is_read_alike() -> None:
    assert str(parse_covers("Apr 2018", "30/06/2018")) == "2018-04-01 to 2018-06-30"
    assert str(parse_covers("Q3 18/19", "Q3 18/19")) == "2018-10-01 to 2018-12-31"
    assert str(parse_covers("2018-10-15", "2018-11")) == "2018-10-15 to 2018-11-30"
    with pytest.raises(LandingError, match="two meanings"):
        parse_covers("2018Q4", "2018Q4")
    assert period_of_text("Q1 2018/19") == (date(2018, 4, 1), quarter_end(date(2018, 4, 1)))


COMMANDS = (
    ("refresh", "{}"),
    ("refresh", "2018-01-01", "--to", "{}"),
    ("land", "police_uk_street", "{}", "a.csv"),
    ("land", "police_uk_street", "2018-04-01", "a.csv", "--covers", "{}", "{}"),
    ("history", "police_uk_street", "--quarter", "{}"),
    ("export", "{}", "--to", "out"),
    ("accept", "police_uk_street", "{}", "volume", "--reason", "x"),
    ("purge", "--before", "{}"),
    ("rollback", "{}", "--reason", "x"),
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Run a command in this process, on an empty landing zone."""
    monkeypatch.setenv("CSP_HOME", str(tmp_path / "var"))
    monkeypatch.setenv("CSP_RAW", str(tmp_path / "raw"))
    return lambda *arguments: CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda one: " ".join(one))
def test_every_command_refuses_a_quarter_of_two_meanings(
    run: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    done = run(*(one.format("2018Q4") for one in arguments))
    assert isinstance(done.exception, QuarterError | LandingError), done.output
    for one in ("two meanings", "2018-10-01, Q3 2018/19", "2019-01-01, Q4 2018/19"):
        assert one in str(done.exception)


@pytest.mark.parametrize(
    ("text", "said"), [("May 2018", True), ("Q1 2018/19", False), ("2018-04-01", False)]
)
def test_how_a_text_was_read_is_said_apart_from_the_answer(
    run: Callable[..., Any], text: str, said: bool
) -> None:
    done = run("history", "police_uk_street", "--quarter", text)
    assert ("Quarter 'May 2018': Q1 2018/19 (2018-04-01)." in done.stderr) == said
    assert "Quarter" not in done.stdout

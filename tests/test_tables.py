"""Tables of the command line: drawn, as records where they do not fit, and whole in a pipe."""

import ast
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.cli.console import new_console
from orchestration.cli.tables import ShownTable, print_facts, print_table, shown_cell
from orchestration.config.settings import PROJECT

HASH = "5a8024db1602" * 5
WIDE = [("File", "a file with spaces.csv"), ("Rows loaded", 1234567), ("SHA-256", HASH),
        ("Note", "A sentence that has more words than a narrow column holds. " * 2)]  # fmt: skip


def printed(table: ShownTable, width: int | None) -> str:
    said = StringIO()
    print_table(table, new_console(file=said, width=width))
    return said.getvalue()


def wide() -> ShownTable:
    table = ShownTable([heading for heading, _ in WIDE], "Files")
    table.add(*(value for _, value in WIDE))
    table.add("b.csv", 7, HASH[::-1], None)
    return table


def test_a_table_that_does_not_fit_becomes_records() -> None:
    said = printed(wide(), 80)
    assert "Files" in said and "1 of 2" in said and "2 of 2" in said
    assert f"SHA-256:     {HASH}" in said
    assert "Rows loaded: 1,234,567" in said
    assert max(len(line) for line in said.splitlines()) <= 80


@pytest.mark.parametrize("width", [40, 60, 80, 100, 120, 160])
def test_no_word_is_cut_and_no_line_is_too_long(width: int) -> None:
    table = ShownTable(("Source", "State", "Note"))
    table.add("supported_accommodation", "loaded, synthetic", "some words of a note " * 3)
    said = printed(table, width)
    assert max(len(line) for line in said.splitlines()) <= width
    for word in ("supported_accommodation", "loaded,", "synthetic", "note"):
        assert word in said.split(), said


def test_columns_of_long_words_are_never_drawn_narrower_than_a_word() -> None:
    words = [letter * 20 for letter in "abcdef"]
    table = ShownTable(words)
    table.add(*words)
    said = printed(table, 80)
    assert "1 of 1" in said
    assert all(f"{word}: {word}" in said for word in words)


@given(
    st.lists(
        st.tuples(
            st.text(st.sampled_from("ab -é"), max_size=70),
            st.integers(-(10**9), 10**9),
            st.text(st.sampled_from("ab -"), max_size=20),
        ),
        max_size=4,
    ),
    st.sampled_from([40, 80, 120]),
)
def test_any_value_is_whole_within_the_width(
    rows: Sequence[tuple[str, int, str]], width: int
) -> None:
    table = ShownTable(("one", "two", "three"))
    for row in rows:
        table.add(*row)
    said = printed(table, width)
    assert all(len(line) <= width for line in said.splitlines())
    assert "…" not in said
    kept = re.sub(r"[\s─]|--- \d of \d|one:?|two:?|three:?", "", said)
    for text, number, other in rows:
        assert f"{number:,}" in said
        for value in (text, other):
            for word in value.split():
                assert word.replace("-", "") in kept.replace("-", "")


def test_a_pipe_has_a_line_a_row_with_whole_values() -> None:
    said = printed(wide(), None)
    lines = said.splitlines()
    assert len(lines) == 4 and lines[0] == "Files"
    assert re.split(r" {2,}", lines[2]) == [
        "a file with spaces.csv", "1,234,567", HASH, str(WIDE[-1][1]).strip()
    ]  # fmt: skip
    assert lines[2].index(HASH) == lines[3].index(HASH[::-1]) == lines[1].index("SHA-256")


def test_a_line_break_in_a_value_does_not_break_the_line_of_a_pipe() -> None:
    table = ShownTable(("a", "b"))
    table.add("one\ntwo\r\nthree", 1)
    assert printed(table, None).splitlines()[1] == "one two three  1"


@pytest.mark.parametrize(
    ("value", "heading", "said"),
    [
        (1234567, "rows", "1,234,567"),
        (2018, "year", "2018"),
        (20181, "delivery_id", "20181"),
        (2018, "rows", "2,018"),
        (1234.5678, "rate", "1,234.57"),
        (12.5, "rate", "12.5"),
        (3.0, "rate", "3"),
        (0.0058123, "rate", "0.00581"),
        (-0.5, "rate", "-0.5"),
        (0.0, "rate", "0"),
        (1.5e-12, "rate", "1.5e-12"),
        (float("nan"), "rate", "nan"),
        (Decimal("1.004"), "rate", "1"),
        (True, "synthetic", "yes"),
        (None, "x", ""),
        (date(2018, 4, 1), "month", "2018-04-01"),
        (datetime(2018, 4, 1, 9, 5, 1, 99), "at", "2018-04-01 09:05:01"),
    ],
)
def test_numbers_and_days_are_formatted_for_reading(value: object, heading: str, said: str) -> None:
    assert shown_cell(value, heading).plain == said


def test_numbers_are_aligned_to_the_right_and_texts_to_the_left() -> None:
    table = ShownTable(("name", "rows", "mixed"))
    table.add("a", 1, 1)
    table.add("bcd", 1000, "x")
    for width in (80, None):
        lines = printed(table, width).splitlines()
        first = next(line for line in lines if line.startswith("a"))
        assert first.rstrip() == "a         1  1"


def test_facts_are_below_each_other_and_whole_in_a_pipe() -> None:
    facts = [("One", "word " * 30), ("Longer", 1000)]
    for width, lines in ((80, 4), (None, 2)):
        said = StringIO()
        print_facts(facts, new_console(file=said, width=width), indent=2)
        assert len(said.getvalue().splitlines()) == lines
        assert all(line.startswith("  ") for line in said.getvalue().splitlines())


def test_every_table_of_the_command_line_is_made_here() -> None:
    for path in sorted((PROJECT / "orchestration").rglob("*.py")):
        imported = {
            name.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.ImportFrom) and node.module == "rich.table"
            for name in node.names
            if name.name != "Column"  # lays out a progress bar
        }
        assert not imported or path.name == "tables.py", f"{path}: use ShownTable"

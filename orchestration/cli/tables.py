"""Tables of ``csp``, the one form in which every command prints rows.

At a terminal a table is drawn within its width. Where its words do not fit, each row becomes a
record: a block with a line "Heading: value" for each column. In a pipe or a file each row is one
line with whole values, its columns aligned by spaces, so that ``grep`` and ``less -S`` find it.

Numbers are formatted for reading: thousands separators, and decimals rounded.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from math import floor, isfinite, log10
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestration.cli.console import is_piped

Cell = object
"""What a table may hold: texts, styled texts, numbers, days, times, yes or no, None."""

_SPACE_BETWEEN = "  "

_NARROWEST = 12
"""Width that a column has at least, where it has so many characters."""

_CROWDED = 2
"""Times the width that the rows may need on one line each; beyond it they are hard to read."""

_FIGURES = 3
"""Significant figures of a number below 1, and the decimals of a larger one less one."""

_NAMES_SOMETHING = re.compile(r"(?:^|[_ ])(?:id|ids|no\.|number|code|year|line|row|version)$", re.I)
"""Headings of whole numbers that name something: a year is 2018, and not 2,018."""


@dataclass
class ShownTable:
    """Rows under headings, as a command shows them; ``title`` is printed above."""

    headings: Sequence[str]
    title: str = ""
    rows: list[list[Text]] = field(default_factory=list)
    _numbers: dict[int, bool] = field(default_factory=dict)

    def add(self, *cells: Cell) -> None:
        """Add a row. Raises ValueError where there are more or fewer cells than headings."""
        pairs = list(zip(self.headings, cells, strict=True))
        for place, (_, cell) in enumerate(pairs):
            if cell not in (None, ""):
                is_number = self._numbers.get(place, True) and _is_number(cell)
                self._numbers[place] = is_number
        self.rows.append([shown_cell(cell, heading) for heading, cell in pairs])

    def side(self, place: int) -> Literal["left", "right"]:
        """Return where a column's values are aligned: numbers to the right."""
        return "right" if self._numbers.get(place) else "left"


def print_table(table: ShownTable, console: Console) -> None:
    """Print a table as fits the console: drawn, as records, or in a pipe a line for each row."""
    if is_piped(console):
        _print_lines(table, console)
        return
    widths = _widths(table, console.width)
    if widths is None:
        _print_records(table, console)
    else:
        console.print(_drawn(table, widths))


def print_facts(facts: Iterable[tuple[str, Cell]], console: Console, *, indent: int = 0) -> None:
    """Print a line "Heading: value" for each pair, with the values below each other."""
    _print_block(
        [(heading, shown_cell(value, heading)) for heading, value in facts], console, indent
    )


# --- cells -----------------------------------------------------------------------------------


def shown_cell(cell: Cell, heading: str = "") -> Text:
    """Return a cell formatted for reading; ``heading`` says whether a whole number is a name."""
    if isinstance(cell, Text):
        return cell
    return Text(_said(cell, heading))


def _said(cell: Cell, heading: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, int):
        return str(cell) if _NAMES_SOMETHING.search(heading) else f"{cell:,}"
    if isinstance(cell, float | Decimal):
        return _rounded(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="seconds")
    return cell.isoformat() if isinstance(cell, date) else str(cell)


def _rounded(number: float | Decimal) -> str:
    """Return a number with two decimals, or three significant figures where it is below 1."""
    size = abs(float(number))
    if not isfinite(size):
        return str(number)
    if number == int(number):
        return f"{int(number):,}"
    decimals = _FIGURES - 1
    if size < 1:
        decimals = _FIGURES - 1 - floor(log10(size))
    said = f"{number:,.{decimals}f}".rstrip("0").rstrip(".")
    return f"{number:.{_FIGURES}g}" if decimals > 2 * _FIGURES else said


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)


# --- drawn -----------------------------------------------------------------------------------


def _widths(table: ShownTable, available: int) -> list[int] | None:
    """Return the width of each column, or None where the rows do not fit legibly.

    No word is cut, no sentence is squeezed into a column of single words, and what a row is of, in
    the first column, is not broken.
    """
    columns = [
        [Text(heading), *(row[place] for row in table.rows)]
        for place, heading in enumerate(table.headings)
    ]
    room = available - len(_SPACE_BETWEEN) * (len(columns) - 1)
    longest = [max(text.cell_len for text in _lines(column)) for column in columns]
    least = [
        max(min(whole, _NARROWEST), *(_longest_word(text) for text in column))
        for whole, column in zip(longest, columns, strict=True)
    ]
    least[0] = longest[0]
    if sum(longest) <= room:
        return longest
    if sum(least) > room or sum(longest) > _CROWDED * room:
        return None
    return _shared(least, longest, room)


def _lines(column: Iterable[Text]) -> list[Text]:
    return [line for text in column for line in text.split("\n", allow_blank=True)]


def _longest_word(text: Text) -> int:
    return max((Text(word).cell_len for word in text.plain.split()), default=0)


def _shared(least: Sequence[int], longest: Sequence[int], room: int) -> list[int]:
    """Share the room that is left among the columns, by what each would like to have."""
    left = room - sum(least)
    wanted = sum(longest) - sum(least)
    return [low + left * (high - low) // wanted for low, high in zip(least, longest, strict=True)]


def _drawn(table: ShownTable, widths: Sequence[int]) -> Table:
    drawn = Table(
        title=Text(table.title) if table.title else None,
        title_justify="left",
        box=SIMPLE_HEAD,
        # The box has one space between columns as well.
        padding=(0, len(_SPACE_BETWEEN) - 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    for place, (heading, width) in enumerate(zip(table.headings, widths, strict=True)):
        drawn.add_column(Text(heading), justify=table.side(place), width=width, overflow="fold")
    for row in table.rows:
        drawn.add_row(*row)
    return drawn


# --- records and lines -----------------------------------------------------------------------


def _print_records(table: ShownTable, console: Console) -> None:
    """Print each row as a block of "Heading: value", with the values below each other."""
    if table.title:
        console.print(Text(table.title, style="italic"))
    for number, row in enumerate(table.rows, start=1):
        console.print(Text(f"--- {number:,} of {len(table.rows):,}", style="dim"))
        _print_block(list(zip(table.headings, row, strict=True)), console, 0)


def _print_block(facts: Sequence[tuple[str, Text]], console: Console, indent: int) -> None:
    side = indent + max((Text(heading).cell_len for heading, _ in facts), default=0) + 1
    if is_piped(console) or side > console.width // 2:
        for heading, value in facts:
            line = Text.assemble(" " * indent, (f"{heading}:", "bold"), " ", value)
            console.print(_on_one_line(line) if is_piped(console) else line, overflow="fold")
        return
    block = Table.grid(padding=(0, 1, 0, 0))
    block.add_column(width=side)
    block.add_column(overflow="fold")
    for heading, value in facts:
        block.add_row(Text.assemble(" " * indent, (f"{heading}:", "bold")), value)
    console.print(block)


def _print_lines(table: ShownTable, console: Console) -> None:
    """Print each row as one line of whole values; line breaks in a value become spaces."""
    if table.title:
        console.print(table.title, soft_wrap=True)
    headings = [Text(heading) for heading in table.headings]
    rows = [[_on_one_line(cell) for cell in row] for row in [headings, *table.rows]]
    widths = [max(Text(cell).cell_len for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            _padded(cell, width, table.side(place))
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        console.print(_SPACE_BETWEEN.join(cells).rstrip(), soft_wrap=True)


def _on_one_line(cell: Text) -> str:
    return re.sub(r"[\t\r\n\v\f\x85\u2028\u2029]+", " ", cell.plain)


def _padded(cell: str, width: int, side: Literal["left", "right"]) -> str:
    space = " " * (width - Text(cell).cell_len)
    return f"{space}{cell}" if side == "right" else f"{cell}{space}"

"""Ways to break a good delivery, each with what must come of it.

``refused``: nothing is loaded. ``rows``: so many rows are wrong, which refuses them, or the whole
delivery where their share passes the contract's limit. ``warned``: loaded and reported. ``loaded``:
nothing is wrong with it.
"""

import functools
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import methodcaller
from pathlib import Path
from typing import Any, Literal

from orchestration.ingest.checking.rules import ERROR_RULE
from tests.corpus.good import Good, Grid, csv_bytes, xlsx_bytes

Outcome = Literal["refused", "rows", "warned", "loaded"]
SECRET = "¿?-secret"
"""A value that is in no domain; of a personal column it must be shown nowhere."""


@dataclass(frozen=True)
class Case:
    """One broken delivery, and what must be said of it."""

    name: str
    good: Good
    content: bytes
    expected: Outcome
    rules: tuple[str, ...] = ()
    """How the rule that is named may begin; any one of them."""
    wrong_rows: int = 0
    line: int | None = None
    column: str | None = None
    file_name: str | None = None
    secret: bool = False
    rows: int | None = None
    """Rows delivered, where the mutation says how many."""
    further: bool = False
    """One of the many cases of a column like another; not one of those of the quick tests."""

    @property
    def id(self) -> str:
        return f"{self.good.source}-{self.good.kind}: {self.name}"

    @property
    def file(self) -> str:
        return self.file_name or self.good.name

    @property
    def state(self) -> str:
        if self.expected == "refused":
            return "refused"
        total = self.rows or self.good.rows
        limit = self.good.contract.refused_share_limit
        return "refused" if self.wrong_rows > limit * total else "loaded"


def cases(goods: list[Good]) -> Iterator[Case]:
    """Yield every case."""
    for good in goods:
        yield Case("as it should be", good, good.bytes(), "loaded", rows=good.rows)
        for place, heading in enumerate(good.columns):
            for case in _column(good, heading):
                yield replace(case, further=place > 0)
        yield from _table(good)
        yield from _names(good)
        yield from _csv_text(good) if good.kind == "csv" else _workbook(good)
        if good.kind == "xlsx":
            yield from _xlsx(good)


# --- one column ------------------------------------------------------------------------------


def _set(good: Good, row: int, heading: str, value: Any) -> Callable[[Grid], Grid]:
    def edit(grid: Grid) -> Grid:
        grid[good.header + 1 + row][good.place(heading)] = value
        return grid

    return edit


def _head(good: Good, heading: str, value: str) -> Callable[[Grid], Grid]:
    def edit(grid: Grid) -> Grid:
        grid[good.header][good.place(heading)] = value
        return grid

    return edit


def _without(good: Good, heading: str) -> Callable[[Grid], Grid]:
    place = good.place(heading)
    return lambda grid: [row[:place] + row[place + 1 :] for row in grid]


def _column(good: Good, heading: str) -> Iterator[Case]:
    at_head: dict[str, Any] = {"line": good.header + 1}
    is_lookup = good.source == "area_lookups"
    # Any number of estimates is a good workbook, and a lookup is read by its codes alone.
    if not heading.startswith("Estimated") and not (is_lookup and heading.endswith("NM")):
        missing = ("has every column", "has a header")
        gone = good.bytes(_without(good, heading))
        yield Case(f"{heading} dropped", good, gone, "refused", missing, column=heading)
        renamed = good.bytes(_head(good, heading, f"{heading} or so"))
        yield Case(f"{heading} renamed", good, renamed, "refused", missing, column=heading)
    other = [one for one in good.headings if one != heading][-1]
    twice = good.bytes(_head(good, other, heading))
    yield Case(
        f"{heading} twice", good, twice, "refused", ("columns are named once", "has "), **at_head
    )
    for name, value, rules in _wrong_values(good, heading):
        yield _wrong_cell(good, heading, name, value, rules)


_READ_WITH_COMMAS = {
    "dwelling_stock", "population_by_age", "population_estimates", "prison_releases",
}  # fmt: skip
"""Sources whose counts may be written as 1,234."""


def _wrong_values(good: Good, heading: str) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    column = good.column(heading)
    if column.required and column.name not in ("area_name", "dwellings"):
        yield "blank", "", ("is not blank", "is a whole number")
    if column.type == "DATE":
        for name, value in {
            "a day that is none": "31/02/2018",
            "Excel serial date": "43281",
            "two-digit year": "01/04/18",
            "American date": "2018/31/12",
        }.items():
            yield name, value, ("is a date", "has the right form")
    elif column.type != "VARCHAR":
        wrong = {"words": SECRET, "a unit": "12 people"}
        if good.source not in _READ_WITH_COMMAS:
            wrong |= {"thousands separator": "1,234"}
        if column.type != "DOUBLE":
            wrong |= {"half a person": "12.5", "hexadecimal": "0x1A"}
        else:
            wrong |= {"not a number": "NaN"}
        for name, value in wrong.items():
            yield name, value, ("is a number", "is a whole number", "is at ")
    elif column.allowed or column.pattern or column.length:
        rules = ("has the right form", "is a known value", "is ")
        yield "out of the domain", SECRET, rules
        yield "a formula for a value", "=1+1", rules
        yield "spreadsheet error", "#REF!", (*rules, ERROR_RULE)
        yield "very long", "x" * 30_000, rules
    else:
        yield "very long", "x" * 30_000, ("is at most",)
        yield "spreadsheet error", "#REF!", (ERROR_RULE,)


def _wrong_cell(good: Good, heading: str, name: str, value: Any, rules: tuple[str, ...]) -> Case:
    column = good.column(heading)
    one_cell = heading in good.cells
    judged_by_reader = good.source == "prison_releases" and one_cell
    mild = column.severity == "warning" and name not in ("blank", "spreadsheet error")
    return Case(
        f"{heading}: {name}",
        good,
        good.bytes(_set(good, 2, heading, value)),
        "refused" if judged_by_reader else "warned" if mild else "rows",
        rules,
        wrong_rows=0 if mild else 1 if one_cell else max(len(good.cells), 1),
        line=None if mild else good.line(2),
        secret=column.personal and SECRET in str(value),
    )


# --- the table -------------------------------------------------------------------------------


def _table(good: Good) -> Iterator[Case]:
    width = len(good.headings)
    per_line = max(len(good.cells), 1)

    def add(*rows: list[Any]) -> Callable[[Grid], Grid]:
        return lambda grid: [*grid, *([*row, *[""] * width][:width] for row in rows)]

    turned = good.bytes(
        lambda grid: [
            *grid[: good.header],
            *([*row, *[""] * width][:width][::-1] for row in grid[good.header :]),
        ]
    )
    yield Case("columns reordered", good, turned, "loaded", rows=good.rows)

    def widened(grid: Grid) -> Grid:
        head = good.header
        return [
            *grid[:head],
            [*grid[head], "Weather"],
            *([*row, "rain"] for row in grid[head + 1 :]),
        ]

    yield Case(
        "unknown column",
        good,
        good.bytes(widened),
        "warned",
        ("has no unknown column",),
        line=good.header + 1,
        column="Weather",
    )
    if good.contract.key:
        again = good.bytes(lambda grid: [*grid, list(grid[good.header + 1])])
        yield Case(
            "key repeated",
            good,
            again,
            "rows",
            ("row is not repeated" if _lists_people(good) else "key is unique",),
            wrong_rows=per_line,
            line=good.line(len(good.body)),
            rows=good.rows + per_line,
        )
    if good.source != "dwelling_stock":  # whose table has totals by right
        yield Case(
            "trailing totals row",
            good,
            good.bytes(add(["Total", *["99"] * (width - 1)])),
            "refused" if good.source == "prison_releases" else "rows",
            (),
            wrong_rows=per_line,
            line=good.line(len(good.body)),
            rows=good.rows + per_line,
        )
    yield Case("header only", good, good.bytes(_head_only(good)), "refused", ("has ",))
    yield Case(
        "no header",
        good,
        good.bytes(lambda grid: grid[: good.header] + grid[good.header + 1 :]),
        "refused",
        ("has a header", "has every column"),
    )
    yield Case("no bytes", good, b"", "refused", ("not empty",))
    yield Case("cut short", good, _cut(good), "refused", ("is whole", "can be opened"))
    yield Case(
        "another kind", good, b"%PDF-1.7 not a table\n", "refused", ("is a CSV", "can be ", "has ")
    )


def _lists_people(good: Good) -> bool:
    """Say whether the contract lets a row be sent twice."""
    return good.contract.counts == "people" and good.contract.refused_share_limit > 0


def _head_only(good: Good) -> Callable[[Grid], Grid]:
    return lambda grid: grid[: good.header + 1]


def _cut(good: Good) -> bytes:
    whole = good.bytes()
    if good.kind == "csv":
        return whole[: whole.rstrip().rfind(b"\n") + 8]
    return whole[: len(whole) * 2 // 3]


def _names(good: Good) -> Iterator[Case]:
    suffix = f".{good.kind}"
    if good.source in _NAMED_BY_FILE:
        suffix = f" {good.name}"
    for said, name in {
        "path-like name": f"..%2f..%2fetc{suffix}",
        "name with backslashes": f"..\\..\\x{suffix}",
        "name with brackets": f"a[1]{suffix}",
        "name with a star": f"a*{suffix}",
        "name like a formula": f"=cmd{suffix}",
        "name with a quote": f'o\'brien "x"{suffix}',
    }.items():
        yield Case(said, good, good.bytes(), "loaded", file_name=name, rows=good.rows)
    yield Case(
        "name with a line break",
        good,
        good.bytes(),
        "refused",
        ("has a plain name",),
        file_name=f"a\nb{suffix}",
    )
    yield Case(
        "name of another kind",
        good,
        good.bytes(),
        "refused",
        ("is of the agreed kind",),
        file_name=f"{good.name}.exe",
    )


# --- CSV -------------------------------------------------------------------------------------


_NEVER_MIXED = frozenset({"police_uk_outcomes"})
"""Sources whose lines DuckDB cannot read where some end otherwise: it stops in its strict mode."""

_NAMED_BY_FILE = frozenset({"police_uk_stop_and_search"})
"""Sources whose series is in the name of the file alone."""

_FORCES = frozenset({"reported_by", "falls_within"})
"""Columns with the name of a police force, of which another text is a warning."""


def _csv_text(good: Good) -> Iterator[Case]:
    whole = good.bytes()
    lines = whole.splitlines(keepends=True)
    heading = next(iter(good.columns))

    def line(number: int, content: bytes) -> bytes:
        return b"".join([*lines[: number - 1], content, *lines[number:]])

    third = lines[2]
    plain: dict[str, Any] = {"rows": good.rows}
    yield Case("byte order mark", good, b"\xef\xbb\xbf" + whole, "loaded", **plain)
    yield Case("Unix line ends", good, whole.replace(b"\r\n", b"\n"), "loaded", **plain)
    mixed = line(3, third.replace(b"\r\n", b"\n"))
    if good.source in _NEVER_MIXED:
        yield Case("mixed line ends", good, mixed, "refused", ("can be read",), line=3)
    else:
        yield Case("mixed line ends", good, mixed, "loaded", **plain)
    yield Case("no last line end", good, whole.rstrip(b"\r\n"), "loaded", **plain)
    yield Case("blank lines at the end", good, whole + b"\r\n\r\n", "loaded", **plain)
    yield Case("every value quoted", good, _quoted(good), "loaded", **plain)
    text = ("is UTF-8",)
    latin = line(3, b"\xe9" + third)
    yield Case("Latin-1", good, latin, "refused", text, line=3)
    yield Case("Latin-1 in the last byte", good, whole.rstrip() + b"\xc3", "refused", text)
    yield Case("UTF-16", good, whole.decode().encode("utf-16"), "refused", text)
    yield Case("NUL bytes", good, line(3, b"\0\0" + third), "refused", text, line=3)
    yield Case("Mac line ends", good, whole.replace(b"\r\n", b"\r"), "refused", ("has line ends",))
    yield Case(
        "quote never closed", good, line(3, b'"' + third), "refused", ("quotes are closed",), line=3
    )
    not_a_row: dict[str, Any] = {"wrong_rows": 1, "line": 3}
    rule = ("is a row of the table",)
    # DuckDB skips a last value that is blank, and checks the shifted ones.
    shifted = ("is ",) if good.contract.layout == "csv" else rule
    yield Case("a value too many", good, line(3, b"x," + third), "rows", shifted, **not_a_row)
    yield Case("a line of one value", good, line(3, b"x\r\n"), "rows", rule, **not_a_row)
    million = line(3, third.rstrip() + b"x" * 1_000_000 + b"\r\n")
    last = good.headings[-1]
    mild = last in good.columns and good.column(last).severity == "warning"
    if mild and good.contract.layout == "csv":
        # A text that no rule limits is loaded as it is.
        yield Case("cell of a million characters", good, million, "warned", ("is ",), **plain)
    else:
        yield Case("cell of a million characters", good, million, "rows", ("is ",), **not_a_row)
    yield Case(
        "semicolons",
        good,
        csv_bytes(good.grid, separator=";"),
        "refused",
        ("has commas", "has a header"),
    )
    yield Case(
        "tabs",
        good,
        csv_bytes(good.grid, separator="\t"),
        "refused",
        ("has commas", "has a header"),
    )
    titled = b"Extract of the first of July\r\n" + whole
    yield Case("a title above the header", good, titled, "refused", ("has ",))
    yield Case("a workbook by the name of a CSV", good, b"PK\x03\x04" + whole, "refused", ("is ",))
    yield Case("only line ends", good, b"\r\n\r\n\r\n", "refused", ("has ", "not empty"))
    yield Case("only a byte order mark", good, b"\xef\xbb\xbf", "refused", ("has ", "not empty"))
    yield from _injections(good, heading)


def _quoted(good: Good) -> bytes:
    return "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in good.grid).encode()


def _injections(good: Good, heading: str) -> Iterator[Case]:
    free = [
        one
        for one in good.columns
        if good.column(one).type == "VARCHAR"
        and not (good.column(one).allowed or good.column(one).pattern or good.column(one).length)
        and good.columns[one] not in good.contract.key
        and good.columns[one] not in good.contract.series
        and good.columns[one] not in _FORCES
    ]
    if free:
        content = good.bytes(_set(good, 2, free[0], "=cmd|' /C calc'!A0"))
        yield Case("formula as free text", good, content, "loaded", rows=good.rows)
        broken = good.bytes(_set(good, 2, free[0], "two\nlines"))
        if good.contract.layout == "csv":
            yield Case("value over two lines", good, broken, "refused", ("every line is a row",))
        else:
            yield Case("value over two lines", good, broken, "loaded", rows=good.rows)


# --- workbooks -------------------------------------------------------------------------------


def _workbook(good: Good) -> Iterator[Case]:
    whole = good.bytes()
    golden = Path(__file__).parents[1] / "golden" / "password_protected.xlsx"
    opened = ("can be opened", "is not locked")
    yield Case("password", good, golden.read_bytes(), "refused", opened)
    yield Case("text by the name of a workbook", good, b"a,b\n1,2\n", "refused", opened)
    half = bytearray(whole)
    half[len(half) // 3 : len(half) // 3 + 400] = b"\xff" * 400
    yield Case("damaged within", good, bytes(half), "refused", opened)
    if good.source != "dwelling_stock":
        renamed = {("Sheet 9" if k == good.sheet else k): v for k, v in good.sheets.items()}
        content = _write(good, renamed)
        yield Case(
            "sheet renamed", good, content, "refused", ("has the sheet", "is of a known edition")
        )
    nothing = good.bytes(lambda _: [])
    yield Case("empty sheet", good, nothing, "refused", ("has a header", "has the sheet"))
    note = good.bytes(lambda grid: [*grid, [], ["Source: as published."]])
    # A note below a table of people looks like a row of which all but one value is missing.
    last = good.line(len(good.body) + 1)
    if good.source == "prison_releases":
        yield Case("note below the table", good, note, "refused", ("is ",), line=last)
    elif good.kind == "xlsx":
        yield Case("note below the table", good, note, "rows", ("is ", "has "), 1, last)
    elif good.source == "population_estimates":
        yield Case(
            "note below the table", good, note, "warned", ("has nothing beside",), rows=good.rows
        )


def _write(good: Good, sheets: dict[str, Grid]) -> bytes:
    from tests.corpus.good import WRITERS

    return WRITERS[good.kind](sheets)


def _xlsx(good: Good) -> Iterator[Case]:
    top = good.header + 1
    column = good.place(next(iter(good.columns)))

    def touched(change: Callable[[Any], None]) -> bytes:
        return xlsx_bytes(
            good.sheets, touch=lambda sheet, name: change(sheet) if name == good.sheet else None
        )

    more = xlsx_bytes(good.sheets | {"Scratch": [["x"]]}, hidden=("Scratch",))
    hidden = ("has no hidden sheet",)
    yield Case("another sheet, hidden", good, more, "warned", hidden)
    merged = touched(lambda sheet: sheet.merge_range(top + 3, column, top + 5, column, "x"))
    yield Case("merged cells", good, merged, "refused", ("has no merged cells",), line=top + 4)
    if good.header:
        title = touched(lambda sheet: sheet.merge_range(0, 20, 0, 22, "x"))
        yield Case("merged cells above the table", good, title, "loaded", rows=good.rows)
    kept = good.body[2][column]
    formula = touched(lambda sheet: sheet.write_formula(top + 2, column, "=A1", None, kept))
    yield Case("formula with its value", good, formula, "loaded", rows=good.rows)
    for said, shown in {"error": "#DIV/0!", "no value": ""}.items():
        failed = touched(methodcaller("write_formula", top + 2, column, "=1/0", None, shown))
        yield Case(
            f"formula with {said}",
            good,
            failed,
            "rows",
            ("has ", "holds ", "is a known"),
            max(len(good.cells), 1),
            good.line(2),
        )
    size = ("is of a reasonable size",)
    far = touched(lambda sheet: sheet.write_string(1_048_575, 16_383, "x"))
    yield Case("a stray cell in the far corner", good, far, "refused", size)
    yield Case("zip bomb", good, _bomb(), "refused", size)
    yield Case("an archive that is no workbook", good, _archive(), "refused", ("can be opened",))


@functools.cache
def _bomb() -> bytes:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet,
    ):
        block = b" " * (1 << 20)
        for _ in range(450):
            sheet.write(block)
    return stream.getvalue()


def _archive() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return stream.getvalue()

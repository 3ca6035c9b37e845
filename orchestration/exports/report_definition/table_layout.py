"""The layout of a table: rows of a release as text, with the markers of missing values.

Pure functions on data, shared by the pack's two forms. Nothing missing becomes 0, and nothing
that is 0 becomes missing.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from orchestration.exports.charts.chart_text import SHORTHAND, month_name
from orchestration.exports.report_definition.row_selection import Partnership, Row
from orchestration.releases.report_metadata import CrossTable, Exhibit, Form, ReportColumn

EXPLAINS = ("[c]", "[x]", "[z]")
"""Markers that explain an empty cell; the others qualify a full one."""


_BLOCKS, _NO_BLOCK = "▁▂▃▄▅▆▇█", "·"

_CONTEXT = ("period_label", "stock_year", "area_name", "cohort", "prison")
"""Columns that are left out where they say the same of every row."""


_PRINTED_NUMBER = re.compile(r"^(Table|Figure|Appendix) \w+: ")


@dataclass(frozen=True)
class GridRow:
    """A row: the heading of its group where it begins one, its own heading, and its cells."""

    group: str
    heading: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table to print: column headings (the first is that of the row headings), and rows.

    ``numeric`` says of each column after the first whether it holds figures.
    """

    headings: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[GridRow, ...]

    @property
    def shorthand(self) -> tuple[str, ...]:
        """The markers that the table shows, in their order."""
        texts = [text for row in self.rows for text in (row.heading, *row.cells)]
        return tuple(marker for marker in SHORTHAND if any(marker in text for text in texts))


def shown_rows(exhibit: Exhibit, rows: Sequence[Row], whose: Partnership) -> list[Row]:
    """Return the rows that the pack shows of an exhibit, see :class:`Exhibit`.

    The last rows of a series end with the last one that has a figure, if any has.
    """
    chosen = _eligible_rows(exhibit, rows, whose)
    if exhibit.first_rows:
        return chosen[: exhibit.first_rows]
    if not exhibit.last_rows:
        return chosen
    known = chosen[: len(chosen) - len(_without_figures_at_end(exhibit, chosen))]
    return (known or chosen)[-exhibit.last_rows :]


def rows_after_shown(exhibit: Exhibit, rows: Sequence[Row], whose: Partnership) -> list[Row]:
    """Return the rows after the last one that is shown: a series continues in them, empty."""
    if not exhibit.last_rows:
        return []
    chosen = _eligible_rows(exhibit, rows, whose)
    after = _without_figures_at_end(exhibit, chosen)
    return after if len(after) < len(chosen) else []


def _without_figures_at_end(exhibit: Exhibit, rows: Sequence[Row]) -> list[Row]:
    figures = figure_columns(exhibit)
    known = [
        place
        for place, row in enumerate(rows)
        if any(row.get(name) is not None for name in figures)
    ]
    return list(rows[max(known, default=-1) + 1 :])


def _eligible_rows(exhibit: Exhibit, rows: Sequence[Row], whose: Partnership) -> list[Row]:
    """Return the rows in their order of which an exhibit shows all, the first or the last."""
    chosen = [row for row in rows if not exhibit.own_areas_only or is_own(row, whose)]
    if exhibit.latest:
        dated = [
            str(row[exhibit.latest])
            for row in chosen
            if not exhibit.latest_with or row.get(exhibit.latest_with) is not None
        ]
        # If no row has the value, the latest rows show that.
        latest = max(dated or [str(row[exhibit.latest]) for row in chosen], default=None)
        chosen = [row for row in chosen if str(row[exhibit.latest]) == latest]
    return ordered_rows(chosen, exhibit.order_by)


def ordered_rows(rows: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """Return rows in the order of columns, the first of them first; as they are without any."""
    ordered = list(rows)
    for column in reversed(columns):
        ordered = _sorted(ordered, column)
    return ordered


def absence(exhibit: Exhibit, published: bool, rows: Sequence[Row], whose: Partnership) -> str:
    """Return why nothing is shown of an exhibit; empty where something is."""
    if not published or exhibit.withheld:
        return exhibit.absent_because
    if not rows:
        return (
            "the release has no rows for this partnership: no delivery in force has what it needs"
        )
    if not shown_rows(exhibit, rows, whose):
        return "the release has rows for other areas only, none for this partnership's own"
    return ""


def emptiness(exhibit: Exhibit, rows: Sequence[Row]) -> str:
    """Return why none of the rows that are shown has a figure; empty where one has.

    A figure beside it of an earlier period, which the pack prints in brackets, does not count.
    """
    figures = figure_columns(exhibit)
    if not figures or any(row.get(name) is not None for row in rows for name in figures):
        return ""
    statuses = [str(row.get("status") or "") for row in rows]
    missing = any("[x]" in status or "[c]" not in status for status in statuses)
    why = "every figure is confidential"
    if missing:
        reasons = {str(row["missing_because"]) for row in rows if row.get("missing_because")}
        why = "; ".join(sorted(reasons)) or exhibit.empty_because
    return ", ".join(part for part in (why, periods(rows)) if part)


def figure_columns(exhibit: Exhibit) -> list[str]:
    """Return the columns of figures, without those of an earlier period in brackets."""
    beside = {field.in_brackets for field in exhibit.columns}
    return [
        field.column
        for field in exhibit.columns
        if field.form not in ("text", "month", "year") and field.column not in beside
    ]


def unnumbered(title: str) -> str:
    """Return the title of a table without its number in print, which its label has."""
    return _PRINTED_NUMBER.sub("", title)


def is_own(row: Row, whose: Partnership) -> bool:
    """Say whether a row is of the partnership or its districts, or of a town in one of them."""
    return str(row.get("area_code") or "").split(":")[0] in whose.areas


def grid(exhibit: Exhibit, rows: Sequence[Row]) -> Grid:
    """Return the rows of an exhibit as the pack prints them; columns that they lack are left out.

    Where several periods, cohorts or areas would share one place, see
    :func:`shown_rows`, which leaves one.
    """
    if exhibit.cross_table:
        return _crossed(exhibit, exhibit.cross_table, rows)
    return _listed(exhibit, rows)


def value_text(value: object, form: Form) -> str:
    """Write a value in its form: 1,234; 13%; 13.3%; 8.9; April 2018."""
    if form == "month" and isinstance(value, date):
        return month_name(value)
    if form == "months":
        return blocks(str(value))
    if form in ("text", "year", "month") or not isinstance(value, int | float):
        return str(value)
    if form == "count":
        return f"{value:,.0f}"
    if form == "share":
        return f"{100 * value:.1f}%"
    if form == "percent":
        return f"{value}%" if isinstance(value, int) else f"{value:.1f}%"
    # A rate that is not zero must not be written as 0.0.
    return f"{value:.2f}" if 0 < abs(value) < 0.05 else f"{value:,.1f}"


def is_about(count: float, multiple: int | None) -> bool:
    """Say whether a count is about so many, in a table whose inner counts are rounded.

    They are multiples of ``multiple`` (none: nothing is rounded); any other count is a total that
    is not rounded.
    """
    return multiple is not None and count % multiple == 0


def blocks(counts: str) -> str:
    """Draw counts such as ``3, [x], 6`` as blocks, the highest for the greatest; none is a dot."""
    numbers = [None if one == "[x]" else int(one) for one in counts.split(", ")]
    greatest = max((number for number in numbers if number is not None), default=0) or 1
    return "".join(
        _NO_BLOCK if number is None else _BLOCKS[round(number / greatest * (len(_BLOCKS) - 1))]
        for number in numbers
    )


def is_blocks(text: str) -> bool:
    """Say whether a cell is drawn as blocks, which a screen reader cannot read out."""
    return bool(text) and set(text) <= {*_BLOCKS, _NO_BLOCK}


def marker(row: Row, field: ReportColumn) -> str:
    """Return the shorthand that explains an empty cell: ``[x]`` where the row gives none.

    A cell's own status comes first (a column named after it), then that of its row.
    """
    for name in (f"{field.column}_status", field.status_column):
        status = str(row.get(name) or "")
        for found in EXPLAINS:
            if found in status:
                return found
    return "[x]"


def cell_text(row: Row, field: ReportColumn) -> str:
    """Return the text of a cell: its value, or the shorthand for there being none."""
    value = row.get(field.column)
    if value is None:
        return _none_text(row, field)
    text = value_text(value, field.form)
    status = str(row.get(f"{field.column}_status") or (row.get(field.status_column) or ""))
    if field.show_marker:
        qualifiers = [found for found in SHORTHAND if found in status and found not in EXPLAINS]
        text = " ".join([text, *qualifiers])
    return text


def _none_text(row: Row, field: ReportColumn) -> str:
    if field.column in ("status", "previous_status", "break_reason"):
        return "none"
    if field.column == "xmr_signal":
        return "none" if row.get("xmr_centre") is not None else "[x]"
    if field.column == "compared_with_rest":
        return "[z]" if row.get("percent") is not None else marker(row, field)
    return marker(row, field)


def _listed(exhibit: Exhibit, rows: Sequence[Row]) -> Grid:
    """One row a record: columns that say the same of all rows, codes and markers are left out."""
    shadowed = {field.in_brackets for field in exhibit.columns if field.in_brackets}
    fields = [
        field
        for field in exhibit.columns
        if field.column not in ("area_code", "status", "previous_status", *shadowed)
        and _known(rows, field.column)
        and not (field.column in _CONTEXT and _is_same(rows, field.column))
    ]
    if not fields:
        return Grid((), (), ())
    heads = _head_fields(fields)
    body = fields[len(heads) :]
    return Grid(
        (", ".join(field.heading.lower() if n else field.heading for n, field in enumerate(heads)),
         *(field.heading for field in body)),
        tuple(field.form not in ("text", "month", "months") for field in body),
        tuple(
            GridRow(
                "",
                ", ".join(cell_text(row, field) for field in heads),
                tuple(_with_beside(row, field, exhibit.columns) for field in body),
            )
            for row in rows
        ),
    )  # fmt: skip


def _head_fields(fields: Sequence[ReportColumn]) -> list[ReportColumn]:
    """Return the leading text columns, which together head a row; the first where none is."""
    heads: list[ReportColumn] = []
    for field in fields:
        if field.form not in ("text", "month", "year"):
            break
        heads.append(field)
    return heads or [fields[0]]


def _with_beside(row: Row, field: ReportColumn, fields: Sequence[ReportColumn]) -> str:
    text = cell_text(row, field)
    if not field.in_brackets:
        return text
    behind = next(other for other in fields if other.column == field.in_brackets)
    return f"{text} ({cell_text(row, behind)})"


def _crossed(exhibit: Exhibit, across: CrossTable, rows: Sequence[Row]) -> Grid:
    columns = _ordered(rows, across.columns, across.column_order)
    columns = [name for name in columns if _says_anything(rows, across, name)]
    fields = {field.column: field for field in exhibit.columns}
    shown = [fields[name] for name in across.cells if _known(rows, name)]
    cells = {
        (_place(row, across), str(row[across.columns])): _pair_text(row, shown) for row in rows
    }
    places = list(dict.fromkeys(_place(row, across) for row in _sorted(rows, across.row_order)))
    return Grid(
        (across.heading, *columns),
        (True,) * len(columns),
        tuple(
            # A row that one area has and another has not does not apply to the other.
            GridRow(*place, tuple(cells.get((place, column), "[z]") for column in columns))
            for place in places
        ),
    )


def _place(row: Row, across: CrossTable) -> tuple[str, str]:
    group = str(row.get(across.group) or "") if across.group else ""
    name = str(row[across.rows])
    return ("", name) if group == name or group == "All" else (group, name)


def _pair_text(row: Row, fields: Sequence[ReportColumn]) -> str:
    """Return a count with its percentage in brackets, where the row has one to have."""
    first = cell_text(row, fields[0])
    if len(fields) < 2 or row.get(fields[0].column) is None:
        return first
    if row.get(fields[1].column) is None and marker(row, fields[1]) == "[z]":
        return first
    return f"{first} ({cell_text(row, fields[1])})"


def _says_anything(rows: Sequence[Row], across: CrossTable, name: str) -> bool:
    """Say whether a column is of a place in the area, or counts anybody."""
    own = [row for row in rows if str(row[across.columns]) == name]
    if not any(":" in str(row.get("area_code") or "") for row in own):
        return True
    return any(row.get(across.cells[0]) != 0 for row in own)


def _ordered(rows: Sequence[Row], by: str, order: str) -> list[str]:
    return list(dict.fromkeys(str(row[by]) for row in _sorted(rows, order)))


def _sorted(rows: Sequence[Row], order: str) -> list[Row]:
    """Return rows by a column of places; without one, districts first and then their force."""
    if order and _known(rows, order):
        return sorted(rows, key=lambda row: _sort_key(row[order]))
    return sorted(rows, key=lambda row: (row.get("csp") is None, str(row.get("area_name") or "")))


def _sort_key(value: object) -> tuple[float, str]:
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value))


def _known(rows: Sequence[Row], column: str) -> bool:
    return bool(rows) and column in rows[0]


def _is_same(rows: Iterable[Row], column: str) -> bool:
    listed = list(rows)
    return len({row.get(column) for row in listed}) == 1


def scope(exhibit: Exhibit, rows: Sequence[Row]) -> str:
    """Return what all rows are of: the area or prison that they share, and their periods."""
    shared = [
        str(rows[0][column])
        for column in ("prison", "area_name")
        if _known(rows, column) and _is_same(rows, column) and not _crosses(exhibit, column)
    ]
    return ", ".join(part for part in (*shared, periods(rows)) if part)


def brackets_note(exhibit: Exhibit) -> str:
    """Return a note on the brackets of a table; empty if it has none."""
    if exhibit.cross_table and len(exhibit.cross_table.cells) > 1:
        return "In brackets: per cent."
    if any(field.in_brackets for field in exhibit.columns):
        return "In brackets: the survey before."
    return ""


def _crosses(exhibit: Exhibit, column: str) -> bool:
    return exhibit.cross_table is not None and column in (
        exhibit.cross_table.rows,
        exhibit.cross_table.columns,
    )


def periods(rows: Sequence[Row]) -> str:
    """Return the periods that rows are of, such as 2012 to 2017/18; empty where they say none."""
    forms: tuple[tuple[str, Form], ...] = (
        ("period_label", "text"),
        ("month", "month"),
        ("stock_year", "year"),
    )
    for column, form in forms:
        if not _known(rows, column):
            continue
        order = next(
            (name for name in ("period_start", "period_end") if _known(rows, name)), column
        )
        ordered = sorted(rows, key=lambda row: str(row[order]))
        first, last = (value_text(row[column], form) for row in (ordered[0], ordered[-1]))
        return first if first == last else f"{first} to {last}"
    return ""

"""The table that ``explore.html`` shows where no script runs: what it draws at first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestration.exports.report_definition.row_selection import Row
from orchestration.exports.report_definition.table_layout import EXPLAINS

_PERIODS = 12


@dataclass(frozen=True)
class PlainTable:
    """A caption, headings, and rows of texts of which the first is the row's heading."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def plain_table(subject: Mapping[str, Any], areas: Sequence[Mapping[str, Any]]) -> PlainTable:
    """Return the latest periods of the first measure of a subject, for the areas drawn at first.

    Of choices the first value is taken, and of kinds of period the one with the longest periods.
    """
    rows = _rows(subject["columns"])
    firsts = {one["column"]: one["first"] or _first(rows, one) for one in subject["choices"]}
    if kind := subject["kind"]:
        firsts[kind] = str(max(rows, key=lambda row: str(row[kind]) == "quarter")[kind])
    kept = [row for row in rows if all(row[name] == first for name, first in firsts.items())]
    labels = {str(row[subject["start"]]): str(row[subject["label"]]) for row in kept}
    latest = sorted(labels)[-_PERIODS:]
    shown = [area for area in areas if area["chosen"]]
    measure = subject["measures"][0]
    by_place = {(str(row[subject["start"]]), row["area_code"]): row for row in kept}
    return PlainTable(
        caption=", ".join([subject["title"], *(firsts[one["column"]] for one in subject["choices"]),
                           measure["label"]]),
        headings=("Period", *(area["name"] for area in shown)),
        rows=tuple(
            (labels[start], *(
                _cell(by_place.get((start, area["code"])), measure) for area in shown))
            for start in latest
        ),
    )  # fmt: skip


def _rows(columns: Mapping[str, Any]) -> list[Row]:
    names = list(columns)
    listed = [
        [one["values"][place] for place in one["places"]] if isinstance(one, dict) else one
        for one in columns.values()
    ]
    return [dict(zip(names, values, strict=True)) for values in zip(*listed, strict=True)]


def _first(rows: Sequence[Row], choice: Mapping[str, Any]) -> str:
    return str(rows[0][choice["column"]])


def _cell(row: Row | None, measure: Mapping[str, Any]) -> str:
    if row is None:
        return "[x]"
    value, markers = row[measure["column"]], str(row["status"]).split()
    if not isinstance(value, int | float):
        return next((one for one in markers if one in EXPLAINS), "[x]")
    shown = value * 100 if measure["share"] else value
    text = f"{shown:,.{measure['decimals']}f}"
    return " ".join([text, *(one for one in markers if one not in EXPLAINS)])

"""The charts of an exhibit: its rows turned into bars and words, as its metadata declares.

How things look is in ``line_charts`` and ``bar_charts``; no figure is computed here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.exports.charts.bar_charts import (
    Bar,
    bar_chart,
    interval_chart,
    pair_chart,
    panel_chart,
)
from orchestration.exports.charts.chart_text import bar_chart_words, explained, month_chart_words
from orchestration.exports.charts.crime_map import crime_map, map_words, mapped_places
from orchestration.exports.charts.funnel_chart import FunnelPoint, funnel_chart, funnel_words
from orchestration.exports.charts.line_charts import Chart, control_chart
from orchestration.exports.charts.monthly_series import monthly_series
from orchestration.exports.report_definition.row_selection import Partnership, Place, Row
from orchestration.exports.report_definition.table_layout import (
    cell_text,
    marker,
    ordered_rows,
    periods,
    shown_rows,
)
from orchestration.releases.report_metadata import (
    BarChart,
    CrimeMap,
    Exhibit,
    FunnelChart,
    ReportColumn,
)


@dataclass(frozen=True)
class Drawing:
    """What a chart of bars shows: its bars, its title and the subtitle."""

    bars: tuple[Bar, ...]
    title: str
    subtitle: str


def chart_of(
    exhibit: Exhibit,
    rows: Sequence[Row],
    whose: Partnership,
    place: Place,
    slug: str,
    footnotes: Sequence[str],
    synthetic: bool,
) -> Chart | None:
    """Draw the chart of an exhibit for an area of a partnership; none where it has nothing to show.

    ``slug`` names its files.
    """
    chart = exhibit.chart
    if isinstance(chart, CrimeMap):
        return _map(exhibit, chart, place.own(rows), place, slug, footnotes, synthetic)
    if isinstance(chart, FunnelChart):
        return _funnel(exhibit, chart, place.own(rows), place, slug, footnotes, synthetic)
    if not isinstance(chart, BarChart):
        own = place.own(rows)
        if all(row["offences"] is None for row in own):
            return None
        series = monthly_series(own)
        return control_chart(
            series,
            month_chart_words(series, slug, exhibit.label, exhibit.subject, footnotes, synthetic),
        )
    drawing = _drawing(exhibit, chart, shown_rows(exhibit, rows, whose), place)
    if drawing is None:
        return None
    words = bar_chart_words(
        slug,
        exhibit.label,
        drawing.title,
        drawing.subtitle,
        [_value_in_words(bar, chart, place) for bar in drawing.bars],
        footnotes,
        synthetic,
    )
    if chart.kind == "pairs":
        return pair_chart(drawing.bars, words, (place.name, place.force_name))
    draw = {"bars": bar_chart, "panels": panel_chart, "intervals": interval_chart}
    return draw[chart.kind](drawing.bars, words)


def _map(
    exhibit: Exhibit,
    chart: CrimeMap,
    rows: Sequence[Row],
    place: Place,
    slug: str,
    footnotes: Sequence[str],
    synthetic: bool,
) -> Chart | None:
    if not rows:
        return None
    names = _names(rows, place)
    drawn = mapped_places(ordered_rows(rows, ("row_order",)))
    title, subtitle = (text.format_map(names) for text in (chart.title, chart.subtitle))
    words = map_words(drawn, slug, exhibit.label, title, subtitle, footnotes, synthetic)
    return crime_map(drawn, words)


def _funnel(
    exhibit: Exhibit,
    chart: FunnelChart,
    rows: Sequence[Row],
    place: Place,
    slug: str,
    footnotes: Sequence[str],
    synthetic: bool,
) -> Chart | None:
    """Draw the rows that have limits; nothing where the area itself has none."""
    drawn = [row for row in rows if row[chart.value] is not None and row[chart.centre] is not None]
    if not any(row[chart.own] for row in drawn):
        return None
    points = [
        FunnelPoint(
            str(row[chart.label]),
            _number(row, chart.across),
            _number(row, chart.value),
            bool(row[chart.own]),
            (_number(row, chart.warning[0]), _number(row, chart.warning[1])),
            (_number(row, chart.limits[0]), _number(row, chart.limits[1])),
        )
        for row in drawn
    ]
    centre = _number(drawn[0], chart.centre)
    names = _names(drawn, place)
    title, subtitle = (text.format_map(names) for text in (chart.title, chart.subtitle))
    words = funnel_words(points, centre, slug, exhibit.label, title, subtitle, footnotes, synthetic)
    return funnel_chart(points, centre, words)


def _names(rows: Sequence[Row], place: Place) -> dict[str, str]:
    """Return what the braces of a title may name: columns of the first row, place and periods."""
    return {
        **{column: str(value) for column, value in rows[0].items()},
        "place": place.name,
        "force": place.force_name,
        "periods": periods(rows),
    }


def _value_in_words(bar: Bar, chart: BarChart, place: Place) -> tuple[str, str]:
    """Return what a bar is of, and its value, for the text in place of the chart."""
    if chart.kind == "pairs":
        return f"{bar.label}, {place.name if bar.own else place.force_name}", bar.text
    return ", ".join(part for part in (bar.group, bar.label) if part), bar.text


def _drawing(
    exhibit: Exhibit, chart: BarChart, rows: Sequence[Row], place: Place
) -> Drawing | None:
    """Return what a chart of bars shows of ``rows``; none where it would have no bar."""
    drawn = _drawn_rows(chart, rows, place)
    if not any(row[chart.value] for row in drawn):
        return None
    # A pair needs the district's bar.
    if chart.kind == "pairs" and not place.own(drawn):
        return None
    names = _names(drawn, place)
    bars = [_bar(exhibit, chart, row, place) for row in _in_order(chart, drawn, place)]
    return Drawing(
        _ranked(bars) if chart.ranked else tuple(bars),
        chart.title.format_map(names),
        chart.subtitle.format_map(names),
    )


def _drawn_rows(chart: BarChart, rows: Sequence[Row], place: Place) -> list[Row]:
    chosen = [
        row
        for row in rows
        if _is_of_areas(chart, row, place)
        and all(_text_of(row[name]) in values for name, values in chart.where.items())
        and not any(_text_of(row[name]) in values for name, values in chart.unless.items())
    ]
    if chart.latest:
        latest = max((str(row[chart.latest]) for row in chosen), default="")
        chosen = [row for row in chosen if str(row[chart.latest]) == latest]
    return chosen


def _is_of_areas(chart: BarChart, row: Row, place: Place) -> bool:
    if chart.areas == "all":
        return True
    if chart.areas == "districts":
        return row["area_code"] in place.peers or row["area_code"] == place.code
    codes = {place.code} if chart.areas == "own" else {place.code, place.force_code}
    return row["area_code"] in codes


def _text_of(value: object) -> str:
    return "none" if value is None else str(value)


def _in_order(chart: BarChart, rows: Sequence[Row], place: Place) -> list[Row]:
    """Return rows by the columns of the chart's order, the district before its force."""
    if not chart.order:
        return list(rows)
    return sorted(
        rows,
        key=lambda row: (
            *(_sort_key(row[name]) for name in chart.order),
            row["area_code"] != place.code,
        ),
    )


def _sort_key(value: object) -> tuple[float, str]:
    if isinstance(value, int | float):
        return float(value), ""
    return 0.0, "" if value is None else str(value)


def _bar(exhibit: Exhibit, chart: BarChart, row: Row, place: Place) -> Bar:
    return Bar(
        str(row[chart.label]),
        _value(row, chart.value),
        _bar_text(exhibit, chart, row),
        row["area_code"] == place.code,
        ", ".join(str(row[name]) for name in chart.group),
        _value(row, chart.lower) if chart.lower else None,
        _value(row, chart.upper) if chart.upper else None,
    )


def _bar_text(exhibit: Exhibit, chart: BarChart, row: Row) -> str:
    """Return a value, with its count and base where it has them, such as 13.3% (25 of 188)."""
    share = _text(exhibit, row, chart.value)
    named = chart.count_of or ()
    if not named or any(row[name] is None for name in (chart.value, *named)):
        return share
    counts = (cell_text(row, _field(exhibit, name)) for name in named)
    return f"{share} ({' of '.join(counts)})"


def _field(exhibit: Exhibit, column: str) -> ReportColumn:
    return next(field for field in exhibit.columns if field.column == column)


def _text(exhibit: Exhibit, row: Row, column: str) -> str:
    """Return a cell's text; a marker comes with its meaning."""
    field = _field(exhibit, column)
    return explained(marker(row, field)) if row[column] is None else cell_text(row, field)


def _value(row: Row, column: str) -> float | None:
    value = row[column]
    return None if value is None else float(value)  # type: ignore[arg-type]


def _number(row: Row, column: str) -> float:
    return float(row[column])  # type: ignore[arg-type]


def _ranked(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """Return bars from the greatest value to the least, those without one last."""
    return tuple(sorted(bars, key=lambda bar: (bar.value is None, -(bar.value or 0))))

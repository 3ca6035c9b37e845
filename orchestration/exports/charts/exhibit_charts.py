"""Which chart an exhibit has, and which of its rows are drawn.

Each rule takes the rows of one exhibit and returns bars and words, or none where there is nothing
to draw. How things look is in ``charts`` and ``bars``; no figure is computed here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from orchestration.exports.charts.bar_charts import (
    Bar,
    bar_chart,
    interval_chart,
    pair_chart,
    panel_chart,
)
from orchestration.exports.charts.chart_text import bar_chart_words, explained, month_chart_words
from orchestration.exports.charts.line_charts import Chart, control_chart
from orchestration.exports.charts.monthly_series import monthly_series
from orchestration.exports.pack.key_findings import Place
from orchestration.exports.report_definition.report_catalogue import Exhibit, Field
from orchestration.exports.report_definition.row_selection import Partnership, Row
from orchestration.exports.report_definition.table_layout import (
    cell_text,
    marker,
    periods,
    shown_rows,
)


@dataclass(frozen=True)
class Drawing:
    """What a chart of bars shows: its bars, its title and the subtitle."""

    bars: tuple[Bar, ...]
    title: str
    subtitle: str


def charts_of(
    exhibit: Exhibit,
    rows: Sequence[Row],
    whose: Partnership,
    places: Sequence[Place],
    footnotes: Sequence[str],
    synthetic: bool,
) -> list[Chart]:
    """Draw an exhibit for each district of a partnership; nothing where it has no chart."""
    charts = []
    for place in places:
        slug = exhibit.slug if len(places) == 1 else f"{exhibit.slug}_{place.code}"
        chart = _chart(exhibit, rows, whose, place, slug, footnotes, synthetic)
        if chart is not None:
            charts.append(chart)
    return charts


def _chart(
    exhibit: Exhibit,
    rows: Sequence[Row],
    whose: Partnership,
    place: Place,
    slug: str,
    footnotes: Sequence[str],
    synthetic: bool,
) -> Chart | None:
    if exhibit.chart == "control":
        own = place.own(rows)
        if not own:
            return None
        series = monthly_series(own)
        return control_chart(
            series,
            month_chart_words(series, slug, exhibit.label, exhibit.subject, footnotes, synthetic),
        )
    rule = _RULES.get(exhibit.table)
    drawing = rule(exhibit, shown_rows(exhibit, rows, whose), place) if rule and rows else None
    if drawing is None or not drawing.bars:
        return None
    values = [
        (", ".join(part for part in (bar.group, bar.label) if part), bar.text)
        for bar in drawing.bars
    ]
    if exhibit.chart == "pairs":
        values = [
            (f"{bar.label}, {place.name if bar.own else place.force_name}", bar.text)
            for bar in drawing.bars
        ]
    words = bar_chart_words(
        slug, exhibit.label, drawing.title, drawing.subtitle, values, footnotes, synthetic
    )
    if exhibit.chart == "pairs":
        return pair_chart(drawing.bars, words, (place.name, place.force_name))
    draw = {"bars": bar_chart, "panels": panel_chart, "intervals": interval_chart}
    return draw[str(exhibit.chart)](drawing.bars, words)


def _field(exhibit: Exhibit, column: str) -> Field:
    return next(field for field in exhibit.fields if field.column == column)


def _text(exhibit: Exhibit, row: Row, column: str) -> str:
    """Return a cell's text; a marker comes with its meaning."""
    field = _field(exhibit, column)
    return explained(marker(row, field)) if row[column] is None else cell_text(row, field)


def _value(row: Row, column: str) -> float | None:
    value = row[column]
    return None if value is None else float(value)  # type: ignore[arg-type]


def _ranked(bars: Sequence[Bar]) -> tuple[Bar, ...]:
    """Return bars from the greatest value to the least, those without one last."""
    return tuple(sorted(bars, key=lambda bar: (bar.value is None, -(bar.value or 0))))


def _dwellings(exhibit: Exhibit, rows: Sequence[Row], place: Place) -> Drawing | None:
    if not rows:
        return None
    bars = [
        Bar(
            str(row["area_name"]),
            _value(row, "rate_per_1000"),
            _text(exhibit, row, "rate_per_1000"),
            row["area_code"] == place.code,
        )
        for row in rows
    ]
    return Drawing(
        _ranked(bars),
        f"Social dwellings per 1,000 people, {place.name} and its neighbours, {periods(rows)}",
        "Local authority, private registered provider and other public sector dwellings at "
        "31 March",
    )


def _juveniles(exhibit: Exhibit, rows: Sequence[Row], place: Place) -> Drawing | None:
    years = [row for row in rows if row["period_type"] == "calendar_year" and row["csp"]]
    latest = max((str(row["period_start"]) for row in years), default="")
    drawn = [row for row in years if str(row["period_start"]) == latest]
    if not drawn:
        return None
    bars = [
        Bar(
            str(row["area_name"]),
            _value(row, "juvenile_offenders"),
            _text(exhibit, row, "juvenile_offenders"),
            row["area_code"] == place.code,
        )
        for row in drawn
    ]
    return Drawing(
        _ranked(bars),
        f"Juvenile offenders by district, {periods(drawn)}",
        "Young people registered with a youth offending service, each once",
    )


def _first_time(exhibit: Exhibit, rows: Sequence[Row], place: Place) -> Drawing | None:
    own = sorted(place.own(rows), key=lambda row: str(row["period_start"]))
    if not own:
        return None
    bars = [
        Bar(
            str(row["period_label"]),
            _value(row, "first_time_entrants"),
            _text(exhibit, row, "first_time_entrants"),
            True,
        )
        for row in own
    ]
    return Drawing(
        tuple(bars),
        f"First-time entrants to youth offending services in {place.name}, {periods(own)}",
        "Young people, by financial year",
    )


def _profile(exhibit: Exhibit, rows: Sequence[Row], place: Place) -> Drawing | None:
    own = [row for row in place.own(rows) if row["dimension"] != "All"]
    if not own:
        return None
    bars = [
        Bar(
            str(row["category"]),
            _value(row, "percent_of_all"),
            _text(exhibit, row, "percent_of_all"),
            True,
            str(row["dimension"]),
        )
        for row in own
    ]
    return Drawing(
        tuple(bars),
        f"A profile of known offenders in {place.name}, {periods(own)}",
        "Per cent of all known offenders",
    )


def _pathways(exhibit: Exhibit, rows: Sequence[Row], place: Place) -> Drawing | None:
    drawn = [
        row
        for row in rows
        if row["area_code"] in (place.code, place.force_code)
        and row.get("dimension", "Pathways") == "Pathways"
        and int(str(row["row_order"])) > 0
    ]
    if not place.own(drawn):
        return None
    name = "pathway" if "pathway" in drawn[0] else "category"
    own_first = sorted(
        drawn, key=lambda row: (int(str(row["row_order"])), row["area_code"] != place.code)
    )
    bars = [
        Bar(
            str(row[name]),
            _value(row, "percent"),
            _text(exhibit, row, "percent"),
            row["area_code"] == place.code,
        )
        for row in own_first
    ]
    return Drawing(
        tuple(bars),
        f"Needs of assessed offenders, {drawn[0]['cohort']}, {place.name}, {periods(drawn)}",
        f"Per cent of those assessed, {place.name} and {place.force_name}",
    )


def _accommodation(
    value: str, count: str, base: str, cohort_period: bool
) -> Callable[[Exhibit, Sequence[Row], Place], Drawing | None]:
    def rule(exhibit: Exhibit, rows: Sequence[Row], place: Place) -> Drawing | None:
        chosen = [row for row in rows if row["area_code"] in (place.code, place.force_code)]
        if not chosen:
            return None
        ordered = sorted(chosen, key=lambda row: (
            str(row.get("cohort_order") or ""), str(row["cohort"]),
            str(row.get("period_start") or ""), row["area_code"] != place.code,
        ))  # fmt: skip
        bars = [
            Bar(
                str(row["area_name"]),
                _value(row, value),
                _of(exhibit, row, value, count, base),
                row["area_code"] == place.code,
                f"{row['cohort']}, {row['period_label']}" if cohort_period else str(row["cohort"]),
                _value(row, f"{value}_lower"),
                _value(row, f"{value}_upper"),
            )
            for row in ordered
        ]
        return Drawing(
            tuple(bars),
            f"{exhibit.subject}, {place.name}, {periods(chosen)}",
            "Share of those assessed with an accommodation need, and its 95% confidence limits",
        )

    return rule


def _of(exhibit: Exhibit, row: Row, value: str, count: str, base: str) -> str:
    """Return a share with its count and base, such as 13.3% (25 of 188)."""
    share = _text(exhibit, row, value)
    if row[value] is None or row[count] is None or row[base] is None:
        return share
    counts = (cell_text(row, _field(exhibit, name)) for name in (count, base))
    return f"{share} ({' of '.join(counts)})"


def _released(exhibit: Exhibit, rows: Sequence[Row], place: Place) -> Drawing | None:
    if not rows:
        return None
    bars = [
        Bar(
            str(row["area_name"]),
            _value(row, "proportion"),
            _of(exhibit, row, "proportion", "no_fixed_abode", "released"),
            row["area_code"] == place.code,
        )
        for row in rows
        if row["released"] != 0
    ]
    return Drawing(
        _ranked(bars),
        f"{exhibit.subject} with no fixed abode, by area of release, {periods(rows)}",
        "Share of those released",
    )


_RULES: Mapping[str, Callable[[Exhibit, Sequence[Row], Place], Drawing | None]] = MappingProxyType(
    {
        "figure_2_offender_profile": _profile,
        "figure_3_juvenile_offenders": _juveniles,
        "figure_4_first_time_entrants": _first_time,
        "figure_5_nps_profile": _pathways,
        "table_3_oasys_pathways": _pathways,
        "figure_6_accommodation_need": _accommodation(
            "percent", "offenders_with_need", "assessed", False
        ),
        "figure_6_prison_and_youth_need": _accommodation(
            "proportion", "with_need", "assessed", True
        ),
        "figure_7_males_released": _released,
        "figure_8_females_released": _released,
        "table_5_social_dwellings": _dwellings,
    }
)

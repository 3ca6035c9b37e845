"""What is said beside a chart: its title, its footnotes, and the text for those who cannot see it.

Worded from the data alone; a claim of change is made only where the control chart signals one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from orchestration.exports.selection import Row
from orchestration.exports.series import MonthlySeries, gaps

SHORTHAND: Mapping[str, str] = MappingProxyType(
    {
        "[c]": "confidential",
        "[x]": "not available",
        "[z]": "not applicable",
        "[b]": "break in the series: not comparable with earlier figures",
        "[p]": "provisional",
        "[r]": "revised since the release of the quarter before",
        "[u]": "low reliability",
    }
)
"""Markers of UK official statistics and what each means."""


@dataclass(frozen=True)
class ChartWords:
    """The words on a chart, and ``alt``, the text in place of it."""

    slug: str
    number: str
    title: str
    subtitle: str
    footnotes: tuple[str, ...]
    alt: str


def month_name(month: date) -> str:
    """Return the month as people write it, such as April 2018."""
    return f"{month:%B} {month.year}"


def month_chart_words(
    series: MonthlySeries,
    slug: str,
    number: str,
    subject: str,
    footnotes: Sequence[str],
    synthetic: bool,
) -> ChartWords:
    """Return the words for a control chart of ``subject`` (such as Shoplifting)."""
    span = f"{month_name(series.months[0])} to {month_name(series.months[-1])}"
    title = f"{subject} in {series.area_name} by month, {span}"
    missing = [month for month, value in zip(series.months, series.offences, strict=True)
               if value is None]  # fmt: skip
    notes = list(footnotes)
    if missing:
        notes.insert(0, "Shaded: months for which no data have been supplied. They are not zero.")
    alt = [f"Line chart. {title}.", *_range_sentences(series), *_limit_sentences(series)]
    if missing:
        stretches = [
            _stretch(series.months[gap.start], series.months[gap.stop - 1])
            for gap in gaps(series.offences)
        ]
        alt.append(f"No data, and a gap in the line, for {'; '.join(stretches)}.")
    if synthetic:
        alt.append("The data are synthetic.")
    return ChartWords(
        slug=slug,
        number=number,
        title=title,
        subtitle=f"Offences recorded by the police each month, {_limits_phrase(series)}",
        footnotes=tuple(notes),
        alt=" ".join(alt),
    )


def rate_chart_words(
    rows: Sequence[Row], own: str, footnotes: Sequence[str], synthetic: bool
) -> ChartWords:
    """Return the words for the bar chart of social dwellings in the latest year of Table 5."""
    year = rows[0]["stock_year"]
    title = f"Social dwellings per 1,000 people, {own} and its neighbours, {year}"
    values = "; ".join(f"{row['area_name']} {rate_label(row)}" for row in ranked(rows))
    alt = [f"Bar chart. {title}.", f"From the highest: {values}."]
    if synthetic:
        alt.append("The data are synthetic.")
    return ChartWords(
        slug="table_5_social_dwellings_rate",
        number="Table 5",
        title=title,
        subtitle="Local authority, private registered provider and other public sector dwellings "
        "at 31 March",
        footnotes=tuple(footnotes),
        alt=" ".join(alt),
    )


def ranked(rows: Sequence[Row]) -> list[Row]:
    """Return rows of Table 5 from the highest rate to the lowest, those without one last."""
    return sorted(rows, key=lambda row: (row["rate_per_1000"] is None, -(rate(row) or 0)))


def rate(row: Row) -> float | None:
    """Return the row's rate per 1,000 people, or none where it has none."""
    value = row["rate_per_1000"]
    return None if value is None else float(value)  # type: ignore[arg-type]


def rate_label(row: Row) -> str:
    """Return the row's rate to one decimal, or its marker with its meaning where it has none."""
    value = rate(row)
    if value is not None:
        return f"{value:.1f}"
    marker = str(row.get("status") or "[x]")
    return f"{marker} {SHORTHAND.get(marker.split()[0], '')}".strip()


def count_text(value: float) -> str:
    """Return a count with thousands separated, such as 1,234."""
    return f"{value:,.0f}"


def _range_sentences(series: MonthlySeries) -> list[str]:
    known = [
        (value, month)
        for month, value in zip(series.months, series.offences, strict=True)
        if value is not None
    ]
    if not known:
        return ["No month has data."]
    low, low_month = min(known)
    high, high_month = max(known)
    latest, latest_month = known[-1]
    return [
        f"Lowest {count_text(low)} ({month_name(low_month)}), "
        f"highest {count_text(high)} ({month_name(high_month)}), "
        f"latest {count_text(latest)} ({month_name(latest_month)})."
    ]


def _limit_sentences(series: MonthlySeries) -> list[str]:
    last = last_limits(series)
    if last is None:
        return ["Too few successive months for control limits."]
    centre, lower, upper = series.centre[last], series.lower[last], series.upper[last]
    if centre is None or lower is None or upper is None:
        return ["Too few successive months for control limits."]
    low = f"{lower:.1f}" if lower > 0 else "none, as it lies below zero"
    sentences = [f"Latest average {centre:.1f}, upper limit {upper:.1f}, lower limit {low}."]
    signals = [signal for signal in series.signals if signal]
    if not signals:
        return [*sentences, "No month signals a change."]
    parts = [
        f"{signals.count(kind)} {kind}"
        for kind in ("above limit", "below limit", "run above centre", "run below centre")
        if kind in signals
    ]
    months = "month signals" if len(signals) == 1 else "months signal"
    return [*sentences, f"{len(signals)} {months} a change: {', '.join(parts)}."]


def last_limits(series: MonthlySeries) -> int | None:
    """Return the position of the last month that has control limits, or none."""
    places = [place for place, value in enumerate(series.centre) if value is not None]
    return places[-1] if places else None


def _limits_phrase(series: MonthlySeries) -> str:
    if last_limits(series) is None:
        return "too few in succession for limits of usual variation"
    return "with their average and the limits of usual variation"


def _stretch(first: date, last: date) -> str:
    return month_name(first) if first == last else f"{month_name(first)} to {month_name(last)}"

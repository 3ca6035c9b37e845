"""The text of a chart: its title, its footnotes, and its alternative text.

Generated from the data alone. A change is stated only where the control chart signals one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from orchestration.exports.charts.monthly_series import (
    MonthlySeries,
    gaps,
    restarts,
    stretches_by_reason,
)

SHORTHAND: Mapping[str, str] = MappingProxyType(
    {
        "[c]": "confidential",
        "[x]": "not available",
        "[z]": "not applicable",
        "[b]": "break in the series: not comparable with earlier figures",
        "[f]": "forecast",
        "[p]": "provisional",
        "[r]": "revised since the release of the quarter before",
        "[u]": "low reliability",
    }
)
"""Markers of UK official statistics and what each means."""


SYNTHETIC_MARK = "Synthetic data"
"""What marks a chart, a source, or a printed page with such data."""

ESTIMATORS: Mapping[str, str] = MappingProxyType(
    {
        "ons_mid_year": "Office for National Statistics",
        "research_group": "local research group",
    }
)
"""Who makes population estimates, by the name in the data."""


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


def day_name(day: date) -> str:
    """Return a day as people write it, such as 30 June 2018."""
    return f"{day.day} {month_name(day)}"


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
        notes.insert(0, _shading(series))
    alt = [
        f"Line chart. {title}.",
        *_range_sentences(series),
        *_adjusted_sentences(series),
        *_limit_sentences(series),
    ]
    if missing:
        stretches = [
            stretch_name(series.months[gap.start], series.months[gap.stop - 1])
            for gap in gaps(series.offences)
        ]
        alt.append(f"No data, and a gap in the line, for {'; '.join(stretches)}.")
        alt += [f"{one}." for one in missing_months(_reasons(series))]
    if synthetic:
        alt.append("The data are synthetic.")
    return ChartWords(
        slug=slug,
        number=number,
        title=title,
        subtitle=f"Offences recorded by the police each month{_adjusted_phrase(series)}, "
        f"{_limits_phrase(series)}",
        footnotes=tuple(notes),
        alt=" ".join(alt),
    )


def missing_months(reasons: Mapping[date, str]) -> list[str]:
    """Say why months have no data: a phrase for each reason, with its months."""
    return [
        f"{', '.join(stretch_name(*one) for one in stretches)}: {reason}"
        for reason, stretches in stretches_by_reason(reasons).items()
    ]


def _reasons(series: MonthlySeries) -> dict[date, str]:
    return {
        month: reason
        for month, reason in zip(series.months, series.missing_because, strict=True)
        if reason
    }


def _shading(series: MonthlySeries) -> str:
    """Say what the shading means; the months themselves are to be seen."""
    reasons = "; ".join(stretches_by_reason(_reasons(series)))
    said = f" ({reasons})" if reasons else ""
    return f"Shaded: months without data{said}. They are not zero."


def bar_chart_words(
    slug: str,
    number: str,
    title: str,
    subtitle: str,
    values: Sequence[tuple[str, str]],
    footnotes: Sequence[str],
    synthetic: bool,
) -> ChartWords:
    """Return the words for a chart of single values: each label with its text, in order."""
    listed = "; ".join(f"{label} {text}" for label, text in values)
    alt = [f"Chart. {title}.", f"{listed}."]
    if synthetic:
        alt.append("The data are synthetic.")
    return ChartWords(slug, number, title, subtitle, tuple(footnotes), " ".join(alt))


def explained(marker: str) -> str:
    """Return a marker with its meaning, such as ``[c] confidential``."""
    return f"{marker} {SHORTHAND.get(marker, '')}".strip()


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


def _adjusted_sentences(series: MonthlySeries) -> list[str]:
    """Say what the latest month is without its season, where a line shows it."""
    known = [
        (value, month)
        for month, value in zip(series.months, series.adjusted, strict=True)
        if value is not None
    ]
    if not known:
        return []
    value, month = known[-1]
    return [
        f"A thinner line has the offences without their season, {value:.0f} in {month_name(month)}."
    ]


def _limit_sentences(series: MonthlySeries) -> list[str]:
    last = last_limits(series)
    if last is None:
        return ["Too few successive months for control limits."]
    centre, lower, upper = series.centre[last], series.lower[last], series.upper[last]
    if centre is None or lower is None or upper is None:
        return ["Too few successive months for control limits."]
    low = f"{lower:.1f}" if lower > 0 else "none, as it lies below zero"
    sentences = [
        f"Latest average {centre:.1f}, upper limit {upper:.1f}, lower limit {low}.",
        *(shift_sentence(series, place) for place in restarts(series)),
    ]
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


def shift_sentence(series: MonthlySeries, place: int) -> str:
    """Say between which averages a series shifted at ``place``, where limits are drawn anew."""
    since, centre = month_name(series.months[place]), series.centre[place]
    before = series.centre[place - 1] if place else None
    if centre is None or before is None:
        return f"Limits are drawn anew from {since}, after a sustained shift."
    return (
        f"A sustained shift in {since}: the average went from {before:.1f} to {centre:.1f} a "
        "month, and limits are drawn anew from there."
    )


def last_limits(series: MonthlySeries) -> int | None:
    """Return the position of the last month that has control limits, or none."""
    places = [place for place, value in enumerate(series.centre) if value is not None]
    return places[-1] if places else None


def _adjusted_phrase(series: MonthlySeries) -> str:
    adjusted = any(value is not None for value in series.adjusted)
    return ", and without their season" if adjusted else ""


def _limits_phrase(series: MonthlySeries) -> str:
    if last_limits(series) is None:
        return "too few in succession for limits of usual variation"
    return "with their average and the limits of usual variation"


def stretch_name(first: date, last: date) -> str:
    """Return a stretch of months by its first and last, such as May 2018 to July 2018."""
    return month_name(first) if first == last else f"{month_name(first)} to {month_name(last)}"

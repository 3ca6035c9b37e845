"""Charts as SVG and PNG, drawn with Matplotlib in the Analysis Function's palette.

Every chart states what it shows, labels its lines directly, leaves a gap where there is no data,
and carries its alternative text. The same data gives the same bytes. Figures are made without
pyplot, which keeps a global list of them.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from textwrap import wrap
from typing import Any

import matplotlib
from afcharts.af_colours import get_af_colours
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from orchestration.exports.charts.chart_text import (
    ChartWords,
    count_text,
    last_limits,
)
from orchestration.exports.charts.monthly_series import (
    MonthlySeries,
    Value,
    gaps,
    restarts,
    runs,
    steps,
)

WIDTH, HEIGHT = 10.0, 5.6
"""Size of a chart in inches; 128 dots an inch make 1,280 by 717 pixels."""

DOTS_PER_INCH = 128
TEXT = "#1A1A1A"
QUIET_TEXT = "#505A5F"
GRID = "#CCCCCC"
SHADE = "#F2F2F2"

_LEFT = 0.022
_FOOTNOTE_SIZE = 8.5
_FOOTNOTE_LINE = 0.1484
"""Inches from one line of the footnotes to the next."""

_HEAD = 1.204
"""Inches above the axes, for number, title and subtitle."""

_FOOTNOTE_CHARACTERS = 150
_TITLE_SIZE = 13.0
_TITLE_CHARACTERS = 78

_SVG_FONT = "'DejaVu Sans'"
_SVG_FONTS = "'DejaVu Sans', Arial, Helvetica, sans-serif"


@dataclass(frozen=True)
class Palette:
    """Colours by what they are used for."""

    main: str
    adjusted: str
    signal: str
    limits: str
    muted: str
    text: str = TEXT


@dataclass(frozen=True)
class Chart:
    """A drawn chart: both formats, and the text for those who cannot see it."""

    slug: str
    svg: bytes
    png: bytes
    alt: str


@dataclass(frozen=True)
class _Label:
    text: str
    at: float
    colour: str
    weight: str = "normal"


@cache
def palette() -> Palette:
    """Return the Analysis Function colours: dark blue, dark pink, orange and greys."""
    categorical = get_af_colours("categorical")
    return Palette(
        main=categorical[0],
        adjusted=categorical[2],
        signal=categorical[3],
        limits=categorical[4],
        muted=get_af_colours("focus")[1],
    )


def area_colours() -> list[str]:
    """Return the Analysis Function's colours of categories, which the colour-blind tell apart."""
    return list(get_af_colours("categorical"))


def control_chart(series: MonthlySeries, words: ChartWords) -> Chart:
    """Draw offences a month with their average, control limits, signals and breaks."""
    with matplotlib.rc_context(style(words)):
        return finished(control_figure(series, words), words)


def control_figure(series: MonthlySeries, words: ChartWords) -> Figure:
    """Return the figure of :func:`control_chart`, not yet turned into bytes.

    Each unbroken run of months is one line with the gid ``offences``.
    """
    figure, axes = canvas(words, left=0.055, right=0.84, axis_height=0.34)
    colours = palette()
    _shade_gaps(axes, series)
    for values, dashes in ((series.centre, (5, 2.5)), (series.upper, (1.2, 2)),
                           (_above_zero(series.lower), (1.2, 2))):  # fmt: skip
        _draw_level(axes, values, colours.limits, dashes)
    _draw_adjusted(axes, series, colours)
    _draw_offences(axes, series, colours)
    _mark_breaks(axes, series, colours)
    _mark_restarts(axes, series, colours)
    _month_axis(axes, series)
    _count_axis(axes, series)
    _label_lines(axes, series, colours)
    return figure


def style(words: ChartWords) -> dict[Any, Any]:
    """Return the settings under which every chart is drawn and turned into bytes."""
    return {
        # The font that comes with Matplotlib: the layout is the same on every machine.
        "font.family": "DejaVu Sans",
        "font.size": 10.5,
        "text.color": TEXT,
        "axes.labelcolor": TEXT,
        "axes.edgecolor": GRID,
        "xtick.labelcolor": TEXT,
        "ytick.labelcolor": TEXT,
        # Text stays text: readable by a screen reader, searchable, and small.
        "svg.fonttype": "none",
        # Without a salt of its own the drawing would have new random names every time.
        "svg.hashsalt": words.slug,
    }


def canvas(
    words: ChartWords, left: float, right: float, axis_height: float = 0.0, height: float = HEIGHT
) -> tuple[Figure, Axes]:
    """Return a figure with its words written, and axes between them and the footnotes.

    ``left`` and ``right`` are shares of the width; ``axis_height`` is the room in inches for the
    labels of the axis below, ``height`` that of the whole figure.
    """
    figure = Figure(figsize=(WIDTH, height), dpi=DOTS_PER_INCH, facecolor="white")
    FigureCanvasAgg(figure)
    notes = [line for note in words.footnotes for line in wrap(note, _FOOTNOTE_CHARACTERS)]
    bottom = (0.224 + _FOOTNOTE_LINE * len(notes) + axis_height) / height
    axes = figure.add_axes((left, bottom, right - left, 1 - _HEAD / height - bottom))
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_axisbelow(True)
    size = _TITLE_SIZE * min(1, _TITLE_CHARACTERS / len(words.title))
    for inches, text, options in (
        (0.196, words.number, {"size": 10.5, "color": QUIET_TEXT}),
        (0.42, words.title, {"size": size, "weight": "bold"}),
        (0.717, words.subtitle, {"size": 10}),
    ):
        figure.text(_LEFT, 1 - inches / height, text, va="top", **options)
    figure.text(
        _LEFT, 0.112 / height, "\n".join(notes), size=_FOOTNOTE_SIZE, va="bottom",
        color=QUIET_TEXT,
    )  # fmt: skip
    return figure, axes


def _shade_gaps(axes: Axes, series: MonthlySeries) -> None:
    for gap in gaps(series.offences):
        axes.axvspan(gap.start - 0.5, gap.stop - 0.5, color=SHADE, lw=0, zorder=0)
        if len(gap) >= 0.1 * len(series.months):
            axes.text(
                (gap.start + gap.stop - 1) / 2,
                0.04,
                "No data",
                transform=axes.get_xaxis_transform(),
                ha="center",
                size=9.5,
                color=QUIET_TEXT,
            )


def _draw_level(
    axes: Axes, values: Sequence[Value], colour: str, dashes: tuple[float, float]
) -> None:
    """Draw a level, such as a limit, as a flat line for each stretch in which it is the same."""
    for step in steps(values):
        level = values[step.start]
        if level is not None:
            axes.plot(
                [step.start - 0.4, step.stop - 0.6],
                [level, level],
                color=colour,
                lw=1.3,
                dashes=dashes,
                zorder=2,
            )


def _draw_adjusted(axes: Axes, series: MonthlySeries, colours: Palette) -> None:
    for run in runs(series.adjusted):
        values = [value for value in series.adjusted[run.start : run.stop] if value is not None]
        axes.plot(list(run), values, color=colours.adjusted, lw=1.4, gid="adjusted", zorder=2.5)


def _draw_offences(axes: Axes, series: MonthlySeries, colours: Palette) -> None:
    for run in runs(series.offences):
        values = [value for value in series.offences[run.start : run.stop] if value is not None]
        # A month alone between two gaps has no line to show it.
        marker = "o" if len(run) == 1 else ""
        axes.plot(
            list(run), values, color=colours.main, lw=2, marker=marker, ms=5, gid="offences",
            zorder=3, solid_joinstyle="round",
        )  # fmt: skip
    signalled = [
        (place, value)
        for place, value in enumerate(series.offences)
        if value is not None and series.signals[place]
    ]
    if signalled:
        axes.plot(
            [place for place, _ in signalled],
            [value for _, value in signalled],
            ls="",
            marker="o",
            ms=6,
            mfc=colours.signal,
            mec="white",
            mew=0.8,
            gid="signals",
            zorder=4,
        )


def _mark_breaks(axes: Axes, series: MonthlySeries, colours: Palette) -> None:
    for place, status in enumerate(series.statuses):
        if status and "[b]" in status and place:
            _mark(axes, place, "Break in series", colours)


def _mark_restarts(axes: Axes, series: MonthlySeries, colours: Palette) -> None:
    for place in restarts(series):
        _mark(axes, place, "Limits drawn anew", colours)


def _mark(axes: Axes, place: int, text: str, colours: Palette) -> None:
    """Draw an upright line before a month and say beside it what begins there."""
    axes.axvline(place - 0.5, color=colours.limits, lw=1, zorder=1)
    axes.text(
        place - 0.3,
        0.97,
        text,
        transform=axes.get_xaxis_transform(),
        va="top",
        size=9,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )


def _month_axis(axes: Axes, series: MonthlySeries) -> None:
    last = len(series.months) - 1
    axes.set_xlim(-0.7, last + 0.7)
    januaries = [place for place, month in enumerate(series.months) if month.month == 1]
    if len(series.months) > 24:
        every = 1 if len(januaries) <= 12 else 2
        shown = januaries[::every]
        axes.set_xticks(shown, [str(series.months[place].year) for place in shown])
    else:
        shown = [place for place, month in enumerate(series.months) if month.month % 3 == 1]
        axes.set_xticks(shown, [f"{series.months[place]:%b %Y}" for place in shown])
    axes.tick_params(axis="x", color=GRID, length=5)


def _count_axis(axes: Axes, series: MonthlySeries) -> None:
    drawn = (*series.offences, *series.adjusted, *series.upper)
    values = [value for value in drawn if value is not None]
    axes.set_ylim(0, 1.08 * max([*values, 1]))
    axes.locator_params(axis="y", nbins=6, integer=True)
    axes.yaxis.set_major_formatter(lambda value, _: count_text(value))
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color=GRID, lw=0.6)


def _label_lines(axes: Axes, series: MonthlySeries, colours: Palette) -> None:
    """Name each line at its right end, apart from one another, instead of in a legend."""
    last = len(series.months) - 1
    labels = []
    latest = series.offences[last]
    if latest is not None:
        labels.append(_Label(f"Offences {count_text(latest)}", latest, colours.main, "bold"))
    adjusted = series.adjusted[last]
    if adjusted is not None:
        labels.append(_Label(f"Without season {adjusted:.0f}", adjusted, colours.adjusted))
    anchor = last_limits(series)
    limits = [] if anchor is None else _limit_labels(series, anchor, colours)
    if anchor == last:
        _write_labels(axes, last + 0.9, [*labels, *limits])
    else:
        _write_labels(axes, last + 0.9, labels)
        if anchor is not None:
            _write_labels(axes, anchor + 0.6, limits)
    if any(series.signals):
        axes.annotate(
            "●", (1, 1.03), xycoords="axes fraction", xytext=(8, 0), textcoords="offset points",
            color=colours.signal, size=11, annotation_clip=False,
        )  # fmt: skip
        axes.annotate(
            "signals a change", (1, 1.03), xycoords="axes fraction", xytext=(21, 0.5),
            textcoords="offset points", size=9.5, annotation_clip=False,
        )  # fmt: skip


def _limit_labels(series: MonthlySeries, place: int, colours: Palette) -> list[_Label]:
    levels = (
        ("Upper limit", series.upper[place]),
        ("Average", series.centre[place]),
        ("Lower limit", _above_zero(series.lower)[place]),
    )
    return [
        _Label(f"{name} {level:.1f}", level, colours.limits)
        for name, level in levels
        if level is not None
    ]


def _write_labels(axes: Axes, x: float, labels: Sequence[_Label]) -> None:
    top = axes.get_ylim()[1]
    ordered = sorted(labels, key=lambda label: label.at)
    for label, y in zip(ordered, spread([item.at for item in ordered], top / 17), strict=True):
        axes.text(
            x, y, label.text, color=label.colour, weight=label.weight, va="center", size=9.5,
            clip_on=False,
        )  # fmt: skip


def spread(places: Sequence[float], gap: float) -> list[float]:
    """Return ascending ``places`` moved apart until each is ``gap`` from the next.

    Places that are too close are moved together about their own middle.
    """
    groups: list[list[float]] = []
    for place in places:
        groups.append([place])
        while len(groups) > 1 and _middle(groups[-1]) - _middle(groups[-2]) < gap * (
            (len(groups[-1]) + len(groups[-2])) / 2
        ):
            last = groups.pop()
            groups[-1] += last
    return [
        _middle(group) + gap * (place - (len(group) - 1) / 2)
        for group in groups
        for place in range(len(group))
    ]


def _middle(group: Sequence[float]) -> float:
    return sum(group) / len(group)


def _above_zero(values: Sequence[Value]) -> tuple[Value, ...]:
    """Return limits without those at or below zero: a count cannot pass them."""
    return tuple(value if value is not None and value > 0 else None for value in values)


def finished(figure: Figure, words: ChartWords) -> Chart:
    """Return a drawn figure as SVG and PNG, with nothing in them that changes from run to run."""
    svg, png = io.StringIO(), io.BytesIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(svg, format="svg", metadata=nothing)
    figure.savefig(
        png,
        format="png",
        dpi=DOTS_PER_INCH,
        metadata={"Software": None},
        pil_kwargs={"compress_level": 4},
    )
    return Chart(words.slug, _accessible(svg.getvalue(), words), png.getvalue(), words.alt)


def _accessible(svg: str, words: ChartWords) -> bytes:
    """Put title and description into the SVG, and let it fall back on common fonts."""
    title, description = f"{words.slug}-title", f"{words.slug}-description"
    opening = svg.index("<svg")
    end = svg.index(">", opening)
    head = (
        f'{svg[:end]} role="img" aria-labelledby="{title} {description}">\n'
        f' <title id="{title}">{escape(words.title)}</title>\n'
        f' <desc id="{description}">{escape(words.alt)}</desc>'
    )
    return (head + svg[end + 1 :]).replace(_SVG_FONT, _SVG_FONTS).encode()

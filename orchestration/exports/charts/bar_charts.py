"""Bars and intervals as SVG and PNG: all charts but monthly series.

Each bar is labelled with its value, so no chart has an axis of values or a legend. A hidden or
missing value is a text instead of a bar, never a bar of zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import fill

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from orchestration.exports.charts.chart_text import ChartWords
from orchestration.exports.charts.line_charts import (
    GRID,
    QUIET_TEXT,
    WIDTH,
    Chart,
    Palette,
    canvas,
    finished,
    palette,
    style,
)

_ROW = 0.30
"""Inches from one bar to the next."""

_GROUP = 0.55
"""Inches for the heading of a group of bars."""

_LETTER = 0.1
"""Inches of a letter of a bar's text, with room to spare."""

_LEAST_ROOM = 1.15
"""The axis by the longest bar, at least."""

_LONGEST_WORD = 6
"""Letters by which the first of two lines may be the longer one."""


@dataclass(frozen=True)
class Bar:
    """A bar: its label, its value (none where there is none), its text, and whether it is own.

    ``lower`` and ``upper`` are the limits of an interval. ``group`` heads bars that belong
    together. Bars that are not ``own`` are drawn in a quiet colour.
    """

    label: str
    value: float | None
    text: str
    own: bool
    group: str = ""
    lower: float | None = None
    upper: float | None = None


def bar_chart(bars: Sequence[Bar], words: ChartWords) -> Chart:
    """Draw bars one under another, by group."""
    with matplotlib.rc_context(style(words)):
        return finished(bar_figure(bars, words), words)


def panel_chart(bars: Sequence[Bar], words: ChartWords) -> Chart:
    """Draw groups of bars in two columns, of one scale."""
    with matplotlib.rc_context(style(words)):
        return finished(panel_figure(bars, words), words)


def pair_chart(bars: Sequence[Bar], words: ChartWords, names: tuple[str, str]) -> Chart:
    """Draw two bars for each label: the own, and the one to compare with; ``names`` names them."""
    with matplotlib.rc_context(style(words)):
        return finished(pair_figure(bars, words, names), words)


def interval_chart(bars: Sequence[Bar], words: ChartWords) -> Chart:
    """Draw each value as a point with its interval, by group."""
    with matplotlib.rc_context(style(words)):
        return finished(interval_figure(bars, words), words)


def bar_figure(bars: Sequence[Bar], words: ChartWords) -> Figure:
    """Return the figure of :func:`bar_chart`, not yet turned into bytes."""
    places, height = _places(bars)
    left, right = 0.30, 0.945
    figure, axes = canvas(words, left=left, right=right, height=_height(words, height))
    room = _room(bars, (right - left) * WIDTH, (1 - right) * WIDTH)
    _frame(axes, height, [bar.value for bar in bars], room)
    _draw_bars(axes, bars, places, palette())
    return figure


def pair_figure(bars: Sequence[Bar], words: ChartWords, names: tuple[str, str]) -> Figure:
    """Return the figure of :func:`pair_chart`, not yet turned into bytes."""
    labels = list(dict.fromkeys(bar.label for bar in bars))
    height = 2 * _ROW * len(labels)
    figure, axes = canvas(words, left=0.33, right=0.945, height=_height(words, height))
    _frame(axes, height, [bar.value for bar in bars])
    colours = palette()
    for bar in bars:
        middle = (2 * labels.index(bar.label) + 1) * _ROW
        place = middle + (-0.11 if bar.own else 0.11)
        name = names[0] if bar.own else names[1]
        text = f"{bar.text}  {name}" if bar.label == labels[0] else bar.text
        _draw_bar(axes, bar, place, 0.2, text, colours)
        axes.texts[-1].set_fontsize(9)
    axes.set_yticks([(2 * place + 1) * _ROW for place in range(len(labels))], labels)
    return figure


def interval_figure(bars: Sequence[Bar], words: ChartWords) -> Figure:
    """Return the figure of :func:`interval_chart`, not yet turned into bytes."""
    places, height = _places(bars)
    figure, axes = canvas(words, left=0.34, right=0.80, height=_height(words, height))
    _frame(axes, height, [bar.upper if bar.upper is not None else bar.value for bar in bars])
    axes.set_xlim(left=0)
    colours = palette()
    edge = axes.get_xlim()[1]
    for bar, place in zip(bars, places, strict=True):
        colour = colours.main if bar.own else colours.limits
        axes.axhline(place, color=GRID, lw=0.6, zorder=0)
        if bar.value is not None and bar.lower is not None and bar.upper is not None:
            axes.plot([bar.lower, bar.upper], [place, place], color=colour, lw=2.2, zorder=2)
        if bar.value is not None:
            axes.plot([bar.value], [place], "o", color=colour, ms=7, gid="value", zorder=3)
        axes.text(
            1.02 * edge, place, bar.text, va="center", clip_on=False,
            weight="bold" if bar.own else "normal",
        )  # fmt: skip
    _label_places(axes, bars, places)
    return figure


def panel_figure(bars: Sequence[Bar], words: ChartWords) -> Figure:
    """Return the figure of :func:`panel_chart`, not yet turned into bytes."""
    groups = list(dict.fromkeys(bar.group for bar in bars))
    columns = _columns([(group, [bar for bar in bars if bar.group == group]) for group in groups])
    height = max(_places(column)[1] for column in columns if column)
    figure, axes = canvas(words, left=0.17, right=0.49, height=_height(words, height))
    box = axes.get_position()
    # The other column is as wide; its labels (offence categories) are longer.
    other = figure.add_axes((0.70, box.y0, 0.27, box.height))
    widest = [bar.value for bar in bars]
    for column, own_axes in zip(columns, (axes, other), strict=True):
        places, _ = _places(column)
        _frame(own_axes, height, widest, room=1.3)
        _draw_bars(own_axes, column, places, palette())
    return figure


def _columns(groups: Sequence[tuple[str, list[Bar]]]) -> tuple[list[Bar], list[Bar]]:
    """Share groups out to two columns of nearly one height, in their order."""
    total = sum(len(bars) for _, bars in groups)
    left: list[Bar] = []
    right: list[Bar] = []
    for _, bars in groups:
        (right if right or len(left) + len(bars) / 2 > total / 2 else left).extend(bars)
    return left, right


def _places(bars: Sequence[Bar]) -> tuple[list[float], float]:
    """Return the position of each bar in inches from the top, and the height of all."""
    places: list[float] = []
    at, group = 0.0, ""
    for bar in bars:
        if bar.group and bar.group != group:
            at += _GROUP if places else 0.35
        group = bar.group
        places.append(at + _ROW / 2)
        at += _ROW
    return places, at


def _height(words: ChartWords, rows: float) -> float:
    """Return the height of a figure whose axes have ``rows`` inches, footnotes aside."""
    return rows + 1.65 + 0.16 * sum(1 + len(note) // 145 for note in words.footnotes)


def _room(bars: Sequence[Bar], inside: float, outside: float) -> float:
    """Return how far the axis goes beyond the longest bar, so that the longest text fits.

    ``inside`` and ``outside`` are the inches of the axes and to the right of them.
    """
    longest = _LETTER * max((len(bar.text) for bar in bars if bar.value is not None), default=0)
    return max(_LEAST_ROOM, 1 / (1 - max(0.0, longest - outside) / inside))


def _frame(
    axes: Axes, height: float, values: Sequence[float | None], room: float = _LEAST_ROOM
) -> None:
    axes.set_ylim(height, 0)
    axes.set_xlim(0, room * max([value for value in values if value is not None] + [1e-9]))
    axes.xaxis.set_visible(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(axis="y", length=0, pad=8)


def _draw_bars(axes: Axes, bars: Sequence[Bar], places: Sequence[float], colours: Palette) -> None:
    for bar, place in zip(bars, places, strict=True):
        _draw_bar(axes, bar, place, 0.68 * _ROW, bar.text, colours)
    _label_places(axes, bars, places)


def _draw_bar(
    axes: Axes, bar: Bar, place: float, thick: float, text: str, colours: Palette
) -> None:
    if bar.value is not None:
        colour = colours.main if bar.own else colours.muted
        axes.barh(place, bar.value, thick, color=colour)
    # An offset in points, as a browser drops the spaces at the start of a text.
    axes.annotate(
        text,
        (bar.value or 0, place),
        xytext=(5, 0),
        textcoords="offset points",
        va="center",
        weight="bold" if bar.own else "normal",
        color=QUIET_TEXT if bar.value is None else colours.text,
    )


def _label_places(axes: Axes, bars: Sequence[Bar], places: Sequence[float]) -> None:
    axes.set_yticks(list(places), [bar.label for bar in bars])
    alike = len({bar.own for bar in bars}) == 1
    labels = axes.get_yticklabels()
    for label, bar in zip(labels, bars, strict=True):
        label.set_fontweight("bold" if bar.own and not alike else "normal")
    axes.set_yticks(list(places), [_in_two_lines_if_cut(label) for label in labels])
    group = ""
    for bar, place in zip(bars, places, strict=True):
        if bar.group and bar.group != group:
            axes.annotate(
                bar.group, (0, place - _ROW / 2 - 0.1), xycoords=("axes fraction", "data"),
                xytext=(-8, 0), textcoords="offset points", ha="right", weight="bold",
                annotation_clip=False,
            )  # fmt: skip
        group = bar.group


def _in_two_lines_if_cut(label: Text) -> str:
    """Return the text of a label, broken in two where one line would leave the figure."""
    text = label.get_text()
    if label.get_window_extent().x0 >= 0:
        return text
    return fill(text, width=len(text) // 2 + _LONGEST_WORD)

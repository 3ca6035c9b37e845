"""A funnel plot: the rates of areas by population, with the limits that chance leaves them.

No figure is computed here: the limits of each area come with its row, and are joined by lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from orchestration.exports.charts.chart_text import ChartWords, count_text
from orchestration.exports.charts.line_charts import (
    GRID,
    HEIGHT,
    QUIET_TEXT,
    WIDTH,
    Chart,
    Palette,
    canvas,
    finished,
    palette,
    style,
)

_LEFT, _RIGHT = 0.055, 0.86
_LETTER, _LINE = 0.075, 0.17
"""Inches of a letter and of a line of a label."""

_GAP, _DOT = 0.09, 0.06
"""Inches between a point and its label, and from the middle of a point to its edge."""


@dataclass(frozen=True)
class FunnelPoint:
    """An area: its population and rate, and the limits of its population, the outer ones last."""

    name: str
    population: float
    rate: float
    own: bool
    warning: tuple[float, float]
    limits: tuple[float, float]

    @property
    def is_outside(self) -> bool:
        """Whether the rate lies outside the outer limits."""
        return not self.limits[0] <= self.rate <= self.limits[1]


def funnel_words(
    points: Sequence[FunnelPoint],
    centre: float,
    slug: str,
    number: str,
    title: str,
    subtitle: str,
    footnotes: Sequence[str],
    synthetic: bool,
) -> ChartWords:
    """Return the words of a funnel plot; the text in place of it says who lies outside."""
    own = [one for one in points if one.own]
    above = [one.name for one in points if one.rate > one.limits[1]]
    below = [one.name for one in points if one.rate < one.limits[0]]
    alt = [
        f"Funnel plot. {title}.",
        *(f"{one.name} {one.rate:.1f}, population {count_text(one.population)}." for one in own),
        f"All {len(points)} areas together {centre:.1f}.",
        f"Above the outer limits: {', '.join(above) or 'none'}.",
        f"Below them: {', '.join(below) or 'none'}.",
    ]
    if synthetic:
        alt.append("The data are synthetic.")
    return ChartWords(slug, number, title, subtitle, tuple(footnotes), " ".join(alt))


def funnel_chart(points: Sequence[FunnelPoint], centre: float, words: ChartWords) -> Chart:
    """Draw areas by population and rate, with the rate of all and the limits around it."""
    with matplotlib.rc_context(style(words)):
        return finished(funnel_figure(points, centre, words), words)


def funnel_figure(points: Sequence[FunnelPoint], centre: float, words: ChartWords) -> Figure:
    """Return the figure of :func:`funnel_chart`, not yet turned into bytes."""
    figure, axes = canvas(words, left=_LEFT, right=_RIGHT, axis_height=0.55)
    colours = palette()
    ordered = sorted(points, key=lambda one: one.population)
    _frame(axes, ordered)
    _draw_limits(axes, ordered, centre, colours)
    for one in sorted(ordered, key=lambda one: one.own):
        colour = colours.main if one.own else colours.signal if one.is_outside else QUIET_TEXT
        axes.plot(
            [one.population], [one.rate], "o", color=colour, ms=9 if one.own else 6, gid="area",
            zorder=4 if one.own else 3,
        )  # fmt: skip
    _label_points(axes, ordered, colours)
    return figure


def _frame(axes: Axes, points: Sequence[FunnelPoint]) -> None:
    values = [value for one in points for value in (one.rate, *one.limits)]
    axes.set_ylim(0, 1.08 * max(values))
    most = max(one.population for one in points)
    axes.set_xlim(0, 1.06 * most)
    axes.grid(axis="y", color=GRID, lw=0.6)
    axes.tick_params(length=0)
    axes.xaxis.set_major_formatter(lambda value, _: count_text(value))
    axes.set_xlabel("Population", color=QUIET_TEXT)


def _draw_limits(
    axes: Axes, points: Sequence[FunnelPoint], centre: float, colours: Palette
) -> None:
    """Draw the rate of all and both pairs of limits, each named at its end."""
    across = [one.population for one in points]
    lines: list[tuple[list[float], tuple[float, float], str]] = [
        ([centre] * len(points), (5, 2.5), "All together")
    ]
    for side, where in ((1, "upper"), (0, "lower")):
        lines.append(([one.warning[side] for one in points], (1.2, 2), f"One in 40, {where}"))
        lines.append(([one.limits[side] for one in points], (4, 1.5), f"One in 1,000, {where}"))
    for values, dashes, name in lines:
        axes.plot(across, values, color=colours.limits, lw=1.2, dashes=dashes, gid="limit")
        axes.annotate(
            name, (across[-1], values[-1]), xytext=(8, 0), textcoords="offset points",
            va="center", size=8.5, color=QUIET_TEXT, annotation_clip=False,
        )  # fmt: skip


def _label_points(axes: Axes, points: Sequence[FunnelPoint], colours: Palette) -> None:
    """Name the own area and those outside the limits, and the others where there is room."""
    width, height = WIDTH * (_RIGHT - _LEFT), HEIGHT * axes.get_position().height
    right, top = axes.get_xlim()[1], axes.get_ylim()[1]
    inches = {one.name: (one.population / right * width, one.rate / top * height) for one in points}
    taken = [_Box(x - _DOT, x + _DOT, y - _DOT, y + _DOT) for x, y in inches.values()]
    for one in sorted(points, key=lambda one: (not one.own, not one.is_outside)):
        marked = one.own or one.is_outside
        long = _LETTER * len(one.name) * (1.15 if one.own else 1 if one.is_outside else 0.85)
        boxes = _places_beside(*inches[one.name], long, width)
        free = [box for box in boxes if not any(box.meets(other) for other in taken)]
        if not free and not marked:
            continue
        box = (free or boxes)[0]
        taken.append(box)
        axes.text(
            box.left / width * right, (box.low + box.high) / 2 / height * top, one.name,
            va="center", size=9.5 if marked else 8, color=colours.text if marked else QUIET_TEXT,
            weight="bold" if one.own else "normal", zorder=5,
        )  # fmt: skip


@dataclass(frozen=True)
class _Box:
    """Where something is drawn, in inches from the corner of the axes."""

    left: float
    right: float
    low: float
    high: float

    def meets(self, other: "_Box") -> bool:
        """Say whether the two share any room."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.low < other.high
            and other.low < self.high
        )


def _places_beside(x: float, y: float, long: float, width: float) -> list[_Box]:
    """Return the places of a label so long by a point, the best first: beside, above, below."""
    made = [
        _Box(begin, begin + long, y + step * _LINE - _LINE / 2, y + step * _LINE + _LINE / 2)
        for step in (0, 0.7, -0.7)
        for begin in (x + _GAP, x - _GAP - long)
    ]
    inside = [box for box in made if box.left >= 0 and box.right <= width]
    return inside or made

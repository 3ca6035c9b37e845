"""Figure 1: the parts of the criminal justice system as boxes, with the people each knows."""

from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from orchestration.exports.charts.chart_text import ChartWords
from orchestration.exports.charts.line_charts import (
    QUIET_TEXT,
    WIDTH,
    Chart,
    canvas,
    finished,
    palette,
    style,
)
from orchestration.exports.charts.system_numbers import Stage

_LEFT, _RIGHT = 0.022, 0.978
_ROOM = (_RIGHT - _LEFT) * WIDTH
_BOX = 2.75
_HEAD, _NUMBER, _APART = 0.46, 0.78, 0.35
"""Inches: width of a box, height of its head and of a number, and from a box to the one below."""

_COLUMNS = (("Police",), ("Youth offending service", "Probation"), ("Prison",))
_WAYS = (("Police", "Youth offending service"), ("Police", "Probation"), ("Probation", "Prison"))


def system_diagram(stages: Sequence[Stage], words: ChartWords) -> Chart:
    """Draw the parts of the system from left to right, each with its numbers."""
    with matplotlib.rc_context(style(words)):
        return finished(system_figure(stages, words), words)


def system_figure(stages: Sequence[Stage], words: ChartWords) -> Figure:
    """Return the figure of :func:`system_diagram`, not yet turned into bytes."""
    by_title = {stage.title: stage for stage in stages}
    columns = [[by_title[name] for name in names if name in by_title] for names in _COLUMNS]
    tallest = max(_height_of(column) for column in columns)
    head_and_foot = 1.204 + 0.224 + 0.16 * (len(words.footnotes) + 1)
    figure, axes = canvas(words, left=_LEFT, right=_RIGHT, height=tallest + head_and_foot)
    axes.set_xlim(0, _ROOM)
    axes.set_ylim(tallest, 0)
    axes.set_axis_off()
    boxes = {}
    for place, column in enumerate(columns):
        left = place * (_ROOM - _BOX) / (len(columns) - 1)
        top = (tallest - _height_of(column)) / 2
        for stage in column:
            boxes[stage.title] = _draw_stage(axes, stage, left, top)
            top += _height(stage) + _APART
    for start, end in _WAYS:
        if start in boxes and end in boxes:
            (left, middle), (right, other) = boxes[start], boxes[end]
            axes.annotate(
                "", (right, other), (left + _BOX, middle),
                arrowprops={"arrowstyle": "-|>", "color": QUIET_TEXT, "lw": 1.2},
            )  # fmt: skip
    return figure


def _height(stage: Stage) -> float:
    return _HEAD + _NUMBER * max(1, len(stage.known))


def _height_of(column: Sequence[Stage]) -> float:
    return sum(_height(stage) for stage in column) + _APART * (len(column) - 1)


def _draw_stage(axes: Axes, stage: Stage, left: float, top: float) -> tuple[float, float]:
    """Draw a box; return its left edge and the middle of its height."""
    colours, height = palette(), _height(stage)
    axes.add_patch(
        FancyBboxPatch(
            (left, top), _BOX, height, boxstyle="round,pad=0,rounding_size=0.06",
            facecolor="white", edgecolor=colours.main, lw=1.4, gid="stage", clip_on=False,
        )
    )  # fmt: skip
    axes.text(left + 0.14, top + 0.26, stage.title, weight="bold", va="center", size=11)
    for place, known in enumerate(stage.known):
        line = top + _HEAD + place * _NUMBER
        for below, text, options in (
            (0.14, known.text, {"size": 12, "color": colours.main, "weight": "bold"}),
            (0.36, known.whom, {"size": 8.5}),
            (0.54, f"{known.period}, {known.label}", {"size": 8.5, "color": QUIET_TEXT}),
        ):
            axes.text(left + 0.14, line + below, text, va="center", **options)
    if not stage.known:
        axes.text(left + 0.14, top + _HEAD + 0.16, "no figures", va="center", size=9.5)
    return left, top + height / 2

"""A map of small areas, shaded by their offences, with hot spots outlined and the highest numbered.

No figure is computed here: bands, verdicts and the order come with the rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import cos, radians

import matplotlib
import shapely
from afcharts.af_colours import get_af_colours
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Patch, PathPatch
from matplotlib.path import Path

from orchestration.exports.charts.chart_text import ChartWords, count_text
from orchestration.exports.charts.line_charts import (
    QUIET_TEXT,
    WIDTH,
    Chart,
    canvas,
    finished,
    palette,
    style,
)
from orchestration.exports.report_definition.row_selection import Row

_LEFT, _RIGHT = 0.022, 0.66
"""Shares of the width between which the map lies."""

_LOWEST_MAP, _HIGHEST_MAP = 4.4, 6.6
"""Inches: the lowest map, which leaves room for the words beside it, and the highest."""

_WORDS = 1.6
"""Inches for the words above and below a map."""

_NUMBERED = 8
"""How many of the highest small areas have a number on the map and a line beside it."""

_LISTED = 5
"""How many of the highest the text in place of the map names."""

_EDGE = "#9AA5AD"
_LOWEST = "#F0F1F2"
BANDS = ("highest 5%", "next 15%", "next 30%", "lower half")
"""Bands of small areas by offences among those of the force, the highest first."""


@dataclass(frozen=True)
class MappedPlace:
    """A small area on a map: its boundary, none where there is none, and what is said of it."""

    name: str
    offences: int
    band: str
    is_hot_spot: bool
    boundary: shapely.Geometry | None


def mapped_places(rows: Sequence[Row]) -> list[MappedPlace]:
    """Return the small areas of rows of the crime map, in the order of the rows."""
    return [
        MappedPlace(
            str(row["small_area_name"] or row["small_area_code"]),
            int(str(row["offences"])),
            str(row["band"]),
            row["verdict"] == "hot spot",
            shapely.from_geojson(str(row["boundary"])) if row["boundary"] else None,
        )
        for row in rows
    ]


def map_words(
    places: Sequence[MappedPlace],
    slug: str,
    number: str,
    title: str,
    subtitle: str,
    footnotes: Sequence[str],
    synthetic: bool,
) -> ChartWords:
    """Return the words of a map; the text in place of it names the highest and the hot spots."""
    highest = "; ".join(f"{one.name} {count_text(one.offences)}" for one in places[:_LISTED])
    top = sum(one.band == BANDS[0] for one in places)
    hot = [one.name for one in places if one.is_hot_spot]
    alt = [
        f"Map. {title}.",
        f"Most offences: {highest}.",
        f"{top} of {len(places)} small areas are among the highest 5% of the force.",
        f"Hot spots: {', '.join(hot) if hot else 'none'}.",
        *_undrawn(places),
    ]
    if synthetic:
        alt.append("The data are synthetic.")
    notes = (*_undrawn(places), *footnotes)
    return ChartWords(slug, number, title, subtitle, notes, " ".join(alt))


def _undrawn(places: Sequence[MappedPlace]) -> list[str]:
    left = [one.offences for one in places if one.boundary is None]
    if not left:
        return []
    what = "small area is" if len(left) == 1 else "small areas are"
    return [
        f"{len(left)} {what} not drawn, with {count_text(sum(left))} offences: no boundary was "
        "delivered under the code of the offences' file."
    ]


def crime_map(places: Sequence[MappedPlace], words: ChartWords) -> Chart | None:
    """Draw small areas, given the one with most offences first; none where no boundary is known."""
    if all(one.boundary is None for one in places):
        return None
    with matplotlib.rc_context(style(words)):
        return finished(map_figure(places, words), words)


def map_figure(places: Sequence[MappedPlace], words: ChartWords) -> Figure:
    """Return the figure of :func:`crime_map`, not yet turned into bytes."""
    drawn = [(one, one.boundary) for one in places if one.boundary is not None]
    extent = _Extent(*shapely.total_bounds([boundary for _, boundary in drawn]))
    figure, axes = canvas(words, left=_LEFT, right=_RIGHT, height=_height(extent, words))
    axes.set_axis_off()
    colours = shades()
    for one, boundary in drawn:
        _draw_place(axes, boundary, colours[one.band])
    hot = [_patch(boundary) for one, boundary in drawn if one.is_hot_spot]
    outline = palette().signal
    axes.add_collection(
        PatchCollection(hot, facecolor="none", edgecolor=outline, linewidth=1.8, gid="hot spots")
    )
    _fit(axes, extent)
    for place, one in enumerate(places[:_NUMBERED], start=1):
        if one.boundary is not None:
            _number(axes, one.boundary, place)
    _legend(figure, colours, outline if hot else "")
    _list_highest(figure, places[:_NUMBERED])
    return figure


def shades() -> Mapping[str, str]:
    """Return the colour of each band: blues that differ in lightness, for readers of any vision."""
    sequence = get_af_colours("sequential")
    return dict(zip(BANDS, (sequence[1], sequence[2], sequence[4], _LOWEST), strict=True))


def _patch(boundary: shapely.Geometry) -> PathPatch:
    rings = [
        Path(ring.coords, closed=True)
        for polygon in shapely.get_parts(boundary)
        for ring in (polygon.exterior, *polygon.interiors)
    ]
    return PathPatch(Path.make_compound_path(*rings))


def _draw_place(axes: Axes, boundary: shapely.Geometry, colour: str) -> None:
    patch = _patch(boundary)
    patch.set(facecolor=colour, edgecolor=_EDGE, linewidth=0.4, gid="small area")
    axes.add_patch(patch)


@dataclass(frozen=True)
class _Extent:
    """The degrees of longitude and latitude that a map shows."""

    west: float
    south: float
    east: float
    north: float

    @property
    def shortening(self) -> float:
        """How much shorter a degree of longitude is than one of latitude."""
        return cos(radians((self.south + self.north) / 2))


def _height(extent: _Extent, words: ChartWords) -> float:
    """Return the inches of a figure in which the map is as wide as there is room."""
    across = (extent.east - extent.west) * extent.shortening
    inches = (_RIGHT - _LEFT) * WIDTH * (extent.north - extent.south) / across
    return min(max(inches, _LOWEST_MAP), _HIGHEST_MAP) + _WORDS + 0.15 * len(words.footnotes)


def _fit(axes: Axes, extent: _Extent) -> None:
    axes.set_xlim(extent.west, extent.east)
    axes.set_ylim(extent.south, extent.north)
    axes.set_aspect(1 / extent.shortening, anchor="NW")


def _number(axes: Axes, boundary: shapely.Geometry, place: int) -> None:
    point = shapely.point_on_surface(boundary)
    axes.text(
        point.x, point.y, str(place), size=7.5, weight="bold", ha="center", va="center",
        bbox={"boxstyle": "circle,pad=0.18", "facecolor": "white", "edgecolor": QUIET_TEXT,
              "linewidth": 0.6},
    )  # fmt: skip


def _legend(figure: Figure, colours: Mapping[str, str], outline: str) -> None:
    handles = [Patch(facecolor=colour, label=band) for band, colour in colours.items()]
    if outline:
        handles.append(Patch(facecolor="none", edgecolor=outline, linewidth=1.8, label="hot spot"))
    figure.legend(
        handles=handles, loc="upper left",
        bbox_to_anchor=(_RIGHT + 0.02, _from_top(figure, 1.25)),
        title="Among the force's small areas\nby offences", alignment="left", frameon=False,
        fontsize=9.5, title_fontsize=9.5,
    )  # fmt: skip


def _list_highest(figure: Figure, highest: Sequence[MappedPlace]) -> None:
    lines = [
        f"{place}  {one.name}: {count_text(one.offences)}"
        for place, one in enumerate(highest, start=1)
    ]
    left = _RIGHT + 0.03
    for inches, text, options in (
        (3.3, "Most offences", {"weight": "bold"}),
        (3.55, "\n".join(lines), {"linespacing": 1.5}),
    ):
        figure.text(left, _from_top(figure, inches), text, size=9.5, va="top", **options)


def _from_top(figure: Figure, inches: float) -> float:
    """Return the share of a figure's height that lies so many inches below its top."""
    return float(1 - inches / figure.get_figheight())

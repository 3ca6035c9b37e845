"""What the board shows: datasets over the star, and charts of their metrics.

A dataset is a query of one published table with labels of its dimensions. Names, formulas and
descriptions of what is measured are those of ``main.metrics``; a chart names metrics, not formulas.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

AREA, TYPE = "area_label", "crime_type"
"""Columns that the filters of the board filter."""

Section = Literal["Release", "Trend", "Comparison", "Hot spots", "Needs", "Housing"]
SECTIONS: Mapping[Section, str] = {
    "Trend": "Trend",
    "Comparison": "Comparison with the other districts of the force",
    "Hot spots": "Hot spots",
    "Needs": "Needs of offenders",
    "Housing": "Housing",
}
"""The sections under the filters, in order, with their headings."""

_SHOWN = "case when {value} is null then coalesce(status, '[x]') else {text} end"
"""A cell of a table: the value, or the marker that says why there is none."""


def _cell(value: str, text: str) -> str:
    return _SHOWN.format(value=value, text=text)


@dataclass(frozen=True)
class Line:
    """A line of a chart that is no metric of the release, such as a limit of one."""

    name: str
    label: str
    expression: str


@dataclass(frozen=True)
class Dataset:
    """A query with the metrics of its table; ``table`` is empty where it measures nothing."""

    name: str
    description: str
    sql: str
    table: str = ""
    temporal: str = ""
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A chart: its kind in Superset, its place, and what differs from the kind's defaults.

    ``metrics`` are names of metrics of the release or of lines of its dataset; ``columns`` are
    those of a table, each with its heading, and ``order`` those that sort it, with a hyphen before
    one that sorts from the greatest. ``where`` chooses rows. ``width`` is of twelve, ``height`` in
    units of 8 pixels.
    """

    name: str
    title: str
    section: Section
    dataset: str
    kind: str
    width: int
    height: int
    metrics: tuple[str, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    where: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""


_PEERS = """
        inner join marts.dim_area as chosen
            on areas.force_code = chosen.force_code
            and chosen.area_type in ('district', 'partnership', 'force')"""
"""Each area beside the areas of its force, of which the filter chooses one."""

_AND_ITS_FORCE = f"""{_PEERS}
            and (areas.area_code = chosen.area_code or areas.area_type = 'force')"""

DATASETS = (
    Dataset(
        "about",
        "What the release says of itself.",
        """
        select 1 as place, 'Release' as what,
            quarter_label || ', data up to ' || strftime(data_up_to, '%-d %B %Y') as said
        from main.release
        union all
        select 2, 'Notice', synthetic_notice from main.release where synthetic_notice is not null
        union all
        select 3, 'Source', string_agg(distinct coalesce(title, source), '; ') || '. '
            || string_agg(distinct licence, '; ') || '.'
        from main.sources
        """,
    ),
    Dataset(
        "crime_by_month",
        "Recorded crime by month, each area beside its force area.",
        f"""
        select trends.*, chosen.area_label, areas.area_label as compared_area
        from marts.crime_trends as trends
        inner join marts.dim_area as areas using (area_code)
{_AND_ITS_FORCE}
        where trends.period_type = 'month'
        """,
        "crime_trends",
        "period_start",
        (
            Line("xmr_centre", "Average", "max(xmr_centre)"),
            Line("xmr_lower", "Lower control limit", "max(greatest(xmr_lower, 0))"),
            Line("xmr_upper", "Upper control limit", "max(xmr_upper)"),
        ),
    ),
    Dataset(
        "crime_compared",
        "Twelve months of each area beside the districts of its force, and the force.",
        f"""
        select scanning.*, chosen.area_label, areas.area_label as compared_area,
            areas.area_type = 'force' as is_force,
            {_cell("offences", "format('{:,}', offences)")} as offences_shown,
            {_cell("rate_per_1000", "format('{:.1f}', rate_per_1000)")} as rate_shown,
            {_cell("rate_per_1000", "format('{:.1f} to {:.1f}', rate_lower, rate_upper)")}
                as limits_shown,
            {_cell("change_percent", "format('{:+.0f}%', change_percent)")} as change_shown,
            coalesce(compared_with_rest, '-') as compared_shown,
            coalesce(status, '') as marker
        from marts.crime_scanning as scanning
        inner join marts.dim_area as areas using (area_code)
{_PEERS}
        """,
        "crime_scanning",
    ),
    Dataset(
        "crime_of_area",
        "Twelve months of each area.",
        """
        select scanning.*, areas.area_label
        from marts.crime_scanning as scanning
        inner join marts.dim_area as areas using (area_code)
        """,
        "crime_scanning",
    ),
    Dataset(
        "hot_spots",
        "Small areas by crime type, with hot spots.",
        """
        select places.*, areas.area_label,
            coalesce(small_area_name, small_area_code) as small_area,
            coalesce(persistence, '-') as persistence_shown
        from marts.crime_hot_spots as places
        inner join marts.dim_area as areas using (area_code)
        """,
        "crime_hot_spots",
    ),
    Dataset(
        "needs",
        "Needs of offenders by pathway at the latest snapshot of each cohort.",
        f"""
        select needs.*, areas.area_label, pathways.pathway_order,
            needs.cohort || ', ' || needs.period_label as cohort_at,
            {_cell("identified", "format('{:,}', identified)")} as with_need_shown,
            {_cell("answered", "format('{:,}', answered)")} as answered_shown,
            {_cell("proportion", "format('{:.0f}%', 100 * proportion)")} as proportion_shown
        from marts.need_pathways as needs
        inner join marts.dim_area as areas using (area_code)
        inner join marts.dim_pathway as pathways using (pathway)
        where needs.sex = 'All' and needs.offence_group = 'All' and pathways.is_need
        qualify needs.period_end = max(needs.period_end) over (partition by needs.cohort)
        """,
        "need_pathways",
    ),
    Dataset(
        "dwellings",
        "Social dwellings each year, each area beside its force area.",
        f"""
        select stock.*, chosen.area_label, areas.area_label as compared_area
        from marts.social_housing_stock as stock
        inner join marts.dim_area as areas using (area_code)
{_AND_ITS_FORCE}
        where stock.tenure = 'all social'
        """,
        "social_housing_stock",
        "stock_date",
    ),
    Dataset(
        "supported_housing",
        "Supported accommodation at the latest snapshot.",
        f"""
        select places.*, areas.area_label,
            {_cell("places", "format('{:,}', places)")} as places_shown
        from marts.supported_accommodation as places
        inner join marts.dim_area as areas using (area_code)
        where places.scheme <> 'All schemes'
        qualify places.period_end = max(places.period_end) over (partition by places.area_code)
        """,
        "supported_accommodation",
    ),
)

LINE_COLOURS = {
    "Offences": "#12436D",
    "offences": "#12436D",
    "Average": "#3D3D3D",
    "xmr_centre": "#3D3D3D",
    "Lower control limit": "#F46A25",
    "xmr_lower": "#F46A25",
    "Upper control limit": "#F46A25",
    "xmr_upper": "#F46A25",
}
"""Colours of the lines of the control chart, by their labels."""

_LINE = {"show_legend": True, "legendOrientation": "top", "markerEnabled": False}

CHARTS = (
    Chart("about", "About this release", "Release", "about", "table", 12, 42,
          columns={"what": "About", "said": "This release"}, order=("place",)),
    Chart("offences", "Offences of twelve months", "Trend", "crime_of_area", "big_number_total",
          3, 26, ("year_offences",)),
    Chart("change", "Change on the year before", "Trend", "crime_of_area",
          "big_number_total", 3, 26, ("year_offences_change",)),
    Chart("rate", "Offences per 1,000 people", "Trend", "crime_of_area",
          "big_number_total", 3, 26, ("year_offence_rate",)),
    Chart("ratio", "Rate against the rest of the force", "Trend", "crime_of_area",
          "big_number_total", 3, 26, ("rate_ratio",)),
    Chart("trend", "Offences by month, with control limits", "Trend", "crime_by_month",
          "echarts_timeseries_line", 7, 50, ("offences", "xmr_centre", "xmr_lower", "xmr_upper"),
          options={**_LINE, "y_axis_title": "Offences a month"},
          where="compared_area = area_label",
          note="A month beyond the limits is more than the usual variation. A gap is a month "
               "without a file."),
    Chart("against_force", "Offences per 1,000 people, rolling twelve months", "Trend",
          "crime_by_month", "echarts_timeseries_line", 5, 50, ("offence_rate_12m",),
          options={**_LINE, "groupby": ["compared_area"], "y_axis_title": "Per 1,000 people"}),
    Chart("districts", "Offences of twelve months per 1,000 people, by district", "Comparison",
          "crime_compared", "echarts_timeseries_bar", 5, 66, ("year_offence_rate",),
          options={"x_axis": "compared_area", "orientation": "horizontal", "show_value": True,
                   "x_axis_sort": "year_offence_rate", "x_axis_sort_asc": True}),
    Chart("districts_table", "Twelve months by district", "Comparison", "crime_compared", "table",
          7, 66,
          columns={"compared_area": "Area", "offences_shown": "Offences",
                   "rate_shown": "Per 1,000 people", "limits_shown": "95 % limits",
                   "change_shown": "Change on the year before",
                   "compared_shown": "Against the rest of the force", "marker": "Marker"},
          order=("-rate_per_1000",)),
    Chart("places_table", "Small areas with the most offences", "Hot spots", "hot_spots", "table",
          7, 80,
          columns={"small_area": "Small area", "offences": "Offences",
                   "rank_in_force": "Rank in the force",
                   "months_among_highest": "Months in the highest 5%", "verdict": "Tested",
                   "persistence_shown": "Against a year before"},
          order=("-offences",), where="rank_in_area <= 15"),
    Chart("places", "Offences of twelve months in small areas", "Hot spots", "hot_spots",
          "echarts_timeseries_bar", 5, 80, ("small_area_offences",),
          where="rank_in_area <= 15",
          options={"x_axis": "small_area", "orientation": "horizontal", "show_value": True,
                   "x_axis_sort": "small_area_offences", "x_axis_sort_asc": True}),
    Chart("needs", "Per cent of offenders with the need", "Needs", "needs",
          "echarts_timeseries_bar", 6, 90, ("need_share",),
          options={"x_axis": "pathway", "groupby": ["cohort"], "orientation": "horizontal",
                   "show_legend": True, "show_value": True,
                   "x_axis_sort": "need_share", "x_axis_sort_asc": True}),
    Chart("needs_table", "Offenders with each need", "Needs", "needs", "table", 6, 90,
          columns={"pathway": "Need", "cohort_at": "Supervised by, at",
                   "with_need_shown": "With the need", "answered_shown": "Of",
                   "proportion_shown": "Per cent"},
          order=("pathway_order", "cohort")),
    Chart("dwellings", "Social dwellings per 1,000 people", "Housing", "dwellings",
          "echarts_timeseries_line", 6, 50, ("dwelling_rate",),
          options={**_LINE, "groupby": ["compared_area"], "time_grain_sqla": "P1Y",
                   "y_axis_title": "Per 1,000 people", "markerEnabled": True}),
    Chart("supported", "Places in supported accommodation", "Housing", "supported_housing",
          "table", 6, 50,
          columns={"scheme": "Scheme", "town": "Town", "kind": "Kind", "places_shown": "Places"},
          order=("scheme", "town", "kind")),
)  # fmt: skip

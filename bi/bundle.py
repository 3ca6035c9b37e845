"""Superset's import files of the board, made of a release: ``python -m bi.bundle``.

The files say the same whenever the release does, so that importing them again changes nothing.
Their form is that of Superset's own exports of dashboards, version 1.0.0.
"""

import argparse
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import duckdb
import yaml

from bi.board import AREA, CHARTS, DATASETS, LINE_COLOURS, SECTIONS, TYPE, Chart, Dataset, Line
from orchestration.config.settings import Settings
from orchestration.exports.charts.chart_text import SHORTHAND
from orchestration.exports.report_definition.row_selection import Row, fetch
from orchestration.releases.published_file import PUBLISHED_FILE, open_release

BOARD = "Community safety"
SLUG = "community-safety"
VERSION = "1.0.0"
ROOT = "csp_board"
"""Folder of the files in the archive."""

_FORMATS = {"count": ",d", "rate": ",.1f", "percent": ",.1f", "share": ".0%"}
"""How Superset writes a value, by the form of its metric."""

_COLOURS = "analysisFunction"
"""Colour scheme that ``superset_config`` adds: the palette of the Analysis Function."""

_FIRST_TYPE = "Total crime"
_MARKERS = ("[c]", "[x]", "[z]", "[b]", "[p]", "[r]", "[u]")

Json = dict[str, Any]


def bundle(release: Path, csp: str) -> bytes:
    """Return the ZIP that Superset imports: the board over the file at ``release``.

    ``csp`` is the partnership whose area is chosen at first, by default the first of the release.
    """
    with open_release(release) as connection:
        files = board_files(connection, release, csp)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in files.items():
            # Dated, as otherwise the archive would be of the moment.
            entry = zipfile.ZipInfo(f"{ROOT}/{name}", (1980, 1, 1, 0, 0, 0))
            opened.writestr(entry, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return archive.getvalue()


def board_files(connection: duckdb.DuckDBPyConnection, release: Path, csp: str) -> dict[str, Json]:
    """Return the content of each file by its name in the archive."""
    metrics = {str(row["metric_name"]): row for row in fetch(connection, "from main.metrics")}
    areas = connection.execute(
        "select area_label from marts.dim_area where area_code = partnership_code "
        "and (csp = $1 or $1 = '') order by area_order",
        [csp],
    ).fetchall()
    if not areas:
        raise SystemExit(f"The release knows no partnership '{csp}'.")
    ((area,), *_) = areas
    datasets = {one.name: one for one in DATASETS}
    files: dict[str, Json] = {
        "metadata.yaml": {
            "version": VERSION,
            "type": "assets",
            "timestamp": "1980-01-01T00:00:00+00:00",
        },
        "databases/csp.yaml": _database(release),
    }
    for dataset in DATASETS:
        columns = _columns(connection, dataset)
        files[f"datasets/csp/{dataset.name}.yaml"] = _dataset(dataset, columns, metrics)
    for chart in CHARTS:
        files[f"charts/{chart.name}.yaml"] = _chart(chart, datasets[chart.dataset], metrics)
    files["dashboards/board.yaml"] = _dashboard(str(area))
    return files


def uuid_of(kind: str, name: str) -> str:
    """Return the identifier of a part of the board, the same at every start."""
    return str(uuid5(NAMESPACE_URL, f"csp-warehouse/{kind}/{name}"))


def _database(release: Path) -> Json:
    return {
        "database_name": "CSP Warehouse",
        "sqlalchemy_uri": f"duckdb:///{release.resolve()}",
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {
            "allows_virtual_table_explore": True,
            # Read-only, so that nothing locks the file; no other file, no network.
            "engine_params": {
                "connect_args": {
                    "read_only": True,
                    "config": {"enable_external_access": False, "lock_configuration": True},
                }
            },
        },
        "uuid": uuid_of("database", "csp"),
        "version": VERSION,
    }


def _columns(connection: duckdb.DuckDBPyConnection, dataset: Dataset) -> list[tuple[str, str]]:
    described = connection.execute(f"describe {dataset.sql}").fetchall()
    return [(name, kind) for name, kind, *_ in described]


def _dataset(
    dataset: Dataset, columns: Sequence[tuple[str, str]], metrics: Mapping[str, Row]
) -> Json:
    own = [row for row in metrics.values() if row["table_name"] == dataset.table]
    return {
        "table_name": dataset.name,
        "description": dataset.description,
        "main_dttm_col": dataset.temporal or None,
        "schema": "marts",
        "sql": dedent(dataset.sql).strip(),
        "filter_select_enabled": True,
        "uuid": uuid_of("dataset", dataset.name),
        "columns": [
            {
                "column_name": name,
                "type": kind,
                "is_dttm": kind in ("DATE", "TIMESTAMP"),
                "is_active": True,
                "groupby": True,
                "filterable": True,
            }
            for name, kind in columns
        ],
        "metrics": [*map(_metric, own), *map(_line, dataset.lines)],
        "version": VERSION,
        "database_uuid": uuid_of("database", "csp"),
    }


def _metric(metric: Row) -> Json:
    """Return a metric of the release as a metric of a dataset."""
    formula = f"Formula: {metric['formula']}." if metric["formula"] else ""
    said = (str(metric["description"]), f"Unit: {metric['unit']}.", formula, metric["note"])
    return {
        "metric_name": metric["metric_name"],
        "verbose_name": metric["metric_label"],
        "expression": metric["sql_expression"],
        "description": " ".join(str(one) for one in said if one),
        "d3format": _FORMATS[str(metric["form"])],
    }


def _line(line: Line) -> Json:
    return {
        "metric_name": line.name,
        "verbose_name": line.label,
        "expression": line.expression,
        "d3format": _FORMATS["rate"],
    }


# --- charts --------------------------------------------------------------------------------------


def _chart(chart: Chart, dataset: Dataset, metrics: Mapping[str, Row]) -> Json:
    made = {
        "table": _table,
        "big_number_total": _number,
        "echarts_timeseries_line": _time_series,
        "echarts_timeseries_bar": _bars,
    }[chart.kind](chart, dataset, metrics)
    return {
        "slice_name": chart.title,
        "description": chart.note or None,
        "viz_type": chart.kind,
        "params": {
            "viz_type": chart.kind,
            "adhoc_filters": [_where(chart.where)] if chart.where else [],
            "color_scheme": _COLOURS,
            "extra_form_data": {},
            **made,
            **chart.options,
        },
        "cache_timeout": None,
        "uuid": uuid_of("chart", chart.name),
        "version": VERSION,
        "dataset_uuid": uuid_of("dataset", dataset.name),
    }


def _where(sql: str) -> Json:
    return {"expressionType": "SQL", "clause": "WHERE", "sqlExpression": sql}


def _table(chart: Chart, dataset: Dataset, metrics: Mapping[str, Row]) -> Json:
    order = [[one.removeprefix("-"), not one.startswith("-")] for one in chart.order]
    return {
        "query_mode": "raw",
        "all_columns": [
            {"expressionType": "SQL", "label": heading or name, "sqlExpression": name}
            for name, heading in chart.columns.items()
        ],
        "order_by_cols": [json.dumps(one) for one in order],
        "row_limit": 1000,
        "table_timestamp_format": "smart_date",
        "show_cell_bars": False,
    }


def _number(chart: Chart, dataset: Dataset, metrics: Mapping[str, Row]) -> Json:
    (name,) = chart.metrics
    form = str(metrics[name]["form"])
    return {
        "metric": name,
        "subtitle": str(metrics[name]["unit"]),
        "subtitle_font_size": 0.125,
        "header_font_size": 0.4,
        "y_axis_format": ("+" if form == "percent" else "") + _FORMATS[form],
    }


def _time_series(chart: Chart, dataset: Dataset, metrics: Mapping[str, Row]) -> Json:
    return {
        "x_axis": dataset.temporal,
        "time_grain_sqla": "P1M",
        "x_axis_sort_asc": True,
        "metrics": list(chart.metrics),
        "groupby": [],
        "row_limit": 10000,
        "x_axis_time_format": "%b %Y",
        "tooltipTimeFormat": "%B %Y",
        "y_axis_format": _format(chart, metrics),
        "y_axis_title_margin": 40,
        "y_axis_title_position": "Left",
        "truncateYAxis": True,
        "y_axis_bounds": [0, None],
        "rich_tooltip": True,
        "legendType": "scroll",
        "truncate_metric": True,
    }


def _bars(chart: Chart, dataset: Dataset, metrics: Mapping[str, Row]) -> Json:
    return {
        "metrics": list(chart.metrics),
        "groupby": [],
        "row_limit": 100,
        "y_axis_format": _format(chart, metrics),
        "truncate_metric": True,
        "rich_tooltip": True,
        "show_legend": False,
        "legendOrientation": "top",
        "xAxisForceCategorical": True,
    }


def _format(chart: Chart, metrics: Mapping[str, Row]) -> str:
    return _FORMATS[str(metrics[chart.metrics[0]]["form"])]


# --- the board -----------------------------------------------------------------------------------


def _dashboard(area: str) -> Json:
    return {
        "dashboard_title": BOARD,
        "description": "Trend, comparison, hot spots, needs and housing of a partnership.",
        "slug": SLUG,
        "css": "",
        "published": True,
        "uuid": uuid_of("dashboard", "board"),
        "position": _position(),
        "metadata": {
            "color_scheme": _COLOURS,
            "label_colors": dict(LINE_COLOURS),
            "map_label_colors": dict(LINE_COLOURS),
            "shared_label_colors": [],
            "cross_filters_enabled": False,
            "refresh_frequency": 0,
            "expanded_slices": {},
            "timed_refresh_immune_slices": [],
            "native_filter_configuration": [
                _filter("Area", AREA, area),
                _filter("Crime type", TYPE, _FIRST_TYPE),
            ],
        },
        "version": VERSION,
    }


def _filter(name: str, column: str, first: str) -> Json:
    chosen = {"col": column, "op": "IN", "val": [first]}
    return {
        "id": f"NATIVE_FILTER-{column}",
        "name": name,
        "type": "NATIVE_FILTER",
        "filterType": "filter_select",
        "description": "",
        "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
        "targets": [
            {"column": {"name": column}, "datasetUuid": uuid_of("dataset", "crime_of_area")}
        ],
        "controlValues": {
            "multiSelect": False,
            "enableEmptyFilter": True,
            "defaultToFirstItem": False,
            "inverseSelection": False,
            "searchAllOptions": False,
        },
        "defaultDataMask": {
            "extraFormData": {"filters": [chosen]},
            "filterState": {"value": [first], "label": first},
            "ownState": {},
        },
        "cascadeParentIds": [],
    }


def _position() -> Json:
    """Return the layout: rows of charts under a heading for each section, and the markers."""
    parts: Json = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": BOARD}},
    }
    rows: list[str] = []
    for section in dict.fromkeys(chart.section for chart in CHARTS):
        if section in SECTIONS:
            heading = f"HEADER-{section.replace(' ', '_')}"
            rows.append(heading)
            parts[heading] = _part("HEADER", heading, ["ROOT_ID", "GRID_ID"], {
                "text": SECTIONS[section], "headerSize": "MEDIUM_HEADER",
                "background": "BACKGROUND_TRANSPARENT",
            })  # fmt: skip
        width = 12
        for chart in (one for one in CHARTS if one.section == section):
            if width + chart.width > 12:
                row = f"ROW-{chart.name}"
                rows.append(row)
                parts[row] = _part("ROW", row, ["ROOT_ID", "GRID_ID"],
                                   {"background": "BACKGROUND_TRANSPARENT"})  # fmt: skip
                width = 0
            width += chart.width
            name = f"CHART-{chart.name}"
            parts[rows[-1]]["children"].append(name)
            parts[name] = _part("CHART", name, ["ROOT_ID", "GRID_ID", rows[-1]], {
                "uuid": uuid_of("chart", chart.name), "chartId": CHARTS.index(chart) + 1,
                "sliceName": chart.title, "width": chart.width, "height": chart.height,
            })  # fmt: skip
    rows.append("ROW-markers")
    parts["ROW-markers"] = _part("ROW", "ROW-markers", ["ROOT_ID", "GRID_ID"],
                                 {"background": "BACKGROUND_TRANSPARENT"})  # fmt: skip
    parts["ROW-markers"]["children"].append("MARKDOWN-markers")
    parts["MARKDOWN-markers"] = _part(
        "MARKDOWN", "MARKDOWN-markers", ["ROOT_ID", "GRID_ID", "ROW-markers"],
        {"width": 12, "height": 26, "code": _markers()},
    )  # fmt: skip
    parts["GRID_ID"] = {
        "type": "GRID", "id": "GRID_ID", "parents": ["ROOT_ID"], "children": rows,
    }  # fmt: skip
    return parts


def _part(kind: str, name: str, parents: Sequence[str], meta: Mapping[str, Any]) -> Json:
    return {
        "type": kind,
        "id": name,
        "parents": list(parents),
        "children": [],
        "meta": dict(meta),
    }


def _markers() -> str:
    explained = "; ".join(f"**{marker}** {SHORTHAND[marker]}" for marker in _MARKERS)
    return (
        f"#### Markers\n\n{explained}.\n\nA table shows a marker where there is no figure, a chart "
        "leaves a gap. Nothing missing is shown as 0. Counts of people are protected: small ones "
        "are hidden or rounded. CRC is the Community Rehabilitation Company, NPS the National "
        "Probation Service. How each figure is formed is in the metrics of its dataset, and in "
        "the table main.metrics."
    )


def main() -> None:
    """Write the archive of the current release to the file that is named."""
    parser = argparse.ArgumentParser(description="Make Superset's import file of the board.")
    parser.add_argument("file", type=Path, help="the ZIP to write")
    parser.add_argument("--csp", default="", help="partnership that is shown at first")
    arguments = parser.parse_args()
    settings = Settings()
    arguments.file.parent.mkdir(parents=True, exist_ok=True)
    arguments.file.write_bytes(bundle(settings.published / PUBLISHED_FILE, arguments.csp))


if __name__ == "__main__":
    main()

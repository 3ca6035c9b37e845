"""Exports: what goes to a partnership, how it is drawn and laid out, and that it is repeatable."""

import csv
import hashlib
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import duckdb
import matplotlib
import numpy as np
import pytest
from matplotlib.patches import Rectangle
from python_calamine import CalamineWorkbook

from orchestration.exports import (
    ExportError,
    UnknownPartnershipError,
    WrongReleaseError,
    export_partnership,
    export_release,
)
from orchestration.exports import partnership_export as partnership
from orchestration.exports.charts.bar_charts import Bar, bar_figure, interval_figure
from orchestration.exports.charts.chart_text import (
    bar_chart_words,
    missing_months,
    month_chart_words,
)
from orchestration.exports.charts.exhibit_charts import chart_of
from orchestration.exports.charts.line_charts import control_figure, palette, spread, style
from orchestration.exports.charts.monthly_series import (
    gaps,
    monthly_series,
    months_between,
    runs,
    steps,
)
from orchestration.exports.data_package.table_files import FORMULA_STARTS, neutralise
from orchestration.exports.report_definition.row_selection import Partnership, Place
from orchestration.publish import build_release, published_tables
from orchestration.releases.errors import ReleaseUnreadableError
from tests.release_fixtures import (
    AREAS,
    CREDITS,
    FORCE,
    MISSING_MONTHS,
    NO_DATA,
    NOW,
    QUARTER,
    build_warehouse,
    exhibits,
    manifest,
    models,
    months,
    reports,
    tables,
)

SVG = "{http://www.w3.org/2000/svg}"
XLSX = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def build(folder: Path, **changes: Any) -> Path:
    """Publish the small warehouse with ``changes`` under ``folder``; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    warehouse = build_warehouse(folder / "warehouse.duckdb", **changes)
    return build_release(
        warehouse, folder / "published", QUARTER, tables(), NOW, credits=CREDITS, reports=reports()
    ).path


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("release"))


@pytest.fixture(scope="module")
def exported(published, tmp_path_factory) -> Path:
    """The folder of Fenland's export."""
    root = tmp_path_factory.mktemp("exports")
    export_release(published, root, QUARTER)
    return root / "2018-04-01" / "fenland"


def read_csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8"), newline="")))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# What goes to a partnership


def test_every_partnership_gets_the_same_set_of_files(exported):
    folders = sorted(exported.parent.iterdir())
    assert [folder.name for folder in folders] == ["cambridge", "fenland", "huntingdonshire"]
    found = [sorted(contents(folder)) for folder in folders]
    assert found[0] == found[1] == found[2]
    expected = {f"tables/{name}.{kind}" for name in models() for kind in ("csv", "parquet")}
    expected |= {
        f"tables/{name}.{kind}"
        for name in ("changes", "data_dictionary", "joins", "metrics")
        for kind in ("csv", "parquet")
    }
    # Empty here: nothing of the printed assessment is in this release.
    expected |= {
        f"tables/{name}.{kind}"
        for name in ("audit", "page_audit", "page_misprints")
        for kind in ("csv", "parquet")
    }
    for chart in ("figure_10_shoplifting", "figure_11_burglary", "table_5_social_dwellings"):
        expected |= {f"charts/{chart}.{kind}" for kind in ("svg", "png", "txt")}
    expected |= {"workbook.xlsx", "pack.html", "pack.docx", "explore.html", "datapackage.json"}
    assert set(found[0]) == expected | {"manifest.json", "SHA256SUMS"}


@pytest.mark.parametrize(
    ("table", "areas"),
    [
        ("figure_10_shoplifting", {"E07000010", FORCE}),
        ("crime_monthly", {"E07000008", "E07000010", "E07000011"}),
        ("table_5_social_dwellings", {"E07000008", "E07000010", "E07000011", FORCE}),
    ],
)
def test_rows_are_the_partnerships_own_and_those_that_it_is_compared_with(exported, table, areas):
    rows = read_csv(exported / "tables" / f"{table}.csv")
    assert {row["area_code"] for row in rows} == areas
    parquet = duckdb.sql(f"select * from '{exported / 'tables' / table}.parquet'")
    assert len(parquet.fetchall()) == len(rows)


def test_dimensions_and_tables_without_areas_go_whole(exported):
    assert len(read_csv(exported / "tables" / "dim_month.csv")) == 40
    assert len(read_csv(exported / "tables" / "dim_area.csv")) == len(AREAS)


def test_missing_is_empty_and_never_zero(exported):
    rows = read_csv(exported / "tables" / "figure_10_shoplifting.csv")
    missing = [row for row in rows if row["month"] in {str(month) for month in MISSING_MONTHS}]
    assert len(missing) == 6
    assert {(row["offences"], row["status"]) for row in missing} == {("", "[x]")}


def test_formulas_are_neutralised_and_numbers_are_not(exported):
    rows = read_csv(exported / "tables" / "crime_monthly.csv")
    assert all(row["deliveries"].startswith("'") for row in rows)
    assert {row["deliveries"][1] for row in rows} == set("=+-@\t\r")
    assert {row["change"] for row in rows} == {"-3"}
    typed = duckdb.sql(
        f"select distinct deliveries from '{exported / 'tables' / 'crime_monthly.parquet'}'"
    ).fetchall()
    assert not any(text.startswith("'") for (text,) in typed)


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_neutralise_puts_an_apostrophe_before_a_formula(start):
    assert neutralise(f"{start}1") == f"'{start}1"
    assert neutralise(f"1{start}") == f"1{start}"


# Charts


def one_series():
    model = models()["figure_10_shoplifting"]
    rows = [dict(zip(model.columns, row, strict=True)) for row in model.rows]
    return monthly_series(row for row in rows if row["area_code"] == "E07000010")


def test_months_without_a_row_have_a_place_and_no_value():
    row = {"area_name": "Fenland", "offences": 3, "xmr_centre": None}
    series = monthly_series(
        [{**row, "month": date(2018, 1, 1)}, {**row, "month": date(2018, 4, 1), "offences": 0}]
    )
    assert series.months == tuple(months_between(date(2018, 1, 1), date(2018, 4, 1)))
    assert series.offences == (3.0, None, None, 0.0)
    with pytest.raises(ValueError, match="twice"):
        monthly_series([{**row, "month": date(2018, 1, 1)}] * 2)


def test_runs_gaps_and_steps():
    values = (1.0, 1.0, None, 2.0, 0.0, None)
    assert runs(values) == [range(2), range(3, 5)]
    assert gaps(values) == [range(2, 3), range(5, 6)]
    assert steps(values) == [range(2), range(3, 4), range(4, 5)]


def test_gap_in_the_series_is_a_gap_in_the_chart(exported):
    series = one_series()
    words = month_chart_words(series, "figure_10", "Figure 10", "Shoplifting", (), True)
    lines = [line for line in control_figure(series, words).axes[0].lines
             if line.get_gid() == "offences"]  # fmt: skip
    # Months 2016-05 and 2016-06 are one gap, 2017-02 another: three lines.
    assert len(lines) == 3
    drawn = [int(place) for line in lines for place in np.asarray(line.get_xdata())]
    known = [place for place, month in enumerate(months()) if month not in MISSING_MONTHS]
    assert drawn == known
    assert not any(value == 0 for line in lines for value in np.asarray(line.get_ydata()))
    svg = (exported / "charts" / "figure_10_shoplifting.svg").read_text(encoding="utf-8")
    groups = [group for group in ElementTree.fromstring(svg).iter(f"{SVG}g")
              if group.get("id", "").startswith("offences")]  # fmt: skip
    assert len(groups) == 3


def test_the_adjusted_series_is_a_line_of_its_own():
    series = one_series()
    places = list(runs(series.offences)[-1])
    values = tuple(10.0 + place if place in places else None for place in range(40))
    adjusted = replace(series, adjusted=values)
    words = month_chart_words(adjusted, "figure_10", "Figure 10", "Shoplifting", (), False)
    axes = control_figure(adjusted, words).axes[0]
    (line,) = [line for line in axes.lines if line.get_gid() == "adjusted"]
    assert list(np.asarray(line.get_xdata())) == places
    assert list(np.asarray(line.get_ydata())) == [10.0 + place for place in places]
    assert "Without season 49" in [text.get_text() for text in axes.texts]
    assert "without their season, 49 in June 2018" in words.alt
    assert "and without their season" in words.subtitle
    plain = month_chart_words(series, "figure_10", "Figure 10", "Shoplifting", (), False)
    assert "season" not in plain.alt + plain.subtitle
    lines = control_figure(series, plain).axes[0].lines
    assert not [line for line in lines if line.get_gid() == "adjusted"]


def test_footnotes_and_notes_say_why_months_are_missing(exported):
    series = one_series()
    words = month_chart_words(series, "figure_10", "Figure 10", "Shoplifting", ("Other.",), False)
    assert words.footnotes == (
        f"Shaded: months without data ({NO_DATA}). They are not zero.",
        "Other.",
    )
    unexplained = replace(series, missing_because=(None,) * 40)
    words = month_chart_words(unexplained, "figure_10", "Figure 10", "Shoplifting", (), False)
    assert words.footnotes == ("Shaded: months without data. They are not zero.",)


def test_missing_months_are_named_by_their_reason_in_the_order_of_time():
    def month(number: int) -> date:
        return date(2019 + number // 12, number % 12 + 1, 1)

    reasons = {month(11): "a", month(12): "a", month(13): "b", month(15): "a", month(14): "b"}
    assert missing_months(reasons) == [
        "December 2019 to January 2020, April 2020: a",
        "February 2020 to March 2020: b",
    ]
    assert missing_months({}) == []


def test_limit_below_zero_is_not_drawn_and_signals_are():
    series = one_series()
    words = month_chart_words(series, "figure_10", "Figure 10", "Shoplifting", (), False)
    axes = control_figure(series, words).axes[0]
    levels = [np.asarray(line.get_ydata())[0] for line in axes.lines if not line.get_gid()]
    assert min(levels) > 0
    (signals,) = [line for line in axes.lines if line.get_gid() == "signals"]
    assert list(np.asarray(signals.get_xdata())) == [39]
    texts = [text.get_text() for text in axes.texts]
    assert any(text.startswith("Average ") for text in texts)
    assert "signals a change" in texts


def test_alternative_text_says_what_is_seen(exported):
    alt = (exported / "charts" / "figure_10_shoplifting.txt").read_text(encoding="utf-8")
    assert alt.startswith("Line chart. Shoplifting in Fenland by month, March 2015 to June 2018.")
    assert "May 2016 to June 2016; February 2017" in alt
    assert f"May 2016 to June 2016, February 2017: {NO_DATA}." in alt
    assert "1 month signals a change: 1 above limit." in alt
    assert "The data are synthetic." in alt
    root = ElementTree.fromstring((exported / "charts" / "figure_10_shoplifting.svg").read_bytes())
    assert root.get("role") == "img"
    assert root.findtext(f"{SVG}desc") == alt.strip()
    assert root.findtext(f"{SVG}title", "").startswith("Shoplifting in Fenland")


def test_chart_names_the_supplier_of_its_figures(exported):
    chart = (exported / "charts" / "figure_10_shoplifting.svg").read_text(encoding="utf-8")
    assert "Source: data.police.uk; CSP Warehouse, release of Q1 2018/19." in chart


def test_subtitle_claims_limits_only_where_there_are_some():
    model = models()["figure_10_shoplifting"]
    rows = [dict(zip(model.columns, row, strict=True)) for row in model.rows[:5]]
    bare = [{**row, "xmr_centre": None, "xmr_lower": None, "xmr_upper": None} for row in rows]
    for listed, phrase in ((rows, "with their average"), (bare, "too few in succession")):
        series = monthly_series(listed)
        words = month_chart_words(series, "figure_10", "Figure 10", "Shoplifting", (), False)
        assert phrase in words.subtitle


def test_synthetic_data_says_so_on_the_chart_and_real_data_does_not(exported, tmp_path):
    chart = "charts/figure_11_burglary.svg"
    assert "Synthetic data" in (exported / chart).read_text(encoding="utf-8")
    real = build(tmp_path, nature="real")
    export_partnership(real, tmp_path / "fenland", "fenland")
    assert "ynthetic" not in (tmp_path / "fenland" / chart).read_text(encoding="utf-8")
    assert "does not separate dwelling" in (tmp_path / "fenland" / chart).read_text("utf-8")


def test_chart_of_bars_shows_a_missing_value_as_a_marker_and_no_bar():
    bars = (
        Bar("Corby", 60.0, "60.0", False),
        Bar("Ashby", 0.0, "0.0", True),
        Bar("Barton", None, "[c] confidential", False),
    )
    values = [(bar.label, bar.text) for bar in bars]
    words = bar_chart_words("slug", "Table 5", "Title", "Under it", values, (), True)
    axes = bar_figure(bars, words).axes[0]
    assert [bar.get_width() for bar in axes.patches if isinstance(bar, Rectangle)] == [60.0, 0.0]
    assert [text.get_text() for text in axes.texts] == ["60.0", "0.0", "[c] confidential"]
    assert words.alt == (
        "Chart. Title. Corby 60.0; Ashby 0.0; Barton [c] confidential. The data are synthetic."
    )


def test_intervals_without_a_value_have_no_point():
    bars = (
        Bar("Own", 10.0, "10%", True, "CRC", 5.0, 17.0),
        Bar("Force", None, "[c] confidential", False, "CRC"),
    )
    words = bar_chart_words("slug", "Figure 6", "Title", "Under it", (), (), False)
    axes = interval_figure(bars, words).axes[0]
    points = [line for line in axes.lines if line.get_gid() == "value"]
    assert [list(np.asarray(point.get_xdata())) for point in points] == [[10.0]]


def test_the_text_of_the_longest_bar_is_not_cut():
    bars = [Bar("All areas", 20.9, "20.9% (1,151 of 5,244)", True), Bar("One", 2.0, "2%", False)]
    words = bar_chart_words("slug", "Figure 7", "Title", "Under it", (), (), False)
    with matplotlib.rc_context(style(words)):
        figure = bar_figure(bars, words)
        figure.canvas.draw()
    edge = figure.get_window_extent().x1
    assert all(text.get_window_extent().x1 <= edge for text in figure.axes[0].texts)


def test_a_chart_without_a_bar_is_not_drawn(exported):
    (exhibit,) = (one for one in exhibits() if one.table == "table_5_social_dwellings")
    whose = Partnership("fenland", "Fenland", ("A",), ("F",), ("A", "F"))
    empty: dict[str, object] = dict.fromkeys(models()[exhibit.table].columns)
    named = {"area_code": "A", "area_name": "Fenland", "stock_year": 2016, "status": "[c]"}
    rows = [empty | named]
    place = Place("A", "Fenland", "F", "the force", frozenset({"A"}), frozenset({"A"}))
    drawn = partial(
        chart_of, exhibit, whose=whose, place=place, slug="t5", footnotes=(), synthetic=False
    )
    assert drawn(rows=rows) is None
    assert drawn(rows=[{**rows[0], "rate_per_1000": 8.1}])


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("drawn", [bar_figure, interval_figure])
def test_long_names_of_partnerships_are_not_cut(drawn, own):
    names = ["Fens Community Safety Partnership", "Fenland", "Rest of Cambridgeshire"]
    bars = [Bar(name, 10.0, "10%", own and name == names[0], "", 5.0, 17.0) for name in names]
    words = bar_chart_words("slug", "Figure 6", "Title", "Under it", (), (), False)
    with matplotlib.rc_context(style(words)):
        figure = drawn(bars, words)
        figure.canvas.draw()
    labels = figure.axes[0].get_yticklabels()
    assert [label.get_text().replace("\n", " ") for label in labels] == names
    assert all(label.get_window_extent().x0 >= 0 for label in labels)
    assert [label.get_text() for label in labels][1:] == names[1:]


def test_labels_are_kept_apart():
    assert spread([1.0, 5.0], 1.0) == [1.0, 5.0]
    moved = spread([1.0, 1.1, 1.2, 9.0], 1.0)
    assert all(after - before >= 1 - 1e-9 for before, after in pairwise(moved))
    assert sum(moved[:3]) / 3 == pytest.approx(1.1)


def test_palette_is_that_of_the_analysis_function():
    assert palette().main == "#12436D"
    assert palette().signal == "#F46A25"


# Workbook


def sheet_texts(path: Path) -> dict[str, list[str]]:
    """Return the texts of each sheet of a workbook, by label, in order."""
    with zipfile.ZipFile(path) as archive:
        shared = [
            "".join(text.text or "" for text in item.iter(f"{XLSX}t"))
            for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml"))
        ]
        labels = [
            sheet.get("name", "")
            for sheet in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(
                f"{XLSX}sheet"
            )
        ]
        return {
            label: [
                shared[int(cell.findtext(f"{XLSX}v", "0"))]
                for cell in ElementTree.fromstring(
                    archive.read(f"xl/worksheets/sheet{number}.xml")
                ).iter(f"{XLSX}c")
                if cell.get("t") == "s"
            ]
            for number, label in enumerate(labels, start=1)
        }


def test_workbook_has_cover_contents_notes_and_a_table_a_sheet(exported):
    texts = sheet_texts(exported / "workbook.xlsx")
    assert list(texts) == ["Cover", "Contents", "Notes", "Table 5", "Figure 10", "Figure 11"]
    assert texts["Cover"][0] == "Fenland CSP: strategic assessment tables, Q1 2018/19"
    assert any(text.startswith("Synthetic data") for text in texts["Cover"])
    assert any("data.police.uk" in text for text in texts["Cover"])
    assert any("dwelling burglary" in text for text in texts["Notes"])
    assert f"No data for May 2016 to June 2016, February 2017: {NO_DATA}." in " ".join(
        texts["Notes"]
    )
    assert texts["Figure 11"][0].endswith("[note 6]")
    assert "[x] means not available." in texts["Figure 10"]
    assert texts["Figure 10"].count("[x]") > 6


def workbook_part(path: Path, name: str) -> ElementTree.Element:
    with zipfile.ZipFile(path) as archive:
        return ElementTree.fromstring(archive.read(name))


def test_workbook_has_dates_a_frozen_header_and_filters(exported):
    path = exported / "workbook.xlsx"
    number = list(sheet_texts(path)).index("Figure 10") + 1
    sheet = workbook_part(path, f"xl/worksheets/sheet{number}.xml")
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Figure 10").to_python()
    header = next(place for place, row in enumerate(rows) if row[0] == "Area code")
    column = rows[header].index("Month")
    assert [row[column] for row in rows[header + 1 :][: len(months())]] == months()
    pane = next(sheet.iter(f"{XLSX}pane"))
    assert (pane.get("ySplit"), pane.get("state")) == (str(header + 1), "frozen")
    styles = zipfile.ZipFile(path).read("xl/styles.xml").decode()
    assert 'formatCode="mmmm yyyy"' in styles
    with zipfile.ZipFile(path) as archive:
        marked = [name for name in archive.namelist() if name.startswith("xl/tables/")]
        filtered = [b"<autoFilter" in archive.read(name) for name in marked]
    assert len(filtered) == len(sheet_texts(path)) - 1
    assert sum(filtered) == len(filtered) - 2  # all but contents and notes


def test_workbook_draws_months_without_a_value_as_a_gap(exported):
    path = exported / "workbook.xlsx"
    chart = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
    with zipfile.ZipFile(path) as archive:
        charts = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
    rows = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("Figure 10").to_python()
    header = next(place for place, row in enumerate(rows) if row[0] == "Area code")
    offences = rows[header].index("Offences")
    drawn = workbook_part(path, min(charts))
    titles = "".join(text.text or "" for text in drawn.iter() if text.tag.endswith("}t"))
    assert "Shoplifting in " in titles
    cells = set()
    for series in drawn.iter(f"{chart}ser"):
        sheet, first, last = re.fullmatch(  # type: ignore[union-attr]
            r"'(.*)'!\$[A-Z]+\$(\d+):\$[A-Z]+\$(\d+)", series.findtext(f"{chart}yVal//{chart}f", "")
        ).groups()
        assert sheet == "Figure 10"
        name = series.findtext(f"{chart}tx//{chart}v")
        if name == "Offences":
            cells |= set(range(int(first) - 1, int(last)))
    area = rows[min(cells)][0]
    own = [place for place, row in enumerate(rows) if row[0] == area]
    assert cells == {place for place in own if not isinstance(rows[place][offences], str)}
    assert len(own) - len(cells) == len(MISSING_MONTHS)


def test_workbook_runs_no_text_as_a_formula(published, tmp_path):
    warehouse = published.parents[2] / "warehouse.duckdb"
    copy = tmp_path / "warehouse.duckdb"
    copy.write_bytes(warehouse.read_bytes())
    with duckdb.connect(copy) as connection:
        connection.execute("update reports.table_5_social_dwellings set area_name = '=1+1'")
    path = build_release(
        copy, tmp_path / "published", QUARTER, tables(), NOW, reports=reports()
    ).path
    export_partnership(path, tmp_path / "fenland", "fenland")
    with zipfile.ZipFile(tmp_path / "fenland" / "workbook.xlsx") as archive:
        sheets = [archive.read(name) for name in archive.namelist() if "worksheets/" in name]
    assert not any(re.search(rb"<f[ >]", sheet) for sheet in sheets)


# The folder


def test_checksums_and_manifest_cover_every_file(exported):
    files = contents(exported)
    lines = [line.split("  ", 1) for line in files.pop("SHA256SUMS").decode().splitlines()]
    sums = {name: digest for digest, name in lines}
    assert sums == {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    described = json.loads(files.pop("manifest.json"))
    assert {file["path"]: file["bytes"] for file in described["files"]} == {
        name: len(content) for name, content in files.items()
    }
    assert described["csp"] == "fenland"
    assert described["quarter"] == "2018-04-01"
    assert described["synthetic"] is True
    assert described["synthetic_notice"].startswith("Synthetic data")
    assert described["sources"][0]["sha256"] == "ab12"


def test_two_exports_of_the_same_figures_have_the_same_bytes(exported, tmp_path):
    again = build(tmp_path)
    assert export_partnership(again, tmp_path / "fenland", "fenland").changed
    assert contents(tmp_path / "fenland") == contents(exported)


def test_later_build_of_the_same_figures_differs_in_the_manifest_only(exported, tmp_path):
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    later = NOW.replace(year=2019)
    path = build_release(
        warehouse,
        tmp_path / "published",
        QUARTER,
        tables(),
        later,
        credits=CREDITS,
        reports=reports(),
    ).path
    export_partnership(path, tmp_path / "fenland", "fenland")
    old, new = contents(exported), contents(tmp_path / "fenland")
    assert {name for name in old if old[name] != new[name]} == {"manifest.json", "SHA256SUMS"}


@pytest.mark.slow
def test_unchanged_release_leaves_whole_folders_alone(published, tmp_path):
    first = export_release(published, tmp_path, QUARTER)
    assert [result.changed for result in first] == [True] * 3
    inodes = [result.folder.stat().st_ino for result in first]
    second = export_release(published, tmp_path, QUARTER)
    assert [result.changed for result in second] == [False] * 3
    assert [result.folder.stat().st_ino for result in second] == inodes
    assert [result.files for result in second] == [result.files for result in first]
    (first[0].folder / "workbook.xlsx").write_bytes(b"edited")
    (first[1].folder / "charts" / "stray.txt").write_text("stray")
    (first[2].folder / "manifest.json").unlink()
    third = export_release(published, tmp_path, QUARTER)
    assert [result.changed for result in third] == [True] * 3
    assert not (first[1].folder / "charts" / "stray.txt").exists()


def test_changed_release_is_exported_again_even_at_the_same_time(tmp_path):
    export_partnership(build(tmp_path), tmp_path / "fenland", "fenland")
    changed = build(tmp_path, extra_offences=3)
    assert export_partnership(changed, tmp_path / "fenland", "fenland").changed


def test_failure_leaves_the_old_folder_and_nothing_beside_it(published, tmp_path, monkeypatch):
    out = tmp_path / "fenland"
    export_partnership(published, out, "fenland")
    before = contents(out)

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(partnership, "_write_workbook", fail)
    with pytest.raises(ExportError, match="no space left"):
        export_partnership(published, out, "fenland", force=True)
    assert contents(out) == before
    assert names(tmp_path) == ["fenland"]


def test_leftovers_of_killed_runs_are_repaired(published, tmp_path):
    out = tmp_path / "fenland"
    export_partnership(published, out, "fenland")
    (tmp_path / ".building-fenland.aa").mkdir()
    (tmp_path / ".building-fenland-marshes.aa").mkdir()
    out.rename(tmp_path / ".old-fenland.bb")
    assert not export_partnership(published, out, "fenland").changed
    assert names(tmp_path) == [".building-fenland-marshes.aa", "fenland"]


def test_wrong_requests_are_reported(published, tmp_path):
    with pytest.raises(UnknownPartnershipError, match="cambridge, fenland"):
        export_partnership(published, tmp_path / "x", "atlantis")
    with pytest.raises(WrongReleaseError, match="Q1 2018/19"):
        export_release(published, tmp_path, date(2018, 7, 1))
    with pytest.raises(ReleaseUnreadableError):
        export_release(tmp_path / "none.duckdb", tmp_path, QUARTER)


def test_release_without_areas_or_figures_is_reported_or_exported_as_far_as_it_goes(tmp_path):
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    bare = [table for table in published_tables(manifest()) if table.name == "dim_area"]
    path = build_release(
        warehouse, tmp_path / "published", QUARTER, bare, NOW, reports=reports()
    ).path
    result = export_partnership(path, tmp_path / "fenland", "fenland")
    held = {file.path.split("/")[0] for file in result.files}
    assert held == {"tables", "manifest.json", "datapackage.json", "pack.html", "pack.docx",
                    "explore.html"}  # fmt: skip
    page = (tmp_path / "fenland" / "pack.html").read_text(encoding="utf-8")
    package = json.loads((tmp_path / "fenland" / "datapackage.json").read_text(encoding="utf-8"))
    reasons = {one["label"]: one["reason"] for one in package["absent"]}
    assert reasons.keys() == {exhibit.label for exhibit in exhibits()}
    assert "Table 5: not in the release." in page
    for label, reason in reasons.items():
        assert f"{label}: {reason}." in page
    none = [table for table in published_tables(manifest()) if table.name == "dim_month"]
    path = build_release(warehouse, tmp_path / "other", QUARTER, none, NOW, reports=reports()).path
    with pytest.raises(ExportError, match="dim_area"):
        export_release(path, tmp_path, QUARTER)

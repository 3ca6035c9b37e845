"""Tables as they are read: shorthand, brackets, and what is in which row and column."""

from datetime import date

from orchestration.exports.pack.html_page import css_text
from orchestration.exports.pack.word_document import column_widths
from orchestration.exports.report_definition.row_selection import Partnership
from orchestration.exports.report_definition.table_layout import (
    absence,
    cell_text,
    grid,
    ordered_rows,
    periods,
    scope,
    shown_rows,
    value_text,
)
from orchestration.releases.report_metadata import ReportColumn
from tests.release_fixtures import exhibits

WHOSE = Partnership("fenland", "Fenland CSP", ("D1",), ("F",), ("D1", "D2", "F"))


def exhibit(table):
    return next(one for one in exhibits() if one.table == table)


def test_the_catalogue_has_the_printed_order_and_names_every_table_once():
    labels = [one.label for one in exhibits()]
    assert labels == [
        "Figure 1", "Table 1", "Table 2", "Figure 2", "Age and sex", "Figure 3", "Figure 4",
        "Figure 5",
        "Table 3", "Table 4", "Figure 6", "Figure 6 (others)", "Figure 7", "Figure 8",
        "Releases from prison", "Figure 9",
        "Table 5", "Scanning", "Priorities", "Outlook", "Outcomes", "Stop and search",
        "Against similar areas", "Similar areas", "Crime map", "Hot spots", "Deprivation",
        "Figure 10",
        "Table 6", "Figure 11", "Table 7", "Table 8", "Appendix C",
    ]  # fmt: skip
    slugs = [one.slug for one in exhibits()]
    assert len(set(slugs)) == len(slugs)
    for one in exhibits():
        headings = [field.heading for field in one.columns]
        assert len(set(headings)) == len(headings)
    assert exhibit("table_3_oasys_pathways").areas == "force"


def test_rows_are_in_the_order_of_columns():
    rows = [{"area": "B", "place": 1}, {"area": "A", "place": 10}, {"area": "A", "place": 9}]
    assert ordered_rows(rows, ("area", "place")) == [rows[2], rows[1], rows[0]]
    assert ordered_rows(rows, ()) == rows
    assert exhibit("page_scanning").workbook_order_by == ("area_code", "row_order")


def test_values_are_written_in_their_form():
    written = [
        value_text(1234, "count"), value_text(0, "count"), value_text(13, "percent"),
        value_text(13.25, "percent"), value_text(0.4090909, "share"), value_text(8.93, "rate"),
        value_text(0.031, "rate"), value_text(0.0, "rate"),
        value_text(date(2018, 4, 1), "month"), value_text(2016, "year"), value_text("=1", "text"),
    ]  # fmt: skip
    assert written == [
        "1,234",
        "0",
        "13%",
        "13.2%",
        "40.9%",
        "8.9",
        "0.03",
        "0.0",
        "April 2018",
        "2016",
        "=1",
    ]


def test_an_empty_cell_says_why_and_a_nought_is_a_nought():
    count = ReportColumn(column="offenders", heading="O", form="count", show_marker=True)
    assert cell_text({"offenders": 0, "status": None}, count) == "0"
    assert cell_text({"offenders": None, "status": "[c]"}, count) == "[c]"
    assert cell_text({"offenders": None, "status": "[z] [p]"}, count) == "[z]"
    assert cell_text({"offenders": None, "status": None}, count) == "[x]"
    own = {"offenders": None, "offenders_status": "[c]", "status": "[x]"}
    assert cell_text(own, count) == "[c]"
    assert cell_text({"offenders": 7, "status": "[b] [p]"}, count) == "7 [b] [p]"
    unmarked = ReportColumn(column="offenders", heading="O", form="count")
    assert cell_text({"offenders": 7, "status": "[b]"}, unmarked) == "7"


def profile(area, name, csp, *rows):
    return [
        {"period_start": date(2017, 4, 1), "period_label": "2017/18", "area_code": area,
         "area_name": name, "csp": csp, "row_order": order, "dimension": dimension,
         "category": category, "offenders": offenders, "percent_of_all": percent, "status": status}
        for order, dimension, category, offenders, percent, status in rows
    ]  # fmt: skip


def test_a_table_across_areas_has_groups_brackets_and_markers():
    rows = [
        *profile("F", "Force", None, (1, "All", "All offenders", 90, None, "[z]"),
                 (2, "Gender", "Male", 60, 67, None)),
        *profile("D1", "Fenland", "fenland", (1, "All", "All offenders", 9, None, "[z]"),
                 (2, "Gender", "Male", None, None, "[c]"), (3, "Gender", "4 or more", 7, 8, None)),
    ]  # fmt: skip
    one = exhibit("figure_2_offender_profile")
    made = grid(one, rows)
    assert made.headings == ("Offenders", "Fenland", "Force")
    assert [(row.group, row.heading, *row.cells) for row in made.rows] == [
        ("", "All offenders", "9", "90"),
        ("Gender", "Male", "[c]", "60 (67%)"),
        ("Gender", "4 or more", "7 (8%)", "[z]"),
    ]
    assert made.shorthand == ("[c]", "[z]")
    assert scope(one, rows) == "2017/18"


def test_a_list_leaves_out_what_every_row_shares_and_shows_the_latest():
    rows = [
        {"period_start": date(year, 4, 1), "period_label": f"{year}", "area_code": area,
         "area_name": name, "number_of_offences": "1", "offenders": 5, "status": None}
        for year in (2016, 2017) for area, name in (("D1", "Fenland"), ("F", "Force"))
    ]  # fmt: skip
    one = exhibit("table_2_offending_frequency")
    shown = shown_rows(one, rows, WHOSE)
    assert [(row["period_label"], row["area_code"]) for row in shown] == [("2017", "D1")]
    made = grid(one, shown)
    # Columns that the release lacks are left out.
    assert made.headings[-1] == "Offenders"
    assert made.rows[0].cells == ("5",)
    assert scope(one, shown) == "Fenland, 2017"


def test_brackets_hold_the_survey_before_with_its_own_marker():
    row = {
        "period_start": date(2018, 4, 1), "period_label": "April to June 2018",
        "area_name": "March", "area_code": "D1:march", "not_at_all": 22,
        "not_at_all_previous": None, "base": 112,
        "previous_base": None, "status": None, "previous_status": "[c]",
    }  # fmt: skip
    made = grid(exhibit("table_8_crime_asb_problem"), [row, {**row, "area_name": "Wisbech"}])
    assert made.rows[0].heading == "March"
    assert made.rows[0].cells == ("22% ([c])", "112 ([c])")


def test_periods_span_from_the_first_to_the_last():
    rows = [{"period_label": label, "period_start": start}
            for label, start in (("2017/18", "2017-04-01"), ("2012", "2012-01-01"))]  # fmt: skip
    assert periods(rows) == "2012 to 2017/18"
    assert periods([{"stock_year": 2016}]) == "2016"
    assert periods([{"other": 1}]) == ""


def test_text_of_a_style_sheet_cannot_end_it():
    assert css_text('a"; } </style><b>\\') == '"a\\22 \\3b  \\7d  \\3c /style\\3e \\3c b\\3e \\5c "'


def test_columns_of_a_document_hold_their_longest_word():
    widths = column_widths([["Area", "Huntingdonshire"], ["East", "1"]], 10_000_000, 8.0)
    assert widths[1] > 15 * 8 * 12_700 * 0.6
    assert sum(column_widths([["x" * 400, "y" * 400]], 1000, 8.0)) <= 1000


def dwellings(year, rate):
    return {"stock_year": year, "row_order": 1, "area_code": "D1", "area_name": "Fen",
            "local_authority": 10, "private_registered_provider": 20, "other_public_sector": 0,
            "total": 30, "population": None, "rate_per_1000": rate,
            "status": "[x]" if rate is None else None}  # fmt: skip


def test_the_latest_rows_are_shown_where_none_has_the_value_that_is_asked_for():
    table_5 = exhibit("table_5_social_dwellings")
    assert shown_rows(table_5, [dwellings(2016, 1.0), dwellings(2017, None)], WHOSE) == [
        dwellings(2016, 1.0)
    ]
    rows = [dwellings(2016, None), dwellings(2017, None)]
    chosen = shown_rows(table_5, rows, WHOSE)
    assert chosen == [dwellings(2017, None)]
    assert absence(table_5, True, rows, WHOSE) == ""
    assert "[x]" in grid(table_5, [*chosen, dwellings(2017, 1.0)]).rows[0].cells


def test_what_shows_nothing_has_a_reason():
    figure_10 = exhibit("figure_10_shoplifting")
    elsewhere = {"area_code": "D2", "month": date(2018, 1, 1), "offences": 1}
    assert absence(figure_10, False, [], WHOSE) == "not in the release"
    assert "no rows for this partnership" in absence(figure_10, True, [], WHOSE)
    assert "other areas only" in absence(figure_10, True, [elsewhere], WHOSE)
    assert absence(figure_10, True, [elsewhere | {"area_code": "D1"}], WHOSE) == ""

"""Figure 1: the numbers that each part of the criminal justice system knows."""

from datetime import date

from orchestration.exports.charts.system_diagram import system_diagram
from orchestration.exports.charts.system_numbers import (
    DIAGRAM,
    Known,
    diagram_words,
    numbers_known,
    system_tables,
)
from orchestration.exports.report_definition.row_selection import Place
from orchestration.releases.report_metadata import DIAGRAMS

PLACE = Place("E07000010", "Fenland", "E23000023", "Force")


def row(end, label, area="E07000010", **cells):
    return {"area_code": area, "period_end": date(end, 3, 31), "period_label": label,
            "status": None, **cells}  # fmt: skip


ROWS = {
    "table_1_offender_rates": [
        row(2017, "2016/17", offenders=900),
        row(2018, "2017/18", offenders=1878),
        row(2019, "2018/19", "E23000023", offenders=9000),
    ],
    "figure_4_first_time_entrants": [row(2018, "2017/18", first_time_entrants=35)],
    "table_4_need_complexity": [
        row(2018, "March 2018", cohort="CRC", assessed_needs="0", offenders=5),
        row(2018, "March 2018", cohort="CRC", assessed_needs="All offenders", offenders=278),
    ],
    "page_prison_releases": [
        row(2018, "2017/18", prison="HMP Ely", released=None, status="[c]"),
        row(2018, "2017/18", prison="HMP Wisbech", released=0),
    ],
}


def test_each_part_has_its_latest_numbers():
    stages = {stage.title: stage.known for stage in numbers_known(
        ROWS, PLACE, {"figure_4_first_time_entrants": 5, "table_4_need_complexity": 5}
    )}  # fmt: skip
    assert stages == {
        "Police": (Known("known offenders", "1,878", "2017/18", "Table 1"),),
        "Youth offending service": (
            Known("first-time entrants", "about 35", "2017/18", "Figure 4"),
        ),
        # A total of a rounded table that is no multiple is not rounded.
        "Probation": (Known("CRC offenders", "278", "March 2018", "Table 4"),),
        "Prison": (
            Known(
                "people released from HMP Ely",
                "[c] confidential",
                "2017/18",
                "Releases from prison",
            ),
            Known("people released from HMP Wisbech", "0", "2017/18", "Releases from prison"),
        ),
    }


def test_nothing_is_drawn_without_a_number():
    assert numbers_known({}, PLACE, {}) == ()
    hidden = {"page_prison_releases": ROWS["page_prison_releases"][:1]}
    assert numbers_known(hidden, PLACE, {}) == ()


def test_the_diagram_has_every_number_in_picture_and_text():
    stages = numbers_known(ROWS, PLACE, {})
    words = diagram_words(stages, PLACE, DIAGRAM, ["Source: made up."], synthetic=True)
    chart = system_diagram(stages, words)
    svg = chart.svg.decode()
    for known in (known for stage in stages for known in stage.known):
        assert known.text in svg and known.whom in svg, known
        assert f"{known.text} {known.whom} ({known.period}, {known.label})" in chart.alt
    assert chart.alt.endswith("The data are synthetic.")


def test_it_is_the_figure_of_the_catalogue_and_of_no_table():
    assert DIAGRAM in [one.slug for one in DIAGRAMS]
    assert DIAGRAM not in system_tables()

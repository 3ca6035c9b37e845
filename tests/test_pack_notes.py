"""What the pack states once, and what it says instead of an empty table."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.exports.findings.finding import Finding
from orchestration.exports.pack.finding_groups import key_findings
from orchestration.exports.pack.general_notes import shared_notes
from orchestration.exports.report_definition.report_catalogue import catalogue_of
from orchestration.exports.report_definition.row_selection import Partnership, Place
from orchestration.exports.report_definition.table_layout import (
    emptiness,
    rows_after_shown,
    shown_rows,
    unnumbered,
)
from orchestration.releases.report_metadata import ReportColumn, ReportMetadata

ROUNDED = (
    "Inner counts are rounded so that none is more than four off. A zero may be one to four, and "
    "no more than that. Totals are sums of rounded counts."
)
PLACE = Place("E07000010", "Fenland", "E23000023", "the force")
FINDING = Finding("A figure.")


# Notes


def test_a_text_that_several_tables_share_is_stated_once():
    found = shared_notes(
        {
            "Table 1": [f"Of one table. {ROUNDED}", "Data up to June 2018."],
            "Table 2": [ROUNDED, "Data up to June 2018."],
            "Table 3": ["Of another table."],
        }
    )
    (note,) = found.general
    assert (note.number, note.text, note.labels) == (1, ROUNDED, ("Table 1", "Table 2"))
    assert found.own == {
        "Table 1": ("Of one table.", "Data up to June 2018."),
        "Table 2": ("Data up to June 2018.",),
        "Table 3": ("Of another table.",),
    }
    assert found.applying == {"Table 1": (1,), "Table 2": (1,), "Table 3": ()}


sentences = st.sampled_from(["Short.", f"{'A long text ' * 9}ends.", f"{'Another text ' * 9}ends."])
notes = st.lists(st.lists(sentences, min_size=1, max_size=4).map(" ".join), max_size=3)


@given(st.dictionaries(st.sampled_from("ABCD"), notes))
def test_no_sentence_of_a_note_is_lost(given_notes):
    found = shared_notes(given_notes)
    for label, texts in given_notes.items():
        general = [note.text for note in found.general if note.number in found.applying[label]]
        kept = " ".join([*found.own[label], *general])
        for text in texts:
            for sentence in text.split(". "):
                assert sentence.rstrip(".") in kept


# Empty tables


def metadata(**more) -> ReportMetadata:
    return ReportMetadata(
        section="survey", position=1, label="Table 7", subject="Feeling safe", order_by=(),
        columns=(
            ReportColumn(column="area_name", heading="Area"),
            ReportColumn(column="safe", heading="Safe", form="percent", in_brackets="safe_before"),
            ReportColumn(column="safe_before", heading="Safe before", form="percent"),
        ),
        **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("safe", "status", "reason"),
    [
        (None, "[x]", "not surveyed, July to September 2018"),
        (None, "[x] [c]", "not surveyed, July to September 2018"),
        (None, "[c]", "every figure is confidential, July to September 2018"),
        (0, None, ""),
    ],
)
def test_a_table_without_a_figure_is_a_sentence_with_the_reason(safe, status, reason):
    (exhibit,) = catalogue_of([("table_7", metadata(empty_because="not surveyed"))]).exhibits[-1:]
    rows = [
        {"area_name": name, "safe": safe, "safe_before": 12, "status": status,
         "period_label": "July to September 2018", "period_start": date(2018, 7, 1)}
        for name in ("March", "Wisbech")
    ]  # fmt: skip
    assert exhibit.table == "table_7"
    assert emptiness(exhibit, rows) == reason


def test_the_last_rows_end_with_a_figure_and_the_empty_ones_after_are_known():
    exhibit = catalogue_of([("table_7", metadata(last_rows=2))]).exhibits[-1]
    whose = Partnership("x", "X", ("X1",), (), (), frozenset())

    def row(month: int, safe: int | None):
        return {"area_code": "X1", "area_name": "X", "month": date(2018, month, 1), "safe": safe,
                "safe_before": 3}  # fmt: skip

    rows = [row(1, 5), row(2, 0), row(3, None), row(4, None)]
    assert shown_rows(exhibit, rows, whose) == rows[:2]
    assert rows_after_shown(exhibit, rows, whose) == rows[2:]
    holed = [row(1, 5), row(2, None), row(3, 7)]
    assert shown_rows(exhibit, holed, whose) == holed[1:]
    assert rows_after_shown(exhibit, holed, whose) == []
    empty = [row(1, None), row(2, None), row(3, None)]
    assert shown_rows(exhibit, empty, whose) == empty[1:]
    assert rows_after_shown(exhibit, empty, whose) == []


def test_a_title_has_its_number_once():
    assert unnumbered("Figure 6: Accommodation need") == "Accommodation need"
    assert unnumbered("Appendix C: Needs") == "Needs"
    assert unnumbered("Park benches") == "Park benches"


# Key findings


def survey_rows(count):
    return [
        {"period_start": date(2018, 4, 1), "period_label": "April to June 2018",
         "area_code": f"{PLACE.code}:{number}", "area_name": f"Town {number}", "very_safe": 20,
         "base": 90, "very_safe_previous": None, "previous_base": None}
        for number in range(count)
    ]  # fmt: skip


def test_findings_say_what_is_left_out_and_how_they_are_chosen():
    made = catalogue_of([("table_7_feel_safe", metadata())])
    rows = {"table_7_feel_safe": survey_rows(1)}
    found = key_findings(made.sections, lambda one: one.table in rows, rows, PLACE, {})
    assert [group.title for group in found.groups] == ["Community survey"]
    assert found.notes[0] == "No finding is left out."
    assert "exclude none. The limits allow for chance, not" in found.notes[2]
    rounded = key_findings(
        made.sections, lambda one: one.table in rows, rows, PLACE, {"table_7_feel_safe": 5}
    )
    assert "whatever was rounded away. The limits allow for chance and rounding" in rounded.notes[2]
    none = key_findings(made.sections, lambda one: False, rows, PLACE, {})
    assert (none.groups, none.notes) == ((), ())


def test_findings_that_are_left_out_are_counted_with_their_tables():
    reports = [
        (f"table_{number}", metadata().model_copy(update={"label": f"Table {number}"}))
        for number in range(20)
    ]
    made = catalogue_of(reports)
    rows = {name: survey_rows(1) for name, _ in reports}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orchestration.exports.pack.finding_groups.findings", lambda *_: [FINDING])
        found = key_findings(made.sections, lambda one: one.table in rows, rows, PLACE, {})
    assert sum(len(group.findings) for group in found.groups) == 15
    assert found.notes[0].startswith("5 less important findings are left out; the figures are in ")

"""The reference tables of what the assessment printed hold what it printed, and nothing hidden."""

import re

import pytest

from tests.support import GOLDEN, Ground, csv_rows


def number(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def printed(sample: Ground, place: str) -> dict[str, str]:
    return dict(
        sample.query(
            "select figure_id, printed_value from reference.printed_figures "
            f"where place = '{place}'"
        )
    )


def test_every_table_and_figure_is_there_in_full(sample: Ground) -> None:
    counts = dict(sample.query("select place, count(*) from reference.printed_figures group by 1"))
    assert counts == {
        "Table 1": 42,
        "Table 2": 44,
        "Table 3": 77,
        "Table 4": 10,
        "Table 5": 41,
        "Table 6": 63,
        "Table 7": 32,
        "Table 8": 32,
        "Figure 2": 61,
        "Figure 3": 5,
        "Figure 5": 450,
        "Appendix C": 9,
        "Text": 106,
    }
    marks = dict(
        sample.query(
            "select printed_value, count(*) from reference.printed_figures "
            "where not regexp_matches(printed_value, '^[^<]*[0-9]') group by 1"
        )
    )
    assert marks == {"N/A": 6, "<5": 4, "-": 8}


@pytest.mark.parametrize(("number_of", "file"), [(7, "feel_safe"), (8, "crime_asb_problem")])
def test_survey_tables_are_as_printed(sample: Ground, number_of: int, file: str) -> None:
    ours = printed(sample, f"Table {number_of}")
    for row in csv_rows(GOLDEN / f"table{number_of}_{file}.csv"):
        answer = row["response"].lower().replace(" ", "_")
        stem = f"table_{number_of}.{row['area_name'].lower()}.{answer}"
        assert ours[f"{stem}.current"] == f"{row['pct_apr_jun_2018']}%"
        assert ours[f"{stem}.previous"] == f"({row['pct_jan_mar_2018']})"


def test_social_dwellings_are_as_printed(sample: Ground) -> None:
    ours = sorted(number(text) for text in printed(sample, "Table 5").values())
    golden = [float(row["value"]) for row in csv_rows(GOLDEN / "table5_social_dwellings.csv")]
    assert ours == sorted(golden)


def test_numbers_of_sentences_are_as_printed(sample: Ground) -> None:
    ours = {
        figure: number(text)
        for figure, text in sample.query(
            "select figure_id || ' at line ' || source_line, printed_value "
            "from reference.printed_figures where place = 'Text'"
        )
    }
    golden = {
        f"text.{row['fact_id']} at line {row['seed_line']}": float(row["value"])
        for row in csv_rows(GOLDEN / "facts.csv")
    }
    assert ours == golden


def test_every_inconsistency_is_there(sample: Ground) -> None:
    verdicts = sample.query(
        "select verdict, count(*) from reference.printed_inconsistencies group by 1 order by 1"
    )
    assert verdicts == [
        ("ambiguous", 20),
        ("disclosive", 10),
        ("inconsistent", 27),
        ("omission", 5),
        ("presentation", 3),
        ("unverifiable", 9),
        ("wrong", 19),
    ]


def test_no_recovered_value_is_carried_where_the_print_discloses_one(sample: Ground) -> None:
    rows = sample.query(
        "select recomputed, note from reference.printed_inconsistencies "
        "where verdict = 'disclosive'"
    )
    assert {recomputed for recomputed, _ in rows} == {None}
    # A note may name the threshold bases and tables, never a count.
    numbers = {found for _, note in rows for found in re.findall(r"\d+", note)}
    assert numbers <= {"2", "100"}

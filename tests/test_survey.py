"""The community survey: Tables 7 and 8 and every survey figure of the text, and bad workbooks.

What the assessment prints is in `golden/`; where it cannot be right, the test says both what is
printed and what is true.
"""

import itertools
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from math import sqrt
from pathlib import Path
from typing import Any

import pytest

from orchestration.errors import SettingsError
from orchestration.ingest.checking.delivery_check import check, configured_contract
from orchestration.ingest.checking.supplier_report import HEADINGS, report_rows
from orchestration.ingest.sources.community_survey.sample import HEADER, Cell, workbook
from tests.support import GOLDEN, Ground, csv_rows, messages

APRIL = "2018-04-01"
JANUARY = "2018-01-01"
NAME = "community-survey.xlsx"
TOWNS = ("Chatteris", "March", "Whittlesey", "Wisbech")
SPEEDING = "Speeding / anti-social driving"
FEEL_SAFE = {
    "Very Safe": "very_safe",
    "Safe": "safe",
    "Unsafe": "unsafe",
    "Very Unsafe": "very_unsafe",
}
CRIME_ASB = {
    "Not at all": "not_at_all",
    "Not much": "not_much",
    "Quite a problem": "quite_a_problem",
    "Big problem": "big_problem",
}
TABLES = {
    "table_7_feel_safe": ("table7_feel_safe.csv", FEEL_SAFE),
    "table_8_crime_asb_problem": ("table8_crime_asb_problem.csv", CRIME_ASB),
}


def half_up(value: float) -> int:
    return int(value + 0.5)


def shares(
    sample: Ground, question: str, answer: str, wave: str = APRIL, kind: str = "town"
) -> dict[str, float]:
    """The unrounded percentage that gave an answer, by area."""
    return dict(
        sample.query(
            "select area_name, percentage from marts.survey_perceptions "
            f"where question = '{question}' and answer = '{answer}' and area_type = '{kind}' "
            f"and period_start = '{wave}'"
        )
    )


@pytest.fixture(scope="module")
def printed() -> dict[str, float]:
    """Numbers that the assessment states in sentences."""
    return {row["fact_id"]: float(row["value"]) for row in csv_rows(GOLDEN / "facts.csv")}


# --- Tables 7 and 8


@pytest.mark.parametrize("table", TABLES)
def test_every_printed_percentage_is_reproduced(sample: Ground, table: str) -> None:
    file, slugs = TABLES[table]
    golden = {
        (row["area_name"], row["response"]): (
            int(row["pct_apr_jun_2018"]),
            int(row["pct_jan_mar_2018"]),
        )
        for row in csv_rows(GOLDEN / file)
    }
    columns = ", ".join(f"{slug}, {slug}_previous" for slug in slugs.values())
    rows = sample.query(
        f"select area_name, {columns} from reports.{table} "
        f"where period_start = '{APRIL}' order by row_order"
    )
    assert tuple(row[0] for row in rows) == TOWNS
    ours = {
        (area, answer): tuple(cells[2 * place : 2 * place + 2])
        for area, *cells in rows
        for place, answer in enumerate(slugs)
    }
    assert len(golden) == 16
    assert ours == golden


@pytest.mark.parametrize("table", TABLES)
def test_bracketed_figures_are_the_wave_before(sample: Ground, table: str) -> None:
    slugs = list(TABLES[table][1].values())
    now = ", ".join(slugs)
    before = ", ".join(f"{slug}_previous" for slug in slugs)
    shown = sample.query(
        f"select area_name, {before}, previous_base from reports.{table} "
        f"where period_start = '{APRIL}' order by row_order"
    )
    january = sample.query(
        f"select area_name, {now}, base from reports.{table} "
        f"where period_start = '{JANUARY}' order by row_order"
    )
    assert shown == january
    # They add up as percentages do; as counts they would have to add to the 237 responses.
    assert all(99 <= sum(cells[:-1]) <= 101 for _, *cells in shown)
    assert sum(sum(cells[:-1]) for _, *cells in shown) != 237


def whole_counts(percentages: Sequence[int], base: int) -> Iterator[tuple[int, ...]]:
    """Counts that each round to their percentage of `base`."""
    options = [
        [count for count in range(base + 1) if (200 * count + base) // (2 * base) == one]
        for one in percentages
    ]
    return itertools.product(*options)


def test_percentages_can_only_be_of_those_who_answered() -> None:
    """Chatteris in Table 8: of 126 responses no counts will do, of 124 who answered they do."""
    row = [23, 51, 23, 4]
    assert not [counts for counts in whole_counts(row, 126) if sum(counts) <= 126]
    assert [counts for counts in whole_counts(row, 124) if sum(counts) == 124]


def test_base_is_who_answered_and_skipped_answers_are_kept_apart(sample: Ground) -> None:
    rows = sample.query(
        "select area_name, base, skipped, responses, sum(answer_count) "
        "from marts.survey_perceptions "
        f"where question = 'crime_asb_problem' and period_start = '{APRIL}' "
        "group by all order by any_value(area_order)"
    )
    assert rows == [
        ("Chatteris", 124, 2, 126, 124),
        ("March", 112, 1, 113, 112),
        ("Whittlesey", 126, 2, 128, 126),
        ("Wisbech", 121, 2, 123, 121),
        ("Fenland", 483, 7, 490, 483),
    ]


def test_printed_reason_for_sums_other_than_100_is_wrong(sample: Ground) -> None:
    """Printed: percentages do not add to 100 for skipped answers. True: it is rounding alone."""
    exact = sample.query(
        "select sum(percentage) from marts.survey_perceptions "
        "where question in ('feel_safe', 'crime_asb_problem') "
        "group by period_start, area_code, question"
    )
    assert len(exact) == 20
    assert all(total == pytest.approx(100) for (total,) in exact)
    rounded = sample.query(
        "select very_safe + safe + unsafe + very_unsafe from reports.table_7_feel_safe union all "
        "select not_at_all + not_much + quite_a_problem + big_problem "
        "from reports.table_8_crime_asb_problem"
    )
    assert {total for (total,) in rounded} == {99, 100, 101}


def test_the_number_without_a_problem_rose_though_printed_as_reduced(sample: Ground) -> None:
    """Printed: a reduction in the number. True: the share fell and the number rose."""
    ((count, before, share, share_before),) = sample.query(
        "select answer_count, previous_answer_count, percentage, previous_percentage "
        "from marts.survey_perceptions where question = 'crime_asb_problem' "
        f"and answer = 'Not at all' and area_type = 'district' and period_start = '{APRIL}'"
    )
    assert (count, before) == (98, 77)
    assert share < share_before
    # In every town, the share fell too, as printed.
    falls = sample.query(
        "select count(*) from marts.survey_perceptions where question = 'crime_asb_problem' "
        f"and answer = 'Not at all' and area_type = 'town' and period_start = '{APRIL}' "
        "and difference_points < 0"
    )
    assert falls == [(4,)]


def test_the_towns_are_areas_of_the_district_and_not_of_the_county(sample: Ground) -> None:
    """Printed: across all geographical areas in the county. True: in the district."""
    found = sample.query("select distinct district_code, csp from marts.survey_perceptions")
    assert found == [("E07000010", "fenland")]


# --- figures in sentences


def test_responses_are_as_printed(sample: Ground, printed: dict[str, float]) -> None:
    rows = sample.query(
        "select area_name, responses, previous_responses, change_percentage "
        f"from marts.survey_responses where period_start = '{APRIL}'"
    )
    responses = {area: count for area, count, *_ in rows}
    assert responses["Fenland"] == printed["survey_responses"] == 490
    for town in TOWNS:
        assert responses[town] == printed[f"survey_{town.lower()}"]
    ((previous, increase),) = [row[2:] for row in rows if row[0] == "Fenland"]
    assert previous == printed["survey_previous"] == 237
    assert half_up(increase) == printed["survey_increase"] == 107


@pytest.mark.parametrize("town", TOWNS)
def test_no_issues_is_as_printed(sample: Ground, printed: dict[str, float], town: str) -> None:
    for wave, fact in ((APRIL, "no_issues_"), (JANUARY, "no_issues_prev_")):
        share = shares(sample, "issues_experienced", "No issues", wave)[town]
        assert half_up(share) == printed[fact + town.lower()]


def test_no_issues_is_another_question_than_table_8(sample: Ground) -> None:
    unaffected = shares(sample, "issues_experienced", "No issues")
    no_problem = shares(sample, "crime_asb_problem", "Not at all")
    assert unaffected.keys() == no_problem.keys()
    assert unaffected != no_problem


@pytest.mark.parametrize(
    ("wave", "fact", "of_respondents"),
    [(APRIL, "focus_speeding", 39.19), (JANUARY, "focus_speeding_prev", 39.13)],
)
def test_focus_on_speeding_is_a_mean_of_towns_and_not_a_share_of_respondents(
    sample: Ground, printed: dict[str, float], wave: str, fact: str, of_respondents: float
) -> None:
    """Printed as the share of respondents. True: the plain mean of four unrounded percentages."""
    towns = shares(sample, "csp_focus", SPEEDING, wave)
    assert round(sum(towns.values()) / 4, 2) == printed[fact]
    (district,) = shares(sample, "csp_focus", SPEEDING, wave, "district").values()
    assert round(district, 2) == of_respondents != printed[fact]


def test_printed_39_15_is_no_mean_of_four_whole_percentages(printed: dict[str, float]) -> None:
    assert (4 * printed["focus_speeding_prev"]).is_integer()
    assert not round(4 * printed["focus_speeding"], 2).is_integer()


def ranked(sample: Ground, question: str, area: str) -> list[str]:
    rows = sample.query(
        f"select answer from marts.survey_perceptions where question = '{question}' "
        f"and area_name = '{area}' and period_start = '{APRIL}' and answer <> 'No issues' "
        "order by answer_count desc, answer_order"
    )
    return [answer for (answer,) in rows]


def test_issues_and_priorities_rank_as_the_text_says(sample: Ground) -> None:
    assert ranked(sample, "issues_experienced", "Fenland")[:3] == [
        SPEEDING,
        "Dog fouling",
        "Parking",
    ]
    for town in TOWNS:
        assert "Parking" in ranked(sample, "issues_experienced", town)[:4]
        second = "Street drinking" if town == "Wisbech" else "Burglary / theft"
        assert ranked(sample, "csp_focus", town)[:2] == [SPEEDING, second]
    littered = shares(sample, "issues_experienced", "Fly-tipping / litter")["Wisbech"]
    assert littered == shares(sample, "issues_experienced", "Dog fouling")["Wisbech"]


def test_low_reliability_is_marked_and_its_margin_given(sample: Ground) -> None:
    margins = {
        area: (round(margin, 1), status)
        for area, margin, status in sample.query(
            "select area_name, margin_points, status from marts.survey_responses "
            f"where period_start = '{APRIL}'"
        )
    }
    assert margins["Fenland"] == (4.4, None)
    assert margins["March"] == (9.1, None)
    marked = sample.query(
        "select distinct period_start, area_type, status from marts.survey_perceptions "
        "where question = 'feel_safe' order by all"
    )
    assert marked == [
        (date(2018, 1, 1), "district", None),
        (date(2018, 1, 1), "town", "[u]"),
        (date(2018, 4, 1), "district", None),
        (date(2018, 4, 1), "town", None),
    ]


# --- statistics


def wilson(count: int, base: int, z: float = 1.959963984540054) -> tuple[float, float]:
    share = count / base
    centre = (share + z * z / (2 * base)) / (1 + z * z / base)
    half = z / (1 + z * z / base) * sqrt(share * (1 - share) / base + z * z / (4 * base * base))
    return centre - half, centre + half


def newcombe(count: int, base: int, count_2: int, base_2: int) -> tuple[float, float]:
    one, two = count / base, count_2 / base_2
    (low, high), (low_2, high_2) = wilson(count, base), wilson(count_2, base_2)
    below = sqrt((one - low) ** 2 + (high_2 - two) ** 2)
    above = sqrt((high - one) ** 2 + (two - low_2) ** 2)
    return one - two - below, one - two + above


def test_limits_of_percentages_and_differences(sample: Ground) -> None:
    (worked,) = [
        row["expected"]
        for row in csv_rows(GOLDEN / "oracles.csv")
        if row["oracle_id"] == "newcombe_fenland_vs_peterborough"
    ]
    expected = [float(number) for number in worked.split(";")]
    assert newcombe(25, 188, 92, 503) == pytest.approx(expected[1:], rel=1e-9)
    rows = sample.query(
        "select answer_count, base, percentage_lower, percentage_upper, previous_answer_count, "
        "previous_base, difference_lower, difference_upper, change "
        f"from marts.survey_perceptions where period_start = '{APRIL}'"
    )
    assert len(rows) == 29 * 5
    for count, base, low, high, count_2, base_2, low_d, high_d, change in rows:
        assert (low / 100, high / 100) == pytest.approx(wilson(count, base), rel=1e-9, abs=1e-15)
        limits = newcombe(count, base, count_2, base_2)
        assert (low_d / 100, high_d / 100) == pytest.approx(limits, rel=1e-9, abs=1e-15)
        clear = "higher" if limits[0] > 0 else "lower" if limits[1] < 0 else "no clear change"
        assert change == clear


def test_falls_in_feeling_very_safe_are_as_printed_and_within_chance(sample: Ground) -> None:
    rows = dict(
        (area, (difference < 0, change))
        for area, difference, change in sample.query(
            "select area_name, difference_points, change from marts.survey_perceptions "
            "where question = 'feel_safe' and answer = 'Very Safe' and area_type = 'town' "
            f"and period_start = '{APRIL}'"
        )
    )
    fell = {town for town, (fall, _) in rows.items() if fall}
    assert fell == {"March", "Whittlesey", "Wisbech"}
    assert {change for _, change in rows.values()} == {"no clear change"}


# --- personal data


def test_nothing_of_one_person_is_in_a_mart_or_report(sample: Ground) -> None:
    columns = sample.query(
        "select distinct column_name from duckdb_columns() where "
        "(schema_name = 'marts' and table_name like 'survey_%') "
        "or (schema_name = 'reports' and table_name in "
        "('table_7_feel_safe', 'table_8_crime_asb_problem'))"
    )
    names = {name for (name,) in columns}
    personal = {one.name for one in sample.contract("community_survey").columns if one.personal}
    assert personal == {"response_id", "postcode_outward", "comments"}
    assert not names & (personal | {"age_band", "sex", "response_date"})
    staged = sample.query(
        "select count(*) from duckdb_columns() "
        "where table_name = 'stg_community_survey__responses' and column_name = 'comments'"
    )
    assert staged == [(0,)]


# --- what a supplier may get wrong

Rows = list[list[Cell]]


def good_rows(count: int = 100) -> Rows:
    """A sheet with `count` responses, the first of them in sheet row 5."""
    answers = ["March", "36-45", "Female", "PE15", "Safe", "Not much", "Parking; Other", "Parking"]
    return [
        ["Community survey"],
        ["Survey period", date(2018, 4, 1), date(2018, 6, 30)],
        [],
        list(HEADER),
        *([1_000_000 + one, date(2018, 5, 1), *answers, None] for one in range(count)),
    ]


def put(ground: Ground, rows: Rows, sheet: str = "Responses") -> Path:
    return ground.put("community_survey", APRIL, {NAME: workbook({sheet: rows})})


def column(header: str) -> int:
    return HEADER.index(header)


def rename(rows: Rows) -> None:
    rows[3][column("Sex")] = "Gender"


def name_twice(rows: Rows) -> None:
    rows[3].append("Sex")


def no_header(rows: Rows) -> None:
    del rows[3]


def no_rows(rows: Rows) -> None:
    del rows[4:]


def no_period(rows: Rows) -> None:
    del rows[1]


def no_title(rows: Rows) -> None:
    rows[0] = []


def odd_period(rows: Rows) -> None:
    rows[1][2] = date(2018, 6, 29)


def many_wrong(rows: Rows) -> None:
    for row in rows[4:8]:
        row[column("How safe do you feel where you live?")] = "Fairly safe"


BROKEN: dict[str, tuple[Callable[[Rows], None], str, list[str]]] = {
    "renamed column": (rename, "has every column", ["line 4", "'Sex' is missing"]),
    "column twice": (name_twice, "columns are named once", ["line 4", "'Sex' is there 2 times"]),
    "no header": (no_header, "has a header", ["'Response ID'"]),
    "no responses": (no_rows, "has rows", ["line 5"]),
    "no title": (no_title, "has a title", ["line 1", "Community safety survey of Newtown"]),
    "no survey period": (no_period, "has a survey period", ["'Survey period'"]),
    "not a quarter": (odd_period, "has a survey period", ["line 2", "2018-04-01 to 2018-06-29"]),
    "many wrong answers": (
        many_wrong,
        "few rows are wrong",
        ["4 of 100 rows", "line 5", "column 'How safe do you feel", "a text of 11 characters"],
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_workbook_is_refused(ground: Ground, case: str) -> None:
    break_, rule, words = BROKEN[case]
    rows = good_rows()
    break_(rows)
    put(ground, rows)
    report = ground.load("community_survey")
    assert [one.state for one in report.outcomes] == ["refused"]
    said = " ".join(messages(report))
    for word in (NAME, "sheet 'Responses'", f"[rule: {rule}]", *words):
        assert word in said
    assert ground.value("select count(*) from raw.community_survey") == 0


def test_wrong_sheet_is_refused_and_the_sheets_listed(ground: Ground) -> None:
    put(ground, good_rows(), sheet="Data")
    (said,) = messages(ground.load("community_survey"))
    assert NAME in said
    assert "no sheet 'Responses'" in said
    assert "'Data'" in said


ONE_WRONG: dict[str, tuple[str, Any, str, str | None, str]] = {
    "a town of no district served": (
        "Which town do you live in or nearest to?",
        "Norwich",
        "is a known value",
        "a text of 7 characters",
        "Which town do you live in or nearest to?",
    ),
    "no issues beside an issue": (
        "Which issues have directly affected you in the past three months?",
        "No issues; Parking",
        "has the right form",
        "No issues; Parking",
        "Which issues have directly affected you in the past three months?",
    ),
    "a date after the wave": (
        "Response date",
        date(2018, 7, 2),
        "is at most 0",
        "2",
        "days_outside_wave",
    ),
    "a date that is none": (
        "Response date",
        "first of May",
        "is a date like yyyy-mm-dd",
        "a text of 12 characters",
        "Response date",
    ),
    "a whole postcode, which is not repeated": (
        "Postcode (first part)",
        "PE15 0ZZ",
        "has the right form",
        "a text of 8 characters",
        "Postcode (first part)",
    ),
    "a response twice": ("Response ID", 1_000_000, "row is not repeated", None, ""),
}


@pytest.mark.parametrize("case", ONE_WRONG)
def test_one_wrong_response_goes_to_quarantine_and_the_rest_is_loaded(
    ground: Ground, case: str
) -> None:
    header, value, rule, shown, named = ONE_WRONG[case]
    rows = good_rows()
    rows[10][column(header)] = value
    put(ground, rows)
    (outcome,) = ground.load("community_survey").outcomes
    assert outcome.state == "loaded"
    assert (outcome.rows_loaded, outcome.rows_refused) == (99, 1)
    found = ground.query(
        "select sheet, line, coalesce(column_name, ''), value, rule from quarantine.refused_rows"
    )
    assert found == [("Responses", 11, named, shown, rule)]


def test_blank_lines_spacing_and_text_dates_are_read(ground: Ground) -> None:
    rows = good_rows(3)
    rows[4][column("Response date")] = "2018-05-02"
    issues = column("Which issues have directly affected you in the past three months?")
    rows[5][issues] = " Parking ;Other; "
    rows.insert(5, [None] * len(HEADER))
    put(ground, rows)
    ground.load("community_survey")
    assert ground.query(
        "select _line, response_date, issues_experienced from raw.community_survey order by _line"
    ) == [
        (5, date(2018, 5, 2), "Parking; Other"),
        (7, date(2018, 5, 1), "Parking; Other"),
        (8, date(2018, 5, 1), "Parking; Other"),
    ]


# --- towns of the partnerships file

NORTHSHIRE = """
[[force_areas]]
code = "E23000091"
name = "Northshire"
force = "Northshire Police"

[[force_areas.partnerships]]
csp = "northshire"
name = "Safer Northshire"
district_code = "E07000911"
district_name = "North District"
"""
NEWTOWN = '[[force_areas.towns]]\nname = "Newtown"\ndistrict_code = "E07000911"\n'


def of_northshire(ground: Ground, *towns: str) -> Ground:
    """Return the ground with a partnerships file of another county, with some towns."""
    path = ground.settings.home.parent / "partnerships.toml"
    path.write_text(NORTHSHIRE + "".join(NEWTOWN.replace("Newtown", town) for town in towns))
    return Ground(ground.settings.model_copy(update={"partnerships": path}))


def answered(*towns: str) -> Rows:
    """Return a sheet in which the responses name these towns, one after another."""
    rows = good_rows(40)
    for number, row in enumerate(rows[4:]):
        row[column("Which town do you live in or nearest to?")] = towns[number % len(towns)]
    return rows


def test_a_town_is_known_once_the_partnerships_file_lists_it(ground: Ground) -> None:
    put(ground, answered("Newtown", "Oldtown"))
    (refused,) = of_northshire(ground, "Newtown").load("community_survey").outcomes
    assert (refused.state, refused.rows_refused) == ("refused", 40)
    faults = [one for one in refused.faults if one.rule == "is a known value"]
    fault = faults[-1]
    assert (len(faults), fault.sheet, fault.line) == (20, "Responses", 44)
    assert fault.column == "Which town do you live in or nearest to?"
    assert "no town that the partnerships file lists" in fault.message
    again = of_northshire(ground, "Newtown").load("community_survey")
    assert [one.version for one in again.still_refused] == [1]
    (loaded,) = of_northshire(ground, "Newtown", "Oldtown").load("community_survey").outcomes
    assert (loaded.state, loaded.version, loaded.rows_loaded) == ("loaded", 2, 40)
    report = of_northshire(ground, "Newtown").load("community_survey")
    assert (report.outcomes, report.unchanged) == ([], 1)


def test_the_remedy_shows_the_lines_that_list_a_town(ground: Ground) -> None:
    put(ground, answered("Newtown", "Oldtown"))
    own = of_northshire(ground, "Newtown")
    (outcome,) = own.load("community_survey").outcomes
    contract = configured_contract(own.settings, own.contract("community_survey"))
    remedies = {row[HEADINGS.index("How to fix it")] for row in report_rows(contract, outcome)}
    assert (
        "Use one of: Newtown. Another town is added to the partnerships file under its force area, "
        'by lines such as [[force_areas.towns]] name = "New Town" district_code = "E07000999"; '
        "then refresh again." in remedies
    )


def test_a_survey_of_another_place_is_loaded_and_reported(ground: Ground) -> None:
    put(ground, answered("Springfield", "Shelbyville"))
    for towns in ([], ["Newtown"]):
        shutil.rmtree(ground.settings.home, ignore_errors=True)
        (outcome,) = of_northshire(ground, *towns).load("community_survey").outcomes
        assert (outcome.state, outcome.rows_loaded) == ("loaded", 40)
        (warning,) = [one for one in outcome.warnings if one.rule == "is a known value"]
        assert "None of 40 rows has a town that the partnerships file lists" in warning.message
        assert "counted nowhere" in warning.message


def test_a_check_before_landing_knows_the_towns(ground: Ground, tmp_path: Path) -> None:
    path = put(ground, answered("Newtown", "Oldtown")) / "community-survey.xlsx"
    for towns, state in ((["Newtown"], "refused"), (["Newtown", "Oldtown"], "loaded")):
        own = of_northshire(ground, *towns)
        contract = configured_contract(own.settings, own.contract("community_survey"))
        assert check(own.settings, contract, [path]).state == state
    own.settings.partnerships.write_text("[[force_areas]\n")
    with pytest.raises(SettingsError, match="The file is not TOML"):
        check(own.settings, contract, [path])

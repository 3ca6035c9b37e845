"""Youth offending, prison releases, offender management and supported accommodation.

The marts of the sample meet what the assessment prints (golden/facts_services.csv and
golden/figure3_juvenile_offenders.csv); bad extracts are refused; the message names the place.
"""

import csv
import io
from collections.abc import Callable
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts
from tests.support import GOLDEN, Ground, csv_rows, messages

FENLAND = "E07000010"
FORCE = "E23000023"
SOURCES = ("youth_offending", "prison_releases", "iom_cohort", "supported_accommodation")
FACTS = {row["fact_id"]: row for row in csv_rows(GOLDEN / "facts_services.csv")}


def as_printed(value: object) -> Decimal:
    """Round a figure to a whole number as the assessment does, a half up."""
    return Decimal(str(value)).quantize(Decimal(1), ROUND_HALF_UP)


# --- what is printed


def test_figure_3_has_the_printed_juvenile_offenders(sample: Ground) -> None:
    printed = csv_rows(GOLDEN / "figure3_juvenile_offenders.csv")
    assert len(printed) == 5
    ours = dict(
        sample.query(
            "select area_code, juvenile_offenders from reports.figure_3_juvenile_offenders "
            "where period_label = '2016' and youth_offending_service = 'Cambridgeshire'"
        )
    )
    assert ours == {row["gss_code"]: int(row["juvenile_offenders"]) for row in printed}


RELEASED = (
    "select {} from intermediate.int_prison_releases__by_accommodation where sex = '{}' and {}"
)
H1 = "period_label = 'January to June 2017'"
H2 = "period_label = 'July to December 2017'"
NEED = "select {} from marts.prison_accommodation_need where sex = '{}' and prison = '{}'"
PLACES = "select places from marts.supported_accommodation where scheme = '{}' and {}"
NOWHERE = "area_type = 'all' and accommodation = 'No accommodation' and "
EVERYONE = "area_type = 'all' and accommodation = 'All releases' and "
FIGURE_3 = (
    "select juvenile_offenders from reports.figure_3_juvenile_offenders "
    f"where area_code = '{FENLAND}' and period_label = "
)
FIGURE_7 = "select no_fixed_abode from reports.figure_7_males_released where "
FIGURE_8 = "select no_fixed_abode from reports.figure_8_females_released where "
IOM = "select people from marts.iom_cohort where dimension = 'all' and area_code = "
PERCENT = "100 * proportion"

QUERIES = {
    "yos_2017_18": FIGURE_3 + "'2017/18'",
    "juvenile_2016": FIGURE_3 + "'2016'",
    "hmp_pb_released_h1": RELEASED.format("released", "All", EVERYONE + H1),
    "hmp_pb_noaccom_h1": RELEASED.format(PERCENT, "All", NOWHERE + H1),
    "hmp_pb_released_h2": RELEASED.format("released", "All", EVERYONE + H2),
    "hmp_pb_noaccom_h2": RELEASED.format(PERCENT, "All", NOWHERE + H2),
    "prison_accommodation_avg": NEED.format(PERCENT, "All", "Other local prisons"),
    "hmp_pb_male_need": NEED.format(PERCENT, "Male", "HMP Peterborough"),
    "hmp_pb_female_need": NEED.format(PERCENT, "Female", "HMP Peterborough"),
    "hmp_pb_need_share": NEED.format(PERCENT, "All", "HMP Peterborough"),
    "hmp_pb_need": NEED.format("with_need", "All", "HMP Peterborough"),
    "hmp_pb_assessed": NEED.format("assessed", "All", "HMP Peterborough"),
    "males_nfa_cambs": f"{FIGURE_7} area_code = '{FORCE}' and {H1}",
    "females_nfa": f"{FIGURE_8} area_code = '{FORCE}:all' and {H1}",
    "females_nfa_cambs": f"{FIGURE_8} area_code = '{FORCE}' and {H1}",
    "luminus_places": PLACES.format("Ex-Offender Project", "area_type = 'force'"),
    "luminus_huntingdon": PLACES.format("Ex-Offender Project", "town = 'Huntingdon'"),
    "luminus_wisbech": PLACES.format("Ex-Offender Project", "town = 'Wisbech'"),
    "genesis_places": PLACES.format("Genesis Housing", "town in ('March', 'Wisbech')"),
    "foyer_places": PLACES.format("Wisbech Foyer", "kind = 'supported place'"),
    "iom_total": IOM + f"'{FORCE}'",
    "iom_fenland": IOM + f"'{FENLAND}'",
}


@pytest.mark.parametrize("fact", sorted(FACTS))
def test_every_printed_number_is_computed(sample: Ground, fact: str) -> None:
    found = {as_printed(value) for (value,) in sample.query(QUERIES[fact])}
    assert found == {Decimal(FACTS[fact]["value"])}


def test_every_printed_number_has_a_query() -> None:
    assert QUERIES.keys() == FACTS.keys()


def test_released_without_accommodation_lie_in_the_range_that_the_percentages_allow(
    sample: Ground,
) -> None:
    """59 % of 333 is 195 to 198 people and 33 % of 313 is 102 to 104."""
    query = RELEASED.format("released", "All", NOWHERE + "true order by period_start")
    first, second = (released for (released,) in sample.query(query))
    assert 195 <= first <= 198 and 102 <= second <= 104
    # No fixed abode is a part of it: the 63 men and 22 women are no contradiction.
    part = RELEASED.format(
        "released", "All", f"area_type = 'all' and accommodation = 'No fixed abode' and {H1}"
    )
    assert 63 + 22 <= sample.value(part) < first


def test_the_three_shares_of_peterborough_prison_can_be_true_together(sample: Ground) -> None:
    """57 % of men, 63 % of women and 335 of 559 need between 244 and 329 men."""
    men = sample.value(NEED.format("assessed", "Male", "HMP Peterborough"))
    women = sample.value(NEED.format("assessed", "Female", "HMP Peterborough"))
    assert 244 <= men <= 329 and men + women == 559


# --- what is said without a number


def test_first_time_entrants_rise_for_three_years(sample: Ground) -> None:
    rows = sample.query(
        "select period_label, first_time_entrants, change_on_year "
        "from reports.figure_4_first_time_entrants "
        f"where area_code = '{FENLAND}' order by period_start"
    )
    assert [label for label, _, _ in rows] == ["2015/16", "2016/17", "2017/18"]
    assert [change is None or change > 0 for _, _, change in rows] == [True, True, True]
    assert rows[-1][1] <= 43


def test_common_assault_then_damage_come_first(sample: Ground) -> None:
    ((first, most, second, next_most),) = sample.query(
        "select commonest_first_offence, commonest_first_offence_entrants, second_first_offence, "
        "second_first_offence_entrants from reports.figure_4_first_time_entrants "
        f"where area_code = '{FENLAND}' and period_label = '2017/18'"
    )
    assert (first, second) == ("Common assault", "Destroy/damage property")
    assert most > next_most


def test_fenland_is_third_of_its_service(sample: Ground) -> None:
    query = (
        "select rank_in_service from reports.figure_3_juvenile_offenders "
        f"where area_code = '{FENLAND}' and period_label = '2016'"
    )
    assert sample.value(query) == 3


def test_most_of_fenlands_managed_offenders_are_serious_acquisitive(sample: Ground) -> None:
    share = sample.value(
        f"select proportion from marts.iom_cohort where area_code = '{FENLAND}' "
        "and dimension = 'index offence' and category = 'Serious acquisitive'"
    )
    assert share > 0.5


# --- what is not known


def test_places_that_are_not_stated_are_not_nought(sample: Ground) -> None:
    rows = sample.query(
        "select scheme, places, places_stated, sites_without_places, status "
        f"from marts.supported_accommodation where area_code = '{FENLAND}' "
        "and kind = 'supported place' and scheme in ('The Ferry Project', 'All schemes') "
        "order by scheme desc"
    )
    assert rows == [
        ("The Ferry Project", None, None, 1, "[x]"),
        ("All schemes", None, 2 + 9 + 9 + 17, 1, "[x]"),
    ]


def test_kinds_of_year_never_meet_unmarked(sample: Ground) -> None:
    labels = sample.query(
        "select distinct period_type, period_label from marts.youth_offenders order by all"
    )
    assert labels == [
        ("calendar_year", "2016"),
        ("calendar_year", "2017"),
        ("financial_year", "2015/16"),
        ("financial_year", "2016/17"),
        ("financial_year", "2017/18"),
    ]
    marked = sample.query(
        "select period_type, status, count(*) from reports.figure_3_juvenile_offenders "
        "group by all order by all"
    )
    assert marked == [("calendar_year", None, 14), ("financial_year", "[b]", 7)]


def test_not_assessed_is_never_no_need(sample: Ground) -> None:
    rows = sample.query(
        "select figure.assessed, figure.with_need, mart.young_people, mart.young_people_all "
        "from reports.figure_6_prison_and_youth_need as figure "
        "inner join marts.youth_offenders as mart using (area_code, period_type, period_start) "
        "where figure.cohort = 'Youth offending services' and mart.cohort = 'registered' "
        "and mart.dimension = 'accommodation need' and mart.category = 'Not assessed'"
    )
    assert len(rows) == 14
    assert all(assessed + missing == whole for assessed, _, missing, whole in rows)
    assert any(missing for _, _, missing, _ in rows)


def test_who_lives_nowhere_known_has_a_row(sample: Ground) -> None:
    for mart, count in (("youth_offenders", "young_people"), ("iom_cohort", "people")):
        people = sample.value(
            f"select max({count}) from marts.{mart} "
            f"where area_code = '{FORCE}:unlocated' and dimension = 'all'"
        )
        assert people > 0, mart


def test_all_six_districts_have_every_figure(sample: Ground) -> None:
    for relation in (
        "marts.youth_offenders",
        "marts.iom_cohort",
        "marts.prison_release_accommodation",
        "marts.supported_accommodation",
        "reports.figure_3_juvenile_offenders",
        "reports.figure_4_first_time_entrants",
        "reports.figure_6_prison_and_youth_need",
        "reports.page_prison_releases",
    ):
        found = sample.value(f"select count(distinct csp) from {relation} where csp is not null")
        assert found == 6, relation


def test_no_mart_names_a_person(sample: Ground) -> None:
    personal = {
        column.name
        for source in SOURCES
        for column in load_contracts()[source].columns
        if column.personal
    }
    assert {"yos_reference", "pnc_id", "date_of_birth"} <= personal
    shown = sample.query(
        "select distinct column_name from information_schema.columns "
        "where table_schema in ('marts', 'reports')"
    )
    assert not {name for (name,) in shown} & (personal | {"person_ref"})


# --- bad extracts


def committed(source: str) -> tuple[str, str]:
    """Name and text of a source's first committed CSV."""
    path = min((PROJECT / "raw" / source / "2018-04-01").glob("*.csv"))
    return path.name, path.read_bytes().decode()


def first_of(text: str, column: str) -> str:
    """Value of a column in the first row."""
    return next(csv.DictReader(io.StringIO(text)))[column]


def swapped(text: str, column: str, value: str, lines: int = 60) -> str:
    """Give the first rows another value in one column."""
    rows = list(csv.reader(io.StringIO(text)))
    place = rows[0].index(column)
    for row in rows[1 : lines + 1]:
        row[place] = value
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def doubled(text: str) -> str:
    """Repeat the first rows at the end."""
    lines = text.splitlines(keepends=True)
    return "".join(lines + lines[1:61])


Broken = Callable[[str], str]
CASES: dict[str, tuple[str, Broken, list[str]]] = {
    "youth: renamed column": (
        "youth_offending",
        lambda text: text.replace("First-time entrant", "FTE", 1),
        ["line 1", "'First-time entrant' is missing", "[rule: has every column]"],
    ),
    "youth: out of the domain": (
        "youth_offending",
        lambda text: swapped(text, "First-time entrant", "perhaps"),
        [
            "line 2",
            "column 'First-time entrant'",
            "a text of 7 characters",
            "[rule: is a known value]",
        ],
    ),
    "youth: not a date": (
        "youth_offending",
        lambda text: swapped(text, "Registered on", "April 2015"),
        ["line 2", "column 'Registered on'", "[rule: is a date like dd/mm/yyyy]"],
    ),
    "youth: too many values": (
        "youth_offending",
        lambda text: text.replace(",Y,", ",Y,and more,", 40),
        ["more than the 14 columns", "[rule: is a row of the table]"],
    ),
    "iom: renamed column": (
        "iom_cohort",
        lambda text: text.replace("Lead agency", "Lead", 1),
        ["line 1", "'Lead agency' is missing", "column 'Lead'", "[rule: has every column]"],
    ),
    "iom: out of the domain": (
        "iom_cohort",
        lambda text: swapped(text, "Status", "At large"),
        ["line 2", "column 'Status'", "a text of 8 characters", "[rule: is a known value]"],
    ),
    "places: renamed column": (
        "supported_accommodation",
        lambda text: text.replace("Places", "Beds", 1),
        ["line 1", "'Places' is missing", "[rule: has every column]"],
    ),
    "places: below zero": (
        "supported_accommodation",
        lambda text: swapped(text, "Places", "-1", 1),
        ["line 2", "column 'Places'", "'-1'", "[rule: is at least 0]"],
    ),
    "places: twice": (
        "supported_accommodation",
        doubled,
        ["line 18", "[rule: key is unique]", "Scheme and Town"],
    ),
}


@pytest.mark.parametrize("source", ["youth_offending", "iom_cohort"])
def test_people_sent_twice_over_count_once(ground: Ground, source: str) -> None:
    name, text = committed(source)
    ground.put(source, "2018-04-01", {name: doubled(text)})
    (outcome,) = ground.load(source).outcomes
    assert (outcome.state, outcome.rows_refused) == ("loaded", 60)
    assert {one.rule for one in outcome.faults} == {"row is not repeated"}
    ground.put(source, "2018-04-01", {name: text})
    (once,) = ground.load(source).outcomes
    assert (once.rows_loaded, once.rows_refused) == (outcome.rows_loaded, 0)


@pytest.mark.parametrize("case", CASES)
def test_broken_extract_is_refused_in_words(ground: Ground, case: str) -> None:
    source, broken, words = CASES[case]
    name, text = committed(source)
    assert broken(text) != text
    ground.put(source, "2018-04-01", {name: broken(text)})

    report = ground.load(source)

    assert [outcome.state for outcome in report.outcomes] == ["refused"]
    said = " ".join(messages(report))
    for word in [name, *words]:
        assert word in said
    assert ground.value(f"select count(*) from raw.{source}") == 0


def test_what_is_wrong_with_a_person_is_not_shown(ground: Ground) -> None:
    name, text = committed("iom_cohort")
    ground.put("iom_cohort", "2018-04-01", {name: swapped(text, "PNC ID", "1999/1ZZ")})
    report = ground.load("iom_cohort")
    said = " ".join(messages(report)) + str(report.outcomes[0].reason)
    assert "line 2" in said and "column 'PNC ID'" in said
    assert "1999/1ZZ" not in said


def test_one_wrong_registration_goes_to_quarantine(ground: Ground) -> None:
    name, text = committed("youth_offending")
    ground.put("youth_offending", "2018-04-01", {name: swapped(text, "Sex", "X", 1)})
    (outcome,) = ground.load("youth_offending").outcomes
    assert outcome.state == "loaded"
    assert (outcome.rows_delivered - outcome.rows_loaded, outcome.rows_refused) == (1, 1)
    found = ground.query("select line, column_name, value, rule from quarantine.refused_rows")
    assert found == [(2, "Sex", "X", "is a known value")]


def test_a_quarter_belongs_to_the_day_of_registration(ground: Ground) -> None:
    name, text = committed("youth_offending")
    ground.put("youth_offending", "2018-04-01", {name: text})
    ground.load("youth_offending")
    wrong = ground.value(
        "select count(*) from raw.youth_offending "
        "where date_trunc('quarter', registered_on) <> return_quarter"
    )
    assert wrong == 0


def test_a_later_extract_speaks_for_the_quarters_that_it_returns(ground: Ground) -> None:
    name, text = committed("youth_offending")
    lines = text.splitlines(keepends=True)
    last = [line for line in lines[1:] if line.split(",")[6].endswith(("04/2018", "05/2018"))]
    ground.put("youth_offending", "2018-04-01", {name: text})
    ground.put("youth_offending", "2018-07-01", {name: "".join([lines[0], *last])})
    ground.load("youth_offending", as_at="2018-07-01")
    ground.resolve("2018-07-01")
    speaking = dict(ground.query("select period, quarter from control.in_force"))
    assert speaking[date(2018, 4, 1)] == date(2018, 7, 1)
    assert speaking[date(2018, 1, 1)] == date(2018, 4, 1)


# --- the prison's workbook

KINDS = (
    "Settled accommodation",
    "Temporary accommodation",
    "No address arranged",
    "No fixed abode",
    "Not recorded",
)
HEADER = ("Local authority of release", "Code", "Sex", *KINDS, "Total released")
RELEASES: dict[str, list[tuple[Any, ...]]] = {
    "Releases": [
        ("Prison", "HMP Peterborough"),
        ("Released from", datetime(2017, 1, 1)),
        ("Released to", datetime(2017, 6, 30)),
        HEADER,
        ("Fenland", FENLAND, "Male", 7, 1, 5, 9, 0, 22),
        ("Not recorded", "", "Female", 1, 0, 0, 1, 1, 3),
    ]
}
NEEDS = {
    "Accommodation need": [
        ("Assessed from", datetime(2017, 1, 1)),
        ("Assessed to", datetime(2017, 12, 31)),
        ("Prison", "Sex", "Assessed", "With accommodation need"),
        ("HMP Bedford", "Male", 10, 6),
    ]
}


def workbook(sheets: dict[str, list[tuple[Any, ...]]]) -> bytes:
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for line, row in enumerate(rows):
            for place, cell in enumerate(row):
                if isinstance(cell, datetime):
                    sheet.write_datetime(line, place, cell, day)
                elif cell != "":
                    sheet.write(line, place, cell)
    book.close()
    return stream.getvalue()


def with_row(line: int, row: tuple[Any, ...]) -> dict[str, list[tuple[Any, ...]]]:
    rows = list(RELEASES["Releases"])
    rows[line - 1] = row
    return {"Releases": rows}


BOOKS: dict[str, tuple[bytes, list[str]]] = {
    "wrong sheet": (
        workbook({"Discharges": RELEASES["Releases"]}),
        ["sheet 'Releases'", "a text of 10 characters", "[rule: has the sheet]"],
    ),
    "renamed column": (
        workbook(with_row(4, tuple(one.replace("No fixed abode", "NFA") for one in HEADER))),
        ["line 4", "column 'No fixed abode'", "is missing", "[rule: has every column]"],
    ),
    "no header": (
        workbook({"Releases": RELEASES["Releases"][:3]}),
        ["'Local authority of release'", "[rule: has a header]"],
    ),
    "no period": (
        workbook(with_row(2, ("Note", "none"))),
        ["column 'Released from'", "[rule: says its prison and period]"],
    ),
    "period as text": (
        workbook(with_row(2, ("Released from", "the New Year"))),
        ["column 'Released from'", "'the New Year'", "[rule: is a date]"],
    ),
    "total that does not add up": (
        workbook(with_row(5, ("Fenland", FENLAND, "Male", 7, 1, 5, 8, 0, 22))),
        ["line 5", "column 'Total released'", "'22'", "21", "[rule: the total adds up]"],
    ),
    "not a count": (
        workbook(with_row(5, ("Fenland", FENLAND, "Male", 7, 1, "<5", 9, 0, 22))),
        ["line 5", "column 'No address arranged'", "'<5'", "[rule: is a whole number]"],
    ),
    "empty cell": (
        workbook(with_row(5, ("Fenland", FENLAND, "Male", 7, 1, "", 9, 0, 17))),
        ["line 5", "column 'No address arranged'", "[rule: is a whole number]"],
    ),
    "out of the domain": (
        workbook(with_row(5, ("Fenland", FENLAND, "M", 7, 1, 5, 9, 0, 22))),
        ["sheet 'Releases'", "line 5", "column 'Sex'", "'M'", "[rule: is a known value]"],
    ),
    "twice": (
        workbook({"Releases": [*RELEASES["Releases"], RELEASES["Releases"][4]]}),
        ["line 7", "[rule: key is unique]"],
    ),
    "more in need than assessed": (
        workbook(
            RELEASES
            | {"Accommodation need": [*NEEDS["Accommodation need"], ("HMP B", "Male", 5, 6)]}
        ),
        ["sheet 'Accommodation need'", "line 5", "'6'", "[rule: a part is no more than its whole]"],
    ),
}


def test_prison_workbook_is_read(ground: Ground) -> None:
    ground.put("prison_releases", "2017-04-01", {"return.xlsx": workbook(RELEASES | NEEDS)})
    (outcome,) = ground.load("prison_releases").outcomes
    assert (outcome.state, outcome.rows_loaded) == ("loaded", 2 * 5 + 2)
    found = ground.query(
        "select _sheet, _line, _column, people from raw.prison_releases "
        "where measure = 'No fixed abode' order by _line"
    )
    assert found == [("Releases", 5, "No fixed abode", 9), ("Releases", 6, "No fixed abode", 1)]


@pytest.mark.parametrize("case", BOOKS)
def test_broken_workbook_is_refused_in_words(ground: Ground, case: str) -> None:
    content, words = BOOKS[case]
    ground.put("prison_releases", "2017-04-01", {"return.xlsx": content})
    report = ground.load("prison_releases")
    assert [outcome.state for outcome in report.outcomes] == ["refused"]
    said = " ".join(messages(report))
    for word in ["return.xlsx", *words]:
        assert word in said
    assert ground.value("select count(*) from raw.prison_releases") == 0


# --- the sample


def test_samples_say_that_they_are_synthetic() -> None:
    for source in SOURCES:
        for receipt in (PROJECT / "raw" / source).glob("*/delivery.json"):
            assert '"nature": "synthetic"' in receipt.read_text(encoding="utf-8"), receipt


def test_samples_are_small() -> None:
    files = [
        path
        for source in SOURCES
        for path in Path(PROJECT / "raw" / source).rglob("*")
        if path.is_file()
    ]
    assert sum(path.stat().st_size for path in files) < 500_000


def test_young_people_are_of_age_and_enter_once() -> None:
    entered: set[tuple[str, str]] = set()
    for path in (PROJECT / "raw/youth_offending/2018-04-01").glob("*.csv"):
        for row in csv_rows(path):
            if row["Date of birth"]:
                born = datetime.strptime(row["Date of birth"], "%d/%m/%Y")
                days = datetime.strptime(row["First offence date"], "%d/%m/%Y") - born
                assert 10 <= days.days / 365.25 < 18
            if row["First-time entrant"] == "Y":
                who = (row["Youth offending service"], row["Young person ID"])
                assert who not in entered
                entered.add(who)

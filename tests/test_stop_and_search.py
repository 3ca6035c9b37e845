"""Stop and search: landing, reading, feed, and the mart against a count of the files."""

import io
import zipfile
from collections import Counter
from collections.abc import Mapping
from datetime import date
from math import sqrt
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from orchestration.config.settings import PROJECT, Settings
from orchestration.ingest.checking.contract import load_contracts
from tests.feed_server import ARCHIVES, STORAGE, FeedServer, index_page, redirect, served
from tests.feed_server import FORCE as SLUG
from tests.support import FORCE, Ground, csv_rows, month_file
from tests.test_feeds import Run, files, receipt_of, run, server, transport  # noqa: F401
from tests.test_outcomes import given, landed, outcome_file, outcome_row

STREET, OUTCOMES, SEARCHES = "police_uk_street", "police_uk_outcomes", "police_uk_stop_and_search"
HEADER = (
    "Type,Date,Part of a policing operation,Policing operation,Latitude,Longitude,Gender,Age range,"
    "Self-defined ethnicity,Officer-defined ethnicity,Legislation,Object of search,Outcome,"
    "Outcome linked to object of search,Removal of more than just outer clothing"
)
NAME = "2018-04-cambridgeshire-stop-and-search.csv"


def search_row(at: str = "2018-04-02T10:00:00+00:00", **other: str) -> str:
    values = {
        "type": "Person search", "at": at, "in_operation": "False", "operation": "",
        "latitude": "52.6", "longitude": "0.1", "sex": "Male", "age": "18-24",
        "self_defined": "White - English/Welsh/Scottish/Northern Irish/British",
        "officer_defined": "White", "law": "Misuse of Drugs Act 1971 (section 23)",
        "object": "Controlled drugs", "outcome": "A no further action disposal", "linked": "",
        "clothing": "False",
    }  # fmt: skip
    return ",".join((values | other).values())


def search_file(*rows: str) -> str:
    return "".join(f"{line}\r\n" for line in [HEADER, *rows])


# --- reading and checking ----------------------------------------------------------------------


def test_a_search_is_of_the_force_of_its_file(ground: Ground) -> None:
    ground.put(SEARCHES, "2018-04-01", {NAME: search_file(search_row(), search_row())})
    (outcome,) = ground.load(SEARCHES).outcomes
    assert (outcome.state, outcome.rows_loaded, outcome.warnings) == ("loaded", 2, [])
    ground.resolve()
    assert ground.query(f"select distinct reported_by, served_name from in_force.{SEARCHES}") == [
        ("cambridgeshire", FORCE)
    ]


def test_a_force_that_is_not_served_is_loaded_and_reported(ground: Ground) -> None:
    rows = search_file(search_row())
    names: dict[str, str | bytes] = {
        "2018-04-norfolk-stop-and-search.csv": rows,
        "2018-04-northshire-stop-and-search.csv": rows,
        NAME: rows,
    }
    ground.put(SEARCHES, "2018-04-01", names)
    (outcome,) = ground.load(SEARCHES).outcomes
    assert outcome.rows_loaded == 3
    (warning,) = outcome.warnings
    assert (warning.rule, warning.value) == ("is a police force", "northshire")


def test_a_file_whose_name_gives_no_force_is_refused(ground: Ground) -> None:
    ground.put(SEARCHES, "2018-04-01", {"searches.csv": search_file(search_row())})
    (outcome,) = ground.load(SEARCHES).outcomes
    assert outcome.state == "refused"
    (fault,) = outcome.faults
    assert fault.file == "searches.csv"
    assert "YYYY-MM-<force>-stop-and-search.csv" in str(fault)


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2018-07-14T10:00:00+00:00", date(2018, 7, 14)),
        # Ten past midnight of 1 July in the United Kingdom.
        ("2018-06-30T23:10:00+00:00", date(2018, 7, 1)),
        ("2018-06-30T23:10:00Z", date(2018, 7, 1)),
        # By the clock of the United Kingdom of 1 August, in the file of July.
        ("2018-07-31T23:10:00+00:00", date(2018, 7, 31)),
        ("2018-07-01T00:10:00+01:00", date(2018, 7, 1)),
        ("2018-07-01 00:10:00", date(2018, 7, 1)),
    ],
)
def test_the_day_is_that_of_the_united_kingdom(ground: Ground, at: str, day: date) -> None:
    content = search_file(search_row("2018-07-02T10:00:00+00:00"), search_row(at))
    ground.put(SEARCHES, "2018-07-01", {NAME.replace("-04-", "-07-"): content})
    (outcome,) = ground.load(SEARCHES, "2018-07-01").outcomes
    assert (outcome.state, outcome.rows_loaded, outcome.warnings) == ("loaded", 2, [])
    assert ground.query(f"select searched_on, month from raw.{SEARCHES} where _line = 3") == [
        (day, date(2018, 7, 1))
    ]


@pytest.mark.parametrize(
    ("wrong", "column", "value", "rule"),
    [
        ({"at": "2018-04-31T10:00:00+00:00"}, "Date", "2018-04-31T10:00:00+00:00", "is a date"),
        ({"at": ""}, "Date", None, "is not blank"),
        ({"type": ""}, "Type", None, "is not blank"),
        ({"latitude": "0"}, "Latitude", "0", "is at least 49"),
        ({"longitude": "east"}, "Longitude", "east", "is a number"),
        ({"at": "2018-05-02T10:00:00+00:00"}, "Date", "2018-05-01", "is of the file's period"),
    ],
)
def test_a_wrong_row_is_refused_with_its_place(
    ground: Ground, wrong: dict[str, str], column: str, value: str | None, rule: str
) -> None:
    rows = [search_row() for _ in range(150)]
    ground.put(SEARCHES, "2018-04-01", {NAME: search_file(*rows, search_row(**wrong))})
    (outcome,) = ground.load(SEARCHES).outcomes
    assert (outcome.state, outcome.rows_loaded, outcome.rows_refused) == ("loaded", 150, 1)
    fault = outcome.faults[0]
    assert (fault.file, fault.line, fault.column) == (NAME, 152, column)
    assert fault.rule.startswith(rule)
    assert value is None or fault.value == value


@pytest.mark.parametrize(
    ("other", "column", "kept"),
    [
        ({"type": "Premises search"}, "search_type", "Another type"),
        ({"outcome": "Sent to the moon"}, "search_outcome", "Another outcome"),
        ({"object": "Moonstones"}, "object_of_search", "Another object"),
        ({"age": "over 90"}, "age_range", "Not listed"),
        ({"sex": "X"}, "sex", "Not listed"),
        ({"officer_defined": "Martian"}, "officer_defined_ethnicity", "Not listed"),
        ({"linked": "Maybe"}, "outcome_linked", "Not listed"),
    ],
)
def test_a_value_that_is_not_listed_is_loaded_as_another_and_reported(
    ground: Ground, other: dict[str, str], column: str, kept: str
) -> None:
    ground.put(SEARCHES, "2018-04-01", {NAME: search_file(search_row(), search_row(**other))})
    (outcome,) = ground.load(SEARCHES).outcomes
    assert (outcome.state, outcome.rows_loaded) == ("loaded", 2)
    (warning,) = outcome.warnings
    assert (warning.line, warning.value) == (3, next(iter(other.values())))
    assert ground.value(f"select {column} from raw.{SEARCHES} where _line = 3") == kept


def test_every_listed_object_and_outcome_has_its_group() -> None:
    columns = {column.name: column for column in load_contracts()[SEARCHES].columns}
    for name, seed, heading in (
        ("object_of_search", "search_objects", "search_object"),
        ("search_outcome", "search_outcomes", "search_outcome"),
    ):
        listed = {row[heading] for row in csv_rows(PROJECT / "dbt_project/seeds" / f"{seed}.csv")}
        assert listed == set(columns[name].allowed or ())


def test_every_listed_category_is_counted() -> None:
    columns = {column.name: column for column in load_contracts()[SEARCHES].columns}
    seed = csv_rows(PROJECT / "dbt_project/seeds/search_categories.csv")
    for name, dimension in (
        ("sex", "sex"),
        ("age_range", "age range"),
        ("officer_defined_ethnicity", "officer-defined ethnicity"),
    ):
        known = {row["category"] for row in seed if row["dimension"] == dimension}
        assert known == {*(columns[name].allowed or ()), "Not stated"}


# --- landing and feed --------------------------------------------------------------------------


DOWNLOAD: dict[str, str | bytes] = {
    "2018-04-cambridgeshire-street.csv": month_file(),
    "2018-04-cambridgeshire-outcomes.csv": outcome_file(outcome_row()),
    NAME: search_file(search_row(), search_row(), search_row()),
}


@pytest.mark.parametrize("packed", [False, True])
def test_a_month_as_downloaded_lands_for_all_three_sources(
    ground: Ground, tmp_path: Path, packed: bool
) -> None:
    names = DOWNLOAD
    if packed:
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as archive:
            for name, content in DOWNLOAD.items():
                archive.writestr(f"2018-04/{name}", content)
        names = {"month.zip": made.getvalue()}
    said = landed(ground, given(tmp_path / "given", names))
    assert f"1 file is of {SEARCHES}:" in said
    for source, rows in ((STREET, 10), (OUTCOMES, 1), (SEARCHES, 3)):
        (outcome,) = ground.load(source).outcomes
        assert (outcome.state, outcome.rows_loaded) == ("loaded", rows), source


def test_searches_among_street_files_are_named_with_their_source(ground: Ground) -> None:
    ground.put(STREET, "2018-04-01", DOWNLOAD)
    (outcome,) = ground.load(STREET).outcomes
    said = " ".join(map(str, outcome.warnings))
    assert f"1 file of stop and search is left out: {SEARCHES} reads them" in said


def test_street_files_among_searches_are_named_with_their_source(ground: Ground) -> None:
    ground.put(SEARCHES, "2018-04-01", DOWNLOAD)
    (outcome,) = ground.load(SEARCHES).outcomes
    said = " ".join(map(str, outcome.warnings))
    assert (outcome.state, outcome.rows_loaded) == ("loaded", 3)
    assert f"{STREET} reads them" in said and f"{OUTCOMES} reads them" in said


def test_searches_are_read_out_of_the_archive(server: FeedServer, run: Run, ground: Ground) -> None:  # noqa: F811
    made = io.BytesIO()
    months = ("2018-10", "2018-11", "2018-12")
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for month in months:
            archive.writestr(f"{month}/{month}-{SLUG}-street.csv", month_file(month, 12))
            archive.writestr(f"{month}/{month}-{SLUG}-outcomes.csv", outcome_file(outcome_row()))
            if month != "2018-11":
                content = search_file(search_row(f"{month}-03T10:00:00+00:00"))
                archive.writestr(f"{month}/{month}-{SLUG}-stop-and-search.csv", content)
    server.answers[ARCHIVES] = served(index_page({"2020-12": "x"}), kind="text/html")
    server.answers[f"{ARCHIVES}2020-12.zip"] = redirect(f"{STORAGE}2020-12.zip")
    server.answers[f"{STORAGE}2020-12.zip"] = served(made.getvalue())
    outcome = run(SEARCHES)
    names = [f"{month}-{SLUG}-stop-and-search.csv" for month in (months[0], months[2])]
    assert sorted(files(ground.settings, SEARCHES, date(2018, 10, 1))) == names
    fetched = receipt_of(ground.settings, SEARCHES, date(2018, 10, 1)).fetched
    assert [one.member for one in fetched] == [f"{name[:7]}/{name}" for name in names]
    (note,) = outcome.notes
    assert f"has no stop-and-search file of {FORCE}" in note and "November" in note
    assert run(SEARCHES).files == ()


# --- the mart against the files ----------------------------------------------------------------


OBJECT_GROUPS = {
    "Controlled drugs": "Drugs", "Offensive weapons": "Weapons", "Firearms": "Weapons",
    "Anything to threaten or harm anyone": "Weapons", "Stolen goods": "Stolen goods",
    "Article for use in theft": "Going equipped or criminal damage",
    "Articles for use in criminal damage": "Going equipped or criminal damage",
    "Fireworks": "Other", "": "Not stated",
}  # fmt: skip
ARRESTS = {"Arrest", "Suspect arrested"}
NO_ACTION = {"A no further action disposal", "Nothing found - no further action"}
MEASURES = [
    "searches", "searches_with_arrest", "searches_with_other_action",
    "searches_with_no_further_action", "searches_with_outcome_unknown",
    "searches_with_link_stated", "searches_linked", "vehicle_searches",
]  # fmt: skip

Counts = dict[tuple[str, str, str, str, str], tuple[int, ...]]
"""Counts by kind of period, first day, group of objects, dimension and category."""


@pytest.fixture(scope="module")
def latest(quarters: Mapping[str, Path]) -> Ground:
    """The sample as at its last quarter."""
    return Ground(Settings(home=quarters["2018-10-01"], raw=PROJECT / "raw"))


def _searches() -> pd.DataFrame:
    """Read the sample's files with Python's own reader: one row a search, with its month."""
    found = []
    for path in sorted((PROJECT / "raw" / SEARCHES).glob("*/*.csv")):
        found.append(pd.DataFrame(csv_rows(path)).assign(month=path.name[:7]))
    rows = pd.concat(found, ignore_index=True)
    of_person = rows["Type"] != "Vehicle search"
    outcome, linked = rows["Outcome"], rows["Outcome linked to object of search"]
    unknown = outcome == ""
    made = {
        "searches": of_person,
        "searches_with_arrest": of_person & outcome.isin(ARRESTS),
        "searches_with_no_further_action": of_person & outcome.isin(NO_ACTION),
        "searches_with_outcome_unknown": of_person & unknown,
        "searches_with_other_action": of_person
        & ~(outcome.isin(ARRESTS | NO_ACTION) | unknown),
        "searches_with_link_stated": of_person & (linked != ""),
        "searches_linked": of_person & (linked == "True"),
        "vehicle_searches": ~of_person,
    }  # fmt: skip
    return rows.assign(group=rows["Object of search"].map(OBJECT_GROUPS), **made)


def _counted(rows: pd.DataFrame) -> Counts:
    """Count searches of every period; a period with a month before or after the files has none."""
    months = sorted(rows["month"].unique())
    periods = [("month", f"{month}-01", [month]) for month in months]
    for start in range(0, len(months), 3):
        periods.append(("quarter", f"{months[start]}-01", months[start : start + 3]))
        if start + 12 <= len(months):
            periods.append(("twelve_months", f"{months[start]}-01", months[start : start + 12]))
    columns = {
        "all": None, "sex": "Gender", "age range": "Age range",
        "officer-defined ethnicity": "Officer-defined ethnicity",
    }  # fmt: skip
    counted: Counts = {}
    for kind, first, of_period in periods:
        inside = rows[rows["month"].isin(of_period)]
        for dimension, column in columns.items():
            stated = inside[column].replace("", "Not stated") if column else "All"
            named = inside.assign(category=stated)
            for group_names in ("All", None):
                grouped = named.assign(group=group_names) if group_names else named
                sums = grouped.groupby(["group", "category"])[MEASURES].sum()
                places = sums.index.tolist()
                for (group, category), values in zip(places, sums.to_numpy().tolist(), strict=True):
                    key = (kind, first, str(group), dimension, str(category))
                    counted[key] = tuple(int(value) for value in values)
    return counted


def test_searches_of_the_sample_are_an_independent_count_of_its_files(latest: Ground) -> None:
    made = {
        (kind, first.isoformat(), group, dimension, category): tuple(counts)
        for kind, first, group, dimension, category, *counts in latest.query(
            "select period_type, period_start, search_object_group, dimension, category, "
            f"{', '.join(MEASURES)} from marts.stop_and_search where area_type = 'force'"
        )
    }
    counted = _counted(_searches())
    assert Counter(key[0] for key in counted if key[2:] == ("All", "all", "All")) == {
        "month": 24, "quarter": 8, "twelve_months": 5,
    }  # fmt: skip
    # A category or group without a search is 0.
    assert {key: counts for key, counts in made.items() if any(counts)} == counted
    assert len(made) == (24 + 8 + 5) * 7 * 17
    assert all(value is not None for counts in made.values() for value in counts)


def test_rates_and_shares_of_the_sample_are_computed_anew(latest: Ground) -> None:
    rows = _searches()
    year = rows[rows["month"] >= "2018-01"]
    ((population,),) = latest.query(
        "select any_value(population) from marts.crime_trends where area_type = 'force' "
        "and period_start = '2018-12-01' and period_type = 'month'"
    )
    ((searches, rate, percent, lower, upper, linked),) = latest.query(
        "select searches, rate_per_1000, percent_with_action, percent_with_action_lower, "
        "percent_with_action_upper, percent_linked from marts.stop_and_search "
        "where period_key = 'twelve_months:2018-01-01' and is_sum and dimension = 'all'"
    )
    action = int((year["searches_with_arrest"] | year["searches_with_other_action"]).sum())
    known = int((year["searches"] & (year["Outcome"] != "")).sum())
    assert searches == int(year["searches"].sum())
    assert rate == pytest.approx(1000 * searches / population)
    assert percent == pytest.approx(100 * action / known)
    share, z = action / known, 1.959963984540054
    middle = (share + z * z / (2 * known)) / (1 + z * z / known)
    half = z * sqrt(share * (1 - share) / known + z * z / (4 * known**2)) / (1 + z * z / known)
    assert (lower, upper) == pytest.approx((100 * (middle - half), 100 * (middle + half)))
    stated = int(year["searches_with_link_stated"].sum())
    assert linked == pytest.approx(100 * int(year["searches_linked"].sum()) / stated)


def test_the_page_has_the_latest_twelve_months_beside_those_before(latest: Ground) -> None:
    rows = _searches()
    now = Counter(rows[rows["searches"] & (rows["month"] >= "2018-01")]["group"])
    before = Counter(rows[rows["searches"] & (rows["month"] < "2018-01")]["group"])
    page = (PROJECT / "docs/bi/queries.md").read_text(encoding="utf-8")
    query = page.split("### 84. ", 1)[1].split("```sql\n", 1)[1].split("```", 1)[0]
    found = latest.query(query)
    assert [row[0] for row in found] == [
        "All", "Drugs", "Weapons", "Stolen goods", "Going equipped or criminal damage", "Other",
        "Not stated",
    ]  # fmt: skip
    by_group = {row[0]: row[1:3] for row in found}
    assert by_group.pop("All") == (now.total(), before.total())
    assert by_group == {group: (now[group], before[group]) for group in by_group}


def test_a_quarter_before_the_first_file_has_no_searches(sample: Ground) -> None:
    with duckdb.connect(str(sample.settings.published / "csp.duckdb"), read_only=True) as release:
        counts = release.execute("select count(*) from marts.stop_and_search").fetchall()
    assert counts == [(0,)]

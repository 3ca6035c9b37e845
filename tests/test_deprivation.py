"""Deprivation: File 7 of each edition is read, and crime by deprivation is computed again."""

import csv
import io
from collections.abc import Mapping
from datetime import date
from typing import Any

import duckdb
import pandas as pd
import pytest
from scipy.stats import binomtest, chi2

from orchestration.config.settings import PROJECT
from tests.support import Ground

SOURCE = "deprivation_indices"
RAW = PROJECT / "raw"
RANK = "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)"
DECILE = "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)"
SCORE = "Index of Multiple Deprivation (IMD) Score"
_RANKED = "Rank (where 1 is most deprived)"
_TENTHS = "Decile (where 1 is most deprived 10% of LSOAs)"
_DOMAINS = (
    "Education, Skills and Training", "Health Deprivation and Disability", "Crime",
    "Barriers to Housing and Services", "Living Environment",
)  # fmt: skip
_SUB_DOMAINS = ("Adult Skills", "Geographical Barriers", "Wider Barriers", "Indoors", "Outdoors")
_OF_OTHERS = [
    *(
        f"{domain} {kind}"
        for domain in ("Income", "Employment")
        for kind in ("Score (rate)", _RANKED, _TENTHS)
    ),
    *(f"{domain} {kind}" for domain in _DOMAINS for kind in ("Score", _RANKED, _TENTHS)),
    *(
        f"{index} {kind}"
        for index in (
            "Income Deprivation Affecting Children Index (IDACI)",
            "Income Deprivation Affecting Older People (IDAOPI)",
        )
        for kind in ("Score (rate)", _RANKED, _TENTHS)
    ),
    "Children and Young People Sub-domain Score",
    f"Children and Young People Sub-domain {_RANKED}",
    "Children and Young People Sub-domain Decile (where 1 is most deprived 10% of LSO",
    *(
        f"{domain} Sub-domain {kind}"
        for domain in _SUB_DOMAINS
        for kind in ("Score", _RANKED, _TENTHS)
    ),
]
"""Headings between the index and the populations, as File 7 has them."""


def headings(edition: int) -> list[str]:
    """Return the headings of File 7 of an edition, as the publisher writes them."""
    area, district = {2015: (2011, 2013), 2019: (2011, 2019), 2025: (2021, 2024)}[edition]
    populations = {
        2015: _populations("2012"),
        2019: _populations("2015"),
        2025: [
            "Total population: mid 2022",
            "Dependent Children aged 0-15: mid 2022",
            "Older population aged 60 and over: mid 2022",
            "Working age population 18-66 (for use with Employment Deprivation Domain): mid 2022",
        ],
    }[edition]
    return [
        f"LSOA code ({area})",
        f"LSOA name ({area})",
        f"Local Authority District code ({district})",
        f"Local Authority District name ({district})",
        SCORE,
        RANK,
        DECILE,
        *_OF_OTHERS,
        *populations,
    ]


def _populations(year: str) -> list[str]:
    return [
        f"Total population: mid {year} (excluding prisoners)",
        f"Dependent Children aged 0-15: mid {year} (excluding prisoners)",
        f"Population aged 16-59: mid {year} (excluding prisoners)",
        f"Older population aged 60 and over: mid {year} (excluding prisoners)",
        "Working age population 18-59/64: for use with Employment Deprivation Domain "
        "(excluding prisoners)",
    ]


def row(code: str, rank: int | str, decile: int | str, edition: int = 2019, **other: str) -> str:
    """Return a line of an edition; of the columns that are not read, a 1 in each."""
    values = dict.fromkeys(headings(edition), "1")
    first, name, district, district_name = headings(edition)[:4]
    population = next(one for one in values if one.startswith("Total population"))
    values |= {
        first: code, name: "Made-up 001A", district: "E07000010", district_name: "Made-up",
        SCORE: "20.5", RANK: str(rank), DECILE: str(decile), population: "1500",
    }  # fmt: skip
    values |= {next(one for one in values if one.startswith(key)): other[key] for key in other}
    text = io.StringIO()
    csv.writer(text).writerow(values.values())
    return text.getvalue().strip()


def file(rows: list[str], edition: int = 2019) -> str:
    text = io.StringIO()
    csv.writer(text).writerow(headings(edition))
    return "\r\n".join([text.getvalue().strip(), *rows, ""])


def delivered(ground: Ground, content: str, quarter: str = "2018-04-01") -> str:
    """Land a file and load it; return what is said of it."""
    ground.put(SOURCE, quarter, {"File_7.csv": content})
    (outcome,) = ground.load(SOURCE, quarter).outcomes
    return "\n".join(str(fault) for fault in [*outcome.faults, *outcome.warnings])


@pytest.mark.parametrize(
    ("edition", "rows", "mid_year"),
    [
        (2015, [("E01000001", 29199, 9), ("E01000002", 3284, 1)], date(2012, 6, 30)),
        (2019, [("E01000001", 29199, 9), ("E01000002", 3285, 2)], date(2015, 6, 30)),
        (2025, [("E01000001", 26525, 8), ("E01035725", 33755, 10)], date(2022, 6, 30)),
    ],
)
def test_each_edition_is_read_as_published(
    ground: Ground, edition: int, rows: list[tuple[str, int, int]], mid_year: date
) -> None:
    content = file([row(*one, edition=edition) for one in rows], edition)
    assert delivered(ground, content) == ""
    assert ground.query(
        "select edition, small_area_code, deprivation_score, deprivation_rank, "
        f"deprivation_decile, population, population_date from raw.{SOURCE} order by _line"
    ) == [
        (date(edition, 1, 1), code, 20.5, rank, decile, 1500, mid_year)
        for code, rank, decile in rows
    ]


def test_a_file_without_populations_is_read(ground: Ground) -> None:
    names = headings(2019)[:7]
    content = "\n".join([",".join(names), "E01000001,A,E07000010,B,20.5,1,1", ""])
    assert delivered(ground, content) == ""
    found = ground.query(f"select population, population_date from raw.{SOURCE}")
    assert found == [(None, None)]


GOOD = [row(f"E01{number:06d}", number, 1) for number in range(1, 201)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (row("W01000001", 500, 1), ["'small_area_code'", "W01000001", "has the right form"]),
        (row("E02000001", 500, 1), ["'small_area_code'", "E02000001", "has the right form"]),
        (row("E01000500", 500, 0), [f"'{DECILE}'", "'0'", "is at least 1"]),
        (row("E01000500", 500, 11), [f"'{DECILE}'", "'11'", "is at most 10"]),
        (row("E01000500", 0, 1), [f"'{RANK}'", "'0'", "is at least 1"]),
        (row("E01000500", "first", 1), [f"'{RANK}'", "'first'", "is a number"]),
        (row("E01000500", "", 1), [f"'{RANK}'", "is not blank"]),
        (row("E01000500", 7, 1), [f"'{RANK}'", "'7'", "An earlier row", "value is unique"]),
        (row("E01000007", 500, 1), ["are in an earlier row", "key is unique"]),
    ],
    ids=[
        "Welsh", "another kind of area", "no decile", "too high a decile", "no rank",
        "rank of words", "blank rank", "rank twice", "area twice",
    ],
)  # fmt: skip
def test_a_wrong_row_is_quarantined_with_its_place(
    ground: Ground, wrong: str, said: list[str]
) -> None:
    found = delivered(ground, file([*GOOD, wrong]))
    assert all(part in found for part in ["File_7.csv", "line 202", *said]), found
    assert ground.value(f"select count(*) from raw.{SOURCE}") == len(GOOD)
    assert ground.query("select line from quarantine.refused_rows") == [(202,)]


def test_more_wrong_rows_than_the_contract_allows_refuse_the_delivery(ground: Ground) -> None:
    wrong = [row(f"E01000{number}", 7, 1) for number in (501, 502, 503)]
    assert "few rows are wrong" in delivered(ground, file([*GOOD, *wrong]))
    assert ground.query(f"select * from raw.{SOURCE}") == []


def test_a_decile_that_is_not_its_ranks_is_loaded_with_a_warning(ground: Ground) -> None:
    # Of 32,844 small areas the first tenth ends with the rank 3,284.
    rows = [row("E01000001", 3284, 1), row("E01000002", 3285, 1), row("E01000003", 32844, 9)]
    found = delivered(ground, file(rows))
    for part in ("File_7.csv", "line 3", f"'{DECILE}'", "2 rows have", "3285", "32,844"):
        assert part in found
    assert "the decile agrees with the rank" in found
    assert ground.value(f"select count(*) from raw.{SOURCE}") == 3


@pytest.mark.parametrize(
    ("old", "new"),
    [("(2019)", "(2031)"), ("LSOA code (2011)", "LSOA code (2021)")],
)
def test_an_unknown_edition_is_refused_with_those_that_are_known(
    ground: Ground, old: str, new: str
) -> None:
    found = delivered(ground, file([row("E01000001", 1, 1)]).replace(old, new))
    for part in ("File_7.csv", "line 1", "is of a known edition", "2015 (", "2019 (", "2025 ("):
        assert part in found
    assert ground.query(f"select * from raw.{SOURCE}") == []


@pytest.mark.parametrize("heading", [RANK, DECILE, "LSOA code (2011)", headings(2019)[2]])
def test_a_column_that_is_read_must_be_there(ground: Ground, heading: str) -> None:
    found = delivered(ground, file([row("E01000001", 1, 1)]).replace(heading, "Another"))
    assert "has every column" in found and heading.split(" (")[0] in found


def test_every_delivery_adds_its_edition(ground: Ground) -> None:
    # An edition is in force as at its delivery's quarter, and need not be older than that.
    for quarter, edition, score in [
        ("2018-07-01", 2015, "10"), ("2018-10-01", 2019, "20"), ("2019-10-01", 2019, "30"),
    ]:  # fmt: skip
        content = file([row("E01000001", 5, 1, edition, Index=score)], edition)
        assert delivered(ground, content, quarter) == ""
    found = []
    for as_at in ("2018-07-01", "2018-10-01", "2019-10-01"):
        ground.resolve(as_at)
        found.append(
            ground.query(
                "select year(edition), deprivation_score "
                f"from in_force.{SOURCE} order by delivery_quarter"
            )
        )
    # Each delivery adds its rows; staging takes the latest of an edition.
    assert found == [
        [(2015, 10)],
        [(2015, 10), (2019, 20)],
        [(2015, 10), (2019, 20), (2019, 30)],
    ]


# The sample


def _street() -> pd.DataFrame:
    """Return the rows of the sample's street files up to the assessment's quarter."""
    paths = [
        path
        for folder in sorted((RAW / "police_uk_street").iterdir())
        if folder.name <= "2018-04-01"
        for path in sorted(folder.glob("*.csv"))
    ]
    rows = pd.concat(pd.read_csv(path, dtype=str) for path in paths)
    types = pd.read_csv(PROJECT / "dbt_project/seeds/crime_types.csv")
    names = types.drop_duplicates("published_name").set_index("published_name")["crime_type"]
    published = rows["Crime type"]
    return pd.DataFrame(
        {
            "code": rows["LSOA code"],
            "month": rows["Month"],
            "crime_type": published.map(names).fillna(published),
        }
    )


def _placed() -> pd.DataFrame:
    """Return each small area of the sample with its district, its index and its residents."""
    (lookup,) = (RAW / "area_lookups/2018-04-01").glob("Lower*.csv")
    districts = pd.read_csv(lookup, dtype=str)[["LSOA11CD", "LAD17CD"]]
    (index,) = (RAW / SOURCE / "2018-04-01").glob("*.csv")
    ranks = pd.read_csv(index)
    return districts.merge(
        pd.DataFrame(
            {
                "LSOA11CD": ranks["LSOA code (2011)"],
                "rank": ranks[RANK],
                "decile": ranks[DECILE],
                "population": ranks["Total population: mid 2012 (excluding prisoners)"],
            }
        )
    ).rename(columns={"LSOA11CD": "code", "LAD17CD": "area_code"})


@pytest.fixture(scope="module")
def published(sample: Ground) -> pd.DataFrame:
    return _read(sample, "from marts.crime_by_deprivation")


def _read(ground: Ground, query: str) -> pd.DataFrame:
    path = ground.settings.published / "csp.duckdb"
    with duckdb.connect(path, read_only=True) as connection:
        return connection.execute(query).df()


def _counts() -> pd.DataFrame:
    """Count the sample's offences of twelve months again, by small area and type, with zeros."""
    rows, places = _street(), _placed()
    months = sorted(rows["month"].unique())
    used = set(rows.loc[rows["month"].isin(months[-36:]), "code"].dropna())
    year = rows[rows["month"].isin(months[-12:])]
    crimes = year[year["crime_type"] != "Anti-social behaviour"].assign(crime_type="Total crime")
    every = pd.concat([year, crimes])
    places = places[places["code"].isin(used)]
    grid = places.merge(pd.DataFrame({"crime_type": sorted(every["crime_type"].unique())}), "cross")
    counted = every.groupby(["code", "crime_type"]).size().rename("offences").reset_index()
    return grid.merge(counted, "left", ["code", "crime_type"]).fillna({"offences": 0})


def test_crime_by_deprivation_of_the_sample_is_as_computed_again(published: pd.DataFrame) -> None:
    counts = _counts()
    counts = counts[counts["area_code"].isin(published["area_code"])].copy()
    counts["quintile"] = (counts["decile"] + 1) // 2
    of_force = counts.assign(area_code="force")
    every = pd.concat([counts, of_force])
    stated = published.assign(
        area_code=published["area_code"].where(published["area_type"] != "force", "force")
    ).set_index(["area_code", "crime_type", "group_type", "deprivation_group"])
    keys = ["area_code", "crime_type"]
    figures = {
        "small_areas": ("code", "nunique"),
        "population": ("population", "sum"),
        "offences": ("offences", "sum"),
    }
    wholes = every.groupby(keys).agg(**figures)
    compared: set[Any] = set()
    for kind in ("decile", "quintile"):
        found: Any
        for found in every.groupby([*keys, kind]).agg(**figures).reset_index().to_dict("records"):
            place: Any = (found["area_code"], found["crime_type"], kind, found[kind])
            _check(stated.loc[place], found, wholes.loc[place[:2]])
            compared.add(place)
    others = stated[~stated.index.isin(compared)]
    assert len(compared) > 1400
    assert (others["small_areas"] == 0).all() and (others["status"] == "[z]").all()


def _check(made: Any, found: Mapping[str, Any], whole: Any) -> None:
    for name in ("small_areas", "population", "offences"):
        assert made[name] == found[name], made
        assert made[f"{name}_of_area"] == whole[name], made
    offences, population = int(found["offences"]), found["population"]
    rate = 1000 * offences / population
    assert made["rate_per_1000"] == pytest.approx(rate)
    exact = (
        chi2.ppf(0.025, 2 * offences) / 2 if offences else 0,
        chi2.ppf(0.975, 2 * offences + 2) / 2,
    )
    # Byar's approximation is near the exact limits from ten offences on.
    near = 1e-9 if offences < 10 else 0.01
    assert made["rate_lower"] == pytest.approx(1000 * exact[0] / population, rel=near)
    assert made["rate_upper"] == pytest.approx(1000 * exact[1] / population, rel=near)
    if not whole["offences"]:
        assert made["status"] == "[z]"
        return
    share = population / whole["population"]
    limits = binomtest(offences, int(whole["offences"])).proportion_ci(method="wilson")
    assert made["share_of_population"] == pytest.approx(share)
    assert made["offence_ratio"] == pytest.approx(offences / whole["offences"] / share)
    assert made["offence_ratio_lower"] == pytest.approx(limits.low / share, abs=1e-9)
    assert made["offence_ratio_upper"] == pytest.approx(limits.high / share, abs=1e-9)


def test_groups_of_the_sample_add_up(published: pd.DataFrame) -> None:
    held = published[published["status"] != "[x]"]
    sums = held.groupby(["area_code", "crime_type", "group_type"])
    for name in ("small_areas", "population", "offences"):
        assert (sums[name].sum() == sums[f"{name}_of_area"].first()).all()
    assert set(held["deprivation_year"]) == {2015}
    assert set(held["population_mid_year"].astype(str)) == {"2012-06-30"}


def test_small_areas_have_the_decile_of_the_file(sample: Ground) -> None:
    made = _read(
        sample,
        "select small_area_code as code, deprivation_rank as rank, deprivation_decile as decile, "
        "population from marts.small_areas where deprivation_year is not null",
    )
    places = _placed().drop(columns="area_code")
    both = made.merge(places, on="code", suffixes=("", "_of_file"))
    assert len(both) == len(made) > 400
    for name in ("rank", "decile", "population"):
        assert (both[name] == both[f"{name}_of_file"]).all()


def test_the_sample_says_that_its_ranks_are_made_up() -> None:
    receipt = (RAW / SOURCE / "2018-04-01/delivery.json").read_text()
    assert '"synthetic"' in receipt
    assert "every score, rank, decile and population is made up" in receipt


def test_the_page_shows_each_fifth_of_an_area(sample: Ground) -> None:
    page = _read(sample, "from reports.page_crime_by_deprivation where area_name = 'Fenland'")
    first = page.sort_values("row_order").head(5)
    assert list(first["crime_type"]) == ["Total crime"] * 5
    assert list(first["deprivation_label"]) == [
        "1 (most deprived)", "2", "3", "4", "5 (least deprived)",
    ]  # fmt: skip
    assert len(page) == 5 * page["crime_type"].nunique()

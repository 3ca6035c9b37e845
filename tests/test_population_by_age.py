"""Populations by sex and age: their two layouts, and rates of young people and by sex."""

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from orchestration.config.settings import PROJECT
from orchestration.disclosure.confidence_limits import Rounded, poisson, poisson_of_rounded
from tests.support import Ground, messages
from tests.workbooks import xls

SOURCE = "population_by_age"
HEADER = "GEOGRAPHY_CODE,GEOGRAPHY_NAME,DATE_NAME,GENDER_NAME,C_AGE_NAME,OBS_VALUE"
AGES = [*range(90), "90+"]


def sheet(sex: str, year: str = "mid-2019", ages: list[object] | None = None) -> list[list[object]]:
    named = ages or AGES
    return [
        ["Contents"],
        [f"MYE2: Population estimates: {sex} by single year of age and sex, {year}"],
        ["Code", "Name", "Geography1", "All ages", *named],
        ["E07000010", "Fenland", "Non-metropolitan District", 91_000, *range(1, len(named) + 1)],
    ]


def book(**sheets: list[list[object]]) -> bytes:
    return xls({f"MYE2 - {name}": rows for name, rows in sheets.items()})


def put(ground: Ground, content: str | bytes, name: str) -> list[str]:
    ground.put(SOURCE, "2018-04-01", {name: content})
    return messages(ground.load(SOURCE))


def test_the_workbook_gives_each_year_of_age_of_both_sexes(ground: Ground) -> None:
    assert put(ground, book(Males=sheet("Males"), Females=sheet("Females")), "ages.xls") == []
    rows = ground.query(f"select sex, age, population, mid_year::varchar from raw.{SOURCE}")
    assert sorted(rows) == sorted(
        (sex, age, age + 1, "2019-06-30") for sex in ("Male", "Female") for age in range(91)
    )


@pytest.mark.parametrize(
    ("sheets", "said"),
    [
        ({"Males": sheet("Males")}, "'MYE2 - Males' and 'MYE2 - Females'"),
        ({"Males": sheet("Males", ages=AGES[:-1]), "Females": sheet("Females")}, "headed '90'"),
        ({"Males": sheet("Males", ages=AGES[5:]), "Females": sheet("Females")},
         "headed '0', '1', '2' and 2 more years of age"),
        ({"Males": sheet("Males", "of late"), "Females": sheet("Females")}, "the one year"),
    ],
)  # fmt: skip
def test_a_workbook_that_lacks_something_is_refused(ground: Ground, sheets, said: str) -> None:
    (message,) = put(ground, book(**sheets), "ages.xls")
    assert said in message and "ages.xls" in message


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("E07000010,Fenland,2017,Male,Age seven,10", "Age seven"),
        ("E07000010,Fenland,2017,Total,Age 7,10", "Total"),
        ("E07000010,Fenland,2017,Male,Age 7,ten", "ten"),
        ("E07000010,Fenland,2017,Male,Age 7,-1", "-1"),
        ("Fenland,Fenland,2017,Male,Age 7,10", "GSS code"),
        ("E07000010,Fenland,2017,Male,Age 6,10", "line"),
    ],
)
def test_a_wrong_row_is_refused_with_line_and_value(ground: Ground, line: str, said: str) -> None:
    good = "E07000010,Fenland,2017,Male,Age 6,10"
    told = put(ground, "\n".join([HEADER, good, line, ""]), "ages.csv")
    assert told and any(said in one for one in told)
    assert all("ages.csv" in one for one in told)


def test_every_form_of_an_age_is_read(ground: Ground) -> None:
    names = ("Age 0", "Aged 1 year", "Aged 17 years", "Aged 90+", "90", "Aged under 1 year")
    lines = [
        f"E070000{n:02d},Fenland,2017,Female,{name},{n}" for n, name in enumerate(names, start=10)
    ]
    assert put(ground, "\n".join([HEADER, *lines, ""]), "ages.csv") == []
    assert ground.query(f"select age from raw.{SOURCE} order by population") == [
        (0,), (1,), (17,), (90,), (90,), (0,),
    ]  # fmt: skip


def test_limits_of_a_count_are_exact_below_ten_and_near_it_above() -> None:
    for count in range(60):
        limits = poisson(count)
        exact = (chi2.ppf(0.025, 2 * count) / 2 if count else 0, chi2.ppf(0.975, 2 * count + 2) / 2)
        near = 1e-9 if count < 10 else 0.02
        assert (limits.lower, limits.upper) == pytest.approx(exact, abs=near)
    wide = poisson_of_rounded(Rounded(10, 4))
    assert (wide.lower, wide.upper) == (poisson(6).lower, poisson(14).upper)


# --- what is published -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def ages() -> pd.DataFrame:
    """The landed rows of the sample, with the age as a number, and a force of all districts."""
    path = PROJECT / "raw" / SOURCE / "2018-04-01" / "nomis-estimates-by-age.csv"
    rows = pd.read_csv(path)
    rows["age"] = rows["C_AGE_NAME"].str.extract(r"(\d+)").astype(int)
    force = rows.groupby(["DATE_NAME", "GENDER_NAME", "age"], as_index=False)["OBS_VALUE"].sum()
    return pd.concat([rows, force.assign(GEOGRAPHY_CODE="E23000023")])


def published(sample: Ground, query: str) -> pd.DataFrame:
    path: Path = sample.settings.published / "csp.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).df()


def test_the_published_populations_are_those_of_the_file(sample: Ground, ages) -> None:
    found = published(sample, "select * from marts.populations_by_age")
    found["DATE_NAME"] = found["period_start"].dt.year
    both = found.merge(
        ages,
        left_on=["area_code", "DATE_NAME", "sex", "age"],
        right_on=["GEOGRAPHY_CODE", "DATE_NAME", "GENDER_NAME", "age"],
        how="outer",
    )
    assert len(both) == len(found) == len(ages) == 7 * 5 * 2 * 91
    assert (both["population"] == both["OBS_VALUE"]).all()


@pytest.mark.parametrize("sex", ["All", "Male", "Female"])
def test_rates_of_young_people_divide_by_those_aged_10_to_17(sample: Ground, ages, sex) -> None:
    found = published(
        sample,
        "select * from marts.youth_offenders where area_type in ('district', 'force') "
        f"and dimension in ('all', 'sex') and category = '{sex}' and rate_per_1000 is not null",
    )
    assert len(found) > 20
    chosen = ages[ages["age"].between(10, 17)]
    if sex != "All":
        chosen = chosen[chosen["GENDER_NAME"] == sex]
    people = chosen.groupby(["GEOGRAPHY_CODE", "DATE_NAME"])["OBS_VALUE"].sum()
    years = np.minimum(found["period_start"].dt.year, 2017)
    expected = [people[code, year] for code, year in zip(found["area_code"], years, strict=True)]
    assert list(found["population_aged_10_to_17"]) == expected
    assert list(found["rate_per_1000"]) == pytest.approx(
        list(1000 * found["young_people"] / expected)
    )
    assert (found["rate_lower"] <= found["rate_per_1000"]).all()
    assert (found["rate_per_1000"] <= found["rate_upper"]).all()


def test_a_row_without_a_rate_says_why(sample: Ground) -> None:
    for table in ("youth_offenders", "offender_age_and_sex"):
        found = published(
            sample,
            "select rate_per_1000_status as why, count(rate_per_1000) as rates, count(*) as rows "
            f"from marts.{table} group by all",
        )
        without = found[found["rates"] < found["rows"]]
        assert set(without["why"]) <= {"[x]", "[z]", "[c]"}
        assert (without["rates"] == 0).all()
        assert found["rates"].sum() > 50


def test_the_pack_has_rates_of_men_and_women(sample: Ground, ages) -> None:
    found = published(
        sample,
        "select * from reports.page_age_and_sex where area_code = 'E07000010' "
        "and age_group = '18-21' and period_start = date '2017-04-01'",
    ).iloc[0]
    fenland = ages[(ages["GEOGRAPHY_CODE"] == "E07000010") & (ages["DATE_NAME"] == 2017)]
    young = fenland[fenland["age"].between(18, 21)].groupby("GENDER_NAME")["OBS_VALUE"].sum()
    assert found["men_per_1000"] == pytest.approx(1000 * found["men"] / young["Male"])
    assert found["women_per_1000"] == pytest.approx(1000 * found["women"] / young["Female"])

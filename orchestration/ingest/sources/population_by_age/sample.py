"""Sample of the estimates by sex and age: the real totals of districts, split by made-up shares.

The layout is that of Nomis. Every district's men and women of all ages add up to its published
mid-year estimate; how they are spread over sex and age is synthetic.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from math import exp

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.population_estimates.sample import district_names, populations

_HEADER = (
    "GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "DATE_NAME", "GENDER_NAME", "C_AGE_NAME", "OBS_VALUE",
)  # fmt: skip
_DISTRICTS = ("E06000031", "E07000008", "E07000009", "E07000010", "E07000011", "E07000012")
"""The districts of the sample's force."""
_MID_YEARS = range(2013, 2018)
_SHARES = {"Male": 0.495, "Female": 0.505}
_AGES = range(91)


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one delivery."""
    yield SampleDelivery(
        source="population_by_age",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 14, 9),
        nature="synthetic",
        note=(
            "Synthetic: estimates by sex and year of age, mid-2013 to mid-2017, in the layout of "
            "Nomis. Each district's sum is its published estimate; the spread over sex and age is "
            "made up."
        ),
        files={"nomis-estimates-by-age.csv": _nomis_csv()},
    )


def _nomis_csv() -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(_HEADER)
    for year in _MID_YEARS:
        totals, names = populations(year), district_names()
        for code in _DISTRICTS:
            for (sex, age), people in _spread(code, totals[code]).items():
                writer.writerow((code, names[code], year, sex, _age_name(age), people))
    return stream.getvalue().encode()


def _spread(code: str, total: int) -> dict[tuple[str, int], int]:
    """Return a total spread over sex and age; what rounding leaves goes to the largest rests."""
    wanted = {
        (sex, age): share * _weight(code, sex, age)
        for sex, share in _SHARES.items()
        for age in _AGES
    }
    scale = total / sum(wanted.values())
    people = {key: int(weight * scale) for key, weight in wanted.items()}
    rests = sorted(wanted, key=lambda key: (people[key] - wanted[key] * scale, key))
    for key in rests[: total - sum(people.values())]:
        people[key] += 1
    return people


def _weight(code: str, sex: str, age: int) -> float:
    """Return how many of an age there are beside others: fewer from 60 on, more women then."""
    lean = 1 + (int(code[-2:], 16) % 7 - 3) / 40 * (age - 40) / 40
    survive = exp(-((age / (84 if sex == "Female" else 81)) ** 7))
    open_ended = 3.2 if age == _AGES[-1] else 1
    return lean * survive * open_ended


def _age_name(age: int) -> str:
    return "Aged 90+" if age == _AGES[-1] else f"Age {age}"

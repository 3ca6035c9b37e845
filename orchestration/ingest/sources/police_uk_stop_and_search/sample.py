"""Synthetic sample of stop and search, in exactly the layout of data.police.uk.

No row is of a real search or person. The shares of objects, outcomes and people are made up. The
first delivery holds the months before its quarter too, as a download of a whole archive does.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from random import Random

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.area_lookups.sample import districts
from orchestration.ingest.sources.police_uk_street.sample import ARRIVES_AFTER

FIRST_MONTH = date(2017, 1, 1)
QUARTERS = (date(2018, 7, 1), date(2018, 10, 1))
HEADER = (
    "Type", "Date", "Part of a policing operation", "Policing operation", "Latitude", "Longitude",
    "Gender", "Age range", "Self-defined ethnicity", "Officer-defined ethnicity", "Legislation",
    "Object of search", "Outcome", "Outcome linked to object of search",
    "Removal of more than just outer clothing",
)  # fmt: skip

FEWEST, MOST = 80, 110
"""Searches of a month of 2017; those of 2018 are a tenth more."""

Weights = dict[str, int]

_PACE = "Police and Criminal Evidence Act 1984 (section 1)"
_DRUGS = "Misuse of Drugs Act 1971 (section 23)"
_LAWS = {
    "Controlled drugs": _DRUGS,
    "Firearms": "Firearms Act 1968 (section 47)",
    "Anything to threaten or harm anyone": (
        "Criminal Justice and Public Order Act 1994 (section 60)"
    ),
}
TYPES: Weights = {"Person search": 72, "Person and Vehicle search": 24, "Vehicle search": 4}
OBJECTS: Weights = {
    "Controlled drugs": 58, "Stolen goods": 15, "Offensive weapons": 10,
    "Article for use in theft": 9, "Articles for use in criminal damage": 2, "Firearms": 1,
    "Fireworks": 1,
    "Anything to threaten or harm anyone": 1, "": 3,
}  # fmt: skip
OUTCOMES: Weights = {
    "A no further action disposal": 68, "Arrest": 15, "Community resolution": 6,
    "Khat or Cannabis warning": 4, "Penalty Notice for Disorder": 2, "Summons / charged by post": 2,
    "Caution (simple or conditional)": 1, "": 2,
}  # fmt: skip
OLDER_OUTCOMES: Weights = {
    "Nothing found - no further action": 67, "Suspect arrested": 15, "Local resolution": 6,
    "Offender given drugs possession warning": 5, "Suspect summonsed to court": 2,
    "Offender given penalty notice": 2, "Offender cautioned": 1, "": 2,
}  # fmt: skip
"""Names of outcomes up to 2017."""

SEXES: Weights = {"Male": 89, "Female": 8, "Other": 1, "": 2}
AGES: Weights = {"10-17": 16, "18-24": 36, "25-34": 25, "over 34": 18, "": 5}
ETHNICITIES: Weights = {"White": 82, "Black": 6, "Asian": 6, "Mixed": 1, "Other": 1, "": 4}
SELF_DEFINED: Weights = {
    "White - English/Welsh/Scottish/Northern Irish/British": 66,
    "White - Any other White background": 12,
    "Asian/Asian British - Any other Asian background": 4,
    "Black/African/Caribbean/Black British - African": 4, "Other ethnic group - Not stated": 10,
    "": 4,
}  # fmt: skip


def deliveries() -> Iterator[SampleDelivery]:
    """Yield a delivery of the months up to each of the sample's last two quarters."""
    month = FIRST_MONTH
    for quarter in QUARTERS:
        after = _later(quarter, 3)
        files = {}
        while month < after:
            files[f"{month:%Y-%m}-cambridgeshire-stop-and-search.csv"] = month_file(month)
            month = _later(month, 1)
        yield SampleDelivery(
            source="police_uk_stop_and_search",
            quarter=quarter,
            received_at=datetime.combine(after - timedelta(days=1) + ARRIVES_AFTER, time(10, 30)),
            nature="synthetic",
            note=(
                "Synthetic: no row is of a real search or person. Numbers, shares and places are "
                "made up."
            ),
            files=files,
        )


def month_file(month: date) -> bytes:
    """Return the file of a month, in the order of time."""
    random = Random(f"police_uk_stop_and_search sample {month:%Y-%m}")
    searches = random.randrange(FEWEST, MOST)
    if month.year > FIRST_MONTH.year:
        searches += searches // 10
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    rows = [_search(month, random) for _ in range(searches)]
    rows.sort(key=lambda row: row[1])
    writer.writerows(rows)
    return text.getvalue().encode()


def _search(month: date, random: Random) -> Sequence[str]:
    kind, wanted = _drawn(TYPES, random), _drawn(OBJECTS, random)
    outcome = _drawn(OLDER_OUTCOMES if month.year == FIRST_MONTH.year else OUTCOMES, random)
    days = (_later(month, 1) - month).days
    at = datetime.combine(month + timedelta(days=random.randrange(days)), time())
    at += timedelta(minutes=random.randrange(0, 23 * 60))
    of_person = kind != "Vehicle search"
    place = _place(random)
    sex, age = _drawn(SEXES, random), _drawn(AGES, random)
    self_defined, seen = _drawn(SELF_DEFINED, random), _drawn(ETHNICITIES, random)
    found = outcome and "no further action" not in outcome.lower()
    linked = ("False" if random.randrange(5) == 0 else "True") if found else ""
    return (
        kind, f"{at.isoformat()}+00:00", "False", "", *place,
        *((sex, age, self_defined, seen) if of_person else ("", "", "", "")),
        _LAWS.get(wanted, _PACE), wanted, outcome, linked,
        ("True" if random.randrange(40) == 0 else "False") if of_person else "",
    )  # fmt: skip


def _place(random: Random) -> tuple[str, str]:
    """Return a made-up map point, near the middle of a district; one in twelve has none."""
    choice = list(districts())
    middle = choice[random.randrange(len(choice))]
    north, east = random.randrange(-25000, 25001) / 1e6, random.randrange(-40000, 40001) / 1e6
    if random.randrange(12) == 0:
        return "", ""
    return f"{middle.latitude + north:.6f}", f"{middle.longitude + east:.6f}"


def _drawn(weights: Weights, random: Random) -> str:
    left = random.randrange(sum(weights.values()))
    for value, weight in weights.items():
        left -= weight
        if left < 0:
            return value
    raise AssertionError


def _later(month: date, count: int) -> date:
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)

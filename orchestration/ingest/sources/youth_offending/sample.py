"""Synthetic sample of the youth offending services' registrations, in a case system's layout.

No row is a real young person. `sample_quarters.csv` has the margins: how many young people are
registered in a district and quarter, and how many of them are first-time entrants. They are set so
that 2016 has the young people of the assessment's Figure 3 in each district of Cambridgeshire, and
Fenland has 43 in 2017/18; first-time entrants rise for three years, as the assessment says without
numbers. Offences and their weights are in `sample_offences.csv`: common assault, then destroying
or damaging property, come first. Districts of Peterborough's own service are made up, and so are
the quarters after June 2018 in `sample_later.csv`, where half of those who are not first-time
entrants are young people whom the service had registered before.

Random numbers come from `random.Random` seeded with text and use only its whole numbers, so the
bytes are the same on every platform and version.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import accumulate, groupby
from pathlib import Path
from random import Random

from orchestration.config.quarters import quarter_end
from orchestration.ingest.landing.receipt import SampleDelivery

HEADER = (
    "Youth offending service",
    "Young person ID",
    "Sex",
    "Date of birth",
    "Ethnicity",
    "District of residence",
    "Registered on",
    "First offence date",
    "First offence code",
    "First offence",
    "Offence category",
    "Substantive outcome",
    "First-time entrant",
    "Accommodation need",
)
# Weights of the choices, in whole numbers.
AGES = {"10": 1, "11": 3, "12": 6, "13": 12, "14": 20, "15": 21, "16": 20, "17": 17}
SEX = {"M": 780, "F": 215, "U": 5}
ETHNICITY = {"W1": 74, "W9": 12, "A2": 2, "B1": 2, "B2": 1, "M1": 2, "M3": 1, "W3": 2, "NS": 4}
ENTRANT_OUTCOMES = {"Youth caution": 46, "Youth conditional caution": 22, "Referral order": 32}
OTHER_OUTCOMES = {
    "Youth conditional caution": 20,
    "Fine": 4,
    "Conditional discharge": 10,
    "Reparation order": 6,
    "Referral order": 26,
    "Youth rehabilitation order": 28,
    "Detention and training order": 6,
}
ACCOMMODATION_NEED = {"Identified": 19, "Not identified": 66, "Not assessed": 15}
# Of the young people who come back within the year, one in this many.
RETURNS = 9
FIRST_REFERENCE = {"Cambridgeshire": 700_100, "Peterborough": 400_100}
FIRST_LATER_REFERENCE = {"Cambridgeshire": 720_100, "Peterborough": 420_100}
# The quarters that came one by one, and when.
LATER = {
    date(2018, 7, 1): datetime(2018, 11, 5, 9),
    date(2018, 10, 1): datetime(2019, 2, 4, 9),
}


# The day of a registration, and its cells in the order of HEADER.
Registration = tuple[date, list[str]]


@dataclass(frozen=True)
class Person:
    """A young person as a service knows them; ``born`` may be unknown to the service."""

    reference: int
    sex: str
    born: date
    ethnicity: str
    district_code: str


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the first delivery of three years, then one a quarter; a file for each service."""
    facts = _facts("sample_quarters.csv")
    services = sorted({row["youth_offending_service"] for row in facts})
    yield SampleDelivery(
        source="youth_offending",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 8, 6, 9),
        nature="synthetic",
        note=(
            "Synthetic: no row is a real young person. The numbers of 2016 by district and of "
            "2017/18 in Fenland are those of the assessment; all others are made up."
        ),
        files={
            f"{service.lower()}-youth-offending-service-2015-04-to-2018-06.csv": _file(
                service, [row for row in facts if row["youth_offending_service"] == service]
            )
            for service in services
        },
    )
    later = _facts("sample_later.csv")
    for quarter, received_at in LATER.items():
        yield SampleDelivery(
            source="youth_offending",
            quarter=quarter,
            received_at=received_at,
            nature="synthetic",
            note="Synthetic: no row is a real young person. All numbers are made up.",
            files={
                f"{service.lower()}-youth-offending-service-{quarter:%Y-%m}-to-"
                f"{quarter_end(quarter):%Y-%m}.csv": _later_file(
                    service,
                    quarter,
                    [row for row in later if row["youth_offending_service"] == service],
                    [row for row in facts if row["youth_offending_service"] == service],
                )
                for service in services
            },
        )


def _file(service: str, margins: Sequence[dict[str, str]]) -> bytes:
    return _csv(_first_rows(service, margins))


def _first_rows(service: str, margins: Sequence[dict[str, str]]) -> list[Registration]:
    """Return the registrations of the first delivery, year by year, with their dates."""
    random = Random(f"youth_offending {service}")
    rows: list[Registration] = []
    reference = FIRST_REFERENCE[service]
    for _, group in groupby(margins, lambda row: (row["district_code"], _financial_year(row))):
        made = _year(random, service, list(group), reference)
        reference += 10 * len(made)
        rows += made
    return rows


def _csv(rows: Iterable[Registration]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(row for _, row in sorted(rows, key=lambda row: (row[0], row[1][1])))
    return text.getvalue().encode()


def _later_file(
    service: str,
    quarter: date,
    margins: Sequence[dict[str, str]],
    first_margins: Sequence[dict[str, str]],
) -> bytes:
    """Return the registrations of one of the quarters that came one by one."""
    random = Random(f"youth_offending {service} {quarter}")
    known = _young_people(_first_rows(service, first_margins), quarter)
    # Quarters lie far enough apart for their numbers.
    reference = FIRST_LATER_REFERENCE[service] + 5_000 * list(LATER).index(quarter)
    rows = []
    for row in margins:
        if date.fromisoformat(row["quarter"]) != quarter:
            continue
        entrants = int(row["first_time_entrants"])
        others = int(row["young_people"]) - entrants
        met_before = [one for one in known if one.district_code == row["district_code"]]
        back = random.sample(met_before, min(len(met_before), (others + 1) // 2))
        offences = _quota(random, entrants + others)
        people = list(back)
        while len(people) < entrants + others:
            reference += 1 + random.randrange(9)
            people.append(_person(random, reference, row["district_code"], quarter))
        for place, (person, offence) in enumerate(zip(people, offences, strict=True)):
            # Who comes back is no first-time entrant; the rest of the others follow them.
            rows.append(_registration(random, service, person, quarter, offence, place >= others))
    return _csv(rows)


def _young_people(rows: Iterable[Registration], quarter: date) -> list[Person]:
    """Return who was registered in the two years before a quarter and is still under 18 in it."""
    people: dict[str, Person] = {}
    for registered_on, (_, reference, sex, born, ethnicity, district_code, *_) in rows:
        birthday = datetime.strptime(born, "%d/%m/%Y").date() if born else None
        recently = quarter - registered_on < timedelta(days=730)
        if recently and birthday and quarter - birthday < timedelta(days=17 * 365 + 200):
            people[reference] = Person(int(reference), sex, birthday, ethnicity, district_code)
    return list(people.values())


def _financial_year(row: Mapping[str, str]) -> int:
    quarter = date.fromisoformat(row["quarter"])
    return quarter.year - (quarter.month < 4)


def _year(
    random: Random, service: str, quarters: Sequence[dict[str, str]], reference: int
) -> list[Registration]:
    """Return the registrations of one district and financial year, with their dates.

    Every young person is counted once a quarter; a few come back in a later quarter of the same
    calendar and financial year, which changes no year's number of young people.
    """
    entrants = sum(int(row["first_time_entrants"]) for row in quarters)
    entrant_offences = _quota(random, entrants)
    others = sum(int(row["young_people"]) for row in quarters) - entrants
    other_offences = _quota(random, others)
    rows: list[Registration] = []
    for row in quarters:
        quarter = date.fromisoformat(row["quarter"])
        for number in range(int(row["young_people"])):
            is_entrant = number < int(row["first_time_entrants"])
            offence = (entrant_offences if is_entrant else other_offences).pop()
            reference += 1 + random.randrange(9)
            person = _person(random, reference, row["district_code"], quarter)
            rows.append(_registration(random, service, person, quarter, offence, is_entrant))
            if quarter.month in (4, 7) and len(quarters) == 4 and not random.randrange(RETURNS):
                later = date(quarter.year, quarter.month + 3, 1)
                back = _quota(random, 1).pop()
                rows.append(_registration(random, service, person, later, back, False))
    return rows


def _person(random: Random, reference: int, district_code: str, quarter: date) -> Person:
    age = int(_draw(random, AGES))
    # Between two birthdays at the quarter's start; old enough for an offence before it.
    born = quarter - timedelta(days=age * 365 + age // 4 + 130 + random.randrange(140))
    return Person(reference, _draw(random, SEX), born, _draw(random, ETHNICITY), district_code)


def _registration(
    random: Random,
    service: str,
    person: Person,
    quarter: date,
    offence: Mapping[str, str],
    is_entrant: bool,
) -> Registration:
    registered_on = quarter + timedelta(days=random.randrange(90))
    offence_date = registered_on - timedelta(days=7 + random.randrange(85))
    outcomes = ENTRANT_OUTCOMES if is_entrant else OTHER_OUTCOMES
    return registered_on, [
        service,
        f"{person.reference:06d}",
        person.sex,
        f"{person.born:%d/%m/%Y}" if person.reference % 97 else "",
        person.ethnicity,
        person.district_code,
        f"{registered_on:%d/%m/%Y}",
        f"{offence_date:%d/%m/%Y}",
        offence["offence_code"],
        offence["offence"],
        offence["offence_category"],
        _draw(random, outcomes),
        "Y" if is_entrant else "N",
        _draw(random, ACCOMMODATION_NEED),
    ]


def _quota(random: Random, size: int) -> list[dict[str, str]]:
    """Return ``size`` offences in the proportions of their weights, shuffled."""
    offences = _facts("sample_offences.csv")
    weights = [int(offence["weight"]) for offence in offences]
    whole = sum(weights)
    counts = [size * weight // whole for weight in weights]
    left = sorted(range(len(weights)), key=lambda place: -(size * weights[place] % whole))
    for place in left[: size - sum(counts)]:
        counts[place] += 1
    drawn = [offence for offence, count in zip(offences, counts, strict=True) for _ in range(count)]
    random.shuffle(drawn)
    return drawn


def _draw(random: Random, weights: Mapping[str, int]) -> str:
    """Return one key, each in proportion to its whole-number weight."""
    place = random.randrange(sum(weights.values()))
    reached = zip(weights, accumulate(weights.values()), strict=True)
    return next(thing for thing, total in reached if place < total)


def _facts(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))

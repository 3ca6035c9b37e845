"""Synthetic sample of probation caseloads, in the layout of an nDelius extract.

The people are made in `sample_people.py` and, from August 2018 on, in `sample_later_people.py`;
here they are written as the suppliers' CSV files.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import date, datetime

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.probation_caseload.sample_later_people import (
    crc_august_2018,
    crc_november_2018,
    nps_august_2018,
    nps_november_2018,
)
from orchestration.ingest.sources.probation_caseload.sample_people import (
    FORCE,
    Person,
    crc_february_2017,
    crc_may_2017,
    crc_may_2018,
    nps_february_2017,
)

HEADER = (
    "CRN", "PNC ID", "Provider", "Snapshot date", "Police force area", "District of residence",
    "Date of birth", "Sex", "Ethnicity", "Order type", "Main offence", "OGRS3 score",
    "Accommodation status", "Disability", "Mental health", "Suicide or self-harm",
    "Area classification", "First release date",
)  # fmt: skip
ALL_MADE_UP = "All numbers are made up; most people are those of the snapshot before."


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the snapshots of February and May 2017 and of May, August and November 2018."""
    yield _delivery(
        date(2017, 1, 1),
        datetime(2017, 4, 5, 9),
        "Margins of the National Probation Service's caseload are those of Figure 5 where it is "
        "possible: bands of OGRS 3 that left people out are completed by blanks, and 48 people of "
        "the total, whom the figure places nowhere, have no address. Who is on the Community "
        "Rehabilitation Company's caseload outside Fenland without an assessment is made up.",
        [nps_february_2017(), crc_february_2017()],
    )
    yield _delivery(
        date(2017, 4, 1),
        datetime(2017, 7, 5, 9),
        "Fenland's 278 people are the caseload of May 2017 as printed, read as Fenland's though "
        "the text names no area; everything else is made up.",
        [crc_may_2017()],
    )
    yield _delivery(
        date(2018, 4, 1),
        datetime(2018, 7, 5, 9),
        "Fenland's 272 people are as the text describes them, four of them with little on record; "
        "the other districts are made up.",
        [crc_may_2018()],
    )
    yield _delivery(
        date(2018, 7, 1),
        datetime(2018, 10, 4, 9),
        ALL_MADE_UP,
        [nps_august_2018(), crc_august_2018()],
    )
    yield _delivery(
        date(2018, 10, 1),
        datetime(2019, 1, 7, 9),
        ALL_MADE_UP,
        [nps_november_2018(), crc_november_2018()],
    )


def _delivery(
    quarter: date, received_at: datetime, note: str, snapshots: Iterable[tuple[Person, ...]]
) -> SampleDelivery:
    return SampleDelivery(
        source="probation_caseload",
        quarter=quarter,
        received_at=received_at,
        nature="synthetic",
        note=f"Synthetic: no row is a real person. {note}",
        files={
            f"{people[0].provider.lower()}_caseload_{people[0].snapshot}.csv": _csv(people)
            for people in snapshots
        },
    )


def _csv(people: Iterable[Person]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(_row(person) for person in sorted(people, key=lambda one: one.crn))
    return text.getvalue().encode()


def _row(person: Person) -> tuple[str, ...]:
    return (
        person.crn, person.pnc_id, person.provider, _day(person.snapshot), FORCE, person.residence,
        _day(person.date_of_birth), person.sex, person.ethnicity, person.order_type,
        person.main_offence, person.ogrs3_score, person.accommodation, person.disability,
        person.mental_health, person.self_harm, person.area_classification, _day(person.released),
    )  # fmt: skip


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""

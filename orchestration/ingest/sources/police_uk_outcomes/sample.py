"""Synthetic sample of outcomes, in exactly the layout of data.police.uk.

No row is of a real offence. Each outcome is of a crime of the street sample and bears its place. It
is recorded in the month of the crime or one of the two after it. A few crimes have a second outcome
four months later, which the street file of their own quarter does not know: outcomes are revised.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.police_uk_street.sample import ARRIVES_AFTER, StreetSample

QUARTERS = (date(2018, 7, 1), date(2018, 10, 1))
HEADER = (
    "Crime ID",
    "Month",
    "Reported by",
    "Falls within",
    "Longitude",
    "Latitude",
    "Location",
    "LSOA code",
    "LSOA name",
    "Outcome type",
)
FIRST_CRIMES = date(2018, 3, 1)
"""First month of the crimes whose outcomes are written."""

OPEN = ("", "Under investigation", "Status update unavailable")
NOT_CHARGED = (
    "Action to be taken by another organisation",
    "Formal action is not in the public interest",
    "Investigation complete; no suspect identified",
    "Local resolution",
    "Offender given a caution",
    "Offender given penalty notice",
    "Suspect charged as part of another case",
    "Unable to prosecute suspect",
)
"""Outcomes of the street sample that the police record by the same name; others are of a court."""

# Months after the crime in which the outcome is recorded: one of these, each as likely.
LAGS = (0, 0, 0, 0, 0, 0, 1, 1, 2, 2)
# One crime in so many has a second outcome, and one charge in so many is of two suspects.
REVISED, TWO_SUSPECTS = 50, 30
REVISED_AFTER = 4

Row = tuple[str, ...]


def deliveries() -> Iterator[SampleDelivery]:
    """Yield a delivery of three monthly files for each of the sample's last two quarters."""
    street = StreetSample()
    months = [_later(quarter, offset) for quarter in QUARTERS for offset in range(3)]
    rows: dict[date, list[Row]] = {month: [] for month in months}
    month = FIRST_CRIMES
    while month <= months[-1]:
        for recorded, row in _outcomes(month, street.month_file(month)):
            if recorded in rows:
                rows[recorded].append(row)
        month = _later(month, 1)
    for quarter in QUARTERS:
        after = _later(quarter, 3)
        yield SampleDelivery(
            source="police_uk_outcomes",
            quarter=quarter,
            received_at=datetime.combine(after - timedelta(days=1) + ARRIVES_AFTER, time(10)),
            nature="synthetic",
            note=(
                "Synthetic: no row is of a real offence. Outcomes of the crimes of the street "
                "sample. Small-area codes and names are real."
            ),
            files={
                f"{month:%Y-%m}-cambridgeshire-outcomes.csv": _csv(rows[month])
                for month in (_later(quarter, offset) for offset in range(3))
            },
        )


def _outcomes(month: date, street_file: bytes) -> Iterator[tuple[date, Row]]:
    """Yield the outcomes of a month's crimes, each with the month in which it was recorded."""
    random = Random(f"police_uk_outcomes sample {month:%Y-%m}")
    for crime in csv.DictReader(io.StringIO(street_file.decode(), newline="")):
        if not crime["Crime ID"]:
            continue
        lag, chance = LAGS[random.randrange(len(LAGS))], random.randrange(REVISED * TWO_SUSPECTS)
        known = crime["Last outcome category"]
        if known not in OPEN:
            outcome = known if known in NOT_CHARGED else "Suspect charged"
            row = _row(crime, _later(month, lag), outcome)
            yield _later(month, lag), row
            if outcome == "Suspect charged" and chance % TWO_SUSPECTS == 0:
                yield _later(month, lag), row
        may_follow = known in (*OPEN, "Investigation complete; no suspect identified")
        if may_follow and chance % REVISED == 0:
            later = _later(month, REVISED_AFTER)
            yield later, _row(crime, later, "Suspect charged")


def _row(crime: dict[str, str], month: date, outcome: str) -> Row:
    place = crime["Location"] if crime["LSOA code"] else "No location"
    return (
        crime["Crime ID"], f"{month:%Y-%m}", crime["Reported by"], crime["Falls within"],
        crime["Longitude"], crime["Latitude"], place, crime["LSOA code"], crime["LSOA name"],
        outcome,
    )  # fmt: skip


def _later(month: date, count: int) -> date:
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)


def _csv(rows: list[Row]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    # The publisher puts rows without a location first.
    ordered = sorted(rows, key=lambda row: (row[7] != "", row[8], row[0], row[9]))
    writer.writerows(ordered)
    return text.getvalue().encode()

"""Synthetic sample of the Integrated Offender Management cohort, in the layout of a case list.

No row is a real person. `sample_districts.csv` has the margins: 8 people live in Fenland, 6 of them
selected for a serious acquisitive offence, and 175 are managed in all, as the assessment says (it
says "around 175" and "most"). Offences and their weights stand in `sample_offences.csv`.

Random numbers come from `random.Random` seeded with text and use only its whole numbers, so the
bytes are the same on every platform and version.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

from orchestration.ingest.receipt import SampleDelivery

SNAPSHOT = date(2018, 6, 30)
HEADER = (
    "Reported by",
    "Snapshot date",
    "PNC ID",
    "Nominal",
    "Sex",
    "Date of birth",
    "Ethnicity",
    "District of residence",
    "Lead agency",
    "Status",
    "Accommodation",
    "Index offence code",
    "Index offence group",
    "Serious acquisitive",
)
# Weights of the choices, in whole numbers.
LEAD_AGENCIES = {"Police": 38, "CRC": 34, "NPS": 23, "YOS": 5}
ACCOMMODATION = {
    "Settled": 24,
    "Supported housing": 10,
    "Friends or family": 26,
    "Transient": 20,
    "No fixed abode": 16,
    "": 4,
}
ETHNICITY = {"W1": 70, "W9": 17, "A2": 2, "B1": 2, "B2": 1, "M1": 2, "W3": 2, "O9": 1, "NS": 3}
CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"

# Whether serious acquisitive (Y or N), offence code, facts.
Offences = dict[str, dict[str, dict[str, str]]]


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one delivery, the cohort at the end of June 2018."""
    yield SampleDelivery(
        source="iom_cohort",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 9, 9),
        nature="synthetic",
        note=(
            "Synthetic: no row is a real person. The numbers managed, in all and in Fenland, are "
            "those of the assessment."
        ),
        files={"iom-cohort-2018-06-30.csv": _file()},
    )


def _file() -> bytes:
    random = Random("iom_cohort 2018-06-30")
    offences: Offences = {"Y": {}, "N": {}}
    for offence in _facts("sample_offences.csv"):
        offences[offence["serious_acquisitive"]][offence["offence_code"]] = offence
    rows = [
        row
        for district in _facts("sample_districts.csv")
        for row in _people(random, district, offences)
    ]
    random.shuffle(rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for number, row in enumerate(rows):
        snapshot = ("Cambridgeshire Constabulary", f"{SNAPSHOT:%d/%m/%Y}")
        writer.writerow([*snapshot, *_numbered(row, number)])
    return text.getvalue().encode()


def _people(random: Random, district: dict[str, str], offences: Offences) -> list[list[str]]:
    """Return the people of one district without their numbers, exactly to its margins."""
    people = int(district["people"])
    acquisitive = _flags(random, people, int(district["serious_acquisitive"]))
    women = _flags(random, people, int(district["women"]))
    custody = _flags(random, people, int(district["in_custody"]))
    rows = []
    for is_acquisitive, is_woman, in_custody in zip(acquisitive, women, custody, strict=True):
        kind = "Y" if is_acquisitive else "N"
        code = _draw(random, {code: int(one["weight"]) for code, one in offences[kind].items()})
        lead = _draw(random, LEAD_AGENCIES)
        rows.append(
            [
                "F" if is_woman else "M",
                f"{_born(random, lead):%d/%m/%Y}",
                _draw(random, ETHNICITY),
                district["district_code"],
                lead,
                "Custody" if in_custody else "Community",
                "In custody" if in_custody else _draw(random, ACCOMMODATION),
                code,
                offences[kind][code]["offence_group"],
                kind,
            ]
        )
    return rows


def _numbered(row: Sequence[str], number: int) -> list[str]:
    """Put the person's numbers before the rest; serial numbers are unlike any issued."""
    born = int(row[1][-4:])
    serial = 9_000_000 + 37 * number
    pnc = f"{min(born + 17, SNAPSHOT.year)}/{serial}{CHECK_LETTERS[serial % len(CHECK_LETTERS)]}"
    return [pnc, f"35NOM/{900_000 + 53 * number}", *row]


def _flags(random: Random, size: int, set_ones: int) -> list[bool]:
    flags = [True] * set_ones + [False] * (size - set_ones)
    random.shuffle(flags)
    return flags


def _born(random: Random, lead: str) -> date:
    """Return a date of birth: youth offending services lead on the under-18s."""
    if lead == "YOS":
        return SNAPSHOT - timedelta(days=15 * 366 + random.randrange(1000))
    # The less of two: more are young than old.
    days = min(random.randrange(36 * 365), random.randrange(36 * 365))
    return SNAPSHOT - timedelta(days=18 * 366 + days)


def _draw(random: Random, weights: Mapping[str, int]) -> str:
    """Return one key, each in proportion to its whole-number weight."""
    place = random.randrange(sum(weights.values()))
    reached = zip(weights, accumulate(weights.values()), strict=True)
    return next(thing for thing, total in reached if place < total)


def _facts(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))

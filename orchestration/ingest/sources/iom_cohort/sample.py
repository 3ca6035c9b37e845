"""Synthetic sample of the Integrated Offender Management cohort, in the layout of a case list.

No row is a real person. `sample_districts.csv` has the margins: 8 people live in Fenland, 6 of them
selected for a serious acquisitive offence, and 175 are managed in all, as the assessment says (it
says "around 175" and "most"). Offences and their weights are in `sample_offences.csv`. The later
snapshots are made up: most of the people of the one before, with others in place of who left.

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

from orchestration.config.quarters import quarter_of
from orchestration.ingest.landing.receipt import SampleDelivery

SNAPSHOT = date(2018, 6, 30)
# Later snapshots, with when they came, how many have left since the one before and how many came.
LATER = {
    date(2018, 9, 30): (datetime(2018, 10, 8, 9), 21, 24),
    date(2018, 12, 31): (datetime(2019, 1, 9, 9), 26, 19),
}
# Of those who stay, one in this many has moved between the community and custody.
MOVES = 9
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
FIRST_NOMINAL, NOMINAL_STEP = 900_000, 53
CHECK_LETTERS = "ZABCDEFGHJKLMNPQRTUVWXY"

# Whether serious acquisitive (Y or N), offence code, facts.
Offences = dict[str, dict[str, dict[str, str]]]


def deliveries() -> Iterator[SampleDelivery]:
    """Yield a delivery for the cohort at the end of June, of September and of December 2018."""
    rows = _first_cohort()
    yield _delivery(
        SNAPSHOT,
        datetime(2018, 7, 9, 9),
        "The numbers managed, in all and in Fenland, are those of the assessment.",
        rows,
    )
    managed_so_far = len(rows)
    for snapshot, (received_at, leave, come) in LATER.items():
        rows = _next_cohort(rows, snapshot, leave, come, managed_so_far)
        managed_so_far += come
        yield _delivery(snapshot, received_at, "All numbers are made up.", rows)


def _delivery(
    snapshot: date, received_at: datetime, note: str, rows: Sequence[Sequence[str]]
) -> SampleDelivery:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for row in rows:
        writer.writerow(["Cambridgeshire Constabulary", f"{snapshot:%d/%m/%Y}", *row])
    return SampleDelivery(
        source="iom_cohort",
        quarter=quarter_of(snapshot),
        received_at=received_at,
        nature="synthetic",
        note=f"Synthetic: no row is a real person. {note}",
        files={f"iom-cohort-{snapshot}.csv": text.getvalue().encode()},
    )


def _first_cohort() -> list[list[str]]:
    """Return the cells of everyone managed in June 2018, from the nominal's numbers on."""
    random = Random(f"iom_cohort {SNAPSHOT}")
    offences = _offences()
    rows = [
        row
        for district in _facts("sample_districts.csv")
        for row in _people(random, district, offences)
    ]
    random.shuffle(rows)
    return [_numbered(row, number) for number, row in enumerate(rows)]


def _next_cohort(
    before: Sequence[Sequence[str]], snapshot: date, leave: int, come: int, first_number: int
) -> list[list[str]]:
    """Return the cohort after some have left and others, alike in place and offence, have come."""
    random = Random(f"iom_cohort {snapshot}")
    gone = random.sample(range(len(before)), leave)
    rows = [
        _moved(random, row) if random.randrange(MOVES) == 0 else list(row)
        for place, row in enumerate(before)
        if place not in gone
    ]
    offences = _offences()
    for number in range(come):
        like = before[gone[number % leave]]
        district = {
            "district_code": like[5],
            "people": "1",
            "serious_acquisitive": "1" if like[-1] == "Y" else "0",
            "women": "1" if like[2] == "F" else "0",
            "in_custody": "0",
        }
        (person,) = _people(random, district, offences)
        rows.append(_numbered(person, first_number + number))
    random.shuffle(rows)
    return rows


def _moved(random: Random, row: Sequence[str]) -> list[str]:
    """Return the person in custody where they were in the community, or the other way round."""
    to_custody = row[7] == "Community"
    status = "Custody" if to_custody else "Community"
    home = "In custody" if to_custody else _draw(random, ACCOMMODATION)
    return [*row[:7], status, home, *row[9:]]


def _offences() -> Offences:
    offences: Offences = {"Y": {}, "N": {}}
    for offence in _facts("sample_offences.csv"):
        offences[offence["serious_acquisitive"]][offence["offence_code"]] = offence
    return offences


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
    return [pnc, f"35NOM/{FIRST_NOMINAL + NOMINAL_STEP * number}", *row]


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

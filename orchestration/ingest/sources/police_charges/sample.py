"""Synthetic sample of the force's extracts of offences charged, April 2017 to December 2018.

No row is a real person or offence. `sample_*.csv` has the number of offenders of each district, by
number of offences, age, sex, ethnicity and first offence: Fenland's are the margins
that the assessment prints, the other districts' are made up so that the force area has the printed
comparison of 20 % female and 14 % White Other. How the margins combine in a person is random.

The first delivery is the financial year 2017/18. From 2018/19 on the force sends each quarter's,
the first two together; these are made up: about two people in five were charged in 2017/18 before,
and the rest are new.

Kept in on purpose, as such extracts have it: one person under two force references that share a
PNC ID, a date of birth or PNC ID missing on some rows of a person, and people who move.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

from orchestration.config.quarters import quarter_end
from orchestration.ingest.landing.receipt import SampleDelivery

Thing = TypeVar("Thing")

FORCE = "Cambridgeshire Constabulary"
FIRST_DAY = date(2017, 4, 1)
DAYS = 365
QUICK_DAYS = 4
FIRST_REFERENCE = 1_204_317
# Quarters of 2018/19: the delivery that brought each, and when that came.
LATER = {
    date(2018, 4, 1): (date(2018, 7, 1), datetime(2018, 10, 11, 9)),
    date(2018, 7, 1): (date(2018, 7, 1), datetime(2018, 10, 11, 9)),
    date(2018, 10, 1): (date(2018, 10, 1), datetime(2019, 1, 14, 9)),
}
# Per mille of a year's offenders: those charged again in a quarter of the next, and new ones in it.
AGAIN, NEW = 115, 165
HEADER = (
    "Force",
    "Nominal Ref",
    "PNC ID",
    "Offence Ref",
    "Charge Date",
    "Offence Date",
    "HO Offence Code",
    "Offence Group",
    "Sex",
    "Date Of Birth",
    "Self-Defined Ethnicity",
    "Residence LA Code",
)
SEXES = {"Male": "M", "Female": "F"}
# The 16+1 codes under each printed heading, repeated in proportion to their share of it.
ETHNICITY_CODES = {
    "White British": ("W1",),
    "White: Other inc Irish": ("W9", "W9", "W9", "W9", "W9", "W9", "W9", "W9", "W9", "W2"),
    "Black or Black British": ("B1", "B2", "B9"),
    "Mixed": ("M1", "M1", "M2", "M3", "M9"),
    "Asian or Asian British": ("A1", "A2", "A2", "A3", "A9"),
    "Other inc Gypsy or Irish traveller": ("W3", "W3", "O1", "O9"),
    "Refusal and Unknown": ("NS", "NS", "NS", ""),
}
# Residence of offenders who live in none of the six districts: neighbours, or not recorded.
ELSEWHERE = {"E07000146": 38, "E07000140": 17, "E07000201": 22, "E07000099": 19, "": 24}
# The PNC issues no check letter I, O or S, so none of these identifiers is anybody's.
CHECK_LETTERS = "IOS"


@dataclass(frozen=True)
class Offender:
    """What the margins decide of one person; `age` is at the first charge, None if not known."""

    district: str
    offences: int
    age: int | None
    sex: str
    ethnicity: str
    first_group: str


@dataclass(frozen=True)
class Charge:
    """One row before it has its offence reference; dates are days."""

    charged: date
    committed: date
    nominal: str
    pnc: str
    group: str
    sex: str
    born: date | None
    ethnicity: str
    residence: str


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the deliveries: 2017/18, then the quarters of 2018/19, the first two together."""
    first_year = year_charges()
    yield SampleDelivery(
        source="police_charges",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 12, 9),
        nature="synthetic",
        note=(
            "Synthetic: no row is a real person or offence, and no identifier was ever issued. "
            "Fenland's margins are those of the assessment (878 offenders, 1,352 offences); how "
            "they combine in a person, single years of age, and all other districts are made up."
        ),
        files={"charges-2017-18.csv": _file(first_year, 0, "police_charges sample offence codes")},
    )
    sent = len(first_year)
    files: dict[tuple[date, datetime], dict[str, bytes]] = {}
    for first_day, delivery in LATER.items():
        charges = quarter_charges(first_day, first_year)
        name = f"charges-{first_day:%Y-%m}-to-{quarter_end(first_day):%Y-%m}.csv"
        seed = f"police_charges sample offence codes {first_day}"
        files.setdefault(delivery, {})[name] = _file(charges, sent, seed)
        sent += len(charges)
    for (quarter, received_at), content in files.items():
        yield SampleDelivery(
            source="police_charges",
            quarter=quarter,
            received_at=received_at,
            nature="synthetic",
            note=(
                "Synthetic: no row is a real person or offence, and no identifier was ever "
                "issued. All numbers are made up."
            ),
            files=content,
        )


def year_charges() -> list[Charge]:
    """Return the charges of 2017/18 by date, those of a person in the order of the drawing."""
    random = Random("police_charges sample 2017/18")
    groups = _groups()
    people = [*_offenders(), *_elsewhere()]
    numbers = random.sample(range(1_000_000, 10_000_000), 2 * len(people))
    charges: list[Charge] = []
    for place, offender in enumerate(people):
        charges += _charges(offender, numbers[2 * place : 2 * place + 2], groups, random)
    # A stable sort: a person's charges of one day keep the order in which they were drawn.
    return sorted(charges, key=lambda charge: (charge.charged, charge.committed))


def quarter_charges(first_day: date, first_year: Sequence[Charge]) -> list[Charge]:
    """Return the charges of one quarter of 2018/19, by date: of people known and of new ones."""
    random = Random(f"police_charges sample {first_day}")
    groups = _groups()
    days = (quarter_end(first_day) - first_day).days + 1
    known = {charge.nominal: charge for charge in first_year}
    offenders = [*_offenders(), *_elsewhere()]
    charges: list[Charge] = []
    for last in random.sample(list(known.values()), len(known) * AGAIN // 1000):
        for charged, committed in _dates(_offences_again(random), None, random, first_day, days):
            group = _drawn(_likely_groups(groups), random)
            charges.append(replace(last, charged=charged, committed=committed, group=group))
    taken = {int(nominal[1:]) for nominal in known}
    # Each quarter has references of its own, so that nobody gets another's.
    own = range(1_000_000 + list(LATER).index(first_day), 10_000_000, len(LATER))
    numbers = [number for number in random.sample(own, len(offenders)) if number not in taken]
    for place, offender in enumerate(random.sample(offenders, len(offenders) * NEW // 1000)):
        one = replace(offender, offences=min(offender.offences, 1 + random.randrange(4)))
        pair = numbers[2 * place : 2 * place + 2]
        charges += _charges(one, pair, groups, random, first_day, days)
    return sorted(charges, key=lambda charge: (charge.charged, charge.committed))


def _offences_again(random: Random) -> int:
    return _drawn((1, 1, 1, 1, 1, 2, 2, 3), random)


def _file(charges: Sequence[Charge], sent_before: int, seed: str) -> bytes:
    """Return charges as a file: CRLF; offence references rise from row to row and file to file."""
    groups = _groups()
    codes = Random(seed)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(HEADER)
    for number, charge in enumerate(charges, start=sent_before):
        writer.writerow(_cells(charge, f"CF{FIRST_REFERENCE + 3 * number}", groups, codes))
    return text.getvalue().encode()


def _cells(
    charge: Charge, reference: str, groups: dict[str, tuple[str, ...]], random: Random
) -> Sequence[str]:
    return (
        FORCE,
        charge.nominal,
        charge.pnc,
        reference,
        _british(charge.charged),
        _british(charge.committed),
        _drawn(groups[charge.group], random),
        charge.group,
        charge.sex,
        _british(charge.born) if charge.born else "",
        charge.ethnicity,
        charge.residence,
    )


def _offenders() -> Iterator[Offender]:
    """Yield the offenders of each district, its margins combined at random."""
    frequency = _expanded("sample_frequency.csv", "offences")
    ages = _expanded("sample_ages.csv", "age")
    margins = {
        dimension: _expanded("sample_margins.csv", "category", dimension)
        for dimension in ("sex", "ethnicity", "first offence category")
    }
    for district in frequency:
        columns = [frequency[district], ages[district]]
        columns += [values[district] for values in margins.values()]
        for number, values in enumerate(columns):
            Random(f"police_charges sample {district} {number}").shuffle(values)
        codes = Random(f"police_charges sample {district} ethnicity codes")
        for offences, age, sex, ethnicity, group in zip(*columns, strict=True):
            yield Offender(
                district=district,
                offences=int(offences),
                age=int(age) if age else None,
                sex=SEXES[sex],
                ethnicity=_drawn(ETHNICITY_CODES[ethnicity], codes),
                first_group=group,
            )


def _elsewhere() -> Iterator[Offender]:
    """Yield the offenders who live in none of the force's districts."""
    random = Random("police_charges sample elsewhere")
    groups = tuple(_groups())
    for district, count in ELSEWHERE.items():
        for _ in range(count):
            yield Offender(
                district=district,
                offences=_drawn((1, 1, 1, 2), random),
                age=random.randrange(16, 55),
                sex=_drawn(("M", "M", "M", "M", "F"), random),
                ethnicity=_drawn(("W1", "W1", "W1", "W9", "NS"), random),
                first_group=_drawn(groups, random),
            )


def _charges(
    offender: Offender,
    numbers: Sequence[int],
    groups: dict[str, tuple[str, ...]],
    random: Random,
    first_day: date = FIRST_DAY,
    days: int = DAYS,
) -> list[Charge]:
    """Return the charges of one person, the first first; some rows lack or change something."""
    dates = _dates(offender.offences, offender.age, random, first_day, days)
    first_charge = dates[0][0]
    born = _birth(first_charge, offender.age, random) if offender.age is not None else None
    # Made at a first arrest, so not before the tenth birthday.
    earliest = max(1995, born.year + 10 if born else 0)
    pnc_year = random.randrange(earliest, first_charge.year + 1)
    pnc = f"{pnc_year}/{random.randrange(10_000_000):07d}{_drawn(CHECK_LETTERS, random)}"
    second_nominal = offender.offences > 1 and random.randrange(40) == 0
    has_pnc = second_nominal or random.randrange(30) > 0
    moves = offender.offences > 2 and random.randrange(12) == 0
    sparse = offender.offences > 1 and not second_nominal and random.randrange(10) == 0
    charges = []
    for place, (charged, committed) in enumerate(dates):
        later = place > 0
        # The one row that a sparse record leaves empty is the first, which must be filled from
        # the person's other rows.
        complete = not sparse or later
        charges.append(
            Charge(
                charged=charged,
                committed=committed,
                nominal=f"N{numbers[1 if second_nominal and later else 0]}",
                pnc=pnc if has_pnc and complete else "",
                group=_drawn(_likely_groups(groups), random) if later else offender.first_group,
                sex=offender.sex,
                born=born if complete else None,
                ethnicity=offender.ethnicity,
                residence=_neighbour(offender.district) if moves and later else offender.district,
            )
        )
    return charges


def _dates(
    offences: int, age: int | None, random: Random, first_day: date, days: int
) -> list[tuple[date, date]]:
    """Return (charge, offence) dates in order; about half are charged with the one before.

    Nobody answers for what they did before the age of ten: at ten, charges follow within days.
    """
    slowest = QUICK_DAYS + 1 if age == 10 else 240
    day = random.randrange(days)
    charged = [day]
    for _ in range(offences - 1):
        if random.getrandbits(1):
            day = random.randrange(day, days)
        charged.append(day)
    pairs = []
    for day in charged:
        quick = random.getrandbits(1)
        lag = random.randrange(QUICK_DAYS) if quick else random.randrange(QUICK_DAYS, slowest)
        on = first_day + timedelta(days=day)
        pairs.append((on, on - timedelta(days=lag)))
    return sorted(pairs)


def _birth(first_charge: date, age: int, random: Random) -> date:
    """Return a date of birth that makes the person `age` on the day of the first charge."""
    birthday = first_charge.replace(year=first_charge.year - age)
    return birthday - timedelta(days=random.randrange(QUICK_DAYS, 364))


def _likely_groups(groups: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return what people are charged with next: theft, damage and violence more than the rest."""
    often = ("Theft and Handling", "Violence Against the Person", "Arson and Criminal Damage")
    rare = ("Robbery", "Sexual Offences", "Non-Crime")
    return tuple(group for group in groups if group not in rare) + 4 * often


def _neighbour(district: str) -> str:
    """Return where a person who moves goes to."""
    return "E06000031" if district != "E06000031" else "E07000010"


def _drawn(things: Sequence[Thing], random: Random) -> Thing:
    return things[random.randrange(len(things))]


def _british(day: date) -> str:
    return f"{day:%d/%m/%Y}"


def _groups() -> dict[str, tuple[str, ...]]:
    """Return the Home Office codes of each offence group, each as often as its weight."""
    codes: dict[str, tuple[str, ...]] = {}
    for row in _facts("sample_offence_codes.csv"):
        known = codes.get(row["offence_group"], ())
        codes[row["offence_group"]] = known + (row["offence_code"],) * int(row["weight"])
    return codes


def _expanded(name: str, column: str, dimension: str | None = None) -> dict[str, list[str]]:
    """Return, by district, each value of `column` as often as it has offenders."""
    values: dict[str, list[str]] = {}
    for row in _facts(name):
        if dimension in (None, row.get("dimension")):
            listed = values.setdefault(row["district_code"], [])
            listed += [row[column]] * int(row["offenders"])
    return values


def _facts(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))

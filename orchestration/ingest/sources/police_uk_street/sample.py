"""Synthetic sample of street-level crime, in exactly the layout of data.police.uk.

No row is a real offence. Levels follow the published monthly files of 2014 and 2018-10 to 2019-02;
the path between them is chosen so that Fenland's shoplifting keeps rising and burglary is highest
in 2017, as the assessment reports. Levels, crime types and outcomes are in `sample_*.csv`.

Random numbers come from `random.Random` seeded with text and use only its bits, its whole numbers
and its uniform floats, so the bytes are the same on every platform and version.
"""

import csv
import hashlib
import io
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random

from orchestration.ingest.landing.receipt import SampleDelivery
from orchestration.ingest.sources.area_lookups.sample import SmallArea, districts, lsoas

FORCE = "Cambridgeshire Constabulary"
FIRST_MONTH = date(2013, 1, 1)
QUARTERS = 24
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
    "Crime type",
    "Last outcome category",
    "Context",
)
ANTI_SOCIAL = "Anti-social behaviour"
# Of the crime types other than shoplifting and burglary, one row in this many is written.
THINNING = 40
# Per mille of an average month, January first; each adds up to 12,000.
SEASON = {
    "Burglary": (1100, 1010, 980, 950, 930, 900, 910, 920, 980, 1060, 1130, 1130),
    "Shoplifting": (940, 930, 985, 965, 980, 985, 1010, 1020, 1000, 1040, 1060, 1085),
}
POINTS_PER_AREA = 6
ARRIVES_AFTER = timedelta(days=60)
# A month that the force sent again, by the quarter in which it did, and what it added: offences
# that were recorded late, by crime type and district. Nothing else of the month changed.
CORRECTED_MONTH = date(2018, 6, 1)
CORRECTED_IN = date(2018, 10, 1)
LATE_RECORDS = {
    ("Shoplifting", "E07000010"): 7,
    ("Shoplifting", "E06000031"): 11,
    ("Burglary", "E07000011"): 4,
}

# Share of the thinned crime types by district, per mille (all types, January 2014).
DISTRICT_SHARE = {
    "E06000031": 346,
    "E07000008": 206,
    "E07000009": 63,
    "E07000010": 115,
    "E07000011": 170,
    "E07000012": 100,
}

# A published row, in the order of HEADER.
Row = tuple[str, ...]


@dataclass(frozen=True)
class Level:
    """Expected offences a month of one crime type in one district, each January from 2013."""

    crime_type: str
    district_code: str
    januaries: tuple[int, ...]


@dataclass(frozen=True)
class OtherType:
    """A thinned crime type: months published (YYYY-MM) and force-wide level at two Januaries."""

    crime_type: str
    first_month: str
    last_month: str
    january_2014: int
    january_2019: int


@dataclass(frozen=True)
class Weighted:
    """Things to draw from, with running totals of their whole-number weights."""

    things: tuple[str, ...]
    totals: tuple[int, ...]

    def draw(self, random: Random) -> str:
        """Return one thing, each in proportion to its weight."""
        return self.things[bisect_right(self.totals, random.randrange(self.totals[-1]))]


@dataclass(frozen=True)
class Place:
    """Where a row lies, as its four published columns and the small area's name."""

    longitude: str
    latitude: str
    location: str
    code: str
    name: str


NOWHERE = Place("", "", "No Location", "", "")


class StreetSample:
    """Everything that the months share: levels, types, outcomes and places."""

    def __init__(self) -> None:
        self._levels = _levels()
        self._others = _other_types()
        self._outcomes = _outcomes()
        self._places = _places()
        small_areas = lsoas(2011)
        self._districts = Weighted(
            tuple(DISTRICT_SHARE), tuple(accumulate(DISTRICT_SHARE.values()))
        )
        self._outside = [
            area.code for area in small_areas if area.district_code not in DISTRICT_SHARE
        ]
        self._spread = {
            (district, group): _spread(district, group, small_areas)
            for district in DISTRICT_SHARE
            for group in ("Shoplifting", "Burglary", "Other")
        }

    def month_file(self, month: date) -> bytes:
        """Return the file of one month: CRLF, no byte-order mark, by small area and type."""
        random = Random(f"police_uk_street sample {month:%Y-%m}")
        located = [*self._focus(month, random), *self._thinned(month, random)]
        located += self._beyond(month, random)
        if month.year >= 2018:
            located += self._unlocated(month, random)
        rows = list(self._rows(month, located, random))
        if month == date(2014, 1, 1):
            rows.append(_second_type(rows))
        rows += _repeats(rows, random)
        return _month_csv(rows)

    def corrected_file(self) -> bytes:
        """Return the file of the corrected month: what was sent first, and the late records."""
        month = CORRECTED_MONTH
        sent = self.month_file(month).decode().splitlines()
        rows = [tuple(row) for row in csv.reader(sent[1:])]
        random = Random(f"police_uk_street sample {month:%Y-%m} late records")
        late = [
            (self._point(self._spread[district, crime_type].draw(random), random), crime_type)
            for (crime_type, district), count in LATE_RECORDS.items()
            for _ in range(count)
        ]
        return _month_csv([*rows, *self._rows(month, late, random, first_number=len(rows))])

    def _focus(self, month: date, random: Random) -> Iterator[tuple[Place, str]]:
        """Yield shoplifting and burglary at their full volume."""
        for level in self._levels:
            # Its own seed, so that a changed level moves no other series.
            seed = f"police_uk_street sample {month:%Y-%m} {level.crime_type} {level.district_code}"
            count = _noisy(_expected(level, month), Random(seed))
            spread = self._spread[level.district_code, level.crime_type]
            for _ in range(count):
                yield self._point(spread.draw(random), random), level.crime_type

    def _thinned(self, month: date, random: Random) -> Iterator[tuple[Place, str]]:
        """Yield the other crime types of the month, at least one row of each."""
        for other in self._published(month):
            count = max(1, _noisy(_expected_other(other, month), random))
            for _ in range(count):
                spread = self._spread[self._districts.draw(random), "Other"]
                yield self._point(spread.draw(random), random), other.crime_type

    def _beyond(self, month: date, random: Random) -> Iterator[tuple[Place, str]]:
        """Yield the 10 to 20 rows a month whose map point lies outside the force area."""
        types = [other.crime_type for other in self._published(month)] + ["Burglary"]
        for _ in range(random.randrange(10, 21)):
            code = self._outside[random.randrange(len(self._outside))]
            yield self._point(code, random), types[random.randrange(len(types))]

    def _unlocated(self, month: date, random: Random) -> Iterator[tuple[Place, str]]:
        """Yield rows with no location, most of them shoplifting and burglary."""
        types = ["Shoplifting", "Shoplifting", "Burglary", "Burglary"]
        types += [other.crime_type for other in self._published(month)][:2]
        for _ in range(random.randrange(8, 15)):
            yield NOWHERE, types[random.randrange(len(types))]

    def _published(self, month: date) -> list[OtherType]:
        key = f"{month:%Y-%m}"
        return [other for other in self._others if other.first_month <= key <= other.last_month]

    def _point(self, code: str, random: Random) -> Place:
        return self._places[code][random.randrange(POINTS_PER_AREA)]

    def _rows(
        self,
        month: date,
        located: Iterable[tuple[Place, str]],
        random: Random,
        first_number: int = 0,
    ) -> Iterator[Row]:
        era = "2018" if month.year >= 2018 else "to_2017"
        for number, (place, crime_type) in enumerate(located, start=first_number):
            crime_id, outcome = "", ""
            if crime_type != ANTI_SOCIAL:
                crime_id = _crime_id(month, number)
                group = crime_type if crime_type in SEASON else "Other"
                outcome = self._outcomes[group, era].draw(random)
            yield (
                crime_id, f"{month:%Y-%m}", FORCE, FORCE, place.longitude, place.latitude,
                place.location, place.code, place.name, crime_type, outcome, "",
            )  # fmt: skip


def deliveries() -> Iterator[SampleDelivery]:
    """Yield a delivery of three monthly files for each quarter, 2013-01-01 to 2018-10-01.

    The last one brings a corrected month of an earlier quarter too.
    """
    sample = StreetSample()
    for number in range(QUARTERS):
        quarter = _add_months(FIRST_MONTH, 3 * number)
        after = _add_months(quarter, 3)
        months = [_add_months(quarter, offset) for offset in range(3)]
        files = {_file_name(month): sample.month_file(month) for month in months}
        correction = ""
        if quarter == CORRECTED_IN:
            files[_file_name(CORRECTED_MONTH)] = sample.corrected_file()
            correction = f" {CORRECTED_MONTH:%B %Y} is sent again, with offences recorded late."
        yield SampleDelivery(
            source="police_uk_street",
            quarter=quarter,
            received_at=datetime.combine(after - timedelta(days=1) + ARRIVES_AFTER, time(9)),
            nature="synthetic",
            note=(
                "Synthetic: no row is a real offence. Shoplifting and burglary at about their "
                f"published level; of other crime types about one row in {THINNING}. Rows with no "
                "location are in 2018 only. Small-area codes and names are real." + correction
            ),
            files=files,
        )


def _file_name(month: date) -> str:
    return f"{month:%Y-%m}-cambridgeshire-street.csv"


def _month_csv(rows: Iterable[Row]) -> bytes:
    """Return the rows as a month's file; the publisher puts rows without a location last."""
    ordered = sorted(rows, key=lambda row: (row[8] == "", row[8], row[9], row[0], row[4]))
    return _csv([HEADER, *ordered])


def _expected(level: Level, month: date) -> int:
    """Return the expected offences: straight between Januaries, times the season."""
    year = month.year - FIRST_MONTH.year
    start, end = level.januaries[year : year + 2]
    step = month.month - 1
    season = SEASON[level.crime_type][step]
    return _rounded((start * (12 - step) + end * step) * season, 12 * 1000)


def _expected_other(other: OtherType, month: date) -> int:
    """Return the thinned expectation: straight from January 2014 to January 2019."""
    months = 12 * (month.year - 2014) + month.month - 1
    whole = 60 * other.january_2014 + (other.january_2019 - other.january_2014) * months
    return _rounded(whole, 60 * THINNING)


def _rounded(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def _noisy(expected: int, random: Random) -> int:
    """Return a count with the given mean and, as for a Poisson count, as large a variance.

    The heads in 4m tosses have mean 2m and variance m; whole numbers only, so exact everywhere.
    """
    if expected <= 0:
        return 0
    return max(0, random.getrandbits(4 * expected).bit_count() - expected)


def _second_type(rows: Sequence[Row]) -> Row:
    """Return a row that repeats a Crime ID under another crime type, as 2014-01 really has."""
    first = next(row for row in rows if row[9] == "Other theft")
    return (*first[:9], "Criminal damage and arson", *first[10:])


def _repeats(rows: Sequence[Row], random: Random) -> list[Row]:
    """Return copies of one anti-social row in eight: separate incidents at one map point."""
    return [row for row in rows if row[9] == ANTI_SOCIAL and random.getrandbits(3) == 0]


def _crime_id(month: date, number: int) -> str:
    return hashlib.sha256(f"synthetic {month:%Y-%m} {number}".encode()).hexdigest()


def _places() -> dict[str, list[Place]]:
    """Return the made-up map points of each small area, near the middle of its district."""
    middles = {district.code: district for district in districts()}
    places = {}
    for number, area in enumerate(lsoas(2011)):
        random = Random(f"police_uk_street sample points {area.code}")
        middle = middles[area.district_code]
        places[area.code] = [
            Place(
                longitude=f"{middle.longitude + random.randrange(-40000, 40001) / 1e6:.6f}",
                latitude=f"{middle.latitude + random.randrange(-25000, 25001) / 1e6:.6f}",
                location=f"On or near Synthetic Street {number * POINTS_PER_AREA + point + 1}",
                code=area.code,
                name=area.name,
            )
            for point in range(POINTS_PER_AREA)
        ]
    return places


def _spread(district: str, group: str, small_areas: Iterable[SmallArea]) -> Weighted:
    """Return how a crime type is spread over a district: shops cluster most."""
    order = [area.code for area in small_areas if area.district_code == district]
    Random(f"police_uk_street sample spread {district} {group}").shuffle(order)
    flatness = {"Shoplifting": 1, "Burglary": 20}.get(group, 8)
    weights = (10_000 // (rank + flatness) for rank in range(len(order)))
    return Weighted(tuple(order), tuple(accumulate(weights)))


def _levels() -> list[Level]:
    return [
        Level(
            crime_type=row["crime_type"],
            district_code=row["district_code"],
            januaries=tuple(int(row[f"jan_{year}"]) for year in range(2013, 2020)),
        )
        for row in _facts("sample_levels.csv")
    ]


def _other_types() -> list[OtherType]:
    return [
        OtherType(
            crime_type=row["crime_type"],
            first_month=row["first_month"],
            last_month=row["last_month"],
            january_2014=int(row["jan_2014"]),
            january_2019=int(row["jan_2019"]),
        )
        for row in _facts("sample_other_types.csv")
    ]


def _outcomes() -> dict[tuple[str, str], Weighted]:
    """Return the outcomes by group of crime types and by era (`to_2017`, `2018`)."""
    facts = _facts("sample_outcomes.csv")
    outcomes = {}
    for group in ("Shoplifting", "Burglary", "Other"):
        rows = [row for row in facts if row["crime_type"] == group]
        for era in ("to_2017", "2018"):
            weights = (int(row[f"weight_{era}"]) for row in rows)
            outcomes[group, era] = Weighted(
                tuple(row["outcome"] for row in rows), tuple(accumulate(weights))
            )
    return outcomes


def _add_months(month: date, count: int) -> date:
    years, index = divmod(month.month - 1 + count, 12)
    return date(month.year + years, index + 1, 1)


def _facts(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()

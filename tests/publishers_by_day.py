"""Publishers whose releases follow a calendar: what each had released by a simulated day.

Every figure is synthetic: a generator draws it from names and months. The calendar has what happens
at publishers in two years: months that are revised, republished, reordered, missing, supplied later
or never, an archive that comes late, and days on which a publisher is out of order.
"""

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

from orchestration.ingest.sources.dwelling_stock.sample import Row, open_document
from orchestration.ingest.sources.recorded_crime_by_csp.sample import HEADER
from tests.feed_server import (
    ARCHIVES,
    CONTENT,
    STORAGE,
    DataSet,
    FeedServer,
    Reply,
    content_page,
    index_page,
    redirect,
    served,
)
from tests.support import month_file, street_file, street_row
from tests.workbooks import ods

FORCE, SLUG, FORCE_AREA, FORCE_NAME = (
    "Devon & Cornwall Police", "devon-and-cornwall", "E23000035", "Devon & Cornwall"
)  # fmt: skip
EXETER, EAST_DEVON, PLYMOUTH = "E07000041", "E07000040", "E06000026"
DISTRICTS = {EXETER: "Exeter", EAST_DEVON: "East Devon", PLYMOUTH: "Plymouth"}
TYPES = ("Shoplifting", "Burglary", "Violence and sexual offences", "Anti-social behaviour")
FIRST_MONTH = "2022-04"
Kind = TypeVar("Kind")
SMALL_AREAS = 3
"""Small areas of a district."""

CRIME_PAGE = (
    "https://www.gov.uk/api/content/government/statistical-data-sets/"
    "police-recorded-crime-and-outcomes-open-data-tables"
)
MEDIA = "https://assets.publishing.service.gov.uk/media"

PARTNERSHIPS = f"""\
[[force_areas]]
code = "{FORCE_AREA}"
name = "{FORCE_NAME}"
force = "{FORCE}"

[[force_areas.partnerships]]
csp = "exeter-and-east-devon"
name = "Exeter and East Devon Community Safety Partnership"
code = "E22000048"

[[force_areas.partnerships.districts]]
district_code = "{EXETER}"
district_name = "Exeter"

[[force_areas.partnerships.districts]]
district_code = "{EAST_DEVON}"
district_name = "East Devon"

[[force_areas.partnerships]]
csp = "plymouth"
name = "Plymouth Community Safety Partnership"
district_code = "{PLYMOUTH}"
district_name = "Plymouth"
"""


# --- months of street-level crime ------------------------------------------------------------


@dataclass(frozen=True)
class Edition:
    """A state of a month: how often its counts, its outcomes alone and its order were changed."""

    counts: int = 0
    outcomes: int = 0
    order: int = 0

    @property
    def rows(self) -> tuple[int, int]:
        """What tells its rows from those of another state: the order of rows does not."""
        return self.counts, self.outcomes


@dataclass(frozen=True)
class Change:
    """A change of a month: it is in archives that are released from ``day`` on."""

    day: date
    month: str
    kind: str


def months_from(first: str, count: int) -> list[str]:
    year, month = (int(part) for part in first.split("-"))
    numbers = range(year * 12 + month - 1, year * 12 + month - 1 + count)
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]


def offences(district: str, crime_type: str, month: str, edition: Edition) -> int:
    """Return the synthetic count of a district's month in one of its states."""
    drawn = random.Random(f"{district} {crime_type} {month}").randint(8, 15)
    revised = {(EXETER, "Shoplifting"): 3, (PLYMOUTH, "Burglary"): -2}
    return drawn + edition.counts * revised.get((district, crime_type), 0)


def small_areas(district: str) -> list[str]:
    place = list(DISTRICTS).index(district) * SMALL_AREAS
    return [f"E01{900_000 + place + number:06d}" for number in range(SMALL_AREAS)]


@cache
def street(month: str, edition: Edition) -> str:
    """Return the street file of a month in one of its states."""
    rows, number = [], int(month.replace("-", "")) * 100_000
    for district, name in DISTRICTS.items():
        for crime_type in TYPES:
            for n in range(offences(district, crime_type, month, edition)):
                number += 1
                outcome = "Offender fined" if n < edition.outcomes else "Under investigation"
                rows.append(
                    street_row(
                        month, crime_type, number, reported_by=FORCE, falls_within=FORCE,
                        lsoa_code=small_areas(district)[n % SMALL_AREAS],
                        lsoa_name=f"{name} {n % SMALL_AREAS:03d}A",
                        outcome="" if crime_type == TYPES[-1] else outcome,
                    )
                )  # fmt: skip
    if edition.order:
        random.Random(f"{month} {edition.order}").shuffle(rows)
    return street_file(rows)


# --- the calendar ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Estimates:
    """Mid-year estimates up to a year; ``revised`` years differ from earlier editions."""

    last_year: int
    revised: frozenset[int] = frozenset()

    def population(self, district: str, year: int) -> int:
        drawn = random.Random(f"{district} residents").randint(100_000, 200_000)
        return drawn + 500 * (year - 2019) + (77 if year in self.revised else 0)


@dataclass(frozen=True)
class Dwellings:
    """An edition of Live Table 100: a sheet for each year up to the last."""

    last_year: int
    revised: frozenset[int] = frozenset()

    def stock(self, district: str, year: int) -> int:
        """Return the dwellings of local authorities."""
        drawn = random.Random(f"{district} dwellings").randint(1_000, 2_000)
        return drawn + 10 * (year - 2019) + (33 if year in self.revised else 0)


@dataclass(frozen=True)
class Recorded:
    """An edition of the official counts: quarters up to the last, one of them perhaps corrected."""

    last: date
    corrected: date | None = None

    def quarters(self) -> list[date]:
        numbers = range(2021 * 4 + 1, self.last.year * 4 + self.last.month // 3 + 1)
        return [date(one // 4, one % 4 * 3 + 1, 1) for one in numbers]

    def offences(self, district: str, quarter: date) -> int:
        drawn = random.Random(f"{district} {quarter} official").randint(200, 260)
        return drawn + (9 if quarter == self.corrected else 0)


@dataclass(frozen=True)
class Calendar:
    """What the publishers do, and when. Days are those on which something is there first."""

    first: date
    last: date
    late_archives: Mapping[str, date] = field(default_factory=dict)
    """Archives that do not come on the 25th of the second month after their own."""
    absent: Mapping[str, date | None] = field(default_factory=dict)
    """Months that archives released before a day do not have; none for a month that never comes."""
    changes: tuple[Change, ...] = ()
    packed_again: Mapping[str, date] = field(default_factory=dict)
    """Archives that are replaced on a day by another file with the same rows."""
    down: frozenset[date] = frozenset()
    """Days on which data.police.uk answers with a fault of its own."""
    estimates: Mapping[date, Estimates] = field(default_factory=dict)
    dwellings: Mapping[date, Dwellings] = field(default_factory=dict)
    recorded: Mapping[date, Recorded] = field(default_factory=dict)

    @property
    def days(self) -> Iterator[date]:
        return (self.first + timedelta(n) for n in range((self.last - self.first).days + 1))

    @cached_property
    def archives(self) -> dict[str, date]:
        """Archives by their last month, with the day of their release."""
        listed = {}
        for month, two_later in zip(
            months_from(FIRST_MONTH, 36), months_from("2022-06", 36), strict=True
        ):
            usual = date.fromisoformat(f"{two_later}-25")
            listed[month] = self.late_archives.get(month, usual)
        return listed

    def newest(self, day: date) -> str | None:
        """Return the newest archive that was there on a day."""
        return max(
            (one for one, released in self.archives.items() if released <= day), default=None
        )

    def held(self, archive: str) -> dict[str, Edition]:
        """Return the months that an archive has, each in its state at the archive's release."""
        released, states = self.archives[archive], {}
        for month in months_from(FIRST_MONTH, 36):
            comes = self.absent.get(month, date.min)
            if month <= archive and comes is not None and comes <= released:
                made = [one.kind for one in self.changes if one.month == month
                        and one.day <= released]  # fmt: skip
                states[month] = Edition(*(made.count(kind) for kind in ("counts", "outcomes",
                                                                        "order")))  # fmt: skip
        return states

    @staticmethod
    def edition(editions: Mapping[date, Kind], day: date) -> Kind:
        """Return the edition of a yearly or quarterly release that was there on a day."""
        return editions[max(one for one in editions if one <= day)]


# --- what is served --------------------------------------------------------------------------


@dataclass
class Publishers:
    """Serves what the calendar has released, out of one server for every publisher."""

    calendar: Calendar
    server: FeedServer = field(default_factory=FeedServer)
    _zips: dict[tuple[str, bool], bytes] = field(default_factory=dict)

    def open_day(self, day: date) -> None:
        """Serve what is there on a day."""
        self._serve_police(day)
        calendar = self.calendar
        estimates = calendar.edition(calendar.estimates, day)
        DataSet(
            [(code, name, str(year), str(estimates.population(code, year)))
             for year in range(2019, estimates.last_year + 1) for code, name in DISTRICTS.items()],
            most=25_000,
        ).serve(self.server)  # fmt: skip
        self._serve_dwellings(calendar.edition(calendar.dwellings, day))
        released = max(one for one in calendar.recorded if one <= day)
        self._serve_recorded(released, calendar.recorded[released])

    def _serve_police(self, day: date) -> None:
        answers = self.server.answers
        if day in self.calendar.down:
            for address in list(answers):
                if "police" in address and "gov.uk" not in address:
                    answers[address] = Reply(503, b"down for maintenance")
            return
        sums = {}
        for month, released in self.calendar.archives.items():
            if released > day:
                continue
            again = self.calendar.packed_again.get(month)
            body = self._zip(month, again is not None and again <= day)
            sums[month] = hashlib.md5(body).hexdigest()
            answers[f"{ARCHIVES}{month}.zip"] = redirect(f"{STORAGE}{month}.zip")
            answers[f"{STORAGE}{month}.zip"] = served(body)
        answers[ARCHIVES] = served(index_page(sums), kind="text/html")

    def _zip(self, archive: str, packed_again: bool) -> bytes:
        """Return an archive: the force's months, and those of a force that nobody asks for."""
        key = (archive, packed_again)
        if key not in self._zips:
            made = io.BytesIO()
            with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
                for month, edition in self.calendar.held(archive).items():
                    text = street(month, edition)
                    packed.writestr(f"{month}/{month}-{SLUG}-street.csv", text)
                for month in months_from(FIRST_MONTH, 36):
                    if month <= archive:
                        packed.writestr(f"{month}/{month}-dorset-street.csv", month_file(month, 3))
                packed.comment = b"packed again" if packed_again else b""
            self._zips[key] = made.getvalue()
        return self._zips[key]

    def _serve_dwellings(self, edition: Dwellings) -> None:
        body = _dwellings_table(edition)
        digest = hashlib.md5(body).hexdigest()[:8]
        url = f"{MEDIA}/{digest}/Live_Table_100.ods"
        self.server.answers[CONTENT] = served(
            content_page(url, size=len(body)), kind="application/json"
        )
        self.server.answers[url] = served(body)

    def _serve_recorded(self, released: date, edition: Recorded) -> None:
        name = f"prc-csp-mar21-{edition.last:%b%y}-tables-{released:%d%m%y}.ods".lower()
        body = _recorded_table(edition)
        listed = {"details": {"attachments": [{"title": "Open data", "url": f"{MEDIA}/1/{name}"}]}}
        page = json.dumps(listed).encode()
        self.server.answers[CRIME_PAGE] = served(page, kind="application/json")
        self.server.answers[f"{MEDIA}/1/{name}"] = served(body)


@cache
def _dwellings_table(edition: Dwellings) -> bytes:
    """Return a Live Table 100."""
    header = [
        "Current ONS code", "LA code", "Local authority name", "Local Authority",
        "Private registered provider", "Other public sector", "Private sector", "Total",
    ]  # fmt: skip
    sheets = {}
    for year in range(2019, edition.last_year + 1):
        rows = [
            [code, code[-4:], name, stock, 3000, 10, 30_000, stock + 33_010]
            for code, name in DISTRICTS.items()
            for stock in [edition.stock(code, year)]
        ]
        sheets[str(year)] = [["Table 100"], header, *rows]
    return ods(sheets)


@cache
def _recorded_table(edition: Recorded) -> bytes:
    """Return the Home Office's table: a sheet for each financial year."""
    sheets: dict[str, list[Row]] = {"Notes": [("Notes",)]}
    for quarter in edition.quarters():
        year = quarter.year - (quarter.month == 1)
        label, number = f"{year}/{(year + 1) % 100:02d}", quarter.month // 3 or 4
        sheet = sheets.setdefault(label.replace("/", "_"), [("Table of counts",), HEADER])
        sheet += [
            (label, Decimal(number), FORCE_NAME, name, "Shoplifting", "Theft offences",
             "Shoplifting", "46", Decimal(edition.offences(code, quarter)))
            for code, name in DISTRICTS.items()
        ]  # fmt: skip
    return open_document(sheets)


def write_lookups(raw: Path) -> None:
    """Land the lookups of the made-up small areas, which do not change."""
    folder = raw / "area_lookups" / "2022-04-01"
    folder.mkdir(parents=True)
    areas = [(area, f"{name} {place:03d}A", code, name) for code, name in DISTRICTS.items()
             for place, area in enumerate(small_areas(code))]  # fmt: skip
    files = {
        "LSOA11_LSOA21_LAD22_EW_LU.csv": [
            "LSOA11CD,LSOA11NM,CHGIND,LSOA21CD,LSOA21NM,LAD22CD,LAD22NM",
            *(
                f"{area},{place},U,{area},{place},{code},{name}"
                for area, place, code, name in areas
            ),
        ],
        "LSOA21_WD24_LAD24_EW_LU.csv": [
            "LSOA21CD,LSOA21NM,WD24CD,WD24NM,LAD24CD,LAD24NM",
            *(f"{area},{place},E05{area[-6:]},{name} ward,{code},{name}"
              for area, place, code, name in areas),
        ],
        "LAD23_CSP23_PFA23_EW_LU.csv": [
            "LAD23CD,LAD23NM,CSP23CD,CSP23NM,PFA23CD,PFA23NM",
            *(f"{code},{name},E22{number:06d},{name},{FORCE_AREA},{FORCE_NAME}"
              for number, (code, name) in enumerate(DISTRICTS.items(), 900)),
        ],
    }  # fmt: skip
    for name, lines in files.items():
        (folder / name).write_text("\n".join([*lines, ""]), encoding="utf-8")

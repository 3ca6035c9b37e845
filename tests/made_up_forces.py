"""Two made-up forces with every source: districts, services, prisons and towns that nobody has.

The landing zone is the same each time. Each force numbers people and offences in its own way.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from orchestration.ingest.checking.contract import Contract, load_contracts
from tests.valid_extracts.cells import Row
from tests.valid_extracts.layouts import (
    KINDS,
    Extract,
    assessments_workbook,
    csv_extract,
    dwellings_workbook,
    ons_workbook,
    prison_workbook,
    survey_workbook,
)

AS_AT = date(2019, 1, 1)
LAST_DAY = date(2019, 3, 31)
SNAPSHOT = date(2019, 2, 28)
WAVES = (date(2018, 10, 1), date(2019, 1, 1))
_TENURES = [
    "local authority", "private registered provider", "other public sector", "private sector",
    "total",
]  # fmt: skip


@dataclass(frozen=True)
class MadeUpForce:
    """A force area with its services, prisons, towns and surveys, and how it numbers people."""

    code: str
    area: str
    force: str
    districts: dict[str, str]
    other_districts: dict[str, str]
    services: dict[str, tuple[str, ...]]
    prisons: dict[str, str | None]
    towns: dict[str, tuple[str, ...]]
    surveys: dict[str, str]
    nominal: str
    """Form of its number of a person, with the person's number in it."""
    reference: str
    """Form of its services' number of a young person."""
    letters: str
    """First letters of the case references of its two probation providers."""
    number_formats: tuple[tuple[str, str, str, str], ...] = ()
    research_group: bool = False

    @property
    def all_districts(self) -> dict[str, str]:
        return {**self.districts, **self.other_districts}

    def partnerships(self) -> Iterator[str]:
        """Yield the lines of the partnerships file."""
        yield from ("[[force_areas]]", f'code = "{self.code}"', f'name = "{self.area}"')
        yield f'force = "{self.force}"'
        for code, name in self.districts.items():
            yield from ("[[force_areas.partnerships]]", f'csp = "{name.lower()}"')
            yield f'name = "{name} Community Safety Partnership"'
            yield from (f'district_code = "{code}"', f'district_name = "{name}"')
        for code, name in self.other_districts.items():
            yield "[[force_areas.other_districts]]"
            yield from (f'district_code = "{code}"', f'district_name = "{name}"')
        for name, districts in self.services.items():
            yield from ("[[force_areas.youth_offending_services]]", f'name = "{name}"')
            yield f"districts = {list(districts)}"
        for name, group in self.prisons.items():
            yield from ("[[force_areas.prisons]]", f'name = "{name}"')
            yield from [f'group = "{group}"'] if group else []
        for code, towns in self.towns.items():
            for town in towns:
                yield from (
                    "[[force_areas.towns]]",
                    f'name = "{town}"',
                    f'district_code = "{code}"',
                )
        for code, title in self.surveys.items():
            yield from ("[[force_areas.surveys]]", f'title = "{title}"', f'districts = ["{code}"]')
        for source, column, pattern, form in self.number_formats:
            yield from ("[[force_areas.number_formats]]", f'source = "{source}"')
            yield from (f'column = "{column}"', f"pattern = '{pattern}'", f'form = "{form}"')


LOAMSHIRE = MadeUpForce(
    code="E23000091",
    area="Loamshire",
    force="Loamshire Constabulary",
    districts={"E07000911": "Casterbridge", "E07000912": "Melchester"},
    other_districts={"E06000911": "Sandbourne"},
    services={"Loamshire": ("E07000911", "E07000912"), "Sandbourne": ("E06000911",)},
    prisons={"HMP Shottsford": None, "HMP Havenpool": "Prisons near by"},
    towns={"E07000911": ("Weatherbury", "Kingsbere"), "E07000912": ("Stourcastle",)},
    surveys={"E07000911": "Casterbridge safety survey", "E07000912": "Safer Melchester survey"},
    nominal="LM-{:07d}",
    reference="LYO {:05d}",
    letters="LM",
    number_formats=(
        ("police_charges", "nominal_ref", "LM-[0-9]{7}", "LM, a hyphen and seven digits"),
        ("iom_cohort", "nominal_id", "LM-[0-9]{7}", "LM, a hyphen and seven digits"),
    ),
)
BORSETSHIRE = MadeUpForce(
    code="E23000092",
    area="Borsetshire and Felpersham",
    force="Borsetshire Police",
    districts={"E07000921": "Ambridge"},
    other_districts={"E07000922": "Felpersham"},
    services={"Borsetshire Youth Justice": ("E07000921", "E07000922")},
    prisons={"HMP Felpersham": None},
    towns={"E07000921": ("Penny Hassett", "Loxley Barrett", "Kingsbere")},
    surveys={"E07000921": "Ambridge community survey"},
    nominal="{:d}/BP",
    reference="B{:04d}/YJS",
    letters="BQ",
    research_group=True,
)
FORCES = (LOAMSHIRE, BORSETSHIRE)


@dataclass
class _Person:
    number: int
    home: str | None
    sex: str
    born: date
    ethnicity: str
    pnc: str


@dataclass
class _Maker:
    """Makes the extracts of one force."""

    force: MadeUpForce
    contracts: dict[str, Contract]
    chance: random.Random
    people: list[_Person] = field(default_factory=list)

    def __post_init__(self) -> None:
        homes = [*self.force.all_districts, "E07000999", None]
        weights = [8] * len(self.force.all_districts) + [1, 1]
        first = 1000 * (FORCES.index(self.force) + 1)
        for number in range(first, first + 300):
            day = date(self.chance.randint(1960, 2000), self.chance.randint(1, 12), 15)
            self.people.append(
                _Person(
                    number,
                    self.chance.choices(homes, weights)[0],
                    self.chance.choice("MMMF"),
                    day,
                    self.chance.choice(["W1", "W1", "W1", "A9", "B1", "NS"]),
                    f"{self.chance.randint(1990, 2017)}/{number:07d}K",
                )
            )

    def row(self, source: str) -> Row:
        """Return a row with a listed value in each column that has a list."""
        return {
            column.name: self.chance.choice(column.allowed) if column.allowed else None
            for column in self.contracts[source].columns
        }

    def csv(self, source: str, name: str, rows: Sequence[Row], quarter: date = AS_AT) -> Extract:
        return csv_extract(self.contracts[source], quarter, name, list(rows))

    def extracts(self) -> Iterator[Extract]:
        yield from self.street()
        yield self.charges()
        yield self.counts()
        yield self.cohort()
        yield from self.probation()
        yield from self.young_people()
        yield self.prison()
        yield self.schemes()
        yield from self.surveys()

    @property
    def name(self) -> str:
        return self.force.force.split()[0].lower()

    def street(self) -> Iterator[Extract]:
        contract = self.contracts["police_uk_street"]
        types = ["Shoplifting", "Burglary", "Drugs", "Robbery", "Vehicle crime"]
        places = [*small_areas(self.force), None]
        for back in range(15):
            month = _shifted(date(2019, 3, 1), -back)
            rows = [
                {
                    "crime_id": f"{self.chance.getrandbits(256):064x}",
                    "month": month,
                    "reported_by": self.force.force,
                    "falls_within": self.force.force,
                    "longitude": "-2.400000",
                    "latitude": "50.700000",
                    "location": "On or near High Street",
                    "lsoa_code": self.chance.choice(places),
                    "crime_type": self.chance.choice(types),
                }
                for _ in range(60)
            ]
            yield csv_extract(contract, AS_AT, f"{month:%Y-%m}-{self.name}-street.csv", rows)

    def charges(self) -> Extract:
        rows = []
        for number in range(12 * 30):
            person = self.chance.choice(self.people)
            charged = _shifted(date(2018, 4, 1), number % 12) + timedelta(number % 27)
            rows.append(
                self.row("police_charges")
                | {
                    "force": self.force.force,
                    "nominal_ref": self.force.nominal.format(person.number),
                    "pnc_id": person.pnc,
                    "offence_ref": f"{self.name}/{number:05d}",
                    "charge_date": charged,
                    "offence_date": charged - timedelta(number % 30),
                    "offence_code": "46",
                    "sex": person.sex,
                    "date_of_birth": person.born,
                    "ethnicity_code": person.ethnicity,
                    "residence_code": person.home,
                }
            )
        return self.csv("police_charges", f"charges-{self.name}-2018-04-to-2019-03.csv", rows)

    def counts(self) -> Extract:
        rows, whole = [], 0
        for year in (2017, 2018):
            areas = {code: self.chance.randint(300, 900) for code in self.force.all_districts}
            whole = sum(areas.values())
            for code, offenders in (*areas.items(), (self.force.code, whole)):
                rows.append(
                    {
                        "force": self.force.force,
                        "area_code": code,
                        "area_name": self.force.all_districts.get(code, self.force.area),
                        "calendar_year": date(year, 1, 1),
                        "offenders": offenders,
                    }
                )
        return self.csv("police_offender_counts", f"known-offenders-{self.name}.csv", rows)

    def cohort(self) -> Extract:
        rows = [
            self.row("iom_cohort")
            | {
                "reported_by": self.force.force,
                "snapshot_date": LAST_DAY,
                "pnc_id": person.pnc,
                "nominal_id": self.force.nominal.format(person.number),
                "sex": person.sex,
                "date_of_birth": person.born,
                "district_code": person.home,
                "offence_code": "028/03",
            }
            for person in self.people[:90]
        ]
        return self.csv("iom_cohort", f"iom-{self.name}-{LAST_DAY}.csv", rows)

    def probation(self) -> Iterator[Extract]:
        for letter, provider in zip(self.force.letters, ("CRC", "NPS"), strict=True):
            whole = {
                "provider": provider,
                "snapshot_date": SNAPSHOT,
                "police_force": self.force.force,
            }
            people, assessed = [], []
            for person in self.chance.sample(self.people, 200):
                who = whole | {
                    "crn": f"{letter}{100_000 + person.number}",
                    "pnc_id": person.pnc,
                    "residence": person.home or "No geographic data",
                    "sex": {"M": "Male", "F": "Female"}[person.sex],
                }
                row = self.row("probation_caseload") | who | {"date_of_birth": person.born}
                row["ogrs3_score"] = self.chance.randint(0, 100)
                people.append(row)
                found = self.row("oasys_assessments") | who
                found |= {"main_offence": row["main_offence"], "assessment_date": date(2018, 6, 1)}
                if person.number % 5:
                    assessed.append(found)
            name = f"{provider.lower()}-{self.name}-{SNAPSHOT}"
            yield self.csv("probation_caseload", f"{name}.csv", people)
            contract = self.contracts["oasys_assessments"]
            yield assessments_workbook(contract, AS_AT, f"{name}.xlsx", whole, assessed)

    def young_people(self) -> Iterator[Extract]:
        for service, districts in self.force.services.items():
            rows = []
            for number in range(150):
                registered = _shifted(date(2018, 1, 1), number % 15) + timedelta(number % 25)
                rows.append(
                    self.row("youth_offending")
                    | {
                        "youth_offending_service": service,
                        "yos_reference": self.force.reference.format(number),
                        "date_of_birth": date(2003, 1 + number % 12, 9),
                        "district_code": self.chance.choice([*districts, None]),
                        "registered_on": registered,
                        "offence_date": registered - timedelta(number % 20),
                        "offence_code": "105/01",
                    }
                )
            name = f"{service.lower().replace(' ', '-')}-2018-01-to-2019-03.csv"
            yield self.csv("youth_offending", name, rows)

    def prison(self) -> Extract:
        first = next(iter(self.force.prisons))
        whole = {
            "prison": first,
            "period_start": date(2018, 7, 1),
            "period_end": date(2018, 12, 31),
            "need_start": date(2018, 1, 1),
            "need_end": date(2018, 12, 31),
        }
        places = {**self.force.all_districts, "E07000999": "Elsewhere"}
        releases = [
            {"area_name": name, "area_code": code, "sex": sex}
            | {kind: self.chance.choice([0, 6, 11, 25]) for kind in KINDS}
            for code, name in places.items()
            for sex in ("Male", "Female")
        ]
        need = [
            {"prison": prison, "sex": sex, "assessed": 80, "with_need": self.chance.randint(5, 70)}
            for prison in self.force.prisons
            for sex in ("Male", "Female")
        ]
        return prison_workbook(AS_AT, f"prison-{self.name}.xlsx", whole, releases, need)

    def schemes(self) -> Extract:
        rows = [
            {
                "snapshot_date": LAST_DAY,
                "district_code": code,
                "scheme": f"Scheme of {towns[0]}",
                "provider": "A housing association",
                "town": towns[0],
                "client_group": "Ex-offenders",
                "kind": "supported place",
                "places": self.chance.randint(2, 12),
            }
            for code, towns in self.force.towns.items()
        ]
        name = f"supported-accommodation-{self.name}.csv"
        return self.csv("supported_accommodation", name, rows)

    def surveys(self) -> Iterator[Extract]:
        contract = self.contracts["community_survey"]
        for code, title in self.force.surveys.items():
            for wave in WAVES:
                rows = [
                    self.row("community_survey")
                    | {
                        "response_id": str(70_000_000 + number),
                        "response_date": wave + timedelta(number % 80),
                        "town": self.chance.choice(self.force.towns[code]),
                        "issues_experienced": self.chance.choice(["Parking", "Other", None]),
                    }
                    for number in range(160)
                ]
                whole = {"survey": title, "wave_start": wave}
                name = f"survey-{code}-{wave}.xlsx"
                yield survey_workbook(contract, wave, name, whole, rows)


def _shifted(month: date, count: int) -> date:
    total = month.year * 12 + month.month - 1 + count
    return date(total // 12, total % 12 + 1, 1)


def small_areas(force: MadeUpForce) -> dict[str, str]:
    """Return three small areas of each district, with their district."""
    first = 99_000 + 100 * FORCES.index(force)
    return {
        f"E01{first + 10 * place + part:06d}": code
        for place, code in enumerate(force.all_districts)
        for part in (1, 2, 3)
    }


def _of_all(forces: Sequence[MadeUpForce]) -> Iterator[Extract]:
    """Yield what is of all forces together: lookups, populations and dwellings."""
    chance = random.Random(5)
    names = {code: name for force in forces for code, name in force.all_districts.items()}
    places = {area: code for force in forces for area, code in small_areas(force).items()}
    grid: list[list[Any]] = [["LSOA11CD", "LSOA11NM", "LAD17CD", "LAD17NM", "FID"]]
    grid += [
        [area, f"{names[code]} {number:03d}A", code, names[code], str(number)]
        for number, (area, code) in enumerate(places.items(), start=1)
    ]
    yield Extract("area_lookups", AS_AT, "LSOA_2011_to_LAD_2017.csv", {"": grid})
    years = [2018, 2017, 2016]
    rows = [
        {
            "area_code": code,
            "area_name": name,
            "populations": {year: chance.randint(40_000, 90_000) for year in years},
        }
        for code, name in names.items()
    ]
    yield ons_workbook(AS_AT, "ukmidyearestimates.xls", years, rows)
    for force in forces:
        if force.research_group:
            table: list[list[Any]] = [["Area code", "Area name", "Mid-year", "Population"]]
            table += [[code, name, "2017", "51230"] for code, name in force.all_districts.items()]
            yield Extract(
                "population_estimates", AS_AT, "research-group-population.csv", {"": table}
            )
    stock = [
        {"la_code": f"Q{number:04d}", "area_code": code, "area_name": name}
        | dict.fromkeys(_TENURES[:3], 100 + number)
        | {"private sector": 5_000, "total": 5_300 + 3 * number}
        for number, (code, name) in enumerate(names.items())
    ]
    sheets = {2017: stock, 2018: stock}
    yield dwellings_workbook(AS_AT, "Live_Table_100.ods", sheets, _TENURES)


def write_zone(folder: Path, forces: Sequence[MadeUpForce] = FORCES) -> None:
    """Write ``raw/`` with every source of the forces, and ``partnerships.toml``."""
    contracts = load_contracts()
    for extract in _of_all(forces):
        extract.write(folder / "raw")
    for force in forces:
        maker = _Maker(force, contracts, random.Random(force.code))
        for extract in maker.extracts():
            extract.write(folder / "raw")
    lines = [line for force in forces for line in force.partnerships()]
    (folder / "partnerships.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")

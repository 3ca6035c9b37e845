"""What a landing zone is about: quarters, forces, districts, small areas, and the people."""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import strategies as st

from orchestration.config.quarters import next_quarter, quarters_before
from tests.valid_extracts.cells import Draw
from tests.valid_extracts.layouts import quarter_last_day

ELSEWHERE = ("E06000055", "E07000213")
"""Districts of other counties: Bedford, Spelthorne."""


@dataclass(frozen=True)
class Force:
    """A force area, with all its districts; ``served`` are those with a partnership."""

    code: str
    name: str
    area_name: str
    districts: dict[str, str]
    served: tuple[str, ...]


@dataclass
class Person:
    """One person, as every source knows them. Dates and places may differ from row to row."""

    number: int
    sex: str
    born: date | None
    ethnicity: str | None
    pnc: str | None
    nominals: list[str]
    homes: list[str | None]
    """District of residence in each quarter; none where it is not known."""


@dataclass
class World:
    """One draw: the quarters up to ``as_at``, the forces served and the people who live there."""

    as_at: date
    quarters: list[date]
    forces: list[Force]
    chance: random.Random
    people: list[Person] = field(default_factory=list)

    @property
    def last_day(self) -> date:
        return quarter_last_day(self.as_at)

    @property
    def districts(self) -> list[str]:
        return [code for force in self.forces for code in force.districts]

    def name_of(self, district: str) -> str:
        names = {code: name for force in self.forces for code, name in force.districts.items()}
        return names.get(district, f"Elsewhere {district[-2:]}")

    def partnerships(self) -> str:
        """Return the partnerships file."""
        lines = []
        for force in self.forces:
            lines += ["[[force_areas]]", f'code = "{force.code}"', f'name = "{force.area_name}"']
            lines += [f'force = "{force.name}"', ""]
            for code, name in force.districts.items():
                kind = "partnerships" if code in force.served else "other_districts"
                lines.append(f"[[force_areas.{kind}]]")
                if code in force.served:
                    lines.append(f'csp = "{short_name(name)}"')
                    lines.append(f'name = "{name} Community Safety Partnership"')
                lines += [f'district_code = "{code}"', f'district_name = "{name}"', ""]
        return "\n".join(lines)


def short_name(name: str) -> str:
    return "".join(one if one.isalnum() else "-" for one in name.lower())


CAMBRIDGESHIRE = {
    "E07000008": "Cambridge",
    "E07000009": "East Cambridgeshire",
    "E07000010": "Fenland",
    "E07000011": "Huntingdonshire",
    "E07000012": "South Cambridgeshire",
    "E06000031": "Peterborough",
}
NORFOLK = {"E07000146": "King's Lynn and West Norfolk", "E07000149": "South Norfolk"}

# Not the quarter of the printed assessment: see zones.py.
_AS_AT = [date(2018, 7, 1), date(2018, 10, 1), date(2019, 1, 1), date(2020, 1, 1), date(2013, 4, 1)]


def draw_world(draw: Draw) -> World:
    """Draw quarters, forces and people."""
    chance = random.Random(draw(st.integers(0, 2**32 - 1)))
    as_at = draw(st.sampled_from(_AS_AT))
    count = draw(st.integers(1, 3))
    quarters = [quarters_before(as_at, count - 1)]
    while quarters[-1] < as_at:
        quarters.append(next_quarter(quarters[-1]))
    served = draw(
        st.lists(st.sampled_from(list(CAMBRIDGESHIRE)), min_size=1, max_size=3, unique=True)
    )
    forces = [
        Force(
            "E23000023",
            "Cambridgeshire Constabulary",
            "Cambridgeshire and Peterborough",
            CAMBRIDGESHIRE,
            tuple(served),
        )
    ]
    if draw(st.integers(0, 2)) == 0:
        forces.append(
            Force("E23000024", "Norfolk Constabulary", "Norfolk", NORFOLK, ("E07000146",))
        )
    world = World(as_at, quarters, forces, chance)
    # Sparse: a few districts hold everybody, or one person lives alone in theirs.
    lived_in = draw(st.lists(st.sampled_from(world.districts), min_size=1, max_size=6))
    for number in range(draw(st.sampled_from([1, 3, 12, 40, 80]))):
        world.people.append(_person(number, world, lived_in))
    return world


def _person(number: int, world: World, lived_in: list[str]) -> Person:
    chance = world.chance
    homes: list[str | None] = []
    home: str | None = chance.choice(lived_in)
    for _ in world.quarters:
        move = chance.random()
        if move < 0.15:
            home = chance.choice(lived_in)
        elif move < 0.22:
            home = chance.choice([*ELSEWHERE, None])
        homes.append(home)
    year = chance.randint(1955, 2004)
    forms = [f"{year}/{1_000_000 + number:07d}A", f"{year % 100:02d}/{500_000 + number}B"]
    return Person(
        number,
        chance.choice("MMMFU"),
        birthday(chance, world),
        chance.choice(["W1", "W1", "W3", "A9", "B1", "M2", "O1", "NS", None]),
        chance.choice([*forms, None]),
        [f"N{1_000_000 + number * 2}", f"N{1_000_001 + number * 2}"][: chance.choice([1, 1, 2])],
        homes,
    )


def birthday(chance: random.Random, world: World) -> date | None:
    """Return a birth at the edge of an age group, on 29 February, of any age, or none."""
    kind = chance.random()
    if kind < 0.1:
        return None
    if kind < 0.2:
        return date(chance.choice([1980, 1996, 2000, 2004]), 2, 29)
    age = chance.choice([10, 13, 15, 17, 18, 21, 22, 25, 26, 30, 31, 36, 41, 51, 61, 90])
    last = world.last_day
    day = date(last.year - age, last.month, 28) + timedelta(days=chance.randint(-60, 3))
    return day if kind < 0.7 else day - timedelta(days=chance.randint(0, 3_000))

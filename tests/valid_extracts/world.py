"""What a landing zone is about: quarters, forces, districts, small areas, and the people."""

import json
import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from hypothesis import strategies as st

from orchestration.config.quarters import next_quarter, quarters_before
from tests.valid_extracts.cells import Draw
from tests.valid_extracts.forces import CAMBRIDGESHIRE, NORFOLK, OTHERS, Force, Partnership
from tests.valid_extracts.layouts import quarter_last_day
from tests.valid_extracts.predecessors import NAMES, earlier, levels

ELSEWHERE = ("E06000055", "E07000213")
"""Districts of other counties: Bedford, Spelthorne."""


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
    small_areas: dict[str, str] = field(default_factory=dict)
    """Small areas with their district, or the first of the districts that it succeeded."""
    every: bool = False
    """Each source delivers in every quarter; otherwise some, or none."""

    @property
    def last_day(self) -> date:
        return quarter_last_day(self.as_at)

    @property
    def districts(self) -> list[str]:
        return [code for force in self.forces for code in force.districts]

    @property
    def codes(self) -> list[str]:
        """Every code under which a district served may be recorded: its own and earlier ones."""
        return [one for code in self.districts for one in (code, *earlier(code))]

    @property
    def youth_services(self) -> dict[str, tuple[str, ...]]:
        """The districts of each youth offending service."""
        return {
            name: districts
            for force in self.forces
            for name, districts in force.youth_services.items()
        }

    def name_of(self, district: str) -> str:
        names = {code: name for force in self.forces for code, name in force.districts.items()}
        return names.get(district) or NAMES.get(district) or f"Elsewhere {district[-2:]}"

    def label_of(self, code: str) -> str:
        """Return a name that no other code has: a recoded district kept its own."""
        return self.name_of(code) + (" (before)" if code in NAMES else "")

    def carried(self, district: str | None) -> str | None:
        """Return the code by which a record names a district: its own, now and then an earlier."""
        old = earlier(district) if district else []
        return self.chance.choice(old) if old and self.chance.random() < _STILL_OLD else district

    def listed(self, district: str) -> list[str]:
        """Return the codes by which a table of one year names a district.

        Its own, or those that it succeeded: all of them, now and then without one. Now and then
        both its own and earlier ones.
        """
        codes = self.chance.choice(levels(district))
        if len(codes) > 1 and self.chance.random() < _INCOMPLETE:
            codes = self.chance.sample(codes, len(codes) - 1)
        if district not in codes and self.chance.random() < _INCOMPLETE:
            codes = [district, *codes]
        return codes

    def partnerships(self) -> str:
        """Return the partnerships file."""
        return "\n".join(line for force in self.forces for line in _force_lines(force))


_STILL_OLD = 0.4
_INCOMPLETE = 0.15


def _force_lines(force: Force) -> list[str]:
    lines = ["[[force_areas]]", *_pairs(code=force.code, name=force.area_name, force=force.name)]
    for number, one in enumerate(force.partnerships):
        shared = {"csp": one.csp, "name": one.name} | ({"code": one.code} if one.code else {})
        members = [
            {"district_code": code, "district_name": force.districts[code]}
            for code in one.districts
        ]
        if len(members) > 1 and number % 2 == 0:
            lines += ["[[force_areas.partnerships]]", *_pairs(**shared)]
            for member in members:
                lines += ["[[force_areas.partnerships.districts]]", *_pairs(**member)]
        else:  # the same partnership again for each of its districts
            for member in members:
                lines += ["[[force_areas.partnerships]]", *_pairs(**shared, **member)]
    for code, name in force.districts.items():
        if code not in {member for one in force.partnerships for member in one.districts}:
            pairs = _pairs(district_code=code, district_name=name)
            lines += ["[[force_areas.other_districts]]", *pairs]
    return lines + _named_places(force)


def _named_places(force: Force) -> list[str]:
    """Return the lines on services, prisons and towns of a force area."""
    lines = []
    for name, districts in force.youth_services.items():
        lines += ["[[force_areas.youth_offending_services]]", *_pairs(name=name)]
        lines += [f"districts = {json.dumps(districts)}", ""]
    for name, group in force.prisons.items():
        of_group = {"group": group} if group else {}
        lines += ["[[force_areas.prisons]]", *_pairs(name=name, **of_group)]
    for code, towns in force.towns.items():
        for town in towns:
            lines += ["[[force_areas.towns]]", *_pairs(name=town, district_code=code)]
    return lines


def _pairs(**values: str) -> list[str]:
    return [
        *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()),
        "",
    ]


def short_name(name: str) -> str:
    kept = "".join(one if one.isalnum() and one.isascii() else " " for one in name.lower())
    return "-".join(kept.replace("'", "").split())


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
    forces = [_with_partnerships(draw, draw(st.sampled_from([CAMBRIDGESHIRE, *OTHERS])))]
    if draw(st.integers(0, 2)) == 0:
        forces.append(_with_partnerships(draw, NORFOLK))
    world = World(as_at, quarters, forces, chance)
    world.small_areas.update(_made_up_areas(world))
    # Sparse: a few districts hold everybody, or one person lives alone in theirs.
    lived_in = draw(st.lists(st.sampled_from(world.districts), min_size=1, max_size=6))
    populate(world, lived_in, draw(st.sampled_from([1, 3, 12, 40, 80])))
    return world


def populate(world: World, lived_in: list[str], people: int) -> None:
    """Add so many people, who live in some of the districts, elsewhere, or nobody knows where."""
    for number in range(people):
        world.people.append(_person(number, world, lived_in))


def _with_partnerships(draw: Draw, force: Force) -> Force:
    """Draw partnerships of one or several districts; some districts have none."""
    left = draw(st.permutations(list(force.districts)))
    made = []
    for number in range(draw(st.integers(1, 3))):
        size = draw(st.sampled_from([1, 1, 2, 3, len(force.districts)]))
        members, left = left[:size], left[size:]
        if members:
            name = force.districts[members[0]] + (" and others" if len(members) > 1 else "")
            code = draw(st.sampled_from([None, f"E229{force.code[-2:]}00{number}"]))
            title = f"{name} Community Safety Partnership"
            made.append(Partnership(short_name(name), title, tuple(members), code))
    return force.serving(*made)


def _made_up_areas(world: World) -> dict[str, str]:
    """Return two small areas of each district as it first was, and of districts elsewhere."""
    places = [first for code in world.districts for first in levels(code)[-1]]
    return {
        f"E01{number:04d}{part:02d}": district
        for number, district in enumerate([*places, *ELSEWHERE], start=1001)
        for part in (1, 2)
    }


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

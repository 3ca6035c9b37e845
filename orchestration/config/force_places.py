"""What a force area of the partnerships file names beside its districts.

Youth offending services, prisons, towns of the community survey, and forms of the numbers that its
force and services give to people and offences. All are checked together with the rest of the file.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from orchestration.config.partnership_values import DistrictCode, Name, SmallAreaCode, Wording
from orchestration.errors import readable


class YouthService(BaseModel):
    """A youth offending service, as its returns name it, and the districts that it serves."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    districts: list[DistrictCode] = Field(min_length=1)


class Prison(BaseModel):
    """A prison, as its returns name it."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    # Prisons of a group are counted together; a prison without one is counted alone.
    group: Name | None = None


class Town(BaseModel):
    """A named group of small areas in a district; its position in the file is that in print."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    district_code: DistrictCode
    small_areas: list[SmallAreaCode] = []

    @property
    def area_code(self) -> str:
        """The district's code and the town's name, as towns have no code of their own."""
        return f"{self.district_code}:{_slug(self.name)}"


class Survey(BaseModel):
    """A community survey, by the title of its workbooks, and the districts that it asks.

    Its responses name towns of these districts. A survey that is not named may be of any district.
    """

    model_config = ConfigDict(extra="forbid")

    title: Name
    districts: list[DistrictCode] = Field(min_length=1)


class NumberFormat(BaseModel):
    """The form of the numbers of a column of a source, as a force or its services give them."""

    model_config = ConfigDict(extra="forbid")

    source: Name
    column: Name
    pattern: Wording
    """Regular expression of the whole number."""
    form: Wording
    """What the pattern says, such as 'N and seven digits'."""
    given_by: Name | None = None
    """Service that gives the numbers; the force and all its services where none is named."""


class ForcePlaces(BaseModel):
    """The services, prisons, towns and forms of numbers of one force area."""

    model_config = ConfigDict(extra="forbid")

    youth_offending_services: list[YouthService] = []
    prisons: list[Prison] = []
    towns: list[Town] = []
    surveys: list[Survey] = []
    number_formats: list[NumberFormat] = []


_Named = tuple[str, str, str, ForcePlaces]
"""GSS code, name and force of a force area, with its places."""


def _slug(name: str) -> str:
    return "-".join(re.findall(r"[^\W_]+", name.casefold()))


# --- in the warehouse ------------------------------------------------------------------------


def load_force_places(connection: duckdb.DuckDBPyConnection, areas: Iterable[_Named]) -> None:
    """Replace what ``control`` holds of services, prisons, towns and number formats.

    A town's ``print_order`` is its position among the towns of its district, from 1. A number
    format is that of the rows in which a source names the force or one of its services.
    """
    rows: dict[str, list[tuple[str | int, ...]]] = {
        "youth_services": [],
        "prisons": [],
        "towns": [],
        "small_areas": [],
        "surveys": [],
        "number_formats": [],
    }
    for code, _, force, places in areas:
        rows["youth_services"] += [
            (one.name, district)
            for one in places.youth_offending_services
            for district in one.districts
        ]
        rows["prisons"] += [(one.name, one.group or one.name, code) for one in places.prisons]
        rows["towns"] += _town_rows(places.towns)
        rows["small_areas"] += [
            (town.area_code, area) for town in places.towns for area in town.small_areas
        ]
        rows["surveys"] += [
            (one.title, district) for one in places.surveys for district in one.districts
        ]
        names = [force, *(one.name for one in places.youth_offending_services)]
        rows["number_formats"] += [
            (one.source, one.column, name, one.pattern, one.form)
            for one in places.number_formats
            for name in ([one.given_by] if one.given_by else names)
        ]
    for table, found in rows.items():
        connection.execute(f"delete from control.partnership_{table}")
        for row in dict.fromkeys(found):
            marks = ", ".join("?" for _ in row)
            connection.execute(f"insert into control.partnership_{table} values ({marks})", row)


def _town_rows(towns: Iterable[Town]) -> Iterator[tuple[str | int, ...]]:
    placed: dict[str, int] = defaultdict(int)
    for town in towns:
        placed[town.district_code] += 1
        yield town.name, town.area_code, town.district_code, placed[town.district_code]


# --- faults ----------------------------------------------------------------------------------


def place_faults(areas: Sequence[_Named], districts: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with services, prisons, towns and number formats, each with a remedy.

    ``districts`` has the code of the force area of each district that the file lists.
    """
    yield from _services_faults(areas, districts)
    yield from _prisons_twice(areas)
    yield from _town_faults(areas, districts)
    yield from _survey_faults(areas, districts)
    yield from _same_towns(areas)
    yield from _small_areas_twice(areas)
    for _, name, force, places in areas:
        names = {force, *(one.name for one in places.youth_offending_services)}
        yield from _format_faults(name, places.number_formats, names)


def _services_faults(areas: Sequence[_Named], districts: Mapping[str, str]) -> Iterator[str]:
    owners: dict[str, str] = {}
    served: dict[str, str] = {}
    for code, area, _, places in areas:
        for service in places.youth_offending_services:
            if (owner := owners.setdefault(service.name.casefold(), area)) != area:
                yield (
                    f"The youth offending service '{service.name}' is named under {owner} and "
                    f"{area}. Its returns have nothing else to tell two services apart: name it "
                    "once, under the force area that it is in."
                )
            for district in service.districts:
                if (other := served.setdefault(district, service.name)) != service.name:
                    yield (
                        f"Two youth offending services, {other} and {service.name}, list the "
                        f"district {district}. Leave it with the one that serves it."
                    )
                if districts.get(district, code) != code:
                    yield (
                        f"The youth offending service '{service.name}' of {area} lists the "
                        f"district {district}, which the file has under another force area. "
                        "Correct the code, or move the service there."
                    )


def _prisons_twice(areas: Sequence[_Named]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for _, area, _, places in areas:
        for prison in places.prisons:
            name = prison.name.casefold()
            if name in seen:
                yield (
                    f"The prison '{prison.name}' is named more than once ({seen[name]}, {area}). "
                    "Name it once, under the force area in which its releases are counted."
                )
            seen.setdefault(name, area)


def _town_faults(areas: Sequence[_Named], districts: Mapping[str, str]) -> Iterator[str]:
    by_code: dict[str, list[str]] = defaultdict(list)
    for code, area, _, places in areas:
        for town in places.towns:
            by_code[town.area_code].append(town.name)
            owner = districts.get(town.district_code)
            if owner is None:
                yield (
                    f"The town '{town.name}' of {area} is in the district {town.district_code}, "
                    "which the file does not list. Correct the code, or add the district."
                )
            elif owner != code:
                yield (
                    f"The town '{town.name}' of {area} is in the district {town.district_code}, "
                    "which the file has under another force area. Correct the code, or move the "
                    "town there."
                )
            if not _slug(town.name):
                yield f"The town '{town.name}' of {area} has no letter or digit. Correct its name."
    for code, names in by_code.items():
        if len(names) > 1:
            yield (
                f"The district {code.split(':')[0]} has a town more than once "
                f"({', '.join(names)}). Name each town once; signs between its words do not count."
            )


def _survey_faults(areas: Sequence[_Named], districts: Mapping[str, str]) -> Iterator[str]:
    seen: dict[str, str] = {}
    for code, area, _, places in areas:
        for survey in places.surveys:
            if (title := survey.title.casefold()) in seen:
                yield (
                    f"The survey '{survey.title}' is named more than once ({seen[title]}, {area}). "
                    "Name it once, with all its districts."
                )
            seen.setdefault(title, area)
            for district in survey.districts:
                if districts.get(district) != code:
                    yield (
                        f"The survey '{survey.title}' of {area} lists the district {district}, "
                        "which the file does not have under that force area. Correct the code, or "
                        "add the district."
                    )


def _same_towns(areas: Sequence[_Named]) -> Iterator[str]:
    """Yield towns of one name in several districts that no title of a survey tells apart."""
    surveys = [survey for _, _, _, places in areas for survey in places.surveys]
    asked = {district for survey in surveys for district in survey.districts}
    by_name: dict[str, dict[str, str]] = defaultdict(dict)
    for _, _, _, places in areas:
        for town in places.towns:
            by_name[town.name.casefold()].setdefault(town.district_code, town.name)
    for towns in by_name.values():
        both = [one for one in surveys if len(towns.keys() & set(one.districts)) > 1]
        if len(towns) > 1 and (both or not towns.keys() <= asked):
            named = ", ".join(f"{name} of {code}" for code, name in towns.items())
            yield (
                f"Towns of several districts have one name ({named}), and no survey tells them "
                "apart. Name the survey of each of these districts under [[force_areas.surveys]], "
                "with title and districts."
            )


def _small_areas_twice(areas: Sequence[_Named]) -> Iterator[str]:
    owners: dict[str, list[str]] = defaultdict(list)
    for _, _, _, places in areas:
        for town in places.towns:
            for small_area in town.small_areas:
                owners[small_area].append(town.name)
    for small_area, towns in owners.items():
        if len(towns) > 1:
            yield (
                f"The small area {small_area} is listed more than once ({', '.join(towns)}). "
                "Leave it with the town that it is in."
            )


def _format_faults(
    area: str, formats: Iterable[NumberFormat], names: Collection[str]
) -> Iterator[str]:
    seen: set[tuple[str, str, str | None]] = set()
    for one in formats:
        where = f"The number format of {one.source}.{one.column} under {area}"
        if (one.source, one.column, one.given_by) in seen:
            yield f"{where} is given more than once. Join the patterns with a vertical bar."
        seen.add((one.source, one.column, one.given_by))
        if one.given_by and one.given_by not in names:
            yield (
                f"{where} is given by '{one.given_by}', which is neither the force nor a youth "
                "offending service of the force area. Correct given_by, or leave it out."
            )
        if not _is_expression(one.pattern):
            yield (
                f"{where} has the pattern '{readable(one.pattern)}', which is no regular "
                "expression. Correct it."
            )


def _is_expression(pattern: str) -> bool:
    """Say whether DuckDB, which compares the numbers with it, can read a pattern."""
    with duckdb.connect(":memory:", config={"temp_directory": ""}) as connection:
        try:
            connection.execute("select regexp_full_match('', ?)", [pattern])
        except duckdb.Error:
            return False
    return True

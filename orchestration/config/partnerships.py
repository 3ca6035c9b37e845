"""The partnerships file: which partnerships are served, and the districts of their forces.

The whole file is checked before anything is built from it. Every fault is reported at once, each
with its place in the file, the value and what to do.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import duckdb
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from orchestration.config.toml_files import TomlFileError, place_of, published_text, read_toml
from orchestration.errors import SettingsError, readable

_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_LONGEST_SLUG = 60
_DISTRICT = r"^(E0[6-9]|W06|S12|N09)[0-9]{6}$"
_COUNTY = re.compile(r"^E(10|11|13)[0-9]{6}$")
_GSS = r"^[EWSNK][0-9]{8}$"

_RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}
"""Names that no folder may have on Windows, where exports are copied to."""


def _no_reserved_name(slug: str) -> str:
    if slug in _RESERVED:
        raise ValueError("is the name of a device on Windows, and of no folder")
    return slug


_Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=r"^\P{C}+$"),
    AfterValidator(published_text),
]
_Slug = Annotated[
    str,
    StringConstraints(pattern=_SLUG, max_length=_LONGEST_SLUG),
    AfterValidator(_no_reserved_name),
]
_DistrictCode = Annotated[str, StringConstraints(strip_whitespace=True, pattern=_DISTRICT)]
_Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=_GSS)]


class _District(BaseModel):
    model_config = ConfigDict(extra="forbid")

    district_code: _DistrictCode
    district_name: _Name


class _Partnership(_District):
    csp: _Slug
    name: _Name


class _YouthService(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: _Name
    districts: list[_DistrictCode] = Field(min_length=1)


class _Prison(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: _Name
    # Prisons of a group are counted together; a prison without one is counted alone.
    group: _Name | None = None


class _ForceArea(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: _Code
    name: _Name
    force: _Name
    partnerships: list[_Partnership]
    other_districts: list[_District] = []
    """Districts that no partnership here serves: the force's figures include them all the same."""
    youth_offending_services: list[_YouthService] = []
    prisons: list[_Prison] = []
    """Services and prisons beside those of the reference lists (seeds)."""

    @property
    def districts(self) -> list[_District]:
        return [*self.partnerships, *self.other_districts]


class _Partnerships(BaseModel):
    model_config = ConfigDict(extra="forbid")

    force_areas: list[_ForceArea]


def load_partnerships(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Replace ``control.partnership_areas`` by what the partnerships file lists.

    A district without a partnership has an empty ``csp`` and ``csp_name``. Returns the number of
    partnerships. Raises :class:`SettingsError` that names the file and every fault in it.
    """
    listed = _read(path)
    rows = [
        [
            one.csp if isinstance(one, _Partnership) else "",
            one.name if isinstance(one, _Partnership) else "",
            one.district_code,
            one.district_name,
            area.code,
            area.force,
            area.name,
        ]
        for area in listed.force_areas
        for one in area.districts
    ]
    connection.execute("begin")
    connection.execute("delete from control.partnership_areas")
    connection.executemany(
        "insert into control.partnership_areas values (?, ?, ?, ?, ?, ?, ?)", rows
    )
    _load_services(connection, listed.force_areas)
    connection.execute("commit")
    return sum(len(area.partnerships) for area in listed.force_areas)


def _load_services(connection: duckdb.DuckDBPyConnection, areas: Iterable[_ForceArea]) -> None:
    """Replace the youth offending services and prisons by those of the partnerships file."""
    services = [
        (service.name, district)
        for area in areas
        for service in area.youth_offending_services
        for district in service.districts
    ]
    prisons = [
        (prison.name, prison.group or prison.name, area.code)
        for area in areas
        for prison in area.prisons
    ]
    for table, rows in (("youth_services", services), ("prisons", prisons)):
        connection.execute(f"delete from control.partnership_{table}")
        marks = ", ".join("?" for _ in (rows[0] if rows else ()))
        for row in dict.fromkeys(rows):
            connection.execute(f"insert into control.partnership_{table} values ({marks})", row)


def _read(path: Path) -> _Partnerships:
    try:
        listed = _Partnerships.model_validate(read_toml(path))
    except TomlFileError as error:
        raise _fault(path, [str(error)]) from error
    except ValidationError as error:
        raise _fault(path, [_said(one) for one in error.errors()]) from error
    if faults := list(_faults(listed)):
        raise _fault(path, faults)
    return listed


def _fault(path: Path, faults: Iterable[str]) -> SettingsError:
    return SettingsError(f"{path} does not list partnerships as it should. {' '.join(faults)}")


# --- one value -------------------------------------------------------------------------------

_FORMS = {
    "csp": "lower-case letters and digits, joined by single hyphens, at most "
    f"{_LONGEST_SLUG} characters, such as east-cambridgeshire",
    "district_code": "the GSS code of a district, such as E07000010",
    "districts": "a list of GSS codes of districts, such as E07000010",
    "code": "the GSS code of a police force area, such as E23000023",
}


def _said(error: Any) -> str:
    """Return the message on one value: place in the file, value and what it should be."""
    place = place_of(error["loc"])
    key = next(part for part in reversed(error["loc"]) if isinstance(part, str))
    if error["type"] == "missing":
        return f"{place} is missing."
    if error["type"] == "extra_forbidden":
        return f"{place} is no key of the file. Remove it, or correct its name."
    if error["type"] == "too_short":
        return f"{place} is empty. Name at least one."
    if error["type"] in ("list_type", "model_type", "model_attributes_type"):
        return f"{place} must be a table of its own, in double brackets ([[{key}]])."
    if error["type"] == "value_error":
        # The value may be what must not be shown.
        return f"{place} {error['ctx']['error']}. Correct it."
    value = readable(repr(error["input"]))
    if isinstance(error["input"], str) and _COUNTY.match(error["input"].strip()):
        return f"{place} is {value}, a county or a part of London. Name its districts, one by one."
    form = _FORMS.get(key, "a text of at most 200 characters, without control characters")
    return f"{place} is {value}. It must be {form}."


# --- values together -------------------------------------------------------------------------


def _faults(listed: _Partnerships) -> Iterator[str]:
    if not any(area.partnerships for area in listed.force_areas):
        yield "It lists no partnership."
    yield from _twice_in_forces(listed.force_areas)
    yield from _slugs_twice(listed.force_areas)
    yield from _districts_twice(listed.force_areas)
    yield from _services_twice(listed.force_areas)


def _twice_in_forces(areas: Iterable[_ForceArea]) -> Iterator[str]:
    for what, values in (
        ("code", [area.code for area in areas]),
        ("name", [area.name for area in areas]),
        ("force", [area.force for area in areas]),
    ):
        for value in _repeated(values):
            yield f"{what} '{value}' is that of several force areas. Put their districts under one."


def _slugs_twice(areas: Iterable[_ForceArea]) -> Iterator[str]:
    districts: dict[str, list[str]] = defaultdict(list)
    names: dict[str, set[str]] = defaultdict(set)
    for area in areas:
        for one in area.partnerships:
            districts[one.csp].append(one.district_code)
            names[one.name.casefold()].add(one.csp)
    for csp, codes in districts.items():
        if len(codes) > 1:
            yield (
                f"csp '{csp}' is used more than once ({', '.join(codes)}): a partnership of "
                "several districts is not supported yet. Give each district a csp of its own."
            )
    for slugs in names.values():
        if len(slugs) > 1:
            yield (
                f"Partnerships {' and '.join(sorted(slugs))} have the same name. Give each a name "
                "of its own."
            )


def _districts_twice(areas: Iterable[_ForceArea]) -> Iterator[str]:
    places: dict[str, list[str]] = defaultdict(list)
    names: dict[str, set[str]] = defaultdict(set)
    for area in areas:
        for one in area.districts:
            owner = one.csp if isinstance(one, _Partnership) else "other_districts"
            places[one.district_code].append(f"{owner} of {area.name}")
            names[one.district_name.casefold()].add(one.district_code)
    for code, owners in places.items():
        if len(owners) > 1:
            yield (
                f"District {code} is named more than once ({', '.join(owners)}). Name it once: a "
                "district is in one force area and one partnership."
            )
    for name, codes in names.items():
        if len(codes) > 1:
            yield f"Districts {' and '.join(sorted(codes))} have the same name, '{name}'."


def _services_twice(areas: Iterable[_ForceArea]) -> Iterator[str]:
    served: dict[str, str] = {}
    for area in areas:
        for service in area.youth_offending_services:
            for district in service.districts:
                if (other := served.setdefault(district, service.name)) != service.name:
                    yield (
                        f"two youth offending services, {other} and {service.name}, list the "
                        f"district {district}. Leave it with the one that serves it."
                    )


def _repeated(values: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    found = []
    for value in values:
        if value.casefold() in seen:
            found.append(value)
        seen[value.casefold()] = value
    return found

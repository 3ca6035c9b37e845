"""The partnerships file: which partnerships are served, and the districts of their forces.

The whole file is checked before anything is built from it. Every fault is reported at once, each
with its place in the file, the value and what to do.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Self

import duckdb
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    StringConstraints,
    ValidationError,
    model_validator,
)

from orchestration.config.force_places import ForcePlaces, load_force_places, place_faults
from orchestration.config.partnership_values import DistrictCode, Name
from orchestration.config.toml_files import TomlFileError, place_of, read_toml
from orchestration.errors import SettingsError, readable

_SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_LONGEST_SLUG = 60
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


_Slug = Annotated[
    str,
    StringConstraints(pattern=_SLUG, max_length=_LONGEST_SLUG),
    AfterValidator(_no_reserved_name),
]
_Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=_GSS)]


class _District(BaseModel):
    model_config = ConfigDict(extra="forbid")

    district_code: DistrictCode
    district_name: Name


class _Partnership(BaseModel):
    """A partnership of one district (``district_code``), or of several (``districts``)."""

    model_config = ConfigDict(extra="forbid")

    csp: _Slug
    name: Name
    code: _Code | None = None
    """GSS code of the partnership, such as E22000302: that of its rows if it has districts."""
    district_code: DistrictCode | None = None
    district_name: Name | None = None
    districts: list[_District] = []
    similar_districts: list[DistrictCode] = []
    """Districts to compare it with, the most similar first, in place of those computed."""

    @model_validator(mode="after")
    def _has_districts(self) -> Self:
        one = (self.district_code, self.district_name)
        if self.districts and any(one):
            raise ValueError(
                "has district_code or district_name, and districts as well. Keep one of them: list "
                "every district under districts"
            )
        if not self.districts and not all(one):
            raise ValueError(
                "needs district_code and district_name, or several districts, each with both under "
                "[[force_areas.partnerships.districts]]"
            )
        return self

    @property
    def members(self) -> list[_District]:
        """Its districts, one or several."""
        if self.district_code and self.district_name:
            return [_District(district_code=self.district_code, district_name=self.district_name)]
        return self.districts


class _ForceArea(ForcePlaces):
    model_config = ConfigDict(extra="forbid")

    code: _Code
    name: Name
    force: Name
    partnerships: list[_Partnership]
    other_districts: list[_District] = []
    """Districts that no partnership here serves: the force's figures include them all the same."""

    @property
    def served(self) -> list[tuple[_Partnership, _District]]:
        """Every district of a partnership, beside it."""
        return [(one, district) for one in self.partnerships for district in one.members]

    @property
    def districts(self) -> list[_District]:
        """Every district that the file names."""
        return [*(district for _, district in self.served), *self.other_districts]


class _Partnerships(BaseModel):
    model_config = ConfigDict(extra="forbid")

    force_areas: list[_ForceArea]


def load_partnerships(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Replace ``control.partnership_areas`` by what the partnerships file lists.

    One row a district. Without a partnership it has an empty ``csp`` and ``csp_name``. Beside it go
    the districts that a partnership is to be compared with, and the force's places. Returns the
    number of partnerships. Raises :class:`SettingsError` that names the file and every fault in it.
    """
    listed = _read(path)
    rows = [list(row) for area in listed.force_areas for row in _rows(area)]
    connection.execute("begin")
    connection.execute("delete from control.partnership_areas")
    connection.executemany(
        "insert into control.partnership_areas (csp, csp_name, district_code, district_name, "
        "force_code, force_name, force_area_name, partnership_code) "
        "values (?, ?, ?, ?, ?, ?, ?, ?)",
        rows,
    )
    _load_similar_districts(connection, listed.force_areas)
    load_force_places(connection, _places(listed.force_areas))
    connection.execute("commit")
    return len({one.csp for area in listed.force_areas for one in area.partnerships})


def served_forces(path: Path) -> list[str]:
    """Return the names of the forces of the partnerships that the file lists, in its order.

    Raises :class:`SettingsError` that names the file and every fault in it.
    """
    return [area.force for area in _read(path).force_areas if area.partnerships]


def served_partnerships(path: Path) -> list[str]:
    """Return the short names of the partnerships that the file lists, in its order.

    Raises :class:`SettingsError` that names the file and every fault in it.
    """
    return [one.csp for area in _read(path).force_areas for one in area.partnerships]


def _rows(area: _ForceArea) -> Iterator[tuple[str | None, ...]]:
    """Yield the row of each district: its partnership, the district, its force area."""
    force = (area.code, area.force, area.name)
    of_csp: dict[str, list[_District]] = defaultdict(list)
    codes: dict[str, str] = {}
    for one, district in area.served:
        of_csp[one.csp].append(district)
        if one.code:
            codes[one.csp] = one.code
    for one, district in area.served:
        several = len(of_csp[one.csp]) > 1
        code = codes.get(one.csp, one.csp) if several else district.district_code
        yield (one.csp, one.name, district.district_code, district.district_name, *force, code)
    for district in area.other_districts:
        yield ("", "", district.district_code, district.district_name, *force, None)


def _load_similar_districts(
    connection: duckdb.DuckDBPyConnection, areas: Iterable[_ForceArea]
) -> None:
    connection.execute("delete from control.partnership_similar_districts")
    similar = {
        (area_code, district): place
        for area in areas
        for area_code, one in _partnership_codes(area)
        for place, district in enumerate(one.similar_districts, start=1)
    }
    if similar:
        connection.executemany(
            "insert into control.partnership_similar_districts values (?, ?, ?)",
            [[*codes, place] for codes, place in similar.items()],
        )


def _partnership_codes(area: _ForceArea) -> Iterator[tuple[str, _Partnership]]:
    """Yield each entry of a partnership with the code of the area of its figures."""
    codes = {row[0]: row[-1] for row in _rows(area) if row[-1]}
    return ((str(codes[one.csp]), one) for one in area.partnerships)


def _places(areas: Iterable[_ForceArea]) -> list[tuple[str, str, str, ForcePlaces]]:
    return [(area.code, area.name, area.force, area) for area in areas]


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
    f"{_LONGEST_SLUG} characters, such as north-shire",
    "district_code": "the GSS code of a district, such as E07000010",
    "districts": "a list of districts, each by its GSS code, such as E07000010",
    "similar_districts": "a list of districts, each by its GSS code, such as E07000010",
    "small_areas": "a list of codes of small areas (LSOA), such as E01000001",
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
    lists_codes = key in ("small_areas", "similar_districts") or (
        key == "districts" and "partnerships" not in error["loc"]
    )
    if error["type"] in ("list_type", "model_type", "model_attributes_type") and not lists_codes:
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
    yield from _similar_faults(listed.force_areas)
    districts = {
        one.district_code: area.code for area in listed.force_areas for one in area.districts
    }
    yield from place_faults(_places(listed.force_areas), districts)


def _twice_in_forces(areas: Iterable[_ForceArea]) -> Iterator[str]:
    for what, values in (
        ("code", [area.code for area in areas]),
        ("name", [area.name for area in areas]),
        ("force", [area.force for area in areas]),
    ):
        for value in _repeated(values):
            yield f"{what} '{value}' is that of several force areas. Put their districts under one."


def _slugs_twice(areas: Sequence[_ForceArea]) -> Iterator[str]:
    """Yield what is wrong with short names, which may be repeated for several districts."""
    served = [(area, one) for area in areas for one in area.partnerships]
    for csp, names in _several((one.csp, one.name) for _, one in served):
        yield (
            f"csp '{csp}' has several names ({', '.join(names)}). Where it is one partnership of "
            "several districts, give it one name; otherwise give each partnership a csp of its own."
        )
    for csp, forces in _several((one.csp, area.name) for area, one in served):
        yield (
            f"csp '{csp}' has districts in several force areas ({', '.join(forces)}). A "
            "partnership is in one force area."
        )
    for csp, codes in _several((one.csp, one.code) for _, one in served if one.code):
        yield f"csp '{csp}' has several codes ({', '.join(codes)}). Give it one."
    for _, slugs in _several((one.name.casefold(), one.csp) for _, one in served):
        yield f"Partnerships {' and '.join(slugs)} have the same name. Give each a name of its own."
    for code, slugs in _several((one.code, one.csp) for _, one in served if one.code):
        yield f"Partnerships {' and '.join(slugs)} have the same code, {code}."


def _several(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, list[str]]]:
    """Yield each first value that goes with several second values, and those in order."""
    found: dict[str, set[str]] = defaultdict(set)
    for first, second in pairs:
        found[first].add(second)
    return ((first, sorted(seconds)) for first, seconds in found.items() if len(seconds) > 1)


def _districts_twice(areas: Iterable[_ForceArea]) -> Iterator[str]:
    places: dict[str, list[str]] = defaultdict(list)
    names: dict[str, set[str]] = defaultdict(set)
    for area in areas:
        owned = [(one.csp, district) for one, district in area.served]
        owned += [("other_districts", district) for district in area.other_districts]
        for owner, district in owned:
            places[district.district_code].append(f"{owner} of {area.name}")
            names[district.district_name.casefold()].add(district.district_code)
    for code, owners in places.items():
        if len(owners) > 1:
            yield (
                f"District {code} is named more than once ({', '.join(owners)}). Name it once: a "
                "district is in one force area and one partnership."
            )
    for name, codes in names.items():
        if len(codes) > 1:
            yield f"Districts {' and '.join(sorted(codes))} have the same name, '{name}'."


def _similar_faults(areas: Iterable[_ForceArea]) -> Iterator[str]:
    for area in areas:
        own: dict[str, set[str]] = defaultdict(set)
        for one, district in area.served:
            own[one.csp].add(district.district_code)
        for one in area.partnerships:
            for code in _repeated(one.similar_districts):
                yield f"similar_districts of '{one.csp}' has {code} twice. Name it once."
            for code in sorted(own[one.csp].intersection(one.similar_districts)):
                yield (
                    f"similar_districts of '{one.csp}' has its own district {code}. Remove it: a "
                    "partnership is compared with others."
                )


def _repeated(values: Iterable[str]) -> list[str]:
    seen: dict[str, str] = {}
    found = []
    for value in values:
        if value.casefold() in seen:
            found.append(value)
        seen[value.casefold()] = value
    return found

"""Finding a partnership in the published lookup of districts, partnerships and police force areas.

The lookup is the one of the Office for National Statistics from local authority districts to
community safety partnerships and police force areas; its headings carry the year, as ``LAD23CD``.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomlkit
from tomlkit.items import AoT, Table

from orchestration.errors import CspError, did_you_mean

_HEADING = re.compile(r"(LAD|CSP|PFA)(\d\d)(CD|NM)")
_HELD = tuple((area, kind) for area in ("LAD", "CSP", "PFA") for kind in ("CD", "NM"))
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


class PartnershipLookupError(CspError):
    """A partnership cannot be found, or the lookup is not there."""


@dataclass(frozen=True)
class Member:
    """A district of the lookup, with its partnership and police force area, by code and name."""

    district_code: str
    district_name: str
    partnership_code: str
    partnership_name: str
    force_code: str
    force_name: str


@dataclass(frozen=True)
class FoundPartnership:
    """A partnership as it is to be served; ``code`` is its GSS code where it has one."""

    slug: str
    name: str
    code: str | None
    districts: tuple[Member, ...]

    @property
    def force_code(self) -> str:
        """GSS code of the police force area, which all districts share."""
        return self.districts[0].force_code

    @property
    def force_name(self) -> str:
        """Name of the police force area."""
        return self.districts[0].force_name


@dataclass(frozen=True)
class _Lookup:
    """A lookup file: the two digits of its year, and its headings by what they hold."""

    year: str
    path: Path
    headings: Mapping[tuple[str, str], str]

    def members(self) -> list[Member]:
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            return [self._member(row, reader.line_num) for row in reader]

    def _member(self, row: Mapping[str, str | None], line: int) -> Member:
        values = [(row[self.headings[held]] or "").strip() for held in _HELD]
        if not all(values):
            empty = self.headings[_HELD[values.index("")]]
            raise PartnershipLookupError(
                f"{self.path.name}, line {line}: '{empty}' is empty. Land the lookup as it was "
                "published: every district has a partnership and a police force area."
            )
        return Member(*values)


def read_members(files: Iterable[Path]) -> list[Member]:
    """Return the districts of the newest lookup among ``files`` (CSV), by code.

    Raises :class:`PartnershipLookupError` where none of them is such a lookup, or a row of it is
    not whole.
    """
    found = [lookup for path in files if (lookup := _lookup(path))]
    if not found:
        raise PartnershipLookupError(
            "No lookup from districts to community safety partnerships and police force areas has "
            "landed in area_lookups. Its headings are LADyyCD, LADyyNM, CSPyyCD, CSPyyNM, PFAyyCD "
            "and PFAyyNM. The Open Geography portal publishes it; `csp fetch area_lookups` gets it."
        )
    newest = max(found, key=lambda one: (one.year, str(one.path)))
    return sorted(set(newest.members()), key=lambda one: one.district_code)


def _lookup(path: Path) -> _Lookup | None:
    """Return the lookup that a file is, or none where it is another file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next(csv.reader(file), [])
    except UnicodeDecodeError:
        return None
    matched = [(found, heading) for heading in first if (found := _HEADING.fullmatch(heading))]
    headings = {(found[1], found[3]): heading for found, heading in matched}
    if not headings.keys() >= set(_HELD):
        return None
    return _Lookup(max(found[2] for found, _ in matched), path, headings)


def find_partnership(
    asked: Sequence[str], members: Sequence[Member], name: str = ""
) -> FoundPartnership:
    """Return the partnership that ``asked`` names: itself, one of its districts, or several.

    Names and GSS codes are taken, in any case. A district of a partnership of several means
    the whole of it. Several districts are a partnership of their own, called ``name``. Raises
    :class:`PartnershipLookupError` with the nearest names where one is unknown, and where districts
    lie in two police force areas.
    """
    several = [_matching(text, members) for text in asked]
    if len(several) == 1:
        return _whole(several[0], members, name)
    districts = tuple(dict.fromkeys(one for found in several for one in found))
    forces = sorted({one.force_name for one in districts})
    if len(forces) > 1:
        raise PartnershipLookupError(
            f"The districts lie in {len(forces)} police force areas ({', '.join(forces)}). A "
            "partnership lies in one: name districts of one of them."
        )
    called = name or " and ".join(one.district_name for one in districts)
    return FoundPartnership(slug_of(called), called, None, districts)


def _matching(text: str, members: Sequence[Member]) -> list[Member]:
    wanted = text.strip().casefold()
    for by in ("partnership_code", "district_code", "partnership_name", "district_name"):
        found = [one for one in members if getattr(one, by).casefold() == wanted]
        if found:
            return found
    known = {one.partnership_name for one in members} | {one.district_name for one in members}
    near = did_you_mean(text, sorted(known))
    raise PartnershipLookupError(
        f"No partnership or district of England and Wales is called '{text}'.{near} A name as the "
        "Office for National Statistics writes it, or a GSS code such as E07000010, is needed."
    )


def _whole(found: Sequence[Member], members: Sequence[Member], name: str) -> FoundPartnership:
    """Return the partnership of the districts found, with every district that it has."""
    codes = {one.partnership_code for one in found}
    if len(codes) > 1:
        places = ", ".join(f"{one.district_code} ({one.force_name})" for one in found)
        raise PartnershipLookupError(f"Several districts have this name: {places}. Give the code.")
    districts = tuple(one for one in members if one.partnership_code in codes)
    first = districts[0]
    called = name or f"{first.partnership_name} Community Safety Partnership"
    slug = slug_of(name or first.partnership_name)
    return FoundPartnership(slug, called, first.partnership_code, districts)


def slug_of(name: str) -> str:
    """Return the short name of a partnership, which names its folder, such as mid-suffolk."""
    return _NOT_IN_SLUG.sub("-", name.lower()).strip("-")[:60].strip("-")


def force_of(area_name: str, forces: Sequence[str]) -> str:
    """Return the police force of a police force area, out of the names of ``forces``.

    A force's name begins with its area's. Raises :class:`PartnershipLookupError` where none does.
    """
    words = re.sub(r"^(.*), (.*)$", r"\2 \1", area_name).casefold()  # London, City of
    found = [force for force in forces if force.casefold().startswith(f"{words} ")]
    if len(found) != 1:
        raise PartnershipLookupError(
            f"The police force of '{area_name}' is not known. Write its name into the partnerships "
            "file, as data.police.uk has it in 'Reported by'."
        )
    return found[0]


def partnerships_text(found: FoundPartnership, members: Sequence[Member], force: str) -> str:
    """Return the partnerships file that serves ``found``, with the rest of its force's districts.

    ``force`` is the police force's name, as street-level files have it in 'Reported by'.
    """
    document = tomlkit.document()
    for line in _HEAD.format(name=found.name).splitlines():
        document.add(tomlkit.comment(line))
    area = tomlkit.table()
    area.update({"code": found.force_code, "name": found.force_name, "force": force})
    area.append("partnerships", _tables([_partnership(found)]))
    own = {one.district_code for one in found.districts}
    rest = [one for one in members if one.force_code == found.force_code]
    others = [_district(one) for one in rest if one.district_code not in own]
    if others:
        area.append("other_districts", _tables(others))
    document.append("force_areas", _tables([area]))
    return tomlkit.dumps(document)


_HEAD = """\
Serves {name}. Made from the lookup of districts, partnerships and police force areas.
docs/areas.md says what else can be here: youth offending services, prisons, towns of the residents'
survey, and the forms of the suppliers' own numbers. Each is needed once its supplier delivers."""


def _partnership(found: FoundPartnership) -> Table:
    table = tomlkit.table()
    table.update({"csp": found.slug, "name": found.name})
    if len(found.districts) == 1:
        table.update(_district(found.districts[0]))
        return table
    if found.code:
        table["code"] = found.code
    table.append("districts", _tables([_district(one) for one in found.districts]))
    return table


def _district(member: Member) -> Table:
    table = tomlkit.table()
    table.update({"district_code": member.district_code, "district_name": member.district_name})
    return table


def _tables(tables: Sequence[Table]) -> AoT:
    listed = tomlkit.aot()
    for table in tables:
        listed.append(table)
    return listed

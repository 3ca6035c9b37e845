"""Reads the Open Geography lookups of any edition, and the ONS Code History Database.

A lookup has small areas, districts and, beside them, wards and larger areas. A file is recognised
by its headings (CSV) or properties (GeoJSON), not by its name. Codes of one geography have the same
heading in every edition but for its year, such as LAD17CD and LAD22CD.
"""

import json
import os
import re
import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.headings import heading_key
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.reading.boundary import BoundaryError, boundary_text
from orchestration.ingest.reading.csv_integrity import read_header, refuse_binary
from orchestration.ingest.reading.keyed_csv import csv_rows
from orchestration.ingest.reading.source_reading import Reading, Row, decode_text

_CODE = re.compile(r"^(?P<geography>[A-Z]+)(?P<year>\d{2})CD$", re.IGNORECASE)
_WITHOUT_CHARACTER = re.compile("[\\0\\ud800-\\udfff]")
_BOUNDARIES_DISTRICT = "LADCD_ACTIVE"
_BOUNDARIES_YEAR = "21"
"""The 2021 boundaries give each district as it was when they were issued, without a year."""

_DISTRICTS = ("LAD", "LTLA")
_SMALL_AREA_YEARS = ("11", "21")
_LARGER = {"RGN", "CTRY", "NAT", "CTY", "CTYUA", "UTLA", "CAUTH", "CSP", "PFA", "ITL", "ITLD"}
"""Geographies of which a district lies in one: beside them, a district has one row."""

_BESIDE_DISTRICTS = {
    "county": ("CTY", "CTYUA", "UTLA"),
    "partnership": ("CSP",),
    "force": ("PFA",),
    "region": ("RGN",),
    "nation": ("CTRY", "NAT"),
}
"""Larger areas that are read, each with the headings that it may have, the best first."""

_OF_BOUNDARIES = {"UTLACD": "county_code", "RGNCD": "region_code"}
"""Larger areas of the 2021 boundaries, which are given without a year and without a name."""

_HISTORY = {
    "GEOGCD": "area_code",
    "GEOGNM": "area_name",
    "PARENTCD": "parent_code",
    "OPER_DATE": "first_day",
    "TERM_DATE": "last_day",
}
_CHANGES = {
    "GEOGCD": "area_code",
    "GEOGNM": "area_name",
    "GEOGCD_P": "part_code",
    "GEOGNM_P": "part_name",
    "OPER_DATE": "first_day",
}
_NEEDED = ("area_code", "district_code", "part_code")
"""What every feature has."""

_FIRST_CODES = "2009-01-01"
"""When the codes of the Code History Database begin: its rows are of no edition."""

_KINDS_READ = re.compile(r"(?:E(?:0[125-9]|1[012]|2[23]|92)|W(?:0[1256]|1[45]|92))\d{6}")
"""Codes of small areas (01), the middle areas that hold them (02), wards (05), districts (06 to 09,
in Wales 06), counties (10, 11), regions (12), partnerships (E22, W14), forces (E23, W15), nations
(92)."""

_GSS_CODE = re.compile(r"[A-Z]\d{8}")
_MIDNIGHT = re.compile(r" 00:00(?::00)?$")
_NO_DAY = ("", "n/a")
_CHARACTERS = 1 << 20
"""How many are read at a time."""

_KNOWN_LAYOUTS = (
    "The lookups that are read: LSOA 2011 or 2021 to district (LSOA11CD or LSOA21CD with LADyyCD, "
    "with or without wards or output areas), LSOA 2011 to LSOA 2021 to district (all three), "
    "district names (LADyyCD and LADyyNM), district to police force area (LADyyCD and PFAyyCD), "
    "LSOA boundaries as GeoJSON with the district (LADyyCD or LADCD_ACTIVE), and ChangeHistory.csv "
    "and Changes.csv of the Code History Database (GEOGCD with PARENTCD, or with GEOGCD_P). "
    "Each as the Open Geography portal issues it, with its header."
)


@dataclass(frozen=True)
class _Layout:
    """What a file is: the values that all its rows share, and a column for each heading."""

    shared: Mapping[str, str]
    columns: Mapping[str, str]


def read(file: LandedFile) -> Reading:
    """Return one row for each line or feature. ``line`` is the CSV line, or the feature's number.

    Raises :class:`SubmissionError` for a layout that is not known, with those that are.
    """
    if file.name.lower().endswith(".geojson"):
        warnings: list[Fault] = []
        return Reading(list(_features(file, decode_text(file), warnings)), warnings)
    return _lookup(file)


def _lookup(file: LandedFile) -> Reading:
    refuse_binary(file)
    headings = read_header(file)
    keys = {heading_key(heading) for heading in headings}
    if heading_key("GEOGCD") in keys:
        return _code_history(file, keys)
    decode_text(file)  # refuses an empty file and one that is no text before its header is read
    layout = _layout_of(file, headings)
    found = csv_rows(file, layout.columns, load_contract(Path(__file__).parent))
    return Reading((_completed(row, layout) for row in found.rows), found.warnings)


def _completed(row: Row, layout: _Layout) -> Row:
    values = {**row.values, **layout.shared}
    if layout.shared["kind"].startswith("district"):  # a district holds itself
        values |= {
            "area_code": values.get("district_code"),
            "area_name": values.get("district_name"),
        }
    return replace(row, values=values)


def _layout_of(file: LandedFile, headings: Collection[str]) -> _Layout:
    codes = _codes(headings)
    district = max(
        (one for geography in _DISTRICTS for one in codes.get(geography, ())), default=None
    )
    small_areas = codes.get("LSOA", [])
    if _BOUNDARIES_DISTRICT in headings and district is None:
        district = (_BOUNDARIES_YEAR, _BOUNDARIES_DISTRICT)
    if district is None:
        raise _unknown(file, "No heading is that of district codes (LADyyCD).", "has a header")
    if wrong := [heading for year, heading in small_areas if year not in _SMALL_AREA_YEARS]:
        raise _unknown(file, f"{wrong[0]} is not a small area of 2011 or 2021.")
    if small_areas:
        return _of_small_areas(codes, district, headings)
    smaller = sorted(set(codes) - {*_DISTRICTS, *_LARGER})
    if smaller:
        raise _unknown(
            file,
            f"The file has codes of {', '.join(smaller)} and none of small areas (LSOAyyCD).",
            "has every column",
            column="LSOA",
        )
    return _of_districts(file, codes, district, headings)


def _codes(headings: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """Return year and heading of the code columns by geography, the earliest year first."""
    found: dict[str, list[tuple[str, str]]] = {}
    for match in filter(None, map(_CODE.match, headings)):
        geography = match["geography"].upper()
        found.setdefault(geography, []).append((match["year"], match.string))
    return {geography: sorted(codes) for geography, codes in found.items()}


def _of_small_areas(
    codes: Mapping[str, list[tuple[str, str]]],
    district: tuple[str, str],
    headings: Collection[str],
) -> _Layout:
    (year, area), *later = codes["LSOA"]
    # A small area on several rows: one for each of 2021 that it became, or each output area in it.
    parts = later or codes.get("OA", [])
    columns = _with_name(area, "area", headings) | _with_name(district[1], "district", headings)
    if parts:
        columns |= _with_name(parts[-1][1], "part", headings)
    if "WD" in codes:
        columns |= _with_name(codes["WD"][-1][1], "ward", headings)
    columns |= _larger_areas(codes, district[1], headings)
    shared = _editions(f"lsoa_20{year}", year, district[0])
    return _Layout(shared, columns)


def _of_districts(
    file: LandedFile,
    codes: Mapping[str, list[tuple[str, str]]],
    district: tuple[str, str],
    headings: Collection[str],
) -> _Layout:
    columns = _with_name(district[1], "district", headings)
    if "district_name" not in columns.values():
        raise _unknown(file, f"{district[1]} is there without the districts' names (LADyyNM).")
    columns |= _larger_areas(codes, district[1], headings)
    kind = "district_force" if "PFA" in codes else "district"
    return _Layout(_editions(kind, district[0], district[0]), columns)


def _larger_areas(
    codes: Mapping[str, list[tuple[str, str]]], district: str, headings: Collection[str]
) -> dict[str, str]:
    """Return the columns of the areas that hold districts, by heading."""
    found: dict[str, str] = {}
    for what, geographies in _BESIDE_DISTRICTS.items():
        heading = next((codes[one][-1][1] for one in geographies if one in codes), None)
        if heading:
            found |= _with_name(heading, what, headings)
    if district == _BOUNDARIES_DISTRICT:
        found |= {name: column for name, column in _OF_BOUNDARIES.items() if name in headings}
    return found


def _editions(kind: str, year: str, district_year: str) -> dict[str, str]:
    return {
        "kind": kind,
        "vintage": f"20{year}-01-01",
        "district_vintage": f"20{district_year}-01-01",
    }


def _with_name(code: str, what: str, headings: Collection[str]) -> dict[str, str]:
    """Return the columns of a geography by heading: its code, and its name where there is one."""
    names = {code: f"{what}_code"}
    name = code[:-2] + ("NM" if code.endswith("CD") else "nm")
    return names | ({name: f"{what}_name"} if name in headings else {})


def _code_history(file: LandedFile, keys: Collection[str]) -> Reading:
    """Return the rows of a file of the Code History Database that are of a kind that is read.

    A file that is not UTF-8 is read as Windows-1252, as its older editions are.
    """
    of_changes = heading_key("GEOGCD_P") in keys
    columns = _CHANGES if of_changes else _HISTORY
    kind = "code_change" if of_changes else "code_history"
    text, made = _as_utf8(file)
    try:
        found = csv_rows(text, columns, load_contract(Path(__file__).parent))
    except BaseException:
        _remove(made)
        raise
    warnings = found.warnings

    def rows() -> Iterator[Row]:
        try:
            yield from _of_kinds_read(file, found.rows, kind, warnings)
        finally:
            _remove(made)

    return Reading(rows(), warnings)


def _of_kinds_read(
    file: LandedFile, rows: Iterable[Row], kind: str, warnings: list[Fault]
) -> Iterator[Row]:
    """Yield the rows of the kinds that are read, each area and day once; count the others."""
    others, first_other = 0, 1
    again, first_again = 0, 1
    seen: set[tuple[str | None, ...]] = set()
    for row in rows:
        values = row.values
        if not row.fault and not all(
            _KINDS_READ.fullmatch(values[name] or "")
            for name in ("area_code", "part_code")
            if name in values
        ):
            others, first_other = others + 1, first_other if others else row.line
            continue
        key = tuple(values.get(name) for name in ("area_code", "part_code", "first_day"))
        if not row.fault and key in seen:
            again, first_again = again + 1, first_again if again else row.line
            continue
        seen.add(key)
        yield row if row.fault else _of_history(row, kind)
    if others:
        warnings.append(_left_out(file, others, "of other kinds of areas", first_other))
    if again:
        what = "that repeats an area and its day" if again == 1 else "that repeat an area and a day"
        warnings.append(_left_out(file, again, what, first_again))


def _of_history(row: Row, kind: str) -> Row:
    given = row.values
    parent = given.get("parent_code")
    values = {
        **given,
        "kind": kind,
        "vintage": _FIRST_CODES,
        "district_vintage": _FIRST_CODES,
        "district_code": given["area_code"],
        "first_day": _day(given.get("first_day")),
        "last_day": _day(given.get("last_day")),
        # It may hold words, such as the name of a country, where the area has no code above it.
        "parent_code": parent if _GSS_CODE.fullmatch(parent or "") else None,
    }
    return replace(row, values=values)


def _day(written: str | None) -> str | None:
    """Return a day without the time of day that some editions write after it."""
    if written is None or written in _NO_DAY:
        return None
    return _MIDNIGHT.sub("", written)


def _left_out(file: LandedFile, number: int, what: str, line: int) -> Fault:
    rows, are = ("row", "is") if number == 1 else ("rows", "are")
    return Fault(
        "is an area of the hierarchy",
        f"{number:,} {rows} {what} {are} left out. Small areas, wards, districts, counties, "
        "partnerships, force areas, regions and nations of England and Wales are read, each once "
        "for a day.",
        file=file.name,
        line=line,
        severity="warning",
    )


def _as_utf8(file: LandedFile) -> tuple[LandedFile, Path | None]:
    """Return the file, or a copy in UTF-8 of one that is not, and the copy's path."""
    with suppress(UnicodeDecodeError), file.path.open(encoding="utf-8") as text:
        while text.read(_CHARACTERS):
            pass
        return file, None
    number, name = tempfile.mkstemp(suffix=".csv")
    with (
        os.fdopen(number, "w", encoding="utf-8", newline="") as copy,
        file.path.open(encoding="cp1252", errors="replace", newline="") as text,
    ):
        shutil.copyfileobj(text, copy, _CHARACTERS)
    return replace(file, path=Path(name)), Path(name)


def _remove(copy: Path | None) -> None:
    if copy:
        copy.unlink(missing_ok=True)


def _unknown(
    file: LandedFile, why: str, rule: str = "is a known lookup", column: str | None = None
) -> SubmissionError:
    fault = Fault(rule, f"{why} {_KNOWN_LAYOUTS}", file=file.name, line=1, column=column)
    return SubmissionError(fault)


def _features(file: LandedFile, text: str, warnings: list[Fault]) -> Iterator[Row]:
    found, geometries = _properties(file, text)
    layout = _layout_of(file, found[0] if isinstance(found[0], dict) else [])
    needed = [name for name, column in layout.columns.items() if column in _NEEDED]
    boundaries = _Boundaries()
    for number, area in enumerate(found, start=1):
        if not isinstance(area, dict) or any(name not in area for name in needed):
            raise SubmissionError(
                Fault(
                    "has every column",
                    f"A feature does not have {' and '.join(needed)}, as the first one has. "
                    "Send the file as the Open Geography portal issues it.",
                    file=file.name,
                    line=number,
                )
            )
        values = {column: _text(area.get(name)) for name, column in layout.columns.items()}
        if any(_WITHOUT_CHARACTER.search(value or "") for value in values.values()):
            raise SubmissionError(
                Fault(
                    "is UTF-8",
                    "A property of the feature holds what is no character. Send the file as the "
                    "Open Geography portal issues it.",
                    file=file.name,
                    line=number,
                )
            )
        values["boundary"] = boundaries.text(geometries[number - 1], number)
        yield _completed(Row(values, number), layout)
    warnings.extend(boundaries.warnings(file))


@dataclass
class _Boundaries:
    """The boundaries of a file that cannot be used: the first of each kind, and how many."""

    left_out: dict[str, list[int]] = field(default_factory=dict)

    def text(self, geometry: object, number: int) -> str | None:
        """Return a feature's boundary; none where it cannot be used, which is noted."""
        try:
            return boundary_text(geometry)
        except BoundaryError as error:
            self.left_out.setdefault(str(error), []).append(number)
            return None

    def warnings(self, file: LandedFile) -> list[Fault]:
        """Return a warning for each reason for which boundaries were left out."""
        return [_without_boundary(file, why, found) for why, found in self.left_out.items()]


def _without_boundary(file: LandedFile, why: str, features: Sequence[int]) -> Fault:
    count = len(features)
    what = "feature" if count == 1 else "features"
    return Fault(
        "has a boundary",
        f"The geometry of {count:,} {what} {why}. The codes are read and the boundary is left "
        "out, so maps do not show these areas.",
        file=file.name,
        line=features[0],
        column="geometry",
        severity="warning",
    )


def _properties(file: LandedFile, text: str) -> tuple[list[Any], list[object]]:
    """Return the properties of each feature, and its geometry."""
    try:
        features = json.loads(text, parse_constant=_refuse_constant)["features"]
        properties = [feature["properties"] for feature in features]
        geometries = [feature.get("geometry") for feature in features]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise SubmissionError(
            Fault(
                "is GeoJSON",
                "The file is not a whole GeoJSON feature collection; it may have "
                "been cut short. Send it again.",
                file=file.name,
                line=line,
            )
        ) from error
    if not properties:
        raise SubmissionError(
            Fault(
                "has rows",
                "The file has a header and nothing below it. Send it with its rows.",
                file=file.name,
            )
        )
    return properties, geometries


def _refuse_constant(constant: str) -> None:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)


def _text(value: object) -> str | None:
    return None if value is None else str(value).strip() or None

"""Reads the Open Geography lookups of any edition: small areas, districts, police force areas.

A file is recognised by its headings (CSV) or properties (GeoJSON), not by its name. Codes of one
geography have the same heading in every edition but for its year, such as LAD17CD and LAD22CD.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from orchestration.ingest.checking.contract import load_contract
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.landing.landing_zone import LandedFile
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

_KNOWN_LAYOUTS = (
    "The lookups that are read: LSOA 2011 or 2021 to district (LSOA11CD or LSOA21CD with LADyyCD, "
    "with or without wards or output areas), LSOA 2011 to LSOA 2021 to district (all three), "
    "district names (LADyyCD and LADyyNM), district to police force area (LADyyCD and PFAyyCD), "
    "and LSOA boundaries as GeoJSON with the district (LADyyCD or LADCD_ACTIVE). "
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
        return Reading(list(_features(file, decode_text(file))))
    return _lookup(file)


def _lookup(file: LandedFile) -> Reading:
    refuse_binary(file)
    decode_text(file)  # refuses an empty file and one that is no text before its header is read
    layout = _layout_of(file, read_header(file))
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
    if "PFA" not in codes:
        return _Layout(_editions("district", district[0], district[0]), columns)
    columns |= _with_name(codes["PFA"][-1][1], "force", headings)
    return _Layout(_editions("district_force", district[0], district[0]), columns)


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


def _unknown(
    file: LandedFile, why: str, rule: str = "is a known lookup", column: str | None = None
) -> SubmissionError:
    fault = Fault(rule, f"{why} {_KNOWN_LAYOUTS}", file=file.name, line=1, column=column)
    return SubmissionError(fault)


def _features(file: LandedFile, text: str) -> Iterator[Row]:
    found = _properties(file, text)
    layout = _layout_of(file, found[0] if isinstance(found[0], dict) else [])
    needed = [name for name, column in layout.columns.items() if column.endswith("_code")]
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
        yield _completed(Row(values, number), layout)


def _properties(file: LandedFile, text: str) -> list[Any]:
    try:
        features = json.loads(text, parse_constant=_refuse_constant)["features"]
        properties = [feature["properties"] for feature in features]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
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
    return properties


def _refuse_constant(constant: str) -> None:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(constant)


def _text(value: object) -> str | None:
    return None if value is None else str(value).strip() or None

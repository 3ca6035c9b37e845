"""Reads the Open Geography lookups: LSOA 2011 and district CSVs, LSOA 2021 boundaries (GeoJSON).

A file is known by the codes that it holds, not by its name.
"""

import csv
import io
import json
import re
from typing import Any

from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Row, decode_text

_DISTRICT_CODE = re.compile(r"^LAD(\d{2})CD$")
_SMALL_AREA_CODE = re.compile(r"^LSOA(\d{2})CD$")


def read(file: LandedFile) -> list[Row]:
    """Return one row for each area. ``line`` is the CSV line, or the feature's number."""
    text = decode_text(file)
    if file.name.lower().endswith(".geojson"):
        return _features(file, text)
    return _lookup(file, text)


def _lookup(file: LandedFile, text: str) -> list[Row]:
    table = csv.DictReader(io.StringIO(text))
    header = [name.strip() for name in table.fieldnames or []]
    small_area = next((one for one in map(_SMALL_AREA_CODE.match, header) if one), None)
    district = next((one for one in map(_DISTRICT_CODE.match, header) if one), None)
    if district is None:
        raise SubmissionError(
            Fault(
                "has every column",
                "There is no column of district codes (LADyyCD). Send the "
                "lookup as the Open Geography portal issues it, with its header.",
                file=file.name,
                line=1,
                column="LADyyCD",
            )
        )
    code = (small_area or district).group(0)
    kind = f"lsoa_20{small_area.group(1)}" if small_area else "district"
    columns = {
        "area_code": code,
        "area_name": code.replace("CD", "NM"),
        "district_code": district.group(0),
        "district_name": district.group(0).replace("CD", "NM"),
    }
    _require(file, header, columns.values())
    vintage = f"20{(small_area or district).group(1)}-01-01"
    found = []
    for line, record in enumerate(table, start=2):
        values = {name: (record[column] or "").strip() or None for name, column in columns.items()}
        found.append(Row({"kind": kind, "vintage": vintage, **values}, line))
    return _some(file, found)


def _require(file: LandedFile, header: list[str], wanted: Any) -> None:
    faults = [
        Fault(
            "has every column",
            f"The column '{name}' is missing.",
            file=file.name,
            line=1,
            column=name,
        )
        for name in dict.fromkeys(wanted)
        if name not in header
    ]
    if faults:
        raise SubmissionError(faults)


def _features(file: LandedFile, text: str) -> list[Row]:
    try:
        features = json.loads(text)["features"]
        properties = [feature["properties"] for feature in features]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
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
    found = []
    for number, area in enumerate(properties, start=1):
        if "LSOA21CD" not in area or "LADCD_ACTIVE" not in area:
            raise SubmissionError(
                Fault(
                    "has every column",
                    "A feature has no LSOA21CD or no LADCD_ACTIVE: these are "
                    "not 2021 LSOA boundaries with their district.",
                    file=file.name,
                    line=number,
                )
            )
        values = {
            "kind": "lsoa_2021",
            "vintage": "2021-01-01",
            "area_code": area["LSOA21CD"],
            "area_name": area.get("LSOA21NM"),
            "district_code": area["LADCD_ACTIVE"],
        }
        found.append(Row(values, number))
    return _some(file, found)


def _some(file: LandedFile, rows: list[Row]) -> list[Row]:
    if not rows:
        raise SubmissionError(
            Fault(
                "has rows",
                "The file has a header and nothing below it. Send it with its rows.",
                file=file.name,
            )
        )
    return rows

"""Reads the Open Geography lookups: LSOA 2011 and district CSVs, LSOA 2021 boundaries (GeoJSON).

A file is known by the codes that it holds, not by its name.
"""

import json
import re
from dataclasses import replace
from pathlib import Path

from orchestration.ingest.contract import load_contract
from orchestration.ingest.faults import Fault, SubmissionError
from orchestration.ingest.keyed_csv import csv_rows
from orchestration.ingest.landing import LandedFile
from orchestration.ingest.reading import Reading, Row, decode_text
from orchestration.ingest.scan import read_header

_DISTRICT = re.compile(r"^LAD(\d{2})(CD|NM)$")
_SMALL_AREA = re.compile(r"^LSOA(\d{2})(CD|NM)$")


def read(file: LandedFile) -> Reading:
    """Return one row for each area. ``line`` is the CSV line, or the feature's number."""
    if file.name.lower().endswith(".geojson"):
        return Reading(_features(file, decode_text(file)))
    return _lookup(file)


def _lookup(file: LandedFile) -> Reading:
    decode_text(file)  # tells an empty file and one that is no text, before its header is sought
    header = read_header(file)
    small_area = next((one for one in map(_SMALL_AREA.match, header) if one), None)
    district = next((one for one in map(_DISTRICT.match, header) if one), None)
    if district is None:
        raise SubmissionError(
            Fault(
                "has a header",
                "No heading is that of district codes (LADyyCD). Send the "
                "lookup as the Open Geography portal issues it, with its header.",
                file=file.name,
                line=1,
                column="LADyyCD",
            )
        )
    vintage = (small_area or district).group(1)
    district_code = f"LAD{district.group(1)}CD"
    code = f"LSOA{vintage}CD" if small_area else district_code
    kind = f"lsoa_20{vintage}" if small_area else "district"
    columns = {
        code: "area_code",
        code.replace("CD", "NM"): "area_name",
        district_code: "district_code",
        district_code.replace("CD", "NM"): "district_name",
    }
    found = csv_rows(file, columns, load_contract(Path(__file__).parent))
    of_the_whole = {
        "kind": kind,
        "vintage": f"20{vintage}-01-01",
    }
    if small_area is None:  # a district holds itself, so that its columns stand for both
        rows = [
            replace(
                row,
                values={
                    "area_code": row.values.get("district_code"),
                    "area_name": row.values.get("district_name"),
                    **row.values,
                    **of_the_whole,
                },
            )
            for row in found.rows
        ]
    else:
        rows = [replace(row, values={**row.values, **of_the_whole}) for row in found.rows]
    return Reading(rows, found.warnings)


def _features(file: LandedFile, text: str) -> list[Row]:
    try:
        features = json.loads(text)["features"]
        properties = [feature["properties"] for feature in features]
    except (json.JSONDecodeError, KeyError, TypeError, RecursionError) as error:
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
        if not isinstance(area, dict) or "LSOA21CD" not in area or "LADCD_ACTIVE" not in area:
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
            "area_code": _text(area["LSOA21CD"]),
            "area_name": _text(area.get("LSOA21NM")),
            "district_code": _text(area["LADCD_ACTIVE"]),
        }
        found.append(Row(values, number))
    return _some(file, found)


def _text(value: object) -> str | None:
    return None if value is None else str(value).strip() or None


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

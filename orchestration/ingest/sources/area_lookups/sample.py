"""Sample of the area lookups: real codes and names, cut to the force area and its neighbours.

The facts are in `sample_*.csv` beside this module, boundaries simplified so that neighbours still
meet; the files are rebuilt from them in the publisher's layouts. Also the one place from which
other samples take areas.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from orchestration.ingest.landing.receipt import SampleDelivery

LSOA_2011_FILE = "Lower_Layer_Super_Output_Area_2011_to_Ward_2017_Lookup_in_England_and_Wales.csv"
DISTRICT_FILE = "Local_Authority_Districts_December_2018_Names_and_Codes_in_the_United_Kingdom.csv"

Coordinates = list[list[list[list[float]]]]
"""Polygons of a boundary, each of rings of points: longitude and latitude (degrees, WGS 84)."""


@dataclass(frozen=True)
class District:
    """A local authority district; longitude and latitude (degrees, WGS 84) of a middle point."""

    code: str
    name: str
    in_force_area: bool
    longitude: float
    latitude: float


@dataclass(frozen=True)
class SmallArea:
    """A lower layer super output area, the code of its district and, in 2011, its ward of 2017."""

    code: str
    name: str
    district_code: str
    ward_code: str = ""
    ward_name: str = ""


def districts() -> list[District]:
    """Return the six districts of the force area and the neighbours used, by code."""
    return [
        District(
            code=row["district_code"],
            name=row["district_name"],
            in_force_area=row["in_force_area"] == "yes",
            longitude=float(row["longitude"]),
            latitude=float(row["latitude"]),
        )
        for row in _facts("sample_districts.csv")
    ]


def lsoas(year: int) -> list[SmallArea]:
    """Return the small areas of the 2011 or 2021 geography, by code.

    Those of 2011 include the few in neighbouring districts that the street sample uses.
    """
    return [
        SmallArea(
            row["area_code"],
            row["area_name"],
            row["district_code"],
            row.get("ward_code", ""),
            row.get("ward_name", ""),
        )
        for row in _facts(f"sample_lsoa_{year}.csv")
    ]


def deliveries() -> Iterator[SampleDelivery]:
    """Yield the one delivery of lookups."""
    force_districts = [district for district in districts() if district.in_force_area]
    yield SampleDelivery(
        source="area_lookups",
        quarter=date(2018, 4, 1),
        received_at=datetime(2018, 7, 14, 9),
        nature="real",
        note=(
            "Excerpt: real codes and names of the six districts and of the neighbouring areas "
            "used in the street sample, in the publisher's layouts; boundaries are simplified to "
            "some 200 metres, Welsh names and global identifiers are left out and row numbers are "
            "new. The 2021 geography is later than the quarter and is here so that both codings "
            "can be loaded and a map can be drawn. Source: Office for National Statistics, Open "
            "Government Licence v3.0; contains OS data (Crown copyright and database right)."
        ),
        files={
            LSOA_2011_FILE: _lsoa_2011_csv(),
            DISTRICT_FILE: _district_csv(),
            **{f"{area.code}.geojson": _lsoa_2021_geojson(area.code) for area in force_districts},
        },
    )


def _lsoa_2011_csv() -> bytes:
    names = {district.code: district.name for district in districts()}
    header = ["LSOA11CD", "LSOA11NM", "WD17CD", "WD17NM", "WD17NMW", "LAD17CD", "LAD17NM", "FID"]
    rows = (
        (
            area.code,
            area.name,
            area.ward_code,
            area.ward_name,
            "",
            area.district_code,
            names[area.district_code],
            number,
        )
        for number, area in enumerate(lsoas(2011), start=1)
    )
    return _csv([header, *rows]).encode()


def _district_csv() -> bytes:
    header = ["LAD18CD", "LAD18NM", "LAD18NMW", "FID"]
    rows = (
        (district.code, district.name, "", number)
        for number, district in enumerate(districts(), start=1)
    )
    return _csv([header, *rows]).encode("utf-8-sig")


def _lsoa_2021_geojson(district_code: str) -> bytes:
    areas = [area for area in lsoas(2021) if area.district_code == district_code]
    rings = {row["area_code"]: row["rings"] for row in _facts("sample_boundaries_2021.csv")}
    features = [
        _feature(number, area, _coordinates(rings[area.code]))
        for number, area in enumerate(areas, start=1)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    lines = [
        "{",
        '"type": "FeatureCollection",',
        f'"name": "{district_code}",',
        f'"crs": {json.dumps(crs)},',
        '"features": [',
        ",\n".join(features),
        "]",
        "}",
        "",
    ]
    return "\n".join(lines).encode()


def _coordinates(rings: str) -> Coordinates:
    """Return the polygons that are written with semicolons between them, slashes between rings."""
    return [
        [
            [[float(number) for number in point.split(",")] for point in ring.split()]
            for ring in polygon.split(" / ")
        ]
        for polygon in rings.split("; ")
    ]


def _feature(number: int, area: SmallArea, coordinates: Coordinates) -> str:
    # A unitary authority is its own upper tier.
    upper_tier = area.district_code if area.district_code.startswith("E06") else "E10000003"
    properties = {
        "FID": number,
        "LSOA21CD": area.code,
        "LSOA21NM": area.name,
        "LADCD_ACTIVE": area.district_code,
        "UTLACD": upper_tier,
        "CAUTHCD": "E47000008",
        "RGNCD": "E12000006",
    }
    geometry = {"type": "MultiPolygon", "coordinates": coordinates}
    return json.dumps({"type": "Feature", "properties": properties, "geometry": geometry})


def _facts(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _csv(rows: Iterable[Iterable[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()

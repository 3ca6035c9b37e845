"""A mirror folder laid out as the publishers' hosts and paths. Its figures are synthetic.

It has four police force areas with made-up small areas: one of several districts with a partnership
of two, a London borough's, a Welsh county's, and one more district force.
"""

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from orchestration.feeds.feed_file import Layer, feed_of
from orchestration.ingest.checking.force_names import force_slug
from tests.feed_server import ARCHIVES, CONTENT, NOMIS, TABLE, content_page, index_page
from tests.support import STREET_HEADER, street_row
from tests.workbooks import ods

FORCES = {
    "E23000025": ("Suffolk", "Suffolk Constabulary"),
    "E23000023": ("Cambridgeshire", "Cambridgeshire Constabulary"),
    "E23000001": ("Metropolitan Police", "Metropolitan Police Service"),
    "W15000004": ("Dyfed-Powys", "Dyfed-Powys Police"),
}
DISTRICTS = (
    # code, name, partnership's code and name, police force area
    ("E07000200", "Babergh", "E22000261", "Western Suffolk", "E23000025"),
    ("E07000203", "Mid Suffolk", "E22000261", "Western Suffolk", "E23000025"),
    ("E07000202", "Ipswich", "E22000258", "Ipswich", "E23000025"),
    ("E07000010", "Fenland", "E22000031", "Fenland", "E23000023"),
    ("E07000008", "Cambridge", "E22000029", "Cambridge", "E23000023"),
    ("E09000033", "Westminster", "E22000379", "Westminster", "E23000001"),
    ("E09000007", "Camden", "E22000353", "Camden", "E23000001"),
    ("W06000023", "Powys", "W22000021", "Powys", "W15000004"),
    ("W06000010", "Carmarthenshire", "W22000020", "Carmarthenshire", "W15000004"),
)
MONTHS = ("2018-07", "2018-08", "2018-09", "2018-10", "2018-11", "2018-12")
TYPES = ("Shoplifting", "Burglary", "Violence and sexual offences", "Anti-social behaviour")
SMALL_AREAS = 6
"""Small areas of a district."""


def write_mirror(root: Path, months: Sequence[str] = MONTHS) -> None:
    """Write the mirror into ``root``."""
    _write_police(root, months)
    _write_dwellings(root)
    _write_populations(root)
    for layer in feed_of("area_lookups").layers:
        _write_layer(root, layer)


def small_areas(district: str) -> list[str]:
    """Return the codes of a district's made-up small areas of 2011 (and of 2021: no change)."""
    place = [code for code, *_ in DISTRICTS].index(district)
    return [f"{district[0]}01{900_000 + place * SMALL_AREAS + n:06d}" for n in range(SMALL_AREAS)]


def offences(district: str, crime_type: str, month: str) -> int:
    """Return the made-up number of offences of a district in a month."""
    return random.Random(f"{district} {crime_type} {month}").randint(4, 40)


def _put(root: Path, address: str, content: bytes, suffix: str = "") -> None:
    parts = urlsplit(address)
    path = root / parts.netloc / (parts.path.strip("/") + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _write_police(root: Path, months: Sequence[str]) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for month in months:
            for code, (_, force) in FORCES.items():
                name = f"{month}/{month}-{force_slug(force)}-street.csv"
                archive.writestr(name, _street_file(code, force, month))
    md5 = hashlib.md5(made.getvalue()).hexdigest()
    _put(root, f"{ARCHIVES}index.html", index_page({months[-1]: md5}))
    _put(root, f"{ARCHIVES}{months[-1]}.zip", made.getvalue())


def _street_file(code: str, force: str, month: str) -> str:
    rows, number = [STREET_HEADER], 0
    for district, name, _, _, force_code in DISTRICTS:
        if force_code != code:
            continue
        for crime_type in TYPES:
            for n in range(offences(district, crime_type, month)):
                number += 1
                rows.append(
                    street_row(
                        month, crime_type, int(month.replace("-", "")) * 100_000 + number,
                        reported_by=force, falls_within=force,
                        lsoa_code=small_areas(district)[n % SMALL_AREAS],
                        lsoa_name=f"{name} {n % SMALL_AREAS:03d}A",
                        outcome="" if crime_type == TYPES[-1] else "Under investigation",
                    )
                )  # fmt: skip
    return "".join(f"{row}\r\n" for row in rows)


def _write_dwellings(root: Path) -> None:
    header = [
        "Current ONS code", "LA code", "Local authority name", "Local Authority",
        "Private registered provider", "Other public sector", "Private sector", "Total",
    ]  # fmt: skip
    rows = [
        [code, code[-4:], name, 1000, 3000, 10, 30_000, 34_010]
        for code, name, *_ in DISTRICTS
        if code.startswith("E")
    ]
    table = ods({"2018": [["Table 100"], header, *rows]})
    _put(root, CONTENT, content_page(size=len(table)))
    _put(root, TABLE, table)


def _write_populations(root: Path) -> None:
    lines = ['"GEOGRAPHY_CODE","GEOGRAPHY_NAME","DATE_NAME","OBS_VALUE","RECORD_COUNT"']
    years = (2016, 2017, 2018)
    lines += [
        f'"{code}","{name}","{year}",{90_000 + 1000 * n + year},{len(DISTRICTS) * len(years)}'
        for year in years
        for n, (code, name, *_) in enumerate(DISTRICTS)
    ]
    _put(root, NOMIS, "\r\n".join([*lines, ""]).encode())
    _write_populations_by_age(root, years)


def _write_populations_by_age(root: Path, years: Sequence[int]) -> None:
    count = len(DISTRICTS) * len(years) * 2 * 91
    lines = [
        '"GEOGRAPHY_CODE","GEOGRAPHY_NAME","DATE_NAME","GENDER_NAME","C_AGE_NAME","OBS_VALUE",'
        '"RECORD_COUNT"'
    ]
    lines += [
        f'"{code}","{name}","{year}","{sex}","{f"Age {age}" if age < 90 else "Aged 90+"}",'
        f"{900 - 9 * age + n},{count}"
        for year in years
        for n, (code, name, *_) in enumerate(DISTRICTS)
        for sex in ("Male", "Female")
        for age in range(91)
    ]
    _put(root, NOMIS, "\r\n".join([*lines, ""]).encode(), ".by_age")


def _write_layer(root: Path, layer: Layer) -> None:
    address = layer.service or _service_of_item(root, layer)
    rows = _rows_of(layer)
    fields = [{"name": "ObjectId", "type": "esriFieldTypeOID"}]
    fields += [{"name": name, "type": "esriFieldTypeString"} for name in rows[0]]
    described = {
        "fields": fields, "objectIdField": "ObjectId", "maxRecordCount": 2000,
        "editingInfo": {"lastEditDate": 1_700_000_000_000},
    }  # fmt: skip
    page = {"features": [{"attributes": {"ObjectId": n, **row}} for n, row in enumerate(rows, 1)]}
    _put(root, f"{address}/0/index.json", json.dumps(described).encode())
    _put(root, f"{address}/0/query", json.dumps(page).encode())
    _put(root, f"{address}/0/query", json.dumps({"count": len(rows)}).encode(), ".count")


def _service_of_item(root: Path, layer: Layer) -> str:
    """Write the portal's answer for an item, and return the service that it names."""
    service = (
        "https://services1.arcgis.com/ESMARspQHYMw9BZ9/arcgis/rest/services/Item/FeatureServer"
    )
    portal = f"{feed_of('area_lookups').address}/{layer.item}"
    _put(root, portal, json.dumps({"id": layer.item, "url": service}).encode())
    return service


def _rows_of(layer: Layer) -> list[dict[str, Any]]:
    if "PFA" in layer.file:
        return [
            {
                "LAD23CD": code, "LAD23NM": name, "CSP23CD": csp, "CSP23NM": csp_name,
                "PFA23CD": force, "PFA23NM": FORCES[force][0],
            }
            for code, name, csp, csp_name, force in DISTRICTS
        ]  # fmt: skip
    return [_small_area(layer.file, code, name, area) for code, name, *_ in DISTRICTS
            for area in small_areas(code)]  # fmt: skip


def _small_area(file: str, code: str, name: str, area: str) -> dict[str, Any]:
    place = f"{name} {area[-3:]}A"
    if file.startswith("LSOA11"):
        return {
            "LSOA11CD": area, "LSOA11NM": place, "CHGIND": "U", "LSOA21CD": area,
            "LSOA21NM": place, "LAD22CD": code, "LAD22NM": name,
        }  # fmt: skip
    return {
        "LSOA21CD": area, "LSOA21NM": place, "WD24CD": f"{code[0]}05{area[-6:]}",
        "WD24NM": f"{name} ward", "LAD24CD": code, "LAD24NM": name,
    }  # fmt: skip

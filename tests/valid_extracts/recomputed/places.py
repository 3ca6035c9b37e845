"""Small areas, populations, dwellings and supported accommodation."""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.valid_extracts.recomputed.figures import rate
from tests.valid_extracts.recomputed.landed import (
    Landed,
    Row,
    csv_rows,
    sheet_names,
    sheet_rows,
    table_below,
)

Table = dict[tuple[Any, ...], Row]
_CARRIED = 2
"""Years for which the latest estimate may stand in for one that is not there."""


def small_areas(landed: Landed) -> dict[str, str]:
    """Return the district of each small area, by the latest lookup delivered."""
    found: dict[str, str] = {}
    for _, path in landed.files("area_lookups"):
        if path.suffix != ".csv":
            continue
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for line in csv.DictReader(handle):
                code = next(
                    (line[name] for name in line if re.fullmatch(r"LSOA\d\dCD", name)), None
                )
                district = next(line[name] for name in line if re.fullmatch(r"LAD\d\dCD", name))
                if code:
                    found[code] = district
    return found


@dataclass(frozen=True)
class People:
    """A population that divides a rate."""

    count: int
    year: int
    carried: bool
    estimator: str


class Populations:
    """Populations of districts and force areas, as the method says."""

    def __init__(self, landed: Landed) -> None:
        self._estimates = {
            name: _whole_forces(landed, _estimates(landed, name))
            for name in ("ons_mid_year", "research_group")
        }

    def of(self, area: str, year: int) -> People | None:
        """Return the ONS estimate of the year, or the latest of the two years before."""
        return self._by("ons_mid_year", area, year)

    def of_offenders(self, area: str, year: int) -> People | None:
        """Return the research group's, and the ONS estimate where it has none."""
        return self._by("research_group", area, year) or self.of(area, year)

    def _by(self, estimator: str, area: str, year: int) -> People | None:
        for back in range(_CARRIED + 1):
            count = self._estimates[estimator].get((area, year - back))
            if count is not None:
                return People(count, year - back, back > 0, estimator)
        return None


def _estimates(landed: Landed, estimator: str) -> dict[tuple[str, int], int]:
    rows = []
    for quarter, path in landed.files("population_estimates"):
        if path.suffix == ".csv" and estimator == "research_group":
            with path.open(encoding="utf-8-sig", newline="") as handle:
                for line in csv.DictReader(handle):
                    row = {"area": line["Area code"], "count": int(line["Population"])}
                    rows.append((quarter, row | {"mid_year": _mid_year(line["Mid-year"])}))
        elif path.suffix == ".xls" and estimator == "ons_mid_year":
            _, body = table_below(sheet_rows(path, "MYE 5"), "Code")
            for line in body:
                for heading, value in line.items():
                    if heading and str(heading).startswith("Estimated") and value is not None:
                        row = {"area": line["Code"], "count": int(value)}
                        rows.append((quarter, row | {"mid_year": _mid_year(str(heading)[-4:])}))
    kept = landed.in_force(rows, lambda row: estimator, "mid_year")
    return {(row["area"], row["mid_year"].year): row["count"] for row in kept}


def _mid_year(year: str) -> date:
    return date(int(year), 6, 30)


def _whole_forces(landed: Landed, found: dict[tuple[str, int], int]) -> dict[tuple[str, int], int]:
    """Add the force areas, for the years that all of their districts have."""
    years = {year for _, year in found}
    for force in landed.forces:
        for year in years:
            parts = [found.get((district, year)) for district in force.districts]
            if None not in parts:
                found[force.code, year] = sum(parts)  # type: ignore[arg-type]
    return found


# --- dwellings -------------------------------------------------------------------------------

_SOCIAL = ("local authority", "private registered provider", "other public sector")


def dwellings(landed: Landed) -> Table:
    """Return ``social_housing_stock``."""
    rows = []
    for quarter, path in landed.files("dwelling_stock"):
        for sheet in sheet_names(path):
            if sheet.isdigit():
                _, body = table_below(sheet_rows(path, sheet), "Area")
                rows += [
                    (quarter, {"stock_date": date(int(sheet), 3, 31), "row": line}) for line in body
                ]
    by_date: dict[date, dict[str, Row]] = defaultdict(dict)
    for kept in landed.in_force(rows, lambda row: "", "stock_date"):
        line = kept["row"]
        by_date[kept["stock_date"]][line["Current ONS code"]] = line
    populations, table = Populations(landed), {}
    for day, lines in by_date.items():
        for force in landed.forces:
            cells = {code: _tenures(lines.get(code)) for code in force.districts}
            cells[force.code] = _summed([cells[code] for code in force.districts])
            for area, tenures in cells.items():
                people = populations.of(area, day.year)
                for tenure, (count, marker) in tenures.items():
                    row: Row = {"dwellings": count, "population": people and people.count}
                    found = rate(count, people.count if people else None)
                    # Limits of part of a dwelling are not defined by the method.
                    row |= found if count is None or count == int(count) else {}
                    row["rate_per_1000"] = found["rate_per_1000"]
                    row["status"] = marker or _status(count, people)
                    table[area, tenure, day] = row
    return table


def _status(count: float | None, people: People | None) -> str | None:
    if count is None or people is None:
        return "[x]"
    return "[p]" if people.carried else None


Cells = dict[str, tuple[float | None, str | None]]


def _tenures(line: Row | None) -> Cells:
    """Return each tenure's dwellings and marker; [c] and [z] are the publisher's own."""
    cells: Cells = {}
    for tenure in (*_SOCIAL, "private sector", "total"):
        value = line.get(tenure.title()) if line else None
        name = "all dwellings" if tenure == "total" else tenure
        if isinstance(value, str):
            cells[name] = (None, value if value in ("[c]", "[z]") else None)
        else:
            cells[name] = (value, None)
    social = [cells[tenure][0] for tenure in _SOCIAL]
    cells["all social"] = (None if None in social else sum(social), None)  # type: ignore[arg-type]
    return cells


def _summed(parts: list[Cells]) -> Cells:
    return {tenure: (_sum([part[tenure][0] for part in parts]), None) for tenure in parts[0]}


def _sum(values: list[float | None]) -> float | None:
    return None if None in values else sum(values)  # type: ignore[arg-type]


# --- supported accommodation -----------------------------------------------------------------


def schemes(landed: Landed) -> Table:
    """Return the sums of ``supported_accommodation`` over all schemes, and each scheme's."""
    rows = landed.in_force(
        csv_rows(landed, "supported_accommodation"),
        lambda row: row["district_code"],
        "snapshot_date",
    )
    table: Table = {}
    for day in {row["snapshot_date"] for row in rows}:
        listed = [row for row in rows if row["snapshot_date"] == day]
        for force in landed.forces:
            sent = {row["district_code"] for row in listed} & set(force.districts)
            if sent:
                _add_schemes(table, day, force.code, force.districts, listed)
    return table


def _add_schemes(
    table: Table, day: date, force: str, districts: tuple[str, ...], listed: list[Row]
) -> None:
    inside = [row for row in listed if row["district_code"] in districts]
    for kind in ("supported place", "move-on flat"):
        of_kind = [row for row in inside if row["kind"] == kind]
        for row in of_kind:
            area, scheme, town = row["district_code"], row["scheme"], row["town"]
            table[area, day, scheme, town, kind] = _places([row])
        for scheme in {row["scheme"] for row in of_kind}:
            some = [row for row in of_kind if row["scheme"] == scheme]
            table[force, day, scheme, "All towns", kind] = _places(some)
        for area in districts:
            of_area = [row for row in inside if row["district_code"] == area]
            some = [row for row in of_area if row["kind"] == kind]
            found = _places(some) if of_area else _UNKNOWN
            table[area, day, "All schemes", "All towns", kind] = found
        everyone = {row["district_code"] for row in inside} == set(districts)
        found = _places(of_kind) if everyone else _UNKNOWN
        table[force, day, "All schemes", "All towns", kind] = found


_UNKNOWN: Row = {"places": None, "places_stated": None, "sites": None, "status": "[x]"}


def _places(rows: list[Row]) -> Row:
    stated = [row["places"] for row in rows if row["places"] is not None]
    known = len(stated) == len(rows)
    return {
        "places": sum(stated) if known else None,
        "places_stated": sum(stated) if stated or not rows else None,
        "sites": len(rows),
        "sites_without_places": len(rows) - len(stated),
        "status": None if known else "[x]",
    }

"""Small areas, populations, dwellings and supported accommodation."""

import csv
import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.valid_extracts.recomputed.figures import rate
from tests.valid_extracts.recomputed.landed import (
    Force,
    Landed,
    Row,
    by_district,
    csv_rows,
    sheet_names,
    sheet_rows,
    table_below,
)

Table = dict[tuple[Any, ...], Row]
_CARRIED = 2
"""Years for which the latest estimate may stand in for one that is not there."""


def small_areas(landed: Landed) -> dict[str, str]:
    """Return the district of each small area, or that which succeeded it here.

    Of the editions that know it, one whose district is in the partnerships file comes first, then
    the newest. (None here splits a small area.)
    """
    found: dict[str, dict[int, str]] = defaultdict(dict)
    for _, path in landed.files("area_lookups"):
        if path.suffix != ".csv":
            continue
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for line in csv.DictReader(handle):
                code = next(
                    (line[name] for name in line if re.fullmatch(r"LSOA\d\dCD", name)), None
                )
                heading = next(name for name in line if re.fullmatch(r"LAD\d\dCD", name))
                if code:
                    found[code][int(heading[3:5])] = line[heading]
    chosen = {}
    for code, editions in found.items():
        newest = [editions[year] for year in sorted(editions, reverse=True)]
        served = [one for one in map(landed.district, newest) if one]
        chosen[code] = (served or newest)[0]
    return chosen


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
            name: by_district(landed, _estimates(landed, name))
            for name in ("ons_mid_year", "research_group")
        }

        self._sums = {area: own for force in landed.forces for area, own in force.sums.items()}

    def of(self, area: str, year: int) -> People | None:
        """Return the ONS estimate of the year, or the latest of the two years before."""
        return self._by("ons_mid_year", area, year)

    def of_offenders(self, area: str, year: int) -> People | None:
        """Return the research group's, and the ONS estimate where it has none."""
        return self._by("research_group", area, year) or self.of(area, year)

    def _by(self, estimator: str, area: str, year: int) -> People | None:
        if area in self._sums:
            return _together([self._by(estimator, one, year) for one in self._sums[area]])
        for back in range(_CARRIED + 1):
            count = self._estimates[estimator].get((area, year - back))
            if count is not None:
                return People(int(count), year - back, back > 0, estimator)
        return None


def _together(parts: list[People | None]) -> People | None:
    """Return the sum of the populations that districts have for a year, each carried or not."""
    known = [one for one in parts if one]
    if len(known) < len(parts):
        return None
    return People(
        sum(one.count for one in known),
        min(one.year for one in known),
        any(one.carried for one in known),
        known[0].estimator,
    )


def _estimates(landed: Landed, estimator: str) -> dict[tuple[str, Any], float | None]:
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
            cells = {code: _of_district(force, code, lines) for code in force.districts}
            for area, districts in force.sums.items():
                cells[area] = _summed([cells[code] for code in districts])
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


def _of_district(force: Force, code: str, lines: dict[str, Row]) -> Cells:
    """Return the cells of a district: of its own line, else the sums of those before it.

    The line of a district that was only recoded is its own, with the publisher's markers.
    """
    before = force.before(code)
    if code in lines or not before:
        return _tenures(lines.get(code))
    if len(before) == 1:
        return _of_district(force, before[0], lines)
    return _summed([_of_district(force, old, lines) for old in before])


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
        for force in landed.forces:
            listed = [
                row | {"district_code": force.served(row["district_code"])}
                for row in rows
                if row["snapshot_date"] == day and force.served(row["district_code"])
            ]
            if listed:
                _add_schemes(table, day, force, listed)
    return table


def _add_schemes(table: Table, day: date, force: Force, inside: list[Row]) -> None:
    sent = {row["district_code"] for row in inside}
    for kind in ("supported place", "move-on flat"):
        of_kind = [row for row in inside if row["kind"] == kind]
        for row in of_kind:
            area, scheme, town = row["district_code"], row["scheme"], row["town"]
            here = (area, scheme, town)
            same = [
                one for one in of_kind if (one["district_code"], one["scheme"], one["town"]) == here
            ]
            table[area, day, scheme, town, kind] = _places(same)
        for total, districts in force.sums.items():
            within = [row for row in of_kind if row["district_code"] in districts]
            for scheme in {row["scheme"] for row in within}:
                some = [row for row in within if row["scheme"] == scheme]
                table[total, day, scheme, "All towns", kind] = _places(some)
            found = _places(within) if sent >= set(districts) else _UNKNOWN
            table[total, day, "All schemes", "All towns", kind] = found
        for area in force.districts:
            some = [row for row in of_kind if row["district_code"] == area]
            found = _places(some) if area in sent else _UNKNOWN
            table[area, day, "All schemes", "All towns", kind] = found


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

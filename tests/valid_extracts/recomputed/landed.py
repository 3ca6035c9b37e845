"""Landed files as rows, and which of them are in force as at a quarter."""

import csv
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import Contract, load_contracts

Row = dict[str, Any]
_YOUNGEST, _OLDEST = 10, 110
"""Ages at which somebody can be charged or supervised."""

FILE = "(file)"
"""Key of a row's file name."""

SEEDS = PROJECT / "dbt_project" / "seeds"


@dataclass(frozen=True)
class Force:
    """A force area of the partnerships file."""

    code: str
    name: str
    districts: tuple[str, ...]
    csps: frozenset[str]
    """Districts with a partnership."""
    partnerships: dict[str, tuple[str, ...]]
    """Districts of each partnership of several, by the code of its rows."""
    youth_services: dict[str, tuple[str, ...]]
    prisons: dict[str, str]
    """Prisons with their groups."""
    towns: tuple[tuple[str, str], ...]
    """Each town of the survey with its district."""
    surveys: dict[str, tuple[str, ...]]
    """Districts of each survey that is named."""

    def served(self, code: str | None) -> str | None:
        """Return the district of the force that has a code, or that succeeded it.

        A district of the file that was succeeded by another stays what it is.
        """
        while code is not None and code not in self.districts:
            code = _SUCCESSORS.get(code)
        return code

    def before(self, code: str) -> list[str]:
        """Return the districts that one succeeded and that the file does not name itself."""
        return [
            old for old, new in _SUCCESSORS.items() if new == code and old not in self.districts
        ]

    def place(self, code: str | None) -> str:
        """Return the area in which a person of a district's code is counted."""
        if code is None:
            return f"{self.code}:unlocated"
        return self.served(code) or f"{self.code}:outside"

    def members(self, area: str) -> tuple[str, ...]:
        """Return the areas whose people an area counts: its districts, or itself alone."""
        return self.partnerships.get(area, (area,))

    @property
    def sums(self) -> dict[str, tuple[str, ...]]:
        """The districts of each area that is a sum of them: partnerships and the force area."""
        return {**self.partnerships, self.code: self.districts}


@dataclass(frozen=True)
class Landed:
    """A landing zone as at a quarter."""

    raw: Path
    as_at: date
    forces: tuple[Force, ...]

    @classmethod
    def of(cls, folder: Path, as_at: date) -> "Landed":
        listed = tomllib.loads((folder / "partnerships.toml").read_text(encoding="utf-8"))
        return cls(folder / "raw", as_at, tuple(map(_force, listed["force_areas"])))

    def district(self, code: str | None) -> str | None:
        """Return the district of a force here that has a code, or that succeeded it."""
        found = [force.served(code) for force in self.forces]
        return next((district for district in found if district), None)

    @property
    def last_day(self) -> date:
        return _last_day(self.as_at)

    def files(self, source: str) -> Iterator[tuple[date, Path]]:
        """Yield quarter and path of each file delivered up to the quarter, oldest first."""
        for folder in sorted((self.raw / source).glob("*")):
            if date.fromisoformat(folder.name) <= self.as_at:
                for path in sorted(folder.iterdir()):
                    yield date.fromisoformat(folder.name), path

    def in_force(
        self, rows: list[tuple[date, Row]], series: Callable[[Row], Any], period: str
    ) -> list[Row]:
        """Keep of each series and period what the latest quarter delivered, up to its last day."""
        latest: dict[tuple[Any, Any], date] = {}
        for quarter, row in rows:
            key = (series(row), row[period])
            if row[period] <= self.last_day:
                latest[key] = max(latest.get(key, quarter), quarter)
        return [row for quarter, row in rows if latest.get((series(row), row[period])) == quarter]


def _force(area: dict[str, Any]) -> Force:
    members: dict[str, list[str]] = {}
    codes: dict[str, str] = {}
    for one in area.get("partnerships", []):
        of_csp = members.setdefault(one["csp"], [])
        of_csp += [each["district_code"] for each in one.get("districts", [one])]
        if "code" in one:
            codes[one["csp"]] = one["code"]
    served = [district for districts in members.values() for district in districts]
    others = [one["district_code"] for one in area.get("other_districts", [])]
    services: dict[str, tuple[str, ...]] = {
        one["name"]: tuple(one["districts"]) for one in area.get("youth_offending_services", [])
    }
    prisons = {one["name"]: one.get("group", one["name"]) for one in area.get("prisons", [])}
    return Force(
        area["code"],
        area["force"],
        (*served, *others),
        frozenset(served),
        {
            codes.get(csp, csp): tuple(districts)
            for csp, districts in members.items()
            if len(districts) > 1
        },
        services,
        prisons,
        tuple((one["name"], one["district_code"]) for one in area.get("towns", [])),
        {one["title"]: tuple(one["districts"]) for one in area.get("surveys", [])},
    )


def _last_day(quarter: date) -> date:
    return (pd.Timestamp(quarter) + pd.offsets.QuarterEnd(startingMonth=3)).date()


@cache
def seed(name: str) -> list[dict[str, str]]:
    """Return a reference list."""
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


_SUCCESSORS = {row["predecessor_code"]: row["successor_code"] for row in seed("district_changes")}


def by_district(
    landed: Landed, found: dict[tuple[str, Any], float | None]
) -> dict[tuple[str, Any], float | None]:
    """Return what a table by area and period says of each district here, and of other areas.

    A district has the value of its own code. Where its code has none, it is the sum of those that
    it succeeded, if all of them have one.
    """
    periods = {period for _, period in found}
    made = dict(found)
    for force in landed.forces:
        for district in force.districts:
            for period in periods:
                made[district, period] = _value(force, district, period, found)
    return {key: value for key, value in made.items() if value is not None}


def _value(
    force: Force, code: str, period: Any, found: dict[tuple[str, Any], float | None]
) -> float | None:
    if (code, period) in found:
        return found[code, period]
    values = [_value(force, old, period, found) for old in force.before(code)]
    return sum(values) if values and None not in values else None  # type: ignore[arg-type]


@cache
def contracts() -> dict[str, Contract]:
    """Return every contract."""
    return load_contracts()


def csv_rows(landed: Landed, source: str) -> list[tuple[date, Row]]:
    """Return the rows of a source's CSV files, by the contract's names and types."""
    contract = contracts()[source]
    found = []
    for quarter, path in landed.files(source):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            for line in csv.DictReader(handle):
                row = {
                    column.name: _typed(
                        line.get(str(column.header)), column.type, column.date_format
                    )
                    for column in contract.columns
                    if column.header
                }
                row[FILE] = path.name
                found.append((quarter, row))
    return found


def _typed(text: str | None, kind: str, date_format: str) -> Any:
    text = (text or "").strip()
    if not text:
        return None
    if kind == "DATE":
        return datetime.strptime(text, date_format).date()
    if kind in ("INTEGER", "BIGINT"):
        return int(text)
    return float(text) if kind == "DOUBLE" else text


def named_months(quarter: date, row: Row) -> set[date]:
    """Return the months that a row's file covers by its name, up to the end of its quarter."""
    named = re.search(r"([0-9]{4}-[0-9]{2})-to-([0-9]{4}-[0-9]{2})", row[FILE])
    if not named:
        return set()
    last = min(pd.Timestamp(named[2]), pd.Timestamp(_last_day(quarter)))
    return {one.date() for one in pd.date_range(named[1], last, freq="MS")}


def sheet_rows(path: Path, sheet: str) -> list[list[Any]]:
    """Return a sheet's cells; None where a cell is empty, dates as dates."""
    frame = pd.read_excel(path, sheet_name=sheet, header=None, engine="calamine", dtype=object)
    return [[_cell(value) for value in row] for row in frame.to_numpy().tolist()]


def sheet_names(path: Path) -> list[str]:
    """Return the names of a workbook's sheets."""
    with pd.ExcelFile(path, engine="calamine") as book:
        return [str(name) for name in book.sheet_names]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, str):
        return value.strip() or None
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value):
        return None
    return value


def table_below(cells: list[list[Any]], first: str) -> tuple[list[list[Any]], list[Row]]:
    """Return the rows above a header that holds ``first``, and those below it by heading."""
    start = next(number for number, row in enumerate(cells) if first in row)
    headings = cells[start]
    body = [
        dict(zip(headings, row, strict=False))
        for row in cells[start + 1 :]
        if any(value is not None for value in row)
    ]
    return cells[:start], body


def beside(above: list[list[Any]], label: str) -> Any:
    """Return the cell beside a label above a table."""
    return next(row[1] for row in above if row[0] == label)


def age(born: date | None, day: date) -> int | None:
    """Return whole years on a day; none where they cannot be right (docs/privacy.md).

    Who was born on 29 February is a year older on 1 March.
    """
    if born is None:
        return None
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    return years if _YOUNGEST <= years <= _OLDEST else None


def with_ages(
    rows: list[tuple[date, Row]], events: dict[str, str], same: Sequence[str], series: str
) -> list[tuple[date, Row]]:
    """Return rows with an age (name of the new column) on each event (its date column).

    Within a delivery a row without a birth that can be right has that of another row of the same
    person: of the first identifier of ``same``, or of a later one that has one value of each
    earlier.
    """
    made = [(quarter, dict(row)) for quarter, row in rows]
    for name, event in events.items():
        usable = [
            row["date_of_birth"] if age(row["date_of_birth"], row[event]) is not None else None
            for _, row in made
        ]
        for (quarter, row), own in zip(made, usable, strict=True):
            born = own
            for place, one in enumerate(same):
                if born is None and row[one] is not None:
                    alike = [
                        (other, birth)
                        for (delivered, other), birth in zip(made, usable, strict=True)
                        if (delivered, other[series], other[one])
                        == (quarter, row[series], row[one])
                    ]
                    surer = [{other[key] for other, _ in alike} - {None} for key in same[:place]]
                    if all(len(values) <= 1 for values in surer):
                        born = next((birth for _, birth in alike if birth), None)
            row[name] = age(born, row[event])
    return made


def possible_ages(known: list[tuple[int, date, int | None]], day: date) -> tuple[int, int] | None:
    """Return the least and greatest age on a day of somebody of whom ages on days are known.

    ``known`` has the number of the record, the day and the age. Where they contradict each other,
    those of the earliest record count. None where no age is known.
    """
    told = [(number, event, years) for number, event, years in known if years is not None]
    if not told:
        return None
    first = min(number for number, _, _ in told)
    for some in (told, [one for one in told if one[0] == first]):
        after = max(_years_before(event, years + 1) for _, event, years in some)
        by = min(_years_before(event, years) for _, event, years in some)
        if after < by:
            break
    return _whole_years(by, day), _whole_years(after + timedelta(days=1), day)


def _years_before(day: date, years: int) -> date:
    return (pd.Timestamp(day) - pd.DateOffset(years=years)).date()


def _whole_years(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))

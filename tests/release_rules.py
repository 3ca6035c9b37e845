"""What each release must hold, from the publishers' calendar and the documented rules alone.

Plain Python that shares nothing with the warehouse: no file is read, no row is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from tests.publishers_by_day import (
    DISTRICTS,
    TYPES,
    Calendar,
    Dwellings,
    Edition,
    Estimates,
    Kind,
    Recorded,
    months_from,
    offences,
)

LOOKED_BACK = 4
"""Quarters before the one that closed last in which a missing month is looked for."""

Counts = dict[tuple[str, str, str], int]
"""Offences by month, district and crime type."""


def quarter_before(day: date) -> date:
    """Return the quarter that has closed last on a day."""
    number = day.year * 4 + (day.month - 1) // 3 - 1
    return date(number // 4, number % 4 * 3 + 1, 1)


@dataclass
class Expected:
    """What has been fetched from the publishers of a calendar, and what each release is then."""

    calendar: Calendar
    street: dict[date, dict[str, Edition]] = field(default_factory=dict)
    estimates: dict[date, Estimates] = field(default_factory=dict)
    dwellings: dict[date, Dwellings] = field(default_factory=dict)
    recorded: dict[date, Recorded] = field(default_factory=dict)

    def visit(self, day: date) -> set[date]:
        """Fetch what is new on a day; return the quarters for which something lands."""
        closed = quarter_before(day)
        landed = self._visit_police(day, closed)
        calendar = self.calendar
        _renew(self.estimates, calendar.edition(calendar.estimates, day), closed, landed)
        _renew(self.dwellings, calendar.edition(calendar.dwellings, day), closed, landed)
        _renew(self.recorded, calendar.edition(calendar.recorded, day), closed, landed)
        return landed

    def _visit_police(self, day: date, closed: date) -> set[date]:
        archive = self.calendar.newest(day)
        if archive is None or day in self.calendar.down:
            return set()
        held, landed, quarter = self.calendar.held(archive), set(), closed
        for back in range(LOOKED_BACK + 1):
            there = self.street.get(quarter, {})
            for month in months_of(quarter):
                edition = held.get(month)
                if edition is None or (back and month in there):
                    continue
                if month not in there or there[month].rows != edition.rows:
                    self.street.setdefault(quarter, {})[month] = edition
                    landed.add(quarter)
            quarter = quarter_before(quarter)
        return landed

    def months(self, quarter: date) -> dict[str, Edition]:
        """Return the months of a release, each in the state that is in force."""
        return {
            month: edition
            for landed, months in self.street.items()
            if landed <= quarter
            for month, edition in months.items()
        }

    def counts(self, quarter: date) -> Counts:
        """Return the offences of a release: a month that was not fetched has none at all."""
        return {
            (month, district, crime_type): offences(district, crime_type, month, edition)
            for month, edition in self.months(quarter).items()
            for district in DISTRICTS
            for crime_type in TYPES
        }

    def populations(self, quarter: date) -> dict[tuple[str, int], int]:
        """Return the mid-year estimates of a release, by district and year."""
        edition = _in_force(self.estimates, quarter)
        return {
            (district, year): edition.population(district, year)
            for district in DISTRICTS
            for year in range(2019, edition.last_year + 1)
        }

    def stock(self, quarter: date) -> dict[tuple[str, int], int]:
        """Return the local authorities' dwellings of a release, by district and year."""
        edition = _in_force(self.dwellings, quarter)
        return {
            (district, year): edition.stock(district, year)
            for district in DISTRICTS
            for year in range(2019, edition.last_year + 1)
        }

    def official(self, quarter: date) -> dict[tuple[str, date], int]:
        """Return the official counts of a release, by district and quarter."""
        edition = _in_force(self.recorded, quarter)
        return {
            (name, one): edition.offences(district, one)
            for district, name in DISTRICTS.items()
            for one in edition.quarters()
        }


def months_of(quarter: date) -> list[str]:
    return months_from(f"{quarter:%Y-%m}", 3)


def _renew(kept: dict[date, Kind], edition: Kind, closed: date, landed: set[date]) -> None:
    """Keep an edition that is not the last one that was fetched, for the quarter that closed."""
    if not kept or _in_force(kept, closed) != edition:
        kept[closed] = edition
        landed.add(closed)


def _in_force(kept: Mapping[date, Kind], quarter: date) -> Kind:
    """Return the edition in force as at a quarter: that of its own delivery or the last before."""
    return kept[max(one for one in kept if one <= quarter)]


def changes(old: Counts, new: Counts, old_quarter: date) -> set[tuple[object, ...]]:
    """Return the figures that differ: month, district, type, old, new and why.

    ``old_quarter`` is the quarter of the earlier release.
    """
    last = months_of(old_quarter)[-1]
    found: set[tuple[object, ...]] = set()
    for key, count in new.items():
        if key not in old:
            kind = "new period" if key[0] > last else "late arrival"
            found.add((*key, None, count, kind))
        elif old[key] != count:
            found.add((*key, old[key], count, "revised delivery"))
    return found

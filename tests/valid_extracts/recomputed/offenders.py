"""Persons charged and known offenders."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.valid_extracts.recomputed.figures import percentages, rate
from tests.valid_extracts.recomputed.landed import (
    Force,
    Landed,
    Row,
    by_district,
    csv_rows,
    named_months,
    possible_ages,
    seed,
    with_ages,
)
from tests.valid_extracts.recomputed.places import Populations

Table = dict[tuple[Any, ...], Row]


@dataclass(frozen=True)
class Offender:
    """A person in a financial year, as at their first charge in it."""

    area: str
    offences: int
    first_group: str
    sex: str | None
    years: tuple[int, int] | None
    ethnicity: str | None


def recompute(landed: Landed) -> dict[str, Table]:
    """Return rates, frequency, profile, and age by sex."""
    delivered = csv_rows(landed, "police_charges")
    charges = landed.in_force(
        [
            (quarter, row | {"charge_month": row["charge_date"].replace(day=1)})
            for quarter, row in with_ages(
                delivered,
                {"age_at_charge": "charge_date", "age_at_offence": "offence_date"},
                ("pnc_id", "nominal_ref"),
                "force",
            )
        ],
        lambda row: row["force"],
        "charge_month",
    )
    populations = Populations(landed)
    tables: dict[str, Table] = {
        "offender_rates": {},
        "offending_frequency": {},
        "offender_profile": {},
        "offender_age_and_sex": {},
    }
    counts = landed.in_force(
        csv_rows(landed, "police_offender_counts"), lambda row: row["force"], "calendar_year"
    )
    for force in landed.forces:
        own = [row for row in charges if row["force"] == force.name]
        months = {row["charge_month"] for row in own}
        for quarter, row in delivered:
            if row["force"] == force.name:
                months |= named_months(quarter, row)
        years = {start: _offenders(force, own, start) for start in _whole_years(months)}
        counted = [row for row in counts if row["force"] == force.name]
        _add_rates(tables["offender_rates"], landed, force, counted, years, populations)
        for start, offenders in years.items():
            for area, some in _by_area(force, offenders).items():
                _add_profile(tables["offender_profile"], area, start, some)
                if ":" not in area:
                    _add_frequency(tables["offending_frequency"], area, start, some)
                    _add_age_and_sex(tables["offender_age_and_sex"], area, start, some)
    return tables


def _whole_years(months: set[date]) -> list[date]:
    """Return the financial years of which all months were delivered, with or without a charge."""
    starts = {date(month.year - (month.month < 4), 4, 1) for month in months}
    return sorted(
        start
        for start in starts
        if all(date(start.year + (n > 11), (n % 12) + 1, 1) in months for n in range(3, 15))
    )


def _offenders(force: Force, charges: list[Row], start: date) -> list[Offender]:
    """Return everyone charged in a financial year, each once."""
    pncs: dict[str, set[str]] = defaultdict(set)
    for row in charges:
        if row["pnc_id"]:
            pncs[row["nominal_ref"]].add(row["pnc_id"])
    pnc_of = {nominal: min(found) for nominal, found in pncs.items() if len(found) == 1}
    ages: dict[str, list[tuple[int, date, int | None]]] = defaultdict(list)
    facts: dict[str, dict[str, Any]] = defaultdict(dict)
    by_person: dict[str, dict[str, Row]] = defaultdict(dict)
    order = sorted(charges, key=lambda row: (row["charge_date"], row["offence_date"]))
    for number, row in enumerate(order):
        reference = str(row["nominal_ref"])
        person = str(row["pnc_id"] or pnc_of.get(reference, reference))
        if row["sex"] != "U":
            facts[person].setdefault("sex", row["sex"])
        if row["ethnicity_code"] not in (None, "NS"):
            facts[person].setdefault("ethnicity", row["ethnicity_code"])
        # An offence charged under both of a person's references counts from the earlier charge.
        if by_person[person].setdefault(row["offence_ref"], row) is row:
            ages[person].append((number, row["charge_date"], row["age_at_charge"]))
            ages[person].append((number, row["offence_date"], row["age_at_offence"]))
    end = date(start.year + 1, 3, 31)
    found = []
    for person, offences in by_person.items():
        of_year = [row for row in offences.values() if start <= row["charge_date"] <= end]
        if of_year:
            first = min(of_year, key=lambda row: (row["charge_date"], row["offence_date"]))
            years = possible_ages(ages[person], first["charge_date"])
            found.append(
                Offender(
                    force.place(first["residence_code"]),
                    len(of_year),
                    first["offence_group"],
                    facts[person].get("sex"),
                    years,
                    facts[person].get("ethnicity"),
                )
            )
    return found


def _by_area(force: Force, offenders: list[Offender]) -> dict[str, list[Offender]]:
    """Return the offenders of each area; the force area counts its residents."""
    areas = [
        *force.districts,
        *force.partnerships,
        force.place(None),
        force.place("elsewhere"),
    ]
    found = {area: [one for one in offenders if one.area in force.members(area)] for area in areas}
    found[force.code] = [one for one in offenders if one.area in force.districts]
    return found


def _add_rates(
    table: Table,
    landed: Landed,
    force: Force,
    counted: list[Row],
    years: dict[date, list[Offender]],
    populations: Populations,
) -> None:
    areas = (*force.districts, *force.sums)
    found: dict[tuple[str, str, date], Any] = {}
    by_code = {(row["area_code"], row["calendar_year"]): row["offenders"] for row in counted}
    of_year = by_district(landed, by_code)
    for day in {row["calendar_year"] for row in counted}:
        for area in areas:
            parts = [of_year.get((one, day)) for one in force.members(area)]
            known = None not in parts
            found[area, "calendar_year", day] = sum(parts) if known else None
    for start, offenders in years.items():
        for area, some in _by_area(force, offenders).items():
            found[area, "financial_year", start] = len(some)
    before: dict[str, tuple[str, str | None]] = {}
    for (area, kind, start), count in sorted(found.items(), key=lambda one: one[0]):
        row: Row = {"offenders": count}
        if area not in areas:
            row |= rate(None, None) | {"population": None, "status": "[z]"}
        else:
            people = populations.of_offenders(area, start.year)
            row |= rate(count, people.count if people else None)
            row["population"] = people and people.count
            now = (kind, people.estimator if people else None)
            last = before.get(area)
            row["status"] = _status(count, people, last, now)
            # A year without a population does not hide who made the one before it.
            same = last if last and last[0] == kind else None
            before[area] = (kind, now[1] or (same[1] if same else None))
        table[area, kind, start] = row


def _status(
    count: int | None,
    people: Any,
    before: tuple[str, str | None] | None,
    now: tuple[str, str | None],
) -> str | None:
    if count is None or people is None:
        return "[x]"
    if before and (before[0] != now[0] or (before[1] and before[1] != now[1])):
        return "[b]"
    return "[p]" if people.carried else None


def _add_frequency(table: Table, area: str, start: date, offenders: list[Offender]) -> None:
    numbers = Counter(one.offences for one in offenders)
    everyone, everything = len(offenders), sum(one.offences for one in offenders)
    for number in range(1, 9):
        within = [one for one in numbers if one == number or one > number == 8]
        some = sum(numbers[one] for one in within)
        offences = sum(one * numbers[one] for one in within)
        table[area, start, number] = {
            "offences_band": str(number) if number < 8 else "8 or more",
            "offenders": some,
            "all_offenders": everyone,
            **percentages(some, everyone, "percent_of_offenders"),
            "offences": offences,
            "all_offences": everything,
            "percent_of_offences": 100 * offences / everything if everything else None,
            "status": None if everyone else "[z]",
        }


def _sex(one: Offender) -> str:
    return {"M": "Male", "F": "Female"}.get(one.sex or "", "Not known")


def _age_group(one: Offender) -> str:
    fits = [
        row["category"]
        for row in seed("offender_profile_categories")
        if row["age_from"]
        and one.years
        and all(int(row["age_from"]) <= years <= int(row["age_to"]) for years in one.years)
    ]
    return fits[0] if fits else "Not known"


def _add_age_and_sex(table: Table, area: str, start: date, offenders: list[Offender]) -> None:
    listed = seed("offender_profile_categories")
    ages = ["All", *(row["category"] for row in listed if row["dimension"] == "age group")]
    sexes = ["All", *(row["category"] for row in listed if row["dimension"] == "sex")]
    pairs = Counter((_age_group(one), _sex(one)) for one in offenders)
    for age in ages:
        for sex in sexes:
            some = sum(
                count
                for (one_age, one_sex), count in pairs.items()
                if age in ("All", one_age) and sex in ("All", one_sex)
            )
            table[area, start, age, sex] = {
                "offenders": some,
                "all_offenders": len(offenders),
                **percentages(some, len(offenders), "percent_of_all"),
                "status": None if offenders else "[z]",
            }


def _add_profile(table: Table, area: str, start: date, offenders: list[Offender]) -> None:
    headings = {row["ethnicity_code"]: row["heading"] for row in seed("ethnicity_headings")}
    categories = seed("offender_profile_categories")
    of = {
        "sex": _sex,
        "age group": _age_group,
        "ethnicity": lambda one: headings.get(one.ethnicity, "Refusal and Unknown"),
        "first offence category": lambda one: one.first_group,
    }
    everyone = len(offenders)
    for dimension, category_of in of.items():
        found = Counter(category_of(one) for one in offenders)
        listed = [row for row in categories if row["dimension"] == dimension]
        known = sum(found[row["category"]] for row in listed if row["is_known"] == "true")
        for row in listed:
            some, says = found[row["category"]], row["is_known"] == "true"
            table[area, start, dimension, row["category"]] = {
                "offenders": some,
                "all_offenders": everyone,
                **percentages(some, everyone, "percent_of_all"),
                "known_offenders": known,
                **percentages(some, known if says else 0, "percent_of_known"),
                "status": None if everyone else "[z]",
            }

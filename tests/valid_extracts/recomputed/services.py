"""Young people, the managed cohort, prisons and the community survey."""

from calendar import isleap
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pandas as pd

from tests.valid_extracts.recomputed.figures import newcombe, percentages, proportion
from tests.valid_extracts.recomputed.landed import (
    Force,
    Landed,
    Row,
    age,
    beside,
    contracts,
    csv_rows,
    named_months,
    possible_ages,
    seed,
    sheet_names,
    sheet_rows,
    table_below,
    with_ages,
)

Table = dict[tuple[Any, ...], Row]
_SEX = {"M": "Male", "F": "Female", "U": "Not recorded"}


# --- the managed cohort ----------------------------------------------------------------------


def cohort(landed: Landed) -> Table:
    """Return ``iom_cohort``."""
    rows = landed.in_force(
        csv_rows(landed, "iom_cohort"), lambda row: row["reported_by"], "snapshot_date"
    )
    of: dict[str, Callable[[Row], str]] = {
        "all": lambda row: "All",
        "sex": lambda row: _SEX[row["sex"]],
        "age group": lambda row: _adult_group(age(row["date_of_birth"], row["snapshot_date"])),
        "lead agency": lambda row: str(row["lead_agency"]),
        "location": lambda row: str(row["location"]),
        "accommodation": lambda row: row["accommodation"] or "Not recorded",
        "index offence group": lambda row: str(row["offence_group"]),
        "index offence": lambda row: (
            "Serious acquisitive" if row["serious_acquisitive"] == "Y" else "Other"
        ),
    }
    table: Table = {}
    for force in landed.forces:
        own = [row for row in rows if row["reported_by"] == force.name]
        for day in {row["snapshot_date"] for row in own}:
            people = [row for row in own if row["snapshot_date"] == day]
            for area in _areas(force):
                some = [row for row in people if _lives(force, area, row)]
                for dimension, category_of in of.items():
                    found = Counter(category_of(row) for row in some)
                    for category in {category_of(row) for row in people}:
                        table[area, day, dimension, category] = {
                            "people": found[category],
                            "people_all": len(some),
                            **proportion(found[category], len(some)),
                            "status": None if some else "[z]",
                        }
    return table


def _adult_group(years: int | None) -> str:
    if years is None:
        return "Not recorded"
    for least, name in ((45, "45 and over"), (35, "35 to 44"), (25, "25 to 34"), (18, "18 to 24")):
        if years >= least:
            return name
    return "Under 18"


def _areas(force: Force) -> list[str]:
    return [*force.districts, *force.sums, force.place(None), force.place("elsewhere")]


def _lives(force: Force, area: str, row: Row) -> bool:
    """Say whether an area counts a person; the force area counts everyone."""
    return area == force.code or force.place(row["district_code"]) in force.members(area)


# --- young people ----------------------------------------------------------------------------


def young_people(landed: Landed) -> Table:
    """Return ``youth_offenders``."""
    delivered = csv_rows(landed, "youth_offending")
    rows = landed.in_force(
        [
            (quarter, row | {"return_quarter": _quarter(row["registered_on"])})
            for quarter, row in with_ages(
                delivered,
                {"age_at_offence": "offence_date"},
                ("yos_reference",),
                "youth_offending_service",
            )
        ],
        lambda row: row["youth_offending_service"],
        "return_quarter",
    )
    _reconcile(rows)
    returned: dict[str, set[date]] = defaultdict(set)
    for quarter, row in delivered:
        months = named_months(quarter, row) | {_quarter(row["registered_on"])}
        returned[row["youth_offending_service"]] |= {
            month for month in months if month.month % 3 == 1 and month <= landed.last_day
        }
    table: Table = {}
    for force in landed.forces:
        own = force.youth_services
        years = {
            service: _years(
                [row for row in rows if row["youth_offending_service"] == service],
                returned[service],
            )
            for service in own
        }
        for year in {year for found in years.values() for year in found}:
            people = [
                _once(some) for found in years.values() for some in found.get(year, {}).values()
            ]
            for area in _areas(force):
                members = {*force.members(area)} & {*force.districts}
                needed = [
                    service
                    for service, districts in own.items()
                    if not members or members & {*districts}
                ]
                whole = all(year in years[service] for service in needed)
                _add_young(table, force, area, year, people, whole)
    return table


def _reconcile(rows: list[Row]) -> None:
    """Give every registration of a young person the same sex, and the ages that can be right."""
    people: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        people[row["youth_offending_service"], row["yos_reference"]].append(row)
    for some in people.values():
        some.sort(
            key=lambda row: (row["return_quarter"], row["registered_on"], row["offence_date"])
        )
        sex = next((row["sex"] for row in some if row["sex"] != "U"), "U")
        known = [(n, row["offence_date"], row["age_at_offence"]) for n, row in enumerate(some)]
        for row in some:
            row["sex"] = sex
            row["ages"] = possible_ages(known, row["offence_date"])


Year = tuple[str, date]


def _years(rows: list[Row], quarters: set[date]) -> dict[Year, dict[str, list[Row]]]:
    """Return the registrations of each year of which a service returned all four quarters."""
    found: dict[Year, dict[str, list[Row]]] = {}
    for kind, month in (("calendar_year", 1), ("financial_year", 4)):
        for start in {one for one in quarters if one.month == month}:
            four = {
                (pd.Timestamp(start) + pd.DateOffset(months=3 * number)).date()
                for number in range(4)
            }
            if four <= quarters:
                people: dict[str, list[Row]] = defaultdict(list)
                for row in rows:
                    if row["return_quarter"] in four:
                        people[row["yos_reference"]].append(row)
                found[kind, start] = people
    return found


def _once(registrations: list[Row]) -> Row:
    """Return the registration that counts: the entry, else that of the earliest offence."""
    entries = [row for row in registrations if row["first_time_entrant"] == "Y"]
    chosen = min(
        entries or registrations, key=lambda row: (row["offence_date"], row["registered_on"])
    )
    return chosen | {"entered": bool(entries)}


def _add_young(
    table: Table, force: Force, area: str, year: Year, people: list[Row], whole: bool
) -> None:
    of: dict[str, Callable[[Row], str]] = {
        "all": lambda row: "All",
        "sex": lambda row: _SEX[row["sex"]],
        "age group": lambda row: _young_group(row["ages"]),
        "first offence": lambda row: str(row["offence"]),
        "accommodation need": lambda row: str(row["accommodation_need"]),
    }
    kind, start = year
    for name in ("registered", "first-time entrants"):
        cohort_people = [row for row in people if name == "registered" or row["entered"]]
        some = [row for row in cohort_people if _lives(force, area, row)]
        for dimension, category_of in of.items():
            found = Counter(category_of(row) for row in some)
            for category in {category_of(row) for row in people}:
                row: Row = {
                    "young_people": found[category],
                    "young_people_all": len(some),
                    **proportion(found[category], len(some)),
                    "status": None if some else "[z]",
                }
                if not whole:
                    row = dict.fromkeys(row) | {"status": "[x]"}
                table[area, kind, start, name, dimension, category] = row


def _young_group(ages: tuple[int, int] | None) -> str:
    groups = {_group_of(years) for years in ages or ()}
    return groups.pop() if len(groups) == 1 else "Not recorded"


def _group_of(years: int) -> str:
    for least, name in ((17, "17 and over"), (15, "15 to 16"), (13, "13 to 14")):
        if years >= least:
            return name
    return "12 and under"


def _quarter(day: date) -> date:
    return date(day.year, 3 * ((day.month - 1) // 3) + 1, 1)


# --- prisons ---------------------------------------------------------------------------------

_KINDS = (
    "Settled accommodation",
    "Temporary accommodation",
    "No address arranged",
    "No fixed abode",
    "Not recorded",
)


def prisons(landed: Landed) -> dict[str, Table]:
    """Return the releases and the accommodation need of prisons."""
    releases, need = [], []
    for quarter, path in landed.files("prison_releases"):
        above, body = table_below(sheet_rows(path, "Releases"), "Local authority of release")
        whole = {
            "prison": beside(above, "Prison"),
            "start": beside(above, "Released from"),
            "end": beside(above, "Released to"),
        }
        releases += [(quarter, whole | {"row": line}) for line in body]
        if "Accommodation need" in sheet_names(path):
            above, body = table_below(sheet_rows(path, "Accommodation need"), "Prison")
            start = {"start": beside(above, "Assessed from")}
            need += [(quarter, start | {"prison": line["Prison"], "row": line}) for line in body]
    by_prison = landed.in_force(releases, lambda row: row["prison"], "start")
    assessed = landed.in_force(need, lambda row: row["prison"], "start")
    tables: dict[str, Table] = {
        "int_prison_releases__by_accommodation": {},
        "prison_release_accommodation": {},
        "prison_accommodation_need": {},
    }
    for force in landed.forces:
        own = [row for row in by_prison if row["prison"] in force.prisons]
        _add_releases(tables["int_prison_releases__by_accommodation"], force, own)
        _add_years(tables["prison_release_accommodation"], force, own)
        some = [row for row in assessed if row["prison"] in force.prisons]
        _add_need(tables["prison_accommodation_need"], force, some)
    return tables


def _add_releases(table: Table, force: Force, rows: list[Row]) -> None:
    for prison, start in {(row["prison"], row["start"]) for row in rows}:
        lines = [row["row"] for row in rows if (row["prison"], row["start"]) == (prison, start)]
        for area in (*_areas(force), f"{force.code}:all"):
            there = [line for line in lines if _went(force, area, line["Code"])]
            for sex in ("All", "Male", "Female"):
                some = [line for line in there if sex in ("All", line["Sex"])]
                counts = {kind: sum(int(line[kind]) for line in some) for kind in _KINDS}
                everyone = sum(counts.values())
                counts["No accommodation"] = (
                    counts["No address arranged"] + counts["No fixed abode"]
                )
                counts["All releases"] = everyone
                for kind, released in counts.items():
                    table[prison, area, start, sex, kind] = {
                        "released": released,
                        "released_all": everyone,
                        **proportion(released, everyone),
                        "status": None if everyone else "[z]",
                    }


def _add_years(table: Table, force: Force, rows: list[Row]) -> None:
    """Add the years of which every day lies in a return."""
    for prison, year in {(row["prison"], row["start"].year) for row in rows}:
        of_year = [row for row in rows if (row["prison"], row["start"].year) == (prison, year)]
        covered = {
            row["start"] + timedelta(days=day)
            for row in of_year
            for day in range((row["end"] - row["start"]).days + 1)
        }
        first = date(year, 1, 1)
        if covered != {first + timedelta(days=day) for day in range(365 + isleap(year))}:
            continue
        for area in (*_areas(force), f"{force.code}:all"):
            lines = [row["row"] for row in of_year if _went(force, area, row["row"]["Code"])]
            everyone = sum(int(line[kind]) for line in lines for kind in _KINDS)
            without = sum(
                int(line["No address arranged"]) + int(line["No fixed abode"]) for line in lines
            )
            table[prison, area, first] = {
                "released": everyone,
                "no_accommodation": without,
                **proportion(without, everyone),
                "status": None if everyone else "[z]",
            }


def _went(force: Force, area: str, code: str | None) -> bool:
    if area == f"{force.code}:all":
        return True
    if area == force.code:
        return force.served(code) is not None
    return force.place(code) in force.members(area)


def _add_need(table: Table, force: Force, rows: list[Row]) -> None:
    for start in {row["start"] for row in rows}:
        of_period = [row for row in rows if row["start"] == start]
        names: dict[str, set[str]] = defaultdict(set)
        for prison, group in force.prisons.items():
            names[prison].add(prison)
            names[group].add(prison)
        for name, prisons_of in names.items():
            some = [row["row"] for row in of_period if row["prison"] in prisons_of]
            for sex in ("All", "Male", "Female"):
                lines = [line for line in some if sex in ("All", line["Sex"])]
                if lines:
                    part = sum(int(line["With accommodation need"]) for line in lines)
                    whole = sum(int(line["Assessed"]) for line in lines)
                    table[name, force.code, start, sex] = {
                        "with_need": part,
                        "assessed": whole,
                        **proportion(part, whole),
                        "status": None if whole else "[z]",
                    }


# --- survey ----------------------------------------------------------------------------------


def surveys(landed: Landed) -> dict[str, Table]:
    """Return answers and responses of the community survey."""
    headings = {
        str(column.header): column.name for column in contracts()["community_survey"].columns
    }
    rows = []
    for quarter, path in landed.files("community_survey"):
        above, body = table_below(sheet_rows(path, "Responses"), "Response ID")
        whole = {"survey": above[0][0], "wave": beside(above, "Survey period")}
        for line in body:
            row = {headings[heading]: value for heading, value in line.items() if heading}
            rows.append((quarter, row | whole))
    kept = landed.in_force(rows, lambda row: row["survey"], "wave")
    served = {district for force in landed.forces for district in force.csps}
    towns = [one for force in landed.forces for one in force.towns if one[1] in served]
    asked = {title: own for force in landed.forces for title, own in force.surveys.items()}
    areas: dict[str, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in kept:
        own = asked.get(row["survey"], tuple(served))
        places = [one for name, one in towns if name == row["town"] and one in own]
        if len(places) == 1:
            place = places[0]
            # Every town of a district that asked has a wave, with nobody in it as it may be.
            for town, district in towns:
                if district == place:
                    _ = areas[_town_code(town, district)][row["wave"]]
            areas[_town_code(row["town"], place)][row["wave"]].append(row)
            areas[place][row["wave"]].append(row)
    tables: dict[str, Table] = {"survey_responses": {}, "survey_perceptions": {}}
    for area, waves in areas.items():
        for wave, some in waves.items():
            before = waves.get((pd.Timestamp(wave) - pd.DateOffset(months=3)).date())
            _add_responses(tables["survey_responses"], area, wave, some, before)
            for answer in seed("survey_answers"):
                _add_answer(tables["survey_perceptions"], area, wave, some, before, answer)
    return tables


def _town_code(town: str, district: str) -> str:
    return f"{district}:{town.lower().replace(' ', '-')}"


def _add_responses(
    table: Table, area: str, wave: date, rows: list[Row], before: list[Row] | None
) -> None:
    change = None if before is None else len(rows) - len(before)
    table[wave, area] = {
        "responses": len(rows),
        "previous_responses": None if before is None else len(before),
        "change_in_responses": change,
        "change_percentage": 100 * change / len(before) if before and change is not None else None,
        "status": "[x]" if not rows else "[u]" if len(rows) < 100 else None,
    }


def _answers(row: Row, question: str) -> set[str]:
    return {part.strip() for part in (row[question] or "").split(";") if part.strip()}


def _counted(rows: list[Row], question: str, answer: str) -> tuple[int, int]:
    given = [_answers(row, question) for row in rows]
    return sum(answer in one for one in given), sum(bool(one) for one in given)


def _add_answer(
    table: Table,
    area: str,
    wave: date,
    rows: list[Row],
    before: list[Row] | None,
    answer: dict[str, str],
) -> None:
    question, wanted = answer["question"], answer["answer"]
    count, base = _counted(rows, question, wanted)
    row: Row = {
        "answer_count": count,
        "base": base,
        "skipped": len(rows) - base,
        "responses": len(rows),
        **percentages(count, base, "percentage"),
        "status": "[x]" if not base else "[u]" if base < 100 else None,
        "difference_points": None,
        "difference_lower": None,
        "difference_upper": None,
        "change": None,
    }
    earlier, earlier_base = _counted(before or [], question, wanted)
    row["previous_answer_count"] = None if before is None else earlier
    row["previous_base"] = None if before is None else earlier_base
    row["previous_percentage"] = 100 * earlier / earlier_base if earlier_base else None
    row["previous_status"] = "[x]" if not earlier_base else "[u]" if earlier_base < 100 else None
    if base and earlier_base:
        lower, upper = newcombe(count, base, earlier, earlier_base)
        row["difference_points"] = 100 * (count / base - earlier / earlier_base)
        row |= {"difference_lower": 100 * lower, "difference_upper": 100 * upper}
        row["change"] = "higher" if lower > 0 else "lower" if upper < 0 else "no clear change"
    table[wave, area, question, wanted] = row

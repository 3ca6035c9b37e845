"""People on probation: the caseload's profile, and needs as assessed."""

from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date
from functools import cache
from typing import Any

from tests.valid_extracts.recomputed.figures import newcombe, proportion
from tests.valid_extracts.recomputed.landed import (
    Force,
    Landed,
    Row,
    age,
    beside,
    contracts,
    csv_rows,
    seed,
    sheet_rows,
    table_below,
)

Table = dict[tuple[Any, ...], Row]


def recompute(landed: Landed) -> dict[str, Table]:
    """Return the four marts of probation."""
    tables: dict[str, Table] = {
        "probation_profile": {},
        "need_pathways": {},
        "accommodation_need": {},
        "need_complexity": {},
    }
    caseload = landed.in_force(csv_rows(landed, "probation_caseload"), _series, "snapshot_date")
    assessed = landed.in_force(_assessments(landed), _series, "snapshot_date")
    for force in landed.forces:
        for (cohort, day), people in _snapshots(force, caseload).items():
            _add_profile(tables["probation_profile"], force, cohort, day, people)
        both: dict[date, dict[str, list[Row]]] = defaultdict(dict)
        for (cohort, day), people in _snapshots(force, assessed).items():
            both[day][cohort] = people
            _add_pathways(tables["need_pathways"], force, cohort, day, people)
            _add_complexity(tables["need_complexity"], force, cohort, day, people)
        for day, cohorts in both.items():
            if len(cohorts) == 2:
                cohorts["CRC and NPS"] = [*cohorts["CRC"], *cohorts["NPS"]]
            for cohort, people in cohorts.items():
                _add_accommodation(tables["accommodation_need"], force, cohort, day, people)
    return tables


def _series(row: Row) -> tuple[str, str]:
    """Return what is delivered independently: a provider in a force."""
    return row["provider"], row["police_force"]


def _snapshots(force: Force, rows: list[Row]) -> dict[tuple[str, date], list[Row]]:
    found: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in rows:
        if row["police_force"] == force.name:
            found[row["provider"], row["snapshot_date"]].append(row)
    return found


def _assessments(landed: Landed) -> list[tuple[date, Row]]:
    headings = {
        str(column.header): column.name for column in contracts()["oasys_assessments"].columns
    }
    found = []
    for quarter, path in landed.files("oasys_assessments"):
        above, body = table_below(sheet_rows(path, "OASys extract"), "CRN")
        whole = {
            "provider": beside(above, "Provider"),
            "snapshot_date": beside(above, "Snapshot date"),
            "police_force": beside(above, "Police force area"),
        }
        for line in body:
            row = {headings[heading]: value for heading, value in line.items() if heading}
            found.append((quarter, row | whole))
    return found


# --- areas -----------------------------------------------------------------------------------


def _area(force: Force, row: Row) -> str:
    home = row["residence"]
    if home is None:
        return f"{force.code}:unstated"
    if home == "No geographic data":
        return force.place(None)
    return force.place(home)


def _areas(force: Force) -> list[str]:
    remainders = [f"{force.code}:{kind}" for kind in ("unlocated", "outside", "unstated")]
    return [*force.districts, *force.sums, *remainders]


def _living(force: Force, area: str, people: list[Row]) -> list[Row]:
    """Return who is counted under an area; the force area counts everyone."""
    if area == force.code:
        return people
    return [row for row in people if _area(force, row) in force.members(area)]


# --- profile ---------------------------------------------------------------------------------


@cache
def _categories() -> dict[str, Callable[[Row], str]]:
    listed: dict[str, dict[str, str]] = defaultdict(dict)
    for row in seed("probation_values"):
        listed[row["dimension"]][row["supplied_value"]] = row["category"]

    def by(dimension: str, column: str, blank: str) -> Callable[[Row], str]:
        values = listed.get(dimension, {})
        return lambda row: values.get(str(row[column]), str(row[column])) if row[column] else blank

    return {
        "Gender": by("Gender", "sex", "Not known"),
        "Age group": lambda row: _age_group(age(row["date_of_birth"], row["snapshot_date"])),
        "Ethnicity": by("Ethnicity", "ethnicity", "Refusal and Unknown"),
        "Order category": by("Order category", "order_type", "Not known"),
        "OGRS 3": lambda row: _risk(row["ogrs3_score"]),
        "Offence category": by("Offence category", "main_offence", "Blank"),
        "Disability": by("Disability", "disability", "Unknown"),
        "Mental health": by("Mental health", "mental_health", "Not known"),
        "Age under 21": lambda row: _under_21(age(row["date_of_birth"], row["snapshot_date"])),
        "Accommodation status": by("Accommodation status", "accommodation_status", "Not known"),
        "Suicide or self-harm": by("Suicide or self-harm", "self_harm", "Not known"),
        "Area classification": by("Area classification", "area_classification", "Not known"),
    }


def _age_group(years: int | None) -> str:
    if years is None:
        return "Not known"
    for least, name in ((61, "61 or older"), (51, "51-60"), (41, "41-50"), (36, "36-40"),
                        (31, "31-35"), (26, "26-30"), (22, "22-25")):  # fmt: skip
        if years >= least:
            return name
    return "21 and under"


def _risk(score: int | None) -> str:
    if score is None:
        return "Blank"
    for least, name in ((80, "Very High 80+"), (41, "High 41-79"), (25, "Medium 25-40")):
        if score >= least:
            return name
    return "Low <25"


def _under_21(years: int | None) -> str:
    if years is None:
        return "Not known"
    return "Yes" if years < 21 else "No"


def _add_profile(table: Table, force: Force, cohort: str, day: date, people: list[Row]) -> None:
    listed = seed("probation_categories")
    for area in _areas(force):
        living = _living(force, area, people)
        for dimension, category_of in _categories().items():
            found = Counter(category_of(row) for row in living)
            categories = [row for row in listed if row["dimension"] == dimension]
            known = sum(found[row["category"]] for row in categories if row["is_known"] == "true")
            for row in categories:
                some, says = found[row["category"]], row["is_known"] == "true"
                table[cohort, day, area, dimension, row["category"]] = {
                    "people": some,
                    "caseload": len(living),
                    **proportion(some, len(living)),
                    "known": known if says else None,
                    "proportion_of_known": some / known if says and known else None,
                    "status": None if living else "[z]",
                }


# --- needs -----------------------------------------------------------------------------------


def _offence_group(row: Row) -> str:
    return _categories()["Offence category"](row)


def _sex(row: Row) -> str:
    return row["sex"] or "Not known"


def _identified(rows: list[Row], pathway: str) -> dict[str, int]:
    assessed = [row for row in rows if row["assessment_date"]]
    answers = Counter(row[pathway] for row in assessed)
    return {
        "caseload": len(rows),
        "not_assessed": len(rows) - len(assessed),
        "assessed": len(assessed),
        "unanswered": len(assessed) - answers["Identified"] - answers["Not identified"],
        "answered": answers["Identified"] + answers["Not identified"],
        "identified": answers["Identified"],
    }


def _compared(here: dict[str, int], everyone: dict[str, int], is_force: bool) -> Row:
    """Return the comparison with the rest of the force's cohort."""
    empty = dict.fromkeys(
        ("rest_proportion", "difference_from_rest", "difference_lower", "difference_upper",
         "compared_with_rest")
    )  # fmt: skip
    rest = everyone["answered"] - here["answered"]
    if is_force or not rest:
        return empty
    need = everyone["identified"] - here["identified"]
    found = empty | {"rest_proportion": need / rest}
    if here["answered"]:
        lower, upper = newcombe(here["identified"], here["answered"], need, rest)
        found["difference_from_rest"] = here["identified"] / here["answered"] - need / rest
        found |= {"difference_lower": lower, "difference_upper": upper}
        found["compared_with_rest"] = "higher" if lower > 0 else "lower" if upper < 0 else "similar"
    return found


def _add_pathways(table: Table, force: Force, cohort: str, day: date, people: list[Row]) -> None:
    pathways = {row["pathway"]: row["title"] for row in seed("oasys_pathways")}
    sexes = ["All", *{_sex(row) for row in people}]
    groups = ["All", *{_offence_group(row) for row in people}]
    for sex in sexes:
        for group in groups:
            some = [
                row
                for row in people
                if sex in ("All", _sex(row)) and group in ("All", _offence_group(row))
            ]
            for pathway, title in pathways.items():
                everyone = _identified(some, pathway)
                for area in _areas(force):
                    here = _identified(_living(force, area, some), pathway)
                    table[cohort, day, area, sex, group, title] = {
                        **here,
                        **proportion(here["identified"], here["answered"]),
                        **_compared(here, everyone, area == force.code),
                        "status": None if here["answered"] else "[z]",
                    }


def _add_accommodation(
    table: Table, force: Force, cohort: str, day: date, people: list[Row]
) -> None:
    everyone = _identified(people, "accommodation")
    for area in _areas(force):
        here = _identified(_living(force, area, people), "accommodation")
        compared = _compared(here, everyone, area == force.code)
        counts = {name: here[name] for name in ("caseload", "not_assessed", "assessed", "answered")}
        table[cohort, day, area] = {
            **counts,
            "offenders_with_need": here["identified"],
            **proportion(here["identified"], here["answered"]),
            **compared,
            "status": None if here["answered"] else "[z]",
        }


def _add_complexity(table: Table, force: Force, cohort: str, day: date, people: list[Row]) -> None:
    pathways = [row["pathway"] for row in seed("oasys_pathways")]
    for area in _areas(force):
        living = _living(force, area, people)
        assessed = [row for row in living if row["assessment_date"]]
        numbers: Counter[int] = Counter()
        unanswered: Counter[int] = Counter()
        for row in assessed:
            answers = [row[pathway] for pathway in pathways]
            needs = answers.count("Identified")
            numbers[needs] += 1
            unanswered[needs] += needs + answers.count("Not identified") < len(pathways)
        rows = [(str(needs), needs, numbers[needs], len(assessed)) for needs in range(11)]
        rows.append(("Not assessed", None, len(living) - len(assessed), len(living)))  # type: ignore[arg-type]
        for name, needs, some, base in rows:
            table[cohort, day, area, name] = {
                "needs": needs,
                "offenders": some,
                "offenders_with_unanswered": 0 if needs is None else unanswered[needs],
                "base": base,
                **proportion(some, base),
                "status": None if base else "[z]",
            }

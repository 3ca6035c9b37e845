"""Extracts about people: charges and counts, caseloads and assessments, cohort, young people."""

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from orchestration.config.quarters import quarter_of, quarters_before
from orchestration.ingest.checking.contract import Contract
from tests.valid_extracts.cells import Draw, Row, filled, pools
from tests.valid_extracts.forces import Force
from tests.valid_extracts.layouts import (
    Extract,
    assessments_workbook,
    csv_extract,
    quarter_last_day,
)
from tests.valid_extracts.predecessors import earlier
from tests.valid_extracts.world import ELSEWHERE, Person, World, short_name


def drawn_quarters(draw: Draw, world: World) -> list[date]:
    """Draw the quarters in which a source delivers: all, some or none."""
    if world.every:
        return world.quarters
    wanted = draw(st.lists(st.booleans(), min_size=3, max_size=3))
    return [one for one, delivers in zip(world.quarters, wanted, strict=False) if delivers]


def fewest_rows(contract: Contract) -> list[int]:
    """Return 0 where a delivery may cover a period without a row, by its contract; else nothing."""
    coverage = getattr(contract, "coverage", None)
    return [0] if coverage and coverage.every else []


# --- charges ---------------------------------------------------------------------------------


def charges(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return charges of whole months by force; later deliveries revise and go on."""
    extracts = []
    for force in world.forces:
        start = _charges_begin(draw, world)
        seen: set[tuple[str, str]] = set()
        held = pools(draw, contract)
        for quarter in drawn_quarters(draw, world):
            last = quarter_last_day(quarter)
            months = _months(start, last)
            whole = world.every and quarter == world.quarters[0]
            if months and not whole and draw(st.booleans()):
                # An update holds the latest months only.
                months = months[-draw(st.sampled_from([1, 2, 3, 6, 12])) :]
            rows = []
            for month in months:
                for _ in range(world.chance.choice([*fewest_rows(contract), 1, 1, 2, 5])):
                    rows += _charge(world, force, month, held, seen)
            if rows:
                # The name says which months are whole, also those in which nobody was charged.
                name = f"charges-{short_name(force.name)}-{months[0]:%Y-%m}-to-{last:%Y-%m}.csv"
                extracts.append(csv_extract(contract, quarter, name, rows))
    return extracts


def _charges_begin(draw: Draw, world: World) -> date:
    """Draw the first month: a financial year's, so that one is whole, or another's."""
    year = world.last_day.year - (1 if world.last_day.month > 3 else 2)
    later = 0 if world.every else draw(st.sampled_from([0, 0, 0, 1, 9]))
    return date(year, 4 + later, 1) if later < 9 else date(year + 1, 1, 1)


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return [shifted(first, number) for number in range(count)]


def shifted(month: date, count: int) -> date:
    """Return the first day of the month ``count`` months later."""
    total = month.year * 12 + month.month - 1 + count
    return date(total // 12, total % 12 + 1, 1)


def _charge(
    world: World,
    force: Force,
    month: date,
    held: dict[str, list[Any]],
    seen: set[tuple[str, str]],
) -> list[Row]:
    """Return a charge, now and then of two people together, or twice under both references."""
    chance = world.chance
    charged = month + timedelta(days=chance.choice([0, 14, _days(month) - 1]))
    offence = charged - timedelta(days=chance.choice([0, 0, 1, 400]))
    reference = f"CF{len(seen) + 1_000_000}"
    others = chance.choice([1, 1, 1, 2])
    rows = []
    for person in chance.sample(world.people, min(others, len(world.people))):
        for nominal in person.nominals[: chance.choice([1, 1, 2])]:
            key = (nominal, reference)
            if key in seen:
                continue
            seen.add(key)
            row = filled(held, chance)
            row |= {
                "force": force.name,
                "nominal_ref": nominal,
                "pnc_id": person.pnc if chance.random() < 0.8 else None,
                "offence_ref": reference,
                "charge_date": charged,
                "offence_date": offence,
                "sex": person.sex,
                "date_of_birth": person.born if chance.random() < 0.9 else None,
                "ethnicity_code": person.ethnicity,
                "residence_code": _home(person, world, charged),
            }
            rows.append(row)
    return rows


def _days(month: date) -> int:
    return (shifted(month, 1) - month).days


def _home(person: Person, world: World, day: date) -> str | None:
    """Return where the person lives on a day; one who moves does so with the quarter.

    A record may still name a district by the code of one that it succeeded.
    """
    number = sum(1 for quarter in world.quarters[1:] if quarter <= day)
    return world.carried(person.homes[min(number, len(person.homes) - 1)])


def offender_counts(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return the force's own counts; a later delivery corrects a year, an area may be left out."""
    extracts = []
    for force in world.forces:
        for quarter in drawn_quarters(draw, world):
            years = draw(
                st.lists(st.integers(quarter.year - 4, quarter.year), max_size=3, unique=True)
            )
            rows = [row for year in years for row in _counts_of(world, force, year)]
            if rows:
                name = f"known-offenders-{short_name(force.name)}.csv"
                extracts.append(csv_extract(contract, quarter, name, rows))
    return extracts


def _counts_of(world: World, force: Force, year: int) -> list[Row]:
    """Return a year's counts; districts add up to less than the force, or to as many."""
    areas = {
        code: world.chance.choice([0, 1, 9, 10, 480])
        for district in force.districts
        if world.chance.random() < 0.9
        for code in world.listed(district)
    }
    if world.chance.random() < 0.9:
        areas[force.code] = sum(areas.values()) + world.chance.choice([0, 3, 600])
    return [
        {
            "force": force.name,
            "area_code": code,
            "area_name": force.name if code == force.code else world.name_of(code),
            "calendar_year": date(year, 1, 1),
            "offenders": offenders,
        }
        for code, offenders in areas.items()
    ]


# --- probation -------------------------------------------------------------------------------


def probation(draw: Draw, world: World, contracts: dict[str, Contract]) -> list[Extract]:
    """Return caseloads and the assessments of the same people, a snapshot a quarter."""
    extracts = []
    for force, provider in [(force, one) for force in world.forces for one in ("CRC", "NPS")]:
        for quarter in drawn_quarters(draw, world):
            day = draw(st.sampled_from([quarter, quarter_last_day(quarter)]))
            listed = world.chance.sample(world.people, draw(st.integers(1, len(world.people))))
            whole = {
                "provider": provider,
                "snapshot_date": day,
                "police_force": force.name,
            }
            extracts += _snapshot(draw, world, contracts, whole, listed)
    return extracts


def _snapshot(
    draw: Draw,
    world: World,
    contracts: dict[str, Contract],
    whole: Row,
    listed: list[Person],
) -> list[Extract]:
    caseload, assessments = contracts["probation_caseload"], contracts["oasys_assessments"]
    chance, day = world.chance, whole["snapshot_date"]
    quarter = quarter_of(day)
    held, answers = pools(draw, caseload), pools(draw, assessments)
    # A case reference is of one provider and force.
    letters = "EN" if whole["police_force"] == world.forces[0].name else "FP"
    people, assessed = [], []
    for person in listed:
        letter = letters[whole["provider"] == "NPS"]
        who = {
            **whole,
            "crn": f"{letter}{100_000 + person.number}",
            "pnc_id": person.pnc,
            "residence": _residence(person, world, day),
            "sex": chance.choice([{"M": "Male", "F": "Female"}.get(person.sex), "Male", None]),
        }
        row = filled(held, chance) | who
        row["date_of_birth"] = _born(person, day, chance.random())
        row["first_release_date"] = chance.choice(
            [None, day - timedelta(days=chance.randint(0, 900))]
        )
        people.append(row)
        found = filled(answers, chance) | who | {"main_offence": row["main_offence"]}
        found["assessment_date"] = chance.choice([None, day, day - timedelta(days=500)])
        if found["assessment_date"] is None:
            found |= dict.fromkeys(pathways(assessments))
        assessed.append(found)
    name = f"{whole['provider'].lower()}-{short_name(whole['police_force'])}-{day}"
    extracts = []
    shown = draw(st.sampled_from(["both", "both", "both", "caseload", "assessments"]))
    if shown != "assessments":
        extracts.append(csv_extract(caseload, quarter, f"{name}.csv", people))
    if shown != "caseload":
        extracts.append(assessments_workbook(assessments, quarter, f"{name}.xlsx", whole, assessed))
    return extracts


def pathways(contract: Contract) -> list[str]:
    """Return the columns of an assessment's answers."""
    return [one.name for one in contract.columns if one.allowed and "Unanswered" in one.allowed]


def _residence(person: Person, world: World, day: date) -> str | None:
    home = _home(person, world, day)
    if home is None or world.chance.random() < 0.1:
        return world.chance.choice(["No geographic data", "Out of county", None])
    return home


def _born(person: Person, day: date, drawn: float) -> date | None:
    """Return the birth, now and then one whose birthday is within a day of ``day``."""
    if person.born is None or drawn < 0.08:
        return None
    if drawn < 0.1:
        return impossible(day)
    if drawn < 0.2:
        near = day + timedelta(days=int(drawn * 1000) % 3 - 1)
        return date(near.year - 21, near.month, min(near.day, 28))
    return min(person.born, day)


def impossible(day: date) -> date:
    """Return a birth that cannot be right: after the day, or more than 110 years before it.

    No contract takes a date before 1900.
    """
    after = day.day % 2 or day.year - 111 < 1900
    return day + timedelta(days=30) if after else date(day.year - 111, 1, 1)


# --- the cohort and young people -------------------------------------------------------------


def cohort(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return the people managed, a snapshot a quarter and force."""
    extracts = []
    for force in world.forces:
        for quarter in drawn_quarters(draw, world):
            day = quarter_last_day(quarter)
            held = pools(draw, contract)
            known = [person for person in world.people if person.pnc]
            rows = []
            for person in known[: draw(st.integers(1, 60))]:
                row = filled(held, world.chance)
                row |= {
                    "reported_by": force.name,
                    "snapshot_date": day,
                    "pnc_id": person.pnc,
                    "nominal_id": world.chance.choice([None, f"35NOM/{200_000 + person.number}"]),
                    "sex": person.sex,
                    "date_of_birth": _born(person, day, world.chance.random()),
                    "district_code": _home(person, world, day),
                }
                rows.append(row)
            if rows:
                name = f"iom-{short_name(force.name)}-{day}.csv"
                extracts.append(csv_extract(contract, quarter, name, rows))
    return extracts


def young_people(draw: Draw, world: World, contract: Contract) -> list[Extract]:
    """Return registrations of each service; a file covers one quarter, or a year and more."""
    extracts = []
    for service in world.youth_services:
        # Each entered once, though registered again in later quarters.
        entered: dict[int, date] = {}
        for quarter in drawn_quarters(draw, world):
            span = 9 if world.every else draw(st.sampled_from([1, 4, 9]))
            held, few = pools(draw, contract), fewest_rows(contract)
            quarters = [quarters_before(quarter, back) for back in range(span - 1, -1, -1)]
            rows: list[Row] = []
            for of_quarter in quarters:
                some = world.chance.sample(
                    world.people, min(len(world.people), world.chance.choice([*few, 1, 2, 5]))
                )
                for person in some:
                    rows.append(_registration(world, service, of_quarter, person, held, entered))
            first = quarters[0]
            covered = f"{first:%Y-%m}-to-{quarter_last_day(quarter):%Y-%m}"
            name = f"{short_name(service)}-youth-{covered}.csv"
            if rows:
                extracts.append(csv_extract(contract, quarter, name, rows))
    return extracts


def _registration(
    world: World,
    service: str,
    quarter: date,
    person: Person,
    held: dict[str, list[Any]],
    entered: dict[int, date],
) -> Row:
    chance = world.chance
    day = chance.choice([quarter, quarter_last_day(quarter), quarter + timedelta(days=40)])
    offence = day - timedelta(days=chance.choice([0, 1, 200]))
    home = _home(person, world, day)
    served = world.youth_services[service]
    own = {*served, *(old for district in served for old in earlier(district))}
    if home is not None and home not in ELSEWHERE and home not in own:
        home = chance.choice([None, home, home])
    row = filled(held, chance)
    row |= {
        "youth_offending_service": service,
        "yos_reference": f"{300_000 + person.number}",
        "sex": person.sex,
        "date_of_birth": _young(person, service, world, offence),
        "district_code": home,
        "registered_on": day,
        "offence_date": offence,
    }
    # A quarter that is sent again may hold another day of the same entry.
    is_entry = entered.setdefault(person.number, quarter) == quarter
    row["first_time_entrant"] = "Y" if is_entry and person.number % 3 else "N"
    return row


def _young(person: Person, service: str, world: World, offence: date) -> date | None:
    """Return a birth that makes them 9 to 17 at the end; none in some rows, or an impossible one.

    Another service gives the same number to somebody else, who was born in another year.
    """
    drawn = world.chance.random()
    if drawn < 0.2:
        return impossible(offence) if person.number % 7 == 0 else None
    age = 9 + (person.number + len(service)) % 9
    near = quarter_last_day(world.as_at) - timedelta(days=person.number % 3)
    return date(near.year - age, near.month, min(near.day, 28))

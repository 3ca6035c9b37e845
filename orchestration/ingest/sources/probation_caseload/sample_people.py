"""Made-up people under probation supervision, as two agencies' extracts show them.

No row is a real person. `sample_*.csv` beside this module has what the assessment of
2018 prints about them as targets (people of each kind in each district), and people are made
until the targets are met: the National Probation Service's caseload of February 2017 by Figure 5,
the Community Rehabilitation Company's assessments by Tables 3, 4 and 6, and Fenland's caseload of
May 2018 by the text. Where no figure was printed, or an impossible one, the target is made up; the
receipts that the two sources' `sample.py` write say which ones.

Random numbers come from `random.Random` seeded with text and use only its bits and whole numbers,
so the people are the same on every platform and version.
"""

import csv
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path
from random import Random

FORCE = "Cambridgeshire Constabulary"
FENLAND = "E07000010"
FEBRUARY_2017 = date(2017, 2, 28)
MAY_2017 = date(2017, 5, 31)
MAY_2018 = date(2018, 5, 31)
AUGUST_2018 = date(2018, 8, 31)
NOVEMBER_2018 = date(2018, 11, 30)

# The ten sections of the assessment, in its order.
PATHWAYS = (
    "accommodation",
    "education_training_employment",
    "finance",
    "relationships",
    "lifestyle",
    "drugs",
    "alcohol",
    "emotional",
    "thinking_behaviour",
    "attitudes",
)
# Table 4: assessed offenders in Fenland by number of needs, zero to nine.
FENLAND_NEEDS = (5, 15, 45, 39, 32, 23, 13, 8, 5, 3)
# People of the Community Rehabilitation Company by district; only Fenland's were printed.
CRC_MAY_2017 = {
    "E07000008": 268, "E07000009": 108, FENLAND: 278, "E07000011": 275, "E07000012": 156,
    "E06000031": 712, "No geographic data": 391,
}  # fmt: skip
CRC_MAY_2018 = {
    "E07000008": 255, "E07000009": 112, FENLAND: 272, "E07000011": 281, "E07000012": 149,
    "E06000031": 731, "No geographic data": 342,
}  # fmt: skip
# First letter of the references that a snapshot's new people are given.
CRN_LETTERS = {
    ("NPS", FEBRUARY_2017): "N",
    ("NPS", AUGUST_2018): "P",
    ("NPS", NOVEMBER_2018): "Q",
    ("CRC", FEBRUARY_2017): "E",
    ("CRC", MAY_2017): "F",
    ("CRC", MAY_2018): "X",
    ("CRC", AUGUST_2018): "G",
    ("CRC", NOVEMBER_2018): "H",
}
RESIDENCES = (*CRC_MAY_2017, "Out of county", "")
NOT_KNOWN = {"Not known", "Unknown", "Blank", "Refusal and Unknown"}
AGES = {
    "21 and under": (18, 21),
    "22-25": (22, 25),
    "26-30": (26, 30),
    "31-35": (31, 35),
    "36-40": (36, 40),
    "41-50": (41, 50),
    "51-60": (51, 60),
    "61 or older": (61, 78),
}
YES, NO, UNANSWERED = "Identified", "Not identified", "Unanswered"

Needs = tuple[str, ...]
# Dimension to category to people.
Margins = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True)
class Person:
    """One person on one snapshot. Texts are as the suppliers write them, "" where blank."""

    provider: str
    snapshot: date
    residence: str
    crn: str
    pnc_id: str
    date_of_birth: date | None
    sex: str
    ethnicity: str
    order_type: str
    main_offence: str
    ogrs3_score: str
    accommodation: str
    disability: str
    mental_health: str
    self_harm: str
    area_classification: str
    released: date | None
    needs: Needs | None = None
    """Answers in the order of PATHWAYS; None where no assessment was completed."""
    assessed: date | None = None


@cache
def nps_february_2017() -> tuple[Person, ...]:
    """Return the National Probation Service's caseload, by the printed margins of Figure 5."""
    targets = needs_targets("NPS")
    people = []
    for residence, by_dimension in nps_margins().items():
        random = Random(f"probation sample NPS 2017-02 {residence}")
        size = sum(by_dimension["Gender"].values())
        rest = {
            name: shares_of(weights, size, random)
            for name, weights in crc_weights().items()
            if name not in by_dimension
        }
        made = make_people("NPS", FEBRUARY_2017, residence, {**by_dimension, **rest}, random)
        target = targets[residence]
        answers = correlated_needs(target, random)
        if residence == "Out of county":
            answers = _left_open(answers, "alcohol", 3)
        people += _with_needs(made, [*answers, *[None] * (size - len(answers))], random)
    return tuple(people)


def nps_margins() -> dict[str, dict[str, dict[str, int]]]:
    """Return Figure 5's people by residence, dimension and category."""
    margins: dict[str, dict[str, dict[str, int]]] = defaultdict(lambda: defaultdict(dict))
    for row in facts("sample_nps_profile.csv"):
        margins[row["residence"]][row["dimension"]][row["category"]] = int(row["people"])
    return margins


@cache
def crc_february_2017() -> tuple[Person, ...]:
    """Return the Community Rehabilitation Company's caseload, by Tables 3, 4 and 6."""
    random = Random("probation sample CRC 2017-02")
    targets = needs_targets("CRC")
    assessed: list[tuple[str, Needs]] = []
    for residence, target in targets.items():
        answers = (
            _needs_by_count(target, FENLAND_NEEDS, random)
            if residence == FENLAND
            else correlated_needs(target, random)
        )
        assessed += [(residence, answer) for answer in answers]
    sexes, offences = _sexes_and_offences([needs for _, needs in assessed], random)
    people = []
    for residence, target in targets.items():
        mine = [place for place, (where, _) in enumerate(assessed) if where == residence]
        others = target["not assessed"]
        shares = {
            name: shares_of(weights, len(mine) + others, random)
            for name, weights in crc_weights().items()
        }
        made = make_people("CRC", FEBRUARY_2017, residence, shares, random)
        random.shuffle(made)
        for person, place in zip(made, mine, strict=False):
            assessed_person = replace(
                person,
                sex=sexes[place],
                main_offence=offences[place],
                needs=assessed[place][1],
                assessed=assessment_date(random),
            )
            people.append(assessed_person)
        people += made[len(mine) :]
    return tuple(people)


@cache
def crc_may_2017() -> tuple[Person, ...]:
    """Return the next snapshot: most of the people of February, and new ones."""
    random = Random("probation sample CRC 2017-05")
    people = []
    for residence, size in CRC_MAY_2017.items():
        before = [one for one in crc_february_2017() if one.residence == residence]
        random.shuffle(before)
        kept = before[: size * 4 // 5]
        shares = {
            name: shares_of(weights, size - len(kept), random)
            for name, weights in crc_weights().items()
        }
        people += [replace(one, snapshot=MAY_2017, needs=None, assessed=None) for one in kept]
        people += make_people("CRC", MAY_2017, residence, shares, random)
    return tuple(people)


@cache
def crc_may_2018() -> tuple[Person, ...]:
    """Return the snapshot of May 2018, Fenland's by the text; some were there a year before."""
    random = Random("probation sample CRC 2018-05")
    people = []
    for residence, size in CRC_MAY_2018.items():
        if residence == FENLAND:
            margins = _crc_fenland()
        else:
            margins = {
                name: shares_of(weights, size, random) for name, weights in crc_weights().items()
            }
        made = make_people("CRC", MAY_2018, residence, margins, random)
        before = [one for one in crc_may_2017() if one.residence == residence]
        people += _recognised(made, before)
    return tuple(people)


# --- making people ---------------------------------------------------------------------------


def make_people(
    provider: str, snapshot: date, residence: str, margins: Margins, random: Random
) -> list[Person]:
    """Return people who together meet the margins; what is not known gathers in the same people."""
    columns = {name: _column(counts, random) for name, counts in margins.items()}
    size = len(columns["Gender"])
    return [
        _person(
            provider,
            snapshot,
            residence,
            _crn(provider, snapshot, residence, place),
            {name: column[place] for name, column in columns.items()},
            random,
        )
        for place in range(size)
    ]


def _column(counts: Mapping[str, int], random: Random) -> list[str]:
    known = [name for name, count in counts.items() if name not in NOT_KNOWN for _ in range(count)]
    random.shuffle(known)
    return known + [
        name for name, count in counts.items() if name in NOT_KNOWN for _ in range(count)
    ]


def _person(
    provider: str,
    snapshot: date,
    residence: str,
    crn: str,
    kinds: Mapping[str, str],
    random: Random,
) -> Person:
    born = _date_of_birth(kinds["Age group"], snapshot, random)
    released = None
    if kinds["Order category"] == "Post release":
        released = snapshot - timedelta(days=random.randrange(1, 540))
    place = kinds["Area classification"]
    return Person(
        provider=provider,
        snapshot=snapshot,
        residence=residence,
        crn=crn,
        pnc_id=_pnc_id(snapshot, random),
        date_of_birth=born,
        sex=_value("Gender", kinds["Gender"], random),
        ethnicity=_value("Ethnicity", kinds["Ethnicity"], random),
        order_type=_value("Order category", kinds["Order category"], random),
        main_offence=_value("Offence category", kinds["Offence category"], random),
        ogrs3_score=_score(_value("OGRS 3", kinds["OGRS 3"], random), random),
        accommodation=_value("Accommodation status", kinds["Accommodation status"], random),
        disability=_value("Disability", kinds["Disability"], random),
        mental_health=_value("Mental health", kinds["Mental health"], random),
        self_harm=_value("Suicide or self-harm", kinds["Suicide or self-harm"], random),
        area_classification="" if place == "Not known" or not _is_district(residence) else place,
        released=released,
    )


def _is_district(residence: str) -> bool:
    return residence.startswith("E0")


def _date_of_birth(group: str, snapshot: date, random: Random) -> date | None:
    if group == "Not known":
        return None
    low, high = AGES[group] if group in AGES else _range(group)
    birthday = snapshot.replace(year=snapshot.year - random.randrange(low, high + 1))
    return birthday - timedelta(days=random.randrange(360))


def _range(text: str) -> tuple[int, int]:
    low, high = text.split("-")
    return int(low), int(high)


def _score(text: str, random: Random) -> str:
    if not text:
        return ""
    low, high = _range(text)
    return str(random.randrange(low, high + 1))


def _crn(provider: str, snapshot: date, residence: str, place: int) -> str:
    """Return a reference that no one else has: a letter a snapshot, numbers far apart."""
    letter = CRN_LETTERS[provider, snapshot]
    number = 1000 * RESIDENCES.index(residence) + place
    # Prime to 900,000, so that no number comes twice.
    return f"{letter}{100_000 + number * 7919 % 900_000}"


def _pnc_id(snapshot: date, random: Random) -> str:
    """Return a Police National Computer identifier: year, serial, and the check letter."""
    year = snapshot.year - random.randrange(1, 25)
    serial = random.randrange(1, 1000000)
    letter = "ZABCDEFGHJKLMNPQRTUVWXY"[(year % 100 * 10_000_000 + serial) % 23]
    return f"{year}/{serial:07}{letter}"


def assessment_date(random: Random, snapshot: date = FEBRUARY_2017) -> date:
    """Return a day in the 400 or so before a snapshot."""
    return snapshot - timedelta(days=random.randrange(3, 400))


def _with_needs(
    people: Sequence[Person], answers: Iterable[Needs | None], random: Random
) -> list[Person]:
    """Return the people with answers dealt to them in a random order."""
    dealt = list(answers)
    random.shuffle(dealt)
    return [
        replace(person, needs=needs, assessed=assessment_date(random) if needs else None)
        for person, needs in zip(people, dealt, strict=True)
    ]


def _recognised(people: Iterable[Person], before: Iterable[Person]) -> list[Person]:
    """Give people the references and birthday of someone alike on an earlier caseload, once each.

    A quarter of those on the earlier one may be met again.
    """
    waiting: dict[tuple[str, str, int], list[Person]] = defaultdict(list)
    for number, person in enumerate(before):
        if person.date_of_birth and number % 4 == 0:
            key = (person.sex, person.ethnicity, _age(person.date_of_birth, MAY_2018))
            waiting[key].append(person)
    found = []
    for person in people:
        known: list[Person] = []
        if person.date_of_birth:
            age = _age(person.date_of_birth, MAY_2018)
            known = waiting.get((person.sex, person.ethnicity, age), [])
        if known:
            same = known.pop()
            person = replace(
                person, crn=same.crn, pnc_id=same.pnc_id, date_of_birth=same.date_of_birth
            )
        found.append(person)
    return found


def _age(born: date, day: date) -> int:
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


# --- making answers --------------------------------------------------------------------------


def correlated_needs(target: Mapping[str, int], random: Random) -> list[Needs]:
    """Return answers with as many needs of each kind as aimed for, needs going together."""
    size = target["assessed"]
    burdens = [random.randrange(1000) for _ in range(size)]
    columns = []
    for pathway in PATHWAYS:
        order = sorted(
            range(size), key=lambda place: burdens[place] + random.randrange(1600), reverse=True
        )
        columns.append(set(order[: target[pathway]]))
    return [tuple(YES if place in column else NO for column in columns) for place in range(size)]


def _needs_by_count(
    target: Mapping[str, int], people_by_needs: Sequence[int], random: Random
) -> list[Needs]:
    """Return answers that meet both the needs of each kind and the number of needs a person.

    Each pathway goes to those with most needs still to come (Ryser's construction), which always
    succeeds where a solution exists; pairs of people then swap needs at random.
    """
    left = [needs for needs, people in enumerate(people_by_needs) for _ in range(people)]
    table = [[False] * len(PATHWAYS) for _ in left]
    for column, pathway in enumerate(PATHWAYS):
        order = sorted(range(len(left)), key=lambda place: (-left[place], random.randrange(1000)))
        for place in order[: target[pathway]]:
            table[place][column] = True
            left[place] -= 1
    for _ in range(20000):
        one, other = (table[random.randrange(len(table))] for _ in range(2))
        first, second = (random.randrange(len(PATHWAYS)) for _ in range(2))
        if one[first] and other[second] and not one[second] and not other[first]:
            one[first], one[second], other[first], other[second] = False, True, True, False
    random.shuffle(table)
    return [tuple(YES if need else NO for need in row) for row in table]


def _left_open(answers: Sequence[Needs], pathway: str, people: int) -> list[Needs]:
    """Return the answers with one question left unanswered by the first who had no such need."""
    place = PATHWAYS.index(pathway)
    changed = []
    for answer in answers:
        if people and answer[place] == NO:
            answer = (*answer[:place], UNANSWERED, *answer[place + 1 :])
            people -= 1
        changed.append(answer)
    return changed


def _sexes_and_offences(
    answers: Sequence[Needs], random: Random
) -> tuple[dict[int, str], dict[int, str]]:
    """Return sex and offence of each assessed person, so that Table 6's counts come out."""
    rows = facts("sample_acquisitive.csv")
    men = {row["measure"]: int(row["men"]) for row in rows}
    women = {row["measure"]: int(row["women"]) for row in rows}
    acquisitive_men = _subset(answers, range(len(answers)), men, random)
    others = [place for place in range(len(answers)) if place not in acquisitive_men]
    acquisitive_women = _subset(answers, others, women, random)
    weights = crc_weights()
    not_acquisitive = {
        name: weight
        for name, weight in weights["Offence category"].items()
        if name != "Acquisitive"
    }
    rest = [place for place in others if place not in acquisitive_women]
    kinds = _column(shares_of(not_acquisitive, len(rest), random), random)
    rest_sexes = _column(shares_of({"Male": 860, "Female": 140}, len(rest), random), random)
    random.shuffle(rest)
    sexes = dict(zip(rest, rest_sexes, strict=True))
    sexes |= dict.fromkeys(acquisitive_men, "Male") | dict.fromkeys(acquisitive_women, "Female")
    categories = dict(zip(rest, kinds, strict=True))
    categories |= dict.fromkeys(acquisitive_men | acquisitive_women, "Acquisitive")
    offences = {
        place: _value("Offence category", category, random)
        for place, category in sorted(categories.items())
    }
    return sexes, offences


def _subset(
    answers: Sequence[Needs], places: Iterable[int], target: Mapping[str, int], random: Random
) -> set[int]:
    """Return places whose answers together hold the needs aimed for.

    Starts anywhere and exchanges one person at a time for as long as that brings it no further off.
    """
    outside = list(places)
    random.shuffle(outside)
    size = target["assessed"]
    inside, outside = outside[:size], outside[size:]
    need = {place: [answer == YES for answer in answers[place]] for place in [*inside, *outside]}
    gaps = [
        sum(need[place][column] for place in inside) - target[pathway]
        for column, pathway in enumerate(PATHWAYS)
    ]
    while any(gaps):
        leaving, coming = random.randrange(len(inside)), random.randrange(len(outside))
        after = [
            gap - need[inside[leaving]][column] + need[outside[coming]][column]
            for column, gap in enumerate(gaps)
        ]
        if sum(map(abs, after)) <= sum(map(abs, gaps)):
            gaps = after
            inside[leaving], outside[coming] = outside[coming], inside[leaving]
    return set(inside)


# --- targets ---------------------------------------------------------------------------------


@cache
def _values() -> dict[tuple[str, str], tuple[tuple[str, ...], tuple[int, ...]]]:
    found: dict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for row in facts("sample_values.csv"):
        found[row["dimension"], row["category"]].append((row["value"], int(row["weight"])))
    return {
        key: (tuple(value for value, _ in pairs), tuple(accumulate(weight for _, weight in pairs)))
        for key, pairs in found.items()
    }


def _value(dimension: str, category: str, random: Random) -> str:
    """Return one of the suppliers' values that are counted under the category."""
    values, totals = _values()[dimension, category]
    return values[bisect_right(totals, random.randrange(totals[-1]))]


@cache
def crc_weights() -> dict[str, dict[str, int]]:
    """Return the weights of categories in the company's caseload, by dimension."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in facts("sample_crc_profile.csv"):
        found[row["dimension"]][row["category"]] = int(row["weight"])
    return dict(found)


def _crc_fenland() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in facts("sample_crc_profile.csv"):
        found[row["dimension"]][row["category"]] = int(row["fenland_2018"])
    return dict(found)


def needs_targets(provider: str) -> dict[str, dict[str, int]]:
    """Return people of a provider by residence and measure (assessed, a pathway, not assessed)."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for row in facts("sample_needs.csv"):
        if row["provider"] == provider:
            found[row["residence"]][row["measure"]] = int(row["people"])
    return dict(found)


def shares_of(weights: Mapping[str, int], size: int, random: Random) -> dict[str, int]:
    """Divide ``size`` people by weights that vary a little from place to place."""
    varied = {name: weight * random.randrange(85, 116) for name, weight in weights.items()}
    total = sum(varied.values())
    counts = {name: size * weight // total for name, weight in varied.items()}
    by_remainder = sorted(varied, key=lambda name: size * varied[name] % total, reverse=True)
    for name in by_remainder[: size - sum(counts.values())]:
        counts[name] += 1
    return counts


def facts(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the files of targets beside this module."""
    with (Path(__file__).parent / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))

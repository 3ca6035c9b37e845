"""The caseloads of August and November 2018: made up, and most people are those of the one before.

Of the people on a provider's caseload some leave, the others stay with the same references, and new
people come until the size of the district is met. Who had completed no assessment may have one at
the next snapshot; a few are assessed anew. Shares of people with each need are about those of
February 2017, the latest that the assessment gives.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from random import Random

from orchestration.ingest.sources.probation_caseload.sample_people import (
    AUGUST_2018,
    NOVEMBER_2018,
    PATHWAYS,
    Margins,
    Needs,
    Person,
    assessment_date,
    correlated_needs,
    crc_february_2017,
    crc_may_2018,
    crc_weights,
    make_people,
    needs_targets,
    nps_february_2017,
    nps_margins,
    shares_of,
)

# Per mille: people who stay from one snapshot to the next, by the provider and the later snapshot.
STAY = {
    ("CRC", AUGUST_2018): 830,
    ("CRC", NOVEMBER_2018): 840,
    # A year and a half after the snapshot before it.
    ("NPS", AUGUST_2018): 420,
    ("NPS", NOVEMBER_2018): 910,
}
# Of those who stay, one in this many is assessed anew, with one answer changed; one in this many
# has lost or found a home.
ASSESSED_ANEW, ACCOMMODATION_CHANGED = 9, 17
HOMES = ("Settled", "Settled", "Transient or temporary", "No fixed abode")


@cache
def crc_august_2018() -> tuple[Person, ...]:
    """Return the Community Rehabilitation Company's caseload of August 2018."""
    return _next(crc_may_2018(), "CRC", AUGUST_2018)


@cache
def crc_november_2018() -> tuple[Person, ...]:
    """Return the Community Rehabilitation Company's caseload of November 2018."""
    return _next(crc_august_2018(), "CRC", NOVEMBER_2018)


@cache
def nps_august_2018() -> tuple[Person, ...]:
    """Return the National Probation Service's caseload of August 2018."""
    return _next(nps_february_2017(), "NPS", AUGUST_2018)


@cache
def nps_november_2018() -> tuple[Person, ...]:
    """Return the National Probation Service's caseload of November 2018."""
    return _next(nps_august_2018(), "NPS", NOVEMBER_2018)


def _next(before: Sequence[Person], provider: str, snapshot: date) -> tuple[Person, ...]:
    """Return the caseload that follows another, district by district."""
    people: list[Person] = []
    for residence in sorted({person.residence for person in before}):
        random = Random(f"probation sample {provider} {snapshot:%Y-%m} {residence}")
        there = [person for person in before if person.residence == residence]
        size = len(there) * random.randrange(960, 1051) // 1000
        stay = random.sample(there, min(size, len(there) * STAY[provider, snapshot] // 1000))
        new = make_people(
            provider, snapshot, residence, _margins(provider, residence, size - len(stay), random),
            random,
        )  # fmt: skip
        here = [_later(person, snapshot, random) for person in stay] + new
        people += _assessed(here, provider, residence, snapshot, random)
    return tuple(people)


def _margins(provider: str, residence: str, size: int, random: Random) -> Margins:
    weights = dict(crc_weights())
    if provider == "NPS":
        weights |= nps_margins()[residence]
    return {name: shares_of(counts, size, random) for name, counts in weights.items()}


def _later(person: Person, snapshot: date, random: Random) -> Person:
    """Return someone who stays as the next snapshot shows them."""
    person = replace(person, snapshot=snapshot)
    if random.randrange(ACCOMMODATION_CHANGED) == 0:
        person = replace(person, accommodation=HOMES[random.randrange(len(HOMES))])
    if person.needs and random.randrange(ASSESSED_ANEW) == 0:
        place = random.randrange(len(PATHWAYS))
        changed = "Not identified" if person.needs[place] == "Identified" else "Identified"
        needs: Needs = (*person.needs[:place], changed, *person.needs[place + 1 :])
        person = replace(person, needs=needs, assessed=assessment_date(random, snapshot))
    return person


def _assessed(
    people: Sequence[Person], provider: str, residence: str, snapshot: date, random: Random
) -> list[Person]:
    """Return the people after assessments were completed for about the share of February 2017."""
    target = needs_targets(provider)[residence]
    first = crc_february_2017() if provider == "CRC" else nps_february_2017()
    whole = sum(person.residence == residence for person in first)
    wanted = len(people) * target["assessed"] * random.randrange(960, 1041) // (1000 * whole)
    waiting = [place for place, person in enumerate(people) if person.needs is None]
    missing = max(0, min(len(waiting), wanted - (len(people) - len(waiting))))
    chosen = random.sample(waiting, missing)
    counts = {"assessed": missing}
    for pathway in PATHWAYS:
        expected = missing * target[pathway] * random.randrange(850, 1151)
        counts[pathway] = min(missing, expected // (1000 * target["assessed"]))
    answers = dict(zip(chosen, correlated_needs(counts, random), strict=True))
    return [
        replace(person, needs=answers[place], assessed=assessment_date(random, snapshot))
        if place in answers
        else person
        for place, person in enumerate(people)
    ]

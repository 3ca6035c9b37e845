"""``python -m tests.bench.county``: disclosure control at the scale of a county.

A made-up force of two counties, eleven districts and their towns: people of five kinds in four
periods each, drawn one by one with a fixed seed, and counted into a hundred tables that share
their totals. Everything in it is synthetic. It measures what protecting them all together costs,
and what attacking them costs, beside each other in one run.
"""

import json
import resource
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from orchestration.disclosure.attack_verdict import examine
from orchestration.disclosure.protection import protect
from orchestration.disclosure.table_model import (
    OPEN,
    PEOPLE,
    Cell,
    Merge,
    MergedCell,
    MergeOption,
    Ratio,
    Relation,
    Rule,
    Tables,
    tables,
    total,
)

KEPT_FROM = 100
"""Totals of an area are hidden from this size on only where nothing else helps."""

ALL = "all"
_SEXES = ("men", "women")
_AGES = ("18 to 20", "21 to 24", "25 to 34", "35 to 44", "45 to 54", "55 or over")
_OFFENCES = (
    "violence", "theft", "vehicle", "damage", "drugs", "public order", "burglary", "robbery",
    "other",
)  # fmt: skip
_ETHNICITIES = ("White", "Asian", "Black", "Mixed", "Other", "Chinese", "Not stated")
_PATHWAYS = (
    "accommodation", "education", "drugs", "alcohol", "health", "finance", "relationships",
    "attitudes", "lifestyle",
)  # fmt: skip
_SHARES = {
    "sex": (0.84, 0.16),
    "age": (0.10, 0.17, 0.36, 0.20, 0.12, 0.05),
    "offence": (0.27, 0.21, 0.13, 0.11, 0.10, 0.07, 0.06, 0.03, 0.02),
    "ethnicity": (0.81, 0.07, 0.05, 0.03, 0.01, 0.01, 0.02),
    "need": (0.42, 0.38, 0.33, 0.25, 0.22, 0.18, 0.12, 0.07, 0.03),
}
_KINDS = {"community": 1500, "national": 700, "young": 420, "managed": 170, "released": 330}
"""Kinds of people, and how many of each a whole county has in a period."""
_MERGING = ("community", "managed")
"""Kinds whose last offence groups may be put together in the first period."""


@dataclass(frozen=True)
class County:
    """The tables together, and how many they are printed in."""

    tables: Tables
    printed_in: int

    @property
    def cells(self) -> int:
        """Counts that are printed."""
        return sum(cell.printed for cell in self.tables.cells.values())

    @property
    def sensitive(self) -> int:
        """Counts that must be hidden."""
        return sum(cell.sensitive for cell in self.tables.cells.values() if cell.printed)


@dataclass(frozen=True)
class _Places:
    """Districts by county, and the towns of each district; some live in none of them."""

    counties: tuple[tuple[int, ...], ...]
    towns: tuple[int, ...]

    @property
    def districts(self) -> int:
        return len(self.towns)


@dataclass(frozen=True)
class _People:
    """One entry a person: place and categories by number, needs as true and false."""

    district: NDArray[np.int64]
    town: NDArray[np.int64]
    sex: NDArray[np.int64]
    age: NDArray[np.int64]
    offence: NDArray[np.int64]
    ethnicity: NDArray[np.int64]
    needs: NDArray[np.bool_]


@dataclass
class _Release:
    """The tables while they are put together."""

    cells: dict[str, Cell] = field(default_factory=dict)
    sums: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    relations: list[Relation] = field(default_factory=list)
    ratios: list[Ratio] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    printed_in: int = 0

    def print(self, key: str, count: int, *, kept: bool = False) -> None:
        self.cells.setdefault(key, Cell(key, count, kept=kept and count >= KEPT_FROM))

    def part(self, key: str, whole: str, by: str) -> None:
        self.sums.setdefault((whole, by), []).append(key)

    def rest(self, whole: str, parts: Sequence[str], name: str, rule: Rule) -> None:
        """Close a total whose parts leave somebody over, a number that no table prints."""
        left = self.cells[whole].value - sum(self.cells[part].value for part in parts)
        self.cells[name] = Cell(name, left, rule, printed=False)
        self.relations.append(total(whole, [*parts, name]))

    def finished(self) -> County:
        sums = [total(whole, parts) for (whole, _), parts in self.sums.items()]
        made = tables(self.cells.values(), [*sums, *self.relations], self.ratios, self.merges)
        return County(made, self.printed_in)


def make_county(seed: int = 1, kinds: int = 5, periods: int = 4, districts: int = 11) -> County:
    """Return a synthetic county: five tables for each kind of people and period."""
    draws = np.random.Generator(np.random.PCG64(seed))
    third = max(1, districts * 3 // 11)
    places = _Places(
        (tuple(range(districts - third)), tuple(range(districts - third, districts))),
        tuple(3 + (number % 4 == 0) for number in range(districts)),
    )
    release = _Release()
    for kind in list(_KINDS)[:kinds]:
        people = [_people(draws, places, _KINDS[kind] * districts // 11) for _ in range(periods)]
        for number, some in enumerate(people):
            _five_tables(release, f"{kind} {number}", some, places, kind in _MERGING and not number)
    return release.finished()


def _people(draws: np.random.Generator, places: _Places, number: int) -> _People:
    size = 1 / np.arange(1, places.districts + 1)
    district = _drawn(draws, size, number)
    towns = np.array(places.towns)[district]
    # The last number is people who live in no town that is printed.
    town = np.floor(draws.random(number) ** 2 * (towns + 1)).astype(np.int64)
    return _People(
        district,
        np.minimum(town, towns),
        _drawn(draws, np.array(_SHARES["sex"]), number),
        _drawn(draws, np.array(_SHARES["age"]), number),
        _drawn(draws, np.array(_SHARES["offence"]), number),
        _drawn(draws, np.array(_SHARES["ethnicity"]), number),
        draws.random((number, len(_PATHWAYS))) < np.array(_SHARES["need"]),
    )


def _drawn(draws: np.random.Generator, weights: NDArray[np.float64], size: int) -> Any:
    ends = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(ends, draws.random(size)), len(weights) - 1)


def _areas(people: _People, places: _Places) -> Iterator[tuple[str, str | None, Any]]:
    """Yield each area with the wider one that it is part of, and who is of it."""
    yield "force", None, np.ones(len(people.district), dtype=bool)
    for number, districts in enumerate(places.counties):
        yield f"county {number}", "force", np.isin(people.district, districts)
        for district in districts:
            yield f"district {district}", f"county {number}", people.district == district


def _five_tables(
    release: _Release, universe: str, people: _People, places: _Places, merging: bool
) -> None:
    ages = list(zip(_AGES, _one_hot(people.age, len(_AGES)), strict=True))
    offences = list(zip(_OFFENCES, _one_hot(people.offence, len(_OFFENCES)), strict=True))
    ethnic = list(zip(_ETHNICITIES, _one_hot(people.ethnicity, len(_ETHNICITIES)), strict=True))
    for area, wider, here in _areas(people, places):
        _by_sex_and_age(release, (universe, area, wider), here, people, ages)
        for name, categories in (("offence", offences), ("ethnicity", ethnic)):
            _by_category(release, (universe, area, wider), here, name, categories)
        _needs(release, (universe, area, wider), here, people)
    for district, towns in enumerate(places.towns):
        _towns(release, universe, district, towns, people)
    if merging:
        areas = [area for area, _, _ in _areas(people, places)]
        release.merges.append(_last_offences(universe, areas))
    release.printed_in += 5


def _one_hot(numbers: NDArray[np.int64], size: int) -> list[NDArray[np.bool_]]:
    return [numbers == number for number in range(size)]


_Place = tuple[str, str, str | None]


def _cell(
    release: _Release, place: _Place, category: str, who: NDArray[np.bool_], *, kept: bool = False
) -> str:
    """Print a count of an area, as part of that of the wider area."""
    universe, area, wider = place
    key = f"{universe}/{area}/{category}"
    release.print(key, int(who.sum()), kept=kept)
    if wider is not None:
        release.part(key, f"{universe}/{wider}/{category}", "areas")
    return key


def _by_sex_and_age(
    release: _Release, place: _Place, here: NDArray[np.bool_], people: _People,
    ages: Sequence[tuple[str, NDArray[np.bool_]]],
) -> None:  # fmt: skip
    everybody = _cell(release, place, ALL, here, kept=True)
    for age, of_age in ages:
        release.part(_cell(release, place, age, here & of_age), everybody, "age")
    for number, sex in enumerate(_SEXES):
        of_sex = here & (people.sex == number)
        one_sex = _cell(release, place, sex, of_sex)
        release.part(one_sex, everybody, "sex")
        release.ratios.append(Ratio(one_sex, everybody))
        for age, of_age in ages:
            key = _cell(release, place, f"{sex} {age}", of_sex & of_age)
            release.part(key, one_sex, "age")
            release.part(key, f"{everybody.rpartition('/')[0]}/{age}", "sex")
            release.ratios.append(Ratio(key, one_sex))


def _by_category(
    release: _Release, place: _Place, here: NDArray[np.bool_], name: str,
    categories: Sequence[tuple[str, NDArray[np.bool_]]],
) -> None:  # fmt: skip
    whole = f"{place[0]}/{place[1]}/{ALL}"
    for category, of_category in categories:
        key = _cell(release, place, f"{name} {category}", here & of_category)
        release.part(key, whole, name)
        release.ratios.append(Ratio(key, whole, decimals=1))


def _needs(release: _Release, place: _Place, here: NDArray[np.bool_], people: _People) -> None:
    start = f"{place[0]}/{place[1]}"
    for number, pathway in enumerate(_PATHWAYS):
        need = here & people.needs[:, number]
        both = _cell(release, place, f"need {pathway}", need)
        release.rest(f"{start}/{ALL}", [both], f"{both} without", OPEN)
        release.ratios.append(Ratio(both, f"{start}/{ALL}"))
        for code, sex in enumerate(_SEXES):
            key = _cell(release, place, f"need {pathway} {sex}", need & (people.sex == code))
            release.part(key, both, "sex")
            release.rest(f"{start}/{sex}", [key], f"{key} without", OPEN)
            release.ratios.append(Ratio(key, f"{start}/{sex}"))


def _towns(release: _Release, universe: str, district: int, towns: int, people: _People) -> None:
    here = people.district == district
    names = [f"town {district}.{number}" for number in range(towns)]
    for number, town in enumerate(names):
        of_town = here & (people.town == number)
        everybody = _cell(release, (universe, town, None), ALL, of_town, kept=True)
        for code, sex in enumerate(_SEXES):
            who = of_town & (people.sex == code)
            key = _cell(release, (universe, town, None), sex, who)
            release.part(key, everybody, "sex")
    for category in (ALL, *_SEXES):
        parts = [f"{universe}/{town}/{category}" for town in names]
        whole = f"{universe}/district {district}/{category}"
        release.rest(whole, parts, f"{whole} in no town", PEOPLE)


def _last_offences(universe: str, areas: Sequence[str]) -> Merge:
    options = []
    for start in (len(_OFFENCES) - 2, len(_OFFENCES) - 3):
        merged = [
            MergedCell(
                f"{universe}/{area}/offence {_OFFENCES[start]} and after",
                tuple(f"{universe}/{area}/offence {offence}" for offence in _OFFENCES[start:]),
            )
            for area in areas
        ]
        options.append(MergeOption(f"{_OFFENCES[start]} and after", tuple(merged)))
    return Merge(f"{universe} offences", tuple(options))


def measured(county: County) -> dict[str, Any]:
    """Protect and attack a county; return counts, seconds, gap and MiB, by name."""
    started = time.perf_counter()
    protection = protect(county.tables)
    protected = time.perf_counter()
    verdict = examine(protection)
    return {
        "tables": county.printed_in,
        "cells": county.cells,
        "sensitive": county.sensitive,
        "hidden": len(protection.hidden),
        "merged": len(protection.merged),
        "seconds_to_protect": protected - started,
        "seconds_to_attack": time.perf_counter() - protected,
        "gap": protection.gap,
        "narrowest": verdict.narrowest,
        "findings": len(verdict.findings),
        "peak_mib": _peak(resource.RUSAGE_SELF),
        "peak_mib_of_a_process_beside": _peak(resource.RUSAGE_CHILDREN),
    }


def _peak(whose: int) -> float:
    return resource.getrusage(whose).ru_maxrss / 1024


def report(found: dict[str, Any]) -> Iterator[str]:
    """Return the text on what was measured."""
    yield (
        f"A synthetic county: {found['tables']} linked tables, {found['cells']:,} cells, "
        f"{found['sensitive']:,} of them sensitive, {found['hidden']:,} hidden, "
        f"{found['merged']} tables merged"
    )
    yield (
        f"Protected in {found['seconds_to_protect']:.1f} s at a gap of {found['gap']:.1%} to the "
        f"proved bound, attacked in {found['seconds_to_attack']:.1f} s: {found['findings']} "
        f"findings, narrowest interval {found['narrowest']:.0f}"
    )
    yield (
        f"Peak memory {found['peak_mib']:.0f} MiB, of each process beside it "
        f"{found['peak_mib_of_a_process_beside']:.0f} MiB"
    )


def main(
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 1,
    districts: Annotated[int, typer.Option(help="Districts of the force.")] = 11,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON.")] = False,
) -> None:
    """Protect and attack the tables of a synthetic county; fail where anything is found."""
    found = measured(make_county(seed, districts=districts))
    typer.echo(json.dumps(found) if as_json else "\n".join(report(found)))
    if found["findings"]:
        sys.exit(1)


if __name__ == "__main__":
    typer.run(main)

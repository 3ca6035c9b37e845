"""Corrections: every build ever published, beside all the others, under an attack of its own.

People are drawn, published, corrected and published again. The attack here shares no code with the
product: it is an integer program of scipy over what each build prints, the sums that anybody knows,
and the worst that a reader may know besides: which counts did not change. ``CSP_CORRECTIONS`` is
how many corrections are drawn.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_matrix

from orchestration.disclosure.attack_verdict import examine
from orchestration.disclosure.earlier_releases import (
    PublishedModel,
    from_json,
    published_model,
    with_releases,
)
from orchestration.disclosure.protection import protect
from orchestration.disclosure.table_model import Cell, publication, tables, total
from orchestration.errors import UnpublishableCountError

AREAS = ("D1", "D2", "D3", "D4")
SEXES = ("Men", "Women")
HOMES = ("home", "none", "temporary", "unknown")
QUARTERS = (1, 2)
ALL = "all"
CORRECTIONS = int(os.environ.get("CSP_CORRECTIONS", "20"))
THRESHOLD = 5

Truth = Counter[tuple[int, str, str, str]]
"""People by quarter, area, sex and home."""


def key_of(quarter: int, area: str, sex: str, home: str) -> str:
    return f"{quarter} {area} {sex} {home}"


def counts_of(truth: Truth, quarters: Sequence[int]) -> dict[str, int]:
    """Return every count of the tables of these quarters, totals too."""
    made = {}
    for quarter, area, sex, home in product(quarters, (*AREAS, ALL), SEXES, (*HOMES, ALL)):
        made[key_of(quarter, area, sex, home)] = sum(
            number
            for (q, a, s, h), number in truth.items()
            if q == quarter and area in (a, ALL) and sex == s and home in (h, ALL)
        )
    return made


def sums_of(quarters: Sequence[int]) -> Iterator[tuple[str, list[str]]]:
    """Yield every total with its parts."""
    for quarter, area, sex, home in product(quarters, (*AREAS, ALL), SEXES, (*HOMES, ALL)):
        whole = key_of(quarter, area, sex, home)
        if area == ALL:
            yield whole, [key_of(quarter, part, sex, home) for part in AREAS]
        if home == ALL:
            yield whole, [key_of(quarter, area, sex, part) for part in HOMES]


@dataclass
class Build:
    """A published build: the truth behind it, and what it prints; none is a marker."""

    quarters: Sequence[int]
    counts: Mapping[str, int]
    printed: Mapping[str, int | None]


@dataclass
class Publisher:
    """Publishes build after build as the product does."""

    builds: list[Build] = field(default_factory=list)
    models: list[PublishedModel] = field(default_factory=list)
    beside_earlier: bool = True

    def publish(self, truth: Truth, quarters: Sequence[int]) -> str:
        """Publish a build; return what came of it.

        Where no choice protects it, it is withheld, and the builds before it stay as they are.
        """
        counts = counts_of(truth, quarters)
        if self.builds and counts == self.builds[-1].counts:
            return "the same"
        own = tables(
            [Cell(key, value, kept=value >= 20) for key, value in counts.items()],
            [total(whole, parts) for whole, parts in sums_of(quarters)],
        )
        made = with_releases(own, self.models if self.beside_earlier else [])
        try:
            protection = protect(made)
        except UnpublishableCountError:
            return "withheld"
        safe = examine(protection).safe
        printed = {key: None if key in protection.hidden else counts[key] for key in counts}
        self.builds.append(Build(quarters, counts, printed))
        model = published_model(own, protection, publication(protection))
        self.models.append(from_json(model.as_json()))
        return "published" if safe else "found"


def leaks(builds: Sequence[Build]) -> list[str]:
    """Return the hidden counts of 1 to 4 that all builds together give away."""
    place: dict[tuple[str, int], int] = {}
    low: list[int] = []
    high: list[float] = []
    rows: list[dict[int, int]] = []
    for build in builds:
        for key, value in build.counts.items():
            at = place.setdefault((key, value), len(place))
            if at == len(low):
                low.append(0)
                high.append(np.inf)
            shown = build.printed[key]
            if shown is None:
                low[at] = max(low[at], 1)
            else:
                low[at], high[at] = shown, shown
        for whole, parts in sums_of(build.quarters):
            row = Counter({place[part, build.counts[part]]: -1 for part in parts})
            row[place[whole, build.counts[whole]]] += 1
            rows.append(dict(row))
    small = [at for (_, value), at in place.items() if 0 < value < THRESHOLD]
    narrow = _narrow(_equations(rows, len(low)), low, high, small)
    return [key for (key, _), at in place.items() if at in narrow]


def _equations(rows: Sequence[Mapping[int, int]], columns: int) -> csr_matrix:
    entries = [
        (factor, number, at) for number, row in enumerate(rows) for at, factor in row.items()
    ]
    factors, numbers, places = zip(*entries, strict=True)
    return csr_matrix((factors, (numbers, places)), shape=(len(rows), columns))


def _narrow(
    equations: csr_matrix, low: Sequence[int], high: Sequence[float], asked: Sequence[int]
) -> set[int]:
    """Return which counts cannot be five or more, or cannot be four apart.

    Each answer is a set of counts that fit everything, and so shows how far others reach, too.
    """
    least = np.full(len(low), np.inf)
    greatest = np.full(len(low), -np.inf)
    found = set()
    for at in asked:
        for sense in (-1.0, 1.0):
            if greatest[at] >= THRESHOLD and greatest[at] - least[at] >= THRESHOLD - 1:
                break
            costs = np.full(len(low), 1e-3)
            costs[at] = sense
            tops = np.minimum(high, 400.0)
            tops[at] = min(high[at], THRESHOLD + 4.0)
            answer = milp(
                costs,
                constraints=LinearConstraint(equations, 0, 0),
                bounds=Bounds(np.array(low, dtype=float), tops),
                integrality=np.ones(len(low)),
                options={"mip_rel_gap": 0.0},
            )
            assert answer.status == 0, answer.message
            least = np.minimum(least, np.rint(answer.x))
            greatest = np.maximum(greatest, np.rint(answer.x))
        if greatest[at] < THRESHOLD or greatest[at] - least[at] < THRESHOLD - 1:
            found.add(at)
    return found


def drawn(draws: random.Random) -> Truth:
    truth: Truth = Counter()
    for quarter, area, sex, home in product(QUARTERS, AREAS, SEXES, HOMES):
        truth[quarter, area, sex, home] = draws.choice((0, 0, 1, 2, 3, 4, 6, 9, 14, 25))
    return truth


def corrected(truth: Truth, draws: random.Random) -> Truth:
    """Add, remove or move one to fifty people, in one to five deliveries."""
    made = Counter(truth)
    places = list(product(QUARTERS, AREAS, SEXES, HOMES))
    for _ in range(draws.randint(1, 5)):
        for _ in range(draws.choice((1, 1, 1, 2, 3, 5, 10))):
            here, there = draws.choice(places), draws.choice(places)
            change = draws.choice(("add", "remove", "move", "move a category"))
            if change == "move a category":
                there = (*here[:3], draws.choice(HOMES))
            if change != "add":
                if not made[here]:
                    continue
                made[here] -= 1
            if change != "remove":
                made[there if change.startswith("move") else here] += 1
    return made


def campaign(seed: int, corrections: int, *, beside_earlier: bool = True) -> Counter[str]:
    """Publish two quarters and their corrections; count the corrections and what leaks."""
    found: Counter[str] = Counter()
    draws = random.Random(seed)
    publisher = Publisher(beside_earlier=beside_earlier)
    truth = drawn(draws)
    quarters: Sequence[int]
    for quarters in (QUARTERS[:1], QUARTERS):
        found[publisher.publish(truth, quarters)] += 1
    for _ in range(corrections):
        truth = corrected(truth, draws)
        quarters = QUARTERS[: draws.choice((1, 2))]
        found[publisher.publish(truth, quarters)] += 1
        found["corrections"] += 1
        found["hidden"] += sum(value is None for value in publisher.builds[-1].printed.values())
        found["cells"] += len(publisher.builds[-1].printed)
    found["leaks"] += bool(leaks(publisher.builds))
    return found


@pytest.mark.slow
def test_no_correction_gives_away_what_the_builds_hide() -> None:
    found: Counter[str] = Counter()
    seed = 0
    while found["corrections"] < CORRECTIONS:
        found += campaign(seed, random.Random(seed).randint(1, 4))
        seed += 1
    print(dict(found), seed)
    assert (found["found"], found["leaks"]) == (0, 0)
    assert found["withheld"] < found["published"]


@pytest.mark.slow
def test_a_build_protected_for_itself_alone_gives_the_one_before_it_away() -> None:
    """The attack has teeth: what was done before leaks in the first few."""
    assert sum(campaign(seed, 1, beside_earlier=False)["leaks"] for seed in range(3)) > 0
    assert campaign(0, 1)["leaks"] == 0

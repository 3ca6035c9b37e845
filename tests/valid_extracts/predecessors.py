"""Districts that were recoded or merged, by the reference list: what each was before and since."""

import csv
from collections import defaultdict
from datetime import date
from functools import cache

from orchestration.config.settings import PROJECT

_CHANGES = PROJECT / "dbt_project" / "seeds" / "district_changes.csv"

with _CHANGES.open(encoding="utf-8", newline="") as _handle:
    _ROWS = list(csv.DictReader(_handle))

NAMES = {row["predecessor_code"]: row["predecessor_name"] for row in _ROWS}
SUCCESSORS = {row["predecessor_code"]: row["successor_code"] for row in _ROWS}
_CHANGED = {row["predecessor_code"]: date.fromisoformat(row["changed_on"]) for row in _ROWS}
_BEFORE: dict[str, list[str]] = defaultdict(list)
for _old, _new in SUCCESSORS.items():
    _BEFORE[_new].append(_old)


@cache
def earlier(district: str) -> list[str]:
    """Return the codes of every district that became part of one, directly or in steps."""
    return [one for old in _BEFORE.get(district, []) for one in (old, *earlier(old))]


@cache
def levels(district: str) -> list[list[str]]:
    """Return the sets of codes that make up a district: its own, those before it, and so on."""
    found = [[district]]
    while any(one in _BEFORE for one in found[-1]):
        found.append([old for one in found[-1] for old in _BEFORE.get(one, [one])])
    return found


def in_year(district: str, year: int) -> str:
    """Return the code that a lookup of a year has for a district of another year.

    A district that was merged from several stays what it is in the years before.
    """
    while district in SUCCESSORS and _CHANGED[district].year <= year:
        district = SUCCESSORS[district]
    while len(_BEFORE.get(district, [])) == 1 and _CHANGED[_BEFORE[district][0]].year > year:
        district = _BEFORE[district][0]
    return district

"""Which tables are withheld where no choice of what to hide protects a count.

It is the last resort: a handful of people whose tables give them away, whatever is hidden, never
stops a release. Their tables are left out of it, with the reason, and the rest is published.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from orchestration.disclosure.declarations import Count, Declaration, Row, named
from orchestration.disclosure.table_assembly import OR_MORE, Contents

WITHHELD = "a small count could be worked out from it, whatever else is hidden"
"""The reason that readers are given."""


_DERIVED = re.compile(
    r" short of | not printed by .*$| beyond$| \(before \d+\)|" + re.escape(OR_MORE) + "$"
)
"""What the keys of counts that no table prints add to those that they are derived from."""


def tables_behind(
    keys: Collection[str], contents: Contents, declared: Mapping[str, Declaration]
) -> list[str]:
    """Return the tables of ``contents`` that print one of the counts, or else what it is linked to.

    A remainder or a total that no table prints has a key made of those of printed counts, or is
    named by the declarations that add up to it.
    """
    wanted = {part for key in keys for part in _DERIVED.split(key) if part}
    mentioned = {
        name: set(_mentioned(rows, declared[name].counts)) for name, rows in contents.items()
    }
    printing = {
        name: {
            named(count.cell, row)
            for row in rows
            for count in declared[name].counts
            if count.speaks_of(row)
        }
        for name, rows in contents.items()
    }
    for held in (printing, mentioned):
        if found := sorted(name for name, names in held.items() if names & wanted):
            return found
    return []


def _mentioned(rows: Sequence[Row], counts: Sequence[Count]) -> Iterator[str]:
    """Yield the keys of the counts that rows add up to, or are within."""
    for row in rows:
        for count in counts:
            if not count.speaks_of(row):
                continue
            yield from (named(whole.cell, row) for whole in count.adds_to if whole.takes(row))
            if row.get("partnership_code"):
                yield named(count.cell, {**row, "area_code": row["partnership_code"]})
            if count.areas and row["force_code"]:
                yield named(count.cell, {**row, "area_code": row["force_code"]})
            if count.product:
                yield named(count.product.cell, row)
            yield from (named(wider, row) for wider in count.within)

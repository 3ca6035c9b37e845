"""What a reader finds in tables as they were written: the attack's input from the rows themselves.

Nothing is taken over from what the engine decided: a number that it forgot to empty is read here
as any reader would read it.
"""

from collections.abc import Iterator, Mapping, Sequence

from orchestration.disclosure.assembly import MARKER, OR_MORE, Contents
from orchestration.disclosure.declared import STATUS, Count, Declaration, Row, named, text
from orchestration.disclosure.model import (
    MANY,
    Cell,
    PrintedRatio,
    Publication,
    Ratio,
    Tables,
)

Labels = Mapping[str, Mapping[str, str]]
"""By table, the ordinary label of each count's row: a row with another label is a merged one."""


def as_written(
    contents: Contents, declared: Mapping[str, Declaration], made: Tables, labels: Labels
) -> Publication:
    """Return what the protected ``contents`` tell, with how counts hang together from ``made``."""
    bounds = {key: _outer(cell) for key, cell in made.cells.items()}
    ratios: list[PrintedRatio] = []
    for name, rows in contents.items():
        for row, count, key in _counts(rows, declared[name], labels.get(name, {})):
            low, high = bounds[key]
            if row[count.column] is not None:
                bounds[key] = (int(row[count.column]),) * 2
            elif MARKER in (row[STATUS] or ""):
                bounds[key] = (max(low, made.cells[key].least_if_marked), high)
            ratios += _ratios(row, count, key)
    unknown = {key for key, (low, high) in bounds.items() if low != high}
    telling = [
        printed
        for printed in ratios
        if printed.ratio.numerator in unknown or printed.ratio.denominator in unknown
    ]
    return Publication(bounds, made.relations, tuple(telling), tuple(sorted(unknown)))


def _outer(cell: Cell) -> tuple[int, int]:
    return (cell.value, cell.value) if cell.fixed else (0, MANY)


def _counts(
    rows: Sequence[Row], declared: Declaration, labels: Mapping[str, str]
) -> Iterator[tuple[Row, Count, str]]:
    for row in rows:
        for count in declared.counts:
            if count.belongs_to(row) and (count.speaks_of(row) or MARKER in (row[STATUS] or "")):
                key = named(count.cell, row)
                label = text(row[declared.tail.label]) if declared.tail else ""
                if label.endswith(OR_MORE) and labels.get(key) != label:
                    key = f"{key}{OR_MORE}"
                yield row, count, key


def _ratios(row: Row, count: Count, key: str) -> Iterator[PrintedRatio]:
    for share in count.shares:
        if row[share.column] is None:
            continue
        units = round(float(row[share.column]) * 10**share.decimals)
        base = named(share.of, row) if share.of else row[share.per or ""]
        if base is not None:
            yield PrintedRatio(Ratio(key, base, share.scale, share.decimals), units)


def printed_counts(
    rows: Sequence[Row], declared: Declaration, labels: Mapping[str, str]
) -> dict[str, int]:
    """Return the counts that a published table prints; a merged row has a key of its own."""
    return {
        key: int(row[count.column])
        for row, count, key in _counts(rows, declared, labels)
        if row[count.column] is not None
    }

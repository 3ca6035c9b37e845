"""The attack's input, read from the tables as they were written.

Nothing is taken from the protection's decisions: a number that it forgot to empty is read here as
any reader would read it.
"""

from collections.abc import Iterator, Mapping, Sequence

from orchestration.disclosure.declarations import STATUS, Count, Declaration, Row, named, text
from orchestration.disclosure.table_assembly import MARKER, OR_MORE, Contents
from orchestration.disclosure.table_model import (
    MANY,
    Cell,
    PrintedRatio,
    Publication,
    Ratio,
    Tables,
)
from orchestration.errors import DisclosureError

Labels = Mapping[str, Mapping[str, str]]
"""By table, the ordinary label of each count's row: a row with another label is a merged one."""


def as_written(
    contents: Contents, declared: Mapping[str, Declaration], made: Tables, labels: Labels
) -> Publication:
    """Return what the protected ``contents`` reveal, with the links between counts from ``made``.

    Raises :class:`DisclosureError` for a number of which the table model has no cell.
    """
    bounds = {key: _outer(cell) for key, cell in made.cells.items()}
    ratios: list[PrintedRatio] = list(made.known_ratios)
    for name, rows in contents.items():
        for row, count, key in _counts(rows, declared[name], labels.get(name, {})):
            if key not in bounds:
                _refuse_unknown(name, row[count.column], key)
                continue
            low, high = bounds[key]
            if row[count.column] is not None:
                bounds[key] = (int(row[count.column]),) * 2
            elif MARKER in (row[STATUS] or ""):
                bounds[key] = (max(low, made.cells[key].least_if_marked), high)
            ratios += _ratios(name, row, count, key, made)
    unknown = {key for key, (low, high) in bounds.items() if low != high}
    telling = [
        printed
        for printed in ratios
        if printed.ratio.numerator in unknown or printed.ratio.denominator in unknown
    ]
    return Publication(bounds, made.relations, tuple(telling), tuple(sorted(unknown)))


def _outer(cell: Cell) -> tuple[int, int]:
    if cell.fixed:
        return cell.value, cell.value
    return cell.least_if_marked if cell.marked_before else 0, MANY


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


def _refuse_unknown(name: str, printed: object, key: str) -> None:
    """Refuse a printed number without a cell. An empty cell is a count that its row never had."""
    if printed is not None:
        raise DisclosureError(
            f"{name} prints a count that its tables do not hold: {key}. Correct its `disclosure`."
        )


def _ratios(name: str, row: Row, count: Count, key: str, made: Tables) -> Iterator[PrintedRatio]:
    for share in count.shares:
        if row[share.column] is None:
            continue
        units = round(float(row[share.column]) * 10**share.decimals)
        base = named(share.of, row) if share.of else row[share.per or ""]
        if isinstance(base, str) and base not in made.cells:
            _refuse_unknown(name, row[share.column], base)
        elif base is not None:
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

"""Turns the rows of a rounded table into rows to be shown: rounded counts, and what follows from
them. Nothing of the true counts is left: every column of numbers is written anew, or is declared to
be no count."""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import floor
from typing import Any

from orchestration.disclosure.confidence_limits import (
    Rounded,
    difference_of_rounded,
    poisson_of_rounded,
    proportion_of_rounded,
    wilson,
)
from orchestration.disclosure.declarations import NO_VALUE, STATUS, Row, told
from orchestration.disclosure.rounding_cube import ColumnKeys
from orchestration.disclosure.rounding_declarations import (
    LEAST_BASE,
    Comparison,
    Difference,
    Margin,
    Proportion,
    Rate,
    RoundedDeclaration,
    Told,
    fits,
)
from orchestration.disclosure.table_assembly import MARKER

UNRELIABLE, NOT_APPLICABLE = "[u]", "[z]"


def rounded_rows(
    rows: Sequence[Row],
    declared: RoundedDeclaration,
    values: Mapping[str, int | None],
    printed_elsewhere: Collection[str] = (),
    off: Callable[[str], float] = lambda key: 0,
) -> list[dict[str, Any]]:
    """Return the rows as they may be shown, without the areas that they add up to.

    ``printed_elsewhere`` are the counts that a protected table prints as they are; ``off`` says by
    how much a count may be more or less than it is shown, for which limits allow.
    """
    columns = ColumnKeys(declared)
    shown = []
    for row in rows:
        made, names = dict(row), told(row)
        for column in declared.emptied:
            made[column] = None
        hidden = _write_counts(made, row, names, columns, values, printed_elsewhere)
        applying = [share for share in declared.proportions if fits(names, share.where)]
        bases = [_write_proportion(made, names, share, columns, off) for share in applying]
        for rate in declared.rates:
            _write_rate(made, names, rate, columns, off)
        bases += [_write_difference(made, gap) for gap in declared.differences]
        bases += [_write_margin(made, names, margin, columns, off) for margin in declared.margins]
        if declared.comparison:
            _write_comparison(made, names, declared.comparison, columns, values, off)
        made[STATUS] = _status(row[STATUS], hidden, [base for base in bases if base is not None])
        for added in ("partnership_code", "force_code", "compared_with"):
            made.pop(added, None)
        shown.append(made)
    return shown


def _write_counts(
    made: dict[str, Any],
    row: Row,
    names: Told,
    columns: ColumnKeys,
    values: Mapping[str, int | None],
    printed_elsewhere: Collection[str],
) -> bool:
    """Write the counts; return whether one of them is hidden."""
    hidden = False
    for naming in columns.namings:
        column = naming.count.column
        if row[column] is None or not naming.has(names):
            continue
        key = naming.key(names)
        made[column] = values[key]
        hidden = hidden or made[column] is None
        if key not in printed_elsewhere:
            made |= dict.fromkeys(naming.count.follows)
    return hidden


def _write_proportion(
    made: dict[str, Any],
    names: Told,
    share: Proportion,
    columns: ColumnKeys,
    off: Callable[[str], float],
) -> int | None:
    """Write a proportion and its limits; return its base."""
    part, base = made[share.of], made[share.base]
    if made[share.value] is None and part is not None and base:
        # The true base is nobody, or the row has no such proportion.
        base = None if not _applies(made) else base
    known = part is not None and bool(base)
    made[share.value] = _printed(part / base, share) if known else None
    limits = None
    if known and base >= LEAST_BASE:
        limits = proportion_of_rounded(
            Rounded(part, off(columns.key(share.of, names))),
            Rounded(base, off(columns.key(share.base, names))),
        )
    if share.lower:
        made[share.lower] = _printed(limits.lower, share) if limits else None
    if share.upper:
        made[share.upper] = _printed(limits.upper, share) if limits else None
    return base if isinstance(base, int) else None


def _write_rate(
    made: dict[str, Any],
    names: Told,
    declared: Rate,
    columns: ColumnKeys,
    off: Callable[[str], float],
) -> None:
    """Write a rate and its limits from the count as it is shown."""
    count, population = made[declared.of], made[declared.population]
    if made[declared.value] is not None and count is None:
        made[declared.marker] = MARKER
    known = count is not None and bool(population)
    made[declared.value] = declared.scale * count / population if known else None
    made |= dict.fromkeys(column for column in (declared.lower, declared.upper) if column)
    if not known:
        return
    limits = poisson_of_rounded(Rounded(count, off(columns.key(declared.of, names))))
    if declared.lower:
        made[declared.lower] = declared.scale * limits.lower / population
    if declared.upper:
        made[declared.upper] = declared.scale * limits.upper / population


def _write_difference(made: dict[str, Any], declared: Difference) -> int | None:
    """Write what a count is more than another, as both are shown; return the other."""
    count, before = made[declared.of], made[declared.less]
    known = count is not None and before is not None
    made[declared.value] = count - before if known else None
    if declared.percent:
        reliable = known and before >= LEAST_BASE
        made[declared.percent] = 100 * (count - before) / before if reliable else None
    return before if known else None


def _write_margin(
    made: dict[str, Any],
    names: Told,
    declared: Margin,
    columns: ColumnKeys,
    off: Callable[[str], float],
) -> int | None:
    """Write how far a share of a base may be from the truth by chance; return the base."""
    base: int | None = made[declared.base]
    made[declared.value] = None
    if base is not None and base >= LEAST_BASE:
        least = base - off(columns.key(declared.base, names))
        limits = wilson(least / 2, least)
        made[declared.value] = 50 * (limits.upper - limits.lower)
    return base


def _printed(value: float, share: Proportion) -> float:
    """Return a proportion as it is printed, halves up; with all its digits without ``decimals``."""
    if share.decimals is None:
        return share.scale * value
    factor: float = 10.0**share.decimals
    return floor(share.scale * value * factor + 0.5 + 1e-9) / factor


def _applies(made: Row) -> bool:
    return NOT_APPLICABLE not in (made[STATUS] or "")


def _write_comparison(
    made: dict[str, Any],
    names: Told,
    declared: Comparison,
    columns: ColumnKeys,
    values: Mapping[str, int | None],
    off: Callable[[str], float],
) -> None:
    """Write how an area compares with the rest of its force."""
    made |= dict.fromkeys(declared.columns)
    if names["compared_with"] in (NO_VALUE, names["area_code"]):
        return
    found = _beside_rest(names, declared, columns, values, off)
    if found is None:
        return
    part, base, rest, rest_base = found
    limits = difference_of_rounded(part, base, rest, rest_base)
    there = rest.shown / rest_base.shown
    verdict = limits.verdict()
    told = {
        declared.rest: there,
        declared.difference: part.shown / base.shown - there,
        declared.lower: limits.lower,
        declared.upper: limits.upper,
        declared.compared: "similar" if verdict == "unclear" else verdict,
    }
    made |= {column: value for column, value in told.items() if column}


def _beside_rest(
    names: Told,
    declared: Comparison,
    columns: ColumnKeys,
    values: Mapping[str, int | None],
    off: Callable[[str], float],
) -> tuple[Rounded, Rounded, Rounded, Rounded] | None:
    """Return the counts of an area and of the rest of its force; none where one is hidden."""
    force = {**names, "area_code": names["compared_with"], "area_type": "force"}
    found: list[Rounded] = []
    rests: list[Rounded] = []
    for column in (declared.of, declared.base):
        key, whole = columns.key(column, names), columns.key(column, force)
        here, there = values.get(key), values.get(whole)
        if here is None or there is None:
            return None
        found.append(Rounded(here, off(key)))
        # What is rounded in the area is rounded alike in the force.
        rests.append(Rounded(there - here, off(whole)))
    (part, base), (rest, rest_base) = found, rests
    if rest.shown < 0 or rest_base.shown < max(rest.shown, LEAST_BASE) or base.shown < LEAST_BASE:
        return None
    return part, base, rest, rest_base


def _status(status: str | None, hidden: bool, bases: Sequence[int]) -> str | None:
    """Return the shorthand with what rounding adds: hidden, nobody, or few people."""
    marks = (status or "").split()
    more = []
    if hidden:
        more.append(MARKER)
    elif bases and 0 in bases:
        more.append(NOT_APPLICABLE)
    elif bases and min(bases) < LEAST_BASE:
        more.append(UNRELIABLE)
    return " ".join([*marks, *(mark for mark in more if mark not in marks)]) or None

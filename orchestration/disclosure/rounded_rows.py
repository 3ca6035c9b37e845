"""Turns the rows of a rounded table into rows to be shown: rounded counts, and what follows from
them. Nothing of the true counts is left: every column of numbers is written anew, or is declared to
be no count."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from orchestration.disclosure.declarations import STATUS, Row
from orchestration.disclosure.rounding_cube import ColumnKeys
from orchestration.disclosure.rounding_declarations import (
    LEAST_BASE,
    Comparison,
    Proportion,
    RoundedDeclaration,
    fits,
)
from orchestration.disclosure.rounding_statistics import (
    difference_limits,
    limits,
    printed,
    proportion,
)
from orchestration.disclosure.table_assembly import MARKER

UNRELIABLE, NOT_APPLICABLE = "[u]", "[z]"


def rounded_rows(
    rows: Sequence[Row],
    declared: RoundedDeclaration,
    values: Mapping[str, int | None],
    printed_elsewhere: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return the rows as they may be shown, without ``force_code``.

    ``printed_elsewhere`` are the counts that a protected table prints as they are.
    """
    columns = ColumnKeys(declared)
    shown = []
    for row in rows:
        made = dict(row)
        for column in declared.emptied:
            made[column] = None
        hidden = _write_counts(made, row, columns, values, printed_elsewhere)
        applying = [share for share in declared.proportions if fits(row, share.where)]
        bases = [_write_proportion(made, share) for share in applying]
        if declared.comparison:
            _write_comparison(made, row, declared.comparison, columns, values)
        made[STATUS] = _status(row[STATUS], hidden, [base for base in bases if base is not None])
        made.pop("force_code", None)
        shown.append(made)
    return shown


def _write_counts(
    made: dict[str, Any],
    row: Row,
    columns: ColumnKeys,
    values: Mapping[str, int | None],
    printed_elsewhere: Collection[str],
) -> bool:
    """Write the counts; return whether one of them is hidden."""
    hidden = False
    for naming in columns.namings:
        column = naming.count.column
        if row[column] is None or not naming.has(row):
            continue
        key = naming.key(row)
        made[column] = values[key]
        hidden = hidden or made[column] is None
        if key not in printed_elsewhere:
            made |= dict.fromkeys(naming.count.follows)
    return hidden


def _write_proportion(made: dict[str, Any], share: Proportion) -> int | None:
    """Write a proportion and its limits; return its base."""
    part, base = made[share.of], made[share.base]
    if made[share.value] is None and part is not None and base:
        # The true base is nobody, or the row has no such proportion.
        base = None if not _applies(made) else base
    made[share.value] = printed(proportion(part, base), share.scale, share.decimals)
    found = limits(part, base)
    for column, place in ((share.lower, 0), (share.upper, 1)):
        if column:
            made[column] = printed(found[place] if found else None, share.scale, share.decimals)
    return base if isinstance(base, int) else None


def _applies(made: Row) -> bool:
    return NOT_APPLICABLE not in (made[STATUS] or "")


def _write_comparison(
    made: dict[str, Any],
    row: Row,
    declared: Comparison,
    columns: ColumnKeys,
    values: Mapping[str, int | None],
) -> None:
    """Write how an area compares with the rest of its force."""
    made |= dict.fromkeys(declared.columns)
    force = {**row, "area_code": row["force_code"], "area_type": "force"}
    if row["force_code"] in (None, row["area_code"]):
        return
    whole = [values.get(columns.key(column, force)) for column in (declared.of, declared.base)]
    here = [made[declared.of], made[declared.base]]
    if None in whole or None in here:
        return
    rest = [int(whole[0] or 0) - here[0], int(whole[1] or 0) - here[1]]
    if rest[0] < 0 or rest[1] < max(rest[0], LEAST_BASE) or here[1] < LEAST_BASE:
        return
    found = difference_limits(here[0], here[1], rest[0], rest[1])
    if found is None:
        return
    told = {
        declared.rest: rest[0] / rest[1],
        declared.difference: here[0] / here[1] - rest[0] / rest[1],
        declared.lower: found[0],
        declared.upper: found[1],
        declared.compared: "higher" if found[0] > 0 else "lower" if found[1] < 0 else "similar",
    }
    made |= {column: value for column, value in told.items() if column}


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

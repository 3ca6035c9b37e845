"""The step after the protection: round the tables that declare it, attack them, write them.

The protected tables come first, and what they print or hide has that same value here. The rounded
tables are written beside them in schema ``protected``, from where publishing takes both.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from orchestration.disclosure.declarations import Row
from orchestration.disclosure.published_rounding import PublishedRounding
from orchestration.disclosure.rounded_rows import rounded_rows
from orchestration.disclosure.rounding_attack import safe_rounding
from orchestration.disclosure.rounding_cube import Cube, Taken, joined, shown_values
from orchestration.disclosure.rounding_declarations import RoundedDeclaration
from orchestration.disclosure.rounding_error import RoundingError
from orchestration.disclosure.rounding_system import Beside
from orchestration.disclosure.table_model import Protection
from orchestration.disclosure.withholding import WITHHELD
from orchestration.errors import DisclosureError

SWITCHED_OFF = "the settings of this warehouse publish no rounded table"
"""The reason where ``CSP_ROUNDED_TABLES`` is false."""

DISAGREEING = "its counts do not add up as its model declares"
"""The reason that readers are given where two tables, or a total and its parts, differ."""


@dataclass(frozen=True)
class RoundingOutcome:
    """What was rounded: numbers of tables and counts, never their values.

    ``withheld`` has the tables that are left out of the release, with the reason; ``given_away``
    counts what earlier builds tell by themselves.
    """

    tables: int = 0
    counts: int = 0
    rounded: int = 0
    hidden: int = 0
    withheld: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    given_away: int = 0


def round_tables(
    schemas: Mapping[str, pa.Schema],
    contents: Mapping[str, Sequence[Row]],
    declared: Mapping[str, RoundedDeclaration],
    cubes: Iterable[Cube],
    taken: Taken,
    beside: Beside,
    seeds: Mapping[str, str],
    secret: bytes,
) -> tuple[RoundingOutcome, dict[str, list[dict[str, Any]]], PublishedRounding | None]:
    """Return the outcome, the rows to be shown of each table, and what readers know from them.

    ``contents`` are the true rows, as ``with_wholes`` gives them, and ``cubes`` what each table
    names, which may raise :class:`DisclosureError` as it is asked for; ``taken`` is what the
    protected tables print or hide, ``beside`` what readers know of them and of earlier builds.
    Where tables disagree, or no rounding protects their counts, all are withheld.
    """
    started = time.monotonic()
    try:
        cube = joined(cubes)
        made = safe_rounding(cube, taken, beside, seeds, secret)
        values = shown_values(cube, taken, made.inner, made.changes.hidden)
        error = RoundingError(cube, taken, made.inner, made.changes)
        rows = {
            name: _fitting(
                schemas[name],
                rounded_rows(contents[name], declaration, values, taken.shown, error.of),
            )
            for name, declaration in declared.items()
        }
    except DisclosureError:
        return RoundingOutcome(withheld=dict.fromkeys(declared, DISAGREEING)), {}, None
    if made.findings:
        return RoundingOutcome(withheld=dict.fromkeys(declared, WITHHELD)), {}, None
    outcome = RoundingOutcome(
        tables=len(declared),
        counts=len(values),
        rounded=sum(value not in (None, cube.values[key]) for key, value in values.items()),
        hidden=sum(value is None for value in values.values()),
        seconds=round(time.monotonic() - started, 3),
        given_away=made.given_away,
    )
    return outcome, rows, made.build


def taken_over(protection: Protection) -> Taken:
    """Return what the protected tables print and hide."""
    printed = {key: cell.value for key, cell in protection.tables.cells.items() if cell.printed}
    shown = {key: value for key, value in printed.items() if key not in protection.hidden}
    return Taken(shown, frozenset(printed.keys() - shown.keys()))


def _fitting(schema: pa.Schema, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with whole numbers where the table has them."""
    whole = {field.name for field in schema if pa.types.is_integer(field.type)}
    return [
        {
            column: int(value) if column in whole and value is not None else value
            for column, value in row.items()
        }
        for row in rows
    ]

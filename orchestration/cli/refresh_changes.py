"""What a refresh ends with: which published numbers are new or differ, and why."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.json_output import ChangedFigure, KindOfChange, NumbersChanged
from orchestration.config.quarters import quarter_label
from orchestration.releases.published_file import open_release

_SHOWN = 6

_KINDS = """
select compared_with, compared_quarter, kind, count(*), count(distinct table_name)
from main.changes
where (compared_with = 'replaced build') = (
    select count(*) > 0 from main.changes where compared_with = 'replaced build'
)
group by all
order by count(*) desc, kind
"""
"""How many figures differ from the build that this one replaced, or else from the last quarter."""

_LARGEST = """
with counts as (
    select
        coalesce(listed.title, changed.table_name) as title, changed.key, changed.measure,
        changed.old, changed.new, changed.cause, changed.area_code, changed.difference
    from main.changes as changed
    inner join main.published_tables as listed using (table_schema, table_name)
    inner join main.data_dictionary as described
        on
            changed.table_schema = described.table_schema
            and changed.table_name = described.table_name
            and changed.measure = described.column_name
    where
        changed.compared_with = $compared_with
        and changed.table_schema = 'marts'
        and changed.kind not in ('new period', 'series recalculated')
        and changed.difference != 0
        and described.data_type in ('BIGINT', 'INTEGER', 'HUGEINT')
        and listed.rounded_to is null
    qualify row_number() over (
        partition by changed.table_name, changed.key order by described.column_position
    ) = 1
)
select title, key, measure, old, new, cause
from counts
qualify row_number() over (partition by area_code, measure, old, new order by title, key) = 1
order by abs(difference) desc, title, key
limit $most
"""
"""The largest changes of exact counts: the first count of each row, and each change once."""


def numbers_changed(file: Path) -> NumbersChanged:
    """Return what the published ``file`` says of its changes.

    Raises :class:`ReleaseUnreadableError` where it cannot be read.
    """
    with open_release(file) as connection:
        rows = connection.execute(_KINDS).fetchall()
        if not rows:
            return NumbersChanged(compared_with=None, compared_quarter=None, kinds=[], largest=[])
        compared_with, quarter = rows[0][:2]
        kinds = [KindOfChange(kind=kind, figures=n, tables=m) for _, _, kind, n, m in rows]
        largest = _largest(connection, compared_with)
    return NumbersChanged(
        compared_with=compared_with, compared_quarter=quarter, kinds=kinds, largest=largest
    )


def _largest(connection: duckdb.DuckDBPyConnection, compared_with: str) -> list[ChangedFigure]:
    names = ("table", "key", "measure", "old", "new", "cause")
    found = connection.execute(_LARGEST, {"compared_with": compared_with, "most": _SHOWN})
    return [ChangedFigure(**dict(zip(names, row, strict=True))) for row in found.fetchall()]


def print_changes(changed: NumbersChanged, console: Console) -> None:
    """Print how many figures changed and why, and the largest changes."""
    if changed.compared_with is None or changed.compared_quarter is None:
        console.print("There is no earlier release to compare the numbers with.")
        return
    label = quarter_label(changed.compared_quarter)
    before = (
        f"the build of {label} that it replaces"
        if changed.compared_with == "replaced build"
        else f"the release of {label}"
    )
    console.print(styled("[bold]What changed[/] beside {}:", before))
    for one in changed.kinds:
        console.print(f"  {one.kind}: {one.figures:,} figures in {_tables(one.tables)}")
    _print_largest(changed.largest, console)
    console.print('`csp sql --published "from main.changes"` lists every one.')


def _print_largest(largest: Sequence[ChangedFigure], console: Console) -> None:
    if largest:
        console.print("The largest changes of figures already published:")
    for one in largest:
        console.print(
            styled(
                "  {}, {}, {}: {} → [bold]{}[/] ({})",
                one.table,
                one.key,
                one.measure.replace("_", " "),
                _rounded(one.old),
                _rounded(one.new),
                one.cause,
            )
        )


def _tables(count: int) -> str:
    return "1 table" if count == 1 else f"{count} tables"


def _rounded(value: str) -> str:
    """Return a number as text for reading; any other text as it is."""
    try:
        number = float(value)
    except ValueError:
        return value
    if not isfinite(number):
        return value
    return f"{int(number):,}" if number == int(number) else f"{number:,.2f}"

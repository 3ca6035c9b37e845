"""The view that staging reads: the rows of a source in force, with the delivery of each.

``in_force.<source>`` joins the raw table, with the reviewed corrections, to ``control.in_force``.
The join is made here once, from the contract, so that no staging model makes it.
"""

from collections.abc import Mapping, Sequence

import duckdb

from orchestration.ingest.checking.contract import Contract
from orchestration.warehouse.sql_quoting import literal

SCHEMA = "in_force"

DELIVERY_COLUMNS: Mapping[str, tuple[str, str, str]] = {
    "series": ("series", "VARCHAR", "Series of the row, as control.in_force names it."),
    "served_name": (
        "served_name", "VARCHAR",
        "Force, service, prison or district of the series, spelled as the warehouse serves it.",
    ),
    "delivery": (
        "delivery", "VARCHAR",
        "Delivery that the row came in, such as police_uk_street 2018-04-01 v1.",
    ),
    "delivery_quarter": ("quarter", "DATE", "Quarter of the delivery, by its first day."),
    "delivery_version": ("version", "INTEGER", "Version of the delivery within its quarter."),
}  # fmt: skip
"""Columns that the view adds: name to column of ``control.in_force``, type and meaning."""


def create_in_force_view(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    corrected: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Create the view of a source's rows in force, or replace it.

    ``corrected`` has, by column, the branches of a ``case`` that correct its values.
    """
    replaced = ", ".join(
        f"case {' '.join(cases)} else {name} end as {name}"
        for name, cases in (corrected or {}).items()
    )
    added = ", ".join(
        f"in_force.{column} as {name}" for name, (column, _, _) in DELIVERY_COLUMNS.items()
    )
    series = " || ', ' || ".join(f"delivered.{name}" for name in contract.series) or "''"
    connection.execute(
        f"create or replace view {SCHEMA}.{contract.source} as "
        f"select delivered.*, {added} "
        f"from (select *{f' replace ({replaced})' if replaced else ''} from {contract.raw_table}) "
        "as delivered inner join control.in_force as in_force "
        f"on in_force.source = {literal(contract.source)} "
        "and delivered._delivery_id = in_force.delivery_id "
        f"and delivered.{contract.period} = in_force.period "
        f"and {series} = in_force.delivered_series"
    )

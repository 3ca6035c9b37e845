"""Row accounting: every row that was ever delivered is loaded, or refused with a reason.

The control tables' counts of each delivery are compared with the raw and quarantine tables, so
that no later fault goes unseen.
"""

import duckdb

from orchestration.ingest.checking.contract import Contract

_BALANCES = """
with
held as (
    select _delivery_id as delivery_id, count(*) as row_count
    from {table}
    group by _delivery_id
),
by_file as (
    select
        delivery_id,
        sum(rows_delivered) as rows_delivered,
        sum(rows_loaded) as rows_loaded,
        sum(rows_refused) as rows_refused
    from control.files
    group by delivery_id
),
reasons as (
    select delivery_id, count(*) as reason_count, count(distinct (file_id, line)) as lines
    from quarantine.refused_rows
    group by delivery_id
)
select
    deliveries.quarter,
    deliveries.version,
    deliveries.rows_delivered,
    deliveries.rows_loaded,
    deliveries.rows_refused,
    coalesce(held.row_count, 0)
from control.deliveries as deliveries
left join held using (delivery_id)
left join by_file using (delivery_id)
left join reasons using (delivery_id)
where
    deliveries.source = ?
    and deliveries.delivery_id not in (select delivery_id from control.purges)
    and (
        deliveries.rows_delivered <> deliveries.rows_loaded + deliveries.rows_refused
        or deliveries.rows_loaded <> coalesce(held.row_count, 0)
        or (deliveries.state = 'refused' and deliveries.rows_loaded <> 0)
        or (deliveries.state = 'refused' and reasons.reason_count is null)
        or (
            deliveries.state = 'loaded'
            and {described} <> deliveries.rows_refused
        )
        or by_file.rows_delivered is distinct from deliveries.rows_delivered
        or by_file.rows_loaded is distinct from deliveries.rows_loaded
        or by_file.rows_refused is distinct from deliveries.rows_refused
    )
order by deliveries.quarter, deliveries.version
"""


def unbalanced_deliveries(connection: duckdb.DuckDBPyConnection, contract: Contract) -> list[str]:
    """Return a sentence for each delivery of a source whose rows are not all accounted for.

    Rows loaded are counted in the raw table; refused lines of a loaded delivery in quarantine
    (where a line gives several rows, only that there is a reason).
    """
    lines = "coalesce(reasons.lines, 0)"
    described = (
        f"if({lines} > 0, greatest(deliveries.rows_refused, 1), 0)"
        if contract.layout == "reader"
        else lines
    )
    rows = connection.execute(
        _BALANCES.format(table=contract.raw_table, described=described), [contract.source]
    ).fetchall()
    return [
        f"{quarter} version {version}: {delivered:,} rows delivered, {loaded:,} recorded as "
        f"loaded, {refused:,} as refused, {held:,} in {contract.raw_table}"
        for quarter, version, delivered, loaded, refused, held in rows
    ]

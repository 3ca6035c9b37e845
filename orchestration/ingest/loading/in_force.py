"""Which delivery is in force for which period, as at a quarter.

A refresh of quarter Q sees the deliveries of Q and earlier, the latest version of each, and where
two of them cover the same period, the later quarter's. Late rows that a later delivery adds are in
force beside the delivery that covers their period. This module resolves it once, into
``control.in_force``; the views that staging reads join rows to it.
"""

from collections.abc import Mapping
from datetime import date

import duckdb

from orchestration.config.quarters import quarter_end
from orchestration.errors import PurgeError
from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.checking.served_names import resolve_series

_LATEST = """
    select deliveries.*
    from control.deliveries as deliveries
    cross join control.refresh as refresh
    where
        deliveries.state = 'loaded'
        and deliveries.quarter <= refresh.as_at
        and deliveries.delivery_id not in (select delivery_id from control.purges)
    qualify row_number() over (
        partition by deliveries.source, deliveries.quarter order by deliveries.version desc
    ) = 1
"""
"""The deliveries that a refresh sees: the latest version of each, up to its quarter."""

_RESOLVE = f"""
insert into control.in_force
with
latest_versions as ({_LATEST}),
candidates as (
    select
        coverage.source,
        series.series,
        coverage.period,
        latest_versions.delivery_id,
        latest_versions.quarter,
        latest_versions.version,
        latest_versions.nature,
        coverage.source || ' ' || strftime(latest_versions.quarter, '%Y-%m-%d')
        || ' v' || latest_versions.version as delivery,
        coverage.series as delivered_series,
        series.served_name,
        coverage.role,
        coverage.row_count
    from control.coverage as coverage
    inner join latest_versions on coverage.delivery_id = latest_versions.delivery_id
    inner join control.series as series
        on coverage.source = series.source and coverage.series = series.delivered_series
    cross join control.refresh as refresh
    -- A period after the quarter's end waits for the quarter that holds it; a lookup does not.
    where
        coverage.role <> 'left out'
        and (
            coverage.period <= refresh.quarter_end
            or coverage.source in (select source from _additive)
        )
),
covering as (
    select source, series, period, delivery_id, quarter
    from candidates
    where role in ('covers', 'history')
    -- History never takes the place of a period that another delivery covers, or handed over first.
    qualify row_number() over (
        partition by source, series, period
        order by role, if(role = 'covers', -epoch(quarter), epoch(quarter))
    ) = 1
),
ruled as (
    select
        candidates.* exclude (role, row_count),
        case
            when candidates.delivery_id = covering.delivery_id then 'covers'
            when
                candidates.source in (select source from _additive)
                or (
                    -- What came before the period's own delivery is superseded by it.
                    candidates.role in ('late rows', 'history')
                    and candidates.row_count > 0
                    and candidates.quarter > covering.quarter
                )
                then 'late rows'
        end as role,
        candidates.row_count
    from candidates
    inner join covering
        on
            candidates.source = covering.source
            and candidates.series = covering.series
            and candidates.period = covering.period
)
select *
from ruled
where role is not null
order by source, series, period, role, quarter, delivered_series
"""


def resolve_in_force(
    connection: duckdb.DuckDBPyConnection,
    as_at: date,
    contracts: Mapping[str, Contract] | None = None,
) -> int:
    """Rebuild ``control.refresh``, ``control.series`` and ``control.in_force`` as at a quarter.

    All in one transaction. Returns the number of (source, series, period) that some delivery
    covers. Raises :class:`PurgeError` for a quarter that cannot be rebuilt, as what it was made
    from was purged.
    """
    _refuse_purged(connection, as_at)
    known = load_contracts() if contracts is None else contracts
    additive = [name for name, one in known.items() if one.coverage.additive]
    connection.execute("begin")
    try:
        connection.execute("delete from control.refresh")
        connection.execute("insert into control.refresh values (?, ?)", [as_at, quarter_end(as_at)])
        resolve_series(connection, known)
        connection.execute(
            "create or replace temp table _additive as select unnest($1::varchar[]) as source",
            [additive],
        )
        connection.execute("delete from control.in_force")
        connection.execute(_RESOLVE)
        connection.execute("drop table _additive")
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")
    ((count,),) = connection.execute(
        "select count(*) from (select distinct source, series, period from control.in_force)"
    ).fetchall()
    return int(count)


def _refuse_purged(connection: duckdb.DuckDBPyConnection, as_at: date) -> None:
    rows = connection.execute(
        "select distinct deliveries.source, purges.before_quarter "
        "from control.purges as purges "
        "inner join control.deliveries as deliveries using (delivery_id) "
        "where deliveries.quarter <= $1 and purges.before_quarter > $1 order by all",
        [as_at],
    ).fetchall()
    if rows:
        sources = ", ".join(dict.fromkeys(source for source, _ in rows))
        before = max(quarter for _, quarter in rows)
        raise PurgeError(
            f"{as_at} cannot be refreshed any more: the rows about persons of the deliveries "
            f"before {before} were purged ({sources}). Its published release is kept; `csp "
            "releases` lists it."
        )

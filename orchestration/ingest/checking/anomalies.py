"""Anomalies of deliveries that are complete and well formed: few rows, a gap, a blank column, a
revision that drops rows, a period taken as empty, rows of a name that nobody serves.

An anomaly never stops anything. Each refresh warns of it until the delivery is replaced or
somebody accepts it (``csp accept``), which is recorded. The contract declares what is unusual
(``[volume]``). Each delivery is counted once, in one scan.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from orchestration.config.identifying_texts import holds_identifier
from orchestration.errors import CspError
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.served_names import unserved_series

VOLUME = "volume"
MISSING_PLACE = "missing-place"
BLANK_COLUMN = "blank-column"
REVISION_DROP = "revision-drop"
EMPTY_PERIOD = "empty-period"
LATE_ROWS = "late-rows"
UNSERVED = "unserved-name"
RULES = (
    VOLUME, MISSING_PLACE, BLANK_COLUMN, REVISION_DROP, EMPTY_PERIOD, LATE_ROWS, UNSERVED,
)  # fmt: skip

_FEWEST_OF_PLACE = 20
"""A place or a column with fewer rows or cells than this before may well have none now."""

_SHARE_OF_PLACE = 0.01
"""Nor is a place missed that had a smaller share of the rows."""


class AcceptanceError(CspError):
    """There is nothing of the kind to accept."""


@dataclass(frozen=True)
class Anomaly:
    """An anomaly of a delivery in force; it is accepted if a reason is given."""

    source: str
    quarter: date
    version: int
    period: date
    rule: str
    message: str
    reason: str | None
    accepted_by: str | None
    accepted_at: datetime | None

    def __str__(self) -> str:
        return f"{self.source} {self.quarter} v{self.version}, {self.message} [rule: {self.rule}]"


# --- counting --------------------------------------------------------------------------------


def profile_deliveries(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> None:
    """Count rows and filled cells of the loaded deliveries that were not counted yet."""
    rows = connection.execute(
        "select source, list(delivery_id order by delivery_id) from control.deliveries "
        "where state = 'loaded' and rows_loaded > 0 "
        "and delivery_id not in (select delivery_id from control.profile) "
        "and delivery_id not in (select delivery_id from control.purges) group by source"
    ).fetchall()
    for source, deliveries in rows:
        if source in contracts:
            _profile(connection, contracts[source], deliveries)


def _profile(
    connection: duckdb.DuckDBPyConnection, contract: Contract, deliveries: Collection[int]
) -> None:
    # A required column is never blank in a row that was loaded.
    optional = [column for column in contract.stored_columns if not column.required]
    counts = {"": "count(*)"} | {
        column.name: f"count(nullif({column.name}, ''))"
        if column.type == "VARCHAR"
        else f"count({column.name})"
        for column in optional
    }
    named = list(counts)
    listed = ", ".join(f"{count} as c{place}" for place, count in enumerate(counts.values()))
    numbers = ", ".join(str(number) for number in deliveries)
    connection.execute(
        "insert into control.profile select delivery_id, series, period, place, "
        "unnest($1::varchar[]), "
        f"unnest([{', '.join(f'c{place}' for place in range(len(named)))}]) "
        f"from (select _delivery_id as delivery_id, {contract.series_sql} as series, "
        f"{contract.period} as period, coalesce({contract.volume.place or 'null'}, '') as place, "
        f"{listed} from {contract.raw_table} where _delivery_id in ({numbers}) "
        "group by 1, 2, 3, 4)",
        [named],
    )


# --- finding ---------------------------------------------------------------------------------

_FIND = """
insert into control.anomalies
with
covering as (
    select
        in_force.source,
        in_force.quarter,
        in_force.version,
        in_force.delivery_id,
        in_force.series,
        in_force.delivered_series,
        in_force.period,
        limits.* exclude (source)
    from control.in_force as in_force
    inner join _limits as limits on in_force.source = limits.source
    where in_force.role = 'covers'
),
counts as (
    select
        covering.* exclude (delivered_series),
        profile.place,
        profile.column_name,
        profile.filled
    from covering
    inner join control.profile as profile
        on
            covering.delivery_id = profile.delivery_id
            and covering.delivered_series = profile.series
            and covering.period = profile.period
),
totals as (
    select * exclude (place, column_name, filled), sum(filled)::bigint as rows
    from counts
    where column_name = ''
    group by all
),
periods as (
    select
        *,
        lag(period) over (partition by source, series order by period) as last_period,
        -- An annual table has its past years in one file: they are no deliveries of their own.
        not of_quarters
        and lag(delivery_id) over (partition by source, series order by period) = delivery_id
            as is_history
    from totals
),
volumes as (
    select
        periods.* exclude (last_period, is_history),
        before.period as before_period,
        before.rows as before_rows,
        100.0 * (periods.rows - before.rows) / before.rows as change
    from periods
    inner join totals as before
        on
            periods.source = before.source
            and periods.series = before.series
            and before.period = case periods.compare_with
                when 'same period last year' then (periods.period - interval 1 year)::date
                when 'last period' then periods.last_period
            end
    where
        before.rows >= periods.fewest_rows
        and not (periods.is_history and periods.compare_with = 'last period')
),
places as (
    select source, series, period, place, sum(filled)::bigint as rows
    from counts
    where column_name = '' and place <> ''
    group by all
),
missing_places as (
    select periods.*, before.place
    from periods
    inner join places as before
        on
            periods.source = before.source
            and periods.series = before.series
            and periods.last_period = before.period
    inner join totals as whole
        on
            before.source = whole.source
            and before.series = whole.series
            and before.period = whole.period
    anti join places as now
        on
            periods.source = now.source
            and periods.series = now.series
            and periods.period = now.period
            and before.place = now.place
    where not periods.is_history and before.rows >= greatest($1, $2 * whole.rows)
),
columns as (
    select source, series, period, column_name, sum(filled)::bigint as filled
    from counts
    where column_name <> ''
    group by all
),
blank_columns as (
    select periods.*, now.column_name
    from periods
    inner join columns as now
        on
            periods.source = now.source
            and periods.series = now.series
            and periods.period = now.period
    inner join columns as before
        on
            periods.source = before.source
            and periods.series = before.series
            and periods.last_period = before.period
            and now.column_name = before.column_name
    where not periods.is_history and now.filled = 0 and before.filled >= $1
),
in_all as (
    select
        source, quarter, version, series, period, of_people, drop_share, delivery_id,
        sum(row_count)::bigint as rows
    from control.in_force
    inner join _limits using (source)
    where role = 'covers' and not additive
    group by all
),
delivered as (
    select
        deliveries.source,
        deliveries.quarter,
        deliveries.version,
        deliveries.delivery_id,
        series.series,
        coverage.period,
        coverage.role in ('covers', 'history') as is_covered,
        sum(coverage.row_count)::bigint as rows
    from control.coverage as coverage
    inner join control.deliveries as deliveries using (delivery_id)
    inner join control.series as series
        on coverage.source = series.source and coverage.series = series.delivered_series
    cross join control.refresh as refresh
    where deliveries.quarter <= refresh.as_at and coverage.period <= refresh.quarter_end
        and coverage.role <> 'left out'
    group by all
),
latest as (
    select delivery_id, source, quarter, version
    from control.deliveries
    cross join control.refresh as refresh
    where deliveries.state = 'loaded' and deliveries.quarter <= refresh.as_at
        and deliveries.delivery_id not in (select delivery_id from control.purges)
    qualify row_number() over (
        partition by deliveries.source, deliveries.quarter order by deliveries.version desc
    ) = 1
),
drops as (
    select
        in_all.*,
        before.rows as before_rows,
        before.quarter as before_quarter,
        before.version as before_version
    from in_all
    inner join delivered as before
        on
            in_all.source = before.source
            and in_all.series = before.series
            and in_all.period = before.period
            and before.is_covered
            and (before.quarter, before.version) < (in_all.quarter, in_all.version)
    qualify row_number() over (
        partition by in_all.source, in_all.series, in_all.period
        order by before.quarter desc, before.version desc
    ) = 1
),
no_longer as (
    select latest.source, latest.quarter, latest.version, before.series, before.period,
        before.version as before_version
    from latest
    inner join _limits as limits on latest.source = limits.source
    inner join delivered as before
        on
            latest.source = before.source
            and latest.quarter = before.quarter
            and before.is_covered
            and before.rows > 0
            and before.version < latest.version
    anti join delivered as now
        on
            latest.delivery_id = now.delivery_id
            and before.series = now.series
            and before.period = now.period
            and now.is_covered
    where before.version = (
        select max(earlier.version)
        from delivered as earlier
        where earlier.source = latest.source and earlier.quarter = latest.quarter
            and earlier.version < latest.version
    )
),
left_out as (
    select latest.source, latest.quarter, latest.version, late.series, late.period,
        late.rows, limits.of_people
    from latest
    inner join _limits as limits on latest.source = limits.source
    inner join delivered as late
        on latest.delivery_id = late.delivery_id and not late.is_covered and late.rows > 0
    anti join in_all
        on
            late.source = in_all.source
            and late.series = in_all.series
            and late.period = in_all.period
    where not limits.additive
),
found as (
    select
        source, quarter, version, series, period,
        'volume' as rule,
        '' as subject,
        format('{:.0f} % {} rows than for {}', abs(change),
            if(change < 0, 'fewer', 'more'), before_period)
        || if(of_people, '', format(' ({:,} against {:,})', rows, before_rows)) as said
    from volumes
    where rows < (1 - below) * before_rows or rows > before_rows / (1 - below)
    union all
    select
        source, quarter, version, series, period,
        'missing-place',
        place,
        format('no row of {}, which had some for {}', place, last_period)
    from missing_places
    union all
    select
        source, quarter, version, series, period,
        'blank-column',
        column_name,
        format('column ''{}'' is blank in every row, and was not for {}', column_name, last_period)
    from blank_columns
    union all
    select
        source, quarter, version, series, period,
        'revision-drop',
        '',
        format('{:.0f} % fewer rows than in {} v{}, in whose place it is in force',
            100.0 * (before_rows - rows) / before_rows, before_quarter, before_version)
        || if(of_people, '', format(' ({:,} against {:,})', rows, before_rows))
    from drops
    where rows < (1 - drop_share) * before_rows
    union all
    select
        source, quarter, version, series, period,
        'revision-drop',
        'no longer covered',
        format('no row any more, which version {} of the delivery had', before_version)
    from no_longer
    union all
    select
        source, quarter, version, series, period,
        'empty-period',
        '',
        'no row, in a delivery that covers it: its figures are 0. If that is wrong, say which '
        || 'periods the delivery covers (csp land --covers), or name its file after them'
    from in_all
    where rows = 0
    union all
    select
        source, quarter, version, series, period,
        'late-rows',
        '',
        if(of_people, 'late rows', format('{:,} late rows', rows))
        || ' of a period that no delivery covers: they are left out'
    from left_out
)
select
    source, quarter, version, series, period, rule, subject,
    concat_ws(' ', nullif(series, ''), period::varchar) || ': ' || said
from found
order by all
"""


def find_anomalies(
    connection: duckdb.DuckDBPyConnection, contracts: Mapping[str, Contract]
) -> list[Anomaly]:
    """Rebuild ``control.anomalies`` for the deliveries in force; return them, accepted or not.

    A period is compared with another of its series that is in force as at the same quarter. Of
    people, messages give percentages and no counts.
    """
    profile_deliveries(connection, contracts)
    connection.execute(
        "create or replace temp table _limits as select unnest($1) as source, "
        "unnest($2) as compare_with, unnest($3) as below, unnest($4) as fewest_rows, "
        "unnest($5) as of_people, unnest($6) as of_quarters, unnest($7) as drop_share, "
        "unnest($8) as additive",
        [
            list(contracts),
            [one.volume.compare_with for one in contracts.values()],
            [one.volume.below for one in contracts.values()],
            [one.volume.fewest_rows for one in contracts.values()],
            [one.counts == "people" for one in contracts.values()],
            [one.cadence == "quarterly" for one in contracts.values()],
            [one.coverage.drop for one in contracts.values()],
            [one.coverage.additive for one in contracts.values()],
        ],
    )
    connection.execute("delete from control.anomalies")
    connection.execute(_FIND, [_FEWEST_OF_PLACE, _SHARE_OF_PLACE])
    connection.execute("drop table _limits")
    _hide_places(connection)
    for one in unserved_series(connection, contracts):
        connection.execute(
            "insert into control.anomalies select source, quarter, version, series, max(period), "
            "$1, served_name, $2 from control.in_force "
            "where source = $3 and series = $4 and delivery_id = $5 group by all",
            [UNSERVED, one.message, one.source, one.series, one.delivery_id],
        )
    return listed_anomalies(connection)


def _hide_places(connection: duckdb.DuckDBPyConnection) -> None:
    """Take places that look like an identifier of a person out of the messages."""
    places = connection.execute(
        "select distinct subject from control.anomalies where rule = $1", [MISSING_PLACE]
    ).fetchall()
    for (place,) in places:
        if holds_identifier(place):
            connection.execute(
                "update control.anomalies set subject = $1, message = replace(message, $2, $1) "
                "where rule = $3 and subject = $2",
                ["a place (not shown)", place, MISSING_PLACE],
            )


# --- accepting -------------------------------------------------------------------------------


def listed_anomalies(
    connection: duckdb.DuckDBPyConnection, source: str | None = None
) -> list[Anomaly]:
    """Return the anomalies as at the last refresh (of one source, where given), newest first.

    An acceptance holds for the version of the delivery that was accepted, and no other.
    """
    rows = connection.execute(
        "select anomalies.source, anomalies.quarter, anomalies.version, anomalies.period, "
        "anomalies.rule, anomalies.message, accepted.reason, accepted.accepted_by, "
        "accepted.accepted_at from control.anomalies as anomalies "
        "left join control.acceptances as accepted "
        "on anomalies.source = accepted.source and anomalies.quarter = accepted.quarter "
        "and anomalies.version = accepted.version and anomalies.rule = accepted.rule "
        "and (accepted.period is null or anomalies.period = accepted.period) "
        "where $1 is null or anomalies.source = $1 "
        "qualify row_number() over "
        "(partition by anomalies.rowid order by accepted.accepted_at) = 1 "
        "order by anomalies.quarter desc, anomalies.source, anomalies.period, anomalies.message",
        [source],
    ).fetchall()
    return [Anomaly(*row) for row in rows]


def accept_anomaly(
    connection: duckdb.DuckDBPyConnection,
    source: str,
    quarter: date,
    rule: str,
    period: date | None,
    reason: str,
    accepted_by: str,
    now: datetime,
) -> list[Anomaly]:
    """Record that the anomalies of a delivery under a rule (for one period, or all) are in order.

    Returns those that it settles. Raises :class:`AcceptanceError` where there are none that are not
    accepted yet, or no reason is given.
    """
    if not reason.strip():
        raise AcceptanceError("Say why the anomaly is in order (--reason).")
    open_ones = [one for one in listed_anomalies(connection, source) if one.reason is None]
    settled = [
        one
        for one in open_ones
        if (one.quarter, one.rule) == (quarter, rule) and period in (None, one.period)
    ]
    if not settled:
        known = "; ".join(str(one) for one in open_ones) or "none"
        raise AcceptanceError(
            f"The last refresh found no '{rule}' of {source} {quarter} that is still open. "
            f"Open for {source}: {known}."
        )
    connection.execute(
        "insert into control.acceptances values (?, ?, ?, ?, ?, ?, ?, ?)",
        [source, quarter, settled[0].version, rule, period, reason.strip(), accepted_by, now],
    )
    return settled

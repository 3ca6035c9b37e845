"""The history of deliveries, version by version, from the control tables.

A version is superseded as a whole by a later version of its quarter, and period by period by the
delivery of a later quarter that covers the period as well.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime

import duckdb


@dataclass(frozen=True)
class FileRecord:
    """One file of a delivery as it was received."""

    name: str
    bytes: int
    sha256: str
    rows_loaded: int
    rows_refused: int
    number: int
    """Its place in the delivery, by which a release names a file of a source about people."""


@dataclass(frozen=True)
class Superseding:
    """A later delivery that is in force for periods of an earlier one.

    ``as_at`` is the first quarter from which it does; ``periods`` counts them, and ``first`` and
    ``last`` bound them. ``version_only`` says that it is the next version of the same quarter.
    """

    delivery: str
    as_at: date
    periods: int
    first: date
    last: date
    version_only: bool


@dataclass(frozen=True)
class DeliveryRecord:
    """One version of a delivery: its counts, its files, and what replaced it."""

    source: str
    quarter: date
    version: int
    state: str
    nature: str
    note: str
    content_sha256: str
    received_at: datetime | None
    loaded_at: datetime
    rows_delivered: int
    rows_loaded: int
    rows_refused: int
    reason: str
    first_period: date | None
    last_period: date | None
    files: tuple[FileRecord, ...] = ()
    superseded: tuple[Superseding, ...] = ()


_DELIVERIES = """
select
    deliveries.source,
    deliveries.quarter,
    deliveries.version,
    if(
        deliveries.delivery_id in (select delivery_id from control.purges),
        'purged',
        deliveries.state
    ),
    deliveries.nature,
    coalesce(deliveries.note, ''),
    deliveries.content_sha256,
    deliveries.received_at,
    deliveries.loaded_at,
    deliveries.rows_delivered,
    deliveries.rows_loaded,
    deliveries.rows_refused,
    coalesce(deliveries.reason, ''),
    min(coverage.period),
    max(coverage.period),
    deliveries.delivery_id
from control.deliveries as deliveries
left join control.coverage as coverage
    on deliveries.delivery_id = coverage.delivery_id and coverage.role in ('covers', 'history')
where deliveries.source = $source and ($quarter is null or deliveries.quarter = $quarter)
group by all
order by deliveries.quarter, deliveries.version
"""

_FILES = """
select
    files.delivery_id, file_name, bytes, sha256, files.rows_loaded, files.rows_refused,
    row_number() over (partition by files.delivery_id order by file_id)
from control.files as files
inner join control.deliveries as deliveries using (delivery_id)
where deliveries.source = $source and ($quarter is null or deliveries.quarter = $quarter)
order by files.delivery_id, file_name
"""

_SUPERSEDED = """
with loaded as (
    select delivery_id, source, quarter, version
    from control.deliveries
    where source = $source and state = 'loaded'
),
covered as (
    select
        loaded.*,
        trim(regexp_replace(lower(coverage.series), '\s+', ' ', 'g')) as series,
        coverage.period,
        coverage.role
    from loaded
    inner join control.coverage as coverage using (delivery_id)
    where coverage.role in ('covers', 'history')
),
latest as (
    select * from loaded
    qualify row_number() over (partition by quarter order by version desc) = 1
),
next_versions as (
    select
        earlier.delivery_id,
        later.quarter,
        later.version,
        true as version_only
    from loaded as earlier
    inner join loaded as later
        on earlier.quarter = later.quarter and earlier.version < later.version
    qualify row_number() over (partition by earlier.delivery_id order by later.version) = 1
),
by_version as (
    select
        next_versions.delivery_id,
        next_versions.quarter,
        next_versions.version,
        covered.period,
        next_versions.version_only
    from next_versions
    inner join covered using (delivery_id)
),
by_quarter as (
    select
        covered.delivery_id,
        later.quarter,
        later.version,
        covered.period,
        false as version_only
    from covered
    inner join latest on covered.delivery_id = latest.delivery_id
    inner join covered as later
        on
            covered.series = later.series
            and covered.period = later.period
            and covered.quarter < later.quarter
            and later.role = 'covers'
    inner join latest as latest_later on later.delivery_id = latest_later.delivery_id
    -- The first that took the period over; what came after took it from that one.
    qualify row_number() over (
        partition by covered.delivery_id, covered.series, covered.period order by later.quarter
    ) = 1
)
select
    delivery_id,
    strftime(quarter, '%Y-%m-%d') || ' v' || version,
    quarter,
    count(distinct period),
    min(period),
    max(period),
    version_only
from (from by_version union all from by_quarter)
where $quarter is null
    or delivery_id in (select delivery_id from loaded where quarter = $quarter)
group by delivery_id, quarter, version, version_only
order by delivery_id, quarter, version
"""


def delivery_history(
    connection: duckdb.DuckDBPyConnection, source: str, quarter: date | None = None
) -> list[DeliveryRecord]:
    """Return every version of the source's deliveries (of one quarter, where given), oldest first.

    Raises ``duckdb.CatalogException`` where nothing was ever loaded into the warehouse.
    """
    asked = {"source": source, "quarter": quarter}
    files: dict[int, list[FileRecord]] = {}
    for delivery_id, *record in connection.execute(_FILES, asked).fetchall():
        files.setdefault(delivery_id, []).append(FileRecord(*record))
    superseded: dict[int, list[Superseding]] = {}
    for delivery_id, *record in connection.execute(_SUPERSEDED, asked).fetchall():
        superseded.setdefault(delivery_id, []).append(Superseding(*record))
    records = []
    for *described, delivery_id in connection.execute(_DELIVERIES, asked).fetchall():
        records.append(
            replace(
                DeliveryRecord(*described),
                files=tuple(files.get(delivery_id, ())),
                superseded=tuple(superseded.get(delivery_id, ())),
            )
        )
    return records

"""Which delivery is in force for which period, as at a quarter.

A refresh of quarter Q sees the deliveries of Q and earlier, the latest version of each, and where
two of them cover the same period, the later quarter's. Late rows that a later delivery adds stand
beside the delivery that covers their period. It is resolved here, once, into ``control.in_force``;
staging models join to it.
"""

import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from orchestration.errors import PurgeError, SettingsError
from orchestration.ingest.contract import Contract, load_contracts
from orchestration.ingest.served import resolve_series
from orchestration.quarters import quarter_end

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


class _Partnership(BaseModel):
    model_config = ConfigDict(extra="forbid")

    csp: str
    name: str
    district_code: str
    district_name: str


class _District(BaseModel):
    model_config = ConfigDict(extra="forbid")

    district_code: str
    district_name: str


class _YouthService(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    districts: list[str] = Field(min_length=1)


class _Prison(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    # Prisons of a group are counted together; a prison without one is counted alone.
    group: str | None = None


class _ForceArea(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str
    name: str
    force: str
    partnerships: list[_Partnership]
    # Districts that no partnership here serves: the force's figures add them up all the same.
    other_districts: list[_District] = []
    # Services and prisons beside those of the reference lists (seeds).
    youth_offending_services: list[_YouthService] = []
    prisons: list[_Prison] = []


class _Partnerships(BaseModel):
    model_config = ConfigDict(extra="forbid")

    force_areas: list[_ForceArea]


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
            f"before {before} were purged ({sources}). Its published release stands; `csp "
            "releases` lists it."
        )


def load_partnerships(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Replace ``control.partnership_areas`` by what the partnerships file lists.

    A district without a partnership has an empty ``csp`` and ``csp_name``. Returns the number of
    partnerships. Raises :class:`SettingsError` that names the file.
    """
    try:
        with path.open("rb") as handle:
            listed = _Partnerships(**tomllib.load(handle))
    except (OSError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError(f"{path} does not list partnerships: {error}") from error
    rows = [
        [one.csp, one.name, one.district_code, one.district_name, area.code, area.force, area.name]
        for area in listed.force_areas
        for one in area.partnerships
    ]
    if not rows:
        raise SettingsError(f"{path} lists no partnership.")
    others = [
        ["", "", one.district_code, one.district_name, area.code, area.force, area.name]
        for area in listed.force_areas
        for one in area.other_districts
    ]
    connection.execute("begin")
    connection.execute("delete from control.partnership_areas")
    connection.executemany(
        "insert into control.partnership_areas values (?, ?, ?, ?, ?, ?, ?)", [*rows, *others]
    )
    _load_services(connection, path, listed.force_areas)
    connection.execute("commit")
    return len(rows)


def _load_services(
    connection: duckdb.DuckDBPyConnection, path: Path, areas: Sequence[_ForceArea]
) -> None:
    """Replace the youth offending services and prisons by those of the partnerships file.

    Raises :class:`SettingsError` for a district that two services serve.
    """
    served: dict[str, str] = {}
    services = [
        (service.name, district)
        for area in areas
        for service in area.youth_offending_services
        for district in service.districts
    ]
    for name, district in services:
        if served.setdefault(district, name) != name:
            raise SettingsError(
                f"{path}: two youth offending services, {served[district]} and {name}, list the "
                f"district {district}. Leave it with the one that serves it."
            )
    prisons = [
        (prison.name, prison.group or prison.name, area.code)
        for area in areas
        for prison in area.prisons
    ]
    for table, rows in (("youth_services", services), ("prisons", prisons)):
        connection.execute(f"delete from control.partnership_{table}")
        marks = ", ".join("?" for _ in (rows[0] if rows else ()))
        for row in dict.fromkeys(rows):
            connection.execute(f"insert into control.partnership_{table} values ({marks})", row)

"""Which delivery speaks for which period, as at a quarter.

A refresh of quarter Q sees the deliveries of Q and earlier, the latest version of each, and where
two of them cover the same period, the later quarter's. It is resolved here, once, into
``control.in_force``; staging models join to it.
"""

import tomllib
from datetime import date
from pathlib import Path

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestration.errors import SettingsError
from orchestration.quarters import quarter_end

_RESOLVE = """
insert into control.in_force
with
as_at as (
    select as_at, quarter_end from control.refresh
),
latest_versions as (
    select deliveries.*
    from control.deliveries as deliveries
    cross join as_at
    where deliveries.state = 'loaded' and deliveries.quarter <= as_at.as_at
    qualify row_number() over (
        partition by deliveries.source, deliveries.quarter order by deliveries.version desc
    ) = 1
),
candidates as (
    select
        coverage.source,
        coverage.series,
        coverage.period,
        latest_versions.delivery_id,
        latest_versions.quarter,
        latest_versions.version,
        latest_versions.nature
    from control.coverage as coverage
    inner join latest_versions on coverage.delivery_id = latest_versions.delivery_id
    cross join as_at
    -- A period after the quarter's end waits for the quarter that holds it.
    where coverage.period <= as_at.quarter_end
)
select
    *,
    source || ' ' || strftime(quarter, '%Y-%m-%d') || ' v' || version as delivery
from candidates
qualify row_number() over (partition by source, series, period order by quarter desc) = 1
order by source, series, period
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


class _ForceArea(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str
    name: str
    force: str
    partnerships: list[_Partnership]
    # Districts that no partnership here serves: the force's figures add them up all the same.
    other_districts: list[_District] = []


class _Partnerships(BaseModel):
    model_config = ConfigDict(extra="forbid")

    force_areas: list[_ForceArea]


def resolve_in_force(connection: duckdb.DuckDBPyConnection, as_at: date) -> int:
    """Rebuild ``control.refresh`` and ``control.in_force`` as at a quarter, in one transaction.

    Returns the number of (source, series, period) that some delivery speaks for.
    """
    connection.execute("begin")
    connection.execute("delete from control.refresh")
    connection.execute("insert into control.refresh values (?, ?)", [as_at, quarter_end(as_at)])
    connection.execute("delete from control.in_force")
    connection.execute(_RESOLVE)
    connection.execute("commit")
    (count,) = connection.execute("select count(*) from control.in_force").fetchall()[0]
    return int(count)


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
    connection.execute("commit")
    return len(rows)

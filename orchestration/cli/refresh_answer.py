"""The answer of ``csp refresh --json``, and the deliveries that are refused now."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.cli.json_output import (
    ChecksCounted,
    Compared,
    DeliveryRefused,
    NumbersChanged,
    QuarterReleased,
    RefreshOutput,
    SourceLoaded,
    StepStopped,
)
from orchestration.cli.refresh_outcome import Ran, code_of_run, loads_of
from orchestration.config.settings import Settings
from orchestration.errors import CspError
from orchestration.ingest.checking.supplier_report import report_path
from orchestration.warehouse.connection import connect
from orchestration.warehouse.refresh_record import RefreshRecord

_COUNTED = ("deliveries_new", "deliveries_unchanged", "rows_loaded", "rows_refused")
_REFUSED = """
select source, quarter, version, coalesce(reason, '')
from control.deliveries
where quarter <= ?
qualify row_number() over (partition by source, quarter order by version desc) = 1
    and state = 'refused'
order by source, quarter
"""


def answer(
    settings: Settings,
    quarters: Sequence[date],
    ran: Ran,
    numbers: NumbersChanged | None,
    record: RefreshRecord | None = None,
) -> RefreshOutput:
    """Return what a run over ``quarters`` did, with what changed in the last one's numbers.

    ``record`` is given where nothing was run, since nothing has changed since it.
    """
    written = [*ran.releases.values(), *ran.exports.values()]
    new = any(one["deliveries_new"] for one in loads_of(ran).values())
    changed = new or any(one.get("changed") for one in written)
    done: Literal["published", "unchanged"] = "published" if changed else "unchanged"
    return RefreshOutput(
        run_id=ran.run_id,
        outcome=done if ran.success else "stopped",
        exit_code=code_of_run(ran),
        deliveries=[
            SourceLoaded(
                source=source, rows_in_all=load["dagster/row_count"], warnings=load["warnings"],
                **{name: load[name] for name in _COUNTED},
            )
            for source, load in sorted(loads_of(ran).items())
        ],
        refused=refused_now(settings, quarters[-1]),
        checks=ChecksCounted(
            passed=ran.checks["passed"], warned=ran.checks["warn"], failed=ran.failed_checks
        ),
        stopped=[
            StepStopped(step=one.step, message=one.words) for one in ran.failures if one.words
        ],
        quarters=[_released(ran, quarter) for quarter in quarters],
        numbers=numbers,
        compared=_compared(record) if record else None,
    )  # fmt: skip


def _compared(record: RefreshRecord) -> Compared:
    return Compared(
        ended_at=record.ended_at.replace(tzinfo=None),
        landed_files=record.read.landed_files,
        files_left=record.left.files,
    )


def _released(ran: Ran, quarter: date) -> QuarterReleased:
    release = ran.releases.get(quarter.isoformat(), {})
    exported = ran.exports.get(quarter.isoformat(), {})
    up_to = str(release.get("data_up_to", "no data"))
    return QuarterReleased(
        quarter=quarter,
        published=bool(release),
        changed=bool(release.get("changed")),
        changed_tables=list(release.get("changed_tables", ())),
        synthetic=bool(release.get("synthetic")),
        data_up_to=None if up_to == "no data" else date.fromisoformat(up_to),
        release=str(release["path"]) if release else None,
        exports=str(exported["path"]) if exported else None,
        text_warnings=list(exported.get("warnings", ())),
    )


def refused_now(settings: Settings, last: date) -> list[DeliveryRefused]:
    """Return the deliveries up to the quarter ``last`` that are refused now.

    None where the run left a warehouse that cannot be opened; the run says why.
    """
    try:
        with connect(settings, read_only=True) as connection:
            rows = connection.execute(_REFUSED, [last]).fetchall()
    except (CspError, duckdb.CatalogException):
        return []
    return [
        DeliveryRefused(
            source=source, quarter=quarter, version=version, reason=reason,
            report=_shown(report_path(settings.supplier_reports, source, quarter, version)),
        )
        for source, quarter, version, reason in rows
    ]  # fmt: skip


def _shown(path: Path | None) -> str | None:
    return str(path) if path else None

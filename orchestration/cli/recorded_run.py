"""What a run of ``csp refresh`` reported, in the form in which the next refresh answers with it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from orchestration.cli.refresh_answer import refused_now
from orchestration.cli.refresh_outcome import EXPORTS, RELEASE, Ran, loads_of
from orchestration.config.settings import Settings
from orchestration.warehouse.refresh_record import RefreshRecord, keep_record
from orchestration.warehouse.refresh_state import ReadState

_KEPT_OF_RELEASE = ("path", "synthetic", "data_up_to")
_KEPT_OF_EXPORTS = ("path", "partnerships", "warnings")


def record_run(settings: Settings, quarters: Sequence[date], ran: Ran, read: ReadState) -> None:
    """Record a run that left nothing open, for the next refresh.

    One with a refused delivery is to be run again, since another setting of memory may let it in.
    So is one that passed over a delivery that is still being transferred.
    """
    passed_over = sum(load["deliveries_passed_over"] for load in loads_of(ran).values())
    if ran.success and not passed_over and not refused_now(settings, quarters[-1]):
        keep_record(settings, quarters, ran.run_id, read, _reported(ran), datetime.now(UTC))


def ran_before(record: RefreshRecord) -> Ran:
    """Return what the recorded run reported, as a run to which nothing is new reports it."""
    said = record.reported
    loads = {
        f"raw/{source}": {
            "deliveries_new": 0,
            "deliveries_unchanged": load["deliveries"],
            "rows_loaded": 0,
            "rows_refused": 0,
            "warnings": [],
            "dagster/row_count": load["rows"],
        }
        for source, load in said["loads"].items()
    }
    ran = Ran(True, record.left.run_id)
    ran.releases = {
        quarter: {**one, "changed": False, "changed_tables": []}
        for quarter, one in said["releases"].items()
    }
    ran.exports = {quarter: {**one, "changed": 0} for quarter, one in said["exports"].items()}
    last = record.quarters[-1].isoformat()
    ran.metadata = {
        **loads,
        "control/in_force": {"corrections_applied": said["corrections_applied"]},
        RELEASE: ran.releases[last],
        EXPORTS: ran.exports[last],
    }
    return ran


def _reported(ran: Ran) -> dict[str, Any]:
    return {
        "loads": {
            source: {
                "deliveries": load["deliveries_new"] + load["deliveries_unchanged"],
                "rows": load["dagster/row_count"],
            }
            for source, load in loads_of(ran).items()
        },
        "corrections_applied": ran.metadata["control/in_force"]["corrections_applied"],
        "releases": _some(ran.releases, _KEPT_OF_RELEASE),
        "exports": _some(ran.exports, _KEPT_OF_EXPORTS),
    }


def _some(
    reported: Mapping[str, Mapping[str, Any]], names: Sequence[str]
) -> dict[str, dict[str, Any]]:
    return {
        quarter: {name: one[name] for name in names if name in one}
        for quarter, one in reported.items()
    }

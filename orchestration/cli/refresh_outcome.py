"""What the run of a refresh reported of itself: loads, checks, faults, releases and exports."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from orchestration.cli.exit_codes import ExitCode, code_of
from orchestration.errors import RefusedDeliveryError, foreseen_errors

RELEASE, EXPORTS = "published/csp", "exports/partnerships"

_CODES_OF_CHECKS = {
    "deliveries_accepted": ExitCode.REFUSED_DELIVERY,
    "disclosure_attack": ExitCode.DISCLOSURE,
}
"""What the failure of a check means; any other is a failed check of the data."""


@dataclass(frozen=True)
class Failure:
    """What stopped a step: its message, empty where a failed check says it, and the exit code."""

    step: str
    words: str
    code: ExitCode


@dataclass
class Ran:
    """What the run reported of itself: ``metadata`` by asset, as at the last of its quarters, and
    ``releases`` and ``exports`` by the first day of each quarter that has them.

    ``began_at`` (UTC) is when it began; none where a run is only reported again."""

    success: bool
    run_id: str
    checks: Counter[str] = field(default_factory=Counter)
    failed_checks: list[str] = field(default_factory=list)
    check_codes: list[ExitCode] = field(default_factory=list)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    releases: dict[str, dict[str, Any]] = field(default_factory=dict)
    exports: dict[str, dict[str, Any]] = field(default_factory=dict)
    began_at: datetime | None = None


def code_of_run(ran: Ran) -> ExitCode:
    """Return the exit code of a run: of the first failed check, or else of the first fault."""
    if ran.success:
        return ExitCode.DONE
    faults = [one.code for one in ran.failures if one.code is not ExitCode.FAILED_CHECK]
    return next(iter([*ran.check_codes, *faults]), ExitCode.FAILED_CHECK)


def reported(result: Any, last: date) -> Ran:
    """Return what a finished run reported; ``last`` is the last of its quarters."""
    ran = Ran(result.success, result.run_id)
    for event in result.all_events:
        if event.is_step_failure:
            ran.failures.append(_failure(event.step_key, event.step_failure_data.error))
        elif event.event_type_value == "PIPELINE_FAILURE" and event.job_failure_data.error:
            failure = _failure("the run", event.job_failure_data.error)
            if failure.words not in [one.words for one in ran.failures]:
                ran.failures.append(failure)
        elif event.is_step_materialization:
            note(ran, event.step_materialization_data.materialization, last.isoformat())
        elif event.event_type_value == "ASSET_CHECK_EVALUATION":
            _count_check(ran, event.asset_check_evaluation_data)
    return ran


def note(ran: Ran, materialization: Any, last: str) -> None:
    """Add to ``ran`` what an asset reported; ``last`` is the last quarter's first day."""
    key, quarter = "/".join(materialization.asset_key.path), materialization.partition
    metadata = _plain_metadata(materialization.metadata)
    if quarter in (None, last):
        ran.metadata[key] = metadata
    if key == RELEASE:
        ran.releases[quarter] = metadata
    elif key == EXPORTS:
        ran.exports[quarter] = metadata


def _plain_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.value for name, value in metadata.items()}


def _count_check(ran: Ran, check: Any) -> None:
    outcome = "passed" if check.passed else check.severity.value.lower()
    ran.checks[outcome] += 1
    # Warnings are printed below.
    if outcome not in ("passed", "warn"):
        said = check.description or check.check_name.replace("_", " ")
        ran.failed_checks.append(f"{'/'.join(check.asset_key.path)}: {said}")
        ran.check_codes.append(_CODES_OF_CHECKS.get(check.check_name, ExitCode.FAILED_CHECK))


def _failure(step: str, error: Any) -> Failure:
    """Return the message and code of a foreseeable fault, or say that it was not foreseen."""
    foreseen = foreseen_errors()
    chain = list(_chain(error))
    known = [one for one in chain if one.cls_name in foreseen]
    if known and known[0].cls_name == RefusedDeliveryError.__name__:
        return Failure(step, "", ExitCode.REFUSED_DELIVERY)  # printed with the deliveries
    if known:
        # A cause says more than what it stopped: that of a range is the fault of one quarter.
        code = code_of([foreseen[one.cls_name] for one in reversed(known)])
        return Failure(step, str(known[0].message).split(": ", 1)[1].strip(), code)
    if any(one.cls_name == "DagsterAssetCheckFailedError" for one in chain):
        return Failure(step, "", ExitCode.FAILED_CHECK)
    # Its message could quote a row.
    words = (
        f"Unexpected error ({chain[-1].cls_name}). Dagster's UI (`make dev`) shows where it came "
        "from under this run. Report it."
    )
    return Failure(step, words, ExitCode.UNEXPECTED)


def _chain(error: Any) -> Iterator[Any]:
    """Yield an error and what caused it, as Dagster recorded them."""
    while error is not None:
        yield error
        error = error.cause


def loads_of(ran: Ran) -> dict[str, dict[str, Any]]:
    """Return what the run reported of each source that it looked at."""
    return {
        key.removeprefix("raw/"): metadata
        for key, metadata in ran.metadata.items()
        if key.startswith("raw/")
    }

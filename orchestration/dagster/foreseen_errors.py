"""Foreseen errors in Dagster's records: what happened and what to do, without a stack trace.

The UI shows the error of a failed step, and of a failed run, as its last words. The message of a
:class:`CspError` is written for the reader; the frames of Dagster around it are not. An unexpected
error keeps its stack trace.
"""

from typing import Any

import dagster as dg

from orchestration.errors import foreseen_errors

CHECK_FAILED = "DagsterAssetCheckFailedError"
"""Name of Dagster's error where a blocking check did not pass."""


def foreseen_names() -> set[str]:
    """Return the names of the errors whose message says what to do."""
    return {CHECK_FAILED, *foreseen_errors()}


def with_messages(entry: dg.EventLogEntry) -> dg.EventLogEntry:
    """Return an entry of the event log with the message alone of each error that was foreseen."""
    event = entry.dagster_event
    if event is None:
        return entry
    changed = _event_with_message(event)
    return entry if changed is event else entry._replace(dagster_event=changed)


def _event_with_message(event: dg.DagsterEvent) -> dg.DagsterEvent:
    """Return a step's or a run's failure with the message of its foreseen error."""
    data: Any = event.event_specific_data
    if event.is_step_failure or event.is_resource_init_failure:
        return event._replace(event_specific_data=_with_message(data))
    if event.is_run_failure and data is not None:
        first = data.first_step_failure_event
        shown = data._replace(first_step_failure_event=first and _event_with_message(first))
        return event._replace(event_specific_data=_with_message(shown))
    return event


def _with_message(data: Any) -> Any:
    """Return what an event holds, with its ``error`` reduced to the message if it is foreseen."""
    names = foreseen_names()
    error = data.error
    while error is not None and error.cls_name not in names:
        error = error.cause
    if error is None:
        return data
    # Python puts the name of the class before the message.
    message = str(error.message).split(": ", 1)[-1].strip()
    return data._replace(error=error._replace(message=message, stack=[], cause=None, context=None))

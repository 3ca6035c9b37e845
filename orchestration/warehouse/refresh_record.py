"""What the last refresh kept of itself in the home, so that one with nothing new need not run.

``left.json`` is written by every run, while it still has the write lock. ``refresh.json`` is
written by ``csp refresh`` after a run in which nothing was left open. A record counts only together
with what the same run left; one that is missing or damaged counts as none.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestration.config.settings import Settings
from orchestration.warehouse.refresh_state import (
    KEPT,
    LeftState,
    ReadState,
    left_state,
    read_state,
    settled_left_state,
)

_PROGRAM_AT_REST_NS = 10_000_000_000

_Kept = TypeVar("_Kept", bound=BaseModel)


class RefreshRecord(BaseModel):
    """A refresh that succeeded: when it ended (UTC), what it was of, read, left and ``reported``.

    What it reported is for its caller, who gives it in a form that JSON keeps.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    ended_at: datetime
    quarters: list[date]
    read: ReadState
    left: LeftState
    reported: dict[str, Any]


def keep_left_state(settings: Settings, quarters: Sequence[date], run_id: str) -> None:
    """Keep the state of what the run ``run_id`` leaves. Call it with the write lock held."""
    # Without it the next refresh runs, as it would have done anyway.
    with suppress(OSError):
        _write(settings, "left.json", settled_left_state(settings, quarters, run_id))


def state_to_record(settings: Settings) -> ReadState | None:
    """Return the state of what a run that begins now reads; none where no record is to be kept.

    A program that was just changed may be partly in memory as it was before. Files that cannot be
    looked at are for the run to report.
    """
    with suppress(OSError):
        state = read_state(settings)
        if time.time_ns() - state.program_changed_ns > _PROGRAM_AT_REST_NS:
            return state
    return None


def keep_record(
    settings: Settings,
    quarters: Sequence[date],
    run_id: str,
    read: ReadState,
    reported: dict[str, Any],
    ended_at: datetime,
) -> None:
    """Keep the record of a run that ``read`` what it reads before it began.

    Nothing is kept where something was written to that meanwhile: the run may have read it before
    or after.
    """
    with suppress(OSError):
        left = _read(settings, "left.json", LeftState)
        if left is None or left.run_id != run_id or read_state(settings) != read:
            return
        record = RefreshRecord(
            ended_at=ended_at, quarters=list(quarters), read=read, left=left, reported=reported
        )
        _write(settings, "refresh.json", record)


def standing_record(settings: Settings, quarters: Sequence[date]) -> RefreshRecord | None:
    """Return the record of the last refresh, if it was of ``quarters`` and all that it read and
    left is as it was; none also where that cannot be looked at."""
    record = _read(settings, "refresh.json", RefreshRecord)
    if record is None or record.quarters != list(quarters):
        return None
    try:
        if left_state(settings, quarters, record.left.run_id) != record.left:
            return None
        return record if read_state(settings) == record.read else None
    except OSError:
        return None


def _read(settings: Settings, name: str, kind: type[_Kept]) -> _Kept | None:
    try:
        return kind.model_validate_json((settings.home / KEPT / name).read_bytes())
    except (OSError, ValidationError):
        return None


def _write(settings: Settings, name: str, kept: BaseModel) -> None:
    """Write the file in one step, so that a run that is killed leaves the old one or none."""
    folder = settings.home / KEPT
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{name}"
    new.write_text(kept.model_dump_json(indent=1), encoding="utf-8")
    new.replace(folder / name)

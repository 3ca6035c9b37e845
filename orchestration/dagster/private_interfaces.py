"""Every private interface of Dagster and dagster-dbt that is used, in one place.

Nothing else may import an interface that these packages do not promise to keep: a test says so,
and another names the one that an upgrade has changed. What each is for:

- ``SqliteEventLogStorage``, ``ConfigurableClassData``: the event log that keeps its files open;
- ``DefaultRunLauncher``, ``CheckRunHealthResult``, ``WorkerStatus``: a run whose process has died
  is seen as failed;
- ``run_webserver``: the UI is guarded against pages of other origins;
- ``dbt_event``, ``dbt_selection``: dbt runs in this process, where dagster-dbt starts a program.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, WorkerStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = [
    "CheckRunHealthResult",
    "ConfigurableClassData",
    "DefaultRunLauncher",
    "SqliteEventLogStorage",
    "WorkerStatus",
    "dbt_event",
    "dbt_selection",
    "run_webserver",
]


def dbt_event(event: dict[str, Any]) -> Any:
    """Return a structured event of dbt as dagster-dbt's own, which becomes Dagster's events."""
    from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

    return DbtCoreCliEventMessage(event, event_history_metadata={})


def dbt_selection(**asked: Any) -> tuple[list[str], str | None]:
    """Return dbt's arguments for the assets that Dagster selected, and its indirect selection."""
    from dagster_dbt.asset_utils import get_subset_selection_for_context

    arguments, indirect = get_subset_selection_for_context(**asked)
    return list(arguments), indirect


def run_webserver(guarded: "Callable[[ASGIApp], ASGIApp]") -> None:
    """Run ``dagster-webserver`` with this process's arguments; ``guarded`` wraps its application.

    Dagster offers no place for a middleware, and ``dagster-webserver`` no option for one.
    """
    cli: Any = import_module("dagster_webserver.cli")
    made = cli.create_app_from_workspace_process_context

    def guarded_app(*given: Any, **named: Any) -> Any:
        return guarded(made(*given, **named))

    cli.create_app_from_workspace_process_context = guarded_app
    cli.main()

"""``csp releases``: the published releases, the current one and those that were superseded."""

from rich.console import Console

from orchestration.cli.json_output import Release, ReleasesOutput, RollbackInForce
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.releases.errors import ReleaseUnreadableError
from orchestration.releases.published_file import PUBLISHED_FILE
from orchestration.releases.release_registry import (
    PublishedRelease,
    list_releases,
    read_release,
    read_rollback,
)


def show_releases(settings: Settings, console: Console) -> None:
    """Print every release, superseded ones included, and the rollback in force."""
    releases = list_releases(settings.published)
    if not releases:
        console.print("Nothing is published yet: `csp refresh` publishes.")
        return
    current = _current(settings)
    table = ShownTable(("Quarter", "Build", "Built (UTC)", "Schema", "Synthetic", "State"))
    for release in releases:
        is_current = current is not None and release.identity == current.identity
        states = ["current"] if is_current else []
        states += ["superseded"] if release.superseded else []
        table.add(
            f"{quarter_label(release.quarter)} ({release.quarter})",
            release.build,
            f"{release.built_at:%Y-%m-%d %H:%M}",
            release.schema_version,
            release.synthetic,
            ", ".join(states),
        )
    print_table(table, console)
    if rollback := read_rollback(settings.published):
        console.print(
            f"Rolled back on {rollback.at:%Y-%m-%d %H:%M} to {quarter_label(rollback.quarter)} "
            f"({rollback.reason}). It holds until a release is published that differs from the "
            f"{quarter_label(rollback.instead_of_quarter)} that was rolled back; "
            f"`csp rollback {releases[0].quarter} --reason ...` ends it.",
        )


def releases_output(settings: Settings) -> ReleasesOutput:
    """Return what ``csp releases --json`` prints."""
    current = _current(settings)
    rollback = read_rollback(settings.published)
    return ReleasesOutput(
        releases=[
            Release(
                quarter=one.quarter,
                label=quarter_label(one.quarter),
                build=one.build,
                built_at=one.built_at,
                schema_version=one.schema_version,
                synthetic=one.synthetic,
                current=current is not None and one.identity == current.identity,
                superseded=one.superseded,
                path=str(one.path),
            )
            for one in list_releases(settings.published)
        ],
        rollback=rollback
        and RollbackInForce(quarter=rollback.quarter, at=rollback.at, reason=rollback.reason),
    )


def _current(settings: Settings) -> PublishedRelease | None:
    try:
        return read_release(settings.published / PUBLISHED_FILE)
    except ReleaseUnreadableError:
        return None

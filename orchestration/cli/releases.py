"""``csp releases``: the published releases, the current one and those that were superseded."""

from rich.console import Console
from rich.table import Column, Table

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
    table = Table(
        "Quarter", Column("Build", no_wrap=True), "Built (UTC)", "Schema", "Synthetic", "State"
    )
    for release in releases:
        is_current = current is not None and release.identity == current.identity
        states = ["current"] if is_current else []
        states += ["superseded"] if release.superseded else []
        table.add_row(
            f"{quarter_label(release.quarter)} ({release.quarter})",
            release.build,
            f"{release.built_at:%Y-%m-%d %H:%M}",
            str(release.schema_version),
            "yes" if release.synthetic else "no",
            ", ".join(states),
        )
    console.print(table)
    if rollback := read_rollback(settings.published):
        console.print(
            f"Rolled back on {rollback.at:%Y-%m-%d %H:%M} to {quarter_label(rollback.quarter)} "
            f"({rollback.reason}). It holds until a release is published that differs from the "
            f"{quarter_label(rollback.instead_of_quarter)} that was rolled back; "
            f"`csp rollback {releases[0].quarter} --reason ...` ends it.",
        )


def _current(settings: Settings) -> PublishedRelease | None:
    try:
        return read_release(settings.published / PUBLISHED_FILE)
    except ReleaseUnreadableError:
        return None

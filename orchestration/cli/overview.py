"""``csp`` without a command: where things are, and the next sensible command."""

from collections.abc import Sequence

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.delivery_states import read_known
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import Settings
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.arrival_calendar import delivered_quarters
from orchestration.releases.release_registry import PublishedRelease, list_releases
from orchestration.warehouse.connection import warehouse_writer


def show_overview(settings: Settings, console: Console) -> None:
    """Print what has landed and what is published, and which command comes next."""
    landed = sorted(delivered_quarters(settings.raw, load_contracts()))
    releases = [one for one in list_releases(settings.published) if not one.superseded]
    console.print(styled("[bold]Landing zone:[/] {}", settings.raw), soft_wrap=True)
    if landed:
        console.print(
            f"  Deliveries for {len(landed)} quarters, up to {quarter_label(landed[-1])}."
        )
    else:
        console.print("  Nothing has landed.")
    console.print(styled("[bold]Home:[/] {}", settings.home), soft_wrap=True)
    if releases:
        synthetic = " Synthetic data." if releases[0].synthetic else ""
        console.print(
            f"  Published: {len(releases)} quarters, up to {quarter_label(releases[0].quarter)}, "
            f"built {releases[0].built_at:%Y-%m-%d %H:%M} UTC.{synthetic}"
        )
    else:
        console.print("  Nothing is published yet.")
    for words in _next(settings, [one.isoformat() for one in landed], releases):
        console.print(styled("[bold]Next:[/] {}", words), soft_wrap=True)
    console.print("`csp status` shows each supplier, `csp doctor` checks the installation, and")
    console.print("`csp --help` lists all commands.")


def _next(
    settings: Settings, landed: Sequence[str], releases: Sequence[PublishedRelease]
) -> list[str]:
    """Return what to do next, most urgent first."""
    if writer := warehouse_writer(settings):
        return [f"{writer} is writing the warehouse. Wait until it has ended."]
    if not landed:
        return ["land a supplier's files: `csp land SOURCE QUARTER FILES`."]
    published = {one.quarter.isoformat() for one in releases}
    words = []
    if refused := sum(one.state == "refused" for one in read_known(settings).versions.values()):
        words.append(f"deliveries refused: {refused}. `csp status` says why.")
    if landed[-1] not in published:
        words.append(f"`csp refresh {landed[-1]}` builds and publishes the latest quarter.")
    if not words:
        packs = settings.exports / landed[-1]
        words.append(f"open the packs in {packs}, or run `csp serve` for the Dagster UI.")
    return words

"""``csp new-partnership``: from the name of a partnership to its first pack, from public data.

Everything lies in one new folder: the partnerships file, the landing zone, what is generated, and
the settings that say so. What cannot be fetched is named with who publishes it, and the rest goes
on: an assessment without dwellings is one all the same.
"""

import os
import shlex
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from orchestration.cli.console import styled
from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.partnership_lookup import (
    FoundPartnership,
    Member,
    find_partnership,
    force_of,
    partnerships_text,
    read_members,
)
from orchestration.config.partnerships import served_partnerships
from orchestration.config.quarters import quarter_label, quarters_before
from orchestration.config.settings import Settings
from orchestration.errors import CspError, SettingsError
from orchestration.feeds.feed_file import fed_sources, feed_of
from orchestration.feeds.fetching import Fetch
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.known_places import POLICE_FORCES

LOOKUPS, STREET = "area_lookups", "police_uk_street"
SETTINGS_FILE = "settings.env"


@dataclass(frozen=True)
class Wanted:
    """What is asked for: ``names`` of a partnership or of districts, ``called`` a name for it,
    ``folder`` for all of it, ``last`` quarter, and how many ``quarters`` of crime with it."""

    names: tuple[str, ...]
    folder: Path
    last: date
    quarters: int
    called: str = ""
    opened: bool = True


def new_partnership(given: Settings, wanted: Wanted, console: Console) -> ExitCode:
    """Set up a partnership in its folder, fetch public data for it, refresh, and open the pack.

    ``given`` are the settings of this process; mirror and limits are taken from them. Run again
    with the same folder, it continues: what was fetched is not fetched again. Returns the exit code
    of the refresh. Raises :class:`PartnershipLookupError` where the partnership cannot be
    found, :class:`SettingsError` where the folder is another's, and :class:`CspError` where the
    lookup that it is found in cannot be fetched.
    """
    settings = _settings(given, wanted.folder)
    _refuse_another(settings, wanted.folder)
    settings.raw.mkdir(parents=True, exist_ok=True)
    console.print(styled("[bold]{}[/] takes everything of the partnership.", wanted.folder))
    if settings.partnerships.exists():
        found = find_partnership(wanted.names, _members(settings), wanted.called)
        _refuse_another_partnership(settings, found)
    else:
        _fetch(settings, LOOKUPS, [wanted.last], console)
        members = _members(settings)
        found = find_partnership(wanted.names, members, wanted.called)
        _write(settings, wanted.folder, found, members)
    _print_found(found, console)
    missed = _fetch_rest(settings, wanted, console)
    _use(settings)
    code = _refresh(settings, console)
    _print_missing(settings, missed, console)
    if code is ExitCode.DONE:
        _print_pack(settings, wanted, console)
    return code


def _settings(given: Settings, folder: Path) -> Settings:
    """Return the settings of the new installation."""
    places = {
        "home": folder / "var",
        "raw": folder / "raw",
        "texts": folder / "texts",
        "partnerships": folder / "partnerships.toml",
    }
    return given.model_copy(update=places)


def _refuse_another(settings: Settings, folder: Path) -> None:
    """Refuse a folder that holds something, unless this command has begun it."""
    begun = settings.raw.is_dir() or (folder / SETTINGS_FILE).exists()
    if folder.exists() and not begun and any(folder.iterdir()):
        raise SettingsError(
            f"{folder} is not empty. Name a new folder with --folder; nothing was written."
        )


# --- finding and writing ---------------------------------------------------------------------


def _members(settings: Settings) -> list[Member]:
    return read_members(sorted((settings.raw / LOOKUPS).rglob("*.csv")))


def _refuse_another_partnership(settings: Settings, found: FoundPartnership) -> None:
    """Refuse a folder of another partnership: what is asked for would silently be left out."""
    served = served_partnerships(settings.partnerships)
    if found.slug not in served:
        raise SettingsError(
            f"{settings.partnerships} serves {', '.join(served)}, not {found.slug}. Name another "
            "folder with --folder, or add the partnership to the file."
        )


def _write(
    settings: Settings, folder: Path, found: FoundPartnership, members: Sequence[Member]
) -> None:
    force = force_of(found.force_name, POLICE_FORCES)
    settings.partnerships.write_text(partnerships_text(found, members, force), encoding="utf-8")
    lines = [f"export {name}={shlex.quote(value)}" for name, value in _environment(settings)]
    (folder / SETTINGS_FILE).write_text("\n".join([_SETTINGS_HEAD, *lines, ""]), encoding="utf-8")


_SETTINGS_HEAD = "# Settings of this installation: `. ./settings.env` before csp or make."


def _environment(settings: Settings) -> list[tuple[str, str]]:
    places = {
        "CSP_HOME": settings.home,
        "CSP_RAW": settings.raw,
        "CSP_TEXTS": settings.texts,
        "CSP_PARTNERSHIPS": settings.partnerships,
    }
    return [(name, str(place)) for name, place in places.items()]


def _use(settings: Settings) -> None:
    """Have the rest of this process use the installation: Dagster reads the environment itself."""
    os.environ.update(_environment(settings))


def _print_found(found: FoundPartnership, console: Console) -> None:
    districts = ", ".join(f"{one.district_name} ({one.district_code})" for one in found.districts)
    console.print(f"{found.name}: {districts}. Police force area: {found.force_name}.")


# --- fetching and refreshing -----------------------------------------------------------------


def _fetch_rest(settings: Settings, wanted: Wanted, console: Console) -> dict[str, str]:
    """Fetch every other public source; return why each of those that failed did."""
    missed = {}
    for source in fed_sources():
        if source == LOOKUPS:
            continue
        quarters = [wanted.last]
        if source == STREET:
            quarters = [
                quarters_before(wanted.last, back) for back in reversed(range(wanted.quarters))
            ]
        try:
            _fetch(settings, source, quarters, console)
        except CspError as error:
            missed[source] = str(error)
            console.print(styled("[yellow]Not fetched:[/] {}. {}", source, error))
    return missed


def _fetch(settings: Settings, source: str, quarters: Sequence[date], console: Console) -> None:
    fetch, requests, received, files = Fetch(settings, source), 0, 0, 0
    for quarter in quarters:
        outcome = fetch.for_quarter(quarter)
        requests, received = requests + outcome.requests, received + outcome.received
        files += sum(one.landed for one in outcome.files)
        for note in outcome.notes:
            console.print(
                styled("[yellow]Note:[/] {}, {}: {}", source, quarter_label(quarter), note)
            )
    console.print(
        f"{source}: {files} files landed, {requests} requests, {received:,} bytes received."
    )


def _refresh(settings: Settings, console: Console) -> ExitCode:
    from orchestration.cli.refresh import run_refresh

    return run_refresh(settings, None, console)


# --- what is said ----------------------------------------------------------------------------


def _print_missing(settings: Settings, missed: dict[str, str], console: Console) -> None:
    """Print the sources that have not landed, with who publishes or supplies each."""
    fed = set(fed_sources())
    table = ShownTable(("Source", "From", "How"), "Not landed yet")
    for name, contract in sorted(load_contracts().items()):
        if any((settings.raw / name).glob("*/*")):
            continue
        how = f"csp fetch {name}" if name in fed else f"csp land {name} QUARTER FILES"
        table.add(name, feed_of(name).name if name in missed else contract.supplier, how)
    print_table(table, console)


def _print_pack(settings: Settings, wanted: Wanted, console: Console) -> None:
    packs = sorted(settings.exports.glob("*/*/pack.html"))
    if not packs:
        return
    console.print(styled("[bold green]The pack:[/] {}", packs[-1]), soft_wrap=True)
    console.print(
        f"From now on: `. {shlex.quote(str(wanted.folder / SETTINGS_FILE))}`, then `csp status`, "
        "`csp fetch`, `csp land` and `csp refresh`.",
        soft_wrap=True,
    )
    if wanted.opened and console.is_terminal:
        webbrowser.open(packs[-1].as_uri())

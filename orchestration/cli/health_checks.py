"""What can be wrong with an installation: each check looks at one thing and changes nothing.

Where the warehouse is found damaged, this is noted for the next refresh, as by every command.
"""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from orchestration.cli.json_output import Finding
from orchestration.config.quarters import quarter_label
from orchestration.config.settings import PROJECT, Settings
from orchestration.errors import (
    CspError,
    EncryptionError,
    LakeError,
    WarehouseBusyError,
    WarehouseUnreadableError,
)
from orchestration.ingest.checking.configured_words import vocabulary_of_file
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.corrections import load_corrections
from orchestration.ingest.landing.landing_zone import quarters_landed
from orchestration.ingest.landing.receipt import odd_entries, unfinished_files
from orchestration.ingest.loading.pseudonyms import key_fault
from orchestration.releases.errors import ReleaseUnreadableError
from orchestration.releases.published_file import PUBLISHED_FILE
from orchestration.releases.release_registry import list_releases, read_release, read_rollback
from orchestration.transform.dbt_runner import is_prepared
from orchestration.warehouse.backup import backups
from orchestration.warehouse.connection import (
    connect,
    no_warehouse,
    warehouse_exists,
    warehouse_name,
    warehouse_writer,
)

_SHOWN_PACKAGES = ("csp-warehouse", "dagster", "dbt-core", "dbt-duckdb", "duckdb")
_LEAST_FREE = 1 << 30
"""Bytes that must be free for a refresh of any size: below, nothing can be built safely."""

_COPIES = 3
"""Room that a refresh may need, in sizes of the warehouse: it, its log, and what is published."""

_OLDEST_BACKUP_DAYS = 8


def find_all(settings: Settings) -> list[Finding]:
    """Return what every check finds, in the order of reading; none of them stops another."""
    checks: Sequence[tuple[str, Callable[[Settings], Iterator[Finding]]]] = (
        ("packages", _packages),
        ("configuration", _configuration),
        ("home", _home),
        ("disk", _disk),
        ("lock", _lock),
        ("warehouse", _warehouse),
        ("dbt project", _dbt_project),
        ("Dagster's home", _dagster_home),
        ("landing zone", _landing_zone),
        ("releases", _releases),
        ("backups", _backups),
        ("alerts", _alerts),
    )
    return [finding for name, check in checks for finding in _guarded(name, check, settings)]


def _guarded(
    name: str, check: Callable[[Settings], Iterator[Finding]], settings: Settings
) -> Iterator[Finding]:
    try:
        yield from check(settings)
    except CspError as error:
        yield Finding(check=name, outcome="fault", found=str(error))
    except OSError as error:
        place = f"{os.fsdecode(error.filename)}: " if error.filename else ""
        yield Finding(
            check=name,
            outcome="fault",
            found=f"{place}{error.strerror}.",
            remedy="Give the permission, or check the disk.",
        )


# --- the program -----------------------------------------------------------------------------


def _packages(_: Settings) -> Iterator[Finding]:
    """The installed packages are those that the project asks for."""
    unfit = [said for one in requires("csp-warehouse") or () if (said := _unfit(one))]
    python = ".".join(str(part) for part in sys.version_info[:3])
    versions = ", ".join(f"{name} {version(name)}" for name in _SHOWN_PACKAGES)
    if unfit:
        yield Finding(
            check="packages",
            outcome="fault",
            found=f"Python {python}, {versions}. Not as required: {', '.join(unfit)}.",
            remedy="Run `make clean setup`: it installs the versions of requirements.lock.",
        )
    else:
        yield Finding(check="packages", outcome="in order", found=f"Python {python}, {versions}.")


def _unfit(required: str) -> str | None:
    """Say which version a package has in place of the required one, or None where it fits."""
    requirement = Requirement(required)
    if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
        return None
    try:
        found = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(found, prereleases=True):
        return None
    return f"{requirement.name} is {found}, not {requirement.specifier}"


def _configuration(settings: Settings) -> Iterator[Finding]:
    """The two files of configuration can be read."""
    vocabulary_of_file(settings.partnerships)
    corrections = load_corrections(settings.corrections, load_contracts())
    yield Finding(
        check="configuration",
        outcome="in order",
        found=f"{settings.partnerships} and {len(corrections)} corrections in "
        f"{settings.corrections} are valid. Profile: {settings.profile}.",
    )


# --- the machine -----------------------------------------------------------------------------


def _home(settings: Settings) -> Iterator[Finding]:
    """The home belongs to this user, can be written, and its restricted side is closed."""
    home = settings.home
    if not home.exists():
        yield Finding(
            check="home",
            outcome="warning",
            found=f"{home} does not exist yet.",
            remedy="`csp refresh` makes it.",
        )
        return
    if home.stat().st_uid != os.geteuid() or not os.access(home, os.W_OK):
        yield Finding(
            check="home",
            outcome="fault",
            found=f"{home} belongs to another user, or cannot be written.",
            remedy="Run csp as its owner, or name a folder of your own by CSP_HOME.",
        )
        return
    outputs = {settings.published, settings.exports}
    others = stat.S_IRWXG | stat.S_IRWXO
    opened = [
        path.name
        for path in sorted(home.iterdir())
        if path not in outputs and not path.is_symlink() and path.stat().st_mode & others
    ]
    if opened:
        yield Finding(
            check="home",
            outcome="warning",
            found=f"Others can open in {home}: {', '.join(opened)}.",
            remedy="`csp prepare` closes them. If the key may have been read, make a new one "
            "(docs/privacy.md).",
        )
    else:
        yield Finding(
            check="home",
            outcome="in order",
            found=f"{home} can be written, and its restricted files are closed to others.",
        )


def _disk(settings: Settings) -> Iterator[Finding]:
    """The disk has room for a refresh."""
    place = next(path for path in (settings.home, *settings.home.parents) if path.exists())
    free = shutil.disk_usage(place).free
    here = not settings.on_lake and settings.warehouse.exists()
    held = settings.warehouse.stat().st_size if here else 0
    wanted = max(_LEAST_FREE, _COPIES * held)
    said = f"{_size(free)} free for {settings.home}"
    said += "." if settings.on_lake else f"; the warehouse has {_size(held)}."
    if free < wanted:
        yield Finding(
            check="disk",
            outcome="fault" if free < _LEAST_FREE // 4 else "warning",
            found=said,
            remedy=f"Make room: a refresh may need {_size(wanted)}.",
        )
    else:
        yield Finding(check="disk", outcome="in order", found=said)


def _size(count: int) -> str:
    return f"{count / (1 << 30):,.1f} GiB" if count >= 1 << 30 else f"{count / (1 << 20):,.0f} MiB"


# --- the warehouse ---------------------------------------------------------------------------


def _lock(settings: Settings) -> Iterator[Finding]:
    """Nobody is writing, or it is said who."""
    try:
        writer = warehouse_writer(settings)
    except LakeError as error:
        yield Finding(check="lock", outcome="fault", found=str(error))
        return
    if writer:
        yield Finding(
            check="lock",
            outcome="warning",
            found=f"{writer} is writing the warehouse.",
            remedy="Wait until it has ended before you refresh.",
        )
    else:
        yield Finding(check="lock", outcome="in order", found="Nobody is writing the warehouse.")


def _warehouse(settings: Settings) -> Iterator[Finding]:
    """The warehouse opens with the keys that are given."""
    try:
        exists, writer = warehouse_exists(settings), warehouse_writer(settings)
    except LakeError as error:
        yield Finding(check="warehouse", outcome="fault", found=str(error))
        return
    if not exists:
        yield Finding(
            check="warehouse",
            outcome="warning",
            found=str(no_warehouse(settings)).partition(" Run ")[0],
            remedy="`csp refresh` makes it.",
        )
        return
    if writer:
        yield Finding(
            check="warehouse",
            outcome="warning",
            found="It is not looked at while somebody writes it.",
            remedy="Run `csp doctor` again afterwards.",
        )
        return
    try:
        with connect(settings, read_only=True) as connection:
            fault = key_fault(settings, connection)
    except WarehouseBusyError as error:
        yield Finding(check="warehouse", outcome="warning", found=str(error))
        return
    except (WarehouseUnreadableError, EncryptionError, LakeError) as error:
        yield Finding(check="warehouse", outcome="fault", found=str(error))
        return
    encrypted = "is encrypted" if settings.warehouse_key else "is not encrypted"
    name = warehouse_name(settings)
    opened = f"{name[0].upper()}{name[1:]}"
    yield Finding(check="warehouse", outcome="in order", found=f"{opened} opens; it {encrypted}.")
    if fault:
        yield Finding(check="pseudonym key", outcome="fault", found=fault)
    else:
        yield Finding(
            check="pseudonym key",
            outcome="in order",
            found="The key of the pseudonyms is the one that the warehouse was loaded with.",
        )


def _dbt_project(settings: Settings) -> Iterator[Finding]:
    """The parsed dbt project is that of the installed files."""
    if is_prepared(settings):
        yield Finding(
            check="dbt project", outcome="in order", found="Parsed, and as the files are."
        )
    else:
        yield Finding(
            check="dbt project",
            outcome="warning",
            found="Not parsed yet, or the project's files have changed since.",
            remedy="`csp refresh` or `csp prepare` parses it.",
        )


def _dagster_home(settings: Settings) -> Iterator[Finding]:
    """Dagster's settings are ours and its records are sound."""
    from orchestration.dagster.record_files import damaged_records

    placed = settings.dagster_home / "dagster.yaml"
    wanted = PROJECT / "orchestration" / "dagster" / "dagster.yaml"
    if not placed.is_file() or placed.read_bytes() != wanted.read_bytes():
        yield Finding(
            check="Dagster's home",
            outcome="warning",
            found=f"{placed} is missing, or is not that of this version.",
            remedy="`csp prepare` writes it.",
        )
    elif damaged := damaged_records(settings.dagster_home):
        yield Finding(
            check="Dagster's home",
            outcome="fault",
            found=f"Damaged records: {', '.join(str(path) for path in damaged)}.",
            remedy="`csp prepare` sets them aside, and Dagster makes new ones.",
        )
    else:
        yield Finding(
            check="Dagster's home",
            outcome="in order",
            found=f"{settings.dagster_home}: settings and records are sound.",
        )


# --- what goes in and comes out --------------------------------------------------------------


def _landing_zone(settings: Settings) -> Iterator[Finding]:
    """Every folder is a source's, every folder in it a quarter's, and all can be read."""
    if not settings.raw.is_dir():
        yield Finding(
            check="landing zone",
            outcome="fault",
            found=f"{settings.raw} is not a folder.",
            remedy="Name the landing zone by CSP_RAW, or land a delivery with `csp land`.",
        )
        return
    contracts = load_contracts()
    unknown = sorted(
        path.name
        for path in settings.raw.iterdir()
        if path.is_dir() and path.name not in contracts and not path.name.startswith(".")
    )
    if unknown:
        yield Finding(
            check="landing zone",
            outcome="warning",
            found=f"Folders that no source has: {', '.join(unknown)}. They are not read.",
            remedy="Rename them to a source (`csp status` lists them), or move them away.",
        )
    folders = {
        name: [
            settings.raw / name / quarter.isoformat()
            for quarter in quarters_landed(settings.raw, contract)
        ]
        for name, contract in contracts.items()
    }
    yield from _odd_deliveries([one for several in folders.values() for one in several])
    landed = {name: several for name, several in folders.items() if several}
    yield Finding(
        check="landing zone",
        outcome="in order" if landed else "warning",
        found=f"{settings.raw}: {sum(map(len, landed.values()))} deliveries of {len(landed)} of "
        f"{len(contracts)} sources.",
        remedy="" if landed else "Land a delivery with `csp land`.",
    )


def _odd_deliveries(folders: Sequence[Path]) -> Iterator[Finding]:
    for folder in folders:
        if waiting := unfinished_files(folder):
            yield Finding(
                check="landing zone",
                outcome="warning",
                found=f"{folder}: {len(waiting)} files are still being transferred.",
                remedy="Wait, or remove what a transfer that was cut short has left.",
            )
        if odd := odd_entries(folder):
            yield Finding(
                check="landing zone",
                outcome="fault",
                found=f"{folder}: {len(odd)} entries are not files ({odd[0][1]}).",
                remedy="Put the files themselves there.",
            )


def _releases(settings: Settings) -> Iterator[Finding]:
    """Every published file can be read, and the current one is the newest."""
    files = sorted(settings.published.glob(f"*-*-*/{PUBLISHED_FILE}"))
    releases = [one for one in list_releases(settings.published) if not one.superseded]
    readable = {one.path for one in releases}
    for file in files:
        if file not in readable:
            yield Finding(
                check="releases",
                outcome="fault",
                found=f"{file} cannot be read.",
                remedy=f"`csp refresh {file.parent.name}` makes it again.",
            )
    if not releases:
        yield Finding(
            check="releases",
            outcome="warning",
            found="Nothing is published yet.",
            remedy="`csp refresh` publishes.",
        )
        return
    try:
        current = read_release(settings.published / PUBLISHED_FILE)
    except ReleaseUnreadableError as error:
        yield Finding(
            check="releases",
            outcome="fault",
            found=str(error),
            remedy="Refresh any quarter: the current release is put back.",
        )
        return
    rollback = read_rollback(settings.published)
    rolled_back = f" It was rolled back: {rollback.reason}." if rollback else ""
    yield Finding(
        check="releases",
        outcome="warning" if rollback else "in order",
        found=f"{len(releases)} quarters are published; the current release is "
        f"{quarter_label(current.quarter)} ({current.build}).{rolled_back}",
        remedy="`csp releases` says what ends the rollback." if rollback else "",
    )


def _backups(settings: Settings) -> Iterator[Finding]:
    """There is a backup, and it is not old; a development home needs none."""
    if settings.on_lake:
        yield Finding(
            check="backups",
            outcome="in order",
            found="A lake is not backed up by csp: docs/scale.md says how it is.",
        )
        return
    made = backups(settings)
    if not made:
        yield Finding(
            check="backups",
            outcome="warning" if settings.in_production else "in order",
            found="There is no backup.",
            remedy="`csp backup` makes one; csp-backup.timer makes one each night.",
        )
        return
    now = datetime.now(UTC).timestamp()
    days = int((now - made[0].stat().st_mtime) // 86400)
    old = days > _OLDEST_BACKUP_DAYS
    yield Finding(
        check="backups",
        outcome="warning" if old else "in order",
        found=f"{len(made)}; the newest is {days} days old ({made[0]}).",
        remedy="`csp backup` makes a new one." if old else "",
    )


def _alerts(settings: Settings) -> Iterator[Finding]:
    """In production somebody hears of a failed run."""
    if settings.alerts:
        way = "mail" if settings.alerts_by_mail else "webhook"
        yield Finding(check="alerts", outcome="in order", found=f"Alerts are sent by {way}.")
    else:
        yield Finding(
            check="alerts",
            outcome="warning" if settings.in_production else "in order",
            found="No alert channel is configured.",
            remedy="Set CSP_ALERT_WEBHOOK or CSP_SMTP_HOST (docs/settings.md).",
        )

"""The registry of releases: which exist, which is current, and rollback to an earlier one.

``<quarter>/csp.duckdb`` is the release of a quarter. A build that it replaced is kept under
``<quarter>/superseded/<build>/csp.duckdb``, so that everything once published can be listed and
restored. ``csp.duckdb`` is the current release: the newest quarter's, unless somebody has rolled
it back. A rollback is recorded in ``rollback.json`` and holds until a release is built that
differs from the one that was rolled back.
"""

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pydantic

from orchestration.config.quarters import quarter_label
from orchestration.releases.errors import PublishError, ReleaseUnreadableError, UnknownReleaseError
from orchestration.releases.published_file import PUBLISHED_FILE, open_release
from orchestration.warehouse.atomic_file import (
    SCRATCH_PREFIX,
    place,
    place_copy,
    remove_leftovers,
    sync,
)

SUPERSEDED = "superseded"
ROLLBACK_FILE = "rollback.json"


@dataclass(frozen=True)
class PublishedRelease:
    """A release on disk. ``build`` names it among those of its quarter: its time (UTC) and the
    beginning of its digest. ``superseded`` says that a later build of the quarter replaced it."""

    quarter: date
    built_at: datetime
    schema_version: int
    synthetic: bool
    content_digest: str
    path: Path
    superseded: bool

    @property
    def build(self) -> str:
        """Name of the build, such as ``20180716T090000-1a2b3c4d``."""
        return f"{self.built_at:%Y%m%dT%H%M%S}-{self.content_digest[:8]}"

    @property
    def identity(self) -> tuple[date, datetime, str]:
        """What tells this build from every other."""
        return self.quarter, self.built_at, self.content_digest


class Rollback(pydantic.BaseModel, frozen=True):
    """Which build was made current in place of which, when, and why."""

    quarter: date
    build: str
    instead_of_quarter: date
    instead_of_digest: str
    at: datetime
    reason: str


def read_release(path: Path, *, superseded: bool = False) -> PublishedRelease:
    """Return what the release at ``path`` says of itself.

    Raises :class:`ReleaseUnreadableError` where it is missing, damaged or not a release.
    """
    with open_release(path) as connection:
        row = connection.execute(
            "select quarter, built_at, schema_version, synthetic, content_digest from main.release"
        ).fetchone()
    if row is None:
        raise ReleaseUnreadableError(f"{path} does not say what it is.")
    quarter, built_at, schema_version, synthetic, digest = row
    return PublishedRelease(
        quarter, built_at, schema_version, synthetic, digest, path=path, superseded=superseded
    )


def list_releases(root: Path) -> list[PublishedRelease]:
    """Return every readable release under ``root``: newest quarter first, and in it newest build.

    A quarter's standing release comes before those that it superseded.
    """
    found = {}
    for path, superseded in (
        *((path, True) for path in root.glob(f"*-*-*/{SUPERSEDED}/*/{PUBLISHED_FILE}")),
        *((path, False) for path in root.glob(f"*-*-*/{PUBLISHED_FILE}")),
    ):
        if (release := _readable(path, superseded)) is not None:
            # A run that was killed may have left the standing release among the superseded too.
            found[release.identity] = release
    return sorted(
        found.values(),
        key=lambda release: (release.quarter, not release.superseded, release.built_at),
        reverse=True,
    )


def release_before(root: Path, quarter: date) -> Path | None:
    """Return the readable release of the latest quarter before ``quarter``, or none."""
    return next((path for path in _files(root) if path.parent.name < quarter.isoformat()), None)


def newest_release(root: Path) -> Path | None:
    """Return the readable release of the latest quarter under ``root``, or none."""
    return next(iter(_files(root)), None)


def keep_superseded(target: Path) -> None:
    """Keep the release at ``target``, which is about to be replaced; there may be none."""
    release = _readable(target)
    if release is None:
        return
    kept = target.parent / SUPERSEDED / release.build / PUBLISHED_FILE
    kept.parent.mkdir(parents=True, exist_ok=True)
    place_copy(target, kept)


def settle_current(root: Path, quarter: date, target: Path) -> bool:
    """Make the current file the newest quarter's; return whether it was put in place.

    A current release of a later quarter is left alone, and so is one that was rolled back to,
    until ``target`` differs from the release that was rolled back. A missing or unreadable
    current file is restored, and a rollback that was cut short is completed.
    """
    current = root / PUBLISHED_FILE
    standing = _readable(current)
    rollback = read_rollback(root)
    if standing is None:
        place_copy(_rolled_back_to(root, rollback) or newest_release(root) or target, current)
        return True
    if rollback and not _lifts(rollback, read_release(target)):
        return complete_rollback(root) is not None
    _end_rollback(root)
    # The newest is another quarter's where the end of a rollback was cut short.
    wanted = newest_release(root) or target
    new = read_release(wanted)
    if new.quarter < standing.quarter or new.identity == standing.identity:
        return False
    place_copy(wanted, current)
    return True


def complete_rollback(root: Path) -> Rollback | None:
    """Make the release of the recorded rollback current; return the rollback if it was not so yet.

    The record comes first, so a rollback that was killed is completed here. None where no rollback
    is in force, it is complete, or its release is no longer on disk. The caller holds the writer
    lock. Raises :class:`PublishError` where the record cannot be read.
    """
    rollback = read_rollback(root)
    chosen = _rolled_back_to(root, rollback)
    if rollback is None or chosen is None:
        return None
    standing = _readable(root / PUBLISHED_FILE)
    if standing and standing.identity == read_release(chosen).identity:
        return None
    place_copy(chosen, root / PUBLISHED_FILE)
    return rollback


def _end_rollback(root: Path) -> None:
    file = root / ROLLBACK_FILE
    if file.exists():
        file.unlink()
        sync(root)


def roll_back(
    root: Path, quarter: date, build: str | None, reason: str, now: datetime
) -> PublishedRelease:
    """Make the release of ``quarter`` (or one ``build`` of it) current; return it.

    Rolling "back" to the newest release ends a rollback. The record is written before the release
    is made current: :func:`complete_rollback` completes one that was cut short. The caller holds
    the writer lock.
    Raises :class:`UnknownReleaseError` where there is no such release.
    """
    remove_leftovers(root)
    releases = list_releases(root)
    chosen = _choose(releases, quarter, build)
    newest = releases[0]
    file = root / ROLLBACK_FILE
    if chosen.identity == newest.identity:
        _end_rollback(root)
    else:
        said = Rollback(
            quarter=chosen.quarter,
            build=chosen.build,
            instead_of_quarter=newest.quarter,
            instead_of_digest=newest.content_digest,
            at=now.replace(microsecond=0, tzinfo=None),
            reason=reason,
        )
        written = root / f"{SCRATCH_PREFIX}{ROLLBACK_FILE}"
        written.write_text(said.model_dump_json(indent=2) + "\n")
        place(written, file)
    place_copy(chosen.path, root / PUBLISHED_FILE)
    return chosen


def read_rollback(root: Path) -> Rollback | None:
    """Return the rollback in force, or none.

    Raises :class:`PublishError` where its file cannot be read.
    """
    file = root / ROLLBACK_FILE
    try:
        return Rollback.model_validate(json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PublishError(
            f"{file} cannot be read, so it is not known which release is to be current. Take the "
            "file away, or run `csp rollback` again."
        ) from error


def _lifts(rollback: Rollback, new: PublishedRelease) -> bool:
    """Say whether a newly built release takes the place of what was rolled back to."""
    if new.quarter < rollback.instead_of_quarter:
        return False
    return new.content_digest != rollback.instead_of_digest


def _rolled_back_to(root: Path, rollback: Rollback | None) -> Path | None:
    if rollback is None:
        return None
    return next(
        (
            release.path
            for release in list_releases(root)
            if (release.quarter, release.build) == (rollback.quarter, rollback.build)
        ),
        None,
    )


def _choose(releases: list[PublishedRelease], quarter: date, build: str | None) -> PublishedRelease:
    of_quarter = [release for release in releases if release.quarter == quarter]
    if not of_quarter:
        known = ", ".join(dict.fromkeys(release.quarter.isoformat() for release in releases))
        raise UnknownReleaseError(
            f"{quarter_label(quarter)} has not been published. Published: {known or 'nothing'}."
        )
    if build is None:
        return of_quarter[0]
    for release in of_quarter:
        if release.build == build:
            return release
    raise UnknownReleaseError(
        f"{quarter_label(quarter)} has no build {build}. Its builds: "
        f"{', '.join(release.build for release in of_quarter)}."
    )


def _files(root: Path) -> list[Path]:
    """Return the readable standing releases, the latest quarter's first."""
    files = sorted(root.glob(f"*-*-*/{PUBLISHED_FILE}"), reverse=True)
    return [file for file in files if _readable(file)]


def _readable(path: Path, superseded: bool = False) -> PublishedRelease | None:
    try:
        return read_release(path, superseded=superseded)
    except ReleaseUnreadableError:
        return None

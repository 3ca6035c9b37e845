"""Backups of the restricted database: made, verified, restored, and used to repair a damaged file.

A backup is a copy of the file, byte for byte (so it is encrypted where the warehouse is), and a
manifest beside it with its checksum and the rows of every table. Whatever is replaced or found
damaged is kept aside, never deleted.
"""

import errno
import hashlib
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
from pydantic import BaseModel, ConfigDict, ValidationError

from orchestration import __version__
from orchestration.config.settings import Settings
from orchestration.errors import (
    BackupError,
    EncryptionError,
    WarehouseBusyError,
    WarehouseDamagedError,
    WarehouseUnreadableError,
)
from orchestration.warehouse.atomic_file import SCRATCH_PREFIX, remove_leftovers, sync
from orchestration.warehouse.checksum import sha256_of
from orchestration.warehouse.connection import (
    connect,
    damage_note,
    damaged,
    log_beside,
    no_warehouse,
    unwritable,
    warehouse_lock,
)
from orchestration.warehouse.purge_journal import PurgedDelivery
from orchestration.warehouse.purging import purged_again, reapply

REPAIRED = "Repaired: "
"""Start of the log message that says how a damaged warehouse was repaired."""

_PRIVATE = 0o600
"""A backup holds people's data: its owner alone reads it."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}
_STAMP = "%Y%m%dT%H%M%SZ"


class TableContent(BaseModel):
    """What a table held: its rows, and a digest of them that does not depend on their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    digest: str


class Manifest(BaseModel):
    """What a backup is: when it was made, by what, its checksum, and what it holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    made_at: datetime
    version: str
    engine: str
    bytes: int
    sha256: str
    tables: dict[str, TableContent]

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(table.rows for table in self.tables.values())


def manifest_path(backup: Path) -> Path:
    """Return where the manifest of ``backup`` lies: beside it."""
    return backup.with_name(f"{backup.name}.manifest.json")


# --- making ----------------------------------------------------------------------------------


def back_up(settings: Settings, file: Path | None, now: datetime) -> tuple[Path, Manifest]:
    """Copy the warehouse to ``file`` (or a new one under ``home/backups``) and verify the copy.

    Holds the writer's lock meanwhile. Raises :class:`BackupError` where the file exists already or
    the copy cannot be written or read back, :class:`WarehouseBusyError` where somebody is writing,
    :class:`WarehouseDamagedError` where the warehouse itself is.
    """
    target = file or settings.backups / f"warehouse-{now.strftime(_STAMP)}.duckdb"
    if target.exists():
        raise BackupError(f"{target} exists already. Name another file.")
    _refuse_lake(settings, "backed up")
    if not settings.warehouse.exists():
        raise no_warehouse(settings)
    with warehouse_lock(settings, "A backup", settings.lock_wait_seconds):
        clear_half_done(settings)
        _write_out(settings)
        new = target.with_name(f"{SCRATCH_PREFIX}{target.name}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            digest = _copy(settings.warehouse, new)
            manifest = _describe(settings, new, digest, now)
            # First: a backup without its manifest could not be restored.
            manifest_path(target).write_text(manifest.model_dump_json(indent=1) + "\n")
            sync(manifest_path(target))
            new.replace(target)
            sync(target.parent)
        except WarehouseDamagedError as error:
            # The copy is the warehouse byte for byte: so the warehouse is damaged as well.
            raise damaged(settings.warehouse, str(error.__cause__)) from error
        except OSError as error:
            raise BackupError(f"{target} cannot be written: {error.strerror}.") from error
        finally:
            new.unlink(missing_ok=True)
            if not target.exists():
                manifest_path(target).unlink(missing_ok=True)
    return target, manifest


def _refuse_lake(settings: Settings, what: str) -> None:
    """Refuse what is done with the file of a warehouse, and say what is done with a lake."""
    if settings.on_lake:
        raise BackupError(
            f"A lake is not {what} by csp: it is a PostgreSQL database and a folder of files. Use "
            "pg_dump and a copy of CSP_LAKE_DATA, in this order (docs/scale.md), or `csp migrate "
            "--to file`, which copies the lake into a warehouse file."
        )


def _write_out(settings: Settings) -> None:
    """Bring the write-ahead log into the file, so that the file alone is the whole."""
    with connect(settings) as connection:
        connection.execute("checkpoint")
    if log_beside(settings.warehouse).exists():
        raise BackupError(
            f"{settings.warehouse} could not be written out in full. Refresh, and back up again."
        )


def _copy(source: Path, target: Path) -> str:
    """Copy a file, synced and private; return the SHA-256 of what was read."""
    digest = hashlib.sha256()
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
    with source.open("rb") as reader, os.fdopen(handle, "wb") as writer:
        while block := reader.read(1 << 20):
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _describe(settings: Settings, copy: Path, digest: str, now: datetime) -> Manifest:
    if sha256_of(copy) != digest:
        raise BackupError(f"{copy.parent} does not give back what was written to it.")
    return Manifest(
        made_at=now,
        version=__version__,
        engine=duckdb.__version__,
        bytes=copy.stat().st_size,
        sha256=digest,
        tables=_contents(settings, copy),
    )


def _contents(settings: Settings, file: Path) -> dict[str, TableContent]:
    """Read every block of every table of ``file``; a damaged one raises."""
    with connect(settings, read_only=True, at=file) as connection:
        names = connection.execute(
            "select schema_name, table_name from duckdb_tables() where not internal "
            "and not temporary order by all"
        ).fetchall()
        contents = {}
        for schema, name in names:
            ((rows, digest),) = connection.execute(
                f"select count(*), coalesce(sum(hash(one)::hugeint), 0)::varchar "
                f'from "{schema}"."{name}" as one'
            ).fetchall()
            contents[f"{schema}.{name}"] = TableContent(rows=rows, digest=digest)
    return contents


def prune(settings: Settings, keep: int) -> list[Path]:
    """Delete all but the newest ``keep`` backups under ``home/backups``; return those deleted."""
    old = backups(settings)[keep:]
    for backup in old:
        backup.unlink()
        manifest_path(backup).unlink(missing_ok=True)
    return old


def backups(settings: Settings) -> list[Path]:
    """Return the backups that ``csp backup`` has made under ``home/backups``, newest first."""
    return sorted(settings.backups.glob("warehouse-*.duckdb"), reverse=True)


# --- restoring -------------------------------------------------------------------------------


class Restored(NamedTuple):
    """The manifest of a restored backup, the file that it replaced, and what it would have brought
    back: deliveries that had been purged, which were purged from it first."""

    manifest: Manifest
    aside: Path | None
    purged: tuple[PurgedDelivery, ...]


def restore(settings: Settings, file: Path, now: datetime) -> Restored:
    """Put the backup ``file`` in the warehouse's place.

    The backup is verified before and after it is copied: checksum, and the rows of every table.
    What was purged since it was made is purged from the copy before that is in place. The replaced
    file is kept beside it. Raises :class:`PurgeError` where that fails, :class:`BackupError` where
    the backup is not what its manifest says, and :class:`EncryptionError` where the key in use is
    not the one that it was made with; nothing has changed then.
    """
    _refuse_lake(settings, "restored")
    manifest = _read_manifest(file)
    with warehouse_lock(settings, "A restore", settings.lock_wait_seconds):
        clear_half_done(settings)
        new = _verified_copy(settings, file, manifest)
        try:
            purged = reapply(settings, new, _naive(now))
            aside = _replace(settings, new, "replaced", now)
        except OSError as error:
            raise BackupError(f"{file} cannot be restored: {error.strerror}.") from error
        finally:
            new.unlink(missing_ok=True)
    return Restored(manifest, aside, purged)


def _naive(now: datetime) -> datetime:
    """Return a moment of UTC as the tables have it: without a zone."""
    return now.replace(tzinfo=None)


def _read_manifest(file: Path) -> Manifest:
    if not file.is_file():
        raise BackupError(f"{file} is not a file. Check the path.")
    path = manifest_path(file)
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise BackupError(
            f"{path} is missing: without it nobody can tell whether {file.name} is whole. Copy it "
            "from where the backup was made."
        ) from error
    except (ValidationError, OSError) as error:
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise unwritable(path, error.strerror or str(error)) from error
        raise BackupError(f"{path} cannot be read as a backup's manifest.") from error


def _verified_copy(settings: Settings, file: Path, manifest: Manifest) -> Path:
    """Return a copy of the backup beside the warehouse, once it is what the manifest says."""
    settings.home.mkdir(parents=True, exist_ok=True)
    new = settings.home / f"{SCRATCH_PREFIX}restore.duckdb"
    try:
        digest = _copy(file, new)
        if digest != manifest.sha256:
            raise BackupError(
                f"{file} is not what was backed up: its checksum is {digest[:12]}, and its "
                f"manifest says {manifest.sha256[:12]}. Nothing has changed. Use another backup."
            )
        _compare(file, _contents(settings, new), manifest)
    except OSError as error:
        new.unlink(missing_ok=True)
        if error.errno in _NO_ROOM:
            # Says nothing about the backup: a repair must not give it up for that.
            raise unwritable(new, error.strerror or str(error)) from error
        raise BackupError(f"{file} cannot be restored: {error.strerror}.") from error
    except EncryptionError as error:
        new.unlink(missing_ok=True)
        raise EncryptionError(
            f"{file} does not open with the key in use. Nothing has changed. Set CSP_WAREHOUSE_KEY "
            f"to the key of the day when it was made, {manifest.made_at:%Y-%m-%d %H:%M} UTC (unset "
            "it if there was none), and try again."
        ) from error
    except (BackupError, WarehouseUnreadableError):
        new.unlink(missing_ok=True)
        raise
    return new


def _compare(file: Path, found: dict[str, TableContent], manifest: Manifest) -> None:
    # DuckDB's row digest may differ between its versions; counts never do.
    same_engine = manifest.engine == duckdb.__version__
    differing = [
        name
        for name in sorted(found.keys() | manifest.tables.keys())
        if _differ(found.get(name), manifest.tables.get(name), same_engine)
    ]
    if differing:
        raise BackupError(
            f"{file} does not hold what its manifest says: {', '.join(differing)}. Nothing has "
            "changed. Use another backup."
        )


def _differ(one: TableContent | None, other: TableContent | None, digests: bool) -> bool:
    if one is None or other is None:
        return True
    return one.rows != other.rows or (digests and one.digest != other.digest)


def _replace(settings: Settings, new: Path | None, why: str, now: datetime) -> Path | None:
    """Put ``new`` in the warehouse's place, or nothing; return where the old file is kept, if any.

    The old file gets its second name first and stays in place until it is replaced, so that there
    is never none. Its write-ahead log, if any, goes with it: beside another file it would spoil
    that. :func:`clear_half_done` undoes what was cut short.
    """
    standing = settings.warehouse
    aside = None
    if standing.exists():
        aside = standing.with_name(f"warehouse-{why}-{now.strftime(_STAMP)}.duckdb")
        aside.unlink(missing_ok=True)
        try:
            aside.hardlink_to(standing)
        except OSError:
            # Not every filesystem has hard links.
            _copy(standing, aside)
        if log_beside(standing).exists():
            log_beside(standing).replace(log_beside(aside))
    log_beside(standing).unlink(missing_ok=True)
    if new:
        new.replace(standing)
    else:
        standing.unlink(missing_ok=True)
    sync(settings.home)
    damage_note(standing).unlink(missing_ok=True)
    return aside


def clear_half_done(settings: Settings) -> None:
    """Remove what killed backups, restores and repairs left; the caller holds the writer's lock.

    Half-written copies go, manifests without a backup, and second names of a warehouse that was
    not replaced after all, which gets its write-ahead log back.
    """
    remove_leftovers(settings.home)
    remove_leftovers(settings.backups)
    for manifest in settings.backups.glob("warehouse-*.manifest.json"):
        if not manifest.with_name(manifest.name.removesuffix(".manifest.json")).exists():
            manifest.unlink(missing_ok=True)
    for aside in settings.home.glob("warehouse-*.duckdb"):
        if settings.warehouse.exists() and aside.samefile(settings.warehouse):
            if log_beside(aside).exists() and not log_beside(settings.warehouse).exists():
                log_beside(aside).replace(log_beside(settings.warehouse))
            aside.unlink()


# --- repair ----------------------------------------------------------------------------------


def repair(settings: Settings, say: Callable[[str], None], now: datetime) -> None:
    """Where the warehouse is damaged, set it aside and put the newest sound backup in its place.

    Without a backup there is no warehouse afterwards, and the load that follows rebuilds it from
    the landing zone. ``say`` receives a message on what was done. The caller holds the writer's
    lock. A lake is not repaired: its catalogue and files are restored by their own means. Raises
    :class:`StorageError` where there is no room, :class:`EncryptionError` where the
    backups have other keys than the one in use, and what opening the warehouse raises for any other
    reason.
    """
    clear_half_done(settings)
    what = None if settings.on_lake else _damage(settings)
    if what is None:
        return
    found = _newest_sound_copy(settings)
    purged = reapply(settings, found[0], _naive(now)) if found else ()
    aside = _replace(settings, found[0] if found else None, "damaged", now)
    if found:
        source = f"the backup {found[1]}"
    else:
        source = "the landing zone: there is no backup, so versions that are no longer there"
        source += " are lost"
    say(
        f"The warehouse was damaged ({what}). It was set aside as {aside}, and is rebuilt from "
        f"{source}. The published releases were not affected."
    )
    if purged:
        say(purged_again(purged))


def _damage(settings: Settings) -> str | None:
    """Say what is wrong with the warehouse file, or none where nothing is known to be."""
    if not settings.warehouse.exists():
        return None
    note = damage_note(settings.warehouse)
    if note.exists():
        return note.read_text() or "noted in an earlier run"
    try:
        with connect(settings):
            return None
    except WarehouseBusyError:
        # Open in another program: a step will say so, and wait where nobody watches.
        return None
    except WarehouseDamagedError:
        return note.read_text() if note.exists() else "it cannot be opened"


def _newest_sound_copy(settings: Settings) -> tuple[Path, Path] | None:
    """Return a copy of the newest backup that is whole and opens with the key in use, and which.

    None where there is no whole one. Raises :class:`EncryptionError` where only another key would
    open those that there are: what they hold is not given up for that.
    """
    locked: EncryptionError | None = None
    for backup in backups(settings):
        try:
            return _verified_copy(settings, backup, _read_manifest(backup)), backup
        except (BackupError, WarehouseUnreadableError):
            continue
        except EncryptionError as error:
            locked = locked or error
    if locked:
        raise locked
    return None


def summary(file: Path, manifest: Manifest) -> str:
    """Say in a line what a backup is."""
    return (
        f"{file}: {manifest.bytes:,} bytes, {len(manifest.tables)} tables, {manifest.rows:,} rows, "
        f"sha256 {manifest.sha256[:12]}, made {manifest.made_at:%Y-%m-%d %H:%M} UTC"
    )


def utc_now() -> datetime:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)

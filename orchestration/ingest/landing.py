"""The landing zone: which deliveries lie in it, and how a delivery is put there.

``raw/<source>/<quarter>/`` holds the files that a supplier handed over for one quarter, with a
receipt. Nothing here changes a delivered file.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatch
from pathlib import Path

from orchestration.errors import LandingError, QuarterError
from orchestration.ingest.contract import Contract
from orchestration.ingest.faults import readable
from orchestration.ingest.receipt import Receipt, delivered_files, unreadable
from orchestration.quarters import parse_quarter


@dataclass(frozen=True)
class LandedFile:
    """One file of a delivery; ``name`` is its path within the delivery's folder, as it is shown."""

    path: Path
    name: str
    bytes: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Delivery:
    """The files that one source handed over for one quarter."""

    source: str
    quarter: date
    folder: Path
    files: tuple[LandedFile, ...]
    receipt: Receipt | None

    @property
    def content_sha256(self) -> str:
        """Identity of the content: file names and times do not count."""
        digests = "\n".join(sorted(file.sha256 for file in self.files))
        return hashlib.sha256(digests.encode()).hexdigest()

    @property
    def nature(self) -> str:
        """``synthetic`` where the receipt says so, else ``real``."""
        return self.receipt.nature if self.receipt else "real"


@dataclass(frozen=True)
class Landed:
    """A delivery that was put into the landing zone, or lay there already with the same content."""

    delivery: Delivery
    unchanged: bool = False


Known = Mapping[tuple[str, int, int], str]
"""Checksums already known, by (file name, bytes, time of change)."""


def quarters_landed(raw: Path, contract: Contract) -> list[date]:
    """Return the quarters for which the landing zone has a folder of this source, oldest first.

    Raises :class:`LandingError` for a folder that is not named after a quarter.
    """
    quarters = []
    for folder in _folders(raw / contract.source):
        if folder.name.startswith("."):
            continue
        try:
            quarters.append(parse_quarter(folder.name))
        except QuarterError as error:
            raise LandingError(
                f"{folder}: a delivery's folder is named after its quarter. {error}"
            ) from error
    return quarters


def _folders(root: Path) -> list[Path]:
    """Return the folders directly under ``root``; none where it is missing.

    One that may not be read is not an empty one: what has landed would be left out unnoticed.
    """
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(error) from error


def read_delivery(
    raw: Path, contract: Contract, quarter: date, known: Known | None = None
) -> Delivery | None:
    """Return what lies in the landing zone for one source and quarter, or None where nothing does.

    A file is hashed unless ``known`` has its checksum. Raises :class:`LandingError` where a file
    cannot be read.
    """
    folder = raw / contract.source / quarter.isoformat()
    try:
        files = _landed_files(folder, known or {})
    except OSError as error:
        raise unreadable(error) from error
    if not files:
        return None
    return Delivery(contract.source, quarter, folder, files, Receipt.read(folder))


def _landed_files(folder: Path, known: Known) -> tuple[LandedFile, ...]:
    if not folder.is_dir():
        return ()
    with ThreadPoolExecutor() as pool:
        landed = pool.map(
            lambda file: landed_file(file[1], file[0], known), delivered_files(folder)
        )
        return tuple(landed)


def landed_file(path: Path, name: str, known: Known) -> LandedFile:
    """Return a file with its size and checksum. Raises OSError where it cannot be read."""
    stat = path.stat()
    name = readable(name)
    digest = known.get((name, stat.st_size, stat.st_mtime_ns)) or sha256_of(path)
    return LandedFile(path, name, stat.st_size, stat.st_mtime_ns, digest)


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def fits_pattern(contract: Contract, name: str) -> bool:
    """Say whether a file name is of a kind that the contract reads."""
    return any(fnmatch(name.lower(), pattern) for pattern in contract.file_pattern)


def land(
    raw: Path, contract: Contract, quarter: date, paths: Sequence[Path], receipt: Receipt
) -> Landed:
    """Copy a delivery into the landing zone, with its receipt, as the next version.

    The folder is built beside its place and swapped in, so that a refresh never meets half of it;
    an earlier version moves to ``.superseded`` beside it. Landing the same bytes again changes
    nothing. Raises :class:`LandingError` where a file is missing, unreadable, of a kind that the
    source does not deliver, or named twice.
    """
    _check_landable(contract, paths)
    target = raw / contract.source / quarter.isoformat()
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".landing-", dir=target.parent))
    try:
        for path in paths:
            shutil.copy2(path, scratch / path.name)
        receipt.with_files(scratch).write(scratch)
        scratch.chmod(0o755)
        before = read_delivery(raw, contract, quarter)
        if before and before.content_sha256 == _content_of(scratch, contract, quarter):
            return Landed(before, unchanged=True)
        if before:
            _supersede(before)
        scratch.replace(target)
    except OSError as error:
        raise LandingError(f"{error.filename}: {error.strerror}. Nothing was landed.") from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return Landed(
        Delivery(contract.source, quarter, target, _landed_files(target, {}), Receipt.read(target))
    )


def _content_of(folder: Path, contract: Contract, quarter: date) -> str:
    files = _landed_files(folder, {})
    return Delivery(contract.source, quarter, folder, files, None).content_sha256


def _supersede(delivery: Delivery) -> None:
    kept = delivery.folder.parent / ".superseded"
    kept.mkdir(exist_ok=True)
    name = f"{delivery.quarter.isoformat()}-{delivery.content_sha256[:12]}"
    if (kept / name).exists():
        shutil.rmtree(kept / name)
    delivery.folder.replace(kept / name)


def _check_landable(contract: Contract, paths: Sequence[Path]) -> None:
    names = [path.name for path in paths]
    if not names:
        raise LandingError("Name at least one file to land.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LandingError(f"Two files are called {', '.join(twice)}. Rename one of them.")
    for path in paths:
        if not path.is_file():
            raise LandingError(f"{readable(str(path))} is not a file. Check the path.")
        if not path.name.isprintable():
            raise LandingError(
                f"{readable(path.name)}: the name holds a character that cannot be shown. "
                "Rename it."
            )
        if not fits_pattern(contract, path.name):
            kinds = ", ".join(contract.file_pattern)
            raise LandingError(
                f"{path.name} is not of a kind that {contract.source} delivers ({kinds})."
            )


def refuse_moved(files: Iterable[LandedFile]) -> None:
    """Raise :class:`LandingError` for a file that is no longer as it was when it was hashed.

    It was written to, or taken away, while it was being read: what was read of it is neither the
    old delivery nor the new one.
    """
    for file in files:
        try:
            stat = file.path.stat()
            same = (stat.st_size, stat.st_mtime_ns) == (file.bytes, file.mtime_ns)
        except FileNotFoundError:
            same = False
        if not same:
            raise LandingError(
                f"{file.path} changed while it was being read: it is still being written. Nothing "
                "of its delivery was loaded. Refresh again when it has been delivered in full."
            )


def known_checksums(rows: Sequence[tuple[str, int, int, str]]) -> Known:
    """Index (file name, bytes, time of change, checksum) rows for :func:`read_delivery`."""
    return {(name, size, mtime): digest for name, size, mtime, digest in rows}


def received_at(delivery: Delivery) -> datetime | None:
    """When the delivery was received, where its receipt says so."""
    return delivery.receipt.received_at if delivery.receipt else None

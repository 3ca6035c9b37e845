"""The landing zone: which deliveries lie in it, with their files.

``raw/<source>/<quarter>/`` holds the files that a supplier handed over for one quarter, with a
receipt. Nothing here changes a delivered file; ``handover`` puts deliveries there.
"""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple, Self

from orchestration.config.quarters import parse_quarter
from orchestration.errors import LandingError, QuarterError, readable
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.checking.shown_texts import shown_path
from orchestration.ingest.landing.folder_entries import refuse_special, unreadable
from orchestration.ingest.landing.receipt import (
    RECEIPT_NAME,
    Receipt,
    ReceiptError,
    delivered_files,
    odd_entries,
)
from orchestration.warehouse.checksum import sha256_of

NO_QUARTER = date(2000, 1, 1)
"""Quarter of a delivery that is only checked: nobody has said yet for which quarter it is."""


class FileState(NamedTuple):
    """What the file system says of a file, by its name in the delivery.

    Size and time of modification are not enough: a copying program gives a corrected file the
    time that it likes. ``ctime_ns``, the time at which the file was put there or last written to,
    is the system's own, and ``inode`` changes where another file takes the name.
    """

    name: str
    bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, path: Path, name: str) -> Self:
        """Return the state of the file at ``path``. Raises OSError where it is no regular file."""
        stat = path.stat()
        refuse_special(path, stat.st_mode)
        return cls(name, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


@dataclass(frozen=True)
class LandedFile:
    """One file of a delivery; ``name`` is its path within the delivery's folder, as it is shown."""

    path: Path
    state: FileState
    sha256: str

    @property
    def name(self) -> str:
        """Path of the file within the delivery's folder."""
        return self.state.name

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return self.state.bytes


@dataclass(frozen=True)
class Delivery:
    """The files that one source handed over for one quarter."""

    source: str
    quarter: date
    folder: Path
    files: tuple[LandedFile, ...]
    receipt: Receipt | None
    faults: tuple[Fault, ...] = ()
    """Why none of its files is used, whatever it holds: the receipt, or what is not a file."""

    @property
    def content_sha256(self) -> str:
        """Identity of the content: file names and times do not count.

        What the receipt claims that the delivery covers does: the same bytes can say more then.
        So does what is wrong with the folder, and which files the receipt does not fit: it is
        another delivery once that is corrected.
        """
        digests = "\n".join(sorted(file.sha256 for file in self.files))
        if self.receipt and self.receipt.covers:
            digests += f"\ncovers {self.receipt.covers}"
        for fault in self.faults:
            digests += f"\nwrong {fault}"
        for name in self.unlike_receipt:
            digests += f"\nnot as receipted {name}"
        return hashlib.sha256(digests.encode()).hexdigest()

    @property
    def unlike_receipt(self) -> list[str]:
        """Names of files that are not as the receipt lists them; none where there is no receipt."""
        if self.receipt is None:
            return []
        listed = {file.name: file.sha256 for file in self.receipt.files}
        landed = {file.name: file.sha256 for file in self.files}
        return [
            name
            for name in sorted(listed.keys() | landed.keys())
            if listed.get(name) != landed.get(name)
        ]

    @property
    def nature(self) -> str:
        """``synthetic`` where the receipt says so, else ``real``."""
        return self.receipt.nature if self.receipt else "real"


Known = Mapping[FileState, str]
"""Checksums already known, by the state that the file had when it was hashed."""


def quarters_landed(raw: Path, contract: Contract) -> list[date]:
    """Return the quarters for which the landing zone has a folder of this source, oldest first.

    Raises :class:`LandingError` for a folder that is not named after a quarter, and where the
    source's own folder is a link that leads out of the landing zone.
    """
    quarters = []
    root = raw / contract.source
    if root.is_symlink() and not root.resolve().is_relative_to(raw.resolve()):
        raise LandingError(
            f"{root} is a link that leads out of the landing zone. Put the folder itself there."
        )
    for folder in _folders(root):
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

    Links, pipes and devices are among them: the look into the delivery refuses them.
    One that may not be read is not an empty one: what has landed would be left out unnoticed.
    """
    try:
        return sorted(path for path in root.iterdir() if path.is_symlink() or not path.is_file())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(error) from error


def read_delivery(
    raw: Path,
    contract: Contract,
    quarter: date,
    known: Known | None = None,
) -> Delivery | None:
    """Return what lies in the landing zone for one source and quarter, or None where nothing does.

    A file is hashed unless ``known`` has its checksum and the receipt does not contradict it.
    A receipt that is none, or of another delivery, and whatever is not a file are ``faults`` of the
    delivery. Raises :class:`LandingError` where a file cannot be read.
    """
    folder = raw / contract.source / quarter.isoformat()
    faults = [_odd(name, kind) for name, kind in odd_entries(folder)]
    receipt = None
    if folder.is_dir() and not folder.is_symlink():
        try:
            receipt = Receipt.read(folder)
        except ReceiptError as error:
            faults.append(_receipt_fault(str(error)))
    if receipt and (receipt.source, receipt.quarter) != (contract.source, quarter):
        faults.append(_receipt_fault("The receipt is of another source or quarter."))
        receipt = None
    try:
        files = _landed_files(folder, known or {}, receipt)
    except OSError as error:
        raise unreadable(error) from error
    if not files and not faults:
        return None
    return Delivery(contract.source, quarter, folder, files, receipt, tuple(faults))


def _odd(name: str, kind: str) -> Fault:
    return Fault(
        "is a plain file",
        f"It is {kind}. Nothing of the delivery is read. Put the file itself there, or take it "
        "away.",
        file=readable(name),
    )


def _receipt_fault(message: str) -> Fault:
    return Fault("matches its receipt", message, file=RECEIPT_NAME)


def _landed_files(
    folder: Path, known: Known, receipt: Receipt | None = None
) -> tuple[LandedFile, ...]:
    receipted = {file.name: file.sha256 for file in receipt.files} if receipt else {}

    def look(file: tuple[str, Path]) -> LandedFile:
        return landed_file(file[1], file[0], known, receipted.get(file[0]))

    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(look, delivered_files(folder)))


def landed_file(path: Path, name: str, known: Known, receipted: str | None = None) -> LandedFile:
    """Return a file with its size and checksum; ``receipted`` is the one on its receipt, if any.

    A checksum that is known is taken as long as the file's state is the same and the receipt does
    not say otherwise. Raises OSError where the file cannot be read.
    """
    state = FileState.of(path, readable(name))
    digest = known.get(state)
    if digest is None or digest != (receipted or digest):
        digest = sha256_of(path)
    return LandedFile(path, state, digest)


def fits_pattern(contract: Contract, name: str) -> bool:
    """Say whether a file name is of a kind that the contract reads."""
    return any(fnmatch(name.lower(), pattern) for pattern in contract.file_pattern)


def is_archive(name: str) -> bool:
    """Say whether a file is an archive, of which every source reads its own files."""
    return name.lower().endswith((".zip", ".gz"))


def refuse_moved(files: Iterable[LandedFile]) -> None:
    """Raise :class:`LandingError` for a file that is no longer as it was when it was hashed.

    It was written to, or taken away, while it was being read: what was read of it is neither the
    old delivery nor the new one.
    """
    for file in files:
        try:
            same = FileState.of(file.path, file.name) == file.state
        except FileNotFoundError:
            same = False
        if not same:
            raise LandingError(
                f"{shown_path(file.path)} changed while it was being read: it is still being "
                "written. Nothing of its delivery was loaded. Refresh again when it has been "
                "delivered in full."
            )


def quarter_of(delivery: Delivery) -> date | None:
    """Return the quarter of a delivery; none of one that is only checked."""
    return None if delivery.quarter == NO_QUARTER else delivery.quarter


def received_at(delivery: Delivery) -> datetime | None:
    """When the delivery was received, where its receipt says so."""
    return delivery.receipt.received_at if delivery.receipt else None

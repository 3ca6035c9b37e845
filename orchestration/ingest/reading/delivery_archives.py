"""Deliveries as they were downloaded: chooses the files to read, and unpacks archives.

An archive stays in the landing zone as it is. Its files are unpacked into a temporary folder and
read from there under their names within the archive. Files that no source reads (of the operating
system, other extracts of the same download) are left out and named.
"""

import errno
import gzip
import os
import shutil
import struct
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path, PurePosixPath
from typing import Protocol

import duckdb

from orchestration.errors import CspError, LandingError, readable
from orchestration.ingest.checking.contract import Beside, Contract
from orchestration.ingest.checking.faults import Fault, SubmissionError, given
from orchestration.ingest.checking.headings import known_headings
from orchestration.ingest.landing.delivery_discovery import FileLoad, Pending
from orchestration.ingest.landing.landing_zone import (
    FileState,
    LandedFile,
    fits_pattern,
    is_archive,
)
from orchestration.ingest.landing.receipt import is_system_file
from orchestration.ingest.reading.csv_integrity import read_header

_SCRATCH = ".unpacked-"
_MOST_BYTES = 4 << 30
_MOST_MEMBERS = 10_000
_DEEPEST = 2
_END_RECORD, _LARGER_LOCATOR, _LARGER_RECORD = 22, 20, 56
_END_SIGN, _LARGER_SIGN = b"PK\x05\x06", b"PK\x06\x07"
_LONGEST_END = (1 << 16) + _END_RECORD + _LARGER_LOCATOR + _LARGER_RECORD
_LARGEST_DIRECTORY = 16 << 20
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
_CHUNK = 1 << 20
_SHOWN = 3
_ENCRYPTED = 1
_DOCUMENTS = (".txt", ".md", ".pdf", ".doc", ".docx", ".rtf", ".htm", ".html", ".url", ".xml")
"""Endings of what publishers put beside their data."""

_SYSTEM = "the operating system"
_DOCUMENT = "documentation"


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


@contextmanager
def opened(
    connection: duckdb.DuckDBPyConnection, contract: Contract, pending: Sequence[Pending]
) -> Iterator[Path]:
    """Replace the files of deliveries by those that are to be read, while the block runs.

    Yields a folder for what is made of them until they are loaded. Notes in each delivery what is
    left out, and why it cannot be used where nothing is to be read or an archive cannot be
    unpacked. Raises :class:`LandingError` where there is no room to unpack.
    """
    numbers = count(1 + max((load.file_id for one in pending for load in one.files), default=0))
    with _scratch(connection) as folder:
        for one in pending:
            _open(contract, one, _Unpacked(folder), numbers)
        yield folder


@contextmanager
def _scratch(connection: duckdb.DuckDBPyConnection) -> Iterator[Path]:
    """Make a folder to unpack into, and take it away afterwards.

    It lies beside the warehouse, whose one writer also clears what a killed load left of it.
    Beside a database in memory it lies where that one spills to disk.
    """
    ((place, spill),) = connection.execute(
        "select max(path), current_setting('temp_directory') from duckdb_databases() "
        "where database_name = current_database()"
    ).fetchall()
    spilled = Path(spill) if Path(spill).is_absolute() and Path(spill).is_dir() else None
    home = Path(place).parent if place else spilled
    for left in home.glob(f"{_SCRATCH}*") if home else ():
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=home) as folder:
        yield Path(folder)


@dataclass
class _Unpacked:
    """What one delivery's archives hold, as far as it was unpacked; and how much that was."""

    folder: Path
    bytes: int = 0
    members: int = 0
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def place(self) -> Path:
        """Return a path to unpack the next file to: never one that an archive names."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / "file"

    def add(self, file: LandedFile, held: int) -> None:
        """Count what is unpacked. Raises :class:`SubmissionError` beyond what any delivery is."""
        self.bytes += held
        if self.bytes > _MOST_BYTES or self.members > _MOST_MEMBERS:
            raise _refusal(
                file,
                "is of a reasonable size",
                f"Unpacked, it would hold more than {_MOST_BYTES >> 30} gigabytes or "
                f"{_MOST_MEMBERS:,} files. Send the files of the delivery alone.",
            )


def _open(contract: Contract, pending: Pending, unpacked: _Unpacked, numbers: "count[int]") -> None:
    loads: list[FileLoad] = []
    for load in pending.files:
        if not is_archive(load.file.name):
            kind = _left_out(contract, load.file)
            if kind:
                unpacked.left_out[kind].append(load.file.name)
            else:
                loads.append(load)
            continue
        try:
            files = list(_members(contract, load.file, unpacked))
        except SubmissionError as error:
            pending.unusable += error.faults
            loads.append(load)
            continue
        loads += [FileLoad(file, next(numbers)) for file in files]
    pending.warnings += [_said(contract, kind, names) for kind, names in unpacked.left_out.items()]
    if loads:
        pending.files = loads
    elif not pending.unusable:
        pending.unusable.append(_nothing_to_read(contract, pending))


# --- what is left out ------------------------------------------------------------------------


def _left_out(contract: Contract, file: LandedFile) -> str | None:
    """Return what kind of file that no source reads it is, or None where it is to be read."""
    if is_system_file(file.name):
        return _SYSTEM
    if not contract.beside or not fits_pattern(contract, file.name):
        return None
    beside = beside_of(contract, file)
    return beside.kind if beside else None


def beside_of(contract: Contract, file: LandedFile) -> Beside | None:
    """Return the kind of file beside the source's own that a file is of, if it is of one.

    Its headings say it first, and its name where it has none of either.
    """
    # A reader of its own takes several layouts: which headings it needs is not in the contract.
    own = {} if contract.layout == "reader" else contract.by_header
    wanted = {*own, *(heading for beside in contract.beside for heading in beside.headings)}
    header = set(known_headings(_header(file), wanted))
    if own and header >= own.keys():
        return None
    for beside in contract.beside:
        if header >= set(beside.headings) or (not header & own.keys() and beside.fits(file.name)):
            return beside
    return None


def _header(file: LandedFile) -> tuple[str, ...]:
    try:
        return read_header(file)
    except SubmissionError:  # which the reading of its rows raises again
        return ()


def _said(contract: Contract, kind: str, names: Sequence[str]) -> Fault:
    files = f"{len(names):,} files" if len(names) > 1 else "1 file"
    are = "are" if len(names) > 1 else "is"
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    reader = next((one.source for one in contract.beside if one.kind == kind), None)
    why = "" if kind in (_SYSTEM, _DOCUMENT) else ": no source reads them yet"
    if reader:
        why = f": {reader} reads them, and `csp land {reader}` lands them"
    return Fault(
        "is read by a source",
        f"{files} of {kind} {are} left out{why} ({', '.join(map(given, names[:_SHOWN]))}{more}).",
        file=names[0],
        severity="warning",
    )


def _nothing_to_read(contract: Contract, pending: Pending) -> Fault:
    return Fault(
        "has a file to read",
        f"No file of the delivery is one that {contract.source} reads "
        f"({', '.join(contract.file_pattern)}).",
        file=pending.files[0].file.name if pending.files else None,
    )


# --- archives --------------------------------------------------------------------------------


def _members(
    contract: Contract, archive: LandedFile, unpacked: _Unpacked, depth: int = 1
) -> Iterator[LandedFile]:
    """Unpack an archive; yield its files that are to be read, named within it.

    Raises :class:`SubmissionError` where it is damaged, locked or too large, or holds data that
    the source does not read, or nothing that it reads.
    """
    found = 0
    try:
        for member in _unpack(archive, unpacked):
            for file in _readable(contract, member, unpacked, depth):
                found += 1
                yield file
    except (CspError, SubmissionError, MemoryError):
        raise
    except Exception as error:
        # A place in the archive that is none is an invalid argument to the system.
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise LandingError(f"{archive.path} cannot be unpacked ({error.strerror}).") from error
        raise _refusal(
            archive,
            "can be opened",
            "The archive is damaged, or packed in a way that cannot be read. Pack it again as a "
            "plain zip archive.",
        ) from error
    if not found and depth == 1:
        kinds = ", ".join(contract.file_pattern)
        raise _refusal(
            archive,
            "has a file to read",
            f"The archive holds no file that {contract.source} reads ({kinds}).",
        )


def _readable(
    contract: Contract, member: LandedFile, unpacked: _Unpacked, depth: int
) -> Iterator[LandedFile]:
    kind = _left_out(contract, member)
    if kind is None and is_archive(member.name) and depth < _DEEPEST:
        yield from _members(contract, member, unpacked, depth + 1)
        return
    if kind is None and not fits_pattern(contract, member.name):
        if not member.name.lower().endswith(_DOCUMENTS):
            raise _refusal(
                member,
                "is of the agreed kind",
                f"{contract.source} reads {', '.join(contract.file_pattern)}. Take this file out "
                "of the archive, or send it in the agreed kind.",
            )
        kind = _DOCUMENT
    if kind:
        unpacked.left_out[kind].append(member.name)
    else:
        yield member


def _unpack(archive: LandedFile, unpacked: _Unpacked) -> Iterator[LandedFile]:
    if archive.name.lower().endswith(".gz"):
        inner = PurePosixPath(archive.name).name[: -len(".gz")]
        with gzip.open(archive.path) as packed:
            yield _copied(archive, inner, packed, unpacked)
        return
    _refuse_vast_directory(archive)
    with zipfile.ZipFile(archive.path) as packed_files:
        _refuse_workbook(archive, packed_files)
        for member in packed_files.infolist():
            unpacked.members += 1
            if member.is_dir():
                continue
            if member.compress_type not in _METHODS:
                raise NotImplementedError("packed by a method that may take gigabytes of memory")
            if member.flag_bits & _ENCRYPTED:
                raise _refusal(
                    archive, "is not locked",
                    "The archive is protected by a password. Send it without one.",
                )  # fmt: skip
            with packed_files.open(member) as packed:
                yield _copied(archive, member.filename, packed, unpacked)


def _refuse_vast_directory(archive: LandedFile) -> None:
    """Refuse an archive whose list of members does not fit into memory: it is read as a whole."""
    if _directory_bytes(archive.path) > _LARGEST_DIRECTORY:
        raise _refusal(
            archive,
            "is of a reasonable size",
            f"It lists more than {_MOST_MEMBERS:,} files. Send the files of the delivery alone.",
        )


def _directory_bytes(path: Path) -> int:
    """Return how many bytes the list of members takes, as ``zipfile`` will find it; 0 if nowhere.

    The record at an archive's end gives it, and where that is of the larger kind, the one before.
    """
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LONGEST_END))
        end = file.read()
    last = len(end) - _END_RECORD
    plain = last >= 0 and end.startswith(_END_SIGN, last) and end.endswith(b"\0\0")
    start = last if plain else end.rfind(_END_SIGN)
    if not 0 <= start <= last:
        return 0
    larger = start - _LARGER_LOCATOR - _LARGER_RECORD
    if larger >= 0 and end.startswith(_LARGER_SIGN, start - _LARGER_LOCATOR):
        return int(struct.unpack_from("<Q", end, larger + 40)[0])
    return int(struct.unpack_from("<L", end, start + 12)[0])


def _refuse_workbook(archive: LandedFile, packed: zipfile.ZipFile) -> None:
    if {"[Content_Types].xml", "content.xml"} & set(packed.namelist()):
        raise _refusal(
            archive,
            "is of the agreed kind",
            "The file is a workbook by the name of an archive. Give it its own ending (.xlsx or "
            ".ods).",
        )


def _copied(archive: LandedFile, name: str, packed: _Stream, unpacked: _Unpacked) -> LandedFile:
    """Unpack one file; its checksum is that of the archive, which is what was delivered."""
    place = unpacked.place()
    with place.open("wb") as copy:
        while chunk := packed.read(_CHUNK):
            unpacked.add(archive, len(chunk))
            copy.write(chunk)
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    shown = readable("/".join([archive.name, *parts]))
    return LandedFile(place, FileState.of(place, shown), archive.sha256)


def _refusal(file: LandedFile, rule: str, message: str) -> SubmissionError:
    return SubmissionError(Fault(rule, message, file=file.name))

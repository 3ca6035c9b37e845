"""The receipt of a delivery: what a supplier handed over, when, and whether it is real.

Each delivery folder of the landing zone (`raw/<source>/<quarter>/`) holds a `delivery.json` with
the checksum of every file. Here belong the receipt's shape, its reading and its writing, and the
sample deliveries that are made in memory. Landing, checking and loading belong elsewhere.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from orchestration.errors import LandingError, readable
from orchestration.ingest.landing.folder_entries import entries, read_regular

RECEIPT_NAME = "delivery.json"
UNFINISHED = (".part", ".partial", ".filepart", ".crdownload", ".tmp", ".temp", ".uploading")
"""Endings that file transfer programs give to a file until it is whole."""

_SYSTEM_FILES = ("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r")
_SYSTEM_FOLDERS = ("__macosx", "$recycle.bin", "system volume information")

_MOST_BYTES = 64 << 20
"""Size that the receipt of no delivery comes near."""

Nature = Literal["real", "synthetic"]


class ReceiptError(LandingError):
    """A receipt that cannot be read; the message names the file and says what to do."""


class ReceiptFile(BaseModel):
    """One delivered file: path within its folder, size in bytes, SHA-256 in lower-case hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")

    @classmethod
    def of(cls, path: Path, name: str) -> Self:
        """Return the entry for the file at `path`. Raises OSError where it cannot be read."""
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        return cls(name=name, bytes=path.stat().st_size, sha256=digest)


class Covers(BaseModel):
    """The days that a delivery claims to cover, both included: ``from`` and ``to`` on its receipt.

    Raises ValidationError where ``to`` comes before ``from``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    first: date = Field(alias="from")
    last: date = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"{self.last} comes before {self.first}")
        return self

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


class FetchedFile(BaseModel):
    """Where a file of the delivery was fetched from its publisher, and in which version.

    ``publisher_checksum`` is one that the publisher states, with its kind (``md5:…``).
    ``fetched_at`` has its time zone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    url: str
    member: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    publisher_checksum: str | None = None
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    fetched_at: AwareDatetime
    licence: str


class Receipt(BaseModel):
    """What one source handed over for one quarter.

    `quarter` is the first day of a UK financial quarter; `received_at` is local time without a
    zone; `nature` says whether the figures are real or synthetic; `files` are sorted by name;
    `covers`, where it is given, is what the delivery claims to cover, whatever occurs in its rows;
    `fetched` has the origin of the files that were fetched and not handed over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(min_length=1)
    quarter: date
    received_at: datetime
    nature: Nature
    note: str
    files: tuple[ReceiptFile, ...] = ()
    covers: Covers | None = None
    fetched: tuple[FetchedFile, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """Return the receipt in `folder`, or None where there is none.

        Raises ReceiptError where something is there that is not a receipt: a file that says
        something else, or is far too large, a link, a pipe.
        """
        path = folder / RECEIPT_NAME
        try:
            return cls.model_validate_json(read_regular(path, _MOST_BYTES))
        except FileNotFoundError:
            return None
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            known = fault["type"] != "extra_forbidden"  # whose name may be anything
            place = ".".join(str(part) for part in fault["loc"] if known) or "file"
            raise ReceiptError(
                _unreadable(path, f"{readable(place)}: {readable(fault['msg'])}")
            ) from error
        except OSError as error:
            raise ReceiptError(_unreadable(path, error.strerror or str(error))) from error

    def with_files(self, folder: Path) -> Self:
        """Return the receipt with the files that now lie in `folder`, by name.

        Raises OSError where a file cannot be read.
        """
        files = _entries(folder)
        sums = {(file.name, file.sha256) for file in files}
        fetched = tuple(one for one in self.fetched if (one.name, one.sha256) in sums)
        return self.model_copy(update={"files": files, "fetched": fetched})

    def write(self, folder: Path) -> Path:
        """Write the receipt into `folder` (files sorted by name) and return its path."""
        content = self.model_dump(mode="json", by_alias=True, exclude_none=True)
        content["files"] = sorted(content["files"], key=lambda file: str(file["name"]))
        if not self.fetched:
            del content["fetched"]
        path = folder / RECEIPT_NAME
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        return path

    def differences(self, folder: Path) -> tuple[str, ...]:
        """Say in plain words how the files in `folder` differ from the receipt; empty if not."""
        receipted = {file.name: file for file in self.files}
        found = {file.name: file for file in _entries(folder)}
        missing = [
            f"{name}: on the receipt but not in the folder"
            for name in receipted.keys() - found.keys()
        ]
        extra = [
            f"{name}: in the folder but not on the receipt"
            for name in found.keys() - receipted.keys()
        ]
        changed = [
            f"{name}: its bytes differ from the receipt's checksum"
            for name in receipted.keys() & found.keys()
            if receipted[name] != found[name]
        ]
        return tuple(sorted(missing + extra + changed))


@dataclass(frozen=True)
class SampleDelivery:
    """A made delivery in memory: the receipt's fields and each file's content by name."""

    source: str
    quarter: date
    received_at: datetime
    nature: Nature
    note: str
    files: Mapping[str, bytes]

    def write(self, landing: Path) -> Path:
        """Write files and receipt to `<landing>/<source>/<quarter>/` and return that folder.

        Files of the same names are replaced. Raises FileExistsError where the folder holds any
        other file, since that is a supplier's delivery and is never edited.
        """
        folder = landing / self.source / self.quarter.isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        strangers = [name for name, _ in delivered_files(folder) if name not in self.files]
        if strangers:
            raise FileExistsError(
                f"{folder} holds files of another delivery ({', '.join(strangers)}); "
                "write to an empty folder or move them away first"
            )
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        receipt = Receipt(
            source=self.source,
            quarter=self.quarter,
            received_at=self.received_at,
            nature=self.nature,
            note=self.note,
        )
        receipt.with_files(folder).write(folder)
        return folder


def _entries(folder: Path) -> tuple[ReceiptFile, ...]:
    return tuple(ReceiptFile.of(path, name) for name, path in delivered_files(folder))


def is_system_file(name: str) -> bool:
    """Say whether a file was made by an operating system or program, not by a supplier.

    ``name`` is its path within the delivery. Hidden and lock files (``.…``, ``~$…``) are such too.
    """
    parts = [part.lower() for part in name.split("/")]
    return (
        any(_is_hidden(part) or part in _SYSTEM_FOLDERS for part in parts)
        or parts[-1] in _SYSTEM_FILES
    )


def _is_hidden(part: str) -> bool:
    return part.startswith((".", "~$")) and not part.startswith("..")


def system_files(folder: Path) -> list[str]:
    """Return the names of the files in a delivery's folder that are seen and are no supplier's."""
    return [name for name in _names(folder) if is_system_file(name) and not name.startswith(".")]


def _names(folder: Path) -> list[str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def delivered_files(folder: Path, *, unfinished: bool = False) -> list[tuple[str, Path]]:
    """Return name and path of each delivered file.

    Receipt, hidden, lock and system files are not any, nor (unless asked for) are files that carry
    the name of an unfinished transfer, nor is what :func:`odd_entries` returns. Raises LandingError
    where a folder cannot be read: it is not an empty one.
    """
    files = []
    for entry in entries(folder):
        partial = entry.name.lower().endswith(UNFINISHED) and not unfinished
        receipt = entry.path.name == RECEIPT_NAME
        if not (entry.odd or receipt or partial or is_system_file(entry.name)):
            files.append((entry.name, entry.path))
    return sorted(files)


def odd_entries(folder: Path) -> list[tuple[str, str]]:
    """Return name and kind of what lies among the delivered files and is not a file.

    The receipt is looked at where it is read.
    """
    return sorted(
        (entry.name, entry.odd)
        for entry in entries(folder)
        if entry.odd and entry.name != RECEIPT_NAME and not is_system_file(entry.name)
    )


def unfinished_files(folder: Path) -> list[str]:
    """Return the names of the files that are still being transferred into ``folder``."""
    files = delivered_files(folder, unfinished=True)
    return [name for name, _ in files if name.lower().endswith(UNFINISHED)]


def _unreadable(path: Path, fault: str) -> str:
    return (
        f"{path}: the receipt cannot be read ({fault}). "
        "Land the whole delivery again with `csp land --whole`, or restore the file from its last "
        "good copy."
    )

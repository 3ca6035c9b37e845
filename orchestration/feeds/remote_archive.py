"""Reads single files out of a zip archive at a publisher, without fetching the whole of it.

The list at the end of the archive says where each file begins. The parts are of one version of the
archive: one that changes while it is read is noticed and never mixed with another.
"""

import io
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from orchestration.feeds.client import Answer, Client, Head
from orchestration.feeds.download import Span, download
from orchestration.feeds.errors import (
    ArchiveError,
    ChangedMeanwhileError,
    FeedError,
    RangesIgnoredError,
    TooLargeError,
    WrongKindError,
    shown_address,
)

_TAIL = 1 << 16
"""Bytes of the end that are read first: they hold the end record, and the list if it is short."""

_MOST_LISTED = 64 << 20
"""Most bytes of a list of files; that of 36 months of all forces has half a megabyte."""

_CHUNK = 1 << 20
_LATER = "Run the command again later."
_REPORT = "Report it to the publisher; the previous version stays in force."
_NO_RANGES = "Download the archive with a browser and put it into the folder of CSP_FEED_MIRROR."


@dataclass(frozen=True)
class Member:
    """A file in the archive: its name there, size, checksum (CRC-32) and place."""

    name: str
    size: int
    crc: int
    first: int
    end: int

    @property
    def mark(self) -> str:
        """What changes where the file changes."""
        return f"{self.crc:08x}-{self.size}"


@dataclass
class RemoteArchive:
    """An archive at ``address``, of the version that ``head`` and ``size`` name."""

    client: Client
    address: str
    head: Head
    size: int
    members: dict[str, Member] = field(default_factory=dict)
    twice: frozenset[str] = frozenset()
    _parts: "_Parts | None" = None

    @property
    def validator(self) -> str | None:
        """What names this version."""
        return self.head.validator

    def extract(self, member: Member, path: Path) -> None:
        """Write a file of the archive to ``path``, checked by its size and its checksum.

        Raises :class:`FeedError` where the archive changed, is damaged or says what is not so.
        """
        span = Span(member.first, member.end, self.validator, self.size)
        fetched = path.with_name(f"{path.name}.span")
        download(self.client, self.head.address, fetched, span=span)
        assert self._parts is not None
        parts = self._parts.beside(member.first, fetched.read_bytes())
        try:
            _unpack(parts, member, path)
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError,
                RuntimeError) as error:  # fmt: skip
            path.unlink(missing_ok=True)
            raise ArchiveError(
                f"{shown_address(self.address)}, {member.name}",
                f"the file in the archive is damaged ({type(error).__name__}).",
                _REPORT,
            ) from error
        finally:
            fetched.unlink(missing_ok=True)


def open_archive(client: Client, address: str, known: str | None = None) -> RemoteArchive | None:
    """Return the archive with the list of its files; none where it is still of version ``known``.

    Raises :class:`FeedError` where the server serves no parts, or what comes is no archive.
    """
    tail = client.again(lambda: _tail(client, address, known))
    if tail.head.status == 304:
        return None
    size, first = _place_of_tail(address, tail)
    archive = RemoteArchive(client, address, tail.head, size)
    parts = _Parts(size, {first: tail.body}, lambda start, end: _more(archive, start, end))
    archive._parts = parts
    try:
        with zipfile.ZipFile(parts) as listed:
            _list(archive, listed)
    except (
        zipfile.BadZipFile,
        ValueError,
        struct.error,
        OverflowError,
        NotImplementedError,
    ) as error:
        raise _no_archive(address, tail.body) from error
    return archive


def _tail(client: Client, address: str, known: str | None) -> Answer:
    """Return the end of the archive; a whole one is read only where it is short."""
    condition = {"If-None-Match": known} if known else {}
    with client.ask(address, {"Range": f"bytes=-{_TAIL}", **condition}) as (head, chunks):
        body = bytearray()
        for chunk in chunks:
            body += chunk
            if len(body) > _TAIL:
                raise _not_a_part(address, bytes(body))
        return Answer(head, bytes(body))


def _not_a_part(address: str, body: bytes) -> FeedError:
    if body[:2] != b"PK":
        return _no_archive(address, body)
    return RangesIgnoredError(
        shown_address(address),
        "the server sends the whole archive where a part was asked for.",
        _NO_RANGES,
    )


def _place_of_tail(address: str, tail: Answer) -> tuple[int, int]:
    """Return the size of the archive, and at which byte its last part begins."""
    span = tail.head.span
    if tail.head.status == 206 and span and span[1] - span[0] + 1 == len(tail.body):
        return span[2], span[0]
    if tail.head.status == 200 and len(tail.body) <= _TAIL and tail.body[:2] == b"PK":
        # A whole archive that is smaller than the part that was asked for.
        return len(tail.body), 0
    if tail.head.status == 206:
        raise ArchiveError(
            shown_address(address), "the server does not say which part it sends.", _NO_RANGES
        )
    raise _no_archive(address, tail.body)


def _no_archive(address: str, body: bytes) -> WrongKindError:
    came = "a web page" if looks_like_html(body) else "something else or a damaged archive"
    return WrongKindError(
        shown_address(address),
        f"a zip archive was expected and {came} came.",
        "Open the address in a browser to see what the publisher says.",
    )


def looks_like_html(body: bytes) -> bool:
    """Say whether a body begins as a web page does."""
    start = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _more(archive: RemoteArchive, start: int, end: int) -> bytes:
    """Return further bytes of the same version of the archive."""
    asked = shown_address(archive.address)
    if end - start > _MOST_LISTED:
        raise TooLargeError(
            asked, f"the list of its files has {end - start:,} bytes, which no archive needs.",
            _REPORT,
        )  # fmt: skip
    condition = {"If-Range": archive.validator} if archive.validator else {}
    wanted = {"Range": f"bytes={start}-{end - 1}", **condition}
    got = archive.client.read(archive.head.address, wanted, most_bytes=_MOST_LISTED)
    same = got.head.validator in (archive.validator, None)
    if got.head.status != 206 or not same or got.head.span != (start, end - 1, archive.size):
        raise ChangedMeanwhileError(asked, "the archive changed while it was read.", _LATER)
    return got.body


def _list(archive: RemoteArchive, listed: zipfile.ZipFile) -> None:
    """Note the files of an archive, each with the bytes that it takes."""
    files = [one for one in listed.infolist() if not one.is_dir()]
    starts = sorted({one.header_offset for one in files} | {listed.start_dir})
    ends = dict(pairwise(starts))
    count = Counter(one.filename for one in files)
    archive.twice = frozenset(name for name, times in count.items() if times > 1)
    archive.members = {
        one.filename: Member(
            one.filename,
            one.file_size,
            one.CRC,
            one.header_offset,
            ends.get(one.header_offset, listed.start_dir),
        )
        for one in files
    }


def _unpack(parts: "_Parts", member: Member, path: Path) -> None:
    """Write the file, of at most the size that the archive states. Checks size and checksum."""
    with zipfile.ZipFile(parts) as archive, archive.open(member.name) as packed:
        written = 0
        with path.open("wb") as file:
            while chunk := packed.read(_CHUNK):
                written += len(chunk)
                file.write(chunk)
        if written != member.size:
            raise EOFError


class _Parts(io.RawIOBase):
    """A file of which only parts are there; what is missing is asked for."""

    def __init__(
        self, size: int, parts: dict[int, bytes], more: Callable[[int, int], bytes]
    ) -> None:
        super().__init__()
        self.size, self.parts, self.more, self.place = size, parts, more, 0

    def beside(self, first: int, content: bytes) -> "_Parts":
        """Return the same file with one more part, for one reader."""
        return _Parts(self.size, {**self.parts, first: content}, self.more)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.place, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("a place before the beginning")
        self.place = base + offset
        return self.place

    def read(self, length: int = -1) -> bytes:
        end = self.size if length < 0 else min(self.size, self.place + length)
        if end <= self.place:
            return b""
        content = self._held(self.place, end)
        if content is None:
            content = self.more(self.place, end)
            self.parts[self.place] = content
        self.place = end
        return content

    def _held(self, start: int, end: int) -> bytes | None:
        for first, content in self.parts.items():
            if first <= start and end <= first + len(content):
                return content[start - first : end - first]
        return None

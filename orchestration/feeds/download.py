"""Downloads a file, or a part of one, and continues where a killed download stopped.

What has come is in ``<name>.part``; ``<name>.part.json`` beside it says of which version of which
file. A part is continued only where the server says that it is still the same version.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from orchestration.feeds.client import Client, Head
from orchestration.feeds.errors import (
    ChangedMeanwhileError,
    ChecksumError,
    LayoutError,
    RangesIgnoredError,
    TruncatedError,
    shown_address,
)

_LATER = "Run the command again later."
_NO_RANGES = "Download the archive with a browser and put it into the folder of CSP_FEED_MIRROR."


@dataclass(frozen=True)
class Span:
    """The bytes of a file from ``first`` up to, not with, ``end``; of the version ``validator``."""

    first: int
    end: int
    validator: str | None
    whole: int
    """Length of the whole file, which must not change either."""


class _Partial(BaseModel):
    """What a partial file is a part of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str
    first: int
    end: int | None
    etag: str | None
    last_modified: str | None
    whole: int | None

    @property
    def validator(self) -> str | None:
        tag = self.etag
        return tag if tag and not tag.startswith("W/") else self.last_modified


@dataclass(frozen=True)
class Downloaded:
    """A file that has come whole, and what the server says of it."""

    path: Path
    address: str
    etag: str | None
    last_modified: str | None


def download(
    client: Client,
    address: str,
    path: Path,
    *,
    span: Span | None = None,
    size: int | None = None,
    md5: str | None = None,
) -> Downloaded:
    """Download a file to ``path``, or the bytes of ``span`` in it; continue what is there in part.

    ``size`` and ``md5`` are what the publisher states. Raises :class:`FeedError`; a part that has
    come stays for the next time, except where it is wrong.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    one = _Download(client, address, path, span)
    head = client.again(one.attempt)
    one.check(size, md5)
    one.part.replace(path)
    one.note.unlink(missing_ok=True)
    return Downloaded(path, address, head.etag, head.last_modified)


@dataclass
class _Download:
    client: Client
    address: str
    path: Path
    span: Span | None

    @property
    def part(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part")

    @property
    def note(self) -> Path:
        return self.path.with_name(f"{self.path.name}.part.json")

    def attempt(self) -> _Partial:
        """Ask for what is missing and write it; return what the file is a part of."""
        known, have = self._known()
        if known and known.end is not None and have == known.end - known.first:
            return known
        with self.client.ask(self.address, self._headers(known, have)) as (head, chunks):
            if head.status == 416 and known:
                self.discard()
                raise TruncatedError(shown_address(self.address), "a part did not fit.", _LATER)
            stated, start = self._stated(head, known, have)
            with self._opened(start) as file:
                self._write_note(stated)
                for chunk in chunks:
                    file.write(chunk)
        self._refuse_short(stated)
        return stated

    def check(self, size: int | None, md5: str | None) -> None:
        """Compare what has come with what the publisher states; a wrong file is removed."""
        came = self.part.stat().st_size
        if size is not None and came != size:
            self.discard()
            raise ChecksumError(
                shown_address(self.address),
                f"the file has {came:,} bytes, and the publisher states {size:,}.",
                _LATER,
            )
        if md5 is not None and (found := _md5(self.part)) != md5.lower():
            self.discard()
            raise ChecksumError(
                shown_address(self.address),
                f"the file's MD5 is {found}, and the publisher states {md5.lower()}.",
                _LATER,
            )

    def discard(self) -> None:
        """Remove what has come."""
        self.note.unlink(missing_ok=True)
        self.part.unlink(missing_ok=True)

    def _known(self) -> tuple[_Partial | None, int]:
        """Return what is there in part, if it is of this file, and its length."""
        try:
            known = _Partial.model_validate_json(self.note.read_bytes())
            have = self.part.stat().st_size
        except (OSError, ValidationError):
            known, have = None, 0
        if known and known.address == self.address and self._continues(known, have):
            return known, have
        self.discard()
        return None, 0

    def _continues(self, known: _Partial, have: int) -> bool:
        if self.span:
            wanted = (self.span.first, self.span.end, self.span.validator, self.span.whole)
            if (known.first, known.end, known.validator, known.whole) != wanted:
                return False
        elif known.first or known.validator is None:
            return False
        return known.end is None or known.first + have <= known.end

    def _headers(self, known: _Partial | None, have: int) -> dict[str, str]:
        first = self.span.first if self.span else 0
        validator = self.span.validator if self.span else known.validator if known else None
        if not self.span and not have:
            return {}
        last = str(self.span.end - 1) if self.span else ""
        condition = {"If-Range": validator} if validator else {}
        return {"Range": f"bytes={first + have}-{last}", **condition}

    def _stated(self, head: Head, known: _Partial | None, have: int) -> tuple[_Partial, int]:
        """Return what the server sends a part of, and at which byte of the file it is written."""
        if head.status == 200 and not self.span:
            # The whole file: there was no part, or the file has changed since.
            return self._note_of(head, 0, head.length, head.length), 0
        if head.status != 206:
            raise self._no_part(head)
        found = head.span
        first = (self.span.first if self.span else 0) + have
        if found is None or found[0] != first or found[1] < first:
            raise LayoutError(
                shown_address(self.address), "another part of the file came than was asked for.",
                _LATER,
            )  # fmt: skip
        if self.span:
            self._refuse_changed(head, found[2])
            return self._note_of(head, self.span.first, self.span.end, found[2]), have
        if known and known.whole not in (None, found[2]):
            self.discard()
            raise ChangedMeanwhileError(
                shown_address(self.address), "the file changed while it was read.", _LATER
            )
        return self._note_of(head, 0, found[2], found[2]), have

    def _no_part(self, head: Head) -> ChangedMeanwhileError | RangesIgnoredError:
        """Say why a whole file came: another version of it, or a server without ranges."""
        assert self.span is not None
        if head.validator != self.span.validator or head.length not in (None, self.span.whole):
            self.discard()
            return ChangedMeanwhileError(
                shown_address(self.address), "the file changed while it was read.", _LATER
            )
        return RangesIgnoredError(
            shown_address(self.address),
            "the server sends the whole file where a part was asked for.",
            _NO_RANGES,
        )

    def _refuse_changed(self, head: Head, whole: int) -> None:
        assert self.span is not None
        same = head.validator == self.span.validator or head.validator is None
        if not same or whole != self.span.whole:
            self.discard()
            raise ChangedMeanwhileError(
                shown_address(self.address), "the file changed while it was read.", _LATER
            )

    def _note_of(self, head: Head, first: int, end: int | None, whole: int | None) -> _Partial:
        etag, modified = head.etag, head.last_modified
        return _Partial(
            address=self.address, first=first, end=end, etag=etag, last_modified=modified,
            whole=whole,
        )  # fmt: skip

    def _opened(self, start: int) -> BinaryIO:
        file = self.part.open("r+b" if self.part.exists() else "w+b")
        file.seek(start)
        file.truncate()
        return file

    def _write_note(self, stated: _Partial) -> None:
        self.note.write_text(stated.model_dump_json(indent=2), encoding="utf-8")

    def _refuse_short(self, stated: _Partial) -> None:
        have = self.part.stat().st_size
        if stated.end is not None and have != stated.end - stated.first:
            raise TruncatedError(
                shown_address(self.address),
                f"{have:,} of {stated.end - stated.first:,} bytes came.",
                _LATER,
            )


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()

"""Reads a folder arranged as the publishers' hosts and paths, instead of the network.

``CSP_FEED_MIRROR/<host>/<path>`` is the file of an address. An address that ends with a slash is
``index.html`` in its folder, one that is a folder ``index.json`` in it. The query is left out,
except that the page that begins after 2,000 rows is ``<path>.2000``, a count ``<path>.count``, and
a data set that is asked for by age ``<path>.by_age``.
"""

import re
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path, PurePosixPath

import httpx

from orchestration.feeds.errors import MirrorError, shown_address

_OFFSETS = ("resultOffset", "recordoffset")
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_CHUNK = 1 << 20


class MirrorTransport(httpx.BaseTransport):
    """Answers requests from files, with tags, conditions and ranges as a server would."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the file of an address. Raises :class:`MirrorError` that names a missing one."""
        path = self.root / mirror_path(str(request.url))
        if path.is_dir():
            path /= "index.json"
        if not path.is_file() or not path.resolve().is_relative_to(self.root.resolve()):
            raise MirrorError(
                shown_address(str(request.url)),
                f"the mirror folder has no file {path.relative_to(self.root)}.",
                f"Put the file that the publisher serves there as {path}.",
            )
        state = path.stat()
        headers = {
            "ETag": f'"{state.st_size:x}-{state.st_mtime_ns:x}"',
            "Last-Modified": formatdate(state.st_mtime, usegmt=True),
            "Accept-Ranges": "bytes",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return httpx.Response(304, headers=headers, stream=httpx.ByteStream(b""))
        condition = request.headers.get("if-range", headers["ETag"])
        wanted = _span(request.headers.get("range", ""), state.st_size)
        if wanted is None or condition not in (headers["ETag"], headers["Last-Modified"]):
            first, last, status = 0, state.st_size - 1, 200
        else:
            (first, last), status = wanted, 206
        if first > last and status == 206:
            headers["Content-Length"] = "0"
            return httpx.Response(416, headers=headers, stream=httpx.ByteStream(b""))
        if status == 206:
            headers["Content-Range"] = f"bytes {first}-{last}/{state.st_size}"
        headers["Content-Length"] = str(last - first + 1)
        return httpx.Response(status, headers=headers, stream=_Part(path, first, last - first + 1))


class _Part(httpx.SyncByteStream):
    """A part of a file, read as it is asked for."""

    def __init__(self, path: Path, first: int, length: int) -> None:
        self.path, self.first, self.length = path, first, length

    def __iter__(self) -> Iterator[bytes]:
        left = self.length
        with self.path.open("rb") as file:
            file.seek(self.first)
            while left and (chunk := file.read(min(left, _CHUNK))):
                left -= len(chunk)
                yield chunk


def mirror_path(address: str) -> PurePosixPath:
    """Return the path of an address in a mirror: host, path, and the place of a later page."""
    url = httpx.URL(address)
    parts = [part for part in url.path.split("/") if part not in ("", ".", "..")]
    if url.path.endswith("/") or not parts:
        parts.append("index.html")
    if "c_age_name" in url.params.get("select", ""):
        parts[-1] += ".by_age"
    offset = next((url.params[name] for name in _OFFSETS if name in url.params), "0")
    if url.params.get("returnCountOnly") == "true":
        parts[-1] += ".count"
    elif offset.isdigit() and int(offset):
        parts[-1] += f".{int(offset)}"
    return PurePosixPath(url.host, *parts)


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Return first and last byte of a Range header; the last may come before the first."""
    found = _RANGE.fullmatch(header)
    if not found:
        return None
    first, last = found.groups()
    if not first:
        return (max(0, size - int(last)), size - 1) if last else None
    return int(first), min(int(last), size - 1) if last else size - 1

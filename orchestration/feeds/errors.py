"""Errors of fetching: each says what was asked for, what came instead, and what to do.

No message holds a value of a file, a user name, a password or the query of an address.
"""

from urllib.parse import urlsplit

from orchestration.errors import CspError, readable

NOTHING_LANDED = "Nothing was landed."
_LONGEST = 160


def shown_address(address: str) -> str:
    """Return an address fit for a message: without user, password, query and fragment."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an address that cannot be read"
    place = f"{host}:{port}" if port else host
    shown = readable(f"{parts.scheme}://{place}{parts.path}")
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"


class FeedError(CspError):
    """Something could not be fetched; nothing of it has landed."""

    def __init__(self, asked: str, came: str, remedy: str) -> None:
        super().__init__(f"{asked}: {came} {NOTHING_LANDED} {remedy}")
        self.asked, self.came, self.remedy = asked, came, remedy


class FeedFileError(CspError):
    """A ``feed.toml`` or the table of known gaps is wrong in itself (a fault of ours)."""


class NoFeedError(CspError):
    """A source has no feed, so it cannot be fetched."""


class TemporaryError(FeedError):
    """A fault that may pass: the request is sent again. ``wait`` is what the publisher asks for."""

    def __init__(self, asked: str, came: str, remedy: str, wait: float | None = None) -> None:
        super().__init__(asked, came, remedy)
        self.wait = wait


class ConnectionFailedError(TemporaryError):
    """The publisher's server cannot be reached, or ends the connection."""


class ServerFaultError(TemporaryError):
    """The publisher's server answers with a fault of its own (5xx)."""


class TooManyRequestsError(TemporaryError):
    """The publisher asks for fewer requests (429)."""


class TruncatedError(TemporaryError):
    """A file came cut short."""


class BusyError(FeedError):
    """The publisher asks to wait for longer than a fetch waits."""


class RefusedRequestError(FeedError):
    """The publisher refuses the request (4xx); ``status`` is its code."""

    def __init__(self, asked: str, came: str, remedy: str, status: int) -> None:
        super().__init__(asked, came, remedy)
        self.status = status


class RedirectError(FeedError):
    """The publisher's server redirects without end, or to an address that is not of the web."""


class TooLargeError(FeedError):
    """More bytes come than the feed allows."""


class TooSlowError(FeedError):
    """A fetch takes longer than the feed allows."""


class ChangedMeanwhileError(FeedError):
    """A file changed at the publisher while parts of it were being read."""


class RangesIgnoredError(FeedError):
    """The server sends a whole file where a part of it was asked for."""


class WrongKindError(FeedError):
    """What came is of another kind than was asked for, such as a web page for a workbook."""


class ChecksumError(FeedError):
    """A file does not have the checksum or the size that its publisher states."""


class LayoutError(FeedError):
    """The publisher has changed the form of a list or of a file."""


class ArchiveError(FeedError):
    """An archive is damaged, or a file in it is not as the archive says."""


class MirrorError(FeedError):
    """A file is missing in the mirror folder."""

"""Asks a publisher's server: politely, bounded in bytes and time, and again where that may help.

A server is not trusted: redirects, the length of a body, the time that it takes and what it claims
to be are all checked. Bodies are asked for uncompressed, so that a small answer is a small file.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar
from urllib.parse import urljoin, urlsplit

import httpx
import tenacity

from orchestration.feeds.errors import (
    BusyError,
    ConnectionFailedError,
    RedirectError,
    RefusedRequestError,
    ServerFaultError,
    TemporaryError,
    TooLargeError,
    TooManyRequestsError,
    TooSlowError,
    TruncatedError,
    WrongKindError,
    shown_address,
)
from orchestration.feeds.feed_file import Feed
from orchestration.feeds.pacing import Pace, RateLimit, seconds_to_wait

MOST_REDIRECTS = 5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LATER = "Run the command again later."
_ASK = "Open the address in a browser to see whether the publisher has moved it."

Result = TypeVar("Result")


@dataclass(frozen=True)
class Head:
    """What a server says of a file: status, and the headers that matter. ``address`` is final."""

    address: str
    status: int
    headers: Mapping[str, str]

    @property
    def etag(self) -> str | None:
        """The entity tag, as the server writes it."""
        return self.headers.get("etag")

    @property
    def last_modified(self) -> str | None:
        """The time of the last change, as the server writes it."""
        return self.headers.get("last-modified")

    @property
    def validator(self) -> str | None:
        """What names this version of the file in a later request: a strong tag, or the time."""
        tag = self.etag
        return tag if tag and not tag.startswith("W/") else self.last_modified

    @property
    def length(self) -> int | None:
        """The length of the body, where the server states it."""
        text = self.headers.get("content-length", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None

    @property
    def span(self) -> tuple[int, int, int] | None:
        """First byte, last byte and whole length of a part of a file (206); none where unclear."""
        unit, _, text = self.headers.get("content-range", "").partition(" ")
        places, _, whole = text.partition("/")
        first, _, last = places.partition("-")
        numbers = (first, last, whole)
        if unit != "bytes" or not all(one.isascii() and one.isdigit() for one in numbers):
            return None
        return int(first), int(last), int(whole)


@dataclass(frozen=True)
class Answer:
    """A whole answer that fits into memory."""

    head: Head
    body: bytes


@dataclass
class Client:
    """Asks one publisher during one fetch. Use it as a context manager.

    ``requests`` and ``received`` count what was asked and the bytes of the answers.
    """

    feed: Feed
    pace: Pace = field(default_factory=Pace)
    transport: httpx.BaseTransport | None = None
    requests: int = 0
    received: int = 0

    def __post_init__(self) -> None:
        self._limit = RateLimit(self.feed.requests_per_second, self.pace)
        self._started = self.pace.clock()
        self._http = httpx.Client(
            transport=self.transport,
            headers={
                "User-Agent": identification(),
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            },
            timeout=httpx.Timeout(self.pace.silence_seconds, connect=self.pace.connect_seconds),
            follow_redirects=False,
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    # --- asking ------------------------------------------------------------------------------

    def read(
        self, address: str, headers: Mapping[str, str] | None = None, *, most_bytes: int = 64 << 20
    ) -> Answer:
        """Return a whole answer of at most ``most_bytes``; one of status 304 has no body."""

        def once() -> Answer:
            with self.ask(address, headers) as (head, chunks):
                body = bytearray()
                for chunk in chunks:
                    body += chunk
                    if len(body) > most_bytes:
                        raise self._too_large(address, most_bytes)
                return Answer(head, bytes(body))

        return self.again(once)

    def again(self, action: Callable[[], Result]) -> Result:
        """Run an action, and again where it meets a fault that may pass."""
        tries = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TemporaryError),
            stop=tenacity.stop_after_attempt(self.pace.tries),
            wait=self._wait,
            sleep=self.pace.sleep,
            reraise=True,
        )
        try:
            return tries(action)
        except TemporaryError as error:
            tried = tries.statistics.get("attempt_number", 1)
            raise type(error)(
                error.asked, f"{error.came} Asked {tried} times.", error.remedy
            ) from error

    @contextmanager
    def ask(
        self, address: str, headers: Mapping[str, str] | None = None
    ) -> Iterator[tuple[Head, Iterator[bytes]]]:
        """Yield head and body of an answer of status 200, 206, 304, 412 or 416.

        Raises :class:`FeedError` for every other, and :class:`TemporaryError` where asking again
        may help; the caller asks again (:meth:`again`).
        """
        try:
            with self._followed(address, headers or {}) as response:
                head = Head(str(response.url), response.status_code, response.headers)
                self._refuse(address, head)
                yield head, self._body(address, head, response)
        except httpx.TimeoutException as error:
            raise ConnectionFailedError(
                _asked(address), "the server does not answer in time.", _LATER
            ) from error
        except httpx.RemoteProtocolError as error:
            if "location header" in str(error):
                raise _not_of_the_web(address) from error
            raise TruncatedError(
                _asked(address),
                "the server ended the connection before the file was whole.",
                _LATER,
            ) from error
        except httpx.TransportError as error:
            raise ConnectionFailedError(
                _asked(address),
                f"the server cannot be reached ({type(error).__name__}).",
                "Check the network, the proxy (HTTPS_PROXY) and the address, or set "
                "CSP_FEED_MIRROR to a folder with the files.",
            ) from error
        except httpx.InvalidURL as error:
            raise RedirectError(_asked(address), "it is not a web address.", _ASK) from error

    @contextmanager
    def _followed(self, address: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """Yield the answer at the end of the redirects."""
        here = address
        for _ in range(MOST_REDIRECTS + 1):
            self._check_time(address)
            self._limit.wait(urlsplit(here).hostname or "")
            self.requests += 1
            with self._http.stream("GET", here, headers=dict(headers)) as response:
                if response.status_code not in _REDIRECTS:
                    yield response
                    return
                here = _next_address(address, here, response.headers.get("location", ""))
        raise RedirectError(
            _asked(address), f"the server redirects more than {MOST_REDIRECTS} times.", _ASK
        )

    def _body(self, address: str, head: Head, response: httpx.Response) -> Iterator[bytes]:
        """Yield the bytes of a body; raise where they are too many, too slow or too few."""
        encoding = head.headers.get("content-encoding", "identity").lower()
        if encoding != "identity" and head.status != 304:
            raise WrongKindError(
                _asked(address),
                "the body is compressed, though it was asked for as it is.",
                "Ask whoever runs the proxy or the mirror to pass files on unchanged.",
            )
        count = 0
        for chunk in response.iter_raw():
            count += len(chunk)
            self.received += len(chunk)
            if self.received > self.feed.largest_bytes:
                raise self._too_large(address, self.feed.largest_bytes)
            self._check_time(address)
            yield chunk
        if head.length is not None and head.status != 304 and count != head.length:
            raise TruncatedError(
                _asked(address), f"{count:,} of {head.length:,} bytes came.", _LATER
            )

    # --- what is refused ---------------------------------------------------------------------

    def _refuse(self, address: str, head: Head) -> None:
        """Raise for every status that is not 200, 206, 304, 412 or 416."""
        status = head.status
        if status == 429 or (status == 503 and "retry-after" in head.headers):
            self._refuse_busy(address, head)
        elif status >= 500:
            raise ServerFaultError(
                _asked(address), f"the server answered {status}, a fault of its own.", _LATER
            )
        elif status not in (200, 206, 304, 412, 416):
            raise RefusedRequestError(
                _asked(address), f"the server answered {status}{_meaning(status)}.", _ASK, status
            )

    def _refuse_busy(self, address: str, head: Head) -> None:
        came = f"the server answered {head.status}: too many requests."
        wait = seconds_to_wait(head.headers.get("retry-after"))
        if wait is not None and wait > self.pace.longest_retry_after:
            raise BusyError(
                _asked(address), f"{came} It asks to wait {_duration(wait)}.",
                f"Run the command again in {_duration(wait)}.",
            )  # fmt: skip
        raise TooManyRequestsError(_asked(address), came, _LATER, wait)

    def _too_large(self, address: str, most: int) -> TooLargeError:
        return TooLargeError(
            _asked(address),
            f"more than {most:,} bytes came, the most that is allowed.",
            f"Look at the file in a browser. If it is right, raise largest_bytes in feed.toml of "
            f"{self.feed.source}.",
        )

    def _check_time(self, address: str) -> None:
        if self.pace.clock() - self._started > self.feed.longest_seconds:
            raise TooSlowError(
                _asked(address),
                f"the fetch took longer than {_duration(self.feed.longest_seconds)}, the longest "
                "that is allowed.",
                "Run the command again: a file that was fetched in part is continued.",
            )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Return how long to wait before the next try: what the publisher asks for, or back-off."""
        error = state.outcome.exception() if state.outcome else None
        asked = error.wait if isinstance(error, TemporaryError) else None
        if asked is not None:
            return asked
        doubled = self.pace.first_wait * float(2 ** (state.attempt_number - 1))
        return min(doubled, self.pace.longest_wait)


def identification() -> str:
    """Return the one header by which publishers know the program."""
    try:
        number = version("csp-warehouse")
    except PackageNotFoundError:
        number = "0"
    return f"csp-warehouse/{number} (public data for a Community Safety Partnership)"


def _asked(address: str) -> str:
    return shown_address(address)


def _next_address(asked: str, here: str, location: str) -> str:
    """Return where a redirect leads. Raises :class:`RedirectError` for what is not of the web."""
    try:
        target = urljoin(here, location)
        parts = urlsplit(target)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts, target = None, urlsplit(""), ""
    came = None
    if not location or not host or parts.scheme not in ("http", "https"):
        raise _not_of_the_web(asked)
    if urlsplit(here).scheme == "https" and parts.scheme == "http":
        came = f"the server redirects to an unencrypted address ({shown_address(target)})."
    elif parts.username or parts.password:
        came = f"the server redirects to an address with a password ({shown_address(target)})."
    if came:
        raise RedirectError(_asked(asked), came, _ASK)
    return target


def _not_of_the_web(asked: str) -> RedirectError:
    return RedirectError(_asked(asked), "the server redirects to what is not a web address.", _ASK)


def _meaning(status: int) -> str:
    meanings = {401: " (log-in needed)", 403: " (forbidden)", 404: " (not found)", 410: " (gone)"}
    return meanings.get(status, "")


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:,.0f} seconds"
    if seconds < 7200:
        return f"{seconds / 60:,.0f} minutes"
    return f"{seconds / 3600:,.0f} hours"

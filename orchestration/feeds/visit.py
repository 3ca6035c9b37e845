"""One visit to a publisher: what is asked for, what was known before, and what was found."""

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from orchestration.feeds.client import Answer, Client
from orchestration.feeds.errors import LayoutError, WrongKindError, shown_address
from orchestration.feeds.feed_file import Feed
from orchestration.feeds.fetch_state import FetchState, SeenFile
from orchestration.feeds.remote_archive import RemoteArchive, looks_like_html

_LOOK = "Open the address in a browser to see what the publisher says."


@dataclass(frozen=True)
class FoundFile:
    """A file that was fetched: its name in the delivery, and where it is until it lands."""

    name: str
    path: Path
    seen: SeenFile
    publisher_checksum: str | None = None


@dataclass
class Found:
    """What a visit found: ``unchanged`` are files that are as they were fetched before.

    ``notes`` say what is missing and why. ``lists`` are the lists that were read, to be kept once
    everything has landed.
    """

    files: list[FoundFile] = field(default_factory=list)
    unchanged: dict[str, SeenFile] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    lists: dict[str, Answer] = field(default_factory=dict)
    absent: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    """Files that an archive does not have: its address and tag."""


@dataclass
class Visit:
    """What is asked of a publisher for one quarter. ``folder`` takes what is fetched."""

    client: Client
    feed: Feed
    folder: Path
    state: FetchState
    quarter: date
    is_landed: Callable[[date, str], bool]
    """Whether a quarter's delivery holds a file of this name."""
    by_quarter: bool = True
    """Whether each quarter has files of its own; a release of a year is fetched once."""
    only_missing: bool = False
    """Whether files that have landed are left as they are, whatever the publisher has now."""
    forces: Collection[str] = ()
    found: Found = field(default_factory=Found)
    archives: dict[str, RemoteArchive] = field(default_factory=dict)
    """Archives that earlier visits of the same fetch opened, by address."""
    now: Callable[[], datetime] = lambda: datetime.now(UTC).replace(microsecond=0)

    def read_list(self, address: str) -> bytes:
        """Return the publisher's list, the kept text of it where it has not changed."""
        seen, kept = self.state.lists.get(address), self.state.list_text(self.folder, address)
        condition = {}
        if seen and kept is not None:
            name = "If-None-Match" if seen.is_tag else "If-Modified-Since"
            condition = {name: seen.validator}
        answer = self.client.read(address, condition)
        if answer.head.status == 304 and kept is not None:
            return kept
        self.found.lists[address] = answer
        return answer.body

    def keep_lists(self) -> None:
        """Keep the lists that were read, for the next visit."""
        for address, answer in self.found.lists.items():
            head = answer.head
            self.state.note_list(self.folder, address, answer.body, head.etag, head.last_modified)

    def wants(self, name: str) -> bool:
        """Say whether a file is asked for at all."""
        return not (self.only_missing and self.is_landed(self.quarter, name))

    def last_seen(self, name: str) -> SeenFile | None:
        """Return what was fetched under this name, if it is still in the landing zone.

        Of a source that is not delivered by quarter, that is the last release up to this quarter.
        """
        quarters = [self.quarter] if self.by_quarter else self.state.quarters(name, self.quarter)
        for quarter in quarters:
            seen = self.state.file(quarter, name)
            if seen and self.is_landed(quarter, name):
                return seen
        return None

    def seen_before(self, name: str, mark: str, **now: str | None) -> bool:
        """Say whether a file was fetched in this version and has landed; note it as unchanged.

        ``now`` is where it is to be had now, such as an archive's address and tag.
        """
        seen = self.last_seen(name)
        if seen is None or seen.mark != mark:
            return False
        self.found.unchanged[name] = seen.model_copy(update=now)
        return True


def json_of(address: str, body: bytes) -> Any:
    """Return what a JSON answer holds.

    Raises :class:`WrongKindError` for a web page and for an answer that is empty or no JSON, and
    :class:`LayoutError` for an error that the server describes in it.
    """
    asked = shown_address(address)
    if not body.strip():
        raise WrongKindError(asked, "JSON was expected and an empty answer came.", _LOOK)
    if looks_like_html(body):
        raise WrongKindError(asked, "JSON was expected and a web page came.", _LOOK)
    try:
        found = json.loads(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise WrongKindError(asked, "JSON was expected and it is not UTF-8.", _LOOK) from error
    except (ValueError, RecursionError) as error:
        raise WrongKindError(
            asked, "JSON was expected, and it is damaged or cut short.", _LOOK
        ) from error
    if isinstance(found, dict) and isinstance(found.get("error"), dict):
        code = found["error"].get("code")
        shown = f" {code}" if isinstance(code, int) else ""
        raise LayoutError(asked, f"the server answered with an error{shown} in JSON.", _LOOK)
    return found

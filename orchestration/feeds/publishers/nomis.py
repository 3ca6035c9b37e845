"""Nomis (ONS): a data set as CSV, page by page.

A guest gets 25,000 rows of a query. The column RECORD_COUNT of each row says how many there are.
Abolished districts disappear from the data set: earlier deliveries keep them.
"""

import csv
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

from orchestration.feeds.errors import (
    ChangedMeanwhileError,
    FeedError,
    LayoutError,
    WrongKindError,
    shown_address,
)
from orchestration.feeds.feed_file import Feed
from orchestration.feeds.fetch_state import SeenFile
from orchestration.feeds.remote_archive import looks_like_html
from orchestration.feeds.visit import Found, FoundFile, Visit

_KEY = ("GEOGRAPHY_CODE", "GEOGRAPHY_NAME", "DATE_NAME")
_VALUE = "OBS_VALUE"
_FILE = "nomis-mid-year-estimates.csv"

_COUNT = "RECORD_COUNT"
_LOOK = "Open the address in a browser. If the data set has changed, correct feed.toml."
_LATER = "Run the command again later."
_MOST_ROWS = 1_000_000


def columns_of(feed: Feed) -> tuple[str, ...]:
    """Return what lands, under the publisher's headings."""
    return (*_KEY, *feed.split_by, _VALUE)


def find(visit: Visit) -> Found:
    """Fetch all rows of the query, unless they are those that were fetched before."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns_of(visit.feed))
    writer.writerows(_Pages(visit).rows())
    body = text.getvalue().encode()
    digest = hashlib.sha256(body).hexdigest()
    if visit.seen_before(_FILE, digest):
        return visit.found
    path = visit.folder / _FILE
    path.write_bytes(body)
    seen = SeenFile(
        url=visit.feed.address, mark=digest, sha256=digest, fetched_at=visit.now()
    )  # fmt: skip
    visit.found.files.append(FoundFile(_FILE, path, seen))
    return visit.found


@dataclass
class _Pages:
    """Reads the pages of a query, and checks that they are all of it, each row once."""

    visit: Visit
    count: int | None = None
    seen: set[tuple[str, ...]] = field(default_factory=set)
    blank: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """What lands of a row."""
        return columns_of(self.visit.feed)

    def rows(self) -> Iterator[list[str]]:
        """Yield the rows. Raises :class:`FeedError` where pages repeat or do not fit together."""
        offset = 0
        while self.count is None or offset < self.count:
            page = self._page(offset)
            for row in page:
                self._note(row)
                if row[_VALUE].strip():
                    yield [row[name] for name in self.columns]
                else:
                    self.blank += 1
            offset += len(page)
            if not page:
                raise self._wrong(
                    "it has no rows."
                    if self.count is None
                    else f"a page is empty after {offset:,} of {self.count:,} rows."
                )
        if offset != self.count:
            raise self._wrong(f"{offset:,} rows came, and it states {self.count:,}.")
        if self.blank:
            self.visit.found.notes.append(
                f"{self.blank:,} areas and years have no estimate at the publisher. They are left "
                "out: not available, [x], and not 0."
            )

    def _note(self, row: dict[str, str]) -> None:
        if not row[_COUNT].isdigit() or not 0 < int(row[_COUNT]) <= _MOST_ROWS:
            raise self._wrong("it does not say how many rows there are.")
        if self.count not in (None, int(row[_COUNT])):
            raise ChangedMeanwhileError(
                self._shown(), "the data set changed while it was read.", _LATER
            )
        self.count = int(row[_COUNT])
        key = tuple(row[name] for name in self.columns if name not in ("GEOGRAPHY_NAME", _VALUE))
        if key in self.seen:
            raise self._wrong("an area and year came twice: the server repeats a page or a row.")
        self.seen.add(key)

    def _page(self, offset: int) -> list[dict[str, str]]:
        feed = self.visit.feed
        query = {
            **feed.query,
            "select": ",".join((*self.columns, _COUNT)).lower(),
            "recordlimit": str(feed.page_rows),
            "recordoffset": str(offset),
        }
        body = self.visit.client.read(f"{feed.address}?{urlencode(query, safe=',')}").body
        if looks_like_html(body) or not body.strip():
            what = "a web page" if body.strip() else "an empty answer"
            raise WrongKindError(self._shown(), f"CSV was expected and {what} came.", _LOOK)
        try:
            lines = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig")), strict=True))
        except UnicodeDecodeError as error:
            raise self._wrong("the answer is not UTF-8.") from error
        except csv.Error as error:
            raise self._wrong("the answer is not CSV, or is cut short.") from error
        return [self._whole(line) for line in lines]

    def _whole(self, line: dict[str, str]) -> dict[str, str]:
        """Return a row that has every column and no more."""
        needed = (*self.columns, _COUNT)
        if set(line) != set(needed) or any(line[name] is None for name in needed):
            raise self._wrong(f"a row does not have the columns {', '.join(needed)}.")
        return line

    def _wrong(self, came: str) -> FeedError:
        return LayoutError(self._shown(), came, _LOOK)

    def _shown(self) -> str:
        return shown_address(self.visit.feed.address)

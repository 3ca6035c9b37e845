"""data.police.uk: monthly archives of 36 months each, of which single files are read.

The index page lists the archives. ``YYYY-MM.zip`` holds ``YYYY-MM/YYYY-MM-<force>-street.csv``,
``…-outcomes.csv`` and ``…-stop-and-search.csv`` for each force and each month of the 36 that end
with its own; archives up to April 2017 go back to December 2010. Months keep changing for years, so
the newest archive with a month is read.
"""

import copy
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from orchestration.errors import did_you_mean
from orchestration.feeds.errors import (
    ArchiveError,
    ChangedMeanwhileError,
    ChecksumError,
    LayoutError,
    WrongKindError,
    shown_address,
)
from orchestration.feeds.fetch_state import SeenFile
from orchestration.feeds.known_gaps import KnownGap, gap_of, known_gaps, month_name
from orchestration.feeds.remote_archive import RemoteArchive, looks_like_html, open_archive
from orchestration.feeds.visit import Found, FoundFile, Visit
from orchestration.ingest.checking.force_names import force_slug
from orchestration.warehouse.checksum import sha256_of

FIRST_MONTH = "2010-12"
_LAST_WITH_ALL = "2017-04"
"""Archives up to this one go back to the first month; later ones have 36 months."""

_MONTHS_HELD = 36
_ARCHIVE = re.compile(r"""href\s*=\s*["']([^"']*?(\d{4}-(?:0[1-9]|1[0-2]))\.zip)["']""", re.I)
_MD5 = re.compile(r"(?<![0-9a-fA-F-])([0-9a-fA-F]{32})(?![0-9a-fA-F-])")
"""32 hex digits. The checksum of parts (``…-12``) is that of no file."""

_HASH_TAG = re.compile(r'"([0-9a-f]{32})"')
_GAPS_OF = "police_uk_street"
"""The source under which gaps are listed: a force's month without data has no file of any kind."""

_LOOK = "Open the address in a browser to see whether the publisher has changed the page."
_LATER = "Run the command again later."


@dataclass(frozen=True)
class Archive:
    """An archive of the index: its last month, address, and MD5 where the page states one."""

    month: str
    address: str
    md5: str | None

    def holds(self, month: str) -> bool:
        """Say whether a month is one of those that the archive is of."""
        first = FIRST_MONTH if self.month <= _LAST_WITH_ALL else _earlier(self.month)
        return first <= month <= self.month


def find(visit: Visit) -> Found:
    """Fetch the files of the quarter's months for the forces that are served.

    An archive that changes while it is read is read once more from the beginning.
    """
    slugs = {force_slug(name): name for name in visit.forces}
    months = [
        month
        for month in months_of(visit.quarter)
        if any(visit.wants(_file(visit, month, slug)) for slug in slugs)
    ]
    if not months:
        return visit.found
    archives = read_index(visit.feed.address, visit.read_list(visit.feed.address))
    for archive, wanted in choose(months, archives):
        if archive is None:
            visit.found.notes.append(_not_there(wanted, archives))
            continue
        before = copy.deepcopy(visit.found)
        try:
            _fetch(visit, archive, wanted, slugs)
        except ChangedMeanwhileError:
            visit.found = before
            _fetch(visit, archive, wanted, slugs)
    return visit.found


def months_of(quarter: date) -> list[str]:
    """Return the months of a quarter, such as ``2018-10``."""
    return [f"{quarter.year}-{quarter.month + offset:02d}" for offset in range(3)]


# --- the index -------------------------------------------------------------------------------


def read_index(address: str, body: bytes) -> list[Archive]:
    """Return the archives that the index page lists, the newest first.

    Raises :class:`FeedError` where the page lists none.
    """
    asked = shown_address(address)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LayoutError(asked, "the page is not UTF-8.", _LOOK) from error
    if not text.strip():
        raise WrongKindError(asked, "an empty page came.", _LATER)
    links = list(_ARCHIVE.finditer(text))
    if not links:
        what = "the page" if looks_like_html(body) else "what came"
        raise LayoutError(asked, f"{what} lists no archive (a link to YYYY-MM.zip).", _LOOK)
    found: dict[str, Archive] = {}
    ends = [*(link.start() for link in links[1:]), len(text)]
    for link, end in zip(links, ends, strict=True):
        md5 = _MD5.search(text[link.end() : end])
        month = link[2]
        here = f"{address.rstrip('/')}/{month}.zip"
        found.setdefault(month, Archive(month, here, md5[1].lower() if md5 else None))
    return sorted(found.values(), key=lambda one: one.month, reverse=True)


def choose(
    months: Sequence[str], archives: Iterable[Archive]
) -> list[tuple[Archive | None, list[str]]]:
    """Return which archive is read for which months: one for all of them where one has them.

    Months that no archive has come last, without one.
    """
    newest = sorted(archives, key=lambda one: one.month, reverse=True)
    there = [month for month in months if any(one.holds(month) for one in newest)]
    missing = [month for month in months if month not in there]
    chosen: list[tuple[Archive | None, list[str]]] = []
    for archive in newest:
        if there and all(archive.holds(month) for month in there):
            chosen.append((archive, there))
            break
    else:
        for month in there:
            chosen.append((next(one for one in newest if one.holds(month)), [month]))
    return [*chosen, *([(None, missing)] if missing else [])]


def _earlier(month: str) -> str:
    """Return the first of the 36 months that end with ``month``."""
    year, number = (int(part) for part in month.split("-"))
    months = year * 12 + number - _MONTHS_HELD
    return f"{months // 12}-{months % 12 + 1:02d}"


def _not_there(months: Sequence[str], archives: Sequence[Archive]) -> str:
    names = ", ".join(month_name(month) for month in months)
    newest = archives[0].month
    if months[0] > newest:
        return f"Not published yet: {names}. The newest archive ends with {month_name(newest)}."
    return f"No archive has {names}. Archives go back to {month_name(FIRST_MONTH)} at most."


# --- one archive -----------------------------------------------------------------------------


def _fetch(visit: Visit, archive: Archive, months: Sequence[str], slugs: dict[str, str]) -> None:
    """Fetch what is new of an archive; what has the same checksum as before is not fetched."""
    wanted = {
        slug: [month for month in months if visit.wants(_file(visit, month, slug))]
        for slug in slugs
    }
    names = [_file(visit, month, slug) for slug, listed in wanted.items() for month in listed]
    opened = _reopened(visit, archive, _known_version(visit, archive, names))
    if opened:
        _check_md5(opened, archive)
    gaps = known_gaps()
    for slug, force in slugs.items():
        missing = _fetch_members(visit, opened, archive, slug, wanted[slug])
        if missing:
            visit.found.notes.extend(_gaps(visit, opened, gaps, slug, force, missing))


def _fetch_members(
    visit: Visit, opened: RemoteArchive | None, archive: Archive, slug: str, months: Sequence[str]
) -> list[str]:
    """Fetch a force's months that are new; return those that the archive does not have.

    Of an archive that has not changed since (none) that is known without opening it.
    """
    missing = []
    for month in months:
        name = _file(visit, month, slug)
        member = f"{month}/{name}"
        if opened is None:
            seen = visit.last_seen(name)
            if seen:
                visit.found.unchanged[name] = seen
            else:
                missing.append(month)
        elif member in opened.twice:
            raise ArchiveError(shown_address(archive.address), f"it holds {member} twice.", _LATER)
        elif member in opened.members:
            _fetch_member(visit, opened, member)
        else:
            missing.append(month)
            visit.found.absent[name] = (archive.address, opened.head.etag)
    return missing


def _file(visit: Visit, month: str, slug: str) -> str:
    """Return the name of a force's file of a month."""
    return f"{month}-{slug}-{visit.feed.kind}.csv"


def _known_version(visit: Visit, archive: Archive, names: Sequence[str]) -> str | None:
    """Return the tag of the archive if all that is wanted is known of one version of it.

    A file is known where it was fetched and has landed, or where the archive did not have it.
    """
    versions = set()
    for name in names:
        seen = visit.last_seen(name)
        place = (seen.url, seen.etag) if seen else visit.state.absent_from(visit.quarter, name)
        versions.add(place or ("", None))
    if len(versions) != 1:
        return None
    address, tag = versions.pop()
    return tag if address == archive.address else None


def _reopened(visit: Visit, archive: Archive, known: str | None) -> RemoteArchive | None:
    """Open an archive, with the list of its files that an earlier visit read if it is the same.

    Returns none where it is still of version ``known``.
    """
    before = visit.archives.get(archive.address)
    tag = known or (before.head.etag if before else None)
    opened = open_archive(visit.client, archive.address, tag)
    if opened is None and before and not known:
        opened = before
        opened.client = visit.client
    if opened:
        visit.archives[archive.address] = opened
    return opened


def _check_md5(opened: RemoteArchive, archive: Archive) -> None:
    """Compare the checksum of the page with that of the server, where both are of the file."""
    tag = _HASH_TAG.fullmatch(opened.head.etag or "")
    if archive.md5 and tag and tag[1] != archive.md5:
        raise ChecksumError(
            shown_address(archive.address),
            f"the server's MD5 is {tag[1]}, and the page states {archive.md5}.",
            "The publisher may be replacing the archive. " + _LATER,
        )


def _fetch_member(visit: Visit, opened: RemoteArchive, name: str) -> None:
    member = opened.members[name]
    file = name.rpartition("/")[2]
    if member.size > visit.feed.largest_bytes:
        raise ArchiveError(
            f"{shown_address(opened.address)}, {name}",
            f"the archive states {member.size:,} bytes, more than the {visit.feed.largest_bytes:,} "
            "that are allowed.",
            "Look at the file in the archive; it may be a trap.",
        )
    if visit.seen_before(file, member.mark, url=opened.address, etag=opened.head.etag):
        return
    path = visit.folder / file
    opened.extract(member, path)
    head = opened.head
    seen = SeenFile(
        url=opened.address, member=name, etag=head.etag, last_modified=head.last_modified,
        mark=member.mark, sha256=sha256_of(path), fetched_at=visit.now(),
    )  # fmt: skip
    visit.found.files.append(FoundFile(file, path, seen, f"crc32:{member.crc:08x}"))


def _gaps(
    visit: Visit,
    opened: RemoteArchive | None,
    gaps: Sequence[KnownGap],
    slug: str,
    force: str,
    months: Sequence[str],
) -> list[str]:
    """Say why an archive has no file of a force for some months."""
    known = {month: gap_of(gaps, _GAPS_OF, force, month) for month in months}
    said = [f"Months without data, known: {gap}." for gap in dict.fromkeys(known.values()) if gap]
    if unknown := [month for month, gap in known.items() if not gap]:
        suffix = f"-{visit.feed.kind}.csv"
        there = sorted(
            {
                name[16 : -len(suffix)]
                for name in (opened.members if opened else ())
                if name.endswith(suffix)
            }
        )
        more = "" if slug in there else did_you_mean(slug, there)
        names = ", ".join(month_name(month) for month in unknown)
        said.append(
            f"The archive has no {visit.feed.kind} file of {force} ({slug}) for {names}; the "
            f"reason is not known.{more} Such a month is not available, [x], and not 0."
        )
    return said

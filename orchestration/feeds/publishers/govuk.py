"""gov.uk: an attachment of a page, found by its title or its file's name in the content API.

Names and addresses of attachments change with each release; the beginning of the title does not, or
else the pattern of the name. Of several files of that pattern the latest is fetched.
"""

import re
from fnmatch import fnmatch
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from orchestration.errors import readable
from orchestration.feeds.download import download
from orchestration.feeds.errors import ArchiveError, LayoutError, WrongKindError, shown_address
from orchestration.feeds.feed_file import Feed
from orchestration.feeds.fetch_state import SeenFile
from orchestration.feeds.remote_archive import looks_like_html
from orchestration.feeds.visit import Found, FoundFile, Visit, json_of
from orchestration.warehouse.checksum import sha256_of

_LOOK = "Open the page in a browser. If it has moved, correct feed.toml of the source."
_RELEASED = re.compile(r"(\d{2})(\d{2})(\d{2})(?=\.\w+$)")
_SHOWN = 8
_ZIPPED = (".ods", ".xlsx", ".zip")


def find(visit: Visit) -> Found:
    """Fetch the attachment, unless it is the one that was fetched before."""
    address = visit.feed.address
    content = json_of(address, visit.read_list(address))
    attachment = _attachment(address, content, visit.feed)
    url = urljoin(address, attachment["url"])
    name = _file_name(address, url)
    size = attachment.get("file_size")
    mark = f"{url} {size}"
    if visit.seen_before(name, mark):
        return visit.found
    path = visit.folder / name
    stated = size if isinstance(size, int) and not isinstance(size, bool) else None
    got = download(visit.client, url, path, size=stated)
    with path.open("rb") as file:
        _check_kind(url, file.read(1024), name)
    seen = SeenFile(
        url=url, etag=got.etag, last_modified=got.last_modified, mark=mark,
        sha256=sha256_of(path), fetched_at=visit.now(),
    )  # fmt: skip
    visit.found.files.append(FoundFile(name, path, seen))
    return visit.found


def _attachment(address: str, content: Any, feed: Feed) -> dict[str, Any]:
    """Return the one attachment whose title begins so, or the latest whose file is named so."""
    title = feed.attachment or feed.attachment_file or ""
    asked = shown_address(address)
    try:
        listed = [one for one in content["details"]["attachments"] if isinstance(one, dict)]
    except (KeyError, TypeError) as error:
        raise LayoutError(asked, "the answer has no details.attachments.", _LOOK) from error
    if feed.attachment_file:
        named = [one for one in listed if fnmatch(_name_in(one), feed.attachment_file)]
        if named:
            return max(named, key=lambda one: _edition(_name_in(one)))
        names = [readable(_name_in(one)[:60]) for one in listed[:_SHOWN]]
        raise LayoutError(
            asked,
            f"no attachment has a file named '{feed.attachment_file}'. Files: "
            f"{'; '.join(names) or 'none'}.",
            _LOOK,
        )
    begins = re.compile(rf"(?:Live )?{re.escape(title)}(?![0-9A-Za-z])", re.IGNORECASE)
    found = [one for one in listed if begins.match(str(one.get("title", "")).strip())]
    if len(found) == 1 and isinstance(found[0].get("url"), str):
        return found[0]
    if len(found) == 1:
        raise LayoutError(asked, f"the attachment '{title}' has no address.", _LOOK)
    titles = [readable(str(one.get("title", ""))[:60]) for one in (found or listed)[:_SHOWN]]
    many = f"{len(found)} attachments have" if found else "no attachment has"
    raise LayoutError(
        asked,
        f"{many} a title that begins with '{title}'. Titles: {'; '.join(titles) or 'none'}.",
        _LOOK,
    )


def _name_in(attachment: dict[str, Any]) -> str:
    """Return the name of an attachment's file, in small letters."""
    path = urlsplit(str(attachment.get("url", ""))).path
    return unquote(path.rpartition("/")[2]).lower()


def _edition(name: str) -> tuple[str, list[int]]:
    """Return what orders files of one name: the day of the release, then the years they are of.

    ``prc-csp-mar21-sep25-tables-290126.ods`` is of the release of 29 January 2026.
    """
    day = _RELEASED.search(name)
    released = f"{day[3]}{day[2]}{day[1]}" if day else ""
    years = [int(year) % 100 for year in re.findall(r"[a-z](\d{4}|\d{2})(?!\d)", name)]
    return released, years


def _file_name(address: str, url: str) -> str:
    """Return the file's name in the address, if it is a plain one."""
    parts = urlsplit(url)
    name = unquote(parts.path.rpartition("/")[2])
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _.()-]{0,120}", name)
    if parts.scheme not in ("http", "https") or not plain:
        raise LayoutError(
            shown_address(address), "the attachment's address does not end with a file name.",
            _LOOK,
        )  # fmt: skip
    return name


def _check_kind(url: str, start: bytes, name: str) -> None:
    asked = shown_address(url)
    if not start:
        raise WrongKindError(asked, "an empty file came.", "Run the command again later.")
    if looks_like_html(start):
        raise WrongKindError(
            asked, f"a web page came where {name} was expected.",
            "Open the address in a browser to see what the publisher says.",
        )  # fmt: skip
    if name.lower().endswith(_ZIPPED) and not start.startswith(b"PK"):
        raise ArchiveError(
            asked, "the file is not the workbook that its name says.", "Report it to the publisher."
        )

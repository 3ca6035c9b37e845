"""The analyst's files: ``<csp>/<quarter>/<part>.md`` under the folder of the texts, read only.

A quarter without its own file of a part takes that of the latest quarter before it. A file with
nothing but comments counts as not written. No file is ever changed here but by :func:`write_new`,
which writes only what does not exist yet.
"""

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from orchestration.config.quarters import parse_quarter, quarter_label
from orchestration.errors import QuarterError
from orchestration.exports.errors import ExportError
from orchestration.releases.report_metadata import SECTIONS

OPENING_PARTS: Mapping[str, str] = MappingProxyType(
    {
        "summary": "Summary",
        "priorities": "Priorities",
        "recommendations": "Recommendations",
        "progress": "Progress on the last recommendations",
    }
)
"""The parts before the sections of the report, in the order of the pack, with their headings."""

PARTS: Mapping[str, str] = MappingProxyType({**OPENING_PARTS, **SECTIONS})
"""Every part by the name of its file, with its heading; a section's narrative has its name."""

_ENDING = ".md"
_MOST_BYTES = 1 << 20
_SHORT_NAME = re.compile(r"[a-z0-9][a-z0-9-]*")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.S)

_PURPOSES: Mapping[str, str] = MappingProxyType(
    {
        "summary": "The position in a few sentences, for readers who read nothing else.",
        "priorities": "What the partnership puts first, and why.",
        "recommendations": "A numbered list: what is to be done, by whom and by when.",
        "progress": "What became of each recommendation of the last assessment.",
    }
)


@dataclass(frozen=True)
class TextFile:
    """A file that is in force for a part: ``quarter`` is the one that it was written for.

    ``text`` is empty and ``unreadable`` gives the reason where the file cannot be read.
    """

    part: str
    quarter: date
    path: Path
    name: str
    text: str
    sha256: str
    unreadable: str = ""


def texts_in_force(root: Path | None, csp: str, quarter: date) -> list[TextFile]:
    """Return the file in force of each part of a partnership as at ``quarter``, in pack order."""
    found: dict[str, TextFile] = {}
    for written, folder in _quarter_folders(root, csp):
        if written > quarter:
            continue
        for path in _entries(folder):
            part = path.name.removesuffix(_ENDING)
            is_part = path.suffix == _ENDING and part in PARTS
            if is_part and (file := _read(path, part, written)) is not None:
                found[part] = file
    return [found[part] for part in PARTS if part in found]


def unknown_files(root: Path | None, csp: str, quarter: date) -> list[Path]:
    """Return the files for ``quarter`` itself whose name is not that of a part, in order."""
    return [
        path
        for written, folder in _quarter_folders(root, csp)
        if written == quarter
        for path in _entries(folder)
        if not path.name.startswith(".") and (path.suffix != _ENDING or path.stem not in PARTS)
    ]


def unknown_folders(root: Path | None, csp: str) -> list[Path]:
    """Return the folders of a partnership whose name is not the first day of a quarter."""
    known = {folder for _, folder in _quarter_folders(root, csp)}
    return [
        path
        for path in (_entries(root / csp) if root else ())
        if path not in known and not path.name.startswith(".")
    ]


def unreadable_folders(root: Path, csp: str) -> list[tuple[str, str]]:
    """Return the folders of a partnership that cannot be listed, each with the reason."""
    found = []
    for folder in (root / csp, *(path for _, path in _quarter_folders(root, csp))):
        try:
            next(folder.iterdir(), None)
        except OSError as error:
            reason = error.strerror or "unknown reason"
            found.append((folder.relative_to(root).as_posix(), reason))
    return found


def has_texts(root: Path, csp: str) -> bool:
    """Say whether a partnership has a folder of texts; it has one that cannot be read."""
    try:
        (root / csp).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def write_new(root: Path, csp: str, quarter: date) -> tuple[list[Path], list[Path]]:
    """Write a file with instructions for each part; return those written, and those kept.

    Raises :class:`ExportError` where the name can be none of a partnership, or the folder cannot
    be written.
    """
    if not _SHORT_NAME.fullmatch(csp):
        raise ExportError(
            f"'{csp}' is not the short name of a partnership: it has small letters, digits and "
            "hyphens only, such as northshire."
        )
    folder = root / csp / quarter.isoformat()
    written, kept = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part in PARTS:
            path = folder / f"{part}{_ENDING}"
            try:
                with path.open("x", encoding="utf-8") as file:
                    file.write(_instructions(part, quarter))
                written.append(path)
            except FileExistsError:
                kept.append(path)
    except OSError as error:
        raise ExportError(
            f"{folder} cannot be written: {error.strerror}. Give the permission, or name another "
            "folder in CSP_TEXTS."
        ) from error
    return written, kept


def without_comments(text: str) -> str:
    """Return a text with blanks in the place of its comments, so that every position stays."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def _instructions(part: str, quarter: date) -> str:
    purpose = _PURPOSES.get(part, f'What the figures of "{PARTS[part]}" mean here, and why.')
    return (
        f"<!--\n{PARTS[part]}, {quarter_label(quarter)}. {purpose}\n\n"
        "Write below this comment, in Markdown. Comments are not published. While there is no\n"
        "text, the pack shows that of the latest quarter before.\n\n"
        'Insert a figure by its name: {{ figure "shoplifting.rolling_12m" }}. `csp texts figures`\n'
        'lists the names. Mark a number that no figure gives: {{ typed "1,200" }}.\n-->\n'
    )


def _quarter_folders(root: Path | None, csp: str) -> list[tuple[date, Path]]:
    """Return the folders of a partnership's quarters, the earliest first."""
    found = []
    for path in _entries(root / csp) if root else ():
        try:
            quarter = parse_quarter(path.name)
        except QuarterError:
            continue
        if path.name == quarter.isoformat() and os.path.isdir(path):  # noqa: PTH112 - never raises
            found.append((quarter, path))
    return sorted(found)


def _entries(folder: Path) -> list[Path]:
    """Return what a folder holds, by name; nothing where it does not exist or cannot be listed."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _read(path: Path, part: str, quarter: date) -> TextFile | None:
    """Return a file, or none where it says nothing."""
    name = path.relative_to(path.parents[2]).as_posix()
    try:
        content = _content(path)
        text = content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        return TextFile(part, quarter, path, name, "", "", f"cannot be read: {error.strerror}")
    except UnicodeDecodeError as error:
        return TextFile(part, quarter, path, name, "", "", f"is not UTF-8 (byte {error.start + 1})")
    if not without_comments(text).strip():
        return None
    return TextFile(part, quarter, path, name, text, hashlib.sha256(content).hexdigest())


def _content(path: Path) -> bytes:
    state = path.stat()
    if not stat.S_ISREG(state.st_mode) or state.st_size > _MOST_BYTES:
        raise OSError(0, f"it must be a file of at most {_MOST_BYTES:,} bytes")
    return path.read_bytes()

"""Reads the TOML files that a person edits, and checks the texts in them.

A file is read only where it is a regular one of a reasonable size, in UTF-8 with or without a byte
order mark. Texts are names, reasons and the like that are published: they are of one script, and
hold no control character and nothing about a person.
"""

import stat
import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orchestration.config.identifying_texts import holds_identifier
from orchestration.errors import SettingsError

_MOST_BYTES = 1 << 20
_LATIN = ("LATIN", "MODIFIER LETTER APOSTROPHE")
_UNSEEN = ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
"""Categories of signs that do not show."""


class TomlFileError(SettingsError):
    """A file that is not read as TOML; the message says why, without the file's name."""


def read_toml(path: Path) -> dict[str, Any]:
    """Return what a TOML file holds.

    Raises :class:`TomlFileError` for a file that is missing, not a regular one, larger than a
    megabyte, not UTF-8 or not TOML.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise TomlFileError("It is not a regular file. Name a file of text.")
        if state.st_size > _MOST_BYTES:
            raise TomlFileError(
                f"The file has {state.st_size:,} bytes; it may have {_MOST_BYTES:,} at most."
            )
        content = path.read_bytes()
    except OSError as error:
        raise TomlFileError(f"The file cannot be read: {error.strerror}.") from error
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise TomlFileError(
            f"Byte {error.start + 1} is not UTF-8. Save the file as UTF-8."
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise TomlFileError(f"The file is not TOML: {error}.") from error
    except (ValueError, RecursionError) as error:
        # A number of thousands of digits, or brackets within brackets without end.
        raise TomlFileError("The file is not TOML: a value in it is too large.") from error


def place_of(location: Iterable[str | int]) -> str:
    """Return the place of a value, such as ``force_areas[1].partnerships[2].csp``."""
    said = ""
    for part in location:
        said += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if said else str(part)
    return said


def plain_text(text: str) -> str:
    """Return a text in one form: composed characters, spaces of any kind single."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def seen_text(text: str) -> str:
    """Return a text as it is. Raises ValueError for a sign in it that does not show."""
    if unseen := sorted({sign for sign in text if unicodedata.category(sign) in _UNSEEN}):
        raise ValueError(f"holds a character that does not show (U+{ord(unseen[0]):04X})")
    return text


def published_text(text: str) -> str:
    """Return a text that may be published, in one form.

    Raises ValueError, whose message says what is wrong, for a sign that does not show, for letters
    of another script than Latin, which look like others, and for what looks like an identifier.
    """
    seen_text(text)
    if foreign := [sign for sign in text if sign.isalpha() and not _is_latin(sign)]:
        name = unicodedata.name(foreign[0], "a letter without a name")
        raise ValueError(
            f"holds a letter that is not Latin and may look like one (U+{ord(foreign[0]):04X}, "
            f"{name.capitalize()})"
        )
    if holds_identifier(text):
        raise ValueError("holds what looks like an identifier or a telephone number of a person")
    return plain_text(text)


def _is_latin(sign: str) -> bool:
    return unicodedata.name(sign, "").startswith(_LATIN)

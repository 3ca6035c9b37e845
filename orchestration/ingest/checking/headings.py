"""Compares headings and labels as people write them with those of a contract.

Line breaks, spaces of any kind, capitals and references to notes do not count.
"""

import functools
import re
import unicodedata
from collections.abc import Collection, Sequence
from fnmatch import fnmatchcase

_NOTE = re.compile(r"\s*[\[(]\s*(?:see\s+)?notes?\b[^\])]*[\])]", re.IGNORECASE)
_SIGNS = re.compile(r"[\u00b9\u00b2\u00b3\u2070-\u2079*\u2020\u2021]+$")
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b\u200c\u200d\u2060\u00ad"))
_NUMBERS = re.compile(r"(?<=[^\W\d])\d{1,2}(?:\s*,\s*\d{1,2})*$")


def plain(title: str) -> str:
    """Return a heading without note references and invisible signs, its spaces single."""
    seen = _NOTE.sub("", title.translate(_INVISIBLE))
    return " ".join(_SIGNS.sub("", " ".join(seen.split())).split())


@functools.lru_cache(maxsize=10_000)
def heading_key(title: str) -> str:
    """Return what two spellings of a heading have in common."""
    return "".join(unicodedata.normalize("NFKC", plain(title)).casefold().split())


def fits(title: str, pattern: str) -> bool:
    """Say whether a heading is of a pattern with * and ?, however it is spelled."""
    return fnmatchcase(heading_key(title), "".join(pattern.casefold().split()))


def known_headings(titles: Sequence[str | None], known: Collection[str]) -> list[str | None]:
    """Return each heading as ``known`` spells it, or as it is where it is none of them.

    A number at its end that is a footnote's is left out where only so it is a known one.
    """
    by_key = {heading_key(heading): heading for heading in known}

    def spelled(title: str | None) -> str | None:
        if title is None or title in known:
            return title
        key = heading_key(title)
        return by_key.get(key) or by_key.get(_NUMBERS.sub("", key)) or title

    return [spelled(title) for title in titles]

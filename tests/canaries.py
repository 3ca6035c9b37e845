"""Canaries: made-up identifiers, names and days, in many spellings, to look for where none may be.

No canary is anybody's: the identifiers are of no number that was issued, the surname is of nobody.
"""

import re
import unicodedata
from collections.abc import Iterator

SURNAME = "Zwetschkenbaum"
IDENTIFIERS = {
    "pnc": "2016/9912399Q",
    "pnc of another form": "16/991239Q",
    "crn": "X993312",
    "nominal": "N9933127",
    "nominal of another form": "35NOM/993312",
    "offence": "CF9933127",
    "young person": "993312",
    "response": "99331277",
    "prison number": "A9331ZX",
    "criminal record": "993312/91Z",
    "National Insurance": "QQ993312C",
    "custody": "35PZ/9931/18",
    "telephone": "07700900993",
    "postcode": "PE93 9ZZ",
}
BIRTHS = (
    "1971-09-23", "23/09/1971", "23.09.1971", "23 September 1971", "Sept 23rd, 1971", "19710923",
    "23-09-71",
)  # fmt: skip
NAMES = (
    SURNAME,
    f"{SURNAME}, Quirin",
    f"Quirin {SURNAME}",
    f"Mr {SURNAME}",
    f"{SURNAME}@example.org",
)


def spellings(canary: str) -> Iterator[str]:
    """Yield a canary as people write it: capitals, separators, scripts, signs that are not seen."""
    compact = "".join(sign for sign in canary if sign.isalnum())
    yield from (canary, canary.lower(), canary.upper(), compact, compact.lower())
    yield from (canary.replace("/", sign) for sign in "-. \u2013\u2044|" if "/" in canary)
    yield from (f"x {canary}", f"{canary} (see file)", f"({canary})", f"'{canary}'", f"a{canary}z")
    yield " ".join(compact)
    yield unicodedata.normalize("NFKC", canary).translate(
        {sign: sign + 0xFEE0 for sign in range(0x21, 0x7F)}
    )
    yield "\u200b".join(canary)
    yield canary[:4] + "\u00ad" + canary[4:]


def canaries() -> list[str]:
    """Return every canary in every spelling."""
    of_all = (*IDENTIFIERS.values(), *BIRTHS, *NAMES)
    return list(dict.fromkeys(one for canary in of_all for one in spellings(canary)))


def squeezed(text: str) -> str:
    """Return the letters and digits of a text, in one spelling."""
    plain = unicodedata.normalize("NFKC", text)
    return re.sub(r"[\W_]", "", plain).casefold()


MARKS = sorted(
    {squeezed(one) for one in (*IDENTIFIERS.values(), SURNAME, "Quirin", *BIRTHS)}
    | {"9912399", "993312", "991239", "9933127", "7700900993"}
)
"""What no text may hold, once it is squeezed."""


def found_in(text: str) -> list[str]:
    """Return the marks that a text holds."""
    seen = squeezed(text)
    return [mark for mark in MARKS if mark in seen]

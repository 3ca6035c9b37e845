"""Texts that look like a person's identifier, date or number, in whatever spelling.

What is not bounded by a list or a form (a title, a name, a note) may hold anything. Here it is
judged by what it looks like: identifiers of every kind that the contracts declare and of those that
partners use beside them, telephone numbers, postcodes, e-mail addresses, days.
"""

import re
import unicodedata

_INVISIBLE = re.compile(r"[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]")
_DASHES = re.compile(r"[\u2010-\u2015\u2212\ufe58\ufe63\uff0d_]")
_SEPARATORS = r"[\s/\\.,:;|*'\"()\[\]#-]*"

_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
_DAY = (
    r"\d{4}[\s/\\.,-]+\d{1,2}[\s/\\.,-]+\d{1,2}|\d{1,2}[\s/\\.,-]+\d{1,2}[\s/\\.,-]+\d{4}"
    r"|\d{1,2}[/\\.-]\d{1,2}[/\\.-]\d{2}|(?:19|20)\d{6}|[0-3]\d[01]\d(?:19|20)\d{2}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?[\s.,-]*(?:{_MONTHS})[a-z]*[\s.,-]*\d{{2,4}}"
    rf"|(?:{_MONTHS})[a-z]*[\s.,-]*\d{{1,2}}(?:st|nd|rd|th)?[\s.,-]+\d{{2,4}}"
)
_KINDS = {
    "an identifier of the police": r"(?:\d{2}|\d{4})\s*[/\\.:|#-]+\s*\d{1,7}[\s/.-]*[a-z]"
    r"|(?:\d{2}|\d{4})\s+\d{4,7}[\s/.-]*[a-z]|\d{7,11}[\s/.-]*[a-z]",
    "a criminal record number": r"(?:sf\s*\d{2}\s*[/-]\s*\d{1,6}|\d{1,6}\s*[/-]\s*\d{2})\s*-?[a-z]",
    "a prison number": rf"[a-z]{_SEPARATORS}\d{{4}}{_SEPARATORS}[a-z]{{2}}",
    "a case reference": rf"[a-z]{{1,3}}{_SEPARATORS}\d{{5,8}}",
    "a National Insurance number": rf"[a-z]{{2}}(?:{_SEPARATORS}\d{{2}}){{3}}{_SEPARATORS}[a-d]?",
    "a reference of the force": r"\d{2}[a-z]{2,3}\s*[/.-]?\s*\d{3,6}(?:\s*[/.-]?\s*\d{2,4})?",
    "a postcode": r"[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}",
    "an e-mail address": r"[\w.+-]+@[\w-]+\.[\w.]+",
    "a long number": r"\d{6}|\+?\(?\d(?:[\s/\\.)-]{0,2}\d){6,14}",
}


def _compiled(kinds: dict[str, str]) -> dict[str, re.Pattern[str]]:
    return {kind: re.compile(rf"(?<![a-z\d])(?:{form})(?![a-z\d])") for kind, form in kinds.items()}


_IDENTIFIERS = _compiled(_KINDS)
_A_DAY = _compiled({"a date": _DAY})["a date"]

_HARMLESS = re.compile(
    r"(?<![A-Za-z\d])(?:[EWSNKJ]\d{8}|(?:19|20)\d\d[/-](?:0[1-9]|[1-9]\d))(?![A-Za-z\d/-])"
)
"""A GSS code, a month and a financial year, which are no reference of anybody."""

_MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d-(?:0[1-9]|1[0-2])(?!\d)")

_DAY_OF_A_TABLE = re.compile(r"(?<=-tables-)\d{6}(?=\.)")
"""The day in the name of a table that a department publishes."""

_YEAR = re.compile(r"(?:19|20)\d\d")

_NUMBER = re.compile(r"[+-]?[\d,]{1,10}(?:\.\d+)?")
"""A number as a public table or a coordinate has it."""


def spelled_plainly(text: str) -> str:
    """Return a text in small letters, in one spelling of digits, dashes and spaces."""
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    digits = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in letters)
    return _DASHES.sub("-", digits).casefold()


def identifying(text: str) -> str | None:
    """Return what a text holds that may identify a person, such as 'a date'; None for nothing."""
    plain = spelled_plainly(_HARMLESS.sub(" ", text))
    if _A_DAY.search(plain):
        return "a date"
    return next((kind for kind, form in _IDENTIFIERS.items() if form.search(plain)), None)


def identifying_in_note(text: str, last_birth: int) -> str | None:
    """Return what a note holds that may identify a person; None for nothing.

    A day is none where it lies in a year after ``last_birth``.
    """
    kind = identifying(text)
    if kind != "a date":
        return kind
    years = [int(year) for year in _YEAR.findall(spelled_plainly(text))]
    if not years or min(years) <= last_birth:
        return "a date of birth, perhaps"
    plain = _A_DAY.sub(" ", spelled_plainly(_HARMLESS.sub(" ", text)))
    return next((kind for kind, form in _IDENTIFIERS.items() if form.search(plain)), None)


def holds_identifier(text: str) -> bool:
    """Say whether a text of a public source holds what looks like an identifier of a person.

    A day is none, nor a number of up to eight digits: such a source is about days and counts.
    """
    if _NUMBER.fullmatch(text) and sum(sign.isdigit() for sign in text.partition(".")[0]) <= 8:
        return False
    text = _DAY_OF_A_TABLE.sub(" ", text)
    plain = spelled_plainly(_MONTH.sub(" ", _HARMLESS.sub(" ", text)))
    plain = _A_DAY.sub(" ", plain)
    return any(form.search(plain) for form in _IDENTIFIERS.values())

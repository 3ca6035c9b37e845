"""A supplier's own texts as messages, reports and published tables may show them.

Of a source about people a text is shown only where it is harmless by a rule: an agreed value or
heading, words that the project knows, a short number or code, a day too recent to be a birth. Of
any other text the kind and the length are shown: "a text of 14 characters". Of other sources a
text is shown unless it looks like an identifier of a person.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path, PurePosixPath

from orchestration.config.identifying_texts import (
    holds_identifier,
    identifying,
    identifying_in_note,
    spelled_plainly,
)
from orchestration.errors import LandingError, readable
from orchestration.ingest.checking.contract import Column, Contract, load_contracts
from orchestration.ingest.checking.faults import Fault, with_given
from orchestration.ingest.checking.headings import heading_key
from orchestration.ingest.checking.known_places import (
    AREAS,
    POLICE_FORCES,
    PRISONS,
)
from orchestration.ingest.checking.named_periods import named_spans

_PLAIN_WORDS = """
    accommodation address all amended and annual apr april area areas assessed assessment
    assessments assisted aug august background bak by case caseload charges code codes cohort
    column columns comment comments community contact contents copy corrected correction council
    county cover csp csv data db dec december delivery desktop district districts doc docx draft
    ds email export extra extract extracts false feb february file files final first for force
    forename forenames from further geojson guidance gz half header hmp id in information ini
    introduction iom item items jan january jul july jun june known late later list listed lock
    managed mar march may mobile month monthly name names new no note notes nov november number
    numbers oasys oct october ods of offences offender offenders offending officer old on one or
    other out part partial partnership partnerships pdf people perception perceptions period
    phone postcode prison public quarter quarterly rate rates real reason receipt record records
    ref reference register registrations release released releases remark remarks report resent
    resident residents responses return returns revised row rows safer safety sample second sep
    sept september service services sheet snapshot source sources status store summary supplier
    surname surnames survey system table tables team telephone temp test third three thumbs
    title tmp to total true two txt unknown update updated valuables version week weekly with
    without xls xlsx year yearly years yos youth zip
"""

_BIRTH = 10
"""Nobody younger than this is in a source about people, so a later day is nobody's birth."""

_LONGEST = 100
"""Most characters of a text that are shown."""

_PERIODS = re.compile(r"(?<!\d)(?:19|20)\d{2}(?:-(?:0[1-9]|1[0-2])(?:-[0-3]\d)?|-\d{2})?(?!\d)")
"""Years, months, days and financial years in the name of a file."""

_WORDS = re.compile(r"[^\W\d_]+")
_FINANCIAL_YEARS = re.compile(r"(?<!\d)20\d{2}[/-]\d{2}(?!\d)")
_YEAR = 4
"""Digits of a year, of which a text of known words may have one."""
_SHORT_CODE = re.compile(r"[0-9]{1,3}[A-Za-z]?(?:[./][0-9]{1,2})?|[A-Za-z]{0,2}[0-9]{1,2}|.")
_DAY = re.compile(
    r"(20\d{2})(?:-\d{1,2}(?:-\d{1,2})?|/\d{2})?(?:[ T]00:00(?::00)?)?"
    r"|\d{1,2}[/.-]\d{1,2}[/.-](20\d{2})"
)
"""A day, a month or a year as people write them, whether or not there is such a day."""

_GSS = re.compile(r"[EWSNKJ][0-9]{8}")
_ERROR = re.compile(
    r"#(?:N/A|REF!|DIV/0!|VALUE!|NAME\?|NUM!|NULL!|SPILL!|CALC!|FIELD!|BLOCKED!|UNKNOWN!|CONNECT!"
    r"|BUSY!|PYTHON!|EXTERNAL!|GETTING_DATA)|#{3,}|Err ?:\d{3}",
    re.IGNORECASE,
)
"""What a spreadsheet program shows for an error; other texts with a # may be anything."""

_QUARTER = re.compile(r"\d{4}-\d{2}-\d{2}")
_COUNT = re.compile(r"[+<>-]?[0-9]{1,4}(?:[.,][0-9])?")
_ONLY_NUMBER = re.compile(r"[+-]?[\d\s.,]*\d[\d\s.,]*")
_FEW = 2
"""So many single letters or digits beside known words say nothing of anybody."""


def described(text: str) -> str:
    """Return the kind and the length of a text, and nothing of what it says."""
    if _ONLY_NUMBER.fullmatch(text):
        kind = "a number"
    else:
        kind = "a date" if identifying(text) == "a date" else "a text"
    return f"{kind} of {len(text):,} character{'' if len(text) == 1 else 's'}"


# --- what is known ---------------------------------------------------------------------------


@functools.cache
def _project_words() -> frozenset[str]:
    """Return the words of the contracts and the names of areas."""
    found = set(_PLAIN_WORDS.split())
    for text in [*_contract_texts(), *AREAS]:
        found |= set(_words_of(text))
    return frozenset(found)


def _contract_texts() -> Iterator[str]:
    for contract in load_contracts().values():
        yield from (contract.source, contract.title, contract.supplier, *contract.ignored_sheets)
        for column in contract.columns:
            # A list of places (towns) has names of people among its words.
            values = column.allowed if column.name != contract.area else None
            yield from (column.name, column.title, *(values or ()))


def _words_of(text: str) -> list[str]:
    return _WORDS.findall(spelled_plainly(text))


@functools.cache
def _whole_names() -> re.Pattern[str]:
    """Return the pattern of a police force or a prison, its words with single spaces between."""
    prisons = [f"{kind} {name}" for name in PRISONS for kind in ("HMP", "HMP YOI", "HMYOI", "YOI")]
    names = sorted((" ".join(_words_of(one)) for one in (*POLICE_FORCES, *prisons)), key=len)
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, reversed(names)))})\b")


@dataclass(frozen=True)
class Vocabulary:
    """The words that are harmless wherever they come: those of the project and of its settings."""

    words: frozenset[str]

    @classmethod
    def with_names(cls, names: Iterable[str] = ()) -> "Vocabulary":
        """Return the project's words and those of ``names``, such as the partnerships'."""
        return cls(_project_words() | {word for name in names for word in _words_of(name)})

    def knows(self, text: str) -> bool:
        """Say whether a text is of known words, single letters and short numbers alone."""
        if identifying(text) or _digits(_FINANCIAL_YEARS.sub(" ", text)) > _YEAR:
            return False
        return self._knows_words(text)

    def knows_file(self, name: str, quarter: date | None) -> bool:
        """Say whether a file's name is of known words, short numbers and its period alone."""
        return self._knows_words(name) and _is_period(name, quarter)

    def _knows_words(self, text: str) -> bool:
        words = _whole_names().sub(" ", " ".join(_words_of(text))).split()
        # Single letters may spell a name.
        return sum(len(word) == 1 for word in words) <= _FEW and all(
            len(word) == 1 or word in self.words for word in words
        )


def _is_period(name: str, quarter: date | None) -> bool:
    """Say whether the digits of a file's name are of days that are nobody's birth, or few."""
    if any(
        span.first.year <= _last_birth(quarter)
        for part in name.split("/")
        for span in named_spans(part)
    ):
        return False
    rest = _PERIODS.sub(" ", name.replace("_", "-"))
    return _digits(rest) <= _FEW


def _digits(text: str) -> int:
    return sum(sign.isdigit() for sign in text)


# --- what is shown ---------------------------------------------------------------------------


@dataclass(frozen=True)
class ShownTexts:
    """How the texts of one delivery may be shown.

    ``files`` are the names of its files, in order; ``quarter`` is that of the delivery, none where
    it is not known yet.
    """

    contract: Contract
    vocabulary: Vocabulary
    quarter: date | None = None
    files: Sequence[str] = ()
    _names: dict[str, str] = field(default_factory=dict, compare=False)

    def faults(self, found: Iterable[Fault]) -> list[Fault]:
        """Return faults as they may be shown, wherever that is."""
        return [self.fault(one) for one in found]

    def fault(self, fault: Fault) -> Fault:
        """Return a fault as it may be shown; one that is so already stays as it is."""
        if fault.is_shown:
            return fault
        return replace(
            fault,
            message=with_given(fault.message, self.text),
            file=None if fault.file is None else self.file(fault.file),
            sheet=None if fault.sheet is None else self.text(fault.sheet),
            column=None if fault.column is None else self.heading(fault.column),
            value=None if fault.value is None else self.value(fault.column, fault.value),
            is_shown=True,
        )

    def value(self, title: str | None, text: str) -> str:
        """Return a value found under a heading, or its kind and length."""
        if not self.contract.about_people:
            return self._public(text)
        column = next((one for one in self.contract.columns if one.title == title), None)
        harmless = column is None or not column.personal
        if harmless and self._is_harmless(text, column):
            return text
        return described(text)

    def text(self, text: str) -> str:
        """Return a heading, a sheet's or series' name or a day, or its kind and length."""
        if not self.contract.about_people:
            return self._public(text)
        if text in self.files or PurePosixPath(text).suffix.lower() in _KINDS_OF_FILE:
            return self.file(text)
        return readable(text) if self.may_show(text) else described(text)

    def may_show(self, text: str) -> bool:
        """Say whether a name or a heading is one that everybody may read."""
        if not self.contract.about_people:
            return not holds_identifier(text)
        return self._is_agreed(text) or self.vocabulary.knows(text) or self._is_recent(text)

    def heading(self, text: str) -> str:
        """Return a heading as :meth:`text` does; letters of a sheet's column are one as well."""
        return text if re.fullmatch(r"[A-Z]{1,3}", text) else self.text(text)

    def file(self, name: str) -> str:
        """Return the name of a file or, where it may hold a person's, its place in the delivery."""
        if not self.contract.about_people:
            return self._public(name)
        if name not in self._names:
            number = self.files.index(name) + 1 if name in self.files else None
            self._names[name] = self.numbered_file(name, number)
        return self._names[name]

    def numbered_file(self, name: str, number: int | None) -> str:
        """Return a file's name as :meth:`file` does, by its number in the delivery."""
        if not self.contract.about_people:
            return self._public(name)
        if self.vocabulary.knows_file(name, self.quarter):
            return name
        suffix = PurePosixPath(name).suffix.lower()
        kind = suffix if suffix in _KINDS_OF_FILE else ""
        place = f"file {number}" if number else "a file"
        return f"{place} (a name of {len(name)} characters{f', {kind}' if kind else ''})"

    def _public(self, text: str) -> str:
        if holds_identifier(text):
            return described(text)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"

    def _is_agreed(self, text: str) -> bool:
        """Say whether the contract has the text itself, as a heading or an agreed value."""
        return heading_key(text) in _agreed(self.contract)

    def _is_harmless(self, text: str, column: Column | None) -> bool:
        if len(text) == 1 or _ERROR.fullmatch(text):
            return True
        if self._is_agreed(text) or self._is_recent(text):
            return True
        if column is not None and column.type not in ("VARCHAR", "DATE"):
            return bool(_COUNT.fullmatch(text))
        if column is None:
            return bool(_COUNT.fullmatch(text)) or self.vocabulary.knows(text)
        if column.type == "DATE":
            return False
        if _SHORT_CODE.fullmatch(text) or _GSS.fullmatch(text):
            return True
        is_wordy = not column.pattern or not _digits(text)
        return is_wordy and self.vocabulary.knows(text)

    def _is_recent(self, text: str) -> bool:
        """Say whether a text is a day, or a span of days, that is nobody's birth."""
        days = [_DAY.fullmatch(day) for day in text.split(" to ")]
        if len(days) > 2:
            return False
        years = [int(day[1] or day[2]) if day else 0 for day in days]
        return all(_last_birth(self.quarter) < year for year in years)


def shown_path(path: str | Path) -> str:
    """Return a path as an error may show it: what a supplier named only where it names nobody.

    That is what follows a delivery's folder, or else the last part.
    """
    parts = Path(path).parts
    quarters = [place for place, part in enumerate(parts) if _QUARTER.fullmatch(part)]
    first = quarters[-1] + 1 if quarters else len(parts) - 1
    name = "/".join(parts[first:])
    if Vocabulary.with_names().knows_file(name, None):
        return str(path)
    return f"a file in {Path(*parts[:first])} (a name of {len(name)} characters)"


def neutral_file_name(source: str, quarter: date, version: int, number: int, name: str) -> str:
    """Return what a file of a source about people is called where everybody may read it.

    ``number`` is its place in the delivery; of its real name only the kind of file is kept.
    """
    suffix = PurePosixPath(name).suffix.lower()
    kind = suffix if suffix in _KINDS_OF_FILE else ""
    return f"{source}_{quarter.isoformat()}_v{version}_file_{number}{kind}"


def refuse_identifying(option: str, text: str, quarter: date | None) -> None:
    """Raise :class:`LandingError` where a note on a delivery may identify a person.

    It names the option and what the text holds, and never the text.
    """
    if kind := identifying_in_note(text, _last_birth(quarter)):
        raise LandingError(
            f"{option} holds what looks like {kind} (a text of {len(text)} characters). A note may "
            "say nothing of a person: leave that out."
        )


def _last_birth(quarter: date | None) -> int:
    """Return the last year in which somebody can be born who is in a delivery of a quarter."""
    return (quarter or date.today()).year - _BIRTH


_KINDS_OF_FILE = (".csv", ".xlsx", ".xls", ".ods", ".zip", ".gz", ".txt", ".pdf", ".docx")


@functools.lru_cache(maxsize=64)
def _agreed_of(titles: tuple[str, ...]) -> frozenset[str]:
    return frozenset(heading_key(one) for one in titles)


def _agreed(contract: Contract) -> frozenset[str]:
    titles = [one.title for one in contract.columns] + [one.name for one in contract.columns]
    values = [value for one in contract.columns for value in one.allowed or ()]
    return _agreed_of((*titles, *values))

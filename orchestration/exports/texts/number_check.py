"""The check of numbers that are typed into a text: pure functions of the text and the figures.

A number is looked at where its sentence names a subject (``subjects.toml``). It is in order where
it is a figure of the subject now, or of a period that the sentence names. It **contradicts** the
release where it is the value that a figure had in an earlier release, or is followed by a unit of
the subject ("1,300 offences"). Any other number of the sentence is **not found**, a warning.

Years, days, months, quarters, ordinals, numbers of tables, acts and sections, durations, ages,
times, money and "per 1,000" are no figures. ``docs/texts.md`` describes the rules.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from orchestration.exports.texts.figure_catalogue import Figure
from orchestration.exports.texts.references import line_of, replaced
from orchestration.exports.texts.subjects import Subject
from orchestration.exports.texts.text_files import without_comments

_MONTHS = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?"
)
_DASH = r"[-\u2010-\u2015/]"
_NOT_FIGURES = re.compile(
    "|".join(
        (
            rf"\d{{1,2}}(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTHS}(?:\s+\d{{4}})?",
            rf"{_MONTHS}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+\d{{4}})?\b(?![,.]\d)",
            rf"\b\d{{4}}{_DASH}\d{{1,2}}{_DASH}\d{{1,2}}\b|\b\d{{1,2}}([/.])\d{{1,2}}\1\d{{2,4}}\b",
            rf"\b(?:19|20)\d\d(?:\s?{_DASH}\s?(?:(?:19|20)?\d\d))?(?![\d,.]*\d|\s?%)",
            r"\bQ[1-4]\b|\bquarter\s+\d\b|\b\d+(?:st|nd|rd|th)\b",
            r"\b(?:table|figure|appendix|annex|section|sections|s\.|act|chapter|page|pages|part"
            r"|paragraph|recommendation|priority|step|phase|stage|wave|band|ward|zone|tier|level"
            r"|no\.|number|operation|project|priorities|recommendations)\s*\d+(?:\.\d+)*",
            rf"\b\d+(?:\s?(?:{_DASH}|to|and)\s?\d+)?[\s-]?(?:years?|months?|weeks?|days?|hours?"
            r"|minutes?|am|pm|miles?|metres?|km|m|p\.m\.|a\.m\.)\b",
            rf"\b(?:aged?|ages|under|over)\s+\d{{1,2}}(?:\s?(?:{_DASH}|to|and)\s?\d{{1,2}})?\b"
            r"(?![,.]\d|\s?%|\s+[a-z])",
            r"[\u00a3$\u20ac]\s?\d[\d,.]*\d*\s?(?:m|bn|k|million|billion|thousand)?\b",
            r"\bper\s+(?:1,000,000|100,000|10,000|1,000|1000|100)\b",
            r"\b\d+\s+(?:in|out of)\s+\d+\b|\b\d{1,2}:\d\d\b|\b24/7\b",
            r"\b95\s?(?:%|per\s?cent)\s+(?:confidence|limits?|intervals?)",
        )
    ),
    re.I,
)
_NUMBER = re.compile(
    r"(?<![\w.,/\u2010-\u2015])(?<!\w-)(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\d\w])(\s?(?:%|per\s?cent))?"
)
_HIDDEN = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\]\([^)\n]*\)|<https?:[^>\s]*>|https?://\S+|^[ \t]*\d+[.)](?=\s)",
    re.S | re.M,
)
_SENTENCE_END = re.compile(
    r"[.!?][*_\"')\]]*(?=\s+[*_\"'(\[]*[A-Z\ufffc])|\n\s*\n|\n(?=\s*(?:[-*+>|#]|\d+[.)]\s))"
)
_ABOUT = re.compile(
    r"\b(about|around|roughly|some|approximately|circa|nearly|almost|just under|under|fewer than"
    r"|less than|over|more than|just over|at least)\s+$",
    re.I,
)
_UPWARDS = frozenset({"over", "more than", "just over", "at least"})
_DOWNWARDS = frozenset({"nearly", "almost", "just under", "under", "fewer than", "less than"})
_REFERENCE = "\ufffc"
_MOST_DECIMALS = 6


@dataclass(frozen=True)
class TypedNumber:
    """A number in a text: as it is written, its value, and the sentence around it.

    ``approximate`` is the word before it that says how near it is; ``after`` is what follows it.
    """

    written: str
    line: int
    value: Decimal
    is_percent: bool
    approximate: str
    sentence: str
    after: str


@dataclass(frozen=True)
class SubjectFigures:
    """What is known of a subject: every number of its table, and its figures with short names.

    ``known`` has every area and period, ``latest`` the periods of its latest rows. ``earlier`` are
    the values of figures with short names in earlier releases, each with a name of the release,
    such as "the release of Q2 2018/19".
    """

    subject: Subject
    current: Sequence[Figure]
    known: Sequence[Figure]
    latest: frozenset[str]
    earlier: Sequence[tuple[str, Figure]] = ()


@dataclass(frozen=True)
class NumberFault:
    """What is wrong with a typed number, in a sentence; ``rule`` is its code."""

    number: TypedNumber
    rule: Literal["contradicts-release", "number-not-found"]
    message: str
    remedy: str


def typed_numbers(text: str) -> list[TypedNumber]:
    """Return the numbers of a Markdown text that may be figures, in order."""
    plain = _without_references(text)
    masked = _NOT_FIGURES.sub(_blank, _HIDDEN.sub(_blank, plain))
    found = []
    for start, end in _sentences(plain):
        for number in _NUMBER.finditer(masked, start, end):
            approximate = _ABOUT.search(masked[max(start, number.start() - 20) : number.start()])
            found.append(
                TypedNumber(
                    written=" ".join(text[number.start() : number.end()].split()),
                    line=line_of(text, number.start()),
                    value=Decimal((number[1] + (number[2] or "")).replace(",", "")),
                    is_percent=bool(number[3]),
                    approximate=approximate[1].lower() if approximate else "",
                    sentence=" ".join(plain[start:end].split()),
                    after=" ".join(plain[number.end() : end].split()),
                )
            )
    return found


def check_numbers(
    text: str, subjects: Sequence[SubjectFigures], implied: frozenset[str] = frozenset()
) -> list[NumberFault]:
    """Return the typed numbers of a text that the figures contradict or do not have.

    ``implied`` names the subjects of the section that the text belongs to: a sentence that names
    none is about them, but only what contradicts an earlier release is then a fault.
    """
    faults = []
    for number in typed_numbers(text):
        named = [one for one in subjects if _names(number.sentence, one.subject.words)]
        about = named or [one for one in subjects if one.subject.name in implied]
        if not about or any(_is_in_order(number, one) for one in about):
            continue
        fault = _contradiction(number, about)
        if fault is None and named:
            fault = _not_found(number, named)
        if fault is not None:
            faults.append(fault)
    return faults


def is_of(number: TypedNumber, figure: Figure) -> bool:
    """Say whether a typed number is a figure, at the precision that it is typed with."""
    if figure.value is None or number.is_percent != figure.is_percent:
        return False
    if int(number.value.as_tuple().exponent) < -_MOST_DECIMALS:
        return False
    value = abs(Decimal(repr(figure.value)))
    if _rounded(value, number.value) == number.value:
        return True
    if not number.approximate or not number.value:
        return False
    unit = _unit(number.value)
    if number.approximate in _UPWARDS:
        return number.value <= value < number.value + unit
    if number.approximate in _DOWNWARDS:
        return number.value - unit < value <= number.value
    return abs(value - number.value) <= unit / 2


def _is_in_order(number: TypedNumber, one: SubjectFigures) -> bool:
    periods = {figure.period for figure in one.known}
    named = one.latest | {period for period in periods if _mentions(number.sentence, period)}
    figures = [*one.current, *(figure for figure in one.known if figure.period in named)]
    return any(is_of(number, figure) for figure in figures)


def _contradiction(number: TypedNumber, about: Sequence[SubjectFigures]) -> NumberFault | None:
    for one in about:
        for release, figure in one.earlier:
            if is_of(number, figure) and (fault := _outdated(number, one, release, figure)):
                return fault
        if _names(number.sentence, one.subject.words) and _has_unit(number, one.subject):
            return NumberFault(
                number,
                "contradicts-release",
                f"No figure of {one.subject.title.lower()} has this value now, or for a period "
                "that the sentence names.",
                "Correct it, insert the figure by its name (`csp texts figures` lists them), or "
                f'keep it: {{{{ typed "{number.written}" }}}}.',
            )
    return None


def _outdated(
    number: TypedNumber, one: SubjectFigures, release: str, figure: Figure
) -> NumberFault | None:
    """Say what replaces the value that a figure had in an earlier release; none if nothing does."""
    was = f"{figure.label} was {figure.exact} in {release}{_of(figure)}."
    same = (figure.label, figure.area, figure.period)
    revised = next((now for now in one.known if (now.label, now.area, now.period) == same), None)
    if revised and _mentions(number.sentence, figure.period):
        message = f"{was} It has been revised: this release has {revised.shown} for that period."
        return NumberFault(number, "contradicts-release", message, "Write the revised figure.")
    current = next((now for now in one.current if now.name == figure.name), None)
    if current is None:
        return None
    return NumberFault(
        number,
        "contradicts-release",
        f"{was} This release has {current.shown}{_of(current)}.",
        f'Write {{{{ figure "{figure.name}" }}}} in its place, or name the period in the sentence.',
    )


def _of(figure: Figure) -> str:
    return f" ({figure.period})" if figure.period else ""


def _not_found(number: TypedNumber, about: Sequence[SubjectFigures]) -> NumberFault:
    titles = " or ".join(one.subject.title.lower() for one in about)
    return NumberFault(
        number,
        "number-not-found",
        f"The sentence is about {titles}, and no figure of it has this value.",
        f'Look at it. If it is meant, write {{{{ typed "{number.written}" }}}}.',
    )


def _without_references(text: str) -> str:
    """Return a text of the same length with blanks in the place of comments and references."""
    return replaced(
        without_comments(text), lambda _, one: _REFERENCE + " " * (one.end - one.start - 1)
    )


def _blank(found: re.Match[str]) -> str:
    """Return what was found with blanks in the place of its digits."""
    return re.sub(r"\d", "\u2007", found[0])


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for end in _SENTENCE_END.finditer(text):
        yield start, end.end()
        start = end.end()
    yield start, len(text)


def _names(sentence: str, words: Sequence[str]) -> bool:
    return any(_mentions(sentence, word) for word in words)


def _mentions(sentence: str, words: str) -> bool:
    """Say whether a sentence has words as such; a hyphen and a space are alike."""
    if not words:
        return False
    pattern = r"[\s-]+".join(re.escape(word) for word in re.split(r"[\s-]+", words))
    return re.search(rf"(?<![\w/]){pattern}(?![\w/])", sentence, re.I) is not None


def _has_unit(number: TypedNumber, subject: Subject) -> bool:
    """Say whether a unit of the subject follows a number: 1,300 (recorded shoplifting) offences."""
    words = "|".join(map(re.escape, ("recorded", *subject.words)))
    return any(
        re.match(rf"(?:(?:{words})\s+)*{re.escape(unit)}(?!\w)", number.after, re.I)
        for unit in subject.units
    )


def _rounded(value: Decimal, like: Decimal) -> Decimal:
    """Round a value to as many decimals as another number has, halves up."""
    exponent = like.as_tuple().exponent
    return value.quantize(Decimal(1).scaleb(int(exponent)), rounding=ROUND_HALF_UP)


def _unit(value: Decimal) -> Decimal:
    """Return the unit of a number's last digit that is not 0: 100 of 1,200, 0.1 of 8.9."""
    return Decimal(1).scaleb(int(value.normalize().as_tuple().exponent))

"""The texts of a partnership in a release: what the pack shows of them, and what is wrong.

A faulty text never stops an export. The pack shows the part with a notice of what is wrong; a part
that holds an identifier, or cannot be read, is replaced by the notice.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from html import unescape
from pathlib import Path

from orchestration.config.identifying_texts import holds_identifier
from orchestration.config.quarters import quarter_label
from orchestration.config.toml_files import seen_text
from orchestration.errors import did_you_mean
from orchestration.exports.texts.figure_catalogue import FigureCatalogue, UnknownFigureError
from orchestration.exports.texts.number_check import SubjectFigures, check_numbers
from orchestration.exports.texts.references import Placed, Reference, references, replaced
from orchestration.exports.texts.text_blocks import Block, Span, blocks, is_link
from orchestration.exports.texts.text_files import (
    OPENING_PARTS,
    PARTS,
    TextFile,
    texts_in_force,
    unknown_files,
    unknown_folders,
    unreadable_folders,
    without_comments,
)

_ADDRESSES = re.compile(r"mailto:([\w.+-]+@[\w-]+\.[\w.-]*\w)")
_YEARS = re.compile(r"\b(?:19|20)\d\d\s?[-\u2010-\u2015/]\s?(?:19|20)\d\d\b")
_EMPHASIS = re.compile(r"[*`\\]|(?<!\w)_|_(?!\w)")
_LINK = re.compile(r"\]\(\s*<?([^)\s>]+)")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]*>")
_ADDRESS_TAG = re.compile(r"<(?:[a-z][a-z0-9+.-]+:[^\s<>]*|[\w.+-]+@[\w.-]+)>", re.I)


@dataclass(frozen=True)
class TextFault:
    """What is wrong in a text: file, line (0 for the whole file), value, rule and remedy.

    ``is_error`` where the check fails; ``hides`` where the part is not shown. ``value`` is empty
    where it may identify a person.
    """

    file: str
    line: int
    value: str
    rule: str
    message: str
    remedy: str
    is_error: bool = True
    hides: bool = False

    def __str__(self) -> str:
        """Return the fault in a line: file, line, value, what is wrong, what to do."""
        where = f"{self.file}, line {self.line}" if self.line else self.file
        value = f" '{self.value}':" if self.value else ""
        return f"{where}:{value} {self.message} {self.remedy}"


@dataclass(frozen=True)
class ShownText:
    """A part as the pack shows it.

    ``written_for`` names the earlier quarter that it was written for; ``notices`` what is wrong.
    """

    part: str
    title: str
    written_for: str
    blocks: tuple[Block, ...]
    notices: tuple[str, ...]


@dataclass(frozen=True)
class PackTexts:
    """The texts of a partnership: the parts in force, and what is wrong with any file."""

    shown: tuple[ShownText, ...] = ()
    faults: tuple[TextFault, ...] = ()

    def of(self, part: str) -> ShownText | None:
        """Return the text of a part, or none."""
        return next((one for one in self.shown if one.part == part), None)


def pack_texts(
    root: Path,
    csp: str,
    quarter: date,
    catalogue: FigureCatalogue,
    subjects: Sequence[SubjectFigures],
) -> PackTexts:
    """Return the texts in force of a partnership with the figures of a release in them."""
    shown, faults = [], list(_misplaced(root, csp, quarter, catalogue))
    for file in texts_in_force(root, csp, quarter):
        found = text_faults(file, catalogue, subjects)
        faults += found
        shown.append(_shown(file, quarter, catalogue, found))
    return PackTexts(tuple(shown), tuple(faults))


def text_identity(root: Path | None, csp: str, quarter: date) -> list[dict[str, str]]:
    """Return the files in force, each with its checksum: equal where the texts are."""
    return [
        {"file": file.name, "sha256": file.sha256} for file in texts_in_force(root, csp, quarter)
    ]


def text_faults(
    file: TextFile, catalogue: FigureCatalogue, subjects: Sequence[SubjectFigures]
) -> list[TextFault]:
    """Return what is wrong in a file, the whole file first, then by line."""
    if file.unreadable:
        return [
            TextFault(
                file.name, 0, "", "file-unreadable", f"The file {file.unreadable}.",
                "Save it as a text file in UTF-8.", hides=True,
            )
        ]  # fmt: skip
    plain = without_comments(file.text)
    if unfit := [*_unseen(file, plain), *_identifiers(file, plain)]:
        return unfit
    section = {
        one.subject.name
        for one in subjects
        for exhibit in catalogue.exhibits
        if exhibit.table == one.subject.table and exhibit.section == file.part
    }
    numbers = [
        TextFault(
            file.name, one.number.line, one.number.written, one.rule, one.message, one.remedy,
            is_error=one.rule == "contradicts-release",
        )
        for one in check_numbers(file.text, subjects, frozenset(section))
    ]  # fmt: skip
    found = [*_faulty_references(file, plain, catalogue), *numbers, *_markup(file, plain)]
    return sorted(found, key=lambda one: one.line)


def _shown(
    file: TextFile, quarter: date, catalogue: FigureCatalogue, faults: Sequence[TextFault]
) -> ShownText:
    hidden = any(one.hides for one in faults)
    marks = references(without_comments(file.text))
    return ShownText(
        part=file.part,
        title=PARTS[file.part],
        written_for="" if file.quarter == quarter else quarter_label(file.quarter),
        blocks=() if hidden else blocks(file.text, lambda n: _span(marks[n].reference, catalogue)),
        notices=tuple(dict.fromkeys(_notices(faults, hidden))),
    )


def _notices(faults: Sequence[TextFault], hidden: bool) -> Iterator[str]:
    """Say in the pack what is wrong with a part; an unknown figure is marked in its place."""
    if hidden:
        first = next(one for one in faults if one.hides)
        where = f", line {first.line}" if first.line else ""
        yield f"This text is not shown. {first.file}{where}: {first.message}"
        return
    for one in faults:
        if one.rule == "contradicts-release":
            yield f'Check the number "{one.value}" in this text. {one.message}'


def _span(reference: Reference, catalogue: FigureCatalogue) -> Span:
    if reference.kind == "typed":
        return Span(reference.text)
    if reference.kind == "faulty":
        return Span("[reference is not understood]", is_notice=True)
    try:
        return Span(catalogue.figure(reference).shown)
    except UnknownFigureError:
        return Span(f"[figure {reference.text} is not known]", is_notice=True)


def _faulty_references(
    file: TextFile, plain: str, catalogue: FigureCatalogue
) -> Iterator[TextFault]:
    for one in references(plain):
        fault = _reference_fault(one, catalogue)
        if fault:
            rule, message, remedy = fault
            yield TextFault(file.name, one.line, str(one.reference), rule, message, remedy)
    rest = replaced(plain, lambda _, one: "\n" * plain.count("\n", one.start, one.end))
    for number, line in enumerate(rest.split("\n"), start=1):
        if "{{" in line or "}}" in line:
            yield TextFault(
                file.name, number, "", "reference-not-understood",
                "Two braces are opened or closed without the others.",
                'Write {{ figure "NAME" }} or {{ typed "1,200" }}.',
            )  # fmt: skip


def _reference_fault(one: Placed, catalogue: FigureCatalogue) -> tuple[str, str, str] | None:
    if one.reference.kind == "faulty":
        return (
            "reference-not-understood",
            "Braces hold a reference, and this is none.",
            'Write {{ figure "NAME" }} or {{ typed "1,200" }}.',
        )
    if one.reference.kind == "figure":
        try:
            catalogue.figure(one.reference)
        except UnknownFigureError as error:
            return "unknown-figure", str(error), "The pack marks the place until it is corrected."
    return None


def _unseen(file: TextFile, plain: str) -> Iterator[TextFault]:
    for number, line in enumerate(plain.split("\n"), start=1):
        try:
            seen_text(line.replace("\t", " "))
        except ValueError as error:
            yield TextFault(
                file.name, number, "", "unseen-character", f"The line {error}.",
                "Type the line again.", hides=True,
            )  # fmt: skip


def _identifiers(file: TextFile, plain: str) -> Iterator[TextFault]:
    """Find identifiers in a line, and in two lines that follow each other."""
    lines = [_without_harmless(line) for line in plain.split("\n")]
    alone = [holds_identifier(line) for line in lines]
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        across = (
            bool(line.strip() and following.strip())
            and not (alone[number] or alone[number + 1])
            and holds_identifier(f"{line.rstrip()} {following.lstrip()}")
        )
        if alone[number] or across:
            yield TextFault(
                file.name, number + 1, "", "identifier",
                "It holds what looks like an identifier, address or telephone number of a person.",
                "Take it out; the pack is public.", hides=True,
            )  # fmt: skip


def _without_harmless(line: str) -> str:
    """Leave out spans of years, addresses to which the line itself links, and marks of emphasis."""
    line = _EMPHASIS.sub("", unescape(line))
    for address in _ADDRESSES.findall(line):
        line = line.replace(address, " ")
    return _YEARS.sub(" ", line)


def _markup(file: TextFile, plain: str) -> Iterator[TextFault]:
    """Find addresses to which no text links, and HTML; both are shown as they are typed."""
    for number, line in enumerate(plain.split("\n"), start=1):
        for link in _LINK.findall(line):
            if not is_link(link):
                yield TextFault(
                    file.name, number, link, "not-a-link",
                    "A link leads to http, https or mailto; this one is shown as it is typed.",
                    "Give the whole address.", is_error=False,
                )  # fmt: skip
        if tag := _TAG.search(_ADDRESS_TAG.sub("", line)):
            yield TextFault(
                file.name, number, tag[0], "html-as-typed",
                "HTML is shown as it is typed.", "Use Markdown.", is_error=False,
            )  # fmt: skip


def _misplaced(
    root: Path, csp: str, quarter: date, catalogue: FigureCatalogue
) -> Iterator[TextFault]:
    """Find files and folders that no pack shows, as their names are wrong."""
    for folder, reason in unreadable_folders(root, csp):
        yield TextFault(
            folder, 0, "", "folder-unreadable", f"The folder cannot be read: {reason}.",
            "Give the permission.",
        )  # fmt: skip
    for path in unknown_folders(root, csp):
        yield TextFault(
            f"{csp}/{path.name}", 0, path.name, "unknown-folder",
            "The folder is not named after the first day of a quarter, so nothing in it is shown.",
            "Name it as in 2018-10-01.",
        )  # fmt: skip
    for path in unknown_files(root, csp, quarter):
        yield TextFault(
            f"{csp}/{path.parent.name}/{path.name}", 0, path.name, "unknown-part",
            "The file is not named after a part of the pack, so it is not shown."
            f"{did_you_mean(path.stem, list(PARTS))}",
            f"The parts: {', '.join(f'{part}.md' for part in PARTS)}.",
        )  # fmt: skip
    sections = {exhibit.section for exhibit in catalogue.exhibits}
    for file in texts_in_force(root, csp, quarter):
        if file.part not in sections and file.part not in OPENING_PARTS:
            yield TextFault(
                file.name, 0, "", "section-absent",
                f'The release has no section "{PARTS[file.part]}", so the text is not shown.',
                "Nothing, if that is meant.", is_error=False,
            )  # fmt: skip

"""References in a text: ``{{ figure "NAME" }}`` and ``{{ typed "1,200" }}``.

A figure may be narrowed by values of columns: ``{{ figure "TABLE.COLUMN", pathway = "Drugs" }}``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

_MARK = re.compile(r"\{\{(.*?)\}\}", re.S)
_FIGURE = re.compile(r'\s*figure\s+"([^"]*)"\s*((?:,\s*\w+\s*=\s*"[^"]*"\s*)*)')
_TYPED = re.compile(r'\s*typed\s+"([^"]+)"\s*')
_WHERE = re.compile(r',\s*(\w+)\s*=\s*"([^"]*)"')
_QUOTES = str.maketrans("\u201c\u201d\u201e\u00ab\u00bb", '"' * 5)
"""Quotation marks that a word processor puts in the place of straight ones."""


@dataclass(frozen=True)
class Reference:
    """What is between two pairs of braces.

    ``text`` is the name of a figure, the typed text, or the words that are not understood.
    """

    kind: Literal["figure", "typed", "faulty"]
    text: str
    where: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return the reference without its braces and verb, for a message."""
        return ", ".join([self.text, *(f'{name} = "{value}"' for name, value in self.where)])


@dataclass(frozen=True)
class Placed:
    """A reference in a text: its line, from 1, and where it begins and ends."""

    reference: Reference
    line: int
    start: int
    end: int


def references(text: str) -> list[Placed]:
    """Return every reference of a text in order."""
    return [
        Placed(_parsed(found[1]), line_of(text, found.start()), found.start(), found.end())
        for found in _MARK.finditer(text)
    ]


def replaced(text: str, replacement: Callable[[int, Placed], str]) -> str:
    """Return ``text`` with ``replacement`` of its number and itself for each reference."""
    pieces, position = [], 0
    for number, one in enumerate(references(text)):
        pieces += [text[position : one.start], replacement(number, one)]
        position = one.end
    return "".join([*pieces, text[position:]])


def line_of(text: str, position: int) -> int:
    """Return the line, from 1, of a position in a text."""
    return text.count("\n", 0, position) + 1


def _parsed(inside: str) -> Reference:
    plain = inside.translate(_QUOTES)
    if typed := _TYPED.fullmatch(plain):
        return Reference("typed", " ".join(typed[1].split()))
    if figure := _FIGURE.fullmatch(plain):
        return Reference("figure", figure[1].strip(), tuple(_WHERE.findall(figure[2])))
    return Reference("faulty", " ".join(inside.split()))

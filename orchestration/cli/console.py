"""The console of ``csp``: values are printed as they are; only a template has styles.

A file called ``youth [final].csv`` or a value ``[x]`` would otherwise be read as markup. Every
console of the command line is made here, and every style is given by :func:`styled`.

At a terminal lines wrap at its width. In a pipe or a file no line is wrapped, so that a path or a
message is whole.
"""

from string import Formatter
from typing import IO

from rich.console import Console
from rich.text import Span, Text

_PLACE = "\ufffc"
"""Replaces a value while the markup around it is parsed."""

_UNWRAPPED = 1_000_000
"""Width of a pipe or a file, which has none: more than any line needs."""


def new_console(
    *,
    stderr: bool = False,
    file: IO[str] | None = None,
    width: int | None = None,
    record: bool = False,
) -> Console:
    """Return a console that prints every text literally: no markup, no emoji, no highlighting.

    ``width`` is that of the terminal, where there is one and none is given.
    """
    console = Console(
        stderr=stderr,
        file=file,
        width=width,
        record=record,
        markup=False,
        emoji=False,
        highlight=False,
    )
    if width is None and not console.is_terminal:
        console.width = _UNWRAPPED
    return console


def is_piped(console: Console) -> bool:
    """Say whether a console writes into a pipe or a file, where no line is wrapped."""
    return console.width >= _UNWRAPPED


def styled(template: str, *values: object) -> Text:
    """Return ``template``, whose markup is read, with each ``{}`` replaced by a value as it is.

    ``styled("[bold red]Refused:[/] {}", "[x].csv")`` prints "Refused: [x].csv". A place may have a
    format (``{:,}``). Raises ValueError where there are more or fewer values than places.
    """
    parts = list(Formatter().parse(template))
    shown = [
        format(value, spec or "")
        for value, spec in zip(
            values, (spec for _, name, spec, _ in parts if name is not None), strict=True
        )
    ]
    marked = "".join(
        literal + (_PLACE if name is not None else "") for literal, name, _, _ in parts
    )
    return _filled(Text.from_markup(marked, emoji=False), shown)


def _filled(text: Text, values: list[str]) -> Text:
    """Put the values in their places; a style around a place covers its value."""
    places = [place for place, letter in enumerate(text.plain) if letter == _PLACE]

    def moved(position: int) -> int:
        before = zip(places, values, strict=True)
        return position + sum(len(value) - 1 for place, value in before if place < position)

    pieces = text.plain.split(_PLACE)
    plain = pieces[0] + "".join(
        value + piece for value, piece in zip(values, pieces[1:], strict=True)
    )
    spans = [Span(moved(span.start), moved(span.end), span.style) for span in text.spans]
    return Text(plain, spans=spans)

"""Notes that several exhibits share: stated once, in the annex, and numbered there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

_SHORTEST = 100
"""Characters from which on a shared text is worth a reference instead."""


@dataclass(frozen=True)
class GeneralNote:
    """A text that holds for several exhibits, by their labels."""

    number: int
    text: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class SharedNotes:
    """The general notes, and by exhibit what is left of its own and which general ones apply."""

    general: tuple[GeneralNote, ...]
    own: Mapping[str, tuple[str, ...]]
    applying: Mapping[str, tuple[int, ...]]


def shared_notes(notes: Mapping[str, Sequence[str]]) -> SharedNotes:
    """Take the sentences that several exhibits share out of ``notes``, which are by label.

    Sentences that follow each other and are shared by the same exhibits are one note.
    """
    users: dict[str, list[str]] = {}
    for label, texts in notes.items():
        for sentence in dict.fromkeys(one for text in texts for one in _sentences(text)):
            users.setdefault(sentence, []).append(label)
    found: dict[str, tuple[str, ...]] = {}
    own = {label: _without_shared(texts, users, found) for label, texts in notes.items()}
    general = tuple(
        GeneralNote(number, text, labels) for number, (text, labels) in enumerate(found.items(), 1)
    )
    applying = {
        label: tuple(note.number for note in general if label in note.labels) for label in notes
    }
    return SharedNotes(general, own, applying)


def _without_shared(
    texts: Iterable[str], users: Mapping[str, Sequence[str]], found: dict[str, tuple[str, ...]]
) -> tuple[str, ...]:
    """Return what is left of an exhibit's notes; adds what is shared to ``found``."""
    left = []
    for text in texts:
        kept = []
        for labels, run in groupby(_sentences(text), key=lambda one: tuple(users[one])):
            part = " ".join(run)
            if len(labels) > 1 and len(part) >= _SHORTEST:
                found.setdefault(part, labels)
            else:
                kept.append(part)
        if kept:
            left.append(" ".join(kept))
    return tuple(left)


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=\.) (?=[A-Z])", text)

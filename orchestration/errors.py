"""Errors that a person is meant to read.

Every foreseeable fault raises a subclass of :class:`CspError` whose text says what happened and
what to do. The command line prints that text and no traceback.
"""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches


class CspError(Exception):
    """A foreseeable fault, described for the person who has to act on it."""


class SettingsError(CspError):
    """A setting or a configuration file cannot be used."""


class QuarterError(CspError):
    """A text does not name a quarter."""


class EmptyQuarterError(CspError):
    """Nothing has landed for a quarter that is to be refreshed."""


class ContractError(CspError):
    """A source's contract is wrong in itself (a fault of ours, not of a supplier)."""


class LandingError(CspError):
    """A delivery cannot be copied into, or read from, the landing zone."""


class RefusedDeliveryError(CspError):
    """A delivery of the quarter is refused; the message says why, and which report to send."""


class WarehouseBusyError(CspError):
    """Somebody else is writing the warehouse, or holds it open."""


class WarehouseUnreadableError(CspError):
    """The warehouse file is damaged, or missing where it is needed."""


class PseudonymKeyError(CspError):
    """The key of the pseudonyms is missing, open to others, or not the warehouse's own."""


class EncryptionError(CspError):
    """The warehouse cannot be opened with the key that was given, or with none."""


class LakeError(CspError):
    """The lake's catalogue or data cannot be used as the settings name them."""


class OutdatedWarehouseError(CspError):
    """The warehouse was made by an earlier version whose raw tables no longer fit."""


class StorageError(CspError):
    """The disk is full, or a folder or file may not be written."""


class WarehouseDamagedError(WarehouseUnreadableError):
    """The warehouse file is not a database any more, or a block of it fails its checksum."""


class DisclosureError(CspError):
    """A hidden count could be worked out, or cannot be protected; nothing is published."""


class UnpublishableCountError(DisclosureError):
    """A count that no choice of what to hide protects, or that tables give in two ways.

    ``key`` names it.
    """

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class PurgeError(CspError):
    """What was purged is needed, or a purge did not remove everything."""


class TransformError(CspError):
    """dbt could not build the marts; ``failed`` says why, by the id of each node that failed."""

    def __init__(self, message: str, failed: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.failed = dict(failed or {})


class BackfillError(CspError):
    """A quarter of a range cannot be completed; the quarters before it are."""


class BackupError(CspError):
    """A backup cannot be made, or is not what its manifest says."""


class MigrationError(CspError):
    """The warehouse cannot be moved, or its copy is not the same."""


class AlertError(CspError):
    """An alert could not be delivered."""


def readable(text: str) -> str:
    """Return a supplier's text fit for one line of a message: no control characters, not long."""
    shown = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= 200 else f"{shown[:200]}…"


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """Return " Did you mean ...?" with the names nearest to a mistyped one, or nothing."""
    near = nearest(name, names)
    return f" Did you mean {' or '.join(near)}?" if near else ""


def nearest(name: str, names: Sequence[str]) -> list[str]:
    """Return the names that a mistyped name most likely means, at most three.

    They are alike, or have it as a part, or have a word in common with it.
    """
    plain = re.sub(r"[\W_]+", "_", name.strip().lower()).strip("_")
    by_plain = {one.lower().replace("-", "_"): one for one in names}
    if closest := get_close_matches(plain, by_plain, n=1, cutoff=0.85):
        return [by_plain[closest[0]]]
    parts = [one for key, one in by_plain.items() if len(plain) > 2 and plain in key]
    alike = [by_plain[key] for key in get_close_matches(plain, by_plain, n=3, cutoff=0.6)]
    shared = [one for key, one in by_plain.items() if _shares_a_word(plain, key)]
    return (parts or alike or shared)[:3]


def _shares_a_word(name: str, other: str) -> bool:
    words = [word for word in other.split("_") if len(word) > 2]
    return any(get_close_matches(word, words, n=1, cutoff=0.8) for word in name.split("_"))


def foreseen_errors() -> dict[str, type[CspError]]:
    """Return every class of foreseen errors that is loaded, by its name."""
    found: dict[str, type[CspError]] = {}
    waiting: list[type[CspError]] = [CspError]
    while waiting:
        for kind in waiting.pop().__subclasses__():
            found[kind.__name__] = kind
            waiting.append(kind)
    return found

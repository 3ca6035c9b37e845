"""Errors that a person is meant to read.

Every foreseeable fault raises a subclass of :class:`CspError` whose text says what happened and
what to do. The command line prints that text and no traceback.
"""

from collections.abc import Mapping


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


class WarehouseBusyError(CspError):
    """Somebody else is writing the warehouse, or holds it open."""


class WarehouseUnreadableError(CspError):
    """The warehouse file is damaged, or missing where it is needed."""


class PseudonymKeyError(CspError):
    """The key of the pseudonyms is missing, open to others, or not the warehouse's own."""


class EncryptionError(CspError):
    """The warehouse cannot be opened with the key that was given, or with none."""


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


class AlertError(CspError):
    """An alert could not be delivered."""


def readable(text: str) -> str:
    """Return a supplier's text fit for one line of a message: no control characters, not long."""
    shown = text if text.isprintable() else text.encode("unicode_escape").decode("ascii")
    return shown if len(shown) <= 200 else f"{shown[:200]}…"

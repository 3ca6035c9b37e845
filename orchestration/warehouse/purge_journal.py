"""The journal of purges: what was to be deleted, kept outside the database that it is deleted from.

A purge is entered before anything changes and completed in the journal when nothing is left to do,
so that a purge that was cut short is finished, and one that is done is applied again to an older
copy of the warehouse. The journal names deliveries by source, quarter and checksum, and no person.
"""

import json
import os
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Self

import pydantic

from orchestration.config.settings import Settings
from orchestration.errors import PurgeError
from orchestration.warehouse.atomic_file import SCRATCH_PREFIX, sync

_PRIVATE = 0o600


class PurgedDelivery(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A delivery whose rows are purged, as ``control.deliveries`` records it, without its texts."""

    source: str
    quarter: date
    version: int
    state: Literal["loaded", "refused"]
    nature: Literal["real", "synthetic"]
    content_sha256: str
    received_at: datetime | None
    loaded_at: datetime
    rows_delivered: int
    rows_loaded: int
    rows_refused: int

    @property
    def identity(self) -> tuple[str, date, str]:
        """What tells its content from every other, in any copy of the warehouse."""
        return self.source, self.quarter, self.content_sha256

    def __str__(self) -> str:
        return f"{self.source} {self.quarter} v{self.version} ({self.rows_loaded:,} rows)"


class PurgeEntry(pydantic.BaseModel, frozen=True, extra="forbid"):
    """One purge. ``pseudonyms`` is the number that the new file was searched for, once it was.

    ``landed`` are the folders of the landing zone that are deleted too, relative to it. ``done_at``
    is set when nothing is left to do.
    """

    before: date
    begun_at: datetime
    deliveries: tuple[PurgedDelivery, ...]
    landed: tuple[str, ...] = ()
    pseudonyms: int | None = None
    done_at: datetime | None = None


class PurgeJournal(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Every purge of this warehouse, oldest first."""

    purges: tuple[PurgeEntry, ...] = ()

    @classmethod
    def read(cls, settings: Settings) -> Self:
        """Return the journal; an empty one where there has been no purge.

        Raises :class:`PurgeError` where it cannot be read: what was purged would come back.
        """
        file = journal_file(settings)
        try:
            return cls.model_validate(json.loads(file.read_bytes()))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise PurgeError(
                f"{file} cannot be read ({reason}). It lists what was purged, so that no backup "
                "brings it back. Restore the file from a copy of CSP_HOME. Without a copy, delete "
                "it: the next refresh lists the purges of the current warehouse again. Then delete "
                "every older backup."
            ) from error

    def write(self, settings: Settings) -> None:
        """Replace the journal on disk in one step. Raises OSError where it cannot be written."""
        file = journal_file(settings)
        new = file.with_name(f"{SCRATCH_PREFIX}{file.name}")
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(handle, "wb") as writer:
            writer.write(self.model_dump_json(indent=1).encode() + b"\n")
            writer.flush()
            os.fsync(writer.fileno())
        new.replace(file)
        sync(file.parent)

    def with_entry(self, entry: PurgeEntry) -> Self:
        """Return the journal with ``entry`` in the place of the purge that it is a state of."""
        key = (entry.begun_at, entry.before)
        others = [one for one in self.purges if (one.begun_at, one.before) != key]
        purges = sorted([*others, entry], key=lambda one: one.begun_at)
        return self.model_copy(update={"purges": tuple(purges)})

    @property
    def unfinished(self) -> tuple[PurgeEntry, ...]:
        """Purges that were cut short."""
        return tuple(one for one in self.purges if one.done_at is None)

    @property
    def deliveries(self) -> dict[tuple[str, date, str], tuple[PurgedDelivery, PurgeEntry]]:
        """Every purged delivery and its purge, by the identity of its content."""
        return {one.identity: (one, purge) for purge in self.purges for one in purge.deliveries}

    def unlisted(self, found: Iterable[PurgedDelivery]) -> tuple[PurgedDelivery, ...]:
        """Return those of ``found`` that the journal does not list."""
        listed = self.deliveries
        return tuple(one for one in found if one.identity not in listed)


def journal_file(settings: Settings) -> Path:
    """Return where the journal is: in the home, beside the warehouse."""
    return settings.home / "purges.json"

"""Arrivals: what is new in the landing zone and no longer being written.

Pure functions of the landing zone, of what was seen before and of a time; the sensor wires them to
Dagster. A delivery counts once its files have kept still for a while: their names, sizes and times
of change (``ctime``, which a copying program cannot set back) are those of an earlier look.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel

from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.shown_texts import ShownTexts, Vocabulary
from orchestration.ingest.landing.delivery_folder import recover_landings
from orchestration.ingest.landing.folder_entries import unreadable
from orchestration.ingest.landing.landing_zone import quarters_landed, read_delivery
from orchestration.ingest.landing.receipt import (
    delivered_files,
    odd_entries,
    unfinished_files,
)

_SHORT = 16
"""Hexadecimal digits kept of a digest: the memory of twenty years must stay small."""


class Seen(BaseModel):
    """One delivery's folder as it was last seen.

    ``look`` digests names, sizes and times, unchanged since ``since`` (seconds of the epoch);
    ``content`` digests the bytes that were last taken up, empty where none were.
    """

    look: str
    since: float
    content: str = ""
    taken: bool = False


class Memory(BaseModel):
    """What the landing zone looked like, by ``source/quarter``: the sensor's cursor."""

    folders: dict[str, Seen] = {}

    @classmethod
    def parse(cls, cursor: str | None) -> "Memory":
        """Return what a cursor holds; an empty memory where there is none."""
        return cls.model_validate_json(cursor) if cursor else cls()


@dataclass(frozen=True)
class Arrival:
    """A delivery whose content is new, and which has kept still."""

    source: str
    quarter: date
    files: int
    bytes: int
    content: str
    since: float
    received_at: datetime | None = None


@dataclass(frozen=True)
class Watch:
    """What came of one look: the new memory, what arrived, and what is waited for and why."""

    memory: Memory
    arrivals: list[Arrival]
    waiting: list[str]


def watch(
    raw: Path,
    contracts: Mapping[str, Contract],
    memory: Memory,
    now: float,
    quiet_seconds: float,
    last_closed: date,
) -> Watch:
    """Look at the landing zone and return what arrived since ``memory``.

    A quarter's deliveries are taken up together, once none of them has moved for
    ``quiet_seconds``, so that a burst of files is one arrival; a file under the name of an
    unfinished transfer that moves no more holds up its own delivery only. A quarter after
    ``last_closed`` waits for its end. Raises :class:`LandingError` where a folder or file cannot
    be read.
    """
    folders: dict[str, Seen] = {}
    by_quarter: dict[date, list[Contract]] = {}
    for contract in contracts.values():
        recover_landings(raw / contract.source)
        for quarter in quarters_landed(raw, contract):
            seen = _look(raw, contract, quarter, memory, now)
            if seen:
                folders[_name(contract, quarter)] = seen
                if not seen.taken:
                    by_quarter.setdefault(quarter, []).append(contract)
    arrivals: list[Arrival] = []
    waiting: list[str] = []
    for quarter, moved in sorted(by_quarter.items()):
        held = _held(folders, quarter, moved, now, quiet_seconds, last_closed)
        if held:
            waiting.append(held)
            continue
        for contract in moved:
            unfinished = unfinished_files(raw / contract.source / quarter.isoformat())
            if unfinished:
                texts = ShownTexts(contract, Vocabulary.with_names(), quarter)
                file = texts.file(unfinished[0])
                waiting.append(f"{_name(contract, quarter)}: {file} is being transferred")
                continue
            arrivals += _take(raw, contract, quarter, folders)
    return Watch(Memory(folders=folders), arrivals, waiting)


def _name(contract: Contract, quarter: date) -> str:
    return f"{contract.source}/{quarter.isoformat()}"


def _look(raw: Path, contract: Contract, quarter: date, memory: Memory, now: float) -> Seen | None:
    folder = raw / contract.source / quarter.isoformat()
    try:
        parts = [f"{name}\t{kind}" for name, kind in odd_entries(folder)]
        for name, path in delivered_files(folder, unfinished=True):
            stat = path.stat()
            parts.append(f"{name}\t{stat.st_size}\t{stat.st_ctime_ns}")
    except FileNotFoundError:
        # Renamed between the listing and the look: it has moved, so the next look will tell.
        parts = [f"moved at {now}"]
    except OSError as error:
        raise unreadable(error) from error
    if not parts:
        return None
    look = _digest(parts)
    before = memory.folders.get(_name(contract, quarter))
    if before and before.look == look:
        return before
    return Seen(look=look, since=now, content=before.content if before else "")


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:_SHORT]


def _held(
    folders: Mapping[str, Seen],
    quarter: date,
    moved: Iterable[Contract],
    now: float,
    quiet_seconds: float,
    last_closed: date,
) -> str | None:
    """Say why nothing of a quarter is taken up yet; none where it is."""
    names = sorted(_name(contract, quarter) for contract in moved)
    if quarter > last_closed:
        return f"{', '.join(names)}: the quarter has not ended"
    restless = [name for name in names if now - folders[name].since < quiet_seconds]
    return f"{', '.join(restless)}: still arriving" if restless else None


def _take(
    raw: Path, contract: Contract, quarter: date, folders: dict[str, Seen]
) -> Iterable[Arrival]:
    delivery = read_delivery(raw, contract, quarter)
    if delivery is None:
        return
    name = _name(contract, quarter)
    seen = folders[name]
    content = delivery.content_sha256[:_SHORT]
    folders[name] = seen.model_copy(update={"content": content, "taken": True})
    if content != seen.content:
        size = sum(file.bytes for file in delivery.files)
        yield Arrival(
            contract.source,
            quarter,
            len(delivery.files),
            size,
            content,
            seen.since,
            delivery.receipt.received_at if delivery.receipt else None,
        )


def quarters_to_refresh(arrived: Collection[date], published: Collection[date]) -> list[date]:
    """Return the quarters that must be refreshed after deliveries for ``arrived``, oldest first.

    A quarter that got a delivery has its own release built or rebuilt, and so is every later
    release, because it was built on the earlier deliveries. Quarters older than the
    first release are history that the later ones hold; where nothing is published yet, the newest
    quarter is refreshed and the older ones are left to a backfill.
    """
    if not arrived:
        return []
    if not published:
        return [max(arrived)]
    own = {quarter for quarter in arrived if quarter >= min(published)}
    later = {quarter for quarter in published if quarter > min(arrived)}
    return sorted(own | later)


def fingerprint(memory: Memory, quarter: date) -> str:
    """Digest the content of every delivery that a refresh as at ``quarter`` sees."""
    seen = [
        f"{name} {one.content}"
        for name, one in sorted(memory.folders.items())
        if one.content and name.rsplit("/", 1)[1] <= quarter.isoformat()
    ]
    return _digest(seen)

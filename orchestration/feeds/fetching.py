"""Fetches what is new of a source for a quarter, and hands it to the landing zone as a delivery.

A file lands only where its rows differ from those that are there. What is noted of a fetch is
written after the landing: a fetch that fails changes nothing, and the next one begins where it
stopped.
"""

import dataclasses
import shutil
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import httpx
from filelock import FileLock, Timeout

from orchestration.config.partnerships import served_forces
from orchestration.config.quarters import quarter_label, quarters_before
from orchestration.config.settings import Settings
from orchestration.errors import LandingError, SettingsError
from orchestration.feeds.client import Client
from orchestration.feeds.errors import LayoutError, MirrorError, shown_address
from orchestration.feeds.feed_file import Feed, feed_of
from orchestration.feeds.fetch_state import FetchState
from orchestration.feeds.mirror import MirrorTransport
from orchestration.feeds.pacing import Pace
from orchestration.feeds.publishers import arcgis, govuk, nomis, police_archive
from orchestration.feeds.remote_archive import RemoteArchive
from orchestration.feeds.row_differences import RowDifferences, compare_rows
from orchestration.feeds.visit import Found, FoundFile, Visit
from orchestration.ingest.checking.contract import Contract, contract_of
from orchestration.ingest.landing.delivery_folder import recover_landings
from orchestration.ingest.landing.handover import ReplacementError, land
from orchestration.ingest.landing.landing_zone import fits_pattern, quarters_landed
from orchestration.ingest.landing.receipt import (
    FetchedFile,
    Receipt,
    ReceiptError,
    delivered_files,
)
from orchestration.warehouse.connection import unwritable

PUBLISHERS: Mapping[str, Callable[[Visit], Found]] = {
    "police_archive": police_archive.find,
    "govuk": govuk.find,
    "arcgis": arcgis.find,
    "nomis": nomis.find,
}


FILE_A_MONTH = ("police_archive",)
"""Publishers whose files are each of a month, and are used alone; others have releases."""

QUARTERS_COMPLETED = 4
"""Quarters before the one that has closed last of which a month that comes late is fetched."""


@dataclass(frozen=True)
class FileOutcome:
    """What became of one fetched file: its rows, and how many differ from those that were there."""

    name: str
    rows: int
    rows_before: int | None
    rows_differ: int
    rows_revised: int
    """Rows that differ only in the column that the publisher revises, such as the outcome."""
    landed: bool

    def __str__(self) -> str:
        if self.rows_before is None:
            return f"{self.name}: {self.rows:,} rows, new"
        if self.landed:
            alone = f", {self.rows_revised:,} in their outcome alone" if self.rows_revised else ""
            return f"{self.name}: {self.rows_differ:,} of {self.rows:,} rows differ{alone}"
        return f"{self.name}: published again with the same {self.rows:,} rows, not landed"


@dataclass(frozen=True)
class FetchOutcome:
    """What came of fetching a source for a quarter."""

    source: str
    quarter: date
    files: tuple[FileOutcome, ...]
    unchanged: tuple[str, ...]
    notes: tuple[str, ...]
    since: datetime | None
    """When the files that are unchanged were fetched."""
    requests: int
    received: int

    @property
    def landed(self) -> bool:
        """Whether a delivery has landed."""
        return any(one.landed for one in self.files)


@dataclass
class Fetch:
    """Fetches one source. Tests give a transport and a pace of their own."""

    settings: Settings
    source: str
    transport: httpx.BaseTransport | None = None
    pace: Pace = field(default_factory=Pace)
    feed: Feed | None = None
    archives: dict[str, RemoteArchive] = field(default_factory=dict)
    """Archives that were opened for other quarters, whose lists need not be read again."""

    def for_quarter(
        self, quarter: date, *, replace: bool = False, only_missing: bool = False
    ) -> FetchOutcome:
        """Fetch what is new for a quarter and land it.

        ``replace`` lets a fetched file take the place of one that was not fetched; with
        ``only_missing`` a file that has landed is not compared. Raises :class:`FeedError` or
        :class:`LandingError`; nothing has then landed.
        """
        contract, feed = contract_of(self.source), self.feed or feed_of(self.source)
        folder = self.settings.home / "feeds" / self.source
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with FileLock(folder / "lock", timeout=0):
                return self._fetch(contract, feed, folder, quarter, replace, only_missing)
        except Timeout as error:
            raise LandingError(
                f"{self.source} is being fetched by another process. Nothing was landed. Run the "
                "command again when that has ended."
            ) from error
        except OSError as error:
            raise unwritable(folder, error.strerror or str(error)) from error

    def quarters_to_complete(self, closed: date) -> list[date]:
        """Return the quarters of the year before ``closed`` of which a late month is fetched.

        Only a publisher with a file a month has any: the quarters since the first that was fetched,
        unless a file of theirs was landed by hand.
        """
        feed = self.feed or feed_of(self.source)
        first = FetchState.read(self.settings.home / "feeds" / self.source).first_quarter()
        if feed.publisher not in FILE_A_MONTH or first is None:
            return []
        earlier = [quarters_before(closed, count) for count in range(QUARTERS_COMPLETED, 0, -1)]
        return [one for one in earlier if one >= first and not self._has_landed_by_hand(one)]

    def _has_landed_by_hand(self, quarter: date) -> bool:
        folder = self.settings.raw / self.source / quarter.isoformat()
        names = {name for name, _ in delivered_files(folder)} if folder.is_dir() else set()
        return not names <= _fetched_before(folder)

    def _fetch(
        self,
        contract: Contract,
        feed: Feed,
        folder: Path,
        quarter: date,
        replace: bool,
        only_missing: bool,
    ) -> FetchOutcome:
        recover_landings(self.settings.raw / self.source)
        state = FetchState.read(folder)
        with Client(feed, self.pace, self.transport or _transport(self.settings)) as client:
            visit = Visit(
                client, feed, folder, state, quarter, self._is_landed,
                feed.publisher in FILE_A_MONTH, only_missing, self._forces(feed),
                archives=self.archives,
            )  # fmt: skip
            found = PUBLISHERS[feed.publisher](visit)
        landing = _Landing(self.settings, contract, feed, folder, quarter, found, only_missing)
        outcomes = landing.land(replace=replace)
        for one in found.files:
            state.note(quarter, one.name, one.seen)
            one.path.unlink(missing_ok=True)
        for name, (address, etag) in found.absent.items():
            state.note_absent(quarter, name, address, etag)
        if visit.by_quarter:
            for name, seen in found.unchanged.items():
                state.note(quarter, name, seen)
        visit.keep_lists()
        state.write(folder)
        times = [one.fetched_at for one in found.unchanged.values()]
        return FetchOutcome(
            self.source, quarter, outcomes, tuple(found.unchanged), tuple(found.notes),
            max(times, default=None), client.requests, client.received,
        )  # fmt: skip

    def _is_landed(self, quarter: date, name: str) -> bool:
        return (self.settings.raw / self.source / quarter.isoformat() / name).is_file()

    def _forces(self, feed: Feed) -> list[str]:
        if feed.publisher != "police_archive":
            return []
        return served_forces(self.settings.partnerships)


def switched_on(settings: Settings, fed: list[str]) -> list[str]:
    """Return the sources of ``CSP_FEEDS``. Raises :class:`SettingsError` for one without a feed."""
    wanted = settings.feed_names
    if unknown := [name for name in wanted if name not in fed]:
        raise SettingsError(
            f"CSP_FEEDS names {', '.join(unknown)}, which cannot be fetched. Sources that can be: "
            f"{', '.join(fed)}."
        )
    return wanted


def _transport(settings: Settings) -> httpx.BaseTransport | None:
    """Return the transport that reads the mirror, or none for the network."""
    mirror = settings.feed_mirror
    if mirror is None:
        return None
    if not mirror.is_dir():
        raise MirrorError(
            "CSP_FEED_MIRROR", f"{mirror} is not a folder.", "Make it, or correct the setting."
        )
    return MirrorTransport(mirror)


# --- landing ---------------------------------------------------------------------------------


@dataclass
class _Landing:
    """Compares what was found with what has landed, and hands over what differs."""

    settings: Settings
    contract: Contract
    feed: Feed
    folder: Path
    quarter: date
    found: Found
    only_missing: bool

    def land(self, *, replace: bool) -> tuple[FileOutcome, ...]:
        """Land the files whose rows differ; return what became of each.

        Of a publisher with a file a month, one that a refresh would refuse holds up no other: it is
        kept aside and named among the notes. Raises where no file can be used, except of a quarter
        that is only completed.
        """
        compared = []
        refusals: list[LayoutError] = []
        for one in list(self.found.files):
            try:
                compared.append((one, self._compared(one)))
            except LayoutError as error:
                if self.feed.publisher not in FILE_A_MONTH:
                    raise
                refusals.append(error)
                self.found.files.remove(one)
        if refusals and not compared and not self.only_missing:
            raise refusals[0]
        self.found.notes += [f"Not landed: {error}" for error in refusals]
        wanted = [one for one, difference in compared if not difference.same]
        if wanted:
            before = _fetched_before(
                self.settings.raw / self.contract.source / self.quarter.isoformat()
            )
            self._hand_over(wanted, True if replace else before)
        return tuple(
            FileOutcome(
                one.name, rows.new, rows.old, rows.differ, rows.revised, landed=not rows.same
            )
            for one, rows in compared
        )

    def _hand_over(self, files: list[FoundFile], replace: bool | frozenset[str]) -> None:
        try:
            land(
                self.settings.raw,
                self.contract,
                self.quarter,
                [one.path for one in files],
                self._receipt(files),
                replace=replace,
                settings=self.settings,
            )
        except ReplacementError as error:
            named = "; ".join(str(one) for one in error.replacements)
            raise LandingError(
                f"Nothing was landed: {named}. Some of these files were landed by hand. Run "
                f"`csp fetch {self.contract.source} --quarter {self.quarter} --replace` to replace "
                "them."
            ) from error

    def _compared(self, one: FoundFile) -> RowDifferences:
        """Compare a file with the one that it follows. Raises where a refresh would refuse it."""
        asked = shown_address(one.seen.url)
        if not fits_pattern(self.contract, one.name):
            raise LayoutError(
                asked,
                f"{one.name} is not of a kind that {self.contract.source} takes.",
                "Report it to the publisher, or correct feed.toml of the source.",
            )
        before = self._before(one.name)
        revised = self.feed.revised
        rows = compare_rows(self.settings, self.contract, one.path, before, revised)
        if before and before.name != one.name and rows.has_nothing_in_common:
            rows = dataclasses.replace(rows, old=None, gone=0, added=0, revised=0)
        if not rows.usable:
            kept = self._keep_aside(one)
            raise LayoutError(
                asked,
                f"the publisher has changed the form of {one.name}: a refresh would refuse it.",
                f"`csp check {self.contract.source} {kept}` says what is wrong.",
            )
        return rows

    def _before(self, name: str) -> Path | None:
        """Return the landed file that a fetched one follows.

        Of a source that is not delivered by quarter it is that of the last delivery, whatever its
        name, if that has one file.
        """
        quarters = [self.quarter]
        if self.feed.publisher not in FILE_A_MONTH:
            landed = quarters_landed(self.settings.raw, self.contract)
            quarters = sorted((one for one in landed if one <= self.quarter), reverse=True)
        for quarter in quarters:
            folder = self.settings.raw / self.contract.source / quarter.isoformat()
            files = dict(delivered_files(folder)) if folder.is_dir() else {}
            if name in files:
                return files[name]
            if len(files) == 1 and self.contract.cadence != "one-off":
                return next(iter(files.values()))
        return None

    def _keep_aside(self, one: FoundFile) -> Path:
        aside = self.folder / "refused"
        aside.mkdir(exist_ok=True, mode=0o700)
        return Path(shutil.move(one.path, aside / one.name))

    def _receipt(self, files: list[FoundFile]) -> Receipt:
        return Receipt(
            source=self.contract.source,
            quarter=self.quarter,
            received_at=datetime.now().replace(microsecond=0),
            nature="real",
            note=f"Fetched from {self.feed.name}",
            fetched=tuple(
                FetchedFile(
                    name=one.name,
                    url=one.seen.url,
                    member=one.seen.member,
                    etag=one.seen.etag,
                    last_modified=one.seen.last_modified,
                    publisher_checksum=one.publisher_checksum,
                    sha256=one.seen.sha256,
                    fetched_at=one.seen.fetched_at,
                    licence=self.feed.licence,
                )
                for one in files
            ),
        )


def _fetched_before(folder: Path) -> frozenset[str]:
    """Return the files of a delivery that were fetched: others are not replaced."""
    with suppress(ReceiptError):
        receipt = Receipt.read(folder)
        return frozenset(one.name for one in receipt.fetched) if receipt else frozenset()
    return frozenset()


def since_text(outcome: FetchOutcome) -> str:
    """Return "nothing new since …" for what is unchanged."""
    moment = outcome.since.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if outcome.since else ""
    label = quarter_label(outcome.quarter)
    if not outcome.unchanged:
        return f"{outcome.source} for {label}: nothing was found."
    return f"{outcome.source} for {label}: nothing new since {moment}."

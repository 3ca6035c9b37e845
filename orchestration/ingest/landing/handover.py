"""Handing a supplier's files over to the landing zone: what is added, replaced and kept.

A landing adds to what has landed for the quarter. A file that would replace another is named, and
replaces it only if the caller says so.
"""

import dataclasses
import shutil
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from orchestration.config.settings import Settings
from orchestration.errors import LandingError, readable
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.landing.delivery_folder import SCRATCH, one_landing, put_in_place, recover
from orchestration.ingest.landing.file_content import FileContent, contents, why_in_place_of
from orchestration.ingest.landing.landing_zone import (
    Delivery,
    LandedFile,
    fits_pattern,
    is_archive,
    landed_file,
    read_delivery,
)
from orchestration.ingest.landing.receipt import (
    Covers,
    Receipt,
    is_system_file,
    odd_entries,
    unfinished_files,
)


@dataclass(frozen=True)
class Replacement:
    """A file of the delivery (``old``, with its ``rows``) whose place ``new`` takes, and why."""

    old: str
    new: str
    rows: int | None
    why: str

    def __str__(self) -> str:
        return f"{self.new} replaces {self.old}, {said_rows(self.rows)} ({self.why})"


class ReplacementError(LandingError):
    """Files would take the place of others, which nobody has confirmed; nothing was landed."""

    def __init__(self, replacements: Sequence[Replacement]) -> None:
        self.replacements = tuple(replacements)
        named = "; ".join(str(one) for one in replacements)
        super().__init__(
            f"Nothing was landed: {named}. Add --replace to replace what is named, or --whole if "
            "the given files are the whole delivery."
        )


@dataclass(frozen=True)
class Landed:
    """What came of a landing.

    ``contents`` has what was read of each file, by checksum. ``same`` maps a given file to the
    file of the delivery that holds the same bytes; ``replaced`` and ``dropped`` (with their rows)
    are no longer in the delivery. ``notes`` say what else the person who lands must know.
    """

    delivery: Delivery
    contents: Mapping[str, FileContent]
    added: tuple[str, ...] = ()
    replaced: tuple[Replacement, ...] = ()
    dropped: tuple[tuple[str, int | None], ...] = ()
    same: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    unchanged: bool = False


def said_rows(rows: int | None) -> str:
    """Return the text of a number of rows; it is unknown for a file that cannot be read."""
    if rows is None:
        return "rows unknown"
    return "1 row" if rows == 1 else f"{rows:,} rows"


def land(
    raw: Path,
    contract: Contract,
    quarter: date,
    paths: Sequence[Path],
    receipt: Receipt,
    *,
    replace: bool | Collection[str] = False,
    whole: bool = False,
    settings: Settings | None = None,
) -> Landed:
    """Add files to a quarter's delivery, with one receipt for all of it.

    ``replace`` allows files to take the place of others: of all, or of those that it names.
    ``whole`` says that the given files are the whole delivery: the others are dropped. An earlier
    version moves to ``.superseded``. Landing the same bytes again changes nothing. ``settings`` say
    where and within which memory the files are looked into (without them in the source's folder).
    One landing of a source runs at a time; the others wait.

    Raises :class:`ReplacementError` for a replacement that is not allowed, and
    :class:`LandingError` where a file is missing, unreadable, of a kind that the source does not
    deliver, or named twice, and where the delivery's files are not those of its receipt.
    """
    left = [path.name for path in paths if is_system_file(path.name)]
    paths = [path for path in paths if path.name not in left]
    _check_landable(contract, paths)
    folder = raw / contract.source
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with one_landing(folder):
            notes = recover(folder)
            notes += [f"{name} is a file of the operating system and left out." for name in left]
            before = _standing(raw, contract, quarter, whole=whole)
            given = [landed_file(path, path.name, {}) for path in paths]
            make = _whole if whole else _plan
            plan = make(contract, before, given, _Reader(contract, folder, settings))
            _refuse_unconfirmed(plan, replace)
            _refuse_altered(plan)
            return _carry_out(raw, contract, quarter, plan, receipt, notes)
    except OSError as error:
        place = error.filename or folder
        raise LandingError(f"{place}: {error.strerror}. Nothing was landed.") from error


def _standing(raw: Path, contract: Contract, quarter: date, *, whole: bool) -> Delivery | None:
    """Return the delivery as it lies there; its receipt matters only where files are kept."""
    folder = raw / contract.source / quarter.isoformat()
    if unfinished := unfinished_files(folder):
        raise LandingError(
            f"{unfinished[0]} is being transferred into {folder}. Nothing was landed. Land the "
            "files when the transfer has ended; if it has broken off, take that file away."
        )
    if odd := odd_entries(folder):
        name, kind = odd[0]
        raise LandingError(
            f"{readable(name)} in {folder} is {kind}. Nothing was landed. Take it away, and land "
            "the files again."
        )
    delivery = read_delivery(raw, contract, quarter)
    if delivery is None or not delivery.faults:
        return delivery
    if not whole:
        raise LandingError(
            f"{delivery.faults[0].message} Nothing was landed: --whole lands the given files as "
            "the whole delivery."
        )
    return dataclasses.replace(delivery, faults=()) if delivery.files else None


# --- what a landing does ---------------------------------------------------------------------


@dataclass(frozen=True)
class _Plan:
    """What a landing does: which files of the delivery stay, and which of the given come in.

    ``placed`` are the given files that are copied in; those of ``same`` are there already.
    """

    before: Delivery | None
    kept: tuple[LandedFile, ...]
    placed: tuple[LandedFile, ...]
    contents: Mapping[str, FileContent]
    replaced: tuple[Replacement, ...] = ()
    dropped: tuple[LandedFile, ...] = ()
    same: tuple[tuple[str, str], ...] = ()

    @property
    def changes_content(self) -> bool:
        """Say whether the delivery holds other bytes afterwards."""
        before = {one.sha256 for one in self.before.files} if self.before else set()
        return before != {one.sha256 for one in (*self.kept, *self.placed)}

    def rows(self, file: LandedFile) -> int | None:
        """Return the rows of a file, none where it cannot be read."""
        return self.contents[file.sha256].rows


@dataclass(frozen=True)
class _Reader:
    """Reads what files hold, in a temporary folder of the home, or of the source's folder."""

    contract: Contract
    folder: Path
    settings: Settings | None

    def contents(self, files: Sequence[LandedFile]) -> Mapping[str, FileContent]:
        home = self.settings.home if self.settings else self.folder
        return contents(self.contract, files, home, self.settings)


def _whole(
    contract: Contract, before: Delivery | None, given: Sequence[LandedFile], reader: _Reader
) -> _Plan:
    """Plan a landing of which the given files are all that the delivery holds afterwards."""
    standing = before.files if before else ()
    placed, same = _new_files(given, ())
    wanted = {one.sha256 for one in placed}
    dropped = tuple(one for one in standing if one.sha256 not in wanted)
    read = reader.contents([*standing, *placed])
    return _Plan(before, (), tuple(placed), read, dropped=dropped, same=tuple(same))


def _plan(
    contract: Contract, before: Delivery | None, given: Sequence[LandedFile], reader: _Reader
) -> _Plan:
    """Plan a landing that adds to what the delivery holds."""
    standing = before.files if before else ()
    new, same = _new_files(given, standing)
    read = reader.contents([*standing, *new])
    replaced = _replaced(contract, standing, new, read)
    gone = {one.old for one in replaced}
    # What is given under another name than the file that it is equal to, which goes, comes in.
    returning = {name for name, equal in same if equal in gone}
    placed = [*new, *(one for one in given if one.name in returning)]
    return _Plan(
        before,
        tuple(one for one in standing if one.name not in gone),
        tuple(placed),
        read,
        replaced,
        same=tuple(pair for pair in same if pair[0] not in returning),
    )


def _new_files(
    given: Sequence[LandedFile], standing: Sequence[LandedFile]
) -> tuple[list[LandedFile], list[tuple[str, str]]]:
    """Return the files whose bytes are not there yet, and for each of the others where they are."""
    known: dict[str, str] = {}
    for one in standing:
        known.setdefault(one.sha256, one.name)
    new, same = [], []
    for one in given:
        if one.sha256 in known:
            same.append((one.name, known[one.sha256]))
        else:
            new.append(one)
            known[one.sha256] = one.name
    return new, same


def _replaced(
    contract: Contract,
    standing: Sequence[LandedFile],
    new: Sequence[LandedFile],
    read: Mapping[str, FileContent],
) -> tuple[Replacement, ...]:
    found = []
    for old in standing:
        held = read[old.sha256]
        for one in new:
            why = (
                "it has the same name and other bytes"
                if one.name == old.name
                else why_in_place_of(contract, read[one.sha256], old, held)
            )
            if why:
                found.append(Replacement(old.name, one.name, held.rows, why))
                break
    return tuple(found)


def _refuse_unconfirmed(plan: _Plan, replace: bool | Collection[str]) -> None:
    allowed = {one.old for one in plan.replaced} if replace is True else set(replace or ())
    if any(one.old not in allowed for one in plan.replaced):
        raise ReplacementError(plan.replaced)


def _refuse_altered(plan: _Plan) -> None:
    """Refuse to write a new receipt over files that are not as the old one says."""
    if plan.before is None or plan.before.receipt is None or not plan.kept:
        return
    standing = {one.name: one.sha256 for one in plan.before.files}
    given = {one.name for one in plan.placed} | {one.old for one in plan.replaced}
    given |= {name for name, _ in plan.same}
    for file in plan.before.receipt.files:
        found = standing.get(file.name)
        if file.name in given or found == file.sha256:
            continue
        state = "is no longer in the folder" if found is None else "was changed by hand"
        raise LandingError(
            f"{file.name} is on the receipt of the delivery, but {state}. Nothing was landed. Land "
            "that file again (with --replace where it was changed), or the whole delivery with "
            "--whole."
        )


# --- doing it --------------------------------------------------------------------------------


def _carry_out(
    raw: Path,
    contract: Contract,
    quarter: date,
    plan: _Plan,
    receipt: Receipt,
    notes: Sequence[str],
) -> Landed:
    joined, said = _joined(plan, receipt)
    told = Landed(
        plan.before or Delivery(contract.source, quarter, raw, (), None),
        plan.contents,
        replaced=plan.replaced,
        dropped=tuple((one.name, plan.rows(one)) for one in plan.dropped),
        same=plan.same,
        notes=(*notes, *said, *_by_hand(plan), *_alongside(contract, plan)),
    )
    if plan.before and not plan.changes_content and not _receipt_differs(plan, joined):
        return replace(told, unchanged=True)
    delivery = _place(raw, contract, quarter, plan, joined)
    return replace(
        told,
        delivery=delivery,
        added=tuple(one.name for one in plan.placed if not _stood(plan, one)),
        unchanged=not plan.changes_content,
    )


def _stood(plan: _Plan, file: LandedFile) -> bool:
    return plan.before is not None and any(one.sha256 == file.sha256 for one in plan.before.files)


def _place(raw: Path, contract: Contract, quarter: date, plan: _Plan, receipt: Receipt) -> Delivery:
    """Build the new delivery whole, and put it in its place."""
    target = raw / contract.source / quarter.isoformat()
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=target.parent))
    try:
        for file in plan.kept:
            _copy(file.path, scratch / file.path.relative_to(target))
        for file in plan.placed:
            _copy(file.path, scratch / file.path.name)
        receipt.with_files(scratch).write(scratch)
        _give_access(scratch, contract)
        content = plan.before.content_sha256[:12] if plan.before else "empty"
        put_in_place(scratch, target, f"{target.name}-{content}")
    except shutil.Error as error:
        # Every file that could not be copied, with its reason; the first one is enough.
        raise OSError(None, str(error.args[0][0][2]), str(error.args[0][0][0])) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    delivery = read_delivery(raw, contract, quarter)
    if delivery is None:
        raise LandingError(f"{target} was taken away while it was being landed. Land it again.")
    return delivery


def _copy(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(file, place)


def _give_access(folder: Path, contract: Contract) -> None:
    """Let everybody read a delivery, but one about people only its owner."""
    personal = any(column.personal for column in contract.columns)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o700 if personal else 0o755)
        else:
            path.chmod(0o600 if personal else 0o644)


# --- the receipt of all of it ----------------------------------------------------------------


def _joined(plan: _Plan, new: Receipt) -> tuple[Receipt, list[str]]:
    """Return the receipt of the delivery, with what an earlier one says of the files that stay."""
    before = plan.before.receipt if plan.before else None
    if before is None or not (plan.kept or plan.same):
        return new, []
    notes = []
    texts = dict.fromkeys(text for text in (before.note, new.note) if text)
    nature = new.nature
    if before.nature != new.nature:
        nature = "synthetic"
        notes.append(
            "Part of the delivery is synthetic and part of it real: all of it is marked synthetic."
        )
    covers = _joined_covers(before.covers, new.covers)
    if plan.placed and before.covers and new.covers is None:
        notes.append(
            f"The receipt says that the delivery covers {before.covers}. Give --covers if the "
            "added files cover more."
        )
    fetched = {one.name: one for one in (*before.fetched, *new.fetched)}
    update = {
        "note": "; ".join(texts),
        "nature": nature,
        "covers": covers,
        "fetched": tuple(fetched[name] for name in sorted(fetched)),
    }
    return new.model_copy(update=update), notes


def _joined_covers(before: Covers | None, new: Covers | None) -> Covers | None:
    if before is None or new is None:
        return new or before
    return Covers(first=min(before.first, new.first), last=max(before.last, new.last))


def _receipt_differs(plan: _Plan, joined: Receipt) -> bool:
    """Say whether the delivery needs a new receipt though its bytes are the same."""
    before = plan.before.receipt if plan.before else None
    if before is None or plan.before is None:
        return joined.covers is not None or joined.nature != "real"
    listed = {(file.name, file.sha256) for file in before.files}
    return listed != {(file.name, file.sha256) for file in plan.before.files} or (
        (before.nature, before.covers) != (joined.nature, joined.covers)
    )


def _by_hand(plan: _Plan) -> list[str]:
    """Say which files are kept that no receipt lists: somebody put them into the folder."""
    receipt = plan.before.receipt if plan.before else None
    listed = {file.name for file in receipt.files} if receipt else set()
    return [
        f"{one.name} ({said_rows(plan.rows(one))}) was put into the delivery by hand, without a "
        "receipt. It is kept. If it does not belong there, land the right files with --whole."
        for one in plan.kept
        if one.name not in listed
    ]


def _alongside(contract: Contract, plan: _Plan) -> list[str]:
    """Say where an added file has other rows of a period that a kept file holds too."""
    said = []
    if contract.key and not contract.one_file_a_period:
        for new in plan.placed:
            held = plan.contents[new.sha256]
            others = [old.name for old in plan.kept if held.slots & plan.contents[old.sha256].slots]
            if others:
                more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
                said.append(
                    f"{new.name} holds rows of the same period and supplier as {others[0]}{more}, "
                    "none of them the same: all of them count."
                )
    return said


# --- what may be landed ----------------------------------------------------------------------


def _check_landable(contract: Contract, paths: Sequence[Path]) -> None:
    names = [path.name for path in paths]
    if not names:
        raise LandingError("Name at least one file to land.")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise LandingError(f"Two files are called {', '.join(twice)}. Rename one of them.")
    for path in paths:
        if path.is_symlink() or not path.is_file():
            raise LandingError(not_a_file(path))
        if not path.name.isprintable():
            raise LandingError(
                f"{readable(path.name)}: the name holds a character that cannot be shown. "
                "Rename it."
            )
        if not fits_pattern(contract, path.name) and not is_archive(path.name):
            kinds = ", ".join((*contract.file_pattern, "or a zip or gz of them"))
            raise LandingError(
                f"{path.name} is not of a kind that {contract.source} delivers ({kinds})."
            )


def not_a_file(path: Path) -> str:
    """Return what to say of a path that is given as a file and is something else, or missing."""
    shown = readable(str(path))
    if path.is_symlink():
        return f"{shown} is a link. Name the file itself."
    if path.is_dir():
        return f"{shown} is a folder. Name its files, such as {shown}/*.csv."
    if not path.exists():
        return f"{shown} does not exist. Check the path."
    return f"{shown} is not a file (a pipe or a device, perhaps). Name the file itself."

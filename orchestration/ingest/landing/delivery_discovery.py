"""Finds new deliveries in the landing zone, and checks the rules for reading them at all."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from orchestration.errors import CspError
from orchestration.ingest.checking.configured_values import configured_digest
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.checking.coverage import Covered
from orchestration.ingest.checking.faults import Fault, SubmissionError, given
from orchestration.ingest.landing.delivery_folder import recover_landings
from orchestration.ingest.landing.file_index import index_files, indexed_files
from orchestration.ingest.landing.folder_entries import unreadable
from orchestration.ingest.landing.landing_zone import (
    Delivery,
    Known,
    LandedFile,
    fits_pattern,
    quarters_landed,
    read_delivery,
)
from orchestration.ingest.landing.receipt import system_files, unfinished_files
from orchestration.ingest.loading.outcomes import LoadReport, Outcome
from orchestration.ingest.reading.csv_integrity import ScannedFile, no_rows, scan_csv
from orchestration.ingest.reading.isolated_reading import (
    ReadFile,
    may_be_read_with,
    read_isolated,
    unforeseen,
)
from orchestration.ingest.reading.reading_limits import reading_memory
from orchestration.ingest.reading.reading_process import place_of
from orchestration.ingest.reading.source_reading import unknown_columns


@dataclass
class FileLoad:
    """One file on its way in: what was found in it, and how many rows came of it."""

    file: LandedFile
    file_id: int
    scanned: ScannedFile | None = None
    rows: Path | None = None
    """Row file of what the source's own reader, or the reader of keyed CSV, found."""
    delivered: int = 0
    loaded: int = 0
    refused: int = 0
    repeated: int = 0
    """Rows among the refused that repeat an earlier row in every value: nothing is lost by them."""
    reports_nothing: bool = False
    """Whether its name says of whom and when there was nothing to report."""


@dataclass
class Pending:
    """A delivery on its way in."""

    delivery: Delivery
    delivery_id: int
    version: int
    files: list[FileLoad]
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    mild: list[Fault] = field(default_factory=list)
    """Warnings about values, which are reported if the delivery is loaded."""
    unusable: list[Fault] = field(default_factory=list)
    """Why its files cannot be read at all, known before they are looked into."""
    covered: list[Covered] = field(default_factory=list)
    """What the delivery covers, where it is loaded."""
    shown_names: dict[str, str] = field(default_factory=dict)
    """How messages name its files, by their names."""


def pending_deliveries(
    connection: duckdb.DuckDBPyConnection,
    raw: Path,
    contract: Contract,
    as_at: date,
    report: LoadReport,
) -> list[Pending]:
    """Return the deliveries for ``as_at`` and earlier quarters whose content is not known yet.

    They are numbered from the highest number used so far. Notes in ``report`` how many had not
    changed, and which of those are still refused.
    """
    next_delivery = _next_id(connection, "deliveries", "delivery_id")
    next_file = _next_id(connection, "files", "file_id")
    pending: list[Pending] = []
    known: dict[date, Known] = {}
    for delivery in _landed(connection, raw, contract, as_at, report, known):
        quarter = delivery.quarter
        latest = _latest(connection, contract.source, quarter)
        if latest and _is_known(latest, contract, delivery, reading_memory(connection)):
            report.unchanged += 1
            if {file.state for file in delivery.files} != known[quarter].keys():
                index_files(connection, contract.source, [delivery])
            if latest.outcome.state == "refused":
                report.still_refused.append(latest.outcome)
            continue
        version = latest.outcome.version + 1 if latest else 1
        files = [FileLoad(file, next_file + place) for place, file in enumerate(delivery.files)]
        found = Pending(delivery, next_delivery, version, files, unusable=list(delivery.faults))
        found.warnings += _system_files(delivery)
        pending.append(found)
        next_delivery += 1
        next_file += len(files)
    return pending


def _is_known(latest: "_Known", contract: Contract, delivery: Delivery, memory: int) -> bool:
    """Say whether a delivery needs no look.

    One that took too much memory may fit by now, and one that broke a rule of the partnerships file
    may fare better where that has something else by now.
    """
    if latest.content_sha256 != delivery.content_sha256:
        return False
    if latest.configured_sha256 not in (None, configured_digest(contract)):
        return False
    refused = latest.outcome.state == "refused"
    return not (refused and may_be_read_with(latest.outcome.reason, memory))


def _landed(
    connection: duckdb.DuckDBPyConnection,
    raw: Path,
    contract: Contract,
    as_at: date,
    report: LoadReport,
    known: dict[date, Known],
) -> list[Delivery]:
    """Return the deliveries that have landed in full; several are read at a time.

    ``known`` takes what the index has of each quarter.
    """
    report.passed_over += [
        Fault("was landed in full", said, severity="warning")
        for said in recover_landings(raw / contract.source)
    ]
    for quarter in (one for one in quarters_landed(raw, contract) if one <= as_at):
        if unfinished := unfinished_files(raw / contract.source / quarter.isoformat()):
            report.passed_over.append(_being_transferred(quarter, unfinished))
        else:
            known[quarter] = indexed_files(connection, contract.source, quarter)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        landed = pool.map(lambda one: read_delivery(raw, contract, one, known[one]), known)
        return [delivery for delivery in landed if delivery]


def _system_files(delivery: Delivery) -> list[Fault]:
    names = system_files(delivery.folder)
    if not names:
        return []
    are = "1 file" if len(names) == 1 else f"{len(names):,} files"
    said = f"{are} of the operating system left out ({', '.join(map(given, names[:3]))})."
    return [Fault("is read by a source", said, file=names[0], severity="warning")]


def _being_transferred(quarter: date, unfinished: Sequence[str]) -> Fault:
    return Fault(
        "is whole",
        f"The delivery for {quarter.isoformat()} is still being transferred; it is left for the "
        "next refresh. If the transfer has broken off, take this file away or finish it.",
        file=unfinished[0],
    )


def _next_id(connection: duckdb.DuckDBPyConnection, table: str, column: str) -> int:
    row = connection.execute(f"select coalesce(max({column}), 0) + 1 from control.{table}")
    (number,) = row.fetchall()[0]
    return int(number)


@dataclass(frozen=True)
class _Known:
    content_sha256: str
    outcome: Outcome
    configured_sha256: str | None
    """Fingerprint of what the partnerships file had, where a fault is by a rule of it."""


def _latest(connection: duckdb.DuckDBPyConnection, source: str, quarter: date) -> _Known | None:
    rows = connection.execute(
        "select content_sha256, version, state, rows_delivered, rows_loaded, rows_refused, reason, "
        "configured_sha256 from control.deliveries left join control.configured_faults "
        "using (delivery_id) where source = ? and quarter = ? order by version desc limit 1",
        [source, quarter],
    ).fetchall()
    if not rows:
        return None
    digest, version, state, delivered, loaded, refused, reason, configured = rows[0]
    outcome = Outcome(source, quarter, version, state, delivered, loaded, refused, reason)
    return _Known(digest, outcome, configured)


def look_over(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Sequence[Pending],
    folder: Path,
) -> list[tuple[Pending, list[Fault]]]:
    """Apply the submission rules, and read what DuckDB does not read into row files in ``folder``.

    Returns each delivery with every fault for which it cannot be used at all.
    """
    usable = [load for one in pending if not one.unusable for load in one.files]
    if contract.layout == "csv":
        looks = _scanned(usable, contract)
    else:
        memory = reading_memory(connection)
        looks = {load.file_id: _look(_read, load, contract, folder, memory) for load in usable}
    looked: list[tuple[Pending, list[Fault]]] = []
    for one in pending:
        readable = [other for other, faults in looked if not faults]
        faults = _other_quarters_content(connection, contract, one, readable)
        looked.append((one, faults or _submission_faults(one, looks)))
    return looked


_Look = tuple[list[Fault], list[Fault]]
"""What a look into a file found: warnings, and the faults for which it cannot be used."""


def _scanned(loads: Sequence[FileLoad], contract: Contract) -> dict[int, _Look]:
    """Scan files that DuckDB will read: work for numpy, which lets other threads work."""
    with ThreadPoolExecutor() as pool:
        looks = pool.map(lambda load: _look(_scan, load, contract), loads)
        return {load.file_id: look for load, look in zip(loads, looks, strict=True)}


def _look(
    into: Callable[..., list[Fault]], load: FileLoad, contract: Contract, *more: Any
) -> _Look:
    try:
        _check_kind(contract, load.file)
        return into(load, contract, *more), []
    except SubmissionError as error:
        return [], list(error.faults)
    except (CspError, MemoryError):
        raise
    except OSError as error:
        raise unreadable(error) from error
    except Exception as error:  # noqa: BLE001 (whatever it is, the file is refused)
        return [], [unforeseen(load.file, place_of(error))]


def _submission_faults(pending: Pending, looks: Mapping[int, _Look]) -> list[Fault]:
    """Return the faults that the look into each file found; its warnings are the delivery's."""
    faults = pending.unusable + _receipt_faults(pending.delivery)
    for load in pending.files:
        warnings, found = looks.get(load.file_id, ([], []))
        pending.warnings += warnings
        faults += found
    return faults


def _read(load: FileLoad, contract: Contract, folder: Path, memory: int) -> list[Fault]:
    """Read a file's rows in a process apart; return the warnings."""
    found: ReadFile = read_isolated(load.file, contract, folder, memory)
    # Whether nothing happened is judged where it is known who may say so.
    if not found.rows and contract.coverage.every is None:
        raise SubmissionError(no_rows(load.file))
    load.rows = found.rows_path
    load.delivered = found.rows
    return found.warnings


def _scan(load: FileLoad, contract: Contract) -> list[Fault]:
    """Scan a file that DuckDB will read; return the warnings."""
    load.scanned = scan_csv(load.file, contract.by_header)
    if load.scanned.header_lines > 1:
        raise SubmissionError(
            Fault(
                "every line is a row",
                "A heading runs over several lines. Take the line breaks out of the headings.",
                file=load.file.name,
                line=1,
            )
        )
    load.delivered = load.scanned.rows
    header = load.scanned.header
    return unknown_columns(load.file, header, contract.by_header, contract) + [
        Fault(
            "every column has a heading",
            f"Column {place} has no heading; it is not loaded.",
            file=load.file.name,
            line=1,
            severity="warning",
        )
        for place, title in enumerate(header, start=1)
        if not title
    ]


def _other_quarters_content(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    pending: Pending,
    others: Iterable[Pending],
) -> list[Fault]:
    """Return a fault if the same files were delivered for another quarter."""
    digest = pending.delivery.content_sha256
    loaded = connection.execute(
        "select quarter from control.deliveries "
        "where source = ? and quarter <> ? and content_sha256 = ? and state = 'loaded'",
        [contract.source, pending.delivery.quarter, digest],
    ).fetchall()
    same = [quarter for (quarter,) in loaded]
    same += [one.delivery.quarter for one in others if one.delivery.content_sha256 == digest]
    if not same:
        return []
    return [
        Fault(
            "is new",
            f"The same files were delivered for {same[0].isoformat()}. Send the "
            "files of this quarter, or remove the folder if there is nothing new.",
            file=pending.delivery.files[0].name,
        )
    ]


def _receipt_faults(delivery: Delivery) -> list[Fault]:
    """Say which files are not those that the receipt lists."""
    return [
        Fault(
            "matches its receipt",
            "The file is not the one that was receipted: it was changed, "
            "added or removed since. Land the delivery again with `csp land`.",
            file=name,
        )
        for name in delivery.unlike_receipt
    ]


def _check_kind(contract: Contract, file: LandedFile) -> None:
    if not file.path.name.isprintable():
        raise SubmissionError(
            Fault(
                "has a plain name",
                "The file's name holds a line break or another character that cannot be shown. "
                "Rename it.",
                file=file.name,
            )
        )
    if not fits_pattern(contract, file.name):
        kinds = ", ".join((*contract.file_pattern, "or a zip or gz of them"))
        raise SubmissionError(
            Fault(
                "is of the agreed kind",
                f"{contract.source} reads {kinds}. Take this file out "
                "of the delivery, or send it in the agreed kind.",
                file=file.name,
            )
        )

"""The content of a delivered file, as far as needed to decide whether it replaces another.

The source's own reader reads each file into a temporary database. Two files are about the
same where they hold the same months (or snapshots, waves, years) of the same supplier and, unless
a period may come in one file only, a row of the same key. Where a file cannot be read, its name
has to do.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path, PurePath

import duckdb

from orchestration.config.settings import Settings
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.landing.landing_zone import LandedFile
from orchestration.ingest.loading.load import check_files
from orchestration.warehouse.progress_bar import without_progress_bar
from orchestration.warehouse.scratch import engine_config, scratch_under

_ANY_DAY = datetime(2000, 1, 1)
_SHOWN = 3

_DECORATION = re.compile(
    r"copy of|(?<![a-z])copy(?![a-z])|\(\d+\)"
    r"|(?<![a-z])(?:v\d+|final|corrected|correction|revised|amended|new|latest|updated)(?![a-z])"
)
"""What people and programs add to the name of a file that is given again."""

Slot = tuple[str, date]
"""A series and a period of it."""


@dataclass(frozen=True)
class FileContent:
    """What was read of a file: its ``rows``, and the ``slots`` that they are about.

    ``shares`` has the checksums of the files with a row of the same key. Where the file cannot be
    loaded, ``rows`` is none and ``refused`` says why.
    """

    name: str
    rows: int | None
    slots: frozenset[Slot] = frozenset()
    shares: frozenset[str] = frozenset()
    refused: str | None = None


def contents(
    contract: Contract, files: Sequence[LandedFile], home: Path, settings: Settings | None
) -> dict[str, FileContent]:
    """Read each of ``files`` and return what it holds, by its checksum.

    A temporary folder under ``home`` takes what does not fit into the memory that ``settings``
    allow.
    """
    distinct = list({file.sha256: file for file in reversed(files)}.values())
    if not distinct:
        return {}
    with (
        scratch_under(home) as scratch,
        duckdb.connect(":memory:", config=engine_config(settings, scratch)) as connection,
    ):
        without_progress_bar(connection)
        outcomes = check_files(connection, contract, distinct, _ANY_DAY)
        slots = _slots(connection, contract)
        shared = _shared_keys(connection, contract)
    return {
        file.sha256: FileContent(
            file.name,
            outcome.rows_delivered if outcome.state == "loaded" else None,
            frozenset(slots[number]),
            frozenset(distinct[other - 1].sha256 for other in shared[number]),
            outcome.reason,
        )
        for number, (file, outcome) in enumerate(zip(distinct, outcomes, strict=True), start=1)
    }


def _slots(connection: duckdb.DuckDBPyConnection, contract: Contract) -> Mapping[int, set[Slot]]:
    found: dict[int, set[Slot]] = defaultdict(set)
    for number, series, period in connection.execute(
        f"select distinct _delivery_id, ({contract.series_sql})::varchar, {contract.period}::date "
        f"from {contract.raw_table} where {contract.period} is not null"
    ).fetchall():
        found[number].add((series or "", period))
    return found


def _shared_keys(
    connection: duckdb.DuckDBPyConnection, contract: Contract
) -> Mapping[int, set[int]]:
    """Return, by file, the other files with a row of the same key; none where rows have no key."""
    found: dict[int, set[int]] = defaultdict(set)
    if contract.key:
        rows = connection.execute(
            "with keyed as (select distinct _delivery_id as file, "
            f"row({', '.join(contract.key)})::varchar as key from {contract.raw_table}) "
            "select distinct one.file, other.file from keyed as one "
            "inner join keyed as other on one.key = other.key and one.file <> other.file"
        ).fetchall()
        for one, other in rows:
            found[one].add(other)
    return found


def why_in_place_of(
    contract: Contract, new: FileContent, old: LandedFile, old_content: FileContent
) -> str | None:
    """Return why a file replaces another; none if it does not."""
    if new.rows is None or old_content.rows is None:
        return "by its name" if _plain_name(new.name) == _plain_name(old.name) else None
    common = new.slots & old_content.slots
    if not common or not (contract.one_file_a_period or old.sha256 in new.shares):
        return None
    said = f"both hold {_said(common)}"
    if lost := old_content.slots - new.slots:
        said += f"; only {old.name} holds {_said(lost)}, which would go"
    return said


def _said(slots: frozenset[Slot]) -> str:
    shown = [f"{series} {period}".strip() for series, period in sorted(slots)]
    more = len(shown) - _SHOWN
    return ", ".join(shown[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def _plain_name(name: str) -> str:
    path = PurePath(name.lower())
    return re.sub(r"[^a-z0-9]", "", _DECORATION.sub("", path.stem)) + path.suffix

"""Compares two files of a source by their rows, in any order, as the source's reader has them."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.config.settings import Settings
from orchestration.ingest.checking.contract import Contract
from orchestration.ingest.landing.landing_zone import LandedFile, landed_file
from orchestration.ingest.loading.load import check_files
from orchestration.warehouse.progress_bar import without_progress_bar
from orchestration.warehouse.scratch import engine_config, scratch_under

_ANY_DAY = datetime(2000, 1, 1)


@dataclass(frozen=True)
class RowDifferences:
    """Rows of a new file, and those that differ from an old one's; ``old`` is none without one.

    ``usable`` says whether a refresh would load the new file.
    """

    new: int
    old: int | None
    gone: int
    added: int
    usable: bool
    revised: int = 0
    """How many of the rows that differ do so in the column that the publisher revises alone."""

    @property
    def differ(self) -> int:
        """How many rows differ: a changed row is gone in one form and added in another."""
        return max(self.gone, self.added)

    @property
    def has_nothing_in_common(self) -> bool:
        """Whether no row is in both files: they are about something else."""
        return self.old is not None and (self.gone, self.added) == (self.old, self.new)

    @property
    def same(self) -> bool:
        """Whether the two files have the same rows."""
        return self.old is not None and not self.differ


def compare_rows(
    settings: Settings,
    contract: Contract,
    new: Path,
    old: Path | None,
    revised: str | None = None,
) -> RowDifferences:
    """Read both files by the source's reader and compare their rows.

    ``revised`` is the column that the publisher revises, where there is one.

    Rows that are refused in either count as different, so that they are seen.
    """
    files = [_landed(one) for one in (new, old) if one is not None]
    if len({one.sha256 for one in files}) < len(files):
        # The reader would refuse a file that is given twice.
        alone = compare_rows(settings, contract, new, None)
        return replace(alone, old=alone.new)
    with (
        scratch_under(settings.home) as scratch,
        duckdb.connect(":memory:", config=engine_config(settings, scratch)) as connection,
    ):
        without_progress_bar(connection)
        outcomes = check_files(connection, contract, files, _ANY_DAY)
        usable = outcomes[0].state == "loaded"
        if old is None or outcomes[-1].state != "loaded" or not usable:
            return RowDifferences(outcomes[0].rows_delivered, None, 0, 0, usable)
        refused = [one.rows_refused for one in outcomes]
        gone = _only_in(connection, contract, 2, 1) + refused[1]
        added = _only_in(connection, contract, 1, 2) + refused[0]
        elsewhere = _only_in(connection, contract, 1, 2, revised) + refused[0]
        return RowDifferences(
            outcomes[0].rows_delivered,
            outcomes[1].rows_delivered,
            gone,
            added,
            usable,
            added - elsewhere,
        )


def _landed(path: Path) -> LandedFile:
    return landed_file(path, path.name, {})


def _only_in(
    connection: duckdb.DuckDBPyConnection,
    contract: Contract,
    one: int,
    other: int,
    but: str | None = None,
) -> int:
    """Return how many rows of a file are not in the other, each as often as it occurs.

    The column ``but`` is not compared.
    """
    names = [column.name for column in contract.columns if column.stored and column.name != but]
    columns = ", ".join(names)
    select = f"select {columns} from {contract.raw_table} where _delivery_id = "
    rows = connection.execute(
        f"select count(*) from ({select} {one} except all {select} {other})"
    ).fetchall()
    return int(rows[0][0])

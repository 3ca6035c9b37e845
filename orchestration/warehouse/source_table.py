"""What the warehouse needs to know of a source's raw table, whoever declares it.

The contracts of ``ingest`` satisfy it. Retention and provenance depend on this alone, so the
warehouse imports nothing of the steps above it.
"""

from collections.abc import Sequence
from typing import Protocol


class SourceColumn(Protocol):
    """A column of a raw table."""

    @property
    def name(self) -> str:
        """Name in SQL."""

    @property
    def type(self) -> str:
        """Type in SQL."""

    @property
    def personal(self) -> bool:
        """Whether its values are about a person."""


class SourceTable(Protocol):
    """A raw table, and which of its columns hold the period, the area and the series."""

    @property
    def source(self) -> str:
        """Name of the source."""

    @property
    def layout(self) -> str:
        """How its files are read; rows of ``csv`` have their line in ``<raw_table>_lines``."""

    @property
    def raw_table(self) -> str:
        """Name of the table with its schema."""

    @property
    def period(self) -> str:
        """Column of the period."""

    @property
    def area(self) -> str:
        """Column of the area; empty where there is none."""

    @property
    def series(self) -> tuple[str, ...]:
        """Columns that tell the series of deliveries apart."""

    @property
    def columns(self) -> Sequence[SourceColumn]:
        """Every column."""

    @property
    def identifiers(self) -> Sequence[SourceColumn]:
        """The columns that hold pseudonyms of people."""

    @property
    def retention_quarters(self) -> int | None:
        """For how many quarters rows are kept; none where they hold no person."""

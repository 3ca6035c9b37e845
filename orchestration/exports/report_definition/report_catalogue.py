"""The report that a release holds: its sections, and the tables and figures of each, in order.

How each is shown is declared in its model's YAML and read from ``main.report_metadata`` of the
published file (``docs/report_metadata.md``). A diagram, and a table that the release withholds, is
listed with the reason.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb
from pydantic import ValidationError

from orchestration.exports.errors import ExportError
from orchestration.releases.report_metadata import DIAGRAMS, SECTIONS, Exhibit, ReportMetadata


@dataclass(frozen=True)
class Section:
    """A chapter of the assessment with its exhibits; ``name`` is that of its narrative's file."""

    name: str
    title: str
    exhibits: tuple[Exhibit, ...]


@dataclass(frozen=True)
class ReportCatalogue:
    """The sections of a report, in order."""

    sections: tuple[Section, ...]

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """Every table and figure, in order."""
        return tuple(exhibit for section in self.sections for exhibit in section.exhibits)

    @property
    def compared_tables(self) -> frozenset[str]:
        """The tables that are printed to compare the areas of a force."""
        return frozenset(one.table for one in self.exhibits if one.areas == "force")


def catalogue_of(reports: Iterable[tuple[str, ReportMetadata]]) -> ReportCatalogue:
    """Return the catalogue of ``reports``, each a table's name with its metadata."""
    exhibits = [Exhibit(table=name, **dict(metadata)) for name, metadata in reports]
    ordered = sorted([*DIAGRAMS, *exhibits], key=lambda one: (one.position, one.label))
    found = [
        Section(name, title, tuple(exhibit for exhibit in ordered if exhibit.section == name))
        for name, title in SECTIONS.items()
    ]
    return ReportCatalogue(tuple(section for section in found if section.exhibits))


def read_catalogue(connection: duckdb.DuckDBPyConnection) -> ReportCatalogue:
    """Return the catalogue of the published file that is open.

    Raises :class:`ExportError` where the file does not say how its reports are shown.
    """
    try:
        rows = connection.execute(
            "select table_name, metadata from main.report_metadata order by table_name"
        ).fetchall()
        return catalogue_of(
            (name, ReportMetadata.model_validate_json(metadata)) for name, metadata in rows
        )
    except (duckdb.CatalogException, ValidationError) as error:
        raise ExportError(
            "The release does not say in main.report_metadata how its reports are shown: another "
            "version of the product published it. Refresh its quarter again."
        ) from error

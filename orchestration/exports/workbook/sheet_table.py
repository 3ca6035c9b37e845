"""An exhibit of a release as a sheet of the workbook."""

from collections.abc import Sequence
from dataclasses import dataclass

from orchestration.exports.report_definition.row_selection import Row, TableRef
from orchestration.releases.report_metadata import Exhibit, ReportColumn


@dataclass(frozen=True)
class SheetTable:
    """An exhibit of the release as a sheet: its table, its rows, and whether they are synthetic."""

    exhibit: Exhibit
    table: TableRef
    rows: Sequence[Row]
    synthetic: bool

    @property
    def fields(self) -> tuple[ReportColumn, ...]:
        """The columns of the exhibit that the release has."""
        names = self.table.column_names
        return tuple(field for field in self.exhibit.columns if field.column in names)

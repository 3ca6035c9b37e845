"""How far the data behind a partnership's exhibits go, and the note where that is long ago.

The release has it by table and area (``main.data_up_to``). What counts for a partnership is its own
districts; a table without them is that of the force.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from orchestration.exports.charts.chart_text import day_name, month_name
from orchestration.exports.report_definition.row_selection import Partnership, ReleaseFacts, Row


@dataclass(frozen=True)
class Extent:
    """The last day with data of each report table, by name; none where it has no figure."""

    release: ReleaseFacts
    up_to: Mapping[str, date | None]

    @property
    def last(self) -> date | None:
        """The last day that any of the figures is about."""
        return max((day for day in self.up_to.values() if day), default=None)

    @property
    def outdated(self) -> bool:
        """Whether every figure is about a time before the quarter, or nothing had landed for it."""
        last = self.last
        return last is None or last < self.release.quarter or not self.release.has_deliveries

    @property
    def headline(self) -> str:
        """Up to when the data go, in a sentence, and that nothing had landed for the quarter."""
        said = self._said(self.last)
        if not self.release.has_deliveries:
            said += (
                f" Nothing had landed for {self.release.quarter_label}: all figures come from "
                "earlier deliveries."
            )
        return said

    def note(self, table: str) -> str:
        """Return up to when the data of a table go, in a sentence; empty for an unknown table."""
        return self._said(self.up_to[table]) if table in self.up_to else ""

    def older(self, labels: Mapping[str, str]) -> list[str]:
        """Return the tables whose data end before the quarter, by their labels, each with its end.

        ``labels`` are by the name of the table.
        """
        return [
            f"{label} ({end_name(day)})"
            for table, label in labels.items()
            if (day := self.up_to.get(table)) and day < self.release.quarter
        ]

    def _said(self, day: date | None) -> str:
        if day is None:
            return "No data for this partnership."
        if day < self.release.quarter:
            return f"Data up to {end_name(day)}; this pack is for {self.release.quarter_label}."
        return f"Data up to {end_name(day)}."


def extent(release: ReleaseFacts, rows: Sequence[Row], whose: Partnership) -> Extent:
    """Return the extent for a partnership; ``rows`` are those of ``main.data_up_to``."""
    tables = dict.fromkeys(
        str(row["table_name"]) for row in rows if row["table_schema"] == "reports"
    )
    return Extent(release, {table: _last(rows, table, whose) for table in tables})


def _last(rows: Sequence[Row], table: str, whose: Partnership) -> date | None:
    of_table = [row for row in rows if row["table_name"] == table]
    for areas in (whose.areas, whose.forces):
        own = [row for row in of_table if str(row["area_code"]).split(":")[0] in areas]
        if own:
            return max(
                (day for row in own if isinstance(day := row["data_up_to"], date)), default=None
            )
    return None


def end_name(day: date) -> str:
    """Return the end of a period as people write it: the month where it ends with the month."""
    return month_name(day) if (day + timedelta(days=1)).day == 1 else day_name(day)

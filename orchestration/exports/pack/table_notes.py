"""Notes on a table that depend on its rows: breaks in its series, what is missing, populations.

The release has the note that holds for a table whatever its rows.
"""

from collections.abc import Sequence
from datetime import date

from orchestration.exports.charts.chart_text import ESTIMATORS, missing_months
from orchestration.exports.report_definition.row_selection import Row

_PERIODS = ("period_label", "stock_year")


def data_notes(rows: Sequence[Row]) -> list[str]:
    """Return the notes on the rows of one table, generated from them alone."""
    return [*_breaks(rows), *_missing(rows), *_populations(rows)]


def _breaks(rows: Sequence[Row]) -> list[str]:
    found = {
        (str(row["period_label"]), str(row["break_reason"]))
        for row in _in_order(rows)
        if row.get("break_reason") and row.get("period_label")
    }
    listed = "; ".join(f"{label} ({_estimated(reason)})" for label, reason in sorted(found))
    return [f"Breaks in series: {listed}."] if listed else []


def _missing(rows: Sequence[Row]) -> list[str]:
    """Say which months have no data and why; of a period of several months only why."""
    missing = [row for row in rows if row.get("missing_because")]
    months: dict[date, set[str]] = {}
    for row in missing:
        if isinstance(month := row.get("month"), date):
            months.setdefault(month, set()).add(str(row["missing_because"]))
    if months:
        reasons = {month: "; ".join(sorted(said)) for month, said in months.items()}
        return [f"No data for {one}." for one in missing_months(reasons)]
    said = sorted({str(row["missing_because"]) for row in missing})
    return [f"Months without data: {'; '.join(said)}."] if said else []


def _populations(rows: Sequence[Row]) -> list[str]:
    """Name the estimator of each period's population, with its mid-year where the rows say so."""
    used: dict[str, list[str]] = {}
    for row in _in_order(rows):
        label = next((str(row[name]) for name in _PERIODS if row.get(name)), "")
        estimator = row.get("population_estimator")
        if not label or not estimator:
            continue
        mid_year = row.get("population_mid_year")
        year = f", mid-{mid_year.year}" if isinstance(mid_year, date) else ""
        labels = used.setdefault(f"{ESTIMATORS.get(str(estimator), str(estimator))}{year}", [])
        if label not in labels:
            labels.append(label)
    listed = "; ".join(f"{who} ({', '.join(labels)})" for who, labels in used.items())
    return [f"Population: {listed}."] if listed else []


def _in_order(rows: Sequence[Row]) -> list[Row]:
    order = ("period_start", "stock_year")
    return sorted(rows, key=lambda row: next((str(row[name]) for name in order if row.get(name)),
                                             ""))  # fmt: skip


def _estimated(reason: str) -> str:
    for name, words in ESTIMATORS.items():
        reason = reason.replace(name, f"the {words}")
    return reason

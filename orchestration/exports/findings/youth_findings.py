"""Findings on young people: Figures 3 and 4."""

from collections.abc import Sequence

from orchestration.exports.findings.change_over_time import year_counts
from orchestration.exports.findings.comparable_periods import BASES, latest
from orchestration.exports.findings.finding import Finding
from orchestration.exports.findings.finding_text import count, number, rank_phrase
from orchestration.exports.report_definition.row_selection import Place, Row

_JUVENILES = "figure_3_juvenile_offenders"
_ENTRANTS = "figure_4_first_time_entrants"


def juvenile_offenders(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State how the number of juvenile offenders changed, and its rank by rate if it has a rate."""
    years = [row for row in place.own(rows) if row["period_type"] == "calendar_year"]
    row = latest(years, BASES[_JUVENILES])
    if row is None or row["juvenile_offenders"] is None:
        return []
    subject = f"Juvenile offenders in {place.name}"
    rank = _rank(row, rows)
    found = year_counts(_JUVENILES, years, "juvenile_offenders", subject, off) or [
        Finding(f"{subject}: {count(row, 'juvenile_offenders')} in {row['period_label']}.")
    ]
    return [Finding(f"{one.text}{rank}", one.strength, one.size) for one in found]


def _rank(row: Row, rows: Sequence[Row]) -> str:
    """Rank the district by its rate; a count without a population has no rank."""
    peers = [
        one
        for one in rows
        if one["period_label"] == row["period_label"]
        and one.get("youth_offending_service") == row.get("youth_offending_service")
    ]
    cells = [one.get(name) for one in peers for name in ("juvenile_offenders", "population")]
    if not row.get("youth_offending_service") or any(not cell and cell != 0 for cell in cells):
        return ""
    if any(number(one, "population") <= 0 for one in peers):
        return ""
    own, *others = [
        number(one, "juvenile_offenders") / number(one, "population")
        for one in (row, *(peer for peer in peers if peer["area_code"] != row["area_code"]))
    ]
    phrase = rank_phrase(own, others, f"districts of the {row['youth_offending_service']} service")
    return f" By rate it is {phrase}." if phrase else ""


def first_time_entrants(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State how the number of first-time entrants changed."""
    subject = f"First-time entrants to youth offending services in {place.name}"
    return year_counts(_ENTRANTS, place.own(rows), "first_time_entrants", subject, off)

"""The findings of a table of a release: which rule words them.

A rule is a pure function of a table's rows, a place, and by how much a count may be more or less
than it is shown. Nothing is stated about hidden or missing figures.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

from orchestration.exports.findings.crime_findings import crime_notes, recorded_crime
from orchestration.exports.findings.finding import Finding
from orchestration.exports.findings.need_findings import (
    accommodation_need,
    need_pathways,
    not_assessed,
    released,
    social_dwellings,
)
from orchestration.exports.findings.offender_findings import (
    offender_profile,
    offender_rates,
    offending_frequency,
)
from orchestration.exports.findings.place_findings import concentrated_types
from orchestration.exports.findings.scanning_findings import scanned_types
from orchestration.exports.findings.similar_area_findings import against_similar_areas
from orchestration.exports.findings.survey_findings import survey_answers
from orchestration.exports.findings.youth_findings import first_time_entrants, juvenile_offenders
from orchestration.exports.report_definition.row_selection import Partnership, Place, Row

Rule = Callable[[Sequence[Row], Place, float], list[Finding]]

_RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "table_1_offender_rates": offender_rates,
        "table_2_offending_frequency": offending_frequency,
        "figure_2_offender_profile": offender_profile,
        "figure_3_juvenile_offenders": juvenile_offenders,
        "figure_4_first_time_entrants": first_time_entrants,
        "table_3_oasys_pathways": need_pathways,
        "table_4_need_complexity": not_assessed,
        "figure_6_accommodation_need": accommodation_need,
        "page_prison_releases": released,
        "table_5_social_dwellings": social_dwellings,
        "page_scanning": scanned_types,
        "page_against_similar_areas": against_similar_areas,
        "page_hot_spots": concentrated_types,
        "figure_10_shoplifting": recorded_crime("Shoplifting", "figure_10_shoplifting"),
        "figure_11_burglary": recorded_crime("Burglary", "figure_11_burglary"),
        "table_7_feel_safe": survey_answers("very_safe", "felt very safe"),
        "table_8_crime_asb_problem": survey_answers("not_at_all", "saw no problem at all"),
    }
)

_NOTES: Mapping[str, Callable[[Sequence[Row], Place], list[str]]] = MappingProxyType(
    {"figure_10_shoplifting": crime_notes, "figure_11_burglary": crime_notes}
)


def findings(
    table: str, rows: Sequence[Row], place: Place, rounded_to: int | None = None
) -> list[Finding]:
    """Return the findings on one table of the release for a place; none where it has no rule.

    ``rounded_to`` is the multiple to which the table's counts are rounded, if they are.
    """
    rule = _RULES.get(table)
    return rule(rows, place, rounded_to - 1 if rounded_to else 0) if rule and rows else []


def finding_notes(table: str, rows: Sequence[Row], place: Place) -> list[str]:
    """Say why a table that has a rule has no finding, where that is not plain from the table."""
    rule = _NOTES.get(table)
    return rule(rows, place) if rule and rows else []


def places(whose: Partnership, rows: Iterable[Row]) -> list[Place]:
    """Return the areas of a partnership with their force, named by ``rows`` of areas.

    One of several districts comes first, then its districts.
    """
    names = {str(row["area_code"]): str(row["area_name"]) for row in rows}
    force = whose.forces[0] if whose.forces else ""
    return [
        Place(
            code,
            names.get(code, code),
            force,
            names.get(force, force),
            frozenset({code} if code in whose.peers else whose.areas[1:]),
            whose.peers,
        )
        for code in whose.areas
    ]

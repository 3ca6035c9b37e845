"""What a mart says beside what was computed a second time, as rows to read."""

from datetime import date
from math import isclose
from pathlib import Path
from typing import Any

import duckdb

Table = dict[tuple[Any, ...], dict[str, Any]]

KEYS = {
    "crime_monthly": "month area_code crime_type",
    "crime_trends": "area_code crime_type period_type period_start",
    "shoplifting_trends": "area_code period_type period_start",
    "burglary_trends": "area_code period_type period_start",
    "offender_rates": "area_code period_type period_start",
    "offending_frequency": "area_code period_start offences_per_offender",
    "offender_profile": "area_code period_start dimension category",
    "offender_age_and_sex": "area_code period_start age_group sex",
    "youth_offenders": "area_code period_type period_start cohort dimension category",
    "iom_cohort": "area_code period_start dimension category",
    "need_pathways": "cohort period_end area_code sex offence_group pathway",
    "accommodation_need": "cohort period_end area_code",
    "need_complexity": "cohort period_end area_code complexity",
    "probation_profile": "cohort period_end area_code dimension category",
    "prison_release_accommodation": "prison area_code period_start",
    "int_prison_releases__by_accommodation": "prison area_code period_start sex accommodation",
    "prison_accommodation_need": "prison area_code period_start sex",
    "supported_accommodation": "area_code period_start scheme town kind",
    "social_housing_stock": "area_code tenure stock_date",
    "survey_perceptions": "period_start area_code question answer",
    "survey_responses": "period_start area_code",
}
_LEFT_OUT = {
    "crime_trends": "where crime_type not in (select crime_type from reference.crime_types "
    "group by crime_type having bool_or(breaks_series) or bool_and(last_month is not null))",
    "survey_perceptions": "where area_type <> 'partnership'",
    "survey_responses": "where area_type <> 'partnership'",
}
COUNTS = (
    "offences", "offenders", "young_people", "people", "caseload", "released", "assessed", "sites",
    "answer_count", "responses", "dwellings",
)  # fmt: skip
"""Columns that count: a row without any of them may be left out, one with some may not."""


def marts_of(warehouse: Path) -> dict[str, Table]:
    """Return every mart of a warehouse, its rows by key.

    Partnerships of several districts are left out of the survey, which is not computed for them.
    So are trends of types whose content changed.
    """
    with duckdb.connect(warehouse, read_only=True) as connection:
        found = {}
        for name, columns in KEYS.items():
            schema = "intermediate" if name.startswith("int_") else "marts"
            result = connection.execute(f"select * from {schema}.{name} {_LEFT_OUT.get(name, '')}")
            names = [column[0] for column in result.description]
            rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
            found[name] = {tuple(row[key] for key in columns.split()): row for row in rows}
    return found


def differences(name: str, mart: Table, computed: Table) -> list[str]:
    """Return a line for each cell that differs, each row too many and each row missing."""
    lines = []
    for key, wanted in computed.items():
        row = mart.get(key)
        if row is None:
            if any(wanted.get(column) for column in COUNTS):
                lines.append(f"{name} {_shown(key)}: no such row; computed {_counts(wanted)}")
            continue
        lines += [
            f"{name} {_shown(key)} {column}: mart {row[column]!r}, computed {value!r}"
            for column, value in wanted.items()
            if not _same(row[column], value)
        ]
    for key in mart.keys() - computed.keys():
        if any(mart[key].get(column) for column in COUNTS):
            lines.append(f"{name} {_shown(key)}: computed has no such row; {_counts(mart[key])}")
    return sorted(lines)


def _counts(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {row[name]}" for name in COUNTS if row.get(name))


def _shown(key: tuple[Any, ...]) -> str:
    parts = (part.isoformat() if isinstance(part, date) else str(part) for part in key)
    return "[" + ", ".join(parts) + "]"


def _same(found: Any, wanted: Any) -> bool:
    if isinstance(found, float | int) and isinstance(wanted, float | int):
        return isclose(found, wanted, rel_tol=1e-9, abs_tol=1e-9)
    return bool(found == wanted)

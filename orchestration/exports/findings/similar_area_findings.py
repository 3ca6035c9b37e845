"""Findings on recorded crime against similar areas: the rate, and what is outside the limits."""

from collections.abc import Sequence
from math import inf

from orchestration.disclosure.confidence_limits import Limits
from orchestration.exports.findings.finding import Finding, size_of_ratio
from orchestration.exports.findings.finding_text import (
    count,
    listed,
    lowered,
    number,
    pair_texts,
)
from orchestration.exports.report_definition.row_selection import Place, Row


def against_similar_areas(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """Return one finding: all offences against similar areas, and the groups outside the limits."""
    own = [row for row in place.own(rows) if row["similar_rate_per_1000"] is not None]
    whole = [row for row in own if row["row_order"] == 1]
    if not whole:
        return []
    parts = [_all_offences(whole[0], place)]
    compared = [row for row in own if row["compared_with_similar"] is not None]
    outside = [row for row in compared if row["compared_with_similar"] != "not clear"]
    if outside:
        parts += [_outside(outside, "higher", "Above"), _outside(outside, "lower", "Below")]
    elif compared:
        parts.append("No offence group lies outside what is usual among them.")
    size = max((size_of_ratio(_beyond_limits(row)) for row in outside), default=0.0)
    text = " ".join(part for part in parts if part)
    return [Finding(text, "claim" if outside else "comparison", size)]


def _all_offences(row: Row, place: Place) -> str:
    own, similar = pair_texts(number(row, "rate_per_1000"), number(row, "similar_rate_per_1000"), 1)
    return (
        f"The official count has {count(row, 'offences')} offences in {place.name} in the "
        f"{lowered(str(row['period_label']))}: {own} per 1,000 people, against {similar} in "
        f"{count(row, 'areas_compared')} similar areas together."
    )


def _outside(outside: Sequence[Row], verdict: str, where: str) -> str:
    names = [
        lowered(str(row["recorded_offence_group"]))
        for row in outside
        if row["compared_with_similar"] == verdict
    ]
    return f"{where} what is usual among them: {listed(names)}." if names else ""


def _beyond_limits(row: Row) -> Limits:
    """Return the ratio of the rate to the funnel limit that it passes, open to the other side."""
    rate = number(row, "rate_per_1000")
    if row["compared_with_similar"] == "higher":
        return Limits(rate / number(row, "funnel_limit_upper"), inf)
    return Limits(0, rate / number(row, "funnel_limit_lower"))

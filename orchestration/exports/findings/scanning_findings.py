"""Findings on all crime types together: which changed, and which differ from the rest of the force.

The release names a change or a difference only where it is beyond chance for all types that are
scanned together (docs/method.md#scanning); no more is stated here.
"""

from collections.abc import Callable, Sequence

from orchestration.disclosure.confidence_limits import Limits
from orchestration.exports.findings.finding import Finding, joined, size_of_ratio
from orchestration.exports.findings.finding_text import count, listed, lowered, number, pair_texts
from orchestration.exports.report_definition.row_selection import Place, Row

_TOTAL = "[z]"
"""The marker of total crime, which has no place in the order of types."""


def scanned_types(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """Return a finding on changes on the year and one on differences from the rest of the force."""
    own = place.own(rows)
    total = [row for row in own if row["priority_score_status"] == _TOTAL]
    types = [row for row in own if row["priority_score_status"] != _TOTAL]
    return [
        *joined([*_total_change(total, place), *_changes(types, place)]),
        *_differences(types, place),
    ]


def _total_change(total: Sequence[Row], place: Place) -> list[Finding]:
    if not total or total[0]["compared_with_year_before"] is None:
        return []
    row = total[0]
    counts = f"{_after(row)} in the {lowered(str(row['period_label']))}"
    if row["compared_with_year_before"] == "not clear":
        text = (
            f"Total crime in {place.name}: {counts}. With all types scanned together, that is no "
            "clear change."
        )
        return [Finding(text, "comparison")]
    verb = "rose" if row["compared_with_year_before"] == "higher" else "fell"
    return [
        Finding(
            f"Total crime in {place.name} {verb}: {counts}.",
            "claim",
            size_of_ratio(_change_limits(row)),
        )
    ]


def _changes(types: Sequence[Row], place: Place) -> list[Finding]:
    return _finding(
        types,
        "compared_with_year_before",
        f"crime types in {place.name}",
        "than in the twelve months before",
        lambda row: f"{_name(row)} ({_after(row)})",
        _change_limits,
    )


def _differences(types: Sequence[Row], place: Place) -> list[Finding]:
    return _finding(
        types,
        "compared_with_rest",
        f"crime types in {place.name}",
        f"per 1,000 people than in the rest of {place.force_name}",
        _rates,
        lambda row: _limits(row, "rate_ratio_lower", "rate_ratio_upper"),
    )


def _finding(
    types: Sequence[Row],
    column: str,
    of: str,
    than: str,
    named: Callable[[Row], str],
    limits: Callable[[Row], Limits],
) -> list[Finding]:
    """Name the types that are higher and those that are lower; nothing where none was tested."""
    tested = [row for row in types if row[column] is not None]
    if not tested:
        return []
    higher, lower = (
        [row for row in tested if row[column] == verdict] for verdict in ("higher", "lower")
    )
    start = f"Of {len(tested)} {of},"
    if not higher and not lower:
        return [Finding(f"{start} none was clearly higher or lower {than}.", "usual")]
    parts = [
        f"{listed([named(row) for row in rows])} {'were' if len(rows) > 1 else 'was'} {verdict}"
        for verdict, rows in (("higher", higher), ("lower", lower))
        if rows
    ]
    parts[0] += f" {than}"
    size = max(size_of_ratio(limits(row)) for row in (*higher, *lower))
    return [Finding(f"{start} {'; '.join(parts)}.", "claim", size)]


def _name(row: Row) -> str:
    return lowered(str(row["crime_type"]))


def _after(row: Row) -> str:
    """Return both counts and the change, such as 752 after 532 (+41%)."""
    counts = f"{count(row, 'offences')} after {count(row, 'offences_year_before')}"
    if row["change_percent"] is None:
        return counts
    change = f"{number(row, 'change_percent'):+.0f}%".replace("-", "\N{MINUS SIGN}")
    return f"{counts}, {change}"


def _rates(row: Row) -> str:
    rates = number(row, "rate_per_1000"), number(row, "rest_rate_per_1000")
    own, rest = pair_texts(*rates, 1 if min(rates) >= 1 else 2)
    return f"{_name(row)} ({own}, against {rest})"


def _change_limits(row: Row) -> Limits:
    percent = _limits(row, "change_percent_lower", "change_percent_upper")
    return Limits(1 + percent.lower / 100, 1 + percent.upper / 100)


def _limits(row: Row, lower: str, upper: str) -> Limits:
    """Return two limits; one that the release leaves empty excludes nothing."""
    least, most = row[lower], row[upper]
    return Limits(
        float("-inf") if least is None else number(row, lower),
        float("inf") if most is None else number(row, upper),
    )

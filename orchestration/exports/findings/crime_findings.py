"""Findings on a type of recorded crime by month: Figures 10 and 11."""

from collections.abc import Callable, Sequence
from datetime import date
from math import log

from orchestration.exports.charts.chart_text import missing_months, shift_sentence
from orchestration.exports.charts.monthly_series import monthly_series, restarts
from orchestration.exports.findings.change_over_time import (
    rolling_level,
    rolling_years,
    year_before,
)
from orchestration.exports.findings.comparable_periods import BASES, comparable_before, latest
from orchestration.exports.findings.finding import Finding, joined
from orchestration.exports.findings.finding_text import count, lowered, number
from orchestration.exports.findings.rest_of_force import share_comparison
from orchestration.exports.report_definition.row_selection import Place, Row

Rule = Callable[[Sequence[Row], Place, float], list[Finding]]


def recorded_crime(subject: str, table: str) -> Rule:
    """Return the rule on the months of a type of crime, such as Shoplifting."""

    def rule(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
        listed = place.own(rows)
        own = _to_last_month(listed)
        missing = _missing(subject, listed, place)
        if not own:
            return missing
        trend = rolling_years(table, own, f"Recorded {subject.lower()} in {place.name}")
        if trend:
            trend[1:1] = _against_rest(table, own, rows, place)
        return [
            *joined([*trend, *_shift(own, subject, place, alone=not trend)]),
            *_signals(subject, own, place),
            *missing,
        ]

    return rule


def _to_last_month(rows: Sequence[Row]) -> list[Row]:
    """Return the rows up to the last month with a count: what is stated is on known months."""
    last = max((month for row, month in _months(rows) if row["offences"] is not None), default=None)
    return [row for row, month in _months(rows) if last and month <= last]


def _missing(subject: str, rows: Sequence[Row], place: Place) -> list[Finding]:
    """Say why months have no count: those of the last two years with counts, and all since."""
    known = [month for row, month in _months(rows) if row["offences"] is not None]
    reasons = {
        month: str(row["missing_because"])
        for row, month in _months(rows)
        if row.get("missing_because") and (not known or _years_before(max(known)) < month)
    }
    return [
        Finding(f"Recorded {subject.lower()} in {place.name} is not known for {one}.")
        for one in missing_months(reasons)
    ]


def _months(rows: Sequence[Row]) -> list[tuple[Row, date]]:
    return [(row, month) for row in rows if isinstance(month := row["month"], date)]


def _years_before(month: date) -> date:
    """Return the month two years before: the first that is not compared."""
    return month.replace(year=month.year - 2)


def crime_notes(rows: Sequence[Row], place: Place) -> list[str]:
    """Say where a series is too short for a finding."""
    own = [row for row in place.own(rows) if isinstance(row["month"], date)]
    if any(row["rolling_12m_offences"] is not None for row in own) or _with_limits(own):
        return []
    return [f"Too few months of {place.name} have been supplied for a key finding."] if own else []


def _against_rest(
    table: str, own: Sequence[Row], rows: Sequence[Row], place: Place
) -> list[Finding]:
    """Compare the change on the year with that of the rest of the force.

    Given its sum, the later of two Poisson counts is binomial. Two changes differ where these
    shares do.
    """
    sums = [_two_years(table, of_area) for of_area in (own, place.force(rows))]
    here, force = sums
    if here is None or force is None or force[0] != here[0]:
        return []
    _, now, before = here
    rest_now, rest_before = force[1] - now, force[2] - before
    if min(rest_now, rest_before) <= 0:
        return []
    compared = share_comparison(now, now + before, rest_now, rest_now + rest_before)
    if compared is None:
        return []
    change = f"{100 * (rest_now / rest_before - 1):+.0f}%".replace("-", "\N{MINUS SIGN}")
    verdict = (
        "chance can explain the difference between the two changes"
        if compared.verdict == "unclear"
        else "chance does not explain the difference between the two changes"
    )
    return [
        compared.finding(
            f"In the rest of {place.force_name}: {rest_now:,.0f} after {rest_before:,.0f} "
            f"({change}); {verdict}."
        )
    ]


def _two_years(table: str, rows: Sequence[Row]) -> tuple[object, float, float] | None:
    """Return the last month, its twelve months and the twelve before, where they compare."""
    row = latest(rows, BASES[table])
    before = year_before(row, rows) if row else None
    if row is None or before is None or before not in comparable_before(row, rows, BASES[table]):
        return None
    if None in (row["rolling_12m_offences"], before["rolling_12m_offences"]):
        return None
    return row["month"], rolling_level(row).count, rolling_level(before).count


def _shift(rows: Sequence[Row], subject: str, place: Place, *, alone: bool) -> list[Finding]:
    """Name the latest sustained shift, from which limits are drawn anew."""
    series = monthly_series(rows)
    found = [shift_sentence(series, position) for position in restarts(series)[-1:]]
    start = f"Recorded {subject.lower()} in {place.name}: "
    return [Finding(f"{start}{lowered(text)}" if alone else text) for text in found]


def _with_limits(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the last twelve months that have control limits."""
    months = [month for row in rows if isinstance(month := row["month"], date)]
    last = max(months, default=None)
    return [
        row
        for row in rows
        if last
        and isinstance(month := row["month"], date)
        and (last.year - month.year) * 12 + last.month - month.month < 12
        and row["xmr_centre"] is not None
    ]


def _signals(subject: str, rows: Sequence[Row], place: Place) -> list[Finding]:
    recent = _with_limits(rows)
    if not recent:
        return []
    beyond = sorted(
        (row for row in recent if str(row["xmr_signal"] or "").endswith("limit")),
        key=lambda row: str(row["month"]),
    )
    if not beyond:
        return [
            Finding(
                f"No month of the last twelve with limits was outside the limits of usual "
                f"variation for {subject.lower()} in {place.name}.",
                "usual",
            )
        ]
    named = ", ".join(_signal(row) for row in beyond)
    return [
        Finding(
            f"Outside the limits of usual variation for {subject.lower()} in {place.name} in the "
            f"last twelve months: {named}.",
            "claim",
            max(_beyond(row) for row in beyond),
        )
    ]


def _signal(row: Row) -> str:
    """Name a month beyond a limit with its side, its count and the limit."""
    side = str(row["xmr_signal"]).split()[0]
    limit = row.get("xmr_upper" if side == "above" else "xmr_lower")
    if row.get("offences") is None or limit is None:
        return f"{row['month_label']} ({side})"
    return f"{row['month_label']} ({count(row, 'offences')}, {side} {float(str(limit)):.1f})"


def _beyond(row: Row) -> float:
    """Return the logarithm of a month's count over the limit that it passed."""
    side = str(row["xmr_signal"]).split()[0]
    limit = row.get("xmr_upper" if side == "above" else "xmr_lower")
    if not row.get("offences") or not limit:
        return 0.0
    return abs(log(number(row, "offences") / float(str(limit))))

"""What rose, what fell, and what cannot be compared: findings on change over time.

``comparable_periods`` chooses every earlier figure. A change is stated only where the 95 % limits
of the ratio exclude no change, whatever was rounded away. The change on the year and that over the
longest comparable run are one finding. Pure functions of a place's own rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from orchestration.disclosure.confidence_limits import Limits, Rounded, ratio_of_rounded
from orchestration.exports.charts.chart_text import count_text, month_name
from orchestration.exports.findings.comparable_periods import (
    BASES,
    comparable_before,
    is_break,
    latest,
)
from orchestration.exports.findings.finding import Finding, joined, size_of_ratio, strength_of
from orchestration.exports.findings.finding_text import lowered, number
from orchestration.exports.report_definition.row_selection import Row

_ROLLING = "rolling_12m_offences"


@dataclass(frozen=True)
class Level:
    """A count of a period with its exposure (a population, or 1), and how the figure is written.

    ``rate`` is the text of a rate, with ``unit`` after it; of a count both are empty. ``off`` is by
    how much the count may be more or less than it is shown.
    """

    count: float
    label: str
    exposure: float = 1.0
    rate: str = ""
    unit: str = ""
    off: float = 0

    @property
    def shown(self) -> str:
        """The figure as a text: a rate, or the count."""
        return self.rate or count_text(self.count)

    def ratio(self, before: "Level") -> Limits | None:
        """Return the limits of the ratio to an earlier one; none where both must be zero."""
        return ratio_of_rounded(
            Rounded(self.count, self.off),
            Rounded(before.count, before.off),
            self.exposure,
            before.exposure,
        )


def change(subject: str, now: Level, before: Level) -> Finding:
    """Say how a figure changed, or that its change is within chance.

    ``subject`` starts the sentence, such as "Recorded shoplifting in Northshire".
    """
    limits = now.ratio(before)
    if limits is None:
        return Finding(f"{subject}: none in {now.label}, and none in {before.label}.", "comparison")
    verdict = limits.verdict(1.0)
    if verdict == "unclear":
        cause = "chance or rounding" if now.off else "chance"
        why = f"; {cause} can explain the difference" if now.shown != before.shown else ""
        return Finding(
            f"{subject}: {now.shown}{now.unit} ({now.label}) after {before.shown} ({before.label})"
            f"{why}.",
            "comparison",
        )
    verb = "rose" if verdict == "higher" else "fell"
    figures = f"from {before.shown}{now.unit} ({before.label}) to {now.shown} ({now.label})"
    return Finding(
        f"{subject} {verb} {_percent(now, before)}{figures}{_limits_text(limits, before)}.",
        strength_of(verdict),
        size_of_ratio(limits),
    )


def _percent(now: Level, before: Level) -> str:
    """Return by how many per cent a count changed; a rate says it by its two values."""
    if now.rate or before.count == 0:
        return ""
    about = "about " if now.off else ""
    return f"by {about}{100 * abs(now.count / before.count - 1):.0f}%, "


def _limits_text(limits: Limits, before: Level) -> str:
    if before.count == 0:
        return ""
    return f"; 95% limits of the change {_signed(limits.lower)} to {_signed(limits.upper)}"


def long_run(subject: str, now: Level, first: Level) -> list[Finding]:
    """Say how a figure differs from the first comparable one, where chance does not explain it."""
    found = change(f"Over the longest run that can be compared, {subject}", now, first)
    return [found] if found.strength == "claim" else []


def year_counts(
    table: str, rows: Sequence[Row], column: str, subject: str, off: float = 0
) -> list[Finding]:
    """Compare the latest year's count with the year before, and with the first comparable one.

    ``rows`` are one area's, ``off`` is by how much a count may be more or less than it is shown.
    Nothing is said where the latest year has no figure.
    """
    basis = BASES[table]
    row = latest(rows, basis)
    if row is None or row[column] is None:
        return []
    known = [other for other in comparable_before(row, rows, basis) if other[column] is not None]

    def level(one: Row) -> Level:
        return Level(number(one, column), str(one["period_label"]), off=off)

    return joined(_runs(row, known, level, subject, "it"))


def year_rates(table: str, rows: Sequence[Row], subject: str) -> list[Finding]:
    """Compare the latest year's rate of offenders with the earlier ones of its kind.

    Where there is none, say why the last year shown before it is not one.
    """
    basis = BASES[table]
    rated = sorted(
        (row for row in rows if row["rate_per_1000"] is not None),
        key=lambda row: basis.period(row)[1],
    )
    if len(rated) < 2:
        return []
    row = rated[-1]
    known = [
        other
        for other in comparable_before(row, rows, basis)
        if None not in (other["offenders"], other["population"], other["rate_per_1000"])
    ]
    if not known:
        return [_not_comparable(row, rated[-2])]
    return _runs(row, known, _rate_level, subject, "the rate")


def _rate_level(row: Row) -> Level:
    return Level(
        number(row, "offenders"),
        str(row["period_label"]),
        number(row, "population"),
        f"{number(row, 'rate_per_1000'):.1f}",
        " per 1,000",
    )


def _runs(
    row: Row, known: Sequence[Row], level: Callable[[Row], Level], subject: str, again: str
) -> list[Finding]:
    """Compare a row with the last of ``known`` and, where that is another one, with the first.

    ``again`` is the subject of the second sentence.
    """
    if not known:
        return []
    found = [change(subject, level(row), level(known[-1]))]
    if len(known) > 1:
        found += long_run(again, level(row), level(known[0]))
    return found


def rolling_years(table: str, rows: Sequence[Row], subject: str) -> list[Finding]:
    """Compare the latest twelve months with the twelve before, and with the first whole twelve.

    ``rows`` are one area's months. ``subject`` starts a sentence, such as "Recorded burglary in
    Northshire".
    """
    basis = BASES[table]
    row = latest(rows, basis)
    if row is None or row[_ROLLING] is None:
        return []
    known = [other for other in comparable_before(row, rows, basis) if other[_ROLLING] is not None]
    before = year_before(row, rows)
    found = []
    if before is not None and before in known:
        found.append(change(subject, rolling_level(row), rolling_level(before)))
    elif _breaks_lately(row, rows):
        found.append(
            Finding(
                f"{subject}: the series breaks within the last two years, so they are not compared."
            )
        )
    if known and known[0] is not before:
        again = "it" if found else lowered(subject)
        found += long_run(again, rolling_level(row), rolling_level(known[0]))
    return found


def rolling_level(row: Row) -> Level:
    """Return the twelve months that end with a row's month."""
    return Level(number(row, _ROLLING), f"twelve months to {month_name(_month(row))}")


def year_before(row: Row, rows: Sequence[Row]) -> Row | None:
    """Return the row of the same month a year earlier."""
    month = _month(row).replace(year=_month(row).year - 1)
    return next((other for other in rows if other["month"] == month), None)


def _breaks_lately(row: Row, rows: Sequence[Row]) -> bool:
    """Say whether the series breaks within the two years that would be compared."""
    last = _month(row)
    return any(is_break(other) and 0 <= _months_between(_month(other), last) < 23 for other in rows)


def _not_comparable(row: Row, before: Row) -> Finding:
    label, reason = row["period_label"], row.get("break_reason")
    why = f" ({reason})" if reason else ""
    if is_break(row):
        return Finding(
            f"The series breaks in {label}{why}, so the rate of {label} cannot be compared with "
            f"that of {before['period_label']}."
        )
    return Finding(
        f"The rate of {label} cannot be compared with that of {before['period_label']}: they are "
        "not of one kind of year, source and population, or the series breaks between them."
    )


def _signed(limit: float) -> str:
    """Write a limit of a ratio as the change in per cent that it means."""
    if limit == float("inf"):
        return "without upper limit"
    percent = 100 * (limit - 1)
    # A limit beside no change must not be written as if it were on it.
    text = f"{percent:+.1g}" if 0 < abs(percent) < 1 else f"{percent:+.0f}"
    return f"{text}%".replace("-", "\N{MINUS SIGN}")


def _month(row: Row) -> date:
    month = row["month"]
    if not isinstance(month, date):
        raise TypeError(f"A month series has no month: {month!r}.")
    return month


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month

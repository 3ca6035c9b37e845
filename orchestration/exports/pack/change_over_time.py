"""Sentences on change over time: what rose, what fell, and what cannot be compared.

``comparable_periods`` chooses every earlier figure. A change is stated only where the 95 % limits
of the ratio exclude no change, whatever was rounded away. Pure functions of a place's own rows.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date

from orchestration.disclosure.confidence_limits import Rounded, ratio, ratio_of_rounded
from orchestration.exports.charts.chart_text import count_text, month_name
from orchestration.exports.pack.comparable_periods import (
    BASES,
    comparable_before,
    is_break,
    latest,
)
from orchestration.exports.report_definition.row_selection import Row

_ROLLING = "rolling_12m_offences"


def change_sentence(
    subject: str, now: float, before: float, now_label: str, before_label: str, off: float = 0
) -> str:
    """Say how a count changed, or that its change is within chance.

    ``subject`` starts the sentence, such as "Recorded shoplifting in Fenland". ``off`` is by how
    much each count may be more or less than it is shown.
    """
    counts = f"{count_text(before)} ({before_label}) to {count_text(now)} ({now_label})"
    limits = ratio_of_rounded(Rounded(now, off), Rounded(before, off))
    if limits is None:
        return f"{subject}: none in {now_label}, and none in {before_label}."
    verdict = limits.verdict(1.0)
    if verdict == "unclear":
        cause = "chance or rounding" if off else "chance"
        return (
            f"{subject}: {count_text(now)} ({now_label}) after {count_text(before)} "
            f"({before_label}). A difference of this size can be {cause}; no change is claimed."
        )
    verb = "rose" if verdict == "higher" else "fell"
    if before == 0:
        return f"{subject} {verb} from {counts}."
    percent = f"{'about ' if off else ''}{100 * abs(now / before - 1):.0f}%"
    return (
        f"{subject} {verb} by {percent}, from {counts}; 95% limits of the change "
        f"{_signed(limits.lower)} to {_signed(limits.upper)}."
    )


def year_counts(
    table: str, rows: Sequence[Row], column: str, subject: str, off: float = 0
) -> list[str]:
    """Compare the latest year's count with the year before, and with the first comparable one.

    ``rows`` are one area's, ``off`` is by how much a count may be more or less than it is shown.
    Nothing is said where the latest year has no figure.
    """
    basis = BASES[table]
    row = latest(rows, basis)
    if row is None or row[column] is None:
        return []
    known = [other for other in comparable_before(row, rows, basis) if other[column] is not None]
    if not known:
        return []

    def said(start: str, other: Row) -> str:
        return change_sentence(
            start, _number(row, column), _number(other, column),
            str(row["period_label"]), str(other["period_label"]), off,
        )  # fmt: skip

    return [
        said(subject, known[-1]),
        *_long_run(
            known,
            row,
            lambda one: _number(one, column),
            lambda one: 1.0,
            said,
            subject,
            off=off,
        ),
    ]


def year_rates(table: str, rows: Sequence[Row], place: str) -> list[str]:
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
    return [
        _rate_change(f"The rate in {place}", row, known[-1]),
        *_long_run(
            known, row, lambda one: _number(one, "offenders"),
            lambda one: _number(one, "population"), lambda start, other: _rate_change(
                start, row, other), f"The rate in {place}",
        ),
    ]  # fmt: skip


def rolling_years(table: str, rows: Sequence[Row], subject: str) -> list[str]:
    """Compare the latest twelve months with the twelve before, and with the first whole twelve.

    ``rows`` are one area's months. ``subject`` starts a sentence, such as "Recorded burglary in
    Fenland".
    """
    basis = BASES[table]
    row = latest(rows, basis)
    if row is None or row[_ROLLING] is None:
        return []
    known = [other for other in comparable_before(row, rows, basis) if other[_ROLLING] is not None]
    year_before = _year_before(row, rows)
    sentences = []
    if year_before is not None and year_before in known:
        sentences.append(_rolling_change(subject, row, year_before))
    elif _breaks_lately(row, rows):
        sentences.append(
            f"{subject}: the series breaks within the last two years, so they are not compared."
        )
    return [
        *sentences,
        *_long_run(
            known, row, lambda one: _number(one, _ROLLING), lambda one: 1.0,
            lambda start, other: _rolling_change(start, row, other), subject,
            than=year_before,
        ),
    ]  # fmt: skip


def _long_run(
    known: Sequence[Row],
    row: Row,
    count: Callable[[Row], float],
    exposure: Callable[[Row], float],
    said: Callable[[str, Row], str],
    subject: str,
    than: Row | None = None,
    off: float = 0,
) -> list[str]:
    """Say how ``row`` differs from the first comparable period, where chance does not explain it.

    Nothing is said where the first comparable period is the one just compared with (the last of
    ``known``, or ``than``), or the limits of the ratio include no change.
    """
    if not known or known[0] is (than or known[-1]):
        return []
    limits = ratio_of_rounded(
        Rounded(count(row), off), Rounded(count(known[0]), off), exposure(row), exposure(known[0])
    )
    if limits is None or limits.verdict(1.0) == "unclear":
        return []
    return [said(f"Over the longest run that can be compared, {_lowered(subject)}", known[0])]


def _lowered(subject: str) -> str:
    return subject[0].lower() + subject[1:]


def _rolling_change(subject: str, row: Row, before: Row) -> str:
    return change_sentence(
        subject, _number(row, _ROLLING), _number(before, _ROLLING),
        f"twelve months to {month_name(_month(row))}",
        f"twelve months to {month_name(_month(before))}",
    )  # fmt: skip


def _year_before(row: Row, rows: Sequence[Row]) -> Row | None:
    month = _month(row).replace(year=_month(row).year - 1)
    return next((other for other in rows if other["month"] == month), None)


def _breaks_lately(row: Row, rows: Sequence[Row]) -> bool:
    """Say whether the series breaks within the two years that would be compared."""
    last = _month(row)
    return any(is_break(other) and 0 <= _months_between(_month(other), last) < 23 for other in rows)


def _rate_change(subject: str, row: Row, before: Row) -> str:
    limits = ratio(
        _number(row, "offenders"), _number(before, "offenders"),
        _number(row, "population"), _number(before, "population"),
    )  # fmt: skip
    rates = (
        f"from {_number(before, 'rate_per_1000'):.1f} per 1,000 ({before['period_label']}) to "
        f"{_number(row, 'rate_per_1000'):.1f} ({row['period_label']})"
    )
    verdict = limits.verdict(1.0) if limits else "unclear"
    if limits is None or verdict == "unclear":
        return f"{subject}: {rates}. A difference of this size can be chance; no change is claimed."
    verb = "rose" if verdict == "higher" else "fell"
    return (
        f"{subject} {verb} {rates}; 95% limits of the change {_signed(limits.lower)} to "
        f"{_signed(limits.upper)}."
    )


def _not_comparable(row: Row, before: Row) -> str:
    label, reason = row["period_label"], row.get("break_reason")
    why = f" ({reason})" if reason else ""
    if is_break(row):
        return (
            f"The series breaks in {label}{why}, so the rate of {label} cannot be compared with "
            f"that of {before['period_label']}."
        )
    return (
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


def _number(row: Mapping[str, object], column: str) -> float:
    return float(row[column])  # type: ignore[arg-type]


def _month(row: Row) -> date:
    month = row["month"]
    if not isinstance(month, date):
        raise TypeError(f"A month series has no month: {month!r}.")
    return month


def _months_between(first: date, last: date) -> int:
    return (last.year - first.year) * 12 + last.month - first.month

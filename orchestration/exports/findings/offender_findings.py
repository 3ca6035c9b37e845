"""Findings on offenders known to the police: Tables 1 and 2, Figure 2."""

from collections.abc import Sequence

from orchestration.exports.findings.change_over_time import year_rates
from orchestration.exports.findings.comparable_periods import BASES, latest
from orchestration.exports.findings.finding import Finding, joined
from orchestration.exports.findings.finding_text import count, listed, number, rank_phrase
from orchestration.exports.findings.rest_of_force import (
    Comparison,
    of_force,
    rates,
    share_comparison,
)
from orchestration.exports.report_definition.row_selection import Place, Row

_RATES = "table_1_offender_rates"


def offender_rates(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State the latest rate, that of the rest of the force, and how the rate changed."""
    own = place.own(rows)
    row = latest([one for one in own if one["rate_per_1000"] is not None], BASES[_RATES])
    if row is None or row["offenders"] is None:
        return []
    compared = rates(row, of_force(row, place.force(rows)), "offenders", "population", off)
    text = (
        f"{count(row, 'offenders')} known offenders in {place.name} in {row['period_label']}: "
        f"{number(row, 'rate_per_1000'):.1f} per 1,000 people"
    )
    if compared is None:
        level = Finding(f"{text}.")
    else:
        phrase = compared.phrase("rate", place.force_name, 1000, 1)
        level = compared.finding(f"{text}{phrase}{_rank(row, rows, place, compared)}.")
    return joined([level, *year_rates(_RATES, own, "The rate")])


def _rank(row: Row, rows: Sequence[Row], place: Place, compared: Comparison) -> str:
    """Rank the rate among the districts', where it differs from the rest by more than chance."""
    peers = [
        one
        for one in rows
        if one["area_code"] in place.peers - {place.code}
        and all(one[name] == row[name] for name in ("period_label", "comparison_basis"))
    ]
    cells = [one[name] for one in peers for name in ("offenders", "population")]
    if (
        compared.verdict == "unclear"
        or place.code not in place.peers
        or len(peers) < len(place.peers) - 1
        or any(cell is None for cell in cells)
    ):
        return ""
    others = [number(one, "offenders") / number(one, "population") for one in peers]
    phrase = rank_phrase(compared.value, others, "districts")
    return f", {phrase}" if phrase else ""


def offending_frequency(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State the share of offenders with one offence, here and in the rest of the force."""
    own = _latest(place.own(rows))
    one = next((row for row in own if row["number_of_offences"] == "1"), None)
    if not one or one["percent_of_offenders"] is None:
        return []
    force = [row for row in place.force(rows) if of_force(one, [row])]
    compared = _share_of_all(own, force, "number_of_offences", "1", "All", off)
    offences = one["percent_of_offences"]
    account = "" if offences is None else f" They account for {offences}% of the offences."
    text = (
        f"{count(one, 'percent_of_offenders')}% of offenders in {place.name} were charged with "
        f"one offence in {one['period_label']}"
    )
    return [_shared(text, compared, place, account)]


def offender_profile(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State the share of women, and the commonest category of first offence."""
    own = _latest(place.own(rows))
    force = [row for row in place.force(rows) if own and of_force(own[0], [row])]
    return [*_women(own, force, place, off), *_commonest_offence(own, force, place, off)]


def _women(own: Sequence[Row], force: Sequence[Row], place: Place, off: float) -> list[Finding]:
    women = _row(own, "category", "Female")
    if women is None or women["percent_of_all"] is None:
        return []
    compared = _share_of_all(own, force, "category", "Female", "All offenders", off)
    text = (
        f"{women['percent_of_all']}% of known offenders in {place.name} in "
        f"{women['period_label']} were women"
    )
    return [_shared(text, compared, place)]


def _commonest_offence(
    own: Sequence[Row], force: Sequence[Row], place: Place, off: float
) -> list[Finding]:
    offences = [row for row in own if str(row["dimension"]).startswith("Offence")]
    known = [
        row
        for row in offences
        if row["percent_of_all"] is not None and row["category"] != "Not known"
    ]
    # A hidden category may be the commonest: then nothing is stated about it.
    if not known or any("[c]" in str(row["status"] or "") for row in offences):
        return []
    most = max(number(row, "offenders") for row in known)
    first = [row for row in known if number(row, "offenders") == most]
    names = [f'"{row["category"]}"' for row in first]
    if len(first) > 1:
        return [
            Finding(
                f"The commonest categories of first offence in {place.name} were {listed(names)}, "
                f"each {first[0]['percent_of_all']}% of offenders in {first[0]['period_label']}."
            )
        ]
    compared = _share_of_all(
        own, force, "category", str(first[0]["category"]), "All offenders", off
    )
    text = (
        f"The commonest category of first offence in {place.name} was {names[0]}: "
        f"{first[0]['percent_of_all']}% of offenders in {first[0]['period_label']}"
    )
    return [_shared(text, compared, place)]


def _shared(text: str, compared: Comparison | None, place: Place, more: str = "") -> Finding:
    """Return the finding on a share, with that of the rest of the force where there is one."""
    if compared is None:
        return Finding(f"{text}.{more}")
    return compared.finding(
        f"{text}{compared.phrase('share', place.force_name, 100, 0, '%')}.{more}"
    )


def _share_of_all(
    own: Sequence[Row], force: Sequence[Row], column: str, part: str, whole: str, off: float
) -> Comparison | None:
    """Compare the share of a category's row of the row of all; none where one is hidden."""
    found = [_row(rows, column, name) for rows in (own, force) for name in (part, whole)]
    counts = [number(row, "offenders") for row in found if row is not None]
    if len(counts) < 4:
        return None
    count_here, base, of_all, force_base = counts
    return share_comparison(count_here, base, of_all - count_here, force_base - base, off)


def _row(rows: Sequence[Row], column: str, name: str) -> Row | None:
    found = (row for row in rows if row[column] == name and row.get("offenders") is not None)
    return next(found, None)


def _latest(rows: Sequence[Row]) -> list[Row]:
    last = max((str(row["period_start"]) for row in rows), default=None)
    return [row for row in rows if str(row["period_start"]) == last]

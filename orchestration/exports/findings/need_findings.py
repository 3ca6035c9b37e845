"""Findings on needs and accommodation: Tables 3 to 5, Figures 6 to 8."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from orchestration.exports.findings.finding import Finding
from orchestration.exports.findings.finding_text import count, listed, number, rank_phrase
from orchestration.exports.findings.rest_of_force import (
    Comparison,
    of_force,
    share_comparison,
    shares,
)
from orchestration.exports.report_definition.row_selection import Place, Row

Rule = Callable[[Sequence[Row], Place, float], list[Finding]]

_PRINTED_VERDICTS: Mapping[str, str] = MappingProxyType(
    {"higher": "higher", "lower": "lower", "similar": "unclear"}
)
"""The words of Figure 6 on the rest of the force, and the verdict that each means."""


def need_pathways(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State the commonest need of those assessed, here and in the rest of the force."""
    own = [row for row in _latest(place.own(rows), "period_end") if number(row, "row_order") > 0]
    if not own or any(row["offenders"] is None or row["percent"] is None for row in own):
        return []
    most = max(number(row, "percent") for row in own)
    first = [row for row in own if number(row, "percent") == most]
    names = listed([f'"{row["pathway"]}"' for row in first])
    who = f"{count(first[0], 'base')} {first[0]['cohort']} offenders, {first[0]['period_label']}"
    if len(first) > 1:
        return [
            Finding(
                f"The commonest needs of assessed offenders in {place.name} were {names}, each "
                f"{most:.1f}% of {who}."
            )
        ]
    force = [
        row
        for row in place.force(rows)
        if all(row[name] == first[0][name] for name in ("pathway", "cohort"))
    ]
    compared = shares(first[0], of_force(first[0], force), "offenders", "base", off)
    text = (
        f"The commonest need of assessed offenders in {place.name} was {names}: {most:.1f}% of "
        f"{who}"
    )
    return [_shared(text, compared, place, 1)]


def not_assessed(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State how many had no completed assessment, here and in the rest of the force."""
    own, force = (
        {str(row["assessed_needs"]): row for row in _latest(of_area, "period_end")}
        for of_area in (place.own(rows), place.force(rows))
    )
    missed, everyone = own.get("Not assessed"), own.get("All offenders")
    if not missed or not everyone or not missed["offenders"] or not everyone["offenders"]:
        return []
    part, base = number(missed, "offenders"), number(everyone, "offenders")
    text = (
        f"{count(missed, 'offenders')} of {count(everyone, 'offenders')} offenders in "
        f"{place.name} ({100 * part / base:.0f}%) had no completed assessment"
    )
    compared = _not_assessed_compared(missed, everyone, force, off)
    unknown = " Their needs are not known."
    return [_shared(text, compared, place, 0, unknown)]


def _not_assessed_compared(
    missed: Row, everyone: Row, force: Mapping[str, Row], off: float
) -> Comparison | None:
    part, whole = force.get("Not assessed"), force.get("All offenders")
    if not part or not whole or part["offenders"] is None or whole["offenders"] is None:
        return None
    if not of_force(missed, [part]):
        return None
    own, base = number(missed, "offenders"), number(everyone, "offenders")
    others, rest = number(part, "offenders") - own, number(whole, "offenders") - base
    return share_comparison(own, base, others, rest, off)


def accommodation_need(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State the share of each cohort with an accommodation need, and that of the rest."""
    return [
        _accommodation_need(row, rows, place)
        for row in place.own(rows)
        if row["percent"] is not None and row["cohort"] != "CRC and NPS"
    ]


def _accommodation_need(row: Row, rows: Sequence[Row], place: Place) -> Finding:
    """Compare by the table's own verdict, which allows for what was rounded in its cohort only."""
    text = (
        f"{number(row, 'percent'):.1f}% of assessed {row['cohort']} offenders in {place.name} had "
        f"an accommodation need in {row['period_label']}"
    )
    force = [one for one in place.force(rows) if one["cohort"] == row["cohort"]]
    compared = shares(row, of_force(row, force), "offenders_with_need", "answered")
    printed = _PRINTED_VERDICTS.get(str(row["compared_with_rest"]))
    if compared is None or printed is None:
        return Finding(f"{text}.")
    if printed != compared.verdict:
        compared = Comparison(compared.value, compared.rest, None, 0.0, 0.0)
    return _shared(text, compared, place, 1)


def released(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State who was released from prison without accommodation, beside the rest of the force."""
    return [
        _no_accommodation(row, rows, place, off)
        for row in _latest(place.own(rows), "period_start")
        if row["no_accommodation"] is not None and row["released"]
    ]


def _no_accommodation(row: Row, rows: Sequence[Row], place: Place, off: float) -> Finding:
    force = [one for one in place.force(rows) if one["prison"] == row["prison"]]
    compared = shares(row, of_force(row, force), "no_accommodation", "released", off)
    share = 100 * number(row, "no_accommodation") / number(row, "released")
    text = (
        f"{count(row, 'no_accommodation')} of {count(row, 'released')} people released from "
        f"{row['prison']} to {place.name} ({share:.0f}%) had no accommodation in "
        f"{row['period_label']}"
    )
    return _shared(text, compared, place, 0)


def social_dwellings(rows: Sequence[Row], place: Place, off: float) -> list[Finding]:
    """State the rate of social dwellings, its rank, and the rate of the rest of the force.

    Dwellings are counted, not sampled: chance has no part in their difference.
    """
    rated = [row for row in rows if row["rate_per_1000"] is not None]
    year = _latest(rated, "stock_year")
    own = place.own(year)
    if not own:
        return []
    rest = _rest_of_dwellings(own[0], place.force(year))
    against = "" if rest is None else f", against {rest:.1f} in the rest of {place.force_name}"
    return [
        Finding(
            f"{place.name} had {number(own[0], 'rate_per_1000'):.1f} social dwellings per 1,000 "
            f"people in {own[0]['stock_year']}{against}{_dwellings_rank(own[0], rows, place)}."
        )
    ]


def _rest_of_dwellings(own: Row, force: Sequence[Row]) -> float | None:
    cells = [row.get(name) for row in (own, *force[:1]) for name in ("total", "population")]
    if len(cells) < 4 or any(cell is None for cell in cells):
        return None
    people = number(force[0], "population") - number(own, "population")
    dwellings = number(force[0], "total") - number(own, "total")
    return 1000 * dwellings / people if people > 0 and dwellings >= 0 else None


def _dwellings_rank(own: Row, rows: Sequence[Row], place: Place) -> str:
    """Return the district's rank by rate in its year; empty where a district has no rate."""
    peers = [
        row
        for row in rows
        if row["stock_year"] == own["stock_year"] and row["area_code"] in place.peers - {place.code}
    ]
    if place.code not in place.peers or any(row["rate_per_1000"] is None for row in peers):
        return ""
    others = [number(row, "rate_per_1000") for row in peers]
    phrase = rank_phrase(number(own, "rate_per_1000"), others, "districts")
    return f", {phrase}" if phrase else ""


def _shared(
    text: str, compared: Comparison | None, place: Place, digits: int, more: str = ""
) -> Finding:
    """Return the finding on a share, with that of the rest of the force where there is one."""
    if compared is None:
        return Finding(f"{text}.{more}")
    phrase = compared.phrase("share", place.force_name, 100, digits, "%")
    return compared.finding(f"{text}{phrase}.{more}")


def _latest(rows: Sequence[Row], column: str) -> list[Row]:
    last = max((str(row[column]) for row in rows), default=None)
    return [row for row in rows if str(row[column]) == last]

"""Key findings: sentences generated from the figures of a release.

Pure functions of rows. ``rose``, ``fell``, ``higher`` and ``lower`` are stated only where the 95 %
limits exclude no change (``confidence_limits``), and only of comparable figures
(``comparable_periods``). Nothing is stated about hidden or missing figures. A finding belongs to an
exhibit, whose label it names.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

from orchestration.disclosure.confidence_limits import (
    Verdict,
    difference,
    ratio,
    rounded_verdict,
)
from orchestration.exports.charts.chart_text import count_text, shift_sentence
from orchestration.exports.charts.monthly_series import monthly_series, restarts
from orchestration.exports.pack.change_over_time import rolling_years, year_counts, year_rates
from orchestration.exports.pack.comparable_periods import BASES, latest
from orchestration.exports.report_definition.row_selection import Partnership, Place, Row

_ORDINALS = ("", "second ", "third ", "fourth ", "fifth ", "sixth ", "seventh ", "eighth ")

_SURVEY_VERBS: tuple[tuple[Verdict, str], ...] = (
    ("higher", "rose"),
    ("lower", "fell"),
    ("unclear", "did not clearly change"),
)


def findings(
    table: str, rows: Sequence[Row], place: Place, rounded_to: int | None = None
) -> list[str]:
    """Return the sentences on one table of the release for a place; none where it has no rule.

    ``rounded_to`` is the multiple to which the table's counts are rounded, if they are.
    """
    if not rows:
        return []
    if allowing := _RULES_THAT_ALLOW_FOR_ROUNDING.get(table):
        return allowing(rows, place, rounded_to - 1 if rounded_to else 0)
    rule = _RULES.get(table)
    return rule(rows, place) if rule else []


def comparison_phrase(verdict: Verdict | None, what: str, rest: str) -> str:
    """Compare ``what`` (a share, a rate) with that of the rest of the force area.

    Empty where there is no verdict; else it continues a sentence after a comma.
    """
    if verdict is None:
        return ""
    if verdict == "unclear":
        return f", not clearly different from the rest of {rest}"
    return f", a {verdict} {what} than in the rest of {rest}"


def _offender_rates(rows: Sequence[Row], place: Place) -> list[str]:
    table = "table_1_offender_rates"
    own = place.own(rows)
    row = latest([one for one in own if one["rate_per_1000"] is not None], BASES[table])
    if row is None or row["offenders"] is None:
        return []
    verdict = _against_rest(row, place.force(rows), "offenders", "population")
    rest = comparison_phrase(verdict, "rate", place.force_name)
    return [
        f"{_count(row, 'offenders')} known offenders in {place.name} in {row['period_label']}: "
        f"{_number(row, 'rate_per_1000'):.1f} per 1,000 people{rest}.",
        *year_rates(table, own, place.name),
    ]


def _frequency(rows: Sequence[Row], place: Place) -> list[str]:
    own = _latest(place.own(rows), "period_start")
    one = next((row for row in own if row["number_of_offences"] == "1"), None)
    if not one or one["percent_of_offenders"] is None:
        return []
    sentence = (
        f"{_count(one, 'percent_of_offenders')}% of offenders in {place.name} were charged with "
        f"one offence in {one['period_label']}"
    )
    offences = one["percent_of_offences"]
    share = "" if offences is None else f"; they account for {offences}% of the offences"
    return [f"{sentence}{share}."]


def _profile(rows: Sequence[Row], place: Place) -> list[str]:
    own = _latest(place.own(rows), "period_start")
    force = [other for other in place.force(rows) if own and _same_period(own[0], other)]
    sentences = []
    women = _profile_row(own, "Gender", "Female")
    everyone = _profile_row(own, "All", "All offenders")
    if women and everyone and women["percent_of_all"] is not None:
        verdict = _share_against_rest(
            women, everyone, _profile_row(force, "Gender", "Female"),
            _profile_row(force, "All", "All offenders"),
        )  # fmt: skip
        rest = comparison_phrase(verdict, "share", place.force_name)
        sentences.append(
            f"{women['percent_of_all']}% of known offenders in {place.name} were women{rest}."
        )
    offences = [
        row for row in own
        if str(row["dimension"]).startswith("Offence") and row["percent_of_all"] is not None
        and row["category"] != "Not known"
    ]  # fmt: skip
    # A hidden category may be the commonest: then nothing is said of it.
    hidden = any("[c]" in str(row["status"] or "") for row in own
                 if str(row["dimension"]).startswith("Offence"))  # fmt: skip
    if offences and not hidden:
        first = max(offences, key=lambda row: _number(row, "offenders"))
        sentences.append(
            f"The commonest category of first offence in {place.name} was "
            f'"{first["category"]}" ({first["percent_of_all"]}% of offenders).'
        )
    return sentences


def _profile_row(rows: Sequence[Row], dimension: str, category: str) -> Row | None:
    found = (row for row in rows
             if row["dimension"] == dimension and row["category"] == category)  # fmt: skip
    return next((row for row in found if row["offenders"] is not None), None)


def _juveniles(rows: Sequence[Row], place: Place) -> list[str]:
    years = [row for row in place.own(rows) if row["juvenile_offenders"] is not None]
    calendar = _latest([row for row in years if row["period_type"] == "calendar_year"],
                       "period_start")  # fmt: skip
    if not calendar:
        return []
    row = calendar[0]
    peers = [
        other for other in rows
        if other["period_label"] == row["period_label"]
        and other.get("youth_offending_service") == row.get("youth_offending_service")
    ]  # fmt: skip
    rank = row.get("rank_in_service")
    known = rank is not None and all(other["juvenile_offenders"] is not None for other in peers)
    place_in = (
        f", the {_ordinal(int(str(rank)))}highest of the {len(peers)} districts of the "
        f"{row['youth_offending_service']} service"
        if known and len(peers) > 1
        else ""
    )
    return [
        f"{_count(row, 'juvenile_offenders')} juvenile offenders in {place.name} in "
        f"{row['period_label']}{place_in}."
    ]


def _first_time(rows: Sequence[Row], place: Place, off: float) -> list[str]:
    subject = f"First-time entrants to youth offending services in {place.name}"
    table = "figure_4_first_time_entrants"
    return year_counts(table, place.own(rows), "first_time_entrants", subject, off)


def _pathways(rows: Sequence[Row], place: Place) -> list[str]:
    own = [row for row in _latest(place.own(rows), "period_end") if int(str(row["row_order"])) > 0]
    if not own or any(row["offenders"] is None or row["percent"] is None for row in own):
        return []
    first = max(own, key=lambda row: _number(row, "percent"))
    return [
        f"The commonest need of assessed offenders in {place.name} was "
        f'"{first["pathway"]}" ({_number(first, "percent"):.1f}% of '
        f"{_count(first, 'base')}, {first['cohort']}, {first['period_label']})."
    ]


def _complexity(rows: Sequence[Row], place: Place) -> list[str]:
    own = {str(row["assessed_needs"]): row for row in _latest(place.own(rows), "period_end")}
    missed, everyone = own.get("Not assessed"), own.get("All offenders")
    if not missed or not everyone or not missed["offenders"] or not everyone["offenders"]:
        return []
    share = 100 * _number(missed, "offenders") / _number(everyone, "offenders")
    return [
        f"{_count(missed, 'offenders')} of {_count(everyone, 'offenders')} offenders in "
        f"{place.name} ({share:.0f}%) had no completed assessment; their needs are not known."
    ]


def _accommodation(rows: Sequence[Row], place: Place) -> list[str]:
    phrases: Mapping[str, Verdict] = {"higher": "higher", "lower": "lower", "similar": "unclear"}
    sentences = []
    for row in place.own(rows):
        if row["percent"] is None or row["cohort"] == "CRC and NPS":
            continue
        verdict = phrases.get(str(row["compared_with_rest"]))
        rest = comparison_phrase(verdict, "share", place.force_name)
        sentences.append(
            f"{_number(row, 'percent'):.1f}% of assessed {row['cohort']} offenders in "
            f"{place.name} had an accommodation need{rest} ({row['period_label']})."
        )
    return sentences


def _released(who: str) -> Callable[[Sequence[Row], Place], list[str]]:
    def rule(rows: Sequence[Row], place: Place) -> list[str]:
        return [
            f"{_count(row, 'no_fixed_abode')} of {_count(row, 'released')} {who} released from "
            f"{row['prison']} to {place.name} had no fixed abode ({row['period_label']})."
            for row in _latest(place.own(rows), "period_start")
            if row["no_fixed_abode"] is not None and row["released"]
        ]

    return rule


def _dwellings(rows: Sequence[Row], place: Place) -> list[str]:
    rated = [row for row in rows if row["rate_per_1000"] is not None]
    own = place.own(_latest(rated, "stock_year"))
    if not own:
        return []
    return [
        f"{place.name} had {_number(own[0], 'rate_per_1000'):.1f} social dwellings per 1,000 "
        f"people in {own[0]['stock_year']}{_dwellings_rank(own[0], rows, place)}."
    ]


def _dwellings_rank(own: Row, rows: Sequence[Row], place: Place) -> str:
    """Return the district's place among those of its year; empty where one of them has no rate."""
    districts = [
        row for row in rows
        if row["stock_year"] == own["stock_year"] and row["area_code"] != place.force_code
    ]  # fmt: skip
    if len(districts) < 2 or any(row["rate_per_1000"] is None for row in districts):
        return ""
    rate = _number(own, "rate_per_1000")
    rank = 1 + sum(_number(row, "rate_per_1000") > rate for row in districts)
    return f", the {_ordinal(rank)}highest of {len(districts)} districts"


def _months(subject: str, table: str) -> Callable[[Sequence[Row], Place], list[str]]:
    def rule(rows: Sequence[Row], place: Place) -> list[str]:
        by_month = {row["month"]: row for row in place.own(rows)}
        months = [month for month in by_month if isinstance(month, date)]
        if not months:
            return []
        recorded = f"Recorded {subject.lower()} in {place.name}"
        sentences = [*rolling_years(table, list(by_month.values()), recorded),
                     *_shifts(subject, list(by_month.values()), place),
                     *_signals(subject, by_month, max(months), place)]  # fmt: skip
        return sentences or [
            f"Too few months of {subject.lower()} have been supplied for a finding."
        ]

    return rule


def _shifts(subject: str, rows: Sequence[Row], place: Place) -> list[str]:
    """Name the latest sustained shift, from which limits are drawn anew."""
    series = monthly_series(rows)
    return [
        f"Recorded {subject.lower()} in {place.name}: {_lowered(shift_sentence(series, position))}"
        for position in restarts(series)[-1:]
    ]


def _signals(subject: str, by_month: Mapping[object, Row], last: date, place: Place) -> list[str]:
    recent = [
        row for month, row in by_month.items()
        if _months_before(month, last) < 12 and row["xmr_centre"] is not None
    ]  # fmt: skip
    if not recent:
        return []
    beyond = sorted(
        (row for row in recent if str(row["xmr_signal"] or "").endswith("limit")),
        key=lambda row: str(row["month"]),
    )
    if not beyond:
        return [
            f"No month of the last twelve with limits was outside the limits of usual variation "
            f"for {subject.lower()} in {place.name}."
        ]
    listed = ", ".join(
        f"{row['month_label']} ({str(row['xmr_signal']).split()[0]})" for row in beyond
    )
    return [
        f"Outside the limits of usual variation for {subject.lower()} in {place.name} in the last "
        f"twelve months: {listed}."
    ]


def _months_before(month: object, end: date) -> int:
    if not isinstance(month, date):
        return 10_000
    return (end.year - month.year) * 12 + end.month - month.month


def _survey(column: str, phrase: str) -> Callable[[Sequence[Row], Place], list[str]]:
    def rule(rows: Sequence[Row], place: Place) -> list[str]:
        towns = [row for row in _latest(list(rows), "period_start")
                 if str(row["area_code"]).split(":")[0] == place.code]  # fmt: skip
        verdicts: dict[Verdict, list[str]] = {"higher": [], "lower": [], "unclear": []}
        for row in towns:
            cells = [row[name] for name in (column, "base", f"{column}_previous", "previous_base")]
            if all(cell is not None for cell in cells):
                share, base, share_before, base_before = (int(str(cell)) for cell in cells)
                verdict = rounded_verdict(share, base, share_before, base_before)
                verdicts[verdict].append(str(row["area_name"]))
        parts = [
            f"{verb} in {_joined(verdicts[verdict])}"
            for verdict, verb in _SURVEY_VERBS
            if verdicts[verdict]
        ]  # fmt: skip
        if not parts:
            return []
        return [
            f"The share of answers that {phrase}, against the survey before: {'; '.join(parts)}."
        ]

    return rule


def _against_rest(row: Row, force: Sequence[Row], count: str, base: str) -> Verdict | None:
    """Compare a rate with that of the rest of the force; none where a cell lacks or is hidden."""
    whole = next((other for other in force if _same_period(row, other)), None)
    cells = [found[name] for found in (row, whole or {}) for name in (count, base) if name in found]
    if whole is None or any(cell is None for cell in cells):
        return None
    others = _number(whole, count) - _number(row, count)
    exposure = _number(whole, base) - _number(row, base)
    if others < 0 or exposure <= 0 or _number(row, base) <= 0:
        return None
    limits = ratio(_number(row, count), others, _number(row, base), exposure)
    return limits.verdict(1.0) if limits else None


def _same_period(row: Row, other: Row) -> bool:
    """Say whether two areas' rows are of one period, kind of period, source and population."""
    columns = ("period_type", "period_start", "period_label", "comparison_basis")
    return all(row.get(name) == other.get(name) for name in columns)


def _share_against_rest(
    part: Row, whole: Row, force_part: Row | None, force_whole: Row | None
) -> Verdict | None:
    if force_part is None or force_whole is None:
        return None
    count, base = _number(part, "offenders"), _number(whole, "offenders")
    others = _number(force_part, "offenders") - count
    rest = _number(force_whole, "offenders") - base
    if base <= 0 or rest <= 0 or not 0 <= others <= rest:
        return None
    return difference(count, base, others, rest).verdict()


def _latest(rows: Sequence[Row], column: str) -> list[Row]:
    last = max((str(row[column]) for row in rows), default=None)
    return [row for row in rows if str(row[column]) == last]


def _number(row: Row, column: str) -> float:
    return float(row[column])  # type: ignore[arg-type]


def _count(row: Row, column: str) -> str:
    return count_text(_number(row, column))


def _lowered(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]


def _ordinal(rank: int) -> str:
    """Return what comes before "highest": nothing for the first."""
    return _ORDINALS[rank - 1] if 0 < rank <= len(_ORDINALS) else f"{rank}th "


def _joined(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def places(whose: Partnership, rows: Iterable[Row]) -> list[Place]:
    """Return the districts of a partnership with their force, named by ``rows`` of areas."""
    names = {str(row["area_code"]): str(row["area_name"]) for row in rows}
    force = whose.forces[0] if whose.forces else ""
    return [
        Place(code, names.get(code, code), force, names.get(force, force))
        for code in whose.districts
    ]


_RULES: Mapping[str, Callable[[Sequence[Row], Place], list[str]]] = MappingProxyType(
    {
        "table_1_offender_rates": _offender_rates,
        "table_2_offending_frequency": _frequency,
        "figure_2_offender_profile": _profile,
        "figure_3_juvenile_offenders": _juveniles,
        "table_3_oasys_pathways": _pathways,
        "table_4_need_complexity": _complexity,
        "figure_6_accommodation_need": _accommodation,
        "figure_7_males_released": _released("men"),
        "figure_8_females_released": _released("women"),
        "table_5_social_dwellings": _dwellings,
        "figure_10_shoplifting": _months("Shoplifting", "figure_10_shoplifting"),
        "figure_11_burglary": _months("Burglary", "figure_11_burglary"),
        "table_7_feel_safe": _survey("very_safe", "felt very safe"),
        "table_8_crime_asb_problem": _survey("not_at_all", "saw no problem at all"),
    }
)

_RULES_THAT_ALLOW_FOR_ROUNDING: Mapping[str, Callable[[Sequence[Row], Place, float], list[str]]] = (
    MappingProxyType({"figure_4_first_time_entrants": _first_time})
)
"""Rules that compare counts which may be rounded, with how far off these may be."""

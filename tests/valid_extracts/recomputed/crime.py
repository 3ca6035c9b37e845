"""Recorded crime by month, and the trends of every type and of total crime."""

from collections import Counter
from datetime import date, timedelta
from functools import cache
from typing import Any

import pandas as pd

from tests.valid_extracts.recomputed.figures import rate
from tests.valid_extracts.recomputed.landed import Force, Landed, Row, csv_rows, seed
from tests.valid_extracts.recomputed.places import Populations, small_areas

Table = dict[tuple[Any, ...], Row]


def recompute(landed: Landed) -> dict[str, Table]:
    """Return ``crime_monthly`` and the trends of all types."""
    rows = landed.in_force(
        csv_rows(landed, "police_uk_street"), lambda row: row["reported_by"], "month"
    )
    places, populations = small_areas(landed), Populations(landed)
    counts: dict[str, dict[date, Counter[tuple[str, str]]]] = {}
    for force in landed.forces:
        months: dict[date, Counter[tuple[str, str]]] = {}
        for row in rows:
            if row["reported_by"] == force.name:
                area = force.place(places.get(row["lsoa_code"], "elsewhere"))
                if row["lsoa_code"] is None:
                    area = force.place(None)
                of_month = months.setdefault(row["month"], Counter())
                of_month[area, conformed(row["crime_type"], row["month"])] += 1
        counts[force.code] = months
    tables = {"crime_monthly": _monthly(landed, counts, populations)}
    tables["crime_trends"] = {}
    for crime_type, first_month in _first_months().items():
        trends = _trends(landed, counts, populations, crime_type, first_month)
        for (area, kind, start), row in trends.items():
            tables["crime_trends"][area, crime_type, kind, start] = row
        if crime_type in ("Shoplifting", "Burglary"):
            tables[f"{crime_type.lower()}_trends"] = trends
    return tables


TOTAL, INCIDENTS = "Total crime", "Anti-social behaviour"


def _first_months() -> dict[str, date]:
    """Return total crime and the types whose content never changed, with their first months."""
    rows = seed("crime_types")
    changed = {row["crime_type"] for row in rows if row["breaks_series"] == "true"}
    lasting = {row["crime_type"] for row in rows if not row["last_month"]}
    found = {TOTAL: min(row["first_month"] for row in rows)}
    for name in lasting - changed:
        found[name] = min(row["first_month"] for row in rows if row["crime_type"] == name)
    return {name: date.fromisoformat(month) for name, month in found.items()}


@cache
def types_of(month: date) -> dict[str, str]:
    """Return the names that the publisher used in a month, with today's."""
    return {
        row["published_name"]: row["crime_type"]
        for row in seed("crime_types")
        if row["first_month"] <= month.isoformat() <= (row["last_month"] or "9999")
    }


def conformed(name: str, month: date) -> str:
    """Return today's name of a crime type."""
    renamed = {row["published_name"]: row["crime_type"] for row in seed("crime_types")}
    return types_of(month).get(name, renamed[name])


def _monthly(
    landed: Landed,
    counts: dict[str, dict[date, Counter[tuple[str, str]]]],
    populations: Populations,
) -> Table:
    table: Table = {}
    for force in landed.forces:
        months = counts[force.code]
        areas = [*force.districts, *force.partnerships, force.place(None), force.place("elsewhere")]
        for month, found in months.items():
            for crime_type in set(types_of(month).values()) | {name for _, name in found}:
                broken = _breaks(crime_type, month, sorted(months))
                for area in areas:
                    offences = sum(found[one, crime_type] for one in force.members(area))
                    row: Row = {"offences": offences}
                    if area in (force.place(None), force.place("elsewhere")):
                        row |= rate(None, None) | {"population": None, "status": "[z]"}
                    else:
                        people = populations.of(area, month.year)
                        row |= rate(offences, people.count if people else None)
                        row["population"] = people and people.count
                        row["status"] = _status(people, broken)
                    table[month, area, crime_type] = row
    return table


def _status(people: Any, broken: bool) -> str | None:
    if people is None:
        return "[x]"
    if broken:
        return "[b]"
    return "[p]" if people.carried else None


def _breaks(crime_type: str, month: date, months: list[date]) -> bool:
    """Say whether a month is the first with a file since the type's content changed."""
    for row in seed("crime_types"):
        if row["crime_type"] == crime_type and row["breaks_series"] == "true":
            since = [one for one in months if one.isoformat() >= row["first_month"]]
            before = [one for one in months if one.isoformat() < row["first_month"]]
            if before and since and since[0] == month:
                return True
    return False


def _trends(
    landed: Landed,
    counts: dict[str, dict[date, Counter[tuple[str, str]]]],
    populations: Populations,
    crime_type: str,
    first_month: date,
) -> Table:
    every = sorted({month for months in counts.values() for month in months})
    if not every:
        return {}
    span = [one.date() for one in pd.date_range(every[0], landed.last_day, freq="MS")]
    span = [month for month in span if month >= first_month]
    table: Table = {}
    for force in landed.forces:
        months = counts[force.code]
        for area in (*force.districts, *force.sums):
            monthly = {month: _count(months, force, area, month, crime_type) for month in span}
            _add_periods(table, area, monthly, populations)
    return table


def _count(
    months: dict[date, Counter[tuple[str, str]]],
    force: Force,
    area: str,
    month: date,
    crime_type: str,
) -> int | None:
    if month not in months:
        return None
    members = None if area == force.code else set(force.members(area))
    return sum(
        count
        for (place, name), count in months[month].items()
        if (members is None or place in members)
        and (name == crime_type or (crime_type == TOTAL and name != INCIDENTS))
    )


def _add_periods(
    table: Table, area: str, monthly: dict[date, int | None], populations: Populations
) -> None:
    quarterly: dict[date, int | None] = {}
    for month in monthly:
        first = date(month.year, 3 * ((month.month - 1) // 3) + 1, 1)
        three = [monthly.get(_later(first, number)) for number in range(3)]
        quarterly[first] = None if None in three else sum(three)  # type: ignore[arg-type]
    base = _base_year(monthly)
    mean = sum(monthly[date(base, one, 1)] or 0 for one in range(1, 13)) / 12 if base else 0
    for kind, series, length in (("month", monthly, 1), ("quarter", quarterly, 3)):
        for start, count in series.items():
            people = populations.of(area, start.year)
            before = series.get(date(start.year - 1, start.month, 1))
            rolling = None
            if kind == "month":
                twelve = [monthly.get(_later(start, -number)) for number in range(12)]
                rolling = None if None in twelve else sum(twelve)  # type: ignore[arg-type]
            row: Row = {"offences": count, **rate(count, people.count if people else None)}
            row["period_end"] = _later(start, length) - timedelta(days=1)
            row["population"] = people and people.count
            row["status"] = "[x]" if count is None else _status(people, broken=False)
            row["offences_year_before"] = before
            missing = count is None or before is None
            row["change_on_year"] = None if missing else count - before  # type: ignore[operator]
            row["change_on_year_percent"] = (
                100 * (count - before) / before if not missing and before else None  # type: ignore[operator]
            )
            row["rolling_12m_offences"] = rolling
            of_twelve = rate(rolling, people.count if people else None)
            row["rolling_12m_rate_per_1000"] = of_twelve["rate_per_1000"]
            row["rolling_12m_rate_lower"] = of_twelve["rate_lower"]
            row["rolling_12m_rate_upper"] = of_twelve["rate_upper"]
            row["index_value"] = (
                100 * count / (mean * length) if count is not None and base and mean else None
            )
            row["index_base_period"] = str(base) if base else None
            table[area, kind, start] = row
        for start, limits in control_limits(series).items():
            table[area, kind, start] |= limits


_FEWEST, _RUN = 10, 7
_TOO_MANY = 48
"""From so many points on, limits may start anew after a sustained shift, which is not computed."""


def control_limits(series: dict[date, int | None]) -> dict[date, Row]:
    """Return the XmR limits and signals of each stretch of periods with a count.

    Nothing of a series in which limits may start anew.
    """
    stretches: list[list[date]] = [[]]
    for start in sorted(series):
        if series[start] is None:
            stretches.append([])
        else:
            stretches[-1].append(start)
    found: dict[date, Row] = {}
    for starts in stretches:
        values = [float(series[start] or 0) for start in starts]
        if len(values) < _TOO_MANY:
            for start, row in zip(starts, _limits(starts, values), strict=True):
                found[start] = row
    return found


def _limits(starts: list[date], values: list[float]) -> list[Row]:
    if len(values) < _FEWEST:
        return [
            {
                "xmr_points": len(values),
                **dict.fromkeys(
                    ("xmr_since", "xmr_centre", "xmr_moving_range_mean", "xmr_lower",
                     "xmr_upper", "xmr_signal")
                ),
            }
            for _ in values
        ]  # fmt: skip
    points = pd.Series(values)
    centre = points.mean()
    ranges = points.diff().abs().dropna()
    kept = ranges[ranges <= 3.267 * ranges.mean()].mean()
    lower, upper = centre - 2.66 * kept, centre + 2.66 * kept
    sides = [int(value > centre) - int(value < centre) for value in values]
    rows = []
    for place, value in enumerate(values):
        signal = _run(sides, place)
        if value > upper or value < lower:
            signal = "above limit" if value > upper else "below limit"
        rows.append(
            {
                "xmr_points": len(values),
                "xmr_since": starts[0],
                "xmr_centre": centre,
                "xmr_moving_range_mean": kept,
                "xmr_lower": lower,
                "xmr_upper": upper,
                "xmr_signal": signal,
            }
        )
    return rows


def _run(sides: list[int], place: int) -> str | None:
    """Return the signal of a point in a run of seven or more on one side of the centre."""
    side = sides[place]
    first = last = place
    while first > 0 and sides[first - 1] == side:
        first -= 1
    while last + 1 < len(sides) and sides[last + 1] == side:
        last += 1
    if side == 0 or last - first + 1 < _RUN:
        return None
    return "run above centre" if side > 0 else "run below centre"


def _base_year(monthly: dict[date, int | None]) -> int | None:
    for year in sorted({month.year for month in monthly}):
        if all(monthly.get(date(year, month, 1)) is not None for month in range(1, 13)):
            return year
    return None


def _later(month: date, count: int) -> date:
    total = month.year * 12 + month.month - 1 + count
    return date(total // 12, total % 12 + 1, 1)

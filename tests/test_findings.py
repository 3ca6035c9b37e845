"""What the pack claims of the figures: never more than their limits carry."""

import csv
import re
from datetime import date

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from orchestration.disclosure.confidence_limits import (
    Limits,
    counts_behind,
    difference,
    ratio,
    rounded_verdict,
    wilson,
)
from orchestration.exports.pack.change_over_time import change_sentence
from orchestration.exports.pack.comparable_periods import BASES, comparable_before
from orchestration.exports.pack.key_findings import findings
from orchestration.exports.report_definition.row_selection import Place
from tests.support import GOLDEN

PLACE = Place("E07000010", "Fenland", "E23000023", "Cambridgeshire and Peterborough")
CLAIMS = re.compile(r"\b(rose|fell|higher (rate|share)|lower (rate|share))\b")

counts = st.integers(min_value=0, max_value=5000)


# Comparisons


def oracles(start: str) -> list[tuple[list[float], list[float]]]:
    """Return the numbers given and the numbers expected of golden values at 95 %."""
    with (GOLDEN / "oracles.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["oracle_id"].startswith(start)]
    return [
        ([float(text) for text in re.findall(r"\d+", row["inputs"].split(",confidence")[0])],
         [float(text) for text in row["expected"].split(";")])
        for row in rows if "0.998" not in row["inputs"]
    ]  # fmt: skip


def test_wilson_meets_the_golden_values():
    worked = oracles("wilson_")
    assert len(worked) >= 3
    for (count, base), expected in worked:
        limits = wilson(count, base)
        assert [limits.lower, limits.upper] == pytest.approx(expected[-2:], abs=1e-9)


def test_difference_meets_the_golden_value():
    (((count, base, other, other_base), expected),) = oracles("newcombe_")
    limits = difference(count, base, other, other_base)
    assert [limits.lower, limits.upper] == pytest.approx(expected[-2:], abs=1e-9)


@pytest.mark.parametrize(
    ("cells", "limits"),
    [
        # Newcombe (1998), table II, method 10.
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((10, 10, 0, 10), (0.6075, 1.0000)),
    ],
)
def test_difference_meets_newcombes_table(cells, limits):
    found = difference(*cells)
    assert (found.lower, found.upper) == pytest.approx(limits, abs=5e-5)


def test_ratio_is_the_odds_of_a_share_of_the_sum():
    # By hand: 30 of 50 has Wilson's limits 0.4618 and 0.7239; odds 0.858 and 2.622.
    limits = ratio(30, 20)
    assert limits is not None
    assert (limits.lower, limits.upper) == pytest.approx((0.858, 2.622), abs=2e-3)
    doubled = ratio(30, 20, 2.0, 1.0)
    assert doubled is not None
    assert doubled.lower == pytest.approx(limits.lower / 2)
    golden = ratio(878, 767)
    assert golden is not None
    assert (golden.lower, golden.upper) == pytest.approx((1.0390330, 1.2611564), rel=1e-3)
    assert ratio(0, 0) is None
    unbounded = ratio(3, 0)
    assert unbounded is not None
    assert unbounded.upper == float("inf")


@pytest.mark.parametrize(
    ("limits", "verdict"),
    [
        ((0.0, 1.0), "unclear"),
        ((-1.0, 0.0), "unclear"),
        ((1e-12, 1.0), "higher"),
        ((-1.0, -1e-12), "lower"),
    ],
)
def test_a_limit_on_no_change_is_no_change(limits, verdict):
    assert Limits(*limits).verdict() == verdict


@given(percent=st.integers(0, 100), base=st.integers(1, 300))
def test_counts_behind_a_percentage_are_those_that_print_as_it(percent, base):
    printed = [
        count for count in range(base + 1)
        if (200 * count + base) // (2 * base) == percent
    ]  # fmt: skip
    assert list(counts_behind(percent, base)) == printed


@settings(suppress_health_check=[HealthCheck.filter_too_much])
@given(st.integers(0, 100), st.integers(1, 120), st.integers(0, 100), st.integers(1, 120))
def test_a_verdict_on_rounded_shares_holds_for_all_counts_behind_them(one, base, two, other):
    verdict = rounded_verdict(one, base, two, other)
    assume(verdict != "unclear")
    for count in counts_behind(one, base):
        for against in counts_behind(two, other):
            assert difference(count, base, against, other).verdict() == verdict


def test_a_change_that_only_some_counts_behind_the_percentages_show_is_not_claimed():
    # 10% of 250 is 24, 25 or 26 and 16% is 39 to 41: the middle ones differ, the nearest do not.
    assert difference(25, 250, 40, 250).verdict() == "lower"
    assert rounded_verdict(10, 250, 16, 250) == "unclear"


# Sentences


@given(now=counts, before=counts)
def test_change_is_claimed_only_where_the_limits_leave_out_none(now, before):
    sentence = change_sentence("Theft", now, before, "2018", "2017")
    limits = ratio(now, before)
    includes_none = limits is None or limits.lower <= 1 <= limits.upper
    assert bool(CLAIMS.search(sentence)) is not includes_none
    if "rose" in sentence:
        assert now > before
    if "fell" in sentence:
        assert now < before


@pytest.mark.parametrize(
    ("now", "before", "words"),
    [
        # 100 against 130: limits of the ratio 0.592 to 0.999; against 129: 0.597 to 1.007.
        (100, 130, "fell by 23%"),
        (100, 129, "no change is claimed"),
        (0, 0, "none in 2018, and none in 2017"),
        (12, 0, "rose from 0"),
        (7, 7, "no change is claimed"),
    ],
)
def test_change_sentence_at_its_boundaries(now, before, words):
    assert words in change_sentence("Theft", now, before, "2018", "2017")


@given(now=counts, before=counts, true_now=st.integers(-4, 4), true_before=st.integers(-4, 4))
def test_a_change_of_rounded_counts_is_claimed_only_where_the_true_ones_show_it(
    now, before, true_now, true_before
):
    sentence = change_sentence("Theft", now, before, "2018", "2017", off=4)
    limits = ratio(max(0, now + true_now), max(0, before + true_before))
    if CLAIMS.search(sentence):
        assert limits is not None
        assert limits.verdict(1.0) == ("higher" if "rose" in sentence else "lower")
    else:
        assert "chance or rounding" in sentence


def test_first_time_entrants_that_are_rounded_rose_only_if_they_did_whatever_was_rounded_away():
    rows = [
        {"area_code": PLACE.code, "period_type": "financial_year", "period_label": label,
         "period_start": date(int(label[:4]), 4, 1), "first_time_entrants": entrants,
         "period_end": date(int(label[:4]) + 1, 3, 31),
         "status": None, "deliveries": "d"}
        for label, entrants in (("2015/16", 20), ("2016/17", 30), ("2017/18", 35))
    ]  # fmt: skip
    exact = findings("figure_4_first_time_entrants", rows, PLACE)
    assert any("rose by 75%, from 20" in sentence for sentence in exact)
    (rounded,) = findings("figure_4_first_time_entrants", rows, PLACE, rounded_to=5)
    assert "35 (2017/18) after 30 (2016/17)" in rounded
    assert "chance or rounding; no change is claimed" in rounded


def rate_row(label, code, offenders, population=100_000, status=None, **more):
    """Return a row of Table 1, of a calendar year (2016) or a financial year (2017/18)."""
    year, financial = int(label[:4]), "/" in label
    rate = None if offenders is None else round(1000 * offenders / population, 1)
    kind = "financial_year" if financial else "calendar_year"
    source = "police_charges" if financial else "police_offender_counts"
    return {
        "period_type": kind, "period_label": label, "area_code": code, "offenders": offenders,
        "period_start": date(year, 4, 1) if financial else date(year, 1, 1),
        "period_end": date(year + 1, 3, 31) if financial else date(year, 12, 31),
        "population": population, "rate_per_1000": rate, "status": status,
        "comparison_basis": f"{kind}, {source}, ons_mid_year",
        "break_reason": "another count" if status == "[b]" else None, **more,
    }  # fmt: skip


def test_nothing_is_compared_across_a_break():
    rows = [
        rate_row("2016", PLACE.code, 500),
        rate_row("2017/18", PLACE.code, 900, status="[b]"),
    ]
    said = findings("table_1_offender_rates", rows, PLACE)
    assert said[1] == (
        "The series breaks in 2017/18 (another count), so the rate of 2017/18 cannot be compared "
        "with that of 2016."
    )
    assert not any(CLAIMS.search(sentence) for sentence in said)


def test_a_year_is_compared_with_the_last_of_its_own_kind_and_source():
    rows = [
        rate_row("2017", PLACE.code, 841, 98_340),
        rate_row("2017/18", PLACE.code, 878, 98_340, "[b]"),
        rate_row("2018", PLACE.code, 924, 98_340),
    ]
    said = findings("table_1_offender_rates", rows, PLACE)
    # By hand: 924 of 1,765 has Wilson's limits 0.50019 and 0.54674; odds 1.0007 and 1.2062.
    assert said[1:] == [
        "The rate in Fenland rose from 8.6 per 1,000 (2017) to 9.4 (2018); 95% limits of the "
        "change +0.07% to +21%."
    ]


def test_a_break_between_two_years_of_one_kind_stops_the_comparison():
    rows = [
        rate_row("2016", PLACE.code, 500),
        rate_row("2017", PLACE.code, None, status="[x]", break_reason="another count"),
        rate_row("2018", PLACE.code, 900),
    ]
    said = findings("table_1_offender_rates", rows, PLACE)
    assert said[1:] == [
        "The rate of 2018 cannot be compared with that of 2016: they are not of one kind of year, "
        "source and population, or the series breaks between them."
    ]


def test_a_change_over_the_longest_run_is_said_once():
    rows = [rate_row(str(2012 + n), PLACE.code, offenders) for n, offenders in
            enumerate((700, 720, 770, 800))]  # fmt: skip
    said = findings("table_1_offender_rates", rows, PLACE)
    assert [sentence for sentence in said if CLAIMS.search(sentence)] == [
        "Over the longest run that can be compared, the rate in Fenland rose from 7.0 per 1,000 "
        "(2012) to 8.0 (2015); 95% limits of the change +3% to +26%."
    ]


def test_rate_is_compared_with_the_rest_of_the_force_and_the_year_before():
    rows = [
        rate_row("2016", PLACE.code, 1000),
        rate_row("2017", PLACE.code, 800),
        rate_row("2017", PLACE.force_code, 6000, 900_000),
    ]
    said = findings("table_1_offender_rates", rows, PLACE)
    assert "8.0 per 1,000 people, a higher rate than in the rest of Cambridgeshire" in said[0]
    assert said[1].startswith("The rate in Fenland fell from 10.0 per 1,000 (2016) to 8.0 (2017)")


def test_the_rest_of_a_force_is_not_compared_where_it_was_counted_in_another_way():
    rows = [
        rate_row("2017", PLACE.code, 800),
        rate_row("2017", PLACE.force_code, 6000, 900_000, comparison_basis="otherwise"),
    ]
    (sentence,) = findings("table_1_offender_rates", rows, PLACE)
    assert "rest of" not in sentence


@given(own=counts, others=counts, before=counts)
def test_rates_claim_nothing_that_includes_nought(own, others, before):
    rows = [
        rate_row("2016", PLACE.code, before, 90_000),
        rate_row("2017", PLACE.code, own),
        rate_row("2017", PLACE.force_code, own + others, 800_000),
    ]
    said = findings("table_1_offender_rates", rows, PLACE)
    rest = ratio(own, others, 100_000, 700_000)
    assert ("higher" in said[0] or "lower" in said[0]) is bool(
        rest and not rest.lower <= 1 <= rest.upper
    )
    change = ratio(own, before, 100_000, 90_000)
    assert bool(CLAIMS.search(said[1])) is bool(change and not change.lower <= 1 <= change.upper)


def test_hidden_figures_are_not_spoken_of():
    rows = [
        rate_row("2016", PLACE.code, 500),
        rate_row("2017", PLACE.code, None, status="[c]"),
    ]
    (sentence,) = findings("table_1_offender_rates", rows, PLACE)
    assert "2017" not in sentence
    profile = [
        {"period_start": date(2017, 4, 1), "area_code": PLACE.code,
         "dimension": "Offence category", "category": name,
         "offenders": offenders, "percent_of_all": percent, "status": status}
        for name, offenders, percent, status in (
            ("Theft", 9, 60, None), ("Other", None, None, "[c]"))
    ]  # fmt: skip
    assert findings("figure_2_offender_profile", profile, PLACE) == []


def month_rows(first_year, latest_year, **last):
    months = [date(2016 + n // 12, n % 12 + 1, 1) for n in range(24)]
    return [
        {"area_code": PLACE.code, "area_name": PLACE.name, "month": month,
         "month_label": f"{month:%B %Y}",
         "rolling_12m_offences": {11: first_year, 23: latest_year}.get(n),
         "xmr_centre": 10.0, "xmr_signal": None, "status": None, **(last if n == 23 else {})}
        for n, month in enumerate(months)
    ]  # fmt: skip


def test_twelve_months_are_compared_with_the_twelve_before():
    said = findings("figure_10_shoplifting", month_rows(400, 600), PLACE)
    assert said[0].startswith(
        "Recorded shoplifting in Fenland rose by 50%, from 400 (twelve months to December 2016) to "
        "600 (twelve months to December 2017); 95% limits of the change +3"
    )
    assert "No month of the last twelve with limits was outside" in said[1]


def test_missing_months_and_breaks_stop_the_comparison_of_years():
    missing = findings("figure_10_shoplifting", month_rows(400, None), PLACE)
    assert not any(CLAIMS.search(sentence) for sentence in missing)
    broken = month_rows(400, 600, status="[b]")
    assert "not compared" in findings("figure_10_shoplifting", broken, PLACE)[0]


def years_of_months(*sums, broken=None):
    """Return months from January 2012 on whose every rolling sum is that of its year's end."""
    rows = []
    for year, total in enumerate(sums, start=2012):
        for month in range(1, 13):
            day = date(year, month, 1)
            rows.append({
                "area_code": PLACE.code, "area_name": PLACE.name, "month": day,
                "month_label": f"{day:%B %Y}",
                "rolling_12m_offences": total if month == 12 else None,
                "xmr_centre": None, "xmr_signal": None,
                "status": "[b]" if day == broken else None,
            })  # fmt: skip
    return rows


def test_long_run_compares_the_first_and_the_last_whole_twelve_months():
    said = findings("figure_10_shoplifting", years_of_months(406, 450, 590, 598), PLACE)
    assert said == [
        "Recorded shoplifting in Fenland: 598 (twelve months to December 2015) after 590 (twelve "
        "months to December 2014). A difference of this size can be chance; no change is claimed.",
        "Over the longest run that can be compared, recorded shoplifting in Fenland rose by 47%, "
        "from 406 (twelve months to December 2012) to 598 (twelve months to December 2015); 95% "
        "limits of the change +30% to +67%.",
    ]


def test_long_run_starts_after_the_last_break_and_is_not_said_of_chance():
    broken = years_of_months(406, 450, 590, 598, broken=date(2013, 5, 1))
    assert len(findings("figure_10_shoplifting", broken, PLACE)) == 1
    assert len(findings("figure_10_shoplifting", years_of_months(580, 450, 590, 598), PLACE)) == 1


YEARS = st.lists(
    st.tuples(
        st.sampled_from(["2014", "2015", "2015/16", "2016", "2016/17", "2017", "2017/18", "2018"]),
        st.one_of(st.none(), counts),
        st.sampled_from([None, None, "[b]", "[p]"]),
        st.sampled_from(["ons_mid_year", "research_group"]),
    ),
    unique_by=lambda year: year[0],
)


@given(YEARS)
def test_rates_that_are_compared_are_like_with_like(years):
    rows = [
        rate_row(label, PLACE.code, offenders, status=status)
        | {"population_estimator": by, "comparison_basis": f"{'/' in label}, {by}"}
        for label, offenders, status, by in years
    ]
    compared = 0
    for sentence in findings("table_1_offender_rates", rows, PLACE):
        labels = re.findall(r"\((\d{4}(?:/\d\d)?)\)", sentence)
        if "per 1,000 (" in sentence:
            compared += 1
            assert_like_with_like(rows, *labels)
    event(f"compared {compared}")


def assert_like_with_like(rows, before, after):
    """Check two years by what their rows say, without the code that chose them."""
    (one,) = (row for row in rows if row["period_label"] == before)
    (other,) = (row for row in rows if row["period_label"] == after)
    for column in ("area_code", "period_type", "population_estimator"):
        assert one[column] == other[column]
    assert one["period_end"] < other["period_start"]
    for row in rows:
        if row["period_type"] == one["period_type"] and row["status"] == "[b]":
            assert not one["period_start"] < row["period_start"] <= other["period_start"]


def test_signals_are_named_with_their_side():
    rows = month_rows(None, None, xmr_signal="above limit")
    assert findings("figure_11_burglary", rows, PLACE) == [
        "Outside the limits of usual variation for burglary in Fenland in the last twelve months: "
        "December 2017 (above)."
    ]


def test_rolling_years_that_share_a_month_are_not_comparable():
    rows = month_rows(400, 600)
    for row in rows:
        row["rolling_12m_offences"] = 500
    found = comparable_before(rows[-1], rows, BASES["figure_10_shoplifting"])
    assert [row["month"] for row in found] == [date(2016, month, 1) for month in range(1, 13)]
    # A break in the first month of an earlier window is where its content begins.
    rows[0]["status"] = "[b]"
    (only,) = comparable_before(rows[-1], rows, BASES["figure_10_shoplifting"])
    assert only["month"] == date(2016, 12, 1)
    rows[1]["status"] = "[b]"
    assert comparable_before(rows[-1], rows, BASES["figure_10_shoplifting"]) == []


def test_the_latest_sustained_shift_is_said_with_both_averages():
    rows = month_rows(None, None)
    for row in rows:
        row["xmr_centre"] = 30.0 if row["month"] < date(2017, 3, 1) else 41.5
        row["xmr_is_restart"] = row["month"] == date(2017, 3, 1)
    said = findings("figure_10_shoplifting", rows, PLACE)
    assert said[0] == (
        "Recorded shoplifting in Fenland: a sustained shift in March 2017: the average went from "
        "30.0 to 41.5 a month, and limits are drawn anew from there."
    )


def test_towns_of_a_survey_are_grouped_by_what_can_be_said():
    rows = [
        {"period_start": date(2018, 4, 1), "area_code": f"{PLACE.code}:{town.lower()}",
         "area_name": town, "not_at_all": now, "base": 120, "not_at_all_previous": before,
         "previous_base": 60}
        for town, now, before in (("March", 20, 50), ("Wisbech", 22, 23), ("Chatteris", None, 3))
    ]  # fmt: skip
    assert findings("table_8_crime_asb_problem", rows, PLACE) == [
        "The share of answers that saw no problem at all, against the survey before: fell in "
        "March; did not clearly change in Wisbech."
    ]


def test_a_table_without_rule_or_rows_says_nothing():
    assert findings("table_9_unknown", [{}], PLACE) == []
    assert findings("table_1_offender_rates", [], PLACE) == []

"""What the pack claims of the figures: never more than their limits carry."""

import csv
import re
from datetime import date
from math import log

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
from orchestration.exports.findings import key_findings
from orchestration.exports.findings.change_over_time import Level, change
from orchestration.exports.findings.comparable_periods import BASES, comparable_before
from orchestration.exports.findings.finding import STRENGTHS, Finding, joined
from orchestration.exports.findings.finding_text import pair_texts, rank_phrase
from orchestration.exports.findings.importance import MOST, Placed, importance, selected
from orchestration.exports.findings.key_findings import finding_notes
from orchestration.exports.findings.rest_of_force import rates, share_comparison
from orchestration.exports.report_definition.row_selection import Place
from tests.support import GOLDEN

PLACE = Place("E07000010", "Fenland", "E23000023", "Cambridgeshire and Peterborough")
CLAIMS = re.compile(r"\b(rose|fell|higher (rate|share)|lower (rate|share))\b")

counts = st.integers(min_value=0, max_value=5000)


def findings(table, rows, place, rounded_to=None) -> list[str]:
    """Return the sentences of the findings on a table."""
    found = key_findings.findings(table, rows, place, rounded_to)
    for one in found:
        assert (one.size > 0) <= (one.strength == "claim"), one
    return [one.text for one in found]


def change_sentence(subject, now, before, now_label, before_label, off=0) -> str:
    return change(
        subject, Level(now, now_label, off=off), Level(before, before_label, off=off)
    ).text


# Scanning


def scanned(crime_type, verdict, rest="not clear", **cells):
    return {
        "area_code": "E07000010", "crime_type": crime_type, "priority_score_status": None,
        "period_label": "Twelve months to June 2018", "offences": 100,
        "offences_year_before": 100, "change_percent": 0.0, "change_percent_lower": -20.0,
        "change_percent_upper": 25.0, "rate_per_1000": 1.0, "rest_rate_per_1000": 1.0,
        "rate_ratio_lower": 0.8, "rate_ratio_upper": 1.2,
        "compared_with_year_before": verdict, "compared_with_rest": rest, **cells,
    }  # fmt: skip


def test_scanning_names_what_is_beyond_chance_for_all_types():
    rows = [
        scanned("Total crime", "higher", priority_score_status="[z]", offences=1459,
                offences_year_before=1160, change_percent=25.8, change_percent_lower=16.0),
        scanned("Burglary", "higher", offences=752, offences_year_before=532, change_percent=41.4,
                change_percent_lower=27.0),
        scanned("Bicycle theft", "lower", "lower", offences=3, offences_year_before=14,
                change_percent=-78.6, change_percent_upper=-30.0, rate_per_1000=0.03,
                rest_rate_per_1000=0.12, rate_ratio_upper=0.71),
        scanned("Robbery", "not clear", change_percent_lower=-60.0, change_percent_upper=-1.0),
        scanned("Drugs", None, None, offences=None, offences_year_before=None),
    ]  # fmt: skip
    changes, rates_found = key_findings.findings("page_scanning", rows, PLACE)
    assert changes.text == (
        "Total crime in Fenland rose: 1,459 after 1,160, +26% in the twelve months to June 2018. "
        "Of 3 crime types in Fenland, burglary (752 after 532, +41%) was higher than in the "
        "twelve months before; bicycle theft (3 after 14, \u221279%) was lower."
    )
    assert changes.strength == "claim"
    assert changes.size == pytest.approx(-log(0.7))
    assert rates_found.text == (
        "Of 3 crime types in Fenland, bicycle theft (0.03, against 0.12) was lower per 1,000 "
        "people than in the rest of Cambridgeshire and Peterborough."
    )


def test_total_crime_that_is_not_clear_is_not_called_chance():
    # Its own limits may leave out no change.
    total = scanned("Total crime", "not clear", priority_score_status="[z]", offences=1433,
                    offences_year_before=1298, change_percent=10.4, change_percent_lower=2.0,
                    change_percent_upper=20.0)  # fmt: skip
    (found,) = key_findings.findings("page_scanning", [total], PLACE)
    assert found.text == (
        "Total crime in Fenland: 1,433 after 1,298, +10% in the twelve months to June 2018. With "
        "all types scanned together, that is no clear change."
    )
    assert found.strength == "comparison"


def test_scanning_without_a_difference_or_a_year_before_claims_nothing():
    unclear = [scanned("Burglary", "not clear"), scanned("Robbery", "not clear")]
    found = key_findings.findings("page_scanning", unclear, PLACE)
    assert {one.strength for one in found} == {"usual"}
    unknown = [scanned("Burglary", None, None)]
    assert key_findings.findings("page_scanning", unknown, PLACE) == []


def concentrated(crime_type: str, order: int, **cells: object) -> dict[str, object]:
    return {
        "area_code": PLACE.code, "crime_type": crime_type, "row_order": order, "offences": 598,
        "places": 55, "highest_places": 3, "share_of_earlier_highest": 0.4,
        "share_of_earlier_highest_lower": 0.36, "earlier_limits": "36% to 44%", "hot_spots": 0,
        "persistent_hot_spots": 0, "hot_spot_names": "none",
        "period_label": "Twelve months to June 2018", **cells,
    }  # fmt: skip


def test_places_name_the_most_concentrated_type_and_the_hot_spots():
    rows = [
        concentrated("Burglary", 2, share_of_earlier_highest_lower=0.08),
        concentrated("Total crime", 1, hot_spots=2, hot_spot_names="A; B", persistent_hot_spots=1),
        concentrated("Shoplifting", 3),
        concentrated("Robbery", 4, share_of_earlier_highest_lower=0.9, hot_spots=None),
    ]
    concentration, spots = key_findings.findings("page_hot_spots", rows, PLACE)
    assert concentration.text == (
        "Shoplifting in Fenland is the most concentrated type: the 3 of 55 small areas that had "
        "the most in the year before have 40% of the 598 offences in the twelve months to June "
        "2018 (36% to 44%)."
    )
    assert spots.text == (
        "Total crime in Fenland has 2 hot spots: A; B. Hot spots a year before too: 1."
    )


def test_places_that_are_not_tested_or_not_comparable_claim_nothing():
    unknown = {"share_of_earlier_highest_lower": None, "persistent_hot_spots": None}
    rows = [concentrated("Total crime", 1, **unknown), concentrated("Burglary", 2, **unknown)]
    (found,) = key_findings.findings("page_hot_spots", rows, PLACE)
    assert (found.text, found.strength) == ("Total crime in Fenland has no hot spot.", "usual")
    untested = [concentrated("Total crime", 1, hot_spots=None)]
    assert key_findings.findings("page_hot_spots", untested, PLACE) == []


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
        (100, 129, "chance can explain the difference"),
        (0, 0, "none in 2018, and none in 2017"),
        (12, 0, "rose from 0"),
        (7, 7, "7 (2018) after 7 (2017)."),
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
        assert "chance or rounding" in sentence or now == before


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
    assert "chance or rounding can explain the difference" in rounded


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
    (said,) = findings("table_1_offender_rates", rows, PLACE)
    assert said.endswith(
        "The series breaks in 2017/18 (another count), so the rate of 2017/18 cannot be compared "
        "with that of 2016."
    )
    assert not CLAIMS.search(said)


def test_a_year_is_compared_with_the_last_of_its_own_kind_and_source():
    rows = [
        rate_row("2017", PLACE.code, 841, 98_340),
        rate_row("2017/18", PLACE.code, 878, 98_340, "[b]"),
        rate_row("2018", PLACE.code, 924, 98_340),
    ]
    # By hand: 924 of 1,765 has Wilson's limits 0.50019 and 0.54674; odds 1.0007 and 1.2062.
    assert findings("table_1_offender_rates", rows, PLACE) == [
        "924 known offenders in Fenland in 2018: 9.4 per 1,000 people. The rate rose from 8.6 per "
        "1,000 (2017) to 9.4 (2018); 95% limits of the change +0.07% to +21%."
    ]


def test_a_break_between_two_years_of_one_kind_stops_the_comparison():
    rows = [
        rate_row("2016", PLACE.code, 500),
        rate_row("2017", PLACE.code, None, status="[x]", break_reason="another count"),
        rate_row("2018", PLACE.code, 900),
    ]
    (said,) = findings("table_1_offender_rates", rows, PLACE)
    assert said.endswith(
        ". The rate of 2018 cannot be compared with that of 2016: they are not of one kind of "
        "year, source and population, or the series breaks between them."
    )


def test_a_change_over_the_longest_run_is_said_once():
    rows = [rate_row(str(2012 + n), PLACE.code, offenders) for n, offenders in
            enumerate((700, 720, 770, 800))]  # fmt: skip
    assert findings("table_1_offender_rates", rows, PLACE) == [
        "800 known offenders in Fenland in 2015: 8.0 per 1,000 people. The rate: 8.0 per 1,000 "
        "(2015) after 7.7 (2014); chance can explain the difference. Over the longest run that can "
        "be compared, the rate rose from 7.0 per 1,000 (2012) to 8.0 (2015); 95% limits of the "
        "change +3% to +26%."
    ]


def test_rate_is_compared_with_the_rest_of_the_force_and_the_year_before():
    rows = [
        rate_row("2016", PLACE.code, 1000),
        rate_row("2017", PLACE.code, 800),
        rate_row("2017", PLACE.force_code, 6000, 900_000),
    ]
    # By hand: the rest of the force has 5,200 of 800,000, 6.5 per 1,000.
    (said,) = findings("table_1_offender_rates", rows, PLACE)
    assert said.startswith(
        "800 known offenders in Fenland in 2017: 8.0 per 1,000 people, a higher rate than in the "
        "rest of Cambridgeshire and Peterborough (6.5). The rate fell from 10.0 per 1,000 (2016) "
        "to 8.0 (2017)"
    )


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
    (said,) = findings("table_1_offender_rates", rows, PLACE)
    level, trend = said.split(". The rate", 1)
    rest = ratio(own, others, 100_000, 700_000)
    assert bool(CLAIMS.search(level)) is bool(rest and not rest.lower <= 1 <= rest.upper)
    assert f"{1000 * others / 700_000:.1f}"[:-1] in level
    changed = ratio(own, before, 100_000, 90_000)
    assert bool(CLAIMS.search(trend)) is bool(changed and not changed.lower <= 1 <= changed.upper)


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


def profile_row(code, dimension, category, offenders, percent):
    return {
        "period_start": date(2017, 4, 1), "period_label": "2017/18", "area_code": code,
        "dimension": dimension, "category": category, "offenders": offenders,
        "percent_of_all": percent, "status": None,
    }  # fmt: skip


def test_a_share_has_that_of_the_rest_of_the_force_beside_it():
    rows = [
        profile_row(PLACE.code, "All", "All offenders", 878, None),
        profile_row(PLACE.code, "Gender", "Female", 224, 26),
        profile_row(PLACE.force_code, "All", "All offenders", 6600, None),
        profile_row(PLACE.force_code, "Gender", "Female", 1368, 21),
        profile_row(PLACE.code, "Offence category", "Theft", 90, 10),
        profile_row(PLACE.code, "Offence category", "Violence", 90, 10),
    ]
    # By hand: the rest of the force has 1,144 women of 5,722, 20%.
    assert findings("figure_2_offender_profile", rows, PLACE) == [
        "26% of known offenders in Fenland in 2017/18 were women, a higher share than in the rest "
        "of Cambridgeshire and Peterborough (20%).",
        'The commonest categories of first offence in Fenland were "Theft" and "Violence", each '
        "10% of offenders in 2017/18.",
    ]


def month_rows(first_year, latest_year, **last):
    months = [date(2016 + n // 12, n % 12 + 1, 1) for n in range(24)]
    return [
        {"area_code": PLACE.code, "area_name": PLACE.name, "month": month,
         "month_label": f"{month:%B %Y}",
         "offences": 30, "rolling_12m_offences": {11: first_year, 23: latest_year}.get(n),
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
    found = key_findings.findings("figure_10_shoplifting", month_rows(400, 600), PLACE)
    assert [one.strength for one in found] == ["claim", "usual"]


def test_missing_months_and_breaks_stop_the_comparison_of_years():
    missing = findings("figure_10_shoplifting", month_rows(400, None), PLACE)
    assert not any(CLAIMS.search(sentence) for sentence in missing)
    broken = month_rows(400, 600, status="[b]")
    assert "not compared" in findings("figure_10_shoplifting", broken, PLACE)[0]


def test_months_without_data_are_named_with_their_reason():
    rows = month_rows(400, 600)
    why = "the force has supplied no data since its computer system changed"
    ended = [
        {**rows[-1], "month": month, "month_label": f"{month:%B %Y}", "offences": None,
         "rolling_12m_offences": None, "xmr_centre": None, "missing_because": why}
        for month in (date(2018, 1, 1), date(2018, 2, 1))
    ]  # fmt: skip
    said = findings("figure_10_shoplifting", [*rows, *ended], PLACE)
    assert said[:2] == findings("figure_10_shoplifting", rows, PLACE)
    assert said[2:] == [
        f"Recorded shoplifting in Fenland is not known for January 2018 to February 2018: {why}."
    ]
    assert findings("figure_10_shoplifting", ended, PLACE) == said[2:]


def test_a_month_without_data_long_ago_is_not_repeated():
    rows = [
        {**row, "offences": None, "missing_because": "no file of the month has been loaded"}
        if place == 11 else row
        for place, row in enumerate(years_of_months(406, 450, 590, 598))
    ]  # fmt: skip
    assert not any("not known" in said for said in findings("figure_10_shoplifting", rows, PLACE))
    rows[30] = {**rows[30], "offences": None, "missing_because": "the force sent none"}
    (said,) = [one for one in findings("figure_10_shoplifting", rows, PLACE) if "not known" in one]
    assert said.endswith("shoplifting in Fenland is not known for July 2014: the force sent none.")


def years_of_months(*sums, broken=None):
    """Return months from January 2012 on whose every rolling sum is that of its year's end."""
    rows = []
    for year, total in enumerate(sums, start=2012):
        for month in range(1, 13):
            day = date(year, month, 1)
            rows.append({
                "area_code": PLACE.code, "area_name": PLACE.name, "month": day,
                "month_label": f"{day:%B %Y}",
                "offences": 30, "rolling_12m_offences": total if month == 12 else None,
                "xmr_centre": None, "xmr_signal": None,
                "status": "[b]" if day == broken else None,
            })  # fmt: skip
    return rows


def test_long_run_compares_the_first_and_the_last_whole_twelve_months():
    assert findings("figure_10_shoplifting", years_of_months(406, 450, 590, 598), PLACE) == [
        "Recorded shoplifting in Fenland: 598 (twelve months to December 2015) after 590 (twelve "
        "months to December 2014); chance can explain the difference. Over the longest run that "
        "can be compared, it rose by 47%, from 406 (twelve months to December 2012) to 598 (twelve "
        "months to December 2015); 95% limits of the change +30% to +67%."
    ]


def test_long_run_starts_after_the_last_break_and_is_not_said_of_chance():
    for rows in (
        years_of_months(406, 450, 590, 598, broken=date(2013, 5, 1)),
        years_of_months(580, 450, 590, 598),
    ):
        (said,) = findings("figure_10_shoplifting", rows, PLACE)
        assert "longest run" not in said


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
    for said in findings("table_1_offender_rates", rows, PLACE):
        labels = re.findall(r"\((\d{4}(?:/\d\d)?)\)", said)
        for one, other in zip(labels[::2], labels[1::2], strict=True):
            compared += 1
            assert_like_with_like(rows, *sorted((one, other)))
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


def test_signals_of_a_month_have_its_count_and_its_limit():
    rows = month_rows(None, None, xmr_signal="above limit", offences=21, xmr_upper=14.0)
    (one,) = key_findings.findings("figure_11_burglary", rows, PLACE)
    assert one.text.endswith("December 2017 (21, above 14.0).")
    assert one.strength == "claim"
    assert one.size == pytest.approx(log(1.5))


def test_a_change_on_the_year_is_compared_with_that_of_the_rest_of_the_force():
    own = years_of_months(400, 600)
    force = [row | {"area_code": PLACE.force_code} for row in years_of_months(4400, 4600)]
    # By hand: 600 of 1,000 against 4,000 of 8,000; the difference has the limits 0.067 and 0.132.
    (said,) = findings("figure_10_shoplifting", [*own, *force], PLACE)
    assert (
        "In the rest of Cambridgeshire and Peterborough: 4,000 after 4,000 (+0%); chance does not "
        "explain the difference between the two changes."
    ) in said
    alike = [row | {"area_code": PLACE.force_code} for row in years_of_months(4400, 6600)]
    (said,) = findings("figure_10_shoplifting", [*own, *alike], PLACE)
    assert "6,000 after 4,000 (+50%); chance can explain" in said


def test_too_few_months_are_a_note_and_no_finding():
    rows = [row | {"xmr_centre": None} for row in month_rows(None, None)]
    assert findings("figure_10_shoplifting", rows, PLACE) == []
    assert finding_notes("figure_10_shoplifting", rows, PLACE) == [
        "Too few months of Fenland have been supplied for a key finding."
    ]
    assert finding_notes("figure_10_shoplifting", month_rows(400, 600), PLACE) == []


def wave(start, label, *towns):
    """Return the rows of a survey wave; a town is its name, share, base, share and base before."""
    return [
        {"period_start": start, "period_label": label, "area_code": f"{PLACE.code}:{name.lower()}",
         "area_name": name, "not_at_all": now, "base": base, "not_at_all_previous": before,
         "previous_base": base_before}
        for name, now, base, before, base_before in towns
    ]  # fmt: skip


SUMMER = wave(
    date(2017, 7, 1), "July to September 2017",
    ("March", 20, 120, 50, 60), ("Wisbech", 22, 120, 23, 60), ("Chatteris", None, 120, 3, 60),
)  # fmt: skip


def test_towns_of_a_survey_are_grouped_by_what_can_be_said():
    assert findings("table_8_crime_asb_problem", SUMMER, PLACE) == [
        "Survey of July to September 2017, share of answers that saw no problem at all, against "
        "the survey before: fell in March (20% after 50%); did not clearly change in Wisbech (22% "
        "after 23%)."
    ]


def test_a_survey_is_named_as_the_last_available_where_the_quarter_has_none():
    later = wave(date(2017, 10, 1), "October to December 2017", ("March", None, None, 20, 120))
    (said,) = findings("table_8_crime_asb_problem", [*SUMMER, *later], PLACE)
    assert said.startswith("Survey of July to September 2017, the last available, share of answers")


def test_a_survey_without_one_before_it_gives_its_shares():
    first = wave(date(2017, 7, 1), "July to September 2017", ("March", 20, 120, None, None),
                 ("Wisbech", 9, 90, None, None))  # fmt: skip
    (one,) = key_findings.findings("table_8_crime_asb_problem", first, PLACE)
    assert ": March (20%) and Wisbech (9%). There are no shares of the quarter before" in one.text
    assert one.strength == "figure"


def juveniles(*counts, **more):
    """Return a year of Figure 3 for Fenland and other districts of its service."""
    return [
        {"area_code": PLACE.code if number == 0 else f"E0{number}", "juvenile_offenders": count,
         "period_type": "calendar_year", "period_label": "2017",
         "youth_offending_service": "County",
         "period_start": date(2017, 1, 1), "period_end": date(2017, 12, 31), "status": None,
         "rank_in_service": 1, **{name: values[number] for name, values in more.items()}}
        for number, count in enumerate(counts)
    ]  # fmt: skip


def test_juvenile_offenders_are_ranked_by_rate_and_never_by_count():
    table = "figure_3_juvenile_offenders"
    assert findings(table, juveniles(43, 20, 90), PLACE) == [
        "Juvenile offenders in Fenland: 43 in 2017."
    ]
    # By hand: 4.3, 5.0 and 4.5 per 1,000: the second by count is the last by rate.
    rated = juveniles(43, 20, 90, population=(10_000, 4_000, 20_000))
    assert findings(table, rated, PLACE) == [
        "Juvenile offenders in Fenland: 43 in 2017. By rate it is the lowest of 3 districts of the "
        "County service."
    ]
    for hidden in (juveniles(43, None, 90, population=(10_000, 4_000, 20_000)),
                   juveniles(43, 20, 90, population=(10_000, None, 20_000))):  # fmt: skip
        assert "By rate" not in findings(table, hidden, PLACE)[0]


@pytest.mark.parametrize(
    ("own", "others", "words"),
    [
        (9.0, [1.0, 2.0, 3.0], "the highest of 4 districts"),
        (2.5, [1.0, 2.0, 3.0], "the second highest of 4 districts"),
        (1.5, [1.0, 2.0, 3.0], "the second lowest of 4 districts"),
        (3.0, [1.0, 3.0, 4.0, 2.0], "the joint second highest of 5 districts"),
        (1.0, [1.0, 3.0], "the joint lowest of 3 districts"),
        (1.0, [1.0, 1.0], ""),
        (1.0, [], ""),
    ],
)
def test_ranks_say_ties_and_count_from_the_nearer_end(own, others, words):
    assert rank_phrase(own, others, "districts") == words


def test_a_rate_is_ranked_only_where_it_differs_from_the_rest():
    codes = [PLACE.code, "E1", "E2"]
    place = Place(PLACE.code, "Fenland", PLACE.force_code, "the force", peers=frozenset(codes))

    def said(*counts):
        rows = [rate_row("2017", code, count) for code, count in zip(codes, counts, strict=True)]
        force = rate_row("2017", PLACE.force_code, sum(counts), 300_000)
        return findings("table_1_offender_rates", [*rows, force], place)[0]

    assert said(900, 800, 700).endswith("(7.5), the highest of 3 districts.")
    assert said(800, 799, 801).endswith("people, against 8.0 in the rest of the force.")
    assert said(800, 790, 790).endswith(
        "people, against 7.9 in the rest of the force; chance can explain the difference."
    )
    assert said(900, 900, 100).endswith(", the joint highest of 3 districts.")


def test_two_figures_have_as_many_digits_as_they_need_to_differ():
    assert pair_texts(8.94, 8.2, 1) == ("8.9", "8.2")
    assert pair_texts(26.2, 26.4, 0, "%") == ("26.2%", "26.4%")
    assert pair_texts(7, 7, 1) == ("7.0", "7.0")


# The rest of the force


cells = st.integers(min_value=0, max_value=600)


@given(cells, cells, cells, cells, st.integers(-4, 4), st.integers(-4, 4))
def test_a_share_is_claimed_to_differ_only_where_it_does_whatever_was_rounded_away(
    part, missing, others, others_missing, off, other_off
):
    compared = share_comparison(part, part + missing, others, others + others_missing, off=4)
    assume(compared and compared.verdict != "unclear")
    assert compared is not None
    one, other = part + off, others + 2 * other_off
    base, rest = part + missing, others + others_missing
    assume(0 <= one <= base and 0 <= other <= rest)
    assert difference(one, base, other, rest).verdict() == compared.verdict
    assert compared.size > 0


@given(cells, cells, st.integers(1, 9), st.integers(1, 9))
def test_no_rate_is_claimed_to_differ_where_the_limits_include_no_difference(own, others, one, two):
    row = {"offenders": own, "population": 1000 * one}
    force = {"offenders": own + others, "population": 1000 * (one + two)}
    compared = rates(row, force, "offenders", "population")
    assert compared is not None
    limits = ratio(own, others, one, two)
    claimed = limits is not None and not limits.lower <= 1 <= limits.upper
    assert (compared.verdict != "unclear") is claimed
    assert (compared.size > 0) is claimed
    phrase = compared.phrase("rate", "the force", 1000, 1)
    assert bool(CLAIMS.search(phrase)) is claimed
    assert f"{others / two:.1f}"[:-2] in phrase


# Importance


found = st.builds(
    Finding, st.just("Said."), st.sampled_from(STRENGTHS), st.floats(0, 3, allow_nan=False)
)
placed = st.lists(st.builds(Placed, found, st.integers(0, 9), st.integers(0, 18)), max_size=40)


@given(placed)
def test_the_most_important_are_shown_first_and_nothing_is_dropped_in_silence(given_findings):
    chosen = selected(given_findings)
    shown = [one for group in chosen.groups for one in group]
    assert len(shown) == min(MOST, len(given_findings))
    assert sorted(map(id, (*shown, *chosen.left_out))) == sorted(map(id, given_findings))
    # None that is left out is more important than one that is shown.
    for one in shown:
        for other in chosen.left_out:
            assert importance(one) <= importance(other)
    firsts = [group[0] for group in chosen.groups]
    assert firsts == sorted(firsts, key=importance)
    assert len({one.section for one in firsts}) == len(firsts)
    for group in chosen.groups:
        assert list(group) == sorted(group, key=importance)
        assert len({one.section for one in group}) == 1


def test_a_claim_comes_before_chance_and_the_greater_before_the_smaller():
    def one(text, strength, size=0.0, table=0):
        return Placed(Finding(text, strength, size), table, table)

    groups = selected([
        one("usual", "usual", table=0), one("figure", "figure", table=1),
        one("chance", "comparison", table=2), one("small", "claim", 0.1, table=3),
        one("great", "claim", 0.7, table=4), one("as great", "claim", 0.7, table=5),
    ]).groups  # fmt: skip
    assert [group[0].finding.text for group in groups] == [
        "great", "as great", "small", "chance", "figure", "usual",
    ]  # fmt: skip


def test_what_belongs_together_is_as_important_as_its_strongest_part():
    parts = [Finding("One.", "comparison"), Finding("Two.", "claim", 0.2), Finding("Three.")]
    assert joined(parts) == [Finding("One. Two. Three.", "claim", 0.2)]
    assert joined([]) == []


def test_a_doubling_and_a_halving_have_one_size():
    up = change("Theft", Level(800, "2018"), Level(400, "2017"))
    down = change("Theft", Level(400, "2018"), Level(800, "2017"))
    assert up.size == pytest.approx(down.size)
    # By hand: 800 of 1,200 has the lower limit 0.6395; odds 1.774.
    assert up.size == pytest.approx(log(1.774), abs=1e-3)


def test_a_table_without_rule_or_rows_says_nothing():
    assert findings("table_9_unknown", [{}], PLACE) == []
    assert findings("table_1_offender_rates", [], PLACE) == []
    assert finding_notes("table_9_unknown", [{}], PLACE) == []

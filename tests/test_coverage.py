"""What a delivery covers, and what becomes of its other rows: claims, late rows, empty periods."""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.ingest.checking.contract import Contract, load_contracts
from orchestration.ingest.checking.coverage import Claims, Count, claims_of
from orchestration.ingest.checking.faults import Fault, with_given
from orchestration.ingest.checking.named_periods import Span, named_spans

CONTRACTS = load_contracts()
YOUTH, CHARGES = CONTRACTS["youth_offending"], CONTRACTS["police_charges"]
STREET, CASELOAD = CONTRACTS["police_uk_street"], CONTRACTS["probation_caseload"]
Q3 = date(2018, 7, 1)


def day(text: str) -> date:
    return date.fromisoformat(text if len(text) > 7 else f"{text}-01")


def judged(
    contract: Contract,
    quarter: date,
    rows: dict[str, int],
    name: str = "extract.csv",
    covers: Span | None = None,
    series: str = "A",
) -> Claims:
    counts = [Count(1, series, series, day(period), n) for period, n in rows.items()]
    return claims_of(contract, quarter, covers, {1: name}, counts)


def roles(claims: Claims) -> dict[str, tuple[str, int]]:
    return {one.period.isoformat()[:7]: (one.role, one.rows) for one in claims.covered}


# --- what a name says --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "spans"),
    [
        ("2018-06-cambridgeshire-street.csv", ["2018-06-01 to 2018-06-30"]),
        ("iom-cohort-2018-06-30.csv", ["2018-06-30"]),
        ("charges_2018-04_to_2018-06.csv", ["2018-04-01 to 2018-06-30"]),
        ("charges-2017-18.csv", ["2017-04-01 to 2018-03-31"]),
        ("charges 2011-12.csv", ["2011-04-01 to 2012-03-31", "2011-12-01 to 2011-12-31"]),
        ("known-offenders-2012-2016.csv", ["2012-01-01 to 2016-12-31"]),
        ("known-offenders-2017.csv", ["2017-01-01 to 2017-12-31"]),
        ("survey 2018-Q3.xlsx", ["2018-07-01 to 2018-09-30"]),
        ("survey-2018q4.xlsx", ["2018-10-01 to 2018-12-31"]),
        ("a-2018-04-to-2018-06-2018-07-05.csv", ["2018-04-01 to 2018-06-30", "2018-07-05"]),
        ("2018-13-x.csv", []),
        ("2018-02-30.csv", []),
        ("case 12345678.csv", []),
        ("youth.csv", []),
    ],
)
def test_a_name_says_its_periods(name: str, spans: list[str]) -> None:
    assert [str(one) for one in named_spans(name)] == spans


@given(st.dates(date(1950, 1, 1), date(2090, 12, 31)), st.integers(0, 60))
def test_a_range_of_months_is_read_as_it_is_written(first: date, months: int) -> None:
    ahead = first.year * 12 + first.month - 1 + months
    last = date(ahead // 12, ahead % 12 + 1, 1)
    (span,) = named_spans(f"x {first:%Y-%m} to {last:%Y-%m}.csv")
    assert span.first == first.replace(day=1) and span.holds(last)
    assert span.last.strftime("%Y-%m") == f"{last:%Y-%m}"


def as_given(fault: Fault) -> str:
    """The message with a supplier's own texts as they were given."""
    return with_given(fault.message, str)


# --- what a delivery covers --------------------------------------------------------------------


def test_rows_beside_the_quarter_are_late_rows_not_the_period() -> None:
    claims = judged(YOUTH, date(2018, 10, 1), {"2018-10": 49, "2018-07": 2})
    assert roles(claims) == {"2018-07": ("late rows", 2), "2018-10": ("covers", 49)}
    assert "2 rows of 'A' are of 2018-07-01" in as_given(claims.warnings[0])


def test_history_that_is_handed_over_reaches_over_empty_quarters_and_no_gap_of_years() -> None:
    rows = {"2014-01": 9, "2018-01": 8, "2018-04": 7, "2018-10": 9}
    claims = judged(YOUTH, date(2019, 1, 1), rows)
    assert roles(claims) == {
        "2014-01": ("late rows", 9),
        "2018-01": ("history", 8),
        "2018-04": ("history", 7),
        "2018-07": ("history", 0),
        "2018-10": ("history", 9),
        "2019-01": ("history", 0),
    }
    assert "does not say which periods it covers" in as_given(claims.warnings[0])


def test_an_extract_of_long_ago_does_not_say_that_its_quarter_was_empty() -> None:
    found = roles(judged(YOUTH, Q3, {"2015-01": 9, "2015-07": 8}))
    assert found == {
        "2015-01": ("history", 9),
        "2015-04": ("history", 0),
        "2015-07": ("history", 8),
    }


def test_charges_without_a_name_are_of_the_months_of_their_rows() -> None:
    year = {f"2017-{month:02}": 5 for month in range(4, 13)} | {"2018-01": 5, "2018-03": 5}
    found = roles(judged(CHARGES, date(2018, 4, 1), year))
    # The extract arrived in April: it does not say that April to June had no charge.
    assert list(found) == sorted([*year, "2018-02"])
    assert found["2018-02"] == ("history", 0) and found["2017-04"] == ("history", 5)


def test_a_name_says_that_a_quarter_was_empty_and_a_receipt_says_it_firmly() -> None:
    name = "youth-2018-04-to-2018-09.csv"
    assert roles(judged(YOUTH, Q3, {"2018-07": 3}, name)) == {
        "2018-04": ("history", 0),
        "2018-07": ("covers", 3),
    }
    span = Span(date(2018, 4, 1), date(2018, 9, 30))
    assert roles(judged(YOUTH, Q3, {"2018-07": 3}, covers=span))["2018-04"] == ("covers", 0)
    # What has not ended yet is not empty.
    ahead = Span(date(2018, 7, 1), date(2019, 6, 30))
    assert list(roles(judged(YOUTH, Q3, {"2018-07": 3}, covers=ahead))) == ["2018-07"]


def test_a_name_that_the_rows_deny_decides_nothing() -> None:
    claims = judged(STREET, Q3, {"2018-07": 50}, "2018-09-x-street.csv")
    assert roles(claims) == {"2018-07": ("covers", 50)} and not claims.refused
    assert "are of another period than the file's name says" in as_given(claims.warnings[0])
    # The day of the extract is no period of a return.
    claims = judged(YOUTH, Q3, {"2018-07": 50}, "youth-2018-10-09.csv")
    assert roles(claims) == {"2018-07": ("covers", 50)} and not claims.warnings


def test_a_row_of_another_month_or_day_is_refused() -> None:
    for contract, name in ((STREET, "2018-07-x-street.csv"), (STREET, "x.csv"), (CASELOAD, "y")):
        claims = judged(contract, Q3, {"2018-07": 50, "2018-08": 2}, name)
        assert roles(claims) == {"2018-07": ("covers", 50)}
        assert [(one.period, one.rows) for one in claims.refused] == [(date(2018, 8, 1), 2)]
    span = Span(date(2018, 7, 1), date(2018, 8, 31))
    assert not judged(STREET, Q3, {"2018-07": 50, "2018-08": 2}, covers=span).refused


def test_two_full_months_in_one_file_are_both_covered() -> None:
    claims = judged(STREET, Q3, {"2018-07": 50, "2018-08": 40}, "export.csv")
    assert roles(claims) == {"2018-07": ("covers", 50), "2018-08": ("covers", 40)}


def test_few_rows_of_another_series_are_no_delivery_of_it() -> None:
    counts = [Count(1, "CRC, A", "A", Q3, 40), Count(1, "CRC, B", "B", Q3, 3)]
    claims = claims_of(CASELOAD, Q3, None, {1: "crc.csv"}, counts)
    assert {one.series: one.role for one in claims.covered} == {
        "CRC, A": "covers",
        "CRC, B": "left out",
    }
    assert "3 rows of 'CRC, B' in a file of 'CRC, A'" in as_given(claims.warnings[0])
    # A second spelling of the same force is no other force.
    counts = [Count(1, "CRC, A", "A", Q3, 40), Count(1, "crc,  a", "a", Q3, 3)]
    claims = claims_of(CASELOAD, Q3, None, {1: "crc.csv"}, counts)
    assert [one.role for one in claims.covered] == ["covers", "covers"] and not claims.warnings


# --- of every source: stray rows take nothing over ---------------------------------------------


@st.composite
def strays(draw: st.DrawFn) -> dict[date, int]:
    months = st.integers(2015 * 12, 2019 * 12 + 11)
    days = draw(st.lists(months, max_size=6, unique=True))
    return {date(one // 12, one % 12 // 3 * 3 + 1, 1): draw(st.integers(1, 4)) for one in days}


@settings(max_examples=60, deadline=None)
@given(
    source=st.sampled_from([name for name, one in CONTRACTS.items() if not one.coverage.additive]),
    outside=strays(),
    named=st.booleans(),
)
def test_whatever_strays_are_added_a_delivery_covers_what_it_covered(
    source: str, outside: dict[date, int], named: bool
) -> None:
    contract = CONTRACTS[source]
    if contract.coverage.default == "label":
        return  # Title, sheet or heading give every row its period: there is no stray.
    quarter = date(2018, 10, 1)
    outside.pop(quarter, None)
    name = "x-2018-10-to-2018-12.csv" if named else "x.csv"
    own = [Count(1, "A", "A", quarter, 100)]
    added = [Count(1, "A", "A", period, rows) for period, rows in outside.items()]
    plain = claims_of(contract, quarter, None, {1: name}, own)
    strewn = claims_of(contract, quarter, None, {1: name}, own + added)
    covered = {one.period for one in plain.covered if one.role in ("covers", "history")}
    assert covered == {one.period for one in strewn.covered if one.role in ("covers", "history")}
    # Every stray row is accounted for, and said.
    kept = sum(one.rows for one in strewn.covered if one.role == "late rows")
    refused = sum(one.rows for one in strewn.refused)
    assert kept + refused == sum(outside.values())
    said = Counter(fault.rule for fault in strewn.warnings)
    assert (kept > 0) == bool(said)
    assert not (kept and refused)


def test_every_contract_says_what_becomes_of_rows_outside() -> None:
    for name, contract in CONTRACTS.items():
        text = (contract.folder / "contract.toml").read_text()
        assert "[coverage]" in text, name
        if contract.coverage.outside == "add":
            assert contract.key, name


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"named": "sex"}, "both named and names"),
        ({"named": "sex", "names": "force"}, "not the series' last column"),
    ],
)
def test_a_coverage_that_does_not_fit_is_reported(change: dict[str, str], words: str) -> None:
    declared = YOUTH.model_dump()
    declared["coverage"] = {**declared["coverage"], "names": None, **change}
    with pytest.raises(ValueError, match=words):
        Contract(**declared)

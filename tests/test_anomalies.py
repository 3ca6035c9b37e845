"""Anomalies of deliveries: found, reported, accepted by command, and listed afterwards."""

import shutil
import subprocess
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.ingest.checking.anomalies import (
    AcceptanceError,
    Anomaly,
    accept_anomaly,
    find_anomalies,
    listed_anomalies,
)
from orchestration.ingest.checking.contract import load_contracts
from orchestration.warehouse.connection import connect
from orchestration.warehouse.control_schema import ensure_control
from tests.support import Ground, street_file, street_row

STREET = "police_uk_street"
NOW = datetime(2018, 8, 2, 10, 0)


def month(name: str, fenland: int = 80, cambridge: int = 40, **other: str) -> str:
    rows = [street_row(name, number=number, **other) for number in range(fenland)]
    rows += [
        street_row(name, number=number, **({"lsoa_name": "Cambridge 001A"} | other))
        for number in range(1000, 1000 + cambridge)
    ]
    return street_file(rows)


def look(ground: Ground, as_at: str = "2018-04-01") -> list[Anomaly]:
    ground.load(STREET, as_at)
    ground.resolve(as_at)
    with connect(ground.settings) as connection:
        return find_anomalies(connection, load_contracts())


def deliver(ground: Ground, now: str, before: str | None = None) -> None:
    ground.put(STREET, "2017-04-01", {"a.csv": before or month("2017-05")})
    ground.put(STREET, "2018-04-01", {"b.csv": now})


@pytest.mark.parametrize(
    ("fenland", "cambridge", "found"),
    [
        # 120 a year before: 40 % below is 72, above by the like factor is 200.
        (50, 22, []),
        (50, 21, ["volume"]),
        (150, 50, []),
        (150, 51, ["volume"]),
        (110, 0, ["missing-place"]),
    ],
)
def test_month_is_compared_with_the_same_month_of_last_year(
    ground: Ground, fenland: int, cambridge: int, found: list[str]
) -> None:
    deliver(ground, month("2018-05", fenland, cambridge))
    assert [one.rule for one in look(ground)] == found


def test_words_say_what_how_much_and_against_what(ground: Ground) -> None:
    deliver(ground, month("2018-05", 60, 0))
    missing, volume = sorted(look(ground), key=lambda one: one.rule)
    assert str(volume) == (
        "police_uk_street 2018-04-01 v1, Cambridgeshire Constabulary 2018-05-01: 50 % fewer rows "
        "than for 2017-05-01 (60 against 120) [rule: volume]"
    )
    assert "Cambridge, " in str(missing) and "2017-05-01" in str(missing)


def test_column_suddenly_blank_is_reported(ground: Ground) -> None:
    deliver(ground, month("2018-05", outcome=""))
    (blank,) = look(ground)
    assert blank.rule == "blank-column"
    assert "'last_outcome_category'" in blank.message


def test_missing_month_and_small_numbers_are_compared_with_nothing(ground: Ground) -> None:
    deliver(ground, month("2018-06", 10, 10))
    assert look(ground) == []
    deliver(ground, month("2018-05", 1, 1), before=month("2017-05", 30, 19))
    # That the second version has another month than the first is another matter.
    assert {one.rule for one in look(ground)} == {"revision-drop"}


def test_acceptance_is_kept_with_its_reason_and_holds_for_that_version(ground: Ground) -> None:
    deliver(ground, month("2018-05", 40, 25))
    assert [one.reason for one in look(ground)] == [None]
    with connect(ground.settings) as connection:
        accept_anomaly(
            connection, STREET, date(2018, 4, 1), "volume", date(2018, 5, 1),
            "A shop has closed", "analyst", NOW,
        )  # fmt: skip
    (accepted,) = look(ground)
    assert (accepted.reason, accepted.accepted_by, accepted.accepted_at) == (
        "A shop has closed",
        "analyst",
        NOW,
    )
    # The next version is looked at anew, and the acceptance of the first is still on record.
    deliver(ground, month("2018-05", 40, 24))
    (anew,) = look(ground)
    assert (anew.version, anew.reason) == (2, None)
    assert ground.value("select count(*) from control.acceptances") == 1


def test_nothing_to_accept_is_said(ground: Ground) -> None:
    deliver(ground, month("2018-05", 40, 25))
    look(ground)
    with connect(ground.settings) as connection:
        for rule, period, reason, words in (
            ("volume", date(2018, 6, 1), "because", "found no 'volume'.*50 %|found no 'volume'"),
            ("blank-column", None, "because", "found no 'blank-column'"),
            ("volume", None, " ", "Say why"),
        ):
            with pytest.raises(AcceptanceError, match=words):
                accept_anomaly(
                    connection, STREET, date(2018, 4, 1), rule, period, reason, "analyst", NOW
                )
        assert [one.reason for one in listed_anomalies(connection)] == [None]


def test_of_people_no_counts_are_reported(ground: Ground) -> None:
    with connect(ground.settings) as connection:
        contracts = load_contracts()
        ground_of_people(connection)
        (one,) = find_anomalies(connection, contracts)
    assert one.message == "CRC 2018-05-31: 75 % fewer rows than for 2017-05-31"


def ground_of_people(connection: duckdb.DuckDBPyConnection) -> None:
    ensure_control(connection)
    connection.execute(
        "insert into control.in_force select 'probation_caseload', 'CRC', day, number, "
        "date '2018-04-01', 1, 'synthetic', 'x', 'CRC', '', 'covers', 1 "
        "from (values (date '2017-05-31', 1), (date '2018-05-31', 2)) as made(day, number); "
        "insert into control.profile values (1, 'CRC', date '2017-05-31', '', '', 400), "
        "(2, 'CRC', date '2018-05-31', '', '', 100)"
    )


def test_accept_and_history_as_a_person_uses_them(
    sample: Ground, tmp_path: Path, csp: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    shutil.copytree(
        sample.settings.home, tmp_path / "var", ignore=shutil.ignore_patterns("exports")
    )
    environment = {"CSP_HOME": str(tmp_path / "var"), "CSP_RAW": str(sample.settings.raw)}
    told = " ".join(csp("status", **environment).stdout.split())
    assert "Unusual: community_survey 2018-04-01 v1" in told
    assert "107 % more rows than for 2018-01-01" in told
    delivery = ("community_survey", "2018-04-01", "volume")
    done = csp("accept", *delivery, "--reason", "More towns were asked", **environment)
    assert done.returncode == 0, done.stderr
    shown = " ".join(csp("history", "community_survey", **environment).stdout.split())
    assert "2018-04-01 v1" in shown and "More towns were asked" in shown
    again = csp("accept", *delivery, "--reason", "Twice", **environment)
    assert again.returncode == 1 and "Stopped." in again.stderr

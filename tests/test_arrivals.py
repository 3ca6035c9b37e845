"""What the landing-zone sensor takes up, when, and which quarters it has refreshed."""

import os
from datetime import date
from pathlib import Path

import pytest

from orchestration.errors import LandingError
from orchestration.ingest.landing.arrivals import (
    Memory,
    Watch,
    fingerprint,
    quarters_to_refresh,
    watch,
)
from tests.support import Ground, messages, month_file

Q1 = date(2018, 4, 1)
Q2 = date(2018, 7, 1)
QUIET = 120.0


def _watch(ground: Ground, memory: Memory, now: float, closed: date = Q2) -> Watch:
    contracts = {
        name: ground.contract(name) for name in ("police_uk_street", "population_estimates")
    }
    return watch(ground.settings.raw, contracts, memory, now, QUIET, closed)


def _settled(ground: Ground) -> Watch:
    return _watch(ground, _watch(ground, Memory(), 0).memory, QUIET)


def test_delivery_is_taken_up_once_it_has_kept_still(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file()})
    first = _watch(ground, Memory(), now=1000)
    assert not first.arrivals
    assert "still arriving" in first.waiting[0]
    early = _watch(ground, first.memory, now=1000 + QUIET - 1)
    assert not early.arrivals
    then = _watch(ground, early.memory, now=1000 + QUIET)
    assert [(one.source, one.quarter, one.files) for one in then.arrivals] == [
        ("police_uk_street", Q1, 1)
    ]
    assert not _watch(ground, then.memory, now=5000).arrivals


def test_file_that_grows_is_waited_for_even_under_an_old_time_stamp(ground: Ground) -> None:
    folder = ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": "Crime"})
    memory = _watch(ground, Memory(), now=0).memory
    (folder / "2018-04.csv").write_text("Crime ID,")
    os.utime(folder / "2018-04.csv", (1, 1))
    later = _watch(ground, memory, now=QUIET)
    assert not later.arrivals
    assert _watch(ground, later.memory, now=2 * QUIET).arrivals


def test_memory_survives_a_restart(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file()})
    memory = Memory.parse(_settled(ground).memory.model_dump_json())
    assert not _watch(ground, memory, now=9000).arrivals


def test_burst_of_one_quarter_is_taken_up_together(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file("2018-04")})
    memory = _watch(ground, Memory(), now=0).memory
    ground.put("population_estimates", "2018-04-01", {"a.csv": "x"})
    during = _watch(ground, memory, now=QUIET)
    assert not during.arrivals
    after = _watch(ground, during.memory, now=2 * QUIET)
    assert {one.source for one in after.arrivals} == {"police_uk_street", "population_estimates"}


def test_unfinished_transfer_holds_its_own_delivery_only(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file(), "b.csv.part": "x"})
    ground.put("population_estimates", "2018-04-01", {"a.csv": "x"})
    seen = _settled(ground)
    assert [one.source for one in seen.arrivals] == ["population_estimates"]
    assert "b.csv.part" in seen.waiting[0]


def test_correction_arrives_and_so_does_its_withdrawal(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file(rows=10)})
    first = _settled(ground)
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file(rows=11)})
    second = _watch(ground, _watch(ground, first.memory, 1000).memory, 1000 + QUIET)
    assert [one.quarter for one in second.arrivals] == [Q1]
    assert fingerprint(second.memory, Q1) != fingerprint(first.memory, Q1)
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file(rows=10)})
    third = _watch(ground, _watch(ground, second.memory, 2000).memory, 2000 + QUIET)
    assert [one.quarter for one in third.arrivals] == [Q1]


def test_same_bytes_again_are_no_arrival(ground: Ground) -> None:
    folder = ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file()})
    memory = _settled(ground).memory
    (folder / "2018-04.csv").unlink()
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file()})
    again = _watch(ground, _watch(ground, memory, 1000).memory, 1000 + QUIET)
    assert not again.arrivals


def test_quarter_that_has_not_ended_waits(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-07-01", {"2018-07.csv": month_file("2018-07")})
    memory = _watch(ground, Memory(), 0, closed=Q1).memory
    held = _watch(ground, memory, QUIET, closed=Q1)
    assert not held.arrivals
    assert "2018-07-01" in held.waiting[0]
    assert [one.quarter for one in _watch(ground, held.memory, QUIET, closed=Q2).arrivals] == [Q2]


def test_folder_of_no_quarter_is_reported(ground: Ground) -> None:
    ground.put("police_uk_street", "2018-05-01", {"2018-05.csv": month_file("2018-05")})
    with pytest.raises(LandingError, match=r"police_uk_street.*2018-05-01"):
        _settled(ground)


@pytest.mark.parametrize(
    ("arrived", "published", "asked"),
    [
        ([], [Q1], []),
        # A first landing of many quarters' history: one run, of the newest.
        ([date(2017, 1, 1), Q1], [], [Q1]),
        ([Q2], [Q1], [Q2]),
        # A correction: its own quarter, and the later releases that were built on it.
        ([Q1], [Q1, Q2], [Q1, Q2]),
        # A quarter that was missed, between two releases.
        ([Q1], [date(2018, 1, 1), Q2], [Q1, Q2]),
        # History before the first release has none of its own.
        ([date(2015, 1, 1)], [Q1, Q2], [Q1, Q2]),
    ],
)
def test_quarters_refreshed(arrived: list[date], published: list[date], asked: list[date]) -> None:
    assert quarters_to_refresh(arrived, published) == asked


def test_refresh_passes_over_a_delivery_that_is_being_transferred(ground: Ground) -> None:
    files: dict[str, str | bytes] = {"2018-04.csv": month_file(), "2018-05.csv.part": "Crime"}
    folder = ground.put("police_uk_street", "2018-04-01", files)
    report = ground.load("police_uk_street")
    assert not report.outcomes
    assert "2018-05.csv.part" in str(report.warnings[0])
    (folder / "2018-05.csv.part").rename(folder / "2018-05.csv")
    (folder / "2018-05.csv").write_text(month_file("2018-05"))
    assert ground.load("police_uk_street").total("rows_loaded") == 20


def test_file_written_to_while_it_is_read_is_not_loaded(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file(rows=5)})
    from orchestration.ingest.loading import load

    real = load._insert

    def slowly(*arguments: object, **named: object) -> None:
        real(*arguments, **named)  # type: ignore[arg-type]
        with Path(folder / "2018-04.csv").open("a") as handle:
            handle.write("one more line")

    monkeypatch.setattr(load, "_insert", slowly)
    with pytest.raises(LandingError, match=r"2018-04\.csv"):
        ground.load("police_uk_street")
    monkeypatch.undo()
    assert ground.query("select count(*) from control.deliveries") == [(0,)]
    (folder / "2018-04.csv").write_text(month_file(rows=6))
    report = ground.load("police_uk_street")
    assert report.total("rows_loaded") == 6, messages(report)

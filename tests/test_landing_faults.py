"""A landing that is killed, runs out of disk, is interrupted or races another loses nothing.

LANDING_FAULTS sets the number of moments at which the long test injects each fault (0: every call
into the operating system), LANDING_RACES its number of races.
"""

import errno
import multiprocessing
import os
import sys
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest
from filelock import FileLock

from orchestration.errors import LandingError
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing import delivery_folder
from orchestration.ingest.landing.delivery_folder import recover_landings
from orchestration.ingest.landing.handover import land
from orchestration.ingest.landing.receipt import Receipt
from tests.fault_injection import (
    DONE,
    INTERRUPTED,
    REFUSED,
    UNCONFIRMED,
    Faulty,
    fill_the_disk,
    in_child,
    interrupt,
    kill,
    moments,
)
from tests.support import month_file

STREET, QUARTER = "police_uk_street", date(2018, 4, 1)
FAULTS = int(os.environ.get("LANDING_FAULTS", "6"))
RACES = int(os.environ.get("LANDING_RACES", "4"))


def _land(raw: Path, file: Path, note: str = "made for a test") -> None:
    receipt = Receipt(
        source=STREET, quarter=QUARTER, received_at=datetime(2018, 7, 1), nature="real", note=note
    )
    land(raw, load_contracts()[STREET], QUARTER, [file], receipt, whole=True)


def _landed_with(raw: Path, file: Path, faulty: Faulty) -> int:
    sys.setprofile(faulty)
    try:
        _land(raw, file)
    except LandingError as error:
        return REFUSED if "Nothing was landed" in str(error) else UNCONFIRMED
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        sys.setprofile(None)
    return DONE


def _given(tmp_path: Path, name: str, rows: int) -> Path:
    folder = tmp_path / "given" / name
    folder.mkdir(parents=True)
    file = folder / "2018-04-street.csv"
    file.write_text(month_file("2018-04", rows), newline="")
    return file


def _version(folder: Path) -> bytes | None:
    """Return the content of a whole delivery, checked against its receipt; none where there is
    none or only a part."""
    if not folder.is_dir() or not (receipt := Receipt.read(folder)):
        return None
    return None if receipt.differences(folder) else (folder / "2018-04-street.csv").read_bytes()


def _kept(raw: Path) -> list[bytes | None]:
    return [_version(folder) for folder in (raw / STREET / ".superseded").glob("*")]


def test_a_kill_leaves_a_whole_delivery_and_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _faults(tmp_path, monkeypatch, kill, exchanged=True, faults=3)


@pytest.mark.slow
@pytest.mark.parametrize("exchanged", [True, False], ids=["exchange", "two renames"])
@pytest.mark.parametrize("fault", [kill, fill_the_disk, interrupt])
def test_a_fault_at_any_call_leaves_a_whole_delivery_and_loses_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: Callable[[], NoReturn], exchanged: bool
) -> None:
    _faults(tmp_path, monkeypatch, fault, exchanged=exchanged, faults=FAULTS)


def _faults(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: Callable[[], NoReturn],
    *,
    exchanged: bool,
    faults: int,
) -> None:
    if not exchanged:
        monkeypatch.setattr(delivery_folder, "exchange", lambda *_: False)
    old, new = _given(tmp_path, "old", 3), _given(tmp_path, "new", 4)
    first, second = old.read_bytes(), new.read_bytes()
    _land(tmp_path / "counted", old)
    faulty = Faulty()
    assert _landed_with(tmp_path / "counted", new, faulty) == DONE
    assert faulty.calls > 40
    found = set()
    for at in moments(faulty.calls, faults):
        raw = tmp_path / f"raw-{at}"
        _land(raw, old)
        code = in_child(partial(_landed_with, raw, new, Faulty(at, fault)))
        place = raw / STREET / QUARTER.isoformat()
        if not exchanged:
            recover_landings(raw / STREET)
        version = _version(place)
        assert version in (first, second), f"nothing in place after {at}"
        assert version == first or first in _kept(raw), f"the earlier version is gone after {at}"
        if code == REFUSED and exchanged:
            assert version == first, f"landed at {at}, and reported that nothing was"
        found.add(version)
        _land(raw, new)
        assert _version(place) == second
        assert _kept(raw) == [first]
        # What was spilled to disk is swept later: another program may still use it.
        left = {path.name for path in (raw / STREET).iterdir() if ".scratch-" not in path.name}
        assert left == {QUARTER.isoformat(), ".superseded", ".landing.lock"}, f"left after {at}"
    assert found == {first, second}


def _land_after(raw: Path, file: Path, start: Any) -> int:
    start.wait(60)
    _land(raw, file)
    return DONE


@pytest.mark.slow
def test_landings_that_race_keep_every_version(tmp_path: Path) -> None:
    files = [_given(tmp_path, str(rows), rows) for rows in range(3, 8)]
    fork = multiprocessing.get_context("fork")
    for race in range(RACES):
        raw, start = tmp_path / f"race-{race}", fork.Barrier(len(files))
        children = [fork.Process(target=_land_after, args=(raw, file, start)) for file in files]
        for child in children:
            child.start()
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0] * len(files)
        versions = [_version(raw / STREET / QUARTER.isoformat()), *_kept(raw)]
        assert sorted(versions, key=repr) == sorted((file.read_bytes() for file in files), key=repr)


def test_the_same_bytes_under_another_receipt_are_another_version(tmp_path: Path) -> None:
    one, other = _given(tmp_path, "one", 3), _given(tmp_path, "other", 4)
    for note in ("first", "second"):
        for file in (one, other):
            _land(tmp_path / "raw", file, note)
    kept = (tmp_path / "raw" / STREET / ".superseded").glob("*")
    receipts = [Receipt.read(folder) for folder in kept]
    notes = sorted(receipt.note for receipt in receipts if receipt)
    assert notes == ["first", "first", "second"]


def test_leftovers_of_a_killed_landing_are_swept_by_a_refresh_but_not_from_under_one(
    tmp_path: Path,
) -> None:
    _land(tmp_path, _given(tmp_path, "one", 3))
    folder = tmp_path / STREET
    half = folder / ".landing-half"
    half.mkdir()
    with FileLock(folder / ".landing.lock"):
        recover_landings(folder)
        assert half.exists()
    recover_landings(folder)
    assert not half.exists()


def test_a_folder_that_cannot_be_locked_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = _given(tmp_path, "one", 3)

    def no_locks(*_: object) -> NoReturn:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with pytest.raises(LandingError, match=r"\.landing\.lock"):
        _land(tmp_path / "raw", file)

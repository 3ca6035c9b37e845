"""The landing zone: what a landing adds and replaces, and that no changed file is passed over."""

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from orchestration.ingest import landing
from orchestration.ingest.landing import land, read_delivery
from orchestration.ingest.receipt import Receipt
from tests.support import NOW, Ground, month_file, street_file, street_row
from tests.test_status import _row, _status

STREET = "police_uk_street"
QUARTER = date(2018, 4, 1)
NAME = "2018-04-cambridgeshire-street.csv"


def receipt(note: str = "made for a test") -> Receipt:
    return Receipt(source=STREET, quarter=QUARTER, received_at=NOW, nature="synthetic", note=note)


def same_size(crime_type: str) -> str:
    """Ten rows of a file that has the same size whichever of two crime types they are."""
    assert crime_type in ("Shoplifting", "Other theft")
    return street_file(
        street_row("2018-04", crime_type, number, location=f"On or near {number:02d}")
        for number in range(1, 11)
    )


def shoplifting(ground: Ground) -> int:
    ground.resolve()
    return int(
        ground.value(
            "select count(*) from raw.police_uk_street as street "
            "inner join control.in_force on in_force.delivery_id = street._delivery_id "
            "where crime_type = 'Shoplifting'"
        )
    )


# --- same size, same time --------------------------------------------------------------------


def test_a_corrected_file_of_the_same_size_and_time_is_loaded(
    ground: Ground, tmp_path: Path
) -> None:
    first, second = tmp_path / "a" / NAME, tmp_path / "b" / NAME
    for path, crime_type in ((first, "Shoplifting"), (second, "Other theft")):
        path.parent.mkdir()
        path.write_text(same_size(crime_type), newline="")
        os.utime(path, (1_500_000_000, 1_500_000_000))
    assert first.stat().st_size == second.stat().st_size
    contract = ground.contract(STREET)
    land(ground.settings.raw, contract, QUARTER, [first], receipt())
    ground.load(STREET)
    assert shoplifting(ground) == 10
    land(ground.settings.raw, contract, QUARTER, [second], receipt())
    assert _row(_status(ground, "2018-09-05"), STREET)[2] == "changed since v1"
    (outcome,) = ground.load(STREET).outcomes
    assert (outcome.version, outcome.state, shoplifting(ground)) == (2, "loaded", 0)


@pytest.mark.parametrize("way", ["written over", "renamed over", "copied with its times"])
def test_a_file_dropped_by_hand_over_another_is_loaded(
    ground: Ground, tmp_path: Path, way: str
) -> None:
    folder = ground.put(STREET, "2018-04-01", {NAME: same_size("Shoplifting")})
    before = (folder / NAME).stat()
    ground.load(STREET)
    (tmp_path / NAME).write_text(same_size("Other theft"), newline="")
    os.utime(tmp_path / NAME, ns=(before.st_atime_ns, before.st_mtime_ns))
    if way == "renamed over":
        (tmp_path / NAME).replace(folder / NAME)
    elif way == "copied with its times":
        shutil.copy2(tmp_path / NAME, folder / NAME)
    else:
        (folder / NAME).write_bytes((tmp_path / NAME).read_bytes())
        os.utime(folder / NAME, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = (folder / NAME).stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert _row(_status(ground, "2018-09-05"), STREET)[2] == "changed since v1"
    (outcome,) = ground.load(STREET).outcomes
    assert (outcome.version, shoplifting(ground)) == (2, 0)


def test_a_receipt_that_contradicts_the_index_has_the_file_read_again(ground: Ground) -> None:
    folder = ground.put(STREET, "2018-04-01", {NAME: same_size("Shoplifting")})
    delivery = read_delivery(ground.settings.raw, ground.contract(STREET), QUARTER)
    assert delivery
    receipt().with_files(folder).write(folder)
    # A file system whose times say nothing: the state is that of the file which was there before.
    stale = {file.state: "0" * 64 for file in delivery.files}
    again = read_delivery(ground.settings.raw, ground.contract(STREET), QUARTER, stale)
    assert again
    assert again.content_sha256 == delivery.content_sha256


def test_an_unchanged_file_is_read_once(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ground.put(STREET, "2018-04-01", {NAME: month_file()})
    ground.load(STREET)
    read: list[Path] = []
    hashed = landing.sha256_of

    def noted(path: Path) -> str:
        read.append(path)
        return hashed(path)

    monkeypatch.setattr(landing, "sha256_of", noted)
    ground.load(STREET)
    assert read == []
    # Taken away and brought back, as by a restore of the disk: read once, and then known again.
    shutil.copy2(folder / NAME, folder.parent / "aside.csv")
    (folder.parent / "aside.csv").replace(folder / NAME)
    assert ground.load(STREET).unchanged == 1
    assert read == [folder / NAME]
    ground.load(STREET)
    assert read == [folder / NAME]


def test_an_index_of_an_earlier_version_is_completed(ground: Ground) -> None:
    ground.put(STREET, "2018-04-01", {NAME: month_file()})
    ground.load(STREET)
    from orchestration.warehouse import connect

    with connect(ground.settings) as connection:
        connection.execute("alter table control.landing_index drop column ctime_ns")
        connection.execute("alter table control.landing_index drop column inode")
    assert _row(_status(ground, "2018-09-05"), STREET)[2] == "loaded v1"
    assert ground.load(STREET).unchanged == 1
    assert ground.query("select ctime_ns > 0, inode > 0 from control.landing_index") == [
        (True, True)
    ]

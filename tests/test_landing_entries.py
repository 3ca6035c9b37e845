"""Pipes, devices, links and false receipts in the landing zone are refused by name, unopened."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from orchestration.config.settings import Settings
from orchestration.errors import LandingError
from orchestration.ingest.checking.contract import contract_of
from orchestration.ingest.checking.delivery_check import check
from orchestration.ingest.landing.arrivals import Memory, watch
from orchestration.ingest.landing.handover import land
from orchestration.ingest.landing.landing_zone import read_delivery
from orchestration.ingest.landing.receipt import Receipt, delivered_files
from tests.support import Ground, month_file

NAME = "2018-04-cambridgeshire-street.csv"
SOURCE = "police_uk_street"
QUARTER = "2018-04-01"


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """End a test that waits for a pipe: nobody will ever write into it."""
    import faulthandler

    faulthandler.dump_traceback_later(60, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def receipt_of(source: str, quarter: str, folder: Path) -> Receipt:
    day = date.fromisoformat(quarter)
    return Receipt(
        source=source,
        quarter=day,
        received_at=datetime(2018, 7, 10),
        nature="real",
        note="",
    ).with_files(folder)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        here = Path.cwd()
        os.chdir(path.parent)  # the address of a socket must be short
        try:
            one.bind(path.name)
        finally:
            os.chdir(here)


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def leading_out(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def to_a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def to_a_folder(path: Path) -> None:
    path.symlink_to(path.parents[2])


ODD: dict[str, Callable[[Path], None]] = {
    one.__name__: one
    for one in (pipe, bound_socket, dangling, leading_out, to_a_device, to_itself, to_a_folder)
}


def test_what_is_no_file_is_refused_by_name(ground: Ground) -> None:
    folder = ground.put(SOURCE, QUARTER, {NAME: month_file()})
    (folder / "sub").mkdir()
    names = [f"{place}{kind}.csv" for kind in ODD for place in ("", "sub/")]
    for name in names:
        ODD[Path(name).stem](folder / name)
    (refused,) = ground.load(SOURCE).outcomes
    assert (refused.state, refused.rows_loaded) == ("refused", 0)
    assert {fault.file for fault in refused.faults} == set(names)
    assert {fault.rule for fault in refused.faults} == {"is a plain file"}
    for name in names:
        (folder / name).unlink()
    (loaded,) = ground.load(SOURCE).outcomes
    assert (loaded.state, loaded.rows_loaded) == ("loaded", 10)


@pytest.mark.parametrize("kind", ODD)
def test_a_receipt_that_is_no_file_is_never_opened(kind: str, ground: Ground) -> None:
    folder = ground.put(SOURCE, QUARTER, {NAME: month_file()})
    ODD[kind](folder / "delivery.json")
    delivery = read_delivery(ground.settings.raw, contract_of(SOURCE), date(2018, 4, 1))
    assert delivery is not None
    assert [fault.file for fault in delivery.faults] == ["delivery.json"]
    assert [file.name for file in delivery.files] == [NAME]


@pytest.mark.parametrize("kind", ["pipe", "to_a_folder"])
def test_a_quarter_that_is_no_folder_is_refused_and_others_are_loaded(
    kind: str, ground: Ground
) -> None:
    ground.put(SOURCE, QUARTER, {NAME: month_file()})
    ODD[kind](ground.settings.raw / SOURCE / "2014-04-01")
    report = ground.load(SOURCE)
    assert [(one.quarter.year, one.state) for one in report.outcomes] == [
        (2014, "refused"),
        (2018, "loaded"),
    ]
    assert [fault.file for fault in report.outcomes[0].faults] == ["2014-04-01"]


def test_a_source_that_leads_out_of_the_landing_zone_is_refused(
    ground: Ground, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere" / QUARTER).mkdir(parents=True)
    ground.settings.raw.mkdir(exist_ok=True)
    (ground.settings.raw / SOURCE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LandingError, match=SOURCE):
        ground.load(SOURCE)


def test_a_link_to_a_file_of_the_landing_zone_is_that_file(ground: Ground) -> None:
    folder = ground.put(SOURCE, ".kept", {NAME: month_file()})
    there = ground.put(SOURCE, QUARTER, {})
    (there / NAME).symlink_to(folder / NAME)
    assert [name for name, _ in delivered_files(there)] == [NAME]
    assert ground.load(SOURCE).outcomes[0].rows_loaded == 10


BAD_RECEIPTS: dict[str, Callable[[Path], str]] = {
    "not JSON": lambda folder: "{",
    "another shape": lambda folder: json.dumps({"9912399Q": 1}),
    "deep": lambda folder: "[" * 100_000,
    "of another source": lambda folder: receipt_of("iom_cohort", QUARTER, folder).model_dump_json(
        exclude_none=True
    ),
    "of another quarter": lambda folder: receipt_of(SOURCE, "2018-07-01", folder).model_dump_json(
        exclude_none=True
    ),
}


def test_a_false_receipt_refuses_its_own_delivery_only(ground: Ground) -> None:
    for year, how in enumerate(BAD_RECEIPTS, start=2012):
        content = month_file(rows=year - 2000)
        old = ground.put(SOURCE, f"{year}-04-01", {f"{year}-04-a-street.csv": content})
        (old / "delivery.json").write_text(BAD_RECEIPTS[how](old))
    ground.put(SOURCE, QUARTER, {NAME: month_file()})
    *refused, loaded = ground.load(SOURCE).outcomes
    assert [one.state for one in refused] == ["refused"] * len(BAD_RECEIPTS)
    assert loaded.state == "loaded"
    for one in refused:
        assert [fault.rule for fault in one.faults] == ["matches its receipt"]
        assert [fault.file for fault in one.faults] == ["delivery.json"]
        assert "9912399Q" not in str(one.reason)


def test_a_receipt_of_its_place_is_accepted(ground: Ground) -> None:
    folder = ground.put(SOURCE, QUARTER, {NAME: month_file()})
    receipt_of(SOURCE, QUARTER, folder).write(folder)
    assert ground.load(SOURCE).outcomes[0].state == "loaded"


def test_a_vast_receipt_is_not_read(ground: Ground) -> None:
    folder = ground.put(SOURCE, QUARTER, {NAME: month_file()})
    with (folder / "delivery.json").open("wb") as stream:
        stream.truncate(1 << 40)
    assert ground.load(SOURCE).outcomes[0].state == "refused"


def test_the_sensor_sees_a_pipe_as_an_arrival(ground: Ground) -> None:
    folder = ground.put(SOURCE, QUARTER, {})
    os.mkfifo(folder / NAME)
    contracts = {SOURCE: contract_of(SOURCE)}
    seen = watch(ground.settings.raw, contracts, Memory(), 0.0, 1.0, date(2018, 4, 1))
    later = watch(ground.settings.raw, contracts, seen.memory, 9.0, 1.0, date(2018, 4, 1))
    assert [(one.source, one.files) for one in later.arrivals] == [(SOURCE, 0)]


# --- what a person names ---------------------------------------------------------------------


def landed(settings: Settings, path: Path, *, whole: bool = False) -> None:
    receipt = receipt_of(SOURCE, QUARTER, path.parent / "none")
    land(settings.raw, contract_of(SOURCE), receipt.quarter, [path], receipt, whole=whole)


@pytest.mark.parametrize("kind", ODD)
def test_only_a_file_is_landed_or_checked(kind: str, ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / NAME
    path.parent.mkdir(parents=True)
    ODD[kind](path)
    with pytest.raises(LandingError, match=NAME):
        landed(ground.settings, path)
    if kind != "leading_out":
        with pytest.raises(LandingError, match=NAME):
            check(ground.settings, contract_of(SOURCE), [path])


@pytest.mark.parametrize("whole", [False, True])
def test_nothing_is_landed_beside_a_pipe(whole: bool, ground: Ground, tmp_path: Path) -> None:
    folder = ground.put(SOURCE, QUARTER, {})
    os.mkfifo(folder / "a.csv")
    path = tmp_path / NAME
    path.write_text(month_file())
    with pytest.raises(LandingError, match=r"a\.csv"):
        landed(ground.settings, path, whole=whole)


def test_a_false_receipt_is_replaced_by_a_whole_delivery(ground: Ground, tmp_path: Path) -> None:
    folder = ground.put(SOURCE, QUARTER, {NAME: month_file(), "delivery.json": "{"})
    path = tmp_path / NAME
    path.write_text(month_file(rows=12))
    with pytest.raises(LandingError, match="--whole"):
        landed(ground.settings, path)
    landed(ground.settings, path, whole=True)
    receipt = Receipt.read(folder)
    assert receipt is not None
    assert [file.name for file in receipt.files] == [NAME]

"""The landing zone: what a landing adds and replaces, and that no changed file is passed over."""

import multiprocessing
import os
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orchestration.cli.land import parse_covers
from orchestration.config.settings import PROJECT
from orchestration.errors import LandingError
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing import landing_zone as landing
from orchestration.ingest.landing.handover import Landed, ReplacementError, land
from orchestration.ingest.landing.landing_zone import read_delivery
from orchestration.ingest.landing.receipt import Receipt
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
    land(ground.settings.raw, contract, QUARTER, [second], receipt(), replace=True)
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
    from orchestration.warehouse.checksum import sha256_of as hashed

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
    from orchestration.warehouse.connection import connect

    with connect(ground.settings) as connection:
        connection.execute("alter table control.landing_index drop column ctime_ns")
        connection.execute("alter table control.landing_index drop column inode")
    assert _row(_status(ground, "2018-09-05"), STREET)[2] == "loaded v1"
    assert ground.load(STREET).unchanged == 1
    assert ground.query("select ctime_ns > 0, inode > 0 from control.landing_index") == [
        (True, True)
    ]


# --- what a landing adds and replaces --------------------------------------------------------

RAW = PROJECT / "raw"


def landed(ground: Ground, source: str, quarter: str, *paths: Path, **how: Any) -> Landed:
    day = date.fromisoformat(quarter)
    made = Receipt(
        source=source, quarter=day, received_at=NOW, nature="synthetic", note=how.pop("note", "")
    )
    made = made.model_copy(update={"covers": how.pop("covers", None)})
    return land(ground.settings.raw, ground.contract(source), day, paths, made, **how)


def given(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / "given" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def held(ground: Ground, source: str, quarter: str) -> list[str]:
    folder = ground.settings.raw / source / quarter
    found = read_delivery(ground.settings.raw, ground.contract(source), date.fromisoformat(quarter))
    assert found
    assert found.receipt
    assert found.receipt.differences(folder) == ()
    return [file.name for file in found.files]


def state_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".landing.lock"
    }


@pytest.mark.parametrize(
    ("source", "quarter"),
    [
        ("probation_caseload", "2018-10-01"),
        ("youth_offending", "2018-10-01"),
        ("police_uk_street", "2018-10-01"),
        ("police_charges", "2018-07-01"),
        ("community_survey", "2018-10-01"),
        ("population_estimates", "2018-04-01"),
        ("area_lookups", "2018-04-01"),
    ],
)
def test_files_landed_one_by_one_are_the_delivery_landed_at_once(
    ground: Ground, source: str, quarter: str
) -> None:
    files = [path for path in sorted((RAW / source / quarter).iterdir()) if path.suffix != ".json"]
    assert len(files) > 1
    for file in files:
        assert landed(ground, source, quarter, file).added == (file.name,)
    assert held(ground, source, quarter) == [file.name for file in files]
    expected = read_delivery(RAW, ground.contract(source), date.fromisoformat(quarter))
    assert expected
    together = landed(ground, source, quarter, *files)
    assert together.unchanged
    assert together.delivery.content_sha256 == expected.content_sha256


def test_the_same_bytes_under_any_name_change_nothing(ground: Ground, tmp_path: Path) -> None:
    first = given(tmp_path, "2018-04.csv", month_file())
    landed(ground, STREET, "2018-04-01", first)
    before = state_of(ground.settings.raw)
    again = landed(ground, STREET, "2018-04-01", given(tmp_path, "other.csv", month_file()))
    assert (again.unchanged, again.same) == (True, (("other.csv", "2018-04.csv"),))
    assert state_of(ground.settings.raw) == before


YOUTH = "youth_offending"
YOUTH_FILE = (
    RAW / YOUTH / "2018-10-01" / ("cambridgeshire-youth-offending-service-2018-10-to-2018-12.csv")
)


def corrected(path: Path) -> str:
    """The file without its last row, as a correction may have it."""
    return "".join(path.read_text(encoding="utf-8").splitlines(keepends=True)[:-1])


@pytest.mark.parametrize(
    ("source", "quarter", "first", "name", "content", "words"),
    [
        (STREET, "2018-04-01", month_file(), NAME, month_file(rows=9), "the same name"),
        (STREET, "2018-04-01", month_file(), "copy of x.csv", month_file(rows=9),
         "both hold Cambridgeshire Constabulary 2018-04-01"),
        (YOUTH, "2018-10-01", YOUTH_FILE.read_bytes().decode(), "youth (1).csv",
         corrected(YOUTH_FILE),
         "both hold Cambridgeshire 2018-10-01"),
        # Neither can be read: the name has to do.
        (STREET, "2018-04-01", "broken", f"Copy of {NAME}", "also broken", "by its name"),
    ],
)  # fmt: skip
def test_a_file_that_takes_anothers_place_is_named_and_confirmed(
    ground: Ground, tmp_path: Path, source: str, quarter: str, first: str, name: str, content: str,
    words: str,
) -> None:  # fmt: skip
    landed(ground, source, quarter, given(tmp_path, NAME, first))
    before = state_of(ground.settings.raw)
    correction = given(tmp_path, name, content)
    with pytest.raises(ReplacementError, match=rf"{re.escape(name)} replaces {NAME}.*{words}"):
        landed(ground, source, quarter, correction)
    with pytest.raises(ReplacementError, match="--replace"):
        landed(ground, source, quarter, correction, replace=["another.csv"])
    assert state_of(ground.settings.raw) == before
    done = landed(ground, source, quarter, correction, replace=[NAME])
    assert [one.old for one in done.replaced] == [NAME]
    assert held(ground, source, quarter) == [name]
    (kept,) = (ground.settings.raw / source / ".superseded").iterdir()
    assert (kept / NAME).read_bytes().decode() == first


def test_a_replacement_says_what_only_the_old_file_holds(ground: Ground, tmp_path: Path) -> None:
    both = street_file([street_row("2018-04"), street_row("2018-05", number=2)])
    landed(ground, STREET, "2018-04-01", given(tmp_path, "two.csv", both))
    april = given(tmp_path, "april.csv", month_file("2018-04", 3))
    with pytest.raises(
        ReplacementError, match=r"april.csv replaces two.csv, 2 rows .*only two.csv holds .*2018-05"
    ):
        landed(ground, STREET, "2018-04-01", april)


def test_late_rows_are_added_beside_the_others(ground: Ground, tmp_path: Path) -> None:
    landed(ground, YOUTH, "2018-10-01", YOUTH_FILE)
    header, row, *_ = YOUTH_FILE.read_bytes().decode().splitlines()
    reference = row.split(",")[header.split(",").index("Young person ID")]
    late = f"{header}\n{row.replace(reference, '999999')}\n"
    done = landed(ground, YOUTH, "2018-10-01", given(tmp_path, "late.csv", late))
    assert done.added == ("late.csv",)
    assert "late.csv holds rows of the same period and supplier as" in done.notes[0]


def test_a_whole_delivery_says_what_it_drops(ground: Ground, tmp_path: Path) -> None:
    april = given(tmp_path, "april.csv", month_file("2018-04"))
    landed(ground, STREET, "2018-04-01", april)
    may = given(tmp_path, "may.csv", month_file("2018-05", 3))
    done = landed(ground, STREET, "2018-04-01", may, whole=True)
    assert done.dropped == (("april.csv", 10),)
    assert held(ground, STREET, "2018-04-01") == ["may.csv"]


def test_a_file_that_returns_under_another_name_is_not_lost(ground: Ground, tmp_path: Path) -> None:
    landed(ground, STREET, "2018-04-01", given(tmp_path, "a.csv", month_file("2018-04")))
    moved = given(tmp_path, "b.csv", month_file("2018-04"))
    other = given(tmp_path, "a.csv", month_file("2018-05"))
    landed(ground, STREET, "2018-04-01", moved, other, replace=True)
    assert held(ground, STREET, "2018-04-01") == ["a.csv", "b.csv"]


def test_files_put_there_by_hand_are_kept_and_named(ground: Ground, tmp_path: Path) -> None:
    ground.put(STREET, "2018-04-01", {"by-hand.csv": month_file("2018-04")})
    may = given(tmp_path, "may.csv", month_file("2018-05"))
    done = landed(ground, STREET, "2018-04-01", may)
    assert "by-hand.csv (10 rows) was put into the delivery by hand" in done.notes[0]
    assert held(ground, STREET, "2018-04-01") == ["by-hand.csv", "may.csv"]
    ground.put(STREET, "2018-04-01", {"later.csv": month_file("2018-06", 4)})
    assert "matches its receipt" in str(ground.load(STREET).outcomes[0].reason)
    july = given(tmp_path, "march.csv", month_file("2018-03"))
    assert "later.csv (4 rows) was put" in landed(ground, STREET, "2018-04-01", july).notes[0]
    (outcome,) = ground.load(STREET).outcomes
    assert (outcome.state, outcome.rows_loaded) == ("loaded", 34)


@pytest.mark.parametrize("what", ["changed by hand", "no longer in the folder"])
def test_no_receipt_is_written_over_files_that_were_altered(
    ground: Ground, tmp_path: Path, what: str
) -> None:
    april = given(tmp_path, "april.csv", month_file("2018-04"))
    landed(ground, STREET, "2018-04-01", april, given(tmp_path, "x.csv", month_file("2018-03")))
    folder = ground.settings.raw / STREET / "2018-04-01"
    if what == "changed by hand":
        (folder / "april.csv").write_text(month_file("2018-04", 2))
    else:
        (folder / "april.csv").unlink()
    may = given(tmp_path, "may.csv", month_file("2018-05"))
    with pytest.raises(LandingError, match=f"april.csv is on the receipt .* {what}"):
        landed(ground, STREET, "2018-04-01", may)
    landed(ground, STREET, "2018-04-01", april, may, replace=True)
    assert held(ground, STREET, "2018-04-01") == ["april.csv", "may.csv", "x.csv"]


@pytest.mark.parametrize("how", ["landed again", "without a receipt", "put back"])
def test_a_file_altered_by_hand_is_loaded_once_its_receipt_fits(
    ground: Ground, tmp_path: Path, how: str
) -> None:
    april = given(tmp_path, "april.csv", month_file("2018-04"))
    folder = landed(ground, STREET, "2018-04-01", april).delivery.folder
    altered = given(tmp_path, "altered.csv", month_file("2018-04", 7))
    (folder / "april.csv").write_bytes(altered.read_bytes())
    (refused,) = ground.load(STREET).outcomes
    assert (refused.state, "matches its receipt" in str(refused.reason)) == ("refused", True)
    assert [one.state for one in ground.load(STREET).still_refused] == ["refused"]
    if how == "landed again":
        landed(ground, STREET, "2018-04-01", altered, whole=True)
    elif how == "without a receipt":
        (folder / "delivery.json").unlink()
    else:
        (folder / "april.csv").write_bytes(april.read_bytes())
    (outcome,) = ground.load(STREET).outcomes
    rows = 10 if how == "put back" else 7
    assert (outcome.state, outcome.rows_loaded) == ("loaded", rows)


def test_a_file_in_transfer_holds_up_the_landing(ground: Ground, tmp_path: Path) -> None:
    ground.put(STREET, "2018-04-01", {"big.csv.part": "Crime"})
    with pytest.raises(LandingError, match=r"big\.csv\.part is being transferred"):
        landed(ground, STREET, "2018-04-01", given(tmp_path, "may.csv", month_file("2018-05")))
    assert (ground.settings.raw / STREET / "2018-04-01" / "big.csv.part").exists()


def test_an_unreadable_receipt_is_replaced_by_a_whole_delivery(
    ground: Ground, tmp_path: Path
) -> None:
    folder = ground.put(STREET, "2018-04-01", {"a.csv": month_file()})
    (folder / "delivery.json").write_text("no receipt")
    may = given(tmp_path, "may.csv", month_file("2018-05"))
    with pytest.raises(LandingError, match="--whole"):
        landed(ground, STREET, "2018-04-01", may)
    assert landed(ground, STREET, "2018-04-01", may, whole=True).dropped == (("a.csv", 10),)
    assert held(ground, STREET, "2018-04-01") == ["may.csv"]


def test_claims_are_on_the_receipt_and_make_a_version(ground: Ground, tmp_path: Path) -> None:
    april = given(tmp_path, "april.csv", month_file("2018-04"))
    landed(ground, STREET, "2018-04-01", april)
    ground.load(STREET)
    done = landed(ground, STREET, "2018-04-01", april, covers=parse_covers("2018-04", "2018-05"))
    text = (done.delivery.folder / "delivery.json").read_text()
    assert '"covers": {\n    "from": "2018-04-01",\n    "to": "2018-05-31"\n  }' in text
    assert [one.version for one in ground.load(STREET).outcomes] == [2]
    june = given(tmp_path, "june.csv", month_file("2018-06"))
    kept = landed(ground, STREET, "2018-04-01", june)
    assert str(kept.delivery.receipt and kept.delivery.receipt.covers) == "2018-04-01 to 2018-05-31"
    assert any("--covers" in note for note in kept.notes)
    more = parse_covers("Q1 2018/19", "Q1 2018/19")
    july = given(tmp_path, "july.csv", month_file("2018-07"))
    wider = landed(ground, STREET, "2018-04-01", july, covers=more)
    assert str(wider.delivery.receipt and wider.delivery.receipt.covers) == (
        "2018-04-01 to 2018-06-30"
    )


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [("spring", "2018-05", "'spring'"), ("2018-05", "2018-04", "comes before")],
)
def test_wrong_claims_are_refused(first: str, last: str, words: str) -> None:
    with pytest.raises(LandingError, match=words):
        parse_covers(first, last)


def test_natures_that_differ_make_a_delivery_synthetic(ground: Ground, tmp_path: Path) -> None:
    april = given(tmp_path, "april.csv", month_file("2018-04"))
    real = Receipt(source=STREET, quarter=QUARTER, received_at=NOW, nature="real", note="a")
    land(ground.settings.raw, ground.contract(STREET), QUARTER, [april], real)
    may = given(tmp_path, "may.csv", month_file("2018-05"))
    done = landed(ground, STREET, "2018-04-01", may, note="b")
    assert done.delivery.receipt
    assert (done.delivery.nature, done.delivery.receipt.note) == ("synthetic", "a; b")
    assert "all of it is marked synthetic" in done.notes[0]


def test_command_names_what_it_replaces_and_lists_the_delivery(
    csp: Any, ground: Ground, tmp_path: Path
) -> None:
    april = given(tmp_path, "april [final].csv", month_file("2018-04"))
    places = {"CSP_HOME": str(ground.settings.home), "CSP_RAW": str(ground.settings.raw)}

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        done = csp("land", STREET, "2018-04-01", *(str(one) for one in arguments), **places)
        assert isinstance(done, subprocess.CompletedProcess)
        return done

    assert run(april).returncode == 0
    april.write_text(month_file("2018-04", 7))
    before = state_of(ground.settings.raw)
    refused = run(april, given(tmp_path, "may.csv", month_file("2018-05", 3)))
    assert refused.returncode == 1
    assert "april [final].csv replaces april [final].csv, 10 rows" in refused.stderr
    assert state_of(ground.settings.raw) == before
    done = run(april, tmp_path / "given" / "may.csv", "--replace")
    assert done.returncode == 0
    assert "april [final].csv  7 rows, added" in done.stdout
    assert "may.csv  3 rows, added" in done.stdout
    assert "may.csv: its bytes had landed before" in run(tmp_path / "given" / "may.csv").stdout
    broken = given(tmp_path, "june.csv", "Crime ID,Month\r\n1,2018-06\r\n")
    assert "Would be refused" in run(broken).stdout
    assert "A refresh would refuse this file" in run(broken, "--no-check").stdout


# --- two at once, and killed ones ------------------------------------------------------------


def _land_in_child(raw: Path, path: Path, start: Any, codes: Any) -> None:
    start.wait()
    contract = load_contracts()[STREET]
    land(raw, contract, QUARTER, [path], receipt())
    codes.put(0)


@pytest.mark.slow
def test_landings_at_the_same_moment_all_survive(ground: Ground, tmp_path: Path) -> None:
    months = ["2018-04", "2018-05", "2018-06", "2018-03"]
    files = [given(tmp_path, f"{month}.csv", month_file(month, 3)) for month in months]
    fork = multiprocessing.get_context("fork")
    for race in range(20):
        raw = tmp_path / f"raw-{race}"
        start, codes = fork.Barrier(len(files)), fork.Queue()
        children = [
            fork.Process(target=_land_in_child, args=(raw, file, start, codes)) for file in files
        ]
        for child in children:
            child.start()
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0] * len(files)
        found = read_delivery(raw, ground.contract(STREET), QUARTER)
        assert found
        assert [file.name for file in found.files] == sorted(f"{month}.csv" for month in months)
        assert found.receipt
        assert len(found.receipt.files) == len(files)


def test_a_refresh_completes_a_killed_landing_and_says_so(ground: Ground) -> None:
    folder = ground.put(STREET, "2018-04-01", {NAME: month_file()})
    (folder.parent / ".ready").mkdir()
    folder.rename(folder.parent / ".ready" / "2018-04-01")
    report = ground.load(STREET)
    assert report.total("rows_loaded") == 10
    assert "was cut short. It has been completed" in str(report.warnings[0])

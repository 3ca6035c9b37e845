"""Deliveries as they are downloaded: archives, files of the system, other extracts beside them."""

import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

import orchestration.ingest.reading.delivery_archives as unpacking
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.landing.receipt import delivered_files, is_system_file
from tests.corpus.good import good_deliveries
from tests.support import Ground, messages, month_file
from tests.test_workbook_cells import check

STREET = "2018-04-cambridgeshire-street.csv"
OUTCOMES = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Outcome type\r\nx,2018-04,F,F,,,,,,Unknown\r\n"
)
SEARCHES = "Type,Date,Object of search,Outcome\r\nPerson search,2018-04-02,Drugs,Nothing\r\n"


def archived(files: dict[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def as_downloaded(folder: str = "2018-04/") -> dict[str, str | bytes]:
    return {
        f"{folder}{STREET}": month_file(),
        f"{folder}2018-04-cambridgeshire-outcomes.csv": OUTCOMES,
        f"{folder}2018-05-cambridgeshire-outcomes.csv": OUTCOMES,
        f"{folder}2018-04-cambridgeshire-stop-and-search.csv": SEARCHES,
        f"{folder}Thumbs.db": b"\x00\x01",
        f"{folder}desktop.ini": "[.ShellClassInfo]",
    }


def said(ground: Ground, source: str = "police_uk_street") -> tuple[str, str]:
    (outcome,) = ground.load(source).outcomes
    return outcome.state, " ".join(map(str, [*outcome.faults, *outcome.warnings]))


@pytest.mark.parametrize("packed", [False, True])
def test_a_street_set_is_read_and_the_rest_left_out_by_kind(ground: Ground, packed: bool) -> None:
    files = as_downloaded("" if not packed else "2018-04/")
    ground.put("police_uk_street", "2018-04-01", {"a.zip": archived(files)} if packed else files)
    state, words = said(ground)
    assert state == "loaded", words
    assert ground.value("select count(*) from raw.police_uk_street") == 10
    assert "2 files of outcomes" in words
    assert "1 file of stop and search" in words
    assert "2 files of the operating system" in words


def test_what_a_file_is_of_is_said_by_its_headings_first(ground: Ground) -> None:
    files: dict[str, str | bytes] = {
        "a-outcomes.csv": month_file(),
        "b.csv": OUTCOMES,
        "c-outcomes.csv": "",
    }
    ground.put("police_uk_street", "2018-04-01", files)
    state, words = said(ground)
    assert (state, ground.value("select count(*) from raw.police_uk_street")) == ("loaded", 10)
    assert "2 files of outcomes" in words


def test_rows_of_an_archive_are_traced_to_its_file_and_checksum(ground: Ground) -> None:
    content = archived({f"2018-04/{STREET}": month_file(), "__MACOSX/._x": b"\x00"})
    folder = ground.put("police_uk_street", "2018-04-01", {"a.zip": content})
    ground.load("police_uk_street")
    ((name, digest, rows),) = ground.query(
        "select file_name, sha256, rows_loaded from control.files"
    )
    assert (name, rows) == (f"a.zip/2018-04/{STREET}", 10)
    assert digest == hashlib.sha256((folder / "a.zip").read_bytes()).hexdigest()
    assert ground.value("select max(_line) from raw.police_uk_street_lines") == 11
    assert not list(ground.settings.home.glob(".unpacked-*"))
    assert ground.load("police_uk_street").unchanged == 1


def test_a_refused_row_of_an_archive_is_named_within_it(ground: Ground) -> None:
    rows = month_file(rows=400).replace("Shoplifting", "Jaywalking", 1)
    ground.put("police_uk_street", "2018-04-01", {f"{STREET}.gz": gzip.compress(rows.encode())})
    ground.load("police_uk_street")
    found = ground.query(
        "select file_name, line, value from quarantine.refused_rows join control.files "
        "using (file_id)"
    )
    assert found == [(f"{STREET}.gz/{STREET}", 2, "Jaywalking")]


@pytest.mark.slow
def test_the_files_of_every_source_may_come_in_an_archive(tmp_path: Path) -> None:
    for good in good_deliveries():
        folder = tmp_path / f"{good.source}-{good.kind}"
        folder.mkdir()
        whole = good.bytes()
        stem = Path(good.name).stem.replace("_", "-")
        plain = check(folder, good.source, **{f"{stem}_{good.kind}": whole})
        packed = check(folder, good.source, a_zip=archived({f"x/{good.name}": whole}))
        gz = check(folder, good.source, **{f"{stem}.{good.kind}_gz": gzip.compress(whole)})
        for outcome in (packed, gz):
            assert (outcome.state, outcome.rows_loaded, len(outcome.warnings)) == (
                plain.state,
                plain.rows_loaded,
                len(plain.warnings),
            ), (good.source, outcome.reason)


def test_two_archives_and_a_plain_file_make_one_delivery(ground: Ground) -> None:
    ground.put(
        "police_uk_street",
        "2018-04-01",
        {
            "a.zip": archived({"x.csv": month_file("2018-04")}),
            "b.zip": archived({"inner.zip": archived({"x.csv": month_file("2018-05")})}),
            "c.csv": month_file("2018-06"),
        },
    )
    assert said(ground)[0] == "loaded"
    assert ground.query("select file_name from control.files order by 1") == [
        ("a.zip/x.csv",),
        ("b.zip/inner.zip/x.csv",),
        ("c.csv",),
    ]
    assert ground.value("select count(distinct month) from raw.police_uk_street") == 3


def _locked() -> bytes:
    content = bytearray(archived({"a.csv": month_file()}))
    for sign, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(sign) + place] |= 1
    return bytes(content)


WORKBOOK = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>"}

BROKEN: dict[str, tuple[str, bytes, str]] = {
    "empty": ("a.zip", b"", "can be opened"),
    "cut short": ("a.zip", archived(as_downloaded())[:-900], "can be opened"),
    "not a zip": ("a.zip", b"hello" * 100, "can be opened"),
    "not a gz": ("a.csv.gz", b"hello" * 100, "can be opened"),
    "cut-short gz": ("a.csv.gz", gzip.compress(month_file().encode())[:-30], "can be opened"),
    "a password": ("a.zip", _locked(), "is not locked"),
    "nothing in it": ("a.zip", archived({}), "has a file to read"),
    "only a licence": ("a.zip", archived({"LICENCE.txt": "x"}), "has a file to read"),
    "only outcomes": ("a.zip", archived({"b-outcomes.csv": OUTCOMES}), "has a file to read"),
    "data of another kind": (
        "a.zip",
        archived({"a.csv": month_file(), "b.xlsx": b"x"}),
        "is of the agreed kind",
    ),
    "a workbook": ("a.zip", archived({**WORKBOOK}), "is of the agreed kind"),
    "a broken file": ("a.zip", archived({"a.csv": "x,y\r\n1,2\r\n"}), "has a header"),
    "archives in archives": (
        "a.zip",
        archived({"b.zip": archived({"c.zip": archived({"d.csv": month_file()})})}),
        "is of the agreed kind",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_an_archive_of_no_use_is_refused_by_name(ground: Ground, case: str) -> None:
    name, content, rule = BROKEN[case]
    ground.put("police_uk_street", "2018-04-01", {name: content})
    report = ground.load("police_uk_street")
    assert [outcome.state for outcome in report.outcomes] == ["refused"]
    assert all(name in one for one in messages(report))
    assert any(f"[rule: {rule}]" in one for one in messages(report)), messages(report)
    assert ground.value("select count(*) from raw.police_uk_street") == 0
    assert ground.load("police_uk_street").still_refused


def test_an_archive_beyond_the_limits_is_refused(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_MOST_BYTES", 1 << 16)
    bomb = archived({"a.csv": "0" * (1 << 20)})
    assert len(bomb) < 1 << 12
    ground.put("police_uk_street", "2018-04-01", {"a.zip": bomb})
    monkeypatch.setattr(unpacking, "_MOST_MEMBERS", 3)
    ground.put("police_uk_street", "2018-01-01", {"b.zip": archived(as_downloaded())})
    report = ground.load("police_uk_street")
    assert [one.state for one in report.outcomes] == ["refused", "refused"]
    assert all("is of a reasonable size" in one for one in messages(report))


def test_nothing_is_written_where_an_archive_says(ground: Ground, tmp_path: Path) -> None:
    names = ["../../evil.csv", "/tmp/evil-of-csp.csv", "a\\..\\..\\evil.csv"]
    files: dict[str, str | bytes] = {
        name: month_file(f"2018-0{number}") for number, name in enumerate(names, start=4)
    }
    ground.put("police_uk_street", "2018-04-01", {"a.zip": archived(files)})
    assert said(ground)[0] == "loaded"
    assert not list(tmp_path.rglob("evil*")) and not Path("/tmp/evil-of-csp.csv").exists()
    shown = {name for (name,) in ground.query("select file_name from control.files")}
    assert shown == {"a.zip/evil.csv", "a.zip/tmp/evil-of-csp.csv", "a.zip/a/evil.csv"}


def test_files_of_the_system_do_not_change_a_delivery(ground: Ground) -> None:
    folder = ground.put("police_uk_street", "2018-04-01", {STREET: month_file()})
    ground.load("police_uk_street")
    (folder / "Thumbs.db").write_bytes(b"\x00")
    (folder / "~$notes.xlsx").write_bytes(b"\x00")
    (folder / "__MACOSX").mkdir()
    (folder / "__MACOSX" / "._a.csv").write_bytes(b"\x00")
    assert [name for name, _ in delivered_files(folder)] == [STREET]
    assert ground.load("police_uk_street").unchanged == 1


def test_a_suppliers_file_is_none_of_the_system() -> None:
    names = ["a.csv", "thumbs.csv", "x/desktop.csv", "macosx/a.csv"]
    assert not any(map(is_system_file, names))
    assert all(map(is_system_file, ["X/Thumbs.DB", "__MACOSX/a.csv", "~$a.xlsx", ".DS_Store"]))


def test_land_and_check_take_archives_and_leave_system_files(
    csp: Callable[..., CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "a.zip").write_bytes(archived(as_downloaded()))
    (tmp_path / "Thumbs.db").write_bytes(b"\x00")
    paths = [str(tmp_path / name) for name in ("a.zip", "Thumbs.db")]
    done = csp("check", "police_uk_street", *paths, "--report", str(tmp_path / "report"))
    assert (done.returncode, "all 10 rows" in done.stdout) == (0, True), done.stdout + done.stderr
    done = csp(
        "land", "police_uk_street", "2018-04-01", *paths,
        CSP_RAW=str(tmp_path / "raw"), CSP_HOME=str(tmp_path / "var"),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    landed = tmp_path / "raw" / "police_uk_street" / "2018-04-01"
    assert sorted(path.name for path in landed.iterdir()) == ["a.zip", "delivery.json"]
    assert "Thumbs.db" in " ".join(done.stdout.split())


def test_every_pattern_of_files_beside_a_source_is_another_kind() -> None:
    for contract in load_contracts().values():
        for beside in contract.beside:
            assert not set(beside.headings) & contract.by_header.keys()

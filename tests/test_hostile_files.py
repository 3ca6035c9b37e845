"""Files that break a reader, take all memory or never end are refused by name, and stop nothing."""

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.ingest.checking.contract import Contract, contract_of
from orchestration.ingest.checking.delivery_check import check_in
from orchestration.ingest.checking.faults import SubmissionError
from orchestration.ingest.checking.rule_codes import code_of
from orchestration.ingest.landing import delivery_discovery
from orchestration.ingest.landing.landing_zone import landed_file
from orchestration.ingest.loading.outcomes import Outcome
from orchestration.ingest.reading import csv_integrity, reading_limits
from orchestration.ingest.reading.isolated_reading import ReadFile, read_isolated
from tests.support import Ground
from tests.test_workbook_cells import QUESTIONS, survey
from tests.workbooks import Raw, ods, xls, xlsx

MEMORY = "384MiB"
"""DuckDB's limit in these tests; a reading gets two thirds of it."""


@pytest.fixture
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1, "memory_limit": MEMORY}) as connection:
        yield connection


# --- generators ------------------------------------------------------------------------------


def far_cell(element: str) -> bytes:
    """A survey of one answer with an element more in its last row."""
    return xlsx({"Responses": [["Fenland Community Safety survey"], [], QUESTIONS, [Raw(element)]]})


def moved_part(content: bytes) -> bytes:
    """The workbook with its sheets in another folder than usual."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for part in old.namelist():
            text = old.read(part).replace(b"worksheets/", b"pages/")
            new.writestr(part.replace("worksheets/", "pages/"), text)
    return out.getvalue()


def unnamed_cells(row: int, cells: int, element: str) -> bytes:
    """A workbook with a row of many cells that do not say where they are."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(survey())) as old, zipfile.ZipFile(out, "w", 8) as new:
        for part in old.namelist():
            text = old.read(part)
            if part.endswith("sheet1.xml"):
                many = f'<row r="{row}">{element * cells}</row></sheetData>'
                text = text.replace(b"</sheetData>", many.encode())
            new.writestr(part, text)
    return out.getvalue()


def spaces(count: int) -> bytes:
    cell = f'<table:table-cell office:value-type="string"><text:p>a<text:s text:c="{count}"/>b'
    return ods({"Responses": [["Title"], QUESTIONS, [Raw(f"{cell}</text:p></table:table-cell>")]]})


def repeated(columns: int, rows: int) -> bytes:
    cell = (
        f'<table:table-cell table:number-columns-repeated="{columns}" office:value-type="string">'
        "<text:p>x</text:p></table:table-cell></table:table-row>"
        f'<table:table-row table:number-rows-repeated="{rows}"><table:table-cell '
        f'table:number-columns-repeated="{columns}" office:value-type="string"><text:p/>'
        "</table:table-cell>"
    )
    return ods({"Responses": [["Title"], QUESTIONS, [Raw(cell)]]})


def xls_with(record: int, place: int, form: str, value: int) -> bytes:
    """An XLS with a number within its first record of a kind replaced."""
    content = bytearray(xls({"Responses": [["Title"], QUESTIONS, ["a"] * 11]}))
    start = content.index(b"\x09\x08\x10\x00\x00\x06")  # the first BOF
    while start + 4 < len(content):
        kind, length = struct.unpack_from("<HH", content, start)
        if kind == record:
            struct.pack_into(form, content, start + 4 + place, value)
            return bytes(content)
        start += 4 + length
    raise AssertionError("no such record")


def geojson(properties: str) -> bytes:
    feature = f'{{"type": "Feature", "geometry": null, "properties": {{{properties}}}}}'
    return f'{{"type": "FeatureCollection", "features": [{feature}]}}'.encode()


AREA = '"LSOA11CD": "E01018058", "LSOA11NM": "Fenland 008A", "LAD17CD": "E07000010"'
SURVEY: dict[str, Callable[[], bytes]] = {
    "last cell.xlsx": lambda: far_cell('<c r="XFD1048576"><v>1</v></c>'),
    "last cell without a value.xlsx": lambda: far_cell('<c r="XFD1048576" t="str"><v></v></c>'),
    "line break before the attribute.xlsx": lambda: far_cell('<c\nr="XFD1048576"><v>1</v></c>'),
    "other part.xlsx": lambda: moved_part(far_cell('<c r="XFD1048576" t="str"><v/></c>')),
    "unnamed cells.xlsx": lambda: unnamed_cells(1_048_576, 16_384, "<c><v>1</v></c>"),
    "unnamed blanks.xlsx": lambda: unnamed_cells(1_048_576, 16_384, '<c t="str"><v></v></c>'),
    "beyond the last column.xlsx": lambda: far_cell('<c r="ZZZZZZZ99999999999"><v>1</v></c>'),
    "two billion spaces.ods": lambda: spaces(2_000_000_000),
    "spaces beyond a number.ods": lambda: spaces(10**30),
    "repeated.ods": lambda: repeated(16_384, 1_048_576),
    "vast dimensions.xls": lambda: xls_with(0x0200, 4, "<I", 0x7FFFFFFF),
    "vast columns.xls": lambda: xls_with(0x0200, 10, "<H", 0xFFFF),
    "vast strings.xls": lambda: xls_with(0x00FC, 4, "<I", 0x7FFFFFFF),
    "long string.xls": lambda: xls_with(0x00FC, 8, "<H", 0xFFFF),
    "six thousand digits.xlsx": lambda: survey(Raw(f'<c r="{{r}}"><v>{"9" * 6000}</v></c>')),
    "huge exponent.xlsx": lambda: survey(Raw('<c r="{r}"><v>1e99999</v></c>')),
    "day beyond the calendar.xlsx": lambda: survey(Raw('<c r="{r}" s="1"><v>9999999</v></c>')),
    "day before the calendar.xlsx": lambda: survey(Raw('<c r="{r}" s="1"><v>-800000</v></c>')),
    "not a number.xlsx": lambda: survey(Raw('<c r="{r}"><v>NaN</v></c>')),
}
LOOKUP: dict[str, Callable[[], bytes]] = {
    "lone surrogate": lambda: geojson(AREA + ', "LAD17NM": "\\ud800"'),
    "lone surrogate in a heading": lambda: geojson(AREA + ', "\\udfff": "x"'),
    "six thousand digits": lambda: geojson(f'{AREA}, "LAD17NM": {"9" * 6000}'),
    "not a number": lambda: geojson(AREA + ', "LAD17NM": NaN'),
    "infinity": lambda: geojson(AREA + ', "LAD17NM": -Infinity'),
    "deep": lambda: geojson(f'{AREA}, "x": {"[" * 200_000}{"]" * 200_000}'),
    "deep objects": lambda: b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a list": lambda: b'[{"features": []}]',
    "features by name": lambda: b'{"features": {"properties": 1}}',
    "a number": lambda: b"1",
    "zeros": lambda: geojson(AREA + ', "LAD17NM": "\\u0000"'),
    "UTF-16": lambda: geojson(AREA).decode().encode("utf-16"),
}


def outcome_of(
    engine: duckdb.DuckDBPyConnection, folder: Path, contract: Contract, name: str, content: bytes
) -> Outcome:
    """Check one file; where it is refused, its name and a listed rule must be said."""
    path = folder / name
    path.write_bytes(content)
    outcome = check_in(engine, contract, [path])
    if outcome.state == "refused":
        # Of a source about people, a name that may be a person's is not shown.
        places = (name, f"file 1 (a name of {len(name)} characters")
        assert all((fault.file or "").startswith(places) for fault in outcome.faults)
        assert all(code_of(fault.rule) != "X00" for fault in outcome.faults)
        assert any(place in str(outcome.reason) for place in places)
    return outcome


@pytest.mark.parametrize("name", SURVEY)
def test_a_hostile_workbook_is_refused_by_name(
    name: str, tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    # A workbook is known by its content, whatever its name.
    contract = contract_of("community_survey")
    outcome = outcome_of(engine, tmp_path, contract, f"{name}.xlsx", SURVEY[name]())
    loads = ("day", "huge", "not a number", "six thousand")
    assert outcome.state == "refused" or name.startswith(loads), outcome


@pytest.mark.parametrize("name", LOOKUP)
def test_a_hostile_geojson_is_loaded_or_refused_by_name(
    name: str, tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    outcome = outcome_of(engine, tmp_path, contract_of("area_lookups"), "a.geojson", LOOKUP[name]())
    assert (outcome.state == "loaded") == (name == "lone surrogate in a heading")


# --- how a reading may end -------------------------------------------------------------------

READER = """
import ctypes, os, signal, sys, time
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.reading.source_reading import Reading, Row
def read(file):
    {body}
    return Reading([Row({{"population": "7"}}, 2)])
"""
ENDINGS = {
    "takes all memory": ("held = bytearray(1 << 40)", "F06"),
    "takes memory for ever": (
        "held = []\n    while True: held.append(bytearray(1 << 24))",
        "F06",
    ),
    "breaks off for want of memory": (
        "os.write(2, b'memory allocation of 549755813888 bytes failed'); os.abort()",
        "F06",
    ),
    "breaks off": ("os.abort()", "F01"),
    "touches what is not its own": ("ctypes.string_at(0)", "F01"),
    "never ends": ("while True: pass", "F06"),
    "waits for ever": ("time.sleep(1000)", "F06"),
    "ends at once": ("os._exit(0)", "F01"),
    "leaves": ("sys.exit(0)", "F02"),
    "raises": ("raise ValueError('9912399Q')", "F02"),
    "calls itself": ("read(file)", "F02"),
    "panics": ("raise type('PanicException', (BaseException,), {})('9912399Q')", "F02"),
    "writes without end": ("open(file.path.parent / 'big', 'wb').write(bytes(9 << 28))", "F06"),
    "refuses": ("raise SubmissionError(Fault('has rows', 'None \\ud800.', file=file.name))", "S13"),
}


def read_by(
    body: str, folder: Path, monkeypatch: pytest.MonkeyPatch, memory: int = 200 << 20
) -> ReadFile:
    """Read a file by a reader with this body, within a second of processor time."""
    monkeypatch.setattr(reading_limits, "_CPU_SECONDS", 1)
    monkeypatch.setattr(reading_limits, "_WAIT_FACTOR", 3)
    (folder / "reader.py").write_text(READER.format(body=body))
    contract = contract_of("population_estimates").model_copy(update={"folder": folder})
    path = folder / "a.xlsx"
    path.write_bytes(b"x")
    return read_isolated(landed_file(path, path.name, {}), contract, folder, memory)


@pytest.mark.parametrize("how", ENDINGS)
def test_every_end_of_a_reading_is_a_refusal(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body, code = ENDINGS[how]
    with pytest.raises(SubmissionError) as caught:
        read_by(body, tmp_path, monkeypatch)
    (fault,) = caught.value.faults
    assert (code_of(fault.rule), fault.file) == (code, "a.xlsx")
    assert "9912399Q" not in str(fault)
    str(fault).encode()
    assert read_by("pass", tmp_path, monkeypatch).rows == 1


def test_a_reading_has_no_secrets_and_leaves_no_core(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_PSEUDONYM_KEY", "a key of many letters")
    body = (
        "import resource, json\n"
        "    core, _ = resource.getrlimit(resource.RLIMIT_CORE)\n"
        "    said = [core, 'CSP_PSEUDONYM_KEY' in os.environ]\n"
        "    (file.path.parent / 'said').write_text(json.dumps(said))"
    )
    # The process of this program may have been started before the key was set.
    import orchestration.ingest.reading.isolated_reading as isolated

    isolated._reading_process.cache_clear()
    read_by(body, tmp_path, monkeypatch)
    isolated._reading_process.cache_clear()
    assert json.loads((tmp_path / "said").read_text()) == [0, False]


def test_a_hostile_delivery_leaves_the_others_alone(ground: Ground) -> None:
    """Quarter after quarter: the file is named once, and nothing of it is loaded."""
    ground.put("community_survey", "2018-04-01", {"a.xlsx": SURVEY["last cell.xlsx"]()})
    ground.put("community_survey", "2018-10-01", {"b.xlsx": survey()})
    report = ground.load("community_survey", "2018-10-01")
    assert [one.state for one in report.outcomes] == ["refused", "loaded"]
    assert "a.xlsx" in str(report.outcomes[0].reason)
    again = ground.load("community_survey", "2018-10-01")
    assert ([*again.outcomes], len(again.still_refused)) == ([], 1)
    assert ground.value("select count(*) from raw.community_survey") == 80
    assert not list(ground.settings.home.glob(".unpacked-*"))


def test_a_file_that_took_too_much_memory_is_read_again_with_more(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.put("community_survey", "2018-10-01", {"a.xlsx": survey()})
    with monkeypatch.context() as patched:
        patched.setattr(delivery_discovery, "reading_memory", lambda connection: 1)
        (refused,) = ground.load("community_survey", "2018-10-01").outcomes
        assert [code_of(fault.rule) for fault in refused.faults] == ["F06"]
        assert len(ground.load("community_survey", "2018-10-01").still_refused) == 1
    (loaded,) = ground.load("community_survey", "2018-10-01").outcomes
    assert (loaded.state, loaded.version, loaded.rows_loaded) == ("loaded", 2, 80)


def test_the_reading_process_ends_with_its_caller(tmp_path: Path) -> None:
    """A killed refresh leaves no process behind, not even one in the middle of a file."""
    (tmp_path / "reader.py").write_text(
        READER.format(
            body="(file.path.parent / 'pid').write_text(str(os.getpid())); time.sleep(99)"
        )
    )
    (tmp_path / "a.xlsx").write_bytes(b"x")
    program = (
        "import sys\n"
        "from pathlib import Path\n"
        "from orchestration.ingest.checking.contract import contract_of\n"
        "from orchestration.ingest.landing.landing_zone import landed_file\n"
        "from orchestration.ingest.reading.isolated_reading import read_isolated\n"
        "folder = Path(sys.argv[1])\n"
        "contract = contract_of('population_estimates').model_copy(update={'folder': folder})\n"
        "read_isolated(landed_file(folder / 'a.xlsx', 'a.xlsx', {}), contract, folder, 1 << 28)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(tmp_path)]) as caller:
        pid = _waited_for(tmp_path / "pid")
        caller.send_signal(signal.SIGKILL)
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    raise AssertionError("the reading went on without its caller")


def _waited_for(path: Path) -> int:
    for _ in range(600):
        if path.exists() and (text := path.read_text()):
            return int(text)
        time.sleep(0.05)
    raise AssertionError("the reading did not start")


# --- archives and long lines -----------------------------------------------------------------


def vast_directory(larger: bool) -> bytes:
    """An archive that says that the list of its members takes two gigabytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", "a,b\r\n1,2\r\n")
    content = bytearray(out.getvalue())
    end = len(content) - 22
    if not larger:
        struct.pack_into("<L", content, end + 12, 2 << 30)
        return bytes(content)
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, 1, 1, 2 << 30, 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    return bytes(content[:end]) + record + locator + bytes(content[end:])


def misplaced() -> bytes:
    """An archive whose member lies before its start."""
    content = bytearray(archive_of(zipfile.ZIP_DEFLATED))
    (place,) = struct.unpack_from("<L", content, len(content) - 6)
    struct.pack_into("<L", content, len(content) - 6, place + 1000)
    return bytes(content)


def archive_of(method: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("a.csv", "a,b\r\n1,2\r\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (vast_directory(False), "F06"),
        (vast_directory(True), "F06"),
        (archive_of(zipfile.ZIP_LZMA), "F01"),
        (misplaced(), "F01"),
    ],
    ids=["vast list", "vast list of the larger kind", "a method that takes memory", "misplaced"],
)
def test_an_archive_that_takes_all_memory_is_refused(
    content: bytes, code: str, tmp_path: Path, engine: duckdb.DuckDBPyConnection
) -> None:
    outcome = outcome_of(engine, tmp_path, contract_of("police_uk_street"), "a.zip", content)
    assert [code_of(fault.rule) for fault in outcome.faults] == [code]


def test_a_line_of_gigabytes_is_read_in_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_integrity, "_CHUNK", 4)
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\r\n\r\n"long line",1\r\n\n"longer" line",2\r\n\r\n')
    file = landed_file(path, path.name, {})
    assert (csv_integrity.blank_lines(file), csv_integrity.first_odd_quote(file)) == (3, 5)
    path.write_bytes(b'a,b\r\n"long line without its end, 1')
    assert csv_integrity.first_odd_quote(landed_file(path, path.name, {})) == 2
    path.write_bytes(b"a,b\r\n1,2\r\n")
    assert csv_integrity.first_odd_quote(landed_file(path, path.name, {})) is None

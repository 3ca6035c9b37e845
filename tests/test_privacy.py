"""Nobody can be found in what is kept: pseudonyms, ages, closed files, and scans for canaries."""

import csv
import gzip
import hashlib
import io
import os
import re
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from orchestration.config.settings import PROJECT, Settings, load_settings
from orchestration.errors import (
    EncryptionError,
    OutdatedWarehouseError,
    PseudonymKeyError,
    PurgeError,
    SettingsError,
)
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.row_accounting import unbalanced_deliveries
from orchestration.ingest.landing.handover import land
from orchestration.ingest.landing.receipt import Receipt
from orchestration.ingest.loading.history import delivery_history
from orchestration.ingest.loading.pseudonyms import Pseudonyms, normalised
from orchestration.warehouse.connection import connect
from orchestration.warehouse.permissions import restrict
from orchestration.warehouse.retention import past_their_period, purge
from tests.support import NOW, Ground, refresh

KEY = "a key that only these tests have"
needs_extension = pytest.mark.skipif(
    not duckdb.__version__.startswith("1.5."), reason="httpfs is not packaged for this version"
)
CHARGES, CASELOAD, COHORT = "police_charges", "probation_caseload", "iom_cohort"


def sample_rows(source: str, count: int = 3) -> list[dict[str, str]]:
    """The first rows of a source's committed file."""
    path = min((PROJECT / "raw" / source / "2018-04-01").glob("*.csv"))
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return [row for row, _ in zip(csv.DictReader(handle), range(count), strict=False)]


def put(ground: Ground, source: str, rows: list[dict[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    ground.put(source, "2018-04-01", {f"{source}.csv": text.getvalue()})


def keyed(ground: Ground, key: str) -> Ground:
    return Ground(ground.settings.model_copy(update={"pseudonym_key": SecretStr(key)}))


def hmac_by_hand(key: bytes, message: bytes) -> str:
    """HMAC-SHA-256 as RFC 2104 writes it, for keys of at most 64 bytes."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).hexdigest()


# --- one form of an identifier

years, numbers = st.integers(1950, 2049), st.integers(1, 9_999_999)
letters = st.sampled_from("ABCDEFGHJKLMNPQRTUVWXYZ")


@given(years, numbers, letters, st.data())
def test_every_way_to_write_a_pnc_identifier_is_one(
    year: int, number: int, letter: str, data: st.DataObject
) -> None:
    written = data.draw(
        st.sampled_from(
            [
                f"{year}/{number:07}{letter}",
                f"{year % 100:02}/{number}{letter}",
                f"{year}/{number}{letter}".lower(),
                f" {year} / {number:07} {letter} ",
                f"{year % 100:02}/{number:07}-{letter}",
                f"{year}{number:07}{letter}",
            ]
        )
    )
    assert normalised("pnc", written) == f"{year}/{number:07}{letter}"


@given(st.sampled_from(["pnc", "crn", "nominal"]), st.text())
def test_the_normal_form_is_its_own_normal_form(kind: str, text: str) -> None:
    once = normalised(kind, text)
    assert normalised(kind, once) == once


@given(years, numbers, letters, years, numbers, letters)
def test_two_people_never_become_one(
    year: int, number: int, letter: str, year_2: int, number_2: int, letter_2: str
) -> None:
    same = (year, number, letter) == (year_2, number_2, letter_2)
    one = normalised("pnc", f"{year % 100:02}/{number}{letter}")
    other = normalised("pnc", f"{year_2}/{number_2:07}{letter_2}")
    assert (one == other) is same


def test_other_identifiers_are_distinguished_by_letters_and_digits_only() -> None:
    assert normalised("crn", " x-123 456 ") == normalised("crn", "X123456") == "X123456"
    assert normalised("nominal", "35nom/000123") == "35NOM000123"


# --- pseudonyms


def test_pseudonyms_are_hmac_sha_256_of_kind_and_normal_form() -> None:
    made = Pseudonyms(KEY.encode()).of("pnc", ["17/123A", None, "2017/0000123A"])
    expected = hmac_by_hand(KEY.encode(), b"pnc\x002017/0000123A")
    assert made == [expected, None, expected]
    (other_kind,) = Pseudonyms(KEY.encode()).of("crn", ["17/123A"])
    assert other_kind not in made


def test_the_key_is_in_no_text_of_what_holds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_PSEUDONYM_KEY", KEY)
    settings = load_settings()
    for holder in (settings, Pseudonyms(KEY.encode())):
        assert KEY not in f"{holder!r} {holder}"
    monkeypatch.setenv("CSP_PSEUDONYM_KEY", "short secret")
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "short secret" not in str(caught.value) and "CSP_PSEUDONYM_KEY" in str(caught.value)


def one_person(ground: Ground) -> None:
    """Land one person in three sources, her PNC identifier written in three ways."""
    for source, written in (
        (CHARGES, "2017/0000123A"),
        (CASELOAD, "17/123A"),
        (COHORT, "17/0123A"),
    ):
        rows = sample_rows(source)
        rows[1]["PNC ID"] = written
        put(ground, source, rows)


def test_the_same_person_is_met_in_every_source(ground: Ground) -> None:
    one_person(ground)
    for source in (CHARGES, CASELOAD, COHORT):
        assert ground.load(source).total("rows_loaded") == 3
    met = ground.value(
        f"select count(*) from raw.{CHARGES} inner join raw.{CASELOAD} as caseload using (pnc_id) "
        f"inner join raw.{COHORT} as cohort using (pnc_id)"
    )
    assert met == 1
    kept = ground.value(f"select list(distinct length(pnc_id)) from raw.{CHARGES}")
    assert kept == [64]


def test_one_person_written_in_two_ways_is_one_key(ground: Ground) -> None:
    rows = sample_rows(COHORT, 200)
    rows[0]["PNC ID"], rows[1]["PNC ID"] = "17/123A", "2017/0000123A"
    put(ground, COHORT, rows)
    report = ground.load(COHORT)
    assert report.total("rows_refused") == 1
    ((line, rule, value),) = ground.query("select line, rule, value from quarantine.refused_rows")
    assert (line, rule, value) == (3, "key is unique", None)


def test_another_key_is_refused_and_nothing_is_loaded(ground: Ground) -> None:
    one_person(ground)
    keyed(ground, KEY).load(CHARGES)
    with pytest.raises(PseudonymKeyError, match="is not the one") as caught:
        keyed(ground, KEY[::-1]).load(CASELOAD)
    assert "csp refresh" in str(caught.value) and KEY[::-1] not in str(caught.value)
    keyed(ground, KEY).load(CASELOAD)
    assert ground.value(f"select count(*) from raw.{CASELOAD}") == 3


def test_a_lost_key_is_refused_and_no_new_one_made(ground: Ground) -> None:
    one_person(ground)
    ground.load(CHARGES)
    key = ground.settings.pseudonym_key_file
    kept = key.read_text()
    key.unlink()
    with pytest.raises(PseudonymKeyError, match="is missing"):
        ground.load(CASELOAD)
    assert not key.exists()
    key.write_text(kept)
    key.chmod(0o640)
    with pytest.raises(PseudonymKeyError, match="chmod 600"):
        ground.load(CASELOAD)
    key.chmod(0o600)
    assert ground.load(CASELOAD).total("rows_loaded") == 3


def test_the_made_key_is_its_owners_alone(ground: Ground) -> None:
    one_person(ground)
    ground.load(CHARGES)
    key = ground.settings.pseudonym_key_file
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text().strip()) == 64
    fingerprint = ground.value("select fingerprint from control.pseudonym_key")
    assert (
        fingerprint
        == hmac_by_hand(key.read_text().strip().encode(), b"CSP Warehouse: fingerprint of the key")[
            :16
        ]
    )


def test_a_source_about_nobody_needs_no_key(ground: Ground) -> None:
    rows = sample_rows("supported_accommodation")
    put(ground, "supported_accommodation", rows)
    ground.load("supported_accommodation")
    assert not ground.settings.pseudonym_key_file.exists()


def test_a_warehouse_of_an_earlier_version_is_reported(ground: Ground) -> None:
    one_person(ground)
    with connect(ground.settings) as connection:
        connection.execute("create schema raw")
        connection.execute(f"create table raw.{CHARGES} (nominal_ref varchar, date_of_birth date)")
    with pytest.raises(OutdatedWarehouseError, match="csp refresh"):
        ground.load(CHARGES)


# --- ages


@pytest.mark.parametrize(
    ("born", "charged", "age"),
    [
        ("06/04/2000", "05/04/2018", 17),
        ("05/04/2000", "05/04/2018", 18),
        ("29/02/2000", "28/02/2018", 17),
        ("29/02/2000", "01/03/2018", 18),
        ("06/04/2018", "05/04/2018", None),
        ("06/04/2008", "05/04/2018", None),
        ("05/04/2008", "05/04/2018", 10),
        ("06/04/1907", "05/04/2018", 110),
        ("05/04/1907", "05/04/2018", None),
        ("", "05/04/2018", None),
    ],
)
def test_age_is_in_whole_years_on_the_day_of_the_event(
    ground: Ground, born: str, charged: str, age: int | None
) -> None:
    (row,) = sample_rows(CHARGES, 1)
    row |= {"Date Of Birth": born, "Charge Date": charged, "Offence Date": charged}
    put(ground, CHARGES, [row])
    ground.load(CHARGES)
    assert ground.query(f"select age_at_charge, age_at_offence from raw.{CHARGES}") == [(age, age)]


def test_a_missing_date_of_birth_is_taken_from_another_row_of_the_person(ground: Ground) -> None:
    first, second, other = sample_rows(CHARGES)
    first |= {"Date Of Birth": "", "Charge Date": "05/04/2018", "Nominal Ref": "N0000001"}
    second |= {"Date Of Birth": "06/04/2000", "Charge Date": "07/04/2018", "PNC ID": "17/123A"}
    first["PNC ID"] = "2017/0000123A"
    other |= {"Date Of Birth": "", "PNC ID": ""}
    put(ground, CHARGES, [first, second, other])
    ground.load(CHARGES)
    ages = ground.query(f"select age_at_charge from raw.{CHARGES} order by _line")
    assert ages == [(17,), (18,), (None,)]


def test_an_impossible_date_of_birth_gives_way_to_another_row_of_the_person(
    ground: Ground,
) -> None:
    first, second = sample_rows(CHARGES, 2)
    first |= {"Date Of Birth": "05/04/2025", "Charge Date": "05/04/2018", "PNC ID": ""}
    second |= {"Date Of Birth": "06/04/2000", "Charge Date": "07/04/2018", "PNC ID": ""}
    first["Nominal Ref"] = second["Nominal Ref"] = "N0000001"
    put(ground, CHARGES, [first, second])
    ground.load(CHARGES)
    ages = ground.query(f"select age_at_charge from raw.{CHARGES} order by _line")
    assert ages == [(17,), (18,)]


def test_a_reference_of_two_people_lends_no_date_of_birth(ground: Ground) -> None:
    rows = sample_rows(CHARGES, 3)
    births = ("06/04/2000", "06/04/1970", "")
    for row, pnc, born in zip(rows, ("2001/1A", "2001/2B", ""), births, strict=True):
        row |= {"Nominal Ref": "N0000001", "PNC ID": pnc, "Date Of Birth": born}
        row |= {"Charge Date": "05/04/2018", "Offence Date": "05/04/2018"}
    put(ground, CHARGES, rows)
    ground.load(CHARGES)
    ages = ground.query(f"select age_at_charge from raw.{CHARGES} order by _line")
    assert ages == [(17,), (47,), (None,)]


def test_a_young_person_has_the_date_of_birth_of_another_registration(ground: Ground) -> None:
    source = "youth_offending"
    rows = sample_rows(source, 2)
    for row, born, day in zip(rows, ("", "06/04/2003"), ("05/04/2018", "05/07/2018"), strict=True):
        row |= {"Young person ID": "100000", "Date of birth": born}
        row |= {"First offence date": day, "Registered on": day}
    put(ground, source, rows)
    ground.load(source)
    ages = ground.query(f"select age_at_offence from raw.{source} order by _line")
    assert ages == [(14,), (15,)]


EVENTS = [
    (CHARGES, "Date Of Birth", "Charge Date"),
    ("youth_offending", "Date of birth", "First offence date"),
    ("probation_caseload", "Date of birth", "Snapshot date"),
    ("iom_cohort", "Date of birth", "Snapshot date"),
]


@pytest.mark.parametrize(("source", "birth", "event"), EVENTS)
@pytest.mark.parametrize("born", ["01/01/2030", "01/01/1900", "01/01/2015"])
def test_a_birth_that_cannot_be_right_is_a_warning_with_its_row_and_no_date(
    ground: Ground, source: str, birth: str, event: str, born: str
) -> None:
    rows = sample_rows(source)
    rows[1][birth] = born
    if source == CHARGES:
        # Somebody of whom no other row has a date of birth.
        rows[1] |= {"Nominal Ref": "N0000009", "PNC ID": ""}
    put(ground, source, rows)
    (outcome,) = ground.load(source).outcomes
    assert (outcome.rows_loaded, outcome.rows_refused) == (len(rows), 0)
    (warning,) = [one for one in outcome.warnings if one.rule.endswith(f"age on {event}")]
    assert (warning.line, warning.column, warning.value) == (3, birth, "a date of 10 characters")
    assert warning.file
    assert "no age is recorded" in warning.message
    assert born not in str(warning)
    columns = load_contracts()[source].stored_columns
    ages = [column.name for column in columns if column.derived_to == "age"]
    held = ground.query(f"select {', '.join(ages)} from raw.{source} order by _line")
    assert held[1] == (None,) * len(ages)
    assert all(age is not None and 10 <= age <= 110 for row in held[:1] + held[2:] for age in row)


@pytest.mark.parametrize(
    ("source", "early", "late"),
    [
        (CHARGES, "Offence Date", "Charge Date"),
        ("youth_offending", "First offence date", "Registered on"),
        ("probation_caseload", "First release date", "Snapshot date"),
    ],
)
def test_dates_in_the_wrong_order_are_a_warning_with_their_row(
    ground: Ground, source: str, early: str, late: str
) -> None:
    rows = sample_rows(source)
    day, month, year = rows[1][late].split("/")
    rows[1][early] = f"{day}/{month}/{int(year) + 1}"
    put(ground, source, rows)
    (outcome,) = ground.load(source).outcomes
    assert outcome.rows_loaded == len(rows)
    (warning,) = [one for one in outcome.warnings if one.rule == f"is not after {late}"]
    assert (warning.line, warning.column) == (3, early)
    assert late in warning.message


# --- scans


def everything_under(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def values_held(ground: Ground) -> set[str]:
    """Every value of every text and date column of the warehouse: storage compresses texts."""
    columns = ground.query(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where not internal and data_type in ('VARCHAR', 'DATE')"
    )
    # Column by column: all at once would not fit into the memory that a query may take.
    return {
        value
        for schema, table, column in columns
        for (value,) in ground.query(
            f'select distinct "{column}"::varchar from "{schema}"."{table}"'
        )
        if value
    }


CANARIES = {
    "PNC ID": "1931/7654321Q",
    "CRN": "Q765432",
    "Nominal Ref": "N7654321",
    "Offence Ref": "CF7654321",
    "Date Of Birth": "13/02/1931",
    "Date of birth": "13/02/1931",
}


def with_canaries(source: str, refused: bool, **wrong: str) -> list[dict[str, str]]:
    """A source's rows: one has canaries for identifiers and birth, and a further one is refused."""
    rows = sample_rows(source, 200)
    rows[1] |= {name: value for name, value in CANARIES.items() if name in rows[1]}
    if refused:
        rows.append(rows[1] | wrong)
    return rows


def land_canaries(ground: Ground) -> list[str]:
    """Land canaries that are loaded, that are refused by row, and by file; return their forms."""
    put(ground, CHARGES, with_canaries(CHARGES, True, **{"Charge Date": "CF7654321"}))
    put(ground, CASELOAD, with_canaries(CASELOAD, True, Sex="1931/7654321Q"))
    put(ground, COHORT, [row | {"Sex": "13/02/1931"} for row in with_canaries(COHORT, False)])
    days = ["13/02/1931", "1931-02-13", "19310213"]
    return [*dict.fromkeys([*CANARIES.values(), *days, "1931/7654321", "19317654321Q"])]


def test_no_identifier_or_birth_is_kept(ground: Ground) -> None:
    canaries = land_canaries(ground)
    reports = [ground.load(source) for source in (CHARGES, CASELOAD, COHORT)]
    assert [report.total("rows_refused") for report in reports] == [1, 1, 175]
    held = " ".join(values_held(ground))
    assert not [canary for canary in canaries if canary in held]
    files = everything_under(ground.settings.home)
    assert ground.settings.warehouse in files
    found: list[Any] = [
        (path.name, canary)
        for path, data in files.items()
        for canary in canaries
        if canary.encode() in data
    ]
    assert not found


def test_a_text_that_holds_an_identifier_refuses_its_row(ground: Ground) -> None:
    rows = sample_rows(CHARGES, 200)
    rows[1]["Force"] = "X 2016/9912399Q"
    put(ground, CHARGES, rows)
    (outcome,) = ground.load(CHARGES).outcomes
    assert (outcome.rows_loaded, outcome.rows_refused) == (199, 1)
    (fault,) = outcome.faults
    assert (fault.rule, fault.line, fault.column) == ("holds no identifier", 3, "Force")
    assert "9912399" not in " ".join(values_held(ground))


def test_a_name_that_no_list_has_is_published_under_a_number(ground: Ground) -> None:
    put(ground, CHARGES, [row | {"Force": "Zwetschkenbaum"} for row in sample_rows(CHARGES, 50)])
    assert ground.load(CHARGES).total("rows_loaded") == 50
    ground.resolve()
    names = ground.query("select distinct series, served_name from control.in_force")
    assert names == [("name 1 (not shown, 14 characters)",) * 2]


def test_an_offence_in_other_words_is_kept_as_another_offence(ground: Ground) -> None:
    path = next((PROJECT / "raw" / "youth_offending" / "2018-07-01").glob("*.csv"))
    with path.open(encoding="utf-8-sig", newline="") as handle:
        rows = list(csv.DictReader(handle))
    rows[0]["First offence"] = "Theft by Zwetschkenbaum"
    put(ground, "youth_offending", rows)
    (outcome,) = ground.load("youth_offending").outcomes
    assert outcome.rows_loaded == len(rows)
    (warning,) = [one for one in outcome.warnings if one.column == "First offence"]
    assert (warning.line, warning.value) == (2, "a text of 23 characters")
    kept = ground.query("select offence from raw.youth_offending order by _line limit 1")
    assert kept == [("Other offence",)]


def unpacked(name: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """A file's bytes, and those of what it holds: members of a zip, content of a gzip."""
    yield name, data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            for member in container.namelist():
                yield from unpacked(f"{name}:{member}", container.read(member))
    elif data.startswith(b"\x1f\x8b"):
        yield f"{name}:content", gzip.decompress(data)


IDENTIFIER = re.compile(
    rb"(?<![A-Z\d])(?:\d{4}/\d{7}[A-Z]|35NOM/\d{6}|N\d{7}|CF\d{7}|[A-Z]\d{6}|\d\d/\d\d/\d{4}|\d{4}-\d\d-\d\d)(?!\d)"
)


def found_in(folder: Path, wanted: set[str]) -> set[tuple[str, str]]:
    """Which of the wanted texts stand where under a folder."""
    return {
        (name, hit.decode())
        for path, data in everything_under(folder).items()
        for name, content in unpacked(str(path.relative_to(folder)), data)
        for hit in set(IDENTIFIER.findall(content))
        if hit.decode() in wanted
    }


def people_of_the_sample() -> tuple[set[str], set[str]]:
    """Identifiers, and dates of birth in both forms, of everybody in the sample's CSV files."""
    identifiers: set[str] = set()
    births: set[str] = set()
    for source in (CHARGES, CASELOAD, COHORT):
        for path in (PROJECT / "raw" / source).glob("*/*.csv"):
            with path.open(encoding="utf-8-sig", newline="") as handle:
                for row in csv.DictReader(handle):
                    for name in (*CANARIES, "Nominal"):
                        (births if "irth" in name else identifiers).add(row.get(name) or "")
    # On other days something happened, or a period began or ended, which is reported rightly.
    births = {day for day in births if "1900" < day[6:] < "2005" and "02" <= day[:2] <= "27"}
    births |= {f"{day[6:]}-{day[3:5]}-{day[:2]}" for day in births}
    # The manifest holds the unit tests, whose people are nobody.
    for path in (PROJECT / "dbt_project").rglob("*.yml"):
        births -= set(re.findall(r"\d{4}-\d\d-\d\d", path.read_text()))
    return identifiers - {""}, births


@pytest.mark.slow
@pytest.mark.campaign
def test_nobody_of_the_sample_is_found_after_a_refresh(sample: Ground) -> None:
    identifiers, births = people_of_the_sample()
    assert len(identifiers) > 40_000 and {"12/05/2000", "2000-05-12"} <= births
    assert not values_held(sample) & (identifiers | births)
    assert not found_in(sample.settings.home, identifiers | births)


@pytest.mark.slow
@needs_extension
@pytest.mark.campaign
def test_no_canary_and_no_key_is_found_after_an_encrypted_refresh(tmp_path: Path) -> None:
    ground = encrypted(Ground(Settings(home=tmp_path / "var", raw=tmp_path / "raw")))
    shutil.copytree(PROJECT / "raw", ground.settings.raw)
    for source, wrong in ((CHARGES, {"Charge Date": "CF7654321"}), (CASELOAD, {"Sex": "Q765432"})):
        path = min((ground.settings.raw / source / "2018-04-01").glob("*.csv"))
        text = path.read_text(encoding="utf-8-sig")
        (row,) = list(csv.DictReader(io.StringIO(text)))[:1]
        row |= {name: value for name, value in CANARIES.items() if name in row} | wrong
        path.write_text(text.rstrip("\r\n") + "\n" + ",".join(row.values()) + "\n")
        (path.parent / "delivery.json").unlink()
    done = refresh(
        ground.settings.home,
        ground.settings.raw,
        "2018-04-01",
        CSP_WAREHOUSE_KEY=LOCK,
        CSP_PSEUDONYM_KEY=KEY,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert ground.value("select count(distinct file_id) from quarantine.refused_rows") == 2
    secrets = [*dict.fromkeys(CANARIES.values()), "1931-02-13", LOCK, KEY]
    held = " ".join(values_held(ground))
    files = everything_under(ground.settings.home)
    places = {
        name: content
        for path, data in files.items()
        for name, content in unpacked(str(path.relative_to(ground.settings.home)), data)
    }
    assert len(places) > 200 and any(name.startswith("dagster/history") for name in places)
    found = [
        (name, secret)
        for name, content in (places | {"what was said": said.encode()}).items()
        for secret in secrets
        if secret.encode() in content
    ]
    assert not found and not [secret for secret in secrets if secret in held]
    assert not (ground.settings.home / "pseudonym.key").exists()


# --- who may open what


def modes_under(folder: Path) -> dict[Path, int]:
    return {path: stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")}


def test_all_but_the_outputs_is_the_owners_alone(sample: Ground) -> None:
    settings = sample.settings
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o711
    outputs, closed = (settings.published, settings.exports), {}
    for path, mode in modes_under(settings.home).items():
        if not any(path == top or top in path.parents for top in outputs):
            closed[path] = mode
    tops = {path.name: mode for path, mode in closed.items() if path.parent == settings.home}
    assert {"warehouse.duckdb", "pseudonym.key", "dagster", "dbt"} <= set(tops)
    assert not {name: oct(mode) for name, mode in tops.items() if mode & 0o077}
    assert not [path for path, mode in closed.items() if path.is_file() and mode & 0o077]


def test_everybody_reads_what_is_published_and_nobody_writes_it(sample: Ground) -> None:
    for top in (sample.settings.published, sample.settings.exports):
        modes = {top: stat.S_IMODE(top.stat().st_mode)} | modes_under(top)
        shown = {path: mode for path, mode in modes.items() if not path.name.startswith(".")}
        for path, mode in shown.items():
            assert mode & 0o044 == 0o044 and not mode & 0o022, (path, oct(mode))
            assert not path.is_dir() or mode == 0o755


def test_what_stood_open_is_closed(ground: Ground) -> None:
    home = ground.settings.home
    (home / "dagster").mkdir(parents=True)
    (home / "warehouse.duckdb").touch(0o644)
    home.chmod(0o755)
    before = os.umask(0)
    try:
        restrict(ground.settings)
        (home / "new").touch()
    finally:
        os.umask(before)
    modes = {path.name: oct(mode) for path, mode in modes_under(home).items()}
    assert modes == {"dagster": "0o700", "warehouse.duckdb": "0o600", "new": "0o600"}
    assert stat.S_IMODE(home.stat().st_mode) == 0o711


def test_landed_people_are_their_owners_and_public_extracts_everybodys(
    ground: Ground, tmp_path: Path
) -> None:
    receipt = Receipt(
        source=COHORT, quarter=date(2018, 4, 1), received_at=NOW, nature="synthetic", note=""
    )
    for source, expected in ((COHORT, (0o700, 0o600)), ("supported_accommodation", (0o755, 0o644))):
        given_file = min((PROJECT / "raw" / source / "2018-04-01").glob("*.csv"))
        landed = land(
            ground.settings.raw, ground.contract(source), date(2018, 4, 1), [given_file], receipt
        ).delivery
        assert stat.S_IMODE(landed.folder.stat().st_mode) == expected[0]
        assert {stat.S_IMODE(path.stat().st_mode) for path in landed.folder.iterdir()} == {
            expected[1]
        }


# --- encryption at rest

LOCK = "the key of the warehouse, for tests"


def encrypted(ground: Ground, key: str | None = LOCK) -> Ground:
    secret = SecretStr(key) if key else None
    return Ground(ground.settings.model_copy(update={"warehouse_key": secret}))


@needs_extension
def test_an_encrypted_warehouse_opens_with_its_key_only(ground: Ground) -> None:
    one_person(ground)
    locked = encrypted(ground)
    assert locked.load(COHORT).total("rows_loaded") == 3
    force = "Cambridgeshire Constabulary"
    assert locked.value(f"select distinct reported_by from raw.{COHORT}") == force
    content = ground.settings.warehouse.read_bytes()
    assert force.encode() not in content and b"reported_by" not in content
    with pytest.raises(EncryptionError, match="Set CSP_WAREHOUSE_KEY"):
        encrypted(ground, None).value("select 1")
    with pytest.raises(EncryptionError, match="is not the key") as caught:
        encrypted(ground, LOCK[::-1]).value("select 1")
    assert LOCK[::-1] not in str(caught.value)


@needs_extension
def test_a_warehouse_in_the_open_is_not_taken_for_an_encrypted_one(ground: Ground) -> None:
    one_person(ground)
    ground.load(COHORT)
    with pytest.raises(EncryptionError, match="csp refresh"):
        encrypted(ground).value("select 1")


@needs_extension
def test_the_key_is_not_sent_by_the_engine(ground: Ground) -> None:
    locked = encrypted(ground)
    with connect(locked.settings) as connection:
        for table in ("duckdb_databases()", "duckdb_settings()", "duckdb_secrets()"):
            assert LOCK not in str(connection.execute(f"select * from {table}").fetchall())
        ((spill,),) = connection.execute(
            "select current_setting('temp_file_encryption')"
        ).fetchall()
        assert spill is True


def test_without_the_extension_writing_is_refused_in_words(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("duckdb.__version__", "2.0.0")
    with (
        pytest.raises(EncryptionError, match=r"not packaged yet for DuckDB 2\.0"),
        connect(encrypted(ground).settings),
    ):
        pass
    assert not ground.settings.warehouse.exists()


# --- retention


def two_quarters(ground: Ground) -> Ground:
    """Load two quarters of a cohort: one person of the first is in the second as well."""
    first = sample_rows(COHORT, 20)
    second = [row | {"Snapshot date": "30/09/2018"} for row in sample_rows(COHORT, 40)[19:]]
    put(ground, COHORT, first)
    text = io.StringIO()
    writer = csv.DictWriter(text, second[0])
    writer.writeheader()
    writer.writerows(second)
    ground.put(COHORT, "2018-07-01", {"second.csv": text.getvalue()})
    ground.load(COHORT, "2018-07-01")
    ground.resolve("2018-07-01")
    return ground


def pseudonyms_of(ground: Ground, quarter: str) -> set[str]:
    rows = ground.query(
        f"select pnc_id, nominal_id from raw.{COHORT} inner join control.deliveries "
        f"on _delivery_id = delivery_id where quarter = date '{quarter}'"
    )
    return {value for row in rows for value in row if value}


@pytest.mark.parametrize(
    "key", [None, pytest.param(LOCK, marks=[needs_extension, pytest.mark.slow])]
)
def test_a_purge_leaves_nothing_of_what_it_removed(ground: Ground, key: str | None) -> None:
    ground = two_quarters(encrypted(ground, key))
    gone = pseudonyms_of(ground, "2018-04-01") - pseudonyms_of(ground, "2018-07-01")
    staying = pseudonyms_of(ground, "2018-07-01")
    assert len(gone) > 20 and pseudonyms_of(ground, "2018-04-01") & staying
    purged = purge(ground.settings, load_contracts(), date(2018, 7, 1), NOW)
    assert [(one.source, one.rows_loaded) for one in purged.deliveries] == [(COHORT, 20)]
    assert purged.pseudonyms == len(gone)
    assert not gone & values_held(ground)
    assert pseudonyms_of(ground, "2018-07-01") == staying
    content = ground.settings.warehouse.read_bytes()
    assert not [one for one in gone if one.encode() in content]
    left = [path.name for path in ground.settings.home.iterdir() if path.name.startswith("purging")]
    assert left == []


def test_what_was_purged_is_not_loaded_again_and_speaks_for_nothing(ground: Ground) -> None:
    two_quarters(ground)
    purge(ground.settings, load_contracts(), date(2018, 7, 1), NOW)
    report = ground.load(COHORT, "2018-07-01")
    assert (report.outcomes, report.unchanged) == ([], 2)
    ground.resolve("2018-07-01")
    assert ground.query("select delivery from control.in_force") == [(f"{COHORT} 2018-07-01 v1",)]
    with pytest.raises(PurgeError, match="2018-04-01 cannot be refreshed any more"):
        ground.resolve("2018-04-01")
    with connect(ground.settings, read_only=True) as connection:
        assert unbalanced_deliveries(connection, ground.contract(COHORT)) == []
        states = [one.state for one in delivery_history(connection, COHORT)]
    assert states == ["purged", "loaded"]


def test_a_purge_that_missed_something_leaves_the_old_file(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_quarters(ground)
    with connect(ground.settings) as connection:
        connection.execute(
            "create table control.stray as select pnc_id from raw.iom_cohort order by _line limit 1"
        )
    before = ground.settings.warehouse.stat().st_ino
    with pytest.raises(PurgeError, match="still holds"):
        purge(ground.settings, load_contracts(), date(2018, 7, 1), NOW)
    assert ground.settings.warehouse.stat().st_ino == before


def test_what_is_past_its_period_is_reported(ground: Ground) -> None:
    two_quarters(ground)
    contracts = load_contracts()
    short = contracts[COHORT].model_copy(update={"retention_quarters": 1})
    with connect(ground.settings, read_only=True) as connection:
        assert past_their_period(connection, contracts) == []
        assert past_their_period(connection, {COHORT: short}) == []
    ground.put(COHORT, "2018-10-01", {"bad.csv": "no table"})
    ground.load(COHORT, "2018-10-01")
    with connect(ground.settings, read_only=True) as connection:
        (past,) = past_their_period(connection, {COHORT: short})
    assert str(past) == f"{COHORT} 2018-04-01 v1 (20 rows)"


def test_the_command_lists_purges_and_deletes_what_landed(
    ground: Ground, csp: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    two_quarters(ground)
    settings = ground.settings
    where = {"CSP_HOME": str(settings.home), "CSP_RAW": str(settings.raw)}
    listed = csp("purge", "--before", "2018-07-01", "--dry-run", **where)
    assert "iom_cohort 2018-04-01 v1 (20 rows)" in listed.stdout, listed.stderr
    assert ground.value(f"select count(*) from raw.{COHORT}") == 41
    done = csp("purge", "--before", "Q2 2018/19", "--landing", **where)
    assert done.returncode == 0, done.stderr
    assert "Deleted" in done.stdout
    assert [path.name for path in (settings.raw / COHORT).glob("[!.]*")] == ["2018-07-01"]
    assert ground.value(f"select count(*) from raw.{COHORT}") == 21

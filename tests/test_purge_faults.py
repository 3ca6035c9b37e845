"""A purge that is killed or runs out of disk is finished by the next one; no backup undoes it.

PURGE_FAULTS sets at how many moments the long test injects each fault (0: at every call into
DuckDB or the operating system).
"""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

import duckdb
import pytest
from rich.console import Console

from orchestration.cli.purge import run_purge
from orchestration.config.settings import Settings
from orchestration.errors import CspError, PurgeError
from orchestration.ingest.landing.delivery_folder import remove_delivery
from orchestration.warehouse import purging
from orchestration.warehouse.backup import back_up, repair, restore
from orchestration.warehouse.connection import connect
from orchestration.warehouse.purge_journal import PurgeJournal, journal_file
from orchestration.warehouse.purged_rows import values_found
from orchestration.warehouse.purging import settle_purges
from tests.fault_injection import (
    CALLS,
    DONE,
    KILLED,
    REFUSED,
    Faulty,
    fill_the_disk,
    in_child,
    kill,
    moments,
)  # fmt: skip
from tests.support import Ground
from tests.test_privacy import COHORT, pseudonyms_of, two_quarters

BEFORE = date(2018, 7, 1)
FAULTS = int(os.environ.get("PURGE_FAULTS", "4"))
NAMES = CALLS | {"execute", "fetchall", "connect", "rmtree"}
LATER = datetime(2018, 9, 1, 9, 0, tzinfo=UTC)


def _purge(settings: Settings, faulty: Faulty | None = None, *, landing: bool = True) -> int:
    console = Console(quiet=True)
    sys.setprofile(faulty)
    try:
        run_purge(settings, BEFORE, console, dry_run=False, landing=landing)
    except (CspError, OSError):
        # The command line says either in one sentence.
        return REFUSED
    finally:
        sys.setprofile(None)
    return DONE


def _settle(settings: Settings) -> list[str]:
    said: list[str] = []
    now = LATER.replace(tzinfo=None)
    settle_purges(settings, said.append, now, remove_delivery)
    return said


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two quarters of people, loaded, with an error report of the first."""
    folder = tmp_path_factory.mktemp("purge")
    ground = two_quarters(_at(folder))
    report = ground.settings.supplier_reports / COHORT / "2018-04-01" / "v1"
    report.mkdir(parents=True)
    (report / "v1.csv").write_text("a row")
    return folder


@pytest.fixture
def people(base: Path, tmp_path: Path) -> Ground:
    """A copy of them to purge."""
    shutil.copytree(base, tmp_path / "people")
    return _at(tmp_path / "people")


def _at(folder: Path) -> Ground:
    return Ground(Settings(home=folder / "var", raw=folder / "raw"))


def _leaving(ground: Ground) -> set[str]:
    return pseudonyms_of(ground, "2018-04-01") - pseudonyms_of(ground, "2018-07-01")


def _rows(ground: Ground) -> int:
    return int(ground.value(f"select count(*) from raw.{COHORT}"))


def _finished(ground: Ground, gone: set[str]) -> None:
    """Assert that a purge is done and proven, and that nothing is left of it or of its rows."""
    settings = ground.settings
    (entry,) = PurgeJournal.read(settings).purges
    assert entry.done_at is not None
    assert entry.pseudonyms == len(gone)
    assert [one.identity[:2] for one in entry.deliveries] == [(COHORT, date(2018, 4, 1))]
    assert _rows(ground) == 21
    assert ground.query("select count(*) from control.purges") == [(1,)]
    assert not (settings.supplier_reports / COHORT / "2018-04-01").exists()
    left = [path.name for path in settings.home.iterdir() if path.name.startswith((".b", "pu"))]
    assert left == ["purges.json"]
    landed = [path.name for path in (settings.raw / COHORT).iterdir()]
    assert sorted(landed) == [".landing.lock", "2018-07-01"]


def _faults(base: Path, tmp_path: Path, fault: Callable[[], NoReturn], faults: int) -> None:
    gone = _leaving(_at(base))
    shutil.copytree(base, tmp_path / "counted")
    faulty = Faulty(names=NAMES, starts=True)
    assert _purge(_at(tmp_path / "counted").settings, faulty) == DONE
    assert faulty.calls > 100
    codes = set()
    for at in moments(faulty.calls, faults):
        folder = tmp_path / f"at-{at}"
        shutil.copytree(base, folder)
        ground = _at(folder)
        harmful = Faulty(at, fault, NAMES, starts=True)
        codes.add(in_child(partial(_purge, ground.settings, harmful)))
        assert _rows(ground) in (41, 21), f"half-way after {at}"
        if at % 2 and PurgeJournal.read(ground.settings).purges:
            # A refresh finishes it as well as another purge.
            _settle(ground.settings)
        else:
            assert _purge(ground.settings) == DONE, f"not finished after {at}"
        _finished(ground, gone)
        shutil.rmtree(folder)
    assert codes <= {DONE, KILLED, REFUSED}
    assert codes & {KILLED, REFUSED}


def test_a_killed_purge_is_finished_and_proven_by_the_next_one(base: Path, tmp_path: Path) -> None:
    _faults(base, tmp_path, kill, 2)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [kill, fill_the_disk])
def test_a_purge_with_a_fault_at_any_call_is_finished_and_proven(
    base: Path, tmp_path: Path, fault: Callable[[], NoReturn]
) -> None:
    _faults(base, tmp_path, fault, FAULTS)


def test_a_restored_older_backup_has_none_of_the_purged_rows(people: Ground) -> None:
    backup, _ = back_up(people.settings, None, LATER)
    assert _purge(people.settings, landing=False) == DONE
    done = restore(people.settings, backup, LATER)
    assert [one.rows_loaded for one in done.purged] == [20]
    assert _rows(people) == 21
    assert people.query("select count(*) from control.purges") == [(1,)]
    assert _settle(people.settings) == []


@pytest.mark.slow
def test_a_warehouse_repaired_from_an_older_backup_has_none_of_the_purged_rows(
    people: Ground,
) -> None:
    back_up(people.settings, None, LATER)
    assert _purge(people.settings, landing=False) == DONE
    people.settings.warehouse.write_bytes(b"damaged" * 5000)
    said: list[str] = []
    repair(people.settings, said.append, LATER)
    assert len(said) == 2
    assert "20 rows" in said[1]
    assert _rows(people) == 21


def test_a_warehouse_made_again_from_the_landing_zone_loads_nothing_purged(people: Ground) -> None:
    assert _purge(people.settings, landing=False) == DONE
    people.settings.warehouse.unlink()
    _settle(people.settings)
    people.load(COHORT, "2018-07-01")
    assert _rows(people) == 21
    assert people.query("select quarter, rows_loaded from control.deliveries order by 1") == [
        (date(2018, 4, 1), 20), (date(2018, 7, 1), 21),
    ]  # fmt: skip


@pytest.mark.slow
def test_a_file_copied_back_by_hand_is_purged_again(people: Ground) -> None:
    older = people.settings.warehouse.read_bytes()
    assert _purge(people.settings, landing=False) == DONE
    people.settings.warehouse.write_bytes(older)
    assert len(_settle(people.settings)) == 1
    assert _rows(people) == 21


@pytest.mark.slow
def test_a_purge_that_the_journal_does_not_list_is_entered_and_proven(people: Ground) -> None:
    assert _purge(people.settings, landing=False) == DONE
    before = people.settings.warehouse.stat().st_ino
    journal_file(people.settings).unlink()
    assert len(_settle(people.settings)) == 1
    (entry,) = PurgeJournal.read(people.settings).purges
    assert entry.done_at is not None
    assert entry.before == BEFORE
    assert people.settings.warehouse.stat().st_ino != before


@pytest.mark.parametrize("content", [b"", b"\0" * 200, b'{"purges": ['])
def test_a_damaged_journal_stops_a_restore(people: Ground, content: bytes) -> None:
    backup, _ = back_up(people.settings, None, LATER)
    journal_file(people.settings).write_bytes(content)
    before = people.settings.warehouse.stat().st_ino
    with pytest.raises(PurgeError, match=r"purges\.json"):
        restore(people.settings, backup, LATER)
    assert people.settings.warehouse.stat().st_ino == before


@pytest.mark.slow
def test_the_journal_is_its_owners_alone_and_names_no_person(people: Ground) -> None:
    gone = _leaving(people)
    assert _purge(people.settings, landing=False) == DONE
    file = journal_file(people.settings)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not [one for one in gone if one in file.read_text()]


def _two_thousand(connection: duckdb.DuckDBPyConnection) -> set[bytes]:
    connection.execute(
        "create table raw.many as select sha256(n::varchar) as value from range(2000) t(n)"
    )
    rows = connection.execute("select value from raw.many").fetchall()
    return {value.encode() for (value,) in rows}


@pytest.mark.parametrize("column", ["value", "'row ' || value || ': wrong'", "[value, 'x']",
                                    "{'a': value}", "value || value"])  # fmt: skip
def test_both_searches_find_what_is_there(tmp_path: Path, column: str) -> None:
    """2,000 pseudonyms that DuckDB compresses are found: as values, in texts, lists and bytes."""
    settings = Settings(home=tmp_path)
    with connect(settings) as connection:
        connection.execute("create schema raw; create schema control")
        there = _two_thousand(connection)
        connection.execute(f"create table control.stray as select {column} as text from raw.many")
        connection.execute("drop table raw.many")
    plain = tmp_path / "plain.duckdb"
    with connect(settings, read_only=True) as connection:
        assert set(values_found(connection, there)) == there
    with pytest.raises(PurgeError, match="still holds 2,000"):
        purging._prove(settings, settings.warehouse, plain, "null", there, set())
    assert set(purging._in_file(plain, there)) == there


def test_a_search_that_finds_nothing_of_what_stays_proves_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with connect(settings) as connection:
        connection.execute("create schema raw; create schema control")
    plain = tmp_path / "plain.duckdb"
    with pytest.raises(PurgeError, match="proves nothing"):
        purging._prove(settings, settings.warehouse, plain, "null", set(), {b"0" * 64})


@pytest.mark.slow
def test_a_purge_without_room_says_that_it_is_not_finished(
    people: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = _leaving(people)

    def full(*_: object) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(purging, "sync", full)
        with pytest.raises(PurgeError, match="not finished"):
            run_purge(people.settings, BEFORE, Console(quiet=True), dry_run=False, landing=True)
    assert _rows(people) == 41
    assert _purge(people.settings) == DONE
    _finished(people, gone)


@pytest.mark.slow
def test_the_command_finishes_a_purge_of_another_quarter_first(
    people: Ground, csp: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    gone = _leaving(people)
    faulty = Faulty(names={"_tidy"}, at=1, starts=True)
    assert in_child(partial(_purge, people.settings, faulty)) == KILLED
    where = {"CSP_HOME": str(people.settings.home), "CSP_RAW": str(people.settings.raw)}
    done = csp("purge", "--before", "2018-04-01", **where)
    assert done.returncode == 0, done.stderr
    _finished(people, gone)

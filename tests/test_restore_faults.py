"""A backup, restore, repair or rollback that is killed leaves the old or the new, and no copies.

RESTORE_FAULTS sets at how many moments the long tests inject each fault (0: at every call into
DuckDB or the operating system).
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from orchestration.config.settings import Settings
from orchestration.errors import CspError, StorageError
from orchestration.releases.release_registry import (
    complete_rollback,
    list_releases,
    read_release,
    read_rollback,
    roll_back,
)
from orchestration.warehouse.backup import back_up, backups, clear_half_done, repair, restore
from orchestration.warehouse.connection import connect
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
from tests.test_releases import AT, LATER, publish

FAULTS = int(os.environ.get("RESTORE_FAULTS", "5"))
NAMES = CALLS | {"execute", "fetchall", "connect", "hardlink_to"}
NOW = datetime(2018, 9, 1, 9, 0, tzinfo=UTC)
FIRST_ROWS, ROWS = 1, 2


def _warehouse(folder: Path) -> Settings:
    """A warehouse of two rows, backed up when it had one."""
    settings = Settings(home=folder / "var", raw=folder / "raw")
    with connect(settings) as connection:
        connection.execute("create schema raw; create table raw.some as select 1 as number")
    back_up(settings, None, NOW)
    with connect(settings) as connection:
        connection.execute("insert into raw.some values (2)")
    return settings


def _rows(settings: Settings) -> int:
    with connect(settings, read_only=True) as connection:
        ((rows,),) = connection.execute("select count(*) from raw.some").fetchall()
    return int(rows)


def _back_up(settings: Settings) -> None:
    back_up(settings, None, NOW.replace(hour=10))


def _restore(settings: Settings) -> None:
    restore(settings, backups(settings)[-1], NOW.replace(hour=11))


def _repair(settings: Settings) -> None:
    repair(settings, lambda _: None, NOW.replace(hour=11))


def _damage(settings: Settings) -> None:
    settings.warehouse.write_bytes(b"damaged" * 5000)


def _faulty(work: Callable[[], object], faulty: Faulty) -> int:
    sys.setprofile(faulty)
    try:
        work()
    except (CspError, OSError):
        # The command line says either in one sentence.
        return REFUSED
    finally:
        sys.setprofile(None)
    return DONE


def _grounds(
    tmp_path: Path, base: Path, work: Callable[[Path], object], fault: Callable[[], NoReturn],
    faults: int,
) -> Iterator[tuple[Path, int, int]]:  # fmt: skip
    """Yield a copy of ``base`` after each fault, the call that it came at, and how that ended."""
    shutil.copytree(base, tmp_path / "counted")
    faulty = Faulty(names=NAMES)
    assert _faulty(partial(work, tmp_path / "counted"), faulty) == DONE
    assert faulty.calls > 20
    ends = set()
    for at in moments(faulty.calls, faults):
        folder = tmp_path / f"at-{at}"
        shutil.copytree(base, folder)
        harmful = Faulty(at, fault, NAMES)
        code = in_child(partial(_faulty, partial(work, folder), harmful))
        ends.add(code)
        yield folder, at, code
        shutil.rmtree(folder)
    assert ends <= {DONE, REFUSED, KILLED}
    assert ends & {REFUSED, KILLED}


def _settings(folder: Path) -> Settings:
    return Settings(home=folder / "var", raw=folder / "raw")


def _leftovers(settings: Settings) -> list[str]:
    """Return what is in the home beside the warehouse, its lock, whole backups and kept files."""
    found = [path for path in settings.home.rglob("*") if path.is_file()]
    whole = {settings.warehouse, settings.home / "warehouse.lock", *backups(settings)}
    whole |= {one.with_name(f"{one.name}.manifest.json") for one in backups(settings)}
    whole |= set(settings.home.glob("warehouse-*-*.duckdb"))
    return sorted(path.name for path in found if path not in whole)


WORK = {"backup": _back_up, "restore": _restore, "repair": _repair}


def _campaign(tmp_path: Path, which: str, fault: Callable[[], NoReturn], faults: int) -> None:
    base = tmp_path / "base"
    settings = _warehouse(base)
    if which == "repair":
        _damage(settings)
    work = WORK[which]
    after = {"backup": {ROWS}, "restore": {ROWS, FIRST_ROWS}, "repair": {FIRST_ROWS}}[which]
    for folder, at, _ in _grounds(
        tmp_path, base, lambda folder: work(_settings(folder)), fault, faults
    ):
        settings = _settings(folder)
        if which == "repair":
            _repair(settings)
        assert _rows(settings) in after, f"after {at}"
        clear_half_done(settings)
        assert _rows(settings) in after, f"after {at}"
        assert _leftovers(settings) == [], f"after {at}"
        kept = len(list(settings.home.glob("warehouse-*-*.duckdb")))
        assert kept <= 1, f"after {at}"
        if which == "restore":
            assert kept == (_rows(settings) == FIRST_ROWS), f"after {at}"
            _restore(settings)
            assert _rows(settings) == FIRST_ROWS
        for backup in backups(settings):
            restore(settings, backup, NOW)


@pytest.mark.parametrize("which", WORK)
def test_a_killed_copy_is_cleared_away(tmp_path: Path, which: str) -> None:
    _campaign(tmp_path, which, kill, 3)


@pytest.mark.slow
@pytest.mark.parametrize("fault", [kill, fill_the_disk])
@pytest.mark.parametrize("which", WORK)
def test_a_copy_with_a_fault_at_any_call_is_cleared_away(
    tmp_path: Path, which: str, fault: Callable[[], NoReturn]
) -> None:
    _campaign(tmp_path, which, fault, FAULTS)


def test_a_full_disk_does_not_give_up_the_backups_for_the_landing_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = _warehouse(tmp_path)
    _damage(settings)
    with monkeypatch.context() as patch, pytest.raises(StorageError):
        patch.setattr("orchestration.warehouse.backup._copy", lambda *_: fill_the_disk())
        _repair(settings)
    assert settings.warehouse.exists()
    _repair(settings)
    assert _rows(settings) == FIRST_ROWS


def test_a_log_that_was_moved_before_a_kill_comes_back(tmp_path: Path) -> None:
    settings = _warehouse(tmp_path)
    log = settings.warehouse.with_name("warehouse.duckdb.wal")

    def write_and_die() -> int:
        with connect(settings) as connection:
            connection.execute("pragma disable_checkpoint_on_shutdown")
            connection.execute("insert into raw.some values (3)")
        os._exit(KILLED)

    assert in_child(write_and_die) == KILLED
    assert log.exists()
    # As a restore leaves it that is killed before the last rename.
    aside = settings.home / "warehouse-replaced-20180901T110000Z.duckdb"
    aside.hardlink_to(settings.warehouse)
    log.replace(aside.with_name(f"{aside.name}.wal"))
    clear_half_done(settings)
    assert _rows(settings) == 3
    assert not aside.exists()


def _rolled(folder: Path) -> None:
    roll_back(folder / "published", date(2018, 4, 1), None, "a district is missing", AT)


def _roll_forward(folder: Path) -> None:
    roll_back(folder / "published", LATER, None, "it was in order", AT)


def _rollbacks(tmp_path: Path, fault: Callable[[], NoReturn], faults: int, *, ending: bool) -> None:
    base = tmp_path / "base"
    base.mkdir()
    publish(base)
    publish(base, quarter=LATER)
    if ending:
        _rolled(base)
    work = _roll_forward if ending else _rolled
    for folder, at, _ in _grounds(tmp_path, base, work, fault, faults):
        root = folder / "published"
        assert read_release(root / "csp.duckdb").quarter in (date(2018, 4, 1), LATER)
        complete_rollback(root)
        # As a refresh does: the record and the current release agree.
        publish(folder, quarter=LATER)
        wanted = date(2018, 4, 1) if read_rollback(root) else LATER
        assert read_release(root / "csp.duckdb").quarter == wanted, f"after {at}"
        assert len(list_releases(root)) == 2
        work(folder)
        assert [path.name for path in root.glob(".*")] == [], f"after {at}"


@pytest.mark.slow
@pytest.mark.parametrize("ending", [False, True])
@pytest.mark.parametrize("fault", [kill, fill_the_disk])
def test_a_rollback_with_a_fault_at_any_call_is_completed(
    tmp_path: Path, fault: Callable[[], NoReturn], ending: bool
) -> None:
    _rollbacks(tmp_path, fault, FAULTS, ending=ending)


def test_a_rollback_that_was_only_recorded_is_completed(tmp_path: Path) -> None:
    publish(tmp_path)
    publish(tmp_path, quarter=LATER)
    root = tmp_path / "published"

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr("orchestration.releases.release_registry.place_copy", stop)
        _rolled(tmp_path)
    assert read_rollback(root)
    assert read_release(root / "csp.duckdb").quarter == LATER
    publish(tmp_path, quarter=LATER)
    assert read_release(root / "csp.duckdb").quarter == date(2018, 4, 1)
    assert complete_rollback(root) is None


def test_the_newest_release_is_current_after_the_end_of_a_rollback_was_cut_short(
    tmp_path: Path,
) -> None:
    publish(tmp_path)
    publish(tmp_path, quarter=LATER)
    _rolled(tmp_path)
    (tmp_path / "published" / "rollback.json").unlink()
    publish(tmp_path)
    assert read_release(tmp_path / "published" / "csp.duckdb").quarter == LATER

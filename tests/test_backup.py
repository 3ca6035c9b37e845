"""Backups: what is put back is what was there, and nothing is put back that is not."""

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr

from orchestration.config.settings import Settings
from orchestration.errors import (
    BackupError,
    EncryptionError,
    WarehouseBusyError,
    WarehouseDamagedError,
)
from orchestration.warehouse.backup import back_up, backups, manifest_path, prune, repair, restore
from orchestration.warehouse.connection import connect, damage_note, writer_lock
from tests.support import Ground, month_file

NOW = datetime(2018, 8, 1, 6, tzinfo=UTC)
LATER = datetime(2018, 8, 2, 6, tzinfo=UTC)
COUNT = "select count(*) from raw.police_uk_street"


@pytest.fixture
def loaded(ground: Ground) -> Ground:
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file(rows=10)})
    ground.load("police_uk_street")
    return ground


def test_restored_warehouse_is_the_one_that_was_backed_up(loaded: Ground) -> None:
    backup, manifest = back_up(loaded.settings, None, NOW)
    assert manifest.tables["raw.police_uk_street"].rows == 10
    assert backup.stat().st_mode & 0o077 == 0
    before = loaded.settings.warehouse.read_bytes()
    loaded.put("police_uk_street", "2018-04-01", {"2018-05.csv": month_file("2018-05", 5)})
    loaded.load("police_uk_street")
    newer = loaded.settings.warehouse.read_bytes()

    aside = restore(loaded.settings, backup, LATER).aside

    assert loaded.settings.warehouse.read_bytes() == before
    assert loaded.value(COUNT) == 10
    assert aside is not None
    assert aside.read_bytes() == newer
    # And the load continues from there.
    assert loaded.load("police_uk_street").total("rows_loaded") == 15


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-4096]), "is not what was backed up"),
        (lambda file: manifest_path(file).unlink(), "is missing"),
        (lambda file: manifest_path(file).write_text("{}"), "cannot be read as"),
        (lambda file: file.unlink(), "is not a file"),
    ],
)
def test_spoilt_backup_is_refused_and_nothing_changes(
    loaded: Ground, spoil: Callable[[Path], object], words: str
) -> None:
    backup, _ = back_up(loaded.settings, None, NOW)
    before = loaded.settings.warehouse.read_bytes()
    spoil(backup)
    with pytest.raises(BackupError, match=words):
        restore(loaded.settings, backup, LATER)
    assert loaded.settings.warehouse.read_bytes() == before
    leftovers = [path.name for path in loaded.settings.home.iterdir() if "building" in path.name]
    assert leftovers == []


@pytest.mark.parametrize("field", ["rows", "digest"])
def test_backup_with_other_content_than_its_manifest_is_refused(loaded: Ground, field: str) -> None:
    backup, _ = back_up(loaded.settings, None, NOW)
    manifest = json.loads(manifest_path(backup).read_text())
    manifest["tables"]["raw.police_uk_street"][field] = 9 if field == "rows" else "9"
    manifest_path(backup).write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match="does not hold what its manifest says: raw"):
        restore(loaded.settings, backup, LATER)


def test_one_writer_at_a_time(loaded: Ground) -> None:
    backup, _ = back_up(loaded.settings, None, NOW)
    with writer_lock(loaded.settings.home, "A refresh"):
        with pytest.raises(WarehouseBusyError, match="A refresh"):
            back_up(loaded.settings, None, LATER)
        with pytest.raises(WarehouseBusyError, match="A refresh"):
            restore(loaded.settings, backup, LATER)


def test_what_was_not_yet_checkpointed_is_backed_up(loaded: Ground, tmp_path: Path) -> None:
    script = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); "
        "c.execute('pragma disable_checkpoint_on_shutdown'); "
        "c.execute('create table t as select 1');"
        " os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(loaded.settings.warehouse)], check=True)
    assert loaded.settings.warehouse.with_suffix(".duckdb.wal").exists()
    _, manifest = back_up(loaded.settings, tmp_path / "elsewhere" / "x.duckdb", NOW)
    assert manifest.tables["main.t"].rows == 1


def test_existing_file_is_not_overwritten(loaded: Ground, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("mine")
    with pytest.raises(BackupError, match="exists already"):
        back_up(loaded.settings, tmp_path / "x", NOW)
    assert (tmp_path / "x").read_text() == "mine"


def test_only_the_newest_are_kept(loaded: Ground) -> None:
    first, _ = back_up(loaded.settings, None, NOW)
    second, _ = back_up(loaded.settings, None, LATER)
    assert prune(loaded.settings, 1) == [first]
    assert backups(loaded.settings) == [second]
    assert not manifest_path(first).exists()


def _spoil(file: Path, at: int) -> None:
    content = bytearray(file.read_bytes())
    content[at : at + 64] = bytes(byte ^ 0xFF for byte in content[at : at + 64])
    file.write_bytes(content)


def test_damaged_warehouse_is_repaired_from_the_newest_sound_backup(loaded: Ground) -> None:
    sound, _ = back_up(loaded.settings, None, NOW)
    spoilt, _ = back_up(loaded.settings, None, LATER)
    _spoil(spoilt, 20_000)
    loaded.settings.warehouse.write_bytes(b"no database")
    said: list[str] = []
    repair(loaded.settings, said.append, LATER)
    assert loaded.value(COUNT) == 10
    assert str(sound) in said[0]
    assert (loaded.settings.home / "warehouse-damaged-20180802T060000Z.duckdb").read_bytes() == (
        b"no database"
    )
    repair(loaded.settings, said.append, LATER)
    assert len(said) == 1


def test_damaged_warehouse_without_a_backup_is_rebuilt_from_the_landing_zone(
    loaded: Ground,
) -> None:
    loaded.settings.warehouse.write_bytes(b"")
    said: list[str] = []
    repair(loaded.settings, said.append, NOW)
    assert "rebuilt from the landing zone" in said[0]
    loaded.load("police_uk_street")
    assert loaded.value(COUNT) == 10


def test_damage_found_on_the_way_is_noted_for_the_next_run(loaded: Ground) -> None:
    """A block deep in the file fails its checksum only when it is read."""
    with connect(loaded.settings) as connection:
        connection.execute(
            "create table main.big as select hash(range)::hugeint as n from range(300000)"
        )
    size = loaded.settings.warehouse.stat().st_size
    for at in range(300_000, size - 300_000, 100_000):
        _spoil(loaded.settings.warehouse, at)
    with pytest.raises(WarehouseDamagedError, match="Refresh again"):
        loaded.query("select sum(n) from big")
    assert damage_note(loaded.settings.warehouse).exists()
    said: list[str] = []
    repair(loaded.settings, said.append, NOW)
    assert said
    assert not damage_note(loaded.settings.warehouse).exists()


def test_backup_of_a_damaged_warehouse_is_refused(loaded: Ground) -> None:
    with connect(loaded.settings) as connection:
        connection.execute(
            "create table main.big as select hash(range)::hugeint as n from range(300000)"
        )
    size = loaded.settings.warehouse.stat().st_size
    for at in range(300_000, size - 300_000, 100_000):
        _spoil(loaded.settings.warehouse, at)
    with pytest.raises(WarehouseDamagedError):
        back_up(loaded.settings, None, NOW)
    assert backups(loaded.settings) == []


def test_commands_say_what_they_did(
    loaded: Ground, csp: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    environment = {"CSP_HOME": str(loaded.settings.home), "CSP_RAW": str(loaded.settings.raw)}
    file = tmp_path / "backup.duckdb"
    made = csp("backup", str(file), **environment)
    assert made.returncode == 0, made.stderr
    assert "Backed up and verified" in made.stdout
    back = csp("restore", str(file), **environment)
    assert back.returncode == 0, back.stderr
    assert "The earlier warehouse is kept as" in back.stdout
    again = csp("backup", str(file), **environment)
    assert again.returncode == 1
    assert "exists already" in " ".join(again.stderr.split())


# --- of an encrypted warehouse ---------------------------------------------------------------

LOCK = "the key of the warehouse, for tests"
needs_extension = pytest.mark.skipif(
    not duckdb.__version__.startswith("1.5."),
    reason="DuckDB writes encrypted files with httpfs only, which is not packaged for this version",
)


def with_key(settings: Settings, key: str | None) -> Settings:
    return settings.model_copy(update={"warehouse_key": SecretStr(key) if key else None})


@pytest.fixture
def locked(ground: Ground) -> Ground:
    encrypted = Ground(with_key(ground.settings, LOCK))
    encrypted.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file(rows=10)})
    encrypted.load("police_uk_street")
    return encrypted


def _leftovers(ground: Ground) -> list[str]:
    return [path.name for path in ground.settings.home.rglob(".building-*")]


@needs_extension
def test_encrypted_warehouse_is_backed_up_encrypted_and_restored(locked: Ground) -> None:
    backup, manifest = back_up(locked.settings, None, NOW)
    assert manifest.tables["raw.police_uk_street"].rows == 10
    assert b"Cambridgeshire" not in backup.read_bytes()
    assert LOCK not in manifest_path(backup).read_text()
    locked.put("police_uk_street", "2018-04-01", {"2018-05.csv": month_file("2018-05", 5)})
    locked.load("police_uk_street")
    restore(locked.settings, backup, LATER)
    assert locked.value(COUNT) == 10
    assert locked.settings.warehouse.read_bytes() == backup.read_bytes()
    assert locked.load("police_uk_street").total("rows_loaded") == 15


@needs_extension
@pytest.mark.parametrize("key", [LOCK[::-1], None])
def test_backup_of_another_key_is_refused_and_nothing_changes(
    locked: Ground, key: str | None
) -> None:
    backup, _ = back_up(locked.settings, None, NOW)
    before = locked.settings.warehouse.read_bytes()
    with pytest.raises(EncryptionError) as caught:
        restore(with_key(locked.settings, key), backup, LATER)
    said = str(caught.value)
    assert str(backup) in said and "CSP_WAREHOUSE_KEY" in said and "2018-08-01 06:00" in said
    assert LOCK not in said and LOCK[::-1] not in said
    assert locked.settings.warehouse.read_bytes() == before
    assert _leftovers(locked) == []


@needs_extension
def test_backup_in_the_open_is_not_restored_under_a_key(loaded: Ground) -> None:
    backup, _ = back_up(loaded.settings, None, NOW)
    with pytest.raises(EncryptionError, match="unset it if there was none"):
        restore(with_key(loaded.settings, LOCK), backup, LATER)
    assert _leftovers(loaded) == []


@needs_extension
@pytest.mark.parametrize("field", ["rows", "digest"])
def test_encrypted_backup_is_held_against_its_manifest(locked: Ground, field: str) -> None:
    backup, _ = back_up(locked.settings, None, NOW)
    manifest = json.loads(manifest_path(backup).read_text())
    manifest["tables"]["raw.police_uk_street"][field] = 9 if field == "rows" else "9"
    manifest_path(backup).write_text(json.dumps(manifest))
    with pytest.raises(BackupError, match="does not hold what its manifest says: raw"):
        restore(locked.settings, backup, LATER)


@needs_extension
@pytest.mark.parametrize("place", [0, 8, 4096, 12_288, 20_000, 60_000])
def test_damaged_encrypted_warehouse_is_repaired_from_a_backup(locked: Ground, place: int) -> None:
    back_up(locked.settings, None, NOW)
    _spoil(locked.settings.warehouse, place)
    said: list[str] = []
    repair(locked.settings, said.append, LATER)
    assert "rebuilt from the backup" in said[0]
    assert locked.value(COUNT) == 10


@needs_extension
def test_backups_of_another_key_are_not_given_up_for_the_landing_zone(locked: Ground) -> None:
    first, _ = back_up(locked.settings, None, NOW)
    locked.settings.warehouse.write_bytes(b"no database")
    changed = with_key(locked.settings, LOCK[::-1])
    with pytest.raises(EncryptionError, match=first.name):
        repair(changed, print, LATER)
    assert locked.settings.warehouse.read_bytes() == b"no database"
    assert _leftovers(locked) == []
    repair(locked.settings, lambda _: None, LATER)
    assert locked.value(COUNT) == 10

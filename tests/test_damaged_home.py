"""Whatever happens to a file under CSP_HOME, a command repairs it and says so, or stops in a
sentence with its exit code.

DAMAGED_REFRESHES sets after how many kinds of damage the long test runs a whole refresh (0: every
one).
"""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

import pytest

from orchestration.cli.exit_codes import ExitCode
from orchestration.cli.stopped import describe
from orchestration.config.settings import Settings
from orchestration.dagster.record_files import set_aside_damaged
from orchestration.errors import LandingError, StorageError
from orchestration.transform import dbt_runner
from orchestration.warehouse.atomic_file import place
from orchestration.warehouse.connection import writer_lock
from tests.support import Ground

REFRESHES = int(os.environ.get("DAMAGED_REFRESHES", "2"))
Damage = Callable[[Path], None]


def delete(path: Path) -> None:
    path.unlink()


def halve(path: Path) -> None:
    content = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(content[: len(content) // 2])


def zero(path: Path) -> None:
    size = path.stat().st_size
    path.chmod(0o600)
    path.write_bytes(bytes(size))


def empty(path: Path) -> None:
    path.chmod(0o600)
    path.write_bytes(b"")


def become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = (delete, halve, zero, empty, become_a_folder)
PLACES = (
    "warehouse.duckdb", "warehouse.lock", "pseudonym.key", "published/csp.duckdb",
    "published/2018-04-01/csp.duckdb", "dbt/inputs.sha256", "dbt/lineage.json",
    "dbt/target/manifest.json", "dbt/target/partial_parse.msgpack",
    "dbt/target/semantic_manifest.json", "dagster/dagster.yaml", "dagster/.records.lock",
    "dagster/history/runs.db", "dagster/history/runs/index.db", "dagster/history/runs/*-*.db",
    "dagster/schedules/schedules.db", "exports/2018-04-01/fenland/SHA256SUMS",
    "exports/2018-04-01/fenland/manifest.json", "exports/2018-04-01/fenland/workbook.xlsx",
    "supplier_reports/*/*/v1.csv",
)  # fmt: skip
"""One file of each kind under the home."""


def _csp(home: Path, raw: Path, *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed."""
    done = subprocess.run(
        [sys.executable, "-m", "orchestration.cli", *arguments],
        env=os.environ | {"CSP_HOME": str(home), "CSP_RAW": str(raw), "COLUMNS": "250"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout


def _amiss(done: tuple[int, str]) -> str | None:
    """Return what is wrong with how a command ended, or none."""
    code, said = done
    foreseen = code >= 0 and code not in (ExitCode.WRONG_ARGUMENTS, ExitCode.UNEXPECTED)
    if foreseen and "Traceback" not in said and "Unexpected error" not in said and said:
        return None
    return f"code {code}: {said[-1500:]}"


def _damaged(sample: Ground, folder: Path, place: str, damage: Damage) -> Path | None:
    home = folder / "var"
    shutil.copytree(sample.settings.home, home, ignore=_not_needed)
    for found in sorted(home.glob(place))[:1]:
        damage(found)
        return home
    return None


def _not_needed(folder: str, names: list[str]) -> set[str]:
    """Leave out most of the many small files: a refresh makes them again."""
    if folder.endswith("2018-04-01") and "fenland" in names:
        return set(names) - {"fenland"}
    return {"compiled", "run"} & set(names)


def _commands(place: str) -> tuple[tuple[str, ...], ...]:
    """Return the commands that read a place; what each refresh reads is prepared."""
    if place.startswith(("dbt", "dagster")):
        return (("prepare",),)
    if place.startswith("published"):
        return ("status",), ("releases",), ("sql", "--published", "select 1")
    return ("status",), ("sql", "select 1"), ("backup",)


ALL = [(place, damage) for place in PLACES for damage in DAMAGES]
EACH_ONCE = [(place, DAMAGES[number % len(DAMAGES)]) for number, place in enumerate(PLACES)]
CHOSEN = EACH_ONCE[:: max(1, len(EACH_ONCE) // REFRESHES)][:REFRESHES] if REFRESHES else ALL


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "damage"),
    [
        pytest.param(place, damage, marks=pytest.mark.campaign if place[:3] == "dbt" else ())
        for place, damage in (EACH_ONCE if REFRESHES else ALL)
    ],
)
def test_commands_on_a_damaged_file_end_in_a_sentence(
    sample: Ground, tmp_path: Path, place: str, damage: Damage
) -> None:
    home = _damaged(sample, tmp_path, place, damage)
    if home is None:
        pytest.skip(f"{place} is not there")
    ended = {
        command: _amiss(_csp(home, sample.settings.raw, *command)) for command in _commands(place)
    }
    assert not any(ended.values()), ended


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.parametrize(("place", "damage"), CHOSEN)
def test_a_refresh_of_a_damaged_home_repairs_it_or_ends_in_a_sentence(
    sample: Ground, tmp_path: Path, place: str, damage: Damage
) -> None:
    home = _damaged(sample, tmp_path, place, damage)
    if home is None:
        pytest.skip(f"{place} is not there")
    done = _csp(home, sample.settings.raw, "refresh", "2018-04-01")
    assert _amiss(done) is None, done


# --- the cheap ones ------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", [halve, zero, empty, become_a_folder])
def test_damaged_records_of_dagster_are_set_aside(tmp_path: Path, damage: Damage) -> None:
    (tmp_path / "history" / "runs").mkdir(parents=True)
    (tmp_path / "schedules").mkdir()
    sound = tmp_path / "history" / "runs" / "index.db"
    hurt = tmp_path / "history" / "runs.db"
    for file in (sound, hurt):
        with sqlite3.connect(file) as connection:
            connection.execute("create table one (text)")
            connection.executemany("insert into one values (?)", [["x" * 500]] * 200)
        connection.close()
    damage(hurt)
    assert set_aside_damaged(tmp_path, "now") == [hurt]
    assert (tmp_path / "history" / "runs.db.damaged-now").exists()
    assert not hurt.exists()
    assert sound.exists()


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("place", ["inputs.sha256", "lineage.json", "target/manifest.json"])
def test_a_damaged_parsed_project_is_parsed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, damage: Damage
) -> None:
    settings = Settings(home=tmp_path)
    manifest, lineage = dbt_runner.manifest_path(settings), dbt_runner.lineage_path(settings)

    def parse(*_: object, **__: object) -> None:
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text('{"nodes": {}}')
        lineage.write_text("{}")

    monkeypatch.setattr(dbt_runner, "run_dbt", parse)
    monkeypatch.setattr(dbt_runner, "_compiled_models", lambda *_: {})
    monkeypatch.setattr(dbt_runner, "_write_lineage", lambda *_: None)
    monkeypatch.setattr(dbt_runner, "inputs_sha256", lambda: "of the project")
    assert dbt_runner.prepare_manifest(settings)
    assert not dbt_runner.prepare_manifest(settings)
    damage(settings.dbt_state / place)
    assert dbt_runner.prepare_manifest(settings)
    assert not dbt_runner.prepare_manifest(settings)
    assert dbt_runner.load_manifest(settings) == {"nodes": {}}


def test_a_published_file_replaces_an_empty_folder_and_no_other(tmp_path: Path) -> None:
    for name in ("new", "other"):
        (tmp_path / name).write_text(name)
    target = tmp_path / "csp.duckdb"
    target.mkdir()
    place(tmp_path / "new", target)
    assert target.read_text() == "new"
    target.unlink()
    (target / "kept").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        place(tmp_path / "other", target)
    assert (target / "kept").is_dir()


def _no_locks(*_: object) -> NoReturn:
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))


def test_a_drive_without_locks_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", _no_locks)
    with (
        pytest.raises(StorageError, match=r"warehouse\.lock cannot be locked"),
        writer_lock(tmp_path, "A test"),
    ):
        pass


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (LandingError("Nothing was landed."), 1, "Nothing was landed."),
        (OSError(errno.ENOSPC, "No space left on device", "/x/y"), 1, "/x/y"),
        (OSError(errno.EACCES, "Permission denied", "/x/y"), 1, "permission"),
        (OSError(errno.ENOLCK, "No locks available"), 1, "file locks"),
        (sqlite3.OperationalError("database or disk is full"), 1, "disk"),
        (MemoryError(), 1, "CSP_MEMORY_LIMIT"),
        (KeyboardInterrupt(), 130, "Interrupted"),
        (ValueError("12/03/1984 of a person"), 3, "ValueError"),
    ],
)
def test_every_error_is_a_sentence_and_a_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, words: str
) -> None:
    monkeypatch.setenv("CSP_HOME", str(tmp_path))
    said, ended = describe(error)
    assert (ended, words in said) == (code, True)
    written = "".join(file.read_text() for file in tmp_path.iterdir())
    assert "1984" not in said + written
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("sign", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_command_with_its_code(tmp_path: Path, sign: int, code: int) -> None:
    """The command waits for the lock, which the test holds."""
    settings = Settings(home=tmp_path / "var", raw=tmp_path / "raw")
    settings.home.mkdir()
    settings.warehouse.write_bytes(b"")
    environment = os.environ | {
        "CSP_HOME": str(settings.home), "CSP_RAW": str(settings.raw), "CSP_LOCK_WAIT_SECONDS": "60",
    }  # fmt: skip
    with writer_lock(settings.home, "A test"):
        running = subprocess.Popen(
            [sys.executable, "-m", "orchestration.cli", "backup"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            # A job in the background ignores Ctrl-C, and so would what it starts.
            preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        deadline = time.monotonic() + 60
        while running.poll() is None and time.monotonic() < deadline:
            if _waits(running.pid):
                break
            time.sleep(0.1)
        running.send_signal(sign)
        said, _ = running.communicate(timeout=60)
    assert running.returncode == code, said
    assert "Traceback" not in said
    assert "Stopped" in said


def _waits(pid: int) -> bool:
    """Say whether a process has the lock's file open."""
    opened = []
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            opened.append(link.readlink().name)
        except OSError:
            continue
    return "warehouse.lock" in opened

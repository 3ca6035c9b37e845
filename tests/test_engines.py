"""Where DuckDB puts what does not fit into memory, and which keys are refused."""

import ast
from pathlib import Path

import duckdb
import pytest
from pydantic import SecretStr
from rich.console import Console

from orchestration.cli.sql import ask
from orchestration.config.key_strength import weakness
from orchestration.config.settings import PROJECT, load_settings
from orchestration.errors import PseudonymKeyError, SettingsError, StorageError
from orchestration.releases.published_file import engine
from orchestration.warehouse.connection import connect
from orchestration.warehouse.scratch import scratch_under
from tests.support import Ground

LOCK = "the key of the warehouse, for tests"
SPILLING = (
    "select count(*) from (select hash(range) h, range::varchar || repeat('x', 200) t "
    "from range(600000) order by h, t limit 500000)"
)
"""A query that needs more than the least memory."""


def opened_engines(path: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func) in ("duckdb.connect", "duckdb.sql", "duckdb.execute")
    ]


def test_every_engine_is_given_its_temporary_folder() -> None:
    """Without one, DuckDB in memory spills into the working directory."""
    calls = {
        f"{path.relative_to(PROJECT)}:{call.lineno}": call
        for path in (PROJECT / "orchestration").rglob("*.py")
        for call in opened_engines(path)
    }
    assert len(calls) >= 5
    for place, call in calls.items():
        assert "config" in {keyword.arg for keyword in call.keywords}, place


@pytest.mark.parametrize("key", [None, LOCK])
def test_a_question_that_does_not_fit_into_memory_spills_under_the_home(
    key: str | None, ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the warehouse is encrypted, for a reader as for a writer."""
    settings = ground.settings.model_copy(
        update={
            "warehouse_key": SecretStr(key) if key else None,
            "memory_limit": 256 << 20,
            "threads": 1,
        }
    )
    with connect(settings) as connection:
        connection.execute("create table t as select 1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    with connect(settings, read_only=True) as connection:
        connection.execute("set memory_limit = '64MiB'")
        assert connection.execute(SPILLING).fetchall() == [(500_000,)]
        ((spill,),) = connection.execute("select current_setting('temp_directory')").fetchall()
    assert Path(spill).is_relative_to(settings.home)
    assert not list(elsewhere.iterdir())


def test_a_question_to_the_published_database_spills_under_the_home(
    ground: Ground, capsys: pytest.CaptureFixture[str]
) -> None:
    ground.settings.published.mkdir(parents=True)
    with duckdb.connect(ground.settings.published / "csp.duckdb"):
        pass
    query = "select current_setting('temp_directory') as place"
    ask(ground.settings, query, published=True, as_csv=True, console=Console())
    place = capsys.readouterr().out.splitlines()[-1]
    assert Path(place).is_relative_to(ground.settings.home)


def test_a_release_is_read_beside_itself(tmp_path: Path) -> None:
    with engine(tmp_path / ".spill") as connection:
        ((place,),) = connection.execute("select current_setting('temp_directory')").fetchall()
    assert place == str(tmp_path / ".spill")


def test_a_temporary_folder_is_swept_when_it_has_been_left(tmp_path: Path) -> None:
    import os

    left, running = tmp_path / ".scratch-left", tmp_path / ".scratch-running"
    left.mkdir()
    running.mkdir()
    os.utime(left, (0, 0))
    with scratch_under(tmp_path) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        assert not left.exists()
    assert [path.name for path in tmp_path.iterdir()] == [running.name]
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="file"), scratch_under(tmp_path / "file"):
        pass


WEAK = ["short", "k" * 40, "1234567890123456", "abcdefghijklmnopqrstuvwx", "passwordpassword", ""]
STRONG = ["correct horse battery", "9f86d081884c7d65", LOCK]


@pytest.mark.parametrize("key", WEAK)
@pytest.mark.parametrize("name", ["CSP_WAREHOUSE_KEY", "CSP_PSEUDONYM_KEY"])
def test_a_weak_key_is_refused_and_not_shown(
    key: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, key)
    if not key:
        assert weakness(key)
        return
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings()
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", STRONG)
def test_a_strong_key_is_accepted(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weakness(key) is None
    monkeypatch.setenv("CSP_WAREHOUSE_KEY", key)
    load_settings()


def key_refused(ground: Ground, words: str) -> None:
    ground.put("iom_cohort", "2018-04-01", {})
    with pytest.raises(PseudonymKeyError, match=words) as caught:
        ground.load("iom_cohort")
    assert "passwordpassword" not in str(caught.value)


def test_only_an_own_file_with_a_strong_key_is_a_key_file(ground: Ground, tmp_path: Path) -> None:
    import os

    path = ground.settings.pseudonym_key_file
    path.parent.mkdir(exist_ok=True)
    good = tmp_path / "good.key"
    good.write_text(os.urandom(32).hex())
    good.chmod(0o600)
    path.symlink_to(good)
    key_refused(ground, "link")
    path.unlink()
    path.symlink_to(tmp_path / "nowhere")
    key_refused(ground, "link")
    path.unlink()
    os.mkfifo(path, 0o600)
    key_refused(ground, "not a file")
    path.unlink()
    path.mkdir()
    key_refused(ground, "not a file")
    path.rmdir()
    path.write_text("passwordpassword")
    path.chmod(0o600)
    key_refused(ground, "weak")
    path.chmod(0o604)
    key_refused(ground, "chmod 600")
    path.write_bytes(good.read_bytes())
    path.chmod(0o600)
    ground.load("iom_cohort")

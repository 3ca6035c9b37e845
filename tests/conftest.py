"""What the tests share: settings in a folder of their own, and refreshes run once a session."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT, Settings
from tests.support import SAMPLE_QUARTERS, Ground, land_real_extracts, made_once, refresh

REAL = os.environ.get("CSP_REAL_DATA")
REFRESHED = ("sample", "real", "quarters")
"""Fixtures that are whole refreshes, each made once for all workers; the longest last."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Skip what needs the real extracts where they are not named."""
    if "real" in item.keywords and not REAL:
        reason = "CSP_REAL_DATA does not name the real public extracts"
        item.add_marker(pytest.mark.skip(reason=reason))
    # Whole refreshes beside that of the sample are no quick test.
    if {"real", "quarters"} & set(getattr(item, "fixturenames", ())):
        item.add_marker(pytest.mark.slow)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Order the tests that are left so that both workers are busy.

    The first worker begins with the longest refreshes, the other with what needs none.
    """
    items.sort(key=_longest_refresh)
    if items and _longest_refresh(items[-1]):
        items.insert(0, items.pop())


def _longest_refresh(item: pytest.Function) -> int:
    """Return 0 for a test that needs no refresh, otherwise the place of the longest it needs."""
    needed = [place for place, name in enumerate(REFRESHED, 1) if name in item.fixturenames]
    return max(needed, default=0)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the developer's own settings out of the tests."""
    for name in list(os.environ):
        if name.startswith("CSP_") and name != "CSP_REAL_DATA":
            monkeypatch.delenv(name)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """An empty landing zone and warehouse."""
    return Ground(Settings(home=tmp_path / "var", raw=tmp_path / "raw"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of the real public extracts."""
    assert REAL
    return Path(REAL)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The sample of raw/, refreshed by the command line. Tests only read it."""
    folder = made_once(
        tmp_path_factory, "sample", lambda made: _refresh(made, PROJECT / "raw", "2018-04-01")
    )
    return Ground(Settings(home=folder / "var", raw=PROJECT / "raw"))


@pytest.fixture(scope="session")
def quarters(sample: Ground, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The home of each of the sample's last quarters, refreshed one after another; only read."""

    def make(folder: Path) -> None:
        before = sample.settings.home
        for quarter in SAMPLE_QUARTERS[1:]:
            shutil.copytree(before, folder / quarter / "var")
            _refresh(folder / quarter, PROJECT / "raw", quarter)
            before = folder / quarter / "var"

    folder = made_once(tmp_path_factory, "quarters", make)
    later = {quarter: folder / quarter / "var" for quarter in SAMPLE_QUARTERS[1:]}
    return {SAMPLE_QUARTERS[0]: sample.settings.home, **later}


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Ground:
    """The real extracts, refreshed as at 2026-04-01. Tests only read it."""

    def make(folder: Path) -> None:
        land_real_extracts(real_data, folder / "raw")
        _refresh(folder, folder / "raw", "2026-04-01")

    folder = made_once(tmp_path_factory, "real", make)
    return Ground(Settings(home=folder / "var", raw=folder / "raw"))


def _refresh(folder: Path, raw: Path, quarter: str) -> None:
    _keep_the_key(folder / "var")
    done = refresh(folder / "var", raw, quarter)
    assert done.returncode == 0, done.stdout + done.stderr


def _keep_the_key(home: Path) -> None:
    """Give a home the key of every run: which counts are hidden follows from it by secret draws."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    key = home / "pseudonym.key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(hashlib.sha256(b"the sample of the tests").hexdigest(), encoding="ascii")


@pytest.fixture
def csp() -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """Run the command line in a process of its own."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            env={**os.environ, "COLUMNS": "200", **environment},
            capture_output=True,
            text=True,
            check=False,
        )

    yield run

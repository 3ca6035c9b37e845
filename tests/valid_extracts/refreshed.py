"""Whole refreshes of a landing zone in this process, without the start of a new one for each."""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.console import Console

from orchestration.cli.prepare import prepare
from orchestration.cli.refresh import run_refresh
from orchestration.config.settings import Settings


@dataclass(frozen=True)
class Refreshed:
    """What a refresh printed, and how it ended."""

    code: int
    said: str


def prepared_home(folder: Path) -> Path:
    """Return a home in which dbt is parsed and Dagster set up, to be copied for each example."""
    home = folder / "var"
    with _environment(home, folder / "raw", None):
        prepare(Settings())
    return home


def settings_of(folder: Path, prepared: Path | None = None, rounded: bool = False) -> Settings:
    """Return the settings of a zone's folder; its home starts as a copy of ``prepared``.

    The tables that are rounded are left out of the release unless they are asked for.
    """
    home = folder / "var"
    if prepared and not home.exists():
        shutil.copytree(prepared, home)
    return Settings(
        home=home,
        raw=folder / "raw",
        partnerships=folder / "partnerships.toml",
        rounded_tables=rounded,
    )


def refreshed(settings: Settings, quarter: date) -> Refreshed:
    """Refresh a quarter as ``csp refresh`` does."""
    text = io.StringIO()
    console = Console(file=text, width=200)
    rounded = settings.rounded_tables
    with _environment(settings.home, settings.raw, settings.partnerships, rounded):
        code = run_refresh(settings, quarter, console)
    return Refreshed(code, text.getvalue())


@contextmanager
def _environment(
    home: Path, raw: Path, partnerships: Path | None, rounded: bool = False
) -> Iterator[None]:
    """Set what Dagster's definitions read, and put back what was there."""
    wanted = {"CSP_HOME": str(home), "CSP_RAW": str(raw), "CSP_ROUNDED_TABLES": str(rounded)}
    if partnerships:
        wanted["CSP_PARTNERSHIPS"] = str(partnerships)
    before = dict(os.environ)
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

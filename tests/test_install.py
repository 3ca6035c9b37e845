"""The package without its development extras is enough for a whole refresh."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT

UV = Path(sys.executable).with_name("uv")
COPIED = ("orchestration", "dbt_project", "raw", "pyproject.toml", "README.md", "LICENSE")


@pytest.mark.slow
@pytest.mark.campaign
def test_an_install_without_extras_refreshes(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, project / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, project)
    python = tmp_path / "environment" / "bin" / "python"
    commands: list[list[str]] = [
        [str(UV), "venv", "--quiet", "--python", sys.executable, str(tmp_path / "environment")],
        [
            str(UV), "pip", "install", "--quiet", "--python", str(python), "--no-verify-hashes",
            "--constraint", str(PROJECT / "requirements.lock"), "--editable", str(project),
        ],
        [str(python), "-W", "ignore", "-m", "orchestration.cli", "refresh", "2018-10-01"],
    ]  # fmt: skip
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CSP_")}
    for command in commands:
        done = subprocess.run(
            command,
            cwd=project,
            env={**kept, "CSP_HOME": str(tmp_path / "var"), "PYTHONPATH": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "var" / "published" / "csp.duckdb").is_file()
    assert (tmp_path / "var" / "exports" / "2018-10-01" / "fenland" / "pack.docx").is_file()

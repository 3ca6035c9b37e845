"""The units, the container recipe and the settings of a server."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestration.config.settings import PROJECT, Settings, load_settings

DEPLOY = PROJECT / "deploy"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing")
def test_units_are_sound(tmp_path: Path) -> None:
    for unit in UNITS:
        # Its programs, its folder and its settings are not on this machine.
        text = re.sub(r"/opt/csp-warehouse/\.venv/bin/[a-z-]+", "/bin/true", unit.read_text())
        text = re.sub(r"(?m)^(EnvironmentFile|WorkingDirectory)=.*\n", "", text)
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in UNITS)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "csp" not in done.stderr


def test_services_give_no_privileges_and_the_screen_is_on_the_loopback_address() -> None:
    for unit in DEPLOY.glob("*.service"):
        text = unit.read_text()
        for line in ("User=csp", "NoNewPrivileges=true", "ProtectSystem=strict",
                     "CapabilityBoundingSet=\n", "ProtectHome=true", "MemoryMax=",
                     "LimitCORE=0"):  # fmt: skip
            assert line in text, (unit.name, line)
    assert "--host 127.0.0.1" in (DEPLOY / "csp-webserver.service").read_text()
    assert "csp serve" in (DEPLOY / "csp-webserver.service").read_text()


def test_image_is_a_named_release_without_sample_or_tools_of_development() -> None:
    recipe = (DEPLOY / "Containerfile").read_text()
    assert "\nUSER csp\n" in recipe
    assert re.search(r"(?m)^ARG BASE=\S+:3\.11\.\d+-slim-\w+$", recipe)
    assert set(re.findall(r"(?m)^FROM (\S+)", recipe)) == {"${BASE}"}
    copied = {name for line in re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", recipe)
              for name in line.split()}  # fmt: skip
    kept = re.findall(r"(?m)^!(\S+)$", (PROJECT / ".containerignore").read_text())
    assert copied == set(kept)
    assert not copied & {"raw", "tests", "docs", "deploy", "."}
    assert "--constraint requirements.lock" in recipe
    assert "[dev]" not in recipe


def test_programs_of_the_units_are_those_that_are_installed() -> None:
    declared = (PROJECT / "pyproject.toml").read_text()
    for unit in DEPLOY.glob("*.service"):
        for program in re.findall(r"\.venv/bin/([a-z-]+)", unit.read_text()):
            package = {"csp": "csp =", "dagster-daemon": '"dagster>='}.get(program, f'"{program}>=')
            assert package in declared, program


def test_example_of_settings_is_a_whole_production_profile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lines = [
        line.lstrip("#") for line in (DEPLOY / "csp-warehouse.env.example").read_text().split()
    ]
    given = dict(line.split("=", 1) for line in lines if re.match(r"^(CSP|DAGSTER)_[A-Z_]+=", line))
    for name, value in given.items():
        if value:
            monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.in_production
    assert settings.alerts
    known = {f"CSP_{name.upper()}" for name in Settings.model_fields}
    assert {name for name in given if name.startswith("CSP_")} <= known
    assert given["DAGSTER_HOME"] == str(settings.dagster_home)

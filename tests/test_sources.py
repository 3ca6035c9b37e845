"""``csp sources``, ``csp describe`` and ``csp --version``: what there is, from the contracts."""

from collections.abc import Callable
from datetime import date
from importlib.metadata import version
from io import StringIO
from typing import Any

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.console import new_console
from orchestration.cli.sources import file_format, show_description
from orchestration.errors import LandingError, nearest
from orchestration.ingest.checking.contract import load_contracts, require_source
from tests.support import Ground, month_file

CONTRACTS = load_contracts()


@pytest.fixture
def run(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("CSP_HOME", str(ground.settings.home))
    monkeypatch.setenv("CSP_RAW", str(ground.settings.raw))
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_every_source_is_listed_with_what_has_landed(
    ground: Ground, run: Callable[..., Any]
) -> None:
    for quarter in ("2018-01-01", "2018-04-01"):
        ground.put("police_uk_street", quarter, {"a.csv": month_file(quarter[:7])})
    lines = {line.split()[0]: line for line in run("sources").stdout.splitlines()}
    for name, contract in CONTRACTS.items():
        for said in (contract.title, contract.supplier, contract.cadence, file_format(contract)):
            assert said in lines[name]
    assert lines["police_uk_street"].split()[-3:] == ["2", "Q1", "2018/19"]
    assert lines["iom_cohort"].split()[-2:] == ["0", "nothing"]


@pytest.mark.parametrize("source", sorted(CONTRACTS))
def test_a_description_has_every_column_of_the_contract(ground: Ground, source: str) -> None:
    contract = CONTRACTS[source]
    for width in (80, 120, None):
        said = StringIO()
        show_description(ground.settings, source, new_console(file=said, width=width))
        plain = " ".join(said.getvalue().split())
        for column in contract.columns:
            assert " ".join((column.header or column.name).split()) in plain
    for column in contract.columns:
        assert " ".join(column.meaning.split()) in plain
        for value in (column.allowed or ())[:40] if column.header else ():
            assert value in plain
    assert contract.title in plain and f"csp check {source}" in plain


def test_a_description_gives_the_header_line(ground: Ground) -> None:
    said = StringIO()
    show_description(ground.settings, "police_uk_street", new_console(file=said))
    assert month_file().splitlines()[0] in said.getvalue().splitlines()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("police_uk_stret", ["police_uk_street"]),
        ("Police UK street", ["police_uk_street"]),
        ("survey", ["community_survey"]),
        ("surveys", ["community_survey"]),
        ("police", ["police_charges", "police_offender_counts", "police_uk_outcomes"]),
        ("zzz", []),
        ("", []),
    ],
)
def test_a_wrong_source_is_answered_with_the_nearest(given: str, meant: list[str]) -> None:
    assert nearest(given, sorted(CONTRACTS)) == meant
    with pytest.raises(LandingError) as refused:
        require_source(given)
    said = str(refused.value)
    assert ("Did you mean " + " or ".join(meant) + "?" in said) == bool(meant)
    assert all(name in said for name in CONTRACTS)


@pytest.mark.parametrize(
    "arguments",
    [
        ("describe", "police"),
        ("history", "police"),
        ("check", "police", "a.csv"),
        ("land", "police", "2018-04-01", "a.csv"),
        ("accept", "police", "2018-04-01", "volume", "--reason", "x"),
    ],
)
def test_every_command_answers_a_wrong_source_alike(
    run: Callable[..., Any], arguments: tuple[str, ...]
) -> None:
    done = run(*arguments)
    assert "Did you mean police_charges or" in str(done.exception)


def test_versions_are_those_installed(run: Callable[..., Any]) -> None:
    lines = run("--version").stdout.splitlines()
    assert f"csp {version('csp-warehouse')}" in lines
    for name in ("dagster", "duckdb"):
        assert f"{name} {version(name)}" in lines
    assert f"dbt {version('dbt-core')}" in lines


def test_a_quarter_that_has_landed_is_named_by_its_label(ground: Ground) -> None:
    ground.put("iom_cohort", "2018-07-01", {"a.csv": "x\n"})
    said = StringIO()
    show_description(ground.settings, "iom_cohort", new_console(file=said))
    assert "1 delivery, the latest for Q2 2018/19" in said.getvalue()
    assert date(2018, 7, 1).isoformat() not in said.getvalue()

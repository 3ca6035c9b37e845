"""``csp doctor`` and bare ``csp``: what is found wrong with an installation, and what to do."""

import json
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from orchestration.cli import health_checks
from orchestration.cli.console import new_console
from orchestration.cli.doctor import show_health
from orchestration.cli.health_checks import find_all
from orchestration.cli.json_output import DoctorOutput, Finding
from orchestration.cli.overview import show_overview
from orchestration.config.settings import PROJECT, Settings
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.loading.pseudonyms import key_fault, warehouse_pseudonyms
from orchestration.warehouse.connection import connect, writer_lock
from orchestration.warehouse.permissions import close_new_files
from tests.support import Ground, month_file
from tests.test_exports import build

IOM = "iom_cohort"


@pytest.fixture
def loaded(ground: Ground) -> Ground:
    """A warehouse with a delivery about nobody, and a key that it was loaded with."""
    close_new_files()
    ground.put("police_uk_street", "2018-01-01", {"a.csv": month_file("2018-01")})
    ground.load("police_uk_street", "2018-01-01")
    for path in ground.settings.home.iterdir():
        path.chmod(0o700 if path.is_dir() else 0o600)
    return ground


def found(settings: Settings, check: str) -> list[Finding]:
    return [one for one in find_all(settings) if one.check == check]


def outcome(settings: Settings, check: str) -> str:
    (only,) = found(settings, check)
    return only.outcome


def test_sound_parts_are_in_order(loaded: Ground) -> None:
    for check in ("packages", "configuration", "home", "disk", "lock", "warehouse"):
        assert outcome(loaded.settings, check) == "in order", found(loaded.settings, check)
    said = found(loaded.settings, "landing zone")[0].found
    assert f"1 deliveries of 1 of {len(load_contracts())} sources" in said


def test_every_fault_and_warning_says_what_to_do(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "none", raw=tmp_path / "no raw")
    odd = [one for one in find_all(settings) if one.outcome != "in order"]
    assert {one.check for one in odd} >= {"home", "warehouse", "landing zone", "releases"}
    assert all(one.remedy for one in odd)
    assert not (tmp_path / "none").exists()


def open_to_others(settings: Settings) -> None:
    settings.warehouse.chmod(0o644)


def damage_the_warehouse(settings: Settings) -> None:
    settings.warehouse.write_bytes(b"x" * 20000)


def put_a_folder_of_no_source(settings: Settings) -> None:
    (settings.raw / "polise_uk_street" / "2018-01-01").mkdir(parents=True)


def leave_a_transfer(settings: Settings) -> None:
    (settings.raw / "police_uk_street" / "2018-01-01" / "b.csv.part").write_text("x")


def put_a_folder_of_no_quarter(settings: Settings) -> None:
    (settings.raw / "police_uk_street" / "2018-02-01").mkdir()


def damage_a_record(settings: Settings) -> None:
    history = settings.dagster_home / "history"
    history.mkdir(parents=True)
    wanted = PROJECT / "orchestration" / "dagster" / "dagster.yaml"
    shutil.copyfile(wanted, settings.dagster_home / "dagster.yaml")
    (history / "runs.db").write_bytes(b"x" * 5000)


def damage_a_release(settings: Settings) -> None:
    (settings.published / "2018-01-01").mkdir(parents=True)
    (settings.published / "2018-01-01" / "csp.duckdb").write_bytes(b"x" * 5000)


@pytest.mark.parametrize(
    ("spoil", "check", "expected", "words"),
    [
        (open_to_others, "home", "warning", "warehouse.duckdb"),
        (damage_the_warehouse, "warehouse", "fault", "is damaged"),
        (put_a_folder_of_no_source, "landing zone", "warning", "polise_uk_street"),
        (leave_a_transfer, "landing zone", "warning", "still being transferred"),
        (put_a_folder_of_no_quarter, "landing zone", "fault", "named after its quarter"),
        (damage_a_record, "Dagster's home", "fault", "runs.db"),
        (damage_a_release, "releases", "fault", "2018-01-01"),
    ],
)
def test_fault_is_found(
    loaded: Ground,
    spoil: Callable[[Settings], None],
    check: str,
    expected: str,
    words: str,
) -> None:
    spoil(loaded.settings)
    first = found(loaded.settings, check)[0]
    assert (first.outcome, words in first.found) == (expected, True), first


def test_writer_is_named(loaded: Ground) -> None:
    with writer_lock(loaded.settings.home, "Run 1a2b3c4d"):
        (lock,) = found(loaded.settings, "lock")
        assert lock.outcome == "warning"
        assert lock.found.startswith("Run 1a2b3c4d (process ")
    assert outcome(loaded.settings, "lock") == "in order"


def test_another_key_than_the_warehouses_is_a_fault_and_none_is_made(ground: Ground) -> None:
    key = ground.settings.pseudonym_key_file
    with connect(ground.settings) as connection:
        key_fault(ground.settings, connection)
        assert not key.exists()
    with connect(ground.settings) as connection:
        warehouse_pseudonyms(ground.settings, connection)
    assert outcome(ground.settings, "pseudonym key") == "in order"
    other = ground.settings.model_copy(update={"pseudonym_key": SecretStr("9f" * 32)})
    assert outcome(other, "pseudonym key") == "fault"
    key.unlink()
    (missing,) = found(ground.settings, "pseudonym key")
    assert (missing.outcome, "is missing" in missing.found) == ("fault", True)
    assert not key.exists()


def test_full_disk_is_a_fault_and_a_small_one_a_warning(
    loaded: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    for free, expected in ((100 << 20, "fault"), (700 << 20, "warning"), (9 << 30, "in order")):
        usage = SimpleNamespace(total=1, used=1, free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert outcome(loaded.settings, "disk") == expected


def test_package_of_another_version_is_named(
    loaded: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = ["duckdb>=99", "rich", "not-there-at-all>=1", "pytest>=99; extra == 'dev'"]
    monkeypatch.setattr(health_checks, "requires", lambda _: asked)
    (packages,) = found(loaded.settings, "packages")
    assert packages.outcome == "fault"
    assert "duckdb is " in packages.found and "not-there-at-all is missing" in packages.found
    assert "pytest" not in packages.found and "rich is" not in packages.found


def test_unattended_warehouse_needs_backups_and_alerts(tmp_path: Path) -> None:
    live = Settings(home=tmp_path / "home", raw=tmp_path / "raw", profile="production")
    here = Settings(home=tmp_path / "home", raw=tmp_path / "raw")
    for check in ("backups", "alerts"):
        assert outcome(live, check) == "warning"
        assert outcome(here, check) == "in order"


def test_answer_as_json_and_exit_code(loaded: Ground, csp) -> None:
    home, raw = str(loaded.settings.home), str(loaded.settings.raw)
    done = csp("doctor", "--json", CSP_HOME=home, CSP_RAW=raw)
    health = DoctorOutput.model_validate(json.loads(done.stdout))
    assert (done.returncode, done.stderr, health.faults) == (0, "", 0)
    damage_the_warehouse(loaded.settings)
    done = csp("doctor", CSP_HOME=home, CSP_RAW=raw)
    assert done.returncode == 1
    assert "Faults: 1." in done.stdout


def said_by(settings: Settings, show: Callable[..., object]) -> str:
    said = StringIO()
    show(settings, new_console(file=said, width=120))
    return said.getvalue()


def test_findings_fit_a_narrow_terminal(loaded: Ground) -> None:
    said = StringIO()
    show_health(loaded.settings, new_console(file=said, width=80))
    assert max(map(len, said.getvalue().splitlines())) <= 80


def test_overview_names_the_next_command(ground: Ground, tmp_path: Path) -> None:
    settings = ground.settings
    assert "land a supplier's files: `csp land" in said_by(settings, show_overview)
    ground.put("police_uk_street", "2018-04-01", {"a.csv": month_file()})
    landed = said_by(settings, show_overview)
    assert "up to Q1 2018/19" in landed and "Nothing is published yet" in landed
    assert "Next: `csp refresh 2018-04-01` builds and publishes the latest quarter" in landed
    with writer_lock(settings.home, "Run 1a2b3c4d"):
        assert "Wait until it has ended" in said_by(settings, show_overview)
    ground.put("police_uk_street", "2018-07-01", {"a.csv": "Wrong,Header\r\n1,2\r\n"})
    ground.load("police_uk_street", "2018-07-01")
    assert "deliveries refused: 1. `csp status` says why" in said_by(settings, show_overview)


def test_overview_of_a_published_quarter_opens_the_packs(ground: Ground) -> None:
    quarter = build(ground.settings.home).parent.name
    ground.settings.warehouse.unlink()
    ground.put("police_uk_street", quarter, {"a.csv": month_file(quarter[:7])})
    said = said_by(ground.settings, show_overview)
    assert "Published: 1 quarters" in said
    assert f"open the packs in {ground.settings.exports / quarter}" in said

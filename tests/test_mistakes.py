"""Plausible mistakes at the command line: each answer says what is wrong and what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.config.settings import PROJECT
from orchestration.errors import CspError
from orchestration.warehouse.connection import connect
from tests.support import Ground, month_file

STREET = "police_uk_street"
IOM = PROJECT / "raw/iom_cohort/2018-04-01/iom-cohort-2018-06-30.csv"
WORKBOOK = next((PROJECT / "raw/community_survey/2018-04-01").glob("*.xlsx"))


@pytest.fixture
def said(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[int, str]]:
    """Run a command in a folder with files; return its exit code and all that it says."""
    monkeypatch.setenv("CSP_HOME", str(ground.settings.home))
    monkeypatch.setenv("CSP_RAW", str(ground.settings.raw))
    work = tmp_path / "work"
    (work / "folder").mkdir(parents=True)
    monkeypatch.chdir(work)
    texts = {
        "april.csv": month_file(),
        "folder/april.csv": month_file(),
        "semicolons.csv": month_file().replace(",", ";"),
        "tabs.csv": month_file().replace(",", "\t"),
        "empty.csv": "",
        "header.csv": month_file(rows=0),
    }
    for name, text in texts.items():
        Path(name).write_text(text, encoding="utf-8")
    Path("saved-as.csv").write_bytes(WORKBOOK.read_bytes())
    Path("utf-16.csv").write_text(month_file(), encoding="utf-16")
    Path("link.csv").symlink_to("april.csv")

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, arguments)
        if done.exception and not isinstance(done.exception, SystemExit):
            assert isinstance(done.exception, CspError), repr(done.exception)
            return 1, str(done.exception)
        return done.exit_code, " ".join(done.output.replace("│", " ").split())

    return run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("check", "police_street", "april.csv"), ["Did you mean police_uk_street?"]),
        (("refresh", "2018Q4"), ["two meanings", "2018-10-01", "2019-01-01"]),
        (("land", STREET, "Q5 2018/19", "april.csv"), ["a year has four", "2018-04-01"]),
        (("check", STREET, "may.csv"), ["may.csv does not exist. Check the path."]),
        (("land", STREET, "2018-04-01", "may.csv"), ["may.csv does not exist. Check the path."]),
        (("check", STREET, "folder"), ["folder is a folder. Name its files, such as folder/*.csv"]),
        (("land", STREET, "2018-04-01", "folder"), ["Name its files, such as folder/*.csv"]),
        (("land", STREET, "2018-04-01", "link.csv"), ["link.csv is a link. Name the file itself."]),
        (("land", STREET, "2018-04-01", "april.csv", "folder/april.csv"), ["Rename one of them"]),
        (("check", STREET, "saved-as.csv"), ["is a zip archive or an Excel workbook, not a CSV"]),
        (("check", STREET, "semicolons.csv"), ["separated by semicolons", "CSV with commas"]),
        (("check", STREET, "tabs.csv"), ["separated by tabs", "CSV with commas"]),
        (("check", STREET, "utf-16.csv"), ["UTF-16", "Save it as CSV (UTF-8)"]),
        (("check", STREET, "empty.csv"), ["The file is empty (0 bytes)"]),
        (("check", STREET, "header.csv"), ["a header and nothing below it"]),
        (("check", "iom_cohort", "april.csv"), [f"columns are those of {STREET}, not of iom"]),
        (("check", STREET, str(IOM)), [f"columns are those of iom_cohort, not of {STREET}"]),
        (("history", STREET), ["There is no warehouse", "Run `csp refresh` first"]),
        (("audit",), ["There is no warehouse", "Run `csp refresh` first"]),
        (("refresh",), ["Nothing has landed", "`csp land`"]),
        (("refresh", "2018-04-01", "--to", "2018-01-01"), ["Name the older one first"]),
        (("refresh", "--to", "2018-01-01"), ["name the first quarter as well"]),
        (("land", STREET, "april.csv", "2018-04-01"), ["the quarter comes before the files"]),
        (("land", STREET, "april.csv"), ["Missing argument 'files'"]),
        (("purge", "--before", "2018"), ["2018-01-01 (Q4 2017/18)"]),
        (("accept", STREET, "2018-04-01", "volum", "--reason", "x"), ["Did you mean volume?"]),
        (("trace", "crime_monthly", "2018-04-01"), ["There is no warehouse"]),
        (("refrehs",), ["Did you mean 'refresh'?"]),
        (("export",), ["name the folder to write into"]),
        (("status", "--on", "31/31/2018"), ["does not match the formats"]),
    ],
    ids=lambda one: " ".join(one),
)
def test_a_mistake_is_answered(
    said: Callable[..., tuple[int, str]], arguments: tuple[str, ...], words: list[str]
) -> None:
    code, answer = said(*arguments)
    assert code in (1, 2, 4)
    for one in words:
        assert one in answer


def test_a_file_that_has_landed_is_said_to_be_unchanged(
    said: Callable[..., tuple[int, str]],
) -> None:
    assert said("land", STREET, "2018-04-01", "april.csv")[0] == 0
    code, answer = said("land", STREET, "Apr 2018", "april.csv")
    assert code == 0
    assert "april.csv: its bytes had landed before" in answer
    assert "nothing has changed" in answer


def test_a_query_that_would_write_is_refused(
    said: Callable[..., tuple[int, str]], ground: Ground
) -> None:
    with connect(ground.settings) as connection:
        connection.execute("create table a as select 1 as b")
    for query in ("delete from a", "drop table a", "create table c as select 1"):
        code, answer = said("sql", query)
        assert code == 1 and "cannot be answered: it would change the database" in answer


def test_a_landing_zone_that_is_missing_is_named(
    said: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CSP_RAW", "/nowhere")
    assert "There is no landing zone at /nowhere. Set CSP_RAW to it." in said("status")[1]

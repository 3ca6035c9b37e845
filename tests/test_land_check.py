"""``csp land`` checks what has landed, and ``csp check`` groups what is wrong by rule."""

from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from orchestration.cli.check import check_files
from orchestration.cli.console import new_console
from orchestration.cli.land import LANDED_REPORT, land_files
from orchestration.cli.report_paths import print_report
from orchestration.ingest.checking.supplier_report import grouped
from orchestration.ingest.landing.receipt import Receipt
from tests.support import NOW, Ground, csv_rows, month_file, street_file, street_row
from tests.test_status import _status

STREET = "police_uk_street"
QUARTER = date(2018, 4, 1)
GOOD = [street_row(number=number) for number in range(1, 400)]
WRONG = [street_row(number=500 + number, crime_type="Shop lifting") for number in range(3)]
TOO_MANY = [street_row(number=600 + number, longitude="east") for number in range(8)]


def landed(ground: Ground, text: str, *, check: bool = True, replace: bool = True) -> str:
    path = ground.settings.raw.parent / "given" / "2018-04.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    said = StringIO()
    receipt = Receipt(source=STREET, quarter=QUARTER, received_at=NOW, nature="real", note="")
    land_files(
        ground.settings, STREET, [path], receipt, new_console(file=said),
        replace=replace, whole=False, check=check,
    )  # fmt: skip
    return said.getvalue()


def report(ground: Ground) -> Path:
    return ground.settings.supplier_reports / STREET / "2018-04-01" / f"{LANDED_REPORT}.xlsx"


def test_a_good_delivery_is_said_to_pass(ground: Ground) -> None:
    said = landed(ground, street_file(GOOD))
    assert "Would be loaded: all 399 rows." in said
    assert said.splitlines()[-1] == "`csp refresh 2018-04-01` loads it."
    assert not report(ground).exists()


def test_what_would_be_left_out_is_named_with_its_report(ground: Ground) -> None:
    said = landed(ground, street_file([*GOOD, *WRONG]))
    assert "Row refused: is a known value [V02], column 'Crime type': 3 rows" in said
    assert "2018-04.csv, rows 401, 402, 403" in said
    assert f"{report(ground)}" in said and report(ground).exists()
    assert "Would be loaded: 399 of 402 rows; 3 refused and left out." in said
    rows = csv_rows(report(ground).with_suffix(".csv"))
    assert len(rows) == 3


def test_a_refused_delivery_lands_and_the_refresh_refuses_it(ground: Ground) -> None:
    said = landed(ground, street_file([*GOOD, *WRONG, *TOO_MANY]))
    assert "Would be refused: nothing of the delivery would be loaded (410 rows were read)." in said
    assert "The files have landed" in said and "loads it" not in said
    assert (ground.settings.raw / STREET / "2018-04-01" / "2018-04.csv").exists()
    assert [one.state for one in ground.load(STREET).outcomes] == ["refused"]
    assert "Would be loaded: all 399 rows." in landed(ground, street_file(GOOD))
    assert not report(ground).exists(), "the report of a corrected delivery is removed"


def test_the_check_of_landing_is_the_check_of_the_whole_delivery(ground: Ground) -> None:
    ground.put(STREET, "2018-04-01", {"may.csv": month_file("2018-05", 4)})
    assert "Would be loaded: all 14 rows." in landed(ground, month_file("2018-04", 10))


def test_without_check_nothing_is_checked(ground: Ground) -> None:
    said = landed(ground, "Crime ID,Month\r\n1,2018-06\r\n", check=False)
    assert "A refresh would refuse this file" in said
    assert "would be refused" not in said.lower() and not report(ground).exists()


def test_a_check_that_cannot_be_made_leaves_what_has_landed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("orchestration.cli.land.check_landed", fail)
    said = landed(ground, street_file(GOOD))
    assert "Landed, but it could not be checked" in said
    assert (ground.settings.raw / STREET / "2018-04-01" / "2018-04.csv").exists()


# --- by rule ---------------------------------------------------------------------------------


def test_check_prints_a_block_for_each_rule_and_reports_each_row(
    ground: Ground, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(street_file([*GOOD, *WRONG, *TOO_MANY]))
    said = StringIO()
    folder = tmp_path / "report"
    assert check_files(ground.settings, STREET, [path], folder, new_console(file=said)) == 4
    printed = said.getvalue()
    assert printed.count("Row refused:") == 2
    assert "column 'Longitude': 8 rows" in printed and "a.csv, rows 404, 405, 406" in printed
    assert "This must be a number. Found: 'east'." in printed
    rows = csv_rows(folder / f"{STREET}-error-report.csv")
    assert len([row for row in rows if row["Code"].startswith("V")]) == 11


def test_groups_keep_the_order_of_the_report_and_count_every_row() -> None:
    def row(severity: str, rule: str, column: str, line: int) -> tuple[str | int | None, ...]:
        return (severity, "a.csv", None, line, column, "x", "wrong", "fix", rule, "V01")

    rows = [row("Row refused", "is not blank", "A", line) for line in range(2, 9)]
    rows += [row("Row refused", "is not blank", "B", 2), row("Warning", "is not blank", "A", 3)]
    found = grouped(rows)
    assert [(one.severity, one.columns, one.count) for one in found] == [
        ("Row refused", ["A"], 7),
        ("Row refused", ["B"], 1),
        ("Warning", ["A"], 1),
    ]
    assert found[0].places == [("a.csv", None, 2), ("a.csv", None, 3), ("a.csv", None, 4)]


# --- the report is named ---------------------------------------------------------------------


def test_status_names_the_report_of_a_load(ground: Ground) -> None:
    folder = ground.settings.supplier_reports / STREET / "2018-04-01"
    folder.mkdir(parents=True)
    (folder / "v1.xlsx").touch()
    ground.put(STREET, "2018-04-01", {"a.csv": street_file([*GOOD, *WRONG])})
    ground.load(STREET)
    assert str(folder / "v1.xlsx") in _status(ground, "2018-09-05").replace("\n", "")
    said = StringIO()
    print_report(ground.settings, STREET, QUARTER, 2, new_console(file=said))
    assert said.getvalue() == ""

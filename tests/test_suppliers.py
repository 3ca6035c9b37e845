"""What a supplier is given: ``csp check``, and the error report of a load."""

import csv
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.faults import Fault
from orchestration.ingest.checking.supplier_report import (
    HEADINGS,
    file_report,
    write_report,
)
from orchestration.ingest.loading.load import load_source
from orchestration.ingest.loading.outcomes import Outcome
from orchestration.ingest.loading.pseudonyms import throwaway_pseudonyms
from orchestration.warehouse.connection import connect
from tests.support import NOW, Ground

Csp = Callable[..., subprocess.CompletedProcess[str]]
IOM = PROJECT / "raw/iom_cohort/2018-04-01/iom-cohort-2018-06-30.csv"


def _broken(**changes: str) -> str:
    """The sample with values of its first row changed, by heading."""
    header, first, *rest = IOM.read_text().splitlines()
    row = dict(zip(header.split(","), first.split(","), strict=True)) | changes
    return "\r\n".join([header, ",".join(row.values()), *rest]) + "\r\n"


def _report(folder: Path) -> list[dict[str, str]]:
    (path,) = folder.glob("*.csv")
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({}, 0, None),
        ({"Nominal": "NOM 1"}, 0, "Warning"),
        ({"Sex": "X"}, 0, "Row refused"),
        ({"Sex": '"'}, 4, "Delivery refused"),
    ],
)
def test_check_ends_by_what_a_load_would_do(
    csp: Csp, tmp_path: Path, changes: dict[str, str], code: int, severity: str | None
) -> None:
    (tmp_path / "iom.csv").write_text(_broken(**changes))
    report = tmp_path / "report"
    done = csp("check", "iom_cohort", str(tmp_path / "iom.csv"), "--report", str(report))
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if severity is None:
        assert not report.exists()
        assert "all 175 rows" in done.stdout
    else:
        assert {row["Severity"] for row in _report(report)} == {severity}
        assert (report / "iom_cohort-error-report.xlsx").exists()


def test_check_needs_no_warehouse_and_no_dagster() -> None:
    code = (
        "import sys; import orchestration.cli.check; "
        "sys.exit(any(name in sys.modules for name in ('dagster', 'dbt', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=False).returncode == 0


def test_what_cannot_be_checked_is_reported(csp: Csp, tmp_path: Path) -> None:
    for arguments, words in {
        ("nonsense", "x.csv"): "There is no source 'nonsense'",
        ("../iom_cohort", "x.csv"): "There is no source",
        ("iom_cohort", str(tmp_path / "gone.csv")): "does not exist",
        ("iom_cohort", str(tmp_path)): "is a folder. Name its files",
    }.items():
        done = csp("check", *arguments)
        assert done.returncode == 1
        assert words in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr


def test_a_load_files_the_same_report(csp: Csp, ground: Ground, tmp_path: Path) -> None:
    content = _broken(Sex="X", **{"Date of birth": "12/05/00"})
    folder = ground.put("iom_cohort", "2018-04-01", {"iom.csv": content})
    with connect(ground.settings) as connection:
        load_source(
            connection,
            ground.settings.raw,
            ground.contract("iom_cohort"),
            date(2018, 4, 1),
            NOW,
            throwaway_pseudonyms(),
            ground.settings.supplier_reports,
        )
    filed = ground.settings.supplier_reports / "iom_cohort" / "2018-04-01"
    assert sorted(path.name for path in filed.iterdir()) == ["v1.csv", "v1.xlsx"]
    csp("check", "iom_cohort", str(folder / "iom.csv"), "--report", str(tmp_path / "checked"))
    assert _report(filed) == _report(tmp_path / "checked")
    told = {row["Column"]: row for row in _report(filed)}
    assert (told["Sex"]["Value found"], told["Sex"]["Row"]) == ("X", "2")
    assert told["Sex"]["How to fix it"] == "Use one of: M; F; U."
    assert told["Date of birth"]["Value found"] == "a date of 8 characters"
    assert "dd/mm/yyyy" in told["Date of birth"]["How to fix it"]


def test_a_shifted_identifier_is_not_shown(ground: Ground) -> None:
    ground.put("iom_cohort", "2018-04-01", {"a.csv": _broken(Sex="2017/9000000H")})
    (outcome,) = ground.load("iom_cohort").outcomes
    assert [fault.value for fault in outcome.faults] == ["a text of 13 characters"]
    assert "9000000" not in str(outcome.faults)


def _outcome() -> Outcome:
    fault = Fault("is a known value", "Wrong.", "=a.csv", None, 2, "Sex", "=1+1", "record")
    return Outcome("iom_cohort", date(2018, 4, 1), 3, "loaded", 9, 8, 1, None, [fault])


def test_reports_have_the_same_bytes_and_no_formula(tmp_path: Path) -> None:
    contract = load_contracts()["iom_cohort"]
    first = file_report(tmp_path / "a", contract, _outcome())
    second = write_report(tmp_path / "b", "v3", contract, _outcome())
    assert [path.name for path in first] == ["v3.csv", "v3.xlsx"]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    (row,) = _report(tmp_path / "b")
    assert (row["File"], row["Value found"]) == ("'=a.csv", "'=1+1")
    with zipfile.ZipFile(second[1]) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    cells = CalamineWorkbook.from_path(str(second[1])).get_sheet_by_index(0).to_python()
    assert cells[3] == list(HEADINGS)
    assert cells[4][5] == "=1+1"
    assert "1 refused" in str(cells[1][0])

"""Late rows, two forces, names that nobody serves: through the load and the resolution."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.config.partnerships import load_partnerships
from orchestration.errors import OutdatedWarehouseError, SettingsError
from orchestration.ingest.checking.anomalies import Anomaly, find_anomalies
from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.served_names import nearest, refuse_absent_forces
from orchestration.ingest.landing.receipt import Covers, Receipt
from orchestration.ingest.loading.in_force import resolve_in_force
from orchestration.warehouse.connection import connect
from orchestration.warehouse.control_schema import ensure_control
from tests.support import FORCE, Ground, messages, street_file, street_row

YOUTH, CASELOAD, STREET = "youth_offending", "probation_caseload", "police_uk_street"
YOUTH_HEADINGS = [
    "Youth offending service", "Young person ID", "Sex", "Date of birth", "Ethnicity",
    "District of residence", "Registered on", "First offence date", "First offence code",
    "First offence", "Offence category", "Substantive outcome", "First-time entrant",
    "Accommodation need",
]  # fmt: skip
CASELOAD_HEADINGS = [
    "CRN", "PNC ID", "Provider", "Snapshot date", "Police force area", "District of residence",
    "Date of birth", "Sex", "Ethnicity", "Order type", "Main offence", "OGRS3 score",
    "Accommodation status", "Disability", "Mental health", "Suicide or self-harm",
    "Area classification", "First release date",
]  # fmt: skip


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([headings, *rows])
    return written.getvalue()


def young(
    number: int, registered: str, service: str = "Cambridgeshire", sex: str = "M"
) -> list[str]:
    return [
        service, f"{100000 + number}", sex, "15/03/2003", "W1", "E07000011", registered, registered,
        "105/01", "Common assault", "Violence against the person", "Youth caution", "N",
        "Identified",
    ]  # fmt: skip


def youth(*rows: list[str]) -> str:
    return table(YOUTH_HEADINGS, rows)


def person(number: int, force: str = FORCE, day: str = "30/11/2018") -> list[str]:
    return [
        f"E{200000 + number}", "", "CRC", day, force, "E07000011", "01/02/1980", "Male", "W1",
        "Licence", "Theft", "50", "Settled", "No", "No", "No", "", "",
    ]  # fmt: skip


def caseload(*rows: list[str]) -> str:
    return table(CASELOAD_HEADINGS, rows)


IN_FORCE = (
    "select period::varchar, series, quarter::varchar, role, row_count from control.in_force "
    "order by all"
)


def found(ground: Ground, as_at: str) -> list[Anomaly]:
    ground.resolve(as_at)
    with connect(ground.settings) as connection:
        return find_anomalies(connection, load_contracts())


def warned(ground: Ground, source: str, as_at: str) -> str:
    report = ground.load(source, as_at)
    return " ".join(str(one) for one in report.warnings)


# --- late rows ---------------------------------------------------------------------------------


def test_late_registrations_are_added_and_take_nothing_over(ground: Ground) -> None:
    quarter = [young(number, "05/08/2018") for number in range(49)]
    late = [young(number, "27/09/2018") for number in (900, 901)]
    ground.put(YOUTH, "2018-07-01", {"youth.csv": youth(*quarter)})
    now = [young(number, "05/11/2018") for number in range(100, 149)]
    ground.put(YOUTH, "2018-10-01", {"youth.csv": youth(*now, *late)})
    said = warned(ground, YOUTH, "2018-10-01")
    assert all(part in said for part in ("2 rows", "'Cambridgeshire'", "2018-07-01"))
    assert found(ground, "2018-10-01") == []
    assert ground.query(IN_FORCE) == [
        ("2018-07-01", "Cambridgeshire", "2018-07-01", "covers", 49),
        ("2018-07-01", "Cambridgeshire", "2018-10-01", "late rows", 2),
        ("2018-10-01", "Cambridgeshire", "2018-10-01", "covers", 49),
    ]
    # The release before knew nothing of them.
    ground.resolve("2018-07-01")
    assert [row[3:] for row in ground.query(IN_FORCE)] == [("covers", 49)]


def test_late_rows_of_a_period_that_nobody_covers_are_left_out_and_said(ground: Ground) -> None:
    rows = [young(number, "05/11/2018") for number in range(49)]
    ground.put(YOUTH, "2018-10-01", {"y.csv": youth(*rows, young(900, "27/09/2018"))})
    ground.load(YOUTH, "2018-10-01")
    (one,) = found(ground, "2018-10-01")
    assert one.rule == "late-rows" and "no delivery covers: they are left out" in one.message
    assert [row[0] for row in ground.query(IN_FORCE)] == ["2018-10-01"]


def test_a_later_return_of_the_period_supersedes_rows_that_came_early(ground: Ground) -> None:
    rows = [young(number, "05/08/2018") for number in range(49)]
    early = young(900, "02/10/2018")
    ground.put(YOUTH, "2018-07-01", {"y.csv": youth(*rows, early)})
    now = [young(number, "05/11/2018") for number in range(100, 149)]
    ground.put(YOUTH, "2018-10-01", {"y.csv": youth(*now)})
    ground.load(YOUTH, "2018-10-01")
    assert found(ground, "2018-10-01") == []
    assert ("2018-10-01", "Cambridgeshire", "2018-10-01", "covers", 49) in ground.query(IN_FORCE)
    assert len(ground.query(IN_FORCE)) == 2


def test_an_empty_quarter_is_in_force_and_said_until_it_is_accepted(ground: Ground) -> None:
    rows = [young(number, day) for number, day in enumerate(("05/01/2018", "05/04/2018"))]
    rows += [young(3, "05/10/2018"), young(4, "05/01/2019")]
    ground.put(YOUTH, "2019-01-01", {"y.csv": youth(*rows)})
    assert "does not say which periods it covers" in warned(ground, YOUTH, "2019-01-01")
    (empty,) = found(ground, "2019-01-01")
    assert (empty.rule, empty.period) == ("empty-period", date(2018, 7, 1))
    assert ("2018-07-01", "Cambridgeshire", "2019-01-01", "covers", 0) in ground.query(IN_FORCE)


def test_a_return_without_a_row_says_by_its_name_that_there_was_nothing(ground: Ground) -> None:
    """Peterborough had nobody from July to September, and sends its header."""
    ours = youth(*[young(number, "05/08/2018") for number in range(9)])
    files: dict[str, str | bytes] = {
        "cambridgeshire-2018-07-to-2018-09.csv": ours,
        "Peterborough 2018-Q3.csv": youth(),
    }
    ground.put(YOUTH, "2018-07-01", files)
    (outcome,) = ground.load(YOUTH, "2018-07-01").outcomes
    assert (outcome.state, outcome.rows_loaded) == ("loaded", 9)
    (empty,) = found(ground, "2018-07-01")
    assert (empty.rule, empty.message[:24]) == ("empty-period", "Peterborough 2018-07-01:")
    assert [(row[1], row[4]) for row in ground.query(IN_FORCE)] == [
        ("Cambridgeshire", 9),
        ("Peterborough", 0),
    ]


@pytest.mark.parametrize("name", ["youth.csv", "peterborough-2015-04-to-2018-06.csv"])
def test_a_return_without_a_row_that_does_not_say_whose_is_refused(
    ground: Ground, name: str
) -> None:
    ground.put(YOUTH, "2018-07-01", {name: youth()})
    (outcome,) = ground.load(YOUTH, "2018-07-01").outcomes
    assert outcome.state == "refused" and "name the file after who reports" in str(outcome.reason)


def test_what_a_receipt_says_is_covered(ground: Ground) -> None:
    folder = ground.put(YOUTH, "2018-10-01", {"y.csv": youth(young(1, "05/11/2018"))})
    _receipt(folder, Covers(first=date(2018, 7, 1), last=date(2018, 12, 31)))
    ground.load(YOUTH, "2018-10-01")
    ground.resolve("2018-10-01")
    assert [(row[0], row[4]) for row in ground.query(IN_FORCE)] == [
        ("2018-07-01", 0),
        ("2018-10-01", 1),
    ]
    # To say something else of the same files is another version of the delivery.
    _receipt(folder, None)
    ground.load(YOUTH, "2018-10-01")
    ground.resolve("2018-10-01")
    assert [row[0] for row in ground.query(IN_FORCE)] == ["2018-10-01"]


def _receipt(folder: Path, covers: Covers | None) -> None:
    made = Receipt(
        source=YOUTH, quarter=date(2018, 10, 1), received_at=datetime(2019, 1, 5, 9, 0),
        nature="real", note="", covers=covers,
    )  # fmt: skip
    path = made.with_files(folder).write(folder)
    assert ("covers" in json.loads(path.read_text())) == (covers is not None)
    read = Receipt.read(folder)
    assert read is not None and read.covers == covers


def test_a_revision_that_drops_rows_is_said_however_small(ground: Ground) -> None:
    rows = [young(number, "05/11/2018") for number in range(5)]
    other = [young(number, "05/11/2018", "Peterborough") for number in range(4)]
    ground.put(YOUTH, "2018-10-01", {"y.csv": youth(*rows, *other)})
    ground.load(YOUTH, "2018-10-01")
    ground.put(YOUTH, "2018-10-01", {"y.csv": youth(*rows[:3])})
    ground.load(YOUTH, "2018-10-01")
    fewer, gone = found(ground, "2018-10-01")
    assert fewer.message == (
        "Cambridgeshire 2018-10-01: 40 % fewer rows than in 2018-10-01 v1, in whose place it is "
        "in force"
    )
    assert gone.message == (
        "Peterborough 2018-10-01: no row any more, which version 1 of the delivery had"
    )
    assert {one.rule for one in (fewer, gone)} == {"revision-drop"}


def test_stray_street_rows_are_refused_by_line(ground: Ground) -> None:
    rows = [street_row("2018-07", number=number) for number in range(1, 301)]
    rows.insert(10, street_row("2018-06", number=999))
    ground.put(STREET, "2018-04-01", {"2018-06-x-street.csv": street_file(
        street_row("2018-06", number=number) for number in range(400, 600))})  # fmt: skip
    ground.put(STREET, "2018-07-01", {"2018-07-x-street.csv": street_file(rows)})
    (said,) = messages(ground.load(STREET, "2018-07-01"))
    assert said.startswith("2018-07-x-street.csv, line 12, column 'Month': The row is of another")
    assert "2018-07-01 to 2018-07-31" in said and "Found: '2018-06'" in said
    ground.resolve("2018-07-01")
    assert [(row[0], row[2], row[4]) for row in ground.query(IN_FORCE)] == [
        ("2018-06-01", "2018-04-01", 200),
        ("2018-07-01", "2018-07-01", 300),
    ]
    assert ground.value("select count(*) from raw.police_uk_street") == 500


def test_stray_people_of_another_day_are_refused_by_line(ground: Ground) -> None:
    rows = [person(number) for number in range(99)] + [person(500, day="31/10/2018")]
    ground.put(CASELOAD, "2018-10-01", {"crc_2018-11-30.csv": caseload(*rows)})
    report = ground.load(CASELOAD, "2018-10-01")
    (said,) = messages(report)
    assert "line 101, column 'Snapshot date'" in said and "E200500" not in said
    assert [(one.rows_loaded, one.rows_refused) for one in report.outcomes] == [(99, 1)]


# --- supplier and area -------------------------------------------------------------------------


@pytest.mark.parametrize("together", [True, False])
def test_the_caseloads_of_two_forces_are_both_in_force(ground: Ground, together: bool) -> None:
    ours = caseload(*[person(number) for number in range(40)])
    theirs = caseload(*[person(number, "Norfolk Constabulary") for number in range(100, 130)])
    ground.put(CASELOAD, "2018-10-01", {"ours.csv": ours})
    ground.put(CASELOAD, "2018-10-01" if together else "2019-01-01", {"theirs.csv": theirs})
    report = ground.load(CASELOAD, "2019-01-01")
    assert not report.refused
    (unserved,) = found(ground, "2019-01-01")
    assert unserved.rule == "unserved-name"
    assert "30 rows of 'Norfolk Constabulary'" in unserved.message
    assert [(row[1], row[4]) for row in ground.query(IN_FORCE)] == [
        (f"CRC, {FORCE}", 40),
        ("CRC, Norfolk Constabulary", 30),
    ]


def test_a_row_of_another_force_is_left_out_and_counted(ground: Ground) -> None:
    rows = [person(number) for number in range(40)] + [person(99, "Bedfordshire Police")]
    ground.put(CASELOAD, "2018-10-01", {"crc.csv": caseload(*rows)})
    said = warned(ground, CASELOAD, "2018-10-01")
    assert "1 row of 'CRC, Bedfordshire Police'" in said
    assert found(ground, "2018-10-01") == []
    assert [(row[1], row[4]) for row in ground.query(IN_FORCE)] == [(f"CRC, {FORCE}", 40)]


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "spelled", [f"{FORCE} ", FORCE.upper(), "cambridgeshire  constabulary", f"\u00a0{FORCE}"]
)
def test_a_force_is_the_same_however_it_is_spaced_and_capitalised(
    ground: Ground, spelled: str
) -> None:
    rows = [street_row(number=number, reported_by=spelled) for number in range(1, 11)]
    ground.put(STREET, "2018-04-01", {"a.csv": street_file(rows)})
    ground.load(STREET)
    assert found(ground, "2018-04-01") == []
    assert ground.query("select series, served_name, row_count from control.in_force") == [
        (FORCE, FORCE, 10)
    ]


MISSPELLED = "Cambridgeshire Police"


@pytest.mark.parametrize("column", ["reported_by", "falls_within"])
@pytest.mark.parametrize("wrong", [{3}, {3, 4, 5}, set(range(1, 41))])
def test_a_name_that_is_no_police_force_is_reported_with_its_row(
    ground: Ground, column: str, wrong: set[int]
) -> None:
    rows = [
        street_row(number=number, **({column: MISSPELLED} if number in wrong else {}))
        for number in range(1, 41)
    ]
    ground.put(STREET, "2018-04-01", {"a.csv": street_file(rows)})
    (outcome,) = ground.load(STREET).outcomes
    assert (outcome.rows_loaded, outcome.faults) == (40, [])
    (fault,) = [one for one in outcome.warnings if one.rule == "is a police force"]
    title = column.replace("_", " ").capitalize()
    assert (fault.file, fault.line, fault.column) == ("a.csv", min(wrong) + 1, title)
    assert fault.value == MISSPELLED
    assert f"{len(wrong)} row" in fault.message and f"Nearest: '{FORCE}'" in fault.message
    left_out = [one for one in outcome.warnings if "left out of both" in one.message]
    assert len(left_out) == (column == "reported_by" and len(wrong) < 4)


def test_a_name_in_a_people_source_that_is_no_police_force_is_reported(ground: Ground) -> None:
    rows = [person(number, MISSPELLED if number == 7 else FORCE) for number in range(40)]
    ground.put(CASELOAD, "2018-10-01", {"crc.csv": caseload(*rows)})
    (outcome,) = ground.load(CASELOAD, "2018-10-01").outcomes
    (fault,) = [one for one in outcome.warnings if one.rule == "is a police force"]
    assert (fault.line, fault.column, fault.value) == (9, "Police force area", MISSPELLED)


def test_a_made_up_force_that_is_served_is_no_wrong_name(ground: Ground, tmp_path: Path) -> None:
    path = tmp_path / "partnerships.toml"
    path.write_text(PARTNERSHIPS.format(force="Northshire Police"))
    ground = Ground(ground.settings.model_copy(update={"partnerships": path}))
    rows = [
        street_row(number=one, reported_by="northshire  police", falls_within="Northshire Police")
        for one in range(1, 11)
    ]
    ground.put(STREET, "2018-04-01", {"a.csv": street_file(rows)})
    (outcome,) = ground.load(STREET).outcomes
    assert outcome.warnings == []


def test_a_force_that_nobody_serves_is_said_with_its_rows(ground: Ground) -> None:
    ours = street_file(street_row(number=number) for number in range(1, 11))
    transport = street_file(
        street_row(number=number, reported_by="British Transport Police") for number in (11, 12, 13)
    )
    ground.put(STREET, "2018-04-01", {"a.csv": ours, "b.csv": transport})
    ground.load(STREET)
    (one,) = found(ground, "2018-04-01")
    assert "3 rows of 'British Transport Police'" in one.message
    with connect(ground.settings) as connection:
        refuse_absent_forces(connection, load_contracts())


PARTNERSHIPS = """
[[force_areas]]
code = "E23000019"
name = "Norfolk"
force = "{force}"

[[force_areas.partnerships]]
csp = "fenland"
name = "Fenland CSP"
district_code = "E07000010"
district_name = "Fenland"
"""


def test_a_partnerships_force_that_never_occurs_is_an_error_with_the_nearest(
    ground: Ground, tmp_path: Path
) -> None:
    rows = [street_row(number=number, reported_by="Norfolk Constabulary") for number in (1, 2)]
    ground.put(STREET, "2018-04-01", {"a.csv": street_file(rows)})
    ground.load(STREET)
    path = tmp_path / "partnerships.toml"
    path.write_text(PARTNERSHIPS.format(force="Norfolk Police"))
    with connect(ground.settings) as connection:
        load_partnerships(connection, path)
        resolve_in_force(connection, date(2018, 4, 1))
        with pytest.raises(SettingsError, match=r"'Norfolk Police'.*'Norfolk Constabulary'"):
            refuse_absent_forces(connection, load_contracts())
        path.write_text(PARTNERSHIPS.format(force="NORFOLK  constabulary"))
        load_partnerships(connection, path)
        resolve_in_force(connection, date(2018, 4, 1))
        refuse_absent_forces(connection, load_contracts())


def test_the_nearest_name_has_the_same_place() -> None:
    forces = ["Norfolk Constabulary", "Suffolk Constabulary", "Dyfed-Powys Police", "Essex Police"]
    assert nearest("Norfolk Police", forces)[0] == "Norfolk Constabulary"
    assert nearest("Sufolk Constabulary", forces)[0] == "Suffolk Constabulary"
    assert nearest("Ministry of Magic", forces) == []


# --- repeated rows, and few rows ---------------------------------------------------------------


def test_a_second_registration_in_a_quarter_is_kept(ground: Ground) -> None:
    rows = [young(number, "05/02/2019") for number in range(30)] + [young(1, "06/03/2019")]
    ground.put(YOUTH, "2019-01-01", {"y.csv": youth(*rows)})
    report = ground.load(YOUTH, "2019-01-01")
    assert messages(report) == [] and report.outcomes[0].rows_loaded == 31


def test_a_row_sent_twice_counts_once_and_one_that_differs_is_quarantined(ground: Ground) -> None:
    rows = [young(number, "05/02/2019") for number in range(30)]
    again = [*rows[:12], young(20, "05/02/2019", sex="F")]
    ground.put(YOUTH, "2019-01-01", {"y.csv": youth(*rows, *again)})
    report = ground.load(YOUTH, "2019-01-01")
    (outcome,) = report.outcomes
    assert (outcome.state, outcome.rows_loaded, outcome.rows_refused) == ("loaded", 30, 13)
    rules = [one.rule for one in outcome.faults]
    assert rules == ["row is not repeated"] * 12 + ["key is unique"]


def test_one_bad_row_in_a_small_file_stays_alone_and_two_do_not(ground: Ground) -> None:
    rows = [young(number, "05/02/2019") for number in range(20)]
    bad = [young(number, "05/02/2019", sex="?") for number in (50, 51)]
    ground.put(YOUTH, "2019-01-01", {"y.csv": youth(*rows, bad[0])})
    assert ground.load(YOUTH, "2019-01-01").outcomes[0].state == "loaded"
    ground.put(YOUTH, "2019-01-01", {"y.csv": youth(*rows, *bad)})
    (refused,) = ground.load(YOUTH, "2019-01-01").outcomes
    assert refused.state == "refused"
    assert "[rule: few rows are wrong]" in str(refused.reason)
    # Of a delivery of nine rows, one is too many.
    ground.put(YOUTH, "2019-01-01", {"y.csv": youth(*rows[:8], bad[0])})
    assert ground.load(YOUTH, "2019-01-01").outcomes[0].state == "refused"


# --- a warehouse of an earlier version ---------------------------------------------------------


def test_a_warehouse_that_does_not_know_coverage_is_refused_in_words() -> None:
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            "create schema control; create table control.coverage (source varchar, series varchar, "
            "period date, delivery_id integer, row_count bigint)"
        )
        with pytest.raises(OutdatedWarehouseError):
            ensure_control(connection)

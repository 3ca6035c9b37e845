"""Every broken delivery of the corpus is reported with its severity; nothing is half-loaded."""

import csv
import functools
import io
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from orchestration.ingest.checking.contract import load_contracts
from orchestration.ingest.checking.delivery_check import check_in
from orchestration.ingest.checking.faults import Fault, SubmissionError
from orchestration.ingest.checking.rule_codes import OWN
from orchestration.ingest.checking.supplier_report import HEADINGS, write_report
from orchestration.ingest.loading.outcomes import Outcome
from orchestration.ingest.reading.source_reading import _refusing
from tests.corpus.good import Good, good_deliveries
from tests.corpus.mutations import SECRET, Case, cases

_SOURCES = sorted(load_contracts())
_QUICK = {"dwelling_stock", "iom_cohort", "police_uk_street"}
"""Sources of three layouts, whose part is quick; the others' part runs with the long tests."""


@functools.cache
def _goods() -> list[Good]:
    return good_deliveries()


@functools.cache
def _corpus(source: str) -> list[Case]:
    return list(cases([good for good in _goods() if good.source == source]))


@pytest.fixture
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database for one delivery after the other; emptied between them, which is quicker."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        yield connection


def _fares(case: Case, desk: Path, connection: duckdb.DuckDBPyConnection) -> Outcome:
    path = desk / case.file
    path.write_bytes(case.content)
    tables = connection.execute(
        "select schema_name || '.' || table_name from duckdb_tables() where not temporary"
    ).fetchall()
    connection.execute("".join(f"delete from {table};" for (table,) in tables) or "select 1")
    return check_in(connection, case.good.contract, [path])


def test_every_source_has_a_good_delivery_to_break() -> None:
    assert {good.source for good in _goods()} == set(_SOURCES)
    assert all(good.body for good in _goods())


@pytest.mark.slow
def test_the_corpus_has_its_size() -> None:
    quick = {source: sum(not case.further for case in _corpus(source)) for source in _SOURCES}
    assert sum(quick.values()) >= 200
    assert min(quick.values()) >= 20


@pytest.mark.parametrize(
    "source",
    [
        pytest.param(source, marks=[] if source in _QUICK else [pytest.mark.slow])
        for source in _SOURCES
    ],
)
def test_broken_deliveries_end_in_the_right_severity(
    source: str, tmp_path: Path, scratch: duckdb.DuckDBPyConnection
) -> None:
    _judge([case for case in _corpus(source) if not case.further], tmp_path, scratch)


@pytest.mark.slow
@pytest.mark.parametrize("source", _SOURCES)
def test_every_column_broken_ends_in_the_right_severity(
    source: str, tmp_path: Path, scratch: duckdb.DuckDBPyConnection
) -> None:
    _judge([case for case in _corpus(source) if case.further], tmp_path, scratch)


def _judge(found: list[Case], folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
    wrong = []
    for number, case in enumerate(found):
        desk = folder / str(number)
        desk.mkdir()
        outcome = _fares(case, desk, connection)
        problems = [
            *_state_problems(case, outcome),
            *_telling_problems(case, outcome),
            *_database_problems(case, outcome, connection),
            *_report_problems(case, outcome, desk),
        ]
        wrong += [f"{case.id}: {problem}" for problem in problems]
    assert not wrong, "\n".join(wrong)


def _state_problems(case: Case, outcome: Outcome) -> list[str]:
    problems = []
    if outcome.state != case.state:
        said = [str(fault) for fault in outcome.faults[:2]]
        problems.append(f"is {outcome.state}, must be {case.state}: {said}")
    if outcome.rows_delivered != outcome.rows_loaded + outcome.rows_refused:
        problems.append("rows delivered are not rows loaded plus rows refused")
    if case.rows and outcome.rows_delivered != case.rows and case.expected != "refused":
        problems.append(f"delivered {outcome.rows_delivered} rows, must be {case.rows}")
    if case.state == "loaded" and outcome.rows_refused != case.wrong_rows:
        problems.append(f"refused {outcome.rows_refused} rows, must be {case.wrong_rows}")
    if case.expected == "loaded" and (outcome.faults or outcome.warnings):
        problems.append(f"says {[str(one) for one in [*outcome.faults, *outcome.warnings][:2]]}")
    return problems


def _telling_problems(case: Case, outcome: Outcome) -> list[str]:
    """What is wrong must be said with file, row, column and rule."""
    if case.expected == "loaded":
        return []
    severity = {"refused": "submission", "rows": "record", "warned": "warning"}[case.expected]
    told = [fault for fault in [*outcome.faults, *outcome.warnings] if fault.severity == severity]
    if not any(_fits(case, fault) for fault in told):
        return [f"must name {case.rules}, line {case.line}: {[str(one) for one in told[:3]]}"]
    return []


def _fits(case: Case, fault: Fault) -> bool:
    name = case.file if case.file.isprintable() else "a\\nb"
    # A name that may be a person's is shown by its place in the delivery.
    return (
        (fault.file or "").startswith((name, "file 1 (a name of "))
        and (not case.rules or fault.rule.startswith(case.rules))
        and case.line in (None, fault.line)
        and ("header" in fault.rule or _same_column(case.column, fault.column))
    )


def _same_column(expected: str | None, told: str | None) -> bool:
    """A published heading may be reported without its note and in small letters.

    One that may be a person's name is reported by its length.
    """
    if expected is None or told == f"a text of {len(expected)} characters":
        return True
    return bool(told) and str(told).casefold() in expected.casefold()


def _database_problems(
    case: Case, outcome: Outcome, connection: duckdb.DuckDBPyConnection
) -> list[str]:
    """Nothing is half-loaded: tables hold what the outcome says, and a refused delivery nothing."""
    ((rows, covered),) = connection.execute(
        f"select (select count(*) from {case.good.contract.raw_table}), "
        "(select coalesce(sum(row_count), 0) from control.coverage)"
    ).fetchall()
    problems = []
    if (rows, covered) != (outcome.rows_loaded, outcome.rows_loaded):
        problems.append(
            f"{rows} rows in the table, {covered} covered, {outcome.rows_loaded} reported"
        )
    states = connection.execute("select state from control.deliveries").fetchall()
    if states != [(outcome.state,)]:
        problems.append(f"recorded as {states}")
    ((kept,),) = connection.execute("select count(*) from quarantine.refused_rows").fetchall()
    if kept != len(outcome.faults):
        problems.append(f"{kept} faults in quarantine, {len(outcome.faults)} reported")
    return problems


def _report_problems(case: Case, outcome: Outcome, desk: Path) -> list[str]:
    """The report has a row for each fault, a way to fix it, no formula and no personal value."""
    table, workbook = write_report(desk / "report", "v1", case.good.contract, outcome)
    text = table.read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    problems = []
    if len(rows) != len(outcome.faults) + len(outcome.warnings):
        problems.append(f"{len(rows)} rows in the report")
    if any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values()):
        problems.append("a cell of the report is a formula")
    if any(not row["How to fix it"] for row in rows) or tuple(rows[0] if rows else HEADINGS) != (
        HEADINGS
    ):
        problems.append("the report does not say how to fix it")
    if any(row["Code"] == OWN for row in rows):
        problems.append("a rule has no code")
    said = f"{text}{outcome.reason}{[str(one) for one in outcome.faults + outcome.warnings]}"
    if case.secret and SECRET in said:
        problems.append("a personal value is shown")
    if not workbook.stat().st_size:
        problems.append("the workbook is empty")
    return problems


def test_a_crash_within_the_reader_of_workbooks_refuses_the_file() -> None:
    class PanicException(BaseException):
        pass

    damaged = Fault("can be opened", "Damaged.", file="a.xls")
    with pytest.raises(SubmissionError, match="Damaged"), _refusing(damaged):
        raise PanicException
    with pytest.raises(KeyboardInterrupt), _refusing(damaged):
        raise KeyboardInterrupt

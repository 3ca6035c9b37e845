"""Cells of errors, in every spelling that a format has for them, are refused by their place."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.ingest.checking.contract import contract_of
from orchestration.ingest.checking.delivery_check import check_in
from orchestration.ingest.checking.faults import SubmissionError
from orchestration.ingest.checking.rules import ERROR_RULE
from orchestration.ingest.landing.landing_zone import landed_file
from orchestration.ingest.loading.outcomes import Outcome
from orchestration.ingest.reading.cell_types import cell_types
from orchestration.ingest.reading.source_reading import Workbook, open_workbook, text_of
from tests.workbooks import WRITERS, Raw, ods, xls, xlsx

QUESTIONS = [
    "Response ID",
    "Response date",
    "Which town do you live in or nearest to?",
    "Age",
    "Sex",
    "Postcode (first part)",
    "How safe do you feel where you live?",
    "Is there a problem with Crime & ASB where you live?",
    "Which issues have directly affected you in the past three months?",
    "What should the CSP focus on?",
    "Any other comments",
]


def check(folder: Path, source: str, **files: bytes) -> Outcome:
    """Check files, named ``stem_ending``, as ``csp check`` does."""
    paths = []
    for name, content in files.items():
        paths.append(folder / ".".join(name.rsplit("_", 1)))
        paths[-1].write_bytes(content)
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        return check_in(connection, contract_of(source), paths)


def survey(answer: Any = "Safe", lines: int = 80, wrong: int = 1, **writing: Any) -> bytes:
    """A survey workbook; the answer to how safe people feel is ``answer`` in the first lines."""
    grid: list[list[Any]] = [
        ["Fenland Community Safety survey"],
        ["Survey period", date(2018, 10, 1), date(2018, 12, 31)],
        [],
        QUESTIONS,
    ]
    for number in range(lines):
        safe = answer if number < wrong else "Safe"
        who = [70_000_001 + number, date(2018, 10, 1 + number % 28), "Wisbech", "36-45", "Female"]
        grid.append([*who, "PE13", safe, "Not much", "Parking", "Parking", None])
    return xlsx({"Responses": grid}, **writing)


def opened(folder: Path, name: str, content: bytes) -> Workbook:
    path = folder / name
    path.write_bytes(content)
    return open_workbook(landed_file(path, name, {}))


XLSX_ERRORS = {
    "pasted": '<{p}c r="{r}" t="e"><{p}v>#N/A</{p}v></{p}c>',
    "formula": '<{p}c r="{r}" t="e"><{p}f>NA()</{p}f><{p}v>#N/A</{p}v></{p}c>',
    "attributes turned round": "<{p}c t='e' s='0' r='{r}'><{p}v>#N/A</{p}v></{p}c>",
    "shared formula": '<{p}c r="{r}" t="e"><{p}f t="shared" si="0"/><{p}v>#REF!</{p}v></{p}c>',
    "of a later version": '<{p}c r="{r}" t="e" vm="1"><{p}v>#VALUE!</{p}v></{p}c>',
    "no name": '<{p}c t="e" r="{r}"><{p}f>A1</{p}f></{p}c>',
    "never worked out": '<{p}c r="{r}"><{p}f>VLOOKUP(1,A:B,2,0)</{p}f></{p}c>',
    "never worked out, with an empty value": '<{p}c r="{r}"><{p}f>A1</{p}f><{p}v/></{p}c>',
    "text": '<{p}c r="{r}" t="inlineStr"><{p}is><{p}t>#N/A</{p}t></{p}is></{p}c>',
}


@pytest.mark.parametrize("writing", [{}, {"prefix": "x"}, {"strict": True}], ids=str)
@pytest.mark.parametrize("kind", XLSX_ERRORS)
def test_an_error_in_an_xlsx_is_refused_by_its_cell(
    tmp_path: Path, kind: str, writing: dict[str, Any]
) -> None:
    outcome = check(tmp_path, "community_survey", a_xlsx=survey(Raw(XLSX_ERRORS[kind]), **writing))
    assert (outcome.rows_delivered, outcome.rows_refused) == (80, 1), outcome.reason
    assert [(fault.line, fault.column) for fault in outcome.faults] == [(5, QUESTIONS[6])]
    assert str(outcome.faults[0].value).startswith("#")


XLSX_BLANKS = {
    "an empty text of a formula": '<c r="{r}" t="str"><f>IF(1,"","x")</f><v></v></c>',
    "the same, closed at once": '<c r="{r}" t="str"><f>IF(1,"","x")</f><v/></c>',
    "an empty text": '<c r="{r}" t="inlineStr"><is><t></t></is></c>',
    "a format alone": '<c r="{r}" s="1"/>',
}


@pytest.mark.parametrize("kind", XLSX_BLANKS)
def test_an_empty_text_is_blank(tmp_path: Path, kind: str) -> None:
    outcome = check(tmp_path, "community_survey", a_xlsx=survey(Raw(XLSX_BLANKS[kind])))
    assert (outcome.rows_loaded, outcome.faults, outcome.warnings) == (80, [], [])


ODS_ERRORS = {
    "LibreOffice": '<table:table-cell table:formula="of:=NA()" office:value-type="string" '
    'office:string-value="" calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>',
    "an error of its own": '<table:table-cell table:formula="of:=1;2" office:value-type="string" '
    'office:string-value="" calcext:value-type="error"><text:p>Err:502</text:p>'
    "</table:table-cell>",
    "stored as zero": '<table:table-cell table:formula="of:=1/0" office:value-type="float" '
    'office:value="0"><text:p>#DIV/0!</text:p></table:table-cell>',
    "without its type": '<table:table-cell table:formula="of:=A1" office:value-type="string" '
    'office:string-value=""><text:p>#REF!</text:p></table:table-cell>',
    "in German": '<table:table-cell office:value-type="string"><text:p>#WERT!</text:p>'
    "</table:table-cell>",
}


def _sheet(kind: str, cell: Any) -> list[list[Any]]:
    return [["a", "b"], [1, cell], ["x", 2.5]]


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        *[("xlsx", Raw(one)) for one in XLSX_ERRORS.values()],
        *[("ods", Raw(one)) for one in ODS_ERRORS.values()],
        *[("xls", Raw(one)) for one in ("#N/A", "#DIV/0!", "#REF!", "#NAME?", "#VALUE!")],
    ],
)
def test_an_error_is_read_as_its_text(tmp_path: Path, kind: str, cell: Raw) -> None:
    write: Callable[[Any], bytes] = WRITERS[kind]
    book = opened(tmp_path, f"a.{kind}", write({"One": _sheet(kind, cell)}))
    rows = book.rows("One")
    assert str(rows[1][1]).startswith(("#", "Err:"))
    assert (rows[0], rows[1][0], rows[2]) == (["a", "b"], 1, ["x", 2.5])
    assert book.types.sheet("One").filled == {0: {0, 1}, 1: {0, 1}, 2: {0, 1}}


def test_an_error_beyond_the_last_value_is_read(tmp_path: Path) -> None:
    grid = [["a"], [], [None, None, Raw(XLSX_ERRORS["pasted"])]]
    assert opened(tmp_path, "a.xlsx", xlsx({"One": grid})).rows("One")[2][2] == "#N/A"


def test_a_repeated_cell_of_an_ods_counts_as_often_as_it_is_repeated(tmp_path: Path) -> None:
    twice = Raw(
        '<table:table-cell table:number-columns-repeated="2" office:value-type="float" '
        'office:value="7"><text:p>7</text:p></table:table-cell>'
    )
    book = opened(tmp_path, "a.ods", ods({"One": [["a", "b", "c"], [twice, 8]]}))
    assert book.rows("One")[1] == [7, 7, 8]
    assert book.types.sheet("One").filled[1] == {0, 1, 2}


def test_a_vast_sheet_is_refused_in_either_format(tmp_path: Path) -> None:
    vast = Raw(
        '<table:table-cell table:number-columns-repeated="16000"/><table:table-cell '
        'office:value-type="float" office:value="7"><text:p>7</text:p></table:table-cell>'
    )
    far = [["a"], *[[]] * 30_000, [vast]]
    for name, content in {
        "a.ods": ods({"One": far}),
        "a.xlsx": xlsx({"One": [["a", Raw('<c r="XFD1048576"><v>1</v></c>')]]}),
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(SubmissionError) as raised:
            cell_types(landed_file(path, name, {})).sheet("One")
        assert [one.rule for one in raised.value.faults] == ["is of a reasonable size"]


def _population(kind: str, fenland: Any, code: Any = "E07000010") -> bytes:
    grid = [
        ["MYE5: Population estimates"],
        [],
        ["Code", "Name", "Geography", "Area (sq km)", "Estimated Population  mid-2017"],
        ["E07000008", "Cambridge", "District", 100, 124_919],
        [code, "Fenland", "District", 100, fenland],
        ["E07000011", "Huntingdonshire", "District", 100, 177_352],
    ]
    return WRITERS[kind]({"MYE 5": grid})


def test_an_error_in_an_xls_is_refused_by_its_cell(tmp_path: Path) -> None:
    for place, content in {
        "Estimated Population mid-2017": _population("xls", Raw("#N/A")),
        "area_code": _population("xls", 101_000, Raw("#REF!")),
    }.items():
        outcome = check(tmp_path, "population_estimates", a_xls=content)
        assert outcome.state == "refused"
        fault = next(one for one in outcome.faults if one.severity == "record")
        assert (fault.line, fault.value in ("#N/A", "#REF!")) == (5, True)
        assert fault.column == "Estimated Population mid-2017" or place == "area_code"


@pytest.mark.parametrize(
    "error", ["#N/A", "#DIV/0!", "#NAME?", "Err:502", "#WERT!", "#N/D", "####"]
)
def test_the_text_of_an_error_is_refused_in_any_text_column(tmp_path: Path, error: str) -> None:
    header = "Snapshot date,District,Scheme,Provider,Town,Client group,Kind,Places"
    good = "30/06/2018,E07000010,Foyer,Luminus,Wisbech,Homeless people,supported place,5"
    for column in ("Scheme", "Provider", "Town"):
        place = header.split(",").index(column)
        cells = good.split(",")
        cells[place] = error
        content = f"{header}\r\n{','.join(cells)}\r\n".encode()
        outcome = check(tmp_path, "supported_accommodation", a_csv=content)
        (fault,) = (one for one in outcome.faults if one.severity == "record")
        assert (fault.rule, fault.column, fault.value) == (ERROR_RULE, column, error)


def test_a_number_sign_in_a_text_is_no_error(tmp_path: Path) -> None:
    header = "Snapshot date,District,Scheme,Provider,Town,Client group,Kind,Places"
    row = "30/06/2018,E07000010,#1 The Foyer,Errol House,Wisbech,Homeless people,supported place,5"
    content = f"{header}\r\n{row}\r\n".encode()
    assert check(tmp_path, "supported_accommodation", a_csv=content).rows_loaded == 1


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), max_size=8)
_CELLS = st.one_of(st.none(), _TEXTS.map(str.strip), st.integers(-99, 10**6), st.just("#N/A"))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(grid=st.lists(st.lists(_CELLS, max_size=5), max_size=6))
@pytest.mark.parametrize("kind", ["xlsx", "ods", "xls"])
def test_what_is_read_is_what_the_file_holds(
    tmp_path: Path, kind: str, grid: list[list[Any]]
) -> None:
    write: Callable[[Any], bytes] = WRITERS[kind]
    book = opened(tmp_path, f"a.{kind}", write({"One": grid}))
    rows = book.rows("One")
    held = {
        (row, column): cell
        for row, line in enumerate(grid)
        for column, cell in enumerate(line)
        if cell not in (None, "")
    }
    filled = book.types.sheet("One").filled
    assert {(row, column) for row, columns in filled.items() for column in columns} == held.keys()
    for (row, column), cell in held.items():
        assert text_of(rows[row][column]) == text_of(cell)


def test_a_damaged_workbook_is_refused_by_its_name(tmp_path: Path) -> None:
    for kind, whole in {
        "xlsx": survey(),
        "xls": xls({"MYE 5": [["Code", "Name"]] * 400}),
        "ods": ods({"2016": [["Area", "Total"]] * 40}),
    }.items():
        for cut in range(60, len(whole), max(len(whole) // 25, 1)):
            broken = bytearray(whole)
            broken[cut : cut + 40] = b"\xff" * 40
            path = tmp_path / f"a.{kind}"
            path.write_bytes(bytes(broken))
            try:
                book = open_workbook(landed_file(path, path.name, {}))
                for sheet in book.sheets:
                    book.rows(sheet)
            except SubmissionError as error:
                assert path.name in str(error)

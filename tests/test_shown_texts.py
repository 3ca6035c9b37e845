"""Messages on sources about people show what is harmless, and of all else the kind and length."""

import ast
import io
from collections.abc import Iterator
from datetime import date

import duckdb
import pytest
from rich.console import Console

from orchestration.cli.land import land_files
from orchestration.config.settings import PROJECT
from orchestration.errors import LandingError
from orchestration.ingest.checking.contract import Column, Contract, load_contracts
from orchestration.ingest.checking.faults import Fault, given
from orchestration.ingest.checking.shown_texts import (
    ShownTexts,
    Vocabulary,
    described,
    refuse_identifying,
)
from orchestration.ingest.landing.receipt import Receipt
from tests.canaries import IDENTIFIERS, SURNAME, canaries, found_in
from tests.support import NOW, Ground

CONTRACTS = load_contracts()
PEOPLE = [name for name, one in CONTRACTS.items() if one.about_people]
QUARTER = date(2018, 4, 1)


def texts(source: str, *files: str) -> ShownTexts:
    return ShownTexts(CONTRACTS[source], Vocabulary.with_names(["Fenland"]), QUARTER, files)


def test_there_are_enough_spellings_and_the_search_sees_each() -> None:
    assert len(canaries()) >= 100
    assert [one for one in canaries() if not found_in(one)] == []


@pytest.mark.parametrize("source", PEOPLE)
def test_no_message_shows_a_canary(source: str) -> None:
    for canary in canaries():
        name = f"charges-{canary}.csv"
        shown = texts(source, name, "second.csv")
        said = f"There is a column '{given(canary)}' in {given(name)}."
        fault = shown.fault(Fault("a rule", said, name, canary, 7, canary, canary))
        assert found_in(str(fault)) == [], canary
        assert fault.line == 7
        for column in CONTRACTS[source].columns:
            assert found_in(shown.value(column.title, canary)) == [], (column.name, canary)


def test_the_place_and_the_rule_are_said() -> None:
    fault = Fault("is a known value", "Not agreed.", "charges.csv", None, 7, "Sex", "23/09/1971")
    shown = texts("police_charges", "charges.csv").fault(fault)
    assert (shown.file, shown.line, shown.column) == ("charges.csv", 7, "Sex")
    assert (shown.rule, shown.message, shown.value) == (
        "is a known value", "Not agreed.", "a date of 10 characters",
    )  # fmt: skip


def test_a_fault_that_nobody_has_looked_at_shows_no_marked_text() -> None:
    fault = Fault("a rule", f"There is '{given('2016/9912399Q')}'.")
    assert found_in(str(fault)) == []
    assert "(13 characters)" in str(fault)


@pytest.mark.parametrize(
    ("source", "column", "value"),
    [
        ("iom_cohort", "Sex", "X"),
        ("iom_cohort", "Lead agency", "police"),
        ("probation_caseload", "OGRS3 score", "101"),
        ("probation_caseload", "OGRS3 score", "-1"),
        ("police_charges", "HO Offence Code", "105/1"),
        ("police_charges", "Residence LA Code", "K07000010"),
        ("police_charges", "Charge Date", "2018-06-30"),
        ("prison_releases", "Not recorded", "-4"),
    ],
)
def test_a_harmless_value_is_shown(source: str, column: str, value: str) -> None:
    fault = Fault("is a known value", "Wrong.", column=column, value=value)
    assert texts(source).fault(fault).value == value


@pytest.mark.parametrize(
    ("name", "is_shown"),
    [
        ("charges-2018-04-to-2018-06.csv", True),
        ("fenland caseload 2018-06-30 (2).csv", True),
        ("a.csv", True),
        ("charges-smithers.csv", False),
        ("charges-1990-05-17.csv", False),
        ("993312.csv", False),
    ],
)
def test_a_file_is_named_where_its_name_is_harmless(name: str, is_shown: bool) -> None:
    shown = texts("police_charges", "first.csv", name).file(name)
    assert shown == name if is_shown else shown.startswith("file 2 (a name of ")


def test_two_files_that_are_not_named_are_told_apart() -> None:
    shown = texts("police_charges", "smithers.csv", "johnsen.csv")
    assert len({shown.file("smithers.csv"), shown.file("johnsen.csv")}) == 2


def test_a_fault_that_may_be_shown_stays_as_it_is() -> None:
    shown = texts("police_charges", "smithers.csv")
    once = shown.fault(Fault("a rule", given("Smithers"), "smithers.csv", "Smithers", value="Smi"))
    assert shown.fault(once) == once


def test_public_sources_show_values_but_no_identifier() -> None:
    shown = texts("police_uk_street")
    for value in ("On or near Station Road", "2018-13", "52.663846", "Fenland 002B"):
        assert shown.value("Location", value) == value
    for canary in IDENTIFIERS.values():
        if canary not in (IDENTIFIERS["young person"], IDENTIFIERS["response"]):
            assert found_in(shown.value("Location", f"On or near {canary}")) == []


def test_a_source_about_people_says_so() -> None:
    def contract(**of_contract: object) -> Contract:
        listed = CONTRACTS["dwelling_stock"].model_dump() | of_contract
        return Contract(**listed)

    personal = Column(name="born", type="DATE", meaning="Birth.", personal=True).model_dump()
    columns = [*CONTRACTS["dwelling_stock"].model_dump()["columns"], personal]
    assert contract(columns=columns, counts="people").about_people
    with pytest.raises(ValueError, match="counts"):
        contract(columns=columns)
    with pytest.raises(ValueError, match="bulk"):
        contract(counts="people", layout="csv", key=())


def test_a_text_about_people_that_nothing_bounds_is_a_series_or_the_name_of_an_area() -> None:
    for name in PEOPLE:
        contract = CONTRACTS[name]
        unbounded = {column.name for column in contract.columns if column.is_open}
        assert unbounded <= {*contract.series, "area_name"}, name


def test_kind_and_length_are_said() -> None:
    assert described("Zwetschkenbaum") == "a text of 14 characters"
    assert described("07700 900993") == "a number of 12 characters"
    assert described("23/09/1971") == "a date of 10 characters"
    assert described("") == "a text of 0 characters"


def test_the_search_is_no_empty_one() -> None:
    """DuckDB itself gives a canary back, so that a scan of a database proves something."""
    with duckdb.connect() as connection:
        ((held,),) = connection.execute("select 'X ' || $1", [IDENTIFIERS["pnc"]]).fetchall()
    assert found_in(held)


def test_a_landing_says_no_name_of_a_file_that_may_be_a_persons(ground: Ground) -> None:
    content = (PROJECT / "raw/youth_offending/2018-07-01").glob("*.csv")
    path = ground.settings.home.parent / f"youth {SURNAME} 23-09-1971.csv"
    path.write_bytes(next(content).read_bytes())
    said = io.StringIO()
    receipt = Receipt(
        source="youth_offending", quarter=date(2018, 7, 1), received_at=NOW, nature="real", note=""
    )

    def landed(**changes: object) -> None:
        land_files(
            ground.settings, "youth_offending", [path], receipt.model_copy(update=changes),
            Console(file=said), replace=False, whole=False,
        )  # fmt: skip

    landed()
    path.write_text(path.read_text().replace("Theft from shop", "Robbery"))
    with pytest.raises(LandingError) as replaced:
        landed()
    with pytest.raises(LandingError) as noted:
        landed(note=f"About {IDENTIFIERS['pnc']}, born 23/09/1971.")
    assert "--replace" in str(replaced.value)
    assert "--note" in str(noted.value)
    assert found_in(f"{said.getvalue()} {replaced.value} {noted.value}") == []
    assert "file 1 (a name of" in said.getvalue()


@pytest.mark.parametrize(
    ("note", "is_refused"),
    [
        ("Sent again on 3 July 2018, with 1,267 rows.", False),
        ("Figures of 2016/17 and of 2018-04.", False),
        ("Mr Q was born 23/09/1971.", True),
        ("Row of 16/991239Q was wrong.", True),
        ("Ring 07700 900 993.", True),
        ("Sent on 3 July 2018 by 16/991239Q.", True),
    ],
)
def test_a_note_says_nothing_of_a_person(note: str, is_refused: bool) -> None:
    try:
        refuse_identifying("--note", note, QUARTER)
    except LandingError as error:
        assert is_refused and found_in(str(error)) == []
    else:
        assert not is_refused


def test_names_of_prisons_and_forces_are_known_whole_only() -> None:
    words = Vocabulary.with_names()
    for name in ("HMP Featherstone", "Kent Police", "hmp-norwich-2018.csv", "Cambridgeshire YOS"):
        assert words.knows(name.removesuffix(".csv")), name
    for name in ("Featherstone", "charges Kent", "Police constable Preston", "March Hall"):
        assert not words.knows(name), name


# Expressions in messages that are of the project itself or a count, not of a supplier's file.
OURS = {
    "_KNOWN_LAYOUTS", "_MOST_BYTES >> 30", "_MOST_MEMBERS", "_PERIOD", "_ROWS_ABOVE_HEADER",
    "_how_many(count, lines)", "_rows(number)", "_rows(one.rows)", "_rows(whole - held[0])",
    "_rows_said(left)", "_rows_said(lost)", "'; '.join(_EDITIONS)", "' and '.join(needed)",
    "', '.join(expected)", "', '.join(same)", "', '.join(wanted)", "are", "at_least", "column + 1",
    "column.listed", "columns[0]", "content[error.start]", "count", "counts['Assessed']",
    "delivered", "edition.small_areas", "error.object[error.start]", "files", "first", "hint",
    "kind", "kinds", "known", "label",
    "len(below)", "len(fields)", "len(files)", "len(header)", "len(same)", "limit",
    "load.delivered", "missing",
    "more", "name", "number", "period", "place", "quarter.isoformat()", "refused",
    "refused / delivered", "rows", "rule.message", "same[0].isoformat()", "sign", "summed", "title",
    "told", "wanted", "what", "whole", "why", "years[sheet]",
}  # fmt: skip


def parts_of_messages() -> Iterator[tuple[str, str]]:
    """Yield each expression that is put into the message of a fault, with its place."""
    for path in (PROJECT / "orchestration" / "ingest").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called not in ("Fault", "_mild", "_refusal", "_warn", "Row"):
                continue
            texts = [one.value for one in node.keywords if one.arg in ("message", "fault")]
            for text in (*node.args, *texts):
                for part in ast.walk(text):
                    if isinstance(part, ast.FormattedValue):
                        yield f"{path.name}:{part.lineno}", ast.unparse(part.value)


def test_every_text_of_a_supplier_in_a_message_is_marked() -> None:
    found = list(parts_of_messages())
    assert len(found) > 60
    unmarked = [
        (place, part)
        for place, part in found
        if part not in OURS
        and not part.startswith("'is' if")
        and not any(sign in part for sign in ("given", "quoted", "contract."))
    ]
    assert not unmarked, "mark it with given(), or list it above if it is of the project itself"

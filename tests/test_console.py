"""Text of files, values and errors is printed as it is; a style is given by a template only."""

import ast
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.cli.console import new_console, styled
from orchestration.cli.tables import ShownTable, print_table
from orchestration.config.settings import PROJECT

AWKWARD = ["youth [final].csv", "[x]", "[/x]", "[/]", "[bold]", "\\[x]", "a\\", "[", ":bug:", "{}"]
MODULES = sorted((PROJECT / "orchestration").rglob("*.py"))


@given(
    st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=["Cc", "Cs"]))),
    st.sampled_from(AWKWARD),
)
def test_a_value_is_shown_as_it_is(value: str, other: str) -> None:
    text = styled("[bold red]Refused:[/] {} [yellow]and {}[/].", value, other)
    assert text.plain == f"Refused: {value} and {other}."


def test_a_style_covers_the_value_in_its_place() -> None:
    text = styled("{}: [bold]{:,} rows[/] of {}", "[/a]", 1234, "b")
    assert text.plain == "[/a]: 1,234 rows of b"
    assert [(text.plain[one.start : one.end], one.style) for one in text.spans] == [
        ("1,234 rows", "bold")
    ]


def test_a_value_without_a_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        styled("{}", "a", "b")


@pytest.mark.parametrize("value", AWKWARD)
def test_lines_and_tables_print_brackets(value: str) -> None:
    said = StringIO()
    console = new_console(file=said, width=100)
    console.print(f"line {value}")
    table = ShownTable([value], value)
    table.add(value)
    print_table(table, console)
    assert said.getvalue().count(value) == 4


@pytest.mark.parametrize("query", ["select '[x]' as a", "select '[/x]' as a", 'select 1 as "[/b]"'])
def test_a_query_answers_with_its_brackets(csp, tmp_path: Path, query: str) -> None:
    from orchestration.config.settings import Settings
    from orchestration.warehouse.connection import connect

    with connect(Settings(home=tmp_path, raw=tmp_path)):
        pass
    done = csp("sql", query, CSP_HOME=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert query.split("'")[1] in done.stdout if "'" in query else "[/b]" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("land", "[/x]", "2018-04-01", "a.csv"),
        ("land", "police_uk_street", "[/x]", "a.csv"),
        ("land", "police_uk_street", "2018-04-01", "[/x].csv"),
        ("check", "police_uk_street", "[/x].csv"),
        ("history", "[/x]"),
        ("refresh", "[/x]"),
        ("refresh", "--[/x]"),
        ("[/x]",),
    ],
)
def test_an_error_names_a_bracketed_argument(csp, tmp_path: Path, arguments) -> None:
    done = csp(*arguments, CSP_HOME=str(tmp_path / "var"), CSP_RAW=str(tmp_path / "raw"))
    assert done.returncode in (1, 2)
    assert "[/x]" in done.stderr
    assert "Traceback" not in done.stderr


def _calls(path: Path, name: str) -> list[ast.Call]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == name
    ]


def test_every_console_prints_literally() -> None:
    for path in MODULES:
        if path.name != "console.py":
            assert not _calls(path, "Console"), f"{path}: use new_console"
            assert not _calls(path, "from_markup"), f"{path}: use styled"


def test_no_template_holds_a_value() -> None:
    for path in MODULES:
        for call in _calls(path, "styled"):
            inside = list(ast.walk(call.args[0]))
            assert not any(isinstance(node, ast.JoinedStr) for node in inside), (
                f"{path}:{call.lineno}: give the value as an argument of styled"
            )

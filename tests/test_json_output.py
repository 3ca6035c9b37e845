"""``--json``: real output fits the JSON Schema in the docs, and is all that is printed."""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from orchestration.cli.json_output import OUTPUTS, json_schema
from orchestration.config.settings import PROJECT
from orchestration.releases.published_file import engine
from tests.support import Ground, month_file, street_file, street_row

Run = Callable[..., Any]
SCHEMA = PROJECT / "docs/json_schema.json"
PAGE = PROJECT / "docs/commands.md"
BEGIN, END = "<!-- json: begin -->", "<!-- json: end -->"
STREET = "police_uk_street"
WRONG = [street_row(number=500 + number, crime_type="Shop lifting") for number in range(3)]


def test_schema_of_the_docs_is_that_of_the_models() -> None:
    if os.environ.get("WRITE_SNAPSHOT"):
        SCHEMA.write_text(json_schema(), encoding="utf-8")
    assert SCHEMA.read_text(encoding="utf-8") == json_schema()


def test_page_lists_every_key_with_its_type_and_meaning() -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, begin, rest = page.partition(BEGIN)
    section, end, after = rest.partition(END)
    made = "\n".join(tables())
    if os.environ.get("WRITE_SNAPSHOT"):
        PAGE.write_text(f"{before}{begin}\n{made}\n{end}{after}", encoding="utf-8")
    else:
        assert section == f"\n{made}\n"


def tables() -> Iterator[str]:
    """Yield the lines of the page's tables of keys."""
    definitions = json.loads(json_schema())["$defs"]
    for model in OUTPUTS:
        yield from ("", f"### {model.__doc__}".rstrip("."), "", "| key | type | meaning |")
        yield "|---|---|---|"
        yield from rows(definitions, model.__name__)
    yield ""


def rows(definitions: Mapping[str, Any], name: str, before: str = "") -> Iterator[str]:
    for key, about in definitions[name]["properties"].items():
        assert about["description"], f"{name}.{key} has no description"
        yield f"| `{before}{key}` | {type_of(definitions, about)} | {about['description']} |"
        inner = re.search(r"#/\$defs/(\w+)", json.dumps(about))
        if inner:
            list_of = "[]" if about.get("type") == "array" else ""
            yield from rows(definitions, inner[1], f"{before}{key}{list_of}.")


def type_of(definitions: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Return the type of a key as people read it."""
    if "anyOf" in about:
        return " or ".join(type_of(definitions, one) for one in about["anyOf"])
    if "enum" in about:
        return "one of: " + ", ".join(about["enum"])
    if "const" in about:
        return str(about["const"])
    if "$ref" in about:
        return "object"
    if about["type"] == "array":
        return f"list of {type_of(definitions, about['items'])}s"
    kinds = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    formats = {"date": "date", "date-time": "time"}
    return formats.get(about.get("format", ""), kinds.get(about["type"], about["type"]))


@pytest.fixture
def run(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in this process, on a landing zone with a quarantine and a refusal."""
    monkeypatch.setenv("CSP_HOME", str(ground.settings.home))
    monkeypatch.setenv("CSP_RAW", str(ground.settings.raw))
    rows = [street_row(number=number) for number in range(1, 400)]
    ground.put(STREET, "2018-01-01", {"a.csv": month_file("2018-01")})
    ground.put(STREET, "2018-04-01", {"a.csv": street_file([*rows, *WRONG])})
    ground.put(STREET, "2018-07-01", {"a.csv": "Wrong,Header\r\n1,2\r\n"})
    ground.load(STREET, "2018-07-01")
    return lambda *arguments: CliRunner().invoke(app, arguments)


def output(done: Any, model: str, code: int = 0) -> Any:
    assert done.exit_code == code, done.output
    assert done.stderr == ""
    said = json.loads(done.stdout)
    definitions = json.loads(SCHEMA.read_text(encoding="utf-8"))["$defs"]
    schema = {"$ref": f"#/$defs/{model}", "$defs": definitions}
    jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    ).validate(said)
    return said


def test_status(run: Run) -> None:
    said = output(run("status", "--json", "--on", "2018-12-31"), "StatusOutput")
    states = {(one["source"], one["quarter"]): one for one in said["deliveries"] if one["version"]}
    refused = states[STREET, "2018-07-01"]
    assert (refused["state"], refused["version"]) == ("refused", 1)
    assert "has no heading" in refused["reason"] or "a.csv" in refused["reason"]
    later = output(run("status", "--json", "--on", "2019-09-05"), "StatusOutput")
    assert [
        (one["quarter"], one["state"], one["days_late"])
        for one in later["deliveries"]
        if one["source"] == STREET and one["due"]
    ] == [("2019-01-01", "late", 96), ("2019-04-01", "late", 5)]


def test_history(run: Run) -> None:
    said = output(run("history", STREET, "--json"), "HistoryOutput")
    assert [(one["quarter"], one["rows_refused"]) for one in said["versions"]] == [
        ("2018-01-01", 0), ("2018-04-01", 3), ("2018-07-01", 0)
    ]  # fmt: skip
    one = output(run("history", STREET, "--quarter", "2018-04-01", "--json"), "HistoryOutput")
    assert len(one["versions"]) == 1 and len(one["versions"][0]["files"][0]["sha256"]) == 64


def test_releases_where_there_are_none(run: Run) -> None:
    assert output(run("releases", "--json"), "ReleasesOutput")["releases"] == []


def test_releases_and_status_of_the_sample(sample: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CSP_HOME", str(sample.settings.home))
    said = output(CliRunner().invoke(app, ["releases", "--json"]), "ReleasesOutput")
    assert [(one["quarter"], one["current"]) for one in said["releases"]] == [("2018-04-01", True)]
    status = output(CliRunner().invoke(app, ["status", "--json"]), "StatusOutput")
    assert (status["sample_up_to"], status["on"]) == ("2018-12-31", "2018-12-31")
    assert not [one for one in status["deliveries"] if one["state"] in ("late", "awaited")]


def test_check_of_a_loaded_and_of_a_refused_delivery(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(street_file([*(street_row(number=one) for one in range(1, 400)), *WRONG]))
    said = output(
        run("check", STREET, str(path), "--report", str(tmp_path), "--json"), "CheckOutput"
    )
    assert (said["outcome"], said["rows_loaded"], said["rules"][0]["count"]) == ("loaded", 399, 3)
    assert all(Path(report).exists() for report in said["reports"])
    path.write_text("Wrong,Header\r\n1,2\r\n")
    refused = run("check", STREET, str(path), "--report", str(tmp_path), "--json")
    assert output(refused, "CheckOutput", code=4)["outcome"] == "refused"


def test_an_error_leaves_standard_output_empty(run: Run) -> None:
    for arguments in (("history", "nonsense"), ("check", "nonsense", "a.csv")):
        done = run(*arguments, "--json")
        assert done.exit_code == 1 and done.stdout == ""


def test_no_connection_draws_a_progress_bar_into_what_is_printed(ground: Ground) -> None:
    """DuckDB draws one on the standard output of a query of more than two seconds."""
    asked = "select current_setting('enable_progress_bar')"
    ground.put("police_uk_street", "2018-04-01", {"2018-04.csv": month_file()})
    ground.load("police_uk_street")
    assert ground.value(asked) is False
    with engine(ground.settings.home / "spill") as connection:
        assert connection.cursor().execute(asked).fetchall() == [(False,)]

"""Texts that readers get follow the data: nothing in them is of one year, body or district."""

import ast
import re
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.config.settings import PROJECT
from orchestration.exports.findings.key_findings import findings
from orchestration.exports.pack.table_notes import data_notes
from orchestration.exports.report_definition.row_selection import Place
from tests.release_fixtures import exhibits

MODELS = PROJECT / "dbt_project" / "models"
EXPORTS = PROJECT / "orchestration" / "exports"
OF_ONE_YEAR = re.compile(r"\b(?:19|20)\d\d(?:/\d\d)?\b")
OF_ONE_PLACE = re.compile(
    r"fenland|cambridge|huntingdon|peterborough|wisbech|county research group"
    r"|printed (?:figure|column|table|text|appendix|finance)|in print\b",
    re.IGNORECASE,
)


def published_models() -> Iterator[dict[str, Any]]:
    for path in MODELS.rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models", ()):
            csp = ((model.get("config") or {}).get("meta") or {}).get("csp") or {}
            if "title" in csp and "_audit" not in path.name:
                yield {**model, "csp": csp}


def literals(path: Path) -> Iterator[str]:
    """Return the constants of a module other than docstrings."""
    tree = ast.parse(path.read_text())
    docstrings = {
        id(node.value) for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docstrings:
            yield node.value if isinstance(node.value, str) else ""


@pytest.mark.parametrize("model", published_models(), ids=lambda model: str(model["name"]))
def test_notes_and_titles_name_no_year_and_no_place(model: dict[str, Any]) -> None:
    texts = [model["csp"]["title"], model["csp"].get("note", "")]
    for text in texts:
        # Since when a supplier's categories are what they are is no period of the data.
        assert not OF_ONE_YEAR.search(re.sub(r"\((?:to|from|since) \d{4}\)", "", text)), text
        assert not OF_ONE_PLACE.search(text), text
    for column in model.get("columns", ()):
        # An example is introduced as one.
        words = re.sub(r"such as [^.;]*|of 2011|LSOA 20\d\d", "", column.get("description", ""))
        assert not OF_ONE_PLACE.search(words), (column["name"], words)


@pytest.mark.parametrize("path", sorted(EXPORTS.glob("*.py")), ids=lambda path: path.name)
def test_texts_of_the_exports_name_no_year_and_no_place(path: Path) -> None:
    for text in literals(path):
        assert not OF_ONE_YEAR.search(text), text
        assert not OF_ONE_PLACE.search(text), text


def test_no_export_names_a_district_of_the_sample() -> None:
    file = PROJECT / "orchestration/config/partnerships.toml"
    (area,) = tomllib.loads(file.read_text(encoding="utf-8"))["force_areas"]
    towns = {town["name"] for town in area["towns"]}
    assert len(towns) > 10
    for path in EXPORTS.glob("*.py"):
        for text in literals(path):
            assert not towns & set(re.findall(r"[A-Z][a-z]+", text)) - {"March"}, text


def test_notes_of_another_force_and_years_are_made_from_its_rows() -> None:
    place = Place("E07000146", "King's Lynn and West Norfolk", "E23000017", "Norfolk")
    rows = [
        {
            "area_code": code, "period_type": "calendar_year", "period_label": str(year),
            "period_start": date(year, 1, 1), "period_end": date(year, 12, 31),
            "offenders": offenders, "population": population,
            "rate_per_1000": round(1000 * offenders / population, 1),
            "population_estimator": "ons_mid_year", "population_mid_year": date(year, 6, 30),
            "comparison_basis": "calendar_year, police_offender_counts, ons_mid_year",
            "break_reason": "another count" if year == 2021 else None,
            "status": "[b]" if year == 2021 else None,
        }
        for year in (2020, 2021, 2022)
        for code, offenders, population in (
            (place.code, 1000 + year, 150_000), (place.force_code, 9000, 900_000))
    ]  # fmt: skip
    assert data_notes(rows) == [
        "Breaks in series: 2021 (another count).",
        "Population: Office for National Statistics, mid-2020 (2020); Office for National "
        "Statistics, mid-2021 (2021); Office for National Statistics, mid-2022 (2022).",
    ]
    found = findings("table_1_offender_rates", rows, place)
    said = " ".join([*data_notes(rows), *(one.text for one in found)])
    years = {int(year) for year in OF_ONE_YEAR.findall(said)}
    assert years <= {2020, 2021, 2022}
    assert not OF_ONE_PLACE.search(said)


def test_population_that_remains_in_for_several_years_is_named_once() -> None:
    rows = [
        {"stock_year": year, "population_estimator": name, "break_reason": None}
        for year, name in ((2017, None), (2016, "research_group"), (2015, "research_group"))
    ]
    assert data_notes(rows) == ["Population: local research group (2015, 2016)."]


def test_what_is_missing_is_named_with_its_reasons() -> None:
    months = [
        {"month": date(2022, month, 1), "missing_because": why}
        for month, why in ((9, None), (10, "b"), (11, "a"), (11, "b"), (12, "a"), (12, "a"))
    ]
    assert data_notes(months) == [
        "No data for October 2022: b.",
        "No data for November 2022: a; b.",
        "No data for December 2022: a.",
    ]
    twelve = [{"period_label": "Twelve months", "missing_because": why} for why in ("a", None, "b")]
    assert data_notes(twelve) == ["Months without data: a; b."]


def test_reasons_for_what_is_not_shown_are_sentences_on_this_release() -> None:
    for exhibit in exhibits():
        assert exhibit.absent_because and not exhibit.absent_because.endswith(".")

"""Report metadata: a table is shown as its YAML declares, and a bad declaration is refused."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from pydantic import BaseModel
from python_calamine import CalamineWorkbook

from orchestration.config.settings import PROJECT
from orchestration.exports import ExportError
from orchestration.exports.partnership_export import export_partnership
from orchestration.publish import (
    CatalogueError,
    build_release,
    declared_reports,
    published_tables,
)
from orchestration.releases.report_metadata import (
    SECTIONS,
    BarChart,
    ColumnNote,
    CrossTable,
    ReportColumn,
    ReportMetadata,
)
from tests.release_fixtures import (
    AREAS,
    CREDITS,
    NOW,
    QUARTER,
    build_warehouse,
    manifest,
    report_models,
    tables,
)

PAGE = (PROJECT / "docs/report_metadata.md").read_text(encoding="utf-8")
TABLE_9 = "table_9_park_benches"


def yaml_of_the_page() -> dict[str, Any]:
    """Return the model that the page declares as its example."""
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (model,) = yaml.safe_load(text)["models"]
    return model


def node_of(entry: Mapping[str, Any], schema: str = "reports") -> dict[str, Any]:
    """Return the node of a dbt manifest for a model's YAML entry."""
    return {
        **entry,
        "resource_type": "model",
        "schema": schema,
        "columns": {column["name"]: column for column in entry["columns"]},
    }


def with_model(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the small manifest with one more model."""
    made: dict[str, Any] = manifest()
    made["nodes"][f"model.csp_warehouse.{entry['name']}"] = node_of(entry)
    return made


def test_a_report_table_is_shown_by_declaring_it_in_yaml_alone(tmp_path: Path) -> None:
    made = with_model(yaml_of_the_page())
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    with duckdb.connect(warehouse) as connection:
        connection.execute(
            f"create table reports.{TABLE_9} (area_code varchar, area_name varchar, "
            "benches bigint, rate_per_1000 double, status varchar)"
        )
        for number, (code, name, *_) in enumerate(AREAS[:4]):
            rate, status = (None, "[x]") if number == 2 else (number + 0.25, None)
            connection.execute(
                f"insert into reports.{TABLE_9} values (?, ?, ?, ?, ?)",
                [code, name, 1500 - number, rate, status],
            )
    release = build_release(
        warehouse,
        tmp_path / "published",
        QUARTER,
        published_tables(made),
        NOW,
        credits=CREDITS,
        reports=declared_reports(made),
    )
    out = tmp_path / "fenland"
    export_partnership(release.path, out, "fenland")

    page = (out / "pack.html").read_text(encoding="utf-8")
    # Table 9 is in its section, after Table 5.
    assert page.index("Table 5") < page.index(f'id="{TABLE_9}"') < page.index("Figure 10:")
    shown = page[page.index(f'id="{TABLE_9}"') : page.index('id="figure_10_shoplifting"')]
    texts = [re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<t[hd].*?</t[hd]>", shown)]
    assert texts[:9] == [
        "Area", "Benches", "Benches per 1,000 people",
        "Cambridgeshire Constabulary", "1,497", "3.2", "Huntingdonshire", "1,498", "[x]",
    ]  # fmt: skip
    assert "The rate uses the mid-year estimate. Benches per 1,000 people." in shown
    assert "Counted on 31 March." in shown

    words = (out / "charts" / f"{TABLE_9}.txt").read_text(encoding="utf-8")
    assert "Park benches per 1,000 people, Fenland and its neighbours" in words
    rows = CalamineWorkbook.from_path(str(out / "workbook.xlsx")).get_sheet_by_name("Table 9")
    sheet = [[str(cell).split("\n")[0] for cell in row] for row in rows.to_python()]
    heading = next(number for number, row in enumerate(sheet) if row[0] == "Area code")
    assert sheet[heading][1:3] == ["Area", "Benches"]
    assert len(sheet) - heading - 1 == 4
    package = json.loads((out / "datapackage.json").read_text(encoding="utf-8"))
    assert "Table 9" not in {one["label"] for one in package["absent"]}


def test_every_report_model_of_the_project_has_valid_metadata() -> None:
    entries = [
        entry
        for path in (PROJECT / "dbt_project/models/reports").glob("*.yml")
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    ]
    published = {
        entry["name"] for entry in entries if entry["config"]["meta"]["csp"].get("publish")
    }
    made = {entry["name"]: node_of(entry) for entry in entries}
    found = {report.name for report in declared_reports({**manifest(), "nodes": made})}
    assert published <= found == set(report_models())


def test_a_published_report_model_without_metadata_is_refused() -> None:
    entry = yaml_of_the_page()
    del entry["config"]["meta"]["csp"]["report"]
    with pytest.raises(CatalogueError, match=TABLE_9):
        declared_reports(with_model(entry))
    entry["config"]["meta"]["csp"]["publish"] = False
    assert TABLE_9 not in {report.name for report in declared_reports(with_model(entry))}


def test_a_model_that_is_no_report_is_not_shown() -> None:
    node = node_of(yaml_of_the_page(), schema="marts")
    with pytest.raises(CatalogueError, match=f"{TABLE_9}.*marts.*reports"):
        declared_reports({"nodes": {"model": node}})


# Each case: where in the declaration, the value (None takes the field away), what the message says.
BAD: dict[str, tuple[tuple[str | int, ...], object, tuple[str, ...]]] = {
    "missing": (("label",), None, ("label", "is missing")),
    "unknown field": (("colums",), [], ("colums", "is not a field")),
    "form": (("columns", 2, "form"), "money", ("columns.2.form", "'money'", "'count'")),
    "section": (("section",), "parks", ("'parks'", "numbers", "appendix_c")),
    "column": (("columns", 2, "column"), "seats", ("columns.2.column", "'seats'")),
    "order": (("order_by",), ["seats"], ("order_by", "'seats'")),
    "heading": (("columns", 2, "heading"), "Area", ("columns", "Area")),
    "label": (("label",), "Table 9/10", ("'Table 9/10'", "sheet")),
    "label taken": (("label",), "Table 5", ("'Table 5'", "table_5_social_dwellings")),
    "label of a diagram": (("label",), "Figure 1", ("'Figure 1'", "diagram")),
    "note": (("columns", 2, "note"), "none", ("'none'", "notes")),
    "note differs": (("notes", "limits"), {"text": "Others."}, ("notes.limits", "figure_10")),
    "brackets": (("columns", 1, "in_brackets"), "deliveries", ("in_brackets", "deliveries")),
    "chart kind": (("chart", "kind"), "pie", ("chart.kind", "'pie'", "'bars'")),
    "chart value": (("chart", "value"), "csp", ("chart.value", "csp")),
    "chart title": (("chart", "title"), "In {town}", ("chart.title", "'town'")),
    "chart limits": (("chart", "kind"), "intervals", ("chart", "lower", "upper")),
    "chart braces": (("chart", "title"), "In {place", ("chart", "braces")),
    "chart without a name": (("chart", "subtitle"), "In {}", ("chart.subtitle", "''")),
    "cells": (
        ("cross_table",),
        {"rows": "area_name", "columns": "status", "cells": [], "heading": "Area"},
        ("cross_table.cells",),
    ),
    "not a mapping": ((), "Table 9", ("'Table 9'",)),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_declaration_is_refused_with_model_field_and_remedy(case: str) -> None:
    place, value, words = BAD[case]
    entry = yaml_of_the_page()
    holder: Any = entry["config"]["meta"]["csp"]
    for part, following in zip(("report", *place), place, strict=False):
        holder = holder[part]
        assert following is not None
    name = place[-1] if place else "report"
    if value is None:
        del holder[name]
    else:
        holder[name] = value
    with pytest.raises(CatalogueError) as refused:
        declared_reports(with_model(entry))
    said = str(refused.value)
    assert TABLE_9 in said and "docs/report_metadata.md" in said
    assert all(word in said for word in words), said


def test_the_note_on_limits_takes_its_parameter_from_the_project() -> None:
    for name in ("figure_10_shoplifting", "figure_11_burglary"):
        note = report_models()[name]["config"]["meta"]["csp"]["report"]["notes"]["limits"]
        assert not re.search(r"\d", note["text"])
        assert "{{ var('xmr_limit_factor') }}" in note["text"]


def test_a_release_that_does_not_say_how_reports_are_shown_is_not_exported(tmp_path: Path) -> None:
    warehouse = build_warehouse(tmp_path / "warehouse.duckdb")
    path = build_release(warehouse, tmp_path / "published", QUARTER, tables(), NOW).path
    path.chmod(0o644)
    with duckdb.connect(path) as connection:
        connection.execute("drop table main.report_metadata")
    with pytest.raises(ExportError, match=r"main\.report_metadata.*Refresh"):
        export_partnership(path, tmp_path / "fenland", "fenland")
    assert not (tmp_path / "fenland").exists()


def test_the_page_describes_every_field_and_section() -> None:
    parts: dict[str, type[BaseModel]] = {
        "Fields": ReportMetadata,
        "Columns": ReportColumn,
        "Cross table": CrossTable,
        "Chart": BarChart,
        "Notes": ColumnNote,
    }
    for heading, model in parts.items():
        (text,) = re.findall(rf"^##+ {heading}\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE)
        named = [cell for cell in re.findall(r"^\| (`[^|]*`) \|", text, re.MULTILINE)]
        fields = [name for cell in named for name in re.findall(r"`(\w+)`", cell)]
        assert sorted(fields) == sorted(model.model_fields), heading
    listed = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|$", PAGE.split("## Sections")[1], re.M))
    assert list(listed.items()) == list(SECTIONS.items())


def test_a_note_leaves_out_what_is_said_of_empty_cells():
    note = ColumnNote(text="Limits.", descriptions_of=("lower", "signal", "other"))
    meanings = {
        "lower": "Lower limit; null without limits. It may lie below 0.",
        "signal": "Above or below a limit, else none; null where rare. Null of a force.",
    }
    assert note.words(meanings) == (
        "Limits. Lower limit. It may lie below 0. Above or below a limit, else none."
    )

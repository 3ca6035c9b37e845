"""The metrics: each is recomputed from the published file, and is what everything else shows."""

import json
import math
import os
import re
from functools import cache
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.config.settings import PROJECT, Settings
from orchestration.publish import CatalogueError, declared_metrics, declared_reports
from orchestration.publish.metrics import METRICS, Metric
from orchestration.transform.dbt_runner import load_manifest
from tests.metric_formulas import RECOMPUTED
from tests.release_fixtures import manifest
from tests.support import SAMPLE_QUARTERS, Ground

FILE = PROJECT / "dbt_project" / "models" / "metrics" / "metrics.yml"
PAGE = PROJECT / "docs" / "metrics.md"
NAMES = [metric["name"] for metric in yaml.safe_load(FILE.read_text(encoding="utf-8"))["metrics"]]


WITHOUT_METRICS = {
    # Rows of crime_trends, or what it is the sum of.
    "crime_monthly", "shoplifting_trends", "burglary_trends",
    # What crime_hot_spots is the sum of.
    "crime_by_small_area", "crime_by_ward_and_town",
    # Results of models and rules.
    "crime_outlook", "crime_outlook_verdicts", "crime_priorities",
    # Rows of recorded_crime_by_csp beside those of other tables, or of other places.
    "crime_counts_compared", "crime_against_similar_areas",
}  # fmt: skip
"""Published marts whose figures are those of other tables, or no sums."""


OF_A_LATER_QUARTER = "stop_and_search"
"""The mart of which the sample has nothing before its last quarters."""
OF_THEIR_QUARTER = [
    pytest.param(name, marks=pytest.mark.slow if "search" in name else ()) for name in NAMES
]


def ground_of(table: str, request: pytest.FixtureRequest) -> Ground:
    """Return the sample as at the first quarter that has figures of the table."""
    sample: Ground = request.getfixturevalue("sample")
    if table != OF_A_LATER_QUARTER:
        return sample
    home = request.getfixturevalue("quarters")[SAMPLE_QUARTERS[-1]]
    return Ground(Settings(home=home, raw=sample.settings.raw))


def ask(ground: Ground, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(ground.settings.published / "csp.duckdb", read_only=True) as connection:
        return connection.execute(query).fetchall()


@cache
def metrics() -> dict[str, Metric]:
    return {metric.name: metric for metric in declared_metrics(manifest())}


def one(name: str) -> Metric:
    return metrics()[name]


def test_every_metric_is_recomputed() -> None:
    assert sorted(RECOMPUTED) == sorted(NAMES)


@pytest.mark.parametrize("name", OF_THEIR_QUARTER)
def test_a_metric_recomputed_is_the_published_one(
    request: pytest.FixtureRequest, name: str
) -> None:
    ground = ground_of(one(name).table[1], request)
    pairs = [
        (published, computed)
        for published, computed in ask(ground, RECOMPUTED[name])
        if published is not None
    ]
    assert any(computed is not None for _, computed in pairs)
    assert [pair for pair in pairs if not _equal(*pair)] == []


def _equal(published: float, computed: float | None) -> bool:
    return computed is not None and math.isclose(published, computed, rel_tol=1e-9, abs_tol=1e-9)


@pytest.mark.parametrize("name", OF_THEIR_QUARTER)
def test_its_sql_gives_each_row_as_published(request: pytest.FixtureRequest, name: str) -> None:
    """Where each column that is not summed over has one value: in one row."""
    metric = one(name)
    schema, table = metric.table
    ground = ground_of(table, request)
    ((keys,),) = ask(
        ground,
        "select key_columns from main.published_tables "
        f"where table_schema = '{schema}' and table_name = '{table}'",
    )
    found = ask(
        ground,
        f"select any_value({metric.column}), {metric.sql_expression} from {schema}.{table} "
        f"group by {keys}",
    )
    pairs = [pair for pair in found if pair[0] is not None]
    assert pairs
    assert [pair for pair in pairs if not _equal(*pair)] == []


def test_the_release_lists_every_metric(sample: Ground) -> None:
    found = ask(sample, "from main.metrics")
    names = [column.name for column in METRICS.columns]
    assert [dict(zip(names, row, strict=True))["metric_name"] for row in found] == sorted(NAMES)
    assert [list(row) for row in found] == [
        metric.row
        for metric in sorted(
            declared_metrics(load_manifest(sample.settings)), key=lambda metric: metric.name
        )
    ]


def test_every_mart_of_figures_has_its_metrics(sample: Ground) -> None:
    """A new mart gets metrics (docs/metrics.md), or is listed above with the reason."""
    found = ask(
        sample,
        "select table_name from main.published_tables where table_schema = 'marts' "
        "and counts <> 'reference' and table_name not in (select table_name from main.metrics)",
    )
    assert {name for (name,) in found} == WITHOUT_METRICS


def test_a_metric_means_what_the_dictionary_says_of_its_column(sample: Ground) -> None:
    differing = ask(
        sample,
        "select metric_name, metrics.description, dictionary.description from main.metrics "
        "left join main.data_dictionary as dictionary "
        "using (table_schema, table_name, column_name, metric_name) "
        "where not coalesce(starts_with(dictionary.description, metrics.description), false)",
    )
    assert differing == []


def test_a_table_states_the_unit_of_its_metric(sample: Ground) -> None:
    tables = ask(
        sample,
        "select distinct metrics.table_name from main.metrics inner join main.data_dictionary "
        "as dictionary using (table_schema, table_name) where dictionary.column_name = 'unit' "
        f"and metrics.table_name <> '{OF_A_LATER_QUARTER}'",
    )
    assert tables
    for (table,) in tables:
        units = {unit for (unit,) in ask(sample, f"select distinct unit from marts.{table}")}
        assert units & units_of(sample, table), table


def units_of(ground: Ground, table: str) -> set[str]:
    """Return the units of a table's metrics."""
    found = ask(ground, f"select distinct unit from main.metrics where table_name = '{table}'")
    return {unit for (unit,) in found}


@pytest.mark.slow
def test_searches_state_the_unit_of_their_metrics(request: pytest.FixtureRequest) -> None:
    ground = ground_of(OF_A_LATER_QUARTER, request)
    units = {unit for (unit,) in ask(ground, "select distinct unit from marts.stop_and_search")}
    assert units & units_of(ground, OF_A_LATER_QUARTER)


def test_a_formula_is_written_out() -> None:
    assert one("offence_rate").formula == "1,000 × offences ÷ population"
    assert one("offence_rate").sides == ("offences", "population")
    assert one("offences_change").formula == (
        "100 × (offences − offences a year before) ÷ offences a year before"
    )
    assert one("need_share").sides == ("identified", "answered")
    assert one("offences").formula == ""


def test_a_report_takes_name_form_and_note_of_its_metric() -> None:
    (report,) = [
        one for one in declared_reports(manifest()) if one.name == "table_1_offender_rates"
    ]
    shown = {column.column: column for column in report.metadata.columns}
    rate = shown["rate_per_1000"]
    assert (rate.heading, rate.form) == ("Offenders per 1,000 people", "rate")
    assert report.metadata.notes[rate.note].text == (
        "Offenders per 1,000 people: 1,000 × known offenders ÷ population."
    )
    assert shown["population"].heading == "Population"


def test_a_report_with_an_unknown_metric_is_refused() -> None:
    made: Any = json.loads(json.dumps(manifest()))
    report = made["nodes"]["model.csp_warehouse.table_1_offender_rates"]["config"]["meta"]["csp"]
    report["report"]["columns"][-3]["metric"] = "offence_rat"
    with pytest.raises(CatalogueError, match=r"no metric 'offence_rat' \(nearest: offence_rate"):
        declared_reports(made)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"unit": None}, "field unit is missing"),
        ({"form": "number"}, "field form is 'number'; it must be one of"),
        ({"colour": "red"}, "field colour is not a field"),
        ({"upper": None}, "it has one limit of two"),
    ],
)
def test_a_wrong_declaration_is_refused(changes: dict[str, str | None], fault: str) -> None:
    made: Any = json.loads(json.dumps(manifest()))
    meta = made["metrics"]["offence_rate"]["config"]["meta"]["csp"]
    for name, value in changes.items():
        meta.pop(name, None)
        if value is not None:
            meta[name] = value
    with pytest.raises(CatalogueError, match=rf"Metric offence_rate .*{re.escape(fault)}"):
        declared_metrics(made)


_BLOCK = re.compile(
    r"(<!-- metrics: written by tests/test_metrics.py -->\n)(.*)(<!-- end -->\n)", re.S
)


def test_the_page_lists_every_metric() -> None:
    """WRITE_SNAPSHOT=1 writes them again."""
    page = PAGE.read_text(encoding="utf-8")
    written = _BLOCK.search(page)
    assert written
    lines = ["| metric | formula | unit | column | not summed over |", "|---|---|---|---|---|"]
    for metric in metrics().values():
        over = ", ".join(f"`{column}`" for column in metric.not_summed_over)
        where = f"`{metric.table[1]}.{metric.column}`"
        cells = (f"{metric.label} (`{metric.name}`)", metric.formula, metric.unit, where, over)
        lines.append(f"| {' | '.join(cells)} |")
    expected = "\n".join(["", *lines, "", ""])
    if os.environ.get("WRITE_SNAPSHOT"):
        made = _BLOCK.sub(lambda found: found[1] + expected + found[3], page)
        PAGE.write_text(made, encoding="utf-8")
    else:
        assert written[2] == expected


def test_the_file_states_each_metric_once() -> None:
    assert len(NAMES) == len(set(NAMES))
    labels = [metric.label for metric in metrics().values()]
    assert len(labels) == len(set(labels))

"""Column lineage: read off the SQL rightly, for every column of every model, once for a project."""

import json
import shutil
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.config.settings import Settings
from orchestration.transform import dbt_runner as project
from orchestration.transform.column_lineage import ROWS, ColumnLineage, column_lineage
from orchestration.transform.dbt_runner import (
    lineage_path,
    load_lineage,
    load_manifest,
    prepare_manifest,
)
from tests.support import Ground

# By hand, from the SQL. A table's rows are written "*".
BY_HAND = {
    "table_1_offender_rates.rate_per_1000": {"offender_rates.rate_per_1000"},
    # Through a window function over a subquery.
    "table_1_offender_rates.period_order": {
        "offender_rates.period_start",
        "offender_rates.period_type",
    },
    # Through the macros of a rate; one renamed on the way.
    "offender_rates.rate_per_1000": {
        "int_offender_counts__combined.offenders",
        "int_offender_populations__chosen.population",
    },
    "offender_rates.rate_upper": {
        "int_offender_counts__combined.offenders",
        "int_offender_populations__chosen.population",
        "poisson_exact_limits.upper",
    },
    "offender_rates.population_mid_year": {"int_offender_populations__chosen.mid_year"},
    # Through a union, of which one half counts rows.
    "int_offender_counts__combined.offenders": {
        "stg_police_offender_counts__offenders.offenders",
        "int_offenders__by_area.*",
        # They choose between the count of a district and those of its predecessors.
        "int_district_codes__served.is_predecessor",
        "int_district_codes__served.first_districts",
        "int_district_codes__served.area_first_districts",
    },
    "int_offender_counts__combined.period_label": {
        "stg_police_offender_counts__offenders.calendar_year",
        "int_offender_areas__periods.period_label",
    },
    # From raw, past "select *".
    "stg_police_offender_counts__offenders.offenders": {"police_offender_counts.offenders"},
    "stg_police_offender_counts__offenders.delivery": {"in_force.delivery"},
    # Through a window of dates.
    "int_crime_trends__measured.rolling_12m_offences": {"int_crime_trends__counted.offences"},
    # Through windows of windows: where a segment starts, by the order in its series.
    "int_crime_trends__limits.xmr_segment": {"int_crime_trends__segments.xmr_segment"},
    "int_crime_trends__segments.xmr_segment": {
        "int_crime_trends__counted.area_code",
        "int_crime_trends__counted.crime_type",
        "int_crime_trends__counted.is_after_break",
        "int_crime_trends__counted.offences",
        "int_crime_trends__counted.period_number",
        "int_crime_trends__counted.period_start",
        "int_crime_trends__counted.period_type",
    },
    "int_crime_trends__limits.xmr_points": {"int_crime_trends__segments.*"},
    # Through a function's struct.
    "int_crime_outlook__tested.total": {"int_crime_seasonal__runs.counts"},
    "int_crime_seasonal__adjusted.trend": {"int_crime_seasonal__runs.counts"},
    # An incremental model counts the rows of the archive.
    "int_crime__counted.offences": {"stg_police_uk_street__crimes.*"},
    # Through structs that are spread over rows.
    "youth_offenders.category": {
        "int_youth_offenders__yearly.accommodation_need",
        "int_youth_offenders__yearly.age_group",
        "int_youth_offenders__yearly.first_offence",
        "int_youth_offenders__yearly.sex",
    },
}

# What a model writes itself, so that no column is behind it.
PERIOD_TYPE_IN_WORDS = {
    "accommodation_need",
    "crime_outcomes",
    "int_crime_trends__counted",
    "int_offender_counts__combined",
    "int_youth_periods__covered",
    "iom_cohort",
    "need_complexity",
    "need_pathways",
    "offender_age_and_sex",
    "offender_profile",
    "offending_frequency",
    "populations",
    "populations_by_age",
    "prison_release_accommodation",
    "probation_profile",
    "recorded_crime_by_csp",
    "supported_accommodation",
    "survey_perceptions",
    "survey_responses",
}
SET_BY_THE_MODEL = {
    *(f"{model}.period_type" for model in PERIOD_TYPE_IN_WORDS),
    "int_offender_counts__combined.counted_from",
    # From a short list in the SQL.
    "crime_outlook.status",
    "page_age_and_sex.status",
    "dim_offence_group.is_sum",
    "dim_pathway.is_need",
    "int_crime_places__faults.rule",
    "int_crime_scanning__tested.question",
    "int_partnerships__faults.rule",
    "int_area_characteristics__scored.is_district",
    "int_recorded_crime__counted.place_level",
    "int_recorded_crime__populations.is_carried_forward",
    "int_similar_areas__counted.is_own",
    "int_similar_areas__ranked.chosen_by",
    "int_small_area_periods__listed.period",
    "int_stop_and_search__counted.dimension",
    "crime_by_ward_and_town.place_type",
    "crime_by_deprivation.deprivation_group",
    "crime_by_deprivation.deprivation_label",
    "crime_by_deprivation.group_type",
    "int_area_lookups__faults.rule",
    "int_district_changes__listed.evidence",
    "int_district_parents__dated.evidence",
    "int_areas__listed.area_type",
    # Counts the changes one after another.
    "int_district_changes__chained.steps",
    "int_audit__findings.inconsistency_id",
    "int_audit__findings.regenerated_by",
    "int_audit__findings.sources",
    "int_audit__sentences.figure_id",
    "int_audit__sentences.regenerated_by",
    "int_audit__sentences.sources",
    "int_dwellings__completed.is_summed",
    "int_dwellings__completed.tenure",
    "int_populations__carried.is_carried_forward",
    "int_populations_by_age__grouped.is_carried_forward",
    "int_survey_areas__listed.area_type",
    "table_4_need_complexity.status",
    "table_6_acquisitive_pathways.column_order",
    "table_6_acquisitive_pathways.offender_group",
    "youth_offenders.cohort",
    # The names of what were columns, or parts of a table.
    "int_prison_releases__placed.accommodation",
    "int_prison_releases__placed.sex",
    "int_probation__counted.dimension",
    "iom_cohort.dimension",
    "stg_area_lookups__parents.area_type",
    "stg_area_lookups__parents.parent_type",
    "stg_oasys_assessments__answers.pathway",
    "youth_offenders.dimension",
}


@pytest.fixture(scope="module")
def manifest(sample: Ground) -> dict[str, Any]:
    return load_manifest(sample.settings)


@pytest.fixture(scope="module")
def lineage(sample: Ground) -> ColumnLineage:
    return load_lineage(sample.settings)


@pytest.fixture(scope="module")
def origins(lineage: ColumnLineage) -> dict[str, set[str]]:
    """By ``model.column``."""
    return {
        f"{_short(model)}.{column}": {f"{_short(parent)}.{behind}" for parent, behind in found}
        for model, columns in lineage.items()
        for column, found in columns.items()
    }


def _short(unique_id: str) -> str:
    return unique_id.rsplit(".", 1)[-1]


@pytest.mark.parametrize("column", BY_HAND)
def test_a_column_comes_from_what_its_sql_says(origins: dict[str, set[str]], column: str) -> None:
    assert origins[column] == BY_HAND[column]


def test_a_rate_of_table_1_is_followed_back_to_the_raw_tables(lineage: ColumnLineage) -> None:
    waiting = [("model.csp_warehouse.table_1_offender_rates", "rate_per_1000")]
    behind: set[tuple[str, str]] = set()
    while waiting:
        node, column = waiting.pop()
        fresh = set(lineage.get(node, {}).get(column, ())) - behind
        behind |= fresh
        waiting += fresh
    # Which districts an area is made of decides which counts are its own.
    of_areas = ("control.partnership_areas", "control.refresh", "in_force.area_lookups")
    assert {
        one for one in behind if one[0].startswith("source.") and not one[0].endswith(of_areas)
    } == {
        ("source.csp_warehouse.in_force.police_offender_counts", "offenders"),
        ("source.csp_warehouse.in_force.population_estimates", "population"),
    }


def test_every_column_of_every_model_has_a_lineage(
    sample: Ground, manifest: dict[str, Any], lineage: ColumnLineage
) -> None:
    made: dict[str, list[str]] = {}
    for table, column in sample.query(
        "select schema_name || '.' || table_name, column_name from duckdb_columns()"
    ):
        made.setdefault(table, []).append(column)
    for name, node in manifest["nodes"].items():
        if node["resource_type"] == "model" and node["config"]["materialized"] != "ephemeral":
            assert set(lineage[name]) == set(made[f"{node['schema']}.{node['name']}"]), name
    for columns in lineage.values():
        for parent, behind in {one for found in columns.values() for one in found}:
            node = manifest["sources"].get(parent) or manifest["nodes"][parent]
            table = f"{node['schema']}.{node.get('identifier') or node['name']}"
            assert behind == ROWS or behind in made[table], (parent, behind)


def test_only_what_a_model_writes_itself_comes_from_nowhere(
    origins: dict[str, set[str]],
) -> None:
    nowhere = {column for column, behind in origins.items() if not behind}
    units = {column for column in nowhere if column.endswith(".unit")}
    assert nowhere - units == SET_BY_THE_MODEL


def test_sql_that_cannot_be_followed_leaves_only_its_own_model_without() -> None:
    def node(name: str, *behind: str) -> dict[str, Any]:
        return {
            "name": name, "schema": "s", "database": "d", "columns": {"a": {}},
            "depends_on": {"nodes": [*behind]},
        }  # fmt: skip

    manifest = {
        "sources": {"raw": {**node("raw"), "identifier": "r"}},
        "nodes": {"odd": node("odd", "raw"), "after": node("after", "odd"), "n": node("n", "raw")},
    }
    found = column_lineage(
        manifest,
        {
            "odd": "select (a from d.s.r",
            "after": "with x as (select * from d.s.odd) select a as b from x",
            "n": "with x as (select * from (select a from d.s.r)) select count(*) as n, 1 as c "
            "from x",
        },
    )
    assert found == {
        "after": {"b": [("odd", "a")]},
        "n": {"n": [("raw", ROWS)], "c": []},
    }


def test_lineage_is_worked_out_again_only_when_the_project_changes(
    sample: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(sample.settings.dbt_state, tmp_path / "dbt")
    settings = Settings(home=tmp_path, raw=tmp_path)
    ran: list[str] = []

    parsed_before = project.manifest_path(settings).read_bytes()

    def runs(settings: Settings, arguments: list[str], parsed: Any = None) -> list[Any]:
        ran.extend(one for one in arguments if one in {"parse", "compile"})
        project.manifest_path(settings).write_bytes(parsed_before)
        return []

    monkeypatch.setattr(project, "run_dbt", runs)
    assert not prepare_manifest(settings)
    assert ran == []
    monkeypatch.setattr(project, "inputs_sha256", lambda: "another project")
    assert prepare_manifest(settings)
    assert ran == ["parse", "compile"]
    assert not prepare_manifest(settings)
    lineage_path(settings).unlink()
    assert prepare_manifest(settings)
    assert ran == ["parse", "compile"] * 2
    assert json.loads(lineage_path(settings).read_text()) == {}


@pytest.mark.slow
def test_lineage_asks_nothing_of_the_warehouse(tmp_path: Path, lineage: ColumnLineage) -> None:
    """There may be none yet, or another process may be writing it."""
    settings = Settings(home=tmp_path, raw=tmp_path)
    settings.warehouse.write_bytes(b"not a database")
    assert prepare_manifest(settings)
    assert load_lineage(settings) == lineage


def test_dagster_is_reported_in_the_definition_and_every_link_leads_to_an_asset(
    sample: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orchestration.definitions import warehouse

    monkeypatch.setenv("CSP_HOME", str(sample.settings.home))
    definitions = warehouse()
    assert isinstance(definitions, dg.Definitions)
    graph = definitions.resolve_asset_graph()
    told = {
        key: graph.get(key).metadata
        for key in graph.get_all_asset_keys()
        if key.path[0] in {"staging", "intermediate", "marts", "reports"}
    }
    raw_keys = [key for key in graph.get_all_asset_keys() if key.path[0] == "raw"]
    schemas = {
        key: {column.name for column in graph.get(key).metadata["dagster/column_schema"].columns}
        for key in [*told, *raw_keys]
    }
    for key, metadata in told.items():
        columns = metadata["dagster/column_lineage"].deps_by_column
        assert set(columns) == schemas[key]
        for behind in columns.values():
            for one in behind:
                assert one.asset_key in graph.get(key).parent_keys
                assert one.column_name in schemas.get(one.asset_key, {one.column_name})
    raw = dg.TableColumnDep(dg.AssetKey(["raw", "police_offender_counts"]), "offenders")
    key = dg.AssetKey(["staging", "stg_police_offender_counts__offenders"])
    assert told[key]["dagster/column_lineage"].deps_by_column["offenders"] == [raw]
    (described,) = (
        column.description
        for column in told[key]["dagster/column_schema"].columns
        if column.name == "offenders"
    )
    assert described.endswith(
        "\n\nFrom [raw/police_offender_counts](/assets/raw/police_offender_counts): `offenders`."
    )

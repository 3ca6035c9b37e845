"""The Dagster definitions: what there is, how it is linked, and what loading it costs."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus

from orchestration.cli.refresh_progress import step_words
from orchestration.config.settings import PROJECT
from orchestration.ingest.checking.contract import load_contracts
from tests.support import GOLDEN, Ground


@pytest.fixture
def definitions(sample: Ground, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    from orchestration.definitions import warehouse

    monkeypatch.setenv("CSP_HOME", str(sample.settings.home))
    loaded = warehouse()
    assert isinstance(loaded, dg.Definitions)
    return loaded


def test_definitions_are_sound(definitions: dg.Definitions) -> None:
    dg.Definitions.validate_loadable(definitions)


def test_every_source_is_an_asset_upstream_of_its_staging_model(
    definitions: dg.Definitions,
) -> None:
    graph = definitions.resolve_asset_graph()
    for source in load_contracts():
        key = dg.AssetKey(["raw", source])
        children = graph.get(key).child_keys
        assert any(child.path[0] == "staging" for child in children), source


def test_a_range_of_quarters_is_one_run(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    policies = {graph.get(key).backfill_policy for key in graph.materializable_asset_keys}
    assert policies == {dg.BackfillPolicy.single_run()}


def test_the_order_is_load_resolve_build_publish_export(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    exports = dg.AssetKey(["exports", "partnerships"])
    assert graph.get(exports).parent_keys == {dg.AssetKey(["published", "csp"])}
    published = graph.get(dg.AssetKey(["published", "csp"])).parent_keys
    assert {"/".join(key.path) for key in published} == {
        "control/disclosure",
        "marts/area_changes",
        "marts/area_parents",
        "marts/areas",
        "marts/burglary_trends",
        "marts/characteristics_of_areas",
        "marts/crime_against_similar_areas",
        "marts/crime_by_deprivation",
        "marts/crime_by_small_area",
        "marts/crime_by_ward_and_town",
        "marts/crime_concentration",
        "marts/crime_hot_spots",
        "marts/crime_monthly",
        "marts/crime_outcomes",
        "marts/crime_outlook",
        "marts/crime_outlook_verdicts",
        "marts/crime_counts_compared",
        "marts/crime_harm",
        "marts/crime_priorities",
        "marts/crime_scanning",
        "marts/crime_seasonal",
        "marts/crime_trends",
        "marts/dim_area",
        "marts/dim_cohort",
        "marts/dim_crime_type",
        "marts/dim_month",
        "marts/dim_offence_group",
        "marts/dim_pathway",
        "marts/dim_period",
        "marts/populations",
        "marts/populations_by_age",
        "marts/recorded_crime_by_csp",
        "marts/shoplifting_trends",
        "marts/similar_areas",
        "marts/small_areas",
        "marts/social_housing_stock",
        "marts/stop_and_search",
        "marts/supported_accommodation",
        "reports/figure_10_shoplifting",
        "reports/figure_11_burglary",
        "reports/page_against_similar_areas",
        "reports/page_crime_by_deprivation",
        "reports/page_crime_map",
        "reports/page_hot_spots",
        "reports/page_outcomes",
        "reports/page_outlook",
        "reports/page_priorities",
        "reports/page_scanning",
        "reports/page_similar_areas",
        "reports/page_stop_and_search",
        "reports/table_5_social_dwellings",
    }
    disclosed = graph.get(dg.AssetKey(["control", "disclosure"])).parent_keys
    assert {"/".join(key.path) for key in disclosed} == {
        "intermediate/int_areas__listed",
        "marts/accommodation_need",
        "marts/iom_cohort",
        "marts/need_complexity",
        "marts/survey_perceptions",
        "marts/survey_responses",
        "marts/need_pathways",
        "marts/offender_profile",
        "marts/offender_age_and_sex",
        "marts/offender_rates",
        "marts/offending_frequency",
        "marts/prison_accommodation_need",
        "marts/prison_release_accommodation",
        "marts/probation_profile",
        "marts/youth_offenders",
        "reports/figure_4_first_time_entrants",
        "reports/figure_5_nps_profile",
        "reports/figure_6_accommodation_need",
        "reports/figure_6_prison_and_youth_need",
        "reports/table_4_need_complexity",
        "reports/appendix_c_pathways",
        "reports/figure_2_offender_profile",
        "reports/figure_3_juvenile_offenders",
        "reports/figure_7_males_released",
        "reports/figure_8_females_released",
        "reports/page_age_and_sex",
        "reports/page_prison_releases",
        "reports/table_1_offender_rates",
        "reports/table_2_offending_frequency",
        "reports/table_3_oasys_pathways",
        "reports/table_6_acquisitive_pathways",
        "reports/table_7_feel_safe",
        "reports/table_8_crime_asb_problem",
    }
    in_force = graph.get(dg.AssetKey(["control", "in_force"]))
    assert in_force.parent_keys == {dg.AssetKey(["raw", name]) for name in load_contracts()}


def test_quarters_are_the_partitions_of_every_asset(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("quarterly_refresh")
    assert job.partitions_def is not None
    keys = job.partitions_def.get_partition_keys()
    assert "2018-04-01" in keys
    assert all(key[5:] in {"01-01", "04-01", "07-01", "10-01"} for key in keys)


def test_every_step_of_the_refresh_has_plain_words(definitions: dg.Definitions) -> None:
    job = definitions.resolve_job_def("quarterly_refresh")
    words = {node.name: step_words(node.name) for node in job.graph.nodes}
    assert len(words) > 10
    for step, said in words.items():
        assert "__" not in said
        assert said != step.replace("__", " ").replace("_", " "), f"{step} has no words"


def test_dbt_tests_are_asset_checks(definitions: dg.Definitions) -> None:
    checks = definitions.resolve_asset_graph().asset_check_keys
    owners = {"/".join(check.asset_key.path) for check in checks}
    assert {"marts/crime_monthly", "reports/table_5_social_dwellings", "control/in_force"} <= owners
    assert {f"raw/{name}" for name in load_contracts()} <= owners
    # A test of several models is a check only where it says of which.
    written = {path.stem for path in (PROJECT / "dbt_project" / "tests").glob("*.sql")}
    assert written and written <= {check.name for check in checks}


def test_the_attack_blocks_what_follows(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    key = dg.AssetCheckKey(dg.AssetKey(["control", "disclosure"]), "disclosure_attack")
    assert graph.get(key).blocking


def test_every_asset_has_a_description(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    bare = [str(key) for key in graph.materializable_asset_keys if not graph.get(key).description]
    assert bare == []


SNAPSHOT = GOLDEN / "definitions.json"


def test_definitions_are_those_of_the_snapshot(definitions: dg.Definitions) -> None:
    """What the Dagster UI shows, in one committed file: WRITE_SNAPSHOT=1 writes it again."""
    found = _described(definitions)
    if os.environ.get("WRITE_SNAPSHOT"):
        SNAPSHOT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    expected = json.loads(SNAPSHOT.read_text())
    known = {name.removeprefix("landing/") for name in expected["groups"]["landing"]}
    # What a source of one's own adds follows from its contract.
    for source in load_contracts().keys() - known:
        for name in (f"landing/{source}", f"raw/{source}"):
            (group,) = (names for names in found["groups"].values() if name in names)
            del group[name]
        staging = found["groups"]["staging"]
        for name in [name for name in staging if name.startswith(f"staging/stg_{source}__")]:
            del staging[name]
    assert found == expected


def _described(definitions: dg.Definitions) -> dict[str, Any]:
    repository = definitions.get_repository_def()
    graph = definitions.resolve_asset_graph()
    groups: dict[str, dict[str, str]] = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        spec = node.assets_def.get_asset_spec(key)
        said = [
            "external" if node.is_external else f"pool {node.assets_def.op.pool}",
            "+".join(sorted(spec.kinds)),
            "+".join(spec.owners),
            "by quarter" if node.partitions_def else "whole",
            *([_policy(spec.freshness_policy)] if spec.freshness_policy else []),
        ]
        groups.setdefault(str(node.group_name), {})["/".join(key.path)] = ", ".join(said)
    return {
        "groups": groups,
        "jobs": sorted(job.name for job in repository.get_all_jobs()),
        "schedules": {
            one.name: [one.cron_schedule, one.execution_timezone, one.default_status.value]
            for one in repository.schedule_defs
        },
        "sensors": {
            one.name: [one.minimum_interval_seconds, one.default_status.value]
            for one in repository.sensor_defs
        },
    }


def _policy(policy: Any) -> str:
    if hasattr(policy, "deadline_cron"):
        return f"fresh by {policy.deadline_cron} {policy.timezone}"
    return f"fresh for {policy.fail_window.to_timedelta().days} days"


def test_every_asset_says_what_a_person_looks_for(definitions: dg.Definitions) -> None:
    """Owner, kind, group, description; columns and place of every table; where exports lie."""
    graph = definitions.resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        spec = node.assets_def.get_asset_spec(key)
        name = "/".join(key.path)
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.description, name
        assert node.group_name not in {None, "default"}, name
        if key.path[0] not in {"feeds", "landing", "exports", "published"}:
            assert "dagster/column_schema" in spec.metadata, name
            assert "dagster/table_name" in spec.metadata, name
        if key.path[0] in {"published", "exports"}:
            assert "exports" in spec.metadata, name


def test_instance_keeps_one_run_at_a_time_and_tells_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    shutil.copy(PROJECT / "orchestration" / "dagster" / "dagster.yaml", tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
        assert queue is not None
        assert queue.max_concurrent_runs == 1
        assert instance.global_op_concurrency_default_limit == 1
        assert not instance.telemetry_enabled
        assert instance.run_retries_enabled
        assert instance.run_retries_max_retries == 0
        assert not instance.run_retries_retry_on_asset_or_op_failure
        assert instance.run_monitoring_enabled
        kept = instance.get_tick_retention_settings(InstigatorType.SENSOR)
        assert kept[TickStatus.SKIPPED] == 7


def test_loading_the_definitions_reads_the_prepared_project_and_nothing_else(
    sample: Ground,
) -> None:
    """No file of landing zone, warehouse or release is opened, nothing written, nobody called."""
    script = """
import sys
import dagster, dagster_dbt, duckdb
import orchestration.definitions
seen = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        name = arguments[0]
        code = name.endswith((".py", ".pyc", "__path_hook__"))
        if not code and not name.startswith((sys.prefix, sys.base_prefix, "/dev/")):
            seen.append(name.rsplit("/", 1)[-1])
    if event in {"socket.connect", "sqlite3.connect", "subprocess.Popen", "os.mkdir", "os.rename"}:
        seen.append(event)
sys.addaudithook(watch)
duckdb.connect = lambda *a, **k: seen.append("duckdb.connect")
orchestration.definitions.warehouse()
print(seen)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        env={**os.environ, "CSP_HOME": str(sample.settings.home)},
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "['manifest.json', 'lineage.json']"


def test_importing_touches_neither_disk_nor_database() -> None:
    """Importing every module opens no file but Python's own and starts no connection."""
    script = """
import builtins, io, os, pkgutil, sys
import dagster, dagster_dbt, dagster_dbt.core.dbt_cli_event, duckdb, matplotlib.figure, pandas
import gptables, pyarrow, python_calamine, pydantic_settings, rich.console, typer, yaml
import matplotlib.backends.backend_agg, matplotlib.backends.backend_svg
opened = []
def watch(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        name = arguments[0]
        code = name.endswith((".py", ".pyc")) or "__pycache__" in name
        if "orchestration" in name and not code:
            opened.append(name)
        if "dbt_project" in name or "/raw/" in name or "/var/" in name:
            opened.append(name)
    if event in {"duckdb.connect", "socket.connect", "sqlite3.connect", "subprocess.Popen"}:
        opened.append(event)
sys.addaudithook(watch)
real = duckdb.connect
duckdb.connect = lambda *a, **k: opened.append("duckdb.connect") or real(*a, **k)
import orchestration
for module in pkgutil.walk_packages(orchestration.__path__, "orchestration."):
    if not module.name.endswith("__main__"):
        __import__(module.name)
print(opened)
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("command", ["sql", "status", "app"])
def test_asking_and_looking_need_neither_dagster_nor_dbt(command: str) -> None:
    """``csp sql`` and ``csp status`` answer at once, which Dagster's import alone would prevent."""
    heavy = ("dagster", "dbt", "pandas", "pyarrow", "matplotlib", "numpy")
    script = (
        f"import orchestration.cli.{command}, sys; print([m for m in {heavy} if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=PROJECT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "[]", done.stdout + done.stderr

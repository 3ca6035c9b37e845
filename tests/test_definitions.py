"""The Dagster definitions: what there is, how it hangs together, and what loading it costs."""

import subprocess
import sys

import dagster as dg
import pytest

from orchestration.ingest.contract import load_contracts
from orchestration.settings import PROJECT
from tests.support import Ground


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


def test_the_order_is_load_resolve_build_publish_export(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    exports = dg.AssetKey(["exports", "partnerships"])
    assert graph.get(exports).parent_keys == {dg.AssetKey(["published", "csp"])}
    published = graph.get(dg.AssetKey(["published", "csp"])).parent_keys
    assert {"/".join(key.path) for key in published} == {
        "control/disclosure",
        "marts/burglary_trends",
        "marts/crime_monthly",
        "marts/dim_area",
        "marts/dim_month",
        "marts/shoplifting_trends",
        "marts/social_housing_stock",
        "reports/figure_10_shoplifting",
        "reports/figure_11_burglary",
        "reports/table_5_social_dwellings",
    }
    disclosed = graph.get(dg.AssetKey(["control", "disclosure"])).parent_keys
    assert {"/".join(key.path) for key in disclosed} == {
        "reports/appendix_c_pathways",
        "reports/figure_2_offender_profile",
        "reports/figure_3_juvenile_offenders",
        "reports/figure_7_males_released",
        "reports/figure_8_females_released",
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


def test_dbt_tests_are_asset_checks(definitions: dg.Definitions) -> None:
    checks = definitions.resolve_asset_graph().asset_check_keys
    owners = {"/".join(check.asset_key.path) for check in checks}
    assert {"marts/crime_monthly", "reports/table_5_social_dwellings", "control/in_force"} <= owners
    assert {f"raw/{name}" for name in load_contracts()} <= owners


def test_the_attack_blocks_what_follows(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    key = dg.AssetCheckKey(dg.AssetKey(["control", "disclosure"]), "disclosure_attack")
    assert graph.get(key).blocking


def test_every_asset_has_a_description(definitions: dg.Definitions) -> None:
    graph = definitions.resolve_asset_graph()
    bare = [str(key) for key in graph.materializable_asset_keys if not graph.get(key).description]
    assert bare == []


def test_schedule_asks_for_the_quarter_that_has_closed(definitions: dg.Definitions) -> None:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    schedule = definitions.resolve_schedule_def("quarterly_refresh_schedule")
    assert schedule.execution_timezone == "Europe/London"
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=definitions.get_repository_def(),
            scheduled_execution_time=datetime(2018, 7, 16, 6, tzinfo=ZoneInfo("Europe/London")),
        )
        (request,) = schedule.evaluate_tick(context).run_requests or []
    assert request.partition_key == "2018-04-01"


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


@pytest.mark.parametrize("command", ["asking", "standing", "app"])
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

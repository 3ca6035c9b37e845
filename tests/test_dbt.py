"""The dbt project: its unit tests pass, and its models are described, keyed and under contract."""

import json
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.duckdb import environments
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.cli.main import dbtRunner, dbtRunnerResult

from orchestration.config.settings import Settings
from orchestration.errors import TransformError
from orchestration.publish.published_tables import key_of_test
from orchestration.transform.check_failures import fault_of
from orchestration.transform.dbt_runner import PROJECT_DIR, manifest_path, published_nodes, run_dbt
from orchestration.warehouse.connection import connect
from tests.support import Ground


@pytest.fixture(scope="module")
def manifest(sample: Ground) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(manifest_path(sample.settings).read_text())
    return loaded


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


@pytest.mark.slow
def test_unit_tests_pass(sample: Ground, tmp_path: Path, manifest: dict[str, Any]) -> None:
    shutil.copy(sample.settings.warehouse, tmp_path / "warehouse.duckdb")
    settings = Settings(home=tmp_path, raw=tmp_path)
    run_dbt(settings, ["test", "--select", "test_type:unit"])
    results = json.loads((tmp_path / "dbt/target/run_results.json").read_text())["results"]
    ended = {one["unique_id"]: one["status"] for one in results if "unit_test" in one["unique_id"]}
    assert ended.keys() == manifest["unit_tests"].keys()
    assert len(ended) >= 25
    assert set(ended.values()) == {"pass"}


def test_every_model_and_column_is_described(models: list[dict[str, Any]]) -> None:
    bare = [node["name"] for node in models if not node["description"]]
    bare += [
        f"{node['name']}.{name}"
        for node in models
        for name, column in node["columns"].items()
        if not column["description"]
    ]
    assert bare == []


def test_every_column_that_is_made_is_described(
    sample: Ground, models: list[dict[str, Any]]
) -> None:
    made = sample.query(
        "select schema_name || '.' || table_name, column_name from duckdb_columns() "
        "where schema_name in ('staging', 'intermediate', 'marts', 'reports')"
    )
    described = {
        (f"{node['schema']}.{node['name']}", name) for node in models for name in node["columns"]
    }
    # The one trend model describes itself by the mart that is a selection of it.
    described |= {
        ("intermediate.int_crime_trends__measured", name)
        for table, name in described
        if table == "marts.shoplifting_trends"
    }
    assert set(made) - described == set()


def test_marts_and_reports_are_under_contract(models: list[dict[str, Any]]) -> None:
    loose = [
        node["name"]
        for node in models
        if node["schema"] in {"marts", "reports"} and not node["config"]["contract"]["enforced"]
    ]
    assert loose == []


def test_every_model_says_its_grain_and_tests_its_key(
    manifest: dict[str, Any], models: list[dict[str, Any]]
) -> None:
    keyed = {
        node["attached_node"]
        for node in manifest["nodes"].values()
        if key_of_test(node.get("test_metadata") or {})
    }
    # An ephemeral model is no table that could be tested.
    tables = [node for node in models if node["config"]["materialized"] != "ephemeral"]
    without_key = [
        node["name"]
        for node in tables
        if node["unique_id"] not in keyed and "no key" not in node["description"].lower()
    ]
    assert without_key == []
    without_grain = [node["name"] for node in models if "grain" not in node["description"].lower()]
    assert without_grain == []


def test_nothing_past_staging_selects_everything() -> None:
    starred = [
        path.name
        for path in sorted((PROJECT_DIR / "models").rglob("*.sql"))
        if re.search(r"select\s+(distinct\s+)?(\w+\.)?\*", path.read_text(), re.IGNORECASE)
    ]
    assert starred == []


@pytest.mark.slow
def test_a_failing_check_says_each_rule_that_broke(sample: Ground, tmp_path: Path) -> None:
    import duckdb

    shutil.copy(sample.settings.warehouse, tmp_path / "warehouse.duckdb")
    with duckdb.connect(tmp_path / "warehouse.duckdb") as connection:
        connection.execute(
            "update marts.crime_monthly set offences = -1 where month = '2018-06-01'"
        )
        connection.execute(
            "insert into marts.crime_monthly from marts.crime_monthly where month = '2018-05-01'"
        )
        connection.execute(
            "update intermediate.int_crime__completed set offences = null "
            "where month = '2018-06-01'"
        )
        connection.execute(
            "update marts.crime_trends set offences = offences + 1 "
            "where period_type = 'month' and period_start = '2018-04-01'"
        )
        connection.execute("insert into marts.dim_month from marts.dim_month limit 2")
    settings = Settings(home=tmp_path, raw=tmp_path)
    chosen = [f"{model},test_type:generic" for model in ("crime_monthly", "int_crime__completed")]
    chosen += ["assert_force_trends_add_up", "unique_combination_of_columns_dim_month_month"]
    with pytest.raises(TransformError) as failed:
        run_dbt(settings, ["test", "--select", *chosen])
    said = str(failed.value)
    assert said.startswith("4 checks did not pass.")
    assert re.search(r"crime_monthly: .*offences is below zero \(\d+ rows\)", said)
    assert "more than one row has the same month, area_code, crime_type (" in said
    assert "int_crime__completed: only_an_unknown_count_is_empty (" in said
    assert re.search(
        r"crime_trends: this does not hold: A force's monthly trend is the sum of its areas.*"
        r"\(\d+ rows; for example area_code E\d+ month 2018-0[46]-01 crime_type [A-Z]",
        said,
    )
    assert re.search(
        r"dim_month: more than one row has the same month \(2 rows; for example month", said
    )
    assert not re.search(r"assert_|Got \d|unique_combination|row_rules", said)
    assert all(
        words.startswith(("crime", "int_", "shop", "dim")) for words in failed.value.failed.values()
    )


def test_exposures_name_exactly_the_published_models(manifest: dict[str, Any]) -> None:
    published = set(published_nodes(manifest))
    reports = {name for name in published if manifest["nodes"][name]["schema"] == "reports"}
    read = {one["name"]: set(one["depends_on"]["nodes"]) for one in manifest["exposures"].values()}
    assert read == {
        "report_pack": reports, "report_workbook": reports, "business_intelligence": published
    }  # fmt: skip


def test_every_check_has_words_for_what_is_wrong(manifest: dict) -> None:
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert len(tests) > 100
    for node in tests:
        words = fault_of(node)
        assert " " in words, node["name"]
        assert not re.search(r"assert_|Got \d", words), node["name"]
        if "test_metadata" not in node:
            said = node["description"] or "broken_rules" in node["raw_code"]
            assert said, f"{node['name']}: describe it in dbt_project/tests/_tests.yml"


@pytest.mark.slow
def test_counts_kept_from_earlier_builds_are_those_of_a_full_one(
    sample: Ground, tmp_path: Path
) -> None:
    """The one incremental model, built twice unchanged and once after its counts went wrong."""
    import duckdb

    shutil.copy(sample.settings.warehouse, tmp_path / "warehouse.duckdb")
    own = Ground(Settings(home=tmp_path, raw=tmp_path))
    table = "intermediate.int_crime__counted"
    build = ["build", "--select", "int_crime__counted", "--exclude-resource-type", "unit_test"]
    full = own.query(f"from {table} order by all")
    assert len(full) > 1000

    run_dbt(own.settings, build)
    assert own.query(f"from {table} order by all") == full

    with duckdb.connect(own.settings.warehouse) as connection:
        connection.execute(
            f"update {table} set delivery = 'police_uk_street 2018-04-01 v0', offences = 9 "
            "where month = '2018-04-01';"
            f"update {table} set counted_under = 'elsewhere', offences = 9 "
            "where month = '2018-03-01';"
            f"delete from {table} where month = '2018-05-01';"
            f"insert into {table} select month + interval 10 year, * exclude (month) from {table} "
            "where month = '2017-04-01'"
        )
    assert own.query(f"from {table} order by all") != full
    run_dbt(own.settings, build)
    assert own.query(f"from {table} order by all") == full
    run_dbt(own.settings, [*build, "--full-refresh"])
    assert own.query(f"from {table} order by all") == full


def test_the_warehouse_is_free_though_dbt_breaks_off_amid_a_statement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, raw=tmp_path)
    with connect(settings) as connection:
        connection.execute("create table held (number integer)")
    credentials = DuckDBCredentials(
        path=str(settings.warehouse), database="warehouse", schema="main"
    )
    environment = environments.create(credentials)
    handle = environment.handle()
    monkeypatch.setattr(DuckDBConnectionManager, "_ENV", environment)
    statement = threading.Timer(0.3, handle.close)
    statement.start()

    def break_off(self: dbtRunner, arguments: list[str]) -> dbtRunnerResult:
        return dbtRunnerResult(success=False, exception=RuntimeError("broken off"))

    monkeypatch.setattr(dbtRunner, "invoke", break_off)
    with pytest.raises(TransformError, match="broken off"):
        run_dbt(settings, ["build"])
    with connect(settings, read_only=True) as connection:
        assert connection.execute("select count(*) from held").fetchall() == [(0,)]
    statement.join()


@pytest.mark.slow
def test_dbt_leaves_the_row_groups_of_a_load_as_they_are(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with connect(settings) as connection:
        connection.execute("create table loaded as select i from range(300_000) as rows (i)")
    sizes = _row_groups(settings)
    statement = json.dumps({"sql": "insert into loaded values (0)"})
    run_dbt(settings, ["run-operation", "run_query", "--args", statement])
    assert max(sizes) < 100_000
    assert _row_groups(settings)[: len(sizes) - 1] == sizes[:-1]


def _row_groups(settings: Settings) -> list[int]:
    with connect(settings, read_only=True) as connection:
        rows = connection.execute(
            "select max(count) from pragma_storage_info('loaded') "
            "group by row_group_id order by row_group_id"
        ).fetchall()
    return [size for (size,) in rows]
